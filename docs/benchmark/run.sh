#!/usr/bin/env bash
# Speed and memory against `rg -c` for the same words, `tokei`, `ast-grep` and `semgrep` with one rule each, on one thread; and
# against `cargo clippy`, which compiles what it checks, on the sources of this repository. Needs ripgrep, python3 and GNU time;
# what else is not installed is left out (`cargo install tokei`, `pip install ast-grep-cli semgrep`). Vendors about 750 MB of crates.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
work=${1:-$(mktemp -d)}
runs=${RUNS:-5}
mkdir -p "$work/project"
cp "$here/corpus.toml" "$work/project/Cargo.toml"
touch "$work/project/lib.rs"
if [ ! -d "$work/corpus" ]; then
    (cd "$work/project" && cargo vendor --quiet vendor >/dev/null)
    mkdir "$work/corpus"
    # The part that people write by hand: generated bindings and tables are left out.
    python3 "$here/subset.py" "$work/project/vendor" "$work/corpus"
    rm -rf "$work/project/vendor"
fi
python3 "$here/words.py" "$root/crates/protocols/libraries/rust" >"$work/words"
cargo build --release --quiet --manifest-path "$root/Cargo.toml"
tool=$root/target/release/sessionlint
find "$work/corpus" -name '*.rs' -print0 | xargs -0 cat | wc -lc | awk '{print "corpus: " $1 " lines, " $2 " bytes"}'
timed() { /usr/bin/time -o "$work/time" -f '%U %S %M' "$@" >/dev/null 2>&1 || true; cat "$work/time" | tail -n 1; }
for name in rg tokei sessionlint ast-grep semgrep; do
    times=$runs
    case $name in
        rg) command=(rg --no-ignore -j1 -c -F -f "$work/words" -t rust "$work/corpus") ;;
        tokei) command=(env RAYON_NUM_THREADS=1 tokei --no-ignore --types Rust "$work/corpus") ;;
        sessionlint) command=("$tool" check "$work/corpus" --isolated --no-ignore --no-cache --threads 1 --format concise) ;;
        ast-grep) command=(ast-grep run -j1 --no-ignore hidden -l rust -p '$X.commit()' "$work/corpus") ;;
        semgrep)
            times=1
            command=(semgrep scan -j 1 --metrics off --disable-version-check --no-git-ignore -l rust -e '$X.commit()' "$work/corpus") ;;
    esac
    [ "$name" = sessionlint ] || command -v "$name" >/dev/null || { echo "$name: not installed"; continue; }
    for _ in $(seq "$times"); do timed "${command[@]}"; done | python3 "$here/median.py" "$name"
done
echo "this repository:"
export CARGO_TARGET_DIR=$work/clippy
clippy=(cargo clippy --quiet --offline --workspace --all-targets --manifest-path "$root/Cargo.toml")
rm -rf "$work/clippy"
timed "${clippy[@]}" | python3 "$here/median.py" "clippy from nothing"
for _ in $(seq 3); do touch "$root"/crates/*/src/lib.rs; timed "${clippy[@]}"; done | python3 "$here/median.py" "clippy when each crate changed"
for _ in $(seq "$runs"); do timed "$tool" check "$root" --isolated --no-cache --threads 1 --format concise; done | python3 "$here/median.py" sessionlint
