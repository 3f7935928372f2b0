//! What can be asked for? Commands and options.

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Finds database transactions, connections, writers and other sessions that Rust code opens and never ends.
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
    /// Find mistakes (the default command)
    Check(Check),
    /// List the rules, or one of them in one line
    Rules {
        /// Id of a rule
        rule: Option<String>,
        #[arg(long, value_enum, default_value = "text")]
        format: ListFormat,
    },
    /// Explain a rule: what it reports, why, and bad and good code
    Explain {
        /// Id of a rule
        rule: String,
    },
    /// List the known libraries, or all that is known about one: its types, how they are opened and ended, what dropping them does
    Libraries {
        /// Name of a library
        name: Option<String>,
        /// List the transaction types that this project defines itself, with the code that shows it
        #[arg(long, value_name = "PATH", num_args = 0..=1, default_missing_value = ".", conflicts_with = "name")]
        learned: Option<PathBuf>,
    },
    /// Write a commented rules.toml for the libraries that this workspace uses
    Init {
        /// Print it to standard output instead
        #[arg(long)]
        stdout: bool,
    },
    /// Write a baseline: findings in it are not reported by later runs
    Baseline(Baseline),
    /// Run the language server on standard input and output
    Lsp,
    /// Print the completion script for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page
    Man,
    /// Print a JSON schema, for editors and other programs
    Schema {
        /// Which schema: of rules.toml, of the JSON report, or of the JSON statistics
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
    Receivers,
}

