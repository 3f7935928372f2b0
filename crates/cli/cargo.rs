//! `cargo sessionlint`: the same program, called by cargo, which puts its subcommand's name first.

mod arguments;
mod baseline;
mod cargo_messages;
mod check;
mod describe;
mod dispatch;
mod init;
mod options;
mod progress;
mod shell;
mod terminal;
mod watch;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut words: Vec<std::ffi::OsString> = std::env::args_os().collect();
    if words.get(1).is_some_and(|word| word == "sessionlint") {
        words.remove(1);
    }
    dispatch::run(arguments::Arguments::parse_from(words))
}
