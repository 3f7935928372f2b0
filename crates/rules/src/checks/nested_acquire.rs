//! A second connection is taken from a pool while the first is held.

use crate::{Check, Context, Words, words};
use sessionlint_analysis::{Event, EventKind, Site};
use sessionlint_diagnostics::Diagnostic;
use sessionlint_protocols::Protocol;

pub(super) const CHECK: Check = Check { rule: "nested-acquire", run };

fn run(context: &Context<'_>) -> Vec<Diagnostic> {
    let found = context.by_site(|site, protocol, event| is_mistake(context, site, protocol, event));
    found.into_iter().map(|(site, events)| word(context, site, &events)).collect()
}

/// A write beside an open transaction is a worse mistake, and is told as that.
fn is_mistake(context: &Context<'_>, _: &Site, _: &Protocol, event: &Event) -> bool {
    let worse = |other: &Event| {
        other.kind == EventKind::Bypassed && other.site == event.site && other.cause.span == event.cause.span
    };
    matches!(event.kind, EventKind::SecondCheckout { .. }) && !context.report.events.iter().any(worse)
}

fn word(context: &Context<'_>, site: &Site, events: &[&Event]) -> Diagnostic {
    let protocol = context.protocol(site);
    let event = events[0];
    let subject = words::subject(site, protocol);
    let held = site.name.as_deref().unwrap_or(protocol.noun());
    if protocol.is_exclusive() {
        let message = format!("another {} is begun while {subject} is open, and waits for it", protocol.noun());
        let leaks = if event.inside.is_empty() { "this waits" } else { "this call begins another one, which waits" };
        let leaks = format!("{leaks} until `{held}` is over: only one may be open at a time");
        let help = format!("use `{held}` for this too, or end it first: on one thread the wait never ends");
        let words = Words { message, leaks, help: Some(help), fix: None };
        return context.finding(CHECK.rule, site, events, event.cause.span, words);
    }
    let lent = matches!(event.kind, EventKind::SecondCheckout { lent: true });
    let message = if lent && protocol.is_transaction() {
        format!("this runs on the pool while {subject} holds one of its connections")
    } else {
        format!("a second connection is taken from the pool while {subject} is held")
    };
    let leaks = if event.inside.is_empty() {
        "a second connection of the same pool is needed here".to_owned()
    } else {
        "this call needs a second connection of the same pool".to_owned()
    };
    let help = if protocol.is_transaction() {
        format!(
            "run it on `{held}`, or before `{held}` begins or after it ends: tasks that hold one connection each and \
             wait for another deadlock the pool"
        )
    } else {
        format!(
            "use `{held}` for this too, or {} first: tasks that hold one connection each and wait for another \
             deadlock the pool",
            words::give_back(site, "it")
        )
    };
    context.finding(CHECK.rule, site, events, event.cause.span, Words { message, leaks, help: Some(help), fix: None })
}
