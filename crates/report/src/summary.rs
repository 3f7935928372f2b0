//! What is the outcome in one line?

use crate::Run;
use sessionlint_diagnostics::{FileId, Level};
use std::collections::BTreeSet;

/// A number of things.
pub(crate) fn plural(count: usize, word: &str) -> String {
    if count == 1 { format!("1 {word}") } else { format!("{count} {word}s") }
}

/// One line that says what was found and where it was looked for.
pub fn summary(run: &Run) -> String {
    let levels = [Level::Deny, Level::Warn, Level::Note].iter().filter_map(|level| {
        let count = run.levels.get(level.as_str()).copied().filter(|count| *count > 0)?;
        Some(plural(count, level.spoken()))
    });
    let levels: Vec<String> = levels.collect();
    let found = match levels.as_slice() {
        [] => "nothing found".to_owned(),
        levels => {
            let files: BTreeSet<FileId> = run.all_findings().map(|finding| finding.span.file).collect();
            format!("{} in {}", levels.join(", "), plural(files.len(), "file"))
        }
    };
    let looked_at = format!("{} checked, {}", plural(run.file_count, "file"), plural(run.session_count, "session"));
    let mut line = format!("{found} ({looked_at})");
    if !run.not_shown.is_empty() {
        line.push_str(&format!("; {} not shown (--max-findings)", run.not_shown.len()));
    }
    if run.suppressed() > 0 {
        line.push_str(&format!("; {} suppressed", run.suppressed()));
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
