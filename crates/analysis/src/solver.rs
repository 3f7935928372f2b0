//! The state of the analysis of one body, and what it starts with.

use crate::callers::{ClosureParameters, Watched};
use crate::events::{Cause, Event, EventKind, Site, SiteId};
use crate::index::{Index, ItemRef, Scope, Ty};
use crate::joins::Lost;
use crate::known::{Known, passed};
use crate::liveness::{LastAsked, ReadAhead, last_asked, only_tested};
use crate::question::Asking;
use crate::show::Seen;
use crate::siblings::Makings;
use crate::sql::{Hold, SqlControl, StateChange};
use crate::summary::Analysis;
use crate::transfer::{Made, Quiet, Thrown};
use crate::value::{Anchor, ObligationId, Origin, Value};
use crate::workload::{Given, Workload};
use crate::world::{Phase, State, World};
use sessionlint_diagnostics::{Gap, Span};
use sessionlint_ir::{Asked, BlockId, Body, Call, Callee, LocalId, Operand, Place, Rvalue, Terminator, Test};
use sessionlint_protocols::{EndKind, LibraryId, ProtocolKind, Standard};
use std::cell::{Cell, OnceCell};
use std::collections::{BTreeMap, BTreeSet};

/// A function of another crate that is called.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outside {
    /// The library that it belongs to.
    pub library: Option<LibraryId>,
    /// Whether it only writes into a writer that it is passed.
    pub fills: bool,
}

