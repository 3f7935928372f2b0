//! What does each written name mean? Names and types of a workspace, read on demand from outlines.

mod connections;
mod derived;
mod fragments;
mod generics;
mod resolve;
mod tests;
mod text;
mod through;
mod traits;
mod types;
mod unread;

pub use types::Ty;
pub use unread::Unread;

use crate::sql::SqlEffect;
use rustc_hash::FxHashMap;
use sessionlint_diagnostics::{FileId, Span};
use sessionlint_ir::{Field, FunctionItem, ImplHeader, Import, ItemId, ItemKind, Outline, Signature, TypeRef};
use sessionlint_protocols::{CancelUnsafe, Ending, InUse, LibraryId, Model, Protocol, ProtocolId, Versions};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::hash::Hash;
use std::sync::{Arc, OnceLock, RwLock};

/// How deep aliases, imports and globs are followed.
const MAX_DEPTH: u32 = 12;
/// So many lowered bodies are kept, for functions that are asked about again.
const MAX_BODIES: usize = 2000;

/// Index of a package in an [`Index`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PackageId(pub u32);

/// One item of the workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ItemRef {
    /// Its file.
    pub file: FileId,
    /// Its place in the file's outline.
    pub item: ItemId,
}

/// A package: where its modules are and which crates it can name.
#[derive(Clone, Debug, Default)]
pub struct Package {
    /// Files by module path; a package with a library and binaries has several roots.
    pub modules: BTreeMap<Vec<String>, Vec<FileId>>,
    /// Crate identifiers it can name: the identifier of the package behind it, and the package when
    /// it is one of this workspace.
    pub dependencies: BTreeMap<String, (String, Option<PackageId>)>,
    /// The libraries that its dependencies bring in, also through other packages of the workspace.
    pub libraries: BTreeSet<LibraryId>,
    /// Files that mention a session: where methods of its types are looked for.
    pub indexed: Vec<FileId>,
    /// The others, by what they implement.
    pub unread: Unread,
    /// Files that are test code by where they stand.
    pub tests: BTreeSet<FileId>,
    /// Whether its dependencies are unknown: then any known library may be named.
    pub loose: bool,
    /// The versions of packages that may be in use, where that is known.
    pub in_use: BTreeMap<String, InUse>,
    /// The features that it asks of packages.
    pub features: BTreeMap<String, BTreeSet<String>>,
    /// Whether it brings the connections of its pools back to a clean state itself.
    pub resets: bool,
    /// Whether a call that opens sessions must not be cancelled, in the version and with the features that it uses.
    pub holes: bool,
}

impl Package {
    /// Whether it can name another package of the workspace.
    pub(crate) fn leads_to(&self, package: PackageId) -> bool {
        self.dependencies.values().any(|(_, other)| *other == Some(package))
    }

