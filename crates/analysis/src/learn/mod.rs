//! Which types of the workspace are transactions, and by which evidence?
//!
//! A type is one when it has a method that commits and one that gives up, or is gone when it commits, begins nothing on itself, and
//! (a) its `Drop`, or that of something it owns, tests a flag and then panics, warns or rolls back; or (b) it owns a library's
//! transaction which its commit ends; or (c) its commit runs COMMIT, or ends something of kind (a), (b) or (c) that it owns. A trait is
//! one when something outside of test code that implements it is one. One that no method gives up owns a library's transaction in any
//! case, or its commit runs COMMIT as text and its `Drop` runs ROLLBACK.

mod said;
mod setting;

use crate::index::{Index, ItemRef, Ty};
use said::{Said, names, undoing};
use sessionlint_diagnostics::{FileId, Span};
use sessionlint_ir::{ItemKind, Terminator, TypeRef};
use sessionlint_protocols::{DropClass, EndKind, Ending, LearnedProtocol, ProtocolId, ProtocolKind};
use std::collections::{BTreeMap, BTreeSet};

/// So many structs may stand around what a type is judged by.
const MAX_OWNED: u32 = 4;
/// So often one type may lead to another: a struct around a trait around a struct.
const MAX_ROUNDS: usize = 4;

/// A type of the workspace that is a transaction.
#[derive(Clone, Debug)]
pub struct Learned {
    /// The struct, enum or trait.
    pub item: ItemRef,
    /// What is asked of it.
    pub protocol: LearnedProtocol,
    /// What says so, the nearest first.
    pub evidence: Vec<Proof>,
}

/// One thing that says that a type is a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// Where it stands.
    pub at: Span,
    /// What it is: "`impl Drop for Tx`".
    pub source: String,
    /// What it says: "panics".
    pub says: String,
}

/// A type that has the methods.
struct Candidate {
    kind: ItemKind,
    name: String,
    ends: Vec<(ItemRef, EndKind)>,
}

/// What is known of a type.
#[derive(Clone)]
struct Verdict {
    class: DropClass,
    evidence: Vec<Proof>,
    /// Whether its layers say it all: what it owns is a library's own transaction, which is watched inside of it.
    is_layer: bool,
    /// Whether a connection of a library is held with it.
    holds: bool,
}

/// The transactions of a workspace, among the types whose methods stand in these files; in the order of their places.
pub fn learn(index: &Index<'_>, files: &[FileId]) -> Vec<Learned> {
    let learner = Learner { index, candidates: candidates(index, files) };
    let mut verdicts: BTreeMap<ItemRef, Verdict> = BTreeMap::new();
    for _ in 0..MAX_ROUNDS {
        let open = learner.candidates.iter().filter(|(item, _)| !verdicts.contains_key(item));
        let found: Vec<(ItemRef, Verdict)> = open
            .filter_map(|(item, candidate)| {
                let verdict = match candidate.kind {
                    ItemKind::Trait => learner.implemented(*item, &verdicts),
                    _ => learner.owned(*item, candidate, &verdicts),
                };
                Some((*item, verdict?))
            })
            .collect();
        if found.is_empty() {
            break;
        }
        verdicts.extend(found);
    }
    let mut learned: Vec<Learned> = verdicts
        .iter()
        .filter(|(_, verdict)| !verdict.is_layer)
        .filter_map(|(item, verdict)| Some(learner.learned(*item, learner.candidates.get(item)?, verdict)))
        .collect();
    learner.extended(files, &mut learned);
    learned.sort_by_key(|one| one.item);
    learned
}

struct Learner<'a, 'h> {
    index: &'a Index<'h>,
    candidates: BTreeMap<ItemRef, Candidate>,
}

