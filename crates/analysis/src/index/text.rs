//! What do the words of a function's text rule out? Questions that save a look at its body.

use super::noted::Matter;
use super::{Index, ItemRef, Ty};
use crate::fingerprint::fingerprint;
use sessionlint_diagnostics::FileId;
use sessionlint_ir::{ItemKind, TypeRef};
use sessionlint_protocols::{ProtocolId, ProtocolKind, Source};
use std::sync::Arc;

impl Index<'_> {
    /// Whether a function's text has an `await`, an `async` block, a future that it gives or a closure that it is given.
    pub fn waits(&self, item: ItemRef) -> bool {
        let text = self.item_text(item, |item| item.head).map_or("", |(text, _)| text);
        ["await", "async", "Fn", "Future"].iter().any(|word| text.contains(word))
    }

    /// Whether a function's text has something that cancels futures, in a package where that may be a mistake.
    pub fn may_cancel(&self, item: ItemRef) -> bool {
        let text = self.item_text(item, |item| item.head).map_or("", |(text, _)| text);
        self.package_of(item.file).holes && cancels(text)
    }

    /// Whether a function's text has a literal that may begin a transaction or savepoint.
    pub fn begins_as_text(&self, item: ItemRef) -> bool {
        self.truth(Matter::Begins(item), || {
            crate::sql::may_begin(self.item_text(item, |item| item.head).map_or("", |(text, _)| text))
        })
    }

    /// Whether a function's text has a literal that gives back a lock of the server.
    pub(crate) fn unlocks(&self, item: ItemRef) -> bool {
        self.truth(Matter::Unlocks(item), || {
            let text = self.item_text(item, |item| item.head).map_or("", |(text, _)| text).to_ascii_lowercase();
            ["advisory_unlock", "release_lock"].iter().any(|name| text.contains(name))
        })
    }

    /// Whether any file of a package that mentions a session gives back a lock of the server.
    pub(crate) fn package_unlocks(&self, file: FileId) -> bool {
        self.truth(Matter::PackageUnlocks(file), || {
            self.reads_package(file);
            let files = self.package_of(file).indexed.iter().chain(std::iter::once(&file));
            let names = ["unlock", "select release_lock", "do release_lock", "release_all_locks"];
            files.filter_map(|file| self.host.data(*file)).any(|data| {
                let text = data.text.to_ascii_lowercase();
                names.iter().any(|name| text.contains(name))
            })
        })
    }

    /// Whether a function of a file's package has all of some pieces of text, one behind the other: it ends what somebody else began.
    pub(crate) fn package_ends(&self, file: FileId, through: &[String]) -> bool {
        self.reads_package(file);
        let files = self.package_of(file).indexed.iter().chain(std::iter::once(&file));
        files.filter(|file| !self.is_test_file(**file)).filter_map(|file| self.host.data(*file)).any(|data| {
            let bodies = data.outline.ids().filter(|id| data.outline.item(*id).kind == ItemKind::Function);
            let mut texts = bodies.filter_map(|id| {
                let body = data.outline.item(id).body?;
                data.text.get(body.start as usize..body.end as usize)
            });
            texts.any(|text| {
                through.iter().try_fold(text, |rest, piece| Some(rest.split_once(piece.as_str())?.1)).is_some()
            })
        })
    }

    /// Whether any file of a package that mentions a session takes the second step of a commit.
    pub(crate) fn package_finishes_prepared(&self, file: FileId) -> bool {
        self.truth(Matter::PackageFinishes(file), || {
            self.reads_package(file);
            let files = self.package_of(file).indexed.iter().chain(std::iter::once(&file));
            files.filter_map(|file| self.host.data(*file)).any(|data| {
                let text = data.text.to_ascii_lowercase();
                ["commit prepared", "rollback prepared"].iter().any(|words| text.contains(words))
            })
        })
    }

    /// Whether a function's text names any of these calls.
    pub(crate) fn names_call<'n>(&self, item: ItemRef, mut calls: impl Iterator<Item = &'n str>) -> bool {
        let text = self.item_text(item, |item| item.head).map_or("", |(text, _)| text);
        calls.any(|call| text.contains(call))
    }

    /// Whether a function is given a session by reference, and its text names a call that gives what writes through it.
    pub(crate) fn opens_handles(&self, item: ItemRef) -> bool {
        let Some(signature) = self.signature(item) else { return false };
        let is_lent = |at: &usize| matches!(signature.params[*at].ty, TypeRef::Ref { .. });
        (0..signature.params.len()).filter(is_lent).any(|at| match self.parameter_ty(item, at) {
            Ty::Known(protocol) => {
                let library = self.model.library(self.model.protocol(protocol).library);
                self.names_call(item, library.handles.iter().map(String::as_str))
            }
            _ => false,
        })
    }

    /// Whether a function's text names a type of which one is meant for all calls, or what it is built with. Who leads there over more
    /// functions without waiting is not followed.
    pub(crate) fn makes_without_waiting(&self, item: ItemRef) -> bool {
        let types = self.made_once.get(self.package_id(item.file), || self.types_made_once(item.file));
        self.names_call(item, types.iter().map(String::as_str))
    }

    fn types_made_once(&self, file: FileId) -> Vec<String> {
        let builds = |builder: ProtocolId| self.model.protocol(builder).kind == ProtocolKind::Builder;
        let once = self.model.protocols().filter(|(_, known)| known.made_once && self.in_play(file, known.library));
        let ids = once.flat_map(|(id, known)| {
            let by = known.openings.iter().filter_map(|opening| match opening.source {
                Source::Method(builder) if builds(builder) => Some(builder),
                _ => None,
            });
            std::iter::once(id).chain(by)
        });
        let names = ids.flat_map(|id| self.model.protocol(id).paths.iter().filter_map(|path| path.rsplit("::").next()));
        let mut found: Vec<String> = names.map(|name| format!("{name}::")).collect();
        found.sort();
        found.dedup();
        found
    }

    /// Whether a function's text names the call that opens a writer, or a function of its package whose text does.
    fn names_writer(&self, item: ItemRef, call: &str, text: &str) -> bool {
        if text.contains(call) {
            return true;
        }
        let writers = self.writers_of(item.file, call);
        let is_called = |name: &String| {
            text.match_indices(name.as_str()).any(|(at, _)| text[at + name.len()..].trim_start().starts_with('('))
        };
        writers.iter().any(is_called)
    }

    /// The functions of a file's package whose text has a call.
    pub(super) fn writers_of(&self, file: FileId, call: &str) -> Arc<Vec<String>> {
        let package = self.package_id(file);
        let find = || {
            self.reads_package(file);
            let mut names = std::collections::BTreeSet::new();
            for file in &self.package(package).indexed {
                let Some(data) = self.data(*file) else { continue };
                for known in data.outline.items.iter().filter(|known| known.kind == ItemKind::Function) {
                    let text = known.body.and_then(|body| data.text.get(body.start as usize..body.end as usize));
                    if text.is_some_and(|text| text.contains(call)) && known.name != "_" {
                        names.insert(known.name.clone());
                    }
                }
            }
            names.into_iter().collect::<Vec<String>>()
        };
        let weigh = |found: &Arc<Vec<String>>| fingerprint(found);
        let answer = || self.writers.get((package, call.to_owned()), find);
        self.noted(Matter::Writers(file, call.to_owned()), weigh, answer, |_| true)
    }

    /// Whether a function may take a connection without a future: a library that its file can use has pools that give them so, or
    /// it names the call that opens the one writer of a store, or a function of its package that does. Who leads there over more
    /// functions is not followed: that would be every function of a program around such a store.
    pub fn takes_without_waiting(&self, item: ItemRef) -> bool {
        let file = item.file;
        let text = self.item_text(item, |item| item.head).map_or("", |(text, _)| text);
        self.model.protocols().any(|(_, protocol)| {
            let lends = |opening: &sessionlint_protocols::Opening| match opening.source {
                sessionlint_protocols::Source::Method(pool) => {
                    self.model.protocol(pool).lends && !opening.is_async && !opening.never_waits()
                }
                _ => false,
            };
            let waits = |opening: &sessionlint_protocols::Opening| {
                (opening.exclusive && self.names_writer(item, &opening.call, text)) || lends(opening)
            };
            self.in_play(file, protocol.library) && protocol.openings.iter().any(waits)
        })
    }
}

/// Whether a text has something that cancels futures of functions that are called. What `select!` races is looked at
/// where it begins something itself.
pub fn cancels(text: &str) -> bool {
    text.contains("try_join")
        || text
            .match_indices("timeout(")
            .any(|(at, _)| !text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_'))
}
