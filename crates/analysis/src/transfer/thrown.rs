//! Which databases does a body make for itself and throw away? What is lost with them is nobody's.

use crate::events::EventKind;
use crate::index::{ItemRef, Resolved, Ty};
use crate::solver::Solver;
use crate::value::{Origin, Root, SiteId};
use sessionlint_ir::{AggregateKind, Body, Call, Callee, ExitKind, Literal, LocalId, Operand, Rvalue, StatementKind};
use std::collections::{BTreeMap, BTreeSet};

/// How many sessions deep it is looked what one was opened on.
const MAX_STEPS: usize = 4;

/// How many functions deep it is looked whether one gives a database that it makes in such a place.
const MAX_MAKERS: u32 = 3;

/// The databases that a body makes for itself: in memory, or in a temporary place.
#[derive(Default)]
pub(crate) struct Thrown {
    /// The variables that come from a temporary place, once somebody asks.
    temporary: Option<BTreeSet<LocalId>>,
    /// Whether the call that is looked at makes such a database.
    making: bool,
    /// Its pools and connections.
    made: BTreeSet<SiteId>,
    /// The pools among them that somebody else has as well.
    handed_on: BTreeSet<SiteId>,
    /// The connections of transactions that were begun as text.
    begun_on: BTreeMap<SiteId, SiteId>,
}

impl Thrown {
    /// A connection or pool is made by the call that is looked at. Whether its database is thrown away.
    pub fn makes(&mut self, site: SiteId) -> bool {
        if self.making {
            self.made.insert(site);
        }
        self.making
    }

    /// Whether the call that is looked at makes such a database.
    pub fn is_making(&self) -> bool {
        self.making
    }

    /// Somebody else has a pool.
    pub fn hand_on(&mut self, sites: &[SiteId]) {
        self.handed_on.extend(sites);
    }

    /// A transaction is begun as text on a connection.
    pub fn begin_on(&mut self, site: SiteId, connection: SiteId) {
        self.begun_on.insert(site, connection);
    }
}

