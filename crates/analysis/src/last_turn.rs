//! Which exits does arithmetic about the turns of a loop decide? A loop that commits and is left by `break` where two values are
//! compared commits in its last turn, as far as anybody can tell: the ways that never do are not claimed.

use crate::solver::Solver;
use crate::value::SiteId;
use sessionlint_ir::{BlockId, DropCause, StatementKind, Terminator, TestRole};
use std::collections::BTreeSet;

impl Solver<'_> {
    /// The blocks that lie behind such a comparison, in the turn or where the loop has come to its end.
    pub(crate) fn behind_last_turn(&self, site: SiteId) -> BTreeSet<BlockId> {
        let body = self.body;
        let blocks = || (0..).map(BlockId).zip(&body.blocks);
        let ends: Vec<BlockId> = [&self.commits, &self.given_away]
            .into_iter()
            .filter_map(|ends| ends.get(&site))
            .flatten()
            .copied()
            .collect();
        let mut behind = BTreeSet::new();
        if ends.is_empty() {
            return behind;
        }
        let breaks = blocks().flat_map(|(at, block)| {
            block.statements.iter().filter_map(move |statement| match &statement.kind {
                StatementKind::Drop(_, DropCause::Jump { keyword: "break", head, .. }) => Some((at, *head)),
                _ => None,
            })
        });
        for (left, head) in breaks {
            let ended = ends
                .iter()
                .any(|commit| body.leads_to(head, *commit) && (*commit == left || body.leads_to(*commit, left)));
            if !ended {
                continue;
            }
            let inside = |at: BlockId| body.leads_to(head, at) && body.leads_to(at, head);
            let comparisons: Vec<BlockId> = body
                .asked
                .iter()
                .filter(|(at, asked)| asked.names.len() > 1 && inside(**at))
                .map(|(at, _)| *at)
                .collect();
            if comparisons.is_empty() {
                continue;
            }
            // The turn goes on behind the comparison, and the loop ends when there is nothing left to go through.
            let is_end = |at: &BlockId| {
                matches!(body.blocks[at.index()].terminator, Terminator::Test { role: TestRole::Loop(_), .. })
                    && (*at == head || inside(*at))
            };
            let ended = blocks().map(|(at, _)| at).filter(is_end);
            let ended = ended.flat_map(|at| body.blocks[at.index()].terminator.successors());
            let ended: Vec<BlockId> = ended.filter(|next| !inside(*next)).collect();
            self.reach(&comparisons, Some(head), &mut behind);
            self.reach(&ended, None, &mut behind);
            behind.extend(ended);
        }
        behind
    }

    /// The blocks that ways lead to from some blocks, over one edge at least, without going through another.
    fn reach(&self, from: &[BlockId], without: Option<BlockId>, found: &mut BTreeSet<BlockId>) {
        let mut seen = BTreeSet::new();
        let mut pending = from.to_vec();
        while let Some(block) = pending.pop() {
            for next in self.body.blocks[block.index()].terminator.successors() {
                if Some(next) != without && seen.insert(next) {
                    pending.push(next);
                }
            }
        }
        found.extend(seen);
    }
}
