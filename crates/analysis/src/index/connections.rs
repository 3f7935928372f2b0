//! Which connection does a struct of the workspace hold, own or guard?

use super::{Index, ItemRef, Ty};
use sessionlint_diagnostics::FileId;
use sessionlint_ir::ItemKind;
use sessionlint_protocols::{ProtocolId, ProtocolKind};

/// So many times a struct is dereferenced for a connection.
const MAX_DEREFS: usize = 4;

impl Index<'_> {
    /// Whether a connection is one to a database in a file, which no pool hands out: SQLite. There, and nowhere else, a COMMIT as text
    /// that fails leaves the transaction open.
    pub(crate) fn is_of_a_file(&self, file: FileId, protocol: ProtocolId) -> bool {
        let known = self.model.protocol(protocol);
        let engine = known.failed_commit.as_ref();
        known.kind == ProtocolKind::Connection
            && !known.pooled
            && engine.is_some_and(|engine| self.package_of(file).is_on(engine))
    }

    /// The field by which a struct of the project's own holds a connection that keeps a transaction begun as text, where it holds
    /// one only.
    pub(crate) fn only_connection(&self, owner: ItemRef) -> Option<(String, ProtocolId)> {
        self.connections.get(owner, || self.only_connection_of(owner)).as_ref().clone()
    }

    fn only_connection_of(&self, owner: ItemRef) -> Option<(String, ProtocolId)> {
        (self.item(owner)?.kind == ItemKind::Struct).then_some(())?;
        let (fields, scope) = (self.fields_of(owner), self.scope_of(owner));
        let mut holding = fields.0.iter().filter_map(|field| match self.ty(&scope, &field.ty).peeled() {
            Ty::Known(protocol) => {
                let known = self.model.protocol(*protocol);
                (known.keeps_begin && known.kind == ProtocolKind::Connection).then(|| (field.name.clone(), *protocol))
            }
            _ => None,
        });
        holding.next().filter(|_| holding.next().is_none())
    }

    /// Whether a value of a type has such a struct in it: whoever made it has made its connection.
    pub(crate) fn has_own_connection(&self, ty: &Ty) -> bool {
        match ty {
            Ty::Own(owner, _) => self.only_connection(*owner).is_some(),
            Ty::Fallible(inner) | Ty::Future(inner) => self.has_own_connection(inner),
            Ty::Tuple(parts) => parts.iter().any(|part| self.has_own_connection(part)),
            _ => false,
        }
    }

    /// The connection that a struct of the project's own dereferences to, through others like it.
    pub(crate) fn guarded_connection(&self, owner: ItemRef) -> Option<ProtocolId> {
        *self.guarded.get(owner, || {
            let mut at = owner;
            for _ in 0..MAX_DEREFS {
                match self.deref_target(at)? {
                    Ty::Own(next, _) => at = next,
                    Ty::Known(protocol) => {
                        let is_connection = self.model.protocol(protocol).kind == ProtocolKind::Connection;
                        return is_connection.then_some(protocol);
                    }
                    _ => return None,
                }
            }
            None
        })
    }

    /// The field by which a struct of the workspace owns a connection of a pool, when it owns exactly one and does nothing else when
    /// it is dropped.
    pub(crate) fn owned_connection(&self, owner: ItemRef) -> Option<(String, ProtocolId)> {
        (self.item(owner)?.kind == ItemKind::Struct).then_some(())?;
        let (fields, scope) = (self.fields_of(owner), self.scope_of(owner));
        let mut owning = fields.0.iter().filter_map(|field| match self.ty(&scope, &field.ty) {
            Ty::Known(protocol) => {
                let known = self.model.protocol(protocol);
                (known.pooled && known.kind == ProtocolKind::Connection).then(|| (field.name.clone(), protocol))
            }
            _ => None,
        });
        owning.next().filter(|(field, _)| owning.next().is_none() && self.drop_leaves(owner, field))
    }
}
