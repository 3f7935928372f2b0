//! What can a name or a written type stand for?

use sessionlint_diagnostics::FileId;
use sessionlint_ir::{Import, ItemId, TypeRef};
use sessionlint_protocols::{ProtocolId, WorkId};
use std::sync::Arc;

/// Index of a package in an [`Index`](super::Index).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PackageId(pub u32);

/// One item of the workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ItemRef {
    /// Its file.
    pub file: FileId,
    /// Its place in the file's outline.
    pub item: ItemId,
}

/// A type, as far as it matters for sessions.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Ty {
    /// Not known, or of no interest.
    Unknown,
    /// A type that a library's data names.
    Known(ProtocolId),
    /// A struct, enum or trait of the workspace, with its type arguments where any is known.
    Own(ItemRef, Option<Arc<[Ty]>>),
    /// A statement of a library that has not run yet.
    Statement,
    /// Something that does slow work outside of the database, or a builder of it.
    Work(WorkId),
    /// A reference, or a shared or guarded value: whoever has it does not own what is inside.
    Ref(Box<Ty>),
    /// `Result` or `Option`.
    Fallible(Box<Ty>),
    /// A future.
    Future(Box<Ty>),
    /// A cell that is filled once; `get` gives an `Option`.
    Cell(Box<Ty>),
    /// A collection of one type.
    Collection(Box<Ty>),
    /// A lock around what may be absent, or its guard: `Mutex<Option<T>>`. Any other lock is a reference to what is inside.
    Lock(Box<Ty>, Locking),
    /// A tuple.
    Tuple(Vec<Ty>),
}

/// How what is in a lock is got at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Locking {
    /// By a call that gives the guard, or a future of it.
    Plain,
    /// By a call that gives a result.
    Poisons,
    /// It is the guard.
    Held,
}

impl Ty {
    /// A struct, enum or trait of the workspace whose type arguments are not known.
    pub fn own(item: ItemRef) -> Self {
        Ty::Own(item, None)
    }

    /// The library's type that a call gives in the end: at once, when it is awaited, or in a result.
    pub fn known_inside(&self) -> Option<ProtocolId> {
        match self {
            Ty::Known(protocol) => Some(*protocol),
            Ty::Future(inner) | Ty::Fallible(inner) => inner.known_inside(),
            _ => None,
        }
    }

    /// The type behind references.
    pub fn peeled(&self) -> &Ty {
        match self {
            Ty::Ref(inner) => inner.peeled(),
            other => other,
        }
    }

    /// How many types it is made of.
    pub(super) fn size(&self) -> usize {
        match self {
            Ty::Ref(inner)
            | Ty::Fallible(inner)
            | Ty::Future(inner)
            | Ty::Cell(inner)
            | Ty::Collection(inner)
            | Ty::Lock(inner, _) => 1 + inner.size(),
            Ty::Tuple(parts) => 1 + parts.iter().map(Ty::size).sum::<usize>(),
            Ty::Own(_, Some(args)) => 1 + args.iter().map(Ty::size).sum::<usize>(),
            Ty::Own(_, None) | Ty::Known(_) | Ty::Statement | Ty::Work(_) | Ty::Unknown => 1,
        }
    }

    /// Whether nothing is known about it.
    pub fn is_unknown(&self) -> bool {
        match self {
            Ty::Unknown => true,
            Ty::Ref(inner)
            | Ty::Fallible(inner)
            | Ty::Future(inner)
            | Ty::Cell(inner)
            | Ty::Collection(inner)
            | Ty::Lock(inner, _) => inner.is_unknown(),
            Ty::Tuple(parts) => parts.iter().all(Ty::is_unknown),
            Ty::Known(_) | Ty::Own(_, _) | Ty::Statement | Ty::Work(_) => false,
        }
    }
}

/// Where a name is looked up.
#[derive(Clone, Debug)]
pub struct Scope<'a> {
    /// The file.
    pub file: FileId,
    /// The inline modules around the place, outermost first.
    pub inline: Vec<String>,
    /// Imports inside the function.
    pub imports: &'a [Import],
    /// Type parameters with their bounds.
    pub generics: &'a [(String, Vec<TypeRef>)],
    /// What `Self` stands for.
    pub self_ty: Option<Ty>,
    /// The `impl` block or trait around the place.
    pub block: Option<ItemRef>,
    /// The function around the place, whose body may declare others.
    pub function: Option<ItemRef>,
}

/// What a path leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resolved {
    /// A path into a crate outside the workspace, the crate's real identifier first.
    External(Arc<[String]>),
    /// An item of the workspace, and the names that follow it (`Type::new`).
    Item(ItemRef, Vec<String>),
    /// A module of the workspace.
    Module(PackageId, Vec<String>),
}
