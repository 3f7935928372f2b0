//! What becomes of transactions that a function puts into a list of its own?
//!
//! One that is only filled, measured and gone through by reference gives nothing away: what it holds is dropped with it.

use crate::solver::Solver;
use crate::value::Value;
use crate::world::World;
use sessionlint_ir::{Call, Callee, LocalId, Operand, Place, Projection, Rvalue, StatementKind};

impl Solver<'_> {
    /// A transaction goes into such a list; `None` for all other calls. Of several the last one is known.
    pub(super) fn listed(
        &mut self,
        world: &mut World,
        place: Option<&Place>,
        name: &str,
        call: &Call,
    ) -> Option<Value> {
        let ([given], true) = (call.args.as_slice(), self.index.model.standard().appends(name)) else { return None };
        let is_transaction = match self.read_value(world, given) {
            Value::Session(id) => self.index.model.protocol(self.protocol_of(id)).is_transaction(),
            _ => false,
        };
        let list = place.filter(|place| is_transaction && place.projection.is_empty())?;
        if !self.is_own_list(world, list.local) {
            return None;
        }
        let item = list.project(Projection::Index);
        let before = world.get_canonical(self.index, &item);
        self.forget(world, &before);
        let value = self.operand(world, given);
        if value.owns() {
            world.set(&item, value);
        }
        Some(Value::Unknown)
    }

    /// What such a list holds when it is dropped.
    pub(super) fn last_in_list(&self, world: &World, list: LocalId) -> Option<Value> {
        let item = Place::local(list).project(Projection::Index);
        world.facts.store.get(&item).filter(|value| value.owns()).cloned()
    }

    /// Whether a variable is a list that is made here, and never leaves.
    fn is_own_list(&self, world: &World, list: LocalId) -> bool {
        let whole = Place::local(list);
        let is_it = |operand: &Operand| operand.local() == Some(list);
        let mut made = self.body.assignments().filter(|(to, _)| to.local == list);
        let is_made = made.next().is_some_and(|(to, value)| *to == whole && self.amount(world, value) == Some(false));
        let is_captured = self.body.children.iter().any(|child| child.captures.iter().any(|one| one.outer == list));
        let stays = self.body.assignments().all(|(to, value)| match value {
            Rvalue::Call(call) => match &call.callee {
                Callee::Method { receiver, name } if is_it(receiver) => {
                    let standard = self.index.model.standard();
                    (standard.appends(name) || standard.measures(name)) && !call.args.iter().any(is_it)
                }
                _ => !call.operands().any(is_it),
            },
            Rvalue::Use(Operand::Ref { place, .. }) if *place == whole => self.is_gone_through(to),
            value => !value.operands().into_iter().any(is_it),
        });
        let is_bound = self.body.statements().any(|statement| match &statement.kind {
            StatementKind::Bind { from, .. } => from.local == list,
            _ => false,
        });
        is_made && made.next().is_none() && !is_captured && stays && !is_bound
    }

    /// Whether a reference without a name is the head of a loop, and nothing else.
    fn is_gone_through(&self, head: &Place) -> bool {
        let reads = |operand: &Operand| operand.local() == Some(head.local);
        self.body.locals[head.local.index()].name.is_none()
            && !self.body.assignments().any(|(_, value)| value.operands().into_iter().any(reads))
    }
}
