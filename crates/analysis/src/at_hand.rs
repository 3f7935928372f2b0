//! Can the variable of a session still be used at a place? It is in scope, its name means nothing else, nothing has taken
//! it on any way, and nothing that lives on borrows from it.

use crate::events::{Cause, CauseKind, ExitOrder, Site};
use crate::index::{Index, Resolved, Scope};
use sessionlint_diagnostics::Span;
use sessionlint_ir::{
    Body, BodyKind, Call, Callee, DropCause, ExitHow, LocalId, Operand, Place, Projection, Rvalue, Signature,
    Statement, StatementKind, TypeRef,
};
use sessionlint_protocols::{Library, Protocol, Standard};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A body and what its names mean.
pub(crate) struct Hands<'a> {
    pub index: &'a Index<'a>,
    pub scope: &'a Scope<'a>,
    pub body: &'a Body,
}

/// How a value borrows from a session.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Borrow {
    /// As a future does: what it gives when it is awaited does not.
    Future,
    /// As long as it lives, and so does what is made of it.
    Lasting,
}

/// Where a body is left, or a function is called, and whether the session of one site is at hand there: on every way, and with
/// nothing that lives on and borrows from it.
#[derive(Default)]
pub(crate) struct Hand {
    tail: Option<bool>,
    exits: BTreeMap<Span, bool>,
    calls: BTreeMap<Span, bool>,
}

impl Hand {
    /// Whether the session is at hand, by the name of its variable, where this happens.
    pub fn holds(&self, cause: &Cause) -> bool {
        let known = match &cause.kind {
            CauseKind::Exit { how: ExitOrder::Tail, .. } => self.tail,
            CauseKind::Exit { .. } => self.exits.get(&cause.span).copied(),
            CauseKind::Meanwhile => self.calls.get(&cause.span).copied(),
            _ => None,
        };
        known.unwrap_or(false)
    }
}

