//! Why is less said than somebody may expect? A line for each thing that was asked for and came to nothing.

use crate::outcome::Outcome;
use crate::run::Engine;
use crate::settings::Failure;
use crate::{panics, paths, walk};
use rayon::prelude::*;
use sessionlint_diagnostics::FileId;
use sessionlint_ir::{Item, ItemKind, Language, Outline};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// So many names are listed in a line.
const MAX_LISTED: usize = 3;

/// Crates that no manifest names.
const BUILT_IN: [&str; 3] = ["std", "core", "alloc"];

impl Engine {
    /// Why less is said than somebody may expect, a line each. `outcome` is what was found, where anything was checked.
    pub fn notes(&self, outcome: Option<&Outcome>) -> Vec<String> {
        panics::caught(|| self.written_notes(outcome)).unwrap_or_else(|what| vec![Failure::Internal(what).to_string()])
    }

    fn written_notes(&self, outcome: Option<&Outcome>) -> Vec<String> {
        let mut notes: Vec<String> = Vec::new();
        for name in &self.settings.foreign {
            notes.push(format!(
                "{name} has no key that sessionlint knows, so it seems to belong to another tool and is not read; settings for sessionlint can stand in sessionlint.toml"
            ));
        }
        // An editor that gives a file knows what it gives.
        if self.options.stdin.is_some() {
            return notes;
        }
        notes.extend(self.other_languages());
        if self.requested.is_empty() {
            notes.extend(match self.options.staged {
                true => Some(format!("no {} file is staged, so nothing was checked", self.languages.names())),
                false => self.no_files(),
            });
            return notes;
        }
        let unread = outcome.map(|outcome| &outcome.unread).filter(|unread| !unread.is_empty());
        notes.extend(unread.map(|unread| self.unread_packages(unread)));
        // Without a library there may be sessions of the project's own.
        let sessions = outcome.map_or(0, |outcome| outcome.summary.sessions);
        if sessions == 0 && unread.is_none() && self.knows_no_library() {
            notes.push(
                "the checked packages depend on no library that sessionlint knows; `sessionlint libraries` lists those"
                    .to_owned(),
            );
        }
        if self.covers_the_configuration() {
            notes.extend(self.unmet_overrides());
            notes.extend(self.unmet_names());
        }
        notes
    }

    /// Packages that sessions may come through and that are not read, with the number of functions where that may be.
    fn unread_packages(&self, unread: &BTreeMap<String, usize>) -> String {
        let count: usize = unread.values().sum();
        let names: Vec<String> = unread.keys().cloned().collect();
        let functions = if count == 1 { "1 function".to_owned() } else { format!("{count} functions") };
        let (verb, its) = if names.len() == 1 { ("is", "its sources") } else { ("are", "their sources") };
        let hint = match self.reads_dependencies() {
            true => format!("{its} are not on this disk (`cargo fetch` brings them)"),
            false => format!("`--deps` reads {its} where they are on the disk"),
        };
        format!("{functions} may have sessions that come through {}, which {verb} not read; {hint}", listed(&names))
    }

    /// Files that were named and are written in no language that is known, by their names.
    fn other_languages(&self) -> Option<String> {
        let is_other = |path: &&PathBuf| {
            let is_known = self.languages.by_name(path).is_some();
            !is_known && paths::absolute(&self.options.directory, path).is_file()
        };
        let others: Vec<String> = self.options.paths.iter().filter(is_other).map(|path| shown(path)).collect();
        let (verb, is) = if others.len() == 1 { ("does", "is") } else { ("do", "are") };
        let ends: Vec<String> = self.languages.extensions().map(|extension| format!(".{extension}")).collect();
        let read_as = self.options.paths.iter().find(is_other).map(|path| self.languages.of(path).name())?;
        Some(format!("{} {verb} not end in {} and {is} read as {read_as} anyway", listed(&others), ends.join(" or ")))
    }

    fn no_files(&self) -> Option<String> {
        let is_excluded = |path: &PathBuf| {
            let path = paths::absolute(&self.options.directory, path);
            self.options.force_exclude && self.levels.exclude.is_match(path.strip_prefix(&self.base).unwrap_or(&path))
        };
        let paths: Vec<&PathBuf> = self.options.paths.iter().filter(|path| !is_excluded(path)).collect();
        if paths.is_empty() {
            return self.options.paths.is_empty().then(|| "no path was given, so nothing was checked".to_owned());
        }
        let all = paths
            .iter()
            .flat_map(|path| walk::below(&paths::absolute(&self.options.directory, path), self.languages, true));
        let apart = match all.count() {
            0 => String::new(),
            1 => " (1 is ignored or excluded)".to_owned(),
            count => format!(" ({count} are ignored or excluded)"),
        };
        let paths: Vec<String> = paths.into_iter().map(|path| shown(path)).collect();
        let names = self.languages.names();
        Some(format!("no {names} files to check were found below {}{apart}", listed(&paths)))
    }

    /// Whether the manifests of all files that were asked for lead to no library that is known.
    fn knows_no_library(&self) -> bool {
        let mut places = self
            .requested
            .iter()
            .filter_map(|path| self.known.binary_search_by(|known| known.as_os_str().cmp(path.as_os_str())).ok());
        places.all(|file| {
            let package = &self.packages.packages[self.packages.files[file].0.0 as usize];
            !package.loose && package.libraries.is_empty()
        })
    }

