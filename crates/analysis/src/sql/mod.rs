//! What does a statement's text do: does it read, write, begin or end a transaction, leave state behind?
//!
//! Texts are parsed, in the dialect that takes them. What no dialect takes, because pieces are put in at run time or
//! because it is Cypher or SurrealQL, is told by its first words. Text that is not understood is unknown, never a write.

mod alone;
mod parsed;
mod state;
mod statement;
mod target;
mod tokens;

pub use alone::{Alone, Refusal};
pub use state::{SessionState, StateChange};
pub use statement::{Hold, SqlControl};
pub use target::SqlTarget;

use sqlparser::dialect::GenericDialect;
use sqlparser::tokenizer::{Token, Tokenizer};
use statement::{FILLED, One};
use std::borrow::Cow;

/// What running a text does, all its statements together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SqlEffect {
    /// Whether its first word says what it does. What begins with `WITH` says that later.
    pub known: bool,
    /// Whether any of its statements writes.
    pub writes: bool,
    /// What its connection is held for from then on.
    pub holds: Option<Hold>,
    /// Whether it leaves a transaction, or ends one, that other texts are about.
    pub control: Option<SqlControl>,
    /// What it changes of the state of its connection, and leaves so.
    pub state: Option<StateChange>,
    /// The table or view that its only statement makes or writes to.
    pub target: Option<SqlTarget>,
    /// Whether it asks how a statement would run.
    pub explains: bool,
    /// Whether it begins a transaction with a kind of lock, which SQLite alone knows.
    pub names_lock: bool,
    /// Whether any of its statements makes or changes a table or the like, for all to see.
    pub defines: bool,
    /// The statement in it that no transaction may have, where it ends none.
    pub alone: Option<Alone>,
    /// Whether it takes back itself what it begins or sets, once all of its statements have run: one of them is put in at run time, and
    /// may fail.
    pub settles: bool,
}

impl SqlEffect {
    /// The effect of running `text`.
    pub fn of(text: &str) -> SqlEffect {
        let mut effect = SqlEffect::plain(text);
        let is_open = |effect: &SqlEffect| {
            effect.state.is_some_and(|change| change.on)
                || matches!(effect.control, Some(SqlControl::Begin | SqlControl::Savepoint))
        };
        if is_open(&effect) {
            effect.settles = apart(text).is_some_and(|text| !is_open(&SqlEffect::plain(&text)));
        }
        effect
    }

    fn plain(text: &str) -> SqlEffect {
        let Some(first) = tokens::first_word(text) else { return SqlEffect::default() };
        if !tokens::is_verb(&first) {
            return SqlEffect::default();
        }
        let known = first != "WITH";
        let text = filled(text);
        let Ok(found) = Tokenizer::new(&GenericDialect {}, &text).tokenize() else {
            // A quote that is put in at run time, say: the first word still tells.
            return SqlEffect { known, writes: tokens::is_write(&first), ..SqlEffect::default() };
        };
        let found: Vec<Token> = found.into_iter().filter(|token| !matches!(token, Token::Whitespace(_))).collect();
        let statements = || found.split(|token| *token == Token::SemiColon).filter(|statement| !statement.is_empty());
        let effects: Vec<One> = match parsed::effects(&text) {
            Some(effects) => effects,
            None => statements().map(tokens::effect).collect(),
        };
        let has_control = effects.iter().any(|one| one.control.is_some());
        let mut effect = SqlEffect { known, ..SqlEffect::default() };
        for one in effects {
            effect.writes |= one.writes;
            effect.names_lock |= one.names_lock;
            effect.control = match (effect.control, one.control) {
                (Some(SqlControl::Begin), Some(SqlControl::Commit | SqlControl::Rollback)) => None,
                (Some(SqlControl::Savepoint), Some(SqlControl::Release | SqlControl::RollbackTo)) => None,
                (before, None) => before,
                (_, after) => after,
            };
        }
        let mut each = statements();
        if let (Some(only), None) = (each.next(), each.next()) {
            effect.target = target::target(only);
            effect.explains = first == "EXPLAIN";
        }
        for statement in statements() {
            effect.defines |= tokens::defines(statement);
            effect.alone = effect.alone.or(alone::alone(statement).filter(|_| !has_control));
            effect.holds = state::holds(statement).or(effect.holds);
            // The rest of the text is what it was used for: who uses this connection next does the same, most likely.
            let only = |change: &StateChange| change.state != SessionState::Database || statements().count() == 1;
            if let Some(change) = state::change(statement).filter(only) {
                // What one statement sets and another takes back is not left.
                effect.state = match effect.state {
                    Some(before) if change.takes_back(&before) => None,
                    _ => Some(change),
                };
            }
        }
        effect
    }
}

