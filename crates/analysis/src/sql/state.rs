//! What does a statement leave behind in the session of the server that its connection is?

use super::statement::{FILLED, Hold};
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
    /// The database that it uses.
    Database,
    /// An open MULTI.
    Multi,
    /// Watched keys.
    Watch,
    /// A cursor that outlives its transaction.
    Cursor,
    /// A statement that was prepared as text.
    Prepared,
    /// A transaction that was prepared for the second step of its commit.
    TwoPhase,
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
    /// Whether the text that sets it takes it back, once all of it has run.
    pub settled: bool,
    /// Whether other code had the connection since: it may have taken it back.
    pub unsure: bool,
}

impl StateChange {
    fn of(state: SessionState, name: u64, on: bool) -> Self {
        Self { state, name, on, settled: false, unsure: false }
    }

    /// Whether this takes back what another change has set. Setting the same thing again puts it back, as far as can be
    /// told.
    pub fn takes_back(&self, before: &StateChange) -> bool {
        if !before.on {
            return false;
        }
        // Whichever is used next takes the place of the one before.
        if self.state == SessionState::Database {
            return before.state == SessionState::Database;
        }
        let same = self.state == before.state
            || (self.state == SessionState::Lock && before.state == SessionState::TriedLock)
            || (self.state == SessionState::Multi && before.state == SessionState::Watch);
        let named = self.name == 0 || self.name == before.name;
        // DISCARD ALL and RESET ALL speak of settings; the first takes everything.
        (same && named && (!self.on || self.state == SessionState::Setting)) || (!self.on && self.name == EVERYTHING)
    }
}

impl StateChange {
    /// Whether this uses a database whose name is put in at run time: whoever does so does it each time, most likely.
    pub fn is_named_later(&self) -> bool {
        self.state == SessionState::Database && self.name == NAMED_LATER
    }
}

/// The database that a name says which is put in at run time.
pub(super) const NAMED_LATER: u64 = 2;

/// The name that stands for everything that a session has.
const EVERYTHING: u64 = u64::MAX;

/// What a connection is held for behind a statement that takes a lock of the server, listens, or locks tables of MySQL.
pub(super) fn holds(tokens: &[Token]) -> Option<Hold> {
    let at = |index: usize| word(tokens, index);
    let last = |back: usize| tokens.len().checked_sub(back).map(at).unwrap_or_default();
    let tables = |index: usize| matches!(at(index).as_str(), "TABLES" | "TABLE");
    match at(0).as_str() {
        "LOCK" if at(1) == "INSTANCE" => return Some(Hold::Tables),
        "LOCK" if tables(1) && matches!(last(1).as_str(), "READ" | "WRITE" | "LOCAL") => return Some(Hold::Tables),
        "FLUSH" if tables(1) && (last(1) == "LOCK" || last(1) == "EXPORT") => return Some(Hold::Tables),
        "UNLOCK" if tables(1) || at(1) == "INSTANCE" => return Some(Hold::Nothing),
        _ => {}
    }
    let locks = |token: &Token| match token {
        Token::Word(word) => {
            let name = word.value.to_ascii_lowercase();
            let is_advisory = name.starts_with("pg_") && name.contains("advisory") && name.contains("lock");
            let hold = if name.starts_with("pg_try_") { Hold::TriedLock } else { Hold::Lock };
            (name == "get_lock" || is_advisory).then_some(hold)
        }
        _ => None,
    };
    if matches!(at(0).as_str(), "LISTEN" | "UNLISTEN") {
        return Some(Hold::Lock);
    }
    if let Some(hold) = tokens.iter().filter_map(locks).max() {
        return Some(hold);
    }
    // The row of a job is locked while that is done; what is set at once needs no lock behind it.
    let skips = (1..tokens.len()).any(|index| at(index) == "LOCKED" && at(index - 1) == "SKIP");
    (skips && at(0) == "SELECT").then_some(Hold::Job)
}

