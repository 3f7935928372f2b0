"""What a language server is asked for: findings, actions of a kind, progress, settings, and what is no message."""

import json
import subprocess

import pytest
from client import Client
from conftest import CLEAN, LEAK, PROGRAM, ROOT, UNAWAITED, package, write
from test_lsp import applied, edits_of, opened  # noqa: F401

pytestmark = pytest.mark.timeout(120)

PULLS = {"textDocument": {"diagnostic": {}}, "workspace": {"diagnostics": {"refreshSupport": True}}}
SHOWS_PROGRESS = {"window": {"workDoneProgress": True}}


def start(directory, **more):
    return Client([str(PROGRAM), "lsp"], str(directory), **more)


def file(directory, name="src/lib.rs"):
    return "file://" + str(directory / name)


def pull(client, uri, previous=None):
    return client.request("textDocument/diagnostic", {"textDocument": {"uri": uri}, "previousResultId": previous})["result"]


def pull_all(client, previous=()):
    known = [{"uri": uri, "value": value} for uri, value in previous]
    return client.request("workspace/diagnostic", {"previousResultIds": known})["result"]["items"]


def codes(found):
    return [one["code"] for one in found]


def actions(client, uri, only=None, line=None):
    at = {"start": {"line": line or 0, "character": 0}, "end": {"line": 99 if line is None else line, "character": 99}}
    context = {"diagnostics": [], **({} if only is None else {"only": only})}
    answer = client.request("textDocument/codeAction", {"textDocument": {"uri": uri}, "range": at, "context": context})
    return [(action["kind"], action) for action in answer["result"]]


# Actions

TWO = UNAWAITED + UNAWAITED[UNAWAITED.index("pub async"):].replace("place", "again") + LEAK[LEAK.index("pub async"):].replace("place", "forgets")


def test_all_safe_fixes_of_a_file_are_one_action(opened):  # noqa: F811
    """Two futures are awaited that were not; the commit that is missing would be a guess, and stays missing."""
    _, client, uri = opened
    client.change(uri, TWO, 2)
    assert codes(client.wait(uri, 2)) == ["unawaited-release", "unawaited-release", "uncommitted-transaction"]
    [(kind, action)] = actions(client, uri, only=["source.fixAll"])
    assert kind == "source.fixAll.sessionlint" and "2" in action["title"] and "isPreferred" not in action
    fixed = applied(TWO, edits_of(action, uri))
    assert fixed == TWO.replace("tx.commit();", "tx.commit().await?;").replace("let _ = tx", "tx")
    client.change(uri, fixed, 3)
    assert codes(client.wait(uri, 3)) == ["uncommitted-transaction"]
    assert actions(client, uri, only=["source.fixAll"]) == []


def test_only_the_kinds_that_are_asked_for(opened):  # noqa: F811
    _, client, uri = opened
    client.change(uri, TWO, 2)
    client.wait(uri, 2)
    quick, everything = {"quickfix"}, {"source.fixAll.sessionlint"}
    kinds = lambda only, line=None: {kind for kind, _ in actions(client, uri, only, line)}
    assert kinds(None) == quick | everything
    for only in ["source", "source.fixAll", "source.fixAll.sessionlint"]:
        # For all of the file, wherever the cursor is.
        assert kinds([only]) == kinds([only], line=1) == everything
    assert kinds(["quickfix"]) == quick and kinds(["quickfix", "source"]) == quick | everything
    assert kinds(["refactor"]) == kinds(["source.organizeImports"]) == kinds([]) == kinds(None, line=1) == set()
    offered = client.capabilities["codeActionProvider"]["codeActionKinds"]
    assert set(offered) == quick | everything


# Findings that are asked for


