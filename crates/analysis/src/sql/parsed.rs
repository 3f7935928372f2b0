//! What do parsed statements do?

use super::statement::{One, SqlControl};
use super::tokens::{first_word, is_write};
use sqlparser::ast::{Query, SetExpr, Statement, TransactionModifier};
use sqlparser::dialect::{Dialect, GenericDialect, MsSqlDialect, MySqlDialect, PostgreSqlDialect, SQLiteDialect};
use sqlparser::parser::Parser;

/// Longer texts are told by their words: a migration, say.
const MAX_LENGTH: usize = 20_000;

/// The effect of each statement; `None` when no dialect takes the text.
pub(super) fn effects(text: &str) -> Option<Vec<One>> {
    let dialects: [&dyn Dialect; 5] =
        [&PostgreSqlDialect {}, &GenericDialect {}, &MySqlDialect {}, &SQLiteDialect {}, &MsSqlDialect {}];
    if text.len() > MAX_LENGTH {
        return None;
    }
    let statements = dialects.into_iter().find_map(|dialect| Parser::parse_sql(dialect, text).ok())?;
    Some(statements.iter().map(effect).collect())
}

fn effect(statement: &Statement) -> One {
    match statement {
        Statement::Query(query) => One::writes(query_writes(query)),
        Statement::StartTransaction { modifier, .. } => {
            use TransactionModifier::{Deferred, Exclusive, Immediate};
            let names_lock = matches!(modifier, Some(Deferred | Immediate | Exclusive));
            One { names_lock, ..One::control(SqlControl::Begin) }
        }
        Statement::Commit { .. } => One::control(SqlControl::Commit),
        Statement::Rollback { savepoint: Some(_), .. } => One::control(SqlControl::RollbackTo),
        Statement::ReleaseSavepoint { .. } => One::control(SqlControl::Release),
        Statement::Rollback { .. } => One::control(SqlControl::Rollback),
        Statement::Savepoint { .. } => One::control(SqlControl::Savepoint),
        // Explaining runs nothing, unless it is asked to.
        Statement::Explain { analyze, statement, .. } => One::writes(*analyze && effect(statement).writes),
        Statement::Copy { to, .. } => One::writes(!to),
        // A temporary table is gone with its connection.
        Statement::CreateTable(table) => One::writes(!table.temporary),
        // What a procedure does is not known.
        Statement::Call(_) | Statement::Execute { .. } | Statement::Prepare { .. } => One::default(),
        other => One::writes(first_word(&other.to_string()).is_some_and(|word| is_write(&word))),
    }
}

/// Whether a query writes: in a common table expression, by `INTO`, or because it stands before a statement that does.
fn query_writes(query: &Query) -> bool {
    let tables = query.with.iter().flat_map(|with| &with.cte_tables);
    tables.into_iter().any(|table| query_writes(&table.query)) || set_writes(&query.body)
}

fn set_writes(body: &SetExpr) -> bool {
    match body {
        SetExpr::Select(select) => select.into.as_ref().is_some_and(|into| !into.temporary),
        SetExpr::Query(query) => query_writes(query),
        SetExpr::SetOperation { left, right, .. } => set_writes(left) || set_writes(right),
        SetExpr::Insert(_) | SetExpr::Update(_) | SetExpr::Delete(_) | SetExpr::Merge(_) => true,
        SetExpr::Values(_) | SetExpr::Table(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_not_parsed() {
        let text = |length: usize| format!("SELECT '{}'", "x".repeat(length - 9));
        assert_eq!(effects(&text(MAX_LENGTH)), Some(vec![One::writes(false)]));
        assert_eq!(effects(&text(MAX_LENGTH + 1)), None);
        assert_eq!(effects(&text(MAX_LENGTH * 2)), None);
    }

    #[test]
    fn each_part_of_a_query_may_write() {
        for text in [
            "SELECT a INTO b FROM c UNION SELECT d FROM e",
            "WITH a AS (SELECT 1 UNION (WITH b AS (DELETE FROM c RETURNING d) SELECT d FROM b)) SELECT 1",
            "SELECT a INTO b FROM c",
        ] {
            assert_eq!(effects(text), Some(vec![One::writes(true)]), "{text}");
        }
        for text in
            ["SELECT a INTO TEMP b FROM c", "VALUES (1), (2)", "SELECT 1 UNION SELECT 2", "PREPARE a AS DELETE FROM b"]
        {
            assert_eq!(effects(text), Some(vec![One::writes(false)]), "{text}");
        }
    }
}
