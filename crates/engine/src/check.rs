//! What is wrong in these files? One look at a set of files: read, index, analyse.

use crate::errors::Errors;
use crate::heads::{Read, select};
use crate::host::{Files, Overlay};
use crate::kept::{Checked, Functions, News, Noted};
use crate::learn::Workspace;
use crate::memory::{Known, Memory, ROUNDS};
use crate::outcome::{Outcome, Session, Skipped, Timing};
use crate::packages::with_files;
use crate::placed::modules;
use crate::run::{Engine, Progress, Stage};
use crate::sift::Sifted;
use crate::{panics, paths};
use rayon::prelude::*;
use sessionlint_analysis::{Analysis, Host, Index, ItemRef, Renewal};
use sessionlint_diagnostics::{Diagnostic, FileId, Span};
use sessionlint_ir::ItemKind;
use sessionlint_protocols::TestCode;
use std::collections::HashSet;
use std::ffi::OsStr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

impl Engine {
    /// One look at the files `reported`.
    pub(crate) fn look(&self, reported: &[PathBuf], overlay: &Overlay, progress: Progress<'_>) -> Outcome {
        let start = Instant::now();
        // A panic in what is about all files loses what was learned, and no more.
        let mut memory = std::mem::take(&mut *self.memory());
        let files = Files::new(&self.known, self.languages, overlay);
        let wanted: HashSet<&OsStr> = reported.iter().map(|path| path.as_os_str()).collect();
        let reported: Vec<bool> = files.paths.iter().map(|path| wanted.contains(path.as_os_str())).collect();
        let (reads, workspace) = self.first_look(&files, overlay, &mut memory, progress);
        let (mut reads, known, analysis) = self.known(&files, reads, &workspace, &mut memory);
        let read = start.elapsed();
        let package = |file: FileId| self.packages.files[file.0 as usize].0.0 as usize;
        // What is not reported need not be looked at.
        let with_tests = self.tests == TestCode::Include;
        let functions: Vec<ItemRef> = files
            .ids()
            .filter(|file| reported[file.0 as usize] && reads[file.0 as usize].hot)
            .filter(|file| with_tests || !self.is_test_file(&files, &analysis, *file))
            .collect::<Vec<_>>()
            .into_par_iter()
            .flat_map_iter(|file| {
                let holes = analysis.index.package_of(file).holes;
                let words = &self.packages.about[package(file)].2;
                let names = &known.names[package(file)];
                files.guarded(file, || select(&files, file, words, names, with_tests, holes)).unwrap_or_default()
            })
            .collect();
        if self.options.keep {
            memory.functions.under(setting(&memory, &workspace, &analysis));
        }
        let done = std::sync::atomic::AtomicUsize::new(0);
        let renewal = Renewal::default();
        let checked: Vec<(Checked, News)> = functions
            .par_iter()
            .map(|item| {
                let is_test_file = with_tests && self.is_test_file(&files, &analysis, item.file);
                let known =
                    self.options.keep.then(|| memory.functions.of(&files, &analysis, &renewal, *item)).flatten();
                let checked = known.unwrap_or_else(|| self.noted(&files, &analysis, *item, is_test_file));
                let count = done.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1;
                progress(Stage::Analysing, count, functions.len());
                checked
            })
            .collect();
        let (checked, news): (Vec<Checked>, Vec<News>) = checked.into_iter().unzip();

        let mut outcome = Outcome::default();
        outcome.summary.analysed = news.iter().filter(|news| matches!(news, News::New(_))).count();
        functions.iter().zip(news).for_each(|(item, news)| memory.functions.keep(*item, news));
        if self.options.describe {
            outcome.described = describe(&files, &analysis, &reported);
        }
        outcome.summary.files = wanted.len();
        outcome.summary.functions = functions.len();
        outcome.summary.steps = analysis.steps();
        outcome.summary.read = memory.read;
        let with_sessions = functions.iter().zip(&checked).filter(|(_, checked)| checked.has_sessions);
        let with_sessions = with_sessions.map(|(item, _)| *item).collect();
        let asked: Vec<FileId> = files.ids().filter(|file| reported[file.0 as usize]).collect();
        let is_test = |file: FileId, item| {
            let of_file = || analysis.index.is_test_file(file);
            !with_tests && (files.data(file).is_some_and(|data| data.outline.is_test(item)) || of_file())
        };
        for (package, gap) in self.unread(&files, &asked, &with_sessions, &is_test) {
            *outcome.unread.entry(package).or_default() += 1;
            outcome.gaps.push(gap);
        }
        let mut sifted = Sifted::default();
        for one in checked {
            outcome.summary.sessions += one.sessions;
            outcome.gaps.extend(one.gaps);
            outcome.skipped.extend(one.skipped);
            outcome.sessions.extend(one.known);
            sifted.found.extend(one.diagnostics);
        }
        for (read, _) in reads.iter_mut().zip(&reported).filter(|(_, reported)| **reported) {
            outcome.skipped.extend(read.skipped.take());
            sifted.suppressions.append(&mut read.suppressions);
        }
        self.sift(&mut outcome, sifted, &files, &|file| self.is_test_file(&files, &analysis, file));
        let panicked = outcome.skipped.iter().filter(|one| one.internal).count();
        self.tell_broken(&mut outcome, &files);
        outcome.summary.panics = outcome.skipped.iter().filter(|one| one.internal).count();
        // A file without anything to check is checked when it is read.
        let is_read = |file: &FileId| reported[file.0 as usize] && !files.broken().contains_key(file);
        let done = functions.len() > panicked || (functions.is_empty() && files.ids().any(|file| is_read(&file)));
        outcome.summary.nothing_checked = outcome.summary.panics > 0 && !done;
        memory.keep(&files);
        if !files.broken().is_empty() {
            // What went wrong is tried again, and told again.
            memory.functions = Functions::default();
        }
        drop(analysis);
        outcome.timing = Timing { read, functions: start.elapsed() - read, ..Timing::default() };
        outcome.included =
            files.included.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner).into_iter().collect();
        *self.memory() = memory;
        outcome
    }

    /// What each file says for itself, and what is learned from the workspace.
    pub(crate) fn first_look(
        &self,
        files: &Files<'_>,
        overlay: &Overlay,
        memory: &mut Memory,
        progress: Progress<'_>,
    ) -> (Vec<Read>, Workspace) {
        let mut reads = self.look_at(files, overlay, memory, progress);
        let workspace = self.learned(files, &mut reads, memory);
        (reads, workspace)
    }

    /// What files say, the names that stand for sessions, and an analysis over all of it.
    pub(crate) fn known<'f>(
        &'f self,
        files: &'f Files<'_>,
        mut reads: Vec<Read>,
        workspace: &'f Workspace,
        memory: &mut Memory,
    ) -> (Vec<Read>, Arc<Known>, Analysis<'f>) {
        let mut known = self.packages.names(files, &reads, &self.model, memory, 0);
        // What one file puts around a session another may hand on that names neither the library nor the type.
        for round in 1..ROUNDS {
            if !self.read_again(files, &mut reads, &known, memory, round - 1) {
                break;
            }
            known = self.packages.names(files, &reads, &self.model, memory, round);
        }
        let (packages, placed) = modules(&self.packages, files, &reads);
        let packages = with_files(packages, &placed, &reads, |file| reads[file.0 as usize].hot);
        let holders = known
            .names
            .iter()
            .flat_map(|names| {
                names.aliases.iter().chain(&names.handed).chain(&names.pools).chain(&names.traits).cloned()
            })
            .collect();
        let model = workspace.model.as_ref().unwrap_or(&self.model);
        let index = Index::new(files, model, packages, placed, holders);
        let analysis = Analysis::new(
            index.with_learned(workspace.types.iter().copied()).with_vendored(workspace.vendored.iter().copied()),
        );
        (reads, known, analysis)
    }

    fn memory(&self) -> std::sync::MutexGuard<'_, crate::memory::Memory> {
        // What a panic left is whole: it is only put back when a look is done.
        self.memory.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Checks one function, and notes on what its report stands when that may be kept.
    fn noted(&self, files: &Files<'_>, analysis: &Analysis<'_>, item: ItemRef, is_test_file: bool) -> (Checked, News) {
        let check = || self.function(files, analysis, item, is_test_file);
        if !self.options.keep {
            return (check(), News::New(Box::new(Noted::none())));
        }
        let (checked, basis) = analysis.noted(|| {
            let mut checked = check();
            checked.places().for_each(|place| analysis.stands_on_place(*place));
            checked
        });
        let noted = Noted::new(files, item, &checked, basis);
        (checked, News::New(Box::new(noted)))
    }

    /// Checks one function. A panic costs this function only.
    fn function(&self, files: &Files<'_>, analysis: &Analysis<'_>, item: ItemRef, is_test_file: bool) -> Checked {
        let name = || sessionlint_analysis::function_path(&analysis.index, item);
        let what = match panics::caught(|| self.judged(files, analysis, item, is_test_file, &name)) {
            Ok(checked) => return checked,
            Err(what) => what,
        };
        // The longer name may be what cannot be found out.
        let short = || files.data(item.file).map(|data| data.outline.item(item.item).name.clone());
        let name = panics::caught(name).unwrap_or_else(|_| short().unwrap_or_default());
        let mut skipped = self.skipped_at(files, item, format!("internal error in {name}: {what}"), None);
        skipped.iter_mut().for_each(|one| one.internal = true);
        Checked { skipped, ..Checked::default() }
    }

    fn judged(
        &self,
        files: &Files<'_>,
        analysis: &Analysis<'_>,
        item: ItemRef,
        is_test_file: bool,
        name: &dyn Fn() -> String,
    ) -> Checked {
        let mut checked = Checked::default();
        panics::provoked("analysing", name);
        let reports = analysis.function(item);
        panics::provoked("judging", name);
        if reports.is_empty() {
            checked.skipped = self.syntax_error(files, item);
        }
        for report in reports {
            let model = analysis.index.model;
            let is_session =
                |site: &&sessionlint_analysis::Site| !site.borrowed && model.protocol(site.protocol).is_session();
            if self.options.keep {
                analysis.stands_on_places(&report);
            }
            checked.has_sessions |= !report.sites.is_empty();
            checked.sessions += report.sites.iter().filter(is_session).count();
            checked.gaps.extend(report.gaps.iter().cloned());
            if self.options.sessions {
                // Editors ask the model of all workspaces about them.
                let of_library = |site: &&sessionlint_analysis::Site| {
                    is_session(site) && model.protocol(site.protocol).learned_from.is_none()
                };
                checked.known.extend(report.sites.iter().filter(of_library).filter_map(|site| session(&report, site)));
            }
            let strict = self.levels.is_strict();
            let text = files.data(item.file).map_or("", |data| data.text.as_str());
            let is_test = is_test_file || files.data(item.file).is_some_and(|data| data.outline.is_test(item.item));
            let errors = Errors { files, index: &analysis.index, packages: &self.packages };
            let takes_error = |library| errors.takes(report.span, model.library(library));
            let (report, language) = (&report, files.language(item.file));
            let context = sessionlint_rules::Context {
                report,
                model,
                strict,
                language,
                text,
                is_test,
                takes_error: &takes_error,
            };
            let mut found = sessionlint_rules::check(&context);
            found.iter_mut().for_each(|finding| name_functions(finding, report.item, files, analysis));
            checked.diagnostics.extend(found);
        }
        checked
    }

    /// Why a function could not be lowered.
    fn syntax_error(&self, files: &Files<'_>, item: ItemRef) -> Option<Skipped> {
        let data = files.data(item.file)?;
        // What a macro writes need be no code before it is called.
        if data.outline.is_of_macro(item.item) {
            return None;
        }
        let known = data.outline.item(item.item);
        let text = data.text.get(known.head.start as usize..known.head.end as usize)?;
        let error = data.language.function(text, known.head, &|_| None).err()?;
        let reason = match error.is_limit {
            true => format!("not read: {}", error.message),
            false => format!("not {}: {}", data.language.name(), error.message),
        };
        self.skipped_at(files, item, reason, Some(error.span))
    }

    fn skipped_at(&self, files: &Files<'_>, item: ItemRef, reason: String, span: Option<Span>) -> Option<Skipped> {
        let data = files.data(item.file)?;
        let at = span.unwrap_or(data.outline.item(item.item).head).start;
        let line = files.line(item.file, at);
        let path = paths::shown(&self.options.directory, &files.paths[item.file.0 as usize]);
        Some(Skipped { path, reason, line, internal: false })
    }

    /// Lists the files that this program panicked over.
    fn tell_broken(&self, outcome: &mut Outcome, files: &Files<'_>) {
        for (file, what) in files.broken() {
            let path = paths::shown(&self.options.directory, &files.paths[file.0 as usize]);
            let reason = format!("internal error in this file: {what}");
            outcome.skipped.push(Skipped { path, reason, line: None, internal: true });
        }
        outcome.skipped.sort();
    }

    /// Whether a whole file is test code. Only files that something was read from can have findings.
    fn is_test_file(&self, files: &Files<'_>, analysis: &Analysis<'_>, file: FileId) -> bool {
        files.data[file.0 as usize].get().is_some() && analysis.index.is_test_file(file)
    }
}

