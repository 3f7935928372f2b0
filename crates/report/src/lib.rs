//! How does it look? One file for each format; each takes a [`Run`] and gives text.

mod cargo;
mod concise;
mod config;
mod describe;
mod github;
mod gitlab;
mod graph;
mod highlight;
mod json;
mod junit;
mod links;
mod markdown;
mod meaning;
mod patch;
mod picture;
mod pretty;
mod proposal;
mod sarif;
mod settings;
mod snippet;
mod source;
mod statistics;
mod summary;
mod text;

pub use cargo::{CargoPackage, cargo_json, cargo_packages};
pub use config::config_error;
pub use describe::{
    Example, libraries_index, library, library_page, rule, rule_markdown, rule_page, rules_index, session, table,
};
pub use graph::graph;
pub use json::{ListedRule, rules_json};
pub use patch::patch;
pub use proposal::proposal;
pub use sarif::encoded;
pub use settings::settings;
pub use statistics::{statistics, statistics_json};
pub use summary::summary;

use sessionlint_diagnostics::{Diagnostic, Gap};
use source::Sources;
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

/// The report in a format.
pub fn render(run: &Run, format: Format, style: Style<'_>) -> String {
    let sources = Sources::new(&run.files);
    match format {
        Format::Pretty => pretty::render(run, &sources, style),
        Format::Concise => concise::render(run, &sources, style),
        Format::Json => json::object(run, &sources),
        Format::Jsonl => json::lines(run, &sources),
        Format::Sarif => sarif::render(run, &sources),
        Format::Github => github::render(run, &sources),
        Format::Gitlab => gitlab::render(run, &sources),
        Format::Junit => junit::render(run, &sources),
        Format::Markdown => markdown::render(run, &sources),
    }
}

/// The address of a rule's page; `None` while the project has no public address.
pub fn rule_url(rule: &str) -> Option<String> {
    address().map(|address| format!("{address}/blob/main/docs/rules/{rule}.md"))
}

/// The project's public address, as its manifest has it; `None` while it has none.
pub(crate) fn address() -> Option<&'static str> {
    address_in(include_str!("../../../Cargo.toml"))
}

/// The address that the manifest of the program names, whichever of its tables has it.
fn address_in(manifest: &str) -> Option<&str> {
    let values =
        manifest.lines().filter_map(|line| line.trim().strip_prefix("repository")?.trim_start().strip_prefix('='));
    let addresses = values.filter_map(|value| value.trim().strip_prefix('"')?.split('"').next());
    addresses.map(|address| address.trim_end_matches('/')).find(|address| !address.is_empty())
}

/// What was skipped because the tool panicked, a line each, and what to do about it; empty when it did not.
pub fn internal_errors(skipped: &[Skipped]) -> String {
    let lines: Vec<String> = skipped.iter().filter(|one| one.internal).map(skipped_line).collect();
    if lines.is_empty() {
        return String::new();
    }
    let count = summary::plural(lines.len(), "internal error");
    let version = env!("CARGO_PKG_VERSION");
    let ask = format!(
        "{count}: a mistake of sessionlint {version}, not of your code; please report it, with what stands above\n"
    );
    lines.concat() + &ask
}

fn skipped_line(skipped: &Skipped) -> String {
    match skipped.line {
        Some(line) => format!("skipped {}:{line}: {}\n", skipped.path, skipped.reason),
        None => format!("skipped {}: {}\n", skipped.path, skipped.reason),
    }
}

/// What was skipped and not understood, a line each; not what is told in any case.
pub fn verbose(run: &Run) -> String {
    let sources = Sources::new(&run.files);
    let skipped = run.skipped.iter().filter(|one| !one.internal).map(skipped_line);
    let gaps = run.gaps.iter().map(|gap| {
        let (path, at) = sources.position(gap.span);
        format!("gap {path}:{}:{}: {}\n", at.line, at.column, gap.reason)
    });
    skipped.chain(gaps).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manifest_names_the_address() {
        for manifest in [
            "[package]\nname = \"a\"\nrepository = \"https://example.org/a\"\n",
            "[workspace.package]\nrepository=\"https://example.org/a/\" # why\n",
            "[package]\nrepository.workspace = true\n[workspace.package]\n  repository = \"https://example.org/a\"\n",
        ] {
            assert_eq!(address_in(manifest), Some("https://example.org/a"), "{manifest}");
        }
        for manifest in ["", "[package]\n# repository = \"https://example.org\"\n", "repository = \"\"\n"] {
            assert_eq!(address_in(manifest), None);
        }
    }
}
