//! Which names of the standard library and its neighbours carry a value on? Reads `std/rust.toml`.

use serde::Deserialize;

const NAMES: &str = include_str!("../std/rust.toml");

/// Names of types, methods and functions that every Rust program uses, by what they do with the value that they are given.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Standard {
    types: Types,
    functions: Functions,
    calls: Calls,
    traits: Traits,
    results: Results,
    values: Values,
    paths: Paths,
    futures: Futures,
    attributes: Attributes,
    streams: Streams,
    drops: Drops,
    iterators: Iterators,
}

/// What a generic type of the standard library does with its argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wraps {
    /// It owns one.
    Owned,
    /// It shares or guards one.
    Shared,
    /// It locks one.
    Lock,
    /// It holds the lock of one.
    Guard,
    /// It is filled once.
    Cell,
    /// `Result` or `Option`.
    Fallible,
    /// A future of it.
    Future,
    /// A collection.
    Collection,
    /// A collection by key.
    Map,
}

/// What becomes of several futures that a function makes one of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Joins {
    /// All are done.
    All,
    /// All are done, unless one fails.
    UntilFailure,
    /// One is done.
    First,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Types {
    owning: Vec<String>,
    sharing: Vec<String>,
    locks: Vec<String>,
    guards: Vec<String>,
    poisoned: Vec<String>,
    cells: Vec<String>,
    fallible: Vec<String>,
    futures: Vec<String>,
    maps: Vec<String>,
    collections: Vec<String>,
    lasting: Vec<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Functions {
    of: Vec<String>,
    gives_self: Vec<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Calls {
    common: Vec<String>,
    shared: Vec<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Results {
    open: Vec<String>,
    adapt: Vec<String>,
    take: Vec<String>,
    translate: Vec<String>,
    leave: Vec<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Traits {
    everywhere: Vec<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Values {
    same: Vec<String>,
    lock: Vec<String>,
    try_lock: Vec<String>,
    adapt: Vec<String>,
    finish: Vec<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Paths {
    same: Vec<String>,
    store: Vec<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Futures {
    poll: Vec<String>,
    block: Vec<String>,
    adapt: Vec<String>,
    combine: Vec<String>,
    join: Vec<String>,
    try_join: Vec<String>,
    select: Vec<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Streams {
    fill: Vec<String>,
    split: Vec<String>,
    peers: Vec<String>,
    poll: Vec<String>,
    item: Vec<String>,
    tried_item: Vec<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Attributes {
    unused: Vec<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Drops {
    hand_on: Vec<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Iterators {
    run: Vec<String>,
    carry: Vec<String>,
    same: Vec<String>,
    one: Vec<String>,
    append: Vec<String>,
    measure: Vec<String>,
}

fn has(names: &[String], name: &str) -> bool {
    names.iter().any(|known| known == name)
}

/// Whether a path ends with the names that another one consists of.
fn ends_with(path: &[String], end: &str) -> bool {
    let end: Vec<&str> = end.split("::").collect();
    path.len() >= end.len() && path[path.len() - end.len()..].iter().eq(end.iter())
}

impl Standard {
    /// What is built in.
    ///
    /// # Panics
    /// When the built-in data file is wrong, which a test rules out.
    pub(crate) fn built_in() -> Self {
        toml::from_str(NAMES).unwrap_or_else(|error| panic!("std/rust.toml: {error}"))
    }

    /// What a type of this name does with its argument; `None` for all others.
    pub fn wraps(&self, ty: &str) -> Option<Wraps> {
        let types = &self.types;
        let kinds = [
            (&types.fallible, Wraps::Fallible),
            (&types.owning, Wraps::Owned),
            (&types.sharing, Wraps::Shared),
            (&types.locks, Wraps::Lock),
            (&types.guards, Wraps::Guard),
            (&types.cells, Wraps::Cell),
            (&types.futures, Wraps::Future),
            (&types.collections, Wraps::Collection),
            (&types.maps, Wraps::Map),
        ];
        kinds.into_iter().find(|(names, _)| has(names, ty)).map(|(_, wraps)| wraps)
    }

    /// Whether what locks a type of this path gives a result.
    pub fn poisons(&self, path: &[String]) -> bool {
        self.types.poisoned.iter().any(|known| known.split("::").eq(path.iter().map(String::as_str)))
    }

    /// Whether a method of this name gives what holds a lock, or a future or result of it.
    pub fn locks(&self, call: &str) -> bool {
        has(&self.values.lock, call)
    }

    /// The same where it may not get it.
    pub fn tries_to_lock(&self, call: &str) -> bool {
        has(&self.values.try_lock, call)
    }

    /// Whether a type of this name borrows nothing when its arguments do not.
    pub fn is_lasting(&self, ty: &str) -> bool {
        has(&self.types.lasting, ty)
    }

    /// Whether the functions of a module or type of this name are known.
    pub fn has_functions(&self, owner: &str) -> bool {
        has(&self.functions.of, owner)
    }

    /// Whether a function that a trait gives to all kinds of types gives the type that it is called on.
    pub fn gives_self(&self, function: &str) -> bool {
        has(&self.functions.gives_self, function)
    }

    /// Whether so many files have a call of this name that none is opened for it.
    pub fn is_common(&self, call: &str) -> bool {
        has(&self.calls.common, call)
    }

    /// Whether many functions have this name, so that what one of them does says nothing about the others.
    pub fn is_shared(&self, function: &str) -> bool {
        has(&self.calls.shared, function)
    }

    /// Whether a method makes another error of one.
    pub fn translates(&self, method: &str) -> bool {
        has(&self.results.translate, method)
    }

    /// Whether a method without arguments gives no result any more, or not the same.
    pub fn leaves(&self, method: &str) -> bool {
        has(&self.results.leave, method)
    }

    /// Whether a method brings something to its end that writes, by how its name begins.
    pub fn finishes(&self, method: &str) -> bool {
        self.values.finish.iter().any(|word| method.starts_with(word.as_str()))
    }

    /// Calls by which a `Drop` leaves the rest to somebody else.
    pub fn hand_on(&self) -> impl Iterator<Item = &str> {
        self.drops.hand_on.iter().map(String::as_str)
    }

    /// Whether all kinds of types have a trait of this name.
    pub fn is_everywhere(&self, name: &str) -> bool {
        has(&self.traits.everywhere, name)
    }

    /// Whether a method takes the success out of a result or option, or panics.
    pub fn opens(&self, method: &str) -> bool {
        has(&self.results.open, method)
    }

    /// Whether a method changes only the error of a result, or nothing.
    pub fn adapts(&self, method: &str) -> bool {
        has(&self.results.adapt, method)
    }

    /// Whether a method takes what is inside of a result away, looks at it, or gives something else.
    pub fn takes(&self, method: &str) -> bool {
        has(&self.results.take, method)
    }

    /// Whether a method gives the same value, or a reference to it or to what is inside.
    pub fn keeps(&self, method: &str) -> bool {
        has(&self.values.same, method)
    }

    /// Whether a call gives a path, or its text, that is made of the one that it is given.
    pub fn keeps_path(&self, call: &str) -> bool {
        has(&self.paths.same, call)
    }

    /// Whether a method puts what it is given into something that was there before.
    pub fn stores(&self, method: &str) -> bool {
        has(&self.paths.store, method)
    }

    /// Whether a method puts an adapter around the value, which owns it and is used like it.
    pub fn adapts_value(&self, method: &str) -> bool {
        has(&self.values.adapt, method)
    }

    /// Whether a method changes only the error of what a future gives, or nothing.
    pub fn adapts_future(&self, method: &str) -> bool {
        has(&self.futures.adapt, method)
    }

    /// Whether a method of a future or stream runs other code on what that gives.
    pub fn combines(&self, method: &str) -> bool {
        has(&self.futures.combine, method)
    }

    /// Whether a method polls a future.
    pub fn polls(&self, method: &str) -> bool {
        has(&self.futures.poll, method)
    }

    /// Whether a function or method runs a future to its end, as `.await` does.
    pub fn blocks_on(&self, name: &str) -> bool {
        has(&self.futures.block, name)
    }

    /// Whether the future of a method polls a stream, for one item or for all.
    pub fn polls_stream(&self, method: &str) -> bool {
        has(&self.streams.poll, method)
    }

    /// Whether an attribute says that nobody uses an item, from `#[` on.
    pub fn marks_unused(&self, attribute: &str) -> bool {
        let inside = attribute.trim_start().strip_prefix("#[").unwrap_or_default().trim_start();
        self.attributes.unused.iter().any(|known| inside.starts_with(known.as_str()))
    }

    /// In how many results the option stands that a method gives for the next item of a stream, which is none at its end.
    pub fn reads_on(&self, method: &str) -> Option<usize> {
        let inside_of = [&self.streams.item, &self.streams.tried_item];
        inside_of.into_iter().position(|known| has(known, method))
    }

    /// Whether a function only writes into what it is passed, and leaves it open.
    pub fn fills(&self, function: &[String]) -> bool {
        self.streams.fill.iter().any(|known| ends_with(function, known))
    }

    /// What a function does that gives one future, or a stream, of several; `None` for all others.
    pub fn joins(&self, function: &[String]) -> Option<Joins> {
        let names = |known: &String| ends_with(function, known);
        let futures = &self.futures;
        let kinds =
            [(&futures.join, Joins::All), (&futures.try_join, Joins::UntilFailure), (&futures.select, Joins::First)];
        kinds.into_iter().find(|(known, _)| known.iter().any(names)).map(|(_, joins)| joins)
    }

    /// Whether a method or function gives the two ways of a connection to a peer.
    pub fn splits(&self, name: &str) -> bool {
        has(&self.streams.split, name)
    }

    /// Whether a type is a connection to a peer, or one way of it.
    pub fn is_peer(&self, name: &str) -> bool {
        has(&self.streams.peers, name)
    }

    /// Whether a method runs a closure on the items of a collection, iterator or stream.
    pub fn runs(&self, method: &str) -> bool {
        has(&self.iterators.run, method)
    }

    /// Whether what such a method has so far is what it gives a closure first, before the item.
    pub fn carries(&self, method: &str) -> bool {
        has(&self.iterators.carry, method)
    }

    /// Whether a method of a collection or iterator gives the same items, or some of them.
    pub fn keeps_items(&self, method: &str) -> bool {
        has(&self.iterators.same, method)
    }

    /// Whether a method puts an item behind those of a list.
    pub fn appends(&self, method: &str) -> bool {
        has(&self.iterators.append, method)
    }

    /// Whether a method says how many items a list has, or may have.
    pub fn measures(&self, method: &str) -> bool {
        has(&self.iterators.measure, method)
    }

    /// Whether such a method gives one item, or nothing.
    pub fn gives_item(&self, method: &str) -> bool {
        has(&self.iterators.one, method)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_known_by_what_it_does_with_its_argument() {
        let names = Standard::built_in();
        assert_eq!(names.wraps("Arc"), Some(Wraps::Shared));
        assert_eq!(names.wraps("Mutex"), Some(Wraps::Lock));
        assert_eq!(names.wraps("HashMap"), Some(Wraps::Map));
        assert_eq!(names.wraps("Cart"), None);
    }

    #[test]
    fn no_name_is_in_two_lists_of_one_question() {
        let names = Standard::built_in();
        let types = &names.types;
        let lists = [
            &types.owning,
            &types.sharing,
            &types.locks,
            &types.guards,
            &types.cells,
            &types.fallible,
            &types.futures,
            &types.maps,
            &types.collections,
        ];
        let mut all: Vec<&String> = lists.into_iter().flatten().collect();
        all.sort();
        assert!(all.windows(2).all(|pair| pair[0] != pair[1]));
        let mut methods: Vec<&String> =
            names.results.open.iter().chain(&names.results.adapt).chain(&names.results.take).collect();
        methods.sort();
        assert!(methods.windows(2).all(|pair| pair[0] != pair[1]));
    }
}
