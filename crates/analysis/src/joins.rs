//! Which ways through a body are joined where there are too many to keep each one apart?
//!
//! Ways are told apart by what is known on them. Where a body has too many of them, it is looked at once more, and at each block
//!
//! - what nobody reads any more is forgotten (`liveness.rs`);
//! - two ways that differ in the answer to one question only become one on which that is not known: nothing is lost;
//! - sessions that have ended, and that nothing speaks of, are forgotten;
//! - where there are still too many, those on which sessions are in the same state are joined, and only what is known on all of
//!   them is kept (property simulation). A session that is open where something is asked that was lost may be left open on a way
//!   that nobody can go: such ones are not told.

use crate::fingerprint::fingerprint;
use crate::index::Ty;
use crate::value::{Anchor, ObligationId, Root, Value};
use crate::world::{Facts, Phase, World};
use rustc_hash::FxHashMap;
use sessionlint_ir::{ConditionId, LocalId, Place};
use std::collections::BTreeSet;

/// What a test answered.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Question {
    Condition(ConditionId),
    Amount(LocalId),
    Place(Place),
}

impl Question {
    /// The answer on one way, if it is known there.
    fn answer(&self, facts: &Facts) -> Option<bool> {
        match self {
            Question::Condition(id) => facts.conditions.get(id).copied(),
            Question::Amount(local) => facts.amounts.get(local).copied(),
            Question::Place(place) => answer(facts.store.get(place)?),
        }
    }

    /// Forgets the answer; a result is of the type again that it had before it was looked at.
    fn forget(&self, facts: &mut Facts) {
        match self {
            Question::Condition(id) => drop(facts.conditions.remove(id)),
            Question::Amount(local) => drop(facts.amounts.remove(local)),
            Question::Place(place) => drop(facts.store.remove(place)),
        }
    }

    /// The same for two ways with different answers.
    fn join(&self, facts: &mut Facts, other: &Facts) {
        let Question::Place(place) = self else { return self.forget(facts) };
        let asked = [facts.store.get(place), other.store.get(place)].into_iter().flatten().find_map(asked);
        self.forget(facts);
        if let Some(value) = asked {
            facts.store.insert(place.clone(), value);
        }
    }
}

/// Which way a test of the value goes.
fn answer(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(answer) | Value::Any(answer) => Some(*answer),
        Value::Failure => Some(false),
        Value::Success(inner) if is_plain(inner) => Some(true),
        _ => None,
    }
}

/// What a success was before it was looked at.
fn asked(value: &Value) -> Option<Value> {
    match value {
        Value::Success(inner) => match &**inner {
            Value::Typed(ty, origin) => Some(Value::Typed(Ty::Fallible(Box::new(ty.clone())), origin.clone())),
            _ => None,
        },
        _ => None,
    }
}

/// Whether the value says nothing of a session, of work, or of a pool that is made here.
pub(crate) fn is_plain(value: &Value) -> bool {
    match value {
        Value::Unknown | Value::Bool(_) | Value::Any(_) | Value::Failure | Value::Text(_) | Value::Ref(_) => true,
        Value::Typed(_, origin) => !matches!(origin, Some(origin) if matches!(origin.root, Root::Made(_))),
        Value::Success(inner) | Value::Fallible(inner) => is_plain(inner),
        Value::Tuple(parts) => parts.iter().all(is_plain),
        _ => false,
    }
}

/// Forgets what is known of variables that nobody reads any more.
pub(crate) fn forget_dead(facts: &mut Facts, is_read: impl Fn(LocalId) -> bool) {
    facts.amounts.retain(|local, _| is_read(*local));
    facts.changed.retain(|local| is_read(*local));
    // A reference that nobody reads keeps nothing.
    for _ in 0..2 {
        let mut referred = BTreeSet::new();
        facts.store.values().for_each(|value| refers(value, &mut referred));
        let is_dead =
            |place: &Place, value: &Value| !is_read(place.local) && !referred.contains(&place.local) && is_plain(value);
        if facts.store.iter().any(|(place, value)| is_dead(place, value)) {
            facts.store.retain(|place, value| !is_dead(place, value));
        }
    }
}

