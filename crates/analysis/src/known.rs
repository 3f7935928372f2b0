//! What does it depend on how a function is called? On truth values, on whether options hold something, on variants, on SQL texts, and on
//! the types behind traits.

use crate::index::{ItemRef, Ty};
use crate::question::Asking;
pub(crate) use crate::question::Known;
use crate::solver::{Solver, typed_at};
use crate::summary::Analysis;
use crate::value::Value;
use crate::world::World;
use sessionlint_ir::{AggregateKind, Call, Callee, LocalId, Operand, Place, Rvalue, Statement, StatementKind, TypeRef};
use std::collections::{BTreeMap, BTreeSet};

/// The same, of values that are passed.
pub(crate) fn known<'v>(values: impl IntoIterator<Item = &'v Value>) -> Known {
    values.into_iter().enumerate().filter_map(|(at, value)| Some((at, value.shape()?))).collect()
}

/// What a statement passes to a function by value.
pub(crate) fn passed(statement: &Statement) -> impl Iterator<Item = &Place> {
    let arguments = match &statement.kind {
        StatementKind::Assign(_, Rvalue::Call(call)) if !matches!(call.callee, Callee::Macro(_)) => {
            call.args.as_slice()
        }
        _ => &[],
    };
    arguments.iter().filter_map(|argument| match argument {
        Operand::Value(place) => Some(place),
        _ => None,
    })
}

