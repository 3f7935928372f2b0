//! How long does it matter what was known of a condition, and of a value that is only tested?

use sessionlint_ir::{
    BlockId, Body, Condition, DropCause, LocalId, Operand, Place, Rvalue, StatementKind, Terminator, Test,
};
use std::collections::{BTreeMap, BTreeSet};

/// The last block that may ask a condition.
#[derive(Clone, Copy)]
pub(crate) struct LastAsked {
    /// The last one that asks it.
    itself: BlockId,
    /// The last one that compares the same value with any literal: one that holds rules out the others.
    value: BlockId,
}

impl LastAsked {
    /// Whether it does not matter any more, from a block on, whether the condition holds.
    pub fn is_behind(self, block: BlockId, holds: bool) -> bool {
        block > if holds { self.value } else { self.itself }
    }
}

/// For each condition of a body the last block that may ask it: what was known of it is of no use after that.
/// Blocks stand in the order in which they are reached, but for loops, which ask again whatever they ask.
pub(crate) fn last_asked(body: &Body) -> Vec<LastAsked> {
    if body.conditions.is_empty() {
        return Vec::new();
    }
    let blocks = || (0..).map(BlockId).zip(&body.blocks);
    // For each block the last one from which a way leads back to it, or before it.
    let mut again: Vec<BlockId> = (0..body.blocks.len() as u32).map(BlockId).collect();
    for (from, block) in blocks() {
        for to in block.terminator.successors().filter(|to| *to <= from) {
            again[to.index()] = again[to.index()].max(from);
        }
    }
    let mut reach = BlockId(0);
    for (id, last) in (0..).map(BlockId).zip(&mut again) {
        reach = reach.max(*last).max(id);
        *last = reach;
    }
    // A loop that begins in another and ends behind it goes on from there.
    for at in (0..again.len()).rev() {
        again[at] = again[again[at].index()];
    }
    let mut last = vec![BlockId(0); body.conditions.len()];
    for (at, block) in blocks() {
        if let Terminator::Test { test: Test::Condition { id, .. }, .. } = &block.terminator {
            let known = &mut last[id.0 as usize];
            *known = again[at.index()].max(*known);
        }
    }
    // Literals that a value is compared with rule each other out.
    let mut values: BTreeMap<u32, BlockId> = BTreeMap::new();
    for (condition, last) in body.conditions.iter().zip(&last) {
        if let Some(value) = condition.value {
            let known = values.entry(value).or_insert(*last);
            *known = (*known).max(*last);
        }
    }
    let of = |(condition, last): (&Condition, &BlockId)| LastAsked {
        itself: *last,
        value: condition.value.map_or(*last, |value| values[&value]),
    };
    body.conditions.iter().zip(&last).map(of).collect()
}

/// For each block the value without a name that its test asks, and nobody else: `if self.has(id).await? { .. }`. Behind the test it
/// tells ways apart that go on alike.
pub(crate) fn only_tested(body: &Body) -> BTreeMap<BlockId, LocalId> {
    let mut read = BTreeSet::new();
    for statement in body.statements() {
        match &statement.kind {
            StatementKind::Assign(place, value) => {
                read.extend(place.projection.first().map(|_| place.local));
                read.extend(value.operands().into_iter().filter_map(Operand::local));
                if let Rvalue::Select(places) = value {
                    read.extend(places.iter().map(|place| place.local));
                }
            }
            StatementKind::Bind { from, .. } => read.extend([from.local]),
            StatementKind::Change { local, .. } => read.extend([*local]),
            StatementKind::Drop(..) => {}
        }
    }
    let mut tested: BTreeMap<BlockId, LocalId> = BTreeMap::new();
    let mut often: BTreeMap<LocalId, usize> = BTreeMap::new();
    for (at, block) in (0..).map(BlockId).zip(&body.blocks) {
        let Terminator::Test { test, .. } = &block.terminator else { continue };
        let asked = match (asked_place(test), body.flags.get(&at)) {
            (Some(place), _) => place.local,
            (None, Some(flag)) => flag.local,
            (None, None) => continue,
        };
        tested.insert(at, asked);
        *often.entry(asked).or_default() += 1;
    }
    let is_kept = |local: LocalId| body.locals[local.index()].name.is_some() || local == Body::RETURN;
    tested.retain(|_, local| often[&*local] == 1 && !read.contains(local) && !is_kept(*local));
    tested
}