/// Forgets sessions that have ended or are somebody else's, unless something speaks of them.
pub(crate) fn forget_ended(facts: &mut Facts, is_kept: impl Fn(ObligationId) -> bool) {
    let is_over = |phase: Phase| matches!(phase, Phase::Ended(_) | Phase::Gone);
    if !facts.obligations.values().any(|state| is_over(state.phase)) {
        return;
    }
    let mut spoken_of = BTreeSet::new();
    facts.store.values().for_each(|value| speaks_of(value, &mut spoken_of));
    for state in facts.obligations.values().filter(|state| !is_over(state.phase)) {
        spoken_of.extend(state.parent);
        if let Some(Anchor::Obligation(id)) = state.anchor {
            spoken_of.insert(id);
        }
    }
    facts.obligations.retain(|id, state| !is_over(state.phase) || spoken_of.contains(id) || is_kept(*id));
}

/// The sessions that a value says something of.
fn speaks_of(value: &Value, found: &mut BTreeSet<ObligationId>) {
    match value {
        Value::Session(id)
        | Value::Release { obligation: id, .. }
        | Value::Outcome(id, _)
        | Value::Wrote(id)
        | Value::Affected { obligation: id, .. }
        | Value::Changed { obligation: id, .. }
        | Value::About(id)
        | Value::Verdict { obligation: id, .. }
        | Value::Set(id, _)
        | Value::Handle(id)
        | Value::Prepared(Anchor::Obligation(id), _)
        | Value::Pending(_, Some(Anchor::Obligation(id))) => drop(found.insert(*id)),
        Value::Kept { obligation, inner, .. } => {
            found.insert(*obligation);
            speaks_of(inner, found);
        }
        Value::Future(inner)
        | Value::Fallible(inner)
        | Value::Success(inner)
        | Value::Exit(_, _, inner)
        | Value::Work(_, inner)
        | Value::Wrapper(_, _, inner) => speaks_of(inner, found),
        Value::Tuple(parts) => parts.iter().for_each(|part| speaks_of(part, found)),
        _ => {}
    }
}

/// The variables that a value refers to.
fn refers(value: &Value, found: &mut BTreeSet<LocalId>) {
    match value {
        Value::Ref(place) => drop(found.insert(place.local)),
        Value::Future(inner)
        | Value::Fallible(inner)
        | Value::Success(inner)
        | Value::Exit(_, _, inner)
        | Value::Work(_, inner)
        | Value::Kept { inner, .. }
        | Value::Wrapper(_, _, inner) => refers(inner, found),
        Value::Tuple(parts) => parts.iter().for_each(|part| refers(part, found)),
        _ => {}
    }
}

/// Joins ways that differ in one answer only, until there are none. The first of those that become one stands for them, and the
/// order stays.
pub(crate) fn joined(mut worlds: Vec<World>) -> Vec<World> {
    loop {
        let before = worlds.len();
        for question in questions(&worlds) {
            worlds = without(worlds, &question);
        }
        if worlds.len() == before || worlds.len() < 2 {
            return worlds;
        }
    }
}

/// What the ways have different answers to.
fn questions(worlds: &[World]) -> BTreeSet<Question> {
    let mut found = BTreeSet::new();
    for World { facts, .. } in worlds {
        found.extend(facts.conditions.keys().map(|id| Question::Condition(*id)));
        found.extend(facts.amounts.keys().map(|local| Question::Amount(*local)));
        let answered = facts.store.iter().filter(|(_, value)| answer(value).is_some());
        found.extend(answered.map(|(place, _)| Question::Place(place.clone())));
    }
    found
}

/// Joins the ways that differ in nothing but the answer to this question.
fn without(worlds: Vec<World>, question: &Question) -> Vec<World> {
    let mut left: Vec<World> = Vec::with_capacity(worlds.len());
    // For each set of other facts the way that stands for them, and its answer.
    let mut met: FxHashMap<u128, (usize, Option<bool>)> = FxHashMap::default();
    for mut world in worlds {
        let answer = question.answer(&world.facts);
        let is_plain = match question {
            Question::Place(place) => world.facts.store.get(place).is_none_or(is_plain),
            _ => true,
        };
        if !is_plain {
            left.push(world);
            continue;
        }
        let rest = match answer {
            None => fingerprint(&world.facts),
            Some(_) => {
                let mut rest = world.facts.clone();
                question.forget(&mut rest);
                fingerprint(&rest)
            }
        };
        match met.get_mut(&rest) {
            None => {
                met.insert(rest, (left.len(), answer));
                left.push(world);
            }
            // It is not known on the other one, so that one covers this.
            Some((_, None)) => {}
            Some((_, known)) if *known == answer => left.push(world),
            Some((at, known)) => {
                *known = None;
                let other = std::mem::take(&mut left[*at].facts);
                if answer.is_some() {
                    question.join(&mut world.facts, &other);
                }
                left[*at].facts = world.facts;
            }
        }
    }
    left
}

