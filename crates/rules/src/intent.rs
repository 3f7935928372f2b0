//! Is a session given up on purpose? Refusals, dry runs, and comments that say so.

use crate::Context;
use sessionlint_analysis::{Event, Report, Site};
use sessionlint_protocols::{DropClass, EndKind, Protocol, ProtocolKind, Refusal};

impl Context<'_> {
    /// Whether an open session is left on purpose at the end of a way on which it was written through.
    ///
    /// A dry run, a table made only to explain a statement, the isolation of a test, or the arm of an error excuses by itself. All else excuses only beside another way of the same body that
    /// commits: what nobody ever commits was forgotten, unless a comment says that it was not.
    pub(crate) fn is_given_up(&self, site: &Site, protocol: &Protocol, event: &Event) -> bool {
        let excused = event.dry_run || event.scratch || event.cause.kind.in_error_arm() || self.is_isolation(protocol);
        if excused || self.is_trial(site, event) {
            return true;
        }
        let ends = |end: EndKind| end == EndKind::Commit || protocol.kind == ProtocolKind::Writer;
        if !site.handed_on && !site.ended.iter().any(|(_, end)| ends(*end)) {
            return self.is_explained(site, event);
        }
        event.counted || event.last_turn || self.is_refusal(event)
    }

    /// Whether something was only tried out: what is written is written by `verify_index(&mut tx)`, and another transaction of the
    /// same body commits.
    fn is_trial(&self, site: &Site, event: &Event) -> bool {
        let written = event.written.filter(|place| place.file == self.report.span.file);
        let name = written.and_then(|place| self.text.get(place.start as usize..place.end as usize));
        let commits = |other: &Site| {
            other.span != site.span
                && other.protocol == site.protocol
                && other.ended.iter().any(|(_, end)| *end == EndKind::Commit)
        };
        name.is_some_and(|name| self.model.intent().is_trial(name)) && self.report.sites.iter().any(commits)
    }

    /// Whether a success value says that nothing was done. What was written since the last branch was written on this way.
    fn is_refusal(&self, event: &Event) -> bool {
        let Some(answer) = event.cause.kind.answer().filter(|_| !event.fresh) else { return false };
        match self.model.intent().refusal(&answer.heads) {
            Refusal::Clear => true,
            Refusal::Weak => answer.in_branch,
            Refusal::None => answer.in_branch && self.model.intent().waits_for_more(&answer.heads, &answer.told),
        }
    }

    /// Whether a test rolls back what it did by dropping the transaction, so that the next one does not meet it.
    fn is_isolation(&self, protocol: &Protocol) -> bool {
        let commits = |site: &Site| site.ended.iter().any(|(_, end)| *end == EndKind::Commit);
        self.is_test
            && protocol.class.is_some_and(|class| class <= DropClass::C)
            && !self.report.sites.iter().any(commits)
    }

    /// Whether any comment in or directly above the function speaks of what is not committed: then nobody offers to commit it.
    pub(crate) fn speaks_of_uncommitted(&self) -> bool {
        let Report { item, span, .. } = self.report;
        let part = |from: u32, to: u32| self.text.get(from as usize..to as usize).unwrap_or_default();
        let above = comments(part(0, item.start).trim_end_matches([' ', '\t'])).pop().filter(|(_, last)| *last);
        let inside = comments(part(item.start, span.end));
        above.into_iter().chain(inside).any(|(comment, _)| self.model.intent().says_uncommitted(&comment))
    }

    /// Whether a comment directly above the function, the opening or the exit, or at the head of the paragraph in which it is
    /// written, says that nothing is committed.
    fn is_explained(&self, site: &Site, event: &Event) -> bool {
        let Report { item, span, .. } = self.report;
        let part = |from: u32, to: u32| self.text.get(from as usize..to as usize).unwrap_or_default();
        let above = |at: usize| {
            // A method is indented.
            let before = self.text.get(..at).unwrap_or_default().trim_end_matches([' ', '\t']);
            comments(before).pop().filter(|(_, last)| *last).map(|(text, _)| text)
        };
        // What documents it is part of the function, and so is what stands between its attributes.
        let head = comments(part(item.start, span.start)).into_iter().map(|(text, _)| text);
        let places = [site.span, event.cause.span].into_iter().filter(|place| place.file == span.file);
        let places = places.map(|place| statement_line(self.text, place.start as usize));
        // What is said at the head of a paragraph is said of what is written in it.
        let written = event.written.filter(|place| place.file == span.file);
        let written = written.map(|place| paragraph(self.text, place.start as usize));
        let directly = std::iter::once(item.start as usize).chain(places).chain(written).filter_map(above);
        head.chain(directly).any(|comment| self.model.intent().says_uncommitted(&comment))
    }

    /// Whether a comment above the line where a session begins, or between there and slow work, says that what is written is kept only
    /// if something is sent, so that it may stand anywhere.
    fn is_tied(&self, from: usize, to: usize) -> bool {
        let begins = statement_line(self.text, from);
        let above = self.text.get(..begins).unwrap_or_default().trim_end_matches([' ', '\t']);
        let above = comments(above).pop().filter(|(_, last)| *last);
        let between = comments(self.text.get(begins..to).unwrap_or_default());
        above.into_iter().chain(between).any(|(comment, _)| self.model.intent().keeps_what_is_sent(&comment))
    }

    /// Whether the last comment above slow work, behind the place where the session begins, says that the commit waits for it. What is
    /// said in a block that has ended is said of something else.
    pub(crate) fn is_declared_order(&self, site: &Site, event: &Event) -> bool {
        let (from, to) = (site.span, event.cause.span);
        if from.file != to.file || from.file != self.report.span.file || from.end >= to.start {
            return false;
        }
        if self.is_tied(from.start as usize, to.start as usize) {
            return true;
        }
        let between = &self.text.get(from.end as usize..to.start as usize).unwrap_or_default();
        let Some((comment, behind)) = last_comment(between) else { return false };
        let mut depth = 0_i32;
        let goes_on = behind.chars().all(|c| {
            depth += i32::from(c == '{') - i32::from(c == '}');
            depth >= 0
        });
        goes_on && self.model.intent().defers_commit(&comment)
    }
}

