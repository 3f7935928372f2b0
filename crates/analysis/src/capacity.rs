//! What is known of the number of connections that a pool has?

use sessionlint_diagnostics::Span;

/// How many connections a pool has.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum PoolSize {
    /// So many.
    Number(usize),
    /// As many as the library says in words: "twice the number of CPUs".
    Words(String),
}

/// How many connections a pool has, and who says so.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Capacity {
    /// How many.
    pub size: PoolSize,
    /// Whether nobody sets it, so that it is the library's default.
    pub by_default: bool,
    /// Where it is set, or where a pool is made without.
    pub at: Span,
    /// How long a call waits for a connection, where nobody sets that: "30 seconds".
    pub patience: Option<String>,
}
