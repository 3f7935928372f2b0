//! What is lost when a method that is called like the end of a writer only puts something else in its place?

use crate::events::{CauseKind, EventKind};
use crate::index::{ItemRef, Ty};
use crate::solver::Solver;
use crate::value::Value;
use crate::world::{Phase, World};
use sessionlint_diagnostics::{Evidence, Span};
use sessionlint_ir::{LocalId, Operand, Place, Rvalue, StatementKind};
use sessionlint_protocols::{EndKind, ProtocolId, ProtocolKind};

impl Solver<'_> {
    /// `self.state = State::Closed` in a method `close`, where a writer may be in `self.state`: it is gone, and nobody has finished it.
    /// Told only where the method does nothing else with what it is called on, and no other method of the type finishes it.
    pub(super) fn replaced(&mut self, world: &mut World, target: &Place, old: &Value, new: &Rvalue, span: Span) {
        let Some(method) = self.method.filter(|_| self.reporting && !self.nested && !target.projection.is_empty())
        else {
            return;
        };
        let Some(receiver) = self.body.params.first().copied().filter(|first| *first == target.local) else { return };
        let Value::Typed(ty, _) = old else { return };
        let Some(Ty::Own(owner, _)) = self.scope.self_ty.clone() else { return };
        let Some(protocol) = self.writer_in(ty.peeled()).filter(|_| self.holds_none(world, new)) else { return };
        let ends = |name: &str| {
            let endings = &self.index.model.protocol(protocol).endings;
            endings.iter().any(|end| end.call == name && end.kind != EndKind::Rollback)
        };
        let is_end = self.index.item(method).is_some_and(|item| ends(&item.name));
        if !is_end || self.is_read(receiver) || self.is_finished_by(owner, method, protocol) {
            return;
        }
        let site = self.opening_site(protocol, self.body.locals[receiver.index()].span, Evidence::Inferred, None);
        self.sites[usize::from(site.0)].taken = true;
        self.sites[usize::from(site.0)].parameter = true;
        let Value::Session(id) = self.begin(world, site, None, None) else { return };
        // What was written, other methods have written.
        self.write(world, id, None);
        self.event(world, EventKind::LeftOpen, id, CauseKind::Overwritten, span, None);
        world.set_phase(id, Phase::Gone);
    }

    /// The writer that is lost when it is dropped, in an option or in a variant of an enum.
    fn writer_in(&self, ty: &Ty) -> Option<ProtocolId> {
        let lost = |ty: &Ty| match ty {
            Ty::Known(id) => {
                let protocol = self.index.model.protocol(*id);
                let is_lost = protocol.kind == ProtocolKind::Writer && !protocol.finishes && !protocol.in_place;
                is_lost.then_some(*id)
            }
            _ => None,
        };
        match ty {
            Ty::Fallible(inner) => lost(inner),
            Ty::Own(item, args) => {
                let variants = self.index.variants(*item);
                variants
                    .iter()
                    .find_map(|name| lost(&self.index.field_of(*item, args.as_deref(), &format!("{name}.0"))))
            }
            _ => None,
        }
    }

    /// Whether a value is written as a variant that has nothing in it, or as `None`.
    fn holds_none(&self, world: &World, value: &Rvalue) -> bool {
        match value {
            Rvalue::Use(Operand::Item(_)) => true,
            Rvalue::Use(Operand::Value(place)) => {
                world.get(self.index, place) == Value::Failure
                    || matches!(self.body.value_of(place), Some(Rvalue::Use(Operand::Item(_))))
            }
            Rvalue::Aggregate(_, parts) => parts.is_empty(),
            _ => false,
        }
    }

    /// Whether anything but a test reads a variable or its parts.
    fn is_read(&self, local: LocalId) -> bool {
        let mut captures = self.body.children.iter().flat_map(|child| &child.captures);
        captures.any(|capture| capture.outer == local)
            || self.body.statements().any(|statement| match &statement.kind {
                StatementKind::Assign(_, value) => {
                    value.operands().iter().any(|operand| operand.local() == Some(local))
                }
                StatementKind::Bind { from, .. } => from.local == local,
                StatementKind::Change { .. } | StatementKind::Drop(..) => false,
            })
    }

    /// Whether another method of the type, or its `Drop`, calls something by the name of an end.
    fn is_finished_by(&self, owner: ItemRef, method: ItemRef, protocol: ProtocolId) -> bool {
        let endings = &self.index.model.protocol(protocol).endings;
        let calls_one = |item: ItemRef| endings.iter().any(|end| self.index.has_text(item, &format!(".{}(", end.call)));
        self.index.methods_of(owner).into_iter().any(|(_, item)| item != method && calls_one(item))
    }
}
