//! What does a collection give, or an option, of which only the type is known? An item, a part of it, or what a closure makes of that.

use crate::index::Ty;
use crate::solver::{Solver, typed, typed_at};
use crate::value::{Origin, Source, Value};
use crate::workload::{Given, Workload, seen_by_caller};
use crate::world::World;
use sessionlint_ir::{Call, Operand, Place};

impl Solver<'_> {
    /// A method of a collection or iterator.
    pub(super) fn collection_method(&mut self, world: &mut World, ty: &Ty, name: &str, call: &Call) -> Value {
        let Ty::Collection(item) = ty.peeled() else { return Value::Unknown };
        let standard = self.index.model.standard();
        let (same, one) = (standard.keeps_items(name), standard.gives_item(name));
        let maps = name == "map";
        let made = match (maps, call.args.first()) {
            (true, Some(closure)) => self.closure_makes(closure, item, None),
            _ => None,
        };
        let ran = self.run_on_items(world, Workload::default(), name, call);
        match ran {
            Some(value) if value != Value::Unknown => return value,
            Some(_) => {}
            None => _ = self.pass_arguments(world, &call.args, call.name_span),
        }
        match made {
            // Out of pairs and results it makes something else.
            _ if name == "collect" && !matches!(item.peeled(), Ty::Known(_) | Ty::Own(..)) => Value::Unknown,
            _ if same => Value::Typed(ty.clone(), None),
            _ if one => typed(Ty::Fallible(Box::new(Ty::Ref(item.clone())))),
            Some(Value::Typed(made, _)) => typed(Ty::Collection(Box::new(made))),
            _ => Value::Unknown,
        }
    }

    /// `option.map(|found| found.pool)`; `None` where nothing can be told.
    pub(super) fn option_mapped(&mut self, inner: &Ty, origin: Option<Origin>, call: &Call) -> Option<Value> {
        let made = self.closure_makes(call.args.first()?, inner, origin)?;
        match made {
            Value::Typed(ty, origin) => Some(Value::Typed(Ty::Fallible(Box::new(ty)), origin)),
            _ => None,
        }
    }

    /// What a closure makes of a value of a type, as far as that is a type that matters.
    fn closure_makes(&mut self, closure: &Operand, ty: &Ty, origin: Option<Origin>) -> Option<Value> {
        let body = &self.body.children[self.closure_of(closure)?];
        let param = *body.params.first()?;
        if ty.is_unknown() {
            return None;
        }
        let mut solver = Solver::new(self.analysis, body, self.scope.clone(), self.asking.clone());
        solver.nested = true;
        let mut entry = World::default();
        entry.set(&Place::local(param), typed(ty.clone()));
        solver.summarise(entry);
        self.looked(&solver);
        let made = solver.only_type()?;
        let from = match (&solver.gives, origin) {
            (Some(Given::Of(from)), Some(origin)) => seen_by_caller(from, &[Source::of(Some(origin))]),
            _ => None,
        };
        Some(typed_at(made, from))
    }
}
