//! Is a pool that is made here made for each call or each turn of a loop, and which limits does it have?

use crate::events::{CauseKind, EventKind};
use crate::index::Ty;
use crate::solver::Solver;
use crate::value::{ObligationId, Origin, Root, SiteId, Value};
use crate::workload::{Deed, Workload};
use crate::world::World;
use sessionlint_diagnostics::{Evidence, Span};
use sessionlint_ir::{BlockId, Body, Call, Callee, ExitKind, Operand, Rvalue, StatementKind, Terminator, Test};
use sessionlint_protocols::{Opening, ProtocolId, ProtocolKind, Source};
use std::collections::{BTreeMap, BTreeSet};

/// The pools that a body makes.
#[derive(Default)]
pub(crate) struct Made {
    /// Where each is made.
    at: BTreeMap<SiteId, BlockId>,
    /// Those that somebody else has afterwards, and those that are closed.
    escaped: BTreeSet<SiteId>,
    /// Those that are dropped on some way.
    dropped: BTreeSet<SiteId>,
    /// Those that are made in a loop, and dropped where that is left with success.
    left: BTreeSet<SiteId>,
    /// Those whose settings are made elsewhere.
    elsewhere: BTreeSet<SiteId>,
    /// Builders that are made here.
    builders: BTreeSet<ProtocolId>,
    /// Builders on which something is set, on some way, that may be another one in the next call.
    differing: BTreeSet<ProtocolId>,
    /// What is set on builders.
    set: BTreeSet<(ProtocolId, String)>,
}

