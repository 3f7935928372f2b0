//! Do files need each other in a circle? Each file of a crate may name those below it, and none of them names it.
//!
//! Paths that begin with `crate`, `super` or a module of the file count, in code and in `use`. A name that a module only passes on
//! (`pub use`) counts as one of the file that it comes from. Methods do not count: where they stand is free.

use super::root;
use proc_macro2::{Delimiter, TokenStream, TokenTree};
use sessionlint_testkit::rust_files;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// A module, by the names that lead to it from the crate's root.
type Module = Vec<String>;

/// What the files of one crate name.
#[derive(Default)]
struct Crate {
    /// The file of each module, from the crate's `src`.
    files: BTreeMap<Module, String>,
    /// The paths in each module's code.
    paths: BTreeMap<Module, Vec<Vec<String>>>,
    /// The names that each module passes on, and the paths behind them.
    passed_on: BTreeMap<Module, BTreeMap<String, Vec<String>>>,
}

impl Crate {
    fn read(source: &Path) -> Self {
        let mut found = Self::default();
        for path in rust_files(source) {
            let name = path.strip_prefix(source).unwrap().to_str().unwrap().replace('\\', "/");
            let mut module: Module = name.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
            if matches!(module.last().map(String::as_str), Some("mod" | "lib" | "main")) {
                module.pop();
            }
            found.files.insert(module, name);
        }
        for (module, name) in &found.files {
            let text = fs::read_to_string(source.join(name)).unwrap();
            let tokens: Vec<TokenTree> = text.parse::<TokenStream>().unwrap().into_iter().collect();
            let (mut paths, mut passed_on) = (Vec::new(), Vec::new());
            found.collect(module, &tokens, &mut paths, &mut passed_on);
            let last = |path: Vec<String>| Some((path.last()?.clone(), path));
            found.passed_on.insert(module.clone(), passed_on.into_iter().filter_map(last).collect());
            found.paths.insert(module.clone(), paths);
        }
        found
    }

    /// The paths in a text; what stands in a module of tests does not count.
    fn collect(
        &self,
        module: &Module,
        tokens: &[TokenTree],
        paths: &mut Vec<Vec<String>>,
        passed_on: &mut Vec<Vec<String>>,
    ) {
        let is = |at: usize, sign: char| matches!(tokens.get(at), Some(TokenTree::Punct(one)) if one.as_char() == sign);
        let word = |at: usize| match tokens.get(at) {
            Some(TokenTree::Ident(ident)) => ident.to_string(),
            _ => String::new(),
        };
        let mut at = 0;
        while at < tokens.len() {
            match &tokens[at] {
                TokenTree::Group(group) => {
                    let is_tests = at > 1 && word(at - 1) == "tests" && word(at - 2) == "mod";
                    if !is_tests {
                        let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                        self.collect(module, &inner, paths, passed_on);
                    }
                }
                TokenTree::Ident(ident) => {
                    let first = ident.to_string();
                    let follows = at > 0 && (is(at - 1, ':') || is(at - 1, '.'));
                    let child = [module.as_slice(), std::slice::from_ref(&first)].concat();
                    let begins =
                        matches!(first.as_str(), "crate" | "super" | "self") || self.files.contains_key(&child);
                    if begins && !follows && is(at + 1, ':') && is(at + 2, ':') {
                        // `pub use`, and `pub(crate) use`, pass a name on.
                        let is_use = at > 0 && word(at - 1) == "use";
                        let is_passed =
                            is_use && at > 1 && (word(at - 2) == "pub" || (at > 2 && word(at - 3) == "pub"));
                        let out = if is_passed { &mut *passed_on } else { &mut *paths };
                        leaves(tokens, &mut at, Vec::new(), out);
                        continue;
                    }
                }
                _ => {}
            }
            at += 1;
        }
    }

    /// The module in which the name at the end of a path is made.
    fn made_in(&self, from: &Module, path: &[String], depth: u32) -> Module {
        let mut at = from.clone();
        let mut rest = path;
        while let Some((first, after)) = rest.split_first() {
            match first.as_str() {
                "crate" => at.clear(),
                "self" => {}
                "super" => _ = at.pop(),
                name => {
                    let child = [at.as_slice(), &[name.to_owned()]].concat();
                    if self.files.contains_key(&child) {
                        at = child;
                    } else {
                        let passed = self.passed_on.get(&at).and_then(|names| names.get(name));
                        return match passed.filter(|_| depth < 8) {
                            Some(path) => self.made_in(&at, path, depth + 1),
                            None => at,
                        };
                    }
                }
            }
            rest = after;
        }
        at
    }

