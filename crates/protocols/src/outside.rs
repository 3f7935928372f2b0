//! Which work is slow and outside of the database? Reads `outside/*.toml` into the [`Model`].

use crate::id::ProtocolId;
use crate::model::Model;
use crate::work::{Work, WorkId};
use serde::Deserialize;
use std::collections::BTreeMap;

const RUST: &str = include_str!("../outside/rust.toml");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    /// Paths that a type begins with which a web framework hands to a function for each request.
    request_parts: Vec<String>,
    /// Names of those that carry what the request says.
    request_inputs: Vec<String>,
    /// Attributes of functions that are called for each request.
    request_attributes: Vec<String>,
    /// Attributes of functions that the screen of an application for one person calls.
    screen_attributes: Vec<String>,
    /// The names of libraries inside of packages that are called otherwise.
    libraries: BTreeMap<String, String>,
    work: Vec<Work>,
}

impl Model {
    /// Adds what is built in.
    ///
    /// # Panics
    /// When the built-in data file is wrong, which a test rules out.
    pub(crate) fn add_built_in_outside(&mut self) {
        let raw: Raw = toml::from_str(RUST).unwrap_or_else(|error| panic!("outside/rust.toml: {error}"));
        self.request_parts =
            raw.request_parts.iter().map(|path| path.split("::").map(str::to_owned).collect()).collect();
        let attribute = |path: &String| {
            let (krate, name) = path.split_once("::")?;
            Some((krate.to_owned(), name.to_owned()))
        };
        self.request_inputs = raw.request_inputs;
        self.screen_attributes = raw.screen_attributes.iter().filter_map(attribute).collect();
        self.request_attributes = raw.request_attributes.iter().filter_map(attribute).collect();
        self.library_names = raw.libraries;
        for work in raw.work {
            let id = WorkId(self.works.len() as u16);
            let ends = |path: &String| {
                let (krate, _) = path.split_once("::")?;
                let (_, name) = path.rsplit_once("::")?;
                Some((krate.to_owned(), name.to_owned()))
            };
            self.work_crates.extend(work.crates.iter().map(|name| name.replace('-', "_")));
            for path in &work.types {
                self.work_types.extend(ends(path).map(|key| (key, (path.clone(), id))));
            }
            for path in &work.functions {
                self.work_functions.extend(ends(path).map(|key| (key, (path.clone(), id))));
            }
            self.works.push(work);
        }
        let of = |(id, protocol): (ProtocolId, &crate::protocol::Protocol)| {
            let path = |path: &String| path.split("::").map(str::to_owned).collect::<Vec<_>>();
            Some((id, protocol.paths.iter().find_map(|it| self.work_type(&path(it)))?))
        };
        self.protocol_works = self.protocols().filter_map(of).collect();
    }

    /// One kind of work.
    pub fn work(&self, id: WorkId) -> &Work {
        &self.works[usize::from(id.0)]
    }

    /// The work that values of the type with this full path do. The crate and the last name decide; where
    /// several types of a crate share a name, the module before it does too.
    pub fn work_type(&self, path: &[String]) -> Option<WorkId> {
        look_up(&self.work_types, path)
    }

    /// The work that the future of a method does, on a value that does this kind of work: of several kinds of one type the one that
    /// names the method, else the one that all methods do.
    pub fn work_done_by(&self, work: WorkId, method: &str) -> Option<WorkId> {
        self.work_named(work, method).or_else(|| self.work_where(work, Work::is_done_by_any))
    }

    /// The same, where the data names the method.
    pub fn work_named(&self, work: WorkId, method: &str) -> Option<WorkId> {
        let polls = self.standard().polls_stream(method);
        self.work_where(work, |kind| kind.is_done_by(method) || (kind.stream && polls))
    }

    /// The first kind of work of this one and those that its types do as well for which something holds.
    fn work_where(&self, work: WorkId, holds: impl Fn(&Work) -> bool) -> Option<WorkId> {
        let types = &self.work(work).types;
        let same = |(_, other): &(usize, &Work)| other.types.iter().any(|path| types.contains(path));
        let own = (usize::from(work.0), self.work(work));
        let others = self.works.iter().enumerate().filter(same).filter(|(at, _)| *at != own.0);
        let found = std::iter::once(own).chain(others).find(|(_, kind)| holds(kind));
        found.map(|(at, _)| WorkId(at as u16))
    }

    /// All kinds of work.
    pub fn all_work(&self) -> &[Work] {
        &self.works
    }

    /// The work that values of a protocol's type do beside being a session: one type may have both roles.
    pub fn work_of(&self, protocol: ProtocolId) -> Option<WorkId> {
        self.protocol_works.get(&protocol).copied()
    }

    /// The work that a method of this name does on a library's statement, which is sent by it.
    pub fn work_of_statements(&self, method: &str) -> Option<WorkId> {
        let path = |path: &String| path.split("::").map(str::to_owned).collect::<Vec<_>>();
        let sends =
            |work: &Work| work.is_done_by(method) && work.types.iter().any(|full| self.is_statement_type(&path(full)));
        self.works.iter().position(sends).map(|at| WorkId(at as u16))
    }

    /// The kind of value that a method gives, on whatever it is called.
    pub fn made_by(&self, method: &str) -> Option<WorkId> {
        let makes = |work: &Work| work.made_by.iter().any(|call| call == method);
        self.works.iter().position(makes).map(|at| WorkId(at as u16))
    }

