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
        return Err(format!("--format cargo-json needs a Cargo workspace: {}", sentence(&error)));
    }
    sessionlint_report::cargo_packages(&String::from_utf8_lossy(&output.stdout))
        .ok_or_else(|| "`cargo metadata` says what is not understood".to_owned())
}

/// What cargo complains about, as one sentence: the last cause that it names is the most exact.
fn sentence(error: &str) -> String {
    let mut lines = error.lines().map(str::trim).filter(|line| !line.is_empty());
    let first = lines.clone().find_map(|line| line.strip_prefix("error: "));
    let is_cause = |line: &&str| *line == "Caused by:";
    let causes: Vec<&str> = lines.by_ref().skip_while(|line| !is_cause(line)).collect();
    let last = causes.rsplit(|line| *line == "Caused by:").next().and_then(|cause| cause.first());
    let said = last.copied().or(first).unwrap_or("cargo failed");
    let place = error.lines().find_map(|line| line.trim().strip_prefix("--> "));
    said.trim_end_matches('.').to_owned() + &place.map(|place| format!(" ({place})")).unwrap_or_default()
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

#[cfg(test)]
mod tests {
    use super::sentence;

    #[test]
    fn cargos_complaint_is_one_sentence() {
        let none = "error: could not find `Cargo.toml` in `/a` or any parent directory\n";
        assert_eq!(sentence(none), "could not find `Cargo.toml` in `/a` or any parent directory");
        let cause = "error: failed to parse manifest at `/a/Cargo.toml`\n\nCaused by:\n  no targets specified in the manifest\n  \
                     either src/lib.rs, src/main.rs, a [lib] section, or [[bin]] section must be present\n";
        assert_eq!(sentence(cause), "no targets specified in the manifest");
        let chain = "warning: unused\nerror: failed to load\n\nCaused by:\n  first\n\nCaused by:\n  second.\n  more\n";
        assert_eq!(sentence(chain), "second");
        let place =
            "error: unclosed table, expected `]`\n --> Cargo.toml:4:14\n  |\n4 | [dependencies\n  |              ^\n";
        assert_eq!(sentence(place), "unclosed table, expected `]` (Cargo.toml:4:14)");
        assert_eq!(sentence(""), "cargo failed");
    }
}
