//! What does one statement do to what is known?

mod answer;
mod answers;
mod becomes;
mod built;
mod by_type;
mod call;
mod change;
mod child;
mod copies;
mod depends;
mod derived;
mod drops;
mod failure;
mod fallible;
mod fate;
mod flags;
mod function;
mod future;
mod given;
mod in_place;
mod inner;
mod inputs;
mod items;
mod joined;
mod kept_lock;
mod layers;
mod learned;
mod lend;
mod listed;
mod locked;
mod made;
mod memo;
mod method;
mod named;
mod nested;
mod open;
mod operand;
mod own;
mod pause;
mod queued;
mod quiet;
mod release;
mod replaced;
mod session;
mod standard;
mod state;
mod through;
mod thrown;
mod tried;
mod typed;
mod untouched;
mod uploads;
mod waits;
mod workload;
mod wrapper;

pub(crate) use drops::MANUALLY_DROP;
pub(crate) use layers::fold;
pub(crate) use made::Made;
pub(crate) use quiet::Quiet;
pub(crate) use thrown::Thrown;

use crate::events::CauseKind;
use crate::solver::{Solver, typed};
use crate::value::Value;
use crate::world::World;
use sessionlint_diagnostics::Span;
use sessionlint_ir::{
    Answer, DropCause, ExitKind, LocalId, Operand, Place, Projection, Race, Rvalue, Statement, StatementKind,
};

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
                // What stands inside of a transaction of the project's own is taken out, and may end it.
                let part = (!*by_ref && !through_reference).then(|| self.ended_by_part(world, &canonical)).flatten();
                let value =
                    if *by_ref || through_reference { Value::Ref(canonical) } else { world.take(self.index, from) };
                if let Some(id) = part {
                    self.forget_obligation(world, id);
                }
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
            Rvalue::Call(call) => match self.blocked_on(world, call) {
                Some(future) => self.waited_for(world, future, Race::None, call.name_span),
                None => self.call(world, call),
            },
            Rvalue::Await { future, race } => self.waited_for(world, future, *race, span),
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
                    self.lock_leaves(world, &value, span);
                    if let Some(lent) = self.lent.filter(|_| value != Value::Failure) {
                        self.loan.exits.insert(world.is_written(lent));
                        self.loan.changed.insert(says_changed(&value));
                    }
                }
                self.kept_elsewhere(world, std::slice::from_ref(&value));
                self.forget(world, &value);
                let shape = match value {
                    // Who gets it is told whether the COMMIT worked.
                    value if drops::committed_by(&value).is_some() => value,
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

    /// The output of a future that is polled to its end.
    fn waited_for(&mut self, world: &mut World, future: &Operand, race: Race, span: Span) -> Value {
        if self.lets_others_run(future) {
            self.queues_are_written(world);
        }
        // What is kept in a variable is waited for where that is awaited.
        let kept = self.is_named(world, future);
        let future = self.future(world, future);
        let future = if kept { self.waited_at(future, span) } else { future };
        match race {
            Race::None => {}
            Race::FirstDone => self.cancelled(world, &future, "`select!`", 0),
            Race::FirstFailed => self.cancelled(world, &future, "`try_join!`", 1),
        }
        self.awaited(world, future, span, race == Race::FirstDone)
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
                let is_unheard = value.is_first_write() && self.is_unread(*local);
                if (value.owns() || is_unheard) && !(value.is_outcome() && self.is_looked_at(*local)) {
                    if self.body.locals[local.index()].name.is_some() {
                        self.drop_halves(world, &value);
                    }
                    self.drop_value(world, &value, kind.clone(), span);
                }
                self.drop_made(world, &value, kind.clone(), span);
                self.drop_handle(world, &value, *local, span);
            }
            if let Some(value) = self.last_in_list(world, *local) {
                self.drop_value(world, &value, kind.clone(), span);
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
