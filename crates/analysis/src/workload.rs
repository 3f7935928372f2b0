//! What does a function do beside giving its value: which pools does it take connections from, which slow work
//! does it wait for?

use crate::index::{ItemRef, Ty};
use crate::sql::Hold;
use crate::value::{Origin, Root, Source};
use sessionlint_diagnostics::Span;
use sessionlint_protocols::{EndKind, ProtocolId, Rank};
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// How many calls of the way to a deed are remembered, outermost first.
const MAX_WAY: usize = 5;

/// Something that happens when a call runs, or when its future is polled.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Deed {
    /// A connection is checked out of a pool.
    Checkout(Origin),
    /// A statement runs on a connection that the pool lends for it.
    Execute {
        /// The pool.
        pool: Origin,
        /// Whether it writes.
        writes: bool,
    },
    /// Slow work outside of the database is waited for.
    Outside(Wait),
    /// A session is opened by a call that must not be cancelled.
    Begins(ProtocolId),
    /// A pool is made, and dropped again.
    Makes {
        /// What.
        protocol: ProtocolId,
        /// The parameters, by position, that it is made of.
        of: Vec<usize>,
    },
    /// Something is committed or closed.
    Ends(ProtocolId, EndKind),
    /// A closure that is a parameter is called, by its position.
    Runs {
        /// The parameter.
        param: usize,
        /// The session that is held meanwhile, and its pool.
        held: Option<(ProtocolId, Option<Origin>)>,
    },
}

/// Slow work that is waited for. What takes longest comes first.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Wait {
    /// How long it takes.
    pub rank: Reverse<Rank>,
    /// What it is: completes "held across …".
    pub what: String,
    /// Whether it is the wait for the next thing to do.
    pub idle: bool,
    /// Whether the program itself decides how long: a sleep.
    pub pause: bool,
    /// Whether that stands in a loop of the function that sleeps: then it is no pause of a loop around a call of it.
    pub in_own_loop: bool,
    /// Whether the function that sleeps looks again, or tries again, with a session that it was lent.
    pub with_lent: bool,
}

impl Wait {
    /// Work that the user named.
    pub fn named(function: &str) -> Self {
        Self {
            rank: Reverse(Rank::Slow),
            what: format!("`{function}`"),
            idle: false,
            pause: false,
            in_own_loop: false,
            with_lent: false,
        }
    }
}

impl Deed {
    /// The same deed with its pool as the caller sees it; `None` when the caller cannot see it.
    pub fn seen_from(&self, caller: impl Fn(&Origin) -> Option<Origin>) -> Option<Deed> {
        Some(match self {
            Deed::Checkout(pool) => Deed::Checkout(caller(pool)?),
            Deed::Execute { pool, writes } => Deed::Execute { pool: caller(pool)?, writes: *writes },
            Deed::Outside(_) | Deed::Begins(_) | Deed::Makes { .. } | Deed::Ends(..) => self.clone(),
            // Who calls knows what was passed: the solver sees to that.
            Deed::Runs { .. } => return None,
        })
    }
}

/// What is done, each deed with the calls that lead to it, the outermost first and the deed itself last.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Workload(pub BTreeMap<Deed, Vec<Span>>);

