//! Which packages are there, and which file is which module?

use crate::dependencies::library_files;
use crate::heads::{Heads, Read, is_dropped, offered};
use crate::host::Files;
use crate::lock::Locks;
use crate::manifest::{Manifest, Manifests, stands_for};
use crate::memory::{Known, Memory};
use crate::names::{Names, Offered, is_sharing};
use crate::panics;
use crate::paths;
use crate::settings::Options;
use crate::walk;
use crate::words::Words;
use rayon::prelude::*;
use rustc_hash::FxHashSet;
use sessionlint_analysis::{FileData, Host, Package, PackageId};
use sessionlint_diagnostics::FileId;
use sessionlint_ir::ItemKind;
use sessionlint_protocols::{LibraryId, Model};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The packages of a run.
pub(crate) struct Packages {
    pub packages: Vec<Package>,
    /// For each package its directory, crate identifier and words.
    pub about: Vec<(PathBuf, String, Arc<Words>)>,
    /// For each file its package and module path.
    pub files: Vec<(PackageId, Vec<String>)>,
}

/// How many structs may stand around a session, each in another file.
const MAX_OWNERS: usize = 3;

impl Packages {
    /// For each package the names that stand for sessions in it: its own, and those of the packages it leads to.
    pub fn names(
        &self,
        files: &Files<'_>,
        reads: &[Read],
        model: &Model,
        memory: &mut Memory,
        round: usize,
    ) -> Arc<Known> {
        panics::provoked("names", || "all".to_owned());
        let reached: Vec<Vec<usize>> = (0..self.packages.len()).map(|package| self.reached(package)).collect();
        let hot: Vec<FileId> = files.ids().filter(|file| reads[file.0 as usize].hot).collect();
        let said = hot.iter().map(|file| (*file, reads[file.0 as usize].said)).collect();
        let own = memory.types(round, said, || self.types(files, reads, &hot, &reached));
        let merged = |own: &[Names]| -> Vec<Names> {
            let all = |reached: &Vec<usize>| {
                let mut names = Names::default();
                reached.iter().for_each(|package| names.extend(&own[*package]));
                names
            };
            reached.iter().map(all).collect()
        };
        let types = merged(&own);
        let before = &*memory;
        let offering: Vec<(FileId, Option<Offered>)> = hot
            .into_par_iter()
            .map(|file| {
                let package = self.files[file.0 as usize].0.0 as usize;
                let find =
                    || files.guarded(file, || offered(files, file, &self.about[package].2, &types[package], model));
                (file, before.offered(round, file).is_none().then(find).flatten())
            })
            .collect();
        let mut own = own.as_ref().clone();
        for (file, found) in offering {
            if let Some(found) = found {
                memory.set_offered(round, file, found);
            }
            let package = self.files[file.0 as usize].0.0 as usize;
            let Some(offered) = memory.offered(round, file) else { continue };
            own[package].closers.extend(offered.closers.iter().cloned());
            own[package].behind.extend(offered.behind.iter().cloned());
            let is_common = |name: &&String| model.standard().is_shared(name);
            own[package].runners.extend(offered.runners.iter().filter(is_common).cloned());
            for name in &offered.openers {
                match model.standard().is_shared(name) {
                    false => own[package].openers.insert(name.clone()),
                    true => matches!(name.as_str(), "get" | "take") && own[package].bare.insert(name.clone()),
                };
            }
        }
        // What implements a trait may stand in a package that knows nothing of those who call it.
        let behind: FxHashSet<String> = own.iter().flat_map(|names| names.behind.iter().cloned()).collect();
        own.iter_mut().for_each(|names| names.behind.clone_from(&behind));
        memory.set_names(round, merged(&own))
    }

