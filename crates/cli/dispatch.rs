//! Which command does what?

use crate::arguments::{Arguments, Command};
use crate::{check, describe};
use std::process::ExitCode;

/// Runs what the arguments ask for.
pub fn run(arguments: Arguments) -> ExitCode {
    match arguments.command {
        None => check::run(&arguments.check),
        Some(Command::Check(check)) => check::run(&check),
        Some(Command::Rules { rule, format }) => describe::rules(rule.as_deref(), format),
        Some(Command::Explain { rule }) => describe::explain(&rule),
        Some(Command::Libraries { name }) => describe::libraries(name.as_deref()),
    }
}
