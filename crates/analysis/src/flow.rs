//! In which order are the blocks of a body visited? The one fixpoint loop.
//!
//! Facts at a block's entry are a set of worlds, each of which is one way to get there. A world is visited once
//! for each block; their number is bounded, so the loop ends. When there are too many, conditions are forgotten,
//! and if that does not help the body is a gap: silent, and counted.

use crate::events::{Event, Report, Site, SiteId};
use crate::index::{Index, ItemRef, Scope, Ty};
use crate::value::{ObligationId, Value};
use crate::world::{Facts, Phase, State, World};
use sessionlint_diagnostics::{Evidence, Gap};
use sessionlint_ir::{BlockId, Body, FunctionItem, LocalId, Place, Terminator, Test};
use sessionlint_protocols::{EndKind, ProtocolId};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::RwLock;

/// Worlds at one block in the coarse look.
const FEW_WORLDS: usize = 4;
/// Worlds at one block before conditions are forgotten.
const MANY_WORLDS: usize = 64;
/// Worlds at one block before the body is given up.
const TOO_MANY_WORLDS: usize = 200;
/// Visits of one body before it is given up: so many, and so many more for each block.
const TOO_MANY_STEPS: usize = 20_000;
const STEPS_A_BLOCK: usize = 8;
/// How many calls deep effects of helpers are looked for.
const MAX_CALLS: u32 = 3;

/// The analysis of a workspace: an index, and what is known about helper functions.
pub struct Analysis<'h> {
    /// Names and types.
    pub index: Index<'h>,
    effects: RwLock<HashMap<EffectKey, Effect>>,
}

/// A function, the parameter that a session is lent to, its type, the struct around it, and how many calls
/// deep to look.
type EffectKey = (ItemRef, usize, ProtocolId, Option<(ItemRef, String)>, u32);

/// What a function does to a session that it is lent.
#[derive(Clone, Debug, Default)]
pub(crate) struct Effect {
    /// Whether it writes through it.
    pub writes: bool,
    /// How it ends it, on any way.
    pub ends: Vec<EndKind>,
}

impl<'h> Analysis<'h> {
    /// An analysis over an index.
    pub fn new(index: Index<'h>) -> Self {
        Self { index, effects: RwLock::new(HashMap::new()) }
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
            let world = World::default();
            let mut solver = Solver::new(self, body, scope, MAX_CALLS);
            let world = solver.parameters(world);
            reports.push(solver.solve(world, path));
        }
        for nested in &function.nested {
            self.lowered(item, nested, reports);
        }
    }

    fn scope<'s>(
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

    /// What a function does to the session that it gets as parameter `param`; with `wrapper`, to the one in a
    /// field of that struct. Looks `depth` calls deep; `None` when it has no body to look at, or that is too deep.
    /// The answer depends on nothing but the arguments.
    pub(crate) fn effect(
        &self,
        item: ItemRef,
        param: usize,
        protocol: ProtocolId,
        wrapper: Option<(ItemRef, String)>,
        depth: u32,
    ) -> Option<Effect> {
        if depth == 0 {
            return None;
        }
        let key = (item, param, protocol, wrapper, depth);
        if let Some(known) = self.effects.read().unwrap_or_else(|poisoned| poisoned.into_inner()).get(&key) {
            return Some(known.clone());
        }
        let effect = self.compute_effect(item, param, protocol, key.3.clone(), depth)?;
        self.effects.write().unwrap_or_else(|poisoned| poisoned.into_inner()).insert(key, effect.clone());
        Some(effect)
    }

    /// The method of a struct that commits the session it owns: its name, and whether it is async.
    fn own_end(&self, wrapper: ItemRef) -> Option<(String, bool)> {
        let (field, protocol) = self.index.owned_session(wrapper)?;
        self.index.methods_of(wrapper).into_iter().find_map(|(name, item)| {
            let signature = self.index.signature(item).filter(|signature| signature.has_receiver)?;
            let effect = self.effect(item, 0, protocol, Some((wrapper, field.clone())), MAX_CALLS)?;
            effect.ends.contains(&EndKind::Commit).then_some((name, signature.is_async))
        })
    }

    fn compute_effect(
        &self,
        item: ItemRef,
        param: usize,
        protocol: ProtocolId,
        wrapper: Option<(ItemRef, String)>,
        depth: u32,
    ) -> Option<Effect> {
        let function = self.index.function(item)?;
        let body = function.body.as_ref()?;
        let generics = self.index.generics_around(item, &function.signature.generics);
        let scope = self.scope(item, body, &generics);
        let mut solver = Solver::new(self, body, scope, depth - 1);
        let world = solver.parameters(World::default());
        let local = *body.params.get(param)?;
        let (world, id) = solver.lend(world, local, protocol, wrapper);
        solver.run(world);
        let mut ends: Vec<EndKind> = solver.sites[usize::from(id.site.0)].ended.iter().map(|(_, end)| *end).collect();
        ends.sort();
        ends.dedup();
        Some(Effect { writes: solver.written.contains(&id.site), ends })
    }
}

