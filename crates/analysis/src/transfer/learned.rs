//! What is done with a transaction of the project's own? Its methods, its clones, and what opens one.

use crate::index::{ItemRef, Ty};
use crate::question::LentAs;
use crate::solver::Solver;
use crate::value::{ObligationId, Value};
use crate::world::{Phase, World};
use sessionlint_ir::{Call, Literal, Operand, Place, Projection, Rvalue, TypeRef};
use sessionlint_protocols::ProtocolId;

/// So many structs may stand around a transaction that is only handed on.
const MAX_HOLDERS: u32 = 1;

impl Solver<'_> {
    /// A method of a transaction of the project's own that neither ends it nor may end it; `None` for any other type, and where
    /// the method is nobody's.
    pub(super) fn learned_method(
        &mut self,
        world: &mut World,
        id: ObligationId,
        place: Option<&Place>,
        name: &str,
        call: &Call,
    ) -> Option<Value> {
        let protocol_id = self.protocol_of(id);
        let owner = self.index.learned_item(protocol_id)?;
        let protocol = self.index.model.protocol(protocol_id);
        if protocol.hands_off.iter().any(|method| method == name) {
            return None;
        }
        // The same one behind an `Arc`.
        if name == "clone" && call.args.is_empty() && protocol.ends_by_reference {
            return Some(Value::Ref(place?.clone()));
        }
        // What is made of a reference to it has none of its own.
        if name == "into" && call.args.is_empty() {
            return Some(self.moved_on(world, id, place.cloned(), call));
        }
        let methods = self.index.methods_above(self.scope.file, owner, name);
        if let [method] = methods.as_slice()
            && self.gives_itself(*method, protocol_id)
        {
            let value = Value::Session(id);
            if let Some(place) = place {
                world.set(place, Value::Unknown);
            }
            self.pass_arguments(world, &call.args, call.name_span);
            return Some(value);
        }
        // The lock around it, and what that gives.
        let standard = self.index.model.standard();
        let is_same = methods.is_empty() && call.args.is_empty() && protocol.ends_by_reference;
        if is_same && name != "take" && (standard.keeps(name) || standard.opens(name)) {
            return Some(Value::Ref(place?.clone()));
        }
        self.learned_use(world, id, protocol_id, &methods, name, call)
    }

    /// A method of what stands in a field of a transaction of the project's own and is one itself: `session.store.put(..)`. `place` is
    /// that of the field; `None` for any other field.
    pub(super) fn learned_part_method(
        &mut self,
        world: &mut World,
        place: Option<&Place>,
        name: &str,
        call: &Call,
    ) -> Option<Value> {
        let (id, part) = self.learned_part(world, place?)?;
        let owner = self.index.learned_item(part)?;
        let protocol = self.index.model.protocol(part);
        self.touch(world, id);
        // Its end may well be that of the whole.
        let ends = protocol.endings.iter().any(|end| end.call == name);
        if ends || protocol.hands_off.iter().any(|method| method == name) {
            self.pass_arguments(world, &call.args, call.name_span);
            self.forget_obligation(world, id);
            return Some(Value::Unknown);
        }
        let methods = self.index.methods_above(self.scope.file, owner, name);
        self.learned_use(world, id, part, &methods, name, call)
    }

    /// The transaction of the project's own that stands in this field of another one, and which that is.
    fn learned_part(&self, world: &World, place: &Place) -> Option<(ObligationId, ProtocolId)> {
        match self.part_of_learned(world, place)? {
            (id, Ty::Known(part)) => self.index.learned_item(part).map(|_| (id, part)),
            _ => None,
        }
    }

    /// The transaction of the project's own that what is moved out of a place may end: what is owned there is a session, or holds one.
    pub(super) fn ended_by_part(&self, world: &World, place: &Place) -> Option<ObligationId> {
        let holds = |ty: &Ty| match ty {
            Ty::Known(known) => self.index.model.protocol(*known).is_session(),
            Ty::Own(item, _) => self.index.owned_session(*item).is_some(),
            _ => false,
        };
        self.part_of_learned(world, place).filter(|(_, ty)| holds(ty)).map(|(id, _)| id)
    }

    /// The transaction of the project's own that a place is a field of, and the type of what stands there.
    fn part_of_learned(&self, world: &World, place: &Place) -> Option<(ObligationId, Ty)> {
        let mut whole = place.clone();
        let mut fields = Vec::new();
        loop {
            match whole.projection.pop()? {
                Projection::Field(field) => fields.push(field),
                // The pattern of a struct.
                Projection::Variant(_) => {}
                _ => return None,
            }
            let Value::Session(id) = world.get(self.index, &whole) else { continue };
            let mut ty = Ty::Known(self.protocol_of(id));
            for field in fields.iter().rev() {
                let owner = match &ty {
                    Ty::Known(known) => self.index.learned_item(*known)?,
                    Ty::Own(owner, _) => *owner,
                    _ => return None,
                };
                ty = self.index.field_behind(owner, None, field).peeled().clone();
            }
            return (!fields.is_empty()).then_some((id, ty));
        }
    }

    /// What is done with a transaction of the project's own by its methods of this name, or those of a part of it.
    fn learned_use(
        &mut self,
        world: &mut World,
        id: ObligationId,
        protocol: ProtocolId,
        methods: &[ItemRef],
        name: &str,
        call: &Call,
    ) -> Option<Value> {
        let writes = self.index.model.learned_words().is_write(name)
            || methods.iter().any(|method| self.writes_inside(*method, protocol));
        if methods.is_empty() && !writes {
            return None;
        }
        if !writes && call.args.is_empty() && methods.iter().any(|method| self.gives_part(*method)) {
            return Some(Value::Handle(id));
        }
        let wrote = if writes { self.first_write(world, id) } else { Value::Unknown };
        if writes {
            self.write(world, id, Some(call.name_span));
        }
        self.pass_arguments(world, &call.args, call.name_span);
        let is_async = methods.iter().any(|method| self.index.signature(*method).is_some_and(|it| it.is_async));
        Some(if is_async && wrote != Value::Unknown { Value::Future(Box::new(wrote)) } else { wrote })
    }

    /// Whether a method, or one that implements it, writes through its transaction or through that of a library inside.
    fn writes_inside(&self, method: ItemRef, protocol: ProtocolId) -> bool {
        let mut methods = self.index.implementations(method);
        if methods.is_empty() {
            methods.push(method);
        }
        methods.into_iter().any(|method| {
            let inside = match self.index.self_ty(method) {
                Some(Ty::Own(owner, _)) => self.index.owned_session(owner).map(|(_, protocol)| (owner, protocol)),
                _ => None,
            };
            let (protocol, layers) = match inside {
                Some((owner, protocol)) => (protocol, self.index.owned_layers(owner)),
                None => (protocol, Vec::new()),
            };
            let lent = LentAs { param: 0, protocol, layers, known: Default::default() };
            self.analysis.effect(method, &lent, &self.asking).is_some_and(|effect| effect.writes)
        })
    }

    /// Whether a method gives a part of its transaction through which it is used: `fn users(&mut self) -> Box<dyn Users + '_>`.
    fn gives_part(&self, method: ItemRef) -> bool {
        let is_lent = self.index.signature(method).is_some_and(|signature| {
            !signature.is_async && matches!(signature.params.first(), Some(first) if matches!(first.ty, TypeRef::Ref { mutable: true, .. }))
        });
        is_lent && matches!(self.index.output(method, None), Some(Ty::Own(..)))
    }

    /// Whether a method takes its transaction by value and gives it back: `enclose(self) -> Arc<Self>`.
    fn gives_itself(&self, method: ItemRef, protocol: ProtocolId) -> bool {
        let by_value = self.index.signature(method).is_some_and(|signature| {
            signature.params.first().is_some_and(|first| !matches!(first.ty, TypeRef::Ref { .. }))
        });
        let output = || self.index.output(method, Some(Ty::Known(protocol)));
        by_value && output().is_some_and(|ty| *ty.peeled() == Ty::Known(protocol))
    }

    /// Whether this is the file that declares the transaction's type: it may take one apart, and knows what it does.
    pub(super) fn is_at_home(&self, id: ObligationId) -> bool {
        self.index.learned_item(self.protocol_of(id)).is_some_and(|item| item.file == self.scope.file)
    }

    /// Whether a value is a transaction of the project's own that a reference is enough to end: whoever has a clone may do so.
    pub(super) fn is_shared(&self, value: &Value) -> bool {
        let protocol = match value {
            Value::Session(id) => self.protocol_of(*id),
            Value::Pending(site, _) => self.sites[usize::from(site.0)].protocol,
            _ => return false,
        };
        self.index.learned_item(protocol).is_some() && self.index.model.protocol(protocol).ends_by_reference
    }

    /// Clones of a shared transaction that are put into something else, returned or moved into a closure: whoever has that may end it.
    pub(super) fn kept_elsewhere(&mut self, world: &mut World, values: &[Value]) {
        for value in values {
            match value {
                Value::Ref(_) => {
                    let shared = self.session_of(world, value).filter(|id| self.is_shared(&Value::Session(*id)));
                    if let Some(id) = shared {
                        self.loan.escapes |= self.lent == Some(id);
                        self.share(world, id);
                    }
                }
                Value::Success(inner) | Value::Fallible(inner) | Value::Wrapper(_, _, inner) | Value::Future(inner) => {
                    self.kept_elsewhere(world, std::slice::from_ref(inner));
                }
                Value::Tuple(parts) => self.kept_elsewhere(world, parts),
                _ => {}
            }
        }
    }

    /// Somebody else has a clone of a session, and may end it. Where this body gives it up itself on another way, it is still its own.
    pub(super) fn share(&mut self, world: &mut World, id: ObligationId) {
        let state = world.facts.obligations.get(&id);
        let is_own = state.is_some_and(|state| state.phase == Phase::Open || state.shared);
        self.forget_obligation(world, id);
        if is_own
            && self.is_shared(&Value::Session(id))
            && let Some(state) = world.facts.obligations.get_mut(&id)
        {
            state.shared = !self.sites[usize::from(id.site.0)].borrowed;
        }
    }

    /// The transaction of the project's own that a function gives by value.
    pub(super) fn learned_output(&self, item: ItemRef, self_ty: Option<Ty>) -> Option<ProtocolId> {
        if !self.index.has_learned() {
            return None;
        }
        let mut ty = self.index.output(item, self_ty)?;
        loop {
            ty = match ty {
                Ty::Future(inner) | Ty::Fallible(inner) => *inner,
                Ty::Known(id) => return self.index.learned_item(id).map(|_| id),
                // A struct around one.
                Ty::Own(item, _) => {
                    let (_, id) = self.index.owned_session(item)?;
                    return self.index.learned_item(id).map(|_| id);
                }
                _ => return None,
            };
        }
    }

    /// Whether a function that gives a transaction of the project's own opens none that anything could be lost with: it is given one,
    /// or to something that holds one, or asks for reading, or nobody can tell what it asks for.
    pub(super) fn opens_nothing(&self, world: &World, item: ItemRef, protocol: ProtocolId, call: &Call) -> bool {
        let Some(signature) = self.index.signature(item) else { return false };
        let holds = |param| self.index.holds_learned(&self.index.parameter_ty(item, param), protocol, MAX_HOLDERS);
        if (0..signature.params.len()).any(holds) {
            return true;
        }
        let words = self.index.model.learned_words();
        let receivers = usize::from(signature.has_receiver && signature.params.len() > call.args.len());
        call.args.iter().enumerate().any(|(at, arg)| {
            let Some(param) = signature.params.get(at + receivers) else { return false };
            let by_name = param.name.as_deref().and_then(|name| words.reads_only(name));
            let is_flag = param.ty.last_segment() == Some("bool");
            if is_flag {
                let Some(reads_only) = by_name else { return false };
                return match self.read_value(world, arg) {
                    Value::Bool(value) => value == reads_only,
                    _ => true,
                };
            }
            match self.index.parameter_ty(item, at + receivers) {
                Ty::Own(mode, _) if self.index.is_mode(mode) => {
                    let name = match self.read_value(world, arg) {
                        Value::Wrapper(_, variant, _) => variant.strip_prefix("::").map(str::to_owned),
                        _ => self.named_constant(arg),
                    };
                    name.and_then(|name| words.reads_only(&name)) != Some(false)
                }
                _ => false,
            }
        })
    }

    /// The last name of the constant or variant that an argument is written as.
    fn named_constant(&self, arg: &Operand) -> Option<String> {
        match arg {
            Operand::Item(path) => path.last().cloned(),
            Operand::Value(place) => match self.body.value_of(place)? {
                Rvalue::Use(Operand::Item(path)) => path.last().cloned(),
                _ => None,
            },
            Operand::Literal(Literal::Text(text)) => Some(text.clone()),
            _ => None,
        }
    }
}
