//! Is a connection the only one that is ever taken out of its pool? Then nobody waits for it, however long it is kept.

use crate::events::SiteId;
use crate::solver::Solver;
use crate::value::{Origin, Root};
use sessionlint_diagnostics::Span;
use sessionlint_ir::{BlockId, Call, Callee, LocalId, Operand, Place, Projection, Rvalue, StatementKind};
use sessionlint_protocols::ProtocolKind;
use std::collections::BTreeSet;

/// How many steps back it is looked where a value comes from.
const MAX_STEPS: usize = 16;

impl Solver<'_> {
    /// Whether an operand is a connection, or a share of one, whose pool is made here for it and goes nowhere else.
    pub(crate) fn has_its_own_pool(&self, operand: &Operand) -> bool {
        let Some(local) = operand.local() else { return false };
        self.made_by(local).is_some_and(|(block, call, _)| self.is_alone_at(block, call))
    }

    /// The same for the connection that is taken at a place.
    pub(crate) fn is_alone(&self, span: Span) -> bool {
        self.calls().any(|(block, _, call)| call.name_span == span && self.is_alone_at(block, call))
    }

    /// Whether a call takes a connection, once, of a pool, or something around one, that is made here and asked for nothing else.
    fn is_alone_at(&self, block: BlockId, call: &Call) -> bool {
        let taken = (0..).map(SiteId).zip(&self.sites).filter(|(_, site)| {
            site.span == call.name_span && self.index.model.protocol(site.protocol).kind == ProtocolKind::Connection
        });
        let mut pools = taken.filter_map(|(id, _)| self.pools.get(&id));
        let Some(Origin { root, .. }) = pools.next() else { return false };
        let Callee::Method { receiver, .. } = &call.callee else { return false };
        let Some(pool) = receiver.local().filter(|_| !self.body.leads_to(block, block)) else { return false };
        let Some((made, maker, mut holders)) = self.made_by(pool) else { return false };
        // What it is a part of has an owner elsewhere.
        let is_whole = |operand: &Operand| match operand {
            Operand::Value(place) | Operand::Ref { place, .. } => place.projection.is_empty(),
            _ => true,
        };
        if !is_whole(receiver) || self.body.leads_to(made, made) {
            return false;
        }
        self.same_things(&mut holders);
        // A stream is taken of the pool that it is passed.
        let is_asked = match root {
            Root::Made(site) => self.sites[usize::from(site.0)].span == maker.name_span,
            Root::Local(local) => holders.contains(local),
            Root::Param(_) | Root::Item(_) => false,
        };
        if !is_asked {
            return false;
        }
        let holds = |operand: &Operand| held_by(operand).is_some_and(|local| holders.contains(&local));
        let captured =
            |child: usize| self.body.children[child].captures.iter().any(|capture| holders.contains(&capture.outer));
        !self.body.assignments().any(|(to, value)| match value {
            Rvalue::Call(other) if std::ptr::eq(other, call) || std::ptr::eq(other, maker) => false,
            Rvalue::Closure { child, .. } => captured(*child),
            value => value.operands().into_iter().any(holds) && !holders.contains(&to.local),
        })
    }

    fn calls(&self) -> impl Iterator<Item = (BlockId, LocalId, &Call)> {
        (0..).map(BlockId).zip(&self.body.blocks).flat_map(|(at, block)| {
            block.statements.iter().filter_map(move |statement| match &statement.kind {
                StatementKind::Assign(to, Rvalue::Call(call)) => Some((at, to.local, call)),
                _ => None,
            })
        })
    }

    /// The call that gives what a variable holds, behind what only carries it on, and the variables on the way.
    fn made_by(&self, local: LocalId) -> Option<(BlockId, &Call, BTreeSet<LocalId>)> {
        let (mut at, mut holders) = (local, BTreeSet::new());
        for _ in 0..MAX_STEPS {
            let is_given = |local: LocalId| {
                self.body.params.contains(&local) || self.body.captures.iter().any(|capture| capture.inner == local)
            };
            if is_given(at) || !holders.insert(at) {
                return None;
            }
            if let Some((block, _, call)) = self.calls().find(|(_, to, _)| *to == at) {
                match self.carried(call) {
                    Some(from) => at = from,
                    None => return Some((block, call, holders)),
                }
                continue;
            }
            at = self.body.statements().find_map(|statement| match &statement.kind {
                StatementKind::Bind { local, from, .. } if *local == at => Some(from.local),
                StatementKind::Assign(to, Rvalue::Use(operand) | Rvalue::Await { future: operand, .. })
                    if to.local == at =>
                {
                    operand.local()
                }
                _ => None,
            })?;
        }
        None
    }

    /// What a call only carries on: the content of a result, with another error, or what is shared by a pointer.
    fn carried(&self, call: &Call) -> Option<LocalId> {
        let standard = self.index.model.standard();
        match &call.callee {
            Callee::Method { receiver, name } => {
                let carries = standard.opens(name)
                    || standard.adapts(name)
                    || self.index.opens_result(self.scope.file, name)
                    || (call.args.is_empty() && (name == "clone" || name.starts_with("into_")));
                receiver.local().filter(|_| carries)
            }
            Callee::Path { segments, .. } => match (segments.as_slice(), call.args.as_slice()) {
                ([.., owner, _], [only]) if standard.wraps(owner).is_some() => only.local(),
                _ => None,
            },
            Callee::Macro(_) | Callee::Value(_) => None,
        }
    }

    /// The variables that hold the very thing that some variables hold.
    fn same_things(&self, holders: &mut BTreeSet<LocalId>) {
        loop {
            let before = holders.len();
            for statement in self.body.statements() {
                let (to, from) = match &statement.kind {
                    StatementKind::Bind { local, from, .. } => (*local, held_at(from)),
                    StatementKind::Assign(to, Rvalue::Use(operand)) if to.projection.is_empty() => {
                        (to.local, held_by(operand))
                    }
                    _ => continue,
                };
                if from.is_some_and(|from| holders.contains(&from)) {
                    holders.insert(to);
                }
            }
            if holders.len() == before {
                return;
            }
        }
    }
}

/// The variable that an operand is, or a part of one; none for the error of a result, in which nothing is.
fn held_by(operand: &Operand) -> Option<LocalId> {
    match operand {
        Operand::Value(place) | Operand::Ref { place, .. } => held_at(place),
        _ => None,
    }
}

fn held_at(place: &Place) -> Option<LocalId> {
    (place.projection.first() != Some(&Projection::Failure)).then_some(place.local)
}
