//! What is known about every session type: how it is opened and ended, and what dropping it does.

use crate::derived::Derived;
use crate::intent::Intent;
use crate::learned::LearnedWords;
use crate::outside::{Work, WorkId};
use crate::standard::Standard;
use crate::typed::Typed;
use crate::versions::Versions;
use std::collections::BTreeMap;

/// Index of a library in a [`Model`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LibraryId(pub u16);

/// Index of a protocol in a [`Model`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProtocolId(pub u16);

/// One library, as one data file tells it.
#[derive(Clone, Debug, Default)]
pub struct Library {
    /// Its name: that of the data file.
    pub name: String,
    /// What was read, and where: the first lines of the data file.
    pub about: String,
    /// The packages that bring it in, as named in Cargo.toml.
    pub crates: Vec<String>,
    /// Packages that hand it on to those who depend on them: under a feature, as a rule.
    pub through: Vec<String>,
    /// The versions that the facts were read from.
    pub versions: Vec<String>,
    /// Functions, types and macros of the library that take SQL text and give a statement.
    pub statements: Vec<String>,
    /// Types of statements that have not run yet.
    pub statement_types: Vec<String>,
    /// Macros that take the path of a file with the text, from the package's directory.
    pub files: Vec<String>,
    /// Methods that run the first text among their arguments as SQL.
    pub runs_text: Vec<String>,
    /// Methods that take a text and give a statement that runs later, on the session it was prepared on.
    pub prepares: Vec<String>,
    /// Methods that write: on a session or a handle of it, or given one as an argument.
    pub writes: Vec<String>,
    /// Methods that only read, given a session or pool as an argument.
    pub reads: Vec<String>,
    /// Methods that give a stream, which holds a connection of the pool that they are given until it is dropped.
    pub streams: Vec<String>,
    /// Methods of a session whose result writes through it.
    pub handles: Vec<String>,
    /// Methods that run a statement and give a row or none: none means that nothing was written.
    pub optional: Vec<String>,
    /// Whether a method that writes gets its session later in the chain: `insert_one(..).session(&mut session)`.
    pub session_comes_later: bool,
    /// Whether so many packages use it that its name says nothing: the names of its types do.
    pub common: bool,
    /// Words of a package that brings its connections back to a clean state itself.
    pub resets: Vec<String>,
    /// The error of a call that ends a session, and whatever else takes it by `?`: errors, and results with such an error.
    pub errors: Vec<String>,
    /// Whether other calls give other errors than those that end a session.
    pub errors_vary: bool,
    /// Words in the name of a database that is in memory only.
    pub in_memory: Vec<String>,
    /// Whether it makes files and directories that are removed when their guard is dropped.
    pub makes_temporary: bool,
}

