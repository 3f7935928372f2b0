//! SARIF 2.1.0, for code scanning: the walk as a code flow, safe fixes, suppressions, and what each rule means.
//!
//! Written for what GitHub reads: it matches alerts by `primaryLocationLineHash`, shows `codeFlows` as paths, and wants a
//! description and help of every rule.

use crate::source::Sources;
use crate::{Run, Silenced};
use serde_json::{Value, json};
use sessionlint_diagnostics::{Applicability, Diagnostic, Fix, Label, LabelKind, Level, Span};
use sessionlint_protocols::{Precision, Profile, RuleInfo, RuleSet};
use std::collections::BTreeMap;

const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
/// The name of the root that paths are relative to: the working directory.
const ROOT: &str = "SRCROOT";
/// A message has so many links at most.
const LINKS: usize = 6;

pub(crate) fn render(run: &Run, sources: &Sources<'_>) -> String {
    let rules = RuleSet::built_in();
    let known: Vec<&RuleInfo> = rules.iter().collect();
    let index = |rule: &str| known.iter().position(|known| known.id == rule);
    let result = |finding: &Diagnostic, silenced: Option<&Silenced>| {
        let mut result = result(finding, sources, index(finding.rule));
        if let Some(silenced) = silenced {
            let justification = silenced.reason.as_deref().unwrap_or("No reason is given.");
            let kind = if silenced.by_baseline { "external" } else { "inSource" };
            result["suppressions"] = json!([{"kind": kind, "status": "accepted", "justification": justification}]);
        }
        result
    };
    let findings = run.findings.iter().map(|finding| result(finding, None));
    let silenced = run.silenced.iter().map(|one| result(&one.finding, Some(one)));
    let notifications = run.skipped.iter().map(|skipped| {
        let mut location = json!({"physicalLocation": {"artifactLocation": artifact(&skipped.path)}});
        if let Some(line) = skipped.line {
            location["physicalLocation"]["region"] = json!({"startLine": line});
        }
        let level = if skipped.internal { "error" } else { "note" };
        json!({"level": level, "message": {"text": format!("Not checked: {}.", skipped.reason)}, "locations": [location]})
    });
    let log = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "sessionlint",
                "version": run.version,
                "semanticVersion": run.version,
                "rules": known.iter().map(|rule| about(rule)).collect::<Vec<_>>(),
            }},
            "automationDetails": {"id": "sessionlint/"},
            "originalUriBaseIds": {ROOT: {"description": {"text": "The directory that sessionlint was run in."}}},
            "columnKind": "unicodeCodePoints",
            "invocations": [{
                "executionSuccessful": !run.nothing_checked,
                "toolExecutionNotifications": notifications.collect::<Vec<_>>(),
            }],
            "results": findings.chain(silenced).collect::<Vec<_>>(),
        }],
    });
    let mut log = log;
    if let Some(address) = crate::address() {
        log["runs"][0]["tool"]["driver"]["informationUri"] = json!(address);
    }
    // A tree of text, numbers and lists cannot fail to serialise.
    serde_json::to_string_pretty(&log).map(|text| text + "\n").unwrap_or_default()
}

/// What a rule means.
fn about(rule: &RuleInfo) -> Value {
    let severity = match rule.level(Profile::Default) {
        Level::Deny => "error",
        Level::Warn => "warning",
        Level::Note | Level::Allow => "recommendation",
    };
    let precision = match rule.precision {
        Precision::Low => "low",
        Precision::Medium => "medium",
        Precision::High => "high",
        Precision::VeryHigh => "very-high",
    };
    // As GitHub writes them for its own queries.
    let weaknesses = rule.cwe.iter().map(|number| format!("external/cwe/cwe-{number:03}"));
    let tags: Vec<String> = ["correctness", "resource-leak"].map(str::to_owned).into_iter().chain(weaknesses).collect();
    let help = crate::rule(rule);
    let markdown = format!(
        "Reports when {}.\n\n{}\n\nReported:\n\n```rust\n{}\n```\n\nRight:\n\n```rust\n{}\n```\n\nTo suppress it in one place, write \
         above it:\n\n```rust\n// sessionlint: allow({}) -- the reason\n```\n",
        rule.summary,
        rule.why.trim(),
        rule.bad.trim(),
        rule.good.trim(),
        rule.id
    );
    let mut about = json!({
        "id": format!("sessionlint/{}", rule.id),
        "name": name(&rule.id),
        "shortDescription": {"text": sentence(&format!("Reports when {}", rule.summary))},
        "fullDescription": {"text": rule.why.trim().replace('\n', " ")},
        "help": {"text": help.trim_end(), "markdown": markdown},
        "defaultConfiguration": {"level": level(rule.level(Profile::Default)), "enabled": rule.level(Profile::Default) != Level::Allow},
        "properties": {"tags": tags, "precision": precision, "problem.severity": severity},
    });
    if let Some(url) = crate::rule_url(&rule.id) {
        about["helpUri"] = json!(url);
    }
    about
}

/// `uncommitted-transaction` as `UncommittedTransaction`.
fn name(id: &str) -> String {
    let word = |word: &str| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_uppercase().chain(letters).collect::<String>()).unwrap_or_default()
    };
    id.split('-').map(word).collect()
}

/// A text as a sentence: with a capital and a full stop.
fn sentence(text: &str) -> String {
    let mut letters = text.trim_end_matches('.').chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}

fn level(level: Level) -> &'static str {
    match level {
        Level::Deny => "error",
        Level::Warn => "warning",
        Level::Note => "note",
        Level::Allow => "none",
    }
}

