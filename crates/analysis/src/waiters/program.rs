//! Does a program do one thing after the other while a function runs? It is `main`, or all who call it are known, wait for it at once,
//! have started nothing that goes on beside it, and are such functions themselves. Or does at least nobody but `main` lead to it, so that one
//! task at a time comes there?

use super::starts::{At, statements};
use crate::callers::{Met, called_in, may_be_of};
use crate::index::{ItemRef, Resolved};
use crate::summary::Analysis;
use crate::turn::Turn;
use sessionlint_diagnostics::{FileId, Span};
use sessionlint_ir::{
    BlockId, Body, BodyKind, Call, Callee, ItemId, ItemKind, Operand, Rvalue, Statement, StatementKind,
};
use std::collections::BTreeSet;

/// So many functions are between `main` and one that is asked about, at most.
const MAX_CALLERS: usize = 100;

impl Analysis<'_> {
    /// Whether `main` leads to a place in the body of a function, and nobody else does.
    pub(super) fn runs_in_turn(&self, item: ItemRef, body: &Body, place: Span, turn: Turn) -> bool {
        self.is_called_in_turn(item, turn) && self.is_in_turn(body, &self.met_in(item), place, turn)
    }

    /// Whether `main` leads to a function, and nobody else does.
    fn is_called_in_turn(&self, item: ItemRef, turn: Turn) -> bool {
        let mut seen = BTreeSet::from([item]);
        let mut pending = vec![item];
        while let Some(callee) = pending.pop() {
            if self.is_main(callee) {
                continue;
            }
            let callers = self.sole_callers(callee, turn).filter(|callers| !callers.is_empty());
            let Some(callers) = callers else { return false };
            pending.extend(callers.into_iter().filter(|caller| seen.insert(*caller)));
            if seen.len() > MAX_CALLERS {
                return false;
            }
        }
        true
    }

    /// Whether a function is where a program begins.
    fn is_main(&self, item: ItemRef) -> bool {
        self.index.item(item).is_some_and(|known| known.name == "main" && known.parent.is_none())
            && self.index.is_root(item.file)
            && !self.index.is_test_file(item.file)
    }

    /// All functions that call one; `None` where others may, or one of them does not call it in turn.
    fn sole_callers(&self, callee: ItemRef, turn: Turn) -> Option<Vec<ItemRef>> {
        let key = (callee, turn);
        let known = self.sole_callers.read().unwrap_or_else(|poisoned| poisoned.into_inner()).get(&key).cloned();
        known.unwrap_or_else(|| {
            let callers = self.found_callers(callee, turn);
            let mut known = self.sole_callers.write().unwrap_or_else(|poisoned| poisoned.into_inner());
            known.entry(key).or_insert(callers).clone()
        })
    }

    fn found_callers(&self, callee: ItemRef, turn: Turn) -> Option<Vec<ItemRef>> {
        let known = self.index.item(callee)?;
        let parent = known.parent.and_then(|parent| self.index.item(ItemRef { item: parent, ..callee }));
        let of_trait = parent.is_some_and(|parent| !matches!(parent.kind, ItemKind::Module | ItemKind::Impl));
        let implements = || self.index.impl_of(callee).is_some_and(|(_, header)| header.of_trait.is_some());
        if of_trait || implements() || (turn == Turn::Alone && !self.is_called_by_its_package(callee)) {
            return None;
        }
        let mut files = match turn {
            Turn::Alone => self.files_of_package(callee),
            Turn::Single | Turn::Once => self.index.files_that_name(callee.file),
        };
        files.retain(|file| !self.index.is_test_file(*file));
        let mut callers = Vec::new();
        for file in files {
            if self.may_be_named(file, callee, &known.name) {
                return None;
            }
            for caller in self.callers_in(file, callee, &known.name) {
                if self.calls_in_turn(caller, callee, turn)? {
                    callers.push(caller);
                }
            }
        }
        Some(callers)
    }

    /// The files of the package of a function, but for tests.
    pub(super) fn files_of_package(&self, item: ItemRef) -> Vec<FileId> {
        let mut files: Vec<FileId> = self.index.package_of(item.file).modules.values().flatten().copied().collect();
        files.push(item.file);
        files.sort();
        files.dedup();
        files.retain(|file| !self.index.is_test_file(*file));
        files
    }

    /// Whether a function calls another one; `None` where it does not in turn.
    fn calls_in_turn(&self, caller: ItemRef, callee: ItemRef, turn: Turn) -> Option<bool> {
        let function = self.index.function(caller)?;
        let body = function.body.as_ref()?;
        let (named, signature) = (self.index.item(callee)?, self.index.signature(callee)?);
        let met = self.met_in(caller);
        let mut calls = Vec::new();
        named_calls(body, &named.name, &mut calls);
        let (text, span) = self.index.item_text(caller, |item| item.body.unwrap_or(item.head))?;
        let seen: BTreeSet<u32> = calls.iter().map(|call| call.name_span.start).collect();
        let generics = self.index.generics_around(caller, &function.signature.generics);
        let scope = self.scope(caller, body, &generics);
        // In a macro that could not be read, say.
        for at in called_in(text, &named.name).filter(|at| !seen.contains(&(span.start + *at as u32))) {
            let path = path_to(text, at, &named.name);
            // A variable that is called.
            if path.len() == 1 && has_local(body, &named.name) {
                continue;
            }
            match self.index.resolve(&scope, &path)? {
                Resolved::Item(found, rest) if rest.is_empty() && found != callee => {}
                _ => return None,
            }
        }
        let mut found = BTreeSet::new();
        for call in calls {
            let leads_to = match (met.get(&call.name_span), &call.callee) {
                (Some(items), _) => items.contains(&callee),
                (None, _) if !may_be_of(call, &signature) => false,
                (None, Callee::Path { segments, qualifier: None }) => match self.index.resolve(&scope, segments)? {
                    Resolved::Item(found, rest) if rest.is_empty() => found == callee,
                    Resolved::External(_) => false,
                    _ => return None,
                },
                (None, _) => return None,
            };
            if leads_to {
                found.insert(call.name_span);
            }
        }
        let is_future = signature.gives_future();
        let in_turn = self.all_in_turn(body, &met, turn, &|body, at, value| match value {
            Rvalue::Call(call) if found.contains(&call.name_span) => {
                let (_, place, _) = statements(body).find(|(other, ..)| *other == at)?;
                Some(!is_future || self.is_awaited_at_once(body, at, place))
            }
            _ => None,
        });
        in_turn.then_some(!found.is_empty())
    }

    /// Whether each statement of a body, and of those inside, of which `is_waited_for` knows anything is waited for at once, and nothing
    /// was started before it.
    fn all_in_turn(
        &self,
        body: &Body,
        met: &Met,
        turn: Turn,
        is_waited_for: &dyn Fn(&Body, At, &Rvalue) -> Option<bool>,
    ) -> bool {
        statements(body).all(|(at, place, value)| match value {
            Rvalue::Closure { child, .. } => {
                let inner = &body.children[*child];
                !any(inner, is_waited_for)
                    || (inner.kind == BodyKind::AsyncBlock
                        && self.is_awaited_at_once(body, at, place)
                        && self.comes_in_turn(body, met, at, turn)
                        && self.all_in_turn(inner, met, turn, is_waited_for))
            }
            value => {
                is_waited_for(body, at, value).is_none_or(|waits| waits && self.comes_in_turn(body, met, at, turn))
            }
        })
    }

    /// Whether nothing was started before a place in a body, or it stands in no loop, where that is asked.
    fn comes_in_turn(&self, body: &Body, met: &Met, at: At, turn: Turn) -> bool {
        match turn {
            Turn::Alone => !self.started_before(body, met, at),
            Turn::Single => true,
            Turn::Once => !body.leads_to(at.0, at.0),
        }
    }

    /// Whether a place in a body is no part of a closure, nor of a block that runs beside others, nothing was started before that goes on
    /// there, and nothing is started by what is called there.
    fn is_in_turn(&self, body: &Body, met: &Met, place: Span, turn: Turn) -> bool {
        let child = body.children.iter().position(|child| child.span.contains(place));
        let found = statements(body).find(|(_, _, value)| match (value, child) {
            (Rvalue::Closure { child, .. }, Some(around)) => *child == around,
            (Rvalue::Call(call), None) => call.name_span == place,
            _ => false,
        });
        let waits = || {
            let waits = |statement: &Statement| {
                matches!(statement.kind, StatementKind::Assign(_, Rvalue::Await { .. } | Rvalue::Select(_)))
            };
            (0..).map(BlockId).zip(&body.blocks).find_map(|(at, block)| {
                let nth = block.statements.iter().position(|known| known.span == place && waits(known))?;
                Some((at, nth))
            })
        };
        match (child.map(|child| &body.children[child]), found) {
            (Some(inner), Some((at, into, _))) => {
                inner.kind == BodyKind::AsyncBlock
                    && self.is_awaited_at_once(body, at, into)
                    && self.comes_in_turn(body, met, at, turn)
                    && self.is_in_turn(inner, met, place, turn)
            }
            (Some(_), None) => false,
            (None, found) => {
                let at = found.map(|(at, ..)| at).or_else(waits);
                at.is_some_and(|(at, nth)| self.comes_in_turn(body, met, (at, nth + 1), turn))
            }
        }
    }

    /// Whether a file may name a function without calling it, so that somebody else calls it: `get(handler)`.
    pub(super) fn may_be_named(&self, file: FileId, callee: ItemRef, name: &str) -> bool {
        self.index.reads_package(file);
        let Some(data) = self.index.host.data(file) else { return false };
        let around = |at: usize| {
            data.outline.items.iter().rposition(|item| {
                let body = item.body.unwrap_or(item.head);
                body.start as usize <= at && at < body.end as usize
            })
        };
        words_at(&data.text, name).any(|at| {
            let after = data.text[at + name.len()..].trim_start();
            let item = around(at).map(|item| ItemId(item as u32));
            let kind = item.map(|item| data.outline.item(item).kind);
            if after.starts_with('(') || after.starts_with("::<") {
                // A macro calls it, wherever that is called.
                return kind == Some(ItemKind::Macro);
            }
            if kind == Some(ItemKind::Use) {
                return after.starts_with("as ");
            }
            if !may_be_value(&data.text, at, after) {
                return false;
            }
            let Some(function) = item.filter(|_| kind == Some(ItemKind::Function)) else { return true };
            let function = self.index.function(ItemRef { file, item: function });
            let body = function.as_ref().and_then(|function| function.body.as_ref());
            body.is_none_or(|body| !has_local(body, name) || names_item(body, name))
        }) && self.index.item(callee).is_some()
    }
}

