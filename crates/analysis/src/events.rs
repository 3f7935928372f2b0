//! What happened to a session? The facts that an analysed body gives to the rules.

use crate::capacity::Capacity;
use crate::sql::{Refusal, SessionState};
use crate::value::Layer;
pub(crate) use crate::value::SiteId;
use crate::workload::Wait;
use sessionlint_diagnostics::{Evidence, Gap, Span};
use sessionlint_ir::{Answer, ExitHow, ExitKind, LocalId, TestRole};
use sessionlint_protocols::{EndKind, ProtocolId};

/// A place where a session begins in a body.
#[derive(Clone, Debug)]
pub struct Site {
    /// The call, or the parameter.
    pub span: Span,
    /// The variable that holds it, or the connection it is a state of.
    pub name: Option<String>,
    /// That variable, where it is one of this body.
    pub variable: Option<LocalId>,
    /// What it is.
    pub protocol: ProtocolId,
    /// How it was recognised.
    pub evidence: Evidence,
    /// The structs and enums of the workspace that hold it, the outermost first.
    pub(crate) layers: Vec<Layer>,
    /// The method of that struct that commits it, and whether it is async.
    pub own_end: Option<(String, bool)>,
    /// Whether the caller keeps it.
    pub borrowed: bool,
    /// Whether it was begun by SQL text.
    pub raw: bool,
    /// Whether a COMMIT of it that fails leaves it open.
    pub keeps_failed_commit: bool,
    /// Whether it was handed in as a parameter.
    pub parameter: bool,
    /// Whether the connection that it is a state of belongs to somebody else.
    pub on_borrowed: bool,
    /// Whether the connection that it is a state of goes back to a pool.
    pub pooled: bool,
    /// Whether it is a savepoint: it lives inside of a transaction, which is held as long.
    pub nested: bool,
    /// Whether it is a transaction on a connection of its own to a database in a file, which no pool has.
    pub on_own_file: bool,
    /// Whether it was made without a pool, of a type that a pool may hand out, too.
    pub apart: bool,
    /// The places where it is ended, on any way, and how.
    pub ended: Vec<(Span, EndKind)>,
    /// Whether it was there before: it is taken out of something that holds it.
    pub taken: bool,
    /// Whether somebody else has it on some way, who may end it.
    pub handed_on: bool,
    /// Whether anything is done with it, on any way.
    pub used: bool,
}

impl Site {
    /// Whether something of the workspace, or an `Option`, stands around the session.
    pub fn is_wrapped(&self) -> bool {
        !self.layers.is_empty()
    }
}

/// Why a value is dropped.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cause {
    /// What kind of end.
    pub kind: CauseKind,
    /// Where: the exit, the end of the block or statement, the assignment.
    pub span: Span,
}

/// Kinds of ends of a value's life.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CauseKind {
    /// Its block ends.
    ScopeEnd {
        /// What the block evaluates to: an error, or anything else.
        kind: ExitKind,
        /// What is answered, when that is the answer of the body.
        answer: Answer,
    },
    /// Its statement ends; `wildcard` when the statement binds to `_`.
    Statement {
        /// Whether it is bound to `_`.
        wildcard: bool,
    },
    /// The body is left.
    Exit {
        /// How the caller sees it.
        kind: ExitKind,
        /// By what.
        how: ExitOrder,
        /// What is answered.
        answer: Answer,
    },
    /// A loop's body is left.
    Jump {
        /// `break` or `continue`.
        keyword: &'static str,
        /// Whether in the arm that deals with an error.
        in_error_arm: bool,
    },
    /// Another value takes its place.
    Overwritten,
    /// `drop(..)` is called with it.
    Explicit,
    /// It lives on: something else happens while it is open.
    Meanwhile,
}

/// [`ExitHow`] with an order, so that causes can be sorted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ExitOrder {
    /// The `?` operator.
    Propagated,
    /// `return`.
    Return,
    /// The end of the body.
    Tail,
    /// A macro that returns.
    Macro(String),
}

