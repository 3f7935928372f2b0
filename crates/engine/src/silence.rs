//! Which comments would silence what was found? Each is tried on the text before it is written.

use crate::fixes::Changed;
use crate::outcome::Outcome;
use crate::suppress;
use sessionlint_diagnostics::{Diagnostic, Edit, LabelKind, Span};
use sessionlint_ir::{Language, Languages};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Where a comment goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Spot {
    /// On a line of its own, at the start of the line that begins here.
    Above(u32),
    /// Behind the line that ends here.
    Behind(u32),
}

/// What the files of a run say with a comment for every finding, and how many findings no comment can silence. Findings
/// about comments are not silenced. `reason` is one line.
pub fn silence(outcome: &Outcome, languages: Languages, reason: &str) -> (Vec<Changed>, usize) {
    let mut wanted: BTreeMap<u32, BTreeMap<Spot, BTreeSet<&str>>> = BTreeMap::new();
    let mut counts: BTreeMap<u32, usize> = BTreeMap::new();
    let mut left = 0;
    for finding in outcome.findings.iter().filter(|finding| finding.evidence.is_some()) {
        let known = &outcome.files[finding.span.file.0 as usize];
        match spot(languages.of(Path::new(&known.path)), &known.text, finding) {
            Some(spot) => {
                let file = wanted.entry(finding.span.file.0).or_default();
                file.entry(spot).or_default().insert(finding.rule);
                *counts.entry(finding.span.file.0).or_default() += 1;
            }
            None => left += 1,
        }
    }
    let change = |(file, spots): (u32, BTreeMap<Spot, BTreeSet<&str>>)| {
        let known = &outcome.files[file as usize];
        let language = languages.of(Path::new(&known.path));
        let mut after = known.text.clone();
        let mut inserts: Vec<(usize, String)> =
            spots.into_iter().map(|(spot, rules)| insertion(language, &known.text, spot, &rules, reason)).collect();
        inserts.sort();
        for (at, comment) in inserts.into_iter().rev() {
            after.insert_str(at, &comment);
        }
        Changed { path: known.path.clone(), before: known.text.clone(), after, fixed: counts[&file] }
    };
    (wanted.into_iter().map(change).collect(), left)
}

/// The comment that silences one finding of a file that is written in this language, and has this text; `None` when none is found that would.
pub fn silencing_edit(language: Language, text: &str, finding: &Diagnostic, reason: &str) -> Option<Edit> {
    let spot = spot(language, text, finding)?;
    let (at, comment) = insertion(language, text, spot, &BTreeSet::from([finding.rule]), reason);
    Some(Edit { span: Span::new(finding.span.file, at as u32, at as u32), text: comment })
}

/// The first place where a comment silences a finding.
fn spot(language: Language, text: &str, finding: &Diagnostic) -> Option<Spot> {
    let opened = finding.labels.iter().find(|label| label.kind == LabelKind::Opened).map(|label| label.span);
    let here = opened.filter(|span| span.file == finding.span.file);
    let line_start = |at: u32| text[..at as usize].rfind('\n').map_or(0, |end| end as u32 + 1);
    let above = here.into_iter().chain([finding.span]).filter_map(|span| {
        let outline = language.outline(text, span.file);
        let bodies = outline.items.iter().filter_map(|item| item.body).filter(|body| body.contains(span));
        let body = bodies.min_by_key(|body| body.end - body.start)?;
        let start = language.statement_start(text, body.start, span.start)?;
        let line = line_start(start);
        text[line as usize..start as usize].trim().is_empty().then_some(Spot::Above(line))
    });
    let rest = text.get(finding.span.start as usize..)?;
    let end = rest.find('\n').map_or(text.len(), |end| finding.span.start as usize + end);
    let end = if text[..end].ends_with('\r') { end - 1 } else { end };
    above.chain([Spot::Behind(end as u32)]).find(|spot| works(language, text, finding, *spot))
}

/// Whether a comment at a place silences a finding.
fn works(language: Language, text: &str, finding: &Diagnostic, spot: Spot) -> bool {
    let (at, comment) = insertion(language, text, spot, &BTreeSet::from([finding.rule]), "why");
    let mut changed = text.to_owned();
    changed.insert_str(at, &comment);
    let moved = |span: Span| match span.start as usize >= at {
        true => Span { start: span.start + comment.len() as u32, end: span.end + comment.len() as u32, ..span },
        false => span,
    };
    let mut finding = finding.clone();
    finding.span = moved(finding.span);
    for label in finding.labels.iter_mut().filter(|label| label.span.file == finding.span.file) {
        label.span = moved(label.span);
    }
    let file = finding.span.file;
    let outline = language.outline(&changed, file);
    let found = suppress::find(language, &changed, file, &outline);
    found.iter().any(|suppression| {
        let is_new = (at..at + comment.len()).contains(&(suppression.span.start as usize));
        is_new && suppression.covers(&finding)
    })
}

/// Where a comment is put in, and the comment.
fn insertion(language: Language, text: &str, spot: Spot, rules: &BTreeSet<&str>, reason: &str) -> (usize, String) {
    let rules = rules.iter().copied().collect::<Vec<_>>().join(", ");
    let comment = format!("{} sessionlint: allow({rules}) -- {reason}", language.comment_marker());
    match spot {
        Spot::Above(at) => {
            let line = &text[at as usize..];
            let indent: String = line.chars().take_while(|c| *c == ' ' || *c == '\t').collect();
            let first = line.split_inclusive('\n').next().unwrap_or_default();
            let ending = if first.ends_with("\r\n") { "\r\n" } else { "\n" };
            (at as usize, format!("{indent}{comment}{ending}"))
        }
        Spot::Behind(at) => (at as usize, format!(" {comment}")),
    }
}
