//! What is one future of several, which a function makes of them?

use crate::index::Ty;
use crate::solver::{Solver, typed_at};
use crate::value::Value;
use crate::workload::{Deed, Workload};
use crate::world::World;
use sessionlint_diagnostics::Span;
use sessionlint_ir::Call;
use sessionlint_protocols::Joins;

impl Solver<'_> {
    /// A future, or a stream, of the futures that a function is given, or that are in a list.
    pub(super) fn joined(&mut self, world: &mut World, joins: Joins, call: &Call) -> Value {
        let at = call.name_span;
        let futures: Vec<Value> = match call.args.as_slice() {
            [list] => match self.operand(world, list) {
                Value::Tuple(futures) => futures,
                // All of them are of one kind.
                list => return list,
            },
            several => several
                .iter()
                .map(|arg| {
                    let kept = self.is_named(world, arg);
                    let future = self.future(world, arg);
                    if kept { self.waited_at(future, at) } else { future }
                })
                .collect(),
        };
        match joins {
            Joins::All => self.all_of(world, futures, at),
            Joins::UntilFailure => {
                futures.iter().for_each(|future| self.cancelled(world, future, "`try_join`", 1));
                match self.all_of(world, futures, at) {
                    Value::Future(inner) => Value::Future(Box::new(of_successes(*inner))),
                    other => other,
                }
            }
            Joins::First => {
                futures.iter().for_each(|future| self.cancelled(world, future, "`select`", 0));
                let wait = self.first_of(&futures);
                for future in &futures {
                    self.forget(world, future);
                    self.polled_in_part(world, future);
                }
                let done = wait.map(|wait| Workload::one(Deed::Outside(wait), at));
                self.later(done.unwrap_or_default(), Value::Unknown)
            }
        }
    }

    /// A future of what several futures give, which does what they do.
    fn all_of(&mut self, world: &mut World, futures: Vec<Value>, at: Span) -> Value {
        let mut done = Workload::default();
        let outputs = futures.into_iter().map(|future| self.part(world, future, &mut done, at)).collect();
        self.later(done, Value::Tuple(outputs))
    }

    /// What one of several futures gives; what it does beside that is added to `done`.
    fn part(&mut self, world: &mut World, future: Value, done: &mut Workload, at: Span) -> Value {
        for (deed, way) in self.inside(&future).cloned().unwrap_or_default().0 {
            done.add(deed, way);
        }
        match future {
            Value::Future(inner) => match self.unworked(world, *inner) {
                Value::Release { obligation, end, .. } => {
                    self.ends(obligation, end);
                    self.end(world, obligation, end);
                    Value::Unknown
                }
                output => self.released(world, output),
            },
            Value::Typed(ty, origin) => match ty.peeled() {
                Ty::Future(inner) => typed_at((**inner).clone(), origin),
                Ty::Work(work) if self.index.model.work(*work).awaited => {
                    done.add(Deed::Outside(self.wait_for(*work)), vec![at]);
                    Value::Unknown
                }
                _ => Value::Unknown,
            },
            other => {
                self.forget(world, &other);
                Value::Unknown
            }
        }
    }
}

/// A result of what is inside of several results.
fn of_successes(outputs: Value) -> Value {
    match outputs {
        Value::Work(id, inner) => Value::Work(id, Box::new(of_successes(*inner))),
        Value::Tuple(parts) => {
            let success = |part: Value| match part {
                Value::Fallible(inner) | Value::Success(inner) => *inner,
                Value::Typed(Ty::Fallible(inner), origin) => typed_at(*inner, origin),
                _ => Value::Unknown,
            };
            Value::Fallible(Box::new(Value::Tuple(parts.into_iter().map(success).collect())))
        }
        other => other,
    }
}
