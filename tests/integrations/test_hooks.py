"""The hooks, in a scratch repository, under the real pre-commit and the real prek."""

import os
import resource
import statistics
import subprocess
import time

import pytest
from conftest import CLEAN, LEAK, PROGRAM, ROOT, TARGET, TOOLS, counterpart, git, is_captured, package, run, sessionlint, workspace

# The hook is built from the sources, as it is for users.
BUILD = {"CARGO_TARGET_DIR": str(TARGET)}


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    """This checkout as a repository that a hook can be cloned from: what git tracks, as it stands now."""
    directory = tmp_path_factory.mktemp("sources")
    names = subprocess.run(["git", "ls-files", "-z", "-co", "--exclude-standard"], cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout
    for name in filter(None, names.decode().split("\0")):
        if (ROOT / name).is_file():
            (directory / name).parent.mkdir(parents=True, exist_ok=True)
            (directory / name).write_bytes((ROOT / name).read_bytes())
    git(directory, "init", "-q")
    git(directory, "add", "-A")
    assert git(directory, "commit", "-qm", "as it is")[0] == 0
    return directory


def configuration(sources, *hooks):
    revision = git(sources, "rev-parse", "HEAD")[1].strip()
    ids = "".join(f"      - id: {hook}\n" for hook in hooks)
    return f"repos:\n  - repo: {sources}\n    rev: {revision}\n    hooks:\n{ids}"


def commit(directory, env):
    git(directory, "add", "-A")
    done = subprocess.run(
        ["git", "-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "-m", "a change"], cwd=directory,
        env={**os.environ, **env}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )
    return done.returncode, done.stdout


@pytest.fixture(scope="module", params=["pre-commit", "prek"])
def repository(request, sources, tmp_path_factory):
    """A repository with both hooks installed by one of the two, and the environment that they need."""
    name = request.param
    program = counterpart(name, TOOLS / "venv/bin" / name)
    directory = package(tmp_path_factory.mktemp(name), CLEAN, **{".pre-commit-config.yaml": configuration(sources, "sessionlint", "sessionlint-workspace")})
    git(directory, "init", "-q")
    home = tmp_path_factory.mktemp("home")
    env = {**BUILD, "PRE_COMMIT_HOME": str(home), "PREK_HOME": str(home), "PATH": f"{TOOLS}/venv/bin:{os.environ['PATH']}"}
    status, out, error = run([program, "install", "--install-hooks"], directory, env=env)
    assert status == 0, out + error
    return directory, env


def test_a_leak_does_not_get_in_and_a_clean_change_does(repository):
    directory, env = repository
    status, text = commit(directory, env)
    assert status == 0, text
    assert text.count("Passed") == 2, text

    (directory / "src/lib.rs").write_text(LEAK)
    status, text = commit(directory, env)
    assert status != 0
    assert "uncommitted-transaction" in text and "reaches a successful return" in text, text
    is_captured("pre-commit", text)
    assert git(directory, "log", "--oneline")[1].count("\n") == 1

    (directory / "src/lib.rs").write_text(CLEAN)
    (directory / "notes.txt").write_text("nothing for the hooks")
    status, text = commit(directory, env)
    assert status == 0 and "Skipped" in text, text


def test_a_file_alone_says_what_the_full_run_says(tmp_path):
    """The commit is in another file, behind a wrapper: whether it is there cannot be seen in the file that is staged."""
    store = """use sqlx::{PgPool, Transaction};
pub struct Unit { tx: Transaction }
impl Unit {
    pub async fn begin(pool: &PgPool) -> Result<Unit, sqlx::Error> { Ok(Unit { tx: pool.begin().await? }) }
    pub async fn put(&mut self) -> Result<(), sqlx::Error> { sqlx::query("INSERT INTO a VALUES (1)").execute(&mut self.tx).await }
    pub async fn save(self) -> Result<(), sqlx::Error> { self.tx.commit().await }
}
"""
    user = """use crate::store::Unit;
pub async fn saved(pool: &sqlx::PgPool) -> Result<(), sqlx::Error> {
    let mut unit = Unit::begin(pool).await?;
    unit.put().await?;
    unit.save().await
}
pub async fn forgotten(pool: &sqlx::PgPool) -> Result<(), sqlx::Error> {
    let mut unit = Unit::begin(pool).await?;
    unit.put().await?;
    Ok(())
}
"""
    directory = package(tmp_path, "pub mod store;\npub mod user;\n", **{"src/store.rs": store, "src/user.rs": user})
    entry = ["check", "--force-exclude", "--no-cache", "--format", "concise", "--quiet"]
    alone = sessionlint(directory, *entry, "src/user.rs")
    full = sessionlint(directory, *entry)
    assert alone == full and alone[0] == 1
    assert alone[1].count("\n") == 1 and alone[1].startswith("src/user.rs:10:5: "), alone[1]


def test_a_mistake_in_a_hundred_thousand_lines(tmp_path):
    """One file of it changed; by its path without kept results and with them, and all of it. How long that takes is printed; what is
    done is counted in tests/again.rs."""
    lines = workspace(tmp_path, 100)
    assert lines > 100_000
    path = tmp_path / "part7/src/lib.rs"
    path.write_text(path.read_text() + LEAK[LEAK.index("pub async"):])
    for arguments in [["part7/src/lib.rs"], ["part7/src/lib.rs"], []]:
        start = time.perf_counter()
        status, out, error = run([PROGRAM, "check", "--force-exclude", "--format", "concise", *arguments], tmp_path)
        took = time.perf_counter() - start
        assert status == 1 and out.count("uncommitted-transaction") == 1, out + error
        print(f"{lines} lines, {arguments or 'all of it'}: {took * 1000:.0f} ms")


def test_half_a_million_unchanged_lines_are_answered_from_what_was_kept(tmp_path):
    """The second run of the same; and a third after a change, which is not. The CPU time is printed."""
    assert workspace(tmp_path, 500) > 500_000
    assert sessionlint(tmp_path)[0] == 0
    took = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert sessionlint(tmp_path)[0] == 0
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        took.append(after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)
    print(f"unchanged: {statistics.median(took) * 1000:.0f} ms of CPU")
    path = tmp_path / "part77/src/lib.rs"
    path.write_text(path.read_text() + LEAK[LEAK.index("pub async"):])
    assert sessionlint(tmp_path)[0] == 1
