#!/usr/bin/env python3
"""Is the type that the program takes a receiver for the one that the compiler finds?

    tests/oracle/run.py [--all-unknown] [LIBRARY ..]

For each method that is called on a variable or field in a fixture, `let _: () = &receiver;` is put in front of the receiver, and the
fixture checked against the real crates: the compiler tells the type of each in one go. That is compared with what
`sessionlint debug receivers '*'` prints. A type that the program does not know is counted, and so is one that the compiler leaves open;
another one is a mistake, unless `known.tsv` names it with a reason. An entry that matches nothing any more is to be struck off.
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tomllib
from collections import Counter

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parent.parent
LIBRARIES = ["sqlx", "rusqlite", "tokio-postgres", "diesel", "redis"]
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target/real"))
# Own, share, lock or pin what is inside: the program looks through them, as auto-deref does.
AROUND = {
    "Box", "Arc", "Rc", "Pin", "Cow", "ManuallyDrop", "Mutex", "RwLock", "RefCell", "MutexGuard", "OwnedMutexGuard", "RwLockReadGuard",
    "RwLockWriteGuard", "Ref", "RefMut", "State", "Data", "Extension", "Json", "Path", "Query", "Form", "LazyLock", "LazyCell", "Weak",
}  # fmt: skip
COLLECTIONS = re.compile(r"Vec|VecDeque|\w*Set|\w*Map|\w*Iter|\w*IterMut|IntoIter|Drain|Values|Filter|Skip|Take|Rev|Chain|Peekable|\[")
# What does the same under a name of its own.
FUTURES = re.compile(r"impl|dyn|FuturesUnordered|FuturesOrdered|Pin|\w*Future|Instrumented|Timeout|BoxFuture|Fuse|Map|MapErr|Then")


LITERAL = re.compile(r'''r(#+)".*?"\1|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])'|//[^\n]*''', re.DOTALL)


def code(text):
    """The same text with comments blank, and texts full of zeros."""
    blank = lambda found: re.sub(r"[^\n]", " " if found[0].startswith("//") else "0", found[0])
    return LITERAL.sub(blank, text)


def receiver(text, at):
    """Where the receiver of the method begins whose name stands at `at`, when that is a variable or a field."""
    before = re.search(r"(?<![\w.$:'?\])}])(?P<path>[a-z_]\w*(\s*\.\s*\w+)*?)\s*\.\s*$", text[max(0, at - 300) : at])
    if not before or re.match(r"(await|return|break|in|if|match|move|mut|ref)\b", before["path"]):
        return None
    if ".await" in before["path"]:
        return None
    start = max(0, at - 300)
    return start + before.start("path"), start + before.end("path")


def split(text):
    """The parts between commas that stand in no brackets."""
    parts, depth, last = [], 0, 0
    for at, sign in enumerate(text):
        if sign in "<([{":
            depth += 1
        elif sign in ")]}" or (sign == ">" and text[at - 1] not in "-="):
            depth -= 1
        elif sign == "," and depth == 0:
            parts.append(text[last:at].strip())
            last = at + 1
    return parts + [text[last:].strip()]


def parsed(ty):
    """The last name of a type's path, and its arguments; references are looked through."""
    ty = ty.strip()
    while found := re.match(r"&\s*('\w+\s+)?(mut\s+)?", ty):
        ty = ty[found.end() :]
    if ty.startswith("("):
        return "(", split(ty[1:-1])
    if ty.startswith("["):
        return "[", [ty[1:-1].rsplit(";", 1)[0]]
    if found := re.match(r"(impl|dyn)\b(.*)", ty):
        output = re.search(r"Future<Output\s*=\s*", ty)
        inside = []
        if output:
            rest = ty[output.end() :]
            inside = [split(rest)[0] if rest.count("<") >= rest.count(">") else rest]
        return found[1], inside
    found = re.match(r"[\w:]*", ty)
    rest = ty[found.end() :]
    arguments = [part for part in split(rest[1 : rest.rfind(">")]) if not part.startswith("'")] if rest.startswith("<") else []
    return found[0].rsplit("::", 1)[-1], arguments


