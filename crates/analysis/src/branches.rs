//! Which branches explain where a way stands? One whose sides come together again with the same facts does not.

use crate::events::Branch;
use crate::solver::Solver;
use crate::trace::Trace;
use crate::world::{Phase, World};
use sessionlint_diagnostics::Span;
use sessionlint_ir::{BlockId, Body, Terminator, TestRole};

/// How many branches are remembered.
const MAX_BRANCHES: usize = 6;

impl World {
    /// Whether an arm is the only one that is left of a `match`, which another arm did not take.
    pub fn is_last_arm(&self, role: TestRole, holds: bool) -> bool {
        let before = self.trace.branches.last();
        holds && matches!(role, TestRole::Arm(_)) && before.is_some_and(|branch| branch.role == role && !branch.held)
    }

    /// A branch is taken; it explains something only while a session is open.
    pub fn branch(&mut self, condition: Span, held: bool, role: TestRole) {
        if self.facts.obligations.values().all(|state| state.phase != Phase::Open) {
            if !self.trace.branches.is_empty() {
                self.trace.branches.clear();
            }
            return;
        }
        if self.trace.branches.len() == MAX_BRANCHES {
            self.trace.branches.remove(0);
        }
        let nth = self.trace.taken;
        self.trace.taken += 1;
        self.trace.branches.push(Branch { condition, held, role, nth, joins: false });
    }
}

impl Solver<'_> {
    /// Two ways come to a block with the same facts: whatever they took since they parted made no difference.
    pub(crate) fn joined_at(&mut self, block: BlockId, one: &Trace, other: &Trace) {
        let Some(parted) = one.branches.iter().find(|branch| taken_alike(branch, other) != Some(true)) else { return };
        if taken_alike(parted, other).is_none() {
            return;
        }
        for branch in one.branches.iter().chain(&other.branches).filter(|branch| branch.nth >= parted.nth) {
            self.joins.entry(branch.condition).or_default().insert(block);
        }
    }

    /// Says of the branches before what happens meanwhile which of them are no conditions.
    pub(crate) fn mark_joins(&mut self) {
        for (key, event) in &mut self.events {
            let Some(at) = self.met_at.get(key) else { continue };
            for branch in &mut event.branches {
                let joins = self.joins.get(&branch.condition);
                branch.joins = joins.is_some_and(|blocks| {
                    blocks.iter().any(|block| block == at || leads_past(self.body, *block, *at, branch.condition))
                });
            }
        }
    }
}

/// Whether another way took the same side of a branch; `None` where it did not come to it.
fn taken_alike(branch: &Branch, other: &Trace) -> Option<bool> {
    let known = other.branches.iter().find(|known| known.nth == branch.nth && known.condition == branch.condition)?;
    Some(known.held == branch.held)
}

/// Whether control can go from one block to another without testing a condition again.
fn leads_past(body: &Body, from: BlockId, to: BlockId, condition: Span) -> bool {
    let tests = |at: BlockId| matches!(&body.blocks[at.index()].terminator, Terminator::Test { span, .. } if *span == condition);
    let (mut seen, mut pending) = (vec![false; body.blocks.len()], vec![from]);
    while let Some(block) = pending.pop() {
        if block == to {
            return true;
        }
        if !tests(block) && !std::mem::replace(&mut seen[block.index()], true) {
            pending.extend(body.blocks[block.index()].terminator.successors());
        }
    }
    false
}
