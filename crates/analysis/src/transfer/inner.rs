//! What does a method do that is called on the connection inside of a transaction of the project's own? `tx.conn.execute(..)` runs in
//! that transaction.

use crate::index::Ty;
use crate::solver::Solver;
use crate::value::{Anchor, ObligationId, Value};
use crate::world::World;
use sessionlint_ir::{Call, Place, Projection};
use sessionlint_protocols::ProtocolKind;

impl Solver<'_> {
    /// `None` where the place is no connection inside of such a transaction, or the method runs no statement.
    pub(super) fn inner_connection(
        &mut self,
        world: &mut World,
        id: ObligationId,
        place: &Place,
        name: &str,
        call: &Call,
    ) -> Option<Value> {
        let owner = self.index.learned_item(self.protocol_of(id))?;
        let is_session = |length: &usize| {
            let whole = Place { projection: place.projection[..*length].to_vec(), ..place.clone() };
            world.get(self.index, &whole) == Value::Session(id)
        };
        let at = (0..place.projection.len()).find(is_session)?;
        let mut ty = Ty::own(owner);
        for step in &place.projection[at..] {
            ty = match (step, ty.peeled()) {
                (Projection::Deref, _) => continue,
                (Projection::Field(field), Ty::Own(owner, args)) => {
                    self.index.field_behind(*owner, args.as_deref(), field)
                }
                _ => return None,
            };
        }
        let Ty::Known(inner) = *ty.peeled() else { return None };
        let model = self.index.model;
        let known = model.protocol(inner);
        if !known.is_transaction() && known.kind != ProtocolKind::Connection {
            return None;
        }
        let library = model.library(known.library);
        let names = |known: &[String]| known.iter().any(|known| known == name);
        let (session, anchor) = (Value::Session(id), Anchor::Obligation(id));
        if names(&library.prepares) {
            let effect = self.text_argument(world, &call.args).unwrap_or_default();
            return Some(self.prepared(world, &session, anchor, effect, call.name_span));
        }
        if names(&library.runs_text) {
            let effect = self.text_argument(world, &call.args);
            self.pass_to_library(world, &call.args);
            let effect = self.executed_as(inner, effect.unwrap_or_default(), name);
            return Some(self.run_text(world, &session, effect, call.name_span));
        }
        if names(&library.writes) {
            let wrote = self.first_write(world, id);
            self.write(world, id, Some(call.name_span));
            self.pass_to_library(world, &call.args);
            return Some(wrote);
        }
        None
    }
}