/// `module::Type::function`, without the crate.
pub fn function_path(index: &Index<'_>, item: ItemRef) -> String {
    let mut path = index.module_of(item);
    if let Some((_, header)) = index.impl_of(item) {
        path.extend(header.self_ty.last_segment().map(str::to_owned));
    } else if let Some(Ty::Own(owner)) = index.self_ty(item) {
        path.extend(index.item(owner).map(|item| item.name.clone()));
    }
    path.extend(index.item(item).map(|item| item.name.clone()));
    path.join("::")
}

/// The state of the analysis of one body.
pub(crate) struct Solver<'a> {
    pub analysis: &'a Analysis<'a>,
    pub index: &'a Index<'a>,
    pub body: &'a Body,
    pub scope: Scope<'a>,
    /// How many calls deep helpers are looked into.
    pub depth: u32,
    pub sites: Vec<Site>,
    pub events: BTreeMap<(crate::events::EventKind, SiteId, crate::events::Cause), Event>,
    pub gaps: BTreeSet<Gap>,
    /// Sites through which something is written on some way.
    pub written: BTreeSet<SiteId>,
    /// How often a place is tested: what is tested once needs no memory.
    tests: BTreeMap<Place, u32>,
    /// The transactions that savepoints are opened in.
    pub parents: BTreeMap<SiteId, ObligationId>,
    /// The methods of structs of the workspace that were called to end a session.
    pub releases: BTreeMap<SiteId, String>,
    /// Sites that begin when a connection is taken out of its pool, and how.
    pub detached: BTreeMap<SiteId, String>,
    /// Children that were analysed, and what they do to what they capture.
    pub children: BTreeMap<usize, BTreeMap<LocalId, ChildEffect>>,
    gave_up: bool,
    /// Whether this is the first, coarse look, which only asks if there is any session at all.
    coarse: bool,
}

/// What a closure or async block does to a session that it captures.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ChildEffect {
    pub writes: bool,
    pub ends: bool,
}

impl<'a> Solver<'a> {
    pub fn new(analysis: &'a Analysis<'a>, body: &'a Body, scope: Scope<'a>, depth: u32) -> Self {
        let mut tests = BTreeMap::new();
        for block in &body.blocks {
            if let Terminator::Test { test, .. } = &block.terminator
                && let Test::Success(place) | Test::Failure { place, .. } | Test::Bool(place) = test
            {
                *tests.entry(place.clone()).or_default() += 1;
            }
        }
        Self {
            analysis,
            index: &analysis.index,
            body,
            scope,
            depth,
            sites: Vec::new(),
            events: BTreeMap::new(),
            gaps: BTreeSet::new(),
            written: BTreeSet::new(),
            tests,
            parents: BTreeMap::new(),
            detached: BTreeMap::new(),
            releases: BTreeMap::new(),
            children: BTreeMap::new(),
            gave_up: false,
            coarse: false,
        }
    }

