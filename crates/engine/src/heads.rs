//! What do the items of a file say, before any body is looked at?

use crate::host::Files;
use crate::names::{Names, Offered};
use crate::outcome::Skipped;
use crate::suppress::Suppression;
use crate::words::{Function, TypeNames, Words};
use rustc_hash::FxHashMap;
use sessionlint_analysis::{FileData, Host, ItemRef, cancels, may_begin};
use sessionlint_diagnostics::{FileId, Span};
use sessionlint_ir::{Blocks, Item, ItemId, ItemKind, Language};
use sessionlint_protocols::Model;
use std::borrow::Cow;
use std::hash::{DefaultHasher, Hash, Hasher};

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

/// The names in the heads of a file's types, and of its implementations of traits.
pub(crate) struct Heads<'d> {
    /// Structs, enums and aliases, with the names that they are made of.
    types: Vec<(&'d str, Vec<&'d str>)>,
    /// The traits that are implemented, with the names in what they are implemented for.
    traits: Vec<(&'d str, Vec<&'d str>)>,
}

impl<'d> Heads<'d> {
    /// Those of a file; only the traits of the workspace that `is_trait` knows say something of what they are implemented for.
    pub fn of(data: &'d FileData, is_trait: &dyn Fn(&str) -> bool) -> Self {
        let imports = new_names(data);
        let names = |text: &'d str| -> Vec<&'d str> {
            let names = data.language.names(text).map(|(_, name)| name);
            names.map(|name| imports.get(name).copied().unwrap_or(name)).collect()
        };
        let types = data.outline.items.iter().filter(|item| is_type(item.kind) && !is_error(item));
        let types = types.map(|item| (item.name.as_str(), names(text_of(data, item.head)))).collect();
        let blocks = data.outline.items.iter().filter(|item| item.kind == ItemKind::Impl);
        let traits = blocks.filter_map(|item| {
            let (name, owner) = data.language.implemented(text_of(data, item.header()))?;
            let name = imports.get(name).copied().unwrap_or(name);
            is_trait(name).then(|| (name, names(owner)))
        });
        Self { types, traits: traits.collect() }
    }

    /// The types that name something known.
    pub fn owners(&self, is_known: &dyn Fn(&[&str]) -> bool) -> Vec<String> {
        self.types.iter().filter(|(_, names)| is_known(names)).map(|(name, _)| (*name).to_owned()).collect()
    }

    /// The traits that are implemented for something known.
    pub fn implemented_for(&self, is_known: &dyn Fn(&[&str]) -> bool) -> Vec<String> {
        self.traits.iter().filter(|(_, names)| is_known(names)).map(|(name, _)| (*name).to_owned()).collect()
    }
}

/// Renamed imports of a file that stand for a transaction, and types that name one.
pub(crate) fn aliases(data: &FileData, words: &Words) -> Vec<String> {
    let mut found = renamed(data, &words.types);
    // An alias may stand for a renamed import, a struct or enum for an alias.
    for is_kind in [|kind| kind == ItemKind::Alias, |kind| is_type(kind) && kind != ItemKind::Alias] {
        for item in data.outline.items.iter().filter(|item| is_kind(item.kind) && !is_error(item)) {
            let text = text_of(data, item.head);
            if words.transactions.named_in(data.language, text) || names_any(data, text, &found) {
                found.push(item.name.clone());
            }
        }
    }
    found
}

/// Renamed imports of a connection that a pool hands out, and types of a file that hold one.
pub(crate) fn lending(data: &FileData, words: &Words, plain: &[String]) -> Vec<String> {
    // Around a connection of no pool, with a `Drop` that may give it back: a pool of the project's own.
    let own_pool = |item: &Item, text: &str| {
        (words.plain.named_in(data.language, text) || names_any(data, text, plain)) && is_dropped(data, &item.name)
    };
    renamed_or_holding(data, &words.lent, own_pool)
}

/// Renamed imports of a pool, and types of a file that hold one.
pub(crate) fn pooling(data: &FileData, words: &Words) -> Vec<String> {
    renamed_or_holding(data, &words.pools, |_, _| false)
}

/// The new names that the imports of a file give to types, and the types of the file that name one of those, or that count
/// for another reason.
fn renamed_or_holding(data: &FileData, names: &TypeNames, counts: impl Fn(&Item, &str) -> bool) -> Vec<String> {
    let mut found = renamed(data, names);
    let holds = |item: &Item| {
        let text = text_of(data, item.head);
        names.named_in(data.language, text) || names_any(data, text, &found) || counts(item, text)
    };
    let types = data.outline.items.iter().filter(|item| is_type(item.kind) && !is_error(item) && holds(item));
    let types: Vec<String> = types.map(|item| item.name.clone()).collect();
    found.extend(types);
    found
}

