//! What is asked of a session type of the project's own, and by which words is it found? Reads `words/learned.toml`.

use crate::calls::Ending;
use crate::intent::words;
use crate::protocol::DropClass;
use serde::Deserialize;

const WORDS: &str = include_str!("../words/learned.toml");

/// Words by which a transaction of the project's own is found.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LearnedWords {
    /// Methods that keep what was written.
    pub commits: Vec<String>,
    /// Methods that give it up.
    pub gives_up: Vec<String>,
    /// Methods of a connection that begin a transaction on itself: whole names, and words that begin and end other names.
    begins: Vec<String>,
    begin_verbs: Vec<String>,
    begun: Vec<String>,
    /// Macros by which a `Drop` says that an end was forgotten.
    pub warns: Vec<String>,
    spawns: Vec<String>,
    sends: Vec<String>,
    verbs: Vec<String>,
    before_verbs: Vec<String>,
    reads: Vec<String>,
    writes: Vec<String>,
}

impl LearnedWords {
    /// What is built in.
    ///
    /// # Panics
    /// When the built-in data file is wrong, which a test rules out.
    pub(crate) fn built_in() -> Self {
        toml::from_str(WORDS).unwrap_or_else(|error| panic!("words/learned.toml: {error}"))
    }

    /// Whether a method of a transaction writes, by its verb: the first word, or the one behind `or`.
    pub fn is_write(&self, method: &str) -> bool {
        let said = words(method);
        let verb = |word: &String| self.verbs.contains(word);
        said.iter().find(|word| !self.before_verbs.contains(word)).is_some_and(verb)
            || said.windows(2).any(|two| two[0] == "or" && verb(&two[1]))
    }

    /// Whether the name of a method says that it begins a transaction: `begin`, `start_tx`.
    pub fn begins(&self, method: &str) -> bool {
        let said = words(method);
        let is_in = |list: &[String], word: Option<&String>| word.is_some_and(|word| list.contains(word));
        self.begins.iter().any(|name| name == method)
            || (said.len() > 1 && is_in(&self.begin_verbs, said.first()) && is_in(&self.begun, said.last()))
    }

    /// Whether the name of a function says that it keeps what was written: `commit`, `do_commit`.
    pub fn keeps(&self, name: &str) -> bool {
        words(name).iter().any(|word| self.commits.contains(word))
    }

    /// Whether the name of a function says that it gives up what was written: `rollback`, `abort_inner`.
    pub fn undoes(&self, name: &str) -> bool {
        let said = words(name);
        said.iter().any(|word| self.gives_up.contains(word)) || self.gives_up.contains(&said.join("_"))
    }

    /// Whether the name of a function says that it starts a task: `spawn_blocking`.
    pub fn spawns(&self, name: &str) -> bool {
        words(name).iter().any(|word| self.spawns.contains(word))
    }

    /// Whether the name of a function says that it sends something: `try_send`.
    pub fn sends(&self, name: &str) -> bool {
        words(name).iter().any(|word| self.sends.contains(word))
    }

    /// Whether a name asks for reading only (`TransactionType::Read`, `read_only`) or for writing; `None` when it speaks of
    /// neither.
    pub fn reads_only(&self, name: &str) -> Option<bool> {
        let said = words(name).join(" ");
        if self.reads.contains(&said) {
            return Some(true);
        }
        self.writes.contains(&said).then_some(false)
    }
}

/// A transaction type of the project's own, as far as its data goes.
#[derive(Clone, Debug)]
pub struct LearnedProtocol {
    /// Its full path, the crate first.
    pub path: String,
    /// What dropping it does.
    pub class: DropClass,
    /// The same in words that complete "dropping it …".
    pub on_drop: String,
    /// How it is ended.
    pub endings: Vec<Ending>,
    /// Methods after which nothing is known any more.
    pub hands_off: Vec<String>,
    /// Whether a reference is enough to end it.
    pub ends_by_reference: bool,
    /// Where that was read, in words: "`impl Drop for Tx`".
    pub learned_from: String,
    /// Whether a connection of a library is held with it.
    pub holds_connection: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_write_by_their_verb() {
        let words = LearnedWords::built_in();
        for method in ["put_record", "set", "get_or_add_ns", "ensure_ns_db", "addProofs", "kv_write"] {
            assert!(words.is_write(method), "{method}");
        }
        for method in ["get", "settings", "is_deleted", "for_update", "get_proofs_by_ys", "added"] {
            assert!(!words.is_write(method), "{method}");
        }
    }

    #[test]
    fn a_connection_begins_by_a_verb_and_what_is_begun() {
        let words = LearnedWords::built_in();
        for method in ["begin", "transaction", "start_tx", "begin_transaction", "open_write_txn", "startTransaction"] {
            assert!(words.begins(method), "{method}");
        }
        for method in ["start", "open", "tx", "beginning", "start_worker", "restart_tx"] {
            assert!(!words.begins(method), "{method}");
        }
    }

    #[test]
    fn ends_inside_have_longer_names() {
        let words = LearnedWords::built_in();
        assert!(words.keeps("do_commit") && words.keeps("commit") && !words.keeps("committed"));
        assert!(words.undoes("abort_inner") && words.undoes("roll_back") && !words.undoes("aborted"));
    }

    #[test]
    fn a_mode_is_told_by_its_name() {
        let words = LearnedWords::built_in();
        for (name, reads) in
            [("Read", Some(true)), ("read_only", Some(true)), ("Write", Some(false)), ("ReadWrite", Some(false))]
        {
            assert_eq!(words.reads_only(name), reads, "{name}");
        }
        assert_eq!(words.reads_only("Optimistic"), None);
    }
}
