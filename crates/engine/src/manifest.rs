//! Which package is a file in, and what can it name? Reads Cargo.toml files.

use sessionlint_protocols::Model;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

/// The names of the known libraries that the packages at and below a directory, or in the workspace around it, lead to.
pub fn dependencies(directory: &Path) -> Vec<String> {
    let model = Model::built_in();
    let mut manifests = Manifests::default();
    let mut packages = manifests.members(directory);
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
    /// Package name to the version that is required of it, and to the features that are asked for.
    pub required: BTreeMap<String, (Option<String>, BTreeSet<String>)>,
}

/// All manifests that were met, each read once.
#[derive(Default)]
pub(crate) struct Manifests {
    by_directory: HashMap<PathBuf, Option<PathBuf>>,
    read: BTreeMap<PathBuf, Manifest>,
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
        let found = directory.ancestors().find(|ancestor| {
            let path = ancestor.join("Cargo.toml");
            path.is_file() && self.load(ancestor).is_some_and(|manifest| !manifest.name.is_empty())
        });
        let found = found.map(Path::to_path_buf);
        self.by_directory.insert(directory.to_path_buf(), found.clone());
        found
    }

    /// The manifest in a directory.
    pub fn load(&mut self, directory: &Path) -> Option<&Manifest> {
        if !self.read.contains_key(directory) {
            let text = self.text(directory)?;
            let table: toml::Table = text.parse().ok()?;
            let workspace = self.workspace_dependencies(directory, &table, text.contains("workspace"));
            self.read.insert(directory.to_path_buf(), parse(directory, &table, &workspace));
        }
        self.read.get(directory)
    }

    /// `[workspace.dependencies]` of the workspace around a package, and the directory that its paths start from.
    fn workspace_dependencies(
        &mut self,
        directory: &Path,
        own: &toml::Table,
        inherits: bool,
    ) -> (toml::Table, PathBuf) {
        let in_table = |table: &toml::Table| {
            let workspace = table.get("workspace")?.as_table()?;
            Some(workspace.get("dependencies").and_then(|found| found.as_table()).cloned().unwrap_or_default())
        };
        if let Some(found) = in_table(own) {
            return (found, directory.to_path_buf());
        }
        if inherits {
            for ancestor in directory.ancestors().skip(1) {
                let Some(text) = self.text(ancestor) else { continue };
                if let Some(found) = text.parse::<toml::Table>().ok().as_ref().and_then(in_table) {
                    return (found, ancestor.to_path_buf());
                }
            }
        }
        (toml::Table::new(), directory.to_path_buf())
    }

    fn text(&mut self, directory: &Path) -> Option<String> {
        let path = directory.join("Cargo.toml");
        let text = std::fs::read_to_string(&path).ok()?;
        self.texts.insert(path, blake3::hash(text.as_bytes()));
        Some(text)
    }

    /// The packages of the workspace around a package that can name one of `known`, and those that they lead to: their
    /// implementations of a trait count as well as any.
    pub fn dependents(&mut self, directory: &Path, known: &BTreeSet<PathBuf>) -> BTreeSet<PathBuf> {
        let mut found = BTreeSet::new();
        let members = self.members(directory);
        loop {
            let before = found.len();
            for member in &members {
                if known.contains(member) || found.contains(member) {
                    continue;
                }
                let Some(manifest) = self.load(member) else { continue };
                let paths = manifest.dependencies.values().filter_map(|(_, path)| path.as_ref());
                if paths.into_iter().any(|path| known.contains(path) || found.contains(path)) {
                    found.extend(self.closure(member));
                }
            }
            if found.len() == before {
                return found;
            }
        }
    }

    /// The member packages of the workspace around a directory.
    fn members(&mut self, directory: &Path) -> BTreeSet<PathBuf> {
        let root = directory.ancestors().find_map(|ancestor| {
            let table: toml::Table = self.text(ancestor)?.parse().ok()?;
            let workspace = table.get("workspace")?.as_table()?.clone();
            Some((ancestor.to_path_buf(), workspace))
        });
        let Some((root, workspace)) = root else { return BTreeSet::new() };
        let list = |key: &str| {
            let list = workspace.get(key).and_then(|list| list.as_array()).into_iter().flatten();
            list.filter_map(|path| path.as_str()).map(str::to_owned).collect::<Vec<_>>()
        };
        let excluded: Vec<PathBuf> = list("exclude").iter().map(|path| root.join(path)).collect();
        let mut found = BTreeSet::from([root.clone()]);
        for pattern in list("members") {
            found.extend(matching(&root, &pattern));
        }
        found.retain(|path| !excluded.iter().any(|excluded| path.starts_with(excluded)));
        found
    }

    /// The packages that a package leads to by path dependencies, itself first.
    pub fn closure(&mut self, directory: &Path) -> Vec<PathBuf> {
        let mut found = vec![directory.to_path_buf()];
        let mut next = 0;
        while next < found.len() {
            let here = found[next].clone();
            next += 1;
            let Some(manifest) = self.load(&here) else { continue };
            let paths: Vec<PathBuf> = manifest.dependencies.values().filter_map(|(_, path)| path.clone()).collect();
            for path in paths {
                if !found.contains(&path) && self.load(&path).is_some() {
                    found.push(path);
                }
            }
        }
        found
    }

    /// The known libraries among the dependencies of a package and of those it leads to.
    pub fn libraries(&mut self, directory: &Path, model: &Model) -> BTreeSet<sessionlint_protocols::LibraryId> {
        let mut found = BTreeSet::new();
        for package in self.closure(directory) {
            let Some(manifest) = self.load(&package) else { continue };
            // A library's own sources do not name it from outside.
            let names = manifest.dependencies.values().filter(|(_, path)| path.is_none()).map(|(name, _)| name);
            for name in names {
                found.extend(model.libraries_of_crate(&name.replace('-', "_")));
            }
        }
        found
    }
}

