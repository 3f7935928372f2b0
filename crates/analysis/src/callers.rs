//! Does everybody who calls a private function close the connection that it was lent, when it fails? Then a transaction that it
//! leaves open on the way of an error goes with the connection. What a caller gets from a pool, or was lent itself, lives on.

use crate::index::ItemRef;
use crate::solver::Solver;
use crate::summary::{Analysis, MAX_CALLS};
use crate::value::Value;
use crate::world::World;
use sessionlint_ir::{
    BlockId, Body, Call, Callee, ExitKind, ItemKind, LocalId, Operand, Place, Rvalue, StatementKind, Terminator, Test,
};
use sessionlint_protocols::ProtocolKind;

/// The calls of one function that were met in a body that calls it.
pub(crate) struct Watched {
    pub callee: ItemRef,
    /// For each: whether the caller closes the connection when it fails.
    pub closes: Vec<bool>,
}

impl Watched {
    /// The same calls in a closure or async block.
    pub fn inside(&self) -> Self {
        Self { callee: self.callee, closes: Vec::new() }
    }
}

impl Analysis<'_> {
    /// Whether all callers of a private function are known, own the connection that they lend it, and give up where it fails.
    pub(crate) fn callers_close(&self, item: ItemRef) -> bool {
        let callers = self.callers_of_private(item);
        !callers.is_empty() && callers.into_iter().all(|caller| self.closes_when_failing(caller, item))
    }

    /// The functions that name a private function, those of the same file; none for one that others can call.
    fn callers_of_private(&self, item: ItemRef) -> Vec<ItemRef> {
        let Some(data) = self.index.host.data(item.file) else { return Vec::new() };
        let callee = data.outline.item(item.item);
        let before = data.text.get(callee.span.start as usize..callee.head.start as usize).unwrap_or("pub");
        let of_trait = self.index.impl_of(item).is_some_and(|(_, header)| header.of_trait.is_some());
        let in_trait = callee.parent.is_some_and(|parent| data.outline.item(parent).kind == ItemKind::Trait);
        if before.contains("pub") || of_trait || in_trait {
            return Vec::new();
        }
        let names = |id: &sessionlint_ir::ItemId| {
            let other = data.outline.item(*id);
            let body = other.body.and_then(|body| data.text.get(body.start as usize..body.end as usize));
            other.kind == ItemKind::Function
                && *id != item.item
                && !data.outline.is_test(*id)
                && body.is_some_and(|body| calls(body, &callee.name))
        };
        data.outline.ids().filter(names).map(|id| ItemRef { file: item.file, item: id }).collect()
    }

    fn closes_when_failing(&self, caller: ItemRef, callee: ItemRef) -> bool {
        let closes = self.asked(caller, MAX_CALLS, |mut solver| {
            solver.watched = Some(Watched { callee, closes: Vec::new() });
            let world = solver.parameters(World::default());
            solver.run(world);
            solver.watched.map(|watched| watched.closes)
        });
        closes.is_some_and(|closes| !closes.is_empty() && closes.into_iter().all(|closes| closes))
    }
}

impl Solver<'_> {
    /// A call of the function that is watched is met.
    pub(crate) fn watched_call(&mut self, world: &World, item: ItemRef, call: &Call) {
        if self.watched.as_ref().is_none_or(|watched| watched.callee != item) {
            return;
        }
        let lent: Vec<Option<bool>> = call.operands().map(|operand| self.is_own_connection(world, operand)).collect();
        let owned = lent.contains(&Some(true)) && !lent.contains(&Some(false));
        let closes = owned && gives_up(self.body, call);
        if let Some(watched) = &mut self.watched {
            watched.closes.push(closes);
        }
    }

    /// Whether an operand is a connection that this body opened outside of any pool, a struct that it made, or what somebody lends
    /// a closure, of which nobody knows where it comes from; `None` for what is none of these and no other session.
    fn is_own_connection(&self, world: &World, operand: &Operand) -> Option<bool> {
        let (Operand::Value(place) | Operand::Ref { place, .. }) = operand else { return None };
        let (place, _) = world.canonical(place);
        if self.nested && self.body.params.contains(&place.local) {
            return Some(true);
        }
        let value = world.get(self.index, &place);
        if let Some(id) = self.session_of(world, &value) {
            let site = &self.sites[usize::from(id.site.0)];
            let protocol = self.index.model.protocol(site.protocol);
            let pooled = protocol.pooled || site.pooled || self.pools.contains_key(&id.site);
            return Some(protocol.kind == ProtocolKind::Connection && !pooled && !site.borrowed && !site.parameter);
        }
        match value {
            Value::Typed(..) | Value::Wrapper(..) | Value::Unknown if is_made_here(self.body, place.local) => {
                Some(true)
            }
            Value::Typed(ty, _) => match ty.peeled() {
                crate::index::Ty::Known(protocol) if self.index.model.protocol(*protocol).is_session() => Some(false),
                _ => None,
            },
            _ => None,
        }
    }
}

