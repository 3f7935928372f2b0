//! What does a library ask of one type, and what does dropping it do?

use crate::calls::{EndKind, Ending, Opening, Source};
use crate::id::{LibraryId, ProtocolId};
use std::collections::BTreeMap;

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
    /// For those: whether a COMMIT that fails leaves the transaction open, as SQLite does; `None` where the server ends it. Also where the text
    /// of the BEGIN names a kind of lock, which SQLite alone knows.
    pub failed_commit: Option<OnEngine>,
    /// For transactions: whether a statement that makes or changes a table commits it, as in MySQL.
    pub ddl_commits: Option<OnEngine>,
    /// Methods that tell whether a transaction is open on it: who asks ends it where it is.
    pub asks: Vec<String>,
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
    /// The same, where what they are given does not change from call to call.
    pub same_with_constants: Vec<String>,
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
    /// For those: the feature of the package without which it keeps no connections; it is one of the default ones.
    pub pools_with: Option<String>,
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
    /// For writers: whether a write answers before it is done, so that without an end its error is lost, and not the output.
    pub errors_late: bool,
    /// For connections: whether writing begins a transaction by itself, which must be committed.
    pub implicit: bool,
    /// For transactions: whether it keeps no connection and no lock, so that nobody waits for it while it is open.
    pub optimistic: bool,
    /// Whether a reference is enough to end it: its ends do not take it by value.
    pub ends_by_reference: bool,
    /// For guards: methods that give the name of what they remove, by which somebody else can.
    pub named_by: Vec<String>,
    /// What a function's text has, in this order, that ends through something else what a guard looks after.
    pub ended_through: Vec<String>,
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

/// For what may have several engines behind it: with which of them a fact holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OnEngine {
    /// Whether it always holds.
    #[serde(default)]
    pub always: bool,
    /// Features of the library that bring in an engine with which it holds.
    #[serde(default)]
    pub features: Vec<String>,
    /// Features that bring in another one, so that nobody knows.
    #[serde(default)]
    pub unless: Vec<String>,
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
    /// Types whose values say it, too, and are passed: `PoolConfig::new(16)`.
    #[serde(default)]
    pub also: Vec<String>,
}

/// The engines that may be behind a library, and what says which it is. What one of them refuses, another may take.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Engines {
    /// PostgreSQL.
    #[serde(default)]
    pub postgres: Option<OnEngine>,
    /// SQLite.
    #[serde(default)]
    pub sqlite: Option<OnEngine>,
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
