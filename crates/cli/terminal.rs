//! What is on the other side of standard output and standard error?

use crate::arguments::Color;
use std::io::{self, IsTerminal, Write};

/// Whether to use colours on a stream.
pub fn color(choice: Color, terminal: bool) -> bool {
    match choice {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
    }
}

/// Columns of the terminal, between what is readable and what fits.
pub fn width() -> usize {
    let told = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let columns = told.or_else(|| Some(usize::from(terminal_size::terminal_size()?.0.0)));
    columns.unwrap_or(100).clamp(60, 140)
}

/// Writes to standard output. A reader that has gone away (`| head`) is not an error.
pub fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

/// Writes to standard error, as far as somebody listens.
pub fn complain(text: &str) {
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

/// Whether standard output is a terminal.
pub fn stdout_is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// Whether standard error is a terminal.
pub fn stderr_is_terminal() -> bool {
    io::stderr().is_terminal()
}

/// The name of this machine, for links that a terminal opens; empty where it is not known.
pub fn host() -> String {
    let from_file = || std::fs::read_to_string("/etc/hostname").ok();
    std::env::var("HOSTNAME").ok().or_else(from_file).map(|name| name.trim().to_owned()).unwrap_or_default()
}
