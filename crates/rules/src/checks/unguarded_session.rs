//! A session that needs an explicit end reaches an exit without it.

use super::uncommitted_transaction::is_half_of_a_pair;
use super::{missing_rollback, uncommitted_transaction, unfinished_writer};
use crate::{Check, Context, Words, words};
use sessionlint_analysis::{Event, EventKind, Site};
use sessionlint_diagnostics::Diagnostic;
use sessionlint_protocols::Protocol;

pub(super) const CHECK: Check = Check { rule: "unguarded-session", run };

fn run(context: &Context<'_>) -> Vec<Diagnostic> {
    let found = context.by_site(|site, protocol, event| is_mistake(context, site, protocol, event));
    found.into_iter().map(|(site, events)| word(context, site, &events)).collect()
}

fn is_mistake(context: &Context<'_>, site: &Site, protocol: &Protocol, event: &Event) -> bool {
    event.kind == EventKind::LeftOpen
        && protocol.needs_end
        && !site.raw
        && !is_half_of_a_pair(site, protocol)
        && !uncommitted_transaction::is_mistake(context, site, protocol, event)
        && !unfinished_writer::is_mistake(context, site, protocol, event)
        && !missing_rollback::is_mistake(context, site, protocol, event, false)
}

fn word(context: &Context<'_>, site: &Site, events: &[&Event]) -> Diagnostic {
    let protocol = context.protocol(site);
    let event = events[0];
    let subject = words::subject(site, protocol);
    let message = format!("{subject} is not ended when it is left at {}", words::exit(&event.cause.kind));
    let leaks = if protocol.in_place {
        format!("it is still open here; leaving {}", protocol.on_drop)
    } else {
        format!("dropping it here {}", protocol.on_drop)
    };
    let help = protocol.usual_end().map(|end| {
        let call = words::call(site, end, false);
        format!("call `{call}` on every way out: keep the result of what can fail, end it, then use `?`")
    });
    context.finding(CHECK.rule, site, events, event.cause.span, Words { message, leaks, help, fix: None })
}
