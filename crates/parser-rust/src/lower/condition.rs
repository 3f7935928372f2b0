//! Conditions: short circuits, `let` chains, and conditions that are tested more than once.

use super::frame::Stable;
use super::{Lowerer, Subject};
use quote::ToTokens;
use sessionlint_ir::{BlockId, DropCause, Flag, Literal, LocalId, Operand, Place, Terminator, Test, TestRole};
use syn::{BinOp, Expr, Pat, UnOp};

impl Lowerer<'_> {
    /// Lowers a condition: control goes to `yes` when it holds, else to `no`.
    pub(super) fn condition(&mut self, expr: &Expr, yes: BlockId, no: BlockId) {
        match expr {
            Expr::Paren(paren) => self.condition(&paren.expr, yes, no),
            Expr::Group(group) => self.condition(&group.expr, yes, no),
            Expr::Unary(unary) if matches!(unary.op, UnOp::Not(_)) => self.condition(&unary.expr, no, yes),
            Expr::Binary(binary) if matches!(binary.op, BinOp::And(_)) => {
                let right = self.new_block();
                self.condition(&binary.left, right, no);
                self.frame().current = right;
                self.condition(&binary.right, yes, no);
            }
            Expr::Binary(binary) if matches!(binary.op, BinOp::Or(_)) => {
                let right = self.new_block();
                self.condition(&binary.left, yes, right);
                self.frame().current = right;
                self.condition(&binary.right, yes, no);
            }
            Expr::Let(matched) => {
                let place = self.matched(&matched.expr);
                self.mark_flag(&matched.expr, None);
                self.compare(&matched.expr, &place, &matched.pat, no);
                self.frame().goto(yes);
            }
            Expr::Macro(call) if call.mac.path.is_ident("matches") => match super::macros::matches_arguments(&call.mac)
            {
                Some((value, pattern)) => {
                    let place = self.matched(&value);
                    self.mark_flag(&value, None);
                    self.frame().push_scope();
                    self.compare(&value, &place, &pattern, no);
                    let span = self.span_of(&call.mac.path);
                    self.frame().pop_scope(DropCause::ScopeEnd { value: None }, span);
                    self.frame().goto(yes);
                }
                None => self.value_condition(expr, yes, no),
            },
            Expr::MethodCall(call) if call.args.is_empty() && variant_test(&call.method.to_string()).is_some() => {
                let success = variant_test(&call.method.to_string()).expect("checked by the guard");
                let span = self.span_of(expr);
                let place = self.matched(&call.receiver);
                self.mark_flag(&call.receiver, None);
                self.frame().ask(names_of(expr).0, false);
                let test = if success { Test::Success(place) } else { Test::Failure(place) };
                self.tested(test, yes, no, span);
            }
            Expr::Lit(syn::ExprLit { lit: syn::Lit::Bool(value), .. }) => {
                self.frame().goto(if value.value { yes } else { no });
            }
            _ => self.value_condition(expr, yes, no),
        }
    }

    /// Ends the current block with a test.
    pub(super) fn tested(&mut self, test: Test, yes: BlockId, no: BlockId, span: sessionlint_diagnostics::Span) {
        let (role, span) = (self.frame().role, self.frame().whole.unwrap_or(span));
        self.frame().terminate(Terminator::Test { test, yes, no, span, role });
    }

    /// Marks the current block, which ends with a test of whether something is set, or there is any of it.
    pub(super) fn mark_flag(&mut self, expr: &Expr, any: Option<bool>) {
        match expr {
            Expr::Paren(paren) => self.mark_flag(&paren.expr, any),
            Expr::Reference(reference) => self.mark_flag(&reference.expr, any),
            // The number in a type around it.
            Expr::Field(field) if matches!(&field.member, syn::Member::Unnamed(index) if index.index == 0) => {
                self.mark_flag(&field.base, any);
            }
            // What is counted in a field: only that the variable changed is known.
            Expr::Field(field) => self.mark_flag(&field.base, None),
            Expr::MethodCall(call) if call.args.is_empty() && shows(&call.method.to_string()) => {
                self.mark_flag(&call.receiver, any);
            }
            Expr::Path(path) => {
                if let Some(ident) = path.path.get_ident()
                    && let Some(local) = self.resolve(&crate::types::name(ident))
                {
                    let block = self.frame().current;
                    self.frame().flags.insert(block, Flag { local, any, rows_only: false });
                }
            }
            _ => {}
        }
    }

    /// The same where it is known whether only rows are counted.
    fn mark_counted(&mut self, what: &Expr, any: bool, rows_only: bool) {
        self.mark_flag(what, Some(any));
        let block = self.frame().current;
        if let Some(flag) = self.frame().flags.get_mut(&block) {
            flag.rows_only = rows_only;
        }
    }

    fn value_condition(&mut self, expr: &Expr, yes: BlockId, no: BlockId) {
        let span = self.span_of(expr);
        let (names, negated) = names_of(expr);
        if let Some(place) = self.place_of(expr) {
            self.mark_flag(expr, None);
            self.frame().ask(names, negated);
            return self.tested(Test::Bool(place), yes, no, span);
        }
        let mut roots = Vec::new();
        if self.is_stable(expr, &mut roots) {
            if let Some(Counted { what, any, rows_only }) = asks_for_any(expr) {
                self.mark_counted(what, any, rows_only);
            }
            self.frame().ask(names, negated);
            let (mut key, negated) = condition_key(expr);
            let compared = compared_value(expr);
            let value = compared.as_ref().map(|(text, _)| (text.clone(), self.frame().current));
            if let Some((text, literal)) = compared {
                key = value_key(&text, &literal);
            }
            return self.frame().test_condition(Stable { key, negated, roots, value }, yes, no, span);
        }
        if let Some(Counted { what, any, rows_only }) = asks_for_any(expr) {
            if self.place_of(what).is_some() {
                self.mark_counted(what, any, rows_only);
                self.frame().ask(names, negated);
                return self.tested(Test::Opaque, yes, no, span);
            }
            // What is counted is a value of its own: `result.rows_affected() == 0`.
            self.frame().push_scope();
            let operand = self.operand(what);
            let local = self.frame().local(None, span, None);
            self.assign(&Place::local(local), sessionlint_ir::Rvalue::Use(operand), span);
            self.frame().pop_scope(DropCause::Statement { wildcard: false }, span);
            let block = self.frame().current;
            self.frame().flags.insert(block, Flag { local, any: Some(any), rows_only });
            self.frame().ask(names, negated);
            return self.tested(Test::Opaque, yes, no, span);
        }
        self.frame().push_scope();
        let operand = self.operand(expr);
        let value = self.frame().local(None, span, None);
        self.assign(&Place::local(value), sessionlint_ir::Rvalue::Use(operand), span);
        self.frame().pop_scope(DropCause::Statement { wildcard: false }, span);
        self.frame().ask(names, negated);
        self.tested(Test::Bool(Place::local(value)), yes, no, span);
    }

    /// Tests a place against a pattern, going to `no` when it does not match; `expr` is what the place holds.
    fn compare(&mut self, expr: &Expr, place: &Place, pattern: &Pat, no: BlockId) {
        let subject = self.subject(expr, place);
        let around = std::mem::replace(&mut self.compared, subject);
        // The pattern of `while let` belongs to its loop.
        let role = match self.frame().role {
            TestRole::Branch => TestRole::Pattern,
            around => around,
        };
        self.pattern_as(role, pattern, place, no);
        self.compared = around;
    }

    /// What the literals of patterns are compared with, when comparing it twice gives the same answer.
    pub(super) fn subject(&mut self, expr: &Expr, place: &Place) -> Option<Subject> {
        let mut roots = Vec::new();
        let stable = self.is_stable(expr, &mut roots);
        stable.then(|| Subject {
            place: place.clone(),
            text: expr.to_token_stream().to_string(),
            roots,
            block: self.frame().current,
        })
    }

    /// Whether the condition only compares variables, fields and literals, so that testing it twice gives
    /// the same answer as long as nothing assigns to `roots`.
    fn is_stable(&mut self, expr: &Expr, roots: &mut Vec<LocalId>) -> bool {
        match expr {
            Expr::Lit(_) => true,
            Expr::Path(path) => {
                if let Some(ident) = path.path.get_ident()
                    && let Some(local) = self.resolve(&crate::types::name(ident))
                {
                    roots.push(local);
                }
                true
            }
            Expr::Field(field) => self.is_stable(&field.base, roots),
            Expr::Paren(paren) => self.is_stable(&paren.expr, roots),
            Expr::Reference(reference) => self.is_stable(&reference.expr, roots),
            Expr::Unary(unary) => self.is_stable(&unary.expr, roots),
            Expr::Binary(binary) => {
                matches!(
                    binary.op,
                    BinOp::Eq(_) | BinOp::Ne(_) | BinOp::Lt(_) | BinOp::Le(_) | BinOp::Gt(_) | BinOp::Ge(_)
                ) && self.is_stable(&binary.left, roots)
                    && self.is_stable(&binary.right, roots)
            }
            Expr::MethodCall(call) => {
                call.args.is_empty()
                    && matches!(call.method.to_string().as_str(), "is_empty" | "len" | "as_str" | "as_ref" | "as_deref")
                    && self.is_stable(&call.receiver, roots)
            }
            _ => false,
        }
    }

    /// The place that a pattern is matched against; a value gets a temporary.
    pub(super) fn matched(&mut self, expr: &Expr) -> Place {
        if let Some(place) = self.place_of(expr) {
            return place;
        }
        let span = self.start_of(expr);
        let operand = match expr {
            // Looking at what is inside changes nothing.
            Expr::Reference(reference) => self.borrowed(&reference.expr, reference.mutability.is_some()),
            _ => self.operand(expr),
        };
        match operand {
            Operand::Value(place) => place,
            other => {
                let temporary = Place::local(self.temporary(span));
                self.assign(&temporary, sessionlint_ir::Rvalue::Use(other), span);
                temporary
            }
        }
    }

    /// A condition as a value, for `a && b` outside of `if`.
    pub(super) fn condition_into(&mut self, expr: &Expr, dest: &Place) {
        let span = self.start_of(expr);
        let (yes, no, after) = (self.new_block(), self.new_block(), self.new_block());
        self.frame().push_scope();
        self.frame().joins.push(after);
        self.condition(expr, yes, no);
        self.frame().joins.pop();
        let drops = self.frame().scope_drops();
        self.frame().current = yes;
        self.frame().pop_scope(DropCause::Statement { wildcard: false }, span);
        self.frame().goto(after);
        self.frame().current = no;
        self.frame().drop_all(drops, DropCause::Statement { wildcard: false }, span);
        self.frame().goto(after);
        self.frame().current = after;
        self.assign(dest, sessionlint_ir::Rvalue::Use(Operand::Literal(Literal::Other)), span);
    }
}

