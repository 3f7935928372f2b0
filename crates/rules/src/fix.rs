//! Which change of the text would make it right? Candidates: the engine tries each before it is offered.

use crate::{Context, words};
use sessionlint_analysis::{CauseKind, Event, ExitOrder, Site};
use sessionlint_diagnostics::{Applicability, Edit, Fix, Span};
use sessionlint_protocols::Protocol;

impl Context<'_> {
    /// Awaits an end whose future is thrown away.
    pub(crate) fn await_release(&self, event: &Event) -> Option<Fix> {
        let name = event.release.filter(|name| name.file == self.report.span.file && !event.in_closure)?;
        if !self.report.is_async || !self.report.gives_result {
            return None;
        }
        let text = self.text;
        let end = end_of_call(text, name.end as usize)?;
        let start = statement_start(text, name.start as usize);
        let before = text.get(start..name.start as usize)?;
        let mut edits = vec![Edit { span: at(name, end, end), text: ".await?".to_owned() }];
        // What throws the future away goes.
        let thrown = ["let _ = ", "_ = "].iter().find(|thrown| before.starts_with(**thrown));
        if let Some(thrown) = thrown {
            edits.insert(0, Edit { span: at(name, start, start + thrown.len()), text: String::new() });
        } else if let Some(drop) = ["drop(", "std::mem::drop("].iter().find(|drop| before.starts_with(**drop)) {
            let close = text.get(end..)?.starts_with(')').then_some(end + 1)?;
            edits = vec![
                Edit { span: at(name, start, start + drop.len()), text: String::new() },
                Edit { span: at(name, end, close), text: ".await?".to_owned() },
            ];
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
        let (from, to) = (start + 4, start + 5);
        let edit = Edit { span: at(site.span, from, to), text: name.to_owned() };
        let message = format!("keep it as `{name}`");
        Some(Fix { message, applicability: Applicability::Safe, edits: vec![edit] })
    }

    /// Runs a statement on the transaction instead of the pool.
    pub(crate) fn run_inside(&self, site: &Site, protocol: &Protocol, event: &Event) -> Option<Fix> {
        let (name, as_executor) = (site.name.as_deref()?, protocol.as_executor.as_deref()?);
        let call = event.cause.span;
        if !event.inside.is_empty() || call.file != self.report.span.file {
            return None;
        }
        let text = self.text;
        let end = end_of_call(text, call.end as usize)?;
        let open = call.end as usize + text.get(call.end as usize..)?.find('(')?;
        let argument = text.get(open + 1..end - 1)?;
        // Only a plain path is the pool and nothing else.
        let plain = |c: char| c.is_alphanumeric() || "_.&:".contains(c);
        if argument.is_empty() || !argument.chars().all(plain) {
            return None;
        }
        if as_executor.contains("mut") && !self.function_text().contains(&format!("mut {name}")) {
            return None;
        }
        let edit = Edit { span: at(call, open + 1, end - 1), text: as_executor.replace("it", name) };
        let message = format!("run it on `{name}`");
        Some(Fix { message, applicability: Applicability::Safe, edits: vec![edit] })
    }

    /// Commits before a successful return.
    pub(crate) fn commit_before(&self, site: &Site, protocol: &Protocol, events: &[&Event]) -> Option<Fix> {
        let name = site.name.as_deref()?;
        if !self.report.gives_result || protocol.in_place {
            return None;
        }
        if self.is_optional(name) {
            return None;
        }
        let call = words::usual_call(site, protocol, self.report.gives_result)?;
        let mut edits = Vec::new();
        for event in events {
            let exit = event.cause.span;
            let is_return =
                matches!(event.cause.kind, CauseKind::Exit { how: ExitOrder::Return | ExitOrder::Tail, .. });
            if !is_return || event.in_closure || exit.file != self.report.span.file {
                return None;
            }
            // On another way it may be gone by then.
            if site.ended.iter().any(|(end, _)| end.start < exit.start) {
                return None;
            }
            let start = statement_start(self.text, exit.start as usize);
            let statement = self.text.get(start..exit.end as usize)?;
            let value = statement.strip_prefix("return").unwrap_or(statement).trim_start();
            // What is returned must be a value that is there already.
            let uses_it = statement.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == name);
            if !value.starts_with("Ok(") || value.contains(".await") || uses_it {
                return None;
            }
            let line = self.text[..start].rfind('\n').map_or(0, |at| at + 1);
            let indent = self.text.get(line..start).filter(|indent| indent.trim().is_empty())?;
            edits.push(Edit { span: at(exit, start, start), text: format!("{call};\n{indent}") });
        }
        let message = "commit before returning".to_owned();
        (!edits.is_empty()).then_some(Fix { message, applicability: Applicability::Unsafe, edits })
    }

    /// Whether a variable holds an `Option`, as far as its declaration tells.
    fn is_optional(&self, name: &str) -> bool {
        let text = self.function_text();
        [format!("let mut {name}"), format!("let {name}")].iter().any(|declares| {
            text.match_indices(declares.as_str()).any(|(at, _)| {
                let statement = text[at..].split(';').next().unwrap_or_default();
                ["Some(", "None", "Option<"].iter().any(|word| statement.contains(word))
            })
        })
    }

    fn function_text(&self) -> &str {
        let span = self.report.span;
        self.text.get(span.start as usize..span.end as usize).unwrap_or_default()
    }
}

fn at(near: Span, start: usize, end: usize) -> Span {
    Span { start: start as u32, end: end as u32, ..near }
}

/// Where the call ends whose name ends at `at`: behind its arguments.
fn end_of_call(text: &str, at: usize) -> Option<usize> {
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
