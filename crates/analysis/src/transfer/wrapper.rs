//! What does a struct or enum of the workspace owe that holds a session? Learned from its methods.

use super::own::Receiver;
use crate::index::{ItemRef, Ty};
use crate::question::LentAs;
use crate::solver::Solver;
use crate::value::{Anchor, ObligationId, Value};
use crate::workload::{Deed, Workload, seen_by_caller};
use crate::world::{Phase, World};
use sessionlint_ir::{Call, Place, TypeRef};
use sessionlint_protocols::EndKind;

impl Solver<'_> {
    /// A method of such a value: what its body does to the session is what the call does.
    pub(crate) fn wrapper_method(
        &mut self,
        world: &mut World,
        item: ItemRef,
        whole: &Value,
        place: Option<Place>,
        name: &str,
        call: &Call,
    ) -> Value {
        let target = place.clone().map_or_else(|| whole.clone(), Value::Ref);
        let Some(id) = self.session_of(world, whole) else {
            self.forget_several(world, whole);
            return self.plain_method(world, item, whole, place, name, call);
        };
        self.touch(world, id);
        let methods = self.index.methods_near(self.scope.file, item, name);
        let signature = methods.first().and_then(|method| self.index.signature(*method));
        if signature.is_none() {
            return self.through_deref(world, item, id, target, name, call);
        }
        self.held_method(world, Held { id, whole, place }, &methods, Some(Ty::own(item)), call)
    }

    /// A method of the workspace on something that is or holds a session: what its body does to the session is what the call does.
    pub(crate) fn held_method(
        &mut self,
        world: &mut World,
        held: Held,
        methods: &[ItemRef],
        owner: Option<Ty>,
        call: &Call,
    ) -> Value {
        let target = held.target();
        let Held { id, whole, place } = held;
        let Some(method) = methods.first().copied() else { return Value::Unknown };
        let Some(signature) = self.index.signature(method) else { return Value::Unknown };
        let protocol = self.protocol_of(id);
        let layers = self.layers_of(world, whole);
        let by_value = matches!(signature.params.first(), Some(first) if !matches!(first.ty, TypeRef::Ref { .. }));
        let held_by_value = !borrows(whole);
        // Several methods of one name, for other type arguments say, must agree.
        let arguments = call.args.iter().map(|argument| self.read_value(world, argument));
        let values: Vec<Value> = std::iter::once(Value::Unknown).chain(arguments).collect();
        let lent = LentAs { param: 0, protocol, layers, known: self.known_of(world, method, &values) };
        let effect = self.analysis.agreed_effect(methods, &lent, &self.asking);
        let wrote = match &effect {
            Some(effect) if effect.writes => {
                let value = self.effect_wrote(world, id, effect);
                self.write(world, id, Some(call.name_span));
                self.write_anchored(world, &Anchor::Obligation(id), call.name_span);
                value
            }
            _ => Value::Unknown,
        };
        // `BEGIN` and its like, that the method runs on the connection inside.
        let by_text = match &effect {
            Some(effect) => self.texts_of(world, &target, effect, call.name_span),
            None => Value::Unknown,
        };
        let ends = effect.as_ref().map(|effect| effect.ends.as_slice()).unwrap_or_default();
        let end = EndKind::meant(ends);
        if end != Some(EndKind::Rollback) {
            self.goes_on(world, id);
        }
        if let Some(end) = end {
            let before = effect.as_ref().map(|effect| effect.meanwhile.clone()).unwrap_or_default();
            let fallible = may_fail(&signature.output, self.index.output(method, owner).as_ref());
            let own = OwnEnd { end, is_async: signature.is_async, fallible, before };
            return self.ended_by_own(world, Held { id, whole, place }, own, call);
        }
        let does = effect.as_ref().filter(|effect| !effect.truncated).map(|effect| effect.workload.clone());
        let receiver = Receiver::Of { value: Some(target.clone()), origin: None, does };
        let value = self.own_function(world, method, receiver, owner, call);
        // What it begins is inside of what it is called on.
        let mut begun = Vec::new();
        value.sites(&mut begun);
        for site in begun.into_iter().filter(|site| *site != id.site) {
            self.parents.entry(site).or_insert(id);
        }
        // A builder gives back what it was given.
        let gives_back = self.session_of(world, &value) == Some(id) || self.is_inside(world, id, &value);
        if gives_back {
            let Some(place) = place.filter(|_| by_value && held_by_value) else { return value };
            let part = referred(&value).unwrap_or_else(|| place.clone());
            let moved = world.get(self.index, &part);
            world.set(&place, Value::Unknown);
            return with_inside(value, moved);
        }
        let escapes = effect.as_ref().is_some_and(|effect| effect.escapes);
        self.loan.escapes |= escapes && self.lent == Some(id);
        if effect.as_ref().is_none_or(|effect| effect.unseen) {
            self.unseen(world, id, &lent.layers);
        }
        // What is only borrowed inside stays with whom it belongs to.
        if (by_value && held_by_value) || escapes || effect.is_none() {
            self.forget_obligation(world, id);
        }
        let gives_itself = matches!(signature.output, TypeRef::Ref { .. } | TypeRef::Bounds(_));
        if gives_itself && !by_value {
            target
        } else if value == Value::Unknown {
            if by_text == Value::Unknown { wrote } else { by_text }
        } else {
            value
        }
    }

    /// Whether a result or future carries this session.
    fn is_inside(&self, world: &World, id: ObligationId, value: &Value) -> bool {
        match value {
            Value::Future(inner) | Value::Work(_, inner) | Value::Fallible(inner) | Value::Success(inner) => {
                self.session_of(world, inner) == Some(id) || self.is_inside(world, id, inner)
            }
            _ => false,
        }
    }

    /// A method of a struct that holds something which is no session of this body.
    fn plain_method(
        &mut self,
        world: &mut World,
        item: ItemRef,
        whole: &Value,
        place: Option<Place>,
        name: &str,
        call: &Call,
    ) -> Value {
        let methods = self.index.methods_near(self.scope.file, item, name);
        let origin = place.as_ref().and_then(|place| world.origin(place));
        match methods.as_slice() {
            [method] => {
                let target = place.clone().map_or_else(|| whole.clone(), Value::Ref);
                let given = self.own_function(world, *method, Receiver::of(target, origin), Some(Ty::own(item)), call);
                let signature = self.index.signature(*method);
                let receiver = signature.as_ref().and_then(|signature| signature.params.first());
                // It may put another pool there, or another variant.
                if let Some(place) = place
                    && matches!(receiver.map(|param| &param.ty), Some(TypeRef::Ref { mutable: true, .. }))
                {
                    world.set(&place, Value::Typed(Ty::own(item), None));
                }
                given
            }
            [] if name == "clone" => whole.clone(),
            _ => self.typed_method(world, &Ty::own(item), origin, place, name, call),
        }
    }

    /// A method that the struct does not have itself: it is one of what it dereferences to, or nobody can see it.
    fn through_deref(
        &mut self,
        world: &mut World,
        item: ItemRef,
        id: ObligationId,
        target: Value,
        name: &str,
        call: &Call,
    ) -> Value {
        let model = self.index.model;
        let session = model.protocol(self.protocol_of(id));
        let names = |known: &[String]| known.iter().any(|known| known == name);
        let is_deref = self.index.deref_target(item).is_some();
        let library = model.library(session.library);
        let of_session = names(&library.runs_text)
            || names(&library.prepares)
            || !self.method_openings(self.protocol_of(id), name, call).is_empty();
        if is_deref && of_session {
            return self.session_method(world, id, None, name, call);
        }
        self.pass_arguments(world, &call.args, call.name_span);
        if is_deref && names(&session.same) {
            return target;
        }
        // A method that nobody can see, made by a macro say, may do anything with what it is called on.
        if name.starts_with("into_") || !(is_deref || self.index.model.standard().keeps(name)) {
            self.forget_obligation(world, id);
            return Value::Unknown;
        }
        target
    }

    /// A method of the project's own that ends the session, and what it does before that.
    fn ended_by_own(&mut self, world: &mut World, held: Held, own: OwnEnd, call: &Call) -> Value {
        let mut origins = vec![self.source_of(world, &held.target())];
        let Held { id, place, .. } = held;
        let OwnEnd { end, is_async, fallible, before } = own;
        origins.extend(call.args.iter().map(|arg| {
            let value = self.read(world, arg);
            self.source_of(world, &value)
        }));
        let before = before.called(call.name_span, |origin| seen_by_caller(origin, &origins));
        self.pass_arguments(world, &call.args, call.name_span);
        // It is done while the session is open, which it is not any more when the future is polled to its end.
        let waits: Vec<_> = before.0.iter().filter(|(deed, _)| matches!(deed, Deed::Outside(_))).collect();
        if world.is_open(id) {
            for (deed, way) in waits {
                if let Deed::Outside(wait) = deed {
                    self.slow_work(world, wait, way);
                }
            }
        }
        let released = self.own_release(world, id, place, (end, fallible), is_async, call);
        match released {
            Value::Future(inner) if self.collects => self.later(before, *inner),
            released => released,
        }
    }

    fn own_release(
        &mut self,
        world: &mut World,
        id: ObligationId,
        place: Option<Place>,
        (end, fallible): (EndKind, bool),
        is_async: bool,
        call: &Call,
    ) -> Value {
        self.ended_at(id, call.name_span, end);
        if let sessionlint_ir::Callee::Method { name, .. } = &call.callee {
            self.releases.insert(id.site, name.clone());
        }
        world.trace.released.insert(id, call.name_span);
        if let Some(place) = place.filter(|_| !self.sites[usize::from(id.site.0)].borrowed) {
            world.set(&place, Value::Unknown);
        }
        if is_async {
            if world.is_open(id) {
                world.set_phase(id, Phase::Ending);
            }
            let release = Value::Release { obligation: id, end, fallible, eager: false };
            return Value::Future(Box::new(release));
        }
        self.end(world, id, end);
        if fallible { Value::Fallible(Box::new(Value::Outcome(id, end))) } else { Value::Unknown }
    }
}

