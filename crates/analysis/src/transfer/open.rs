//! Where does a session begin?

use crate::events::Site;
use crate::solver::Solver;
use crate::value::{Anchor, ObligationId, Origin, SiteId, Value};
use crate::workload::{Deed, Workload};
use crate::world::World;
use sessionlint_diagnostics::{Evidence, Span};
use sessionlint_ir::{Place, Projection};
use sessionlint_protocols::{Opening, ProtocolId, Shape, Source};

impl Solver<'_> {
    pub(crate) fn opening_site(
        &mut self,
        protocol: ProtocolId,
        span: Span,
        evidence: Evidence,
        anchor: Option<(&Anchor, &World)>,
    ) -> SiteId {
        let mut site = Site {
            span,
            name: None,
            variable: None,
            protocol,
            evidence,
            layers: Vec::new(),
            own_end: None,
            borrowed: false,
            raw: false,
            keeps_failed_commit: false,
            parameter: false,
            on_borrowed: false,
            pooled: false,
            nested: false,
            on_own_file: false,
            apart: false,
            ended: Vec::new(),
            taken: false,
            handed_on: false,
            used: false,
        };
        let pool = match anchor {
            Some((Anchor::Obligation(id), _)) => self.pools.get(&id.site).cloned(),
            _ => None,
        };
        match anchor {
            Some((Anchor::Obligation(id), _)) => {
                let connection = &self.sites[usize::from(id.site.0)];
                site.name = connection.name.clone();
                site.variable = connection.variable;
                site.on_borrowed = connection.borrowed;
                // What is detached is closed when it is dropped.
                let kept = !self.detached.contains_key(&id.site);
                site.pooled = self.is_pooled(connection) && kept;
            }
            Some((Anchor::Place(place), _)) => {
                site.name = self.body.locals[place.local.index()].name.as_ref().map(|name| name_of(name, place));
                site.variable = Some(place.local);
                site.on_borrowed = true;
            }
            None => {}
        }
        let site = self.site(site);
        self.pools.extend(pool.map(|pool| (site, pool)));
        site
    }

    /// Whether a connection goes back to a pool.
    pub(crate) fn is_pooled(&self, site: &Site) -> bool {
        (self.index.model.protocol(site.protocol).pooled && !site.apart) || site.pooled
    }

    /// A stream of rows holds a connection of the pool from its first row until it is dropped.
    pub(crate) fn stream(
        &mut self,
        world: &mut World,
        pool: ProtocolId,
        origin: &Origin,
        name: &str,
        span: Span,
    ) -> Option<Value> {
        let model = self.index.model;
        let library = model.library(model.protocol(pool).library);
        library.streams.iter().any(|stream| stream == name).then_some(())?;
        let (connection, _) = model.protocols().find(|(_, known)| {
            known.pooled && known.openings.iter().any(|opening| opening.source == Source::Method(pool))
        })?;
        self.perform(world, &Workload::one(Deed::Checkout(origin.clone()), span));
        let site = self.opening_site(connection, span, Evidence::Traced, None);
        self.pools.insert(site, origin.clone());
        Some(self.begin(world, site, None, None))
    }

    /// The value of calls that open sessions; several openings of one call are the parts of a tuple.
    pub(crate) fn opened(
        &mut self,
        openings: &[(ProtocolId, Opening)],
        span: Span,
        evidence: Evidence,
        anchor: Option<(Anchor, &World)>,
        from: From,
    ) -> Value {
        let Some((protocol, opening)) = openings.first() else { return Value::Unknown };
        let one = |solver: &mut Self, protocol: ProtocolId| {
            let known = solver.index.model.protocol(protocol);
            if !known.is_session() {
                return solver.make(protocol, opening, span);
            }
            let in_place = known.in_place;
            let anchor = anchor.as_ref().filter(|_| in_place);
            let site = solver.opening_site(protocol, span, evidence, anchor.map(|(anchor, world)| (anchor, *world)));
            solver.sites[usize::from(site.0)].apart = !matches!(opening.source, Source::Method(_));
            if let Source::Method(on) = opening.source {
                let of_pool =
                    matches!(from, From::Session(id) if solver.is_pooled(&solver.sites[usize::from(id.site.0)]));
                let site = &mut solver.sites[usize::from(site.0)];
                site.nested = solver.index.model.protocol(on).is_transaction();
                site.on_own_file = !of_pool && solver.index.is_of_a_file(solver.scope.file, on);
            }
            match &from {
                From::Nowhere => _ = solver.thrown.makes(site),
                From::Pool(pool) => {
                    solver.pools.insert(site, pool.clone());
                }
                From::Session(id) => {
                    solver.carriers.insert(site, *id);
                    solver.pools.extend(solver.pools.get(&id.site).cloned().map(|pool| (site, pool)));
                }
            }
            if let From::Session(parent) = from
                && solver.index.model.protocol(solver.protocol_of(parent)).is_transaction()
            {
                solver.parents.insert(site, parent);
            }
            Value::Pending(site, anchor.map(|(anchor, _)| anchor.clone()))
        };
        let mut value = Value::Unknown;
        for shape in opening.shape.iter().rev() {
            value = match (shape, value) {
                (Shape::Tuple { len, .. }, _) => {
                    let mut parts = vec![Value::Unknown; *len];
                    for (protocol, opening) in openings {
                        let index = opening.shape.iter().find_map(|shape| match shape {
                            Shape::Tuple { index, .. } => Some(*index),
                            Shape::Fallible => None,
                        });
                        if let Some(slot) = index.and_then(|index| parts.get_mut(index)) {
                            *slot = one(self, *protocol);
                        }
                    }
                    Value::Tuple(parts)
                }
                (Shape::Fallible, Value::Unknown) => Value::Fallible(Box::new(one(self, *protocol))),
                (Shape::Fallible, inner) => Value::Fallible(Box::new(inner)),
            };
        }
        if opening.shape.is_empty() {
            value = one(self, *protocol);
        }
        let begins = self.begins(*protocol, opening, span);
        if opening.is_async { self.later(begins, value) } else { value }
    }
}

/// What a session is opened on.
pub(crate) enum From {
    /// Nothing that is known.
    Nowhere,
    /// A pool.
    Pool(Origin),
    /// A connection or transaction.
    Session(ObligationId),
}

/// How a place is written, as far as it leads through fields: `self.client`.
fn name_of(local: &str, place: &Place) -> String {
    let fields = place.projection.iter().filter(|step| **step != Projection::Deref).map_while(|step| match step {
        Projection::Field(field) => Some(field.as_str()),
        _ => None,
    });
    std::iter::once(local).chain(fields).collect::<Vec<_>>().join(".")
}
