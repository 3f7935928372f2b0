//! How does the caller see this exit: as success or as an error, and which names does the value have?

use super::Lowerer;
use super::pattern::is_standard;
use crate::types::segments;
use sessionlint_ir::{Answer, ExitKind, TypeRef};
use syn::{Expr, Stmt};

/// Methods that only rewrite the error of a result: their arguments say nothing about its success.
const ADAPTERS: &[&str] =
    &["map_err", "context", "with_context", "wrap_err", "wrap_err_with", "ok_or", "ok_or_else", "or_else", "expect"];

impl Lowerer<'_> {
    /// Classifies the expression whose value leaves the body. A success has an answer.
    pub(super) fn exit_kind(&mut self, expr: &Expr) -> (ExitKind, Option<Answer>) {
        let returns_option = self.frame().output.as_ref().and_then(TypeRef::last_segment) == Some("Option");
        match is_error(expr, returns_option) {
            true => (ExitKind::Error, None),
            false => (ExitKind::Success, Some(self.answer_of(Some(expr)))),
        }
    }

    /// What a success value says; the unit value says nothing.
    pub(super) fn answer_of(&mut self, expr: Option<&Expr>) -> Answer {
        let mut heads = Vec::new();
        if let Some(expr) = expr {
            collect_heads(expr, &mut heads);
        }
        let frame = self.frame();
        let told = frame.told.clone();
        Answer { heads, in_branch: frame.branches > 0, in_error_arm: frame.error_arms > 0, told }
    }
}

/// The constants and variants that a statement passes to a call, and does nothing else with.
pub(super) fn told_by(statement: &Stmt) -> Vec<Vec<String>> {
    let mut expr = match statement {
        Stmt::Expr(expr, Some(_)) => expr,
        Stmt::Local(syn::Local { pat: syn::Pat::Wild(_), init: Some(init), .. }) => &*init.expr,
        _ => return Vec::new(),
    };
    let args = loop {
        expr = match expr {
            Expr::Paren(paren) => &paren.expr,
            Expr::Await(awaited) => &awaited.base,
            Expr::Try(tried) => &tried.expr,
            // `.unwrap()`, `.ok()`
            Expr::MethodCall(call) if call.args.is_empty() => &call.receiver,
            Expr::MethodCall(call) => break &call.args,
            Expr::Call(call) => break &call.args,
            _ => return Vec::new(),
        };
    };
    let mut told = Vec::new();
    for arg in args {
        match arg {
            Expr::Struct(literal) => told.extend(variant_of_type(&literal.path)),
            Expr::Call(call) => {
                if let Expr::Path(path) = &*call.func {
                    told.extend(variant_of_type(&path.path));
                }
            }
            Expr::Path(path) => told.extend(variant_of_type(&path.path)),
            _ => {}
        }
    }
    told
}

/// A path that ends with the names of a type and of something of it that is no function.
fn variant_of_type(path: &syn::Path) -> Option<Vec<String>> {
    let named = segments(path);
    let is_variant = matches!(named.as_slice(), [.., owner, last]
        if owner.starts_with(char::is_uppercase) && last.starts_with(char::is_uppercase));
    is_variant.then_some(named)
}

fn is_error(expr: &Expr, returns_option: bool) -> bool {
    match expr {
        Expr::Paren(paren) => is_error(&paren.expr, returns_option),
        Expr::Group(group) => is_error(&group.expr, returns_option),
        Expr::Call(call) => match &*call.func {
            Expr::Path(path) => {
                path.path.segments.last().is_some_and(|last| last.ident == "Err") && is_standard(&path.path)
            }
            _ => false,
        },
        Expr::Path(path) => returns_option && path.path.segments.last().is_some_and(|last| last.ident == "None"),
        // `Err(error).context(..)`, `Err(error).map_err(..)`: still an error. Other chains may be either.
        Expr::MethodCall(call) => {
            ADAPTERS.iter().any(|name| call.method == name) && is_error(&call.receiver, returns_option)
        }
        Expr::Await(awaited) => is_error(&awaited.base, returns_option),
        Expr::Macro(call) => {
            let name = call.mac.path.segments.last().map(|segment| segment.ident.to_string()).unwrap_or_default();
            name == "Err" || name.starts_with("err_") || name == "bail"
        }
        _ => false,
    }
}

/// Whether an option is written out that holds something.
fn is_some(expr: &Expr) -> bool {
    match expr {
        Expr::Call(call) => match &*call.func {
            Expr::Path(path) => {
                path.path.segments.last().is_some_and(|last| last.ident == "Some") && is_standard(&path.path)
            }
            _ => false,
        },
        _ => false,
    }
}

/// Constants and variants with the name of their type, beside the first part of a value: `Reply::new(text, StatusCode::CONFLICT)`.
fn named_beside<'e>(parts: impl Iterator<Item = &'e Expr>, heads: &mut Vec<Vec<String>>) {
    for part in parts {
        let Expr::Path(path) = part else { continue };
        let named = segments(&path.path);
        if let [.., owner, _] = named.as_slice()
            && owner.starts_with(char::is_uppercase)
        {
            heads.push(named);
        }
    }
}

