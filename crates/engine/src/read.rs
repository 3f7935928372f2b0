//! What does the first look at a file say: is it text, does it matter, what does it silence?

use crate::blocks::Blocks;
use crate::host::{self, Files};
use crate::memory::{Known, Memory};
use crate::names::{Names, Offered};
use crate::outcome::Skipped;
use crate::packages::Packages;
use crate::panics;
use crate::placed;
use crate::run::Engine;
use crate::suppress::{self, Suppression};
use crate::walk;
use crate::words::{TypeNames, Words, behind_dyn};
use rayon::prelude::*;
use rustc_hash::FxHashMap;
use sessionlint_analysis::{FileData, Host, ItemRef, cancels, may_begin};
use sessionlint_diagnostics::{FileId, Span};
use sessionlint_ir::{Item, ItemId, ItemKind};
use sessionlint_protocols::Model;
use std::borrow::Cow;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

/// Names that many functions have: one of them handing out a session says nothing about the others.
pub(crate) const COMMON_OPENERS: &[&str] = &[
    "new",
    "get",
    "default",
    "from",
    "build",
    "clone",
    "into_inner",
    "deref",
    "deref_mut",
    "poll",
    "poll_next",
    "call",
    "fmt",
    "try_from",
    "parse",
    "take",
    "write",
    "kind",
    "next",
    "into_future",
    "as_ref",
    "as_mut",
];

/// What the first look at a file gives.
#[derive(Clone, Default)]
pub(crate) struct Read {
    pub skipped: Option<Skipped>,
    pub suppressions: Vec<Suppression>,
    pub aliases: Vec<String>,
    pub handed: Vec<String>,
    /// Types that hold a pool, and new names of pools.
    pub pools: Vec<String>,
    /// New names that its imports give to connections of no pool.
    pub plain: Vec<String>,
    pub hot: bool,
    /// What its types say, as a number.
    pub said: u64,
    /// Whether it has a word that brings a pool's connections back to a clean state.
    pub resets: bool,
    /// Whether a method in it may commit: its type may be a transaction of the project's own.
    pub commits: bool,
    /// Whether an attribute in it may say in which file a module stands.
    pub names_files: bool,
    /// What it has `impl` blocks for, where it mentions no session.
    pub blocks: Blocks,
}

impl Engine {
    /// The first look at a file: is it text, does it matter, what does it silence?
    pub(crate) fn read(&self, files: &Files<'_>, file: FileId, packages: &Packages) -> Read {
        let path = &files.paths[file.0 as usize];
        let words = &packages.about[packages.files[file.0 as usize].0.0 as usize].2;
        let mut read = Read::default();
        panics::provoked("reading", || walk::shown(&self.options.directory, path));
        let bytes = files.bytes(file);
        let skip = |reason: String| {
            let path = walk::shown(&self.options.directory, path);
            Some(Skipped { path, reason, line: None, internal: false })
        };
        let bytes = match bytes {
            Ok(bytes) => bytes,
            Err(error) => {
                read.skipped = skip(format!("cannot be read: {error}"));
                return read;
            }
        };
        if u32::try_from(bytes.len()).is_err() {
            read.skipped = skip("larger than 4 GiB".to_owned());
            return read;
        }
        read.hot = words.wants_file(&bytes);
        if !read.hot {
            read.blocks = Blocks::of(&bytes);
        }
        let silences = memchr::memmem::find(&bytes, b"sessionlint:").is_some();
        read.commits = self.may_commit(&bytes);
        read.names_files = placed::may_name_files(&bytes);
        if !read.hot && !silences && !read.commits {
            // What is not looked at must still be text, or nobody would know that it was left out.
            if std::str::from_utf8(&bytes).is_err() {
                read.skipped = skip("not UTF-8".to_owned());
            }
            return read;
        }
        let Some(text) = host::decode(bytes) else {
            read.skipped = skip("not UTF-8".to_owned());
            (read.hot, read.names_files) = (false, false);
            return read;
        };
        let data = host::outlined(text, file);
        if silences {
            read.suppressions = suppress::find(&data.text, file, &data.outline);
        }
        if read.hot {
            read.resets = self
                .model
                .resetting_words()
                .any(|word| memchr::memmem::find(data.text.as_bytes(), word.as_bytes()).is_some());
            read.aliases = aliases(&data, words);
            read.plain = renamed(&data, &words.plain);
            read.pools = pooling(&data, words);
            read.handed = lending(&data, words, &read.plain);
            read.said = said(&data, &read);
        }
        let _ = files.data[file.0 as usize].set(Some(Arc::new(data)));
        read
    }
}