    /// Gives the parameters their types; a session that is passed by value is owed here.
    pub fn parameters(&mut self, mut world: World) -> World {
        for local in &self.body.params {
            let declared = &self.body.locals[local.index()];
            let Some(written) = &declared.ty else { continue };
            let ty = self.index.ty(&self.scope, written);
            let value = self.owned_parameter(*local, &ty, &mut world).unwrap_or_else(|| typed(ty));
            world.set(&Place::local(*local), value);
        }
        world
    }

    fn owned_parameter(&mut self, local: LocalId, ty: &Ty, world: &mut World) -> Option<Value> {
        let (protocol, wrapper) = match ty {
            Ty::Known(protocol) => (*protocol, None),
            // The receiver's own methods are what ends it.
            Ty::Own(item) if self.body.locals[local.index()].name.as_deref() != Some("self") => {
                let (field, protocol) = self.index.owned_session(*item)?;
                (protocol, Some((*item, field)))
            }
            _ => return None,
        };
        let known = self.index.model.protocol(protocol);
        if !known.is_transaction() || known.in_place {
            return None;
        }
        let declared = &self.body.locals[local.index()];
        let site = self.site(Site {
            span: declared.span,
            name: declared.name.clone(),
            protocol,
            evidence: if wrapper.is_some() { Evidence::Inferred } else { Evidence::Typed },
            wrapper: wrapper.as_ref().map(|(item, _)| *item),
            own_end: None,
            borrowed: false,
            raw: false,
            parameter: true,
            on_borrowed: false,
            pooled: false,
            ended: Vec::new(),
        });
        let session = self.begin(world, site, None, None);
        Some(match wrapper {
            Some((item, _)) => self.wrap(item, session),
            None => session,
        })
    }

    /// Makes `local` hold a session that belongs to the caller.
    pub fn lend(
        &mut self,
        mut world: World,
        local: LocalId,
        protocol: ProtocolId,
        wrapper: Option<(ItemRef, String)>,
    ) -> (World, ObligationId) {
        let declared = &self.body.locals[local.index()];
        let site = self.site(Site {
            span: declared.span,
            name: declared.name.clone(),
            protocol,
            evidence: Evidence::Typed,
            wrapper: None,
            own_end: None,
            borrowed: true,
            raw: false,
            parameter: true,
            on_borrowed: false,
            pooled: false,
            ended: Vec::new(),
        });
        let id = ObligationId { site, second: false };
        let session = self.begin(&mut world, site, None, None);
        let value = match wrapper {
            Some((item, _)) => self.wrap(item, session),
            None => session,
        };
        world.set(&Place::local(local), value);
        (world, id)
    }

    /// The number of a site; the same call is the same site.
    pub fn site(&mut self, site: Site) -> SiteId {
        let known = self
            .sites
            .iter()
            .position(|known| known.span == site.span && known.protocol == site.protocol && known.raw == site.raw);
        let index = known.unwrap_or_else(|| {
            self.sites.push(site);
            self.sites.len() - 1
        });
        SiteId(index as u16)
    }

    /// Opens a session of a site.
    pub fn begin(
        &mut self,
        world: &mut World,
        site: SiteId,
        anchor: Option<crate::value::Anchor>,
        parent: Option<ObligationId>,
    ) -> Value {
        let first = ObligationId { site, second: false };
        let alive =
            world.facts.obligations.get(&first).is_some_and(|state| matches!(state.phase, Phase::Open | Phase::Ending));
        let id = ObligationId { site, second: alive && anchor.is_none() };
        let in_place = anchor.is_some();
        let state = State { phase: Phase::Open, written: false, touched: false, anchor, parent };
        world.facts.obligations.insert(id, state);
        world.trace.written.remove(&id);
        world.trace.branches.clear();
        if in_place { Value::Unknown } else { Value::Session(id) }
    }

