//! What can be done about a finding? Fixes that were tried, all safe ones of a file at once, and a comment that suppresses it.

use crate::convert::{Encoding, uri};
use crate::folder::Folder;
use gen_lsp_types::{CodeAction, CodeActionKind, Diagnostic, Range, TextEdit, WorkspaceEdit};
use sessionlint_diagnostics::{Applicability, Edit};
use sessionlint_engine::{Failure, Outcome, Overlay};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// The kind of the action that applies all safe fixes of a file.
pub const FIX_ALL: &str = "source.fixAll.sessionlint";

/// What stands in a suppressing comment until somebody writes the reason.
const REASON: &str = "the reason";

/// The actions for the findings that touch a range of a file, and the one for all of the file; those of the kinds that are
/// wanted `only`, when that is said.
///
/// # Errors
/// When fixes could not be tried, because this program is wrong.
pub fn actions(
    folder: &Folder,
    path: &Path,
    range: Range,
    only: Option<&[CodeActionKind]>,
    overlay: &Overlay,
    encoding: Encoding,
) -> Result<Vec<CodeAction>, Failure> {
    let Some(answer) = folder.answers.get(path) else { return Ok(Vec::new()) };
    let (quick, all) = (wants(only, "quickfix"), wants(only, FIX_ALL));
    let overlaps = |finding: &&sessionlint_diagnostics::Diagnostic| {
        let Some(file) = answer.files.get(&finding.span.file.0) else { return false };
        let own = encoding.range(&file.text, finding.span);
        own.start <= range.end && range.start <= own.end
    };
    let wanted: Vec<_> = answer.findings.iter().filter(overlaps).collect();
    // What is for all of a file is asked for by name, or beside a finding.
    let is_of_use = quick && !wanted.is_empty() || all && only.is_some() && !answer.findings.is_empty();
    let Some(engine) = folder.engine().filter(|_| is_of_use) else { return Ok(Vec::new()) };
    // Fixes are tried only when somebody asks for them.
    let tried = engine.check(&[path.to_path_buf()], overlay, true, &|_, _, _| {})?;
    let mut found = Vec::new();
    for finding in wanted.into_iter().filter(|_| quick) {
        let shown = folder.diagnostic(answer, finding, encoding);
        let with_fixes = tried.findings.iter().find(|one| one.fingerprint == finding.fingerprint);
        for fix in with_fixes.into_iter().flat_map(|finding| &finding.fixes) {
            let changes = fix.edits.iter().map(|edit| {
                let file = &tried.files[edit.span.file.0 as usize];
                (folder.root.join(&file.path), text_edit(&file.text, edit, encoding))
            });
            let is_safe = fix.applicability == Applicability::Safe;
            found.push(action(fix.message.clone(), changes, is_safe, &shown));
        }
        let text = answer.files.get(&finding.span.file.0).map_or("", |file| file.text.as_str());
        let language = sessionlint_languages::ALL.of(path);
        if let Some(edit) = sessionlint_engine::silencing_edit(language, text, finding, REASON) {
            let title = format!("suppress `{}` here with a comment", finding.rule);
            let change = (path.to_path_buf(), text_edit(text, &edit, encoding));
            found.push(action(title, std::iter::once(change), false, &shown));
        }
    }
    if all {
        found.extend(fix_all(folder, &tried, encoding));
    }
    Ok(found)
}

/// Whether actions of a kind are wanted: a kind stands for all that begin with it.
fn wants(only: Option<&[CodeActionKind]>, kind: &str) -> bool {
    only.is_none_or(|wanted| {
        wanted.iter().any(|one| {
            let one = String::from(one.clone());
            kind.strip_prefix(&one).is_some_and(|rest| one.is_empty() || rest.is_empty() || rest.starts_with('.'))
        })
    })
}

/// One action for all fixes that are safe and do not touch each other; `None` when there are none.
fn fix_all(folder: &Folder, tried: &Outcome, encoding: Encoding) -> Option<CodeAction> {
    let chosen = sessionlint_engine::chosen(tried, false);
    let count: usize = chosen.values().map(|(_, fixed)| fixed).sum();
    let changes = chosen.into_values().flat_map(|(edits, _)| edits).map(|edit| {
        let file = &tried.files[edit.span.file.0 as usize];
        (folder.root.join(&file.path), text_edit(&file.text, edit, encoding))
    });
    let edit = workspace_edit(changes);
    (count > 0).then(|| CodeAction {
        title: format!("apply all safe fixes of sessionlint in this file ({count})"),
        kind: Some(CodeActionKind::Custom(FIX_ALL.into())),
        edit: Some(edit),
        ..CodeAction::default()
    })
}

fn text_edit(text: &str, edit: &Edit, encoding: Encoding) -> TextEdit {
    TextEdit { range: encoding.range(text, edit.span), new_text: edit.text.clone() }
}

fn action(
    title: String,
    changes: impl Iterator<Item = (PathBuf, TextEdit)>,
    is_preferred: bool,
    diagnostic: &Diagnostic,
) -> CodeAction {
    CodeAction {
        title,
        kind: Some(CodeActionKind::QuickFix),
        diagnostics: Some(vec![diagnostic.clone()]),
        is_preferred: Some(is_preferred),
        edit: Some(workspace_edit(changes)),
        ..CodeAction::default()
    }
}

fn workspace_edit(changes: impl Iterator<Item = (PathBuf, TextEdit)>) -> WorkspaceEdit {
    let mut by_file: HashMap<_, Vec<TextEdit>> = HashMap::new();
    for (path, edit) in changes {
        by_file.entry(uri(&path)).or_default().push(edit);
    }
    WorkspaceEdit { changes: Some(by_file), ..WorkspaceEdit::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_stands_for_all_that_begin_with_it() {
        let wants = |kinds: &[&str], kind: &str| {
            let kinds: Vec<CodeActionKind> =
                kinds.iter().map(|one| serde_json::from_value((*one).into()).unwrap()).collect();
            super::wants(Some(&kinds), kind)
        };
        assert!(super::wants(None, FIX_ALL));
        for only in ["", "source", "source.fixAll", "source.fixAll.sessionlint"] {
            assert!(wants(&["refactor", only], FIX_ALL), "{only}");
        }
        for only in ["quickfix", "source.fix", "source.fixAll.other", "source.organizeImports"] {
            assert!(!wants(&[only], FIX_ALL), "{only}");
        }
        assert!(wants(&["quickfix"], "quickfix") && !wants(&["quickfix.x"], "quickfix") && !wants(&[], "quickfix"));
    }
}
