//! Does everybody who calls a function of the package close the connection that it was lent, when it fails? Then a transaction that it
//! leaves open on the way of an error goes with the connection. What a caller gets from a pool lives on; of what it was lent itself its own
//! callers are asked.

use crate::index::{ItemRef, Ty};
use crate::question::{About, Asking};
use crate::solver::Solver;
use crate::summary::Analysis;
use crate::value::{Layer, Value};
use crate::world::World;
use sessionlint_diagnostics::{FileId, Span};
use sessionlint_ir::{
    AggregateKind, BlockId, Body, Call, Callee, ExitKind, ItemKind, LocalId, Operand, Place, Rvalue, Signature,
    StatementKind, Terminator, Test, TypeRef,
};
use sessionlint_protocols::{ProtocolId, ProtocolKind, Wraps};
use std::collections::{BTreeMap, BTreeSet};

/// So many calls the lender of a connection is looked for.
const MAX_LENDERS: u32 = 5;

/// The calls of one function that were met in a body that calls it.
pub(crate) struct Watched {
    pub callee: ItemRef,
    /// For each: what the caller lends it.
    pub calls: Vec<Lends>,
    /// The calls of which it is known which function is called, and which one.
    pub met: Met,
    /// The closures that it is passed, where it is asked for these.
    pub passed: Option<PassedClosures>,
    /// Whether nothing is asked but which functions are called: what they do is not looked at.
    pub names_only: bool,
}

/// What the closures do that callers pass for a parameter.
pub(crate) struct PassedClosures {
    pub param: usize,
    pub lent: LentToClosure,
    /// Whether one of them writes through what it is lent.
    pub writes: bool,
    /// The parameters of the caller itself that it passes.
    pub handed_on: Vec<usize>,
}

/// A session that a closure is called with.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LentToClosure {
    /// Which of its parameters that is.
    pub nth: usize,
    pub protocol: ProtocolId,
    /// What stands around it.
    pub layers: Vec<Layer>,
}

/// The parameters of a function that are closures, as a body of it sees them.
#[derive(Default)]
pub(crate) struct ClosureParameters {
    /// The variables of a closure or async block that it captures.
    pub captured: BTreeMap<LocalId, (ItemRef, usize)>,
    /// Whether a caller's closure writes through what it is lent, where that was asked.
    pub asked: BTreeMap<(usize, LentToClosure), bool>,
}

/// The functions of the workspace that are called at a place.
pub(crate) type Met = BTreeMap<Span, BTreeSet<ItemRef>>;

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
        let passed = self.passed.as_ref().map(|passed| PassedClosures::of(passed.param, passed.lent.clone()));
        Self { callee: self.callee, calls: Vec::new(), met: Met::new(), passed, names_only: self.names_only }
    }

    /// The calls of a function that is passed a closure.
    pub fn closures(callee: ItemRef, param: usize, lent: LentToClosure) -> Self {
        let passed = Some(PassedClosures::of(param, lent));
        Self { callee, calls: Vec::new(), met: Met::new(), passed, names_only: false }
    }

    /// What was met inside of a closure or async block.
    pub fn add(&mut self, inside: Watched) {
        self.calls.extend(inside.calls);
        inside.met.into_iter().for_each(|(at, items)| self.met.entry(at).or_default().extend(items));
        if let (Some(passed), Some(inside)) = (&mut self.passed, inside.passed) {
            passed.writes |= inside.writes;
            passed.handed_on.extend(inside.handed_on);
        }
    }
}

impl PassedClosures {
    fn of(param: usize, lent: LentToClosure) -> Self {
        Self { param, lent, writes: false, handed_on: Vec::new() }
    }
}