def test_findings_of_a_file_are_given_when_they_are_asked_for(tmp_path):
    directory = package(tmp_path, CLEAN)
    client = start(directory, capabilities=PULLS)
    assert client.capabilities["diagnosticProvider"] == {"identifier": "sessionlint", "interFileDependencies": True, "workspaceDiagnostics": True}
    uri = client.open(str(directory / "src/lib.rs"), LEAK)
    first = pull(client, uri)
    assert first["kind"] == "full" and codes(first["items"]) == ["uncommitted-transaction"]
    assert pull(client, uri, first["resultId"]) == {"kind": "unchanged", "resultId": first["resultId"]}
    client.change(uri, CLEAN, 2)
    second = pull(client, uri, first["resultId"])
    assert (second["kind"], second["items"]) == ("full", []) and second["resultId"] != first["resultId"]
    for nothing in [file(directory, "src/other.rs"), "untitled:Untitled-1"]:
        assert pull(client, nothing)["items"] == []
    # Nothing is told of a file that is asked for.
    assert uri not in client.published
    assert client.close() == 0


def test_findings_of_all_files_wait_until_they_are_checked(tmp_path):
    directory = package(tmp_path, "pub mod a;\npub mod b;\n", **{"src/a.rs": LEAK, "src/b.rs": CLEAN})
    client = start(directory, capabilities=PULLS)
    [one] = pull_all(client)
    assert (one["uri"], one["kind"], one["version"]) == (file(directory, "src/a.rs"), "full", None)
    assert codes(one["items"]) == ["uncommitted-transaction"]
    [same] = pull_all(client, [(one["uri"], one["resultId"])])
    assert same["kind"] == "unchanged" and "items" not in same
    # What was mended is told; what had nothing and has nothing is not.
    uri = client.open(str(directory / "src/a.rs"), CLEAN)
    [now] = pull_all(client, [(one["uri"], one["resultId"])])
    assert (now["uri"], now["kind"], now["version"], now["items"]) == (uri, "full", 1, [])
    assert client.close() == 0


def test_nothing_is_shown_twice(tmp_path):
    """An editor that asks for open files only is told of the others; one that asks for all is told of none."""
    directory = package(tmp_path, "pub mod a;\n", **{"src/a.rs": LEAK})
    client = start(directory, capabilities=PULLS)
    uri = file(directory, "src/a.rs")
    while not client.diagnostics.get(uri):
        client.read()
    client.open(str(directory / "src/a.rs"), LEAK)
    assert codes(pull(client, uri)["items"]) == ["uncommitted-transaction"] and client.diagnostics[uri] == []
    client.notify("textDocument/didClose", {"textDocument": {"uri": uri}})
    while not client.diagnostics[uri]:
        client.read()
    assert codes(pull_all(client)[0]["items"]) == ["uncommitted-transaction"] and client.diagnostics[uri] == []
    assert client.close() == 0


def test_an_editor_that_asks_is_told_to_ask_again(tmp_path):
    """The finding of an open file depends on another file, which changes."""
    insert = 'sqlx::query("INSERT INTO orders DEFAULT VALUES").execute(&mut tx).await?;'
    helper = 'pub async fn put(tx: &mut sqlx::Transaction) -> Result<(), sqlx::Error> {\n    sqlx::query("TEXT").execute(tx).await\n}\n'
    text = LEAK.replace(insert, "end::put(&mut tx).await?;").replace("use sqlx", "mod end;\nuse sqlx")
    directory = package(tmp_path, text, **{"src/end.rs": helper.replace("TEXT", "SELECT 1")})
    client = start(directory, capabilities=PULLS)
    uri = client.open(str(directory / "src/lib.rs"), text)
    assert pull(client, uri)["items"] == []
    (directory / "src/end.rs").write_text(helper.replace("TEXT", "DELETE FROM orders"))
    before = len(client.asked)
    client.notify("workspace/didChangeWatchedFiles", {"changes": [{"uri": file(directory, "src/end.rs"), "type": 2}]})
    while ("workspace/diagnostic/refresh", None) not in client.asked[before:]:
        client.read()
    assert codes(pull(client, uri)["items"]) == ["uncommitted-transaction"]
    assert client.close() == 0


def test_a_rule_is_a_link_when_the_project_has_an_address(opened):  # noqa: F811
    _, client, uri = opened
    [found] = client.wait(uri, 1)
    has_address = "\nrepository" in (ROOT / "Cargo.toml").read_text()
    link = found.get("codeDescription", {}).get("href", "")
    assert ("codeDescription" in found) == has_address and (not has_address or link.endswith("/uncommitted-transaction.md"))


