//! Which small programs leak, and where? Programs made from a number, whose every way is walked by an interpreter.
//!
//! A program is a file of functions over `sqlx`: it is printed as Rust that compiles, and run on every sequence of decisions
//! (conditions, failures, iterations) to say which opening is left open with something written in it, at which exits.

use std::collections::{BTreeMap, BTreeSet};

mod generate;
mod interpret;
mod print;
mod scope;
mod shrink;
mod style;
mod ways;

pub use generate::generate;
pub use interpret::{Leaks, leaks};
pub use print::{PRELUDE, Printed, prelude, print, print_as};
pub use shrink::shrink;
pub use style::Style;

/// A place of a program that findings speak of: an opening, an exit, the end of a block. Unique in its program.
pub type Mark = u32;

/// A variable that holds a session; unique in its program.
pub type Var = usize;

/// A variable that holds a truth value that the program sets itself.
pub type Flag = usize;

/// A file of functions; the later ones call the earlier ones.
#[derive(Clone, Debug, Default)]
pub struct Program {
    /// The functions.
    pub functions: Vec<Function>,
    /// Variables by number.
    pub variables: Vec<Variable>,
}

/// A variable: what it is called, and how it holds its session.
#[derive(Clone, Debug)]
pub struct Variable {
    /// Its name; several variables may share one.
    pub name: String,
    /// How it holds the session.
    pub kind: Kind,
}

/// How a variable holds its session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `Transaction`
    Plain,
    /// A struct of the program around it, with methods.
    Unit,
    /// `Option<Transaction>`
    Maybe,
    /// `&mut Transaction`, which a caller owns.
    Lent,
}

/// A function. All take the pool and the parameters `a`, `b`, `c` and `k`.
#[derive(Clone, Debug)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// The session that it is handed: by value (`Kind::Plain`) or lent (`Kind::Lent`), and the mark of its declaration.
    pub parameter: Option<(Var, Mark)>,
    /// What it does.
    pub body: Block,
    /// What it answers in the end.
    pub tail: Tail,
}

/// Statements in braces; the mark is the closing one.
#[derive(Clone, Debug, Default)]
pub struct Block {
    /// The statements.
    pub statements: Vec<Statement>,
    /// The place of its end.
    pub end: Mark,
}

/// The last expression of a function.
#[derive(Clone, Debug)]
pub enum Tail {
    /// `Ok(())`
    Good(Mark),
    /// `tx.commit().await`
    Commit(Var, Mark),
    /// There is none: the body never gets there.
    Never,
}

/// A condition. Parameters do not change, so asking one twice gives the same answer.
#[derive(Clone, Debug)]
pub enum Condition {
    /// `a`, `b` or `c`.
    Parameter(usize),
    /// `k == N`
    Number(u8),
    /// A flag of the program.
    Flag(Flag),
    /// A call that nobody knows the answer of.
    Ask,
    /// `!x`
    Not(Box<Condition>),
    /// `x && y`
    And(Box<Condition>, Box<Condition>),
    /// `x || y`
    Or(Box<Condition>, Box<Condition>),
}

/// How a call that may fail is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `call.await?;`
    Question,
    /// `if let Err(error) = call.await { return Err(error); }`
    IfLet,
    /// `match call.await { Ok(_) => {} Err(error) => return Err(error) }`
    Match,
    /// `let result = call.await; result?;`
    Later,
    /// `let future = call; future.await?;`
    Future,
    /// `let _ = call.await;`: a failure goes unnoticed. Not for commits.
    Ignored,
}

