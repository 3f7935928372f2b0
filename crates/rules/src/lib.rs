//! Is that a mistake, and how do we say it? One file for each kind of mistake.

mod capacity;
pub mod checks;
mod context;
mod finding;
mod fix;
mod intent;
mod question;
mod walk;
mod words;

pub(crate) use context::Words;
pub use context::{Check, Context};
use sessionlint_diagnostics::{Diagnostic, LabelKind};

/// All findings in one body, without levels.
pub fn check(context: &Context<'_>) -> Vec<Diagnostic> {
    let mut found: Vec<Diagnostic> = checks::ALL.iter().flat_map(|check| (check.run)(context)).collect();
    // A variable that holds one session or another is told of once at a place; two variables that are forgotten there are two
    // mistakes, and what happens there while both are open is one.
    let mut seen = std::collections::HashSet::new();
    found.retain(|finding| {
        let opened = finding.labels.iter().find(|label| label.kind == LabelKind::Opened).map(|label| label.span);
        let mut sites = context.report.sites.iter();
        let meanwhile = finding.labels.iter().any(|label| label.kind == LabelKind::Meanwhile);
        let variable = sites.find(|site| Some(site.span) == opened && !meanwhile).and_then(|site| site.variable);
        seen.insert((finding.rule, finding.span, variable))
    });
    found
}

/// What a finding offers as help where its function stands so many lines further down: some name a line.
pub fn moved(help: &str, lines: i64) -> String {
    checks::uncommitted_transaction::moved(help, lines)
}
