//! What is the outcome in one line, and by rule?

use crate::Run;
use sessionlint_diagnostics::Level;
use std::collections::BTreeMap;

/// A number of things.
pub(crate) fn plural(count: usize, word: &str) -> String {
    if count == 1 { format!("1 {word}") } else { format!("{count} {word}s") }
}

/// One line that says what was found and where it was looked for.
pub fn summary(run: &Run) -> String {
    let found = if run.findings.is_empty() {
        "nothing found".to_owned()
    } else {
        let levels = [Level::Deny, Level::Warn, Level::Note].iter().filter_map(|level| {
            let count = run.levels.get(level.as_str()).copied().filter(|count| *count > 0)?;
            Some(plural(count, level.spoken()))
        });
        let levels: Vec<String> = levels.collect();
        format!("{} ({})", plural(run.findings.len(), "finding"), levels.join(", "))
    };
    let mut line = format!("{found} in {}, {}", plural(run.file_count, "file"), plural(run.session_count, "session"));
    if run.suppressed() > 0 {
        line.push_str(&format!("; {} silenced", run.suppressed()));
    }
    if run.baselined() > 0 {
        line.push_str(&format!("; {} in the baseline", run.baselined()));
    }
    if !run.skipped.is_empty() {
        line.push_str(&format!("; {} skipped (--verbose lists them)", run.skipped.len()));
    }
    if run.panics() > 0 {
        line.push_str(&format!("; {}", plural(run.panics(), "internal error")));
    }
    line.push('\n');
    line
}

/// Findings by rule, the most frequent first.
pub fn statistics(run: &Run) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for finding in &run.findings {
        *counts.entry(finding.rule).or_default() += 1;
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|(rule, count)| (std::cmp::Reverse(*count), *rule));
    counts.iter().map(|(rule, count)| format!("{count:>6}  {rule}\n")).collect()
}
