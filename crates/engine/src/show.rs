//! What is known of a function that somebody names? For those who work on the analysis.

use crate::host::{Files, Overlay};
use crate::memory::Memory;
use crate::run::Engine;
use crate::settings::Failure;
use crate::{panics, paths};
use sessionlint_analysis::{Analysis, Host, ItemRef, View, function_path};
use sessionlint_ir::ItemKind;
use sessionlint_protocols::nearest;
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fmt::Write;

impl Engine {
    /// The functions that are called `name` (the last parts of their path) in the files that were asked for, seen so. `Err`
    /// carries the nearest name when there is none.
    ///
    /// # Errors
    /// When this program panics.
    pub fn show(&self, view: View, name: &str) -> Result<Result<String, Option<String>>, Failure> {
        panics::caught(|| self.on_threads(|| self.shown(view, name))).map_err(Failure::Internal)
    }

    fn shown(&self, view: View, name: &str) -> Result<String, Option<String>> {
        let overlay = Overlay::new();
        let files = Files::new(&self.known, self.languages, &overlay);
        let mut memory = Memory::default();
        let (reads, workspace) = self.first_look(&files, &overlay, &mut memory, &|_, _, _| {});
        let (_, _, analysis) = self.known(&files, reads, &workspace, &mut memory);
        let functions = self.functions(&files, &analysis);
        let wanted: Vec<&str> = name.split("::").collect();
        // All of them, for machines.
        let all = view == View::Receivers && name == "*";
        let is_meant = |path: &String| {
            let parts: Vec<&str> = path.split("::").collect();
            all || parts.ends_with(&wanted)
        };
        let mut out = String::new();
        for (item, path) in functions.iter().filter(|(_, path)| is_meant(path)) {
            let Some(data) = files.data(item.file) else { continue };
            let line = files.line(item.file, data.outline.item(item.item).head.start).unwrap_or(0);
            let file = paths::shown(&self.options.directory, &files.paths[item.file.0 as usize]);
            if !out.is_empty() {
                out.push('\n');
            }
            let _ = writeln!(out, "{file}:{line}: {path}");
            out.push_str(&analysis.show(*item, view, &|span| files.line(span.file, span.start)));
        }
        if out.is_empty() { Err(near(name, &functions)) } else { Ok(out) }
    }

    /// The functions of the files that were asked for, in the order of the text, with their paths.
    fn functions(&self, files: &Files<'_>, analysis: &Analysis<'_>) -> Vec<(ItemRef, String)> {
        let wanted: BTreeSet<&OsStr> = self.requested.iter().map(|path| path.as_os_str()).collect();
        let asked = files.ids().filter(|file| wanted.contains(files.paths[file.0 as usize].as_os_str()));
        let items = asked.flat_map(|file| {
            let outline = files.data(file).map(|data| &data.outline);
            let functions = outline
                .into_iter()
                .flat_map(|outline| outline.ids().filter(|item| outline.item(*item).kind == ItemKind::Function));
            functions.map(move |item| ItemRef { file, item })
        });
        items.map(|item| (item, function_path(&analysis.index, item))).collect()
    }
}

/// The name that is most like one that does not exist, with as many parts.
fn near(name: &str, functions: &[(ItemRef, String)]) -> Option<String> {
    let parts = name.split("::").count();
    let known: BTreeSet<String> = functions
        .iter()
        .map(|(_, path)| {
            let all: Vec<&str> = path.split("::").collect();
            all[all.len().saturating_sub(parts)..].join("::")
        })
        .collect();
    nearest(name, known.iter().map(String::as_str)).map(str::to_owned)
}