/// The text with a `;` around each place of a statement of its own that is filled at run time: it stands alone on its line, or behind
/// another statement.
fn apart(text: &str) -> Option<String> {
    let lines = text.split('\n').map(|line| {
        let (before, last) = line.rsplit_once(';').map_or(("", line), |(before, last)| (before, last));
        let name = last.trim().strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
        let is_place = name.is_some_and(|name| !name.contains(['{', '}', '"', ' ']));
        is_place.then(|| format!("{before};{FILLED};"))
    });
    let lines: Vec<Option<String>> = lines.collect();
    lines.iter().any(Option::is_some).then(|| {
        let lines = lines.iter().zip(text.split('\n')).map(|(apart, line)| apart.as_deref().unwrap_or(line));
        lines.collect::<Vec<_>>().join("\n")
    })
}

/// The text with a name in each place that is filled at run time: `{}` of `format!`.
fn filled(text: &str) -> Cow<'_, str> {
    if !text.contains('{') {
        return Cow::Borrowed(text);
    }
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(open) = rest.find('{') {
        let inside = &rest[open + 1..];
        let close = inside.find('}').filter(|close| !inside[..*close].contains(['{', '"', '\n']));
        result.push_str(&rest[..open]);
        match close {
            Some(close) => {
                result.push_str(FILLED);
                rest = &inside[close + 1..];
            }
            None => {
                result.push('{');
                rest = inside;
            }
        }
    }
    result.push_str(rest);
    Cow::Owned(result)
}

/// Whether a piece of source has a text literal that may begin a transaction or savepoint, or leave state behind: looked
/// for before anything is parsed.
pub fn may_begin(source: &str) -> bool {
    has_literal(source, &["begin", "start transaction", "savepoint"])
}

/// Whether a piece of source has a text literal that may change the state of a connection.
pub fn may_set_state(source: &str) -> bool {
    has_literal(
        source,
        &["set ", "pragma ", "use ", "listen ", "create temp", "declare ", "prepare ", "multi\"", "watch\""],
    ) || ["advisory_lock", "get_lock(", "set_config("]
        .iter()
        .any(|word| memchr::memmem::find(source.as_bytes(), word.as_bytes()).is_some())
}

