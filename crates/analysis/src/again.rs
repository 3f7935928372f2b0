//! What still holds of an earlier check? In: on what a report or an answer stood. Out: the same for the texts of now, when it still stands: each text says
//! what it said, and each question that was asked has the same answer.

use crate::events::Report;
use crate::grounds::{self, Asked, Basis};
use crate::question::{About, Asking, Question};
use crate::summary::Analysis;
use rustc_hash::FxHashMap;
use sessionlint_diagnostics::Span;
use std::sync::{Arc, Mutex, PoisonError};

/// What is known by now of earlier answers, by where they lie in memory: the same for the texts of now, when they hold. They are kept, so that nothing
/// else gets their place.
#[derive(Default)]
pub struct Renewal(Mutex<FxHashMap<usize, Known>>);

type Known = (Arc<Asked>, Option<Arc<Asked>>);

impl Analysis<'_> {
    /// Does something, and tells on what it stands. What it gives depends on that, and on what all files say but for the bodies of functions.
    pub fn noted<T>(&self, work: impl FnOnce() -> T) -> (T, Basis) {
        self.index.with_basis(work)
    }

    /// Notes that a report stands on the functions that it points into.
    pub fn stands_on_places(&self, report: &Report) {
        for event in &report.events {
            let places = [event.written, event.set, event.release, event.end.as_ref().map(|(place, _)| *place)];
            let ways = event.inside.iter().chain(event.branches.iter().map(|branch| &branch.condition));
            places
                .iter()
                .flatten()
                .chain(ways)
                .chain([&event.cause.span])
                .for_each(|place| self.index.reads_at(*place));
        }
        let ends = report.sites.iter().flat_map(|site| site.ended.iter().map(|(place, _)| *place).chain([site.span]));
        ends.for_each(|place| self.index.reads_at(place));
    }

    /// Notes that something stands on what is written at a place.
    pub fn stands_on_place(&self, place: Span) {
        self.index.reads_at(place);
    }

    /// On what something stands now that stood on this; `None` when it does not any more.
    pub fn renewed(&self, basis: &Basis, renewal: &Renewal) -> Option<Basis> {
        if basis.reads.iter().any(|(read, says)| self.index.says(read) != *says) {
            return None;
        }
        let asked: Option<Vec<Arc<Asked>>> =
            basis.asked.iter().map(|asked| self.renewed_answer(asked, renewal)).collect();
        Some(Basis { reads: basis.reads.clone(), asked: asked? })
    }

    /// The same for an answer. One that stands on something else now may still be the same.
    fn renewed_answer(&self, asked: &Arc<Asked>, renewal: &Renewal) -> Option<Arc<Asked>> {
        let at = Arc::as_ptr(asked) as usize;
        if let Some((_, known)) = renewal.0.lock().unwrap_or_else(PoisonError::into_inner).get(&at) {
            return known.clone();
        }
        let now = match self.renewed(&asked.basis, renewal) {
            Some(basis) if basis.is_same(&asked.basis) => Some(Arc::clone(asked)),
            Some(basis) => Some(Arc::new(Asked { what: Arc::clone(&asked.what), reply: asked.reply, basis })),
            None => self.asked_again(asked).filter(|now| now.reply == asked.reply),
        };
        let mut known = renewal.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.entry(at).or_insert_with(|| (Arc::clone(asked), now)).1.clone()
    }

    /// The answer to a question now.
    fn asked_again(&self, asked: &Asked) -> Option<Arc<Asked>> {
        let ask = || {
            if let Some(question) = asked.what.downcast_ref::<Question>() {
                self.answer(question.clone(), &Asking::default());
            } else if let Some(about) = asked.what.downcast_ref::<About>() {
                self.ask_about(about);
            } else if let Some(matter) = asked.what.downcast_ref() {
                self.index.ask_matter(matter);
            }
        };
        grounds::noted(ask).1.only()
    }

    fn ask_about(&self, about: &About) {
        match about {
            About::CallersClose(item) => _ = self.callers_close(*item),
            About::CallersWait(item) => _ = self.callers_wait_for_nobody(*item),
            About::Siblings(owner) => _ = self.siblings(*owner),
            About::Capacity(package, session) => _ = self.capacity_in(*package, *session),
        }
    }
}

impl Basis {
    /// Whether two stand on the same answers, none of which was asked anew.
    pub fn is_same(&self, other: &Basis) -> bool {
        let both = || self.asked.iter().zip(&other.asked);
        self.asked.len() == other.asked.len() && both().all(|(one, other)| Arc::ptr_eq(one, other))
    }
}
