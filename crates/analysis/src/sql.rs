//! What does a statement's text do: does it read, write, begin or end a transaction?
//!
//! Only the first words of each statement are looked at, with the tokenizer of the SQL parser, so that
//! placeholders, dialects and pieces that are put in at run time do not matter. Cypher and SurrealQL have the
//! same writing verbs. Text that is not understood is unknown, never a write.

use sqlparser::dialect::GenericDialect;
use sqlparser::tokenizer::{Token, Tokenizer};

/// What running a text does, all its statements together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SqlEffect {
    /// Whether any of its statements writes.
    pub writes: bool,
    /// Whether it takes a lock of the server that its connection holds, or listens on it.
    pub holds: bool,
    /// Whether it leaves a transaction, or ends one, that other texts are about.
    pub control: Option<SqlControl>,
}

/// What a text does to the transaction of its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SqlControl {
    /// `BEGIN`, `START TRANSACTION`.
    Begin,
    /// `SAVEPOINT name`.
    Savepoint,
    /// `COMMIT`, `END`.
    Commit,
    /// `ROLLBACK`, `ABORT`.
    Rollback,
    /// `RELEASE`, or `ROLLBACK TO` a savepoint.
    Release,
}

impl SqlEffect {
    /// The effect of running `text`.
    pub fn of(text: &str) -> SqlEffect {
        let Some(first) = first_word(text) else { return SqlEffect::default() };
        if matches!(first.as_str(), "LISTEN" | "UNLISTEN") {
            return SqlEffect { holds: true, ..SqlEffect::default() };
        }
        if !is_verb(&first) {
            return SqlEffect::default();
        }
        let Ok(tokens) = Tokenizer::new(&GenericDialect {}, text).tokenize() else {
            // A quote that is put in at run time, say: the first word still tells.
            return SqlEffect { writes: is_write(&first), ..SqlEffect::default() };
        };
        let tokens: Vec<Token> = tokens.into_iter().filter(|token| !matches!(token, Token::Whitespace(_))).collect();
        let mut effect = SqlEffect::default();
        for statement in tokens.split(|token| *token == Token::SemiColon) {
            let one = statement_effect(statement);
            effect.writes |= one.writes;
            effect.holds |= statement.iter().any(is_server_lock);
            effect.control = match (effect.control, one.control) {
                (Some(SqlControl::Begin), Some(SqlControl::Commit | SqlControl::Rollback)) => None,
                (Some(SqlControl::Savepoint), Some(SqlControl::Release)) => None,
                (before, None) => before,
                (_, after) => after,
            };
        }
        effect
    }
}

/// Whether a piece of source has a text literal that may begin a transaction or savepoint: looked for before anything
/// is parsed.
pub fn may_begin(source: &str) -> bool {
    let bytes = source.as_bytes();
    source.match_indices('"').any(|(quote, _)| {
        let rest = bytes[quote + 1..].trim_ascii_start();
        ["begin", "start transaction", "savepoint"]
            .iter()
            .any(|word| rest.len() >= word.len() && rest[..word.len()].eq_ignore_ascii_case(word.as_bytes()))
    })
}

/// Whether a token calls a function that locks something on the server for as long as the connection lives.
fn is_server_lock(token: &Token) -> bool {
    let Token::Word(word) = token else { return false };
    let name = word.value.to_ascii_lowercase();
    name == "get_lock" || (name.starts_with("pg_") && name.contains("advisory") && name.contains("lock"))
}

/// The first word, behind comments and opening brackets.
fn first_word(text: &str) -> Option<String> {
    let mut rest = text.trim_start_matches(|c: char| c.is_whitespace() || c == '(');
    loop {
        if let Some(comment) = rest.strip_prefix("--") {
            rest = comment.split_once('\n').map_or("", |(_, after)| after).trim_start();
        } else if let Some(comment) = rest.strip_prefix("/*") {
            rest = comment.split_once("*/").map_or("", |(_, after)| after).trim_start();
        } else {
            break;
        }
    }
    let end = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
    (end > 0).then(|| rest[..end].to_ascii_uppercase())
}

fn is_write(word: &str) -> bool {
    matches!(
        word,
        "INSERT"
            | "UPDATE"
            | "DELETE"
            | "REPLACE"
            | "MERGE"
            | "UPSERT"
            | "TRUNCATE"
            | "CREATE"
            | "ALTER"
            | "DROP"
            | "RELATE"
            | "DETACH"
    )
}