impl From<&ExitHow> for ExitOrder {
    fn from(how: &ExitHow) -> Self {
        match how {
            ExitHow::Propagated => ExitOrder::Propagated,
            ExitHow::Return => ExitOrder::Return,
            ExitHow::Tail => ExitOrder::Tail,
            ExitHow::Macro(name) => ExitOrder::Macro(name.clone()),
        }
    }
}

impl CauseKind {
    /// How the caller sees this end: as an error, or as if nothing were wrong.
    pub fn exit_kind(&self) -> ExitKind {
        match self {
            CauseKind::Exit { kind, .. } | CauseKind::ScopeEnd { kind, .. } => *kind,
            _ => ExitKind::Success,
        }
    }

    /// Whether it stands in the arm that deals with an error.
    pub fn in_error_arm(&self) -> bool {
        match self {
            CauseKind::Exit { answer, .. } | CauseKind::ScopeEnd { answer, .. } => answer.in_error_arm,
            CauseKind::Jump { in_error_arm, .. } => *in_error_arm,
            _ => false,
        }
    }

    /// What is answered where it leaves the body.
    pub fn answer(&self) -> Option<&Answer> {
        match self {
            CauseKind::Exit { answer, .. } | CauseKind::ScopeEnd { answer, .. } => Some(answer),
            _ => None,
        }
    }
}

/// What happens to a session.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EventKind {
    /// It is dropped, or its connection is left, while it is open.
    LeftOpen,
    /// Its COMMIT failed, or may have, and its connection is left without a rollback.
    CommitFailed,
    /// It is opened and dropped in one statement.
    Discarded,
    /// It is dropped in the statement that opens it, and the name of what it removes then is kept.
    NameKept,
    /// Its connection leaves with a lock of the session, in a struct that does not give that back.
    LockKept {
        /// The struct.
        guard: String,
    },
    /// A lock of the session is taken in it, which outlives it, and nothing gives that back.
    LockOutlives,
    /// A pool whose connections are closed in the background is dropped where it was made, and not closed.
    PoolDropped,
    /// The future of its end is dropped before anybody polls it.
    Unawaited {
        /// The end.
        end: EndKind,
        /// The method or function; `None` for an async block.
        call: Option<String>,
    },
    /// The result of its end is dropped, or its error is only logged before a success exit.
    ResultIgnored {
        /// The end.
        end: EndKind,
        /// Whether the error is logged.
        logged: bool,
    },
    /// It is taken out of everything that would end it.
    Leaked {
        /// By what.
        how: String,
    },
    /// Its pool is asked for another connection.
    SecondCheckout {
        /// Whether the pool lends it for one statement.
        lent: bool,
    },
    /// Something is written through its pool, and it goes on.
    Bypassed,
    /// A statement that makes or changes a table commits what was written in it before.
    CommittedByTable,
    /// A statement is sent inside of it that no transaction may have.
    Refused {
        /// Its first words.
        statement: &'static str,
        /// The engine.
        engine: &'static str,
        /// What that does with it.
        refusal: Refusal,
    },
    /// Slow work outside of the database is waited for.
    HeldAcross {
        /// What it is.
        wait: Wait,
    },
    /// Its connection goes back to the pool with state that this body has set.
    StateLeft {
        /// What kind of state.
        state: SessionState,
    },
    /// State is set on a connection that nobody holds: one that the pool lends for the statement, or one that others
    /// share.
    StateOnShared {
        /// What kind of state.
        state: SessionState,
        /// Whether it is one of a pool.
        pooled: bool,
    },
    /// The call that opens it may be cancelled, and leaves a session behind then that nobody knows of.
    CancelUnsafe {
        /// By what.
        by: String,
    },
    /// A pool is made, and dropped again before the next call or turn of the loop.
    MadePerCall {
        /// Whether in a loop; else in a function that is called for each request.
        in_loop: bool,
    },
    /// A pool is made without limits of its own.
    Settings {
        /// What is not set, and what holds instead.
        missing: Vec<(String, String)>,
    },
}

