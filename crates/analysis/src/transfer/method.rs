//! What does a method call do? It depends on what the receiver is.

use crate::index::Ty;
use crate::solver::Solver;
use crate::value::{Anchor, Value};
use crate::workload::Workload;
use crate::world::World;
use sessionlint_ir::{Call, Operand, Place};

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
                if let Some(value) = self.typed_method_of_any(world, name, call) {
                    return value;
                }
                self.pass_arguments(world, &call.args, call.name_span);
                Value::Text(effect)
            }
            Value::About(id)
                if let Some(place) = &place
                    && let Some(value) = self.inner_connection(world, id, place, name, call) =>
            {
                value
            }
            Value::About(_) if let Some(value) = self.learned_part_method(world, place.as_ref(), name, call) => value,
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
                    // A value with methods of its own, too.
                    Value::Affected { of: Some(ref ty @ Ty::Own(owner, _)), .. }
                        if !self.index.methods_above(self.scope.file, owner, name).is_empty() =>
                    {
                        match self.typed_method(world, ty, None, place, name, call) {
                            Value::Unknown | Value::Typed(..) => value,
                            given => given,
                        }
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
    pub(super) fn run_on_items(
        &mut self,
        world: &mut World,
        before: Workload,
        name: &str,
        call: &Call,
    ) -> Option<Value> {
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
    pub(super) fn move_receiver(&mut self, world: &mut World, place: Option<Place>, value: Value) -> Value {
        if let Some(place) = place
            && value.owns()
        {
            world.set(&place, Value::Unknown);
        }
        value
    }

    pub(super) fn statement_method(
        &mut self,
        world: &mut World,
        effect: crate::sql::SqlEffect,
        place: Option<Place>,
        name: &str,
        call: &Call,
    ) -> Value {
        let executor = call.args.iter().map(|arg| self.executor(world, arg)).find(Option::is_some).flatten();
        if let Some(target) = executor {
            let effect = match self.anchor_of(world, &target) {
                Some((protocol, _)) => self.executed_as(protocol, effect, name),
                None => effect,
            };
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
    pub(super) fn unknown_method(&mut self, world: &mut World, place: Option<Place>, name: &str, call: &Call) -> Value {
        if let Some(value) = self.generated_statement(world, place.as_ref(), name, call) {
            return value;
        }
        if let Some(value) = self.typed_method_of_any(world, name, call) {
            return value;
        }
        if let Some(value) = self.listed(world, place.as_ref(), name, call) {
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
