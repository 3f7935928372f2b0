//! What does one check give, from what is known already and what is kept to what is told?

use crate::cache::Cache;
use crate::outcome::Outcome;
use crate::run::{Engine, Progress};
use crate::settings::{Failure, Options};
use crate::{baseline, paths, since};
use sessionlint_ir::Languages;
use std::time::Instant;

impl Engine {
    /// Takes out of `outcome` what the baseline has.
    ///
    /// # Errors
    /// When the baseline cannot be read.
    pub fn apply_baseline(&self, outcome: &mut Outcome) -> Result<(), Failure> {
        if let Some(known) = baseline::read(&self.options)? {
            baseline::apply(outcome, &known, self);
        }
        Ok(())
    }
}

/// Checks files once.
///
/// # Errors
/// When nothing can be checked: bad options, a bad configuration, a path that cannot be read, a revision or a baseline
/// that cannot.
pub fn run(options: &Options, languages: Languages, progress: Progress<'_>) -> Result<Outcome, Failure> {
    let start = Instant::now();
    let known = baseline::read(options)?;
    let changes = options.new_from.as_deref().map(|revision| since::changes(&options.directory, revision));
    let changes = changes.transpose()?;
    let engine = Engine::new(options.clone(), languages)?;
    let mut overlay = engine.staged.as_ref().map(|staged| staged.texts.clone()).unwrap_or_default();
    if let Some(stdin) = &options.stdin {
        overlay.insert(paths::absolute(&options.directory, &stdin.path), stdin.text.clone());
    }
    let found_files = start.elapsed();
    // What is not what files say is new each time, and a description is for tests.
    let directory = options.cache.as_ref().filter(|_| overlay.is_empty() && !options.describe);
    let cache = directory.map(|directory| Cache::new(directory, &engine));
    let mut outcome = match cache.as_ref().and_then(|cache| cache.load(&engine)) {
        Some(outcome) => outcome,
        None => {
            let outcome = engine.check(&engine.requested, &overlay, options.fixes, progress)?;
            // What went wrong is tried again.
            if let Some(cache) = cache.as_ref().filter(|_| outcome.summary.panics == 0) {
                cache.store(&outcome);
            }
            outcome
        }
    };
    if let Some(known) = &known {
        baseline::apply(&mut outcome, known, &engine);
    }
    if let Some(changes) = &changes {
        since::apply(&mut outcome, changes, &options.directory);
    }
    outcome.notes = engine.notes(Some(&outcome));
    outcome.dependencies = engine.dependencies().to_vec();
    outcome.timing.files = found_files;
    Ok(outcome)
}
