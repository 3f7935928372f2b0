#!/usr/bin/env python3
"""Does a change alter what is found in other people's code?

run.py check  --bin BIN --repositories DIR    compares with table.tsv; exit status 1 where a row differs
run.py update --bin BIN --repositories DIR    writes the rows of the repositories that are there anew
run.py same   --bin BIN --repositories DIR    is the report the same bytes with 1, 2 and 8 threads?

DIR holds what `git clone` made, bare or not, called OWNER+NAME or OWNER+NAME/repo. Repositories of the table that are
not there are named and left out. `update --add OWNER/NAME@COMMIT` puts another one into the table.

A row of table.tsv says how often a rule is reported in a repository at a commit, with default options and no
configuration. Rows in brackets count something else: functions that were analysed, sessions that were followed, gaps,
what was skipped, and panics.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

TABLE = Path(__file__).resolve().parent / "table.tsv"
HEADER = ("repository", "commit", "rule", "findings")
TREES = Path(tempfile.gettempdir()) / "sessionlint-ratchet"
# What the tool reads.
WANTED = (".rs", ".sql", "Cargo.toml", "Cargo.lock")
THREADS = (1, 2, 8)
TIMEOUT = 900


def main():
    options = arguments()
    table = read_table()
    for name, commit in options.add:
        table[name] = (commit, {})
    if options.only:
        table = {name: row for name, row in table.items() if options.only in name}
    if not table:
        sys.exit("no repository to look at")
    trees = {}
    for name, (commit, _) in sorted(table.items()):
        if directory := git_directory(options.repositories, name):
            trees[name] = checkout(directory, name, commit)
        else:
            print(f"{name}: not in {options.repositories}, left out")
    if not trees:
        sys.exit("none of the repositories is there")
    if options.command == "same":
        sys.exit(same(options.bin, trees))
    # One thread: what it says may still depend on their order, which is for `same` to tell.
    found = {name: counts(run(options.bin, tree, "--threads", "1")) for name, tree in trees.items()}
    differ = compare(table, found)
    if options.command == "update":
        write_table({**read_table(), **{name: (table[name][0], found[name]) for name in found}})
        sys.exit(0)
    print(f"{len(found)} repositories, {differ} rows differ")
    sys.exit(1 if differ else 0)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["check", "update", "same"])
    parser.add_argument("--bin", required=True, type=lambda path: Path(path).resolve(strict=True))
    parser.add_argument("--repositories", required=True, type=Path)
    parser.add_argument("--only", help="only repositories whose name contains this")
    parser.add_argument("--add", action="append", default=[], type=name_and_commit, metavar="OWNER/NAME@COMMIT")
    options = parser.parse_args()
    if options.add and options.command != "update":
        parser.error("--add goes with update")
    return options


def name_and_commit(text):
    name, _, commit = text.partition("@")
    if name.count("/") != 1 or len(commit) != 40:
        raise argparse.ArgumentTypeError("expected OWNER/NAME@ and the 40 digits of a commit")
    return name, commit


def read_table():
    """The commit and the counts of each repository."""
    table = {}
    if not TABLE.exists():
        return table
    header, *rows = (tuple(line.split("\t")) for line in TABLE.read_text().splitlines())
    if header != HEADER:
        sys.exit(f"{TABLE}: the first line is not {' '.join(HEADER)}")
    for name, commit, rule, count in rows:
        known, counts = table.setdefault(name, (commit, {}))
        if known != commit:
            sys.exit(f"{TABLE}: two commits of {name}")
        counts[rule] = int(count)
    return table


def write_table(table):
    lines = [HEADER]
    for name, (commit, counts) in sorted(table.items()):
        lines += [(name, commit, rule, str(count)) for rule, count in sorted(counts.items())]
    TABLE.write_text("".join("\t".join(line) + "\n" for line in lines))


def git_directory(repositories, name):
    """The git directory of a repository, or None when it is not there."""
    place = repositories.resolve() / name.replace("/", "+")
    for path in (place / "repo", place):
        for directory in (path / ".git", path):
            if (directory / "HEAD").is_file():
                return directory
    return None


def git(directory, *words, stdin=None):
    command = ["git", "-c", "safe.directory=*", f"--git-dir={directory}", *words]
    # A partial clone says what it lacks, rather than to download it.
    environment = {**os.environ, "GIT_NO_LAZY_FETCH": "1", "GIT_TERMINAL_PROMPT": "0"}
    done = subprocess.run(command, input=stdin, capture_output=True, env=environment)
    if done.returncode:
        sys.exit(f"git {' '.join(words)} in {directory}: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout


def checkout(directory, name, commit):
    """A folder with the wanted files of a commit; one that an earlier run made is used again."""
    place = TREES / name.replace("/", "+")
    tree, note = place / "tree", place / "commit"
    if note.is_file() and note.read_text() == commit:
        return tree
    shutil.rmtree(place, ignore_errors=True)
    tree.mkdir(parents=True)
    wanted = []
    for entry in git(directory, "ls-tree", "-r", "-z", commit).split(b"\0"):
        about, _, path = entry.partition(b"\t")
        path = os.fsdecode(path)
        # Files, not links or submodules.
        if about.startswith(b"100") and path.endswith(WANTED):
            wanted.append((path, about.split()[2]))
    said = git(directory, "cat-file", "--batch", stdin=b"".join(blob + b"\n" for _, blob in wanted))
    at = 0
    for path, _ in wanted:
        end = said.index(b"\n", at)
        about = said[at:end].split()
        at = end + 1
        if about[-1] == b"missing":
            print(f"{name}: {path} is not in the clone")
            continue
        size = int(about[2])
        file = tree / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(said[at : at + size])
        at += size + 1
    note.write_text(commit)
    return tree


def run(binary, tree, *more):
    """The report of one run."""
    command = [binary, "check", "--format", "json", "--isolated", "--no-cache", "--no-progress", *more]
    done = subprocess.run(command, cwd=tree, capture_output=True, timeout=TIMEOUT)
    if done.returncode not in (0, 1):
        sys.exit(f"{tree}: exit status {done.returncode}: {done.stderr.decode(errors='replace').strip()[-400:]}")
    return json.loads(done.stdout)


def counts(report):
    """The rows of a report."""
    summary, skipped = report["summary"], report["skipped"]
    rows = dict(Counter(finding["rule"] for finding in report["findings"]))
    rows |= {f"({what})": summary[what] for what in ("functions", "sessions", "gaps")}
    panics = sum("internal error" in one["reason"] for one in skipped)
    return rows | {"(skipped)": len(skipped) - panics, "(panics)": panics}


def compare(table, found):
    """Prints the rows that differ and gives their number."""
    differ = 0
    for name, now in sorted(found.items()):
        commit, before = table[name]
        for rule in sorted(before.keys() | now.keys()):
            old, new = before.get(rule), now.get(rule)
            if old == new:
                continue
            differ += 1
            for sign, count in (("-", old), ("+", new)):
                if count is not None:
                    print("\t".join((f"{sign}{name}", commit[:12], rule, str(count))))
    return differ


def same(binary, trees):
    """Prints where reports differ that were made with different numbers of threads; gives an exit status."""
    differ = 0
    for name, tree in sorted(trees.items()):
        reports = [run(binary, tree, "--threads", str(threads)) for threads in THREADS]
        for report in reports:
            del report["summary"]["elapsed_ms"]
        first = reports[0]
        for threads, report in zip(THREADS[1:], reports[1:]):
            # Objects keep the order of the text, so the same text and the same words of this are one.
            if json.dumps(report) != json.dumps(first):
                differ += 1
                print(f"{name}: {threads} threads say something else than {THREADS[0]}")
                print_difference(first, report)
    print(f"{len(trees)} repositories, {differ} reports differ")
    return 1 if differ else 0


def print_difference(first, other):
    """What only one of two reports says, or that the order is another."""
    told = False
    for part in first.keys() | other.keys():
        one, two = first.get(part), other.get(part)
        if not isinstance(one, list):
            one, two = [one], [two]
        lines = [Counter(json.dumps(entry) for entry in entries) for entries in (one, two)]
        for sign, only in (("-", lines[0] - lines[1]), ("+", lines[1] - lines[0])):
            for line in only.elements():
                told = True
                print(f"  {sign}{part}: {line[:400]}")
    if not told:
        print("  the same entries in another order")


if __name__ == "__main__":
    main()
