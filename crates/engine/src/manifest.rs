//! Which package is a file in, and what can it name? Reads Cargo.toml files.

use crate::settings::Failure;
use sessionlint_protocols::{Intent, Model};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The names of the known libraries that the packages at and below a directory, or in the workspace around it, lead to.
pub fn dependencies(directory: &Path) -> Vec<String> {
    let model = Model::built_in();
    let mut manifests = Manifests::default();
    let mut packages = manifests.members(directory).as_ref().clone();
    packages.extend(manifests.package_of(&directory.join("src")));
    let found: BTreeSet<_> = packages.iter().flat_map(|package| manifests.libraries(package, &model)).collect();
    found.into_iter().map(|id| model.library(id).name.clone()).collect()
}

/// What a Cargo.toml says, as far as it matters here.
#[derive(Clone, Debug, Default)]
pub(crate) struct Manifest {
    /// The directory that it stands in.
    pub directory: PathBuf,
    /// The package's name; empty for a workspace without a root package.
    pub name: String,
    /// The crate identifier of its library.
    pub library: String,
    /// The directory of the library's root file, `src` as a rule.
    pub source: PathBuf,
    /// Crate identifier to package name and, for path dependencies, directory.
    pub dependencies: BTreeMap<String, (String, Option<PathBuf>)>,
    /// The version that it says itself; those of a workspace inherit theirs.
    pub version: Option<String>,
    /// Whether it is a crate of procedural macros.
    pub macros: bool,
    /// Identifiers of the dependencies that are there for its library, and not for its tests or its build.
    pub lasting: BTreeSet<String>,
    /// The directories of path dependencies that are there for more than its tests.
    pub built_on: BTreeSet<PathBuf>,
    /// Package name to the version that is required of it, and to the features that are asked for.
    pub required: BTreeMap<String, (Option<String>, BTreeSet<String>)>,
}

/// All manifests that were met, each read once.
#[derive(Default)]
pub(crate) struct Manifests {
    by_directory: HashMap<PathBuf, Option<PathBuf>>,
    tables: HashMap<PathBuf, Option<Arc<toml::Table>>>,
    read: HashMap<PathBuf, Manifest>,
    closures: HashMap<PathBuf, Arc<Vec<PathBuf>>>,
    members: HashMap<PathBuf, Arc<BTreeSet<PathBuf>>>,
    /// Packages from outside of the workspace whose sources are read, with the directory that asks for them.
    pub outside: BTreeMap<PathBuf, PathBuf>,
    /// What the files said that were read, by path: the result depends on them.
    pub texts: BTreeMap<PathBuf, blake3::Hash>,
}

impl Manifests {
    /// The directory of the nearest package at or above a file's directory.
    pub fn package_of(&mut self, file: &Path) -> Option<PathBuf> {
        let directory = file.parent()?;
        if let Some(known) = self.by_directory.get(directory) {
            return known.clone();
        }
        let found = directory
            .ancestors()
            .find(|ancestor| self.load(ancestor).is_some_and(|manifest| !manifest.name.is_empty()));
        let found = found.map(Path::to_path_buf);
        self.by_directory.insert(directory.to_path_buf(), found.clone());
        found
    }

    /// The manifest in a directory.
    pub fn load(&mut self, directory: &Path) -> Option<&Manifest> {
        if !self.read.contains_key(directory) {
            let table = self.table(directory)?;
            let root = self.workspace(directory);
            let shared = root.as_deref().and_then(|root| self.table(root));
            let shared = shared.as_deref().and_then(|table| table.get("workspace")?.get("dependencies")?.as_table());
            let root = root.unwrap_or_else(|| directory.to_path_buf());
            let manifest = parse(directory, &table, shared, &root);
            self.read.insert(directory.to_path_buf(), manifest);
        }
        self.read.get(directory)
    }

    /// Says where the sources of a package's dependencies lie; those that `keep` does not name are forgotten.
    pub fn place(&mut self, directory: &Path, keep: impl Fn(&str) -> bool, places: &BTreeMap<String, Option<PathBuf>>) {
        let Some(manifest) = self.read.get_mut(directory) else { return };
        let before = manifest.dependencies.len();
        manifest.dependencies.retain(|ident, _| keep(ident));
        if manifest.dependencies.len() == before && places.is_empty() {
            return;
        }
        for (ident, (_, path)) in &mut manifest.dependencies {
            if let Some(place) = places.get(ident) {
                path.clone_from(place);
            }
        }
        self.closures.clear();
    }