/// Whether a method shows what is in an option or collection, or takes it out.
fn shows(method: &str) -> bool {
    matches!(
        method,
        "as_deref" | "as_deref_mut" | "as_mut" | "as_ref" | "clone" | "first" | "last" | "pop" | "pop_front" | "take"
    )
}

/// What a condition asks whether there is any of.
pub(super) struct Counted<'e> {
    pub what: &'e Expr,
    /// Whether the condition holds when there is.
    pub any: bool,
    /// Whether that is so for a count of changed rows only.
    rows_only: bool,
}

/// What is counted, when a condition asks whether there is any of it: `x.is_empty()`, `x.len() > 0`, `x == 0`.
pub(super) fn asks_for_any(expr: &Expr) -> Option<Counted<'_>> {
    match expr {
        Expr::Paren(paren) => asks_for_any(&paren.expr),
        Expr::MethodCall(call) if call.method == "is_empty" && call.args.is_empty() => {
            Some(Counted { what: &call.receiver, any: false, rows_only: false })
        }
        Expr::Binary(binary) => {
            let (any, rows_only) = match (number(&binary.right)?, binary.op) {
                (0, BinOp::Eq(_) | BinOp::Le(_)) | (1, BinOp::Lt(_)) => (false, false),
                (0, BinOp::Ne(_) | BinOp::Gt(_)) | (1, BinOp::Ge(_)) => (true, false),
                // Fewer rows than were meant.
                (1.., BinOp::Ne(_)) | (_, BinOp::Lt(_)) => (false, true),
                (1.., BinOp::Eq(_)) | (_, BinOp::Ge(_)) => (true, true),
                _ => return None,
            };
            let what = match &*binary.left {
                Expr::MethodCall(call) if call.method == "len" && call.args.is_empty() => &call.receiver,
                counted => counted,
            };
            Some(Counted { what, any, rows_only })
        }
        _ => None,
    }
}

