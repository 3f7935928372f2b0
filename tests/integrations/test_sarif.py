"""SARIF and the other reports, before the validators of those who read them."""

import json
import re

import jsonschema
import pytest
from conftest import CLEAN, LEAK, ROOT, TOOLS, counterpart, is_captured, package, run, sessionlint

MULTITOOL = TOOLS / "node_modules/@microsoft/sarif-multitool-linux/Sarif.Multitool"


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    directory = tmp_path_factory.mktemp("sarif")
    clean = package(directory / "clean", CLEAN)
    paths = {}
    for name, where in {"fixtures": ROOT / "fixtures", "clean": clean}.items():
        path = directory / f"{name}.sarif"
        status, _, error = sessionlint(where, "--isolated", "--format", "sarif", "--output", path)
        assert status == (1 if name == "fixtures" else 0), error
        paths[name] = path
    return paths


def test_it_keeps_to_the_schema(reports):
    schema = json.loads((MULTITOOL.parent / "sarif-2.1.0.json").read_text()) if MULTITOOL.exists() else None
    if schema is None:
        counterpart("Sarif.Multitool", MULTITOOL)
    validator = jsonschema.validators.validator_for(schema)(schema)
    for path in reports.values():
        assert [error.message for error in validator.iter_errors(json.loads(path.read_text()))] == []


def test_the_public_validator_finds_nothing(reports):
    """With the rules of the standard and those of GitHub. It finds that no address of the tool is given, as long as the
    manifest has none: SARIF2005 then stands once for each file, and nothing else does."""
    tool = counterpart("Sarif.Multitool", MULTITOOL)
    has_address = re.search(r"^repository", (ROOT / "Cargo.toml").read_text(), re.M) is not None
    for path in reports.values():
        out = path.with_suffix(".checked.sarif")
        status, text, error = run([tool, "validate", path, "--rule-kind", "Sarif;Ghas", "--output", out, "--log", "ForceOverwrite"], path.parent)
        assert status == 0, text + error
        results = [result for run in json.loads(out.read_text())["runs"] for result in run.get("results", [])]
        assert [result["ruleId"] for result in results] == ([] if has_address else ["SARIF2005"]), results


def test_the_validator_would_have_told(reports):
    """A report made worse on purpose is found: the test above can fail."""
    tool = counterpart("Sarif.Multitool", MULTITOOL)
    log = json.loads(reports["fixtures"].read_text())
    del log["runs"][0]["tool"]["driver"]["rules"][0]["help"]
    worse = reports["fixtures"].with_name("worse.sarif")
    worse.write_text(json.dumps(log))
    _, text, _ = run([tool, "validate", worse, "--rule-kind", "Sarif;Ghas"], worse.parent)
    assert "GH2012" in text or "GH1" in text or "help" in text, text


GITLAB = {
    # https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format
    "type": "array",
    "items": {
        "type": "object",
        "required": ["description", "check_name", "fingerprint", "severity", "location"],
        "properties": {
            "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
            "location": {
                "required": ["path", "lines"],
                "properties": {
                    "path": {"type": "string", "pattern": "^[^./]"},
                    "lines": {"required": ["begin"], "properties": {"begin": {"type": "integer", "minimum": 1}}},
                },
            },
        },
    },
}


def test_gitlab_takes_the_code_quality_report():
    status, text, _ = sessionlint(ROOT / "fixtures", "--isolated", "--format", "gitlab")
    assert status == 1
    report = json.loads(text)
    jsonschema.validate(report, GITLAB)
    assert len({one["fingerprint"] for one in report}) == len(report) > 300


def test_junit_is_read_by_a_parser_of_it(tmp_path):
    import xml.etree.ElementTree as tree

    directory = package(tmp_path, LEAK)
    _, text, _ = sessionlint(directory, "--format", "junit")
    suite = tree.fromstring(text).find("testsuite")
    assert (suite.get("tests"), suite.get("failures")) == ("1", "1")
    assert "reaches a successful return" in suite.find("testcase/failure").get("message")
    is_captured("junit", text)


def test_a_baseline_is_what_the_document_shows(tmp_path):
    directory = package(tmp_path, LEAK)
    assert sessionlint(directory, "baseline")[0] == 0
    is_captured("baseline", (directory / "sessionlint-baseline.json").read_text())
