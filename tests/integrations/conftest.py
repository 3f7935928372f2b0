"""What the tests share: the program, scratch packages with a leak in them, and counterparts that may be missing."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ROOT / "target" / "integrations"
PROGRAM = Path(os.environ.get("SESSIONLINT", ROOT / "target" / "release" / "sessionlint"))
# Where tests build this program themselves: what it depends on is there already.
TARGET = Path(os.environ.get("SESSIONLINT_TARGET", ROOT / "target"))
# Whether the program is built as it is shipped: `RELEASE=1 tests/integrations/run.sh`.
IS_SHIPPED = "SESSIONLINT_TARGET" not in os.environ

MANIFEST = """[package]
name = "shop"
version = "0.1.0"
edition = "2024"

[lib]
path = "src/lib.rs"

[dependencies]
"""

# A stand-in for a library, patched in: cargo checks it without a network and in no time, and `sqlx` is still a library's name.
WORKSPACE = """
[workspace]
members = []
exclude = ["vendor"]

[patch.crates-io]
sqlx = { path = "vendor/sqlx" }
"""
SQLX = """//! As much of an interface as the tests need.
pub struct PgPool;
pub struct Transaction;
pub struct Query;
pub struct Error;
impl PgPool {
    pub async fn begin(&self) -> Result<Transaction, Error> { Err(Error) }
}
impl Transaction {
    pub async fn commit(self) -> Result<(), Error> { Ok(()) }
}
pub fn query(_: &str) -> Query { Query }
impl Query {
    pub async fn execute(self, _: &mut Transaction) -> Result<(), Error> { Ok(()) }
}
"""

LEAK = """use sqlx::PgPool;

pub async fn place(pool: &PgPool) -> Result<(), sqlx::Error> {
    let mut tx = pool.begin().await?;
    sqlx::query("INSERT INTO orders DEFAULT VALUES").execute(&mut tx).await?;
    Ok(())
}
"""
CLEAN = LEAK.replace("    Ok(())\n", "    tx.commit().await?;\n    Ok(())\n")
# `tx.commit()` is not awaited: a safe fix.
UNAWAITED = LEAK.replace("    Ok(())\n", "    let _ = tx.commit();\n    Ok(())\n")


def write(directory, files):
    for name, text in files.items():
        path = Path(directory) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def package(directory, lib, **more):
    """A package that cargo can check: `shop` with `lib` as its text, and a stand-in for sqlx beside it."""
    write(directory, {
        "Cargo.toml": MANIFEST + f'sqlx = "0.8"\n{WORKSPACE}',
        "src/lib.rs": lib,
        "vendor/sqlx/Cargo.toml": MANIFEST.replace('"shop"', '"sqlx"').replace("0.1.0", "0.8.6"),
        "vendor/sqlx/src/lib.rs": SQLX,
        ".gitignore": "target\n",
        **more,
    })
    return Path(directory)


def of_a_thousand_lines():
    """Functions of 1,000 lines: a fifth of them uses a transaction, the others are like any code."""
    session = CLEAN[CLEAN.index("pub async"):]
    other = """pub fn sum_N(values: &[u64]) -> Option<u64> {
    let mut sum = 0u64;
    for value in values {
        match value % 3 {
            0 => sum = sum.checked_add(*value)?,
            1 if *value > 10 => continue,
            _ => sum ^= value << 1,
        }
    }
    Some(sum)
}
"""
    return "".join(session.replace("place", f"place_{n}") + other.replace("N", str(n)) + other.replace("N", f"{n}_b") for n in range(36))


def workspace(directory, count):
    """A workspace of `count` packages (`part0` and so on) of a thousand lines each, without a mistake; gives its lines."""
    package(directory, CLEAN)
    members = [f"part{n}" for n in range(count)]
    manifest = (directory / "Cargo.toml").read_text()
    (directory / "Cargo.toml").write_text(manifest.replace("members = []", f"members = {members}".replace("'", '"')))
    functions = of_a_thousand_lines()
    for name in members:
        write(directory / name, {
            "src/lib.rs": "use sqlx::PgPool;\n" + functions,
            "Cargo.toml": MANIFEST.replace("shop", name) + 'sqlx = "0.8"\n',
        })
    return count * (functions.count("\n") + 1)


def git(directory, *arguments):
    return run(["git", "-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false", *arguments], directory)


def run(command, directory, env=None, text=None):
    """Status, standard output and standard error of a command."""
    done = subprocess.run(
        [str(word) for word in command], cwd=directory, env={**os.environ, **(env or {})}, input=text,
        stdin=None if text is not None else subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )
    return done.returncode, done.stdout, done.stderr


def sessionlint(directory, *arguments, env=None, text=None):
    return run([PROGRAM, *arguments], directory, env=env, text=text)


def document():
    return (ROOT / "docs/integrations.md").read_text()


def documented(language, word):
    """The piece of code in docs/integrations.md in this language that has this word in it."""
    [piece] = [piece for piece in re.findall(rf"```{language}\n(.*?)```", document(), re.S) if word in piece]
    return piece


def is_captured(name, text):
    """The capture of this name in docs/integrations.md shows what `text` says: each of its lines is there, in this order.
    Indentation of a whole line does not count: pre-commit and prek differ in it."""
    [part] = [part for part in document().split("<!-- capture: ")[1:] if part.startswith(f"{name} -->")]
    part = part.split("-->", 1)[1].strip()
    if part.startswith("```"):
        lines = part.split("\n```")[0].split("\n")[1:]
    else:
        lines = [line[2:].replace("<details open>", "<details>") for line in part.split("\n\n")[0].split("\n")]
    there = iter(line.strip() for line in text.split("\n"))
    missing = [line for line in lines if line.strip() and not any(line.strip() == other for other in there)]
    assert lines and not missing, f"{missing} in {text}"


def counterpart(name, *places):
    """The path of a program that the test runs beside ours; the test is skipped where it may be missing and is."""
    found = next((str(place) for place in places if Path(place).exists()), None) or shutil.which(name)
    if found is None:
        if os.environ.get("SESSIONLINT_OFFLINE"):
            pytest.skip(f"{name} is not installed")
        pytest.fail(f"{name} is not installed; tests/integrations/run.sh does it")
    return found


@pytest.fixture(autouse=True)
def own_results(tmp_path_factory, monkeypatch):
    """Results are kept where nothing else looks."""
    monkeypatch.setenv("SESSIONLINT_CACHE_DIR", str(tmp_path_factory.mktemp("results")))
