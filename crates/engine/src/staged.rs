//! What would be committed? The files with staged changes, and what the index says where the working tree says something else.

use crate::git::{bytes, git};
use crate::host::Overlay;
use crate::paths;
use crate::settings::Failure;
use sessionlint_ir::Languages;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// What git has staged.
pub(crate) struct Staged {
    /// Files that a commit would add or change, as absolute paths.
    pub files: BTreeSet<PathBuf>,
    /// The staged texts of files that were changed again since.
    pub texts: Overlay,
}

impl Staged {
    /// Asks git about the repository around a directory.
    pub fn read(directory: &Path, languages: Languages) -> Result<Self, Failure> {
        let failed = |error| Failure::Option(format!("--staged: {error}"));
        let up = git(directory, &["rev-parse", "--show-cdup"])
            .map_err(|error| Failure::Option(format!("--staged needs a git repository: {error}")))?;
        let root = paths::absolute(directory, Path::new(up.trim_end_matches(['\n', '\r'])));
        let names = |arguments: &[&str]| -> Result<Vec<String>, Failure> {
            let all: Vec<&str> = ["diff", "--name-only", "--no-ext-diff", "--no-renames", "-z"]
                .into_iter()
                .chain(arguments.iter().copied())
                .collect();
            let names = git(&root, &all).map_err(failed)?;
            Ok(names.split('\0').filter(|name| !name.is_empty()).map(str::to_owned).collect())
        };
        let files = names(&["--cached", "--diff-filter=d"])?.iter().map(|name| root.join(name)).collect();
        let mut texts = Overlay::new();
        for name in names(&["--diff-filter=M"])?.iter().filter(|name| languages.by_name(Path::new(name)).is_some()) {
            let text = bytes(&root, &["show", &format!(":{name}")]).map_err(failed)?;
            texts.insert(root.join(name), text);
        }
        Ok(Self { files, texts })
    }
}
