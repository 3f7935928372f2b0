//! A COMMIT that was run as text fails, and the connection is left inside the transaction.

use super::unbalanced_begin;
use crate::{Check, Context, Words, words};
use sessionlint_analysis::{Event, EventKind, Site};
use sessionlint_diagnostics::Diagnostic;
use sessionlint_ir::ExitKind;

pub(super) const CHECK: Check = Check { rule: "failed-commit", run };

fn run(context: &Context<'_>) -> Vec<Diagnostic> {
    let found = context.by_site(|site, _, event| is_mistake(context, site, event));
    // Who never rolls back is told that already.
    let told = |site: &Site| {
        let about = |event: &&Event| std::ptr::eq(context.report.site(event.site), site);
        let mut events = context.report.events.iter().filter(about);
        events.any(|event| unbalanced_begin::is_mistake(context, site, context.protocol(site), event))
    };
    let found = found.into_iter().filter(|(site, _)| !told(site));
    found.map(|(site, events)| word(context, site, &events)).collect()
}

/// What was only read cannot be in the way of anybody, and at the end of the program every connection is closed.
fn is_mistake(context: &Context<'_>, site: &Site, event: &Event) -> bool {
    let closed = context.report.callers_close && event.cause.kind.exit_kind() == ExitKind::Error;
    let lives_on = site.pooled || (site.on_borrowed && !closed);
    event.kind == EventKind::CommitFailed && event.written.is_some() && lives_on && context.report.function != "main"
}

fn word(context: &Context<'_>, site: &Site, events: &[&Event]) -> Diagnostic {
    let event = events[0];
    let subject = words::subject(site, context.protocol(site));
    let message = format!("{subject} stays open at {} when its COMMIT fails", words::exit(&event.cause.kind));
    let leaks = if site.pooled {
        "a COMMIT that fails (the database is busy, say) ends nothing: the connection goes back to its pool inside the transaction"
    } else {
        "a COMMIT that fails (the database is busy, say) ends nothing: whoever uses the connection next is inside the transaction"
    };
    let help = "send ROLLBACK where COMMIT fails, too, or use the library's own transaction, which rolls back when it is dropped";
    let said = Words { message, leaks: leaks.to_owned(), help: Some(help.to_owned()), fix: None };
    context.finding(CHECK.rule, site, events, event.cause.span, said)
}
