//! How far is it? A bar for runs that take long.

use crate::arguments::Check;
use crate::terminal;
use indicatif::{ProgressBar, ProgressStyle};
use sessionlint_engine::{Failure, Options, Outcome, Stage};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// Shorter runs show no progress.
const PATIENCE: Duration = Duration::from_millis(700);

/// Runs a check, and shows how far it is.
///
/// # Errors
/// When it could not run.
pub fn shown(check: &Check, options: &Options, start: Instant) -> Result<Outcome, Failure> {
    let bar: OnceLock<ProgressBar> = OnceLock::new();
    let show = !check.no_progress && !check.quiet && terminal::stderr_is_terminal();
    let outcome = sessionlint_engine::run(options, sessionlint_languages::ALL, &|stage, done, total| {
        if show && stage == Stage::Analysing && start.elapsed() > PATIENCE {
            let bar = bar.get_or_init(|| {
                let bar = ProgressBar::new(total as u64);
                match ProgressStyle::with_template("{bar:30} {pos}/{len} functions") {
                    Ok(style) => bar.with_style(style),
                    Err(_) => bar,
                }
            });
            bar.set_position(done as u64);
        }
    });
    if let Some(bar) = bar.get() {
        bar.finish_and_clear();
    }
    outcome
}
