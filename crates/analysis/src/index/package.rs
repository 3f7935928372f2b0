//! What is in a package, and which crates can it name?

use super::meant::PackageId;
use sessionlint_diagnostics::FileId;
use sessionlint_protocols::{CancelUnsafe, InUse, LibraryId, OnEngine};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// A package: where its modules are and which crates it can name.
#[derive(Clone, Debug, Default)]
pub struct Package {
    /// Files by module path; a package with a library and binaries has several roots.
    pub modules: BTreeMap<Vec<String>, Vec<FileId>>,
    /// Crate identifiers it can name: the identifier of the package behind it, and the package when
    /// it is one of this workspace.
    pub dependencies: BTreeMap<String, (String, Option<PackageId>)>,
    /// The libraries that its dependencies bring in, also through other packages of the workspace.
    pub libraries: BTreeSet<LibraryId>,
    /// Files that mention a session: where methods of its types are looked for.
    pub indexed: Vec<FileId>,
    /// The others, by what they implement.
    pub unread: Unread,
    /// Files that are test code by where they stand.
    pub tests: BTreeSet<FileId>,
    /// Whether its dependencies are unknown: then any known library may be named.
    pub loose: bool,
    /// The versions of packages that may be in use, where that is known.
    pub in_use: BTreeMap<String, InUse>,
    /// The features that it asks of packages.
    pub features: BTreeMap<String, BTreeSet<String>>,
    /// Whether it brings the connections of its pools back to a clean state itself.
    pub resets: bool,
    /// Whether a call that opens sessions must not be cancelled, in the version and with the features that it uses.
    pub holes: bool,
}

impl Package {
    /// Whether it can name another package of the workspace.
    pub(crate) fn leads_to(&self, package: PackageId) -> bool {
        self.dependencies.values().any(|(_, other)| *other == Some(package))
    }

    /// Whether the engine is one with which a fact holds, as far as the features tell which it is.
    pub fn is_on(&self, engine: &OnEngine) -> bool {
        let has = |wanted: &[String]| self.features.values().flatten().any(|feature| wanted.contains(feature));
        engine.always || (has(&engine.features) && !has(&engine.unless))
    }

    /// Whether what makes a pool keeps connections, with the features that the package asks for.
    pub fn has_pool(&self, name: &str, feature: Option<&str>) -> bool {
        let Some(feature) = feature else { return true };
        let asked = self.features.get(name);
        asked.is_none_or(|features| features.contains("default") || features.contains(feature))
    }

    /// Whether a call must not be cancelled, in the version and with the features that the package uses.
    pub fn has_hole(&self, hole: &CancelUnsafe) -> bool {
        let features = || self.features.values().flatten();
        let has = |wanted: &[String]| features().any(|feature| wanted.contains(feature));
        self.in_use.get(&hole.package).is_some_and(|in_use| hole.versions.hold(Some(in_use)))
            && has(&hole.features)
            && !has(&hole.unless)
    }
}

/// The files of a package that mention no session, by what their `impl` blocks are for and the macros they define, as far as words tell.
#[derive(Clone, Debug, Default)]
pub struct Unread {
    /// By the names of traits.
    pub traits: HashMap<String, Vec<FileId>>,
    /// By the names of types.
    pub types: HashMap<String, Vec<FileId>>,
    /// By the names of macros.
    pub macros: HashMap<String, Vec<FileId>>,
}
