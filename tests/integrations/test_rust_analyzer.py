"""rust-analyzer, the real one, shows findings by `check.overrideCommand`."""

import pytest
from client import Client
from conftest import CLEAN, LEAK, PROGRAM, UNAWAITED, counterpart, git, package, run

pytestmark = pytest.mark.timeout(240)


def start(directory, *more):
    server = counterpart("rust-analyzer")
    status, _, error = run([server, "--version"], directory)
    if status != 0:
        pytest.skip(error) if "SESSIONLINT_OFFLINE" in __import__("os").environ else pytest.fail(error)
    return Client(
        [server],
        str(directory),
        capabilities={
            "textDocument": {
                "publishDiagnostics": {"relatedInformation": True, "codeDescriptionSupport": True, "dataSupport": True},
                "codeAction": {
                    "codeActionLiteralSupport": {"codeActionKind": {"valueSet": ["", "quickfix", "refactor"]}},
                    "isPreferredSupport": True,
                    "resolveSupport": {"properties": ["edit"]},
                    "dataSupport": True,
                },
            },
            "workspace": {"workspaceEdit": {"documentChanges": True}},
        },
        options={
            # Without it rust-analyzer has rustup fetch the standard library's sources.
            "cargo": {"sysroot": None},
            "procMacro": {"enable": False},
            "cachePriming": {"enable": False},
            "check": {"overrideCommand": [str(PROGRAM), "check", "--format", "cargo-json", *more]},
        },
    )


def saved(client, path, text):
    """Writes the file and says so, as an editor does."""
    path.write_text(text)
    uri = "file://" + str(path)
    client.number = getattr(client, "number", 1) + 1
    client.change(uri, text, client.number)
    client.notify("textDocument/didSave", {"textDocument": {"uri": uri}})


def until(client, uri, right):
    """Reads until the diagnostics of the file are right."""
    while not right(client.diagnostics.get(uri, [])):
        client.read()
    return client.diagnostics[uri]


def of_ours(diagnostics):
    return [one for one in diagnostics if one.get("source") == "sessionlint" and one["severity"] < 4]


def test_findings_related_places_and_quick_fixes_come_and_go(tmp_path):
    directory = package(tmp_path, UNAWAITED)
    client = start(directory)
    path = directory / "src/lib.rs"
    uri = client.open(str(path), UNAWAITED)
    client.notify("textDocument/didSave", {"textDocument": {"uri": uri}})
    [found] = of_ours(until(client, uri, of_ours))
    assert found["code"] == "unawaited-release"
    assert found["range"]["start"]["line"] == 5
    related = found["relatedInformation"]
    assert {one["location"]["range"]["start"]["line"] for one in related} >= {3, 4}, related

    answer = client.request("textDocument/codeAction", {
        "textDocument": {"uri": uri}, "range": found["range"], "context": {"diagnostics": [found]},
    })
    fixes = [action for action in answer["result"] if "await" in action["title"] and action.get("kind") == "quickfix"]
    assert fixes, answer["result"]
    edit = fixes[0].get("edit") or client.request("codeAction/resolve", fixes[0])["result"]["edit"]
    assert ".await?" in str(edit), edit

    saved(client, path, CLEAN)
    until(client, uri, lambda diagnostics: not of_ours(diagnostics))
    saved(client, path, LEAK)
    [found] = of_ours(until(client, uri, of_ours))
    assert found["code"] == "uncommitted-transaction"
    client.close()


def test_beside_those_of_cargo(tmp_path):
    """`--cargo check` passes on what the compiler says, and both go when they are mended."""
    broken = LEAK + "\npub fn number() -> u32 {\n    \"one\"\n}\n"
    directory = package(tmp_path, broken)
    client = start(directory, "--cargo", "check")
    path = directory / "src/lib.rs"
    uri = client.open(str(path), broken)
    client.notify("textDocument/didSave", {"textDocument": {"uri": uri}})
    from_rustc = lambda diagnostics: [one for one in diagnostics if one.get("source") == "rustc" and one["severity"] == 1]
    both = until(client, uri, lambda diagnostics: of_ours(diagnostics) and from_rustc(diagnostics))
    assert [one["code"] for one in of_ours(both)] == ["uncommitted-transaction"]
    assert [one["code"] for one in from_rustc(both)] == ["E0308"]

    saved(client, path, LEAK)
    until(client, uri, lambda diagnostics: of_ours(diagnostics) and not from_rustc(diagnostics))
    saved(client, path, CLEAN)
    until(client, uri, lambda diagnostics: not of_ours(diagnostics))
    client.close()
