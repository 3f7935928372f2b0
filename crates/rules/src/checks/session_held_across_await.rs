//! A transaction or pooled connection stays checked out while slow outside work is awaited.

use crate::walk::is_made_here;
use crate::{Check, Context, Words, words};
use sessionlint_analysis::{Event, EventKind, Site};
use sessionlint_diagnostics::Diagnostic;
use sessionlint_ir::TestRole;
use sessionlint_protocols::Rank;
use std::cmp::Reverse;

pub(super) const CHECK: Check = Check { rule: "session-held-across-await", run };

fn run(context: &Context<'_>) -> Vec<Diagnostic> {
    // Who says that the commit waits for it means it.
    let found = context.by_site(|site, protocol, event| {
        is_mistake(context, event)
            && !((protocol.is_transaction() || site.raw) && context.is_declared_order(site, event))
    });
    let worst_first = |(site, mut events): (_, Vec<&Event>)| {
        // Of the same, the first in the text.
        events.sort_by_key(|event| (Reverse(rank(event)), is_conditional(event)));
        word(context, site, &events)
    };
    found.into_iter().map(worst_first).collect()
}

fn rank(event: &Event) -> Option<Rank> {
    match &event.kind {
        EventKind::HeldAcross { wait } => Some(wait.rank.0),
        _ => None,
    }
}

/// Whether it happens on one side of a condition only.
fn is_conditional(event: &Event) -> bool {
    let decides = |role| matches!(role, TestRole::Branch | TestRole::Pattern | TestRole::Arm(_));
    event.branches.iter().any(|branch| decides(branch.role) && !branch.joins)
}

/// What is answered within some milliseconds, and what a single task does that `main` leads to, is told where the whole guideline is asked
/// for.
fn is_mistake(context: &Context<'_>, event: &Event) -> bool {
    match &event.kind {
        EventKind::HeldAcross { wait } => context.strict || (wait.rank.0 > Rank::Quick && !event.in_turn),
        _ => false,
    }
}

fn word(context: &Context<'_>, site: &Site, events: &[&Event]) -> Diagnostic {
    let protocol = context.protocol(site);
    let event = events[0];
    let subject = words::subject(site, protocol);
    let what = match &event.kind {
        EventKind::HeldAcross { wait } => wait.what.as_str(),
        _ => "slow work",
    };
    if site.borrowed {
        return polled(context, site, events, what);
    }
    let message = format!("{subject} is held across {what}");
    let leaks = if event.inside.is_empty() || is_made_here(context, event) {
        format!("{} while the {} is held", words::awaited(what), protocol.noun())
    } else {
        format!("this call leads to {what}")
    };
    let (held, by_reference) = words::holder(site, protocol, event);
    let is_inside = !event.inside.is_empty() && held.is_some_and(|name| context.is_passed(event.cause.span, name));
    // What uses the session cannot move as a whole.
    let this = if is_inside { "take this work out of the call, and do it" } else { "move this" };
    let help = match held {
        Some(name) if protocol.is_transaction() || site.raw => {
            let it = if site.raw || protocol.in_place { &subject } else { &format!("`{name}`") };
            format!(
                "{this} before {it} begins or after it ends: an open transaction keeps its connection and its locks"
            )
        }
        Some(name) => {
            let give_back = words::give_back(by_reference, &format!("`{name}`"));
            match is_inside {
                true => format!(
                    "{this} before `{name}` is taken or after it is given back: a pool has only a few connections"
                ),
                false => {
                    format!("{this} before `{name}` is taken, or {give_back} first: a pool has only a few connections")
                }
            }
        }
        None if protocol.is_transaction() => {
            "move this before the transaction begins or after it ends: until then it keeps its connection and its locks"
                .to_owned()
        }
        None => "move this before the connection is taken or after it is given back: a pool has only a few connections"
            .to_owned(),
    };
    context.finding(CHECK.rule, site, events, event.cause.span, Words { message, leaks, help: Some(help), fix: None })
}

/// A function that was lent a session looks again and again with it.
fn polled(context: &Context<'_>, site: &Site, events: &[&Event], what: &str) -> Diagnostic {
    let protocol = context.protocol(site);
    let subject = words::subject(site, protocol);
    let message = format!("{subject}, borrowed from the caller, is held across {what} in a polling loop");
    let leaks = format!("{} while the caller's connection is held", words::awaited(what));
    let help = "take a connection from the pool in each iteration, or let the caller repeat the call".to_owned();
    let span = events[0].cause.span;
    context.finding(CHECK.rule, site, events, span, Words { message, leaks, help: Some(help), fix: None })
}
