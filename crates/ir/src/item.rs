//! What is declared where? Outlines of files, signatures, and types as they are written.

use sessionlint_diagnostics::Span;

/// Index of an item in its file's [`Outline`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ItemId(pub u32);

/// The kinds of item that an outline tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ItemKind {
    /// A function or method.
    Function,
    /// A struct or union.
    Struct,
    /// An enum.
    Enum,
    /// A trait.
    Trait,
    /// An `impl` block.
    Impl,
    /// A module: inline when it has a body, else a file of its own.
    Module,
    /// A type alias.
    Alias,
    /// A `use` declaration or `extern crate`.
    Use,
    /// A constant or static.
    Constant,
    /// A macro definition, or a macro called where items stand.
    Macro,
}

/// One item, found without parsing it.
#[derive(Clone, Debug)]
pub struct Item {
    /// What it is.
    pub kind: ItemKind,
    /// Its name; empty for `impl` blocks and `use` declarations.
    pub name: String,
    /// From its first attribute to its last byte.
    pub span: Span,
    /// From its first word after attributes and visibility; the same as `span` without them.
    pub head: Span,
    /// The braces and what is between them, when it has any.
    pub body: Option<Span>,
    /// The module, `impl`, trait or function that holds it.
    pub parent: Option<ItemId>,
    /// Whether an attribute on it says that it is test code.
    pub test: bool,
    /// The file that a module stands in, where something on it names one.
    pub named_file: Option<String>,
}

impl Item {
    /// What stands before the body: all of it, for an item without one.
    pub fn header(&self) -> Span {
        Span { end: self.body.map_or(self.head.end, |body| body.start), ..self.head }
    }
}

/// The items of one file in source order: parents come before their children.
#[derive(Clone, Debug, Default)]
pub struct Outline {
    /// All items.
    pub items: Vec<Item>,
    /// Whether an inner attribute says that the whole file is test code.
    pub test: bool,
}

impl Outline {
    /// The item with this id.
    pub fn item(&self, id: ItemId) -> &Item {
        &self.items[id.0 as usize]
    }

    /// All ids, in source order.
    pub fn ids(&self) -> impl Iterator<Item = ItemId> + use<> {
        (0..self.items.len() as u32).map(ItemId)
    }

    /// The innermost function around a place.
    pub fn function_at(&self, place: Span) -> Option<ItemId> {
        let behind = self.items.partition_point(|item| item.span.start <= place.start);
        let mut at = behind.checked_sub(1).map(|last| ItemId(last as u32));
        while let Some(id) = at {
            let item = self.item(id);
            if item.kind == ItemKind::Function && item.span.contains(place) {
                return Some(id);
            }
            at = item.parent;
        }
        None
    }

    /// The names of the inline modules around an item, outermost first.
    pub fn module_path(&self, id: ItemId) -> Vec<String> {
        let mut path = Vec::new();
        let mut parent = self.item(id).parent;
        while let Some(up) = parent {
            if self.item(up).kind == ItemKind::Module {
                path.push(self.item(up).name.clone());
            }
            parent = self.item(up).parent;
        }
        path.reverse();
        path
    }

    /// Whether the item is one that a macro writes.
    pub fn is_of_macro(&self, id: ItemId) -> bool {
        let mut up = self.item(id).parent;
        while let Some(item) = up {
            if self.item(item).kind == ItemKind::Macro {
                return true;
            }
            up = self.item(item).parent;
        }
        false
    }

    /// Whether the item or anything around it is test code.
    pub fn is_test(&self, id: ItemId) -> bool {
        let mut at = Some(id);
        while let Some(item) = at {
            if self.item(item).test {
                return true;
            }
            at = self.item(item).parent;
        }
        self.test
    }
}

/// A type as it is written; lifetimes and constants are left out.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TypeRef {
    /// `a::b::C<D, E>`.
    Path {
        /// The segments' names.
        segments: Vec<String>,
        /// The type arguments of the last segment.
        args: Vec<TypeRef>,
    },
    /// `<T as Trait>::Name`, or a path below a qualified one.
    Projection {
        /// The type it starts from.
        base: Box<TypeRef>,
        /// The last name.
        name: String,
    },
    /// `&T`, `&mut T`, `*const T`, `*mut T`.
    Ref {
        /// Whether it may be written through.
        mutable: bool,
        /// What it refers to.
        inner: Box<TypeRef>,
    },
    /// `(A, B)`; the unit type is the empty tuple.
    Tuple(Vec<TypeRef>),
    /// `[T]` and `[T; N]`.
    Slice(Box<TypeRef>),
    /// `impl A + B` and `dyn A + B`, with the associated types that the bounds name.
    Bounds(Vec<TypeRef>),
    /// A type that is not looked into.
    Unknown,
}

impl TypeRef {
    /// A path without arguments.
    pub fn named(segments: &[&str]) -> Self {
        TypeRef::Path { segments: segments.iter().map(|s| (*s).to_owned()).collect(), args: Vec::new() }
    }

    /// The last segment of a path type.
    pub fn last_segment(&self) -> Option<&str> {
        match self {
            TypeRef::Path { segments, .. } => segments.last().map(String::as_str),
            _ => None,
        }
    }
}

/// One parameter of a function.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// Its name when the pattern is one.
    pub name: Option<String>,
    /// Its type; `Self` behind the written references for the receiver.
    pub ty: TypeRef,
}

/// What a function says of itself before its body.
#[derive(Clone, Debug)]
pub struct Signature {
    /// Whether it is `async`.
    pub is_async: bool,
    /// Whether the first parameter is the receiver.
    pub has_receiver: bool,
    /// The parameters, the receiver first.
    pub params: Vec<Parameter>,
    /// The return type; the unit type when none is written.
    pub output: TypeRef,
    /// Type parameters with their bounds, from the list and the `where` clause.
    pub generics: Vec<(String, Vec<TypeRef>)>,
}

impl Signature {
    /// Whether a call gives a future, so that nothing is done before that is polled.
    pub fn gives_future(&self) -> bool {
        fn names_one(ty: &TypeRef) -> bool {
            match ty {
                TypeRef::Path { segments, args } => {
                    segments.last().is_some_and(|name| name.ends_with("Future")) || args.iter().any(names_one)
                }
                TypeRef::Bounds(bounds) => bounds.iter().any(names_one),
                _ => false,
            }
        }
        self.is_async || names_one(&self.output)
    }
}

/// A field of a struct or of an enum's variant.
#[derive(Clone, Debug)]
pub struct Field {
    /// Its name; the position for tuple fields.
    pub name: String,
    /// Its type.
    pub ty: TypeRef,
}

/// What an `impl` block says before its brace.
#[derive(Clone, Debug)]
pub struct ImplHeader {
    /// The type that it is for.
    pub self_ty: TypeRef,
    /// The trait, when it is a trait's.
    pub of_trait: Option<TypeRef>,
    /// Type parameters with their bounds.
    pub generics: Vec<(String, Vec<TypeRef>)>,
}

/// One name that a `use` brings in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    /// The path that is imported.
    pub path: Vec<String>,
    /// The name it gets here; `None` for a glob.
    pub name: Option<String>,
}
