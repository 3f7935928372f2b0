//! Where does a path lead?

use super::{Index, ItemRef, MAX_DEPTH, PackageId, Resolved, Scope};
use sessionlint_diagnostics::FileId;
use sessionlint_ir::ItemKind;

impl Index<'_> {
    /// What a path means in a scope.
    pub fn resolve(&self, scope: &Scope<'_>, path: &[String]) -> Option<Resolved> {
        let first = path.first()?;
        let imported = scope.imports.iter().find(|import| import.name.as_ref() == Some(first));
        if let Some(import) = imported {
            let mut full = import.path.clone();
            full.extend_from_slice(&path[1..]);
            if full != path {
                return self.resolve_from(scope.file, &scope.inline, &full, 1);
            }
        }
        let name = (scope.file, scope.inline.clone(), path.to_vec());
        if let Some(known) = self.resolved.read().unwrap_or_else(|poisoned| poisoned.into_inner()).get(&name) {
            return known.clone();
        }
        let resolved = self.resolve_from(scope.file, &scope.inline, path, 0);
        self.resolved.write().unwrap_or_else(|poisoned| poisoned.into_inner()).insert(name, resolved.clone());
        resolved
    }

    pub(super) fn resolve_from(
        &self,
        file: FileId,
        inline: &[String],
        path: &[String],
        depth: u32,
    ) -> Option<Resolved> {
        if depth > MAX_DEPTH {
            return None;
        }
        let (first, rest) = path.split_first()?;
        let package = self.package_id(file);
        let mut module = self.files[file.0 as usize].1.clone();
        module.extend_from_slice(inline);
        match first.as_str() {
            "crate" => return self.in_module(package, &[], rest, depth + 1),
            "self" => return self.in_module(package, &module, rest, depth + 1),
            "super" => {
                module.pop();
                let mut rest = rest;
                while let Some((next, after)) = rest.split_first().filter(|(next, _)| *next == "super") {
                    debug_assert_eq!(next, "super");
                    module.pop();
                    rest = after;
                }
                return self.in_module(package, &module, rest, depth + 1);
            }
            _ => {}
        }
        self.in_module(package, &module, path, depth + 1).or_else(|| self.external(package, path, depth))
    }

    /// A path whose first name is a crate.
    pub(super) fn external(&self, package: PackageId, path: &[String], depth: u32) -> Option<Resolved> {
        let (first, rest) = path.split_first()?;
        let known = self.package(package);
        if let Some((real, workspace)) = known.dependencies.get(first) {
            if let Some(workspace) = workspace {
                return self.in_module(*workspace, &[], rest, depth + 1);
            }
            let mut full = vec![real.clone()];
            full.extend_from_slice(rest);
            return Some(Resolved::External(full));
        }
        let standard = matches!(first.as_str(), "std" | "core" | "alloc");
        let loose = known.loose && self.model.library_of_crate(first).is_some();
        (standard || loose).then(|| Resolved::External(path.to_vec()))
    }

    /// A path below a module of the workspace.
    pub(super) fn in_module(
        &self,
        package: PackageId,
        module: &[String],
        path: &[String],
        depth: u32,
    ) -> Option<Resolved> {
        if depth > MAX_DEPTH {
            return None;
        }
        let Some((first, rest)) = path.split_first() else {
            return Some(Resolved::Module(package, module.to_vec()));
        };
        let mut child = module.to_vec();
        child.push(first.clone());
        let files = self.files_of(package, module);
        // Items come first, then named imports, then modules in files of their own, then globs.
        for (file, inline) in &files {
            let Some(data) = self.host.data(*file) else { continue };
            for id in data.outline.ids() {
                let item = data.outline.item(id);
                if item.name != *first || matches!(item.kind, ItemKind::Use | ItemKind::Impl | ItemKind::Macro) {
                    continue;
                }
                let parent_is_module =
                    item.parent.is_none_or(|parent| data.outline.item(parent).kind == ItemKind::Module);
                if !parent_is_module || data.outline.module_path(id) != *inline {
                    continue;
                }
                if item.kind == ItemKind::Module {
                    if rest.is_empty() || item.body.is_some() || self.has_module(package, &child) {
                        return self.in_module(package, &child, rest, depth + 1);
                    }
                    continue;
                }
                return Some(Resolved::Item(ItemRef { file: *file, item: id }, rest.to_vec()));
            }
        }
        for (file, inline) in &files {
            for (within, import) in self.imports(*file).iter() {
                if within != inline || import.name.as_ref() != Some(first) {
                    continue;
                }
                if import.path.len() == 1 && import.path[0] == *first {
                    return self.external(package, path, depth + 1);
                }
                let mut full = import.path.clone();
                full.extend_from_slice(rest);
                let resolved = self.resolve_import(*file, inline, &full, depth + 1);
                if resolved.is_some() {
                    return resolved;
                }
            }
        }
        if self.has_module(package, &child) {
            return self.in_module(package, &child, rest, depth + 1);
        }
        for (file, inline) in &files {
            for (within, import) in self.imports(*file).iter() {
                if within != inline || import.name.is_some() {
                    continue;
                }
                let mut full = import.path.clone();
                full.extend_from_slice(path);
                match self.resolve_import(*file, inline, &full, depth + 1) {
                    // A glob import of a foreign crate may or may not hold the name: the model knows.
                    Some(Resolved::External(full)) if !self.is_known(&full) => {}
                    None => {}
                    found => return found,
                }
            }
        }
        None
    }

    /// Imports start from a crate or from the module that they stand in.
    pub(super) fn resolve_import(
        &self,
        file: FileId,
        inline: &[String],
        path: &[String],
        depth: u32,
    ) -> Option<Resolved> {
        let package = self.package_id(file);
        let first = path.first()?;
        if !matches!(first.as_str(), "crate" | "self" | "super")
            && let found @ Some(_) = self.external(package, path, depth + 1)
        {
            return found;
        }
        self.resolve_from(file, inline, path, depth + 1)
    }

    pub(super) fn is_known(&self, path: &[String]) -> bool {
        let owner = &path[..path.len().saturating_sub(1)];
        self.model.type_at(path).is_some()
            || self.model.type_at(owner).is_some()
            || self.model.is_statement_type(path)
            || self.model.work_type(path).is_some()
            || self.model.work_function(path).is_some()
            || self
                .model
                .library_at(path)
                .is_some_and(|(library, name)| self.model.library(library).statements.iter().any(|known| known == name))
    }

    pub(super) fn has_module(&self, package: PackageId, module: &[String]) -> bool {
        self.package(package).modules.contains_key(module)
    }

    /// The files that hold a module, with the inline modules that lead to it inside each.
    pub(super) fn files_of(&self, package: PackageId, module: &[String]) -> Vec<(FileId, Vec<String>)> {
        let modules = &self.package(package).modules;
        (0..=module.len())
            .rev()
            .filter_map(|split| Some((modules.get(&module[..split])?, module[split..].to_vec())))
            .flat_map(|(files, inline)| files.iter().map(move |file| (*file, inline.clone())))
            .filter(|(file, inline)| inline.is_empty() || self.has_inline(*file, inline))
            .collect()
    }

    pub(super) fn has_inline(&self, file: FileId, inline: &[String]) -> bool {
        let Some(data) = self.host.data(file) else { return false };
        data.outline.ids().any(|id| {
            let item = data.outline.item(id);
            item.kind == ItemKind::Module
                && item.body.is_some()
                && Some(&item.name) == inline.last()
                && data.outline.module_path(id) == inline[..inline.len() - 1]
        })
    }
}
