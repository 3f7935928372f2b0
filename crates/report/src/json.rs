//! JSON for other programs: one object, or one object a line.

use crate::Run;
use crate::source::Sources;
use serde::Serialize;
use sessionlint_diagnostics::{Applicability, Diagnostic, LineColumn, Span};
use std::collections::BTreeMap;

#[derive(Serialize)]
struct Object<'a> {
    version: u32,
    tool: Tool,
    findings: Vec<Finding<'a>>,
    skipped: Vec<Skipped<'a>>,
    suppressed: usize,
    baselined: usize,
    summary: Summary<'a>,
}

#[derive(Serialize)]
pub(crate) struct Tool {
    name: &'static str,
    version: &'static str,
}

#[derive(Serialize)]
struct Finding<'a> {
    rule: &'a str,
    level: &'a str,
    message: &'a str,
    path: &'a str,
    range: Range,
    function: &'a str,
    protocol: &'a str,
    labels: Vec<Label<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    fingerprint: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    evidence: Option<&'a str>,
    fixes: Vec<Fix<'a>>,
}

#[derive(Serialize)]
struct Label<'a> {
    kind: &'a str,
    message: &'a str,
    path: &'a str,
    range: Range,
    #[serde(skip_serializing_if = "Option::is_none")]
    function: Option<&'a str>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    aside: bool,
}

#[derive(Serialize)]
struct Fix<'a> {
    message: &'a str,
    applicability: &'a str,
    edits: Vec<Edit<'a>>,
}

#[derive(Serialize)]
struct Edit<'a> {
    path: &'a str,
    range: Range,
    text: &'a str,
}

#[derive(Serialize)]
struct Range {
    start: Position,
    end: Position,
}

#[derive(Serialize)]
struct Position {
    line: u32,
    column: u32,
    offset: u32,
}

#[derive(Serialize)]
struct Skipped<'a> {
    path: &'a str,
    reason: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u32>,
}

#[derive(Serialize)]
pub(crate) struct Summary<'a> {
    files: usize,
    functions: usize,
    sessions: usize,
    findings: &'a BTreeMap<&'static str, usize>,
    gaps: usize,
    panics: usize,
    #[serde(skip_serializing_if = "is_none")]
    not_shown: usize,
    elapsed_ms: u64,
}

fn is_none(count: &usize) -> bool {
    *count == 0
}

#[derive(Serialize)]
struct LastLine<'a> {
    summary: Summary<'a>,
}

/// A rule, for `rules --format json`.
#[derive(Serialize)]
pub struct ListedRule<'a> {
    /// Its id.
    pub id: &'a str,
    /// Level in the profile `default`.
    pub level: &'a str,
    /// Level in the profile `strict`.
    pub strict: &'a str,
    /// Languages that it speaks about.
    pub languages: &'a [String],
    /// One line.
    pub summary: &'a str,
}

/// A list of rules as JSON.
pub fn rules_json(rules: &[ListedRule<'_>]) -> String {
    text(serde_json::to_string_pretty(rules))
}

pub(crate) fn object(run: &Run, sources: &Sources<'_>) -> String {
    let object = Object {
        version: 1,
        tool: tool(run),
        findings: run.findings.iter().map(|one| finding(one, sources)).collect(),
        skipped: run
            .skipped
            .iter()
            .map(|one| Skipped { path: &one.path, reason: &one.reason, line: one.line })
            .collect(),
        suppressed: run.suppressed(),
        baselined: run.baselined(),
        summary: summary(run),
    };
    text(serde_json::to_string_pretty(&object))
}

pub(crate) fn lines(run: &Run, sources: &Sources<'_>) -> String {
    let findings = run.findings.iter().map(|one| text(serde_json::to_string(&finding(one, sources))));
    findings.chain([text(serde_json::to_string(&LastLine { summary: summary(run) }))]).collect()
}

/// Plain structs with text keys cannot fail to serialise.
pub(crate) fn text(written: serde_json::Result<String>) -> String {
    written.map(|text| text + "\n").unwrap_or_default()
}

pub(crate) fn tool(run: &Run) -> Tool {
    Tool { name: "sessionlint", version: run.version }
}

pub(crate) fn summary(run: &Run) -> Summary<'_> {
    Summary {
        files: run.file_count,
        functions: run.function_count,
        sessions: run.session_count,
        findings: &run.levels,
        gaps: run.gaps.len(),
        panics: run.panics(),
        not_shown: run.not_shown.len(),
        elapsed_ms: run.elapsed_ms,
    }
}

fn finding<'a>(finding: &'a Diagnostic, sources: &Sources<'a>) -> Finding<'a> {
    let (path, _) = sources.position(finding.span);
    Finding {
        rule: finding.rule,
        level: finding.level.as_str(),
        message: &finding.message,
        path,
        range: range(finding.span, sources),
        function: &finding.function,
        protocol: &finding.protocol,
        labels: finding
            .labels
            .iter()
            .map(|label| Label {
                kind: label.kind.as_str(),
                message: &label.message,
                path: sources.position(label.span).0,
                range: range(label.span, sources),
                function: label.function.as_deref(),
                aside: label.aside,
            })
            .collect(),
        help: finding.help.as_deref(),
        url: crate::rule_url(finding.rule),
        fingerprint: &finding.fingerprint,
        evidence: finding.evidence.map(|evidence| evidence.as_str()),
        fixes: finding.fixes.iter().map(|one| fix(one, sources)).collect(),
    }
}

fn fix<'a>(fix: &'a sessionlint_diagnostics::Fix, sources: &Sources<'a>) -> Fix<'a> {
    Fix {
        message: &fix.message,
        applicability: match fix.applicability {
            Applicability::Safe => "safe",
            Applicability::Unsafe => "unsafe",
        },
        edits: fix
            .edits
            .iter()
            .map(|edit| Edit {
                path: sources.position(edit.span).0,
                range: range(edit.span, sources),
                text: &edit.text,
            })
            .collect(),
    }
}

fn range(span: Span, sources: &Sources<'_>) -> Range {
    let position = |at: LineColumn, offset: u32| Position { line: at.line, column: at.column, offset };
    Range { start: position(sources.position(span).1, span.start), end: position(sources.end(span), span.end) }
}
