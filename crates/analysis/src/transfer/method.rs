//! What does a method call do? It depends on what the receiver is.

use crate::events::{CauseKind, EventKind};
use crate::flow::{Solver, typed};
use crate::index::Ty;
use crate::value::{Anchor, ObligationId, Value};
use crate::world::{Phase, World};
use sessionlint_diagnostics::{Evidence, Span};
use sessionlint_ir::{Call, Operand, Place};
use sessionlint_protocols::{Ending, Opening, ProtocolId, ProtocolKind, Source};

/// Methods that take the success out of a result or option, or panic.
const OPENERS: &[&str] = &["unwrap", "expect", "unwrap_or_else", "unwrap_or_default", "unwrap_or", "unwrap_unchecked"];
/// Methods that change only the error of a result, or nothing.
const ADAPTERS: &[&str] = &[
    "map_err",
    "context",
    "with_context",
    "wrap_err",
    "wrap_err_with",
    "ok_or",
    "ok_or_else",
    "inspect_err",
    "inspect",
    "or_else",
    "into_iter",
    "ok",
    "change_context",
    "attach",
    "attach_printable",
    "into_report",
    "into_diagnostic",
    "whatever_context",
    "fuse",
    "map_err_into",
];
/// Methods of futures that run other code on the output, so that the future is somebody else's.
const COMBINATORS: &[&str] =
    &["then", "map", "and_then", "map_ok", "map_err", "or_else", "flatten", "inspect", "shared"];