impl Hands<'_> {
    /// The places where the session of a site is at hand. One walk over the body, whatever is asked afterwards.
    pub fn of(&self, site: &Site) -> Hand {
        let mut hand = Hand::default();
        let Some(local) = site.variable else { return hand };
        let name = &self.body.locals[local.index()].name;
        if name.is_none() || self.body.locals.iter().filter(|other| other.name == *name).count() != 1 {
            return hand;
        }
        let protocol = self.index.model.protocol(site.protocol);
        let held = self.held(local, site, protocol);
        let borrows = self.borrowers(local, self.index.model.library(protocol.library));
        let borrowing = |other: &LocalId| {
            *other != local && self.body.locals[other.index()].name.is_some() && borrows.contains(other)
        };
        let nothing_lasts = !borrows.iter().any(borrowing);
        let statements = self.body.statements();
        // The end of the body drops block by block.
        let tail_is_free = !statements.into_iter().any(|statement| match &statement.kind {
            StatementKind::Drop(locals, why) => is_tail(why) && locals.iter().any(borrowing),
            _ => false,
        });
        for (block, held) in self.body.blocks.iter().zip(held) {
            let mut held = held;
            for statement in &block.statements {
                match &statement.kind {
                    StatementKind::Drop(locals, why) if locals.contains(&local) => {
                        if is_tail(why) {
                            hand.tail = Some(hand.tail.unwrap_or(true) && tail_is_free && held);
                        }
                        if matches!(why, DropCause::Exit { .. }) {
                            let free = !locals.iter().any(borrowing);
                            *hand.exits.entry(statement.span).or_insert(true) &= free && held;
                        }
                    }
                    StatementKind::Assign(_, Rvalue::Call(call)) => {
                        *hand.calls.entry(call.name_span).or_insert(true) &= nothing_lasts && held;
                    }
                    _ => {}
                }
                held = self.after(held, statement, local, site, protocol);
            }
        }
        hand
    }

    /// For each block whether the variable holds something at its entry, on every way.
    fn held(&self, local: LocalId, site: &Site, protocol: &Protocol) -> Vec<bool> {
        let mut held = vec![true; self.body.blocks.len()];
        held[0] = self.body.params.contains(&local);
        let mut changed = true;
        while changed {
            changed = false;
            for (index, block) in self.body.blocks.iter().enumerate() {
                let entry = held[index];
                let exit = block
                    .statements
                    .iter()
                    .fold(entry, |held, statement| self.after(held, statement, local, site, protocol));
                for next in block.terminator.successors().filter(|_| !exit) {
                    changed |= std::mem::replace(&mut held[next.index()], false);
                }
            }
        }
        held
    }

    fn after(&self, held: bool, statement: &Statement, local: LocalId, site: &Site, protocol: &Protocol) -> bool {
        match &statement.kind {
            StatementKind::Assign(place, _) if *place == Place::local(local) => true,
            StatementKind::Bind { local: bound, .. } if *bound == local => true,
            StatementKind::Assign(_, value) => held && !self.takes(value, local, site, protocol),
            StatementKind::Bind { from, by_ref, .. } => held && (*by_ref || !is_moved(from, local)),
            StatementKind::Drop(locals, _) => held && !locals.contains(&local),
            StatementKind::Change { .. } => held,
        }
    }

    /// Whether a value is made by moving the variable, or may be.
    fn takes(&self, value: &Rvalue, local: LocalId, site: &Site, protocol: &Protocol) -> bool {
        let moved = |operand: &Operand| matches!(operand, Operand::Value(place) if is_moved(place, local));
        match value {
            Rvalue::Call(call) => {
                let by_receiver = match &call.callee {
                    Callee::Method { receiver: Operand::Value(place), name } if is_moved(place, local) => {
                        name.starts_with("into_")
                            || protocol.endings.iter().any(|end| end.call == *name)
                            || protocol.leaks.contains(name)
                            || protocol.hands_off.contains(name)
                            || site.ended.iter().any(|(end, _)| *end == call.name_span)
                    }
                    Callee::Value(callee) => moved(callee),
                    _ => false,
                };
                by_receiver || (!call.borrows_only && call.args.iter().any(moved))
            }
            Rvalue::Closure { child, .. } => self.captures(*child, local),
            other => operands(other).into_iter().any(moved),
        }
    }

    fn captures(&self, child: usize, local: LocalId) -> bool {
        self.body.children[child].captures.iter().any(|capture| capture.outer == local)
    }

    /// The variables and temporaries that may borrow from a variable.
    fn borrowers(&self, local: LocalId, library: &Library) -> BTreeSet<LocalId> {
        let mut known: Vec<Option<Borrow>> = vec![None; self.body.locals.len()];
        known[local.index()] = Some(Borrow::Lasting);
        let mut changed = true;
        while changed {
            changed = false;
            for statement in self.body.statements() {
                let (to, borrow) = match &statement.kind {
                    StatementKind::Assign(place, value) => (place.local, self.borrow(value, local, &known, library)),
                    StatementKind::Bind { local: bound, from, .. } => (*bound, known[from.local.index()]),
                    StatementKind::Change { .. } | StatementKind::Drop(..) => continue,
                };
                if borrow > known[to.index()] {
                    known[to.index()] = borrow;
                    changed = true;
                }
            }
        }
        let borrowing = (0..).map(LocalId).zip(known).filter(|(_, borrow)| borrow.is_some());
        borrowing.map(|(local, _)| local).collect()
    }

    /// How a value that is made borrows, when others do as they are known to.
    fn borrow(&self, value: &Rvalue, local: LocalId, known: &[Option<Borrow>], library: &Library) -> Option<Borrow> {
        let of = |operand: &Operand| match operand {
            Operand::Value(place) | Operand::Ref { place, .. } => known[place.local.index()],
            Operand::Literal(_) | Operand::Item(_) => None,
        };
        match value {
            Rvalue::Call(call) => {
                let receiver = match &call.callee {
                    Callee::Method { receiver, .. } | Callee::Value(receiver) => of(receiver),
                    Callee::Path { .. } | Callee::Macro(_) => None,
                };
                let borrow = call.args.iter().map(of).max().flatten().max(receiver)?;
                self.given_by(call, borrow, library)
            }
            Rvalue::Await { future, .. } => of(future).filter(|borrow| *borrow == Borrow::Lasting),
            Rvalue::Closure { child, .. } => {
                let inner =
                    self.body.children[*child].captures.iter().map(|capture| known[capture.outer.index()]).max();
                inner.flatten().map(|_| Borrow::Lasting).or(self.captures(*child, local).then_some(Borrow::Lasting))
            }
            other => operands(other).into_iter().map(of).max().flatten(),
        }
    }

    /// How the result of a call borrows that is given something borrowed.
    fn given_by(&self, call: &Call, borrow: Borrow, library: &Library) -> Option<Borrow> {
        let waits = matches!(self.body.kind, BodyKind::AsyncFunction | BodyKind::AsyncClosure);
        match &call.callee {
            Callee::Macro(_) => None,
            Callee::Method { name, .. } => {
                let lists = [&library.handles, &library.prepares, &library.streams];
                let opens = self.index.model.protocols().any(|(_, protocol)| {
                    protocol.is_session() && protocol.openings.iter().any(|opening| opening.call == *name)
                });
                if lists.iter().any(|list| list.contains(name)) || opens {
                    return Some(Borrow::Lasting);
                }
                let owned = [&library.runs_text, &library.writes, &library.reads];
                match owned.iter().any(|list| list.contains(name)) {
                    _ if waits => Some(Borrow::Future),
                    true => None,
                    false => Some(borrow),
                }
            }
            Callee::Path { segments, .. } => match self.declared(segments) {
                Some(signature) if signature.is_async => Some(Borrow::Future),
                Some(signature) if owns(&signature.output, self.index.model.standard()) => None,
                None if waits => Some(Borrow::Future),
                _ => Some(borrow),
            },
            Callee::Value(_) => Some(borrow),
        }
    }

    /// What a function of the workspace says of itself.
    fn declared(&self, segments: &[String]) -> Option<Arc<Signature>> {
        let Some(Resolved::Item(item, rest)) = self.index.resolve(self.scope, segments) else { return None };
        match rest.as_slice() {
            [] => self.index.signature(item),
            [name] => self.index.signature(*self.index.methods(item, name).first()?),
            _ => None,
        }
    }
}

