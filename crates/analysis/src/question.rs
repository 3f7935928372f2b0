//! What is asked about a function, and what is the answer?

use crate::fixpoint::Pass;
use crate::index::{ItemRef, PackageId};
use crate::sql::{Hold, SqlControl, StateChange};
use crate::value::{Layer, Value};
use crate::workload::{Summary, Workload};
use sessionlint_protocols::{EndKind, ProtocolId};
use std::sync::Arc;

/// What is known of a call's arguments, by position: whether one is true, holds something, or is a variant or text (see
/// [`Value::shape`]), or of which type it is where only a trait is written.
pub(crate) type Known = Vec<(usize, Value)>;

/// A session that is lent to a function.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct LentAs {
    /// The parameter that it is lent as.
    pub param: usize,
    pub protocol: ProtocolId,
    /// What stands around it.
    pub layers: Vec<Layer>,
    /// What else the function is called with.
    pub known: Known,
}

/// What is asked about a function.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Question {
    /// What does it do to a session that it is lent?
    Effect(ItemRef, LentAs),
    /// What does it do beside giving its value, when it is called with these arguments?
    Summary(ItemRef, Known),
    /// The same, also where nothing that it does or gives seems to matter.
    Whole(ItemRef, Known),
}

/// The answer: `None` for a function without a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Effect(Option<Arc<Effect>>),
    Summary(Arc<Summary>),
}

/// Another question about functions or types whose answer seldom changes with what they say.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum About {
    /// Do all callers close what they lend?
    CallersClose(ItemRef),
    /// Does no caller make anybody wait?
    CallersWait(ItemRef),
    /// Which fields of a struct hold the same pool?
    Siblings(ItemRef),
    /// How many connections has the pool of a session, as a package sees it?
    Capacity(PackageId, ProtocolId),
}

/// The questions that are in progress while a body is analysed.
pub(crate) type Asking = Pass<Question, Answer>;

/// What a function does to a session that it is lent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Effect {
    /// Whether it writes through it.
    pub writes: bool,
    /// Whether it does so on some of the ways only that lead to an answer.
    pub partly: bool,
    /// Whether it does so only where something that it reads is missing, which the next call writes again.
    pub rarely: bool,
    /// Whether it answers with a truth value that says if the write changed anything (`true`), or nothing.
    pub changed: Option<bool>,
    /// How it ends it, on any way.
    pub ends: Vec<EndKind>,
    /// The texts about transactions that it runs on it, when it does not take back itself what they do.
    pub texts: Vec<SqlControl>,
    /// What it is held for behind that.
    pub holds: Option<Hold>,
    /// What it changes of the state of its connection, when it does not take that back itself.
    pub changes: Vec<StateChange>,
    /// Whether it takes it out of what it was lent in, so that somebody else has it.
    pub escapes: bool,
    /// Whether it lends it to code that nobody sees.
    pub unseen: bool,
    /// What it does beside that, and whether functions that call each other had not settled.
    pub workload: Workload,
    pub truncated: bool,
    /// What it does while that is open.
    pub meanwhile: Workload,
}

impl Effect {
    /// What is done when either of two functions may be the one that is called.
    pub fn joined(mut self, other: &Effect) -> Effect {
        self.partly |= other.partly || self.writes != other.writes;
        self.rarely = (self.rarely || !self.writes) && (other.rarely || !other.writes);
        self.writes |= other.writes;
        self.changed = self.changed.filter(|_| self.changed == other.changed);
        self.escapes |= other.escapes || self.ends != other.ends;
        self.ends.retain(|end| other.ends.contains(end));
        self.unseen |= other.unseen || self.texts != other.texts;
        self.texts.retain(|text| other.texts.contains(text));
        self.changes.retain(|change| other.changes.contains(change));
        self.holds = self.holds.max(other.holds);
        for (deed, way) in &other.workload.0 {
            self.workload.add(deed.clone(), way.clone());
        }
        for (deed, way) in &other.meanwhile.0 {
            self.meanwhile.add(deed.clone(), way.clone());
        }
        self.truncated |= other.truncated;
        self
    }
}
