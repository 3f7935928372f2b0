//! A summary in Markdown, for the page of a CI job.

use crate::Run;
use crate::source::Sources;
use sessionlint_diagnostics::{Diagnostic, Level};
use std::fmt::Write as _;

/// So many findings are told; a page of a job takes one megabyte.
const MAX: usize = 100;

pub(crate) fn render(run: &Run, sources: &Sources<'_>) -> String {
    let mut text = format!("## sessionlint\n\n{}\n", crate::summary(run).trim_end());
    let mut findings: Vec<&Diagnostic> = run.findings.iter().collect();
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.level));
    if !findings.is_empty() {
        text.push_str("\n| | rule | where | what |\n|---|---|---|---|\n");
    }
    for finding in findings.iter().take(MAX) {
        let (path, at) = sources.position(finding.span);
        let mark = match finding.level {
            Level::Deny => "❌",
            Level::Warn => "⚠️",
            Level::Note | Level::Allow => "ℹ️",
        };
        let _ = writeln!(
            text,
            "| {mark} | `{}` | `{path}:{}:{}` | {} |",
            finding.rule,
            at.line,
            at.column,
            cell(&finding.message)
        );
    }
    for finding in findings.iter().take(MAX) {
        let (path, at) = sources.position(finding.span);
        let _ = write!(text, "\n<details><summary><code>{}</code> at {path}:{}</summary>\n\n", finding.rule, at.line);
        for (place, label) in finding.steps().enumerate() {
            let (path, at) = sources.position(label.span);
            let source = sources.source(label.span);
            let line = source.text.lines().nth(at.line as usize - 1).unwrap_or_default().trim();
            let _ = writeln!(text, "{}. `{path}:{}` {}", place + 1, at.line, plain(&label.message));
            let _ = writeln!(text, "   ```rust\n   {line}\n   ```");
        }
        let beside = crate::pretty::asides(finding, sources);
        if !beside.is_empty() {
            let _ = writeln!(text, "\n{}.", plain(&beside.join("; ")));
        }
        if let Some(help) = &finding.help {
            let _ = writeln!(text, "\n**Help:** {}", plain(help));
        }
        text.push_str("\n</details>\n");
    }
    if findings.len() > MAX {
        let _ = writeln!(text, "\nand {} more.", findings.len() - MAX);
    }
    text
}

fn plain(text: &str) -> String {
    text.replace('<', "&lt;")
}

fn cell(text: &str) -> String {
    plain(text).replace('|', "\\|").replace('\n', " ")
}
