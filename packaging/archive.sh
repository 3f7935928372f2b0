#!/usr/bin/env bash
# Makes the archive that `cargo binstall` takes: `packaging/archive.sh OUT TARGET DIRECTORY`, with the programs that were built for
# TARGET in DIRECTORY. Its name and its folder are what [package.metadata.binstall] in Cargo.toml says.
set -euo pipefail
[ $# -eq 3 ] || { echo "usage: $0 OUT TARGET DIRECTORY" >&2; exit 2; }
out=$1 target=$2 directory=$3
root=$(cd "$(dirname "$0")/.." && pwd)
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' "$root/Cargo.toml" | head -n 1)
folder=sessionlint-$target-v$version
suffix=
case $target in *windows*) suffix=.exe ;; esac
mkdir -p "$out"
out=$(cd "$out" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/$folder"
cp "$directory/sessionlint$suffix" "$directory/cargo-sessionlint$suffix" "$root/README.md" "$root/LICENSE-MIT" "$root/LICENSE-APACHE" "$work/$folder"
# macOS has another tar, and calls GNU's so.
tar=$(command -v gtar || command -v tar)
"$tar" -C "$work" --owner 0 --group 0 --numeric-owner --sort name -czf "$out/$folder.tar.gz" "$folder"
echo "$out/$folder.tar.gz"
