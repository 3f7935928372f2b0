//! What does a call do? Macros, calls by path, and what calls have in common.

use super::given::Passed;
use super::lend::Lent;
use super::wrapper::fold;
use crate::events::{CauseKind, EventKind, Site, SiteId};
use crate::flow::{Solver, typed, typed_at};
use crate::index::Ty;
use crate::sql::{SqlControl, SqlEffect};
use crate::value::{Anchor, ObligationId, Origin, Root, Value};
use crate::workload::{Deed, Summary, Workload, seen_by_caller};
use crate::world::{Phase, World};
use sessionlint_diagnostics::{Evidence, Gap, Span};
use sessionlint_ir::{Call, Callee, Operand, Signature, TypeRef};
use sessionlint_protocols::{EndKind, LibraryId, Opening, ProtocolId, ProtocolKind, Shape};

impl Solver<'_> {
    pub(crate) fn call(&mut self, world: &mut World, call: &Call) -> Value {
        match &call.callee {
            Callee::Macro(path) => self.macro_call(world, path, call),
            Callee::Path { segments, qualifier } => self.path_call(world, segments, qualifier.as_ref(), call),
            Callee::Method { receiver, name } => self.method_call(world, receiver, name, call),
            Callee::Value(callee) => {
                self.value_called(world, callee, call.name_span);
                let callee = self.operand(world, callee);
                self.forget(world, &callee);
                self.pass_arguments(world, &call.args, call.name_span);
                Value::Unknown
            }
        }
    }

    fn macro_call(&mut self, world: &mut World, path: &[String], call: &Call) -> Value {
        if let Some(effect) = self.statement_macro(path, call) {
            for arg in &call.args {
                self.read(world, arg);
            }
            return Value::Statement(effect);
        }
        if call.borrows_only {
            return Value::Unknown;
        }
        let mut unknown = false;
        for arg in &call.args {
            let value = self.operand(world, arg);
            if let Some(id) = self.session_of(world, &value) {
                // The macro may do anything with it, its end included.
                unknown = true;
                self.forget_obligation(world, id);
            }
            self.forget(world, &value);
        }
        if unknown {
            let reason = format!("the macro `{}!` takes a session", path.join("::"));
            self.gaps.insert(Gap { span: call.name_span, reason });
        }
        Value::Unknown
    }

    /// The statement that a macro of a library makes from its first text.
    fn statement_macro(&mut self, path: &[String], call: &Call) -> Option<SqlEffect> {
        let library = self.library_of(path)?;
        let (name, model) = (path.last()?, self.index.model);
        model.library(library).statements.iter().any(|known| known == name).then_some(())?;
        let text = call.args.iter().find_map(|arg| match arg {
            Operand::Literal(sessionlint_ir::Literal::Text(text)) => Some(SqlEffect::of(text)),
            _ => None,
        });
        Some(text.unwrap_or_default())
    }

    /// The library that a path leads into.
    fn library_of(&self, path: &[String]) -> Option<LibraryId> {
        match self.index.resolve(&self.scope, path)? {
            crate::index::Resolved::External(full) => self.index.model.library_at(&full).map(|(library, _)| library),
            _ => None,
        }
    }

    /// Reads an argument without moving anything.
    pub(crate) fn read(&self, world: &World, operand: &Operand) -> Value {
        match operand {
            Operand::Value(place) | Operand::Ref { place, .. } => Value::Ref(world.canonical(place).0),
            Operand::Literal(sessionlint_ir::Literal::Text(text)) => Value::Text(SqlEffect::of(text)),
            _ => Value::Unknown,
        }
    }

    /// The effect of the first text or statement among the arguments.
    pub(crate) fn text_argument(&mut self, world: &World, args: &[Operand]) -> Option<SqlEffect> {
        args.iter().find_map(|arg| {
            let value = match arg {
                Operand::Value(place) | Operand::Ref { place, .. } => world.get(self.index, place),
                Operand::Literal(sessionlint_ir::Literal::Text(text)) => Value::Text(SqlEffect::of(text)),
                Operand::Item(path) => self.item_value(path),
                Operand::Literal(_) => Value::Unknown,
            };
            match value {
                Value::Text(effect) | Value::Statement(effect) | Value::Prepared(_, effect) => Some(effect),
                _ => None,
            }
        })
    }

    /// Arguments go to code that is not known: by value the session is theirs, by reference it may be used.
    pub(crate) fn pass_arguments(&mut self, world: &mut World, args: &[Operand], _span: Span) -> Vec<Value> {
        let values: Vec<Value> = args.iter().map(|arg| self.operand(world, arg)).collect();
        for value in &values {
            if let Some(id) = self.session_of(world, value) {
                self.touch(world, id);
            }
            self.forget(world, value);
            self.forget_option(world, value);
        }
        values
    }

    /// An `Option` that holds a session, given by reference: whoever has it may take the session out.
    fn forget_option(&mut self, world: &mut World, value: &Value) {
        let Value::Ref(place) = value else { return };
        if let Value::Success(inner) | Value::Fallible(inner) = world.get(self.index, place) {
            self.forget(world, &inner);
        }
    }

    /// What a call of the workspace's own function does to its arguments, and what it gives.
    pub(crate) fn own_function(
        &mut self,
        world: &mut World,
        item: crate::index::ItemRef,
        receiver: Receiver,
        self_ty: Option<Ty>,
        call: &Call,
    ) -> Value {
        let receivers = usize::from(!matches!(receiver, Receiver::Argument));
        let text = self.text_argument(world, &call.args);
        let values: Vec<Value> = call.args.iter().map(|arg| self.operand(world, arg)).collect();
        let mut wrote = Value::Unknown;
        let (mut all, mut origins) = match &receiver {
            Receiver::Argument => (Vec::new(), Vec::new()),
            Receiver::Of(value, origin) => (vec![value.clone().unwrap_or_default()], vec![origin.clone()]),
        };
        origins.extend(values.iter().map(|value| self.origin_of(world, value)));
        all.extend(values.iter().cloned());
        let Summary { mut workload, gives: given, .. } = self.called(world, item, &all, &origins, call.name_span);
        let gives = given.as_ref().and_then(|given| seen_by_caller(given.origin()?, &origins));
        let passed = Passed::Arguments(all, origins);
        if let Some(known) = self.narrow.take() {
            workload = self.narrowed(workload, &known, &passed, call.name_span);
        }
        let instance = given.and_then(|given| self.instantiated(world, &given, &passed, call.name_span));
        let runs = Workload(workload.0.extract_if(.., |deed, _| matches!(deed, Deed::Runs { .. })).collect());
        self.run_closures(world, &mut workload, &runs, call, &passed);
        // What is given back is still here.
        let mut kept = Vec::new();
        instance.iter().for_each(|value| value.obligations(&mut kept));
        // A connection of a pool of the project's own: the pool is what the method is called on.
        let own_pool = match &receiver {
            Receiver::Of(_, Some(pool)) if instance.is_none() && self.index.hands_out_pooled(item) => {
                Some(pool.clone())
            }
            _ => None,
        };
        if let Some(pool) = &own_pool {
            workload.add(Deed::Checkout(pool.clone()), vec![call.name_span]);
        }
        let gives = own_pool.or(gives);
        // What an accessor gives is the same thing every time.
        let gives = gives.or_else(|| match receiver {
            Receiver::Of(_, origin) if call.args.is_empty() => {
                let name = &self.index.item(item)?.name;
                origin?.then(format!("{name}()"))
            }
            Receiver::Argument if call.args.is_empty() => Some(Origin { root: Root::Item(item), path: Vec::new() }),
            _ => None,
        });
        for (index, value) in values.iter().enumerate() {
            let lent = Lent { item, param: index + receivers, at: call.name_span };
            let told = self.lent_argument(world, &lent, value, &passed, &mut workload);
            if told != Value::Unknown {
                wrote = told;
            }
            let mut inside = Vec::new();
            value.obligations(&mut inside);
            if inside.is_empty() || inside.iter().any(|id| !kept.contains(id)) {
                self.forget(world, value);
            }
            self.forget_option(world, value);
        }
        let signature = self.index.signature(item);
        let value = match (instance, self.index.output(item, self_ty)) {
            (Some(value), _) if signature.as_ref().is_some_and(is_future) => Value::Future(Box::new(value)),
            (Some(value), _) => value,
            // A function around the library's own: the statement does what its text says.
            (None, Some(Ty::Statement)) => Value::Statement(text.unwrap_or_default()),
            (None, Some(ty)) => match self.handed_out(&ty, call.name_span, gives.as_ref()) {
                Value::Unknown if is_fallible(&ty) => wrote,
                value => value,
            },
            (None, None) => Value::Unknown,
        };
        if workload.is_empty() {
            return value;
        }
        match value {
            Value::Future(inner) => self.later(workload, *inner),
            value if signature.as_ref().is_some_and(is_future) => self.later(workload, value),
            value => {
                self.perform(world, &workload);
                value
            }
        }
    }

    /// What a function of the workspace returns: a session by value begins here.
    fn handed_out(&mut self, ty: &Ty, span: Span, from: Option<&Origin>) -> Value {
        match ty {
            Ty::Known(protocol) => {
                let known = self.index.model.protocol(*protocol);
                if known.kind == ProtocolKind::Pool || known.in_place {
                    return Value::Typed(ty.clone(), from.cloned());
                }
                let site = self.opening_site(*protocol, span, Evidence::Inferred, None);
                self.pools.extend(from.map(|pool| (site, pool.clone())));
                Value::Pending(site, None)
            }
            Ty::Own(item) => match self.index.owned_session(*item) {
                Some((_, protocol)) => {
                    let site = self.opening_site(protocol, span, Evidence::Inferred, None);
                    self.pools.extend(from.map(|pool| (site, pool.clone())));
                    self.wrap(*item, Value::Pending(site, None))
                }
                None => match self.index.pooled_session(*item) {
                    Some((layers, protocol)) => {
                        let site = self.opening_site(protocol, span, Evidence::Inferred, None);
                        self.sites[usize::from(site.0)].pooled = true;
                        self.pools.extend(from.map(|pool| (site, pool.clone())));
                        fold(&layers, Value::Pending(site, None))
                    }
                    None => Value::Typed(ty.clone(), from.cloned()),
                },
            },
            Ty::Future(inner) => match self.handed_out(inner, span, from) {
                Value::Unknown => Value::Unknown,
                inner => Value::Future(Box::new(inner)),
            },
            Ty::Fallible(inner) => match self.handed_out(inner, span, from) {
                Value::Unknown => Value::Unknown,
                inner => Value::Fallible(Box::new(inner)),
            },
            Ty::Tuple(parts) => {
                let parts: Vec<Value> = parts.iter().map(|part| self.handed_out(part, span, from)).collect();
                if parts.iter().all(|part| *part == Value::Unknown) { Value::Unknown } else { Value::Tuple(parts) }
            }
            Ty::Ref(_) => typed_at(ty.clone(), from.cloned()),
            other => typed(other.clone()),
        }
    }

    pub(crate) fn opening_site(
        &mut self,
        protocol: ProtocolId,
        span: Span,
        evidence: Evidence,
        anchor: Option<(&Anchor, &World)>,
    ) -> SiteId {
        let mut site = Site {
            span,
            name: None,
            protocol,
            evidence,
            layers: Vec::new(),
            own_end: None,
            borrowed: false,
            raw: false,
            parameter: false,
            on_borrowed: false,
            pooled: false,
            ended: Vec::new(),
        };
        let pool = match anchor {
            Some((Anchor::Obligation(id), _)) => self.pools.get(&id.site).cloned(),
            _ => None,
        };
        match anchor {
            Some((Anchor::Obligation(id), _)) => {
                let connection = &self.sites[usize::from(id.site.0)];
                site.name = connection.name.clone();
                site.on_borrowed = connection.borrowed;
                site.pooled = self.index.model.protocol(connection.protocol).pooled;
            }
            Some((Anchor::Place(place), _)) => {
                site.name = self.body.locals[place.local.index()].name.clone();
                site.on_borrowed = true;
            }
            None => {}
        }
        let site = self.site(site);
        self.pools.extend(pool.map(|pool| (site, pool)));
        site
    }

    /// The value of calls that open sessions; several openings of one call are the parts of a tuple.
    pub(crate) fn opened(
        &mut self,
        openings: &[(ProtocolId, Opening)],
        span: Span,
        evidence: Evidence,
        anchor: Option<(Anchor, &World)>,
        from: From,
    ) -> Value {
        let Some((protocol, opening)) = openings.first() else { return Value::Unknown };
        let one = |solver: &mut Self, protocol: ProtocolId| {
            let known = solver.index.model.protocol(protocol);
            if known.kind == ProtocolKind::Pool {
                return Value::Typed(Ty::Known(protocol), None);
            }
            let in_place = known.in_place;
            let anchor = anchor.as_ref().filter(|_| in_place);
            let site = solver.opening_site(protocol, span, evidence, anchor.map(|(anchor, world)| (anchor, *world)));
            match &from {
                From::Nowhere => {}
                From::Pool(pool) => {
                    solver.pools.insert(site, pool.clone());
                }
                From::Session(id) => {
                    solver.pools.extend(solver.pools.get(&id.site).cloned().map(|pool| (site, pool)));
                }
            }
            if let From::Session(parent) = from
                && solver.index.model.protocol(solver.protocol_of(parent)).is_transaction()
            {
                solver.parents.insert(site, parent);
            }
            Value::Pending(site, anchor.map(|(anchor, _)| anchor.clone()))
        };
        let mut value = Value::Unknown;
        for shape in opening.shape.iter().rev() {
            value = match (shape, value) {
                (Shape::Tuple { len, .. }, _) => {
                    let mut parts = vec![Value::Unknown; *len];
                    for (protocol, opening) in openings {
                        let index = opening.shape.iter().find_map(|shape| match shape {
                            Shape::Tuple { index, .. } => Some(*index),
                            Shape::Fallible => None,
                        });
                        if let Some(slot) = index.and_then(|index| parts.get_mut(index)) {
                            *slot = one(self, *protocol);
                        }
                    }
                    Value::Tuple(parts)
                }
                (Shape::Fallible, Value::Unknown) => Value::Fallible(Box::new(one(self, *protocol))),
                (Shape::Fallible, inner) => Value::Fallible(Box::new(inner)),
            };
        }
        if opening.shape.is_empty() {
            value = one(self, *protocol);
        }
        if opening.is_async { Value::Future(Box::new(value)) } else { value }
    }

    /// Runs an SQL text on a session or connection.
    pub(crate) fn run_text(&mut self, world: &mut World, target: &Value, effect: SqlEffect, span: Span) -> Value {
        let Some((protocol, anchor)) = self.anchor_of(world, target) else { return Value::Unknown };
        let known = self.index.model.protocol(protocol);
        let mut value = Value::Unknown;
        if let Anchor::Obligation(id) = &anchor {
            self.touch(world, *id);
            self.goes_on(world, *id);
            if self.lent == Some(*id) {
                self.texts.extend(effect.control);
                self.lent_holds |= effect.holds;
            }
            if effect.holds
                && let Some(state) = world.facts.obligations.get_mut(id)
            {
                state.by_design = true;
            }
            if effect.writes {
                value = self.first_write(world, *id);
                self.write(world, *id, Some(span));
            }
        }
        if effect.writes {
            self.write_anchored(world, &anchor, span);
        }
        // Inside a transaction of the library SAVEPOINT and the like are its own affair.
        if known.is_transaction() {
            return value;
        }
        match effect.control {
            Some(SqlControl::Begin | SqlControl::Savepoint) if known.keeps_begin => {
                let site = self.opening_site(protocol, span, Evidence::Typed, Some((&anchor, world)));
                // The same call is the connection's site or the raw transaction's, never both.
                let site = self.raw_site(site, &anchor, protocol, span);
                Value::Fallible(Box::new(Value::Pending(site, Some(anchor))))
            }
            Some(control @ (SqlControl::Commit | SqlControl::Rollback)) => {
                let end = if control == SqlControl::Commit { EndKind::Commit } else { EndKind::Rollback };
                for id in world.anchored(&anchor) {
                    if self.sites[usize::from(id.site.0)].raw {
                        self.ended_at(id, span, end);
                        world.set_phase(id, Phase::Ended(end));
                    }
                }
                Value::Unknown
            }
            Some(SqlControl::Release) => {
                let last = world.anchored(&anchor).into_iter().rfind(|id| self.sites[usize::from(id.site.0)].raw);
                if let Some(id) = last {
                    self.ended_at(id, span, EndKind::Commit);
                    world.set_phase(id, Phase::Ended(EndKind::Commit));
                }
                Value::Unknown
            }
            _ => Value::Unknown,
        }
    }

    /// The result of a write: when it is an error and nothing was written before, nothing is.
    pub(crate) fn first_write(&self, world: &World, id: ObligationId) -> Value {
        if world.is_written(id) { Value::Unknown } else { Value::Fallible(Box::new(Value::Wrote(id))) }
    }

    fn raw_site(&mut self, made: SiteId, anchor: &Anchor, protocol: ProtocolId, span: Span) -> SiteId {
        let template = self.sites[usize::from(made.0)].clone();
        if usize::from(made.0) + 1 == self.sites.len() && !template.raw && template.ended.is_empty() {
            self.sites.pop();
        }
        debug_assert!(template.span == span && template.protocol == protocol);
        let on_borrowed = template.on_borrowed || matches!(anchor, Anchor::Place(_));
        self.site(Site { raw: true, on_borrowed, ..template })
    }

    pub(crate) fn write_anchored(&mut self, world: &mut World, anchor: &Anchor, span: Span) {
        for id in world.anchored(anchor) {
            self.write(world, id, Some(span));
        }
    }

    /// Remembers that a session is ended at a place, on whatever way.
    pub(crate) fn ended_at(&mut self, id: ObligationId, span: Span, end: EndKind) {
        let known = &mut self.sites[usize::from(id.site.0)].ended;
        if !known.contains(&(span, end)) {
            known.push((span, end));
        }
    }

    /// `drop(x)`.
    pub(crate) fn explicit_drop(&mut self, world: &mut World, operand: &Operand, span: Span) -> Value {
        let value = self.operand(world, operand);
        self.drop_value(world, &value, CauseKind::Explicit, span);
        Value::Unknown
    }

    /// The session in an operand is taken out of everything that would end it.
    pub(crate) fn leak(&mut self, world: &mut World, operand: &Operand, how: String, span: Span) -> Value {
        let value = self.operand(world, operand);
        let session = if value.owns() { self.session_of(world, &value) } else { None };
        if let Some(id) = session {
            if world.is_open(id) {
                self.event(world, EventKind::Leaked { how }, id, CauseKind::Explicit, span, None);
            }
            self.forget_obligation(world, id);
        } else {
            self.forget(world, &value);
        }
        Value::Unknown
    }
}

/// What a method is called on.
pub(crate) enum Receiver {
    /// It is the first of the arguments, or there is none.
    Argument,
    /// This value, and where it comes from, as far as they are known.
    Of(Option<Value>, Option<Origin>),
}

/// What a session is opened on.
pub(crate) enum From {
    /// Nothing that is known.
    Nowhere,
    /// A pool.
    Pool(Origin),
    /// A connection or transaction.
    Session(ObligationId),
}

/// Whether a function gives a future, so that it does nothing before that is polled.
fn is_future(signature: &Signature) -> bool {
    fn names_one(ty: &TypeRef) -> bool {
        match ty {
            TypeRef::Path { segments, args } => {
                segments.last().is_some_and(|name| name.ends_with("Future")) || args.iter().any(names_one)
            }
            TypeRef::Bounds(bounds) => bounds.iter().any(names_one),
            _ => false,
        }
    }
    signature.is_async || names_one(&signature.output)
}

/// Whether a call gives a result, at once or when it is awaited.
fn is_fallible(ty: &Ty) -> bool {
    match ty {
        Ty::Future(inner) => is_fallible(inner),
        Ty::Fallible(_) => true,
        _ => false,
    }
}
