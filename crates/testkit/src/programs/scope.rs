//! What does the compiler know of variables at one place of a made program?

use super::{Flag, Var};

/// Whether a variable can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    /// It holds a session, or what may be none.
    Owned,
    /// It may have been moved.
    Unsure,
    /// It was moved.
    Gone,
}

/// What the compiler knows of variables at one place.
#[derive(Clone, Debug, Default)]
pub(super) struct Scope {
    pub(super) variables: Vec<(Var, Status)>,
    pub(super) flags: Vec<Flag>,
}

/// What stands around a place.
#[derive(Clone, Debug, Default)]
pub(super) struct Inside {
    /// How many loops, and the variables that a move in the next round would find gone: those before this number.
    pub(super) loops: usize,
    pub(super) fixed: usize,
    /// The same of the loop around the innermost one.
    pub(super) fixed_outside: usize,
    /// What the variables are at each `break` out of the innermost loop.
    pub(super) breaks: Vec<Scope>,
    /// In an async block what stands outside is not moved.
    pub(super) borrowed: usize,
    pub(super) depth: usize,
    /// A block that will be left: what it moves is not seen again in the loop.
    pub(super) leaving: bool,
    pub(super) is_async: bool,
}

pub(super) fn set(scope: &mut Scope, variable: Var, status: Status) {
    let found = scope.variables.iter_mut().rev().find(|(other, _)| *other == variable);
    found.expect("the variable is in scope").1 = status;
}

/// Whether the first `count` variables are in one scope what they are in the other.
pub(super) fn unmoved(scope: &Scope, other: &Scope, count: usize) -> bool {
    scope.variables[..count] == other.variables[..count]
}

/// What is known where two ways meet.
pub(super) fn merge(scope: &mut Scope, other: &Scope) {
    for ((_, status), (_, there)) in scope.variables.iter_mut().zip(&other.variables) {
        if *status != *there {
            *status = Status::Unsure;
        }
    }
}
