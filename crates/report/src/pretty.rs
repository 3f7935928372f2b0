//! The walk of each session in the source: a head, the marked lines of each function, what is beside the walk, and what to do.

use crate::meaning::Meaning;
use crate::snippet::{self, Mark, Room};
use crate::source::Sources;
use crate::summary::plural;
use crate::text::{painted, wrapped, wrapped_words};
use crate::{Run, Style};
use annotate_snippets::renderer::{AnsiColor, Style as Paint};
use sessionlint_diagnostics::{Diagnostic, Label, Level, Span};

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
    let shown = Shown { finding, sources, style, room };
    let mut before = None;
    for (number, frame) in frames.iter().enumerate() {
        out.push_str(&match before {
            None => shown.first(frame),
            Some(before) => shown.called(frame, before, number + 1 == frames.len()),
        });
        before = frame.steps.last().copied();
    }
    let beside = asides(finding, sources);
    if !beside.is_empty() {
        out.push_str(&footnote("note", &beside.join("; "), room));
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
pub(crate) struct Frame<'f> {
    pub steps: Vec<(usize, &'f Label)>,
    /// Its first step is another function's.
    pub function: Option<&'f str>,
    pub span: Span,
}

/// The functions on the walk, in its order; a finding without steps is one.
pub(crate) fn frames(finding: &Diagnostic) -> Vec<Frame<'_>> {
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

/// Everything that a finding is shown with.
struct Shown<'a, 'f> {
    finding: &'a Diagnostic,
    sources: &'a Sources<'f>,
    style: Style<'a>,
    room: Room,
}

impl Shown<'_, '_> {
    /// The function of the finding: its marked lines.
    fn first(&self, frame: &Frame<'_>) -> String {
        let mut marks = self.marks(frame);
        if !self.finding.steps().any(|step| step.span == self.finding.span) {
            let range = self.finding.span.start..self.finding.span.end;
            marks.push(Mark { range, text: String::new(), is_primary: true, style: Meaning::Wrong.style() });
        }
        snippet::lines(self.sources.source(frame.span), &marks, self.room)
    }

    /// A function that is called on the way, by the step `before`: under a heading, which says all of one that only calls the next.
    fn called(&self, frame: &Frame<'_>, before: (usize, &Label), is_last: bool) -> String {
        let source = self.sources.source(frame.span);
        let passed = match frame.steps.as_slice() {
            [step] if !is_last && step.1.span != self.finding.span => Some(step),
            _ => None,
        };
        let at = self.sources.position(passed.map_or(frame.span, |(_, step)| step.span)).1;
        let place = match passed {
            Some(_) => format!("({}:{}:{})", source.name, at.line, at.column),
            None => format!("({}:{})", source.name, at.line),
        };
        let name = frame.function.unwrap_or("a function");
        // Of a long way through calls the middle is not known.
        let by_that = name.rsplit("::").next() == Some(self.text(before.1.span));
        let how = if by_that { "called at" } else { "reached from" };
        let plain = |word: &str| (word.chars().count(), word.to_owned());
        let mut words = Vec::new();
        if let Some((number, step)) = passed {
            let paint = Meaning::of(step, self.finding).style();
            let number = format!("{number}.");
            words.push((number.len(), painted(&number, paint, self.room.color)));
        }
        let next = passed.map(|(_, step)| self.text(step.span)).filter(|next| is_name(next));
        match next {
            Some(next) => words.extend([plain(&format!("`{name}`")), plain("calls"), plain(&format!("`{next}`"))]),
            None => words.extend([plain("in"), plain(&format!("`{name}`"))]),
        }
        // That the step before calls it, the numbers say.
        let follows = next.is_some() && by_that;
        let comma = if follows { "" } else { "," };
        words.push((place.chars().count() + comma.len(), format!("{}{comma}", linked(self.style, source.name, place))));
        if !follows {
            words.extend(format!("{how} step {}", before.0).split(' ').map(plain));
        }
        let indent = self.room.gutter + 4;
        let lines = wrapped_words(words.into_iter(), self.room.width.saturating_sub(indent).max(20));
        let heading = arrow(":::", &lines.join(&format!("\n{}", " ".repeat(indent))), self.room);
        match passed {
            Some(_) => heading,
            None => heading + &snippet::lines(source, &self.marks(frame), self.room),
        }
    }

    fn text(&self, span: Span) -> &str {
        self.sources.source(span).text.get(span.start as usize..span.end as usize).unwrap_or_default()
    }

    fn marks(&self, frame: &Frame<'_>) -> Vec<Mark> {
        let is_numbered = self.finding.steps().count() > 1;
        let said = |step: &Label| {
            // Only the first line is marked.
            let (first, last) = (self.sources.position(step.span).1.line, self.sources.end(step.span).line);
            match last > first {
                true => format!("{} (up to line {last})", step.message),
                false => step.message.clone(),
            }
        };
        let mark = |(number, step): &(usize, &Label)| Mark {
            range: step.span.start..step.span.end,
            text: if is_numbered { format!("{number}. {}", said(step)) } else { said(step) },
            is_primary: step.span == self.finding.span,
            style: Meaning::of(step, self.finding).style(),
        };
        frame.steps.iter().map(mark).collect()
    }
}

/// Whether a text is one name, as that of a function that is called.
fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_alphanumeric() || c == '_')
        && text != "await"
}

/// What is beside the walk, a sentence for each thing.
pub(crate) fn asides(finding: &Diagnostic, sources: &Sources<'_>) -> Vec<String> {
    let mut notes: Vec<(&str, Vec<&Label>)> = Vec::new();
    for label in finding.asides() {
        let told = if label.message.starts_with("and here") { "" } else { label.message.as_str() };
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
        // The place in another file says that it is a line.
        let at = if places.iter().all(|place| place.contains(':')) { "at".to_owned() } else { format!("at {word}") };
        let last = places.pop().unwrap_or_default();
        let listed = match (places.is_empty(), more) {
            (true, None) => last,
            (true, Some(more)) => format!("{last}, and at {more}"),
            (false, None) => format!("{} and {last}", places.join(", ")),
            (false, Some(more)) => format!("{}, {last}, and at {more}", places.join(", ")),
        };
        match told.split_once("here") {
            Some((before, after)) => format!("{before}{at} {listed}{after}"),
            None => format!("this also happens {at} {listed}"),
        }
    };
    notes.into_iter().map(note).collect()
}
