//! What does a function of the workspace do to the session or connection that it is lent?

use super::given::Passed;
use super::layers::is_reference;
use crate::index::{ItemRef, Ty};
use crate::question::{Effect, LentAs};
use crate::solver::Solver;
use crate::sql::{SqlControl, SqlEffect};
use crate::value::{Anchor, Layer, ObligationId, Value};
use crate::workload::Workload;
use crate::world::{Phase, World};
use sessionlint_diagnostics::Span;
use sessionlint_ir::{Operand, Projection};
use sessionlint_protocols::{ProtocolId, ProtocolKind};

/// A function, and the position of one of its parameters.
pub(super) struct Lent {
    pub item: ItemRef,
    pub param: usize,
    pub at: Span,
}

impl Solver<'_> {
    /// Does to an argument what the function does to it. Gives what the call tells about it: a first write, or a
    /// transaction that was begun as text. The workload loses what is not done with this very session.
    pub(super) fn lent_argument(
        &mut self,
        world: &mut World,
        lent: &Lent,
        value: &Value,
        passed: &Passed,
        workload: &mut Workload,
    ) -> Value {
        if let Some(id) = self.session_of(world, value) {
            self.touch(world, id);
            self.goes_on(world, id);
            if !is_reference(value) {
                return Value::Unknown;
            }
            // What takes a connection gets nothing of what stands around it. A trait of the project's own gets the whole.
            let layers = match self.index.parameter_ty(lent.item, lent.param) {
                Ty::Known(protocol) if !self.index.is_learned_trait(protocol) => Vec::new(),
                Ty::Fallible(inner) if matches!(inner.peeled(), Ty::Known(_)) => vec![Layer::Some],
                _ => self.layers_of(world, value),
            };
            let behind = self.layers_behind(world, value);
            let protocol = self.protocol_of(id);
            let lent_as = LentAs { param: lent.param, protocol, layers, known: passed.known() };
            let effect = self.analysis.lent_effect(lent.item, &lent_as, &self.asking);
            let Some(effect) = effect else {
                self.forget_state(world, id);
                if self.index.model.protocol(protocol).kind == ProtocolKind::Writer {
                    self.forget_obligation(world, id);
                }
                self.unseen(world, id, &behind);
                return Value::Unknown;
            };
            if effect.unseen {
                self.unseen(world, id, &behind);
            }
            let mut set = Value::Unknown;
            for change in &effect.changes {
                set = self.change_state(world, id, *change, lent.at);
            }
            if !effect.truncated {
                *workload = self.narrowed(std::mem::take(workload), &effect.workload, passed, lent.at);
            }
            for end in &effect.ends {
                self.ended_at(id, lent.at, *end);
                self.end(world, id, *end);
            }
            let begun = self.texts_of(world, value, &effect, lent.at);
            if effect.escapes {
                self.loan.escapes |= self.lent == Some(id);
                self.share(world, id);
            }
            if effect.writes && !effect.rarely {
                let wrote = self.effect_wrote(world, id, &effect);
                self.write(world, id, Some(lent.at));
                self.write_anchored(world, &Anchor::Obligation(id), lent.at);
                return if begun == Value::Unknown { wrote } else { begun };
            }
            return if begun == Value::Unknown { set } else { begun };
        }
        self.lent_connection(world, lent, value, passed)
    }

    /// The same for a connection that this body did not open, or what holds one: what matters is the text that runs on it.
    pub(super) fn lent_connection(&mut self, world: &mut World, lent: &Lent, value: &Value, passed: &Passed) -> Value {
        let whole =
            self.anchor_of(world, value).map(|(protocol, anchor)| (protocol, anchor, Vec::new(), value.clone()));
        let Some((protocol, anchor, layers, target)) = whole.or_else(|| self.connection_inside(world, value)) else {
            return Value::Unknown;
        };
        let known = passed.known();
        let begins = |value: &Value| matches!(value, Value::Text(effect) if effect.control.is_some());
        let is_told = known.iter().any(|(_, value)| begins(value));
        if world.anchored(&anchor).is_empty() && !is_told && !self.index.begins_as_text(lent.item) {
            return Value::Unknown;
        }
        let lent_as = LentAs { param: lent.param, protocol, layers, known };
        let effect = self.analysis.lent_effect(lent.item, &lent_as, &self.asking);
        let unseen = effect.as_ref().is_none_or(|effect| effect.unseen);
        if unseen && !self.few {
            self.give_anchored(world, &anchor);
        }
        let Some(effect) = effect else { return Value::Unknown };
        if effect.writes && !effect.rarely {
            self.write_anchored(world, &anchor, lent.at);
        }
        self.texts_of(world, &target, &effect, lent.at)
    }

    /// A reference to a connection that is copied to pass it on, where a raw transaction is open on that connection.
    pub(super) fn copied_connection(&self, world: &World, arg: &Operand, value: &Value) -> Option<Value> {
        let (Operand::Value(place), Value::Typed(Ty::Ref(_), _)) = (arg, value) else { return None };
        let (_, anchor) = self.anchor_of(world, &Value::Ref(place.clone()))?;
        (!world.anchored(&anchor).is_empty()).then(|| Value::Ref(place.clone()))
    }

    /// The one connection in a field of a struct of the project's own: what it is, where, and what stands around it.
    pub(super) fn connection_inside(
        &self,
        world: &World,
        value: &Value,
    ) -> Option<(ProtocolId, Anchor, Vec<Layer>, Value)> {
        let Value::Ref(place) = value else { return None };
        let Value::Typed(ty, _) = world.get(self.index, place) else { return None };
        let Ty::Own(owner, _) = ty.peeled() else { return None };
        let (field, protocol) = self.index.only_connection(*owner)?;
        let part = world.canonical(place).0.project(Projection::Field(field.clone()));
        Some((protocol, Anchor::Place(part.clone()), vec![Layer::Part(*owner, field)], Value::Ref(part)))
    }

    /// Code that nobody sees was lent a session. Where an end can be reached through what it got, it may have ended it.
    pub(super) fn unseen(&mut self, world: &mut World, id: ObligationId, layers: &[Layer]) {
        // Where few ways are looked at, helpers are not.
        if self.few {
            return;
        }
        self.loan.unseen |= self.lent == Some(id);
        self.give_anchored(world, &Anchor::Obligation(id));
        let reachable =
            self.index.model.protocol(self.protocol_of(id)).ends_by_reference || layers.contains(&Layer::Some);
        if reachable {
            self.loan.escapes |= self.lent == Some(id);
            self.share(world, id);
        }
    }

    /// The text that ends what is a state of a connection may have been run by somebody else.
    pub(super) fn give_anchored(&mut self, world: &mut World, anchor: &Anchor) {
        for anchored in world.anchored(anchor) {
            world.set_phase(anchored, Phase::Gone);
        }
    }

    /// What the result of a function says that writes: nothing was written when it is an error, and which of several things was
    /// done when it is none.
    pub(super) fn effect_wrote(&self, world: &World, id: ObligationId, effect: &Effect) -> Value {
        match self.first_write(world, id) {
            Value::Fallible(_) if effect.partly => {
                Value::Fallible(Box::new(Value::Affected { obligation: id, partial: true, of: None }))
            }
            Value::Fallible(wrote) => match effect.changed {
                Some(any) => Value::Fallible(Box::new(Value::Changed { obligation: id, any })),
                None => Value::Fallible(wrote),
            },
            wrote => wrote,
        }
    }

    /// Runs on a connection what the function runs on it as text.
    pub(super) fn texts_of(&mut self, world: &mut World, value: &Value, effect: &Effect, at: Span) -> Value {
        let mut begun = Value::Unknown;
        for control in &effect.texts {
            let text = SqlEffect { control: Some(*control), holds: effect.holds, ..SqlEffect::default() };
            let value = self.run_text(world, value, text, at);
            // A helper that only commits tells whether that worked.
            let tells = match control {
                SqlControl::Begin | SqlControl::Savepoint => true,
                SqlControl::Commit => !effect.texts.contains(&SqlControl::Rollback),
                _ => false,
            };
            if tells {
                begun = value;
            }
        }
        if effect.holds.is_some() && effect.texts.is_empty() {
            self.run_text(world, value, SqlEffect { holds: effect.holds, ..SqlEffect::default() }, at);
        }
        begun
    }
}
