//! What does a method of a result or an option do?

use crate::events::CauseKind;
use crate::solver::Solver;
use crate::value::{ObligationId, Value};
use crate::world::World;
use sessionlint_ir::{Call, Place};
use sessionlint_protocols::EndKind;

impl Solver<'_> {
    pub(super) fn fallible_method(
        &mut self,
        world: &mut World,
        place: Option<Place>,
        value: Value,
        name: &str,
        call: &Call,
    ) -> Value {
        match name {
            "as_ref" | "as_mut" | "as_deref" | "as_deref_mut" => {
                let Some(place) = place else { return Value::Unknown };
                let inner = Value::Ref(place.project(sessionlint_ir::Projection::Success));
                return match value {
                    Value::Success(_) => Value::Success(Box::new(inner)),
                    Value::Failure => Value::Failure,
                    _ => Value::Fallible(Box::new(inner)),
                };
            }
            "take" => {
                if let Some(place) = place {
                    world.set(&place, Value::Failure);
                }
                return value;
            }
            "insert" | "replace" | "get_or_insert" => {
                self.forget(world, &value);
                self.pass_arguments(world, &call.args, call.name_span);
                if let Some(place) = place {
                    world.set(&place, Value::Unknown);
                }
                return Value::Unknown;
            }
            "is_ok" | "is_err" | "is_some" | "is_none" | "err" | "is_ok_and" | "is_err_and" | "is_some_and"
                if let Some((obligation, end)) = outcome(&value) =>
            {
                self.pass_arguments(world, &call.args, call.name_span);
                self.move_receiver(world, place, value);
                return Value::Verdict {
                    obligation,
                    end,
                    ok: matches!(name, "is_ok" | "is_some" | "is_ok_and" | "is_some_and"),
                };
            }
            "is_ok" | "is_err"
                if let Value::Fallible(inner) = &value
                    && outcome(inner).is_some() =>
            {
                // Whether it was done in time: what is said about the rest is looked at, too.
                self.forget(world, &value);
                self.move_receiver(world, place, value);
                return Value::Unknown;
            }
            "is_ok" | "is_err" | "is_some" | "is_none" => return Value::Unknown,
            // The other one is there for where this holds nothing.
            "or" | "or_else" if matches!(value, Value::Success(_)) => {
                self.pass_arguments(world, &call.args, call.name_span);
                return self.move_receiver(world, place, value);
            }
            "or" if value == Value::Failure
                && let [other] = call.args.as_slice() =>
            {
                return self.operand(world, other);
            }
            _ => {}
        }
        self.pass_arguments(world, &call.args, call.name_span);
        let value = self.move_receiver(world, place, value);
        let standard = self.index.model.standard();
        if standard.opens(name) || (!standard.adapts(name) && self.index.opens_result(self.scope.file, name)) {
            return match value {
                Value::Success(inner) => *inner,
                Value::Fallible(inner) => match *inner {
                    Value::Outcome(id, end) => {
                        let goes_on = standard.opens(name)
                            && name.starts_with("unwrap_or")
                            && call.args.iter().all(|arg| self.only_returns(arg));
                        if goes_on {
                            self.drop_outcome(world, id, end, CauseKind::Explicit, call.name_span);
                        }
                        Value::Unknown
                    }
                    inner => self.realise(world, inner),
                },
                _ => Value::Unknown,
            };
        }
        if standard.adapts(name) {
            return value;
        }
        if name == "map" {
            return self.mapped(world, value, call);
        }
        // The error of an end goes on through what is done after it.
        if matches!(name, "and" | "and_then") && outcome(&value).is_some() {
            return value;
        }
        // A project's own method on results: what is inside goes on as it was.
        let has_closure = call.args.iter().any(|arg| self.closure_of(arg).is_some());
        if !standard.takes(name) && (!has_closure || self.index.is_trait_method(self.scope.file, name)) {
            return value;
        }
        // Closures get what is inside, or the result is looked at.
        self.forget(world, &value);
        Value::Unknown
    }

    /// What a closure or constructor makes of what is inside of a result or option.
    fn mapped(&mut self, world: &mut World, value: Value, call: &Call) -> Value {
        let (Value::Fallible(inner) | Value::Success(inner)) = &value else { return value };
        // Whether it worked is told all the same.
        if matches!(**inner, Value::Outcome(..) | Value::Wrote(_) | Value::Set(..) | Value::Affected { .. }) {
            return value;
        }
        let made = call.args.first().and_then(|arg| self.applied(world, arg, inner, call.name_span));
        match (made, &value) {
            (Some(made), Value::Success(_)) => Value::Success(Box::new(made)),
            (Some(made), _) => Value::Fallible(Box::new(made)),
            (None, _) => {
                self.forget(world, &value);
                Value::Unknown
            }
        }
    }
}

/// The session whose end a result is of, and the end.
fn outcome(value: &Value) -> Option<(ObligationId, EndKind)> {
    match value {
        Value::Fallible(inner) => match **inner {
            Value::Outcome(obligation, end) => Some((obligation, end)),
            _ => None,
        },
        _ => None,
    }
}
