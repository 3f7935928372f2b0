//! A mistake in the configuration, shown in the file.

use crate::Style;
use crate::source::Source;
use miette::{LabeledSpan, Severity, SourceCode};
use std::fmt;
use std::ops::Range;

struct Mistake<'a> {
    message: &'a str,
    help: Option<&'a str>,
    source: Source<'a>,
    span: Range<usize>,
}

/// The report of a mistake at bytes `span` of the configuration `text`, which is called `name`.
pub fn config_error(
    name: &str,
    text: &str,
    message: &str,
    span: Range<usize>,
    help: Option<&str>,
    style: Style<'_>,
) -> String {
    let mistake = Mistake { message, help, source: Source::new(name, text), span };
    let mut out = String::new();
    match crate::pretty::handler(style).render_report(&mut out, &mistake) {
        Ok(()) => out,
        Err(_) => format!("{name}: {message}\n"),
    }
}

impl fmt::Debug for Mistake<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message)
    }
}

impl fmt::Display for Mistake<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message)
    }
}

impl std::error::Error for Mistake<'_> {}

impl miette::Diagnostic for Mistake<'_> {
    fn code<'s>(&'s self) -> Option<Box<dyn fmt::Display + 's>> {
        Some(Box::new("configuration"))
    }

    fn severity(&self) -> Option<Severity> {
        Some(Severity::Error)
    }

    fn help<'s>(&'s self) -> Option<Box<dyn fmt::Display + 's>> {
        let help = self.help?;
        Some(Box::new(help))
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.source)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let label = LabeledSpan::new_primary_with_span(Some("here".to_owned()), self.span.clone());
        Some(Box::new(std::iter::once(label)))
    }
}
