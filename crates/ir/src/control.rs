//! Where does control go after a block, and what does that depend on?

use crate::id::{BlockId, ConditionId, LocalId};
use crate::value::Place;
use sessionlint_diagnostics::Span;

/// A condition that only compares variables, fields and literals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// The variables in it: as long as they are not set again, it holds or not.
    pub roots: Vec<LocalId>,
    /// Which value it compares with a literal, by number: of conditions about one value only one holds.
    pub value: Option<u32>,
}

/// The names in a condition or pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The last names of its variables, fields, calls and variants.
    pub names: Vec<String>,
    /// Whether the test holds where what is named does not: `a != B`.
    pub negated: bool,
    /// Where its ways come together again.
    pub join: BlockId,
}

/// A test of whether a variable is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flag {
    /// The variable.
    pub local: LocalId,
    /// Whether the test holds when there is any of it; `None` for truth values and options.
    pub any: Option<bool>,
    /// Whether that is so for a count of changed rows only: `n == 1` does not hold for two.
    pub rows_only: bool,
}

/// Where control goes after a block.
#[derive(Clone, Debug)]
pub enum Terminator {
    /// To another block.
    Goto(BlockId),
    /// To one of two blocks.
    Test {
        /// What is looked at.
        test: Test,
        /// When the test holds.
        yes: BlockId,
        /// When it does not.
        no: BlockId,
        /// The condition or pattern.
        span: Span,
        /// What it is in the text.
        role: TestRole,
    },
    /// Out of the body.
    Return,
    /// Nowhere: a panic, or a loop without an end.
    Diverge,
}

/// What a test is in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TestRole {
    /// A condition of an `if`, or behind a pattern.
    Branch,
    /// A pattern of `if let` or `matches!`.
    Pattern,
    /// A pattern that matches on the usual way, and else something is left: `let … else`.
    Unless,
    /// The pattern of an arm, and where the `match` begins, which tells one from the next.
    Arm(u32),
    /// What is raced in an arm of a race of futures, and where that begins.
    Race(u32),
    /// A condition or pattern of a loop, and where the loop begins: leaving it is no decision.
    Loop(u32),
    /// Whether an error is handed on at once, by `?` or as an exception, which explains nothing.
    Propagated,
}

impl TestRole {
    /// Whether it decides between two ways through the text.
    pub fn is_decision(self) -> bool {
        !matches!(self, TestRole::Loop(_) | TestRole::Propagated)
    }
}

impl Terminator {
    /// The blocks that it leads to.
    pub fn successors(&self) -> impl Iterator<Item = BlockId> + use<> {
        let next = match self {
            Terminator::Goto(next) => [Some(*next), None],
            Terminator::Test { yes, no, .. } => [Some(*yes), Some(*no)],
            Terminator::Return | Terminator::Diverge => [None, None],
        };
        next.into_iter().flatten()
    }
}

/// What a branch looks at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Test {
    /// Whether the place is `Ok` or `Some`.
    Success(Place),
    /// Whether the place is `Err` or `None`.
    Failure(Place),
    /// Whether the place is this variant.
    Variant(Place, String),
    /// Whether the place is true.
    Bool(Place),
    /// A condition that is tested again elsewhere; `negated` when this is its opposite.
    Condition {
        /// Its number.
        id: ConditionId,
        /// Whether `yes` is the way when it is false.
        negated: bool,
    },
    /// Anything else.
    Opaque,
}
