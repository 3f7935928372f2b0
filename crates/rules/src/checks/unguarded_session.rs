//! A session that needs an explicit end reaches an exit without it.

use super::uncommitted_transaction::is_half_of_a_pair;
use super::{missing_rollback, uncommitted_transaction, unfinished_writer};
use crate::{Check, Context, Words, words};
use sessionlint_analysis::{Event, EventKind, Site};
use sessionlint_diagnostics::Diagnostic;
use sessionlint_ir::ExitKind;
use sessionlint_protocols::{Protocol, ProtocolKind};

pub(super) const CHECK: Check = Check { rule: "unguarded-session", run };

fn run(context: &Context<'_>) -> Vec<Diagnostic> {
    let found = context.by_site(|site, protocol, event| is_mistake(context, site, protocol, event));
    found.into_iter().map(|(site, events)| word(context, site, &events)).collect()
}

fn is_mistake(context: &Context<'_>, site: &Site, protocol: &Protocol, event: &Event) -> bool {
    if event.kind == EventKind::PoolDropped {
        // At the end of the program the server hears of it anyway.
        return context.report.function != "main";
    }
    event.kind == EventKind::LeftOpen
        && protocol.needs_end
        && (event.written.is_some() || !protocol.needs_end_when_written)
        && !is_broken(protocol, event)
        && !site.raw
        && !is_half_of_a_pair(site, protocol)
        && !uncommitted_transaction::is_mistake(context, site, protocol, event)
        && !unfinished_writer::is_mistake(context, site, protocol, event)
        && !missing_rollback::is_mistake(context, site, protocol, event, false)
}

/// A socket that an error is left behind for: there is nobody to say goodbye to.
fn is_broken(protocol: &Protocol, event: &Event) -> bool {
    protocol.kind == ProtocolKind::Session
        && protocol.needs_end_when_written
        && (event.cause.kind.exit_kind() == ExitKind::Error || event.cause.kind.in_error_arm())
}

fn word(context: &Context<'_>, site: &Site, events: &[&Event]) -> Diagnostic {
    let protocol = context.protocol(site);
    let event = events[0];
    let subject = words::subject(site, protocol);
    let message = format!("{subject} is not ended when {}", words::leaving(&event.cause.kind));
    let leaks = if protocol.in_place {
        format!("it is still open here; leaving here {}", protocol.on_drop)
    } else {
        format!("dropping it here {}", protocol.on_drop)
    };
    // What is given up is not finished: the end that does so is for the error path.
    let gives_up = protocol
        .giving_up()
        .filter(|_| protocol.kind == ProtocolKind::Writer && event.cause.kind.exit_kind() == ExitKind::Error);
    let help = match gives_up {
        Some(end) => {
            let call = words::call(site, end);
            Some(format!("call `{call}` on the error path, before the error is returned"))
        }
        None => protocol.usual_end().map(|end| {
            let call = words::call(site, end);
            format!("call `{call}` before every exit: keep the result of what can fail in a variable, make this call, then use `?`")
        }),
    };
    context.finding(CHECK.rule, site, events, event.cause.span, Words { message, leaks, help, fix: None })
}
