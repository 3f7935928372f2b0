//! What is known of the type of what each method is called on? For machines that compare it with what the compiler says.

use crate::index::{Index, ItemRef, Ty};
use crate::value::{ObligationId, SiteId, Value};
use crate::world::World;
use sessionlint_diagnostics::Span;
use sessionlint_ir::{Callee, Operand, Rvalue, Statement, StatementKind};
use sessionlint_protocols::ProtocolId;
use std::collections::{BTreeMap, BTreeSet};

/// Not known.
const UNKNOWN: &str = "?";

/// The types that a variable or field had where a method is called on it, by where the method's name stands.
pub(crate) type Receivers = BTreeMap<Span, BTreeSet<String>>;

/// What the method is called on that a statement calls, before it does: where its name stands, and the type.
pub(crate) fn receiver(
    index: &Index<'_>,
    world: &World,
    protocol_of: &dyn Fn(SiteId) -> ProtocolId,
    statement: &Statement,
) -> Option<(Span, String)> {
    let StatementKind::Assign(_, Rvalue::Call(call)) = &statement.kind else { return None };
    let Callee::Method { receiver: Operand::Value(place) | Operand::Ref { place, .. }, .. } = &call.callee else {
        return None;
    };
    let words = Words { index, world, protocol_of };
    Some((call.name_span, words.value(&world.get(index, place), 0)))
}

/// The types of all ways, but for those on which nothing is known.
pub(crate) fn known(types: &BTreeSet<String>) -> String {
    let known: Vec<&str> = types.iter().map(String::as_str).filter(|words| *words != UNKNOWN).collect();
    if known.is_empty() { UNKNOWN.to_owned() } else { known.join(" or ") }
}

/// Types as the compiler writes them, as far as they are known: the last names of paths, `a|b` for either.
struct Words<'s> {
    index: &'s Index<'s>,
    world: &'s World,
    protocol_of: &'s dyn Fn(SiteId) -> ProtocolId,
}

impl Words<'_> {
    fn protocol(&self, protocol: ProtocolId) -> String {
        if let Some(item) = self.index.item_of(protocol) {
            return self.name(item);
        }
        let paths = &self.index.model.protocol(protocol).paths;
        let names: BTreeSet<&str> = paths.iter().filter_map(|path| path.rsplit("::").next()).collect();
        if names.is_empty() { UNKNOWN.to_owned() } else { names.into_iter().collect::<Vec<_>>().join("|") }
    }

    fn name(&self, item: ItemRef) -> String {
        self.index.item(item).map_or_else(|| UNKNOWN.to_owned(), |item| item.name.clone())
    }

    fn session(&self, id: ObligationId) -> String {
        self.protocol((self.protocol_of)(id.site))
    }

    fn ty(&self, ty: &Ty) -> String {
        let inside = |name: &str, inner: &Ty| format!("{name}<{}>", self.ty(inner));
        match ty {
            Ty::Known(protocol) => self.protocol(*protocol),
            Ty::Own(item, _) => self.name(*item),
            Ty::Ref(inner) => self.ty(inner),
            Ty::Fallible(inner) => inside("Result|Option", inner),
            Ty::Future(inner) => inside("Future", inner),
            Ty::Cell(inner) => inside("Cell", inner),
            Ty::Collection(inner) => inside("Collection", inner),
            Ty::Lock(inner, _) => self.ty(inner),
            Ty::Tuple(parts) => format!("({})", parts.iter().map(|part| self.ty(part)).collect::<Vec<_>>().join(", ")),
            Ty::Statement | Ty::Work(_) | Ty::Unknown => UNKNOWN.to_owned(),
        }
    }

    fn value(&self, value: &Value, depth: u32) -> String {
        let inside = |name: &str, inner: &Value| format!("{name}<{}>", self.value(inner, depth));
        match value {
            Value::Typed(ty, _) => self.ty(ty),
            Value::Session(id) => self.session(*id),
            Value::Pending(site, _) => self.protocol((self.protocol_of)(*site)),
            Value::Ref(place) if depth < 4 => self.value(&self.world.get(self.index, place), depth + 1),
            Value::Future(inner) => inside("Future", inner),
            Value::Work(_, inner) => self.value(inner, depth),
            Value::Fallible(inner) | Value::Success(inner) => inside("Result|Option", inner),
            Value::Wrapper(item, ..) => self.name(*item),
            Value::Tuple(parts) => {
                format!("({})", parts.iter().map(|part| self.value(part, depth)).collect::<Vec<_>>().join(", "))
            }
            _ => UNKNOWN.to_owned(),
        }
    }
}
