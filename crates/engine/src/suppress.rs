//! What is silenced? Comments and attributes that allow or expect a rule at a place.

use sessionlint_diagnostics::{Diagnostic, FileId, LabelKind, Level, LineIndex, Span};
use sessionlint_ir::{Item, Language, Outline};
use sessionlint_protocols::RuleSet;

/// The rule about comments that silence nothing.
pub(crate) const UNUSED: &str = "unused-suppression";
/// The rule about comments without a reason.
pub(crate) const UNEXPLAINED: &str = "unexplained-suppression";

/// One silencing comment or attribute.
#[derive(Clone, Debug)]
pub(crate) struct Suppression {
    /// Where it is written.
    pub span: Span,
    rules: Vec<String>,
    reason: Option<String>,
    expect: bool,
    covers: Span,
    used: Vec<bool>,
}

/// The silencing comments and attributes of a file.
pub(crate) fn find(language: Language, text: &str, file: FileId, outline: &Outline) -> Vec<Suppression> {
    let mut found = Vec::new();
    let lines = LineIndex::new(text);
    let whole = Span::new(file, 0, text.len() as u32);
    for comment in language.comments(text, file) {
        let Some(rest) = comment.text.strip_prefix("sessionlint:") else { continue };
        let (directives, reason) = match rest.split_once("--") {
            Some((directives, reason)) => (directives, reason.trim()),
            None => (rest, ""),
        };
        for (word, rules) in directives_of(directives) {
            let covers = match word {
                "allow-file" => whole,
                "allow" | "expect" if comment.own_line => match comment.next_token {
                    Some(next) => below(language, text, outline, Span::new(file, next, next)),
                    None => comment.span,
                },
                "allow" | "expect" => {
                    let line = lines.line_of(comment.span.start);
                    let end = if line + 1 < lines.line_count() { lines.line_start(line + 1) } else { whole.end };
                    Span::new(file, lines.line_start(line), end)
                }
                _ => continue,
            };
            let used = vec![false; rules.len()];
            let (span, reason) = (comment.span, Some(reason.to_owned()).filter(|reason| !reason.is_empty()));
            found.push(Suppression { span, rules, reason, expect: word == "expect", covers, used });
        }
    }
    attributes(text, file, outline, &mut found);
    found.sort_by_key(|suppression| suppression.span);
    found
}

/// `allow(a, b) expect(c)` as words with their lists.
fn directives_of(text: &str) -> Vec<(&str, Vec<String>)> {
    let mut found = Vec::new();
    let mut rest = text.trim();
    while let Some((word, after)) = rest.split_once('(') {
        let Some((list, after)) = after.split_once(')') else { break };
        let rules = list.split(',').map(|rule| rule.trim().to_owned()).filter(|rule| !rule.is_empty()).collect();
        found.push((word.trim().trim_start_matches(',').trim(), rules));
        rest = after;
    }
    found
}

/// What a comment on its own line covers: the item or statement below it.
fn below(language: Language, text: &str, outline: &Outline, next: Span) -> Span {
    let item = starting(outline, next.start).filter(|item| item.span.start == next.start);
    let end = item.map_or_else(|| language.statement_end(text, next.start), |item| item.span.end);
    Span { end, ..next }
}

/// The last item that starts at or before a byte.
fn starting(outline: &Outline, at: u32) -> Option<&Item> {
    let after = outline.items.partition_point(|item| item.span.start <= at);
    after.checked_sub(1).and_then(|last| outline.items.get(last))
}

/// `#[cfg_attr(any(), sessionlint::allow(rule, reason = "…"))]` on items.
fn attributes(text: &str, file: FileId, outline: &Outline, found: &mut Vec<Suppression>) {
    const MARKER: &str = "sessionlint::";
    /// Bytes of an attribute before that word.
    const MAX_ATTRIBUTE: usize = 1_000;
    for (at, _) in text.match_indices(MARKER) {
        let rest = &text[at + MARKER.len()..];
        let Some((word, after)) = rest.split_once('(') else { continue };
        if !matches!(word, "allow" | "expect") {
            continue;
        }
        let near = text.floor_char_boundary(at.saturating_sub(MAX_ATTRIBUTE));
        let Some(open) = text[near..at].rfind("#[cfg_attr").map(|open| near + open) else { continue };
        let Some((list, _)) = after.split_once(')') else { continue };
        let within = |item: &&Item| at < item.head.start as usize;
        let Some(item) = starting(outline, open as u32).filter(within) else { continue };
        let (rules, reason) = match list.split_once("reason") {
            Some((rules, reason)) => (rules, reason.trim_start_matches([' ', '=', '"']).trim_end_matches(['"', ' '])),
            None => (list, ""),
        };
        let rules: Vec<String> =
            rules.split(',').map(|rule| rule.trim().to_owned()).filter(|rule| !rule.is_empty()).collect();
        let used = vec![false; rules.len()];
        let span = Span::new(file, at as u32, (at + MARKER.len() + word.len()) as u32);
        let reason = Some(reason.to_owned()).filter(|reason| !reason.is_empty());
        found.push(Suppression { span, rules, reason, expect: word == "expect", covers: item.span, used });
    }
}

