//! What is a closure given? The call that it is passed to says it: a function of the workspace by its bounds, a library's method by
//! its data.

use crate::index::{Resolved, Ty};
use crate::solver::Solver;
use crate::value::Value;
use crate::world::World;
use sessionlint_ir::{Call, Callee, ItemKind, Operand, Place, Rvalue};

impl Solver<'_> {
    /// The types of what a closure is given, in order; empty when its call does not say.
    pub(crate) fn closure_inputs(&self, world: &World, child: usize) -> Vec<Ty> {
        let Some((call, at)) = self.passed_to(child) else { return Vec::new() };
        match &call.callee {
            Callee::Method { receiver: Operand::Value(place) | Operand::Ref { place, .. }, name } => {
                match self.receiver_ty(world, place) {
                    Some(Ty::Known(protocol)) => {
                        let runs = self.index.model.protocol(protocol).closures.iter().find(|runs| runs.call == *name);
                        let gets = runs.map(|runs| Ty::Known(runs.gets.unwrap_or(protocol)));
                        gets.map(|ty| Ty::Ref(Box::new(ty))).into_iter().collect()
                    }
                    Some(Ty::Own(owner, _)) => match self.index.methods_near(self.scope.file, owner, name).as_slice() {
                        [method] => self.index.closure_inputs(*method, at + 1),
                        _ => Vec::new(),
                    },
                    // An item, or what is inside of an option.
                    Some(Ty::Collection(inner)) if self.index.model.standard().runs(name) => {
                        let before = usize::from(self.index.model.standard().carries(name));
                        std::iter::repeat_n(Ty::Unknown, before).chain([*inner]).collect()
                    }
                    Some(Ty::Fallible(inner)) if self.index.model.standard().runs(name) => vec![*inner],
                    _ => Vec::new(),
                }
            }
            Callee::Path { segments, qualifier: None } => match self.index.resolve(&self.scope, segments) {
                Some(Resolved::Item(item, rest))
                    if rest.is_empty() && self.index.item(item).is_some_and(|item| item.kind == ItemKind::Function) =>
                {
                    self.index.closure_inputs(item, at)
                }
                _ => Vec::new(),
            },
            _ => Vec::new(),
        }
    }

    /// The call that a closure is passed to, and which argument it is.
    fn passed_to(&self, child: usize) -> Option<(&Call, usize)> {
        let (made, _) = self
            .body
            .assignments()
            .find(|(_, value)| matches!(value, Rvalue::Closure { child: known, .. } if *known == child))?;
        self.body.assignments().find_map(|(_, value)| {
            let Rvalue::Call(call) = value else { return None };
            let is_closure = |arg: &Operand| matches!(arg, Operand::Value(place) if place == made);
            Some((call, call.args.iter().position(is_closure)?))
        })
    }

    fn receiver_ty(&self, world: &World, place: &Place) -> Option<Ty> {
        let value = Value::Ref(world.canonical(place).0);
        if let Some(id) = self.session_of(world, &value) {
            return match world.get(self.index, place) {
                Value::Wrapper(item, ..) => Some(Ty::own(item)),
                _ => Some(Ty::Known(self.protocol_of(id))),
            };
        }
        match world.get(self.index, place) {
            Value::Typed(ty, _) => Some(ty.peeled().clone()),
            Value::Wrapper(item, ..) => Some(Ty::own(item)),
            _ => None,
        }
    }
}