impl Analysis<'_> {
    /// Whether all callers of a function that only its package can call are known, own the connection that they lend it, and give
    /// up where it fails; or their callers do.
    pub(crate) fn callers_close(&self, item: ItemRef) -> bool {
        self.index.noted(
            About::CallersClose(item),
            |close| u128::from(*close),
            || self.all_close(item, MAX_LENDERS),
            |_| true,
        )
    }

    fn all_close(&self, item: ItemRef, deep: u32) -> bool {
        deep > 0
            && self.all_lend(item, |caller, lends| {
                let passes_on = lends.contains(&Lends::Lent);
                let goes_with_it = |lends: &Lends| matches!(lends, Lends::Own | Lends::Lent);
                lends.iter().all(goes_with_it) && (!passes_on || self.all_close(caller, deep - 1))
            })
    }

    /// Whether all callers of a function that only its package can call are known, and what they lend it is the only connection that
    /// is ever taken out of its pool: nobody waits for that.
    pub(crate) fn callers_wait_for_nobody(&self, item: ItemRef) -> bool {
        let wait = || self.all_lend(item, |_, lends| lends.iter().all(|lends| *lends == Lends::Alone));
        self.index.noted(About::CallersWait(item), |wait| u128::from(*wait), wait, |_| true)
    }

    /// Whether there are callers, and something holds for what each of them lends.
    fn all_lend(&self, item: ItemRef, holds: impl Fn(ItemRef, &[Lends]) -> bool) -> bool {
        let mut is_called = false;
        self.callers(item).into_iter().all(|caller| {
            let lends = self.lends(caller, item);
            is_called |= !lends.is_empty();
            lends.is_empty() || holds(caller, &lends)
        }) && is_called
    }

    /// The functions that name a function, of the files that can see it; none for one that other packages can call, or that is called as
    /// what a trait declares.
    fn callers(&self, item: ItemRef) -> Vec<ItemRef> {
        let Some(callee) = self.index.item(item).filter(|_| self.is_called_by_its_package(item)) else {
            return Vec::new();
        };
        self.index.reads_package(item.file);
        // A private one is seen by what is inside of its module, which may be another file.
        let mut files: Vec<FileId> = self.index.package_of(item.file).indexed.to_vec();
        files.push(item.file);
        files.sort();
        files.dedup();
        files.retain(|file| !self.index.is_test_file(*file));
        files.into_iter().flat_map(|file| self.callers_in(file, item, &callee.name)).collect()
    }

    /// Whether only its package can call a function, and not as what a trait declares.
    pub(crate) fn is_called_by_its_package(&self, item: ItemRef) -> bool {
        let parent = self.index.item(item).and_then(|callee| callee.parent);
        let parent = parent.map(|parent| ItemRef { file: item.file, item: parent });
        let seen_outside = match parent.and_then(|parent| self.index.item(parent)).map(|parent| parent.kind) {
            // What a trait provides is seen where the trait is.
            Some(ItemKind::Trait) => parent.is_none_or(|parent| self.index.is_seen_outside(parent)),
            None | Some(ItemKind::Module) => self.index.is_seen_outside(item),
            Some(_) => self.index.is_public(item),
        };
        let of_trait = self.index.impl_of(item).is_some_and(|(_, header)| header.of_trait.is_some());
        !seen_outside && !of_trait
    }

    /// The functions of the workspace that a function calls, where it is known which they are.
    pub(crate) fn met(&self, item: ItemRef) -> Met {
        let met = self.asked(item, &Asking::default(), |mut solver| {
            solver.watched =
                Some(Watched { callee: item, calls: Vec::new(), met: Met::new(), passed: None, names_only: true });
            let world = solver.parameters(World::default());
            solver.look(world);
            solver.watched.map(|watched| watched.met)
        });
        met.unwrap_or_default()
    }

    /// The functions of a file, other than the callee, that name a function in a call.
    pub(crate) fn callers_in(&self, file: FileId, callee: ItemRef, name: &str) -> Vec<ItemRef> {
        self.index.reads_package(file);
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
                && body.is_some_and(|body| called_in(body, name).next().is_some())
        };
        data.outline.ids().filter(names).map(|id| ItemRef { file, item: id }).collect()
    }

    /// What a function that names another one lends it, call by call; nothing where it only calls others of that name.
    fn lends(&self, caller: ItemRef, callee: ItemRef) -> Vec<Lends> {
        let calls = self.asked(caller, &Asking::default(), |mut solver| {
            solver.watched =
                Some(Watched { callee, calls: Vec::new(), met: Met::new(), passed: None, names_only: false });
            let world = solver.parameters(World::default());
            solver.run(world);
            let Watched { mut calls, met, .. } = solver.watched?;
            let (named, signature) = (self.index.item(callee)?, self.index.signature(callee)?);
            let mut called = Vec::new();
            calls_of(solver.body, &named.name, &mut called);
            // Of which it is not known where they lead.
            let unknown = |call: &&&Call| !met.contains_key(&call.name_span) && may_be_of(call, &signature);
            calls.extend(called.iter().filter(unknown).map(|_| Lends::Other));
            let seen: BTreeSet<Span> = called.iter().map(|call| call.name_span).collect();
            let written = self.index.item_text(caller, |item| item.body.unwrap_or(item.head));
            if written.is_none_or(|(text, _)| calls.is_empty() && called_in(text, &named.name).count() > seen.len()) {
                calls.push(Lends::Other);
            }
            Some(calls)
        });
        calls.unwrap_or_else(|| vec![Lends::Other])
    }
}

