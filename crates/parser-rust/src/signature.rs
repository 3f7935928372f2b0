//! What do a signature and a `use` say, as they are parsed?

use crate::types::{bounds_of, name, segments, type_ref};
use sessionlint_ir::{Import, Parameter, Signature, TypeRef};
use syn::{FnArg, GenericParam, Generics, ReceiverKind, ReturnType, UseTree, WherePredicate};

/// The names that a `use` tree brings in.
pub(crate) fn use_tree(tree: &UseTree, prefix: &mut Vec<String>, found: &mut Vec<Import>) {
    match tree {
        UseTree::Path(path) => {
            prefix.push(name(&path.ident));
            use_tree(&path.tree, prefix, found);
            prefix.pop();
        }
        UseTree::Name(used) => {
            let mut path = prefix.clone();
            let last = name(&used.ident);
            if last != "self" {
                path.push(last);
            }
            let local = path.last().cloned();
            found.push(Import { path, name: local });
        }
        UseTree::Rename(used) => {
            let mut path = prefix.clone();
            if name(&used.ident) != "self" {
                path.push(name(&used.ident));
            }
            found.push(Import { path, name: Some(name(&used.rename)) });
        }
        UseTree::Glob(_) => found.push(Import { path: prefix.clone(), name: None }),
        UseTree::Group(group) => group.items.iter().for_each(|tree| use_tree(tree, prefix, found)),
    }
}

pub(crate) fn lower_signature(signature: &syn::Signature) -> Signature {
    let params = signature.inputs.iter().map(|input| match input {
        FnArg::Receiver(receiver) => Parameter { name: Some("self".to_owned()), ty: receiver_ty(receiver) },
        FnArg::Typed(typed) => {
            let name = match &*typed.pat {
                syn::Pat::Ident(ident) => Some(name(&ident.ident)),
                _ => None,
            };
            Parameter { name, ty: type_ref(&typed.ty) }
        }
    });
    Signature {
        is_async: signature.asyncness.is_some(),
        has_receiver: matches!(signature.inputs.first(), Some(FnArg::Receiver(_))),
        params: params.collect(),
        output: match &signature.output {
            ReturnType::Default => TypeRef::Tuple(Vec::new()),
            ReturnType::Type(_, ty) => type_ref(ty),
        },
        generics: generics(&signature.generics),
    }
}

/// The type of a receiver: `Self` behind the written references.
pub(crate) fn receiver_ty(receiver: &syn::Receiver) -> TypeRef {
    let this = TypeRef::named(&["Self"]);
    match &receiver.kind {
        ReceiverKind::Value => this,
        ReceiverKind::Reference(_, _, mutability) => {
            TypeRef::Ref { mutable: mutability.is_some(), inner: Box::new(this) }
        }
        ReceiverKind::Typed(_, ty) => type_ref(ty),
        _ => TypeRef::Unknown,
    }
}

pub(crate) fn generics(generics: &Generics) -> Vec<(String, Vec<TypeRef>)> {
    let mut found: Vec<(String, Vec<TypeRef>)> = generics
        .params
        .iter()
        .filter_map(|param| match param {
            GenericParam::Type(param) => Some((name(&param.ident), bounds_of(param.bounds.iter()))),
            _ => None,
        })
        .collect();
    let predicates = generics.where_clause.iter().flat_map(|clause| &clause.predicates);
    for predicate in predicates {
        if let WherePredicate::Type(predicate) = predicate
            && let syn::Type::Path(path) = &predicate.bounded_ty
            && let [bounded] = segments(&path.path).as_slice()
            && let Some((_, bounds)) = found.iter_mut().find(|(name, _)| name == bounded)
        {
            bounds.extend(bounds_of(predicate.bounds.iter()));
        }
    }
    found
}
