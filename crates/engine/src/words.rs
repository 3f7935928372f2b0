//! Which words make a file or a function worth a look? Names choose what is looked at, never what is reported.

use crate::names::Names;
use aho_corasick::AhoCorasick;
use rustc_hash::{FxHashMap, FxHashSet};
use sessionlint_analysis::{may_begin, may_set_state};
use sessionlint_ir::Language;
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

    /// Whether the function of this name is worth lowering: it has a word of the libraries, the name of a function of the
    /// workspace that hands out a session, or text that may begin a transaction.
    pub fn wants_function(&self, function: &Function<'_>, names: &Names) -> bool {
        let Function { language, signature, body, .. } = *function;
        let is_session = |name: &str| self.transactions.0.contains(name) || names.aliases.contains(name);
        // A connection by value is held while something is awaited.
        let is_held = |name: &str| self.lent.0.contains(name) || names.handed.contains(name);
        // A writer is owed where something is written.
        let is_writer = |name: &str| self.types.0.contains(name) || self.short.contains(name);
        let takes = |(at, name): (usize, &str)| {
            let (session, held, writer) = (is_session(name), is_held(name), is_writer(name));
            if !session && !held && !writer {
                return false;
            }
            match language.is_borrowed(&signature[..at]) {
                // Out of a borrowed option, too.
                true => session && language.takes_out(body),
                false => session || (held && language.waits(body)) || (writer && body.contains("write")),
            }
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
            let (before, after) = (&body[..at], &body[at + name.len()..]);
            self.function.contains(name)
                || is_session(name)
                || (self.made_by_type.contains(name) && language.leads_on(after))
                || self.checks_out(language, name, after)
                || (names.openers.contains(name) && language.is_function(before, after))
                || (names.bare.contains(name) && language.is_bare(after))
                || (names.runners.contains(name) && language.is_given_closure(after))
                || (self.endings.contains(name) && language.is_not_awaited(after))
                || (names.closers.contains(name) && language.is_thrown_away(before, after))
                || self.is_made(language, name, after)
        };
        language.names(signature).any(takes)
            || language.names(body).any(uses)
            || may_begin(body)
            || may_set_state(body)
            || self.may_poll(function, names)
            || self.may_replace(function)
    }

    /// Whether a method is called like the end of a writer, and puts something else into its receiver.
    fn may_replace(&self, function: &Function<'_>) -> bool {
        self.finishes.contains(function.name) && function.language.replaces(function.signature, function.body)
    }

    /// Whether a function may look again and again with a session that it is lent.
    fn may_poll(&self, function: &Function<'_>, names: &Names) -> bool {
        let Function { language, signature, body, .. } = *function;
        language.may_lend(signature)
            && (self.transactions.named_in(language, signature)
                || self.lent.named_in(language, signature)
                || names.held_in(language, signature))
            && language.polls(body)
    }

    /// Whether a text makes a pool, as far as its words tell.
    pub fn makes(&self, language: Language, text: &str) -> bool {
        !self.makers.is_empty()
            && language.names(text).any(|(at, name)| self.is_made(language, name, &text[at + name.len()..]))
    }

    /// Whether a pool is made where a name stands, before the rest of a text.
    fn is_made(&self, language: Language, name: &str, after: &str) -> bool {
        let calls = self.makers.get(name);
        calls.is_some_and(|calls| language.function_of(after).is_some_and(|call| calls.contains(call)))
    }

    /// Whether a function hands out a session.
    pub fn is_opener(&self, function: &Function<'_>, names: &Names) -> bool {
        let Function { language, signature, .. } = *function;
        let Some(output) = language.output(signature) else { return false };
        // What somebody shares was there before, unless somebody waits for it.
        let is_named = |name: &str| names.aliases.contains(name);
        names.held_in(language, output)
            || (language.names(output).any(|(_, name)| is_named(name)) && language.is_async(signature))
            || self.types.named_in(language, output)
            || self.lent.named_in(language, output)
    }

    /// Whether an async function may commit or close something, as far as its words tell.
    pub fn closes(&self, function: &Function<'_>) -> bool {
        let Function { language, signature, body, .. } = *function;
        language.is_async(signature) && language.names(body).any(|(_, name)| self.ends.contains(name))
    }

    /// Whether a function opens a session and takes a closure, which it may well run meanwhile.
    pub fn is_runner(&self, function: &Function<'_>) -> bool {
        function.language.takes_closure(function.signature) && self.opens(function.language, function.body)
    }

    /// Whether a text opens a session: that of a macro, say.
    pub fn opens(&self, language: Language, text: &str) -> bool {
        let opens = |(at, name): (usize, &str)| {
            let after = &text[at + name.len()..];
            self.function.contains(name)
                || (self.made_by_type.contains(name) && language.leads_on(after))
                || self.checks_out(language, name, after)
        };
        language.names(text).any(opens) || may_begin(text)
    }

    /// Whether a call of this name takes a connection out of its pool.
    fn checks_out(&self, language: Language, name: &str, after: &str) -> bool {
        self.checkouts.get(name).is_some_and(|bare| !bare || language.is_bare(after))
    }
}

/// A function whose text nobody has parsed.
#[derive(Clone, Copy)]
pub(crate) struct Function<'t> {
    pub language: Language,
    pub name: &'t str,
    /// What stands before its body.
    pub signature: &'t str,
    pub body: &'t str,
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
    pub fn named_in(&self, language: Language, text: &str) -> bool {
        language.names(text).any(|(_, name)| self.0.contains(name))
    }

    /// The new names that an import gives to them.
    pub fn renamed_in(&self, language: Language, text: &str) -> Vec<String> {
        let renamed = language.renamed(text).into_iter().filter(|(old, _)| self.0.contains(*old));
        renamed.map(|(_, new)| new.to_owned()).collect()
    }
}
