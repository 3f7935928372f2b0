//! Which names does a `use` declaration bring in? Read from its tokens, since there are more of them than of anything else.

use crate::tokens::{Token, lazily};
use ra_ap_rustc_lexer::TokenKind;
use sessionlint_ir::Import;
use std::iter::Peekable;

/// What cannot be a name, after the grammar that is used for everything else.
const KEYWORDS: &[&str] = &[
    "Self", "_", "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "do", "dyn",
    "else", "enum", "extern", "false", "final", "fn", "for", "if", "impl", "in", "let", "loop", "macro", "match",
    "mod", "move", "mut", "override", "priv", "pub", "ref", "return", "static", "struct", "trait", "true", "try",
    "type", "typeof", "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];
/// Groups in groups.
const MAX_GROUPS: usize = 20;

/// The names that a declaration brings in, written as nearly all are; `None` leaves it to the parser.
pub(crate) fn plain_imports(text: &str) -> Option<Vec<Import>> {
    // A comment may be documentation, which may not stand everywhere.
    (!text.contains('/')).then_some(())?;
    let mut reader = Reader { text, tokens: lazily(text).peekable(), prefix: Vec::new(), found: Vec::new() };
    let mut first = reader.word()?;
    if first == "pub" {
        if reader.skips(TokenKind::OpenParen) {
            matches!(reader.word()?, "crate" | "super" | "self").then_some(())?;
            reader.skips(TokenKind::CloseParen).then_some(())?;
        }
        first = reader.word()?;
    }
    (first == "use").then_some(())?;
    reader.skips_path()?;
    reader.tree(0)?;
    (reader.skips(TokenKind::Semi) && reader.tokens.next().is_none()).then_some(reader.found)
}

struct Reader<'t, T: Iterator<Item = Token>> {
    text: &'t str,
    tokens: Peekable<T>,
    prefix: Vec<String>,
    found: Vec<Import>,
}

impl<'t, T: Iterator<Item = Token>> Reader<'t, T> {
    /// A name or keyword.
    fn word(&mut self) -> Option<&'t str> {
        let token = self.tokens.next_if(|token| token.kind == TokenKind::Ident)?;
        self.text.get(token.start as usize..token.end as usize)
    }

    fn skips(&mut self, kind: TokenKind) -> bool {
        self.tokens.next_if(|token| token.kind == kind).is_some()
    }

    /// Skips `::`; `None` at a single colon.
    fn skips_path(&mut self) -> Option<bool> {
        let Some(first) = self.tokens.next_if(|token| token.kind == TokenKind::Colon) else { return Some(false) };
        self.tokens.next_if(|token| token.kind == TokenKind::Colon && token.start == first.end).map(|_| true)
    }

    fn tree(&mut self, groups: usize) -> Option<()> {
        if self.skips(TokenKind::Star) {
            self.found.push(Import { path: self.prefix.clone(), name: None });
            return Some(());
        }
        if self.skips(TokenKind::OpenBrace) {
            (groups < MAX_GROUPS).then_some(())?;
            while !self.skips(TokenKind::CloseBrace) {
                // `use {::a, b};`: each of the outermost group may begin like the whole.
                if self.prefix.is_empty() {
                    self.skips_path()?;
                }
                self.tree(groups + 1)?;
                let goes_on = self.skips(TokenKind::Comma);
                let ends = self.tokens.peek().is_some_and(|token| token.kind == TokenKind::CloseBrace);
                (goes_on || ends).then_some(())?;
            }
            return Some(());
        }
        let word = self.word().filter(|word| !KEYWORDS.contains(word))?;
        if self.skips_path()? {
            self.prefix.push(word.to_owned());
            self.tree(groups)?;
            self.prefix.pop();
            return Some(());
        }
        let mut path = self.prefix.clone();
        if word != "self" {
            path.push(word.to_owned());
        }
        let name = match self.word() {
            None => path.last().cloned(),
            Some("as") => {
                let name = self.word()?;
                let is_name = !KEYWORDS.contains(&name) && !matches!(name, "self" | "super" | "crate");
                Some((name == "_" || is_name).then_some(name)?.to_owned())
            }
            Some(_) => return None,
        };
        self.found.push(Import { path, name });
        Some(())
    }
}