/// What stands for all that any function depends on and that is no body of another one.
fn setting(memory: &Memory, workspace: &Workspace, analysis: &Analysis<'_>) -> u128 {
    let learned = workspace.learned.iter().map(|one| format!("{:?}", (one.item, &one.protocol)));
    analysis.index.setting(&(memory.shapes(), memory.unread, learned.collect::<Vec<_>>()))
}

/// Says of each step outside of `item`, the function of the finding, in which function it is.
fn name_functions(finding: &mut Diagnostic, item: Span, files: &Files<'_>, analysis: &Analysis<'_>) {
    for label in finding.labels.iter_mut().filter(|label| !item.contains(label.span)) {
        let file = label.span.file;
        label.function = files.data(file).and_then(|data| {
            let function = data.outline.function_at(label.span)?;
            let path = sessionlint_analysis::function_path(&analysis.index, ItemRef { file, item: function });
            let parts: Vec<&str> = path.rsplit("::").take(2).collect();
            let owner = parts.get(1).filter(|owner| owner.starts_with(char::is_uppercase));
            Some(owner.map_or(parts[0].to_owned(), |owner| format!("{owner}::{}", parts[0])))
        });
    }
}

/// What is known about each function of the files that are reported.
fn describe(files: &Files<'_>, analysis: &Analysis<'_>, reported: &[bool]) -> Vec<(Span, String)> {
    let known = files.ids().filter(|file| reported[file.0 as usize]).filter_map(|file| Some((file, files.data(file)?)));
    let functions = known.flat_map(|(file, data)| {
        let ids = data.outline.ids().filter(|id| data.outline.item(*id).kind == ItemKind::Function);
        ids.map(move |item| (ItemRef { file, item }, data.outline.item(item).head))
    });
    functions.map(|(item, head)| (head, analysis.describe(item))).filter(|(_, words)| !words.is_empty()).collect()
}

/// What is known about one session that has a name.
fn session(report: &sessionlint_analysis::Report, site: &sessionlint_analysis::Site) -> Option<Session> {
    Some(Session {
        name: site.name.clone()?,
        opened: site.span,
        body: report.span,
        protocol: site.protocol,
        ended: site.ended.iter().map(|(span, _)| *span).collect(),
    })
}