impl Solver<'_> {
    /// What is known of the arguments of a function: also the types of those that it takes as whatever implements a trait of the workspace.
    pub fn known_of(&self, world: &World, item: ItemRef, values: &[Value]) -> Known {
        let mut found = known(values);
        for (at, value) in values.iter().enumerate() {
            let is_known = found.iter().any(|(other, _)| *other == at);
            if let Some(ty) = self.type_of(world, value).filter(|_| !is_known)
                && self.index.is_trait(&self.index.parameter_ty(item, at))
            {
                found.push((at, Value::Typed(ty, None)));
            }
        }
        found.sort();
        found
    }

    /// The struct or enum of the workspace that a value is, whatever its type arguments are.
    fn type_of(&self, world: &World, value: &Value) -> Option<Ty> {
        let ty = Ty::own(self.owner_of(world, value)?);
        (!self.index.is_trait(&ty)).then_some(ty)
    }

    /// The same, or the trait that is all that is known of it.
    pub fn owner_of(&self, world: &World, value: &Value) -> Option<ItemRef> {
        match value {
            Value::Typed(ty, _) => match ty.peeled() {
                Ty::Own(owner, _) => Some(*owner),
                _ => None,
            },
            Value::Wrapper(owner, ..) => Some(*owner),
            Value::Ref(place) => match world.get(self.index, place) {
                Value::Ref(_) => None,
                inner => self.owner_of(world, &inner),
            },
            _ => None,
        }
    }

    /// The methods of a trait that a value is taken as, whose type has none of that name where anybody sees it.
    pub fn methods_behind(&self, place: Option<&Place>, owner: ItemRef, name: &str) -> Vec<ItemRef> {
        let is_self = self.scope.self_ty == Some(Ty::own(owner));
        let own = self.scope.block.filter(|_| is_self).map(Ty::own);
        let written = place.and_then(|place| self.body.locals[place.local.index()].ty.as_ref());
        let declared = written.map(|written| self.index.ty(&self.scope, written));
        let of = |ty: &Ty| match ty.peeled() {
            Ty::Own(taken, _) if self.index.is_trait(ty) => self.index.methods_above(self.scope.file, *taken, name),
            _ => Vec::new(),
        };
        own.iter().chain(&declared).map(of).find(|methods| !methods.is_empty()).unwrap_or_default()
    }

    /// What a function gives of which only the trait is written: the type that all its ways out give, where that is one.
    pub fn one_behind(&self, item: ItemRef, written: Ty) -> Ty {
        match self.index.is_trait(innermost(&written)) {
            true => match self.analysis.one_given(item, &self.asking) {
                Some(ty) => with_innermost(written, &ty),
                None => written,
            },
            false => written,
        }
    }

    /// Remembers which type leaves the body.
    pub fn gives_type(&mut self, world: &World, value: &Value) {
        let mut inner = value;
        while let Value::Future(next) | Value::Work(_, next) | Value::Success(next) | Value::Fallible(next) = inner {
            inner = next;
        }
        if *inner != Value::Failure {
            self.given_types.insert(self.whole_type(world, value));
        }
    }

    /// The only struct or enum of the workspace that leaves the body, whatever is around it.
    pub fn one_type(&self) -> Option<Ty> {
        fn owner(ty: &Ty) -> Option<Ty> {
            match ty {
                Ty::Future(inner) | Ty::Fallible(inner) => owner(inner),
                ty => match ty.peeled() {
                    Ty::Own(item, _) => Some(Ty::own(*item)),
                    _ => None,
                },
            }
        }
        let found: BTreeSet<Option<Ty>> = self.given_types.iter().map(|ty| ty.as_ref().and_then(owner)).collect();
        let mut found = found.into_iter();
        let first = found.next().flatten().filter(|ty| !self.index.is_trait(ty));
        first.filter(|_| found.next().is_none())
    }

    /// The only type that leaves the body, with all that is around it.
    pub fn only_type(&self) -> Option<Ty> {
        let mut found = self.given_types.iter();
        let first = found.next().cloned().flatten();
        first.filter(|_| found.next().is_none())
    }

    /// The type of a value, with what is around it.
    fn whole_type(&self, world: &World, value: &Value) -> Option<Ty> {
        let whole = |inner: &Value| self.whole_type(world, inner).map(Box::new);
        match value {
            Value::Typed(ty, _) => Some(ty.clone()),
            Value::Wrapper(item, ..) => Some(Ty::own(*item)),
            Value::Future(inner) => whole(inner).map(Ty::Future),
            Value::Success(inner) | Value::Fallible(inner) => whole(inner).map(Ty::Fallible),
            Value::Work(_, inner) => self.whole_type(world, inner),
            Value::Ref(place) => match world.get(self.index, place) {
                Value::Ref(_) => None,
                value => whole(&value).map(Ty::Ref),
            },
            _ => None,
        }
    }

    /// Takes for granted what the caller passes.
    pub fn called_with(&mut self, mut world: World, known: &Known) -> World {
        self.called_with.clone_from(known);
        for (param, shape) in known {
            let Some(place) = self.body.params.get(*param).map(|local| Place::local(*local)) else { continue };
            match (shape, world.get(self.index, &place)) {
                (Value::Success(_), Value::Typed(ty, origin)) => {
                    if let Ty::Fallible(inner) = ty.peeled() {
                        world.set(&place, Value::Success(Box::new(typed_at((**inner).clone(), origin))));
                    }
                }
                (Value::Wrapper(_, step, _), _) => {
                    if self.is_never_set(place.local) {
                        self.variants.insert(place.local, step.trim_start_matches("::").to_owned());
                    }
                }
                (_, value) if value.owns() => {}
                (Value::Typed(ty, _), value) => {
                    if self.body.locals[place.local.index()].name.as_deref() == Some("self") {
                        self.scope.self_ty = Some(ty.clone());
                    }
                    if let Value::Typed(written, origin) = value {
                        world.set(&place, Value::Typed(with_innermost(written, ty), origin));
                    }
                }
                (shape, _) => world.set(&place, shape.clone()),
            }
        }
        world
    }

    /// Whether a parameter is what was passed, all the time.
    fn is_never_set(&self, local: LocalId) -> bool {
        !self.body.statements().any(|statement| match &statement.kind {
            StatementKind::Assign(place, _) => place.local == local,
            StatementKind::Bind { local: set, .. } | StatementKind::Change { local: set, .. } => *set == local,
            StatementKind::Drop(..) => false,
        })
    }

    /// The variant that an argument is, where it is written out.
    pub fn written_variant(&self, argument: &Operand) -> Option<Value> {
        let path = match argument {
            Operand::Item(path) if is_variant(path) => path,
            Operand::Value(place) if place.projection.is_empty() => {
                self.constructors().get(&place.local)?.as_deref()?
            }
            _ => return None,
        };
        let (variant, owner) = path.split_last()?;
        let owner = TypeRef::Path { segments: owner.to_vec(), args: Vec::new() };
        match self.index.ty(&self.scope, &owner) {
            Ty::Own(item, _) if self.index.has_variant(item, variant) => {
                Some(Value::Wrapper(item, format!("::{variant}"), Box::default()))
            }
            _ => None,
        }
    }

    /// The temporaries that a constructor makes, by its path; `None` for those that more than one does.
    fn constructors(&self) -> &BTreeMap<LocalId, Option<Vec<String>>> {
        self.constructors.get_or_init(|| {
            let mut found = BTreeMap::new();
            for statement in self.body.statements() {
                let StatementKind::Assign(Place { local, projection }, value) = &statement.kind else { continue };
                if !projection.is_empty() || self.body.locals[local.index()].name.is_some() {
                    continue;
                }
                let path = match value {
                    Rvalue::Call(Call { callee: Callee::Path { segments, qualifier: None }, .. })
                    | Rvalue::Aggregate(AggregateKind::Struct(segments), _)
                        if is_variant(segments) =>
                    {
                        Some(segments.clone())
                    }
                    _ => None,
                };
                if path.is_some() || found.contains_key(local) {
                    let known = found.contains_key(local);
                    found.insert(*local, path.filter(|_| !known));
                }
            }
            found
        })
    }

    /// The worlds in which a truth value is what it may be, when that matters to a session.
    pub fn decided(&self, world: World, place: &Place) -> Vec<World> {
        let (target, _) = world.canonical(place);
        let is_known = matches!(world.get(self.index, place), Value::Bool(_));
        if is_known || world.facts.obligations.keys().all(|id| !world.is_open(*id)) {
            return vec![world];
        }
        let (mut held, mut failed) = (world.clone(), world);
        held.set(&target, Value::Bool(true));
        failed.set(&target, Value::Bool(false));
        vec![held, failed]
    }
}

