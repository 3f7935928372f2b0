//! Is all that is written through a session there only to try something out? Tables that are gone with it anyhow, and tables that
//! are made to ask how a statement would run.

use crate::sql::SqlEffect;
use std::collections::BTreeSet;

/// So many tables are made to try something out. Who makes more builds a schema.
const MANY_TABLES: usize = 4;

/// What was made and written through one session, as far as that may be of no use to anybody.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Scratch {
    /// The tables and views that were made through the session itself.
    made: BTreeSet<u64>,
    /// Those that are gone with it.
    temporary: BTreeSet<u64>,
    /// Whether anything else was written to.
    lasting: bool,
    /// Whether it was asked how a statement would run, after all that was written.
    explained: bool,
}

impl Scratch {
    /// Whether a text writes to nothing but a table that is gone with the session.
    pub fn is_temporary(&self, effect: &SqlEffect) -> bool {
        effect.target.is_some_and(|target| !target.made && self.temporary.contains(&target.name))
    }

    /// Something is written that is no text, or is not seen.
    pub fn wrote(&mut self) {
        self.lasting = true;
        self.explained = false;
        self.made.clear();
    }

    /// What is known when a text has run.
    pub fn after(mut self, effect: &SqlEffect) -> Self {
        if let Some(target) = effect.target.filter(|target| target.made && !self.lasting) {
            self.made.insert(target.name);
        }
        if let Some(target) = effect.target.filter(|target| target.temporary) {
            self.temporary.insert(target.name);
        }
        let is_own = effect.target.is_some_and(|target| self.made.contains(&target.name));
        if effect.explains {
            // Who analyses a statement runs it, to be taken back.
            self.explained = !self.lasting;
        } else if effect.writes && !self.is_temporary(effect) {
            self.explained = false;
            if !is_own || self.made.len() > MANY_TABLES {
                self.wrote();
            }
        }
        self
    }

    /// Whether all that was written served to explain a statement.
    pub fn is_for_nothing(&self) -> bool {
        !self.lasting && self.explained
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(texts: &[&str]) -> Scratch {
        texts.iter().fold(Scratch::default(), |scratch, text| scratch.after(&SqlEffect::of(text)))
    }

    #[test]
    fn a_table_made_to_explain_a_statement_is_for_nothing() {
        for texts in [
            &["CREATE TABLE plan (a int)", "EXPLAIN SELECT * FROM plan"][..],
            &["CREATE TABLE plan (a int)", "INSERT INTO plan VALUES (1)", "EXPLAIN QUERY PLAN SELECT 1"],
            &["CREATE TABLE x.temp_{} ({})", "EXPLAIN QUERY PLAN {query}"],
            &["EXPLAIN ANALYZE DELETE FROM orders"],
        ] {
            assert!(after(texts).is_for_nothing(), "{texts:?}");
        }
        for texts in [
            &["CREATE TABLE plan (a int)"][..],
            &["CREATE TABLE plan (a int)", "INSERT INTO orders VALUES (1)", "EXPLAIN SELECT 1"],
            &["EXPLAIN SELECT 1", "CREATE TABLE plan (a int)"],
            &["EXPLAIN ANALYZE DELETE FROM orders", "UPDATE orders SET a = 1"],
        ] {
            assert!(!after(texts).is_for_nothing(), "{texts:?}");
        }
    }

    #[test]
    fn a_temporary_table_keeps_nothing() {
        let made = after(&["CREATE TEMP TABLE part (a int)"]);
        assert!(made.is_temporary(&SqlEffect::of("INSERT INTO part VALUES (1)")));
        assert!(!made.is_temporary(&SqlEffect::of("INSERT INTO orders SELECT * FROM part")));
        assert!(!after(&["CREATE TABLE part (a int)"]).is_temporary(&SqlEffect::of("DELETE FROM part")));
    }
}
