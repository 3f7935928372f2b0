//! What does a body begin with? The values of its parameters, and sessions that are handed in with them.

use crate::events::{Site, SiteId};
use crate::index::Ty;
use crate::solver::{Solver, typed};
use crate::transfer::fold;
use crate::value::{Layer, ObligationId, Value};
use crate::world::World;
use sessionlint_diagnostics::Evidence;
use sessionlint_ir::{LocalId, Place};
use sessionlint_protocols::{ProtocolId, ProtocolKind};

impl Solver<'_> {
    /// Gives the parameters their types; a session that is passed by value is owed here.
    pub fn parameters(&mut self, mut world: World) -> World {
        for local in &self.body.params {
            let declared = &self.body.locals[local.index()];
            let Some(written) = &declared.ty else { continue };
            let ty = self.index.ty(&self.scope, written);
            let value = self.owned_parameter(*local, &ty, &mut world).unwrap_or_else(|| typed(ty));
            world.set(&Place::local(*local), value);
        }
        world
    }

    /// Gives the parameters that declare no type what they are known to be.
    pub fn given_as(&mut self, mut world: World, types: &[Ty]) -> World {
        for (local, ty) in self.body.params.iter().zip(types) {
            if self.body.locals[local.index()].ty.is_none() && self.body.locals[local.index()].name.is_some() {
                let value = self.owned_parameter(*local, ty, &mut world).unwrap_or_else(|| typed(ty.clone()));
                world.set(&Place::local(*local), value);
            }
        }
        world
    }

    fn owned_parameter(&mut self, local: LocalId, ty: &Ty, world: &mut World) -> Option<Value> {
        let (protocol, wrapper) = match ty {
            Ty::Known(protocol) => (*protocol, None),
            Ty::Tuple(types) => {
                let parts: Vec<Option<Value>> =
                    types.iter().map(|part| self.owned_parameter(local, part, world)).collect();
                let owns = parts.iter().any(Option::is_some);
                let whole = parts.into_iter().zip(types).map(|(part, ty)| part.unwrap_or_else(|| typed(ty.clone())));
                return owns.then(|| Value::Tuple(whole.collect()));
            }
            // A transaction of the project's own is taken apart by its own methods.
            Ty::Own(item, _) if self.index.is_learned(*item) => return None,
            // Who asks what a method gives of its receiver knows the receiver's parts.
            Ty::Own(item, args)
                if self.reporting || self.body.locals[local.index()].name.as_deref() != Some("self") =>
            {
                match self.index.owned_with(*item, args.as_deref()) {
                    Some((protocol, layers)) => (protocol, Some(layers)),
                    // What a framework makes for each request around a connection of a pool.
                    None => {
                        let (field, protocol) = self.index.owned_connection(*item)?;
                        (protocol, Some(vec![Layer::Part(*item, field)]))
                    }
                }
            }
            _ => return None,
        };
        let known = self.index.model.protocol(protocol);
        // A connection of a pool is held until it is dropped. A writer that loses what it was given is owed here, too.
        let loses = known.kind == ProtocolKind::Writer && !known.finishes;
        if !(self.index.is_held(protocol) || loses) || known.in_place {
            return None;
        }
        let evidence = if wrapper.is_some() { Evidence::Inferred } else { Evidence::Typed };
        let site = self.parameter_site(local, protocol, evidence, false);
        let session = self.begin(world, site, None, None);
        Some(match wrapper {
            Some(layers) => {
                let value = fold(&layers, session);
                self.remember_layers(&value);
                value
            }
            None => session,
        })
    }

    /// Makes `local` hold a session that belongs to the caller.
    pub fn lend(
        &mut self,
        mut world: World,
        local: LocalId,
        protocol: ProtocolId,
        layers: &[Layer],
    ) -> (World, ObligationId) {
        let site = self.parameter_site(local, protocol, Evidence::Typed, true);
        let id = ObligationId { site, second: false };
        self.lent = Some(id);
        let session = self.begin(&mut world, site, None, None);
        world.set(&Place::local(local), fold(layers, session));
        (world, id)
    }

    /// The site of a session that comes in as a parameter; `borrowed` when the caller keeps it.
    fn parameter_site(&mut self, local: LocalId, protocol: ProtocolId, evidence: Evidence, borrowed: bool) -> SiteId {
        let declared = &self.body.locals[local.index()];
        self.site(Site {
            span: declared.span,
            name: declared.name.clone(),
            variable: Some(local),
            protocol,
            evidence,
            layers: Vec::new(),
            own_end: None,
            borrowed,
            raw: false,
            keeps_failed_commit: false,
            parameter: true,
            on_borrowed: false,
            pooled: false,
            nested: false,
            on_own_file: false,
            apart: false,
            ended: Vec::new(),
            taken: false,
            handed_on: false,
            used: false,
        })
    }
}
