//! What fields does a type have, itself or behind what it dereferences to?

use super::{Index, ItemRef, Ty};
use sessionlint_diagnostics::Span;
use sessionlint_ir::{Field, ItemKind};
use std::sync::Arc;

/// So many times a struct is dereferenced for a field.
const MAX_DEREFS: usize = 4;

impl Index<'_> {
    /// The type of a field; `Variant.field` for enums.
    pub fn field_ty(&self, owner: ItemRef, field: &str) -> Ty {
        self.field_of(owner, None, field)
    }

    /// The same where the type's arguments are known.
    pub fn field_of(&self, owner: ItemRef, args: Option<&[Ty]>, field: &str) -> Ty {
        let fields = self.fields_of(owner);
        let Some(known) = fields.0.iter().find(|known| known.name == field) else { return Ty::Unknown };
        let bound = fields.1.iter().cloned().zip(args.unwrap_or_default().iter().cloned()).collect();
        self.ty_with(&self.scope_of(owner), &known.ty, &bound)
    }

    /// The type of a field, with the defaults of the type's parameters: `struct Repository<C = Transaction>`.
    pub(crate) fn field_or_default(&self, owner: ItemRef, field: &str) -> Ty {
        let params = &self.fields_of(owner).1;
        let header = self.item_text(owner, |item| item.header()).map_or("", |(text, _)| text);
        let defaults: Vec<Ty> = params.iter().map(|param| self.default_of(owner, header, param)).collect();
        self.field_of(owner, Some(&defaults), field)
    }

    fn default_of(&self, owner: ItemRef, header: &str, param: &str) -> Ty {
        let Some((_, after)) = header.split_once(&format!("{param} = ")) else { return Ty::Unknown };
        let mut depth = 0;
        let end = after.find(|c: char| {
            depth += i32::from(c == '<') - i32::from(c == '>');
            depth < 0 || (depth == 0 && c == ',')
        });
        let text = format!("type Default = {};", &after[..end.unwrap_or(after.len())]);
        let span = Span { file: owner.file, start: 0, end: text.len() as u32 };
        match self.host.alias(&text, span) {
            Some((written, _)) => self.ty(&self.scope_of(owner), &written),
            None => Ty::Unknown,
        }
    }

    /// The type of a field of a struct, or of what the struct dereferences to.
    pub fn field_behind(&self, owner: ItemRef, args: Option<&[Ty]>, field: &str) -> Ty {
        let (mut at, mut args) = (owner, args.map(Arc::<[Ty]>::from));
        for _ in 0..MAX_DEREFS {
            if self.has_field(at, field) {
                return self.field_of(at, args.as_deref(), field);
            }
            match self.deref_of(at, args.as_ref()) {
                Some(Ty::Own(next, known)) => (at, args) = (next, known),
                _ => break,
            }
        }
        Ty::Unknown
    }

    /// Whether an enum may have a variant of this name.
    pub fn has_variant(&self, owner: ItemRef, variant: &str) -> bool {
        let is_enum = self.item(owner).is_some_and(|item| item.kind == ItemKind::Enum);
        is_enum
            && self.item_text(owner, |item| item.head).is_none_or(|(text, _)| {
                text.match_indices(variant).any(|(at, _)| {
                    let before = text[..at].chars().next_back();
                    let after = text[at + variant.len()..].chars().next();
                    let part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
                    !part(before) && !part(after)
                })
            })
    }

    /// The names of an enum's variants, as far as a look at its text tells; empty for anything else.
    pub(crate) fn variants(&self, owner: ItemRef) -> Vec<String> {
        if self.item(owner).is_none_or(|item| item.kind != ItemKind::Enum) {
            return Vec::new();
        }
        let body = self.item(owner).and_then(|item| item.body);
        let text = body.and_then(|body| self.host.data(owner.file)?.text.get(body.start as usize..body.end as usize));
        let names = text.unwrap_or_default().split(|c: char| !c.is_alphanumeric() && c != '_');
        names.filter(|name| name.starts_with(char::is_uppercase)).map(str::to_owned).collect()
    }

    /// Whether there is a field of this name; `Variant.field` for enums.
    pub fn has_field(&self, owner: ItemRef, field: &str) -> bool {
        self.fields_of(owner).0.iter().any(|known| known.name == field)
    }

    /// The fields of a struct, or of the variants of an enum as `Variant.field`, and its type parameters.
    pub(crate) fn fields_of(&self, owner: ItemRef) -> Arc<(Vec<Field>, Vec<String>)> {
        self.fields.get(owner, || {
            let read = self.item_text(owner, |item| item.head).and_then(|(text, span)| self.host.fields(text, span));
            read.unwrap_or_default()
        })
    }

    /// What a type of the workspace dereferences to.
    pub fn deref_target(&self, owner: ItemRef) -> Option<Ty> {
        self.deref_of(owner, None)
    }

    /// The same where the type's arguments are known.
    pub fn deref_of(&self, owner: ItemRef, args: Option<&Arc<[Ty]>>) -> Option<Ty> {
        let Some(deref) = self.methods(owner, "deref").into_iter().next() else {
            let ty = self.field_of(owner, args.map(|args| &**args), &self.derived_deref(owner)?);
            return (!ty.is_unknown()).then(|| ty.peeled().clone());
        };
        match self.output(deref, Some(Ty::Own(owner, args.cloned())))? {
            // Whatever stands behind an `Arc` is reached through both.
            Ty::Ref(inner) if !inner.is_unknown() => Some(inner.peeled().clone()),
            _ => None,
        }
    }

    /// The field that a struct dereferences to by `#[derive(Deref)]`: the one that is marked, or its only one.
    pub fn derived_deref(&self, owner: ItemRef) -> Option<String> {
        let (text, _) = self.item_text(owner, |item| item.span)?;
        let derives = |list: &str| {
            let list = list.split(')').next().unwrap_or_default();
            list.split(',').any(|name| name.trim().rsplit("::").next() == Some("Deref"))
        };
        text.split("#[derive(").skip(1).any(derives).then_some(())?;
        let fields = self.fields_of(owner);
        if let [only] = fields.0.as_slice() {
            return Some(only.name.clone());
        }
        let marked = text.split("#[deref]").nth(1)?;
        fields
            .0
            .iter()
            .find(|field| {
                // Other attributes may follow, and a visibility.
                let mut declared = marked.trim_start();
                while let Some((_, rest)) = declared.strip_prefix("#[").and_then(|rest| rest.split_once(']')) {
                    declared = rest.trim_start();
                }
                let declared = declared.trim_start_matches("pub").trim_start();
                let declared =
                    declared.strip_prefix('(').and_then(|rest| rest.split_once(')')).map_or(declared, |(_, rest)| rest);
                declared.trim_start().strip_prefix(&*field.name).is_some_and(|rest| rest.trim_start().starts_with(':'))
            })
            .map(|field| field.name.clone())
    }
}
