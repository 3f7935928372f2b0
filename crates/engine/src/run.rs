//! In which order does a run go? Walk, read, index, analyse, silence, sort.

use crate::host::{self, Files};
use crate::levels::Levels;
use crate::manifest::Manifests;
use crate::settings::{self, Failure, Options};
use crate::suppress::{self, Suppression};
use crate::words::{Names, Words};
use crate::{fingerprint, walk};
use rayon::prelude::*;
use sessionlint_analysis::{Analysis, FileData, Host, Index, ItemRef, Package, PackageId};
use sessionlint_diagnostics::{Diagnostic, FileId, Gap, Level, Span};
use sessionlint_ir::{ItemId, ItemKind};
use sessionlint_protocols::{LibraryId, Model, RuleSet, TestCode};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Stack of a worker thread, in bytes: the parser recurses. Only what is used is ever backed by memory.
const STACK: usize = 256 << 20;
/// Names that many functions have: one of them handing out a session says nothing about the others.
const COMMON_OPENERS: &[&str] =
    &["new", "get", "default", "from", "build", "clone", "into_inner", "deref", "deref_mut"];

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
    Ok(pool.install(|| run.check(requested, progress)))
}

struct Run<'a> {
    options: &'a Options,
    rules: &'a RuleSet,
    model: &'a Model,
    levels: &'a Levels,
    base: &'a Path,
    tests: TestCode,
}

/// What the first look at a file gives.
#[derive(Default)]
struct Read {
    skipped: Option<Skipped>,
    suppressions: Vec<Suppression>,
    aliases: Vec<String>,
    hot: bool,
}

/// The packages of a run.
struct Packages {
    packages: Vec<Package>,
    /// For each package its directory, crate identifier and words.
    about: Vec<(PathBuf, String, Arc<Words>)>,
    /// For each file its package and module path.
    files: Vec<(PackageId, Vec<String>)>,
}

/// What one function gave.
struct Checked {
    diagnostics: Vec<Diagnostic>,
    gaps: Vec<Gap>,
    sessions: usize,
    skipped: Option<Skipped>,
}

