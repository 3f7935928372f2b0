//! Who else may end an upload? It is an id on the server, and whoever knows that can: a helper, an async block that is kept for later, a
//! guard of the project's own.

use crate::index::{ItemRef, Ty};
use crate::solver::Solver;
use crate::value::ObligationId;
use crate::world::{Phase, State, World};
use sessionlint_ir::{Body, Callee, Rvalue, StatementKind};
use sessionlint_protocols::{Protocol, ProtocolKind};

impl Solver<'_> {
    /// A function of the workspace is called that names a call which ends an upload, or gives a guard whose `Drop` does: it may end the
    /// one that is open here, whatever it is given.
    pub(super) fn uploads_may_end(&self, world: &mut World, item: ItemRef) {
        if self.open_uploads(world).is_empty() {
            return;
        }
        self.uploads_end_where(world, |protocol| self.names_end(item, protocol));
        let mut given = self.index.output(item, None);
        while let Some(Ty::Future(inner) | Ty::Fallible(inner) | Ty::Ref(inner)) = given {
            given = Some(*inner);
        }
        if let Some(Ty::Own(owner, _)) = given {
            self.uploads_guarded_by(world, owner);
        }
    }

    /// A closure or async block is made that names a call which ends an upload: it may run at any time, from a guard's `Drop` say.
    pub(super) fn uploads_end_in(&self, world: &mut World, body: &Body) {
        if !self.open_uploads(world).is_empty() {
            self.uploads_end_where(world, |protocol| {
                calls(body, &|name| protocol.endings.iter().any(|ending| ending.call == name))
            });
        }
    }

    /// A value of the project's own is made whose `Drop` ends an upload, or hands on what is left to do.
    pub(super) fn uploads_guarded_by(&self, world: &mut World, owner: ItemRef) {
        if self.open_uploads(world).is_empty() {
            return;
        }
        let drops = self.index.methods(owner, "drop");
        let standard = self.index.model.standard();
        if drops.iter().any(|item| self.index.names_call(*item, standard.hand_on())) {
            return self.uploads_end_where(world, |_| true);
        }
        let methods = if drops.is_empty() { Vec::new() } else { self.index.methods_of(owner) };
        self.uploads_end_where(world, |protocol| {
            drops.iter().chain(methods.iter().map(|(_, item)| item)).any(|item| self.names_end(*item, protocol))
        });
    }

    fn names_end(&self, item: ItemRef, protocol: &Protocol) -> bool {
        self.index.names_call(item, protocol.endings.iter().map(|ending| ending.call.as_str()))
    }

    fn uploads_end_where(&self, world: &mut World, ends: impl Fn(&Protocol) -> bool) {
        for id in self.open_uploads(world) {
            if ends(self.index.model.protocol(self.protocol_of(id))) {
                world.set_phase(id, Phase::Gone);
            }
        }
    }

    fn open_uploads(&self, world: &World) -> Vec<ObligationId> {
        let is_open = |state: &State| state.anchor.is_some() && state.phase == Phase::Open;
        let open = world.facts.obligations.iter().filter(|(_, state)| is_open(state)).map(|(id, _)| *id);
        open.filter(|id| self.index.model.protocol(self.protocol_of(*id)).kind == ProtocolKind::Writer).collect()
    }
}

/// Whether a body, or one inside of it, calls a method of such a name.
fn calls(body: &Body, is_meant: &dyn Fn(&str) -> bool) -> bool {
    let here = body.statements().any(|statement| match &statement.kind {
        StatementKind::Assign(_, Rvalue::Call(call)) => {
            matches!(&call.callee, Callee::Method { name, .. } if is_meant(name))
        }
        _ => false,
    });
    here || body.children.iter().any(|child| calls(child, is_meant))
}
