//! The command `init`: a rules.toml that fits this workspace.

use crate::{check, terminal};
use std::path::Path;
use std::process::ExitCode;

/// Writes a rules.toml into the working directory, or prints it. One that is there is left alone.
pub fn run(to_stdout: bool) -> ExitCode {
    let directory = match std::env::current_dir() {
        Ok(directory) => directory,
        Err(error) => return check::refuse(&format!("the working directory: {error}")),
    };
    let known = sessionlint_engine::dependencies(&directory);
    let text = sessionlint_report::proposal(&sessionlint_protocols::Model::built_in(), &known);
    if to_stdout {
        return match terminal::print(&text) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => check::refuse(&format!("standard output: {error}")),
        };
    }
    let path = directory.join("rules.toml");
    if path.exists() {
        return check::refuse("rules.toml: it is there already; `sessionlint init --stdout` prints what it would be");
    }
    match std::fs::write(&path, text) {
        Ok(()) => {
            let names = if known.is_empty() { "no known library".to_owned() } else { known.join(", ") };
            terminal::complain(&format!("{} written, for {names}\n", Path::new("rules.toml").display()));
            ExitCode::SUCCESS
        }
        Err(error) => check::refuse(&format!("rules.toml: {error}")),
    }
}
