//! Does a task answer what it is sent with what a transaction gives? Then it is that transaction, for whoever sends.

use crate::index::{Index, ItemRef, Resolved, Scope, Ty};
use crate::solver::Solver;
use sessionlint_ir::{BlockId, Body, Call, Callee, LocalId, Operand, Race, Rvalue, Statement, StatementKind};
use std::collections::BTreeSet;

/// So many functions deep it is looked where a message is answered.
const MAX_HELPERS: u32 = 2;

impl Solver<'_> {
    /// Whether the message that is waited for here is answered with what was done with the session in a variable: `reply.send(row)`,
    /// where `reply` is a part of the message, and `row` comes of a call with the session. Here, or in a function that is given both.
    pub(super) fn answers(&self, session: LocalId) -> bool {
        self.received_beside(session).answers(&self.scope, self.body, 0)
    }

    /// Whether what is waited for here is passed on together with the session in a variable: it is written through it.
    pub(super) fn takes_in(&self, session: LocalId) -> bool {
        self.received_beside(session).takes_in()
    }

    /// The message that is waited for here, and a session, in what is done from here on.
    fn received_beside(&self, session: LocalId) -> Asked<'_, '_> {
        let behind: Vec<&Statement> = (0..)
            .map(BlockId)
            .zip(&self.body.blocks)
            .filter(|(at, _)| *at == self.at || self.body.leads_to(self.at, *at))
            .flat_map(|(_, block)| &block.statements)
            .collect();
        let here = &self.body.blocks[self.at.index()].statements;
        let awaited = here.iter().map(|statement| (statement, true)).chain(behind.iter().map(|it| (*it, false)));
        let message = awaited.filter_map(|(statement, here)| match &statement.kind {
            StatementKind::Assign(place, Rvalue::Await { race, .. }) => {
                (here || *race == Race::FirstDone).then_some(place.local)
            }
            _ => None,
        });
        let message = message.collect();
        Asked { index: self.index, statements: behind, message, session }
    }
}

/// A message and a session in some statements of a body.
struct Asked<'a, 'h> {
    index: &'a Index<'h>,
    statements: Vec<&'a Statement>,
    /// The variables that hold the message, or a part of it.
    message: BTreeSet<LocalId>,
    session: LocalId,
}

impl Asked<'_, '_> {
    fn answers(mut self, scope: &Scope<'_>, body: &Body, depth: u32) -> bool {
        spread(&self.statements, &mut self.message, |value| match value {
            Rvalue::Use(operand) => operand.local(),
            // `message.reply.take()`, `.unwrap()`.
            Rvalue::Call(Call { callee: Callee::Method { receiver, .. }, args, .. }) if args.is_empty() => {
                receiver.local()
            }
            _ => None,
        });
        self.message.remove(&self.session);
        if self.message.is_empty() {
            return false;
        }
        let mut same = BTreeSet::from([self.session]);
        spread(&self.statements, &mut same, |value| match value {
            Rvalue::Use(operand) => operand.local(),
            _ => None,
        });
        let given = self.given_with(&same);
        let calls = self.statements.iter().filter_map(|statement| match &statement.kind {
            StatementKind::Assign(_, Rvalue::Call(call)) => Some(call),
            _ => None,
        });
        let mut calls = calls.filter(|call| call.operands().any(|operand| is_in(&self.message, operand)));
        calls.any(|call| match &call.callee {
            Callee::Method { receiver, .. }
                if is_in(&self.message, receiver) && call.args.iter().any(|arg| is_in(&given, arg)) =>
            {
                true
            }
            _ => depth < MAX_HELPERS && self.is_answered_in(scope, body, call, &same, depth),
        })
    }

    fn takes_in(mut self) -> bool {
        let session = BTreeSet::from([self.session]);
        // A part of it, or a statement that it is bound to.
        loop {
            let known = self.message.len();
            for statement in &self.statements {
                match &statement.kind {
                    StatementKind::Assign(place, value)
                        if value.operands().iter().any(|operand| is_in(&self.message, operand)) =>
                    {
                        self.message.insert(place.local);
                    }
                    StatementKind::Bind { local, from, .. } if self.message.contains(&from.local) => {
                        self.message.insert(*local);
                    }
                    _ => {}
                }
            }
            self.message.remove(&self.session);
            if self.message.len() == known {
                break;
            }
        }
        self.statements.iter().any(|statement| match &statement.kind {
            StatementKind::Assign(_, Rvalue::Call(call)) => {
                call.operands().any(|operand| is_in(&session, operand))
                    && call.operands().any(|operand| is_in(&self.message, operand))
            }
            _ => false,
        })
    }

