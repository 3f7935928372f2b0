//! What does each written name mean? Names and types of a workspace, read on demand from outlines.

mod asking;
mod connections;
mod constants;
mod derived;
mod fields;
mod fragments;
mod generics;
mod holds;
mod host;
mod kept;
mod learned;
mod macros;
mod meant;
mod methods;
mod noted;
mod package;
mod parts;
mod resolve;
mod seen;
mod tests;
mod text;
mod through;
mod traits;
mod types;
mod unread;

pub use host::{FileData, Host};
pub use meant::{ItemRef, Locking, PackageId, Resolved, Scope, Ty};
pub use package::{Package, Unread};
pub use text::cancels;

use crate::fixpoint::Fixpoint;
use crate::sql::SqlEffect;
use kept::{Associated, Cache, FileNames, LearnedTypes, Methods, Owned, Step};
use rustc_hash::FxHashMap;
use sessionlint_diagnostics::{FileId, Span};
use sessionlint_ir::{Field, FunctionItem, ImplHeader, ItemKind, Signature, TypeRef};
use sessionlint_protocols::{Ending, LibraryId, Model, Protocol, ProtocolId, Versions};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Arc, OnceLock, RwLock};

/// How deep aliases, imports and globs are followed.
const MAX_DEPTH: u32 = 12;
/// So many lowered bodies are kept, for functions that are asked about again.
const MAX_BODIES: usize = 2000;

/// Names and types of a workspace.
pub struct Index<'h> {
    /// What the front end provides.
    pub host: &'h dyn Host,
    /// What is known about libraries.
    pub model: &'h Model,
    packages: Vec<Package>,
    holders: HashSet<String>,
    learned: LearnedTypes,
    /// For each file its package and module path.
    files: Vec<(PackageId, Vec<String>)>,
    names: Cache<FileId, FileNames>,
    fields: Cache<ItemRef, (Vec<Field>, Vec<String>)>,
    aliases: Cache<ItemRef, Option<(TypeRef, Vec<String>)>>,
    signatures: Cache<ItemRef, Option<Arc<Signature>>>,
    outputs: Cache<(ItemRef, Option<Ty>), Option<Ty>>,
    texts: Cache<(PackageId, String), Vec<String>>,
    constants: Cache<ItemRef, Option<(TypeRef, Option<String>)>>,
    owned: Fixpoint<ItemRef, Owned>,
    /// The derives and attributes that packages make.
    own_macros: Cache<PackageId, BTreeSet<String>>,
    /// The connections that structs hold in a field.
    connections: Cache<ItemRef, Option<(String, ProtocolId)>>,
    /// The connections that structs dereference to.
    guarded: Cache<ItemRef, Option<ProtocolId>>,
    holding: Cache<(ItemRef, u32), bool>,
    held: Cache<(ItemRef, u32), Option<ProtocolId>>,
    blocks: OnceLock<HashMap<String, Vec<ItemRef>>>,
    test_files: Cache<FileId, bool>,
    implementing: Cache<ItemRef, Vec<ItemRef>>,
    /// The traits that a trait asks for.
    above: Cache<ItemRef, Vec<ItemRef>>,
    named_traits: Cache<ItemRef, Option<Ty>>,
    /// The enums that say in which mode a transaction is opened.
    modes: Cache<ItemRef, bool>,
    methods: Cache<PackageId, Methods>,
    trait_methods: Cache<PackageId, HashMap<String, Vec<ItemRef>>>,
    extensions: Cache<(FileId, ProtocolId, String), Vec<ItemRef>>,
    /// The traits of the workspace that a file imports.
    imported_traits: Cache<FileId, Vec<ItemRef>>,
    /// The functions of a package that open the one writer of a store, by the call that does.
    writers: Cache<(PackageId, String), Vec<String>>,
    /// The types of a package of which one is meant for all calls, as they are named in a path.
    made_once: Cache<PackageId, Vec<String>>,
    /// What implementations say that associated types are.
    associated: Fixpoint<Associated, Ty>,
    /// Where paths lead from a place, by what stands for both.
    resolved: RwLock<FxHashMap<u128, Option<Resolved>>>,
    macros: Cache<PackageId, HashMap<String, Vec<ItemRef>>>,
    steps: RwLock<FxHashMap<u128, Option<Resolved>>>,
    /// The same where what it takes to find them is still to be found.
    paths: Fixpoint<Step, Option<Resolved>>,
    effects: Cache<String, SqlEffect>,
    bodies: RwLock<FxHashMap<ItemRef, Arc<FunctionItem>>>,
    /// Answers that a later check may still take.
    ledger: noted::Ledger,
}

