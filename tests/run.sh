#!/usr/bin/env bash
# All tests: the tool's own, the fixtures against the real crates, some of them against real engines, and the tool beside
# its real counterparts: hooks, validators, editors, browsers, installers.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo test --workspace
tests/real/check.sh
tests/real/run.sh
tests/integrations/run.sh
