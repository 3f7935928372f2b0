//! Where is it, and what shape has what we say? Plain data: no rendering, no IO.

mod line_index;

pub use line_index::{LineColumn, LineIndex};

use std::fmt;

/// One file of a run, numbered by the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileId(pub u32);

/// A half-open range of UTF-8 bytes in one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    /// The file.
    pub file: FileId,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// A span of `file` from byte `start` up to, not including, byte `end`.
    pub fn new(file: FileId, start: u32, end: u32) -> Self {
        Self { file, start, end }
    }

    /// The empty span at the first byte of this one.
    pub fn at_start(self) -> Self {
        Self { end: self.start, ..self }
    }

    /// Whether `other` lies wholly inside this span.
    pub fn contains(self, other: Span) -> bool {
        self.file == other.file && self.start <= other.start && other.end <= self.end
    }
}

/// How serious a finding is; the order is from silent to fatal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Level {
    /// Not reported.
    Allow,
    /// Reported for information.
    Note,
    /// Reported as a warning.
    Warn,
    /// Reported as an error.
    Deny,
}

impl Level {
    /// The word used in configuration and in reports for programs.
    pub fn as_str(self) -> &'static str {
        match self {
            Level::Allow => "allow",
            Level::Note => "note",
            Level::Warn => "warn",
            Level::Deny => "deny",
        }
    }

    /// The word that people know from their compiler.
    pub fn spoken(self) -> &'static str {
        match self {
            Level::Deny => "error",
            Level::Warn => "warning",
            Level::Note | Level::Allow => "note",
        }
    }

    /// The level a word of the configuration names.
    pub fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "allow" => Level::Allow,
            "note" => Level::Note,
            "warn" => Level::Warn,
            "deny" => Level::Deny,
            _ => return None,
        })
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How the session's type was recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Evidence {
    /// The receiver's written type was resolved to a library path.
    Typed,
    /// The value came from a known call.
    Traced,
    /// A wrapper or function of the workspace hands it out.
    Inferred,
}

impl Evidence {
    /// The word used in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Evidence::Typed => "typed",
            Evidence::Traced => "traced",
            Evidence::Inferred => "inferred",
        }
    }

    /// The evidence that a word of a report names.
    pub fn parse(word: &str) -> Option<Self> {
        [Evidence::Typed, Evidence::Traced, Evidence::Inferred].into_iter().find(|known| known.as_str() == word)
    }
}

/// What a label says of its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LabelKind {
    /// The session begins here.
    Opened,
    /// Something is written through it here.
    Write,
    /// The way that leads to the mistake goes through this branch.
    Branch,
    /// It is ended here, on another path or without effect.
    Released,
    /// It is dropped here.
    Dropped,
    /// The mistake shows here.
    Leaks,
    /// Something happens here while the session is open.
    Meanwhile,
    /// A function that is called on the way does this.
    Called,
}

impl LabelKind {
    /// The word used in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            LabelKind::Opened => "opened",
            LabelKind::Write => "write",
            LabelKind::Branch => "branch",
            LabelKind::Released => "released",
            LabelKind::Dropped => "dropped",
            LabelKind::Leaks => "leaks",
            LabelKind::Meanwhile => "meanwhile",
            LabelKind::Called => "called",
        }
    }

    /// The kind that a word of a report names.
    pub fn parse(word: &str) -> Option<Self> {
        let all = [
            LabelKind::Opened,
            LabelKind::Write,
            LabelKind::Branch,
            LabelKind::Released,
            LabelKind::Dropped,
            LabelKind::Leaks,
            LabelKind::Meanwhile,
            LabelKind::Called,
        ];
        all.into_iter().find(|known| known.as_str() == word)
    }
}

/// One step of the walk that explains a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// What kind of step.
    pub kind: LabelKind,
    /// Where.
    pub span: Span,
    /// What happens there, in a few words.
    pub message: String,
    /// The function that it stands in, as `Type::function`, where that is another one than the finding's.
    pub function: Option<String>,
    /// Whether it is no step of the walk: the session's end on another path, the same mistake elsewhere.
    pub aside: bool,
}

impl Label {
    /// A step of the walk, in the function of the finding.
    pub fn new(kind: LabelKind, span: Span, message: impl Into<String>) -> Self {
        Self { kind, span, message: message.into(), function: None, aside: false }
    }

    /// The same as something beside the walk.
    pub fn aside(self) -> Self {
        Self { aside: true, ..self }
    }
}

/// Whether a fix may be applied without a person looking at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applicability {
    /// Cannot change what correct code does.
    Safe,
    /// Guesses the intent.
    Unsafe,
}

/// One replacement of text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// The bytes to replace; empty to insert.
    pub span: Span,
    /// The new text.
    pub text: String,
}

/// A change that would make the code right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    /// What it does.
    pub message: String,
    /// Whether it may be applied blindly.
    pub applicability: Applicability,
    /// The replacements, not overlapping.
    pub edits: Vec<Edit>,
}

/// One mistake at one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Id of the rule, kebab-case.
    pub rule: &'static str,
    /// How serious, after configuration.
    pub level: Level,
    /// What is wrong; stands alone.
    pub message: String,
    /// Where the mistake is.
    pub span: Span,
    /// `module::Type::function`, without the crate.
    pub function: String,
    /// Id of the session's protocol; empty for findings about comments.
    pub protocol: String,
    /// The walk of the session, in order, and behind it what is beside it.
    pub labels: Vec<Label>,
    /// The smallest change that makes it right.
    pub help: Option<String>,
    /// How the session was recognised; `None` for findings about comments.
    pub evidence: Option<Evidence>,
    /// Changes on offer.
    pub fixes: Vec<Fix>,
    /// Stable identity, filled in by the engine.
    pub fingerprint: String,
}

impl Diagnostic {
    /// The steps of the walk, in order.
    pub fn steps(&self) -> impl Iterator<Item = &Label> {
        self.labels.iter().filter(|label| !label.aside)
    }

    /// What is beside the walk.
    pub fn asides(&self) -> impl Iterator<Item = &Label> {
        self.labels.iter().filter(|label| label.aside)
    }
}

/// Something that was seen and not understood.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Gap {
    /// Where.
    pub span: Span,
    /// What was not understood.
    pub reason: String,
}
