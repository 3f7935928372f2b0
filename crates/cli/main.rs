//! Who asks, and what is the exit status? The command line.

mod arguments;
mod check;
mod describe;
mod terminal;

use arguments::{Arguments, Command};
use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    run(Arguments::parse())
}

/// Runs what the arguments ask for.
fn run(arguments: Arguments) -> ExitCode {
    match arguments.command {
        None => check::run(&arguments.check),
        Some(Command::Check(check)) => check::run(&check),
        Some(Command::Rules { rule, format }) => describe::rules(rule.as_deref(), format),
        Some(Command::Explain { rule }) => describe::explain(&rule),
        Some(Command::Libraries { name }) => describe::libraries(name.as_deref()),
    }
}
