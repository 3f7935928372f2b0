//! Which words say what somebody meant? Reads `words/intent.toml`.

use crate::model::Model;
use serde::Deserialize;

const WORDS: &str = include_str!("../words/intent.toml");

/// Words that mean a refusal, a dry run, or that nothing is committed on purpose. All words are whole words.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Intent {
    refusals: Vec<String>,
    weak_refusals: Vec<String>,
    refusing_fields: Vec<String>,
    status_types: Vec<String>,
    statuses: Vec<String>,
    waiting: Vec<String>,
    pub(crate) keeps: Vec<String>,
    pub(crate) undone: Vec<String>,
    pub(crate) conditions: Vec<String>,
    pub(crate) strict_conditions: Vec<String>,
    pub(crate) sends: Vec<String>,
    wrappers: Vec<String>,
    dry_run: Vec<String>,
    dry_run_names: Vec<String>,
    kept_names: Vec<String>,
    trials: Vec<String>,
    probes: Vec<String>,
    uncommitted: Vec<String>,
    uncommitted_unless: Vec<String>,
    pub(crate) commits: Vec<String>,
    pub(crate) commit_comes_before: Vec<String>,
    pub(crate) commit_comes_behind: Vec<String>,
    pub(crate) first: Vec<String>,
    pub(crate) meanwhile: Vec<String>,
    pub(crate) transactions: Vec<String>,
    pub(crate) open: Vec<String>,
    pub(crate) negations: Vec<String>,
    pub(crate) order_ends_at: Vec<String>,
    pub(crate) order_is_how_often: Vec<String>,
    pub(crate) order_unless: Vec<String>,
    test_packages: Vec<String>,
    stops: Vec<String>,
    starts: Vec<String>,
    starts_first: Vec<String>,
    programs: Vec<String>,
}

/// How much a success value says against what was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Nothing.
    None,
    /// It may mean that: `None`, `false`, `0`.
    Weak,
    /// It says so: `Reply::NotFound`.
    Clear,
}

impl Intent {
    /// What is built in.
    ///
    /// # Panics
    /// When the built-in data file is wrong, which a test rules out.
    pub(crate) fn built_in() -> Self {
        toml::from_str(WORDS).unwrap_or_else(|error| panic!("words/intent.toml: {error}"))
    }

    /// Whether a success value refuses, by the paths of its constructors from the outside in: the first that is no wrapper tells.
    pub fn refusal(&self, heads: &[Vec<String>]) -> Refusal {
        let is_wrapper = |path: &&Vec<String>| self.wrappers.iter().any(|wrapper| ends_with(path, wrapper));
        let Some(path) = heads.iter().find(|path| !is_wrapper(path)) else { return Refusal::None };
        let Some(last) = path.last() else { return Refusal::None };
        let said = words(last);
        if self.weak_refusals.iter().any(|weak| said == words(weak)) {
            return Refusal::Weak;
        }
        // A type for errors, whatever its constructor is called.
        let of_error =
            path.iter().rev().nth(1).is_some_and(|owner| words(owner).last().is_some_and(|word| word == "error"));
        // A field that holds an error, of the very value: `Reply { error: Some(..) }`.
        let holds_error = heads.iter().any(|other| {
            other.split_last().is_some_and(|(field, owner)| owner == path && self.refusing_fields.contains(field))
        });
        // A status that it is made with: `Reply::with_status(StatusCode::BAD_REQUEST)`.
        let has_status = heads.iter().any(|other| match other.as_slice() {
            [.., owner, name] => self.status_types.contains(owner) && has_any(&words(name), &self.refusals),
            _ => false,
        });
        match of_error || holds_error || has_status || has_any(&said, &self.refusals) {
            true => Refusal::Clear,
            false => Refusal::None,
        }
    }

    /// Whether a way out that says nothing itself comes behind a status that is not the last one: what was begun waits for something.
    pub fn waits_for_more(&self, heads: &[Vec<String>], told: &[Vec<String>]) -> bool {
        let is_wrapper = |path: &Vec<String>| self.wrappers.iter().any(|wrapper| ends_with(path, wrapper));
        let is_unfinished = |path: &Vec<String>| match path.as_slice() {
            [.., owner, name] => {
                words(owner).last().is_some_and(|last| self.statuses.contains(last))
                    && has_any(&words(name), &self.waiting)
            }
            _ => false,
        };
        heads.iter().all(is_wrapper) && told.iter().any(is_unfinished)
    }