/// The state of the analysis of one body.
pub(crate) struct Solver<'a> {
    pub analysis: &'a Analysis<'a>,
    pub index: &'a Index<'a>,
    pub body: &'a Body,
    pub scope: Scope<'a>,
    /// The questions about other functions that are in progress.
    pub asking: Asking,
    pub sites: Vec<Site>,
    pub events: BTreeMap<(EventKind, SiteId, Cause), Event>,
    pub gaps: BTreeSet<Gap>,
    /// Sites through which something is written on some way.
    pub written: BTreeSet<SiteId>,
    /// Sites of sessions that this body gives up itself behind the place where somebody else got a clone.
    pub gives_up_shared: BTreeSet<SiteId>,
    /// Sites of sessions that somebody else has on some way, and where that is so.
    pub given_away: BTreeMap<SiteId, BTreeSet<BlockId>>,
    /// How often a place is tested: what is tested once needs no memory.
    pub tests: BTreeMap<Place, u32>,
    /// The variables of which it is tested whether they are set.
    pub flags: BTreeSet<LocalId>,
    /// The truth values that are tested here and passed to functions, too.
    pub decides: BTreeSet<Place>,
    /// The variables of which it is tested whether there is any, and that are passed to functions, too.
    pub passed: BTreeSet<LocalId>,
    /// The transactions that savepoints are opened in.
    pub parents: BTreeMap<SiteId, ObligationId>,
    /// The methods of structs of the workspace that were called to end a session.
    pub releases: BTreeMap<SiteId, String>,
    /// Sites that begin when a connection is taken out of its pool, and how.
    pub detached: BTreeMap<SiteId, String>,
    /// Sessions that nobody minds when they cannot even be opened: that is only logged.
    pub optional: BTreeSet<SiteId>,
    /// What is done where something of a session fails.
    pub quiet: Quiet,
    /// Children that were analysed, and what they do to what they capture.
    pub children: BTreeMap<usize, Child>,
    /// What calls do beside giving their value.
    pub workloads: Vec<Workload>,
    /// What this body does, as its callers see it.
    pub done: Workload,
    /// What sessions of a site are held for by whoever gave them.
    pub holds: BTreeMap<SiteId, Hold>,
    /// The pools that sessions of a site are checked out of.
    pub pools: BTreeMap<SiteId, Origin>,
    /// What the body gives at its exits, other than errors.
    pub gives: Option<Given>,
    /// The types of the workspace that it gives there.
    pub given_types: BTreeSet<Option<Ty>>,
    /// Whether the call that is looked at gives a value that nobody awaits at once, and the places that are awaited.
    pub unawaited: bool,
    pub awaited: BTreeSet<Place>,
    /// Whether it gives a future at any exit.
    pub gives_future: bool,
    /// Whether somebody wants to know what this body does.
    pub collects: bool,
    /// Whether it is a closure or block inside another body.
    pub nested: bool,
    /// Whether what a function does had not settled that is called here.
    pub truncated: Cell<bool>,
    /// The session that a caller lends, and what is done to it.
    pub lent: Option<ObligationId>,
    pub loan: Loan,
    /// The pools that are made here.
    pub made: Made,
    /// The databases that are made here and thrown away.
    pub thrown: Thrown,
    /// The connections that sessions of a site were opened on.
    pub carriers: BTreeMap<SiteId, ObligationId>,
    /// Whether it is called for each request.
    pub handler: bool,
    /// Whether it tells what it finds: a receiver by value is then its own.
    pub reporting: bool,
    /// The function whose mistakes are told.
    pub method: Option<ItemRef>,
    /// Whether it may cancel what must not be cancelled.
    pub races: bool,
    /// The block that is visited.
    pub at: BlockId,
    /// The blocks that commit sessions of a site.
    pub commits: BTreeMap<SiteId, BTreeSet<BlockId>>,
    /// For each block that ends with a condition about a dry run, whether it holds in one.
    pub dry_runs: BTreeMap<BlockId, bool>,
    /// For each condition the last block that may ask it.
    pub last_asked: Vec<LastAsked>,
    /// For each block the value that its test asks, and nobody else.
    pub only_tested: BTreeMap<BlockId, LocalId>,
    pub gave_up: bool,
    /// The work since the last visit ended: facts that statements ran on, and that were compared with those of other ways.
    pub steps: usize,
    /// Whether conditions had to be forgotten, so that ways may be taken which nobody can go.
    pub imprecise: bool,
    /// What is read ahead, while ways are joined because there were too many to keep each one apart.
    pub read_ahead: Option<ReadAhead>,
    /// What was known on some of the ways that were joined.
    pub lost: Lost,
    /// Sites of sessions that were open where something was asked that was lost.
    pub doubtful: BTreeSet<SiteId>,
    /// Whether this is the first, coarse look, which only asks if there is any session at all.
    pub coarse: bool,
    /// Whether few ways are enough, because only what is done on any of them is asked for.
    pub few: bool,
    /// Whether the function that is called is one of a type parameter: `S::load(..)`.
    pub by_parameter: bool,
    /// The function of another crate that is called.
    pub outside: Option<Outside>,
    /// The calls of one function that are watched.
    pub watched: Option<Watched>,
    /// The closures among the parameters of the function.
    pub closures: ClosureParameters,
    /// The parameters and captures that are sessions which the caller keeps.
    pub lent_here: OnceCell<Vec<LocalId>>,
    /// The variables that an error value of the body may be in.
    pub errors: OnceCell<BTreeSet<LocalId>>,
    /// The blocks that unlock a lock of the server.
    pub unlocks: OnceCell<BTreeSet<BlockId>>,
    /// The temporaries that a constructor makes, by its path.
    pub constructors: OnceCell<BTreeMap<LocalId, Option<Vec<String>>>>,
    pub waited: crate::waited::Waited,
    /// The variants that parameters are, where callers say so.
    pub variants: BTreeMap<LocalId, String>,
    /// What is known of the arguments.
    pub called_with: Known,
    /// How it makes structs of one type, when somebody wants to know.
    pub makings: Option<Makings>,
    /// What is remembered of the way that was gone, when somebody wants to see it.
    pub seen: Option<Box<Seen>>,
    /// The blocks at which ways come together again that took the sides of a condition.
    pub joins: BTreeMap<Span, BTreeSet<BlockId>>,
    /// The blocks in which something happens meanwhile.
    pub met_at: BTreeMap<(EventKind, SiteId, Cause), BlockId>,
    /// The blocks at which a session of a site is left open.
    pub left_at: BTreeMap<(SiteId, Cause), BTreeSet<BlockId>>,
    /// The sessions that this body was lent and with which it polls, by their variables.
    pub polls: BTreeSet<LocalId>,
    /// The sleeps, and calls that sleep, of such polls.
    pub polled_at: BTreeSet<Span>,
    /// The variables of a closure or async block that are sessions which the function around it was lent.
    pub lent_captures: BTreeSet<LocalId>,
    /// Whether it is asked about nothing but a session that it polls with.
    pub tells_polls: bool,
}

