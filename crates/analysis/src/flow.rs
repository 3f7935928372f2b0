//! In which order are the blocks of a body visited? The one fixpoint loop.
//!
//! Facts at a block's entry are a set of worlds, each of which is one way to get there. A world is visited once
//! for each block; their number is bounded, so the loop ends. When there are too many, the body is looked at once more, and
//! ways are joined (`joins.rs`); if that does not help the body is a gap: silent, and counted.

use crate::at_hand::{Hand, Hands};
use crate::events::{CauseKind, Event, EventKind, Report, SiteId};
use crate::fingerprint::fingerprint;
use crate::joins::{forget_dead, forget_ended, joined, joined_by_state};
use crate::known::{decides, passed};
use crate::liveness::ReadAhead;
use crate::receivers::receiver;
use crate::shared::Shared;
use crate::show::Seen;
use crate::solver::Solver;
use crate::told::is_told;
use crate::trace::Trace;
use crate::transfer::{MANUALLY_DROP, Made};
use crate::value::Value;
use crate::world::{Phase, World};
use rustc_hash::FxHashMap;
use sessionlint_diagnostics::{Gap, Span};
use sessionlint_ir::{BlockId, BodyKind, Flag, Place, Statement, Terminator, Test, TestRole};
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

/// Worlds at one block in the coarse look.
const FEW_WORLDS: usize = 4;
/// Worlds at one block when it is asked what a function does with certain arguments.
const SOME_WORLDS: usize = 16;
/// Worlds at one block before ways are joined that differ in one answer only, and, where that is done, before those are joined on
/// which sessions are in the same state.
const MANY_WORLDS: usize = 64;
/// Worlds at one block, after ways were joined, before the body is given up.
const TOO_MANY_WORLDS: usize = 200;
/// Worlds that come to one block, before ways are joined.
const TOO_MANY_ARRIVALS: usize = 4000;
/// Visits of one body before it is given up: so many, and so many more for each block.
const TOO_MANY_STEPS: usize = 20_000;
const STEPS_A_BLOCK: usize = 8;

