//! What does git say? Runs it in a directory.

use std::path::Path;
use std::process::Command;

/// The standard output of a git command, or the first line of what it complains about.
pub(crate) fn git(directory: &Path, arguments: &[&str]) -> Result<String, String> {
    bytes(directory, arguments).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

/// The same, as bytes: for what a file says.
pub(crate) fn bytes(directory: &Path, arguments: &[&str]) -> Result<Vec<u8>, String> {
    let output = Command::new("git")
        .current_dir(directory)
        .args(arguments)
        .output()
        .map_err(|error| format!("git could not be run: {error}"))?;
    if output.status.success() {
        Ok(output.stdout)
    } else {
        let error = String::from_utf8_lossy(&output.stderr);
        Err(error.trim().lines().next().unwrap_or("git failed").to_owned())
    }
}
