//! What stays the same about a finding when lines move, code is formatted, a file is renamed, or we say it better?

use sessionlint_diagnostics::{Diagnostic, FileId, Label, LabelKind, Span};
use std::collections::{BTreeMap, HashMap};

/// Sets the fingerprint of every finding: rule, function, the tokens that open the session, and how many-th that is in the
/// function. Wording, labels and the primary place have no part in it. A finding about a comment opens nothing: there it is
/// the comment. `findings` are sorted.
///
/// Gives what baselines of version 1 called them, by the fingerprint.
pub(crate) fn set<'f, 'a>(
    findings: impl Iterator<Item = &'f mut Diagnostic>,
    text: impl Fn(FileId) -> &'a str,
    krate: impl Fn(FileId) -> &'a str,
) -> BTreeMap<String, String> {
    let mut former = BTreeMap::new();
    let (mut seen, mut seen_before) = (HashMap::new(), HashMap::new());
    let tokens = |span: Span| -> String {
        let range = span.start as usize..span.end as usize;
        text(span.file).get(range).unwrap_or_default().split_whitespace().collect()
    };
    for finding in findings {
        let opened = finding.labels.iter().find(|label| label.kind == LabelKind::Opened).map(|label| label.span);
        let place = opened.unwrap_or(finding.span);
        let function = |file: FileId| format!("{}::{}", krate(file), finding.function);
        let parts = [finding.rule, &function(place.file), &tokens(place)].join("\u{0}");
        let print = numbered(&mut seen, parts);
        // What version 1 was made of: the primary place, and the kinds of all labels.
        let mut labels: Vec<&Label> = finding.labels.iter().collect();
        labels.sort_by_key(|label| former_place(label));
        let mut kinds: Vec<&str> = labels.iter().map(|label| label.kind.as_str()).collect();
        kinds.dedup();
        // What opens a session was a label of its own, where it is the primary place, too.
        if kinds.first().is_some_and(|first| *first != LabelKind::Opened.as_str()) {
            kinds.insert(0, LabelKind::Opened.as_str());
        }
        let parts = [finding.rule, &function(finding.span.file), &tokens(finding.span), &kinds.join(",")].join("\u{0}");
        former.insert(print.clone(), numbered(&mut seen_before, parts));
        finding.fingerprint = print;
    }
    former
}

/// Where labels of a kind stood in version 1, whose order was not that of the walk.
fn former_place(label: &Label) -> u32 {
    match label.kind {
        LabelKind::Opened => 0,
        LabelKind::Write => 1,
        LabelKind::Branch => 2,
        LabelKind::Released => 3,
        LabelKind::Leaks | LabelKind::Meanwhile | LabelKind::Dropped if !label.aside => 4,
        LabelKind::Called => 5,
        LabelKind::Leaks | LabelKind::Meanwhile | LabelKind::Dropped => 6,
    }
}

/// The digest of what a finding is recognised by; equal ones are told apart by their number.
fn numbered(seen: &mut HashMap<String, u32>, parts: String) -> String {
    let nth = seen.entry(parts.clone()).or_default();
    let digest = blake3::hash(format!("{parts}\u{0}{nth}").as_bytes());
    *nth += 1;
    digest.to_hex()[..32].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use sessionlint_diagnostics::Level;

    const TEXT: &str = "let tx = pool.begin(); write(tx); return; pool . begin()";

    fn at(part: &str) -> Span {
        let start = TEXT.find(part).unwrap() as u32;
        Span::new(FileId(0), start, start + part.len() as u32)
    }

    /// A finding at a place, with labels of these kinds.
    fn finding(function: &str, place: &str, labels: &[(LabelKind, &str)]) -> Diagnostic {
        let label = |(kind, place): &(LabelKind, &str)| Label::new(*kind, at(place), "");
        Diagnostic {
            rule: "leaked-session",
            level: Level::Warn,
            message: place.to_owned(),
            span: at(place),
            function: function.to_owned(),
            protocol: String::new(),
            labels: labels.iter().map(label).collect(),
            help: None,
            evidence: None,
            fixes: Vec::new(),
            fingerprint: String::new(),
        }
    }

    fn prints(mut findings: Vec<Diagnostic>) -> Vec<String> {
        let former = set(findings.iter_mut(), |_| TEXT, |_| "demo");
        assert_eq!(former.len(), findings.len(), "each has a fingerprint of its own");
        findings.into_iter().map(|finding| finding.fingerprint).collect()
    }

    #[test]
    fn wording_labels_and_the_primary_place_have_no_part() {
        let opened = (LabelKind::Opened, "pool.begin()");
        let first = prints(vec![finding("f", "return", &[opened])]);
        assert_eq!(prints(vec![finding("f", "write(tx)", &[opened, (LabelKind::Write, "write(tx)")])]), first);
        assert_eq!(prints(vec![finding("f", "return", &[(LabelKind::Opened, "pool . begin()")])]), first);
        assert_ne!(prints(vec![finding("g", "return", &[opened])]), first);
        assert_ne!(prints(vec![finding("f", "return", &[(LabelKind::Opened, "write(tx)")])]), first);
    }

    #[test]
    fn what_version_1_wrote_is_still_known() {
        let mut findings = [finding("f", "write(tx)", &[(LabelKind::Opened, "let tx"), (LabelKind::Leaks, "return")])];
        let former = set(findings.iter_mut(), |_| TEXT, |_| "demo");
        let digest = blake3::hash(b"leaked-session\0demo::f\0write(tx)\0opened,leaks\x000").to_hex();
        assert_eq!(former.values().collect::<Vec<_>>(), [&digest[..32]]);
    }

    #[test]
    fn another_session_does_not_change_the_number_of_one() {
        let own = || finding("f", "return", &[(LabelKind::Opened, "pool.begin()")]);
        let other = || finding("f", "let tx", &[(LabelKind::Opened, "write(tx)")]);
        let alone = prints(vec![own()]);
        assert_eq!(prints(vec![other(), own()])[1], alone[0]);
        let two = prints(vec![own(), own()]);
        assert!(two[0] == alone[0] && two[1] != alone[0]);
    }
}
