//! What is known of one folder of a workspace? Its engine, and the last answer for each file.

use crate::convert::{Encoding, severity, uri};
use crate::settings::Settings;
use gen_lsp_types::{Code, CodeDescription, Diagnostic, DiagnosticRelatedInformation, Location, Uri};
use sessionlint_engine::{CheckedFile, Engine, Failure, Options, Outcome, Overlay, Progress, Session};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::{Path, PathBuf};

/// So many files are checked before the next message is read.
pub const BATCH: usize = 200;

/// The last answer for one file.
#[derive(Default)]
pub struct Answer {
    /// Its findings.
    pub findings: Vec<sessionlint_diagnostics::Diagnostic>,
    /// Its sessions.
    pub sessions: Vec<Session>,
    /// The files that spans point into, by number.
    pub files: BTreeMap<u32, CheckedFile>,
}

/// A folder.
pub struct Folder {
    pub root: PathBuf,
    /// Files beside those of the folder that were opened.
    extra: BTreeSet<PathBuf>,
    /// What is set in the editor.
    settings: Settings,
    engine: Option<Engine>,
    /// What is wrong with the configuration.
    pub failure: Option<Failure>,
    /// What is wrong with this program, as it was met so far: a line each, and whether the editor was told.
    pub troubles: BTreeMap<String, bool>,
    pub answers: BTreeMap<PathBuf, Answer>,
    /// Files that are checked when there is time.
    pending: VecDeque<PathBuf>,
    /// Whether that was begun because of settings or files that are new.
    pub is_new: bool,
}

impl Folder {
    pub fn new(root: PathBuf, settings: Settings) -> Self {
        let mut folder = Self {
            root,
            extra: BTreeSet::new(),
            settings,
            engine: None,
            failure: None,
            troubles: BTreeMap::new(),
            answers: BTreeMap::new(),
            pending: VecDeque::new(),
            is_new: true,
        };
        folder.load();
        folder
    }

    /// Reads settings, manifests and the list of files anew. With wrong settings the last right ones hold.
    pub fn load(&mut self) {
        let (on_disk, unsaved): (Vec<PathBuf>, Vec<PathBuf>) =
            self.extra.iter().cloned().partition(|path| path.is_file());
        let options = Options {
            directory: self.root.clone(),
            paths: std::iter::once(self.root.clone()).chain(on_disk).collect(),
            unsaved,
            config: self.settings.config(&self.root),
            inline: self.settings.inline(),
            force_exclude: true,
            sessions: true,
            keep: true,
            ..Options::default()
        };
        self.is_new = true;
        match Engine::new(options, sessionlint_languages::ALL) {
            Ok(engine) => {
                self.engine = Some(engine);
                self.failure = None;
            }
            Err(failure @ Failure::Internal(_)) => self.meet(failure.to_string()),
            Err(failure) => self.failure = Some(failure),
        }
        self.check_all();
    }

    /// All files are checked, when there is time.
    pub fn check_all(&mut self) {
        let Some(engine) = &self.engine else { return };
        self.pending = engine.requested().iter().cloned().collect();
        // What is gone has no findings.
        for (path, answer) in &mut self.answers {
            if !engine.knows(path) {
                *answer = Answer::default();
                self.pending.push_back(path.clone());
            }
        }
    }

    pub fn engine(&self) -> Option<&Engine> {
        self.engine.as_ref()
    }

    pub fn has_pending(&self) -> bool {
        !self.pending.is_empty()
    }

    /// How many files were checked, of how many.
    pub fn done(&self) -> (usize, usize) {
        let all = self.engine.as_ref().map_or(0, |engine| engine.requested().len()).max(self.pending.len());
        (all - self.pending.len(), all)
    }

    /// Makes sure that a file which is opened is known, also when it is not on disk yet.
    pub fn open(&mut self, path: &Path) {
        let knows = self.engine.as_ref().is_some_and(|engine| engine.knows(path));
        if !knows && self.extra.insert(path.to_path_buf()) {
            self.load();
        }
    }

    /// A file was closed: one that was never saved is gone, and of another one counts what is on disk.
    pub fn close(&mut self, path: &Path) {
        if !path.is_file() && self.extra.remove(path) {
            self.load();
        } else {
            self.check_all();
        }
    }

    /// Sets what is set in the editor. Whether that is new.
    pub fn set(&mut self, settings: &Settings) -> bool {
        let is_new = self.settings != *settings;
        if is_new {
            self.settings = settings.clone();
            self.load();
        }
        is_new
    }

    /// Makes sure that a file has an answer.
    pub fn look_at(&mut self, path: &PathBuf, overlay: &Overlay) {
        if !self.answers.contains_key(path) {
            self.check(std::slice::from_ref(path), overlay, &|_, _, _| {});
        }
    }