impl Analysis<'_> {
    /// The struct or enum of the workspace that a function gives on all its ways out, inside of results and futures.
    fn one_given(&self, item: ItemRef, asking: &Asking) -> Option<Ty> {
        self.index.item(item)?.body?;
        self.summary_of(item, &Known::new(), asking).ty.clone()
    }
}

/// What a type is around: a reference, a result, a future.
fn innermost(ty: &Ty) -> &Ty {
    match ty {
        Ty::Ref(inner) | Ty::Fallible(inner) | Ty::Future(inner) => innermost(inner),
        ty => ty,
    }
}

/// The same around something else.
fn with_innermost(ty: Ty, other: &Ty) -> Ty {
    let around = |inner: Box<Ty>| Box::new(with_innermost(*inner, other));
    match ty {
        Ty::Ref(inner) => Ty::Ref(around(inner)),
        Ty::Fallible(inner) => Ty::Fallible(around(inner)),
        Ty::Future(inner) => Ty::Future(around(inner)),
        _ => other.clone(),
    }
}

/// Whether anything is known of arguments beside their types.
pub(crate) fn decides(known: &Known) -> bool {
    known.iter().any(|(_, shape)| !matches!(shape, Value::Typed(..)))
}

/// Whether a path may be that of a variant: a name behind its type.
fn is_variant(path: &[String]) -> bool {
    path.len() > 1 && path.iter().rev().take(2).all(|name| name.starts_with(char::is_uppercase))
}