    /// The files that each file names.
    fn arrows(&self) -> BTreeMap<&str, BTreeSet<&str>> {
        let mut found = BTreeMap::new();
        for (module, file) in &self.files {
            let made_in = self.paths[module].iter().map(|path| self.made_in(module, path, 0));
            let named = made_in.filter_map(|made| self.files.get(&made)).map(String::as_str);
            found.insert(file.as_str(), named.filter(|named| named != file).collect());
        }
        found
    }

    /// The sets of files of which each leads to each other.
    fn circles(&self) -> Vec<Vec<&str>> {
        let arrows = self.arrows();
        let reached = |from: &str| {
            let mut seen: BTreeSet<&str> = BTreeSet::new();
            let mut pending: Vec<&str> = arrows[from].iter().copied().collect();
            while let Some(file) = pending.pop() {
                if seen.insert(file) {
                    pending.extend(&arrows[file]);
                }
            }
            seen
        };
        let reached: BTreeMap<&str, BTreeSet<&str>> = arrows.keys().map(|file| (*file, reached(file))).collect();
        let mut found: Vec<Vec<&str>> = Vec::new();
        for (file, below) in reached.iter().filter(|(file, below)| below.contains(*file)) {
            let circle: Vec<&str> = below.iter().copied().filter(|other| reached[other].contains(file)).collect();
            if !found.contains(&circle) {
                found.push(circle);
            }
        }
        found
    }
}

/// The paths that begin at a place, with those in braces taken apart; `at` is set behind them.
fn leaves(tokens: &[TokenTree], at: &mut usize, before: Vec<String>, out: &mut Vec<Vec<String>>) {
    let mut path = before;
    loop {
        match tokens.get(*at) {
            Some(TokenTree::Ident(ident)) => path.push(ident.to_string()),
            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                let mut within = 0;
                while within < inner.len() {
                    leaves(&inner, &mut within, path.clone(), out);
                    // Behind the comma, and over a new name.
                    while within < inner.len()
                        && !matches!(&inner[within], TokenTree::Punct(one) if one.as_char() == ',')
                    {
                        within += 1;
                    }
                    within += 1;
                }
                *at += 1;
                return;
            }
            _ => break,
        }
        *at += 1;
        let is_colon = |at: usize| matches!(tokens.get(at), Some(TokenTree::Punct(one)) if one.as_char() == ':');
        if !is_colon(*at) || !is_colon(*at + 1) {
            break;
        }
        *at += 2;
    }
    out.push(path);
}

/// The circles that are there, with the crate and the files of each. A new one is not to be put here: what two files need of each
/// other goes to a third, which needs neither.
const KNOWN: &[(&str, &str)] = &[
    // Words say what was meant, words find types of the project's own, and the model has both.
    ("protocols", "intent.rs, learned.rs, model.rs"),
    // Following a body asks for summaries of what it calls, and a summary is made by following a body.
    (
        "analysis",
        "callers.rs, describe.rs, known.rs, show.rs, siblings.rs, solver.rs, summary.rs, transfer/made.rs, transfer/quiet.rs, transfer/thrown.rs",
    ),
];

#[test]
fn no_files_need_each_other() {
    let mut found: BTreeSet<(String, String)> = BTreeSet::new();
    for entry in fs::read_dir(root().join("crates")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let source = path.join("src");
        let read = Crate::read(if source.exists() { &source } else { &path });
        found.extend(read.circles().into_iter().map(|circle| (name.clone(), circle.join(", "))));
    }
    let known: BTreeSet<(String, String)> =
        KNOWN.iter().map(|(name, files)| ((*name).to_owned(), (*files).to_owned())).collect();
    let new: Vec<_> = found.difference(&known).collect();
    let gone: Vec<_> = known.difference(&found).collect();
    assert!(
        new.is_empty(),
        "files that need each other: {new:?}; of those that are known, these are not there: {gone:?}"
    );
    assert!(gone.is_empty(), "to be struck off the list: {gone:?}");
}
