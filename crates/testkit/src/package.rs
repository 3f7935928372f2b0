//! What is a test's package made of? Files, and a git repository around them.

use std::fs;
use std::path::Path;

/// Writes a file, with the directories above it.
pub fn write(directory: &Path, name: &str, text: &str) {
    let path = directory.join(name);
    let above = path.parent().expect("a file stands in a directory");
    fs::create_dir_all(above).unwrap_or_else(|error| panic!("{}: {error}", above.display()));
    fs::write(&path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}

/// Runs git in a directory, as somebody without settings of their own.
pub fn git(directory: &Path, arguments: &[&str]) {
    let identity = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"];
    let output = std::process::Command::new("git")
        .current_dir(directory)
        .env_remove("GIT_DIR")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .args(identity)
        .args(arguments)
        .output()
        .expect("git runs");
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}