impl<'h> Index<'h> {
    /// An index over packages, for each file its package and module path, and the names of the types that
    /// may hold a session, found without knowing what the names in them mean.
    pub fn new(
        host: &'h dyn Host,
        model: &'h Model,
        packages: Vec<Package>,
        files: Vec<(PackageId, Vec<String>)>,
        holders: HashSet<String>,
    ) -> Self {
        Self {
            holders,
            learned: LearnedTypes::default(),
            host,
            model,
            packages,
            files,
            names: Cache::new(),
            fields: Cache::new(),
            aliases: Cache::new(),
            signatures: Cache::new(),
            outputs: Cache::new(),
            texts: Cache::new(),
            constants: Cache::new(),
            owned: Fixpoint::default(),
            own_macros: Cache::new(),
            connections: Cache::new(),
            guarded: Cache::new(),
            holding: Cache::new(),
            held: Cache::new(),
            blocks: OnceLock::new(),
            test_files: Cache::new(),
            implementing: Cache::new(),
            above: Cache::new(),
            named_traits: Cache::new(),
            modes: Cache::new(),
            methods: Cache::new(),
            trait_methods: Cache::new(),
            extensions: Cache::new(),
            imported_traits: Cache::new(),
            writers: Cache::new(),
            made_once: Cache::new(),
            associated: Fixpoint::default(),
            resolved: RwLock::default(),
            macros: Cache::new(),
            steps: RwLock::default(),
            paths: Fixpoint::default(),
            effects: Cache::new(),
            bodies: RwLock::default(),
            ledger: noted::Ledger::default(),
        }
    }

    /// The package of a file.
    pub fn package_of(&self, file: FileId) -> &Package {
        &self.packages[self.package_id(file).0 as usize]
    }

    pub(crate) fn package_id(&self, file: FileId) -> PackageId {
        self.files[file.0 as usize].0
    }

    pub(crate) fn packages(&self) -> &[Package] {
        &self.packages
    }

    pub(crate) fn package(&self, id: PackageId) -> &Package {
        &self.packages[id.0 as usize]
    }

    /// Whether a library is among the dependencies of a file's package.
    pub fn in_play(&self, file: FileId, library: LibraryId) -> bool {
        let package = self.package_of(file);
        package.loose || package.libraries.contains(&library)
    }

    /// What running a text does.
    pub(crate) fn text_effect(&self, text: &str) -> SqlEffect {
        let known =
            self.effects.0.read().unwrap_or_else(|poisoned| poisoned.into_inner()).get(text).map(|(known, _)| **known);
        known.unwrap_or_else(|| *self.effects.get(text.to_owned(), || SqlEffect::of(text)))
    }

    /// Whether a fact about a library holds for the version that a file's package uses.
    pub fn holds(&self, file: FileId, library: LibraryId, when: Option<&Versions>) -> bool {
        let Some(when) = when else { return true };
        let package = self.model.library(library).crates.first();
        when.hold(package.and_then(|package| self.package_of(file).in_use.get(package)))
    }

