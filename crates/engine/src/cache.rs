//! What came out the last time? A result is kept on disk, and used again when everything that it depends on says the same:
//! this program, the options, the configuration, the manifests, and every file that is known.

use crate::outcome::{CheckedFile, Outcome, Silenced, SilencedBy, Skipped, Summary, Timing};
use crate::paths;
use crate::run::Engine;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use sessionlint_diagnostics::{
    Applicability, Diagnostic, Edit, Evidence, FileId, Fix, Gap, Label, LabelKind, Level, Span,
};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Results that nobody asked for in this time are deleted.
const KEPT: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// The place of one result, and what it depends on.
pub(crate) struct Cache {
    path: PathBuf,
    key: String,
    /// What each known file says; `None` when it cannot be read.
    hashes: Vec<Option<blake3::Hash>>,
}

impl Cache {
    /// Reads and hashes all files that are known.
    pub fn new(directory: &Path, engine: &Engine) -> Self {
        let hash = |path: &PathBuf| std::fs::read(path).ok().map(|bytes| blake3::hash(&bytes));
        let hashes: Vec<Option<blake3::Hash>> = engine.on_threads(|| engine.known.par_iter().map(hash).collect());
        let options = &engine.options;
        let mut place = blake3::Hasher::new();
        // What differs from one call to the next has a result of its own; what changes over time replaces the last one.
        let levels = (&options.levels, &options.select);
        let part = (&options.packages, options.staged, options.deps);
        let asked = (&options.directory, &options.paths, options.profile, options.tests, levels, part);
        put(&mut place, &format!("{asked:?}"));
        let name = place.finalize().to_hex()[..32].to_owned();
        let mut key = blake3::Hasher::new();
        put(&mut key, env!("CARGO_PKG_VERSION"));
        put(&mut key, &format!("{:?}", program()));
        put(&mut key, &format!("{asked:?}"));
        put(&mut key, &format!("{:?}", (&options.inline, options.fixes, options.sessions, options.isolated)));
        put(&mut key, &format!("{:?}", (&engine.base, &engine.settings.config, &engine.settings.text)));
        put(&mut key, &format!("{:?}", engine.requested));
        for (path, hash) in &engine.manifests.texts {
            put(&mut key, &format!("{path:?} {hash}"));
        }
        for (path, hash) in engine.lock_files() {
            put(&mut key, &format!("{path:?} {hash}"));
        }
        for (path, hash) in engine.known.iter().zip(&hashes) {
            key.update(path.as_os_str().as_encoded_bytes());
            key.update(&[0]);
            key.update(hash.as_ref().map_or(&[0; 32], |hash| hash.as_bytes()));
        }
        Self { path: directory.join(name + ".json"), key: key.finalize().to_hex().to_string(), hashes }
    }

    /// The result, when there is one and nothing has changed.
    pub fn load(&self, engine: &Engine) -> Option<Outcome> {
        let text = std::fs::read_to_string(&self.path).ok()?;
        let kept: Kept<'_> = serde_json::from_str(&text).ok()?;
        if kept.key != self.key {
            return None;
        }
        let same = |(path, hash): &(String, Option<String>)| {
            let now = std::fs::read(path).ok().map(|bytes| blake3::hash(&bytes).to_hex().to_string());
            now == *hash
        };
        if !kept.included.iter().all(same) {
            return None;
        }
        let mut outcome = kept.outcome(engine)?;
        for file in kept.files {
            let bytes = std::fs::read(engine.known.get(file as usize)?).ok()?;
            if Some(blake3::hash(&bytes)) != self.hashes[file as usize] {
                return None;
            }
            outcome.files[file as usize].text = String::from_utf8(bytes).ok()?;
        }
        Some(outcome)
    }

    /// Keeps a result. What cannot be written is not kept, and costs nothing but time.
    pub fn store(&self, outcome: &Outcome) {
        let kept = Kept::new(&self.key, outcome);
        let Ok(text) = serde_json::to_string(&kept) else { return };
        let Some(directory) = self.path.parent() else { return };
        if std::fs::create_dir_all(directory).is_ok() {
            forget_old(directory);
            let _ = crate::write::whole(&self.path, text.as_bytes());
        }
    }
}

