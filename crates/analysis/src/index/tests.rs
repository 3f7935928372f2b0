//! Is a file test code? By where it stands, or because its module is declared so.

use super::Index;
use sessionlint_diagnostics::FileId;
use sessionlint_ir::{Item, ItemKind};

impl Index<'_> {
    /// Whether a whole file is test code.
    pub fn is_test_file(&self, file: FileId) -> bool {
        *self.test_files.get(file, || self.package_of(file).tests.contains(&file) || self.is_in_test_module(file))
    }

    /// The same, or its module has a name that modules for tests have: what it implements stands for nothing that runs in production.
    pub(crate) fn serves_tests(&self, file: FileId) -> bool {
        let module = &self.files[file.0 as usize].1;
        self.is_test_file(file) || module.iter().any(|name| self.model.intent().is_for_tests(name))
    }

    fn is_in_test_module(&self, file: FileId) -> bool {
        let (package, module) = (self.package_of(file), &self.files[file.0 as usize].1);
        (1..=module.len()).any(|length| {
            let (name, parents) = module[..length].split_last().expect("not empty");
            // Behind a feature, say, for those who test an implementation of their own.
            if matches!(name.as_str(), "test" | "tests") {
                return true;
            }
            let parents = package.modules.get(parents).map(Vec::as_slice).unwrap_or_default();
            parents.iter().filter_map(|parent| self.host.data(*parent)).any(|data| {
                let declares = |item: &Item| {
                    item.kind == ItemKind::Module && item.body.is_none() && item.test && item.name == *name
                };
                data.outline.items.iter().any(declares)
            })
        })
    }
}
