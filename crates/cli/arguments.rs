//! What can be asked for? Commands and options.

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Finds database transactions, connections and sessions that are opened and never ended.
#[derive(Debug, Parser)]
#[command(name = "sessionlint", version, args_conflicts_with_subcommands = true)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Option<Command>,
    #[command(flatten)]
    pub check: Check,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Find mistakes (what happens without a command, too)
    Check(Check),
    /// List the rules, or say one line about one
    Rules {
        /// Id of a rule
        rule: Option<String>,
        #[arg(long, value_enum, default_value = "text")]
        format: ListFormat,
    },
    /// Say what a rule means and why, with bad and good code
    Explain {
        /// Id of a rule
        rule: String,
    },
    /// List what is known about libraries: types, how they are opened and ended, what dropping does
    Libraries {
        /// Name of a library
        name: Option<String>,
        /// List the transaction types of the project's own that were found below a path, and what says so
        #[arg(long, value_name = "PATH", num_args = 0..=1, default_missing_value = ".", conflicts_with = "name")]
        learned: Option<PathBuf>,
    },
    /// Write a commented rules.toml that fits the dependencies of this workspace
    Init {
        /// Print it instead
        #[arg(long)]
        stdout: bool,
    },
    /// Write the baseline: what is found now is not reported again
    Baseline(Baseline),
    /// Run the language server on standard input and output
    Lsp,
    /// Write a script for a shell that completes commands and options
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Write the manual page
    Man,
    /// Write a JSON schema, for editors and other programs
    Schema {
        /// Of rules.toml, of the JSON report, or of its statistics
        #[arg(value_enum)]
        of: Schema,
    },
    /// Say what is known of a function, for those who work on this program; not stable
    #[command(hide = true)]
    Debug {
        /// What to show
        #[arg(value_enum)]
        facts: Facts,
        /// A name, or the last parts of a path: `Type::name`
        function: String,
        #[command(flatten)]
        check: Box<Check>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Facts {
    Ir,
    Types,
    Summary,
    States,
}

#[derive(Args, Debug)]
pub struct Baseline {
    /// Drop the entries that nothing matches any more, and add none
    #[arg(long)]
    pub prune: bool,
    #[command(flatten)]
    pub check: Check,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Schema {
    Rules,
    Report,
    Statistics,
}

#[derive(Args, Debug, Default)]
pub struct Check {
    /// Files and directories to check
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Check only this package of the workspace, instead of paths; may be repeated, and be a glob
    #[arg(long, short, value_name = "NAME", conflicts_with_all = ["paths", "files_from", "stdin_filename"])]
    pub package: Vec<String>,
    /// Check only files with staged changes, as they are staged
    #[arg(long, conflicts_with_all = ["fix", "diff", "suppress", "watch", "stdin_filename", "new_from"])]
    pub staged: bool,
    /// How the report is written
    #[arg(long, visible_alias = "output-format", value_enum, default_value_t)]
    pub format: Format,
    /// Write the report to a file
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Another file of settings, or one setting in TOML (`profile = "strict"`)
    #[arg(long, value_name = "FILE|KEY=VALUE")]
    pub config: Vec<String>,
    /// Read no configuration file
    #[arg(long)]
    pub isolated: bool,
    /// `strict` also enforces explicit commit and rollback on every path
    #[arg(long, value_enum)]
    pub profile: Option<Profile>,
    /// Do not report a rule; `all` names every rule
    #[arg(long, value_name = "RULE")]
    pub allow: Vec<String>,
    /// Report a rule as a warning
    #[arg(long, value_name = "RULE")]
    pub warn: Vec<String>,
    /// Report a rule as an error
    #[arg(long, value_name = "RULE")]
    pub deny: Vec<String>,
    /// Report these rules only, a list with commas; rules that are off by default are turned on
    #[arg(long, value_name = "RULES", value_delimiter = ',')]
    pub select: Vec<String>,
    /// Report these rules as well, also where they are off
    #[arg(long, value_name = "RULES", value_delimiter = ',')]
    pub extend_select: Vec<String>,
    /// Do not report these rules: `--allow` with a list
    #[arg(long, value_name = "RULES", value_delimiter = ',')]
    pub ignore: Vec<String>,
    /// What to do with test code
    #[arg(long, value_enum)]
    pub tests: Option<Tests>,
    /// Read one file from standard input, as if it stood at this path
    #[arg(long, value_name = "PATH")]
    pub stdin_filename: Option<PathBuf>,
    /// Read paths from a file, one a line; `-` is standard input
    #[arg(long, value_name = "FILE")]
    pub files_from: Option<PathBuf>,
    /// Apply excludes also to paths named on the command line
    #[arg(long)]
    pub force_exclude: bool,
    /// Check also what ignore files leave out
    #[arg(long)]
    pub no_ignore: bool,
    /// Read also the sources of dependencies that put something around a library, where they are on the disk
    #[arg(long)]
    pub deps: bool,
    /// Apply the fixes that are safe
    #[arg(long, conflicts_with = "stdin_filename")]
    pub fix: bool,
    /// With --fix or --diff, also fixes that may change what the code does
    #[arg(long)]
    pub unsafe_fixes: bool,
    /// Print the fixes as a patch, and change nothing
    #[arg(long, conflicts_with = "fix")]
    pub diff: bool,
    /// Known findings that are not reported [default: sessionlint-baseline.json beside the settings]
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<PathBuf>,
    /// Use no baseline
    #[arg(long, conflicts_with = "baseline")]
    pub no_baseline: bool,
    /// Report only what has a step on a line that changed since the merge base with this revision
    #[arg(long, value_name = "REV")]
    pub new_from: Option<String>,
    /// Write a comment with this reason that suppresses it, for every finding
    #[arg(long, value_name = "REASON", conflicts_with_all = ["fix", "diff", "stdin_filename"])]
    pub suppress: Option<String>,
    /// Write a page with a picture of every walk
    #[arg(long, value_name = "FILE")]
    pub graph: Option<PathBuf>,
    /// Check again whenever a file changes
    #[arg(long, conflicts_with_all = ["fix", "diff", "suppress", "stdin_filename"])]
    pub watch: bool,
    /// With --format cargo-json: also run this, and pass on what it says
    #[arg(long, value_enum, default_value_t)]
    pub cargo: Cargo,
    /// Keep no results, and use none that were kept
    #[arg(long)]
    pub no_cache: bool,
    /// Where results are kept [default: `sessionlint` in the user's cache directory]
    #[arg(long, value_name = "DIR", env = "SESSIONLINT_CACHE_DIR")]
    pub cache_dir: Option<PathBuf>,
    /// Which level makes the exit status 1
    #[arg(long, value_enum, default_value_t)]
    pub fail_on: FailOn,
    /// End with status 0 also when there are findings: `--fail-on never`
    #[arg(long, conflicts_with = "fail_on")]
    pub exit_zero: bool,
    /// Show at most so many findings; the summary and the exit status count all of them
    #[arg(long, value_name = "N")]
    pub max_findings: Option<usize>,
    /// Instead of the findings, count them by rule, and say what took how long (text or JSON)
    #[arg(long)]
    pub statistics: bool,
    /// List the files that would be checked, and check nothing
    #[arg(long)]
    pub show_files: bool,
    /// Print the settings that hold, as a rules.toml, and check nothing; for one file, the settings of that file
    #[arg(long, conflicts_with = "show_files")]
    pub show_settings: bool,
    /// Write the report only
    #[arg(long, short)]
    pub quiet: bool,
    /// List what was skipped and what was not understood
    #[arg(long, short)]
    pub verbose: bool,
    /// When to use colours
    #[arg(long, value_enum, default_value_t)]
    pub color: Color,
    /// When paths are links that a terminal opens
    #[arg(long, value_enum, value_name = "WHEN", default_value_t)]
    pub hyperlinks: Color,
    /// Number of threads; 0 is one for each core
    #[arg(long, value_name = "N", default_value_t)]
    pub threads: usize,
    /// Show no progress
    #[arg(long)]
    pub no_progress: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    #[default]
    Pretty,
    Concise,
    Json,
    Jsonl,
    Sarif,
    Github,
    Gitlab,
    Junit,
    Markdown,
    CargoJson,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Cargo {
    Check,
    Clippy,
    #[default]
    None,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ListFormat {
    #[default]
    Text,
    Json,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Profile {
    Default,
    Strict,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Tests {
    Include,
    Skip,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum FailOn {
    Deny,
    #[default]
    Warn,
    Never,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub enum Color {
    #[default]
    Auto,
    Always,
    Never,
}
