//! What was the editor shown, and what did it ask for?

use lsp_server::RequestId;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// What the editor was shown without being asked.
#[derive(Default)]
pub struct Shown {
    /// Configuration files that a mistake was shown in.
    pub mistaken: BTreeSet<PathBuf>,
    /// What is wrong with settings that stand in no file, as it was told last, for each folder.
    pub told: BTreeMap<usize, String>,
    /// Files with findings, as far as the editor asks for those of others.
    pub pushed: BTreeSet<PathBuf>,
    /// The editor asks for the findings of all files.
    pub pulls_all: bool,
}

/// A question for all findings.
pub struct Asked {
    pub id: RequestId,
    /// The editor's answers from before: of which file, and which.
    pub known: BTreeMap<PathBuf, String>,
}
