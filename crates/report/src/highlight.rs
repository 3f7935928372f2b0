//! Which letters of a line of Rust are a word of the language, a text, a comment? Lines go in, one by one, with what the line before
//! left open; a kind for each stretch of letters comes out. It colours code, and nothing depends on it.

use std::sync::OnceLock;

/// What letters are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Keyword,
    Text,
    Comment,
    Number,
    Type,
    Call,
    Lifetime,
}

impl Kind {
    /// The class on a page.
    pub fn class(self) -> &'static str {
        match self {
            Kind::Keyword => "k",
            Kind::Text => "s",
            Kind::Comment => "c",
            Kind::Number => "n",
            Kind::Type => "t",
            Kind::Call => "f",
            Kind::Lifetime => "l",
        }
    }
}

/// What a line leaves open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Open {
    #[default]
    Nothing,
    /// Comments, so many in each other.
    Comment(usize),
    Text,
    /// A raw text, with so many `#`.
    Raw(usize),
}

const KEYWORDS: &[&str] = &[
    "as",
    "async",
    "await",
    "break",
    "const",
    "continue",
    "crate",
    "dyn",
    "else",
    "enum",
    "extern",
    "false",
    "fn",
    "for",
    "gen",
    "if",
    "impl",
    "in",
    "let",
    "loop",
    "macro_rules",
    "match",
    "mod",
    "move",
    "mut",
    "pub",
    "ref",
    "return",
    "self",
    "Self",
    "static",
    "struct",
    "super",
    "trait",
    "true",
    "try",
    "type",
    "union",
    "unsafe",
    "use",
    "where",
    "while",
    "yield",
];

/// What each line of a file leaves open, found once.
#[derive(Default)]
pub(crate) struct Highlight {
    before: OnceLock<Vec<Open>>,
}

impl Highlight {
    /// The stretches of a line of a text, the one with this number, counted from 0: first byte, end, kind.
    pub fn of(&self, text: &str, number: usize, line: &str) -> Vec<(usize, usize, Kind)> {
        let before = self.before.get_or_init(|| {
            let after = |open: &mut Open, line: &str| {
                let before = *open;
                *open = stretches(line, before, &mut |_, _, _| {});
                Some(before)
            };
            text.split('\n').scan(Open::Nothing, after).collect()
        });
        let mut found = Vec::new();
        let open = before.get(number).copied().unwrap_or_default();
        stretches(line, open, &mut |start, end, kind| found.push((start, end, kind)));
        found
    }
}

/// Tells the stretches of a line, and gives what it leaves open.
fn stretches(line: &str, open: Open, tell: &mut dyn FnMut(usize, usize, Kind)) -> Open {
    let bytes = line.as_bytes();
    let mut at = 0;
    let mut open = open;
    loop {
        let start = at;
        match open {
            Open::Nothing => {}
            Open::Comment(_) | Open::Text | Open::Raw(_) => {
                let kind = if matches!(open, Open::Comment(_)) { Kind::Comment } else { Kind::Text };
                (at, open) = closed(bytes, at, open);
                if at > start {
                    tell(start, at, kind);
                }
                if open != Open::Nothing {
                    return open;
                }
            }
        }
        let Some(first) = bytes.get(at) else { return Open::Nothing };
        let start = at;
        match first {
            b'/' if bytes[at..].starts_with(b"//") => {
                tell(at, bytes.len(), Kind::Comment);
                return Open::Nothing;
            }
            b'/' if bytes[at..].starts_with(b"/*") => {
                (at, open) = closed(bytes, at + 2, Open::Comment(1));
                tell(start, at, Kind::Comment);
            }
            b'"' => {
                (at, open) = closed(bytes, at + 1, Open::Text);
                tell(start, at, Kind::Text);
            }
            b'\'' => {
                let (end, kind) = quoted(line, at);
                tell(at, end, kind);
                at = end;
            }
            b'0'..=b'9' => {
                at += run(&bytes[at..], |byte| byte.is_ascii_alphanumeric() || byte == b'_');
                if bytes.get(at) == Some(&b'.') && bytes.get(at + 1).is_some_and(u8::is_ascii_digit) {
                    at += 1 + run(&bytes[at + 1..], |byte| byte.is_ascii_alphanumeric() || byte == b'_');
                }
                tell(start, at, Kind::Number);
            }
            byte if byte.is_ascii_alphabetic() || *byte == b'_' || !byte.is_ascii() => {
                at += run(&bytes[at..], |byte| byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii());
                let word = &line[start..at];
                if let Some((hashes, inside)) = begins_text(word, &bytes[at..]) {
                    (at, open) = closed(bytes, at + inside, hashes);
                    tell(start, at, Kind::Text);
                } else if let Some(kind) = word_kind(word, &bytes[at..]) {
                    tell(start, at, kind);
                }
            }
            _ => at += 1,
        }
        if open != Open::Nothing {
            return open;
        }
    }
}

fn run(bytes: &[u8], is_in: impl Fn(u8) -> bool) -> usize {
    bytes.iter().take_while(|byte| is_in(**byte)).count()
}

