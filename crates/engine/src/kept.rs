//! What is still known of functions from the last check? In: what one gave, and on what that stands. Out: the same at the places of now, when it holds.
//!
//! Places are kept from the beginning of the function that they lie in, so that it may be moved.

use crate::host::Files;
use crate::outcome::{Session, Skipped};
use rustc_hash::FxHashMap;
use sessionlint_analysis::{Analysis, Basis, Host, ItemRef, Renewal};
use sessionlint_diagnostics::{Diagnostic, Gap, Span};
use sessionlint_ir::ItemId;

/// What one function gave.
#[derive(Clone, Default)]
pub(crate) struct Checked {
    pub diagnostics: Vec<Diagnostic>,
    pub gaps: Vec<Gap>,
    pub sessions: usize,
    /// Whether it has any, also one that is only lent.
    pub has_sessions: bool,
    pub known: Vec<Session>,
    pub skipped: Option<Skipped>,
}

impl Checked {
    /// All places in it, always in the same order.
    pub fn places(&mut self) -> impl Iterator<Item = &mut Span> {
        let diagnostics = self.diagnostics.iter_mut().flat_map(|finding| {
            let edits = finding.fixes.iter_mut().flat_map(|fix| fix.edits.iter_mut().map(|edit| &mut edit.span));
            let labels = finding.labels.iter_mut().map(|label| &mut label.span);
            std::iter::once(&mut finding.span).chain(labels).chain(edits)
        });
        let gaps = self.gaps.iter_mut().map(|gap| &mut gap.span);
        let sessions =
            self.known.iter_mut().flat_map(|one| [&mut one.opened, &mut one.body].into_iter().chain(&mut one.ended));
        diagnostics.chain(gaps).chain(sessions)
    }
}

/// What is kept of one function.
struct Kept {
    /// What stands for its text, and for remarks above it.
    written: u128,
    /// The line that it begins on, where a finding names one.
    line: Option<u32>,
    basis: Basis,
    checked: Checked,
    /// In which part of its file each of the places lies.
    parts: Vec<ItemId>,
}

/// What is kept of functions.
#[derive(Default)]
pub(crate) struct Functions {
    /// What stands for all that holds for any of them.
    setting: u128,
    known: FxHashMap<ItemRef, Kept>,
    /// The same from before something else held for all: a quote that is typed makes all behind it another text, until the next one.
    former: Option<(u128, FxHashMap<ItemRef, Kept>)>,
}

/// What is to be kept of a function from now on.
pub(crate) enum News {
    /// What was kept, as far as anything is.
    Same,
    /// It stands on something else.
    Renewed(Basis),
    /// All of it is new.
    New(Box<Noted>),
}

/// What is new of a function, when it can be kept.
pub(crate) struct Noted(Option<Kept>);

impl Functions {
    /// Puts everything aside where something else holds for all of them.
    pub fn under(&mut self, setting: u128) {
        if self.setting != setting {
            let former = self.former.take().filter(|(former, _)| *former == setting);
            let (_, known) = former.unwrap_or_default();
            self.former = Some((self.setting, std::mem::replace(&mut self.known, known)));
            self.setting = setting;
        }
    }

    /// What a function gave, when that still holds; and what is to be kept from now on.
    pub fn of(
        &self,
        files: &Files<'_>,
        analysis: &Analysis<'_>,
        renewal: &Renewal,
        item: ItemRef,
    ) -> Option<(Checked, News)> {
        let kept = self.known.get(&item)?;
        let data = files.data(item.file)?;
        if data.with_remarks(item.item) != kept.written {
            return None;
        }
        let basis = analysis.renewed(&kept.basis, renewal)?;
        let news = if basis.is_same(&kept.basis) { News::Same } else { News::Renewed(basis) };
        let mut checked = kept.checked.clone();
        for (place, part) in checked.places().zip(&kept.parts) {
            *place = files.data(place.file)?.place(*part, *place);
        }
        if let Some(before) = kept.line {
            let moved = i64::from(files.line(item.file, data.outline.item(item.item).span.start)?) - i64::from(before);
            for help in checked.diagnostics.iter_mut().filter_map(|finding| finding.help.as_mut()) {
                *help = sessionlint_rules::moved(help, moved);
            }
        }
        Some((checked, news))
    }

    /// Keeps what is new.
    pub fn keep(&mut self, item: ItemRef, news: News) {
        match news {
            News::Same => {}
            News::Renewed(basis) => _ = self.known.get_mut(&item).map(|kept| kept.basis = basis),
            News::New(noted) => {
                match noted.0 {
                    Some(kept) => self.known.insert(item, kept),
                    None => self.known.remove(&item),
                };
            }
        }
    }
}

impl Noted {
    /// Nothing.
    pub fn none() -> Self {
        Self(None)
    }

    /// What a function gave; nothing where a place may move while its function does not change.
    pub fn new(files: &Files<'_>, item: ItemRef, checked: &Checked, basis: Basis) -> Self {
        Self(kept(files, item, checked, basis))
    }
}

fn kept(files: &Files<'_>, item: ItemRef, checked: &Checked, basis: Basis) -> Option<Kept> {
    if checked.skipped.is_some() {
        return None;
    }
    let data = files.data(item.file)?;
    data.function_part(item.item).filter(|part| *part == item.item)?;
    let mut checked = checked.clone();
    let mut parts = Vec::new();
    for place in checked.places() {
        let (part, inside) = files.data(place.file)?.placed(*place)?;
        parts.push(part);
        *place = inside;
    }
    let names_line = checked.diagnostics.iter().filter_map(|finding| finding.help.as_ref());
    let line = match names_line.into_iter().any(|help| sessionlint_rules::moved(help, 1) != *help) {
        true => Some(files.line(item.file, data.outline.item(item.item).span.start)?),
        false => None,
    };
    Some(Kept { written: data.with_remarks(item.item), line, basis, checked, parts })
}
