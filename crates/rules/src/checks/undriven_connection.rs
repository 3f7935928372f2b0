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
    let message = format!("{subject} is never run: what it connects waits for it");
    let leaks = format!("it is dropped here without having done anything, which {}", protocol.on_drop);
    let name = site.name.as_deref().unwrap_or("connection");
    let help = format!("run it in a task of its own: `tokio::spawn(..)` with `{name}` inside, before the first call");
    context.finding(CHECK.rule, site, events, event.cause.span, Words { message, leaks, help: Some(help), fix: None })
}
