//! What do files implement that mention no session? They are read when somebody asks for a trait or type that they have a block of.

use super::{Index, ItemRef, Package, PackageId};
use std::collections::HashMap;

impl Index<'_> {
    /// The blocks that implement something called like a trait of a package, in files that mention no session.
    pub(super) fn unread_blocks(&self, package: PackageId, name: &str) -> Vec<ItemRef> {
        // Only a package that can name the trait can implement it.
        let can_name = |(id, other): &(PackageId, &Package)| *id == package || other.leads_to(package);
        let packages = (0..).map(PackageId).zip(&self.packages).filter(can_name);
        let files = packages.filter_map(|(_, other)| other.unread.traits.get(name)).flatten();
        let mut found = HashMap::new();
        for file in files.filter(|file| !self.serves_tests(**file)) {
            self.blocks_of_file(*file, &mut found);
        }
        found.remove(name).unwrap_or_default()
    }

    /// The methods for types and traits called like `owner` in files of its package that mention no session.
    pub(super) fn unread_methods(&self, package: PackageId, owner: ItemRef, name: &str) -> Vec<ItemRef> {
        let known = self.package(package);
        let blocks = known.unread.types.get(name.trim_start_matches('&')).map(Vec::as_slice).unwrap_or_default();
        // A trait's own methods stand in no block.
        let own = (!blocks.contains(&owner.file) && !known.indexed.contains(&owner.file)).then_some(owner.file);
        let mut found = Vec::new();
        for file in own.iter().chain(blocks) {
            let named = self.methods_of_file(*file).iter().filter(|(of, _)| of == name);
            found.extend(named.flat_map(|(_, methods)| methods).map(|item| ItemRef { file: *file, item: *item }));
        }
        found
    }
}
