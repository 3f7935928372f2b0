//! Which change of a text would make it right? Said in terms of what happens; how that is written the front end knows.

use sessionlint_diagnostics::{Edit, Span};

/// A change of what happens in a body. A call is told by the place of its name.
#[derive(Clone, Copy, Debug)]
pub enum Change<'c> {
    /// What a call gives is waited for, where it was thrown away.
    Wait {
        /// The call.
        call: Span,
        /// What stands behind it, so that its error leaves the function.
        then: &'c str,
    },
    /// What a call gives is kept in a variable until its block ends, where it was thrown away.
    Keep {
        /// The call.
        call: Span,
        /// The name of the variable, which is new.
        variable: &'c str,
        /// Whether nothing may use what it is called on any more.
        alone: bool,
        /// Whether nothing may be waited for any more.
        at_once: bool,
    },
    /// A call gets a variable where it got something else.
    Pass {
        /// The call.
        call: Span,
        /// The variable.
        variable: &'c str,
        /// How the variable is handed over.
        argument: &'c str,
    },
    /// Something is called before the body is left with a value that is there already.
    Before {
        /// Where it is left.
        exit: Span,
        /// The variable that is used for the last time.
        variable: &'c str,
        /// The call as it is written.
        call: &'c str,
    },
}

/// A variable, as it is declared.
#[derive(Clone, Copy, Debug)]
pub struct Declared<'c> {
    /// Its name.
    pub name: &'c str,
    /// The parameter, or the name of the call whose value it holds.
    pub at: Span,
    /// Whether it is a parameter.
    pub parameter: bool,
    /// Whether it must be one that may change.
    pub mutable: bool,
}

/// How a text is read and changed around a call. What a language does not answer is not known, and so nothing is offered.
pub trait Rewrite {
    /// The edits of the text of a file that change a body so; `None` where the text does not allow it.
    fn edits(&self, _text: &str, _body: Span, _change: Change<'_>) -> Option<Vec<Edit>> {
        None
    }

    /// Whether a variable holds the very value that it is declared with, as far as the text around its declaration tells.
    fn declares(&self, _text: &str, _body: Span, _variable: Declared<'_>) -> bool {
        false
    }

    /// Whether the statement of a call takes the value out of what the call gives, where the name of the call ends at a byte; `None` when it
    /// makes something else of it.
    fn unwraps(&self, _text: &str, _name_end: usize) -> Option<bool> {
        None
    }

    /// Where a call ends whose name ends at a byte: behind its arguments.
    fn end_of_call(&self, _text: &str, _name_end: usize) -> Option<usize> {
        None
    }

    /// What stands behind a call that ends at a byte, up to where its error leaves the body. `adapts` knows of a method whether it only makes
    /// another error of one, with arguments or without.
    fn error_leaves(&self, _text: &str, _call_end: usize, _adapts: &dyn Fn(&str, bool) -> bool) -> Option<String> {
        None
    }
}
