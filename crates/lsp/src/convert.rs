//! Where is it, in the editor's words? Paths as URIs, bytes as lines and code units.

use gen_lsp_types::{DiagnosticSeverity, Position, Range, Uri};
use sessionlint_diagnostics::{Level, Span};
use std::path::{Path, PathBuf};

/// What a column counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// Bytes.
    Utf8,
    /// UTF-16 code units.
    Utf16,
}

impl Encoding {
    fn length(self, text: &str) -> u32 {
        match self {
            Encoding::Utf8 => text.len() as u32,
            Encoding::Utf16 => text.encode_utf16().count() as u32,
        }
    }

    /// The position of a byte. One between `\r` and `\n` is at the end of its line.
    pub fn position(self, text: &str, offset: u32) -> Position {
        let mut offset = (offset as usize).min(text.len());
        while !text.is_char_boundary(offset) {
            offset -= 1;
        }
        let (mut line, mut start) = (0, 0);
        while let Some(next) = next_line(text, start).filter(|next| *next <= offset) {
            line += 1;
            start = next;
        }
        let before = &text[start..offset];
        Position { line, character: self.length(before.strip_suffix('\r').unwrap_or(before)) }
    }

    /// The range of a span.
    pub fn range(self, text: &str, span: Span) -> Range {
        Range { start: self.position(text, span.start), end: self.position(text, span.end) }
    }

    /// The byte at a position; the end of the line for one behind it.
    pub fn offset(self, text: &str, position: Position) -> usize {
        let mut start = 0;
        for _ in 0..position.line {
            match next_line(text, start) {
                Some(next) => start = next,
                None => return text.len(),
            }
        }
        let end = text[start..].find(['\n', '\r']).map_or(text.len(), |length| start + length);
        let line = &text[start..end];
        let mut units = 0;
        for (at, letter) in line.char_indices() {
            if units >= position.character {
                return start + at;
            }
            units += match self {
                Encoding::Utf8 => letter.len_utf8() as u32,
                Encoding::Utf16 => letter.len_utf16() as u32,
            };
        }
        start + line.len()
    }
}

/// Where the line behind the one with this byte begins. Lines end with `\n`, `\r\n` or `\r`.
fn next_line(text: &str, at: usize) -> Option<usize> {
    let end = at + text[at..].find(['\n', '\r'])?;
    Some(if text[end..].starts_with("\r\n") { end + 2 } else { end + 1 })
}

/// A path as a URI.
pub fn uri(path: &Path) -> Uri {
    let text = path.to_string_lossy().replace('\\', "/");
    let slash = if text.starts_with('/') { "" } else { "/" };
    Uri(format!("file://{slash}{}", sessionlint_report::encoded(&text)))
}

/// The path that a URI names; `None` when it is no file.
pub fn path(uri: &Uri) -> Option<PathBuf> {
    let rest = uri.0.strip_prefix("file://")?;
    // The name of this machine may stand first.
    let rest = &rest[rest.find('/')?..];
    let mut bytes = Vec::new();
    let mut at = 0;
    while at < rest.len() {
        let code = rest.get(at + 1..at + 3).and_then(|code| u8::from_str_radix(code, 16).ok());
        match (rest.as_bytes()[at], code) {
            (b'%', Some(code)) => {
                bytes.push(code);
                at += 3;
            }
            (byte, _) => {
                bytes.push(byte);
                at += 1;
            }
        }
    }
    let text = String::from_utf8(bytes).ok()?;
    let is_drive = text.as_bytes().get(2) == Some(&b':');
    Some(PathBuf::from(if is_drive { text[1..].to_owned() } else { text }))
}

/// How an editor shows a level.
pub fn severity(level: Level) -> DiagnosticSeverity {
    match level {
        Level::Deny => DiagnosticSeverity::Error,
        Level::Warn => DiagnosticSeverity::Warning,
        Level::Note | Level::Allow => DiagnosticSeverity::Information,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_what_was_agreed() {
        let text = "a\n😀 = x\r\n";
        let at = text.find('x').unwrap() as u32;
        assert_eq!(Encoding::Utf16.position(text, at), Position { line: 1, character: 5 });
        assert_eq!(Encoding::Utf8.position(text, at), Position { line: 1, character: 7 });
        for encoding in [Encoding::Utf8, Encoding::Utf16] {
            assert_eq!(encoding.offset(text, encoding.position(text, at)), at as usize);
            assert_eq!(encoding.offset(text, Position { line: 9, character: 0 }), text.len());
        }
    }

    #[test]
    fn a_line_ends_before_what_ends_it() {
        for ending in ["\n", "\r\n", "\r"] {
            let text = format!("ab{ending}cd{ending}");
            let at = |line, character| Encoding::Utf16.offset(&text, Position { line, character });
            assert_eq!((at(0, 2), at(0, 7), at(1, 0), at(1, 2)), (2, 2, 2 + ending.len(), 4 + ending.len()));
            assert_eq!((at(2, 0), at(3, 0)), (text.len(), text.len()));
            let back = |offset: usize| Encoding::Utf16.position(&text, offset as u32);
            assert_eq!(back(2 + ending.len()), Position { line: 1, character: 0 });
            assert_eq!(back(text.len()), Position { line: 2, character: 0 });
            assert_eq!(back(3).line, u32::from(ending.len() == 1));
        }
    }

    #[test]
    fn paths_survive_the_way_there_and_back() {
        for name in ["/a b/ö%20.rs", "/x/y#z?.rs"] {
            assert_eq!(path(&uri(Path::new(name))).as_deref(), Some(Path::new(name)));
        }
        assert_eq!(path(&Uri("untitled:1".to_owned())), None);
        assert_eq!(path(&Uri("file:///c%3A/x.rs".to_owned())).as_deref(), Some(Path::new("c:/x.rs")));
    }
}
