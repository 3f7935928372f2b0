//! A statement is no part of the transaction that is open: it goes to the pool, commits that, or may be in none.

use crate::{Check, Context, Words, words};
use sessionlint_analysis::{Event, EventKind, Refusal, Site};
use sessionlint_diagnostics::Diagnostic;
use sessionlint_protocols::Protocol;

pub(super) const CHECK: Check = Check { rule: "transaction-bypass", run };

fn run(context: &Context<'_>) -> Vec<Diagnostic> {
    context.by_site(is_mistake).into_iter().map(|(site, events)| word(context, site, &events)).collect()
}

fn is_mistake(_: &Site, _: &Protocol, event: &Event) -> bool {
    matches!(event.kind, EventKind::Bypassed | EventKind::CommittedByTable | EventKind::Refused { .. })
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
    if let EventKind::Refused { statement, engine, refusal } = event.kind {
        let (message, leaks) = match (refusal, engine) {
            (Refusal::Ignored, _) => (
                format!("`{statement}` does nothing while {subject} is open"),
                format!("{engine} takes it and changes nothing: inside of a transaction it has no effect"),
            ),
            (Refusal::Fails, "PostgreSQL") => (
                format!("`{statement}` fails while {subject} is open: no transaction may have it"),
                format!("{engine} refuses it here, and then all else that the transaction does"),
            ),
            (Refusal::Fails, _) => (
                format!("`{statement}` fails while {subject} is open: no transaction may have it"),
                format!("{engine} refuses it here, each time"),
            ),
        };
        let help = "run it before the transaction begins, or after it has ended".to_owned();
        let said = Words { message, leaks, help: Some(help), fix: None };
        return context.finding(CHECK.rule, site, events, event.cause.span, said);
    }
    let need = context.need(event).filter(|need| need.all().is_some());
    let leaks = if need.is_some() {
        "it waits for a second connection, and the transaction holds the only one of the pool"
    } else if event.inside.is_empty() {
        "it is not part of the transaction: a rollback does not undo it, and it cannot see what the transaction wrote"
    } else {
        "what this call writes is not part of the transaction: a rollback does not undo it"
    };
    let help = site.name.as_ref().map(|name| {
        format!("run it on `{name}`; if the write must survive a rollback, run it before `{name}` begins or after `{name}` ends")
    });
    let said = Words { message, leaks: leaks.to_owned(), help, fix: context.run_inside(site, protocol, event) };
    let mut finding = context.finding(CHECK.rule, site, events, event.cause.span, said);
    finding.labels.extend(need.map(|need| need.told()));
    finding
}