    /// Analyses the body and reports.
    pub fn solve(mut self, world: World, function: String) -> Report {
        self.run(world);
        let mut events: Vec<Event> = std::mem::take(&mut self.events).into_values().collect();
        events.sort_by_key(|event| (event.cause.span, event.site));
        for site in &mut self.sites {
            site.own_end = site.wrapper.and_then(|wrapper| self.analysis.own_end(wrapper));
        }
        let gaps = self.body.gaps.iter().cloned().chain(self.gaps).collect();
        Report { function, sites: self.sites, events, gaps, output: self.body.output.clone() }
    }

    /// Visits the blocks until nothing new is found. Most bodies hold no session: a coarse look tells.
    pub fn run(&mut self, entry: World) {
        if self.sites.is_empty() {
            self.coarse = true;
            self.visit(entry.clone());
            self.coarse = false;
            self.gave_up = false;
            if self.sites.is_empty() {
                return;
            }
            // The second look tells everything again, with what was learned about sites.
            self.events.clear();
            self.children.clear();
            self.written.clear();
        }
        self.visit(entry);
    }

    fn visit(&mut self, entry: World) {
        let mut seen: Vec<BTreeSet<Facts>> = vec![BTreeSet::new(); self.body.blocks.len()];
        let mut pending: BTreeMap<BlockId, Vec<World>> = BTreeMap::new();
        self.enqueue(BlockId(0), entry, &mut seen, &mut pending);
        let mut steps = 0;
        let too_many = TOO_MANY_STEPS + STEPS_A_BLOCK * self.body.blocks.len();
        while let Some((block, worlds)) = pending.pop_first() {
            for mut world in worlds {
                steps += 1;
                let body = self.body;
                let visited = &body.blocks[block.index()];
                for statement in &visited.statements {
                    self.statement(&mut world, statement);
                }
                match &visited.terminator {
                    Terminator::Goto(next) => self.enqueue(*next, world, &mut seen, &mut pending),
                    Terminator::Return => self.at_return(world),
                    Terminator::Diverge => {}
                    Terminator::Test { test, yes, no, span, written } => {
                        let (held, failed) = self.test(world, test);
                        let both = *written && held.is_some() && failed.is_some();
                        for (next, way, holds) in [(*yes, held, true), (*no, failed, false)] {
                            if let Some(mut way) = way {
                                if both {
                                    way.branch(*span, holds);
                                }
                                way.facts.deliberate |= body.deliberate.contains(&block);
                                self.enqueue(next, way, &mut seen, &mut pending);
                            }
                        }
                    }
                }
            }
            if self.coarse && (!self.sites.is_empty() || self.gave_up || steps > too_many) {
                return;
            }
            if self.gave_up || steps > too_many {
                self.events.clear();
                self.written.clear();
                let reason = "too many ways through this body".to_owned();
                self.gaps.insert(Gap { span: self.body.span.at_start(), reason });
                return;
            }
        }
    }

    fn enqueue(
        &mut self,
        block: BlockId,
        mut world: World,
        seen: &mut [BTreeSet<Facts>],
        pending: &mut BTreeMap<BlockId, Vec<World>>,
    ) {
        let known = &mut seen[block.index()];
        if self.coarse {
            if known.len() >= FEW_WORLDS {
                return;
            }
            world.facts.conditions.clear();
            world.facts.store.retain(|_, value| !matches!(value, Value::Bool(_) | Value::Failure));
        }
        if known.len() >= MANY_WORLDS {
            world.facts.conditions.clear();
            world.facts.store.retain(|_, value| !matches!(value, Value::Bool(_) | Value::Failure));
        }
        if known.len() >= TOO_MANY_WORLDS {
            self.gave_up = true;
            return;
        }
        if known.insert(world.facts.clone()) {
            pending.entry(block).or_default().push(world);
        }
    }

