//! What can a place hold, as far as sessions are concerned?

use crate::index::{ItemRef, Ty};
use crate::sql::{SqlEffect, StateChange};
use sessionlint_ir::{ExitKind, LocalId, Place, Projection};
use sessionlint_protocols::EndKind;

/// Index of a [`Site`](crate::Site) in a [`Report`](crate::Report).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SiteId(pub u16);

/// One session of one run of a body. A site in a loop can open a second one while the first is alive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct ObligationId {
    pub site: SiteId,
    pub second: bool,
}

/// The connection that an in-place session is a state of.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Anchor {
    /// A connection that this body opened.
    Obligation(ObligationId),
    /// A place: a parameter, or a field of one.
    Place(Place),
}

/// Where a shared thing, a pool say, comes from: values of one origin are the same thing.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Origin {
    pub root: Root,
    /// Fields, and methods without arguments as `name()`.
    pub path: Vec<String>,
}

/// What an origin starts from.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Root {
    /// A variable of the body.
    Local(LocalId),
    /// A parameter, by position: in summaries.
    Param(usize),
    /// A static, or a function without arguments.
    Item(ItemRef),
    /// The call that made it, in this body.
    Made(SiteId),
}

/// How many steps of an origin are told apart; longer ones are not known.
const MAX_PATH: usize = 5;

impl Origin {
    pub fn of_local(local: LocalId) -> Self {
        Self { root: Root::Local(local), path: Vec::new() }
    }

    /// A part of it.
    pub fn then(mut self, step: String) -> Option<Self> {
        self.path.push(step);
        (self.path.len() <= MAX_PATH).then_some(self)
    }

    /// The same part of something else.
    pub fn onto(&self, base: &Origin) -> Option<Self> {
        base.part(&self.path)
    }

    /// A part of it that several steps lead to.
    fn part(&self, steps: &[String]) -> Option<Self> {
        steps.iter().try_fold(self.clone(), |origin, step| origin.then(step.clone()))
    }
}

/// Where an argument comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Source {
    /// All of it.
    pub whole: Option<Origin>,
    /// A pool in a struct that was made around it: the fields that lead to it, and where it comes from.
    pub part: Option<(Vec<String>, Origin)>,
}

impl Source {
    /// Something that comes from a place, and has nothing else in it.
    pub fn of(whole: Option<Origin>) -> Self {
        Self { whole, part: None }
    }

    /// A part of the argument.
    pub fn then(&self, part: &Origin) -> Option<Origin> {
        if let Some((fields, inner)) = &self.part
            && let Some(rest) = part.path.strip_prefix(fields.as_slice())
        {
            return inner.part(rest);
        }
        part.onto(self.whole.as_ref()?)
    }
}

/// One thing that stands around a session.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Layer {
    /// A field of a struct, or a variant (`::Name`) of an enum.
    Part(ItemRef, String),
    /// An `Option` that holds something.
    Some,
}

/// Index of what a call does beside giving its value, in the solver's list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct WorkloadId(pub u32);

/// Whether a step of a wrapper leads into a variant: `::Near`, or `::Near|Far` for any of two.
pub(crate) fn is_variant(step: &str, variant: &str) -> bool {
    step.strip_prefix("::").is_some_and(|variants| variants.split('|').any(|known| known == variant))
}

/// Whether a step of a wrapper leads into a field: `rows`, `rows|names` for any of two that write through one session, or `from&to`
/// for two that have a session each.
pub(crate) fn is_field(step: &str, field: &str) -> bool {
    !step.starts_with("::") && step.split(['|', '&']).any(|known| known == field)
}

/// What is in a field that such a step leads into.
pub(crate) fn field_in<'v>(step: &str, field: &str, inner: &'v Value) -> Option<&'v Value> {
    match (inner, nth_field(step, field)) {
        (Value::Tuple(parts), Some(at)) => parts.get(at),
        _ => Some(inner),
    }
}

/// The same, to be changed.
pub(crate) fn field_in_mut<'v>(step: &str, part: &Projection, inner: &'v mut Value) -> Option<&'v mut Value> {
    let at = match part {
        Projection::Field(field) => nth_field(step, field),
        _ => None,
    };
    match (inner, at) {
        (Value::Tuple(parts), Some(at)) => parts.get_mut(at),
        (inner, _) => Some(inner),
    }
}

/// Which of several fields it is that have a session each.
fn nth_field(step: &str, field: &str) -> Option<usize> {
    step.contains('&').then(|| step.split('&').position(|known| known == field)).flatten()
}

