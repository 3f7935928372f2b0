//! Which names of the workspace stand for sessions?

use aho_corasick::AhoCorasick;
use rustc_hash::FxHashSet;
use sessionlint_ir::Language;
use std::collections::{BTreeMap, BTreeSet};

/// How many names may stand between such a word and the trait that is meant.
const MAX_PATH: usize = 5;

/// Names of the workspace that stand for sessions.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Names {
    /// Types that are or hold transactions: a function that names one is worth a look.
    pub aliases: FxHashSet<String>,
    /// Types that hold connections: only what hands one out is worth a look.
    pub handed: FxHashSet<String>,
    /// New names of connections of no pool.
    pub plain: FxHashSet<String>,
    /// Types that hold pools: what gives one is worth a look where it is called, and opens nothing.
    pub pools: FxHashSet<String>,
    /// Traits that are implemented for either.
    pub traits: FxHashSet<String>,
    /// Traits of any kind that stand behind `dyn` in files that matter: what implements them may be called there.
    pub behind: FxHashSet<String>,
    /// Functions that hand one out.
    pub openers: FxHashSet<String>,
    /// The same under common names, which count without arguments, or where they are awaited.
    pub bare: FxHashSet<String>,
    /// Functions with common names that run a closure beside a session: they count where one is written in the call.
    pub runners: FxHashSet<String>,
    /// Async functions that may commit or close something: a call counts where nobody awaits it.
    pub closers: FxHashSet<String>,
}

/// Functions of a file that make their callers worth a look.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Offered {
    /// Functions that hand out a session or run closures beside one, and macros that open one.
    pub openers: Vec<String>,
    /// Those of them that run a closure.
    pub runners: Vec<String>,
    /// Async functions that may commit or close something.
    pub closers: Vec<String>,
    /// Traits that it names behind `dyn`.
    pub behind: Vec<String>,
}

impl Names {
    /// Adds all names of another package.
    pub fn extend(&mut self, other: &Names) {
        self.aliases.extend(other.aliases.iter().cloned());
        self.handed.extend(other.handed.iter().cloned());
        self.plain.extend(other.plain.iter().cloned());
        self.pools.extend(other.pools.iter().cloned());
        self.traits.extend(other.traits.iter().cloned());
        self.behind.extend(other.behind.iter().cloned());
        self.openers.extend(other.openers.iter().cloned());
        self.bare.extend(other.bare.iter().cloned());
        self.runners.extend(other.runners.iter().cloned());
        self.closers.extend(other.closers.iter().cloned());
    }

    /// How many names of types there are.
    pub fn types(&self) -> usize {
        self.aliases.len() + self.handed.len() + self.pools.len() + self.traits.len()
    }

    /// All names that a type can be judged by.
    pub fn of_types(&self) -> impl Iterator<Item = &String> {
        self.aliases.iter().chain(&self.handed).chain(&self.plain).chain(&self.pools).chain(&self.traits)
    }

    /// Whether a type's text names something that may hold a session; a trait counts where a value is meant that implements it.
    pub fn held_in(&self, language: Language, text: &str) -> bool {
        self.held(language, language.names(text).map(|(_, name)| name))
    }

    /// The same for the names of a text.
    pub fn held<'t>(&self, language: Language, mut names: impl Iterator<Item = &'t str>) -> bool {
        let (implementing, sharing) = (language.implementing(), language.sharing());
        let mut since_keyword = usize::MAX;
        let mut shared = false;
        names.any(|name| {
            since_keyword = if implementing.contains(&name) { 0 } else { since_keyword.saturating_add(1) };
            let is_shared = std::mem::replace(&mut shared, sharing.contains(&name));
            (!is_shared && self.aliases.contains(name))
                || self.handed.contains(name)
                || (since_keyword < MAX_PATH && self.traits.contains(name))
        })
    }

    /// The names as words to look for. Short ones stand in every file.
    fn words(&self) -> BTreeSet<String> {
        let named = self.aliases.iter().chain(&self.openers).filter(|name| name.len() > 3).cloned();
        let implemented = self.behind.iter().map(|name| format!("{name} for "));
        named.chain(implemented).collect()
    }

    /// For each of these what finds its words; `None` where there are none. Packages that lead to the same ones share it: to make it
    /// costs more than to look through a file.
    pub fn finders(all: &[Names]) -> Vec<Option<AhoCorasick>> {
        let mut known: BTreeMap<BTreeSet<String>, Option<AhoCorasick>> = BTreeMap::new();
        let finder = |names: &Names| {
            let words = names.words();
            known.get(&words).cloned().unwrap_or_else(|| {
                let made = if words.is_empty() { None } else { AhoCorasick::new(&words).ok() };
                known.insert(words, made.clone());
                made
            })
        };
        all.iter().map(finder).collect()
    }
}
