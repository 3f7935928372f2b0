//! Workflow commands of GitHub Actions: one annotation for each finding, the gravest first, because only ten of each kind are
//! shown for a step.

use crate::Run;
use crate::source::Sources;
use sessionlint_diagnostics::{Diagnostic, Level};
use std::fmt::Write as _;

pub(crate) fn render(run: &Run, sources: &Sources<'_>) -> String {
    let mut findings: Vec<&Diagnostic> = run.findings.iter().collect();
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.level));
    findings.into_iter().map(|finding| command(finding, sources)).collect()
}

fn command(finding: &Diagnostic, sources: &Sources<'_>) -> String {
    let ((path, start), end) = (sources.position(finding.span), sources.end(finding.span));
    let word = match finding.level {
        Level::Deny => "error",
        Level::Warn => "warning",
        Level::Note | Level::Allow => "notice",
    };
    let mut properties = format!("file={},line={}", property(path), start.line);
    // Columns of a range over several lines are misplaced.
    if start.line == end.line {
        let _ = write!(properties, ",col={},endLine={},endColumn={}", start.column, end.line, end.column);
    }
    let _ = write!(properties, ",title={}", property(&format!("sessionlint ({})", finding.rule)));
    // The log does not show the properties, so the place is said again.
    let mut text = format!("{path}:{}:{}: {}", start.line, start.column, finding.message);
    for label in &finding.labels {
        let (path, at) = sources.position(label.span);
        let _ = write!(text, "\n  {path}:{}:{}: {}", at.line, at.column, label.message);
    }
    if let Some(help) = &finding.help {
        let _ = write!(text, "\n  help: {help}");
    }
    format!("::{word} {properties}::{}\n", data(&text))
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
