//! Which statements may no transaction have, and what does an engine do with one?

use super::tokens::word;
use sqlparser::tokenizer::Token;

/// What an engine does with a statement that it is sent inside of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Refusal {
    /// It fails.
    Fails,
    /// It is taken, and changes nothing.
    Ignored,
}

/// A statement that no transaction may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Alone {
    /// Its first words.
    pub statement: &'static str,
    /// What PostgreSQL does with it there.
    pub postgres: Option<Refusal>,
    /// What SQLite does with it there.
    pub sqlite: Option<Refusal>,
    /// Whether PostgreSQL alone knows it.
    pub only_postgres: bool,
}

/// Run on PostgreSQL 15 and SQLite 3.40 inside of BEGIN.
pub(super) fn alone(tokens: &[Token]) -> Option<Alone> {
    let at = |index: usize| word(tokens, index);
    let has = |wanted: &str| (0..tokens.len()).any(|index| at(index) == wanted);
    let postgres = |statement: &'static str, only_postgres: bool| {
        Some(Alone { statement, postgres: Some(Refusal::Fails), sqlite: None, only_postgres })
    };
    match (at(0).as_str(), at(1).as_str()) {
        ("CREATE", "INDEX") if at(2) == "CONCURRENTLY" => postgres("CREATE INDEX CONCURRENTLY", true),
        ("CREATE", "UNIQUE") if at(3) == "CONCURRENTLY" => postgres("CREATE INDEX CONCURRENTLY", true),
        ("DROP", "INDEX") if at(2) == "CONCURRENTLY" => postgres("DROP INDEX CONCURRENTLY", true),
        ("REINDEX", _) if has("CONCURRENTLY") => postgres("REINDEX CONCURRENTLY", true),
        ("REINDEX", "DATABASE" | "SYSTEM" | "SCHEMA") => postgres("REINDEX of more than a table", false),
        ("ALTER", "TABLE") if has("DETACH") && has("CONCURRENTLY") => postgres("DETACH PARTITION CONCURRENTLY", true),
        ("ALTER", "SYSTEM") => postgres("ALTER SYSTEM", false),
        ("CREATE", "DATABASE") => postgres("CREATE DATABASE", false),
        ("DROP", "DATABASE") => postgres("DROP DATABASE", false),
        ("CREATE", "TABLESPACE") => postgres("CREATE TABLESPACE", false),
        ("DROP", "TABLESPACE") => postgres("DROP TABLESPACE", false),
        ("DISCARD", "ALL") => postgres("DISCARD ALL", true),
        ("COMMIT", "PREPARED") => postgres("COMMIT PREPARED", true),
        ("ROLLBACK", "PREPARED") => postgres("ROLLBACK PREPARED", true),
        ("CLUSTER", _) if tokens.len() == 1 => postgres("CLUSTER", false),
        ("VACUUM", _) => Some(Alone {
            statement: "VACUUM",
            postgres: Some(Refusal::Fails),
            sqlite: Some(Refusal::Fails),
            only_postgres: false,
        }),
        ("PRAGMA", _) => pragma(tokens),
        _ => None,
    }
}

/// Settings of SQLite that cannot be changed inside of a transaction: `PRAGMA name = value` or `PRAGMA name(value)`.
fn pragma(tokens: &[Token]) -> Option<Alone> {
    let at = if tokens.get(2) == Some(&Token::Period) { 3 } else { 1 };
    if !matches!(tokens.get(at + 1), Some(Token::Eq | Token::LParen)) {
        return None;
    }
    let is_off = || {
        let value = tokens.get(at + 2).map(ToString::to_string).unwrap_or_default();
        matches!(value.trim_matches('\'').to_ascii_uppercase().as_str(), "0" | "OFF" | "FALSE" | "NO")
    };
    let (statement, does) = match word(tokens, at).as_str() {
        "SYNCHRONOUS" => ("PRAGMA synchronous", Refusal::Fails),
        // Where they are checked already, asking for it again takes nothing from anybody.
        "FOREIGN_KEYS" if is_off() => ("PRAGMA foreign_keys", Refusal::Ignored),
        _ => return None,
    };
    Some(Alone { statement, postgres: None, sqlite: Some(does), only_postgres: false })
}

#[cfg(test)]
mod tests {
    use super::super::SqlEffect;
    use super::Refusal;

    #[test]
    fn what_no_transaction_may_have() {
        let of = |text: &str| SqlEffect::of(text).alone;
        for text in [
            "CREATE INDEX CONCURRENTLY a ON b (c)",
            "create unique index concurrently if not exists a on b (c)",
            "DROP INDEX CONCURRENTLY IF EXISTS a",
            "REINDEX (CONCURRENTLY) TABLE a",
            "REINDEX INDEX CONCURRENTLY a",
            "ALTER TABLE a DETACH PARTITION b CONCURRENTLY",
            "DISCARD ALL",
            "COMMIT PREPARED 'a'",
            "CREATE DATABASE a",
            "DROP DATABASE IF EXISTS {}",
            "ALTER SYSTEM SET work_mem = '4MB'",
            "CLUSTER",
            "VACUUM (ANALYZE) a",
        ] {
            assert_eq!(of(text).and_then(|alone| alone.postgres), Some(Refusal::Fails), "{text}");
        }
        for text in ["VACUUM", "VACUUM INTO 'a'", "PRAGMA synchronous = OFF", "pragma main.synchronous(1);"] {
            assert_eq!(of(text).and_then(|alone| alone.sqlite), Some(Refusal::Fails), "{text}");
        }
        for text in ["PRAGMA foreign_keys = OFF", "PRAGMA foreign_keys(0)"] {
            assert_eq!(of(text).and_then(|alone| alone.sqlite), Some(Refusal::Ignored), "{text}");
        }
        for text in [
            "CREATE INDEX a ON b (c)",
            "REINDEX TABLE a",
            "ALTER TABLE a DETACH PARTITION b",
            "REFRESH MATERIALIZED VIEW CONCURRENTLY a",
            "ALTER DATABASE a SET work_mem = '4MB'",
            "CLUSTER a USING b",
            "DISCARD PLANS",
            "ANALYZE",
            "PRAGMA foreign_keys",
            "PRAGMA foreign_keys = ON",
            "PRAGMA synchronous",
            "PRAGMA defer_foreign_keys = ON",
            "COMMIT; VACUUM",
            "INSERT INTO a VALUES ('VACUUM')",
        ] {
            assert_eq!(of(text), None, "{text}");
        }
    }
}
