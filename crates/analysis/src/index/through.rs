//! Does what a function gives come out of something that it is passed? A type parameter can only come from where it is named.

use super::{Index, ItemRef};
use sessionlint_ir::TypeRef;
use sessionlint_protocols::Wraps;

/// How something that is passed to a function, or the output of a future that is, comes out of it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Through {
    /// The position of the value or future among the parameters.
    pub param: usize,
    /// Whether it is what a future gives, not what is passed itself.
    pub awaited: bool,
    /// Whether it is what is inside of the result that is passed, or that the future gives.
    pub opened: bool,
    /// Whether the function puts it into a result of its own.
    pub wrapped: bool,
}

impl Index<'_> {
    /// `async fn limited<T>(work: impl Future<Output = Result<T, E>>) -> Result<T, Late>`: `T` comes from the future, whatever the body does.
    pub(crate) fn through(&self, item: ItemRef) -> Option<Through> {
        let signature = self.signature(item)?;
        let generics = self.generics_around(item, &signature.generics);
        if generics.is_empty() && !signature.params.iter().any(|param| matches!(param.ty, TypeRef::Bounds(_))) {
            return None;
        }
        let output = self.of_future(&signature.output, &generics).unwrap_or(&signature.output);
        let (given, wrapped) = match self.inside_result(output) {
            Some(inner) => (inner, true),
            None => (output, false),
        };
        let mut found = None;
        for (param, declared) in signature.params.iter().enumerate() {
            let of_future = self.of_future(&declared.ty, &generics);
            let written = of_future.unwrap_or(&declared.ty);
            let awaited = of_future.is_some() || is_output_of(given, &declared.ty);
            let opened = match self.inside_result(written) {
                _ if is_output_of(given, &declared.ty) || (written == given && names(given).is_some()) => false,
                Some(inner) if inner == given && names(given).is_some() => true,
                _ if of_future.is_some() => continue,
                // What stands elsewhere, too, may come from there.
                _ => match parameter_in(given).is_none_or(|name| mentions(&declared.ty, name, &generics)) {
                    true => return None,
                    false => continue,
                },
            };
            if found.replace(Through { param, awaited, opened, wrapped }).is_some() {
                return None;
            }
        }
        // Only a type parameter can be nothing else.
        let is_parameter = |through: &Through| {
            let declared = &signature.params[through.param].ty;
            is_output_of(given, declared)
                || names(given).is_some_and(|name| generics.iter().any(|(known, _)| known == name))
        };
        found.filter(is_parameter)
    }

    /// The output of a future type, as it is written.
    fn of_future<'t>(&self, ty: &'t TypeRef, generics: &'t [(String, Vec<TypeRef>)]) -> Option<&'t TypeRef> {
        let standard = self.model.standard();
        match ty {
            TypeRef::Bounds(bounds) => bounds.iter().find_map(|bound| self.of_future(bound, &[])),
            TypeRef::Path { segments, args } => {
                let name = segments.last()?;
                match standard.wraps(name) {
                    Some(Wraps::Future) => args.last(),
                    Some(Wraps::Owned) => args.first().and_then(|inner| self.of_future(inner, generics)),
                    _ => {
                        let (_, bounds) = generics.iter().find(|(known, _)| known == name && segments.len() == 1)?;
                        bounds.iter().find_map(|bound| self.of_future(bound, &[]))
                    }
                }
            }
            _ => None,
        }
    }

    /// What is inside of a result or option, as it is written; an alias of a result is one, too.
    fn inside_result<'t>(&self, ty: &'t TypeRef) -> Option<&'t TypeRef> {
        let TypeRef::Path { segments, args } = ty else { return None };
        let name = segments.last()?;
        let is_result = self.model.standard().wraps(name) == Some(Wraps::Fallible) || name.ends_with("Result");
        args.first().filter(|_| is_result)
    }
}

/// The name of a type that is nothing but a name.
fn names(ty: &TypeRef) -> Option<&str> {
    match ty {
        TypeRef::Path { segments, args } if args.is_empty() && segments.len() == 1 => Some(&segments[0]),
        _ => None,
    }
}

/// The name of the type parameter that a type is, or is the output of: `T`, `F::Output`.
fn parameter_in(ty: &TypeRef) -> Option<&str> {
    match ty {
        TypeRef::Path { segments, args } if args.is_empty() => match segments.as_slice() {
            [name] => Some(name),
            [owner, output] if output == "Output" => Some(owner),
            _ => None,
        },
        TypeRef::Projection { base, name } if name == "Output" => names(base),
        _ => None,
    }
}

/// `F::Output`, for a parameter of type `F`.
fn is_output_of(given: &TypeRef, declared: &TypeRef) -> bool {
    match given {
        TypeRef::Path { segments, .. } => match segments.as_slice() {
            [owner, output] => output == "Output" && names(declared) == Some(owner),
            _ => false,
        },
        TypeRef::Projection { base, name } => name == "Output" && **base == *declared,
        _ => false,
    }
}

/// Whether a type, or a bound of it, names a type parameter.
fn mentions(ty: &TypeRef, name: &str, generics: &[(String, Vec<TypeRef>)]) -> bool {
    match ty {
        TypeRef::Path { segments, args } => {
            let bounds = generics.iter().find(|(known, _)| segments.len() == 1 && *known == segments[0]);
            (segments.len() == 1 && segments[0] == name)
                || args.iter().any(|arg| mentions(arg, name, generics))
                || bounds.is_some_and(|(_, bounds)| bounds.iter().any(|bound| mentions(bound, name, &[])))
        }
        TypeRef::Projection { base, .. } => mentions(base, name, generics),
        TypeRef::Ref { inner, .. } | TypeRef::Slice(inner) => mentions(inner, name, generics),
        TypeRef::Tuple(parts) | TypeRef::Bounds(parts) => parts.iter().any(|part| mentions(part, name, generics)),
        TypeRef::Unknown => false,
    }
}
