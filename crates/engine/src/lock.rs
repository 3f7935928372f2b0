//! Which versions does a Cargo.lock name? Only those of packages that somebody asks for.

use sessionlint_protocols::InUse;
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

/// One package of a Cargo.lock.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Locked {
    /// Its version.
    pub version: String,
    /// Where it comes from; `None` for those of the workspace, and for patches by path.
    pub source: Option<String>,
    /// What it depends on, by name and, where several are locked, version.
    pub dependencies: Vec<(String, Option<String>)>,
}

/// The Cargo.lock files that were met, each read once: package names to their versions.
#[derive(Default)]
pub(crate) struct Locks {
    read: HashMap<PathBuf, Option<BTreeMap<String, Vec<Locked>>>>,
}

impl Locks {
    /// The version of a package that is in use in a directory: the one of the nearest Cargo.lock, or what `required`
    /// allows where there is none. `None` when that says too little, or several versions are locked and not one of
    /// them is what is required.
    pub fn in_use(&mut self, directory: &Path, package: &str, required: Option<&str>) -> Option<InUse> {
        match self.locked(directory).and_then(|versions| versions.get(package)) {
            Some(versions) => InUse::locked(&chosen(versions, required)?.version),
            None => InUse::required(required?),
        }
    }

    /// What the Cargo.lock in a directory says of a package, if it is the one version that is required.
    pub fn package(&mut self, directory: &Path, package: &str, required: Option<&str>) -> Option<&Locked> {
        chosen(self.load(directory)?.get(package)?, required)
    }

    /// Whether there is a Cargo.lock in a directory.
    pub fn is_in(&mut self, directory: &Path) -> bool {
        self.load(directory).is_some()
    }

    /// The directory of the nearest Cargo.lock that has a package. One further up may be that of others.
    pub fn place(&mut self, directory: &Path, package: &str) -> Option<PathBuf> {
        let mut has = |ancestor: &&Path| self.load(ancestor).is_some_and(|known| known.contains_key(package));
        directory.ancestors().find(|ancestor| has(ancestor)).map(Path::to_path_buf)
    }

    /// The packages of the nearest Cargo.lock.
    fn locked(&mut self, directory: &Path) -> Option<&BTreeMap<String, Vec<Locked>>> {
        let nearest = directory.ancestors().find(|ancestor| self.load(ancestor).is_some())?;
        self.load(nearest)
    }

    fn load(&mut self, directory: &Path) -> Option<&BTreeMap<String, Vec<Locked>>> {
        let read = self.read.entry(directory.to_path_buf()).or_insert_with(|| {
            let text = std::fs::read_to_string(directory.join("Cargo.lock")).ok()?;
            Some(packages(&text))
        });
        read.as_ref()
    }
}

/// The one of several locked versions that is required; `None` when more than one may be.
fn chosen<'l>(versions: &'l [Locked], required: Option<&str>) -> Option<&'l Locked> {
    let mut wanted = versions.iter().filter(|locked| match required {
        Some(required) if versions.len() > 1 => sessionlint_protocols::allows(required, &locked.version),
        _ => true,
    });
    let first = wanted.next()?;
    wanted.next().is_none().then_some(first)
}

/// The packages of a Cargo.lock. Cargo writes the file, each key and each dependency on a line of its own.
fn packages(text: &str) -> BTreeMap<String, Vec<Locked>> {
    let mut found: BTreeMap<String, Vec<Locked>> = BTreeMap::new();
    for block in text.split("[[package]]").skip(1) {
        let value = |key: &str| {
            let line = block.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(" = "));
            line.map(|value| value.trim().trim_matches('"').to_owned())
        };
        let (Some(name), Some(version)) = (value("name"), value("version")) else { continue };
        let listed = block.split_once("dependencies = [").map_or("", |(_, rest)| rest.split(']').next().unwrap_or(""));
        let dependency = |line: &str| {
            let mut words = line.trim().trim_matches(['"', ',']).split(' ');
            let name = words.next().filter(|name| !name.is_empty())?;
            Some((name.to_owned(), words.next().map(str::to_owned)))
        };
        let dependencies = listed.lines().filter_map(dependency).collect();
        found.entry(name).or_default().push(Locked { version, source: value("source"), dependencies });
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_file_wins_over_what_is_required() {
        let directory = tempfile::tempdir().unwrap();
        let inner = directory.path().join("member");
        std::fs::create_dir(&inner).unwrap();
        let locked = "version = 4\n\n[[package]]\nname = \"sqlx\"\nversion = \"0.8.6\"\n\n[[package]]\nname = \"quinn\"\n\
                      version = \"0.10.2\"\n\n[[package]]\nname = \"quinn\"\nversion = \"0.11.9\"\n";
        std::fs::write(directory.path().join("Cargo.lock"), locked).unwrap();
        let mut locks = Locks::default();
        let mut exact =
            |package: &str, required| locks.in_use(&inner, package, required).and_then(|in_use| in_use.exact());
        assert_eq!(exact("sqlx", Some("0.8")).as_deref(), Some("0.8.6"));
        assert_eq!(exact("sqlx", None).as_deref(), Some("0.8.6"));
        assert_eq!(exact("quinn", Some("0.11")).as_deref(), Some("0.11.9"));
        assert_eq!(exact("quinn", None), None);
        assert_eq!(exact("redb", Some("=4.1.0")).as_deref(), Some("4.1.0"));
        assert_eq!(exact("redb", None), None);
    }

    #[test]
    fn a_lock_file_says_what_each_package_depends_on() {
        let text = "version = 4\n\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\nsource = \"registry+x\"\n\
                    dependencies = [\n \"sqlx\",\n \"quinn 0.11.9\",\n]\n\n[[package]]\nname = \"b\"\nversion = \"0.1.0\"\n";
        let found = packages(text);
        let depends = [("sqlx".to_owned(), None), ("quinn".to_owned(), Some("0.11.9".to_owned()))];
        assert_eq!(found["a"][0].dependencies, depends);
        assert_eq!((found["a"][0].source.as_deref(), &found["b"][0].source), (Some("registry+x"), &None));
    }
}
