//! Who asks, and what is the exit status? The command line.

mod arguments;
mod baseline;
mod cargo_messages;
mod check;
mod debug;
mod describe;
mod dispatch;
mod init;
mod options;
mod progress;
mod shell;
mod show;
mod terminal;
mod watch;

use clap::Parser;
use sessionlint_engine::Failure;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = arguments::Arguments::parse();
    match sessionlint_engine::caught(|| dispatch::run(arguments)) {
        Ok(status) => status,
        Err(what) => check::refuse(&Failure::Internal(what).to_string()),
    }
}
