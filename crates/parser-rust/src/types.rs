//! What type is written here?

use sessionlint_ir::TypeRef;
use syn::{GenericArgument, PathArguments, Type, TypeParamBound};

/// A written type, without lifetimes and constants.
pub(crate) fn type_ref(ty: &Type) -> TypeRef {
    match ty {
        Type::Path(path) => qualified(path.qself.as_ref(), &path.path),
        Type::Reference(reference) => {
            TypeRef::Ref { mutable: reference.mutability.is_some(), inner: Box::new(type_ref(&reference.elem)) }
        }
        Type::Ptr(pointer) => TypeRef::Ref {
            mutable: matches!(pointer.mutability, syn::PointerMutability::Mut(_)),
            inner: Box::new(type_ref(&pointer.elem)),
        },
        Type::Tuple(tuple) => TypeRef::Tuple(tuple.elems.iter().map(type_ref).collect()),
        Type::Array(array) => TypeRef::Slice(Box::new(type_ref(&array.elem))),
        Type::Slice(slice) => TypeRef::Slice(Box::new(type_ref(&slice.elem))),
        Type::Paren(paren) => type_ref(&paren.elem),
        Type::Group(group) => type_ref(&group.elem),
        Type::ImplTrait(bounds) => TypeRef::Bounds(bounds_of(bounds.bounds.iter())),
        Type::TraitObject(bounds) => TypeRef::Bounds(bounds_of(bounds.bounds.iter())),
        _ => TypeRef::Unknown,
    }
}

/// The traits among bounds, as types.
pub(crate) fn bounds_of<'a>(bounds: impl Iterator<Item = &'a TypeParamBound>) -> Vec<TypeRef> {
    bounds
        .filter_map(|bound| match bound {
            TypeParamBound::Trait(bound) => Some(path_ref(&bound.path)),
            _ => None,
        })
        .collect()
}

/// A path, with what stands in angle brackets before it.
pub(crate) fn qualified(qself: Option<&syn::QSelf>, path: &syn::Path) -> TypeRef {
    match qself {
        None => path_ref(path),
        Some(qself) => TypeRef::Projection {
            base: Box::new(type_ref(&qself.ty)),
            name: path.segments.last().map(|segment| name(&segment.ident)).unwrap_or_default(),
        },
    }
}

fn path_ref(path: &syn::Path) -> TypeRef {
    let segments = path.segments.iter().map(|segment| name(&segment.ident)).collect();
    let args = path.segments.last().map(|segment| arguments(&segment.arguments)).unwrap_or_default();
    TypeRef::Path { segments, args }
}

/// Type arguments in order; the types of associated types (`Future<Output = T>`) count as arguments. `Fn(A, B) -> C` has two: `C`
/// and `(A, B)`.
pub(crate) fn arguments(arguments: &PathArguments) -> Vec<TypeRef> {
    match arguments {
        PathArguments::None => Vec::new(),
        PathArguments::AngleBracketed(list) => generic_arguments(list),
        // What a function gives comes first, then what it takes.
        PathArguments::Parenthesized(list) => {
            let output = match &list.output {
                syn::ReturnType::Default => TypeRef::Tuple(Vec::new()),
                syn::ReturnType::Type(_, ty) => type_ref(ty),
            };
            vec![output, TypeRef::Tuple(list.inputs.iter().map(|input| type_ref(&input.ty)).collect())]
        }
    }
}

/// The same of what stands in angle brackets.
pub(crate) fn generic_arguments(list: &syn::AngleBracketedGenericArguments) -> Vec<TypeRef> {
    let one = |argument: &GenericArgument| match argument {
        GenericArgument::Type(ty) => Some(type_ref(ty)),
        GenericArgument::AssocType(assoc) => Some(type_ref(&assoc.ty)),
        _ => None,
    };
    list.args.iter().filter_map(one).collect()
}

/// An identifier without `r#`.
pub(crate) fn name(ident: &proc_macro2::Ident) -> String {
    let text = ident.to_string();
    text.strip_prefix("r#").map(str::to_owned).unwrap_or(text)
}

/// The names of a path.
pub(crate) fn segments(path: &syn::Path) -> Vec<String> {
    path.segments.iter().map(|segment| name(&segment.ident)).collect()
}
