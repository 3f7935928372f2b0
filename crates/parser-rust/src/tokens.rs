//! What do the tokens of a text say on their own: comments, names, where a statement ends, how deep it goes?

use ra_ap_rustc_lexer::{Cursor, FrontmatterAllowed, TokenKind};
use sessionlint_diagnostics::{FileId, Span};
use sessionlint_ir::Comment;

/// Brackets nested deeper than this make an item a gap: a recursive parser could exhaust its stack.
const MAX_BRACKETS: usize = 160;
/// More tokens than this without a separator make an item a gap, for the same reason.
const MAX_CHAIN: usize = 3_000;
/// More `else if` than this in one item make it a gap: each one nests in the one before.
const MAX_ELSE_IF: usize = 1_500;

/// A significant token: comments and white space are left out.
#[derive(Clone, Copy)]
pub(crate) struct Token {
    pub kind: TokenKind,
    pub start: u32,
    pub end: u32,
}

/// The tokens of a text, and its comments with the number of tokens before each.
pub(crate) fn significant(text: &str) -> (Vec<Token>, Vec<(Token, usize)>) {
    let skip = prologue(text);
    let mut tokens = Vec::with_capacity(text.len() / 6);
    let mut comments = Vec::new();
    for token in all(text, skip, true) {
        match token.kind {
            TokenKind::Whitespace | TokenKind::Frontmatter { .. } => {}
            TokenKind::LineComment { doc_style } | TokenKind::BlockComment { doc_style, .. } => {
                if doc_style.is_none() {
                    comments.push((token, tokens.len()));
                }
            }
            _ => tokens.push(token),
        }
    }
    (tokens, comments)
}

/// What stands in a `macro_rules!` macro, with names for its fragments: `_ty` for `$ty`, so that every byte keeps its place. `None`
/// where there are none.
pub(crate) fn without_fragments(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let is_name = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_');
    let fragment = |at: &usize| bytes[*at] == b'$' && is_name(bytes.get(*at + 1));
    let found: Vec<usize> = (0..bytes.len()).filter(fragment).collect();
    found.first()?;
    let mut plain = text.to_owned();
    for at in found {
        let is_crate = text[at + 1..].starts_with("crate::");
        plain.replace_range(at..=at, if is_crate { " " } else { "_" });
    }
    Some(plain)
}

/// The tokens of a text from a byte on, blanks and comments included. Names, blanks and signs in ASCII, which most of a text is made
/// of, are told here; what else there is the lexer tells. With `frontmatter` the text may begin with one.
fn all(text: &str, from: usize, mut frontmatter: bool) -> impl Iterator<Item = Token> {
    let mut at = from;
    std::iter::from_fn(move || {
        let start = at;
        if start == text.len() {
            return None;
        }
        let kind = match plain(text.as_bytes(), start).filter(|_| !frontmatter) {
            Some((kind, end)) => {
                at = end;
                kind
            }
            None => {
                let allowed = if frontmatter { FrontmatterAllowed::Yes } else { FrontmatterAllowed::No };
                let token = Cursor::new(&text[start..], allowed).advance_token();
                frontmatter &= token.kind == TokenKind::Whitespace;
                at += token.len as usize;
                token.kind
            }
        };
        Some(Token { kind, start: start as u32, end: at as u32 })
    })
}

