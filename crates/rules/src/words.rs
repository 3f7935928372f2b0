//! How do we call things? Words that several findings share.

use sessionlint_analysis::{CauseKind, Event, SessionState, Site};
use sessionlint_ir::ExitKind;
use sessionlint_protocols::{EndKind, Ending, Protocol, ProtocolKind};

/// "transaction `tx`", or "this transaction" when it has no name.
pub(crate) fn subject(site: &Site, protocol: &Protocol) -> String {
    let noun = if site.raw { "transaction" } else { protocol.noun() };
    match &site.name {
        Some(name) if site.raw || protocol.in_place => format!("the {noun} on `{name}`"),
        Some(name) => format!("{noun} `{name}`"),
        None => format!("this {noun}"),
    }
}

/// How a connection goes back to its pool before its time. `let conn = &mut pool.get()?` names a reference: dropping that ends nothing.
pub(crate) fn give_back(by_reference: bool, it: &str) -> String {
    if by_reference { format!("let the block of {it} end") } else { format!("drop {it}") }
}

/// The variable by which a session can be used where something happens, and whether it is a reference to what has no name.
pub(crate) fn holder<'s>(site: &'s Site, protocol: &Protocol, event: &'s Event) -> (Option<&'s String>, bool) {
    let by_reference = site.variable.is_none() && site.name.is_some();
    match &event.held_in {
        Some((name, by_reference)) if site.name.is_some() && !site.raw && !protocol.in_place => {
            (Some(name), *by_reference)
        }
        _ => (site.name.as_ref(), by_reference),
    }
}

/// What the first label says.
pub(crate) fn opened(site: &Site, protocol: &Protocol) -> String {
    let noun = protocol.noun();
    if site.raw {
        "SQL text begins a transaction here".to_owned()
    } else if site.borrowed {
        format!("the {noun} is borrowed from the caller here")
    } else if site.parameter && site.taken {
        format!("this may hold an open {noun}")
    } else if site.parameter {
        format!("the {noun} is passed in by value here")
    } else if site.taken {
        format!("an open {noun} is taken out here")
    } else if protocol.is_transaction() {
        format!("the {noun} begins here")
    } else if protocol.kind == ProtocolKind::Connection && (site.pooled || (protocol.pooled && !site.apart)) {
        format!("the {noun} is taken from its pool here")
    } else if noun == "guard" {
        "the guard is made here".to_owned()
    } else {
        format!("the {noun} is opened here")
    }
}

/// How state of a connection gets there.
pub(crate) fn set(state: SessionState) -> &'static str {
    match state {
        SessionState::Multi | SessionState::Watch => "sent",
        SessionState::Listen => "started",
        SessionState::Cursor => "declared",
        SessionState::Prepared | SessionState::TwoPhase => "made",
        SessionState::Lock | SessionState::TriedLock => "taken",
        SessionState::Setting | SessionState::TempTable | SessionState::Database => "set",
    }
}

/// "an HTTP request is awaited here".
pub(crate) fn awaited(what: &str) -> String {
    format!("{} is awaited here", what.strip_prefix("waiting for ").unwrap_or(what))
}

/// "committed", "rolled back", "closed"; a writer is "finished".
pub(crate) fn ended(protocol: &Protocol, end: EndKind) -> &'static str {
    match end {
        EndKind::Commit if protocol.kind == ProtocolKind::Writer => "finished",
        EndKind::Commit => "committed",
        EndKind::Rollback => "rolled back",
        EndKind::Close => "closed",
    }
}

/// What happens where a session is left, as a part of a sentence: "`?` returns an error".
pub(crate) fn leaving(kind: &CauseKind) -> String {
    use sessionlint_analysis::CauseKind::{Exit, Explicit, Jump, Meanwhile, Overwritten, ScopeEnd, Statement};
    use sessionlint_analysis::ExitOrder::{Macro, Propagated, Return, Tail};
    let is_error = kind.exit_kind() == ExitKind::Error;
    match kind {
        ScopeEnd { .. } => "its block ends".to_owned(),
        Statement { .. } => "its statement ends".to_owned(),
        Exit { how: Propagated, .. } => "`?` returns an error".to_owned(),
        Exit { how: Return, .. } if is_error => "`return` leaves with an error".to_owned(),
        Exit { how: Return, .. } => "`return` leaves the function".to_owned(),
        Exit { how: Tail, .. } if is_error => "the function ends with an error".to_owned(),
        Exit { how: Tail, .. } => "the function ends".to_owned(),
        Exit { how: Macro(name), .. } if is_error => format!("`{name}!` returns an error"),
        Exit { how: Macro(name), .. } => format!("`{name}!` leaves the function"),
        Jump { in_error_arm: true, .. } => "the error arm ends".to_owned(),
        Jump { keyword, .. } => format!("`{keyword}` leaves its block"),
        Overwritten => "its variable gets a new value".to_owned(),
        Explicit => "`drop` is called with it".to_owned(),
        Meanwhile => "this happens".to_owned(),
    }
}

/// The way out, as part of a sentence: "a successful return".
pub(crate) fn exit(kind: &CauseKind) -> String {
    use sessionlint_analysis::CauseKind::{Exit, Explicit, Jump, Meanwhile, Overwritten, ScopeEnd, Statement};
    match kind {
        ScopeEnd { .. } => "the end of its block".to_owned(),
        Statement { .. } => "the end of its statement".to_owned(),
        Exit { how, .. } => how_word(how),
        Jump { in_error_arm: true, .. } => "the end of an error arm".to_owned(),
        Jump { keyword, .. } => format!("`{keyword}`"),
        Overwritten => "a new value for its variable".to_owned(),
        Explicit => "`drop`".to_owned(),
        Meanwhile => "this".to_owned(),
    }
}

fn how_word(how: &sessionlint_analysis::ExitOrder) -> String {
    use sessionlint_analysis::ExitOrder::{Macro, Propagated, Return, Tail};
    match how {
        Propagated => "`?`".to_owned(),
        Return => "`return`".to_owned(),
        Tail => "the end of the function".to_owned(),
        Macro(name) => format!("`{name}!`"),
    }
}

/// What commits or closes a session: a method of the struct that owns it, when there is one.
pub(crate) fn usual_ending(site: &Site, protocol: &Protocol) -> Option<Ending> {
    match &site.own_end {
        Some((name, is_async)) => Some(Ending::own(name.clone(), EndKind::Commit, *is_async)),
        None => protocol.usual_end().cloned(),
    }
}

/// The call of an end, as one would write it, without what becomes of its error.
pub(crate) fn call(site: &Site, ending: &Ending) -> String {
    let receiver = site.name.as_deref().unwrap_or_default();
    let wait = if ending.is_async { ".await" } else { "" };
    format!("{receiver}.{}({}){}{wait}", ending.call, ending.args, ending.then)
}
