//! Is somebody told on this way that it failed? An error value that is sent, or passed to a function, reaches who waits for it.

use crate::solver::Solver;
use crate::value::Value;
use crate::world::World;
use sessionlint_ir::{AggregateKind, Body, Call, Callee, LocalId, Operand, Rvalue, StatementKind};
use std::collections::BTreeSet;

impl Solver<'_> {
    /// Whether a call is given an error value that this body made. `None` is no error.
    pub(super) fn tells_failure(&self, world: &World, call: &Call) -> bool {
        let is_error = |operand: &Operand| match operand {
            Operand::Value(place) | Operand::Ref { place, .. } => {
                self.read_value(world, operand) == Value::Failure
                    && self.errors.get_or_init(|| hold_errors(self.body)).contains(&world.canonical(place).0.local)
            }
            _ => false,
        };
        !matches!(call.callee, Callee::Macro(_)) && call.args.iter().any(is_error)
    }
}

/// The variables that an `Err(..)` of the body may be in.
fn hold_errors(body: &Body) -> BTreeSet<LocalId> {
    let mut found = BTreeSet::new();
    loop {
        let before = found.len();
        for statement in body.statements() {
            let (to, holds) = match &statement.kind {
                StatementKind::Assign(to, Rvalue::Aggregate(AggregateKind::Failure, parts)) => {
                    (to.local, !parts.is_empty())
                }
                StatementKind::Assign(to, Rvalue::Use(Operand::Value(from))) => (to.local, found.contains(&from.local)),
                StatementKind::Bind { local, from, .. } => (*local, found.contains(&from.local)),
                _ => continue,
            };
            if holds {
                found.insert(to);
            }
        }
        if found.len() == before {
            return found;
        }
    }
}