/// Whether any statement of a body, and of those inside, is one of which something is known.
fn any(body: &Body, known: &dyn Fn(&Body, At, &Rvalue) -> Option<bool>) -> bool {
    statements(body).any(|(at, _, value)| known(body, at, value).is_some())
        || body.children.iter().any(|child| any(child, known))
}

/// The calls of functions of this name in a body and those inside of it.
fn named_calls<'b>(body: &'b Body, name: &str, found: &mut Vec<&'b Call>) {
    let called = |call: &Call| match &call.callee {
        Callee::Path { segments, .. } => segments.last().is_some_and(|last| last == name),
        Callee::Method { name: method, .. } => method == name,
        Callee::Macro(_) | Callee::Value(_) => false,
    };
    found.extend(statements(body).filter_map(|(_, _, value)| match value {
        Rvalue::Call(call) => Some(call).filter(|call| called(call)),
        _ => None,
    }));
    body.children.iter().for_each(|child| named_calls(child, name, found));
}

/// Where a text has a word.
pub(super) fn words_at<'t>(text: &'t str, word: &'t str) -> impl Iterator<Item = usize> {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word).map(|(at, _)| at).filter(move |at| {
        !text[..*at].chars().next_back().is_some_and(part) && !text[at + word.len()..].chars().next().is_some_and(part)
    })
}

