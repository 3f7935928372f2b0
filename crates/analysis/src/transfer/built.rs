//! What is a struct or variant that is built around a session?

use super::fate::MAX_REFERENCES;
use super::layers::{fold, layers};
use crate::index::{ItemRef, Ty};
use crate::solver::Solver;
use crate::value::{Root, Value};
use crate::world::World;
use sessionlint_ir::{ItemKind, Operand, Place, TypeRef};

/// So many structs and options around a session are told apart.
const MAX_LAYERS: usize = 12;

impl Solver<'_> {
    /// A value of a struct that owns a session by its type, through as many structs as stand between them.
    pub(crate) fn wrap(&mut self, item: ItemRef, session: Value) -> Value {
        let layers = self.index.owned_layers(item);
        let value = fold(&layers, session);
        self.remember_layers(&value);
        value
    }

    /// A struct or variant that is built around a session.
    pub(crate) fn wrapped(
        &mut self,
        path: &[String],
        fields: &[String],
        values: &[Value],
        world: &World,
    ) -> Option<Value> {
        let written = |segments: &[String]| TypeRef::Path { segments: segments.to_vec(), args: Vec::new() };
        let (item, variant) = match self.index.ty(&self.scope, &written(path)) {
            Ty::Own(item, _) => (item, None),
            _ => {
                let (variant, owner) = path.split_last()?;
                match self.index.ty(&self.scope, &written(owner)) {
                    Ty::Own(item, _) => (item, Some(variant.clone())),
                    _ => return None,
                }
            }
        };
        self.built(item, variant, fields, values, world)
    }

    /// The same, with the type and variant known.
    pub(crate) fn built(
        &mut self,
        item: ItemRef,
        variant: Option<String>,
        fields: &[String],
        values: &[Value],
        world: &World,
    ) -> Option<Value> {
        let kind = self.index.item(item)?.kind;
        if kind != if variant.is_some() { ItemKind::Enum } else { ItemKind::Struct } {
            return None;
        }
        if variant.is_none() {
            self.makes_struct(world, item, fields, values);
        }
        // Beside a session a pool does not count, nor beside a transaction that the caller lends what may hold one.
        let is_session = |value: &Value| self.session_of(world, value).is_some();
        let is_lent = |value: &Value| self.is_transaction(world, value);
        let has_session = values.iter().any(is_session);
        let has_lent = values.iter().any(is_lent);
        // What the caller chooses counts only where nothing is known to hold one.
        let has_no_other = !values.iter().any(|value| self.holds(world, value, false));
        let holds = |index: &usize| match (has_session, has_lent) {
            (true, _) => is_session(&values[*index]),
            (false, true) => is_lent(&values[*index]),
            (false, false) => self.holds(world, &values[*index], has_no_other),
        };
        let holding: Vec<usize> = (0..values.len()).filter(holds).collect();
        let index = *holding.first()?;
        if holding.len() > 1 && !self.write_through_one(world, holding.iter().map(|index| &values[*index])) {
            return self.built_around_several(item, variant.is_none(), fields, values);
        }
        if values.iter().enumerate().any(|(other, value)| other != index && value.owns()) {
            return None;
        }
        let field = &holding.iter().map(|index| fields[*index].as_str()).collect::<Vec<_>>().join("|");
        // A loop that puts one around the other never ends.
        if layers(&values[index]).is_some_and(|layers| layers.len() >= MAX_LAYERS) {
            return None;
        }
        if !field.split('|').all(|field| self.index.drop_leaves(item, field)) {
            return None;
        }
        // A pool stays what it is behind a reference, and comes from where it came from.
        let inner = Box::new(match &values[index] {
            Value::Ref(place) => match world.get(self.index, place) {
                Value::Typed(ty, origin) => Value::Typed(Ty::Ref(Box::new(ty)), origin.or_else(|| world.origin(place))),
                _ => values[index].clone(),
            },
            value => value.clone(),
        });
        let value = match variant {
            None => Value::Wrapper(item, field.clone(), inner),
            Some(variant) if fields.len() == 1 && field == "0" => Value::Wrapper(item, format!("::{variant}"), inner),
            Some(variant) => {
                let inner = Value::Wrapper(item, field.clone(), inner);
                Value::Wrapper(item, format!("::{variant}"), Box::new(inner))
            }
        };
        self.remember_layers(&value);
        Some(value)
    }

    /// A struct that is built around several transactions, each in a field of its own.
    fn built_around_several(&self, item: ItemRef, plain: bool, fields: &[String], values: &[Value]) -> Option<Value> {
        let is_transaction = |value: &Value| match value {
            Value::Session(id) => self.index.model.protocol(self.protocol_of(*id)).is_transaction(),
            _ => false,
        };
        let owning: Vec<usize> = (0..values.len()).filter(|index| values[*index].owns()).collect();
        let is_told = |index: &usize| is_transaction(&values[*index]) && self.index.drop_leaves(item, &fields[*index]);
        if !plain || owning.len() < 2 || !owning.iter().all(is_told) {
            return None;
        }
        let step = owning.iter().map(|index| fields[*index].as_str()).collect::<Vec<_>>().join("&");
        let inner = Value::Tuple(owning.iter().map(|index| values[*index].clone()).collect());
        Some(Value::Wrapper(item, step, Box::new(inner)))
    }

    /// Whether several values are parts of one session that nobody here has to end: tables that write through it.
    fn write_through_one<'v>(&self, world: &World, mut values: impl Iterator<Item = &'v Value>) -> bool {
        let what = |value: &Value| match value {
            Value::Handle(_) | Value::Ref(_) => self.session_of(world, value).map(Ok),
            Value::Typed(ty, Some(origin)) if !self.lends(ty) => Some(Err(origin.clone())),
            _ => None,
        };
        let Some(first) = values.next().and_then(what) else { return false };
        values.all(|value| what(value).as_ref() == Some(&first))
    }

    /// Whether a value is a transaction by its type, or a reference to one.
    fn is_transaction(&self, world: &World, value: &Value) -> bool {
        let is_it = |ty: &Ty| match ty.peeled() {
            Ty::Known(id) => self.index.model.protocol(*id).is_transaction() && !self.lends(ty),
            _ => false,
        };
        match value {
            Value::Ref(place) => matches!(world.get(self.index, place), Value::Typed(ty, _) if is_it(&ty)),
            Value::Typed(ty, _) => is_it(ty),
            _ => false,
        }
    }

    /// Whether a value is, owns or refers to one session or pool. In summaries also what may turn out to, and where `open` what the
    /// caller chooses.
    pub(super) fn holds(&self, world: &World, value: &Value, open: bool) -> bool {
        self.holds_behind(world, value, open, MAX_REFERENCES)
    }

    fn holds_behind(&self, world: &World, value: &Value, open: bool, references: u32) -> bool {
        match value {
            Value::Session(_) => true,
            Value::Wrapper(_, _, inner) | Value::Success(inner) => self.holds_behind(world, inner, open, references),
            Value::Ref(place) if references > 0 => match world.get(self.index, place) {
                Value::Ref(_) => false,
                Value::Typed(ty, None) => self.lends(&ty) || (self.collects && self.index.may_hold(&ty)),
                inner => self.holds_behind(world, &inner, open, references - 1),
            },
            Value::Typed(ty, Some(origin)) => {
                let may_be = || match origin.root {
                    Root::Local(local) if open && origin.path.is_empty() && self.is_generic(&Place::local(local)) => {
                        true
                    }
                    _ => self.index.may_hold(ty),
                };
                self.lends(ty) || (self.collects && may_be())
            }
            _ => false,
        }
    }
}

/// The names of fields and their values, as a literal gives them.
pub(crate) fn names(fields: &[(String, Operand)]) -> Vec<String> {
    fields.iter().map(|(name, _)| name.clone()).collect()
}
