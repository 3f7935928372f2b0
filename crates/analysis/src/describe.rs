//! How is what a function does told in one line? For tests that pin it.

use crate::index::{ItemRef, Ty};
use crate::known::Known;
use crate::question::{Asking, Effect, LentAs};
use crate::sql::{Hold, SqlControl};
use crate::summary::Analysis;
use crate::value::{Layer, Origin, Root};
use crate::workload::{Deed, Fresh, Given};
use sessionlint_ir::Signature;
use sessionlint_protocols::{EndKind, ProtocolId};

impl Analysis<'_> {
    /// What a function does to the sessions that it is lent, which pools and slow work it needs, and what it
    /// gives; empty when that is nothing.
    pub fn describe(&self, item: ItemRef) -> String {
        let Some(signature) = self.index.signature(item) else { return String::new() };
        let mut parts = Vec::new();
        for (param, declared) in signature.params.iter().enumerate() {
            let name = declared.name.clone().unwrap_or_else(|| format!("#{param}"));
            let Some((protocol, layers)) = self.lendable(item, &signature, param) else { continue };
            let lent = LentAs { param, protocol, layers, known: Known::new() };
            if let Some(effect) = self.effect(item, &lent, &Asking::default()) {
                parts.extend(effect_words(&effect, &name));
            }
        }
        let summary = self.summary(item, &Known::new(), &Asking::default());
        let origin = |origin: &Origin| origin_words(origin, &signature, |item| self.name_of(item));
        parts.extend(summary.workload.0.keys().filter_map(|deed| self.deed_words(deed, &signature, &origin)));
        if let Some(given) = summary.gives.as_ref().and_then(|given| self.given_words(given, &origin)) {
            parts.push(format!("gives {given}"));
        }
        parts.join("; ")
    }

    /// A deed, as completing "the function ..".
    pub(crate) fn deed_words(
        &self,
        deed: &Deed,
        signature: &Signature,
        origin: &dyn Fn(&Origin) -> String,
    ) -> Option<String> {
        Some(match deed {
            Deed::Checkout(pool) => format!("takes a connection of {}", origin(pool)),
            Deed::Execute { pool, writes: true } => format!("writes on {}", origin(pool)),
            Deed::Execute { pool, writes: false } => format!("reads on {}", origin(pool)),
            Deed::Outside(wait) => format!("waits for {}", wait.what),
            // Of every function that opens a transaction: it says nothing.
            Deed::Begins(_) | Deed::Ends(..) => return None,
            Deed::Makes { protocol, .. } => format!("makes a {}", self.index.model.protocol(*protocol).id),
            Deed::Runs { param, held } => {
                let closure = signature.params.get(*param).and_then(|param| param.name.clone()).unwrap_or_default();
                match held {
                    Some((protocol, pool)) => {
                        let of = pool.as_ref().map(|pool| format!(" of {}", origin(pool))).unwrap_or_default();
                        format!("runs {closure} inside {}{of}", self.index.model.protocol(*protocol).id)
                    }
                    None => format!("runs {closure}"),
                }
            }
        })
    }

    pub(crate) fn name_of(&self, item: ItemRef) -> String {
        self.index.item(item).map(|item| item.name.clone()).unwrap_or_default()
    }

    /// The session that a parameter may be lent, by its type, and what stands around it.
    pub(crate) fn lendable(
        &self,
        item: ItemRef,
        signature: &Signature,
        param: usize,
    ) -> Option<(ProtocolId, Vec<Layer>)> {
        let generics = self.index.generics_around(item, &signature.generics);
        let mut scope = self.index.scope_of(item);
        scope.generics = &generics;
        scope.self_ty = self.index.self_ty(item);
        let ty = self.index.ty(&scope, &signature.params[param].ty);
        match ty.peeled() {
            Ty::Known(protocol) if self.index.model.protocol(*protocol).is_session() => Some((*protocol, Vec::new())),
            Ty::Own(owner, _) => {
                let (_, protocol) = self.index.owned_session(*owner)?;
                Some((protocol, self.index.owned_layers(*owner)))
            }
            _ => None,
        }
    }

    pub(crate) fn given_words(&self, given: &Given, origin: &dyn Fn(&Origin) -> String) -> Option<String> {
        Some(match given {
            Given::Unknown | Given::Nothing | Given::Made => return None,
            Given::Success(inner) | Given::Maybe(inner) => self.given_words(inner, origin)?,
            Given::Part(item, field, inner) => {
                format!("{}.{} = {}", self.name_of(*item), field, self.given_words(inner, origin)?)
            }
            Given::Session(Fresh { protocol, pool, .. }) => {
                let of = pool.as_ref().map(|pool| format!(" of {}", origin(pool))).unwrap_or_default();
                format!("{}{of}", self.index.model.protocol(*protocol).id)
            }
            Given::Variants(item, held) => {
                let words = held.iter().filter_map(|(variant, given)| {
                    Some(format!("{}{variant} = {}", self.name_of(*item), self.given_words(given, origin)?))
                });
                words.collect::<Vec<_>>().join(" or ")
            }
            Given::Tuple(parts) => {
                let words = parts.iter().filter_map(|part| self.given_words(part, origin));
                words.reduce(|all, one| format!("{all} and {one}"))?
            }
            Given::Of(from) => origin(from),
            Given::Truth(holds) => holds.to_string(),
        })
    }
}

pub(crate) fn effect_words(effect: &Effect, name: &str) -> Vec<String> {
    let mut words = Vec::new();
    if effect.writes {
        words.push(format!("writes through {name}"));
    }
    words.extend(effect.ends.iter().map(|end| match end {
        EndKind::Commit => format!("commits {name}"),
        EndKind::Rollback => format!("rolls {name} back"),
        EndKind::Close => format!("closes {name}"),
    }));
    words.extend(effect.texts.iter().map(|text| {
        let statement = match text {
            SqlControl::Begin => "BEGIN",
            SqlControl::Savepoint => "SAVEPOINT",
            SqlControl::Commit => "COMMIT",
            SqlControl::Rollback => "ROLLBACK",
            SqlControl::Release => "RELEASE",
            SqlControl::RollbackTo => "ROLLBACK TO",
        };
        format!("runs {statement} on {name}")
    }));
    words.extend(effect.holds.map(|held_for| match held_for {
        Hold::Nothing => format!("unlocks through {name}"),
        Hold::Job => format!("takes a job through {name}"),
        Hold::TriedLock => format!("tries to lock through {name}"),
        Hold::Lock | Hold::Tables => format!("locks through {name}"),
    }));
    words
}

pub(crate) fn origin_words(origin: &Origin, signature: &Signature, name_of: impl Fn(ItemRef) -> String) -> String {
    let root = match &origin.root {
        Root::Param(index) => {
            signature.params.get(*index).and_then(|param| param.name.clone()).unwrap_or_else(|| format!("#{index}"))
        }
        Root::Item(item) => name_of(*item),
        Root::Local(_) | Root::Made(_) => "?".to_owned(),
    };
    std::iter::once(root).chain(origin.path.iter().cloned()).collect::<Vec<_>>().join(".")
}
