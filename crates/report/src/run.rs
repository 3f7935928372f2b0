//! What can a report say, and how is it written?

use sessionlint_diagnostics::{Diagnostic, Gap};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

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
    /// Whether the tool itself is the reason: it panicked.
    pub internal: bool,
}

/// A finding that is not reported.
#[derive(Clone, Debug)]
pub struct Silenced {
    /// The finding.
    pub finding: Diagnostic,
    /// The reason that is given.
    pub reason: Option<String>,
    /// Whether the baseline has it; else a comment silences it.
    pub by_baseline: bool,
}

/// A package from outside of the workspace whose sources were read.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Dependency {
    /// Its name.
    pub package: String,
    /// Its version.
    pub version: String,
    /// How many files were read of it.
    pub files: usize,
}

/// Everything that a report can say.
#[derive(Clone, Debug)]
pub struct Run {
    /// The version of the tool.
    pub version: &'static str,
    /// Findings, sorted.
    pub findings: Vec<Diagnostic>,
    /// Those after so many as the report may have; they are counted, and not shown.
    pub not_shown: Vec<Diagnostic>,
    /// The files, by the number in spans.
    pub files: Vec<File>,
    /// What was not checked.
    pub skipped: Vec<Skipped>,
    /// What was not understood.
    pub gaps: Vec<Gap>,
    /// Findings that are not reported.
    pub silenced: Vec<Silenced>,
    /// How many entries of the baseline this run could have met and did not.
    pub stale: usize,
    /// The packages from outside of the workspace whose sources were read.
    pub dependencies: Vec<Dependency>,
    /// Files that were looked at.
    pub file_count: usize,
    /// Functions that were analysed.
    pub function_count: usize,
    /// Sessions that were followed.
    pub session_count: usize,
    /// Findings by level.
    pub levels: BTreeMap<&'static str, usize>,
    /// Whether nothing at all was checked, because the tool panicked.
    pub nothing_checked: bool,
    /// Why less is said than somebody may expect, a line each.
    pub notes: Vec<String>,
    /// Milliseconds from start to report.
    pub elapsed_ms: u64,
    /// The parts of a run and what they took, in the order of the run; none where the result was kept from an earlier run.
    pub times: Vec<(&'static str, Duration)>,
}

impl Run {
    /// How many findings comments silence.
    pub fn suppressed(&self) -> usize {
        self.silenced.iter().filter(|one| !one.by_baseline).count()
    }

    /// How many findings the baseline has.
    pub fn baselined(&self) -> usize {
        self.silenced.len() - self.suppressed()
    }

    /// All findings, those that are not shown as well.
    pub fn all_findings(&self) -> impl Iterator<Item = &Diagnostic> {
        self.findings.iter().chain(&self.not_shown)
    }

    /// How many files and functions were not checked because the tool panicked.
    pub fn panics(&self) -> usize {
        self.skipped.iter().filter(|one| one.internal).count()
    }
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
    /// SARIF 2.1.0.
    Sarif,
    /// Annotations of GitHub Actions.
    Github,
    /// A code quality report of GitLab.
    Gitlab,
    /// JUnit XML.
    Junit,
    /// A page in Markdown.
    Markdown,
}

/// Looks of formats for people.
#[derive(Clone, Copy, Debug)]
pub struct Style<'a> {
    /// Whether to use colours.
    pub color: bool,
    /// Columns of the terminal.
    pub width: usize,
    /// Whether paths are links that a terminal opens: the host and the directory that paths are relative to.
    pub links: Option<(&'a str, &'a Path)>,
}
