//! What is true at one point on one way through a body?

use crate::index::{Index, Locking, Ty};
use crate::scratch::Scratch;
use crate::shared::Shared;
use crate::sql::{Hold, StateChange};
use crate::trace::Trace;
use crate::value::{Anchor, ObligationId, Origin, Root, Value, field_in, field_in_mut, is_field, is_variant};
use sessionlint_ir::{BlockId, ConditionId, LocalId, Place, Projection};
use sessionlint_protocols::EndKind;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

/// How many steps into a value are told apart.
const MAX_STEPS: usize = 6;
/// How many references are followed.
const MAX_HOPS: usize = 16;

/// How far a session is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Phase {
    Open,
    /// The future of its end exists.
    Ending,
    Ended(EndKind),
    /// Its end failed, and the error was only logged.
    Failed(EndKind),
    /// Its COMMIT failed, or may have, and left it open.
    CommitFailed,
    /// Somebody else has it.
    Gone,
}

/// What is known of one session.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct State {
    pub phase: Phase,
    pub written: bool,
    /// Whether a statement that was seen has written rows.
    pub rows: bool,
    /// Whether anything was done with it since it was opened.
    pub touched: bool,
    pub anchor: Option<Anchor>,
    /// The transaction that a savepoint is inside of.
    pub parent: Option<ObligationId>,
    /// The pool that its connection is checked out of.
    pub pool: Option<Origin>,
    /// What it is held for on purpose.
    pub held_for: Option<Hold>,
    /// Whether something was written beside it, through its pool.
    pub bypassed: bool,
    /// What was set of the state of its connection, and not taken back.
    pub left: BTreeSet<StateChange>,
    /// Whether something was written since the last branch.
    pub fresh: bool,
    /// What was written, as far as that may be of no use but to try something out.
    pub scratch: Scratch,
    /// Whether it is open on the side of a condition on which nothing is kept: a dry run.
    pub dry_run: bool,
    /// Whether a test was passed of something that changed while it was open, in a way that is not followed.
    pub counted: bool,
    /// Whether a clone of it was put somewhere: it is this body's, too.
    pub shared: bool,
}

impl State {
    /// A statement says what its connection is held for: unlocking tables leaves other locks alone.
    pub fn hold(&mut self, held_for: Hold) {
        self.held_for = match held_for {
            Hold::Nothing => self.held_for.filter(|known| matches!(known, Hold::Lock | Hold::TriedLock)),
            other => self.held_for.max(Some(other)),
        };
    }
}

/// The facts that tell one way from another.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Facts {
    pub store: Shared<BTreeMap<Place, Value>>,
    pub obligations: Shared<BTreeMap<ObligationId, State>>,
    pub conditions: BTreeMap<ConditionId, bool>,
    /// Numbers and collections of which it is known whether there is any of them.
    pub amounts: BTreeMap<LocalId, bool>,
    /// Variables that were changed while a session was open, in a way that is not followed.
    pub changed: BTreeSet<LocalId>,
    /// The blocks that asked for a dry run, and whose ways have not come together again: nothing is kept here.
    pub dry_run: BTreeSet<BlockId>,
}

impl Facts {
    /// How many there are, and one for the way itself.
    pub fn count(&self) -> usize {
        1 + self.store.len() + self.obligations.len() + self.conditions.len() + self.amounts.len() + self.changed.len()
    }
}

/// One way through the body, up to a point.
#[derive(Clone, Debug, Default)]
pub(crate) struct World {
    pub facts: Facts,
    pub trace: Shared<Trace>,
}

impl World {
    /// The place that is meant when references are followed, and whether one was.
    pub fn canonical(&self, place: &Place) -> (Place, bool) {
        let mut current = Place::local(place.local);
        let mut through_reference = false;
        for step in std::iter::once(None).chain(place.projection.iter().map(Some)) {
            if let Some(step) = step {
                // A session and a pool behave the same behind `*`.
                if *step == Projection::Deref {
                    continue;
                }
                // A loop that walks a list makes ever longer places: beyond the bound nothing is known.
                match current.projection.len() {
                    0..MAX_STEPS => current.projection.push(step.clone()),
                    MAX_STEPS => current.projection.push(Projection::Variant("...".to_owned())),
                    _ => {}
                }
            }
            for _ in 0..MAX_HOPS {
                match self.stored(&current) {
                    Some(Value::Ref(target)) => {
                        current = target.clone();
                        through_reference = true;
                    }
                    _ => break,
                }
            }
        }
        (current, through_reference)
    }

    /// The value at exactly this place, when one is stored or is part of a stored one.
    fn stored(&self, place: &Place) -> Option<&Value> {
        if let Some(value) = self.facts.store.get(place) {
            return Some(value);
        }
        let (around, value) = self.around(place)?;
        place.projection[around.projection.len()..].iter().try_fold(value, part)
    }

