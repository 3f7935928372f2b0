//! Which types of the workspace are transactions? Finds the files that may say so, and adds what is learned to the model.

use crate::heads::{Read, said};
use crate::host::{self, Files, Overlay};
use crate::memory::{Memory, Taught};
use crate::packages::with_files;
use crate::placed::modules;
use crate::run::Engine;
use crate::settings::Failure;
use crate::{panics, paths};
use rayon::prelude::*;
use sessionlint_analysis::{Host, Index, ItemRef, Learned, learn};
use sessionlint_diagnostics::{FileId, Span};
use sessionlint_ir::{ItemKind, Language};
use sessionlint_protocols::{Model, ProtocolId};
use std::collections::HashSet;
use std::fmt::Write;
use std::sync::Arc;

/// What was learned from a workspace.
#[derive(Default)]
pub(crate) struct Workspace {
    /// The model with it; `None` when there is nothing.
    pub model: Option<Model>,
    pub types: Vec<(ItemRef, ProtocolId)>,
    /// Those of libraries whose sources stand in the workspace.
    pub vendored: Vec<(ItemRef, ProtocolId)>,
    pub learned: Vec<Learned>,
}

impl Engine {
    /// The transactions of the project's own in the files that were asked for, each with its evidence, one a line.
    ///
    /// # Errors
    /// When this program panics.
    pub fn show_learned(&self) -> Result<String, Failure> {
        panics::caught(|| self.on_threads(|| self.shown_learned())).map_err(Failure::Internal)
    }

    fn shown_learned(&self) -> String {
        let overlay = Overlay::new();
        let files = Files::new(&self.known, self.languages, &overlay);
        let (_, workspace) = self.first_look(&files, &overlay, &mut Memory::default(), &|_, _, _| {});
        let place = |span: Span| {
            let path = paths::shown(&self.options.directory, &files.paths[span.file.0 as usize]);
            format!("{path}:{}", files.line(span.file, span.start).unwrap_or(0))
        };
        let mut out = String::new();
        for one in &workspace.learned {
            let Some(data) = files.data(one.item.file) else { continue };
            let protocol = &one.protocol;
            let ends: Vec<String> = protocol.endings.iter().map(|end| format!("`{}`", end.call)).collect();
            let at = place(data.outline.item(one.item.item).header());
            let _ = writeln!(
                out,
                "{at}: {} (class {}) is ended by {}; dropping it {}",
                protocol.path,
                protocol.class.as_str(),
                ends.join(" or "),
                protocol.on_drop
            );
            for proof in &one.evidence {
                let _ = writeln!(out, "    {}: {} {}", place(proof.at), proof.source, proof.says);
            }
        }
        out
    }

    /// Whether a text has a method by which a transaction may be committed.
    pub(crate) fn may_commit(&self, language: Language, bytes: &[u8]) -> bool {
        let words = &self.model().learned_words().commits;
        words.iter().any(|word| language.may_declare(bytes, word))
    }

    /// The transactions of the project's own. Their files count as such that use a session.
    pub(crate) fn learned(&self, files: &Files<'_>, reads: &mut [Read], memory: &mut Memory) -> Workspace {
        let mut asked: Vec<FileId> = files.ids().filter(|file| reads[file.0 as usize].commits).collect();
        let mut learned = self.learn_from(files, reads, &asked, memory);
        let traits: Vec<&str> = learned.iter().filter_map(|one| trait_name(files, one)).collect();
        if !traits.is_empty() {
            // Other traits stand for them, in files that say nothing else.
            let names: Vec<String> = traits.into_iter().map(str::to_owned).collect();
            let more = naming(files, &asked, &names);
            if !more.is_empty() {
                asked.extend(more);
                asked.sort();
                learned = self.learn_from(files, reads, &asked, memory);
            }
        }
        let described = self.described(files, reads);
        let vendored = self.vendored(files, reads);
        learned.retain(|one| {
            let is_known = described.iter().chain(&vendored).any(|(item, _)| *item == one.item);
            !is_known && !self.model().is_unlearned(&one.protocol.path)
        });
        let known = !learned.is_empty() || !described.is_empty();
        let with = || self.model().with_learned(learned.iter().map(|one| one.protocol.clone()).collect());
        let (model, ids) = known.then(with).unzip();
        let ids = ids.into_iter().flatten();
        let types: Vec<(ItemRef, ProtocolId)> = learned.iter().map(|one| one.item).zip(ids).chain(described).collect();
        for (item, _) in types.iter().chain(&vendored) {
            let (Some(data), read) = (files.data(item.file), &mut reads[item.file.0 as usize]) else { continue };
            read.aliases.push(data.outline.item(item.item).name.clone());
            read.hot = true;
            read.said = said(data, read);
        }
        Workspace { model, types, vendored, learned }
    }

