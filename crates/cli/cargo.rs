//! `cargo sessionlint`: who runs the program for cargo, which puts its subcommand's name first.
//!
//! It hands over to the `sessionlint` that was installed beside it, as `cargo clippy` does with its driver.

use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

fn main() -> ExitCode {
    let mut words: Vec<OsString> = std::env::args_os().skip(1).collect();
    if words.first().is_some_and(|word| word == "sessionlint") {
        words.remove(0);
    }
    let mut command = Command::new(program());
    command.args(words);
    let error = match hand_over(&mut command) {
        Ok(status) => return status,
        Err(error) => error,
    };
    // Where nobody listens there is nobody to tell.
    let _ = writeln!(std::io::stderr(), "cargo-sessionlint: {}: {error}", command.get_program().display());
    ExitCode::from(2)
}

/// The program beside this one; where there is none, the one that the shell would find.
fn program() -> PathBuf {
    let name = format!("sessionlint{}", std::env::consts::EXE_SUFFIX);
    let beside = std::env::current_exe().map(|path| path.with_file_name(&name));
    beside.ok().filter(|path| path.is_file()).unwrap_or_else(|| name.into())
}

#[cfg(unix)]
fn hand_over(command: &mut Command) -> std::io::Result<ExitCode> {
    Err(std::os::unix::process::CommandExt::exec(command))
}

#[cfg(not(unix))]
fn hand_over(command: &mut Command) -> std::io::Result<ExitCode> {
    let code = command.status()?.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::from(2), ExitCode::from))
}
