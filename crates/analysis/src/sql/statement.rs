//! What can one statement do?

/// What a connection is held for on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Hold {
    /// Nothing any more: its tables are unlocked.
    Nothing,
    /// The row of a job, which others skip until the transaction ends.
    Job,
    /// A lock of the server that was only tried for: nobody waits for it with a connection, and one has it at a time.
    TriedLock,
    /// A lock of the server, or messages that it listens for.
    Lock,
    /// Tables, or all of the server, which others read meanwhile: a statement on it may give the lock up.
    Tables,
}

/// What a text does to the transaction of its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SqlControl {
    /// `BEGIN`, `START TRANSACTION`.
    Begin,
    /// `SAVEPOINT name`.
    Savepoint,
    /// `COMMIT`, `END`.
    Commit,
    /// `ROLLBACK`, `ABORT`.
    Rollback,
    /// `RELEASE`.
    Release,
    /// `ROLLBACK TO` a savepoint, which stays.
    RollbackTo,
}

/// What one statement does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct One {
    pub(super) writes: bool,
    pub(super) control: Option<SqlControl>,
    /// Whether it begins a transaction with a kind of lock.
    pub(super) names_lock: bool,
}

impl One {
    pub(super) fn control(control: SqlControl) -> Self {
        Self { control: Some(control), ..Self::default() }
    }

    pub(super) fn writes(writes: bool) -> Self {
        Self { writes, ..Self::default() }
    }
}

/// The name that stands for one that is put in at run time.
pub(super) const FILLED: &str = "x";
