//! Which methods does a derive or a build script write that run statements? Reads `outside/derives.toml` and a project's own into the [`Model`](crate::Model).

use serde::Deserialize;
use std::collections::BTreeMap;

const DERIVES: &str = include_str!("../outside/derives.toml");

/// A derive or attribute that writes methods which run a statement on what they are given.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Derived {
    /// Its name, without a path.
    pub name: String,
    /// The packages that it comes from; empty where that is the workspace's own affair.
    #[serde(default)]
    pub crates: Vec<String>,
    /// Methods that write.
    #[serde(default)]
    pub writes: Vec<String>,
    /// Methods that only read.
    #[serde(default)]
    pub reads: Vec<String>,
    /// Methods that begin a session on the pool that the type holds, with the path of the function that does so.
    #[serde(default)]
    pub begins: BTreeMap<String, String>,
}

/// Functions that a build script writes, one for each statement, and what runs it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Generated {
    /// The packages that the written code needs.
    pub crates: Vec<String>,
    /// Methods of what the functions give, which run the statement on their first argument.
    pub runs: Vec<String>,
}

impl Derived {
    /// Whether a method of this name writes, `false` when it only reads; `None` when the derive makes none.
    pub fn writes(&self, method: &str) -> Option<bool> {
        let names = |known: &[String]| known.iter().any(|known| is_named(known, method));
        if names(&self.writes) { Some(true) } else { names(&self.reads).then_some(false) }
    }
}

/// Whether a name is meant, which may have a `*` for what differs from one type to the next: `find_by_*`.
fn is_named(known: &str, method: &str) -> bool {
    known.split_once('*').map_or(known == method, |(before, after)| {
        let inside = method.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
        inside.is_some_and(|inside| !inside.is_empty())
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    derive: Vec<Derived>,
    generated: Vec<Generated>,
}

/// What is built in.
///
/// # Panics
/// When the built-in data file is wrong, which a test rules out.
pub(crate) fn built_in() -> (Vec<Derived>, Vec<Generated>) {
    let raw: Raw = toml::from_str(DERIVES).unwrap_or_else(|error| panic!("outside/derives.toml: {error}"));
    (raw.derive, raw.generated)
}

#[cfg(test)]
mod tests {
    use crate::model::Model;

    #[test]
    fn methods_write_or_read() {
        let model = Model::built_in();
        let georm = model.derives().iter().find(|derived| derived.name == "Georm").unwrap();
        assert_eq!(
            (georm.writes("create"), georm.writes("find"), georm.writes("get_id")),
            (Some(true), Some(false), None)
        );
        let repository = model.derives().iter().find(|derived| derived.name == "EsRepo").unwrap();
        for (method, writes) in [
            ("create_in_op", Some(true)),
            ("find_by_email_in_op", Some(false)),
            ("list_by_id_in_op", Some(false)),
            ("find_by_", None),
            ("create", None),
        ] {
            assert_eq!(repository.writes(method), writes, "{method}");
        }
    }
}
