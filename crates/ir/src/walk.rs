//! What stands in a body, and what does a step name? Questions that every reader of a body asks.

use crate::{Body, Call, Callee, LocalId, Operand, Place, Rvalue, Statement, StatementKind};

impl Body {
    /// All statements, block by block.
    pub fn statements(&self) -> impl Iterator<Item = &Statement> + Clone {
        self.blocks.iter().flat_map(|block| &block.statements)
    }

    /// All values that are stored, and where.
    pub fn assignments(&self) -> impl Iterator<Item = (&Place, &Rvalue)> + Clone {
        self.statements().filter_map(|statement| match &statement.kind {
            StatementKind::Assign(place, value) => Some((place, value)),
            _ => None,
        })
    }

    /// The value that is stored in exactly this place; the first one where there are several.
    pub fn value_of(&self, place: &Place) -> Option<&Rvalue> {
        self.assignments().find(|(target, _)| *target == place).map(|(_, value)| value)
    }

    /// The call whose value is stored in exactly this place.
    pub fn call_of(&self, place: &Place) -> Option<&Call> {
        self.assignments().find_map(|(target, value)| match value {
            Rvalue::Call(call) if target == place => Some(call),
            _ => None,
        })
    }
}

impl Operand {
    /// The place that is read or referred to.
    pub fn place(&self) -> Option<&Place> {
        match self {
            Operand::Value(place) | Operand::Ref { place, .. } => Some(place),
            Operand::Literal(_) | Operand::Item(_) => None,
        }
    }

    /// The variable whose value, or a part of it, is read or referred to.
    pub fn local(&self) -> Option<LocalId> {
        self.place().map(|place| place.local)
    }
}

impl Call {
    /// What is called, where that is a value, and what it is given: the receiver of a method comes first.
    pub fn operands(&self) -> impl Iterator<Item = &Operand> {
        let receiver = match &self.callee {
            Callee::Method { receiver, .. } | Callee::Value(receiver) => Some(receiver),
            Callee::Path { .. } | Callee::Macro(_) => None,
        };
        receiver.into_iter().chain(&self.args)
    }
}

impl Rvalue {
    /// The operands of a value, the receiver of a call among them.
    pub fn operands(&self) -> Vec<&Operand> {
        match self {
            Rvalue::Use(operand) | Rvalue::Exit(_, _, operand) | Rvalue::Await { future: operand, .. } => vec![operand],
            Rvalue::Aggregate(_, parts) => parts.iter().map(|(_, operand)| operand).collect(),
            Rvalue::Opaque(operands) => operands.iter().collect(),
            Rvalue::Any { of, .. } => vec![of],
            Rvalue::Call(call) => call.operands().collect(),
            Rvalue::Closure { .. } | Rvalue::Select(_) => Vec::new(),
        }
    }
}
