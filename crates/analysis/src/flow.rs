//! In which order are the blocks of a body visited? The one fixpoint loop.
//!
//! Facts at a block's entry are a set of worlds, each of which is one way to get there. A world is visited once
//! for each block; their number is bounded, so the loop ends. When there are too many, conditions are forgotten,
//! and if that does not help the body is a gap: silent, and counted.

use crate::events::{Event, Report, Site, SiteId};
use crate::index::{Index, Scope, Ty};
use crate::liveness::last_asked;
use crate::sql::{SqlControl, StateChange};
use crate::summary::{Analysis, Known};
use crate::transfer::{Made, fold};
use crate::value::{Layer, ObligationId, Origin, Value};
use crate::workload::{Given, Workload};
use crate::world::{Facts, Phase, State, World};
use sessionlint_diagnostics::{Evidence, Gap};
use sessionlint_ir::{
    BlockId, Body, BodyKind, Flag, LocalId, Operand, Place, Rvalue, Statement, StatementKind, Terminator, Test,
};
use sessionlint_protocols::ProtocolId;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

/// Worlds at one block in the coarse look.
const FEW_WORLDS: usize = 4;
/// Worlds at one block when it is asked what a function does with certain arguments.
const SOME_WORLDS: usize = 16;
/// Worlds at one block before conditions are forgotten.
const MANY_WORLDS: usize = 64;
/// Worlds at one block before the body is given up.
const TOO_MANY_WORLDS: usize = 200;
/// Visits of one body before it is given up: so many, and so many more for each block.
const TOO_MANY_STEPS: usize = 20_000;
const STEPS_A_BLOCK: usize = 8;

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
    pub tests: BTreeMap<Place, u32>,
    /// The variables of which it is tested whether they are set.
    pub flags: BTreeSet<LocalId>,
    /// The truth values that are tested here and passed to functions, too.
    decides: BTreeSet<Place>,
    /// The transactions that savepoints are opened in.
    pub parents: BTreeMap<SiteId, ObligationId>,
    /// The methods of structs of the workspace that were called to end a session.
    pub releases: BTreeMap<SiteId, String>,
    /// Sites that begin when a connection is taken out of its pool, and how.
    pub detached: BTreeMap<SiteId, String>,
    /// Children that were analysed, and what they do to what they capture.
    pub children: BTreeMap<usize, Child>,
    /// What calls do beside giving their value.
    pub workloads: Vec<Workload>,
    /// What this body does, as its callers see it.
    pub done: Workload,
    /// The pools that sessions of a site are checked out of.
    pub pools: BTreeMap<SiteId, Origin>,
    /// What the body gives at its exits, other than errors.
    pub gives: Option<Given>,
    /// Whether somebody wants to know what this body does.
    pub collects: bool,
    /// Whether it is a closure or block inside another body.
    pub nested: bool,
    /// How many calls deep it is looked what functions do.
    pub deep: u32,
    /// Whether some calls were too deep for that.
    pub truncated: bool,
    /// The session that a caller lends, and what is done to it.
    pub lent: Option<ObligationId>,
    pub loan: Loan,
    /// The pools that are made here.
    pub made: Made,
    /// The connections that sessions of a site were opened on.
    pub carriers: BTreeMap<SiteId, ObligationId>,
    /// Whether it is called for each request.
    pub handler: bool,
    /// Whether it may cancel what must not be cancelled.
    pub races: bool,
    /// The block that is visited.
    pub at: BlockId,
    /// For each condition the last block that may ask it.
    last_asked: Vec<BlockId>,
    gave_up: bool,
    /// Whether conditions had to be forgotten, so that ways may be taken which nobody can go.
    pub imprecise: bool,
    /// Whether this is the first, coarse look, which only asks if there is any session at all.
    coarse: bool,
    /// Whether few ways are enough, because only what is done on any of them is asked for.
    few: bool,
    /// What is known of the arguments.
    called_with: Known,
}

/// What is done to a session that a caller lends.
#[derive(Default)]
pub(crate) struct Loan {
    /// The texts about transactions that run on it.
    pub texts: BTreeSet<SqlControl>,
    /// What they change of the state of its connection.
    pub changes: BTreeSet<StateChange>,
    /// Whether any takes a lock of the server.
    pub holds: bool,
    /// Whether it is taken out of what it was lent in: by `Option::take`, say.
    pub escapes: bool,
}

