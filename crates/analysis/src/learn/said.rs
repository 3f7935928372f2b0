//! What does the body of a function say about transactions? Names of calls, texts, warnings.

use crate::index::{Index, ItemRef, Ty};
use sessionlint_ir::{
    BlockId, Body, Call, Callee, ItemKind, Literal, Operand, Rvalue, StatementKind, Terminator, Test, TypeRef,
};
use std::collections::BTreeSet;

/// So many methods deep a method is followed.
const MAX_HOPS: usize = 3;

/// What a function's body says, its closures and async blocks included.
#[derive(Default)]
pub(super) struct Said {
    /// The last names of what it calls.
    pub calls: BTreeSet<String>,
    pub commits: bool,
    pub gives_up: bool,
    /// Whether it runs COMMIT, or ROLLBACK.
    pub commits_text: bool,
    pub rollback_text: bool,
    /// Whether it runs the text that ends a savepoint.
    pub releases_text: bool,
    /// Whether it warns of itself: not of a call that failed.
    pub warns: bool,
    pub panics: bool,
    /// Whether it gives something to a task of its own, or through a channel.
    pub spawns: bool,
    pub sends: bool,
    /// The methods that it calls on its own receiver.
    pub own_calls: BTreeSet<String>,
}

impl Said {
    pub fn of(index: &Index<'_>, item: ItemRef) -> Said {
        let mut said = Said::default();
        let Some(function) = index.function(item) else { return said };
        let Some(body) = &function.body else { return said };
        said.panics = index.has_text(item, "panic!");
        said.body(index, body);
        said.warns = warns_of_itself(index, body);
        said
    }

    /// The same with what the methods of its type say that it calls on itself, and those that they call.
    pub fn with_own(index: &Index<'_>, owner: ItemRef, method: ItemRef) -> Said {
        let mut said = Said::of(index, method);
        let mut seen: BTreeSet<String> = BTreeSet::new();
        for _ in 0..MAX_HOPS {
            let next: Vec<String> = said.own_calls.difference(&seen).cloned().collect();
            for name in next {
                for method in index.methods(owner, &name) {
                    let inside = Said::of(index, method);
                    said.gives_up |= inside.gives_up;
                    said.rollback_text |= inside.rollback_text;
                    said.commits |= inside.commits;
                    said.commits_text |= inside.commits_text;
                    said.releases_text |= inside.releases_text;
                    said.spawns |= inside.spawns;
                    said.sends |= inside.sends;
                    said.own_calls.extend(inside.own_calls);
                }
                seen.insert(name);
            }
        }
        said
    }

    pub fn gives_up(&self) -> bool {
        self.gives_up || self.rollback_text
    }

    /// Whether it ends something.
    pub fn ends(&self) -> bool {
        self.commits || self.gives_up || self.commits_text || self.rollback_text
    }

    fn body(&mut self, index: &Index<'_>, body: &Body) {
        let words = index.model.learned_words();
        for (_, value) in body.assignments() {
            for operand in value.operands() {
                if let Operand::Literal(Literal::Text(text)) = operand {
                    // A message may begin with the word.
                    let said = text.trim().trim_end_matches(';').to_ascii_uppercase();
                    let ends = |word: &str| {
                        let rest = said.strip_prefix(word).map(str::trim);
                        rest.is_some_and(|rest| matches!(rest, "" | "WORK" | "TRANSACTION"))
                    };
                    self.commits_text |= ends("COMMIT") || ends("END");
                    self.rollback_text |= ends("ROLLBACK");
                    self.releases_text |= said.starts_with("RELEASE ");
                }
            }
            let Rvalue::Call(call) = value else { continue };
            let name = match &call.callee {
                Callee::Path { segments, .. } => segments.last(),
                Callee::Method { name, .. } => Some(name),
                Callee::Macro(_) | Callee::Value(_) => None,
            };
            let Some(name) = name else { continue };
            self.commits |= words.keeps(name);
            self.gives_up |= words.undoes(name);
            self.spawns |= words.spawns(name);
            self.sends |= words.sends(name);
            if let Callee::Method { receiver, .. } = &call.callee
                && receiver
                    .place()
                    .is_some_and(|place| place.projection.is_empty() && body.params.first() == Some(&place.local))
            {
                self.own_calls.insert(name.clone());
            }
            self.calls.insert(name.clone());
        }
        body.children.iter().for_each(|child| self.body(index, child));
    }
}

/// The methods of a type that give up what was written under a name of their own: they do so to what they own.
pub(super) fn undoing(index: &Index<'_>, owner: ItemRef, kind: ItemKind) -> Vec<String> {
    let owners = match kind {
        ItemKind::Trait => index.implementors(owner),
        _ => vec![Ty::own(owner)],
    };
    let mut found = BTreeSet::new();
    for owner in owners.iter().filter_map(|ty| if let Ty::Own(owner, _) = ty { Some(*owner) } else { None }) {
        for (name, method) in index.methods_of(owner) {
            let said = Said::of(index, method);
            if name != "drop" && (said.gives_up || said.rollback_text) && !said.commits && !said.commits_text {
                found.insert(name);
            }
        }
    }
    found.into_iter().collect()
}

/// Whether a body warns where nothing that it called has failed.
fn warns_of_itself(index: &Index<'_>, body: &Body) -> bool {
    let words = index.model.learned_words();
    let mut seen = vec![false; body.blocks.len()];
    let mut pending = vec![BlockId(0)];
    while let Some(block) = pending.pop() {
        if std::mem::replace(&mut seen[block.index()], true) {
            continue;
        }
        let block = &body.blocks[block.index()];
        let warns = block.statements.iter().any(|statement| match &statement.kind {
            StatementKind::Assign(_, Rvalue::Call(Call { callee: Callee::Macro(path), .. })) => {
                path.last().is_some_and(|name| words.warns.contains(name))
            }
            _ => false,
        });
        if warns {
            return true;
        }
        let failed = match &block.terminator {
            Terminator::Test { test: Test::Success(_), no, .. } => Some(*no),
            Terminator::Test { test: Test::Failure(_), yes, .. } => Some(*yes),
            _ => None,
        };
        pending.extend(block.terminator.successors().filter(|next| Some(*next) != failed));
    }
    false
}

/// Whether a written type names a type.
pub(super) fn names(ty: &TypeRef, name: &str) -> bool {
    match ty {
        TypeRef::Path { segments, args } => {
            segments.last().is_some_and(|last| last.ends_with(name)) || args.iter().any(|arg| names(arg, name))
        }
        TypeRef::Projection { base, .. } => names(base, name),
        TypeRef::Ref { inner, .. } | TypeRef::Slice(inner) => names(inner, name),
        TypeRef::Tuple(parts) | TypeRef::Bounds(parts) => parts.iter().any(|part| names(part, name)),
        TypeRef::Unknown => false,
    }
}
