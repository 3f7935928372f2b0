//! Where is the configuration that holds in a directory? In the nearest place of those that can have one.

use sessionlint_protocols::ConfigPlace;
use std::path::{Path, PathBuf};

/// The places in one directory, the first of them wins.
const PLACES: [(&str, ConfigPlace); 5] = [
    ("rules.toml", ConfigPlace::File),
    ("sessionlint.toml", ConfigPlace::File),
    (".sessionlint.toml", ConfigPlace::File),
    ("Cargo.toml", ConfigPlace::Workspace),
    ("Cargo.toml", ConfigPlace::Package),
];

/// The names of files that can have settings.
pub const CONFIG_NAMES: [&str; 4] = ["rules.toml", "sessionlint.toml", ".sessionlint.toml", "Cargo.toml"];

/// The one name that other tools have files of, too.
const COMMON: &str = "rules.toml";

/// What was found on the way up.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct FoundConfig {
    /// The configuration, when there is one.
    pub config: Option<(PathBuf, ConfigPlace)>,
    /// Files called rules.toml that belong to another tool.
    pub foreign: Vec<PathBuf>,
}

/// Looks for the configuration that holds in `directory`: the nearest one up to the repository's root.
pub fn find_config(directory: &Path) -> FoundConfig {
    let mut found = FoundConfig::default();
    for ancestor in directory.ancestors() {
        found.config = in_directory(ancestor, &mut found.foreign);
        if found.config.is_some() || ancestor.join(".git").exists() {
            break;
        }
    }
    found
}

/// The configuration in a directory itself, when there is one.
pub fn config_in(directory: &Path) -> FoundConfig {
    let mut foreign = Vec::new();
    FoundConfig { config: in_directory(directory, &mut foreign), foreign }
}

fn in_directory(directory: &Path, foreign: &mut Vec<PathBuf>) -> Option<(PathBuf, ConfigPlace)> {
    PLACES.iter().find_map(|(name, place)| {
        let path = directory.join(name);
        if !path.is_file() {
            return None;
        }
        // Whoever needs a file that cannot be read is told so.
        let has_it = match std::fs::read_to_string(&path) {
            Ok(text) => place.is_in(&text),
            Err(_) => *place == ConfigPlace::File,
        };
        match has_it || *place == ConfigPlace::File && *name != COMMON {
            true => Some((path, *place)),
            false => {
                foreign.extend((*place == ConfigPlace::File).then_some(path));
                None
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn the_nearest_wins_and_in_one_directory_the_first() {
        let root = tempfile::tempdir().unwrap();
        let inner = root.path().join("a/b");
        fs::create_dir_all(&inner).unwrap();
        fs::create_dir(root.path().join(".git")).unwrap();
        let found = || find_config(&inner).config;
        assert_eq!(found(), None);
        let manifest = "[package]\nname = \"a\"\n[package.metadata.sessionlint]\n";
        for directory in [root.path(), &inner] {
            let steps = [
                ("Cargo.toml", manifest.to_owned(), ConfigPlace::Package),
                ("Cargo.toml", format!("{manifest}[workspace.metadata.sessionlint]\n"), ConfigPlace::Workspace),
                (".sessionlint.toml", String::new(), ConfigPlace::File),
                ("sessionlint.toml", "zzz = 1\n".to_owned(), ConfigPlace::File),
                ("rules.toml", "tests = \"skip\"\n".to_owned(), ConfigPlace::File),
            ];
            for (name, text, place) in steps {
                fs::write(directory.join(name), text).unwrap();
                assert_eq!(found(), Some((directory.join(name), place)));
            }
        }
    }

    #[test]
    fn what_belongs_to_another_tool_is_passed_by() {
        let root = tempfile::tempdir().unwrap();
        let inner = root.path().join("a");
        fs::create_dir_all(&inner).unwrap();
        fs::write(inner.join("rules.toml"), "version = 3\n").unwrap();
        fs::write(inner.join("Cargo.toml"), "[package.metadata.other]\n").unwrap();
        fs::write(root.path().join("rules.toml"), "tests = \"skip\"\n").unwrap();
        let found = find_config(&inner);
        assert_eq!(found.config, Some((root.path().join("rules.toml"), ConfigPlace::File)));
        assert_eq!(found.foreign, [inner.join("rules.toml")]);
    }
}