/// The types that have a method that commits, one that gives up or are gone when they commit, and none that begins.
fn candidates(index: &Index<'_>, files: &[FileId]) -> BTreeMap<ItemRef, Candidate> {
    let words = index.model.learned_words();
    let mut owners: BTreeSet<ItemRef> = BTreeSet::new();
    for file in files {
        let Some(data) = index.host.data(*file) else { continue };
        for id in data.outline.ids() {
            let item = data.outline.item(id);
            if item.kind != ItemKind::Function || !words.commits.contains(&item.name) || data.outline.is_test(id) {
                continue;
            }
            if let Some(Ty::Own(owner, _)) = index.self_ty(ItemRef { file: *file, item: id }) {
                owners.insert(owner);
            }
        }
    }
    let own = |owner: ItemRef, names: &[String]| -> Vec<ItemRef> {
        let methods = names.iter().flat_map(|name| index.methods(owner, name));
        methods.filter(|method| index.signature(*method).is_some_and(|it| it.has_receiver)).collect()
    };
    let mut found = BTreeMap::new();
    for owner in owners {
        let Some(item) = index.item(owner) else { continue };
        let commits = words.commits.iter().map(|name| own(owner, std::slice::from_ref(name)));
        let Some(commits) = commits.into_iter().find(|methods| !methods.is_empty()) else { continue };
        let mut gives_up = own(owner, &words.gives_up);
        // Many things are saved that nothing gives up, and reading all their methods takes time.
        let is_clear = |method: &ItemRef| index.item(*method).map(|item| &item.name) == words.commits.first();
        if gives_up.is_empty() && commits.iter().any(is_clear) {
            gives_up = own(owner, &undoing(index, owner, item.kind));
        }
        let is_test = index.host.data(owner.file).is_some_and(|data| data.outline.is_test(owner.item));
        // One that begins is a connection, unless it is gone when it commits.
        let by_value = |method: &ItemRef| {
            let first =
                index.signature(*method).and_then(|signature| signature.params.first().map(|first| first.ty.clone()));
            first.is_some_and(|ty| !matches!(ty, TypeRef::Ref { .. }))
        };
        let begins = || {
            let names = index.methods_of(owner).into_iter().map(|(name, _)| name).filter(|name| words.begins(name));
            !own(owner, &names.collect::<Vec<_>>()).is_empty() && !commits.iter().all(by_value)
        };
        // What is gone when it commits can be given up by dropping it.
        let is_dropped = || commits.iter().all(|method| is_clear(method) && by_value(method));
        if (gives_up.is_empty() && !is_dropped()) || is_test || begins() {
            continue;
        }
        let ends = commits.into_iter().map(|method| (method, EndKind::Commit));
        let ends = ends.chain(gives_up.into_iter().map(|method| (method, EndKind::Rollback))).collect();
        found.insert(owner, Candidate { kind: item.kind, name: item.name.clone(), ends });
    }
    found
}

