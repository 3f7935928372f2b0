#!/usr/bin/env bash
# Makes the npm packages from the archives of packaging/archive.sh: `packaging/npm/from-archives.sh OUT ARCHIVES`. OUT holds one
# .tgz for each machine, and `sessionlint-VERSION.tgz`, which depends on them.
set -euo pipefail
[ $# -eq 2 ] || { echo "usage: $0 OUT ARCHIVES" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
out=$(cd "$1" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
programs=()
for archive in "$2"/sessionlint-*.tar.gz; do
    tar -C "$work" -xzf "$archive"
    folder=$(basename "$archive" .tar.gz)
    target=${folder#sessionlint-}
    target=${target%-v*}
    suffix=
    case $target in *windows*) suffix=.exe ;; esac
    programs+=("$target=$work/$folder/sessionlint$suffix")
done
node "$here/build.mjs" "$work/packages" "${programs[@]}"
for package in "$work"/packages/*/; do
    (cd "$package" && npm pack --silent --pack-destination "$out")
done
