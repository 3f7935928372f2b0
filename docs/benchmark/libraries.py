"""What is known of the libraries that public projects use and that have something to end?

A table of the packages that the manifests below a directory depend on, by the number of projects that do, of those which have
a public type with `commit`, `rollback`, `close`, `finish` or `abort`; and the share of these uses of which it is known what that
type is. Known is what has a data file below crates/protocols, and what libraries.toml beside this script says was read and is
nothing that leaks. A project is one directory below the one that is named, with all its manifests; its own packages do not count.

    python3 docs/benchmark/libraries.py MANIFESTS SOURCES.. [--table] [--unknown]

Each of SOURCES is a folder with the sources of packages, `name-1.2.3` each, as `cargo fetch` and `cargo vendor --versioned-dirs`
leave them. A package whose sources are in none of them is counted apart, unless it has a data file. Plain Python 3.11.
"""
import argparse
import collections
import pathlib
import re
import tomllib

HERE = pathlib.Path(__file__).parent
LIBRARIES = HERE.parent.parent / "crates/protocols/libraries/rust"
ENDS = "commit|rollback|close|finish|abort"
METHOD = re.compile(rf"^([ \t]*)(pub )?(?:async |const |unsafe )*fn ({ENDS})\s*(?:<[^>]*>)?\(\s*(?:mut |&(?:'\w+ )?(?:mut )?)*self\b", re.M)
AROUND = re.compile(r"^([ \t]*)(?:pub(?:\([^)]*\))? )?(?:unsafe )?(impl|trait|mod|fn|macro_rules!)\b([^{;]*)", re.M)
TEST = {"tests", "benches", "examples", "target", "test"}


def dependencies(project):
    """The packages from registries that a project's manifests depend on for more than its tests."""
    found, own = set(), set()
    for path in project.rglob("Cargo.toml"):
        try:
            manifest = tomllib.loads(path.read_text())
        except (tomllib.TOMLDecodeError, UnicodeDecodeError):
            continue
        own.add(manifest.get("package", {}).get("name"))
        tables = [manifest, manifest.get("workspace", {}), *manifest.get("target", {}).values()]
        for table in tables:
            for name, value in table.get("dependencies", {}).items():
                value = value if isinstance(value, dict) else {}
                if "path" not in value and not value.get("workspace"):
                    found.add(value.get("package", name))
    return found - own


def ends(folder):
    """The public types of a package that have one of the methods: `Type::method`."""
    found, public = set(), set()
    for path in sorted(folder.rglob("*.rs")):
        if TEST & set(path.relative_to(folder).parts):
            continue
        text = path.read_text(errors="replace")
        public.update(re.findall(r"\bpub (?:struct|enum|union|trait) (\w+)", text))
        for method in METHOD.finditer(text):
            indent, is_public, name = method.groups()
            around = [one for one in AROUND.finditer(text, 0, method.start()) if len(one[1]) < len(indent)]
            if not around:
                continue
            kind, head = around[-1][2], around[-1][3]
            if kind == "impl" and is_public:
                candidates = set(re.findall(r"\b[A-Z]\w*", head.split(" where ")[0].split("\nwhere")[0]))
            elif kind == "trait":
                candidates = set(re.findall(r"^\s*(\w+)", head))
            else:
                continue
            found.update((one, name) for one in candidates if one)
    return sorted(f"{owner}::{name}" for owner, name in found if owner in public)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("manifests", type=pathlib.Path)
    parser.add_argument("sources", type=pathlib.Path, nargs="+")
    parser.add_argument("--table", action="store_true", help="print the table, in Markdown")
    parser.add_argument("--unknown", action="store_true", help="print what is not known, and what has no sources here")
    options = parser.parse_args()

    known, ending = {}, set()
    for path in LIBRARIES.glob("*.toml"):
        data = tomllib.loads(path.read_text())
        names = {name.replace("_", "-") for name in [*data["crates"], *data.get("through", [])]}
        known |= dict.fromkeys(names, f"[{path.stem}](../libraries/{path.stem}.md)")
        # A package may hand on the types of another one, as sqlx does.
        if any(protocol.get("end") for protocol in data.get("protocol", [])):
            ending |= names
    read = tomllib.loads((HERE / "libraries.toml").read_text())
    read = {name: one["why"] for one in read["read"] for name in one["packages"]}

    projects = [project for project in sorted(options.manifests.iterdir()) if any(project.rglob("Cargo.toml"))]
    uses = collections.Counter(name for project in projects for name in dependencies(project))
    folders = collections.defaultdict(list)
    for folder in (folder for place in options.sources for folder in place.iterdir()):
        if match := re.match(r"(.*?)-(\d+)\.(\d+)\.(\d+)", folder.name):
            folders[match[1]].append((tuple(int(match[number]) for number in (2, 3, 4)), folder))
    rows, missing = [], []
    for name, count in sorted(uses.items(), key=lambda one: (-one[1], one[0])):
        versions = folders.get(name)
        data, why = known.get(name.replace("_", "-")), read.get(name)
        is_ending = name.replace("_", "-") in ending
        newest = max(versions)[1] if versions else None
        found = ends(newest) if newest else []
        if found or is_ending:
            rows.append((name, count, newest.name.removeprefix(name + "-") if newest else "", found, data, why))
        elif not newest:
            missing.append((name, count))

    if options.table:
        print("| package | projects | read in | types with an end | what is known |\n|---|---|---|---|---|")
        for name, count, number, found, data, why in rows:
            types = ", ".join(f"`{one}`" for one in found[:3]) + (f" and {len(found) - 3} more" if len(found) > 3 else "")
            print(f"| {name} | {count} | {number} | {types} | {data or why or 'nothing'} |")
        print()
    if options.unknown:
        for name, count, number, found, data, why in rows:
            if not data and not why:
                print(f"{count:4} {name} {number}: {' '.join(found[:8])}")
        print(f"without sources: {' '.join(f'{name}:{count}' for name, count in missing if count > 1)}")
    total = sum(row[1] for row in rows)
    in_data = sum(row[1] for row in rows if row[4])
    judged = sum(row[1] for row in rows if not row[4] and row[5])
    apart = sum(count for _, count in missing)
    print(f"{len(projects)} projects use {len(uses)} packages {sum(uses.values())} times; {apart} uses of {len(missing)} packages without sources")
    print(f"uses of packages with a type to end: {total}; in the data {in_data} ({in_data / total:.1%}), read and nothing that leaks {judged} ({judged / total:.1%})")
    print(f"known of {(in_data + judged) / total:.1%}")


if __name__ == "__main__":
    main()
