//! Which change of the text would make it right? Candidates: the engine tries each before it is offered.

use crate::{Context, words};
use sessionlint_analysis::{CauseKind, Event, EventKind, ExitOrder, Site};
use sessionlint_diagnostics::{Applicability, Edit, Evidence, Fix, Span};
use sessionlint_protocols::{Ending, Protocol, ProtocolKind, Source};

impl Context<'_> {
    /// Awaits an end whose future is thrown away.
    pub(crate) fn await_release(&self, site: &Site, protocol: &Protocol, event: &Event) -> Option<Fix> {
        let name = event.release.filter(|name| name.file == self.report.span.file && !event.in_closure)?;
        let EventKind::Unawaited { end, call: Some(call) } = &event.kind else { return None };
        if !self.report.is_async {
            return None;
        }
        let text = self.text;
        let known = protocol.endings.iter().find(|ending| ending.call == *call && !site.is_wrapped());
        let ending = known.cloned().unwrap_or_else(|| Ending::own(call.clone(), *end, true));
        let wait = format!(".await{}", self.question(site, protocol, &ending)?);
        let end = end_of_call(text, name.end as usize)?;
        let start = statement_start(text, name.start as usize);
        let before = text.get(start..name.start as usize)?;
        // What throws the future away goes.
        let dropped = ["drop(", "std::mem::drop("].into_iter().find(|drop| before.starts_with(drop));
        let thrown =
            ["let _ = ", "_ = "].into_iter().find(|thrown| before.starts_with(thrown)).or(dropped).unwrap_or("");
        let close = if dropped.is_some() { text.get(end..)?.starts_with(')').then_some(end + 1)? } else { end };
        // It is the whole statement: nothing wants a future there.
        let is_place = |c: char| c.is_alphanumeric() || "_.".contains(c);
        if !before[thrown.len()..].chars().all(is_place) || !text.get(close..)?.trim_start().starts_with(';') {
            return None;
        }
        let mut edits = vec![Edit { span: at(name, end, close), text: wait }];
        if !thrown.is_empty() {
            edits.insert(0, Edit { span: at(name, start, start + thrown.len()), text: String::new() });
        }
        Some(Fix { message: "await it".to_owned(), applicability: Applicability::Safe, edits })
    }

    /// Keeps what is bound to `_`.
    pub(crate) fn keep(&self, site: &Site, protocol: &Protocol, event: &Event) -> Option<Fix> {
        if !matches!(event.cause.kind, CauseKind::Statement { wildcard: true })
            || site.span.file != self.report.span.file
        {
            return None;
        }
        let text = self.text;
        let start = statement_start(text, site.span.start as usize);
        let statement = text.get(start..)?;
        // What stands in a tuple is the half of a client that has to run: keeping it is not enough.
        statement.strip_prefix("let _ =")?;
        let name = match protocol.noun() {
            "transaction" => "_tx",
            noun => &format!("_{}", noun.replace(' ', "_")),
        };
        let rest = text.get(site.span.end as usize..self.report.span.end as usize)?;
        if words_of(self.function_text()).any(|word| word == name) || event.in_closure {
            return None;
        }
        // A connection is borrowed as long as its transaction lives, a pool is not.
        let mut from_pool = protocol.openings.iter().filter_map(|opening| match opening.source {
            Source::Method(owner) => Some(self.model.protocol(owner).kind),
            _ => None,
        });
        let shares = from_pool.all(|kind| kind == ProtocolKind::Pool);
        let owner = text.get(start + 7..site.span.start as usize)?;
        let owner = words_of(owner).find(|word| *word != "mut")?;
        if !shares && words_of(rest).any(|word| word == owner) {
            return None;
        }
        // What is not made for futures must not live across a wait.
        if rest.contains(".await") && protocol.openings.iter().any(|opening| !opening.is_async) {
            return None;
        }
        let (from, to) = (start + 4, start + 5);
        let edit = Edit { span: at(site.span, from, to), text: name.to_owned() };
        let message = format!("keep it as `{name}`");
        Some(Fix { message, applicability: Applicability::Safe, edits: vec![edit] })
    }

    /// Runs a statement on the transaction instead of the pool.
    pub(crate) fn run_inside(&self, site: &Site, protocol: &Protocol, event: &Event) -> Option<Fix> {
        let (name, as_executor) = (site.name.as_deref()?, protocol.as_executor.as_deref()?);
        let call = event.cause.span;
        if !event.at_hand || !event.inside.is_empty() || call.file != self.report.span.file {
            return None;
        }
        if !self.is_plain(site, as_executor.contains("mut")) {
            return None;
        }
        let text = self.text;
        let end = end_of_call(text, call.end as usize)?;
        // Beside another use of it in one statement, or in a future that runs later, it would be borrowed twice.
        let start = statement_start(text, call.start as usize);
        let statement = text.get(start..end + text.get(end..)?.find(';')?)?;
        if words_of(statement).any(|word| word == name) || !text.get(end..)?.trim_start().starts_with(".await") {
            return None;
        }
        let open = call.end as usize + text.get(call.end as usize..)?.find('(')?;
        let argument = text.get(open + 1..end - 1)?;
        // Only a plain path is the pool and nothing else.
        let plain = |c: char| c.is_alphanumeric() || "_.&:".contains(c);
        if argument.is_empty() || !argument.chars().all(plain) {
            return None;
        }
        let edit = Edit { span: at(call, open + 1, end - 1), text: as_executor.replace("it", name) };
        let message = format!("run it on `{name}`");
        Some(Fix { message, applicability: Applicability::Safe, edits: vec![edit] })
    }

    /// Commits before a successful return.
    pub(crate) fn commit_before(&self, site: &Site, protocol: &Protocol, events: &[&Event]) -> Option<Fix> {
        let name = site.name.as_deref()?;
        if protocol.in_place || (site.is_wrapped() && site.own_end.is_none()) {
            return None;
        }
        if !site.is_wrapped() && !self.is_plain(site, false) {
            return None;
        }
        let ending = words::usual_ending(site, protocol)?;
        let leaves = self.question(site, protocol, &ending)?;
        let call = format!("{}{leaves}", words::call(site, &ending));
        if (ending.is_async && !self.report.is_async) || self.speaks_of_uncommitted() {
            return None;
        }
        let mut edits = Vec::new();
        for event in events {
            let exit = event.cause.span;
            let is_return =
                matches!(event.cause.kind, CauseKind::Exit { how: ExitOrder::Return | ExitOrder::Tail, .. });
            // On another way it may be gone by then.
            if !is_return || !event.at_hand || exit.file != self.report.span.file {
                return None;
            }
            let start = statement_start(self.text, exit.start as usize);
            let statement = self.text.get(start..exit.end as usize)?;
            let value = statement.strip_prefix("return").unwrap_or(statement).trim_start();
            // What is returned must be a value that is there already.
            let waits = value.contains(".await") || value.contains('?');
            if !value.starts_with("Ok(") || waits || words_of(statement).any(|word| word == name) {
                return None;
            }
            let line = self.text[..start].rfind('\n').map_or(0, |at| at + 1);
            let indent = self.text.get(line..start).filter(|indent| indent.trim().is_empty())?;
            let ending = if self.text[..line].ends_with("\r\n") { "\r\n" } else { "\n" };
            edits.push(Edit { span: at(exit, start, start), text: format!("{call};{ending}{indent}") });
        }
        let message = "commit before returning".to_owned();
        (!edits.is_empty()).then_some(Fix { message, applicability: Applicability::Unsafe, edits })
    }

    /// Whether a variable holds the session itself, as far as the text around its declaration tells: `let tx = pool.begin()?`,
    /// or a parameter. With `mutable` it must be declared so.
    fn is_plain(&self, site: &Site, mutable: bool) -> bool {
        let Some(name) = site.name.as_deref().filter(|_| site.span.file == self.report.span.file) else { return false };
        let text = self.text;
        if site.parameter {
            let before = text.get(..site.span.start as usize).unwrap_or_default().trim_end();
            return !site.is_wrapped()
                && (!mutable || before.ends_with("mut") || text[site.span.start as usize..].starts_with("mut "));
        }
        let start = statement_start(text, site.span.start as usize);
        let before = text.get(start..site.span.start as usize).unwrap_or_default();
        let declared = before.split('=').next().unwrap_or_default();
        let words: Vec<&str> = words_of(declared.split(':').next().unwrap_or_default()).collect();
        let is_declared = match words.as_slice() {
            ["let", "mut", declared] => *declared == name,
            ["let", declared] => *declared == name && !mutable,
            // It is set again.
            [set] => {
                *set == name
                    && words_of(self.function_text())
                        .collect::<Vec<_>>()
                        .windows(3)
                        .any(|three| three == ["let", "mut", name])
            }
            _ => false,
        };
        let is_optional = ["Some(", "None", "Option<"].iter().any(|word| before.contains(word));
        is_declared && !is_optional && self.is_opened_as_it_is(site)
    }

    /// Whether the statement that opens a session has nothing but the session of what the call gives.
    fn is_opened_as_it_is(&self, site: &Site) -> bool {
        let name = self.text.get(site.span.start as usize..site.span.end as usize).unwrap_or_default();
        let mut named = self.protocol(site).openings.iter().filter(|opening| opening.call == name).peekable();
        let is_plain = named.peek().is_some() && named.all(|opening| opening.shape.is_empty());
        let unwrapped = unwrapped(self.text, site.span.end as usize);
        unwrapped.is_some_and(|unwrapped| unwrapped || (is_plain && site.evidence != Evidence::Inferred))
    }

    pub(crate) fn function_text(&self) -> &str {
        let span = self.report.span;
        self.text.get(span.start as usize..span.end as usize).unwrap_or_default()
    }
}