/// One statement.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "each variant says what its parts are")]
pub enum Statement {
    /// A new variable with a new session: `let mut tx = pool.begin().await?;`, or through a helper or constructor.
    Open { variable: Var, mark: Mark, helper: bool },
    /// `let mut tx = None;`
    Nothing { variable: Var },
    /// `tx = pool.begin().await?;`: what the variable held is dropped.
    Assign { variable: Var, mark: Mark },
    /// A statement that writes.
    Write { variable: Var, form: Form },
    /// A statement that only reads.
    Read { variable: Var },
    /// The end that keeps what was written.
    Commit { variable: Var, form: Form },
    /// The end that does not.
    Rollback { variable: Var, form: Form },
    /// `drop(tx);`
    Drop { variable: Var },
    /// `let mut other = tx;`
    Move { from: Var, to: Var },
    /// A call of an earlier function, with `variable` by value or lent, as that one asks for.
    Call { function: usize, variable: Option<Var>, form: Form },
    /// Something else that may fail.
    Check(Form),
    /// `let mut f = false;`
    NewFlag(Flag),
    /// `f = true;`
    SetFlag(Flag, bool),
    /// `if .. { } else { }`
    If { condition: Condition, then: Block, otherwise: Option<Block> },
    /// `match k { 0 => { } 1 => { } _ => { } }`
    Match(Vec<Block>),
    /// `while ask() { }`, `for _ in some() { }` or `loop { if ask() { break; } }`
    Loop { kind: LoopKind, body: Block },
    /// A block of its own.
    Scope(Block),
    /// `let result = async { ..; Ok(()) }.await; match result { Ok(()) => { } Err(_) => { } }`
    Async { body: Block, good: Block, bad: Block },
    /// `return Ok(());`
    ReturnGood(Mark),
    /// `return Err(..);`
    ReturnBad,
    /// `return tx.commit().await;`
    ReturnCommit(Var, Mark),
    /// `break;`
    Break(Mark),
    /// `continue;`
    Continue(Mark),
}

/// How a loop is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoopKind {
    /// `while ask()`
    While,
    /// `for _ in some()`
    For,
    /// `loop` that only a `break` leaves.
    Forever,
}

impl Program {
    /// Openings that one variable holds, one or the other: they are told of once at a place.
    pub fn siblings(&self) -> Vec<BTreeSet<Mark>> {
        fn collect(block: &Block, found: &mut BTreeMap<Var, BTreeSet<Mark>>) {
            for statement in &block.statements {
                match statement {
                    Statement::Open { variable, mark, .. } | Statement::Assign { variable, mark } => {
                        found.entry(*variable).or_default().insert(*mark);
                    }
                    Statement::Move { from, to } => {
                        let moved = found.get(from).cloned().unwrap_or_default();
                        found.entry(*to).or_default().extend(moved);
                    }
                    _ => {}
                }
                statement.clone().blocks_mut().into_iter().for_each(|block| collect(block, found));
            }
        }
        let mut found = BTreeMap::new();
        for function in &self.functions {
            found.extend(function.parameter.map(|(variable, mark)| (variable, BTreeSet::from([mark]))));
            collect(&function.body, &mut found);
        }
        found.into_values().collect()
    }
}

impl Statement {
    /// The blocks in it.
    pub fn blocks_mut(&mut self) -> Vec<&mut Block> {
        match self {
            Self::If { then, otherwise, .. } => std::iter::once(then).chain(otherwise).collect(),
            Self::Match(arms) => arms.iter_mut().collect(),
            Self::Loop { body, .. } | Self::Scope(body) => vec![body],
            Self::Async { body, good, bad } => vec![body, good, bad],
            _ => Vec::new(),
        }
    }

    /// Whether what follows is never reached.
    pub fn diverges(&self) -> bool {
        match self {
            Self::ReturnGood(_) | Self::ReturnBad | Self::ReturnCommit(..) | Self::Break(_) | Self::Continue(_) => true,
            Self::If { then, otherwise: Some(otherwise), .. } => then.diverges() && otherwise.diverges(),
            Self::Match(arms) => arms.iter().all(Block::diverges),
            Self::Scope(body) => body.diverges(),
            Self::Async { good, bad, .. } => good.diverges() && bad.diverges(),
            _ => false,
        }
    }
}

impl Block {
    /// Whether its end is never reached.
    pub fn diverges(&self) -> bool {
        self.statements.last().is_some_and(Statement::diverges)
    }
}
