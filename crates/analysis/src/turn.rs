//! What is asked about how `main` leads to a place?

/// How `main` leads to a place, by calls that are waited for at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Turn {
    /// Nothing was started before that goes on beside it, and no other package can call the functions on the way.
    Alone,
    /// Whatever was started: one task at a time comes there, `main` or one that is started once. Who else could call is asked in the
    /// workspace only.
    Single,
    /// `main` comes there, in no loop, whatever was started.
    Once,
}

/// A way through one body.
#[derive(Clone, Copy)]
pub(crate) struct Way {
    /// What is asked in this body.
    pub here: Turn,
    /// Whether a task that is started in no loop will do.
    pub may_start: bool,
    /// What is asked of those who call it.
    pub around: Turn,
}

impl Turn {
    /// The ways through a body that will do.
    pub fn ways(self) -> &'static [Way] {
        const ALONE: Way = Way { here: Turn::Alone, may_start: false, around: Turn::Alone };
        const SINGLE: Way = Way { here: Turn::Single, may_start: false, around: Turn::Single };
        const STARTED: Way = Way { here: Turn::Single, may_start: true, around: Turn::Once };
        const ONCE: Way = Way { here: Turn::Once, may_start: false, around: Turn::Once };
        match self {
            Turn::Alone => &[ALONE],
            Turn::Single => &[SINGLE, STARTED],
            Turn::Once => &[ONCE],
        }
    }
}
