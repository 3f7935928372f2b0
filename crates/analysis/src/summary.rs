//! What does a function do to the sessions that it opens, and to those that it is lent?

use crate::callers::Met;
use crate::capacity::Capacity;
use crate::events::{Event, EventKind, Report};
use crate::fingerprint::fingerprint;
use crate::fixpoint::{Equations, Fixpoint};
use crate::grounds;
use crate::index::{Index, ItemRef, PackageId, Scope, Ty};
use crate::known::decides;
use crate::question::{Answer, Asking, Effect, Known, LentAs, Question};
use crate::siblings::Siblings;
use crate::solver::Solver;
use crate::sql::{SqlControl, StateChange};
use crate::turn::Turn;
use crate::value::Layer;
use crate::workload::{Deed, Given, Summary, Workload};
use crate::world::World;
use rustc_hash::FxHashMap;
use sessionlint_diagnostics::Span;
use sessionlint_ir::{Body, FunctionItem, Signature};
use sessionlint_protocols::{EndKind, ProtocolId, ProtocolKind};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, RwLock};

/// So many layers around a session are told apart: a function that wraps what it is lent and calls itself with that makes one more
/// each time, and the questions about it would have no end.
const MAX_LAYERS: usize = 8;

/// The functions that call one, where all of them are known.
type Callers = Option<Vec<ItemRef>>;

/// The analysis of a workspace: an index, and what is known about helper functions.
pub struct Analysis<'h> {
    /// Names and types.
    pub index: Index<'h>,
    answers: Fixpoint<Question, Answer>,
    /// The fields of structs that hold the same pool.
    pub(crate) siblings: RwLock<FxHashMap<ItemRef, Arc<Siblings>>>,
    /// The functions that functions call, and those that call them, where each does nothing beside.
    pub(crate) met: RwLock<FxHashMap<ItemRef, Arc<Met>>>,
    pub(crate) sole_callers: RwLock<FxHashMap<(ItemRef, Turn), Callers>>,
    /// How many connections the pools of sessions have, as a package sees it.
    pub(crate) capacities: RwLock<FxHashMap<(PackageId, ProtocolId), Option<Capacity>>>,
    steps: AtomicUsize,
}

impl<'h> Analysis<'h> {
    /// An analysis over an index.
    pub fn new(index: Index<'h>) -> Self {
        Self {
            index,
            answers: Fixpoint::default(),
            siblings: RwLock::default(),
            met: RwLock::default(),
            sole_callers: RwLock::default(),
            capacities: RwLock::default(),
            steps: AtomicUsize::new(0),
        }
    }

    /// The work so far, in facts that were looked at. On one thread the same for the same files; several may ask the same of
    /// a function at once.
    pub fn steps(&self) -> usize {
        self.steps.load(Ordering::Relaxed)
    }

    pub(crate) fn add_steps(&self, steps: usize) {
        self.steps.fetch_add(steps, Ordering::Relaxed);
    }

    /// What happens to sessions in a function, its closures, and functions declared inside it.
    pub fn function(&self, item: ItemRef) -> Vec<Report> {
        let Some(function) = self.index.function(item) else { return Vec::new() };
        let mut reports = Vec::new();
        self.lowered(item, &function, &mut reports);
        reports
    }

    fn lowered(&self, item: ItemRef, function: &FunctionItem, reports: &mut Vec<Report>) {
        if let Some(body) = &function.body {
            let generics = self.index.generics_around(item, &function.signature.generics);
            let scope = self.scope(item, body, &generics);
            let mut path = function_path(&self.index, item);
            if self.index.item(item).is_some_and(|outer| outer.name != function.name) {
                path = format!("{path}::{}", function.name);
            }
            let mut solver = self.reporting(item, &function.signature, body, scope);
            let world = solver.parameters(World::default());
            let mut report = solver.solve(world, path, self.index.item(item).map_or(body.span, |item| item.span));
            let left = |event: &Event| matches!(event.kind, EventKind::LeftOpen | EventKind::CommitFailed);
            let lent = |event: &Event| left(event) && report.site(event.site).on_borrowed;
            report.callers_close = report.events.iter().any(lent) && self.callers_close(item);
            self.without_waiters(item, function, body, &mut report);
            self.tell_capacities(item, &mut report);
            reports.push(report);
        }
        for nested in &function.nested {
            self.lowered(item, nested, reports);
        }
    }

