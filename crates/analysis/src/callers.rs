//! Does everybody who calls a function of the package close the connection that it was lent, when it fails? Then a transaction that it
//! leaves open on the way of an error goes with the connection. What a caller gets from a pool lives on; of what it was lent itself its own
//! callers are asked.

use crate::index::{ItemRef, Ty};
use crate::solver::Solver;
use crate::summary::{Analysis, Asking};
use crate::value::Value;
use crate::world::World;
use sessionlint_diagnostics::FileId;
use sessionlint_ir::{
    AggregateKind, BlockId, Body, Call, Callee, ExitKind, ItemKind, LocalId, Operand, Place, Rvalue, StatementKind,
    Terminator, Test, TypeRef,
};
use sessionlint_protocols::ProtocolKind;

/// So many calls the lender of a connection is looked for.
const MAX_LENDERS: u32 = 5;

/// The calls of one function that were met in a body that calls it.
pub(crate) struct Watched {
    pub callee: ItemRef,
    /// For each: what the caller lends it.
    pub calls: Vec<Lends>,
}

/// What a caller lends a function whose error it passes on.
/// Where several things are lent, the last of these decides.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Lends {
    /// A connection that is closed when the caller leaves with the error.
    Own,
    /// What it was lent itself.
    Lent,
    /// The only connection that is ever taken out of its pool.
    Alone,
    /// Something that lives on, or the caller does not leave.
    Other,
}

impl Watched {
    /// The same calls in a closure or async block.
    pub fn inside(&self) -> Self {
        Self { callee: self.callee, calls: Vec::new() }
    }
}

impl Analysis<'_> {
    /// Whether all callers of a function that only its package can call are known, own the connection that they lend it, and give
    /// up where it fails; or their callers do.
    pub(crate) fn callers_close(&self, item: ItemRef) -> bool {
        self.all_close(item, MAX_LENDERS)
    }

    fn all_close(&self, item: ItemRef, deep: u32) -> bool {
        let callers = self.callers(item);
        deep > 0
            && !callers.is_empty()
            && callers.into_iter().all(|caller| {
                let lends = self.lends(caller, item);
                let passes_on = lends.contains(&Lends::Lent);
                let goes_with_it = |lends: &Lends| matches!(lends, Lends::Own | Lends::Lent);
                !lends.is_empty() && lends.iter().all(goes_with_it) && (!passes_on || self.all_close(caller, deep - 1))
            })
    }

    /// Whether all callers of a function that only its package can call are known, and what they lend it is the only connection that
    /// is ever taken out of its pool: nobody waits for that.
    pub(crate) fn callers_wait_for_nobody(&self, item: ItemRef) -> bool {
        let callers = self.callers(item);
        !callers.is_empty()
            && callers.into_iter().all(|caller| {
                let lends = self.lends(caller, item);
                !lends.is_empty() && lends.iter().all(|lends| *lends == Lends::Alone)
            })
    }

    /// The functions that name a function, of the files that can see it; none for one that other packages can call.
    fn callers(&self, item: ItemRef) -> Vec<ItemRef> {
        let Some(data) = self.index.host.data(item.file) else { return Vec::new() };
        let callee = data.outline.item(item.item);
        let before = data.text.get(callee.span.start as usize..callee.head.start as usize).unwrap_or("pub");
        let of_trait = self.index.impl_of(item).is_some_and(|(_, header)| header.of_trait.is_some());
        let in_trait = callee.parent.is_some_and(|parent| data.outline.item(parent).kind == ItemKind::Trait);
        // What is public in the root of a program is seen by nobody else.
        let is_program = data
            .outline
            .items
            .iter()
            .any(|other| other.kind == ItemKind::Function && other.parent.is_none() && other.name == "main");
        let seen_outside = !is_program && before.split("pub").skip(1).any(|rest| !rest.starts_with('('));
        if seen_outside || of_trait || in_trait {
            return Vec::new();
        }
        // A private one is seen by what is inside of its module, which may be another file.
        let mut files: Vec<FileId> = self.index.package_of(item.file).indexed.to_vec();
        files.push(item.file);
        files.sort();
        files.dedup();
        files.retain(|file| !self.index.is_test_file(*file));
        files.into_iter().flat_map(|file| self.callers_in(file, item, &callee.name)).collect()
    }

    fn callers_in(&self, file: FileId, callee: ItemRef, name: &str) -> Vec<ItemRef> {
        let Some(data) = self.index.host.data(file) else { return Vec::new() };
        if !data.text.contains(name) {
            return Vec::new();
        }
        let names = |id: &sessionlint_ir::ItemId| {
            let other = data.outline.item(*id);
            let body = other.body.and_then(|body| data.text.get(body.start as usize..body.end as usize));
            other.kind == ItemKind::Function
                && (ItemRef { file, item: *id }) != callee
                && !data.outline.is_test(*id)
                && body.is_some_and(|body| calls(body, name))
        };
        data.outline.ids().filter(names).map(|id| ItemRef { file, item: id }).collect()
    }

    fn lends(&self, caller: ItemRef, callee: ItemRef) -> Vec<Lends> {
        let calls = self.asked(caller, &Asking::default(), |mut solver| {
            solver.watched = Some(Watched { callee, calls: Vec::new() });
            let world = solver.parameters(World::default());
            solver.run(world);
            solver.watched.map(|watched| watched.calls)
        });
        calls.unwrap_or_default()
    }
}

