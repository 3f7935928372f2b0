//! Which words make a file or a function worth a look? Names choose what is looked at, never what is reported.

use crate::names::Names;
use aho_corasick::AhoCorasick;
use rustc_hash::{FxHashMap, FxHashSet};
use sessionlint_analysis::{may_begin, may_set_state};
use sessionlint_protocols::{EndKind, LibraryId, Model, Protocol, ProtocolKind, Source};
use std::collections::BTreeSet;

/// Words of one set of libraries.
pub(crate) struct Words {
    /// Finds the files that can define or use a session.
    file: Option<AhoCorasick>,
    /// Names that make a function worth lowering.
    function: FxHashSet<String>,
    /// Names of types whose functions open something.
    made_by_type: FxHashSet<String>,
    /// Calls that take a connection out of its pool, and whether they have no arguments.
    checkouts: FxHashMap<String, bool>,
    /// Calls that end something: alone they matter only when nobody awaits them.
    endings: FxHashSet<String>,
    /// The same with those that have a common name.
    ends: FxHashSet<String>,
    /// Calls that bring a writer to its end.
    finishes: FxHashSet<String>,
    /// Short names of writers, which other types have as well: they count as types of parameters.
    short: FxHashSet<String>,
    /// Names of types that pools are made of or by, and the functions of theirs that begin it.
    makers: FxHashMap<String, FxHashSet<String>>,
    /// All names that may make a function worth lowering: most names are not among them, and need no second look.
    any: FxHashSet<String>,
    /// Names of types that are transactions: a function that names one, or is handed one, is worth a look.
    pub transactions: TypeNames,
    /// Names of types that are sessions: a function that hands one out is an opener.
    pub types: TypeNames,
    /// Names of connections that a pool hands out. Many are common words, so that they count only where a function
    /// hands one out or a type holds one.
    pub lent: TypeNames,
    /// Names of connections that no pool hands out: a struct with a `Drop` around one may be one of a pool of its own.
    pub plain: TypeNames,
    /// Names of pools.
    pub pools: TypeNames,
}