def is_open(theirs):
    """Whether the compiler leaves a type to whoever calls: a parameter, `Self`, what a trait is asked of. The program takes the trait for
    it, or what implements it here."""
    head, inside = parsed(theirs)
    if "Stream<" in theirs:
        return False
    if head in AROUND and inside:
        return is_open(inside[0])
    return re.match(r"&*\s*(mut )?<", theirs) is not None or re.fullmatch(r"impl|dyn|Self|[A-Z][A-Z0-9]?", head) is not None


def verdict(ours, theirs):
    """Whether two types are the same as far as ours goes: "same", "unknown", "open" or "different"."""
    if ours == "?":
        return "unknown"
    told = compared(ours, theirs)
    return "open" if told == "different" and is_open(theirs) else told


def compared(ours, theirs):
    if " or " in ours:
        told = [verdict(one, theirs) for one in ours.split(" or ")]
        return "same" if "same" in told else told[0]
    name, arguments = parsed(ours)
    head, inside = parsed(theirs)
    if name == "(":
        if head != "(" or len(inside) != len(arguments):
            return "different"
        told = {verdict(one, other) for one, other in zip(arguments, inside)}
        return "different" if "different" in told else "same" if "same" in told else "unknown"
    # `Result|Option<..>` has its arguments behind the last of its names.
    names = ours.split("<")[0].split("|")
    behind = ours[ours.index("<") + 1 : -1] if "<" in ours else None
    if names == ["Future"]:
        return "same" if FUTURES.fullmatch(head) else "different"
    if names == ["Collection"]:
        return "same" if COLLECTIONS.fullmatch(head) else peeled(ours, head, inside)
    if names == ["Cell"]:
        return "same" if "Cell" in head or "Once" in head else peeled(ours, head, inside)
    if names == ["Result", "Option"]:
        if head not in names and not head.endswith("Result"):
            return peeled(ours, head, inside)
        return verdict(behind, inside[0]) if inside and behind != "?" else "same"
    return "same" if head in names else peeled(ours, head, inside)


def peeled(ours, head, inside):
    return verdict(ours, inside[0]) if head in AROUND and inside else "different"


def ours(binary, directory):
    """The receivers of a fixture: by file, where the method's name stands, the function, and the type."""
    command = [binary, "debug", "receivers", "*", "src", "--tests", "include", "--isolated"]
    text = subprocess.run(command, cwd=directory, check=True, capture_output=True, text=True).stdout
    found = {}
    file = function = None
    for line in text.splitlines():
        if head := re.match(r"(\S+\.rs):\d+: (.+)", line):
            file, function = head[1], head[2]
        elif known := re.match(r"\s+(\d+) (.+)", line):
            found.setdefault(file, {})[int(known[1])] = (function, known[2])
    return found


