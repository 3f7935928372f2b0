//! What is a finding made of? What a check says, and the walk that leads to it.

use crate::context::{Context, Words};
use crate::walk;
use sessionlint_analysis::{Event, Site};
use sessionlint_diagnostics::{Diagnostic, Level, Span};

impl<'a> Context<'a> {
    /// A finding about a session, with the walk that leads to it.
    pub(crate) fn finding(
        &self,
        rule: &'static str,
        site: &Site,
        events: &[&Event],
        span: Span,
        said: Words,
    ) -> Diagnostic {
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