/// What is done to a session that a caller lends.
#[derive(Default)]
pub(crate) struct Loan {
    /// The texts about transactions that run on it.
    pub texts: BTreeSet<SqlControl>,
    /// What they change of the state of its connection.
    pub changes: BTreeSet<StateChange>,
    /// What it is held for behind them.
    pub holds: Option<Hold>,
    /// Whether it is taken out of what it was lent in: by `Option::take`, say.
    pub escapes: bool,
    /// Whether it is lent to code that nobody sees.
    pub unseen: bool,
    /// What is done while it is open.
    pub meanwhile: Workload,
    /// Whether something was written through it at an exit that is no error, for all of them.
    pub exits: BTreeSet<bool>,
    /// The blocks in which something is written through it.
    pub written_at: BTreeSet<BlockId>,
    /// What those exits answer: whether the write changed anything, or nothing; `None` for what says neither.
    pub changed: BTreeSet<Option<bool>>,
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
    /// Whether a call of it gives a future.
    pub later: bool,
    /// The end that it brings a session to which it owns.
    pub finishes: BTreeMap<LocalId, EndKind>,
}

/// What a closure or async block does to a session that it captures.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ChildEffect {
    pub writes: bool,
    pub ends: bool,
    /// Whether it has a text that ends a transaction which was begun as text.
    pub commits: bool,
}

impl<'a> Solver<'a> {
    pub fn new(analysis: &'a Analysis<'a>, body: &'a Body, scope: Scope<'a>, asking: Asking) -> Self {
        let (mut tests, mut truths) = (BTreeMap::new(), BTreeSet::new());
        for (number, block) in (0..).map(BlockId).zip(&body.blocks) {
            if let Terminator::Test { test, .. } = &block.terminator
                && let Test::Success(place) | Test::Failure(place) | Test::Bool(place) = test
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
        for place in body.statements().flat_map(passed) {
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
            asking,
            sites: Vec::new(),
            events: BTreeMap::new(),
            gaps: BTreeSet::new(),
            written: BTreeSet::new(),
            gives_up_shared: BTreeSet::new(),
            given_away: BTreeMap::new(),
            tests,
            flags: body.flags.values().map(|flag| flag.local).collect(),
            decides,
            passed: body
                .blocks
                .iter()
                .flat_map(|block| &block.statements)
                .flat_map(passed)
                .map(|place| place.local)
                .filter(|local| body.flags.values().any(|flag| flag.local == *local && flag.any.is_some()))
                .collect(),
            parents: BTreeMap::new(),
            detached: BTreeMap::new(),
            optional: BTreeSet::new(),
            quiet: Quiet::default(),
            releases: BTreeMap::new(),
            children: BTreeMap::new(),
            workloads: Vec::new(),
            done: Workload::default(),
            holds: BTreeMap::new(),
            pools: BTreeMap::new(),
            gives: None,
            given_types: BTreeSet::new(),
            collects: false,
            nested: false,
            truncated: Cell::new(false),
            lent: None,
            loan: Loan::default(),
            made: Made::default(),
            thrown: Thrown::default(),
            carriers: BTreeMap::new(),
            handler: false,
            reporting: false,
            method: None,
            races: false,
            at: BlockId(0),
            commits: BTreeMap::new(),
            dry_runs: dry_runs(analysis, body),
            last_asked: last_asked(body),
            only_tested: only_tested(body),
            gave_up: false,
            gives_future: false,
            unawaited: false,
            awaited: awaited_places(analysis, body),
            steps: 0,
            imprecise: false,
            read_ahead: None,
            lost: Lost::default(),
            doubtful: BTreeSet::new(),
            coarse: false,
            few: false,
            by_parameter: false,
            outside: None,
            watched: None,
            closures: ClosureParameters::default(),
            lent_here: OnceCell::new(),
            errors: OnceCell::new(),
            unlocks: OnceCell::new(),
            constructors: OnceCell::new(),
            waited: Default::default(),
            variants: BTreeMap::new(),
            called_with: Known::new(),
            makings: None,
            seen: None,
            joins: BTreeMap::new(),
            met_at: BTreeMap::new(),
            left_at: BTreeMap::new(),
            polls: BTreeSet::new(),
            polled_at: BTreeSet::new(),
            lent_captures: BTreeSet::new(),
            tells_polls: false,
        }
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
        anchor: Option<Anchor>,
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
            rows: false,
            touched: false,
            anchor,
            parent,
            pool: self.pools.get(&site).cloned(),
            held_for: self.holds.get(&site).copied(),
            bypassed: false,
            left: BTreeSet::new(),
            fresh: false,
            scratch: crate::scratch::Scratch::default(),
            dry_run: !world.facts.dry_run.is_empty(),
            counted: false,
            shared: false,
        };
        world.facts.obligations.insert(id, state);
        world.trace.written.remove(&id);
        world.trace.set.remove(&id);
        world.trace.branches.clear();
        match in_place {
            false => Value::Session(id),
            // The handle of an upload: without it there is nothing to end.
            true if self.index.model.protocol(self.protocol_of(id)).kind == ProtocolKind::Writer => Value::About(id),
            true => Value::Unknown,
        }
    }

