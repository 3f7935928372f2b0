//! Which command does what?

use crate::arguments::{Arguments, Command};
use crate::{baseline, check, debug, describe, init, shell};
use std::process::ExitCode;

/// Runs what the arguments ask for.
pub fn run(arguments: Arguments) -> ExitCode {
    match arguments.command {
        None => check::run(&arguments.check),
        Some(Command::Check(check)) => check::run(&check),
        Some(Command::Rules { rule, format }) => describe::rules(rule.as_deref(), format),
        Some(Command::Explain { rule }) => describe::explain(&rule),
        Some(Command::Libraries { learned: Some(path), .. }) => describe::learned(path),
        Some(Command::Libraries { name, learned: None }) => describe::libraries(name.as_deref()),
        Some(Command::Init { stdout }) => init::run(stdout),
        Some(Command::Baseline(baseline)) => baseline::run(&baseline),
        Some(Command::Lsp) => match sessionlint_lsp::serve() {
            true => ExitCode::SUCCESS,
            false => ExitCode::FAILURE,
        },
        Some(Command::Completions { shell }) => shell::completions(shell),
        Some(Command::Man) => shell::man(),
        Some(Command::Schema { of }) => describe::schema(of),
        Some(Command::Debug { facts, function, check }) => debug::run(facts, &function, &check),
    }
}