/// What a statement changes.
pub(super) fn change(tokens: &[Token]) -> Option<StateChange> {
    let at = |index: usize| word(tokens, index);
    let change = |state: SessionState, name: &[Token], on: bool| Some(StateChange::of(state, hash(name), on));
    let all = |state: SessionState| Some(StateChange::of(state, 0, false));
    let has = |wanted: &str| (0..tokens.len()).any(|index| at(index) == wanted);
    match at(0).as_str() {
        "SET" => setting(tokens),
        "RESET" if at(1) == "ALL" => all(SessionState::Setting),
        "RESET" => Some(StateChange::of(SessionState::Setting, setting_name(&tokens[1..]), false)),
        "DISCARD" if at(1) == "ALL" => Some(StateChange::of(SessionState::Setting, EVERYTHING, false)),
        "DISCARD" if matches!(at(1).as_str(), "TEMP" | "TEMPORARY") => all(SessionState::TempTable),
        "LISTEN" => change(SessionState::Listen, &tokens[1..], true),
        "UNLISTEN" => all(SessionState::Listen),
        // With IF NOT EXISTS it is made once for a connection, and used again.
        "CREATE" if matches!(at(1).as_str(), "TEMP" | "TEMPORARY") && at(2) == "TABLE" && at(3) != "IF" => {
            let dropped = tokens
                .windows(3)
                .any(|three| word(three, 0) == "ON" && word(three, 1) == "COMMIT" && word(three, 2) == "DROP");
            (!dropped).then_some(StateChange::of(SessionState::TempTable, 1, true))
        }
        "DROP" if at(1) == "TABLE" => all(SessionState::TempTable),
        "DECLARE" if has("CURSOR") && tokens.windows(2).any(|two| word(two, 0) == "WITH" && word(two, 1) == "HOLD") => {
            change(SessionState::Cursor, &tokens[1..2], true)
        }
        "CLOSE" if at(1) == "ALL" => all(SessionState::Cursor),
        "CLOSE" if tokens.len() == 2 => change(SessionState::Cursor, &tokens[1..], false),
        "PREPARE" if at(1) == "TRANSACTION" => change(SessionState::TwoPhase, &tokens[1..2], true),
        "COMMIT" | "ROLLBACK" if at(1) == "PREPARED" => all(SessionState::TwoPhase),
        // In MySQL, `PREPARE a FROM ..` takes the place of the one before.
        "PREPARE" if has("AS") => change(SessionState::Prepared, &tokens[1..2], true),
        "DEALLOCATE" => {
            let skipped: usize = if at(1) == "PREPARE" { 2 } else { 1 };
            let name = tokens.get(skipped..).unwrap_or_default();
            if word(name, 0) == "ALL" {
                all(SessionState::Prepared)
            } else {
                change(SessionState::Prepared, name, false)
            }
        }
        "USE" if tokens.len() == 2 && matches!(tokens[1], Token::Word(_)) => {
            let later = matches!(&tokens[1], Token::Word(word) if word.value == FILLED);
            let name = if later { NAMED_LATER } else { 1 };
            Some(StateChange::of(SessionState::Database, name, true))
        }
        // Redis: a command of one word.
        "MULTI" if tokens.len() == 1 => Some(StateChange::of(SessionState::Multi, 1, true)),
        "WATCH" if tokens.len() == 1 => Some(StateChange::of(SessionState::Watch, 1, true)),
        "EXEC" | "DISCARD" | "UNWATCH" if tokens.len() == 1 => all(SessionState::Multi),
        "SELECT" | "DO" | "WITH" => called(tokens),
        "PRAGMA" => pragma(tokens),
        _ => None,
    }
}

/// Settings of a connection to SQLite that take something from whoever uses it next, and the value that does. Others set it up, are kept
/// in the database, or end with the transaction.
const PRAGMAS: [(&str, bool); 5] = [
    ("FOREIGN_KEYS", false),
    ("IGNORE_CHECK_CONSTRAINTS", true),
    ("LEGACY_ALTER_TABLE", true),
    ("QUERY_ONLY", true),
    ("WRITABLE_SCHEMA", true),
];

/// `PRAGMA name = value` or `PRAGMA name(value)`.
fn pragma(tokens: &[Token]) -> Option<StateChange> {
    let qualified = tokens.get(2) == Some(&Token::Period);
    let at = if qualified { 3 } else { 1 };
    let name = word(tokens, at);
    let (_, harmful) = PRAGMAS.iter().find(|(known, _)| *known == name)?;
    if !matches!(tokens.get(at + 1), Some(Token::Eq | Token::LParen)) {
        return None;
    }
    let value = match tokens.get(at + 2)? {
        Token::Number(number, _) => number.clone(),
        Token::Word(word) => word.value.to_ascii_uppercase(),
        Token::SingleQuotedString(text) => text.to_ascii_uppercase(),
        _ => return None,
    };
    let value = match value.as_str() {
        "1" | "ON" | "TRUE" | "YES" => true,
        "0" | "OFF" | "FALSE" | "NO" => false,
        _ => return None,
    };
    let name = hash(&[tokens[at].clone()]);
    Some(StateChange::of(SessionState::Setting, name, value == *harmful))
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
    let name = &rest[..end.unwrap_or(rest.len()).max(1)];
    Some(StateChange::of(SessionState::Setting, setting_name(name), on))
}