    /// Whether everything was asked for that the configuration is about.
    fn covers_the_configuration(&self) -> bool {
        let mut asked = self.options.paths.iter().map(|path| paths::absolute(&self.options.directory, path));
        !self.options.is_part() && asked.any(|path| self.base.starts_with(path))
    }

    /// `[[override]]` tables whose paths match no file.
    fn unmet_overrides(&self) -> Vec<String> {
        let paths = self.requested.iter().map(|path| path.strip_prefix(&self.base).unwrap_or(path));
        let met = self.levels.met(&paths.collect::<Vec<&Path>>());
        let unmet = self.settings.config.overrides.iter().zip(met).filter(|(_, met)| !met);
        unmet
            .map(|(one, _)| {
                let verb = if one.paths.len() == 1 { "matches" } else { "match" };
                format!("{}: {} in an [[override]] {verb} no file", self.settings.name, listed(&one.paths))
            })
            .collect()
    }

    /// Names of functions in `also` that no function of the workspace has.
    fn unmet_names(&self) -> Vec<String> {
        let config = &self.settings.config;
        let settings = config.rules.values().chain(config.overrides.iter().flat_map(|one| one.rules.values()));
        let names: BTreeSet<&String> = settings.flat_map(|setting| &setting.also).collect();
        let names: Vec<(&String, Vec<&str>)> = names
            .into_iter()
            .map(|name| (name, name.split("::").collect::<Vec<_>>()))
            .filter(|(_, path)| !self.is_of_another_crate(path))
            .collect();
        if names.is_empty() {
            return Vec::new();
        }
        let functions = |(place, path): (usize, &PathBuf)| {
            let bytes = std::fs::read(path).unwrap_or_default();
            let named = |name: &str| memchr::memmem::find(&bytes, name.as_bytes()).is_some();
            if !names.iter().filter_map(|(_, path)| path.last()).any(|name| named(name)) {
                return Vec::new();
            }
            let Ok(text) = String::from_utf8(bytes) else { return Vec::new() };
            functions(self.languages.of(path), &text, &self.packages.files[place].1)
        };
        let all = self.on_threads(|| self.known.par_iter().enumerate().flat_map_iter(functions).collect::<Vec<_>>());
        let is_met = |path: &[&str]| {
            all.iter().any(|function| {
                let parts: Vec<&str> = function.iter().map(String::as_str).collect();
                parts.ends_with(path) || path.get(1..) == Some(&parts)
            })
        };
        let unmet = names.iter().filter(|(_, path)| !is_met(path));
        unmet
            .map(|(name, _)| format!("{}: `{name}` in `also` is no function of this workspace", self.settings.name))
            .collect()
    }

    fn is_of_another_crate(&self, path: &[&str]) -> bool {
        let [first, _, ..] = path else { return false };
        let known = self.packages.packages.iter().filter_map(|package| package.dependencies.get(*first));
        BUILT_IN.contains(first) || known.into_iter().any(|(_, in_workspace)| in_workspace.is_none())
    }
}

/// The paths of the functions of a file in their crate, as a rule names them.
fn functions(language: Language, text: &str, module: &[String]) -> Vec<Vec<String>> {
    let outline = language.outline(text, FileId(0));
    let functions = outline.items.iter().filter(|item| item.kind == ItemKind::Function);
    functions
        .map(|item| {
            let mut path = vec![item.name.clone()];
            path.extend(around(language, text, &outline, item));
            path.reverse();
            module.iter().cloned().chain(path).collect()
        })
        .collect()
}

/// The names of the modules, types and traits around an item, the innermost first.
fn around(language: Language, text: &str, outline: &Outline, item: &Item) -> Vec<String> {
    let parents = std::iter::successors(item.parent, |parent| outline.item(*parent).parent);
    let name = |item: &Item| match item.kind {
        ItemKind::Module | ItemKind::Trait => Some(item.name.clone()),
        ItemKind::Impl => {
            let span = item.header();
            let header = text.get(span.start as usize..span.end as usize)?;
            language.impl_header(header, span).ok()?.self_ty.last_segment().map(str::to_owned)
        }
        _ => None,
    };
    parents.filter_map(|parent| name(outline.item(parent))).collect()
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

/// Some names in a sentence.
fn listed(names: &[String]) -> String {
    let first: Vec<String> = names.iter().take(MAX_LISTED).map(|name| format!("`{name}`")).collect();
    let more = names.len().saturating_sub(MAX_LISTED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", first.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_named_by_what_stands_around_them() {
        let text =
            "fn a() {}\nmod m { pub struct S<T>(T); impl<T> Clone for S<T> { fn b() {} } trait Q { fn c(); } }\n";
        let names: Vec<String> = functions(sessionlint_languages::ALL.0[0], text, &["x".to_owned()])
            .iter()
            .map(|path| path.join("::"))
            .collect();
        assert_eq!(names, ["x::a", "x::m::S::b", "x::m::Q::c"]);
        let names: Vec<String> = (0..5).map(|number| number.to_string()).collect();
        assert_eq!(listed(&names), "`0`, `1`, `2` and 2 more");
    }
}
