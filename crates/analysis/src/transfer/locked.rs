//! What does a method of a lock do around something that may be absent, or of the guard that holds it?

use crate::index::{Locking, Ty};
use crate::solver::{Solver, typed_at};
use crate::value::{Origin, Value};
use crate::world::World;
use sessionlint_ir::Call;

/// A lock, or the guard that holds it.
pub(super) struct Lock<'t> {
    /// All of it.
    pub ty: &'t Ty,
    /// The option in it.
    pub content: &'t Ty,
    pub locking: Locking,
    pub origin: Option<Origin>,
}

impl Solver<'_> {
    /// The content belongs to whoever shares the lock: what is read through it is theirs, and what is taken out is somebody's who
    /// takes it.
    pub(super) fn lock_method(&mut self, world: &mut World, lock: Lock<'_>, name: &str, call: &Call) -> Value {
        let standard = self.index.model.standard();
        let Lock { ty, content, locking, origin } = lock;
        let is_held = locking == Locking::Held;
        if !is_held && (standard.locks(name) || standard.tries_to_lock(name)) {
            self.pass_arguments(world, &call.args, call.name_span);
            let held = Ty::Lock(Box::new(content.clone()), Locking::Held);
            let may_fail = locking == Locking::Poisons || standard.tries_to_lock(name);
            return typed_at(if may_fail { Ty::Fallible(Box::new(held)) } else { held }, origin);
        }
        // An option cannot be moved out of a guard: what opens or adapts a result is done to that of the lock.
        let is_same = match is_held {
            true => standard.locks(name) || matches!(name, "deref" | "deref_mut" | "by_ref"),
            false => standard.keeps(name),
        };
        if is_same || standard.opens(name) || standard.adapts(name) {
            self.pass_arguments(world, &call.args, call.name_span);
            return Value::Typed(ty.clone(), origin);
        }
        match is_held || name == "take" {
            true => self.typed_method(world, content, origin, None, name, call),
            false => self.unknown_method(world, None, name, call),
        }
    }
}
