//! What do the words of a Rust text say before anybody parses it?

use crate::{Rust, blocks, tokens};
use sessionlint_ir::{Blocks, Glance};

/// The traits of functions.
const CLOSURES: &[&str] = &["Fn", "FnOnce", "FnMut", "AsyncFn", "AsyncFnOnce", "AsyncFnMut"];

impl Glance for Rust {
    fn blocks(&self, bytes: &[u8]) -> Blocks {
        blocks::of(bytes)
    }

    fn may_declare(&self, bytes: &[u8], name: &str) -> bool {
        memchr::memmem::find(bytes, format!("fn {name}").as_bytes()).is_some()
    }

    fn may_declare_traits(&self, bytes: &[u8]) -> bool {
        memchr::memmem::find(bytes, b"trait ").is_some()
    }

    fn renamed<'t>(&self, import: &'t str) -> Vec<(&'t str, &'t str)> {
        // To look for a word is much quicker than to tell all names apart.
        if !import.contains("as") {
            return Vec::new();
        }
        let names: Vec<&str> = tokens::identifiers(import).map(|(_, name)| name).collect();
        let renamed = names.windows(3).filter(|three| three[1] == "as" && three[2] != "_");
        renamed.map(|three| (three[0], three[2])).collect()
    }

    fn implemented<'t>(&self, header: &'t str) -> Option<(&'t str, &'t str)> {
        let (before, owner) = header.split_once(" for ")?;
        Some((trait_of(before)?, owner))
    }

    fn dropped<'t>(&self, header: &'t str) -> Option<&'t str> {
        let (_, owner) = header.split_once("Drop for ")?;
        tokens::identifiers(owner).next().map(|(_, name)| name)
    }

    fn dynamic<'t>(&self, text: &'t str) -> Vec<&'t str> {
        let mut found = Vec::new();
        for (at, _) in text.match_indices("dyn ") {
            // The last name of the path is the trait's.
            let path = text[at + "dyn ".len()..].split(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':')).next();
            let Some(name) = path.and_then(|path| path.rsplit("::").next()) else { continue };
            if name.starts_with(char::is_uppercase) && !found.contains(&name) {
                found.push(name);
            }
        }
        found
    }

    fn implementing(&self) -> &'static [&'static str] {
        &["dyn", "impl"]
    }

    fn sharing(&self) -> &'static [&'static str] {
        &["Arc", "Rc"]
    }

    fn output<'t>(&self, signature: &'t str) -> Option<&'t str> {
        signature.split_once("->").map(|(_, output)| output)
    }

    fn is_async(&self, signature: &str) -> bool {
        has(signature, &["async"])
    }

    fn takes_itself(&self, signature: &str) -> bool {
        signature.split_once('(').is_some_and(|(_, parameters)| {
            let first = parameters.trim_start();
            let first = first.strip_prefix("mut ").unwrap_or(first).trim_start();
            first.strip_prefix("self").is_some_and(|rest| rest.trim_start().starts_with([',', ')']))
        })
    }

    fn takes_closure(&self, signature: &str) -> bool {
        has(signature, CLOSURES)
    }

    fn is_borrowed(&self, before: &str) -> bool {
        // Behind a reference, or behind the arrow.
        let parameter = before.rfind([':', '(']).map_or(before, |at| &before[at..]);
        let start = before.trim_end_matches(|c: char| c.is_alphanumeric() || "_:<>'&* ".contains(c));
        before.contains("->") || parameter.contains('&') || before[start.len()..].contains('&')
    }

    fn waits(&self, body: &str) -> bool {
        body.contains("await")
    }

    fn may_lend(&self, signature: &str) -> bool {
        signature.contains('&')
    }

    fn polls(&self, body: &str) -> bool {
        has(body, &["loop", "while"]) && has(body, &["await"])
    }

    fn takes_out(&self, body: &str) -> bool {
        has(body, &["take"])
    }

    fn replaces(&self, signature: &str, body: &str) -> bool {
        signature.contains("mut self") && body.contains("self.") && body.contains('=')
    }

    fn is_function(&self, before: &str, after: &str) -> bool {
        before.trim_end().ends_with("::") || after.trim_start().starts_with(['(', '!']) || after.starts_with("::")
    }

    fn is_call(&self, before: &str, after: &str) -> bool {
        after.starts_with('(') && before.trim_end().ends_with(['.', ':'])
    }

    fn is_bare(&self, after: &str) -> bool {
        let awaited = |after: &str| {
            after.trim_start().strip_prefix('.').is_some_and(|after| after.trim_start().starts_with("await"))
        };
        let is_awaited =
            || after.starts_with('(') && end_of_arguments(after).is_some_and(|end| awaited(&after[end + 1..]));
        after.starts_with("()") || is_awaited()
    }

    fn leads_on(&self, after: &str) -> bool {
        after.starts_with("::")
    }

    fn function_of<'t>(&self, after: &'t str) -> Option<&'t str> {
        let called = behind_arguments(after).strip_prefix("::")?;
        tokens::identifiers(called).next().filter(|(at, _)| *at == 0).map(|(_, name)| name)
    }

    fn is_given_closure(&self, after: &str) -> bool {
        let arguments = after.starts_with('(').then(|| end_of_arguments(after)).flatten().map(|end| &after[..end]);
        arguments.is_some_and(|text| text.contains('|') || text.contains("async"))
    }

    fn is_not_awaited(&self, after: &str) -> bool {
        match after.trim_start().strip_prefix("()") {
            Some(after) => !after.trim_start().starts_with(['.', '?']),
            None => !after.trim_start().starts_with([',', ';', '=', '{', '}']),
        }
    }

    fn is_thrown_away(&self, before: &str, after: &str) -> bool {
        // Bound to `_`: rustc itself warns of one that is a whole statement.
        let start = before.rfind([';', '{', '}']).map_or(0, |at| at + 1);
        let statement = before[start..].trim_start();
        let statement = statement.strip_prefix("let ").unwrap_or(statement).trim_start();
        let receiver = statement.strip_prefix('_').and_then(|bound| bound.trim_start().strip_prefix('='));
        let is_chain = |text: &str| text.trim().chars().all(|c| c.is_alphanumeric() || "_.:()".contains(c));
        if !after.starts_with('(') || !receiver.is_some_and(is_chain) {
            return false;
        }
        end_of_arguments(after).is_some_and(|end| after[end + 1..].trim_start().starts_with(';'))
    }
}

