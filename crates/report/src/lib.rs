//! How does it look? One file for each format; each takes a [`Run`] and gives text.

mod address;
mod cargo;
mod concise;
mod config;
mod describe;
mod github;
mod gitlab;
mod graph;
mod highlight;
mod json;
mod junit;
mod links;
mod markdown;
mod meaning;
mod patch;
mod picture;
mod pretty;
mod proposal;
mod run;
mod sarif;
mod settings;
mod snippet;
mod source;
mod statistics;
mod summary;
mod text;

pub use address::rule_url;
pub use cargo::{CargoPackage, cargo_json, cargo_packages};
pub use config::config_error;
pub use describe::{
    Example, libraries_index, library, library_page, rule, rule_markdown, rule_page, rules_index, session, table,
};
pub use graph::graph;
pub use json::{ListedRule, rules_json};
pub use patch::patch;
pub use proposal::proposal;
pub use run::{Dependency, File, Format, Run, Silenced, Skipped, Style};
pub use sarif::encoded;
pub use settings::settings;
pub use statistics::{statistics, statistics_json};
pub use summary::summary;

pub(crate) use address::address;
use source::Sources;

/// The report in a format.
pub fn render(run: &Run, format: Format, style: Style<'_>) -> String {
    let sources = Sources::new(&run.files);
    match format {
        Format::Pretty => pretty::render(run, &sources, style),
        Format::Concise => concise::render(run, &sources, style),
        Format::Json => json::object(run, &sources),
        Format::Jsonl => json::lines(run, &sources),
        Format::Sarif => sarif::render(run, &sources),
        Format::Github => github::render(run, &sources),
        Format::Gitlab => gitlab::render(run, &sources),
        Format::Junit => junit::render(run, &sources),
        Format::Markdown => markdown::render(run, &sources),
    }
}

/// What was skipped because the tool panicked, a line each, and what to do about it; empty when it did not.
pub fn internal_errors(skipped: &[Skipped]) -> String {
    let lines: Vec<String> = skipped.iter().filter(|one| one.internal).map(skipped_line).collect();
    if lines.is_empty() {
        return String::new();
    }
    let count = summary::plural(lines.len(), "internal error");
    let version = env!("CARGO_PKG_VERSION");
    let ask =
        format!("{count}: a bug in sessionlint {version}, not in your code; please report it with the lines above\n");
    lines.concat() + &ask
}

fn skipped_line(skipped: &Skipped) -> String {
    match skipped.line {
        Some(line) => format!("skipped {}:{line}: {}\n", skipped.path, skipped.reason),
        None => format!("skipped {}: {}\n", skipped.path, skipped.reason),
    }
}

/// What was skipped and not understood, a line each; not what is told in any case.
pub fn verbose(run: &Run) -> String {
    let sources = Sources::new(&run.files);
    let skipped = run.skipped.iter().filter(|one| !one.internal).map(skipped_line);
    let gaps = run.gaps.iter().map(|gap| {
        let (path, at) = sources.position(gap.span);
        format!("gap {path}:{}:{}: {}\n", at.line, at.column, gap.reason)
    });
    skipped.chain(gaps).collect()
}