    /// Checks some files now, and gives those whose answer is new.
    pub fn check(&mut self, paths: &[PathBuf], overlay: &Overlay, progress: Progress<'_>) -> Vec<PathBuf> {
        let Some(engine) = &self.engine else { return Vec::new() };
        let known: Vec<PathBuf> = paths.iter().filter(|path| engine.knows(path)).cloned().collect();
        if known.is_empty() {
            return Vec::new();
        }
        let mut outcome = match engine.check(&known, overlay, false, progress) {
            Ok(outcome) => outcome,
            // The last answers hold.
            Err(failure) => {
                self.meet(failure.to_string());
                return Vec::new();
            }
        };
        let internal = outcome.skipped.iter().filter(|one| one.internal);
        let troubles: Vec<String> = internal.map(|one| format!("{}: {}", one.path, one.reason)).collect();
        // A baseline that cannot be read is told on the command line; here everything is shown.
        let _ = engine.apply_baseline(&mut outcome);
        let skipped: BTreeSet<PathBuf> = outcome.skipped.iter().map(|one| self.root.join(&one.path)).collect();
        let mut answers: BTreeMap<PathBuf, Answer> = BTreeMap::new();
        let languages = sessionlint_languages::ALL;
        for path in known {
            // While it does not parse, the last answer holds.
            let typed = overlay.get(&path).and_then(|text| std::str::from_utf8(text).ok());
            let is_broken = skipped.contains(&path) || typed.is_some_and(|text| !languages.of(&path).is_balanced(text));
            if !(is_broken && self.answers.contains_key(&path)) {
                answers.insert(path, Answer::default());
            }
        }
        self.fill(&mut answers, outcome);
        troubles.into_iter().for_each(|trouble| self.meet(trouble));
        let changed = answers.keys().cloned().collect();
        self.answers.extend(answers);
        changed
    }

    fn meet(&mut self, trouble: String) {
        self.troubles.entry(trouble).or_insert(false);
    }

    fn fill(&self, answers: &mut BTreeMap<PathBuf, Answer>, outcome: Outcome) {
        let path = |file: u32| self.root.join(&outcome.files[file as usize].path);
        for finding in outcome.findings {
            let Some(answer) = answers.get_mut(&path(finding.span.file.0)) else { continue };
            for file in finding.labels.iter().map(|label| label.span.file.0).chain([finding.span.file.0]) {
                answer.files.entry(file).or_insert_with(|| outcome.files[file as usize].clone());
            }
            answer.findings.push(finding);
        }
        for session in outcome.sessions {
            if let Some(answer) = answers.get_mut(&path(session.opened.file.0)) {
                answer.sessions.push(session);
            }
        }
    }

    /// Checks some of the files that wait, and gives those whose answer is new.
    pub fn check_some(&mut self, overlay: &Overlay, progress: Progress<'_>) -> Vec<PathBuf> {
        let count = BATCH.min(self.pending.len());
        let batch: Vec<PathBuf> = self.pending.drain(..count).collect();
        let gone: Vec<PathBuf> = match &self.engine {
            Some(engine) => batch.iter().filter(|path| !engine.knows(path)).cloned().collect(),
            None => Vec::new(),
        };
        let mut changed = self.check(&batch, overlay, progress);
        changed.extend(gone);
        changed
    }

    /// The findings of a file as an editor takes them.
    pub fn diagnostics(&self, path: &Path, encoding: Encoding) -> Vec<Diagnostic> {
        let Some(answer) = self.answers.get(path) else { return Vec::new() };
        answer.findings.iter().map(|finding| self.diagnostic(answer, finding, encoding)).collect()
    }

    /// One finding as an editor takes it.
    pub fn diagnostic(
        &self,
        answer: &Answer,
        finding: &sessionlint_diagnostics::Diagnostic,
        encoding: Encoding,
    ) -> Diagnostic {
        let file = |span: sessionlint_diagnostics::Span| answer.files.get(&span.file.0);
        let text = file(finding.span).map_or("", |file| file.text.as_str());
        let related = finding.labels.iter().filter_map(|label| {
            let file = file(label.span)?;
            let range = encoding.range(&file.text, label.span);
            let location = Location { uri: uri(&self.root.join(&file.path)), range };
            Some(DiagnosticRelatedInformation { location, message: label.message.clone() })
        });
        let help = finding.help.as_ref().map(|help| format!("\nhelp: {help}")).unwrap_or_default();
        let url = sessionlint_report::rule_url(finding.rule);
        Diagnostic {
            range: encoding.range(text, finding.span),
            severity: Some(severity(finding.level)),
            code: Some(Code::String(finding.rule.to_owned())),
            code_description: url.map(|url| CodeDescription { href: Uri(url) }),
            source: Some("sessionlint".to_owned()),
            message: format!("{}{help}", finding.message).into(),
            tags: None,
            related_information: Some(related.collect()),
            data: Some(serde_json::json!({"fingerprint": finding.fingerprint})),
        }
    }
}
