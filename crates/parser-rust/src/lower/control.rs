//! Control flow: branches, loops, and the ways out of them.

use super::frame::LoopFrame;
use super::{Lowerer, sides};
use sessionlint_diagnostics::Span;
use sessionlint_ir::{DropCause, Place, Projection, Terminator, Test, TestRole};
use syn::Expr;

impl Lowerer<'_> {
    pub(super) fn labelled_block(&mut self, block: &syn::ExprBlock, dest: &Place) {
        let Some(label) = &block.label else {
            return self.block_into(&block.block, dest);
        };
        let after = self.new_block();
        let depth = self.frame().scope_depth();
        let label = Some(label.name.ident.to_string());
        let locals = self.frame().locals.len();
        let value = dest.clone();
        self.frame().loops.push(LoopFrame { label, after, head: after, depth, value, is_block: true, locals });
        self.frame().push_scope();
        self.block_into(&block.block, dest);
        let end = self.at(block.block.brace_token.span.close());
        self.frame().pop_scope(DropCause::ScopeEnd { value: Some(dest.clone()) }, end);
        self.frame().loops.pop();
        self.frame().goto(after);
        self.frame().current = after;
    }

    pub(super) fn if_into(&mut self, branch: &syn::ExprIf, dest: &Place) {
        let end = self.at(branch.then_branch.brace_token.span.close());
        let (yes, no, after) = (self.new_block(), self.new_block(), self.new_block());
        let error_side = sides::error_side(&branch.cond);
        self.frame().push_scope();
        let tested_from = self.frame().begin_test();
        self.frame().joins.push(after);
        self.condition(&branch.cond, yes, no);
        let otherwise = branch.else_branch.as_ref().map(|(_, otherwise)| only_logs(otherwise));
        let logs = match error_side {
            Some(true) => only_logs_block(&branch.then_branch),
            Some(false) => otherwise == Some(true),
            // A variable may say on either side that something failed.
            None => only_logs_block(&branch.then_branch) && otherwise != Some(false),
        };
        // Where success leaves with an answer of its own, what comes behind is for the failure.
        let told = match error_side {
            Some(true) => branch.else_branch.as_ref().is_some_and(|(_, otherwise)| leaves_with_answer(otherwise)),
            Some(false) => block_leaves_with_answer(&branch.then_branch),
            None => false,
        };
        if logs && !told {
            self.frame().mark_ignored(tested_from, error_side.is_some());
        }
        self.frame().branches += 1;
        let drops = self.frame().scope_drops();
        self.frame().current = yes;
        self.frame().error_arms += u32::from(error_side == Some(true));
        self.block_into(&branch.then_branch, dest);
        self.frame().error_arms -= u32::from(error_side == Some(true));
        self.frame().pop_scope(DropCause::ScopeEnd { value: Some(dest.clone()) }, end);
        self.frame().goto(after);
        self.frame().current = no;
        self.frame().drop_all(drops, DropCause::ScopeEnd { value: Some(dest.clone()) }, end);
        if let Some((_, otherwise)) = &branch.else_branch {
            self.frame().error_arms += u32::from(error_side == Some(false));
            self.value_into(otherwise, dest);
            self.frame().error_arms -= u32::from(error_side == Some(false));
        }
        self.frame().branches -= 1;
        self.frame().joins.pop();
        self.frame().goto(after);
        self.frame().current = after;
    }

    pub(super) fn match_into(&mut self, matched: &syn::ExprMatch, dest: &Place) {
        if let Some(branch) = as_if(matched) {
            return self.if_into(&branch, dest);
        }
        let end = self.at(matched.brace_token.span.close());
        let begin = self.at(matched.match_token.span).start;
        let place = self.matched(&matched.expr);
        self.mark_flag(&matched.expr, None);
        let subject = self.subject(&matched.expr, &place);
        let around = std::mem::replace(&mut self.compared, subject);
        let after = self.new_block();
        self.frame().joins.push(after);
        self.frame().branches += 1;
        let is_success = |arm: &syn::Arm| sides::is_success_pattern_of(&arm.pat, &matched.expr);
        let told = matched.arms.iter().any(|arm| is_success(arm) && leaves_with_answer(&arm.body));
        let logs = !told
            && (matched
                .arms
                .iter()
                .any(|arm| sides::is_error_pattern_of(&arm.pat, &matched.expr) && only_logs(&arm.body))
                || as_result(matched).is_some_and(only_logs));
        for arm in &matched.arms {
            let next = self.new_block();
            self.frame().push_scope();
            let is_error = sides::is_error_pattern_of(&arm.pat, &matched.expr);
            let tested_from = self.frame().begin_test();
            self.pattern_as(TestRole::Arm(begin), &arm.pat, &place, next);
            if logs && (is_error || sides::is_success_pattern_of(&arm.pat, &matched.expr)) {
                self.frame().mark_ignored(tested_from, true);
            }
            self.frame().error_arms += u32::from(is_error);
            let subject = self.compared.take();
            self.value_into(&arm.body, dest);
            self.compared = subject;
            self.frame().error_arms -= u32::from(is_error);
            self.frame().pop_scope(DropCause::ScopeEnd { value: Some(dest.clone()) }, end);
            self.frame().goto(after);
            self.frame().current = next;
        }
        self.compared = around;
        self.frame().branches -= 1;
        self.frame().joins.pop();
        self.frame().terminate(Terminator::Diverge);
        self.frame().current = after;
    }

    pub(super) fn enter_loop(&mut self, label: Option<&syn::Label>, dest: &Place) -> LoopFrame {
        let (head, after) = (self.new_block(), self.new_block());
        let label = label.map(|label| label.name.ident.to_string());
        let depth = self.frame().scope_depth();
        let locals = self.frame().locals.len();
        let entered = LoopFrame { label, after, head, depth, value: dest.clone(), is_block: false, locals };
        self.frame().loops.push(entered.clone());
        self.frame().goto(head);
        self.frame().current = head;
        entered
    }

    pub(super) fn loop_into(&mut self, looped: &syn::ExprLoop, dest: &Place) {
        let entered = self.enter_loop(looped.label.as_ref(), dest);
        let item = self.item;
        let never = Place::local(self.frame().local(None, item, None));
        self.block_into(&looped.body, &never);
        self.frame().goto(entered.head);
        self.frame().loops.pop();
        self.frame().current = entered.after;
    }

    pub(super) fn while_into(&mut self, looped: &syn::ExprWhile, dest: &Place) {
        let end = self.at(looped.body.brace_token.span.close());
        let entered = self.enter_loop(looped.label.as_ref(), dest);
        let (yes, no) = (self.new_block(), self.new_block());
        self.frame().push_scope();
        let begin = self.at(looped.while_token.span).start;
        let around = std::mem::replace(&mut self.frame().role, TestRole::Loop(begin));
        self.condition(&looped.cond, yes, no);
        self.frame().role = around;
        let drops = self.frame().scope_drops();
        self.frame().current = yes;
        let item = self.item;
        let never = Place::local(self.frame().local(None, item, None));
        self.block_into(&looped.body, &never);
        self.frame().pop_scope(DropCause::ScopeEnd { value: Some(dest.clone()) }, end);
        self.frame().goto(entered.head);
        self.frame().current = no;
        self.frame().drop_all(drops, DropCause::ScopeEnd { value: Some(dest.clone()) }, end);
        self.frame().goto(entered.after);
        self.frame().loops.pop();
        self.frame().current = entered.after;
    }

    pub(super) fn for_into(&mut self, looped: &syn::ExprForLoop, dest: &Place) {
        let end = self.at(looped.body.brace_token.span.close());
        let span = self.at(looped.for_token.span);
        let items = self.matched(&looped.expr);
        let entered = self.enter_loop(looped.label.as_ref(), dest);
        let around = std::mem::replace(&mut self.frame().role, TestRole::Loop(span.start));
        self.frame().test(Test::Opaque, entered.after, span);
        self.frame().role = around;
        self.frame().push_scope();
        self.pattern(&looped.pat, &items.project(Projection::Index), None);
        let item = self.item;
        let never = Place::local(self.frame().local(None, item, None));
        self.block_into(&looped.body, &never);
        self.frame().pop_scope(DropCause::ScopeEnd { value: Some(dest.clone()) }, end);
        self.frame().goto(entered.head);
        self.frame().loops.pop();
        self.frame().current = entered.after;
    }

    pub(super) fn find_loop(&mut self, label: Option<&syn::Lifetime>) -> Option<LoopFrame> {
        let label = label.map(|label| label.ident.to_string());
        let matches = |entered: &&LoopFrame| match &label {
            Some(label) => entered.label.as_ref() == Some(label),
            None => !entered.is_block,
        };
        self.frame().loops.iter().rev().find(matches).cloned()
    }

    pub(super) fn break_expression(&mut self, broken: &syn::ExprBreak) {
        let span = self.at(broken.break_token.span);
        let Some(entered) = self.find_loop(broken.label.as_ref()) else {
            return self.frame().terminate(Terminator::Diverge);
        };
        if let Some(value) = &broken.expr {
            self.value_into(value, &entered.value);
        }
        self.jump(&entered, entered.after, "break", span);
    }

    pub(super) fn continue_expression(&mut self, continued: &syn::ExprContinue) {
        let span = self.at(continued.continue_token.span);
        let Some(entered) = self.find_loop(continued.label.as_ref()) else {
            return self.frame().terminate(Terminator::Diverge);
        };
        self.jump(&entered, entered.head, "continue", span);
    }

    pub(super) fn jump(&mut self, entered: &LoopFrame, to: sessionlint_ir::BlockId, keyword: &'static str, span: Span) {
        let in_error_arm = self.frame().error_arms > 0;
        self.frame().drop_down_to(entered.depth, &DropCause::Jump { keyword, head: entered.head, in_error_arm }, span);
        self.frame().goto(to);
        let unreachable = self.new_block();
        self.frame().current = unreachable;
    }
}