/// The path that is written before a name, and that.
fn path_to(text: &str, at: usize, name: &str) -> Vec<String> {
    let mut path = vec![name.to_owned()];
    let mut before = &text[..at];
    while let Some(owner) = before.strip_suffix("::") {
        let start = owner.rfind(|c: char| !(c.is_alphanumeric() || c == '_')).map_or(0, |end| end + 1);
        path.insert(0, owner[start..].to_owned());
        before = &owner[..start];
    }
    // A method, whatever it is of.
    if before.ends_with('.') { Vec::new() } else { path }
}

/// Whether a name that is not called may stand for a value: it is no part of a comment, a text or an attribute, no field, no module of a
/// path, and nothing that is declared there.
fn may_be_value(text: &str, at: usize, after: &str) -> bool {
    let line = &text[text[..at].rfind('\n').map_or(0, |end| end + 1)..at];
    let before = text[..at].trim_end();
    let declares =
        ["let", "mut", "fn", "mod", "struct", "enum", "trait", "type", "impl", "ref", "for", "static", "const"];
    let word = before.rsplit(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
    let is_said = line.contains("//") || line.matches('"').count() % 2 == 1 || line.trim_start().starts_with("#[");
    let is_part =
        (before.ends_with('.') && !before.ends_with("..")) || after.starts_with(':') || declares.contains(&word);
    !is_said && !is_part
}

/// Whether a body, or one inside of it, has a variable of this name.
fn has_local(body: &Body, name: &str) -> bool {
    body.locals.iter().any(|local| local.name.as_deref() == Some(name))
        || body.children.iter().any(|child| has_local(child, name))
}

/// Whether a body, or one inside of it, names an item as a value.
fn names_item(body: &Body, name: &str) -> bool {
    let is_it =
        |operand: &&Operand| matches!(operand, Operand::Item(path) if path.last().is_some_and(|last| last == name));
    statements(body).any(|(_, _, value)| value.operands().iter().any(is_it))
        || body.children.iter().any(|child| names_item(child, name))
}
