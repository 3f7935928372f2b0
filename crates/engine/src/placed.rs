//! Which module is a file that a `#[path = ".."]` names, or that one includes? In: files by their place, what they say. Out: the modules with those moved.

use crate::heads::Read;
use crate::host::Files;
use crate::packages::Packages;
use sessionlint_analysis::{FileData, Host, Package, PackageId};
use sessionlint_diagnostics::FileId;
use sessionlint_ir::{Item, ItemKind};
use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

/// The packages of a run, and for each file its package and module path.
pub(crate) type Modules = (Vec<Package>, Vec<(PackageId, Vec<String>)>);

/// Whether a text may name the file of a module.
pub(crate) fn may_name_files(bytes: &[u8]) -> bool {
    [&b"#[path"[..], INCLUDES.as_bytes()].iter().any(|words| memchr::memmem::find(bytes, words).is_some())
}

/// Before the file whose items stand in place of the call.
const INCLUDES: &str = "include!(\"";

/// The modules of a run. A file that an attribute names is the module that it stands for, and so are those below it; by its own
/// place it can still be named, since some name the same file twice.
pub(crate) fn modules(packages: &Packages, files: &Files<'_>, reads: &[Read]) -> Modules {
    let (mut known, mut placed) = (packages.packages.clone(), packages.files.clone());
    let mut waiting: Vec<(FileId, bool)> =
        files.ids().filter(|file| reads[file.0 as usize].names_files).map(|file| (file, false)).collect();
    let mut moved = BTreeSet::new();
    let mut next = 0;
    while let Some((file, is_moved)) = waiting.get(next).copied() {
        next += 1;
        let Some(data) = files.data(file) else { continue };
        let path = &files.paths[file.0 as usize];
        for declared in declared(data, path, is_moved) {
            let found = declared.paths.iter().find_map(|path| {
                let at = files.paths.binary_search_by(|known| known.as_os_str().cmp(path.as_os_str())).ok()?;
                Some(FileId(at as u32))
            });
            let (package, module) = &placed[file.0 as usize];
            // What stands in another package is known there.
            let Some(found) = found.filter(|found| placed[found.0 as usize].0 == *package && *found != file) else {
                continue;
            };
            let module: Vec<String> = module.iter().chain(&declared.module).cloned().collect();
            let files_of = known[package.0 as usize].modules.entry(module.clone()).or_default();
            if !files_of.contains(&found) {
                files_of.push(found);
            }
            if moved.insert(found) {
                placed[found.0 as usize].1 = module;
                waiting.push((found, true));
            }
        }
    }
    (known, placed)
}

/// A module that a file declares and that another file holds.
struct Declared {
    /// Its path below the module of the file.
    module: Vec<String>,
    /// Where it may stand.
    paths: Vec<PathBuf>,
}

/// The modules of a file that stand where an attribute says; of one that was moved, all that it declares.
fn declared(data: &FileData, path: &Path, is_moved: bool) -> Vec<Declared> {
    let Some(directory) = path.parent() else { return Vec::new() };
    // What a moved file declares stands beside it, as what a `mod.rs` does.
    let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    let is_root = is_moved || matches!(stem, "mod" | "lib" | "main");
    let mut found = Vec::new();
    for id in data.outline.ids() {
        let item = data.outline.item(id);
        if item.kind != ItemKind::Module || item.body.is_some() {
            continue;
        }
        let inline = data.outline.module_path(id);
        let below = |is_root: bool| {
            let start = if is_root { directory.to_owned() } else { directory.join(stem) };
            inline.iter().fold(start, |at, module| at.join(module))
        };
        let paths = match &item.named_file {
            Some(named) => vec![plain(&below(is_root || inline.is_empty()).join(named))],
            None if is_moved => {
                let base = below(is_root);
                vec![base.join(format!("{}.rs", item.name)), base.join(&item.name).join("mod.rs")]
            }
            None => continue,
        };
        let module = inline.into_iter().chain([item.name.clone()]).collect();
        found.push(Declared { module, paths });
    }
    found.extend(included(data).map(|(module, named)| Declared { module, paths: vec![plain(&directory.join(named))] }));
    found
}

/// The files whose items a file includes among its own, each with the module that they stand in.
fn included(data: &FileData) -> impl Iterator<Item = (Vec<String>, &str)> {
    data.text.match_indices(INCLUDES).filter_map(|(at, call)| {
        let (named, _) = data.text[at + call.len()..].split_once('"')?;
        let line = data.text[..at].rsplit('\n').next().unwrap_or_default();
        let is_code = named.ends_with(".rs") && line.trim_start().is_empty();
        let around = |item: &&Item| item.body.is_some_and(|body| (body.start..body.end).contains(&(at as u32)));
        let around: Vec<&Item> = data.outline.items.iter().filter(around).collect();
        let is_item = around.iter().all(|item| item.kind == ItemKind::Module);
        (is_code && is_item).then(|| (around.iter().map(|item| item.name.clone()).collect(), named))
    })
}

/// A path without `.` and `..`.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                plain.pop();
            }
            part => plain.push(part),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(path: &str, is_moved: bool, text: &str, expected: &[&str]) {
        let data = crate::host::outlined(sessionlint_languages::ALL.0[0], text.to_owned(), FileId(0));
        let found: Vec<String> = declared(&data, Path::new(path), is_moved)
            .iter()
            .map(|one| {
                let paths: Vec<String> = one.paths.iter().map(|path| path.display().to_string()).collect();
                format!("{} in {}", one.module.join("::"), paths.join(" or "))
            })
            .collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn an_attribute_says_where_a_module_stands() {
        check("/w/src/a.rs", false, "mod near; #[path = \"t.rs\"] mod tests;", &["tests in /w/src/t.rs"]);
        check("/w/src/lib.rs", false, "#[path = \"../x/./t.rs\"] pub(crate) mod t;", &["t in /w/x/t.rs"]);
        check("/w/src/a.rs", false, "mod b { #[path = \"t.rs\"] mod c; }", &["b::c in /w/src/a/b/t.rs"]);
        check("/w/src/a/mod.rs", false, "mod b { #[path = \"t.rs\"] mod c; }", &["b::c in /w/src/a/b/t.rs"]);
        check("/w/src/t.rs", true, "mod x; mod y {}", &["x in /w/src/x.rs or /w/src/x/mod.rs"]);
    }
    #[test]
    fn what_is_included_stands_where_the_call_stands() {
        check("/w/src/t/mod.rs", false, "mod a {\n  include!(\"b.rs\");\n}", &["a in /w/src/t/b.rs"]);
        check("/w/src/t.rs", false, "include!(\"../gen/b.rs\");", &[" in /w/gen/b.rs"]);
        check("/w/src/t.rs", false, "// include!(\"b.rs\");\nfn f() {\n  include!(\"b.rs\");\n}", &[]);
        check("/w/src/t.rs", false, "include!(\"b.txt\");", &[]);
    }
}
