//! Is the caller told that nothing was committed, by the very flag that decided so? `if wrote { tx.commit()?; } Ok(wrote)`.

use crate::events::Event;
use crate::solver::Solver;
use crate::value::SiteId;
use sessionlint_diagnostics::Span;
use sessionlint_ir::{AggregateKind, BlockId, Body, ExitKind, LocalId, Operand, Place, Rvalue, Terminator, Test};
use std::collections::BTreeSet;

impl Solver<'_> {
    /// The conditions of this body that are flags which it gives its caller, and behind which it commits sessions of a site.
    pub(crate) fn told_flags(&self, site: SiteId) -> BTreeSet<Span> {
        // Who else has it may commit it.
        let ends = [&self.commits, &self.given_away];
        let commits: BTreeSet<BlockId> =
            ends.into_iter().filter_map(|ends| ends.get(&site)).flatten().copied().collect();
        if commits.is_empty() {
            return BTreeSet::new();
        }
        let given: BTreeSet<LocalId> = self.given_flags();
        let tests = self.body.blocks.iter().filter_map(|block| match &block.terminator {
            Terminator::Test { test: Test::Bool(place), yes, span, .. } if is_whole(place, &given) => {
                Some((*yes, *span))
            }
            _ => None,
        });
        let commits_behind = |from| commits.iter().any(|commit| from == *commit || self.body.leads_to(from, *commit));
        tests.filter(|(yes, _)| commits_behind(*yes)).map(|(_, span)| span).collect()
    }

    /// The variables that are the answer of the body where it is no error.
    fn given_flags(&self) -> BTreeSet<LocalId> {
        let mut given: BTreeSet<LocalId> = BTreeSet::new();
        loop {
            let before = given.len();
            for (to, value) in self.body.assignments() {
                let is_given = to.local == Body::RETURN || given.contains(&to.local);
                match value {
                    Rvalue::Exit(ExitKind::Success, _, operand) if is_given => given.extend(whole(operand)),
                    Rvalue::Use(operand) if is_given && self.body.locals[to.local.index()].name.is_none() => {
                        given.extend(whole(operand));
                    }
                    Rvalue::Aggregate(AggregateKind::Success, parts) if is_given => {
                        given.extend(parts.iter().filter_map(|(_, operand)| whole(operand)));
                    }
                    _ => {}
                }
            }
            if given.len() == before {
                return given;
            }
        }
    }
}

/// Whether a session is left on a way on which such a flag did not hold.
pub(crate) fn is_told(event: &Event, flags: &BTreeSet<Span>) -> bool {
    event.branches.iter().any(|branch| !branch.held && flags.contains(&branch.condition))
}

fn whole(operand: &Operand) -> Option<LocalId> {
    match operand {
        Operand::Value(place) if place.projection.is_empty() => Some(place.local),
        _ => None,
    }
}

fn is_whole(place: &Place, locals: &BTreeSet<LocalId>) -> bool {
    place.projection.is_empty() && locals.contains(&place.local)
}