impl Solver<'_> {
    /// A pool or builder is made by a call.
    pub(super) fn make(&mut self, protocol: ProtocolId, opening: &Opening, span: Span) -> Value {
        let known = self.index.model.protocol(protocol);
        if known.kind == ProtocolKind::Builder {
            self.made.builders.insert(protocol);
        }
        let package = self.index.model.library(known.library).crates.first();
        let has_pool = package.is_none_or(|package| {
            self.index.package_of(self.scope.file).has_pool(package, known.pools_with.as_deref())
        });
        if !has_pool || (!known.made_once && known.configured_by.is_none() && !self.thrown.is_making()) {
            return Value::Typed(Ty::Known(protocol), None);
        }
        let site = self.opening_site(protocol, span, Evidence::Traced, None);
        self.made.at.entry(site).or_insert(self.at);
        self.thrown.makes(site);
        if let Source::Method(builder) = opening.source
            && !self.made.builders.contains(&builder)
        {
            self.made.elsewhere.insert(site);
        }
        Value::Typed(Ty::Known(protocol), Some(Origin { root: Root::Made(site), path: Vec::new() }))
    }

    /// What is passed to the call that makes a pool: options that come from elsewhere say what is not seen here.
    pub(super) fn made_with(&mut self, world: &World, args: &[Operand], value: &Value) {
        let mut sites = Vec::new();
        made_sites(value, &mut sites);
        for arg in args {
            let (Operand::Value(place) | Operand::Ref { place, .. }) = arg else { continue };
            let given = world.get(self.index, place);
            let elsewhere = match &given {
                Value::Typed(ty, _) => match ty.peeled() {
                    Ty::Known(protocol) => !self.made.builders.contains(protocol),
                    Ty::Own(_, _) => true,
                    _ => false,
                },
                _ => false,
            };
            if elsewhere {
                self.made.elsewhere.extend(sites.iter().copied());
            }
        }
    }

    /// A method of a builder sets something.
    pub(super) fn set_on_builder(&mut self, protocol: ProtocolId, name: &str) -> bool {
        let known = self.index.model.protocol(protocol);
        let sets = known.settings.iter().any(|setting| setting.call == name);
        if sets {
            self.made.set.insert((protocol, name.to_owned()));
        }
        sets
    }

    /// A method of a builder is called that may say something else in the next call: what is built of it is not the same each time.
    pub(super) fn differs(&mut self, protocol: ProtocolId) {
        if self.index.model.protocol(protocol).kind == ProtocolKind::Builder {
            self.made.differing.insert(protocol);
        }
    }

    /// A builder is handed to other code by reference, which may set anything.
    pub(super) fn builder_passed(&mut self, world: &World, value: &Value) {
        let Value::Ref(place) = value else { return };
        if let Value::Typed(ty, _) = world.get(self.index, place)
            && let Ty::Known(protocol) = ty.peeled()
        {
            self.made.builders.remove(protocol);
        }
    }

    /// Somebody else has a pool that was made here.
    pub(super) fn pool_escapes(&mut self, value: &Value) {
        let mut sites = Vec::new();
        made_sites(value, &mut sites);
        self.thrown.hand_on(&sites);
        self.made.escaped.extend(sites);
    }

    /// The value of a local is dropped: a pool that was made here, perhaps.
    pub(super) fn drop_made(&mut self, world: &World, value: &Value, kind: CauseKind, span: Span) {
        let Value::Typed(Ty::Known(protocol), Some(Origin { root: Root::Made(site), path })) = value else { return };
        let known = self.index.model.protocol(*protocol);
        if !path.is_empty() || !known.made_once {
            return;
        }
        let made = self.made.at.get(site).copied().unwrap_or(self.at);
        let in_loop = self.body.leads_to(made, self.at) && self.body.leads_to(self.at, made);
        let id = ObligationId { site: *site, second: false };
        if in_loop {
            if made_of_the_same(self.body, self.sites[usize::from(site.0)].span) {
                self.event(world, EventKind::MadePerCall { in_loop: true }, id, kind, span, None);
            }
            return;
        }
        if self.body.leads_to(made, made) && kind.exit_kind() != ExitKind::Error {
            self.made.left.insert(*site);
        }
        if self.nested {
            return;
        }
        self.made.dropped.insert(*site);
        if known.needs_end && kind.exit_kind() != ExitKind::Error && !self.gives_one_of(*protocol) {
            self.event(world, EventKind::PoolDropped, id, kind.clone(), span, None);
        }
        // What the request says, this one is made of.
        let of = || self.made_of(self.sites[usize::from(site.0)].span);
        if self.handler && !of().into_iter().any(|param| self.is_of_a_request(param)) {
            self.event(world, EventKind::MadePerCall { in_loop: false }, id, kind, span, None);
        }
    }

    /// A function that is called makes a pool and drops it.
    pub(super) fn makes(&mut self, world: &World, protocol: ProtocolId, of: &[usize], way: &[Span]) {
        if self.handler && !self.nested && !of.iter().any(|param| self.is_of_a_request(*param)) {
            let site = self.opening_site(protocol, way[0], Evidence::Inferred, None);
            self.meanwhile(world, EventKind::MadePerCall { in_loop: false }, ObligationId { site, second: false }, way);
        }
    }

    /// The pools that a body makes for its callers, and drops: what one of its ways stores, gives or closes was made for more.
    pub(crate) fn made_for_nothing(&mut self) {
        for site in self.made.dropped.difference(&self.made.escaped) {
            let site = &self.sites[usize::from(site.0)];
            if self.index.model.protocol(site.protocol).made_here_only {
                continue;
            }
            let (protocol, span) = (site.protocol, site.span);
            let of = if self.nested { Vec::new() } else { self.made_of(span) };
            self.done.add(Deed::Makes { protocol, of }, vec![span]);
        }
    }

    /// A pool is closed: it was meant to last no longer.
    pub(super) fn pool_closed(&mut self, world: &World, target: &Value) {
        if let Some((_, Origin { root: Root::Made(site), path })) = self.pool_of(world, target)
            && path.is_empty()
        {
            self.made.escaped.insert(site);
        }
    }

    /// Whether the body gives connections of a pool's kind: one that was taken from the pool keeps it.
    fn gives_one_of(&self, pool: ProtocolId) -> bool {
        let given = self.body.output.as_ref().and_then(|written| self.index.ty(&self.scope, written).known_inside());
        given.is_some_and(|given| {
            let openings = &self.index.model.protocol(given).openings;
            openings.iter().any(|opening| opening.source == Source::Method(pool))
        })
    }

    /// What is known at the end: a pool that somebody else has is not made for nothing, and limits that are not set.
    pub(crate) fn settings(&mut self) {
        let escaped = std::mem::take(&mut self.made.escaped);
        let drops_pool = self.events.keys().any(|(kind, ..)| *kind == EventKind::PoolDropped);
        let keeps = drops_pool && self.keeps_what_it_makes();
        let probes: BTreeSet<SiteId> =
            self.made.left.iter().copied().filter(|site| self.is_tried_again(*site)).collect();
        let (model, sites, differing) = (self.index.model, &self.sites, &self.made.differing);
        let differs = |site: &SiteId| {
            let openings = &model.protocol(sites[usize::from(site.0)].protocol).openings;
            openings.iter().any(|known| matches!(known.source, Source::Method(by) if differing.contains(&by)))
        };
        self.events.retain(|(kind, site, _), _| match kind {
            EventKind::PoolDropped => !keeps && !escaped.contains(site),
            EventKind::MadePerCall { in_loop } => {
                !(escaped.contains(site) || differs(site) || (*in_loop && probes.contains(site)))
            }
            _ => true,
        });
        let here = self.made.at.keys().filter(|site| !self.made.elsewhere.contains(site));
        let sites: Vec<SiteId> = here.copied().collect();
        for site in sites {
            let protocol = self.sites[usize::from(site.0)].protocol;
            let Some(builder) = self.index.model.protocol(protocol).configured_by else { continue };
            let settings = &self.index.model.protocol(builder).settings;
            let is_set = |call: &String| self.made.set.contains(&(builder, call.clone()));
            let missing: Vec<(String, String)> = settings
                .iter()
                .filter(|setting| !is_set(&setting.call))
                .map(|setting| (setting.sets.clone(), setting.default.clone()))
                .collect();
            if !missing.is_empty() {
                let span = self.sites[usize::from(site.0)].span;
                let id = ObligationId { site, second: false };
                self.event(&World::default(), EventKind::Settings { missing }, id, CauseKind::Meanwhile, span, None);
            }
        }
    }

    /// A call that opens a session and must not be cancelled does so when it is polled.
    pub(super) fn begins(&mut self, protocol: ProtocolId, opening: &Opening, span: Span) -> Workload {
        match &opening.cancel_unsafe {
            Some(hole) if self.index.package_of(self.scope.file).has_hole(hole) => {
                Workload::one(Deed::Begins(protocol), span)
            }
            _ => Workload::default(),
        }
    }

    /// A future may be cancelled before its end. What is more than `calls` calls away does not count: services that run
    /// until the program ends are raced against its end.
    pub(super) fn cancelled(&mut self, world: &World, future: &Value, by: &str, calls: usize) {
        let Some(inside) = self.inside(future).cloned() else { return };
        for (deed, way) in &inside.0 {
            let Deed::Begins(protocol) = deed else { continue };
            if way.len() > calls + 1 {
                continue;
            }
            let site = self.opening_site(*protocol, way[0], Evidence::Inferred, None);
            let kind = EventKind::CancelUnsafe { by: by.to_owned() };
            self.meanwhile(world, kind, ObligationId { site, second: false }, way);
        }
    }
}

