//! What does it mean that a value is dropped, or that a body is left?

use crate::events::{Cause, CauseKind, Event, EventKind, ExitOrder};
use crate::index::Ty;
use crate::solver::Solver;
use crate::value::{Anchor, ObligationId, Value};
use crate::world::{Phase, State, World};
use sessionlint_diagnostics::Span;
use sessionlint_ir::{Body, Callee, ExitKind, LocalId, Operand, Place, Rvalue, Statement, StatementKind, TypeRef};
use sessionlint_protocols::{EndKind, ProtocolKind};

/// How a session is called that nothing drops any more.
pub(crate) const MANUALLY_DROP: &str = "ManuallyDrop";

impl Solver<'_> {
    /// A value's life ends.
    pub(crate) fn drop_value(&mut self, world: &mut World, value: &Value, kind: CauseKind, span: Span) {
        match value {
            Value::Session(id) => self.drop_session(world, *id, kind, span),
            Value::Pending(site, None) => {
                let statement = matches!(kind, CauseKind::Statement { .. });
                if statement {
                    let id = ObligationId { site: *site, second: false };
                    self.event(world, EventKind::Discarded, id, kind, span, None);
                }
            }
            Value::Release { obligation, .. } => self.forget_release(world, *obligation),
            Value::Future(inner) => match without_limit(inner) {
                Value::Release { obligation, end, eager, .. } => {
                    if !eager && self.is_ending(world, *obligation) {
                        let release = world.trace.released.get(obligation).copied();
                        let call = Some(self.ending_name(*obligation, *end));
                        let event = EventKind::Unawaited { end: *end, call };
                        self.event(world, event, *obligation, kind, span, release);
                    }
                    self.forget_release(world, *obligation);
                }
                Value::Kept { obligation, end, .. } => self.drop_kept(world, *obligation, *end, kind, span),
                // A future that opens a session has opened nothing yet.
                _ => self.forget(world, inner),
            },
            Value::Fallible(inner) => match **inner {
                Value::Outcome(id, end) => self.drop_outcome(world, id, end, kind, span),
                // Whoever does not ask whether it was written need not wait for an error that comes late.
                Value::Wrote(id) => {
                    if self.index.model.protocol(self.protocol_of(id)).errors_late {
                        world.set_phase(id, Phase::Gone);
                    }
                }
                _ => self.drop_value(world, inner, kind, span),
            },
            Value::Verdict { obligation, end, .. } => self.drop_outcome(world, *obligation, *end, kind, span),
            Value::Success(inner) | Value::Exit(_, _, inner) | Value::Wrapper(_, _, inner) => {
                self.drop_value(world, inner, kind, span);
            }
            Value::Tuple(parts) => {
                for part in parts {
                    self.drop_value(world, part, kind.clone(), span);
                }
            }
            _ => {}
        }
    }

    /// Both halves of a connection are kept in one variable and dropped together: nobody waits for the one that does the work.
    pub(super) fn drop_halves(&mut self, world: &mut World, value: &Value) {
        let Value::Tuple(parts) = value else { return };
        for part in parts {
            if let Value::Session(id) = part
                && self.index.model.protocol(self.protocol_of(*id)).kind == ProtocolKind::Task
            {
                world.set_phase(*id, Phase::Gone);
            }
        }
    }

    /// A future that owns a session, or closes one, is dropped before anybody polls it.
    fn drop_kept(&mut self, world: &mut World, id: ObligationId, end: EndKind, kind: CauseKind, span: Span) {
        if self.is_ending(world, id) {
            let release = world.trace.released.get(&id).copied();
            let call = self.releases.get(&id.site).cloned();
            self.event(world, EventKind::Unawaited { end, call }, id, kind, span, release);
        }
        self.forget_release(world, id);
    }

    /// The future of an end that is raced by reference: nobody can tell how far it came. The half of a connection that does the work
    /// does it whenever it is raced so.
    pub(super) fn polled_in_part(&mut self, world: &mut World, value: &Value) {
        let Value::Ref(place) = value else { return };
        let raced = world.get(self.index, place);
        if let Value::Session(id) = raced
            && self.index.model.protocol(self.protocol_of(id)).kind == ProtocolKind::Task
        {
            world.set_phase(id, Phase::Gone);
        }
        let Value::Future(inner) = raced else { return };
        if let Value::Release { obligation, .. } | Value::Kept { obligation, .. } = without_limit(&inner) {
            self.forget_release(world, *obligation);
            world.set(place, Value::Unknown);
        }
    }

    /// Whether nothing reads a variable.
    pub(super) fn is_unread(&self, local: LocalId) -> bool {
        let mut statements = self.body.statements();
        !self.tests.keys().any(|place| place.local == local)
            && !statements.any(|statement| match &statement.kind {
                StatementKind::Assign(_, value) => {
                    value.operands().into_iter().any(|operand| operand.local() == Some(local))
                }
                StatementKind::Bind { from, .. } => from.local == local,
                _ => false,
            })
    }

    /// What makes a table where there is none, and is not used, was got for that.
    pub(super) fn drop_handle(&mut self, world: &mut World, value: &Value, local: LocalId, span: Span) {
        let mut inner = value;
        while let Value::Success(next) | Value::Fallible(next) = inner {
            inner = next;
        }
        let Value::Handle(id) = inner else { return };
        let known = self.index.model.protocol(self.protocol_of(*id));
        let commits = known.endings.iter().any(|end| end.kind == EndKind::Commit);
        if commits && self.index.model.library(known.library).handles_make && self.is_unread(local) {
            self.write(world, *id, Some(span));
        }
    }

    /// Whether somebody looks at what a variable holds, on this way or another: it is tested, or lent to a function. A loop that does
    /// so may have had no round.
    pub(super) fn is_looked_at(&self, local: LocalId) -> bool {
        let lends = |statement: &Statement| match &statement.kind {
            StatementKind::Assign(_, Rvalue::Call(call)) if !matches!(call.callee, Callee::Macro(_)) => {
                call.args.iter().any(|arg| matches!(arg, Operand::Ref { place, .. } if *place == Place::local(local)))
            }
            _ => false,
        };
        self.body.locals[local.index()].name.is_some()
            && (self.tests.contains_key(&Place::local(local)) || self.body.statements().any(lends))
    }

    /// Nobody looks at whether a session's end worked. Where another error is returned, that is enough.
    pub(super) fn drop_outcome(
        &mut self,
        world: &mut World,
        id: ObligationId,
        end: EndKind,
        kind: CauseKind,
        span: Span,
    ) {
        if self.sites[usize::from(id.site.0)].raw {
            self.commit_fails(world, id, end);
            return;
        }
        if kind.exit_kind() != ExitKind::Error {
            let release = world.trace.released.get(&id).copied();
            let event = EventKind::ResultIgnored { end, logged: false };
            self.event(world, event, id, kind, span, release);
        }
    }

    /// A COMMIT that was run as text fails: with some engines the transaction stays open.
    pub(crate) fn commit_fails(&self, world: &mut World, id: ObligationId, end: EndKind) {
        let site = &self.sites[usize::from(id.site.0)];
        let ended = world.facts.obligations.get(&id).is_some_and(|state| state.phase == Phase::Ended(EndKind::Commit));
        if site.raw && site.keeps_failed_commit && end == EndKind::Commit && ended {
            world.set_phase(id, Phase::CommitFailed);
        }
    }

    fn forget_release(&mut self, world: &mut World, id: ObligationId) {
        if self.is_ending(world, id) {
            world.set_phase(id, Phase::Gone);
        }
    }

    fn is_ending(&self, world: &World, id: ObligationId) -> bool {
        world.facts.obligations.get(&id).is_some_and(|state| state.phase == Phase::Ending)
    }

    fn drop_session(&mut self, world: &mut World, id: ObligationId, kind: CauseKind, span: Span) {
        if self.sites[usize::from(id.site.0)].borrowed {
            return;
        }
        for anchored in world.anchored(&Anchor::Obligation(id)) {
            let left = if world.is_open(anchored) { EventKind::LeftOpen } else { EventKind::CommitFailed };
            self.event(world, left, anchored, kind.clone(), span, None);
            world.set_phase(anchored, Phase::Gone);
        }
        let Some(state) = world.facts.obligations.get(&id).cloned() else { return };
        if state.shared {
            // Told only where this body gives it up itself on another way.
            self.event(world, EventKind::LeftOpen, id, kind, span, None);
            world.set_phase(id, Phase::Gone);
            return;
        }
        if state.phase != Phase::Open {
            return;
        }
        if let Some(how) = self.detached.get(&id.site).cloned() {
            // A connection that is out of its pool is closed when it is dropped.
            let lost = how == ".leak()" && kind != CauseKind::Explicit && kind.exit_kind() != ExitKind::Error;
            if lost || how == MANUALLY_DROP {
                self.event(world, EventKind::Leaked { how }, id, kind, span, None);
            }
            world.set_phase(id, Phase::Gone);
            return;
        }
        let rolls_back = self.index.model.protocol(self.protocol_of(id)).is_transaction();
        self.leave_state(world, id, rolls_back, kind.clone(), span);
        let event = match kind {
            CauseKind::Statement { .. } if !state.touched => EventKind::Discarded,
            CauseKind::Statement { wildcard: false } if self.name_is_kept(id.site, true) => EventKind::NameKept,
            CauseKind::ScopeEnd { .. } | CauseKind::Exit { .. } if self.name_is_kept(id.site, false) => {
                EventKind::NameKept
            }
            _ => EventKind::LeftOpen,
        };
        self.event(world, event, id, kind, span, None);
        world.set_phase(id, Phase::Gone);
    }

    /// Whether the body gives a result, as its declared type says.
    pub(crate) fn gives_result(&self) -> bool {
        let Some(written @ TypeRef::Path { segments, .. }) = &self.body.output else { return false };
        // An alias may stand for it.
        let is_result = |name: &str| name != "Option" && matches!(self.index.ty(&self.scope, written), Ty::Fallible(_));
        segments.last().is_some_and(|name| name.ends_with("Result") || is_result(name))
    }

    /// The body returns.
    pub(crate) fn at_return(&mut self, world: World) {
        let (exit, answer) = self.seen_at_exit(&world, &Place::local(Body::RETURN));
        let end = Span { start: self.body.span.end.saturating_sub(1), ..self.body.span };
        let span = world.trace.exit.unwrap_or(end);
        let how = world.trace.how.clone().unwrap_or(ExitOrder::Tail);
        let kind = CauseKind::Exit { kind: exit, how, answer };
        let fallible = self.gives_result();
        let returned = world.get(self.index, &Place::local(Body::RETURN));
        let given = committed_by(&returned).filter(|id| self.sites[usize::from(id.site.0)].keeps_failed_commit);
        let states: Vec<_> = world.facts.obligations.iter().map(|(id, state)| (*id, state.clone())).collect();
        for (id, state) in states {
            match state.phase {
                Phase::Open if state.anchor.is_some() => {
                    self.event(&world, EventKind::LeftOpen, id, kind.clone(), span, None);
                }
                Phase::CommitFailed => self.event(&world, EventKind::CommitFailed, id, kind.clone(), span, None),
                // What the caller gets is whether it worked.
                Phase::Ended(EndKind::Commit) if given == Some(id) => {
                    let CauseKind::Exit { how, answer, .. } = kind.clone() else { continue };
                    let kind = CauseKind::Exit { kind: ExitKind::Error, how, answer };
                    self.event(&world, EventKind::CommitFailed, id, kind, span, None);
                }
                // Who only logs that it could not be opened does what it is for as well as can be.
                Phase::Failed(end) if exit == ExitKind::Success && fallible && !self.optional.contains(&id.site) => {
                    let release = world.trace.released.get(&id).copied();
                    let event = EventKind::ResultIgnored { end, logged: true };
                    self.event(&world, event, id, kind.clone(), span, release);
                }
                _ => {}
            }
        }
    }

    fn ending_name(&self, id: ObligationId, end: EndKind) -> String {
        // The method that was called, which may be one of a struct that owns the session.
        if let Some(name) = self.releases.get(&id.site) {
            return name.clone();
        }
        let protocol = self.index.model.protocol(self.protocol_of(id));
        protocol.endings.iter().find(|ending| ending.kind == end).map(|ending| ending.call.clone()).unwrap_or_default()
    }

    /// Records a fact; the first world that tells it explains it.
    pub(crate) fn event(
        &mut self,
        world: &World,
        kind: EventKind,
        id: ObligationId,
        cause: CauseKind,
        span: Span,
        release: Option<Span>,
    ) {
        let site = &self.sites[usize::from(id.site.0)];
        let protocol = self.index.model.protocol(site.protocol);
        let unawaited = matches!(kind, EventKind::Unawaited { .. });
        let about_pools =
            matches!(kind, EventKind::MadePerCall { .. } | EventKind::Settings { .. } | EventKind::PoolDropped);
        let polls = self.tells_polls && matches!(kind, EventKind::HeldAcross { .. });
        if (site.borrowed && !polls) || (!protocol.is_session() && !unawaited && !about_pools) {
            return;
        }
        let cause = Cause { kind: cause, span };
        let state = world.facts.obligations.get(&id);
        let is = |fact: fn(&State) -> bool| state.is_some_and(fact);
        let written =
            state.filter(|state| state.written).map(|_| world.trace.written.get(&id).copied().unwrap_or(site.span));
        let mut event = Event {
            kind: kind.clone(),
            site: id.site,
            cause: cause.clone(),
            written,
            written_after: world.trace.written_after.get(&id).copied().unwrap_or_default(),
            set: world.trace.set.get(&id).copied(),
            in_closure: self.nested,
            release,
            inside: Vec::new(),
            dry_run: is(|state| state.dry_run),
            counted: is(|state| state.counted),
            only_read: world.trace.read.contains(&id) && is(|state| !state.written),
            failure_told: world.trace.failure_told,
            fresh: is(|state| state.fresh),
            scratch: is(|state| state.scratch.is_for_nothing()),
            shared: is(|state| state.shared),
            last_turn: false,
            in_turn: false,
            branches: world.trace.branches.clone(),
            at_hand: false,
            held_in: None,
            held: 0,
            end: None,
        };
        if kind == EventKind::LeftOpen {
            self.left_at.entry((id.site, cause.clone())).or_default().insert(self.at);
        }
        let beside = kind.is_beside();
        // A way on which something was written, and not given up on purpose, says more.
        let says = |event: &Event| {
            let (written, fresh) = (event.written.is_some() && !beside, event.fresh && !beside);
            (!event.shared, written, !event.dry_run && !event.scratch, !event.counted, fresh)
        };
        let key = (kind, id.site, cause);
        if self.events.get(&key).is_some_and(|known| says(&event) <= says(known)) {
            return;
        }
        if beside {
            event.held_in = self.holder(world, id);
            self.met_at.insert(key.clone(), self.at);
        }
        self.events.insert(key, event);
    }
}

