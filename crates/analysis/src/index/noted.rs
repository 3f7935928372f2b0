//! On what does an answer stand, in the texts of a workspace? In: what is asked and read. Out: notes by which a later check, over other texts, tells
//! whether the answer still holds.

use super::{FileData, Index, ItemRef};
use crate::fingerprint::fingerprint;
use crate::grounds::{self, Asked, Basis, Grounds, Read};
use rustc_hash::FxHashMap;
use sessionlint_diagnostics::{FileId, Span};
use sessionlint_ir::ItemKind;
use std::any::{Any, TypeId};
use std::hash::Hash;
use std::sync::{Arc, PoisonError, RwLock};

/// A question about texts whose answer seldom changes with them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Matter {
    Begins(ItemRef),
    Unlocks(ItemRef),
    PackageUnlocks(FileId),
    PackageFinishes(FileId),
    Writers(FileId, String),
}

/// Questions that were answered, with the answers.
#[derive(Default)]
pub(super) struct Ledger(RwLock<FxHashMap<u128, Entry>>);

struct Entry {
    asked: Arc<Asked>,
    answer: Box<dyn Any + Send + Sync>,
}

impl Index<'_> {
    /// The answer to a question, which later checks take as it is while it stands. `weigh` gives what stands for the answer; one for which `is_final` is
    /// false belongs to whoever asked.
    pub(crate) fn noted<Q, A>(
        &self,
        question: Q,
        weigh: impl FnOnce(&A) -> u128,
        answer: impl FnOnce() -> A,
        is_final: impl FnOnce(&A) -> bool,
    ) -> A
    where
        Q: Hash + Any + Send + Sync,
        A: Clone + Any + Send + Sync,
    {
        if !grounds::is_wanted() {
            return answer();
        }
        let key = fingerprint(&(TypeId::of::<Q>(), &question));
        if let Some(entry) = self.ledger.0.read().unwrap_or_else(PoisonError::into_inner).get(&key)
            && let Some(answer) = entry.answer.downcast_ref::<A>()
        {
            grounds::asked(&entry.asked);
            return answer.clone();
        }
        let (answer, found) = grounds::noted(answer);
        if !is_final(&answer) {
            grounds::stand_on(Some(&Arc::new(found)));
            return answer;
        }
        let asked = Asked { what: Arc::new(question), reply: weigh(&answer), basis: self.basis(found) };
        let mut known = self.ledger.0.write().unwrap_or_else(PoisonError::into_inner);
        let entry = Entry { asked: Arc::new(asked), answer: Box::new(answer.clone()) };
        grounds::asked(&known.entry(key).or_insert(entry).asked);
        answer
    }

    /// The same for what is true or not.
    pub(super) fn truth(&self, matter: Matter, answer: impl FnOnce() -> bool) -> bool {
        self.noted(matter, |answer| u128::from(*answer), answer, |_| true)
    }

    /// Asks something again, for the notes.
    pub(crate) fn ask_matter(&self, matter: &Matter) {
        match matter {
            Matter::Begins(item) => _ = self.begins_as_text(*item),
            Matter::Unlocks(item) => _ = self.unlocks(*item),
            Matter::PackageUnlocks(file) => _ = self.package_unlocks(*file),
            Matter::PackageFinishes(file) => _ = self.package_finishes_prepared(*file),
            Matter::Writers(file, call) => _ = self.writers_of(*file, call),
        }
    }

    /// Does something, and tells on what it stands beside the shapes of files.
    pub fn with_basis<T>(&self, work: impl FnOnce() -> T) -> (T, Basis) {
        let (done, grounds) = grounds::noted(work);
        (done, self.basis(grounds))
    }

    /// Whether all texts say what they did. What stands on other answers is not looked at again.
    pub fn stands(&self, basis: &Basis) -> bool {
        basis.asked.is_empty() && basis.reads.iter().all(|(read, says)| self.says(read) == *says)
    }

    /// Grounds, with what the texts say now.
    pub(crate) fn basis(&self, grounds: Grounds) -> Basis {
        grounds.weighed(|read| self.says(read))
    }

    /// What a text says now.
    pub(crate) fn says(&self, read: &Read) -> u128 {
        let file = |file: FileId| self.host.data(file).map_or(0, FileData::says);
        match read {
            Read::Function(file, item) => self.host.data(*file).map_or(0, |data| data.function_says(*item)),
            Read::File(one) => file(*one),
            Read::Package(package) => {
                let files = self.packages[*package as usize].indexed.iter();
                fingerprint(&files.map(|one| file(*one)).collect::<Vec<_>>())
            }
            Read::Included(from, path, from_package) => fingerprint(&self.host.included(*from, path, *from_package)),
        }
    }

    /// What stands for what is known of all files before any item is asked for: which are read, which module each is, which types are sessions.
    /// With it what the caller adds.
    pub fn setting(&self, beside: &impl Hash) -> u128 {
        let packages = self.packages.iter().map(|package| {
            let unread = &package.unread;
            let unread = [&unread.traits, &unread.types, &unread.macros].map(|names| all_of(names.iter()));
            (&package.indexed, package.resets, all_of(package.modules.iter()), unread)
        });
        let learned = [&self.learned.protocols, &self.learned.vendored].map(|types| all_of(types.iter()));
        fingerprint(&(packages.collect::<Vec<_>>(), &self.files, all_of(self.holders.iter()), learned, beside))
    }

    /// Notes that a part of an item's text is read.
    pub(super) fn reads_of(&self, data: &FileData, item: ItemRef, span: Span) {
        if !grounds::is_wanted() {
            return;
        }
        let known = data.outline.item(item.item);
        let Some(body) = known.body.filter(|body| span.end > body.start) else { return };
        if known.kind == ItemKind::Function {
            if let Some(part) = data.function_part(item.item) {
                grounds::read(|| Read::Function(item.file, part));
            }
        } else if body.start >= span.start && data.part(item.item).is_none() {
            grounds::read(|| Read::File(item.file));
        }
    }

    /// Notes that what stands at a place is read.
    pub(crate) fn reads_at(&self, place: Span) {
        let Some(data) = self.host.data(place.file) else { return };
        if let Some(part) = data.outline.function_at(place).and_then(|function| data.function_part(function)) {
            grounds::read(|| Read::Function(place.file, part));
        }
    }

    /// Notes that the texts of a file's package are read, of those that use a session library, and that of the file.
    pub(crate) fn reads_package(&self, file: FileId) {
        grounds::read(|| Read::Package(self.package_id(file).0));
        grounds::read(|| Read::File(file));
    }

    /// A place as it is told from the part of the file that it lies in: what stands around that does not matter.
    pub(crate) fn inside(&self, place: Span) -> (FileId, u32, u32, u32) {
        let placed = self.host.data(place.file).and_then(|data| data.placed(place));
        match placed {
            Some((part, inside)) => (place.file, part.0, inside.start, inside.end),
            None => (place.file, u32::MAX, place.start, place.end),
        }
    }

    /// What a file includes.
    pub(crate) fn included(&self, file: FileId, path: &str, from_package: bool) -> Option<String> {
        grounds::read(|| Read::Included(file, path.to_owned(), from_package));
        self.host.included(file, path, from_package)
    }
}

/// What stands for several things in any order.
fn all_of(things: impl Iterator<Item = impl Hash>) -> u128 {
    things.fold(0, |all, one| all.wrapping_add(fingerprint(&one)))
}
