//! How does the caller see this exit: as success, as an error, or as a refusal?

use super::Lowerer;
use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use sessionlint_ir::{ExitKind, TypeRef};
use syn::Expr;

/// Parts of names that say "this did not work" in success values (`Ok(Response::not_found())`). An exit
/// that carries one gives a transaction up on purpose, so it is not told to commit.
const REFUSALS: &[&str] = &[
    "err",
    "fail",
    "invalid",
    "forbid",
    "unauthor",
    "bad_request",
    "badrequest",
    "notfound",
    "not_found",
    "conflict",
    "denied",
    "deny",
    "reject",
    "abort",
    "unavailable",
    "rollback",
    "rolled_back",
    "rolledback",
    "cancel",
    "skip",
    "dry_run",
    "dryrun",
    "too_many",
    "toomany",
    "unprocessable",
    "timeout",
    "timed_out",
    "timedout",
    "exceed",
    "missing",
    "unsupported",
    "expired",
    "mismatch",
    "refus",
    "duplicate",
    "already",
    "unchanged",
    "noop",
    "no_op",
    "nothing",
    "retry",
    "empty",
    "none",
    "stale",
    "gone",
    "problem",
];

/// Methods that only rewrite the error of a result: their arguments say nothing about its success.
const ADAPTERS: &[&str] =
    &["map_err", "context", "with_context", "wrap_err", "wrap_err_with", "ok_or", "ok_or_else", "or_else", "expect"];

impl Lowerer<'_> {
    /// Classifies the expression whose value leaves the body.
    pub(super) fn exit_kind(&mut self, expr: &Expr) -> ExitKind {
        let returns_option = self.frame().output.as_ref().and_then(TypeRef::last_segment) == Some("Option");
        let kind = classify(expr, returns_option);
        if kind == ExitKind::Success && self.frame().error_arms > 0 { ExitKind::Refusal } else { kind }
    }
}

fn classify(expr: &Expr, returns_option: bool) -> ExitKind {
    match expr {
        Expr::Paren(paren) => classify(&paren.expr, returns_option),
        Expr::Group(group) => classify(&group.expr, returns_option),
        Expr::Call(call) => match &*call.func {
            Expr::Path(path) => match last(path).as_str() {
                "Err" => ExitKind::Error,
                "Ok" | "Some" => call.args.first().map_or(ExitKind::Success, refusal),
                _ => refusal(expr),
            },
            _ => refusal(expr),
        },
        Expr::Path(path) if last(path) == "None" && returns_option => ExitKind::Error,
        // `Err(error).context(..)`, `Err(error).map_err(..)`: still an error. Other chains may be either.
        Expr::MethodCall(call) => match classify(&call.receiver, returns_option) {
            ExitKind::Success if !ADAPTERS.iter().any(|name| call.method == name) => refusal(expr),
            kind => kind,
        },
        Expr::Await(awaited) => classify(&awaited.base, returns_option),
        Expr::Macro(call) => {
            let name = call.mac.path.segments.last().map(|segment| segment.ident.to_string()).unwrap_or_default();
            if name == "Err" || name.starts_with("err_") || name == "bail" { ExitKind::Error } else { refusal(expr) }
        }
        _ => refusal(expr),
    }
}

fn last(path: &syn::ExprPath) -> String {
    path.path.segments.last().map(|segment| segment.ident.to_string()).unwrap_or_default()
}

/// A success value, unless it is `false`, `None`, zero or named like a refusal.
fn refusal(expr: &Expr) -> ExitKind {
    match expr {
        Expr::Lit(lit) => match &lit.lit {
            syn::Lit::Bool(value) if !value.value => ExitKind::Refusal,
            syn::Lit::Int(value) if value.base10_digits() == "0" => ExitKind::Refusal,
            _ => ExitKind::Success,
        },
        // A variable's name says little: `errors` may well be empty. Only paths and calls count.
        Expr::Path(path) if path.path.segments.len() == 1 && last(path) != "None" => ExitKind::Success,
        _ if names_a_refusal(expr.to_token_stream()) => ExitKind::Refusal,
        _ => ExitKind::Success,
    }
}

fn names_a_refusal(tokens: TokenStream) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => {
            let name = ident.to_string().to_lowercase();
            name != "map_err" && REFUSALS.iter().any(|word| name.contains(word))
        }
        TokenTree::Group(group) => names_a_refusal(group.stream()),
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(text: &str) -> ExitKind {
        classify(&syn::parse_str(text).unwrap(), false)
    }

    #[test]
    fn exits_are_told_apart() {
        for text in ["Err(x)", "Err(x).context(y)", "(Err(E::A))", "Result::Err(x)"] {
            assert_eq!(kind(text), ExitKind::Error, "{text}");
        }
        for text in
            ["Ok(())", "Ok(value)", "Some(1)", "query(x).await", "errors", "Ok(Json(user))", "x.map_err(Error::from)"]
        {
            assert_eq!(kind(text), ExitKind::Success, "{text}");
        }
        for text in
            ["Ok(false)", "Ok(None)", "false", "HttpResponse::InternalServerError().finish()", "Ok(Reply::NotFound)"]
        {
            assert_eq!(kind(text), ExitKind::Refusal, "{text}");
        }
    }
}
