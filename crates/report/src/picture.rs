//! How is a finding drawn on a page? The code of each function on the walk, with the session's life as a line beside it and the steps
//! below the lines that they speak of, in the order of the walk: who reads from top to bottom reads 1, 2, 3.

use crate::highlight::Highlight;
use crate::junit::escaped;
use crate::meaning::Meaning;
use crate::pretty::{Frame, asides, frames};
use crate::source::{Source, Sources};
use sessionlint_diagnostics::{Diagnostic, Label, LabelKind, Level, Span};
use std::collections::HashSet;
use std::fmt::Write as _;

/// More lines without a step than this are folded.
const FOLD: usize = 5;
/// Of a longer line only a part is shown.
const LONG: usize = 400;

/// The sources of a page, with what is known of their lines.
pub(crate) struct Pages<'a> {
    pub sources: Sources<'a>,
    /// By the number of the file.
    pub highlights: Vec<Highlight>,
}

/// A step in a picture: its number, when it is on the walk.
type Step<'f> = (Option<usize>, &'f Label);

/// One row of a picture.
enum Row<'s, 'f> {
    /// A line, counted from 0.
    Code(usize),
    /// So many lines that are left out.
    Folded(usize),
    Step(&'s Step<'f>),
}

/// Words with names in the font of code, where they stand between backticks.
pub(crate) fn prose(text: &str) -> String {
    let parts = text.split('`').collect::<Vec<_>>();
    // One that is not closed is a letter like others.
    if parts.len().is_multiple_of(2) {
        return escaped(text);
    }
    let part = |(place, part): (usize, &&str)| match place % 2 {
        0 => escaped(part),
        _ => format!("<code>{}</code>", escaped(part)),
    };
    parts.iter().enumerate().map(part).collect()
}

/// A finding, with this number on the page.
pub(crate) fn card(page: &mut String, number: usize, finding: &Diagnostic, pages: &Pages<'_>) {
    let sources = &pages.sources;
    let (path, at) = sources.position(finding.span);
    let _ = write!(
        page,
        "<article id=\"f{number}\" class=\"{0}\" data-rule=\"{1}\" data-path=\"{2}\">\n<h2>{3}</h2>\n<p class=\"about\"><b class=\"level\">\
         {4}</b> <code>{1}</code> in <code>{5}</code>, <code>{2}:{6}:{7}</code></p>\n",
        class(finding.level),
        finding.rule,
        escaped(path),
        prose(&finding.message),
        finding.level.spoken(),
        escaped(&finding.function),
        at.line,
        at.column
    );
    let own = Label::new(LabelKind::Leaks, finding.span, "the mistake");
    let mut frames = frames(finding);
    if !finding.steps().any(|step| step.span == finding.span)
        && let Some(last) = frames.iter_mut().rev().find(|frame| frame.span.file == finding.span.file)
    {
        // The place itself is a step of each picture.
        last.steps.push((finding.steps().count() + 1, &own));
    }
    let mut drawn: HashSet<Span> = HashSet::new();
    let mut before: Option<usize> = None;
    for frame in &frames {
        let parts: Vec<&[(usize, &Label)]> =
            frame.steps.chunk_by(|(_, one), (_, next)| line(sources, one.span) <= line(sources, next.span)).collect();
        for (part, steps) in parts.iter().enumerate() {
            let mut here: Vec<Step<'_>> = steps.iter().map(|(number, step)| (Some(*number), *step)).collect();
            // What is beside the walk stands in its function's last picture.
            if part + 1 == parts.len() && frame.function.is_none() {
                let beside = finding.asides().filter(|one| one.function.is_none() && one.span.file == frame.span.file);
                here.extend(beside.filter(|one| drawn.insert(one.span)).map(|one| (None, one)));
            }
            let caption = match part {
                0 => caption(frame, before, sources),
                _ => "then, further up:".to_owned(),
            };
            picture(page, finding, &mut here, &caption, pages);
            before = steps.last().map(|(number, _)| *number).or(before);
        }
    }
    if finding.asides().any(|one| !drawn.contains(&one.span)) {
        let beside = asides(finding, sources).join("; ");
        let _ = writeln!(page, "<p class=\"beside\"><b>Also:</b> {}</p>", prose(&beside));
    }
    if let Some(help) = &finding.help {
        let _ = writeln!(page, "<p class=\"help\"><b>What to do:</b> {}</p>", prose(help));
    }
    page.push_str("</article>\n");
}