impl Solver<'_> {
    /// A call of the function that is watched is met.
    pub(crate) fn watched_call(&mut self, world: &World, item: ItemRef, call: &Call) {
        let Some(watched) = &mut self.watched else { return };
        if watched.passed.is_some() {
            return self.watched_closure(world, item, call);
        }
        watched.met.entry(call.name_span).or_default().insert(item);
        if watched.callee != item {
            return;
        }
        let is_alone = call.operands().any(|operand| self.has_its_own_pool(operand));
        // What can hold no connection is asked only where nothing else is lent.
        let lent = |holders| call.operands().filter_map(|operand| self.lent_by(world, operand, holders)).max();
        let lends = match lent(true).or_else(|| lent(false)) {
            _ if is_alone => Lends::Alone,
            Some(lends) if self.gives_up(call) => lends,
            _ => Lends::Other,
        };
        if let Some(watched) = &mut self.watched {
            watched.calls.push(lends);
        }
    }

    /// What an operand is for the function that is called: a connection that this body opened outside of any pool, a struct that
    /// it made, or what somebody lends a closure, of which nobody knows where it comes from; `None` for what is no session, nor, with
    /// `holders`, a struct that may hold one.
    fn lent_by(&self, world: &World, operand: &Operand, holders: bool) -> Option<Lends> {
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
                Ty::Own(..) if holders && !self.index.may_hold(ty) => None,
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

    /// Whether the caller leaves with the error of a call: `?` behind it, adapters and `.await` between.
    fn gives_up(&self, call: &Call) -> bool {
        let (body, standard) = (self.body, self.index.model.standard());
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
                    // `Box::pin(..)`
                    Rvalue::Call(Call { callee: Callee::Path { segments, .. }, args, .. }) => {
                        let owner = segments.iter().nth_back(1);
                        args.first().filter(|_| owner.is_some_and(|owner| standard.wraps(owner) == Some(Wraps::Owned)))
                    }
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

    /// Whether a parameter is a reference, as it is written.
    fn is_by_reference(&self, local: LocalId) -> bool {
        !matches!(&self.body.locals[local.index()].ty, Some(ty) if !matches!(ty, TypeRef::Ref { .. }))
    }
}

/// Whether a variable is a struct that is put together in this body.
fn is_made_here(body: &Body, local: LocalId) -> bool {
    matches!(body.value_of(&Place::local(local)), Some(Rvalue::Aggregate(AggregateKind::Struct(_), _)))
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

/// The calls of functions of this name in a body and those inside of it.
fn calls_of<'b>(body: &'b Body, name: &str, found: &mut Vec<&'b Call>) {
    let called = |call: &Call| match &call.callee {
        Callee::Path { segments, .. } => segments.last().is_some_and(|last| last == name),
        Callee::Method { name: method, .. } => method == name,
        Callee::Macro(_) | Callee::Value(_) => false,
    };
    found.extend(body.assignments().filter_map(|(_, value)| match value {
        Rvalue::Call(call) => Some(call).filter(|call| called(call)),
        _ => None,
    }));
    body.children.iter().for_each(|child| calls_of(child, name, found));
}

/// Whether a call gives as many arguments as a function takes.
pub(crate) fn may_be_of(call: &Call, signature: &Signature) -> bool {
    match &call.callee {
        Callee::Method { .. } => signature.has_receiver && call.args.len() + 1 == signature.params.len(),
        _ => call.args.len() == signature.params.len(),
    }
}

/// Where a text calls a function of this name.
pub(crate) fn called_in<'t>(text: &'t str, name: &str) -> impl Iterator<Item = usize> + use<'t> {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    let length = name.len();
    let found: Vec<usize> = text.match_indices(name).map(|(at, _)| at).collect();
    found.into_iter().filter(move |at| {
        let before = text[..*at].chars().next_back();
        let after = text[at + length..].trim_start();
        !before.is_some_and(part) && (after.starts_with('(') || after.starts_with("::<"))
    })
}

#[cfg(test)]
mod tests {
    use super::called_in;

    #[test]
    fn a_call_is_a_name_with_a_bracket_behind_it() {
        for text in ["setup(db)", "self.setup (db)?", "x; setup::<A>(db)"] {
            assert_eq!(called_in(text, "setup").count(), 1, "{text}");
        }
        for text in ["setup_all(db)", "resetup(db)", "let setup = 1;", "// setup"] {
            assert_eq!(called_in(text, "setup").count(), 0, "{text}");
        }
    }
}
