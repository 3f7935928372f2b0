//! Where does a path lead?

use super::kept::{FileNames, ModuleNames, Step};
use super::{Index, ItemRef, PackageId, Resolved, Scope};
use crate::fingerprint::fingerprint;
use crate::fixpoint::{Equations, Pass};
use sessionlint_diagnostics::FileId;
use sessionlint_ir::ItemKind;
use std::sync::Arc;

impl Index<'_> {
    /// What a path means in a scope.
    pub fn resolve(&self, scope: &Scope<'_>, path: &[String]) -> Option<Resolved> {
        let first = path.first()?;
        if let [name] = path
            && let Some(declared) = scope.function.and_then(|function| self.declared_inside(function, name))
        {
            return Some(Resolved::Item(declared, Vec::new()));
        }
        let imported = scope.imports.iter().find(|import| import.name.as_ref() == Some(first));
        if let Some(import) = imported {
            let mut full = import.path.clone();
            full.extend_from_slice(&path[1..]);
            if full != path {
                return self.resolve_from(scope.file, &scope.inline, &full, &Trail::default());
            }
        }
        let name = fingerprint(&(scope.file, &scope.inline, path));
        if let Some(known) = self.resolved.read().unwrap_or_else(|poisoned| poisoned.into_inner()).get(&name) {
            return known.clone();
        }
        let resolved = self.resolve_from(scope.file, &scope.inline, path, &Trail::default());
        self.resolved.write().unwrap_or_else(|poisoned| poisoned.into_inner()).insert(name, resolved.clone());
        resolved
    }

    /// The function of this name that a function declares in its body, or one around it does.
    pub(crate) fn declared_inside(&self, function: ItemRef, name: &str) -> Option<ItemRef> {
        let data = self.host.data(function.file)?;
        let mut around = Some(function.item);
        while let Some(id) = around {
            let item = data.outline.item(id);
            let inside = data.outline.items.iter().enumerate().skip(id.0 as usize + 1);
            let mut inside = inside.take_while(|(_, inner)| inner.span.start < item.span.end);
            let is_it = |inner: &sessionlint_ir::Item| inner.name == name && inner.parent == Some(id);
            if let Some((at, _)) = inside.find(|(_, inner)| inner.kind == ItemKind::Function && is_it(inner)) {
                return Some(ItemRef { file: function.file, item: sessionlint_ir::ItemId(at as u32) });
            }
            around = item.parent.filter(|parent| data.outline.item(*parent).kind == ItemKind::Function);
        }
        None
    }

    /// The type of the workspace that a full path names, the crate first.
    pub fn type_at(&self, path: &str) -> Option<ItemRef> {
        let segments: Vec<String> = path.split("::").map(str::to_owned).collect();
        let (krate, inside) = segments.split_first()?;
        let own = (0..)
            .map(PackageId)
            .zip(&self.packages)
            .find(|(id, package)| package.dependencies.get(krate).is_some_and(|(_, target)| *target == Some(*id)));
        match self.in_module(own?.0, &[], inside, &Trail::default())? {
            Resolved::Item(item, rest) if rest.is_empty() => Some(item),
            _ => None,
        }
    }

    pub(super) fn resolve_from(
        &self,
        file: FileId,
        inline: &[String],
        path: &[String],
        trail: &Trail,
    ) -> Option<Resolved> {
        let (first, rest) = path.split_first()?;
        let package = self.package_id(file);
        let mut module = self.files[file.0 as usize].1.clone();
        module.extend_from_slice(inline);
        match first.as_str() {
            "crate" => return self.in_module(package, &[], rest, trail),
            "self" => return self.in_module(package, &module, rest, trail),
            "super" => {
                module.pop();
                let mut rest = rest;
                while let Some((next, after)) = rest.split_first().filter(|(next, _)| *next == "super") {
                    debug_assert_eq!(next, "super");
                    module.pop();
                    rest = after;
                }
                return self.in_module(package, &module, rest, trail);
            }
            _ => {}
        }
        self.in_module(package, &module, path, trail).or_else(|| self.external(package, path, trail))
    }

    /// A path whose first name is a crate.
    pub(super) fn external(&self, package: PackageId, path: &[String], trail: &Trail) -> Option<Resolved> {
        let (first, rest) = path.split_first()?;
        let known = self.package(package);
        if let Some((real, workspace)) = known.dependencies.get(first) {
            if let Some(workspace) = workspace {
                return self.in_module(*workspace, &[], rest, trail);
            }
            let mut full = vec![real.clone()];
            full.extend_from_slice(rest);
            return Some(Resolved::External(full.into()));
        }
        let standard = matches!(first.as_str(), "std" | "core" | "alloc");
        let loose = known.loose && self.model.library_of_crate(first).is_some();
        (standard || loose).then(|| Resolved::External(path.into()))
    }

    /// A path below a module of the workspace.
    pub(super) fn in_module(
        &self,
        package: PackageId,
        module: &[String],
        path: &[String],
        trail: &Trail,
    ) -> Option<Resolved> {
        if path.is_empty() || path == [ALL] {
            return Some(Resolved::Module(package, module.to_vec()));
        }
        let name = fingerprint(&(package, module, path));
        if let Some(known) = self.steps.read().unwrap_or_else(|poisoned| poisoned.into_inner()).get(&name) {
            return known.clone();
        }
        let step = Step { name, package, module: module.to_vec(), path: path.to_vec() };
        let found = self.paths.answer(self, step.clone(), trail);
        if let Some(known) = self.paths.known(&step) {
            self.steps.write().unwrap_or_else(|poisoned| poisoned.into_inner()).insert(name, known);
        }
        found
    }

    fn in_module_at(
        &self,
        package: PackageId,
        module: &[String],
        first: &String,
        rest: &[String],
        path: &[String],
        trail: &Trail,
    ) -> Option<Resolved> {
        let mut child = module.to_vec();
        child.push(first.clone());
        let files = self.files_of(package, module);
        // Items come first, then named imports, then modules, then globs. A function may have the name of a module.
        let mut is_module = self.has_module(package, &child);
        for (file, names, inline) in &files {
            let Some(data) = self.host.data(*file) else { continue };
            for id in names.inside(inline).and_then(|names| names.items.get(first)).into_iter().flatten() {
                let item = data.outline.item(*id);
                if item.kind == ItemKind::Module {
                    is_module |= rest.is_empty() || item.body.is_some();
                    if is_module && !rest.is_empty() {
                        return self.in_module(package, &child, rest, trail);
                    }
                    continue;
                }
                // What stands behind it is in the module, then.
                if item.kind == ItemKind::Function && !rest.is_empty() {
                    continue;
                }
                return Some(Resolved::Item(ItemRef { file: *file, item: *id }, rest.to_vec()));
            }
        }
        for (file, names, inline) in &files {
            for imported in names.inside(inline).and_then(|names| names.imports.get(first)).into_iter().flatten() {
                if imported.len() == 1 && imported[0] == *first {
                    return self.external(package, path, trail);
                }
                let resolved = match rest {
                    [] => self.resolve_import(*file, inline, imported, trail),
                    rest => self.behind_import(*file, inline, imported, rest, trail),
                };
                if resolved.is_some() {
                    return resolved;
                }
            }
        }
        if is_module {
            return self.in_module(package, &child, rest, trail);
        }
        for (file, names, inline) in &files {
            for glob in names.inside(inline).map(|names| names.globs.as_slice()).unwrap_or_default() {
                let found = self.behind_import(*file, inline, glob, path, trail).filter(|found| match found {
                    // One of an enum brings in its variants and nothing else.
                    Resolved::Item(item, rest) => rest.len() < path.len() || self.is_variant(*item, rest),
                    // A glob import of a foreign crate may or may not hold the name: the model knows.
                    Resolved::External(full) => self.is_known(full),
                    Resolved::Module(..) => true,
                });
                if found.is_some() {
                    return found;
                }
            }
        }
        None
    }

    /// A path below what an import leads to. That is found first: a path that each import makes longer would have no end.
    fn behind_import(
        &self,
        file: FileId,
        inline: &[String],
        import: &[String],
        path: &[String],
        trail: &Trail,
    ) -> Option<Resolved> {
        let all: Vec<String> = import.iter().cloned().chain([ALL.to_owned()]).collect();
        let longer = |names: &[String]| names[..names.len().saturating_sub(1)].iter().chain(path).cloned().collect();
        match self.resolve_import(file, inline, &all, trail)? {
            Resolved::Module(package, module) => self.in_module(package, &module, path, trail),
            Resolved::Item(item, names) => Some(Resolved::Item(item, longer(&names))),
            Resolved::External(names) => Some(Resolved::External(longer(&names).into())),
        }
    }

    /// Imports start from a crate or from the module that they stand in.
    pub(super) fn resolve_import(
        &self,
        file: FileId,
        inline: &[String],
        path: &[String],
        trail: &Trail,
    ) -> Option<Resolved> {
        let package = self.package_id(file);
        let first = path.first()?;
        if matches!(first.as_str(), "crate" | "self" | "super") {
            return self.resolve_from(file, inline, path, trail);
        }
        // A module that is declared beside the import hides a crate of its name.
        let hidden = match self.declares_module(file, inline, first) {
            true => self.resolve_from(file, inline, path, trail),
            false => None,
        };
        hidden.or_else(|| self.external(package, path, trail)).or_else(|| self.resolve_from(file, inline, path, trail))
    }

    /// Whether a file declares a module of this name in one of its inline modules.
    fn declares_module(&self, file: FileId, inline: &[String], name: &String) -> bool {
        let (names, Some(data)) = (self.names_of(file), self.host.data(file)) else { return false };
        let declared = names.inside(inline).and_then(|names| names.items.get(name));
        declared.into_iter().flatten().any(|id| data.outline.item(*id).kind == ItemKind::Module)
    }

    pub(super) fn is_known(&self, path: &[String]) -> bool {
        let owner = &path[..path.len().saturating_sub(1)];
        self.model.type_at(path).is_some()
            || self.model.type_at(owner).is_some()
            || self.model.is_statement_type(path)
            || self.model.work_type(path).is_some()
            || self.model.work_function(path).is_some()
            || self.model.typed_function(path).is_some()
            || self
                .model
                .library_at(path)
                .is_some_and(|(library, name)| self.model.library(library).statements.iter().any(|known| known == name))
    }

    /// Whether names behind an item begin with one of its variants.
    fn is_variant(&self, item: ItemRef, names: &[String]) -> bool {
        let Some(name) = names.first() else { return false };
        self.item(item).is_some_and(|item| item.name != *name) && self.has_variant(item, name)
    }

    pub(super) fn has_module(&self, package: PackageId, module: &[String]) -> bool {
        self.package(package).modules.contains_key(module)
    }

    /// The files that hold a module, with their names and the inline modules that lead to it inside each.
    pub(super) fn files_of<'m>(
        &self,
        package: PackageId,
        module: &'m [String],
    ) -> Vec<(FileId, Arc<FileNames>, &'m [String])> {
        let modules = &self.package(package).modules;
        let mut found = Vec::new();
        for split in (0..=module.len()).rev() {
            for file in modules.get(&module[..split]).into_iter().flatten() {
                let (names, inline) = (self.names_of(*file), &module[split..]);
                if inline.is_empty() || names.inside(inline).is_some() {
                    found.push((*file, names, inline));
                }
            }
        }
        found
    }

    /// The paths that a file imports under a name, each with the inline module that it is imported into.
    pub(super) fn imports_of(&self, file: FileId) -> Vec<(Vec<String>, Vec<String>)> {
        let names = self.names_of(file);
        let of = |(inline, names): (&Vec<String>, &ModuleNames)| {
            let paths: Vec<_> = names.imports.values().flatten().cloned().collect();
            paths.into_iter().map(|path| (inline.clone(), path)).collect::<Vec<_>>()
        };
        let mut found: Vec<_> = names.0.iter().flat_map(of).collect();
        found.sort();
        found
    }

    /// The names of what a file imports under another name.
    pub(super) fn renamed(&self, file: FileId, name: &str) -> Vec<String> {
        let names = self.names_of(file);
        let paths = names.0.values().filter_map(|module| module.imports.get(name)).flatten();
        let mut found: Vec<String> =
            paths.filter_map(|path| path.last()).filter(|last| *last != name).cloned().collect();
        found.sort();
        found.dedup();
        found
    }

    /// The names that a file declares and imports, by inline module.
    fn names_of(&self, file: FileId) -> Arc<FileNames> {
        self.names.get(file, || {
            let mut names = FileNames::default();
            let Some(data) = self.host.data(file) else { return names };
            for id in data.outline.ids() {
                let item = data.outline.item(id);
                let in_module = item.parent.is_none_or(|parent| data.outline.item(parent).kind == ItemKind::Module);
                if !in_module || matches!(item.kind, ItemKind::Impl | ItemKind::Macro) {
                    continue;
                }
                let module = data.outline.module_path(id);
                if item.kind == ItemKind::Use {
                    let text = data.text.get(item.head.start as usize..item.head.end as usize);
                    let imports = text.and_then(|text| self.host.imports(text, item.head)).unwrap_or_default();
                    let inside = names.0.entry(module).or_default();
                    for import in imports {
                        match import.name {
                            Some(name) => inside.imports.entry(name).or_default().push(import.path),
                            None => inside.globs.push(import.path),
                        }
                    }
                    continue;
                }
                if item.kind == ItemKind::Module && item.body.is_some() {
                    let mut inner = module.clone();
                    inner.push(item.name.clone());
                    names.0.entry(inner).or_default();
                }
                names.0.entry(module).or_default().items.entry(item.name.clone()).or_default().push(id);
            }
            names
        })
    }
}

/// The questions that are in progress while one name is looked for.
pub(crate) type Trail = Pass<Step, Option<Resolved>>;

impl Equations for Index<'_> {
    type Question = Step;
    type Answer = Option<Resolved>;

    /// A name may come through as many modules as lie in one circle of globs.
    const ROUNDS: usize = 64;

    fn answered(&self, step: &Step, trail: &Trail) -> Option<Resolved> {
        let (first, rest) = step.path.split_first()?;
        self.in_module_at(step.package, &step.module, first, rest, &step.path, trail)
    }

    fn at_first(&self, _: &Step) -> Option<Resolved> {
        None
    }

    fn unsettled(&self, answer: Option<Resolved>) -> Option<Resolved> {
        answer
    }
}

/// Stands for all names of what a path leads to: so a module is meant where a function has its name.
const ALL: &str = "*";
