//! A picture of every walk: one page for a browser that shows the code with the session's life drawn beside it, for somebody
//! who has never seen this program.

use crate::Run;
use crate::junit::escaped;
use crate::meaning::Meaning;
use crate::source::Sources;
use sessionlint_diagnostics::{Diagnostic, Label, LabelKind, Level, Span};
use std::fmt::Write as _;

/// Height of a row in pixels.
const ROW: usize = 24;
/// Horizontal places of the lines: the way that goes wrong, and the other ways.
const MAIN: usize = 18;
const OTHER: usize = 42;
/// More lines without a step than this are folded.
const FOLD: u32 = 5;
const STYLE: &str = include_str!("graph.css");

/// What a step is, in the words of the legend.
const LEGEND: &[(&str, &str)] = &[
    ("opened", "the session begins"),
    ("write", "something is written through it"),
    ("branch", "the way turns here"),
    ("released", "it is ended, on another path"),
    ("meanwhile", "something else happens while it is open"),
    ("leaks", "here it goes wrong"),
];

/// One row of a picture.
enum Row {
    Code(u32),
    Folded(u32),
    /// The number of a step, from 0.
    Step(usize),
}

/// A page with a picture for each finding. It needs nothing beside itself.
pub fn graph(run: &Run) -> String {
    let sources = Sources::new(&run.files);
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" \
         content=\"width=device-width, initial-scale=1\">\n<title>sessionlint</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
         <header><h1>sessionlint</h1><p>{}</p></header>\n",
        escaped(crate::summary(run).trim_end())
    );
    if run.findings.is_empty() {
        page.push_str("<main><p class=\"none\">No session is left without its end.</p></main>\n</body>\n</html>\n");
        return page;
    }
    page.push_str(
        "<p class=\"how\">A <b>session</b> is something that a library hands out and that must be ended: a \
         transaction, a connection, a file that needs its footer. Each picture below follows one of them through the code, \
         from top to bottom. The line at the left is its life; the numbers are the steps, in their order.</p>\n<ul class=\"legend\">",
    );
    for (class, words) in LEGEND {
        let _ = write!(
            page,
            "<li><svg width=\"16\" height=\"16\"><circle class=\"{class}\" cx=\"8\" cy=\"8\" r=\"6\"/></svg> {words}</li>"
        );
    }
    page.push_str("</ul>\n<nav><ol>");
    for (number, finding) in run.findings.iter().enumerate() {
        let (path, at) = sources.position(finding.span);
        let _ = write!(
            page,
            "<li><a href=\"#f{number}\">{}</a> <span>{}:{}</span></li>",
            escaped(&finding.message),
            escaped(path),
            at.line
        );
    }
    page.push_str("</ol></nav>\n<main>\n");
    for (number, finding) in run.findings.iter().enumerate() {
        card(&mut page, number, finding, &sources);
    }
    page.push_str("</main>\n</body>\n</html>\n");
    page
}

fn card(page: &mut String, number: usize, finding: &Diagnostic, sources: &Sources<'_>) {
    let level = match finding.level {
        Level::Deny => "deny",
        Level::Warn => "warn",
        Level::Note | Level::Allow => "note",
    };
    let (path, at) = sources.position(finding.span);
    let _ = write!(
        page,
        "<article id=\"f{number}\" class=\"{level}\">\n<h2>{}</h2>\n<p class=\"about\"><code>{}</code> in <code>{}</code>, \
         {}:{}:{}</p>\n",
        escaped(&finding.message),
        finding.rule,
        escaped(&finding.function),
        escaped(path),
        at.line,
        at.column
    );
    let steps = steps(finding);
    let mut files: Vec<Span> = Vec::new();
    for step in &steps {
        if !files.iter().any(|span| span.file == step.span.file) {
            files.push(step.span);
        }
    }
    for file in files {
        picture(page, finding, &steps, file, sources);
    }
    if let Some(help) = &finding.help {
        let _ = writeln!(page, "<p class=\"help\"><b>What to do:</b> {}</p>", escaped(help));
    }
    page.push_str("</article>\n");
}

/// The steps of a walk; a finding without any is one step.
fn steps(finding: &Diagnostic) -> Vec<Label> {
    let mut steps = finding.labels.clone();
    if !steps.iter().any(|step| step.span == finding.span) {
        steps.push(Label::new(LabelKind::Leaks, finding.span, finding.message.clone()));
    }
    steps
}

