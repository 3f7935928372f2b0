//! What becomes of a session: it is used, written through, ended, or nothing is known of it any more?

use crate::events::CauseKind;
use crate::index::Ty;
use crate::solver::Solver;
use crate::value::{Anchor, ObligationId, Value};
use crate::workload::Deed;
use crate::world::{Phase, World};
use sessionlint_diagnostics::Span;
use sessionlint_protocols::{EndKind, ProtocolId};

/// So many references may lead to a session, one behind the other.
pub(super) const MAX_REFERENCES: u32 = 16;

impl Solver<'_> {
    /// Somebody else has what is inside now: it answers for it.
    pub(crate) fn forget(&mut self, world: &mut World, value: &Value) {
        self.pool_escapes(value);
        let mut found = Vec::new();
        value.obligations(&mut found);
        for id in found {
            self.loan.escapes |= self.lent == Some(id) && world.is_open(id);
            self.forget_obligation(world, id);
        }
    }

    /// Nothing is known of a session any more.
    pub(crate) fn forget_obligation(&mut self, world: &mut World, id: ObligationId) {
        for anchored in world.anchored(&Anchor::Obligation(id)) {
            world.set_phase(anchored, Phase::Gone);
        }
        self.given_away.entry(id.site).or_default().insert(self.at);
        let open =
            world.facts.obligations.get(&id).is_some_and(|state| matches!(state.phase, Phase::Open | Phase::Ending));
        if open && !self.sites[usize::from(id.site.0)].borrowed {
            world.set_phase(id, Phase::Gone);
        }
    }

    /// Whoever gets a struct with several transactions, by whatever way, may end them: that is not looked into.
    pub(super) fn forget_several(&mut self, world: &mut World, value: &Value) {
        let held = match value {
            Value::Ref(place) => world.get(self.index, place),
            value => value.clone(),
        };
        if held.holds_several() {
            self.forget(world, &held);
        }
    }

    /// Callers are told that something is committed or closed here.
    pub(super) fn ends(&mut self, id: ObligationId, end: EndKind) {
        if self.collects
            && end != EndKind::Rollback
            && let Some(span) = self.sites[usize::from(id.site.0)].ended.first().map(|(span, _)| *span)
        {
            self.done.add(Deed::Ends(self.protocol_of(id), end), vec![span]);
        }
    }

    /// A session's end happens.
    pub(crate) fn end(&mut self, world: &mut World, id: ObligationId, end: EndKind) {
        if end == EndKind::Commit {
            self.goes_on(world, id);
        }
        if end == EndKind::Rollback && world.facts.obligations.get(&id).is_some_and(|state| state.shared) {
            self.gives_up_shared.insert(id.site);
        }
        world.set_phase(id, Phase::Ended(end));
        if end != EndKind::Close {
            let span = world.trace.released.get(&id).copied();
            let cause = CauseKind::Meanwhile;
            self.leave_state(world, id, end == EndKind::Rollback, cause, span.unwrap_or(self.body.span));
        }
        let Some(state) = world.facts.obligations.get(&id).cloned() else { return };
        if let (EndKind::Commit, true, Some(parent)) = (end, state.written, state.parent) {
            let span = world.trace.written.get(&id).copied();
            self.write(world, parent, span);
        }
    }

    /// Something is written through a session.
    pub(crate) fn write(&mut self, world: &mut World, id: ObligationId, span: Option<Span>) {
        self.goes_on(world, id);
        if let Some(state) = world.facts.obligations.get_mut(&id) {
            state.written = true;
            state.fresh = true;
            state.touched = true;
            state.scratch.wrote();
            self.written.insert(id.site);
            if self.lent == Some(id) {
                self.loan.written_at.insert(self.at);
            }
            if let Some(span) = span.filter(|_| !world.trace.written.contains_key(&id)) {
                let taken = world.trace.taken;
                world.trace.written.insert(id, span);
                world.trace.written_after.insert(id, taken);
            }
        }
    }

    pub(crate) fn touch(&mut self, world: &mut World, id: ObligationId) {
        if world.facts.obligations.get(&id).is_some_and(|state| !state.touched)
            && let Some(state) = world.facts.obligations.get_mut(&id)
        {
            state.touched = true;
            self.sites[usize::from(id.site.0)].used = true;
        }
    }

    /// The session that a value is, or refers to.
    pub(crate) fn session_of(&self, world: &World, value: &Value) -> Option<ObligationId> {
        self.session_behind(world, value, MAX_REFERENCES)
    }

    /// The same behind so many references: what is built anew around itself refers to itself.
    fn session_behind(&self, world: &World, value: &Value, references: u32) -> Option<ObligationId> {
        match value {
            Value::Session(id) | Value::Handle(id) => Some(*id),
            Value::Ref(place) if references > 0 => match world.get(self.index, place) {
                Value::Ref(_) => None,
                inner => self.session_behind(world, &inner, references - 1),
            },
            Value::Success(inner) | Value::Wrapper(_, _, inner) => self.session_behind(world, inner, references),
            _ => None,
        }
    }

    pub(crate) fn protocol_of(&self, id: ObligationId) -> ProtocolId {
        self.sites[usize::from(id.site.0)].protocol
    }

    /// The connection type and identity of a value, for sessions that are a state of it.
    pub(crate) fn anchor_of(&self, world: &World, value: &Value) -> Option<(ProtocolId, Anchor)> {
        if let Some(id) = self.session_of(world, value) {
            return Some((self.protocol_of(id), Anchor::Obligation(id)));
        }
        match value {
            Value::Ref(place) => match world.get(self.index, place) {
                Value::Typed(ty, _) => match ty.peeled() {
                    Ty::Known(protocol) if !self.lends(&ty) => {
                        Some((*protocol, Anchor::Place(world.canonical(place).0)))
                    }
                    // A guard of the project's own around one.
                    Ty::Own(owner, _) => {
                        let protocol = self.index.guarded_connection(*owner)?;
                        Some((protocol, Anchor::Place(world.canonical(place).0)))
                    }
                    _ => None,
                },
                _ => None,
            },
            _ => None,
        }
    }
}