/// The value of a literal number, or of one in a type around it: `Block(0)`.
pub(super) fn number(expr: &Expr) -> Option<u64> {
    match expr {
        Expr::Lit(syn::ExprLit { lit: syn::Lit::Int(value), .. }) => value.base10_parse().ok(),
        Expr::Paren(paren) => number(&paren.expr),
        Expr::Call(call) if call.args.len() == 1 => match &*call.func {
            Expr::Path(path) => {
                let last = path.path.segments.last()?.ident.to_string();
                number(&call.args[0]).filter(|_| last.starts_with(char::is_uppercase))
            }
            _ => None,
        },
        _ => None,
    }
}

/// The last names of the variables, fields, calls and variants in a condition, and whether it holds where they do not.
pub(super) fn names_of(expr: &Expr) -> (Vec<String>, bool) {
    let mut names = Vec::new();
    let negated = collect_names(expr, &mut names);
    (names, negated)
}

fn collect_names(expr: &Expr, names: &mut Vec<String>) -> bool {
    match expr {
        Expr::Paren(paren) => collect_names(&paren.expr, names),
        Expr::Group(group) => collect_names(&group.expr, names),
        Expr::Reference(reference) => collect_names(&reference.expr, names),
        Expr::Await(awaited) => collect_names(&awaited.base, names),
        Expr::Try(tried) => collect_names(&tried.expr, names),
        Expr::Unary(unary) => collect_names(&unary.expr, names) != matches!(unary.op, UnOp::Not(_)),
        Expr::Path(path) => {
            names.extend(path.path.segments.last().map(|segment| crate::types::name(&segment.ident)));
            false
        }
        Expr::Field(field) => {
            if let syn::Member::Named(ident) = &field.member {
                names.push(crate::types::name(ident));
            }
            collect_names(&field.base, names)
        }
        Expr::MethodCall(call) => {
            names.push(crate::types::name(&call.method));
            collect_names(&call.receiver, names)
        }
        Expr::Call(call) => collect_names(&call.func, names),
        Expr::Binary(binary) if matches!(binary.op, BinOp::Eq(_) | BinOp::Ne(_)) => {
            let left = collect_names(&binary.left, names);
            let right = match &*binary.right {
                Expr::Lit(syn::ExprLit { lit: syn::Lit::Bool(value), .. }) => !value.value,
                right => collect_names(right, names),
            };
            left ^ right ^ matches!(binary.op, BinOp::Ne(_))
        }
        _ => false,
    }
}

