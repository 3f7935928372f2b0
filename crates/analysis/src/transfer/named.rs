//! Does somebody have the name of what a guard would have removed, so that it is up to them?

use crate::solver::Solver;
use crate::value::SiteId;
use sessionlint_diagnostics::Span;
use sessionlint_ir::{Body, Callee, LocalId, Operand, Projection, Rvalue, StatementKind};
use std::collections::BTreeSet;

impl Solver<'_> {
    /// Whether the path of what a guard keeps is given to the caller, or stored in something that was there before.
    pub(crate) fn name_is_handed_on(&self, site: SiteId) -> bool {
        let site = &self.sites[usize::from(site.0)];
        let protocol = self.index.model.protocol(site.protocol);
        let Some(guard) = site.variable.filter(|_| !protocol.named_by.is_empty()) else { return false };
        let names = self.names_of(&BTreeSet::from([guard]), &protocol.named_by);
        let is_name = |operand: &Operand| operand.local().is_some_and(|local| names.contains(&local));
        self.body.statements().into_iter().any(|statement| match &statement.kind {
            StatementKind::Assign(to, Rvalue::Exit(_, _, operand) | Rvalue::Use(operand)) => {
                let stored = to.projection.iter().any(|step| matches!(step, Projection::Field(_) | Projection::Deref));
                (to.local == Body::RETURN || stored) && is_name(operand)
            }
            StatementKind::Assign(_, Rvalue::Call(call)) => match &call.callee {
                Callee::Method { name, .. } => {
                    self.index.model.standard().stores(name) && call.args.iter().any(is_name)
                }
                _ => false,
            },
            _ => false,
        })
    }

    /// Whether a guard that nothing keeps is opened by a call of which only the name of what it removes goes into a variable, or is returned:
    /// `tempdir()?.path().to_owned()`. `by_statement` when it is dropped at the end of its statement, not of a block.
    pub(super) fn name_is_kept(&self, site: SiteId, by_statement: bool) -> bool {
        let site = &self.sites[usize::from(site.0)];
        let protocol = self.index.model.protocol(site.protocol);
        if protocol.named_by.is_empty() || !(by_statement || site.variable.is_none()) {
            return false;
        }
        let guards = self.unkept(site.span, by_statement);
        let names = self.names_of(&guards, &protocol.named_by);
        let returns = |operand: &Operand| operand.local().is_some_and(|local| names.contains(&local));
        let is_returned = |(_, value): (&_, &Rvalue)| matches!(value, Rvalue::Exit(_, _, operand) if returns(operand));
        names.iter().any(|name| self.body.locals[name.index()].name.is_some())
            || self.body.assignments().any(is_returned)
    }

    /// What holds the value of a call: temporaries, and where it may have a name for a while, the variables of patterns.
    fn unkept(&self, opened: Span, named: bool) -> BTreeSet<LocalId> {
        let standard = self.index.model.standard();
        let mut found = BTreeSet::new();
        loop {
            let before = found.len();
            for statement in self.body.statements() {
                let is_one = |operand: &Operand| operand.local().is_some_and(|local| found.contains(&local));
                let (to, is_guard) = match &statement.kind {
                    StatementKind::Bind { local, from, .. } => (*local, found.contains(&from.local)),
                    StatementKind::Assign(to, Rvalue::Use(operand) | Rvalue::Await { future: operand, .. }) => {
                        (to.local, is_one(operand))
                    }
                    StatementKind::Assign(to, Rvalue::Call(call)) => {
                        let same = match &call.callee {
                            Callee::Method { receiver, name } => {
                                (standard.adapts(name) || standard.opens(name)) && is_one(receiver)
                            }
                            _ => false,
                        };
                        (to.local, same || call.name_span == opened)
                    }
                    _ => continue,
                };
                if is_guard && (named || self.body.locals[to.index()].name.is_none()) {
                    found.insert(to);
                }
            }
            if found.len() == before {
                return found;
            }
        }
    }

    /// The variables that hold the name of what a guard keeps, or something that is made of it.
    fn names_of(&self, guards: &BTreeSet<LocalId>, named_by: &[String]) -> BTreeSet<LocalId> {
        let standard = self.index.model.standard();
        let mut found = BTreeSet::new();
        loop {
            let before = found.len();
            for statement in self.body.statements() {
                let is_name = |operand: &Operand| operand.local().is_some_and(|local| found.contains(&local));
                let (to, is_one) = match &statement.kind {
                    StatementKind::Bind { local, from, .. } => (*local, found.contains(&from.local)),
                    StatementKind::Assign(to, value) => {
                        let is_one = match value {
                            Rvalue::Use(operand) => is_name(operand),
                            Rvalue::Aggregate(_, parts) => parts.iter().any(|(_, operand)| is_name(operand)),
                            Rvalue::Call(call) => match &call.callee {
                                Callee::Method { receiver, name } => {
                                    (receiver.local().is_some_and(|local| guards.contains(&local))
                                        && named_by.contains(name))
                                        || (standard.keeps_path(name) && is_name(receiver))
                                }
                                Callee::Path { segments, .. } | Callee::Macro(segments) => {
                                    segments.last().is_some_and(|name| standard.keeps_path(name))
                                        && call.args.iter().any(is_name)
                                }
                                Callee::Value(_) => false,
                            },
                            _ => false,
                        };
                        (to.local, is_one)
                    }
                    _ => continue,
                };
                if is_one && !guards.contains(&to) {
                    found.insert(to);
                }
            }
            if found.len() == before {
                return found;
            }
        }
    }
}
