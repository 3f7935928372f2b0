//! Which command does what?

use crate::arguments::{Arguments, Cargo, Check, Command, Format};
use crate::options::options;
use crate::{baseline, check, debug, describe, init, progress, shell, show, watch};
use std::process::ExitCode;
use std::time::Instant;

/// Runs what the arguments ask for.
pub fn run(arguments: Arguments) -> ExitCode {
    match arguments.command {
        None => checked(&arguments.check),
        Some(Command::Check(check)) => checked(&check),
        Some(Command::Rules { rule, format }) => describe::rules(rule.as_deref(), format),
        Some(Command::Explain { rule }) => describe::explain(&rule),
        Some(Command::Libraries { learned: Some(path), .. }) => describe::learned(path),
        Some(Command::Libraries { name, learned: None }) => describe::libraries(name.as_deref()),
        Some(Command::Init { stdout }) => init::run(stdout),
        Some(Command::Baseline(baseline)) => baseline::run(&baseline),
        Some(Command::Lsp) => match sessionlint_lsp::serve() {
            true => ExitCode::SUCCESS,
            false => ExitCode::FAILURE,
        },
        Some(Command::Completions { shell }) => shell::completions(shell),
        Some(Command::Man) => shell::man(),
        Some(Command::Schema { of }) => describe::schema(of),
        Some(Command::Debug { facts, function, check }) => debug::run(facts, &function, &check),
    }
}

/// Checks, and gives the exit status: 0 for nothing found, 1 for findings, 2 when it could not run.
fn checked(check: &Check) -> ExitCode {
    let start = Instant::now();
    let done = options(check).and_then(|options| {
        if check.show_files || check.show_settings {
            return show::run(check, options);
        }
        if check.statistics && !matches!(check.format, Format::Pretty | Format::Concise | Format::Json) {
            return Err("--statistics goes with --format pretty, concise and json".to_owned());
        }
        if check.watch {
            return watch::run(check, &options);
        }
        if check.cargo != Cargo::None && check.format != Format::CargoJson {
            return Err("--cargo goes with --format cargo-json".to_owned());
        }
        let outcome = progress::shown(check, &options, start).map_err(|failure| check::told(check, &failure))?;
        check::once(check, &options, outcome, start)
    });
    done.unwrap_or_else(|message| check::refuse(&message))
}
