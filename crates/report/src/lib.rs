//! How does it look? One file for each format; each takes a [`Run`] and gives text.

mod concise;
mod config;
mod describe;
mod json;
mod patch;
mod pretty;
mod source;
mod summary;

pub use config::config_error;
pub use describe::{Example, libraries_index, library, library_page, rule, rule_page, rules_index, table};
pub use json::{ListedRule, rules_json};
pub use patch::patch;
pub use summary::{statistics, summary};

use sessionlint_diagnostics::{Diagnostic, Gap};
use source::Sources;
use std::collections::BTreeMap;

/// A file that findings point into.
#[derive(Clone, Debug)]
pub struct File {
    /// As it is shown.
    pub path: String,
    /// Its text.
    pub text: String,
}

/// A file or item that was not checked.
#[derive(Clone, Debug)]
pub struct Skipped {
    /// The file.
    pub path: String,
    /// Why.
    pub reason: String,
    /// The line, from 1.
    pub line: Option<u32>,
}

/// Everything that a report can say.
#[derive(Clone, Debug)]
pub struct Run {
    /// The version of the tool.
    pub version: &'static str,
    /// Findings, sorted.
    pub findings: Vec<Diagnostic>,
    /// The files, by the number in spans.
    pub files: Vec<File>,
    /// What was not checked.
    pub skipped: Vec<Skipped>,
    /// What was not understood.
    pub gaps: Vec<Gap>,
    /// Findings silenced by comments.
    pub suppressed: usize,
    /// Files that were looked at.
    pub file_count: usize,
    /// Functions that were analysed.
    pub function_count: usize,
    /// Sessions that were followed.
    pub session_count: usize,
    /// Findings by level.
    pub levels: BTreeMap<&'static str, usize>,
    /// Milliseconds from start to report.
    pub elapsed_ms: u64,
}

/// How a report is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Snippets with the walk of the session.
    Pretty,
    /// One line for each finding.
    Concise,
    /// One object.
    Json,
    /// One object a line.
    Jsonl,
}

/// All formats with their names.
pub const FORMATS: &[(&str, Format)] =
    &[("pretty", Format::Pretty), ("concise", Format::Concise), ("json", Format::Json), ("jsonl", Format::Jsonl)];

/// Looks of formats for people.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// Whether to use colours.
    pub color: bool,
    /// Columns of the terminal.
    pub width: usize,
}

/// The report in a format.
pub fn render(run: &Run, format: Format, style: Style) -> String {
    let sources = Sources::new(&run.files);
    match format {
        Format::Pretty => pretty::render(run, &sources, style),
        Format::Concise => concise::render(run, &sources),
        Format::Json => json::object(run, &sources),
        Format::Jsonl => json::lines(run, &sources),
    }
}

/// What was skipped and not understood, a line each.
pub fn verbose(run: &Run) -> String {
    let sources = Sources::new(&run.files);
    let skipped = run.skipped.iter().map(|skipped| match skipped.line {
        Some(line) => format!("skipped {}:{line}: {}\n", skipped.path, skipped.reason),
        None => format!("skipped {}: {}\n", skipped.path, skipped.reason),
    });
    let gaps = run.gaps.iter().map(|gap| {
        let (path, at) = sources.position(gap.span);
        format!("gap {path}:{}:{}: {}\n", at.line, at.column, gap.reason)
    });
    skipped.chain(gaps).collect()
}
