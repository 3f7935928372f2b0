//! What does a statement leave behind in the session of the server that its connection is?

use super::tokens::word;
use sqlparser::tokenizer::Token;
use std::hash::{DefaultHasher, Hash, Hasher};

/// State of a session on the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SessionState {
    /// A lock that the session holds.
    Lock,
    /// A lock that the session holds if it was free.
    TriedLock,
    /// A setting.
    Setting,
    /// A channel that it listens to.
    Listen,
    /// A temporary table.
    TempTable,
    /// Watched keys, or an open MULTI.
    Multi,
}

/// What a statement changes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StateChange {
    /// What.
    pub state: SessionState,
    /// Which one: a number made of its name; 0 stands for all of them.
    pub name: u64,
    /// Whether it is set, or taken back.
    pub on: bool,
}

impl StateChange {
    /// Whether this takes back what another change has set. Setting the same thing again puts it back, as far as can be
    /// told.
    pub fn takes_back(&self, before: &StateChange) -> bool {
        if !before.on {
            return false;
        }
        let same =
            self.state == before.state || (self.state == SessionState::Lock && before.state == SessionState::TriedLock);
        let named = self.name == 0 || self.name == before.name;
        // DISCARD ALL and RESET ALL speak of settings; the first takes everything.
        (same && named && (!self.on || self.state == SessionState::Setting)) || (!self.on && self.name == EVERYTHING)
    }
}

/// The name that stands for everything that a session has.
const EVERYTHING: u64 = u64::MAX;

/// Whether a statement takes a lock of the server that its connection holds, or listens.
pub(super) fn holds(tokens: &[Token]) -> bool {
    let locks = |token: &Token| match token {
        Token::Word(word) => {
            let name = word.value.to_ascii_lowercase();
            name == "get_lock" || (name.starts_with("pg_") && name.contains("advisory") && name.contains("lock"))
        }
        _ => false,
    };
    matches!(word(tokens, 0).as_str(), "LISTEN" | "UNLISTEN") || tokens.iter().any(locks)
}

/// What a statement changes.
pub(super) fn change(tokens: &[Token]) -> Option<StateChange> {
    let at = |index: usize| word(tokens, index);
    let change = |state: SessionState, name: &[Token], on: bool| Some(StateChange { state, name: hash(name), on });
    let all = |state: SessionState| Some(StateChange { state, name: 0, on: false });
    match at(0).as_str() {
        "SET" => setting(tokens),
        "RESET" if at(1) == "ALL" => all(SessionState::Setting),
        "RESET" => change(SessionState::Setting, &tokens[1..], false),
        "DISCARD" if at(1) == "ALL" => Some(StateChange { state: SessionState::Setting, name: EVERYTHING, on: false }),
        "DISCARD" if matches!(at(1).as_str(), "TEMP" | "TEMPORARY") => all(SessionState::TempTable),
        "LISTEN" => change(SessionState::Listen, &tokens[1..], true),
        "UNLISTEN" => all(SessionState::Listen),
        "CREATE" if matches!(at(1).as_str(), "TEMP" | "TEMPORARY") && at(2) == "TABLE" => {
            let dropped = tokens
                .windows(3)
                .any(|three| word(three, 0) == "ON" && word(three, 1) == "COMMIT" && word(three, 2) == "DROP");
            (!dropped).then_some(StateChange { state: SessionState::TempTable, name: 1, on: true })
        }
        "DROP" if at(1) == "TABLE" => all(SessionState::TempTable),
        // Redis: a command of one word.
        "MULTI" | "WATCH" if tokens.len() == 1 => Some(StateChange { state: SessionState::Multi, name: 1, on: true }),
        "EXEC" | "DISCARD" | "UNWATCH" if tokens.len() == 1 => all(SessionState::Multi),
        "SELECT" | "DO" | "WITH" => called(tokens),
        _ => None,
    }
}

/// `SET name = value`, unless it is only for the transaction.
fn setting(tokens: &[Token]) -> Option<StateChange> {
    let mut rest = &tokens[1..];
    if word(rest, 0) == "SESSION" && word(rest, 1) != "CHARACTERISTICS" && word(rest, 1) != "AUTHORIZATION" {
        rest = &rest[1..];
    }
    let first = word(rest, 0);
    let only = [
        "LOCAL",
        "TRANSACTION",
        "CONSTRAINTS",
        "GLOBAL",
        "PERSIST",
        "PERSIST_ONLY",
        "PASSWORD",
        "NAMES",
        "CHARACTER",
        "",
    ];
    if only.contains(&first.as_str()) || rest.len() < 2 {
        return None;
    }
    let last = rest.last().map(|token| word(std::slice::from_ref(token), 0)).unwrap_or_default();
    let on = !matches!(last.as_str(), "DEFAULT" | "NONE" | "OFF");
    // The name ends where the value begins.
    let end = rest.iter().position(|token| {
        *token == Token::Eq || matches!(token, Token::Word(word) if word.value.eq_ignore_ascii_case("to"))
    });
    let name = &rest[..end.unwrap_or(1).max(1)];
    Some(StateChange { state: SessionState::Setting, name: hash(name), on })
}

/// Functions that change the session.
fn called(tokens: &[Token]) -> Option<StateChange> {
    let mut found = None;
    for (index, token) in tokens.iter().enumerate() {
        let Token::Word(name) = token else { continue };
        if tokens.get(index + 1) != Some(&Token::LParen) {
            continue;
        }
        let arguments = &tokens[index + 2..];
        let lock = |state, on| Some(StateChange { state, name: if on { 1 } else { 0 }, on });
        found = match name.value.to_ascii_lowercase().as_str() {
            "pg_advisory_lock" | "pg_advisory_lock_shared" => lock(SessionState::Lock, true),
            "pg_try_advisory_lock" | "pg_try_advisory_lock_shared" | "get_lock" => lock(SessionState::TriedLock, true),
            "pg_advisory_unlock"
            | "pg_advisory_unlock_shared"
            | "pg_advisory_unlock_all"
            | "release_lock"
            | "release_all_locks" => lock(SessionState::Lock, false),
            "set_config" => {
                let end = arguments.iter().position(|token| *token == Token::RParen)?;
                let is_false = matches!(&arguments[end.checked_sub(1)?], Token::Word(word) if word.value.eq_ignore_ascii_case("false"));
                let name = hash(&arguments[..1]);
                is_false.then_some(StateChange { state: SessionState::Setting, name, on: true })
            }
            _ => found,
        };
    }
    found
}

/// A number for a name, never one that stands for something else.
fn hash(name: &[Token]) -> u64 {
    let mut hasher = DefaultHasher::new();
    for token in name {
        token.to_string().trim_matches(['\'', '"', '`']).to_ascii_lowercase().hash(&mut hasher);
    }
    hasher.finish().clamp(2, EVERYTHING - 1)
}
