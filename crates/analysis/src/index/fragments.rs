//! What do the fragments of a macro stand for that writes items? What its first call in the same file passes.

use super::{FileData, Host};
use sessionlint_ir::{ImplHeader, ItemId, ItemKind, TypeRef};

/// The type fragments of a `macro_rules!` macro by the names that they have where its items are read (`_ty` for `$ty`), each with the
/// type that the first call in the file passes. Empty where the macro has several rules, repeats or is not called.
pub(super) fn fragments(host: &dyn Host, data: &FileData, definition: ItemId) -> Vec<(String, Vec<TypeRef>)> {
    let item = data.outline.item(definition);
    let own = item.head.start as usize..item.head.end as usize;
    let Some(names) = data.text.get(own.clone()).and_then(pattern) else { return Vec::new() };
    let called = format!("{}!", item.name);
    let calls = data.text.match_indices(&called).filter(|(at, _)| !own.contains(at));
    let passed = calls.filter_map(|(at, _)| arguments(data.text[at + called.len()..].trim_start()));
    let Some(passed) = passed.into_iter().find(|passed| passed.len() == names.len()) else { return Vec::new() };
    let bound = names.iter().zip(passed).filter(|((_, kind), _)| matches!(*kind, "ty" | "ident" | "path"));
    let read = bound.filter_map(|((name, _), passed)| {
        let (written, _) = host.alias(&format!("type Passed = {passed};"), item.head)?;
        Some((format!("_{name}"), vec![written]))
    });
    read.collect()
}

/// A header of an `impl` block that a macro writes, with what its fragments stand for.
pub(super) fn filled(host: &dyn Host, data: &FileData, block: ItemId, mut header: ImplHeader) -> ImplHeader {
    let around = data.outline.item(block).parent;
    let Some(definition) = around.filter(|up| data.outline.item(*up).kind == ItemKind::Macro) else { return header };
    let bound = fragments(host, data, definition);
    if let TypeRef::Path { segments, args } = &header.self_ty
        && let ([name], []) = (segments.as_slice(), args.as_slice())
        && let Some((_, written)) = bound.iter().find(|(known, _)| known == name)
    {
        header.self_ty = written[0].clone();
    }
    header.generics.extend(bound);
    header
}

/// The fragments of a macro with one rule that repeats nothing: their names and kinds.
fn pattern(definition: &str) -> Option<Vec<(&str, &str)>> {
    let (before, _) = definition.split_once("=>")?;
    let inside = before.split_once('{')?.1.trim().strip_prefix('(')?.strip_suffix(')')?;
    let read = inside.split(',').map(str::trim).filter(|fragment| !fragment.is_empty()).map(|fragment| {
        let (name, kind) = fragment.strip_prefix('$')?.split_once(':')?;
        Some((name.trim(), kind.trim()))
    });
    read.collect()
}

/// What stands between the brackets at the start of a text, by its commas.
fn arguments(text: &str) -> Option<Vec<&str>> {
    text.starts_with(['(', '{', '[']).then_some(())?;
    let (mut depth, mut from, mut found) = (0_i32, 1, Vec::new());
    for (at, c) in text.char_indices() {
        match c {
            '(' | '{' | '[' | '<' => depth += 1,
            ')' | '}' | ']' | '>' => depth -= 1,
            ',' if depth == 1 => {
                found.push(text[from..at].trim());
                from = at + 1;
            }
            _ => {}
        }
        if depth == 0 {
            found.extend(Some(text[from..at].trim()).filter(|last| !last.is_empty()));
            return Some(found);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_and_arguments_are_read() {
        let definition = "macro_rules! store { ($ty:ty, $name : ident,) => { impl Store for $ty {} }; }";
        assert_eq!(pattern(definition), Some(vec![("ty", "ty"), ("name", "ident")]));
        assert_eq!(pattern("macro_rules! store { ($($ty:ty),*) => { $(impl Store for $ty {})* } }"), None);
        assert_eq!(arguments("(Pool<A, B>, put);"), Some(vec!["Pool<A, B>", "put"]));
        assert_eq!(arguments("{ Pg, }"), Some(vec!["Pg"]));
        assert_eq!(arguments("; a"), None);
    }
}