impl Words {
    pub fn new(model: &Model, libraries: Option<&BTreeSet<LibraryId>>) -> Self {
        let mut file: BTreeSet<String> = BTreeSet::new();
        let mut function = FxHashSet::default();
        let (mut types, mut lent, mut plain) = (TypeNames::default(), TypeNames::default(), TypeNames::default());
        let (mut transactions, mut pools) = (TypeNames::default(), TypeNames::default());
        let (mut made_by_type, mut short) = (FxHashSet::default(), FxHashSet::default());
        let (mut endings, mut ends, mut finishes) = (FxHashSet::default(), FxHashSet::default(), FxHashSet::default());
        let mut checkouts = FxHashMap::default();
        let mut makers: FxHashMap<String, FxHashSet<String>> = FxHashMap::default();
        let in_play = |id: LibraryId| libraries.is_none_or(|libraries| libraries.contains(&id));
        for (id, library) in model.libraries() {
            if in_play(id) {
                if library.common {
                    continue;
                }
                let name = |package: &String| match package.len() {
                    // A short name stands inside of other words.
                    0..6 => format!("{}::", package.replace('-', "_")),
                    _ => package.replace('-', "_"),
                };
                file.extend(library.crates.iter().map(name));
                checkouts.extend(library.streams.iter().map(|stream| (stream.clone(), false)));
            }
        }
        for (_, protocol) in model.protocols() {
            if !in_play(protocol.library) {
                continue;
            }
            let pool = !protocol.is_session();
            let common = model.library(protocol.library).common;
            if protocol.made_once {
                let builders = protocol.openings.iter().filter_map(|opening| match opening.source {
                    Source::Method(builder) => Some(model.protocol(builder)),
                    _ => None,
                });
                for opening in std::iter::once(protocol).chain(builders).flat_map(|made| &made.openings) {
                    let mut add = |name: String| makers.entry(name).or_default().insert(opening.call.clone());
                    match &opening.source {
                        Source::Associated(made) => type_names(model.protocol(*made)).for_each(|name| _ = add(name)),
                        Source::Function(path) => _ = path.rsplit("::").nth(1).map(|name| add(name.to_owned())),
                        Source::Method(_) => {}
                    }
                }
            }
            ends.extend(protocol.endings.iter().filter(|ending| ending.is_async).map(|ending| ending.call.clone()));
            if protocol.kind == ProtocolKind::Writer && !protocol.finishes {
                let kept = protocol.endings.iter().filter(|ending| ending.kind != EndKind::Rollback);
                finishes.extend(kept.map(|ending| ending.call.clone()));
            }
            let polled = protocol.endings.iter().filter(|ending| ending.is_async && !ending.eager);
            endings.extend(polled.filter(|_| !common).map(|ending| ending.call.clone()));
            if protocol.kind == ProtocolKind::Client && !protocol.queues {
                continue;
            }
            // A short name of a library that is everywhere counts with its module.
            let lost = protocol.kind == ProtocolKind::Writer && !protocol.finishes && common;
            for path in protocol.paths.iter().filter(|_| lost) {
                if let [krate, module, name] = path.split("::").collect::<Vec<_>>()[..]
                    && name.len() <= 6
                {
                    file.extend([format!("{krate}::{module}"), format!("{module}::{name}"), format!("{module}::{{")]);
                }
            }
            for name in type_names(protocol) {
                // What only leads to a session, or ends itself, needs no look where its crate is not named.
                if name.len() > 6 && protocol.kind != ProtocolKind::Builder && !protocol.finishes {
                    file.insert(name.clone());
                }
                if protocol.kind == ProtocolKind::Builder {
                    continue;
                }
                if pool {
                    pools.0.insert(name.clone());
                }
                if protocol.pooled {
                    lent.0.insert(name);
                } else if protocol.kind == ProtocolKind::Connection && !protocol.implicit {
                    plain.0.insert(name);
                } else if lost && name.len() <= 6 {
                    short.insert(name);
                } else if protocol.is_owed() {
                    if protocol.needs_commit() {
                        transactions.0.insert(name.clone());
                    }
                    types.0.insert(name);
                }
            }
            let plain_connection = protocol.kind == ProtocolKind::Connection && !protocol.implicit;
            if !pool && !plain_connection {
                // A common name after a type or crate: those are the words to look for.
                for opening in &protocol.openings {
                    let is_common = model.standard().is_common(&opening.call);
                    match &opening.source {
                        Source::Function(path) => {
                            function.extend(path.split("::").next().map(str::to_owned));
                            function.extend((!is_common).then(|| opening.call.clone()));
                        }
                        Source::Associated(made) => made_by_type.extend(type_names(model.protocol(*made))),
                        // `open` is anywhere: who opens a file so names its options.
                        Source::Method(by) if common && is_common => {
                            made_by_type.extend(type_names(model.protocol(*by)));
                        }
                        _ => {
                            function.insert(opening.call.clone());
                        }
                    }
                }
            }
            if plain_connection && protocol.pooled {
                let methods = protocol.openings.iter().filter(|opening| matches!(opening.source, Source::Method(_)));
                checkouts.extend(methods.map(|opening| (opening.call.clone(), opening.args == Some(0))));
            }
            function.extend(protocol.scoped.iter().cloned());
            function.extend(protocol.leaks.iter().filter_map(|leak| leak.rsplit("::").next()).map(str::to_owned));
            let common = common || protocol.finishes;
            let calls = protocol.openings.iter().map(|opening| &opening.call).filter(|_| !pool && !plain_connection);
            let calls = calls.chain(protocol.endings.iter().map(|ending| &ending.call).filter(|_| !pool));
            file.extend(calls.filter(|call| !common && !model.standard().is_common(call)).cloned());
        }
        // What a derive writes that begins a session stands in no file.
        let begun = model.derives().iter().flat_map(|derived| derived.begins.keys()).filter(|_| !file.is_empty());
        let begun: Vec<String> = begun.cloned().collect();
        file.extend(begun.iter().cloned());
        function.extend(begun);
        if !function.is_empty() || !made_by_type.is_empty() {
            function.extend(["forget", "ManuallyDrop", "leak"].map(str::to_owned));
        }
        // A pool of a common library is one wherever it is made.
        file.extend(makers.iter().flat_map(|(name, calls)| calls.iter().map(move |call| format!("{name}::{call}"))));
        let file = (!file.is_empty()).then(|| AhoCorasick::new(file).ok()).flatten();
        let any = function.iter().chain(&made_by_type).chain(&endings).chain(&transactions.0);
        let any = any.chain(checkouts.keys()).chain(makers.keys()).cloned().collect();
        Self {
            file,
            function,
            made_by_type,
            checkouts,
            endings,
            ends,
            finishes,
            short,
            makers,
            any,
            transactions,
            types,
            lent,
            plain,
            pools,
        }
    }

