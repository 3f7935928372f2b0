//! Is a session given up on purpose? Refusals, dry runs, and comments that say so.

use crate::Context;
use sessionlint_analysis::{Event, Report, Site};
use sessionlint_protocols::{DropClass, EndKind, Protocol, ProtocolKind, Refusal};

impl Context<'_> {
    /// Whether an open session is left on purpose at the end of a way on which it was written through.
    ///
    /// A dry run, the isolation of a test, or the arm of an error excuses by itself. All else excuses only beside another way of the same body that
    /// commits: what nobody ever commits was forgotten, unless a comment says that it was not.
    pub(crate) fn is_given_up(&self, site: &Site, protocol: &Protocol, event: &Event) -> bool {
        if event.dry_run || event.cause.kind.in_error_arm() || self.is_isolation(protocol) {
            return true;
        }
        let ends = |end: EndKind| end == EndKind::Commit || protocol.kind == ProtocolKind::Writer;
        if !site.handed_on && !site.ended.iter().any(|(_, end)| ends(*end)) {
            return self.is_explained();
        }
        event.counted || event.last_turn || self.is_refusal(event)
    }

    /// Whether a success value says that nothing was done. What was written since the last branch was written on this way.
    fn is_refusal(&self, event: &Event) -> bool {
        let Some(answer) = event.cause.kind.answer().filter(|_| !event.fresh) else { return false };
        match self.model.intent().refusal(&answer.heads) {
            Refusal::Clear => true,
            Refusal::Weak => answer.in_branch,
            Refusal::None => false,
        }
    }

    /// Whether a test rolls back what it did by dropping the transaction, so that the next one does not meet it.
    fn is_isolation(&self, protocol: &Protocol) -> bool {
        let commits = |site: &Site| site.ended.iter().any(|(_, end)| *end == EndKind::Commit);
        self.is_test
            && protocol.class.is_some_and(|class| class <= DropClass::C)
            && !self.report.sites.iter().any(commits)
    }

    /// Whether a comment above the function, or one in it, says that nothing is committed.
    fn is_explained(&self) -> bool {
        let Report { item, span, .. } = self.report;
        let part = |from: u32, to: u32| self.text.get(from as usize..to as usize).unwrap_or_default();
        // A method is indented.
        let before = part(0, item.start).trim_end_matches([' ', '\t']);
        let above = comments(before).into_iter().rev().take(1).filter(|(_, last)| *last).map(|(text, _)| text);
        let inside = comments(part(item.start, span.end)).into_iter().map(|(text, _)| text);
        above.chain(inside).any(|comment| self.model.intent().says_uncommitted(&comment))
    }
}

/// The line comments of a text, lines that follow each other as one; and whether nothing but blanks stands behind it. What
/// suppresses a finding is no remark about the code.
fn comments(text: &str) -> Vec<(String, bool)> {
    let mut found: Vec<(String, bool)> = Vec::new();
    let mut goes_on = false;
    for line in text.lines() {
        let line = line.trim();
        let said = line.strip_prefix("//").map(|said| said.trim_start_matches(['/', '!']));
        if said.is_some_and(|said| said.trim_start().starts_with("sessionlint:")) {
            goes_on = false;
        } else if let Some(said) = said {
            match found.last_mut().filter(|_| goes_on) {
                Some((before, _)) => before.push_str(said),
                None => found.push((said.to_owned(), true)),
            }
            goes_on = true;
        } else {
            goes_on = false;
            if let Some((_, last)) = found.last_mut() {
                *last = false;
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_are_read_as_they_stand() {
        let read =
            |text: &str| comments(text).into_iter().map(|(text, last)| format!("{text}|{last}")).collect::<Vec<_>>();
        assert_eq!(read("// one\n  /// two\n"), [" one two|true"]);
        assert_eq!(read("// one\na();\n// two"), [" one|false", " two|true"]);
        assert_eq!(read("// one\n\n"), [" one|false"]);
        assert_eq!(read("a(); // one"), Vec::<String>::new());
        assert_eq!(read("// sessionlint: allow(a) -- one"), Vec::<String>::new());
    }
}
