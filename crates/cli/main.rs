//! Who asks, and what is the exit status? The command line.

mod arguments;
mod check;
mod describe;
mod dispatch;
mod terminal;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    dispatch::run(arguments::Arguments::parse())
}
