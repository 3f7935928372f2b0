"""Copies the crates of a vendor directory that speak of databases, the web or async, without generated ones."""
import pathlib
import shutil
import sys

PREFIXES = (
    "sqlx sea-orm sea-query diesel tokio postgres deadpool bb8 r2d2 rusqlite mysql tiberius mongodb redb neo4rs "
    "thirtyfour fantoccini axum actix reqwest lapin redis tantivy tonic hyper h2 tower futures serde regex rustls rand "
    "chrono time bytes http url uuid bson cookie async clap syn quote proc-macro2 tracing hashbrown indexmap itertools "
    "nom arrow bigdecimal rust_decimal aes crypto sha hmac rsa rkyv"
).split()
source, target = map(pathlib.Path, sys.argv[1:3])
for crate in sorted(source.iterdir()):
    if crate.name.startswith(tuple(PREFIXES)) and not crate.name.endswith("-sys"):
        shutil.copytree(crate, target / crate.name)
