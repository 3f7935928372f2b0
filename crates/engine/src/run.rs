//! In which order does a run go? Read the settings, find the files, check them, leave out what is known already.

use crate::dependencies::{Dependency, Outside};
use crate::host::Overlay;
use crate::levels::Levels;
use crate::manifest::Manifests;
use crate::memory::Memory;
use crate::outcome::Outcome;
use crate::packages::Packages;
use crate::settings::{self, Failure, Options, Settings};
use crate::staged::Staged;
use crate::{fixes, panics, paths, walk};
use sessionlint_diagnostics::{FileId, Level};
use sessionlint_ir::Languages;
use sessionlint_protocols::{Model, RuleSet, TestCode};
use std::cell::Cell;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Instant;

/// Stack of a worker thread, in bytes: the parser recurses. Only what is used is ever backed by memory.
const STACK: usize = 256 << 20;

/// What a check does for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// It reads files.
    Reading,
    /// It analyses functions.
    Analysing,
}

/// Told how many files or functions of how many are done.
pub type Progress<'a> = &'a (dyn Fn(Stage, usize, usize) + Sync);

/// The files of a workspace and what is known about them, for one check or for many.
pub struct Engine {
    pub(crate) options: Options,
    pub(crate) languages: Languages,
    pub(crate) rules: RuleSet,
    pub(crate) model: Model,
    pub(crate) levels: Levels,
    pub(crate) base: PathBuf,
    pub(crate) tests: TestCode,
    pub(crate) settings: Settings,
    /// What is staged, when that was asked for.
    pub(crate) staged: Option<Staged>,
    /// The files that were asked for.
    pub(crate) requested: Vec<PathBuf>,
    /// Those, and all that they can name; sorted. A file's place in the list is its number.
    pub(crate) known: Vec<PathBuf>,
    pub(crate) manifests: Manifests,
    /// The packages from outside of the workspace that matter.
    pub(crate) outside: Outside,
    pub(crate) packages: Packages,
    pub(crate) memory: Mutex<Memory>,
    threads: rayon::ThreadPool,
}

impl Engine {
    /// Reads the settings, finds the files and their packages.
    ///
    /// # Errors
    /// When nothing can be checked: bad options, a bad configuration, a path that cannot be read.
    pub fn new(options: Options, languages: Languages) -> Result<Self, Failure> {
        panics::caught(|| Self::prepared(options, languages)).unwrap_or_else(|what| Err(Failure::Internal(what)))
    }

    fn prepared(mut options: Options, languages: Languages) -> Result<Self, Failure> {
        let rules = RuleSet::built_in();
        let mut model = Model::built_in();
        let settings = settings::read(&options, &rules, &mut model)?;
        let levels = Levels::new(&options, &settings, &rules)?;
        let mut manifests = Manifests::default();
        let packages = manifests.named(&options.directory, &options.packages)?;
        if !packages.is_empty() {
            let name = |path: &PathBuf| match paths::shown(&options.directory, path) {
                here if here.is_empty() => PathBuf::from("."),
                name => PathBuf::from(name),
            };
            options.paths = packages.iter().map(name).collect();
        }
        let mut requested = match &options.stdin {
            Some(stdin) => vec![paths::absolute(&options.directory, &stdin.path)],
            None => walk::requested(&options, languages, &settings.base, &levels.exclude)?,
        };
        if !packages.is_empty() {
            // Another package may stand below the directory of one.
            requested.retain(|file| manifests.package_of(file).is_some_and(|package| packages.contains(&package)));
        }
        let staged = options.staged.then(|| Staged::read(&options.directory, languages)).transpose()?;
        if let Some(staged) = &staged {
            requested.retain(|file| staged.files.contains(file));
        }
        let threads = rayon::ThreadPoolBuilder::new()
            .num_threads(options.threads)
            .stack_size(STACK)
            .start_handler(|_| panics::works())
            .build()
            .map_err(|error| Failure::Threads(error.to_string()))?;
        let reading = options.deps || settings.config.deps.unwrap_or_default();
        if reading {
            // What others published is not asked for by naming the directory around it.
            requested.retain(|file| !is_of_others(file, &options, &mut manifests));
        }
        let own = crate::packages::own(&requested, &mut manifests);
        let tests = options.tests.or(settings.config.tests).unwrap_or_default();
        let asked = (reading, tests == TestCode::Include);
        let outside = crate::dependencies::find(&own, languages, &model, &mut manifests, asked);
        if !outside.read.is_empty() {
            requested.retain(|file| !is_of_others(file, &options, &mut manifests));
        }
        let known = crate::packages::known_files(&options, languages, &requested, own, &mut manifests);
        let named = match &options.stdin {
            Some(_) => requested.clone(),
            None => options.paths.iter().map(|path| paths::absolute(&options.directory, path)).collect(),
        };
        let packages = crate::packages::find(&known, &named, languages, &model, &mut manifests);
        let base = settings.base.clone();
        let memory = Mutex::new(Memory::default());
        Ok(Self {
            options,
            languages,
            rules,
            model,
            levels,
            base,
            tests,
            settings,
            staged,
            requested,
            known,
            manifests,
            outside,
            packages,
            memory,
            threads,
        })
    }