impl Workload {
    /// A single deed, done at a place of this body.
    pub fn one(deed: Deed, at: Span) -> Self {
        Self(BTreeMap::from([(deed, vec![at])]))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds a deed; of two ways to it the shorter one explains it better.
    pub fn add(&mut self, deed: Deed, way: Vec<Span>) {
        match self.0.get_mut(&deed) {
            Some(known) => {
                if (way.len(), &way) < (known.len(), known) {
                    *known = way;
                }
            }
            None => {
                self.0.insert(deed, way);
            }
        }
    }

    /// The same where slow work is waited for at `at`, and was begun before.
    pub fn waited_at(&self, at: Span) -> Self {
        let mut waited = Self::default();
        for (deed, way) in &self.0 {
            match deed {
                Deed::Outside(_) => waited.add(deed.clone(), longer(at, way)),
                _ => waited.add(deed.clone(), way.clone()),
            }
        }
        waited
    }

    /// The same with one more call before it.
    pub fn reached_from(&self, at: Span) -> Self {
        Self(self.0.iter().map(|(deed, way)| (deed.clone(), longer(at, way))).collect())
    }

    /// The same as a caller sees it that calls at `at`.
    pub fn called(&self, at: Span, caller: impl Fn(&Origin) -> Option<Origin>) -> Self {
        let mut seen = Self::default();
        for (deed, way) in &self.0 {
            if let Some(deed) = deed.seen_from(&caller) {
                seen.add(deed, longer(at, way));
            }
        }
        seen
    }
}

/// A way that begins with one more call.
fn longer(at: Span, way: &[Span]) -> Vec<Span> {
    let mut longer = vec![at];
    longer.extend(way);
    // The deed itself stays the last.
    if longer.len() > MAX_WAY {
        longer.drain(MAX_WAY - 1..longer.len() - 1);
    }
    longer
}

/// What a function does and gives, as far as its callers can see it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Summary {
    /// What it does.
    pub workload: Workload,
    /// What it gives; `None` when it never returns with success.
    pub gives: Option<Given>,
    /// The struct or enum of the workspace that it gives on all its ways out, inside of results and futures.
    pub ty: Option<Ty>,
    /// Whether functions that call each other had not settled.
    pub truncated: bool,
}

/// What a function gives, as far as sessions and pools are concerned.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Given {
    /// Nothing that is known, or not the same on all ways.
    Unknown,
    /// `Err` or `None`.
    Nothing,
    /// `Ok` or `Some`.
    Success(Box<Given>),
    /// `Result` or `Option`, either variant.
    Maybe(Box<Given>),
    /// A part of a struct or enum around the rest.
    Part(ItemRef, String, Box<Given>),
    /// Several things.
    Tuple(Vec<Given>),
    /// Any of several variants of an enum, and what each of them holds.
    Variants(ItemRef, BTreeMap<String, Given>),
    /// A fresh session.
    Session(Fresh),
    /// Something that was there before: an argument, a field of one, a static.
    Of(Origin),
    /// A truth value, with the arguments that are asked about.
    Truth(bool),
    /// A pool, or another thing that is no session, which is made anew by each call.
    Made,
}

/// A session that a function opened.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Fresh {
    pub protocol: ProtocolId,
    /// The pool that it is checked out of.
    pub pool: Option<Origin>,
    /// Whether it was made without one.
    pub apart: bool,
    /// Whether it is a savepoint.
    pub nested: bool,
    /// What it is held for.
    pub held_for: Option<Hold>,
}

impl Fresh {
    /// Either of two. What excuses one excuses both.
    fn joined(self, other: &Fresh) -> Option<Fresh> {
        let of_same = self.pool == other.pool;
        let same = self.protocol == other.protocol && (of_same || self.apart || other.apart);
        let nested = self.nested || other.nested;
        let (apart, held_for) = (self.apart || other.apart, self.held_for.max(other.held_for));
        same.then_some(Fresh { apart, nested, held_for, pool: self.pool.filter(|_| of_same), ..self })
    }
}

impl Given {
    /// What is given when either of two ways may be taken.
    pub fn joined(self, other: Given) -> Given {
        match (self, other) {
            (a, b) if a == b => a,
            (Given::Session(a), Given::Session(b)) => a.joined(&b).map_or(Given::Unknown, Given::Session),
            (Given::Nothing, Given::Success(inner) | Given::Maybe(inner))
            | (Given::Success(inner) | Given::Maybe(inner), Given::Nothing) => Given::Maybe(inner),
            (Given::Success(a) | Given::Maybe(a), Given::Success(b) | Given::Maybe(b)) => {
                Given::Maybe(Box::new(a.joined(*b)))
            }
            (Given::Tuple(a), Given::Tuple(b)) if a.len() == b.len() => {
                Given::Tuple(a.into_iter().zip(b).map(|(a, b)| a.joined(b)).collect())
            }
            // One that holds nothing, as far as is known.
            (Given::Unknown, variants) | (variants, Given::Unknown) => match variants.variants() {
                Some((item, held)) if held.values().any(|given| given.is_session() || given.is_part()) => {
                    Given::Variants(item, held)
                }
                _ => Given::Unknown,
            },
            (a, b) => match (a.variants(), b.variants()) {
                (Some((item, mut held)), Some((other, more))) if item == other => {
                    for (variant, given) in more {
                        let joined = match held.remove(&variant) {
                            Some(known) => known.joined(given),
                            None => given,
                        };
                        held.insert(variant, joined);
                    }
                    Given::Variants(item, held)
                }
                _ => Given::Unknown,
            },
        }
    }

