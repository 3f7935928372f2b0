//! How is a path shown, and where does it lead?

use std::path::{Component, Path, PathBuf};

/// A path as it is shown: relative to `directory` when it lies below it, with `/`.
pub(crate) fn shown(directory: &Path, path: &Path) -> String {
    let relative = path.strip_prefix(directory).unwrap_or(path);
    let text = relative.to_string_lossy();
    if cfg!(windows) { text.replace('\\', "/") } else { text.into_owned() }
}

/// An absolute path without `.` and `..`; links are kept as they are.
pub(crate) fn absolute(directory: &Path, path: &Path) -> PathBuf {
    let mut clean = PathBuf::new();
    for part in directory.join(path).components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                clean.pop();
            }
            part => clean.push(part),
        }
    }
    clean
}

/// Sorts paths by their bytes, which is many times cheaper than by their parts, and drops duplicates.
pub(crate) fn sort(paths: &mut Vec<PathBuf>) {
    paths.sort_unstable_by(|a, b| a.as_os_str().cmp(b.as_os_str()));
    paths.dedup();
}
