//! Does a function hand out a writer that it has only made? Where dropping finishes the output, there is nothing to lose before the
//! first write.

use crate::index::{ItemRef, Ty};
use crate::solver::Solver;
use sessionlint_ir::{Body, Call, Callee, Rvalue};
use sessionlint_protocols::ProtocolKind;

impl Solver<'_> {
    /// Whether a function gives such a writer, and does not show that it writes into it.
    pub(super) fn is_only_made(&self, item: ItemRef, ty: &Ty) -> bool {
        let Some(protocol) = ty.known_inside() else { return false };
        let known = self.index.model.protocol(protocol);
        if known.kind != ProtocolKind::Writer || !known.finishes {
            return false;
        }
        let writes = &self.index.model.library(known.library).writes;
        let function = self.index.function(item);
        let body = function.as_ref().and_then(|function| function.body.as_ref());
        !body.is_some_and(|body| calls_any(body, writes))
    }
}

fn calls_any(body: &Body, names: &[String]) -> bool {
    let is_one = |value: &Rvalue| match value {
        Rvalue::Call(Call { callee: Callee::Method { name, .. }, .. }) => names.contains(name),
        Rvalue::Call(Call { callee: Callee::Path { segments, .. }, .. }) => {
            segments.last().is_some_and(|name| names.contains(name))
        }
        _ => false,
    };
    body.assignments().any(|(_, value)| is_one(value)) || body.children.iter().any(|child| calls_any(child, names))
}
