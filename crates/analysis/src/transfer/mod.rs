//! What does one statement do to what is known?

mod answers;
mod becomes;
mod call;
mod change;
mod child;
mod derived;
mod drops;
mod failure;
mod function;
mod future;
mod given;
mod in_place;
mod inputs;
mod joined;
mod learned;
mod lend;
mod made;
mod method;
mod named;
mod open;
mod own;
mod pause;
mod queued;
mod release;
mod replaced;
mod session;
mod state;
mod thrown;
mod tried;
mod typed;
mod uploads;
mod waits;
mod workload;
mod wrapper;

pub(crate) use function::MANUALLY_DROP;
pub(crate) use made::Made;
pub(crate) use thrown::Thrown;
pub(crate) use wrapper::fold;

use crate::events::CauseKind;
use crate::index::Ty;
use crate::solver::{Solver, typed, typed_at};
use crate::sql::SqlEffect;
use crate::value::{Anchor, ObligationId, Origin, Root, Value};
use crate::workload::Deed;
use crate::world::{Phase, World};
use sessionlint_diagnostics::Span;
use sessionlint_ir::{
    AggregateKind, Answer, DropCause, ExitKind, Literal, LocalId, Operand, Place, Projection, Race, Rvalue, Statement,
    StatementKind, TypeRef,
};
use sessionlint_protocols::{EndKind, ProtocolId};

