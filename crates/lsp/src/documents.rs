//! What do the open files say by now? Their texts count instead of what is on disk.

use crate::convert::{self, Encoding};
use gen_lsp_types::{DidChangeTextDocumentParams, TextDocumentContentChangeEvent};
use sessionlint_engine::Overlay;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The open files.
#[derive(Default)]
pub struct Documents {
    /// Their texts, with their versions.
    open: BTreeMap<PathBuf, (String, i32)>,
    /// The texts as the engine takes them.
    pub overlay: Overlay,
}

impl Documents {
    pub fn set(&mut self, path: PathBuf, text: String, version: i32) {
        self.overlay.insert(path.clone(), text.clone().into_bytes());
        self.open.insert(path, (text, version));
    }

    pub fn close(&mut self, path: &Path) {
        self.open.remove(path);
        self.overlay.remove(path);
    }

    pub fn is_open(&self, path: &Path) -> bool {
        self.open.contains_key(path)
    }

    pub fn paths(&self) -> impl Iterator<Item = &PathBuf> {
        self.open.keys()
    }

    pub fn text(&self, path: &Path) -> Option<&str> {
        self.open.get(path).map(|(text, _)| text.as_str())
    }

    pub fn version(&self, path: &Path) -> Option<i32> {
        self.open.get(path).map(|(_, version)| *version)
    }

    /// Applies what was typed, change after change; each is told in the text that the one before it left.
    pub fn change(&mut self, params: DidChangeTextDocumentParams, encoding: Encoding) {
        let Some(path) = convert::path(&params.text_document.text_document_identifier.uri) else { return };
        let Some((mut text, _)) = self.open.remove(&path) else { return };
        for change in params.content_changes {
            match change {
                TextDocumentContentChangeEvent::TextDocumentContentChangePartial(part) => {
                    let start = encoding.offset(&text, part.range.start);
                    let end = encoding.offset(&text, part.range.end).max(start);
                    text.replace_range(start..end, &part.text);
                }
                TextDocumentContentChangeEvent::TextDocumentContentChangeWholeDocument(whole) => text = whole.text,
            }
        }
        self.set(path, text, params.text_document.version);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn edits_are_told_in_lines_whatever_ends_them() {
        let path = Path::new("/a.rs");
        for ending in ["\n", "\r\n", "\r"] {
            let mut documents = Documents::default();
            documents.set(path.to_path_buf(), ["a", "bé", "c", ""].join(ending), 1);
            let change = |from: (u32, u32), to: (u32, u32), text: &str| json!({"range": {"start": {"line": from.0, "character": from.1}, "end": {"line": to.0, "character": to.1}}, "text": text});
            let params = json!({
                "textDocument": {"uri": "file:///a.rs", "version": 2},
                // At the end of a line, behind it, over two lines, and at the end of all.
                "contentChanges": [
                    change((0, 1), (0, 1), ";"), change((1, 9), (1, 9), ";"), change((1, 2), (2, 1), "d"),
                    change((2, 0), (2, 0), &format!("e{ending}")), change((9, 0), (9, 0), "f"),
                ],
            });
            documents.change(serde_json::from_value(params).unwrap(), Encoding::Utf16);
            assert_eq!(documents.text(path), Some(["a;", "béd", "e", "f"].join(ending).as_str()), "{ending:?}");
            assert_eq!((documents.version(path), documents.overlay[path].len()), (Some(2), 8 + 3 * ending.len()));
        }
    }
}
