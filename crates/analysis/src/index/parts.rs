//! Which parts of a file change alone? The functions: what the others ask of them is noted. All else is the file's shape.

use super::fragments::fragments;
use super::{FileData, Host};
use crate::fingerprint::fingerprint;
use sessionlint_diagnostics::Span;
use sessionlint_ir::{Item, ItemId, ItemKind};
use std::sync::OnceLock;

/// Whether what stands in an item are items of their own.
fn is_around(item: &Item) -> bool {
    matches!(item.kind, ItemKind::Impl | ItemKind::Trait | ItemKind::Module) && item.body.is_some()
}

impl FileData {
    /// The outermost item around an item, itself included, that is not one around items: it changes as a whole. `None` for an item around items.
    pub(crate) fn part(&self, item: ItemId) -> Option<ItemId> {
        let (mut found, mut at) = (None, Some(item));
        while let Some(id) = at {
            let known = self.outline.item(id);
            if !is_around(known) {
                found = Some(id);
            }
            at = known.parent;
        }
        found
    }

    /// The function around an item, itself included, that changes alone.
    pub fn function_part(&self, item: ItemId) -> Option<ItemId> {
        self.part(item).filter(|part| {
            let part = self.outline.item(*part);
            part.kind == ItemKind::Function && part.body.is_some()
        })
    }

    /// The part of a file that a place lies in, and its bytes counted from the beginning of that; `None` for a place that may move while no part of
    /// the file changes.
    pub fn placed(&self, place: Span) -> Option<(ItemId, Span)> {
        let id = self.part_at(place)?;
        let start = self.outline.item(id).span.start;
        Some((id, Span { start: place.start - start, end: place.end - start, ..place }))
    }

    /// The place in a part of the file, counted from its beginning, in the whole file.
    pub fn place(&self, id: ItemId, place: Span) -> Span {
        let start = self.outline.item(id).span.start;
        Span { start: place.start + start, end: place.end + start, ..place }
    }

    fn part_at(&self, place: Span) -> Option<ItemId> {
        let items = &self.outline.items;
        // Behind those of the text there may be what macros write.
        let count = 1 + items.windows(2).take_while(|two| two[0].span.start <= two[1].span.start).count();
        let text = &items[..count.min(items.len())];
        let behind = text.partition_point(|item| item.span.start <= place.start);
        let mut at = behind.checked_sub(1).map(|last| ItemId(last as u32));
        while let Some(id) = at {
            let item = self.outline.item(id);
            if item.span.contains(place) {
                return match self.part(id) {
                    Some(part) => Some(part),
                    None => item.body.is_none_or(|body| place.end <= body.start).then_some(id),
                };
            }
            at = item.parent;
        }
        None
    }

    /// What stands for the text of a function.
    pub(crate) fn function_says(&self, item: ItemId) -> u128 {
        let functions = self.functions.get_or_init(|| self.outline.items.iter().map(|_| OnceLock::new()).collect());
        *functions[item.0 as usize].get_or_init(|| fingerprint(&self.text_in(self.outline.item(item).span)))
    }

    /// What stands for a function's text and for what is written above it, as far as somebody may read it as a remark about it.
    pub fn with_remarks(&self, id: ItemId) -> u128 {
        let item = self.outline.item(id);
        let siblings = self.outline.items[..id.0 as usize].iter();
        let ends = siblings.filter(|other| other.span.end <= item.span.start).map(|other| other.span.end);
        let around = item.parent.and_then(|parent| self.outline.item(parent).body).map(|body| body.start + 1);
        let before = ends.chain(around).max().unwrap_or_default() as usize;
        let begins = |at: usize| self.text[..at].rfind('\n').map_or(0, |end| end + 1);
        let line = |at: usize| self.text[at..].lines().next().unwrap_or_default().trim();
        // Lines that go on from above belong together. Nothing goes on from above into a body that begins at the end of a line.
        let opens = item.body.is_some_and(|body| line(body.start as usize) == "{");
        let goes_on = |at: usize| {
            let line = line(at);
            let is_end = line.ends_with([';', '{', '}', ',']) && (opens || line.starts_with('}'));
            !(line.is_empty() || line.starts_with("//") || line.ends_with('{') || is_end)
        };
        let mut start = begins(before);
        while start > 0 && goes_on(start) {
            start = begins(start - 1);
        }
        let end =
            self.text[item.span.end as usize..].find('\n').map_or(self.text.len(), |end| item.span.end as usize + end);
        fingerprint(&&self.text[start..end])
    }

    /// What stands for the whole text.
    pub(crate) fn says(&self) -> u128 {
        *self.says.get_or_init(|| fingerprint(&self.text))
    }

    fn text_in(&self, span: Span) -> &str {
        self.text.get(span.start as usize..span.end as usize).unwrap_or_default()
    }

    /// What stands for everything in a file but the bodies of functions and the comments around items.
    pub fn shape(&self, host: &dyn Host) -> u128 {
        let mut said = Vec::new();
        let mut covered: Vec<Span> = Vec::new();
        for id in self.outline.ids() {
            let item = self.outline.item(id);
            // Of a function what stands before its body, of what is around items, too.
            let own = match item.body {
                Some(body) if is_around(item) => Span { end: body.start, ..item.span },
                Some(body) if self.function_part(id).is_some() && item.kind == ItemKind::Function => {
                    Span { end: body.start, ..item.span }
                }
                _ => item.span,
            };
            let passed = match item.kind {
                ItemKind::Macro if self.outline.items.iter().any(|inner| inner.parent == Some(id)) => {
                    format!("{:?}", fragments(host, self, id))
                }
                _ => String::new(),
            };
            covered.push(if is_around(item) { own } else { item.span });
            said.push(fingerprint(&(
                (item.kind as u8, &item.name, item.parent, item.test, &item.named_file, item.body.is_some()),
                (self.text_in(own), passed),
            )));
        }
        covered.sort_unstable();
        let mut at = 0;
        let mut between = Vec::new();
        for span in &covered {
            if span.start > at {
                between
                    .extend(self.language.tokens(self.text.get(at as usize..span.start as usize).unwrap_or_default()));
            }
            at = at.max(span.end);
        }
        between.extend(self.language.tokens(self.text.get(at as usize..).unwrap_or_default()));
        fingerprint(&(said, between, self.outline.test))
    }
}
