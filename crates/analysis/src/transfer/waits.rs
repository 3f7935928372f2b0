//! Which slow work is waited for, and is a session held meanwhile?

use crate::events::{EventKind, Site};
use crate::index::Ty;
use crate::solver::Solver;
use crate::value::{ObligationId, Value};
use crate::workload::{Deed, Wait, Workload};
use crate::world::{State, World};
use sessionlint_diagnostics::Span;
use sessionlint_ir::{BlockId, Call, Callee, LocalId, Operand, Place, Rvalue, StatementKind};
use sessionlint_protocols::{ProtocolKind, Rank, WorkId};
use std::cmp::Reverse;

impl Solver<'_> {
    /// The first of several futures is waited for. That takes long when each of them does: what ends first may be any of them, and a
    /// pause is a limit for the others.
    pub(super) fn selected(&mut self, world: &mut World, futures: &[Place], at: Span) {
        let futures: Vec<Value> = futures.iter().map(|place| world.get(self.index, place)).collect();
        if let Some(wait) = self.first_of(&futures) {
            self.perform(world, &Workload::one(Deed::Outside(wait), at));
        }
    }

    /// The wait for the first of several futures, where that takes long.
    pub(super) fn first_of(&self, futures: &[Value]) -> Option<Wait> {
        let longest = |future: &Value| {
            if let Value::Typed(ty, _) = future {
                return match ty.peeled() {
                    Ty::Work(work) => self.index.model.work(*work).awaited.then(|| self.wait_for(*work)),
                    _ => None,
                };
            }
            let waits = self.inside(future)?.0.keys().filter_map(|deed| match deed {
                Deed::Outside(wait) => Some(wait.clone()),
                _ => None,
            });
            waits.min()
        };
        let waits: Option<Vec<Wait>> = futures.iter().map(longest).collect();
        let waits = waits.filter(|waits| waits.iter().all(|wait| wait.rank.0 > Rank::Quick))?;
        waits.into_iter().min()
    }

    /// Whether several calls stand at one place: a macro wrote them.
    fn is_of_macro(&self, at: Span) -> bool {
        let mut names = self.body.assignments().filter_map(|(_, value)| match value {
            Rvalue::Call(call) if call.name_span == at => Some(&call.callee),
            _ => None,
        });
        let first = names.next();
        names.any(|other| first.is_some_and(|first| !same_name(first, other)))
    }

    /// Slow work outside is waited for: is a transaction or a connection of a pool held meanwhile?
    pub(super) fn slow_work(&mut self, world: &World, wait: &Wait, way: &[Span]) {
        let model = self.index.model;
        // A callee that polls with what it was lent is told of there.
        let polls_here = self.polled_at.contains(&way[0]);
        if wait.with_lent && (!polls_here || self.tells_polls) {
            let is_lent = |id: ObligationId, state: &State| {
                let site = &self.sites[usize::from(id.site.0)];
                site.borrowed && state.held_for.is_none()
            };
            if polls_here && let Some(id) = world.held(is_lent).filter(|id| !self.is_workers_own(world, *id, way[0])) {
                self.meanwhile(world, EventKind::HeldAcross { wait: wait.clone() }, id, way);
            }
            return;
        }
        let is_held = |id: ObligationId, state: &State| {
            let site = &self.sites[usize::from(id.site.0)];
            let protocol = model.protocol(site.protocol);
            let counts = site.raw
                || (protocol.kind == ProtocolKind::Transaction
                    && !protocol.optimistic
                    && (protocol.learned_from.is_none() || protocol.holds_connection))
                || state.pool.is_some()
                || self.is_pooled(site);
            // A task that waits for what to do next, with a connection that it had before, or as the transaction of whoever asks.
            let own = wait.idle
                && self.body.leads_to(self.at, self.at)
                && self.is_kept(site, holder(world, id))
                && ((!site.raw && protocol.kind == ProtocolKind::Connection)
                    || site.variable.is_some_and(|variable| self.answers(variable)));
            // Nobody else has the file: what is received is written in batches.
            let batches = wait.idle
                && site.on_own_file
                && state.pool.is_none()
                && self.body.leads_to(self.at, self.at)
                && site.variable.is_some_and(|variable| self.takes_in(variable));
            // A pause before the next try; and what is done about a transaction whose statement has failed is done to give it up.
            let again = site.variable.is_some_and(|variable| match wait.pause {
                true => self.is_behind_failure(variable),
                false => protocol.is_transaction() && self.fails_before(variable),
            });
            // Nobody waits for the only connection that is ever taken out of its pool, nor for a worker's own.
            let is_connection = protocol.kind == ProtocolKind::Connection && !site.raw;
            counts
                && !(is_connection && (self.is_alone(site.span) || self.is_workers_own(world, id, way[0])))
                && state.held_for.is_none()
                && !site.borrowed
                // What it is in is held as long, and is told of where that was begun.
                && !site.nested
                && (site.span != way[0] || self.is_of_macro(way[0]))
                && !own
                && !batches
                && !self.is_copying(world, id, way[0])
                && !again
        };
        let Some(id) = world.held(is_held) else { return };
        self.meanwhile(world, EventKind::HeldAcross { wait: wait.clone() }, id, way);
    }

    /// Whether a session is kept in a variable that was there before: a parameter, or one from outside of the loop around here. A new
    /// one may have been put into it.
    fn is_kept(&self, site: &Site, holder: Option<LocalId>) -> bool {
        if holder.is_some_and(|holder| self.body.params.contains(&holder)) {
            return true;
        }
        let Some(variable) = site.variable else { return false };
        let is_parameter = self.body.params.contains(&variable);
        let opened = self.body.blocks.iter().position(|block| {
            block.statements.iter().any(|statement| match &statement.kind {
                StatementKind::Assign(_, Rvalue::Call(call)) => call.name_span == site.span,
                _ => false,
            })
        });
        is_parameter || opened.is_some_and(|opened| !self.body.leads_to(self.at, BlockId(opened as u32)))
    }

    /// Slow work that a library does when its future is polled.
    pub(crate) fn outside(&mut self, work: WorkId, at: Span) -> Value {
        self.later(Workload::one(Deed::Outside(self.wait_for(work)), at), Value::Unknown)
    }

    /// The work that a method does. `read` and `write` are those of a lock around it where nothing is passed to them.
    pub(super) fn work_by(&self, work: WorkId, name: &str, call: &Call) -> Option<WorkId> {
        let model = self.index.model;
        match self.index.model.standard().keeps(name) {
            true => model.work_named(work, name).filter(|_| !call.args.is_empty()),
            false => model.work_done_by(work, name),
        }
    }

    /// A statement is sent through something whose every call is slow work: a connection to Redis.
    pub(super) fn sent(&mut self, world: &World, through: &Value, name: &str, value: Value, at: Span) -> Value {
        let model = self.index.model;
        let work = self.anchor_of(world, through).and_then(|(protocol, _)| model.work_of(protocol));
        let Some(done) = work.and_then(|work| model.work_done_by(work, name)) else { return value };
        self.later(Workload::one(Deed::Outside(self.wait_for(done)), at), value)
    }

    /// Whether anything that a function is given was made by this program: its body is in memory.
    pub(super) fn is_made_here(&self, world: &World, args: &[Operand]) -> bool {
        args.iter().any(|arg| {
            let (Operand::Value(place) | Operand::Ref { place, .. }) = arg else { return false };
            let Value::Typed(ty, _) = world.get(self.index, place) else { return false };
            matches!(ty.peeled(), Ty::Work(work) if self.index.model.work(*work).made_here)
        })
    }

    pub(super) fn wait_for(&self, work: WorkId) -> Wait {
        let work = self.index.model.work(work);
        let pause = work.rank == Rank::Pause;
        Wait {
            rank: Reverse(work.rank),
            what: work.what.clone(),
            idle: work.idle,
            pause,
            in_own_loop: false,
            with_lent: false,
        }
    }
}

/// Whether two calls are of one name.
fn same_name(one: &Callee, other: &Callee) -> bool {
    match (one, other) {
        (Callee::Method { name, .. }, Callee::Method { name: other, .. }) => name == other,
        (Callee::Path { segments, .. }, Callee::Path { segments: other, .. })
        | (Callee::Macro(segments), Callee::Macro(other)) => segments == other,
        _ => false,
    }
}

/// The variable that a session is in.
fn holder(world: &World, id: ObligationId) -> Option<LocalId> {
    let mut places = world.facts.store.iter();
    places.find(|(_, value)| **value == Value::Session(id)).map(|(place, _)| place.local)
}