impl Solver<'_> {
    /// Runs one statement in one world.
    pub(crate) fn statement(&mut self, world: &mut World, statement: &Statement) {
        // What was known of a variable does not hold for its next value.
        let set = match &statement.kind {
            StatementKind::Assign(place, _) => Some(place.local),
            StatementKind::Bind { local, .. } | StatementKind::Change { local, .. } => Some(*local),
            StatementKind::Drop(..) => None,
        };
        if let Some(set) = set.filter(|_| !world.facts.conditions.is_empty()) {
            let conditions = &self.body.conditions;
            let meant = world.canonical(&Place::local(set)).0.local;
            let stays = |roots: &[LocalId]| !roots.contains(&set) && !roots.contains(&meant);
            world.facts.conditions.retain(|id, _| stays(&conditions[id.0 as usize].roots));
        }
        match &statement.kind {
            StatementKind::Assign(place, value) => {
                let amount = self.amount(world, value);
                self.assign(world, place, value, statement.span);
                self.set(world, place, amount);
            }
            StatementKind::Bind { local, from, by_ref } => {
                let (canonical, through_reference) = world.canonical(from);
                let value =
                    if *by_ref || through_reference { Value::Ref(canonical) } else { world.take(self.index, from) };
                let value = self.realise(world, value);
                self.name(world, &value, *local);
                let value = self.declared(*local, value);
                world.set(&Place::local(*local), value);
            }
            StatementKind::Change { local, grows, by_name } => self.change(world, *local, *grows, *by_name),
            StatementKind::Drop(locals, cause) => self.drop_locals(world, locals, cause, statement.span),
        }
    }

    fn assign(&mut self, world: &mut World, place: &Place, value: &Rvalue, span: Span) {
        self.unawaited = !self.awaited.contains(place);
        let written = value;
        let mut value = self.value(world, value, span);
        if place.projection.iter().all(|step| *step == Projection::Deref) {
            let target = if place.projection.is_empty() { place.clone() } else { world.canonical(place).0 };
            // `*slot = ..`, where nothing of this body is behind `slot`.
            let is_outside = !place.projection.is_empty() && target.local == place.local;
            if target.projection.is_empty() && !(is_outside && value.owns()) {
                let old = world.facts.store.get(&target).cloned().unwrap_or_default();
                if old.owns() {
                    self.drop_value(world, &old, CauseKind::Overwritten, span);
                }
                // A value that is not wrapped in a result exists as soon as it is stored.
                value = self.realise(world, value);
                self.name(world, &value, target.local);
                value = self.declared(target.local, value);
                if let Value::Exit(..) = value {
                    world.trace.exit = Some(span);
                }
                world.set(&target, value);
                return;
            }
        }
        // Stored in a field or element: whoever owns that answers for it.
        self.kept_elsewhere(world, std::slice::from_ref(&value));
        self.forget(world, &value);
        let (target, through_reference) = world.canonical(place);
        let old = world.get(self.index, &target);
        if old.owns() && !through_reference {
            self.drop_value(world, &old, CauseKind::Overwritten, span);
        }
        self.replaced(world, &target, &old, written, span);
        world.set(&target, if value.owns() { Value::Unknown } else { value });
    }

    /// A value with the type that its variable declares, where the value itself says nothing.
    fn declared(&mut self, local: LocalId, value: Value) -> Value {
        if value != Value::Unknown {
            return value;
        }
        match &self.body.locals[local.index()].ty {
            Some(written) => typed(self.index.ty(&self.scope, written)),
            None => value,
        }
    }

    /// Remembers which variable holds a session.
    fn name(&mut self, world: &World, value: &Value, local: LocalId) {
        let Some(name) = &self.body.locals[local.index()].name else { return };
        let referred;
        let mut inner = value;
        // `let conn = &mut pool.get()?` names what has no name of its own.
        if let Value::Ref(place) = value {
            referred = world.get(self.index, place);
            inner = &referred;
        }
        // A future that will open one has none.
        while let Value::Success(next) | Value::Fallible(next) | Value::Work(_, next) | Value::Wrapper(_, _, next) =
            inner
        {
            inner = next;
        }
        let site = match inner {
            Value::Session(id) => id.site,
            Value::Pending(site, None) => *site,
            _ => return,
        };
        let site = &mut self.sites[usize::from(site.0)];
        // The variable of an arm only hands it on.
        let of_pattern = |variable: LocalId| {
            self.body.statements().any(|statement| match statement.kind {
                StatementKind::Bind { local, .. } => local == variable,
                _ => false,
            })
        };
        let moves_on =
            !matches!(value, Value::Ref(_)) && site.variable.is_some_and(|held| held != local && of_pattern(held));
        if site.name.is_none() || moves_on {
            site.name = Some(name.clone());
        }
        // The last one: `let tx = match begin().await { Ok(value) => value, .. }`.
        if !matches!(value, Value::Ref(_)) {
            site.variable = Some(local);
        }
    }

    fn value(&mut self, world: &mut World, value: &Rvalue, span: Span) -> Value {
        match value {
            Rvalue::Use(operand) => self.operand(world, operand),
            Rvalue::Call(call) => self.call(world, call),
            Rvalue::Await { future, race } => {
                if self.lets_others_run(future) {
                    self.queues_are_written(world);
                }
                // What is kept in a variable is waited for where that is awaited.
                let kept = self.is_named(world, future);
                let future = self.future(world, future);
                let future = if kept { self.waited_at(future, span) } else { future };
                match race {
                    Race::None => {}
                    Race::Select => self.cancelled(world, &future, "`select!`", 0),
                    Race::TryJoin => self.cancelled(world, &future, "`try_join!`", 1),
                }
                self.awaited(world, future, span, *race == Race::Select)
            }
            Rvalue::Select(futures) => {
                self.selected(world, futures, span);
                Value::Unknown
            }
            Rvalue::Aggregate(kind, fields) => self.aggregate(world, kind, fields),
            Rvalue::Closure { child, by_move } => self.closure(world, *child, *by_move, span),
            Rvalue::Exit(kind, answer, operand) => {
                let value = self.operand(world, operand);
                if *kind != ExitKind::Error {
                    self.given(world, &value);
                    if let Some(lent) = self.lent.filter(|_| value != Value::Failure) {
                        self.loan.exits.insert(world.is_written(lent));
                        self.loan.changed.insert(says_changed(&value));
                    }
                }
                self.kept_elsewhere(world, std::slice::from_ref(&value));
                self.forget(world, &value);
                let shape = match value {
                    Value::Failure => Value::Failure,
                    Value::Exit(ExitKind::Error, ..) => Value::Failure,
                    _ => Value::Unknown,
                };
                Value::Exit(*kind, *answer, Box::new(shape))
            }
            Rvalue::Any { of, any } => {
                let value = self.operand(world, of);
                let (place, asked) = match &value {
                    Value::Ref(place) => {
                        let ((place, _), asked) = self.read_at(world, place);
                        (Some(place), asked)
                    }
                    _ => (None, value.clone()),
                };
                let told = any_of(&asked, *any);
                match (&told, place) {
                    // Who asks for the opposite has the answer.
                    (Value::Verdict { .. }, Some(place)) => world.set(&place, Value::Unknown),
                    (Value::Unknown, _) => {
                        self.forget(world, &value);
                        self.polled_in_part(world, &value);
                    }
                    _ => {}
                }
                told
            }
            Rvalue::Opaque(operands) => {
                for operand in operands {
                    let value = self.operand(world, operand);
                    self.forget(world, &value);
                    self.polled_in_part(world, &value);
                }
                Value::Unknown
            }
        }
    }

    /// Reads an operand; a session is moved out of its place.
    fn operand(&mut self, world: &mut World, operand: &Operand) -> Value {
        match operand {
            Operand::Value(place) => match self.read_at(world, place) {
                // What the caller keeps stays where it is.
                (target, value) if value.owns() && self.is_lent_at(world, place, &value) => Value::Ref(target.0),
                // `*pool.get()?`: what the connection holds is copied, and the connection stays.
                (_, Value::Session(id))
                    if place.projection.last() == Some(&Projection::Deref)
                        && self.index.model.protocol(self.protocol_of(id)).pooled =>
                {
                    self.touch(world, id);
                    Value::Unknown
                }
                (target, value) => world.taken(place, target, value),
            },
            Operand::Ref { place, .. } => Value::Ref(world.canonical(place).0),
            Operand::Literal(Literal::Text(text)) => Value::Text(self.index.text_effect(text)),
            Operand::Literal(Literal::Bool(value)) => Value::Bool(*value),
            Operand::Literal(_) => Value::Unknown,
            Operand::Item(path) => self.item_value(path),
        }
    }

    /// The place that is meant, whether that is behind a reference, and what is there.
    fn read_at(&self, world: &World, place: &Place) -> ((Place, bool), Value) {
        let target = world.canonical(place);
        let value = world.get_canonical(self.index, &target.0);
        (target, value)
    }

    /// Whether the session in a value belongs to the caller. What was taken out of an option does not stay there.
    pub(crate) fn is_lent(&self, value: &Value) -> bool {
        match value {
            Value::Session(id) => self.sites[usize::from(id.site.0)].borrowed,
            Value::Wrapper(_, _, inner) => match &**inner {
                Value::Success(inner) | Value::Fallible(inner) => self.is_lent(inner),
                inner => self.is_lent(inner),
            },
            _ => false,
        }
    }

    /// The same for a value at a place: an option that was handed in is still the caller's.
    fn is_lent_at(&self, world: &World, place: &Place, value: &Value) -> bool {
        match value {
            Value::Success(inner) | Value::Fallible(inner) => {
                let local = world.canonical(place).0.local;
                let handed_in = self.body.params.contains(&local)
                    || self.body.captures.iter().any(|capture| capture.inner == local);
                handed_in && self.is_lent(inner)
            }
            value => self.is_lent(value),
        }
    }

    /// A constant or static, by path.
    fn item_value(&mut self, path: &[String]) -> Value {
        let is_constant = path.last().is_some_and(|name| name.chars().all(|c| !c.is_lowercase()) && name.len() > 1);
        if !is_constant {
            return self.unit_value(path);
        }
        if let Some(text) = self.index.constant_text(&self.scope, path) {
            return Value::Text(self.index.text_effect(&text));
        }
        if let [_, .., name] = path {
            let texts = self.index.associated_texts(self.scope.file, name);
            let mut effects = texts.iter().map(|text| self.index.text_effect(text));
            if let Some(first) = effects.next() {
                // Dialects of one statement do the same; where they do not, nothing is known.
                return if effects.all(|effect| effect == first) { Value::Text(first) } else { Value::Unknown };
            }
        }
        match self.index.constant_ty(&self.scope, path) {
            Some((item, ty)) => typed_at(ty, Some(Origin { root: Root::Item(item), path: Vec::new() })),
            None => self.unit_value(path),
        }
    }

    /// A struct without fields, or a variant without: `Kind::Welcome`.
    fn unit_value(&self, path: &[String]) -> Value {
        let Some((name, owner)) = path.split_last().filter(|(name, _)| name.starts_with(char::is_uppercase)) else {
            return Value::Unknown;
        };
        let named = |segments: &[String]| {
            self.index.ty(&self.scope, &TypeRef::Path { segments: segments.to_vec(), args: Vec::new() })
        };
        match named(path) {
            ty @ Ty::Own(..) => return Value::Typed(ty, None),
            _ if owner.is_empty() => return Value::Unknown,
            _ => {}
        }
        match named(owner) {
            // Which mode a transaction is opened in may be chosen before.
            Ty::Own(item, _) if self.index.is_mode(item) && self.index.has_variant(item, name) => {
                Value::Wrapper(item, format!("::{name}"), Box::default())
            }
            Ty::Own(item, args) if self.index.has_variant(item, name) => Value::Typed(Ty::Own(item, args), None),
            _ => Value::Unknown,
        }
    }

    fn aggregate(&mut self, world: &mut World, kind: &AggregateKind, fields: &[(String, Operand)]) -> Value {
        let mut values: Vec<Value> = fields.iter().map(|(_, operand)| self.operand(world, operand)).collect();
        match kind {
            AggregateKind::Tuple => Value::Tuple(values),
            AggregateKind::Success => {
                let inner = values.pop().unwrap_or_default();
                let inner = self.realise(world, inner);
                Value::Success(Box::new(inner))
            }
            AggregateKind::Failure => {
                values.iter().for_each(|value| self.forget(world, value));
                Value::Failure
            }
            AggregateKind::Array => {
                self.kept_elsewhere(world, &values);
                values.iter().for_each(|value| self.forget(world, value));
                let is_work = |value: &Value| matches!(value, Value::Future(_)) && !value.owns();
                // Texts that are run one after another do what all of them do.
                let texts = values.iter().filter_map(|value| match value {
                    Value::Text(effect) => Some(*effect),
                    _ => None,
                });
                match texts.reduce(|a, b| SqlEffect { writes: a.writes || b.writes, ..SqlEffect::default() }) {
                    Some(effect) => Value::Text(effect),
                    // Futures that somebody may make one of.
                    None if !values.is_empty() && values.iter().all(is_work) => Value::Tuple(values),
                    None => Value::Unknown,
                }
            }
            AggregateKind::Struct(path) => {
                self.kept_elsewhere(world, &values);
                if let Some(wrapped) = self.wrapped(path, &wrapper::names(fields), &values, world) {
                    if let Value::Wrapper(owner, ..) = &wrapped {
                        self.uploads_guarded_by(world, *owner);
                    }
                    return wrapped;
                }
                values.iter().for_each(|value| self.forget(world, value));
                let ty = self
                    .index
                    .ty(&self.scope, &sessionlint_ir::TypeRef::Path { segments: path.clone(), args: Vec::new() });
                match ty {
                    Ty::Own(owner, _) => {
                        self.uploads_guarded_by(world, owner);
                        Value::Typed(ty, None)
                    }
                    _ => Value::Unknown,
                }
            }
        }
    }

    /// Somebody else has what is inside now: it answers for it.
    pub(crate) fn forget(&mut self, world: &mut World, value: &Value) {
        self.pool_escapes(value);
        let mut found = Vec::new();
        value.obligations(&mut found);
        for id in found {
            self.loan.escapes |= self.lent == Some(id) && world.is_open(id);
            self.forget_obligation(world, id);
        }
    }

    /// Nothing is known of a session any more.
    pub(crate) fn forget_obligation(&mut self, world: &mut World, id: ObligationId) {
        for anchored in world.anchored(&Anchor::Obligation(id)) {
            world.set_phase(anchored, Phase::Gone);
        }
        self.given_away.entry(id.site).or_default().insert(self.at);
        let open =
            world.facts.obligations.get(&id).is_some_and(|state| matches!(state.phase, Phase::Open | Phase::Ending));
        if open && !self.sites[usize::from(id.site.0)].borrowed {
            world.set_phase(id, Phase::Gone);
        }
    }

    /// Callers are told that something is committed or closed here.
    fn ends(&mut self, id: ObligationId, end: EndKind) {
        if self.collects
            && end != EndKind::Rollback
            && let Some(span) = self.sites[usize::from(id.site.0)].ended.first().map(|(span, _)| *span)
        {
            self.done.add(Deed::Ends(self.protocol_of(id), end), vec![span]);
        }
    }

    /// A session's end happens.
    pub(crate) fn end(&mut self, world: &mut World, id: ObligationId, end: EndKind) {
        if end == EndKind::Commit {
            self.goes_on(world, id);
        }
        if end == EndKind::Rollback && world.facts.obligations.get(&id).is_some_and(|state| state.shared) {
            self.gives_up_shared.insert(id.site);
        }
        world.set_phase(id, Phase::Ended(end));
        if end != EndKind::Close {
            let span = world.trace.released.get(&id).copied();
            let cause = CauseKind::Meanwhile;
            self.leave_state(world, id, end == EndKind::Rollback, cause, span.unwrap_or(self.body.span));
        }
        let Some(state) = world.facts.obligations.get(&id).cloned() else { return };
        if let (EndKind::Commit, true, Some(parent)) = (end, state.written, state.parent) {
            let span = world.trace.written.get(&id).copied();
            self.write(world, parent, span);
        }
    }

    /// Something is written through a session.
    pub(crate) fn write(&mut self, world: &mut World, id: ObligationId, span: Option<Span>) {
        self.goes_on(world, id);
        if let Some(state) = world.facts.obligations.get_mut(&id) {
            state.written = true;
            state.fresh = true;
            state.touched = true;
            state.scratch.wrote();
            self.written.insert(id.site);
            if let Some(span) = span.filter(|_| !world.trace.written.contains_key(&id)) {
                let taken = world.trace.taken;
                world.trace.written.insert(id, span);
                world.trace.written_after.insert(id, taken);
            }
        }
    }

    pub(crate) fn touch(&mut self, world: &mut World, id: ObligationId) {
        if world.facts.obligations.get(&id).is_some_and(|state| !state.touched)
            && let Some(state) = world.facts.obligations.get_mut(&id)
        {
            state.touched = true;
            self.sites[usize::from(id.site.0)].used = true;
        }
    }

    /// The session that a value is, or refers to.
    pub(crate) fn session_of(&self, world: &World, value: &Value) -> Option<ObligationId> {
        match value {
            Value::Session(id) | Value::Handle(id) => Some(*id),
            Value::Ref(place) => match world.get(self.index, place) {
                Value::Ref(_) => None,
                inner => self.session_of(world, &inner),
            },
            Value::Success(inner) | Value::Wrapper(_, _, inner) => self.session_of(world, inner),
            _ => None,
        }
    }

    pub(crate) fn protocol_of(&self, id: ObligationId) -> ProtocolId {
        self.sites[usize::from(id.site.0)].protocol
    }

    /// The connection type and identity of a value, for sessions that are a state of it.
    pub(crate) fn anchor_of(&self, world: &World, value: &Value) -> Option<(ProtocolId, Anchor)> {
        if let Some(id) = self.session_of(world, value) {
            return Some((self.protocol_of(id), Anchor::Obligation(id)));
        }
        match value {
            Value::Ref(place) => match world.get(self.index, place) {
                Value::Typed(ty, _) => match ty.peeled() {
                    Ty::Known(protocol) if !self.lends(&ty) => {
                        Some((*protocol, Anchor::Place(world.canonical(place).0)))
                    }
                    // A guard of the project's own around one.
                    Ty::Own(owner, _) => {
                        let protocol = self.index.guarded_connection(*owner)?;
                        Some((protocol, Anchor::Place(world.canonical(place).0)))
                    }
                    _ => None,
                },
                _ => None,
            },
            _ => None,
        }
    }

    /// How the caller sees the value that a body or block gives, and what it answers.
    pub(crate) fn seen_at_exit(&self, world: &World, place: &Place) -> (ExitKind, Answer) {
        let answer = |number: Option<u32>| number.and_then(|at| self.body.answers.get(at as usize)).cloned();
        match world.get(self.index, place) {
            Value::Failure => (ExitKind::Error, Answer::default()),
            Value::Exit(_, _, inner) if *inner == Value::Failure => (ExitKind::Error, Answer::default()),
            Value::Exit(kind, number, _) => (kind, answer(number).unwrap_or_default()),
            _ => (ExitKind::Success, Answer::default()),
        }
    }

    fn drop_locals(&mut self, world: &mut World, locals: &[LocalId], cause: &DropCause, span: Span) {
        let (kind, span) = match cause {
            DropCause::ScopeEnd { value } => {
                let (kind, answer) = value.as_ref().map(|value| self.seen_at_exit(world, value)).unwrap_or_default();
                (CauseKind::ScopeEnd { kind, answer }, span)
            }
            DropCause::Statement { wildcard } => (CauseKind::Statement { wildcard: *wildcard }, span),
            DropCause::Jump { keyword, in_error_arm, .. } => {
                (CauseKind::Jump { keyword, in_error_arm: *in_error_arm }, span)
            }
            DropCause::Exit { value, how } => {
                let (kind, answer) = self.seen_at_exit(world, value);
                let at = world.trace.exit.filter(|_| *how == sessionlint_ir::ExitHow::Tail).unwrap_or(span);
                if *value == Place::local(sessionlint_ir::Body::RETURN) {
                    world.trace.exit = Some(at);
                    world.trace.how = Some(how.into());
                }
                (CauseKind::Exit { kind, how: how.into(), answer }, at)
            }
        };
        for local in locals {
            world.facts.amounts.remove(local);
            if !world.knows(*local) {
                continue;
            }
            if let Some(value) = world.facts.store.get(&Place::local(*local)).cloned() {
                if value.owns() && !(value.is_outcome() && self.is_looked_at(*local)) {
                    if self.body.locals[local.index()].name.is_some() {
                        self.drop_halves(world, &value);
                    }
                    self.drop_value(world, &value, kind.clone(), span);
                }
                self.drop_made(world, &value, kind.clone(), span);
            }
            world.remove_local(*local);
        }
    }
}

/// Whether there is any of something, or none of it, as far as is known.
fn any_of(value: &Value, any: bool) -> Value {
    match *value {
        Value::Bool(holds) => Value::Bool(holds == any),
        Value::Affected { obligation, partial: false, .. } => Value::Changed { obligation, any },
        Value::Affected { .. } | Value::About(_) => value.clone(),
        Value::Changed { obligation, any: told } => Value::Changed { obligation, any: told == any },
        Value::Verdict { obligation, end, ok } => Value::Verdict { obligation, end, ok: ok == any },
        _ => Value::Unknown,
    }
}

/// Whether an answer is true where a write changed something, or where it changed nothing.
fn says_changed(answer: &Value) -> Option<bool> {
    match answer {
        Value::Changed { any, .. } => Some(*any),
        Value::Success(inner) => says_changed(inner),
        _ => None,
    }
}