    /// Whether a condition is about a dry run, by the names in it: `Some(true)` when it holds in one, `Some(false)` when it holds
    /// where what was written is kept.
    pub fn dry_run(&self, names: &[String]) -> Option<bool> {
        let dry = |name: &String| self.dry_run_names.contains(name) || has_any(&words(name), &self.dry_run);
        if names.iter().any(dry) {
            return Some(true);
        }
        names.iter().any(|name| self.kept_names.contains(name)).then_some(false)
    }

    /// Whether a function of this name tries something out: `verify_index`.
    pub fn is_trial(&self, name: &str) -> bool {
        words(name).first().is_some_and(|first| self.trials.contains(first))
    }

    /// Whether a function of this name asks whether something works: `check_not_locked`.
    pub fn is_probe(&self, name: &str) -> bool {
        has_any(&words(name), &self.probes)
    }

    /// Whether a condition asks if somebody wants the program, or a part of it, to stop, by the names in it.
    pub fn asks_to_stop(&self, names: &[String]) -> bool {
        names.iter().any(|name| has_any(&words(name), &self.stops))
    }

    /// Whether a function of this name may start something that goes on beside its caller: a task, a thread, a server. What makes a value
    /// of a type, or of a variant, has its name.
    pub fn starts(&self, name: &str) -> bool {
        let said = words(name);
        let first = said.first().is_some_and(|first| self.starts_first.contains(first));
        !name.starts_with(char::is_uppercase) && (first || has_any(&said, &self.starts))
    }

    /// Whether a method of this name, without arguments, starts another program.
    pub fn is_of_programs(&self, name: &str) -> bool {
        self.programs.iter().any(|known| known == name)
    }

    /// Whether a comment says that nothing is committed on purpose.
    pub fn says_uncommitted(&self, comment: &str) -> bool {
        let said = spoken(comment);
        let phrase = |phrase: &String| {
            let phrase: Vec<&str> = phrase.split([' ', '-']).collect();
            said.windows(phrase.len()).any(|window| window.iter().eq(phrase.iter()))
        };
        self.uncommitted.iter().any(phrase) && !said.iter().any(|word| self.uncommitted_unless.contains(word))
    }

    /// Whether a package is there for tests, by its name.
    pub fn is_for_tests(&self, package: &str) -> bool {
        let name: Vec<String> = package.split(['-', '_']).map(str::to_lowercase).collect();
        self.test_packages.iter().any(|phrase| {
            let phrase: Vec<&str> = phrase.split(' ').collect();
            name.len() >= phrase.len() && name[name.len() - phrase.len()..].iter().eq(phrase.iter())
        })
    }
}

impl Model {
    /// The words that say what somebody meant.
    pub fn intent(&self) -> &Intent {
        &self.intent
    }
}

/// The words of a comment, in lower case.
pub(crate) fn spoken(comment: &str) -> Vec<String> {
    let words = comment.split(|c: char| !(c.is_alphanumeric() || c == '\''));
    words.filter(|word| !word.is_empty()).map(str::to_lowercase).collect()
}

/// Whether a path ends with the names of another, as it is written.
fn ends_with(path: &[String], other: &str) -> bool {
    let other: Vec<&str> = other.split("::").collect();
    path.len() >= other.len() && path[path.len() - other.len()..].iter().eq(other.iter())
}

fn has_any(said: &[String], known: &[String]) -> bool {
    known.iter().any(|phrase| {
        let phrase: Vec<&str> = phrase.split(' ').collect();
        said.windows(phrase.len()).any(|window| window.iter().eq(phrase.iter()))
    })
}