    /// For each package the names of its own types that stand for sessions.
    fn types(&self, files: &Files<'_>, reads: &[Read], hot: &[FileId], reached: &[Vec<usize>]) -> Vec<Names> {
        let mut own = vec![Names::default(); self.packages.len()];
        for (read, (package, _)) in reads.iter().zip(&self.files) {
            own[package.0 as usize].aliases.extend(read.aliases.iter().cloned());
            own[package.0 as usize].handed.extend(read.handed.iter().cloned());
            own[package.0 as usize].plain.extend(read.plain.iter().cloned());
            own[package.0 as usize].pools.extend(read.pools.iter().cloned());
        }
        let data: Vec<(usize, &FileData)> = hot
            .iter()
            .filter_map(|file| Some((self.files[file.0 as usize].0.0 as usize, files.data(*file)?)))
            .collect();
        // Only traits of the workspace say something of what they are implemented for.
        let items = data.iter().flat_map(|(_, data)| &data.outline.items);
        let traits: HashSet<&str> =
            items.filter(|item| item.kind == ItemKind::Trait).map(|item| item.name.as_str()).collect();
        let heads: Vec<(usize, &FileData, Heads<'_>)> = data
            .into_iter()
            .map(|(package, data)| (package, data, Heads::of(data, &|name| traits.contains(name))))
            .collect();
        // A struct may own a struct that owns a session, in another file.
        for _ in 0..MAX_OWNERS {
            let known = own.clone();
            // Most types name nothing of the kind in any package.
            let somewhere: FxHashSet<&str> = known.iter().flat_map(Names::of_types).map(String::as_str).collect();
            for (package, data, heads) in &heads {
                let any = |is: &dyn Fn(&Names) -> bool| reached[*package].iter().any(|other| is(&known[*other]));
                if !any(&|names| names.types() > 0 || !names.plain.is_empty()) {
                    continue;
                }
                let is_known = |name: &&&str| somewhere.contains(**name);
                let named_in = |words: &[&str], set: &dyn Fn(&Names) -> &FxHashSet<String>| {
                    words.iter().filter(is_known).any(|name| any(&|names| set(names).contains(*name)))
                };
                let owns = |words: &[&str]| {
                    let shared = |at: usize| at > 0 && is_sharing(words[at - 1]);
                    let owned: Vec<&str> = (0..words.len()).filter(|at| !shared(*at)).map(|at| words[at]).collect();
                    named_in(&owned, &|names| &names.aliases)
                };
                // Its `Drop` may give it back: a pool of the project's own.
                let plain = heads.owners(&|words| named_in(words, &|names| &names.plain));
                own[*package].handed.extend(plain.into_iter().filter(|name| is_dropped(data, name)));
                let pools = heads.owners(&|words| named_in(words, &|names| &names.pools));
                own[*package].pools.extend(pools);
                let holds = |words: &[&str]| {
                    words.iter().any(|name| is_known(&name)) && any(&|names| names.held(words.iter().copied()))
                };
                own[*package].aliases.extend(heads.owners(&owns));
                own[*package].handed.extend(heads.owners(&holds));
                own[*package].traits.extend(heads.implemented_for(&holds));
            }
            if own.iter().zip(&known).all(|(now, before)| now.types() == before.types()) {
                break;
            }
        }
        own
    }

    /// A package and the packages of the workspace that it leads to.
    fn reached(&self, package: usize) -> Vec<usize> {
        let mut found = vec![package];
        let mut next = 0;
        while next < found.len() {
            for (_, target) in self.packages[found[next]].dependencies.values() {
                if let Some(target) = target.map(|target| target.0 as usize)
                    && !found.contains(&target)
                {
                    found.push(target);
                }
            }
            next += 1;
        }
        found
    }
}

/// The packages of the requested files, those that they lead to, and those of the workspace that depend on these.
pub(crate) fn own(requested: &[PathBuf], manifests: &mut Manifests) -> BTreeSet<PathBuf> {
    let mut directories = BTreeSet::new();
    for file in requested {
        if let Some(package) = manifests.package_of(file)
            && !directories.contains(&package)
        {
            directories.extend(manifests.closure(&package).iter().cloned());
        }
    }
    directories.extend(manifests.dependents(&directories));
    directories
}

/// The requested files, and all others of these packages and of those from outside that are read: what is known does not depend
/// on what is reported.
pub(crate) fn known_files(
    options: &Options,
    requested: &[PathBuf],
    mut directories: BTreeSet<PathBuf>,
    manifests: &mut Manifests,
) -> Vec<PathBuf> {
    let mut known: Vec<PathBuf> = requested.to_vec();
    directories.extend(manifests.outside.keys().cloned());
    let walked: Vec<PathBuf> = options.paths.iter().map(|path| paths::absolute(&options.directory, path)).collect();
    for directory in directories {
        if manifests.outside.contains_key(&directory) {
            known.extend(manifests.load(&directory).map(library_files).unwrap_or_default());
            continue;
        }
        if options.stdin.is_none()
            && !options.is_part()
            && walked.iter().any(|path| directory.starts_with(path) && path.is_dir())
        {
            continue;
        }
        // One that uses no library may still have transactions of its own.
        known.extend(walk::below(&directory, options.no_ignore));
    }
    paths::sort(&mut known);
    known
}

/// The packages of files, and the module that each file is.
///
/// A package below a folder for tests, or with a name for tests, is test code, unless one of the `named` paths leads there.
pub(crate) fn find(known: &[PathBuf], named: &[PathBuf], model: &Model, manifests: &mut Manifests) -> Packages {
    panics::provoked("packages", || "all".to_owned());
    let mut ids: BTreeMap<Option<PathBuf>, PackageId> = BTreeMap::new();
    let mut placed = Vec::new();
    for path in known {
        let directory = manifests.package_of(path);
        // Files without a package: those of one directory know each other.
        let key = directory.clone().or_else(|| path.parent().map(|parent| parent.join("?")));
        let next = PackageId(ids.len() as u32);
        let id = *ids.entry(key).or_insert(next);
        placed.push((id, module_path(path, directory.as_ref().and_then(|d| manifests.load(d)))));
    }
    let mut packages = vec![Package::default(); ids.len()];
    let mut about =
        vec![(PathBuf::new(), String::new(), Arc::new(Words::new(model, Some(&BTreeSet::new())))); ids.len()];
    let mut locks = Locks::default();
    let mut words: HashMap<Option<BTreeSet<LibraryId>>, Arc<Words>> = HashMap::new();
    let keys: Vec<(Option<PathBuf>, PackageId)> = ids.iter().map(|(key, id)| (key.clone(), *id)).collect();
    for (key, id) in keys {
        let package = &mut packages[id.0 as usize];
        let directory = key.unwrap_or_default();
        let libraries = match manifests.load(&directory).cloned() {
            Some(manifest) => {
                package.libraries = manifests.libraries(&directory, model);
                versions(model, package, &directory, manifests, &mut locks);
                for (ident, (name, path)) in &manifest.dependencies {
                    let workspace = path.as_ref().and_then(|path| ids.get(&Some(path.clone())).copied());
                    let real = stands_for(model, ident, name);
                    if let Some(library) = model.library_name(name) {
                        package.dependencies.insert(library.to_owned(), (real.clone(), workspace));
                    }
                    // Unless it gets a new name here, it is named as its library is.
                    let library = path.as_ref().filter(|_| *ident == real).and_then(|path| manifests.load(path));
                    if let Some(library) = library.map(|manifest| manifest.library.replace('-', "_")) {
                        package.dependencies.insert(library.clone(), (library, workspace));
                    }
                    package.dependencies.insert(ident.clone(), (real, workspace));
                }
                // The package's own library, as its binaries and tests name it.
                package.dependencies.insert(manifest.library.clone(), (manifest.library.clone(), Some(id)));
                about[id.0 as usize].1 = manifest.library;
                Some(package.libraries.clone())
            }
            None => {
                package.loose = true;
                None
            }
        };
        about[id.0 as usize].0 = directory;
        let known = words.entry(libraries.clone());
        about[id.0 as usize].2 = Arc::clone(known.or_insert_with(|| Arc::new(Words::new(model, libraries.as_ref()))));
    }
    for (file, (package, module)) in (0..).map(FileId).zip(&placed) {
        packages[package.0 as usize].modules.entry(module.clone()).or_default().push(file);
    }
    let is_test = |(directory, _, _): &(PathBuf, String, Arc<Words>)| {
        let leads_here = |path: &PathBuf| directory.starts_with(path) || path.starts_with(directory);
        let is_named = |folder: &Path| named.iter().any(|path| path.starts_with(folder) && leads_here(path));
        if manifests.outside.contains_key(directory) {
            return false;
        }
        if let Some(folder) = manifests.test_folder(directory) {
            return !is_named(&folder);
        }
        // Who stands in a package that is all there is has not chosen it among others.
        manifests.is_for_tests(directory, model.intent()) && (manifests.is_alone(directory) || !is_named(directory))
    };
    let tests: Vec<bool> = about.iter().map(is_test).collect();
    for (id, package) in packages.iter_mut().enumerate() {
        let in_tests = |file: &FileId| tests[id] || is_in_test_folder(&known[file.0 as usize], &about[id].0);
        package.tests = package.modules.values().flatten().copied().filter(in_tests).collect();
    }
    Packages { packages, about, files: placed }
}

/// Packages with their files, which are `placed`: those that are read at once, and what the others have blocks for.
pub(crate) fn with_files(
    mut packages: Vec<Package>,
    placed: &[(PackageId, Vec<String>)],
    reads: &[Read],
    is_read: impl Fn(FileId) -> bool,
) -> Vec<Package> {
    for (file, read) in (0..).map(FileId).zip(reads) {
        let package = &mut packages[placed[file.0 as usize].0.0 as usize];
        if is_read(file) {
            package.indexed.push(file);
            package.resets |= read.resets;
            continue;
        }
        for name in &read.blocks.traits {
            package.unread.traits.entry(name.clone()).or_default().push(file);
        }
        for name in &read.blocks.types {
            package.unread.types.entry(name.clone()).or_default().push(file);
        }
        for name in &read.blocks.macros {
            package.unread.macros.entry(name.clone()).or_default().push(file);
        }
    }
    packages
}

/// Whether a file of a package stands below a folder that Cargo takes no library or program from.
fn is_in_test_folder(file: &Path, package: &Path) -> bool {
    let inside = file.strip_prefix(package).unwrap_or(file);
    let first = inside.components().next().map(|part| part.as_os_str());
    first.and_then(|first| first.to_str()).is_some_and(|first| matches!(first, "tests" | "benches" | "examples"))
}

/// The versions and features of libraries whose facts depend on them.
fn versions(model: &Model, package: &mut Package, directory: &Path, manifests: &mut Manifests, locks: &mut Locks) {
    let asked = model.versioned_packages(&package.libraries);
    if asked.is_empty() {
        return;
    }
    // A package from outside has what is locked where it is used.
    let place = manifests.outside.get(directory).cloned().unwrap_or_else(|| directory.to_path_buf());
    for near in manifests.closure(directory).iter() {
        let Some(manifest) = manifests.load(near) else { continue };
        for name in &asked {
            let required = manifest.required.get(*name);
            if let Some((_, features)) = required {
                package.features.entry((*name).to_owned()).or_default().extend(features.iter().cloned());
            }
            let version = required.and_then(|(version, _)| version.as_deref());
            if !package.in_use.contains_key(*name)
                && let Some(in_use) = locks.in_use(&place, name, version)
            {
                package.in_use.insert((*name).to_owned(), in_use);
            }
        }
        // Features of the crate that asks for another one on the way: of sea-orm for sqlx.
        for (name, (_, features)) in &manifest.required {
            if model.knows_package(name) {
                package.features.entry(name.clone()).or_default().extend(features.iter().cloned());
            }
        }
    }
    let in_play = model.protocols().filter(|(_, protocol)| package.libraries.contains(&protocol.library));
    let mut openings = in_play.flat_map(|(_, protocol)| &protocol.openings);
    let has_hole = openings.any(|opening| opening.cancel_unsafe.as_ref().is_some_and(|hole| package.has_hole(hole)));
    package.holes = has_hole;
}

/// The module path that a file has by its place.
fn module_path(path: &Path, manifest: Option<&Manifest>) -> Vec<String> {
    let Some(manifest) = manifest else { return Vec::new() };
    let name = |part: &std::ffi::OsStr| part.to_string_lossy().into_owned();
    let Ok(inside) = path.strip_prefix(&manifest.source) else {
        // A test, example or build script is the root of a crate of its own.
        let inside = path.strip_prefix(&manifest.directory).unwrap_or(path);
        return std::iter::once("?".to_owned()).chain(inside.iter().map(name)).collect();
    };
    let mut parts: Vec<String> = inside.with_extension("").iter().map(name).collect();
    let is_mod = parts.pop_if(|last| last == "mod").is_some();
    let words: Vec<&str> = parts.iter().map(String::as_str).collect();
    let inside = match words.as_slice() {
        ["lib" | "main"] | ["bin", _] | ["bin", _, "main"] if !is_mod => &[],
        // `bin/x/mod.rs` is a module of the binaries beside `x`.
        ["bin", name] => std::slice::from_ref(name),
        ["bin", _, inside @ ..] => inside,
        all => all,
    };
    inside.iter().map(|part| (*part).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn module_in(source: &str, path: &str) -> String {
        let directory = PathBuf::from("/w/a");
        let manifest = Manifest { source: directory.join(source), directory: directory.clone(), ..Manifest::default() };
        module_path(&directory.join(path), Some(&manifest)).join("::")
    }

    #[test]
    fn a_file_is_a_module_by_its_place() {
        for (path, module) in [
            ("src/lib.rs", ""),
            ("src/main.rs", ""),
            ("src/mod.rs", ""),
            ("src/a.rs", "a"),
            ("src/a/mod.rs", "a"),
            ("src/a/b.rs", "a::b"),
            ("src/a/b/mod.rs", "a::b"),
            ("src/a/lib.rs", "a::lib"),
            ("src/a/main.rs", "a::main"),
            ("src/a/bin.rs", "a::bin"),
            ("src/bin.rs", "bin"),
            ("src/bin/mod.rs", "bin"),
            ("src/bin/x.rs", ""),
            ("src/bin/main.rs", ""),
            ("src/bin/lib.rs", ""),
            ("src/bin/x/main.rs", ""),
            ("src/bin/x/mod.rs", "x"),
            ("src/bin/x/a.rs", "a"),
            ("src/bin/x/a/b.rs", "a::b"),
            ("src/bin/x/a/mod.rs", "a"),
            ("src/bin/x/main/mod.rs", "main"),
            ("build.rs", "?::build.rs"),
            ("tests/it.rs", "?::tests::it.rs"),
        ] {
            assert_eq!(module_in("src", path), module, "{path}");
        }
        for (path, module) in [("rust/bin.rs", "bin"), ("rust/lib.rs", ""), ("src/bin/x.rs", "?::src::bin::x.rs")] {
            assert_eq!(module_in("rust", path), module, "{path}");
        }
        assert!(module_path(Path::new("/w/a.rs"), None).is_empty(), "a file of no package");
    }
}
