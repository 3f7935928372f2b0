//! What does it depend on how a function is called? On truth values, on whether options hold something, on variants, and on SQL texts.

use crate::index::Ty;
pub(crate) use crate::question::Known;
use crate::solver::{Solver, typed_at};
use crate::value::Value;
use crate::world::World;
use sessionlint_ir::{AggregateKind, Call, Callee, LocalId, Operand, Place, Rvalue, Statement, StatementKind, TypeRef};
use std::collections::BTreeMap;

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
        !self.body.statements().any(|statement| match &statement.kind {
            StatementKind::Assign(place, _) => place.local == local,
            StatementKind::Bind { local: set, .. } | StatementKind::Change { local: set, .. } => *set == local,
            StatementKind::Drop(..) => false,
        })
    }

    /// The variant that an argument is, where it is written out.
    pub fn written_variant(&self, argument: &Operand) -> Option<Value> {
        let path = match argument {
            Operand::Item(path) if is_variant(path) => path,
            Operand::Value(place) if place.projection.is_empty() => {
                self.constructors().get(&place.local)?.as_deref()?
            }
            _ => return None,
        };
        let (variant, owner) = path.split_last()?;
        let owner = TypeRef::Path { segments: owner.to_vec(), args: Vec::new() };
        match self.index.ty(&self.scope, &owner) {
            Ty::Own(item, _) if self.index.has_variant(item, variant) => {
                Some(Value::Wrapper(item, format!("::{variant}"), Box::default()))
            }
            _ => None,
        }
    }

    /// The temporaries that a constructor makes, by its path; `None` for those that more than one does.
    fn constructors(&self) -> &BTreeMap<LocalId, Option<Vec<String>>> {
        self.constructors.get_or_init(|| {
            let mut found = BTreeMap::new();
            for statement in self.body.statements() {
                let StatementKind::Assign(Place { local, projection }, value) = &statement.kind else { continue };
                if !projection.is_empty() || self.body.locals[local.index()].name.is_some() {
                    continue;
                }
                let path = match value {
                    Rvalue::Call(Call { callee: Callee::Path { segments, qualifier: None }, .. })
                    | Rvalue::Aggregate(AggregateKind::Struct(segments), _)
                        if is_variant(segments) =>
                    {
                        Some(segments.clone())
                    }
                    _ => None,
                };
                if path.is_some() || found.contains_key(local) {
                    let known = found.contains_key(local);
                    found.insert(*local, path.filter(|_| !known));
                }
            }
            found
        })
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

/// Whether a path may be that of a variant: a name behind its type.
fn is_variant(path: &[String]) -> bool {
    path.len() > 1 && path.iter().rev().take(2).all(|name| name.starts_with(char::is_uppercase))
}
