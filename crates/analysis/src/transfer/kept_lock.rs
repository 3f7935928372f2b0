//! Does a connection leave with a lock of the session, in a struct that does not give the lock back? Dropping that gives the connection back
//! to its pool, and the lock stays with it.

use crate::events::{CauseKind, EventKind};
use crate::index::ItemRef;
use crate::solver::Solver;
use crate::sql::SessionState;
use crate::value::{ObligationId, Value};
use crate::world::{Phase, World};
use sessionlint_diagnostics::Span;
use sessionlint_ir::{AggregateKind, BlockId, Rvalue, StatementKind};

impl Solver<'_> {
    /// What is returned is a struct around a connection of a pool that has a lock.
    pub(super) fn lock_leaves(&mut self, world: &World, value: &Value, span: Span) {
        let Some((item, id)) = guard_in(value) else { return };
        let is_lock = |state: SessionState| state == SessionState::Lock;
        let locked = world
            .facts
            .obligations
            .get(&id)
            .is_some_and(|state| state.phase == Phase::Open && state.left.iter().any(|left| is_lock(left.state)));
        let known = self.index.model.protocol(self.protocol_of(id));
        let site = &self.sites[usize::from(id.site.0)];
        // What is taken out of its pool for good is closed when it is dropped.
        let is_detached = self.detached.contains_key(&id.site);
        let goes_back =
            known.keeps_begin && !is_detached && self.is_pooled(site) && !self.index.package_of(self.scope.file).resets;
        let Some(guard) = self.index.item(item).map(|item| item.name.clone()).filter(|_| locked && goes_back) else {
            return;
        };
        // Somebody of the package unlocks, and may do so through the struct.
        if self.index.package_unlocks(self.scope.file) || self.index.package_unlocks(item.file) {
            return;
        }
        self.event(world, EventKind::LockKept { guard }, id, CauseKind::Meanwhile, span, None);
    }

    /// Whether a block, or one that it leads to, puts a connection with a lock that was only tried for into a struct.
    pub(super) fn goes_on_to_keep(&self, world: &World, block: BlockId) -> bool {
        let tried = world
            .facts
            .obligations
            .iter()
            .filter(|(_, state)| state.left.iter().any(|change| change.state == SessionState::TriedLock));
        let held: Vec<_> = tried.filter_map(|(id, _)| self.sites[usize::from(id.site.0)].variable).collect();
        (0..).map(BlockId).zip(&self.body.blocks).any(|(number, other)| {
            let keeps = other.statements.iter().any(|statement| match &statement.kind {
                StatementKind::Assign(_, Rvalue::Aggregate(AggregateKind::Struct(_), parts)) => {
                    parts.iter().any(|(_, part)| part.local().is_some_and(|local| held.contains(&local)))
                }
                _ => false,
            });
            keeps && (number == block || self.body.leads_to(block, number))
        })
    }
}

/// The struct around a session in what a body gives.
fn guard_in(value: &Value) -> Option<(ItemRef, ObligationId)> {
    match value {
        Value::Exit(_, _, inner) | Value::Fallible(inner) | Value::Success(inner) => guard_in(inner),
        Value::Wrapper(item, field, inner) if !field.starts_with("::") => match **inner {
            Value::Session(id) => Some((*item, id)),
            _ => None,
        },
        _ => None,
    }
}
