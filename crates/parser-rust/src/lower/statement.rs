//! Statements and blocks: scopes, `let`, `let … else`, items inside bodies, `#[cfg]`.

use super::Lowerer;
use super::exits::told_by;
use super::frame::Stable;
use sessionlint_ir::{DropCause, ExitKind, Operand, Place, Rvalue, TestRole};
use syn::{Expr, Item, Local, Pat, Stmt};

impl Lowerer<'_> {
    /// Lowers a block; its value goes to `dest`.
    pub(super) fn block_into(&mut self, block: &syn::Block, dest: &Place) {
        let end = self.at(block.brace_token.span.close());
        self.statements_into(&block.stmts, dest, end);
    }

    /// Lowers statements in a scope of their own, which ends at `end`.
    pub(super) fn statements_into(&mut self, stmts: &[Stmt], dest: &Place, end: sessionlint_diagnostics::Span) {
        self.frame().push_scope();
        let last = stmts.len().wrapping_sub(1);
        let values = trailing_alternatives(stmts);
        let told_around = std::mem::take(&mut self.frame().told);
        for (index, statement) in stmts.iter().enumerate() {
            match statement {
                // `#[cfg(a)] { .. } #[cfg(not(a))] { .. }`: each of them may be the value.
                Stmt::Expr(expr, None) if index >= values => self.under_cfg(expression_attributes(expr), |lowerer| {
                    lowerer.frame().push_scope();
                    lowerer.value_into(expr, dest);
                    lowerer.frame().pop_scope(DropCause::ScopeEnd { value: Some(dest.clone()) }, end);
                }),
                Stmt::Expr(expr, None) if index == last => {
                    self.frame().push_scope();
                    self.value_into(expr, dest);
                    self.frame().pop_scope(DropCause::ScopeEnd { value: Some(dest.clone()) }, end);
                }
                Stmt::Macro(call) if index == last && call.semi_token.is_none() => {
                    self.frame().push_scope();
                    self.macro_into(&call.mac, dest);
                    self.frame().pop_scope(DropCause::ScopeEnd { value: Some(dest.clone()) }, end);
                }
                _ => self.statement(statement),
            }
            self.frame().told.extend(told_by(statement));
        }
        self.frame().told = told_around;
        let is_body = *dest == Place::local(sessionlint_ir::Body::RETURN) && self.frame().scope_depth() == 2;
        if is_body {
            // The scope is left open: leaving the body drops it, together with the parameters.
            return;
        }
        self.frame().pop_scope(DropCause::ScopeEnd { value: Some(dest.clone()) }, end);
    }

    pub(super) fn statement(&mut self, statement: &Stmt) {
        let attributes = match statement {
            Stmt::Local(local) => &local.attrs,
            Stmt::Macro(call) => &call.attrs,
            Stmt::Expr(expr, _) => expression_attributes(expr),
            Stmt::Item(_) => &[],
        };
        self.under_cfg(attributes, |lowerer| {
            let known = lowerer.frame().names_here();
            lowerer.plain_statement(statement);
            if matches!(statement, Stmt::Local(_)) && attributes.iter().any(|one| one.path().is_ident("cfg")) {
                lowerer.one_of_several(known);
            }
        });
    }

    /// The variables that this scope has since it had `known` names were declared under `#[cfg]`: one whose name was there already
    /// is that variable, with another value, where the condition holds.
    fn one_of_several(&mut self, known: usize) {
        for (name, local) in self.frame().names_since(known) {
            let Some(before) = self.frame().renamed(&name, local, known) else { continue };
            let span = self.frame().locals[local.index()].span;
            self.assign(&Place::local(before), Rvalue::Use(Operand::Value(Place::local(local))), span);
        }
    }

    /// Lowers what stands behind attributes: under a condition when one of them is `#[cfg]`, not at all in test code.
    fn under_cfg(&mut self, attributes: &[syn::Attribute], lower: impl FnOnce(&mut Self)) {
        let Some(cfg) = attributes.iter().find(|attribute| attribute.path().is_ident("cfg")) else {
            return lower(self);
        };
        let Ok(predicate) = cfg.parse_args::<proc_macro2::TokenStream>() else {
            return lower(self);
        };
        let mut key = predicate.to_string();
        if key == "test" {
            return;
        }
        let mut negated = false;
        while let Some(inner) = key.strip_prefix("not").map(str::trim).and_then(|rest| rest.strip_prefix('(')) {
            key = inner.trim_end().trim_end_matches(')').trim().to_owned();
            negated = !negated;
        }
        let span = self.span_of(cfg);
        let (inside, after) = (self.new_block(), self.new_block());
        let condition = Stable { key: format!("cfg {key}"), negated, roots: Vec::new(), value: None };
        self.frame().test_condition(condition, inside, after, span);
        self.frame().current = inside;
        lower(self);
        self.frame().goto(after);
        self.frame().current = after;
    }

    fn plain_statement(&mut self, statement: &Stmt) {
        match statement {
            Stmt::Local(local) => self.let_statement(local),
            Stmt::Item(item) => self.inner_item(item),
            Stmt::Macro(call) if self.pinned(&call.mac) => {}
            Stmt::Macro(call) => {
                self.frame().push_scope();
                let span = self.span_of(&call.mac.path);
                let value = Place::local(self.temporary(span));
                self.discards = true;
                self.macro_into(&call.mac, &value);
                self.frame().pop_scope(DropCause::Statement { wildcard: false }, span);
            }
            Stmt::Expr(expr, semi) => {
                let end = match semi {
                    Some(semi) => self.at(semi.span),
                    None => self.span_of(expr),
                };
                self.frame().push_scope();
                let wildcard = is_discarding_assignment(expr);
                self.discard(expr);
                self.frame().pop_scope(DropCause::Statement { wildcard }, end);
            }
        }
    }

    /// Evaluates an expression for what it does.
    fn discard(&mut self, expr: &Expr) {
        if let Expr::Assign(assign) = expr
            && matches!(*assign.left, Expr::Infer(_))
        {
            return self.discard(&assign.right);
        }
        if self.place_of(expr).is_none() {
            let span = self.start_of(expr);
            let value = Place::local(self.temporary(span));
            self.value_into(expr, &value);
        }
    }

    fn let_statement(&mut self, local: &Local) {
        let span = self.at(local.let_token.span);
        let end = self.at(local.semi_token.span);
        let (pattern, ty) = match &local.pat {
            Pat::Type(typed) => (&*typed.pat, Some(crate::types::type_ref(&typed.ty))),
            pattern => (pattern, None),
        };
        let Some(init) = &local.init else {
            self.pattern(&local.pat, &Place::local(sessionlint_ir::Body::RETURN), None);
            return;
        };
        let scope = self.frame().scope_depth() - 1;
        self.frame().push_scope();
        match pattern {
            Pat::Ident(ident) if ident.subpat.is_none() && init.diverge.is_none() && ident.by_ref.is_none() => {
                let at = self.at(ident.ident.span());
                let variable = self.frame().local(Some(crate::types::name(&ident.ident)), at, ty);
                self.extended_into(&init.expr, &Place::local(variable));
                self.frame().pop_scope(DropCause::Statement { wildcard: false }, end);
                self.frame().declare(variable);
                return;
            }
            Pat::Wild(_) => {
                self.discard(&init.expr);
                self.frame().pop_scope(DropCause::Statement { wildcard: true }, end);
                return;
            }
            _ => {}
        }
        let matched = match self.place_of(&init.expr) {
            Some(place) => place,
            None => {
                let temporary = self.frame().local(None, span, ty);
                self.frame().own(temporary);
                self.value_into(&init.expr, &Place::local(temporary));
                Place::local(temporary)
            }
        };
        let fail = init.diverge.as_ref().map(|_| self.new_block());
        if fail.is_some() {
            self.mark_flag(&init.expr, None);
        }
        let tested_from = self.frame().begin_test();
        match fail {
            Some(fail) => self.pattern_at_as(TestRole::Unless, pattern, &matched, fail, scope),
            None => self.pattern_at(pattern, &matched, None, scope),
        }
        let goes_on = init.diverge.as_ref().is_some_and(|(_, diverge)| super::control::only_logs(diverge));
        if goes_on && super::sides::is_success_pattern(pattern) {
            self.frame().mark_ignored(tested_from, true);
        }
        let temporaries = self.frame().scope_drops();
        let wildcard = has_wildcard(pattern);
        self.frame().pop_scope(DropCause::Statement { wildcard }, end);
        if let (Some((_, diverge)), Some(fail)) = (&init.diverge, fail) {
            let after = self.new_block();
            self.frame().goto(after);
            self.frame().current = fail;
            self.frame().drop_all(temporaries, DropCause::Statement { wildcard: false }, span);
            let error_arm = u32::from(super::sides::is_success_pattern(pattern));
            self.frame().error_arms += error_arm;
            self.frame().branches += 1;
            let never = Place::local(self.frame().local(None, span, None));
            self.value_into(diverge, &never);
            self.frame().branches -= 1;
            self.frame().error_arms -= error_arm;
            self.frame().terminate(sessionlint_ir::Terminator::Diverge);
            self.frame().current = after;
        }
    }

    /// Evaluates an initialiser: a temporary behind `&` lives as long as the variable.
    fn extended_into(&mut self, expr: &Expr, dest: &Place) {
        match expr {
            Expr::Reference(reference) if self.place_of(&reference.expr).is_none() => {
                let span = self.at(reference.and_token.span);
                let temporary = self.frame().local(None, span, None);
                self.frame().own_in_parent(temporary);
                self.extended_into(&reference.expr, &Place::local(temporary));
                let mutable = reference.mutability.is_some();
                let value = sessionlint_ir::Operand::Ref { place: Place::local(temporary), mutable };
                self.assign(dest, Rvalue::Use(value), span);
            }
            Expr::Paren(paren) => self.extended_into(&paren.expr, dest),
            _ => self.value_into(expr, dest),
        }
    }

    fn inner_item(&mut self, item: &Item) {
        match item {
            Item::Fn(function) => {
                let lowered = super::function(&function.sig, Some(&function.block), self.item, self.macros);
                self.nested.push(lowered);
            }
            Item::Use(used) => {
                let mut found = Vec::new();
                crate::signature::use_tree(&used.tree, &mut Vec::new(), &mut found);
                self.frame().imports.extend(found);
            }
            Item::Macro(syn::ItemMacro { ident: Some(ident), mac, .. }) => {
                let rules = proc_macro2::Group::new(proc_macro2::Delimiter::Brace, mac.tokens.clone());
                self.declared.insert(crate::types::name(ident), rules.to_string());
            }
            Item::Const(item) => self.inner_constant(&item.ident, &item.ty, &item.expr),
            Item::Static(item) => self.inner_constant(&item.ident, &item.ty, &item.expr),
            _ => {}
        }
    }

    /// A constant of a function is a variable with that value.
    fn inner_constant(&mut self, ident: &syn::Ident, ty: &syn::Type, value: &Expr) {
        let at = self.at(ident.span());
        let variable = self.frame().local(Some(crate::types::name(ident)), at, Some(crate::types::type_ref(ty)));
        self.extended_into(value, &Place::local(variable));
        self.frame().declare(variable);
    }

    /// `return value` in statement or expression position.
    pub(super) fn return_expression(&mut self, returned: &syn::ExprReturn) {
        let span = self.span_of(returned);
        // Each way through it has an exit of its own kind.
        if let Some(expr) = returned.expr.as_deref().filter(|expr| super::called::has_ways(expr)) {
            let target = self.frame().targets.last().expect("every body has a target").place.clone();
            self.value_into(expr, &target);
            return self.exit(sessionlint_ir::ExitHow::Return, span);
        }
        let (kind, answer) = match &returned.expr {
            Some(expr) => self.exit_kind(expr),
            None => (ExitKind::Success, Some(self.answer_of(None))),
        };
        let value = returned.expr.as_ref().map_or_else(Self::unit, |expr| self.operand(expr));
        self.store_exit(kind, answer, value, span);
        self.exit(sessionlint_ir::ExitHow::Return, span);
    }
}

