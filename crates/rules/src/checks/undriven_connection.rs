//! The half of a connection that does the work is never run.

use crate::{Check, Context, Words, words};
use sessionlint_analysis::{Event, EventKind, Site};
use sessionlint_diagnostics::Diagnostic;
use sessionlint_ir::ExitKind;
use sessionlint_protocols::{Protocol, ProtocolKind};

pub(super) const CHECK: Check = Check { rule: "undriven-connection", run };

fn run(context: &Context<'_>) -> Vec<Diagnostic> {
    context.by_site(is_mistake).into_iter().map(|(site, events)| word(context, site, &events)).collect()
}

/// An error before it could be run is a reason to drop it. What runs it in a loop may also have no round to go.
fn is_mistake(site: &Site, protocol: &Protocol, event: &Event) -> bool {
    event.kind == EventKind::LeftOpen
        && protocol.kind == ProtocolKind::Task
        && !site.used
        && event.cause.kind.exit_kind() == ExitKind::Success
}

fn word(context: &Context<'_>, site: &Site, events: &[&Event]) -> Diagnostic {
    let protocol = context.protocol(site);
    let event = events[0];
    let subject = words::subject(site, protocol);
    let message = format!("{subject} is never run: the other half of the connection needs it");
    let leaks = format!("it has done nothing so far; dropping it here {}", protocol.on_drop);
    let name = site.name.as_deref().unwrap_or("connection");
    let help = format!("before the first call, run `{name}` in a task of its own with `tokio::spawn(..)`");
    context.finding(CHECK.rule, site, events, event.cause.span, Words { message, leaks, help: Some(help), fix: None })
}
