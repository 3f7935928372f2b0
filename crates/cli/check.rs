//! The command `check`: options in, report out.

use crate::arguments::{Check, FailOn, Format, Profile, Tests};
use crate::terminal;
use indicatif::{ProgressBar, ProgressStyle};
use sessionlint_diagnostics::Level;
use sessionlint_engine::{Failure, LevelFlag, Options, Outcome, SilencedBy, StandardInput};
use sessionlint_report::{File, Run, Silenced, Skipped, Style};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// So often fixes are applied, because one may make another one possible.
const MAX_PASSES: usize = 8;
/// Shorter runs show no progress.
const PATIENCE: Duration = Duration::from_millis(700);

/// Checks, and gives the exit status: 0 for nothing found, 1 for findings, 2 when it could not run.
pub fn run(check: &Check) -> ExitCode {
    let start = Instant::now();
    // A panic in one function is reported as a skipped item; the thread's own message helps nobody.
    if !check.verbose {
        std::panic::set_hook(Box::new(|_| {}));
    }
    let style = Style {
        color: terminal::color(check.color, terminal::stdout_is_terminal() && check.output.is_none()),
        width: terminal::width(),
    };
    let options = match options(check) {
        Ok(options) => options,
        Err(message) => return refuse(&message),
    };
    let outcome = match with_progress(check, &options, start) {
        Ok(outcome) => outcome,
        Err(Failure::Config(error)) => {
            let style = Style { color: terminal::color(check.color, terminal::stderr_is_terminal()), ..style };
            let help = error.help.as_deref();
            let shown = sessionlint_report::config_error(
                &error.name,
                &error.text,
                &error.message,
                error.span.clone(),
                help,
                style,
            );
            terminal::complain(&shown);
            return ExitCode::from(2);
        }
        Err(failure) => return refuse(&failure.to_string()),
    };
    let (outcome, fixed) = match check.fix {
        true => match fix(check, &options, outcome, start) {
            Ok(done) => done,
            Err(message) => return refuse(&message),
        },
        false => (outcome, 0),
    };
    if check.diff {
        let changes = sessionlint_engine::changed(&outcome, check.unsafe_fixes);
        let patch: String = changes
            .iter()
            .map(|change| sessionlint_report::patch(&change.path, &change.before, &change.after))
            .collect();
        let run = to_report(outcome, start);
        return match write_report(check, &patch) {
            Ok(()) => finish(check, &run, 0),
            Err(message) => refuse(&message),
        };
    }
    let run = to_report(outcome, start);
    let format = match check.format {
        Format::Pretty => sessionlint_report::Format::Pretty,
        Format::Concise => sessionlint_report::Format::Concise,
        Format::Json => sessionlint_report::Format::Json,
        Format::Jsonl => sessionlint_report::Format::Jsonl,
    };
    let mut report = sessionlint_report::render(&run, format, style);
    let for_people = matches!(check.format, Format::Pretty | Format::Concise);
    if check.statistics && for_people {
        report.push_str(&sessionlint_report::statistics(&run));
    }
    if let Err(message) = write_report(check, &report) {
        return refuse(&message);
    }
    finish(check, &run, fixed)
}

/// Applies fixes until there are no more, and says how many findings they were for.
fn fix(check: &Check, options: &Options, first: Outcome, start: Instant) -> Result<(Outcome, usize), String> {
    let (mut outcome, mut fixed) = (first, 0);
    for _ in 0..MAX_PASSES {
        let changes = sessionlint_engine::changed(&outcome, check.unsafe_fixes);
        if changes.is_empty() {
            break;
        }
        for change in &changes {
            sessionlint_engine::write(&options.directory, change)
                .map_err(|error| format!("{}: could not be changed: {error}", change.path))?;
            fixed += change.fixed;
        }
        outcome = with_progress(check, options, start).map_err(|failure| failure.to_string())?;
    }
    Ok((outcome, fixed))
}

fn write_report(check: &Check, report: &str) -> Result<(), String> {
    match &check.output {
        Some(path) => std::fs::write(path, report).map_err(|error| format!("{}: {error}", path.display())),
        None => terminal::print(report).map_err(|error| format!("standard output: {error}")),
    }
}

