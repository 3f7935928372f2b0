//! What changes a variable in a way that is not followed?

use super::Lowerer;
use super::condition::number;
use sessionlint_diagnostics::Span;
use sessionlint_ir::{Body, Literal, Operand, Place, Rvalue, Statement, StatementKind};
use syn::BinOp;

impl Lowerer<'_> {
    /// `x += 1` and its like; other operators change nothing.
    pub(super) fn assigned_by_operator(
        &mut self,
        place: &Place,
        binary: &syn::ExprBinary,
        right: &Operand,
        span: Span,
    ) {
        if !is_assignment(binary.op) {
            return;
        }
        match (binary.op, right) {
            (BinOp::BitOrAssign(_), Operand::Literal(Literal::Bool(true)))
            | (BinOp::BitAndAssign(_), Operand::Literal(Literal::Bool(false))) => {
                self.frame().mark_reassigned(place.local);
                self.assign(place, Rvalue::Use(right.clone()), span);
            }
            (operator, _) => {
                let more = matches!(operator, BinOp::AddAssign(_)) && number(&binary.right).is_some_and(|by| by > 0);
                self.frame().change(place.local, more && place.projection.is_empty(), false, span);
            }
        }
    }

    /// Methods of the standard library's options, texts and collections, by name.
    pub(super) fn changed_by_method(&mut self, receiver: &Operand, method: &str, span: Span) {
        if let Operand::Value(place) = receiver
            && let Some(more) = changes(method)
        {
            self.frame().change(place.local, more && place.projection.is_empty(), true, span);
        }
    }

    /// A closure or async block that changes what it captures: nobody can ask about that before it has run.
    pub(super) fn changed_by_child(&mut self, child: &Body, span: Span) {
        for capture in &child.captures {
            // Whether it is only the name of a method that tells.
            let by_name = |statement: &Statement| match &statement.kind {
                StatementKind::Change { local, by_name, .. } if *local == capture.inner => Some(*by_name),
                StatementKind::Assign(place, _) if place.local == capture.inner => Some(false),
                _ => None,
            };
            let changes = child.blocks.iter().flat_map(|block| &block.statements).filter_map(by_name);
            if let Some(by_name) = changes.reduce(|one, other| one && other) {
                self.frame().change(capture.outer, false, by_name, span);
            }
        }
    }
}

/// Whether a binary operator stores its result in its left side.
fn is_assignment(operator: BinOp) -> bool {
    matches!(
        operator,
        BinOp::AddAssign(_)
            | BinOp::SubAssign(_)
            | BinOp::MulAssign(_)
            | BinOp::DivAssign(_)
            | BinOp::RemAssign(_)
            | BinOp::BitXorAssign(_)
            | BinOp::BitAndAssign(_)
            | BinOp::BitOrAssign(_)
            | BinOp::ShlAssign(_)
            | BinOp::ShrAssign(_)
    )
}

/// Whether a method of the standard library's options, texts and collections changes what it is called on, in a way that is
/// not followed: whether something is in it afterwards.
fn changes(method: &str) -> Option<bool> {
    match method {
        "insert" | "push" | "push_back" | "push_front" => Some(true),
        "append"
        | "clear"
        | "drain"
        | "entry"
        | "extend"
        | "extend_from_slice"
        | "get_or_insert"
        | "get_or_insert_default"
        | "get_or_insert_with"
        | "pop"
        | "pop_back"
        | "pop_first"
        | "pop_front"
        | "pop_last"
        | "push_str"
        | "remove"
        | "replace"
        | "resize"
        | "resize_with"
        | "retain"
        | "retain_mut"
        | "split_off"
        | "swap_remove"
        | "take_if"
        | "truncate" => Some(false),
        _ => None,
    }
}
