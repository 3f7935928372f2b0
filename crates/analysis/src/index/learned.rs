//! Which types of the workspace are sessions themselves?

use super::{Index, ItemRef, Ty};
use sessionlint_ir::ItemKind;
use sessionlint_protocols::ProtocolId;

impl<'h> Index<'h> {
    /// The same with types of the workspace that are sessions, and what the model says of them.
    pub fn with_learned(mut self, learned: impl IntoIterator<Item = (ItemRef, ProtocolId)>) -> Self {
        for (item, id) in learned {
            self.learned.protocols.insert(item, id);
            self.learned.items.insert(id, item);
        }
        self
    }

    /// Whether any type of the workspace is a session.
    pub fn has_learned(&self) -> bool {
        !self.learned.items.is_empty()
    }

    /// Whether a type of the workspace is a session.
    pub(crate) fn is_learned(&self, item: ItemRef) -> bool {
        self.learned.protocols.contains_key(&item)
    }

    /// Whether a value of this type is a session of the project's own, or holds one.
    pub(crate) fn holds_learned(&self, ty: &Ty, protocol: ProtocolId, depth: u32) -> bool {
        let holds = |ty: &Ty| self.holds_learned(ty, protocol, depth);
        match ty {
            Ty::Known(id) => *id == protocol,
            Ty::Own(item, _) if self.learned.protocols.get(item) == Some(&protocol) => true,
            Ty::Own(item, _) if depth > 0 => {
                let scope = self.scope_of(*item);
                let fields = self.fields_of(*item);
                fields.0.iter().any(|field| self.holds_learned(&self.ty(&scope, &field.ty), protocol, depth - 1))
            }
            Ty::Ref(inner)
            | Ty::Fallible(inner)
            | Ty::Future(inner)
            | Ty::Cell(inner)
            | Ty::Collection(inner)
            | Ty::Lock(inner, _) => holds(inner),
            Ty::Tuple(parts) => parts.iter().any(holds),
            Ty::Own(..) | Ty::Statement | Ty::Work(_) | Ty::Unknown => false,
        }
    }

    /// Whether a protocol was learned from a trait.
    pub(crate) fn is_learned_trait(&self, protocol: ProtocolId) -> bool {
        let item = self.learned_item(protocol).and_then(|item| self.item(item));
        item.is_some_and(|item| item.kind == ItemKind::Trait)
    }

    /// Whether an enum says in which mode a transaction of the project's own is opened: for reading, or for writing too.
    pub(crate) fn is_mode(&self, owner: ItemRef) -> bool {
        let words = self.model.learned_words();
        let says = || self.variants(owner).iter().any(|name| words.reads_only(name).is_some());
        self.has_learned() && *self.modes.get(owner, says)
    }

    /// The type of the workspace that a protocol was learned from.
    pub fn learned_item(&self, protocol: ProtocolId) -> Option<ItemRef> {
        self.learned.items.get(&protocol).copied().filter(|_| self.model.protocol(protocol).learned_from.is_some())
    }

    /// The type of the workspace that a protocol stands for, whoever says so.
    pub(super) fn item_of(&self, protocol: ProtocolId) -> Option<ItemRef> {
        self.learned.items.get(&protocol).copied()
    }
}
