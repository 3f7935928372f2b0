//! The command `init`: a rules.toml that fits this workspace.

use crate::{check, terminal};
use std::process::ExitCode;

/// Writes a rules.toml into the working directory, or prints it. Settings that are there are left alone.
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
    let found = sessionlint_engine::config_in(&directory);
    if let Some(name) = found.config.as_ref().and_then(|(path, _)| path.file_name()) {
        let name = name.display();
        return check::refuse(&format!(
            "{name} exists already and was not changed; `sessionlint init --stdout` prints what init would write"
        ));
    }
    // A rules.toml that is another tool's is left alone.
    let name = if found.foreign.is_empty() { "rules.toml" } else { "sessionlint.toml" };
    match std::fs::write(directory.join(name), text) {
        Ok(()) => {
            let names = if known.is_empty() { "no known library".to_owned() } else { known.join(", ") };
            terminal::complain(&format!("{name} written, for {names}\n"));
            ExitCode::SUCCESS
        }
        Err(error) => check::refuse(&format!("{name}: {error}")),
    }
}
