//! The command `check`: options in, report out.

use crate::arguments::{Arguments, Check, FailOn, Format};
use crate::{cargo_messages, progress, terminal};
use clap::CommandFactory;
use sessionlint_diagnostics::{Applicability, Level};
use sessionlint_engine::{Failure, Options, Outcome, SilencedBy};
use sessionlint_protocols::nearest;
use sessionlint_report::{Dependency, File, Run, Silenced, Skipped, Style};
use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;
use std::time::Instant;

/// So often fixes are applied, because one may make another one possible.
const MAX_PASSES: usize = 8;

/// What is done with an outcome: files are changed where that is asked for, the report is written.
pub fn once(check: &Check, options: &Options, outcome: Outcome, start: Instant) -> Result<ExitCode, String> {
    if let Some(reason) = &check.suppress {
        return suppress(check, options, &outcome, reason, start);
    }
    let (outcome, written) = match check.fix {
        true => fix(check, options, outcome, start)?,
        false => (outcome, Written::default()),
    };
    let patch = check.diff.then(|| {
        let changes = sessionlint_engine::changed(&outcome, check.unsafe_fixes);
        let patches = changes.iter().map(|one| sessionlint_report::patch(&one.path, &one.before, &one.after));
        patches.collect::<String>()
    });
    let run = limited(check, to_report(outcome, start));
    let report = match patch {
        Some(patch) => patch,
        None => report(check, options, &run)?,
    };
    write_report(check, &report)?;
    if let Some(path) = &check.graph {
        let page = sessionlint_report::graph(&run);
        std::fs::write(path, page).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(written.status(finish(check, &run, written.findings)))
}

/// The report in the format that was asked for.
fn report(check: &Check, options: &Options, run: &Run) -> Result<String, String> {
    let to_terminal = terminal::stdout_is_terminal() && check.output.is_none();
    let host = terminal::host();
    let links = terminal::color(check.hyperlinks, to_terminal).then_some((host.as_str(), options.directory.as_path()));
    let style = Style { color: terminal::color(check.color, to_terminal), width: terminal::width(), links };
    let format = match check.format {
        Format::Pretty => sessionlint_report::Format::Pretty,
        Format::Concise => sessionlint_report::Format::Concise,
        Format::Json => sessionlint_report::Format::Json,
        Format::Jsonl => sessionlint_report::Format::Jsonl,
        Format::Sarif => sessionlint_report::Format::Sarif,
        Format::Github => sessionlint_report::Format::Github,
        Format::Gitlab => sessionlint_report::Format::Gitlab,
        Format::Junit => sessionlint_report::Format::Junit,
        Format::Markdown => sessionlint_report::Format::Markdown,
        Format::CargoJson => {
            let packages = cargo_messages::packages(&options.directory)?;
            let mut text = cargo_messages::passed_on(check)?;
            text.push_str(&sessionlint_report::cargo_json(run, &packages, &options.directory));
            return Ok(text);
        }
    };
    Ok(match (check.statistics, check.format) {
        (true, Format::Json) => sessionlint_report::statistics_json(run),
        (true, _) => sessionlint_report::statistics(run),
        (false, _) => sessionlint_report::render(run, format, style),
    })
}

/// A run of which the report shows as many findings as it may.
fn limited(check: &Check, mut run: Run) -> Run {
    if let Some(max) = check.max_findings.filter(|max| *max < run.findings.len()) {
        run.not_shown = run.findings.split_off(max);
    }
    run
}

fn is_for_people(check: &Check) -> bool {
    matches!(check.format, Format::Pretty | Format::Concise)
}

/// A failure as it is told; mistakes in the configuration are shown in the file.
pub fn told(check: &Check, failure: &Failure) -> String {
    let Failure::Config(error) = failure else { return mistyped(failure).unwrap_or_else(|| failure.to_string()) };
    let color = terminal::color(check.color, terminal::stderr_is_terminal());
    let style = Style { color, width: terminal::width(), links: None };
    let (name, help) = (&error.name, error.help.as_deref());
    sessionlint_report::config_error(name, &error.text, &error.message, error.span.clone(), help, style)
}

/// A word that was meant as a command, and is taken for a path that is not there.
fn mistyped(failure: &Failure) -> Option<String> {
    let Failure::Path { path, error } = failure else { return None };
    let word = std::env::args_os().nth(1)?.into_string().ok()?;
    if error.kind() != std::io::ErrorKind::NotFound || path.file_name()? != word.as_str() {
        return None;
    }
    let arguments = Arguments::command();
    let near = nearest(&word, arguments.get_subcommands().map(clap::Command::get_name))?;
    Some(format!("no such file or directory `{word}`; did you mean the command `{near}`?"))
}

/// What came of changing files.
#[derive(Default)]
struct Written {
    /// The findings that the changes were for.
    findings: usize,
    /// The files that were changed.
    changed: BTreeSet<String>,
    /// The files that could not be, and why.
    refused: BTreeMap<String, String>,
}

impl Written {
    /// Changes files; one that cannot be does not stop the rest. Whether any was changed.
    fn write(&mut self, options: &Options, changes: &[sessionlint_engine::Changed]) -> bool {
        let mut any = false;
        for change in changes {
            if self.refused.contains_key(&change.path) {
                continue;
            }
            match sessionlint_engine::write(&options.directory, change) {
                Ok(()) => {
                    self.findings += change.fixed;
                    self.changed.insert(change.path.clone());
                    any = true;
                }
                Err(error) => {
                    self.refused.insert(change.path.clone(), error.to_string());
                }
            }
        }
        any
    }

    /// Says what was changed and what could not be, when something could not be; that makes the exit status 2.
    fn status(&self, status: ExitCode) -> ExitCode {
        if self.refused.is_empty() {
            return status;
        }
        for path in &self.changed {
            terminal::complain(&format!("{path}: changed\n"));
        }
        for (path, error) in &self.refused {
            terminal::complain(&format!("{path}: could not be changed: {error}\n"));
        }
        ExitCode::from(2)
    }
}

/// Applies fixes until there are no more.
fn fix(check: &Check, options: &Options, first: Outcome, start: Instant) -> Result<(Outcome, Written), String> {
    let (mut outcome, mut written) = (first, Written::default());
    for _ in 0..MAX_PASSES {
        let changes = sessionlint_engine::changed(&outcome, check.unsafe_fixes);
        if !written.write(options, &changes) {
            break;
        }
        outcome = progress::shown(check, options, start).map_err(|failure| failure.to_string())?;
    }
    Ok((outcome, written))
}

/// Writes a comment for every finding, and checks again.
fn suppress(
    check: &Check,
    options: &Options,
    outcome: &Outcome,
    reason: &str,
    start: Instant,
) -> Result<ExitCode, String> {
    let reason = reason.trim();
    if reason.is_empty() || reason.contains(['\n', '\r']) {
        return Err("--suppress needs a reason, on one line".to_owned());
    }
    let (changes, left) = sessionlint_engine::silence(outcome, sessionlint_languages::ALL, reason);
    let mut written = Written::default();
    written.write(options, &changes);
    if !check.quiet {
        let left =
            if left > 0 { format!("; {left} left, because no comment can suppress them") } else { String::new() };
        let (count, plural) = (written.findings, if written.findings == 1 { "finding" } else { "findings" });
        let (changed, files) = (written.changed.len(), if written.changed.len() == 1 { "file" } else { "files" });
        terminal::complain(&format!("{count} {plural} suppressed in {changed} {files}{left}\n"));
    }
    let outcome = progress::shown(check, options, start).map_err(|failure| failure.to_string())?;
    let run = limited(check, to_report(outcome, start));
    write_report(check, &report(check, options, &run)?)?;
    Ok(written.status(finish(check, &run, 0)))
}

/// Writes the report where it was asked for.
///
/// # Errors
/// When it cannot be written.
pub fn write_report(check: &Check, report: &str) -> Result<(), String> {
    match &check.output {
        Some(path) => std::fs::write(path, report).map_err(|error| format!("{}: {error}", path.display())),
        None => terminal::print(report).map_err(|error| format!("standard output: {error}")),
    }
}

/// What is said beside the report, and the exit status.
fn finish(check: &Check, run: &Run, fixed: usize) -> ExitCode {
    if check.verbose {
        terminal::complain(&sessionlint_report::verbose(run));
    }
    terminal::complain(&sessionlint_report::internal_errors(&run.skipped));
    if !check.quiet {
        notes(check, run);
    }
    if !check.quiet && (is_for_people(check) || check.output.is_some()) {
        if fixed > 0 {
            terminal::complain(&format!("{fixed} {} fixed\n", if fixed == 1 { "finding" } else { "findings" }));
        }
        terminal::complain(&sessionlint_report::summary(run));
        hints(check, run);
    }
    if run.nothing_checked {
        return refuse("nothing could be checked");
    }
    let fail_on = if check.exit_zero { FailOn::Never } else { check.fail_on };
    let fails = run.all_findings().any(|finding| match fail_on {
        FailOn::Never => false,
        FailOn::Deny => finding.level >= Level::Deny,
        FailOn::Warn => finding.level >= Level::Warn,
    });
    ExitCode::from(u8::from(fails))
}

/// Why less is said than somebody may expect.
fn notes(check: &Check, run: &Run) {
    for note in &run.notes {
        terminal::complain(&format!("sessionlint: {note}\n"));
    }
    if check.unsafe_fixes && !check.fix && !check.diff {
        terminal::complain("sessionlint: `--unsafe-fixes` has no effect without `--fix` or `--diff`\n");
    }
    if run.stale > 0 {
        let entries = if run.stale == 1 {
            "1 entry of the baseline matches"
        } else {
            &format!("{} entries of the baseline match", run.stale)
        };
        terminal::complain(&format!("{entries} no finding any more; `sessionlint baseline --prune` removes them\n"));
    }
}

/// What could be done next.
fn hints(check: &Check, run: &Run) {
    let fixable = run.all_findings().filter(|finding| !finding.fixes.is_empty());
    let (safe, guesses): (Vec<_>, Vec<_>) =
        fixable.partition(|finding| finding.fixes.iter().any(|fix| fix.applicability == Applicability::Safe));
    let fixes = |count: usize| if count == 1 { "1 fix".to_owned() } else { format!("{count} fixes") };
    if !safe.is_empty() && !check.diff {
        terminal::complain(&format!("{} available with `--fix` (`--diff` shows them)\n", fixes(safe.len())));
    }
    if !guesses.is_empty() && !check.unsafe_fixes {
        let option = if check.diff { "--diff" } else { "--fix" };
        let count = fixes(guesses.len());
        terminal::complain(&format!("{count} available with `{option} --unsafe-fixes` (may change behaviour)\n"));
    }
    if let Some(first) = run.findings.first().filter(|_| check.format == Format::Pretty && !check.statistics) {
        terminal::complain(&format!(
            "more about a rule: `sessionlint explain {0}`\nwhere it is meant: `// sessionlint: allow({0}) -- why`\n",
            first.rule
        ));
    }
}

/// Says why it could not run.
pub fn refuse(message: &str) -> ExitCode {
    // What is shown in a file stands for itself.
    let shown = if message.contains('\n') { message.to_owned() } else { format!("sessionlint: {message}\n") };
    terminal::complain(&shown);
    ExitCode::from(2)
}

/// What was skipped, as reports take it.
pub fn skipped(skipped: Vec<sessionlint_engine::Skipped>) -> Vec<Skipped> {
    let one = |one: sessionlint_engine::Skipped| Skipped {
        path: one.path,
        reason: one.reason,
        line: one.line,
        internal: one.internal,
    };
    skipped.into_iter().map(one).collect()
}

/// An outcome as reports take it.
pub fn to_report(outcome: Outcome, start: Instant) -> Run {
    let timing = &outcome.timing;
    let parts = [
        ("finding the files", timing.files),
        ("reading them", timing.read),
        ("analysing functions", timing.functions),
        ("trying fixes", timing.fixes),
    ];
    let times = if timing.kept { Vec::new() } else { parts.to_vec() };
    Run {
        version: env!("CARGO_PKG_VERSION"),
        findings: outcome.findings,
        not_shown: Vec::new(),
        times,
        files: outcome.files.into_iter().map(|file| File { path: file.path, text: file.text }).collect(),
        skipped: skipped(outcome.skipped),
        gaps: outcome.gaps,
        silenced: outcome
            .silenced
            .into_iter()
            .map(|one| match one.by {
                SilencedBy::Comment(reason) => Silenced { finding: one.finding, reason, by_baseline: false },
                SilencedBy::Baseline => Silenced { finding: one.finding, reason: None, by_baseline: true },
            })
            .collect(),
        dependencies: outcome
            .dependencies
            .into_iter()
            .map(|one| Dependency { package: one.package, version: one.version, files: one.files })
            .collect(),
        stale: outcome.stale.len(),
        file_count: outcome.summary.files,
        function_count: outcome.summary.functions,
        session_count: outcome.summary.sessions,
        levels: outcome.summary.findings,
        nothing_checked: outcome.summary.nothing_checked,
        notes: outcome.notes,
        elapsed_ms: u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX),
    }
}
