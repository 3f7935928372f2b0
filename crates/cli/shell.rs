//! What do shells and `man` know of this program? Completions and the manual page, made from the arguments.

use crate::arguments::Arguments;
use crate::{check, terminal};
use clap::CommandFactory;
use std::process::ExitCode;

const EXIT_STATUS: &str = "0: nothing at or above --fail-on. 1: findings. 2: it could not run: a bad option, a bad \
    configuration, a path named on the command line that cannot be read, output that cannot be written.";

/// Writes the completions for a shell.
pub fn completions(shell: clap_complete::Shell) -> ExitCode {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "sessionlint", &mut script);
    print(&script)
}

/// Writes the manual page.
pub fn man() -> ExitCode {
    let mut page = Vec::new();
    let manual = clap_mangen::Man::new(Arguments::command());
    let written = manual.render(&mut page).and_then(|()| {
        // `check` is what most people ask for; its options stand on the same page.
        let command = Arguments::command();
        let check = command.find_subcommand("check").cloned().unwrap_or_else(Arguments::command);
        clap_mangen::Man::new(check).render_options_section(&mut page)
    });
    if let Err(error) = written {
        return check::refuse(&format!("the manual page: {error}"));
    }
    page.extend_from_slice(format!(".SH \"EXIT STATUS\"\n{EXIT_STATUS}\n").as_bytes());
    print(&page)
}

fn print(bytes: &[u8]) -> ExitCode {
    match terminal::print(&String::from_utf8_lossy(bytes)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => check::refuse(&format!("standard output: {error}")),
    }
}
