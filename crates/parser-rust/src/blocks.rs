//! For which types and traits does a text have `impl` blocks, and which macros does it define? A look at its words, for files that
//! nobody has parsed.

use sessionlint_ir::Blocks;
use std::collections::BTreeSet;

/// How long the header of a block may be.
const MAX_HEADER: usize = 2000;

/// Those of a text.
pub(crate) fn of(bytes: &[u8]) -> Blocks {
    let mut found = Blocks::default();
    for at in memchr::memmem::find_iter(bytes, b"impl") {
        let after = &bytes[at + "impl".len()..];
        let begins = at == 0 || !is_name(bytes[at - 1]);
        if !begins || !after.first().is_some_and(|next| *next == b'<' || next.is_ascii_whitespace()) {
            continue;
        }
        let Some(end) = after.iter().take(MAX_HEADER).position(|byte| matches!(byte, b'{' | b';')) else {
            continue;
        };
        let Ok(header) = std::str::from_utf8(&after[..end]) else { continue };
        let header = without_parameters(header);
        // An argument that is `impl Trait`.
        if header.find(')').is_some_and(|at| !header[..at].contains('(')) {
            continue;
        }
        // Those of `for<'a>` have no space behind them.
        let (of_trait, owner) = match header.split_once(" for ") {
            Some((of_trait, owner)) => (Some(of_trait), owner),
            None => (None, header),
        };
        found.traits.extend(of_trait.and_then(named).map(str::to_owned));
        found.types.extend(named(owner).map(str::to_owned));
    }
    add_renamed(&mut found, bytes);
    found.macros = macros(bytes);
    found
}

/// Adds what a name of a block is called elsewhere: `use Sink as Drain`.
fn add_renamed(found: &mut Blocks, bytes: &[u8]) {
    if found.traits.is_empty() && found.types.is_empty() {
        return;
    }
    for at in memchr::memmem::find_iter(bytes, b" as ") {
        let before = bytes[..at].iter().rev().take_while(|byte| is_name(**byte)).count();
        let behind = &bytes[at + " as ".len()..];
        let length = behind.iter().take_while(|byte| is_name(**byte)).count();
        let word = |bytes| std::str::from_utf8(bytes).unwrap_or_default();
        let (real, here) = (word(&bytes[at - before..at]), word(&behind[..length]));
        for names in [&mut found.traits, &mut found.types] {
            if real.starts_with(char::is_uppercase) && names.contains(here) {
                names.insert(real.to_owned());
            }
        }
    }
}

/// The names behind `macro_rules!`.
fn macros(bytes: &[u8]) -> BTreeSet<String> {
    const WORD: &[u8] = b"macro_rules";
    let behind = memchr::memmem::find_iter(bytes, WORD).map(|at| bytes[at + WORD.len()..].trim_ascii_start());
    let named = behind.filter_map(|text| {
        let text = text.strip_prefix(b"!")?.trim_ascii_start();
        Some(&text[..text.iter().take_while(|byte| is_name(**byte)).count()]).filter(|name| *name != WORD)
    });
    named.filter_map(|name| std::str::from_utf8(name).ok()).filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii()
}

/// The header of a block behind its type parameters.
fn without_parameters(header: &str) -> &str {
    let Some(inside) = header.strip_prefix('<') else { return header };
    let (mut depth, mut before) = (1, ' ');
    for (at, c) in inside.char_indices() {
        match c {
            '<' => depth += 1,
            // Not the arrow of `Fn() -> T`.
            '>' if before != '-' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return &inside[at + 1..];
        }
        before = c;
    }
    ""
}

/// The last name of the path that a text begins with, behind references and `dyn`.
fn named(text: &str) -> Option<&str> {
    let mut rest = text.trim_start();
    loop {
        let next = rest.trim_start_matches(['&', '(', '!']).trim_start();
        let next = match next.strip_prefix('\'') {
            Some(lifetime) => lifetime.trim_start_matches(|c: char| c.is_alphanumeric() || c == '_').trim_start(),
            None => next,
        };
        let next =
            ["mut ", "dyn ", "unsafe ", "const "].iter().find_map(|word| next.strip_prefix(word)).unwrap_or(next);
        if next == rest {
            break;
        }
        rest = next;
    }
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    let path = &rest[..rest.find(|c: char| !is_part(c)).unwrap_or(rest.len())];
    path.rsplit("::").next().filter(|name| name.starts_with(char::is_uppercase))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let found = of(text.as_bytes());
        let words = |names: &BTreeSet<String>| names.iter().map(String::as_str).collect::<Vec<_>>().join(" ");
        format!("{} for {}", words(&found.traits), words(&found.types))
    }

    #[test]
    fn blocks_are_found_by_their_headers() {
        for (text, expected) in [
            ("impl Slow {", " for Slow"),
            ("impl<T> Slow<T> {", " for Slow"),
            ("impl crate::Sink for Slow {", "Sink for Slow"),
            ("impl<T, F: Fn(u8) -> T> Sink<T>\n    for a::Slow<T>\nwhere F: Send {", "Sink for Slow"),
            ("impl<'a> Sink for &'a mut Slow {", "Sink for Slow"),
            ("impl Sink for &Slow {", "Sink for Slow"),
            ("unsafe impl<T: ?Sized> Sink for Box<T> {}", "Sink for Box"),
            ("impl Sink for dyn Other {", "Sink for Other"),
            ("impl<F> Sink for F where F: for<'a> Fn(&'a u8) {", "Sink for F"),
            ("fn f(x: impl Sink) { for a in b {", " for "),
            ("use a::Sink as Drain; impl Drain for Slow {", "Drain Sink for Slow"),
            ("simpl Sink for Slow {", " for "),
            ("impl<", " for "),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
    }

    #[test]
    fn macros_are_found_by_their_names() {
        let text = b"macro_rules! die { } // macro_rules!\nmacro_rules !\n  r { }";
        assert_eq!(of(text).macros, ["die", "r"].map(str::to_owned).into());
    }
}