/// The token that starts at a byte, and its end, where ASCII alone tells.
fn plain(bytes: &[u8], start: usize) -> Option<(TokenKind, usize)> {
    let next = bytes.get(start + 1).copied().unwrap_or(b' ');
    let kind = match bytes[start] {
        b'a'..=b'z' | b'A'..=b'Z' | b'_' => {
            let (end, next) = run(bytes, start, NAME);
            // The prefix of a literal, or a letter of another alphabet.
            return (next.is_ascii() && !matches!(next, b'#' | b'"' | b'\'')).then_some((TokenKind::Ident, end));
        }
        b' ' | b'\t'..=b'\r' => {
            let (end, next) = run(bytes, start, BLANK);
            return next.is_ascii().then_some((TokenKind::Whitespace, end));
        }
        b'#' if !matches!(next, b'"' | b'#') => TokenKind::Pound,
        b'/' if !matches!(next, b'/' | b'*') => TokenKind::Slash,
        b';' => TokenKind::Semi,
        b',' => TokenKind::Comma,
        b'.' => TokenKind::Dot,
        b'(' => TokenKind::OpenParen,
        b')' => TokenKind::CloseParen,
        b'{' => TokenKind::OpenBrace,
        b'}' => TokenKind::CloseBrace,
        b'[' => TokenKind::OpenBracket,
        b']' => TokenKind::CloseBracket,
        b'?' => TokenKind::Question,
        b':' => TokenKind::Colon,
        b'=' => TokenKind::Eq,
        b'!' => TokenKind::Bang,
        b'<' => TokenKind::Lt,
        b'>' => TokenKind::Gt,
        b'-' => TokenKind::Minus,
        b'&' => TokenKind::And,
        b'|' => TokenKind::Or,
        b'+' => TokenKind::Plus,
        b'*' => TokenKind::Star,
        _ => return None,
    };
    Some((kind, start + 1))
}

/// Bytes inside of names, and blanks.
const NAME: u8 = 1;
const BLANK: u8 = 2;

/// What each byte can be inside of.
const KINDS: [u8; 256] = {
    let mut kinds = [0; 256];
    let mut byte = 0;
    while byte < 128 {
        let at = byte as u8;
        if at.is_ascii_alphanumeric() || at == b'_' {
            kinds[byte] = NAME;
        } else if matches!(at, b' ' | b'\t'..=b'\r') {
            kinds[byte] = BLANK;
        }
        byte += 1;
    }
    kinds
};

/// The end of the bytes of one kind, and what stands behind them; a blank at the end of the text.
fn run(bytes: &[u8], start: usize, kind: u8) -> (usize, u8) {
    let mut end = start + 1;
    while let Some(byte) = bytes.get(end) {
        if KINDS[usize::from(*byte)] != kind {
            return (end, *byte);
        }
        end += 1;
    }
    (end, b' ')
}

/// Bytes before the first token: a byte order mark and a `#!` line.
fn prologue(text: &str) -> usize {
    let mark = if text.starts_with('\u{feff}') { 3 } else { 0 };
    mark + ra_ap_rustc_lexer::strip_shebang(&text[mark..]).unwrap_or(0)
}

/// The comments of `text` that are not documentation.
pub fn comments(text: &str, file: FileId) -> Vec<Comment> {
    let (tokens, comments) = significant(text);
    let comment = |(token, index): (Token, usize)| {
        let raw = &text[token.start as usize..token.end as usize];
        let body = raw.strip_prefix("//").unwrap_or_else(|| raw.trim_start_matches("/*").trim_end_matches("*/"));
        let line_start = text[..token.start as usize].rfind('\n').map_or(0, |newline| newline + 1);
        Comment {
            span: Span::new(file, token.start, token.end),
            text: body.trim().to_owned(),
            own_line: text[line_start..token.start as usize].trim().is_empty(),
            next_token: tokens.get(index).map(|next| next.start),
        }
    };
    comments.into_iter().map(comment).collect()
}

/// The end of the statement, match arm or expression that starts at byte `start`: behind its `;` or last
/// brace, or before the bracket that closes around it.
pub fn statement_end(text: &str, start: u32) -> u32 {
    let Some(rest) = text.get(start as usize..) else { return start };
    let mut tokens = lazily(rest).peekable();
    let mut depth = 0usize;
    while let Some(token) = tokens.next() {
        match token.kind {
            TokenKind::OpenBrace | TokenKind::OpenParen | TokenKind::OpenBracket => depth += 1,
            TokenKind::CloseBrace | TokenKind::CloseParen | TokenKind::CloseBracket if depth == 0 => {
                return start + token.start;
            }
            TokenKind::CloseBrace if depth == 1 => {
                depth = 0;
                let goes_on = tokens.peek().is_some_and(|next| {
                    matches!(next.kind, TokenKind::Dot | TokenKind::Question | TokenKind::Semi | TokenKind::Comma)
                        || &rest[next.start as usize..next.end as usize] == "else"
                });
                if !goes_on {
                    return start + token.end;
                }
            }
            TokenKind::CloseBrace | TokenKind::CloseParen | TokenKind::CloseBracket => depth -= 1,
            TokenKind::Semi | TokenKind::Comma if depth == 0 => return start + token.end,
            _ => {}
        }
    }
    start + rest.len() as u32
}

