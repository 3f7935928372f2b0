//! What is written through a client that only queues it: is it still in the queue?

use crate::solver::Solver;
use crate::value::ObligationId;
use crate::world::World;
use sessionlint_ir::{Callee, Operand};

impl Solver<'_> {
    /// Whether something is awaited that is more than putting something into a queue.
    pub(super) fn lets_others_run(&self, future: &Operand) -> bool {
        if !self.sites.iter().any(|site| self.index.model.protocol(site.protocol).queues) {
            return false;
        }
        let Operand::Value(place) = future else { return true };
        let call = self.body.call_of(place);
        let Some(Callee::Method { name, .. }) = call.map(|call| &call.callee) else { return true };
        let model = self.index.model;
        let queues = |name: &String| {
            model.protocols().any(|(_, known)| known.queues && model.library(known.library).writes.contains(name))
        };
        !queues(name)
    }

    /// The tasks behind clients that queue had time to write.
    pub(super) fn queues_are_written(&self, world: &mut World) {
        let queues = |id: &&ObligationId| self.index.model.protocol(self.protocol_of(**id)).queues;
        let written: Vec<ObligationId> = world.facts.obligations.keys().filter(queues).copied().collect();
        for id in written {
            if let Some(state) = world.facts.obligations.get_mut(&id) {
                state.written = false;
                world.trace.written.remove(&id);
            }
        }
    }
}