fn variant_test(method: &str) -> Option<bool> {
    match method {
        "is_some" | "is_ok" => Some(true),
        "is_none" | "is_err" => Some(false),
        _ => None,
    }
}

/// One text for a condition and its opposite, and whether this is the opposite.
fn condition_key(expr: &Expr) -> (String, bool) {
    if let Expr::Binary(binary) = expr {
        let (left, right) = (binary.left.to_token_stream(), binary.right.to_token_stream());
        match binary.op {
            BinOp::Ne(_) => return (format!("{left} == {right}"), true),
            BinOp::Ge(_) => return (format!("{left} < {right}"), true),
            BinOp::Le(_) => return (format!("{right} < {left}"), true),
            BinOp::Gt(_) => return (format!("{right} < {left}"), false),
            _ => {}
        }
    }
    (expr.to_token_stream().to_string(), false)
}

/// The text of what is compared with a literal for equality, and one of the literal.
fn compared_value(expr: &Expr) -> Option<(String, String)> {
    let Expr::Binary(binary) = expr else { return None };
    let Expr::Lit(literal) = &*binary.right else { return None };
    let equality = matches!(binary.op, BinOp::Eq(_) | BinOp::Ne(_));
    equality.then(|| binary.left.to_token_stream().to_string()).zip(literal_text(&literal.lit))
}

/// One text for a value however it is written; literals with different texts are different values.
pub(super) fn literal_text(literal: &syn::Lit) -> Option<String> {
    match literal {
        syn::Lit::Int(value) => Some(value.base10_digits().to_owned()),
        syn::Lit::Str(value) => Some(format!("{:?}", value.value())),
        syn::Lit::Char(value) => Some(format!("{:?}", value.value())),
        syn::Lit::Byte(value) => Some(value.value().to_string()),
        syn::Lit::Bool(value) => Some(value.value.to_string()),
        _ => None,
    }
}

/// The text of a comparison with a literal, in a condition or in a pattern.
pub(super) fn value_key(subject: &str, literal: &str) -> String {
    format!("{subject} == {literal}")
}