def theirs(name, directory, receivers):
    """What the compiler says of them: by file and place of the method's name, with the receiver's text."""
    copy = TARGET / "oracle" / name
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(directory, copy)
    with open(copy / "Cargo.toml", "a") as manifest:
        manifest.write("\n[workspace]\n")
    if (lock := TARGET / "fixtures" / name / "Cargo.lock").exists():
        shutil.copy(lock, copy / "Cargo.lock")
    probes = {}
    for file, places in receivers.items():
        text = (directory / file).read_bytes().decode()
        # Offsets are those of bytes.
        characters = {len(text[:at].encode()): at for at in range(len(text) + 1)}
        pieces, last, length, here = [], 0, 0, {}
        plain = code(text)
        for at in sorted(places):
            found = receiver(plain, characters[at])
            if not found or found[0] < last:
                continue
            start, end = found
            path = re.sub(r"\s", "", text[start:end])
            before = text[last:start] + "({ let _: () = &"
            pieces.append(before + text[start:end] + "; " + text[start:end] + " })")
            here[length + len(before.encode()) - 1] = (at, path)
            length += len(pieces[-1].encode())
            last = end
        (copy / file).write_text("".join(pieces) + text[last:])
        probes[file] = here
    environment = dict(os.environ, CARGO_TARGET_DIR=str(TARGET), CARGO_PROFILE_DEV_DEBUG="0")
    environment["RUSTFLAGS"] = os.environ.get("RUSTFLAGS", "") + " -A warnings"
    command = ["cargo", "rustc", "--quiet", "--profile", "check", "--message-format=json", "--", "--diagnostic-width=100000"]
    output = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True)
    told, other = {}, []
    for line in output.stdout.splitlines():
        message = json.loads(line).get("message") if line.startswith("{") else None
        if not isinstance(message, dict) or message.get("level") != "error":
            continue
        span = next((span for span in message["spans"] if span["is_primary"]), None)
        found = span and re.match(r"expected `\(\)`, found `(.*)`$", span["label"] or "")
        probe = span and probes.get(span["file_name"], {}).get(span["byte_start"])
        if found and probe:
            told[span["file_name"], probe[0]] = (probe[1], found[1])
        elif span:
            other.append(f"{span['file_name']}:{span['line_start']}: {message['message']}")
    if not told:
        sys.exit(f"{name}: the compiler told nothing\n" + "\n".join(other[:5]) + output.stderr[-2000:])
    return told, sum(len(here) for here in probes.values())


def sessions():
    """The names of the types that are sessions or hand them out."""
    found = set()
    for path in (ROOT / "crates/protocols/libraries/rust").glob("*.toml"):
        for protocol in tomllib.loads(path.read_text()).get("protocol", []):
            found |= {known.rsplit("::", 1)[-1] for known in protocol.get("paths", [])}
    return found


def known():
    """Differences that have a reason: library, function, receiver and method, our type, the compiler's."""
    rows = [line.split("\t") for line in (HERE / "known.tsv").read_text().splitlines() if line and not line.startswith("#")]
    return {tuple(row[:5]): row[5] for row in rows}


def main():
    arguments = sys.argv[1:]
    all_unknown = "--all-unknown" in arguments
    libraries = [word for word in arguments if not word.startswith("--")] or LIBRARIES
    binary = os.environ.get("SESSIONLINT")
    if not binary:
        subprocess.run(["cargo", "build", "--quiet", "--bin", "sessionlint"], cwd=ROOT, check=True)
        built = os.environ.get("CARGO_TARGET_DIR")
        binary = str((pathlib.Path(built) if built else ROOT / "target") / "debug/sessionlint")
    names, reasons = sessions(), known()
    used, failed = set(), False
    for name in libraries:
        directory = ROOT / "fixtures/rust" / name
        receivers = ours(binary, directory)
        told, probed = theirs(name, directory, receivers)
        counts, lost = Counter(), Counter()
        for (file, at), (path, ty) in sorted(told.items()):
            function, guess = receivers[file][at]
            text = (directory / file).read_bytes()
            method = re.match(rb"\w+", text[at:])[0].decode()
            kind = verdict(guess, ty)
            row = (name, function, f"{path}.{method}", guess, ty)
            if kind == "different":
                used.add(row)
                kind = "known" if row in reasons else kind
            counts[kind] += 1
            line = text[:at].count(b"\n") + 1
            if kind == "different":
                failed = True
                print(f"{name}/{file}:{line}: " + "\t".join(row))
            if kind == "unknown" and (all_unknown or any(word in names for word in re.findall(r"\w+", ty))):
                lost[ty] += 1
                if all_unknown:
                    print(f"unknown: {name}/{file}:{line}: {function}: {path}.{method}: {ty}")
        counts["session lost"] = sum(lost.values())
        print(f"{name}: {probed} receivers, {len(told)} told: " + ", ".join(f"{count} {kind}" for kind, count in counts.items()))
        for ty, count in lost.most_common(12):
            print(f"    {count:4} not known: {ty}")
    gone = [row for row in reasons if row[0] in libraries and row not in used]
    for row in gone:
        print("to be struck off known.tsv: " + "\t".join(row))
    sys.exit(1 if failed or gone else 0)


if __name__ == "__main__":
    main()