    /// The worlds in which a test holds and in which it fails; `None` when it cannot.
    fn test(&mut self, world: World, test: &Test) -> (Option<World>, Option<World>) {
        match test {
            Test::Success(place) => self.test_success(world, place, false),
            Test::Failure { place, ignored } => {
                let (success, failure) = self.test_success(world, place, *ignored);
                (failure, success)
            }
            Test::Bool(place) => {
                let (target, _) = world.canonical(place);
                match world.get(self.index, place) {
                    Value::Bool(true) => (Some(world), None),
                    Value::Bool(false) => (None, Some(world)),
                    _ if self.is_tested_again(place) => {
                        let (mut held, mut failed) = (world.clone(), world);
                        held.set(&target, Value::Bool(true));
                        failed.set(&target, Value::Bool(false));
                        (Some(held), Some(failed))
                    }
                    _ => (Some(world.clone()), Some(world)),
                }
            }
            Test::Condition { id, negated } => match world.facts.conditions.get(id) {
                Some(holds) if holds != negated => (Some(world), None),
                Some(_) => (None, Some(world)),
                None => {
                    let (mut held, mut failed) = (world.clone(), world);
                    held.facts.conditions.insert(*id, !negated);
                    failed.facts.conditions.insert(*id, *negated);
                    (Some(held), Some(failed))
                }
            },
            Test::Variant(..) | Test::Opaque => (Some(world.clone()), Some(world)),
        }
    }

    fn is_tested_again(&self, place: &Place) -> bool {
        self.tests.get(place).is_some_and(|count| *count > 1)
    }

    fn test_success(&mut self, world: World, place: &Place, ignored: bool) -> (Option<World>, Option<World>) {
        let (target, _) = world.canonical(place);
        match world.get(self.index, place) {
            Value::Success(_) => (Some(world), None),
            Value::Failure => (None, Some(world)),
            Value::Fallible(inner) => {
                let (mut success, mut failure) = (world.clone(), world);
                let value = self.realise(&mut success, *inner.clone());
                success.set(&target, Value::Success(Box::new(value)));
                failure.set(&target, Value::Failure);
                if let Value::Outcome(id, end) = *inner
                    && ignored
                {
                    failure.set_phase(id, Phase::Failed(end));
                }
                if let Value::Wrote(id) = *inner {
                    failure.unwrite(id);
                }
                (Some(success), Some(failure))
            }
            Value::Typed(ty) => {
                let (mut success, mut failure) = (world.clone(), world);
                if let Ty::Fallible(inner) = ty.peeled() {
                    success.set(&target, Value::Success(Box::new(typed((**inner).clone()))));
                }
                if self.is_tested_again(place) {
                    failure.set(&target, Value::Failure);
                }
                (Some(success), Some(failure))
            }
            _ if self.is_tested_again(place) => {
                let (mut success, mut failure) = (world.clone(), world);
                success.set(&target, Value::Success(Box::new(Value::Unknown)));
                failure.set(&target, Value::Failure);
                (Some(success), Some(failure))
            }
            _ => (Some(world.clone()), Some(world)),
        }
    }

    /// A pending session becomes a real one.
    pub fn realise(&mut self, world: &mut World, value: Value) -> Value {
        match value {
            Value::Pending(site, anchor) => {
                let parent = self.parents.get(&site).copied();
                self.begin(world, site, anchor, parent)
            }
            Value::Wrote(_) => Value::Unknown,
            Value::Wrapper(item, field, inner) => {
                let inner = self.realise(world, *inner);
                Value::Wrapper(item, field, Box::new(inner))
            }
            Value::Tuple(parts) => Value::Tuple(parts.into_iter().map(|part| self.realise(world, part)).collect()),
            other => other,
        }
    }
}

/// A value of a type, unless nothing is known about it.
pub(crate) fn typed(ty: Ty) -> Value {
    if ty.is_unknown() { Value::Unknown } else { Value::Typed(ty) }
}