/// Renamed imports of a file that stand for a transaction, and types that name one.
fn aliases(data: &FileData, words: &Words) -> Vec<String> {
    let mut found = renamed(data, &words.types);
    // An alias may stand for a renamed import, a struct or enum for an alias.
    for is_kind in [|kind| kind == ItemKind::Alias, |kind| is_type(kind) && kind != ItemKind::Alias] {
        for item in data.outline.items.iter().filter(|item| is_kind(item.kind) && !is_error(item)) {
            let text = text_of(data, item.head);
            if words.transactions.named_in(text) || names_any(text, &found) {
                found.push(item.name.clone());
            }
        }
    }
    found
}

/// Renamed imports of a connection that a pool hands out, and types of a file that hold one.
fn lending(data: &FileData, words: &Words, plain: &[String]) -> Vec<String> {
    // Around a connection of no pool, with a `Drop` that may give it back: a pool of the project's own.
    let own_pool = |item: &Item, text: &str| {
        (words.plain.named_in(text) || names_any(text, plain)) && is_dropped(data, &item.name)
    };
    renamed_or_holding(data, &words.lent, own_pool)
}

/// Renamed imports of a pool, and types of a file that hold one.
fn pooling(data: &FileData, words: &Words) -> Vec<String> {
    renamed_or_holding(data, &words.pools, |_, _| false)
}

/// The new names that the imports of a file give to types, and the types of the file that name one of those, or that count
/// for another reason.
fn renamed_or_holding(data: &FileData, names: &TypeNames, counts: impl Fn(&Item, &str) -> bool) -> Vec<String> {
    let mut found = renamed(data, names);
    let holds = |item: &Item| {
        let text = text_of(data, item.head);
        names.named_in(text) || names_any(text, &found) || counts(item, text)
    };
    let types = data.outline.items.iter().filter(|item| is_type(item.kind) && !is_error(item) && holds(item));
    let types: Vec<String> = types.map(|item| item.name.clone()).collect();
    found.extend(types);
    found
}

/// The new names that the imports of a file give to types.
fn renamed(data: &FileData, names: &TypeNames) -> Vec<String> {
    let imports = data.outline.items.iter().filter(|item| item.kind == ItemKind::Use);
    imports.flat_map(|item| names.renamed_in(text_of(data, item.head))).collect()
}

fn names_any(text: &str, known: &[String]) -> bool {
    sessionlint_parser_rust::identifiers(text).any(|(_, name)| known.iter().any(|known| known == name))
}

/// Whether a file says what happens when a type is dropped.
pub(crate) fn is_dropped(data: &FileData, name: &str) -> bool {
    data.outline.items.iter().any(|block| is_drop_of(data, block, name))
}

/// Whether an item is the `Drop` of a type.
fn is_drop_of(data: &FileData, block: &Item, name: &str) -> bool {
    block.kind == ItemKind::Impl
        && text_of(data, block.header()).split_once("Drop for ").is_some_and(|(_, after)| {
            sessionlint_parser_rust::identifiers(after).next().is_some_and(|(_, first)| first == name)
        })
}

fn is_type(kind: ItemKind) -> bool {
    matches!(kind, ItemKind::Struct | ItemKind::Enum | ItemKind::Alias)
}

/// Whether a type is one for errors: what it names, it names in messages.
fn is_error(item: &Item) -> bool {
    item.name.ends_with("Error")
}

