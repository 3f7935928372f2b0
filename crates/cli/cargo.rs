//! `cargo sessionlint`: the same program, called by cargo, which puts its subcommand's name first.

mod arguments;
mod check;
mod describe;
mod terminal;

use arguments::{Arguments, Command};
use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut words: Vec<std::ffi::OsString> = std::env::args_os().collect();
    if words.get(1).is_some_and(|word| word == "sessionlint") {
        words.remove(1);
    }
    let arguments = Arguments::parse_from(words);
    match arguments.command {
        None => check::run(&arguments.check),
        Some(Command::Check(check)) => check::run(&check),
        Some(Command::Rules { rule, format }) => describe::rules(rule.as_deref(), format),
        Some(Command::Explain { rule }) => describe::explain(&rule),
        Some(Command::Libraries { name }) => describe::libraries(name.as_deref()),
    }
}
