//! What does a branch tell on each of its edges?

use crate::index::Ty;
use crate::solver::{Solver, typed_at};
use crate::value::{ObligationId, Value, is_variant};
use crate::world::{Phase, World};
use sessionlint_ir::{ConditionId, Place, Projection, Test};
use sessionlint_protocols::EndKind;

/// Conditions that one way remembers while they may be asked again. With more of them nothing tells its ways apart anyhow.
const MANY_CONDITIONS: usize = 64;

impl Solver<'_> {
    /// The worlds in which a test holds and in which it fails; `None` when it cannot.
    /// `only_logged` when nothing but a log line is written where a result is an error.
    pub(crate) fn test(&mut self, world: World, test: &Test, only_logged: bool) -> (Option<World>, Option<World>) {
        match test {
            Test::Success(place) | Test::Failure(place) => {
                let (success, mut failure) = self.test_success(world, place, only_logged);
                if let Some(failure) = &mut failure {
                    self.others_looked_at(failure, place);
                    self.read_to_its_end(failure, place);
                }
                if matches!(test, Test::Success(_)) { (success, failure) } else { (failure, success) }
            }
            Test::Bool(place) => {
                let (target, _) = world.canonical(place);
                match world.get(self.index, place) {
                    Value::Bool(true) => (Some(world), None),
                    Value::Bool(false) => (None, Some(world)),
                    Value::Affected { obligation, partial: true, .. } => self.answered(world, obligation),
                    Value::Changed { obligation, any } => changed(world, obligation, any),
                    Value::About(id) => self.asked_about(world, id),
                    value @ Value::Verdict { .. } => {
                        let (held, failed) = self.judged(world, &target, &value, only_logged);
                        (Some(held), Some(failed))
                    }
                    value if self.is_tested_again(place) && !value.owns() => {
                        let (mut held, mut failed) = (world.clone(), world);
                        held.set(&target, Value::Bool(true));
                        failed.set(&target, Value::Bool(false));
                        (Some(held), Some(failed))
                    }
                    _ => (Some(world.clone()), Some(world)),
                }
            }
            Test::Condition { id, negated } => match world.facts.conditions.get(id) {
                Some(holds) if holds != negated => (Some(world), None),
                Some(_) => (None, Some(world)),
                None if self.is_ruled_out(&world, *id) => match negated {
                    true => (Some(world), None),
                    false => (None, Some(world)),
                },
                None if world.facts.conditions.len() >= MANY_CONDITIONS => {
                    self.imprecise = true;
                    (Some(world.clone()), Some(world))
                }
                None => {
                    let (mut held, mut failed) = (world.clone(), world);
                    held.facts.conditions.insert(*id, !negated);
                    failed.facts.conditions.insert(*id, *negated);
                    (Some(held), Some(failed))
                }
            },
            Test::Variant(place, name) if self.known_variant(&world, place).is_some() => {
                match self.known_variant(&world, place) == Some(name) {
                    true => (Some(world), None),
                    false => (None, Some(world)),
                }
            }
            Test::Variant(place, name) => match world.get(self.index, place) {
                // Of several variants that hold one, and others that do not.
                Value::Wrapper(item, step, inner) if step.starts_with("::") && step.contains('|') => {
                    let (target, _) = world.canonical(place);
                    let (mut is, is_not) = (world.clone(), world);
                    if is_variant(&step, name) {
                        is.set(&target, Value::Wrapper(item, format!("::{name}"), inner));
                    } else {
                        self.forget(&mut is, &inner);
                        is.set(&target, Value::Unknown);
                    }
                    (Some(is), Some(is_not))
                }
                Value::Wrapper(_, step, _) => match step.strip_prefix("::") {
                    Some(variant) if variant != name => (None, Some(world)),
                    // It is that variant, or a struct, which has no other.
                    _ => (Some(world), None),
                },
                Value::Affected { obligation, partial: true, .. } => self.answered(world, obligation),
                _ => (Some(world.clone()), Some(world)),
            },
            Test::Opaque => (Some(world.clone()), Some(world)),
        }
    }

    /// The variant that a parameter is, as its caller wrote it.
    fn known_variant(&self, world: &World, place: &Place) -> Option<&String> {
        if self.variants.is_empty() {
            return None;
        }
        let (place, _) = world.canonical(place);
        self.variants.get(&place.local).filter(|_| place.projection.is_empty())
    }

    /// It is looked at what a function answers that writes only on some of its ways: whether it did is not known on either side.
    fn answered(&self, mut world: World, obligation: ObligationId) -> (Option<World>, Option<World>) {
        world.unwrite(obligation);
        (Some(world.clone()), Some(world))
    }

    /// A session is asked about itself, which decides what is left to do with it.
    fn asked_about(&self, mut world: World, id: ObligationId) -> (Option<World>, Option<World>) {
        let held = world.clone();
        world.set_phase(id, Phase::Gone);
        (Some(held), Some(world))
    }

    /// Whether a value is known to be another literal than the one of this condition.
    fn is_ruled_out(&self, world: &World, id: ConditionId) -> bool {
        let value = self.body.conditions[id.0 as usize].value;
        let same = |other: &ConditionId| self.body.conditions[other.0 as usize].value == value;
        value.is_some() && world.facts.conditions.iter().any(|(other, holds)| *holds && same(other))
    }

    /// Whether an end worked is looked at: what comes of it where it did not counts, unless that is nothing but a log line.
    fn judged(&self, world: World, target: &Place, verdict: &Value, only_logged: bool) -> (World, World) {
        let (mut held, mut failed) = (world.clone(), world);
        held.set(target, Value::Unknown);
        failed.set(target, Value::Unknown);
        if let Value::Verdict { obligation, end, ok } = verdict {
            let lost = if *ok { &mut failed } else { &mut held };
            if self.sites[usize::from(obligation.site.0)].raw {
                self.commit_fails(lost, *obligation, *end);
            } else if only_logged {
                lost.set_phase(*obligation, Phase::Failed(*end));
            }
        }
        (held, failed)
    }

    /// `match (sent, tx.commit().await) { (Ok(_), Ok(())) => .., .. }`: where one of them failed, and the other is asked in the same breath,
    /// what comes of both is decided here.
    fn others_looked_at(&self, world: &mut World, place: &Place) {
        let Some((Projection::Field(_), around)) = place.projection.split_last() else { return };
        let tuple = Place { projection: around.to_vec(), ..place.clone() };
        let Value::Tuple(parts) = world.get(self.index, &tuple) else { return };
        for (at, part) in parts.iter().enumerate() {
            let beside = tuple.project(Projection::Field(at.to_string()));
            let is_result = matches!(part, Value::Fallible(inner) if matches!(**inner, Value::Outcome(..)));
            if is_result && beside != *place && self.tests.contains_key(&beside) {
                world.set(&beside, Value::Unknown);
            }
        }
    }

    fn is_tested_again(&self, place: &Place) -> bool {
        self.tests.get(place).is_some_and(|count| *count > 1)
    }

    fn test_success(&mut self, world: World, place: &Place, ignored: bool) -> (Option<World>, Option<World>) {
        let (target, _) = world.canonical(place);
        match world.get(self.index, place) {
            Value::Success(_) => (Some(world), None),
            Value::Failure => (None, Some(world)),
            Value::Fallible(inner) => {
                let (mut success, mut failure) = (world.clone(), world);
                if let (Value::Pending(site, _), true) = (&*inner, ignored) {
                    self.optional.insert(*site);
                }
                let value = self.realise(&mut success, *inner.clone());
                success.set(&target, Value::Success(Box::new(value)));
                failure.set(&target, Value::Failure);
                if let Some((id, end)) =
                    inner.ended().filter(|(id, _)| ignored && !self.sites[usize::from(id.site.0)].raw)
                {
                    failure.set_phase(id, Phase::Failed(end));
                }
                if let Value::Set(id, change) = *inner {
                    failure.unset(id, change);
                }
                if let Value::Outcome(id, end) = *inner {
                    self.commit_fails(&mut failure, id, end);
                }
                if let Value::Outcome(id, EndKind::Commit) = *inner
                    && !self.sites[usize::from(id.site.0)].raw
                {
                    // The server is gone as a rule, and with it what its connections had set.
                    failure.facts.obligations.values_mut().for_each(|state| state.left.clear());
                }
                if let Value::Wrote(id)
                | Value::Affected { obligation: id, .. }
                | Value::Changed { obligation: id, .. } = *inner
                {
                    failure.unwrite(id);
                }
                (Some(success), Some(failure))
            }
            Value::Affected { obligation, partial: true, .. } => self.answered(world, obligation),
            // The error of an end, as an option.
            verdict @ Value::Verdict { .. } => {
                let (some, none) = self.judged(world, &target, &verdict, ignored);
                (Some(some), Some(none))
            }
            Value::About(id) => {
                // Without it there is nothing to end.
                let (mut success, mut failure) = (world.clone(), world);
                success.set(&target, Value::Unknown);
                failure.set(&target, Value::Failure);
                failure.set_phase(id, Phase::Gone);
                (Some(success), Some(failure))
            }
            Value::Typed(ty, origin) => {
                let (mut success, mut failure) = (world.clone(), world);
                if let Ty::Fallible(inner) = ty.peeled() {
                    success.set(&target, Value::Success(Box::new(typed_at((**inner).clone(), origin))));
                }
                if self.is_tested_again(place) {
                    failure.set(&target, Value::Failure);
                }
                (Some(success), Some(failure))
            }
            // What is asked may be an answer that is only known as the session which gave it: that stays where it is.
            value if self.is_tested_again(place) && !value.owns() => {
                let (mut success, mut failure) = (world.clone(), world);
                success.set(&target, Value::Success(Box::new(Value::Unknown)));
                failure.set(&target, Value::Failure);
                (Some(success), Some(failure))
            }
            _ => (Some(world.clone()), Some(world)),
        }
    }
}

/// It is asked whether a write changed anything, or nothing: where it did not, nothing was written.
fn changed(world: World, obligation: ObligationId, any: bool) -> (Option<World>, Option<World>) {
    let (mut held, mut failed) = (world.clone(), world);
    if any { &mut failed } else { &mut held }.unwrite(obligation);
    (Some(held), Some(failed))
}
