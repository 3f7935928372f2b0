//! What can be done about a finding? Fixes that were tried, and a comment that silences it.

use crate::convert::{Encoding, uri};
use crate::folder::Folder;
use gen_lsp_types::{CodeAction, CodeActionKind, Diagnostic, Range, TextEdit, WorkspaceEdit};
use sessionlint_diagnostics::{Applicability, Edit};
use sessionlint_engine::{Failure, Overlay};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// What stands in a silencing comment until somebody writes the reason.
const REASON: &str = "why it is right here";

/// The actions for the findings that touch a range of a file.
///
/// # Errors
/// When fixes could not be tried, because this program is wrong.
pub fn actions(
    folder: &Folder,
    path: &Path,
    range: Range,
    overlay: &Overlay,
    encoding: Encoding,
) -> Result<Vec<CodeAction>, Failure> {
    let Some(answer) = folder.answers.get(path) else { return Ok(Vec::new()) };
    let overlaps = |finding: &&sessionlint_diagnostics::Diagnostic| {
        let Some(file) = answer.files.get(&finding.span.file.0) else { return false };
        let own = encoding.range(&file.text, finding.span);
        own.start <= range.end && range.start <= own.end
    };
    let wanted: Vec<_> = answer.findings.iter().filter(overlaps).collect();
    let Some(engine) = folder.engine().filter(|_| !wanted.is_empty()) else { return Ok(Vec::new()) };
    // Fixes are tried only when somebody asks for them.
    let tried = engine.check(&[path.to_path_buf()], overlay, true, &|_, _| {})?;
    let mut found = Vec::new();
    for finding in wanted {
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
        if let Some(edit) = sessionlint_engine::silencing_edit(text, finding, REASON) {
            let title = format!("suppress `{}` here, with a reason", finding.rule);
            let change = (path.to_path_buf(), text_edit(text, &edit, encoding));
            found.push(action(title, std::iter::once(change), false, &shown));
        }
    }
    Ok(found)
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
    let mut by_file: HashMap<_, Vec<TextEdit>> = HashMap::new();
    for (path, edit) in changes {
        by_file.entry(uri(&path)).or_default().push(edit);
    }
    CodeAction {
        title,
        kind: Some(CodeActionKind::QuickFix),
        diagnostics: Some(vec![diagnostic.clone()]),
        is_preferred: Some(is_preferred),
        edit: Some(WorkspaceEdit { changes: Some(by_file), ..WorkspaceEdit::default() }),
        ..CodeAction::default()
    }
}
