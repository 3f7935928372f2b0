//! What changed since a revision? Asks git, and keeps the findings that have to do with it.

use crate::git::git;
use crate::outcome::Outcome;
use crate::paths;
use crate::settings::Failure;
use sessionlint_diagnostics::{Diagnostic, LineIndex};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// The changes of one file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct FileChanges {
    /// Whether git does not know it: all of its lines are new.
    whole: bool,
    /// First and last line, from 1, of what was added or changed.
    added: Vec<(u32, u32)>,
    /// Lines, from 1, behind which something was deleted; 0 for the start of the file.
    deleted: Vec<u32>,
}

/// What changed, by absolute path.
pub(crate) struct Changes {
    files: HashMap<PathBuf, FileChanges>,
}

/// What the working tree changes against the merge base of a revision with what is checked out.
pub(crate) fn changes(directory: &Path, revision: &str) -> Result<Changes, Failure> {
    let root = git(directory, &["rev-parse", "--show-toplevel"])
        .map_err(|error| Failure::Option(format!("--new-from needs a git repository: {error}")))?;
    let root = PathBuf::from(root.trim_end_matches(['\n', '\r']));
    let base = merge_base(&root, revision)?;
    let failed = |error| Failure::Option(format!("--new-from {revision}: {error}"));
    let diff = git(
        &root,
        &[
            "-c",
            "core.quotePath=false",
            "diff",
            "--unified=0",
            "--no-color",
            "--no-ext-diff",
            "--src-prefix=a/",
            "--dst-prefix=b/",
            "--find-renames",
            &base,
            "--",
        ],
    )
    .map_err(failed)?;
    let mut files = HashMap::new();
    for (path, changes) in parse(&diff) {
        files.insert(root.join(path), changes);
    }
    let untracked = git(&root, &["ls-files", "--others", "--exclude-standard", "-z"]).map_err(failed)?;
    for path in untracked.split('\0').filter(|path| !path.is_empty()) {
        files.insert(root.join(path), FileChanges { whole: true, ..FileChanges::default() });
    }
    Ok(Changes { files })
}

fn merge_base(root: &Path, revision: &str) -> Result<String, Failure> {
    let commit = format!("{revision}^{{commit}}");
    let shallow = || git(root, &["rev-parse", "--is-shallow-repository"]).is_ok_and(|word| word.trim() == "true");
    let hint = || match shallow() {
        true => {
            "; this clone is shallow: fetch the history that is missing (in GitHub Actions `fetch-depth: 0` of \
             actions/checkout, in GitLab `GIT_DEPTH: 0`, elsewhere `git fetch --unshallow`)"
        }
        false => "",
    };
    // Behind this word nothing is taken for an option.
    if git(root, &["rev-parse", "--verify", "--quiet", "--end-of-options", &commit]).is_err() {
        return Err(Failure::Option(format!("--new-from: git knows no revision `{revision}`{}", hint())));
    }
    let base = git(root, &["merge-base", revision, "HEAD"]);
    base.map(|base| base.trim().to_owned()).map_err(|_| {
        Failure::Option(format!("--new-from: `{revision}` and the current branch have no common history{}", hint()))
    })
}

/// The files of a diff without context.
fn parse(diff: &str) -> Vec<(String, FileChanges)> {
    let mut found: Vec<(String, FileChanges)> = Vec::new();
    let mut is_header = true;
    for line in diff.lines() {
        if line.starts_with("diff --git ") {
            is_header = true;
        } else if let Some(path) = line.strip_prefix("+++ ").filter(|_| is_header) {
            // Behind a path with blanks stands a tab. A file that is gone has no findings: its path is not one.
            let path = unquoted(path.trim_end_matches('\t'));
            found.push((path.strip_prefix("b/").unwrap_or_default().to_owned(), FileChanges::default()));
        } else if let Some(hunk) = line.strip_prefix("@@ ") {
            is_header = false;
            let Some((_, changes)) = found.last_mut() else { continue };
            let Some(new) = hunk.split(' ').find_map(|word| word.strip_prefix('+')) else { continue };
            let (start, count) = new.split_once(',').unwrap_or((new, "1"));
            match (start.parse::<u32>(), count.parse::<u32>()) {
                (Ok(after), Ok(0)) => changes.deleted.push(after),
                (Ok(start), Ok(count)) => changes.added.push((start, start + count - 1)),
                _ => {}
            }
        }
    }
    found
}

/// A path as git writes it: in quotes when there are quotes, backslashes or control characters in it.
fn unquoted(path: &str) -> String {
    let Some(inside) = path.strip_prefix('"').and_then(|path| path.strip_suffix('"')) else { return path.to_owned() };
    let mut plain = String::new();
    let mut characters = inside.chars();
    while let Some(c) = characters.next() {
        plain.push(match c {
            '\\' => match characters.next() {
                Some('t') => '\t',
                Some('n') => '\n',
                Some(other) => other,
                None => '\\',
            },
            c => c,
        });
    }
    plain
}

/// Keeps the findings that have a step on a line that was added or changed, or between whose steps a line was deleted:
/// a commit that somebody took away leaves no line to point at.
pub(crate) fn apply(outcome: &mut Outcome, changes: &Changes, directory: &Path) {
    let mut lines: HashMap<u32, LineIndex> = HashMap::new();
    let files = &outcome.files;
    let mut touched = |finding: &Diagnostic| {
        let mut reach: HashMap<u32, (u32, u32)> = HashMap::new();
        let spans = finding.labels.iter().map(|label| label.span).chain([finding.span]);
        for span in spans {
            let file = &files[span.file.0 as usize];
            let index = lines.entry(span.file.0).or_insert_with(|| LineIndex::new(&file.text));
            let first = index.line_of(span.start) as u32 + 1;
            let last = index.line_of(span.end.max(span.start + 1) - 1) as u32 + 1;
            let Some(changes) = changes.files.get(&paths::absolute(directory, Path::new(&file.path))) else { continue };
            if changes.whole || changes.added.iter().any(|(start, end)| *start <= last && first <= *end) {
                return true;
            }
            let (from, to) = reach.entry(span.file.0).or_insert((first, last));
            (*from, *to) = ((*from).min(first), (*to).max(last));
        }
        reach.iter().any(|(file, (from, to))| {
            let path = paths::absolute(directory, Path::new(&files[*file as usize].path));
            let changes = changes.files.get(&path);
            changes.is_some_and(|changes| changes.deleted.iter().any(|line| from <= line && line < to))
        })
    };
    let kept = std::mem::take(&mut outcome.findings).into_iter().filter(|finding| touched(finding)).collect();
    outcome.findings = kept;
    outcome.count();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hunks_say_what_was_added_and_where_something_is_gone() {
        let diff = "diff --git a/x b/src/a b.rs\n--- a/x\n+++ b/src/a b.rs\t\n@@ -1 +1,2 @@ fn f\n+++ b/no\n@@ -9,2 +10,0 @@\n-a\n\
                    diff --git a/y b/y\n--- a/y\n+++ /dev/null\n@@ -1,3 +0,0 @@\n";
        let changes = FileChanges { whole: false, added: vec![(1, 2)], deleted: vec![10] };
        let found = parse(diff);
        assert_eq!(found[0].0, "src/a b.rs");
        assert_eq!(found[0].1, changes);
        assert_eq!(found[1].0, "");
        assert_eq!(unquoted("\"b/a\\\"b\""), "b/a\"b");
    }
}