/// The new names that the imports of a file give to types.
pub(crate) fn renamed(data: &FileData, names: &TypeNames) -> Vec<String> {
    let imports = data.outline.items.iter().filter(|item| item.kind == ItemKind::Use);
    imports.flat_map(|item| names.renamed_in(data.language, text_of(data, item.head))).collect()
}

fn names_any(data: &FileData, text: &str, known: &[String]) -> bool {
    data.language.names(text).any(|(_, name)| known.iter().any(|known| known == name))
}

/// Whether a file says what happens when a type is dropped.
pub(crate) fn is_dropped(data: &FileData, name: &str) -> bool {
    data.outline.items.iter().any(|block| is_drop_of(data, block, name))
}

/// Whether an item says what happens when a type is dropped.
fn is_drop_of(data: &FileData, block: &Item, name: &str) -> bool {
    block.kind == ItemKind::Impl && data.language.dropped(text_of(data, block.header())) == Some(name)
}

fn is_type(kind: ItemKind) -> bool {
    matches!(kind, ItemKind::Struct | ItemKind::Enum | ItemKind::Alias)
}

/// Whether a type is one for errors: what it names, it names in messages.
fn is_error(item: &Item) -> bool {
    item.name.ends_with("Error")
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

/// The functions and macros of a file that make their callers worth a look.
pub(crate) fn offered(files: &Files<'_>, file: FileId, words: &Words, names: &Names, model: &Model) -> Offered {
    let Some(data) = files.data(file) else { return Offered::default() };
    let imports = new_names(data);
    let can_open = |item: &&Item| matches!(item.kind, ItemKind::Function | ItemKind::Macro);
    let dynamic = data.language.dynamic(&data.text).into_iter().filter(|name| !model.standard().is_everywhere(name));
    let mut offered = Offered { behind: dynamic.map(str::to_owned).collect(), ..Offered::default() };
    for item in data.outline.items.iter().filter(can_open).filter(|item| item.name != "_") {
        let signature = &*with_old_names(data.language, text_of(data, item.header()), &imports);
        let body = item.body.map_or("", |body| text_of(data, body));
        let body = &*with_old_names(data.language, body, &imports);
        let function = Function { language: data.language, name: &item.name, signature, body };
        let opens = match item.kind {
            ItemKind::Function => {
                if words.closes(&function) {
                    offered.closers.push(item.name.clone());
                }
                let runs = words.is_runner(&function);
                if runs {
                    offered.runners.push(item.name.clone());
                }
                words.is_opener(&function, names) || runs || words.makes(data.language, body) || may_begin(body)
            }
            _ => words.opens(data.language, body),
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
    let renamed = imports.flat_map(|item| data.language.renamed(text_of(data, item.head)));
    renamed.map(|(old, new)| (new, old)).collect()
}

/// A text in which names that an import gave stand as what they are elsewhere: words are looked for in it.
fn with_old_names<'t>(language: Language, text: &'t str, imports: &FxHashMap<&str, &str>) -> Cow<'t, str> {
    // To look for a few words is much quicker than to tell all names apart.
    if !imports.keys().any(|name| memchr::memmem::find(text.as_bytes(), name.as_bytes()).is_some()) {
        return Cow::Borrowed(text);
    }
    let mut new = String::new();
    let mut end = 0;
    for (at, name) in language.names(text) {
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
            with_old_names(data.language, data.text.get(from as usize..to as usize).unwrap_or_default(), &imports)
        };
        let inside = text(body.start, body.end);
        let signature = text(item.head.start, body.start);
        // A receiver by value has its type in the head of its block.
        let owner =
            item.parent.map(|parent| data.outline.item(parent)).filter(|_| data.language.takes_itself(&signature));
        let owns = owner.is_some_and(|owner| {
            let header = text(owner.head.start, owner.header().end);
            data.language.names(&header).any(|(_, name)| names.aliases.contains(name))
        });
        let function = Function { language: data.language, name: &item.name, signature: &signature, body: &inside };
        owns || words.wants_function(&function, names) || (holes && cancels(&inside))
    };
    data.outline.ids().filter(wanted).map(|item| ItemRef { file, item }).collect()
}