/// The lines of one file, with the steps that lie in it.
fn picture(page: &mut String, finding: &Diagnostic, steps: &[Label], file: Span, sources: &Sources<'_>) {
    let source = sources.source(file);
    let lines: Vec<&str> = source.text.lines().collect();
    let line_of = |span: Span| source.index().position(source.text, span.start).line;
    let mut here: Vec<(u32, usize)> = steps
        .iter()
        .enumerate()
        .filter(|(_, step)| step.span.file == file.file)
        .map(|(number, step)| (line_of(step.span), number))
        .collect();
    here.sort();
    let rows = rows(&here, lines.len() as u32);
    let place = |wanted: usize| rows.iter().position(|row| matches!(row, Row::Step(number) if *number == wanted));
    let _ = write!(
        page,
        "<figure><figcaption>{}</figcaption><div class=\"picture\"><svg class=\"life\" width=\"60\" height=\"{}\" role=\"img\" \
         aria-label=\"the life of the session\">",
        escaped(source.name),
        rows.len() * ROW
    );
    draw(page, finding, steps, &here, &place);
    page.push_str("</svg><div class=\"rows\">");
    for row in &rows {
        match row {
            Row::Folded(count) => {
                let _ = write!(page, "<div class=\"row folded\"><i></i><span>⋯ {count} lines</span></div>");
            }
            Row::Code(line) => {
                let text = lines.get(*line as usize - 1).copied().unwrap_or_default();
                let marks = here.iter().filter(|(at, _)| at == line).map(|(_, number)| &steps[*number]);
                let _ = write!(
                    page,
                    "<div class=\"row code\"><i>{line}</i><code>{}</code></div>",
                    marked(text, *line, marks, sources)
                );
            }
            Row::Step(number) => {
                let step = &steps[*number];
                let column = source.index().position(source.text, step.span.start).column as usize;
                let _ = write!(
                    page,
                    "<div class=\"row step {}\"><i style=\"margin-right:{}ch\"></i><span><b>{}</b> {}</span></div>",
                    Meaning::of(step, finding).class(),
                    column.saturating_sub(1),
                    number + 1,
                    escaped(&step.message)
                );
            }
        }
    }
    page.push_str("</div></div></figure>\n");
}

/// The rows of a picture: the lines around the steps, which stand below their lines.
fn rows(here: &[(u32, usize)], count: u32) -> Vec<Row> {
    let mut rows = Vec::new();
    let (Some((first, _)), Some((last, _))) = (here.first(), here.last()) else { return rows };
    let mut line = first.saturating_sub(1).max(1);
    while line <= (last + 1).min(count) {
        let next = here.iter().map(|(at, _)| *at).find(|at| *at >= line);
        if let Some(next) = next.filter(|next| next - line > FOLD)
            && here.iter().any(|(at, _)| *at < line)
        {
            // One line stays on each side.
            rows.push(Row::Code(line));
            rows.push(Row::Folded(next - line - 2));
            line = next - 1;
        }
        rows.push(Row::Code(line));
        rows.extend(here.iter().filter(|(at, _)| *at == line).map(|(_, number)| Row::Step(*number)));
        line += 1;
    }
    rows
}

/// The line of the session's life: down the way that goes wrong, with the other ways beside it.
fn draw(
    page: &mut String,
    finding: &Diagnostic,
    steps: &[Label],
    here: &[(u32, usize)],
    place: &dyn Fn(usize) -> Option<usize>,
) {
    let middle = |row: usize| row * ROW + ROW / 2;
    let spots: Vec<(usize, &Label, usize)> =
        here.iter().filter_map(|(_, number)| Some((*number, &steps[*number], middle(place(*number)?)))).collect();
    let is_other = |step: &Label| step.aside;
    let on_way: Vec<usize> = spots.iter().filter(|(_, step, _)| !is_other(step)).map(|(_, _, y)| *y).collect();
    if let (Some(first), Some(last)) = (on_way.first(), on_way.last()) {
        let _ = write!(page, "<line class=\"way\" x1=\"{MAIN}\" y1=\"{first}\" x2=\"{MAIN}\" y2=\"{last}\"/>");
    }
    for (_, step, y) in &spots {
        if is_other(step) {
            let before = on_way.iter().rev().find(|known| *known < y).or(on_way.first()).copied().unwrap_or(*y);
            let bend = before + ROW / 2;
            let _ = write!(
                page,
                "<path class=\"other\" d=\"M{MAIN} {before} C{MAIN} {bend} {OTHER} {before} {OTHER} {bend} L{OTHER} {y}\"/>"
            );
        }
    }
    for (number, step, y) in &spots {
        let x = if is_other(step) { OTHER } else { MAIN };
        let _ = write!(
            page,
            "<circle class=\"{}\" cx=\"{x}\" cy=\"{y}\" r=\"9\"/><text x=\"{x}\" y=\"{}\">{}</text>",
            Meaning::of(step, finding).class(),
            y + 4,
            number + 1
        );
    }
}

/// A line of code with what the steps speak of marked.
fn marked<'a>(text: &str, line: u32, steps: impl Iterator<Item = &'a Label>, sources: &Sources<'_>) -> String {
    let letters: Vec<char> = text.chars().collect();
    let mut is_marked = vec![false; letters.len()];
    for step in steps {
        let (start, end) = (sources.position(step.span).1, sources.end(step.span));
        let to = if end.line == line { end.column as usize - 1 } else { letters.len() };
        let from = (start.column as usize - 1).min(letters.len());
        is_marked[from..to.clamp(from, letters.len())].fill(true);
    }
    let mut out = String::new();
    let mut at = 0;
    while at < letters.len() {
        let run = (at..letters.len()).take_while(|place| is_marked[*place] == is_marked[at]).count();
        let piece = escaped(&letters[at..at + run].iter().collect::<String>());
        if is_marked[at] {
            let _ = write!(out, "<mark>{piece}</mark>");
        } else {
            out.push_str(&piece);
        }
        at += run;
    }
    out
}
