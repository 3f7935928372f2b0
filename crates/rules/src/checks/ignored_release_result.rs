//! The result of a commit is thrown away.

use crate::{Check, Context, Words, words};
use sessionlint_analysis::{Event, EventKind, Site};
use sessionlint_diagnostics::Diagnostic;
use sessionlint_protocols::{EndKind, ProtocolKind};

pub(super) const CHECK: Check = Check { rule: "ignored-release-result", run };

fn run(context: &Context<'_>) -> Vec<Diagnostic> {
    let found = context.by_site(|_, protocol, event| match event.kind {
        // A rollback or close that fails is followed by what dropping does, so nothing is hidden. Nor does the commit of what was
        // only read hide any.
        EventKind::ResultIgnored { end, .. } => {
            let is_owed = protocol.is_transaction() && !event.only_read;
            end == EndKind::Commit && (is_owed || protocol.kind == ProtocolKind::Writer)
        }
        _ => false,
    });
    found.into_iter().map(|(site, events)| word(context, site, &events)).collect()
}

fn word(context: &Context<'_>, site: &Site, events: &[&Event]) -> Diagnostic {
    let protocol = context.protocol(site);
    let event = events[0];
    let EventKind::ResultIgnored { logged, .. } = event.kind else { unreachable!("picked above") };
    let subject = words::subject(site, protocol);
    let (end, ending) = match protocol.kind {
        ProtocolKind::Writer => ("end", "finishing"),
        _ => ("commit", "committing"),
    };
    let (message, leaks) = if logged {
        (
            format!("a failed {end} of {subject} is only logged, and success is returned"),
            "if this fails, the error is only logged, and the caller sees success",
        )
    } else {
        (
            format!("the result of {ending} {subject} is ignored"),
            "if this fails, what was written is lost and nobody is told",
        )
    };
    let span = event.release.unwrap_or(event.cause.span);
    let usual = words::usual_ending(site, protocol);
    let usual = usual.and_then(|end| Some((context.question(site, protocol, &end)?, end)));
    let help = match usual {
        // What leaves a closure or a task is no error of the function's.
        _ if event.in_closure => "handle the error here: log it, or pass it on".to_owned(),
        _ if !context.report.gives_result => {
            "log the error here, or let the function return a `Result` with it".to_owned()
        }
        Some((question, end)) => {
            let wait = if end.is_async { ".await" } else { "" };
            format!("return the error to the caller, as in `.{}({}){}{wait}{question}`", end.call, end.args, end.then)
        }
        None => "return the error to the caller".to_owned(),
    };
    let said = Words { message, leaks: leaks.to_owned(), help: Some(help), fix: None };
    context.finding(CHECK.rule, site, events, span, said)
}