    /// The analysis of a body whose mistakes are told.
    pub(crate) fn reporting<'s>(
        &'s self,
        item: ItemRef,
        signature: &Signature,
        body: &'s Body,
        scope: Scope<'s>,
    ) -> Solver<'s> {
        // What is declared inside of a handler is none.
        let is_whole = self.index.item(item).and_then(|item| item.body).is_none_or(|own| body.span.start <= own.start);
        let handler = is_whole && self.index.is_handler(item, &scope, signature);
        let mut solver = Solver::new(self, body, scope, Asking::default());
        (solver.handler, solver.reporting) = (handler, true);
        solver.method = Some(item);
        solver.races = self.index.may_cancel(item);
        solver
    }

    pub(crate) fn scope<'s>(
        &self,
        item: ItemRef,
        body: &'s Body,
        generics: &'s [(String, Vec<sessionlint_ir::TypeRef>)],
    ) -> Scope<'s> {
        let mut scope = self.index.scope_of(item);
        scope.generics = generics;
        scope.imports = &body.imports;
        scope.self_ty = self.index.self_ty(item);
        scope
    }

    /// What a function does to a session that it is lent; `None` when it has no body to look at, or more stands around the session than
    /// anybody writes.
    pub(crate) fn effect(&self, item: ItemRef, lent: &LentAs, asking: &Asking) -> Option<Arc<Effect>> {
        if lent.layers.len() > MAX_LAYERS {
            return None;
        }
        match self.answer(Question::Effect(item, lent.clone()), asking) {
            Answer::Effect(effect) => effect,
            Answer::Summary(_) => None,
        }
    }

    /// What a call may do to a session that it is lent: for a method that a trait only declares, what any of its implementations
    /// may do. What they do not agree on may have ended it.
    pub(crate) fn lent_effect(&self, item: ItemRef, lent: &LentAs, asking: &Asking) -> Option<Arc<Effect>> {
        let implementations = self.index.implementations(item);
        let mut effects = implementations.iter().map(|item| self.effect(*item, lent, asking));
        let Some(first) = effects.next() else { return self.effect(item, lent, asking) };
        let mut joined = first?;
        for other in effects {
            let other = other?;
            if joined != other {
                joined = Arc::new(Arc::unwrap_or_clone(joined).joined(&other));
            }
        }
        Some(joined)
    }

    /// The same for several candidates: what they agree on.
    pub(crate) fn agreed_effect(&self, items: &[ItemRef], lent: &LentAs, asking: &Asking) -> Option<Arc<Effect>> {
        let mut effects = items.iter().map(|item| self.lent_effect(*item, lent, asking));
        let agreed = effects.next()??;
        effects.all(|effect| effect.as_ref() == Some(&agreed)).then_some(agreed)
    }

    /// What a function does beside giving its value, when it is called with these arguments.
    pub(crate) fn summary(&self, item: ItemRef, known: &Known, asking: &Asking) -> Arc<Summary> {
        match self.answer(Question::Summary(item, known.clone()), asking) {
            Answer::Summary(summary) => summary,
            Answer::Effect(_) => Arc::default(),
        }
    }

    /// The same, also where nothing that it does or gives seems to matter.
    pub(crate) fn summary_of(&self, item: ItemRef, known: &Known, asking: &Asking) -> Arc<Summary> {
        match self.answer(Question::Whole(item, known.clone()), asking) {
            Answer::Summary(summary) => summary,
            Answer::Effect(_) => Arc::default(),
        }
    }

    /// The answer to a question.
    pub(crate) fn answer(&self, question: Question, asking: &Asking) -> Answer {
        if !grounds::is_wanted() {
            return self.looked_up(question, asking);
        }
        let answer = || self.looked_up(question.clone(), asking);
        // Where questions ask each other, what one of them says meanwhile is no answer.
        let settled = match &question {
            Question::Whole(item, known) => &Question::Summary(*item, known.clone()),
            question => question,
        };
        let is_final = |_: &Answer| asking.is_done_with(settled);
        self.index.noted(question.clone(), |answer| self.weighed(answer), answer, is_final)
    }

    /// The same. What does not matter is not looked at.
    fn looked_up(&self, question: Question, asking: &Asking) -> Answer {
        match &question {
            Question::Summary(item, known) if !self.may_matter(*item) && !self.answers_by(*item, known) => {
                Answer::Summary(Arc::default())
            }
            Question::Whole(item, known) => self.answers.answer(self, Question::Summary(*item, known.clone()), asking),
            _ => self.answers.answer(self, question, asking),
        }
    }

    /// What stands for an answer. Where things stand is told from the beginning of their function.
    fn weighed(&self, answer: &Answer) -> u128 {
        let ways = |workload: &Workload| -> Vec<_> {
            let way = |way: &Vec<Span>| way.iter().map(|place| self.index.inside(*place)).collect::<Vec<_>>();
            workload.0.iter().map(|(deed, at)| (deed.clone(), way(at))).collect()
        };
        let none = Workload::default;
        match answer {
            Answer::Effect(effect) => fingerprint(&effect.as_ref().map(|effect| {
                let rest = Effect { workload: none(), meanwhile: none(), ..(**effect).clone() };
                (rest, ways(&effect.workload), ways(&effect.meanwhile))
            })),
            Answer::Summary(summary) => {
                let rest = Summary { workload: none(), ..(**summary).clone() };
                fingerprint(&(rest, ways(&summary.workload)))
            }
        }
    }

    /// The same for a method that a trait only declares: what any of its implementations does, or where `by_parameter` what all of
    /// them do, and gives what they agree on. Which of them a type parameter stands for, its caller decides.
    pub(crate) fn agreed_summary(
        &self,
        item: ItemRef,
        known: &Known,
        by_parameter: bool,
        asking: &Asking,
    ) -> Arc<Summary> {
        let implementations = self.index.implementations(item);
        let [first, rest @ ..] = implementations.as_slice() else { return self.summary(item, known, asking) };
        let first = self.summary(*first, known, asking);
        if rest.is_empty() {
            return first;
        }
        let mut agreed = (*first).clone();
        let mut given = vec![agreed.gives.clone()];
        for other in rest {
            let other = self.summary(*other, known, asking);
            agreed.truncated |= other.truncated;
            agreed.ty = agreed.ty.filter(|ty| other.ty.as_ref() == Some(ty));
            match by_parameter {
                true => agreed.workload.0.retain(|deed, _| other.workload.0.contains_key(deed)),
                false => other.workload.0.iter().for_each(|(deed, way)| agreed.workload.add(deed.clone(), way.clone())),
            }
            given.push(other.gives.clone());
        }
        if given.iter().any(|other| *other != agreed.gives) {
            agreed.gives = Some(Given::one_around(given.into_iter().flatten()));
        }
        Arc::new(agreed)
    }

    /// Whether a function can do or give anything that a summary tells: it waits for something, or gives a session
    /// or a pool, or could take a connection without waiting.
    fn may_matter(&self, item: ItemRef) -> bool {
        self.index.waits(item)
            || self.index.takes_without_waiting(item)
            || self.index.opens_handles(item)
            || self.index.makes_without_waiting(item)
            || self
                .index
                .output(item, None)
                .is_some_and(|ty| self.index.may_hold(&ty) || self.index.has_own_connection(&ty))
    }

    /// Whether a function answers with a truth value, which may follow from what is known of its arguments.
    fn answers_by(&self, item: ItemRef, known: &Known) -> bool {
        let is_truth = |signature: &Signature| signature.output.last_segment() == Some("bool");
        decides(known) && self.index.signature(item).is_some_and(|signature| is_truth(&signature))
    }

    /// Asks something of a function's body; `None` when it has none.
    pub(crate) fn asked<T>(
        &self,
        item: ItemRef,
        asking: &Asking,
        ask: impl FnOnce(Solver<'_>) -> Option<T>,
    ) -> Option<T> {
        let function = self.index.function(item)?;
        let body = function.body.as_ref()?;
        let generics = self.index.generics_around(item, &function.signature.generics);
        ask(Solver::new(self, body, self.scope(item, body, &generics), asking.clone()))
    }

    fn summarised(&self, item: ItemRef, known: &Known, mut solver: Solver<'_>) -> Summary {
        let world = solver.parameters(World::default());
        let world = solver.called_with(world, known);
        solver.summarise(world);
        let (ty, mut workload) = (solver.one_type(), solver.done);
        let connects = |protocol| {
            let kind = self.index.model.protocol(protocol).kind;
            !matches!(kind, ProtocolKind::Guard | ProtocolKind::Writer)
        };
        let is_opener = solver.gives.as_ref().is_some_and(|given| given.is_session_of(&connects));
        if is_opener || self.index.hands_out_pooled(item) {
            // What it waits for is part of taking a connection: a pause before it tries again, say.
            workload.0.retain(|deed, _| !matches!(deed, Deed::Outside(_)));
        }
        Summary { workload, gives: solver.gives, ty, truncated: solver.truncated.get() }
    }

    /// The method of the outermost struct or enum that commits the session in it: its name, and whether it is async.
    pub(crate) fn own_end(&self, protocol: ProtocolId, layers: &[Layer]) -> Option<(String, bool)> {
        let Some(Layer::Part(wrapper, _)) = layers.first() else { return None };
        self.index.methods_of(*wrapper).into_iter().find_map(|(name, item)| {
            let signature = self.index.signature(item).filter(|signature| signature.has_receiver)?;
            let lent = LentAs { param: 0, protocol, layers: layers.to_vec(), known: Known::new() };
            let effect = self.effect(item, &lent, &Asking::default())?;
            effect.ends.contains(&EndKind::Commit).then_some((name, signature.is_async))
        })
    }
}