/// The paths of constructors, variants and functions in a value, the outermost first. Of a chain of methods the head comes first;
/// of a tuple the first element, and what is named beside it. What is waited for or taken out with `?` has done something, and says nothing.
fn collect_heads(expr: &Expr, heads: &mut Vec<Vec<String>>) {
    match expr {
        Expr::Paren(paren) => collect_heads(&paren.expr, heads),
        Expr::Group(group) => collect_heads(&group.expr, heads),
        Expr::Reference(reference) => collect_heads(&reference.expr, heads),
        Expr::Tuple(tuple) => {
            tuple.elems.first().into_iter().for_each(|first| collect_heads(first, heads));
            named_beside(tuple.elems.iter().skip(1), heads);
        }
        Expr::Call(call) => {
            if let Expr::Path(path) = &*call.func {
                heads.push(segments(&path.path));
            }
            call.args.first().into_iter().for_each(|first| collect_heads(first, heads));
            named_beside(call.args.iter().skip(1), heads);
        }
        Expr::MethodCall(call) => {
            collect_heads(&call.receiver, heads);
            if let Some(argument @ (Expr::Path(_) | Expr::Call(_) | Expr::Lit(_))) = call.args.first()
                && !heads.is_empty()
            {
                collect_heads(argument, heads);
            }
        }
        Expr::Struct(literal) => {
            let path = segments(&literal.path);
            heads.push(path.clone());
            // What it holds says more: `Reply { error: Some(..) }`.
            for field in literal.fields.iter().filter(|field| is_some(&field.expr)) {
                if let syn::Member::Named(name) = &field.member {
                    heads.push(path.iter().cloned().chain([name.to_string()]).collect());
                }
            }
        }
        Expr::Path(path) => {
            let named = segments(&path.path);
            // A variable's name says little: `errors` may well be empty.
            let is_variable = named.len() == 1 && named[0].starts_with(|c: char| !c.is_uppercase());
            heads.extend((!is_variable).then_some(named));
        }
        Expr::Lit(literal) => match &literal.lit {
            syn::Lit::Bool(value) if !value.value => heads.push(vec!["false".to_owned()]),
            syn::Lit::Int(value) if value.base10_digits() == "0" => heads.push(vec!["0".to_owned()]),
            _ => {}
        },
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heads(text: &str) -> String {
        let mut found = Vec::new();
        collect_heads(&syn::parse_str(text).unwrap(), &mut found);
        found.iter().map(|path| path.join("::")).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn errors_are_told_by_their_constructor() {
        for text in ["Err(x)", "Err(x).context(y)", "(Err(E::A))", "Result::Err(x)"] {
            assert!(is_error(&syn::parse_str(text).unwrap(), false), "{text}");
        }
        for text in ["Ok(())", "query(x).await", "errors", "State::Err(x)", "x.map_err(Error::from)"] {
            assert!(!is_error(&syn::parse_str(text).unwrap(), false), "{text}");
        }
    }

    #[test]
    fn what_is_told_is_a_variant_that_is_passed() {
        for (text, expected) in [
            ("status.send(Status::Waiting).await;", "Status::Waiting"),
            ("let _ = status.send(job::Status::Waiting { left: 2 });", "job::Status::Waiting"),
            ("tell(&id, Status::Left(2)).await.unwrap();", "Status::Left"),
            ("status.send(Status::new());", ""),
            ("let sent = status.send(Status::Waiting);", ""),
            ("status = Status::Waiting;", ""),
        ] {
            let told = told_by(&syn::parse_str(text).unwrap());
            assert_eq!(told.iter().map(|path| path.join("::")).collect::<Vec<_>>().join(" "), expected, "{text}");
        }
    }

    #[test]
    fn heads_come_from_the_outside_in() {
        for (text, expected) in [
            ("Ok(Json(Reply::NotFound))", "Ok Json Reply::NotFound"),
            ("Ok(transferred.len())", "Ok"),
            ("Ok(Page { preferred: 1, next: None })", "Ok Page"),
            ("Ok(Json(Reply { code: 400, error: Some(text) }))", "Ok Json Reply Reply::error"),
            ("HttpResponse::NotFound().finish()", "HttpResponse::NotFound"),
            ("Ok((StatusCode::CONFLICT, \"taken\").into_response())", "Ok StatusCode::CONFLICT"),
            ("Response::builder().status(StatusCode::CONFLICT)", "Response::builder StatusCode::CONFLICT"),
            ("Ok(Reply::new(text, StatusCode::CONFLICT))", "Ok Reply::new StatusCode::CONFLICT"),
            ("Ok((Json(text), StatusCode::CONFLICT))", "Ok Json StatusCode::CONFLICT"),
            ("Ok(Reply::new(text, code, LIMIT))", "Ok Reply::new"),
            ("Ok(None)", "Ok None"),
            ("Ok(false)", "Ok false"),
            ("Ok(cancel(order).await?)", "Ok"),
            ("Ok(errors)", "Ok"),
        ] {
            assert_eq!(heads(text), expected, "{text}");
        }
    }
}
