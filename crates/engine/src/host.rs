//! What do files say, read when somebody asks? Connects the front ends to the analysis.

use crate::panics;
use sessionlint_analysis::{FileData, Host};
use sessionlint_diagnostics::{FileId, LineIndex, Span};
use sessionlint_ir::{Field, FunctionItem, ImplHeader, Import, Language, Languages, Signature, TypeRef};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Texts that count instead of what files say, by absolute path.
pub type Overlay = BTreeMap<PathBuf, Vec<u8>>;

/// The files of a run. Those that matter are filled in by the first pass, others when a name leads to them.
pub(crate) struct Files<'a> {
    pub paths: &'a [PathBuf],
    languages: Languages,
    pub data: Vec<OnceLock<Option<Arc<FileData>>>>,
    /// Where lines begin, of files that somebody asked for.
    lines: Vec<OnceLock<LineIndex>>,
    overlay: &'a Overlay,
    /// Files that sources include, and what they say.
    pub included: Mutex<BTreeMap<PathBuf, Option<blake3::Hash>>>,
    /// Files that this program panicked over, with what it said.
    broken: Mutex<BTreeMap<FileId, String>>,
}

impl<'a> Files<'a> {
    pub fn new(paths: &'a [PathBuf], languages: Languages, overlay: &'a Overlay) -> Self {
        let data = paths.iter().map(|_| OnceLock::new()).collect();
        let lines = paths.iter().map(|_| OnceLock::new()).collect();
        Self { paths, languages, data, lines, overlay, included: Mutex::default(), broken: Mutex::default() }
    }

    /// What a file says.
    pub fn bytes(&self, file: FileId) -> std::io::Result<Vec<u8>> {
        let path = &self.paths[file.0 as usize];
        self.overlay.get(path).map_or_else(|| std::fs::read(path), |bytes| Ok(bytes.clone()))
    }

    /// What a file is written in.
    pub fn language(&self, file: FileId) -> Language {
        self.languages.of(&self.paths[file.0 as usize])
    }

    /// The line, from 1, that holds a byte of a file.
    pub fn line(&self, file: FileId, at: u32) -> Option<u32> {
        let text = &self.data(file)?.text;
        let lines = self.lines[file.0 as usize].get_or_init(|| LineIndex::new(text));
        Some(lines.line_of(at) as u32 + 1)
    }

    /// Does something with one file. A panic is noted, and costs that file only.
    pub fn guarded<T>(&self, file: FileId, work: impl FnOnce() -> T) -> Option<T> {
        match panics::caught(work) {
            Ok(done) => Some(done),
            Err(what) => {
                let mut broken = self.broken.lock().unwrap_or_else(PoisonError::into_inner);
                let known = broken.entry(file).or_insert_with(|| what.clone());
                // The same whichever thread came first.
                *known = what.min(std::mem::take(known));
                None
            }
        }
    }

    /// The files that this program panicked over, with what it said.
    pub fn broken(&self) -> BTreeMap<FileId, String> {
        self.broken.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn ids(&self) -> impl Iterator<Item = FileId> + use<> {
        (0..self.paths.len() as u32).map(FileId)
    }
}

/// The text of a file without a byte order mark at risk: it stays, so that offsets are true.
pub(crate) fn decode(bytes: Vec<u8>) -> Option<String> {
    String::from_utf8(bytes).ok()
}

/// A text and its items.
pub(crate) fn outlined(language: Language, text: String, file: FileId) -> FileData {
    let outline = language.outline(&text, file);
    FileData::new(language, text, outline)
}

impl Host for Files<'_> {
    fn data(&self, file: FileId) -> Option<&FileData> {
        let load = || {
            let text = decode(self.bytes(file).ok()?)?;
            self.guarded(file, || outlined(self.language(file), text, file)).map(Arc::new)
        };
        self.data[file.0 as usize].get_or_init(load).as_deref()
    }

    fn fields(&self, text: &str, span: Span) -> Option<(Vec<Field>, Vec<String>)> {
        self.language(span.file).fields(text, span).ok()
    }

    fn alias(&self, text: &str, span: Span) -> Option<(TypeRef, Vec<String>)> {
        self.language(span.file).alias(text, span).ok()
    }

    fn impl_header(&self, text: &str, span: Span) -> Option<ImplHeader> {
        self.language(span.file).impl_header(text, span).ok()
    }

    fn imports(&self, text: &str, span: Span) -> Option<Vec<Import>> {
        self.language(span.file).imports(text, span).ok()
    }

    fn constant(&self, text: &str, span: Span) -> Option<(TypeRef, Option<String>)> {
        self.language(span.file).constant(text, span).ok()
    }

    fn included(&self, file: FileId, path: &str, from_package: bool) -> Option<String> {
        let including = &self.paths[file.0 as usize];
        let base = match from_package {
            true => including.ancestors().skip(1).find(|directory| directory.join("Cargo.toml").is_file())?,
            false => including.parent()?,
        };
        let path = base.join(path);
        let read = std::fs::read(&path).ok();
        let mut included = self.included.lock().unwrap_or_else(PoisonError::into_inner);
        included.insert(path, read.as_deref().map(blake3::hash));
        decode(read?)
    }

    fn signature(&self, text: &str, span: Span) -> Option<Signature> {
        self.language(span.file).signature(text, span).ok()
    }

    fn function(&self, text: &str, span: Span, macros: &dyn Fn(&[String]) -> Option<String>) -> Option<FunctionItem> {
        self.language(span.file).function(text, span, macros).ok()
    }
}
