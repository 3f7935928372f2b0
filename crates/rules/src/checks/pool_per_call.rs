//! A pool is made for each call or each turn of a loop, instead of once.

use crate::{Check, Context, Words};
use sessionlint_analysis::{Event, EventKind, Site};
use sessionlint_diagnostics::Diagnostic;
use sessionlint_protocols::Protocol;

pub(super) const CHECK: Check = Check { rule: "pool-per-call", run };

fn run(context: &Context<'_>) -> Vec<Diagnostic> {
    context.by_site(is_mistake).into_iter().map(|(site, events)| word(context, site, &events)).collect()
}

fn is_mistake(_: &Site, _: &Protocol, event: &Event) -> bool {
    matches!(event.kind, EventKind::MadePerCall { .. })
}

fn word(context: &Context<'_>, site: &Site, events: &[&Event]) -> Diagnostic {
    let event = events[0];
    let name = context.protocol(site).type_name();
    let in_loop = event.kind == EventKind::MadePerCall { in_loop: true };
    let message = if in_loop {
        format!("a new `{name}` is made in every iteration of this loop")
    } else {
        format!("a new `{name}` is made for every request")
    };
    let dropped = if in_loop { "at the end of each iteration" } else { "when the function returns" };
    let leaks = if context.protocol(site).made_here_only {
        format!("it is dropped {dropped}, so its connections are opened and closed each time")
    } else if event.inside.is_empty() {
        format!(
            "it is dropped {dropped}, so connections are opened and closed each time, and its size limits no other pool"
        )
    } else {
        "this call makes one and drops it again, so its size limits no other pool".to_owned()
    };
    let help = if in_loop {
        "make it once, before the loop".to_owned()
    } else {
        "make it once when the program starts, and pass it to the handlers as state; clones share it".to_owned()
    };
    let said = Words { message, leaks, help: Some(help), fix: None };
    // It is made once: the other ways on which it is dropped are no other mistakes.
    context.finding(CHECK.rule, site, &events[..1], site.span, said)
}
