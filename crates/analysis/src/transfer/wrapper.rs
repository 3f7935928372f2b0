//! What does a struct of the workspace owe that owns a session? Learned from its methods.

use super::call::Receiver;
use crate::flow::Solver;
use crate::index::{ItemRef, Ty};
use crate::value::{ObligationId, Value};
use crate::world::{Phase, World};
use sessionlint_ir::{Call, Operand, Place, TypeRef};
use sessionlint_protocols::EndKind;

impl Solver<'_> {
    /// A value of a struct that owns a session, through as many structs as stand between them.
    pub(crate) fn wrap(&self, item: ItemRef, session: Value) -> Value {
        let Some((field, _)) = self.index.owned_session(item) else { return session };
        let inner = match self.index.field_ty(item, &field) {
            Ty::Own(inner) => self.wrap(inner, session),
            _ => session,
        };
        Value::Wrapper(item, field, Box::new(inner))
    }

    /// A struct literal that puts a session into the field that the struct owns one by.
    pub(crate) fn wrapped(&mut self, path: &[String], fields: &[(String, Operand)], values: &[Value]) -> Option<Value> {
        let written = TypeRef::Path { segments: path.to_vec(), args: Vec::new() };
        let Ty::Own(item) = self.index.ty(&self.scope, &written) else { return None };
        let (owner, _) = self.index.owned_session(item)?;
        let index = fields.iter().position(|(field, _)| *field == owner)?;
        let session = matches!(values[index], Value::Session(_) | Value::Wrapper(..));
        let others = values.iter().enumerate().any(|(other, value)| other != index && value.owns());
        if !session || others {
            return None;
        }
        let inner = values[index].clone();
        let mut found = Vec::new();
        inner.obligations(&mut found);
        for id in found {
            self.sites[usize::from(id.site.0)].wrapper = Some(item);
        }
        Some(Value::Wrapper(item, owner, Box::new(inner)))
    }

    /// The struct around a session in a value, and the field that owns it.
    pub(crate) fn wrapper_of(&self, world: &World, value: &Value) -> Option<(ItemRef, String)> {
        match value {
            Value::Wrapper(item, field, _) => Some((*item, field.clone())),
            Value::Ref(place) => match world.get(self.index, place) {
                Value::Wrapper(item, field, _) => Some((item, field)),
                _ => None,
            },
            _ => None,
        }
    }

    /// A method of such a struct: what its body does to the session is what the call does.
    pub(crate) fn wrapper_method(
        &mut self,
        world: &mut World,
        item: ItemRef,
        inner: Value,
        place: Option<Place>,
        name: &str,
        call: &Call,
    ) -> Value {
        let target = place.clone().map_or(Value::Unknown, Value::Ref);
        let Some(id) = self.session_of(world, &inner) else {
            self.pass_arguments(world, &call.args, call.name_span);
            return Value::Unknown;
        };
        self.touch(world, id);
        let methods = self.index.methods(item, name);
        let [method] = methods.as_slice() else {
            self.pass_arguments(world, &call.args, call.name_span);
            if methods.is_empty() && !name.starts_with("into_") {
                // Through `Deref`, or a trait that the library implements: it can only borrow.
                return target;
            }
            self.forget(world, &Value::Session(id));
            return Value::Unknown;
        };
        let signature = self.index.signature(*method);
        let by_value = signature.as_ref().is_some_and(
            |signature| matches!(signature.params.first(), Some(first) if !matches!(first.ty, TypeRef::Ref { .. })),
        );
        let protocol = self.protocol_of(id);
        let wrapper = self.wrapper_of(world, &target);
        let effect = self.analysis.effect(*method, 0, protocol, wrapper, self.depth);
        let wrote = match &effect {
            Some(effect) if effect.writes => {
                let value = self.first_write(world, id);
                self.write(world, id, Some(call.name_span));
                value
            }
            _ => Value::Unknown,
        };
        let ends = effect.as_ref().map(|effect| effect.ends.as_slice()).unwrap_or_default();
        // A method that commits may roll back where that fails.
        let end = if ends.contains(&EndKind::Commit) { Some(EndKind::Commit) } else { ends.first().copied() };
        if let Some(end) = end {
            self.pass_arguments(world, &call.args, call.name_span);
            let is_async = signature.as_ref().is_some_and(|signature| signature.is_async);
            return self.own_release(world, id, place, end, is_async, call);
        }
        if by_value || effect.is_none() {
            self.forget(world, &Value::Session(id));
        }
        let gives_itself = signature
            .as_ref()
            .is_some_and(|signature| matches!(signature.output, TypeRef::Ref { .. } | TypeRef::Bounds(_)));
        let value = self.own_function(world, *method, Receiver::Of(None), Some(Ty::Own(item)), call);
        match (gives_itself && !by_value, wrote) {
            (true, _) => target,
            (false, Value::Unknown) => value,
            (false, wrote) if value == Value::Unknown => wrote,
            _ => value,
        }
    }

    fn own_release(
        &mut self,
        world: &mut World,
        id: ObligationId,
        place: Option<Place>,
        end: EndKind,
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
            let release = Value::Release { obligation: id, end, fallible: true, eager: false };
            return Value::Future(Box::new(release));
        }
        self.end(world, id, end);
        Value::Fallible(Box::new(Value::Outcome(id, end)))
    }
}
