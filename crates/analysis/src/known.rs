//! What does it depend on how a function is called? On truth values, on whether options hold something, and on SQL texts.

use crate::index::Ty;
use crate::solver::{Solver, typed_at};
use crate::value::Value;
use crate::world::World;
use sessionlint_ir::{Callee, Operand, Place, Rvalue, Statement, StatementKind};

/// What is known of a call's arguments, by position: whether one is true, holds something, or is a text. See [`Value::shape`].
pub(crate) type Known = Vec<(usize, Value)>;

/// The same, of values that are passed.
pub(crate) fn known<'v>(values: impl IntoIterator<Item = &'v Value>) -> Known {
    values.into_iter().enumerate().filter_map(|(at, value)| Some((at, value.shape()?))).collect()
}

/// What a statement passes to a function by value.
pub(crate) fn passed(statement: &Statement) -> impl Iterator<Item = &Place> {
    let arguments = match &statement.kind {
        StatementKind::Assign(_, Rvalue::Call(call)) if !matches!(call.callee, Callee::Macro(_)) => {
            call.args.as_slice()
        }
        _ => &[],
    };
    arguments.iter().filter_map(|argument| match argument {
        Operand::Value(place) => Some(place),
        _ => None,
    })
}

impl Solver<'_> {
    /// Takes for granted what the caller passes.
    pub fn called_with(&mut self, mut world: World, known: &Known) -> World {
        self.called_with.clone_from(known);
        for (param, shape) in known {
            let Some(place) = self.body.params.get(*param).map(|local| Place::local(*local)) else { continue };
            match (shape, world.get(self.index, &place)) {
                (Value::Success(_), Value::Typed(ty, origin)) => {
                    if let Ty::Fallible(inner) = ty.peeled() {
                        world.set(&place, Value::Success(Box::new(typed_at((**inner).clone(), origin))));
                    }
                }
                (_, value) if value.owns() => {}
                (shape, _) => world.set(&place, shape.clone()),
            }
        }
        world
    }

    /// The worlds in which a truth value is what it may be, when that matters to a session.
    pub fn decided(&self, world: World, place: &Place) -> Vec<World> {
        let (target, _) = world.canonical(place);
        let is_known = matches!(world.get(self.index, place), Value::Bool(_));
        if is_known || world.facts.obligations.keys().all(|id| !world.is_open(*id)) {
            return vec![world];
        }
        let (mut held, mut failed) = (world.clone(), world);
        held.set(&target, Value::Bool(true));
        failed.set(&target, Value::Bool(false));
        vec![held, failed]
    }
}