/// A number for the name of a setting that `tokens` begin with. Settings of two words have a name of one word, too.
fn setting_name(tokens: &[Token]) -> u64 {
    match (word(tokens, 0).as_str(), word(tokens, 1).as_str()) {
        ("TIME", "ZONE") => hash(&[Token::make_word("timezone", None)]),
        ("SESSION", "AUTHORIZATION") => hash(&[Token::make_word("session_authorization", None)]),
        // `SET ROLE admin` has no sign between name and value; `a.b` is one name.
        _ if tokens.get(1) == Some(&Token::Period) => hash(tokens),
        _ => hash(&tokens[..tokens.len().min(1)]),
    }
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
        let lock = |state, on| Some(StateChange::of(state, u64::from(on), on));
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
                is_false.then_some(StateChange::of(SessionState::Setting, name, true))
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

#[cfg(test)]
mod tests {
    use super::super::SqlEffect;
    use super::SessionState::{Listen, Lock, Setting, TempTable, Watch};
    use super::StateChange;

    fn state(text: &str) -> Option<StateChange> {
        SqlEffect::of(text).state
    }

    #[test]
    fn what_is_set_is_taken_back_by_its_own_kind_and_name() {
        for (before, after) in [
            ("SET a = 1", "RESET a"),
            ("SET a TO 1", "RESET a"),
            ("SET SESSION a = 1", "RESET a"),
            ("SET app.tenant = 'x'", "RESET app.tenant"),
            ("SET a = 1", "SET a = DEFAULT"),
            ("SET a = 1", "SET a = 2"),
            ("SET a = 1", "RESET ALL"),
            ("SET a = 1", "DISCARD ALL"),
            ("SET ROLE admin", "RESET ROLE"),
            ("SET ROLE admin", "SET ROLE NONE"),
            ("SET TIME ZONE 'UTC'", "RESET TIME ZONE"),
            ("SET TIME ZONE 'UTC'", "RESET timezone"),
            ("SET timezone = 'UTC'", "SET TIME ZONE DEFAULT"),
            ("SET SESSION AUTHORIZATION bob", "RESET SESSION AUTHORIZATION"),
            ("SET SESSION AUTHORIZATION bob", "SET SESSION AUTHORIZATION DEFAULT"),
            ("SET SESSION AUTHORIZATION bob", "RESET session_authorization"),
            ("LISTEN a", "UNLISTEN a"),
            ("LISTEN a", "UNLISTEN *"),
            ("LISTEN a", "DISCARD ALL"),
            ("SELECT pg_advisory_lock(1)", "SELECT pg_advisory_unlock(1)"),
            ("SELECT pg_try_advisory_lock(1)", "SELECT pg_advisory_unlock(1)"),
            ("SELECT pg_advisory_lock(1)", "DISCARD ALL"),
            ("CREATE TEMP TABLE a (b int)", "DROP TABLE a"),
            ("CREATE TEMPORARY TABLE a (b int)", "DISCARD TEMP"),
            ("CREATE TEMP TABLE a (b int) ON COMMIT PRESERVE ROWS", "DISCARD TEMPORARY"),
            ("USE archive", "USE shop"),
            ("USE archive", "USE `{shop}`"),
            ("MULTI", "EXEC"),
            ("MULTI", "DISCARD"),
            ("WATCH", "UNWATCH"),
            ("DECLARE a CURSOR WITH HOLD FOR SELECT 1", "CLOSE a"),
            ("DECLARE a SCROLL CURSOR WITH HOLD FOR SELECT 1", "CLOSE ALL"),
            ("PREPARE a (int) AS SELECT $1", "DEALLOCATE a"),
            ("PREPARE a AS SELECT 1", "DEALLOCATE PREPARE ALL"),
            ("PREPARE TRANSACTION 'a'", "COMMIT PREPARED 'a'"),
        ] {
            let (set, back) = (state(before).unwrap(), state(after).unwrap());
            assert!(set.on, "{before}");
            assert!(back.takes_back(&set), "{before}; {after}");
            if !back.on {
                assert!(!set.takes_back(&back), "{after}; {before}");
            }
        }
        for (before, after) in [
            ("SET a = 1", "RESET b"),
            ("SET a = 1", "SET b = 1"),
            ("SET app.tenant = 'x'", "RESET app.user"),
            ("SET a = 1", "UNLISTEN *"),
            ("SET a = 1", "DISCARD TEMP"),
            ("SET a = 1", "EXEC"),
            ("LISTEN a", "RESET ALL"),
            ("LISTEN a", "LISTEN a"),
            ("SELECT pg_advisory_lock(1)", "SELECT pg_advisory_lock(1)"),
            ("SELECT pg_advisory_lock(1)", "SELECT pg_try_advisory_lock(1)"),
            ("CREATE TEMP TABLE a (b int)", "SELECT pg_advisory_unlock(1)"),
        ] {
            let (set, other) = (state(before).unwrap(), state(after).unwrap());
            assert!(!other.takes_back(&set), "{before}; {after}");
        }
    }

    #[test]
    fn pragmas_that_take_something_from_the_next_user_are_settings() {
        let set = |text: &str| state(text).map(|change| (change.state, change.on));
        for text in [
            "PRAGMA foreign_keys = OFF",
            "pragma foreign_keys=0;",
            "PRAGMA main.foreign_keys(off)",
            "PRAGMA writable_schema = 1",
            "PRAGMA query_only = 'yes'",
        ] {
            assert_eq!(set(text), Some((Setting, true)), "{text}");
        }
        for text in ["PRAGMA foreign_keys = ON", "PRAGMA writable_schema(0)", "PRAGMA query_only = false"] {
            assert_eq!(set(text), Some((Setting, false)), "{text}");
        }
        for text in [
            "PRAGMA foreign_keys",
            "PRAGMA journal_mode = WAL",
            "PRAGMA foreign_keys = ?",
            "PRAGMA writable_schema = RESET",
        ] {
            assert_eq!(set(text), None, "{text}");
        }
        assert_eq!(set("PRAGMA foreign_keys = OFF; DELETE FROM a; PRAGMA foreign_keys = ON"), None);
    }

    #[test]
    fn what_leaves_nothing_has_no_state() {
        for text in [
            "DISCARD PLANS",
            "DECLARE a CURSOR FOR SELECT 1",
            "PREPARE a FROM 'SELECT 1'",
            "DROP INDEX a",
            "CREATE TEMP VIEW a AS SELECT 1",
            "CREATE UNIQUE INDEX a ON b (c)",
            "CREATE GLOBAL TABLE a (b int)",
            "WATCH a",
            "MULTI INSERT",
            "EXEC settle",
            "UNWATCH a",
            "SET NAMES utf8",
            "USE archive; SELECT 1",
            "USE NS shop DB carts",
            "SET GLOBAL a = 1",
            "SET a",
            "SELECT lock_timeout FROM a",
        ] {
            assert_eq!(state(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_left_is_what_the_statements_together_leave() {
        let left = |text: &str| state(text).map(|change| change.state);
        assert_eq!(left("SET a = 1; LISTEN b"), Some(Listen));
        assert_eq!(left("LISTEN b; UNLISTEN b"), None);
        assert_eq!(left("MULTI; EXEC"), None);
        assert_eq!(left("CREATE TEMP TABLE a (b int); DROP TABLE a"), None);
        assert_eq!(left("CREATE TEMP TABLE a (b int) ON COMMIT DELETE ROWS"), Some(TempTable));
        assert_eq!(left("CREATE TEMP TABLE a (b int); CREATE INDEX c ON a (b)"), Some(TempTable));
        assert_eq!(left("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY"), Some(Setting));
        assert_eq!(left("SELECT 1; SELECT pg_advisory_lock(1)"), Some(Lock));
        assert_eq!(left("WATCH"), Some(Watch));
        assert_eq!(left("WATCH; EXEC"), None);
        let off = |text: &str| state(text).map(|change| (change.state, change.on));
        assert_eq!(off("SET a = off"), Some((Setting, false)));
        assert_eq!(off("SET off = a"), Some((Setting, true)));
    }
}