    /// Whether a call must not be cancelled, in the version and with the features that the package uses.
    pub fn has_hole(&self, hole: &CancelUnsafe) -> bool {
        let features = || self.features.values().flatten();
        let has = |wanted: &[String]| features().any(|feature| wanted.contains(feature));
        self.in_use.get(&hole.package).is_some_and(|in_use| hole.versions.hold(Some(in_use)))
            && has(&hole.features)
            && !has(&hole.unless)
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

/// A file's text and outline.
#[derive(Debug)]
pub struct FileData {
    /// The text.
    pub text: String,
    /// Its items.
    pub outline: Outline,
    /// What the headers of its `impl` blocks say, read when somebody asks; it stays true as long as the text does.
    headers: Vec<OnceLock<Option<ImplHeader>>>,
    /// The methods in it, by the name of the type or trait that they belong to.
    methods: OnceLock<Vec<(String, Vec<ItemId>)>>,
}

impl FileData {
    /// A text with its items.
    pub fn new(text: String, outline: Outline) -> Self {
        let headers = outline.items.iter().map(|_| OnceLock::new()).collect();
        Self { text, outline, headers, methods: OnceLock::new() }
    }
}

/// What the front end of a language and the engine provide.
pub trait Host: Sync {
    /// The text and outline of a file; `None` when it cannot be read.
    fn data(&self, file: FileId) -> Option<&FileData>;
    /// The fields and type parameters of a struct, union or enum.
    fn fields(&self, text: &str, span: Span) -> Option<(Vec<Field>, Vec<String>)>;
    /// What an alias stands for, and its type parameters.
    fn alias(&self, text: &str, span: Span) -> Option<(TypeRef, Vec<String>)>;
    /// The header of an `impl` block.
    fn impl_header(&self, text: &str, span: Span) -> Option<ImplHeader>;
    /// The names that an import brings in.
    fn imports(&self, text: &str, span: Span) -> Option<Vec<Import>>;
    /// The type of a constant, and its text when it is a text literal.
    fn constant(&self, text: &str, span: Span) -> Option<(TypeRef, Option<String>)>;
    /// The text of a file that source code includes: its path from the including file, or from that one's package.
    fn included(&self, file: FileId, path: &str, from_package: bool) -> Option<String>;
    /// A function's signature.
    fn signature(&self, text: &str, span: Span) -> Option<Signature>;
    /// A function with its body lowered; `macros` gives the text of the workspace's own macros by path.
    fn function(&self, text: &str, span: Span, macros: &dyn Fn(&[String]) -> Option<String>) -> Option<FunctionItem>;
}

/// Where a name is looked up.
#[derive(Clone, Debug)]
pub struct Scope<'a> {
    /// The file.
    pub file: FileId,
    /// The inline modules around the place, outermost first.
    pub inline: Vec<String>,
    /// Imports inside the function.
    pub imports: &'a [Import],
    /// Type parameters with their bounds.
    pub generics: &'a [(String, Vec<TypeRef>)],
    /// What `Self` stands for.
    pub self_ty: Option<Ty>,
    /// The `impl` block or trait around the place.
    pub block: Option<ItemRef>,
}

/// What a path leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resolved {
    /// A path into a crate outside the workspace, the crate's real identifier first.
    External(Arc<[String]>),
    /// An item of the workspace, and the names that follow it (`Type::new`).
    Item(ItemRef, Vec<String>),
    /// A module of the workspace.
    Module(PackageId, Vec<String>),
}

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
    names: Cache<FileId, resolve::FileNames>,
    fields: Cache<ItemRef, (Vec<Field>, Vec<String>)>,
    aliases: Cache<ItemRef, Option<(TypeRef, Vec<String>)>>,
    signatures: Cache<ItemRef, Option<Arc<Signature>>>,
    outputs: Cache<(ItemRef, Option<Ty>), Option<Ty>>,
    texts: Cache<(PackageId, String), Vec<String>>,
    constants: Cache<ItemRef, Option<(TypeRef, Option<String>)>>,
    owned: Cache<ItemRef, Option<(String, ProtocolId)>>,
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
    methods: Cache<PackageId, Methods>,
    trait_methods: Cache<PackageId, HashMap<String, Vec<ItemRef>>>,
    extensions: Cache<(FileId, ProtocolId, String), Vec<ItemRef>>,
    /// The traits of the workspace that a file imports.
    imported_traits: Cache<FileId, Vec<ItemRef>>,
    /// The functions of a package that open the one writer of a store, by the call that does.
    writers: Cache<(PackageId, String), Vec<String>>,
    /// What implementations say that associated types are.
    associated: Cache<(ItemRef, String), Option<ItemRef>>,
    /// Where paths lead from a place, by what stands for both.
    resolved: RwLock<FxHashMap<u128, Option<Resolved>>>,
    macros: Cache<PackageId, HashMap<String, Vec<ItemRef>>>,
    steps: RwLock<FxHashMap<u128, Option<Resolved>>>,
    effects: Cache<String, SqlEffect>,
    bodies: RwLock<FxHashMap<ItemRef, Arc<FunctionItem>>>,
}

