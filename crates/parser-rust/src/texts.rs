//! Which text does an expression or macro say, as far as it is written out?

use proc_macro2::TokenStream;
use syn::parse::{ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Expr, Token};

/// Arguments separated by commas; `name = value`, `%value` and `?value` of logging macros give their value.
pub(crate) fn parse_arguments(tokens: &TokenStream) -> Option<Vec<Expr>> {
    let parser = |input: ParseStream<'_>| Punctuated::<Expr, Token![,]>::parse_terminated(input);
    let args = parser.parse2(tokens.clone()).ok()?;
    let value = |arg: Expr| match arg {
        Expr::Assign(assign) => *assign.right,
        other => other,
    };
    Some(args.into_iter().map(value).collect())
}

/// The text that a `format!` or `concat!` call starts from: what is put in at run time stands as `{}`.
pub(crate) fn format_text(tokens: &TokenStream, concat: bool) -> Option<String> {
    let args = parse_arguments(tokens)?;
    if concat {
        let part = |arg: &Expr| text_literal(arg).unwrap_or_else(|| "{}".to_owned());
        return Some(args.iter().map(part).collect());
    }
    text_literal(args.first()?)
}

pub(crate) fn text_literal(expr: &syn::Expr) -> Option<String> {
    match expr {
        syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) => Some(text.value()),
        syn::Expr::Paren(paren) => text_literal(&paren.expr),
        syn::Expr::Group(group) => text_literal(&group.expr),
        syn::Expr::Reference(reference) => text_literal(&reference.expr),
        syn::Expr::Macro(call) if call.mac.path.is_ident("concat") => format_text(&call.mac.tokens, true),
        _ => None,
    }
}