#[derive(Args, Debug)]
pub struct Baseline {
    /// Remove entries that no finding matches any more, and add none
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
    /// Check this package of the workspace instead of paths; may be repeated, and may be a glob
    #[arg(long, short, value_name = "NAME", conflicts_with_all = ["paths", "files_from", "stdin_filename"], help_heading = "What to check")]
    pub package: Vec<String>,
    /// Check only the files that git has staged, with their staged content
    #[arg(long, conflicts_with_all = ["fix", "diff", "suppress", "watch", "stdin_filename", "new_from"], help_heading = "What to check")]
    pub staged: bool,
    /// Format of the report
    #[arg(long, visible_alias = "output-format", value_enum, default_value_t, help_heading = "Report")]
    pub format: Format,
    /// Write the report to a file
    #[arg(long, value_name = "FILE", help_heading = "Report")]
    pub output: Option<PathBuf>,
    /// Use this settings file, or set one key in TOML (`profile = "strict"`); may be repeated
    #[arg(long, value_name = "FILE|KEY=VALUE", help_heading = "Rules and settings")]
    pub config: Vec<String>,
    /// Read no settings file
    #[arg(long, help_heading = "Rules and settings")]
    pub isolated: bool,
    /// `strict` also asks for an explicit rollback on every error path, and for the limits of pools
    #[arg(long, value_enum, help_heading = "Rules and settings")]
    pub profile: Option<Profile>,
    /// Turn a rule off; `all` stands for every rule
    #[arg(long, value_name = "RULE", help_heading = "Rules and settings")]
    pub allow: Vec<String>,
    /// Report a rule as a warning
    #[arg(long, value_name = "RULE", help_heading = "Rules and settings")]
    pub warn: Vec<String>,
    /// Report a rule as an error
    #[arg(long, value_name = "RULE", help_heading = "Rules and settings")]
    pub deny: Vec<String>,
    /// Report only these rules, separated by commas, also those that are off by default
    #[arg(long, value_name = "RULES", value_delimiter = ',', help_heading = "Rules and settings")]
    pub select: Vec<String>,
    /// Report these rules too, also those that are off by default
    #[arg(long, value_name = "RULES", value_delimiter = ',', help_heading = "Rules and settings")]
    pub extend_select: Vec<String>,
    /// Turn these rules off, separated by commas
    #[arg(long, value_name = "RULES", value_delimiter = ',', help_heading = "Rules and settings")]
    pub ignore: Vec<String>,
    /// Whether test code is checked [default: skip]
    #[arg(long, value_enum, help_heading = "What to check")]
    pub tests: Option<Tests>,
    /// Check one file from standard input, as if it were stored at this path
    #[arg(long, value_name = "PATH", help_heading = "What to check")]
    pub stdin_filename: Option<PathBuf>,
    /// Read the paths to check from a file, one on each line; `-` is standard input
    #[arg(long, value_name = "FILE", help_heading = "What to check")]
    pub files_from: Option<PathBuf>,
    /// Apply `exclude` of the settings also to paths named on the command line
    #[arg(long, help_heading = "What to check")]
    pub force_exclude: bool,
    /// Check also files that .gitignore and .ignore leave out
    #[arg(long, help_heading = "What to check")]
    pub no_ignore: bool,
    /// Read also the sources of dependencies that wrap a known library, where they are on the disk
    #[arg(long, help_heading = "Choosing files")]
    pub deps: bool,
    /// Apply the safe fixes
    #[arg(long, conflicts_with = "stdin_filename", help_heading = "Fixing and suppressing")]
    pub fix: bool,
    /// With --fix or --diff: also fixes that may change what the code does
    #[arg(long, help_heading = "Fixing and suppressing")]
    pub unsafe_fixes: bool,
    /// Print the fixes as a patch and change nothing
    #[arg(long, conflicts_with = "fix", help_heading = "Fixing and suppressing")]
    pub diff: bool,
    /// Do not report the findings in this baseline [default: sessionlint-baseline.json beside the settings file]
    #[arg(long, value_name = "FILE", help_heading = "What to report")]
    pub baseline: Option<PathBuf>,
    /// Use no baseline
    #[arg(long, conflicts_with = "baseline", help_heading = "What to report")]
    pub no_baseline: bool,
    /// Report only findings with a step on a line that changed since the merge base with this git revision
    #[arg(long, value_name = "REV", help_heading = "What to report")]
    pub new_from: Option<String>,
    /// Suppress every finding with a comment that gives this reason
    #[arg(long, value_name = "REASON", conflicts_with_all = ["fix", "diff", "stdin_filename"], help_heading = "Fixing and suppressing")]
    pub suppress: Option<String>,
    /// Write an HTML page that draws the path of every finding
    #[arg(long, value_name = "FILE", help_heading = "Report")]
    pub graph: Option<PathBuf>,
    /// Check again whenever a file changes
    #[arg(long, conflicts_with_all = ["fix", "diff", "suppress", "stdin_filename"])]
    pub watch: bool,
    /// With --format cargo-json: also run this cargo command and pass on its messages
    #[arg(long, value_enum, default_value_t, help_heading = "Report")]
    pub cargo: Cargo,
    /// Do not use the cache: read no stored results and store none
    #[arg(long)]
    pub no_cache: bool,
    /// Directory of the cache [default: `sessionlint` in the user's cache directory]
    #[arg(long, value_name = "DIR", env = "SESSIONLINT_CACHE_DIR")]
    pub cache_dir: Option<PathBuf>,
    /// Lowest level that makes the exit status 1
    #[arg(long, value_enum, default_value_t, help_heading = "Exit status")]
    pub fail_on: FailOn,
    /// Exit with status 0 also when there are findings, like `--fail-on never`
    #[arg(long, conflicts_with = "fail_on", help_heading = "Exit status")]
    pub exit_zero: bool,
    /// Show at most N findings; the summary and the exit status still count all of them
    #[arg(long, value_name = "N", help_heading = "What to report")]
    pub max_findings: Option<usize>,
    /// Print the number of findings for each rule and the time of each step instead of the findings
    #[arg(long, help_heading = "Report")]
    pub statistics: bool,
    /// List the files that would be checked and check nothing
    #[arg(long, help_heading = "What to check")]
    pub show_files: bool,
    /// Print the settings in effect as a rules.toml and check nothing; with one file, the settings for that file
    #[arg(long, conflicts_with = "show_files", help_heading = "Rules and settings")]
    pub show_settings: bool,
    /// Print only the report, no summary and no hints
    #[arg(long, short, help_heading = "Report")]
    pub quiet: bool,
    /// Also list skipped files and gaps: code that was not understood
    #[arg(long, short, help_heading = "Report")]
    pub verbose: bool,
    /// When to use colours
    #[arg(long, value_enum, default_value_t, help_heading = "Report")]
    pub color: Color,
    /// When to print paths as links that the terminal opens
    #[arg(long, value_enum, value_name = "WHEN", default_value_t, help_heading = "Report")]
    pub hyperlinks: Color,
    /// Number of threads; 0 means one for each core
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