/// What one library asks of one type.
#[derive(Clone, Debug, Default)]
pub struct Protocol {
    /// Stable id, `library.type`.
    pub id: String,
    /// The library it belongs to.
    pub library: LibraryId,
    /// The versions that its facts were read from, when they are not those of the library.
    pub versions: Option<String>,
    /// What kind of thing it is.
    pub kind: ProtocolKind,
    /// What a person calls it, where its kind does not say it.
    pub noun: Option<String>,
    /// What dropping it does; `None` for pools.
    pub class: Option<DropClass>,
    /// The same in words that complete "dropping it …".
    pub on_drop: String,
    /// The paths that name the type, the usual one first.
    pub paths: Vec<String>,
    /// Modules in which types of these names are something else: the readers beside writers.
    pub not_in: Vec<String>,
    /// Whether it goes back to a pool when it is dropped, with the state it is in.
    pub pooled: bool,
    /// Whether the state lives in the connection: there is no guard value to drop.
    pub in_place: bool,
    /// Whether leaving it without an end is a mistake of its own, on every way out.
    pub needs_end: bool,
    /// Whether that is so only where something was written: before, there is nothing that could stay behind.
    pub needs_end_when_written: bool,
    /// Whether SQL `BEGIN` on it stays open when it goes back to its pool or owner.
    pub keeps_begin: bool,
    /// How it is opened.
    pub openings: Vec<Opening>,
    /// How it is ended.
    pub endings: Vec<Ending>,
    /// Methods, or functions given it as their argument, after which nothing ends it.
    pub leaks: Vec<String>,
    /// Methods after which dropping does something else, so that nothing is known any more.
    pub hands_off: Vec<String>,
    /// Calls with a certain argument that say what dropping does; any other argument hands it off.
    pub changes: Vec<Change>,
    /// Methods without arguments that run a text which the library knows, and the text.
    pub runs: BTreeMap<String, String>,
    /// Methods that give the value itself or a reference to it.
    pub same: Vec<String>,
    /// Whether it is a pool that hands out a limited number of connections.
    pub lends: bool,
    /// Methods that run a closure inside a transaction of their own.
    pub scoped: Vec<String>,
    /// Methods that run a closure before they give anything, and what the closure is given.
    pub closures: Vec<RunsClosure>,
    /// Whether it is made once for a program: making one for each call costs connections or threads.
    pub made_once: bool,
    /// For those: whether that is worth a word only where the loop or handler makes it itself, and not a function that it calls.
    pub made_here_only: bool,
    /// What can be set on it before a pool is made of it.
    pub settings: Vec<Setting>,
    /// For pools: the type that settings are made on.
    pub configured_by: Option<ProtocolId>,
    /// How it is passed to a statement that runs on it: `&mut *it`.
    pub as_executor: Option<String>,
    /// For writers: whether dropping finishes the output, and loses only the error.
    pub finishes: bool,
    /// For writers: whether the output is broken without an end even when nothing was written.
    pub footer: bool,
    /// For connections: whether writing begins a transaction by itself, which must be committed.
    pub implicit: bool,
    /// Whether a reference is enough to end it: its ends do not take it by value.
    pub ends_by_reference: bool,
    /// For guards: methods that give the name of what they remove, by which somebody else can.
    pub named_by: Vec<String>,
    /// What to do instead of leaking it, in words that begin a sentence, where that is not to end it.
    pub instead_of_leaking: Option<String>,
    /// For clients: whether what is written is only queued, and lost when the last one is dropped right afterwards.
    pub queues: bool,
    /// For connections: whether clones share it, so that state set on it meets other users.
    pub shared: bool,
    /// For those: whether nobody has one alone, wherever it comes from.
    pub shared_by_type: bool,
    /// For a type of the workspace that is checked: what of it says that it is a session.
    pub learned_from: Option<String>,
    /// For those: whether a connection of a library is held with it.
    pub holds_connection: bool,
}

/// A call after which dropping a session does something else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The method.
    pub call: String,
    /// The last name of its argument: `Ignore` for `DropBehavior::Ignore`.
    pub to: String,
    /// What it is from then on; `None` for what it was.
    pub becomes: Option<ProtocolId>,
}

/// A method that runs a closure: at once, or when its future is polled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunsClosure {
    /// The method.
    pub call: String,
    /// What the closure is lent; `None` for the value that the method is called on.
    pub gets: Option<ProtocolId>,
}

/// Something that can be set on a pool before it is made.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Setting {
    /// The method or field.
    pub call: String,
    /// What it sets, in words: "size", "acquire timeout".
    pub sets: String,
    /// What holds when it is not set.
    pub default: String,
}

impl Protocol {
    /// Whether values of this type are sessions: things that must be brought to an end.
    pub fn is_session(&self) -> bool {
        !matches!(self.kind, ProtocolKind::Pool | ProtocolKind::Builder)
    }

    /// Whether leaving it open can be a mistake: whoever hands one out, or has one, matters.
    pub fn is_owed(&self) -> bool {
        self.is_transaction()
            || self.implicit
            || (self.kind == ProtocolKind::Writer && !self.finishes)
            || matches!(self.kind, ProtocolKind::Task | ProtocolKind::Lock)
            || (self.needs_end && self.is_session())
    }

    /// Whether what is written through it is lost without a commit.
    pub fn needs_commit(&self) -> bool {
        self.is_transaction() || self.implicit
    }

    /// Whether it is a transaction or savepoint: what is written through it is lost without a commit.
    pub fn is_transaction(&self) -> bool {
        matches!(self.kind, ProtocolKind::Transaction | ProtocolKind::Savepoint)
    }

