//! Do several fields of a struct hold the same pool, whoever makes one? `Self { mailer: Mailer::new(pool.clone()), pool }`.

use crate::fingerprint::fingerprint;
use crate::grounds;
use crate::index::{ItemRef, Ty};
use crate::question::{About, Asking};
use crate::solver::Solver;
use crate::summary::Analysis;
use crate::value::{Origin, Root, Value};
use crate::world::World;
use sessionlint_diagnostics::FileId;
use sessionlint_ir::{AggregateKind, Body, ItemId, ItemKind, Rvalue};
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};

/// More functions than this are not asked how they make a struct.
const MAX_MAKERS: usize = 8;

/// The fields that lead to pools, and where each of these comes from.
type Parts = BTreeMap<Vec<String>, Origin>;

/// The ways in which a body makes structs of one type.
pub(crate) struct Makings {
    of: ItemRef,
    made: Vec<Parts>,
}

/// Ways to a pool, each with the first of those that lead to the same one.
pub(crate) type Siblings = BTreeMap<Vec<String>, Vec<String>>;

impl Analysis<'_> {
    /// The fields of a struct that hold the same pool in all that are made.
    pub(crate) fn siblings(&self, owner: ItemRef) -> Arc<Siblings> {
        if grounds::is_wanted() {
            let find = || Arc::new(self.siblings_of(owner).unwrap_or_default());
            return self.index.noted(About::Siblings(owner), fingerprint, find, |_| true);
        }
        if let Some(known) = self.siblings.read().unwrap_or_else(PoisonError::into_inner).get(&owner) {
            return Arc::clone(known);
        }
        let found = Arc::new(self.siblings_of(owner).unwrap_or_default());
        self.siblings.write().unwrap_or_else(PoisonError::into_inner).insert(owner, Arc::clone(&found));
        found
    }

    /// `None` where not all ways to make one are known.
    fn siblings_of(&self, owner: ItemRef) -> Option<Siblings> {
        let (name, makers) = (&self.index.item(owner)?.name, self.makers(owner)?);
        let data = self.index.host.data(owner.file)?;
        let mut all: Vec<Parts> = Vec::new();
        let mut makes = 0;
        for maker in makers {
            let made = self.asked(maker, &Asking::default(), |mut solver| {
                let (written, inside) = (literals(solver.body, name), literals_inside(solver.body, name));
                if written == 0 && inside == 0 {
                    return Some(Vec::new());
                }
                solver.makings = Some(Makings { of: owner, made: Vec::new() });
                let world = solver.parameters(World::default());
                solver.summarise(world);
                let made = solver.makings.map(|makings| makings.made)?;
                // What a closure makes is not seen.
                (inside == 0 && !solver.gave_up).then_some(made)
            })?;
            makes += usize::from(!made.is_empty());
            all.extend(made);
        }
        let (first, rest) = all.split_first().filter(|_| makes <= MAX_MAKERS)?;
        let mut found = Siblings::new();
        for (path, origin) in first {
            let same = |other: &&Vec<String>| {
                first[*other] == *origin
                    && rest.iter().all(|parts| parts.contains_key(path) && parts.get(path) == parts.get(*other))
            };
            let twin = first.keys().find(same).filter(|twin| *twin != path);
            let is_fixed = |path: &[String]| path.first().is_some_and(|field| !is_set(&data.text, field));
            if let Some(twin) = twin.filter(|twin| is_fixed(twin) && is_fixed(path)) {
                found.insert(path.clone(), twin.clone());
            }
        }
        Some(found)
    }

    /// The functions of its own file that may make a struct, test code left out; `None` where another file may, too.
    pub(crate) fn makers(&self, owner: ItemRef) -> Option<Vec<ItemRef>> {
        let name = &self.index.item(owner).filter(|item| item.kind == ItemKind::Struct)?.name;
        self.index.reads_package(owner.file);
        let others = self.index.package_of(owner.file).indexed.iter().filter(|file| **file != owner.file);
        if others.into_iter().any(|file| self.may_make(*file, name)) {
            return None;
        }
        let data = self.index.host.data(owner.file)?;
        let may_make = |id: &ItemId| {
            let function = data.outline.item(*id);
            let body = function.body.filter(|_| function.kind == ItemKind::Function && !data.outline.is_test(*id));
            let text = body.and_then(|body| data.text.get(body.start as usize..body.end as usize));
            let maker = ItemRef { file: owner.file, item: *id };
            let is_own = || matches!(self.index.self_ty(maker), Some(Ty::Own(of, _)) if of == owner);
            text.is_some_and(|text| text.contains(name.as_str()) || (text.contains("Self") && is_own()))
        };
        Some(data.outline.ids().filter(may_make).map(|item| ItemRef { file: owner.file, item }).collect())
    }

    /// Whether a file may have an expression that makes a struct of this name.
    fn may_make(&self, file: FileId, name: &str) -> bool {
        let Some(data) = self.index.host.data(file) else { return false };
        let is_made = |(at, _): (usize, &str)| {
            let (before, after) = (data.text[..at].trim_end(), data.text[at + name.len()..].trim_start());
            let is_block = ["for", "impl", "->", "struct"].iter().any(|word| before.ends_with(word));
            (after.starts_with('{') && !is_block) || after.starts_with('(')
        };
        data.text.match_indices(name).any(is_made)
    }
}

