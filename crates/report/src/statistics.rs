//! How many findings has each rule, and how long did it take? For people, and as JSON.

use crate::json::{Summary, Tool, text, tool};
use crate::{Dependency, Run};
use serde::Serialize;
use sessionlint_diagnostics::{Applicability, Diagnostic};
use std::collections::BTreeMap;

/// What is counted for one rule.
#[derive(Serialize)]
struct Counted<'a> {
    rule: &'a str,
    count: usize,
    /// How many have a fix that `--fix` applies.
    safe_fixes: usize,
    /// How many have one that asks for `--unsafe-fixes`, too.
    unsafe_fixes: usize,
}

#[derive(Serialize)]
struct Object<'a> {
    version: u32,
    tool: Tool,
    rules: Vec<Counted<'a>>,
    suppressed: usize,
    baselined: usize,
    summary: Summary<'a>,
    /// The packages from outside of the workspace whose sources were read.
    dependencies: &'a [Dependency],
    /// Whether the result was kept from an earlier run.
    kept: bool,
    times: Vec<Time>,
}

#[derive(Serialize)]
struct Time {
    part: &'static str,
    ms: f64,
}

/// The rules with findings, the most frequent first.
fn counted(run: &Run) -> Vec<Counted<'_>> {
    let mut rules: BTreeMap<&str, Vec<&Diagnostic>> = BTreeMap::new();
    for finding in run.all_findings() {
        rules.entry(finding.rule).or_default().push(finding);
    }
    let with = |findings: &[&Diagnostic], wanted: Option<Applicability>| {
        let best = |finding: &Diagnostic| {
            let is_safe = finding.fixes.iter().any(|fix| fix.applicability == Applicability::Safe);
            finding.fixes.first().map(|_| if is_safe { Applicability::Safe } else { Applicability::Unsafe })
        };
        findings.iter().filter(|finding| best(finding) == wanted).count()
    };
    let mut counted: Vec<Counted<'_>> = rules
        .into_iter()
        .map(|(rule, findings)| Counted {
            rule,
            count: findings.len(),
            safe_fixes: with(&findings, Some(Applicability::Safe)),
            unsafe_fixes: with(&findings, Some(Applicability::Unsafe)),
        })
        .collect();
    counted.sort_by_key(|one| std::cmp::Reverse(one.count));
    counted
}

/// Findings by rule, and what took how long.
pub fn statistics(run: &Run) -> String {
    let counted = counted(run);
    let width = counted.iter().map(|one| one.rule.len()).max().unwrap_or(0);
    let line = |one: &Counted<'_>| {
        let fixes = match (one.safe_fixes, one.unsafe_fixes) {
            (0, 0) => String::new(),
            (safe, 0) => format!("{safe} with a fix"),
            (0, guesses) => format!("{guesses} with an unsafe fix"),
            (safe, guesses) => format!("{safe} with a fix, {guesses} with an unsafe fix"),
        };
        format!("{:>6}  {:width$}  {fixes}", one.count, one.rule).trim_end().to_owned() + "\n"
    };
    let mut report: String = counted.iter().map(line).collect();
    if !report.is_empty() {
        report.push('\n');
    }
    for one in &run.dependencies {
        let files = if one.files == 1 { "file" } else { "files" };
        report.push_str(&format!("{:>6}  {files} of {} {} read\n", one.files, one.package, one.version));
    }
    if !run.dependencies.is_empty() {
        report.push('\n');
    }
    for (part, time) in &run.times {
        report.push_str(&format!("{:>9.1} ms  {part}\n", time.as_secs_f64() * 1000.0));
    }
    let kept = if run.times.is_empty() { ", kept from an earlier run (--no-cache)" } else { "" };
    report.push_str(&format!("{:>9.1} ms  in all{kept}\n", run.elapsed_ms as f64));
    report
}

/// The same as one JSON object; its schema is docs/schema/statistics.json.
pub fn statistics_json(run: &Run) -> String {
    // Thousandths of a millisecond are enough.
    let ms = |seconds: f64| (seconds * 1_000_000.0).round() / 1000.0;
    let object = Object {
        version: 1,
        tool: tool(run),
        rules: counted(run),
        suppressed: run.suppressed(),
        baselined: run.baselined(),
        summary: crate::json::summary(run),
        dependencies: &run.dependencies,
        kept: run.times.is_empty(),
        times: run.times.iter().map(|(part, time)| Time { part, ms: ms(time.as_secs_f64()) }).collect(),
    };
    text(serde_json::to_string_pretty(&object))
}
