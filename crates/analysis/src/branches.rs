//! Which branches explain where a way stands?

use crate::events::Branch;
use crate::world::{Phase, World};
use sessionlint_diagnostics::Span;
use sessionlint_ir::TestRole;

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
        self.trace.branches.push(Branch { condition, held, role, nth });
    }
}
