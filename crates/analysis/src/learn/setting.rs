//! Does dropping a transaction commit, and does a setting of it decide that? In: a type. Out: the methods that change a setting which
//! says to roll back where somebody makes one.

use super::said::Said;
use crate::index::{Index, ItemRef, Ty};
use sessionlint_ir::{AggregateKind, Body, ItemKind, Operand, Place, Projection, Rvalue, StatementKind};

/// Whether a type's own `Drop` commits. Where a setting decides that, whoever makes one has it roll back.
pub(super) fn keeps_when_dropped(index: &Index<'_>, item: ItemRef) -> bool {
    let Some(drop) = index.methods(item, "drop").into_iter().next() else { return false };
    let said = Said::with_own(index, item, drop);
    let keeps = said.commits || said.commits_text || said.releases_text;
    keeps && !(said.gives_up() && changed_by(index, item).is_some())
}

/// The methods of a type that change by what its `Drop` decides; `None` where nothing says that it rolls back before they are called.
pub(super) fn changed_by(index: &Index<'_>, item: ItemRef) -> Option<Vec<String>> {
    let field = setting(index, item)?;
    let changes = |method: ItemRef| {
        let function = index.function(method)?;
        let body = function.body.as_ref()?;
        let own = *body.params.first()?;
        let is_setting =
            |place: &Place| place.local == own && place.projection.first() == Some(&Projection::Field(field.clone()));
        Some(body.statements().any(|statement| match &statement.kind {
            StatementKind::Assign(place, _) => is_setting(place),
            _ => false,
        }))
    };
    let methods = index.methods_of(item).into_iter();
    Some(methods.filter(|(_, method)| changes(*method) == Some(true)).map(|(name, _)| name).collect())
}

/// The field that says whether dropping commits or rolls back, when it says the latter wherever one is made.
fn setting(index: &Index<'_>, item: ItemRef) -> Option<String> {
    let words = index.model.learned_words();
    let fields = index.fields_of(item);
    let field = fields.0.iter().find(|field| match index.field_or_default(item, &field.name) {
        Ty::Own(choice, _) => {
            let variants = index.variants(choice);
            variants.iter().any(|name| words.undoes(name)) && variants.iter().any(|name| words.keeps(name))
        }
        _ => false,
    })?;
    let mut made = Vec::new();
    let mut files = index.package_of(item.file).indexed.to_vec();
    files.push(item.file);
    files.sort();
    files.dedup();
    let name = &index.item(item)?.name;
    for file in files {
        let Some(data) = index.host.data(file) else { continue };
        if !data.text.contains(name.as_str()) {
            continue;
        }
        for id in data.outline.ids().filter(|id| data.outline.item(*id).kind == ItemKind::Function) {
            let body = data.outline.item(id).body;
            let text = body.and_then(|body| data.text.get(body.start as usize..body.end as usize)).unwrap_or_default();
            if !text.contains(&field.name) {
                continue;
            }
            if let Some(function) = index.function(ItemRef { file, item: id })
                && let Some(body) = &function.body
            {
                settings_made(body, name, &field.name, &mut made);
            }
        }
    }
    let rolls_back = |variant: &Option<String>| variant.as_ref().is_some_and(|variant| words.undoes(variant));
    (!made.is_empty() && made.iter().all(rolls_back)).then(|| field.name.clone())
}

/// What a body sets a field to where it makes a struct: the last name of a path, or `None` for anything else.
fn settings_made(body: &Body, name: &str, field: &str, made: &mut Vec<Option<String>>) {
    for (_, value) in body.assignments() {
        let Rvalue::Aggregate(AggregateKind::Struct(path), fields) = value else { continue };
        let is_it = path.last().is_some_and(|last| last == name || last == "Self");
        if let Some((_, value)) = fields.iter().filter(|_| is_it).find(|(known, _)| known == field) {
            made.push(match value {
                Operand::Item(path) => path.last().cloned(),
                _ => None,
            });
        }
    }
    body.children.iter().for_each(|child| settings_made(child, name, field, made));
}
