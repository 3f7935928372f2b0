//! What is in a constant? Its text, and its type.

use super::{Index, ItemRef, PackageId, Resolved, Scope, Ty};
use sessionlint_diagnostics::FileId;
use sessionlint_ir::{ItemKind, TypeRef};
use std::sync::Arc;

impl<'h> Index<'h> {
    /// The text of a constant, by path.
    pub fn constant_text(&self, scope: &Scope<'_>, path: &[String]) -> Option<String> {
        let Some(Resolved::Item(item, rest)) = self.resolve(scope, path) else { return None };
        let known = self.item(item)?;
        if known.kind != ItemKind::Constant || !rest.is_empty() {
            return None;
        }
        self.constant(item).as_ref().as_ref()?.1.clone()
    }

    /// The type of a constant, and its text when it is a text literal.
    fn constant(&self, item: ItemRef) -> Arc<Option<(TypeRef, Option<String>)>> {
        self.constants.get(item, || {
            let (text, span) = self.item_text(item, |item| item.head)?;
            self.host.constant(text, span)
        })
    }

    /// The texts of all associated constants of this name in a file's package, traits and their impls alike:
    /// which of them `Self::NAME` means is decided where the type is known.
    pub fn associated_texts(&self, file: FileId, name: &str) -> Arc<Vec<String>> {
        let package = self.package_id(file);
        self.texts.get((package, name.to_owned()), || self.associated_texts_of(package, name))
    }

    fn associated_texts_of(&self, package: PackageId, name: &str) -> Vec<String> {
        let mut texts = Vec::new();
        for file in &self.package(package).indexed {
            let Some(data) = self.host.data(*file) else { continue };
            for id in data.outline.ids() {
                let item = data.outline.item(id);
                let associated = item
                    .parent
                    .is_some_and(|parent| matches!(data.outline.item(parent).kind, ItemKind::Impl | ItemKind::Trait));
                if item.kind != ItemKind::Constant || item.name != name || !associated {
                    continue;
                }
                let Some(text) = data.text.get(item.head.start as usize..item.head.end as usize) else { continue };
                // Without a value it is only declared.
                if text.contains('=') {
                    texts.push(self.host.constant(text, item.head).and_then(|(_, text)| text).unwrap_or_default());
                }
            }
        }
        texts
    }

    /// The type of a constant or static, by path.
    pub fn constant_ty(&self, scope: &Scope<'_>, path: &[String]) -> Option<(ItemRef, Ty)> {
        let Some(Resolved::Item(item, rest)) = self.resolve(scope, path) else { return None };
        let known = self.item(item)?;
        if known.kind != ItemKind::Constant || !rest.is_empty() {
            return None;
        }
        let (ty, _) = self.constant(item).as_ref().clone()?;
        Some((item, self.ty(&self.scope_of(item), &ty)))
    }
}
