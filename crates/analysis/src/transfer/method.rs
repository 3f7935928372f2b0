//! What does a method call do? It depends on what the receiver is.

use super::own::Receiver;
use crate::events::CauseKind;
use crate::index::{ItemRef, Ty};
use crate::solver::{Solver, typed, typed_at};
use crate::value::{Anchor, ObligationId, Origin, Source, Value};
use crate::workload::Workload;
use crate::world::World;
use sessionlint_ir::{Call, Operand, Place};
use sessionlint_protocols::EndKind;

/// So many times a value is dereferenced for a method.
const MAX_DEREFS: usize = 4;

impl Solver<'_> {
    pub(crate) fn method_call(&mut self, world: &mut World, receiver: &Operand, name: &str, call: &Call) -> Value {
        let (place, value) = match receiver {
            Operand::Value(place) | Operand::Ref { place, .. } => {
                let (canonical, _) = world.canonical(place);
                let value = world.get(self.index, &canonical);
                (Some(canonical), value)
            }
            other => (None, self.operand(world, other)),
        };
        match value {
            Value::Wrapper(item, _, _) => self.wrapper_method(world, item, &value, place, name, call),
            Value::Handle(id) => self.handle_method(world, id, name, call),
            Value::Session(id) => self.session_method(world, id, place, name, call),
            Value::Success(_) | Value::Failure | Value::Fallible(_) => {
                self.fallible_method(world, place, value, name, call)
            }
            Value::Future(_) => self.future_method(world, place, value, name, call),
            Value::Statement(effect) => self.statement_method(world, effect, place, name, call),
            Value::Prepared(anchor, effect) => {
                self.pass_arguments(world, &call.args, call.name_span);
                match anchor {
                    Anchor::Obligation(id) => {
                        let value = self.run_text(world, &Value::Session(id), effect, call.name_span);
                        self.optional(id, name, value)
                    }
                    Anchor::Place(place) => self.run_text(world, &Value::Ref(place), effect, call.name_span),
                }
            }
            Value::Text(effect) => {
                self.pass_arguments(world, &call.args, call.name_span);
                Value::Text(effect)
            }
            // What is made of a count or an answer tells the same.
            Value::Affected { .. } | Value::About(_) => {
                // What is done with a session says more than the answer did.
                let on_session = call.args.iter().any(|arg| {
                    let value = self.read(world, arg);
                    self.session_of(world, &value).is_some()
                });
                match value {
                    Value::Affected { of: Some(ty), .. } if on_session => {
                        self.typed_method(world, &ty, None, place, name, call)
                    }
                    value => {
                        self.pass_arguments(world, &call.args, call.name_span);
                        if on_session { Value::Unknown } else { value }
                    }
                }
            }
            Value::Typed(ty, origin) => {
                let origin = origin.or_else(|| world.origin(place.as_ref()?));
                self.typed_method(world, &ty, origin, place, name, call)
            }
            // Whether it worked, and what is made of that.
            Value::Verdict { obligation, end, ok } => {
                self.pass_arguments(world, &call.args, call.name_span);
                self.move_receiver(world, place, value);
                match name {
                    "is_some" => Value::Verdict { obligation, end, ok },
                    "is_none" => Value::Verdict { obligation, end, ok: !ok },
                    _ => Value::Unknown,
                }
            }
            _ => self.unknown_method(world, place, name, call),
        }
    }

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
                        Some(place) if name != "clone" => Value::Ref(place),
                        _ => Value::Typed(ty.clone(), origin),
                    };
                }
                self.unknown_method(world, place, name, call)
            }
            Ty::Own(owner, _) => {
                let owner = *owner;
                let methods = self.index.methods_above(self.scope.file, owner, name);
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
                        Some(place) if name != "clone" => Value::Ref(place),
                        _ => Value::Typed(ty.clone(), origin),
                    },
                    [] => match self.dereferenced_to(owner, self.source_at(world, place.as_ref(), origin), name) {
                        Some((ty, origin)) => {
                            // What is a state of the connection is one of the guard.
                            let place = place.filter(|_| self.index.guarded_connection(owner).is_some());
                            self.typed_method(world, &ty, origin, place, name, call)
                        }
                        None => self.unknown_method(world, place, name, call),
                    },
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
                    Some(done) => self.outside(done, call.name_span),
                    None => Value::Typed(ty.clone(), origin),
                }
            }
            Ty::Statement => self.statement_method(world, crate::sql::SqlEffect::default(), place, name, call),
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
            Ty::Collection(inner) => {
                if let Some(value) = self.run_on_items(world, Workload::default(), name, call) {
                    return value;
                }
                self.pass_arguments(world, &call.args, call.name_span);
                match name {
                    "get" | "first" | "last" | "get_mut" | "first_mut" | "last_mut" => {
                        typed(Ty::Fallible(Box::new(Ty::Ref(inner.clone()))))
                    }
                    "iter" | "iter_mut" | "into_iter" => Value::Typed(ty.clone(), None),
                    _ => Value::Unknown,
                }
            }
            _ => self.unknown_method(world, place, name, call),
        }
    }

    /// Where a receiver comes from.
    fn source_at(&self, world: &World, place: Option<&Place>, whole: Option<Origin>) -> Source {
        match place {
            Some(place) => self.source(world, &Value::Ref(place.clone()), whole),
            None => Source::of(whole),
        }
    }

    /// What a value dereferences to, as often as it takes to get to something that may have this method.
    fn dereferenced_to(&self, owner: ItemRef, source: Source, name: &str) -> Option<(Ty, Option<Origin>)> {
        let (mut owner, mut source) = (owner, source);
        for _ in 0..MAX_DEREFS {
            match self.dereferenced(owner, &source)? {
                (Ty::Own(next, _), from) if self.index.methods_above(self.scope.file, next, name).is_empty() => {
                    (owner, source) = (next, Source::of(from));
                }
                found => return Some(found),
            }
        }
        None
    }

    fn fallible_method(
        &mut self,
        world: &mut World,
        place: Option<Place>,
        value: Value,
        name: &str,
        call: &Call,
    ) -> Value {
        match name {
            "as_ref" | "as_mut" | "as_deref" | "as_deref_mut" => {
                let Some(place) = place else { return Value::Unknown };
                let inner = Value::Ref(place.project(sessionlint_ir::Projection::Success));
                return match value {
                    Value::Success(_) => Value::Success(Box::new(inner)),
                    Value::Failure => Value::Failure,
                    _ => Value::Fallible(Box::new(inner)),
                };
            }
            "take" => {
                if let Some(place) = place {
                    world.set(&place, Value::Failure);
                }
                return value;
            }
            "insert" | "replace" | "get_or_insert" => {
                self.forget(world, &value);
                self.pass_arguments(world, &call.args, call.name_span);
                if let Some(place) = place {
                    world.set(&place, Value::Unknown);
                }
                return Value::Unknown;
            }
            "is_ok" | "is_err" | "is_some" | "is_none" | "err" | "is_ok_and" | "is_err_and" | "is_some_and"
                if let Some((obligation, end)) = outcome(&value) =>
            {
                self.pass_arguments(world, &call.args, call.name_span);
                self.move_receiver(world, place, value);
                return Value::Verdict {
                    obligation,
                    end,
                    ok: matches!(name, "is_ok" | "is_some" | "is_ok_and" | "is_some_and"),
                };
            }
            "is_ok" | "is_err"
                if let Value::Fallible(inner) = &value
                    && outcome(inner).is_some() =>
            {
                // Whether it was done in time: what is said about the rest is looked at, too.
                self.forget(world, &value);
                self.move_receiver(world, place, value);
                return Value::Unknown;
            }
            "is_ok" | "is_err" | "is_some" | "is_none" => return Value::Unknown,
            _ => {}
        }
        self.pass_arguments(world, &call.args, call.name_span);
        let value = self.move_receiver(world, place, value);
        let standard = self.index.model.standard();
        if standard.opens(name) || (!standard.adapts(name) && self.index.opens_result(self.scope.file, name)) {
            return match value {
                Value::Success(inner) => *inner,
                Value::Fallible(inner) => match *inner {
                    Value::Outcome(id, end) => {
                        let goes_on = standard.opens(name)
                            && name.starts_with("unwrap_or")
                            && call.args.iter().all(|arg| self.only_returns(arg));
                        if goes_on {
                            self.drop_outcome(world, id, end, CauseKind::Explicit, call.name_span);
                        }
                        Value::Unknown
                    }
                    inner => self.realise(world, inner),
                },
                _ => Value::Unknown,
            };
        }
        if standard.adapts(name) {
            return value;
        }
        if name == "map" {
            return self.mapped(world, value, call);
        }
        // The error of an end goes on through what is done after it.
        if matches!(name, "and" | "and_then") && outcome(&value).is_some() {
            return value;
        }
        // A project's own method on results: what is inside goes on as it was.
        let has_closure = call.args.iter().any(|arg| self.closure_of(arg).is_some());
        if !standard.takes(name) && (!has_closure || self.index.is_trait_method(self.scope.file, name)) {
            return value;
        }
        // Closures get what is inside, or the result is looked at.
        self.forget(world, &value);
        Value::Unknown
    }

    /// What a closure or constructor makes of what is inside of a result or option.
    fn mapped(&mut self, world: &mut World, value: Value, call: &Call) -> Value {
        let (Value::Fallible(inner) | Value::Success(inner)) = &value else { return value };
        // Whether it worked is told all the same.
        if matches!(**inner, Value::Outcome(..) | Value::Wrote(_) | Value::Set(..) | Value::Affected { .. }) {
            return value;
        }
        let made = call.args.first().and_then(|arg| self.applied(world, arg, inner, call.name_span));
        match (made, &value) {
            (Some(made), Value::Success(_)) => Value::Success(Box::new(made)),
            (Some(made), _) => Value::Fallible(Box::new(made)),
            (None, _) => {
                self.forget(world, &value);
                Value::Unknown
            }
        }
    }

    fn future_method(
        &mut self,
        world: &mut World,
        place: Option<Place>,
        value: Value,
        name: &str,
        call: &Call,
    ) -> Value {
        let standard = self.index.model.standard();
        if standard.keeps(name)
            && value.owns()
            && let Some(place) = place
        {
            self.pass_arguments(world, &call.args, call.name_span);
            return Value::Ref(place);
        }
        let kept = place.as_ref().is_some_and(|place| self.body.locals[place.local.index()].name.is_some());
        let value = self.move_receiver(world, place, value);
        if name == "timeout" {
            self.cancelled(world, &value, "`timeout`", usize::MAX - 1);
        }
        if standard.polls(name) {
            self.forget(world, &value);
            return Value::Unknown;
        }
        if standard.combines(name) {
            self.forget(world, &value);
            let mut before = self.inside(&value).cloned().unwrap_or_default();
            if kept {
                before = before.waited_at(call.name_span);
            }
            if let Some(value) = self.run_on_items(world, before.clone(), name, call) {
                return value;
            }
            self.pass_arguments(world, &call.args, call.name_span);
            return if before.is_empty() { Value::Unknown } else { self.later(before, Value::Unknown) };
        }
        self.pass_arguments(world, &call.args, call.name_span);
        // `.instrument(span)`, `.boxed()`, options of an action that is sent when it is awaited.
        value
    }

    /// A closure runs on the items of a collection, iterator or stream: what it does is done here, or when the future that it
    /// gives is polled. `before` is what is done to get the items. `None` when no closure does anything.
    fn run_on_items(&mut self, world: &mut World, before: Workload, name: &str, call: &Call) -> Option<Value> {
        if !self.index.model.standard().runs(name) {
            return None;
        }
        let (mut done, mut waits) = (before, false);
        let mut runs = false;
        for arg in &call.args {
            let Value::Callable { work, later } = self.read_value(world, arg) else { continue };
            (runs, waits) = (true, waits || later);
            for (deed, way) in self.workloads[work.0 as usize].0.clone() {
                done.add(deed, way);
            }
        }
        if !runs {
            return None;
        }
        self.pass_arguments(world, &call.args, call.name_span);
        if waits {
            return Some(self.later(done, Value::Unknown));
        }
        self.perform(world, &done);
        Some(Value::Unknown)
    }

    /// A method that takes its receiver by value.
    fn move_receiver(&mut self, world: &mut World, place: Option<Place>, value: Value) -> Value {
        if let Some(place) = place
            && value.owns()
        {
            world.set(&place, Value::Unknown);
        }
        value
    }

    fn statement_method(
        &mut self,
        world: &mut World,
        effect: crate::sql::SqlEffect,
        place: Option<Place>,
        name: &str,
        call: &Call,
    ) -> Value {
        let executor = call.args.iter().map(|arg| self.executor(world, arg)).find(Option::is_some).flatten();
        if let Some(target) = executor {
            let value = self.run_text(world, &target, effect, call.name_span);
            self.pass_to_library(world, &call.args);
            let value = match self.session_of(world, &target) {
                Some(id) => self.optional(id, name, value),
                None => value,
            };
            return self.sent(world, &target, name, value, call.name_span);
        }
        if let Some((protocol, pool)) = call.args.iter().find_map(|arg| {
            let value = self.read(world, arg);
            self.pool_of(world, &value)
        }) {
            self.pass_to_library(world, &call.args);
            if let Some(stream) = self.stream(world, protocol, &pool, name, call.name_span) {
                return stream;
            }
            self.state_on_pool(world, protocol, effect, call.name_span);
            return self.executed(pool, effect.writes, call.name_span);
        }
        // Sent through something that nobody knows.
        if let Some(work) = self.index.model.work_of_statements(name).filter(|_| !call.args.is_empty()) {
            self.pass_to_library(world, &call.args);
            return self.outside(work, call.name_span);
        }
        // More text for a statement that is put together in pieces can only make it write.
        let more = self.text_argument(world, &call.args);
        self.pass_to_library(world, &call.args);
        let effect = match more {
            Some(more) if name.starts_with("push") && !effect.known && !effect.writes => more,
            _ => effect,
        };
        if let Some(place) = place.filter(|place| matches!(world.get(self.index, place), Value::Statement(_))) {
            world.set(&place, Value::Statement(effect));
        }
        Value::Statement(effect)
    }

    /// The session or connection that an argument is.
    fn executor(&mut self, world: &World, operand: &Operand) -> Option<Value> {
        let (Operand::Value(place) | Operand::Ref { place, .. }) = operand else { return None };
        let value = Value::Ref(world.canonical(place).0);
        self.anchor_of(world, &value).is_some().then_some(value)
    }

    /// A method of something unknown: it may be a verb that writes through a session it is given.
    fn unknown_method(&mut self, world: &mut World, _place: Option<Place>, name: &str, call: &Call) -> Value {
        if let Some(value) = self.typed_method_of_any(world, name, call) {
            return value;
        }
        if let Some(value) = self.run_on_items(world, Workload::default(), name, call) {
            return value;
        }
        let model = self.index.model;
        if let Some(made) = model.made_by(name).filter(|_| call.args.is_empty()) {
            return Value::Typed(Ty::Work(made), None);
        }
        let (mut writes, mut runs) = (false, false);
        let mut value = Value::Unknown;
        for arg in &call.args {
            let read = self.read(world, arg);
            if let Some((protocol, pool)) = self.pool_of(world, &read) {
                let library = model.library(model.protocol(protocol).library);
                let names = |known: &[String]| known.iter().any(|known| known == name);
                if names(&library.writes) || names(&library.reads) {
                    let writes = names(&library.writes);
                    self.pass_arguments(world, &call.args, call.name_span);
                    return self.executed(pool, writes, call.name_span);
                }
                continue;
            }
            let Some(target) = self.executor(world, arg) else { continue };
            let Some((protocol, anchor)) = self.anchor_of(world, &target) else { continue };
            let library = model.library(model.protocol(protocol).library);
            runs |= library.reads.iter().chain(&library.runs_text).any(|read| read == name);
            if library.writes.iter().any(|write| write == name) {
                writes = true;
                if let Anchor::Obligation(id) = &anchor {
                    value = self.first_write(world, *id);
                    self.write(world, *id, Some(call.name_span));
                }
                self.write_anchored(world, &anchor, call.name_span);
            }
        }
        if writes || runs {
            self.pass_to_library(world, &call.args);
        } else {
            self.pass_arguments(world, &call.args, call.name_span);
        }
        // A verb whose session comes later in the chain: `insert_one(..).session(&mut session)`.
        let is_verb = !writes
            && model.libraries().any(|(id, library)| {
                library.session_comes_later
                    && self.index.in_play(self.scope.file, id)
                    && library.writes.iter().any(|write| write == name)
            });
        if is_verb {
            return Value::Statement(crate::sql::SqlEffect { writes: true, ..Default::default() });
        }
        value
    }
}

/// The session whose end a result is of, and the end.
fn outcome(value: &Value) -> Option<(ObligationId, EndKind)> {
    match value {
        Value::Fallible(inner) => match **inner {
            Value::Outcome(obligation, end) => Some((obligation, end)),
            _ => None,
        },
        _ => None,
    }
}
