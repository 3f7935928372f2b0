//! What is known of a variable that changes? Whether it is true, holds something, or there is any of it.

use crate::index::Ty;
use crate::solver::Solver;
use crate::value::Value;
use crate::world::{Phase, World};
use sessionlint_ir::{AggregateKind, Callee, Literal, LocalId, Operand, Place, Rvalue};

/// Collections that are empty when they are made.
const COLLECTIONS: [&str; 11] = [
    "BTreeMap",
    "BTreeSet",
    "BinaryHeap",
    "FxHashMap",
    "FxHashSet",
    "HashMap",
    "HashSet",
    "IndexMap",
    "String",
    "Vec",
    "VecDeque",
];

impl Solver<'_> {
    /// Whether there is any of a number or collection that is stored, when that is known.
    pub(super) fn amount(&self, world: &World, value: &Rvalue) -> Option<bool> {
        match value {
            Rvalue::Use(Operand::Literal(Literal::Number(0))) => Some(false),
            Rvalue::Use(Operand::Value(place)) if place.projection.is_empty() => {
                world.facts.amounts.get(&place.local).copied()
            }
            Rvalue::Aggregate(AggregateKind::Array, parts) => Some(!parts.is_empty()),
            Rvalue::Call(call) => match &call.callee {
                Callee::Path { segments, qualifier: None } => match segments.as_slice() {
                    [.., ty, name] if COLLECTIONS.contains(&ty.as_str()) => {
                        matches!(name.as_str(), "new" | "with_capacity").then_some(false)
                    }
                    _ => None,
                },
                _ => None,
            },
            _ => None,
        }
    }

    /// A variable is set to a value, of which there is so much as is known.
    pub(super) fn set(&self, world: &mut World, place: &Place, amount: Option<bool>) {
        let (meant, _) = world.canonical(place);
        world.facts.amounts.remove(&meant.local);
        if meant.projection.is_empty() {
            world.facts.changed.remove(&meant.local);
            // What has no name is on its way to what has one.
            let wanted = self.flags.contains(&meant.local) || self.body.locals[meant.local.index()].name.is_none();
            world.facts.amounts.extend(amount.filter(|_| wanted).map(|any| (meant.local, any)));
        }
    }

    /// A variable may be another value from here on, unless it holds a session; `grows` when there is some of it.
    pub(super) fn change(&self, world: &mut World, local: LocalId, grows: bool, by_name: bool) {
        let (meant, _) = world.canonical(&Place::local(local));
        if world.get(self.index, &meant).owns() {
            return;
        }
        let inside = |place: &Place| place.local == meant.local && place.projection.starts_with(&meant.projection);
        if world.facts.store.keys().any(inside) {
            world.facts.store.retain(|place, value| {
                match value {
                    Value::Bool(_) | Value::Any(_) | Value::Failure => return !inside(place),
                    Value::Success(inner) if !inner.owns() && inside(place) => {
                        *value = Value::Fallible(std::mem::take(inner));
                    }
                    // A struct around a pool may have another one. What its own methods do is looked into.
                    Value::Wrapper(item, _, inner) if !by_name && inside(place) && !is_of_session(inner) => {
                        *value = Value::Typed(Ty::own(*item), None)
                    }
                    _ => {}
                }
                true
            });
        }
        let known = world.facts.amounts.remove(&meant.local).is_some();
        if grows && known && meant.projection.is_empty() {
            world.facts.amounts.insert(meant.local, true);
        }
        let is_open = world.facts.obligations.values().any(|state| state.phase == Phase::Open);
        let flags = [local, meant.local].into_iter().filter(|local| is_open && self.flags.contains(local));
        world.facts.changed.extend(flags);
    }
}

/// Whether what is inside of a struct writes through a session: whoever changes the struct writes, too.
fn is_of_session(inside: &Value) -> bool {
    match inside {
        Value::Ref(_) | Value::Handle(_) => true,
        Value::Wrapper(_, _, inner) | Value::Success(inner) => is_of_session(inner),
        _ => false,
    }
}
