//! What is slow work outside of the database?

use serde::Deserialize;

/// Index of a [`Work`] in a [`Model`](crate::Model).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WorkId(pub u16);

/// One kind of slow work.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Work {
    /// What it is: completes "held across …".
    pub what: String,
    /// The packages that bring it in.
    pub crates: Vec<String>,
    /// Types whose methods do it, by full path.
    #[serde(default)]
    pub types: Vec<String>,
    /// The methods whose future does it.
    pub calls: Vec<String>,
    /// Functions whose future does it, by full path.
    #[serde(default)]
    pub functions: Vec<String>,
    /// Whether a value of the types is itself the future.
    #[serde(default)]
    pub awaited: bool,
    /// Whether values of the types are made here: functions that are given one wait for nothing.
    #[serde(default)]
    pub made_here: bool,
    /// Methods, of whatever, that give such a value.
    #[serde(default)]
    pub made_by: Vec<String>,
    /// Whether the types, or what is made of them, are streams: polling one does the work.
    #[serde(default)]
    pub stream: bool,
    /// How long it takes.
    #[serde(default)]
    pub rank: Rank,
    /// Whether it is the wait for the next thing to do: a task that owns its connection may hold it meanwhile.
    #[serde(default)]
    pub idle: bool,
}

/// How long slow work takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rank {
    /// An answer within 10 ms is expected, or none at all.
    Quick,
    /// As long as the program itself decides: a sleep. One of a known time below a second is quick.
    Pause,
    /// It takes as long as another machine likes.
    #[default]
    Slow,
}

impl Work {
    /// Whether the future of this method does the work, or that of any.
    pub(crate) fn is_done_by(&self, method: &str) -> bool {
        self.calls.iter().any(|call| call == method)
    }

    pub(crate) fn is_done_by_any(&self) -> bool {
        self.calls.iter().any(|call| call == "*")
    }
}