/// Where the lines begin that stand together around a place, without a blank line, a comment or a brace between them.
fn paragraph(text: &str, at: usize) -> usize {
    let mut start = statement_line(text, at);
    while start > 0 {
        let above = text[..start - 1].rfind('\n').map_or(0, |end| end + 1);
        let line = text[above..start].trim();
        if line.is_empty() || line.starts_with("//") || line.ends_with('{') || line.starts_with('}') {
            break;
        }
        start = above;
    }
    start
}

/// Where the line begins on which the statement around a place does.
fn statement_line(text: &str, at: usize) -> usize {
    let begins = |at: usize| text[..at].rfind('\n').map_or(0, |end| end + 1);
    let mut start = begins(text.floor_char_boundary(at));
    while start > 0 {
        let above = begins(start - 1);
        let line = text[above..start].trim();
        let line = line.split_once(" //").map_or(line, |(code, _)| code.trim_end());
        if line.is_empty() || line.starts_with("//") || line.starts_with("#[") || line.ends_with([';', '{', '}', ',']) {
            break;
        }
        start = above;
    }
    start
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

/// The last lines of a text that are nothing but a comment, and what stands behind them.
fn last_comment(text: &str) -> Option<(String, &str)> {
    let is_comment = |line: &str| line.trim_start().starts_with("//");
    let (mut at, mut last) = (0, None);
    for line in text.split_inclusive('\n') {
        let begins = at;
        at += line.len();
        if is_comment(line) {
            last = match last {
                Some((start, end)) if end == begins => Some((start, at)),
                _ => Some((begins, at)),
            };
        }
    }
    let (start, end) = last?;
    Some((comments(&text[start..end]).pop()?.0, &text[end..]))
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

    #[test]
    fn a_statement_begins_on_a_line() {
        let text = "fn f() {\n    // not committed\n    let tx = pool\n        .begin()\n        .await?;\n    a(); // b\n    Ok(())\n}\n";
        let line = |word: &str| {
            let start = statement_line(text, text.find(word).unwrap());
            text[start..].lines().next().unwrap().trim().to_owned()
        };
        assert_eq!(line("begin"), "let tx = pool");
        assert_eq!(line("pool"), "let tx = pool");
        assert_eq!(line("a()"), "a(); // b");
        assert_eq!(line("Ok"), "Ok(())");
    }
}
