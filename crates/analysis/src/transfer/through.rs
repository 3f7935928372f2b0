//! What comes out of a function that hands on what it is passed, or what a future gives that it is passed? And which calls run a
//! future to its end, as `.await` does?

use super::drops::without_work;
use crate::index::{ItemRef, Resolved, Ty};
use crate::solver::{Solver, run_to_end};
use crate::value::{ObligationId, Value};
use crate::workload::Workload;
use crate::world::World;
use sessionlint_diagnostics::Span;
use sessionlint_ir::{Call, Callee, Operand};
use sessionlint_protocols::ProtocolKind;

impl Solver<'_> {
    /// Whether the function that is called can only write into a writer that it is lent. A stranger knows no more of it than that it
    /// takes bytes: where none of its ends is one that any writer has, it cannot be ended there.
    pub(super) fn is_only_filled(&self, id: ObligationId) -> bool {
        let Some(outside) = self.outside else { return false };
        let known = self.index.model.protocol(self.protocol_of(id));
        let is_stranger = outside.library != Some(known.library) && !known.endings.iter().any(|end| end.is_async);
        known.kind == ProtocolKind::Writer && known.footer && (outside.fills || is_stranger)
    }

    /// What a function of the workspace gives, where its signature says that this can only come out of one of the arguments. That
    /// argument is taken from them.
    pub(super) fn passed_through(
        &mut self,
        world: &mut World,
        item: ItemRef,
        values: &mut [Value],
        receivers: usize,
        workload: &mut Workload,
        at: Span,
    ) -> Option<Value> {
        if !values.iter().any(is_told) {
            return None;
        }
        let through = self.index.through(item)?;
        let value = values.get_mut(through.param.checked_sub(receivers)?).filter(|value| is_told(value))?;
        let wrap = |given: Value| if through.wrapped { Value::Fallible(Box::new(given)) } else { given };
        if !through.awaited {
            return match (&*value, through.opened) {
                (Value::Future(_), _) => None,
                (Value::Fallible(_) | Value::Success(_), true) => match std::mem::take(value) {
                    Value::Fallible(inner) | Value::Success(inner) => Some(wrap(*inner)),
                    _ => None,
                },
                (_, true) => None,
                (_, false) => Some(wrap(std::mem::take(value))),
            };
        }
        let is_async = self.index.signature(item).is_some_and(|signature| signature.is_async);
        if opens(value) {
            for (deed, way) in self.inside(value).map(|inside| inside.0.clone()).unwrap_or_default() {
                workload.add(deed, way);
            }
            let Value::Future(inner) = value else { return None };
            let given = match (without_work(inner).clone(), through.opened) {
                (Value::Fallible(inner), true) => *inner,
                (_, true) => return None,
                (value, false) => value,
            };
            return Some(wrap(given));
        }
        // It may give up, or ask for something else first.
        if through.wrapped || through.opened {
            return None;
        }
        match std::mem::take(value) {
            Value::Future(inner) if is_async => Some(*inner),
            future => Some(self.awaited(world, future, at, false)),
        }
    }

    /// The future that a call of somebody else's function runs to its end.
    pub(crate) fn blocked_on<'c>(&self, world: &World, call: &'c Call) -> Option<&'c Operand> {
        let future = run_to_end(call, self.index.model.standard())?;
        let is_own = match &call.callee {
            Callee::Path { segments, .. } => {
                matches!(self.index.resolve(&self.scope, segments), Some(Resolved::Item(..)))
            }
            Callee::Method { receiver: Operand::Value(place) | Operand::Ref { place, .. }, .. }
                if !call.args.is_empty() =>
            {
                match world.get(self.index, &world.canonical(place).0) {
                    Value::Typed(ty, _) => matches!(ty.peeled(), Ty::Own(..)),
                    Value::Wrapper(..) => true,
                    _ => false,
                }
            }
            _ => false,
        };
        Some(future).filter(|_| !is_own)
    }
}

/// Whether it matters what becomes of an argument.
fn is_told(value: &Value) -> bool {
    match value {
        Value::Future(_) | Value::Session(_) | Value::Pending(..) => true,
        Value::Typed(ty, _) => !ty.is_unknown(),
        Value::Fallible(inner) | Value::Success(inner) => is_told(inner),
        _ => false,
    }
}

/// Whether it is a future that opens a session, and holds none yet.
fn opens(value: &Value) -> bool {
    let (mut sites, mut here) = (Vec::new(), Vec::new());
    value.sites(&mut sites);
    value.obligations(&mut here);
    matches!(value, Value::Future(_)) && !sites.is_empty() && here.is_empty()
}
