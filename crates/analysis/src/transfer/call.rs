//! What does a call do? Macros, calls by path, and what calls have in common.

use crate::events::{CauseKind, EventKind, Site};
use crate::index::Ty;
use crate::solver::Solver;
use crate::sql::{Hold, SqlControl, SqlEffect};
use crate::value::{Anchor, ObligationId, SiteId, Value};
use crate::world::{Phase, World};
use sessionlint_diagnostics::{Evidence, Gap, Span};
use sessionlint_ir::{Call, Callee, Operand, Place, Rvalue};
use sessionlint_protocols::{EndKind, LibraryId, ProtocolId, ProtocolKind};

impl Solver<'_> {
    pub(crate) fn call(&mut self, world: &mut World, call: &Call) -> Value {
        if !world.trace.failure_told && self.tells_failure(world, call) {
            world.trace.failure_told = true;
        }
        if world.facts.store.values().any(Value::holds_several) {
            for arg in &call.args {
                let given = self.read(world, arg);
                self.forget_several(world, &given);
            }
        }
        match &call.callee {
            Callee::Macro(path) => self.macro_call(world, path, call),
            Callee::Path { segments, qualifier } => self.path_call(world, segments, qualifier.as_ref(), call),
            Callee::Method { receiver, name } => self.method_call(world, receiver, name, call),
            Callee::Value(callee) => {
                self.value_called(world, callee, call.name_span);
                let inside = self.inside(&self.read_value(world, callee));
                let workload = inside.map(|inside| inside.called(call.name_span, |origin| Some(origin.clone())));
                let written = self.written_by_closure(world, callee, &call.args);
                let value = self.operand(world, callee);
                self.forget(world, &value);
                self.pass_arguments(world, &call.args, call.name_span);
                let told = written.map(|id| self.wrote_in_closure(world, id, callee, call.name_span));
                let told = told.unwrap_or_default();
                match workload {
                    Some(workload) => self.later(workload, told),
                    None => told,
                }
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
        if path.last().is_some_and(|name| name == "include_str") {
            let text = first_text(call).and_then(|path| self.index.included(self.scope.file, path, false));
            return text.map_or(Value::Unknown, |text| Value::Text(self.index.text_effect(&text)));
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
            let reason = format!("a session is passed to the macro `{}!`, which is not understood", path.join("::"));
            self.gaps.insert(Gap { span: call.name_span, reason });
        }
        Value::Unknown
    }

    /// The statement that a macro of a library makes from its first text.
    fn statement_macro(&mut self, path: &[String], call: &Call) -> Option<SqlEffect> {
        let library = self.library_of(path)?;
        let (name, model) = (path.last()?, self.index.model);
        model.library(library).statements.iter().any(|known| known == name).then_some(())?;
        let text = first_text(call)?;
        if model.library(library).files.iter().any(|known| known == name) {
            let included = self.index.included(self.scope.file, text, true);
            return Some(included.map(|text| self.index.text_effect(&text)).unwrap_or_default());
        }
        Some(self.index.text_effect(text))
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
            Operand::Literal(sessionlint_ir::Literal::Text(text)) => Value::Text(self.index.text_effect(text)),
            _ => Value::Unknown,
        }
    }

    /// The effect of the first text or statement among the arguments.
    pub(crate) fn text_argument(&mut self, world: &World, args: &[Operand]) -> Option<SqlEffect> {
        args.iter().find_map(|arg| {
            let value = match arg {
                Operand::Value(place) | Operand::Ref { place, .. } => world.get(self.index, place),
                Operand::Literal(sessionlint_ir::Literal::Text(text)) => Value::Text(self.index.text_effect(text)),
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
    pub(crate) fn pass_arguments(&mut self, world: &mut World, args: &[Operand], span: Span) -> Vec<Value> {
        for arg in args {
            let value = self.read(world, arg);
            if let Some(id) = self.session_of(world, &value) {
                if matches!(arg, Operand::Ref { .. }) && self.is_only_filled(id) {
                    self.write(world, id, Some(span));
                    continue;
                }
                self.forget_state(world, id);
                // Whoever gets a writer may well close it.
                if self.index.model.protocol(self.protocol_of(id)).kind == ProtocolKind::Writer {
                    self.forget_obligation(world, id);
                }
                let layers = match &value {
                    Value::Ref(place) if !self.is_option_of_reference(place) => {
                        self.layers_behind(world, &world.get_canonical(self.index, place))
                    }
                    value => self.layers_behind(world, value),
                };
                self.unseen(world, id, &layers);
            } else if !self.few {
                let whole = self.anchor_of(world, &value).map(|(_, anchor)| anchor);
                let inside = || self.connection_inside(world, &value).map(|(_, anchor, ..)| anchor);
                if let Some(anchor) = whole.or_else(inside) {
                    self.give_anchored(world, &anchor);
                }
            }
            self.builder_passed(world, &value);
        }
        self.pass_to_library(world, args)
    }

    /// The same for code that is known: what a library does with a session to run a statement on it.
    pub(crate) fn pass_to_library(&mut self, world: &mut World, args: &[Operand]) -> Vec<Value> {
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

    /// An `Option` that holds a session, or a future that ends one, given by reference: whoever has it may take the session out,
    /// or poll the future.
    pub(super) fn forget_option(&mut self, world: &mut World, value: &Value) {
        let Value::Ref(place) = value else { return };
        if self.is_option_of_reference(place) {
            return;
        }
        if let Value::Success(inner) | Value::Fallible(inner) | Value::Future(inner) = world.get(self.index, place) {
            self.forget(world, &inner);
        }
    }

    /// What a text does that runs by a method of this name. One that is made at run time, and by a method that gives no rows, writes.
    pub(super) fn executed_as(&self, protocol: ProtocolId, effect: SqlEffect, name: &str) -> SqlEffect {
        let model = self.index.model;
        let gives_none = model.library(model.protocol(protocol).library).executes.iter().any(|known| known == name);
        let is_told = effect.known || effect.control.is_some() || effect.state.is_some();
        SqlEffect { writes: effect.writes || (gives_none && !is_told), ..effect }
    }

    /// Runs an SQL text on a session or connection.
    pub(crate) fn run_text(&mut self, world: &mut World, target: &Value, effect: SqlEffect, span: Span) -> Value {
        let Some((protocol, anchor)) = self.anchor_of(world, target) else { return Value::Unknown };
        let known = self.index.model.protocol(protocol);
        let mut value = Value::Unknown;
        self.settle(world, &anchor);
        if let Anchor::Obligation(id) = &anchor {
            self.touch(world, *id);
            self.goes_on(world, *id);
            if self.lent == Some(*id) {
                self.loan.texts.extend(effect.control);
                self.loan.holds = self.loan.holds.max(effect.holds);
            }
            if let Some(mut change) = effect.state {
                change.settled = effect.settles;
                value = self.change_state(world, *id, change, span);
            }
            let held_for = effect.holds.filter(|held_for| *held_for != Hold::Job || known.is_transaction());
            if let Some(held_for) = held_for {
                let parent = world.facts.obligations.get(id).and_then(|state| state.parent);
                // What a transaction keeps for a job keeps its connection, too.
                for held in std::iter::once(*id).chain(parent.filter(|_| held_for == Hold::Job)) {
                    if let Some(state) = world.facts.obligations.get_mut(&held) {
                        state.hold(held_for);
                    }
                }
            }
            let reads = effect.known && !effect.writes && effect.control.is_none();
            if reads && !world.trace.read.contains(id) {
                world.trace.read.insert(*id);
            }
            self.defined(world, *id, effect, span);
            let before = world.facts.obligations.get(id).map(|state| state.scratch.clone()).unwrap_or_default();
            if effect.writes && !before.is_temporary(&effect) {
                value = self.first_write(world, *id);
                self.write(world, *id, Some(span));
            }
            let is_noted = effect.writes || effect.target.is_some() || effect.explains;
            if is_noted && let Some(state) = world.facts.obligations.get_mut(id) {
                state.scratch = before.after(&effect);
            }
        }
        if let Some(alone) = effect.alone {
            self.refused(world, &anchor, protocol, alone, span);
        }
        self.state_on_place(world, protocol, &anchor, effect, span);
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
                let site = self.raw_site(world, site, &anchor, protocol, span);
                let package = self.index.package_of(self.scope.file);
                let kept = known.failed_commit.as_ref();
                let is_pooled = self.sites[usize::from(site.0)].pooled;
                self.sites[usize::from(site.0)].on_own_file =
                    !is_pooled && self.index.is_of_a_file(self.scope.file, protocol);
                self.sites[usize::from(site.0)].keeps_failed_commit = effect.control == Some(SqlControl::Begin)
                    && kept.is_some_and(|kept| effect.names_lock || package.is_on(kept));
                if effect.settles {
                    self.quiet.settled.insert(site);
                }
                if let Anchor::Obligation(connection) = &anchor {
                    self.thrown.begin_on(site, connection.site);
                }
                Value::Fallible(Box::new(Value::Pending(site, Some(anchor))))
            }
            Some(control @ (SqlControl::Commit | SqlControl::Rollback)) => {
                let end = if control == SqlControl::Commit { EndKind::Commit } else { EndKind::Rollback };
                let mut told = Value::Unknown;
                for id in world.anchored(&anchor) {
                    let site = &self.sites[usize::from(id.site.0)];
                    if site.raw {
                        if site.keeps_failed_commit && end == EndKind::Commit {
                            told = Value::Fallible(Box::new(Value::Outcome(id, end)));
                        }
                        self.ended_at(id, span, end);
                        world.set_phase(id, Phase::Ended(end));
                    }
                }
                told
            }
            Some(control @ (SqlControl::Release | SqlControl::RollbackTo)) => {
                let last = world.anchored(&anchor).into_iter().rfind(|id| self.sites[usize::from(id.site.0)].raw);
                if let Some(id) = last {
                    // Who only goes back to it leaves it to the transaction around it.
                    if control == SqlControl::Release {
                        self.ended_at(id, span, EndKind::Commit);
                    }
                    world.set_phase(id, Phase::Ended(EndKind::Commit));
                }
                Value::Unknown
            }
            _ => value,
        }
    }

    /// The result of a write: when it is an error and nothing was written before, nothing is.
    pub(crate) fn first_write(&self, world: &World, id: ObligationId) -> Value {
        if world.is_written(id) { Value::Unknown } else { Value::Fallible(Box::new(Value::Wrote(id))) }
    }

    fn raw_site(&mut self, world: &World, made: SiteId, anchor: &Anchor, protocol: ProtocolId, span: Span) -> SiteId {
        let template = self.sites[usize::from(made.0)].clone();
        if usize::from(made.0) + 1 == self.sites.len() && !template.raw && template.ended.is_empty() {
            self.sites.pop();
        }
        debug_assert!(template.span == span && template.protocol == protocol);
        let on_borrowed = match anchor {
            Anchor::Place(place) => !self.owns_connection(world, place, protocol),
            Anchor::Obligation(_) => template.on_borrowed,
        };
        self.site(Site { raw: true, on_borrowed, ..template })
    }

    /// Whether a variable of this body owns a connection, itself or in its fields, until it is dropped: that closes it.
    fn owns_connection(&self, world: &World, place: &Place, connection: ProtocolId) -> bool {
        let known = self.index.model.protocol(connection);
        let (place, through_reference) = world.canonical(place);
        if through_reference
            || known.pooled
            || known.shared
            || self.body.captures.iter().any(|it| it.inner == place.local)
        {
            return false;
        }
        // A method that it is called on takes it only to close it.
        let is_it = |operand: &Operand| matches!(operand, Operand::Value(it) if it.local == place.local && it.projection.is_empty());
        let moves = |value: &Rvalue| match value {
            Rvalue::Call(Call { callee: Callee::Method { .. }, args, .. }) => args.iter().any(is_it),
            value => value.operands().into_iter().any(is_it),
        };
        if self.body.assignments().any(|(_, value)| moves(value)) {
            return false;
        }
        (0..=place.projection.len()).all(|steps| {
            let part = Place { local: place.local, projection: place.projection[..steps].to_vec() };
            let Value::Typed(ty @ (Ty::Known(_) | Ty::Own(..)), _) = world.get_canonical(self.index, &part) else {
                return false;
            };
            // What a type dereferences to may be lent.
            match &ty {
                Ty::Own(owner, args) => {
                    !self.index.is_trait(&ty) && self.index.deref_of(*owner, args.as_ref()).is_none()
                }
                _ => true,
            }
        })
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
        if end == EndKind::Commit {
            self.commits.entry(id.site).or_default().insert(self.at);
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
            // Whoever is given the pointer to it takes it back.
            let is_given = self.method.is_some_and(|item| self.index.gives_pointer(item));
            let through = &self.index.model.protocol(self.protocol_of(id)).ended_through;
            let is_ended = !through.is_empty() && self.index.package_ends(self.scope.file, through);
            if world.is_open(id) && !self.is_at_home(id) && !is_given && !is_ended {
                self.event(world, EventKind::Leaked { how }, id, CauseKind::Explicit, span, None);
            }
            self.forget_obligation(world, id);
        } else {
            self.forget(world, &value);
        }
        Value::Unknown
    }
}

/// The first text among the arguments of a call.
fn first_text(call: &Call) -> Option<&str> {
    call.args.iter().find_map(|arg| match arg {
        Operand::Literal(sessionlint_ir::Literal::Text(text)) => Some(text.as_str()),
        _ => None,
    })
}
