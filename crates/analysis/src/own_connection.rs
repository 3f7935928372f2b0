//! Does each struct of a type have a connection of its own in a field? Then what is set there meets nobody else, whatever the
//! library's type allows.

use crate::index::ItemRef;
use crate::summary::Analysis;
use sessionlint_ir::{AggregateKind, Body, Call, Callee, LocalId, Operand, Place, Rvalue, StatementKind};

/// So many steps are gone back from a field to the call that opened what is put there.
const MAX_STEPS: usize = 20;

impl Analysis<'_> {
    /// Whether all structs of a type are made in its own file, by functions that open for each what they put into a field.
    pub(crate) fn opens_for_each(&self, owner: ItemRef, field: &str) -> bool {
        let (Some(item), Some(makers)) = (self.index.item(owner), self.makers(owner)) else { return false };
        let mut is_made = false;
        let all = makers.into_iter().all(|maker| {
            let function = self.index.function(maker);
            let body = function.as_ref().and_then(|function| function.body.as_ref());
            body.is_none_or(|body| self.opens_in(body, &item.name, field, &mut is_made))
        });
        all && is_made
    }

    /// Whether a body opens what it puts into the field of each struct of a name that it makes.
    fn opens_in(&self, body: &Body, name: &str, field: &str, is_made: &mut bool) -> bool {
        let own = body.assignments().all(|(_, value)| {
            let Rvalue::Aggregate(AggregateKind::Struct(path), parts) = value else { return true };
            if path.last().is_none_or(|last| last != name && last != "Self") {
                return true;
            }
            *is_made = true;
            parts.iter().any(|(part, operand)| part == field && self.is_opened(body, operand))
        });
        own && body.children.iter().all(|child| self.opens_in(child, name, field, is_made))
    }

    /// Whether a value comes from a call in the body that opens a connection which clones share.
    fn is_opened(&self, body: &Body, operand: &Operand) -> bool {
        let Some(mut at) = operand.place().map(|place| place.local) else { return false };
        for _ in 0..MAX_STEPS {
            let from = match body.value_of(&Place::local(at)) {
                Some(Rvalue::Use(inner) | Rvalue::Await { future: inner, .. }) => inner.place(),
                Some(Rvalue::Call(Call { callee: Callee::Method { name, .. }, .. })) if self.opens_shared(name) => {
                    return true;
                }
                Some(Rvalue::Call(Call { callee: Callee::Method { receiver, .. }, .. })) => receiver.place(),
                Some(Rvalue::Call(Call { callee: Callee::Path { segments, .. }, .. })) => {
                    return segments.last().is_some_and(|name| self.opens_shared(name));
                }
                Some(_) => None,
                None => bound_from(body, at),
            };
            let Some(from) = from else { return false };
            at = from.local;
        }
        false
    }

    fn opens_shared(&self, call: &str) -> bool {
        let mut protocols = self.index.model.protocols();
        protocols.any(|(_, known)| known.shared && known.openings.iter().any(|opening| opening.call == call))
    }
}

/// What a pattern takes a variable out of.
fn bound_from(body: &Body, variable: LocalId) -> Option<&Place> {
    body.statements().find_map(|statement| match &statement.kind {
        StatementKind::Bind { local, from, .. } if *local == variable => Some(from),
        _ => None,
    })
}
