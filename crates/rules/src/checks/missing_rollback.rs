//! An error path leaves a transaction open that nothing rolls back.

use super::uncommitted_transaction::is_half_of_a_pair;
use crate::{Check, Context, Words, words};
use sessionlint_analysis::{CauseKind, Event, EventKind, Site};
use sessionlint_diagnostics::Diagnostic;
use sessionlint_ir::ExitKind;
use sessionlint_protocols::{DropClass, Protocol};

pub(super) const CHECK: Check = Check { rule: "missing-rollback", run };

fn run(context: &Context<'_>) -> Vec<Diagnostic> {
    let found = context.by_site(|site, protocol, event| is_mistake(context, site, protocol, event, context.strict));
    found.into_iter().map(|(site, events)| word(context, site, &events)).collect()
}

pub(super) fn is_mistake(context: &Context<'_>, site: &Site, protocol: &Protocol, event: &Event, strict: bool) -> bool {
    let guarded = protocol.class.is_none_or(DropClass::rolls_back);
    let leaves = match event.cause.kind {
        CauseKind::Exit { .. } | CauseKind::Jump { .. } => {
            // A refusal gives the transaction up on purpose: where dropping does not do it, it is still open.
            event.cause.kind.exit_kind() == ExitKind::Error || (!guarded && context.is_given_up(site, protocol, event))
        }
        _ => false,
    };
    event.kind == EventKind::LeftOpen
        && protocol.is_transaction()
        && !site.raw
        && leaves
        && (strict || !guarded)
        && !is_half_of_a_pair(site, protocol)
}

fn word(context: &Context<'_>, site: &Site, events: &[&Event]) -> Diagnostic {
    let protocol = context.protocol(site);
    let event = events[0];
    let subject = words::subject(site, protocol);
    let leaving = words::leaving(&event.cause.kind);
    let message = if protocol.class.is_some_and(DropClass::rolls_back) {
        format!("{subject} has no explicit rollback when {leaving}")
    } else {
        format!("{subject} is left open when {leaving}")
    };
    let leaks = if protocol.in_place {
        format!("it is still open here; leaving here {}", protocol.on_drop)
    } else {
        format!("dropping it here {}", protocol.on_drop)
    };
    let help = protocol.giving_up().map(|end| {
        let call = words::call(site, end);
        format!("call `{call}` on the error path, before the error is returned")
    });
    context.finding(CHECK.rule, site, events, event.cause.span, Words { message, leaks, help, fix: None })
}