    /// The files that were asked for, as absolute paths.
    pub fn requested(&self) -> &[PathBuf] {
        &self.requested
    }

    /// The files that were asked for, as they are shown.
    pub fn requested_names(&self) -> Vec<String> {
        self.requested.iter().map(|path| paths::shown(&self.options.directory, path)).collect()
    }

    /// Whether a file, given by its absolute path, was asked for.
    pub(crate) fn asks_for(&self, path: &Path) -> bool {
        self.requested.binary_search_by(|file| file.as_os_str().cmp(path.as_os_str())).is_ok()
    }

    /// Whether a file, given by its absolute path, is one of those that are known.
    pub fn knows(&self, path: &Path) -> bool {
        self.known.binary_search_by(|known| known.as_os_str().cmp(path.as_os_str())).is_ok()
    }

    /// Checks the files `reported`, absolute paths among the known ones. Texts of `overlay` count instead of what files
    /// say. What did not change since the last check is not looked at again; the answer is the same.
    ///
    /// With `fixes` the fixes are tried, and those that hold what they promise are offered.
    ///
    /// # Errors
    /// When this program panics in what is about all files; a panic in one function or file costs that one only.
    pub fn check(
        &self,
        reported: &[PathBuf],
        overlay: &Overlay,
        fixes: bool,
        progress: Progress<'_>,
    ) -> Result<Outcome, Failure> {
        let check = || {
            let mut outcome = self.look(reported, overlay, progress);
            let start = Instant::now();
            if fixes {
                let tried = Cell::new(0);
                let again = |paths: Vec<PathBuf>, overlay: &Overlay| {
                    let outcome = self.look(&paths, overlay, &|_, _, _| {});
                    tried.set(tried.get() + outcome.summary.steps);
                    outcome
                };
                fixes::verify(&mut outcome, &self.options.directory, overlay, &again);
                outcome.summary.steps += tried.get();
            } else {
                outcome.findings.iter_mut().for_each(|finding| finding.fixes.clear());
            }
            outcome.timing.fixes = start.elapsed();
            outcome
        };
        panics::caught(|| self.threads.install(check)).map_err(Failure::Internal)
    }

    /// Runs on the threads of this engine.
    pub(crate) fn on_threads<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        self.threads.install(work)
    }

    /// The Cargo.lock files at and above the packages that are known, and what they say.
    pub(crate) fn lock_files(&self) -> Vec<(PathBuf, blake3::Hash)> {
        let packages = self.packages.about.iter().map(|(directory, _, _)| directory.as_path());
        let directories: BTreeSet<&Path> = packages.flat_map(Path::ancestors).collect();
        let read = |directory: &&Path| {
            let path = directory.join("Cargo.lock");
            let hash = blake3::hash(&std::fs::read(&path).ok()?);
            Some((path, hash))
        };
        directories.iter().filter_map(read).collect()
    }

    /// Whether a rule is reported in a file.
    pub(crate) fn reports(&self, rule: &str, path: &Path) -> bool {
        self.levels.of(rule, path.strip_prefix(&self.base).unwrap_or(path)) != Level::Allow
    }

    /// The packages from outside of the workspace whose sources are read.
    pub fn dependencies(&self) -> &[Dependency] {
        &self.outside.read
    }

    /// Whether the sources of dependencies are read.
    pub(crate) fn reads_dependencies(&self) -> bool {
        self.options.deps || self.settings.config.deps.unwrap_or_default()
    }

    /// Whether a file belongs to a package from outside of the workspace: nothing is told inside of it.
    pub(crate) fn is_outside(&self, file: FileId) -> bool {
        let package = self.packages.files[file.0 as usize].0.0 as usize;
        self.manifests.outside.contains_key(&self.packages.about[package].0)
    }

    /// The protocols that are known, those of rules.toml included.
    pub fn model(&self) -> &Model {
        &self.model
    }
}

/// Whether a file that was asked for lies in a package that somebody else published, and no path names that package.
fn is_of_others(file: &Path, options: &Options, manifests: &mut Manifests) -> bool {
    let Some(package) = manifests.package_of(file) else { return false };
    let is_named = |path: &PathBuf| paths::absolute(&options.directory, path).starts_with(&package);
    let is_vendored = package.join(".cargo-checksum.json").is_file() || manifests.outside.contains_key(&package);
    is_vendored && !options.paths.iter().any(is_named)
}