    /// The innermost place around a place that something is stored for.
    fn around(&self, place: &Place) -> Option<(&Place, &Value)> {
        if place.projection.is_empty() {
            return None;
        }
        // They stand before it in the map, among its neighbours.
        let mut before = self.facts.store.range(..place).rev().take_while(|(known, _)| known.local == place.local);
        before.find(|(known, _)| place.projection.starts_with(&known.projection))
    }

    /// The value of a place.
    pub fn get(&self, index: &Index<'_>, place: &Place) -> Value {
        let (place, _) = self.canonical(place);
        self.get_canonical(index, &place)
    }

    /// The value of a place that is no reference.
    pub fn get_canonical(&self, index: &Index<'_>, place: &Place) -> Value {
        if let Some(value) = self.stored(place) {
            return value.clone();
        }
        // Of what nothing is known, no part is.
        if self.around(place).is_none() {
            return Value::Unknown;
        }
        let mut parent = place.clone();
        let step = parent.projection.pop().unwrap_or(Projection::Deref);
        // A field of a variant: `Source::Two(_, pool)`.
        if let (Projection::Field(field), Some(Projection::Variant(variant))) = (&step, parent.projection.last()) {
            let whole = Place { projection: parent.projection[..parent.projection.len() - 1].to_vec(), ..parent };
            if let Value::Typed(ty, origin) = self.get_canonical(index, &whole)
                && let Ty::Own(owner, args) = ty.peeled()
                && let part @ (Ty::Known(_) | Ty::Own(..) | Ty::Ref(_)) =
                    index.field_of(*owner, args.as_deref(), &format!("{variant}.{field}"))
            {
                return Value::Typed(part, origin.and_then(|origin| origin.then(field.clone())));
            }
        }
        let value = self.get_canonical(index, &parent);
        typed_part(index, &value, &step)
    }

    /// Stores a value; what was known of parts of the place is forgotten.
    pub fn set(&mut self, place: &Place, value: Value) {
        let inside = |known: &Place| known.local == place.local && known.projection.starts_with(&place.projection);
        let replaces = place.projection.is_empty() && value != Value::Unknown;
        // They come right behind it.
        let first = if replaces { Bound::Excluded(place) } else { Bound::Included(place) };
        while let Some((known, _)) =
            self.facts.store.range::<Place, _>((first, Bound::Unbounded)).next().filter(|(known, _)| inside(known))
        {
            let known = known.clone();
            self.facts.store.remove(&known);
        }
        if let Some(slot) = self.slot(place) {
            *slot = value;
        } else if value != Value::Unknown {
            self.facts.store.insert(place.clone(), value);
        }
    }

    /// The part of a stored value that a place names.
    fn slot(&mut self, place: &Place) -> Option<&mut Value> {
        let stored = self.around(place)?.0.clone();
        let steps = &place.projection[stored.projection.len()..];
        let mut value = self.facts.store.get_mut(&stored)?;
        for step in steps {
            value = part_mut(value, step)?;
        }
        Some(value)
    }

    /// Moves the value out when it owns a session, else copies it.
    pub fn take(&mut self, index: &Index<'_>, place: &Place) -> Value {
        let target = self.canonical(place);
        let value = self.get_canonical(index, &target.0);
        self.taken(place, target, value)
    }

    /// The same for a value that was looked up, at the place that is meant; whether that is behind a reference.
    pub fn taken(&mut self, place: &Place, (canonical, through_reference): (Place, bool), value: Value) -> Value {
        if value.owns() {
            if through_reference {
                return Value::Ref(canonical);
            }
            self.set(&canonical, Value::Unknown);
        } else if let Value::Typed(Ty::Known(_), Some(Origin { root: Root::Made(_), .. })) = value
            && !through_reference
        {
            // A pool that was made here is moved like a session, so that it is seen where it ends up.
            self.set(&canonical, Value::Unknown);
        } else if through_reference && matches!(value, Value::Unknown | Value::Typed(..)) {
            return Value::Ref(canonical);
        }
        match value {
            Value::Typed(ty, None) => Value::Typed(ty, self.origin(place)),
            value => value,
        }
    }

    /// Where the thing at a place comes from; elements of a list are not told apart, so they have no origin.
    pub fn origin(&self, place: &Place) -> Option<Origin> {
        let (place, _) = self.canonical(place);
        let stored = (0..=place.projection.len()).rev().find_map(|length| {
            let prefix = Place { local: place.local, projection: place.projection[..length].to_vec() };
            let mut value = self.facts.store.get(&prefix)?;
            let mut length = length;
            // A struct around a pool comes from here, the pool in it from elsewhere.
            while let (Value::Wrapper(..), Some(step)) = (value, place.projection.get(length)) {
                value = part(value, step)?;
                length += 1;
            }
            match value {
                Value::Typed(_, Some(origin)) => Some((length, origin.clone())),
                _ => None,
            }
        });
        let (length, origin) = stored.unwrap_or((0, Origin::of_local(place.local)));
        place.projection[length..].iter().try_fold(origin, |origin, step| step_of(step, origin))
    }

