//! State of a connection is set, and whoever gets the connection next meets it.

use crate::{Check, Context, Words, words};
use sessionlint_analysis::{Event, EventKind, SessionState, Site};
use sessionlint_diagnostics::Diagnostic;
use sessionlint_protocols::Protocol;

pub(super) const CHECK: Check = Check { rule: "session-state-leak", run };

fn run(context: &Context<'_>) -> Vec<Diagnostic> {
    let found = context.by_site(|site, protocol, event| is_mistake(context, site, protocol, event));
    found.into_iter().map(|(site, events)| word(context, site, &events)).collect()
}

/// At the end of the program every connection is closed.
fn is_mistake(context: &Context<'_>, _: &Site, _: &Protocol, event: &Event) -> bool {
    let ends = context.report.function == "main";
    match event.kind {
        EventKind::StateOnShared { .. } | EventKind::LockOutlives => true,
        EventKind::StateLeft { .. } | EventKind::LockKept { .. } => !ends,
        _ => false,
    }
}

fn word(context: &Context<'_>, site: &Site, events: &[&Event]) -> Diagnostic {
    let protocol = context.protocol(site);
    let event = events[0];
    let (message, leaks, help) = match event.kind {
        EventKind::LockKept { ref guard } => (
            format!("dropping this `{guard}` gives its connection back to the pool with a lock of the session"),
            "it leaves here, and nothing in the package gives the lock back".to_owned(),
            format!("close the connection instead (`close_on_drop`), or unlock where `{guard}` ends"),
        ),
        EventKind::LockOutlives => {
            let lent = site.name.as_ref().map_or_else(|| "this transaction".to_owned(), |name| format!("`{name}`"));
            (
                "a session-level lock is taken in a transaction, and outlives it: nothing in the package gives it back".to_owned(),
                format!("when {lent} has ended, its connection goes back to the pool with this lock"),
                "unlock it on the same connection, or take a lock that ends with the transaction (in Postgres, `pg_advisory_xact_lock`)"
                    .to_owned(),
            )
        }
        EventKind::StateOnShared { state, pooled: true } => (
            format!("{} is {} through the pool, on whichever connection is free", what(state), words::set(state)),
            "that connection goes back to the pool at once, and its next user inherits this".to_owned(),
            format!(
                "take one connection, run everything that needs this on it, then {}{}",
                undo(state).0,
                undo(state).1
            ),
        ),
        EventKind::StateOnShared { state, .. } => {
            let help = match state {
                SessionState::Watch => "use a connection of your own from WATCH to EXEC, or a Lua script".to_owned(),
                _ => "send the commands as one pipeline (`redis::pipe().atomic()`), or use a connection of your own"
                    .to_owned(),
            };
            (
                format!("{} is {} on a connection that others share", what(state), words::set(state)),
                "until it is over, what other tasks send on clones of the connection falls under it too".to_owned(),
                help,
            )
        }
        EventKind::StateLeft { state } => {
            let subject = words::subject(site, protocol);
            (
                format!("{subject} goes back to its pool with {}", what(state)),
                "the next user of this connection inherits it".to_owned(),
                format!("{} on this path too{}", undo(state).0, undo(state).1),
            )
        }
        _ => unreachable!("picked above"),
    };
    let span = if matches!(event.kind, EventKind::StateOnShared { .. } | EventKind::LockOutlives) {
        site.span
    } else {
        event.cause.span
    };
    context.finding(CHECK.rule, site, events, span, Words { message, leaks, help: Some(help), fix: None })
}

fn what(state: SessionState) -> &'static str {
    match state {
        SessionState::Lock | SessionState::TriedLock => "a session-level lock",
        SessionState::Setting => "a session setting",
        SessionState::Database => "another current database",
        SessionState::Listen => "a LISTEN",
        SessionState::TempTable => "a temporary table",
        SessionState::Multi => "MULTI",
        SessionState::Watch => "WATCH",
        SessionState::Cursor => "an open cursor",
        SessionState::Prepared => "a prepared statement",
        SessionState::TwoPhase => "a transaction that was prepared and not ended",
    }
}

/// What to do on that connection, and what can be done instead: what only one server has is said of that server. `SET LOCAL` is the
/// whole session's in MySQL.
fn undo(state: SessionState) -> (&'static str, &'static str) {
    match state {
        SessionState::Lock | SessionState::TriedLock => {
            ("unlock it on that connection", " (in Postgres, `pg_advisory_xact_lock` ends with the transaction)")
        }
        SessionState::Setting => ("reset it", " (in Postgres, `SET LOCAL` ends with the transaction)"),
        SessionState::Database => {
            ("switch back to the database that it had before", ", or name the database in each statement")
        }
        SessionState::Listen => ("send UNLISTEN", ", or use a listener with a connection of its own"),
        SessionState::TempTable => ("drop it", " (in Postgres, `ON COMMIT DROP` drops it with the transaction)"),
        SessionState::Multi => ("send EXEC or DISCARD", ""),
        SessionState::Watch => ("send EXEC, DISCARD or UNWATCH", ""),
        SessionState::Cursor => ("close it", ", or declare it without HOLD: it ends with the transaction then"),
        SessionState::Prepared => ("deallocate it", ", or let the library prepare it, which keeps count of it"),
        SessionState::TwoPhase => {
            ("send COMMIT PREPARED or ROLLBACK PREPARED", ": it keeps its locks until then, whoever has the connection")
        }
    }
}
