//! Which files are there?

use crate::paths::{absolute, sort};
use crate::settings::{Failure, Options};
use globset::GlobSet;
use sessionlint_ir::Languages;
use std::path::{Path, PathBuf};

/// The files below the paths of the options, sorted. A file that is named is taken whatever its name.
pub(crate) fn requested(
    options: &Options,
    languages: Languages,
    base: &Path,
    exclude: &GlobSet,
) -> Result<Vec<PathBuf>, Failure> {
    let mut found = Vec::new();
    for path in &options.paths {
        let path = absolute(&options.directory, path);
        let metadata = std::fs::metadata(&path).map_err(|error| Failure::Path { path: path.clone(), error })?;
        let named_excluded = options.force_exclude && is_excluded(exclude, base, &path);
        if named_excluded {
            continue;
        }
        if metadata.is_dir() {
            let readable = std::fs::read_dir(&path).map(|_| ());
            readable.map_err(|error| Failure::Path { path: path.clone(), error })?;
            let inside = below(&path, languages, options.no_ignore);
            found.extend(inside.into_iter().filter(|file| !is_excluded(exclude, base, file)));
        } else {
            std::fs::File::open(&path).map_err(|error| Failure::Path { path: path.clone(), error })?;
            found.push(path);
        }
    }
    found.extend(options.unsaved.iter().filter(|path| !is_excluded(exclude, base, path)).cloned());
    sort(&mut found);
    Ok(found)
}

fn is_excluded(exclude: &GlobSet, base: &Path, path: &Path) -> bool {
    exclude.is_match(path.strip_prefix(base).unwrap_or(path))
}

/// The files below a directory that are written in a language that is known. Links to directories are not followed, so a loop of them ends.
pub(crate) fn below(directory: &Path, languages: Languages, no_ignore: bool) -> Vec<PathBuf> {
    let is_known = |path: &Path| languages.by_name(path).is_some();
    let mut found: Vec<PathBuf> = if no_ignore {
        let entries = walkdir::WalkDir::new(directory).into_iter().filter_map(Result::ok);
        entries
            .filter(|entry| !entry.file_type().is_dir())
            .map(walkdir::DirEntry::into_path)
            .filter(|p| is_known(p))
            .collect()
    } else {
        let mut builder = ignore::WalkBuilder::new(directory);
        // `target` is left out also where nobody ignores it: it holds sources that were generated or copied.
        builder.require_git(false).filter_entry(|entry| !is_build_output(entry.path()));
        let entries = builder.build().filter_map(Result::ok);
        let files = entries.filter(|entry| entry.file_type().is_none_or(|kind| !kind.is_dir()));
        files.map(ignore::DirEntry::into_path).filter(|path| is_known(path)).collect()
    };
    sort(&mut found);
    found
}

fn is_build_output(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name == "target") && path.join("CACHEDIR.TAG").exists()
}
