//! Which sessions does nobody mind, whatever fails of them? Statistics that are noted if that works, an answer to a peer that may have left.

use crate::events::{Event, EventKind, SiteId};
use crate::solver::Solver;
use crate::value::{Anchor, ObligationId, Value};
use crate::world::{Phase, World};
use sessionlint_ir::{
    AggregateKind, BlockId, Callee, ExitKind, LocalId, Operand, Rvalue, Statement, StatementKind, Terminator, Test,
    TypeRef,
};
use sessionlint_protocols::ProtocolKind;
use std::collections::BTreeSet;

/// How many tests of one result are followed to where its error goes.
const MAX_ARMS: usize = 4;

/// How many steps back it is looked what a writer is made around.
const MAX_STEPS: usize = 8;

/// What is done where the opening of a session or a write through it fails.
#[derive(Default)]
pub(crate) struct Quiet {
    /// Sites that are given up without a word where they cannot be opened.
    openings: BTreeSet<SiteId>,
    /// The same for those that nothing can be written through.
    writes: BTreeSet<SiteId>,
    /// Sites of which some failure is told.
    loud: BTreeSet<SiteId>,
    /// Transactions that are begun by a text which also ends them, once all of it has run.
    pub settled: BTreeSet<SiteId>,
}

impl Solver<'_> {
    /// A block ends with a test of a result: what is done about an error, if it is one of a session?
    pub(crate) fn failure_here(&mut self, world: &World, block: BlockId) {
        let Terminator::Test { test: Test::Success(place) | Test::Failure(place), .. } =
            &self.body.blocks[block.index()].terminator
        else {
            return;
        };
        let Value::Fallible(inner) = world.get(self.index, place) else { return };
        let (site, is_opening) = match *inner {
            Value::Pending(site, _) => (site, true),
            Value::Wrote(ObligationId { site, .. }) => (site, false),
            _ => return,
        };
        // That a peer has gone may be noted.
        let logs = self.index.model.protocol(self.sites[usize::from(site.0)].protocol).kind == ProtocolKind::Writer;
        match (self.is_passed_over(block, logs), is_opening) {
            (false, _) => self.quiet.loud.insert(site),
            (true, true) => self.quiet.openings.insert(site),
            (true, false) => self.quiet.writes.insert(site),
        };
    }

    /// Whether nothing is done where a result is an error, but for a log line where that may be, and success is told where the body is
    /// left.
    fn is_passed_over(&self, block: BlockId, logs: bool) -> bool {
        let mut at = block;
        for _ in 0..MAX_ARMS {
            let Terminator::Test { test, yes, no, .. } = &self.body.blocks[at.index()].terminator else { return true };
            at = match test {
                Test::Success(_) => *no,
                Test::Failure(_) => *yes,
                _ => return true,
            };
            // An arm may be made of several blocks, which nothing else leads to.
            loop {
                let block = &self.body.blocks[at.index()];
                if !block.statements.iter().all(|statement| does_nothing(statement, logs)) {
                    return false;
                }
                match block.terminator {
                    Terminator::Goto(next) if self.is_only_behind(next) => at = next,
                    _ => break,
                }
            }
        }
        false
    }

    /// Whether one block only leads to another.
    fn is_only_behind(&self, block: BlockId) -> bool {
        let leads = |terminator: &Terminator| terminator.successors().filter(|next| *next == block).count();
        self.body.blocks.iter().map(|before| leads(&before.terminator)).sum::<usize>() == 1
    }

    /// Whether the result of the end of a session is thrown away like every other failure of it.
    pub(crate) fn is_all_quiet(&self, kind: &EventKind, site: SiteId) -> bool {
        if !matches!(kind, EventKind::ResultIgnored { logged: false, .. }) || self.quiet.loud.contains(&site) {
            return false;
        }
        let known = self.index.model.protocol(self.sites[usize::from(site.0)].protocol);
        let gives_nothing = matches!(&self.body.output, Some(TypeRef::Tuple(parts)) if parts.is_empty());
        let is_expected = match known.kind {
            // Only the peer would be told, and that has gone.
            ProtocolKind::Writer => gives_nothing && self.is_to_a_peer(site),
            // Success is what is told of the other failures.
            _ => !gives_nothing && self.quiet.openings.contains(&site),
        };
        is_expected && self.quiet.writes.contains(&site)
    }

    /// Whether a transaction is left that its own text has ended by then.
    pub(crate) fn is_settled(&self, event: &Event) -> bool {
        event.kind == EventKind::LeftOpen
            && self.quiet.settled.contains(&event.site)
            && event.cause.kind.exit_kind() != ExitKind::Error
    }

    /// Another text runs on a connection: all of the one before has run, and taken back what it did.
    pub(super) fn settle(&self, world: &mut World, anchor: &Anchor) {
        for id in world.anchored(anchor).into_iter().filter(|id| self.quiet.settled.contains(&id.site)) {
            world.set_phase(id, Phase::Gone);
        }
        if let Anchor::Obligation(id) = anchor
            && let Some(state) = world.facts.obligations.get_mut(id)
        {
            state.left.retain(|change| !change.settled);
        }
    }

    /// Whether a writer is made around a connection to somebody, or one way of it.
    fn is_to_a_peer(&self, site: SiteId) -> bool {
        let standard = self.index.model.standard();
        let span = self.sites[usize::from(site.0)].span;
        let calls = self.body.assignments().filter_map(|(_, value)| match value {
            Rvalue::Call(call) if call.name_span == span => Some(call),
            _ => None,
        });
        let mut parts: BTreeSet<LocalId> = calls.flat_map(|call| &call.args).filter_map(Operand::local).collect();
        for _ in 0..MAX_STEPS {
            let before = parts.len();
            for statement in self.body.statements() {
                let from = match &statement.kind {
                    StatementKind::Bind { local, from, .. } if parts.contains(local) => from.local,
                    StatementKind::Assign(to, Rvalue::Use(operand)) if parts.contains(&to.local) => {
                        let Some(from) = operand.local() else { continue };
                        from
                    }
                    StatementKind::Assign(to, Rvalue::Call(call)) if parts.contains(&to.local) => {
                        let name = match &call.callee {
                            Callee::Method { name, .. } => Some(name),
                            Callee::Path { segments, .. } => segments.last(),
                            Callee::Macro(_) | Callee::Value(_) => None,
                        };
                        if name.is_some_and(|name| standard.splits(name)) {
                            return true;
                        }
                        continue;
                    }
                    _ => continue,
                };
                parts.insert(from);
            }
            if parts.len() == before {
                break;
            }
        }
        parts.into_iter().any(|part| {
            let mut ty = self.body.locals[part.index()].ty.as_ref();
            while let Some(TypeRef::Ref { inner, .. }) = ty {
                ty = Some(inner);
            }
            ty.and_then(TypeRef::last_segment).is_some_and(|name| standard.is_peer(name))
        })
    }
}

/// Whether a statement is part of no more than leaving: values go, and success is told.
fn does_nothing(statement: &Statement, logs: bool) -> bool {
    match &statement.kind {
        StatementKind::Drop(..) => true,
        StatementKind::Assign(_, value) => match value {
            Rvalue::Exit(kind, ..) => *kind == ExitKind::Success,
            Rvalue::Aggregate(kind, parts) => {
                matches!(kind, AggregateKind::Success | AggregateKind::Tuple)
                    && parts.iter().all(|(_, part)| part.local().is_none())
            }
            Rvalue::Call(call) => logs && call.borrows_only,
            // A log line with fields.
            Rvalue::Opaque(parts) => logs && parts.is_empty(),
            _ => false,
        },
        StatementKind::Bind { .. } => logs,
        StatementKind::Change { .. } => false,
    }
}