    /// A pending session becomes a real one.
    pub fn realise(&mut self, world: &mut World, value: Value) -> Value {
        match value {
            Value::Pending(site, anchor) => {
                let parent = self.parents.get(&site).copied();
                self.begin(world, site, anchor, parent)
            }
            Value::Wrote(obligation) => Value::Affected { obligation, partial: false, of: None },
            Value::Set(..) => Value::Unknown,
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

/// The places of a body that are awaited as they are, or run to their end.
fn awaited_places(analysis: &Analysis<'_>, body: &Body) -> BTreeSet<Place> {
    let standard = analysis.index.model.standard();
    let awaited = body.assignments().filter_map(|(_, value)| match value {
        Rvalue::Await { future: Operand::Value(place), .. } => Some(place.clone()),
        Rvalue::Call(call) => match run_to_end(call, standard) {
            Some(Operand::Value(place)) => Some(place.clone()),
            _ => None,
        },
        _ => None,
    });
    awaited.collect()
}

/// The future that a call runs to its end by its name: `runtime.block_on(future)`, `future.block_on()`.
pub(crate) fn run_to_end<'c>(call: &'c Call, standard: &Standard) -> Option<&'c Operand> {
    match (&call.callee, call.args.as_slice()) {
        (Callee::Path { segments, .. }, [future]) => {
            Some(future).filter(|_| segments.last().is_some_and(|name| standard.blocks_on(name)))
        }
        (Callee::Method { name, .. }, [future]) => Some(future).filter(|_| standard.blocks_on(name)),
        (Callee::Method { receiver, name }, []) => Some(receiver).filter(|_| standard.blocks_on(name)),
        _ => None,
    }
}

/// The blocks of a body that end with a condition about a dry run, and whether it holds in one.
fn dry_runs(analysis: &Analysis<'_>, body: &Body) -> BTreeMap<BlockId, bool> {
    let intent = analysis.index.model.intent();
    let about = |(block, asked): (&BlockId, &Asked)| Some((*block, intent.dry_run(&asked.names)? != asked.negated));
    body.asked.iter().filter_map(about).collect()
}

/// A value of a type, unless nothing is known about it.
pub(crate) fn typed(ty: Ty) -> Value {
    typed_at(ty, None)
}

/// A value of a type that comes from somewhere else than the place that holds it.
pub(crate) fn typed_at(ty: Ty, origin: Option<Origin>) -> Value {
    if ty.is_unknown() { Value::Unknown } else { Value::Typed(ty, origin) }
}
