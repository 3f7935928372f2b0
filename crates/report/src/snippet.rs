//! How do lines of a source look with marks below them? The library lays out the lines, cuts long ones and marks them; this puts
//! in the labels, wrapped and coloured, for which it has no way of its own. Marks of one source go in, lines of text come out.

use crate::source::Source;
use crate::text::{painted, wrapped};
use annotate_snippets::renderer::{AnsiColor, DecorStyle, Style};
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use std::ops::Range;

/// A library call is about lines that are at most so far apart.
const FAR: usize = 60;
/// The first character that stands for a label while the library lays out; no source is looked at for it.
const STAND_IN: u32 = 0xE000;
/// A label beside its mark has so much room, or it stands below.
const BESIDE: usize = 36;
/// A label below has so much room, or it begins further left.
const BELOW: usize = 48;

/// A place that is marked.
pub(crate) struct Mark {
    pub range: Range<u32>,
    /// What is said of it; may be empty.
    pub text: String,
    pub is_primary: bool,
    pub style: Style,
}

/// The room that a report has.
#[derive(Clone, Copy)]
pub(crate) struct Room {
    /// Columns of the terminal.
    pub width: usize,
    /// Columns of the largest line number.
    pub gutter: usize,
    pub color: bool,
}

impl Room {
    pub fn frame() -> Style {
        AnsiColor::BrightBlue.on_default().bold()
    }
}

/// The marked lines, with `...` for what is between distant ones.
pub(crate) fn lines(source: &Source<'_>, marks: &[Mark], room: Room) -> String {
    let mut marks: Vec<Placed<'_>> = marks
        .iter()
        .take(1000)
        .map(|mark| {
            let range = first_line(source, &mark.range, room.width / 2);
            (source.index().line_of(range.start as u32), range, mark)
        })
        .collect();
    marks.sort_by_key(|(line, range, _)| (*line, range.start));
    let mut out = String::new();
    let mut before = None;
    for near in parts(source, &marks, room) {
        if before.is_some_and(|before| before + 1 < near[0].0) {
            out.push_str(&painted("...", Room::frame(), room.color));
            out.push('\n');
        }
        part(&mut out, source, near, room);
        before = near.last().map(|(line, ..)| *line);
    }
    out
}

/// A mark, with its line and what of it lies there.
type Placed<'m> = (usize, Range<usize>, &'m Mark);

