//! On what does an answer stand? On texts that were read for it, and on answers to other questions. That is noted while it is worked out,
//! so that a later check can tell whether it still holds.
//!
//! What is noted belongs to the innermost work in progress on its thread, and to all around it. Where nobody asked for it, nothing is noted.

use rustc_hash::{FxHashMap, FxHashSet};
use sessionlint_diagnostics::FileId;
use sessionlint_ir::ItemId;
use std::any::Any;
use std::cell::RefCell;
use std::sync::Arc;

/// A text that was read. The items of all files, without the bodies of functions, are none: when they change, nothing holds any more.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Read {
    /// One function, from its attributes to its end.
    Function(FileId, ItemId),
    /// A whole file.
    File(FileId),
    /// All files of a package that use a session library.
    Package(u32),
    /// A file that is no source, as [`crate::Host::included`] takes it.
    Included(FileId, String, bool),
}

/// A question that was answered, and on what the answer stands.
pub struct Asked {
    /// The question.
    pub(crate) what: Arc<dyn Any + Send + Sync>,
    /// What stands for the answer.
    pub(crate) reply: u128,
    pub(crate) basis: Basis,
}

/// On what an answer stands, with what the texts said.
#[derive(Clone, Default)]
pub struct Basis {
    pub(crate) reads: Vec<(Read, u128)>,
    pub(crate) asked: Vec<Arc<Asked>>,
}

/// On what an answer stands.
#[derive(Clone, Default)]
pub(crate) struct Grounds {
    reads: FxHashSet<Read>,
    asked: FxHashMap<usize, Arc<Asked>>,
}

impl Grounds {
    fn is_empty(&self) -> bool {
        self.reads.is_empty() && self.asked.is_empty()
    }

    /// The one question that was asked.
    pub fn only(self) -> Option<Arc<Asked>> {
        self.asked.into_values().next()
    }

    /// Adds what another answer stands on.
    pub fn extend(&mut self, other: &Grounds) {
        self.reads.extend(other.reads.iter().cloned());
        self.asked.extend(other.asked.iter().map(|(at, asked)| (*at, Arc::clone(asked))));
    }

    /// The same with what the texts say; in an order that does not depend on where things lie in memory.
    pub fn weighed(self, says: impl Fn(&Read) -> u128) -> Basis {
        let mut reads: Vec<(Read, u128)> =
            self.reads.into_iter().map(|read| (says(&read), read)).map(|(says, read)| (read, says)).collect();
        reads.sort_unstable();
        Basis { reads, asked: self.asked.into_values().collect() }
    }
}

thread_local! {
    static OPEN: RefCell<Vec<Grounds>> = const { RefCell::new(Vec::new()) };
}

/// Takes out what a panic left.
struct Opened(usize);

impl Opened {
    fn new() -> Self {
        Self(OPEN.with_borrow_mut(|open| {
            open.push(Grounds::default());
            open.len() - 1
        }))
    }

    fn close(self) -> Grounds {
        OPEN.with_borrow_mut(|open| {
            open.truncate(self.0 + 1);
            open.pop().unwrap_or_default()
        })
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        OPEN.with_borrow_mut(|open| open.truncate(self.0));
    }
}

/// Does something whose grounds are wanted, and gives them. Nothing around it stands on them.
pub(crate) fn noted<T>(work: impl FnOnce() -> T) -> (T, Grounds) {
    let opened = Opened::new();
    let done = work();
    (done, opened.close())
}

/// Whether grounds are wanted here.
pub(crate) fn is_wanted() -> bool {
    OPEN.with_borrow(|open| !open.is_empty())
}

/// Does something, and gives its grounds where they are wanted and there are any. What is around it stands on them, too.
pub(crate) fn of<T>(work: impl FnOnce() -> T) -> (T, Option<Arc<Grounds>>) {
    if !is_wanted() {
        return (work(), None);
    }
    let (done, grounds) = noted(work);
    if grounds.is_empty() {
        return (done, None);
    }
    let grounds = Arc::new(grounds);
    stand_on(Some(&grounds));
    (done, Some(grounds))
}

/// What is in progress stands on this.
pub(crate) fn stand_on(grounds: Option<&Arc<Grounds>>) {
    let Some(grounds) = grounds else { return };
    OPEN.with_borrow_mut(|open| open.last_mut().map(|last| last.extend(grounds)));
}

/// What is in progress stands on a text.
pub(crate) fn read(read: impl FnOnce() -> Read) {
    OPEN.with_borrow_mut(|open| open.last_mut().map(|last| last.reads.insert(read())));
}

/// What is in progress stands on an answer.
pub(crate) fn asked(asked: &Arc<Asked>) {
    let at = Arc::as_ptr(asked) as usize;
    OPEN.with_borrow_mut(|open| open.last_mut().map(|last| last.asked.insert(at, Arc::clone(asked))));
}
