//! The tables of a data file, as they are written. `library.rs` checks them.

use crate::protocol::Setting;
use serde::Deserialize;
use std::collections::BTreeMap;
use toml::Spanned;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawLibrary {
    pub crates: Vec<String>,
    pub versions: Vec<String>,
    #[serde(default)]
    pub through: Vec<String>,
    #[serde(default)]
    pub statements: Vec<String>,
    #[serde(default)]
    pub statement_types: Vec<String>,
    #[serde(default)]
    pub files: Vec<String>,
    #[serde(default)]
    pub runs_text: Vec<String>,
    #[serde(default)]
    pub executes: Vec<String>,
    #[serde(default)]
    pub prepares: Vec<String>,
    #[serde(default)]
    pub writes: Vec<String>,
    #[serde(default)]
    pub reads: Vec<String>,
    #[serde(default)]
    pub streams: Vec<String>,
    #[serde(default)]
    pub copies: Vec<String>,
    #[serde(default)]
    pub handles: Vec<String>,
    #[serde(default)]
    pub handles_make: bool,
    #[serde(default)]
    pub optional: Vec<String>,
    #[serde(default)]
    pub session_comes_later: bool,
    #[serde(default)]
    pub common: bool,
    #[serde(default)]
    pub resets: Vec<String>,
    #[serde(default)]
    pub errors: Vec<String>,
    #[serde(default)]
    pub errors_vary: bool,
    #[serde(default)]
    pub in_memory: Vec<String>,
    #[serde(default)]
    pub makes_temporary: bool,
    #[serde(default)]
    pub engines: crate::protocol::Engines,
    #[serde(default, rename = "protocol")]
    pub protocols: Vec<RawProtocol>,
}

/// A `[[protocol]]` table.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawProtocol {
    pub id: Spanned<String>,
    /// Left out only where the types are no sessions.
    #[serde(default)]
    pub kind: Option<Spanned<String>>,
    #[serde(default)]
    pub noun: Option<String>,
    /// `false` for types of a workspace that look like sessions and are none.
    #[serde(default)]
    pub learn: Option<bool>,
    #[serde(default)]
    pub versions: Option<String>,
    /// May be left out where there is no guard value, so no type of its own.
    #[serde(default)]
    pub paths: Option<Spanned<Vec<String>>>,
    #[serde(default)]
    pub not_in: Vec<String>,
    #[serde(default)]
    pub class: Option<Spanned<String>>,
    #[serde(default)]
    pub on_drop: String,
    #[serde(default)]
    pub pooled: bool,
    #[serde(default)]
    pub in_place: bool,
    #[serde(default)]
    pub needs_end: Option<bool>,
    #[serde(default)]
    pub needs_end_when_written: bool,
    #[serde(default)]
    pub keeps_begin: bool,
    #[serde(default)]
    pub failed_commit: Option<crate::protocol::OnEngine>,
    #[serde(default)]
    pub ddl_commits: Option<crate::protocol::OnEngine>,
    #[serde(default)]
    pub asks: Vec<String>,
    #[serde(default)]
    pub open: Vec<RawOpening>,
    #[serde(default)]
    pub end: Vec<RawEnding>,
    #[serde(default)]
    pub leaks: Vec<String>,
    #[serde(default)]
    pub same: Vec<String>,
    #[serde(default)]
    pub same_with_constants: Vec<String>,
    #[serde(default)]
    pub hands_off: Vec<String>,
    #[serde(default)]
    pub changes: Vec<RawChange>,
    #[serde(default)]
    pub runs: BTreeMap<String, String>,
    #[serde(default)]
    pub scoped: Vec<String>,
    #[serde(default)]
    pub closures: Vec<RawClosure>,
    #[serde(default)]
    pub lends: bool,
    #[serde(default)]
    pub made_once: bool,
    #[serde(default)]
    pub made_here_only: bool,
    #[serde(default)]
    pub pools_with: Option<String>,
    #[serde(default)]
    pub settings: Vec<Setting>,
    #[serde(default)]
    pub configured_by: Option<Spanned<String>>,
    #[serde(default)]
    pub as_executor: Option<String>,
    #[serde(default)]
    pub finishes: bool,
    #[serde(default)]
    pub footer: bool,
    #[serde(default)]
    pub errors_late: bool,
    #[serde(default)]
    pub implicit: bool,
    #[serde(default)]
    pub optimistic: bool,
    #[serde(default)]
    pub shared: bool,
    #[serde(default)]
    pub shared_by_type: bool,
    #[serde(default)]
    pub queues: bool,
    #[serde(default)]
    pub ends_by_reference: bool,
    #[serde(default)]
    pub named_by: Vec<String>,
    #[serde(default)]
    pub ended_through: Vec<String>,
    #[serde(default)]
    pub instead_of_leaking: Option<String>,
    /// For protocols of a rules.toml: methods that write through the session.
    #[serde(default)]
    pub writes: Vec<String>,
}

/// A method that runs a closure, and what that is given.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawClosure {
    pub call: String,
    #[serde(default)]
    pub gets: Option<Spanned<String>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawOpening {
    #[serde(default)]
    pub on: Option<Spanned<String>>,
    #[serde(default)]
    pub assoc: Option<Spanned<String>>,
    #[serde(default)]
    pub path: Option<Spanned<String>>,
    pub call: String,
    #[serde(default, rename = "async")]
    pub is_async: bool,
    #[serde(default)]
    pub args: Option<usize>,
    #[serde(default)]
    pub gives: Option<Spanned<String>>,
    #[serde(default)]
    pub when: Option<Spanned<String>>,
    #[serde(default)]
    pub cancel_unsafe: Option<RawCancelUnsafe>,
    #[serde(default)]
    pub exclusive: bool,
    #[serde(default)]
    pub in_memory: bool,
    #[serde(default)]
    pub there: bool,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawCancelUnsafe {
    pub package: String,
    pub versions: Spanned<String>,
    #[serde(default)]
    pub features: Vec<String>,
    #[serde(default)]
    pub unless: Vec<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawChange {
    pub call: String,
    pub to: String,
    #[serde(default)]
    pub becomes: Option<Spanned<String>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawEnding {
    pub call: String,
    #[serde(rename = "as")]
    pub kind: Spanned<String>,
    #[serde(default, rename = "async")]
    pub is_async: bool,
    #[serde(default)]
    pub eager: bool,
    #[serde(default = "yes")]
    pub fallible: bool,
    #[serde(default)]
    pub when: Option<Spanned<String>>,
    #[serde(default)]
    pub args: String,
    #[serde(default)]
    pub then: String,
}

fn yes() -> bool {
    true
}
