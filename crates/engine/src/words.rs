//! Which words make a file or a function worth a look? Names choose what is looked at, never what is reported.

use aho_corasick::AhoCorasick;
use sessionlint_protocols::{LibraryId, Model, ProtocolKind};
use std::collections::{BTreeSet, HashSet};

/// Names of calls that are too common to open a file for; a function is still looked at for them when its
/// file is open anyway.
const COMMON: &[&str] = &["new", "get", "open", "connect", "start", "close", "cancel", "finish", "end", "abort"];

/// Words of one set of libraries.
pub(crate) struct Words {
    /// Finds the files that can define or use a session.
    file: Option<AhoCorasick>,
    /// Names that make a function worth lowering.
    function: HashSet<String>,
    /// Names of types that are sessions: a function that hands one out is an opener.
    types: HashSet<String>,
}

impl Words {
    pub fn new(model: &Model, libraries: Option<&BTreeSet<LibraryId>>) -> Self {
        let mut file: BTreeSet<String> = BTreeSet::new();
        let mut function = HashSet::new();
        let mut types = HashSet::new();
        let in_play = |id: LibraryId| libraries.is_none_or(|libraries| libraries.contains(&id));
        for (id, library) in model.libraries() {
            if in_play(id) {
                file.extend(library.crates.iter().map(|package| package.replace('-', "_")));
            }
        }
        for (_, protocol) in model.protocols() {
            if !in_play(protocol.library) {
                continue;
            }
            let pool = protocol.kind == ProtocolKind::Pool;
            let names = protocol.paths.iter().filter_map(|path| path.rsplit("::").next()).map(str::to_owned);
            for name in names {
                if name.len() > 6 {
                    file.insert(name.clone());
                }
                if !pool && protocol.is_transaction() {
                    function.insert(name.clone());
                }
                if !pool {
                    types.insert(name);
                }
            }
            let plain_connection = protocol.kind == ProtocolKind::Connection;
            if !pool && !plain_connection {
                function.extend(protocol.openings.iter().map(|opening| opening.call.clone()));
            }
            function.extend(protocol.endings.iter().map(|ending| ending.call.clone()));
            function.extend(protocol.leaks.iter().filter_map(|leak| leak.rsplit("::").next()).map(str::to_owned));
            let calls = protocol.openings.iter().map(|opening| &opening.call).filter(|_| !pool && !plain_connection);
            let calls = calls.chain(protocol.endings.iter().map(|ending| &ending.call).filter(|_| !pool));
            file.extend(calls.filter(|call| !COMMON.contains(&call.as_str())).cloned());
        }
        if !function.is_empty() {
            function.extend(["forget", "ManuallyDrop"].map(str::to_owned));
        }
        let file = (!file.is_empty()).then(|| AhoCorasick::new(file).ok()).flatten();
        Self { file, function, types }
    }

    /// Whether a file can define or use a session.
    pub fn wants_file(&self, bytes: &[u8]) -> bool {
        self.file.as_ref().is_some_and(|words| words.is_match(bytes))
    }

    /// Whether a function is worth lowering: it has a word of the libraries, the name of a function of the
    /// workspace that hands out a session, or text that may begin a transaction.
    pub fn wants_function(&self, text: &str, openers: &HashSet<String>) -> bool {
        let named = sessionlint_parser_rust::identifiers(text)
            .any(|(_, name)| self.function.contains(name) || openers.contains(name));
        named || has_begin(text)
    }

    /// Whether a signature hands out a session.
    pub fn is_opener(&self, signature: &str) -> bool {
        let Some((_, output)) = signature.split_once("->") else { return false };
        sessionlint_parser_rust::identifiers(output).any(|(_, name)| self.types.contains(name))
    }
}

/// Whether a text literal of the function may begin a transaction or savepoint.
fn has_begin(text: &str) -> bool {
    let bytes = text.as_bytes();
    text.match_indices('"').any(|(quote, _)| {
        let rest = bytes[quote + 1..].trim_ascii_start();
        ["begin", "start transaction", "savepoint"]
            .iter()
            .any(|word| rest.len() >= word.len() && rest[..word.len()].eq_ignore_ascii_case(word.as_bytes()))
    })
}
