//! By which calls is a session opened and ended?

use crate::id::ProtocolId;
use crate::versions::Versions;

/// Where a session comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A method of a value of this type.
    Method(ProtocolId),
    /// An associated function of this type.
    Associated(ProtocolId),
    /// A free function, by path.
    Function(String),
}

/// One way to open a session.
#[derive(Clone, Debug)]
pub struct Opening {
    /// What it is called on.
    pub source: Source,
    /// The name of the method or function.
    pub call: String,
    /// Whether the call makes a future.
    pub is_async: bool,
    /// The number of arguments, when it tells this call from others of that name.
    pub args: Option<usize>,
    /// How the session is wrapped in the result.
    pub shape: Vec<Shape>,
    /// The versions of the library that have this call, when not all have.
    pub when: Option<Versions>,
    /// Where the future of this call must not be dropped before its end.
    pub cancel_unsafe: Option<CancelUnsafe>,
    /// Whether only one may be open on what it is opened on, or on its first argument: the next call waits until it is over.
    pub exclusive: bool,
    /// Whether what it opens is in memory only, and gone with the value.
    pub in_memory: bool,
    /// Whether it only gives what was there before: the client of a database.
    pub there: bool,
}

/// Versions in which a call that is cancelled leaves a session open that nobody knows of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CancelUnsafe {
    /// The package whose version decides.
    pub package: String,
    /// Its versions.
    pub versions: Versions,
    /// Its features that bring in a back end with the hole; without all of `unless`.
    pub features: Vec<String>,
    /// Features that bring in a back end without it: with one of them nobody can tell which is meant.
    pub unless: Vec<String>,
}

impl Opening {
    /// Whether it gives up at once when the pool has nothing left, so that it can wait for nobody.
    pub fn never_waits(&self) -> bool {
        !self.is_async && self.call.starts_with("try_")
    }
}

/// A layer around the session in what a call returns, from the outside in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// `Result` or `Option`.
    Fallible,
    /// The element of a tuple of this length.
    Tuple {
        /// Position, from 0.
        index: usize,
        /// Number of elements.
        len: usize,
    },
}

/// What an end means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EndKind {
    /// What was written stays.
    Commit,
    /// What was written is given up.
    Rollback,
    /// The session is over.
    Close,
}

impl EndKind {
    /// Of several ends of one session the one that is meant: who commits may roll back where that fails.
    pub fn meant(ends: &[EndKind]) -> Option<EndKind> {
        let commit = ends.iter().find(|end| **end == EndKind::Commit);
        commit.or(ends.first()).copied()
    }
}

/// One way to end a session.
#[derive(Clone, Debug)]
pub struct Ending {
    /// The method, or for in-place protocols also the associated function.
    pub call: String,
    /// What it means.
    pub kind: EndKind,
    /// Whether the call makes a future that must be awaited.
    pub is_async: bool,
    /// Whether it does its work when it is called, before anybody awaits it.
    pub eager: bool,
    /// Whether its result can carry an error that says the end did not happen.
    pub fallible: bool,
    /// The versions of the library that have this call, when not all have.
    pub when: Option<Versions>,
    /// What is passed to it, in a sentence that says how to call it.
    pub args: String,
    /// What is called on what it gives, in that sentence, where the call alone does nothing: `.send()`.
    pub then: String,
}

impl Ending {
    /// An end by a method of the project's own.
    pub fn own(call: String, kind: EndKind, is_async: bool) -> Self {
        Self {
            call,
            kind,
            is_async,
            eager: false,
            fallible: true,
            when: None,
            args: String::new(),
            then: String::new(),
        }
    }
}
