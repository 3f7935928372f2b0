"""The words that make sessionlint open a file, one a line: what `rg` looks for in the comparison."""
import pathlib
import sys
import tomllib

# As in crates/engine/src/words.rs.
COMMON = set(
    "new get open connect start close cancel finish end abort init insert lock create write default flush shutdown reset "
    "build exec drain keep eof complete grant quit".split()
)
words = set()
for path in pathlib.Path(sys.argv[1]).glob("*.toml"):
    library = tomllib.loads(path.read_text())
    common = library.get("common", False)
    crates = {name.replace("-", "_") for name in library["crates"]}
    words |= set() if common else {name + "::" if len(name) < 6 else name for name in crates}
    for protocol in library.get("protocol", []):
        names = {path.split("::")[-1] for path in protocol.get("paths", [])}
        finishes = protocol.get("finishes", False)
        if protocol["kind"] == "client":
            continue
        if protocol["kind"] != "builder" and not finishes:
            words |= {name for name in names if len(name) > 6}
        if common or finishes:
            continue
        if protocol["kind"] not in ("pool", "builder", "connection"):
            words |= {opening["call"] for opening in protocol.get("open", [])} - COMMON
        if protocol["kind"] not in ("pool", "builder"):
            words |= {ending["call"] for ending in protocol.get("end", [])} - COMMON
print("\n".join(sorted(words)))
