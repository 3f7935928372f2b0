//! On which side of a branch did something fail?

use syn::{BinOp, Expr, Pat, UnOp};

/// Which way of an `if` deals with an error: `Some(true)` when the condition holds there.
pub(super) fn error_side(expr: &Expr) -> Option<bool> {
    match expr {
        Expr::Paren(paren) => error_side(&paren.expr),
        Expr::Unary(unary) if matches!(unary.op, UnOp::Not(_)) => error_side(&unary.expr).map(|side| !side),
        Expr::Let(matched) if is_error_pattern_of(&matched.pat, &matched.expr) => Some(true),
        Expr::Let(matched) if is_success_pattern_of(&matched.pat, &matched.expr) => Some(false),
        Expr::MethodCall(call) if asks_error(&call.receiver) && call.method == "is_some" => Some(true),
        Expr::MethodCall(call) if asks_error(&call.receiver) && call.method == "is_none" => Some(false),
        Expr::MethodCall(call) if call.method == "is_err" => Some(true),
        Expr::MethodCall(call) if call.method == "is_ok" => Some(false),
        Expr::Binary(binary) if matches!(binary.op, BinOp::And(_)) => {
            [&binary.left, &binary.right].into_iter().find_map(|side| error_side(side).filter(|side| *side))
        }
        _ => None,
    }
}

/// `Err(..)`, with or without a guard.
pub(super) fn is_error_pattern(pattern: &Pat) -> bool {
    starts_with(pattern, "Err")
}

/// The same for what is matched: of `.err()` that is `Some(..)`.
pub(super) fn is_error_pattern_of(pattern: &Pat, matched: &Expr) -> bool {
    is_error_pattern(pattern) || (asks_error(matched) && starts_with(pattern, "Some"))
}

/// `Ok(..)`, and of `.err()` `None`.
pub(super) fn is_success_pattern_of(pattern: &Pat, matched: &Expr) -> bool {
    is_success_pattern(pattern) || (asks_error(matched) && matches!(pattern, Pat::Ident(name) if name.ident == "None"))
}

/// `result.err()`
fn asks_error(expr: &Expr) -> bool {
    match expr {
        Expr::Paren(paren) => asks_error(&paren.expr),
        Expr::Reference(reference) => asks_error(&reference.expr),
        Expr::MethodCall(call) => call.method == "err" && call.args.is_empty(),
        _ => false,
    }
}

/// `Ok(..)`, with or without a guard.
pub(super) fn is_success_pattern(pattern: &Pat) -> bool {
    starts_with(pattern, "Ok")
}

fn starts_with(pattern: &Pat, variant: &str) -> bool {
    match pattern {
        Pat::TupleStruct(tuple) => {
            let is_called = |name: &str| tuple.path.segments.last().is_some_and(|segment| segment.ident == name);
            // What failed in time: `Ok(Err(..))`.
            let failed = is_called("Ok") && tuple.elems.iter().any(|element| starts_with(element, "Err"));
            if failed { variant == "Err" } else { is_called(variant) }
        }
        Pat::Guard(guard) => starts_with(&guard.pat, variant),
        Pat::Paren(paren) => starts_with(&paren.pat, variant),
        Pat::Reference(reference) => starts_with(&reference.pat, variant),
        Pat::Or(or) => or.cases.iter().all(|case| starts_with(case, variant)),
        // One error is enough; for success all that is tested has to be.
        Pat::Tuple(tuple) => {
            let is_it = |element: &Pat| starts_with(element, variant);
            let is_open = |element: &Pat| matches!(element, Pat::Wild(_) | Pat::Rest(_) | Pat::Ident(_));
            let all = variant == "Err" || tuple.elems.iter().all(|element| is_it(element) || is_open(element));
            all && tuple.elems.iter().any(is_it)
        }
        _ => false,
    }
}
