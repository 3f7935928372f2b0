//! How is text wrapped and coloured for a terminal?

use annotate_snippets::renderer::Style;

/// A text in a style, when colours are used.
pub(crate) fn painted(text: &str, style: Style, color: bool) -> String {
    match color && style != Style::new() && !text.is_empty() {
        true => format!("{style}{text}{style:#}"),
        false => text.to_owned(),
    }
}

/// A text in lines of at most so many characters, broken between words.
pub(crate) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let words = text.split_whitespace().map(|word| (word.chars().count(), word.to_owned()));
    wrapped_words(words, width)
}

/// The same for words that are written with more than what is seen of them.
pub(crate) fn wrapped_words(words: impl Iterator<Item = (usize, String)>, width: usize) -> Vec<String> {
    let mut lines: Vec<(usize, String)> = Vec::new();
    for (length, word) in words {
        match lines.last_mut() {
            Some((used, line)) if *used + 1 + length <= width => {
                *used += 1 + length;
                line.push(' ');
                line.push_str(&word);
            }
            _ => lines.push((length, word)),
        }
    }
    lines.into_iter().map(|(_, line)| line).collect()
}