/// The class of a level.
pub(crate) fn class(level: Level) -> &'static str {
    match level {
        Level::Deny => "deny",
        Level::Warn => "warn",
        Level::Note | Level::Allow => "note",
    }
}

fn line(sources: &Sources<'_>, span: Span) -> usize {
    sources.source(span).index().line_of(span.start)
}

/// What stands above the code of a function.
fn caption(frame: &Frame<'_>, before: Option<usize>, sources: &Sources<'_>) -> String {
    let path = format!("<code>{}</code>", escaped(sources.source(frame.span).name));
    match (frame.function, before) {
        (Some(name), Some(step)) => format!("in <code>{}</code> ({path}), reached from step {step}", escaped(name)),
        (Some(name), None) => format!("in <code>{}</code> ({path})", escaped(name)),
        (None, Some(_)) => format!("back in {path}"),
        (None, None) => path,
    }
}

/// The lines of one function, with the steps that lie in them.
fn picture(page: &mut String, finding: &Diagnostic, steps: &mut [Step<'_>], caption: &str, pages: &Pages<'_>) {
    let sources = &pages.sources;
    steps.sort_by_key(|(number, step)| (line(sources, step.span), number.is_none(), *number));
    let Some((_, first)) = steps.first() else { return };
    let source = sources.source(first.span);
    let mut rows = rows(steps, source.index().line_count(), sources);
    // An empty line at an end says nothing.
    let is_empty = |row: Option<&Row<'_, '_>>| matches!(row, Some(Row::Code(number)) if text_of(source, *number).trim().is_empty());
    if is_empty(rows.last()) {
        rows.pop();
    }
    if is_empty(rows.first()) {
        rows.remove(0);
    }
    let indent = indent(source, &rows);
    let digits = rows.iter().map(|row| if let Row::Code(number) = row { number + 1 } else { 1 }).max().unwrap_or(1);
    // The line of the life goes from the first step on the walk to the last one.
    let is_numbered = |row: &Row<'_, '_>| matches!(row, Row::Step((Some(_), _)));
    let life = rows.iter().position(is_numbered).zip(rows.iter().rposition(is_numbered));
    let lane = |at: usize| match life {
        Some((first, last)) if at == first && first == last => "",
        Some((first, _)) if at == first => " from",
        Some((_, last)) if at == last => " to",
        Some((first, last)) if first < at && at < last => " on",
        _ => "",
    };
    let _ = write!(
        page,
        "<figure><figcaption>{caption}</figcaption><div class=\"picture\" style=\"--digits:{}\">",
        digits.to_string().len()
    );
    for (at, row) in rows.iter().enumerate() {
        let lane = lane(at);
        match row {
            Row::Folded(count) => {
                let _ = write!(page, "<div class=\"row folded{lane}\"><i></i><span>⋯ {count} lines</span></div>");
            }
            Row::Code(number) => {
                let here = steps.iter().filter(|(_, step)| line(sources, step.span) == *number).map(|(_, step)| *step);
                let (code, _) = marked(*number, here, (first.span, indent), pages);
                let _ = write!(page, "<div class=\"row code{lane}\"><i>{}</i><code>{code}</code></div>", number + 1);
            }
            Row::Step((number, step)) => {
                let here = steps.iter().filter(|(_, one)| line(sources, one.span) == line(sources, step.span));
                let (_, cut) = marked(line(sources, step.span), here.map(|(_, one)| *one), (first.span, indent), pages);
                let column = columns(sources, step.span).saturating_sub(cut);
                let class = Meaning::of(step, finding).class();
                let dot = match number {
                    Some(number) => format!("<b class=\"dot\">{number}</b>"),
                    None => "<b class=\"dot aside\"></b>".to_owned(),
                };
                let _ = write!(
                    page,
                    "<div class=\"row step {class}{lane}\">{dot}<i style=\"margin-right:{column}ch\"></i><span>{}</span></div>",
                    prose(&step.message)
                );
            }
        }
    }
    page.push_str("</div></figure>\n");
}

/// The rows of a picture: the lines around the steps, which stand below their lines.
fn rows<'s, 'f>(steps: &'s [Step<'f>], count: usize, sources: &Sources<'_>) -> Vec<Row<'s, 'f>> {
    let mut rows = Vec::new();
    let mut next = None;
    for (place, step) in steps.iter().enumerate() {
        let at = line(sources, step.1.span);
        // One line stays on each side.
        let from = at.saturating_sub(1);
        let begin = match next {
            None => from,
            Some(next) if at >= next + FOLD => {
                rows.push(Row::Code(next));
                rows.push(Row::Folded(from - next - 1));
                from
            }
            Some(next) => next,
        };
        rows.extend((begin..=at).map(Row::Code));
        rows.push(Row::Step(step));
        next = Some(at + 1);
        let is_last = place + 1 == steps.len();
        if is_last && at + 1 < count {
            rows.push(Row::Code(at + 1));
        }
    }
    rows
}