impl Solver<'_> {
    /// A call of the function that is watched is met.
    pub(crate) fn watched_call(&mut self, world: &World, item: ItemRef, call: &Call) {
        if self.watched.as_ref().is_none_or(|watched| watched.callee != item) {
            return;
        }
        let is_alone = call.operands().any(|operand| self.has_its_own_pool(operand));
        let lends = match call.operands().filter_map(|operand| self.lent_by(world, operand)).max() {
            _ if is_alone => Lends::Alone,
            Some(lends) if gives_up(self.body, call) => lends,
            _ => Lends::Other,
        };
        if let Some(watched) = &mut self.watched {
            watched.calls.push(lends);
        }
    }

    /// What an operand is for the function that is called: a connection that this body opened outside of any pool, a struct that
    /// it made, or what somebody lends a closure, of which nobody knows where it comes from; `None` for what is no session.
    fn lent_by(&self, world: &World, operand: &Operand) -> Option<Lends> {
        let (Operand::Value(place) | Operand::Ref { place, .. }) = operand else { return None };
        let (place, _) = world.canonical(place);
        let is_param = self.body.params.contains(&place.local) && place.projection.is_empty();
        if self.nested && is_param {
            return Some(Lends::Own);
        }
        let value = world.get(self.index, &place);
        if let Some(id) = self.session_of(world, &value) {
            let site = &self.sites[usize::from(id.site.0)];
            let protocol = self.index.model.protocol(site.protocol);
            let pooled = self.is_pooled(site) || self.pools.contains_key(&id.site);
            let own = protocol.kind == ProtocolKind::Connection && !pooled && !site.borrowed && !site.parameter;
            return Some(if own { Lends::Own } else { Lends::Other });
        }
        match &value {
            Value::Typed(..) | Value::Wrapper(..) | Value::Unknown if is_made_here(self.body, place.local) => {
                Some(Lends::Own)
            }
            Value::Typed(ty, _) => match ty.peeled() {
                // What the caller got by value goes with it.
                Ty::Own(..) if is_param && !self.is_by_reference(place.local) => Some(Lends::Own),
                Ty::Own(..) if is_param => Some(Lends::Lent),
                Ty::Known(protocol) if self.index.model.protocol(*protocol).is_session() => {
                    let pooled = self.index.model.protocol(*protocol).pooled;
                    Some(if is_param && !pooled { Lends::Lent } else { Lends::Other })
                }
                _ => None,
            },
            _ => None,
        }
    }

    /// Whether a parameter is a reference, as it is written.
    fn is_by_reference(&self, local: LocalId) -> bool {
        !matches!(&self.body.locals[local.index()].ty, Some(ty) if !matches!(ty, TypeRef::Ref { .. }))
    }
}

/// Whether a variable is a struct that is put together in this body.
fn is_made_here(body: &Body, local: LocalId) -> bool {
    matches!(body.value_of(&Place::local(local)), Some(Rvalue::Aggregate(AggregateKind::Struct(_), _)))
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
            let carried = |operand: &Operand| matches!(operand, Operand::Value(place) if carriers.contains(place));
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