    /// The types of the workspace that rules.toml describes.
    fn described(&self, files: &Files<'_>, reads: &[Read]) -> Vec<(ItemRef, ProtocolId)> {
        let paths = self.model().own_paths();
        if paths.is_empty() {
            return Vec::new();
        }
        let index = self.index(files, reads, &[]);
        let found = paths.iter().filter_map(|path| {
            let segments: Vec<String> = path.split("::").map(str::to_owned).collect();
            Some((index.type_at(path)?, self.model().type_at(&segments)?))
        });
        found.collect()
    }

    /// The types of libraries that are packages of the workspace, and that others of it depend on.
    fn vendored(&self, files: &Files<'_>, reads: &[Read]) -> Vec<(ItemRef, ProtocolId)> {
        let names = self.packages.about.iter().map(|(_, name, _)| name);
        let known: Vec<&String> = names.filter(|name| !self.model().libraries_of_crate(name).is_empty()).collect();
        if known.is_empty() {
            return Vec::new();
        }
        let index = self.index(files, reads, &[]);
        known.into_iter().flat_map(|name| index.vendored(name)).collect()
    }

    /// What these files say of transactions, from before where that still holds.
    fn learn_from(&self, files: &Files<'_>, reads: &[Read], asked: &[FileId], memory: &mut Memory) -> Vec<Learned> {
        if asked.is_empty() {
            return Vec::new();
        }
        let index = self.index(files, reads, asked);
        if !self.options.keep {
            return learn(&index, asked);
        }
        let setting = index.setting(&(memory.shapes(), memory.unread, asked));
        let holds = |kept: &&Taught| kept.setting == setting && index.stands(&kept.basis);
        if let Some(kept) = memory.taught.iter().find(holds) {
            return kept.learned.clone();
        }
        let (learned, basis) = index.with_basis(|| learn(&index, asked));
        memory.teach(Taught { setting, basis, learned: learned.clone() });
        learned
    }

    /// An index over what is known without anything that is learned.
    fn index<'f>(&'f self, files: &'f Files<'_>, reads: &[Read], asked: &[FileId]) -> Index<'f> {
        let is_read = |file: FileId| reads[file.0 as usize].hot || asked.binary_search(&file).is_ok();
        let (packages, placed) = modules(&self.packages, files, reads);
        let packages = with_files(packages, &placed, reads, is_read);
        Index::new(files, self.model(), packages, placed, HashSet::new())
    }
}

/// The name of a trait that was learned.
fn trait_name<'f>(files: &'f Files<'_>, one: &Learned) -> Option<&'f str> {
    let item = files.data(one.item.file)?.outline.item(one.item.item);
    (item.kind == ItemKind::Trait).then_some(item.name.as_str())
}

/// The other files that have one of the names and declare a trait.
fn naming(files: &Files<'_>, known: &[FileId], names: &[String]) -> Vec<FileId> {
    let Ok(words) = aho_corasick::AhoCorasick::new(names) else { return Vec::new() };
    let others: Vec<FileId> = files.ids().filter(|file| known.binary_search(file).is_err()).collect();
    let has_one = |file: &FileId| {
        let wanted = |bytes: &[u8]| files.language(*file).may_declare_traits(bytes) && words.is_match(bytes);
        let slot = &files.data[file.0 as usize];
        if let Some(known) = slot.get() {
            return known.as_ref().is_some_and(|data| wanted(data.text.as_bytes()));
        }
        let Ok(bytes) = files.bytes(*file) else { return false };
        if !wanted(&bytes) {
            return false;
        }
        let data = host::decode(bytes).map(|text| Arc::new(host::outlined(files.language(*file), text, *file)));
        let is_text = data.is_some();
        let _ = slot.set(data);
        is_text
    };
    others.into_par_iter().filter(|file| files.guarded(*file, || has_one(file)).unwrap_or_default()).collect()
}
