//! What is known about every session type: how it is opened and ended, and what dropping it does.

use crate::calls::{Opening, Source};
use crate::derived::{Derived, Generated};
use crate::facts::Library;
use crate::id::{LibraryId, ProtocolId};
use crate::intent::Intent;
use crate::learned::LearnedWords;
use crate::protocol::Protocol;
use crate::standard::Standard;
use crate::typed::Typed;
use crate::work::{Work, WorkId};
use std::collections::{BTreeMap, BTreeSet};

/// Everything that is known about libraries.
#[derive(Clone, Debug, Default)]
pub struct Model {
    pub(crate) libraries: Vec<Library>,
    pub(crate) protocols: Vec<Protocol>,
    /// Crate identifier and type name to the protocols of that name.
    pub(crate) types: BTreeMap<(String, String), Vec<ProtocolId>>,
    /// Crate identifiers to libraries.
    pub(crate) crates: BTreeMap<String, Vec<LibraryId>>,
    /// Names of opening calls to the protocol and opening.
    pub(crate) openings: BTreeMap<String, Vec<(ProtocolId, usize)>>,
    /// Slow work, and the crates, names and full paths that lead to it.
    pub(crate) works: Vec<Work>,
    pub(crate) work_crates: BTreeSet<String>,
    pub(crate) work_types: Vec<((String, String), (String, WorkId))>,
    pub(crate) work_functions: Vec<((String, String), (String, WorkId))>,
    /// The names of libraries inside of packages that are called otherwise.
    pub(crate) library_names: BTreeMap<String, String>,
    /// The work that values of a session's or pool's type do.
    pub(crate) protocol_works: BTreeMap<ProtocolId, WorkId>,
    /// Functions that give what their type argument names.
    pub(crate) typed: Vec<Typed>,
    pub(crate) derived: Vec<Derived>,
    pub(crate) generated: Vec<Generated>,
    /// Paths that types begin with which are made for each request.
    pub(crate) request_parts: Vec<Vec<String>>,
    /// Names of such types that carry what the request says.
    pub(crate) request_inputs: Vec<String>,
    /// Attributes of functions that are called for each request: crates and names.
    pub(crate) request_attributes: Vec<(String, String)>,
    /// Attributes of functions that the screen of an application for one person calls: crates and names.
    pub(crate) screen_attributes: Vec<(String, String)>,
    /// The ends of paths of functions that the user adds to slow work.
    pub(crate) also: Vec<Vec<String>>,
    /// Words that say what somebody meant.
    pub(crate) intent: Intent,
    /// Names of the standard library.
    pub(crate) standard: Standard,
    /// Words by which transactions of the project's own are found.
    pub(crate) learned: LearnedWords,
    /// Paths of types that the user describes, and of those that he says are no sessions.
    pub(crate) own_paths: Vec<String>,
    pub(crate) unlearned: Vec<String>,
}

impl Model {
    /// All libraries, in the order of their names.
    pub fn libraries(&self) -> impl Iterator<Item = (LibraryId, &Library)> {
        self.libraries.iter().enumerate().map(|(index, library)| (LibraryId(index as u16), library))
    }

    /// All protocols.
    pub fn protocols(&self) -> impl Iterator<Item = (ProtocolId, &Protocol)> {
        self.protocols.iter().enumerate().map(|(index, protocol)| (ProtocolId(index as u16), protocol))
    }

    /// One library.
    pub fn library(&self, id: LibraryId) -> &Library {
        &self.libraries[usize::from(id.0)]
    }

    /// One protocol.
    pub fn protocol(&self, id: ProtocolId) -> &Protocol {
        &self.protocols[usize::from(id.0)]
    }

    /// The library that an `extern` crate of this identifier (`tokio_postgres`) brings in.
    pub fn library_of_crate(&self, ident: &str) -> Option<LibraryId> {
        self.libraries_of_crate(ident).first().copied()
    }

    /// All libraries that speak of a crate: facts about `deadpool-postgres` stand with both of its halves.
    pub fn libraries_of_crate(&self, ident: &str) -> &[LibraryId] {
        self.crates.get(ident).map(Vec::as_slice).unwrap_or_default()
    }

    /// The libraries that a package of this name hands on.
    pub fn libraries_through<'a>(&'a self, package: &'a str) -> impl Iterator<Item = LibraryId> + 'a {
        let through = move |library: &Library| library.through.iter().any(|through| through == package);
        self.libraries().filter(move |(_, library)| through(library)).map(|(id, _)| id)
    }

