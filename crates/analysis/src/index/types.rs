//! What type is meant by a written one?

use super::{Field, Index, ItemRef, MAX_DEPTH, Resolved, Scope};
use crate::value::Layer;
use sessionlint_diagnostics::Span;
use sessionlint_ir::{ItemKind, TypeRef};
use sessionlint_protocols::{ProtocolId, WorkId, Wraps};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A type, as far as it matters for sessions.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Ty {
    /// Not known, or of no interest.
    Unknown,
    /// A type that a library's data names.
    Known(ProtocolId),
    /// A struct, enum or trait of the workspace, with its type arguments where any is known.
    Own(ItemRef, Option<Arc<[Ty]>>),
    /// A statement of a library that has not run yet.
    Statement,
    /// Something that does slow work outside of the database, or a builder of it.
    Work(WorkId),
    /// A reference, or a shared or guarded value: whoever has it does not own what is inside.
    Ref(Box<Ty>),
    /// `Result` or `Option`.
    Fallible(Box<Ty>),
    /// A future.
    Future(Box<Ty>),
    /// A cell that is filled once; `get` gives an `Option`.
    Cell(Box<Ty>),
    /// A collection of one type.
    Collection(Box<Ty>),
    /// A tuple.
    Tuple(Vec<Ty>),
}

impl Ty {
    /// A struct, enum or trait of the workspace whose type arguments are not known.
    pub fn own(item: ItemRef) -> Self {
        Ty::Own(item, None)
    }

    /// The type behind references.
    pub fn peeled(&self) -> &Ty {
        match self {
            Ty::Ref(inner) => inner.peeled(),
            other => other,
        }
    }

    /// Whether nothing is known about it.
    pub fn is_unknown(&self) -> bool {
        match self {
            Ty::Unknown => true,
            Ty::Ref(inner) | Ty::Fallible(inner) | Ty::Future(inner) | Ty::Cell(inner) | Ty::Collection(inner) => {
                inner.is_unknown()
            }
            Ty::Tuple(parts) => parts.iter().all(Ty::is_unknown),
            Ty::Known(_) | Ty::Own(_, _) | Ty::Statement | Ty::Work(_) => false,
        }
    }
}

/// So many structs may stand around what is held.
const MAX_OWNERS: u32 = 3;
/// So many times a struct is dereferenced for a field.
const MAX_DEREFS: usize = 4;