/// The columns before a span, as they are shown.
fn columns(sources: &Sources<'_>, span: Span) -> usize {
    let source = sources.source(span);
    let start = source.index().line_start(line(sources, span)) as usize;
    let before = source.text.get(start..span.start as usize).unwrap_or_default();
    before.chars().map(|letter| if letter == '\t' { 4 } else { 1 }).sum()
}

/// A line, counted from 0, of a source.
fn text_of<'a>(source: &Source<'a>, number: usize) -> &'a str {
    let rest = source.text.get(source.index().line_start(number) as usize..).unwrap_or_default();
    let line = rest.split('\n').next().unwrap_or_default();
    line.strip_suffix('\r').unwrap_or(line)
}

/// The spaces that all lines of a picture begin with.
fn indent(source: &Source<'_>, rows: &[Row<'_, '_>]) -> usize {
    let lines =
        rows.iter().filter_map(|row| if let Row::Code(number) = row { Some(text_of(source, *number)) } else { None });
    let lines = lines.filter(|line| !line.trim().is_empty());
    lines.map(|line| line.bytes().take_while(|byte| *byte == b' ').count()).min().unwrap_or_default()
}

/// A line of code, coloured, with what the steps speak of marked, and without the indent; and how many columns are left out before it.
fn marked<'a>(
    number: usize,
    steps: impl Iterator<Item = &'a Label>,
    (file, indent): (Span, usize),
    pages: &Pages<'_>,
) -> (String, usize) {
    let source = pages.sources.source(file);
    let start = source.index().line_start(number) as usize;
    let text = text_of(source, number);
    let mut looks: Vec<(Option<&str>, bool)> = vec![(None, false); text.len()];
    if let Some(highlight) = pages.highlights.get(file.file.0 as usize) {
        for (from, to, kind) in highlight.of(source.text, number, text) {
            looks[from..to].iter_mut().for_each(|look| look.0 = Some(kind.class()));
        }
    }
    let mut first = None;
    for step in steps {
        let from = (step.span.start as usize).saturating_sub(start).min(text.len());
        let to = (step.span.end as usize).saturating_sub(start).clamp(from, text.len());
        looks[from..to].iter_mut().for_each(|look| look.1 = true);
        first = Some(first.map_or(from, |first: usize| first.min(from)));
    }
    // The part of a long line that is shown.
    let indent = if text.trim().is_empty() { 0 } else { indent };
    let begin = if text.len() > LONG { first.unwrap_or(0).saturating_sub(LONG / 4) } else { 0 };
    let from = text.floor_char_boundary(begin.max(indent));
    let to = if text.len() > LONG { text.ceil_char_boundary((from + LONG).min(text.len())) } else { text.len() };
    let mut out = String::new();
    let mut cut = from;
    if from > indent {
        out.push('…');
        cut = text[..from].chars().count().saturating_sub(1);
    }
    let mut at = from;
    for run in looks[from..to].chunk_by(|one, next| one.1 == next.1) {
        out.push_str(if run[0].1 { "<mark>" } else { "" });
        for piece in run.chunk_by(|one, next| one.0 == next.0) {
            let letters = escaped(&text[at..at + piece.len()]);
            match piece[0].0 {
                Some(class) => out.push_str(&format!("<span class=\"{class}\">{letters}</span>")),
                None => out.push_str(&letters),
            }
            at += piece.len();
        }
        out.push_str(if run[0].1 { "</mark>" } else { "" });
    }
    if to < text.len() {
        out.push('…');
    }
    (out, cut)
}
