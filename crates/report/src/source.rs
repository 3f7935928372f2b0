//! Where is a byte of a file, in lines and columns? Each file is indexed once.

use crate::File;
use miette::{MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};
use sessionlint_diagnostics::{LineColumn, LineIndex, Span};
use std::sync::OnceLock;

/// The files of a run with their line indexes.
pub(crate) struct Sources<'a> {
    files: Vec<Source<'a>>,
}

/// A text with its name and an index of its lines. The stock source looks for lines from the start of the text
/// for every snippet, which is quadratic in the number of findings.
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

impl SourceCode for Source<'_> {
    fn read_span<'s>(
        &'s self,
        span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'s> + 's>, MietteError> {
        let index = self.index();
        let end = span.offset() + span.len();
        if end > self.text.len() {
            return Err(MietteError::OutOfBounds);
        }
        let first = index.line_of(span.offset() as u32).saturating_sub(before);
        let last = index.line_of(end as u32) + after;
        let from = index.line_start(first) as usize;
        let to = if last + 1 < index.line_count() { index.line_start(last + 1) as usize } else { self.text.len() };
        let data = &self.text.as_bytes()[from..to];
        let shown = SourceSpan::new(from.into(), to - from);
        let lines = last.min(index.line_count()) - first;
        // The header says where the first label begins: that is asked for without lines around it. Columns are characters,
        // as compilers and editors count them.
        let column = if before == 0 { index.position(self.text, span.offset() as u32).column as usize - 1 } else { 0 };
        let contents = MietteSpanContents::new_named(self.name.to_owned(), data, shown, first, column, lines);
        Ok(Box::new(contents))
    }
}
