//! A code quality report for GitLab: what a merge request's widget compares with that of the target branch.

use crate::Run;
use crate::source::Sources;
use serde::Serialize;
use sessionlint_diagnostics::{Diagnostic, Level};

#[derive(Serialize)]
struct Issue<'a> {
    description: String,
    check_name: String,
    fingerprint: &'a str,
    severity: &'static str,
    location: Location<'a>,
}

#[derive(Serialize)]
struct Location<'a> {
    path: &'a str,
    lines: Lines,
}

#[derive(Serialize)]
struct Lines {
    begin: u32,
    end: u32,
}

pub(crate) fn render(run: &Run, sources: &Sources<'_>) -> String {
    let issues: Vec<Issue<'_>> = run.findings.iter().map(|finding| issue(finding, sources)).collect();
    serde_json::to_string_pretty(&issues).map(|text| text + "\n").unwrap_or_default()
}

fn issue<'a>(finding: &'a Diagnostic, sources: &Sources<'a>) -> Issue<'a> {
    let (path, start) = sources.position(finding.span);
    let help = finding.help.as_ref().map(|help| format!("; {help}")).unwrap_or_default();
    Issue {
        // The name of the check is not shown.
        description: format!("{}: {}{help}", finding.rule, finding.message),
        check_name: format!("sessionlint/{}", finding.rule),
        fingerprint: &finding.fingerprint,
        severity: match finding.level {
            Level::Deny => "critical",
            Level::Warn => "minor",
            Level::Note | Level::Allow => "info",
        },
        location: Location { path, lines: Lines { begin: start.line, end: sources.end(finding.span).line } },
    }
}
