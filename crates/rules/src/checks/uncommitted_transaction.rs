//! A success path ends with an open transaction in which something was written.

use crate::question::UsualCall;
use crate::{Check, Context, Words, words};
use sessionlint_analysis::{Branch, CauseKind, Event, EventKind, Site};
use sessionlint_diagnostics::{Diagnostic, Span};
use sessionlint_ir::ExitKind;
use sessionlint_protocols::Protocol;

pub(super) const CHECK: Check = Check { rule: "uncommitted-transaction", run };

fn run(context: &Context<'_>) -> Vec<Diagnostic> {
    let found = context.by_site(|site, protocol, event| is_mistake(context, site, protocol, event));
    found.into_iter().map(|(site, events)| word(context, site, &events)).collect()
}

/// Shared with the check for sessions without a guard, which speaks of what is left.
pub(super) fn is_mistake(context: &Context<'_>, site: &Site, protocol: &Protocol, event: &Event) -> bool {
    event.kind == EventKind::LeftOpen
        && protocol.needs_commit()
        && !site.raw
        && event.written.is_some()
        && !event.failure_told
        && event.cause.kind != CauseKind::Explicit
        && event.cause.kind.exit_kind() == ExitKind::Success
        && !is_half_of_a_pair(site, protocol)
        && !context.is_given_up(site, protocol, event)
}

/// A function that begins on somebody else's connection and never ends anything: its partner does.
pub(super) fn is_half_of_a_pair(site: &Site, protocol: &Protocol) -> bool {
    (site.raw || protocol.in_place) && site.on_borrowed && site.ended.is_empty()
}

fn word(context: &Context<'_>, site: &Site, events: &[&Event]) -> Diagnostic {
    let protocol = context.protocol(site);
    let event = events[0];
    let subject = words::subject(site, protocol);
    let way_out = match &event.cause.kind {
        CauseKind::Exit { .. } => "a successful return".to_owned(),
        other => words::exit(other),
    };
    let message = format!("{subject} reaches {way_out} with uncommitted writes");
    let leaks = if protocol.in_place {
        format!("it is still open here; leaving here {}", protocol.on_drop)
    } else {
        format!("dropping it here {}", protocol.on_drop)
    };
    let help = match &site.name {
        Some(_) => context.usual_call(site, protocol).map(|UsualCall { call, rest }| {
            let when =
                if matches!(event.cause.kind, CauseKind::Exit { .. }) { "before returning" } else { "before that" };
            let branch = forgetful_branch(context, site, events);
            let branch = branch.map(|line| format!("{BRANCH}{line}")).unwrap_or_default();
            format!("call `{call}` {when}{branch}{rest}")
        }),
        None => protocol
            .usual_end()
            .map(|end| format!("bind the {} to a variable and call `{}` on it", protocol.noun(), end.call)),
    };
    context.finding(
        CHECK.rule,
        site,
        events,
        event.cause.span,
        Words { message, leaks, help, fix: context.commit_before(site, protocol, events) },
    )
}

/// Before the line of a condition.
const BRANCH: &str = " in the branch of line ";

/// A help of this rule for a function that stands so many lines further down.
pub(crate) fn moved(help: &str, lines: i64) -> String {
    let number = help.split_once(BRANCH).and_then(|(before, line)| Some((before, line.parse::<i64>().ok()?)));
    number.map_or_else(|| help.to_owned(), |(before, line)| format!("{before}{BRANCH}{}", line + lines))
}

/// The line of the condition behind which another way ends the session and this one does not.
fn forgetful_branch(context: &Context<'_>, site: &Site, events: &[&Event]) -> Option<usize> {
    let [event] = events else { return None };
    let (end, _) = site.ended.last()?;
    let is_before = |condition: &Span| {
        condition.file == end.file
            && condition.start < end.start
            && (condition.start >= site.span.end || condition.end <= site.span.start)
    };
    let Branch { condition, .. } = event.branches.iter().rev().find(|branch| is_before(&branch.condition))?;
    let here = condition.file == context.report.span.file;
    let before = here.then(|| context.text.get(..condition.start as usize))??;
    Some(before.matches('\n').count() + 1)
}