impl Index<'_> {
    /// The type that is written in a scope.
    pub fn ty(&self, scope: &Scope<'_>, written: &TypeRef) -> Ty {
        self.ty_at(scope, written, &BTreeMap::new(), 0)
    }

    pub(super) fn ty_at(&self, scope: &Scope<'_>, written: &TypeRef, bound: &BTreeMap<String, Ty>, depth: u32) -> Ty {
        if depth > MAX_DEPTH {
            return Ty::Unknown;
        }
        let inner = |written: &TypeRef| self.ty_at(scope, written, bound, depth + 1);
        match written {
            TypeRef::Path { segments, args } => self.path_ty(scope, segments, args, bound, depth),
            TypeRef::Ref { inner: target, .. } => Ty::Ref(Box::new(inner(target))),
            TypeRef::Tuple(parts) => Ty::Tuple(parts.iter().map(inner).collect()),
            TypeRef::Slice(element) => Ty::Collection(Box::new(inner(element))),
            TypeRef::Bounds(bounds) => first_known(bounds.iter().map(inner)),
            TypeRef::Projection { base, name } => self.associated_of(&inner(base), name, depth),
            TypeRef::Unknown => Ty::Unknown,
        }
    }

    fn path_ty(
        &self,
        scope: &Scope<'_>,
        segments: &[String],
        args: &[TypeRef],
        bound: &BTreeMap<String, Ty>,
        depth: u32,
    ) -> Ty {
        let Some(last) = segments.last() else { return Ty::Unknown };
        let argument =
            |index: usize| args.get(index).map_or(Ty::Unknown, |arg| self.ty_at(scope, arg, bound, depth + 1));
        if segments.len() > 1
            && let Some(ty) = self.parameter_path(scope, segments, args, bound, depth)
        {
            return ty;
        }
        if segments.len() == 1 {
            if last == "Self" {
                return scope.self_ty.clone().unwrap_or(Ty::Unknown);
            }
            if let Some(ty) = bound.get(last) {
                return ty.clone();
            }
            if let Some((_, bounds)) = scope.generics.iter().find(|(name, _)| name == last) {
                return first_known(bounds.iter().map(|bound_ty| self.ty_at(scope, bound_ty, bound, depth + 1)));
            }
        }
        match self.resolve(scope, segments) {
            Some(Resolved::External(path)) => match self.model.type_at(&path) {
                Some(id) => Ty::Known(id),
                None if self.model.is_statement_type(&path) => Ty::Statement,
                None => match self.model.work_type(&path) {
                    Some(work) => Ty::Work(work),
                    None => self.wrapper(path.last().unwrap_or(last), &argument),
                },
            },
            Some(Resolved::Item(item, rest)) if rest.is_empty() => self.item_ty(item, args, scope, bound, depth),
            // Names of the prelude, and of wrappers behind globs.
            None => self.wrapper(last, &argument),
            _ => Ty::Unknown,
        }
    }

    fn wrapper(&self, name: &str, argument: &dyn Fn(usize) -> Ty) -> Ty {
        let inner = || Box::new(argument(0));
        match self.model.standard().wraps(name) {
            Some(Wraps::Fallible) => Ty::Fallible(inner()),
            Some(Wraps::Owned) => argument(0),
            Some(Wraps::Shared) => Ty::Ref(inner()),
            Some(Wraps::Cell) => Ty::Cell(inner()),
            Some(Wraps::Future) => Ty::Future(inner()),
            Some(Wraps::Collection) => Ty::Collection(inner()),
            Some(Wraps::Map) => Ty::Collection(Box::new(argument(1))),
            // A library's own name for its results: `WebDriverResult<WebDriver>`.
            None if name.ends_with("Result") && !argument(0).is_unknown() => Ty::Fallible(inner()),
            None => Ty::Unknown,
        }
    }

    pub(super) fn item_ty(
        &self,
        item: ItemRef,
        args: &[TypeRef],
        scope: &Scope<'_>,
        bound: &BTreeMap<String, Ty>,
        depth: u32,
    ) -> Ty {
        let Some(known) = self.item(item) else { return Ty::Unknown };
        if let Some(id) = self.learned.protocols.get(&item) {
            return Ty::Known(*id);
        }
        match known.kind {
            ItemKind::Struct | ItemKind::Enum | ItemKind::Trait => {
                let args: Vec<Ty> = args.iter().map(|arg| self.ty_at(scope, arg, bound, depth + 1)).collect();
                let known = args.iter().any(|arg| !arg.is_unknown());
                Ty::Own(item, known.then(|| args.into()))
            }
            ItemKind::Alias => {
                let read = self.aliases.get(item, || {
                    let (text, span) = self.item_text(item, |item| item.head)?;
                    self.host.alias(text, span)
                });
                let Some((target, params)) = read.as_ref() else { return Ty::Unknown };
                let given = params.iter().enumerate().map(|(index, param)| {
                    let ty = args.get(index).map_or(Ty::Unknown, |arg| self.ty_at(scope, arg, bound, depth + 1));
                    (param.clone(), ty)
                });
                self.ty_at(&self.scope_of(item), target, &given.collect(), depth + 1)
            }
            _ => Ty::Unknown,
        }
    }

    /// The type of a field; `Variant.field` for enums.
    pub fn field_ty(&self, owner: ItemRef, field: &str) -> Ty {
        self.field_of(owner, None, field)
    }

    /// The same where the type's arguments are known.
    pub fn field_of(&self, owner: ItemRef, args: Option<&[Ty]>, field: &str) -> Ty {
        let fields = self.fields_of(owner);
        let Some(known) = fields.0.iter().find(|known| known.name == field) else { return Ty::Unknown };
        let bound = fields.1.iter().cloned().zip(args.unwrap_or_default().iter().cloned()).collect();
        self.ty_at(&self.scope_of(owner), &known.ty, &bound, 0)
    }

    /// The type of a field, with the defaults of the type's parameters: `struct Repository<C = Transaction>`.
    pub(crate) fn field_or_default(&self, owner: ItemRef, field: &str) -> Ty {
        let params = &self.fields_of(owner).1;
        let header = self.item_text(owner, |item| item.header()).map_or("", |(text, _)| text);
        let defaults: Vec<Ty> = params.iter().map(|param| self.default_of(owner, header, param)).collect();
        self.field_of(owner, Some(&defaults), field)
    }

    fn default_of(&self, owner: ItemRef, header: &str, param: &str) -> Ty {
        let Some((_, after)) = header.split_once(&format!("{param} = ")) else { return Ty::Unknown };
        let mut depth = 0;
        let end = after.find(|c: char| {
            depth += i32::from(c == '<') - i32::from(c == '>');
            depth < 0 || (depth == 0 && c == ',')
        });
        let text = format!("type Default = {};", &after[..end.unwrap_or(after.len())]);
        let span = Span { file: owner.file, start: 0, end: text.len() as u32 };
        match self.host.alias(&text, span) {
            Some((written, _)) => self.ty(&self.scope_of(owner), &written),
            None => Ty::Unknown,
        }
    }

    /// The type of a field of a struct, or of what the struct dereferences to.
    pub fn field_behind(&self, owner: ItemRef, args: Option<&[Ty]>, field: &str) -> Ty {
        let (mut at, mut args) = (owner, args.map(<[Ty]>::to_vec));
        for _ in 0..MAX_DEREFS {
            if self.has_field(at, field) {
                return self.field_of(at, args.as_deref(), field);
            }
            match self.deref_target(at) {
                Some(Ty::Own(next, known)) => (at, args) = (next, known.map(|known| known.to_vec())),
                _ => break,
            }
        }
        Ty::Unknown
    }

    /// Whether an enum may have a variant of this name.
    pub fn has_variant(&self, owner: ItemRef, variant: &str) -> bool {
        let is_enum = self.item(owner).is_some_and(|item| item.kind == ItemKind::Enum);
        is_enum
            && self.item_text(owner, |item| item.head).is_none_or(|(text, _)| {
                text.match_indices(variant).any(|(at, _)| {
                    let before = text[..at].chars().next_back();
                    let after = text[at + variant.len()..].chars().next();
                    let part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
                    !part(before) && !part(after)
                })
            })
    }

    /// Whether there is a field of this name; `Variant.field` for enums.
    pub fn has_field(&self, owner: ItemRef, field: &str) -> bool {
        self.fields_of(owner).0.iter().any(|known| known.name == field)
    }

    /// The fields of a struct, or of the variants of an enum as `Variant.field`, and its type parameters.
    pub(crate) fn fields_of(&self, owner: ItemRef) -> Arc<(Vec<Field>, Vec<String>)> {
        self.fields.get(owner, || {
            let read = self.item_text(owner, |item| item.head).and_then(|(text, span)| self.host.fields(text, span));
            read.unwrap_or_default()
        })
    }

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
            Ty::Ref(inner) | Ty::Fallible(inner) | Ty::Future(inner) => self.may_hold_at(inner, depth),
            Ty::Tuple(parts) => parts.iter().any(|part| self.may_hold_at(part, depth)),
            Ty::Own(item, _) if depth < 4 && self.is_holder(*item) => {
                *self.holding.get((*item, depth), || self.item_may_hold(*item, depth))
            }
            _ => false,
        }
    }

    /// Whether somebody who has one of these holds something: a transaction, or a connection of a pool. Of a type that is made without
    /// a pool, too, nobody can tell.
    pub(crate) fn is_held(&self, protocol: ProtocolId) -> bool {
        let known = self.model.protocol(protocol);
        known.is_session() && (known.is_transaction() || known.is_of_a_pool())
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

    fn is_holder(&self, item: ItemRef) -> bool {
        self.item(item).is_some_and(|item| self.holders.contains(&item.name))
    }

    fn item_may_hold(&self, item: ItemRef, depth: u32) -> bool {
        match self.item(item).map(|item| item.kind) {
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

    /// What a type of the workspace dereferences to.
    pub fn deref_target(&self, owner: ItemRef) -> Option<Ty> {
        let Some(deref) = self.methods(owner, "deref").into_iter().next() else {
            let ty = self.field_ty(owner, &self.derived_deref(owner)?);
            return (!ty.is_unknown()).then(|| ty.peeled().clone());
        };
        match self.output(deref, Some(Ty::own(owner)))? {
            // Whatever stands behind an `Arc` is reached through both.
            Ty::Ref(inner) if !inner.is_unknown() => Some(inner.peeled().clone()),
            _ => None,
        }
    }

    /// The field that a struct dereferences to by `#[derive(Deref)]`: the one that is marked, or its only one.
    pub fn derived_deref(&self, owner: ItemRef) -> Option<String> {
        let (text, _) = self.item_text(owner, |item| item.span)?;
        let derives = |list: &str| {
            let list = list.split(')').next().unwrap_or_default();
            list.split(',').any(|name| name.trim().rsplit("::").next() == Some("Deref"))
        };
        text.split("#[derive(").skip(1).any(derives).then_some(())?;
        let fields = self.fields_of(owner);
        if let [only] = fields.0.as_slice() {
            return Some(only.name.clone());
        }
        let marked = text.split("#[deref]").nth(1)?;
        fields
            .0
            .iter()
            .find(|field| {
                // Other attributes may follow, and a visibility.
                let mut declared = marked.trim_start();
                while let Some((_, rest)) = declared.strip_prefix("#[").and_then(|rest| rest.split_once(']')) {
                    declared = rest.trim_start();
                }
                let declared = declared.trim_start_matches("pub").trim_start();
                let declared =
                    declared.strip_prefix('(').and_then(|rest| rest.split_once(')')).map_or(declared, |(_, rest)| rest);
                declared.trim_start().strip_prefix(&*field.name).is_some_and(|rest| rest.trim_start().starts_with(':'))
            })
            .map(|field| field.name.clone())
    }

    /// The field by which a struct of the workspace owns a transaction, when it owns exactly one and does
    /// nothing when it is dropped. What is optional may well be empty, and does not count.
    pub fn owned_session(&self, owner: ItemRef) -> Option<(String, ProtocolId)> {
        self.owned_at(owner, 0)
    }

    fn owned_at(&self, owner: ItemRef, depth: u32) -> Option<(String, ProtocolId)> {
        if depth > 3 {
            return None;
        }
        if !self.is_holder(owner) {
            return None;
        }
        let compute = || {
            let item = self.item(owner)?;
            if item.kind != ItemKind::Struct {
                return None;
            }
            let read = self.item_text(owner, |item| item.head).and_then(|(text, span)| self.host.fields(text, span));
            let (fields, _) = read?;
            let scope = self.scope_of(owner);
            let mut owning = fields.iter().filter_map(|field| {
                let protocol = match self.ty(&scope, &field.ty) {
                    Ty::Known(id) if self.model.protocol(id).is_transaction() => id,
                    Ty::Own(inner, _) if inner != owner => self.owned_at(inner, depth + 1)?.1,
                    _ => return None,
                };
                Some((field.name.clone(), protocol))
            });
            let first = owning.next()?;
            (owning.next().is_none() && self.drop_leaves(owner, &first.0)).then_some(first)
        };
        self.owned.get(owner, compute).as_ref().clone()
    }

    /// What a method of a workspace type returns: a future when it is async. Several candidates that
    /// disagree give nothing.
    pub fn method_output(&self, owner: ItemRef, name: &str) -> Option<(Ty, ItemRef)> {
        let candidates = self.methods(owner, name);
        let mut outputs = candidates.iter().filter_map(|item| Some((self.output(*item, Some(Ty::own(owner)))?, *item)));
        let first = outputs.next()?;
        outputs.all(|(ty, _)| ty == first.0).then_some(first)
    }

    /// What `Self` means inside an item.
    pub fn self_ty(&self, item: ItemRef) -> Option<Ty> {
        if let Some((block, header)) = self.impl_of(item) {
            let mut scope = self.scope_of(block);
            scope.generics = &header.generics;
            let ty = self.ty(&scope, &header.self_ty);
            // Inside of its own methods a session of the project's own is the struct that it is.
            return Some(match ty {
                Ty::Known(id) => self.item_of(id).map_or(ty, Ty::own),
                ty => ty,
            });
        }
        let parent = self.item(item)?.parent?;
        let parent = ItemRef { file: item.file, item: parent };
        (self.item(parent)?.kind == ItemKind::Trait).then_some(Ty::own(parent))
    }
}

fn first_known(candidates: impl Iterator<Item = Ty>) -> Ty {
    candidates.into_iter().find(|ty| !ty.is_unknown()).unwrap_or(Ty::Unknown)
}
