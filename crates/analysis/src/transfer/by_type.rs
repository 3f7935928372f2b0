//! What does a method call do where only the type of the receiver is known?

use super::locked::Lock;
use super::own::Receiver;
use crate::index::{ItemRef, Ty};
use crate::solver::{Solver, typed, typed_at};
use crate::value::{Origin, Source, Value};
use crate::workload::{Deed, Workload};
use crate::world::World;
use sessionlint_ir::{Call, Place};
use std::sync::Arc;

/// So many times a value is dereferenced for a method.
const MAX_DEREFS: usize = 4;

impl Solver<'_> {
    pub(super) fn typed_method(
        &mut self,
        world: &mut World,
        ty: &Ty,
        origin: Option<Origin>,
        place: Option<Place>,
        name: &str,
        call: &Call,
    ) -> Value {
        let target = place.clone().map_or(Value::Typed(ty.clone(), origin.clone()), Value::Ref);
        let standard = self.index.model.standard();
        match ty.peeled() {
            Ty::Known(protocol) => {
                if let Some(value) = self.known_method(world, *protocol, &target, name, call) {
                    return value;
                }
                // What a lock gives is a result, but its type is known as what is inside.
                let of_lock = standard.opens(name) || standard.adapts(name);
                if standard.keeps(name) || of_lock {
                    return match place {
                        Some(place) if name != "clone" && !self.is_passed_on(&place, ty) => Value::Ref(place),
                        _ => Value::Typed(ty.clone(), origin),
                    };
                }
                self.unknown_method(world, place, name, call)
            }
            Ty::Own(owner, args) => {
                let (owner, args) = (*owner, args.clone());
                let mut methods = self.index.methods_above(self.scope.file, owner, name);
                if methods.is_empty() {
                    methods = self.methods_behind(place.as_ref(), owner, name);
                }
                if methods.is_empty()
                    && let Some(value) = self.derived_method(world, owner, name, call)
                {
                    return value;
                }
                match methods.as_slice() {
                    [item] => {
                        self.own_function(world, *item, Receiver::of(target, origin), Some(ty.peeled().clone()), call)
                    }
                    [] if standard.keeps(name) || standard.opens(name) || standard.adapts(name) => match place {
                        Some(place) if name != "clone" && !self.is_passed_on(&place, ty) => Value::Ref(place),
                        _ => Value::Typed(ty.clone(), origin),
                    },
                    [] => {
                        match self.dereferenced_to(owner, args, self.source_at(world, place.as_ref(), origin), name) {
                            Some((ty, origin)) => {
                                // What is a state of the connection is one of the guard.
                                let place = place.filter(|_| self.index.guarded_connection(owner).is_some());
                                self.typed_method(world, &ty, origin, place, name, call)
                            }
                            None => self.unknown_method(world, place, name, call),
                        }
                    }
                    _ => {
                        self.pass_arguments(world, &call.args, call.name_span);
                        match self.index.method_output(owner, name) {
                            Some((ty, _)) => typed(ty),
                            None => Value::Unknown,
                        }
                    }
                }
            }
            Ty::Fallible(inner) => {
                let inner = (**inner).clone();
                let opens = standard.opens(name) || self.index.opens_result(self.scope.file, name);
                match name {
                    "take" => self.taken(&inner, call.name_span),
                    "flatten" | "transpose" if matches!(inner, Ty::Fallible(_)) => {
                        let ty = if name == "flatten" { inner } else { ty.clone() };
                        Value::Typed(ty, origin)
                    }
                    "filter" | "or" | "xor" => {
                        self.pass_arguments(world, &call.args, call.name_span);
                        Value::Typed(ty.clone(), origin)
                    }
                    _ if opens
                        || matches!(
                            name,
                            "as_ref"
                                | "as_mut"
                                | "ok_or"
                                | "ok_or_else"
                                | "clone"
                                | "cloned"
                                | "as_deref"
                                | "as_deref_mut"
                        )
                        || standard.adapts(name) =>
                    {
                        self.pass_arguments(world, &call.args, call.name_span);
                        if opens {
                            return typed_at(inner, origin);
                        }
                        Value::Typed(ty.clone(), origin)
                    }
                    "map" if let Some(value) = self.option_mapped(&inner, origin.clone(), call) => {
                        self.pass_arguments(world, &call.args, call.name_span);
                        value
                    }
                    _ => self.unknown_method(world, place, name, call),
                }
            }
            Ty::Work(work) => {
                let done = self.work_by(*work, name, call);
                // What is done on a session that is held is what it is held for.
                let on_session = call.args.iter().any(|arg| {
                    let value = self.read(world, arg);
                    self.session_of(world, &value).is_some()
                });
                // A trait of the workspace may have given it the method.
                if done.is_none()
                    && let [item] = self.index.work_methods(self.scope.file, *work, name).as_slice()
                {
                    return self.own_function(world, *item, Receiver::of(target, origin), None, call);
                }
                self.pass_arguments(world, &call.args, call.name_span);
                match done.filter(|_| !on_session) {
                    // What it gives is made here, too: the answer of a handler.
                    Some(done) if self.index.model.work(done).made_here => {
                        let wait = Workload::one(Deed::Outside(self.wait_for(done)), call.name_span);
                        self.later(wait, Value::Typed(ty.clone(), None))
                    }
                    Some(done) => self.outside(done, call.name_span),
                    None => Value::Typed(ty.clone(), origin),
                }
            }
            Ty::Statement => self.statement_method(world, crate::sql::SqlEffect::default(), place, name, call),
            Ty::Lock(content, locking) => {
                let lock = Lock { ty: ty.peeled(), content, locking: *locking, origin };
                self.lock_method(world, lock, name, call)
            }
            Ty::Cell(inner) => {
                self.pass_arguments(world, &call.args, call.name_span);
                let shared = Ty::Ref(inner.clone());
                match name {
                    "get" | "get_mut" => typed_at(Ty::Fallible(Box::new(shared)), origin),
                    "get_or_init" | "wait" => typed_at(shared, origin),
                    "get_or_try_init" => typed_at(Ty::Fallible(Box::new(shared)), origin),
                    _ => Value::Unknown,
                }
            }
            Ty::Collection(_) => self.collection_method(world, ty, name, call),
            _ => self.unknown_method(world, place, name, call),
        }
    }

    /// Whether a place is only on the way from one call of a chain to the next, and holds a reference: it ends with the
    /// statement, and what the reference leads to does not.
    fn is_passed_on(&self, place: &Place, ty: &Ty) -> bool {
        matches!(ty, Ty::Ref(_)) && place.projection.is_empty() && self.body.locals[place.local.index()].name.is_none()
    }

    /// Where a receiver comes from.
    fn source_at(&self, world: &World, place: Option<&Place>, whole: Option<Origin>) -> Source {
        match place {
            Some(place) => self.source(world, &Value::Ref(place.clone()), whole),
            None => Source::of(whole),
        }
    }

    /// What a value dereferences to, as often as it takes to get to something that may have this method.
    fn dereferenced_to(
        &self,
        owner: ItemRef,
        args: Option<Arc<[Ty]>>,
        source: Source,
        name: &str,
    ) -> Option<(Ty, Option<Origin>)> {
        let (mut owner, mut args, mut source) = (owner, args, source);
        for _ in 0..MAX_DEREFS {
            match self.dereferenced(owner, args.as_ref(), &source)? {
                (Ty::Own(next, known), from) if self.index.methods_above(self.scope.file, next, name).is_empty() => {
                    (owner, args, source) = (next, known, Source::of(from));
                }
                found => return Some(found),
            }
        }
        None
    }
}