    /// Whether only one of them may be open at a time on what it is opened on.
    pub fn is_exclusive(&self) -> bool {
        self.openings.iter().any(|opening| opening.exclusive)
    }

    /// The usual short name of its type.
    pub fn type_name(&self) -> &str {
        self.paths.first().and_then(|path| path.rsplit("::").next()).unwrap_or(&self.id)
    }

    /// What a person calls it.
    pub fn noun(&self) -> &str {
        if let Some(noun) = &self.noun {
            return noun;
        }
        match self.kind {
            ProtocolKind::Pool => "pool",
            ProtocolKind::Connection => "connection",
            ProtocolKind::Transaction => "transaction",
            ProtocolKind::Savepoint => "savepoint",
            ProtocolKind::Session => "session",
            ProtocolKind::Writer => "writer",
            ProtocolKind::Lock => "lock",
            ProtocolKind::Task => "connection task",
            ProtocolKind::Builder => "builder",
            ProtocolKind::Lease => "lease",
            ProtocolKind::Subscriber => "subscription",
            ProtocolKind::Guard => "guard",
            ProtocolKind::Client => "client",
        }
    }

    /// Whether whoever has one has it of a pool: nothing else makes one.
    pub fn is_of_a_pool(&self) -> bool {
        self.pooled && self.openings.iter().all(|opening| matches!(opening.source, Source::Method(_)))
    }

    /// The call that brings it to the wanted end: commit for transactions, close for the rest.
    pub fn usual_end(&self) -> Option<&Ending> {
        self.endings.iter().find(|end| matches!(end.kind, EndKind::Commit | EndKind::Close))
    }

    /// The call that gives it up.
    pub fn giving_up(&self) -> Option<&Ending> {
        self.endings.iter().find(|end| end.kind == EndKind::Rollback)
    }
}

/// Kinds of session types, and pools.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ProtocolKind {
    /// Hands out connections or transactions; nothing is owed for it.
    #[default]
    Pool,
    /// A connection.
    Connection,
    /// A transaction.
    Transaction,
    /// A transaction inside another one.
    Savepoint,
    /// A browser or shell session.
    Session,
    /// Something that must be finished or its output is not whole.
    Writer,
    /// A lock on a server.
    Lock,
    /// The half of a connection that does the work.
    Task,
    /// Something that one of the others is made of; nothing is owed for it.
    Builder,
    /// A lease on a server, which runs out.
    Lease,
    /// Receives what others send.
    Subscriber,
    /// Does something when it is dropped, and must live until then.
    Guard,
    /// A handle that many share.
    Client,
}

impl ProtocolKind {
    /// All kinds, with their words in data files.
    pub const ALL: &[(&str, ProtocolKind)] = &[
        ("pool", ProtocolKind::Pool),
        ("connection", ProtocolKind::Connection),
        ("transaction", ProtocolKind::Transaction),
        ("savepoint", ProtocolKind::Savepoint),
        ("session", ProtocolKind::Session),
        ("writer", ProtocolKind::Writer),
        ("lock", ProtocolKind::Lock),
        ("task", ProtocolKind::Task),
        ("builder", ProtocolKind::Builder),
        ("lease", ProtocolKind::Lease),
        ("subscriber", ProtocolKind::Subscriber),
        ("guard", ProtocolKind::Guard),
        ("client", ProtocolKind::Client),
    ];

    /// The word in data files.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(_, kind)| *kind == self).map_or("", |(word, _)| word)
    }
}

/// What dropping an open session does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DropClass {
    /// Rolls back at once.
    A,
    /// Rolls back later.
    B,
    /// Cleanup is spawned and lost when the runtime ends.
    C,
    /// Cleanup blocks inside Drop.
    D,
    /// There is no guard value at all.
    E,
    /// A guard value without Drop.
    F,
    /// Drop panics.
    G,
}

