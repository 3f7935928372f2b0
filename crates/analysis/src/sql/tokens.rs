//! What do the first words of a statement say, where no parser takes it?

use super::statement::{One, SqlControl};
use sqlparser::tokenizer::Token;

/// The first word, behind comments and opening brackets, in capitals.
pub(super) fn first_word(text: &str) -> Option<String> {
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '(');
        if let Some(comment) = rest.strip_prefix("--") {
            rest = comment.split_once('\n').map_or("", |(_, after)| after);
        } else if let Some(comment) = rest.strip_prefix("/*") {
            rest = comment.split_once("*/").map_or("", |(_, after)| after);
        } else {
            break;
        }
    }
    let end = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
    (end > 0).then(|| rest[..end].to_ascii_uppercase())
}

/// Verbs that write, in SQL, Cypher and SurrealQL.
const WRITES: &[&str] = &[
    "INSERT", "UPDATE", "DELETE", "REPLACE", "MERGE", "UPSERT", "TRUNCATE", "CREATE", "ALTER", "DROP", "RELATE",
    "DETACH",
];

/// Other verbs that a statement may begin with.
const VERBS: &[&str] = &[
    "WITH",
    "SELECT",
    "VALUES",
    "TABLE",
    "BEGIN",
    "START",
    "COMMIT",
    "END",
    "ROLLBACK",
    "ABORT",
    "SAVEPOINT",
    "RELEASE",
    "MATCH",
    "OPTIONAL",
    "UNWIND",
    "COPY",
    "EXPLAIN",
    "SET",
    "USE",
    "RESET",
    "DISCARD",
    "LISTEN",
    "UNLISTEN",
    "PRAGMA",
    "LOCK",
    "UNLOCK",
    "FLUSH",
    "GRANT",
    "REVOKE",
    "CALL",
    "EXEC",
    "EXECUTE",
    "DO",
    "MULTI",
    "WATCH",
    "UNWATCH",
    "VACUUM",
    "REINDEX",
    "CLUSTER",
    "PREPARE",
    "DEALLOCATE",
    "DECLARE",
    "CLOSE",
    "RENAME",
    "OPTIMIZE",
];

pub(super) fn is_write(word: &str) -> bool {
    WRITES.contains(&word)
}

pub(super) fn is_verb(word: &str) -> bool {
    is_write(word) || VERBS.contains(&word)
}

/// A word of a statement in capitals; empty when there is none.
pub(super) fn word(tokens: &[Token], index: usize) -> String {
    match tokens.get(index) {
        Some(Token::Word(word)) if word.quote_style.is_none() => word.value.to_ascii_uppercase(),
        _ => String::new(),
    }
}

/// Whether a statement makes, changes, removes or locks a table or the like that all sessions see, or who may use it.
pub(super) fn defines(tokens: &[Token]) -> bool {
    let word = |index: usize| word(tokens, index);
    match (word(0).as_str(), word(1).as_str()) {
        ("CREATE" | "ALTER" | "DROP" | "TRUNCATE" | "RENAME", other) => !matches!(other, "TEMPORARY" | "TEMP" | ""),
        ("GRANT" | "REVOKE", _) | ("LOCK", "TABLES") | ("OPTIMIZE", "TABLE") => true,
        _ => false,
    }
}

