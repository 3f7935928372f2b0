//! Which versions does a Cargo.lock name? Only those of packages that somebody asks for.

use sessionlint_protocols::InUse;
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

/// The Cargo.lock files that were met, each read once: package names to their versions.
#[derive(Default)]
pub(crate) struct Locks {
    read: HashMap<PathBuf, Option<BTreeMap<String, Vec<String>>>>,
}

impl Locks {
    /// The version of a package that is in use in a directory: the one of the nearest Cargo.lock, or what `required`
    /// allows where there is none. `None` when that says too little, or several versions are locked and not one of
    /// them is what is required.
    pub fn in_use(&mut self, directory: &Path, package: &str, required: Option<&str>) -> Option<InUse> {
        let nearest = directory.ancestors().find(|ancestor| self.load(ancestor).is_some());
        let locked = nearest.and_then(|nearest| self.load(nearest));
        match locked.and_then(|versions| versions.get(package)) {
            Some(versions) => {
                let mut wanted = versions.iter().filter(|version| match required {
                    Some(required) if versions.len() > 1 => sessionlint_protocols::allows(required, version),
                    _ => true,
                });
                let first = wanted.next()?;
                wanted.next().is_none().then(|| InUse::locked(first)).flatten()
            }
            None => InUse::required(required?),
        }
    }

    fn load(&mut self, directory: &Path) -> Option<&BTreeMap<String, Vec<String>>> {
        let read = self.read.entry(directory.to_path_buf()).or_insert_with(|| {
            let text = std::fs::read_to_string(directory.join("Cargo.lock")).ok()?;
            Some(versions(&text))
        });
        read.as_ref()
    }
}

/// The packages of a Cargo.lock. Cargo writes the file, each key on a line of its own.
fn versions(text: &str) -> BTreeMap<String, Vec<String>> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut name = "";
    for line in text.lines() {
        if let Some(value) = line.strip_prefix("name = ") {
            name = value.trim().trim_matches('"');
        } else if let Some(value) = line.strip_prefix("version = ")
            && !name.is_empty()
        {
            found.entry(name.to_owned()).or_default().push(value.trim().trim_matches('"').to_owned());
            name = "";
        }
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
}