impl EventKind {
    /// Whether the first way to it explains it: what was written before does not matter.
    pub(crate) fn is_beside(&self) -> bool {
        matches!(self, EventKind::HeldAcross { .. } | EventKind::SecondCheckout { .. })
    }
}

/// A branch that was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Branch {
    /// The condition or pattern.
    pub condition: Span,
    /// Whether it held.
    pub held: bool,
    /// What it is in the text.
    pub role: TestRole,
    /// How many-th branch of the way it is.
    pub nth: u32,
    /// Whether its other side comes to the same, so that it is no condition.
    pub joins: bool,
}

/// A fact about one session on one way through the body.
#[derive(Clone, Debug)]
pub struct Event {
    /// What happens.
    pub kind: EventKind,
    /// The session.
    pub site: SiteId,
    /// Why, and where.
    pub cause: Cause,
    /// The first write through it on this way, if any.
    pub written: Option<Span>,
    /// How many branches had been taken when that was written.
    pub written_after: u32,
    /// Where state of its connection is set on this way, if any.
    pub set: Option<Span>,
    /// Whether it happens inside of a closure or async block.
    pub in_closure: bool,
    /// Where its end is called, for ends that come to nothing.
    pub release: Option<Span>,
    /// The calls that lead from the cause to what happens, for what happens inside of functions that are called.
    pub inside: Vec<Span>,
    /// Whether it is open on the side of a condition on which nothing is kept: a dry run.
    pub dry_run: bool,
    /// Whether the way passes a test of something that changed while it was open.
    pub counted: bool,
    /// Whether something was written since the last branch.
    pub fresh: bool,
    /// Whether something was read through it, and nothing written, as far as is seen.
    pub only_read: bool,
    /// Whether this way handed an error value to somebody: who waits for it hears that it failed.
    pub failure_told: bool,
    /// Whether all that was written is what it made itself, to ask how a statement would run.
    pub scratch: bool,
    /// Whether somebody else has a clone of it.
    pub shared: bool,
    /// Whether `main` alone leads to it, one call after the other, so that one task at a time comes here, or the screen of an application
    /// for one person. Told of what others wait for.
    pub in_turn: bool,
    /// Whether it lies behind a comparison that decides in which turn of a loop it is committed: which one is the last is arithmetic.
    pub last_turn: bool,
    /// The branches taken since it was opened.
    pub branches: Vec<Branch>,
    /// Whether the session is in its variable here, on every way, and may be moved out of it. Told of what is left open
    /// and bypassed.
    pub at_hand: bool,
    /// The variable that holds the session here, and whether only by reference. Told of what happens meanwhile.
    pub held_in: Option<(String, bool)>,
    /// So many connections of its pool are held at once here. Told where another one is taken.
    pub held: usize,
    /// The end that ways lead to from here. Told of what happens meanwhile.
    pub end: Option<(Span, EndKind)>,
}

/// What was found out about one body.
#[derive(Clone, Debug)]
pub struct Report {
    /// `module::Type::function`.
    pub function: String,
    /// The sessions, in the order in which they were met.
    pub sites: Vec<Site>,
    /// The facts, sorted.
    pub events: Vec<Event>,
    /// What was not understood.
    pub gaps: Vec<Gap>,
    /// Whether it gives a result, as its declared type says.
    pub gives_result: bool,
    /// Whether all who call it close the connection that they lend it when it fails. Asked only where a raw transaction is left
    /// open on one.
    pub callers_close: bool,
    /// How many connections the pools of sessions have of which another one is taken meanwhile, where that is known.
    pub capacities: Vec<(SiteId, Capacity)>,
    /// The body, from brace to brace.
    pub span: Span,
    /// The whole function, from its first attribute on.
    pub item: Span,
    /// Whether the body can await.
    pub is_async: bool,
    /// The closures and async blocks in it.
    pub inner: Vec<Span>,
}

impl Report {
    /// One site.
    pub fn site(&self, id: SiteId) -> &Site {
        &self.sites[usize::from(id.0)]
    }
}
