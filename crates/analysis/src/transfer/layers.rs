//! What stands around a session: which structs, variants and options?

use crate::index::Ty;
use crate::solver::Solver;
use crate::value::{Layer, Value};
use crate::world::World;
use sessionlint_ir::Place;

impl Solver<'_> {
    /// Notes for the sessions in a value what stands around them.
    pub(crate) fn remember_layers(&mut self, value: &Value) {
        if let Value::Fallible(inner) | Value::Future(inner) = value {
            return self.remember_layers(inner);
        }
        let Some(layers) = layers(value) else { return };
        let mut found = Vec::new();
        value.sites(&mut found);
        for site in found {
            self.sites[usize::from(site.0)].layers.clone_from(&layers);
        }
    }

    /// What stands around the session that a value is or refers to.
    pub(crate) fn layers_of(&self, world: &World, value: &Value) -> Vec<Layer> {
        let found = match value {
            Value::Ref(place) => layers(&self.followed(world, world.get(self.index, place), 0)),
            value => layers(&self.followed(world, value.clone(), 0)),
        };
        found.unwrap_or_default()
    }

    /// The same behind the reference that an option or enum holds: what stands around that is made for the call, and nothing can be
    /// taken out through it.
    pub(super) fn layers_behind(&self, world: &World, value: &Value) -> Vec<Layer> {
        match value {
            Value::Success(inner) | Value::Wrapper(_, _, inner) if is_reference(inner) => {
                self.layers_behind(world, inner)
            }
            Value::Ref(place) if self.is_option_of_reference(place) => Vec::new(),
            value => self.layers_of(world, value),
        }
    }

    /// Whether a place is a parameter that is written as `Option<&T>`: what is in it is somebody else's, and stays where that is.
    pub(super) fn is_option_of_reference(&self, place: &Place) -> bool {
        let refers = |ty: Ty| match ty {
            Ty::Fallible(inner) => matches!(*inner, Ty::Ref(inner) if matches!(*inner, Ty::Known(_))),
            _ => false,
        };
        let written = self.body.locals[place.local.index()].ty.as_ref();
        place.projection.is_empty()
            && self.body.params.contains(&place.local)
            && written.is_some_and(|written| refers(self.index.ty(&self.scope, written)))
    }

    /// A value with the references inside replaced by what they refer to.
    fn followed(&self, world: &World, value: Value, depth: u32) -> Value {
        match value {
            Value::Wrapper(item, field, inner) => {
                Value::Wrapper(item, field, Box::new(self.followed(world, *inner, depth)))
            }
            Value::Success(inner) => Value::Success(Box::new(self.followed(world, *inner, depth))),
            Value::Ref(place) if depth < 4 => self.followed(world, world.get(self.index, &place), depth + 1),
            other => other,
        }
    }
}

/// What stands around the session in a value; `None` when there is none.
pub(crate) fn layers(value: &Value) -> Option<Vec<Layer>> {
    let (layer, inner) = match value {
        Value::Session(_) | Value::Pending(..) | Value::Handle(_) => return Some(Vec::new()),
        Value::Wrapper(item, field, inner) => (Layer::Part(*item, field.clone()), inner),
        Value::Success(inner) => (Layer::Some, inner),
        _ => return None,
    };
    let mut found = layers(inner)?;
    found.insert(0, layer);
    Some(found)
}

/// Whether a value refers to a session that stays where it is: `&mut tx`, `Some(&mut tx)`, `Executor::Transaction(&mut tx)`.
pub(super) fn is_reference(value: &Value) -> bool {
    match value {
        Value::Ref(_) => true,
        Value::Success(inner) | Value::Wrapper(_, _, inner) => is_reference(inner),
        _ => false,
    }
}

/// A session with layers around it.
pub(crate) fn fold(layers: &[Layer], session: Value) -> Value {
    layers.iter().rev().fold(session, |inner, layer| match layer {
        Layer::Part(item, field) => Value::Wrapper(*item, field.clone(), Box::new(inner)),
        Layer::Some => Value::Success(Box::new(inner)),
    })
}