impl Learner<'_, '_> {
    /// What says that a struct or enum is a transaction.
    fn owned(&self, item: ItemRef, candidate: &Candidate, verdicts: &BTreeMap<ItemRef, Verdict>) -> Option<Verdict> {
        let commit = self.commit_of(candidate)?;
        let ended = Said::with_own(self.index, item, commit);
        let source = format!("`{}::{}`", candidate.name, self.name(commit));
        let mut inside = Inside::default();
        self.look_inside(item, &mut inside, 0);
        let inside_holds = || inside.owned.iter().filter_map(|owned| verdicts.get(owned)).any(|known| known.holds);
        let holds = inside.connection || ended.commits_text || inside_holds();
        let gives_up = candidate.ends.iter().any(|(_, kind)| *kind == EndKind::Rollback);
        // (a): the type itself, or something it owns that its commit ends.
        let dropped = std::iter::once(item).chain(inside.owned.iter().copied());
        let may_undo = gives_up || !inside.sessions.is_empty();
        for owner in dropped {
            let is_ended = owner == item || (self.candidates.contains_key(&owner) && ended.ends());
            // Without a method that gives it up: `commit` runs COMMIT, and `Drop` runs ROLLBACK.
            let is_undone = || may_undo || (owner == item && ended.commits_text && self.drop_runs_rollback(item));
            if is_ended
                && is_undone()
                && let Some((class, evidence)) = self.drop_of(owner)
            {
                // A library's transaction inside rolls back, whatever is said about it.
                let library = inside.sessions.iter().next().and_then(|id| self.index.model.protocol(*id).class);
                let class = if class == DropClass::F { library.unwrap_or(class) } else { class };
                return Some(Verdict { class, evidence: vec![evidence], is_layer: false, holds });
            }
        }
        // (c) with (a) or (c): what it owns is known, and its commit ends that.
        let known = inside.owned.iter().find_map(|owned| verdicts.get(owned));
        if let Some(known) = known.filter(|_| ended.ends()) {
            let mut verdict = Verdict { holds, ..known.clone() };
            verdict.evidence.insert(0, self.proof(commit, format!("`{}`", candidate.name), "ends what it owns"));
            return Some(verdict);
        }
        // (b)
        let library = inside.sessions.iter().find(|id| {
            let endings = &self.index.model.protocol(**id).endings;
            endings.iter().any(|end| end.kind == EndKind::Commit && ended.calls.contains(&end.call))
        });
        if let Some(library) = library {
            let protocol = self.index.model.protocol(*library);
            let says = format!("ends a {} of {}", protocol.noun(), self.index.model.library(protocol.library).name);
            let evidence = vec![self.proof(commit, source, &says)];
            return Some(Verdict { class: protocol.class?, evidence, is_layer: true, holds });
        }
        // (c) itself: what dropping it does is not known. That it keeps nothing is.
        if (ended.commits_text || ended.releases_text) && gives_up && !setting::keeps_when_dropped(self.index, item) {
            let says = if ended.commits_text { "runs COMMIT" } else { "runs RELEASE" };
            let mut evidence = vec![self.proof(commit, source, says)];
            let undone = self.undone_by(item);
            let class = undone.as_ref().map_or(DropClass::B, |(class, _)| *class);
            evidence.extend(undone.map(|(_, proof)| proof));
            return Some(Verdict { class, evidence, is_layer: false, holds });
        }
        None
    }

    /// What says that a trait is a transaction: something that implements it.
    fn implemented(&self, item: ItemRef, verdicts: &BTreeMap<ItemRef, Verdict>) -> Option<Verdict> {
        let implementors = self.index.implementors(item);
        let known = implementors.iter().filter_map(|ty| match ty {
            Ty::Own(owner, _) => verdicts.get(owner),
            _ => None,
        });
        let known: Vec<&Verdict> = known.collect();
        let holds = known.iter().any(|verdict| verdict.holds);
        // Who only knows the trait cannot count on more than the worst of what dropping may do.
        let verdict = known.into_iter().rev().max_by_key(|verdict| verdict.class)?;
        Some(Verdict { is_layer: false, holds, ..verdict.clone() })
    }

    /// Adds the traits that stand for known ones: `trait MintTx: Finalizer`.
    fn extended(&self, files: &[FileId], learned: &mut Vec<Learned>) {
        for _ in 0..MAX_ROUNDS {
            let mut found = Vec::new();
            for file in files {
                let Some(data) = self.index.host.data(*file) else { continue };
                for id in data.outline.ids().filter(|id| data.outline.item(*id).kind == ItemKind::Trait) {
                    let item = ItemRef { file: *file, item: id };
                    if data.outline.is_test(id) || learned.iter().any(|one| one.item == item) {
                        continue;
                    }
                    let above = self.index.supertraits(item);
                    if let Some(known) = learned.iter().find(|one| above.contains(&one.item)) {
                        let mut protocol = known.protocol.clone();
                        protocol.path = self.path(item);
                        let mut evidence = known.evidence.clone();
                        let says = format!("stands for `{}`", self.name(known.item));
                        evidence.insert(0, self.proof(item, format!("`{}`", self.name(item)), &says));
                        found.push(Learned { item, protocol, evidence });
                    }
                }
            }
            if found.is_empty() {
                break;
            }
            learned.extend(found);
        }
    }

