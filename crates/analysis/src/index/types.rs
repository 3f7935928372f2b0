//! What type is meant by a written one?

use super::asking::{Asking, Look};
use super::{Index, ItemRef, Locking, MAX_DEPTH, Resolved, Scope, Ty};
use sessionlint_ir::{ItemKind, TypeRef};
use sessionlint_protocols::Wraps;
use std::collections::BTreeMap;

impl Index<'_> {
    /// The type that is written in a scope.
    pub fn ty(&self, scope: &Scope<'_>, written: &TypeRef) -> Ty {
        self.ty_with(scope, written, &BTreeMap::new())
    }

    /// The same where type parameters stand for these.
    pub(super) fn ty_with(&self, scope: &Scope<'_>, written: &TypeRef, bound: &BTreeMap<String, Ty>) -> Ty {
        self.ty_at(scope, written, Asking::new().look(bound))
    }

    pub(super) fn ty_at(&self, scope: &Scope<'_>, written: &TypeRef, look: Look<'_>) -> Ty {
        if look.depth > MAX_DEPTH || !look.asking.takes(1) {
            return Ty::Unknown;
        }
        let inner = |written: &TypeRef| self.ty_at(scope, written, look.deeper());
        match written {
            TypeRef::Path { segments, args } => self.path_ty(scope, segments, args, look),
            TypeRef::Ref { inner: target, .. } => Ty::Ref(Box::new(inner(target))),
            TypeRef::Tuple(parts) => Ty::Tuple(parts.iter().map(inner).collect()),
            TypeRef::Slice(element) => Ty::Collection(Box::new(inner(element))),
            TypeRef::Bounds(bounds) => self.meant_by(bounds.iter().map(inner)),
            TypeRef::Projection { base, name } => self.associated_of(&inner(base), name, look),
            TypeRef::Unknown => Ty::Unknown,
        }
    }

    fn path_ty(&self, scope: &Scope<'_>, segments: &[String], args: &[TypeRef], look: Look<'_>) -> Ty {
        let Some(last) = segments.last() else { return Ty::Unknown };
        let argument = |index: usize| args.get(index).map_or(Ty::Unknown, |arg| self.ty_at(scope, arg, look.deeper()));
        if segments.len() > 1
            && let Some(ty) = self.parameter_path(scope, segments, args, look)
        {
            return ty;
        }
        if segments.len() == 1 {
            if last == "Self" {
                return scope.self_ty.as_ref().map_or(Ty::Unknown, |ty| look.asking.copied(ty));
            }
            if let Some(ty) = look.bound.get(last) {
                return look.asking.copied(ty);
            }
            if let Some((name, bounds)) = scope.generics.iter().find(|(name, _)| name == last) {
                let Some(parameter) = look.parameter(name) else { return Ty::Unknown };
                return self.meant_by(bounds.iter().map(|bound| self.ty_at(scope, bound, look.in_bounds(&parameter))));
            }
        }
        match self.resolve(scope, segments) {
            Some(Resolved::External(path)) => match self.model.type_at(&path) {
                Some(id) => Ty::Known(id),
                None if self.model.is_statement_type(&path) => Ty::Statement,
                None => match self.model.work_type(&path) {
                    Some(work) => Ty::Work(work),
                    None => self.wrapper(&path, &argument),
                },
            },
            Some(Resolved::Item(item, rest)) if rest.is_empty() => self.item_ty(item, args, scope, look),
            // Names of the prelude, and of wrappers behind globs.
            None => self.wrapper(std::slice::from_ref(last), &argument),
            _ => Ty::Unknown,
        }
    }

    fn wrapper(&self, path: &[String], argument: &dyn Fn(usize) -> Ty) -> Ty {
        let standard = self.model.standard();
        let Some(name) = path.last() else { return Ty::Unknown };
        let locked = |locking| match argument(0) {
            content @ Ty::Fallible(_) if !content.is_unknown() => Ty::Lock(Box::new(content), locking),
            content => Ty::Ref(Box::new(content)),
        };
        let inner = || Box::new(argument(0));
        match standard.wraps(name) {
            Some(Wraps::Fallible) => Ty::Fallible(inner()),
            Some(Wraps::Owned) => argument(0),
            Some(Wraps::Shared) => Ty::Ref(inner()),
            Some(Wraps::Lock) => locked(if standard.poisons(path) { Locking::Poisons } else { Locking::Plain }),
            Some(Wraps::Guard) => locked(Locking::Held),
            Some(Wraps::Cell) => Ty::Cell(inner()),
            Some(Wraps::Future) => Ty::Future(inner()),
            Some(Wraps::Collection) => Ty::Collection(inner()),
            Some(Wraps::Map) => Ty::Collection(Box::new(argument(1))),
            // A library's own name for its results: `WebDriverResult<WebDriver>`.
            None if name.ends_with("Result") && !argument(0).is_unknown() => Ty::Fallible(inner()),
            None => Ty::Unknown,
        }
    }

    pub(super) fn item_ty(&self, item: ItemRef, args: &[TypeRef], scope: &Scope<'_>, look: Look<'_>) -> Ty {
        let Some(known) = self.item(item) else { return Ty::Unknown };
        if let Some(id) = self.session_of_item(scope.file, item) {
            return Ty::Known(id);
        }
        match known.kind {
            ItemKind::Trait if let Some(ty) = self.named_by_trait(item) => ty,
            ItemKind::Struct | ItemKind::Enum | ItemKind::Trait => {
                let args: Vec<Ty> = args.iter().map(|arg| self.ty_at(scope, arg, look.deeper())).collect();
                let known = args.iter().any(|arg| !arg.is_unknown());
                Ty::Own(item, known.then(|| args.into()))
            }
            ItemKind::Alias => {
                let read = self.aliases.get(item, || {
                    let (text, span) = self.item_text(item, |item| item.head)?;
                    self.host.alias(text, span)
                });
                let Some((target, params)) = read.as_ref() else { return Ty::Unknown };
                let given = params.iter().enumerate().map(|(index, param)| {
                    let ty = args.get(index).map_or(Ty::Unknown, |arg| self.ty_at(scope, arg, look.deeper()));
                    (param.clone(), ty)
                });
                // One of an `impl` block that is named in it means the parameters around both.
                let around = known.parent.map(|parent| ItemRef { file: item.file, item: parent });
                let mut bound = match around.is_some() && around == scope.block {
                    true => look.bound.clone(),
                    false => BTreeMap::new(),
                };
                bound.extend(given);
                self.ty_at(&self.scope_of(item), target, look.with(&bound))
            }
            _ => Ty::Unknown,
        }
    }

    /// What a method of a workspace type returns: a future when it is async. Several candidates that
    /// disagree give nothing.
    pub fn method_output(&self, owner: ItemRef, name: &str) -> Option<(Ty, ItemRef)> {
        let candidates = self.methods(owner, name);
        let mut outputs = candidates.iter().filter_map(|item| Some((self.output(*item, Some(Ty::own(owner)))?, *item)));
        let first = outputs.next()?;
        outputs.all(|(ty, _)| ty == first.0).then_some(first)
    }

    /// What `Self` means inside an item.
    pub fn self_ty(&self, item: ItemRef) -> Option<Ty> {
        if let Some((block, header)) = self.impl_of(item) {
            let mut scope = self.scope_of(block);
            scope.generics = &header.generics;
            let ty = self.ty(&scope, &header.self_ty);
            // Inside of its own methods a session of the project's own is the struct that it is.
            return Some(match ty {
                Ty::Known(id) => self.item_of(id).map_or(ty, Ty::own),
                ty => ty,
            });
        }
        let parent = self.item(item)?.parent?;
        let parent = ItemRef { file: item.file, item: parent };
        (self.item(parent)?.kind == ItemKind::Trait).then_some(Ty::own(parent))
    }

    /// What several bounds say together. What gives sessions says more than what only runs statements.
    pub(super) fn meant_by(&self, candidates: impl Iterator<Item = Ty>) -> Ty {
        let mut known = candidates.filter(|ty| !ty.is_unknown());
        let Some(first) = known.next() else { return Ty::Unknown };
        let gives = |ty: &Ty| matches!(ty.peeled(), Ty::Known(id) if self.model.gives_sessions(*id));
        match first.peeled() {
            Ty::Known(_) if !gives(&first) => known.find(gives).unwrap_or(first),
            _ => first,
        }
    }
}
