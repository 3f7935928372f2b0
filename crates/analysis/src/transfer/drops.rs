//! What does it mean that a value is dropped, or that a body is left?

use crate::events::{Cause, CauseKind, Event, EventKind, ExitOrder};
use crate::index::Ty;
use crate::solver::Solver;
use crate::value::{Anchor, ObligationId, Value};
use crate::world::{Phase, World};
use sessionlint_diagnostics::Span;
use sessionlint_ir::{Body, ExitKind, Place, TypeRef};

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
            Value::Future(inner) => match &**inner {
                Value::Release { obligation, end, eager, .. } => {
                    if !eager && self.is_ending(world, *obligation) {
                        let release = world.trace.released.get(obligation).copied();
                        let call = self.ending_name(*obligation, *end);
                        let event = EventKind::Unawaited { end: *end, call };
                        self.event(world, event, *obligation, kind, span, release);
                    }
                    self.forget_release(world, *obligation);
                }
                // A future that opens a session has opened nothing yet.
                _ => self.forget(world, inner),
            },
            Value::Fallible(inner) => match **inner {
                Value::Outcome(id, end) => {
                    let release = world.trace.released.get(&id).copied();
                    let event = EventKind::ResultIgnored { end, logged: false };
                    self.event(world, event, id, kind, span, release);
                }
                _ => self.drop_value(world, inner, kind, span),
            },
            Value::Success(inner) | Value::Exit(_, inner) | Value::Wrapper(_, _, inner) => {
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
            self.event(world, EventKind::LeftOpen, anchored, kind.clone(), span, None);
            world.set_phase(anchored, Phase::Gone);
        }
        let Some(state) = world.facts.obligations.get(&id).cloned() else { return };
        if state.phase != Phase::Open {
            return;
        }
        if let Some(how) = self.detached.get(&id.site).cloned() {
            if kind != CauseKind::Explicit && kind.exit_kind() != ExitKind::Error {
                self.event(world, EventKind::Leaked { how }, id, kind, span, None);
            }
            world.set_phase(id, Phase::Gone);
            return;
        }
        let rolls_back = self.index.model.protocol(self.protocol_of(id)).is_transaction();
        self.leave_state(world, id, rolls_back, kind.clone(), span);
        let discarded = matches!(kind, CauseKind::Statement { .. }) && !state.touched;
        let event = if discarded { EventKind::Discarded } else { EventKind::LeftOpen };
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
        let exit = match world.get(self.index, &Place::local(Body::RETURN)) {
            Value::Exit(_, inner) if *inner == Value::Failure => ExitKind::Error,
            Value::Exit(kind, _) => kind,
            _ => ExitKind::Success,
        };
        let end = Span { start: self.body.span.end.saturating_sub(1), ..self.body.span };
        let span = world.trace.exit.unwrap_or(end);
        let how = world.trace.how.clone().unwrap_or(ExitOrder::Tail);
        let kind = CauseKind::Exit { kind: exit, how };
        let fallible = self.gives_result();
        let states: Vec<_> = world.facts.obligations.iter().map(|(id, state)| (*id, state.clone())).collect();
        for (id, state) in states {
            match state.phase {
                Phase::Open if state.anchor.is_some() => {
                    self.event(&world, EventKind::LeftOpen, id, kind.clone(), span, None);
                }
                Phase::Failed(end) if exit == ExitKind::Success && fallible => {
                    let release = world.trace.released.get(&id).copied();
                    let event = EventKind::ResultIgnored { end, logged: true };
                    self.event(&world, event, id, kind.clone(), span, release);
                }
                _ => {}
            }
        }
    }

    fn ending_name(&self, id: ObligationId, end: sessionlint_protocols::EndKind) -> String {
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
        let about_pools = matches!(kind, EventKind::MadePerCall { .. } | EventKind::Settings { .. });
        if site.borrowed || (!protocol.is_session() && !unawaited && !about_pools) {
            return;
        }
        let cause = Cause { kind: cause, span };
        let written = world
            .facts
            .obligations
            .get(&id)
            .filter(|state| state.written)
            .map(|_| world.trace.written.get(&id).copied().unwrap_or(site.span));
        let event = Event {
            kind: kind.clone(),
            site: id.site,
            cause: cause.clone(),
            written,
            set: world.trace.set.get(&id).copied(),
            touched: world.facts.obligations.get(&id).is_some_and(|state| state.touched),
            in_closure: self.nested,
            release,
            inside: Vec::new(),
            deliberate: world.facts.deliberate,
            branches: world.trace.branches.clone(),
            at_hand: false,
        };
        let known = self.events.entry((kind, id.site, cause)).or_insert_with(|| event.clone());
        // A way on which something was written, and not given up on purpose, says more.
        let says_more = (event.written.is_some(), !event.deliberate) > (known.written.is_some(), !known.deliberate);
        if says_more {
            *known = event;
        }
    }
}
