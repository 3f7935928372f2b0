//! Which items does a file have, and where? Works on tokens alone, so it never fails.

mod written;

use crate::tokens::{Token, significant};
use ra_ap_rustc_lexer::{LiteralKind, TokenKind};
use sessionlint_diagnostics::{FileId, Span};
use sessionlint_ir::{Item, ItemId, ItemKind, Outline};

/// Modules and impls nested deeper than this are not looked into.
const MAX_ITEM_NESTING: usize = 64;
/// Finds the items of `text`. Never fails: what is not an item is skipped.
pub fn outline(text: &str, file: FileId) -> Outline {
    let (tokens, _) = significant(text);
    let close = match_brackets(&tokens);
    let outline = Outline::default();
    let mut scanner = Scanner { text, file, tokens: &tokens, close: &close, outline, calls: Vec::new() };
    scanner.items(0, tokens.len(), None, 0);
    scanner.written_by_macros();
    scanner.outline
}

/// For each opening bracket the index of its partner, or of the end.
fn match_brackets(tokens: &[Token]) -> Vec<u32> {
    let mut close = vec![0; tokens.len()];
    let mut open: Vec<usize> = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        match token.kind {
            TokenKind::OpenBrace | TokenKind::OpenParen | TokenKind::OpenBracket => open.push(index),
            TokenKind::CloseBrace | TokenKind::CloseParen | TokenKind::CloseBracket => {
                let opens = match token.kind {
                    TokenKind::CloseBrace => TokenKind::OpenBrace,
                    TokenKind::CloseParen => TokenKind::OpenParen,
                    _ => TokenKind::OpenBracket,
                };
                // A bracket without a partner is given up when a brace closes over it.
                if let Some(at) = open.iter().rposition(|open| tokens[*open].kind == opens)
                    && (opens == TokenKind::OpenBrace || at + 1 == open.len())
                {
                    for unmatched in open.drain(at..) {
                        close[unmatched] = index as u32;
                    }
                }
            }
            _ => {}
        }
    }
    for unmatched in open {
        close[unmatched] = tokens.len() as u32;
    }
    close
}

struct Scanner<'a> {
    text: &'a str,
    file: FileId,
    tokens: &'a [Token],
    close: &'a [u32],
    outline: Outline,
    /// Calls of macros where items stand: the index of the name, and what is around it.
    calls: Vec<(usize, Option<ItemId>)>,
}

/// What stands before an item.
#[derive(Default)]
struct Attributes {
    test: bool,
    path: Option<String>,
}

/// Where an item begins, with and without what stands before it.
struct Header {
    first: usize,
    head: usize,
    attributes: Attributes,
}

