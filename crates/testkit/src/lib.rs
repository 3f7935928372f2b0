//! Did we find what the fixture says? Fixtures carry their expectations as `//~ rule "text"` on the lines that
//! they speak of; what is missing and what is surplus both fail.

use sessionlint_diagnostics::{Diagnostic, LineIndex};
use sessionlint_engine::{Options, Outcome};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub mod package;
pub mod programs;
pub mod targets;

/// One expectation.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Expectation {
    /// File, as it is shown.
    pub path: String,
    /// Line, from 1.
    pub line: u32,
    /// The rule.
    pub rule: String,
    /// A part of the message, a label or the help; empty when only the rule matters.
    pub text: String,
}

/// The expectations of a file.
pub fn expectations(path: &str, text: &str) -> Vec<Expectation> {
    let mut found = Vec::new();
    for (line, content) in text.lines().enumerate() {
        for one in content.split("//~").skip(1) {
            let one = one.trim();
            let (rule, text) = one.split_once(' ').unwrap_or((one, ""));
            let text = text.trim().trim_matches('"').to_owned();
            found.push(Expectation { path: path.to_owned(), line: line as u32 + 1, rule: rule.to_owned(), text });
        }
    }
    found
}

/// The Rust files below a directory, sorted.
pub fn rust_files(directory: &Path) -> Vec<PathBuf> {
    let mut pending = vec![directory.to_path_buf()];
    let mut found = Vec::new();
    while let Some(directory) = pending.pop() {
        let entries = std::fs::read_dir(&directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
        for path in entries.map(|entry| entry.expect("the directory is read").path()) {
            if path.is_dir() {
                pending.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// Checks `paths` below `directory` without any configuration file.
pub fn check(directory: &Path, paths: &[&str], change: impl FnOnce(&mut Options)) -> Outcome {
    let mut options = Options {
        directory: directory.to_path_buf(),
        paths: paths.iter().map(PathBuf::from).collect(),
        isolated: true,
        ..Options::default()
    };
    change(&mut options);
    sessionlint_engine::run(&options, sessionlint_languages::ALL, &|_, _, _| {})
        .unwrap_or_else(|error| panic!("{error}"))
}

/// Where the findings of an outcome differ from the expectations in its files; empty when they agree.
pub fn differences(outcome: &Outcome, directory: &Path) -> Vec<String> {
    let mut found: BTreeMap<(String, u32), Vec<&Diagnostic>> = BTreeMap::new();
    for finding in &outcome.findings {
        let file = &outcome.files[finding.span.file.0 as usize];
        let line = LineIndex::new(&file.text).position(&file.text, finding.span.start).line;
        found.entry((file.path.clone(), line)).or_default().push(finding);
    }
    let mut differences = Vec::new();
    for file in &outcome.files {
        let Ok(text) = std::fs::read_to_string(directory.join(&file.path)) else { continue };
        for expected in expectations(&file.path, &text) {
            let here = found.entry((expected.path.clone(), expected.line)).or_default();
            match here.iter().position(|finding| matches(finding, &expected)) {
                Some(index) => {
                    here.remove(index);
                }
                None => differences.push(format!(
                    "{}:{}: not found: {} {:?}",
                    expected.path, expected.line, expected.rule, expected.text
                )),
            }
        }
    }
    for ((path, line), surplus) in found {
        for finding in surplus {
            differences.push(format!("{path}:{line}: not expected: {} {}", finding.rule, finding.message));
        }
    }
    differences
}

/// Where what is known about functions differs from what fixtures say in a `//= ..` comment above them; empty when
/// they agree. Functions without such a comment are not compared.
pub fn summary_differences(outcome: &Outcome, directory: &Path) -> Vec<String> {
    let mut differences = Vec::new();
    for (index, file) in outcome.files.iter().enumerate() {
        let Ok(text) = std::fs::read_to_string(directory.join(&file.path)) else { continue };
        let lines = LineIndex::new(&text);
        let here = outcome.described.iter().filter(|(span, _)| span.file.0 as usize == index);
        let known: BTreeMap<u32, &str> =
            here.map(|(span, words)| (lines.position(&text, span.start).line, words.as_str())).collect();
        for (line, content) in text.lines().enumerate() {
            let Some(expected) = content.trim().strip_prefix("//=") else { continue };
            // The function stands on the next line.
            let found = known.get(&(line as u32 + 2)).copied().unwrap_or_default();
            if found != expected.trim() {
                differences.push(format!("{}:{}: expected {expected:?}, found {found:?}", file.path, line + 2));
            }
        }
    }
    differences
}

fn matches(finding: &Diagnostic, expected: &Expectation) -> bool {
    let says = |text: &str| text.contains(&expected.text);
    finding.rule == expected.rule
        && (says(&finding.message)
            || finding.labels.iter().any(|label| says(&label.message))
            || finding.help.as_deref().is_some_and(says))
}
