//! A writer that must be finished is dropped on a success path without that.

use crate::question::UsualCall;
use crate::{Check, Context, Words, words};
use sessionlint_analysis::{CauseKind, Event, EventKind, Site};
use sessionlint_diagnostics::Diagnostic;
use sessionlint_ir::ExitKind;
use sessionlint_protocols::{Protocol, ProtocolKind};

pub(super) const CHECK: Check = Check { rule: "unfinished-writer", run };

fn run(context: &Context<'_>) -> Vec<Diagnostic> {
    let found = context.by_site(|site, protocol, event| is_mistake(context, site, protocol, event));
    found.into_iter().map(|(site, events)| word(context, site, &events)).collect()
}

/// Shared with the check for sessions without a guard, which speaks of what is left.
pub(super) fn is_mistake(context: &Context<'_>, site: &Site, protocol: &Protocol, event: &Event) -> bool {
    event.kind == EventKind::LeftOpen
        && (protocol.kind == ProtocolKind::Writer || protocol.queues)
        && !protocol.finishes
        && (event.written.is_some() || protocol.footer)
        && event.cause.kind != CauseKind::Explicit
        && event.cause.kind.exit_kind() == ExitKind::Success
        && !super::uncommitted_transaction::is_half_of_a_pair(site, protocol)
        && !context.is_given_up(site, protocol, event)
}

fn word(context: &Context<'_>, site: &Site, events: &[&Event]) -> Diagnostic {
    let protocol = context.protocol(site);
    let event = events[0];
    let subject = words::subject(site, protocol);
    let way_out = match &event.cause.kind {
        CauseKind::Exit { .. } => "a successful return".to_owned(),
        other => words::exit(other),
    };
    let message = if protocol.queues {
        format!("{subject} reaches {way_out} with data still queued")
    } else if protocol.errors_late {
        let flush = protocol.usual_end().map_or("an end", |end| &end.call);
        format!("{subject} reaches {way_out} without `{flush}`, which tells whether its last write failed")
    } else {
        format!("{subject} reaches {way_out} without being finished")
    };
    let leaks = if protocol.in_place {
        format!("it is not finished here; leaving here {}", protocol.on_drop)
    } else {
        format!("dropping it here {}", protocol.on_drop)
    };
    let help = context
        .usual_call(site, protocol)
        .map(|UsualCall { call, rest }| format!("call `{call}` after the last write{rest}"));
    context.finding(CHECK.rule, site, events, event.cause.span, Words { message, leaks, help, fix: None })
}
