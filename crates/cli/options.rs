//! What do the arguments of a check ask for? Arguments in, options of the engine out.

use crate::arguments::{Check, Profile, Tests};
use sessionlint_diagnostics::Level;
use sessionlint_engine::{BaselineChoice, LevelFlag, Options, StandardInput};
use std::io::Read;
use std::path::{Path, PathBuf};

/// The options of a check.
///
/// # Errors
/// When standard input, a list of files or the working directory cannot be read.
pub fn options(check: &Check) -> Result<Options, String> {
    let directory = std::env::current_dir().map_err(|error| format!("the working directory: {error}"))?;
    let mut options = Options {
        directory,
        paths: check.paths.clone(),
        isolated: check.isolated,
        force_exclude: check.force_exclude,
        no_ignore: check.no_ignore,
        deps: check.deps,
        threads: check.threads,
        fixes: true,
        new_from: check.new_from.clone(),
        packages: check.package.clone(),
        staged: check.staged,
        select: check.select.iter().map(|rule| named(rule)).collect(),
        cache: cache_directory(check),
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
    } else if options.paths.is_empty() && check.package.is_empty() {
        options.paths.push(PathBuf::from("."));
    }
    if let Some(path) = &check.stdin_filename {
        let mut text = Vec::new();
        std::io::stdin().lock().read_to_end(&mut text).map_err(|error| format!("standard input: {error}"))?;
        options.stdin = Some(StandardInput { path: path.clone(), text });
    }
    options.baseline = match &check.baseline {
        _ if check.no_baseline => BaselineChoice::None,
        Some(path) => BaselineChoice::File(path.clone()),
        None => BaselineChoice::Default,
    };
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

/// The options that set the level of a rule, in the order in which they stand: the last one wins.
fn level_flags() -> Vec<LevelFlag> {
    let mut flags = Vec::new();
    let mut words = std::env::args_os().map(|word| word.to_string_lossy().into_owned());
    while let Some(word) = words.next() {
        let (name, value) = match word.split_once('=') {
            Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
            None => (word, None),
        };
        let level = match name.as_str() {
            "--allow" | "--ignore" => Some(Level::Allow),
            "--warn" => Some(Level::Warn),
            "--deny" => Some(Level::Deny),
            "--select" | "--extend-select" => None,
            "--" => break,
            _ => continue,
        };
        let rules = value.or_else(|| words.next()).unwrap_or_default();
        flags.extend(rules.split(',').map(|rule| LevelFlag { rule: named(rule), level }));
    }
    flags
}

/// A rule's name; `ALL` is what other tools call all of them.
fn named(rule: &str) -> String {
    let rule = rule.trim();
    if rule.eq_ignore_ascii_case("all") { "all".to_owned() } else { rule.to_owned() }
}

/// The directory that results are kept in: the one that is named, or the user's for such things.
fn cache_directory(check: &Check) -> Option<PathBuf> {
    if check.no_cache {
        return None;
    }
    let from = |variable: &str| std::env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from);
    let user = || match () {
        () if cfg!(windows) => from("LOCALAPPDATA"),
        () if cfg!(target_os = "macos") => from("HOME").map(|home| home.join("Library/Caches")),
        () => from("XDG_CACHE_HOME")
            .filter(|path| path.is_absolute())
            .or_else(|| from("HOME").map(|home| home.join(".cache"))),
    };
    check.cache_dir.clone().or_else(|| user().map(|directory| directory.join("sessionlint")))
}
