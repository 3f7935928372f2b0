#!/usr/bin/env python3
"""How long does the language server take to open a workspace, and for a key?

    editor.py SESSIONLINT DIRECTORY [FILE] [--keys N]

Opens FILE of the workspace in DIRECTORY (without it: the longest file in which sessions are followed), waits for its findings, then types
N keys (30) into a comment, N into a function and N into an import, each answered before the next. Prints what the server process
took: CPU is its user and system time, which other programs on the machine hardly change; wall time is from the key to its findings.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests" / "integrations"))
from client import Client  # noqa: E402

TICK = os.sysconf("SC_CLK_TCK")


def cpu(pid):
    """User and system time of a process in milliseconds, of all its threads. A tick is 10 ms, so it is read over many keys."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / TICK


def memory(pid):
    """The most that a process had in memory, in MB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) // 1024


def longest_with_sessions(program, directory):
    """Of the files, from the longest on, the first in which a session is followed."""
    listed = subprocess.run([program, "check", "--show-files", "."], cwd=directory, capture_output=True, text=True, check=True)
    files = sorted(listed.stdout.split("\n")[:-1], key=lambda path: -(Path(directory) / path).stat().st_size)
    for path in files:
        text = (Path(directory) / path).read_text(errors="replace")
        if not any(word in text for word in (".begin(", ".acquire(", ".transaction(", ".get().await", "launch(", "Transaction")):
            continue
        out = subprocess.run([program, "check", "--no-cache", "--format", "json", path], cwd=directory, capture_output=True, text=True)
        if json.loads(out.stdout)["summary"]["sessions"]:
            return path
    sys.exit("no session is followed in any file")


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("program")
    arguments.add_argument("directory")
    arguments.add_argument("file", nargs="?")
    arguments.add_argument("--keys", type=int, default=30)
    given = arguments.parse_args()
    program, directory = os.path.abspath(given.program), os.path.abspath(given.directory)
    path = given.file or longest_with_sessions(program, directory)
    text = (Path(directory) / path).read_text()
    print(f"{path}: {text.count(chr(10)):,} lines")

    began = time.perf_counter()
    client = Client([program, "lsp"], directory, capabilities={"window": {"workDoneProgress": True}})
    pid = client.process.pid
    uri = client.open(os.path.join(directory, path), text)
    client.wait(uri, 1)
    # The first answer may come before the rest of the workspace is read.
    kinds = [params["value"]["kind"] for params in client.until("$/progress")]
    while kinds.count("end") < kinds.count("begin"):
        client.read()
        kinds = [params["value"]["kind"] for name, params in client.told if name == "$/progress"]
    parts = [f"{time.perf_counter() - began:.1f} s wall", f"{cpu(pid) / 1000:.1f} s CPU", f"at most {memory(pid)} MB"]
    print(f"opened: {', '.join(parts)}, progress told {len(kinds)} times, {len(client.diagnostics[uri])} findings in this file")

    # What is typed stands in the last function, so that everything before it is as long as can be; then in the first function with an
    # `.await?`, which is read and analysed anew; then before the first import, on which any function may depend.
    end, body, use = text.rindex("}"), text.index(".await?;") + len(".await?;"), text.index("\nuse ") + 1
    places = [
        ("a comment", end, lambda key: f"\n// {'x' * key}\n"),
        ("a function", body, lambda key: f" let typed = {'1' * key};"),
        ("an import", use, lambda key: f"use typed{'x' * key};\n"),
    ]
    version = 1
    for where, at, typed in places:
        wall, before = [], cpu(pid)
        for key in range(1, given.keys + 1):
            version += 1
            start = time.perf_counter()
            client.change(uri, text[:at] + typed(key) + text[at:], version)
            client.wait(uri, version)
            wall.append((time.perf_counter() - start) * 1000)
        each = (cpu(pid) - before) / given.keys
        print(f"a key in {where}: {each:.0f} ms CPU; wall: median {statistics.median(wall):.0f} ms, most {max(wall):.0f} ms")
    print(f"memory in the end: at most {memory(pid)} MB")
    client.close()


if __name__ == "__main__":
    main()
