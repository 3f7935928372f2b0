//! Which items are written by calls of macros?

use super::{MAX_ITEM_NESTING, Scanner};
use ra_ap_rustc_lexer::TokenKind;
use sessionlint_diagnostics::Span;
use sessionlint_ir::{Item, ItemId, ItemKind};
use std::collections::BTreeMap;

impl<'a> Scanner<'a> {
    /// The statics and structs that stand in a call of a macro: `static ref POOL: Pool = ..;`.
    pub(super) fn declared_inside(&mut self, mut index: usize, end: usize, parent: Option<ItemId>, depth: usize) {
        while index < end {
            index = match depth < MAX_ITEM_NESTING && self.declares(index, end) {
                true => self.item(index, end, parent, depth).max(index + 1),
                false => self.skip(index),
            };
        }
    }

    /// Whether a static with a type begins here, or a struct with fields, behind its attributes.
    fn declares(&self, mut index: usize, end: usize) -> bool {
        while self.is(index, TokenKind::Pound) && self.is(index + 1, TokenKind::OpenBracket) {
            index = self.skip(index + 1);
        }
        if self.word(index) == "pub" {
            index += 1 + usize::from(self.is(index + 1, TokenKind::OpenParen)) * (self.skip(index + 1) - index - 1);
        }
        if self.word(index) == "struct" && !self.word(index + 1).is_empty() {
            return self.find(index, end, &[TokenKind::OpenBrace, TokenKind::Semi]) < end;
        }
        let name = index + 1 + usize::from(matches!(self.word(index + 1), "ref" | "mut"));
        name < end && self.word(index) == "static" && !self.word(name).is_empty() && self.is(name + 1, TokenKind::Colon)
    }

    /// A struct or enum whose name a macro is given is one item for each call of the macro in this file.
    pub(super) fn written_by_macros(&mut self) {
        let mut types: BTreeMap<&str, Vec<(Span, &Item)>> = BTreeMap::new();
        for item in &self.outline.items {
            let around = item.parent.map(|parent| self.outline.item(parent));
            if let Some(around) = around.filter(|around| around.kind == ItemKind::Macro)
                && let Some(rules) = around.body
                && matches!(item.kind, ItemKind::Struct | ItemKind::Enum)
            {
                types.entry(&around.name).or_default().push((rules, item));
            }
        }
        let mut written = Vec::new();
        for (name, parent) in &self.calls {
            for (rules, item) in types.get(self.word(*name)).into_iter().flatten() {
                if let Some(passed) = self.passed(*rules, item, name + 2) {
                    written.push(Item { name: passed.to_owned(), parent: *parent, ..(*item).clone() });
                }
            }
        }
        self.outline.items.extend(written);
    }

    /// What a call passes for the fragment that an item of a macro with one rule is named by.
    fn passed(&self, rules: Span, item: &Item, call: usize) -> Option<&'a str> {
        let at = |offset: u32| self.tokens.partition_point(|token| token.start < offset);
        let body = at(rules.start);
        let (pattern, last) = (body + 1, self.close[body] as usize);
        let arrow = self.skip(pattern);
        let behind = self.skip(arrow + 2);
        let has_more = (behind..last).any(|index| !self.is(index, TokenKind::Semi));
        if has_more || !self.is(pattern, TokenKind::OpenParen) || !self.is(arrow, TokenKind::Eq) {
            return None;
        }
        // `struct $name`
        let head = at(item.head.start);
        let is_fragment = self.is(head + 1, TokenKind::Dollar) && self.word(head + 2) == item.name;
        let mut fragments = self.between_commas(pattern).into_iter();
        let position = fragments.position(|(from, to)| {
            let is_plain = self.is(from, TokenKind::Dollar) && self.is(from + 2, TokenKind::Colon) && to == from + 4;
            is_plain && self.word(from + 1) == item.name && self.word(from + 3) == "ident"
        });
        let given = self.between_commas(call);
        let (from, to) = *given.get(position.filter(|_| is_fragment)?)?;
        let name = self.word(from);
        (to == from + 1 && !name.is_empty()).then_some(name)
    }

    /// The tokens between the commas of a group, from and to.
    fn between_commas(&self, open: usize) -> Vec<(usize, usize)> {
        let close = (self.close[open] as usize).min(self.tokens.len());
        let (mut index, mut found) = (open + 1, Vec::new());
        while index < close {
            let comma = self.find(index, close, &[TokenKind::Comma]);
            found.push((index, comma));
            index = comma + 1;
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use crate::outline::outline;
    use sessionlint_diagnostics::FileId;
    use sessionlint_ir::{Item, ItemId};

    fn names(text: &str) -> Vec<String> {
        let name = |item: &Item| format!("{:?} {}", item.kind, item.name);
        outline(text, FileId(0)).items.iter().map(name).collect()
    }

    #[test]
    fn structs_that_macros_are_given_the_name_of_are_found() {
        let written = |call: &str| {
            let rule = "macro_rules! m { ($a:ident, $b:ty $(,)?) => { pub struct $a { b: $b } }; }";
            names(&format!("{rule} mod x {{ {call} }}")).split_off(3).join("|")
        };
        assert_eq!(written("m!(One, u8); m! { Two, Vec<A, B> } m!(a b, c);"), "Struct One|Struct Two");
        assert_eq!(names("macro_rules! m { ($a:ident) => { struct $a; }; () => {} } m!(A);").len(), 2);
        assert_eq!(names("macro_rules! m { ($a:ident) => { struct B; } } m!(A);").len(), 2);
        let outline = outline("macro_rules! m { ($a:ident) => { struct $a; } } mod x { m!(A); }", FileId(0));
        assert_eq!(outline.module_path(ItemId(3)), ["x"]);
    }
}