/// Marks that are shown together. The library cuts all lines that it gets in one where one is too long, so such a line comes alone,
/// and more than once when its marks do not fit on the terminal.
fn parts<'p, 'm>(source: &Source<'_>, marks: &'p [Placed<'m>], room: Room) -> Vec<&'p [Placed<'m>]> {
    let columns = room.width.saturating_sub(room.gutter + 3);
    let is_long = |line: usize| line_width(source, line) > columns;
    let mut parts = Vec::new();
    let mut from = 0;
    for next in 1..=marks.len() {
        let is_near = next < marks.len() && {
            let ((first, begin, _), (before, ..), (line, range, _)) = (&marks[from], &marks[next - 1], &marks[next]);
            match first == line {
                true => !is_long(*line) || range.end.saturating_sub(begin.start) < columns * 2 / 3,
                false => line - before <= FAR && !is_long(*before) && !is_long(*line),
            }
        };
        if !is_near {
            parts.push(&marks[from..next]);
            from = next;
        }
    }
    parts.retain(|part| !part.is_empty());
    parts
}

/// About how many columns a line takes.
fn line_width(source: &Source<'_>, line: usize) -> usize {
    let text = &source.text[source.index().line_start(line) as usize..];
    let line = text.lines().next().unwrap_or_default();
    line.chars().map(|letter| if letter == '\t' { 4 } else { 1 }).sum()
}

/// The part of a range on its first line, from character to character, and no more than `most` of them.
fn first_line(source: &Source<'_>, range: &Range<u32>, most: usize) -> Range<usize> {
    let text = source.text;
    let start = text.floor_char_boundary((range.start as usize).min(text.len()));
    let end = text.ceil_char_boundary((range.end as usize).clamp(start, text.len()));
    let line = text[start..end].lines().next().unwrap_or_default();
    let length = line.char_indices().nth(most).map_or(line.trim_end().len(), |(length, _)| length);
    start..start + length
}

/// The bytes that the library gets: whole lines, from the first that is marked to the last, whatever is around them.
fn shown(source: &Source<'_>, first: usize, last: usize) -> Range<usize> {
    let index = source.index();
    let end = if last + 1 < index.line_count() { index.line_start(last + 1) as usize } else { source.text.len() };
    index.line_start(first) as usize..end
}

/// Lines that are near each other.
fn part(out: &mut String, source: &Source<'_>, marks: &[Placed<'_>], room: Room) {
    let (Some((first, ..)), Some((last, ..))) = (marks.first(), marks.last()) else { return };
    let Range { start: from, end: to } = shown(source, *first, *last);
    let annotations = marks.iter().enumerate().map(|(number, (_, range, mark))| {
        let kind = if mark.is_primary { AnnotationKind::Primary } else { AnnotationKind::Context };
        let label = char::from_u32(STAND_IN + number as u32).filter(|_| !mark.text.is_empty());
        kind.span(range.start - from..range.end - from).label(label.map(String::from))
    });
    let snippet = Snippet::source(&source.text[from..to]).line_start(first + 1).annotations(annotations);
    let own = (last + 1).to_string().len();
    let width = room.width.saturating_sub(room.gutter.saturating_sub(own));
    let renderer = Renderer::plain().term_width(width).decor_style(DecorStyle::Ascii);
    let laid_out = renderer.render(&[Group::with_level(Level::NOTE).element(snippet)]);
    // The first line only separates.
    let rows: Vec<&str> = laid_out.lines().skip(1).collect();
    let indent = " ".repeat(room.gutter.saturating_sub(own));
    // A row without a number belongs to the line above.
    let is_below = |row: &str| row.chars().take(own + 1).all(|letter| letter == ' ');
    for rows in rows.chunk_by(|_, next| is_below(next)) {
        let Some((code, below)) = rows.split_first() else { continue };
        let split = code.floor_char_boundary(own + 2);
        let (gutter, text) = code.split_at(split.min(code.len()));
        match code.starts_with("...") {
            true => out.push_str(&painted(code.trim_end(), Room::frame(), room.color)),
            false => out.push_str(&format!("{indent}{}{text}", painted(gutter.trim_end(), Room::frame(), room.color))),
        }
        out.push('\n');
        let below: Vec<Vec<char>> = below.iter().map(|row| row.chars().skip(own + 3).collect()).collect();
        for row in labelled(&below, marks, room) {
            let bar = format!("{} |", " ".repeat(room.gutter));
            out.push_str(&painted(&bar, Room::frame(), room.color));
            if !row.is_empty() {
                out.push(' ');
                out.push_str(&row);
            }
            out.push('\n');
        }
    }
}

/// A label where the library put its stand-in.
struct Spot<'m> {
    mark: &'m Mark,
    /// Whether it stands beside its mark, at the end of the row of marks.
    beside: bool,
    column: usize,
}

