//! What does a function give, as its callers see it?

use crate::index::{ItemRef, Ty};
use crate::known::{Known, decides};
use crate::solver::Solver;
use crate::value::{ObligationId, Origin, Root, Source, Value};
use crate::workload::{Fresh, Given, seen_by_caller};
use crate::world::World;
use sessionlint_diagnostics::{Evidence, Span};
use sessionlint_ir::{Projection, TypeRef};
use sessionlint_protocols::ProtocolKind;
use std::collections::BTreeMap;

/// What a body was given that gives something back.
pub(crate) enum Passed {
    /// A function: the value of each argument, the receiver first, where it comes from, and what is known of it.
    Arguments(Vec<Value>, Vec<Source>, Known),
    /// An async block: what it captures, which is told in the words of the body around it already.
    Captures,
}

impl Passed {
    /// What is known of the arguments.
    pub(super) fn known(&self) -> Known {
        match self {
            Passed::Arguments(_, _, known) => known.clone(),
            Passed::Captures => Known::new(),
        }
    }

    fn origin(&self, origin: &Origin) -> Option<Origin> {
        match self {
            Passed::Arguments(_, origins, _) => seen_by_caller(origin, origins),
            Passed::Captures => Some(origin.clone()),
        }
    }
}

impl Solver<'_> {
    /// A value leaves the body, for its callers.
    pub(crate) fn given(&mut self, world: &World, value: &Value) {
        if !self.collects {
            return;
        }
        if let Some(workload) = self.inside(value).cloned() {
            for (deed, way) in workload.0 {
                if let Some(seen) = self.seen_by_callers(&deed) {
                    self.done.add(seen, way);
                }
            }
        }
        self.gives_future |= matches!(value, Value::Future(_));
        self.gives_type(world, value);
        let given = match value {
            // What is true whatever the arguments are is a setting of this build.
            Value::Bool(holds) if decides(&self.called_with) => Given::Truth(*holds),
            value => self.skeleton(world, value),
        };
        self.gives = Some(match self.gives.take() {
            None => given,
            Some(known) => known.joined(given),
        });
    }

    pub(super) fn skeleton(&self, world: &World, value: &Value) -> Given {
        match value {
            Value::Failure => Given::Nothing,
            Value::Success(inner) => Given::Success(Box::new(self.skeleton(world, inner))),
            Value::Future(inner) | Value::Work(_, inner) | Value::Kept { inner, .. } => self.skeleton(world, inner),
            Value::Fallible(inner) => Given::Maybe(Box::new(self.skeleton(world, inner))),
            value if value.holds_several() => Given::Unknown,
            Value::Wrapper(item, field, inner) => {
                Given::Part(*item, field.clone(), Box::new(self.skeleton(world, inner)))
            }
            Value::Tuple(parts) => {
                let parts: Vec<Given> = parts.iter().map(|part| self.skeleton(world, part)).collect();
                match parts.iter().all(|part| *part == Given::Unknown) {
                    true => Given::Unknown,
                    false => Given::Tuple(parts),
                }
            }
            Value::Session(ObligationId { site, .. }) | Value::Pending(site, None) => {
                let known = &self.sites[usize::from(site.0)];
                if known.parameter {
                    // What was handed in goes back.
                    let at =
                        self.body.params.iter().position(|param| self.body.locals[param.index()].span == known.span);
                    // A part of what was handed in is not all of it.
                    let is_whole = |at: &usize| {
                        let declared = &self.body.locals[self.body.params[*at].index()].ty;
                        !matches!(declared, Some(TypeRef::Tuple(_)))
                    };
                    return at
                        .filter(is_whole)
                        .map_or(Given::Unknown, |at| Given::Of(Origin { root: Root::Param(at), path: Vec::new() }));
                }
                let pool = self.pools.get(site).and_then(|pool| self.as_parameter(pool));
                let held_for = match value {
                    Value::Session(id) => world.facts.obligations.get(id).and_then(|state| state.held_for),
                    _ => self.holds.get(site).copied(),
                };
                Given::Session(Fresh {
                    protocol: known.protocol,
                    pool,
                    apart: known.apart,
                    nested: known.nested,
                    held_for,
                })
            }
            // What a closure was lent.
            Value::Ref(place) if self.nested && self.session_of(world, value).is_some() => {
                let (place, _) = world.canonical(place);
                let at = self.body.params.iter().position(|param| *param == place.local && place.projection.is_empty());
                at.map_or(Given::Unknown, |at| Given::Of(Origin { root: Root::Param(at), path: Vec::new() }))
            }
            value => match self.origin_of(world, value) {
                Some(Origin { root: Root::Made(_), path }) if path.is_empty() => Given::Made,
                origin => origin.and_then(|origin| self.as_parameter(&origin)).map_or(Given::Unknown, Given::Of),
            },
        }
    }

    /// What a call gives, made from what the function gives; `None` when that says nothing about sessions.
    pub(crate) fn instantiated(&mut self, world: &World, given: &Given, passed: &Passed, span: Span) -> Option<Value> {
        let value = self.instance(world, given, passed, span, 0)?;
        self.remember_layers(&value);
        Some(value)
    }

    fn instance(&mut self, world: &World, given: &Given, passed: &Passed, span: Span, depth: u32) -> Option<Value> {
        Some(match given {
            Given::Maybe(inner) => Value::Fallible(Box::new(self.instance(world, inner, passed, span, depth)?)),
            // Of several ways out one may be an error.
            Given::Success(inner) if depth == 0 => {
                Value::Fallible(Box::new(self.instance(world, inner, passed, span, depth + 1)?))
            }
            Given::Success(inner) => Value::Success(Box::new(self.instance(world, inner, passed, span, depth)?)),
            Given::Part(item, field, inner) => {
                let value = match &**inner {
                    Given::Of(origin) if self.lends(&self.index.field_ty(*item, field)) => {
                        // A pool that was handed in.
                        Value::Typed(self.index.field_ty(*item, field), Some(passed.origin(origin)?))
                    }
                    inner => {
                        let value = self.instance(world, inner, passed, span, depth + 1)?;
                        self.inmost(world, *item, field, value)
                    }
                };
                Value::Wrapper(*item, field.clone(), Box::new(value))
            }
            Given::Variants(item, held) => self.variants(world, *item, held, passed, span)?,
            Given::Tuple(parts) => {
                let parts = parts.iter().map(|part| self.instance(world, part, passed, span, depth + 1));
                let parts: Vec<Option<Value>> = parts.collect();
                parts.iter().any(Option::is_some).then_some(())?;
                Value::Tuple(parts.into_iter().map(Option::unwrap_or_default).collect())
            }
            Given::Session(Fresh { protocol, pool, apart, nested, held_for }) => {
                let site = self.opening_site(*protocol, span, Evidence::Inferred, None);
                self.sites[usize::from(site.0)].apart = *apart;
                self.sites[usize::from(site.0)].nested = *nested;
                let pool = pool.as_ref().and_then(|pool| passed.origin(pool));
                self.pools.extend(pool.map(|pool| (site, pool)));
                self.holds.extend(held_for.map(|held_for| (site, held_for)));
                Value::Pending(site, None)
            }
            Given::Of(Origin { root: Root::Param(index), path }) => {
                let Passed::Arguments(values, ..) = passed else { return None };
                let argument = values.get(*index)?;
                let Value::Ref(place) = argument else {
                    let whole = path.is_empty().then(|| argument.clone());
                    let is_it = |value: &Value| value.owns() || self.session_of(world, value).is_some();
                    return whole.filter(|value| is_it(value) || (self.collects && self.holds(world, value, true)));
                };
                let part =
                    path.iter().fold(place.clone(), |place, step| place.project(Projection::Field(step.clone())));
                match world.get(self.index, &part) {
                    // In a summary also what may turn out to be or hold one.
                    Value::Typed(ty, origin) if self.collects => {
                        let value = Value::Typed(Ty::Ref(Box::new(ty)), origin.or_else(|| world.origin(&part)));
                        self.holds(world, &value, true).then_some(value)?
                    }
                    _ => self.session_of(world, &Value::Ref(part.clone())).map(|_| Value::Ref(part))?,
                }
            }
            // `Ok(None)` on every way, with these arguments.
            Given::Nothing if depth > 0 => Value::Failure,
            Given::Truth(holds) => Value::Bool(*holds),
            Given::Of(_) | Given::Nothing | Given::Unknown | Given::Made => return None,
        })
    }

    /// A reference to what holds a session, for a field that holds the session itself: what stands around it was taken apart.
    fn inmost(&self, world: &World, owner: ItemRef, step: &str, value: Value) -> Value {
        let Value::Ref(mut place) = value else { return value };
        let field = match step.strip_prefix("::") {
            Some(variant) => self.index.field_ty(owner, &format!("{variant}.0")),
            None => self.index.field_ty(owner, step),
        };
        while let Ty::Known(_) = field.peeled() {
            place = place.project(match world.get(self.index, &place) {
                Value::Wrapper(_, step, _) => match step.strip_prefix("::") {
                    Some(variant) => Projection::Variant(variant.to_owned()),
                    None => Projection::Field(step),
                },
                Value::Success(_) => Projection::Success,
                _ => break,
            });
        }
        Value::Ref(place)
    }

    /// Any of several variants. Fresh connections of a pool: what is true of all of them is true of this one, whichever it is. Else the
    /// variant that holds what was lent, where only one does: the caller's session decides which it is.
    fn variants(
        &mut self,
        world: &World,
        item: ItemRef,
        held: &BTreeMap<String, Given>,
        passed: &Passed,
        span: Span,
    ) -> Option<Value> {
        let fresh: Vec<(&str, &Fresh)> = held
            .iter()
            .filter_map(|(variant, given)| match given {
                Given::Session(fresh) => Some((variant.trim_start_matches("::"), fresh)),
                _ => None,
            })
            .collect();
        if let Some((_, first)) = fresh.first() {
            let pooled = |fresh: &Fresh| {
                let known = self.index.model.protocol(fresh.protocol);
                known.kind == ProtocolKind::Connection && known.pooled && !fresh.apart
            };
            if !fresh.iter().all(|(_, fresh)| pooled(fresh)) {
                return None;
            }
            let pool = Given::Variants(item, held.clone()).origin().cloned();
            let held_for = fresh.iter().filter_map(|(_, fresh)| fresh.held_for).max();
            let any = Fresh { pool, held_for, ..(*first).clone() };
            let value = self.instance(world, &Given::Session(any), passed, span, 1)?;
            let names: Vec<&str> = fresh.iter().map(|(variant, _)| *variant).collect();
            return Some(Value::Wrapper(item, format!("::{}", names.join("|")), Box::new(value)));
        }
        let mut lent = held.iter().filter_map(|(variant, given)| {
            let value = self.instance(world, given, passed, span, 1)?;
            self.session_of(world, &value)?;
            let value = self.inmost(world, item, variant, value);
            Some(Value::Wrapper(item, variant.clone(), Box::new(value)))
        });
        let first = lent.next()?;
        lent.next().is_none().then_some(first)
    }
}
