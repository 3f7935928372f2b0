//! Which types of the workspace are sessions themselves?

use super::{Index, ItemRef, Ty};
use sessionlint_diagnostics::FileId;
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

    /// The same with the types of libraries whose sources stand in the workspace, for the packages that use them.
    pub fn with_vendored(mut self, vendored: impl IntoIterator<Item = (ItemRef, ProtocolId)>) -> Self {
        self.learned.vendored.extend(vendored);
        self
    }

    /// The types of a library among those of a crate of the workspace that has its name. A name alone says nothing: each type that has to
    /// be ended there has the methods that do so, and at least one of them does.
    pub fn vendored(&self, krate: &str) -> Vec<(ItemRef, ProtocolId)> {
        let libraries = self.model.libraries_of_crate(krate);
        let (mut found, mut is_it) = (Vec::new(), false);
        for (id, protocol) in self.model.protocols().filter(|(_, protocol)| libraries.contains(&protocol.library)) {
            let own = protocol.paths.iter().filter(|path| path.split("::").next() == Some(krate));
            let Some(item) = own.filter_map(|path| self.type_at(path)).next() else { continue };
            if protocol.endings.iter().all(|end| !self.methods(item, &end.call).is_empty()) {
                is_it |= !protocol.endings.is_empty();
                found.push((item, id));
            }
        }
        if is_it { found } else { Vec::new() }
    }

    /// What a type of the workspace is for a file: a session of the project's own, or one of a library that another package has.
    pub(super) fn session_of_item(&self, file: FileId, item: ItemRef) -> Option<ProtocolId> {
        let vendored =
            || self.learned.vendored.get(&item).filter(|_| self.package_id(file) != self.package_id(item.file));
        self.learned.protocols.get(&item).or_else(vendored).copied()
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
    pub(crate) fn item_of(&self, protocol: ProtocolId) -> Option<ItemRef> {
        self.learned.items.get(&protocol).copied()
    }
}
