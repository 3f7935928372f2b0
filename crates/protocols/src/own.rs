//! Which types of a workspace does a model take for sessions?

use crate::facts::Library;
use crate::id::{LibraryId, ProtocolId};
use crate::learned::{LearnedProtocol, LearnedWords};
use crate::model::Model;
use crate::protocol::{Protocol, ProtocolKind};

impl Model {
    /// The words by which transactions of the project's own are found.
    pub fn learned_words(&self) -> &LearnedWords {
        &self.learned
    }

    /// The paths of types that rules.toml describes: in the workspace, too.
    pub fn own_paths(&self) -> &[String] {
        &self.own_paths
    }

    /// Whether rules.toml says that a type is no session, whatever it looks like.
    pub fn is_unlearned(&self, path: &str) -> bool {
        self.unlearned.iter().any(|known| known == path)
    }

    /// The same with session types of a workspace, and their ids in the same order.
    pub fn with_learned(&self, learned: Vec<LearnedProtocol>) -> (Model, Vec<ProtocolId>) {
        let mut model = self.clone();
        let library = LibraryId(model.libraries.len() as u16);
        model.libraries.push(Library { name: OWN.to_owned(), ..Library::default() });
        let mut ids = Vec::new();
        for known in learned {
            ids.push(ProtocolId(model.protocols.len() as u16));
            model.protocols.push(Protocol {
                id: format!("{OWN}.{}", known.path),
                library,
                versions: None,
                kind: ProtocolKind::Transaction,
                class: Some(known.class),
                on_drop: known.on_drop,
                paths: vec![known.path],
                needs_end: !known.class.rolls_back(),
                endings: known.endings,
                hands_off: known.hands_off,
                ends_by_reference: known.ends_by_reference,
                learned_from: Some(known.learned_from),
                holds_connection: known.holds_connection,
                ..Protocol::default()
            });
        }
        (model, ids)
    }
}

/// The library that everything belongs to which a workspace itself says.
const OWN: &str = "workspace";