/// An abstract value.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Value {
    /// Anything, or nothing: never opened, or moved out.
    #[default]
    Unknown,
    /// A value of this type that nobody here has to end, and where it comes from when that is not the place
    /// that holds it.
    Typed(Ty, Option<Origin>),
    /// A session.
    Session(ObligationId),
    /// A session that exists once the wrapper around it turns out to be a success; with an anchor
    /// when it is a state of a connection.
    Pending(SiteId, Option<Anchor>),
    /// A reference.
    Ref(Place),
    /// A future of what is inside.
    Future(Box<Value>),
    /// Inside a future: the end of a session, which happens when it is polled.
    Release { obligation: ObligationId, end: EndKind, fallible: bool, eager: bool },
    /// Inside a future: a session that it owns, or closes, and ends when it is polled; and what it gives.
    Kept { obligation: ObligationId, end: EndKind, inner: Box<Value> },
    /// Inside a result: whether a session's end worked.
    Outcome(ObligationId, EndKind),
    /// Inside a result: the first write through a session, which has not happened when the result is an error.
    Wrote(ObligationId),
    /// What the only write so far through a session answers: a count of rows, or which of several things was done. `partial` when
    /// something is written on some of the ways only that lead to an answer. And the type of the answer, where that has methods.
    Affected { obligation: ObligationId, partial: bool, of: Option<Ty> },
    /// Whether the only write so far through a session changed anything, as a truth value; where not `any`, whether it changed nothing.
    Changed { obligation: ObligationId, any: bool },
    /// What a session says about itself: a test of that decides what is left to do with it.
    About(ObligationId),
    /// Whether a session's end worked, as a truth value: true for success when `ok`.
    Verdict { obligation: ObligationId, end: EndKind, ok: bool },
    /// Inside a result: state of a session's connection that is set, which has not happened when the result is an error.
    Set(ObligationId, StateChange),
    /// `Result` or `Option`, either variant.
    Fallible(Box<Value>),
    /// `Ok` or `Some`.
    Success(Box<Value>),
    /// `Err` or `None`.
    Failure,
    /// A tuple.
    Tuple(Vec<Value>),
    /// A struct or enum of the workspace that holds a session in a field, or in a variant (`::Name`).
    Wrapper(ItemRef, String, Box<Value>),
    /// Text that may be SQL.
    Text(SqlEffect),
    /// A statement that has not run yet.
    Statement(SqlEffect),
    /// A statement prepared on a connection, which runs when it is executed.
    Prepared(Anchor, SqlEffect),
    /// Something that writes through a session: a table, a bucket.
    Handle(ObligationId),
    /// A truth value.
    Bool(bool),
    /// A number or collection of which it is known whether there is any of it.
    Any(bool),
    /// Inside a future: what happens when it is polled, and what it gives.
    Work(WorkloadId, Box<Value>),
    /// A closure: what happens when it is called, and its future polled.
    Callable {
        work: WorkloadId,
        /// Whether its call gives a future, so that all this happens later.
        later: bool,
    },
    /// What leaves the body, and the number of its answer.
    Exit(ExitKind, Option<u32>, Box<Value>),
}

impl Value {
    /// Whether moving it moves a session, or the future or result of one's end.
    pub fn owns(&self) -> bool {
        match self {
            Value::Session(_)
            | Value::Pending(..)
            | Value::Release { .. }
            | Value::Kept { .. }
            | Value::Outcome(..)
            | Value::Verdict { .. } => true,
            Value::Future(inner)
            | Value::Fallible(inner)
            | Value::Success(inner)
            | Value::Exit(_, _, inner)
            | Value::Work(_, inner)
            | Value::Wrapper(_, _, inner) => inner.owns(),
            Value::Tuple(parts) => parts.iter().any(Value::owns),
            _ => false,
        }
    }

    /// Whether it is a struct with several sessions.
    pub fn holds_several(&self) -> bool {
        matches!(self, Value::Wrapper(_, step, _) if step.contains('&'))
    }

    /// Whether it says if a session's end worked.
    pub fn is_outcome(&self) -> bool {
        match self {
            Value::Fallible(inner) => inner.ended().is_some(),
            Value::Verdict { .. } => true,
            _ => false,
        }
    }

    /// The session whose end a result is of, and the end, also where that had to be done in time.
    pub fn ended(&self) -> Option<(ObligationId, EndKind)> {
        match self {
            Value::Outcome(id, end) => Some((*id, *end)),
            Value::Fallible(inner) => inner.ended(),
            _ => None,
        }
    }

    /// Whether it says if the first write through a session worked.
    pub fn is_first_write(&self) -> bool {
        matches!(self, Value::Fallible(inner) if matches!(**inner, Value::Wrote(_)))
    }

    /// What decides which way a test of the value goes, or what a statement does, without what is inside; `None` when either way
    /// may be taken, and for what owns a session.
    pub fn shape(&self) -> Option<Self> {
        match self {
            Value::Bool(_) | Value::Failure | Value::Any(_) => Some(self.clone()),
            Value::Success(inner) if !inner.owns() => Some(Value::Success(Box::default())),
            Value::Text(effect) if effect.known => Some(self.clone()),
            // A variant that is written out.
            Value::Wrapper(_, step, inner) if step.starts_with("::") && **inner == Value::Unknown => Some(self.clone()),
            _ => None,
        }
    }

    /// The session that a prepared statement runs on, and what it does.
    pub fn prepared_on(&self) -> Option<(ObligationId, SqlEffect)> {
        match self {
            Value::Prepared(Anchor::Obligation(id), effect) => Some((*id, *effect)),
            _ => None,
        }
    }

    /// The sites of the sessions inside, also of those that do not exist yet.
    pub fn sites(&self, found: &mut Vec<SiteId>) {
        match self {
            Value::Session(id) => found.push(id.site),
            Value::Pending(site, _) => found.push(*site),
            Value::Future(inner)
            | Value::Fallible(inner)
            | Value::Success(inner)
            | Value::Work(_, inner)
            | Value::Kept { inner, .. }
            | Value::Wrapper(_, _, inner) => inner.sites(found),
            _ => {}
        }
    }

    /// The sessions inside.
    pub fn obligations(&self, found: &mut Vec<ObligationId>) {
        match self {
            Value::Session(id) | Value::Release { obligation: id, .. } => found.push(*id),
            Value::Future(inner)
            | Value::Fallible(inner)
            | Value::Success(inner)
            | Value::Exit(_, _, inner)
            | Value::Work(_, inner)
            | Value::Wrapper(_, _, inner) => inner.obligations(found),
            Value::Kept { obligation, inner, .. } => {
                found.push(*obligation);
                inner.obligations(found);
            }
            Value::Tuple(parts) => parts.iter().for_each(|part| part.obligations(found)),
            _ => {}
        }
    }
}