    /// What implementations give that do not give the same. Where those that give anything put the same of their own around an
    /// argument, it may be that: one that keeps all in memory takes nothing back.
    pub fn one_around(given: impl Iterator<Item = Given>) -> Given {
        let mut known = given.filter(|given| *given != Given::Unknown);
        match known.next() {
            Some(first) if first.is_around_part() && known.all(|other| other == first) => first,
            _ => Given::Unknown,
        }
    }

    /// Whether the next call gives another thing: it is made anew, or looked up in a way that is not known.
    pub fn varies(&self) -> bool {
        match self {
            Given::Unknown => true,
            Given::Success(inner) | Given::Maybe(inner) => inner.is_made(),
            given => given.is_made(),
        }
    }

    fn is_made(&self) -> bool {
        *self == Given::Made
    }

    /// The variants of an enum, and what each of them holds.
    fn variants(self) -> Option<(ItemRef, BTreeMap<String, Given>)> {
        match self {
            Given::Variants(item, held) => Some((item, held)),
            Given::Part(item, step, inner) if step.starts_with("::") => Some((item, BTreeMap::from([(step, *inner)]))),
            _ => None,
        }
    }

    /// Whether it is something that was there before.
    fn is_part(&self) -> bool {
        matches!(self, Given::Of(_))
    }

    /// Whether it is a struct of its own around something that was there before.
    pub fn is_around_part(&self) -> bool {
        match self {
            Given::Part(_, _, inner) => inner.is_part() || inner.is_around_part(),
            Given::Success(inner) | Given::Maybe(inner) => inner.is_around_part(),
            _ => false,
        }
    }

    /// Whether it is a session that was opened, whatever stands around it.
    pub fn is_session(&self) -> bool {
        self.is_session_of(&|_| true)
    }

    /// The same for sessions of certain protocols.
    pub fn is_session_of(&self, wanted: &dyn Fn(ProtocolId) -> bool) -> bool {
        match self {
            Given::Success(inner) | Given::Maybe(inner) | Given::Part(_, _, inner) => inner.is_session_of(wanted),
            Given::Session(fresh) => wanted(fresh.protocol),
            Given::Variants(_, held) => held.values().any(|given| given.is_session_of(wanted)),
            Given::Tuple(parts) => parts.iter().any(|part| part.is_session_of(wanted)),
            Given::Unknown | Given::Nothing | Given::Of(_) | Given::Truth(_) | Given::Made => false,
        }
    }

    /// The same with origins as the body around sees them.
    pub fn seen_from(&self, outer: &dyn Fn(&Origin) -> Option<Origin>) -> Given {
        match self {
            Given::Unknown | Given::Nothing | Given::Truth(_) | Given::Made => self.clone(),
            Given::Success(inner) => Given::Success(Box::new(inner.seen_from(outer))),
            Given::Maybe(inner) => Given::Maybe(Box::new(inner.seen_from(outer))),
            Given::Part(item, field, inner) => Given::Part(*item, field.clone(), Box::new(inner.seen_from(outer))),
            Given::Session(fresh) => {
                Given::Session(Fresh { pool: fresh.pool.as_ref().and_then(outer), ..fresh.clone() })
            }
            Given::Tuple(parts) => Given::Tuple(parts.iter().map(|part| part.seen_from(outer)).collect()),
            Given::Variants(item, held) => {
                let seen = held.iter().map(|(variant, given)| (variant.clone(), given.seen_from(outer)));
                Given::Variants(*item, seen.collect())
            }
            Given::Of(origin) => outer(origin).map_or(Given::Unknown, Given::Of),
        }
    }

    /// Where the pool that it gives comes from, or the pool of the session that it gives.
    pub fn origin(&self) -> Option<&Origin> {
        match self {
            Given::Success(inner) | Given::Maybe(inner) | Given::Part(_, _, inner) => inner.origin(),
            Given::Session(fresh) => fresh.pool.as_ref(),
            Given::Variants(_, held) => of_sessions(held.values()),
            Given::Tuple(parts) => of_sessions(parts.iter()),
            Given::Of(origin) => Some(origin),
            Given::Unknown | Given::Nothing | Given::Truth(_) | Given::Made => None,
        }
    }
}

