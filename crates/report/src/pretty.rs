//! Snippets of the source with the walk of the session as labels.

use crate::source::{Source, Sources};
use crate::{Run, Style};
use miette::{GraphicalReportHandler, GraphicalTheme, LabeledSpan, Severity, SourceCode};
use sessionlint_diagnostics::{Diagnostic, Label, Level, Span};
use std::fmt;
use std::path::Path;

pub(crate) fn render(run: &Run, sources: &Sources<'_>, style: Style<'_>) -> String {
    let handler = handler(style);
    let mut out = String::new();
    for finding in &run.findings {
        add(&mut out, &handler, finding, sources);
        out.push('\n');
    }
    match style.links {
        Some(links) => linked(&out, links),
        None => out,
    }
}

/// One finding.
pub(crate) fn one(finding: &Diagnostic, sources: &Sources<'_>, style: Style<'_>) -> String {
    let mut out = String::new();
    add(&mut out, &handler(style), finding, sources);
    out
}

fn add(out: &mut String, handler: &GraphicalReportHandler, finding: &Diagnostic, sources: &Sources<'_>) {
    let one = Finding { finding, sources };
    if handler.render_report(out, &one).is_err() {
        // Only a label outside of the file can fail; the line still tells.
        out.push_str(&crate::concise::line(finding, sources, None));
    }
    for one in elsewhere(finding, sources) {
        // What cannot be shown is left out: the finding itself stands above.
        let _ = handler.render_report(out, &one);
    }
}

/// Snippets with the paths above them as links.
fn linked(text: &str, links: (&str, &Path)) -> String {
    let line = |line: &str| {
        let Some((before, rest)) = line.split_once("─[") else { return line.to_owned() };
        let Some((place, after)) = rest.rsplit_once(']') else { return line.to_owned() };
        let bare = place.rsplitn(3, ':').last().unwrap_or(place);
        format!("{before}─[{}]{after}", crate::links::link(links, bare, place))
    };
    text.split_inclusive('\n').map(line).collect()
}

pub(crate) fn handler(style: Style<'_>) -> GraphicalReportHandler {
    let theme = if style.color { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
    GraphicalReportHandler::new_themed(theme).with_width(style.width).with_links(false).with_context_lines(1)
}

struct Finding<'a, 'f> {
    finding: &'a Diagnostic,
    sources: &'a Sources<'f>,
}

/// The steps of a walk that lie in one other file.
struct Elsewhere<'a, 'f> {
    labels: Vec<&'a Label>,
    sources: &'a Sources<'f>,
}

/// The steps in other files than that of the finding, file by file in the order of the walk.
fn elsewhere<'a, 'f>(finding: &'a Diagnostic, sources: &'a Sources<'f>) -> Vec<Elsewhere<'a, 'f>> {
    let mut found: Vec<Elsewhere<'a, 'f>> = Vec::new();
    for label in finding.labels.iter().filter(|label| label.span.file != finding.span.file) {
        match found.iter_mut().find(|one| one.labels[0].span.file == label.span.file) {
            Some(one) => one.labels.push(label),
            None => found.push(Elsewhere { labels: vec![label], sources }),
        }
    }
    found
}

impl fmt::Debug for Elsewhere<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Elsewhere<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("in a function that is called:")
    }
}

impl std::error::Error for Elsewhere<'_, '_> {}

impl miette::Diagnostic for Elsewhere<'_, '_> {
    fn severity(&self) -> Option<Severity> {
        Some(Severity::Advice)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        let source: &Source<'_> = self.sources.source(self.labels[0].span);
        Some(source)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let label = |label: &&Label| labelled(Some(label.message.clone()), label.span, false);
        Some(Box::new(self.labels.iter().map(label)))
    }
}

impl fmt::Debug for Finding<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.finding.message)
    }
}

impl fmt::Display for Finding<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.finding.message)
    }
}

impl std::error::Error for Finding<'_, '_> {}

fn labelled(text: Option<String>, span: Span, primary: bool) -> LabeledSpan {
    let range = (span.start as usize, (span.end - span.start) as usize);
    if primary { LabeledSpan::new_primary_with_span(text, range) } else { LabeledSpan::new_with_span(text, range) }
}

impl miette::Diagnostic for Finding<'_, '_> {
    fn code<'s>(&'s self) -> Option<Box<dyn fmt::Display + 's>> {
        Some(Box::new(format!("{}[{}]", self.finding.level, self.finding.rule)))
    }

    fn severity(&self) -> Option<Severity> {
        Some(match self.finding.level {
            Level::Deny => Severity::Error,
            Level::Warn => Severity::Warning,
            Level::Note | Level::Allow => Severity::Advice,
        })
    }

    fn help<'s>(&'s self) -> Option<Box<dyn fmt::Display + 's>> {
        let help = self.finding.help.as_deref()?;
        Some(Box::new(help))
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        let source: &Source<'_> = self.sources.source(self.finding.span);
        Some(source)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let here = self.finding.span.file;
        let labels = self.finding.labels.iter().filter(move |label| label.span.file == here);
        let primary = self.finding.span;
        let covered = self.finding.labels.iter().any(|label| label.span == primary);
        let labels = labels.map(move |label| labelled(Some(label.message.clone()), label.span, label.span == primary));
        let bare = (!covered).then(|| labelled(None, primary, true));
        Some(Box::new(labels.chain(bare)))
    }
}
