//! Is a connection a worker's own? It was taken before a loop that nothing but a wish to stop ends, and each turn begins with it: nobody
//! else is meant to have it for as long as the program runs, and what a turn waits for takes it from nobody.

use crate::index::Ty;
use crate::loops::Loop;
use crate::solver::Solver;
use crate::value::{ObligationId, Value};
use crate::world::World;
use sessionlint_diagnostics::Span;
use sessionlint_ir::{
    BlockId, Call, Callee, DropCause, ExitKind, LocalId, Operand, Place, Projection, Rvalue, Statement, StatementKind,
    Terminator, Test, TestRole,
};
use sessionlint_protocols::ProtocolKind;
use std::collections::BTreeSet;

/// How many values back it is looked what a test asks.
const MAX_ASKED: usize = 32;

impl Solver<'_> {
    /// Whether what is waited for at a place of the block that is visited is a part of the turns of a worker that owns a session.
    pub(crate) fn is_workers_own(&self, world: &World, id: ObligationId, at: Span) -> bool {
        let holders = holders(world, id);
        !holders.is_empty() && self.turns_with(&holders, at)
    }

    /// The same for a connection that this body was lent: whoever lends it gets it back when the program ends.
    pub(crate) fn is_lent_for_good(&self, at: Span) -> bool {
        let lent = self.lent_sessions();
        let mut connections = lent.iter().copied().chain(self.plain_connections());
        lent.iter().all(|local| self.is_lent_connection(*local))
            && connections.any(|local| self.turns_with(&BTreeSet::from([local]), at))
    }

    /// The parameters that are lent connections by their type, whether of a pool or not: `&mut PgConnection` may be either.
    fn plain_connections(&self) -> impl Iterator<Item = LocalId> {
        self.body.params.iter().copied().filter(|local| {
            let declared = self.body.locals[local.index()].ty.as_ref().map(|ty| self.index.ty(&self.scope, ty));
            declared.is_some_and(|ty| match (&ty, ty.peeled()) {
                (Ty::Ref(_), Ty::Known(protocol)) => {
                    self.index.model.protocol(*protocol).kind == ProtocolKind::Connection
                }
                _ => false,
            })
        })
    }

    /// Whether a place stands in a loop without an end of its own whose turns begin with one of some variables.
    fn turns_with(&self, holders: &BTreeSet<LocalId>, at: Span) -> bool {
        let find = || self.finds_turns_with(holders, at);
        self.waited.turns(self.at, at, holders, find)
    }

    fn finds_turns_with(&self, holders: &BTreeSet<LocalId>, at: Span) -> bool {
        Loop::around(self.body, self.at).iter().any(|turns| {
            self.outlives_turn(turns, holders)
                && self.begins_with(turns, holders, at)
                && turns
                    .exits(self.body)
                    .into_iter()
                    .all(|(from, to)| self.only_fails(to) || self.leaves_to_stop(turns, from, to, holders))
        })
    }

    /// Whether no variable that holds it is dropped within a turn.
    fn outlives_turn(&self, turns: &Loop, holders: &BTreeSet<LocalId>) -> bool {
        turns.blocks.iter().all(|block| {
            self.body.blocks[block.index()].statements.iter().all(|statement| match &statement.kind {
                StatementKind::Drop(_, DropCause::Exit { .. }) => true,
                StatementKind::Drop(dropped, _) => dropped.iter().all(|local| !holders.contains(local)),
                _ => true,
            })
        })
    }

    /// Whether a turn does something with it, on every way, before it comes to a place.
    fn begins_with(&self, turns: &Loop, holders: &BTreeSet<LocalId>, at: Span) -> bool {
        let statements = |block: BlockId| &self.body.blocks[block.index()].statements;
        let uses = |statement: &Statement| self.names_any(statement, holders);
        let used: BTreeSet<BlockId> =
            turns.blocks.iter().copied().filter(|block| statements(*block).iter().any(uses)).collect();
        let missed = turns.reached_without(self.body, &used);
        let before = || {
            let here = statements(self.at);
            let waits = here.iter().rposition(|statement| stands_at(statement, at)).unwrap_or(here.len());
            here[..waits].iter().any(uses)
        };
        !missed.contains(&turns.head) && (!(missed.contains(&self.at) || self.at == turns.head) || before())
    }

    /// Whether a statement names one of some variables.
    fn names_any(&self, statement: &Statement, locals: &BTreeSet<LocalId>) -> bool {
        let StatementKind::Assign(_, value) = &statement.kind else { return false };
        match value {
            Rvalue::Closure { child, .. } => {
                self.body.children[*child].captures.iter().any(|capture| locals.contains(&capture.outer))
            }
            value => value.operands().into_iter().filter_map(Operand::local).any(|local| locals.contains(&local)),
        }
    }

    /// Whether every way on from a block gives an error, or ends in a panic.
    fn only_fails(&self, from: BlockId) -> bool {
        let mut seen = BTreeSet::new();
        let mut pending = vec![from];
        while let Some(at) = pending.pop() {
            let block = &self.body.blocks[at.index()];
            let fails = block.statements.iter().any(|statement| {
                matches!(&statement.kind, StatementKind::Assign(_, Rvalue::Exit(ExitKind::Error, ..)))
            });
            if fails || !seen.insert(at) {
                continue;
            }
            if matches!(block.terminator, Terminator::Return) {
                return false;
            }
            pending.extend(block.terminator.successors());
        }
        true
    }

    /// Whether a loop is left behind a question whether somebody wants it to stop: right there, or at the end of an arm.
    fn leaves_to_stop(&self, turns: &Loop, from: BlockId, to: BlockId, holders: &BTreeSet<LocalId>) -> bool {
        let mut seen = BTreeSet::new();
        let mut pending = vec![(from, to)];
        while let Some((from, to)) = pending.pop() {
            if matches!(self.body.blocks[from.index()].terminator, Terminator::Test { .. }) {
                if !self.asks_to_stop(turns, from, to, holders) {
                    return false;
                }
                continue;
            }
            let leads_here = |block: &&BlockId| {
                let mut successors = self.body.blocks[block.index()].terminator.successors();
                successors.any(|next| next == from)
            };
            let before: Vec<BlockId> = turns.blocks.iter().filter(leads_here).copied().collect();
            if from == turns.head || before.is_empty() {
                return false;
            }
            pending.extend(before.into_iter().map(|before| (before, from)).filter(|edge| seen.insert(*edge)));
        }
        true
    }

    /// Whether it is asked here whether somebody wants the loop to stop, and nothing that came through the connection tells.
    fn asks_to_stop(&self, turns: &Loop, from: BlockId, to: BlockId, holders: &BTreeSet<LocalId>) -> bool {
        let Terminator::Test { test, role, .. } = &self.body.blocks[from.index()].terminator else { return false };
        let mut names = Vec::new();
        let mut pending: Vec<LocalId> = Vec::new();
        let asked = match test {
            Test::Success(place) | Test::Failure(place) | Test::Variant(place, _) | Test::Bool(place) => Some(place),
            // What is raced is the first thing that its arm waits for.
            Test::Opaque if matches!(role, TestRole::Race(_)) => {
                self.body.blocks[to.index()].statements.iter().find_map(|statement| match &statement.kind {
                    StatementKind::Assign(_, Rvalue::Await { future, .. }) => future.place(),
                    _ => None,
                })
            }
            Test::Condition { id, .. } => {
                pending.extend(&self.body.conditions[id.0 as usize].roots);
                None
            }
            Test::Opaque => None,
        };
        if let Some(place) = asked {
            names.extend(fields(place));
            pending.push(place.local);
        }
        pending.extend(self.body.flags.get(&from).map(|flag| flag.local));
        if let Some(asked) = self.body.asked.get(&from) {
            names.extend(asked.names.iter().cloned());
            let named = |local: &LocalId| {
                self.body.locals[local.index()].name.as_ref().is_some_and(|name| asked.names.contains(name))
            };
            pending.extend((0..self.body.locals.len() as u32).map(LocalId).filter(named));
        }
        self.comes_from_outside(turns, pending, holders, &mut names) && self.index.model.intent().asks_to_stop(&names)
    }

    /// The names behind some variables, as far as a turn computes them; whether no holder is among these.
    fn comes_from_outside(
        &self,
        turns: &Loop,
        mut pending: Vec<LocalId>,
        holders: &BTreeSet<LocalId>,
        names: &mut Vec<String>,
    ) -> bool {
        let mut seen = BTreeSet::new();
        while let Some(local) = pending.pop() {
            if holders.contains(&local) {
                return false;
            }
            if seen.len() >= MAX_ASKED || !seen.insert(local) {
                continue;
            }
            names.extend(self.body.locals[local.index()].name.clone());
            let blocks = turns.blocks.iter().map(|block| &self.body.blocks[block.index()]);
            for statement in blocks.flat_map(|block| &block.statements) {
                match &statement.kind {
                    StatementKind::Bind { local: bound, from, .. } if *bound == local => {
                        names.extend(fields(from));
                        pending.push(from.local);
                    }
                    StatementKind::Assign(place, value) if place.local == local => {
                        if let Rvalue::Call(call) = value {
                            names.extend(called(call));
                        }
                        for place in value.operands().into_iter().filter_map(Operand::place) {
                            names.extend(fields(place));
                            pending.push(place.local);
                        }
                    }
                    _ => {}
                }
            }
        }
        true
    }
}

