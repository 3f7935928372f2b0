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
            macros.get(name).cloned()
        });
        let item = match found?.as_slice() {
            [item] => *item,
            several => several.iter().copied().find(|item| item.file == file)?,
        };
        Some(self.item_text(item, |item| item.head)?.0.to_owned())
    }

    fn macros_of(&self, package: PackageId) -> HashMap<String, Vec<ItemRef>> {
        let mut found: HashMap<String, Vec<ItemRef>> = HashMap::new();
        for file in &self.package(package).indexed {
            let Some(data) = self.host.data(*file) else { continue };
            for id in data.outline.ids() {
                let item = data.outline.item(id);
                if item.kind == ItemKind::Macro && item.body.is_some() {
                    found.entry(item.name.clone()).or_default().push(ItemRef { file: *file, item: id });
                }
            }
        }
        found
    }
}
