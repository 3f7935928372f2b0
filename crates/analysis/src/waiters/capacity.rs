//! How many connections has the pool that a session is of, and who says so? The one number that all of its makers set, or what holds where
//! none of them sets any. Nothing is said where they differ, or where what one of them sets is not seen.

use super::size::SIZE;
use super::starts::statements;
use crate::capacity::{Capacity, PoolSize};
use crate::fingerprint::fingerprint;
use crate::grounds;
use crate::index::{ItemRef, PackageId, Resolved, Scope, Ty};
use crate::question::About;
use crate::summary::Analysis;
use sessionlint_diagnostics::{FileId, Span};
use sessionlint_ir::{Body, Call, Callee, ItemKind, Literal, Operand, Rvalue, TypeRef};
use sessionlint_protocols::{Model, ProtocolId, ProtocolKind, Setting, Source};
use std::collections::BTreeSet;
use std::sync::PoisonError;

/// What sets how long a call waits for a connection.
const PATIENCE: &str = "acquire timeout";

impl Analysis<'_> {
    /// How many connections the pool has that a session in a file is of.
    pub(super) fn capacity(&self, file: FileId, session: ProtocolId) -> Option<Capacity> {
        self.capacity_in(self.index.package_id(file), session)
    }

    pub(crate) fn capacity_in(&self, package: PackageId, session: ProtocolId) -> Option<Capacity> {
        let find = || self.found_capacity(package, session);
        if grounds::is_wanted() {
            let weigh = |found: &Option<Capacity>| {
                let places = found.as_ref().map(|found| (&found.size, found.by_default, self.index.inside(found.at)));
                fingerprint(&(places, found.as_ref().map(|found| &found.patience)))
            };
            return self.index.noted(About::Capacity(package, session), weigh, find, |_| true);
        }
        let known = self.capacities.read().unwrap_or_else(PoisonError::into_inner).get(&(package, session)).cloned();
        known.unwrap_or_else(|| {
            let found = find();
            let mut known = self.capacities.write().unwrap_or_else(PoisonError::into_inner);
            known.entry((package, session)).or_insert(found).clone()
        })
    }

    fn found_capacity(&self, package: PackageId, session: ProtocolId) -> Option<Capacity> {
        let makers = Makers::of(self.index.model, session)?;
        let (mut found, mut loose) = (Vec::new(), Vec::new());
        let (mut patience, mut names_builder) = (makers.patience.map(|known| known.default.clone()), false);
        for file in self.index.files_around(package) {
            let Some(data) = self.index.host.data(file) else { continue };
            let has = |words: &[String]| words.iter().any(|word| data.text.contains(word.as_str()));
            if makers.patience.is_some_and(|known| data.text.contains(&known.call)) {
                patience = None;
            }
            names_builder |= has(&makers.builder_names);
            let mut is_set_otherwise = has(&makers.size.also);
            for (id, known) in data.outline.ids().zip(&data.outline.items) {
                let text = known.body.and_then(|body| data.text.get(body.start as usize..body.end as usize));
                let is_maker = |text: &str| makers.words.iter().any(|word| text.contains(word.as_str()));
                if known.kind == ItemKind::Function && text.is_some_and(is_maker) && !data.outline.is_test(id) {
                    let here = self.made_in(ItemRef { file, item: id }, &makers)?;
                    is_set_otherwise &= !here.passes;
                    found.extend(here.sizes);
                    loose.extend(here.loose);
                }
            }
            if is_set_otherwise {
                return None;
            }
        }
        match loose.as_slice() {
            [] => {}
            _ if names_builder => return None,
            loose => found.extend(loose.iter().map(|at| makers.by_default(*at))),
        }
        let first = found.iter().find(|one| !one.by_default).or_else(|| found.first())?.clone();
        found.iter().all(|one| one.size == first.size).then_some(Capacity { patience, ..first })
    }

    /// The pools that a function makes; `None` where it is not seen how many connections one of them has.
    fn made_in(&self, item: ItemRef, makers: &Makers<'_>) -> Option<MadeHere> {
        let mut here = MadeHere::default();
        let Some(function) = self.index.function(item) else { return Some(here) };
        let Some(body) = &function.body else { return Some(here) };
        let generics = self.index.generics_around(item, &function.signature.generics);
        let scope = self.scope(item, body, &generics);
        let mut calls = Vec::new();
        all_calls(body, &mut calls);
        let (mut builders, mut made): (Vec<Span>, bool) = (Vec::new(), false);
        for call in calls {
            let set = || {
                let number = self.number(&scope, call.args.first()?)?;
                Some(Capacity { size: PoolSize::Number(number), by_default: false, at: call.name_span, patience: None })
            };
            match &call.callee {
                Callee::Method { name, .. } if *name == makers.size.call => here.sizes.push(set()?),
                Callee::Method { name, .. } => made |= makers.makes.contains(name.as_str()),
                Callee::Path { segments, qualifier: None } => match self.making(&scope, makers, segments) {
                    Some(Making::Builder) => builders.push(call.name_span),
                    Some(Making::Pool) => here.loose.push(call.name_span),
                    Some(Making::PoolByDefault) => here.sizes.push(makers.by_default(call.name_span)),
                    Some(Making::Passed) => {
                        here.sizes.push(set()?);
                        here.passes = true;
                    }
                    None => {}
                },
                _ => {}
            }
        }
        let set = here.sizes.iter().filter(|one| !one.by_default).count();
        match builders.first() {
            Some(at) if set == 0 && (made || !here.loose.is_empty()) => here.sizes.push(makers.by_default(*at)),
            // Somebody else goes on with what builds it, or builds it and sets the size only here.
            Some(_) if set < builders.len() => return None,
            None if set > 0 && !here.passes => return None,
            _ => {}
        }
        if !builders.is_empty() {
            here.loose.clear();
        }
        Some(here)
    }

    /// What a call by path makes.
    fn making(&self, scope: &Scope<'_>, makers: &Makers<'_>, path: &[String]) -> Option<Making> {
        let (call, owner) = path.split_last()?;
        if makers.size.also.contains(owner.last()?) {
            return Some(Making::Passed);
        }
        let written = TypeRef::Path { segments: owner.to_vec(), args: Vec::new() };
        if let Ty::Known(ty) = self.index.ty(scope, &written).peeled() {
            let opens = |id: &ProtocolId| {
                let mut openings = self.index.model.protocol(*id).openings.iter();
                openings.any(|known| known.source == Source::Associated(*ty) && known.call == *call)
            };
            if makers.builders.contains(ty) || makers.builders.iter().any(opens) {
                return Some(Making::Builder);
            }
            return makers.pools.iter().any(opens).then_some(Making::PoolByDefault);
        }
        let Some(Resolved::External(full)) = self.index.resolve(scope, path) else { return None };
        let full = full.join("::");
        makers.functions.iter().any(|function| full == *function).then_some(Making::Pool)
    }

    /// The number that an operand is: a literal, or a constant of one.
    fn number(&self, scope: &Scope<'_>, operand: &Operand) -> Option<usize> {
        match operand {
            Operand::Literal(Literal::Number(number)) => usize::try_from(*number).ok(),
            Operand::Item(path) => {
                let Some(Resolved::Item(item, rest)) = self.index.resolve(scope, path) else { return None };
                if !rest.is_empty() || self.index.item(item)?.kind != ItemKind::Constant {
                    return None;
                }
                let (text, _) = self.index.item_text(item, |item| item.head)?;
                text.rsplit('=').next()?.trim().trim_end_matches(';').replace('_', "").parse().ok()
            }
            _ => None,
        }
    }
}

