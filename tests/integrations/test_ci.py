"""The action and the jobs that docs/integrations.md has: before their schemas, and run step by step."""

import functools
import hashlib
import http.server
import os
import re
import shutil
import subprocess
import tarfile
import threading

import pytest
import yaml
from conftest import CLEAN, LEAK, PROGRAM, ROOT, TOOLS, counterpart, documented, git, is_captured, package, run

ACTION = yaml.safe_load((ROOT / "action.yml").read_text())


@pytest.mark.parametrize("schema, word", [
    ("vendor.github-actions", None),
    ("vendor.github-workflows", "pull_request"),
    ("vendor.gitlab-ci", "codequality"),
])
def test_it_keeps_to_the_schema(tmp_path, schema, word):
    checker = counterpart("check-jsonschema", TOOLS / "venv/bin/check-jsonschema")
    if word is None:
        path = ROOT / "action.yml"
    else:
        path = tmp_path / ".gitlab-ci.yml"
        path.write_text(documented("yaml", word))
    status, out, error = run([checker, "--builtin-schema", schema, path], tmp_path)
    assert status == 0, out + error


class Runner:
    """Runs the steps of a composite action as GitHub's runner does: expressions put in, `run` with bash, files for outputs."""

    def __init__(self, directory, scratch, **inputs):
        self.directory = directory
        self.scratch = scratch
        self.values = {f"inputs.{name}": str(value.get("default", "")) for name, value in ACTION["inputs"].items()}
        self.values |= {f"inputs.{name}": value for name, value in inputs.items()}
        self.values |= {"github.action_path": str(ROOT), "runner.temp": str(scratch), "runner.os": "Linux", "runner.arch": "X64"}
        # As for an action that stands in the repository itself.
        self.values |= {"github.action_ref": "", "github.action_repository": "", "github.server_url": "http://localhost"}
        self.used = []
        self.log = ""
        self.status = 0
        for name in ["summary", "output", "path"]:
            (scratch / name).touch()

    def put_in(self, text):
        known = lambda found: str(eval_expression(found.group(1).strip(), self.values))
        return re.sub(r"\$\{\{(.*?)\}\}", known, text)

    def run(self):
        for step in ACTION["runs"]["steps"]:
            if "if" in step and self.put_in(step["if"]) != "True":
                continue
            if "uses" in step:
                self.used.append((step["uses"], {key: self.put_in(value) for key, value in step["with"].items()}))
                continue
            assert step["shell"] == "bash" and "${{" not in step["run"], "what people write goes through the environment only"
            output = self.scratch / "output"
            output.write_text("")
            env = {key: self.put_in(value) for key, value in step.get("env", {}).items()}
            env |= {"GITHUB_OUTPUT": str(output), "GITHUB_STEP_SUMMARY": str(self.scratch / "summary"), "GITHUB_PATH": str(self.scratch / "path")}
            done = subprocess.run(
                ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]], cwd=self.directory,
                env={**os.environ, **env}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            )
            self.log += done.stdout
            for line in output.read_text().splitlines():
                name, value = line.split("=", 1)
                self.values[f"steps.{step['id']}.outputs.{name}"] = value
            if done.returncode != 0:
                self.status = done.returncode
                break
        return self


def eval_expression(text, values):
    if "==" in text:
        left, right = (part.strip() for part in text.split("=="))
        return values.get(left, "") == right.strip("'")
    assert re.fullmatch(r"[\w.-]+", text), text
    assert text in values, f"{text} is not known"
    return values[text]


@pytest.fixture
def scratch(tmp_path):
    """What the action installs is there already, as after a hit in its cache."""
    place = tmp_path / "runner"
    (place / "sessionlint/bin").mkdir(parents=True)
    shutil.copy(PROGRAM, place / "sessionlint/bin/sessionlint")
    return place


def test_the_action_fails_a_leak_with_annotations_sarif_and_a_summary(tmp_path, scratch):
    directory = package(tmp_path / "shop", LEAK)
    runner = Runner(directory, scratch).run()
    assert runner.status == 1, runner.log
    assert re.search(r"^::error file=src/lib.rs,line=6,col=5,.*uncommitted-transaction", runner.log, re.M), runner.log
    summary = (scratch / "summary").read_text()
    is_captured("github", runner.log)
    is_captured("summary", summary)
    assert "uncommitted-transaction" in summary and "src/lib.rs" in summary
    [cache, (upload, given)] = runner.used
    assert cache[0].startswith("actions/cache@") and re.fullmatch(r"sessionlint-Linux-X64-[0-9a-f]{40}", cache[1]["key"])
    assert upload.startswith("github/codeql-action/upload-sarif@") and given["category"] == "sessionlint"
    assert "uncommitted-transaction" in open(given["sarif_file"]).read()


