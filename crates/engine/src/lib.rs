//! Which files, in which order, on which thread, what is silenced, what is known? One call checks a tree.
//!
//! The only room that reads source files and starts threads.

mod fingerprint;
mod fixes;
mod host;
mod levels;
mod lock;
mod manifest;
mod packages;
mod read;
mod run;
mod settings;
mod suppress;
mod walk;
mod words;

pub use fixes::{Changed, changed, write};
pub use run::{CheckedFile, Outcome, Skipped, Summary, run};
pub use settings::{Failure, LevelFlag, Options, StandardInput, find_config};