    /// The directory of a package that a `[patch]` of the workspace around a directory puts in place of another.
    pub fn patched(&mut self, directory: &Path, package: &str) -> Option<PathBuf> {
        let root = self.workspace(directory).unwrap_or_else(|| directory.to_path_buf());
        let table = self.table(&root)?;
        let patches = table.get("patch")?.as_table()?.values().filter_map(|patches| patches.as_table());
        let named = |key: &str, patch: &toml::Value| {
            patch.get("package").and_then(|name| name.as_str()).unwrap_or(key) == package
        };
        let mut all = patches.flatten().filter(|(key, patch)| named(key, patch));
        let path = all.find_map(|(_, patch)| patch.get("path")?.as_str())?;
        Some(crate::paths::absolute(&root, Path::new(path)))
    }

    /// The root of the workspace around a package: the nearest manifest with `[workspace]`, its own included.
    fn workspace(&mut self, directory: &Path) -> Option<PathBuf> {
        directory.ancestors().find(|ancestor| self.is_workspace(ancestor)).map(Path::to_path_buf)
    }

    /// Whether the Cargo.toml in a directory is the root of a workspace.
    fn is_workspace(&mut self, directory: &Path) -> bool {
        self.table(directory).is_some_and(|table| table.get("workspace").is_some_and(|workspace| workspace.is_table()))
    }

    /// Whether no other package stands around a package.
    pub fn is_alone(&mut self, directory: &Path) -> bool {
        self.members(directory).iter().all(|member| member == directory)
    }

    /// The folder `tests` or `fixtures` that a package stands in, or is, in a workspace that has other members.
    pub fn test_folder(&mut self, directory: &Path) -> Option<PathBuf> {
        let roots: Vec<&Path> = directory.ancestors().skip(1).filter(|root| self.is_workspace(root)).collect();
        for root in roots {
            let inside = directory.strip_prefix(root).unwrap_or(directory);
            let parts: Vec<_> = inside.iter().collect();
            let Some(at) = parts.iter().position(|part| *part == "tests" || *part == "fixtures") else { continue };
            let folder: PathBuf = std::iter::once(root.as_os_str()).chain(parts[..=at].iter().copied()).collect();
            let members = self.members(root);
            let mut is_other = |member: &PathBuf| {
                !member.starts_with(&folder) && self.load(member).is_some_and(|manifest| !manifest.name.is_empty())
            };
            if members.iter().any(&mut is_other) {
                return Some(folder);
            }
        }
        None
    }

    /// Whether a package is there for tests: its name says so, and none that is not is built on it.
    pub fn is_for_tests(&mut self, directory: &Path, intent: &Intent) -> bool {
        let for_tests =
            |manifests: &mut Self, path: &Path| manifests.load(path).is_some_and(|one| intent.is_for_tests(&one.name));
        if !for_tests(self, directory) {
            return false;
        }
        let members = self.members(directory);
        let around: BTreeSet<PathBuf> = members.iter().flat_map(|member| self.closure(member).to_vec()).collect();
        !around.iter().any(|other| {
            !for_tests(self, other) && self.load(other).is_some_and(|manifest| manifest.built_on.contains(directory))
        })
    }

    /// The Cargo.toml in a directory; `None` when there is none, or it is no TOML.
    fn table(&mut self, directory: &Path) -> Option<Arc<toml::Table>> {
        if let Some(known) = self.tables.get(directory) {
            return known.clone();
        }
        let path = directory.join("Cargo.toml");
        let table = std::fs::read_to_string(&path).ok().and_then(|text| {
            self.texts.insert(path, blake3::hash(text.as_bytes()));
            text.parse().ok().map(Arc::new)
        });
        self.tables.insert(directory.to_path_buf(), table.clone());
        table
    }

    /// The packages of the workspaces around packages that can name one of those, and what they lead to: their implementations of
    /// a trait count as well as any.
    pub fn dependents(&mut self, known: &BTreeSet<PathBuf>) -> BTreeSet<PathBuf> {
        // Who else depends on a package from outside is not in this workspace.
        let own = known.iter().filter(|package| !self.outside.contains_key(*package));
        let own: Vec<&PathBuf> = own.collect();
        let members: BTreeSet<Arc<BTreeSet<PathBuf>>> = own.into_iter().map(|package| self.members(package)).collect();
        let mut naming: HashMap<PathBuf, Vec<PathBuf>> = HashMap::new();
        for member in members.iter().flat_map(|members| members.iter()) {
            let Some(manifest) = self.load(member) else { continue };
            for path in manifest.dependencies.values().filter_map(|(_, path)| path.clone()) {
                naming.entry(path).or_default().push(member.clone());
            }
        }
        let mut found: HashSet<PathBuf> = known.iter().cloned().collect();
        let mut open: Vec<PathBuf> = known.iter().cloned().collect();
        while let Some(package) = open.pop() {
            for member in naming.get(&package).into_iter().flatten() {
                if found.contains(member) {
                    continue;
                }
                let new = self.closure(member);
                open.extend(new.iter().filter(|package| found.insert((*package).clone())).cloned());
            }
        }
        found.into_iter().filter(|package| !known.contains(package)).collect()
    }