/// The words of a name, in lower case: split at `_` and where a capital begins one.
pub(crate) fn words(name: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for part in name.split('_').filter(|part| !part.is_empty()) {
        let mut before: Option<char> = None;
        let mut letters = part.chars().peekable();
        while let Some(letter) = letters.next() {
            let after_small = before.is_some_and(|before| !before.is_uppercase());
            let before_small = letters.peek().is_some_and(|next| next.is_lowercase());
            let begins = before.is_none() || (letter.is_uppercase() && (after_small || before_small));
            if begins {
                found.push(String::new());
            }
            if let Some(word) = found.last_mut() {
                word.extend(letter.to_lowercase());
            }
            before = Some(letter);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> Vec<Vec<String>> {
        text.split(' ').map(|path| path.split("::").map(str::to_owned).collect()).collect()
    }

    #[test]
    fn names_are_split_into_words() {
        for (name, expected) in [
            ("NotFound", "not found"),
            ("not_found", "not found"),
            ("TOO_MANY_REQUESTS", "too many requests"),
            ("PowerResult", "power result"),
            ("preferred", "preferred"),
            ("HTTPError", "http error"),
            ("x", "x"),
            ("", ""),
        ] {
            assert_eq!(words(name).join(" "), expected, "{name}");
        }
    }

    #[test]
    fn the_first_head_that_is_no_wrapper_tells() {
        let intent = Intent::built_in();
        for (heads, expected) in [
            ("Ok Json Reply::NotFound", Refusal::Clear),
            ("Ok StatusCode::CONFLICT", Refusal::Clear),
            ("Response::builder StatusCode::TOO_MANY_REQUESTS", Refusal::Clear),
            ("HttpResponse::NotFound", Refusal::Clear),
            ("Ok ApiError::new", Refusal::Clear),
            ("Ok Outcome::transition State::Error", Refusal::Clear),
            ("Ok Outcome::transition State::Ready", Refusal::None),
            ("Ok None", Refusal::Weak),
            ("Ok false", Refusal::Weak),
            ("Ok Some 0", Refusal::Weak),
            ("Ok Page None", Refusal::None),
            ("Ok Json EmptyResponse", Refusal::None),
            ("Ok PowerResult", Refusal::None),
            ("Ok", Refusal::None),
        ] {
            assert_eq!(intent.refusal(&path(heads)), expected, "{heads}");
        }
    }

    #[test]
    fn whole_words_make_a_dry_run() {
        let intent = Intent::built_in();
        let asked = |name: &str| intent.dry_run(&[name.to_owned()]);
        for name in ["dry", "dry_run", "is_dry_run", "DryRun", "preview"] {
            assert_eq!(asked(name), Some(true), "{name}");
        }
        assert_eq!(asked("commit"), Some(false));
        assert_eq!(asked("should_persist"), Some(false));
        for name in ["laundry", "commit_hash", "persistent", "previewer", "persist_cache"] {
            assert_eq!(asked(name), None, "{name}");
        }
    }

    #[test]
    fn whole_words_ask_to_stop() {
        let intent = Intent::built_in();
        let asks = |name: &str| intent.asks_to_stop(&[name.to_owned()]);
        for name in ["should_terminate", "stop_rx", "is_cancelled", "ctrl_c", "SHUTDOWN", "running", "shutting_down"] {
            assert!(asks(name), "{name}");
        }
        for name in ["is_empty", "runner", "exited_orders", "next", "unstoppable", "batch"] {
            assert!(!asks(name), "{name}");
        }
    }

    #[test]
    fn names_say_that_something_is_started() {
        let intent = Intent::built_in();
        for name in ["spawn", "try_spawn", "start", "start_service", "serve", "run_in_background"] {
            assert!(intent.starts(name), "{name}");
        }
        for name in ["trim_start", "Start", "restart_count", "run", "observe", "execute"] {
            assert!(!intent.starts(name), "{name}");
        }
    }

    #[test]
    fn the_end_of_a_name_makes_a_package_one_for_tests() {
        let intent = Intent::built_in();
        for name in ["e2e", "shop-e2e", "e2e-tests", "integration_tests", "shop-test-utils", "Shop-Tests"] {
            assert!(intent.is_for_tests(name), "{name}");
        }
        for name in ["shop", "speed-test", "e2e-encryption", "e2ee", "contests", "latest", "test"] {
            assert!(!intent.is_for_tests(name), "{name}");
        }
    }

    #[test]
    fn a_status_says_that_something_waits() {
        let intent = Intent::built_in();
        for (heads, told, expected) in [
            ("Ok", "SigningStatus::WaitingForShares", true),
            ("Ok", "State::NotReady", true),
            ("Ok", "SigningStatus::Done", false),
            ("Ok", "Message::Waiting", false),
            ("Ok Json Saved", "SigningStatus::Waiting", false),
        ] {
            assert_eq!(intent.waits_for_more(&path(heads), &path(told)), expected, "{heads} {told}");
        }
    }

    #[test]
    fn a_comment_says_that_nothing_is_committed() {
        let intent = Intent::built_in();
        for comment in [
            "Nothing is kept: the transaction is not committed, only what the insert answers is wanted.",
            "It doesn't commit",
            "dry run, must not persist".trim_end_matches(", must not persist"),
            "rolled back on purpose",
        ] {
            assert!(intent.says_uncommitted(comment), "{comment}");
        }
        for comment in [
            "no need to roll back on error: drop does it",
            "don't forget: not committed yet",
            "commit",
            "do not commit before the answer is there",
        ] {
            assert!(!intent.says_uncommitted(comment), "{comment}");
        }
    }
}