    fn learned(&self, item: ItemRef, candidate: &Candidate, verdict: &Verdict) -> Learned {
        let mut endings: Vec<Ending> = Vec::new();
        let mut ends_by_reference = true;
        for (method, kind) in &candidate.ends {
            let Some(signature) = self.index.signature(*method) else { continue };
            let by_value = signature.params.first().is_some_and(|it| !matches!(it.ty, TypeRef::Ref { .. }));
            ends_by_reference &= !by_value;
            let mut end = Ending::own(self.name(*method), *kind, signature.gives_future());
            end.fallible = names(&signature.output, "Result");
            if endings.iter().all(|known| known.call != end.call) {
                endings.push(end);
            }
        }
        let learned_from = verdict.evidence.last().map_or_else(String::new, |proof| proof.source.clone());
        let on_drop = match verdict.class {
            DropClass::A | DropClass::B | DropClass::D => "does not keep what was written",
            DropClass::C => "starts a rollback in the background, which is lost if the runtime ends first",
            DropClass::E | DropClass::F => "only warns, and ends nothing by itself",
            DropClass::G => "panics",
        };
        let protocol = LearnedProtocol {
            path: self.path(item),
            class: verdict.class,
            on_drop: format!("{on_drop} (learned from {learned_from})"),
            hands_off: self.hands_off(item, candidate, &endings),
            endings,
            ends_by_reference,
            learned_from,
            holds_connection: verdict.holds,
        };
        Learned { item, protocol, evidence: verdict.evidence.clone() }
    }

    /// The methods of a type that may end it, beside those that say so: they call one that does, or take the value and give
    /// something else.
    fn hands_off(&self, item: ItemRef, candidate: &Candidate, endings: &[Ending]) -> Vec<String> {
        let methods = self.index.methods_of(item);
        let is_end = |name: &str| endings.iter().any(|end| end.call == name);
        let mut found: BTreeSet<String> = BTreeSet::new();
        let said: Vec<(String, Said, bool)> = methods
            .into_iter()
            .filter(|(name, method)| {
                !is_end(name) && self.index.signature(*method).is_some_and(|signature| signature.has_receiver)
            })
            .map(|(name, method)| {
                let by_value = self.index.signature(method).is_some_and(|signature| {
                    let first = signature.params.first();
                    let by_value = first.is_some_and(|first| !matches!(first.ty, TypeRef::Ref { .. }));
                    by_value && !names(&signature.output, "Self") && !names(&signature.output, &candidate.name)
                });
                (name, Said::of(self.index, method), by_value)
            })
            .collect();
        found.extend(said.iter().filter(|(_, said, by_value)| *by_value || said.ends()).map(|(name, ..)| name.clone()));
        found.extend(setting::changed_by(self.index, item).unwrap_or_default());
        loop {
            let more: Vec<String> = said
                .iter()
                .filter(|(name, said, _)| !found.contains(name) && said.calls.iter().any(|call| found.contains(call)))
                .map(|(name, ..)| name.clone())
                .collect();
            if more.is_empty() {
                break;
            }
            found.extend(more);
        }
        found.into_iter().collect()
    }

    /// The method that commits and has a body.
    fn commit_of(&self, candidate: &Candidate) -> Option<ItemRef> {
        let commits = candidate.ends.iter().filter(|(_, kind)| *kind == EndKind::Commit).map(|(method, _)| *method);
        commits.into_iter().find(|method| self.index.item(*method).is_some_and(|item| item.body.is_some()))
    }

    /// Whether a type's own `Drop` runs ROLLBACK as text.
    fn drop_runs_rollback(&self, item: ItemRef) -> bool {
        self.index.methods(item, "drop").into_iter().any(|drop| {
            let said = Said::with_own(self.index, item, drop);
            said.rollback_text
        })
    }

