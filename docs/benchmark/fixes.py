"""Puts known mistakes into real code, lets sessionlint fix them, and asks the compiler whether the result compiles.

Usage: fixes.py DIRECTORY [--bin SESSIONLINT] [-p PACKAGE].. [--rounds N] [--no-check] [-- ARGUMENTS OF CARGO CHECK]

DIRECTORY is a copy of a Cargo workspace with all of its files. They are changed in place, and restored. Where something in its
Cargo.lock comes from a git repository, the workspace is first reduced to the packages named and what they need of it. In each round
every function gets one mistake at most. Where the fix that is offered with `--fix --unsafe-fixes` does not change that function it
is restored, and what is left is checked at once. A function whose fix does not compile is checked once more with the mistake alone.
"""
import argparse
import glob
import json
import os
import re
import subprocess
import sys
import time
import tomllib
from collections import Counter

TEXT = re.compile(r'//[^\n]*|/\*.*?\*/|b?r(#*)".*?"\1|b?"(?:\\.|[^"\\])*"|b?\'(?:\\.[^\']*|[^\'\\])\'', re.S)
FUNCTION = re.compile(r'\bfn\s+(\w+)')
# `tx.commit()…;` as a whole statement, whatever stands behind the call.
END = re.compile(
    r'(?<=[;{}])\s*(?P<all>(?P<place>[a-z_][\w.]*?)\s*\.\s*(?P<call>(?:commit|close|finish|shutdown|flush|quit|complete|end)\w*\s*\(\s*\))(?P<rest>[^;{}]*);)'
)
OPENED = re.compile(r'\blet\s+(?:mut\s+)?(?P<name>\w+)\s*(?::[^=;]+)?=\s*(?P<init>(?P<pool>&?(?:mut )?[\w.]+(?:\(\))?)\s*\.\s*begin\s*\([^;{}]*;)')
EXECUTOR = re.compile(r'\.\s*(?:execute|fetch\w*|exec|insert|update|save|delete|one|all)\s*\(\s*(?P<it>&mut\s*\**(?P<mut>\w+)|&(?P<ref>\w+))\s*\)')
# What a function answers at its end, when it is short.
TAIL = re.compile(r'[;}]\s*(Ok\([^;{}?\n]*\))\s*\}$')
# A function that ends sessions for others has no mistakes put in: nobody would know what it was.
ENDS = re.compile(r'(commit|rollback|close|finish|shutdown|flush|quit|complete|end)')
TEST = re.compile(r'(^|/)(tests?|benches|examples)(/|\.rs$)|_tests?\.rs$')


def mask(text):
    """The text without comments and the insides of literals, as long as it was."""
    blank = lambda m: ''.join(c if c == '\n' else ' ' for c in m.group())
    return TEXT.sub(blank, text)


def functions(masked):
    """(start, end, name) of every function's body; one inside of another comes later."""
    for found in FUNCTION.finditer(masked):
        depth, at = 0, found.end()
        while at < len(masked) and (masked[at] not in '{;' or depth):
            depth += {'(': 1, '[': 1, ')': -1, ']': -1}.get(masked[at], 0)
            at += 1
        if at == len(masked) or masked[at] == ';':
            continue
        start, depth = at, 0
        while at < len(masked):
            depth += {'{': 1, '}': -1}.get(masked[at], 0)
            at += 1
            if not depth:
                break
        yield start, at, found[1]


def mistakes(text, masked, start, end):
    """(kind, start, end, text in its place) of each mistake that can be put into one function."""
    opened = list(OPENED.finditer(masked, start, end))
    tail = TAIL.search(text[:end])
    tail = tail and tail.start() > start and tail[1]
    for it in END.finditer(masked, start, end):
        place, call, span = it['place'], text[slice(*it.span('call'))], it.span('all')
        waits = '.await' in ''.join(it['rest'].split())
        if it['call'].startswith('commit'):
            yield 'deleted', *span, ''
            if tail:
                yield 'early', span[0], span[0], f'if std::env::args().count() > 3 {{\n    return {tail};\n}}\n'
            for it in [one for one in opened if one['name'] == place and one.end() < span[0]][-1:]:
                yield 'discarded', span[1], span[1], f'\nlet _ = {text[slice(*it.span("init"))]}'
        if waits:
            yield 'not_awaited', *span, f'{place}.{call};'
            yield 'let_not_awaited', *span, f'let _ = {place}.{call};'
            yield 'drop_not_awaited', *span, f'drop({place}.{call});'
    for it in opened:
        for use in EXECUTOR.finditer(masked, it.end(), end):
            if it['name'] in (use['mut'], use['ref']):
                pool = it['pool'].removeprefix('&')
                for kind, pool in [('on_the_pool', pool), ('on_the_pool_borrowed', f'&{pool}')]:
                    yield kind, *use.span('it'), pool