impl Equations for Analysis<'_> {
    type Question = Question;
    type Answer = Answer;

    fn answered(&self, question: &Question, asking: &Asking) -> Answer {
        match question {
            Question::Effect(item, lent) => {
                Answer::Effect(self.asked(*item, asking, |solver| lent_effect(lent, solver)).map(Arc::new))
            }
            Question::Summary(item, known) | Question::Whole(item, known) => {
                let summary = self.asked(*item, asking, |solver| Some(self.summarised(*item, known, solver)));
                Answer::Summary(Arc::new(summary.unwrap_or_default()))
            }
        }
    }

    fn at_first(&self, question: &Question) -> Answer {
        match question {
            Question::Effect(..) => Answer::Effect(Some(Arc::default())),
            Question::Summary(..) | Question::Whole(..) => Answer::Summary(Arc::default()),
        }
    }

    fn unsettled(&self, answer: Answer) -> Answer {
        match answer {
            Answer::Effect(effect) => Answer::Effect(
                effect.map(|effect| Arc::new(Effect { truncated: true, ..Arc::unwrap_or_clone(effect) })),
            ),
            Answer::Summary(summary) => {
                Answer::Summary(Arc::new(Summary { truncated: true, ..Arc::unwrap_or_clone(summary) }))
            }
        }
    }
}

