//! What is under the pointer? A session with what it owes, or a finding with what its rule means.

use crate::convert::Encoding;
use crate::folder::Folder;
use gen_lsp_types::{Hover, MarkupContent, MarkupKind, Position, Range};
use sessionlint_protocols::RuleSet;
use std::path::Path;

/// What is shown at a position of a file with this text.
pub fn hover(folder: &Folder, path: &Path, text: &str, position: Position, encoding: Encoding) -> Option<Hover> {
    let answer = folder.answers.get(path)?;
    let model = folder.engine()?.model();
    let at = encoding.offset(text, position);
    let (name, range) = word(text, at);
    let mut parts = Vec::new();
    // The last one that was opened before, in the innermost body.
    let here = answer.sessions.iter().filter(|session| {
        session.name == name && (session.body.start as usize..session.body.end as usize).contains(&at)
    });
    let opened = |offset: u32| encoding.position(text, offset).line + 1;
    let line = opened(at as u32);
    let nearest = here.max_by_key(|session| (opened(session.opened.start) <= line, session.opened.start));
    if let Some(session) = nearest {
        let mut shown = sessionlint_report::session(model, session.protocol, &session.name);
        let mut lines: Vec<u32> = session.ended.iter().map(|span| opened(span.start)).collect();
        lines.dedup();
        let ends: Vec<String> = lines.iter().map(u32::to_string).collect();
        let ends = if ends.is_empty() {
            "nowhere in this function".to_owned()
        } else {
            format!("at line {}", ends.join(", "))
        };
        shown.push_str(&format!("\n\nOpened at line {}, ended {ends}.", opened(session.opened.start)));
        parts.push(shown);
    }
    let rules = RuleSet::built_in();
    for finding in &answer.findings {
        if (finding.span.start as usize..=finding.span.end as usize).contains(&at)
            && let Some(rule) = rules.get(finding.rule)
        {
            parts.push(sessionlint_report::rule_markdown(rule));
        }
    }
    if parts.is_empty() {
        return None;
    }
    let range =
        Range { start: encoding.position(text, range.start as u32), end: encoding.position(text, range.end as u32) };
    let value = parts.join("\n\n---\n\n");
    Some(Hover { contents: MarkupContent { kind: MarkupKind::Markdown, value }.into(), range: Some(range) })
}

/// The word around a byte.
fn word(text: &str, at: usize) -> (&str, std::ops::Range<usize>) {
    let is_letter = |c: char| c.is_alphanumeric() || c == '_';
    let start = text[..at]
        .rfind(|c| !is_letter(c))
        .map_or(0, |before| before + text[before..].chars().next().map_or(1, char::len_utf8));
    let end = text[at..].find(|c| !is_letter(c)).map_or(text.len(), |after| at + after);
    (&text[start..end], start..end)
}