impl DropClass {
    /// The letter.
    pub fn as_str(self) -> &'static str {
        match self {
            DropClass::A => "A",
            DropClass::B => "B",
            DropClass::C => "C",
            DropClass::D => "D",
            DropClass::E => "E",
            DropClass::F => "F",
            DropClass::G => "G",
        }
    }

    /// Whether an open transaction is rolled back without anybody asking for it.
    pub fn rolls_back(self) -> bool {
        self < DropClass::E
    }
}

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
}

impl Ending {
    /// An end by a method of the project's own.
    pub fn own(call: String, kind: EndKind, is_async: bool) -> Self {
        Self { call, kind, is_async, eager: false, fallible: true, when: None, args: String::new() }
    }
}

/// Everything that is known about libraries.
#[derive(Clone, Debug, Default)]
pub struct Model {
    pub(crate) libraries: Vec<Library>,
    pub(crate) protocols: Vec<Protocol>,
    /// Crate identifier and type name to the protocols of that name.
    pub(crate) types: BTreeMap<(String, String), Vec<ProtocolId>>,
    /// Crate identifiers to libraries.
    pub(crate) crates: BTreeMap<String, Vec<LibraryId>>,
    /// Names of opening calls to the protocol and opening.
    pub(crate) openings: BTreeMap<String, Vec<(ProtocolId, usize)>>,
    /// Slow work, and the crates, names and full paths that lead to it.
    pub(crate) works: Vec<Work>,
    pub(crate) work_types: Vec<((String, String), (String, WorkId))>,
    pub(crate) work_functions: Vec<((String, String), (String, WorkId))>,
    /// The names of libraries inside of packages that are called otherwise.
    pub(crate) library_names: BTreeMap<String, String>,
    /// The work that values of a session's or pool's type do.
    pub(crate) protocol_works: BTreeMap<ProtocolId, WorkId>,
    /// Functions that give what their type argument names.
    pub(crate) typed: Vec<Typed>,
    pub(crate) derived: Vec<Derived>,
    /// Paths that types begin with which are made for each request.
    pub(crate) request_parts: Vec<Vec<String>>,
    /// Attributes of functions that are called for each request: crates and names.
    pub(crate) request_attributes: Vec<(String, String)>,
    /// The ends of paths of functions that the user adds to slow work.
    pub(crate) also: Vec<Vec<String>>,
    /// Words that say what somebody meant.
    pub(crate) intent: Intent,
    /// Names of the standard library.
    pub(crate) standard: Standard,
    /// Words by which transactions of the project's own are found.
    pub(crate) learned: LearnedWords,
    /// Paths of types that the user describes, and of those that he says are no sessions.
    pub(crate) own_paths: Vec<String>,
    pub(crate) unlearned: Vec<String>,
}

impl Model {
    /// All libraries, in the order of their names.
    pub fn libraries(&self) -> impl Iterator<Item = (LibraryId, &Library)> {
        self.libraries.iter().enumerate().map(|(index, library)| (LibraryId(index as u16), library))
    }

    /// All protocols.
    pub fn protocols(&self) -> impl Iterator<Item = (ProtocolId, &Protocol)> {
        self.protocols.iter().enumerate().map(|(index, protocol)| (ProtocolId(index as u16), protocol))
    }

    /// One library.
    pub fn library(&self, id: LibraryId) -> &Library {
        &self.libraries[usize::from(id.0)]
    }

    /// One protocol.
    pub fn protocol(&self, id: ProtocolId) -> &Protocol {
        &self.protocols[usize::from(id.0)]
    }

    /// The library that an `extern` crate of this identifier (`tokio_postgres`) brings in.
    pub fn library_of_crate(&self, ident: &str) -> Option<LibraryId> {
        self.libraries_of_crate(ident).first().copied()
    }

    /// All libraries that speak of a crate: facts about `deadpool-postgres` stand with both of its halves.
    pub fn libraries_of_crate(&self, ident: &str) -> &[LibraryId] {
        self.crates.get(ident).map(Vec::as_slice).unwrap_or_default()
    }

    /// The libraries that a package of this name hands on.
    pub fn libraries_through<'a>(&'a self, package: &'a str) -> impl Iterator<Item = LibraryId> + 'a {
        let through = move |library: &Library| library.through.iter().any(|through| through == package);
        self.libraries().filter(move |(_, library)| through(library)).map(|(id, _)| id)
    }

