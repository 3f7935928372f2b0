//! What does a function give whose type argument says it?

use crate::index::{Resolved, Ty};
use crate::solver::{Solver, typed};
use crate::value::Value;
use crate::world::World;
use sessionlint_ir::Call;
use sessionlint_protocols::{Around, Typed};

impl Solver<'_> {
    /// `use_context::<PgPool>()`.
    pub(super) fn typed_function(&mut self, world: &mut World, path: &[String], call: &Call) -> Option<Value> {
        let known = self.index.model.typed_function(path)?;
        self.given_by_type(world, known, call)
    }

    /// `request.app_data::<PgPool>()`, where one of the packages that have such a method can be named.
    pub(super) fn typed_method_of_any(&mut self, world: &mut World, name: &str, call: &Call) -> Option<Value> {
        // Without a type argument nothing can be told.
        call.type_args.first()?;
        let model = self.index.model;
        let is_named = |package: &String| {
            let crate_name = [package.replace('-', "_")];
            matches!(self.index.resolve(&self.scope, &crate_name), Some(Resolved::External(_)))
        };
        let known = model.typed_methods(name).find(|typed| typed.crates.iter().any(is_named))?;
        self.given_by_type(world, known, call)
    }

    fn given_by_type(&mut self, world: &mut World, known: &Typed, call: &Call) -> Option<Value> {
        let ty = self.index.ty(&self.scope, call.type_args.first()?);
        if ty.is_unknown() {
            return None;
        }
        self.pass_arguments(world, &call.args, call.name_span);
        let ty = match known.gives {
            Around::Nothing => ty,
            Around::Reference => Ty::Ref(Box::new(ty)),
            Around::Fallible => Ty::Fallible(Box::new(ty)),
            Around::FallibleReference => Ty::Fallible(Box::new(Ty::Ref(Box::new(ty)))),
        };
        Some(typed(if known.is_async { Ty::Future(Box::new(ty)) } else { ty }))
    }
}
