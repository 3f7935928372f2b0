//! How is a file written so that it is whole whatever happens?

use std::io::Write;
use std::path::Path;

/// Writes a file beside its place, and moves it there in one step.
///
/// # Errors
/// When it cannot be written or moved; nothing is left beside it then.
pub(crate) fn whole(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.sessionlint-new", std::process::id()));
    let new = path.with_file_name(name);
    let written = std::fs::File::create_new(&new).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    let written = written.and_then(|()| {
        // What was there keeps its permissions.
        match std::fs::metadata(path) {
            Ok(metadata) => std::fs::set_permissions(&new, metadata.permissions()),
            Err(_) => Ok(()),
        }
    });
    let written = written.and_then(|()| std::fs::rename(&new, path));
    if written.is_err() {
        let _left = std::fs::remove_file(&new);
    }
    written
}