    /// The transaction or connection that is held, the one that was opened last when there are several.
    pub fn held(&self, is_held: impl Fn(ObligationId, &State) -> bool) -> Option<ObligationId> {
        let open = self.facts.obligations.iter().filter(|(_, state)| state.phase == Phase::Open);
        open.filter(|(id, state)| is_held(**id, state)).map(|(id, _)| *id).max()
    }

    /// Whether anything is known of a variable or its parts.
    pub fn knows(&self, local: LocalId) -> bool {
        let mut behind = self.facts.store.range(Place::local(local)..);
        behind.next().is_some_and(|(place, _)| place.local == local)
    }

    pub fn remove_local(&mut self, local: LocalId) {
        self.set(&Place::local(local), Value::Unknown);
    }

    pub fn is_open(&self, id: ObligationId) -> bool {
        self.facts.obligations.get(&id).is_some_and(|state| state.phase == Phase::Open)
    }

    pub fn set_phase(&mut self, id: ObligationId, phase: Phase) {
        if let Some(state) = self.facts.obligations.get_mut(&id) {
            state.phase = phase;
            state.shared = false;
        }
    }

    /// What would have set state of a connection has failed.
    pub fn unset(&mut self, id: ObligationId, change: StateChange) {
        if let Some(state) = self.facts.obligations.get_mut(&id) {
            state.left.remove(&change);
            self.trace.set.remove(&id);
        }
    }

    /// The only write so far has failed.
    pub fn unwrite(&mut self, id: ObligationId) {
        if let Some(state) = self.facts.obligations.get_mut(&id) {
            state.written = false;
            state.fresh = false;
            self.trace.written.remove(&id);
        }
    }

    /// Whether something was written through a session.
    pub fn is_written(&self, id: ObligationId) -> bool {
        self.facts.obligations.get(&id).is_some_and(|state| state.written)
    }

    /// The open in-place sessions of a connection.
    pub fn anchored(&self, anchor: &Anchor) -> Vec<ObligationId> {
        let is_open = |state: &State| matches!(state.phase, Phase::Open | Phase::CommitFailed);
        let open = self.facts.obligations.iter().filter(|(_, state)| is_open(state));
        open.filter(|(_, state)| state.anchor.as_ref() == Some(anchor)).map(|(id, _)| *id).collect()
    }

    /// The sessions that are open and of which something is to be noted.
    pub fn open_mut(&mut self, wanted: impl Fn(&State) -> bool) -> impl Iterator<Item = &mut State> {
        let is_wanted = move |state: &State| state.phase == Phase::Open && wanted(state);
        let any = self.facts.obligations.values().any(&is_wanted);
        let states = any.then(|| self.facts.obligations.values_mut());
        states.into_iter().flatten().filter(move |state| is_wanted(state))
    }

    /// Forgets what is known of values that tests may ask for.
    pub fn forget_tested(&mut self) {
        let is_tested = |value: &Value| matches!(value, Value::Bool(_) | Value::Any(_) | Value::Failure);
        if self.facts.store.values().any(is_tested) {
            self.facts.store.retain(|_, value| !is_tested(value));
        }
    }
}

fn step_of(step: &Projection, origin: Origin) -> Option<Origin> {
    match step {
        Projection::Field(name) => origin.then(name.clone()),
        Projection::Success | Projection::Deref => Some(origin),
        // `State(pool)` takes apart what the type was already peeled of.
        Projection::Variant(_) => Some(origin),
        Projection::FromEnd(_) | Projection::Index | Projection::Failure => None,
    }
}

fn part<'v>(value: &'v Value, step: &Projection) -> Option<&'v Value> {
    match (value, step) {
        (Value::Success(inner) | Value::Fallible(inner), Projection::Success) => Some(inner),
        (Value::Tuple(parts), Projection::Field(field)) => parts.get(field.parse::<usize>().ok()?),
        (Value::Tuple(parts), Projection::FromEnd(at)) => parts.get(parts.len().checked_sub(*at)?),
        (Value::Text(_), Projection::Index) => Some(value),
        (Value::Wrapper(_, step, inner), Projection::Field(field)) if is_field(step, field) => {
            field_in(step, field, inner)
        }
        (Value::Wrapper(_, owner, inner), Projection::Variant(variant)) => match owner.strip_prefix("::") {
            Some(_) => is_variant(owner, variant).then_some(inner),
            // The pattern of a struct: a tuple's only field is bound without a name.
            None if owner == "0" => Some(inner),
            None => Some(value),
        },
        _ => None,
    }
}