fn result(finding: &Diagnostic, sources: &Sources<'_>, rule: Option<usize>) -> Value {
    let mut text = escaped(&sentence(&finding.message));
    if let Some(help) = &finding.help {
        text.push(' ');
        text.push_str(&escaped(&sentence(help)));
    }
    text.push_str(&links(finding));
    let mut result = json!({
        "ruleId": format!("sessionlint/{}", finding.rule),
        "level": level(finding.level),
        "message": {"text": text},
        "locations": [location(finding.span, sources)],
        "partialFingerprints": {"primaryLocationLineHash": finding.fingerprint, "sessionlint/v2": finding.fingerprint},
    });
    if let Some(rule) = rule {
        result["ruleIndex"] = json!(rule);
    }
    if !finding.function.is_empty() {
        let name = finding.function.rsplit("::").next().unwrap_or_default();
        result["locations"][0]["logicalLocations"] =
            json!([{"name": name, "fullyQualifiedName": finding.function, "kind": "function"}]);
    }
    if !finding.labels.is_empty() {
        let step = |(place, label): (usize, &Label)| {
            let mut location = location(label.span, sources);
            location["message"] = json!({"text": sentence(&label.message)});
            json!({
                "location": location,
                "executionOrder": place + 1,
                "kinds": kinds(label.kind),
                "importance": if is_essential(label.kind) { "essential" } else { "important" },
            })
        };
        let steps: Vec<Value> = finding.steps().enumerate().map(step).collect();
        let related = finding.labels.iter().enumerate().map(|(place, label)| {
            let mut location = location(label.span, sources);
            location["id"] = json!(place + 1);
            location["message"] = json!({"text": sentence(&label.message)});
            location
        });
        result["relatedLocations"] = json!(related.collect::<Vec<_>>());
        result["codeFlows"] = json!([{"threadFlows": [{"locations": steps}]}]);
    }
    // Whoever applies one does not see that it guesses.
    let fixes = finding.fixes.iter().filter(|one| one.applicability == Applicability::Safe);
    let fixes: Vec<Value> = fixes.map(|one| fix(one, sources)).collect();
    if !fixes.is_empty() {
        result["fixes"] = json!(fixes);
    }
    result
}

/// The steps as links to the related locations with their numbers: who reads an alert jumps to them.
fn links(finding: &Diagnostic) -> String {
    let steps = finding.labels.iter().enumerate().filter(|(_, label)| !label.aside);
    let steps: Vec<String> =
        steps.take(LINKS).map(|(place, label)| format!("[{}]({})", escaped(&label.message), place + 1)).collect();
    if steps.is_empty() { String::new() } else { format!(" Step by step: {}.", steps.join("; ")) }
}

/// A text without what begins or ends a link.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('[', "\\[").replace(']', "\\]")
}

/// The words that SARIF has for steps.
fn kinds(kind: LabelKind) -> &'static [&'static str] {
    match kind {
        LabelKind::Opened => &["acquire", "resource"],
        LabelKind::Write => &["call", "resource"],
        LabelKind::Branch => &["branch"],
        LabelKind::Released => &["release", "resource"],
        LabelKind::Dropped => &["scope", "exit"],
        LabelKind::Leaks => &["danger"],
        LabelKind::Meanwhile | LabelKind::Called => &["call"],
    }
}

fn is_essential(kind: LabelKind) -> bool {
    matches!(kind, LabelKind::Opened | LabelKind::Leaks | LabelKind::Dropped | LabelKind::Meanwhile)
}

fn location(span: Span, sources: &Sources<'_>) -> Value {
    let (path, _) = sources.position(span);
    json!({"physicalLocation": {"artifactLocation": artifact(path), "region": region(span, sources)}})
}

fn region(span: Span, sources: &Sources<'_>) -> Value {
    let ((_, start), end) = (sources.position(span), sources.end(span));
    json!({"startLine": start.line, "startColumn": start.column, "endLine": end.line, "endColumn": end.column})
}

/// A file; absolute ones lie outside of the working directory.
fn artifact(path: &str) -> Value {
    let encoded = encoded(path);
    match path.starts_with('/') || path.as_bytes().get(1) == Some(&b':') {
        true => json!({"uri": format!("file://{}{encoded}", if path.starts_with('/') { "" } else { "/" })}),
        false => json!({"uri": encoded, "uriBaseId": ROOT}),
    }
}

/// A path with what must not stand in a URI as `%xx`.
pub fn encoded(path: &str) -> String {
    let mut text = String::new();
    for byte in path.bytes() {
        match byte {
            b'A'..=b'Z'
            | b'a'..=b'z'
            | b'0'..=b'9'
            | b'-'
            | b'.'
            | b'_'
            | b'~'
            | b'/'
            | b'!'
            | b'$'
            | b'&'
            | b'\''
            | b'('
            | b')'
            | b'*'
            | b'+'
            | b','
            | b';'
            | b'='
            | b'@' => text.push(char::from(byte)),
            _ => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text
}

fn fix(fix: &Fix, sources: &Sources<'_>) -> Value {
    let mut by_file: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    for edit in &fix.edits {
        let replacement = json!({"deletedRegion": region(edit.span, sources), "insertedContent": {"text": edit.text}});
        by_file.entry(sources.position(edit.span).0).or_default().push(replacement);
    }
    let changes = by_file
        .into_iter()
        .map(|(path, replacements)| json!({"artifactLocation": artifact(path), "replacements": replacements}));
    json!({"description": {"text": sentence(&fix.message)}, "artifactChanges": changes.collect::<Vec<_>>()})
}