    /// The end that a method of a session is, in the version that a file's package uses.
    pub fn ending<'p>(&self, file: FileId, protocol: &'p Protocol, call: &str) -> Option<&'p Ending> {
        let mut named = protocol.endings.iter().filter(|ending| ending.call == call);
        named.find(|ending| self.holds(file, protocol.library, ending.when.as_ref()))
    }

    /// The name by which others name the crate of a file.
    pub(crate) fn crate_of(&self, file: FileId) -> String {
        let own = Some(self.package_id(file));
        let mut named = self.package_of(file).dependencies.values().filter(|(_, package)| *package == own);
        named.next().map_or_else(|| "crate".to_owned(), |(real, _)| real.clone())
    }

    /// Whether a text stands in an item.
    pub(crate) fn has_text(&self, item: ItemRef, text: &str) -> bool {
        self.item_text(item, |item| item.head).is_some_and(|(whole, _)| whole.contains(text))
    }

    /// Whether a function gives a raw pointer.
    pub(crate) fn gives_pointer(&self, item: ItemRef) -> bool {
        let output = self.item_text(item, |item| item.header()).and_then(|(text, _)| text.split_once("->"));
        output.is_some_and(|(_, output)| output.contains("*mut ") || output.contains("*const "))
    }

    /// The module path of a file.
    pub fn module_of_file(&self, file: FileId) -> &[String] {
        &self.files[file.0 as usize].1
    }

    /// The module path of an item, file and inline modules together.
    pub fn module_of(&self, item: ItemRef) -> Vec<String> {
        let mut path = self.files[item.file.0 as usize].1.clone();
        if let Some(data) = self.host.data(item.file) {
            path.extend(data.outline.module_path(item.item));
        }
        path
    }

    pub(crate) fn item_text(&self, item: ItemRef, part: fn(&sessionlint_ir::Item) -> Span) -> Option<(&str, Span)> {
        let data = self.host.data(item.file)?;
        let span = part(data.outline.item(item.item));
        self.reads_of(data, item, span);
        Some((data.text.get(span.start as usize..span.end as usize)?, span))
    }

    /// The text between the beginning of a function's attributes and its first word.
    pub(crate) fn attributes_of(&self, item: ItemRef) -> &str {
        let Some(data) = self.host.data(item.file) else { return "" };
        let known = data.outline.item(item.item);
        data.text.get(known.span.start as usize..known.head.start as usize).unwrap_or_default()
    }

    /// The kind and name of an item.
    pub fn item(&self, item: ItemRef) -> Option<&sessionlint_ir::Item> {
        Some(self.host.data(item.file)?.outline.item(item.item))
    }

    /// The scope around an item: its module, and the `impl` or trait that holds it.
    pub fn scope_of(&self, item: ItemRef) -> Scope<'static> {
        let inline = self.host.data(item.file).map(|data| data.outline.module_path(item.item)).unwrap_or_default();
        let parent =
            self.item(item).and_then(|item| item.parent).map(|parent| ItemRef { file: item.file, item: parent });
        let block = parent
            .filter(|parent| self.item(*parent).is_some_and(|up| matches!(up.kind, ItemKind::Impl | ItemKind::Trait)));
        let is_function = self.item(item).is_some_and(|item| item.kind == ItemKind::Function);
        let function = is_function.then_some(item);
        Scope { file: item.file, inline, imports: &[], generics: &[], self_ty: None, block, function }
    }

    /// The signature of a function.
    pub fn signature(&self, item: ItemRef) -> Option<Arc<Signature>> {
        let compute = || {
            let (text, span) = self.item_text(item, |item| item.header())?;
            self.host.signature(text, span).map(Arc::new)
        };
        self.signatures.get(item, compute).as_ref().clone()
    }

    /// A function with its body lowered. Few are kept: bodies are large, and what they do is remembered.
    pub fn function(&self, item: ItemRef) -> Option<Arc<FunctionItem>> {
        let (text, span) = self.item_text(item, |item| item.head)?;
        if let Some(known) = self.bodies.read().unwrap_or_else(|poisoned| poisoned.into_inner()).get(&item) {
            return Some(Arc::clone(known));
        }
        let function = Arc::new(self.host.function(text, span, &|path| self.macro_text(item.file, path))?);
        let mut bodies = self.bodies.write().unwrap_or_else(|poisoned| poisoned.into_inner());
        if bodies.len() >= MAX_BODIES {
            bodies.clear();
        }
        bodies.insert(item, Arc::clone(&function));
        Some(function)
    }

    /// The header of the `impl` block around an item.
    pub fn impl_of(&self, item: ItemRef) -> Option<(ItemRef, &'h ImplHeader)> {
        let parent = self.item(item)?.parent?;
        let parent = ItemRef { file: item.file, item: parent };
        (self.item(parent)?.kind == ItemKind::Impl).then_some(())?;
        Some((parent, self.header(parent)?))
    }

    /// What the `impl` block or trait around an item says before its brace.
    pub(super) fn header_around(&self, item: ItemRef) -> Option<&'h ImplHeader> {
        let parent = ItemRef { file: item.file, item: self.item(item)?.parent? };
        matches!(self.item(parent)?.kind, ItemKind::Impl | ItemKind::Trait).then(|| self.header(parent))?
    }

    fn header(&self, item: ItemRef) -> Option<&'h ImplHeader> {
        let data = self.data(item.file)?;
        let compute = || {
            let span = data.outline.item(item.item).header();
            let header = self.host.impl_header(data.text.get(span.start as usize..span.end as usize)?, span)?;
            Some(fragments::filled(self.host, data, item.item, header))
        };
        data.headers[item.item.0 as usize].get_or_init(compute).as_ref()
    }

    /// A file, for as long as the host has it.
    fn data(&self, file: FileId) -> Option<&'h FileData> {
        let host: &'h dyn Host = self.host;
        host.data(file)
    }
}
