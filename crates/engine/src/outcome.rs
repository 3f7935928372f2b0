//! What did a run find? Plain values for whoever reports it.

use crate::dependencies::Dependency;
use serde::{Deserialize, Serialize};
use sessionlint_diagnostics::{Diagnostic, Gap, Span};
use sessionlint_protocols::ProtocolId;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

/// One file, for reports.
#[derive(Clone, Debug, Default)]
pub struct CheckedFile {
    /// Relative to the working directory where possible, with `/`.
    pub path: String,
    /// Its text; empty for files that no finding points into.
    pub text: String,
}

/// A file or item that was not checked.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Skipped {
    /// The file.
    pub path: String,
    /// Why.
    pub reason: String,
    /// The line, from 1.
    pub line: Option<u32>,
    /// Whether this program is the reason: it panicked.
    pub internal: bool,
}

/// Counts of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Files that were looked at.
    pub files: usize,
    /// Functions that are worth an analysis.
    pub functions: usize,
    /// Those of them that were analysed, and not known from the last check; none when the result was kept from another run.
    pub analysed: usize,
    /// Sessions that were followed.
    pub sessions: usize,
    /// Steps of the analysis, those that try fixes included; none when the result was kept from another run.
    pub steps: usize,
    /// Files that were read because they changed since the last look; none when the result was kept from another run.
    pub read: usize,
    /// Findings at level deny, warn and note.
    pub findings: BTreeMap<&'static str, usize>,
    /// Files and functions that were not checked because this program panicked.
    pub panics: usize,
    /// Whether nothing at all could be checked for that reason.
    pub nothing_checked: bool,
}

/// How long the parts of a run took.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Timing {
    /// Reading the settings and manifests, and finding the files.
    pub files: Duration,
    /// Reading the files, and finding out which of them matter.
    pub read: Duration,
    /// Analysing the functions.
    pub functions: Duration,
    /// Trying the fixes.
    pub fixes: Duration,
    /// Whether the result was kept from another run: then nothing was read, analysed or tried.
    pub kept: bool,
}

/// A finding that is not reported.
#[derive(Clone, Debug)]
pub struct Silenced {
    /// The finding.
    pub finding: Diagnostic,
    /// By what.
    pub by: SilencedBy,
}

/// What keeps a finding from being reported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SilencedBy {
    /// A comment or attribute in the source, with the reason that it gives.
    Comment(Option<String>),
    /// The baseline.
    Baseline,
}

/// A session that was followed, for editors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The variable that holds it.
    pub name: String,
    /// Where it is opened.
    pub opened: Span,
    /// The body of the function that it is followed in.
    pub body: Span,
    /// What it is.
    pub protocol: ProtocolId,
    /// Where it is ended, on any way.
    pub ended: Vec<Span>,
}

/// One finding that is known. The fingerprint decides; the rest is for people.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The file, relative to the directory of the baseline.
    pub path: String,
    /// `module::Type::function`.
    pub function: String,
    /// The rule's id.
    pub rule: String,
    /// What it is recognised by.
    pub fingerprint: String,
    /// Whether the fingerprint is one of version 1, which counted what may change when we say it better.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub former: bool,
}

/// What a run found.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Findings, sorted by path, line, column and rule.
    pub findings: Vec<Diagnostic>,
    /// The files that spans point into, by [`FileId`].
    pub files: Vec<CheckedFile>,
    /// What was not checked.
    pub skipped: Vec<Skipped>,
    /// What was seen and not understood.
    pub gaps: Vec<Gap>,
    /// How many functions may have a session that comes through a package whose sources are not read, by the package.
    pub unread: BTreeMap<String, usize>,
    /// Findings that are not reported, and why.
    pub silenced: Vec<Silenced>,
    /// Entries of the baseline that this run could have met and did not.
    pub stale: Vec<Entry>,
    /// Entries of the baseline that keep findings from being reported.
    pub met: Vec<Entry>,
    /// The packages from outside of the workspace whose sources were read.
    pub dependencies: Vec<Dependency>,
    /// Why less is said than somebody may expect, a line each.
    pub notes: Vec<String>,
    /// What the fingerprints of findings were in baselines of version 1, by what they are now.
    pub(crate) former: BTreeMap<String, String>,
    /// Files that the sources include, and what they say: the result depends on them.
    pub(crate) included: Vec<(PathBuf, Option<blake3::Hash>)>,
    /// The sessions that have a name, when they were asked for.
    pub sessions: Vec<Session>,
    /// Counts.
    pub summary: Summary,
    /// Times.
    pub timing: Timing,
    /// What is known about functions, when it was asked for: the name's file and offset, and the words.
    pub described: Vec<(Span, String)>,
}

impl Outcome {
    /// Counts the findings by level.
    pub(crate) fn count(&mut self) {
        for level in ["deny", "warn", "note"] {
            let count = self.findings.iter().filter(|finding| finding.level.as_str() == level).count();
            self.summary.findings.insert(level, count);
        }
    }

    /// The path of the file that a finding is in.
    pub fn path_of(&self, finding: &Diagnostic) -> &str {
        &self.files[finding.span.file.0 as usize].path
    }
}
