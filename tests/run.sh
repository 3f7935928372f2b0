#!/usr/bin/env bash
# All tests: the tool's own, the fixtures against the real crates, and some of them against real engines.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo test --workspace
tests/real/check.sh
tests/real/run.sh
