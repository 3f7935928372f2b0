//! The walk of each session in the source: a head, the marked lines of each function, what is beside the walk, and what to do.

use crate::meaning::Meaning;
use crate::snippet::{self, Mark, Room};
use crate::source::Sources;
use crate::summary::plural;
use crate::text::{painted, wrapped};
use crate::{Run, Style};
use annotate_snippets::renderer::{AnsiColor, Style as Paint};
use sessionlint_diagnostics::{Diagnostic, Label, LabelKind, Level, Span};

pub(crate) fn render(run: &Run, sources: &Sources<'_>, style: Style<'_>) -> String {
    run.findings.iter().map(|finding| one(finding, sources, style) + "\n").collect()
}

/// One finding.
pub(crate) fn one(finding: &Diagnostic, sources: &Sources<'_>, style: Style<'_>) -> String {
    let frames = frames(finding);
    let lines = finding.steps().map(|step| step.span).chain([finding.span]).map(|span| sources.position(span).1.line);
    let gutter = lines.max().unwrap_or(1).to_string().len();
    let room = Room { width: style.width, gutter, color: style.color };
    let (path, at) = sources.position(finding.span);
    let place = linked(style, path, format!("{path}:{}:{}", at.line, at.column));
    let mut out = head(finding.level, finding.rule, &finding.message, room);
    out.push_str(&arrow("-->", &place, room));
    let mut known = Known::default();
    for (number, frame) in frames.iter().enumerate() {
        let is_last = number + 1 == frames.len();
        known.frame(&mut out, finding, frame, (number > 0).then_some(is_last), sources, style, room);
    }
    for note in asides(finding, sources) {
        out.push_str(&footnote("note", &note, room));
    }
    if let Some(help) = &finding.help {
        out.push_str(&footnote("help", help, room));
    }
    out
}

/// `error[rule]: text`, on one line however long.
pub(crate) fn head(level: Level, code: &str, message: &str, room: Room) -> String {
    let style = match level {
        Level::Deny => AnsiColor::BrightRed,
        Level::Warn => AnsiColor::Yellow,
        Level::Note | Level::Allow => AnsiColor::BrightGreen,
    };
    let word = painted(&format!("{}[{code}]", level.spoken()), style.on_default().bold(), room.color);
    format!("{word}{}\n", painted(&format!(": {message}"), Paint::new().bold(), room.color))
}

/// The line above the marked lines of a function, with a bar below the first one.
pub(crate) fn arrow(sign: &str, place: &str, room: Room) -> String {
    let indent = " ".repeat(room.gutter);
    let bar = painted("|", Room::frame(), room.color);
    let below = if sign == "-->" { format!("{indent} {bar}\n") } else { String::new() };
    format!("{indent}{} {place}\n{below}", painted(sign, Room::frame(), room.color))
}

/// A sentence below the marked lines.
pub(crate) fn footnote(kind: &str, text: &str, room: Room) -> String {
    let indent = " ".repeat(room.gutter + 1);
    let width = room.width.saturating_sub(room.gutter + kind.len() + 5).max(20);
    let mut out = String::new();
    for (line, text) in wrapped(text, width).iter().enumerate() {
        match line {
            0 => {
                let sign = painted("=", Room::frame(), room.color);
                let kind = painted(kind, Paint::new().bold(), room.color);
                out.push_str(&format!("{indent}{sign} {kind}: {text}\n"));
            }
            _ => out.push_str(&format!("{indent}{}{text}\n", " ".repeat(kind.len() + 4))),
        }
    }
    out
}

fn linked(style: Style<'_>, path: &str, text: String) -> String {
    match style.links {
        Some(links) => crate::links::link(links, path, &text),
        None => text,
    }
}

/// The steps of the walk that follow each other in one function, each with its number.
struct Frame<'f> {
    steps: Vec<(usize, &'f Label)>,
    /// Its first step is another function's.
    function: Option<&'f str>,
    span: Span,
}

/// The functions on the walk, in its order; a finding without steps is one.
fn frames(finding: &Diagnostic) -> Vec<Frame<'_>> {
    let mut frames: Vec<Frame<'_>> = Vec::new();
    for (number, step) in finding.steps().enumerate() {
        let function = step.function.as_deref();
        match frames.last_mut() {
            Some(last) if last.function == function && last.span.file == step.span.file => {
                last.steps.push((number + 1, step));
            }
            _ => frames.push(Frame { steps: vec![(number + 1, step)], function, span: step.span }),
        }
    }
    if frames.is_empty() {
        frames.push(Frame { steps: Vec::new(), function: None, span: finding.span });
    }
    frames
}

