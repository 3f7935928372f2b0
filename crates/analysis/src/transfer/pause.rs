//! For what is waited when a function sleeps? For the next look, with a session that it was lent, or to try again what has failed.

use crate::events::EventKind;
use crate::index::Ty;
use crate::solver::Solver;
use crate::value::Layer;
use crate::workload::{Deed, Wait, Workload};
use crate::world::World;
use sessionlint_diagnostics::Span;
use sessionlint_ir::{
    BlockId, LocalId, Operand, Place, Projection, Rvalue, Statement, StatementKind, Terminator, Test,
};
use sessionlint_protocols::{ProtocolId, ProtocolKind};

/// How many steps back from a test it is looked where its value comes from.
const MAX_ORIGINS: usize = 24;

impl Solver<'_> {
    /// What a call does that may sleep, as it is here: a pause before the next look or the next try is one of this body.
    pub(super) fn with_pauses(&mut self, world: &World, workload: Workload, at: Span) -> Workload {
        let is_pause = |wait: &Wait| wait.pause && !wait.in_own_loop && !wait.with_lent;
        if !workload.0.keys().any(|deed| matches!(deed, Deed::Outside(wait) if is_pause(wait))) {
            return workload;
        }
        let (again, polls) = (self.tries_again(world), self.waits_with_lent(at));
        let mut seen = Workload::default();
        for (deed, way) in workload.0 {
            match deed {
                Deed::Outside(wait) if is_pause(&wait) && (again || polls) => {
                    if !again {
                        seen.add(Deed::Outside(Wait { with_lent: true, ..wait }), way);
                    }
                }
                deed => seen.add(deed, way),
            }
        }
        seen
    }

    /// Whether this sleep stands in a loop that uses a session that was lent: it polls.
    pub(super) fn waits_with_lent(&mut self, at: Span) -> bool {
        let polled = self.used_around();
        if polled.is_empty() {
            return false;
        }
        self.polled_at.insert(at);
        if !self.is_lent_for_good(at) {
            self.polls.extend(&polled);
        }
        true
    }

    /// The sessions that were lent, and that are used in the loop around here.
    pub(super) fn used_around(&self) -> Vec<LocalId> {
        let lent = self.lent_sessions();
        if lent.is_empty() || !self.body.leads_to(self.at, self.at) {
            return Vec::new();
        }
        lent.iter().copied().filter(|local| self.is_used_around(*local)).collect()
    }

    /// The parameters and captures that are sessions which the caller keeps. Asked at every call: most bodies are lent nothing.
    pub(crate) fn lent_sessions(&self) -> &[LocalId] {
        self.lent_here.get_or_init(|| self.brought().filter(|local| self.is_lent_here(*local)).collect())
    }

    /// Whether what a variable is lent is a connection, and no transaction.
    pub(crate) fn is_lent_connection(&self, local: LocalId) -> bool {
        let written = self.body.locals[local.index()].ty.as_ref();
        let lent = written.and_then(|ty| self.lendable(&self.index.ty(&self.scope, ty)));
        lent.is_some_and(|(protocol, _)| self.index.model.protocol(protocol).kind == ProtocolKind::Connection)
    }

    /// Whether this sleep is only come to when a statement on a session has failed that this body was given: the pause before it is
    /// tried again.
    pub(super) fn tries_again(&self, world: &World) -> bool {
        let is_session = |local: &LocalId| {
            let value = world.get(self.index, &Place::local(*local));
            self.is_lent_here(*local) || self.session_of(world, &value).is_some()
        };
        self.brought().filter(is_session).any(|local| self.is_behind_failure(local))
    }

    /// Parameters, and variables from around a closure or async block.
    fn brought(&self) -> impl Iterator<Item = LocalId> {
        self.body.params.iter().copied().chain(self.body.captures.iter().map(|capture| capture.inner))
    }

    /// Whether a variable is a session that the caller keeps, by its declared type: the same however it is asked.
    pub(super) fn is_lent_here(&self, local: LocalId) -> bool {
        let declared = || self.body.locals[local.index()].ty.as_ref().map(|ty| self.index.ty(&self.scope, ty));
        let is_param = self.body.params.contains(&local);
        self.lent_captures.contains(&local)
            || (is_param && declared().is_some_and(|ty| matches!(ty, Ty::Ref(_)) && self.lendable(&ty).is_some()))
    }

    /// The session that is behind a reference, when whoever lends it holds a transaction or has a connection of a pool, and what
    /// stands around it.
    fn lendable(&self, ty: &Ty) -> Option<(ProtocolId, Vec<Layer>)> {
        match ty.peeled() {
            Ty::Known(protocol) => self.index.is_held(*protocol).then_some((*protocol, Vec::new())),
            Ty::Own(owner, _) => match self.index.owned_session(*owner) {
                Some((_, protocol)) => Some((protocol, self.index.owned_layers(*owner))),
                None => self.index.held_inside(*owner, 0).map(|protocol| (protocol, Vec::new())),
            },
            _ => None,
        }
    }

    /// Whether something is called with a variable in the loop around here.
    fn is_used_around(&self, local: LocalId) -> bool {
        let blocks = (0..).map(BlockId).zip(&self.body.blocks);
        let uses = |statement: &Statement| match &statement.kind {
            StatementKind::Assign(_, value) => {
                value.operands().into_iter().any(|operand| operand.local() == Some(local))
            }
            _ => false,
        };
        blocks.filter(|(_, block)| block.statements.iter().any(uses)).any(|(block, _)| {
            block == self.at || (self.body.leads_to(self.at, block) && self.body.leads_to(block, self.at))
        })
    }

    /// Whether here is only come to when a statement on the session in a variable has failed, and it is used again then.
    pub(super) fn is_behind_failure(&self, variable: LocalId) -> bool {
        self.fails_before(variable) && self.is_used_again(variable)
    }

    /// Whether something is called with a variable behind here, before it is anything else: who tries again with a new session
    /// might have dropped the old one.
    fn is_used_again(&self, variable: LocalId) -> bool {
        let uses = |statement: &Statement| match &statement.kind {
            StatementKind::Assign(_, value) => {
                value.operands().into_iter().any(|operand| operand.local() == Some(variable))
            }
            _ => false,
        };
        let is_set = |statement: &Statement| match &statement.kind {
            StatementKind::Assign(place, _) => *place == Place::local(variable),
            StatementKind::Bind { local, .. } => *local == variable,
            _ => false,
        };
        let mut seen = vec![false; self.body.blocks.len()];
        let mut pending: Vec<BlockId> = self.body.blocks[self.at.index()].terminator.successors().collect();
        while let Some(block) = pending.pop() {
            if std::mem::replace(&mut seen[block.index()], true) {
                continue;
            }
            let block = &self.body.blocks[block.index()];
            let first = block.statements.iter().find(|statement| uses(statement) || is_set(statement));
            match first {
                Some(statement) if is_set(statement) => {}
                Some(_) => return true,
                None => pending.extend(block.terminator.successors()),
            }
        }
        false
    }

    /// Whether here is only come to when a statement on the session in a variable has failed.
    pub(super) fn fails_before(&self, variable: LocalId) -> bool {
        let mut seen = vec![false; self.body.blocks.len()];
        let mut pending = vec![BlockId(0)];
        let mut any = false;
        while let Some(block) = pending.pop() {
            if block == self.at {
                return false;
            }
            if std::mem::replace(&mut seen[block.index()], true) {
                continue;
            }
            let terminator = &self.body.blocks[block.index()].terminator;
            let failed = match terminator {
                Terminator::Test { test: Test::Success(place), no, .. } if self.comes_of(place, variable) => Some(*no),
                Terminator::Test { test: Test::Failure(place), yes, .. } if self.comes_of(place, variable) => {
                    Some(*yes)
                }
                _ => None,
            };
            any |= failed.is_some();
            pending.extend(terminator.successors().filter(|next| Some(*next) != failed));
        }
        any
    }

    /// Whether a value is what something gave that was called with a variable, or made of that.
    fn comes_of(&self, place: &Place, variable: LocalId) -> bool {
        // What is inside of a result is its answer: that there is no row is no failure.
        let is_inside = |place: &Place| place.projection.contains(&Projection::Success);
        if is_inside(place) {
            return false;
        }
        let mut origins = vec![place.local];
        let mut next = 0;
        while next < origins.len() && next < MAX_ORIGINS {
            let at = origins[next];
            next += 1;
            if at == variable {
                // What it is itself is not what a statement gave.
                continue;
            }
            for (_, value) in self.body.assignments().filter(|(target, _)| target.local == at) {
                let operands = value.operands();
                if matches!(value, Rvalue::Call(_)) && operands.iter().any(|operand| operand.local() == Some(variable))
                {
                    return true;
                }
                let new = operands.into_iter().filter_map(|operand| match operand {
                    Operand::Value(place) if !is_inside(place) => Some(place.local),
                    _ => None,
                });
                for local in new {
                    if !origins.contains(&local) {
                        origins.push(local);
                    }
                }
            }
        }
        false
    }

    /// Tells of the sessions that were lent and that this body polls with: once, here.
    pub(crate) fn tell_polls(&mut self) {
        let params: Vec<LocalId> =
            self.body.params.iter().copied().filter(|param| self.polls.contains(param)).collect();
        for param in params {
            let Some(written) = &self.body.locals[param.index()].ty else { continue };
            let Some((protocol, layers)) = self.lendable(&self.index.ty(&self.scope, written)) else { continue };
            let mut solver = Solver::new(self.analysis, self.body, self.scope.clone(), self.asking.clone());
            solver.tells_polls = true;
            let world = solver.parameters(World::default());
            let (world, id) = solver.lend(world, param, protocol, &layers);
            solver.run(world);
            let lent = &solver.sites[usize::from(id.site.0)];
            let mapped = self.site(lent.clone());
            for ((kind, site, cause), mut event) in solver.events {
                if site == id.site && matches!(kind, EventKind::HeldAcross { .. }) {
                    event.site = mapped;
                    self.events.entry((kind, mapped, cause)).or_insert(event);
                }
            }
        }
    }
}
