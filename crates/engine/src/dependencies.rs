//! Which dependencies put something around the sessions of a known library? Their sources are read when that is asked for and
//! they are on the disk; of the others it is told that nobody read them.

use crate::lock::{Locked, Locks};
use crate::manifest::{Manifest, Manifests, stands_for};
use crate::sources::Sources;
use crate::walk;
use crate::words::Words;
use sessionlint_diagnostics::FileId;
use sessionlint_ir::{ItemKind, Language, Languages};
use sessionlint_protocols::{LibraryId, Model, Protocol};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A dependency of more files than this is a product of its own, and not something around a library.
const MAX_FILES: usize = 1000;

/// A package from outside of the workspace whose sources are read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Dependency {
    /// Its name.
    pub package: String,
    /// Its version.
    pub version: String,
    /// How many files were read of it.
    pub files: usize,
}

/// A package from outside that leads to libraries with sessions, and whose sources nobody reads.
#[derive(Clone, Debug)]
pub(crate) struct Unread {
    pub package: String,
    pub libraries: BTreeSet<LibraryId>,
}

/// What is known of the packages outside of a workspace.
#[derive(Default)]
pub(crate) struct Outside {
    /// Those that are read.
    pub read: Vec<Dependency>,
    /// Those that are not, by the package that depends on them and the name that it gives to each.
    pub unread: BTreeMap<PathBuf, BTreeMap<String, Unread>>,
}

/// Finds the dependencies of some packages that matter. With `reading` those whose sources are on this disk become packages
/// like those of the workspace.
/// Those that are there for tests alone count `with_tests`.
pub(crate) fn find(
    own: &BTreeSet<PathBuf>,
    languages: Languages,
    model: &Model,
    manifests: &mut Manifests,
    (reading, with_tests): (bool, bool),
) -> Outside {
    // Whoever packs or writes something with a library does not hand its writer on, most of the time.
    let wrapped = |protocol: &Protocol| protocol.is_transaction() || protocol.implicit || protocol.pooled;
    let sessions = model.protocols().filter(|(_, protocol)| wrapped(protocol));
    let sessions = sessions.map(|(_, protocol)| protocol.library).filter(|library| !model.library(*library).common);
    let mut search = Search {
        languages,
        model,
        manifests,
        with_tests,
        sources: Sources::new(),
        locks: Locks::default(),
        sessions: sessions.collect(),
        reached: HashMap::new(),
        judged: HashMap::new(),
        words: HashMap::new(),
    };
    let mut outside = Outside::default();
    for package in own {
        let name = search.manifests.load(package).map(|manifest| manifest.name.clone()).unwrap_or_default();
        let root = search.locks.place(package, &name).unwrap_or_else(|| package.clone());
        let unread = search.follow(package, &root, reading, None);
        if !unread.is_empty() {
            outside.unread.insert(package.clone(), unread);
        }
    }
    let places: Vec<PathBuf> = search.manifests.outside.keys().cloned().collect();
    for place in places {
        let files = search.files(&place).len();
        let Some(manifest) = search.manifests.load(&place) else { continue };
        let version = manifest.version.clone().unwrap_or_default();
        outside.read.push(Dependency { package: manifest.name.clone(), version, files });
    }
    outside.read.sort();
    outside
}

/// The Rust files of a package's library. What stands in no folder for tests is taken, whatever is ignored around it.
pub(crate) fn library_files(languages: Languages, manifest: &Manifest) -> Vec<PathBuf> {
    let is_test = |path: &Path| {
        let inside = path.strip_prefix(&manifest.directory).unwrap_or(path);
        let first = inside.components().next().and_then(|part| part.as_os_str().to_str());
        matches!(first, Some("tests" | "benches" | "examples" | "target"))
    };
    walk::below(&manifest.source, languages, true).into_iter().filter(|path| !is_test(path)).collect()
}

