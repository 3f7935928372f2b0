//! What does a function body do? Lowers one syntax tree to control-flow graphs.
//!
//! `frame` holds the graph under construction; the other files each lower one kind of syntax.

mod called;
mod change;
mod condition;
mod control;
mod exits;
mod expand;
mod expression;
mod frame;
mod macros;
mod pattern;
mod select;
mod sides;
mod statement;
#[cfg(test)]
mod tests;

use crate::signature::lower_signature;
use frame::Frame;
use proc_macro2::Span as SynSpan;
use quote::ToTokens;
use sessionlint_diagnostics::Span;
use sessionlint_ir::{
    Answer, BlockId, Body, BodyKind, DropCause, ExitHow, ExitKind, FunctionItem, Literal, LocalId, Operand,
};
use sessionlint_ir::{Place, Rvalue, StatementKind, Terminator};
use std::collections::BTreeMap;
use syn::spanned::Spanned;

/// Lowers a function. `span` is the place of the text that was parsed, and `macros` gives the text of macros that are
/// known by their path.
pub(crate) fn function(
    signature: &syn::Signature,
    block: Option<&syn::Block>,
    span: Span,
    macros: Macros<'_>,
) -> FunctionItem {
    let mut lowerer = Lowerer {
        item: span,
        frames: Vec::new(),
        nested: Vec::new(),
        macros,
        declared: BTreeMap::new(),
        expanding: 0,
        discards: false,
        compared: None,
    };
    let body = block.map(|block| lowerer.function_body(signature, block));
    FunctionItem {
        name: crate::types::name(&signature.ident),
        signature: lower_signature(signature),
        body,
        nested: lowerer.nested,
    }
}

/// The definitions of macros, by path.
pub(crate) type Macros<'m> = &'m dyn Fn(&[String]) -> Option<String>;

/// State while one item is lowered: a frame for each body that is open, the innermost last.
struct Lowerer<'m> {
    item: Span,
    frames: Vec<Frame>,
    nested: Vec<FunctionItem>,
    macros: Macros<'m>,
    /// The texts of the macros that the function declares itself.
    declared: BTreeMap<String, String>,
    /// How many macros are being expanded, one inside another.
    expanding: u32,
    /// Whether the macro that comes next is a statement, so that nobody gets its value.
    discards: bool,
    /// What the patterns of the innermost `match` are compared with.
    compared: Option<Subject>,
}

/// What is compared with the patterns of a `match`.
struct Subject {
    /// Where it is.
    place: Place,
    /// Its text.
    text: String,
    /// The variables in it.
    roots: Vec<LocalId>,
    /// Where the comparing begins.
    block: BlockId,
}

