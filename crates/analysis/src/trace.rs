//! What explains the facts of a way: the branches that it took, where something was written, by what it leaves?

use crate::events::{Branch, ExitOrder};
use crate::value::ObligationId;
use sessionlint_diagnostics::Span;
use std::collections::{BTreeMap, BTreeSet};

/// What explains the facts, and does not tell one way from another.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trace {
    pub written: BTreeMap<ObligationId, Span>,
    /// Where something is written beside it, through which calls, and the value of `taken` there.
    pub bypassed: BTreeMap<ObligationId, (Span, Vec<Span>, u32)>,
    pub set: BTreeMap<ObligationId, Span>,
    pub released: BTreeMap<ObligationId, Span>,
    pub branches: Vec<Branch>,
    /// How many branches were taken, the forgotten ones too.
    pub taken: u32,
    /// The value of `taken` at the first write.
    pub written_after: BTreeMap<ObligationId, u32>,
    /// The sessions that a text was run on which is known to write nothing.
    pub read: BTreeSet<ObligationId>,
    /// Whether an error value was handed to somebody: sent, or passed to a function.
    pub failure_told: bool,
    pub exit: Option<Span>,
    pub how: Option<ExitOrder>,
}