impl Solver<'_> {
    /// Runs what opens something, in a place that the call says.
    pub(super) fn in_its_place<T>(&mut self, in_memory: bool, call: &Call, open: impl FnOnce(&mut Self) -> T) -> T {
        self.thrown.making = in_memory || self.is_temporary(call);
        let value = open(self);
        self.thrown.making = false;
        value
    }

    /// Whether the arguments of a call, or what it is called on, name a temporary place.
    fn is_temporary(&mut self, call: &Call) -> bool {
        if call.args.iter().any(|arg| self.names_memory(arg)) {
            return true;
        }
        let known = self.thrown.temporary.take().unwrap_or_else(|| self.temporary_variables(0));
        let found = call.operands().any(|operand| operand.local().is_some_and(|local| known.contains(&local)));
        self.thrown.temporary = Some(known);
        found
    }

    /// `":memory:"`.
    fn names_memory(&self, operand: &Operand) -> bool {
        let Operand::Literal(Literal::Text(text)) = operand else { return false };
        let names = |word: &String| text.contains(word.as_str());
        self.index.model.libraries().any(|(_, library)| library.in_memory.iter().any(names))
    }

    /// The variables that are made of a temporary place, or of something that is: by functions of the workspace, too, so many calls
    /// deep.
    fn temporary_variables(&self, deep: u32) -> BTreeSet<LocalId> {
        let mut found = BTreeSet::new();
        loop {
            let before = found.len();
            for statement in self.body.statements() {
                let (to, is_one) = match &statement.kind {
                    StatementKind::Assign(to, value) => (to.local, self.is_temporary_value(value, &found, deep)),
                    StatementKind::Bind { local, from, .. } => (*local, found.contains(&from.local)),
                    _ => continue,
                };
                if is_one {
                    found.insert(to);
                }
            }
            if found.len() == before {
                return found;
            }
        }
    }

    fn is_temporary_value(&self, value: &Rvalue, known: &BTreeSet<LocalId>, deep: u32) -> bool {
        let is_known = |operand: &Operand| operand.local().is_some_and(|local| known.contains(&local));
        match value {
            Rvalue::Use(operand) | Rvalue::Await { future: operand, .. } => {
                is_known(operand) || self.names_memory(operand)
            }
            // What is to stay is in no temporary place any more.
            Rvalue::Call(Call { callee: Callee::Method { name, .. }, .. }) if self.makes_it_stay(name) => false,
            Rvalue::Call(call) => {
                call.operands().any(|operand| is_known(operand) || self.names_memory(operand))
                    || self.makes_temporary(&call.callee)
                    || (deep > 0
                        && self.own_callee(&call.callee).is_some_and(|item| self.gives_temporary(item, deep - 1)))
            }
            Rvalue::Aggregate(_, parts) => parts.iter().any(|(_, operand)| is_known(operand)),
            Rvalue::Opaque(parts) => parts.iter().any(is_known),
            Rvalue::Exit(_, _, operand) => is_known(operand),
            Rvalue::Select(_) | Rvalue::Closure { .. } | Rvalue::Any { .. } => false,
        }
    }

    /// `tempfile::tempdir()`, or `Connection::open_in_memory()`.
    fn makes_temporary(&self, callee: &Callee) -> bool {
        let Callee::Path { segments, .. } = callee else { return false };
        let Some(Resolved::External(path)) = self.index.resolve(&self.scope, segments) else { return false };
        let model = self.index.model;
        let Some((library, name)) = model.library_at(&path) else { return false };
        model.library(library).makes_temporary
            || model
                .protocols()
                .filter(|(_, protocol)| protocol.library == library)
                .any(|(_, protocol)| protocol.openings.iter().any(|opening| opening.in_memory && opening.call == name))
    }

    /// `directory.keep()`.
    fn makes_it_stay(&self, name: &str) -> bool {
        let model = self.index.model;
        model.protocols().any(|(_, protocol)| {
            model.library(protocol.library).makes_temporary && protocol.endings.iter().any(|end| end.call == name)
        })
    }

    /// The function of the workspace that is called by its path.
    pub(super) fn own_callee(&self, callee: &Callee) -> Option<ItemRef> {
        let Callee::Path { segments, qualifier: None } = callee else { return None };
        let (owner, name) = match self.index.resolve(&self.scope, segments) {
            Some(Resolved::Item(item, rest)) => match rest.as_slice() {
                [] => return Some(item),
                [name] => (item, name.clone()),
                _ => return None,
            },
            _ => match (segments.as_slice(), &self.scope.self_ty) {
                ([this, name], Some(Ty::Own(item, _))) if this == "Self" => (*item, name.clone()),
                _ => return None,
            },
        };
        match self.index.methods(owner, &name).as_slice() {
            [item] => Some(*item),
            _ => None,
        }
    }

    /// Whether a function gives a database that it makes in a temporary place.
    fn gives_temporary(&self, item: ItemRef, deep: u32) -> bool {
        let holds = self.index.output(item, None).is_some_and(|ty| self.index.may_hold(&ty));
        holds
            && self
                .analysis
                .asked(item, &self.asking, |solver| Some(solver.temporary_variables(deep).contains(&Body::RETURN)))
                .unwrap_or_default()
    }

    /// Whether a pool comes from a function that makes it in a temporary place, and nobody else gets it.
    fn is_pool_thrown_away(&self, origin: &Origin) -> bool {
        let makes = |callee: &Callee| self.own_callee(callee).filter(|item| self.gives_temporary(*item, MAX_MAKERS));
        let mut holders = BTreeSet::new();
        for statement in self.body.statements() {
            let StatementKind::Assign(to, Rvalue::Call(call)) = &statement.kind else { continue };
            let is_it = match &origin.root {
                Root::Item(item) => self.own_callee(&call.callee) == Some(*item) && makes(&call.callee).is_some(),
                Root::Local(_) => makes(&call.callee).is_some(),
                Root::Param(_) | Root::Made(_) => false,
            };
            if is_it {
                holders.insert(to.local);
            }
        }
        if holders.is_empty() {
            return false;
        }
        self.same_values(&mut holders);
        let is_held = match &origin.root {
            Root::Local(local) => holders.contains(local),
            _ => true,
        };
        is_held && !self.is_handed_on(&holders)
    }

    /// The variables that hold the very value that some variables hold, or what calls give that it is moved into.
    fn same_values(&self, holders: &mut BTreeSet<LocalId>) {
        let standard = self.index.model.standard();
        loop {
            let before = holders.len();
            for statement in self.body.statements() {
                let holds = |operand: &Operand| operand.local().is_some_and(|local| holders.contains(&local));
                let (to, is_one) = match &statement.kind {
                    StatementKind::Bind { local, from, .. } => (*local, holders.contains(&from.local)),
                    StatementKind::Assign(to, value) => {
                        let is_one = match value {
                            Rvalue::Use(operand) | Rvalue::Await { future: operand, .. } => holds(operand),
                            Rvalue::Aggregate(_, parts) => parts.iter().any(|(_, operand)| holds(operand)),
                            Rvalue::Call(call @ Call { callee: Callee::Method { receiver, name }, .. }) => {
                                holds(receiver)
                                    && (standard.keeps(name) || standard.opens(name) || standard.adapts(name))
                                    || call.args.iter().any(holds)
                            }
                            // What is computed with it is something else.
                            Rvalue::Call(call @ Call { callee: Callee::Path { segments, .. }, .. }) => {
                                let holder = |item: ItemRef| {
                                    self.index.output(item, None).is_some_and(|ty| self.index.may_hold(&ty))
                                };
                                call.args.iter().any(holds)
                                    && self.index.resolve(&self.scope, segments).is_some()
                                    && self.own_callee(&call.callee).is_none_or(holder)
                            }
                            _ => false,
                        };
                        (to.local, is_one)
                    }
                    _ => continue,
                };
                if is_one {
                    holders.insert(to);
                }
            }
            if holders.len() == before {
                return;
            }
        }
    }

    /// Whether somebody else gets what some variables hold: it is returned, stored, or moved into a closure.
    fn is_handed_on(&self, holders: &BTreeSet<LocalId>) -> bool {
        let moved = |operand: &Operand| matches!(operand, Operand::Value(place) if holders.contains(&place.local));
        let wraps = |kind: &AggregateKind| matches!(kind, AggregateKind::Success | AggregateKind::Tuple);
        let captured =
            |child: usize| self.body.children[child].captures.iter().any(|capture| holders.contains(&capture.outer));
        self.body.statements().into_iter().any(|statement| match &statement.kind {
            StatementKind::Assign(to, value) => match value {
                Rvalue::Use(operand) => (to.local == Body::RETURN || !to.projection.is_empty()) && moved(operand),
                Rvalue::Exit(kind, _, operand) => *kind == ExitKind::Success && moved(operand),
                // What a struct takes is looked for in it no further.
                Rvalue::Aggregate(kind, parts) => !wraps(kind) && parts.iter().any(|(_, operand)| moved(operand)),
                Rvalue::Call(Call { callee: Callee::Method { name, .. }, args, .. }) => {
                    self.index.model.standard().stores(name) && args.iter().any(moved)
                }
                Rvalue::Closure { child, .. } => captured(*child),
                Rvalue::Opaque(parts) => parts.iter().any(moved),
                Rvalue::Call(_) | Rvalue::Await { .. } | Rvalue::Select(_) | Rvalue::Any { .. } => false,
            },
            _ => false,
        })
    }

    /// The session whose variable the method is called on that opens another one: a method of the workspace's own, say.
    fn opened_on(&self, site: SiteId) -> Option<SiteId> {
        let span = self.sites[usize::from(site.0)].span;
        let receiver = self.body.assignments().find_map(|(_, value)| match value {
            Rvalue::Call(Call { callee: Callee::Method { receiver, .. }, name_span, .. }) if *name_span == span => {
                receiver.local()
            }
            _ => None,
        })?;
        let at = self.sites.iter().position(|known| known.variable == Some(receiver) && known.span != span)?;
        Some(SiteId(at as u16))
    }

    /// Whether a connection comes from a function that makes it, and its database, in a temporary place.
    fn is_made_by_own(&self, connection: SiteId) -> bool {
        let site = &self.sites[usize::from(connection.0)];
        self.body.statements().into_iter().any(|statement| match &statement.kind {
            StatementKind::Assign(_, Rvalue::Call(call)) if call.name_span == site.span => {
                self.own_callee(&call.callee).is_some_and(|item| self.gives_temporary(item, MAX_MAKERS))
            }
            _ => false,
        })
    }

    /// Whether what is left open is lost with a database that nobody else ever sees.
    pub(crate) fn is_thrown_away(&self, kind: &EventKind, site: SiteId) -> bool {
        if !matches!(kind, EventKind::LeftOpen | EventKind::CommitFailed) {
            return false;
        }
        let thrown = &self.thrown;
        let mut at = site;
        for _ in 0..MAX_STEPS {
            match self.pools.get(&at) {
                Some(Origin { root: Root::Made(pool), .. }) => {
                    return thrown.made.contains(pool) && !thrown.handed_on.contains(pool);
                }
                Some(origin) => return self.is_pool_thrown_away(origin),
                None => {}
            }
            let on = self.carriers.get(&at).map(|id| id.site).or_else(|| thrown.begun_on.get(&at).copied());
            let on = on.or_else(|| self.opened_on(at));
            match on {
                Some(connection) if thrown.made.contains(&connection) || self.is_made_by_own(connection) => {
                    return !self.given_away.contains_key(&connection);
                }
                Some(session) => at = session,
                None => return false,
            }
        }
        false
    }
}
