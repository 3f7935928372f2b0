//! What can a place hold, as far as sessions are concerned?

use crate::events::SiteId;
use crate::index::{ItemRef, Ty};
use crate::sql::SqlEffect;
use sessionlint_ir::{ExitKind, Place};
use sessionlint_protocols::EndKind;

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

/// An abstract value.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Value {
    /// Anything, or nothing: never opened, or moved out.
    #[default]
    Unknown,
    /// A value of this type that nobody here has to end.
    Typed(Ty),
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
    /// Inside a result: whether a session's end worked.
    Outcome(ObligationId, EndKind),
    /// Inside a result: the first write through a session, which has not happened when the result is an error.
    Wrote(ObligationId),
    /// `Result` or `Option`, either variant.
    Fallible(Box<Value>),
    /// `Ok` or `Some`.
    Success(Box<Value>),
    /// `Err` or `None`.
    Failure,
    /// A tuple.
    Tuple(Vec<Value>),
    /// A struct of the workspace that owns a session in one of its fields.
    Wrapper(ItemRef, String, Box<Value>),
    /// Text that may be SQL.
    Text(SqlEffect),
    /// A statement that has not run yet.
    Statement(SqlEffect),
    /// A statement prepared on a session, which runs when it is executed.
    Prepared(ObligationId, SqlEffect),
    /// Something that writes through a session: a table, a bucket.
    Handle(ObligationId),
    /// A truth value.
    Bool(bool),
    /// What leaves the body.
    Exit(ExitKind, Box<Value>),
}

impl Value {
    /// Whether moving it moves a session, or the future or result of one's end.
    pub fn owns(&self) -> bool {
        match self {
            Value::Session(_) | Value::Pending(..) | Value::Release { .. } | Value::Outcome(..) => true,
            Value::Future(inner)
            | Value::Fallible(inner)
            | Value::Success(inner)
            | Value::Exit(_, inner)
            | Value::Wrapper(_, _, inner) => inner.owns(),
            Value::Tuple(parts) => parts.iter().any(Value::owns),
            _ => false,
        }
    }

    /// The sessions inside.
    pub fn obligations(&self, found: &mut Vec<ObligationId>) {
        match self {
            Value::Session(id) | Value::Release { obligation: id, .. } => found.push(*id),
            Value::Future(inner)
            | Value::Fallible(inner)
            | Value::Success(inner)
            | Value::Exit(_, inner)
            | Value::Wrapper(_, _, inner) => inner.obligations(found),
            Value::Tuple(parts) => parts.iter().for_each(|part| part.obligations(found)),
            _ => {}
        }
    }
}