/// What was known on some ways and is not any more.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lost {
    conditions: BTreeSet<ConditionId>,
    locals: BTreeSet<LocalId>,
}

impl Lost {
    pub fn is_condition(&self, id: ConditionId) -> bool {
        self.conditions.contains(&id)
    }

    pub fn is_local(&self, local: LocalId) -> bool {
        self.locals.contains(&local)
    }
}

/// Joins all ways on which sessions, and what else says something of them, are in the same state. What is known on all of them is
/// kept, and what changed on any.
pub(crate) fn joined_by_state(worlds: Vec<World>, lost: &mut Lost) -> Vec<World> {
    let mut left: Vec<World> = Vec::new();
    let mut met: FxHashMap<u128, usize> = FxHashMap::default();
    for world in worlds {
        let sessions: Vec<_> = world.facts.store.iter().filter(|(_, value)| !is_plain(value)).collect();
        let state = fingerprint(&(&sessions, &world.facts.obligations));
        drop(sessions);
        match met.get(&state) {
            None => {
                met.insert(state, left.len());
                left.push(world);
            }
            Some(at) => meet(&mut left[*at].facts, &world.facts, lost),
        }
    }
    left
}

/// Keeps what is known on both ways, and what changed on either.
fn meet(facts: &mut Facts, other: &Facts, lost: &mut Lost) {
    for (place, value) in facts.store.iter_mut() {
        // The same, from another place.
        if let (Value::Typed(ty, origin), Some(Value::Typed(same, from))) = (value, other.store.get(place))
            && ty == same
            && origin != from
        {
            *origin = None;
        }
    }
    let is_same = |mine: &Value, other: &Value| match (mine, other) {
        (Value::Typed(ty, None), Value::Typed(same, _)) => ty == same,
        _ => mine == other,
    };
    let mine = &facts.store;
    lost.locals.extend(other.store.keys().filter(|place| !mine.contains_key(*place)).map(|place| place.local));
    facts.store.retain(|place, value| {
        let stays = other.store.get(place).is_some_and(|other| is_same(value, other));
        if !stays {
            lost.locals.insert(place.local);
        }
        stays
    });
    lost.conditions.extend(other.conditions.keys().filter(|id| !facts.conditions.contains_key(*id)));
    facts.conditions.retain(|id, holds| {
        let stays = other.conditions.get(id) == Some(holds);
        if !stays {
            lost.conditions.insert(*id);
        }
        stays
    });
    lost.locals.extend(other.amounts.keys().filter(|local| !facts.amounts.contains_key(*local)));
    facts.amounts.retain(|local, any| {
        let stays = other.amounts.get(local) == Some(any);
        if !stays {
            lost.locals.insert(*local);
        }
        stays
    });
    facts.changed.extend(&other.changed);
    facts.dry_run.extend(&other.dry_run);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn local(number: u32) -> Place {
        Place::local(LocalId(number))
    }

    /// A way on which conditions have answers, and variables values.
    fn way(conditions: &[(u32, bool)], values: &[(u32, Value)]) -> World {
        let mut world = World::default();
        world.facts.conditions = conditions.iter().map(|(id, holds)| (ConditionId(*id), *holds)).collect();
        values.iter().for_each(|(number, value)| world.set(&local(*number), value.clone()));
        world
    }

    fn facts(worlds: Vec<World>) -> Vec<Facts> {
        worlds.into_iter().map(|world| world.facts).collect()
    }

    #[test]
    fn ways_that_differ_in_one_answer_are_one() {
        let ways = vec![way(&[(0, true), (1, false)], &[]), way(&[(0, false), (1, false)], &[])];
        assert_eq!(facts(joined(ways)), facts(vec![way(&[(1, false)], &[])]));
    }

    #[test]
    fn many_independent_answers_are_none() {
        let bits = |number: u32| (0..6).map(|bit| (bit, number & (1 << bit) != 0)).collect::<Vec<_>>();
        let ways = (0..64).map(|number| way(&bits(number), &[])).collect();
        assert_eq!(facts(joined(ways)), facts(vec![way(&[], &[])]));
    }

    #[test]
    fn a_chain_of_conditions_is_joined_from_its_end() {
        let chain = vec![
            way(&[(0, true)], &[]),
            way(&[(0, false), (1, true)], &[]),
            way(&[(0, false), (1, false), (2, true)], &[]),
            way(&[(0, false), (1, false), (2, false)], &[]),
        ];
        assert_eq!(facts(joined(chain)), facts(vec![way(&[], &[])]));
    }

    #[test]
    fn what_belongs_together_stays_apart() {
        let ways = vec![way(&[(0, true), (1, true)], &[]), way(&[(0, false), (1, false)], &[])];
        assert_eq!(facts(joined(ways.clone())), facts(ways));
        let ways = vec![way(&[(0, true)], &[(1, Value::Bool(true))]), way(&[(0, false)], &[(1, Value::Bool(false))])];
        assert_eq!(facts(joined(ways.clone())), facts(ways));
    }

    #[test]
    fn a_result_is_what_it_was_before_it_was_looked_at() {
        let success = Value::Success(Box::new(Value::Typed(Ty::Statement, None)));
        let ways = vec![way(&[], &[(1, success)]), way(&[], &[(1, Value::Failure)])];
        let before = Value::Typed(Ty::Fallible(Box::new(Ty::Statement)), None);
        assert_eq!(facts(joined(ways)), facts(vec![way(&[], &[(1, before)])]));
    }

    #[test]
    fn a_way_on_which_nothing_is_known_covers_the_others() {
        let ways = vec![way(&[(0, true)], &[]), way(&[], &[]), way(&[(0, false)], &[])];
        assert_eq!(facts(joined(ways)), facts(vec![way(&[], &[])]));
    }

    #[test]
    fn what_sessions_are_in_is_never_joined() {
        let id = ObligationId { site: crate::value::SiteId(0), second: false };
        let ways = vec![way(&[(0, true)], &[(1, Value::Session(id))]), way(&[(0, false)], &[])];
        let mut lost = Lost::default();
        assert_eq!(facts(joined(ways.clone())), facts(ways.clone()));
        assert_eq!(facts(joined_by_state(ways.clone(), &mut lost)), facts(ways));
        assert!(!lost.is_condition(ConditionId(0)));
    }

    #[test]
    fn what_is_not_known_on_all_ways_is_lost() {
        let ways = vec![
            way(&[(0, true), (1, true), (2, true)], &[(5, Value::Bool(true)), (6, Value::Any(true))]),
            way(&[(0, true), (1, false)], &[(5, Value::Bool(true)), (6, Value::Any(false))]),
        ];
        let mut lost = Lost::default();
        let left = facts(joined_by_state(ways, &mut lost));
        assert_eq!(left, facts(vec![way(&[(0, true)], &[(5, Value::Bool(true))])]));
        let conditions = [0, 1, 2].map(|id| lost.is_condition(ConditionId(id)));
        let locals = [5, 6].map(|id| lost.is_local(LocalId(id)));
        assert_eq!((conditions, locals), ([false, true, true], [false, true]));
    }

    #[test]
    fn what_nobody_reads_is_forgotten_but_what_is_referred_to() {
        let id = ObligationId { site: crate::value::SiteId(0), second: false };
        let values = [
            (1, Value::Bool(true)),
            (2, Value::Bool(true)),
            (3, Value::Ref(local(2))),
            (4, Value::Session(id)),
            (5, Value::Ref(local(6))),
            (6, Value::Bool(true)),
        ];
        let mut known = way(&[], &values).facts;
        forget_dead(&mut known, |local| local == LocalId(3));
        let left: Vec<u32> = known.store.keys().map(|place| place.local.0).collect();
        assert_eq!(left, [2, 3, 4]);
    }
}
