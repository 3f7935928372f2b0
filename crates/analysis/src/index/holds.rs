//! Which session does a type of the workspace hold or own?

use super::asking::OwnedSessions;
use super::kept::Owned;
use super::{Index, ItemRef, Ty};
use crate::fixpoint::Pass;
use crate::value::Layer;
use sessionlint_ir::{Field, ItemKind, TypeRef};
use sessionlint_protocols::ProtocolId;
use std::collections::BTreeMap;

/// So many structs may stand around what is held.
const MAX_OWNERS: u32 = 3;

impl Index<'_> {
    /// What stands around the transaction that a struct owns by its type.
    pub(crate) fn owned_layers(&self, owner: ItemRef) -> Vec<Layer> {
        let mut layers = Vec::new();
        let mut at = Some(owner);
        while let Some(item) = at.take() {
            let Some((field, _)) = self.owned_session(item) else { break };
            if let Ty::Own(inner, _) = self.field_ty(item, &field) {
                at = Some(inner);
            }
            layers.push(Layer::Part(item, field));
        }
        layers
    }

    /// Whether a value of this type may hold a session: a struct, an enum, or a trait that something is
    /// implemented for that does.
    pub fn may_hold(&self, ty: &Ty) -> bool {
        self.may_hold_at(ty, 0)
    }

    fn may_hold_at(&self, ty: &Ty, depth: u32) -> bool {
        match ty {
            Ty::Known(_) => true,
            Ty::Ref(inner) | Ty::Fallible(inner) | Ty::Future(inner) | Ty::Lock(inner, _) => {
                self.may_hold_at(inner, depth)
            }
            Ty::Tuple(parts) => parts.iter().any(|part| self.may_hold_at(part, depth)),
            Ty::Own(item, _) if depth < 4 && (self.is_holder(*item) || self.holds_parameter(*item)) => {
                *self.holding.get((*item, depth), || self.item_may_hold(*item, depth))
            }
            _ => false,
        }
    }

    /// Whether somebody who has one of these holds something: a transaction, or a connection of a pool. Of a type that is made without
    /// a pool, too, nobody can tell. What is a state of a connection is not held by whoever keeps the books about it.
    pub(crate) fn is_held(&self, protocol: ProtocolId) -> bool {
        let known = self.model.protocol(protocol);
        known.is_session() && !known.in_place && (known.is_transaction() || known.is_of_a_pool())
    }

    /// The transaction or connection of a pool that a type of the workspace always holds: a struct in a field, an enum in each
    /// variant that holds anything.
    pub(crate) fn held_inside(&self, owner: ItemRef, depth: u32) -> Option<ProtocolId> {
        *self.held.get((owner, depth), || self.held_at(owner, depth))
    }

    fn held_at(&self, owner: ItemRef, depth: u32) -> Option<ProtocolId> {
        let scope = self.scope_of(owner);
        let held = |field: &Field| match self.ty(&scope, &field.ty) {
            Ty::Known(protocol) => self.is_held(protocol).then_some(protocol),
            Ty::Own(inner, _) if inner != owner && depth < MAX_OWNERS => self.held_inside(inner, depth + 1),
            _ => None,
        };
        let fields = self.fields_of(owner);
        match self.item(owner)?.kind {
            ItemKind::Struct => fields.0.iter().find_map(held),
            ItemKind::Enum => {
                let mut variants: BTreeMap<&str, Option<ProtocolId>> = BTreeMap::new();
                for field in &fields.0 {
                    let (variant, _) = field.name.split_once('.')?;
                    let known = variants.entry(variant).or_default();
                    *known = known.or_else(|| held(field));
                }
                variants.into_values().collect::<Option<Vec<_>>>()?.into_iter().next()
            }
            _ => None,
        }
    }

    /// Whether a struct or enum has a field of what its type parameter stands for: `Repository<E> { executor: E }`. That may be anything.
    fn holds_parameter(&self, item: ItemRef) -> bool {
        let is_struct = |kind: ItemKind| matches!(kind, ItemKind::Struct | ItemKind::Enum);
        let is_generic = || self.item_text(item, |item| item.header()).is_some_and(|(text, _)| text.contains('<'));
        if !self.item(item).is_some_and(|item| is_struct(item.kind)) || !is_generic() {
            return false;
        }
        let known = self.fields_of(item);
        let (fields, params) = &*known;
        fields.iter().any(|field| {
            let mut ty = &field.ty;
            while let TypeRef::Ref { inner, .. } = ty {
                ty = inner;
            }
            matches!(ty, TypeRef::Path { segments, .. } if segments.len() == 1 && params.contains(&segments[0]))
        })
    }

    fn is_holder(&self, item: ItemRef) -> bool {
        self.item(item).is_some_and(|item| self.holders.contains(&item.name))
    }

    fn item_may_hold(&self, item: ItemRef, depth: u32) -> bool {
        match self.item(item).map(|item| item.kind) {
            Some(ItemKind::Struct | ItemKind::Enum) if self.holds_parameter(item) => true,
            Some(ItemKind::Struct | ItemKind::Enum) => {
                let scope = self.scope_of(item);
                let read = self.item_text(item, |item| item.head);
                let fields = read.and_then(|(text, span)| self.host.fields(text, span)).unwrap_or_default().0;
                fields.iter().any(|field| self.may_hold_at(&self.ty(&scope, &field.ty), depth + 1))
            }
            Some(ItemKind::Trait) => self.implementors(item).iter().any(|ty| self.may_hold_at(ty, depth + 1)),
            _ => false,
        }
    }

    /// Whether dropping a struct does nothing to this field beside dropping it: its `Drop`, if it has one, does
    /// not mention the field.
    pub fn drop_leaves(&self, owner: ItemRef, field: &str) -> bool {
        self.methods(owner, "drop").into_iter().all(|item| {
            let text = self.item_text(item, |item| item.head).map_or("", |(text, _)| text);
            // Text in quotes may have the same word in it.
            let read = |(at, _): (usize, &str)| {
                let after = text[at + field.len()..].chars().next();
                let before = text[..at].trim_end();
                let whole = !after.is_some_and(|c| c.is_alphanumeric() || c == '_');
                whole && (before.ends_with('.') || (before.ends_with(['{', ',']) && text.contains("Self {")))
            };
            !text.match_indices(field).any(read)
        })
    }

    /// The field by which a struct holds a connection that its own `Drop` gives back to a pool of the project's own.
    /// What stands around it, and its type.
    pub fn pooled_session(&self, owner: ItemRef) -> Option<(Vec<Layer>, ProtocolId)> {
        if !self.is_holder(owner)
            || self.item(owner)?.kind != ItemKind::Struct
            || self.methods(owner, "drop").is_empty()
        {
            return None;
        }
        let read = self.item_text(owner, |item| item.head).and_then(|(text, span)| self.host.fields(text, span));
        let scope = self.scope_of(owner);
        let (fields, _) = read?;
        let limited = fields.iter().any(|field| field.ty.last_segment().is_some_and(|name| name.ends_with("Permit")));
        if !limited && !self.drop_gives_back(owner) {
            return None;
        }
        let mut holding = fields.iter().filter_map(|field| {
            let (ty, optional) = match self.ty(&scope, &field.ty) {
                Ty::Fallible(inner) => (*inner, true),
                ty => (ty, false),
            };
            let Ty::Known(protocol) = ty else { return None };
            let known = self.model.protocol(protocol);
            (known.kind == sessionlint_protocols::ProtocolKind::Connection && !known.needs_end).then_some(())?;
            let mut layers = vec![Layer::Part(owner, field.name.clone())];
            layers.extend(optional.then_some(Layer::Some));
            Some((layers, protocol, field.name.clone()))
        });
        let (layers, protocol, field) = holding.next()?;
        (holding.next().is_none() && !self.drop_leaves(owner, &field)).then_some((layers, protocol))
    }

    /// Whether the `Drop` of a type puts something somewhere: what it only closes was never of a pool.
    fn drop_gives_back(&self, owner: ItemRef) -> bool {
        const GIVES: &[&str] = &[".push(", ".push_back(", ".push_front(", ".send(", ".try_send(", ".put(", ".release("];
        self.methods(owner, "drop").into_iter().any(|item| {
            let text = self.item_text(item, |item| item.head).map_or("", |(text, _)| text);
            GIVES.iter().any(|gives| text.contains(gives))
        })
    }

    /// Whether a function hands out a connection of a pool of the project's own.
    pub fn hands_out_pooled(&self, function: ItemRef) -> bool {
        let mut ty = self.output(function, None);
        while let Some(Ty::Future(inner) | Ty::Fallible(inner)) = ty {
            ty = Some(*inner);
        }
        matches!(ty, Some(Ty::Own(owner, _)) if self.pooled_session(owner).is_some())
    }

    /// The field by which a struct of the workspace owns a transaction, when it owns exactly one and does
    /// nothing when it is dropped. What is optional may well be empty, and does not count.
    pub fn owned_session(&self, owner: ItemRef) -> Option<(String, ProtocolId)> {
        self.owned_behind(owner, &Pass::default())
    }

    /// The transaction that a struct owns where its type's arguments are known, and what stands around it: `Register<U: UnitOfWork>`
    /// owns what its parameter stands for.
    pub(crate) fn owned_with(&self, owner: ItemRef, args: Option<&[Ty]>) -> Option<(ProtocolId, Vec<Layer>)> {
        if let Some((_, protocol)) = self.owned_session(owner) {
            return Some((protocol, self.owned_layers(owner)));
        }
        let owned = |ty: &Ty| match ty {
            Ty::Known(id) => Some(*id).filter(|id| {
                let known = self.model.protocol(*id);
                known.is_transaction() && !known.in_place
            }),
            _ => None,
        };
        let args = args.filter(|args| args.iter().any(|ty| owned(ty).is_some()))?;
        (self.item(owner)?.kind == ItemKind::Struct).then_some(())?;
        let fields = self.fields_of(owner);
        let mut owning = fields.0.iter().filter_map(|field| match self.field_of(owner, Some(args), &field.name) {
            Ty::Own(inner, _) if inner != owner => Some((field, self.owned_session(inner)?.1)),
            ty => Some((field, owned(&ty)?)),
        });
        let (field, protocol) = owning.next()?;
        let is_only = owning.next().is_none() && self.drop_leaves(owner, &field.name);
        is_only.then(|| (protocol, vec![Layer::Part(owner, field.name.clone())]))
    }

    fn owned_behind(&self, owner: ItemRef, pass: &Pass<ItemRef, Owned>) -> Owned {
        if !self.is_holder(owner) {
            return None;
        }
        self.owned.answer(&OwnedSessions(self), owner, pass)
    }

    pub(super) fn owned_in(&self, owner: ItemRef, pass: &Pass<ItemRef, Owned>) -> Owned {
        let item = self.item(owner)?;
        if item.kind != ItemKind::Struct {
            return None;
        }
        let read = self.item_text(owner, |item| item.head).and_then(|(text, span)| self.host.fields(text, span));
        let (fields, _) = read?;
        let scope = self.scope_of(owner);
        let mut owning = fields.iter().filter_map(|field| {
            let protocol = match self.ty(&scope, &field.ty) {
                Ty::Known(id) if self.model.protocol(id).is_transaction() && !self.model.protocol(id).in_place => id,
                Ty::Own(inner, _) if inner != owner => self.owned_behind(inner, pass)?.1,
                _ => return None,
            };
            Some((field.name.clone(), protocol))
        });
        let first = owning.next()?;
        (owning.next().is_none() && self.drop_leaves(owner, &first.0)).then_some(first)
    }
}
