//! What is a session after a call that says what dropping it does?

use crate::solver::Solver;
use crate::value::{ObligationId, Value};
use crate::world::{Phase, World};
use sessionlint_ir::{Call, Operand, Place};

impl Solver<'_> {
    /// `tx.set_drop_behavior(DropBehavior::Ignore)`: the session is one of another protocol from here on. `None` where the data does
    /// not know the argument, or the session belongs to the caller, who will be surprised by what this body sets.
    pub(super) fn drop_is_set(
        &mut self,
        world: &mut World,
        id: ObligationId,
        place: Option<&Place>,
        name: &str,
        call: &Call,
    ) -> Option<Value> {
        let protocol = self.index.model.protocol(self.protocol_of(id));
        let [Operand::Item(argument)] = call.args.as_slice() else { return None };
        let given = argument.last()?;
        let change = protocol.changes.iter().find(|change| change.call == name && change.to == *given)?;
        let Some(becomes) = change.becomes else { return Some(Value::Unknown) };
        let mut site = self.sites[usize::from(id.site.0)].clone();
        if site.borrowed {
            return None;
        }
        let place = place.filter(|place| world.get(self.index, place) == Value::Session(id))?;
        let state = world.facts.obligations.get(&id)?.clone();
        site.protocol = becomes;
        let made = ObligationId { site: self.site(site), second: id.second };
        self.pools.extend(self.pools.get(&id.site).cloned().map(|pool| (made.site, pool)));
        self.carriers.extend(self.carriers.get(&id.site).copied().map(|carrier| (made.site, carrier)));
        world.facts.obligations.insert(made, state);
        let written = world.trace.written.get(&id).copied();
        world.trace.written.extend(written.map(|span| (made, span)));
        let after = world.trace.written_after.get(&id).copied();
        world.trace.written_after.extend(after.map(|taken| (made, taken)));
        world.set_phase(id, Phase::Gone);
        world.set(place, Value::Session(made));
        Some(Value::Unknown)
    }
}
