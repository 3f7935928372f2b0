//! A session is opened and dropped in the same statement.

use crate::{Check, Context, Words};
use sessionlint_analysis::{CauseKind, Event, EventKind, Site};
use sessionlint_diagnostics::Diagnostic;
use sessionlint_protocols::{Protocol, ProtocolKind};

pub(super) const CHECK: Check = Check { rule: "discarded-session", run };

fn run(context: &Context<'_>) -> Vec<Diagnostic> {
    // `check_not_locked` opens one to see whether it can.
    let function = context.report.function.rsplit("::").next().unwrap_or_default();
    let intent = context.model.intent();
    if intent.is_probe(function) || intent.is_trial(function) {
        return Vec::new();
    }
    context.by_site(is_mistake).into_iter().map(|(site, events)| word(context, site, &events)).collect()
}

/// Taking a connection and giving it back at once is how people ask whether a pool works, and logging in whether a
/// password does.
fn is_mistake(site: &Site, protocol: &Protocol, event: &Event) -> bool {
    let asks = match protocol.kind {
        ProtocolKind::Connection | ProtocolKind::Client => true,
        ProtocolKind::Session => !protocol.needs_end || protocol.needs_end_when_written,
        // One of the project's own that gives itself up: its pool asks so whether a connection works.
        ProtocolKind::Transaction if protocol.learned_from.is_some() => !protocol.needs_end,
        _ => !protocol.is_session(),
    };
    // A file that nothing was written to is there all the same.
    let asks = asks || protocol.errors_late;
    // What a function has made and used itself is of no use any more.
    let was_used = protocol.kind == ProtocolKind::Guard && site.used;
    if event.kind == EventKind::NameKept {
        return true;
    }
    // What was taken out of something was opened elsewhere, and is given up here.
    event.kind == EventKind::Discarded && !asks && !site.taken && !was_used
}

fn word(context: &Context<'_>, site: &Site, events: &[&Event]) -> Diagnostic {
    let protocol = context.protocol(site);
    let event = events[0];
    let noun = protocol.noun();
    let message = format!("this {noun} is dropped in the statement that opens it");
    let leaks = match event.cause.kind {
        _ if event.kind == EventKind::NameKept => {
            format!("only its name is kept: the value is dropped here, which {}", protocol.on_drop)
        }
        CauseKind::Statement { wildcard: true } => {
            format!("`_` does not keep the value; dropping it here {}", protocol.on_drop)
        }
        _ => format!("nothing keeps the value; dropping it here {}", protocol.on_drop),
    };
    let help = match protocol.kind {
        ProtocolKind::Task => "bind it to a variable and spawn it: `tokio::spawn(connection)`".to_owned(),
        _ => format!("bind the {noun} to a variable that lives as long as it is needed"),
    };
    let said = Words { message, leaks, help: Some(help), fix: context.keep(site, protocol, event) };
    context.finding(CHECK.rule, site, events, site.span, said)
}
