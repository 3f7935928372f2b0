//! Can other packages name an item?

use super::resolve::Trail;
use super::{Index, ItemRef, PackageId, Resolved};
use sessionlint_diagnostics::FileId;
use sessionlint_ir::{Item, ItemKind};

impl Index<'_> {
    /// The files that mention a session of the packages that can name something in a file.
    pub(crate) fn may_name(&self, file: FileId) -> impl Iterator<Item = FileId> {
        let own = self.package_id(file);
        let numbered = (0..).map(PackageId).zip(self.packages());
        let leads = numbered.filter(move |(id, package)| *id == own || package.leads_to(own));
        leads.flat_map(|(_, package)| package.indexed.iter().copied())
    }

    /// All files of the packages that can name something in a file.
    pub(crate) fn files_that_name(&self, file: FileId) -> Vec<FileId> {
        let own = self.package_id(file);
        let numbered = (0..).map(PackageId).zip(self.packages());
        let leads = numbered.filter(move |(id, package)| *id == own || package.leads_to(own));
        let mut files: Vec<FileId> =
            leads.flat_map(|(_, package)| package.modules.values().flatten().copied()).collect();
        files.push(file);
        files.sort();
        files.dedup();
        files
    }

    /// Whether other packages can name a function or trait that is no part of another item: it is public, and so are the modules around it,
    /// or what is imported there for everybody leads to it. What is in a program nobody else can name.
    pub(crate) fn is_seen_outside(&self, item: ItemRef) -> bool {
        if !self.is_public(item) {
            return false;
        }
        let module = self.module_of(item);
        let package = self.package_id(item.file);
        self.is_public_module(package, &module) || self.is_imported_for_all(package, item, &module)
    }

    /// Whether a file is where a program or library begins: no module of its package declares it.
    pub(crate) fn is_root(&self, file: FileId) -> bool {
        let module = self.module_of_file(file);
        module.is_empty() || self.declares(self.package_id(file), module).is_empty()
    }

    /// Whether an item is written as public, in a package or file that others can name something of.
    pub(crate) fn is_public(&self, item: ItemRef) -> bool {
        let Some(data) = self.host.data(item.file) else { return true };
        let has_main = |file: FileId| self.host.data(file).is_some_and(|data| data.outline.items.iter().any(is_main));
        is_for_all(&data.text, data.outline.item(item.item))
            && !has_main(item.file)
            && !self.is_of_program(self.package_id(item.file), has_main)
    }

    /// Whether a package consists of programs, and no library.
    fn is_of_program(&self, package: PackageId, has_main: impl Fn(FileId) -> bool) -> bool {
        let known = self.package(package);
        let roots = known.modules.get(&[] as &[String]).into_iter().flatten();
        let mut roots = roots.filter(|file| !self.is_test_file(**file)).peekable();
        !known.loose && roots.peek().is_some() && roots.all(|file| has_main(*file))
    }

    /// Whether each module on the way to one is declared as public. One whose declaration is not found is.
    fn is_public_module(&self, package: PackageId, module: &[String]) -> bool {
        (1..=module.len()).all(|length| {
            let modules = self.declares(package, &module[..length]);
            modules.is_empty() || modules.contains(&true)
        })
    }

    /// The declarations of a module: whether each is public.
    fn declares(&self, package: PackageId, module: &[String]) -> Vec<bool> {
        let (name, around) = module.split_last().expect("not empty");
        let declared = self.files_of(package, around).into_iter().flat_map(|(file, names, inline)| {
            let found = names.inside(inline).and_then(|names| names.items.get(name)).cloned().unwrap_or_default();
            found.into_iter().map(move |item| ItemRef { file, item })
        });
        let modules = declared.filter_map(|item| {
            let data = self.host.data(item.file)?;
            let known = data.outline.item(item.item);
            (known.kind == ItemKind::Module).then(|| is_for_all(&data.text, known))
        });
        modules.collect()
    }

    /// Whether a public import of the package leads to an item, or to a module around it.
    fn is_imported_for_all(&self, package: PackageId, item: ItemRef, module: &[String]) -> bool {
        let files = self.package(package).modules.values().flatten();
        files.filter(|file| !self.is_test_file(**file)).any(|file| {
            let Some(data) = self.host.data(*file) else { return false };
            data.outline.ids().any(|id| {
                let known = data.outline.item(id);
                if known.kind != ItemKind::Use || !is_for_all(&data.text, known) {
                    return false;
                }
                let text = data.text.get(known.head.start as usize..known.head.end as usize);
                let imports = text.and_then(|text| self.host.imports(text, known.head)).unwrap_or_default();
                let inline = data.outline.module_path(id);
                imports.iter().any(|import| {
                    match self.resolve_import(*file, &inline, &import.path, &Trail::default()) {
                        Some(Resolved::Item(found, rest)) => found == item && rest.is_empty(),
                        Some(Resolved::Module(other, found)) => other == package && module.starts_with(&found),
                        _ => false,
                    }
                })
            })
        })
    }
}

/// Whether an item is public for all, and not only for some modules.
fn is_for_all(text: &str, item: &Item) -> bool {
    let before = text.get(item.span.start as usize..item.head.start as usize).unwrap_or("pub");
    before.split("pub").skip(1).any(|rest| !rest.starts_with('('))
}

fn is_main(item: &Item) -> bool {
    item.kind == ItemKind::Function && item.parent.is_none() && item.name == "main"
}
