//! What explains the facts of a way: the branches that it took, where something was written, by what it leaves?

use crate::events::{Branch, ExitOrder};
use crate::value::ObligationId;
use crate::world::{Phase, World};
use sessionlint_diagnostics::Span;
use sessionlint_ir::TestRole;
use std::collections::{BTreeMap, BTreeSet};

/// How many branches are remembered.
const MAX_BRANCHES: usize = 6;

/// What explains the facts, and does not tell one way from another.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trace {
    pub written: BTreeMap<ObligationId, Span>,
    /// Where something is written beside it, through which calls, and the value of `taken` there.
    pub bypassed: BTreeMap<ObligationId, (Span, Vec<Span>, u32)>,
    pub set: BTreeMap<ObligationId, Span>,
    pub released: BTreeMap<ObligationId, Span>,
    pub branches: Vec<Branch>,
    /// How many branches were taken, the forgotten ones too.
    pub taken: u32,
    /// The value of `taken` at the first write.
    pub written_after: BTreeMap<ObligationId, u32>,
    /// The sessions that a text was run on which is known to write nothing.
    pub read: BTreeSet<ObligationId>,
    /// Whether an error value was handed to somebody: sent, or passed to a function.
    pub failure_told: bool,
    pub exit: Option<Span>,
    pub how: Option<ExitOrder>,
}

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
