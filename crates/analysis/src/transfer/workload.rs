//! What happens when a call runs or its future is polled, beside its value: checkouts and slow work.

use super::given::Passed;
use crate::events::{Cause, CauseKind, EventKind};
use crate::index::{ItemRef, Ty};
use crate::known::Known;
use crate::solver::Solver;
use crate::sql::Hold;
use crate::value::{ObligationId, Origin, Root, Source, Value};
use crate::workload::{Deed, Summary, Wait, Workload, seen_by_caller};
use crate::world::{State, World};
use sessionlint_diagnostics::{Evidence, Span};
use sessionlint_ir::{Call, LocalId, Operand};
use sessionlint_protocols::ProtocolId;
use std::sync::Arc;

impl Solver<'_> {
    /// Whether anybody wants to know what is done now: the caller, or a session that is held.
    pub(crate) fn is_watched(&self, world: &World) -> bool {
        self.handler || self.races || self.collects || world.facts.obligations.keys().any(|id| world.is_open(*id))
    }

    /// Something is done here and now.
    pub(crate) fn perform(&mut self, world: &mut World, workload: &Workload) {
        for (deed, way) in &workload.0 {
            let now = self.runs_now(world, deed);
            let deed = now.as_ref().unwrap_or(deed);
            if matches!(deed, Deed::Outside(_)) && self.is_first_use(way[0]) {
                continue;
            }
            let copies = |id: ObligationId| matches!(deed, Deed::Outside(_)) && self.is_copying(world, id, way[0]);
            if self.lent.is_some_and(copies) {
                continue;
            }
            if self.collects
                && let Some(mut seen) = self.seen_by_callers(deed)
            {
                if let Deed::Outside(wait) = &mut seen {
                    wait.with_lent |= self.is_lent_for_good(way[0]);
                }
                if self.lent.is_some_and(|lent| world.is_open(lent)) {
                    self.loan.meanwhile.add(seen.clone(), way.clone());
                }
                self.done.add(seen, way.clone());
            }
            match deed {
                Deed::Checkout(pool) => self.second_checkout(world, pool, false, way),
                Deed::Execute { pool, writes } => {
                    if !*writes || !self.bypass(world, pool, way) {
                        self.second_checkout(world, pool, true, way);
                    }
                }
                Deed::Outside(wait) => self.slow_work(world, wait, way),
                Deed::Begins(_) | Deed::Ends(..) | Deed::Runs { .. } => {}
                Deed::Makes { protocol, of } => self.makes(world, *protocol, of, way),
            }
        }
    }

    /// An origin with its parameter by position, so that callers understand it.
    pub(crate) fn as_parameter(&self, origin: &Origin) -> Option<Origin> {
        let root = match &origin.root {
            Root::Local(local) => {
                // A body inside another one is seen by what it captures.
                if self.nested {
                    return Some(origin.clone());
                }
                Root::Param(self.body.params.iter().position(|param| param == local)?)
            }
            Root::Made(_) => return None,
            root => root.clone(),
        };
        Some(Origin { root, path: origin.path.clone() })
    }

    /// A pool is asked for a connection: is one of its connections held already?
    fn second_checkout(&mut self, world: &World, pool: &Origin, lent: bool, way: &[Span]) {
        // One that keeps tables locked is there for what others read meanwhile, and whoever does not get a lock at once goes on
        // without a connection.
        let by_design = |state: &State| matches!(state.held_for, Some(Hold::Tables | Hold::TriedLock));
        let held = self.held_of(world, pool, |_, state| !by_design(state));
        let Some(id) = held.filter(|id| self.sites[usize::from(id.site.0)].span != way[0]) else { return };
        let kind = EventKind::SecondCheckout { lent };
        self.meanwhile(world, kind.clone(), id, way);
        let key = (kind, id.site, Cause { kind: CauseKind::Meanwhile, span: way[0] });
        let held = self.held_at_once(world, pool);
        if let Some(event) = self.events.get_mut(&key) {
            event.held = event.held.max(held);
        }
    }

    /// So many connections of a pool are held. One that a transaction was begun on is held with it.
    fn held_at_once(&self, world: &World, pool: &Origin) -> usize {
        let is_one = |(id, state): &(&ObligationId, &State)| {
            let site = &self.sites[usize::from(id.site.0)];
            let is_apart = !site.borrowed && !site.nested && !site.raw && !self.carriers.contains_key(&id.site);
            is_apart && world.is_open(**id) && state.pool.as_ref().is_some_and(|held| self.is_same_pool(held, pool))
        };
        world.facts.obligations.iter().filter(is_one).count()
    }

    /// Something is written through the pool of an open transaction. That is a mistake when the transaction goes
    /// on: beside one that is given up it may well be meant. Whether there is such a transaction.
    fn bypass(&mut self, world: &mut World, pool: &Origin, way: &[Span]) -> bool {
        // One that was begun for a lock has nothing that a write beside it could miss.
        let is_lock = |state: &State| matches!(state.held_for, Some(Hold::Lock | Hold::TriedLock)) && !state.written;
        let transactions = |protocol: ProtocolId, state: &State| {
            self.index.model.protocol(protocol).is_transaction() && !is_lock(state)
        };
        let Some(id) = self.held_of(world, pool, transactions) else { return false };
        if let Some(state) = world.facts.obligations.get_mut(&id)
            && !state.bypassed
        {
            state.bypassed = true;
            let taken = world.trace.taken;
            world.trace.bypassed.insert(id, (way[0], way[1..].to_vec(), taken));
        }
        // It needs a second connection in any case.
        self.second_checkout(world, pool, true, way);
        true
    }

    /// A transaction goes on after something was written beside it.
    pub(crate) fn goes_on(&mut self, world: &mut World, id: ObligationId) {
        if !world.facts.obligations.get(&id).is_some_and(|state| state.bypassed) {
            return;
        }
        if let Some(state) = world.facts.obligations.get_mut(&id) {
            state.bypassed = false;
        }
        if let Some((at, inside, taken)) = world.trace.bypassed.remove(&id) {
            let way: Vec<Span> = std::iter::once(at).chain(inside).collect();
            // What led there explains it, not what came behind it.
            let branches = world.trace.branches.clone();
            world.trace.branches.retain(|branch| branch.nth < taken);
            self.meanwhile(world, EventKind::Bypassed, id, &way);
            world.trace.branches = branches;
        }
    }

    pub(super) fn meanwhile(&mut self, world: &World, kind: EventKind, id: ObligationId, way: &[Span]) {
        let key = (kind.clone(), id.site, Cause { kind: CauseKind::Meanwhile, span: way[0] });
        self.event(world, kind, id, CauseKind::Meanwhile, way[0], None);
        if let Some(event) = self.events.get_mut(&key) {
            event.inside = way[1..].to_vec();
        }
    }

    /// The session that is held of a pool.
    fn held_of(
        &self,
        world: &World,
        pool: &Origin,
        wanted: impl Fn(ProtocolId, &State) -> bool,
    ) -> Option<ObligationId> {
        world.held(|id, state| {
            let site = &self.sites[usize::from(id.site.0)];
            state.pool.as_ref().is_some_and(|held| self.is_same_pool(held, pool))
                && !site.borrowed
                && wanted(site.protocol, state)
        })
    }

    /// Whether a type hands out a limited number of connections.
    pub(crate) fn lends(&self, ty: &Ty) -> bool {
        matches!(ty.peeled(), Ty::Known(protocol) if self.index.model.protocol(*protocol).lends)
    }

    /// The pool that an argument or receiver is.
    pub(crate) fn pool_of(&self, world: &World, value: &Value) -> Option<(ProtocolId, Origin)> {
        let (ty, origin) = match value {
            Value::Typed(ty, origin) => (ty.clone(), origin.clone()),
            Value::Wrapper(item, ..) => (Ty::own(*item), None),
            Value::Ref(place) => match world.get(self.index, place) {
                Value::Typed(ty, origin) => (ty, origin.or_else(|| world.origin(place))),
                Value::Wrapper(item, ..) => (Ty::own(item), world.origin(place)),
                _ => return None,
            },
            _ => return None,
        };
        let source = self.source(world, value, origin.clone());
        match ty.peeled() {
            Ty::Known(protocol) if self.lends(&ty) => Some((*protocol, origin?)),
            Ty::Own(owner, args) => match self.dereferenced(*owner, args.as_ref(), &source)? {
                (Ty::Known(protocol), origin) if self.lends(&Ty::Known(protocol)) => Some((protocol, origin?)),
                _ => None,
            },
            _ => None,
        }
    }

    /// What a value of a type of the workspace dereferences to, and where that comes from.
    pub(crate) fn dereferenced(
        &self,
        owner: ItemRef,
        args: Option<&Arc<[Ty]>>,
        source: &Source,
    ) -> Option<(Ty, Option<Origin>)> {
        let target = self.index.deref_of(owner, args)?;
        let Some(deref) = self.index.methods(owner, "deref").into_iter().next() else {
            let field = Origin { root: Root::Param(0), path: vec![self.index.derived_deref(owner)?] };
            return Some((target, source.then(&field)));
        };
        let summary = self.analysis.summary(deref, &Known::new(), &self.asking);
        self.truncated.set(self.truncated.get() || summary.truncated);
        let given = summary.gives.as_ref().and_then(|given| given.origin());
        let origin = given.and_then(|given| seen_by_caller(given, std::slice::from_ref(source)));
        Some((target, origin))
    }

    /// Where a value comes from, and the pool in a struct that was made here.
    pub(crate) fn source_of(&self, world: &World, value: &Value) -> Source {
        self.source(world, value, self.origin_of(world, value))
    }

    /// The same for a value of which it is known where it comes from.
    pub(crate) fn source(&self, world: &World, value: &Value, whole: Option<Origin>) -> Source {
        Source { whole, part: self.pool_inside(world, value) }
    }

    /// The pool in a struct that was made around it: the fields that lead to it, and where it comes from.
    fn pool_inside(&self, world: &World, value: &Value) -> Option<(Vec<String>, Origin)> {
        let referred;
        let mut inner = match value {
            Value::Ref(place) => {
                referred = world.get(self.index, place);
                &referred
            }
            value => value,
        };
        let mut fields = Vec::new();
        while let Value::Wrapper(_, field, next) = inner {
            // A variant is no step of an origin.
            fields.extend((!field.starts_with("::")).then(|| field.clone()));
            inner = next;
        }
        match inner {
            Value::Typed(_, Some(origin)) if !matches!(value, Value::Typed(..)) && !fields.is_empty() => {
                Some((fields, origin.clone()))
            }
            _ => None,
        }
    }

    /// Where a value comes from.
    pub(crate) fn origin_of(&self, world: &World, value: &Value) -> Option<Origin> {
        match value {
            Value::Typed(_, origin) => origin.clone(),
            Value::Ref(place) => world.origin(place),
            _ => None,
        }
    }

    /// A statement runs on a pool when its future is polled.
    pub(crate) fn executed(&mut self, pool: Origin, writes: bool, at: Span) -> Value {
        self.later(Workload::one(Deed::Execute { pool, writes }, at), Value::Unknown)
    }

    /// A deed of this body as those see it who run it.
    pub(crate) fn seen_by_callers(&self, deed: &Deed) -> Option<Deed> {
        let Deed::Runs { param, held } = deed else { return deed.seen_from(|origin| self.as_parameter(origin)) };
        let held = held.as_ref().map(|(protocol, pool)| {
            let pool = pool.as_ref().and_then(|pool| self.as_parameter(pool));
            (*protocol, pool)
        });
        Some(Deed::Runs { param: *param, held })
    }

    /// A closure that is run while a session of this body is held, with that session.
    fn runs_now(&self, world: &World, deed: &Deed) -> Option<Deed> {
        match deed {
            Deed::Runs { param, held: None } => {
                self.held_now(world).map(|held| Deed::Runs { param: *param, held: Some(held) })
            }
            _ => None,
        }
    }

    /// A session that is held here, and its pool.
    fn held_now(&self, world: &World) -> Option<(ProtocolId, Option<Origin>)> {
        let held = world.held(|id, _| {
            let site = &self.sites[usize::from(id.site.0)];
            let protocol = self.index.model.protocol(site.protocol);
            !site.borrowed && (protocol.is_transaction() || (protocol.pooled && !site.apart))
        })?;
        Some((self.protocol_of(held), world.facts.obligations.get(&held).and_then(|state| state.pool.clone())))
    }

    /// What a variable that is called is for those who run this body: the position of a parameter. A body inside of another one is
    /// seen by what it captures.
    pub(super) fn runnable(&self, local: LocalId) -> Option<usize> {
        match self.nested {
            true => self.body.captures.iter().any(|capture| capture.inner == local).then(|| local.index()),
            false => self.body.params.iter().position(|param| *param == local),
        }
    }

    /// A value is called. When it is a parameter, callers are told, and what is held meanwhile.
    pub(crate) fn value_called(&mut self, world: &World, callee: &Operand, at: Span) {
        if !self.collects {
            return;
        }
        let (Operand::Value(place) | Operand::Ref { place, .. }) = callee else { return };
        let Some(param) = self.runnable(world.canonical(place).0.local) else { return };
        let runs = Deed::Runs { param, held: self.held_now(world) };
        if let Some(seen) = self.seen_by_callers(&runs) {
            self.done.add(seen, vec![at]);
        }
    }

    /// What a function does with closures that it is given, and that it calls.
    pub(crate) fn run_closures(
        &mut self,
        world: &World,
        workload: &mut Workload,
        runs: &Workload,
        call: &Call,
        passed: &Passed,
    ) {
        let Passed::Arguments(values, origins, _) = passed else { return };
        let receivers = values.len() - call.args.len();
        for (deed, way) in &runs.0 {
            let Deed::Runs { param, held } = deed else { continue };
            let held = held
                .as_ref()
                .map(|(protocol, pool)| (*protocol, pool.as_ref().and_then(|pool| seen_by_caller(pool, origins))));
            match values.get(*param) {
                Some(value @ (Value::Callable { .. } | Value::Future(_))) => {
                    let Some(inside) = self.inside(value).cloned() else { continue };
                    self.run_inside(world, workload, &inside, held, call.name_span);
                }
                // A closure that was itself a parameter.
                _ => {
                    let operand = param.checked_sub(receivers).and_then(|index| call.args.get(index));
                    let Some(Operand::Value(place) | Operand::Ref { place, .. }) = operand else { continue };
                    let position = self.runnable(world.canonical(place).0.local);
                    if let Some(param) = position.filter(|_| self.collects) {
                        let mut longer = vec![call.name_span];
                        longer.extend(way);
                        workload.add(Deed::Runs { param, held }, longer);
                    }
                }
            }
        }
    }

    /// A closure runs while a session is held that it does not own: what it does beside that session is done too.
    pub(crate) fn run_inside(
        &mut self,
        world: &World,
        workload: &mut Workload,
        inside: &Workload,
        held: Option<(ProtocolId, Option<Origin>)>,
        at: Span,
    ) {
        for (deed, way) in &inside.0 {
            if let (Deed::Runs { param, held: None }, Some(_)) = (deed, &held) {
                workload.add(Deed::Runs { param: *param, held: held.clone() }, way.clone());
                continue;
            }
            workload.add(deed.clone(), way.clone());
            let Some((protocol, pool)) = &held else { continue };
            let same = |other: &Origin| pool.as_ref() == Some(other);
            let is_transaction = self.index.model.protocol(*protocol).is_transaction();
            let kind = match deed {
                Deed::Execute { pool, writes: true } if same(pool) && is_transaction => EventKind::Bypassed,
                Deed::Execute { pool, .. } if same(pool) => EventKind::SecondCheckout { lent: true },
                Deed::Checkout(pool) if same(pool) => EventKind::SecondCheckout { lent: false },
                Deed::Outside(wait) => EventKind::HeldAcross { wait: wait.clone() },
                _ => continue,
            };
            let site = self.opening_site(*protocol, at, Evidence::Inferred, None);
            self.meanwhile(world, kind, ObligationId { site, second: false }, way);
        }
    }

    /// A workload without what is not done when the session that is passed is what it is: a match on an enum
    /// around it takes one arm.
    pub(crate) fn narrowed(&self, workload: Workload, known: &Workload, passed: &Passed, at: Span) -> Workload {
        let Passed::Arguments(_, origins, _) = passed else { return workload };
        let known = known.called(at, |origin| seen_by_caller(origin, origins));
        let stays = |deed: &Deed| matches!(deed, Deed::Runs { .. }) || known.0.contains_key(deed);
        Workload(workload.0.into_iter().filter(|(deed, _)| stays(deed)).collect())
    }

    /// What a call of a function of the workspace does and gives.
    pub(crate) fn called(
        &mut self,
        world: &World,
        item: ItemRef,
        values: &[Value],
        origins: &[Source],
        known: &Known,
        at: Span,
    ) -> Summary {
        let wanted = self.is_watched(world)
            || self.unawaited
            || (self.reporting && !self.used_around().is_empty())
            || values.iter().any(|value| matches!(value, Value::Callable { .. }))
            || self
                .index
                .output(item, None)
                .is_some_and(|ty| self.index.may_hold(&ty) || self.index.has_own_connection(&ty));
        if !wanted {
            return Summary::default();
        }
        if self.index.model.is_outside(&crate::function_segments(self.index, item)) {
            let name = self.index.item(item).map(|item| item.name.clone()).unwrap_or_default();
            let workload = Workload::one(Deed::Outside(Wait::named(&name)), at);
            return Summary { workload, ..Summary::default() };
        }
        let summary = self.analysis.agreed_summary(item, known, self.by_parameter, &self.asking);
        self.truncated.set(self.truncated.get() || summary.truncated);
        let workload = summary.workload.called(at, |origin| seen_by_caller(origin, origins));
        let mut workload = self.with_pauses(world, workload, at);
        // Closures are looked into where they are known.
        let runs = summary.workload.0.iter().filter(|(deed, _)| matches!(deed, Deed::Runs { .. }));
        workload.0.extend(runs.map(|(deed, way)| (deed.clone(), way.clone())));
        Summary { workload, gives: summary.gives.clone(), ..Summary::default() }
    }
}
