//! Which files, in which order, on which thread, what is silenced, what is known? One call checks a tree.
//!
//! The only room that reads source files and starts threads.

mod baseline;
mod cache;
mod check;
mod config;
mod dependencies;
mod effective;
mod errors;
mod fingerprint;
mod fixes;
mod git;
mod heads;
mod host;
mod kept;
mod learn;
mod levels;
mod lock;
mod look;
mod manifest;
mod memory;
mod names;
mod notes;
mod once;
mod outcome;
mod packages;
mod panics;
mod paths;
mod placed;
mod read;
mod run;
mod settings;
mod show;
mod sift;
mod silence;
mod since;
mod sources;
mod staged;
mod suppress;
#[cfg(test)]
mod toy;
mod unread;
mod walk;
mod words;
mod write;

pub use baseline::{
    Baseline, baseline_path, entries, parse as parse_baseline, read as read_baseline, text as baseline_text,
    write_baseline,
};
pub use config::{CONFIG_NAMES, FoundConfig, config_in, find_config};
pub use dependencies::Dependency;
pub use effective::Effective;
pub use fixes::{Changed, changed, chosen, write};
pub use host::Overlay;
pub use manifest::dependencies;
pub use once::run;
pub use outcome::{CheckedFile, Entry, Outcome, Session, Silenced, SilencedBy, Skipped, Summary, Timing};
pub use panics::caught;
pub use run::{Engine, Progress, Stage};
pub use sessionlint_analysis::View;
pub use settings::{BaselineChoice, Failure, LevelFlag, Options, StandardInput};
pub use silence::{silence, silencing_edit};

/// The id of a rule with a name, as findings carry it.
fn rule_id(name: &str) -> Option<&'static str> {
    let about_comments = [suppress::UNUSED, suppress::UNEXPLAINED];
    let checks = sessionlint_rules::checks::ALL.iter().map(|check| check.rule);
    checks.chain(about_comments).find(|rule| *rule == name)
}
