//! Which methods does a type or trait of the workspace have?

use super::kept::Methods;
use super::{Index, ItemRef, PackageId, Ty};
use sessionlint_diagnostics::FileId;
use sessionlint_ir::{ItemId, ItemKind, TypeRef};
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

impl<'h> Index<'h> {
    /// The methods called `name` of a type or trait of the workspace.
    pub fn methods(&self, owner: ItemRef, name: &str) -> Vec<ItemRef> {
        let Some(owner_item) = self.item(owner) else { return Vec::new() };
        let owner_name = owner_item.name.clone();
        let package = self.package_id(owner.file);
        let of = |written: &str| {
            let mut found = self.methods_in(package, written, name);
            let unread = self.unread_methods(package, owner, written);
            found.extend(unread.iter().filter(|method| self.item(**method).is_some_and(|item| item.name == name)));
            found.retain(|method| self.may_be_of(owner, &owner_name, *method));
            found.sort();
            found
        };
        let own = of(&owner_name);
        // What a trait gives to a reference is called on the value as well.
        if own.is_empty() { of(&format!("&{owner_name}")) } else { own }
    }

    /// Whether a method of something called like `owner` may be one of `owner`: several may have that name.
    fn may_be_of(&self, owner: ItemRef, name: &str, method: ItemRef) -> bool {
        let package = self.package_id(owner.file);
        let indexed = &self.package(package).indexed;
        let alone = indexed.contains(&owner.file)
            && (owner.file == method.file || indexed.contains(&method.file))
            && !self.methods_by_owner(package).shared.contains(name);
        alone
            || self
                .self_ty(method)
                .is_none_or(|ty| ty.is_unknown() || matches!(ty.peeled(), Ty::Own(other, _) if *other == owner))
    }

    /// The methods of a name that a package has for types and traits called `owner`.
    pub(super) fn methods_in(&self, package: PackageId, owner: &str, name: &str) -> Vec<ItemRef> {
        let methods = self.methods_by_owner(package);
        methods.by_owner.get(owner).and_then(|methods| methods.get(name)).cloned().unwrap_or_default()
    }

    /// The methods of a package by the name of their type.
    fn methods_by_owner(&self, package: PackageId) -> Arc<Methods> {
        self.methods.get(package, || {
            let mut found = Methods::default();
            let mut types: HashSet<&str> = HashSet::new();
            for file in &self.package(package).indexed {
                for (owner, methods) in self.methods_of_file(*file) {
                    let known = found.by_owner.entry(owner.clone()).or_default();
                    for method in methods.iter().map(|item| ItemRef { file: *file, item: *item }) {
                        let name = self.item(method).map(|item| item.name.clone()).unwrap_or_default();
                        known.entry(name).or_default().push(method);
                    }
                }
                let Some(data) = self.data(*file) else { continue };
                let is_type = |kind| matches!(kind, ItemKind::Struct | ItemKind::Enum | ItemKind::Trait);
                for item in data.outline.items.iter().filter(|item| is_type(item.kind)) {
                    if !types.insert(&item.name) {
                        found.shared.insert(item.name.clone());
                    }
                }
            }
            found
        })
    }

    /// All methods of a type of the workspace with a name of their own, sorted by name.
    pub fn methods_of(&self, owner: ItemRef) -> Vec<(String, ItemRef)> {
        let Some(item) = self.item(owner) else { return Vec::new() };
        let package = self.package_id(owner.file);
        let methods = self.methods_by_owner(package);
        let mut all: Vec<ItemRef> = methods
            .by_owner
            .get(item.name.as_str())
            .into_iter()
            .flat_map(|named| named.values().flatten().copied())
            .collect();
        all.extend(self.unread_methods(package, owner, &item.name).iter());
        all.retain(|method| self.may_be_of(owner, &item.name, *method));
        let mut own: BTreeMap<String, ItemRef> = BTreeMap::new();
        for method in all {
            if let Some(item) = self.item(method) {
                own.entry(item.name.clone()).or_insert(method);
            }
        }
        own.into_iter().collect()
    }

    /// The methods of a file by the name of their type or trait.
    pub(super) fn methods_of_file(&self, file: FileId) -> &'h [(String, Vec<ItemId>)] {
        let Some(data) = self.data(file) else { return &[] };
        data.methods.get_or_init(|| {
            let mut found: Vec<(String, Vec<ItemId>)> = Vec::new();
            for id in data.outline.ids() {
                let item = data.outline.item(id);
                let Some(parent) = item.parent.filter(|_| item.kind == ItemKind::Function) else { continue };
                let owner = match data.outline.item(parent).kind {
                    ItemKind::Impl => {
                        let header = self.header(ItemRef { file, item: parent });
                        header.and_then(|header| name_of(&header.self_ty))
                    }
                    ItemKind::Trait => Some(data.outline.item(parent).name.clone()),
                    _ => None,
                };
                let Some(owner) = owner else { continue };
                match found.iter_mut().find(|(known, _)| *known == owner) {
                    Some((_, methods)) => methods.push(id),
                    None => found.push((owner, vec![id])),
                }
            }
            found
        })
    }
}

/// The name of a type, `&` before it when it is behind a reference.
fn name_of(ty: &TypeRef) -> Option<String> {
    match ty {
        TypeRef::Ref { inner, .. } => Some(format!("&{}", name_of(inner)?.trim_start_matches('&'))),
        ty => ty.last_segment().map(str::to_owned),
    }
}
