//! What does one item declare? Signatures, fields, aliases, imports and constants, parsed on demand.

use crate::imports::plain_imports;
use crate::lower;
use crate::parse::parse;
use crate::signature::{generics, lower_signature, use_tree};
use crate::texts::text_literal;
use crate::types::{bounds_of, name, type_ref};
use sessionlint_diagnostics::Span;
use sessionlint_ir::{Field, FunctionItem, ImplHeader, Import, Signature, SyntaxError, TypeRef};
use syn::Generics;

/// Parses a function or method and lowers its body. `text` is the item's text and `span` its place; `macros` gives
/// the whole text of the `macro_rules!` macro that a path names, where it is known.
pub fn function(
    text: &str,
    span: Span,
    macros: &dyn Fn(&[String]) -> Option<String>,
) -> Result<FunctionItem, SyntaxError> {
    parse(text, span, |item: &syn::TraitItemFn| lower::function(&item.sig, item.default.as_ref(), span, macros))
}

/// Parses a signature only: `text` ends where the body begins.
pub fn signature(text: &str, span: Span) -> Result<Signature, SyntaxError> {
    let declared = format!("{};", text.trim_end().trim_end_matches(';'));
    parse(&declared, span, |item: &syn::TraitItemFn| lower_signature(&item.sig))
}

/// The fields of a struct or union, or of all variants of an enum. Variants' fields are named
/// `Variant.field`.
pub fn struct_fields(text: &str, span: Span) -> Result<(Vec<Field>, Vec<String>), SyntaxError> {
    parse(text, span, |item: &syn::Item| match item {
        syn::Item::Struct(item) => (fields("", &item.fields), parameters(&item.generics)),
        syn::Item::Union(item) => (named_fields("", &item.fields), parameters(&item.generics)),
        syn::Item::Enum(item) => {
            let variant = |variant: &syn::Variant| fields(&format!("{}.", name(&variant.ident)), &variant.fields);
            (item.variants.iter().flat_map(variant).collect(), parameters(&item.generics))
        }
        _ => (Vec::new(), Vec::new()),
    })
}

/// What a type alias stands for, and its type parameters. An associated type that a trait only declares stands for its bounds.
pub fn alias(text: &str, span: Span) -> Result<(TypeRef, Vec<String>), SyntaxError> {
    let plain = parse(text, span, |item: &syn::ItemType| (type_ref(&item.ty), parameters(&item.generics)));
    let declared = |item: &syn::TraitItemType| {
        let target = match &item.default {
            Some((_, ty)) => type_ref(ty),
            None => TypeRef::Bounds(bounds_of(item.bounds.iter())),
        };
        (target, parameters(&item.generics))
    };
    plain
        .or_else(|error| parse(text, span, declared).map_err(|_| error))
        // `type Inner<'a> = &'a mut Tx where Self: 'a`
        .or_else(|error| {
            let of_impl = |item: &syn::ImplItemType| (type_ref(&item.ty), parameters(&item.generics));
            parse(text, span, of_impl).map_err(|_| error)
        })
}

/// The header of an `impl` block or trait: `text` ends where its brace begins. A trait is for the type that its own name with its
/// parameters is.
pub fn impl_header(text: &str, span: Span) -> Result<ImplHeader, SyntaxError> {
    let closed = format!("{}{{}}", text.trim_end());
    let of_trait = |item: &syn::ItemTrait| {
        let generics = generics(&item.generics);
        let args = generics.iter().map(|(name, _)| TypeRef::named(&[name])).collect();
        let self_ty = TypeRef::Path { segments: vec![name(&item.ident)], args };
        ImplHeader { self_ty, of_trait: None, generics }
    };
    parse(&closed, span, |item: &syn::ItemImpl| ImplHeader {
        self_ty: type_ref(&item.self_ty),
        of_trait: item.trait_.as_ref().map(|(path, _)| crate::types::qualified(None, path)),
        generics: generics(&item.generics),
    })
    .or_else(|error| parse(&closed, span, of_trait).map_err(|_| error))
}

/// The names that a `use` declaration or `extern crate` brings in.
pub fn imports(text: &str, span: Span) -> Result<Vec<Import>, SyntaxError> {
    plain_imports(text).map_or_else(|| parsed_imports(text, span), Ok)
}

fn parsed_imports(text: &str, span: Span) -> Result<Vec<Import>, SyntaxError> {
    parse(text, span, |item: &syn::Item| {
        let mut found = Vec::new();
        match item {
            syn::Item::Use(item) => use_tree(&item.tree, &mut Vec::new(), &mut found),
            syn::Item::ExternCrate(item) => {
                let local = item.rename.as_ref().map_or(&item.ident, |(_, rename)| rename);
                found.push(Import { path: vec![name(&item.ident)], name: Some(name(local)) });
            }
            // The parser has no tree for `use {::a, b};`. Its tokens stand without comments.
            syn::Item::Verbatim(tokens) => found.extend(plain_imports(&tokens.to_string()).unwrap_or_default()),
            _ => {}
        }
        found
    })
}

