//! Does a change make it right? Every fix is tried before it is offered: what it is for must be gone, nothing new may
//! come, and the text must still be read.

use crate::host::Overlay;
use crate::outcome::Outcome;
use crate::paths;
use sessionlint_diagnostics::{Applicability, Diagnostic, Edit, Fix};
use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

/// So many changes of one function are tried, one after another.
const MAX_ROUNDS: usize = 16;

/// Takes away the fixes that do not hold what they promise. `check` analyses files again with other texts.
pub(crate) fn verify(
    outcome: &mut Outcome,
    directory: &Path,
    overlay: &Overlay,
    check: &dyn Fn(Vec<PathBuf>, &Overlay) -> Outcome,
) {
    let before = counts(&outcome.findings, outcome);
    let mut pending: Vec<usize> =
        (0..outcome.findings.len()).filter(|index| !outcome.findings[*index].fixes.is_empty()).collect();
    for _ in 0..MAX_ROUNDS {
        if pending.is_empty() {
            return;
        }
        // One change of each function at a time, so that it can be told what each of them does.
        let mut taken = HashSet::new();
        let (now, later): (Vec<usize>, Vec<usize>) = pending.into_iter().partition(|index| {
            let finding = &outcome.findings[*index];
            taken.insert((finding.span.file, finding.function.clone()))
        });
        pending = later;
        let mut edits: BTreeMap<u32, Vec<&Edit>> = BTreeMap::new();
        for index in &now {
            let finding = &outcome.findings[*index];
            let all = finding.fixes.first().iter().flat_map(|fix| &fix.edits).collect::<Vec<_>>();
            edits.entry(finding.span.file.0).or_default().extend(all);
        }
        let mut changed = overlay.clone();
        let mut paths = Vec::new();
        for (file, edits) in edits {
            let known = &outcome.files[file as usize];
            let path = paths::absolute(directory, Path::new(&known.path));
            changed.insert(path.clone(), applied(&known.text, edits).into_bytes());
            paths.push(path);
        }
        let after = check(paths, &changed);
        outcome.included.extend(after.included.iter().cloned());
        let counted = counts(&after.findings, &after);
        let mut rejected = Vec::new();
        for index in now {
            let finding = &outcome.findings[index];
            let path = &outcome.files[finding.span.file.0 as usize].path;
            let of = |counts: &Counts, rule: &'static str| {
                counts.get(&(path.clone(), finding.function.clone(), rule)).copied().unwrap_or_default()
            };
            let is_gone = of(&counted, finding.rule) < of(&before, finding.rule);
            let is_new = counted.iter().any(|((at, function, rule), count)| {
                at == path && *function == finding.function && *count > of(&before, rule)
            });
            let is_read =
                !after.skipped.iter().any(|skipped| skipped.path == *path && !outcome.skipped.contains(skipped));
            if !is_gone || is_new || !is_read {
                rejected.push(index);
            }
        }
        for index in rejected {
            outcome.findings[index].fixes.clear();
        }
    }
    for index in pending {
        outcome.findings[index].fixes.clear();
    }
}

type Counts = BTreeMap<(String, String, &'static str), usize>;

fn counts(findings: &[Diagnostic], outcome: &Outcome) -> Counts {
    let mut counts = Counts::new();
    for finding in findings {
        let path = outcome.files[finding.span.file.0 as usize].path.clone();
        *counts.entry((path, finding.function.clone(), finding.rule)).or_default() += 1;
    }
    counts
}

/// A text with replacements, which do not overlap.
fn applied(text: &str, mut edits: Vec<&Edit>) -> String {
    edits.sort_by_key(|edit| (edit.span.start, edit.span.end));
    let mut result = String::with_capacity(text.len());
    let mut done = 0;
    for edit in edits {
        let (start, end) = (edit.span.start as usize, edit.span.end as usize);
        if start < done {
            continue;
        }
        result.push_str(text.get(done..start).unwrap_or_default());
        result.push_str(&edit.text);
        done = end;
    }
    result.push_str(text.get(done..).unwrap_or_default());
    result
}

/// A file and what fixes make of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// The file, as it is shown.
    pub path: String,
    /// What it says.
    pub before: String,
    /// What it says with the fixes.
    pub after: String,
    /// How many findings they are for.
    pub fixed: usize,
}

/// The edits of the fixes of a run by the number of the file, and how many findings they are for; those that guess the
/// intent only when they are asked for. Of fixes that touch the same place the first is taken.
pub fn chosen(outcome: &Outcome, guesses: bool) -> BTreeMap<u32, (Vec<&Edit>, usize)> {
    let mut by_file: BTreeMap<u32, (Vec<&Edit>, usize)> = BTreeMap::new();
    for finding in &outcome.findings {
        let wanted = |fix: &&Fix| guesses || fix.applicability == Applicability::Safe;
        let Some(fix) = finding.fixes.iter().find(wanted) else { continue };
        let (edits, fixed) = by_file.entry(finding.span.file.0).or_default();
        let overlaps = |one: &Edit| {
            edits.iter().any(|other| {
                one.span.start < other.span.end && other.span.start < one.span.end
                    || (one.span == other.span && one.span.start == one.span.end)
            })
        };
        if !fix.edits.iter().any(overlaps) {
            edits.extend(&fix.edits);
            *fixed += 1;
        }
    }
    by_file
}

/// What the fixes of a run make of its files; those that guess the intent only when they are asked for.
pub fn changed(outcome: &Outcome, guesses: bool) -> Vec<Changed> {
    let change = |(file, (edits, fixed)): (u32, (Vec<&Edit>, usize))| {
        let known = &outcome.files[file as usize];
        Changed { path: known.path.clone(), before: known.text.clone(), after: applied(&known.text, edits), fixed }
    };
    chosen(outcome, guesses).into_iter().map(change).collect()
}

/// Writes a changed file in one step, so that it is whole whatever happens. Nothing is written when the file says
/// something else by now.
///
/// # Errors
/// When it cannot be read or written.
pub fn write(directory: &Path, change: &Changed) -> std::io::Result<()> {
    let path = paths::absolute(directory, Path::new(&change.path));
    // A link stays one.
    let path = std::fs::canonicalize(path)?;
    // Another file takes its place, which its own permissions would not forbid.
    if std::fs::metadata(&path)?.permissions().readonly() {
        return Err(std::io::Error::other("it is read-only"));
    }
    if std::fs::read(&path)? != change.before.as_bytes() {
        return Err(std::io::Error::other("it has changed meanwhile"));
    }
    crate::write::whole(&path, change.after.as_bytes())
}
