//! Which macro of the workspace does a path mean?

use super::{Index, ItemRef, PackageId};
use sessionlint_diagnostics::FileId;
use sessionlint_ir::ItemKind;
use std::collections::HashMap;

impl<'h> Index<'h> {
    /// The text of the `macro_rules!` macro that a path means in a file: one of its package, or of a package that
    /// this one depends on. Of several with one name nobody knows which is meant.
    pub(super) fn macro_text(&self, file: FileId, path: &[String]) -> Option<String> {
        let name = path.last()?;
        let own = self.package_id(file);
        let near = self.package(own).dependencies.values().filter_map(|(_, package)| *package);
        let found = std::iter::once(own).chain(near).find_map(|package| {
            let macros = self.macros.get(package, || self.macros_of(package));
            macros.get(name).cloned().or_else(|| self.unread_macros(package, name))
        });
        let item = match found?.as_slice() {
            [item] => *item,
            several => several.iter().copied().find(|item| item.file == file)?,
        };
        Some(self.item_text(item, |item| item.head)?.0.to_owned())
    }

    /// The macros of a package in the files that mention a session.
    fn macros_of(&self, package: PackageId) -> HashMap<String, Vec<ItemRef>> {
        let mut found: HashMap<String, Vec<ItemRef>> = HashMap::new();
        for file in &self.package(package).indexed {
            for (name, item) in self.macros_in(*file) {
                found.entry(name.to_owned()).or_default().push(item);
            }
        }
        found
    }

    /// The macros called so in its other files, unless they are for tests.
    fn unread_macros(&self, package: PackageId, name: &str) -> Option<Vec<ItemRef>> {
        let files = self.package(package).unread.macros.get(name)?;
        let files = files.iter().filter(|file| !self.serves_tests(**file));
        let named = files.flat_map(|file| self.macros_in(*file)).filter(|(other, _)| *other == name);
        let found: Vec<ItemRef> = named.map(|(_, item)| item).collect();
        (!found.is_empty()).then_some(found)
    }

    fn macros_in(&self, file: FileId) -> impl Iterator<Item = (&'h str, ItemRef)> {
        let outline = self.data(file).map(|data| &data.outline).into_iter();
        outline.flat_map(move |outline| {
            outline.ids().filter_map(move |id| {
                let item = outline.item(id);
                let is_macro = item.kind == ItemKind::Macro && item.body.is_some();
                is_macro.then_some((item.name.as_str(), ItemRef { file, item: id }))
            })
        })
    }
}