/// The significant tokens of a piece of a file, one after the other.
pub(crate) fn lazily(text: &str) -> impl Iterator<Item = Token> {
    all(text, 0, false).filter(|token| {
        !matches!(token.kind, TokenKind::Whitespace | TokenKind::LineComment { .. } | TokenKind::BlockComment { .. })
    })
}

/// Whether every bracket of a text is closed by one of its kind.
pub fn is_balanced(text: &str) -> bool {
    let (tokens, _) = significant(text);
    let mut open = Vec::new();
    for token in &tokens {
        let opening = match token.kind {
            TokenKind::OpenBrace | TokenKind::OpenParen | TokenKind::OpenBracket => {
                open.push(token.kind);
                continue;
            }
            TokenKind::CloseBrace => TokenKind::OpenBrace,
            TokenKind::CloseParen => TokenKind::OpenParen,
            TokenKind::CloseBracket => TokenKind::OpenBracket,
            _ => continue,
        };
        if open.pop() != Some(opening) {
            return false;
        }
    }
    open.is_empty()
}

/// The start of the innermost statement, match arm or field around byte `at`, as seen from byte `from`, where a body
/// begins.
pub fn statement_start(text: &str, from: u32, at: u32) -> Option<u32> {
    let rest = text.get(from as usize..)?;
    let (tokens, _) = significant(rest);
    // For each bracket that is open the start of the statement in it; in parentheses none begins.
    let mut open: Vec<Option<u32>> = vec![None];
    for (index, token) in tokens.iter().enumerate() {
        if from + token.start >= at {
            break;
        }
        let next = tokens.get(index + 1);
        let start = next.map(|next| from + next.start);
        match token.kind {
            TokenKind::OpenBrace => open.push(start),
            TokenKind::OpenParen | TokenKind::OpenBracket => open.push(None),
            TokenKind::CloseParen | TokenKind::CloseBracket => drop(open.pop()),
            TokenKind::CloseBrace => {
                open.pop();
                let goes_on = next.is_some_and(|next| {
                    matches!(next.kind, TokenKind::Dot | TokenKind::Question | TokenKind::Semi | TokenKind::Comma)
                        || &rest[next.start as usize..next.end as usize] == "else"
                });
                if !goes_on && let Some(last @ Some(_)) = open.last_mut() {
                    *last = start;
                }
            }
            TokenKind::Semi | TokenKind::Comma => {
                if let Some(last @ Some(_)) = open.last_mut() {
                    *last = start;
                }
            }
            _ => {}
        }
    }
    open.into_iter().rev().flatten().next()
}

/// The identifiers of `text`, in order, with their byte offsets; names in comments and strings do not count.
pub(crate) fn identifiers(text: &str) -> impl Iterator<Item = (usize, &str)> {
    all(text, 0, false).filter_map(move |token| {
        let (start, end) = (token.start as usize, token.end as usize);
        matches!(token.kind, TokenKind::Ident | TokenKind::RawIdent).then(|| (start, &text[start..end]))
    })
}

/// The next identifiers of `text` from a byte on, as many as fit: how many there are, and where to go on.
pub fn next_names(text: &str, from: usize, found: &mut [(usize, usize)]) -> (usize, usize) {
    let mut count = 0;
    for token in all(text, from, false) {
        if matches!(token.kind, TokenKind::Ident | TokenKind::RawIdent) {
            found[count] = (token.start as usize, token.end as usize);
            count += 1;
            if count == found.len() {
                return (count, token.end as usize);
            }
        }
    }
    (count, text.len())
}

