//! What are type parameters, and what comes of them? Outputs, inputs of closures, associated types.

use super::asking::{Asking, AssociatedTypes, Look};
use super::fragments::fragments;
use super::{Index, ItemRef, Resolved, Scope, Ty};
use sessionlint_ir::{ItemKind, TypeRef};
use sessionlint_protocols::Wraps;
use std::collections::BTreeMap;

impl Index<'_> {
    /// The type that a path names behind `Self` or a type parameter: `Self::State`, `S::Unit`; `None` for any other path.
    pub(super) fn parameter_path(
        &self,
        scope: &Scope<'_>,
        path: &[String],
        args: &[TypeRef],
        look: Look<'_>,
    ) -> Option<Ty> {
        let (base, names) = path.split_first()?;
        let (name, rest) = names.split_first()?;
        let inside = |ty: Ty| rest.iter().fold(ty, |ty, name| self.associated_of(&ty, name, look));
        if base == "Self"
            && let Some(block) = scope.block
            && let Some(alias) = self.associated_type(block, name)
        {
            let is_trait = self.item(block).is_some_and(|item| item.kind == ItemKind::Trait);
            return Some(inside(match is_trait {
                true => self.associated_of(&Ty::own(block), name, look),
                false => self.item_ty(alias, args, scope, look),
            }));
        }
        if let Some(ty) = look.bound.get(base) {
            return Some(inside(self.associated_of(ty, name, look)));
        }
        let (known, bounds) = scope.generics.iter().find(|(known, _)| known == base)?;
        let Some(parameter) = look.parameter(known) else { return Some(Ty::Unknown) };
        let of_bound = |written| {
            let ty = self.ty_at(scope, written, look.in_bounds(&parameter));
            inside(self.associated_of(&ty, name, look))
        };
        Some(bounds.iter().map(of_bound).find(|ty| !ty.is_unknown()).unwrap_or(Ty::Unknown))
    }

    /// What an implementation for a type says that an associated type is. For a trait it is what all its implementations say,
    /// else what the trait asks of it.
    pub(super) fn associated_of(&self, ty: &Ty, name: &str, look: Look<'_>) -> Ty {
        let owner = match ty.peeled() {
            Ty::Own(owner, _) => *owner,
            Ty::Known(protocol) if let Some(owner) = self.learned_item(*protocol) => owner,
            _ => return Ty::Unknown,
        };
        let Some(pass) = look.asking.pass() else { return Ty::Unknown };
        let found = self.associated.answer(&AssociatedTypes(self), (owner, name.to_owned()), pass);
        look.asking.copied(&found)
    }

    /// The same for a type or trait of the workspace. What implementations write is a question of its own.
    pub(super) fn associated_in(&self, owner: ItemRef, name: &str, asking: &dyn Fn() -> Asking) -> Ty {
        let stands_for =
            |alias| self.item_ty(alias, &[], &self.scope_of(alias), asking().look(&BTreeMap::new()).deeper());
        if self.item(owner).is_some_and(|item| item.kind == ItemKind::Trait) {
            let blocks = self.implementing(owner);
            let mut aliases = blocks.iter().filter_map(|block| self.associated_type(*block, name));
            let first = aliases.next().map(stands_for);
            let agreed = first.filter(|ty| !ty.is_unknown() && aliases.all(|other| stands_for(other) == *ty));
            return agreed.or_else(|| self.declared(owner, name).map(stands_for)).unwrap_or(Ty::Unknown);
        }
        let files = &self.package_of(owner.file).indexed;
        let found = files.iter().find_map(|file| {
            let data = self.data(*file)?;
            data.outline.ids().map(|item| ItemRef { file: *file, item }).find(|item| {
                let known = data.outline.item(item.item);
                known.kind == ItemKind::Alias && known.name == name && self.is_for(*item, owner)
            })
        });
        found.map_or(Ty::Unknown, stands_for)
    }

    /// The declaration of an associated type in a trait, or in those that it asks for.
    fn declared(&self, owner: ItemRef, name: &str) -> Option<ItemRef> {
        let mut above = vec![owner];
        let mut at = 0;
        while let Some(next) = above.get(at).copied() {
            if let Some(found) = self.associated_type(next, name) {
                return Some(found);
            }
            let asked = self.above.get(next, || self.supertraits(next));
            for trait_ in asked.iter() {
                if !above.contains(trait_) {
                    above.push(*trait_);
                }
            }
            at += 1;
        }
        None
    }

    /// Whether the `impl` block or trait around an item is one of a type. Only its path is looked at: what its arguments are may
    /// depend on what is asked for.
    fn is_for(&self, item: ItemRef, owner: ItemRef) -> bool {
        let Some((block, header)) = self.impl_of(item) else {
            return matches!(self.self_ty(item), Some(Ty::Own(other, _)) if other == owner);
        };
        let mut written = &header.self_ty;
        while let TypeRef::Ref { inner, .. } = written {
            written = inner;
        }
        match written {
            TypeRef::Path { segments, .. } => {
                self.resolve(&self.scope_of(block), segments) == Some(Resolved::Item(owner, Vec::new()))
            }
            _ => false,
        }
    }

    /// What a function returns when it is called.
    pub fn output(&self, item: ItemRef, self_ty: Option<Ty>) -> Option<Ty> {
        let compute = || self.output_of(item, self_ty.clone());
        self.outputs.get((item, self_ty.clone()), compute).as_ref().clone()
    }

    fn output_of(&self, item: ItemRef, self_ty: Option<Ty>) -> Option<Ty> {
        let signature = self.signature(item)?;
        let mut scope = self.scope_of(item);
        let generics = self.generics_around(item, &signature.generics);
        scope.generics = &generics;
        let bound = self.bound_by(item, self_ty.as_ref());
        scope.self_ty = self_ty.or_else(|| self.self_ty(item));
        let ty = self.ty_with(&scope, &signature.output, &bound);
        Some(if signature.is_async { Ty::Future(Box::new(ty)) } else { ty })
    }

    /// The type parameters of the `impl` block or trait around a method, by the arguments of the type that it is called on.
    fn bound_by(&self, item: ItemRef, self_ty: Option<&Ty>) -> BTreeMap<String, Ty> {
        let (Some(Ty::Own(_, Some(args))), Some(header)) = (self_ty.map(Ty::peeled), self.header_around(item)) else {
            return BTreeMap::new();
        };
        let TypeRef::Path { args: written, .. } = &header.self_ty else { return BTreeMap::new() };
        let names = written.iter().map(|written| match written {
            TypeRef::Path { segments, args } if args.is_empty() && segments.len() == 1 => Some(segments[0].clone()),
            _ => None,
        });
        // A number that is written as a name is no type.
        let has_numbers = written.len() > args.len();
        let is_type = |name: &Option<String>| {
            !has_numbers || name.as_ref().is_none_or(|name| header.generics.iter().any(|(known, _)| known == name))
        };
        let names = names.filter(is_type);
        names.zip(args.iter()).filter_map(|(name, ty)| Some((name?, ty.clone()))).collect()
    }

    /// The type of a parameter, behind references.
    pub fn parameter_ty(&self, item: ItemRef, param: usize) -> Ty {
        let Some(signature) = self.signature(item) else { return Ty::Unknown };
        let Some(param) = signature.params.get(param) else { return Ty::Unknown };
        let generics = self.generics_around(item, &signature.generics);
        let mut scope = self.scope_of(item);
        scope.generics = &generics;
        scope.self_ty = self.self_ty(item);
        self.ty(&scope, &param.ty).peeled().clone()
    }

    /// What a closure is given that is passed for a parameter: the inputs of `F: Fn(A, B)` or `impl Fn(A, B)`.
    pub fn closure_inputs(&self, item: ItemRef, param: usize) -> Vec<Ty> {
        let inputs = self.closure_bound(item, param, |scope, bound| match bound {
            [_, TypeRef::Tuple(inputs)] => inputs.iter().map(|input| self.ty(scope, input)).collect(),
            _ => Vec::new(),
        });
        inputs.unwrap_or_default()
    }

    /// Whether such a closure gives a result, at once or when it is awaited: `F: Fn(A, B) -> Result<C>`.
    pub(crate) fn closure_may_fail(&self, item: ItemRef, param: usize) -> bool {
        fn is_fallible(ty: &Ty) -> bool {
            match ty {
                Ty::Future(inner) => is_fallible(inner),
                ty => matches!(ty, Ty::Fallible(_)),
            }
        }
        // What is in it may not be known.
        fn names_result(ty: &TypeRef) -> bool {
            match ty {
                TypeRef::Path { segments, args } => {
                    segments.last().is_some_and(|name| name.ends_with("Result")) || args.iter().any(names_result)
                }
                TypeRef::Bounds(bounds) => bounds.iter().any(names_result),
                _ => false,
            }
        }
        let fails = self.closure_bound(item, param, |scope, bound| {
            bound.first().is_some_and(|output| is_fallible(&self.ty(scope, output)) || names_result(output))
        });
        fails.unwrap_or_default()
    }

    /// Asks something of the bound of a parameter that is a closure: its output, and a tuple of its inputs.
    fn closure_bound<T>(
        &self,
        item: ItemRef,
        param: usize,
        ask: impl FnOnce(&Scope<'_>, &[TypeRef]) -> T,
    ) -> Option<T> {
        fn of_closure(bounds: &[TypeRef]) -> Option<&[TypeRef]> {
            bounds.iter().find_map(|bound| match bound {
                TypeRef::Path { segments, args } if segments.last().is_some_and(|name| name.contains("Fn")) => {
                    Some(args.as_slice())
                }
                _ => None,
            })
        }
        let signature = self.signature(item)?;
        let generics = self.generics_around(item, &signature.generics);
        let mut written = &signature.params.get(param)?.ty;
        let wraps = |name: &String| self.model.standard().wraps(name) == Some(Wraps::Owned);
        loop {
            written = match written {
                TypeRef::Ref { inner, .. } => inner,
                TypeRef::Path { segments, args } if args.len() == 1 && segments.last().is_some_and(wraps) => &args[0],
                _ => break,
            };
        }
        let found = match written {
            TypeRef::Bounds(bounds) => of_closure(bounds),
            TypeRef::Path { segments, .. } => {
                let generic = generics.iter().find(|(name, _)| segments.len() == 1 && *name == segments[0]);
                generic.and_then(|(_, bounds)| of_closure(bounds))
            }
            _ => None,
        };
        let mut scope = self.scope_of(item);
        scope.generics = &generics;
        scope.self_ty = self.self_ty(item);
        Some(ask(&scope, found?))
    }

    /// A function's type parameters with those of the `impl` block or trait around it.
    pub fn generics_around(&self, item: ItemRef, own: &[(String, Vec<TypeRef>)]) -> Vec<(String, Vec<TypeRef>)> {
        let mut generics = own.to_vec();
        if let Some(header) = self.header_around(item) {
            generics.extend(header.generics.iter().cloned());
        }
        let around = self.item(item).and_then(|item| item.parent);
        if let Some(definition) = around
            && let Some(data) = self.data(item.file)
            && data.outline.item(definition).kind == ItemKind::Macro
        {
            generics.extend(fragments(self.host, data, definition));
        }
        generics
    }
}
