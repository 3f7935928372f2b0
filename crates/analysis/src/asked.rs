//! Is a truth value whether a result worked? `let sent = answer.is_ok(); .. if sent { .. }` In: a statement and a way. Out: the way
//! on which it worked, and the one on which it did not, so that a later test of either tells of both.

use crate::index::Ty;
use crate::solver::{Solver, typed_at};
use crate::value::Value;
use crate::world::World;
use sessionlint_ir::{Callee, Operand, Place, Rvalue, Statement, StatementKind};

/// A variable that says whether a result or option is there.
pub(crate) struct Question<'s> {
    flag: &'s Place,
    result: &'s Place,
    /// What the flag is for `Ok` and `Some`.
    holds: bool,
}

impl Solver<'_> {
    /// What a statement asks a result, where the answer is tested later.
    pub(crate) fn question<'s>(&self, statement: &'s Statement) -> Option<Question<'s>> {
        let StatementKind::Assign(flag, Rvalue::Call(call)) = &statement.kind else { return None };
        let Callee::Method { receiver: Operand::Value(result), name } = &call.callee else { return None };
        let holds = match name.as_str() {
            "is_ok" | "is_some" => true,
            "is_err" | "is_none" => false,
            _ => return None,
        };
        let is_tested = self.tests.contains_key(flag) && self.body.locals[flag.local.index()].name.is_some();
        (is_tested && !self.few && call.args.is_empty()).then_some(Question { flag, result, holds })
    }

    /// The ways on which a result is a success and a failure, where it may be either while a session is open.
    pub(crate) fn asked(&self, world: World, question: &Question<'_>) -> Vec<World> {
        let (target, _) = world.canonical(question.result);
        let inside = match world.get(self.index, question.result) {
            Value::Unknown => Value::Unknown,
            Value::Typed(ty, origin) => match ty.peeled() {
                Ty::Fallible(inner) => typed_at((**inner).clone(), origin),
                _ => return vec![world],
            },
            _ => return vec![world],
        };
        if world.facts.obligations.keys().all(|id| !world.is_open(*id)) {
            return vec![world];
        }
        let (mut held, mut failed) = (world.clone(), world);
        held.set(&target, Value::Success(Box::new(inside)));
        failed.set(&target, Value::Failure);
        vec![held, failed]
    }

    /// Sets the flag to what is known of the result.
    pub(crate) fn answer(&self, world: &mut World, question: &Question<'_>) {
        if world.get(self.index, question.flag).owns() {
            return;
        }
        match world.get(self.index, question.result) {
            Value::Success(_) => world.set(question.flag, Value::Bool(question.holds)),
            Value::Failure => world.set(question.flag, Value::Bool(!question.holds)),
            _ => {}
        }
    }
}