impl Solver<'_> {
    /// Analyses the body and reports.
    pub fn solve(mut self, world: World, function: String, item: Span) -> Report {
        self.run(world);
        self.settings();
        self.tell_polls();
        let mut events: Vec<Event> = std::mem::take(&mut self.events).into_values().collect();
        events.retain(|event| {
            !self.is_thrown_away(&event.kind, event.site)
                && !self.is_all_quiet(&event.kind, event.site)
                && !self.is_settled(event)
        });
        // Whoever has the clone may end it, unless this body shows that it does so itself.
        events.retain(|event| !event.shared || self.gives_up_shared.contains(&event.site));
        // What nothing drops is taken out again, or somebody has it.
        let ended = &self.given_away;
        let kept = |event: &Event| match &event.kind {
            EventKind::Leaked { how } => {
                (how != MANUALLY_DROP || !ended.contains_key(&event.site)) && !self.name_is_handed_on(event.site)
            }
            _ => true,
        };
        events.retain(kept);
        let mut behind: BTreeMap<SiteId, BTreeSet<BlockId>> = BTreeMap::new();
        let mut told: BTreeMap<SiteId, BTreeSet<Span>> = BTreeMap::new();
        for event in events.iter_mut().filter(|event| event.kind == EventKind::LeftOpen) {
            let behind = behind.entry(event.site).or_insert_with(|| self.behind_last_turn(event.site));
            let at = self.left_at.get(&(event.site, event.cause.clone()));
            let flags = told.entry(event.site).or_insert_with(|| self.told_flags(event.site));
            event.counted |= is_told(event, flags);
            event.last_turn = at.is_some_and(|at| !at.is_disjoint(behind));
        }
        events.sort_by_key(|event| (event.cause.span, event.site));
        for (number, site) in (0..).map(SiteId).zip(&mut self.sites) {
            site.handed_on = self.given_away.contains_key(&number);
            site.own_end = self.analysis.own_end(site.protocol, &site.layers);
        }
        let hands = Hands { index: self.index, scope: &self.scope, body: self.body };
        let mut at_hand: BTreeMap<SiteId, Hand> = BTreeMap::new();
        let is_asked =
            |event: &&mut Event| !event.in_closure && matches!(event.kind, EventKind::LeftOpen | EventKind::Bypassed);
        for event in events.iter_mut().filter(is_asked) {
            let hand = at_hand.entry(event.site).or_insert_with(|| hands.of(&self.sites[usize::from(event.site.0)]));
            event.at_hand = hand.holds(&event.cause);
        }
        for event in events.iter_mut().filter(|event| event.cause.kind == CauseKind::Meanwhile) {
            event.end = event.end.or_else(|| self.end_behind(event));
        }
        let gives_result = self.gives_result();
        let gaps = self.body.gaps.iter().cloned().chain(self.gaps).collect();
        Report {
            function,
            sites: self.sites,
            events,
            gaps,
            gives_result,
            callers_close: false,
            capacities: Vec::new(),
            span: self.body.span,
            item,
            is_async: self.body.kind == BodyKind::AsyncFunction,
            inner: self.body.children.iter().map(|child| child.span).collect(),
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
            self.start_again();
        }
        self.visit(entry.clone());
        if self.imprecise || self.gave_up {
            self.start_again();
            (self.imprecise, self.gave_up) = (false, false);
            self.read_ahead = Some(ReadAhead::of(self.body));
            self.visit(entry);
            self.read_ahead = None;
        }
        self.mark_joins();
        let told = self.events.len();
        let reason = if self.gave_up {
            self.events.clear();
            self.written.clear();
            "this function has too many paths"
        } else {
            let is_doubtful = |site: &SiteId| self.imprecise || self.doubtful.contains(site);
            let is_left = |kind: &EventKind| matches!(kind, EventKind::LeftOpen | EventKind::CommitFailed);
            self.events.retain(|(kind, site, _), _| !is_left(kind) || !is_doubtful(site));
            "this function has too many conditions to follow each path"
        };
        if self.gave_up || self.events.len() < told {
            self.gaps.insert(Gap { span: self.body.span.at_start(), reason: reason.to_owned() });
        }
    }

    /// Another look tells everything again, with what was learned about sites.
    fn start_again(&mut self) {
        self.events.clear();
        self.children.clear();
        self.written.clear();
        self.made = Made::default();
    }

    /// Finds out what the body does and gives, on any way.
    pub fn summarise(&mut self, entry: World) {
        (self.collects, self.few) = (true, true);
        self.visit(entry);
        if self.gave_up {
            self.written.clear();
        }
        self.made_for_nothing();
    }

    /// Looks at each block on few ways: that is enough to know what is called.
    pub fn look(&mut self, entry: World) {
        self.few = true;
        self.visit(entry);
    }

    fn visit(&mut self, entry: World) {
        if let Some(seen) = &mut self.seen {
            **seen = Seen::default();
        }
        self.follow(entry);
        self.analysis.add_steps(std::mem::take(&mut self.steps));
    }

    fn follow(&mut self, entry: World) {
        let body = self.body;
        let blocks = body.blocks.len();
        let mut ways = Ways {
            seen: vec![FxHashMap::default(); blocks],
            pending: BTreeMap::new(),
            later: BTreeMap::new(),
            joined: vec![0; blocks],
        };
        self.enqueue(BlockId(0), entry, &mut ways);
        let mut steps = 0;
        let too_many = TOO_MANY_STEPS + STEPS_A_BLOCK * body.blocks.len();
        while let Some((block, worlds)) = ways.next() {
            self.at = block;
            let worlds = if self.read_ahead.is_some() { self.join(block, worlds, &mut ways) } else { worlds };
            for world in worlds {
                for world in self.statements(world, &body.blocks[block.index()].statements) {
                    steps += 1;
                    self.leave(block, world, &mut ways);
                }
            }
            if self.coarse && (!self.sites.is_empty() || self.gave_up || steps > too_many) {
                return;
            }
            self.gave_up |= steps > too_many;
            if self.gave_up || (self.imprecise && self.read_ahead.is_none()) {
                return;
            }
        }
    }

    /// Joins ways that came to a block.
    fn join(&mut self, block: BlockId, worlds: Vec<World>, ways: &mut Ways) -> Vec<World> {
        if matches!(self.body.blocks[block.index()].terminator, Terminator::Return) {
            // No way goes on from here.
            return worlds;
        }
        let mut worlds = joined(worlds);
        let met = &mut ways.joined[block.index()];
        if *met + worlds.len() > MANY_WORLDS {
            worlds = joined_by_state(worlds, &mut self.lost);
        }
        *met += worlds.len();
        self.gave_up |= *met > TOO_MANY_WORLDS;
        worlds
    }

    /// Goes on at the end of a block.
    fn leave(&mut self, block: BlockId, world: World, ways: &mut Ways) {
        match &self.body.blocks[block.index()].terminator {
            Terminator::Goto(next) => self.enqueue(*next, world, ways),
            Terminator::Return => self.at_return(world),
            Terminator::Diverge => {}
            Terminator::Test { test, yes, no, span, role } => {
                let flag = self.body.flags.get(&block);
                let known = |flag: &Flag| match world.facts.store.get(&Place::local(flag.local)) {
                    Some(Value::Any(any)) => Some((flag.any?, *any)),
                    _ => Some((flag.any.filter(|_| !flag.rows_only)?, *world.facts.amounts.get(&flag.local)?)),
                };
                self.failure_here(&world, block);
                let (held, failed) = match flag.and_then(known) {
                    Some((holds, any)) if holds == any => (Some(world), None),
                    Some(_) => (None, Some(world)),
                    None => self.test(world, test, self.body.only_logged.contains(&block)),
                };
                if let (Some(held), Some(_)) = (&held, &failed) {
                    self.doubt(held, test, flag);
                }
                let both = *role != TestRole::Propagated && held.is_some() && failed.is_some();
                for (next, way, holds) in [(*yes, held, true), (*no, failed, false)] {
                    if let Some(mut way) = way {
                        if both || way.is_last_arm(*role, holds) {
                            way.branch(*span, holds, *role);
                        }
                        if let Some(flag) = flag {
                            self.counted(&mut way, flag, both, holds);
                        }
                        self.decided_here(&mut way, block, *role, holds);
                        self.tried_here(&mut way, test, next, if holds { *no } else { *yes });
                        self.tested(&mut way, block);
                        self.enqueue(next, way, ways);
                    }
                }
            }
        }
    }

    /// Something is asked whose answer was known on some way, before ways were joined: it may be that only one of both can be taken by
    /// the sessions that are open.
    fn doubt(&mut self, world: &World, test: &Test, flag: Option<&Flag>) {
        let is_lost = match test {
            Test::Condition { id, .. } => self.lost.is_condition(*id),
            Test::Success(place) | Test::Failure(place) | Test::Bool(place) | Test::Variant(place, _) => {
                self.lost.is_local(world.canonical(place).0.local)
            }
            Test::Opaque => false,
        };
        if is_lost || flag.is_some_and(|flag| self.lost.is_local(flag.local)) {
            let open = world.facts.obligations.iter().filter(|(_, state)| state.phase == Phase::Open);
            self.doubtful.extend(open.map(|(id, _)| id.site));
        }
    }

    /// A test of whether there is any of something is passed.
    fn counted(&self, world: &mut World, flag: &Flag, both: bool, holds: bool) {
        if let Some(any) = flag.any {
            let none = holds != any;
            match world.get(self.index, &Place::local(flag.local)) {
                // Nothing was changed.
                Value::Affected { obligation, .. } if none => world.unwrite(obligation),
                Value::About(id) => world.set_phase(id, Phase::Gone),
                Value::Unknown | Value::Typed(..) if !flag.rows_only && self.passed.contains(&flag.local) => {
                    world.set(&Place::local(flag.local), Value::Any(!none));
                }
                _ => {}
            }
        }
        // What was counted while a session was open decides on purpose.
        if (both || flag.any.is_some()) && !flag.rows_only && world.facts.changed.contains(&flag.local) {
            world.open_mut(|state| !state.counted).for_each(|state| state.counted = true);
        }
    }

    /// A value without a name is tested, and never again.
    fn tested(&self, world: &mut World, block: BlockId) {
        let Some(local) = self.only_tested.get(&block) else { return };
        world.facts.amounts.remove(local);
        if !world.facts.store.get(&Place::local(*local)).is_some_and(Value::owns) && world.knows(*local) {
            world.remove_local(*local);
        }
    }

    /// What a branch decides about the sessions that are open.
    fn decided_here(&self, world: &mut World, block: BlockId, role: TestRole, holds: bool) {
        let dry_run = self.dry_runs.get(&block) == Some(&holds);
        if dry_run {
            world.facts.dry_run.insert(block);
        }
        let is_branch = role.is_decision();
        for state in world.open_mut(|state| (state.fresh && is_branch) || (dry_run && !state.dry_run)) {
            state.fresh &= !is_branch;
            state.dry_run |= dry_run;
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
            let question = self.question(statement);
            if let Some(question) = &question {
                worlds = worlds.into_iter().flat_map(|world| self.asked(world, question)).collect();
            }
            for world in &mut worlds {
                self.steps += world.facts.count();
                if let Some(seen) = &mut self.seen {
                    let protocol_of = |site: SiteId| self.sites[usize::from(site.0)].protocol;
                    seen.receiver(receiver(self.index, world, &protocol_of, statement));
                }
                self.statement(world, statement);
                if let Some(question) = &question {
                    self.answer(world, question);
                }
                if let Some(seen) = &mut self.seen {
                    seen.value(world, self.index, statement);
                }
            }
        }
        worlds
    }

    fn enqueue(&mut self, block: BlockId, mut world: World, ways: &mut Ways) {
        if matches!(self.body.blocks[block.index()].terminator, Terminator::Return) {
            // Nothing is asked any more. This block is the first to be made, and the last to be reached.
            world.facts.conditions.clear();
            world.facts.amounts.clear();
            world.facts.changed.clear();
        }
        let asked = &self.body.asked;
        world.facts.dry_run.retain(|asks| *asks < block && asked.get(asks).is_some_and(|asked| block < asked.join));
        let last = &self.last_asked;
        world.facts.conditions.retain(|id, holds| !last[id.0 as usize].is_behind(block, *holds));
        if let Some(ahead) = &self.read_ahead {
            forget_dead(&mut world.facts, |local| ahead.is_read(block, local));
            forget_ended(&mut world.facts, |id| self.lent == Some(id));
        }
        let known = &mut ways.seen[block.index()];
        if self.few {
            // Which way is taken may depend on the arguments.
            let any = !decides(&self.called_with);
            if known.len() >= if any { FEW_WORLDS } else { SOME_WORLDS } {
                return;
            }
            if any {
                world.facts.conditions.clear();
                world.forget_tested();
            }
        }
        if self.read_ahead.is_some() {
            self.gave_up |= known.len() >= TOO_MANY_ARRIVALS;
        } else if !self.few && known.len() >= MANY_WORLDS {
            self.imprecise = true;
            return;
        }
        self.steps += world.facts.count();
        // Who is asked what a function does needs no explanation.
        let explains = !self.few && self.lent.is_none();
        match known.entry(fingerprint(&world.facts)) {
            Entry::Occupied(first) => {
                if let Some(first) = first.get() {
                    self.joined_at(block, first, &world.trace);
                }
                return;
            }
            Entry::Vacant(place) => _ = place.insert(explains.then(|| world.trace.clone())),
        }
        if let Some(seen) = &mut self.seen {
            seen.entered(block, &world.facts);
        }
        // What leads back waits until all ways have come here that do not.
        let is_back = self.read_ahead.is_some() && block <= self.at;
        let pending = if is_back { &mut ways.later } else { &mut ways.pending };
        pending.entry(block).or_default().push(world);
    }
}

/// The ways that were met, by what stands for their facts, with what explains the first with these, and those that go on, for each
/// block: the facts of every block would be a large part of a body's memory.
struct Ways {
    seen: Vec<FxHashMap<u128, Option<Shared<Trace>>>>,
    pending: BTreeMap<BlockId, Vec<World>>,
    /// Those that come after all that are pending.
    later: BTreeMap<BlockId, Vec<World>>,
    /// How many are left of those that came, where ways are joined.
    joined: Vec<usize>,
}

impl Ways {
    /// The ways that go on at one block.
    fn next(&mut self) -> Option<(BlockId, Vec<World>)> {
        if self.pending.is_empty() {
            std::mem::swap(&mut self.pending, &mut self.later);
        }
        self.pending.pop_first()
    }
}
