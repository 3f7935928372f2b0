//! What does a closure or async block do to the sessions that it captures?

use super::given::Passed;
use crate::callers::Watched;
use crate::events::CauseKind;
use crate::index::Ty;
use crate::solver::{Child, ChildEffect, Solver};
use crate::sql::SqlControl;
use crate::value::{Anchor, ObligationId, Origin, Root, Source, Value};
use crate::workload::{Deed, Given, Workload};
use crate::world::{Phase, World};
use sessionlint_diagnostics::Span;
use sessionlint_ir::{
    BlockId, Body, BodyKind, Callee, Capture, Literal, LocalId, Operand, Place, Rvalue, StatementKind, Terminator,
};
use sessionlint_protocols::EndKind;
use std::collections::BTreeMap;

/// The length of the keyword that a block is shown by.
const ASYNC: u32 = "async".len() as u32;

impl Solver<'_> {
    /// A closure or async block is made. Its body is analysed once, with what is known of what it captures.
    pub(crate) fn closure(&mut self, world: &mut World, child: usize, by_move: bool, span: Span) -> Value {
        let body = &self.body.children[child];
        let Child { effects, workload, gives, later, finishes } = match self.children.get(&child) {
            Some(known) => known.clone(),
            None => {
                // A body that contains itself is a finite tree, so this ends.
                let known = self.analyse_child(world, child, by_move);
                self.children.insert(child, known.clone());
                known
            }
        };
        self.uploads_end_in(world, body);
        let mut kept = None;
        for capture in &body.captures {
            let place = Place::local(capture.outer);
            let (target, through_reference) = world.canonical(&place);
            let value = world.get(self.index, &target);
            let effect = effects.get(&capture.inner).copied().unwrap_or_default();
            let moves = by_move || effect.ends;
            // A closure that owns it may be called when this body is left.
            let is_closure = matches!(body.kind, BodyKind::Closure | BodyKind::AsyncClosure);
            let owned = is_closure && !through_reference && (by_move || moves_on(body, capture.inner));
            // A task that does its work again and again keeps it for as long as it runs.
            let is_task = body.kind == BodyKind::AsyncBlock && by_move && !through_reference;
            if effect.ends || owned || (is_task && is_used_again(body, capture.inner)) {
                self.pool_escapes(&value);
            }
            if by_move && through_reference {
                self.kept_elsewhere(world, &[Value::Ref(target.clone())]);
            }
            let prepared_on = value.prepared_on().map(|(id, _)| id);
            if let Some(id) = self.session_of(world, &value).or(prepared_on) {
                self.touch(world, id);
                if effect.writes {
                    self.write(world, id, Some(span));
                }
                if (effect.ends || effect.commits) && prepared_on.is_none() {
                    for anchored in world.anchored(&Anchor::Obligation(id)) {
                        world.set_phase(anchored, Phase::Gone);
                    }
                }
            }
            for anchored in world.anchored(&Anchor::Place(target.clone())) {
                if effect.ends || effect.commits {
                    world.set_phase(anchored, Phase::Gone);
                }
            }
            if self.is_lent(&value) {
                continue;
            }
            if value.owns() && moves && !through_reference {
                let value = world.take(self.index, &target);
                let end = finishes.get(&capture.inner).filter(|_| body.kind == BodyKind::AsyncBlock && kept.is_none());
                match (self.session_of(world, &value), end) {
                    (Some(id), Some(end)) if world.is_open(id) => {
                        // It ends when the block is polled.
                        world.set_phase(id, Phase::Ending);
                        world.trace.released.insert(id, Span { end: span.start + ASYNC, ..span });
                        kept = Some((id, *end));
                    }
                    _ => self.forget(world, &value),
                }
            } else if !matches!(value, Value::Typed(..) | Value::Unknown | Value::Text(_) | Value::Session(_)) {
                // A flag or option that a closure may change is not known any more.
                if !by_move {
                    self.forget(world, &value);
                    world.set(&target, Value::Unknown);
                }
            }
        }
        match (self.workload(workload), body.kind) {
            (id, BodyKind::AsyncBlock) => {
                let value = gives.and_then(|given| self.instantiated(world, &given, &Passed::Captures, span));
                let value = match kept {
                    Some((obligation, end)) => {
                        Some(Value::Kept { obligation, end, inner: Box::new(value.unwrap_or_default()) })
                    }
                    None => value,
                };
                match (id, value) {
                    (None, None) => Value::Unknown,
                    (None, Some(value)) => Value::Future(Box::new(value)),
                    (Some(id), value) => Value::Future(Box::new(Value::Work(id, Box::new(value.unwrap_or_default())))),
                }
            }
            (Some(work), _) => Value::Callable { work, later },
            (None, _) => Value::Unknown,
        }
    }

    fn analyse_child(&mut self, world: &World, child: usize, by_move: bool) -> Child {
        let body = &self.body.children[child];
        let mut solver = Solver::new(self.analysis, body, self.scope.clone(), self.asking.clone());
        solver.nested = true;
        // Whoever runs it may hold a session meanwhile.
        solver.collects = true;
        solver.tells_polls = self.tells_polls;
        solver.watched = self.watched.as_ref().map(Watched::inside);
        solver.seen = self.seen.as_ref().map(|_| Box::default());
        let mut inner = solver.parameters(World::default());
        if body.kind != BodyKind::AsyncBlock {
            inner = solver.given_as(inner, &self.closure_inputs(world, child));
        }
        let mut lent: BTreeMap<LocalId, ObligationId> = BTreeMap::new();
        let mut futures: Vec<Capture> = Vec::new();
        for capture in &body.captures {
            if self.is_lent_here(capture.outer) {
                solver.lent_captures.insert(capture.inner);
            }
            solver.closures.captured.extend(self.closure_parameter(capture.outer).map(|known| (capture.inner, known)));
            let outer = Place::local(capture.outer);
            let (_, through_reference) = world.canonical(&outer);
            let value = world.get(self.index, &outer);
            let prepared = value.prepared_on();
            let session = self.session_of(world, &value).or(prepared.map(|(id, _)| id));
            let layers = self.layers_of(world, &value);
            let value = match (session, value) {
                (Some(id), value) => {
                    let moved = by_move && body.kind == BodyKind::AsyncBlock;
                    let owned = moved && value.owns() && !through_reference;
                    let site = &self.sites[usize::from(id.site.0)];
                    let mut site = site.clone();
                    site.borrowed |= !owned;
                    site.variable = Some(capture.inner);
                    site.parameter = true;
                    let site = solver.site(site);
                    let state = world.facts.obligations.get(&id);
                    let value = solver.begin(&mut inner, site, None, None);
                    let inner_id = ObligationId { site, second: false };
                    if let (Some(known), Some(state)) = (inner.facts.obligations.get_mut(&inner_id), state) {
                        known.touched = true;
                        if owned {
                            known.written = state.written;
                        }
                    }
                    lent.insert(capture.inner, inner_id);
                    match prepared {
                        Some((_, effect)) => Value::Prepared(Anchor::Obligation(inner_id), effect),
                        None => super::fold(&layers, value),
                    }
                }
                // Inside, the captured variable itself is where it comes from.
                (None, Value::Typed(ty, _)) => Value::Typed(ty, None),
                (None, Value::Wrapper(item, ..)) => Value::Typed(Ty::own(item), None),
                (None, value @ (Value::Text(_) | Value::Statement(_))) => value,
                (None, value @ Value::Future(_)) if awaits(body, capture.inner) && is_work(&value) => {
                    futures.push(*capture);
                    let given = self.captured_future(world, &value, capture);
                    let given = solver.instantiated(&inner, &given, &Passed::Captures, self.opened_at(&value, capture));
                    Value::Future(Box::new(given.unwrap_or_default()))
                }
                _ => Value::Unknown,
            };
            inner.set(&Place::local(capture.inner), value);
        }
        solver.run(inner);
        let (mut effects, mut finishes) = (BTreeMap::new(), BTreeMap::new());
        for (inner, id) in &lent {
            let ended = solver.sites[usize::from(id.site.0)].ended.iter();
            let ends: Vec<EndKind> = ended.map(|(_, end)| *end).collect();
            finishes.extend(EndKind::meant(&ends).map(|end| (*inner, end)));
        }
        let commits = self.commits_as_text(body);
        for capture in &body.captures {
            let writes = lent.get(&capture.inner).is_some_and(|id| solver.written.contains(&id.site));
            effects
                .insert(capture.inner, ChildEffect { writes, ends: self.ends_capture(body, capture.inner), commits });
        }
        self.looked(&solver);
        if let (Some(watched), Some(inside)) = (&mut self.watched, solver.watched.take()) {
            watched.add(inside);
        }
        if let (Some(seen), Some(inside)) = (&mut self.seen, solver.seen.take()) {
            seen.inside.insert(body.span, (*inside, solver.sites.clone()));
        }
        let polled = body.captures.iter().filter(|capture| solver.polls.contains(&capture.inner));
        self.polls.extend(polled.map(|capture| capture.outer));
        let mut workload = Workload::default();
        let outer = |origin: &Origin| match &origin.root {
            Root::Local(local) => {
                let capture = body.captures.iter().find(|capture| capture.inner == *local)?;
                if futures.contains(capture) {
                    return self.pool_of_future(world, capture);
                }
                self.source_of(world, &Value::Ref(Place::local(capture.outer))).then(origin)
            }
            _ => Some(origin.clone()),
        };
        let gives = solver.gives.as_ref().map(|given| given.seen_from(&outer));
        for (deed, way) in &solver.done.0 {
            if let Some(seen) = deed.seen_from(outer) {
                workload.add(seen, way.clone());
            }
        }
        for capture in &futures {
            let value = world.get(self.index, &Place::local(capture.outer));
            for (deed, way) in self.inside(&value).into_iter().flat_map(|inside| &inside.0) {
                workload.add(deed.clone(), way.clone());
            }
        }
        // Closures that it captures.
        let captured = |local: usize| body.captures.iter().find(|capture| capture.inner.index() == local);
        let runs = solver.done.0.iter().filter_map(|(deed, way)| match deed {
            Deed::Runs { param, held } => {
                let held = held.as_ref().map(|(protocol, pool)| (*protocol, pool.as_ref().and_then(outer)));
                Some((captured(*param)?.outer, held, way.clone()))
            }
            _ => None,
        });
        let runs: Vec<_> = runs.collect();
        for (local, held, way) in runs {
            let (place, _) = world.canonical(&Place::local(local));
            let value = world.get(self.index, &place);
            match self.inside(&value).cloned() {
                Some(inside) => self.run_inside(world, &mut workload, &inside.reached_from(way[0]), held, way[0]),
                None => {
                    let runs = self.runnable(place.local).map(|param| Deed::Runs { param, held });
                    runs.into_iter().for_each(|runs| workload.add(runs, way.clone()));
                }
            }
        }
        // What happens inside is told with the body around it; sites are numbered anew.
        let sites: Vec<_> = solver.sites.iter().map(|site| self.site(site.clone())).collect();
        for (site, mapped) in solver.sites.iter().zip(&sites) {
            for end in &site.ended {
                let known = &mut self.sites[usize::from(mapped.0)].ended;
                if !known.contains(end) {
                    known.push(*end);
                }
            }
        }
        for ((kind, site, cause), mut event) in std::mem::take(&mut solver.events) {
            if cause.kind == CauseKind::Meanwhile && event.end.is_none() {
                event.end = solver.end_behind(&event);
            }
            let mapped = sites[usize::from(site.0)];
            event.site = mapped;
            self.events.entry((kind, mapped, cause)).or_insert(event);
        }
        self.gaps.extend(solver.gaps);
        self.gaps.extend(body.gaps.iter().cloned());
        let later = solver.gives_future || body.kind == BodyKind::AsyncClosure;
        Child { effects, workload, gives, later, finishes }
    }

    /// What a future gives that a block captures, in the words of the block: it comes from the variable.
    fn captured_future(&self, world: &World, value: &Value, capture: &Capture) -> Given {
        let from = |_: &Origin| Some(Origin { root: Root::Local(capture.inner), path: Vec::new() });
        self.skeleton(world, value).seen_from(&from)
    }

    /// Where the session is opened that a captured future gives.
    fn opened_at(&self, value: &Value, capture: &Capture) -> Span {
        let mut sites = Vec::new();
        value.sites(&mut sites);
        let site = sites.first().map(|site| self.sites[usize::from(site.0)].span);
        site.unwrap_or_else(|| self.body.locals[capture.outer.index()].span)
    }

    /// The pool that the session is checked out of which a captured future gives.
    fn pool_of_future(&self, world: &World, capture: &Capture) -> Option<Origin> {
        let mut sites = Vec::new();
        world.get(self.index, &Place::local(capture.outer)).sites(&mut sites);
        self.pools.get(sites.first()?).cloned()
    }

    /// The closure that an operand is, by its number among the children of this body.
    pub(crate) fn closure_of(&self, operand: &Operand) -> Option<usize> {
        let Operand::Value(place) = operand else { return None };
        match self.body.value_of(place)? {
            Rvalue::Closure { child, .. } => Some(*child),
            _ => None,
        }
    }

    /// Whether an argument does nothing but give a value: a closure that changes nothing around it and comes back.
    pub(crate) fn only_returns(&self, operand: &Operand) -> bool {
        let Some(child) = self.closure_of(operand) else { return !matches!(operand, Operand::Item(_)) };
        let body = &self.body.children[child];
        let comes_back = body.blocks.iter().enumerate().any(|(at, block)| {
            let at = BlockId(at as u32);
            matches!(block.terminator, Terminator::Return) && (at == BlockId(0) || body.leads_to(BlockId(0), at))
        });
        let captured = |local: LocalId| body.captures.iter().any(|capture| capture.inner == local);
        let changes = body.statements().any(|statement| match &statement.kind {
            StatementKind::Assign(place, _) => captured(place.local),
            StatementKind::Change { local, .. } => captured(*local),
            StatementKind::Bind { .. } | StatementKind::Drop(..) => false,
        });
        comes_back && !changes
    }

    /// What a closure gives when it is called with a session: the session itself, or something around it.
    pub(crate) fn applied(&mut self, world: &World, closure: &Operand, inner: &Value, span: Span) -> Option<Value> {
        let body = &self.body.children[self.closure_of(closure)?];
        let mut sites = Vec::new();
        inner.sites(&mut sites);
        let (local, [site]) = (*body.params.first()?, sites.as_slice()) else { return None };
        let (protocol, layers) = (self.sites[usize::from(site.0)].protocol, super::layers::layers(inner)?);
        let mut solver = Solver::new(self.analysis, body, self.scope.clone(), self.asking.clone());
        (solver.nested, solver.collects, solver.few) = (true, true, true);
        let (entry, _) = solver.lend(World::default(), local, protocol, &layers);
        solver.summarise(entry);
        self.looked(&solver);
        let given = solver.gives?;
        self.instantiated(
            world,
            &given,
            &Passed::Arguments(vec![inner.clone()], vec![Source::default()], Vec::new()),
            span,
        )
    }

    /// A body inside of this one was looked at: what had not settled for it had not for this one.
    pub(super) fn looked(&self, inner: &Solver<'_>) {
        self.truncated.set(self.truncated.get() || inner.truncated.get());
    }

    /// Whether a closure has a text that ends a transaction which was begun as text: on a connection that it captures, most likely.
    fn commits_as_text(&self, body: &Body) -> bool {
        let ends = |operand: &Operand| match operand {
            Operand::Literal(Literal::Text(text)) => {
                matches!(self.index.text_effect(text).control, Some(SqlControl::Commit | SqlControl::Rollback))
            }
            _ => false,
        };
        body.assignments().any(|(_, value)| value.operands().into_iter().any(ends))
            || body.children.iter().any(|child| self.commits_as_text(child))
    }

    /// Whether a body passes a captured variable on, or calls a method on it that ends a session.
    fn ends_capture(&self, body: &Body, local: LocalId) -> bool {
        let whole = |operand: &Operand| matches!(operand, Operand::Value(place) if *place == Place::local(local));
        let statements = body.statements();
        let direct = statements.into_iter().any(|statement| match &statement.kind {
            StatementKind::Assign(_, Rvalue::Call(call)) => {
                let by_value = call.args.iter().any(whole);
                let ends =
                    match &call.callee {
                        Callee::Method { receiver: Operand::Value(place) | Operand::Ref { place, .. }, name } => {
                            place.local == local
                                && (name == "take"
                                    || self.index.model.protocols().any(|(_, protocol)| {
                                        protocol.endings.iter().any(|ending| ending.call == *name)
                                    }))
                        }
                        _ => false,
                    };
                by_value || ends
            }
            StatementKind::Assign(_, Rvalue::Aggregate(_, fields)) => fields.iter().any(|(_, field)| whole(field)),
            StatementKind::Assign(
                _,
                Rvalue::Use(operand) | Rvalue::Exit(_, _, operand) | Rvalue::Await { future: operand, .. },
            ) => whole(operand),
            _ => false,
        });
        direct
            || body.children.iter().any(|child| {
                let captured = child.captures.iter().filter(|capture| capture.outer == local);
                captured.into_iter().any(|capture| self.ends_capture(child, capture.inner))
            })
    }
}

