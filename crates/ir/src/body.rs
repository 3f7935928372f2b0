//! What does a function do, step by step? A control-flow graph with explicit drops and exits.

use crate::TypeRef;
use sessionlint_diagnostics::{Gap, Span};
use std::collections::{BTreeMap, BTreeSet};

macro_rules! index {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub u32);
        impl $name {
            /// As an index into the vector it numbers.
            pub fn index(self) -> usize {
                self.0 as usize
            }
        }
    };
}
index!(
    /// A variable or temporary of a [`Body`].
    LocalId
);
index!(
    /// A basic block of a [`Body`].
    BlockId
);
index!(
    /// A condition that a [`Body`] tests more than once and that cannot change in between.
    ConditionId
);

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
    pub imports: Vec<crate::Import>,
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
    /// The `?` operator.
    Question,
    /// `return`.
    Return,
    /// The end of the body, with or without a last expression.
    Tail,
    /// A macro that returns: `bail!`, `ensure!`.
    Macro(String),
}

/// How a body's caller sees the exit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ExitKind {
    /// It worked, as far as can be told.
    #[default]
    Success,
    /// An error value.
    Error,
}

/// A success value that leaves a body, as far as names tell. What it means is for the rules to say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Answer {
    /// The paths of its constructors, variants and functions, the outermost first: `Ok`, `Json`, `Reply::NotFound`. `false` and
    /// `0` stand for themselves. The fields of a struct that are `Some(..)` stand behind it: `Reply`, `Reply::error`.
    pub heads: Vec<Vec<String>>,
    /// Whether it stands inside of a branch, and not at the end of the body.
    pub in_branch: bool,
    /// Whether it stands in the arm that deals with an error.
    pub in_error_arm: bool,
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

/// A variable or a part of one.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// The variable.
    pub local: LocalId,
    /// The way to the part.
    pub projection: Vec<Projection>,
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

/// A condition that only compares variables, fields and literals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// The variables in it: as long as they are not set again, it holds or not.
    pub roots: Vec<LocalId>,
    /// Which value it compares with a literal, by number: of conditions about one value only one holds.
    pub value: Option<u32>,
}

impl Place {
    /// The whole variable.
    pub fn local(local: LocalId) -> Self {
        Self { local, projection: Vec::new() }
    }

    /// A part of this place.
    pub fn project(&self, step: Projection) -> Self {
        let mut projection = self.projection.clone();
        projection.push(step);
        Self { local: self.local, projection }
    }
}

/// One step into a value.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Projection {
    /// A field, by name or position.
    Field(String),
    /// What `Ok` or `Some` carries.
    Success,
    /// What `Err` carries.
    Failure,
    /// What another variant carries.
    Variant(String),
    /// What a reference or smart pointer refers to.
    Deref,
    /// A part of a tuple, counted from its end: 1 is the last.
    FromEnd(usize),
    /// An element.
    Index,
}

/// A value that is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operand {
    /// The place's value: moved out, or copied where the type allows.
    Value(Place),
    /// A reference to the place.
    Ref {
        /// The place.
        place: Place,
        /// Whether it may be written through.
        mutable: bool,
    },
    /// A literal.
    Literal(Literal),
    /// A constant, static or function, by path.
    Item(Vec<String>),
}

/// A literal value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Literal {
    /// Text; pieces that are put in at run time stand as `{}`.
    Text(String),
    /// A truth value.
    Bool(bool),
    /// A whole number.
    Number(u64),
    /// The unit value.
    Unit,
    /// Anything else.
    Other,
}

/// What a statement stores.
#[derive(Clone, Debug)]
pub enum Rvalue {
    /// An operand.
    Use(Operand),
    /// A call.
    Call(Call),
    /// The future's output.
    Await {
        /// The future.
        future: Operand,
        /// What may cancel it before its end.
        race: Race,
    },
    /// A compound value.
    Aggregate(AggregateKind, Vec<(String, Operand)>),
    /// Several futures are waited for at once: the first one that is done is taken.
    Select(Vec<Place>),
    /// A closure or an async block.
    Closure {
        /// Which of the body's children.
        child: usize,
        /// Whether `move` is written.
        by_move: bool,
    },
    /// The value that leaves the body, how the caller sees it, and which of the body's answers it is.
    Exit(ExitKind, Option<u32>, Operand),
    /// A truth value: whether there is any of a number or collection, or a truth value is true; where not `any`, whether there is none.
    Any {
        /// What is asked.
        of: Operand,
        /// Whether it is true when there is any.
        any: bool,
    },
    /// A value nobody can tell, computed from the operands.
    Opaque(Vec<Operand>),
}

/// What may cancel a future that is awaited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Race {
    /// Nothing here.
    None,
    /// The first of several to end cancels the others.
    Select,
    /// The first of several to fail cancels the others.
    TryJoin,
}

/// What a compound value is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AggregateKind {
    /// A tuple.
    Tuple,
    /// An array or `vec![]`.
    Array,
    /// `Ok(x)` or `Some(x)`.
    Success,
    /// `Err(x)` or `None`.
    Failure,
    /// A struct or variant, by path.
    Struct(Vec<String>),
}

/// A call.
#[derive(Clone, Debug)]
pub struct Call {
    /// What is called.
    pub callee: Callee,
    /// The types in angle brackets behind its name.
    pub type_args: Vec<TypeRef>,
    /// The arguments, without the receiver.
    pub args: Vec<Operand>,
    /// The callee's name, for labels.
    pub name_span: Span,
    /// For macros: whether the arguments are only looked at (logging, formatting, assertions).
    pub borrows_only: bool,
}

/// What is called.
#[derive(Clone, Debug)]
pub enum Callee {
    /// A function, by path; `qualifier` is the type of `<T as Trait>::f` and `T::f`.
    Path {
        /// The path.
        segments: Vec<String>,
        /// The type in angle brackets.
        qualifier: Option<TypeRef>,
    },
    /// A method.
    Method {
        /// The receiver as written: a place is not necessarily moved.
        receiver: Operand,
        /// The name.
        name: String,
    },
    /// A macro, by path.
    Macro(Vec<String>),
    /// A value that is callable.
    Value(Operand),
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
    /// The pattern of `let … else`, which matches on the usual way.
    LetElse,
    /// The pattern of an arm, and where the `match` begins, which tells one from the next.
    Arm(u32),
    /// What is raced in an arm of `select!`, and where that begins.
    Race(u32),
    /// A condition or pattern of a loop, and where the loop begins: leaving it is no decision.
    Loop(u32),
    /// The `?` operator, which explains nothing.
    Question,
}

impl TestRole {
    /// Whether it decides between two ways through the text.
    pub fn is_decision(self) -> bool {
        !matches!(self, TestRole::Loop(_) | TestRole::Question)
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
