//! How many connections has a pool at least? What its packages set by a literal, or what holds where nobody sets anything.

use crate::index::{Index, PackageId};
use crate::summary::Analysis;
use sessionlint_diagnostics::FileId;
use sessionlint_protocols::{LibraryId, ProtocolId, Setting, Source};
use std::collections::BTreeSet;

impl Analysis<'_> {
    /// Whether the pools that a connection may be of have more than so many connections, wherever a package makes one.
    pub(super) fn has_more_than(&self, file: FileId, connection: ProtocolId, held: usize) -> bool {
        self.any_pool(file, connection, |smallest| smallest.is_some_and(|smallest| smallest > held))
    }

    /// Whether one of them is known to have no more than that.
    pub(super) fn has_at_most(&self, file: FileId, connection: ProtocolId, held: usize) -> bool {
        self.any_pool(file, connection, |smallest| smallest.is_some_and(|smallest| smallest <= held))
    }

    fn any_pool(&self, file: FileId, connection: ProtocolId, holds: impl Fn(Option<usize>) -> bool) -> bool {
        let model = self.index.model;
        let mut pools = model.protocol(connection).openings.iter().filter_map(|opening| match opening.source {
            Source::Method(pool) => model.protocol(pool).configured_by,
            _ => None,
        });
        pools.any(|builder| {
            let settings = &model.protocol(builder).settings;
            let size = settings.iter().find(|setting| setting.sets == SIZE);
            size.is_some_and(|size| holds(self.index.smallest(file, size)))
        })
    }
}

/// What a setting is called that limits how many connections a pool has.
pub(super) const SIZE: &str = "size";

impl Index<'_> {
    /// The smallest number that a package, or one that it can name, sets; `None` where any of them is no literal.
    fn smallest(&self, file: FileId, setting: &Setting) -> Option<usize> {
        let mut smallest: Option<usize> = None;
        for file in self.files_seen_by(file) {
            let Some(data) = self.host.data(file) else { continue };
            for (at, _) in data.text.match_indices(&setting.call) {
                let (before, after) = (&data.text[..at], data.text[at + setting.call.len()..].trim_start());
                if before.chars().next_back().is_some_and(|c| c.is_alphanumeric() || c == '_') {
                    continue;
                }
                let Some(argument) = after.strip_prefix(['(', ':', '=']) else { continue };
                let argument = argument.trim_start();
                let end = argument.find(|c: char| !c.is_ascii_digit()).unwrap_or(argument.len());
                let number: usize = argument[..end].parse().ok()?;
                smallest = Some(smallest.map_or(number, |known| known.min(number)));
            }
        }
        smallest.or_else(|| setting.default.parse().ok())
    }

    /// The files that may make what a package is given, but for test code: of all that lead to it, and of what they lead to.
    pub(super) fn files_around(&self, package: PackageId) -> Vec<FileId> {
        let all = || (0..).map(PackageId).zip(self.packages());
        let mut around = BTreeSet::from([package]);
        let mut pending = vec![package];
        while let Some(at) = pending.pop() {
            let leading = all().filter(|(_, other)| other.leads_to(at)).map(|(id, _)| id);
            pending.extend(leading.filter(|id| around.insert(*id)));
        }
        pending.extend(&around);
        while let Some(at) = pending.pop() {
            let named = self.package(at).dependencies.values().filter_map(|(_, other)| *other);
            pending.extend(named.filter(|other| around.insert(*other)));
        }
        let mut files: Vec<FileId> = Vec::new();
        for package in around {
            let indexed = &self.package(package).indexed;
            indexed.iter().take(1).for_each(|file| self.reads_package(*file));
            files.extend(indexed.iter().copied().filter(|file| !self.is_test_file(*file)));
        }
        files
    }

    /// The files of a package and of those that it leads to, but for test code.
    fn files_seen_by(&self, file: FileId) -> Vec<FileId> {
        let mut files: Vec<FileId> = Vec::new();
        let mut seen: BTreeSet<PackageId> = BTreeSet::new();
        let mut pending = vec![self.package_of(file)];
        while let Some(package) = pending.pop() {
            package.modules.values().flatten().take(1).for_each(|file| self.reads_package(*file));
            files.extend(package.modules.values().flatten());
            let named = package.dependencies.values().filter_map(|(_, other)| *other);
            pending.extend(named.filter(|other| seen.insert(*other)).map(|other| self.package(other)));
        }
        files.sort();
        files.dedup();
        files.retain(|file| !self.is_test_file(*file));
        files
    }

    /// Whether a library keeps its data in a file here, of which a program that has it alone knows all who open it.
    pub(super) fn is_on_file(&self, file: FileId, library: LibraryId) -> bool {
        let package = self.package_of(file);
        let of_library = self.model.protocols().filter(|(_, protocol)| protocol.library == library);
        let mut facts = of_library.filter_map(|(_, protocol)| protocol.failed_commit.as_ref());
        facts.any(|engine| package.is_on(engine))
    }
}