    /// The work that the function with this full path does.
    pub fn work_function(&self, path: &[String]) -> Option<WorkId> {
        look_up(&self.work_functions, path).filter(|id| {
            let module = path.len().checked_sub(2).and_then(|index| path.get(index));
            let functions = &self.work(*id).functions;
            functions.iter().any(|full| full.rsplit("::").nth(1) == module.map(String::as_str))
        })
    }

    /// Whether slow work is known of a package of this name (`async-nats`).
    pub fn does_work(&self, package: &str) -> bool {
        self.work_crates.contains(&package.replace('-', "_"))
    }

    /// The crate identifier of the library in a package that is called otherwise: `s3` in `rust-s3`.
    pub fn library_name(&self, package: &str) -> Option<&str> {
        self.library_names.get(package).map(String::as_str)
    }

    /// Whether the full path of a type says that it is made for each request that a web framework answers.
    pub fn is_request_part(&self, path: &[String]) -> bool {
        self.request_parts.iter().any(|known| path.starts_with(known))
    }

    /// Whether a type that is made for each request carries what that says, by its name.
    pub fn is_request_input(&self, name: &str) -> bool {
        self.request_inputs.iter().any(|known| known == name)
    }

    /// The attributes of functions that are called for each request: crates and names.
    pub fn request_attributes(&self) -> &[(String, String)] {
        &self.request_attributes
    }

    /// The attributes of functions that the screen of an application for one person calls: crates and names.
    pub fn screen_attributes(&self) -> &[(String, String)] {
        &self.screen_attributes
    }

    /// Adds a function or method of the user's own to what counts as slow work, by the end of its path.
    pub fn add_outside(&mut self, path: &str) {
        self.also.push(path.split("::").map(str::to_owned).collect());
    }

    /// Whether the user named this function as slow work; its path may leave out the crate.
    pub fn is_outside(&self, path: &[String]) -> bool {
        self.also.iter().any(|named| path.ends_with(named) || named.get(1..) == Some(path))
    }
}

type Entries = Vec<((String, String), (String, WorkId))>;

fn look_up(entries: &Entries, path: &[String]) -> Option<WorkId> {
    let ((krate, _), name) = (path.split_first()?, path.last()?);
    let mut named = entries.iter().filter(|((k, n), _)| k == krate && n == name);
    let first = named.next()?;
    let all = std::iter::once(first).chain(named);
    let exact = all.clone().find(|(_, (full, _))| *full == path.join("::"));
    if let Some((_, (_, id))) = exact {
        return Some(*id);
    }
    let module = path.get(path.len().checked_sub(2)?).map(String::as_str);
    let near = all.clone().find(|(_, (full, _))| full.rsplit("::").nth(1) == module);
    // One type may stand in several entries.
    let only = |(_, (full, _)): &&_| all.clone().all(|(_, (other, _))| other == full);
    near.or_else(|| Some(first).filter(only)).map(|(_, (_, id))| *id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::work::Rank;

    #[test]
    fn types_of_one_name_are_told_apart_by_their_module() {
        let model = Model::built_in();
        let what = |path: &str| {
            let path: Vec<String> = path.split("::").map(str::to_owned).collect();
            model.work_type(&path).map(|id| model.work(id).what.clone())
        };
        assert_eq!(what("tokio::sync::mpsc::Receiver").as_deref(), Some("waiting for a message"));
        assert_eq!(what("tokio::sync::oneshot::Receiver").as_deref(), Some("waiting for an answer"));
        assert_eq!(what("reqwest::Client").as_deref(), Some("an HTTP request"));
        assert_eq!(what("reqwest::async_impl::Client").as_deref(), Some("an HTTP request"));
        assert_eq!(what("redis::ConnectionManager").as_deref(), Some("a call to Redis"));
        assert_eq!(what("tokio::sync::Mutex"), None);
        assert_eq!(what("mine::Client"), None);
    }

    #[test]
    fn work_is_slow_unless_its_entry_says_otherwise() {
        let model = Model::built_in();
        let rank = |path: &str| {
            let path: Vec<String> = path.split("::").map(str::to_owned).collect();
            model.work_type(&path).map(|id| model.work(id).rank)
        };
        assert_eq!(rank("reqwest::Client"), Some(Rank::Slow));
        assert_eq!(rank("redis::aio::MultiplexedConnection"), Some(Rank::Quick));
        assert_eq!(rank("async_nats::jetstream::Context"), Some(Rank::Slow));
        assert!(Rank::Quick < Rank::Slow);
    }

    #[test]
    fn only_an_answer_is_read() {
        let model = Model::built_in();
        let done = |path: &str, method: &str| {
            let path: Vec<String> = path.split("::").map(str::to_owned).collect();
            model.work_type(&path).is_some_and(|id| model.work(id).is_done_by(method))
        };
        for (path, method, waits) in [
            ("reqwest::RequestBuilder", "send", true),
            ("reqwest::RequestBuilder", "json", false),
            ("reqwest::Client", "execute", true),
            ("reqwest::Response", "json", true),
            ("reqwest::Response", "send", false),
        ] {
            assert_eq!(done(path, method), waits, "{path}::{method}");
        }
    }

    #[test]
    fn paths_start_with_a_crate_of_the_entry() {
        for work in &Model::built_in().works {
            for path in work.types.iter().chain(&work.functions) {
                let krate = path.split("::").next().unwrap();
                assert!(work.crates.iter().any(|package| package.replace('-', "_") == krate), "{path}");
            }
        }
    }
}