/// What a call makes.
enum Making {
    /// What a pool is built with.
    Builder,
    /// A pool, of options that may come from elsewhere.
    Pool,
    /// A pool without options.
    PoolByDefault,
    /// What sets the size, and is passed on.
    Passed,
}

/// The pools that a function makes.
#[derive(Default)]
struct MadeHere {
    sizes: Vec<Capacity>,
    /// Where one is made of something that may say how many connections it has.
    loose: Vec<Span>,
    /// Whether what sets the size is passed on.
    passes: bool,
}

/// What makes the pools that a session may be of.
struct Makers<'m> {
    pools: Vec<ProtocolId>,
    builders: Vec<ProtocolId>,
    size: &'m Setting,
    patience: Option<&'m Setting>,
    /// Methods of a builder that make a pool.
    makes: BTreeSet<&'m str>,
    /// Functions that make one, by path.
    functions: Vec<&'m str>,
    builder_names: Vec<String>,
    /// A function that makes one has any of these.
    words: Vec<String>,
}

impl<'m> Makers<'m> {
    fn of(model: &'m Model, session: ProtocolId) -> Option<Self> {
        let lent_by = model.protocol(session).openings.iter().filter_map(|opening| match opening.source {
            Source::Method(pool) if model.protocol(pool).lends => Some(pool),
            _ => None,
        });
        let pools: BTreeSet<ProtocolId> = lent_by.collect();
        let mut configured = pools.iter().filter_map(|pool| model.protocol(*pool).configured_by);
        let builder = configured.next().filter(|_| configured.next().is_none())?;
        let setting = |sets: &str| model.protocol(builder).settings.iter().find(|known| known.sets == sets);
        let (mut builders, mut makes, mut functions) = (vec![builder], BTreeSet::new(), Vec::new());
        for opening in pools.iter().flat_map(|pool| &model.protocol(*pool).openings) {
            match &opening.source {
                Source::Method(by) if model.protocol(*by).kind == ProtocolKind::Builder => {
                    builders.push(*by);
                    makes.insert(opening.call.as_str());
                }
                Source::Function(path) => functions.push(path.as_str()),
                _ => {}
            }
        }
        let size = setting(SIZE)?;
        let names = |ids: &[ProtocolId]| -> Vec<String> {
            let paths = ids.iter().flat_map(|id| &model.protocol(*id).paths);
            paths.filter_map(|path| path.rsplit("::").next()).map(str::to_owned).collect()
        };
        let pools: Vec<ProtocolId> = pools.into_iter().collect();
        let builder_names = names(&builders);
        let types = builder_names.iter().cloned().chain(names(&pools));
        let of_functions = functions.iter().filter_map(|path| path.rsplit("::").nth(1)).map(str::to_owned);
        let mut words: Vec<String> = types.chain(of_functions).map(|name| format!("{name}::")).collect();
        words.extend(size.also.iter().cloned());
        words.push(format!(".{}(", size.call));
        // Of a type that has another name in the project.
        words.push("::builder(".to_owned());
        Some(Self { pools, builders, size, patience: setting(PATIENCE), makes, functions, builder_names, words })
    }

    fn by_default(&self, at: Span) -> Capacity {
        let default = &self.size.default;
        let size = default.parse().map_or_else(|_| PoolSize::Words(default.clone()), PoolSize::Number);
        Capacity { size, by_default: true, at, patience: None }
    }
}

/// The calls in a body and in those inside of it.
fn all_calls<'b>(body: &'b Body, found: &mut Vec<&'b Call>) {
    found.extend(statements(body).filter_map(|(_, _, value)| match value {
        Rvalue::Call(call) => Some(call),
        _ => None,
    }));
    body.children.iter().for_each(|child| all_calls(child, found));
}
