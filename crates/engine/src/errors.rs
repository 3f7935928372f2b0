//! Does `?` in a function take the error of a library? Read from the declared return type and what it leads to.

use crate::host::Files;
use crate::packages::Packages;
use sessionlint_analysis::{Host, Index, ItemRef, PackageId, Resolved, Scope};
use sessionlint_diagnostics::Span;
use sessionlint_ir::{Item, ItemKind, TypeRef};
use sessionlint_protocols::Library;

/// Types, and results with such an error, that take any error.
const TAKES_ALL: &[&str] = &[
    "anyhow::Error",
    "anyhow::Result",
    "eyre::Report",
    "eyre::Result",
    "color_eyre::Report",
    "color_eyre::Result",
    "color_eyre::eyre::Report",
    "color_eyre::eyre::Result",
];
/// Bounds of a type parameter that every error of a library meets.
const MET: &[&str] = &["Error", "StdError", "Display", "Debug", "Send", "Sync", "Into"];
/// How many aliases are followed.
const MAX_ALIASES: usize = 4;

/// The files of a run and what their names mean.
pub(crate) struct Errors<'a> {
    pub files: &'a Files<'a>,
    pub index: &'a Index<'a>,
    pub packages: &'a Packages,
}

impl Errors<'_> {
    /// Whether `?` in the function with this body, the innermost one of a file around it, takes the error of a call that ends
    /// a session of a library. What cannot be told does not.
    pub fn takes(&self, body: Span, library: &Library) -> bool {
        let function = self.function(body);
        let signature = function.and_then(|item| Some((item, self.index.signature(item)?)));
        signature.is_some_and(|(item, signature)| {
            let mut scope = self.index.scope_of(item);
            scope.generics = &signature.generics;
            !library.errors.is_empty() && self.result_takes(&scope, &signature.output, library, MAX_ALIASES)
        })
    }

    fn function(&self, body: Span) -> Option<ItemRef> {
        let outline = &self.files.data(body.file)?.outline;
        let is_it = |item: &Item| item.kind == ItemKind::Function && item.body == Some(body);
        outline.ids().find(|id| is_it(outline.item(*id))).map(|item| ItemRef { file: body.file, item })
    }

    /// Whether a type is a result whose error does.
    fn result_takes(&self, scope: &Scope<'_>, written: &TypeRef, library: &Library, aliases: usize) -> bool {
        let TypeRef::Path { segments, args } = written else { return false };
        // An error that is written decides, whatever the result is called.
        match (self.index.resolve(scope, segments), args.as_slice()) {
            (Some(Resolved::Item(item, rest)), args) if rest.is_empty() && aliases > 0 => {
                let Some((target, names)) = self.alias(item) else { return false };
                let TypeRef::Path { args: inner, .. } = &target else { return false };
                let own = self.index.scope_of(item);
                // Its error may be one of its own parameters.
                let parameter =
                    inner.get(1).and_then(|error| names.iter().position(|name| error == &TypeRef::named(&[name])));
                match parameter.map(|at| args.get(at)) {
                    Some(Some(error)) => self.error_takes(scope, error, library, aliases - 1),
                    Some(None) => match self.default_of(item, &names[parameter.unwrap_or_default()]) {
                        Some(error) => self.error_takes(&own, &error, library, aliases - 1),
                        None => false,
                    },
                    None => self.result_takes(&own, &target, library, aliases - 1),
                }
            }
            (_, [_, error]) => {
                segments.last().is_some_and(|name| name.ends_with("Result"))
                    && self.error_takes(scope, error, library, aliases)
            }
            (Some(Resolved::External(path)), _) => {
                let path = path.join("::");
                path.ends_with("Result") && (TAKES_ALL.contains(&path.as_str()) || library.errors.contains(&path))
            }
            _ => false,
        }
    }

    /// Whether a type takes the error by `From`.
    fn error_takes(&self, scope: &Scope<'_>, written: &TypeRef, library: &Library, aliases: usize) -> bool {
        let TypeRef::Path { segments, args } = written else { return false };
        if let ("Box", [TypeRef::Bounds(bounds)]) = (segments.last().map_or("", String::as_str), args.as_slice()) {
            return bounds.iter().any(|bound| matches!(bound.last_segment(), Some("Error" | "StdError")));
        }
        match self.index.resolve(scope, segments) {
            Some(Resolved::External(path)) => {
                let path = path.join("::");
                TAKES_ALL.contains(&path.as_str()) || library.errors.contains(&path)
            }
            Some(Resolved::Item(item, rest)) if rest.is_empty() => match self.alias(item) {
                Some((target, _)) => {
                    aliases > 0 && self.error_takes(&self.index.scope_of(item), &target, library, aliases - 1)
                }
                None => self.is_marked(item, library) || self.is_converted(item, library),
            },
            _ => false,
        }
    }

    /// Whether a type says `#[from]` of the error.
    fn is_marked(&self, item: ItemRef, library: &Library) -> bool {
        let scope = self.index.scope_of(item);
        self.text_of(item, |item| item.span).is_some_and(|text| {
            text.split("#[from]").skip(1).any(|after| {
                let after = after.trim_start();
                let after = after.strip_prefix("pub ").unwrap_or(after).trim_start();
                // `source: sqlx::Error` or `sqlx::Error`.
                let is_name = |name: &str| name.chars().all(|c| c.is_alphanumeric() || c == '_');
                let written = match after.split_once(':') {
                    Some((name, ty)) if is_name(name.trim()) && !ty.starts_with(':') => ty.trim_start(),
                    _ => after,
                };
                let end = written.find(|c: char| !c.is_alphanumeric() && c != '_' && c != ':').unwrap_or(written.len());
                let is_whole = written[end..].trim_start().starts_with([',', ')', '}']);
                let path: Vec<String> = written[..end].split("::").map(str::to_owned).collect();
                is_whole && self.is_error(&scope, &path, library)
            })
        })
    }

    /// Whether its package has an `impl From<…>` of the error for a type.
    fn is_converted(&self, owner: ItemRef, library: &Library) -> bool {
        let PackageId(package) = self.packages.files[owner.file.0 as usize].0;
        let files = self.packages.packages[package as usize].modules.values().flatten().copied();
        let blocks =
            files.filter_map(|file| Some((file, &self.files.data(file)?.outline))).flat_map(|(file, outline)| {
                let ids = outline.ids().filter(|id| outline.item(*id).kind == ItemKind::Impl && !outline.is_test(*id));
                ids.map(move |item| ItemRef { file, item })
            });
        let mut blocks =
            blocks.filter(|block| self.text_of(*block, Item::header).is_some_and(|header| header.contains("From<")));
        blocks.any(|block| {
            let Some(text) = self.text_of(block, Item::header) else { return false };
            let span = self
                .files
                .data(block.file)
                .map_or(Span::new(block.file, 0, 0), |data| data.outline.item(block.item).head);
            let Some(header) = self.files.impl_header(text, span) else { return false };
            let mut scope = self.index.scope_of(block);
            let named = |ty: &TypeRef| match ty {
                TypeRef::Path { segments, .. } => self.index.resolve(&scope, segments),
                _ => None,
            };
            if named(&header.self_ty) != Some(Resolved::Item(owner, Vec::new())) {
                return false;
            }
            let Some(TypeRef::Path { segments, args }) = &header.of_trait else { return false };
            let ("From", [TypeRef::Path { segments, args: rest }]) =
                (segments.last().map_or("", String::as_str), args.as_slice())
            else {
                return false;
            };
            // For any error: `impl<E: Into<anyhow::Error>> From<E> for Failure`.
            let parameter = header.generics.iter().find(|(name, _)| segments.as_slice() == [name.clone()]);
            if let Some((_, bounds)) = parameter {
                return bounds.iter().all(|bound| bound.last_segment().is_some_and(|name| MET.contains(&name)));
            }
            scope.generics = &header.generics;
            rest.is_empty() && self.is_error(&scope, segments, library)
        })
    }

    /// Whether a path names the very error of a call that ends a session.
    fn is_error(&self, scope: &Scope<'_>, path: &[String], library: &Library) -> bool {
        let Some(Resolved::External(path)) = self.index.resolve(scope, path) else { return false };
        // The same under another path has the same name, and the first is the usual one.
        let path = path.join("::");
        let (_, name) = library.errors[0].rsplit_once("::").unwrap_or_default();
        library.errors.contains(&path)
            && path.ends_with(&format!("::{name}"))
            && (!library.errors_vary || path == library.errors[0])
    }

    /// What an alias stands for, and its parameters.
    fn alias(&self, item: ItemRef) -> Option<(TypeRef, Vec<String>)> {
        let known = self.index.item(item).filter(|item| item.kind == ItemKind::Alias)?;
        self.files.alias(self.text_of(item, |item| item.head)?, known.head)
    }

    /// The default of an alias's parameter, as far as it is a path.
    fn default_of(&self, item: ItemRef, parameter: &str) -> Option<TypeRef> {
        let text = self.text_of(item, |item| item.head)?;
        let (_, after) = text.split_once(&format!("{parameter} = "))?;
        let path = after[..after.find(['>', ',', '<', ';'])?].trim();
        let is_path = path.chars().all(|c| c.is_alphanumeric() || c == '_' || c == ':');
        is_path.then(|| TypeRef::named(&path.split("::").collect::<Vec<_>>()))
    }

    fn text_of(&self, item: ItemRef, part: impl Fn(&Item) -> Span) -> Option<&str> {
        let data = self.files.data(item.file)?;
        let span = part(data.outline.item(item.item));
        data.text.get(span.start as usize..span.end as usize)
    }
}
