//! SQL text begins a transaction, and a way out is reached without COMMIT or ROLLBACK.

use super::uncommitted_transaction::is_half_of_a_pair;
use crate::{Check, Context, Words, words};
use sessionlint_analysis::{Event, EventKind, Site};
use sessionlint_diagnostics::Diagnostic;
use sessionlint_ir::ExitKind;
use sessionlint_protocols::Protocol;

pub(super) const CHECK: Check = Check { rule: "unbalanced-begin", run };

fn run(context: &Context<'_>) -> Vec<Diagnostic> {
    let found = context.by_site(|site, protocol, event| is_mistake(context, site, protocol, event));
    found.into_iter().map(|(site, events)| word(context, site, &events)).collect()
}

/// Shared with the check for a COMMIT that fails, which speaks of what is left.
pub(super) fn is_mistake(context: &Context<'_>, site: &Site, protocol: &Protocol, event: &Event) -> bool {
    if !site.raw || event.kind != EventKind::LeftOpen || is_half_of_a_pair(site, protocol) {
        return false;
    }
    // A connection of one's own that is closed when it is dropped takes the transaction with it.
    let closed = context.report.callers_close && event.cause.kind.exit_kind() == ExitKind::Error;
    let stays = site.pooled || (site.on_borrowed && !closed);
    stays || (event.written.is_some() && event.cause.kind.exit_kind() == ExitKind::Success)
}

fn word(context: &Context<'_>, site: &Site, events: &[&Event]) -> Diagnostic {
    let event = events[0];
    let subject = words::subject(site, context.protocol(site));
    let message = format!("{subject} is still open when {}", words::leaving(&event.cause.kind));
    let leaks = if site.pooled {
        "the connection goes back to its pool here, with the transaction still open"
    } else if site.on_borrowed {
        "the transaction stays open on the connection; whoever uses it next runs inside that transaction"
    } else {
        "the connection is closed here, and what was written is lost"
    };
    let help =
        "use the library's own transaction, which rolls back when it is dropped, or send ROLLBACK on this path too";
    let said = Words { message, leaks: leaks.to_owned(), help: Some(help.to_owned()), fix: None };
    context.finding(CHECK.rule, site, events, event.cause.span, said)
}