def reduced(root, packages):
    """Reduces a workspace with git dependencies to the packages named and what they need of it, which has none."""
    lock = tomllib.load(open(f'{root}/Cargo.lock', 'rb'))['package']
    if not any(one.get('source', '').startswith('git+') for one in lock):
        return
    members = {os.path.dirname(path): manifest for path, manifest in manifests(root) if 'package' in manifest}
    by_name = {manifest['package']['name']: path for path, manifest in members.items()}
    wanted, todo = set(), list(packages)
    by_lock = {}
    for one in lock:
        by_lock.setdefault(one['name'], []).append(one)
    while todo:
        name = todo.pop()
        if name not in wanted:
            wanted.add(name)
            todo += [dep.split(' ')[0] for one in by_lock.get(name, []) if 'source' not in one for dep in one.get('dependencies', [])]
    kept = sorted(os.path.relpath(by_name[name], root) for name in wanted if name in by_name)
    text = open(f'{root}/Cargo.toml').read()
    text = re.sub(r'(?m)^(members|default-members)\s*=\s*\[[^\]]*\]\s*$', '', text)
    text = re.sub(r'(?ms)^\[patch\..*?(?=^\[(?!patch)|\Z)', '', text)
    listed = ', '.join(f'"{path}"' for path in kept if path != '.')
    text = text.replace('[workspace]', f'[workspace]\nmembers = [{listed}]', 1)
    open(f'{root}/Cargo.toml', 'w').write(text)


def manifests(root):
    for path in glob.glob(f'{root}/**/Cargo.toml', recursive=True):
        try:
            yield path, tomllib.load(open(path, 'rb'))
        except tomllib.TOMLDecodeError:
            continue


def sources(root, packages):
    """The files of the packages, without test code."""
    homes = {os.path.dirname(path): manifest.get('package', {}).get('name') for path, manifest in manifests(root)}
    for path in sorted(glob.glob(f'{root}/**/*.rs', recursive=True)):
        home = os.path.dirname(path)
        while home not in homes and home != root:
            home = os.path.dirname(home)
        if os.path.isfile(path) and (not packages or homes.get(home) in packages) and not TEST.search(os.path.relpath(path, root)):
            yield os.path.relpath(path, root)


class Tree:
    def __init__(self, root, binary):
        self.root, self.binary = root, binary
        self.original = {}

    def read(self, path):
        return open(f'{self.root}/{path}', newline='', errors='surrogateescape').read()

    def write(self, path, text):
        self.original.setdefault(path, self.read(path))
        open(f'{self.root}/{path}', 'w', newline='', errors='surrogateescape').write(text)

    def restore(self):
        for path, text in self.original.items():
            self.write(path, text)

    def fix(self):
        command = [self.binary, 'check', '.', '--isolated', '--no-ignore', '--no-cache', '--fix', '--unsafe-fixes', '--format', 'concise']
        done = subprocess.run(command, cwd=self.root, capture_output=True, text=True)
        if done.returncode not in (0, 1):
            sys.exit(done.stderr)


class Function:
    """One function of a file, by its number, with the mistakes that it can get."""

    def __init__(self, path, number, found):
        self.path, self.number, self.mistakes = path, number, found
        self.kind = self.broken = self.fixed = None


def survey(tree, packages):
    for path in sources(tree.root, packages):
        text = tree.read(path)
        if '.commit' not in text and '.begin' not in text and '.close' not in text:
            continue
        masked = mask(text)
        cut = masked.find('#[cfg(test)]')
        cut = len(text) if cut < 0 else cut
        spans = list(functions(masked))
        for number, (start, end, name) in enumerate(spans):
            inner = [one for one in spans if start < one[0] and one[1] < end]
            is_own = lambda found: not any(a <= found[1] and found[2] <= b for a, b, _ in inner)
            found = [one for one in mistakes(text, masked, start, end) if is_own(one)] if end <= cut and not ENDS.match(name) else []
            if found:
                yield Function(path, number, found)


def bodies(text):
    return [text[start:end] for start, end, _ in functions(mask(text))]


def with_bodies(text, changes):
    """The text with other bodies for the functions of these numbers."""
    spans = list(functions(mask(text)))
    for number in sorted(changes, reverse=True):
        start, end, _ = spans[number]
        text = text[:start] + changes[number] + text[end:]
    return text


def by_file(some):
    files = {}
    for function in some:
        files.setdefault(function.path, []).append(function)
    return files


def put(tree, some, which):
    """The tree as it was, but for these functions."""
    tree.restore()
    for path, inside in by_file(some).items():
        text = tree.original.get(path) or tree.read(path)
        tree.write(path, with_bodies(text, {one.number: getattr(one, which) for one in inside}))