impl Solver<'_> {
    /// A struct is made: which pools are in it?
    pub(crate) fn makes_struct(&mut self, world: &World, item: ItemRef, fields: &[String], values: &[Value]) {
        if self.makings.as_ref().is_none_or(|makings| makings.of != item) {
            return;
        }
        let part = |(field, value): (&String, &Value)| {
            let source = self.source_of(world, value);
            let lends = matches!(value, Value::Typed(ty, _) if self.lends(ty));
            match source.part {
                Some((steps, origin)) => {
                    let path: Vec<String> = std::iter::once(field.clone()).chain(steps).collect();
                    Some((path, origin))
                }
                None => Some((vec![field.clone()], source.whole.filter(|_| lends)?)),
            }
        };
        let parts = fields.iter().zip(values).filter_map(part).collect();
        if let Some(makings) = &mut self.makings {
            makings.made.push(parts);
        }
    }

    /// Whether two origins are the same pool.
    pub(crate) fn is_same_pool(&self, one: &Origin, other: &Origin) -> bool {
        let is_sibling = || self.reporting && one.root == other.root && self.first_way(one) == self.first_way(other);
        one == other || is_sibling()
    }

    /// The first of the ways that lead to the same pool.
    fn first_way(&self, origin: &Origin) -> Origin {
        let Root::Local(local) = origin.root else { return origin.clone() };
        let written = self.body.locals[local.index()].ty.as_ref();
        let mut ty = written.map_or(Ty::Unknown, |written| self.index.ty(&self.scope, written));
        for at in 0..origin.path.len() {
            let Ty::Own(owner, _) = ty.peeled().clone() else { break };
            if let Some(twin) = self.analysis.siblings(owner).get(&origin.path[at..]) {
                let path = origin.path[..at].iter().chain(twin).cloned().collect();
                return Origin { root: origin.root.clone(), path };
            }
            ty = self.index.field_ty(owner, &origin.path[at]);
        }
        origin.clone()
    }
}

/// How many structs of a name a body makes itself.
fn literals(body: &Body, name: &str) -> usize {
    let is_one = |value: &Rvalue| match value {
        Rvalue::Aggregate(AggregateKind::Struct(path), _) => {
            path.last().is_some_and(|last| last == name || last == "Self")
        }
        Rvalue::Call(call) => match &call.callee {
            sessionlint_ir::Callee::Path { segments, .. } => {
                segments.last().is_some_and(|last| last == name || last == "Self")
            }
            _ => false,
        },
        _ => false,
    };
    body.assignments().filter(|(_, value)| is_one(value)).count()
}

/// How many the closures and blocks in it make.
fn literals_inside(body: &Body, name: &str) -> usize {
    body.children.iter().map(|child| literals(child, name) + literals_inside(child, name)).sum()
}

/// Whether a text stores something in a field of this name.
fn is_set(text: &str, field: &str) -> bool {
    let dotted = format!(".{field}");
    text.match_indices(&dotted).any(|(at, _)| {
        let after = text[at + dotted.len()..].trim_start();
        after.starts_with('=') && !after.starts_with("==")
    })
}
