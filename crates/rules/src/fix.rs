//! Which change of the text would make it right? Candidates: the engine tries each before it is offered.

use crate::{Context, words};
use sessionlint_analysis::{CauseKind, Event, EventKind, ExitOrder, Site};
use sessionlint_diagnostics::{Applicability, Edit, Evidence, Fix};
use sessionlint_ir::{Change, Declared};
use sessionlint_protocols::{Ending, Protocol, ProtocolKind, Source};

impl Context<'_> {
    /// Awaits an end whose future is thrown away.
    pub(crate) fn await_release(&self, site: &Site, protocol: &Protocol, event: &Event) -> Option<Fix> {
        let name = event.release.filter(|name| name.file == self.report.span.file && !event.in_closure)?;
        let EventKind::Unawaited { end, call: Some(call) } = &event.kind else { return None };
        if !self.report.is_async {
            return None;
        }
        let known = protocol.endings.iter().find(|ending| ending.call == *call && !site.is_wrapped());
        let ending = known.cloned().unwrap_or_else(|| Ending::own(call.clone(), *end, true));
        let then = self.question(site, protocol, &ending)?;
        let edits = self.edits(Change::Wait { call: name, then: &then })?;
        Some(Fix { message: "await it".to_owned(), applicability: Applicability::Safe, edits })
    }

    /// Keeps what is bound to `_`.
    pub(crate) fn keep(&self, site: &Site, protocol: &Protocol, event: &Event) -> Option<Fix> {
        if !matches!(event.cause.kind, CauseKind::Statement { wildcard: true })
            || site.span.file != self.report.span.file
            || event.in_closure
        {
            return None;
        }
        let name = match protocol.noun() {
            "transaction" => "_tx",
            noun => &format!("_{}", noun.replace(' ', "_")),
        };
        // A connection is borrowed as long as its transaction lives, a pool is not.
        let mut from_pool = protocol.openings.iter().filter_map(|opening| match opening.source {
            Source::Method(owner) => Some(self.model.protocol(owner).kind),
            _ => None,
        });
        let alone = !from_pool.all(|kind| kind == ProtocolKind::Pool);
        // What is not made for futures must not live across a wait.
        let at_once = protocol.openings.iter().any(|opening| !opening.is_async);
        let edits = self.edits(Change::Keep { call: site.span, variable: name, alone, at_once })?;
        Some(Fix { message: format!("keep it as `{name}`"), applicability: Applicability::Safe, edits })
    }

    /// Runs a statement on the transaction instead of the pool.
    pub(crate) fn run_inside(&self, site: &Site, protocol: &Protocol, event: &Event) -> Option<Fix> {
        let (name, as_executor) = (site.name.as_deref()?, protocol.as_executor.as_deref()?);
        let call = event.cause.span;
        if !event.at_hand || !event.inside.is_empty() || call.file != self.report.span.file {
            return None;
        }
        if !self.is_plain(site, as_executor.contains("mut")) {
            return None;
        }
        let argument = as_executor.replace("it", name);
        let edits = self.edits(Change::Pass { call, variable: name, argument: &argument })?;
        Some(Fix { message: format!("run it on `{name}`"), applicability: Applicability::Safe, edits })
    }

    /// Commits before a successful return.
    pub(crate) fn commit_before(&self, site: &Site, protocol: &Protocol, events: &[&Event]) -> Option<Fix> {
        let name = site.name.as_deref()?;
        if protocol.in_place || (site.is_wrapped() && site.own_end.is_none()) {
            return None;
        }
        if !site.is_wrapped() && !self.is_plain(site, false) {
            return None;
        }
        let ending = words::usual_ending(site, protocol)?;
        let leaves = self.question(site, protocol, &ending)?;
        let call = format!("{}{leaves}", words::call(site, &ending));
        if (ending.is_async && !self.report.is_async) || self.speaks_of_uncommitted() {
            return None;
        }
        let mut edits = Vec::new();
        for event in events {
            let exit = event.cause.span;
            let is_return =
                matches!(event.cause.kind, CauseKind::Exit { how: ExitOrder::Return | ExitOrder::Tail, .. });
            // On another way it may be gone by then.
            if !is_return || !event.at_hand || exit.file != self.report.span.file {
                return None;
            }
            edits.extend(self.edits(Change::Before { exit, variable: name, call: &call })?);
        }
        let message = "commit before returning".to_owned();
        (!edits.is_empty()).then_some(Fix { message, applicability: Applicability::Unsafe, edits })
    }

    fn edits(&self, change: Change<'_>) -> Option<Vec<Edit>> {
        self.language.edits(self.text, self.report.span, change)
    }

    /// Whether a variable holds the session itself, as far as the text around its declaration tells: `let tx = pool.begin()?`,
    /// or a parameter. With `mutable` it must be declared so.
    fn is_plain(&self, site: &Site, mutable: bool) -> bool {
        let Some(name) = site.name.as_deref().filter(|_| site.span.file == self.report.span.file) else { return false };
        let variable = Declared { name, at: site.span, parameter: site.parameter, mutable };
        let is_as_it_is = if site.parameter { !site.is_wrapped() } else { self.is_opened_as_it_is(site) };
        is_as_it_is && self.language.declares(self.text, self.report.span, variable)
    }

    /// Whether the statement that opens a session has nothing but the session of what the call gives.
    fn is_opened_as_it_is(&self, site: &Site) -> bool {
        let name = self.text.get(site.span.start as usize..site.span.end as usize).unwrap_or_default();
        let mut named = self.protocol(site).openings.iter().filter(|opening| opening.call == name).peekable();
        let is_plain = named.peek().is_some() && named.all(|opening| opening.shape.is_empty());
        let unwrapped = self.language.unwraps(self.text, site.span.end as usize);
        unwrapped.is_some_and(|unwrapped| unwrapped || (is_plain && site.evidence != Evidence::Inferred))
    }

    pub(crate) fn function_text(&self) -> &str {
        let span = self.report.span;
        self.text.get(span.start as usize..span.end as usize).unwrap_or_default()
    }
}

/// The names in a text.
pub(crate) fn words_of(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty())
}