/// Where the expressions at the end of a block begin that are its value, each under a `#[cfg]` of its own.
fn trailing_alternatives(stmts: &[Stmt]) -> usize {
    let is_one = |statement: &&Stmt| match statement {
        Stmt::Expr(expr, None) => expression_attributes(expr).iter().any(|attribute| attribute.path().is_ident("cfg")),
        _ => false,
    };
    stmts.len() - stmts.iter().rev().take_while(is_one).count()
}

fn is_discarding_assignment(expr: &Expr) -> bool {
    matches!(expr, Expr::Assign(assign) if matches!(*assign.left, Expr::Infer(_)))
}

fn has_wildcard(pattern: &Pat) -> bool {
    match pattern {
        Pat::Wild(_) => true,
        Pat::Tuple(tuple) => tuple.elems.iter().any(has_wildcard),
        Pat::TupleStruct(tuple) => tuple.elems.iter().any(has_wildcard),
        Pat::Paren(paren) => has_wildcard(&paren.pat),
        _ => false,
    }
}

fn expression_attributes(expr: &Expr) -> &[syn::Attribute] {
    match expr {
        Expr::Block(expr) => &expr.attrs,
        Expr::If(expr) => &expr.attrs,
        Expr::Match(expr) => &expr.attrs,
        Expr::MethodCall(expr) => &expr.attrs,
        Expr::Call(expr) => &expr.attrs,
        Expr::Await(expr) => &expr.attrs,
        Expr::Try(expr) => &expr.attrs,
        Expr::Return(expr) => &expr.attrs,
        Expr::Assign(expr) => &expr.attrs,
        Expr::ForLoop(expr) => &expr.attrs,
        Expr::Macro(expr) => &expr.attrs,
        _ => &[],
    }
}
