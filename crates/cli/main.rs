//! Who asks, and what is the exit status? The command line.

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
    dispatch::run(arguments::Arguments::parse())
}
