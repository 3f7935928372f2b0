//! Which table or view does a statement make or write to?

use super::tokens::word;
use sqlparser::tokenizer::Token;
use std::hash::{DefaultHasher, Hash, Hasher};

/// The one table or view that a text makes, or writes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SqlTarget {
    /// A number made of its name, without a schema.
    pub name: u64,
    /// Whether it is made here.
    pub made: bool,
    /// Whether it is gone with the session of the server.
    pub temporary: bool,
}

/// Words between the verb and the name that say nothing about which one it is.
const BETWEEN: &[&str] = &[
    "OR",
    "REPLACE",
    "IGNORE",
    "ABORT",
    "ROLLBACK",
    "FAIL",
    "INTO",
    "FROM",
    "ONLY",
    "UNLOGGED",
    "GLOBAL",
    "LOCAL",
    "VIRTUAL",
    "MATERIALIZED",
    "TABLE",
    "VIEW",
    "IF",
    "NOT",
    "EXISTS",
    "TEMP",
    "TEMPORARY",
];

/// What a statement makes or writes to; `None` where that is not said in a plain way.
pub(super) fn target(tokens: &[Token]) -> Option<SqlTarget> {
    let words = |at: usize| word(tokens, at);
    let made = words(0) == "CREATE";
    let start = match words(0).as_str() {
        "CREATE" if (1..tokens.len()).any(|at| words(at) == "INDEX") => {
            // What an index is made on is what is changed.
            let on = (1..tokens.len()).find(|at| words(*at) == "ON")?;
            return Some(SqlTarget { name: name(&tokens[on + 1..])?, made: false, temporary: false });
        }
        "CREATE" | "INSERT" | "REPLACE" | "UPDATE" | "DELETE" | "ALTER" | "DROP" | "TRUNCATE" => 1,
        _ => return None,
    };
    let at = (start..tokens.len()).find(|at| !BETWEEN.contains(&words(*at).as_str()))?;
    let kind = |wanted: &[&str]| (start..at).any(|at| wanted.contains(&words(at).as_str()));
    if matches!(words(0).as_str(), "CREATE" | "ALTER" | "DROP") && !kind(&["TABLE", "VIEW"]) {
        return None;
    }
    Some(SqlTarget { name: name(&tokens[at..])?, made, temporary: kind(&["TEMP", "TEMPORARY"]) })
}

/// The last part of the name that `tokens` begin with. One that is put in at run time as a whole is not known.
fn name(tokens: &[Token]) -> Option<u64> {
    let part = |token: &Token| match token {
        Token::Word(word) => Some(word.value.to_ascii_lowercase()),
        _ => None,
    };
    let mut last = part(tokens.first()?)?;
    let mut rest = &tokens[1..];
    while let [Token::Period, next, after @ ..] = rest {
        last = part(next)?;
        rest = after;
    }
    if last == super::statement::FILLED {
        return None;
    }
    let mut hasher = DefaultHasher::new();
    last.hash(&mut hasher);
    Some(hasher.finish())
}

#[cfg(test)]
mod tests {
    use super::super::SqlEffect;

    #[test]
    fn names_are_told_whatever_stands_before_them() {
        let target = |text: &str| SqlEffect::of(text).target;
        let of = |text: &str| target(text).map(|target| target.name);
        let plan = of("INSERT INTO plan VALUES (1)");
        assert!(plan.is_some());
        for text in [
            "CREATE TABLE plan (a int)",
            "CREATE TABLE IF NOT EXISTS scratch.plan (a int)",
            "CREATE TEMP TABLE plan AS SELECT 1",
            "create unlogged table plan (a int)",
            "CREATE INDEX ON plan (a)",
            "CREATE UNIQUE INDEX IF NOT EXISTS plan_a ON plan (a)",
            "INSERT OR REPLACE INTO plan VALUES (1)",
            "UPDATE plan SET a = 1",
            "DELETE FROM main.\"plan\" WHERE a",
            "ALTER TABLE plan ADD b int",
            "DROP TABLE IF EXISTS plan",
            "TRUNCATE plan",
        ] {
            assert_eq!(of(text), plan, "{text}");
        }
        for text in [
            "SELECT 1",
            "CREATE TABLE {} (a int)",
            "CREATE TYPE plan AS ENUM ()",
            "INSERT INTO a VALUES (1); DELETE FROM b",
        ] {
            assert_eq!(target(text), None, "{text}");
        }
        assert!(target("CREATE TEMPORARY TABLE plan (a int)").is_some_and(|target| target.made && target.temporary));
        assert!(target("CREATE VIEW plan AS SELECT 1").is_some_and(|target| target.made && !target.temporary));
        assert_eq!(of("CREATE TABLE temp_{name} (a int)"), of("INSERT INTO temp_{other} VALUES (1)"));
    }
}