    /// Whether a file can define or use a session.
    pub fn wants_file(&self, bytes: &[u8]) -> bool {
        self.file.as_ref().is_some_and(|words| words.is_match(bytes))
    }

    /// Whether a function is worth lowering: it has a word of the libraries, the name of a function of the
    /// workspace that hands out a session, or text that may begin a transaction.
    pub fn wants_function(&self, signature: &str, body: &str, names: &Names) -> bool {
        let is_session = |name: &str| self.transactions.0.contains(name) || names.aliases.contains(name);
        // Out of a borrowed option, too.
        let takes_out = || sessionlint_parser_rust::identifiers(body).any(|(_, name)| name == "take");
        // A connection by value is held while something is awaited.
        let is_held = |name: &str| self.lent.0.contains(name) || names.handed.contains(name);
        // A writer is owed where something is written.
        let is_filled =
            |name: &str| (self.types.0.contains(name) || self.short.contains(name)) && body.contains("write");
        let takes = |(at, name): (usize, &str)| match is_borrowed(&signature[..at]) {
            true => is_session(name) && takes_out(),
            false => is_session(name) || (is_held(name) && body.contains("await")) || is_filled(name),
        };
        let uses = |(at, name): (usize, &str)| {
            if !(self.any.contains(name)
                || names.aliases.contains(name)
                || names.openers.contains(name)
                || names.bare.contains(name)
                || names.runners.contains(name)
                || names.closers.contains(name))
            {
                return false;
            }
            self.function.contains(name)
                || is_session(name)
                || (self.made_by_type.contains(name) && body[at + name.len()..].starts_with("::"))
                || self.checks_out(name, &body[at..])
                || (names.openers.contains(name) && is_function(&body[..at], &body[at + name.len()..]))
                || (names.bare.contains(name) && is_rare_call(&body[at + name.len()..]))
                || (names.runners.contains(name) && is_given_closure(&body[at + name.len()..]))
                || (self.endings.contains(name) && is_not_awaited(&body[at + name.len()..]))
                || (names.closers.contains(name) && is_thrown_away(&body[..at], &body[at + name.len()..]))
                || self.is_made(name, &body[at..])
        };
        sessionlint_parser_rust::identifiers(signature).any(takes)
            || sessionlint_parser_rust::identifiers(body).any(uses)
            || may_begin(body)
            || may_set_state(body)
            || self.may_poll(signature, body, names)
            || self.may_replace(signature, body)
    }

    /// Whether a method is called like the end of a writer, and puts something else into its receiver.
    fn may_replace(&self, signature: &str, body: &str) -> bool {
        let mut names = sessionlint_parser_rust::identifiers(signature).map(|(_, name)| name);
        let is_end = names.by_ref().find(|name| *name == "fn").and_then(|_| names.next());
        is_end.is_some_and(|name| self.finishes.contains(name))
            && signature.contains("mut self")
            && body.contains("self.")
            && body.contains('=')
    }

    /// Whether a function may look again and again with a session that it is lent.
    fn may_poll(&self, signature: &str, body: &str, names: &Names) -> bool {
        let has = |words: &[&str]| sessionlint_parser_rust::identifiers(body).any(|(_, name)| words.contains(&name));
        signature.contains('&')
            && (self.transactions.named_in(signature) || self.lent.named_in(signature) || names.held_in(signature))
            && has(&["loop", "while"])
            && has(&["await"])
    }