fn part_mut<'v>(value: &'v mut Value, step: &Projection) -> Option<&'v mut Value> {
    if let Value::Wrapper(_, owner, _) = &*value {
        let is_inside = match (step, owner.strip_prefix("::")) {
            (Projection::Field(field), _) => is_field(owner, field),
            (Projection::Variant(variant), Some(_)) => is_variant(owner, variant),
            // The pattern of a struct: a tuple's only field is bound without a name.
            (Projection::Variant(_), None) if owner != "0" => return Some(value),
            (Projection::Variant(_), None) => true,
            _ => false,
        };
        let Value::Wrapper(_, owner, inner) = value else { return None };
        return if is_inside { field_in_mut(owner, step, inner) } else { None };
    }
    match (value, step) {
        (Value::Success(inner) | Value::Fallible(inner), Projection::Success) => Some(inner),
        (Value::Tuple(parts), Projection::Field(field)) => parts.get_mut(field.parse::<usize>().ok()?),
        (Value::Tuple(parts), Projection::FromEnd(at)) => {
            let at = parts.len().checked_sub(*at)?;
            parts.get_mut(at)
        }
        _ => None,
    }
}

/// A part of a value of which only the type is known.
fn typed_part(index: &Index<'_>, value: &Value, step: &Projection) -> Value {
    let (ty, origin) = match value {
        Value::Typed(ty, origin) => (ty, origin.clone()),
        // Another field of a struct that owns a session.
        Value::Wrapper(item, _, _) => (&Ty::own(*item), None),
        Value::Session(id) if matches!(step, Projection::Field(_)) => return Value::About(*id),
        Value::About(_) | Value::Affected { of: None, .. } => return value.clone(),
        // A part of an answer is as much of one as the whole.
        Value::Affected { obligation, partial, of: Some(ty) } => {
            let of = match typed_part(index, &Value::Typed(ty.clone(), None), step) {
                Value::Typed(ty, _) => Some(ty),
                _ => None,
            };
            return Value::Affected { obligation: *obligation, partial: *partial, of };
        }
        _ => return Value::Unknown,
    };
    let part = match (ty.peeled(), step) {
        (Ty::Own(owner, args), Projection::Field(field)) => index.field_behind(*owner, args.as_deref(), field),
        (Ty::Own(owner, args), Projection::Variant(variant)) => {
            let same_name = index.item(*owner).is_some_and(|item| item.name == *variant);
            let inside = if same_name { String::new() } else { format!("{variant}.") };
            let has = |field: &str| index.has_field(*owner, &format!("{inside}{field}"));
            // A tuple's only field is bound without a name.
            match has("0") && !has("1") {
                true => index.field_of(*owner, args.as_deref(), &format!("{inside}0")),
                false if same_name => ty.clone(),
                // `State(app)` takes apart a wrapper that the type was already peeled of.
                false if !index.has_variant(*owner, variant) => ty.clone(),
                false => Ty::Unknown,
            }
        }
        // The guard of a lock, whose type was already peeled of the lock.
        (Ty::Known(_) | Ty::Own(_, _), Projection::Success) => ty.clone(),
        // A pattern like `State(pool)` takes apart a wrapper that the type was already peeled of.
        (Ty::Known(_), Projection::Variant(_)) => ty.clone(),
        // What is taken apart of something that does slow work does it, too: a client and its request.
        (Ty::Work(_), Projection::Success) => ty.clone(),
        (Ty::Work(_), Projection::Field(field)) if field.parse::<usize>().is_ok() => ty.clone(),
        (Ty::Work(_), Projection::FromEnd(_)) => ty.clone(),
        (Ty::Fallible(inner), Projection::Success) => (**inner).clone(),
        (Ty::Lock(content, Locking::Held), Projection::Success) => match &**content {
            Ty::Fallible(inner) => (**inner).clone(),
            _ => Ty::Unknown,
        },
        // `State(lock)`, whose type was already peeled of the extractor.
        (Ty::Lock(..), Projection::Success | Projection::Variant(_)) => ty.clone(),
        (Ty::Collection(inner), Projection::Index) => Ty::Ref(inner.clone()),
        (Ty::Tuple(parts), Projection::Field(field)) => {
            field.parse::<usize>().ok().and_then(|at| parts.get(at).cloned()).unwrap_or(Ty::Unknown)
        }
        (Ty::Tuple(parts), Projection::FromEnd(at)) => {
            parts.len().checked_sub(*at).and_then(|at| parts.get(at).cloned()).unwrap_or(Ty::Unknown)
        }
        _ => Ty::Unknown,
    };
    let origin = origin.and_then(|origin| step_of(step, origin));
    if part.is_unknown() { Value::Unknown } else { Value::Typed(part, origin) }
}