/// Types of the workspace that are sessions, both ways.
#[derive(Default)]
struct LearnedTypes {
    protocols: FxHashMap<ItemRef, ProtocolId>,
    items: FxHashMap<ProtocolId, ItemRef>,
}

/// The methods of a package.
#[derive(Default)]
struct Methods {
    /// By the name of their type or trait.
    by_owner: HashMap<String, Vec<ItemRef>>,
    /// Names that more than one type or trait has.
    shared: HashSet<String>,
}

/// Values computed once for each key. Two threads may compute the same value; both get the first.
struct Cache<K, V>(RwLock<FxHashMap<K, Arc<V>>>);

impl<K: Eq + Hash, V> Cache<K, V> {
    fn new() -> Self {
        Self(RwLock::default())
    }

    fn get(&self, key: K, compute: impl FnOnce() -> V) -> Arc<V> {
        if let Some(known) = self.0.read().unwrap_or_else(|poisoned| poisoned.into_inner()).get(&key) {
            return Arc::clone(known);
        }
        let value = Arc::new(compute());
        let mut known = self.0.write().unwrap_or_else(|poisoned| poisoned.into_inner());
        Arc::clone(known.entry(key).or_insert(value))
    }
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
            owned: Cache::new(),
            own_macros: Cache::new(),
            connections: Cache::new(),
            guarded: Cache::new(),
            holding: Cache::new(),
            held: Cache::new(),
            blocks: OnceLock::new(),
            test_files: Cache::new(),
            implementing: Cache::new(),
            above: Cache::new(),
            methods: Cache::new(),
            trait_methods: Cache::new(),
            extensions: Cache::new(),
            imported_traits: Cache::new(),
            writers: Cache::new(),
            associated: Cache::new(),
            resolved: RwLock::default(),
            macros: Cache::new(),
            steps: RwLock::default(),
            effects: Cache::new(),
            bodies: RwLock::default(),
        }
    }

    /// The same with types of the workspace that are sessions, and what the model says of them.
    pub fn with_learned(mut self, learned: impl IntoIterator<Item = (ItemRef, ProtocolId)>) -> Self {
        for (item, id) in learned {
            self.learned.protocols.insert(item, id);
            self.learned.items.insert(id, item);
        }
        self
    }

    /// Whether any type of the workspace is a session.
    pub fn has_learned(&self) -> bool {
        !self.learned.items.is_empty()
    }

    /// Whether a type of the workspace is a session.
    pub(crate) fn is_learned(&self, item: ItemRef) -> bool {
        self.learned.protocols.contains_key(&item)
    }

    /// Whether a value of this type is a session of the project's own, or holds one.
    pub(crate) fn holds_learned(&self, ty: &Ty, protocol: ProtocolId, depth: u32) -> bool {
        let holds = |ty: &Ty| self.holds_learned(ty, protocol, depth);
        match ty {
            Ty::Known(id) => *id == protocol,
            Ty::Own(item, _) if self.learned.protocols.get(item) == Some(&protocol) => true,
            Ty::Own(item, _) if depth > 0 => {
                let scope = self.scope_of(*item);
                let fields = self.fields_of(*item);
                fields.0.iter().any(|field| self.holds_learned(&self.ty(&scope, &field.ty), protocol, depth - 1))
            }
            Ty::Ref(inner) | Ty::Fallible(inner) | Ty::Future(inner) | Ty::Cell(inner) | Ty::Collection(inner) => {
                holds(inner)
            }
            Ty::Tuple(parts) => parts.iter().any(holds),
            Ty::Own(..) | Ty::Statement | Ty::Work(_) | Ty::Unknown => false,
        }
    }

    /// The names of an enum's variants, as far as a look at its text tells; empty for anything else.
    pub(crate) fn variants(&self, owner: ItemRef) -> Vec<String> {
        if self.item(owner).is_none_or(|item| item.kind != ItemKind::Enum) {
            return Vec::new();
        }
        let body = self.item(owner).and_then(|item| item.body);
        let text = body.and_then(|body| self.host.data(owner.file)?.text.get(body.start as usize..body.end as usize));
        let names = text.unwrap_or_default().split(|c: char| !c.is_alphanumeric() && c != '_');
        names.filter(|name| name.starts_with(char::is_uppercase)).map(str::to_owned).collect()
    }

    /// Whether a protocol was learned from a trait.
    pub(crate) fn is_learned_trait(&self, protocol: ProtocolId) -> bool {
        let item = self.learned_item(protocol).and_then(|item| self.item(item));
        item.is_some_and(|item| item.kind == ItemKind::Trait)
    }

    /// Whether an enum says in which mode a transaction of the project's own is opened: for reading, or for writing too.
    pub(crate) fn is_mode(&self, owner: ItemRef) -> bool {
        let words = self.model.learned_words();
        self.has_learned() && self.variants(owner).iter().any(|name| words.reads_only(name).is_some())
    }

    /// The type of the workspace that a protocol was learned from.
    pub fn learned_item(&self, protocol: ProtocolId) -> Option<ItemRef> {
        self.learned.items.get(&protocol).copied().filter(|_| self.model.protocol(protocol).learned_from.is_some())
    }

    /// The type of the workspace that a protocol stands for, whoever says so.
    fn item_of(&self, protocol: ProtocolId) -> Option<ItemRef> {
        self.learned.items.get(&protocol).copied()
    }

    /// The type of the workspace that a full path names, the crate first.
    pub fn type_at(&self, path: &str) -> Option<ItemRef> {
        let segments: Vec<String> = path.split("::").map(str::to_owned).collect();
        let (krate, inside) = segments.split_first()?;
        let own = (0..)
            .map(PackageId)
            .zip(&self.packages)
            .find(|(id, package)| package.dependencies.get(krate).is_some_and(|(_, target)| *target == Some(*id)));
        match self.in_module(own?.0, &[], inside, &mut resolve::Trail::default())? {
            Resolved::Item(item, rest) if rest.is_empty() => Some(item),
            _ => None,
        }
    }

    /// The package of a file.
    pub fn package_of(&self, file: FileId) -> &Package {
        &self.packages[self.package_id(file).0 as usize]
    }

    fn package_id(&self, file: FileId) -> PackageId {
        self.files[file.0 as usize].0
    }

    fn package(&self, id: PackageId) -> &Package {
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
            self.effects.0.read().unwrap_or_else(|poisoned| poisoned.into_inner()).get(text).map(|known| **known);
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

    fn item_text(&self, item: ItemRef, part: fn(&sessionlint_ir::Item) -> Span) -> Option<(&str, Span)> {
        let data = self.host.data(item.file)?;
        let span = part(data.outline.item(item.item));
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
        Scope { file: item.file, inline, imports: &[], generics: &[], self_ty: None, block }
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
        if let Some(known) = self.bodies.read().unwrap_or_else(|poisoned| poisoned.into_inner()).get(&item) {
            return Some(Arc::clone(known));
        }
        let (text, span) = self.item_text(item, |item| item.head)?;
        let function = Arc::new(self.host.function(text, span, &|path| self.macro_text(item.file, path))?);
        let mut bodies = self.bodies.write().unwrap_or_else(|poisoned| poisoned.into_inner());
        if bodies.len() >= MAX_BODIES {
            bodies.clear();
        }
        bodies.insert(item, Arc::clone(&function));
        Some(function)
    }

    /// The text of the `macro_rules!` macro that a path means in a file: one of its package, or of a package that
    /// this one depends on. Of several with one name nobody knows which is meant.
    fn macro_text(&self, file: FileId, path: &[String]) -> Option<String> {
        let name = path.last()?;
        let own = self.package_id(file);
        let near = self.package(own).dependencies.values().filter_map(|(_, package)| *package);
        let found = std::iter::once(own).chain(near).find_map(|package| {
            let macros = self.macros.get(package, || self.macros_of(package));
            macros.get(name).cloned()
        });
        let item = match found?.as_slice() {
            [item] => *item,
            several => several.iter().copied().find(|item| item.file == file)?,
        };
        Some(self.item_text(item, |item| item.head)?.0.to_owned())
    }

    fn macros_of(&self, package: PackageId) -> HashMap<String, Vec<ItemRef>> {
        let mut found: HashMap<String, Vec<ItemRef>> = HashMap::new();
        for file in &self.package(package).indexed {
            let Some(data) = self.host.data(*file) else { continue };
            for id in data.outline.ids() {
                let item = data.outline.item(id);
                if item.kind == ItemKind::Macro && item.body.is_some() {
                    found.entry(item.name.clone()).or_default().push(ItemRef { file: *file, item: id });
                }
            }
        }
        found
    }

    /// The header of the `impl` block around an item.
    pub fn impl_of(&self, item: ItemRef) -> Option<(ItemRef, &'h ImplHeader)> {
        let parent = self.item(item)?.parent?;
        let parent = ItemRef { file: item.file, item: parent };
        (self.item(parent)?.kind == ItemKind::Impl).then_some(())?;
        Some((parent, self.header(parent)?))
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

    /// The methods called `name` of a type or trait of the workspace.
    pub fn methods(&self, owner: ItemRef, name: &str) -> Vec<ItemRef> {
        let Some(owner_item) = self.item(owner) else { return Vec::new() };
        let owner_name = owner_item.name.clone();
        let package = self.package_id(owner.file);
        let mut found = self.methods_in(package, &owner_name, name);
        let unread = self.unread_methods(package, owner, &owner_name);
        found.extend(unread.iter().filter(|method| self.item(**method).is_some_and(|item| item.name == name)));
        found.retain(|method| self.may_be_of(owner, &owner_name, *method));
        found.sort();
        found
    }

    /// Whether a method of something called like `owner` may be one of `owner`: several may have that name.
    fn may_be_of(&self, owner: ItemRef, name: &str, method: ItemRef) -> bool {
        let package = self.package_id(owner.file);
        let indexed = &self.package(package).indexed;
        let alone = indexed.contains(&owner.file)
            && (owner.file == method.file || indexed.contains(&method.file))
            && !self.methods_by_owner(package).shared.contains(name);
        alone
            || self
                .self_ty(method)
                .is_none_or(|ty| ty.is_unknown() || matches!(ty.peeled(), Ty::Own(other, _) if *other == owner))
    }

    /// The methods of a name that a package has for types and traits called `owner`.
    fn methods_in(&self, package: PackageId, owner: &str, name: &str) -> Vec<ItemRef> {
        let methods = self.methods_by_owner(package);
        let all = methods.by_owner.get(owner).into_iter().flatten().copied();
        all.filter(|method| self.item(*method).is_some_and(|item| item.name == name)).collect()
    }

    /// The methods of a package by the name of their type.
    fn methods_by_owner(&self, package: PackageId) -> Arc<Methods> {
        self.methods.get(package, || {
            let mut found = Methods::default();
            let mut types: HashSet<&str> = HashSet::new();
            for file in &self.package(package).indexed {
                for (owner, methods) in self.methods_of_file(*file) {
                    let methods = methods.iter().map(|item| ItemRef { file: *file, item: *item });
                    found.by_owner.entry(owner.clone()).or_default().extend(methods);
                }
                let Some(data) = self.data(*file) else { continue };
                let is_type = |kind| matches!(kind, ItemKind::Struct | ItemKind::Enum | ItemKind::Trait);
                for item in data.outline.items.iter().filter(|item| is_type(item.kind)) {
                    if !types.insert(&item.name) {
                        found.shared.insert(item.name.clone());
                    }
                }
            }
            found
        })
    }

    /// All methods of a type of the workspace with a name of their own, sorted by name.
    pub fn methods_of(&self, owner: ItemRef) -> Vec<(String, ItemRef)> {
        let Some(item) = self.item(owner) else { return Vec::new() };
        let package = self.package_id(owner.file);
        let mut all = self.methods_by_owner(package).by_owner.get(item.name.as_str()).cloned().unwrap_or_default();
        all.extend(self.unread_methods(package, owner, &item.name).iter());
        all.retain(|method| self.may_be_of(owner, &item.name, *method));
        let mut own: BTreeMap<String, ItemRef> = BTreeMap::new();
        for method in all {
            if let Some(item) = self.item(method) {
                own.entry(item.name.clone()).or_insert(method);
            }
        }
        own.into_iter().collect()
    }

    /// The methods of a file by the name of their type or trait.
    fn methods_of_file(&self, file: FileId) -> &'h [(String, Vec<ItemId>)] {
        let Some(data) = self.data(file) else { return &[] };
        data.methods.get_or_init(|| {
            let mut found: Vec<(String, Vec<ItemId>)> = Vec::new();
            for id in data.outline.ids() {
                let item = data.outline.item(id);
                let Some(parent) = item.parent.filter(|_| item.kind == ItemKind::Function) else { continue };
                let owner = match data.outline.item(parent).kind {
                    ItemKind::Impl => {
                        let header = self.header(ItemRef { file, item: parent });
                        header.and_then(|header| header.self_ty.last_segment().map(str::to_owned))
                    }
                    ItemKind::Trait => Some(data.outline.item(parent).name.clone()),
                    _ => None,
                };
                let Some(owner) = owner else { continue };
                match found.iter_mut().find(|(known, _)| *known == owner) {
                    Some((_, methods)) => methods.push(id),
                    None => found.push((owner, vec![id])),
                }
            }
            found
        })
    }

    /// The text of a constant, by path.
    pub fn constant_text(&self, scope: &Scope<'_>, path: &[String]) -> Option<String> {
        let Some(Resolved::Item(item, rest)) = self.resolve(scope, path) else { return None };
        let known = self.item(item)?;
        if known.kind != ItemKind::Constant || !rest.is_empty() {
            return None;
        }
        self.constant(item).as_ref().as_ref()?.1.clone()
    }

    /// The type of a constant, and its text when it is a text literal.
    fn constant(&self, item: ItemRef) -> Arc<Option<(TypeRef, Option<String>)>> {
        self.constants.get(item, || {
            let (text, span) = self.item_text(item, |item| item.head)?;
            self.host.constant(text, span)
        })
    }

    /// The texts of all associated constants of this name in a file's package, traits and their impls alike:
    /// which of them `Self::NAME` means is decided where the type is known.
    pub fn associated_texts(&self, file: FileId, name: &str) -> Arc<Vec<String>> {
        let package = self.package_id(file);
        self.texts.get((package, name.to_owned()), || self.associated_texts_of(package, name))
    }

    fn associated_texts_of(&self, package: PackageId, name: &str) -> Vec<String> {
        let mut texts = Vec::new();
        for file in &self.package(package).indexed {
            let Some(data) = self.host.data(*file) else { continue };
            for id in data.outline.ids() {
                let item = data.outline.item(id);
                let associated = item
                    .parent
                    .is_some_and(|parent| matches!(data.outline.item(parent).kind, ItemKind::Impl | ItemKind::Trait));
                if item.kind != ItemKind::Constant || item.name != name || !associated {
                    continue;
                }
                let Some(text) = data.text.get(item.head.start as usize..item.head.end as usize) else { continue };
                // Without a value it is only declared.
                if text.contains('=') {
                    texts.push(self.host.constant(text, item.head).and_then(|(_, text)| text).unwrap_or_default());
                }
            }
        }
        texts
    }

    /// The type of a constant or static, by path.
    pub fn constant_ty(&self, scope: &Scope<'_>, path: &[String]) -> Option<(ItemRef, Ty)> {
        let Some(Resolved::Item(item, rest)) = self.resolve(scope, path) else { return None };
        let known = self.item(item)?;
        if known.kind != ItemKind::Constant || !rest.is_empty() {
            return None;
        }
        let (ty, _) = self.constant(item).as_ref().clone()?;
        Some((item, self.ty(&self.scope_of(item), &ty)))
    }
}
