//! What is reported of what was found? Comments silence, levels decide, test code is left out; then it is sorted.

use crate::host::Files;
use crate::outcome::{CheckedFile, Outcome, Silenced, SilencedBy};
use crate::run::Engine;
use crate::suppress::{self, Suppression};
use crate::{fingerprint, paths};
use sessionlint_analysis::Host;
use sessionlint_diagnostics::{Diagnostic, FileId, Level, Span};
use sessionlint_protocols::TestCode;
use std::collections::HashSet;

/// What was found, and what silences.
#[derive(Default)]
pub(crate) struct Sifted {
    pub found: Vec<Diagnostic>,
    pub suppressions: Vec<Suppression>,
}

impl Engine {
    /// Fills in the findings of an outcome, and the files that they point into.
    pub(crate) fn sift(
        &self,
        outcome: &mut Outcome,
        sifted: Sifted,
        files: &Files<'_>,
        is_test_file: &dyn Fn(FileId) -> bool,
    ) {
        let Sifted { found, mut suppressions } = sifted;
        let mut all: Vec<(Diagnostic, Option<Option<String>>)> = Vec::new();
        for diagnostic in found {
            let by = suppress::silenced(&mut suppressions, &diagnostic);
            all.push((diagnostic, by));
        }
        all.extend(suppress::findings(&suppressions, &self.rules).into_iter().map(|finding| (finding, None)));
        all.retain_mut(|(diagnostic, _)| {
            if self.is_outside(diagnostic.span.file) {
                return false;
            }
            let path = &files.paths[diagnostic.span.file.0 as usize];
            diagnostic.level = self.levels.of(diagnostic.rule, path.strip_prefix(&self.base).unwrap_or(path));
            diagnostic.level != Level::Allow
                && (self.tests == TestCode::Include
                    || !(is_test_file(diagnostic.span.file) || is_test_code(files, diagnostic.span)))
        });
        let shown: Vec<String> = files.paths.iter().map(|path| paths::shown(&self.options.directory, path)).collect();
        all.sort_by(|(a, _), (b, _)| {
            let key = |d: &Diagnostic| (d.span.start, d.span.end, d.rule);
            (&shown[a.span.file.0 as usize], key(a)).cmp(&(&shown[b.span.file.0 as usize], key(b)))
        });
        let text = |file: FileId| files.data(file).map_or("", |data| data.text.as_str());
        let krate = |file: FileId| {
            let package = self.packages.files[file.0 as usize].0;
            self.packages.about[package.0 as usize].1.as_str()
        };
        // Silenced ones count, so that silencing one does not change the others.
        outcome.former = fingerprint::set(all.iter_mut().map(|(finding, _)| finding), text, krate);
        let mut pointed: HashSet<FileId> = outcome.gaps.iter().map(|gap| gap.span.file).collect();
        for (diagnostic, by) in all {
            pointed.insert(diagnostic.span.file);
            pointed.extend(diagnostic.labels.iter().map(|label| label.span.file));
            match by {
                None => outcome.findings.push(diagnostic),
                Some(reason) => {
                    outcome.silenced.push(Silenced { finding: diagnostic, by: SilencedBy::Comment(reason) });
                }
            }
        }
        outcome.files = shown
            .into_iter()
            .zip((0..).map(FileId))
            .map(|(path, file)| CheckedFile {
                path,
                text: if pointed.contains(&file) { text(file).to_owned() } else { String::new() },
            })
            .collect();
        outcome.count();
        outcome.gaps.sort();
        outcome.gaps.dedup();
        outcome.skipped.sort();
        outcome.skipped.dedup();
    }
}

/// Whether a place lies in an item that is test code.
fn is_test_code(files: &Files<'_>, span: Span) -> bool {
    let Some(data) = files.data(span.file) else { return false };
    let around = data.outline.ids().filter(|id| data.outline.item(*id).span.contains(span));
    data.outline.test || around.into_iter().any(|id| data.outline.is_test(id))
}
