//! Which databases does a body make for itself and throw away? What is lost with them is nobody's.

use crate::events::{EventKind, SiteId};
use crate::index::Resolved;
use crate::solver::Solver;
use crate::value::{Origin, Root};
use sessionlint_ir::{Call, Callee, Literal, LocalId, Operand, Rvalue, StatementKind};
use std::collections::{BTreeMap, BTreeSet};

/// How many sessions deep it is looked what one was opened on.
const MAX_STEPS: usize = 4;

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
        let known = self.thrown.temporary.take().unwrap_or_else(|| self.temporary_variables());
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

    /// The variables that are made of a temporary place, or of something that is.
    fn temporary_variables(&self) -> BTreeSet<LocalId> {
        let mut found = BTreeSet::new();
        loop {
            let before = found.len();
            for statement in self.body.statements() {
                let (to, is_one) = match &statement.kind {
                    StatementKind::Assign(to, value) => (to.local, self.is_temporary_value(value, &found)),
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

    fn is_temporary_value(&self, value: &Rvalue, known: &BTreeSet<LocalId>) -> bool {
        let is_known = |operand: &Operand| operand.local().is_some_and(|local| known.contains(&local));
        match value {
            Rvalue::Use(operand) | Rvalue::Await { future: operand, .. } => {
                is_known(operand) || self.names_memory(operand)
            }
            Rvalue::Call(call) => {
                call.operands().any(|operand| is_known(operand) || self.names_memory(operand))
                    || self.makes_temporary(&call.callee)
            }
            Rvalue::Aggregate(_, parts) => parts.iter().any(|(_, operand)| is_known(operand)),
            Rvalue::Opaque(parts) => parts.iter().any(is_known),
            Rvalue::Select(_) | Rvalue::Closure { .. } | Rvalue::Exit(..) => false,
        }
    }

    /// `tempfile::tempdir()`.
    fn makes_temporary(&self, callee: &Callee) -> bool {
        let Callee::Path { segments, .. } = callee else { return false };
        match self.index.resolve(&self.scope, segments) {
            Some(Resolved::External(path)) => self
                .index
                .model
                .library_at(&path)
                .is_some_and(|(library, _)| self.index.model.library(library).makes_temporary),
            _ => false,
        }
    }

    /// Whether what is left open is lost with a database that nobody else ever sees.
    pub(crate) fn is_thrown_away(&self, kind: &EventKind, site: SiteId) -> bool {
        if *kind != EventKind::LeftOpen {
            return false;
        }
        let thrown = &self.thrown;
        let mut at = site;
        for _ in 0..MAX_STEPS {
            if let Some(Origin { root: Root::Made(pool), .. }) = self.pools.get(&at) {
                return thrown.made.contains(pool) && !thrown.handed_on.contains(pool);
            }
            let on = self.carriers.get(&at).map(|id| id.site).or_else(|| thrown.begun_on.get(&at).copied());
            match on {
                Some(connection) if thrown.made.contains(&connection) => {
                    return !self.given_away.contains_key(&connection);
                }
                Some(session) => at = session,
                None => return false,
            }
        }
        false
    }
}