fn has_literal(source: &str, words: &[&str]) -> bool {
    let bytes = source.as_bytes();
    memchr::memchr_iter(b'"', bytes).any(|quote| {
        let rest = bytes[quote + 1..].trim_ascii_start();
        words.iter().any(|word| rest.len() >= word.len() && rest[..word.len()].eq_ignore_ascii_case(word.as_bytes()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_are_told_from_reads() {
        for text in [
            "INSERT INTO a VALUES ($1)",
            "  update a set b = ?",
            "-- note\nDELETE FROM a",
            "/* x */ REPLACE INTO a VALUES (1)",
            "WITH x AS (DELETE FROM a RETURNING *) SELECT * FROM x",
            "WITH x AS (SELECT 1) INSERT INTO a SELECT * FROM x",
            "SELECT 1; INSERT INTO a VALUES (1)",
            "INSERT INTO {} VALUES ({})",
            "INSERT INTO a VALUES ('{}",
            "CREATE TABLE a (b int)",
            "MATCH (n) SET n.a = 1",
            "COPY a FROM STDIN",
        ] {
            assert!(SqlEffect::of(text).writes, "{text}");
        }
        for text in [
            "SELECT * FROM a FOR UPDATE",
            "WITH x AS (SELECT update_time FROM a) SELECT * FROM x",
            "select 'INSERT INTO a'",
            "{} INTO a",
            "CREATE TEMP TABLE a (b int)",
            "begin processing orders",
            "creating the table failed",
            "",
            "MATCH (n) RETURN n",
        ] {
            assert!(!SqlEffect::of(text).writes, "{text}");
        }
    }

    #[test]
    fn the_parser_sees_what_words_do_not() {
        for text in [
            "SELECT id, name INTO archive FROM orders",
            "EXPLAIN ANALYZE DELETE FROM a",
            "WITH gone AS (DELETE FROM a WHERE id = $1 RETURNING id), kept AS (SELECT 1) SELECT * FROM gone",
            "INSERT INTO a (b) VALUES (?) ON DUPLICATE KEY UPDATE b = VALUES(b)",
            "INSERT INTO a (b) VALUES ($1) ON CONFLICT (b) DO UPDATE SET b = EXCLUDED.b RETURNING b",
            "INSERT OR REPLACE INTO a VALUES (:id)",
            "UPDATE {table} SET {column} = $1 WHERE id IN ({ids})",
            "MERGE INTO a USING b ON a.id = b.id WHEN MATCHED THEN UPDATE SET a.x = b.x",
            "UPDATE TOP (10) jobs SET state = 1 OUTPUT inserted.id",
        ] {
            assert!(SqlEffect::of(text).writes, "{text}");
        }
        for text in [
            "EXPLAIN DELETE FROM a",
            "SELECT * FROM a FOR UPDATE SKIP LOCKED",
            "SELECT 'x'::text, a->>'insert' FROM b",
            "CALL settle($1)",
            "EXEC settle @p1",
            "(SELECT 1) UNION ALL (SELECT 2)",
            "COPY a TO STDOUT",
            "TABLE a",
        ] {
            assert!(!SqlEffect::of(text).writes, "{text}");
        }
    }

    #[test]
    fn state_is_what_is_left_behind() {
        let state = |text: &str| SqlEffect::of(text).state.map(|change| (change.state, change.on));
        use SessionState::{Listen, Lock, Multi, Setting, TempTable, TriedLock};
        assert_eq!(state("SELECT pg_advisory_lock($1)"), Some((Lock, true)));
        assert_eq!(state("SELECT pg_try_advisory_lock(1)"), Some((TriedLock, true)));
        assert_eq!(state("SELECT pg_advisory_unlock($1)"), Some((Lock, false)));
        assert_eq!(state("SELECT pg_advisory_xact_lock($1)"), None);
        assert_eq!(state("SET search_path TO tenant_{}"), Some((Setting, true)));
        assert_eq!(state("SET SESSION statement_timeout = '5s'"), Some((Setting, true)));
        assert_eq!(state("SET LOCAL statement_timeout = '5s'"), None);
        assert_eq!(state("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE"), None);
        assert_eq!(state("SET ROLE NONE"), Some((Setting, false)));
        assert_eq!(state("SET ROLE admin"), Some((Setting, true)));
        assert_eq!(state("RESET ALL"), Some((Setting, false)));
        assert_eq!(state("SELECT set_config('app.tenant', $1, false)"), Some((Setting, true)));
        assert_eq!(state("SELECT set_config('app.tenant', $1, true)"), None);
        assert_eq!(state("LISTEN jobs"), Some((Listen, true)));
        assert_eq!(state("CREATE TEMP TABLE a (b int)"), Some((TempTable, true)));
        assert_eq!(state("CREATE TEMP TABLE a (b int) ON COMMIT DROP"), None);
        assert_eq!(state("SET x = 1; SELECT 1; RESET x"), None);
        assert_eq!(state("MULTI"), Some((Multi, true)));
        assert_eq!(state("SET"), None);
        assert_eq!(state("UPDATE a SET b = 1"), None);
        let (set, reset) = (SqlEffect::of("SET role = a").state.unwrap(), SqlEffect::of("RESET role").state.unwrap());
        assert!(reset.takes_back(&set) && !set.takes_back(&reset));
        assert!(SqlEffect::of("DISCARD ALL").state.unwrap().takes_back(&set));
        assert!(!SqlEffect::of("RESET other").state.unwrap().takes_back(&set));
    }

    #[test]
    fn locks_of_the_server_are_held_on_purpose() {
        for text in ["SELECT pg_advisory_lock($1)", "SELECT GET_LOCK('a', 1)", "LISTEN jobs"] {
            assert_eq!(SqlEffect::of(text).holds, Some(Hold::Lock), "{text}");
        }
        assert_eq!(SqlEffect::of("select pg_try_advisory_xact_lock(1)").holds, Some(Hold::TriedLock));
        assert_eq!(SqlEffect::of("SELECT * FROM advisory_locks").holds, None);
        assert_eq!(SqlEffect::of("SELECT id FROM jobs LIMIT 1 FOR UPDATE SKIP LOCKED").holds, Some(Hold::Job));
        assert_eq!(SqlEffect::of("SELECT id FROM jobs LIMIT 1 FOR UPDATE").holds, None);
    }

    #[test]
    fn tables_are_locked_for_others_to_read() {
        for text in [
            "LOCK INSTANCE FOR BACKUP",
            "FLUSH TABLES WITH READ LOCK",
            "flush tables a, b with read lock;",
            "FLUSH TABLES {} FOR EXPORT",
            "LOCK TABLES {} READ",
            "LOCK TABLES a AS x WRITE, b READ",
            "LOCK TABLE a WRITE",
            "UNLOCK TABLES; LOCK TABLES a READ",
        ] {
            assert_eq!(SqlEffect::of(text).holds, Some(Hold::Tables), "{text}");
        }
        for text in ["UNLOCK TABLES", "UNLOCK INSTANCE", "LOCK TABLES a READ; UNLOCK TABLES"] {
            assert_eq!(SqlEffect::of(text).holds, Some(Hold::Nothing), "{text}");
        }
        // Of PostgreSQL, and of a transaction.
        for text in ["LOCK TABLE a IN EXCLUSIVE MODE", "LOCK a", "LOCK TABLE a", "FLUSH TABLES", "FLUSH LOGS"] {
            assert_eq!(SqlEffect::of(text).holds, None, "{text}");
        }
    }

    #[test]
    fn what_a_text_takes_back_itself_is_left_where_it_fails() {
        for text in ["SET NOEXEC ON; {}\nSET NOEXEC OFF;", "BEGIN TRANSACTION\n{query}\nROLLBACK TRANSACTION"] {
            assert!(SqlEffect::of(text).settles, "{text}");
        }
        for text in ["BEGIN TRANSACTION\n{}\n", "SET a = {}\nRESET a", "BEGIN; {}; COMMIT", "SELECT {}\nFROM a"] {
            assert!(!SqlEffect::of(text).settles, "{text}");
        }
    }

    #[test]
    fn control_is_what_is_left_at_the_end() {
        let control = |text: &str| SqlEffect::of(text).control;
        assert_eq!(control("BEGIN"), Some(SqlControl::Begin));
        assert_eq!(control("begin immediate;"), Some(SqlControl::Begin));
        assert_eq!(control("START TRANSACTION READ ONLY"), Some(SqlControl::Begin));
        assert_eq!(control("BEGIN; INSERT INTO a VALUES (1); COMMIT;"), None);
        assert_eq!(control("ROLLBACK TO SAVEPOINT a"), Some(SqlControl::RollbackTo));
        assert_eq!(control("ROLLBACK"), Some(SqlControl::Rollback));
        assert_eq!(control("END"), Some(SqlControl::Commit));
        assert_eq!(control("begin processing"), None);
        assert_eq!(control("commitment"), None);
    }

    #[test]
    fn the_first_word_tells_but_for_a_table_before_it() {
        for text in ["SELECT 1", "INSERT INTO a VALUES ('{}", "update a set b = 1", "CALL settle($1)"] {
            assert!(SqlEffect::of(text).known, "{text}");
        }
        for text in ["WITH gone AS (", "", "gone", "WITH a AS (SELECT 1) SELECT 1"] {
            assert!(!SqlEffect::of(text).known, "{text}");
        }
    }

    #[test]
    fn places_are_filled_with_a_name() {
        for (text, after) in [
            ("UPDATE {} SET a = {value:?} WHERE b", "UPDATE x SET a = x WHERE b"),
            ("SELECT 1", "SELECT 1"),
            (r#"SELECT '{"a": 1}' {}"#, r#"SELECT '{"a": 1}' x"#),
            ("CREATE (n {a: {}})", "CREATE (n {a: x})"),
            ("SELECT {", "SELECT {"),
        ] {
            assert_eq!(filled(text), after, "{text}");
        }
    }

    #[test]
    fn literals_are_looked_for_before_anything_is_parsed() {
        for source in [r#"run(" begin")"#, r#"a("x"); b("SAVEPOINT a")"#] {
            assert!(may_begin(source), "{source}");
        }
        for source in [r#"run("be")"#, r#"run("SELECT 1")"#, "begin()", r#"""#] {
            assert!(!may_begin(source), "{source}");
        }
        for source in [r#"run("SET a = 1")"#, r#"run("SELECT pg_advisory_lock(1)")"#, r#"cmd("MULTI")"#] {
            assert!(may_set_state(source), "{source}");
        }
        for source in [r#"run("SETTLE")"#, r#"run("SELECT 1")"#, r#"run("MULTIPLE")"#] {
            assert!(!may_set_state(source), "{source}");
        }
    }
}