impl Run<'_> {
    fn check(&self, requested: Vec<PathBuf>, progress: &(dyn Fn(usize, usize) + Sync)) -> Outcome {
        let mut manifests = Manifests::default();
        let known = self.known_files(&requested, &mut manifests);
        let files = Files::new(known);
        let wanted: HashSet<&OsStr> = requested.iter().map(|path| path.as_os_str()).collect();
        let reported: Vec<bool> = files.paths.iter().map(|path| wanted.contains(path.as_os_str())).collect();
        let mut packages = self.packages(&files, &mut manifests);
        let mut reads: Vec<Read> = files
            .ids()
            .collect::<Vec<_>>()
            .into_par_iter()
            .map(|file| self.read(&files, file, &packages, reported[file.0 as usize]))
            .collect();
        let hot = |file: &FileId| reads[file.0 as usize].hot;
        let words = |file: FileId| &packages.about[packages.files[file.0 as usize].0.0 as usize].2;
        let mut names = Names {
            aliases: reads.iter().flat_map(|read| read.aliases.iter().cloned()).collect(),
            openers: HashSet::new(),
        };
        let hot_files: Vec<FileId> = files.ids().filter(hot).collect();
        let openers = hot_files.par_iter().flat_map_iter(|file| openers(&files, *file, words(*file), &names.aliases));
        names.openers = openers.collect();
        for file in files.ids().filter(|file| reads[file.0 as usize].hot) {
            let package = packages.files[file.0 as usize].0;
            packages.packages[package.0 as usize].indexed.push(file);
        }
        let about = packages.about;
        let placed = packages.files.clone();
        let analysis = Analysis::new(Index::new(&files, self.model, packages.packages, packages.files));
        let functions: Vec<ItemRef> = files
            .ids()
            .filter(|file| reported[file.0 as usize] && reads[file.0 as usize].hot)
            .collect::<Vec<_>>()
            .into_par_iter()
            .flat_map_iter(|file| select(&files, file, &about[placed[file.0 as usize].0.0 as usize].2, &names))
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
        let test_files: Vec<bool> =
            files.ids().map(|file| self.is_test_file(&files, &analysis, &about, &placed, file)).collect();
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

    /// The requested files, and all others of the packages that they lead to: what is known does not depend on
    /// what is reported.
    fn known_files(&self, requested: &[PathBuf], manifests: &mut Manifests) -> Vec<PathBuf> {
        let mut known: Vec<PathBuf> = requested.to_vec();
        let mut directories = BTreeSet::new();
        for file in requested {
            if let Some(package) = manifests.package_of(file)
                && !directories.contains(&package)
            {
                directories.extend(manifests.closure(&package));
            }
        }
        let walked: Vec<PathBuf> =
            self.options.paths.iter().map(|path| walk::absolute(&self.options.directory, path)).collect();
        for directory in directories {
            if self.options.stdin.is_none() && walked.iter().any(|path| directory.starts_with(path) && path.is_dir()) {
                continue;
            }
            if !manifests.libraries(&directory, self.model).is_empty() {
                known.extend(walk::below(&directory, self.options.no_ignore));
            }
        }
        walk::sort(&mut known);
        known
    }

    fn packages(&self, files: &Files, manifests: &mut Manifests) -> Packages {
        let mut ids: BTreeMap<Option<PathBuf>, PackageId> = BTreeMap::new();
        let mut placed = Vec::new();
        for path in &files.paths {
            let directory = manifests.package_of(path);
            // Files without a package: those of one directory know each other.
            let key = directory.clone().or_else(|| path.parent().map(|parent| parent.join("?")));
            let next = PackageId(ids.len() as u32);
            let id = *ids.entry(key).or_insert(next);
            placed.push((id, module_path(path, directory.as_ref().and_then(|d| manifests.load(d)))));
        }
        let mut packages = vec![Package::default(); ids.len()];
        let mut about =
            vec![(PathBuf::new(), String::new(), Arc::new(Words::new(self.model, Some(&BTreeSet::new())))); ids.len()];
        let mut words: HashMap<Option<BTreeSet<LibraryId>>, Arc<Words>> = HashMap::new();
        let keys: Vec<(Option<PathBuf>, PackageId)> = ids.iter().map(|(key, id)| (key.clone(), *id)).collect();
        for (key, id) in keys {
            let package = &mut packages[id.0 as usize];
            let directory = key.unwrap_or_default();
            let libraries = match manifests.load(&directory).cloned() {
                Some(manifest) => {
                    package.libraries = manifests.libraries(&directory, self.model);
                    for (ident, (name, path)) in &manifest.dependencies {
                        let workspace = path.as_ref().and_then(|path| ids.get(&Some(path.clone())).copied());
                        let real = name.replace('-', "_");
                        package.dependencies.insert(ident.clone(), (real, workspace));
                    }
                    // The package's own library, as its binaries and tests name it.
                    package.dependencies.insert(manifest.library.clone(), (manifest.library.clone(), Some(id)));
                    about[id.0 as usize].1 = manifest.library;
                    Some(package.libraries.clone())
                }
                None => {
                    package.loose = true;
                    None
                }
            };
            about[id.0 as usize].0 = directory;
            let known = words.entry(libraries.clone());
            about[id.0 as usize].2 =
                Arc::clone(known.or_insert_with(|| Arc::new(Words::new(self.model, libraries.as_ref()))));
        }
        for (file, (package, module)) in files.ids().zip(&placed) {
            packages[package.0 as usize].modules.entry(module.clone()).or_default().push(file);
        }
        Packages { packages, about, files: placed }
    }

    /// The first look at a file: is it text, does it matter, what does it silence?
    fn read(&self, files: &Files, file: FileId, packages: &Packages, reported: bool) -> Read {
        let path = &files.paths[file.0 as usize];
        let words = &packages.about[packages.files[file.0 as usize].0.0 as usize].2;
        let mut read = Read::default();
        let bytes = match &self.options.stdin {
            Some(stdin) if walk::absolute(&self.options.directory, &stdin.path) == *path => Ok(stdin.text.clone()),
            _ => std::fs::read(path),
        };
        let skip = |reason: String| {
            let path = walk::shown(&self.options.directory, path);
            reported.then_some(Skipped { path, reason, line: None })
        };
        let bytes = match bytes {
            Ok(bytes) => bytes,
            Err(error) => {
                read.skipped = skip(format!("cannot be read: {error}"));
                return read;
            }
        };
        if u32::try_from(bytes.len()).is_err() {
            read.skipped = skip("larger than 4 GiB".to_owned());
            return read;
        }
        read.hot = words.wants_file(&bytes);
        let silences = reported && memchr::memmem::find(&bytes, b"sessionlint:").is_some();
        if !read.hot && !silences {
            // What is not looked at must still be text, or nobody would know that it was left out.
            if reported && std::str::from_utf8(&bytes).is_err() {
                read.skipped = skip("not UTF-8".to_owned());
            }
            return read;
        }
        let Some(text) = host::decode(bytes) else {
            read.skipped = skip("not UTF-8".to_owned());
            read.hot = false;
            return read;
        };
        let data = host::outlined(text, file);
        if silences {
            read.suppressions = suppress::find(&data.text, file, &data.outline);
        }
        if read.hot {
            read.aliases = aliases(&data, words);
        }
        let _ = files.data[file.0 as usize].set(Some(data));
        read
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
            checked.sessions += report.sites.iter().filter(|site| !site.borrowed).count();
            checked.gaps.extend(report.gaps.iter().cloned());
            let strict = self.levels.is_strict();
            let context = sessionlint_rules::Context { report: &report, model: self.model, strict };
            checked.diagnostics.extend(sessionlint_rules::check(&context));
        }
        checked
    }

    /// Why a function could not be lowered.
    fn syntax_error(&self, files: &Files, item: ItemRef) -> Option<Skipped> {
        let data = files.data(item.file)?;
        let known = data.outline.item(item.item);
        let text = data.text.get(known.head.start as usize..known.head.end as usize)?;
        let error = sessionlint_parser_rust::function(text, known.head).err()?;
        self.skipped_at(files, item, format!("not Rust: {}", error.message), Some(error.span))
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

/// The module path that a file has by its place.
fn module_path(path: &Path, manifest: Option<&crate::manifest::Manifest>) -> Vec<String> {
    let Some(manifest) = manifest else { return Vec::new() };
    let name = |part: &std::ffi::OsStr| part.to_string_lossy().into_owned();
    let Ok(inside) = path.strip_prefix(&manifest.source) else {
        // A test, example or build script is the root of a crate of its own.
        let inside = path.strip_prefix(&manifest.directory).unwrap_or(path);
        return std::iter::once("?".to_owned()).chain(inside.iter().map(name)).collect();
    };
    let mut module: Vec<String> = inside.with_extension("").iter().map(name).collect();
    match module.last().map(String::as_str) {
        Some("lib" | "main") if module.len() == 1 => module.clear(),
        Some("mod") => {
            module.pop();
        }
        _ => {}
    }
    if module.first().is_some_and(|first| first == "bin") {
        module = if module.len() == 2 { Vec::new() } else { module.split_off(2) };
    }
    module
}

/// Type aliases and renamed imports of a file that stand for a session.
fn aliases(data: &FileData, words: &Words) -> Vec<String> {
    let items = |kind| data.outline.items.iter().filter(move |item| item.kind == kind);
    let mut found: Vec<String> =
        items(ItemKind::Use).flat_map(|item| words.renamed(text_of(data, item.head))).collect();
    for item in items(ItemKind::Alias) {
        let text = text_of(data, item.head);
        if words.is_alias(text)
            || sessionlint_parser_rust::identifiers(text).any(|(_, name)| found.iter().any(|f| f == name))
        {
            found.push(item.name.clone());
        }
    }
    found
}

/// Functions of a file that hand out a session.
fn openers(files: &Files, file: FileId, words: &Words, aliases: &HashSet<String>) -> Vec<String> {
    let Some(data) = files.data(file) else { return Vec::new() };
    let functions = data.outline.items.iter().filter(|item| item.kind == ItemKind::Function);
    let opens = functions.filter(|item| {
        let end = item.body.map_or(item.head.end, |body| body.start);
        words.is_opener(text_of(data, Span { end, ..item.head }), aliases)
    });
    opens.map(|item| item.name.clone()).filter(|name| !COMMON_OPENERS.contains(&name.as_str())).collect()
}

fn text_of(data: &FileData, span: Span) -> &str {
    data.text.get(span.start as usize..span.end as usize).unwrap_or_default()
}

/// The functions of a file that are worth lowering.
fn select(files: &Files, file: FileId, words: &Words, names: &Names) -> Vec<ItemRef> {
    let Some(data) = files.data(file) else { return Vec::new() };
    let wanted = |id: &ItemId| {
        let item = data.outline.item(*id);
        let Some(body) = item.body.filter(|_| item.kind == ItemKind::Function) else { return false };
        let text = |from: u32, to: u32| data.text.get(from as usize..to as usize).unwrap_or_default();
        words.wants_function(text(item.head.start, body.start), text(body.start, body.end), names)
    };
    data.outline.ids().filter(wanted).map(|item| ItemRef { file, item }).collect()
}

/// Whether a place lies in an item that is test code.
fn is_test_code(files: &Files, span: Span) -> bool {
    let Some(data) = files.data(span.file) else { return false };
    let around = data.outline.ids().filter(|id| data.outline.item(*id).span.contains(span));
    data.outline.test || around.into_iter().any(|id| data.outline.is_test(id))
}
