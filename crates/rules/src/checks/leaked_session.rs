//! A session is taken out of everything that would end it.

use crate::{Check, Context, Words, words};
use sessionlint_analysis::{CauseKind, Event, EventKind, Site};
use sessionlint_diagnostics::Diagnostic;

pub(super) const CHECK: Check = Check { rule: "leaked-session", run };

fn run(context: &Context<'_>) -> Vec<Diagnostic> {
    // What `main` forgets is there as long as the process.
    if context.report.function.rsplit("::").next() == Some("main") {
        return Vec::new();
    }
    let found = context.by_site(|_, _, event| matches!(event.kind, EventKind::Leaked { .. }));
    found.into_iter().map(|(site, events)| word(context, site, &events)).collect()
}

fn word(context: &Context<'_>, site: &Site, events: &[&Event]) -> Diagnostic {
    let protocol = context.protocol(site);
    let event = events[0];
    let EventKind::Leaked { how } = &event.kind else { unreachable!("picked above") };
    let subject = words::subject(site, protocol);
    let message = format!("{subject} is leaked by `{how}`");
    let leaks = if how == ".leak()" {
        "this takes it away from its pool, and nothing closes it: the pool opens another one, or loses the slot"
    } else {
        "from here on nothing ends it"
    };
    let help = match (&protocol.instead_of_leaking, protocol.usual_end()) {
        (Some(instead), _) => instead.clone(),
        (None, Some(end)) => format!("end it instead: `.{}(){}`", end.call, if end.is_async { ".await" } else { "" }),
        (None, None) => "let it be dropped instead: that gives it back".to_owned(),
    };
    let explicit = event.cause.kind == CauseKind::Explicit;
    let span = if how.starts_with('.') || !explicit { site.span } else { event.cause.span };
    let said = Words { message, leaks: leaks.to_owned(), help: Some(help), fix: None };
    context.finding(CHECK.rule, site, events, span, said)
}