def test_the_action_passes_what_is_clean_and_tells_mistakes_of_its_own(tmp_path, scratch):
    directory = package(tmp_path / "shop", CLEAN)
    runner = Runner(directory, scratch, upload="false").run()
    assert (runner.status, len(runner.used)) == (0, 1), runner.log
    assert runner.values["steps.check.outputs.status"] == "0"
    runner = Runner(directory, scratch, args="--profile=strict\n--config=missing.toml").run()
    assert runner.status == 2 and "missing.toml" in runner.log, runner.log


def test_the_action_reports_what_is_new(tmp_path, scratch):
    directory = package(tmp_path / "shop", LEAK)
    git(directory, "init", "-qb", "main")
    git(directory, "add", "-A")
    git(directory, "commit", "-qm", "old")
    git(directory, "checkout", "-qb", "change")
    assert Runner(directory, scratch, **{"new-from": "main", "upload": "false"}).run().status == 0
    (directory / "src/lib.rs").write_text(LEAK + LEAK[LEAK.index("pub async"):].replace("place", "again"))
    runner = Runner(directory, scratch, **{"new-from": "main", "upload": "false"}).run()
    assert runner.status == 1 and runner.log.count("::error") == 1, runner.log
    # A name that a shell would take for a command stays a name.
    assert Runner(directory, scratch, paths="src/lib.rs; exit 0", upload="false").run().status == 2


TARGET = "x86_64-unknown-linux-gnu"


@pytest.fixture
def released(tmp_path):
    """A server with one release, as GitHub has it: the archive, and the checksums beside it."""
    place = tmp_path / "server/OWNER/sessionlint/releases/download/v1.2.3"
    made = tmp_path / "made"
    status, out, error = run([ROOT / "packaging/archive.sh", made, TARGET, PROGRAM.parent], tmp_path)
    assert status == 0, out + error
    [archive] = made.iterdir()
    # An archive's folder has its name.
    with tarfile.open(archive) as opened:
        opened.extractall(made, filter="data")
    name = f"sessionlint-{TARGET}-v1.2.3"
    (made / archive.name.removesuffix(".tar.gz")).rename(made / name)
    place.mkdir(parents=True)
    with tarfile.open(place / f"{name}.tar.gz", "w:gz") as packed:
        packed.add(made / name, name)
    sums = hashlib.sha256((place / f"{name}.tar.gz").read_bytes()).hexdigest()
    (place / "SHA256SUMS").write_text(f"{sums}  {name}.tar.gz\n")
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(tmp_path / "server"))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield place, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def runner_of_a_release(directory, tmp_path, name, server, ref, **inputs):
    place = tmp_path / name
    place.mkdir()
    runner = Runner(directory, place, upload="false", **inputs)
    runner.values |= {"github.action_ref": ref, "github.action_repository": "OWNER/sessionlint", "github.server_url": server}
    return runner.run()


def test_the_action_takes_the_program_of_a_release(tmp_path, released):
    place, server = released
    directory = package(tmp_path / "shop", LEAK)
    runner = runner_of_a_release(directory, tmp_path, "by-tag", server, "v1.2.3")
    assert runner.status == 1 and "::error file=src/lib.rs" in runner.log, runner.log
    assert runner.used[0][1]["key"] == f"sessionlint-Linux-X64-v1.2.3-{TARGET}"
    # By its input, whatever the action is asked for by.
    assert runner_of_a_release(directory, tmp_path, "by-input", server, "main", version="v1.2.3").status == 1
    # What is not there is told, and so is what is not what was released.
    runner = runner_of_a_release(directory, tmp_path, "no-release", server, "v1.2.4")
    assert runner.status == 1 and "sessionlint v1.2.4 could not be fetched" in runner.log, runner.log
    (place / "SHA256SUMS").write_text((place / "SHA256SUMS").read_text().translate(str.maketrans("0123", "3210")))
    runner = runner_of_a_release(directory, tmp_path, "wrong-sum", server, "v1.2.3")
    assert runner.status == 1 and "is not the one that was released" in runner.log and "::error file" not in runner.log, runner.log


def test_the_gitlab_job(tmp_path):
    """Its script, with what it installs there already; what it leaves is the report that the job hands over."""
    job = yaml.safe_load(documented("yaml", "codequality"))["sessionlint"]
    directory = package(tmp_path, LEAK)
    script = "\n".join(line for line in job["script"] if "install" not in line)
    place = tmp_path / "bin"
    place.mkdir()
    (place / "sessionlint").symlink_to(PROGRAM)
    status, out, error = run(["bash", "-ec", script], directory, env={"PATH": f"{place}:{os.environ['PATH']}"})
    assert status == 1, out + error
    report = directory / job["artifacts"]["reports"]["codequality"]
    is_captured("gitlab", report.read_text())