/// `if c { a } else { b }` for `match c { true => a, false => b }`.
fn as_if(matched: &syn::ExprMatch) -> Option<syn::ExprIf> {
    let value = |pattern: &syn::Pat| match pattern {
        syn::Pat::Lit(literal) => match &literal.lit {
            syn::Lit::Bool(value) => Some(value.value),
            _ => None,
        },
        _ => None,
    };
    let [first, second] = matched.arms.as_slice() else { return None };
    let first_holds = value(&first.pat)?;
    if value(&second.pat) != Some(!first_holds) && !matches!(second.pat, syn::Pat::Wild(_)) {
        return None;
    }
    let (then, otherwise) = if first_holds { (first, second) } else { (second, first) };
    let brace_token = matched.brace_token;
    let block = |body: &Expr| syn::Block { brace_token, stmts: vec![syn::Stmt::Expr(body.clone(), None)] };
    let otherwise = Expr::Block(syn::ExprBlock { attrs: Vec::new(), label: None, block: block(&otherwise.body) });
    Some(syn::ExprIf {
        attrs: Vec::new(),
        if_token: syn::token::If { span: matched.match_token.span },
        cond: matched.expr.clone(),
        then_branch: block(&then.body),
        else_branch: Some((syn::token::Else { span: matched.match_token.span }, Box::new(otherwise))),
    })
}

