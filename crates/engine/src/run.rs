//! In which order does a run go? Walk, read, index, analyse, silence, sort.

use crate::host::{Files, Overlay};
use crate::levels::Levels;
use crate::manifest::Manifests;
use crate::read::{Read, select};
use crate::settings::{self, Failure, Options};
use crate::suppress::{self, Suppression};
use crate::words::Words;
use crate::{fingerprint, fixes, walk};
use rayon::prelude::*;
use sessionlint_analysis::{Analysis, Host, Index, ItemRef, PackageId};
use sessionlint_diagnostics::{Diagnostic, FileId, Gap, Level, Span};
use sessionlint_ir::ItemKind;
use sessionlint_protocols::{Model, RuleSet, TestCode};
use std::collections::{BTreeMap, HashSet};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Stack of a worker thread, in bytes: the parser recurses. Only what is used is ever backed by memory.
const STACK: usize = 256 << 20;
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
}

/// Counts of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Files that were looked at.
    pub files: usize,
    /// Functions that were analysed.
    pub functions: usize,
    /// Sessions that were followed.
    pub sessions: usize,
    /// Findings at level deny, warn and note.
    pub findings: BTreeMap<&'static str, usize>,
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
    /// How many findings were silenced by comments.
    pub suppressed: usize,
    /// Counts.
    pub summary: Summary,
    /// What is known about functions, when it was asked for: the name's file and offset, and the words.
    pub described: Vec<(Span, String)>,
}

/// Checks files. `progress` is told how many functions of how many are done.
///
/// # Errors
/// When nothing can be checked: bad options, a bad configuration, a path that cannot be read.
pub fn run(options: &Options, progress: &(dyn Fn(usize, usize) + Sync)) -> Result<Outcome, Failure> {
    let rules = RuleSet::built_in();
    let mut model = Model::built_in();
    let settings = settings::read(options, &rules, &mut model)?;
    let levels = Levels::new(options, &settings, &rules)?;
    let requested = match &options.stdin {
        Some(stdin) => vec![walk::absolute(&options.directory, &stdin.path)],
        None => walk::requested(options, &settings.base, &levels.exclude)?,
    };
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(options.threads)
        .stack_size(STACK)
        .build()
        .map_err(|error| Failure::Threads(error.to_string()))?;
    let tests = options.tests.or(settings.config.tests).unwrap_or_default();
    let run = Run { options, rules: &rules, model: &model, levels: &levels, base: &settings.base, tests };
    let mut overlay = Overlay::new();
    if let Some(stdin) = &options.stdin {
        overlay.insert(walk::absolute(&options.directory, &stdin.path), stdin.text.clone());
    }
    Ok(pool.install(|| {
        let mut outcome = run.check(requested, &overlay, progress);
        if options.fixes {
            let again = |paths: Vec<PathBuf>, overlay: &Overlay| run.check(paths, overlay, &|_, _| {});
            fixes::verify(&mut outcome, &options.directory, &overlay, &again);
        } else {
            outcome.findings.iter_mut().for_each(|finding| finding.fixes.clear());
        }
        outcome
    }))
}

pub(crate) struct Run<'a> {
    pub options: &'a Options,
    rules: &'a RuleSet,
    pub model: &'a Model,
    levels: &'a Levels,
    base: &'a Path,
    tests: TestCode,
}

/// What one function gave.
struct Checked {
    diagnostics: Vec<Diagnostic>,
    gaps: Vec<Gap>,
    sessions: usize,
    skipped: Option<Skipped>,
}

