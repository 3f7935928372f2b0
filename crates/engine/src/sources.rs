//! Where do the sources of a dependency lie on this disk? Nothing is downloaded, and Cargo is not run.

use crate::lock::Locked;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// How deep below a checkout of a repository a package may lie.
const MAX_DEPTH: usize = 5;

/// The places that Cargo keeps sources in.
pub(crate) struct Sources {
    home: Option<PathBuf>,
    /// The folders of vendored packages that hold in a directory.
    vendored: HashMap<PathBuf, Vec<PathBuf>>,
    /// The folders of each place, with the names and versions of the packages in them.
    listed: HashMap<PathBuf, Vec<Found>>,
}

/// A package that lies in a folder of packages.
#[derive(Clone)]
struct Found {
    name: String,
    version: String,
    directory: PathBuf,
}

impl Sources {
    /// Those of this user.
    pub fn new() -> Self {
        let from = |variable: &str| std::env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from);
        let user = || from(if cfg!(windows) { "USERPROFILE" } else { "HOME" }).map(|home| home.join(".cargo"));
        Self { home: from("CARGO_HOME").or_else(user), vendored: HashMap::new(), listed: HashMap::new() }
    }

    /// The directory of a package's sources: of the locked version, or, where there is no lock file, of the newest one that is
    /// there and that is allowed. `root` is the directory of the package or workspace that asks.
    pub fn find(
        &mut self,
        root: &Path,
        name: &str,
        required: Option<&str>,
        locked: Option<&Locked>,
    ) -> Option<PathBuf> {
        if let Some((repository, revision)) = locked.and_then(|locked| git(locked.source.as_deref()?)) {
            let vendored = self.vendored(root, name, required, locked);
            return vendored.or_else(|| self.checked_out(&repository, &revision, name));
        }
        self.vendored(root, name, required, locked).or_else(|| {
            let registries = below(&self.home.as_ref()?.join("registry/src"));
            registries.iter().find_map(|place| self.best(place, name, required, locked))
        })
    }

    /// The same in the folders of vendored packages.
    fn vendored(
        &mut self,
        root: &Path,
        name: &str,
        required: Option<&str>,
        locked: Option<&Locked>,
    ) -> Option<PathBuf> {
        let places = self.vendored.entry(root.to_path_buf()).or_insert_with(|| vendor_folders(root)).clone();
        places.iter().find_map(|place| self.best(place, name, required, locked))
    }

    /// The package in a folder of packages that fits best.
    fn best(&mut self, place: &Path, name: &str, required: Option<&str>, locked: Option<&Locked>) -> Option<PathBuf> {
        let listed = self.listed.entry(place.to_path_buf()).or_insert_with(|| listed(place));
        // A folder need not say the version of what is in it.
        let named = listed.iter_mut().filter(|found| found.name == name || found.directory.ends_with(name));
        let mut fitting: Vec<&Found> = Vec::new();
        for found in named {
            if found.version.is_empty() {
                let said = said(&found.directory).unwrap_or_default();
                (found.name, found.version) = said;
            }
            let is_asked = match (locked, required) {
                (Some(locked), _) => locked.version == found.version,
                (None, Some(required)) => sessionlint_protocols::allows(required, &found.version),
                (None, None) => true,
            };
            if found.name == name && is_asked {
                fitting.push(found);
            }
        }
        let newest = sessionlint_protocols::newest(fitting.iter().map(|found| found.version.as_str()))?;
        fitting.into_iter().find(|found| found.version == newest).map(|found| found.directory.clone())
    }

    /// A package in a checkout of its repository.
    fn checked_out(&self, repository: &str, revision: &str, name: &str) -> Option<PathBuf> {
        let checkouts = self.home.as_ref()?.join("git/checkouts");
        let is_it = |folder: &PathBuf| {
            let folder = folder.file_name().and_then(|folder| folder.to_str());
            folder.and_then(|folder| folder.rsplit_once('-')).is_some_and(|(known, _)| known == repository)
        };
        let is_revision = |folder: &PathBuf| {
            let folder = folder.file_name().and_then(|folder| folder.to_str());
            folder.is_some_and(|folder| !folder.is_empty() && revision.starts_with(folder))
        };
        let checkouts = below(&checkouts).into_iter().filter(is_it).flat_map(|folder| below(&folder));
        let mut places = checkouts.filter(is_revision);
        places.find_map(|place| {
            let is_source = |entry: &walkdir::DirEntry| !matches!(entry.file_name().to_str(), Some(".git" | "target"));
            let walk = walkdir::WalkDir::new(place).max_depth(MAX_DEPTH).sort_by_file_name().into_iter();
            let found = walk.filter_entry(is_source).filter_map(Result::ok);
            let manifests = found.filter(|entry| entry.file_name() == "Cargo.toml");
            let mut directories = manifests.filter_map(|entry| entry.path().parent().map(Path::to_path_buf));
            directories.find(|directory| said(directory).is_some_and(|(known, _)| known == name))
        })
    }
}