/// The place that a test looks at.
fn asked_place(test: &Test) -> Option<&Place> {
    match test {
        Test::Success(place) | Test::Failure(place) | Test::Bool(place) | Test::Variant(place, _) => Some(place),
        Test::Condition { .. } | Test::Opaque => None,
    }
}

/// The variables whose values may be read from the beginning of a block on, before they are set anew.
pub(crate) struct ReadAhead {
    /// One set of variables for each block.
    blocks: Vec<Variables>,
}

impl ReadAhead {
    /// Parameters, what the body gives, and what closures capture may be read anywhere. Being dropped is no reading.
    pub fn of(body: &Body) -> Self {
        let mut anywhere = Variables::new(body);
        let captured = body.children.iter().flat_map(|child| &child.captures).map(|capture| capture.outer);
        let inside = body.captures.iter().map(|capture| capture.inner);
        captured.chain(inside).chain(body.params.iter().copied()).chain([Body::RETURN]).for_each(|local| {
            anywhere.insert(local);
        });
        let own: Vec<(Variables, Variables)> =
            (0..).map(BlockId).zip(&body.blocks).map(|(at, _)| in_block(body, at)).collect();
        let mut blocks = vec![anywhere; body.blocks.len()];
        let mut changed = true;
        while changed {
            changed = false;
            for at in (0..blocks.len()).rev() {
                let mut ahead = own[at].0.clone();
                for next in body.blocks[at].terminator.successors() {
                    ahead.add_but(&blocks[next.index()], &own[at].1);
                }
                changed |= blocks[at].add(&ahead);
            }
        }
        Self { blocks }
    }

    pub fn is_read(&self, block: BlockId, local: LocalId) -> bool {
        self.blocks[block.index()].contains(local)
    }
}

/// The variables that a block reads before it sets them, and those that it sets as a whole.
fn in_block(body: &Body, at: BlockId) -> (Variables, Variables) {
    let (mut read, mut set) = (Variables::new(body), Variables::new(body));
    let block = &body.blocks[at.index()];
    for statement in &block.statements {
        let mut reads = |local: LocalId| {
            if !set.contains(local) {
                read.insert(local);
            }
        };
        match &statement.kind {
            StatementKind::Assign(place, value) => {
                value.operands().into_iter().filter_map(Operand::local).for_each(&mut reads);
                if let Rvalue::Select(places) = value {
                    places.iter().for_each(|place| reads(place.local));
                }
                match place.projection.is_empty() {
                    true => set.insert(place.local),
                    false => reads(place.local),
                }
            }
            StatementKind::Bind { local, from, .. } => {
                reads(from.local);
                set.insert(*local);
            }
            StatementKind::Change { local, .. } => reads(*local),
            StatementKind::Drop(_, DropCause::Exit { value, .. })
            | StatementKind::Drop(_, DropCause::ScopeEnd { value: Some(value) }) => reads(value.local),
            StatementKind::Drop(..) => {}
        }
    }
    if let Terminator::Test { test, .. } = &block.terminator {
        let asked = asked_place(test).map(|place| place.local);
        for local in asked.into_iter().chain(body.flags.get(&at).map(|flag| flag.local)) {
            if !set.contains(local) {
                read.insert(local);
            }
        }
    }
    (read, set)
}

/// A set of the variables of a body.
#[derive(Clone, PartialEq, Eq)]
struct Variables(Vec<u64>);

impl Variables {
    fn new(body: &Body) -> Self {
        Self(vec![0; body.locals.len().div_ceil(64)])
    }

    fn insert(&mut self, local: LocalId) {
        self.0[local.index() / 64] |= 1 << (local.index() % 64);
    }

    fn contains(&self, local: LocalId) -> bool {
        self.0[local.index() / 64] & (1 << (local.index() % 64)) != 0
    }

    /// Whether there are more of them afterwards.
    fn add(&mut self, others: &Self) -> bool {
        let mut grew = false;
        for (mine, other) in self.0.iter_mut().zip(&others.0) {
            grew |= *other & !*mine != 0;
            *mine |= other;
        }
        grew
    }

    /// Adds those of the first that are not among the second.
    fn add_but(&mut self, others: &Self, but: &Self) {
        for ((mine, other), but) in self.0.iter_mut().zip(&others.0).zip(&but.0) {
            *mine |= other & !but;
        }
    }
}
