//! Is a session given up on purpose? Refusals, dry runs, and comments that say so.

use crate::Context;
use sessionlint_analysis::{Event, Site};
use sessionlint_diagnostics::Span;
use sessionlint_protocols::{DropClass, EndKind, Protocol, ProtocolKind, Refusal};

impl Context<'_> {
    /// Whether an open session is left on purpose at the end of a way on which it was written through.
    ///
    /// A dry run, or the isolation of a test, excuses by itself. All else excuses only beside another way of the same body that
    /// commits: what nobody ever commits was forgotten, unless a comment says that it was not.
    pub(crate) fn is_given_up(&self, site: &Site, protocol: &Protocol, event: &Event) -> bool {
        if event.dry_run || self.is_isolation(protocol) {
            return true;
        }
        let ends = |end: EndKind| end == EndKind::Commit || protocol.kind == ProtocolKind::Writer;
        if !site.ended.iter().any(|(_, end)| ends(*end)) {
            return self.is_explained(site, event);
        }
        event.counted || event.left_by_break || event.cause.kind.in_error_arm() || self.is_refusal(event)
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

    /// Whether a comment above the function, the opening or the exit says that nothing is committed.
    fn is_explained(&self, site: &Site, event: &Event) -> bool {
        let places = [self.report.item, site.span, event.cause.span];
        places.into_iter().filter(|place| place.file == self.report.item.file).any(|place| self.says_uncommitted(place))
    }

    fn says_uncommitted(&self, place: Span) -> bool {
        let before = self.text.get(..place.start as usize).unwrap_or_default();
        let comment = comment_above(before);
        !comment.is_empty() && self.model.intent().says_uncommitted(&comment)
    }
}

/// The comment lines directly above the line at the end of a text.
fn comment_above(text: &str) -> String {
    let mut lines = text.lines().rev();
    // The line itself, or the rest of the statement that the place is in.
    if !text.ends_with('\n') {
        lines.next();
    }
    let comment = |line: &str| {
        let line = line.trim_start();
        line.starts_with("//").then(|| line.trim_start_matches(['/', '!']).to_owned())
    };
    let mut found: Vec<String> = lines.map_while(comment).collect();
    found.reverse();
    found.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_comment_above_is_read() {
        assert_eq!(comment_above("a();\n  // one\n  /// two\n  let tx = "), " one  two");
        assert_eq!(comment_above("// one\n\n  let tx = "), "");
        assert_eq!(comment_above("// one\n"), " one");
        assert_eq!(comment_above("let tx = "), "");
    }
}
