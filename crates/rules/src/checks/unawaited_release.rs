//! The future of a commit, rollback or close is never polled.

use crate::{Check, Context, Words, words};
use sessionlint_analysis::{CauseKind, Event, EventKind, Site};
use sessionlint_diagnostics::Diagnostic;
use sessionlint_protocols::{DropClass, EndKind};

pub(super) const CHECK: Check = Check { rule: "unawaited-release", run };

fn run(context: &Context<'_>) -> Vec<Diagnostic> {
    let found = context.by_site(|_, _, event| matches!(event.kind, EventKind::Unawaited { .. }));
    found.into_iter().map(|(site, events)| word(context, site, &events)).collect()
}

/// The variable of a session, behind a verb.
fn bare(site: &Site) -> String {
    site.name.as_deref().map_or(String::new(), |name| format!(" `{name}`"))
}

fn word(context: &Context<'_>, site: &Site, events: &[&Event]) -> Diagnostic {
    let protocol = context.protocol(site);
    let event = events[0];
    let EventKind::Unawaited { end, call } = &event.kind else { unreachable!("picked above") };
    let name = site.name.as_deref().map_or(String::new(), |name| format!(" of `{name}`"));
    let what = match (call, end) {
        (Some(call), _) => format!("the future of `{call}()`{name}"),
        (None, EndKind::Commit) => format!("the async block that commits{}", bare(site)),
        (None, EndKind::Rollback) => format!("the async block that rolls back{}", bare(site)),
        (None, EndKind::Close) => format!("the async block that closes{}", bare(site)),
    };
    let message = format!("{what} is dropped without being awaited");
    let effect = match (end, protocol.class) {
        (EndKind::Commit, Some(class)) if class < DropClass::E => "so nothing is committed, and dropping rolls back",
        (EndKind::Commit, _) => "so nothing is committed, and the transaction stays open",
        (EndKind::Rollback, Some(class)) if class < DropClass::E => "so only dropping the transaction rolls it back",
        (EndKind::Rollback, _) => "so it stays open",
        (EndKind::Close, _) => "so it is not closed",
    };
    let leaks = match event.cause.kind {
        CauseKind::Statement { .. } | CauseKind::Explicit => format!("never polled, {effect}"),
        _ => format!("dropped without being polled, {effect}"),
    };
    let span = event.release.unwrap_or(event.cause.span);
    let add = if call.is_some() { "add `.await`" } else { "await the block" };
    let help =
        format!("{add}: a future does nothing until it is polled, so nothing is {}", words::ended(protocol, *end));
    let said = Words { message, leaks, help: Some(help), fix: context.await_release(site, protocol, event) };
    context.finding(CHECK.rule, site, events, span, said)
}