/// What was told already.
#[derive(Default)]
struct Known {
    steps: usize,
}

impl Known {
    /// One function; `called` is for those behind the first, and says whether it is the last.
    #[expect(clippy::too_many_arguments, reason = "what a finding looks like in one place")]
    fn frame(
        &mut self,
        out: &mut String,
        finding: &Diagnostic,
        frame: &Frame<'_>,
        called: Option<bool>,
        sources: &Sources<'_>,
        style: Style<'_>,
        room: Room,
    ) {
        let source = sources.source(frame.span);
        if let Some(is_last) = called {
            let name = frame.function.map_or("a function".to_owned(), |name| format!("`{name}`"));
            let only = frame.steps.first().filter(|(_, step)| frame.steps.len() == 1 && !is_last && step.span != finding.span);
            let place = match only {
                Some((_, step)) => {
                    let at = sources.position(step.span).1;
                    format!("{}:{}:{}", source.name, at.line, at.column)
                }
                None => source.name.to_owned(),
            };
            let place = linked(style, source.name, place);
            let heading = format!("in {name} ({place}), called at step {}", self.steps);
            let rest = only.map(|(number, step)| {
                let call = source.text.get(step.span.start as usize..step.span.end as usize).unwrap_or_default();
                let text = format!("{number}. it calls `{call}`");
                format!(": {}", painted(&text, Meaning::of(step, finding).style(), room.color))
            });
            out.push_str(&arrow(":::", &(heading + &rest.unwrap_or_default()), room));
            self.steps += frame.steps.len();
            if only.is_some() {
                return;
            }
        } else {
            self.steps += frame.steps.len();
        }
        let is_numbered = finding.steps().count() > 1;
        let mut marks: Vec<Mark> = frame
            .steps
            .iter()
            .map(|(number, step)| Mark {
                range: step.span.start..step.span.end,
                text: if is_numbered { format!("{number}. {}", step.message) } else { step.message.clone() },
                is_primary: step.span == finding.span,
                style: Meaning::of(step, finding).style(),
            })
            .collect();
        if called.is_none() && !finding.steps().any(|step| step.span == finding.span) {
            let (range, style) = (finding.span.start..finding.span.end, Meaning::Wrong.style());
            marks.push(Mark { range, text: String::new(), is_primary: true, style });
        }
        out.push_str(&snippet::lines(source, &marks, room));
    }
}

/// What is beside the walk, a sentence for each thing.
fn asides(finding: &Diagnostic, sources: &Sources<'_>) -> Vec<String> {
    let mut notes: Vec<(&str, Vec<&Label>)> = Vec::new();
    for label in finding.asides() {
        let told = if label.kind == LabelKind::Released { label.message.as_str() } else { "" };
        match notes.iter_mut().find(|(known, _)| *known == told) {
            Some((_, labels)) => labels.push(label),
            None => notes.push((told, vec![label])),
        }
    }
    let note = |(told, labels): (&str, Vec<&Label>)| {
        let here = sources.position(finding.span).0;
        let mut places = Vec::new();
        for label in &labels {
            let (path, at) = sources.position(label.span);
            places.push(if path == here { at.line.to_string() } else { format!("{path}:{}", at.line) });
        }
        let more = labels.last().and_then(|last| last.message.strip_prefix("and here, and at "));
        let lines = plural(places.len(), "line");
        let word = lines.split(' ').nth(1).unwrap_or_default();
        let last = places.pop().unwrap_or_default();
        let listed = match (places.is_empty(), more) {
            (true, None) => last,
            (true, Some(more)) => format!("{last}, and at {more}"),
            (false, None) => format!("{} and {last}", places.join(", ")),
            (false, Some(more)) => format!("{}, {last}, and at {more}", places.join(", ")),
        };
        match told.split_once("here") {
            Some((before, after)) => format!("{before}at {word} {listed}{after}"),
            None => format!("the same at {word} {listed}"),
        }
    };
    notes.into_iter().map(note).collect()
}
