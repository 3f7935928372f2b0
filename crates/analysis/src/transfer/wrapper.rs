//! What does a struct or enum of the workspace owe that holds a session? Learned from its methods.

use super::own::Receiver;
use crate::index::{ItemRef, Ty};
use crate::known::known;
use crate::solver::Solver;
use crate::summary::LentAs;
use crate::value::{Anchor, Layer, ObligationId, Value};
use crate::workload::{Deed, Workload, seen_by_caller};
use crate::world::{Phase, World};
use sessionlint_ir::{Call, ItemKind, Operand, Place, TypeRef};
use sessionlint_protocols::EndKind;

/// So many structs and options around a session are told apart.
const MAX_LAYERS: usize = 12;

impl Solver<'_> {
    /// A value of a struct that owns a session by its type, through as many structs as stand between them.
    pub(crate) fn wrap(&mut self, item: ItemRef, session: Value) -> Value {
        let layers = self.index.owned_layers(item);
        let value = fold(&layers, session);
        self.remember_layers(&value);
        value
    }

    /// A struct or variant that is built around a session.
    pub(crate) fn wrapped(
        &mut self,
        path: &[String],
        fields: &[String],
        values: &[Value],
        world: &World,
    ) -> Option<Value> {
        let written = |segments: &[String]| TypeRef::Path { segments: segments.to_vec(), args: Vec::new() };
        let (item, variant) = match self.index.ty(&self.scope, &written(path)) {
            Ty::Own(item, _) => (item, None),
            _ => {
                let (variant, owner) = path.split_last()?;
                match self.index.ty(&self.scope, &written(owner)) {
                    Ty::Own(item, _) => (item, Some(variant.clone())),
                    _ => return None,
                }
            }
        };
        self.built(item, variant, fields, values, world)
    }

    /// The same, with the type and variant known.
    pub(crate) fn built(
        &mut self,
        item: ItemRef,
        variant: Option<String>,
        fields: &[String],
        values: &[Value],
        world: &World,
    ) -> Option<Value> {
        let kind = self.index.item(item)?.kind;
        if kind != if variant.is_some() { ItemKind::Enum } else { ItemKind::Struct } {
            return None;
        }
        // Beside a session a pool does not count.
        let has_session = values.iter().any(|value| self.session_of(world, value).is_some());
        let holds = |index: &usize| match has_session {
            true => self.session_of(world, &values[*index]).is_some(),
            false => self.holds(world, &values[*index]),
        };
        let holding: Vec<usize> = (0..values.len()).filter(holds).collect();
        let index = *holding.first()?;
        if holding.len() > 1 && !self.write_through_one(world, holding.iter().map(|index| &values[*index])) {
            return None;
        }
        if values.iter().enumerate().any(|(other, value)| other != index && value.owns()) {
            return None;
        }
        let field = &holding.iter().map(|index| fields[*index].as_str()).collect::<Vec<_>>().join("|");
        // A loop that puts one around the other never ends.
        if layers(&values[index]).is_some_and(|layers| layers.len() >= MAX_LAYERS) {
            return None;
        }
        if !field.split('|').all(|field| self.index.drop_leaves(item, field)) {
            return None;
        }
        // A pool stays what it is behind a reference, and comes from where it came from.
        let inner = Box::new(match &values[index] {
            Value::Ref(place) => match world.get(self.index, place) {
                Value::Typed(ty, origin) => Value::Typed(Ty::Ref(Box::new(ty)), origin.or_else(|| world.origin(place))),
                _ => values[index].clone(),
            },
            value => value.clone(),
        });
        let value = match variant {
            None => Value::Wrapper(item, field.clone(), inner),
            Some(variant) if fields.len() == 1 && field == "0" => Value::Wrapper(item, format!("::{variant}"), inner),
            Some(variant) => {
                let inner = Value::Wrapper(item, field.clone(), inner);
                Value::Wrapper(item, format!("::{variant}"), Box::new(inner))
            }
        };
        self.remember_layers(&value);
        Some(value)
    }

    /// Whether several values are parts of one session that nobody here has to end: tables that write through it.
    fn write_through_one<'v>(&self, world: &World, mut values: impl Iterator<Item = &'v Value>) -> bool {
        let what = |value: &Value| match value {
            Value::Handle(_) | Value::Ref(_) => self.session_of(world, value).map(Ok),
            Value::Typed(ty, Some(origin)) if !self.lends(ty) => Some(Err(origin.clone())),
            _ => None,
        };
        let Some(first) = values.next().and_then(what) else { return false };
        values.all(|value| what(value).as_ref() == Some(&first))
    }

    /// Whether a value is, owns or refers to one session or pool. In summaries also what may turn out to.
    fn holds(&self, world: &World, value: &Value) -> bool {
        match value {
            Value::Session(_) => true,
            Value::Wrapper(_, _, inner) | Value::Success(inner) => self.holds(world, inner),
            Value::Ref(place) => match world.get(self.index, place) {
                Value::Ref(_) => false,
                Value::Typed(ty, None) => self.lends(&ty) || (self.collects && self.index.may_hold(&ty)),
                inner => self.holds(world, &inner),
            },
            Value::Typed(ty, Some(_)) => self.lends(ty) || (self.collects && self.index.may_hold(ty)),
            _ => false,
        }
    }

    /// Notes for the sessions in a value what stands around them.
    pub(crate) fn remember_layers(&mut self, value: &Value) {
        if let Value::Fallible(inner) | Value::Future(inner) = value {
            return self.remember_layers(inner);
        }
        let Some(layers) = layers(value) else { return };
        let mut found = Vec::new();
        value.sites(&mut found);
        for site in found {
            self.sites[usize::from(site.0)].layers.clone_from(&layers);
        }
    }

    /// What stands around the session that a value is or refers to.
    pub(crate) fn layers_of(&self, world: &World, value: &Value) -> Vec<Layer> {
        let found = match value {
            Value::Ref(place) => layers(&self.followed(world, world.get(self.index, place), 0)),
            value => layers(&self.followed(world, value.clone(), 0)),
        };
        found.unwrap_or_default()
    }

    /// The same behind the reference that an option or enum holds: what stands around that is made for the call, and nothing can be
    /// taken out through it.
    pub(super) fn layers_behind(&self, world: &World, value: &Value) -> Vec<Layer> {
        match value {
            Value::Success(inner) | Value::Wrapper(_, _, inner) if is_reference(inner) => {
                self.layers_behind(world, inner)
            }
            value => self.layers_of(world, value),
        }
    }

    /// A value with the references inside replaced by what they refer to.
    fn followed(&self, world: &World, value: Value, depth: u32) -> Value {
        match value {
            Value::Wrapper(item, field, inner) => {
                Value::Wrapper(item, field, Box::new(self.followed(world, *inner, depth)))
            }
            Value::Success(inner) => Value::Success(Box::new(self.followed(world, *inner, depth))),
            Value::Ref(place) if depth < 4 => self.followed(world, world.get(self.index, &place), depth + 1),
            other => other,
        }
    }

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
        // Several methods of one name, for other type arguments say, must agree.
        let arguments = call.args.iter().map(|argument| self.read_value(world, argument));
        let values: Vec<Value> = std::iter::once(Value::Unknown).chain(arguments).collect();
        let lent = LentAs { param: 0, protocol, layers, known: known(&values) };
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
            let Some(place) = place.filter(|_| by_value) else { return value };
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
        if by_value || escapes || effect.is_none() {
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

/// The names of fields and their values, as a literal gives them.
pub(crate) fn names(fields: &[(String, Operand)]) -> Vec<String> {
    fields.iter().map(|(name, _)| name.clone()).collect()
}

/// What stands around the session in a value; `None` when there is none.
pub(crate) fn layers(value: &Value) -> Option<Vec<Layer>> {
    let (layer, inner) = match value {
        Value::Session(_) | Value::Pending(..) | Value::Handle(_) => return Some(Vec::new()),
        Value::Wrapper(item, field, inner) => (Layer::Part(*item, field.clone()), inner),
        Value::Success(inner) => (Layer::Some, inner),
        _ => return None,
    };
    let mut found = layers(inner)?;
    found.insert(0, layer);
    Some(found)
}

/// Whether a value refers to a session that stays where it is: `&mut tx`, `Some(&mut tx)`, `Executor::Transaction(&mut tx)`.
pub(super) fn is_reference(value: &Value) -> bool {
    match value {
        Value::Ref(_) => true,
        Value::Success(inner) | Value::Wrapper(_, _, inner) => is_reference(inner),
        _ => false,
    }
}

/// A session with layers around it.
pub(crate) fn fold(layers: &[Layer], session: Value) -> Value {
    layers.iter().rev().fold(session, |inner, layer| match layer {
        Layer::Part(item, field) => Value::Wrapper(*item, field.clone(), Box::new(inner)),
        Layer::Some => Value::Success(Box::new(inner)),
    })
}