impl Suppression {
    /// Whether it speaks of a finding: it covers its primary place, or the place where the session begins.
    pub fn covers(&self, finding: &Diagnostic) -> bool {
        let opened = finding.labels.iter().find(|label| label.kind == LabelKind::Opened).map(|label| label.span);
        let covers = |span: Span| {
            self.covers.file == span.file && self.covers.start <= span.start && span.start < self.covers.end
        };
        (covers(finding.span) || opened.is_some_and(covers))
            && self.rules.iter().any(|rule| *rule == finding.rule || rule == "all")
    }
}

/// The reason that is given for silencing a finding, where it is silenced.
pub(crate) fn silenced(suppressions: &mut [Suppression], finding: &Diagnostic) -> Option<Option<String>> {
    let mut silenced = None;
    for suppression in suppressions.iter_mut().filter(|suppression| suppression.covers(finding)) {
        for (rule, used) in suppression.rules.iter().zip(&mut suppression.used) {
            *used |= *rule == finding.rule || rule == "all";
        }
        silenced.get_or_insert_with(|| suppression.reason.clone());
    }
    silenced
}

/// Findings about the comments themselves.
pub(crate) fn findings(suppressions: &[Suppression], rules: &RuleSet) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for suppression in suppressions {
        for (rule, used) in suppression.rules.iter().zip(&suppression.used) {
            if *used {
                continue;
            }
            let word = if suppression.expect { "expect" } else { "allow" };
            let (message, help) = if rules.get(rule).is_none() && rule != "all" {
                (format!("`{word}({rule})`: no rule is called `{rule}`"), rules.did_you_mean(rule))
            } else if suppression.expect {
                (format!("`expect({rule})` expects a finding here, and there is none"), None)
            } else {
                (format!("`allow({rule})` suppresses nothing"), Some("delete it".to_owned()))
            };
            found.push(about_comment(UNUSED, suppression.span, message, help));
        }
        if suppression.reason.is_none() {
            let message = "this comment suppresses a rule without a reason".to_owned();
            let help = Some("add the reason after `--`".to_owned());
            found.push(about_comment(UNEXPLAINED, suppression.span, message, help));
        }
    }
    found
}

fn about_comment(rule: &'static str, span: Span, message: String, help: Option<String>) -> Diagnostic {
    Diagnostic {
        rule,
        level: Level::Warn,
        message,
        span,
        function: String::new(),
        protocol: String::new(),
        labels: Vec::new(),
        help,
        evidence: None,
        fixes: Vec::new(),
        fingerprint: String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covered(text: &str) -> Vec<String> {
        let language = sessionlint_languages::ALL.0[0];
        let outline = language.outline(text, FileId(0));
        let found = find(language, text, FileId(0), &outline);
        let shown = |suppression: &Suppression| {
            let range = suppression.covers.start as usize..suppression.covers.end as usize;
            format!("{}: {}", suppression.rules.join("+"), text[range].trim())
        };
        found.iter().map(shown).collect()
    }

    #[test]
    fn comments_cover_what_stands_below_or_before_them() {
        let text = "fn f() {\n    // sessionlint: allow(a, b) -- why\n    let x = g();\n    h(); // sessionlint: expect(c)\n}\n";
        assert_eq!(covered(text), ["a+b: let x = g();", "c: h(); // sessionlint: expect(c)"]);
        assert_eq!(covered("// sessionlint: allow(a)\n#[test]\nfn f() { }\nfn g() {}"), ["a: #[test]\nfn f() { }"]);
        let text = "fn g() {}\n#[cfg_attr(any(), sessionlint::allow(a, reason = \"x\"))]\nfn f() {}";
        assert_eq!(covered(text), ["a: #[cfg_attr(any(), sessionlint::allow(a, reason = \"x\"))]\nfn f() {}"]);
        assert!(covered("let a = \"// sessionlint: allow(a)\";").is_empty());
    }
}