/// The rows below a line: its marks, and the labels.
fn labelled(below: &[Vec<char>], marks: &[Placed<'_>], room: Room) -> Vec<String> {
    let Some(underline) = below.first().filter(|row| row.iter().any(|letter| "^-".contains(*letter))) else {
        return Vec::new();
    };
    let room_for = room.width.saturating_sub(room.gutter + 3);
    let mut spots: Vec<Spot<'_>> = Vec::new();
    let mut owners: Vec<Option<Style>> = vec![None; underline.len()];
    for (row, letters) in below.iter().enumerate() {
        for (column, letter) in letters.iter().enumerate() {
            let number = (*letter as u32).checked_sub(STAND_IN).map(|number| number as usize);
            if let Some((_, range, mark)) = number.and_then(|number| marks.get(number)) {
                if row > 0 {
                    spots.push(Spot { mark, beside: false, column });
                    continue;
                }
                let from = (column - 1).saturating_sub(range.len().max(1));
                owners[from..column - 1].fill(Some(mark.style));
                // Only behind the last mark there is room for more than a stand-in.
                let beside = !letters[column + 1..].iter().any(|letter| "^-".contains(*letter));
                spots.push(Spot { mark, beside, column: if beside { column } else { from } });
            }
        }
    }
    for spot in spots.iter().filter(|spot| !spot.beside) {
        let sort = underline.get(spot.column).copied().unwrap_or_default();
        for column in spot.column..underline.len() {
            let other = spots.iter().any(|other| !other.beside && other.column == column && column != spot.column);
            if underline[column] != sort || other || (owners[column].is_some() && column != spot.column) {
                break;
            }
            owners[column] = Some(spot.mark.style);
        }
    }
    let mut marked = String::new();
    let end = underline.iter().rposition(|letter| "^-".contains(*letter)).map_or(0, |last| last + 1);
    let mark_at = |letter: char| if letter as u32 >= STAND_IN { ' ' } else { letter };
    let styles: Vec<Style> = (0..end).map(|column| owners[column].unwrap_or_default()).collect();
    let columns: Vec<usize> = (0..end).collect();
    for run in columns.chunk_by(|one, next| styles[*one] == styles[*next]) {
        let letters: String = run.iter().map(|column| mark_at(underline[*column])).collect();
        marked.push_str(&painted(&letters, styles[run[0]], room.color));
    }
    // Each hangs on a line from its mark, so the one furthest right comes first.
    spots.sort_by_key(|spot| (!spot.beside, std::cmp::Reverse(spot.column)));
    let mut rows = Vec::new();
    for (place, spot) in spots.iter().enumerate() {
        let length = spot.mark.text.chars().count();
        let mut column = spot.column;
        let is_beside = spot.beside && room_for.saturating_sub(column) >= length.min(BESIDE);
        if !is_beside && room_for.saturating_sub(column) < length.min(BELOW) {
            column = room_for.saturating_sub(length.clamp(BELOW, room_for.clamp(BELOW, 80)));
        }
        if !is_beside && spots[place + 1..].iter().any(|other| other.column + 1 == column) {
            column += 1;
        }
        let hanging: Vec<&Spot<'_>> = spots[place + 1..].iter().filter(|other| other.column < column).collect();
        let before = |upto: usize| {
            let mut text = String::new();
            for at in 0..upto {
                match hanging.iter().find(|other| other.column == at) {
                    Some(other) => text.push_str(&painted("|", other.mark.style, room.color)),
                    None => text.push(' '),
                }
            }
            text
        };
        for (line, text) in wrapped(&spot.mark.text, room_for.saturating_sub(column).max(20)).iter().enumerate() {
            let text = painted(text, spot.mark.style, room.color);
            if line == 0 && is_beside {
                marked.push_str(&format!(" {text}"));
            } else {
                rows.push(before(column) + &text);
            }
        }
    }
    rows.insert(0, marked);
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The library's work grows with what it gets.
    #[test]
    fn the_library_gets_the_marked_lines_of_a_long_file_alone() {
        let line = "    let tx = pool.begin().await?;\n";
        for lines in [100, 10_000] {
            let text = line.repeat(lines);
            let source = Source::new("a.rs", &text);
            let mark = |at: usize| Mark {
                range: (at * line.len() + 8) as u32..(at * line.len() + 10) as u32,
                text: String::new(),
                is_primary: false,
                style: Room::frame(),
            };
            let marks = [mark(40), mark(42), mark(lines - 1)];
            let placed: Vec<Placed<'_>> = marks
                .iter()
                .map(|mark| {
                    (source.index().line_of(mark.range.start), mark.range.start as usize..mark.range.end as usize, mark)
                })
                .collect();
            let room = Room { width: 100, gutter: 5, color: false };
            let parts = parts(&source, &placed, room);
            let got: usize = parts.iter().map(|near| shown(&source, near[0].0, near[near.len() - 1].0).len()).sum();
            assert!(got <= line.len() * (3 + FAR), "{got} of {} bytes", text.len());
        }
    }
}
