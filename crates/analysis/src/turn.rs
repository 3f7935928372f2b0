//! What is asked about how `main` leads to a place?

/// How `main` leads to a place, by calls that are waited for at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Turn {
    /// Nothing was started before that goes on beside it, and no other package can call the functions on the way.
    Alone,
    /// Whatever was started: no other task comes there. Who else could call is asked in the workspace only.
    Single,
    /// The same, and in no loop.
    Once,
}
