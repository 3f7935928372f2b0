//! Is slow work only done where a client or pool is made and kept for the next calls? Then no call but the first waits for it.

use crate::events::Site;
use crate::solver::Solver;
use sessionlint_diagnostics::Span;
use sessionlint_ir::{
    BlockId, Body, Callee, ExitKind, LocalId, Operand, Place, Projection, Rvalue, Statement, StatementKind, Terminator,
};
use sessionlint_protocols::ProtocolKind;
use std::collections::BTreeSet;

impl Solver<'_> {
    /// Whether a call makes a client or pool, or is one of its methods, and that is then put into something that was there
    /// before, which another way of this body finds there: there, nothing is made or waited for.
    pub(super) fn is_first_use(&self, at: Span) -> bool {
        let is_client = |site: &Site| {
            let kind = self.index.model.protocol(site.protocol).kind;
            matches!(kind, ProtocolKind::Client | ProtocolKind::Pool)
        };
        if !self.sites.iter().any(is_client) {
            return false;
        }
        let made = self.clients_made();
        let futures = self.futures_of(&made);
        let blocks = (0..).map(BlockId).zip(&self.body.blocks);
        let works = blocks.flat_map(|(number, block)| {
            block.statements.iter().filter_map(move |statement| match &statement.kind {
                StatementKind::Assign(to, Rvalue::Call(call)) if call.name_span == at => Some((number, to.local)),
                StatementKind::Assign(_, Rvalue::Await { future, .. }) if statement.span == at => {
                    future.local().map(|future| (number, future))
                }
                _ => None,
            })
        });
        let mut works = works.peekable();
        works.peek().is_some()
            && works.all(|(number, local)| {
                (made.contains(&local) || futures.contains(&local)) && succeeds_without(self.body, number)
            })
            && self.is_put_somewhere(&made)
    }

    /// Whether a client or pool that is made in this body, or a clone of one, is put into something that was there before.
    pub(super) fn keeps_what_it_makes(&self) -> bool {
        self.is_put_somewhere(&self.clients_made())
    }

    /// Whether one of some variables is put into something that was there before.
    fn is_put_somewhere(&self, made: &BTreeSet<LocalId>) -> bool {
        let is_made = |operand: &Operand| operand.local().is_some_and(|local| made.contains(&local));
        self.body.assignments().any(|(to, value)| {
            (was_there(to) && parts(value).into_iter().any(is_made))
                || matches!(value, Rvalue::Call(call) if self.puts(&call.callee) && call.args.iter().any(is_made))
        })
    }

    /// The variables that hold what a call gives that one of some others is passed to: futures of its work, say.
    fn futures_of(&self, made: &BTreeSet<LocalId>) -> BTreeSet<LocalId> {
        let mut found = BTreeSet::new();
        loop {
            let before = found.len();
            for (to, value) in self.body.assignments() {
                let is_one = match value {
                    Rvalue::Call(call) => {
                        call.operands().any(|operand| operand.local().is_some_and(|local| made.contains(&local)))
                    }
                    Rvalue::Use(operand) => operand.local().is_some_and(|local| found.contains(&local)),
                    _ => false,
                };
                if is_one {
                    found.insert(to.local);
                }
            }
            if found.len() == before {
                return found;
            }
        }
    }

    /// The variables that hold a client or pool which is made in this body, or something around it.
    fn clients_made(&self) -> BTreeSet<LocalId> {
        let standard = self.index.model.standard();
        let makes = |span: Span| {
            self.sites.iter().any(|site| {
                let kind = self.index.model.protocol(site.protocol).kind;
                site.span == span && matches!(kind, ProtocolKind::Client | ProtocolKind::Pool)
            })
        };
        let mut made = BTreeSet::new();
        loop {
            let before = made.len();
            for statement in self.body.statements() {
                let is_made = |operand: &Operand| operand.local().is_some_and(|local| made.contains(&local));
                let (to, is_one) = match &statement.kind {
                    StatementKind::Bind { local, from, .. } => (*local, made.contains(&from.local)),
                    StatementKind::Assign(to, value) => {
                        let is_one = match value {
                            Rvalue::Use(operand) | Rvalue::Await { future: operand, .. } => is_made(operand),
                            Rvalue::Aggregate(_, parts) => parts.iter().any(|(_, operand)| is_made(operand)),
                            Rvalue::Call(call) => {
                                let around = match &call.callee {
                                    Callee::Method { receiver, name } => {
                                        let same = standard.adapts(name) || standard.opens(name);
                                        (same || standard.keeps(name)) && is_made(receiver)
                                    }
                                    Callee::Path { segments, .. } => {
                                        let keeps = |name: &String| {
                                            standard.keeps_path(name) || name.starts_with(char::is_uppercase)
                                        };
                                        segments.last().is_some_and(keeps) && call.args.iter().any(is_made)
                                    }
                                    Callee::Macro(_) | Callee::Value(_) => false,
                                };
                                around || makes(call.name_span)
                            }
                            _ => false,
                        };
                        (to.local, is_one && to.local != Body::RETURN)
                    }
                    _ => continue,
                };
                if is_one {
                    made.insert(to);
                }
            }
            if made.len() == before {
                return made;
            }
        }
    }

    /// Whether a method puts what it is given into its receiver.
    fn puts(&self, callee: &Callee) -> bool {
        matches!(callee, Callee::Method { name, .. } if self.index.model.standard().stores(name))
    }
}

/// Whether a place is part of something that is not made by storing there.
fn was_there(place: &Place) -> bool {
    place.projection.iter().any(|step| matches!(step, Projection::Field(_) | Projection::Deref))
}

/// What a value is made of, for those that keep it.
fn parts(value: &Rvalue) -> Vec<&Operand> {
    match value {
        Rvalue::Use(operand) => vec![operand],
        Rvalue::Aggregate(_, parts) => parts.iter().map(|(_, operand)| operand).collect(),
        Rvalue::Call(call) if matches!(call.callee, Callee::Path { .. }) => call.args.iter().collect(),
        _ => Vec::new(),
    }
}

/// Whether the body can be left with success without coming through a block.
fn succeeds_without(body: &Body, without: BlockId) -> bool {
    let is_error =
        |statement: &Statement| matches!(&statement.kind, StatementKind::Assign(_, Rvalue::Exit(ExitKind::Error, ..)));
    let mut seen = vec![false; body.blocks.len()];
    let mut pending = vec![BlockId(0)];
    while let Some(at) = pending.pop() {
        let block = &body.blocks[at.index()];
        let fails = block.statements.iter().any(is_error);
        if at == without || fails || std::mem::replace(&mut seen[at.index()], true) {
            continue;
        }
        if matches!(block.terminator, Terminator::Return) {
            return true;
        }
        pending.extend(block.terminator.successors());
    }
    false
}
