//! How does a terminal open a file from a report? OSC 8 links, as `ls --hyperlink` and ripgrep write them.

use std::path::Path;

/// `text` as a link to a file; `path` is relative to the directory of `links`, which also names the host.
pub(crate) fn link((host, directory): (&str, &Path), path: &str, text: &str) -> String {
    let file = directory.join(path);
    let encoded = crate::sarif::encoded(&file.to_string_lossy().replace('\\', "/"));
    let slash = if encoded.starts_with('/') { "" } else { "/" };
    format!("\u{1b}]8;;file://{host}{slash}{encoded}\u{1b}\\{text}\u{1b}]8;;\u{1b}\\")
}
