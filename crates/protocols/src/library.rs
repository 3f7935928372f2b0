//! What does a data file say? Reads `libraries/*.toml` and `[[protocol]]` tables into the [`Model`].

use crate::checked::check;
use crate::config::ConfigError;
use crate::facts::Library;
use crate::id::{LibraryId, ProtocolId};
use crate::intent::Intent;
use crate::learned::LearnedWords;
use crate::model::Model;
use crate::raw::{RawLibrary, RawProtocol};
use crate::standard::Standard;
use crate::{derived, typed};
use std::collections::BTreeMap;
use std::ops::Range;

/// The data files that are built in, with their names.
const BUILT_IN: &[(&str, &str)] = &[
    ("arrow", include_str!("../libraries/rust/arrow.toml")),
    ("async-compression", include_str!("../libraries/rust/async-compression.toml")),
    ("async-imap", include_str!("../libraries/rust/async-imap.toml")),
    ("async-nats", include_str!("../libraries/rust/async-nats.toml")),
    ("async_zip", include_str!("../libraries/rust/async_zip.toml")),
    ("aws-sdk-s3", include_str!("../libraries/rust/aws-sdk-s3.toml")),
    ("bb8", include_str!("../libraries/rust/bb8.toml")),
    ("chromiumoxide", include_str!("../libraries/rust/chromiumoxide.toml")),
    ("clickhouse", include_str!("../libraries/rust/clickhouse.toml")),
    ("csv", include_str!("../libraries/rust/csv.toml")),
    ("deadpool", include_str!("../libraries/rust/deadpool.toml")),
    ("diesel", include_str!("../libraries/rust/diesel.toml")),
    ("duckdb", include_str!("../libraries/rust/duckdb.toml")),
    ("etcd-client", include_str!("../libraries/rust/etcd-client.toml")),
    ("fantoccini", include_str!("../libraries/rust/fantoccini.toml")),
    ("fjall", include_str!("../libraries/rust/fjall.toml")),
    ("flate2", include_str!("../libraries/rust/flate2.toml")),
    ("foundationdb", include_str!("../libraries/rust/foundationdb.toml")),
    ("fred", include_str!("../libraries/rust/fred.toml")),
    ("fst", include_str!("../libraries/rust/fst.toml")),
    ("futures", include_str!("../libraries/rust/futures.toml")),
    ("headless_chrome", include_str!("../libraries/rust/headless_chrome.toml")),
    ("heed", include_str!("../libraries/rust/heed.toml")),
    ("indexed_db_futures", include_str!("../libraries/rust/indexed_db_futures.toml")),
    ("jammdb", include_str!("../libraries/rust/jammdb.toml")),
    ("lapin", include_str!("../libraries/rust/lapin.toml")),
    ("ldap3", include_str!("../libraries/rust/ldap3.toml")),
    ("lettre", include_str!("../libraries/rust/lettre.toml")),
    ("libp2p", include_str!("../libraries/rust/libp2p.toml")),
    ("libsql", include_str!("../libraries/rust/libsql.toml")),
    ("lmdb", include_str!("../libraries/rust/lmdb.toml")),
    ("lmdb-zero", include_str!("../libraries/rust/lmdb-zero.toml")),
    ("lz4", include_str!("../libraries/rust/lz4.toml")),
    ("lz4_flex", include_str!("../libraries/rust/lz4_flex.toml")),
    ("mobc", include_str!("../libraries/rust/mobc.toml")),
    ("mongodb", include_str!("../libraries/rust/mongodb.toml")),
    ("mysql", include_str!("../libraries/rust/mysql.toml")),
    ("mysql_async", include_str!("../libraries/rust/mysql_async.toml")),
    ("native_db", include_str!("../libraries/rust/native_db.toml")),
    ("neo4rs", include_str!("../libraries/rust/neo4rs.toml")),
    ("object_store", include_str!("../libraries/rust/object_store.toml")),
    ("odbc-api", include_str!("../libraries/rust/odbc-api.toml")),
    ("opendal", include_str!("../libraries/rust/opendal.toml")),
    ("openssh", include_str!("../libraries/rust/openssh.toml")),
    ("opentelemetry", include_str!("../libraries/rust/opentelemetry.toml")),
    ("oracle", include_str!("../libraries/rust/oracle.toml")),
    ("parquet", include_str!("../libraries/rust/parquet.toml")),
    ("playwright", include_str!("../libraries/rust/playwright.toml")),
    ("postgres", include_str!("../libraries/rust/postgres.toml")),
    ("qorb", include_str!("../libraries/rust/qorb.toml")),
    ("quinn", include_str!("../libraries/rust/quinn.toml")),
    ("r2d2", include_str!("../libraries/rust/r2d2.toml")),
    ("rbatis", include_str!("../libraries/rust/rbatis.toml")),
    ("rdkafka", include_str!("../libraries/rust/rdkafka.toml")),
    ("redb", include_str!("../libraries/rust/redb.toml")),
    ("redis", include_str!("../libraries/rust/redis.toml")),
    ("reqwest", include_str!("../libraries/rust/reqwest.toml")),
    ("rkv", include_str!("../libraries/rust/rkv.toml")),
    ("rocksdb", include_str!("../libraries/rust/rocksdb.toml")),
    ("rumqttc", include_str!("../libraries/rust/rumqttc.toml")),
    ("rusqlite", include_str!("../libraries/rust/rusqlite.toml")),
    ("russh", include_str!("../libraries/rust/russh.toml")),
    ("russh-sftp", include_str!("../libraries/rust/russh-sftp.toml")),
    ("scylla", include_str!("../libraries/rust/scylla.toml")),
    ("sea-orm", include_str!("../libraries/rust/sea-orm.toml")),
    ("sentry", include_str!("../libraries/rust/sentry.toml")),
    ("slatedb", include_str!("../libraries/rust/slatedb.toml")),
    ("sled", include_str!("../libraries/rust/sled.toml")),
    ("sqlite", include_str!("../libraries/rust/sqlite.toml")),
    ("sqlx", include_str!("../libraries/rust/sqlx.toml")),
    ("ssh2", include_str!("../libraries/rust/ssh2.toml")),
    ("suppaftp", include_str!("../libraries/rust/suppaftp.toml")),
    ("surrealdb", include_str!("../libraries/rust/surrealdb.toml")),
    ("tantivy", include_str!("../libraries/rust/tantivy.toml")),
    ("tar", include_str!("../libraries/rust/tar.toml")),
    ("tempfile", include_str!("../libraries/rust/tempfile.toml")),
    ("thirtyfour", include_str!("../libraries/rust/thirtyfour.toml")),
    ("tiberius", include_str!("../libraries/rust/tiberius.toml")),
    ("tikv-client", include_str!("../libraries/rust/tikv-client.toml")),
    ("toasty", include_str!("../libraries/rust/toasty.toml")),
    ("tokio", include_str!("../libraries/rust/tokio.toml")),
    ("tokio-postgres", include_str!("../libraries/rust/tokio-postgres.toml")),
    ("tokio-tar", include_str!("../libraries/rust/tokio-tar.toml")),
    ("tokio-tungstenite", include_str!("../libraries/rust/tokio-tungstenite.toml")),
    ("tracing-appender", include_str!("../libraries/rust/tracing-appender.toml")),
    ("turso", include_str!("../libraries/rust/turso.toml")),
    ("welds", include_str!("../libraries/rust/welds.toml")),
    ("zip", include_str!("../libraries/rust/zip.toml")),
    ("zookeeper-client", include_str!("../libraries/rust/zookeeper-client.toml")),
    ("zstd", include_str!("../libraries/rust/zstd.toml")),
];