/// What stands in a text beside comments and blanks: its tokens as they are written.
pub fn written(text: &str) -> Vec<&str> {
    let tokens = significant(text).0;
    tokens.iter().map(|token| &text[token.start as usize..token.end as usize]).collect()
}

/// Why an item is too deep for a recursive parser, if it is.
pub(crate) fn too_deep(text: &str) -> Option<&'static str> {
    let (mut depth, mut run, mut else_if, mut previous_else) = (0usize, 0usize, 0usize, false);
    for token in lazily(text) {
        match token.kind {
            TokenKind::OpenBrace => {
                depth += 1;
                run = 0;
            }
            TokenKind::OpenParen | TokenKind::OpenBracket => depth += 1,
            TokenKind::CloseBrace => {
                depth = depth.saturating_sub(1);
                run = 0;
            }
            TokenKind::CloseParen | TokenKind::CloseBracket => depth = depth.saturating_sub(1),
            TokenKind::Semi | TokenKind::Comma => run = 0,
            _ => run += 1,
        }
        let word = if token.kind == TokenKind::Ident { &text[token.start as usize..token.end as usize] } else { "" };
        else_if += usize::from(previous_else && word == "if");
        previous_else = word == "else";
        if depth > MAX_BRACKETS {
            return Some("brackets are nested too deeply");
        }
        if run > MAX_CHAIN || else_if > MAX_ELSE_IF {
            return Some("an expression is too long");
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_end_where_they_end() {
        let end = |text: &str| text[..statement_end(text, 0) as usize].to_owned();
        assert_eq!(end("let a = f(b; c)?; d();"), "let a = f(b; c)?;");
        assert_eq!(end("if a { b; } else { c; } d();"), "if a { b; } else { c; }");
        assert_eq!(end("match a { _ => {} }.await; b"), "match a { _ => {} }.await;");
        assert_eq!(end("tail(a) }"), "tail(a) ");
    }

    #[test]
    fn tokens_are_those_of_the_lexer() {
        let told = |text: &str, frontmatter: bool| {
            let mine: Vec<_> = all(text, 0, frontmatter).map(|token| (token.kind, token.end)).collect();
            let allowed = if frontmatter { FrontmatterAllowed::Yes } else { FrontmatterAllowed::No };
            let mut end = 0;
            let tokens = ra_ap_rustc_lexer::tokenize(text, allowed).map(|token| {
                end += token.len;
                (token.kind, end)
            });
            assert_eq!(mine, tokens.collect::<Vec<_>>(), "{text}");
        };
        for text in [
            "fn a<'b>(c: &'b str) -> u8 { r#fn + b'd' + br#\"e\"# + c\"f\" + k#g + h\"i\" + j#k }",
            "a-b*c/d//e\n/*f/*g*/*/h^i%j@k~l$m 'n' 1.0e3_f32 0xFFu8 #[a] ##\"b\"## #\"c\"#",
            "größe = ß + a\u{301} + \u{2028}b\u{85} \u{200e} c\u{1f600} \u{1f600} \0 d\0e",
            "---\na = 1\n---\nfn b() {}",
            "\n---\na\n---\nfn b() {}",
            " --- a\n---\nb",
            "-- a --- b",
            "/* a */ --- b",
            "\x0b\x0c\r\n a\x1fb\x7f \" \u{e9}",
            "",
        ] {
            told(text, false);
            told(text, true);
        }
        // Whatever stands beside whatever.
        let signs: Vec<char> = ('\0'..'\u{80}').chain(['\u{e9}', '\u{a0}', '\u{2028}', '\u{1f600}']).collect();
        for first in &signs {
            for second in &signs {
                told(&format!("{first}{second}"), false);
                told(&format!("a{first}{second}b"), true);
            }
        }
    }

    #[test]
    fn deep_texts_are_refused_in_linear_time() {
        assert!(too_deep(&"(".repeat(100_000)).is_some());
        assert!(too_deep(&"!".repeat(100_000)).is_some());
        assert!(too_deep(&"if a { } else ".repeat(10_000)).is_some());
        assert!(too_deep("fn a() { [1, 2]; }").is_none());
    }
}