impl Solver<'_> {
    /// Whether a pool that cannot be made is made again in the next turn of the loop around: it is waited for its server.
    fn is_tried_again(&self, site: SiteId) -> bool {
        let (Some(made), span) = (self.made.at.get(&site).copied(), self.sites[usize::from(site.0)].span) else {
            return false;
        };
        // What the call gives, and what is made of that: a future, with a time limit say, and its output.
        let standard = self.index.model.standard();
        let mut results = BTreeSet::new();
        loop {
            let before = results.len();
            for (place, value) in self.body.assignments() {
                let is_result = |operand: &Operand| operand.local().is_some_and(|local| results.contains(&local));
                let is_one = match value {
                    Rvalue::Call(call) => {
                        let hands_on = match &call.callee {
                            Callee::Method { receiver, name } => standard.adapts(name) && is_result(receiver),
                            Callee::Path { .. } => call.args.iter().any(is_result),
                            Callee::Macro(_) | Callee::Value(_) => false,
                        };
                        call.name_span == span || hands_on
                    }
                    Rvalue::Use(operand) | Rvalue::Await { future: operand, .. } => is_result(operand),
                    _ => false,
                };
                if is_one {
                    results.insert(place.local);
                }
            }
            if results.len() == before {
                break;
            }
        }
        self.body.blocks.iter().any(|block| match &block.terminator {
            Terminator::Test { test: Test::Success(place), no: failed, .. }
            | Terminator::Test { test: Test::Failure(place), yes: failed, .. } => {
                results.contains(&place.local) && self.body.leads_to(*failed, made)
            }
            _ => false,
        })
    }
}