    /// Whether a function of the workspace answers the message that it is given by value, beside the session.
    fn is_answered_in(
        &self,
        scope: &Scope<'_>,
        body: &Body,
        call: &Call,
        same: &BTreeSet<LocalId>,
        depth: u32,
    ) -> bool {
        let receivers = usize::from(matches!(call.callee, Callee::Method { .. }));
        let message = call.args.iter().position(|arg| matches!(arg, Operand::Value(_)) && is_in(&self.message, arg));
        let session = call.args.iter().position(|arg| is_in(same, arg));
        let (Some(message), Some(session)) = (message, session) else { return false };
        self.callees(scope, body, call).into_iter().any(|item| {
            let Some(function) = self.index.function(item) else { return false };
            let Some(body) = &function.body else { return false };
            let param = |at: usize| body.params.get(at + receivers).copied();
            let (Some(message), Some(session)) = (param(message), param(session)) else { return false };
            let mut scope = self.index.scope_of(item);
            scope.self_ty = self.index.self_ty(item);
            let statements = body.blocks.iter().flat_map(|block| &block.statements).collect();
            let inside = Asked { index: self.index, statements, message: BTreeSet::from([message]), session };
            inside.answers(&scope, body, depth + 1)
        })
    }

    /// The functions of the workspace that a call may run, where the text tells: by path, or a method of `self`.
    fn callees(&self, scope: &Scope<'_>, body: &Body, call: &Call) -> Vec<ItemRef> {
        let owner = match &scope.self_ty {
            Some(Ty::Own(owner, _)) => Some(*owner),
            _ => None,
        };
        match &call.callee {
            Callee::Method { receiver, name } => {
                let is_self = receiver.local().is_some_and(|local| {
                    body.params.first() == Some(&local)
                        && body.locals[local.index()].name.as_deref() == Some("self")
                        && receiver.place().is_some_and(|place| place.projection.is_empty())
                });
                owner.filter(|_| is_self).map(|owner| self.index.methods(owner, name)).unwrap_or_default()
            }
            Callee::Path { segments, .. } => match self.index.resolve(scope, segments) {
                Some(Resolved::Item(item, rest)) => match rest.as_slice() {
                    [] => vec![item],
                    [name] => self.index.methods(item, name),
                    _ => Vec::new(),
                },
                _ => match (segments.as_slice(), owner) {
                    ([of, name], Some(owner)) if of == "Self" => self.index.methods(owner, name),
                    _ => Vec::new(),
                },
            },
            Callee::Macro(_) | Callee::Value(_) => Vec::new(),
        }
    }

    /// The variables that hold what calls with a session gave, or what was made of that.
    fn given_with(&self, same: &BTreeSet<LocalId>) -> BTreeSet<LocalId> {
        let mut given = BTreeSet::new();
        loop {
            let known = given.len();
            for statement in &self.statements {
                match &statement.kind {
                    StatementKind::Assign(place, value) => {
                        let is_call = matches!(value, Rvalue::Call(_));
                        let comes_of = |operand: &&Operand| is_in(&given, operand) || (is_call && is_in(same, operand));
                        if value.operands().iter().any(comes_of) {
                            given.insert(place.local);
                        }
                    }
                    StatementKind::Bind { local, from, .. } if given.contains(&from.local) => {
                        given.insert(*local);
                    }
                    _ => {}
                }
            }
            if given.len() == known {
                given.remove(&self.session);
                return given;
            }
        }
    }
}

fn is_in(set: &BTreeSet<LocalId>, operand: &Operand) -> bool {
    operand.local().is_some_and(|local| set.contains(&local))
}

/// Adds the variables that get what is in a set: by a pattern, or by a value that hands it on.
fn spread(statements: &[&Statement], set: &mut BTreeSet<LocalId>, handed_on: impl Fn(&Rvalue) -> Option<LocalId>) {
    loop {
        let known = set.len();
        for statement in statements {
            match &statement.kind {
                StatementKind::Assign(place, value) if handed_on(value).is_some_and(|local| set.contains(&local)) => {
                    set.insert(place.local);
                }
                StatementKind::Bind { local, from, .. } if set.contains(&from.local) => {
                    set.insert(*local);
                }
                _ => {}
            }
        }
        if set.len() == known {
            return;
        }
    }
}
