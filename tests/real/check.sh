#!/usr/bin/env bash
# Type-checks the fixtures of libraries against the real crates: `tests/real/check.sh [NAME ..]`. Without names those that
# two cores check in some minutes; `--all` adds the rest, which needs protoc, cmake, libclang and patience.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
# Each pulls in hundreds of crates, builds a library in C++, takes the better part of a minute, or links SQLite twice.
heavy=(in-no-transaction screens async-nats aws-sdk-s3 chromiumoxide duckdb etcd-client foundationdb handlers headless_chrome lapin lapin-1 libp2p libsql outside playwright qorb rdkafka rocksdb ckb-rocksdb scylla
    sea-orm-migration slatedb slatedb-0.17 surrealdb tikv-client turso typed)
# Checked as dependencies of the tests against real engines.
tested=(arrow async-compression async_zip bb8 csv deadpool diesel fantoccini fjall flate2 heed jammdb native_db object_store opendal
    parquet postgres r2d2 redb redis rusqlite sea-orm sqlx tar tempfile thirtyfour tokio tokio-postgres zip zstd)
names=("$@")
if [ ${#names[@]} -eq 0 ] || [ "${names[0]}" = --all ]; then
    skip=("${tested[@]}")
    [ ${#names[@]} -gt 0 ] || skip+=("${heavy[@]}")
    names=()
    for directory in "$root"/fixtures/rust/*/ "$root/fixtures/strict/"; do
        name=$(basename "$directory")
        [[ " ${skip[*]} " == *" $name "* ]] || names+=("$name")
    done
fi
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$root/target/real}
# The tests of the program itself are built as whoever calls this has them built.
program_debug=${CARGO_PROFILE_DEV_DEBUG:-}
export CARGO_PROFILE_DEV_DEBUG=0
failed=()
for name in "${names[@]}"; do
    from=$root/fixtures/rust/$name
    [ -d "$from" ] || from=$root/fixtures/$name
    # A copy, because each has a Cargo.lock of its own: some of them cannot stand beside each other in one.
    copy=$CARGO_TARGET_DIR/fixtures/$name
    mkdir -p "$copy"
    cp -r "$from/." "$copy/"
    printf '\n[workspace]\n' >>"$copy/Cargo.toml"
    echo "== $name"
    RUSTFLAGS="${RUSTFLAGS:-} -A warnings" cargo check --quiet --manifest-path "$copy/Cargo.toml" 2>"$copy/errors" ||
        { cat "$copy/errors"; failed+=("$name"); }
done
# The generated programs, too, are what they claim to be: they compile, with what they move and borrow.
if [ $# -eq 0 ]; then
    echo "== generated programs"
    copy=$CARGO_TARGET_DIR/fixtures/programs
    rm -rf "$copy/src"
    mkdir -p "$copy"
    EMIT=$copy PROGRAMS=${PROGRAMS:-200} env -u CARGO_TARGET_DIR -u CARGO_PROFILE_DEV_DEBUG ${program_debug:+CARGO_PROFILE_DEV_DEBUG=$program_debug} cargo test --quiet --manifest-path "$root/Cargo.toml" --test generated emit >"$copy/errors"
    sed -e 's/^name = .*/name = "programs"/' -e '/^\(anyhow\|reqwest\|futures\|axum\) /d' "$root/fixtures/rust/sqlx/Cargo.toml" >"$copy/Cargo.toml"
    printf '\n[workspace]\n' >>"$copy/Cargo.toml"
    RUSTFLAGS="${RUSTFLAGS:-} -A warnings" cargo check --quiet --manifest-path "$copy/Cargo.toml" 2>"$copy/errors" ||
        { cat "$copy/errors"; failed+=(programs); }
fi
[ ${#failed[@]} -eq 0 ] || { echo "not type-correct: ${failed[*]}"; exit 1; }