fn at(near: Span, start: usize, end: usize) -> Span {
    Span { start: start as u32, end: end as u32, ..near }
}

/// The names in a text.
pub(crate) fn words_of(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty())
}

/// Whether the statement unwraps what the call gives; `None` when it makes something else of it.
fn unwrapped(text: &str, name: usize) -> Option<bool> {
    const KEEP: &[&str] = &["map_err", "context", "with_context", "wrap_err", "wrap_err_with"];
    let mut end = end_of_call(text, name)?;
    let mut unwraps = false;
    loop {
        let rest = text[end..].trim_start();
        end = text.len() - rest.len();
        if rest.starts_with(';') {
            return Some(unwraps);
        }
        if rest.starts_with('?') {
            (end, unwraps) = (end + 1, true);
            continue;
        }
        let after = rest.strip_prefix('.')?;
        let method = &after[..after.find(|c: char| !c.is_alphanumeric() && c != '_')?];
        end += 1 + method.len();
        if method == "await" {
            continue;
        }
        let next = end_of_call(text, end)?;
        let is_bare = text[end..next].trim() == "()";
        match method {
            "unwrap" | "expect" => unwraps = true,
            _ if KEEP.contains(&method) || (is_bare && method != "ok" && !unwraps) => {}
            _ => return None,
        }
        end = next;
    }
}

