//! JUnit XML, for servers that show test results: a suite for each file, a failed case for each finding.

use crate::Run;
use crate::source::Sources;
use sessionlint_diagnostics::Diagnostic;
use std::fmt::Write as _;

pub(crate) fn render(run: &Run, sources: &Sources<'_>) -> String {
    let mut by_file: Vec<(&str, Vec<&Diagnostic>)> = Vec::new();
    for finding in &run.findings {
        let (path, _) = sources.position(finding.span);
        match by_file.last_mut() {
            Some((last, findings)) if *last == path => findings.push(finding),
            _ => by_file.push((path, vec![finding])),
        }
    }
    let count = run.findings.len();
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"sessionlint\" tests=\"{}\" failures=\"{count}\" \
         errors=\"0\">\n",
        count.max(1)
    );
    if by_file.is_empty() {
        // A report without a case counts as one that went wrong.
        text.push_str(
            "  <testsuite name=\"sessionlint\" tests=\"1\" failures=\"0\" errors=\"0\" skipped=\"0\">\n    \
             <testcase name=\"nothing found\" classname=\"sessionlint\"/>\n  </testsuite>\n",
        );
    }
    for (path, findings) in by_file {
        let (name, count) = (escaped(path), findings.len());
        let _ = writeln!(
            text,
            "  <testsuite name=\"{name}\" tests=\"{count}\" failures=\"{count}\" errors=\"0\" skipped=\"0\">"
        );
        for finding in findings {
            let (_, at) = sources.position(finding.span);
            let (line, column) = (at.line, at.column);
            let mut walk = format!("{path}:{line}:{column}: {}", finding.message);
            for label in &finding.labels {
                let (path, at) = sources.position(label.span);
                let _ = write!(walk, "\n  {path}:{}:{}: {}", at.line, at.column, label.message);
            }
            if let Some(help) = &finding.help {
                let _ = write!(walk, "\n  help: {help}");
            }
            let _ = writeln!(
                text,
                "    <testcase name=\"{} ({line}:{column})\" classname=\"{name}\" file=\"{name}\" line=\"{line}\">\n      \
                 <failure type=\"{}\" message=\"{}\">{}</failure>\n    </testcase>",
                finding.rule,
                finding.level,
                escaped(&finding.message),
                escaped(&walk)
            );
        }
        text.push_str("  </testsuite>\n");
    }
    text.push_str("</testsuites>\n");
    text
}

/// Text as XML has it; control characters, which it has none for, become a replacement character.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' | '\t' => out.push(c),
            c if c.is_control() || matches!(c, '\u{FFFE}' | '\u{FFFF}') => out.push('\u{FFFD}'),
            c => out.push(c),
        }
    }
    out
}