impl Solver<'_> {
    /// The variable that holds a session, and whether only by reference: what it refers to has no name.
    fn holder(&self, world: &World, id: ObligationId) -> Option<(String, bool)> {
        let name = |local: LocalId| self.body.locals[local.index()].name.clone();
        let mut store = world.facts.store.iter();
        let (place, _) = store.find(|(_, value)| {
            let mut held = Vec::new();
            value.obligations(&mut held);
            held.contains(&id)
        })?;
        if let Some(name) = name(place.local) {
            return Some((name, false));
        }
        let mut store = world.facts.store.iter();
        store.find_map(|(known, value)| match value {
            Value::Ref(target) if target.local == place.local => name(known.local).map(|name| (name, true)),
            _ => None,
        })
    }
}

/// The session that the result of a COMMIT is of, where nobody has looked at that yet.
pub(super) fn committed_by(value: &Value) -> Option<ObligationId> {
    match value {
        Value::Exit(_, _, inner) => committed_by(inner),
        Value::Fallible(inner) => match **inner {
            Value::Outcome(id, EndKind::Commit) => Some(id),
            _ => None,
        },
        _ => None,
    }
}

/// What a future gives, whatever it does when it is polled.
pub(super) fn without_work(value: &Value) -> &Value {
    match value {
        Value::Work(_, inner) => without_work(inner),
        other => other,
    }
}

/// The same, of a future that may be cut off by a time limit.
fn without_limit(value: &Value) -> &Value {
    match value {
        Value::Work(_, inner) | Value::Fallible(inner) => without_limit(inner),
        other => other,
    }
}
