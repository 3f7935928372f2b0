//! What does cargo say? Its packages, and the messages of `cargo check` or `cargo clippy` that are passed on.

use crate::arguments::{Cargo, Check};
use crate::terminal;
use sessionlint_report::CargoPackage;
use std::path::Path;
use std::process::{Command, Stdio};

fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// The packages of the workspace around a directory.
///
/// # Errors
/// When cargo does not know one.
pub fn packages(directory: &Path) -> Result<Vec<CargoPackage>, String> {
    let output = cargo()
        .current_dir(directory)
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .output()
        .map_err(|error| format!("cargo could not be run: {error}"))?;
    if !output.status.success() {
        let error = String::from_utf8_lossy(&output.stderr);
        return Err(format!("--format cargo-json needs a Cargo workspace: {}", error.trim().replace('\n', " ")));
    }
    sessionlint_report::cargo_packages(&String::from_utf8_lossy(&output.stdout))
        .ok_or_else(|| "`cargo metadata` says what is not understood".to_owned())
}

/// Runs cargo, and gives what it says, or lets it through to standard output. What it finds is its own business: it does not
/// change the exit status.
///
/// # Errors
/// When it cannot be run.
pub fn passed_on(check: &Check) -> Result<String, String> {
    let word = match check.cargo {
        Cargo::None => return Ok(String::new()),
        Cargo::Check => "check",
        Cargo::Clippy => "clippy",
    };
    let mut command = cargo();
    command.args([word, "--workspace", "--all-targets", "--message-format=json", "--quiet"]).stdin(Stdio::null());
    let failed = |error| format!("cargo could not be run: {error}");
    if check.output.is_some() {
        let output = command.stderr(Stdio::inherit()).output().map_err(failed)?;
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let status = command.status().map_err(failed)?;
    if !status.success() && check.verbose {
        terminal::complain(&format!("cargo {word} ended with {status}\n"));
    }
    Ok(String::new())
}
