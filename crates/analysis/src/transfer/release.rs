//! What does a call do that ends a session, or takes it out of everything that would?

use crate::events::{CauseKind, EventKind};
use crate::solver::Solver;
use crate::value::{Anchor, ObligationId, Value};
use crate::workload::Deed;
use crate::world::{Phase, World};
use sessionlint_diagnostics::Evidence;
use sessionlint_ir::{Call, Place};
use sessionlint_protocols::{Ending, ProtocolId, ProtocolKind};

impl Solver<'_> {
    /// A method that ends a session.
    pub(super) fn release(
        &mut self,
        world: &mut World,
        id: ObligationId,
        place: Option<Place>,
        ending: &Ending,
        call: &Call,
    ) -> Value {
        self.pass_arguments(world, &call.args, call.name_span);
        self.ended_at(id, call.name_span, ending.kind);
        world.trace.released.insert(id, call.name_span);
        for anchored in world.anchored(&Anchor::Obligation(id)) {
            world.set_phase(anchored, Phase::Gone);
        }
        let borrowed = self.sites[usize::from(id.site.0)].borrowed;
        if let Some(place) = place.filter(|_| !borrowed) {
            // Taken by value, or by reference and over: either way nothing is left to drop.
            world.set(&place, Value::Unknown);
        }
        let release =
            Value::Release { obligation: id, end: ending.kind, fallible: ending.fallible, eager: ending.eager };
        if ending.is_async {
            if world.is_open(id) {
                world.set_phase(id, Phase::Ending);
            }
            return Value::Future(Box::new(release));
        }
        self.end(world, id, ending.kind);
        if ending.fallible { Value::Fallible(Box::new(Value::Outcome(id, ending.kind))) } else { Value::Unknown }
    }

    /// `.leak()`, `.detach()`: what comes out is a connection that no pool looks after.
    pub(super) fn leaking_method(
        &mut self,
        world: &mut World,
        id: ObligationId,
        place: Option<Place>,
        name: &str,
        call: &Call,
    ) -> Value {
        self.pass_arguments(world, &call.args, call.name_span);
        // The mistake is only one when the value that comes out is dropped without anybody having closed
        // or taken it, so the session lives on under a name that says how it got out.
        if let Some(place) = place {
            world.set(&place, Value::Unknown);
        }
        let value = if name == "leak" && !self.gives_connection(id) {
            self.event(
                world,
                EventKind::Leaked { how: format!(".{name}()") },
                id,
                CauseKind::Explicit,
                call.name_span,
                None,
            );
            Value::Unknown
        } else {
            let site = self.opening_site(self.protocol_of(id), call.name_span, Evidence::Traced, None);
            self.detached.insert(site, format!(".{name}()"));
            Value::Pending(site, None)
        };
        self.forget_obligation(world, id);
        value
    }

    /// Whether taking it out of its pool leaves a connection in hand.
    pub(super) fn gives_connection(&self, id: ObligationId) -> bool {
        self.index.model.protocol(self.protocol_of(id)).kind == ProtocolKind::Connection
    }

    /// The end of something that this body has not opened: a pool, or a session in a field. Only whether its
    /// future is awaited is looked at.
    pub(super) fn borrowed_release(
        &mut self,
        world: &mut World,
        protocol: ProtocolId,
        target: &Value,
        ending: &Ending,
        call: &Call,
    ) -> Value {
        if ending.is_async && self.collects {
            self.done.add(Deed::Ends(protocol, ending.kind), vec![call.name_span]);
        }
        if !ending.is_async || ending.eager {
            return Value::Unknown;
        }
        let site = self.opening_site(protocol, call.name_span, Evidence::Typed, None);
        if let Value::Ref(place) = target {
            self.sites[usize::from(site.0)].name = self.body.locals[place.local.index()].name.clone();
        }
        let Value::Session(obligation) = self.begin(world, site, None, None) else { return Value::Unknown };
        world.set_phase(obligation, Phase::Ending);
        world.trace.released.insert(obligation, call.name_span);
        let release = Value::Release { obligation, end: ending.kind, fallible: false, eager: false };
        Value::Future(Box::new(release))
    }
}
