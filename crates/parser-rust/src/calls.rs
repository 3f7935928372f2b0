//! Where does a call end, and where does the statement around it begin?

/// Whether the statement unwraps what the call gives; `None` when it makes something else of it.
pub(crate) fn unwrapped(text: &str, name: usize) -> Option<bool> {
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
pub(crate) fn statement_start(text: &str, at: usize) -> usize {
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