/// What a `match` on a result does with an error, when its other arm is for all that is no success.
fn as_result(matched: &syn::ExprMatch) -> Option<&Expr> {
    match matched.arms.as_slice() {
        [first, second] if sides::is_success_pattern(&first.pat) && matches!(second.pat, syn::Pat::Wild(_)) => {
            Some(&second.body)
        }
        _ => None,
    }
}

/// Whether an arm does nothing but write log lines, and say that it worked.
pub(super) fn only_logs(expr: &Expr) -> bool {
    match expr {
        Expr::Block(block) => only_logs_block(&block.block),
        Expr::Macro(call) => is_logging(&call.mac),
        Expr::Tuple(tuple) => tuple.elems.is_empty(),
        Expr::Return(returned) => returned.expr.as_deref().is_some_and(only_logs),
        // `Ok(())`
        Expr::Call(call) => match (&*call.func, call.args.first()) {
            (Expr::Path(path), Some(Expr::Tuple(value))) => path.path.is_ident("Ok") && value.elems.is_empty(),
            _ => false,
        },
        _ => false,
    }
}

/// Whether an arm ends with `return Ok(true)` or its like: an answer that says more than that it worked.
fn leaves_with_answer(expr: &Expr) -> bool {
    match expr {
        Expr::Block(block) => block_leaves_with_answer(&block.block),
        Expr::Return(returned) => returned.expr.as_deref().is_some_and(|answer| !only_logs(answer)),
        _ => false,
    }
}

fn block_leaves_with_answer(block: &syn::Block) -> bool {
    matches!(block.stmts.last(), Some(syn::Stmt::Expr(expr, _)) if leaves_with_answer(expr))
}

fn only_logs_block(block: &syn::Block) -> bool {
    block.stmts.iter().all(|statement| match statement {
        syn::Stmt::Macro(call) => is_logging(&call.mac),
        syn::Stmt::Expr(expr, _) => only_logs(expr),
        _ => false,
    })
}

fn is_logging(mac: &syn::Macro) -> bool {
    mac.path.segments.last().is_some_and(|segment| super::macros::LOGGING.iter().any(|name| segment.ident == name))
}