/// The written type of a constant or static, and its text when it is a text literal.
pub fn constant_text(text: &str, span: Span) -> Result<(TypeRef, Option<String>), SyntaxError> {
    // A macro makes it, which dereferences to the type: `static ref POOL: Pool = ..;`.
    let reference = text.strip_prefix("static").and_then(|rest| rest.trim_start().strip_prefix("ref "));
    if let Some(rest) = reference {
        let (ty, text) = constant_text(&format!("static {rest}"), span)?;
        return Ok((TypeRef::Ref { mutable: false, inner: Box::new(ty) }, text));
    }
    parse(text, span, |item: &syn::Item| match item {
        syn::Item::Const(item) => (type_ref(&item.ty), text_literal(&item.expr)),
        syn::Item::Static(item) => (type_ref(&item.ty), text_literal(&item.expr)),
        _ => (TypeRef::Unknown, None),
    })
}

fn parameters(generics: &Generics) -> Vec<String> {
    generics.type_params().map(|param| name(&param.ident)).collect()
}

fn fields(prefix: &str, fields: &syn::Fields) -> Vec<Field> {
    match fields {
        syn::Fields::Named(named) => named_fields(prefix, named),
        syn::Fields::Unnamed(unnamed) => unnamed
            .unnamed
            .iter()
            .enumerate()
            .map(|(index, field)| Field { name: format!("{prefix}{index}"), ty: type_ref(&field.ty) })
            .collect(),
        syn::Fields::Unit => Vec::new(),
    }
}

fn named_fields(prefix: &str, fields: &syn::FieldsNamed) -> Vec<Field> {
    let field = |field: &syn::Field| {
        let ident = field.ident.as_ref()?;
        Some(Field { name: format!("{prefix}{}", name(ident)), ty: type_ref(&field.ty) })
    };
    fields.named.iter().filter_map(field).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use sessionlint_diagnostics::FileId;

    const AT: Span = Span { file: FileId(0), start: 0, end: 0 };

    #[test]
    fn imports_are_what_the_parser_says() {
        for text in [
            "use a;",
            "use ::a::b as c;",
            "use ::{a, b::c};",
            "pub(crate) use crate::{self, a::{self as b, c::*,}, d as _, };",
            "pub(super) use super::super::a::{};",
            "pub(self) use self::{*};",
            "pub use a::*;",
            "use {a, b::{c, {d, e}}};",
            "use crate as a;",
            "use a::self;",
            "use größe::ß;",
        ] {
            let plain = plain_imports(text);
            assert!(plain.is_some(), "{text}");
            assert_eq!(plain, parsed_imports(text, AT).ok(), "{text}");
        }
        for text in [
            "pub(in crate::a) use b::c;",
            "use r#a::b;",
            "use a::{/// b\nc};",
            "use a::{::b};",
            "use a:b;",
            "use a: :b;",
            "use a::b c;",
            "use a::{b c};",
            "use a::{,};",
            "use a::{b,, c};",
            "use a as self;",
            "use a::fn;",
            "use a::{b;",
            "use a",
            "use a; use b;",
            "use $a::b;",
            "extern crate a as b;",
            "",
        ] {
            assert_eq!(plain_imports(text), None, "{text}");
        }
    }

    #[test]
    fn paths_of_a_group_may_begin_at_the_root() {
        for text in ["use {a::b, ::c::{d, e}};", "use {\n    // why\n    a::b,\n    ::c::{d, e},\n};"] {
            let found = imports(text, AT).unwrap();
            let paths: Vec<_> = found.iter().map(|import| import.path.join("::")).collect();
            assert_eq!(paths, ["a::b", "c::d", "c::e"], "{text}");
        }
    }

    #[test]
    fn imports_are_flattened() {
        let found = imports("pub use a::{self, b::{C as D, *}, e};", AT).unwrap();
        let shown: Vec<_> = found
            .iter()
            .map(|import| format!("{}={}", import.name.as_deref().unwrap_or("*"), import.path.join("::")))
            .collect();
        assert_eq!(shown, ["a=a", "D=a::b::C", "*=a::b", "e=a::e"]);
    }

    #[test]
    fn an_associated_type_is_what_is_asked_of_it() {
        let (asked, _) = alias("type Tx<'a>: Turn + Send where Self: 'a;", AT).unwrap();
        assert_eq!(asked, TypeRef::Bounds(vec![TypeRef::named(&["Turn"]), TypeRef::named(&["Send"])]));
        let (declared, _) = alias("pub type Tx = Turn;", AT).unwrap();
        assert_eq!(declared, TypeRef::named(&["Turn"]));
        assert!(alias("type Tx", AT).is_err());
    }

    #[test]
    fn where_clauses_add_to_bounds() {
        let read = signature("async fn f<E: A>(&mut self, e: E) -> Result<T, X> where E: B", AT).unwrap();
        assert!(read.is_async && read.has_receiver);
        assert_eq!(read.generics, [("E".to_owned(), vec![TypeRef::named(&["A"]), TypeRef::named(&["B"])])]);
    }
}
