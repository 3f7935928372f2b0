//! What can be asked for? Commands and options.

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Finds database transactions, connections and sessions that are opened and never brought to their end.
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
    },
}

#[derive(Args, Debug, Default)]
pub struct Check {
    /// Files and directories to check
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// How the report is written
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    /// Write the report to a file
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Another rules.toml, or one setting in TOML (`profile = "strict"`)
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
    /// Apply the fixes that cannot harm
    #[arg(long, conflicts_with = "stdin_filename")]
    pub fix: bool,
    /// With --fix or --diff, also those that guess what was meant
    #[arg(long)]
    pub unsafe_fixes: bool,
    /// Print the fixes as a patch, and change nothing
    #[arg(long, conflicts_with = "fix")]
    pub diff: bool,
    /// Which level makes the exit status 1
    #[arg(long, value_enum, default_value_t)]
    pub fail_on: FailOn,
    /// Count findings by rule
    #[arg(long)]
    pub statistics: bool,
    /// Write the report only
    #[arg(long, short)]
    pub quiet: bool,
    /// List what was skipped and what was not understood
    #[arg(long, short)]
    pub verbose: bool,
    /// When to use colours
    #[arg(long, value_enum, default_value_t)]
    pub color: Color,
    /// Number of threads; 0 is one for each core
    #[arg(long, value_name = "N", default_value_t)]
    pub threads: usize,
    /// Show no progress
    #[arg(long)]
    pub no_progress: bool,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub enum Format {
    #[default]
    Pretty,
    Concise,
    Json,
    Jsonl,
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
