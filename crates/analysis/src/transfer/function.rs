//! What does a call by path do? Standard functions, functions and types of libraries, the workspace's own.

use super::open::From;
use super::own::Receiver;
use crate::index::{ItemRef, Resolved, Ty};
use crate::solver::{Outside, Solver};
use crate::value::Value;
use crate::workload::{Deed, Wait, Workload};
use crate::world::World;
use sessionlint_diagnostics::Evidence;
use sessionlint_ir::{Call, Callee, ItemKind, Literal, Operand, Place, TypeRef};
use sessionlint_protocols::{Opening, ProtocolId, Rank, Source};
use std::cmp::Reverse;

impl Solver<'_> {
    pub(crate) fn path_call(
        &mut self,
        world: &mut World,
        segments: &[String],
        qualifier: Option<&TypeRef>,
        call: &Call,
    ) -> Value {
        if let Some(value) = self.standard_function(world, segments, call) {
            return value;
        }
        if let Some(value) = self.in_place_function(world, segments, call) {
            return value;
        }
        let Some((name, owner)) = segments.split_last() else { return Value::Unknown };
        if let ("Self", [], Some(Ty::Own(item, _))) = (name.as_str(), owner, &self.scope.self_ty) {
            return self.constructed(world, *item, None, call);
        }
        if let Some(qualifier) = qualifier {
            let ty = self.index.ty(&self.scope, qualifier);
            return self.associated(world, &ty, name, call);
        }
        if owner.len() == 1 && owner[0] == "Self" {
            let ty = self.scope.self_ty.clone().unwrap_or(Ty::Unknown);
            return self.associated(world, &ty, name, call);
        }
        let is_parameter = |first: &String| self.scope.generics.iter().any(|(known, _)| known == first);
        // `T::open(..)`, or `S::Unit::open(..)` and `Self::Unit::open(..)`.
        if owner.first().is_some_and(|first| is_parameter(first) || (first == "Self" && owner.len() > 1)) {
            let ty = self.index.ty(&self.scope, &TypeRef::Path { segments: owner.to_vec(), args: Vec::new() });
            self.by_parameter = true;
            let value = self.associated(world, &ty, name, call);
            self.by_parameter = false;
            return value;
        }
        match self.index.resolve(&self.scope, segments) {
            Some(Resolved::External(path)) => self.external_function(world, &path, call),
            Some(Resolved::Item(item, rest)) => {
                let kind = self.index.item(item).map(|item| item.kind);
                match (kind, rest.as_slice()) {
                    (Some(ItemKind::Function), []) if self.takes_all(item, call) => {
                        self.own_function(world, item, Receiver::Argument, None, call)
                    }
                    (Some(ItemKind::Struct | ItemKind::Enum | ItemKind::Trait), [name]) => {
                        let ty =
                            self.index.ty(&self.scope, &TypeRef::Path { segments: owner.to_vec(), args: Vec::new() });
                        self.associated(world, &ty, name, call)
                    }
                    (Some(ItemKind::Alias), [name]) => {
                        let ty =
                            self.index.ty(&self.scope, &TypeRef::Path { segments: owner.to_vec(), args: Vec::new() });
                        self.associated(world, &ty, name, call)
                    }
                    (Some(ItemKind::Struct), []) => self.constructed(world, item, None, call),
                    _ => {
                        self.pass_arguments(world, &call.args, call.name_span);
                        Value::Unknown
                    }
                }
            }
            _ => {
                self.pass_arguments(world, &call.args, call.name_span);
                Value::Unknown
            }
        }
    }

    /// Whether a function takes all arguments that are passed: else an attribute made something else of it, and another one is
    /// meant. One that a builder was made of takes the rest later.
    fn takes_all(&self, item: ItemRef, call: &Call) -> bool {
        self.index.signature(item).is_none_or(|signature| signature.params.len() >= call.args.len())
    }

    /// Whether a call is passed a time that is written out, and is less than a second.
    fn is_short(&self, call: &Call) -> bool {
        let [Operand::Value(place)] = call.args.as_slice() else { return false };
        let time = self.body.call_of(place);
        let Some(Call { callee: Callee::Path { segments, .. }, args, .. }) = time else { return false };
        let [Operand::Literal(Literal::Number(number))] = args.as_slice() else { return false };
        match segments.last().map(String::as_str) {
            Some("from_millis") => *number < 1000,
            Some("from_micros") => *number < 1_000_000,
            Some("from_nanos") => *number < 1_000_000_000,
            _ => false,
        }
    }

    pub(crate) fn known_or_own(&self, world: &World, value: &Value) -> Option<Ty> {
        match value {
            Value::Typed(ty, _) => Some(ty.clone()),
            Value::Ref(place) => match world.get(self.index, place) {
                Value::Ref(_) => None,
                inner => self.known_or_own(world, &inner),
            },
            _ => None,
        }
    }

    /// The place that an operand is or refers to.
    pub(crate) fn target(&self, world: &World, operand: &Operand) -> Option<Place> {
        match operand {
            Operand::Value(place) | Operand::Ref { place, .. } => Some(world.canonical(place).0),
            _ => None,
        }
    }

    /// `TransactionManager::begin_transaction(conn)`: sessions that are a state of the first argument.
    fn in_place_function(&mut self, world: &mut World, segments: &[String], call: &Call) -> Option<Value> {
        let name = segments.last()?;
        let first = call.args.first()?;
        if segments.len() < 2 || !self.is_in_place_call(name) {
            return None;
        }
        let target = self.read(world, first);
        self.in_place_method(world, &target, name, &call.args[1..], call)
    }

    /// A function or associated function of a crate outside the workspace.
    fn external_function(&mut self, world: &mut World, path: &[String], call: &Call) -> Value {
        let model = self.index.model;
        let library = model.library_at(path).map(|(library, _)| library);
        let before = self.outside.replace(Outside { library, fills: model.standard().fills(path) });
        let value = self.function_of_others(world, path, call);
        self.outside = before;
        value
    }

    fn function_of_others(&mut self, world: &mut World, path: &[String], call: &Call) -> Value {
        let Some((name, owner)) = path.split_last() else { return Value::Unknown };
        let model = self.index.model;
        if let Some(value) = self.typed_function(world, path, call) {
            return value;
        }
        if let Some(protocol) = model.type_at(owner) {
            let library = model.library(model.protocol(protocol).library);
            let leaks = model.protocol(protocol).leaks.iter().any(|leak| {
                leak.split_once("::")
                    .is_some_and(|(ty, method)| method == name && owner.last().is_some_and(|o| o == ty))
            });
            if leaks && let [first] = call.args.as_slice() {
                let how = format!("{}::{name}", library.name);
                let value = self.operand(world, first);
                return self.taken_out(world, value, how, call.name_span);
            }
            return self.associated(world, &Ty::Known(protocol), name, call);
        }
        let openings = self.function_openings(path, call.args.len());
        if !openings.is_empty() {
            return self.opened_by_path(world, &openings, call);
        }
        if path.first().is_some_and(|krate| krate.starts_with("futures"))
            && let Some(joins) = model.standard().joins(path)
        {
            return self.joined(world, joins, call);
        }
        if let Some(work) = model.work_function(path) {
            if model.work(work).made_here {
                self.pass_arguments(world, &call.args, call.name_span);
                return Value::Typed(Ty::Work(work), None);
            }
            if self.is_made_here(world, &call.args) {
                self.pass_arguments(world, &call.args, call.name_span);
                return Value::Unknown;
            }
            self.pass_arguments(world, &call.args, call.name_span);
            let known = model.work(work);
            if known.rank == Rank::Pause {
                if self.tries_again(world) {
                    return self.later(Workload::default(), Value::Unknown);
                }
                let with_lent = self.waits_with_lent(call.name_span);
                let rank = if self.is_short(call) { Rank::Quick } else { Rank::Pause };
                let in_own_loop = self.body.leads_to(self.at, self.at);
                let wait = Wait { rank: Reverse(rank), with_lent, in_own_loop, ..self.wait_for(work) };
                return self.later(Workload::one(Deed::Outside(wait), call.name_span), Value::Unknown);
            }
            return self.outside(work, call.name_span);
        }
        // A trait's method by path: `Transport::send(&self.smtp, letter)`.
        if let Some((Operand::Value(place) | Operand::Ref { place, .. }, rest)) = call.args.split_first()
            && owner.last().is_some_and(|owner| owner.starts_with(char::is_uppercase))
            && matches!(world.get(self.index, place), Value::Typed(ty, _) if self.works(&ty, name))
        {
            let receiver = call.args[0].clone();
            let callee = Callee::Method { receiver, name: name.clone() };
            let call = Call { callee, args: rest.to_vec(), ..call.clone() };
            return self.call(world, &call);
        }
        if let Some(work) = model.work_type(owner) {
            self.pass_arguments(world, &call.args, call.name_span);
            return Value::Typed(Ty::Work(work), None);
        }
        if model.is_outside(path) {
            self.pass_arguments(world, &call.args, call.name_span);
            return self.later(Workload::one(Deed::Outside(Wait::named(name)), call.name_span), Value::Unknown);
        }
        if let Some((library, _)) = model.library_at(path) {
            let statements = &model.library(library).statements;
            if path.iter().any(|segment| statements.contains(segment)) {
                let effect = self.text_argument(world, &call.args);
                self.pass_arguments(world, &call.args, call.name_span);
                return Value::Statement(effect.unwrap_or_default());
            }
        }
        self.pass_arguments(world, &call.args, call.name_span);
        Value::Unknown
    }

    /// Whether a method of a library's type is slow work.
    fn works(&self, ty: &Ty, name: &str) -> bool {
        let model = self.index.model;
        let work = match ty.peeled() {
            Ty::Work(work) => Some(*work),
            Ty::Known(protocol) => model.work_of(*protocol),
            _ => None,
        };
        work.is_some_and(|work| model.work_done_by(work, name).is_some())
    }

    /// A function or associated function that opens something.
    fn opened_by_path(&mut self, world: &mut World, openings: &[(ProtocolId, Opening)], call: &Call) -> Value {
        let exclusive = openings.iter().any(|(_, opening)| opening.exclusive);
        let on = call.args.first().filter(|_| exclusive).map(|first| self.read(world, first));
        let from = on.and_then(|on| self.origin_of(world, &on)).map_or(From::Nowhere, From::Pool);
        if let From::Pool(origin) = &from {
            self.perform(world, &Workload::one(Deed::Checkout(origin.clone()), call.name_span));
        }
        let in_memory = openings.iter().any(|(_, opening)| opening.in_memory);
        let value = self.in_its_place(in_memory, call, |solver| {
            solver.opened(openings, call.name_span, Evidence::Traced, None, from)
        });
        self.made_with(world, &call.args, &value);
        self.pass_arguments(world, &call.args, call.name_span);
        value
    }

    fn function_openings(&self, path: &[String], args: usize) -> Vec<(ProtocolId, Opening)> {
        let model = self.index.model;
        let Some(name) = path.last() else { return Vec::new() };
        // Another crate may hand on the library under its name: `sea_orm::sqlx`. A module of that name farther inside is its own.
        let krate = path[..path.len() - 1].iter().take(2).rev().find(|part| model.library_of_crate(part).is_some());
        let mut sources = vec![Source::Function(path.join("::"))];
        if let Some(krate) = krate {
            sources.push(Source::Function(format!("{krate}::{name}")));
        }
        let found = sources.iter().map(|source| model.openings(source, name, args)).find(|found| !found.is_empty());
        let holds = |(protocol, opening): &(ProtocolId, &Opening)| {
            self.index.holds(self.scope.file, model.protocol(*protocol).library, opening.when.as_ref())
        };
        let found = found.unwrap_or_default().into_iter().filter(holds);
        found.map(|(protocol, opening)| (protocol, opening.clone())).collect()
    }

    /// `Struct(a, b)` or `Enum::Variant(a, b)`.
    fn constructed(&mut self, world: &mut World, item: ItemRef, variant: Option<String>, call: &Call) -> Value {
        let values: Vec<Value> = call.args.iter().map(|arg| self.operand(world, arg)).collect();
        self.kept_elsewhere(world, &values);
        let fields: Vec<String> = (0..values.len()).map(|index| index.to_string()).collect();
        if let Some(built) = self.built(item, variant, &fields, &values, world) {
            return built;
        }
        values.iter().for_each(|value| self.forget(world, value));
        self.uploads_guarded_by(world, item);
        Value::Typed(Ty::own(item), None)
    }

    /// `Type::name(..)`.
    fn associated(&mut self, world: &mut World, ty: &Ty, name: &str, call: &Call) -> Value {
        match ty.peeled() {
            Ty::Known(protocol) if let Some(owner) = self.index.learned_item(*protocol) => {
                match self.index.methods(owner, name).as_slice() {
                    [item] => self.own_function(world, *item, Receiver::Argument, Some(Ty::Known(*protocol)), call),
                    _ => {
                        self.pass_arguments(world, &call.args, call.name_span);
                        Value::Unknown
                    }
                }
            }
            Ty::Known(protocol) => {
                let found = self.index.model.openings(&Source::Associated(*protocol), name, call.args.len());
                let openings: Vec<(ProtocolId, Opening)> =
                    found.into_iter().map(|(protocol, opening)| (protocol, opening.clone())).collect();
                if !openings.is_empty() {
                    return self.opened_by_path(world, &openings, call);
                }
                if self.index.model.standard().gives_self(name) && !self.index.model.protocol(*protocol).is_session() {
                    self.pass_arguments(world, &call.args, call.name_span);
                    return Value::Typed(ty.clone(), None);
                }
                match call.args.split_first() {
                    Some((receiver, rest)) => {
                        let call = Call {
                            callee: sessionlint_ir::Callee::Method {
                                receiver: receiver.clone(),
                                name: name.to_owned(),
                            },
                            type_args: call.type_args.clone(),
                            args: rest.to_vec(),
                            name_span: call.name_span,
                            borrows_only: false,
                        };
                        self.call(world, &call)
                    }
                    None => Value::Unknown,
                }
            }
            Ty::Own(owner, _) => match self.index.methods_above(self.scope.file, *owner, name).as_slice() {
                [item] => self.own_function(world, *item, Receiver::Argument, Some(Ty::own(*owner)), call),
                [] if name.starts_with(char::is_uppercase) => {
                    self.constructed(world, *owner, Some(name.to_owned()), call)
                }
                [] if let Some(value) = self.derived_method(world, *owner, name, call) => value,
                [] if self.index.model.standard().gives_self(name) => {
                    self.pass_arguments(world, &call.args, call.name_span);
                    Value::Typed(Ty::own(*owner), None)
                }
                _ => {
                    self.pass_arguments(world, &call.args, call.name_span);
                    Value::Unknown
                }
            },
            _ => {
                self.pass_arguments(world, &call.args, call.name_span);
                Value::Unknown
            }
        }
    }
}
