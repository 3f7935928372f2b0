//! What does a method do that a derive has written? It runs a statement on what it is given.

use crate::index::{ItemRef, Ty};
use crate::solver::{Solver, typed};
use crate::value::{Anchor, Value};
use crate::world::World;
use sessionlint_ir::{Call, Callee};

impl Solver<'_> {
    /// A method of a type of the workspace that nobody shows: `user.save(&mut *tx)`, `User::find(&pool, id)`. `None` where no
    /// derive or attribute on the type makes such methods, or it is given nothing that runs a statement.
    pub(super) fn derived_method(
        &mut self,
        world: &mut World,
        owner: ItemRef,
        name: &str,
        call: &Call,
    ) -> Option<Value> {
        if let Some(path) = self.index.derived_beginning(owner, name) {
            let segments = path.split("::").map(str::to_owned).collect();
            let callee = Callee::Path { segments, qualifier: None };
            self.pass_arguments(world, &call.args, call.name_span);
            return Some(self.call(world, &Call { callee, args: Vec::new(), ..call.clone() }));
        }
        let reads: Vec<Value> = call.args.iter().map(|arg| self.read(world, arg)).collect();
        let pool = reads.iter().find_map(|value| self.pool_of(world, value));
        let session = reads.iter().find(|value| self.anchor_of(world, value).is_some()).cloned();
        if pool.is_none() && session.is_none() {
            return None;
        }
        let writes = self.index.derived_method(owner, name)?;
        let Some(target) = session else {
            let (_, pool) = pool?;
            self.pass_to_library(world, &call.args);
            return Some(self.executed(pool, writes, call.name_span));
        };
        // What it gives is one of them, most of the time.
        let mut value = typed(Ty::own(owner));
        let (_, anchor) = self.anchor_of(world, &target)?;
        if let Anchor::Obligation(id) = &anchor {
            self.touch(world, *id);
            self.goes_on(world, *id);
        }
        if writes {
            if let Anchor::Obligation(id) = &anchor {
                value = self.first_write(world, *id);
                self.write(world, *id, Some(call.name_span));
            }
            self.write_anchored(world, &anchor, call.name_span);
        }
        self.pass_to_library(world, &call.args);
        Some(value)
    }
}
