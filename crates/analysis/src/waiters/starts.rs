//! May a call start something that goes on beside its caller: a task, a thread, a server?

use crate::callers::Met;
use crate::index::ItemRef;
use crate::solver::run_to_end;
use crate::summary::Analysis;
use sessionlint_ir::{BlockId, Body, Call, Callee, Operand, Place, Race, Rvalue, StatementKind};
use sessionlint_protocols::Wraps;
use std::collections::BTreeSet;
use std::sync::Arc;

/// So many functions are looked at for one: who calls more may start anything.
const MAX_CALLED: usize = 400;

/// A place in a body: a block, and how many-th its statement is.
pub(super) type At = (BlockId, usize);

impl Analysis<'_> {
    /// Whether any of some functions, or anything that they call, may start something that goes on beside it.
    fn any_starts(&self, mut pending: Vec<ItemRef>) -> bool {
        let mut seen: BTreeSet<ItemRef> = pending.iter().copied().collect();
        while let Some(item) = pending.pop() {
            if seen.len() > MAX_CALLED || self.starts_itself(item) {
                return true;
            }
            let called = self.met_in(item);
            let called = called.values().flatten().flat_map(|called| {
                let implementations = self.index.implementations(*called);
                if implementations.is_empty() { vec![*called] } else { implementations.to_vec() }
            });
            pending.extend(called.filter(|called| seen.insert(*called)));
        }
        false
    }

    /// Whether a function calls what starts something, in a closure or not.
    fn starts_itself(&self, item: ItemRef) -> bool {
        let Some(function) = self.index.function(item) else { return false };
        let met = self.met_in(item);
        function.body.as_ref().is_some_and(|body| self.body_starts(body, &met))
    }

    fn body_starts(&self, body: &Body, met: &Met) -> bool {
        statements(body).any(|(at, place, value)| self.is_start(body, met, at, place, value))
            || body.children.iter().any(|child| self.body_starts(child, met))
    }

    /// Whether something may have been started in a body when a place is come to, and go on there.
    pub(super) fn started_before(&self, body: &Body, met: &Met, at: At) -> bool {
        let leading = leading_to(body, at.0);
        let is_before = |(block, nth): At| (block == at.0 && nth < at.1) || leading.contains(&block);
        let before = || statements(body).filter(|(other, ..)| is_before(*other));
        let in_child = |child: usize| self.body_starts(&body.children[child], met);
        let starts = before().any(|(at, place, value)| match value {
            Rvalue::Closure { child, .. } => in_child(*child),
            value => self.is_start(body, met, at, place, value),
        });
        let called = before().flat_map(|(_, _, value)| match value {
            Rvalue::Call(call) => vec![call.name_span],
            Rvalue::Closure { child, .. } => all_calls(&body.children[*child]),
            _ => Vec::new(),
        });
        starts || self.any_starts(called.filter_map(|span| met.get(&span)).flatten().copied().collect())
    }

    /// Whether a statement starts something: a call of other code whose name says so, unless it is waited for there.
    fn is_start(&self, body: &Body, met: &Met, at: At, place: &Place, value: &Rvalue) -> bool {
        let Rvalue::Call(call) = value else { return false };
        if met.contains_key(&call.name_span) || call.borrows_only {
            return false;
        }
        let name = match &call.callee {
            // A program is no part of this one.
            Callee::Method { name, .. } if call.args.is_empty() && self.index.model.intent().is_of_programs(name) => {
                return false;
            }
            Callee::Method { name, .. } => name,
            Callee::Path { segments, .. } | Callee::Macro(segments) => match segments.last() {
                Some(name) => name,
                None => return false,
            },
            Callee::Value(_) => return false,
        };
        self.index.model.intent().starts(name) && !self.is_awaited_at_once(body, at, place)
    }

    /// Whether the next thing that is done with the value of a statement is that it is waited for, alone.
    pub(super) fn is_awaited_at_once(&self, body: &Body, (block, nth): At, place: &Place) -> bool {
        let standard = self.index.model.standard();
        let mut at = place.clone();
        for statement in &body.blocks[block.index()].statements[nth + 1..] {
            let is_it = |operand: &Operand| matches!(operand, Operand::Value(place) if *place == at);
            let next = match &statement.kind {
                StatementKind::Assign(_, Rvalue::Await { future, race }) => {
                    return is_it(future) && *race == Race::None;
                }
                StatementKind::Assign(_, Rvalue::Call(call)) if run_to_end(call, standard).is_some_and(is_it) => {
                    return true;
                }
                StatementKind::Assign(next, Rvalue::Use(operand)) if is_it(operand) => next,
                // `Box::pin(..)`
                StatementKind::Assign(next, Rvalue::Call(Call { callee: Callee::Path { segments, .. }, args, .. })) => {
                    let owner = segments.iter().nth_back(1);
                    let pins = owner.is_some_and(|owner| standard.wraps(owner) == Some(Wraps::Owned));
                    match args.as_slice() {
                        [only] if pins && is_it(only) => next,
                        _ => return false,
                    }
                }
                _ => return false,
            };
            at = next.clone();
        }
        false
    }

    /// The functions that a function calls, where that is known.
    pub(super) fn met_in(&self, item: ItemRef) -> Arc<Met> {
        let known = self.met.read().unwrap_or_else(|poisoned| poisoned.into_inner()).get(&item).cloned();
        known.unwrap_or_else(|| {
            let met = Arc::new(self.met(item));
            let mut known = self.met.write().unwrap_or_else(|poisoned| poisoned.into_inner());
            Arc::clone(known.entry(item).or_insert(met))
        })
    }
}

/// The statements of a body that store something, and where they stand.
pub(super) fn statements(body: &Body) -> impl Iterator<Item = (At, &Place, &Rvalue)> {
    (0..).map(BlockId).zip(&body.blocks).flat_map(|(block, known)| {
        known.statements.iter().enumerate().filter_map(move |(nth, statement)| match &statement.kind {
            StatementKind::Assign(place, value) => Some(((block, nth), place, value)),
            _ => None,
        })
    })
}

/// The blocks from which a way leads to a block, over one edge at least.
fn leading_to(body: &Body, to: BlockId) -> BTreeSet<BlockId> {
    let mut before: Vec<Vec<BlockId>> = vec![Vec::new(); body.blocks.len()];
    for (from, block) in (0..).map(BlockId).zip(&body.blocks) {
        block.terminator.successors().for_each(|next| before[next.index()].push(from));
    }
    let mut leading = BTreeSet::new();
    let mut pending = before[to.index()].clone();
    while let Some(block) = pending.pop() {
        if leading.insert(block) {
            pending.extend(&before[block.index()]);
        }
    }
    leading
}

/// Where a body, and those inside of it, call something.
fn all_calls(body: &Body) -> Vec<sessionlint_diagnostics::Span> {
    let here = statements(body).filter_map(|(_, _, value)| match value {
        Rvalue::Call(call) => Some(call.name_span),
        _ => None,
    });
    here.chain(body.children.iter().flat_map(all_calls)).collect()
}
