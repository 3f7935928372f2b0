//! Messages as `cargo check --message-format=json` prints them, for editors that show those: rust-analyzer's
//! `check.overrideCommand`.
//!
//! What rust-analyzer does with which field was tried (facts of 2026-08, rust-analyzer 1.95): every message belongs to a
//! package, or it is never cleared; a `compiler-artifact` that is not fresh clears the package's old ones; columns are
//! characters, and are converted with the source lines in `text`.

use crate::source::Sources;
use crate::{Run, Style};
use serde_json::{Value, json};
use sessionlint_diagnostics::{Applicability, Diagnostic, Edit, Level, Span};
use std::path::{Path, PathBuf};

/// A package of the workspace, as `cargo metadata` tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CargoPackage {
    /// Its id, word for word.
    pub id: String,
    /// Its directory.
    pub directory: PathBuf,
    /// The name of its first target.
    pub target: String,
    /// The kinds of that target.
    pub kind: Vec<String>,
    /// The root file of that target.
    pub source: String,
}

/// The packages in what `cargo metadata --no-deps` prints; `None` when that is something else.
pub fn cargo_packages(metadata: &str) -> Option<Vec<CargoPackage>> {
    let metadata: Value = serde_json::from_str(metadata).ok()?;
    let package = |package: &Value| {
        let target = package["targets"].as_array()?.first()?;
        let kind = target["kind"].as_array()?.iter().filter_map(|kind| kind.as_str().map(str::to_owned)).collect();
        Some(CargoPackage {
            id: package["id"].as_str()?.to_owned(),
            directory: Path::new(package["manifest_path"].as_str()?).parent()?.to_path_buf(),
            target: target["name"].as_str()?.to_owned(),
            kind,
            source: target["src_path"].as_str()?.to_owned(),
        })
    };
    metadata["packages"].as_array()?.iter().map(package).collect()
}

/// The messages for the findings of a run. Paths in the run are relative to `directory`.
pub fn cargo_json(run: &Run, packages: &[CargoPackage], directory: &Path) -> String {
    let sources = Sources::new(&run.files);
    let mut lines: Vec<Value> = Vec::new();
    for finding in &run.findings {
        let path = directory.join(sources.position(finding.span).0);
        let owner = packages.iter().filter(|package| path.starts_with(&package.directory));
        let Some(package) = owner.max_by_key(|package| package.directory.as_os_str().len()).or(packages.first()) else {
            continue;
        };
        lines.push(json!({
            "reason": "compiler-message",
            "package_id": package.id,
            "manifest_path": package.directory.join("Cargo.toml"),
            "target": target(package),
            "message": message(finding, &sources, directory),
        }));
    }
    for package in packages {
        lines.push(json!({
            "reason": "compiler-artifact",
            "package_id": package.id,
            "manifest_path": package.directory.join("Cargo.toml"),
            "target": target(package),
            "profile": {"opt_level": "0", "debuginfo": 0, "debug_assertions": true, "overflow_checks": true, "test": false},
            "features": [],
            "filenames": [],
            "executable": null,
            "fresh": false,
        }));
    }
    lines.push(json!({"reason": "build-finished", "success": true}));
    lines.iter().map(|line| format!("{line}\n")).collect()
}

fn target(package: &CargoPackage) -> Value {
    json!({
        "name": package.target,
        "kind": package.kind,
        "crate_types": package.kind,
        "src_path": package.source,
        "edition": "2021",
        "doc": true,
        "doctest": false,
        "test": true,
    })
}

fn message(finding: &Diagnostic, sources: &Sources<'_>, directory: &Path) -> Value {
    let level = match finding.level {
        Level::Deny => "error",
        Level::Warn => "warning",
        Level::Note | Level::Allow => "note",
    };
    let primary = finding.labels.iter().find(|label| label.span == finding.span);
    let mut spans =
        vec![span(finding.span, sources, directory, true, primary.map(|label| label.message.as_str()), None)];
    let others = finding.labels.iter().filter(|label| label.span != finding.span);
    spans.extend(others.map(|label| span(label.span, sources, directory, false, Some(&label.message), None)));
    let child = |level: &str, message: &str, spans: Vec<Value>| json!({"message": message, "code": null, "level": level, "spans": spans, "children": [], "rendered": null});
    let mut children = Vec::new();
    if let Some(help) = &finding.help {
        children.push(child("help", help, Vec::new()));
    }
    children.push(child("note", &format!("`sessionlint explain {}` says why", finding.rule), Vec::new()));
    for fix in &finding.fixes {
        let applicability = match fix.applicability {
            Applicability::Safe => "MachineApplicable",
            Applicability::Unsafe => "MaybeIncorrect",
        };
        let edit = |edit: &Edit| span(edit.span, sources, directory, true, None, Some((&edit.text, applicability)));
        let edits = with_the_place(&fix.edits, finding.span, sources);
        children.push(child("help", &fix.message, edits.iter().map(edit).collect()));
    }
    json!({
        "$message_type": "diagnostic",
        "message": finding.message,
        "code": {"code": format!("sessionlint::{}", finding.rule), "explanation": null},
        "level": level,
        "rendered": crate::pretty::one(finding, sources, Style { color: false, width: 100, links: None }),
        "spans": spans,
        "children": children,
    })
}

/// The edits of a fix as one that reaches over the finding's place, when all of them stand within a line of it: rust-analyzer
/// offers a fix only where the cursor touches one of its edits, and it names it by the new text.
fn with_the_place(edits: &[Edit], place: Span, sources: &Sources<'_>) -> Vec<Edit> {
    let start = edits.iter().map(|edit| edit.span.start).fold(place.start, u32::min);
    let end = edits.iter().map(|edit| edit.span.end).fold(place.end, u32::max);
    let all = Span { start, end, ..place };
    let elsewhere = edits.iter().any(|edit| edit.span.file != place.file);
    if elsewhere || sources.end(all).line > sources.position(all).1.line + 1 {
        return edits.to_vec();
    }
    let mut text = sources.source(all).text[start as usize..end as usize].to_owned();
    let mut last_first: Vec<&Edit> = edits.iter().collect();
    last_first.sort_by_key(|edit| std::cmp::Reverse((edit.span.start, edit.span.end)));
    for edit in last_first {
        text.replace_range((edit.span.start - start) as usize..(edit.span.end - start) as usize, &edit.text);
    }
    vec![Edit { span: all, text }]
}

fn span(
    span: Span,
    sources: &Sources<'_>,
    directory: &Path,
    is_primary: bool,
    label: Option<&str>,
    replacement: Option<(&str, &str)>,
) -> Value {
    let source = sources.source(span);
    let (start, end) = (sources.position(span).1, sources.end(span));
    let lines = source.text.lines().enumerate().skip(start.line as usize - 1);
    let lines = lines.take((end.line - start.line) as usize + 1).map(|(number, text)| {
        let number = number as u32 + 1;
        let first = if number == start.line { start.column } else { 1 };
        let last = if number == end.line { end.column } else { text.chars().count() as u32 + 1 };
        json!({"text": text, "highlight_start": first, "highlight_end": last})
    });
    json!({
        "file_name": directory.join(source.name),
        "byte_start": span.start,
        "byte_end": span.end,
        "line_start": start.line,
        "line_end": end.line,
        "column_start": start.column,
        "column_end": end.column,
        "is_primary": is_primary,
        "label": label,
        "text": lines.collect::<Vec<_>>(),
        "suggested_replacement": replacement.map(|(text, _)| text),
        "suggestion_applicability": replacement.map(|(_, applicability)| applicability),
        "expansion": null,
    })
}
