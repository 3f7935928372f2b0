//! What is called, and what runs apart from the body around it? Calls, closures, blocks that keep their exits to themselves.

use super::Lowerer;
use super::frame::Frame;
use crate::types::{name, segments};
use sessionlint_diagnostics::Span;
use sessionlint_ir::{AggregateKind, Body, BodyKind, Call, Callee, Operand, Place, Rvalue, TypeRef};
use syn::Expr;

impl Lowerer<'_> {
    pub(super) fn call_into(&mut self, call: &syn::ExprCall, dest: &Place) {
        let callee = match &*call.func {
            Expr::Path(path) => {
                let local = path.path.get_ident().and_then(|ident| self.resolve(&name(ident)));
                match local {
                    Some(local) => Callee::Value(Operand::Ref { place: Place::local(local), mutable: false }),
                    None => Callee::Path { segments: segments(&path.path), qualifier: qualifier(path) },
                }
            }
            other => Callee::Value(self.operand(other)),
        };
        let args: Vec<Operand> = call.args.iter().map(|arg| self.operand(arg)).collect();
        let span = match &*call.func {
            Expr::Path(path) => {
                path.path.segments.last().map_or_else(|| self.start_of(&call.func), |s| self.at(s.ident.span()))
            }
            other => self.start_of(other),
        };
        let last = match (&callee, &*call.func) {
            (Callee::Path { segments, .. }, Expr::Path(path)) if super::pattern::is_standard(&path.path) => {
                segments.last().map(String::as_str)
            }
            _ => None,
        };
        let value = match (last, args.len()) {
            (Some("Ok" | "Some"), 1) => {
                Rvalue::Aggregate(AggregateKind::Success, vec![("0".to_owned(), args[0].clone())])
            }
            (Some("Err"), 1) => Rvalue::Aggregate(AggregateKind::Failure, vec![("0".to_owned(), args[0].clone())]),
            _ => {
                let type_args = match &*call.func {
                    Expr::Path(path) => path.path.segments.last().map(|last| crate::types::arguments(&last.arguments)),
                    _ => None,
                };
                let type_args = type_args.unwrap_or_default();
                Rvalue::Call(Call { callee, type_args, args, name_span: span, borrows_only: false })
            }
        };
        self.assign(dest, value, span);
    }

    /// A block whose `?` and `return` leave only the block.
    pub(super) fn inline_block(&mut self, block: &syn::Block, dest: &Place) {
        // At the end of a body its exits are those of the body.
        let is_tail = *dest == Place::local(Body::RETURN);
        let span = self.at(block.brace_token.span.open());
        let value = if is_tail { dest.clone() } else { Place::local(self.temporary(span)) };
        let end = self.new_block();
        let depth = self.frame().scope_depth();
        self.frame().targets.push(super::frame::Target { place: value.clone(), block: end, depth });
        self.block_into(block, &value);
        self.frame().targets.pop();
        self.frame().goto(end);
        self.frame().current = end;
        if !is_tail {
            self.assign(dest, Rvalue::Use(Operand::Value(value)), span);
        }
    }

    pub(super) fn closure_into(&mut self, closure: &syn::ExprClosure, dest: &Place) {
        let span = self.at(closure.inputs_begin.span);
        let kind = if closure.asyncness.is_some() { BodyKind::AsyncClosure } else { BodyKind::Closure };
        let output = match &closure.output {
            syn::ReturnType::Default => None,
            syn::ReturnType::Type(_, ty) => Some(crate::types::type_ref(ty)),
        };
        self.frames.push(Frame::new(kind, output, span));
        for input in &closure.inputs {
            self.parameter(input, None);
        }
        let end = self.span_of(&closure.body);
        match &*closure.body {
            Expr::Block(block) if block.label.is_none() => self.body_block(&block.block),
            body => {
                self.frame().push_scope();
                self.value_into(body, &Place::local(Body::RETURN));
                let end = Span::new(end.file, end.end.saturating_sub(1), end.end);
                self.leave_body(end);
            }
        }
        let child = self.finish_frame(end);
        self.finish_child(child, closure.capture.is_some(), dest, span);
    }

    /// An async block, or another block that runs on its own.
    pub(super) fn child_block(&mut self, block: &syn::Block, kind: BodyKind, by_move: bool, dest: &Place) {
        let span = self.at(block.brace_token.span.open());
        self.frames.push(Frame::new(kind, None, span));
        self.body_block(block);
        let child = self.finish_frame(self.at(block.brace_token.span.join()));
        self.finish_child(child, by_move, dest, span);
    }

    fn finish_child(&mut self, child: Body, by_move: bool, dest: &Place, span: Span) {
        self.changed_by_child(&child, span);
        self.frame().children.push(child);
        let child = self.frame().children.len() - 1;
        self.assign(dest, Rvalue::Closure { child, by_move }, span);
    }
}

/// The async block that is awaited where it stands, and that of the closure without arguments that is called there: they run like any
/// block, but keep their exits to themselves.
pub(super) fn block_run_here(expr: &Expr) -> Option<&syn::Block> {
    match expr {
        Expr::Await(awaited) => match peeled(&awaited.base) {
            Expr::Async(block) => Some(&block.block),
            _ => None,
        },
        Expr::Call(call) if call.args.is_empty() => match peeled(&call.func) {
            Expr::Closure(closure) if closure.inputs.is_empty() && closure.asyncness.is_none() => {
                match &*closure.body {
                    Expr::Block(block) if block.label.is_none() => Some(&block.block),
                    _ => None,
                }
            }
            _ => None,
        },
        _ => None,
    }
}

/// The type of `<T>::f` and `<T as Trait>::f`.
fn qualifier(path: &syn::ExprPath) -> Option<TypeRef> {
    path.qself.as_ref().map(|qself| crate::types::type_ref(&qself.ty))
}

/// Whether an expression has several ways through it.
pub(super) fn has_ways(expr: &Expr) -> bool {
    let expr = peeled(expr);
    matches!(expr, Expr::If(_) | Expr::Match(_) | Expr::Block(_)) || block_run_here(expr).is_some()
}

pub(super) fn peeled(expr: &Expr) -> &Expr {
    match expr {
        Expr::Paren(paren) => peeled(&paren.expr),
        Expr::Group(group) => peeled(&group.expr),
        expr => expr,
    }
}
