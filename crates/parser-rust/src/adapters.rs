//! How does the error of a call leave a function? What stands behind the call, up to its `?`.

use crate::calls::end_of_call;

/// The methods that make another error, and the `?`, behind the call that ends at `at`.
pub(crate) fn adapters(text: &str, mut at: usize, adapts: &dyn Fn(&str, bool) -> bool) -> Option<String> {
    let mut found = String::new();
    let skipped = |at: usize| text.get(at..).map(|rest| at + rest.len() - rest.trim_start().len());
    at = skipped(at)?;
    if text[at..].starts_with(".await") {
        at = skipped(at + ".await".len())?;
    }
    loop {
        let rest = text.get(at..)?;
        if rest.starts_with('?') {
            found.push('?');
            return Some(found);
        }
        let name = rest.strip_prefix('.')?;
        let name = &name[..name.find(|c: char| !c.is_alphanumeric() && c != '_')?];
        let open = at + 1 + name.len();
        let end = end_of_call(text, open)?;
        let arguments = text.get(open + 1..end - 1)?;
        let is_bare = arguments.trim().is_empty();
        if !adapts(name, !is_bare) || !(is_bare || is_self_contained(arguments)) {
            return None;
        }
        found.push_str(text.get(at..end)?);
        at = skipped(end)?;
    }
}

/// Whether an argument means the same elsewhere in the function: a path, a text, or a closure that uses no variables but
/// its own.
fn is_self_contained(argument: &str) -> bool {
    if argument.contains(['?', '\n', '{']) || argument.contains(".await") || argument.contains("return") {
        return false;
    }
    if argument.starts_with('"') {
        return argument.trim_end().ends_with('"') && argument.matches('"').count() == 2;
    }
    let (own, body) = match argument.strip_prefix('|').and_then(|rest| rest.split_once('|')) {
        Some((own, body)) => (own, body),
        // A path, whatever it names.
        None => return argument.chars().all(|c| c.is_alphanumeric() || "_:".contains(c)),
    };
    if body.contains('"') {
        return false;
    }
    let mut at = 0;
    body.split_inclusive(|c: char| !c.is_alphanumeric() && c != '_').all(|piece| {
        let before = body[..at].chars().next_back();
        at += piece.len();
        let word = piece.trim_end_matches(|c: char| !c.is_alphanumeric() && c != '_');
        let after = &body[at - (piece.len() - word.len())..];
        word.is_empty()
            || word.starts_with(|c: char| c.is_uppercase() || c.is_numeric())
            || own.split([',', ':', ' ']).any(|name| name == word)
            || matches!(before, Some('.' | ':'))
            || after.starts_with("::")
            || after.starts_with('(')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_neighbour_does_is_read_up_to_its_question_mark() {
        let adapts = |name: &str, with_arguments: bool| match with_arguments {
            true => matches!(name, "map_err" | "context"),
            false => matches!(name, "or_fault"),
        };
        for (text, expected) in [
            (".await?;", Some("?")),
            ("?;", Some("?")),
            ("\n    .await\n    .map_err(Error::from)?;", Some(".map_err(Error::from)?")),
            (".await.map_err(|e| Error::Db(e.to_string()))?;", Some(".map_err(|e| Error::Db(e.to_string()))?")),
            (".await.or_fault()?;", Some(".or_fault()?")),
            (".await.context(\"commit\")?;", Some(".context(\"commit\")?")),
            (".await.map_err(|e| Error::Db(id, e))?;", None),
            (".await.map_err(|e| fail(&log, e))?;", None),
            (".await.context(format!(\"{id}\"))?;", None),
            (".await.ok()?;", None),
            (".await.unwrap();", None),
            (".await.unwrap_or(1)?;", None),
            (".await;", None),
        ] {
            assert_eq!(adapters(text, 0, &adapts).as_deref(), expected, "{text}");
        }
    }
}