fn lent_effect(lent: &LentAs, mut solver: Solver<'_>) -> Option<Effect> {
    solver.collects = true;
    let world = solver.parameters(World::default());
    let world = solver.called_with(world, &lent.known);
    let local = *solver.body.params.get(lent.param)?;
    let (world, id) = solver.lend(world, local, lent.protocol, &lent.layers);
    solver.run(world);
    let mut ends: Vec<EndKind> = solver.sites[usize::from(id.site.0)].ended.iter().map(|(_, end)| *end).collect();
    ends.sort();
    ends.dedup();
    let partly = solver.loan.exits.len() > 1;
    let rarely = partly && solver.writes_only_what_is_missing(local);
    let mut texts = solver.loan.texts;
    let has = |control: SqlControl| texts.contains(&control);
    if has(SqlControl::Begin) && (has(SqlControl::Commit) || has(SqlControl::Rollback)) {
        texts.clear();
    } else if has(SqlControl::Savepoint) && (has(SqlControl::Release) || has(SqlControl::RollbackTo)) {
        use SqlControl::{Release, RollbackTo, Savepoint};
        texts.retain(|control| !matches!(control, Savepoint | Release | RollbackTo));
    }
    Some(Effect {
        writes: solver.written.contains(&id.site),
        partly,
        rarely,
        changed: solver.loan.changed.first().copied().flatten().filter(|_| solver.loan.changed.len() == 1),
        ends,
        texts: texts.into_iter().collect(),
        holds: solver.loan.holds,
        changes: left_of(&solver.loan.changes),
        escapes: solver.loan.escapes,
        unseen: solver.loan.unseen,
        workload: solver.done,
        truncated: solver.truncated.get(),
        meanwhile: solver.loan.meanwhile,
    })
}

/// What is left of changes of a connection's state when some take back others.
fn left_of(changes: &BTreeSet<StateChange>) -> Vec<StateChange> {
    let taken_back =
        |change: &&StateChange| !change.on || !changes.iter().any(|other| !other.on && other.takes_back(change));
    changes.iter().filter(taken_back).copied().collect()
}

/// `module::Type::function`, without the crate.
pub fn function_path(index: &Index<'_>, item: ItemRef) -> String {
    function_segments(index, item).join("::")
}

/// The same, in parts.
pub(crate) fn function_segments(index: &Index<'_>, item: ItemRef) -> Vec<String> {
    let mut path = index.module_of(item);
    if let Some((_, header)) = index.impl_of(item) {
        path.extend(header.self_ty.last_segment().map(str::to_owned));
    } else if let Some(Ty::Own(owner, _)) = index.self_ty(item) {
        path.extend(index.item(owner).map(|item| item.name.clone()));
    }
    path.extend(index.item(item).map(|item| item.name.clone()));
    path
}
