//! Sessions that are a state of a connection: which calls begin and end one?

use super::open::From;
use crate::solver::Solver;
use crate::value::Value;
use crate::world::{Phase, World};
use sessionlint_diagnostics::Evidence;
use sessionlint_ir::{Call, Operand};
use sessionlint_protocols::{Opening, ProtocolId, Source};

impl Solver<'_> {
    /// Methods that open or end a session that is a state of the receiver.
    pub(crate) fn in_place_method(
        &mut self,
        world: &mut World,
        target: &Value,
        name: &str,
        args: &[Operand],
        call: &Call,
    ) -> Option<Value> {
        if !self.is_in_place_call(name) {
            return None;
        }
        let (connection, anchor) = self.anchor_of(world, target)?;
        let model = self.index.model;
        for (protocol, known) in model.in_place_on(connection) {
            if !self.index.in_play(self.scope.file, known.library) {
                continue;
            }
            if let Some(ending) = self.index.ending(self.scope.file, known, name) {
                self.pass_arguments(world, args, call.name_span);
                let open = world.anchored(&anchor).into_iter().find(|id| self.protocol_of(*id) == protocol);
                let Some(id) = open else { return Some(Value::Unknown) };
                self.ended_at(id, call.name_span, ending.kind);
                world.trace.released.insert(id, call.name_span);
                if ending.is_async {
                    world.set_phase(id, Phase::Ending);
                    let release = Value::Release {
                        obligation: id,
                        end: ending.kind,
                        fallible: ending.fallible,
                        eager: ending.eager,
                    };
                    return Some(Value::Future(Box::new(release)));
                }
                self.end(world, id, ending.kind);
                return Some(Value::Fallible(Box::new(Value::Outcome(id, ending.kind))));
            }
            let matches = |opening: &&Opening| {
                opening.call == name
                    && opening.source == Source::Method(connection)
                    && opening.args.is_none_or(|wanted| wanted == args.len())
                    && self.index.holds(self.scope.file, known.library, opening.when.as_ref())
            };
            if let Some(opening) = known.openings.iter().find(matches) {
                self.pass_arguments(world, args, call.name_span);
                let openings = [(protocol, opening.clone())];
                let snapshot = world.clone();
                let on = Some((anchor, &snapshot));
                return Some(self.opened(&openings, call.name_span, Evidence::Typed, on, From::Nowhere));
            }
        }
        None
    }

    /// Whether any in-place session is opened or ended by calls of this name.
    pub(crate) fn is_in_place_call(&self, name: &str) -> bool {
        self.index.model.protocols().any(|(_, protocol)| {
            protocol.in_place
                && (protocol.endings.iter().any(|ending| ending.call == name)
                    || protocol.openings.iter().any(|opening| opening.call == name))
        })
    }

    /// The ways to open something with a method of a library's type, for the libraries in play.
    pub(super) fn method_openings(&self, protocol: ProtocolId, name: &str, call: &Call) -> Vec<(ProtocolId, Opening)> {
        let model = self.index.model;
        let found = model.openings(&Source::Method(protocol), name, call.args.len());
        let in_play = |(protocol, opening): &(ProtocolId, &Opening)| {
            let known = model.protocol(*protocol);
            !known.in_place
                && self.index.in_play(self.scope.file, known.library)
                && self.index.holds(self.scope.file, known.library, opening.when.as_ref())
        };
        let mut found: Vec<(ProtocolId, Opening)> =
            found.into_iter().filter(in_play).map(|(protocol, opening)| (protocol, opening.clone())).collect();
        // Two libraries may put a method of one name on a pool's connection; a tuple's parts are one call.
        let is_tuple = found.iter().any(|(_, opening)| {
            opening.shape.len() > 1 && opening.shape.iter().any(|s| *s != sessionlint_protocols::Shape::Fallible)
        });
        if !is_tuple {
            found.truncate(1);
        }
        found
    }
}