/// Whether a closure moves what it captures into one of its own.
fn moves_on(body: &Body, captured: LocalId) -> bool {
    body.assignments().any(|(_, value)| match value {
        Rvalue::Closure { child, by_move: true } => {
            body.children[*child].captures.iter().any(|capture| capture.outer == captured)
        }
        _ => false,
    })
}

/// Whether a loop of a body uses a variable.
fn is_used_again(body: &Body, local: LocalId) -> bool {
    let captured = |child: usize| body.children[child].captures.iter().any(|capture| capture.outer == local);
    let uses = |value: &Rvalue| match value {
        Rvalue::Closure { child, .. } => captured(*child),
        value => value.operands().into_iter().any(|operand| operand.local() == Some(local)),
    };
    (0..).map(BlockId).zip(&body.blocks).any(|(at, block)| {
        let values = block.statements.iter().filter_map(|statement| match &statement.kind {
            StatementKind::Assign(_, value) => Some(value),
            _ => None,
        });
        values.into_iter().any(uses) && body.leads_to(at, at)
    })
}

/// Whether a body awaits a variable as it is.
fn awaits(body: &Body, local: LocalId) -> bool {
    body.assignments().any(|(_, value)| match value {
        Rvalue::Await { future: Operand::Value(place), .. } => *place == Place::local(local),
        _ => false,
    })
}

/// Whether a future has nothing to do with a session that is open already.
fn is_work(value: &Value) -> bool {
    let mut here = Vec::new();
    value.obligations(&mut here);
    here.is_empty()
}
