//! Is that a mistake, and how do we say it? One file for each kind of mistake.

pub mod checks;
mod fix;
mod intent;
mod question;
mod words;

use sessionlint_analysis::{Branch, CauseKind, Event, EventKind, Report, Site, SiteId};
use sessionlint_diagnostics::{Diagnostic, Fix, Label, LabelKind, Level, Span};
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

/// More exits than this are not listed one by one.
const MAX_OTHER_EXITS: usize = 3;

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
        let first = events[0];
        // The call that would end it is all there is of a session that others opened.
        let only_ended = matches!(first.kind, EventKind::Unawaited { .. }) && span == site.span;
        let opened = match first.kind {
            _ if only_ended => "this call makes a future".to_owned(),
            // Nobody opens anything: the statement is all there is.
            EventKind::StateOnShared { state, .. } => format!("it is {} here", words::set(state)),
            _ => words::opened(site, protocol),
        };
        let mut labels = vec![Label { kind: LabelKind::Opened, span: site.span, message: opened }];
        if let Some(written) = first.written.filter(|written| *written != site.span) {
            labels.push(Label { kind: LabelKind::Write, span: written, message: "written through here".to_owned() });
        }
        if let Some(set) = first.set.filter(|set| *set != site.span && *set != span) {
            labels.push(Label { kind: LabelKind::Write, span: set, message: "it is set here".to_owned() });
        }
        for Branch { condition, held, of_loop } in first.branches.iter().copied() {
            let inside = condition.start >= site.span.end || condition.end <= site.span.start;
            if inside && condition != span {
                let message = match (of_loop, held) {
                    (true, true) => "in this loop",
                    (true, false) => "after this loop",
                    (false, true) => "if this is true",
                    (false, false) => "if this is false",
                };
                labels.push(Label { kind: LabelKind::Branch, span: condition, message: message.to_owned() });
            }
        }
        let ends = site.ended.iter().take(if first.cause.kind == CauseKind::Meanwhile { 1 } else { MAX_OTHER_EXITS });
        for (end, kind) in ends {
            if *end != span && first.release != Some(*end) {
                let way = if first.cause.kind == CauseKind::Meanwhile { "" } else { ", on another path" };
                let message = format!("{} here{way}", words::ended(*kind));
                labels.push(Label { kind: LabelKind::Released, span: *end, message });
            }
        }
        let meanwhile = first.cause.kind == CauseKind::Meanwhile;
        let kind = if meanwhile { LabelKind::Meanwhile } else { LabelKind::Leaks };
        labels.push(Label { kind, span, message: said.leaks });
        for (index, call) in first.inside.iter().enumerate() {
            let message = if index + 1 == first.inside.len() { "it happens here" } else { "which calls this" };
            labels.push(Label { kind: LabelKind::Called, span: *call, message: message.to_owned() });
        }
        let others: Vec<&&Event> = events.iter().skip(1).filter(|event| event.cause.span != span).collect();
        for other in others.iter().take(MAX_OTHER_EXITS) {
            labels.push(Label { kind, span: other.cause.span, message: "and here".to_owned() });
        }
        if others.len() > MAX_OTHER_EXITS
            && let Some(last) = labels.last_mut()
        {
            last.message = format!("and here, and at {} more places", others.len() - MAX_OTHER_EXITS);
        }
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
