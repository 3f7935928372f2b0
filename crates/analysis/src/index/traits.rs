//! Who implements what? Traits of the workspace, their implementations, and associated types.

use super::asking::Asking;
use super::resolve::Trail;
use super::{Index, ItemRef, PackageId, Resolved, Ty};
use sessionlint_diagnostics::FileId;
use sessionlint_ir::{ItemKind, TypeRef};
use sessionlint_protocols::{ProtocolId, ProtocolKind, WorkId};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// More implementations than this are not compared.
const MAX_IMPLEMENTATIONS: usize = 24;

impl Index<'_> {
    /// The `impl` blocks of a trait, outside of test code.
    pub(super) fn implementing(&self, owner: ItemRef) -> Arc<Vec<ItemRef>> {
        self.implementing.get(owner, || {
            let Some(name) = self.item(owner).map(|item| item.name.clone()) else { return Vec::new() };
            let blocks = self.blocks.get_or_init(|| self.blocks_by_word());
            let blocks = blocks.get(&name).map(Vec::as_slice).unwrap_or_default();
            let package = self.package_id(owner.file);
            // A file that names no library may still do slow work.
            let unread = self.unread_blocks(package, &name);
            let is_of = |block: &&ItemRef| {
                if self.serves_tests(block.file) {
                    return false;
                }
                // Only a package that can name the trait can implement it.
                let own = self.package_id(block.file);
                if own != package && !self.package(own).leads_to(package) {
                    return false;
                }
                let Some(of_trait) = self.header(**block).and_then(|header| header.of_trait.as_ref()) else {
                    return false;
                };
                let TypeRef::Path { segments, .. } = of_trait else { return false };
                self.resolve(&self.scope_of(**block), segments) == Some(Resolved::Item(owner, Vec::new()))
            };
            let mut found: Vec<ItemRef> = blocks.iter().chain(&unread).filter(is_of).copied().collect();
            found.sort();
            found.dedup();
            // One for whatever implements it already says nothing of its own: `impl<T: Tx> Tx for Box<T>`.
            found.retain(|block| {
                let of = |header: &sessionlint_ir::ImplHeader| {
                    let mut scope = self.scope_of(*block);
                    scope.generics = &header.generics;
                    // What associated types are is asked of the implementations.
                    self.ty_at(&scope, &header.self_ty, Asking::without_associated().look(&BTreeMap::new()))
                };
                self.header(*block).map(of).is_none_or(|ty| *ty.peeled() != Ty::own(owner))
            });
            found
        })
    }

    /// The `impl` blocks of traits by the words before their `for`.
    fn blocks_by_word(&self) -> HashMap<String, Vec<ItemRef>> {
        let mut found: HashMap<String, Vec<ItemRef>> = HashMap::new();
        for package in &self.packages {
            for file in &package.indexed {
                self.blocks_of_file(*file, &mut found);
            }
        }
        for blocks in found.values_mut() {
            blocks.sort();
            blocks.dedup();
        }
        found
    }

    pub(super) fn blocks_of_file(&self, file: FileId, found: &mut HashMap<String, Vec<ItemRef>>) {
        let Some(data) = self.host.data(file) else { return };
        for id in data.outline.ids() {
            let item = data.outline.item(id);
            if item.kind != ItemKind::Impl || data.outline.is_test(id) {
                continue;
            }
            let header = item.header();
            let header = data.text.get(header.start as usize..header.end as usize).unwrap_or_default();
            let Some((before, _)) = header.split_once(" for ") else { continue };
            for word in before.split(|c: char| !c.is_alphanumeric() && c != '_') {
                // A trait's name, as names are written.
                if word.starts_with(char::is_uppercase) {
                    let names = self.renamed(file, word).into_iter().chain([word.to_owned()]);
                    names.for_each(|name| found.entry(name).or_default().push(ItemRef { file, item: id }));
                }
            }
        }
    }

    /// Whether a type stands for whatever implements a trait of the workspace.
    pub(crate) fn is_trait(&self, ty: &Ty) -> bool {
        match ty.peeled() {
            Ty::Own(owner, _) => self.item(*owner).is_some_and(|item| item.kind == ItemKind::Trait),
            _ => false,
        }
    }

    /// The traits of the workspace that a trait asks for: `trait Tx: Finalizer + Send`.
    pub(crate) fn supertraits(&self, owner: ItemRef) -> Vec<ItemRef> {
        let item = |known| match known {
            Resolved::Item(item, rest) if rest.is_empty() => Some(item),
            _ => None,
        };
        self.asked_by(owner).into_iter().filter_map(item).collect()
    }

    /// The type of a library that a trait is another name of, where it only names what else is asked for:
    /// `trait Database: sqlx::Acquire + Send {}`.
    pub(super) fn named_by_trait(&self, owner: ItemRef) -> Option<Ty> {
        let named = || {
            let (mut names, mut types, mut at) = (vec![owner], Vec::new(), 0);
            while let Some(next) = names.get(at).copied() {
                let asked = if self.only_asks(next) { self.asked_by(next) } else { Vec::new() };
                for known in asked {
                    match known {
                        Resolved::External(path) => types.extend(self.model.type_at(&path).map(Ty::Known)),
                        Resolved::Item(item, rest) if rest.is_empty() && !names.contains(&item) => names.push(item),
                        _ => {}
                    }
                }
                at += 1;
            }
            let ty = self.meant_by(types.into_iter());
            (!ty.is_unknown()).then_some(ty)
        };
        self.named_traits.get(owner, named).as_ref().clone()
    }

    /// Whether a trait has nothing of its own.
    fn only_asks(&self, owner: ItemRef) -> bool {
        let Some(data) = self.host.data(owner.file) else { return false };
        data.outline.item(owner.item).kind == ItemKind::Trait
            && !data.outline.ids().any(|id| data.outline.item(id).parent == Some(owner.item))
    }

    /// What a trait asks for.
    fn asked_by(&self, owner: ItemRef) -> Vec<Resolved> {
        let Some((header, _)) = self.item_text(owner, |item| item.header()) else { return Vec::new() };
        let (mut depth, mut asked) = (0_i32, None);
        for (at, c) in header.char_indices() {
            depth += i32::from(matches!(c, '<' | '(')) - i32::from(matches!(c, '>' | ')'));
            if c == ':' && depth == 0 {
                asked = header.get(at + 1..);
                break;
            }
        }
        let scope = self.scope_of(owner);
        let resolved = |bound: &str| {
            let path = bound.split('<').next()?.split_whitespace().next()?;
            let path: Vec<String> = path.split("::").map(|part| part.trim().to_owned()).collect();
            self.resolve(&scope, &path)
        };
        apart(asked.unwrap_or_default()).filter_map(resolved).collect()
    }

    /// The methods called `name` of a trait, or of those that it asks for.
    pub(crate) fn methods_above(&self, file: FileId, owner: ItemRef, name: &str) -> Vec<ItemRef> {
        let (mut seen, mut pending) = (vec![owner], vec![owner]);
        while let Some(at) = pending.pop() {
            let found = self.methods_near(file, at, name);
            if !found.is_empty() {
                return found;
            }
            if self.item(at).is_some_and(|item| item.kind == ItemKind::Trait) {
                for above in self
                    .above
                    .get(at, || self.supertraits(at))
                    .iter()
                    .filter(|above| !seen.contains(above))
                    .copied()
                    .collect::<Vec<_>>()
                {
                    seen.push(above);
                    pending.push(above);
                }
            }
        }
        Vec::new()
    }

    /// The types that implement a trait of the workspace.
    pub(crate) fn implementors(&self, owner: ItemRef) -> Vec<Ty> {
        let blocks = self.implementing(owner);
        let ty = |block: &ItemRef| {
            let header = self.header(*block)?;
            let mut scope = self.scope_of(*block);
            scope.generics = &header.generics;
            Some(self.ty(&scope, &header.self_ty))
        };
        blocks.iter().take(MAX_IMPLEMENTATIONS).filter_map(ty).collect()
    }

    /// The implementations of a method that a trait only declares; empty for any other function, and when there
    /// are too many to compare.
    pub fn implementations(&self, method: ItemRef) -> Vec<ItemRef> {
        let Some(item) = self.item(method) else { return Vec::new() };
        let Some(parent) = item.parent.map(|parent| ItemRef { file: method.file, item: parent }) else {
            return Vec::new();
        };
        if item.body.is_some() || self.item(parent).map(|item| item.kind) != Some(ItemKind::Trait) {
            return Vec::new();
        }
        let blocks = self.implementing(parent);
        let found: Vec<ItemRef> =
            blocks.iter().filter_map(|block| self.child(*block, ItemKind::Function, &item.name)).collect();
        if found.len() > MAX_IMPLEMENTATIONS { Vec::new() } else { found }
    }

    /// What an `impl` block or trait says that an associated type of this name is.
    pub(super) fn associated_type(&self, block: ItemRef, name: &str) -> Option<ItemRef> {
        self.child(block, ItemKind::Alias, name)
    }

    fn child(&self, block: ItemRef, kind: ItemKind, name: &str) -> Option<ItemRef> {
        let data = self.host.data(block.file)?;
        let is_it = |id: &sessionlint_ir::ItemId| {
            let item = data.outline.item(*id);
            item.kind == kind && item.name == name && item.parent == Some(block.item)
        };
        data.outline.ids().find(is_it).map(|item| ItemRef { file: block.file, item })
    }

    /// The methods called `name` that traits of the workspace give to a type of a library, or to the connection behind it: those of
    /// their implementations, and what the traits themselves say.
    pub fn extension_methods(&self, file: FileId, protocol: ProtocolId, name: &str) -> Arc<Vec<ItemRef>> {
        self.extensions.get((file, protocol, name.to_owned()), || self.extension_methods_of(file, protocol, name))
    }

    fn extension_methods_of(&self, file: FileId, protocol: ProtocolId, name: &str) -> Vec<ItemRef> {
        let library = self.model.protocol(protocol).library;
        self.methods_for(file, name, &|ty| match ty.peeled() {
            Ty::Known(id) => {
                let known = self.model.protocol(*id);
                *id == protocol || (known.library == library && known.kind == ProtocolKind::Connection)
            }
            _ => false,
        })
    }

    /// The same for a type that does slow work.
    pub(crate) fn work_methods(&self, file: FileId, work: WorkId, name: &str) -> Vec<ItemRef> {
        self.methods_for(file, name, &|ty| *ty.peeled() == Ty::Work(work))
    }

    fn methods_for(&self, file: FileId, name: &str, may_be: &dyn Fn(&Ty) -> bool) -> Vec<ItemRef> {
        let mut found = Vec::new();
        for method in self.trait_methods_near(file, name) {
            let Some(parent) = self.item(method).and_then(|item| item.parent) else { continue };
            let parent = ItemRef { file: method.file, item: parent };
            let blocks = self.implementing(parent);
            for block in blocks.iter() {
                let Some(header) = self.header(*block) else { continue };
                let mut scope = self.scope_of(*block);
                scope.generics = &header.generics;
                if may_be(&self.ty(&scope, &header.self_ty)) {
                    found.push(self.child(*block, ItemKind::Function, name).unwrap_or(method));
                }
            }
        }
        found.sort();
        found.dedup();
        found
    }

    /// Whether a trait of the workspace has a method of this name that takes its receiver by value: on a result, say.
    pub fn is_trait_method(&self, file: FileId, name: &str) -> bool {
        self.trait_methods_near(file, name)
            .iter()
            .any(|method| self.signature(*method).is_some_and(|it| it.has_receiver))
    }

    /// Whether a trait of the workspace has a method of this name that gives what is inside of a result, as `unwrap` does:
    /// `fn or_die(self, what: &str) -> T`.
    pub(crate) fn opens_result(&self, file: FileId, name: &str) -> bool {
        let methods = self.methods_for(file, name, &|ty| matches!(ty.peeled(), Ty::Fallible(_)));
        let opens = |method: &ItemRef| {
            let Some(signature) = self.signature(*method).filter(|it| it.has_receiver && !it.is_async) else {
                return false;
            };
            // `Self::Out` may be a result as well.
            let is_result = matches!(self.output(*method, None), Some(Ty::Fallible(_)));
            match &signature.output {
                _ if is_result => false,
                TypeRef::Path { segments, args } if args.is_empty() => match segments.as_slice() {
                    [own, _] => own == "Self",
                    [one] => self.generics_around(*method, &signature.generics).iter().any(|(name, _)| name == one),
                    _ => false,
                },
                TypeRef::Projection { .. } => true,
                _ => false,
            }
        };
        !methods.is_empty() && methods.iter().all(opens)
    }

    /// The methods of this name in the traits that a file can name.
    fn trait_methods_near(&self, file: FileId, name: &str) -> Vec<ItemRef> {
        let mut packages = vec![self.package_id(file)];
        packages.extend(self.package_of(file).dependencies.values().filter_map(|(_, package)| *package));
        packages.sort();
        packages.dedup();
        let methods =
            packages.into_iter().map(|package| self.trait_methods.get(package, || self.trait_methods_of(package)));
        let mut found: Vec<ItemRef> =
            methods.flat_map(|methods| methods.get(name).cloned().unwrap_or_default()).collect();
        // One that the file itself imports may stand in a file that says nothing else.
        let imported = self.imported_traits.get(file, || self.traits_imported_by(file));
        found.extend(imported.iter().filter_map(|item| self.child(*item, ItemKind::Function, name)));
        found.sort();
        found.dedup();
        found
    }

    /// The traits of the workspace that a file imports by name.
    fn traits_imported_by(&self, file: FileId) -> Vec<ItemRef> {
        let mut found = Vec::new();
        for (inline, path) in self.imports_of(file) {
            if let Some(Resolved::Item(item, rest)) = self.resolve_import(file, &inline, &path, &Trail::default())
                && rest.is_empty()
                && self.item(item).is_some_and(|item| item.kind == ItemKind::Trait)
            {
                found.push(item);
            }
        }
        found.sort();
        found.dedup();
        found
    }

    fn trait_methods_of(&self, package: PackageId) -> HashMap<String, Vec<ItemRef>> {
        let mut found: HashMap<String, Vec<ItemRef>> = HashMap::new();
        for file in &self.package(package).indexed {
            let Some(data) = self.host.data(*file) else { continue };
            for id in data.outline.ids() {
                let item = data.outline.item(id);
                let in_trait = item.parent.is_some_and(|parent| data.outline.item(parent).kind == ItemKind::Trait);
                if item.kind == ItemKind::Function && in_trait {
                    found.entry(item.name.clone()).or_default().push(ItemRef { file: *file, item: id });
                }
            }
        }
        found
    }

    /// The methods called `name` of a type, its own and those of traits that other packages implement for it.
    pub fn methods_near(&self, file: FileId, owner: ItemRef, name: &str) -> Vec<ItemRef> {
        let own = self.methods(owner, name);
        if !own.is_empty() {
            return own;
        }
        let found = self.methods_of_others(file, owner, name);
        if found.is_empty() { self.default_methods(file, owner, name) } else { found }
    }

    /// The methods called `name` that traits write themselves, of those that a type implements without one of its own.
    fn default_methods(&self, file: FileId, owner: ItemRef, name: &str) -> Vec<ItemRef> {
        if self.item(owner).is_none_or(|item| item.kind == ItemKind::Trait) {
            return Vec::new();
        }
        let is_given = |method: &ItemRef| {
            let Some(item) = self.item(*method).filter(|item| item.body.is_some()) else { return false };
            let Some(parent) = item.parent.map(|parent| ItemRef { file: method.file, item: parent }) else {
                return false;
            };
            let is_for = |block: &ItemRef| {
                let Some(header) = self.header(*block) else { return false };
                let mut scope = self.scope_of(*block);
                scope.generics = &header.generics;
                let ty = self.ty(&scope, &header.self_ty);
                // For whatever implements another one: `impl<T: Core> Client for T`.
                matches!(ty.peeled(), Ty::Own(other, _) if *other == owner)
                    || (self.is_trait(&ty) && self.implements(owner, &ty))
            };
            self.implementing(parent).iter().any(is_for)
        };
        self.trait_methods_near(file, name).into_iter().filter(is_given).collect()
    }

    /// Whether a trait has an implementation for a type by its name.
    fn implements(&self, owner: ItemRef, of: &Ty) -> bool {
        let Ty::Own(of, _) = of.peeled() else { return false };
        self.implementors(*of).iter().any(|ty| matches!(ty.peeled(), Ty::Own(other, _) if *other == owner))
    }

    /// The methods called `name` that other packages give to a type.
    fn methods_of_others(&self, file: FileId, owner: ItemRef, name: &str) -> Vec<ItemRef> {
        if self.package_id(file) == self.package_id(owner.file) {
            return Vec::new();
        }
        let Some(owner_name) = self.item(owner).map(|item| item.name.clone()) else { return Vec::new() };
        let mut packages = vec![self.package_id(file)];
        packages.extend(self.package_of(file).dependencies.values().filter_map(|(_, package)| *package));
        packages.sort();
        packages.dedup();
        let named = packages.into_iter().flat_map(|package| self.methods_in(package, &owner_name, name));
        let mut found: Vec<ItemRef> =
            named.filter(|item| matches!(self.self_ty(*item), Some(Ty::Own(other, _)) if other == owner)).collect();
        found.sort();
        found.dedup();
        found
    }
}

/// The bounds of a list, up to a `where`: `Executor<'a, Database = A + B> + Send` are two.
fn apart(bounds: &str) -> impl Iterator<Item = &str> {
    let is_word = |at: usize| {
        let (before, behind) = (&bounds[..at], &bounds[at + "where".len()..]);
        before.ends_with(char::is_whitespace) && behind.starts_with(char::is_whitespace)
    };
    let end = bounds.match_indices("where").map(|(at, _)| at).find(|at| is_word(*at)).unwrap_or(bounds.len());
    let mut depth = 0_i32;
    bounds[..end].split(move |c: char| {
        depth += i32::from(matches!(c, '<' | '(')) - i32::from(matches!(c, '>' | ')'));
        c == '+' && depth == 0
    })
}