    /// The member packages of the workspace around a directory.
    fn members(&mut self, directory: &Path) -> Arc<BTreeSet<PathBuf>> {
        let Some(root) = self.workspace(directory) else { return Arc::default() };
        if let Some(known) = self.members.get(&root) {
            return Arc::clone(known);
        }
        let table = self.table(&root);
        let list = |key: &str| {
            let list = table.as_deref().and_then(|table| table.get("workspace")?.get(key)?.as_array());
            list.into_iter().flatten().filter_map(|path| path.as_str()).map(str::to_owned).collect::<Vec<_>>()
        };
        let excluded: Vec<PathBuf> = list("exclude").iter().map(|path| root.join(path)).collect();
        let mut found = BTreeSet::from([root.clone()]);
        for pattern in list("members") {
            found.extend(matching(&root, &pattern));
        }
        found.retain(|path| !excluded.iter().any(|excluded| path.starts_with(excluded)));
        let found = Arc::new(found);
        self.members.insert(root, Arc::clone(&found));
        found
    }

    /// The directories of the packages with these names, or names that these globs match, in the workspace around a directory.
    ///
    /// # Errors
    /// When there is no such package, or a glob is none.
    pub fn named(&mut self, directory: &Path, names: &[String]) -> Result<BTreeSet<PathBuf>, Failure> {
        let mut found = BTreeSet::new();
        if names.is_empty() {
            return Ok(found);
        }
        let mut members = self.members(directory).as_ref().clone();
        members.extend(self.package_of(&directory.join("Cargo.toml")));
        let known: BTreeSet<PathBuf> = members.iter().flat_map(|member| self.closure(member).to_vec()).collect();
        let mut by_name: BTreeMap<String, PathBuf> = BTreeMap::new();
        for path in known {
            if let Some(manifest) = self.load(&path).filter(|manifest| !manifest.name.is_empty()) {
                by_name.insert(manifest.name.clone(), path);
            }
        }
        for name in names {
            let glob = globset::Glob::new(name)
                .map_err(|error| Failure::Option(format!("--package: {error}")))?
                .compile_matcher();
            let met: Vec<&PathBuf> =
                by_name.iter().filter(|(one, _)| glob.is_match(one)).map(|(_, path)| path).collect();
            if met.is_empty() {
                let near = sessionlint_protocols::nearest(name, by_name.keys().map(String::as_str));
                let hint = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
                return Err(Failure::Option(format!("no package of this workspace is called `{name}`{hint}")));
            }
            found.extend(met.into_iter().cloned());
        }
        Ok(found)
    }

    /// The packages that a package leads to by path dependencies, itself first.
    pub fn closure(&mut self, directory: &Path) -> Arc<Vec<PathBuf>> {
        if let Some(known) = self.closures.get(directory) {
            return Arc::clone(known);
        }
        let mut found = vec![directory.to_path_buf()];
        let mut seen = HashSet::from([directory.to_path_buf()]);
        let mut next = 0;
        while next < found.len() {
            let here = found[next].clone();
            next += 1;
            let Some(manifest) = self.load(&here) else { continue };
            let paths: Vec<PathBuf> = manifest.dependencies.values().filter_map(|(_, path)| path.clone()).collect();
            for path in paths {
                if !seen.contains(&path) && self.load(&path).is_some() {
                    seen.insert(path.clone());
                    found.push(path);
                }
            }
        }
        let found = Arc::new(found);
        self.closures.insert(directory.to_path_buf(), Arc::clone(&found));
        found
    }

    /// The known libraries among the dependencies of a package and of those it leads to.
    pub fn libraries(&mut self, directory: &Path, model: &Model) -> BTreeSet<sessionlint_protocols::LibraryId> {
        let mut found = BTreeSet::new();
        for package in self.closure(directory).iter() {
            let Some(manifest) = self.load(package) else { continue };
            // A library's own sources do not name it from outside.
            for (ident, (name, _)) in manifest.dependencies.iter().filter(|(_, (_, path))| path.is_none()) {
                found.extend(model.libraries_of_crate(&stands_for(model, ident, name)));
                found.extend(model.libraries_through(name));
            }
        }
        found
    }
}

