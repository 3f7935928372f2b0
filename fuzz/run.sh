#!/usr/bin/env bash
# Fuzzes what the tool reads: `fuzz/run.sh SECONDS [TARGET ..]`, so many seconds a target, all targets without names. Needs
# cargo-fuzz (`cargo install cargo-fuzz`) and a C++ compiler; no nightly compiler. Inputs that broke something are made small,
# and stay in fuzz/artifacts; put them into fuzz/regressions/TARGET, which `cargo test --test hostile` reads.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$here")
seconds=${1:?seconds a target}
shift
targets=("$@")
[ ${#targets[@]} -gt 0 ] || targets=(baseline check lowering outline rules sql suppressions)
# Coverage is asked of the compiler in a way that stable ones only take with this.
export RUSTC_BOOTSTRAP=1
cd "$here"

# What it starts from: fixtures, their statements, the libraries' data; each in a file of its own.
seeds() {
    local to=$here/corpus/$1
    mkdir -p "$to"
    case $1 in
        check | lowering | outline | suppressions)
            # A function and the imports of its file: short texts are tried more often.
            find "$root/fixtures" -name '*.rs' | sort | while read -r file; do
                awk -v to="$to/$(echo "${file#"$root"/}" | tr / _)" '
                    /^use / { uses = uses $0 "\n" }
                    /^(pub )?(async )?(fn|struct|impl|enum|trait|macro_rules!) ?/ { text = ""; inside = 1 }
                    inside { text = text $0 "\n" }
                    inside && /^}/ { inside = 0; out = to "-" ++n; printf "%s%s", uses, text >out; close(out) }' "$file"
            done ;;
        sql)
            grep -rohE '"(SELECT|INSERT|UPDATE|DELETE|WITH|BEGIN|COMMIT|SET|CREATE|LOCK|LISTEN|CALL|MERGE|SAVEPOINT|START)[^"]*"' \
                "$root/fixtures" "$root/crates/analysis/src/sql" | tr -d '"' | sort -u | split -l 1 -a 4 - "$to/seed-" ;;
        rules)
            cp "$root"/crates/protocols/libraries/rust/*.toml "$to/"
            find "$root/fixtures" -name rules.toml | while read -r file; do cp "$file" "$to/$(echo "${file#"$root"/}" | tr / _)"; done ;;
        baseline)
            printf '{"version": 1, "findings": [{"path":"a.rs","function":"f","rule":"nested-acquire","fingerprint":"a764"}]}' >"$to/seed" ;;
    esac
    if [ -d "$here/regressions/$1" ]; then cp "$here/regressions/$1"/* "$to/"; fi
}

failed=()
for target in "${targets[@]}"; do
    seeds "$target"
    dictionary=rust.dict
    case $target in sql) dictionary=sql.dict ;; rules | baseline) dictionary=settings.dict ;; esac
    echo "== $target"
    cargo fuzz run --sanitizer none "$target" -- -max_total_time="$seconds" -timeout=20 -rss_limit_mb=4096 -max_len=4000 \
        -dict="$dictionary" -print_final_stats=1 2>&1 | tee "$here/corpus/$target.log" | grep -E 'panicked|ERROR|stat::|timeout|Test unit' || true
    if grep -q 'Test unit written' "$here/corpus/$target.log"; then failed+=("$target"); fi
done
[ ${#failed[@]} -eq 0 ] || { echo "something does not hold: ${failed[*]}"; exit 1; }
