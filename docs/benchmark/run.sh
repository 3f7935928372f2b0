#!/usr/bin/env bash
# Speed and memory against `rg -c` for the same words, and against `ast-grep` with one rule, on one thread.
# Needs ripgrep, python3 and GNU time; `pip install ast-grep-cli` for the last line. Vendors about 750 MB of crates.
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
for name in rg sessionlint ast-grep; do
    case $name in
        rg) command=(rg --no-ignore -j1 -c -F -f "$work/words" -t rust "$work/corpus") ;;
        sessionlint) command=("$tool" check "$work/corpus" --isolated --no-ignore --no-cache --threads 1 --format concise) ;;
        ast-grep) command=(ast-grep run -j1 --no-ignore hidden -l rust -p '$X.commit()' "$work/corpus") ;;
    esac
    command -v "${command[0]}" >/dev/null || { echo "$name: not installed"; continue; }
    for _ in $(seq "$runs"); do timed "${command[@]}"; done | python3 "$here/median.py" "$name"
done
