//! Does a web framework call a function for each request?

use crate::index::{Index, ItemRef, Resolved, Scope};
use sessionlint_ir::{Signature, TypeRef};

impl Index<'_> {
    /// Whether a function's parameters are what a web framework makes for each request, or an attribute makes it a handler.
    pub(crate) fn is_handler(&self, item: ItemRef, scope: &Scope<'_>, signature: &Signature) -> bool {
        self.takes_request(scope, signature) || self.is_routed(item, scope)
    }

    fn takes_request(&self, scope: &Scope<'_>, signature: &Signature) -> bool {
        signature.params.iter().any(|param| {
            let written = match &param.ty {
                TypeRef::Ref { inner, .. } => inner,
                written => written,
            };
            match written {
                TypeRef::Path { segments, .. } => match self.resolve(scope, segments) {
                    Some(Resolved::External(path)) => self.model.is_request_part(&path),
                    _ => false,
                },
                _ => false,
            }
        })
    }

    /// `#[get("/")]`, `#[rocket::post("/")]`, `#[handler]`.
    pub(crate) fn is_routed(&self, item: ItemRef, scope: &Scope<'_>) -> bool {
        self.is_marked(item, scope, self.model.request_attributes())
    }

    /// Whether an attribute says that the screen of an application for one person calls a function.
    pub(crate) fn is_of_a_screen(&self, item: ItemRef) -> bool {
        self.is_marked(item, &self.scope_of(item), self.model.screen_attributes())
    }

    /// Whether a function has one of some attributes.
    fn is_marked(&self, item: ItemRef, scope: &Scope<'_>, known: &[(String, String)]) -> bool {
        attributes(self.attributes_of(item)).into_iter().any(|written| {
            let path: Vec<String> = written.split("::").map(|part| part.trim().to_owned()).collect();
            let Some(name) = path.last() else { return false };
            let mut named = known.iter().filter(|(_, known)| known == name).map(|(krate, _)| krate);
            let Some(first) = named.next() else { return false };
            let mut crates = std::iter::once(first).chain(named);
            match self.resolve(scope, &path) {
                Some(Resolved::External(full)) => crates.any(|krate| full.first() == Some(krate)),
                Some(_) => false,
                // Behind a glob, or brought in by `#[macro_use]`.
                None => {
                    let package = self.package_of(scope.file);
                    path.len() == 1 && crates.any(|krate| package.dependencies.values().any(|(real, _)| real == krate))
                }
            }
        })
    }
}

/// An attribute that puts others there on a condition.
const CONDITIONAL: &str = "cfg_attr";

/// The path that a text begins with.
fn leading_path(text: &str) -> &str {
    let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'));
    &text[..end.unwrap_or(text.len())]
}

/// The paths of the attributes in a text, one after another: `get` of `#[get("/")]`. Comments have none.
fn attributes(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for line in text.lines().map(str::trim_start).filter(|line| !line.starts_with("//")) {
        for (at, _) in line.match_indices("#[") {
            let before = line[..at].trim_end();
            // Not in the text of another one.
            if before.is_empty() || before.ends_with(']') {
                let path = &line[at + "#[".len()..];
                let name = leading_path(path);
                found.push(name);
                // `#[cfg_attr(feature = "a", get)]`
                if name == CONDITIONAL
                    && let Some((_, inner)) = path.split_once(", ")
                {
                    found.push(leading_path(inner));
                }
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_told_by_their_paths() {
        let of = |text| attributes(text).join(" ");
        assert_eq!(of("#[get(\"/a\")]\n    #[rocket::post(\"/b\", data = \"<x>\")] pub "), "get rocket::post");
        assert_eq!(of("/// like `#[get(\"/a\")]`\n#[handler]\n"), "handler");
        assert_eq!(of("#[cfg_attr(feature = \"screen\", command)]\npub "), "cfg_attr command");
        assert_eq!(of("#[must_use] #[get(\"/a\")]"), "must_use get");
        assert_eq!(of("#[doc = \"#[get(\\\"/a\\\")]\"]\npub "), "doc");
    }
}
