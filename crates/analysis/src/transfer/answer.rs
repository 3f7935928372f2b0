//! What does the answer of a function tell beside its type: was something written, and which of several things?

use crate::index::Ty;
use crate::solver::Solver;
use crate::value::Value;
use sessionlint_ir::ItemKind;

impl Solver<'_> {
    /// Whether a result says that something was written, and else no more than which struct it is: the variants of an enum say more.
    pub(super) fn is_written_struct(&self, told: &Value, given: &Value) -> bool {
        let is_struct = |item| self.index.item(item).is_some_and(|item| item.kind == ItemKind::Struct);
        match given {
            Value::Future(inner) | Value::Fallible(inner) => self.is_written_struct(told, inner),
            Value::Typed(Ty::Own(item, _), None) => matches!(told, Value::Wrote(_)) && is_struct(*item),
            _ => false,
        }
    }
}

/// Whether a value says which of several things was done.
pub(super) fn is_partial(value: &Value) -> bool {
    matches!(value, Value::Affected { partial: true, .. })
}

/// What is told by an answer, which also is a value that the function gives.
pub(super) fn with_type(told: Value, mut given: Value) -> Value {
    while let Value::Future(inner) | Value::Fallible(inner) = given {
        given = *inner;
    }
    match (told, given) {
        (Value::Affected { obligation, partial, .. }, Value::Typed(ty, _)) => {
            Value::Affected { obligation, partial, of: Some(ty) }
        }
        (Value::Wrote(obligation), Value::Typed(ty, _)) => Value::Affected { obligation, partial: false, of: Some(ty) },
        (told, _) => told,
    }
}

/// Whether a call gives a result, at once or when it is awaited.
pub(super) fn is_fallible(ty: &Ty) -> bool {
    match ty {
        Ty::Future(inner) => is_fallible(inner),
        Ty::Fallible(_) => true,
        _ => false,
    }
}