/// What a statement does, by its words.
pub(super) fn effect(tokens: &[Token]) -> One {
    let word = |index: usize| word(tokens, index);
    match word(0).as_str() {
        "BEGIN" if matches!(word(1).as_str(), "IMMEDIATE" | "DEFERRED" | "EXCLUSIVE") => {
            One { names_lock: true, ..One::control(SqlControl::Begin) }
        }
        "BEGIN" => match (tokens.len(), word(1).as_str()) {
            (1, _) | (_, "TRANSACTION" | "WORK" | "CONCURRENT" | "ISOLATION" | "READ" | "NOT" | "TRAN") => {
                One::control(SqlControl::Begin)
            }
            _ => One::default(),
        },
        "START" if word(1) == "TRANSACTION" => One::control(SqlControl::Begin),
        // Of PostgreSQL, in two steps: the second one is about a transaction that no connection has.
        "PREPARE" if word(1) == "TRANSACTION" => One::control(SqlControl::Commit),
        "COMMIT" | "ROLLBACK" if word(1) == "PREPARED" => One::default(),
        "COMMIT" => One::control(SqlControl::Commit),
        "END" if tokens.len() == 1 || matches!(word(1).as_str(), "TRANSACTION" | "WORK") => {
            One::control(SqlControl::Commit)
        }
        "ROLLBACK" | "ABORT" => {
            let to = (1..tokens.len()).any(|index| word(index) == "TO");
            One::control(if to { SqlControl::RollbackTo } else { SqlControl::Rollback })
        }
        "SAVEPOINT" => One::control(SqlControl::Savepoint),
        "RELEASE" => One::control(SqlControl::Release),
        // A temporary table is gone with its connection.
        "CREATE" if matches!(word(1).as_str(), "TEMP" | "TEMPORARY") => One::default(),
        first if is_write(first) => One::writes(true),
        "COPY" => One::writes((1..tokens.len()).any(|index| word(index) == "FROM")),
        // A common table expression that writes, or one before a writing statement.
        "WITH" => {
            let starts =
                |index: &usize| matches!(tokens[index - 1], Token::LParen | Token::RParen) && is_write(&word(*index));
            One::writes((1..tokens.len()).any(|index| starts(&index)))
        }
        // Cypher writes behind what it matches.
        "MATCH" | "OPTIONAL" | "UNWIND" => {
            let writes =
                |index: usize| matches!(word(index).as_str(), "CREATE" | "MERGE" | "SET" | "DELETE" | "REMOVE");
            One::writes((1..tokens.len()).any(writes))
        }
        // What a procedure does is not known.
        _ => One::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::SqlControl::{Begin, Commit, Release, Rollback, RollbackTo, Savepoint};
    use super::super::tokens;
    use super::{One, first_word, is_verb};
    use sqlparser::dialect::GenericDialect;
    use sqlparser::tokenizer::{Token, Tokenizer};

    fn words(text: &str) -> Vec<Token> {
        let found = Tokenizer::new(&GenericDialect {}, text).tokenize().unwrap();
        found.into_iter().filter(|token| !matches!(token, Token::Whitespace(_))).collect()
    }

    #[test]
    fn control_is_told_by_words() {
        for (text, control) in [
            ("BEGIN", Begin),
            ("BEGIN CONCURRENT", Begin),
            ("BEGIN ISOLATION LEVEL SERIALIZABLE", Begin),
            ("BEGIN TRAN", Begin),
            ("START TRANSACTION READ ONLY", Begin),
            ("COMMIT", Commit),
            ("COMMIT AND CHAIN", Commit),
            ("PREPARE TRANSACTION 'a'", Commit),
            ("END", Commit),
            ("END TRANSACTION", Commit),
            ("END WORK", Commit),
            ("ROLLBACK", Rollback),
            ("ABORT", Rollback),
            ("ROLLBACK WORK", Rollback),
            ("ROLLBACK TO a", RollbackTo),
            ("ROLLBACK TRANSACTION TO SAVEPOINT a", RollbackTo),
            ("SAVEPOINT a", Savepoint),
            ("RELEASE a", Release),
        ] {
            assert_eq!(tokens::effect(&words(text)), One::control(control), "{text}");
        }
        for text in [
            "BEGIN UPDATE a SET b = 1",
            "START SLAVE",
            "START",
            "END IF",
            "END LOOP",
            "COMMIT PREPARED 'a'",
            "\"COMMIT\"",
            "'BEGIN'",
        ] {
            assert_eq!(tokens::effect(&words(text)), One::default(), "{text}");
        }
    }

    #[test]
    fn writes_are_told_by_words() {
        for text in [
            "COPY a FROM STDIN",
            "CREATE TABLE a (b int)",
            "CREATE GLOBAL TABLE a (b int)",
            "WITH a AS (DELETE FROM b) SELECT 1",
            "WITH a AS (SELECT 1) UPDATE b SET c = 1",
            "UNWIND $rows AS row CREATE (n)",
            "OPTIONAL MATCH (n) REMOVE n.a",
        ] {
            assert_eq!(tokens::effect(&words(text)), One::writes(true), "{text}");
        }
        for text in [
            "COPY a TO STDOUT",
            "CREATE TEMP TABLE a (b int)",
            "CREATE TEMPORARY TABLE a (b int)",
            "WITH a AS (SELECT update FROM b) SELECT c, delete FROM a",
            "WITH a AS (\"delete\") SELECT 1",
            "WITH a AS (SELECT 1) SELECT 2",
            "UNWIND $rows AS row RETURN row",
            "CALL settle(1)",
        ] {
            assert_eq!(tokens::effect(&words(text)), One::default(), "{text}");
        }
    }

    #[test]
    fn what_all_sessions_see_is_defined() {
        for text in [
            "CREATE TABLE a (b int)",
            "alter table a add b int",
            "DROP INDEX a ON b",
            "TRUNCATE a",
            "LOCK TABLES a READ",
            "GRANT ALL ON a TO b",
        ] {
            assert!(tokens::defines(&words(text)), "{text}");
        }
        for text in ["CREATE TEMPORARY TABLE a (b int)", "DROP TEMPORARY TABLE a", "INSERT INTO a VALUES (1)", "DROP"] {
            assert!(!tokens::defines(&words(text)), "{text}");
        }
    }

    #[test]
    fn only_a_verb_begins_a_statement() {
        assert_eq!(first_word("/* a */ -- b\n(select 1)").as_deref(), Some("SELECT"));
        assert_eq!(first_word(" ( /* a */ ( select 1))").as_deref(), Some("SELECT"));
        assert_eq!(first_word("-- b\n/* c */ update a").as_deref(), Some("UPDATE"));
        assert_eq!(first_word("-- b"), None);
        assert_eq!(first_word("42 rows"), None);
        assert_eq!(first_word(""), None);
        assert!(is_verb("SELECT") && is_verb("DELETE") && !is_verb("PROCESSING") && !is_verb(""));
    }
}