/// What is known of a closure or async block.
#[derive(Clone, Debug, Default)]
pub(crate) struct Child {
    /// What it does to sessions that it captures.
    pub effects: BTreeMap<LocalId, ChildEffect>,
    /// What it does when it is called or polled.
    pub workload: Workload,
    /// What it gives.
    pub gives: Option<Given>,
}

/// What a closure or async block does to a session that it captures.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ChildEffect {
    pub writes: bool,
    pub ends: bool,
}

impl<'a> Solver<'a> {
    pub fn new(analysis: &'a Analysis<'a>, body: &'a Body, scope: Scope<'a>, depth: u32) -> Self {
        let (mut tests, mut truths) = (BTreeMap::new(), BTreeSet::new());
        for (number, block) in (0..).map(BlockId).zip(&body.blocks) {
            if let Terminator::Test { test, .. } = &block.terminator
                && let Test::Success(place) | Test::Failure { place, .. } | Test::Bool(place) = test
            {
                // In a loop it is tested again in the next round.
                *tests.entry(place.clone()).or_default() += 1 + u32::from(body.repeated.contains(&number));
                if matches!(test, Test::Bool(_)) {
                    truths.insert(place);
                }
            }
        }
        // What is passed on decides what is done there.
        let mut decides = BTreeSet::new();
        for place in body.blocks.iter().flat_map(|block| &block.statements).flat_map(passed) {
            if let Some(count) = tests.get_mut(place) {
                *count += 1;
                if truths.contains(place) {
                    decides.insert(place.clone());
                }
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
            flags: body.flags.values().map(|flag| flag.local).collect(),
            decides,
            parents: BTreeMap::new(),
            detached: BTreeMap::new(),
            releases: BTreeMap::new(),
            children: BTreeMap::new(),
            workloads: Vec::new(),
            done: Workload::default(),
            pools: BTreeMap::new(),
            gives: None,
            collects: false,
            nested: false,
            deep: 0,
            truncated: false,
            lent: None,
            loan: Loan::default(),
            made: Made::default(),
            carriers: BTreeMap::new(),
            handler: false,
            races: false,
            at: BlockId(0),
            last_asked: last_asked(body),
            gave_up: false,
            imprecise: false,
            coarse: false,
            few: false,
            called_with: Known::new(),
        }
    }

    /// Takes for granted what the caller passes.
    pub fn called_with(&mut self, mut world: World, known: &Known) -> World {
        self.called_with.clone_from(known);
        for (param, shape) in known {
            let Some(place) = self.body.params.get(*param).map(|local| Place::local(*local)) else { continue };
            match (shape, world.get(self.index, &place)) {
                (Value::Success(_), Value::Typed(ty, origin)) => {
                    if let Ty::Fallible(inner) = ty.peeled() {
                        world.set(&place, Value::Success(Box::new(typed_at((**inner).clone(), origin))));
                    }
                }
                (_, value) if value.owns() => {}
                (shape, _) => world.set(&place, shape.clone()),
            }
        }
        world
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
                let (_, protocol) = self.index.owned_session(*item)?;
                (protocol, Some(*item))
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
            variable: Some(local),
            protocol,
            evidence: if wrapper.is_some() { Evidence::Inferred } else { Evidence::Typed },
            layers: Vec::new(),
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
            Some(item) => self.wrap(item, session),
            None => session,
        })
    }

    /// Makes `local` hold a session that belongs to the caller.
    pub fn lend(
        &mut self,
        mut world: World,
        local: LocalId,
        protocol: ProtocolId,
        layers: &[Layer],
    ) -> (World, ObligationId) {
        let declared = &self.body.locals[local.index()];
        let site = self.site(Site {
            span: declared.span,
            name: declared.name.clone(),
            variable: Some(local),
            protocol,
            evidence: Evidence::Typed,
            layers: Vec::new(),
            own_end: None,
            borrowed: true,
            raw: false,
            parameter: true,
            on_borrowed: false,
            pooled: false,
            ended: Vec::new(),
        });
        let id = ObligationId { site, second: false };
        self.lent = Some(id);
        let session = self.begin(&mut world, site, None, None);
        world.set(&Place::local(local), fold(layers, session));
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
        let state = State {
            phase: Phase::Open,
            written: false,
            touched: false,
            anchor,
            parent,
            pool: self.pools.get(&site).cloned(),
            by_design: false,
            bypassed: false,
            left: BTreeSet::new(),
        };
        world.facts.obligations.insert(id, state);
        world.trace.written.remove(&id);
        world.trace.set.remove(&id);
        world.trace.branches.clear();
        if in_place { Value::Unknown } else { Value::Session(id) }
    }

    /// Analyses the body and reports.
    pub fn solve(mut self, world: World, function: String) -> Report {
        self.run(world);
        self.settings();
        let mut events: Vec<Event> = std::mem::take(&mut self.events).into_values().collect();
        events.sort_by_key(|event| (event.cause.span, event.site));
        for site in &mut self.sites {
            site.own_end = self.analysis.own_end(site.protocol, &site.layers);
        }
        let gaps = self.body.gaps.iter().cloned().chain(self.gaps).collect();
        Report {
            function,
            sites: self.sites,
            events,
            gaps,
            output: self.body.output.clone(),
            span: self.body.span,
            is_async: self.body.kind == BodyKind::AsyncFunction,
        }
    }

    /// Visits the blocks until nothing new is found. Most bodies hold no session: a coarse look tells.
    pub fn run(&mut self, entry: World) {
        if self.sites.is_empty() {
            (self.coarse, self.few) = (true, true);
            self.visit(entry.clone());
            (self.coarse, self.few) = (false, false);
            self.gave_up = false;
            if self.sites.is_empty() {
                return;
            }
            // The second look tells everything again, with what was learned about sites.
            self.events.clear();
            self.children.clear();
            self.written.clear();
            self.made = Made::default();
        }
        self.visit(entry);
        if self.imprecise {
            self.events.retain(|(kind, _, _), _| *kind != crate::events::EventKind::LeftOpen);
            let reason = "too many conditions in this body to tell its ways apart".to_owned();
            self.gaps.insert(Gap { span: self.body.span.at_start(), reason });
        }
    }

    /// Finds out what the body does and gives, on any way.
    pub fn summarise(&mut self, entry: World) {
        (self.collects, self.few) = (true, true);
        self.visit(entry);
    }

    fn visit(&mut self, entry: World) {
        let body = self.body;
        let mut ways = Ways { seen: vec![HashSet::new(); body.blocks.len()], pending: BTreeMap::new() };
        self.enqueue(BlockId(0), entry, &mut ways);
        let mut steps = 0;
        let too_many = TOO_MANY_STEPS + STEPS_A_BLOCK * body.blocks.len();
        while let Some((block, worlds)) = ways.pending.pop_first() {
            self.at = block;
            for world in worlds {
                for world in self.statements(world, &body.blocks[block.index()].statements) {
                    steps += 1;
                    self.leave(block, world, &mut ways);
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

    /// Goes on at the end of a block.
    fn leave(&mut self, block: BlockId, world: World, ways: &mut Ways) {
        match &self.body.blocks[block.index()].terminator {
            Terminator::Goto(next) => self.enqueue(*next, world, ways),
            Terminator::Return => self.at_return(world),
            Terminator::Diverge => {}
            Terminator::Test { test, yes, no, span, written } => {
                let flag = self.body.flags.get(&block);
                let any = flag.and_then(|flag| Some((flag.any?, world.facts.amounts.get(&flag.local)?)));
                let (held, failed) = match any {
                    Some((holds, any)) if holds == *any => (Some(world), None),
                    Some(_) => (None, Some(world)),
                    None => self.test(world, test),
                };
                let both = *written && held.is_some() && failed.is_some();
                for (next, way, holds) in [(*yes, held, true), (*no, failed, false)] {
                    if let Some(mut way) = way {
                        if both {
                            way.branch(*span, holds);
                        }
                        way.facts.deliberate |= self.body.deliberate.contains(&block);
                        // What was counted while the session was open decides on purpose.
                        let decides =
                            |flag: &Flag| (both || flag.any.is_some()) && way.facts.changed.contains(&flag.local);
                        way.facts.deliberate |= flag.is_some_and(decides);
                        self.enqueue(next, way, ways);
                    }
                }
            }
        }
    }

    /// Runs the statements of a block. Gives more than one world where it depends on an argument what a call does, and the
    /// argument is tested elsewhere.
    fn statements(&mut self, world: World, statements: &[Statement]) -> Vec<World> {
        let mut worlds = vec![world];
        for statement in statements {
            if !self.decides.is_empty() && !self.few {
                for place in passed(statement).filter(|place| self.decides.contains(*place)) {
                    worlds = worlds.into_iter().flat_map(|world| self.decided(world, place)).collect();
                }
            }
            for world in &mut worlds {
                self.statement(world, statement);
            }
        }
        worlds
    }

    /// The worlds in which a truth value is what it may be, when that matters to a session.
    fn decided(&self, world: World, place: &Place) -> Vec<World> {
        let (target, _) = world.canonical(place);
        let is_known = matches!(world.get(self.index, place), Value::Bool(_));
        if is_known || world.facts.obligations.keys().all(|id| !world.is_open(*id)) {
            return vec![world];
        }
        let (mut held, mut failed) = (world.clone(), world);
        held.set(&target, Value::Bool(true));
        failed.set(&target, Value::Bool(false));
        vec![held, failed]
    }

    fn enqueue(&mut self, block: BlockId, mut world: World, ways: &mut Ways) {
        let last = &self.last_asked;
        world.facts.conditions.retain(|id, _| last[id.0 as usize] >= block);
        let known = &mut ways.seen[block.index()];
        if self.few {
            // Which way is taken may depend on the arguments.
            let any = self.called_with.is_empty();
            if known.len() >= if any { FEW_WORLDS } else { SOME_WORLDS } {
                return;
            }
            if any {
                world.facts.conditions.clear();
                world.facts.store.retain(|_, value| !matches!(value, Value::Bool(_) | Value::Failure));
            }
        }
        if known.len() >= MANY_WORLDS && !self.few {
            let (conditions, values) = (world.facts.conditions.len(), world.facts.store.len());
            world.facts.conditions.clear();
            world.facts.store.retain(|_, value| !matches!(value, Value::Bool(_) | Value::Failure));
            self.imprecise |= conditions > 0 || values > world.facts.store.len();
        }
        if known.len() >= TOO_MANY_WORLDS {
            self.gave_up = true;
            return;
        }
        if known.insert(fingerprint(&world.facts)) {
            ways.pending.entry(block).or_default().push(world);
        }
    }

    /// A pending session becomes a real one.
    pub fn realise(&mut self, world: &mut World, value: Value) -> Value {
        match value {
            Value::Pending(site, anchor) => {
                let parent = self.parents.get(&site).copied();
                self.begin(world, site, anchor, parent)
            }
            Value::Wrote(_) | Value::Set(..) => Value::Unknown,
            Value::Wrapper(item, field, inner) => {
                let inner = self.realise(world, *inner);
                Value::Wrapper(item, field, Box::new(inner))
            }
            // An `Option` inside of a struct.
            Value::Success(inner) => Value::Success(Box::new(self.realise(world, *inner))),
            Value::Tuple(parts) => Value::Tuple(parts.into_iter().map(|part| self.realise(world, part)).collect()),
            other => other,
        }
    }
}

/// The ways that were met, by fingerprint, and those that go on, for each block.
struct Ways {
    seen: Vec<HashSet<u128>>,
    pending: BTreeMap<BlockId, Vec<World>>,
}

/// What a statement passes to a function by value.
fn passed(statement: &Statement) -> impl Iterator<Item = &Place> {
    let arguments = match &statement.kind {
        StatementKind::Assign(_, Rvalue::Call(call)) => call.args.as_slice(),
        _ => &[],
    };
    arguments.iter().filter_map(|argument| match argument {
        Operand::Value(place) => Some(place),
        _ => None,
    })
}

/// What stands for facts among those that were met: the facts of every block would be a large part of a body's memory.
fn fingerprint(facts: &Facts) -> u128 {
    let half = |salt: u64| {
        let mut hasher = DefaultHasher::new();
        (salt, facts).hash(&mut hasher);
        u128::from(hasher.finish())
    };
    half(0) << 64 | half(1)
}

/// A value of a type, unless nothing is known about it.
pub(crate) fn typed(ty: Ty) -> Value {
    typed_at(ty, None)
}

/// A value of a type that comes from somewhere else than the place that holds it.
pub(crate) fn typed_at(ty: Ty, origin: Option<Origin>) -> Value {
    if ty.is_unknown() { Value::Unknown } else { Value::Typed(ty, origin) }
}
