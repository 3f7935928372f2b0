//! Is that a mistake, and how do we say it? One file for each kind of mistake.

pub mod checks;
mod fix;
mod intent;
mod question;
mod walk;
mod words;

use sessionlint_analysis::{Event, Report, Site, SiteId};
use sessionlint_diagnostics::{Diagnostic, Fix, LabelKind, Level, Span};
use sessionlint_protocols::{LibraryId, Model, Protocol};

/// What a check looks at.
pub struct Context<'a> {
    /// The facts of one body.
    pub report: &'a Report,
    /// What is known about libraries.
    pub model: &'a Model,
    /// Whether the written guideline is enforced too.
    pub strict: bool,
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

/// All findings in one body, without levels.
pub fn check(context: &Context<'_>) -> Vec<Diagnostic> {
    let mut found: Vec<Diagnostic> = checks::ALL.iter().flat_map(|check| (check.run)(context)).collect();
    // A variable that holds one session or another is told of once at a place; two variables that are forgotten there are two
    // mistakes, and what happens there while both are open is one.
    let mut seen = std::collections::HashSet::new();
    found.retain(|finding| {
        let opened = finding.labels.iter().find(|label| label.kind == LabelKind::Opened).map(|label| label.span);
        let mut sites = context.report.sites.iter();
        let meanwhile = finding.labels.iter().any(|label| label.kind == LabelKind::Meanwhile);
        let variable = sites.find(|site| Some(site.span) == opened && !meanwhile).and_then(|site| site.variable);
        seen.insert((finding.rule, finding.span, variable))
    });
    found
}

/// What a finding says.
struct Words {
    /// The first line; stands alone.
    message: String,
    /// What happens at the place of the mistake.
    leaks: String,
    /// The smallest change that makes it right.
    help: Option<String>,
    /// A change on offer, as far as can be told from here.
    fix: Option<Fix>,
}

impl<'a> Context<'a> {
    fn protocol(&self, site: &Site) -> &'a Protocol {
        self.model.protocol(site.protocol)
    }

    /// For each site the events that `wanted` picks, in source order; sites without any are left out.
    fn by_site(&self, wanted: impl Fn(&Site, &Protocol, &Event) -> bool) -> Vec<(&'a Site, Vec<&'a Event>)> {
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

    /// A finding about a session, with the walk that leads to it.
    fn finding(&self, rule: &'static str, site: &Site, events: &[&Event], span: Span, said: Words) -> Diagnostic {
        let protocol = self.protocol(site);
        let labels = walk::labels(self, site, events, span, said.leaks);
        Diagnostic {
            rule,
            level: Level::Deny,
            message: said.message,
            span,
            function: self.report.function.clone(),
            protocol: protocol.id.clone(),
            labels,
            help: said.help,
            evidence: Some(site.evidence),
            fixes: said.fix.into_iter().collect(),
            fingerprint: String::new(),
        }
    }
}