impl Engine {
    /// A second look at the files that name no library: they may use what the package puts around one. Whether there are any.
    pub(crate) fn read_again(
        &self,
        files: &Files<'_>,
        reads: &mut [Read],
        known: &Known,
        memory: &mut Memory,
        round: usize,
    ) -> bool {
        let cold: Vec<FileId> = files.ids().filter(|file| !reads[file.0 as usize].hot).collect();
        let has_one = |file: &FileId| {
            let Some(words) = &known.words[self.packages.files[file.0 as usize].0.0 as usize] else { return false };
            let slot = &files.data[file.0 as usize];
            if let Some(known) = slot.get() {
                return known.as_ref().is_some_and(|data| words.is_match(&data.text));
            }
            let Ok(bytes) = files.bytes(*file) else { return false };
            if !words.is_match(&bytes) {
                return false;
            }
            let data = host::decode(bytes).map(|text| Arc::new(host::outlined(text, *file)));
            let is_text = data.is_some();
            let _ = slot.set(data);
            is_text
        };
        let before = &*memory;
        let find = |file: FileId| before.named(round, file).or_else(|| files.guarded(file, || has_one(&file)));
        let found: Vec<(FileId, Option<bool>)> = cold.into_par_iter().map(|file| (file, find(file))).collect();
        let mut any = false;
        for (file, has_one) in found {
            let Some(has_one) = has_one else { continue };
            memory.set_named(round, file, has_one);
            reads[file.0 as usize].hot |= has_one;
            any |= has_one;
        }
        any
    }
}

/// A number for what the types, traits and implementations of a file say: two files with the same one give the same names.
pub(crate) fn said(data: &FileData, read: &Read) -> u64 {
    let mut hasher = DefaultHasher::new();
    (&read.aliases, &read.handed, &read.plain, &read.pools).hash(&mut hasher);
    for item in &data.outline.items {
        if is_type(item.kind) {
            text_of(data, item.head).hash(&mut hasher);
        } else if matches!(item.kind, ItemKind::Trait | ItemKind::Impl) {
            (&item.name, text_of(data, item.header())).hash(&mut hasher);
        }
    }
    hasher.finish()
}

/// The names in the heads of a file's types, and of its implementations of traits.
pub(crate) struct Heads<'d> {
    /// Structs, enums and aliases, with the names that they are made of.
    types: Vec<(&'d str, Vec<&'d str>)>,
    /// The traits that are implemented, with the names in what they are implemented for.
    traits: Vec<(String, Vec<&'d str>)>,
}

impl<'d> Heads<'d> {
    /// Those of a file; only the traits of the workspace that `is_trait` knows say something of what they are implemented for.
    pub fn of(data: &'d FileData, is_trait: &dyn Fn(&str) -> bool) -> Self {
        let imports = new_names(data);
        let names = |text: &'d str| -> Vec<&'d str> {
            let names = sessionlint_parser_rust::identifiers(text).map(|(_, name)| name);
            names.map(|name| imports.get(name).copied().unwrap_or(name)).collect()
        };
        let types = data.outline.items.iter().filter(|item| is_type(item.kind) && !is_error(item));
        let types = types.map(|item| (item.name.as_str(), names(text_of(data, item.head)))).collect();
        let blocks = data.outline.items.iter().filter(|item| item.kind == ItemKind::Impl);
        let traits = blocks.filter_map(|item| {
            let (before, after) = text_of(data, item.header()).split_once(" for ")?;
            let name = implemented(&with_old_names(before, &imports)).filter(|name| is_trait(name))?;
            Some((name, names(after)))
        });
        Self { types, traits: traits.collect() }
    }

    /// The types that name something known.
    pub fn owners(&self, is_known: &dyn Fn(&[&str]) -> bool) -> Vec<String> {
        self.types.iter().filter(|(_, names)| is_known(names)).map(|(name, _)| (*name).to_owned()).collect()
    }

    /// The traits that are implemented for something known.
    pub fn implemented_for(&self, is_known: &dyn Fn(&[&str]) -> bool) -> Vec<String> {
        self.traits.iter().filter(|(_, names)| is_known(names)).map(|(name, _)| name.clone()).collect()
    }
}

/// The trait that the first part of an `impl` header names.
fn implemented(before: &str) -> Option<String> {
    let path = before.trim_end();
    let mut depth = 0;
    let end = if path.ends_with('>') {
        path.char_indices().rev().find_map(|(at, c)| {
            depth += i32::from(c == '>') - i32::from(c == '<');
            (depth == 0).then_some(at)
        })?
    } else {
        path.len()
    };
    let name = path[..end].trim_end();
    let start = name.rfind(|c: char| !c.is_alphanumeric() && c != '_').map_or(0, |at| at + 1);
    (start < name.len() && start > 0).then(|| name[start..].to_owned())
}

