//! Expressions: what is evaluated, in which order, and where control goes.

use super::Lowerer;
use super::called::{block_run_here, peeled};
use super::condition::asks_for_any;
use crate::types::{name, segments};
use sessionlint_diagnostics::Span;
use sessionlint_ir::{
    AggregateKind, Body, BodyKind, Call, Callee, ExitHow, ExitKind, Literal, Operand, Place, Projection, Rvalue,
    Terminator, Test, TestRole,
};
use syn::{Expr, Member, UnOp};

impl Lowerer<'_> {
    /// The place that an expression names, when it is one and naming it evaluates nothing.
    pub(super) fn place_of(&mut self, expr: &Expr) -> Option<Place> {
        match expr {
            Expr::Path(path) => {
                let ident = path.path.get_ident()?;
                Some(Place::local(self.resolve(&name(ident))?))
            }
            Expr::Field(field) => {
                let member = match &field.member {
                    Member::Named(ident) => name(ident),
                    Member::Unnamed(index) => index.index.to_string(),
                };
                Some(self.place_of(&field.base)?.project(Projection::Field(member)))
            }
            Expr::Index(index) if matches!(*index.index, Expr::Lit(_) | Expr::Path(_)) => {
                Some(self.place_of(&index.expr)?.project(Projection::Index))
            }
            Expr::Unary(unary) if matches!(unary.op, UnOp::Deref(_)) => {
                Some(self.place_of(&unary.expr)?.project(Projection::Deref))
            }
            Expr::Paren(paren) => self.place_of(&paren.expr),
            Expr::Group(group) => self.place_of(&group.expr),
            _ => None,
        }
    }

    /// Evaluates an expression to an operand.
    pub(super) fn operand(&mut self, expr: &Expr) -> Operand {
        if let Some(place) = self.place_of(expr) {
            return Operand::Value(place);
        }
        match expr {
            Expr::Lit(lit) => Operand::Literal(match &lit.lit {
                syn::Lit::Str(text) => Literal::Text(text.value()),
                syn::Lit::Bool(value) => Literal::Bool(value.value),
                _ => super::condition::number(expr).map_or(Literal::Other, Literal::Number),
            }),
            Expr::Path(path) => match (&path.qself, path.path.segments.last()) {
                (None, Some(last)) if last.ident == "None" && super::pattern::is_standard(&path.path) => {
                    let span = self.at(last.ident.span());
                    let value = Place::local(self.temporary(span));
                    self.assign(&value, Rvalue::Aggregate(AggregateKind::Failure, Vec::new()), span);
                    Operand::Value(value)
                }
                _ => Operand::Item(segments(&path.path)),
            },
            Expr::Paren(paren) => self.operand(&paren.expr),
            Expr::Group(group) => self.operand(&group.expr),
            Expr::Reference(reference) => self.reference(&reference.expr, reference.mutability.is_some()),
            Expr::RawAddr(reference) => {
                self.reference(&reference.expr, matches!(reference.mutability, syn::PointerMutability::Mut(_)))
            }
            Expr::Tuple(tuple) if tuple.elems.is_empty() => Self::unit(),
            // The macros of libraries take texts that are put together.
            Expr::Binary(_) if joined_text(expr).is_some() => {
                Operand::Literal(Literal::Text(joined_text(expr).unwrap_or_default()))
            }
            _ => {
                let span = self.start_of(expr);
                let value = Place::local(self.temporary(span));
                self.value_into(expr, &value);
                Operand::Value(value)
            }
        }
    }

    fn reference(&mut self, expr: &Expr, mutable: bool) -> Operand {
        let reference = self.borrowed(expr, mutable);
        if let Operand::Ref { place, mutable: true } = &reference {
            let span = self.start_of(expr);
            self.frame().change(place.local, false, false, span);
        }
        reference
    }

    /// A reference through which nobody changes what it refers to.
    pub(super) fn borrowed(&mut self, expr: &Expr, mutable: bool) -> Operand {
        match self.operand(expr) {
            Operand::Value(place) => Operand::Ref { place, mutable },
            other => other,
        }
    }

    /// Evaluates an expression; its value goes to `dest`.
    pub(super) fn value_into(&mut self, expr: &Expr, dest: &Place) {
        if let Some(block) = block_run_here(expr) {
            return self.inline_block(block, dest);
        }
        match expr {
            Expr::Paren(paren) => self.value_into(&paren.expr, dest),
            Expr::Group(group) => self.value_into(&group.expr, dest),
            Expr::Block(block) => self.labelled_block(block, dest),
            Expr::Unsafe(block) => self.block_into(&block.block, dest),
            Expr::Const(block) => self.block_into(&block.block, dest),
            Expr::If(branch) => self.if_into(branch, dest),
            Expr::Match(matched) => self.match_into(matched, dest),
            Expr::Loop(looped) => self.loop_into(looped, dest),
            Expr::While(looped) => self.while_into(looped, dest),
            Expr::ForLoop(looped) => self.for_into(looped, dest),
            Expr::Return(returned) => self.return_expression(returned),
            Expr::Break(broken) => self.break_expression(broken),
            Expr::Continue(continued) => self.continue_expression(continued),
            Expr::Macro(call) if *dest != Place::local(Body::RETURN) => self.macro_into(&call.mac, dest),
            _ if *dest == Place::local(Body::RETURN) => {
                let span = self.span_of(expr);
                let (kind, answer) = self.exit_kind(expr);
                let answer = answer.map(|answer| self.frame().answer(answer));
                let value = self.operand(expr);
                self.assign(dest, Rvalue::Exit(kind, answer, value), span);
            }
            _ => self.plain_into(expr, dest),
        }
    }

    fn plain_into(&mut self, expr: &Expr, dest: &Place) {
        match expr {
            Expr::Call(call) => self.call_into(call, dest),
            Expr::MethodCall(call) => {
                let receiver = self.operand(&call.receiver);
                let args = call.args.iter().map(|arg| self.operand(arg)).collect();
                let span = self.at(call.method.span());
                let name = name(&call.method);
                self.changed_by_method(&receiver, &name, span);
                let callee = Callee::Method { receiver, name };
                let type_args = call.turbofish.as_ref().map(crate::types::generic_arguments).unwrap_or_default();
                let call = Call { callee, type_args, args, name_span: span, borrows_only: false };
                self.assign(dest, Rvalue::Call(call), span);
            }
            Expr::Await(awaited) => self.await_into(awaited, dest),
            Expr::Try(tried) => {
                let span = self.at(tried.question_token.span);
                let value = self.matched(&tried.expr);
                self.question(&value, span);
                self.assign(dest, Rvalue::Use(Operand::Value(Self::success_of(&value))), span);
            }
            Expr::Struct(literal) => {
                let span = self.span_of(&literal.path);
                let mut fields: Vec<(String, Operand)> = Vec::new();
                for field in &literal.fields {
                    let member = match &field.member {
                        Member::Named(ident) => name(ident),
                        Member::Unnamed(index) => index.index.to_string(),
                    };
                    fields.push((member, self.operand(&field.expr)));
                }
                if let Some(rest) = &literal.rest {
                    fields.push(("..".to_owned(), self.operand(rest)));
                }
                self.assign(dest, Rvalue::Aggregate(AggregateKind::Struct(segments(&literal.path)), fields), span);
            }
            Expr::Tuple(tuple) => self.aggregate_into(AggregateKind::Tuple, tuple.elems.iter(), expr, dest),
            Expr::Array(array) => self.aggregate_into(AggregateKind::Array, array.elems.iter(), expr, dest),
            Expr::Closure(closure) => self.closure_into(closure, dest),
            Expr::Async(block) => self.child_block(&block.block, BodyKind::AsyncBlock, block.capture.is_some(), dest),
            Expr::TryBlock(block) => self.inline_block(&block.block, dest),
            Expr::Assign(assign) => {
                let span = self.at(assign.eq_token.span);
                self.assignment(&assign.left, &assign.right, span);
                self.assign(dest, Rvalue::Use(Self::unit()), span);
            }
            Expr::Binary(binary) => match binary.op {
                syn::BinOp::And(_) | syn::BinOp::Or(_) => self.condition_into(expr, dest),
                _ => {
                    let span = self.start_of(expr);
                    if let Some(counted) = asks_for_any(expr) {
                        let (of, any) = (self.read_only(counted.what), counted.any);
                        return self.assign(dest, Rvalue::Any { of, any }, span);
                    }
                    let left = self.read_only(&binary.left);
                    let right = self.read_only(&binary.right);
                    if let Operand::Ref { place, .. } = &left {
                        self.assigned_by_operator(place, binary, &right, span);
                    }
                    self.assign(dest, Rvalue::Opaque(vec![left, right]), span);
                }
            },
            Expr::Unary(unary) => {
                let span = self.start_of(expr);
                if matches!(unary.op, UnOp::Deref(_)) {
                    let value = self.operand(&unary.expr);
                    let value = match value {
                        Operand::Value(place) | Operand::Ref { place, .. } => {
                            Operand::Value(place.project(Projection::Deref))
                        }
                        other => other,
                    };
                    return self.assign(dest, Rvalue::Use(value), span);
                }
                let value = self.read_only(&unary.expr);
                let value = match unary.op {
                    UnOp::Not(_) => Rvalue::Any { of: value, any: false },
                    _ => Rvalue::Opaque(vec![value]),
                };
                self.assign(dest, value, span);
            }
            Expr::Field(field) => {
                let member = match &field.member {
                    Member::Named(ident) => name(ident),
                    Member::Unnamed(index) => index.index.to_string(),
                };
                let span = self.start_of(expr);
                let base = self.matched(&field.base);
                self.assign(dest, Rvalue::Use(Operand::Value(base.project(Projection::Field(member)))), span);
            }
            Expr::Index(index) => {
                let span = self.start_of(expr);
                let base = self.matched(&index.expr);
                self.operand(&index.index);
                self.assign(dest, Rvalue::Use(Operand::Value(base.project(Projection::Index))), span);
            }
            Expr::Cast(cast) => {
                let span = self.at(cast.as_token.span);
                let value = self.operand(&cast.expr);
                // A value behind a pointer is the same one, whatever it is called: `Arc::new(x) as Arc<dyn Trait>`.
                let value = match keeps_value(&cast.ty) {
                    true => Rvalue::Use(value),
                    false => Rvalue::Opaque(vec![value]),
                };
                self.assign(dest, value, span);
            }
            Expr::Range(range) => {
                let span = self.start_of(expr);
                let ends = [&range.start, &range.end].into_iter().flatten();
                let operands = ends.map(|end| self.read_only(end)).collect();
                self.assign(dest, Rvalue::Opaque(operands), span);
            }
            Expr::Repeat(repeat) => {
                let span = self.start_of(expr);
                let value = self.operand(&repeat.expr);
                self.assign(dest, Rvalue::Opaque(vec![value]), span);
            }
            Expr::Yield(yielded) => {
                let span = self.at(yielded.yield_token.span);
                let value = yielded.expr.as_ref().map(|value| self.operand(value));
                self.assign(dest, Rvalue::Opaque(value.into_iter().collect()), span);
            }
            Expr::Let(matched) => {
                let place = self.matched(&matched.expr);
                self.pattern(&matched.pat, &place, None);
            }
            Expr::Lit(_) | Expr::Path(_) | Expr::Reference(_) | Expr::RawAddr(_) => {
                let span = self.start_of(expr);
                let value = self.operand(expr);
                self.assign(dest, Rvalue::Use(value), span);
            }
            Expr::Infer(_) => {
                let span = self.start_of(expr);
                self.assign(dest, Rvalue::Opaque(Vec::new()), span);
            }
            _ => {
                let span = self.start_of(expr);
                let shown: String = quote::ToTokens::to_token_stream(expr).to_string().chars().take(40).collect();
                self.gap(span, format!("this expression is not understood: `{shown}`"));
                self.assign(dest, Rvalue::Opaque(Vec::new()), span);
            }
        }
    }

    /// An operand that is looked at and stays where it is.
    fn read_only(&mut self, expr: &Expr) -> Operand {
        match self.operand(expr) {
            Operand::Value(place) => Operand::Ref { place, mutable: false },
            other => other,
        }
    }

    fn aggregate_into<'a>(
        &mut self,
        kind: AggregateKind,
        parts: impl Iterator<Item = &'a Expr>,
        expr: &Expr,
        dest: &Place,
    ) {
        let span = self.start_of(expr);
        let fields = parts.enumerate().map(|(index, part)| (index.to_string(), self.operand(part))).collect();
        self.assign(dest, Rvalue::Aggregate(kind, fields), span);
    }

    fn await_into(&mut self, awaited: &syn::ExprAwait, dest: &Place) {
        let span = self.at(awaited.await_token.span);
        let future = self.operand(peeled(&awaited.base));
        self.assign(dest, Rvalue::Await { future, race: sessionlint_ir::Race::None }, span);
    }

    /// `?`: leaves with the error, or goes on.
    fn question(&mut self, value: &Place, span: Span) {
        let (ok, err) = (self.new_block(), self.new_block());
        let test = Test::Success(value.clone());
        self.frame().terminate(Terminator::Test { test, yes: ok, no: err, span, role: TestRole::Propagated });
        self.frame().current = err;
        self.store_exit(ExitKind::Error, None, Operand::Value(value.project(Projection::Failure)), span);
        self.exit(ExitHow::Propagated, span);
        self.frame().current = ok;
    }

    fn assignment(&mut self, left: &Expr, right: &Expr, span: Span) {
        if let Expr::Tuple(tuple) = left {
            let value = self.matched(right);
            for (index, part) in tuple.elems.iter().enumerate() {
                if let Some(place) = self.place_of(part) {
                    self.frame().mark_reassigned(place.local);
                    let from = Operand::Value(value.project(Projection::Field(index.to_string())));
                    self.assign(&place, Rvalue::Use(from), span);
                }
            }
            return;
        }
        if matches!(left, Expr::Infer(_)) {
            self.operand(right);
            return;
        }
        match self.place_of(left) {
            Some(place) => {
                self.frame().mark_reassigned(place.local);
                let value = Place::local(self.temporary(span));
                self.value_into(right, &value);
                self.assign(&place, Rvalue::Use(Operand::Value(value)), span);
            }
            None => {
                let target = self.read_only(left);
                let value = self.operand(right);
                let unknown = Place::local(self.frame().local(None, span, None));
                self.assign(&unknown, Rvalue::Opaque(vec![target, value]), span);
            }
        }
    }

    /// The first token of an expression: cheap, and enough for temporaries.
    pub(super) fn start_of(&self, expr: &Expr) -> Span {
        let mut expr = expr;
        loop {
            expr = match expr {
                Expr::MethodCall(call) => return self.at(call.method.span()),
                Expr::Call(call) => &call.func,
                Expr::Await(awaited) => &awaited.base,
                Expr::Try(tried) => &tried.expr,
                Expr::Field(field) => &field.base,
                Expr::Binary(binary) => &binary.left,
                Expr::Group(group) => &group.expr,
                Expr::Index(index) => &index.expr,
                Expr::Cast(cast) => &cast.expr,
                Expr::Unary(unary) => return self.span_of(&unary.op),
                Expr::If(branch) => return self.at(branch.if_token.span),
                Expr::Match(matched) => return self.at(matched.match_token.span),
                Expr::Block(block) => return self.at(block.block.brace_token.span.open()),
                Expr::Paren(paren) => return self.at(paren.paren_token.span.open()),
                Expr::Reference(reference) => return self.at(reference.and_token.spans[0]),
                Expr::Async(block) => return self.at(block.async_token.span),
                Expr::Macro(call) => return self.span_of(&call.mac.path),
                Expr::Struct(literal) => return self.span_of(&literal.path),
                Expr::Closure(closure) => return self.at(closure.inputs_begin.span),
                Expr::Path(_) | Expr::Lit(_) => return self.span_of(expr),
                _ => return Span::new(self.item.file, self.item.start, self.item.start),
            };
        }
    }
}

/// A text, or several texts with `+` between them.
fn joined_text(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) => Some(text.value()),
        Expr::Group(group) => joined_text(&group.expr),
        Expr::Paren(paren) => joined_text(&paren.expr),
        Expr::Binary(binary) if matches!(binary.op, syn::BinOp::Add(_)) => {
            Some(joined_text(&binary.left)? + &joined_text(&binary.right)?)
        }
        _ => None,
    }
}

/// Whether a cast to this type is another name for the same value: not to a number or other primitive type.
fn keeps_value(ty: &syn::Type) -> bool {
    match ty {
        syn::Type::Path(path) => match path.path.segments.last() {
            Some(last) => last.ident.to_string().starts_with(char::is_uppercase),
            None => false,
        },
        syn::Type::Reference(_) => true,
        _ => false,
    }
}
