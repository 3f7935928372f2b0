//! Which functions may have a session that only comes through a package whose sources nobody reads? By their words: nothing is
//! reported there, so that each is a gap.

use crate::dependencies::Unread;
use crate::host::Files;
use crate::run::Engine;
use rayon::prelude::*;
use rustc_hash::FxHashSet;
use sessionlint_analysis::{Host, ItemRef};
use sessionlint_diagnostics::{FileId, Gap, Span};
use sessionlint_ir::{ItemId, ItemKind};
use sessionlint_protocols::{EndKind, LibraryId, Model};
use std::collections::{BTreeMap, BTreeSet};

impl Engine {
    /// The functions of some files, with the package that their sessions may come through. What has a session that is known is
    /// left out.
    pub(crate) fn unread(
        &self,
        files: &Files<'_>,
        asked: &[FileId],
        known: &FxHashSet<ItemRef>,
        is_test: &(dyn Fn(FileId, ItemId) -> bool + Sync),
    ) -> Vec<(String, Gap)> {
        if self.outside.unread.is_empty() {
            return Vec::new();
        }
        let calls: BTreeMap<LibraryId, FxHashSet<&str>> = self
            .outside
            .unread
            .values()
            .flat_map(BTreeMap::values)
            .flat_map(|unread| &unread.libraries)
            .map(|library| (*library, calls(&self.model, *library)))
            .collect();
        let find = |file: &FileId| {
            let package = self.packages.files[file.0 as usize].0.0 as usize;
            let unread = self.outside.unread.get(&self.packages.about[package].0)?;
            files.guarded(*file, || self.unread_in(files, *file, unread, &calls, known, is_test))
        };
        asked.par_iter().filter_map(find).flatten_iter().collect()
    }

    fn unread_in(
        &self,
        files: &Files<'_>,
        file: FileId,
        unread: &BTreeMap<String, Unread>,
        calls: &BTreeMap<LibraryId, FxHashSet<&str>>,
        known: &FxHashSet<ItemRef>,
        is_test: &(dyn Fn(FileId, ItemId) -> bool + Sync),
    ) -> Vec<(String, Gap)> {
        let is_named = |text: &[u8], ident: &str| memchr::memmem::find(text, format!("{ident}::").as_bytes()).is_some();
        let named: Vec<&Unread> = match files.bytes(file) {
            Ok(bytes) => unread.iter().filter(|(ident, _)| is_named(&bytes, ident)).map(|(_, unread)| unread).collect(),
            Err(_) => return Vec::new(),
        };
        let Some(data) = files.data(file).filter(|_| !named.is_empty()) else { return Vec::new() };
        let mut found = Vec::new();
        for id in data.outline.ids() {
            let item = data.outline.item(id);
            let Some(body) = item.body.filter(|_| item.kind == ItemKind::Function) else { continue };
            let is_inside = item.parent.is_some_and(|parent| data.outline.item(parent).kind == ItemKind::Function);
            if is_inside || known.contains(&ItemRef { file, item: id }) || is_test(file, id) {
                continue;
            }
            let text = data.text.get(body.start as usize..body.end as usize).unwrap_or_default();
            let is_call = |at: usize, name: &str| data.language.is_call(&text[..at], &text[at + name.len()..]);
            let mut called = data.language.names(text).filter(|(at, name)| is_call(*at, name));
            let met = called.find_map(|(at, name)| {
                let by = |unread: &&&Unread| unread.libraries.iter().any(|library| calls[library].contains(name));
                let any = named.iter().find(by).or(named.first().filter(|_| self.model.learned_words().begins(name)));
                any.map(|unread| (at, name, *unread))
            });
            let Some((at, name, unread)) = met else { continue };
            let libraries: BTreeSet<&str> =
                unread.libraries.iter().map(|library| self.model.library(*library).name.as_str()).collect();
            let libraries: Vec<&str> = libraries.into_iter().collect();
            let reason = format!(
                "`{name}` may belong to a session that comes through `{}`, which leads to {} and is not read",
                unread.package,
                libraries.join(", ")
            );
            let start = body.start + at as u32;
            found.push((
                unread.package.clone(),
                Gap { span: Span::new(file, start, start + name.len() as u32), reason },
            ));
        }
        found
    }
}

/// The calls that begin or end a transaction of a library, or take a connection out of its pool, but for those that many types
/// have.
fn calls(model: &Model, library: LibraryId) -> FxHashSet<&str> {
    let of_library =
        model.protocols().filter(|(_, protocol)| protocol.library == library).map(|(_, protocol)| protocol);
    let sessions = of_library.filter(|protocol| protocol.is_transaction() || protocol.implicit || protocol.pooled);
    let words = sessions.flat_map(|protocol| {
        let ends = protocol.endings.iter().filter(|end| matches!(end.kind, EndKind::Commit | EndKind::Rollback));
        let opens = protocol.openings.iter().map(|opening| opening.call.as_str());
        opens.chain(ends.map(|end| end.call.as_str()))
    });
    words.filter(|call| !model.standard().is_common(call)).collect()
}
