//! What does a method of a session, or of a library's type, do?

use super::made::is_constant;
use super::open::From;
use super::own::Receiver;
use super::wrapper::Held;
use crate::index::Ty;
use crate::solver::{Solver, typed};
use crate::sql::{Hold, SqlControl, SqlEffect};
use crate::value::{Anchor, ObligationId, Origin, Value};
use crate::workload::{Deed, Workload};
use crate::world::World;
use sessionlint_diagnostics::{Evidence, Span};
use sessionlint_ir::{Call, Callee, Literal, Operand, Place};
use sessionlint_protocols::{Opening, ProtocolId, ProtocolKind, Source};

impl Solver<'_> {
    /// A statement that is prepared. Whoever prepares a COMMIT or ROLLBACK is about to run it: that it cannot be prepared is
    /// as good as that it fails.
    pub(super) fn prepared(
        &mut self,
        world: &mut World,
        target: &Value,
        on: Anchor,
        effect: SqlEffect,
        span: Span,
    ) -> Value {
        use SqlControl::{Commit, Release, Rollback, RollbackTo};
        if matches!(effect.control, Some(Commit | Rollback | Release | RollbackTo)) {
            self.run_text(world, target, effect, span);
        }
        Value::Fallible(Box::new(Value::Prepared(on, effect)))
    }

    pub(super) fn session_method(
        &mut self,
        world: &mut World,
        id: ObligationId,
        place: Option<Place>,
        name: &str,
        call: &Call,
    ) -> Value {
        self.touch(world, id);
        let protocol_id = self.protocol_of(id);
        let model = self.index.model;
        let protocol = model.protocol(protocol_id);
        let target = place.clone().map_or(Value::Session(id), Value::Ref);
        self.asked_for_begun(world, protocol_id, &target, name);
        if let Some(ending) = self.index.ending(self.scope.file, protocol, name) {
            let value = self.release(world, id, place, ending, call);
            return self.of_writer(protocol_id, value, name, call);
        }
        self.goes_on(world, id);
        if protocol.leaks.iter().any(|leak| leak == name) {
            return self.leaking_method(world, id, place, name, call);
        }
        if let Some(value) = self.in_place_method(world, &target, name, &call.args, call) {
            return value;
        }
        let openings = self.method_openings(protocol_id, name, call);
        if !openings.is_empty() {
            self.pass_arguments(world, &call.args, call.name_span);
            return self.opened(&openings, call.name_span, Evidence::Typed, None, From::Session(id));
        }
        // `Pin::as_mut` is the same pinned session again.
        if protocol.same.iter().any(|same| same == name) || (name == "as_mut" && call.args.is_empty()) {
            return self.same_again(world, id, place, call);
        }
        if model.standard().adapts_value(name) && call.args.is_empty() {
            return self.moved_on(world, id, place, call);
        }
        if let Some(value) = self.learned_method(world, id, place.as_ref(), name, call) {
            return value;
        }
        if name == "clone" {
            // Any of the clones may bring it to its end.
            self.forget_obligation(world, id);
            return Value::Unknown;
        }
        if let Some(value) = self.drop_is_set(world, id, place.as_ref(), name, call) {
            return value;
        }
        if protocol.hands_off.iter().any(|method| method == name) {
            self.forget_obligation(world, id);
            return Value::Unknown;
        }
        if let Some(text) = protocol.runs.get(name).filter(|_| call.args.is_empty()) {
            return self.run_text(world, &target, self.index.text_effect(text), call.name_span);
        }
        if let Some(value) = self.closure_on_session(world, protocol_id, name, call) {
            return value;
        }
        let library = model.library(protocol.library);
        if library.prepares.iter().any(|prepare| prepare == name) {
            let effect = self.text_argument(world, &call.args).unwrap_or_default();
            return self.prepared(world, &target, Anchor::Obligation(id), effect, call.name_span);
        }
        if library.handles.iter().any(|handle| handle == name) {
            self.pass_arguments(world, &call.args, call.name_span);
            return Value::Fallible(Box::new(Value::Handle(id)));
        }
        if library.runs_text.iter().any(|run| run == name) {
            let effect = self.text_argument(world, &call.args);
            self.pass_arguments(world, &call.args, call.name_span);
            let effect = self.executed_as(protocol_id, effect.unwrap_or_default(), name);
            let value = self.run_text(world, &target, effect, call.name_span);
            return self.optional(id, name, value);
        }
        let mut value = Value::Unknown;
        if library.writes.iter().any(|write| write == name) {
            value = self.first_write(world, id);
            self.write(world, id, Some(call.name_span));
        } else {
            // A trait of the workspace may have given it the method.
            let methods = self.index.extension_methods(self.scope.file, protocol_id, name);
            if !methods.is_empty() {
                let held = Held { id, whole: &Value::Session(id), place };
                return self.held_method(world, held, &methods, None, call);
            }
        }
        // What is made of it, or a way to finish it that the data does not know.
        let may_finish = protocol.kind == ProtocolKind::Writer
            && !library.writes.iter().any(|write| write == name)
            && (self.index.model.standard().finishes(name) || (name.starts_with("flush") && !protocol.footer));
        // `Writer::new(file).with_level(9)`: what is called on a value that has no name yet may give it back.
        let has_no_name = |place: &Place| self.body.locals[place.local.index()].name.is_none();
        let is_setter = place.as_ref().is_some_and(has_no_name)
            && !protocol.pooled
            && !protocol.named_by.iter().any(|names| names == name)
            && value == Value::Unknown
            && ![&library.writes, &library.reads].iter().any(|known| known.iter().any(|known| known == name));
        if name == "into" || name.starts_with("into_") || may_finish || is_setter {
            self.forget_obligation(world, id);
        }
        self.pass_arguments(world, &call.args, call.name_span);
        if protocol.queues && library.writes.iter().any(|write| write == name) {
            return self.with_work(protocol_id, Value::Future(Box::new(value)), name, call);
        }
        if protocol.kind == ProtocolKind::Writer && self.works_beside(protocol_id, name, call) {
            return self.with_work(protocol_id, Value::Future(Box::new(value)), name, call);
        }
        if value == Value::Unknown
            && protocol.kind == ProtocolKind::Client
            && let Some(work) = self.work_of(world, protocol_id, name, call)
        {
            return work;
        }
        // What a writer says about itself decides what is left to do with it.
        if value == Value::Unknown && protocol.kind == ProtocolKind::Writer && world.is_open(id) {
            return Value::About(id);
        }
        value
    }

    /// A method that gives the session itself, by value or by reference: a temporary would be gone behind a reference.
    fn same_again(&self, world: &mut World, id: ObligationId, place: Option<Place>, call: &Call) -> Value {
        match place {
            Some(place) if self.body.locals[place.local.index()].name.is_some() => Value::Ref(place),
            place => self.moved_on(world, id, place, call),
        }
    }

    /// A method takes a session by value, and gives it on: not where it is called on a reference.
    pub(super) fn moved_on(&self, world: &mut World, id: ObligationId, place: Option<Place>, call: &Call) -> Value {
        let Some(place) = place else { return Value::Session(id) };
        let Callee::Method { receiver: Operand::Value(receiver), .. } = &call.callee else { return Value::Ref(place) };
        let value = world.get(self.index, &place);
        if world.canonical(receiver).1 || value != Value::Session(id) {
            return Value::Ref(place);
        }
        world.set(&place, Value::Unknown);
        value
    }

    /// A lock of the server is taken, or tried for, on a connection that is passed: it is held for that.
    fn locked(&mut self, world: &mut World, key: ProtocolId, call: &Call) {
        let gives_lock = |known: &sessionlint_protocols::Protocol| {
            known.kind == ProtocolKind::Lock
                && known.openings.iter().any(|opening| opening.source == Source::Method(key))
        };
        if !self.index.model.protocols().any(|(_, known)| gives_lock(known)) {
            return;
        }
        for arg in &call.args {
            let value = self.read(world, arg);
            self.run_text(world, &value, SqlEffect { holds: Some(Hold::Lock), ..SqlEffect::default() }, call.name_span);
        }
    }

    /// A closure that is given to a method of a session runs while that is held: `conn.transaction(|conn| ..)`.
    fn closure_on_session(
        &mut self,
        world: &mut World,
        protocol: ProtocolId,
        name: &str,
        call: &Call,
    ) -> Option<Value> {
        let values: Vec<Value> = call.args.iter().map(|arg| self.read_value(world, arg)).collect();
        let (mut workload, mut waits) = (Workload::default(), false);
        for value in &values {
            if let (Value::Callable { later, .. }, Some(inside)) = (value, self.inside(value)) {
                inside.0.iter().for_each(|(deed, way)| workload.add(deed.clone(), way.clone()));
                waits |= later;
            }
        }
        if workload.is_empty() {
            return None;
        }
        self.pass_arguments(world, &call.args, call.name_span);
        if !waits && self.index.model.protocol(protocol).closures.iter().any(|runs| runs.call == name) {
            self.perform(world, &workload);
        }
        Some(self.later(workload, Value::Unknown))
    }

    /// What an argument is, without moving it.
    pub(super) fn read_value(&self, world: &World, operand: &Operand) -> Value {
        match operand {
            Operand::Value(place) | Operand::Ref { place, .. } => world.get(self.index, place),
            Operand::Literal(Literal::Bool(value)) => Value::Bool(*value),
            _ => Value::Unknown,
        }
    }

    /// A closure that runs inside of a transaction of its own, on a connection of the pool.
    fn scoped(&mut self, world: &mut World, protocol: ProtocolId, pool: Origin, call: &Call) -> Value {
        let model = self.index.model;
        let on_pool = |known: &sessionlint_protocols::Protocol| {
            known.is_transaction() && known.openings.iter().any(|opening| opening.source == Source::Method(protocol))
        };
        let transaction = model.protocols().find(|(_, known)| on_pool(known)).map(|(id, _)| id);
        let mut workload = Workload::one(Deed::Checkout(pool.clone()), call.name_span);
        for arg in &call.args {
            let value = self.read_value(world, arg);
            if let (Value::Callable { .. }, Some(inside)) = (&value, self.inside(&value).cloned()) {
                let held = transaction.map(|protocol| (protocol, Some(pool.clone())));
                self.run_inside(world, &mut workload, &inside, held, call.name_span);
            }
        }
        self.pass_arguments(world, &call.args, call.name_span);
        self.later(workload, Value::Unknown)
    }

    /// `Option::take` on a field that holds a session: whoever takes it owes its end.
    pub(super) fn taken(&mut self, inner: &Ty, span: Span) -> Value {
        match inner {
            Ty::Known(protocol) if self.index.model.protocol(*protocol).is_session() => {
                let site = self.opening_site(*protocol, span, Evidence::Typed, None);
                self.sites[usize::from(site.0)].taken = true;
                Value::Fallible(Box::new(Value::Pending(site, None)))
            }
            other => typed(Ty::Fallible(Box::new(other.clone()))),
        }
    }

    /// A method of a library's type that this body need not end: a pool, or a session behind a reference.
    pub(super) fn known_method(
        &mut self,
        world: &mut World,
        protocol_id: ProtocolId,
        target: &Value,
        name: &str,
        call: &Call,
    ) -> Option<Value> {
        let model = self.index.model;
        let protocol = model.protocol(protocol_id);
        self.asked_for_begun(world, protocol_id, target, name);
        if let Some(value) = self.in_place_method(world, target, name, &call.args, call) {
            return Some(value);
        }
        if protocol.scoped.iter().any(|scoped| scoped == name)
            && let Some((_, pool)) = self.pool_of(world, target)
        {
            return Some(self.scoped(world, protocol_id, pool, call));
        }
        self.locked(world, protocol_id, call);
        let openings = self.method_openings(protocol_id, name, call);
        if let [(given, Opening { there: true, .. })] = openings.as_slice() {
            let origin = self.origin_of(world, target).and_then(|origin| origin.then(format!("{name}()")));
            return Some(Value::Typed(Ty::Ref(Box::new(Ty::Known(*given))), origin));
        }
        if !openings.is_empty() {
            self.pass_arguments(world, &call.args, call.name_span);
            let pool = self.pool_of(world, target).map(|(_, pool)| pool);
            let exclusive = || openings.iter().any(|(_, opening)| opening.exclusive);
            let Some(pool) = pool.or_else(|| self.origin_of(world, target).filter(|_| exclusive())) else {
                let value = self.in_its_place(false, call, |solver| {
                    solver.opened(&openings, call.name_span, Evidence::Typed, None, From::Nowhere)
                });
                return Some(self.with_work(protocol_id, value, name, call));
            };
            let waits = !openings.iter().any(|(_, opening)| opening.never_waits());
            let deed = waits.then(|| (Deed::Checkout(pool.clone()), vec![call.name_span]));
            let checkout = Workload(deed.into_iter().collect());
            return Some(match self.opened(&openings, call.name_span, Evidence::Typed, None, From::Pool(pool)) {
                Value::Future(inner) => self.later(checkout, *inner),
                value => {
                    self.perform(world, &checkout);
                    value
                }
            });
        }
        let fixed = protocol.same_with_constants.iter().any(|same| same == name);
        if self.set_on_builder(protocol_id, name)
            || protocol.same.iter().any(|same| same == name)
            || (fixed && call.args.iter().all(|arg| is_constant(self.body, arg)))
        {
            self.pass_arguments(world, &call.args, call.name_span);
            return Some(match protocol.kind {
                // A builder is handed on by value.
                ProtocolKind::Builder => Value::Typed(Ty::Known(protocol_id), None),
                _ => target.clone(),
            });
        }
        self.differs(protocol_id);
        if let Some(ending) = self.index.ending(self.scope.file, protocol, name) {
            self.pass_arguments(world, &call.args, call.name_span);
            self.pool_closed(world, target);
            let value = self.borrowed_release(world, protocol_id, target, ending, call);
            return Some(self.with_work(protocol_id, value, name, call));
        }
        let library = model.library(protocol.library);
        if library.prepares.iter().any(|prepare| prepare == name)
            && let Some((_, anchor)) = self.anchor_of(world, target)
        {
            let effect = self.text_argument(world, &call.args).unwrap_or_default();
            return Some(self.prepared(world, target, anchor, effect, call.name_span));
        }
        if library.runs_text.iter().any(|run| run == name) {
            let effect = self.text_argument(world, &call.args);
            self.pass_arguments(world, &call.args, call.name_span);
            if let Some((known, pool)) = self.pool_of(world, target) {
                let writes = effect.is_some_and(|effect| effect.writes);
                self.state_on_pool(world, known, effect.unwrap_or_default(), call.name_span);
                return Some(self.executed(pool, writes, call.name_span));
            }
            let effect = self.executed_as(protocol_id, effect.unwrap_or_default(), name);
            return Some(self.run_text(world, target, effect, call.name_span));
        }
        // Tables and the like: whoever has one has the transaction, as far as it matters.
        if library.handles.iter().any(|handle| handle == name)
            && let Some(origin) = self.origin_of(world, target)
        {
            self.pass_arguments(world, &call.args, call.name_span);
            let part = Value::Typed(Ty::Ref(Box::new(Ty::Known(protocol_id))), Some(origin));
            return Some(Value::Fallible(Box::new(part)));
        }
        // What is a state of this is written through it.
        if library.writes.iter().any(|write| write == name)
            && let Some((_, anchor)) = self.anchor_of(world, target)
            && !world.anchored(&anchor).is_empty()
        {
            self.write_anchored(world, &anchor, call.name_span);
            self.pass_arguments(world, &call.args, call.name_span);
            return Some(Value::Unknown);
        }
        // A trait of the workspace may have given it the method.
        if let [item] = self.index.extension_methods(self.scope.file, protocol_id, name).as_slice() {
            let origin = self.origin_of(world, target);
            return Some(self.own_function(world, *item, Receiver::of(target.clone(), origin), None, call));
        }
        self.work_of(world, protocol_id, name, call)
    }

    /// A method of something that does slow work beside being a session: an object store, a mailer.
    fn work_of(&mut self, world: &mut World, protocol: ProtocolId, name: &str, call: &Call) -> Option<Value> {
        let work = self.index.model.work_of(protocol)?;
        let done = self.work_by(work, name, call);
        if done.is_none() && self.index.model.standard().keeps(name) {
            return None;
        }
        self.pass_arguments(world, &call.args, call.name_span);
        Some(match done {
            Some(done) => self.outside(done, call.name_span),
            // What its other methods give is taken for the same kind of thing, as builders do.
            None => Value::Typed(Ty::Work(work), None),
        })
    }

    /// What a writer sends is slow work beside what it does to the writer.
    fn of_writer(&mut self, protocol: ProtocolId, value: Value, name: &str, call: &Call) -> Value {
        match self.index.model.protocol(protocol).kind {
            ProtocolKind::Writer => self.with_work(protocol, value, name, call),
            _ => value,
        }
    }

    /// Whether a method of a session is slow work, too.
    fn works_beside(&self, protocol: ProtocolId, name: &str, call: &Call) -> bool {
        self.index.model.work_of(protocol).and_then(|work| self.work_by(work, name, call)).is_some()
    }

    /// The future of a method that opens or ends something, with the slow work that it does beside that.
    fn with_work(&mut self, protocol: ProtocolId, value: Value, name: &str, call: &Call) -> Value {
        let work = self.index.model.work_of(protocol).and_then(|work| self.work_by(work, name, call));
        match (work, value) {
            (Some(work), Value::Future(inner)) => {
                self.later(Workload::one(Deed::Outside(self.wait_for(work)), call.name_span), *inner)
            }
            (_, value) => value,
        }
    }

    pub(super) fn handle_method(&mut self, world: &mut World, id: ObligationId, name: &str, call: &Call) -> Value {
        let protocol = self.index.model.protocol(self.protocol_of(id));
        let library = self.index.model.library(protocol.library);
        let mut value = Value::Unknown;
        let by_verb = protocol.learned_from.is_some() && self.index.model.learned_words().is_write(name);
        if by_verb || library.writes.iter().any(|write| write == name) {
            value = self.first_write(world, id);
            self.write(world, id, Some(call.name_span));
        }
        self.pass_arguments(world, &call.args, call.name_span);
        // What a part of the project's own gives is awaited, most of the time.
        if by_verb { Value::Future(Box::new(value)) } else { value }
    }

    /// The result of a write that may give no row: without one nothing was written.
    pub(super) fn optional(&self, id: ObligationId, name: &str, value: Value) -> Value {
        let library = self.index.model.library(self.index.model.protocol(self.protocol_of(id)).library);
        match value {
            Value::Fallible(inner)
                if matches!(*inner, Value::Wrote(_)) && library.optional.iter().any(|known| known == name) =>
            {
                Value::Fallible(Box::new(Value::Fallible(inner)))
            }
            value => value,
        }
    }
}
