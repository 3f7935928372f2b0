//! Is what a method begins a savepoint in a transaction that its receiver holds?

use super::own::Receiver;
use crate::index::Ty;
use crate::solver::Solver;
use crate::value::Value;
use crate::world::World;
use sessionlint_protocols::ProtocolId;

impl Solver<'_> {
    /// What a method of the project's own begins on what holds a transaction that somebody else has is a savepoint in that.
    pub(super) fn begun_inside(&mut self, world: &World, receiver: &Receiver, value: &Value) {
        let Receiver::Of { value: Some(on), .. } = receiver else { return };
        let Some(Ty::Own(owner, _)) = self.known_or_own(world, on).map(|ty| ty.peeled().clone()) else { return };
        let is_transaction = |protocol: ProtocolId| self.index.model.protocol(protocol).is_transaction();
        if !self.index.held_inside(owner, 0).is_some_and(is_transaction) {
            return;
        }
        let mut begun = Vec::new();
        value.sites(&mut begun);
        for site in begun {
            let site = &mut self.sites[usize::from(site.0)];
            site.nested |= self.index.model.protocol(site.protocol).is_transaction();
        }
    }
}