/// Whether a text has one of the names.
fn has(text: &str, names: &[&str]) -> bool {
    tokens::identifiers(text).any(|(_, name)| names.contains(&name))
}

/// The trait that the first part of an `impl` header names.
fn trait_of(before: &str) -> Option<&str> {
    let path = before.trim_end();
    let mut depth = 0;
    let end = if path.ends_with('>') {
        path.char_indices().rev().find_map(|(at, c)| {
            depth += i32::from(c == '>') - i32::from(c == '<');
            (depth == 0).then_some(at)
        })?
    } else {
        path.len()
    };
    let name = path[..end].trim_end();
    let start = name.rfind(|c: char| !c.is_alphanumeric() && c != '_').map_or(0, |at| at + 1);
    (start < name.len() && start > 0).then(|| &name[start..])
}

/// Where the arguments end that a text begins with.
fn end_of_arguments(after: &str) -> Option<usize> {
    let mut depth = 0;
    let mut signs = after.char_indices();
    let end = signs.find(|(_, c)| {
        depth += i32::from(*c == '(') - i32::from(*c == ')');
        depth == 0
    });
    end.map(|(end, _)| end)
}

/// What stands behind the type arguments that a text begins with, `::<A, B<C>>`; all of it where there are none.
fn behind_arguments(text: &str) -> &str {
    let Some(inside) = text.strip_prefix("::").map(str::trim_start).and_then(|text| text.strip_prefix('<')) else {
        return text;
    };
    let mut open = 1;
    for (at, sign) in inside.char_indices() {
        match sign {
            '<' => open += 1,
            '>' => open -= 1,
            ';' | '{' => return text,
            _ => {}
        }
        if open == 0 {
            return &inside[at + 1..];
        }
    }
    text
}
