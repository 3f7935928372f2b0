//! What does an index keep of what it has read?

use super::meant::{ItemRef, PackageId};
use crate::grounds::{self, Grounds};
use rustc_hash::{FxHashMap, FxHashSet};
use sessionlint_ir::ItemId;
use sessionlint_protocols::ProtocolId;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, RwLock};

/// Types of the workspace that are sessions, both ways.
#[derive(Default)]
pub(super) struct LearnedTypes {
    pub(super) protocols: FxHashMap<ItemRef, ProtocolId>,
    pub(super) items: FxHashMap<ProtocolId, ItemRef>,
    /// Those of a library whose sources stand in the workspace.
    pub(super) vendored: FxHashMap<ItemRef, ProtocolId>,
}

/// An associated type: of which type or trait, and its name.
pub(super) type Associated = (ItemRef, String);

/// The field by which a struct owns a transaction.
pub(super) type Owned = Option<(String, ProtocolId)>;

/// The methods of a package.
#[derive(Default)]
pub(super) struct Methods {
    /// By the name of their type or trait, and their own.
    pub(super) by_owner: FxHashMap<String, FxHashMap<String, Vec<ItemRef>>>,
    /// Names that more than one type or trait has.
    pub(super) shared: FxHashSet<String>,
}

/// A value, and what it stands on.
type Value<V> = (Arc<V>, Option<Arc<Grounds>>);

/// Values computed once for each key. Two threads may compute the same value; both get the first.
pub(super) struct Cache<K, V>(pub(super) RwLock<FxHashMap<K, Value<V>>>);

impl<K: Eq + Hash, V> Cache<K, V> {
    pub(super) fn new() -> Self {
        Self(RwLock::default())
    }

    pub(super) fn get(&self, key: K, compute: impl FnOnce() -> V) -> Arc<V> {
        if let Some((known, grounds)) = self.0.read().unwrap_or_else(|poisoned| poisoned.into_inner()).get(&key) {
            grounds::stand_on(grounds.as_ref());
            return Arc::clone(known);
        }
        let (value, grounds) = grounds::of(compute);
        let mut known = self.0.write().unwrap_or_else(|poisoned| poisoned.into_inner());
        Arc::clone(&known.entry(key).or_insert_with(|| (Arc::new(value), grounds)).0)
    }
}

/// The names of one file, by inline module.
#[derive(Default)]
pub(super) struct FileNames(pub(super) FxHashMap<Vec<String>, ModuleNames>);

impl FileNames {
    pub(super) fn inside(&self, inline: &[String]) -> Option<&ModuleNames> {
        self.0.get(inline)
    }
}

/// The names of one module in one file.
#[derive(Default)]
pub(super) struct ModuleNames {
    pub(super) items: FxHashMap<String, Vec<ItemId>>,
    /// Imported paths by the name that they get here.
    pub(super) imports: FxHashMap<String, Vec<Vec<String>>>,
    pub(super) globs: Vec<Vec<String>>,
}

/// A path below a module of a package: where does it lead? Globs run in circles, so such questions ask each other.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    /// What stands for the rest.
    pub(super) name: u128,
    pub(super) package: PackageId,
    pub(super) module: Vec<String>,
    pub(super) path: Vec<String>,
}

impl PartialEq for Step {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Step {}

impl Hash for Step {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.name as u64);
    }
}