fn put(hasher: &mut blake3::Hasher, text: &str) {
    hasher.update(text.as_bytes());
    hasher.update(&[0]);
}

/// What tells one build of this program from another.
fn program() -> Option<(PathBuf, u64, Option<SystemTime>)> {
    let path = std::env::current_exe().ok()?;
    let metadata = std::fs::metadata(&path).ok()?;
    Some((path, metadata.len(), metadata.modified().ok()))
}

fn forget_old(directory: &Path) {
    let now = SystemTime::now();
    for entry in std::fs::read_dir(directory).into_iter().flatten().filter_map(Result::ok) {
        let age = || now.duration_since(entry.metadata().ok()?.modified().ok()?).ok();
        if age().is_some_and(|age| age > KEPT) {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

/// A span as three numbers.
type Place = (u32, u32, u32);

#[derive(Serialize, Deserialize)]
struct Kept<'a> {
    key: Cow<'a, str>,
    included: Vec<(String, Option<String>)>,
    /// The files whose text is needed.
    files: Vec<u32>,
    findings: Vec<KeptFinding<'a>>,
    /// With their reasons.
    silenced: Vec<(KeptFinding<'a>, Option<String>)>,
    skipped: Vec<(String, String, Option<u32>)>,
    gaps: Vec<(Place, String)>,
    unread: Cow<'a, BTreeMap<String, usize>>,
    counts: (usize, usize, usize),
    former: Cow<'a, BTreeMap<String, String>>,
}

#[derive(Serialize, Deserialize)]
struct KeptFinding<'a> {
    rule: Cow<'a, str>,
    level: Cow<'a, str>,
    message: Cow<'a, str>,
    span: Place,
    function: Cow<'a, str>,
    protocol: Cow<'a, str>,
    labels: Vec<KeptLabel<'a>>,
    help: Option<Cow<'a, str>>,
    evidence: Option<Cow<'a, str>>,
    fixes: Vec<KeptFix<'a>>,
    fingerprint: Cow<'a, str>,
}

#[derive(Serialize, Deserialize)]
struct KeptLabel<'a> {
    kind: Cow<'a, str>,
    span: Place,
    message: Cow<'a, str>,
    function: Option<Cow<'a, str>>,
    aside: bool,
}

#[derive(Serialize, Deserialize)]
struct KeptFix<'a> {
    message: Cow<'a, str>,
    safe: bool,
    edits: Vec<(Place, Cow<'a, str>)>,
}

fn place(span: Span) -> Place {
    (span.file.0, span.start, span.end)
}

fn span((file, start, end): Place) -> Span {
    Span::new(FileId(file), start, end)
}

impl<'a> Kept<'a> {
    fn new(key: &'a str, outcome: &'a Outcome) -> Self {
        let reason = |one: &'a Silenced| match &one.by {
            SilencedBy::Comment(reason) => reason.clone(),
            SilencedBy::Baseline => None,
        };
        let included = outcome
            .included
            .iter()
            .map(|(path, hash)| (path.to_string_lossy().into_owned(), hash.map(|hash| hash.to_hex().to_string())));
        Self {
            key: Cow::Borrowed(key),
            included: included.collect(),
            files: (0..).zip(&outcome.files).filter(|(_, file)| !file.text.is_empty()).map(|(at, _)| at).collect(),
            findings: outcome.findings.iter().map(KeptFinding::new).collect(),
            silenced: outcome.silenced.iter().map(|one| (KeptFinding::new(&one.finding), reason(one))).collect(),
            skipped: outcome.skipped.iter().map(|one| (one.path.clone(), one.reason.clone(), one.line)).collect(),
            gaps: outcome.gaps.iter().map(|gap| (place(gap.span), gap.reason.clone())).collect(),
            unread: Cow::Borrowed(&outcome.unread),
            counts: (outcome.summary.files, outcome.summary.functions, outcome.summary.sessions),
            former: Cow::Borrowed(&outcome.former),
        }
    }

    fn outcome(&self, engine: &Engine) -> Option<Outcome> {
        let silenced = self.silenced.iter().map(|(finding, reason)| {
            Some(Silenced { finding: finding.diagnostic(engine)?, by: SilencedBy::Comment(reason.clone()) })
        });
        let file =
            |path: &PathBuf| CheckedFile { path: paths::shown(&engine.options.directory, path), text: String::new() };
        let (files, functions, sessions) = self.counts;
        let mut outcome = Outcome {
            findings: self.findings.iter().map(|finding| finding.diagnostic(engine)).collect::<Option<_>>()?,
            silenced: silenced.collect::<Option<_>>()?,
            files: engine.known.iter().map(file).collect(),
            skipped: self
                .skipped
                .iter()
                .map(|(path, reason, line)| Skipped {
                    path: path.clone(),
                    reason: reason.clone(),
                    line: *line,
                    internal: false,
                })
                .collect(),
            gaps: self.gaps.iter().map(|(at, reason)| Gap { span: span(*at), reason: reason.clone() }).collect(),
            summary: Summary { files, functions, sessions, ..Summary::default() },
            unread: self.unread.clone().into_owned(),
            former: self.former.clone().into_owned(),
            timing: Timing { kept: true, ..Timing::default() },
            ..Outcome::default()
        };
        outcome.count();
        Some(outcome)
    }
}