impl Model {
    /// The built-in libraries.
    ///
    /// # Panics
    /// When a built-in data file is wrong, which a test rules out.
    pub fn built_in() -> Model {
        let mut model = Model {
            intent: Intent::built_in(),
            standard: Standard::built_in(),
            learned: LearnedWords::built_in(),
            ..Model::default()
        };
        let mut pending = Vec::new();
        for (name, text) in BUILT_IN {
            let raw: RawLibrary =
                toml::from_str(text).unwrap_or_else(|error| panic!("libraries/rust/{name}.toml: {error}"));
            let library = LibraryId(model.libraries.len() as u16);
            for package in &raw.crates {
                model.crates.entry(package.replace('-', "_")).or_default().push(library);
            }
            model.libraries.push(Library {
                name: (*name).to_owned(),
                about: about(text),
                crates: raw.crates,
                versions: raw.versions,
                through: raw.through,
                statements: raw.statements,
                statement_types: raw.statement_types,
                files: raw.files,
                runs_text: raw.runs_text,
                executes: raw.executes,
                prepares: raw.prepares,
                writes: raw.writes,
                reads: raw.reads,
                streams: raw.streams,
                copies: raw.copies,
                handles: raw.handles,
                handles_make: raw.handles_make,
                optional: raw.optional,
                session_comes_later: raw.session_comes_later,
                common: raw.common,
                resets: raw.resets,
                errors: raw.errors,
                errors_vary: raw.errors_vary,
                in_memory: raw.in_memory,
                makes_temporary: raw.makes_temporary,
                engines: raw.engines,
            });
            pending.extend(raw.protocols.into_iter().map(|protocol| (library, protocol)));
        }
        let added = model.add(pending, "built-in libraries", "");
        if let Err(error) = added {
            panic!("{}", error.message);
        }
        model.add_built_in_outside();
        model.typed = typed::built_in();
        (model.derived, model.generated) = derived::built_in();
        model
    }