# Progress


def test_progress_is_shown_while_files_are_read(tmp_path):
    directory = package(tmp_path, "".join(f"pub mod m{n};\n" for n in range(300)), **{f"src/m{n}.rs": CLEAN for n in range(300)})
    client = start(directory, capabilities=SHOWS_PROGRESS)
    while not any(value["value"]["kind"] == "end" for value in client.until("$/progress")):
        client.read()
    [(_, created)] = [one for one in client.asked if one[0] == "window/workDoneProgress/create"]
    told = client.until("$/progress")
    assert {one["token"] for one in told} == {created["token"]}
    values = [one["value"] for one in told]
    assert [one["kind"] for one in values] == ["begin"] + ["report"] * (len(values) - 2) + ["end"] and len(values) > 10
    assert values[0]["title"] == "sessionlint" and values[-2]["percentage"] == 100 and "of" in values[-2]["message"]
    # New settings: again, under another name.
    (directory / "rules.toml").write_text('profile = "strict"\n')
    client.notify("workspace/didChangeWatchedFiles", {"changes": [{"uri": file(directory, "rules.toml"), "type": 1}]})
    while sum(one["value"]["kind"] == "end" for one in client.until("$/progress")) < 2:
        client.read()
    assert len({one["token"] for one in client.until("$/progress")}) == 2
    assert client.close() == 0


def test_no_progress_where_nobody_shows_it(tmp_path):
    client = start(package(tmp_path, LEAK))
    pull_all(client)
    assert client.close() == 0 and not any(name == "$/progress" for name, _ in client.told) and client.asked == []


# Settings of the editor


@pytest.mark.parametrize("around", [lambda own: own, lambda own: {"sessionlint": own}, lambda own: {"settings": {"sessionlint": own}}])
def test_settings_at_the_start(tmp_path, around):
    directory = package(tmp_path, LEAK)
    client = start(directory, options=around({"rules": {"uncommitted-transaction": "warn"}}))
    [one] = pull_all(client)
    assert [found["severity"] for found in one["items"]] == [2]
    assert client.close() == 0


def test_settings_that_change(opened):  # noqa: F811
    directory, client, uri = opened
    [found] = client.wait(uri, 1)
    assert found["severity"] == 1
    tell = lambda own: client.notify("workspace/didChangeConfiguration", {"settings": {"sessionlint": own}})
    severities = lambda: [one["severity"] for one in pull(client, uri)["items"]]
    tell({"rules": {"uncommitted-transaction": {"level": "note"}}})
    assert severities() == [3]
    # Another file of settings than the one that is found.
    write(directory, {"ci/other.toml": '[rules]\nuncommitted-transaction = "allow"\n'})
    tell({"config": "ci/other.toml"})
    assert severities() == []
    # A mistake is told, once, and the last right settings hold.
    for _ in range(2):
        tell({"rules": {"uncommited-transaction": "warn"}})
    assert severities() == []
    [told] = client.until("window/showMessage")
    assert told["type"] == 1 and "settings of the editor" in told["message"] and "`uncommitted-transaction`" in told["message"], told
    tell({"config": "ci/none.toml"})
    assert "ci/none.toml" in client.until("window/showMessage", 2)[1]["message"]
    tell({})
    assert severities() == [1]


def test_settings_that_are_asked_for(tmp_path):
    """As VS Code does it: it is asked at the start, and tells only that something changed."""
    directory = package(tmp_path, LEAK)
    can = {"workspace": {"configuration": True, "didChangeConfiguration": {"dynamicRegistration": True}}}
    client = start(directory, capabilities=can, settings={"rules": {"uncommitted-transaction": "warn"}, "trace": {"server": "off"}})
    severities = lambda: [found["severity"] for one in pull_all(client) for found in one["items"]]
    while not any(name == "workspace/configuration" for name, _ in client.asked):
        client.read()
    assert severities() == [2]
    assert ("workspace/configuration", {"items": [{"section": "sessionlint"}]}) in client.asked
    [registered] = [params for name, params in client.asked if name == "client/registerCapability"]
    assert [one["method"] for one in registered["registrations"]] == ["workspace/didChangeConfiguration"]
    client.settings = None
    before = len(client.asked)
    client.notify("workspace/didChangeConfiguration", {"settings": None})
    while len(client.asked) == before:
        client.read()
    assert severities() == [1]
    assert client.close() == 0


