//! What does it depend on how a function is called? On truth values, on whether options hold something, on variants, and on SQL texts.

use crate::index::Ty;
use crate::solver::{Solver, typed_at};
use crate::value::Value;
use crate::world::World;
use sessionlint_ir::{AggregateKind, Call, Callee, LocalId, Operand, Place, Rvalue, Statement, StatementKind, TypeRef};

/// What is known of a call's arguments, by position: whether one is true, holds something, or is a variant or text. See [`Value::shape`].
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
                (Value::Wrapper(_, step, _), _) => {
                    if self.is_never_set(place.local) {
                        self.variants.insert(place.local, step.trim_start_matches("::").to_owned());
                    }
                }
                (_, value) if value.owns() => {}
                (shape, _) => world.set(&place, shape.clone()),
            }
        }
        world
    }

    /// Whether a parameter is what was passed, all the time.
    fn is_never_set(&self, local: LocalId) -> bool {
        !self.body.blocks.iter().flat_map(|block| &block.statements).any(|statement| match &statement.kind {
            StatementKind::Assign(place, _) => place.local == local,
            StatementKind::Bind { local: set, .. } | StatementKind::Change { local: set, .. } => *set == local,
            StatementKind::Drop(..) => false,
        })
    }

    /// The variant that an argument is, where it is written out.
    pub fn written_variant(&self, argument: &Operand) -> Option<Value> {
        let path = match argument {
            Operand::Item(path) => path,
            Operand::Value(place)
                if place.projection.is_empty() && self.body.locals[place.local.index()].name.is_none() =>
            {
                let statements = self.body.blocks.iter().flat_map(|block| &block.statements);
                let mut made = statements.filter_map(|statement| match &statement.kind {
                    StatementKind::Assign(target, value) if target == place => Some(value),
                    _ => None,
                });
                let first = made.next().filter(|_| made.next().is_none())?;
                match first {
                    Rvalue::Call(Call { callee: Callee::Path { segments, qualifier: None }, .. })
                    | Rvalue::Aggregate(AggregateKind::Struct(segments), _) => segments,
                    _ => return None,
                }
            }
            _ => return None,
        };
        let (variant, owner) = path.split_last().filter(|(name, _)| name.starts_with(char::is_uppercase))?;
        if owner.is_empty() {
            return None;
        }
        let owner = TypeRef::Path { segments: owner.to_vec(), args: Vec::new() };
        match self.index.ty(&self.scope, &owner) {
            Ty::Own(item, _) if self.index.has_variant(item, variant) => {
                Some(Value::Wrapper(item, format!("::{variant}"), Box::default()))
            }
            _ => None,
        }
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
