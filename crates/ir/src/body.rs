//! What does a function do, step by step? A control-flow graph with explicit drops and exits.

use crate::control::{Asked, Condition, Flag, Terminator};
use crate::id::{BlockId, LocalId};
use crate::item::{Import, Signature, TypeRef};
use crate::value::{Answer, Place, Rvalue};
use sessionlint_diagnostics::{Gap, Span};
use std::collections::{BTreeMap, BTreeSet};

/// A function: its signature, and its body lowered.
#[derive(Clone, Debug)]
pub struct FunctionItem {
    /// Its name.
    pub name: String,
    /// The signature.
    pub signature: Signature,
    /// The body, unless it is only declared.
    pub body: Option<Body>,
    /// Functions declared inside the body.
    pub nested: Vec<FunctionItem>,
}

/// The body of a function, closure or async block.
#[derive(Clone, Debug)]
pub struct Body {
    /// What it is the body of.
    pub kind: BodyKind,
    /// From brace to brace.
    pub span: Span,
    /// The declared return type; `None` when nothing declares one.
    pub output: Option<TypeRef>,
    /// All locals; local 0 is the value that the body returns.
    pub locals: Vec<Local>,
    /// The parameters, in order.
    pub params: Vec<LocalId>,
    /// Variables of the body around it that it uses.
    pub captures: Vec<Capture>,
    /// The blocks; block 0 is the entry.
    pub blocks: Vec<BasicBlock>,
    /// Closures and async blocks inside.
    pub children: Vec<Body>,
    /// `use` declarations inside the body.
    pub imports: Vec<Import>,
    /// The conditions that are tested more than once.
    pub conditions: Vec<Condition>,
    /// Blocks in a loop that end with a test of a variable from outside of the loop, which nothing changes: the next round finds
    /// what this one found.
    pub repeated: Vec<BlockId>,
    /// Blocks that end with a condition or pattern somebody wrote, and the names in it.
    pub asked: BTreeMap<BlockId, Asked>,
    /// Blocks that end with a test of a result, and do nothing but write a log line where it is an error.
    pub only_logged: BTreeSet<BlockId>,
    /// The success values that leave the body, as far as names tell.
    pub answers: Vec<Answer>,
    /// Blocks that end with a test of whether a variable is set: true, something, more than nothing.
    pub flags: BTreeMap<BlockId, Flag>,
    /// What was not understood.
    pub gaps: Vec<Gap>,
}

impl Body {
    /// The local that holds the returned value.
    pub const RETURN: LocalId = LocalId(0);

    /// Whether control can go from one block to another, over one edge at least.
    pub fn leads_to(&self, from: BlockId, to: BlockId) -> bool {
        let mut seen = vec![false; self.blocks.len()];
        let mut pending = vec![from];
        while let Some(block) = pending.pop() {
            for next in self.blocks[block.index()].terminator.successors() {
                if next == to {
                    return true;
                }
                if !std::mem::replace(&mut seen[next.index()], true) {
                    pending.push(next);
                }
            }
        }
        false
    }
}

/// What a body is the body of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyKind {
    /// A function that runs when it is called.
    Function,
    /// A function whose call makes a future.
    AsyncFunction,
    /// A closure.
    Closure,
    /// A closure whose call makes a future.
    AsyncClosure,
    /// An async block.
    AsyncBlock,
}

/// A variable or temporary.
#[derive(Clone, Debug)]
pub struct Local {
    /// Its name; `None` for temporaries.
    pub name: Option<String>,
    /// Where it is declared.
    pub span: Span,
    /// The type written at its declaration.
    pub ty: Option<TypeRef>,
}

/// A variable of the surrounding body that a closure or async block uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capture {
    /// In the surrounding body.
    pub outer: LocalId,
    /// In the body that captures it.
    pub inner: LocalId,
}

/// Statements that run one after another, and where control goes then.
#[derive(Clone, Debug)]
pub struct BasicBlock {
    /// The statements.
    pub statements: Vec<Statement>,
    /// The end.
    pub terminator: Terminator,
}

/// One step.
#[derive(Clone, Debug)]
pub struct Statement {
    /// What happens.
    pub kind: StatementKind,
    /// Where it is written.
    pub span: Span,
}

/// What a statement does.
#[derive(Clone, Debug)]
pub enum StatementKind {
    /// Evaluates the value and stores it; what the place held before is dropped.
    Assign(Place, Rvalue),
    /// Binds a pattern's variable to a part of the matched place: by value, or, when the place is
    /// behind a reference or `by_ref` is set, by reference.
    Bind {
        /// The variable.
        local: LocalId,
        /// The part it is bound to.
        from: Place,
        /// Whether `ref` is written.
        by_ref: bool,
    },
    /// A variable may be another value from here on, and which one is not followed: it is lent mutably, an operator or a method
    /// that is known to change things is applied to it, a closure that changes it is made.
    Change {
        /// The variable.
        local: LocalId,
        /// Whether there is something of it afterwards, for a number or collection.
        grows: bool,
        /// Whether that is told by the name of a method, which is called next.
        by_name: bool,
    },
    /// Drops what the locals still own, in this order.
    Drop(Vec<LocalId>, DropCause),
}

/// Why locals are dropped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DropCause {
    /// The block that declares them ends; `value` holds what it evaluates to.
    ScopeEnd {
        /// The block's value, when somebody wants it.
        value: Option<Place>,
    },
    /// The statement that made the temporaries ends; `wildcard` when their value was bound to `_`.
    Statement {
        /// Whether it is `let _ = …` or `_ = …`.
        wildcard: bool,
    },
    /// The body is left, and `value` holds what it returns.
    Exit {
        /// The returned value.
        value: Place,
        /// How it is left.
        how: ExitHow,
    },
    /// A loop's body is left by `break` or `continue`.
    Jump {
        /// The keyword.
        keyword: &'static str,
        /// Where the loop begins.
        head: BlockId,
        /// Whether it stands in the arm that deals with an error.
        in_error_arm: bool,
    },
}

/// What leaves a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExitHow {
    /// An error of a call that is handed on at once: `?`, or an exception that nobody catches.
    Propagated,
    /// `return`.
    Return,
    /// The end of the body, with or without a last expression.
    Tail,
    /// A macro that returns: `bail!`, `ensure!`.
    Macro(String),
}
