//! What is in a future, and what happens when it is awaited?

use crate::index::Ty;
use crate::solver::{Solver, typed_at};
use crate::value::{Value, WorkloadId};
use crate::workload::Workload;
use crate::world::{Phase, World};
use sessionlint_diagnostics::Span;
use sessionlint_ir::Operand;

impl Solver<'_> {
    /// Whether an operand is a variable that somebody wrote.
    pub(super) fn is_named(&self, world: &World, operand: &Operand) -> bool {
        let (Operand::Value(place) | Operand::Ref { place, .. }) = operand else { return false };
        let local = world.canonical(place).0.local;
        self.body.locals[local.index()].name.is_some()
    }

    /// The future that is awaited; behind a reference it is polled where it is.
    pub(super) fn future(&mut self, world: &mut World, operand: &Operand) -> Value {
        let (Operand::Value(place) | Operand::Ref { place, .. }) = operand else {
            return self.operand(world, operand);
        };
        let (target, through_reference) = world.canonical(place);
        let value = world.get(self.index, place);
        if matches!(value, Value::Future(_)) && (through_reference || matches!(operand, Operand::Ref { .. })) {
            world.set(&target, Value::Unknown);
            return value;
        }
        self.operand(world, operand)
    }

    /// The output of a future. What is raced against others may well be cancelled: a sleep, say, is a time limit
    /// for the rest.
    pub(super) fn awaited(&mut self, world: &mut World, future: Value, span: Span, raced: bool) -> Value {
        match future {
            Value::Future(inner) => {
                let given = if raced { self.unworked(world, *inner) } else { self.polled(world, *inner) };
                self.released(world, given)
            }
            Value::Typed(ty, origin) => match ty.peeled() {
                Ty::Future(inner) => typed_at((**inner).clone(), origin),
                Ty::Work(work) if self.index.model.work(*work).awaited && !raced => {
                    let future = self.outside(*work, span);
                    self.awaited(world, future, span, raced)
                }
                _ => Value::Typed(ty, origin),
            },
            Value::Session(id) => {
                // The half of a connection that does the work is done when its future is.
                world.set_phase(id, Phase::Gone);
                Value::Unknown
            }
            other => {
                self.polled_in_part(world, &other);
                other
            }
        }
    }

    /// What comes of a future that is polled to its end, or until its time is over: an end that it asks for happens.
    pub(super) fn released(&mut self, world: &mut World, value: Value) -> Value {
        match value {
            Value::Release { obligation, end, fallible, .. } => {
                self.ends(obligation, end);
                self.end(world, obligation, end);
                if fallible { Value::Fallible(Box::new(Value::Outcome(obligation, end))) } else { Value::Unknown }
            }
            Value::Fallible(inner) => Value::Fallible(Box::new(self.released(world, *inner))),
            other => other,
        }
    }

    /// What a future gives, without what happens when it is polled.
    pub(super) fn unworked(&mut self, world: &mut World, value: Value) -> Value {
        match value {
            Value::Work(_, inner) => self.unworked(world, *inner),
            Value::Fallible(inner) => Value::Fallible(Box::new(self.unworked(world, *inner))),
            Value::Kept { obligation, inner, .. } => {
                self.forget_obligation(world, obligation);
                self.unworked(world, *inner)
            }
            other => other,
        }
    }

    /// A future of work, unless there is none.
    pub(crate) fn later(&mut self, mut workload: Workload, inner: Value) -> Value {
        let inner = match inner {
            Value::Work(id, inner) => {
                for (deed, way) in self.workloads[id.0 as usize].0.clone() {
                    workload.add(deed, way);
                }
                *inner
            }
            inner => inner,
        };
        match self.workload(workload) {
            Some(id) => Value::Future(Box::new(Value::Work(id, Box::new(inner)))),
            None => Value::Future(Box::new(inner)),
        }
    }

    /// The number of a workload; `None` for an empty one.
    pub(crate) fn workload(&mut self, workload: Workload) -> Option<WorkloadId> {
        if workload.is_empty() {
            return None;
        }
        let known = self.workloads.iter().position(|known| *known == workload);
        let index = known.unwrap_or_else(|| {
            self.workloads.push(workload);
            self.workloads.len() - 1
        });
        Some(WorkloadId(index as u32))
    }

    /// A future that was made before: slow work is waited for here. What it does to a pool is put right where it is written.
    pub(crate) fn waited_at(&mut self, future: Value, at: Span) -> Value {
        match future {
            Value::Future(inner) => Value::Future(Box::new(self.waited_at(*inner, at))),
            Value::Fallible(inner) => Value::Fallible(Box::new(self.waited_at(*inner, at))),
            Value::Work(id, inner) => {
                let workload = self.workloads[id.0 as usize].waited_at(at);
                match self.workload(workload) {
                    Some(id) => Value::Work(id, inner),
                    None => *inner,
                }
            }
            other => other,
        }
    }

    /// The output of a future that is polled to its end: the work in it is done.
    pub(crate) fn polled(&mut self, world: &mut World, value: Value) -> Value {
        match value {
            Value::Work(id, inner) => {
                let workload = self.workloads[id.0 as usize].clone();
                self.perform(world, &workload);
                self.polled(world, *inner)
            }
            Value::Fallible(inner) if matches!(*inner, Value::Work(..) | Value::Kept { .. } | Value::Fallible(_)) => {
                Value::Fallible(Box::new(self.polled(world, *inner)))
            }
            Value::Kept { obligation, inner, .. } => {
                self.forget_obligation(world, obligation);
                self.polled(world, *inner)
            }
            other => other,
        }
    }

    /// What a value does when it is polled or called: futures and closures that are handed to somebody.
    pub(crate) fn inside(&self, value: &Value) -> Option<&Workload> {
        match value {
            Value::Future(inner) | Value::Fallible(inner) | Value::Kept { inner, .. } => self.inside(inner),
            Value::Work(id, _) | Value::Callable { work: id, .. } => self.workloads.get(id.0 as usize),
            _ => None,
        }
    }
}