/// The functions and macros of a file that make their callers worth a look.
pub(crate) fn offered(files: &Files<'_>, file: FileId, words: &Words, names: &Names, model: &Model) -> Offered {
    let Some(data) = files.data(file) else { return Offered::default() };
    let imports = new_names(data);
    let can_open = |item: &&Item| matches!(item.kind, ItemKind::Function | ItemKind::Macro);
    let mut offered = Offered { behind: behind_dyn(&data.text, model), ..Offered::default() };
    for item in data.outline.items.iter().filter(can_open).filter(|item| item.name != "_") {
        let signature = &*with_old_names(text_of(data, item.header()), &imports);
        let body = &*with_old_names(item.body.map_or("", |body| text_of(data, body)), &imports);
        let opens = match item.kind {
            ItemKind::Function => {
                if words.closes(signature, body) {
                    offered.closers.push(item.name.clone());
                }
                let runs = words.is_runner(signature, body);
                if runs {
                    offered.runners.push(item.name.clone());
                }
                words.is_opener(signature, names) || runs || words.makes(body) || may_begin(body)
            }
            _ => words.opens(body),
        };
        if opens {
            offered.openers.push(item.name.clone());
        }
    }
    offered
}

/// The new names that the imports of a file give, with the old ones.
fn new_names(data: &FileData) -> FxHashMap<&str, &str> {
    let imports = data.outline.items.iter().filter(|item| item.kind == ItemKind::Use);
    let texts = imports.map(|item| text_of(data, item.head)).filter(|text| text.contains(" as "));
    let mut found = FxHashMap::default();
    for text in texts {
        let names: Vec<&str> = sessionlint_parser_rust::identifiers(text).map(|(_, name)| name).collect();
        found.extend(names.windows(3).filter(|three| three[1] == "as").map(|three| (three[2], three[0])));
    }
    found.remove("_");
    found
}

/// A text in which names that an import gave stand as what they are elsewhere: words are looked for in it.
fn with_old_names<'t>(text: &'t str, imports: &FxHashMap<&str, &str>) -> Cow<'t, str> {
    if imports.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut new = String::new();
    let mut end = 0;
    for (at, name) in sessionlint_parser_rust::identifiers(text) {
        if let Some(old) = imports.get(name) {
            new.push_str(&text[end..at]);
            new.push_str(old);
            end = at + name.len();
        }
    }
    if end == 0 {
        return Cow::Borrowed(text);
    }
    new.push_str(&text[end..]);
    Cow::Owned(new)
}

fn text_of(data: &FileData, span: Span) -> &str {
    data.text.get(span.start as usize..span.end as usize).unwrap_or_default()
}

/// The functions of a file that are worth lowering, those of test code only when they are asked for.
pub(crate) fn select(
    files: &Files<'_>,
    file: FileId,
    words: &Words,
    names: &Names,
    with_tests: bool,
    holes: bool,
) -> Vec<ItemRef> {
    let Some(data) = files.data(file) else { return Vec::new() };
    let imports = new_names(data);
    let wanted = |id: &ItemId| {
        let item = data.outline.item(*id);
        let Some(body) = item.body.filter(|_| item.kind == ItemKind::Function) else { return false };
        if !with_tests && data.outline.is_test(*id) {
            return false;
        }
        // What is declared in a body is told with the function around it.
        if item.parent.is_some_and(|parent| data.outline.item(parent).kind == ItemKind::Function) {
            return false;
        }
        let text = |from: u32, to: u32| {
            with_old_names(data.text.get(from as usize..to as usize).unwrap_or_default(), &imports)
        };
        let inside = text(body.start, body.end);
        let signature = text(item.head.start, body.start);
        // A receiver by value has its type in the head of its block.
        let owner = item.parent.map(|parent| data.outline.item(parent)).filter(|_| takes_itself(&signature));
        let owns = owner.is_some_and(|owner| {
            sessionlint_parser_rust::identifiers(&text(owner.head.start, owner.header().end))
                .any(|(_, name)| names.aliases.contains(name))
        });
        owns || words.wants_function(&signature, &inside, names) || (holes && cancels(&inside))
    };
    data.outline.ids().filter(wanted).map(|item| ItemRef { file, item }).collect()
}

/// Whether a signature takes its receiver by value.
fn takes_itself(signature: &str) -> bool {
    signature.split_once('(').is_some_and(|(_, parameters)| {
        let first = parameters.trim_start();
        let first = first.strip_prefix("mut ").unwrap_or(first).trim_start();
        first.strip_prefix("self").is_some_and(|rest| rest.trim_start().starts_with([',', ')']))
    })
}