    /// Whether a text makes a pool, as far as its words tell.
    pub fn makes(&self, text: &str) -> bool {
        !self.makers.is_empty()
            && sessionlint_parser_rust::identifiers(text).any(|(at, name)| self.is_made(name, &text[at..]))
    }

    /// Whether a pool is made where a name stands; `text` starts with it.
    fn is_made(&self, name: &str, text: &str) -> bool {
        self.makers.get(name).is_some_and(|calls| {
            let called = behind_arguments(&text[name.len()..])
                .strip_prefix("::")
                .and_then(|after| sessionlint_parser_rust::identifiers(after).next().filter(|(at, _)| *at == 0));
            called.is_some_and(|(_, call)| calls.contains(call))
        })
    }

    /// Whether a signature hands out a session.
    pub fn is_opener(&self, signature: &str, names: &Names) -> bool {
        let Some((_, output)) = signature.split_once("->") else { return false };
        // What somebody shares was there before, unless somebody waits for it.
        let is_named = |name: &str| names.aliases.contains(name);
        let waits = || sessionlint_parser_rust::identifiers(signature).any(|(_, name)| name == "async");
        names.held_in(output)
            || (sessionlint_parser_rust::identifiers(output).any(|(_, name)| is_named(name)) && waits())
            || self.types.named_in(output)
            || self.lent.named_in(output)
    }

    /// Whether an async function may commit or close something, as far as its words tell.
    pub fn closes(&self, signature: &str, body: &str) -> bool {
        let has = |text: &str, wanted: &dyn Fn(&str) -> bool| {
            sessionlint_parser_rust::identifiers(text).any(|(_, name)| wanted(name))
        };
        has(signature, &|name| name == "async") && has(body, &|name| self.ends.contains(name))
    }

    /// Whether a function opens a session and takes a closure, which it may well run meanwhile.
    pub fn is_runner(&self, signature: &str, body: &str) -> bool {
        const CLOSURES: &[&str] = &["Fn", "FnOnce", "FnMut", "AsyncFn", "AsyncFnOnce", "AsyncFnMut"];
        sessionlint_parser_rust::identifiers(signature).any(|(_, name)| CLOSURES.contains(&name)) && self.opens(body)
    }

    /// Whether a text opens a session: that of a macro, say.
    pub fn opens(&self, text: &str) -> bool {
        let opens = |(at, name): (usize, &str)| {
            self.function.contains(name)
                || (self.made_by_type.contains(name) && text[at + name.len()..].starts_with("::"))
                || self.checks_out(name, &text[at..])
        };
        sessionlint_parser_rust::identifiers(text).any(opens) || may_begin(text)
    }

    /// Whether a call takes a connection out of its pool; `text` starts with its name.
    fn checks_out(&self, name: &str, text: &str) -> bool {
        self.checkouts.get(name).is_some_and(|bare| !bare || text[name.len()..].starts_with("()"))
    }
}

/// The traits that a text names behind `dyn`, but for those that all kinds of types have.
pub(crate) fn behind_dyn(text: &str, model: &Model) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for (at, _) in text.match_indices("dyn ") {
        // The last name of the path is the trait's.
        let path = text[at + "dyn ".len()..].split(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':')).next();
        let Some(name) = path.and_then(|path| path.rsplit("::").next()) else { continue };
        let known = found.iter().any(|known| known == name) || model.standard().is_everywhere(name);
        if name.starts_with(char::is_uppercase) && !known {
            found.push(name.to_owned());
        }
    }
    found
}

/// Whether a name between two texts is that of a function or macro, and not of a variable.
fn is_function(before: &str, after: &str) -> bool {
    before.trim_end().ends_with("::") || after.trim_start().starts_with(['(', '!']) || after.starts_with("::")
}

/// The names of a protocol's types.
fn type_names(protocol: &Protocol) -> impl Iterator<Item = String> {
    protocol.paths.iter().filter_map(|path| path.rsplit("::").next()).map(str::to_owned)
}

/// Names of types, as they stand in texts that nobody has parsed.
#[derive(Default)]
pub(crate) struct TypeNames(FxHashSet<String>);

