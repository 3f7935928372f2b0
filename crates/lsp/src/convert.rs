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

    /// The position of a byte.
    pub fn position(self, text: &str, offset: u32) -> Position {
        let mut offset = (offset as usize).min(text.len());
        while !text.is_char_boundary(offset) {
            offset -= 1;
        }
        let start = text[..offset].rfind('\n').map_or(0, |end| end + 1);
        let line = memchr_count(&text.as_bytes()[..start]);
        Position { line, character: self.length(&text[start..offset]) }
    }

    /// The range of a span.
    pub fn range(self, text: &str, span: Span) -> Range {
        Range { start: self.position(text, span.start), end: self.position(text, span.end) }
    }

    /// The byte at a position; the end of the line for one behind it.
    pub fn offset(self, text: &str, position: Position) -> usize {
        let mut start = 0;
        for _ in 0..position.line {
            match text[start..].find('\n') {
                Some(end) => start += end + 1,
                None => return text.len(),
            }
        }
        let line = text[start..].split('\n').next().unwrap_or_default();
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

fn memchr_count(bytes: &[u8]) -> u32 {
    bytes.iter().filter(|byte| **byte == b'\n').count() as u32
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
    fn paths_survive_the_way_there_and_back() {
        for name in ["/a b/ö%20.rs", "/x/y#z?.rs"] {
            assert_eq!(path(&uri(Path::new(name))).as_deref(), Some(Path::new(name)));
        }
        assert_eq!(path(&Uri("untitled:1".to_owned())), None);
        assert_eq!(path(&Uri("file:///c%3A/x.rs".to_owned())).as_deref(), Some(Path::new("c:/x.rs")));
    }
}
