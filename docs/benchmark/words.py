"""The words that make sessionlint open a file, one a line: what `rg` looks for in the comparison."""
import pathlib
import sys
import tomllib

# As in crates/engine/src/words.rs.
COMMON = {"new", "get", "open", "connect", "start", "close", "cancel", "finish", "end", "abort"}
words = set()
for path in pathlib.Path(sys.argv[1]).glob("*.toml"):
    library = tomllib.loads(path.read_text())
    words |= {name.replace("-", "_") for name in library["crates"]}
    for protocol in library.get("protocol", []):
        names = {path.split("::")[-1] for path in protocol.get("paths", [])}
        words |= {name for name in names if len(name) > 6}
        if protocol["kind"] not in ("pool", "connection"):
            words |= {opening["call"] for opening in protocol.get("open", [])} - COMMON
        if protocol["kind"] != "pool":
            words |= {ending["call"] for ending in protocol.get("end", [])} - COMMON
print("\n".join(sorted(words)))