    /// Adds the `[[protocol]]` tables of a rules.toml, each as a library of its own named by the
    /// first part of its id. `text` is the file's text and `name` its name, for errors.
    pub(crate) fn add_custom(&mut self, raw: Vec<RawProtocol>, name: &str, text: &str) -> Result<(), ConfigError> {
        let mut pending = Vec::new();
        for protocol in raw {
            let paths = protocol.paths.iter().flat_map(|paths| paths.get_ref()).cloned();
            if protocol.learn == Some(false) {
                self.unlearned.extend(paths);
                continue;
            }
            self.own_paths.extend(paths);
            let library_name = protocol.id.get_ref().split('.').next().unwrap_or_default().to_owned();
            let library = match self.libraries.iter_mut().position(|library| library.name == library_name) {
                Some(index) => index,
                None => {
                    self.libraries.push(Library { name: library_name, ..Library::default() });
                    self.libraries.len() - 1
                }
            };
            self.libraries[library].writes.extend(protocol.writes.iter().cloned());
            for path in protocol.paths.iter().flat_map(|paths| paths.get_ref()) {
                if let Some(first) = path.split("::").next() {
                    self.crates.entry(first.to_owned()).or_default().push(LibraryId(library as u16));
                    self.libraries[library].crates.push(first.to_owned());
                }
            }
            pending.push((LibraryId(library as u16), protocol));
        }
        self.add(pending, name, text)
    }

    fn add(&mut self, pending: Vec<(LibraryId, RawProtocol)>, name: &str, text: &str) -> Result<(), ConfigError> {
        let error = |message: String, span: Range<usize>| ConfigError::new(name, text, message, span);
        let mut ids: BTreeMap<String, ProtocolId> =
            self.protocols().map(|(id, protocol)| (protocol.id.clone(), id)).collect();
        for (offset, (_, raw)) in pending.iter().enumerate() {
            let id = ProtocolId((self.protocols.len() + offset) as u16);
            if ids.insert(raw.id.get_ref().clone(), id).is_some() {
                return Err(error(format!("the protocol `{}` is defined twice", raw.id.get_ref()), raw.id.span()));
            }
        }
        for (library, raw) in pending {
            let protocol = check(library, raw, &ids, &error)?;
            let id = ProtocolId(self.protocols.len() as u16);
            for path in &protocol.paths {
                let segments: Vec<&str> = path.split("::").collect();
                let (Some(krate), Some(name)) = (segments.first(), segments.last()) else { continue };
                let known = self.types.entry(((*krate).to_owned(), (*name).to_owned())).or_default();
                if !known.contains(&id) {
                    known.push(id);
                }
            }
            for (index, opening) in protocol.openings.iter().enumerate() {
                self.openings.entry(opening.call.clone()).or_default().push((id, index));
            }
            self.protocols.push(protocol);
        }
        Ok(())
    }
}

/// The comment that a data file begins with, as one paragraph.
fn about(text: &str) -> String {
    let lines = text.lines().map_while(|line| line.strip_prefix('#')).map(str::trim);
    lines.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_in_libraries_are_sound() {
        let model = Model::built_in();
        assert_eq!(model.libraries().count(), BUILT_IN.len());
        let sorted: Vec<_> = BUILT_IN.iter().map(|(name, _)| *name).collect();
        assert!(sorted.is_sorted(), "the list of data files is sorted by name");
        let directory = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("libraries/rust");
        assert_eq!(std::fs::read_dir(directory).unwrap().count(), sorted.len(), "every data file is in the list");
        for (_, protocol) in model.protocols() {
            assert!(
                protocol.class.is_none() || !protocol.on_drop.is_empty() || protocol.in_place,
                "{}: what does dropping it do, in words?",
                protocol.id
            );
            let library = model.library(protocol.library);
            for path in &protocol.paths {
                let krate = path.split("::").next().unwrap();
                assert!(
                    library.crates.iter().any(|package| package.replace('-', "_") == krate),
                    "{}: {path} starts with a crate of the library",
                    protocol.id
                );
            }
        }
    }

    #[test]
    fn re_exports_lead_to_the_library() {
        let model = Model::built_in();
        let id = |path: &str| {
            let path: Vec<String> = path.split("::").map(str::to_owned).collect();
            model.type_at(&path).map(|id| model.protocol(id).id.clone())
        };
        assert_eq!(id("sea_orm::sqlx::PgPool").as_deref(), Some("sqlx.pool"));
        assert_eq!(id("sqlx::mysql::MySqlPool").as_deref(), Some("sqlx.pool"));
        assert_eq!(id("diesel::r2d2::Pool").as_deref(), Some("r2d2.pool"));
        assert_eq!(id("deadpool_postgres::tokio_postgres::Transaction").as_deref(), Some("tokio_postgres.transaction"));
        assert_eq!(id("ethers::types::Transaction"), None);
        assert_eq!(id("Transaction"), None);
    }
}