    /// The packages whose versions decide which facts hold, among those of some libraries.
    pub fn versioned_packages(&self, libraries: &BTreeSet<LibraryId>) -> Vec<&str> {
        let mut found = Vec::new();
        for (_, protocol) in self.protocols().filter(|(_, protocol)| libraries.contains(&protocol.library)) {
            let own = self.library(protocol.library).crates.first();
            let depends = protocol.openings.iter().any(|opening| opening.when.is_some())
                || protocol.endings.iter().any(|ending| ending.when.is_some())
                || protocol.pools_with.is_some();
            found.extend(own.filter(|_| depends).map(String::as_str));
            let holes = protocol.openings.iter().filter_map(|opening| opening.cancel_unsafe.as_ref());
            found.extend(holes.map(|hole| hole.package.as_str()));
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    /// Words of a package that brings the connections of its pools back to a clean state itself.
    pub fn resetting_words(&self) -> impl Iterator<Item = &str> {
        self.libraries.iter().flat_map(|library| library.resets.iter().map(String::as_str))
    }

    /// Whether a package of this name (`tokio-postgres`) is a known library.
    pub fn knows_package(&self, package: &str) -> bool {
        self.crates.contains_key(&package.replace('-', "_"))
    }

    /// The protocol that a full path names. Libraries re-export types under many modules and other
    /// crates (`sea_orm::sqlx::PgPool`), so the last known crate in the path and the type's name decide.
    pub fn type_at(&self, path: &[String]) -> Option<ProtocolId> {
        let (name, parents) = path.split_last()?;
        parents.iter().rev().find_map(|segment| {
            let candidates = self.types.get(&(segment.clone(), name.clone()))?;
            let full = path.join("::");
            let mut meant = candidates.iter().filter(|id| {
                let elsewhere = &self.protocol(**id).not_in;
                !path.iter().any(|segment| elsewhere.contains(segment))
            });
            let first = meant.clone().next();
            meant.find(|id| self.protocol(**id).paths.contains(&full)).or(first).copied()
        })
    }

    /// The library that the last known crate in a full path names, and the rest of the path's last name.
    pub fn library_at<'a>(&self, path: &'a [String]) -> Option<(LibraryId, &'a str)> {
        let (name, parents) = path.split_last()?;
        let library = parents.iter().rev().find_map(|segment| self.library_of_crate(segment))?;
        Some((library, name))
    }

    /// Whether a full path names the type of a statement that has not run yet.
    pub fn is_statement_type(&self, path: &[String]) -> bool {
        self.library_at(path)
            .is_some_and(|(library, name)| self.library(library).statement_types.iter().any(|known| known == name))
    }

    /// The ways to open something by calling `call` on or with `source`.
    pub fn openings(&self, source: &Source, call: &str, args: usize) -> Vec<(ProtocolId, &Opening)> {
        let named = self.openings.get(call).map(Vec::as_slice).unwrap_or_default();
        let opening = |(protocol, index): &(ProtocolId, usize)| (*protocol, &self.protocol(*protocol).openings[*index]);
        let matches = |(_, opening): &(ProtocolId, &Opening)| {
            opening.source == *source && opening.args.is_none_or(|wanted| wanted == args)
        };
        named.iter().map(opening).filter(matches).collect()
    }

    /// Whether methods of a type give sessions.
    pub fn gives_sessions(&self, protocol: ProtocolId) -> bool {
        let on_it = |opening: &Opening| opening.source == Source::Method(protocol);
        self.protocols().any(|(_, known)| known.is_session() && known.openings.iter().any(on_it))
    }

    /// Protocols without a guard value whose state lives in values of type `connection`.
    pub fn in_place_on(&self, connection: ProtocolId) -> impl Iterator<Item = (ProtocolId, &Protocol)> {
        self.protocols().filter(move |(_, protocol)| {
            protocol.in_place && protocol.openings.iter().any(|opening| opening.source == Source::Method(connection))
        })
    }

    /// Names of calls that open, end or run something: a function that has none of them needs no look.
    pub fn trigger_words(&self) -> Vec<String> {
        let opening = self.openings.keys().cloned();
        let ending = self.protocols.iter().flat_map(|p| p.endings.iter().map(|end| end.call.clone()));
        let mut words: Vec<String> = opening.chain(ending).collect();
        words.sort();
        words.dedup();
        words
    }

    /// What names of the standard library do with a value.
    pub fn standard(&self) -> &Standard {
        &self.standard
    }

    /// Adds derives of a project; the last word on a name is said first.
    pub(crate) fn add_derives(&mut self, derives: Vec<Derived>) {
        self.derived.splice(0..0, derives);
    }

    /// The statements that build scripts write functions for.
    pub fn generated(&self) -> &[Generated] {
        &self.generated
    }

    /// All derives whose methods are known.
    pub fn derives(&self) -> &[Derived] {
        &self.derived
    }

    /// What the function with this full path gives of its type argument. The crate and the last name decide.
    pub fn typed_function(&self, path: &[String]) -> Option<&Typed> {
        let ((krate, _), name) = (path.split_first()?, path.last()?);
        let is_it = |full: &String| {
            full.split_once("::").is_some_and(|(first, rest)| first == krate && rest.rsplit("::").next() == Some(name))
        };
        self.typed.iter().find(|typed| typed.functions.iter().any(is_it))
    }

    /// The methods of this name that give what their type argument names.
    pub fn typed_methods<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Typed> + 'a {
        self.typed.iter().filter(move |typed| typed.methods.iter().any(|method| method == name))
    }
}