/// Whether something is dropped because the body reaches its end.
fn is_tail(why: &DropCause) -> bool {
    match why {
        DropCause::Exit { how, .. } => *how == ExitHow::Tail,
        DropCause::ScopeEnd { value } => *value == Some(Place::local(Body::RETURN)),
        DropCause::Statement { .. } | DropCause::Jump { .. } => false,
    }
}

/// Whether a place is the variable or a part of it that is moved out; what is behind a reference cannot be.
fn is_moved(place: &Place, local: LocalId) -> bool {
    place.local == local && !place.projection.contains(&Projection::Deref)
}

fn operands(value: &Rvalue) -> Vec<&Operand> {
    match value {
        Rvalue::Use(operand) | Rvalue::Exit(_, _, operand) | Rvalue::Await { future: operand, .. } => vec![operand],
        Rvalue::Aggregate(_, parts) => parts.iter().map(|(_, operand)| operand).collect(),
        Rvalue::Opaque(operands) => operands.iter().collect(),
        Rvalue::Any { of, .. } => vec![of],
        Rvalue::Call(_) | Rvalue::Closure { .. } | Rvalue::Select(_) => Vec::new(),
    }
}

/// Whether a type as it is written borrows nothing; of a result only the success counts.
fn owns(written: &TypeRef, standard: &Standard) -> bool {
    let all = |parts: &[TypeRef]| parts.iter().all(|part| owns(part, standard));
    match written {
        TypeRef::Path { segments, args } => match segments.last().map(String::as_str) {
            Some("Result") => args.first().is_none_or(|first| owns(first, standard)),
            Some(name) => standard.is_lasting(name) && all(args),
            None => false,
        },
        TypeRef::Tuple(parts) => all(parts),
        _ => false,
    }
}
