//! The options `--show-files` and `--show-settings`: what would be checked, and how.

use crate::arguments::Check;
use crate::check::{told, write_report};
use crate::terminal;
use sessionlint_engine::{Effective, Engine, Options};
use std::process::ExitCode;

/// Prints the files that would be checked, or the settings that hold.
///
/// # Errors
/// When nothing could be checked with these options, or the output cannot be written.
pub fn run(check: &Check, options: Options) -> Result<ExitCode, String> {
    let engine = Engine::new(options, sessionlint_languages::ALL).map_err(|failure| told(check, &failure))?;
    let text = match check.show_settings {
        true => {
            let effective = engine.effective();
            sessionlint_report::settings(&effective.config, &about(&effective))
        }
        false => engine.requested_names().iter().map(|name| format!("{name}\n")).collect(),
    };
    write_report(check, &text)?;
    if engine.requested().is_empty() && !check.quiet {
        engine.notes(None).iter().for_each(|note| terminal::complain(&format!("sessionlint: {note}\n")));
    }
    Ok(ExitCode::SUCCESS)
}

/// What stands above the settings.
fn about(effective: &Effective) -> Vec<String> {
    let of = effective.of.as_deref().map(|file| format!(" in {file}")).unwrap_or_default();
    let from =
        effective.file.as_deref().unwrap_or("none; these are the built-in settings and the options of this command");
    let mut lines = vec![format!("The settings in effect{of}."), format!("Settings file: {from}.")];
    lines.push(format!("Baseline: {}.", effective.baseline.as_deref().unwrap_or("none")));
    lines.push(format!("Cache: {}.", effective.cache.as_deref().unwrap_or("none")));
    if !effective.protocols.is_empty() {
        lines.push(format!("Session types of your own: {}.", effective.protocols.join(", ")));
    }
    lines
}