/// The directories below `root` that a member's path names, with `*` and `?` in its parts.
fn matching(root: &Path, pattern: &str) -> Vec<PathBuf> {
    let mut found = vec![root.to_path_buf()];
    for part in pattern.split('/').filter(|part| !part.is_empty() && *part != ".") {
        if !part.contains(['*', '?', '[']) {
            found = found.into_iter().map(|directory| crate::walk::absolute(&directory, Path::new(part))).collect();
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

fn parse(directory: &Path, table: &toml::Table, (shared, root): &(toml::Table, PathBuf)) -> Manifest {
    let text = |table: Option<&toml::Value>, key: &str| {
        table.and_then(|table| table.get(key)).and_then(|value| value.as_str()).map(str::to_owned)
    };
    let name = text(table.get("package"), "name").unwrap_or_default();
    let library = text(table.get("lib"), "name").unwrap_or_else(|| name.replace('-', "_"));
    let source = match text(table.get("lib"), "path") {
        Some(path) => crate::walk::absolute(directory, Path::new(&path)).parent().map(Path::to_path_buf),
        None => None,
    };
    let mut manifest = Manifest {
        directory: directory.to_path_buf(),
        name,
        library,
        source: source.unwrap_or_else(|| directory.join("src")),
        dependencies: BTreeMap::new(),
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
                let (value, from) =
                    if inherited { (shared.get(key).unwrap_or(value), root) } else { (value, &manifest.directory) };
                let package = text(Some(value), "package").unwrap_or_else(|| key.clone());
                let path = text(Some(value), "path").map(|path| crate::walk::absolute(from, Path::new(&path)));
                let (version, features) = manifest.required.entry(package.clone()).or_default();
                *version = version
                    .take()
                    .or_else(|| value.as_str().map(str::to_owned).or_else(|| text(Some(value), "version")));
                for table in [own, value] {
                    let named = table.get("features").and_then(|features| features.as_array()).into_iter().flatten();
                    features.extend(named.filter_map(|feature| feature.as_str()).map(str::to_owned));
                }
                manifest.dependencies.insert(key.replace('-', "_"), (package, path));
            }
        }
    }
    manifest
}
