//! The call that opens a session may be cancelled, in a version that does not stand that.

use crate::{Check, Context, Words};
use sessionlint_analysis::{Event, EventKind, Site};
use sessionlint_diagnostics::Diagnostic;
use sessionlint_protocols::Protocol;

pub(super) const CHECK: Check = Check { rule: "cancel-unsafe-begin", run };

fn run(context: &Context<'_>) -> Vec<Diagnostic> {
    context.by_site(is_mistake).into_iter().map(|(site, events)| word(context, site, &events)).collect()
}

fn is_mistake(_: &Site, _: &Protocol, event: &Event) -> bool {
    matches!(event.kind, EventKind::CancelUnsafe { .. })
}

fn word(context: &Context<'_>, site: &Site, events: &[&Event]) -> Diagnostic {
    let protocol = context.protocol(site);
    let event = events[0];
    let by = match &event.kind {
        EventKind::CancelUnsafe { by } => by.as_str(),
        _ => "a timeout",
    };
    let hole = protocol.openings.iter().find_map(|opening| opening.cancel_unsafe.as_ref());
    let versions = hole.map(|hole| format!("{} ({})", hole.package, hole.versions)).unwrap_or_default();
    let message =
        format!("{by} may cancel this while a transaction begins, which can leave it open on a pooled connection");
    let leaks = format!(
        "if this is cancelled after BEGIN was sent and before the answer came, {versions} does not know that the \
         transaction is open, and the next user of the connection is inside of it"
    );
    let help = format!(
        "begin the transaction before {by} and put only the later work inside, or wait for a spawned task there, which \
         goes on when the wait is cancelled; to limit the wait for a connection, set `acquire_timeout` on the pool"
    );
    context.finding(CHECK.rule, site, events, event.cause.span, Words { message, leaks, help: Some(help), fix: None })
}