/// The sites of pools that were made here, in a value.
fn made_sites(value: &Value, found: &mut Vec<SiteId>) {
    match value {
        Value::Typed(Ty::Known(_), Some(Origin { root: Root::Made(site), path })) if path.is_empty() => {
            found.push(*site);
        }
        Value::Future(inner)
        | Value::Fallible(inner)
        | Value::Success(inner)
        | Value::Exit(_, _, inner)
        | Value::Work(_, inner)
        | Value::Wrapper(_, _, inner) => made_sites(inner, found),
        Value::Tuple(parts) => parts.iter().for_each(|part| made_sites(part, found)),
        _ => {}
    }
}

/// Whether the call at a place in a loop is given the same arguments each time, as far as can be seen.
fn made_of_the_same(body: &Body, span: Span) -> bool {
    let calls = body.blocks.iter().enumerate().flat_map(|(index, block)| {
        block.statements.iter().filter_map(move |statement| match &statement.kind {
            StatementKind::Assign(_, Rvalue::Call(call)) if call.name_span == span => Some((index, call)),
            _ => None,
        })
    });
    let Some((block, call)) = calls.into_iter().next() else { return false };
    let around = BlockId(block as u32);
    let in_loop = |other: BlockId| body.leads_to(around, other) && body.leads_to(other, around);
    let is_set_inside = |operand: &Operand| match operand {
        Operand::Value(place) | Operand::Ref { place, .. } => body.blocks.iter().enumerate().any(|(index, block)| {
            in_loop(BlockId(index as u32))
                && block.statements.iter().any(|statement| match &statement.kind {
                    StatementKind::Assign(target, _) => target.local == place.local,
                    StatementKind::Bind { local, .. } | StatementKind::Change { local, .. } => *local == place.local,
                    StatementKind::Drop(..) => false,
                })
        }),
        Operand::Literal(_) | Operand::Item(_) => false,
    };
    let Call { args, .. } = call;
    !args.iter().any(is_set_inside)
}

/// Whether an argument is written in place and made of constants alone: the same in every call.
pub(super) fn is_constant(body: &Body, operand: &Operand) -> bool {
    let (Operand::Value(place) | Operand::Ref { place, .. }) = operand else { return true };
    let mut values = body.assignments().filter(|(target, _)| target.local == place.local).map(|(_, value)| value);
    let (Some(value), None) = (values.next(), values.next()) else { return false };
    body.locals[place.local.index()].name.is_none()
        && match value {
            Rvalue::Use(inner) => is_constant(body, inner),
            Rvalue::Call(call) => {
                !matches!(call.callee, Callee::Value(_) | Callee::Macro(_))
                    && call.operands().all(|inner| is_constant(body, inner))
            }
            Rvalue::Aggregate(_, parts) => parts.iter().all(|(_, inner)| is_constant(body, inner)),
            Rvalue::Closure { child, .. } => body.children[*child].captures.is_empty(),
            _ => false,
        }
}