    /// What a type's own `Drop` does when nobody ended it.
    fn drop_of(&self, item: ItemRef) -> Option<(DropClass, Proof)> {
        let drop = self.index.methods(item, "drop").into_iter().next()?;
        let function = self.index.function(drop)?;
        let body = function.body.as_ref()?;
        let said = Said::with_own(self.index, item, drop);
        if said.commits || said.commits_text || said.calls.contains("flush") {
            return None;
        }
        let is_test = |end: &Terminator| matches!(end, Terminator::Test { role, .. } if role.is_decision());
        let tests = body.blocks.iter().any(|block| is_test(&block.terminator));
        let name = self.name(item);
        let (class, does) = match () {
            () if said.panics && tests => (DropClass::G, "panics"),
            () if said.gives_up() => rolls_back(&said),
            // Whoever gets what was inside may well roll it back.
            () if said.spawns || said.sends => return None,
            () if said.warns && tests => (DropClass::F, "warns of one that is still open"),
            () => return None,
        };
        Some((class, self.proof(drop, format!("`impl Drop for {name}`"), does)))
    }

    /// What a type's own `Drop` does that rolls back, whatever else a setting may have it do.
    fn undone_by(&self, item: ItemRef) -> Option<(DropClass, Proof)> {
        let drop = self.index.methods(item, "drop").into_iter().next()?;
        let said = Said::with_own(self.index, item, drop);
        let (class, does) = said.gives_up().then(|| rolls_back(&said))?;
        Some((class, self.proof(drop, format!("`impl Drop for {}`", self.name(item)), does)))
    }

    /// What a type owns: types of the workspace, and transactions of libraries.
    fn look_inside(&self, item: ItemRef, inside: &mut Inside, depth: u32) {
        if depth > MAX_OWNED {
            return;
        }
        for field in &self.index.fields_of(item).0 {
            // A reference is somebody else's; behind a lock or `Arc` it is still this one's.
            if !matches!(field.ty, TypeRef::Ref { .. }) {
                self.add(&self.index.field_or_default(item, &field.name), inside, depth);
            }
        }
    }

    fn add(&self, ty: &Ty, inside: &mut Inside, depth: u32) {
        match ty {
            Ty::Own(owned, _) => {
                if inside.owned.insert(*owned) {
                    self.look_inside(*owned, inside, depth + 1);
                }
            }
            Ty::Known(id) if self.index.model.protocol(*id).is_session() => {
                let protocol = self.index.model.protocol(*id);
                inside.connection |= protocol.is_transaction() || protocol.kind == ProtocolKind::Connection;
                if protocol.is_transaction() {
                    inside.sessions.insert(*id);
                }
            }
            Ty::Ref(inner) | Ty::Fallible(inner) | Ty::Cell(inner) | Ty::Lock(inner, _) => {
                self.add(inner, inside, depth)
            }
            Ty::Tuple(parts) => parts.iter().for_each(|part| self.add(part, inside, depth)),
            Ty::Known(_) | Ty::Statement | Ty::Work(_) | Ty::Future(_) | Ty::Collection(_) | Ty::Unknown => {}
        }
    }

    fn name(&self, item: ItemRef) -> String {
        self.index.item(item).map(|item| item.name.clone()).unwrap_or_default()
    }

    fn path(&self, item: ItemRef) -> String {
        let mut path = vec![self.index.crate_of(item.file)];
        path.extend(self.index.module_of(item));
        path.push(self.name(item));
        path.join("::")
    }

    fn proof(&self, item: ItemRef, source: String, says: &str) -> Proof {
        let at = self.index.item(item).map_or(Span { file: item.file, start: 0, end: 0 }, |item| item.header());
        Proof { at, source, says: says.to_owned() }
    }
}

/// How a `Drop` gives up what was written.
fn rolls_back(said: &Said) -> (DropClass, &'static str) {
    match () {
        () if said.spawns => (DropClass::C, "hands its rollback on"),
        () if said.sends => (DropClass::B, "sends its rollback"),
        // Another name may only see to it that somebody else does.
        () if said.rollback_text => (DropClass::A, "rolls back"),
        () => (DropClass::B, "rolls back"),
    }
}

/// What a type owns.
#[derive(Default)]
struct Inside {
    owned: BTreeSet<ItemRef>,
    sessions: BTreeSet<ProtocolId>,
    /// Whether a connection is among it, with or without a transaction.
    connection: bool,
}
