//! A mistake in the configuration, shown in the file.

use crate::Style;
use crate::meaning::Meaning;
use crate::pretty::{arrow, footnote, head};
use crate::snippet::{self, Mark, Room};
use crate::source::Source;
use sessionlint_diagnostics::Level;
use std::ops::Range;

/// The report of a mistake at bytes `span` of the configuration `text`, which is called `name`.
pub fn config_error(
    name: &str,
    text: &str,
    message: &str,
    span: Range<usize>,
    help: Option<&str>,
    style: Style<'_>,
) -> String {
    let source = Source::new(name, text);
    let range = span.start as u32..span.end as u32;
    let at = source.index().position(text, range.start);
    let room = Room { width: style.width, gutter: at.line.to_string().len(), color: style.color };
    let mark = Mark { range, text: String::new(), is_primary: true, style: Meaning::Wrong.style() };
    let mut out = head(Level::Deny, "configuration", message, room);
    out.push_str(&arrow("-->", &format!("{name}:{}:{}", at.line, at.column), room));
    out.push_str(&snippet::lines(&source, &[mark], room));
    if let Some(help) = help {
        out.push_str(&footnote("help", help, room));
    }
    out
}