/// Where the call ends whose name ends at `at`: behind its arguments.
pub(crate) fn end_of_call(text: &str, at: usize) -> Option<usize> {
    let mut rest = text.get(at..)?;
    let mut offset = at;
    if let Some(generic) = rest.strip_prefix("::<") {
        let close = generic.find('>')? + 1;
        offset += 3 + close;
        rest = &generic[close..];
    }
    rest.starts_with('(').then_some(())?;
    let mut depth = 0usize;
    let mut quoted = false;
    let mut escaped = false;
    for (index, c) in rest.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ if quoted => {}
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(offset + index + 1);
                }
            }
            _ => {}
        }
    }
    None
}

/// Where the statement begins that has the byte at `at`.
fn statement_start(text: &str, at: usize) -> usize {
    let mut depth = 0usize;
    let mut start = 0;
    for (index, c) in text[..at].char_indices().rev() {
        match c {
            ')' | ']' => depth += 1,
            '(' | '[' => depth = depth.saturating_sub(1),
            ';' | '{' | '}' if depth == 0 && !is_comment(text, index) => {
                start = index + 1;
                break;
            }
            _ => {}
        }
    }
    let mut rest = &text[start..at];
    // Comments before it are not part of it.
    loop {
        let trimmed = rest.trim_start();
        match trimmed.strip_prefix("//").and_then(|comment| comment.split_once('\n')) {
            Some((_, after)) => rest = after,
            None => return at - trimmed.len(),
        }
    }
}

/// Whether a byte stands in a line comment: behind slashes that are in no text.
fn is_comment(text: &str, at: usize) -> bool {
    let line = text[..at].rfind('\n').map_or(0, |at| at + 1);
    let before = text[line..at].replace("\\\"", "  ").replace("'\"'", "   ");
    before.match_indices("//").any(|(slashes, _)| before[..slashes].matches('"').count().is_multiple_of(2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_ends_behind_its_own_brackets() {
        for (before, call, after) in [
            ("tx.commit", "()", ";"),
            ("a.get", "(b[1], { c(2) })", ".d()"),
            ("a.get", "(\")\")", ")"),
            ("a.get", "(\"\\\")\", 1)", ")"),
            ("tx.exec", "::<()>(true)", ";"),
            ("a.query", "::<_, (i64,)>(\"SELECT 1\")", ".b()"),
        ] {
            let text = format!("{before}{call}{after}");
            assert_eq!(end_of_call(&text, before.len()), Some(before.len() + call.len()), "{call}");
        }
        // A bracket as a character is not told from another.
        assert_eq!(end_of_call("a.get('(')", 5), None);
        assert_eq!(end_of_call("tx.commit;", 9), None);
        assert_eq!(end_of_call("tx.commit(1", 9), None);
        assert_eq!(end_of_call("tx.commit", 20), None);
    }

    #[test]
    fn a_statement_begins_behind_the_one_before() {
        for (before, statement) in [
            ("fn a() { ", "tx.commit("),
            ("let b = 1; ", "let _ = tx.commit("),
            ("if b { c() } ", "drop(tx.commit("),
            ("b; // c; d\n    ", "tx.commit("),
            ("b;\n    // c\n    // d { e\n    ", "tx.commit("),
            ("b(\"https://a\"); ", "tx.commit("),
            ("b(\"\\\"//\"); ", "tx.commit("),
            ("b('\"'); // c; \"d\"\n", "tx.commit("),
            ("b; ", "call([1; 2], tx.commit("),
            ("b; ", "call(|c| { c; }, [1; 2][0])\n    .d(tx.commit("),
        ] {
            let text = format!("{before}{statement}");
            assert_eq!(statement_start(&text, text.len()), before.len(), "{text}");
        }
        assert_eq!(statement_start("tx.commit(", 10), 0);
    }
}
