//! Where is a byte of a file, in lines and columns? Each file is indexed once.

use crate::File;
use sessionlint_diagnostics::{LineColumn, LineIndex, Span};
use std::sync::OnceLock;

/// The files of a run with their line indexes.
pub(crate) struct Sources<'a> {
    files: Vec<Source<'a>>,
}

/// A text with its name and an index of its lines.
pub(crate) struct Source<'a> {
    pub name: &'a str,
    pub text: &'a str,
    index: OnceLock<LineIndex>,
}

impl<'a> Source<'a> {
    pub fn new(name: &'a str, text: &'a str) -> Self {
        Self { name, text, index: OnceLock::new() }
    }

    pub fn index(&self) -> &LineIndex {
        self.index.get_or_init(|| LineIndex::new(self.text))
    }
}

impl<'a> Sources<'a> {
    pub fn new(files: &'a [File]) -> Self {
        Self { files: files.iter().map(|file| Source::new(&file.path, &file.text)).collect() }
    }

    pub fn source(&self, span: Span) -> &Source<'a> {
        &self.files[span.file.0 as usize]
    }

    /// The path and the position of a span's start.
    pub fn position(&self, span: Span) -> (&'a str, LineColumn) {
        let source = self.source(span);
        (source.name, source.index().position(source.text, span.start))
    }

    /// The position of a span's end.
    pub fn end(&self, span: Span) -> LineColumn {
        let source = self.source(span);
        source.index().position(source.text, span.end)
    }
}