impl Lowerer<'_> {
    fn function_body(&mut self, signature: &syn::Signature, block: &syn::Block) -> Body {
        let kind = if signature.asyncness.is_some() { BodyKind::AsyncFunction } else { BodyKind::Function };
        let output = match &signature.output {
            syn::ReturnType::Default => sessionlint_ir::TypeRef::Tuple(Vec::new()),
            syn::ReturnType::Type(_, ty) => crate::types::type_ref(ty),
        };
        self.frames.push(Frame::new(kind, Some(output), self.at(block.brace_token.span.open())));
        for input in &signature.inputs {
            match input {
                syn::FnArg::Receiver(receiver) => {
                    let span = self.at(receiver.self_token.span);
                    let ty = crate::signature::receiver_ty(receiver);
                    let local = self.frame().local(Some("self".to_owned()), span, Some(ty));
                    self.frame().params.push(local);
                    self.frame().declare(local);
                }
                syn::FnArg::Typed(typed) => {
                    self.parameter(&typed.pat, Some(crate::types::type_ref(&typed.ty)));
                }
            }
        }
        self.body_block(block);
        self.finish_frame(self.at(block.brace_token.span.join()))
    }

    /// Declares a parameter; a pattern is taken apart at the start of the body.
    fn parameter(&mut self, pattern: &syn::Pat, ty: Option<sessionlint_ir::TypeRef>) {
        match pattern {
            syn::Pat::Ident(ident) if ident.subpat.is_none() => {
                let span = self.at(ident.ident.span());
                let local = self.frame().local(Some(crate::types::name(&ident.ident)), span, ty);
                self.frame().params.push(local);
                self.frame().declare(local);
            }
            syn::Pat::Type(typed) => self.parameter(&typed.pat, Some(crate::types::type_ref(&typed.ty))),
            _ => {
                let span = self.at(pattern.span());
                let local = self.frame().local(None, span, ty);
                self.frame().params.push(local);
                self.frame().own(local);
                self.pattern(pattern, &Place::local(local), None);
            }
        }
    }

    /// Lowers the outermost block of a body, up to its return.
    fn body_block(&mut self, block: &syn::Block) {
        let end = self.at(block.brace_token.span.close());
        self.block_into(block, &Place::local(Body::RETURN));
        self.leave_body(end);
    }

    /// Ends a body whose value has been stored: drops what is left, and returns.
    fn leave_body(&mut self, end: Span) {
        let cause = DropCause::Exit { value: Place::local(Body::RETURN), how: ExitHow::Tail };
        self.frame().drop_down_to(0, &cause, end);
        let exit = self.frame().targets[0].block;
        self.frame().goto(exit);
        self.frame().current = exit;
        self.frame().terminate(Terminator::Return);
    }

    fn finish_frame(&mut self, span: Span) -> Body {
        let mut frame = self.frames.pop().expect("a frame is open");
        frame.span = span;
        frame.finish()
    }

    fn frame(&mut self) -> &mut Frame {
        self.frames.last_mut().expect("a frame is open")
    }

    /// The place in the file of a span in the parsed text.
    fn at(&self, span: SynSpan) -> Span {
        let range = span.byte_range();
        Span::new(self.item.file, self.item.start + range.start as u32, self.item.start + range.end as u32)
    }

    fn span_of(&self, node: &impl ToTokens) -> Span {
        self.at(node.span())
    }

    fn new_block(&mut self) -> BlockId {
        self.frame().new_block()
    }

    fn assign(&mut self, place: &Place, value: Rvalue, span: Span) {
        self.frame().push(StatementKind::Assign(place.clone(), value), span);
    }

    /// A temporary that lives to the end of the innermost scope.
    fn temporary(&mut self, span: Span) -> LocalId {
        let local = self.frame().local(None, span, None);
        self.frame().own(local);
        local
    }

    /// Finds a variable by name, capturing it when it belongs to a body further out.
    fn resolve(&mut self, name: &str) -> Option<LocalId> {
        let found = (0..self.frames.len()).rev().find_map(|depth| {
            let local = self.frames[depth].lookup(name)?;
            Some((depth, local))
        });
        let (depth, mut local) = found?;
        for inner in depth + 1..self.frames.len() {
            let ty = self.frames[inner - 1].locals[local.index()].ty.clone();
            let span = self.frames[inner - 1].locals[local.index()].span;
            local = self.frames[inner].capture(name, local, span, ty);
        }
        Some(local)
    }

    /// Leaves the body, or the async block that is awaited in place, by another way than its end.
    fn exit(&mut self, how: ExitHow, span: Span) {
        let target = self.frame().targets.last().expect("every body has a target").clone();
        let cause = DropCause::Exit { value: target.place.clone(), how };
        self.frame().drop_down_to(target.depth, &cause, span);
        self.frame().goto(target.block);
        let unreachable = self.new_block();
        self.frame().current = unreachable;
    }

    /// Stores the value that leaves the innermost body.
    fn store_exit(&mut self, kind: ExitKind, answer: Option<Answer>, value: Operand, span: Span) {
        let target = self.frame().targets.last().expect("every body has a target").clone();
        let value = if target.place == Place::local(Body::RETURN) {
            let answer = answer.map(|answer| self.frame().answer(answer));
            Rvalue::Exit(kind, answer, value)
        } else if kind == ExitKind::Error {
            Rvalue::Aggregate(sessionlint_ir::AggregateKind::Failure, vec![("0".to_owned(), value)])
        } else {
            Rvalue::Use(value)
        };
        self.assign(&target.place, value, span);
    }

    fn gap(&mut self, span: Span, reason: String) {
        self.frame().gaps.push(sessionlint_diagnostics::Gap { span, reason });
    }

    fn unit() -> Operand {
        Operand::Literal(Literal::Unit)
    }
}
