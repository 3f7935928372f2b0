//! What was asked for? Options of a run, the configuration file, and what can make a run impossible.

use crate::config::{FoundConfig, find_config};
use sessionlint_diagnostics::Level;
use sessionlint_protocols::{Config, ConfigError, ConfigPlace, Model, Profile, RuleSet, TestCode};
use std::path::{Path, PathBuf};

/// A level that was set on the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LevelFlag {
    /// A rule's id, or `all`.
    pub rule: String,
    /// Its level. `None` turns the rule on where it is off: it gets its level in a profile that reports it.
    pub level: Option<Level>,
}

/// One file given on standard input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StandardInput {
    /// Where it would stand.
    pub path: PathBuf,
    /// Its text.
    pub text: Vec<u8>,
}

/// Which baseline counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum BaselineChoice {
    /// The one beside the configuration, when there is one.
    #[default]
    Default,
    /// None.
    None,
    /// This one.
    File(PathBuf),
}

/// What to check, and how.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The directory that paths are shown relative to.
    pub directory: PathBuf,
    /// Files and directories whose findings are reported.
    pub paths: Vec<PathBuf>,
    /// Files that are not on disk yet: an editor has them, and gives their texts with each check.
    pub unsaved: Vec<PathBuf>,
    /// One file that is read from standard input instead.
    pub stdin: Option<StandardInput>,
    /// A configuration file named on the command line.
    pub config: Option<PathBuf>,
    /// Settings in TOML from the command line, over those of the file.
    pub inline: Vec<String>,
    /// Whether no configuration file is read.
    pub isolated: bool,
    /// The profile, over that of the file.
    pub profile: Option<Profile>,
    /// What to do with test code, over the file.
    pub tests: Option<TestCode>,
    /// Levels, in order; the last one wins.
    pub levels: Vec<LevelFlag>,
    /// The rules that are reported at all, or `all`; every rule when none is named.
    pub select: Vec<String>,
    /// The packages of the workspace that are checked, by name or glob, instead of paths.
    pub packages: Vec<String>,
    /// Whether only files with staged changes are checked, as they are staged.
    pub staged: bool,
    /// Whether excludes hold for paths named on the command line too.
    pub force_exclude: bool,
    /// Whether ignore files are not read.
    pub no_ignore: bool,
    /// Whether the sources of dependencies are read where they are on the disk, as the configuration may ask, too.
    pub deps: bool,
    /// Number of threads; 0 for as many as there are cores.
    pub threads: usize,
    /// Whether fixes are tried, and offered when they hold what they promise.
    pub fixes: bool,
    /// Which baseline counts.
    pub baseline: BaselineChoice,
    /// Only findings that have to do with what changed since this revision.
    pub new_from: Option<String>,
    /// The directory that results are kept in, when they are.
    pub cache: Option<PathBuf>,
    /// Whether to tell of the sessions that have a name: for editors.
    pub sessions: bool,
    /// Whether to tell of every function what is known about it: for tests.
    pub describe: bool,
    /// Whether what is known of functions is kept for the next check of the same engine.
    pub keep: bool,
}

impl Options {
    /// Whether only some of the files below the paths are asked for.
    pub(crate) fn is_part(&self) -> bool {
        self.staged || !self.packages.is_empty()
    }
}

/// Why nothing was checked.
#[derive(Debug)]
pub enum Failure {
    /// A mistake in the configuration.
    Config(Box<ConfigError>),
    /// A path named on the command line that cannot be read.
    Path {
        /// The path.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// An option that cannot be understood.
    Option(String),
    /// Threads could not be started.
    Threads(String),
    /// This program is wrong: the message of a panic, and its place.
    Internal(String),
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Failure::Config(error) => write!(f, "{}: {}", error.name, error.message),
            Failure::Path { path, error } => write!(f, "{}: {error}", path.display()),
            Failure::Option(message) | Failure::Threads(message) => f.write_str(message),
            Failure::Internal(what) => write!(
                f,
                "internal error: {what}; this is a bug in sessionlint {}, not in your code; please report it with this line",
                env!("CARGO_PKG_VERSION")
            ),
        }
    }
}

impl std::error::Error for Failure {}

/// The configuration of a run, and the directory that its globs are relative to.
pub(crate) struct Settings {
    pub config: Config,
    pub base: PathBuf,
    /// The configuration file as it is shown, or the option that stands for it.
    pub name: String,
    /// The configuration file as it is shown, when one was read.
    pub file: Option<String>,
    /// The text of the configuration file.
    pub text: String,
    /// Files called rules.toml that belong to another tool, as they are shown.
    pub foreign: Vec<String>,
}

/// Reads the configuration; protocols that it defines are added to `model`.
pub(crate) fn read(options: &Options, rules: &RuleSet, model: &mut Model) -> Result<Settings, Failure> {
    let mut config = Config::default();
    let mut base = options.directory.clone();
    let mut read = String::new();
    let mut name = "--config".to_owned();
    let mut file = None;
    let found = match (&options.config, options.isolated) {
        (Some(path), _) => FoundConfig { config: Some((path.clone(), ConfigPlace::File)), foreign: Vec::new() },
        (None, true) => FoundConfig::default(),
        (None, false) => find_config(&options.directory),
    };
    if let Some((path, place)) = found.config {
        let text = std::fs::read_to_string(&path).map_err(|error| Failure::Path { path: path.clone(), error })?;
        name = crate::paths::shown(&options.directory, &path);
        let parsed = Config::parse_at(place, &name, &text, rules, model);
        config = parsed.map_err(|error| Failure::Config(Box::new(error)))?;
        let beside = crate::paths::absolute(&options.directory, &path);
        base = beside.parent().map(Path::to_path_buf).unwrap_or(base);
        read = text;
        file = Some(name.clone());
    }
    for text in &options.inline {
        let inline = Config::parse("--config", text, rules, model).map_err(|error| Failure::Config(Box::new(error)))?;
        config.merge(inline);
    }
    for flag in &options.levels {
        if flag.rule != "all" && rules.get(&flag.rule).is_none() {
            let hint = rules.did_you_mean(&flag.rule).map(|hint| format!("; {hint}")).unwrap_or_default();
            return Err(Failure::Option(format!("no rule is called `{}`{hint}", flag.rule)));
        }
    }
    let foreign = found.foreign.iter().map(|path| crate::paths::shown(&options.directory, path)).collect();
    Ok(Settings { config, base, name, file, text: read, foreign })
}
