//! What was found out about places of a body where something is waited for: every way there asks the same.

use rustc_hash::FxHashMap;
use sessionlint_diagnostics::Span;
use sessionlint_ir::{BlockId, LocalId};
use std::cell::RefCell;
use std::collections::BTreeSet;

/// A place of a block, and the variables that are asked about there.
type Turn = (BlockId, Span, BTreeSet<LocalId>);

/// Answers about one body.
#[derive(Default)]
pub(crate) struct Waited {
    turns: RefCell<FxHashMap<Turn, bool>>,
    copies: RefCell<FxHashMap<(LocalId, Span), bool>>,
}

impl Waited {
    /// Whether a place of a block stands in the turns of a worker that owns what some variables hold.
    pub fn turns(&self, block: BlockId, at: Span, holders: &BTreeSet<LocalId>, find: impl FnOnce() -> bool) -> bool {
        let key = (block, at, holders.clone());
        let known = self.turns.borrow().get(&key).copied();
        known.unwrap_or_else(|| {
            let found = find();
            self.turns.borrow_mut().insert(key, found);
            found
        })
    }

    /// Whether what is called at a place is passed what is copied out of the session of a variable.
    pub fn copies(&self, session: LocalId, at: Span, find: impl FnOnce() -> bool) -> bool {
        let known = self.copies.borrow().get(&(session, at)).copied();
        known.unwrap_or_else(|| {
            let found = find();
            self.copies.borrow_mut().insert((session, at), found);
            found
        })
    }
}