/// The variables that hold a session, and those that refer to one of them.
fn holders(world: &World, id: ObligationId) -> BTreeSet<LocalId> {
    let owns = |value: &Value| {
        let mut held = Vec::new();
        value.obligations(&mut held);
        held.contains(&id)
    };
    let store = || world.facts.store.iter();
    let owners: BTreeSet<LocalId> = store().filter(|(_, value)| owns(value)).map(|(place, _)| place.local).collect();
    let refers = |value: &Value| matches!(value, Value::Ref(target) if owners.contains(&target.local));
    let refer = store().filter(|(_, value)| refers(value)).map(|(place, _)| place.local);
    let refer: BTreeSet<LocalId> = refer.collect();
    owners.union(&refer).copied().collect()
}

/// Whether a call or wait is at a place.
fn stands_at(statement: &Statement, at: Span) -> bool {
    match &statement.kind {
        StatementKind::Assign(_, Rvalue::Call(call)) => call.name_span == at,
        StatementKind::Assign(_, Rvalue::Await { .. } | Rvalue::Select(_)) => statement.span == at,
        _ => false,
    }
}

/// The names of the fields on the way to a place.
fn fields(place: &Place) -> impl Iterator<Item = String> {
    place.projection.iter().filter_map(|step| match step {
        Projection::Field(name) => Some(name.clone()),
        _ => None,
    })
}

/// The name of what is called.
fn called(call: &Call) -> Option<String> {
    match &call.callee {
        Callee::Method { name, .. } => Some(name.clone()),
        Callee::Path { segments, .. } | Callee::Macro(segments) => segments.last().cloned(),
        Callee::Value(_) => None,
    }
}