# Files


def test_a_file_that_is_not_on_disk_yet(tmp_path):
    directory = package(tmp_path, "pub mod new;\n")
    client = start(directory)
    path = directory / "src/new.rs"
    uri = client.open(str(path), LEAK)
    assert codes(client.wait(uri, 1)) == ["uncommitted-transaction"]
    client.change(uri, CLEAN, 2)
    assert client.wait(uri, 2) == []
    client.change(uri, LEAK, 3)
    assert codes(client.wait(uri, 3)) == ["uncommitted-transaction"]
    # It is saved, and stays.
    path.write_text(LEAK)
    client.notify("textDocument/didSave", {"textDocument": {"uri": uri}})
    assert codes(pull(client, uri)["items"]) == ["uncommitted-transaction"]
    # Another one is closed without being saved, and is gone.
    other = client.open(str(directory / "src/gone.rs"), LEAK)
    assert codes(client.wait(other, 1)) == ["uncommitted-transaction"]
    client.notify("textDocument/didClose", {"textDocument": {"uri": other}})
    while client.diagnostics[other]:
        client.read()
    assert codes(pull(client, uri)["items"]) == ["uncommitted-transaction"]
    assert client.close() == 0


def test_excluded_files_and_files_of_other_sorts_are_left_alone(tmp_path):
    directory = package(tmp_path, CLEAN, **{"rules.toml": 'exclude = ["made/**"]\n', "made/a.rs": LEAK})
    client = start(directory)
    excluded = client.open(str(directory / "made/a.rs"), LEAK)
    manifest = client.open(str(directory / "Cargo.toml"), (directory / "Cargo.toml").read_text(), language="toml")
    assert pull(client, excluded)["items"] == [] and pull(client, manifest)["items"] == []
    assert client.diagnostics.get(excluded, []) == [] and client.close() == 0


def test_edits_of_lines_with_carriage_returns(tmp_path):
    directory = package(tmp_path, "")
    text = UNAWAITED.replace("\n", "\r\n")
    (directory / "src/lib.rs").write_bytes(text.encode())
    client = start(directory)
    uri = client.open(str(directory / "src/lib.rs"), text)
    assert codes(client.wait(uri, 1)) == ["unawaited-release"]
    line = text.split("\r\n").index("    let _ = tx.commit();")
    change = lambda version, start, end, new: client.notify("textDocument/didChange", {
        "textDocument": {"uri": uri, "version": version},
        "contentChanges": [{"range": {"start": {"line": line, "character": start}, "end": {"line": line, "character": end}}, "text": new}],
    })
    # Behind the end of a line is its end, in front of the carriage return.
    change(2, 99, 99, " // why")
    [found] = client.wait(uri, 2)
    text = text.replace("commit();", "commit(); // why")
    [fix] = [action for _, action in actions(client, uri, line=line) if action.get("isPreferred")]
    [edit] = edits_of(fix, uri)[:1]
    assert edit["range"]["start"]["line"] == line and found["range"]["start"]["line"] == line
    change(3, 4, 99, "tx.commit().await?;\r\n")
    assert client.wait(uri, 3) == []
    assert client.close() == 0


# The ends of it


