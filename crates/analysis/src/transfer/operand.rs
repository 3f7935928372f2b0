//! What is the value of an operand, a constant, or a compound of several?

use crate::index::Ty;
use crate::solver::{Solver, typed_at};
use crate::sql::SqlEffect;
use crate::value::{Origin, Root, Value};
use crate::world::World;
use sessionlint_ir::{AggregateKind, Literal, Operand, Place, Projection, TypeRef};

impl Solver<'_> {
    /// Reads an operand; a session is moved out of its place.
    pub(super) fn operand(&mut self, world: &mut World, operand: &Operand) -> Value {
        match operand {
            Operand::Value(place) => match self.read_at(world, place) {
                // What the caller keeps stays where it is.
                (target, value) if value.owns() && self.is_lent_at(world, place, &value) => Value::Ref(target.0),
                // `*pool.get()?`: what the connection holds is copied, and the connection stays.
                (_, Value::Session(id))
                    if place.projection.last() == Some(&Projection::Deref)
                        && self.index.model.protocol(self.protocol_of(id)).pooled =>
                {
                    self.touch(world, id);
                    Value::Unknown
                }
                // What stands inside of a transaction of the project's own is taken out, and may end it.
                (target, Value::About(_) | Value::Unknown) if let Some(id) = self.ended_by_part(world, &target.0) => {
                    self.forget_obligation(world, id);
                    Value::Unknown
                }
                // What a summary does not know may be what its caller passes.
                (target, Value::Unknown) if self.collects && self.is_generic(&target.0) => {
                    Value::Typed(Ty::Unknown, Some(Origin::of_local(target.0.local)))
                }
                (target, value) => world.taken(place, target, value),
            },
            Operand::Ref { place, .. } => Value::Ref(world.canonical(place).0),
            Operand::Literal(Literal::Text(text)) => Value::Text(self.index.text_effect(text)),
            Operand::Literal(Literal::Bool(value)) => Value::Bool(*value),
            Operand::Literal(_) => Value::Unknown,
            Operand::Item(path) => self.item_value(path),
        }
    }

    /// Whether a place is a parameter of a type that the caller chooses: `executor: E`, `client: &impl Client`.
    pub(super) fn is_generic(&self, place: &Place) -> bool {
        if !place.projection.is_empty() || !self.body.params.contains(&place.local) {
            return false;
        }
        let mut written = self.body.locals[place.local.index()].ty.as_ref();
        while let Some(TypeRef::Ref { inner, .. }) = written {
            written = Some(inner);
        }
        match written {
            Some(TypeRef::Bounds(_)) => true,
            Some(TypeRef::Path { segments, .. }) => {
                segments.len() == 1 && self.scope.generics.iter().any(|(known, _)| *known == segments[0])
            }
            _ => false,
        }
    }

    /// The place that is meant, whether that is behind a reference, and what is there.
    pub(super) fn read_at(&self, world: &World, place: &Place) -> ((Place, bool), Value) {
        let target = world.canonical(place);
        let value = world.get_canonical(self.index, &target.0);
        (target, value)
    }

    /// Whether the session in a value belongs to the caller. What was taken out of an option does not stay there.
    pub(crate) fn is_lent(&self, value: &Value) -> bool {
        match value {
            Value::Session(id) => self.sites[usize::from(id.site.0)].borrowed,
            Value::Wrapper(_, _, inner) => match &**inner {
                Value::Success(inner) | Value::Fallible(inner) => self.is_lent(inner),
                inner => self.is_lent(inner),
            },
            _ => false,
        }
    }

    /// The same for a value at a place: an option that was handed in is still the caller's.
    fn is_lent_at(&self, world: &World, place: &Place, value: &Value) -> bool {
        match value {
            Value::Success(inner) | Value::Fallible(inner) => {
                let local = world.canonical(place).0.local;
                let handed_in = self.body.params.contains(&local)
                    || self.body.captures.iter().any(|capture| capture.inner == local);
                handed_in && self.is_lent(inner)
            }
            value => self.is_lent(value),
        }
    }

    /// A constant or static, by path.
    pub(super) fn item_value(&mut self, path: &[String]) -> Value {
        let is_constant = path.last().is_some_and(|name| name.chars().all(|c| !c.is_lowercase()) && name.len() > 1);
        if !is_constant {
            return self.unit_value(path);
        }
        if let Some(text) = self.index.constant_text(&self.scope, path) {
            return Value::Text(self.index.text_effect(&text));
        }
        if let [_, .., name] = path {
            let texts = self.index.associated_texts(self.scope.file, name);
            let mut effects = texts.iter().map(|text| self.index.text_effect(text));
            if let Some(first) = effects.next() {
                // Dialects of one statement do the same; where they do not, nothing is known.
                return if effects.all(|effect| effect == first) { Value::Text(first) } else { Value::Unknown };
            }
        }
        match self.index.constant_ty(&self.scope, path) {
            Some((item, ty)) => typed_at(ty, Some(Origin { root: Root::Item(item), path: Vec::new() })),
            None => self.unit_value(path),
        }
    }

    /// A struct without fields, or a variant without: `Kind::Welcome`.
    fn unit_value(&self, path: &[String]) -> Value {
        let Some((name, owner)) = path.split_last().filter(|(name, _)| name.starts_with(char::is_uppercase)) else {
            return Value::Unknown;
        };
        let named = |segments: &[String]| {
            self.index.ty(&self.scope, &TypeRef::Path { segments: segments.to_vec(), args: Vec::new() })
        };
        match named(path) {
            ty @ Ty::Own(..) => return Value::Typed(ty, None),
            _ if owner.is_empty() => return Value::Unknown,
            _ => {}
        }
        match named(owner) {
            // Which mode a transaction is opened in may be chosen before.
            Ty::Own(item, _) if self.index.is_mode(item) && self.index.has_variant(item, name) => {
                Value::Wrapper(item, format!("::{name}"), Box::default())
            }
            Ty::Own(item, args) if self.index.has_variant(item, name) => Value::Typed(Ty::Own(item, args), None),
            _ => Value::Unknown,
        }
    }

    pub(super) fn aggregate(&mut self, world: &mut World, kind: &AggregateKind, fields: &[(String, Operand)]) -> Value {
        let mut values: Vec<Value> = fields.iter().map(|(_, operand)| self.operand(world, operand)).collect();
        match kind {
            AggregateKind::Tuple => Value::Tuple(values),
            AggregateKind::Success => {
                let inner = values.pop().unwrap_or_default();
                let inner = self.realise(world, inner);
                Value::Success(Box::new(inner))
            }
            AggregateKind::Failure => {
                values.iter().for_each(|value| self.forget(world, value));
                Value::Failure
            }
            AggregateKind::Array => {
                self.kept_elsewhere(world, &values);
                values.iter().for_each(|value| self.forget(world, value));
                let is_work = |value: &Value| matches!(value, Value::Future(_)) && !value.owns();
                // Texts that are run one after another do what all of them do.
                let texts = values.iter().filter_map(|value| match value {
                    Value::Text(effect) => Some(*effect),
                    _ => None,
                });
                match texts.reduce(|a, b| SqlEffect { writes: a.writes || b.writes, ..SqlEffect::default() }) {
                    Some(effect) => Value::Text(effect),
                    // Futures that somebody may make one of.
                    None if !values.is_empty() && values.iter().all(is_work) => Value::Tuple(values),
                    None => Value::Unknown,
                }
            }
            AggregateKind::Struct(path) => {
                self.kept_elsewhere(world, &values);
                if let Some(wrapped) = self.wrapped(path, &super::built::names(fields), &values, world) {
                    if let Value::Wrapper(owner, ..) = &wrapped {
                        self.uploads_guarded_by(world, *owner);
                    }
                    return wrapped;
                }
                values.iter().for_each(|value| self.forget(world, value));
                let ty = self
                    .index
                    .ty(&self.scope, &sessionlint_ir::TypeRef::Path { segments: path.clone(), args: Vec::new() });
                match ty {
                    Ty::Own(owner, _) => {
                        self.uploads_guarded_by(world, owner);
                        Value::Typed(ty, None)
                    }
                    _ => Value::Unknown,
                }
            }
        }
    }
}
