//! What is read, called and stored?

use crate::id::LocalId;
use crate::item::TypeRef;

use sessionlint_diagnostics::Span;

/// A variable or a part of one.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// The variable.
    pub local: LocalId,
    /// The way to the part.
    pub projection: Vec<Projection>,
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
    FirstDone,
    /// The first of several to fail cancels the others.
    FirstFailed,
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
    /// The constants and variants that statements of their own pass to a call, in the block that it stands in: `Status::Waiting` of
    /// `status.send(Status::Waiting).await;`.
    pub told: Vec<Vec<String>>,
}