impl<'a> Scanner<'a> {
    fn word(&self, index: usize) -> &'a str {
        match self.tokens.get(index) {
            Some(token) if matches!(token.kind, TokenKind::Ident | TokenKind::RawIdent) => {
                &self.text[token.start as usize..token.end as usize]
            }
            _ => "",
        }
    }

    fn is(&self, index: usize, kind: TokenKind) -> bool {
        self.tokens.get(index).is_some_and(|token| token.kind == kind)
    }

    fn is_open(&self, index: usize) -> bool {
        self.is(index, TokenKind::OpenBrace)
            || self.is(index, TokenKind::OpenParen)
            || self.is(index, TokenKind::OpenBracket)
    }

    /// The index after the token, or after the whole group when it opens one.
    fn skip(&self, index: usize) -> usize {
        if self.is_open(index) { (self.close[index] as usize + 1).min(self.tokens.len()) } else { index + 1 }
    }

    /// From `index` to the first of these kinds outside brackets; `end` when there is none.
    fn find(&self, mut index: usize, end: usize, kinds: &[TokenKind]) -> usize {
        while index < end && !kinds.iter().any(|kind| self.is(index, *kind)) {
            index = self.skip(index);
        }
        index.min(end)
    }

    fn items(&mut self, mut index: usize, end: usize, parent: Option<ItemId>, depth: usize) {
        while index < end {
            index = self.item(index, end, parent, depth).max(index + 1);
        }
    }

    fn item(&mut self, first: usize, end: usize, parent: Option<ItemId>, depth: usize) -> usize {
        // What a macro repeats.
        if self.is(first, TokenKind::Dollar) && self.is(first + 1, TokenKind::OpenParen) {
            let close = (self.close[first + 1] as usize).min(end);
            if depth < MAX_ITEM_NESTING {
                self.items(first + 2, close, parent, depth + 1);
            }
            return close + 1;
        }
        let mut index = first;
        let mut attributes = Attributes::default();
        while self.is(index, TokenKind::Pound) {
            let inner = self.is(index + 1, TokenKind::Bang);
            let open = index + 1 + usize::from(inner);
            if !self.is(open, TokenKind::OpenBracket) {
                return index + 1;
            }
            let close = self.close[open] as usize;
            let mut read = Attributes::default();
            self.attribute(open + 1, close.min(end), &mut read);
            if inner {
                self.inner_attribute(&read, parent);
            } else {
                attributes.test |= read.test;
                attributes.path = read.path.or(attributes.path);
            }
            index = self.skip(open);
            if inner {
                return index;
            }
        }
        if self.word(index) == "pub" {
            index += 1;
            if self.is(index, TokenKind::OpenParen) {
                index = self.skip(index);
            }
        }
        let head = index;
        while self.is_modifier(index) {
            index += 1;
        }
        if index >= end {
            return end;
        }
        self.after_modifiers(Header { first, head, attributes }, index, end, parent, depth)
    }

    /// Words that may stand before the one that says what an item is.
    fn is_modifier(&self, index: usize) -> bool {
        let next = self.word(index + 1);
        match self.word(index) {
            "async" | "unsafe" | "default" | "safe" | "gen" | "auto" => {
                matches!(next, "fn" | "async" | "unsafe" | "extern" | "impl" | "trait" | "const" | "gen" | "mod")
            }
            "const" => matches!(next, "fn" | "async" | "unsafe" | "extern" | "trait"),
            "extern" => {
                next == "fn"
                    || (matches!(
                        self.tokens.get(index + 1).map(|token| token.kind),
                        Some(TokenKind::Literal { kind: LiteralKind::Str { .. } | LiteralKind::RawStr { .. }, .. })
                    ) && self.word(index + 2) == "fn")
            }
            "" => {
                self.word(index + 1) == "fn"
                    && matches!(self.tokens[index..].first().map(|t| t.kind), Some(TokenKind::Literal { .. }))
            }
            _ => false,
        }
    }

    fn after_modifiers(
        &mut self,
        header: Header,
        index: usize,
        end: usize,
        parent: Option<ItemId>,
        depth: usize,
    ) -> usize {
        let Header { first, head, attributes } = header;
        use TokenKind::{OpenBrace, Semi};
        // A macro may be given the name.
        let name = self.word(index + 1 + usize::from(self.is(index + 1, TokenKind::Dollar)));
        let (kind, stop) = match self.word(index) {
            "fn" if !name.is_empty() => (ItemKind::Function, self.find(index, end, &[OpenBrace, Semi])),
            "struct" if !name.is_empty() => (ItemKind::Struct, self.find(index, end, &[OpenBrace, Semi])),
            "union" if !name.is_empty() => (ItemKind::Struct, self.find(index, end, &[OpenBrace, Semi])),
            "enum" if !name.is_empty() => (ItemKind::Enum, self.find(index, end, &[OpenBrace, Semi])),
            "trait" if !name.is_empty() => (ItemKind::Trait, self.find(index, end, &[OpenBrace, Semi])),
            "mod" if !name.is_empty() => (ItemKind::Module, self.find(index, end, &[OpenBrace, Semi])),
            "impl" => (ItemKind::Impl, self.find(index, end, &[OpenBrace, Semi])),
            "type" if !name.is_empty() => (ItemKind::Alias, self.find(index, end, &[Semi])),
            "use" => (ItemKind::Use, self.find(index, end, &[Semi])),
            "extern" if name == "crate" => (ItemKind::Use, self.find(index, end, &[Semi])),
            "const" | "static" => (ItemKind::Constant, self.find(index, end, &[Semi])),
            "macro_rules" => (ItemKind::Macro, self.find(index, end, &[OpenBrace, Semi])),
            word => {
                if !word.is_empty() && self.is(index + 1, TokenKind::Bang) && self.is_open(index + 2) {
                    let close = (self.close[index + 2] as usize).min(end);
                    self.calls.push((index, parent));
                    self.declared_inside(index + 3, close, parent, depth + 1);
                    return close + 1;
                }
                return self.skip(index);
            }
        };
        let has_body =
            self.is(stop, OpenBrace) && !matches!(kind, ItemKind::Alias | ItemKind::Use | ItemKind::Constant);
        let body_close = if has_body { self.close[stop] as usize } else { stop };
        let last = body_close.min(self.tokens.len().saturating_sub(1));
        let name = match kind {
            ItemKind::Impl | ItemKind::Use => "",
            ItemKind::Constant if matches!(name, "mut" | "ref") => self.word(index + 2),
            ItemKind::Macro => self.word(index + 2),
            _ => name,
        };
        let span = |from: usize, to: usize| Span::new(self.file, self.tokens[from].start, self.tokens[to].end);
        let id = ItemId(self.outline.items.len() as u32);
        self.outline.items.push(Item {
            kind,
            name: name.trim_start_matches("r#").to_owned(),
            span: span(first, last),
            head: span(head, last),
            body: has_body.then(|| span(stop, last)),
            parent,
            test: attributes.test,
            named_file: attributes.path,
        });
        if has_body && depth < MAX_ITEM_NESTING && matches!(kind, ItemKind::Module | ItemKind::Impl | ItemKind::Trait) {
            self.items(stop + 1, body_close.min(end), Some(id), depth + 1);
        }
        if has_body && depth < MAX_ITEM_NESTING && kind == ItemKind::Function {
            self.functions_inside(stop + 1, body_close.min(end), id, depth + 1);
        }
        if has_body && depth < MAX_ITEM_NESTING && kind == ItemKind::Macro {
            self.transcribed(stop + 1, body_close.min(end), id, depth + 1);
        }
        body_close + 1
    }

    /// The functions that are declared among the statements of a function's body.
    fn functions_inside(&mut self, mut index: usize, end: usize, id: ItemId, depth: usize) {
        while index < end {
            index = match self.declares_function(index, end) {
                true => self.item(index, end, Some(id), depth).max(index + 1),
                false => self.skip(index),
            };
        }
    }

    /// Whether a function with a name begins here, behind its attributes and modifiers.
    fn declares_function(&self, mut index: usize, end: usize) -> bool {
        while self.is(index, TokenKind::Pound) && self.is(index + 1, TokenKind::OpenBracket) {
            index = self.skip(index + 1);
        }
        while index < end && self.is_modifier(index) {
            index += 1;
        }
        index < end && self.word(index) == "fn" && !self.word(index + 1).is_empty()
    }

    /// The items that the rules of a macro write: what stands in the brackets behind each `=>`.
    fn transcribed(&mut self, mut index: usize, end: usize, id: ItemId, depth: usize) {
        while index < end {
            let is_arrow = self.is(index, TokenKind::Eq) && self.is(index + 1, TokenKind::Gt);
            if is_arrow && self.is_open(index + 2) {
                let close = (self.close[index + 2] as usize).min(end);
                self.items(index + 3, close, Some(id), depth);
                index += 2;
            }
            index = self.skip(index);
        }
    }

    /// Reads what matters between the brackets of an attribute.
    fn attribute(&self, index: usize, end: usize, read: &mut Attributes) {
        let mut name = self.word(index);
        let mut at = index + 1;
        while self.is(at, TokenKind::Colon) && self.is(at + 1, TokenKind::Colon) {
            name = self.word(at + 2);
            at += 3;
        }
        match name {
            "cfg" => {
                let mut at = at;
                while at < end {
                    if self.word(at) == "not" && self.is(at + 1, TokenKind::OpenParen) {
                        at = self.skip(at + 1);
                        continue;
                    }
                    read.test |= self.word(at) == "test";
                    at += 1;
                }
            }
            "path" if self.is(at, TokenKind::Eq) => {
                if let Some(value) = self.tokens.get(at + 1) {
                    let text = &self.text[value.start as usize..value.end as usize];
                    read.path = Some(text.trim_matches('"').to_owned());
                }
            }
            "test" | "rstest" | "test_case" | "bench" | "proptest" | "quickcheck" | "test_log" | "test_context"
            | "wasm_bindgen_test" | "db_test" | "database_test" => read.test = true,
            _ => {}
        }
    }

    fn inner_attribute(&mut self, read: &Attributes, parent: Option<ItemId>) {
        match parent {
            None => self.outline.test |= read.test,
            Some(parent) => self.outline.items[parent.0 as usize].test |= read.test,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<String> {
        let outline = outline(text, FileId(0));
        let name = |item: &Item| format!("{:?} {}", item.kind, item.name);
        outline.items.iter().map(name).collect()
    }

    #[test]
    fn finds_items_of_every_kind_and_their_parents() {
        let text =
            "#![allow(x)] use a::b; pub(crate) struct S { a: u8 } enum E { A } impl S { pub async fn f(&self) {} }
            mod m { type T = u8; const C: u8 = { 1 }; pub const unsafe extern \"C\" fn g() {} } trait R { fn h(&self); }
            static mut X: u8 = 0; macro_rules! q { () => {} } extern crate alloc as a; union U { a: u8 }";
        let expected = "Use |Struct S|Enum E|Impl |Function f|Module m|Alias T|Constant C|Function g|Trait R|Function h|\
            Constant X|Macro q|Use |Struct U";
        assert_eq!(names(text).join("|"), expected);
        let outline = outline(text, FileId(0));
        assert_eq!(outline.item(ItemId(4)).parent, Some(ItemId(3)));
    }

    #[test]
    fn one_broken_item_does_not_hide_the_next() {
        assert_eq!(names("fn a() { let x = (; } fn b() {}"), ["Function a", "Function b"]);
        assert_eq!(names("fn a( { fn b() {}"), ["Function a"]);
        assert_eq!(names("struct ; ) } fn c() {}"), ["Function c"]);
    }

    #[test]
    fn test_code_is_told_by_attributes() {
        let test = |text: &str| {
            let outline = outline(text, FileId(0));
            outline.is_test(ItemId(outline.items.len() as u32 - 1))
        };
        assert!(test("#[cfg(test)] mod t { fn a() {} }"));
        assert!(test("#[tokio::test(flavor = \"multi_thread\")] async fn a() {}"));
        assert!(test("#[cfg(all(test, feature = \"x\"))] fn a() {}"));
        assert!(test("mod t { #![cfg(test)] fn a() {} }"));
        assert!(!test("#[cfg(not(test))] fn a() {}"));
        assert!(!test("#[inline] fn a() {}"));
    }

    #[test]
    fn marks_shebangs_and_frontmatter_are_not_items() {
        assert_eq!(names("\u{feff}fn a() {}"), ["Function a"]);
        assert_eq!(names("#!/usr/bin/env run\nfn a() {}"), ["Function a"]);
        assert_eq!(names("---\n[dependencies]\nx = 1\n---\nfn a() {}"), ["Function a"]);
    }

    #[test]
    fn functions_in_bodies_and_statics_in_calls_of_macros_are_found() {
        let inside = names("fn a() { async fn b() { fn c() {} } let x: fn(u8) = y; #[z] fn d() {} }");
        assert_eq!(inside, ["Function a", "Function b", "Function c", "Function d"]);
        let statics = names("m! { /// x\n pub(crate) static ref A: u8 = 1; static B: u8 = 2; f(static) }");
        assert_eq!(statics, ["Constant A", "Constant B"]);
        assert_eq!(names("m! { #[a] pub struct A { b: u8 } struct B(u8); f(struct) }"), ["Struct A", "Struct B"]);
    }

    #[test]
    fn deep_texts_are_outlined() {
        outline(&"mod a {".repeat(100_000), FileId(0));
        outline(&"[({".repeat(100_000), FileId(0));
    }
}