impl Run<'_> {
    fn check(&self, requested: Vec<PathBuf>, overlay: &Overlay, progress: &(dyn Fn(usize, usize) + Sync)) -> Outcome {
        let mut manifests = Manifests::default();
        let known = self.known_files(&requested, &mut manifests);
        let files = Files::new(known, overlay.clone());
        let wanted: HashSet<&OsStr> = requested.iter().map(|path| path.as_os_str()).collect();
        let reported: Vec<bool> = files.paths.iter().map(|path| wanted.contains(path.as_os_str())).collect();
        let mut packages = self.packages(&files, &mut manifests);
        let mut reads: Vec<Read> = files
            .ids()
            .collect::<Vec<_>>()
            .into_par_iter()
            .map(|file| self.read(&files, file, &packages, reported[file.0 as usize]))
            .collect();
        let names = packages.names(&files, &reads);
        self.read_again(&files, &mut reads, &packages, &names);
        for file in files.ids().filter(|file| reads[file.0 as usize].hot) {
            let package = packages.files[file.0 as usize].0;
            packages.packages[package.0 as usize].indexed.push(file);
            packages.packages[package.0 as usize].resets |= reads[file.0 as usize].resets;
        }
        let about = packages.about;
        let placed = packages.files.clone();
        let package = |file: FileId| placed[file.0 as usize].0.0 as usize;
        let holders = names
            .iter()
            .flat_map(|names| names.aliases.iter().chain(&names.handed).chain(&names.traits).cloned())
            .collect();
        let analysis = Analysis::new(Index::new(&files, self.model, packages.packages, packages.files, holders));
        let test_files: Vec<bool> =
            files.ids().map(|file| self.is_test_file(&files, &analysis, &about, &placed, file)).collect();
        // What is not reported need not be looked at.
        let with_tests = self.tests == TestCode::Include;
        let functions: Vec<ItemRef> = files
            .ids()
            .filter(|file| reported[file.0 as usize] && reads[file.0 as usize].hot)
            .filter(|file| with_tests || !test_files[file.0 as usize])
            .collect::<Vec<_>>()
            .into_par_iter()
            .flat_map_iter(|file| {
                let holes = analysis.index.package_of(file).holes;
                select(&files, file, &about[package(file)].2, &names[package(file)], with_tests, holes)
            })
            .collect();
        let done = std::sync::atomic::AtomicUsize::new(0);
        let checked: Vec<Checked> = functions
            .par_iter()
            .map(|item| {
                let checked = self.function(&files, &analysis, *item);
                progress(done.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1, functions.len());
                checked
            })
            .collect();

        let mut outcome = Outcome::default();
        if self.options.describe {
            outcome.described = describe(&files, &analysis, &reported);
        }
        outcome.summary.files = requested.len();
        outcome.summary.functions = functions.len();
        let mut diagnostics = Vec::new();
        for one in checked {
            outcome.summary.sessions += one.sessions;
            outcome.gaps.extend(one.gaps);
            outcome.skipped.extend(one.skipped);
            diagnostics.extend(one.diagnostics);
        }
        let mut suppressions: Vec<Suppression> = Vec::new();
        for read in &mut reads {
            outcome.skipped.extend(read.skipped.take());
            suppressions.append(&mut read.suppressions);
        }
        let mut kept = Vec::new();
        for diagnostic in diagnostics {
            if suppress::is_silenced(&mut suppressions, &diagnostic) {
                outcome.suppressed += 1;
            } else {
                kept.push(diagnostic);
            }
        }
        kept.extend(suppress::findings(&suppressions, self.rules));
        kept.retain_mut(|diagnostic| {
            let path = &files.paths[diagnostic.span.file.0 as usize];
            diagnostic.level = self.levels.of(diagnostic.rule, path.strip_prefix(self.base).unwrap_or(path));
            let test = test_files[diagnostic.span.file.0 as usize] || is_test_code(&files, diagnostic.span);
            diagnostic.level != Level::Allow && (self.tests == TestCode::Include || !test)
        });
        let shown: Vec<String> = files.paths.iter().map(|path| walk::shown(&self.options.directory, path)).collect();
        kept.sort_by(|a, b| {
            let key = |d: &Diagnostic| (d.span.start, d.span.end, d.rule);
            (&shown[a.span.file.0 as usize], key(a)).cmp(&(&shown[b.span.file.0 as usize], key(b)))
        });
        let text = |file: FileId| files.data(file).map_or("", |data| data.text.as_str());
        fingerprint::set(&mut kept, text, |file| about[placed[file.0 as usize].0.0 as usize].1.as_str());
        for level in ["deny", "warn", "note"] {
            let count = kept.iter().filter(|diagnostic| diagnostic.level.as_str() == level).count();
            outcome.summary.findings.insert(level, count);
        }
        let mut pointed: HashSet<FileId> = outcome.gaps.iter().map(|gap| gap.span.file).collect();
        for diagnostic in &kept {
            pointed.insert(diagnostic.span.file);
            pointed.extend(diagnostic.labels.iter().map(|label| label.span.file));
        }
        outcome.files = files
            .ids()
            .map(|file| CheckedFile {
                path: shown[file.0 as usize].clone(),
                text: if pointed.contains(&file) { text(file).to_owned() } else { String::new() },
            })
            .collect();
        outcome.findings = kept;
        outcome.gaps.sort();
        outcome.gaps.dedup();
        outcome.skipped.sort();
        outcome.skipped.dedup();
        outcome
    }

    fn function(&self, files: &Files, analysis: &Analysis<'_>, item: ItemRef) -> Checked {
        let mut checked = Checked { diagnostics: Vec::new(), gaps: Vec::new(), sessions: 0, skipped: None };
        let reports = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| analysis.function(item)));
        let Ok(reports) = reports else {
            let name = sessionlint_analysis::function_path(&analysis.index, item);
            checked.skipped = self.skipped_at(files, item, format!("internal error while checking `{name}`"), None);
            return checked;
        };
        if reports.is_empty() {
            checked.skipped = self.syntax_error(files, item);
        }
        for report in reports {
            let is_session =
                |site: &&sessionlint_analysis::Site| !site.borrowed && self.model.protocol(site.protocol).is_session();
            checked.sessions += report.sites.iter().filter(is_session).count();
            checked.gaps.extend(report.gaps.iter().cloned());
            let strict = self.levels.is_strict();
            let text = files.data(item.file).map_or("", |data| data.text.as_str());
            let context = sessionlint_rules::Context { report: &report, model: self.model, strict, text };
            checked.diagnostics.extend(sessionlint_rules::check(&context));
        }
        checked
    }

    /// Why a function could not be lowered.
    fn syntax_error(&self, files: &Files, item: ItemRef) -> Option<Skipped> {
        let data = files.data(item.file)?;
        let known = data.outline.item(item.item);
        let text = data.text.get(known.head.start as usize..known.head.end as usize)?;
        let error = sessionlint_parser_rust::function(text, known.head, &|_| None).err()?;
        let reason = if error.is_limit { "not read" } else { "not Rust" };
        self.skipped_at(files, item, format!("{reason}: {}", error.message), Some(error.span))
    }

    fn skipped_at(&self, files: &Files, item: ItemRef, reason: String, span: Option<Span>) -> Option<Skipped> {
        let data = files.data(item.file)?;
        let at = span.unwrap_or(data.outline.item(item.item).head).start as usize;
        let before = data.text.get(..at).unwrap_or(&data.text);
        let line = before.bytes().filter(|byte| *byte == b'\n').count() as u32 + 1;
        let path = walk::shown(&self.options.directory, &files.paths[item.file.0 as usize]);
        Some(Skipped { path, reason, line: Some(line) })
    }

    /// Whether a whole file is test code: by its directory, or because its module is declared so.
    fn is_test_file(
        &self,
        files: &Files,
        analysis: &Analysis<'_>,
        about: &[(PathBuf, String, Arc<Words>)],
        placed: &[(PackageId, Vec<String>)],
        file: FileId,
    ) -> bool {
        let (package, module) = &placed[file.0 as usize];
        let path = &files.paths[file.0 as usize];
        let inside = path.strip_prefix(&about[package.0 as usize].0).unwrap_or(path);
        let first = inside.components().next().map(|part| part.as_os_str().to_string_lossy().into_owned());
        if matches!(first.as_deref(), Some("tests" | "benches" | "examples")) {
            return true;
        }
        // Only files that something was read from can have findings.
        if files.data[file.0 as usize].get().is_none() {
            return false;
        }
        (1..=module.len()).any(|length| {
            let (name, parents) = module[..length].split_last().expect("not empty");
            let parents = analysis.index.package_of(file).modules.get(parents).cloned().unwrap_or_default();
            parents.into_iter().filter_map(|parent| files.data(parent)).any(|data| {
                let declares = |item: &sessionlint_ir::Item| {
                    item.kind == ItemKind::Module && item.name == *name && item.body.is_none() && item.test
                };
                data.outline.items.iter().any(declares)
            })
        })
    }
}

/// What is known about each function of the files that are reported.
fn describe(files: &Files, analysis: &Analysis<'_>, reported: &[bool]) -> Vec<(Span, String)> {
    let known = files.ids().filter(|file| reported[file.0 as usize]).filter_map(|file| Some((file, files.data(file)?)));
    let functions = known.flat_map(|(file, data)| {
        let ids = data.outline.ids().filter(|id| data.outline.item(*id).kind == ItemKind::Function);
        ids.map(move |item| (ItemRef { file, item }, data.outline.item(item).head))
    });
    functions.map(|(item, head)| (head, analysis.describe(item))).filter(|(_, words)| !words.is_empty()).collect()
}

/// Whether a place lies in an item that is test code.
fn is_test_code(files: &Files, span: Span) -> bool {
    let Some(data) = files.data(span.file) else { return false };
    let around = data.outline.ids().filter(|id| data.outline.item(*id).span.contains(span));
    data.outline.test || around.into_iter().any(|id| data.outline.is_test(id))
}