/// The name of the repository and the revision that a source in a lock file names:
/// `git+https://example.org/team/money.git?branch=main#0123abc`.
fn git(source: &str) -> Option<(String, String)> {
    let (url, revision) = source.strip_prefix("git+")?.rsplit_once('#')?;
    let path = url.split('?').next()?.trim_end_matches('/');
    let name = path.rsplit(['/', ':']).next()?;
    Some((name.strip_suffix(".git").unwrap_or(name).to_owned(), revision.to_owned()))
}

/// The folders of vendored packages that Cargo's settings name, from a directory upwards, and `vendor` beside them.
fn vendor_folders(root: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for directory in root.ancestors() {
        let settings = ["config.toml", "config"].map(|name| directory.join(".cargo").join(name));
        let text = settings.iter().find_map(|path| std::fs::read_to_string(path).ok());
        let table = text.and_then(|text| text.parse::<toml::Table>().ok()).unwrap_or_default();
        let sources = table.get("source").and_then(|sources| sources.as_table()).into_iter().flatten();
        let named = sources.filter_map(|(_, source)| source.get("directory")?.as_str());
        found.extend(named.map(|path| crate::paths::absolute(directory, Path::new(path))));
        if directory.join("Cargo.toml").is_file() {
            found.push(directory.join("vendor"));
        }
        if directory.join(".git").exists() {
            break;
        }
    }
    found.retain(|folder| folder.is_dir());
    found
}

/// The folders in a folder, sorted.
fn below(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    let mut found: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    found.sort();
    found
}

/// The packages in a folder of packages: the folder of each is called by its name, or by its name and version.
fn listed(place: &Path) -> Vec<Found> {
    let one = |directory: PathBuf| {
        let folder = directory.file_name()?.to_str()?.to_owned();
        let starts = folder.match_indices('-').map(|(at, _)| at);
        let mut splits = starts.map(|at| (&folder[..at], &folder[at + 1..]));
        let split = splits.find(|(_, version)| sessionlint_protocols::newest([*version].into_iter()).is_some());
        let (name, version) =
            split.map_or((folder.clone(), String::new()), |(name, version)| (name.to_owned(), version.to_owned()));
        Some(Found { name, version, directory })
    };
    below(place).into_iter().filter_map(one).collect()
}

/// The name and version in a manifest.
fn said(directory: &Path) -> Option<(String, String)> {
    let table: toml::Table = std::fs::read_to_string(directory.join("Cargo.toml")).ok()?.parse().ok()?;
    let text = |key: &str| Some(table.get("package")?.get(key)?.as_str()?.to_owned());
    Some((text("name")?, text("version").unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_names_its_repository_and_revision() {
        let found = |source: &str| git(source).map(|(name, revision)| format!("{name} {revision}"));
        for source in
            ["git+https://example.org/team/money.git?branch=main#0123abc", "git+ssh://git@example.org/money#0123abc"]
        {
            assert_eq!(found(source).as_deref(), Some("money 0123abc"), "{source}");
        }
        assert_eq!(found("registry+https://example.org/index"), None);
    }

    #[test]
    fn the_locked_version_is_taken_and_the_newest_allowed_one_where_none_is_locked() {
        let root = tempfile::tempdir().unwrap();
        let package = |folder: &str, name: &str, version: &str| {
            let directory = root.path().join("vendor").join(folder);
            std::fs::create_dir_all(&directory).unwrap();
            let text = format!("[package]\nname = \"{name}\"\nversion = \"{version}\"\n");
            std::fs::write(directory.join("Cargo.toml"), text).unwrap();
        };
        std::fs::write(root.path().join("Cargo.toml"), "").unwrap();
        for (folder, name, version) in [
            ("money", "money", "1.9.0"),
            ("money-1.10.0", "money", "1.10.0"),
            ("money-2.0.0", "money", "2.0.0"),
            ("money-kit", "money-kit", "1.0.0"),
        ] {
            package(folder, name, version);
        }
        let mut sources = Sources { home: None, vendored: HashMap::new(), listed: HashMap::new() };
        let mut found = |name: &str, required: Option<&str>, version: Option<&str>| {
            let locked = version.map(|version| Locked { version: version.to_owned(), ..Locked::default() });
            let directory = sources.find(root.path(), name, required, locked.as_ref())?;
            Some(directory.file_name()?.to_str()?.to_owned())
        };
        assert_eq!(found("money", Some("1"), None).as_deref(), Some("money-1.10.0"));
        assert_eq!(found("money", Some("1"), Some("1.9.0")).as_deref(), Some("money"));
        assert_eq!(found("money", None, None).as_deref(), Some("money-2.0.0"));
        assert_eq!(found("money", Some("3"), None), None);
        assert_eq!(found("money-kit", Some("1"), None).as_deref(), Some("money-kit"));
        assert_eq!(found("money", Some("1"), Some("1.8.0")), None);
    }
}