/// What a method of the workspace is called on: something that is or holds a session.
pub(crate) struct Held<'a> {
    /// The session.
    pub id: ObligationId,
    /// All of it.
    pub whole: &'a Value,
    /// Where it is.
    pub place: Option<Place>,
}

impl Held<'_> {
    /// What the method gets.
    fn target(&self) -> Value {
        self.place.clone().map_or_else(|| self.whole.clone(), Value::Ref)
    }
}

/// Whether a struct holds a reference to a session, not the session.
fn borrows(whole: &Value) -> bool {
    match whole {
        Value::Wrapper(_, _, inner) | Value::Success(inner) => matches!(**inner, Value::Ref(_)) || borrows(inner),
        _ => false,
    }
}

/// How a method of the workspace ends a session.
struct OwnEnd {
    end: EndKind,
    is_async: bool,
    /// Whether it tells its caller when that fails.
    fallible: bool,
    /// What it does before that.
    before: Workload,
}

/// Whether what a function returns may be an error: its type, as written and as it is known.
fn may_fail(written: &TypeRef, ty: Option<&Ty>) -> bool {
    match ty {
        Some(Ty::Future(inner)) => may_fail(written, Some(inner)),
        Some(Ty::Tuple(parts)) => !parts.is_empty(),
        _ => !matches!(written, TypeRef::Tuple(parts) if parts.is_empty()),
    }
}

/// The place that the reference inside of results and futures is of.
fn referred(value: &Value) -> Option<Place> {
    match value {
        Value::Future(inner) | Value::Work(_, inner) | Value::Fallible(inner) | Value::Success(inner) => {
            referred(inner)
        }
        Value::Ref(place) => Some(place.clone()),
        _ => None,
    }
}

/// A value with what is inside of results and futures replaced.
fn with_inside(value: Value, inside: Value) -> Value {
    match value {
        Value::Future(inner) => Value::Future(Box::new(with_inside(*inner, inside))),
        Value::Work(id, inner) => Value::Work(id, Box::new(with_inside(*inner, inside))),
        Value::Fallible(inner) => Value::Fallible(Box::new(with_inside(*inner, inside))),
        Value::Success(inner) => Value::Success(Box::new(with_inside(*inner, inside))),
        _ => inside,
    }
}