/// The pool of several sessions, when it is the same one.
fn of_sessions<'g>(given: impl Iterator<Item = &'g Given>) -> Option<&'g Origin> {
    let mut origins = given.filter(|given| given.is_session()).map(Given::origin);
    let first = origins.next().flatten();
    first.filter(|first| origins.all(|other| other == Some(*first)))
}

/// An origin as a caller sees it: parameters are what was passed for them.
pub(crate) fn seen_by_caller(origin: &Origin, arguments: &[Source]) -> Option<Origin> {
    match &origin.root {
        Root::Item(_) => Some(origin.clone()),
        Root::Param(index) => arguments.get(*index)?.then(origin),
        Root::Local(_) | Root::Made(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sessionlint_diagnostics::FileId;

    fn way(places: &[u32]) -> Vec<Span> {
        places.iter().map(|at| Span::new(FileId(0), *at, *at + 1)).collect()
    }

    fn sleeping(places: &[u32]) -> Workload {
        Workload(BTreeMap::from([(Deed::Outside(Wait::named("sleep")), way(places))]))
    }

    #[test]
    fn the_shortest_way_explains_a_deed_and_of_equals_the_first_in_the_text() {
        let told = |ways: [&[u32]; 2]| {
            let mut workload = sleeping(ways[0]);
            workload.add(Deed::Outside(Wait::named("sleep")), way(ways[1]));
            workload.0.into_values().next()
        };
        assert_eq!(told([&[1, 2, 3], &[9]]), Some(way(&[9])));
        assert_eq!(told([&[9], &[1, 2, 3]]), Some(way(&[9])));
        assert_eq!(told([&[5], &[4]]), Some(way(&[4])));
        assert_eq!(told([&[4], &[5]]), Some(way(&[4])));
    }

    #[test]
    fn a_long_way_keeps_its_calls_and_the_deed() {
        let called = |places: &[u32]| {
            let at = way(&[0])[0];
            sleeping(places).called(at, |_| None).0.into_values().next()
        };
        assert_eq!(called(&[1, 2, 3]), Some(way(&[0, 1, 2, 3])));
        assert_eq!(called(&[1, 2, 3, 4]), Some(way(&[0, 1, 2, 3, 4])));
        assert_eq!(called(&[1, 2, 3, 4, 5, 6]), Some(way(&[0, 1, 2, 3, 6])));
    }

    #[test]
    fn what_either_way_gives_is_given() {
        let fresh =
            |id: u16| Fresh { protocol: ProtocolId(id), pool: None, apart: false, nested: false, held_for: None };
        let session = |id: u16| Given::Session(fresh(id));
        let some = |inner| Given::Success(Box::new(inner));
        let maybe = |inner| Given::Maybe(Box::new(inner));
        assert_eq!(some(session(1)).joined(some(session(1))), some(session(1)));
        assert_eq!(some(session(1)).joined(Given::Nothing), maybe(session(1)));
        assert_eq!(Given::Nothing.joined(maybe(session(1))), maybe(session(1)));
        assert_eq!(some(session(1)).joined(maybe(session(1))), maybe(session(1)));
        assert_eq!(some(session(1)).joined(some(session(2))), maybe(Given::Unknown));
        assert_eq!(session(1).joined(session(2)), Given::Unknown);
        let locked = || Given::Session(Fresh { apart: true, held_for: Some(Hold::Tables), ..fresh(1) });
        assert_eq!(session(1).joined(locked()), locked());
    }

    #[test]
    fn what_stands_around_an_argument() {
        let item = ItemRef { file: FileId(0), item: sessionlint_ir::ItemId(0) };
        let around = |inner| Given::Part(item, "tx".to_owned(), Box::new(inner));
        let argument = || Given::Of(Origin { root: Root::Param(0), path: Vec::new() });
        assert!(Given::Maybe(Box::new(around(around(argument())))).is_around_part());
        assert!(!argument().is_around_part());
        assert!(!around(Given::Unknown).is_around_part());
    }
}
