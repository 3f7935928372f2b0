//! What does a check look at, and what does it say?

use sessionlint_analysis::{Event, Report, Site, SiteId};
use sessionlint_diagnostics::{Diagnostic, Fix, Span};
use sessionlint_ir::Language;
use sessionlint_protocols::{LibraryId, Model, Protocol};

/// What a check looks at.
pub struct Context<'a> {
    /// The facts of one body.
    pub report: &'a Report,
    /// What is known about libraries.
    pub model: &'a Model,
    /// Whether the written guideline is enforced too.
    pub strict: bool,
    /// What the body is written in.
    pub language: Language,
    /// The text of the file that the body stands in.
    pub text: &'a str,
    /// Whether the body is test code.
    pub is_test: bool,
    /// Whether `?` in the body takes the error of a call that ends a session of a library.
    pub takes_error: &'a dyn Fn(LibraryId) -> bool,
}

/// A kind of mistake.
pub struct Check {
    /// The rule that it finds.
    pub rule: &'static str,
    /// Finds the mistakes in one body.
    pub run: fn(&Context<'_>) -> Vec<Diagnostic>,
}

/// What a finding says.
pub(crate) struct Words {
    /// The first line; stands alone.
    pub(crate) message: String,
    /// What happens at the place of the mistake.
    pub(crate) leaks: String,
    /// The smallest change that makes it right.
    pub(crate) help: Option<String>,
    /// A change on offer, as far as can be told from here.
    pub(crate) fix: Option<Fix>,
}

impl<'a> Context<'a> {
    pub(crate) fn protocol(&self, site: &Site) -> &'a Protocol {
        self.model.protocol(site.protocol)
    }

    /// What stands at a place in the file of the body.
    pub(crate) fn text_at(&self, span: Span) -> &'a str {
        let here = (span.file == self.report.span.file).then_some(span.start as usize..span.end as usize);
        here.and_then(|range| self.text.get(range)).unwrap_or_default()
    }

    /// For each site the events that `wanted` picks, in source order; sites without any are left out.
    pub(crate) fn by_site(&self, wanted: impl Fn(&Site, &Protocol, &Event) -> bool) -> Vec<(&'a Site, Vec<&'a Event>)> {
        let mut found: Vec<(SiteId, Vec<&Event>)> = Vec::new();
        for event in &self.report.events {
            let site = self.report.site(event.site);
            if !wanted(site, self.protocol(site), event) {
                continue;
            }
            match found.iter_mut().find(|(id, _)| *id == event.site) {
                Some((_, events)) => events.push(event),
                None => found.push((event.site, vec![event])),
            }
        }
        found.into_iter().map(|(id, events)| (self.report.site(id), events)).collect()
    }
}
