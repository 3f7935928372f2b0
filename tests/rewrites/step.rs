//! How is one statement or expression written in another way?

use super::kind::Rewrite;
use super::rewrite::Rewriter;
use proc_macro2::TokenTree;
use quote::{ToTokens, quote};
use syn::{Block, Expr, Pat, Stmt, UnOp, parse_quote};

impl Rewriter {
    pub(super) fn statements(&mut self, block: &mut Block) {
        let mut out = Vec::new();
        for statement in std::mem::take(&mut block.stmts) {
            // An attribute chooses a whole statement.
            match statement.to_token_stream().into_iter().next() {
                Some(TokenTree::Punct(punct)) if punct.as_char() == '#' => out.push(statement),
                _ => self.statement(statement, &mut out),
            }
        }
        block.stmts = out;
    }

    fn statement(&mut self, statement: Stmt, out: &mut Vec<Stmt>) {
        match (self.rewrite, statement) {
            (Rewrite::QuestionAsIfLet, Stmt::Expr(Expr::Try(tried), Some(_))) if self.fallible => {
                let inner = &tried.expr;
                out.push(parse_quote!(if let Err(error) = (#inner) { return Err(error.into()); }));
                self.count += 1;
            }
            (Rewrite::QuestionLater, Stmt::Expr(Expr::Try(tried), Some(_))) => {
                let inner = &tried.expr;
                let name = self.number("outcome");
                out.push(parse_quote!(let #name = #inner;));
                out.push(parse_quote!(#name?;));
                self.count += 1;
            }
            (Rewrite::FutureFirst, Stmt::Expr(Expr::Try(mut tried), semicolon))
                if matches!(*tried.expr, Expr::Await(_)) =>
            {
                if let Expr::Await(awaited) = &mut *tried.expr {
                    let inner = awaited.base.clone();
                    let name = self.number("future");
                    out.push(parse_quote!(let #name = #inner;));
                    *awaited.base = parse_quote!(#name);
                    self.count += 1;
                }
                out.push(Stmt::Expr(Expr::Try(tried), semicolon));
            }
            (Rewrite::LetElseAsMatch, Stmt::Local(local)) => {
                let rewritten = match (&local.pat, &local.init) {
                    (Pat::TupleStruct(tuple), Some(init)) if tuple.elems.len() == 1 => {
                        match (&tuple.elems[0], &init.diverge) {
                            (Pat::Ident(bound), Some((_, diverge))) => {
                                let (path, expr) = (&tuple.path, &init.expr);
                                Some::<Stmt>(
                                    parse_quote!(let #bound = match (#expr) { #path(value) => value, _ => #diverge };),
                                )
                            }
                            _ => None,
                        }
                    }
                    _ => None,
                };
                self.count += usize::from(rewritten.is_some());
                out.push(rewritten.unwrap_or(Stmt::Local(local)));
            }
            (Rewrite::Shadowed, Stmt::Local(local)) => {
                let again = match (&local.pat, &local.init) {
                    (Pat::Ident(bound), Some(init))
                        if bound.by_ref.is_none()
                            && bound.ident.to_string().starts_with(char::is_lowercase)
                            && matches!(*init.expr, Expr::Try(_) | Expr::Await(_)) =>
                    {
                        let name = &bound.ident;
                        Some::<Stmt>(parse_quote!(let #bound = #name;))
                    }
                    _ => None,
                };
                out.push(Stmt::Local(local));
                self.count += usize::from(again.is_some());
                out.extend(again);
            }
            (Rewrite::Unrelated, statement) => {
                let is_tail = match &statement {
                    Stmt::Expr(_, semicolon) => semicolon.is_none(),
                    Stmt::Macro(called) => called.semi_token.is_none(),
                    _ => false,
                };
                let name = self.number("unrelated");
                out.push(parse_quote!(let #name = 1 + 1;));
                self.count += 1;
                out.push(statement);
                if !is_tail {
                    out.push(parse_quote!(let _ = #name;));
                }
            }
            (_, statement) => out.push(statement),
        }
    }

    pub(super) fn expression(&mut self, expr: &mut Expr) {
        let rewritten: Option<Expr> = match (self.rewrite, &*expr) {
            (Rewrite::Parentheses, Expr::Try(tried)) => {
                let inner = &tried.expr;
                Some(parse_quote!((#inner)?))
            }
            (Rewrite::Parentheses, Expr::Await(awaited)) => {
                let inner = &awaited.base;
                Some(parse_quote!((#inner).await))
            }
            (Rewrite::QuestionAsMatch, Expr::Try(tried)) if self.fallible => {
                let inner = &tried.expr;
                Some(parse_quote!(match (#inner) { Ok(value) => value, Err(error) => return Err(error.into()) }))
            }
            (Rewrite::MapErr, Expr::Try(tried)) if self.fallible => {
                let inner = &tried.expr;
                Some(parse_quote!((#inner).map_err(|error| error)?))
            }
            (Rewrite::IfLetAsMatch, Expr::If(branch)) => match &*branch.cond {
                Expr::Let(tested) => {
                    let (pattern, value, then) = (&tested.pat, &tested.expr, &branch.then_branch);
                    let otherwise = branch.else_branch.as_ref().map_or_else(|| quote!({}), |(_, e)| quote!(#e));
                    Some(parse_quote!(match #value { #pattern => #then _ => #otherwise }))
                }
                _ => None,
            },
            (Rewrite::MatchAsIfLet, Expr::Match(matched)) if matched.arms.len() == 2 => {
                let (first, second) = (&matched.arms[0], &matched.arms[1]);
                let rest = second.pat.to_token_stream().to_string();
                let plain = !matches!(first.pat, Pat::Guard(_)) && first.attrs.is_empty() && second.attrs.is_empty();
                if plain && ["_", "None", "Err (_)", "Ok (_)", "Some (_)", "Ok (())"].contains(&rest.as_str()) {
                    let (pattern, value, one, other) = (&first.pat, &matched.expr, &first.body, &second.body);
                    Some(parse_quote!(if let #pattern = #value { #one } else { #other }))
                } else {
                    None
                }
            }
            (Rewrite::Negated, Expr::If(branch)) if !has_let(&branch.cond) => match &branch.else_branch {
                Some((_, otherwise)) => {
                    let (condition, then) = (&branch.cond, &branch.then_branch);
                    let condition: Expr = match &**condition {
                        Expr::Unary(unary) if matches!(unary.op, UnOp::Not(_)) => (*unary.expr).clone(),
                        condition => parse_quote!(!(#condition)),
                    };
                    let otherwise: Block = match &**otherwise {
                        Expr::Block(block) => block.block.clone(),
                        other => parse_quote!({ #other }),
                    };
                    Some(parse_quote!(if #condition #otherwise else #then))
                }
                None => None,
            },
            (Rewrite::IfAsMatch, Expr::If(branch)) if !has_let(&branch.cond) => {
                let (condition, then) = (&branch.cond, &branch.then_branch);
                let otherwise = branch.else_branch.as_ref().map_or_else(|| quote!({}), |(_, e)| quote!(#e));
                Some(parse_quote!(match (#condition) { true => #then false => #otherwise }))
            }
            (Rewrite::NestedIf, Expr::If(branch)) if branch.else_branch.is_none() => match &*branch.cond {
                Expr::Binary(binary) if matches!(binary.op, syn::BinOp::And(_)) => {
                    let (left, right, then) = (&binary.left, &binary.right, &branch.then_branch);
                    Some(parse_quote!(if #left { if #right #then }))
                }
                _ => None,
            },
            (Rewrite::WhileAsLoop, Expr::While(looped)) if !has_let(&looped.cond) => {
                let (label, condition, body) = (&looped.label, &looped.cond, &looped.body.stmts);
                Some(parse_quote!(#label loop { if !(#condition) { break; } #(#body)* }))
            }
            (Rewrite::WhileLetAsLoop, Expr::While(looped)) => match &*looped.cond {
                Expr::Let(tested) => {
                    let (label, pattern, value, body) = (&looped.label, &tested.pat, &tested.expr, &looped.body);
                    Some(parse_quote!(#label loop { match #value { #pattern => #body _ => break } }))
                }
                _ => None,
            },
            (Rewrite::LongNames, Expr::Call(call)) => match call.func.to_token_stream().to_string().as_str() {
                "drop" => Some(with_function(call, parse_quote!(std::mem::drop))),
                "Ok" => Some(with_function(call, parse_quote!(Result::Ok))),
                "Err" => Some(with_function(call, parse_quote!(Result::Err))),
                _ => None,
            },
            (Rewrite::Labels, Expr::Loop(looped)) if looped.label.is_none() => {
                let body = &looped.body;
                Some(parse_quote!('outer: loop #body))
            }
            (Rewrite::Labels, Expr::While(looped)) if looped.label.is_none() => {
                let (condition, body) = (&looped.cond, &looped.body);
                Some(parse_quote!('outer: while #condition #body))
            }
            (Rewrite::Labels, Expr::ForLoop(looped)) if looped.label.is_none() => {
                let (pattern, value, body) = (&looped.pat, &looped.expr, &looped.body);
                Some(parse_quote!('outer: for #pattern in #value #body))
            }
            (Rewrite::IfTrue, Expr::Return(returned)) => {
                let returned = returned.clone();
                Some(parse_quote!(if true { #returned } else { unreachable!() }))
            }
            _ => None,
        };
        if let Some(rewritten) = rewritten {
            *expr = rewritten;
            self.count += 1;
        }
    }
}

fn with_function(call: &syn::ExprCall, function: Expr) -> Expr {
    let arguments = &call.args;
    parse_quote!(#function(#arguments))
}

fn has_let(condition: &Expr) -> bool {
    match condition {
        Expr::Let(_) => true,
        Expr::Binary(binary) => has_let(&binary.left) || has_let(&binary.right),
        Expr::Paren(paren) => has_let(&paren.expr),
        _ => false,
    }
}