fn is_verb(word: &str) -> bool {
    is_write(word)
        || matches!(
            word,
            "WITH"
                | "SELECT"
                | "BEGIN"
                | "START"
                | "COMMIT"
                | "END"
                | "ROLLBACK"
                | "ABORT"
                | "SAVEPOINT"
                | "RELEASE"
                | "MATCH"
                | "OPTIONAL"
                | "UNWIND"
                | "COPY"
                | "EXPLAIN"
                | "SET"
                | "PRAGMA"
                | "LOCK"
                | "GRANT"
                | "REVOKE"
        )
}

fn statement_effect(tokens: &[Token]) -> SqlEffect {
    let word = |index: usize| match tokens.get(index) {
        Some(Token::Word(word)) if word.quote_style.is_none() => word.value.to_ascii_uppercase(),
        _ => String::new(),
    };
    let control = |control| SqlEffect { control: Some(control), ..SqlEffect::default() };
    match word(0).as_str() {
        "BEGIN" => match (tokens.len(), word(1).as_str()) {
            (1, _)
            | (
                _,
                "TRANSACTION" | "WORK" | "IMMEDIATE" | "DEFERRED" | "EXCLUSIVE" | "CONCURRENT" | "ISOLATION" | "READ"
                | "NOT" | "TRAN",
            ) => control(SqlControl::Begin),
            _ => SqlEffect::default(),
        },
        "START" if word(1) == "TRANSACTION" => control(SqlControl::Begin),
        "COMMIT" => control(SqlControl::Commit),
        "END" if tokens.len() == 1 || matches!(word(1).as_str(), "TRANSACTION" | "WORK") => control(SqlControl::Commit),
        "ROLLBACK" | "ABORT" => {
            let to = (1..tokens.len()).any(|index| word(index) == "TO");
            control(if to { SqlControl::Release } else { SqlControl::Rollback })
        }
        "SAVEPOINT" => control(SqlControl::Savepoint),
        "RELEASE" => control(SqlControl::Release),
        // A temporary table is gone with its connection.
        "CREATE" if matches!(word(1).as_str(), "TEMP" | "TEMPORARY") => SqlEffect::default(),
        first if is_write(first) => SqlEffect { writes: true, ..SqlEffect::default() },
        "COPY" => SqlEffect { writes: (1..tokens.len()).any(|index| word(index) == "FROM"), ..SqlEffect::default() },
        // A common table expression that writes, or one before a writing statement.
        "WITH" => {
            let starts =
                |index: &usize| matches!(tokens[index - 1], Token::LParen | Token::RParen) && is_write(&word(*index));
            SqlEffect { writes: (1..tokens.len()).any(|index| starts(&index)), ..SqlEffect::default() }
        }
        // Cypher writes behind what it matches.
        "MATCH" | "OPTIONAL" | "UNWIND" => {
            let writes =
                |index: usize| matches!(word(index).as_str(), "CREATE" | "MERGE" | "SET" | "DELETE" | "REMOVE");
            SqlEffect { writes: (1..tokens.len()).any(writes), ..SqlEffect::default() }
        }
        _ => SqlEffect::default(),
    }
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
    fn locks_of_the_server_are_held_on_purpose() {
        for text in [
            "SELECT pg_advisory_lock($1)",
            "select pg_try_advisory_xact_lock(1)",
            "SELECT GET_LOCK('a', 1)",
            "LISTEN jobs",
        ] {
            assert!(SqlEffect::of(text).holds, "{text}");
        }
        assert!(!SqlEffect::of("SELECT * FROM advisory_locks").holds);
    }

    #[test]
    fn control_is_what_is_left_at_the_end() {
        let control = |text: &str| SqlEffect::of(text).control;
        assert_eq!(control("BEGIN"), Some(SqlControl::Begin));
        assert_eq!(control("begin immediate;"), Some(SqlControl::Begin));
        assert_eq!(control("START TRANSACTION READ ONLY"), Some(SqlControl::Begin));
        assert_eq!(control("BEGIN; INSERT INTO a VALUES (1); COMMIT;"), None);
        assert_eq!(control("ROLLBACK TO SAVEPOINT a"), Some(SqlControl::Release));
        assert_eq!(control("ROLLBACK"), Some(SqlControl::Rollback));
        assert_eq!(control("END"), Some(SqlControl::Commit));
        assert_eq!(control("begin processing"), None);
        assert_eq!(control("commitment"), None);
    }
}