    /// The packages whose versions decide which facts hold, among those of some libraries.
    pub fn versioned_packages(&self, libraries: &std::collections::BTreeSet<LibraryId>) -> Vec<&str> {
        let mut found = Vec::new();
        for (_, protocol) in self.protocols().filter(|(_, protocol)| libraries.contains(&protocol.library)) {
            let own = self.library(protocol.library).crates.first();
            let depends = protocol.openings.iter().any(|opening| opening.when.is_some())
                || protocol.endings.iter().any(|ending| ending.when.is_some());
            found.extend(own.filter(|_| depends).map(String::as_str));
            let holes = protocol.openings.iter().filter_map(|opening| opening.cancel_unsafe.as_ref());
            found.extend(holes.map(|hole| hole.package.as_str()));
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    /// Words of a package that brings the connections of its pools back to a clean state itself.
    pub fn resetting_words(&self) -> impl Iterator<Item = &str> {
        self.libraries.iter().flat_map(|library| library.resets.iter().map(String::as_str))
    }

    /// Whether a package of this name (`tokio-postgres`) is a known library.
    pub fn knows_package(&self, package: &str) -> bool {
        self.crates.contains_key(&package.replace('-', "_"))
    }

    /// The protocol that a full path names. Libraries re-export types under many modules and other
    /// crates (`sea_orm::sqlx::PgPool`), so the last known crate in the path and the type's name decide.
    pub fn type_at(&self, path: &[String]) -> Option<ProtocolId> {
        let (name, parents) = path.split_last()?;
        parents.iter().rev().find_map(|segment| {
            let candidates = self.types.get(&(segment.clone(), name.clone()))?;
            let full = path.join("::");
            let mut meant = candidates.iter().filter(|id| {
                let elsewhere = &self.protocol(**id).not_in;
                !path.iter().any(|segment| elsewhere.contains(segment))
            });
            let first = meant.clone().next();
            meant.find(|id| self.protocol(**id).paths.contains(&full)).or(first).copied()
        })
    }

    /// The library that the last known crate in a full path names, and the rest of the path's last name.
    pub fn library_at<'a>(&self, path: &'a [String]) -> Option<(LibraryId, &'a str)> {
        let (name, parents) = path.split_last()?;
        let library = parents.iter().rev().find_map(|segment| self.library_of_crate(segment))?;
        Some((library, name))
    }

    /// Whether a full path names the type of a statement that has not run yet.
    pub fn is_statement_type(&self, path: &[String]) -> bool {
        self.library_at(path)
            .is_some_and(|(library, name)| self.library(library).statement_types.iter().any(|known| known == name))
    }

    /// The ways to open something by calling `call` on or with `source`.
    pub fn openings(&self, source: &Source, call: &str, args: usize) -> Vec<(ProtocolId, &Opening)> {
        let named = self.openings.get(call).map(Vec::as_slice).unwrap_or_default();
        let opening = |(protocol, index): &(ProtocolId, usize)| (*protocol, &self.protocol(*protocol).openings[*index]);
        let matches = |(_, opening): &(ProtocolId, &Opening)| {
            opening.source == *source && opening.args.is_none_or(|wanted| wanted == args)
        };
        named.iter().map(opening).filter(matches).collect()
    }

    /// Protocols without a guard value whose state lives in values of type `connection`.
    pub fn in_place_on(&self, connection: ProtocolId) -> impl Iterator<Item = (ProtocolId, &Protocol)> {
        self.protocols().filter(move |(_, protocol)| {
            protocol.in_place && protocol.openings.iter().any(|opening| opening.source == Source::Method(connection))
        })
    }

    /// Names of calls that open, end or run something: a function that has none of them needs no look.
    pub fn trigger_words(&self) -> Vec<String> {
        let opening = self.openings.keys().cloned();
        let ending = self.protocols.iter().flat_map(|p| p.endings.iter().map(|end| end.call.clone()));
        let mut words: Vec<String> = opening.chain(ending).collect();
        words.sort();
        words.dedup();
        words
    }
}