struct Search<'a> {
    languages: Languages,
    model: &'a Model,
    manifests: &'a mut Manifests,
    with_tests: bool,
    sources: Sources,
    locks: Locks,
    /// The libraries that have sessions which can leak.
    sessions: BTreeSet<LibraryId>,
    /// The libraries that a locked package leads to, by the directory of the lock file's user and the package's name.
    reached: HashMap<(PathBuf, String), BTreeSet<LibraryId>>,
    /// Whether the sources in a directory matter.
    judged: HashMap<PathBuf, bool>,
    words: HashMap<BTreeSet<LibraryId>, Arc<Words>>,
}

impl Search<'_> {
    /// Places the dependencies of one package that matter. `outside` is what is locked of a package from outside. Those that
    /// lead to sessions and have no place are returned.
    fn follow(
        &mut self,
        package: &Path,
        root: &Path,
        reading: bool,
        outside: Option<&Option<Locked>>,
    ) -> BTreeMap<String, Unread> {
        let Some(manifest) = self.manifests.load(package).cloned() else { return BTreeMap::new() };
        let mut unread = BTreeMap::new();
        let mut places = BTreeMap::new();
        let mut kept = BTreeSet::new();
        for (ident, (name, path)) in &manifest.dependencies {
            let is_active = |locked: &Option<Locked>| {
                locked.as_ref().is_none_or(|locked| locked.dependencies.iter().any(|(known, _)| known == name))
            };
            if outside.is_some_and(|locked| !manifest.lasting.contains(ident) || !is_active(locked)) {
                continue;
            }
            kept.insert(ident.clone());
            // What is there for tests alone is left out with them.
            if !manifest.lasting.contains(ident) && !self.with_tests {
                continue;
            }
            if let Some(path) = path {
                // A neighbour in the same checkout.
                if outside.is_some() {
                    let place = self.matters(path, root, None).then(|| path.clone());
                    places.insert(ident.clone(), place);
                }
                continue;
            }
            let required = manifest.required.get(name).and_then(|(version, _)| version.clone());
            let libraries = self.led_to(root, ident, name, required.as_deref());
            let has_lock = self.locks.is_in(root);
            if self.is_known(ident, name) || (has_lock && libraries.is_empty()) {
                continue;
            }
            let place = reading.then(|| self.placed(root, name, required.as_deref())).flatten();
            let Some((directory, locked)) = place else {
                if !libraries.is_empty() {
                    unread.insert(ident.clone(), Unread { package: name.clone(), libraries });
                }
                continue;
            };
            if self.matters(&directory, root, locked) {
                places.insert(ident.clone(), Some(directory));
            }
        }
        self.manifests.place(package, |ident| outside.is_none() || kept.contains(ident), &places);
        unread
    }

    fn is_known(&self, ident: &str, name: &str) -> bool {
        let is_fork = stands_for(self.model, ident, name) != name.replace('-', "_");
        is_fork || self.model.knows_package(name) || self.model.libraries_through(name).next().is_some()
    }

    /// The libraries with sessions that a locked dependency leads to by packages that nobody knows.
    fn led_to(&mut self, root: &Path, ident: &str, name: &str, required: Option<&str>) -> BTreeSet<LibraryId> {
        if self.is_known(ident, name) {
            let known = self.model.libraries_of_crate(&stands_for(self.model, ident, name)).iter().copied();
            let all = known.chain(self.model.libraries_through(name));
            return all.filter(|library| self.sessions.contains(library)).collect();
        }
        let key = (root.to_path_buf(), name.to_owned());
        if let Some(known) = self.reached.get(&key) {
            return known.clone();
        }
        // Packages may depend on each other for their tests.
        self.reached.insert(key.clone(), BTreeSet::new());
        let dependencies = self.locks.package(root, name, required).map(|locked| locked.dependencies.clone());
        let mut found = BTreeSet::new();
        for (name, version) in dependencies.into_iter().flatten() {
            let required = version.map(|version| format!("={version}"));
            found.extend(self.led_to(root, &name.replace('-', "_"), &name, required.as_deref()));
        }
        self.reached.insert(key, found.clone());
        found
    }

    /// Where the sources of a dependency lie, and what is locked of it.
    fn placed(&mut self, root: &Path, name: &str, required: Option<&str>) -> Option<(PathBuf, Option<Locked>)> {
        let locked = self.locks.package(root, name, required).cloned();
        let is_patch = locked.as_ref().is_some_and(|locked| locked.source.is_none());
        if (is_patch || locked.is_none())
            && let Some(patched) = self.manifests.patched(root, name)
        {
            return Some((patched, locked));
        }
        if locked.is_none() && self.locks.is_in(root) {
            return None;
        }
        Some((self.sources.find(root, name, required, locked.as_ref())?, locked))
    }

    /// Whether the sources of a package put something around the sessions of a library, or hand them on. They are read, then.
    fn matters(&mut self, directory: &Path, root: &Path, locked: Option<Locked>) -> bool {
        if let Some(known) = self.judged.get(directory) {
            return *known;
        }
        self.judged.insert(directory.to_path_buf(), false);
        let is_library = |manifest: &Manifest| !manifest.macros && !manifest.name.is_empty();
        if !self.manifests.load(directory).is_some_and(is_library) {
            return false;
        }
        self.follow(directory, root, true, Some(&locked));
        let matters = self.has_sessions(directory);
        if matters {
            self.manifests.outside.insert(directory.to_path_buf(), root.to_path_buf());
            self.judged.insert(directory.to_path_buf(), true);
        }
        matters
    }

    /// Whether a type or function of a package has a library's session in its head, or its files hand on those of another
    /// package that matters.
    fn has_sessions(&mut self, directory: &Path) -> bool {
        let libraries = self.manifests.libraries(directory, self.model);
        if libraries.intersection(&self.sessions).next().is_none() {
            return false;
        }
        let files = self.files(directory);
        if files.len() > MAX_FILES {
            return false;
        }
        let libraries = libraries.intersection(&self.sessions).copied().collect();
        let words = self
            .words
            .entry(libraries)
            .or_insert_with_key(|libraries| Arc::new(Words::new(self.model, Some(libraries))));
        let words = Arc::clone(words);
        let Some(manifest) = self.manifests.load(directory) else { return false };
        let handed_on: Vec<String> = manifest
            .dependencies
            .iter()
            .filter(|(_, (_, path))| path.is_some())
            .map(|(ident, _)| ident.clone())
            .collect();
        files.iter().any(|path| {
            let Ok(text) = std::fs::read_to_string(path) else { return false };
            let hands_on = handed_on.iter().any(|ident| text.contains(&format!("{ident}::")));
            hands_on
                || (words.wants_file(text.as_bytes()) && has_session_in_a_head(self.languages.of(path), text, &words))
        })
    }

    fn files(&mut self, directory: &Path) -> Vec<PathBuf> {
        let languages = self.languages;
        self.manifests.load(directory).map(|manifest| library_files(languages, manifest)).unwrap_or_default()
    }
}

/// Whether a type, function or import of a text that is no test names a session or what gives one.
fn has_session_in_a_head(language: Language, text: String, words: &Words) -> bool {
    let data = crate::host::outlined(language, text, FileId(0));
    let named = |text: &str| {
        [&words.types, &words.transactions, &words.lent, &words.plain, &words.pools]
            .iter()
            .any(|names| names.named_in(language, text))
    };
    data.outline.ids().any(|id| {
        let item = data.outline.item(id);
        let head = match item.kind {
            ItemKind::Function | ItemKind::Impl => item.header(),
            ItemKind::Struct | ItemKind::Enum | ItemKind::Alias | ItemKind::Use => item.span,
            _ => return false,
        };
        let text = |from: u32, to: u32| data.text.get(from as usize..to as usize).unwrap_or_default();
        let is_handed_on = item.kind == ItemKind::Impl || text(item.span.start, item.head.start).contains("pub");
        is_handed_on && !data.outline.is_test(id) && named(text(head.start, head.end))
    })
}