/// Whether a variable is a struct that is put together in this body.
fn is_made_here(body: &Body, local: LocalId) -> bool {
    matches!(body.value_of(&Place::local(local)), Some(Rvalue::Aggregate(sessionlint_ir::AggregateKind::Struct(_), _)))
}

/// Whether the caller leaves with the error of a call: `?` behind it, adapters and `.await` between.
fn gives_up(body: &Body, call: &Call) -> bool {
    let is_it = |value: &Rvalue| matches!(value, Rvalue::Call(other) if std::ptr::eq(other, call));
    let Some((result, _)) = body.assignments().find(|(_, value)| is_it(value)) else { return false };
    let mut carriers = vec![result.clone()];
    loop {
        let before = carriers.len();
        for statement in body.statements() {
            let StatementKind::Assign(target, value) = &statement.kind else { continue };
            let from = match value {
                Rvalue::Use(operand) | Rvalue::Exit(_, _, operand) | Rvalue::Await { future: operand, .. } => {
                    Some(operand)
                }
                Rvalue::Call(Call { callee: Callee::Method { receiver, .. }, .. }) => Some(receiver),
                _ => None,
            };
            let carried = |operand: &Operand| match operand {
                Operand::Value(place) => carriers.contains(place),
                _ => false,
            };
            if from.is_some_and(carried) && !carriers.contains(target) {
                carriers.push(target.clone());
            }
        }
        if carriers.len() == before {
            break;
        }
    }
    let asked = body.blocks.iter().any(|block| match &block.terminator {
        Terminator::Test { test: Test::Success(place), yes, no, .. } => {
            carriers.contains(place) && leaves(body, *no, *yes)
        }
        Terminator::Test { test: Test::Failure(place), yes, no, .. } => {
            carriers.contains(place) && leaves(body, *yes, *no)
        }
        _ => false,
    });
    asked || carriers.contains(&Place::local(Body::RETURN))
}

/// Whether every way from a block returns an error, and none comes back to where the other side of the test goes on.
fn leaves(body: &Body, failed: BlockId, worked: BlockId) -> bool {
    let is_end = |at: BlockId| matches!(body.blocks[at.index()].terminator, Terminator::Return);
    let from = |start: BlockId| {
        let blocks = (0..body.blocks.len() as u32).map(BlockId);
        blocks.filter(move |at| *at == start || body.leads_to(start, *at)).filter(move |at| !is_end(*at))
    };
    let on: Vec<BlockId> = from(worked).collect();
    let is_error = |at: BlockId| {
        body.blocks[at.index()]
            .statements
            .iter()
            .any(|statement| matches!(&statement.kind, StatementKind::Assign(_, Rvalue::Exit(ExitKind::Error, ..))))
    };
    from(failed).all(|at| !on.contains(&at)) && from(failed).any(is_error)
}

/// Whether a text calls a function of this name.
fn calls(text: &str, name: &str) -> bool {
    text.match_indices(name).any(|(at, _)| {
        let part = |c: char| c.is_alphanumeric() || c == '_';
        let before = text[..at].chars().next_back();
        let after = text[at + name.len()..].trim_start();
        !before.is_some_and(part) && (after.starts_with('(') || after.starts_with("::<"))
    })
}

#[cfg(test)]
mod tests {
    use super::calls;

    #[test]
    fn a_call_is_a_name_with_a_bracket_behind_it() {
        for text in ["setup(db)", "self.setup (db)?", "x; setup::<A>(db)"] {
            assert!(calls(text, "setup"), "{text}");
        }
        for text in ["setup_all(db)", "resetup(db)", "let setup = 1;", "// setup"] {
            assert!(!calls(text, "setup"), "{text}");
        }
    }
}
