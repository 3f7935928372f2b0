//! What changed just now? Checks again whenever a file of the workspace changes.

use crate::arguments::Check;
use crate::{check, terminal};
use notify::{RecursiveMode, Watcher};
use sessionlint_engine::{Engine, Options, Overlay};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// Changes that come within this time are one: editors write a file in several steps.
const PAUSE: Duration = Duration::from_millis(60);

/// Checks until it is interrupted.
///
/// # Errors
/// When it could not start.
pub fn run(check: &Check, options: &Options) -> Result<ExitCode, String> {
    let failed = |error: notify::Error| format!("files cannot be watched: {error}");
    let (sender, changes) = channel();
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        if let Ok(event) = event {
            // Nobody listens any more when the program ends.
            let _ = sender.send(event);
        }
    })
    .map_err(failed)?;
    watcher.watch(&options.directory, RecursiveMode::Recursive).map_err(failed)?;
    loop {
        let start = Instant::now();
        // What is wrong with the configuration can be mended while it is watched.
        match Engine::new(Options { keep: true, ..options.clone() }, sessionlint_languages::ALL) {
            Ok(engine) => until_files_come_or_go(check, options, &engine, &changes, start)?,
            Err(failure) => {
                terminal::complain(&check::told(check, &failure));
                next(&changes)?;
            }
        }
    }
}

/// Checks with what is known, until the set of files or the settings change.
fn until_files_come_or_go(
    check: &Check,
    options: &Options,
    engine: &Engine,
    changes: &Receiver<notify::Event>,
    mut start: Instant,
) -> Result<(), String> {
    loop {
        let checked = engine.check(engine.requested(), &Overlay::new(), options.fixes, &|_, _, _| {});
        if terminal::stdout_is_terminal() && check.output.is_none() {
            // Clears the screen and what scrolled away.
            terminal::print("\u{1b}[2J\u{1b}[3J\u{1b}[H").map_err(|error| error.to_string())?;
        }
        match checked {
            Ok(mut outcome) => {
                engine.apply_baseline(&mut outcome).map_err(|failure| failure.to_string())?;
                outcome.notes = engine.notes(Some(&outcome));
                outcome.dependencies = engine.dependencies().to_vec();
                check::once(check, options, outcome, start)?;
            }
            Err(failure) => {
                check::refuse(&failure.to_string());
            }
        }
        loop {
            let changed = next(changes)?;
            start = Instant::now();
            if changed
                .iter()
                .any(|path| decides(path) || (is_rust(path) && !engine.knows(path)) || is_gone(engine, path))
            {
                return Ok(());
            }
            if changed.iter().any(|path| engine.knows(path)) {
                break;
            }
        }
    }
}

fn is_rust(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "rs") && path.is_file()
}

/// Whether a file decides what is known or reported.
fn decides(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let own = ["Cargo.lock", "sessionlint-baseline.json", ".gitignore", ".ignore"];
    own.contains(&name) || sessionlint_engine::CONFIG_NAMES.contains(&name)
}

fn is_gone(engine: &Engine, path: &Path) -> bool {
    engine.knows(path) && !path.exists()
}

/// The paths of the next changes.
fn next(changes: &Receiver<notify::Event>) -> Result<Vec<PathBuf>, String> {
    let ended = |_| "files are not watched any more".to_owned();
    loop {
        let mut events = vec![changes.recv().map_err(ended)?];
        while let Ok(event) = changes.recv_timeout(PAUSE) {
            events.push(event);
        }
        // That a file was read is no change.
        let events = events.into_iter().filter(|event| !event.kind.is_access());
        let paths: Vec<PathBuf> = events.flat_map(|event| event.paths).collect();
        if !paths.is_empty() {
            return Ok(paths);
        }
    }
}
