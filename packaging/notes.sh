#!/usr/bin/env bash
# Prints what CHANGELOG.md says of a version: `packaging/notes.sh VERSION`; `Unreleased` is one, too.
set -euo pipefail
[ $# -eq 1 ] || { echo "usage: $0 VERSION" >&2; exit 2; }
root=$(cd "$(dirname "$0")/.." && pwd)
notes=$(awk -v heading="## [$1]" 'index($0, "## [") == 1 { inside = index($0, heading) == 1; next } /^\[[^]]*\]: / { inside = 0 } inside' "$root/CHANGELOG.md")
[ -n "${notes//[[:space:]]/}" ] || { echo "CHANGELOG.md says nothing of $1" >&2; exit 1; }
printf '%s\n' "$notes" | sed -e '/./,$!d'
