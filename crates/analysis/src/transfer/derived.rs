//! What does a method do that a derive or a build script has written? It runs a statement on what it is given.

use crate::index::{ItemRef, Ty};
use crate::solver::{Solver, typed};
use crate::value::{Anchor, Value};
use crate::world::World;
use sessionlint_ir::{Call, Callee, Place};

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

    /// `queries::orders::insert_order().bind(&tx, &id)`: a function that no file shows gives the statement, and its name says whether
    /// that writes. `None` for anything else.
    pub(super) fn generated_statement(
        &mut self,
        world: &mut World,
        place: Option<&Place>,
        name: &str,
        call: &Call,
    ) -> Option<Value> {
        let made = self.body.call_of(place?)?;
        let (Callee::Path { segments, .. }, []) = (&made.callee, made.args.as_slice()) else { return None };
        let statement = segments.last()?;
        if !statement.starts_with(char::is_lowercase) || !self.index.runs_generated(self.scope.file, name) {
            return None;
        }
        let target = self.read(world, call.args.first()?);
        let (_, anchor) = self.anchor_of(world, &target)?;
        let mut value = Value::Unknown;
        if let Anchor::Obligation(id) = &anchor {
            self.touch(world, *id);
            self.goes_on(world, *id);
        }
        if self.index.model.learned_words().is_write(statement) {
            if let Anchor::Obligation(id) = &anchor {
                value = self.first_write(world, *id);
                self.write(world, *id, Some(call.name_span));
            }
            self.write_anchored(world, &anchor, call.name_span);
        }
        self.pass_to_library(world, &call.args);
        Some(if value == Value::Unknown { value } else { Value::Future(Box::new(value)) })
    }
}