/// What is said beside the report, and the exit status.
fn finish(check: &Check, run: &Run, fixed: usize) -> ExitCode {
    let for_people = matches!(check.format, Format::Pretty | Format::Concise);
    if check.verbose {
        terminal::complain(&sessionlint_report::verbose(run));
    }
    if !check.quiet && (for_people || check.output.is_some()) {
        if fixed > 0 {
            terminal::complain(&format!("{fixed} {} fixed\n", if fixed == 1 { "finding" } else { "findings" }));
        }
        terminal::complain(&sessionlint_report::summary(run));
        let fixable = run.findings.iter().filter(|finding| !finding.fixes.is_empty());
        let (safe, guesses): (Vec<_>, Vec<_>) = fixable.partition(|finding| {
            finding.fixes.iter().any(|fix| fix.applicability == sessionlint_diagnostics::Applicability::Safe)
        });
        if !safe.is_empty() && !check.diff {
            terminal::complain(&format!("{} can be fixed with `--fix`, or seen with `--diff`\n", safe.len()));
        }
        if !guesses.is_empty() && !check.unsafe_fixes {
            terminal::complain(&format!(
                "{} more with `--unsafe-fixes`, which guesses what was meant\n",
                guesses.len()
            ));
        }
        if let Some(first) = run.findings.first().filter(|_| matches!(check.format, Format::Pretty)) {
            terminal::complain(&format!("`sessionlint explain {}` says what a rule means and why\n", first.rule));
        }
    }
    let fails = run.findings.iter().any(|finding| match check.fail_on {
        FailOn::Never => false,
        FailOn::Deny => finding.level >= Level::Deny,
        FailOn::Warn => finding.level >= Level::Warn,
    });
    ExitCode::from(u8::from(fails))
}

fn refuse(message: &str) -> ExitCode {
    terminal::complain(&format!("sessionlint: {message}\n"));
    ExitCode::from(2)
}

fn options(check: &Check) -> Result<Options, String> {
    let directory = std::env::current_dir().map_err(|error| format!("the working directory: {error}"))?;
    let mut options = Options {
        directory,
        paths: check.paths.clone(),
        isolated: check.isolated,
        force_exclude: check.force_exclude,
        no_ignore: check.no_ignore,
        threads: check.threads,
        fixes: true,
        ..Options::default()
    };
    options.profile = check.profile.map(|profile| match profile {
        Profile::Default => sessionlint_protocols::Profile::Default,
        Profile::Strict => sessionlint_protocols::Profile::Strict,
    });
    options.tests = check.tests.map(|tests| match tests {
        Tests::Include => sessionlint_protocols::TestCode::Include,
        Tests::Skip => sessionlint_protocols::TestCode::Skip,
    });
    for config in &check.config {
        if config.contains('=') && !Path::new(config).exists() {
            options.inline.push(config.clone());
        } else {
            options.config = Some(PathBuf::from(config));
        }
    }
    if let Some(path) = &check.files_from {
        options.paths.extend(paths_in(path)?);
    } else if options.paths.is_empty() {
        options.paths.push(PathBuf::from("."));
    }
    if let Some(path) = &check.stdin_filename {
        let mut text = Vec::new();
        std::io::stdin().lock().read_to_end(&mut text).map_err(|error| format!("standard input: {error}"))?;
        options.stdin = Some(StandardInput { path: path.clone(), text });
    }
    options.levels = level_flags();
    Ok(options)
}

fn paths_in(path: &Path) -> Result<Vec<PathBuf>, String> {
    let text = if path == Path::new("-") {
        std::io::read_to_string(std::io::stdin().lock())
    } else {
        std::fs::read_to_string(path)
    };
    let text = text.map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(text.lines().map(str::trim).filter(|line| !line.is_empty()).map(PathBuf::from).collect())
}

/// `--allow`, `--warn` and `--deny` in the order in which they stand: the last one wins.
fn level_flags() -> Vec<LevelFlag> {
    let mut flags = Vec::new();
    let mut words = std::env::args();
    while let Some(word) = words.next() {
        let (name, value) = match word.split_once('=') {
            Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
            None => (word, None),
        };
        let level = match name.as_str() {
            "--allow" => Level::Allow,
            "--warn" => Level::Warn,
            "--deny" => Level::Deny,
            "--" => break,
            _ => continue,
        };
        if let Some(rule) = value.or_else(|| words.next()) {
            flags.push(LevelFlag { rule, level });
        }
    }
    flags
}

fn with_progress(check: &Check, options: &Options, start: Instant) -> Result<Outcome, Failure> {
    let bar: OnceLock<ProgressBar> = OnceLock::new();
    let show = !check.no_progress && !check.quiet && terminal::stderr_is_terminal();
    let outcome = sessionlint_engine::run(options, &|done, total| {
        if show && start.elapsed() > PATIENCE {
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

fn to_report(outcome: Outcome, start: Instant) -> Run {
    Run {
        version: env!("CARGO_PKG_VERSION"),
        findings: outcome.findings,
        files: outcome.files.into_iter().map(|file| File { path: file.path, text: file.text }).collect(),
        skipped: outcome
            .skipped
            .into_iter()
            .map(|one| Skipped { path: one.path, reason: one.reason, line: one.line })
            .collect(),
        gaps: outcome.gaps,
        silenced: outcome
            .silenced
            .into_iter()
            .map(|one| match one.by {
                SilencedBy::Comment(reason) => Silenced { finding: one.finding, reason, by_baseline: false },
                SilencedBy::Baseline => Silenced { finding: one.finding, reason: None, by_baseline: true },
            })
            .collect(),
        stale: outcome.stale.len(),
        file_count: outcome.summary.files,
        function_count: outcome.summary.functions,
        session_count: outcome.summary.sessions,
        levels: outcome.summary.findings,
        elapsed_ms: u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX),
    }
}