/// Where what is open ends, and what is open behind that: all of the line, when it does not end there.
fn closed(bytes: &[u8], from: usize, open: Open) -> (usize, Open) {
    let mut at = from;
    let mut open = open;
    while at < bytes.len() {
        let rest = &bytes[at..];
        match open {
            Open::Comment(depth) if rest.starts_with(b"*/") => {
                at += 2;
                if depth <= 1 {
                    return (at, Open::Nothing);
                }
                open = Open::Comment(depth - 1);
            }
            Open::Comment(depth) if rest.starts_with(b"/*") => {
                at += 2;
                open = Open::Comment(depth + 1);
            }
            Open::Text if rest[0] == b'\\' => at += 2,
            Open::Text if rest[0] == b'"' => return (at + 1, Open::Nothing),
            Open::Raw(hashes) if rest[0] == b'"' && run(&rest[1..], |byte| byte == b'#') >= hashes => {
                return (at + 1 + hashes, Open::Nothing);
            }
            Open::Nothing => return (at, open),
            _ => at += 1,
        }
    }
    (bytes.len(), open)
}

/// Whether a word and what is behind it begin a text: what is open then, and the bytes behind the word up to its inside.
fn begins_text(word: &str, rest: &[u8]) -> Option<(Open, usize)> {
    let hashes = run(rest, |byte| byte == b'#');
    if rest.get(hashes) != Some(&b'"') {
        return None;
    }
    match word {
        "r" | "br" | "cr" => Some((Open::Raw(hashes), hashes + 1)),
        "b" | "c" if hashes == 0 => Some((Open::Text, 1)),
        _ => None,
    }
}

/// A letter in quotes, or a lifetime; and where it ends.
fn quoted(line: &str, at: usize) -> (usize, Kind) {
    let rest = &line[at + 1..];
    let mut letters = rest.char_indices();
    match (letters.next(), letters.next()) {
        (Some((_, '\\')), _) => {
            let end = rest.get(2..).and_then(|inside| inside.find('\'')).map_or(line.len(), |end| at + 1 + 2 + end + 1);
            (end, Kind::Text)
        }
        (Some(_), Some((end, '\''))) => (at + 1 + end + 1, Kind::Text),
        _ => {
            let length = run(rest.as_bytes(), |byte| byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii());
            (at + 1 + length, Kind::Lifetime)
        }
    }
}

fn word_kind(word: &str, rest: &[u8]) -> Option<Kind> {
    if KEYWORDS.contains(&word) {
        return Some(Kind::Keyword);
    }
    let is_called = matches!(rest.first(), Some(b'(')) || rest.first() == Some(&b'!') && rest.get(1) != Some(&b'=');
    match word.chars().next().is_some_and(char::is_uppercase) {
        true => Some(Kind::Type),
        false => is_called.then_some(Kind::Call),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The stretches of a text, each as its class and letters.
    fn all(text: &str) -> Vec<String> {
        let highlight = Highlight::default();
        let lines = text.split('\n').enumerate();
        let of = |(number, line): (usize, &str)| {
            let found = highlight.of(text, number, line).into_iter();
            found.map(|(start, end, kind)| format!("{} {}", kind.class(), &line[start..end])).collect::<Vec<_>>()
        };
        lines.flat_map(of).collect()
    }

    #[test]
    fn each_sort_of_letters_is_told() {
        assert_eq!(
            all("let mut tx = pool.begin().await?; // why"),
            ["k let", "k mut", "f begin", "k await", "c // why"]
        );
        assert_eq!(all("fn f<'a>(x: &'a Tx<_>) -> u8 { b'x' }"), ["k fn", "l 'a", "l 'a", "t Tx", "s 'x'"]);
        assert_eq!(
            all("sqlx::query!(\"a \\\" b\", '\\'', 1_000.5e3)"),
            ["f query", "s \"a \\\" b\"", "s '\\''", "n 1_000.5e3"]
        );
        assert_eq!(all("if é != r#fn && x[0..2]"), ["k if", "k fn", "n 0", "n 2"]);
    }

    #[test]
    fn texts_and_comments_go_over_lines() {
        assert_eq!(all("r#\"one \"\ntwo\"# fn"), ["s r#\"one \"", "s two\"#", "k fn"]);
        assert_eq!(all("/* a /* b */\nfn */ fn"), ["c /* a /* b */", "c fn */", "k fn"]);
        assert_eq!(all("\"one\\\n fn\" fn"), ["s \"one\\", "s  fn\"", "k fn"]);
    }

    #[test]
    fn whatever_comes_ends() {
        for text in ["'", "'\\", "'é", "\"", "r#", "r#\"", "b'", "/*", "0.", "é\"é\\", "'\u{1F980}'", "r###\"#\"##"]
        {
            for cut in 0..=text.len() {
                if text.is_char_boundary(cut) {
                    all(&text[cut..]);
                    all(&format!("{}\n{}", &text[..cut], &text[cut..]));
                }
            }
        }
    }
}