impl<'a> KeptFinding<'a> {
    fn new(finding: &'a Diagnostic) -> Self {
        let edits =
            |fix: &'a Fix| fix.edits.iter().map(|edit| (place(edit.span), Cow::Borrowed(edit.text.as_str()))).collect();
        Self {
            rule: Cow::Borrowed(finding.rule),
            level: Cow::Borrowed(finding.level.as_str()),
            message: Cow::Borrowed(&finding.message),
            span: place(finding.span),
            function: Cow::Borrowed(&finding.function),
            protocol: Cow::Borrowed(&finding.protocol),
            labels: finding.labels.iter().map(KeptLabel::new).collect(),
            help: finding.help.as_deref().map(Cow::Borrowed),
            evidence: finding.evidence.map(|evidence| Cow::Borrowed(evidence.as_str())),
            fixes: finding
                .fixes
                .iter()
                .map(|fix| KeptFix {
                    message: Cow::Borrowed(&fix.message),
                    safe: fix.applicability == Applicability::Safe,
                    edits: edits(fix),
                })
                .collect(),
            fingerprint: Cow::Borrowed(&finding.fingerprint),
        }
    }

    /// The finding; `None` when a word in it is not known, as if it had not been kept.
    fn diagnostic(&self, engine: &Engine) -> Option<Diagnostic> {
        let fix = |fix: &KeptFix<'_>| Fix {
            message: fix.message.to_string(),
            applicability: if fix.safe { Applicability::Safe } else { Applicability::Unsafe },
            edits: fix.edits.iter().map(|(at, text)| Edit { span: span(*at), text: text.to_string() }).collect(),
        };
        let known = |file: u32| (file as usize) < engine.known.len();
        if !known(self.span.0) || !self.labels.iter().all(|label| known(label.span.0)) {
            return None;
        }
        Some(Diagnostic {
            rule: crate::rule_id(&self.rule)?,
            level: Level::parse(&self.level)?,
            message: self.message.to_string(),
            span: span(self.span),
            function: self.function.to_string(),
            protocol: self.protocol.to_string(),
            labels: self.labels.iter().map(KeptLabel::label).collect::<Option<_>>()?,
            help: self.help.as_ref().map(ToString::to_string),
            evidence: match &self.evidence {
                Some(word) => Some(Evidence::parse(word)?),
                None => None,
            },
            fixes: self.fixes.iter().map(fix).collect(),
            fingerprint: self.fingerprint.to_string(),
        })
    }
}

impl<'a> KeptLabel<'a> {
    fn new(label: &'a Label) -> Self {
        Self {
            kind: Cow::Borrowed(label.kind.as_str()),
            span: place(label.span),
            message: Cow::Borrowed(&label.message),
            function: label.function.as_deref().map(Cow::Borrowed),
            aside: label.aside,
        }
    }

    fn label(&self) -> Option<Label> {
        let function = self.function.as_ref().map(ToString::to_string);
        let label = Label::new(LabelKind::parse(&self.kind)?, span(self.span), self.message.clone());
        Some(Label { function, aside: self.aside, ..label })
    }
}
