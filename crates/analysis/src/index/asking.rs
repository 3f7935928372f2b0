//! How does a question about a type end that leads back to itself?
//!
//! An associated type is a question for the fixpoint: what one implementation says of it may name another one, and the bounds of its
//! parameters the very same. What a single question takes is bounded by the types that it looks at, since what stands behind names may
//! double with each of them. So an answer depends on the program alone, not on who asks first.

use super::kept::{Associated, Owned};
use super::{Index, ItemRef, Ty};
use crate::fixpoint::{Equations, Pass};
use std::cell::{Cell, OnceCell};
use std::collections::BTreeMap;

/// How many types are looked at for one question; what is left is not known.
const MAX_TYPES: usize = 1000;

/// The associated types that are asked for while one type is looked for.
pub(super) type TypePass = Pass<Associated, Ty>;

/// One question about a type.
pub(super) struct Asking {
    pass: OnceCell<TypePass>,
    /// How many types it may still look at.
    left: Cell<usize>,
    /// Whether associated types are asked for.
    associated: bool,
}

/// A place in a written type that is looked at.
#[derive(Clone, Copy)]
pub(super) struct Look<'a> {
    /// What type parameters stand for.
    pub(super) bound: &'a BTreeMap<String, Ty>,
    pub(super) asking: &'a Asking,
    pub(super) depth: u32,
    /// The type parameters whose bounds it stands in.
    inside: Option<&'a Parameter<'a>>,
}

/// A type parameter whose bounds are looked at.
pub(super) struct Parameter<'a> {
    name: &'a str,
    around: Option<&'a Parameter<'a>>,
}

impl Asking {
    pub(super) fn new() -> Self {
        Self { pass: OnceCell::new(), left: Cell::new(MAX_TYPES), associated: true }
    }

    /// The same without associated types: what they are may depend on the answer.
    pub(super) fn without_associated() -> Self {
        Self { associated: false, ..Self::new() }
    }

    fn within(pass: &TypePass) -> Self {
        Self { pass: OnceCell::from(pass.clone()), ..Self::new() }
    }

    /// A look at a type where parameters stand for these.
    pub(super) fn look<'a>(&'a self, bound: &'a BTreeMap<String, Ty>) -> Look<'a> {
        Look { bound, asking: self, depth: 0, inside: None }
    }

    /// The associated types that are asked for. `None` where they are not.
    pub(super) fn pass(&self) -> Option<&TypePass> {
        self.associated.then(|| self.pass.get_or_init(TypePass::default))
    }

    /// Whether one more type may be looked at.
    pub(super) fn takes(&self, types: usize) -> bool {
        let left = self.left.get().checked_sub(types);
        self.left.set(left.unwrap_or_default());
        left.is_some()
    }

    /// A type that stands for a name, where it is not too large.
    pub(super) fn copied(&self, ty: &Ty) -> Ty {
        if self.takes(ty.size()) { ty.clone() } else { Ty::Unknown }
    }
}

impl<'a> Look<'a> {
    /// A look at what stands inside.
    pub(super) fn deeper(self) -> Self {
        Self { depth: self.depth + 1, ..self }
    }

    /// A look at what stands behind a name, where parameters stand for these.
    pub(super) fn with<'b>(self, bound: &'b BTreeMap<String, Ty>) -> Look<'b>
    where
        'a: 'b,
    {
        Look { bound, asking: self.asking, depth: self.depth + 1, inside: self.inside }
    }

    /// A type parameter, unless it is its own bounds that are looked at.
    pub(super) fn parameter(self, name: &'a str) -> Option<Parameter<'a>> {
        let mut around = self.inside;
        while let Some(at) = around {
            if at.name == name {
                return None;
            }
            around = at.around;
        }
        Some(Parameter { name, around: self.inside })
    }

    /// A look at the bounds of a parameter.
    pub(super) fn in_bounds<'b>(self, parameter: &'b Parameter<'b>) -> Look<'b>
    where
        'a: 'b,
    {
        Look { bound: self.bound, asking: self.asking, depth: self.depth + 1, inside: Some(parameter) }
    }
}

/// Associated types as questions that ask each other.
pub(super) struct AssociatedTypes<'i, 'h>(pub(super) &'i Index<'h>);

impl Equations for AssociatedTypes<'_, '_> {
    type Question = Associated;
    type Answer = Ty;

    fn answered(&self, (owner, name): &Associated, pass: &TypePass) -> Ty {
        self.0.associated_in(*owner, name, &|| Asking::within(pass))
    }

    fn at_first(&self, _: &Associated) -> Ty {
        Ty::Unknown
    }

    /// One that grows with each round has no end.
    fn unsettled(&self, _: Ty) -> Ty {
        Ty::Unknown
    }
}

/// The transactions that structs own, as questions that ask each other.
pub(super) struct OwnedSessions<'i, 'h>(pub(super) &'i Index<'h>);

impl Equations for OwnedSessions<'_, '_> {
    type Question = ItemRef;
    type Answer = Owned;

    fn answered(&self, owner: &ItemRef, pass: &Pass<ItemRef, Owned>) -> Owned {
        self.0.owned_in(*owner, pass)
    }

    fn at_first(&self, _: &ItemRef) -> Owned {
        None
    }

    fn unsettled(&self, _: Owned) -> Owned {
        None
    }
}