/// Methods that give the same value, or a reference to it or to what is inside.
const SAME: &[&str] = &[
    "clone",
    "as_ref",
    "as_mut",
    "borrow",
    "borrow_mut",
    "deref",
    "deref_mut",
    "lock",
    "read",
    "write",
    "get_ref",
    "get_mut",
    "into_inner",
    "inner",
    "to_owned",
    "by_ref",
    "load",
    "load_full",
    "upgrade",
    "as_deref",
    "as_deref_mut",
    "blocking_lock",
    "try_lock",
    "lock_owned",
    "cloned",
    "unwrap",
    "expect",
    "into",
    "await",
];

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
            Value::Handle(id) => self.handle_method(world, id, name, call),
            Value::Session(id) => self.session_method(world, id, place, name, call),
            Value::Success(_) | Value::Failure | Value::Fallible(_) => {
                self.fallible_method(world, place, value, name, call)
            }
            Value::Future(_) => self.future_method(world, place, value, name, call),
            Value::Statement(effect) => self.statement_method(world, effect, place, name, call),
            Value::Text(effect) => {
                self.pass_arguments(world, &call.args, call.name_span);
                Value::Text(effect)
            }
            Value::Typed(ty) => self.typed_method(world, &ty, place, name, call),
            _ => self.unknown_method(world, place, name, call),
        }
    }

    fn session_method(
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
        if let Some(ending) = protocol.endings.iter().find(|ending| ending.call == name) {
            return self.release(world, id, place, ending, call);
        }
        if protocol.leaks.iter().any(|leak| leak == name) {
            return self.leaking_method(world, id, place, name, call);
        }
        if let Some(value) = self.in_place_method(world, &target, name, &call.args, call) {
            return value;
        }
        let openings = self.method_openings(protocol_id, name, call);
        if !openings.is_empty() {
            self.pass_arguments(world, &call.args, call.name_span);
            let parent = protocol.is_transaction().then_some(id);
            return self.opened(&openings, call.name_span, Evidence::Typed, None, parent);
        }
        if protocol.same.iter().any(|same| same == name) {
            return target;
        }
        if name == "clone" {
            // Any of the clones may bring it to its end.
            self.forget(world, &Value::Session(id));
            return Value::Unknown;
        }
        let library = model.library(protocol.library);
        if library.handles.iter().any(|handle| handle == name) {
            self.pass_arguments(world, &call.args, call.name_span);
            return Value::Fallible(Box::new(Value::Handle(id)));
        }
        if library.runs_text.iter().any(|run| run == name) {
            let effect = self.text_argument(world, &call.args);
            self.pass_arguments(world, &call.args, call.name_span);
            return match effect {
                Some(effect) => self.run_text(world, &target, effect, call.name_span),
                None => Value::Unknown,
            };
        }
        let mut value = Value::Unknown;
        if library.writes.iter().any(|write| write == name) {
            value = self.first_write(world, id);
            self.write(world, id, Some(call.name_span));
        }
        if name.starts_with("into_") {
            self.forget(world, &Value::Session(id));
        }
        self.pass_arguments(world, &call.args, call.name_span);
        value
    }

    /// A method that ends a session.
    fn release(
        &mut self,
        world: &mut World,
        id: ObligationId,
        place: Option<Place>,
        ending: &Ending,
        call: &Call,
    ) -> Value {
        self.pass_arguments(world, &call.args, call.name_span);
        self.ended_at(id, call.name_span, ending.kind);
        world.trace.released.insert(id, call.name_span);
        for anchored in world.anchored(&Anchor::Obligation(id)) {
            world.set_phase(anchored, Phase::Gone);
        }
        let borrowed = self.sites[usize::from(id.site.0)].borrowed;
        if let Some(place) = place.filter(|_| !borrowed) {
            // Taken by value, or by reference and over: either way nothing is left to drop.
            world.set(&place, Value::Unknown);
        }
        let release =
            Value::Release { obligation: id, end: ending.kind, fallible: ending.fallible, eager: ending.eager };
        if ending.is_async {
            if world.is_open(id) {
                world.set_phase(id, Phase::Ending);
            }
            return Value::Future(Box::new(release));
        }
        self.end(world, id, ending.kind);
        if ending.fallible { Value::Fallible(Box::new(Value::Outcome(id, ending.kind))) } else { Value::Unknown }
    }

    /// `.leak()`, `.detach()`: what comes out is a connection that no pool looks after.
    fn leaking_method(
        &mut self,
        world: &mut World,
        id: ObligationId,
        place: Option<Place>,
        name: &str,
        call: &Call,
    ) -> Value {
        self.pass_arguments(world, &call.args, call.name_span);
        // The mistake is only one when the value that comes out is dropped without anybody having closed
        // or taken it, so the session lives on under a name that says how it got out.
        if let Some(place) = place {
            world.set(&place, Value::Unknown);
        }
        let value = if name == "leak" && !self.gives_connection(id) {
            self.event(
                world,
                EventKind::Leaked { how: format!(".{name}()") },
                id,
                CauseKind::Explicit,
                call.name_span,
                None,
            );
            Value::Unknown
        } else {
            let site = self.opening_site(self.protocol_of(id), call.name_span, Evidence::Traced, None);
            self.detached.insert(site, format!(".{name}()"));
            Value::Pending(site, None)
        };
        self.forget(world, &Value::Session(id));
        value
    }

    /// Whether taking it out of its pool leaves a connection in hand.
    fn gives_connection(&self, id: ObligationId) -> bool {
        self.index.model.protocol(self.protocol_of(id)).kind == ProtocolKind::Connection
    }

    /// Methods that open or end a session that is a state of the receiver.
    pub(crate) fn in_place_method(
        &mut self,
        world: &mut World,
        target: &Value,
        name: &str,
        args: &[Operand],
        call: &Call,
    ) -> Option<Value> {
        if !self.is_in_place_call(name) {
            return None;
        }
        let (connection, anchor) = self.anchor_of(world, target)?;
        let model = self.index.model;
        for (protocol, known) in model.in_place_on(connection) {
            if !self.index.in_play(self.scope.file, known.library) {
                continue;
            }
            if let Some(ending) = known.endings.iter().find(|ending| ending.call == name) {
                self.pass_arguments(world, args, call.name_span);
                let open = world.anchored(&anchor).into_iter().find(|id| self.protocol_of(*id) == protocol);
                let Some(id) = open else { return Some(Value::Unknown) };
                self.ended_at(id, call.name_span, ending.kind);
                world.trace.released.insert(id, call.name_span);
                if ending.is_async {
                    world.set_phase(id, Phase::Ending);
                    let release = Value::Release {
                        obligation: id,
                        end: ending.kind,
                        fallible: ending.fallible,
                        eager: ending.eager,
                    };
                    return Some(Value::Future(Box::new(release)));
                }
                self.end(world, id, ending.kind);
                return Some(Value::Fallible(Box::new(Value::Outcome(id, ending.kind))));
            }
            let matches = |opening: &&Opening| {
                opening.call == name
                    && opening.source == Source::Method(connection)
                    && opening.args.is_none_or(|wanted| wanted == args.len())
            };
            if let Some(opening) = known.openings.iter().find(matches) {
                self.pass_arguments(world, args, call.name_span);
                let openings = [(protocol, opening.clone())];
                let snapshot = world.clone();
                return Some(self.opened(&openings, call.name_span, Evidence::Typed, Some((anchor, &snapshot)), None));
            }
        }
        None
    }

    /// Whether any in-place session is opened or ended by calls of this name.
    pub(crate) fn is_in_place_call(&self, name: &str) -> bool {
        self.index.model.protocols().any(|(_, protocol)| {
            protocol.in_place
                && (protocol.endings.iter().any(|ending| ending.call == name)
                    || protocol.openings.iter().any(|opening| opening.call == name))
        })
    }

    /// The ways to open something with a method of a library's type, for the libraries in play.
    fn method_openings(&self, protocol: ProtocolId, name: &str, call: &Call) -> Vec<(ProtocolId, Opening)> {
        let model = self.index.model;
        let found = model.openings(&Source::Method(protocol), name, call.args.len());
        let in_play = |(protocol, _): &(ProtocolId, &Opening)| {
            let known = model.protocol(*protocol);
            !known.in_place && self.index.in_play(self.scope.file, known.library)
        };
        let mut found: Vec<(ProtocolId, Opening)> =
            found.into_iter().filter(in_play).map(|(protocol, opening)| (protocol, opening.clone())).collect();
        // Two libraries may put a method of one name on a pool's connection; a tuple's parts are one call.
        let is_tuple = found.iter().any(|(_, opening)| {
            opening.shape.len() > 1 && opening.shape.iter().any(|s| *s != sessionlint_protocols::Shape::Fallible)
        });
        if !is_tuple {
            found.truncate(1);
        }
        found
    }

    fn typed_method(&mut self, world: &mut World, ty: &Ty, place: Option<Place>, name: &str, call: &Call) -> Value {
        let target = place.clone().map_or(Value::Typed(ty.clone()), Value::Ref);
        match ty.peeled() {
            Ty::Known(protocol) => {
                if let Some(value) = self.known_method(world, *protocol, &target, name, call) {
                    return value;
                }
                if SAME.contains(&name) {
                    return match place {
                        Some(place) if name != "clone" => Value::Ref(place),
                        _ => Value::Typed(ty.clone()),
                    };
                }
                self.unknown_method(world, place, name, call)
            }
            Ty::Own(owner) => {
                let owner = *owner;
                let methods = self.index.methods(owner, name);
                match methods.as_slice() {
                    [item] => self.own_function(world, *item, 1, Some(Ty::Own(owner)), call),
                    [] if SAME.contains(&name) => match place {
                        Some(place) if name != "clone" => Value::Ref(place),
                        _ => Value::Typed(ty.clone()),
                    },
                    [] => self.unknown_method(world, place, name, call),
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
                match name {
                    "take" => self.taken(&inner, call.name_span),
                    _ if OPENERS.contains(&name)
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
                        || ADAPTERS.contains(&name) =>
                    {
                        self.pass_arguments(world, &call.args, call.name_span);
                        if OPENERS.contains(&name) {
                            return typed(inner);
                        }
                        Value::Typed(ty.clone())
                    }
                    _ => self.unknown_method(world, place, name, call),
                }
            }
            Ty::Statement => self.statement_method(world, crate::sql::SqlEffect::default(), place, name, call),
            Ty::Cell(inner) => {
                self.pass_arguments(world, &call.args, call.name_span);
                let shared = Ty::Ref(inner.clone());
                match name {
                    "get" | "get_mut" => typed(Ty::Fallible(Box::new(shared))),
                    "get_or_init" | "wait" => typed(shared),
                    "get_or_try_init" => typed(Ty::Fallible(Box::new(shared))),
                    _ => Value::Unknown,
                }
            }
            Ty::Collection(inner) => {
                self.pass_arguments(world, &call.args, call.name_span);
                match name {
                    "get" | "first" | "last" | "get_mut" | "first_mut" | "last_mut" => {
                        typed(Ty::Fallible(Box::new(Ty::Ref(inner.clone()))))
                    }
                    "iter" | "iter_mut" | "into_iter" => Value::Typed(ty.clone()),
                    _ => Value::Unknown,
                }
            }
            _ => self.unknown_method(world, place, name, call),
        }
    }

    /// `Option::take` on a field that holds a session: whoever takes it owes its end.
    fn taken(&mut self, inner: &Ty, span: Span) -> Value {
        match inner {
            Ty::Known(protocol) if self.index.model.protocol(*protocol).is_session() => {
                let site = self.opening_site(*protocol, span, Evidence::Typed, None);
                Value::Fallible(Box::new(Value::Pending(site, None)))
            }
            other => typed(Ty::Fallible(Box::new(other.clone()))),
        }
    }

    /// A method of a library's type that this body need not end: a pool, or a session behind a reference.
    fn known_method(
        &mut self,
        world: &mut World,
        protocol_id: ProtocolId,
        target: &Value,
        name: &str,
        call: &Call,
    ) -> Option<Value> {
        let model = self.index.model;
        let protocol = model.protocol(protocol_id);
        if let Some(value) = self.in_place_method(world, target, name, &call.args, call) {
            return Some(value);
        }
        let openings = self.method_openings(protocol_id, name, call);
        if !openings.is_empty() {
            self.pass_arguments(world, &call.args, call.name_span);
            return Some(self.opened(&openings, call.name_span, Evidence::Typed, None, None));
        }
        if protocol.same.iter().any(|same| same == name) {
            self.pass_arguments(world, &call.args, call.name_span);
            return Some(target.clone());
        }
        if let Some(ending) = protocol.endings.iter().find(|ending| ending.call == name) {
            self.pass_arguments(world, &call.args, call.name_span);
            return Some(self.borrowed_release(world, protocol_id, target, ending, call));
        }
        let library = model.library(protocol.library);
        if library.runs_text.iter().any(|run| run == name) {
            let effect = self.text_argument(world, &call.args);
            self.pass_arguments(world, &call.args, call.name_span);
            return Some(match effect {
                Some(effect) => self.run_text(world, target, effect, call.name_span),
                None => Value::Unknown,
            });
        }
        None
    }

    /// The end of something that this body has not opened: a pool, or a session in a field. Only whether its
    /// future is awaited is looked at.
    fn borrowed_release(
        &mut self,
        world: &mut World,
        protocol: ProtocolId,
        target: &Value,
        ending: &Ending,
        call: &Call,
    ) -> Value {
        if !ending.is_async || ending.eager {
            return Value::Unknown;
        }
        let site = self.opening_site(protocol, call.name_span, Evidence::Typed, None);
        if let Value::Ref(place) = target {
            self.sites[usize::from(site.0)].name = self.body.locals[place.local.index()].name.clone();
        }
        let Value::Session(obligation) = self.begin(world, site, None, None) else { return Value::Unknown };
        world.set_phase(obligation, Phase::Ending);
        world.trace.released.insert(obligation, call.name_span);
        let release = Value::Release { obligation, end: ending.kind, fallible: false, eager: false };
        Value::Future(Box::new(release))
    }

    fn handle_method(&mut self, world: &mut World, id: ObligationId, name: &str, call: &Call) -> Value {
        let protocol = self.index.model.protocol(self.protocol_of(id));
        let library = self.index.model.library(protocol.library);
        let mut value = Value::Unknown;
        if library.writes.iter().any(|write| write == name) {
            value = self.first_write(world, id);
            self.write(world, id, Some(call.name_span));
        }
        self.pass_arguments(world, &call.args, call.name_span);
        value
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
            "is_some" | "is_none" | "is_ok" | "is_err" => return Value::Unknown,
            _ => {}
        }
        self.pass_arguments(world, &call.args, call.name_span);
        let value = self.move_receiver(world, place, value);
        if OPENERS.contains(&name) {
            return match value {
                Value::Success(inner) => *inner,
                Value::Fallible(inner) => match *inner {
                    Value::Outcome(..) => Value::Unknown,
                    inner => self.realise(world, inner),
                },
                _ => Value::Unknown,
            };
        }
        if ADAPTERS.contains(&name) {
            return value;
        }
        // Closures get what is inside, or the result is looked at.
        self.forget(world, &value);
        Value::Unknown
    }

    fn future_method(
        &mut self,
        world: &mut World,
        place: Option<Place>,
        value: Value,
        name: &str,
        call: &Call,
    ) -> Value {
        self.pass_arguments(world, &call.args, call.name_span);
        let value = self.move_receiver(world, place, value);
        if COMBINATORS.contains(&name) {
            self.forget(world, &value);
            return Value::Unknown;
        }
        // `.instrument(span)`, `.boxed()`, options of an action that is sent when it is awaited.
        value
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
            self.pass_arguments(world, &call.args, call.name_span);
            return value;
        }
        // More text for a statement that is put together in pieces can only make it write.
        let more = self.text_argument(world, &call.args);
        self.pass_arguments(world, &call.args, call.name_span);
        let effect = match more {
            Some(more) if name.starts_with("push") && effect == crate::sql::SqlEffect::default() => more,
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
        let model = self.index.model;
        let mut writes = false;
        let mut value = Value::Unknown;
        for arg in &call.args {
            let Some(target) = self.executor(world, arg) else { continue };
            let Some((protocol, anchor)) = self.anchor_of(world, &target) else { continue };
            let library = model.library(model.protocol(protocol).library);
            if library.writes.iter().any(|write| write == name) {
                writes = true;
                if let Anchor::Obligation(id) = &anchor {
                    value = self.first_write(world, *id);
                    self.write(world, *id, Some(call.name_span));
                }
                self.write_anchored(world, &anchor, call.name_span);
            }
        }
        self.pass_arguments(world, &call.args, call.name_span);
        // A verb whose session comes later in the chain: `insert_one(..).session(&mut session)`.
        let is_verb = !writes
            && model.libraries().any(|(id, library)| {
                library.name == "mongodb"
                    && self.index.in_play(self.scope.file, id)
                    && library.writes.iter().any(|write| write == name)
            });
        if is_verb {
            return Value::Statement(crate::sql::SqlEffect { writes: true, control: None });
        }
        value
    }
}
