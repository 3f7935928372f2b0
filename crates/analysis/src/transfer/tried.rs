//! Is a lock held that was only tried for? `pg_try_advisory_lock` and `GET_LOCK` answer whether they got it. Which answer means
//! yes is not read: of the two sides of a condition the one that goes on to unlock has it.

use crate::index::Resolved;
use crate::solver::Solver;
use crate::sql::{SessionState, StateChange};
use crate::world::World;
use sessionlint_ir::{BlockId, Body, Call, Callee, Literal, Operand, Rvalue, StatementKind, Test};
use std::collections::BTreeSet;

impl Solver<'_> {
    /// A condition is passed: of `block`'s successors this is `next`, and the other side is `other`.
    pub(crate) fn tried_here(&self, world: &mut World, test: &Test, next: BlockId, other: BlockId) {
        let is_tried = |change: &StateChange| change.state == SessionState::TriedLock;
        let tried = world.facts.obligations.values().any(|state| state.left.iter().any(is_tried));
        // Whether a statement failed says nothing about what it answered.
        if !tried || matches!(test, Test::Success(_) | Test::Failure(_)) {
            return;
        }
        let (has_it, is_other) = (self.goes_on_to_unlock(next), self.goes_on_to_unlock(other));
        // Who keeps its connection in a struct has it, too.
        let has_it = match (has_it, is_other) {
            (true, true) => return,
            (false, false) => self.goes_on_to_keep(world, next) && !self.goes_on_to_keep(world, other),
            _ => has_it,
        };
        for state in world.facts.obligations.values_mut() {
            let (tried, mut left): (BTreeSet<_>, BTreeSet<_>) = state.left.iter().copied().partition(is_tried);
            if has_it {
                left.extend(tried.into_iter().map(|change| StateChange { state: SessionState::Lock, ..change }));
            }
            state.left = left;
        }
    }

    fn goes_on_to_unlock(&self, block: BlockId) -> bool {
        let names_unlock = |path: &[String]| match self.index.resolve(&self.scope, path) {
            Some(Resolved::Item(item, rest)) if rest.is_empty() => self.index.unlocks(item),
            _ => false,
        };
        let in_text = |text: &str| {
            let change = self.index.text_effect(text).state;
            change.is_some_and(|change| change.state == SessionState::Lock && !change.on)
        };
        let unlocks = self.unlocks.get_or_init(|| unlocking(self.body, &in_text, &names_unlock));
        unlocks.iter().any(|unlock| *unlock == block || self.body.leads_to(block, *unlock))
    }
}

/// The blocks that use a text that unlocks, or call a function with such a text in it.
fn unlocking(
    body: &Body,
    unlocks: &dyn Fn(&str) -> bool,
    names_unlock: &dyn Fn(&[String]) -> bool,
) -> BTreeSet<BlockId> {
    let mut texts = BTreeSet::new();
    let mut found = BTreeSet::new();
    let blocks = || (0..).map(BlockId).zip(&body.blocks);
    loop {
        let before = texts.len();
        for (number, block) in blocks() {
            for statement in &block.statements {
                let StatementKind::Assign(target, value) = &statement.kind else { continue };
                let speaks = value.operands().into_iter().any(|operand| match operand {
                    Operand::Literal(Literal::Text(text)) => unlocks(text),
                    Operand::Value(place) | Operand::Ref { place, .. } => texts.contains(&place.local),
                    _ => false,
                });
                if matches!(value, Rvalue::Call(Call { callee: Callee::Path { segments, .. }, .. }) if names_unlock(segments))
                {
                    found.insert(number);
                }
                if speaks {
                    texts.insert(target.local);
                    // A macro like `format!` makes a text, and runs nothing.
                    if matches!(value, Rvalue::Call(call) if !matches!(call.callee, Callee::Macro(_))) {
                        found.insert(number);
                    }
                }
            }
        }
        if texts.len() == before {
            return found;
        }
    }
}
