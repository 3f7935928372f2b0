"""What sessionlint, clippy, ast-grep and semgrep find in the fixtures, function by function.

Usage: compare.py SESSIONLINT [AST-GREP] [SEMGREP] [CLIPPY.JSON]; a tool that is not given, or is `-`, is left out. CLIPPY.JSON holds what
`cargo clippy --message-format=json -- -W clippy::all -W clippy::pedantic -W clippy::nursery -W clippy::restriction` printed in copies of the
fixtures. A function counts as found when anything in it is reported that is about a session, as wrongly flagged when nothing in it is
marked. The rules for the other two stand in rules/.
"""
import json
import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
FIXTURES = HERE.parents[1] / "fixtures/rust"
# Lints of clippy and rustc that can be about a session.
CLIPPY = {"clippy::let_underscore_future", "unused_must_use", "clippy::mem_forget", "clippy::let_underscore_must_use", "clippy::await_holding_lock"}


def functions(path):
    """First and last line of each function of a file, the inner ones later."""
    found, open_, depth, pending = [], [], 0, None
    for number, line in enumerate(path.read_text(errors="replace").split("\n"), 1):
        code = re.sub(r'"(\\.|[^"\\])*"|//.*', "", line)
        if re.search(r"\bfn\s+\w+", code):
            pending = number
        for char in code:
            if char == "{":
                depth += 1
                if pending is not None:
                    open_.append((depth, pending))
                    pending = None
            elif char == "}":
                if open_ and open_[-1][0] == depth:
                    found.append((open_.pop()[1], number))
                depth -= 1
            elif char == ";" and pending is not None:
                pending = None
    return sorted(found)


class Report:
    def __init__(self):
        self.flagged = set()

    def add(self, path, line):
        path = Path(path).resolve()
        around = [span for span in SPANS.get(path, []) if span[0] <= line <= span[1]]
        if around:
            self.flagged.add((path, max(around)[0]))


SPANS = {path.resolve(): functions(path) for path in sorted(FIXTURES.rglob("*.rs"))}
marked = Report()
for path in SPANS:
    for number, line in enumerate(path.read_text(errors="replace").split("\n"), 1):
        for rule in re.findall(r"//~ ([a-z-]+)", line):
            if not rule.endswith("-suppression"):
                marked.add(path, number)
count = sum(len(spans) for spans in SPANS.values())
tools = {}


def run(command):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout


arguments = {number: argument for number, argument in enumerate(sys.argv) if argument not in ("", "-")}
report = tools["sessionlint"] = Report()
for finding in json.loads(run([arguments[1], "check", FIXTURES, "--isolated", "--no-cache", "--format", "json"]))["findings"]:
    if not finding["rule"].endswith("-suppression"):
        report.add(finding["path"], finding["range"]["start"]["line"])
if 2 in arguments:
    report = tools["ast-grep"] = Report()
    for finding in json.loads(run([arguments[2], "scan", "--rule", HERE / "rules/ast-grep.yml", "--json", FIXTURES])):
        report.add(finding["file"], finding["range"]["start"]["line"] + 1)
if 3 in arguments:
    report = tools["semgrep"] = Report()
    command = [arguments[3], "scan", "--config", HERE / "rules/semgrep.yml", "--metrics", "off", "--disable-version-check", "--no-git-ignore", "--json", FIXTURES]
    for finding in json.loads(run(command))["results"]:
        report.add(finding["path"], finding["start"]["line"])
if 4 in arguments:
    report = tools["clippy"] = Report()
    for line in Path(arguments[4]).read_text().splitlines():
        message = json.loads(line).get("message") or {}
        if (message.get("code") or {}).get("code") in CLIPPY:
            for span in message["spans"]:
                if span["is_primary"]:
                    report.add(FIXTURES / span["file_name"], span["line_start"])
print(f"{count} functions, {len(marked.flagged)} with a mistake\n")
print("| tool | found | missed | wrongly flagged |\n|---|---|---|---|")
for name, report in tools.items():
    found = len(report.flagged & marked.flagged)
    print(f"| {name} | {found} | {len(marked.flagged) - found} | {len(report.flagged - marked.flagged)} |")
