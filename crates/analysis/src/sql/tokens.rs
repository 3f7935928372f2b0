//! What do the first words of a statement say, where no parser takes it?

use super::{One, SqlControl};
use sqlparser::tokenizer::Token;

/// The first word, behind comments and opening brackets, in capitals.
pub(super) fn first_word(text: &str) -> Option<String> {
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
    "RESET",
    "DISCARD",
    "LISTEN",
    "UNLISTEN",
    "PRAGMA",
    "LOCK",
    "GRANT",
    "REVOKE",
    "CALL",
    "EXEC",
    "EXECUTE",
    "DO",
    "MULTI",
    "WATCH",
    "UNWATCH",
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

/// What a statement does, by its words.
pub(super) fn effect(tokens: &[Token]) -> One {
    let word = |index: usize| word(tokens, index);
    match word(0).as_str() {
        "BEGIN" => match (tokens.len(), word(1).as_str()) {
            (1, _)
            | (
                _,
                "TRANSACTION" | "WORK" | "IMMEDIATE" | "DEFERRED" | "EXCLUSIVE" | "CONCURRENT" | "ISOLATION" | "READ"
                | "NOT" | "TRAN",
            ) => One::control(SqlControl::Begin),
            _ => One::default(),
        },
        "START" if word(1) == "TRANSACTION" => One::control(SqlControl::Begin),
        "COMMIT" => One::control(SqlControl::Commit),
        "END" if tokens.len() == 1 || matches!(word(1).as_str(), "TRANSACTION" | "WORK") => {
            One::control(SqlControl::Commit)
        }
        "ROLLBACK" | "ABORT" => {
            let to = (1..tokens.len()).any(|index| word(index) == "TO");
            One::control(if to { SqlControl::Release } else { SqlControl::Rollback })
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