def talk(directory, *messages, env=None):
    """What the server says to bytes, and its exit status."""
    process = subprocess.Popen([str(PROGRAM), "lsp"], cwd=directory, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, error = process.communicate(b"".join(messages), timeout=60)
    answers = []
    while out:
        head, _, rest = out.partition(b"\r\n\r\n")
        length = int(head.split(b":")[1])
        answers.append(json.loads(rest[:length]))
        out = rest[length:]
    return process.returncode, answers, error.decode()


def framed(message):
    text = message if isinstance(message, bytes) else json.dumps({"jsonrpc": "2.0", **message}).encode()
    return b"Content-Length: %d\r\n\r\n%s" % (len(text), text)


def test_the_exit_status_is_as_the_protocol_says(tmp_path):
    directory = package(tmp_path, CLEAN)
    hello = framed({"id": 1, "method": "initialize", "params": {"capabilities": {}, "rootUri": "file://" + str(directory)}})
    ready, shutdown = framed({"method": "initialized", "params": {}}), framed({"id": 2, "method": "shutdown"})
    leave = framed({"method": "exit"})
    status = lambda *messages: talk(directory, *messages)[0]
    assert status(hello, ready, shutdown, leave) == 0 == status(hello, shutdown, leave)
    assert status(hello, ready, leave) == status(leave) == status(hello, ready) == status() == 1
    # After `shutdown` nothing is answered any more but with a refusal.
    code, answers, _ = talk(directory, hello, ready, shutdown, framed({"id": 3, "method": "textDocument/hover", "params": {}}), leave)
    assert code == 0 and answers[-1]["error"]["code"] == -32600 and answers[-1]["id"] == 3


def test_what_is_no_message_is_answered_and_ends_nothing(tmp_path):
    directory = package(tmp_path, CLEAN)
    hello = framed({"id": 1, "method": "initialize", "params": {"capabilities": {}, "rootUri": "file://" + str(directory)}})
    early = framed({"id": 9, "method": "textDocument/hover", "params": {}})
    ready, shutdown, leave = framed({"method": "initialized", "params": {}}), framed({"id": 99, "method": "shutdown"}), framed({"method": "exit"})
    wrong = [
        (framed(b"{"), None, -32700),
        (b"Hello?\r\n", None, -32700),
        (framed(b"[]"), None, -32600),
        (framed({"id": 10, "method": 5}), 10, -32600),
        (framed({"id": 11, "method": "textDocument/hover", "params": {"textDocument": 5}}), 11, -32602),
        (framed({"id": 12, "method": "textDocument/codeAction"}), 12, -32602),
        (framed({"id": 13, "method": "workspace/diagnostic", "params": 1}), 13, -32602),
        (framed({"id": 14, "method": "no/such"}), 14, -32601),
        (framed({"id": 15, "method": "initialize", "params": {}}), 15, -32600),
    ]
    code, answers, error = talk(directory, early, hello, ready, *[one for one, _, _ in wrong], shutdown, leave)
    assert code == 0 and error == "", error
    assert answers[0]["id"] == 9 and answers[0]["error"]["code"] == -32002
    refused = [(one["id"], one["error"]["code"]) for one in answers[1:] if "error" in one]
    assert refused == [(id, code) for _, id, code in wrong]
    # A notification has no answer: it is logged what was not understood.
    code, answers, _ = talk(directory, hello, ready, framed({"method": "textDocument/didOpen", "params": {"textDocument": 1}}), shutdown, leave)
    [logged] = [one for one in answers if one.get("method") == "window/logMessage"]
    assert code == 0 and "textDocument/didOpen" in logged["params"]["message"]
    # Whatever the editor says of itself.
    for params in [{}, None, {"capabilities": 5, "workspaceFolders": [5, {"uri": 7}], "rootUri": 1, "initializationOptions": "x"}]:
        code, answers, _ = talk(directory, framed({"id": 1, "method": "initialize", "params": params}), ready, shutdown, leave)
        assert code == 0 and answers[0]["result"]["capabilities"]["hoverProvider"]


def test_a_question_that_waits_is_taken_back(tmp_path):
    directory = package(tmp_path, CLEAN)
    messages = [
        {"id": 1, "method": "initialize", "params": {"capabilities": {}, "rootUri": "file://" + str(directory)}},
        {"method": "initialized", "params": {}},
        {"id": 2, "method": "workspace/diagnostic", "params": {"previousResultIds": []}},
        {"method": "$/cancelRequest", "params": {"id": 2}},
        {"id": 3, "method": "shutdown"},
        {"method": "exit"},
    ]
    code, answers, _ = talk(directory, *map(framed, messages))
    # It may have been answered before that was read; it is answered once.
    [answer] = [one for one in answers if one.get("id") == 2]
    assert code == 0 and ("result" in answer or answer["error"]["code"] == -32800)