def round_of(tree, some, turn):
    """The functions that a fix changed, with their texts before and after it."""
    now = [one for one in some if turn < len(one.mistakes)]
    tree.restore()
    for one in now:
        one.kind, start, end, new = one.mistakes[turn]
        text = tree.original.get(one.path) or tree.read(one.path)
        spans = list(functions(mask(text)))
        first, last, _ = spans[one.number]
        one.broken = text[first:start] + new + text[end:last]
    put(tree, now, 'broken')
    tree.fix()
    for path, inside in by_file(now).items():
        after = bodies(tree.read(path))
        for one in inside:
            one.fixed = after[one.number]
    return now, [one for one in now if one.fixed != one.broken]


def errors(tree, packages, arguments):
    """(path, line, what) of each error of `cargo check`."""
    command = ['cargo', 'check', '--message-format', 'json', '--keep-going', *[x for p in packages for x in ('-p', p)], *arguments]
    done = subprocess.run(command, cwd=tree.root, capture_output=True, text=True)
    found = []
    for line in done.stdout.splitlines():
        message = json.loads(line).get('message') if line.startswith('{') else None
        if isinstance(message, dict) and message.get('level') == 'error':
            spans = [span for span in message['spans'] if span['is_primary']]
            span = spans[0] if spans else None
            while span and span.get('expansion') and not os.path.exists(f'{tree.root}/{span["file_name"]}'):
                span = span['expansion']['span']
            place = (os.path.normpath(span['file_name']), span['line_start']) if span else ('', 0)
            found.append((*place, message['rendered']))
    if done.returncode and not found:
        found.append(('', 0, done.stderr[-3000:]))
    return found


def blamed(tree, some, found):
    """The functions that errors lie in."""
    guilty = []
    for path, inside in by_file(some).items():
        text = tree.read(path)
        spans = list(functions(mask(text)))
        for one in inside:
            first, last = (text.count('\n', 0, at) + 1 for at in spans[one.number][:2])
            said = [what for where, line, what in found if where == path and first <= line <= last]
            if said:
                guilty.append((one, said))
    return guilty


def main():
    arguments = sys.argv[1:]
    split = arguments.index('--') if '--' in arguments else len(arguments)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('directory')
    parser.add_argument('--bin', default='sessionlint')
    parser.add_argument('-p', '--package', action='append', default=[])
    parser.add_argument('--rounds', type=int, default=12)
    parser.add_argument('--no-check', action='store_true', help='only put mistakes in and fix them')
    options = parser.parse_args(arguments[:split])
    cargo = arguments[split + 1 :]
    tree = Tree(os.path.abspath(options.directory), os.path.abspath(options.bin) if '/' in options.bin else options.bin)
    started = time.monotonic()
    if not options.no_check:
        reduced(tree.root, options.package)
        if found := errors(tree, options.package, cargo):
            print(f'the unchanged code does not check ({time.monotonic() - started:.0f} s):', found[0][2][-2000:])
            return 2
        print(f'the unchanged code checks, in {time.monotonic() - started:.0f} s', flush=True)
    put_in, offered, wrong, odd = Counter(), Counter(), Counter(), Counter()
    try:
        some = list(survey(tree, options.package))
        for turn in range(min(options.rounds, max((len(one.mistakes) for one in some), default=0))):
            now, fixed = round_of(tree, some, turn)
            put_in.update(one.kind for one in now)
            offered.update(one.kind for one in fixed)
            print(f'round {turn + 1}: {len(now)} mistakes, {len(fixed)} fixes', flush=True)
            suspects = []
            while fixed and not options.no_check:
                put(tree, fixed, 'fixed')
                found = errors(tree, options.package, cargo)
                guilty = blamed(tree, fixed, found)
                if found and not guilty:
                    print('an error that is in none of these functions:', found[0][2])
                if not guilty:
                    break
                suspects += guilty
                fixed = [one for one in fixed if all(one is not other for other, _ in guilty)]
            if suspects:
                put(tree, [one for one, _ in suspects], 'broken')
                without = blamed(tree, [one for one, _ in suspects], errors(tree, options.package, cargo))
            for one, said in suspects:
                is_odd = any(one is other for other, _ in without)
                (odd if is_odd else wrong)[one.kind] += 1
                title = 'does not compile without the fix either' if is_odd else 'DOES NOT COMPILE'
                print(f'{title}: {one.kind} in {one.path}\n--- with the mistake\n{one.broken}\n--- with the fix\n{one.fixed}\n--- said\n{said[0]}')
    finally:
        tree.restore()
    for kind in put_in:
        print(f'{kind:22} put in {put_in[kind]:4}  fixes {offered[kind]:4}  do not compile {wrong[kind]:3}  nor without the fix {odd[kind]:3}')
    print(f'all: put in {put_in.total()}, fixes {offered.total()}, do not compile {wrong.total()}, nor without the fix {odd.total()}, {time.monotonic() - started:.0f} s')
    return 1 if wrong else 0


if __name__ == '__main__':
    sys.exit(main())
