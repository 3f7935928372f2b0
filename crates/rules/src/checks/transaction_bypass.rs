//! A write goes to the pool while a transaction of it is open, and the transaction goes on.

use crate::{Check, Context, Words, words};
use sessionlint_analysis::{Event, EventKind, Site};
use sessionlint_diagnostics::Diagnostic;
use sessionlint_protocols::Protocol;

pub(super) const CHECK: Check = Check { rule: "transaction-bypass", run };

fn run(context: &Context<'_>) -> Vec<Diagnostic> {
    context.by_site(is_mistake).into_iter().map(|(site, events)| word(context, site, &events)).collect()
}

fn is_mistake(_: &Site, _: &Protocol, event: &Event) -> bool {
    matches!(event.kind, EventKind::Bypassed | EventKind::CommittedByTable)
}

fn word(context: &Context<'_>, site: &Site, events: &[&Event]) -> Diagnostic {
    let protocol = context.protocol(site);
    let event = events[0];
    let subject = words::subject(site, protocol);
    if event.kind == EventKind::CommittedByTable {
        let message = format!("this statement commits {subject}, before its commit is reached");
        let leaks = "MySQL commits what was written until here, and begins anew: a rollback takes none of it back";
        let help = "make and change tables before the transaction begins, or after it ends".to_owned();
        let said = Words { message, leaks: leaks.to_owned(), help: Some(help), fix: None };
        return context.finding(CHECK.rule, site, events, event.cause.span, said);
    }
    let message = format!("this write goes to the pool instead of {subject}, which is open");
    let leaks = if event.inside.is_empty() {
        "it is not part of the transaction: a rollback does not undo it, and it cannot see what the transaction wrote"
    } else {
        "what this call writes is not part of the transaction: a rollback does not undo it"
    };
    let help = site.name.as_ref().map(|name| {
        format!("run it on `{name}`; if the write must survive a rollback, run it before `{name}` begins or after `{name}` ends")
    });
    let said = Words { message, leaks: leaks.to_owned(), help, fix: context.run_inside(site, protocol, event) };
    context.finding(CHECK.rule, site, events, event.cause.span, said)
}
