#!/usr/bin/env bash
# How long does the tool take? Tests count steps; a clock is read here, and nothing fails by it.
#   tests/bench.sh FOLDER [check's options]   one thread, nothing kept from another run: seconds and peak memory
#   tests/bench.sh growth                     every text of tests/growth.rs in two sizes, 200 and 1,600 pieces, and the ratio
# BIN is the program; without it a release build is made. RUNS (5) is how often each is run. hyperfine is used where it is
# installed, GNU time where not.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
runs=${RUNS:-5}
[ $# -gt 0 ] || { sed -n '2,6s/^# \?//p' "$0"; exit 2; }
bin=${BIN:-}
if [ -z "$bin" ]; then
    cargo build --release --quiet --manifest-path "$root/Cargo.toml"
    bin=$root/target/release/sessionlint
fi
check=("$bin" check --isolated --no-cache --no-ignore --no-progress --threads 1 --format concise)

# The least of the user seconds of some runs: others use the machine, too.
seconds() { # folder
    for _ in $(seq "$runs"); do
        { /usr/bin/time -f '%U' "${check[@]}" "$1" >/dev/null; } 2>&1 | tail -n 1
    done | sort -n | head -n 1
}

if [ "$1" != growth ]; then
    command=("${check[@]}" "$@")
    if command -v hyperfine >/dev/null; then
        hyperfine --warmup 1 --runs "$runs" --ignore-failure "$(printf '%q ' "${command[@]}")"
    else
        for _ in $(seq "$runs"); do
            { /usr/bin/time -f '%e s, %U s user, %S s system, %M KB' "${command[@]}" >/dev/null; } 2>&1 | tail -n 1
        done
    fi
    exit
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
EMIT=$work cargo test --quiet --manifest-path "$root/Cargo.toml" --test growth emit >/dev/null
for text in "$work"/*/; do
    small=$(seconds "$text/200")
    large=$(seconds "$text/1600")
    # What is over in no time tells nothing: less than 20 ms counts as 20.
    awk -v name="$(basename "$text")" -v small="$small" -v large="$large" \
        'BEGIN { printf "%-36s %6.2f s %6.2f s %6.1f times\n", name, small, large, large / (small < 0.02 ? 0.02 : small) }'
done
