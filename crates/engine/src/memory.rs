//! What is still true from the last check? Files that did not change are not looked at again.

use crate::heads::Read;
use crate::host::{Files, Overlay};
use crate::kept::Functions;
use crate::names::{Names, Offered};
use sessionlint_analysis::{Basis, FileData, Learned};
use sessionlint_diagnostics::FileId;
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

/// What tells whether a file says the same as before.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Stamp {
    /// A file on disk: when it was changed, and how long it is.
    Disk(Option<SystemTime>, u64),
    /// A text that counts instead.
    Text(blake3::Hash),
    /// It cannot be read.
    Missing,
    /// This program panicked over it: no file says the same.
    Broken,
}

impl Stamp {
    pub fn of(path: &Path, overlay: &Overlay) -> Self {
        match overlay.get(path) {
            Some(text) => Stamp::Text(blake3::hash(text)),
            None => match std::fs::metadata(path) {
                Ok(metadata) => Stamp::Disk(metadata.modified().ok(), metadata.len()),
                Err(_) => Stamp::Missing,
            },
        }
    }
}

/// The first look at a file.
#[derive(Clone)]
pub(crate) struct Look {
    /// Another number for each look: equal ones are the same look.
    pub number: u64,
    pub stamp: Stamp,
    pub read: Read,
    pub data: Option<Arc<FileData>>,
    /// What stood for the file without the bodies of functions before it changed for the first time, and what does now.
    pub shape: Option<(u128, u128)>,
}

/// The number of a look, a number for the names that it was made with, and what was found.
type Found<T> = HashMap<FileId, (u64, u64, T)>;

/// The files whose types say something, with a hash of what they say.
pub(crate) type Said = Vec<(FileId, u64)>;

/// The names that stand for sessions in each package, and what finds them.
pub(crate) struct Known {
    pub names: Vec<Names>,
    pub words: Vec<Option<aho_corasick::AhoCorasick>>,
}

/// What was learned of the workspace's own transactions. Their evidence stands where it did when it was found.
pub(crate) struct Taught {
    /// What stands for all files without the bodies of functions.
    pub setting: u128,
    pub basis: Basis,
    pub learned: Vec<Learned>,
}

/// So often is kept what was learned: from two sets of files in each check, and from those of the check before.
const MAX_TAUGHT: usize = 4;

/// What is kept between two checks.
#[derive(Default)]
pub(crate) struct Memory {
    pub looks: Vec<Option<Look>>,
    /// How many files were looked at anew the last time.
    pub read: usize,
    /// So often something changed in a file that nobody had read.
    pub unread: u64,
    /// What is kept of functions.
    pub functions: Functions,
    /// What was learned, the last first.
    pub taught: Vec<Taught>,
    next: u64,
    rounds: [Round; ROUNDS],
}

/// So many times the files are looked at that name no library: each time they may use what the last ones put around one.
pub(crate) const ROUNDS: usize = 3;

/// What is kept of one round of looking for names.
#[derive(Default)]
struct Round {
    /// What the types of all files say, and the names that come of it.
    types: Option<(Said, Arc<Vec<Names>>)>,
    /// Another number for each set of names of types.
    types_number: u64,
    offered: Found<Offered>,
    names: Option<Arc<Known>>,
    names_number: u64,
    named: Found<bool>,
}

impl Memory {
    /// A number that no look has.
    pub fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    fn look_number(&self, file: FileId) -> u64 {
        self.looks.get(file.0 as usize).and_then(Option::as_ref).map_or(0, |look| look.number)
    }

    /// The names of types that come of files whose types say this, from before or made now.
    pub fn types(&mut self, round: usize, said: Said, make: impl FnOnce() -> Vec<Names>) -> Arc<Vec<Names>> {
        let kept = &mut self.rounds[round];
        match &kept.types {
            Some((before, names)) if *before == said => Arc::clone(names),
            _ => {
                let names = Arc::new(make());
                if kept.types.as_ref().is_none_or(|(_, before)| *before != names) {
                    kept.types_number += 1;
                }
                kept.types = Some((said, Arc::clone(&names)));
                names
            }
        }
    }

    /// What a file offers, when that is known for the names of types that hold now.
    pub fn offered(&self, round: usize, file: FileId) -> Option<&Offered> {
        let kept = &self.rounds[round];
        let is_now =
            |(look, types, _): &&(u64, u64, Offered)| *look == self.look_number(file) && *types == kept.types_number;
        kept.offered.get(&file).filter(is_now).map(|(_, _, found)| found)
    }

    pub fn set_offered(&mut self, round: usize, file: FileId, found: Offered) {
        let look = self.look_number(file);
        let kept = &mut self.rounds[round];
        kept.offered.insert(file, (look, kept.types_number, found));
    }

    /// Sets the names that hold now.
    pub fn set_names(&mut self, round: usize, names: Vec<Names>) -> Arc<Known> {
        let kept = &mut self.rounds[round];
        match &kept.names {
            Some(before) if before.names == names => Arc::clone(before),
            _ => {
                kept.names_number += 1;
                let words = Names::finders(&names);
                let known = Arc::new(Known { names, words });
                kept.names = Some(Arc::clone(&known));
                known
            }
        }
    }

    /// Whether a file has one of the names, when that is known for those that hold now.
    pub fn named(&self, round: usize, file: FileId) -> Option<bool> {
        let kept = &self.rounds[round];
        let is_now =
            |(look, names, _): &&(u64, u64, bool)| *look == self.look_number(file) && *names == kept.names_number;
        kept.named.get(&file).filter(is_now).map(|(_, _, found)| *found)
    }

    pub fn set_named(&mut self, round: usize, file: FileId, found: bool) {
        let look = self.look_number(file);
        let kept = &mut self.rounds[round];
        kept.named.insert(file, (look, kept.names_number, found));
    }

    /// Keeps what was learned.
    pub fn teach(&mut self, taught: Taught) {
        self.taught.retain(|before| before.setting != taught.setting);
        self.taught.insert(0, taught);
        self.taught.truncate(MAX_TAUGHT);
    }

    /// What stands for the files without the bodies of functions, as far as they are not what they were at first.
    pub fn shapes(&self) -> Vec<(usize, u128)> {
        let shapes = self.looks.iter().enumerate().filter_map(|(file, look)| Some((file, look.as_ref()?.shape?)));
        shapes.filter(|(_, (first, now))| first != now).map(|(file, (_, now))| (file, now)).collect()
    }

    /// Keeps what was read of files meanwhile.
    pub fn keep(&mut self, files: &Files) {
        for (look, data) in self.looks.iter_mut().zip(&files.data) {
            if let (Some(look), Some(Some(data))) = (look, data.get()) {
                look.data = Some(Arc::clone(data));
            }
        }
    }
}
