//! The command `baseline`: what is found now is not reported again.

use crate::arguments::Baseline;
use crate::options::options;
use crate::{check, progress, terminal};
use sessionlint_engine::{BaselineChoice, Entry, Options};
use std::collections::BTreeSet;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

/// Writes or prunes the baseline.
pub fn run(baseline: &Baseline) -> ExitCode {
    match write(baseline) {
        Ok(status) => status,
        Err(message) => check::refuse(&message),
    }
}

fn write(baseline: &Baseline) -> Result<ExitCode, String> {
    let start = Instant::now();
    let options = options(&baseline.check)?;
    let path = sessionlint_engine::baseline_path(&options);
    let old = match path.exists() {
        true => {
            let choice = Options { baseline: BaselineChoice::File(path.clone()), ..options.clone() };
            let read = sessionlint_engine::read_baseline(&choice).map_err(|failure| failure.to_string())?;
            read.map(|baseline| baseline.entries).unwrap_or_default()
        }
        false => BTreeSet::new(),
    };
    // All of it is found again, and what nothing matches any more is known.
    let again = match old.is_empty() {
        true => Options { baseline: BaselineChoice::None, ..options.clone() },
        false => Options { baseline: BaselineChoice::File(path.clone()), ..options.clone() },
    };
    let outcome =
        progress::shown(&baseline.check, &again, start).map_err(|failure| check::told(&baseline.check, &failure))?;
    terminal::complain(&sessionlint_report::internal_errors(&check::skipped(outcome.skipped.clone())));
    if outcome.summary.nothing_checked {
        return Err("nothing could be checked".to_owned());
    }
    if !baseline.check.quiet {
        outcome.notes.iter().for_each(|note| terminal::complain(&format!("sessionlint: {note}\n")));
    }
    let stale: BTreeSet<&Entry> = outcome.stale.iter().collect();
    let mut entries: BTreeSet<Entry> = old.iter().filter(|entry| !stale.contains(entry)).cloned().collect();
    let mut added = 0;
    if !baseline.prune {
        let found = sessionlint_engine::entries(&outcome, &options, &path);
        // The path of a file that was moved is told anew, and fingerprints of version 1.
        let met: BTreeSet<&Entry> = outcome.met.iter().collect();
        added = found.len().saturating_sub(met.len());
        let fingerprints: BTreeSet<&str> = found.iter().map(|entry| entry.fingerprint.as_str()).collect();
        entries.retain(|entry| !met.contains(entry) && !fingerprints.contains(entry.fingerprint.as_str()));
        entries.extend(found);
    }
    if entries != old || !path.exists() {
        sessionlint_engine::write_baseline(&path, &entries).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    if !baseline.check.quiet {
        let shown = path.strip_prefix(&options.directory).unwrap_or(Path::new(&path)).display();
        let plural = if entries.len() == 1 { "entry" } else { "entries" };
        terminal::complain(&format!("{shown}: {} {plural} ({added} new, {} removed)\n", entries.len(), stale.len()));
    }
    Ok(ExitCode::SUCCESS)
}