/// The crate whose facts hold for a dependency: the package's own, or, of a package that nobody knows, the one under whose name
/// it is used. A fork that takes a library's place is that library.
pub(crate) fn stands_for(model: &Model, ident: &str, package: &str) -> String {
    let is_known = |name: &str| model.knows_package(name) || model.does_work(name);
    let is_fork = !is_known(package) && model.libraries_through(package).next().is_none() && is_known(ident);
    if is_fork { ident.to_owned() } else { package.replace('-', "_") }
}

/// The directories below `root` that a member's path names, with `*` and `?` in its parts.
fn matching(root: &Path, pattern: &str) -> Vec<PathBuf> {
    let mut found = vec![root.to_path_buf()];
    for part in pattern.split('/').filter(|part| !part.is_empty() && *part != ".") {
        if !part.contains(['*', '?', '[']) {
            found = found.into_iter().map(|directory| crate::paths::absolute(&directory, Path::new(part))).collect();
            continue;
        }
        let Ok(glob) = globset::Glob::new(part).map(|glob| glob.compile_matcher()) else { return Vec::new() };
        let inside = |directory: PathBuf| std::fs::read_dir(directory).into_iter().flatten().filter_map(Result::ok);
        let named = found.into_iter().flat_map(inside).filter(|entry| glob.is_match(entry.file_name()));
        found = named.map(|entry| entry.path()).collect();
    }
    found.retain(|directory| directory.join("Cargo.toml").is_file());
    found
}

fn parse(directory: &Path, table: &toml::Table, shared: Option<&toml::Table>, root: &Path) -> Manifest {
    let text = |table: Option<&toml::Value>, key: &str| {
        table.and_then(|table| table.get(key)).and_then(|value| value.as_str()).map(str::to_owned)
    };
    let name = text(table.get("package"), "name").unwrap_or_default();
    let library = text(table.get("lib"), "name").unwrap_or_else(|| name.replace('-', "_"));
    let source = match text(table.get("lib"), "path") {
        Some(path) => crate::paths::absolute(directory, Path::new(&path)).parent().map(Path::to_path_buf),
        None => None,
    };
    let mut manifest = Manifest {
        directory: directory.to_path_buf(),
        name,
        library,
        source: source.unwrap_or_else(|| directory.join("src")),
        dependencies: BTreeMap::new(),
        version: text(table.get("package"), "version"),
        macros: ["proc-macro", "proc_macro"]
            .iter()
            .any(|key| table.get("lib").and_then(|lib| lib.get(key)?.as_bool()) == Some(true)),
        lasting: BTreeSet::new(),
        built_on: BTreeSet::new(),
        required: BTreeMap::new(),
    };
    let mut tables = vec![table];
    if let Some(targets) = table.get("target").and_then(|targets| targets.as_table()) {
        tables.extend(targets.values().filter_map(|target| target.as_table()));
    }
    for table in tables {
        for section in ["dependencies", "dev-dependencies", "build-dependencies"] {
            let Some(dependencies) = table.get(section).and_then(|found| found.as_table()) else { continue };
            for (key, value) in dependencies {
                let inherited = value.get("workspace").and_then(|flag| flag.as_bool()) == Some(true);
                let own = value;
                let (value, from) = match shared.and_then(|shared| shared.get(key)).filter(|_| inherited) {
                    Some(shared) => (shared, root),
                    None => (value, directory),
                };
                let package = text(Some(value), "package").unwrap_or_else(|| key.clone());
                let path = text(Some(value), "path").map(|path| crate::paths::absolute(from, Path::new(&path)));
                manifest.built_on.extend(path.iter().filter(|_| section != "dev-dependencies").cloned());
                let (version, features) = manifest.required.entry(package.clone()).or_default();
                *version = version
                    .take()
                    .or_else(|| value.as_str().map(str::to_owned).or_else(|| text(Some(value), "version")));
                let has_default = [own, value].iter().all(|table| {
                    let said = table.get("default-features").or_else(|| table.get("default_features"));
                    said.and_then(|said| said.as_bool()) != Some(false)
                });
                features.extend(has_default.then(|| "default".to_owned()));
                for table in [own, value] {
                    let named = table.get("features").and_then(|features| features.as_array()).into_iter().flatten();
                    features.extend(named.filter_map(|feature| feature.as_str()).map(str::to_owned));
                }
                if section == "dependencies" {
                    manifest.lasting.insert(key.replace('-', "_"));
                }
                manifest.dependencies.insert(key.replace('-', "_"), (package, path));
            }
        }
    }
    manifest
}
