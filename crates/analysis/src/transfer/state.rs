//! Which state of its connection does a body set, and who meets it afterwards?

use crate::events::{CauseKind, EventKind};
use crate::index::Ty;
use crate::solver::Solver;
use crate::sql::{Alone, Refusal, SessionState, SqlEffect, StateChange};
use crate::value::{Anchor, ObligationId, Origin, Root, Value};
use crate::world::World;
use sessionlint_diagnostics::{Evidence, Span};
use sessionlint_ir::{ExitKind, Place, TypeRef};
use sessionlint_protocols::{OnEngine, ProtocolId, Source};

impl Solver<'_> {
    /// State of a session's connection is set or taken back.
    /// Gives what its result tells.
    pub(super) fn change_state(
        &mut self,
        world: &mut World,
        id: ObligationId,
        change: StateChange,
        span: Span,
    ) -> Value {
        if self.lent == Some(id) {
            self.loan.changes.insert(change);
        }
        // What is set inside of a transaction is set on the connection that this body holds around it.
        let carrier = self.carriers.get(&id.site).copied().filter(|carrier| world.is_open(*carrier)).unwrap_or(id);
        let Some(state) = world.facts.obligations.get_mut(&carrier) else {
            return Value::Unknown;
        };
        let before = state.left.len();
        state.left.retain(|known| !change.takes_back(known));
        if change.on && state.left.len() < before && self.lent == Some(id) {
            // `SET a = 0 .. SET a = 1` in a helper: what it does between is none of its caller's.
            self.loan.changes.remove(&change);
        }
        if change.on && state.left.len() == before && !change.is_named_later() {
            state.left.insert(change);
            world.trace.set.entry(carrier).or_insert(span);
            return Value::Fallible(Box::new(Value::Set(carrier, change)));
        }
        Value::Unknown
    }

    /// A connection is asked whether a transaction is open on it, as text began one: that decides what is done about it.
    pub(super) fn asked_for_begun(&mut self, world: &mut World, protocol: ProtocolId, target: &Value, name: &str) {
        if self.index.model.protocol(protocol).asks.iter().any(|asks| asks == name)
            && let Some((_, anchor)) = self.anchor_of(world, target)
        {
            self.give_anchored(world, &anchor);
        }
    }

    /// A statement makes or changes a table: with some engines that commits what was written before in the transaction.
    pub(super) fn defined(&mut self, world: &mut World, id: ObligationId, effect: SqlEffect, span: Span) {
        let commits = self.index.model.protocol(self.protocol_of(id)).ddl_commits.as_ref();
        let is_on = |engine| self.index.package_of(self.scope.file).is_on(engine);
        if !(effect.writes || effect.defines) || !commits.is_some_and(is_on) {
            return;
        }
        let Some(state) = world.facts.obligations.get_mut(&id) else { return };
        let before = std::mem::replace(&mut state.rows, !effect.defines);
        if before && effect.defines {
            self.meanwhile(world, EventKind::CommittedByTable, id, &[span]);
        }
    }

    /// A statement is sent inside of a transaction that no transaction may have.
    pub(super) fn refused(&mut self, world: &World, anchor: &Anchor, protocol: ProtocolId, alone: Alone, span: Span) {
        let model = self.index.model;
        let Some((engine, refusal)) = self.refused_by(protocol, alone) else { return };
        let is_one = |id: &ObligationId| {
            let site = &self.sites[usize::from(id.site.0)];
            world.is_open(*id) && (site.raw || model.protocol(site.protocol).is_transaction())
        };
        let own = match anchor {
            Anchor::Obligation(id) => Some(*id),
            Anchor::Place(_) => None,
        };
        let around = own.into_iter().chain(world.anchored(anchor)).find(is_one);
        if let Some(id) = around {
            let kind = EventKind::Refused { statement: alone.statement, engine, refusal };
            self.meanwhile(world, kind, id, &[span]);
        }
    }

    /// The engine behind a session that refuses a statement there.
    fn refused_by(&self, protocol: ProtocolId, alone: Alone) -> Option<(&'static str, Refusal)> {
        let model = self.index.model;
        let engines = &model.library(model.protocol(protocol).library).engines;
        let package = self.index.package_of(self.scope.file);
        let is_on = |engine: &Option<OnEngine>| engine.as_ref().is_some_and(|engine| package.is_on(engine));
        let postgres = is_on(&engines.postgres) || (alone.only_postgres && engines.postgres.is_some());
        let postgres = alone.postgres.filter(|_| postgres).map(|refusal| ("PostgreSQL", refusal));
        postgres.or_else(|| alone.sqlite.filter(|_| is_on(&engines.sqlite)).map(|refusal| ("SQLite", refusal)))
    }

    /// Other code has a connection: it may take back anything. Whoever sets the same again afterwards puts it back all the same.
    pub(crate) fn forget_state(&self, world: &mut World, id: ObligationId) {
        if let Some(state) = world.facts.obligations.get_mut(&id) {
            let settings = state.left.iter().filter(|change| change.state == SessionState::Setting);
            state.left = settings.map(|change| StateChange { unsure: true, ..*change }).collect();
        }
    }

    /// A connection goes back to its pool, at the end of its life or that of a transaction that holds it.
    pub(super) fn leave_state(
        &mut self,
        world: &mut World,
        id: ObligationId,
        rolled_back: bool,
        cause: CauseKind,
        span: Span,
    ) {
        let Some(state) = world.facts.obligations.get(&id) else { return };
        let model = self.index.model;
        let protocol = model.protocol(self.protocol_of(id));
        let held = self.carriers.contains_key(&id.site);
        let pooled = self.is_pooled(&self.sites[usize::from(id.site.0)]) || state.pool.is_some();
        // Only what the pool hands on as it is.
        let kept = if protocol.is_transaction() { self.keeps_state(id) } else { protocol.keeps_begin };
        if held || !pooled || !kept || self.index.package_of(self.scope.file).resets {
            return;
        }
        // A rollback takes back settings and temporary tables.
        let stays = |change: &&StateChange| {
            let survives = matches!(change.state, SessionState::Lock | SessionState::Database | SessionState::Prepared);
            !rolled_back || survives
        };
        // The second step may be taken elsewhere.
        let is_finished = |change: &StateChange| {
            change.state == SessionState::TwoPhase && self.index.package_finishes_prepared(self.scope.file)
        };
        // A lock that was only tried for may not be held.
        let certain = |change: &&StateChange| change.state != SessionState::TriedLock && !change.unsure;
        // All of the text has run that also takes it back.
        let is_there = |change: &&StateChange| !change.settled || cause.exit_kind() == ExitKind::Error;
        let left = state
            .left
            .iter()
            .filter(certain)
            .filter(is_there)
            .filter(|change| !is_finished(change))
            .find(stays)
            .copied();
        if let Some(change) = left {
            self.event(world, EventKind::StateLeft { state: change.state }, id, cause, span, None);
        }
        self.forget_state(world, id);
    }

    /// Whether the pool of a transaction hands its connections on with their state.
    fn keeps_state(&self, id: ObligationId) -> bool {
        self.keeps_state_of(self.protocol_of(id))
    }

    fn keeps_state_of(&self, transaction: ProtocolId) -> bool {
        let model = self.index.model;
        let transaction = model.protocol(transaction);
        let pools = transaction.openings.iter().filter_map(|opening| match opening.source {
            Source::Method(pool) if model.protocol(pool).lends => Some(pool),
            _ => None,
        });
        let mut connections = pools.flat_map(|pool| {
            model.protocols().filter(move |(_, known)| {
                known.pooled && known.openings.iter().any(|opening| opening.source == Source::Method(pool))
            })
        });
        connections.any(|(_, connection)| connection.keeps_begin)
    }

    /// A statement runs on a connection that the pool lends for it.
    pub(super) fn state_on_pool(&mut self, world: &World, pool: ProtocolId, effect: SqlEffect, span: Span) {
        let is_left = |change: &StateChange| change.on && change.state != SessionState::TwoPhase;
        let Some(change) = effect.state.filter(is_left) else { return };
        if self.index.package_of(self.scope.file).resets {
            return;
        }
        let model = self.index.model;
        let connection = model.protocols().find(|(_, known)| {
            known.keeps_begin
                && known.pooled
                && known.openings.iter().any(|opening| opening.source == Source::Method(pool))
        });
        if let Some((connection, _)) = connection {
            self.state_on_shared(world, connection, change, true, span);
        }
    }

    /// A statement runs on a connection of another body: one that others share sees its state too.
    pub(super) fn state_on_place(
        &mut self,
        world: &World,
        protocol: ProtocolId,
        anchor: &Anchor,
        effect: SqlEffect,
        span: Span,
    ) {
        let (Some(change), Anchor::Place(place)) = (effect.state.filter(|change| change.on), anchor) else { return };
        let origin = match world.get(self.index, place) {
            Value::Typed(Ty::Known(_), Some(origin)) => Some(origin),
            _ => world.origin(place),
        };
        self.lock_in_lent(world, place, change, span);
        // A parameter may be a connection of its own; a field or static is what everybody has.
        let known = self.index.model.protocol(protocol);
        let shared = known.shared_by_type
            || origin.as_ref().is_some_and(|Origin { root, path }| !path.is_empty() || matches!(root, Root::Item(_)));
        if shared && known.shared && !origin.is_some_and(|origin| self.has_its_own(&origin)) {
            self.state_on_shared(world, protocol, change, false, span);
        }
    }

    /// A lock of the session is taken in a transaction that the body was lent: its end does not give the lock back, and nobody in the
    /// package does.
    fn lock_in_lent(&mut self, world: &World, place: &Place, change: StateChange, span: Span) {
        let is_lock = matches!(change.state, SessionState::Lock | SessionState::TriedLock) && !change.settled;
        if !is_lock || !self.body.params.contains(&place.local) {
            return;
        }
        let Some(TypeRef::Ref { inner, .. }) = &self.body.locals[place.local.index()].ty else { return };
        let Ty::Known(protocol) = self.index.ty(&self.scope, inner) else { return };
        let package = self.index.package_of(self.scope.file);
        let goes_back = self.index.model.protocol(protocol).is_transaction() && self.keeps_state_of(protocol);
        if !goes_back || package.resets || self.index.package_unlocks(self.scope.file) {
            return;
        }
        let site = self.opening_site(protocol, span, Evidence::Typed, None);
        self.sites[usize::from(site.0)].name = self.body.locals[place.local.index()].name.clone();
        let id = ObligationId { site, second: false };
        self.event(world, EventKind::LockOutlives, id, CauseKind::Meanwhile, span, None);
    }

    /// Whether a connection is the field of a struct each of which has its own.
    fn has_its_own(&self, Origin { root, path }: &Origin) -> bool {
        let (Root::Local(local), [field]) = (root, path.as_slice()) else { return false };
        let Some(written) = &self.body.locals[local.index()].ty else { return false };
        match self.index.ty(&self.scope, written).peeled() {
            Ty::Own(owner, _) => self.analysis.opens_for_each(*owner, field),
            _ => false,
        }
    }

    fn state_on_shared(
        &mut self,
        world: &World,
        connection: ProtocolId,
        change: StateChange,
        pooled: bool,
        span: Span,
    ) {
        let site = self.opening_site(connection, span, Evidence::Typed, None);
        let kind = EventKind::StateOnShared { state: change.state, pooled };
        self.event(world, kind, ObligationId { site, second: false }, CauseKind::Meanwhile, span, None);
    }
}