impl TypeNames {
    /// Whether a text names one of them.
    pub fn named_in(&self, text: &str) -> bool {
        sessionlint_parser_rust::identifiers(text).any(|(_, name)| self.0.contains(name))
    }

    /// The new names that an import gives to them.
    pub fn renamed_in(&self, text: &str) -> Vec<String> {
        let names: Vec<&str> = sessionlint_parser_rust::identifiers(text).map(|(_, name)| name).collect();
        let renamed = names.windows(3).filter(|three| self.0.contains(three[0]) && three[1] == "as");
        renamed.map(|three| three[2].to_owned()).filter(|name| name != "_").collect()
    }
}

/// Whether the type that follows in a signature stands behind a reference, or behind the arrow.
fn is_borrowed(before: &str) -> bool {
    let parameter = before.rfind([':', '(']).map_or(before, |at| &before[at..]);
    let start = before.trim_end_matches(|c: char| c.is_alphanumeric() || "_:<>'&* ".contains(c));
    before.contains("->") || parameter.contains('&') || before[start.len()..].contains('&')
}

/// Whether what a call gives is bound to `_`; rustc itself warns of one that is a whole statement. The function's name stands
/// between the texts.
fn is_thrown_away(before: &str, after: &str) -> bool {
    let start = before.rfind([';', '{', '}']).map_or(0, |at| at + 1);
    let statement = before[start..].trim_start();
    let statement = statement.strip_prefix("let ").unwrap_or(statement).trim_start();
    let receiver = statement.strip_prefix('_').and_then(|bound| bound.trim_start().strip_prefix('='));
    let is_chain = |text: &str| text.trim().chars().all(|c| c.is_alphanumeric() || "_.:()".contains(c));
    if !after.starts_with('(') || !receiver.is_some_and(is_chain) {
        return false;
    }
    end_of_arguments(after).is_some_and(|end| after[end + 1..].trim_start().starts_with(';'))
}

/// Whether a closure or async block is written among the arguments that follow.
fn is_given_closure(after: &str) -> bool {
    let arguments = after.starts_with('(').then(|| end_of_arguments(after)).flatten().map(|end| &after[..end]);
    arguments.is_some_and(|text| text.contains('|') || text.contains("async"))
}

/// Where the arguments end that a text begins with.
fn end_of_arguments(after: &str) -> Option<usize> {
    let mut depth = 0;
    let mut signs = after.char_indices();
    let end = signs.find(|(_, c)| {
        depth += i32::from(*c == '(') - i32::from(*c == ')');
        depth == 0
    });
    end.map(|(end, _)| end)
}

/// Whether a call is neither awaited nor looked at right where it stands.
fn is_not_awaited(after: &str) -> bool {
    match after.trim_start().strip_prefix("()") {
        Some(after) => !after.trim_start().starts_with(['.', '?']),
        None => !after.trim_start().starts_with([',', ';', '=', '{', '}']),
    }
}

/// Whether a call of a name that everything has may be the one of a function that hands out a session: it has no arguments, which those
/// of collections have, or is awaited right where it stands.
fn is_rare_call(after: &str) -> bool {
    let is_awaited =
        || after.starts_with('(') && end_of_arguments(after).is_some_and(|end| is_awaited(&after[end + 1..]));
    after.starts_with("()") || is_awaited()
}

fn is_awaited(after: &str) -> bool {
    after.trim_start().strip_prefix('.').is_some_and(|after| after.trim_start().starts_with("await"))
}

/// What stands behind the type arguments that a text begins with, `::<A, B<C>>`; all of it where there are none.
fn behind_arguments(text: &str) -> &str {
    let Some(inside) = text.strip_prefix("::").map(str::trim_start).and_then(|text| text.strip_prefix('<')) else {
        return text;
    };
    let mut open = 1;
    for (at, sign) in inside.char_indices() {
        match sign {
            '<' => open += 1,
            '>' => open -= 1,
            ';' | '{' => return text,
            _ => {}
        }
        if open == 0 {
            return &inside[at + 1..];
        }
    }
    text
}
