"""The language server, before a scripted client."""

import statistics
import time

import pytest
from client import Client
from conftest import CLEAN, LEAK, PROGRAM, UNAWAITED, package, workspace, write

pytestmark = pytest.mark.timeout(240)


@pytest.fixture
def opened(tmp_path):
    """A package, its client, and the open src/lib.rs with a leak."""
    directory = package(tmp_path, CLEAN)
    client = Client([str(PROGRAM), "lsp"], str(directory))
    uri = client.open(str(directory / "src/lib.rs"), LEAK)
    yield directory, client, uri
    assert client.close() == 0


def actions(client, uri, diagnostic):
    return client.request("textDocument/codeAction", {
        "textDocument": {"uri": uri}, "range": diagnostic["range"], "context": {"diagnostics": [diagnostic]},
    })["result"]


def applied(text, edits):
    """The text after the edits of one file, which go from the end to the start."""
    lines = text.split("\n")
    offset = lambda position: sum(len(line) + 1 for line in lines[: position["line"]]) + position["character"]
    for edit in sorted(edits, key=lambda edit: -offset(edit["range"]["start"])):
        text = text[: offset(edit["range"]["start"])] + edit["newText"] + text[offset(edit["range"]["end"]):]
    return text


def edits_of(action, uri):
    edit = action["edit"]
    if "changes" in edit:
        return edit["changes"][uri]
    [document] = edit["documentChanges"]
    assert document["textDocument"]["uri"] == uri
    return document["edits"]


def test_as_one_types(opened):
    """What counts is the buffer, not the file: on disk the commit is there."""
    _, client, uri = opened
    [found] = client.wait(uri, 1)
    assert (found["source"], found["code"], found["severity"]) == ("sessionlint", "uncommitted-transaction", 1)
    assert found["range"]["start"]["line"] == 5
    assert [one["location"]["range"]["start"]["line"] for one in found["relatedInformation"]][:2] == [3, 4]

    client.change(uri, CLEAN, 2)
    assert client.wait(uri, 2) == []
    # A key at a time, in ranges: `tx.commit().await?;` is taken away again.
    line = CLEAN.split("\n").index("    tx.commit().await?;")
    client.notify("textDocument/didChange", {
        "textDocument": {"uri": uri, "version": 3},
        "contentChanges": [{"range": {"start": {"line": line, "character": 4}, "end": {"line": line, "character": 23}}, "text": ""}],
    })
    [found] = client.wait(uri, 3)
    assert found["code"] == "uncommitted-transaction"


def test_the_last_good_answer_stays_while_the_code_does_not_parse(opened):
    _, client, uri = opened
    client.wait(uri, 1)
    # The commit is there, but the code does not parse: nothing is published for it, so the editor keeps what it shows.
    client.change(uri, CLEAN.replace("    Ok(())", "    if let Some(x = ( {\n    Ok(())"), 2)
    client.request("textDocument/hover", {"textDocument": {"uri": uri}, "position": {"line": 0, "character": 0}})
    assert (client.versions[uri], [one["code"] for one in client.diagnostics[uri]]) == (1, ["uncommitted-transaction"])
    client.change(uri, CLEAN, 3)
    assert client.wait(uri, 3) == []


def test_fixes_and_suppressing_are_offered(opened):
    _, client, uri = opened
    client.change(uri, UNAWAITED, 2)
    [found] = client.wait(uri, 2)
    offered = actions(client, uri, found)
    [fix] = [action for action in offered if action.get("isPreferred")]
    fixed = applied(UNAWAITED, edits_of(fix, uri))
    assert "tx.commit().await?;" in fixed
    client.change(uri, fixed, 3)
    assert client.wait(uri, 3) == []

    client.change(uri, LEAK, 4)
    [found] = client.wait(uri, 4)
    [suppress] = [action for action in actions(client, uri, found) if "suppress" in action["title"]]
    silenced = applied(LEAK, edits_of(suppress, uri))
    assert "// sessionlint: allow(uncommitted-transaction) -- " in silenced
    client.change(uri, silenced, 5)
    assert client.wait(uri, 5) == []


def test_hover_tells_what_a_session_owes(opened):
    _, client, uri = opened
    client.wait(uri, 1)
    answer = client.request("textDocument/hover", {"textDocument": {"uri": uri}, "position": {"line": 3, "character": 13}})
    text = answer["result"]["contents"]["value"]
    assert "sqlx" in text and "commit" in text and "drop" in text.lower(), text
    nothing = client.request("textDocument/hover", {"textDocument": {"uri": uri}, "position": {"line": 2, "character": 1}})
    assert nothing["result"] is None


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_columns_are_counted_as_agreed(tmp_path, encoding):
    directory = package(tmp_path, CLEAN)
    client = Client([str(PROGRAM), "lsp"], str(directory), capabilities={"general": {"positionEncodings": [encoding]}})
    assert client.capabilities["positionEncoding"] == encoding
    lead = 'let _s = "🦀é"; '
    text = LEAK.replace("let mut tx", lead + "let mut tx")
    uri = client.open(str(directory / "src/lib.rs"), text)
    [found] = client.wait(uri, 1)
    begin = found["relatedInformation"][0]["location"]["range"]["start"]
    before = ("    " + lead + "let mut tx = pool.").encode(encoding.replace("-16", "-16-le"))
    assert begin == {"line": 3, "character": len(before) // (2 if encoding == "utf-16" else 1)}
    client.close()


def test_mistakes_of_the_configuration_are_shown_where_they_are(opened):
    directory, client, uri = opened
    client.wait(uri, 1)
    text = 'profile = "default"\n[rules]\nuncommited-transaction = "warn"\n'
    (directory / "rules.toml").write_text(text)
    other = "file://" + str(directory / "rules.toml")
    client.notify("workspace/didChangeWatchedFiles", {"changes": [{"uri": other, "type": 1}]})
    while not client.diagnostics.get(other):
        client.read()
    [found] = client.diagnostics[other]
    assert found["range"]["start"]["line"] == 2 and "uncommitted-transaction" in found["message"], found
    (directory / "rules.toml").write_text(text.replace("uncommited", "uncommitted"))
    client.notify("workspace/didChangeWatchedFiles", {"changes": [{"uri": other, "type": 2}]})
    while client.diagnostics.get(other) != [] or [one["severity"] for one in client.diagnostics[uri]] != [2]:
        client.read()


def test_a_file_that_changes_elsewhere_changes_the_answer(opened):
    """A helper that only reads becomes one that writes, in a file that another program changes."""
    directory, client, uri = opened
    insert = 'sqlx::query("INSERT INTO orders DEFAULT VALUES").execute(&mut tx).await?;'
    text = LEAK.replace(insert, "end::put(&mut tx).await?;").replace("use sqlx", "mod end;\nuse sqlx")
    helper = 'pub async fn put(tx: &mut sqlx::Transaction) -> Result<(), sqlx::Error> {\n    sqlx::query("TEXT").execute(tx).await\n}\n'
    write(directory, {"src/end.rs": helper.replace("TEXT", "SELECT 1 FROM orders")})
    other = "file://" + str(directory / "src/end.rs")
    client.notify("workspace/didChangeWatchedFiles", {"changes": [{"uri": other, "type": 1}]})
    client.change(uri, text, 2)
    assert client.wait(uri, 2) == []
    write(directory, {"src/end.rs": helper.replace("TEXT", "DELETE FROM orders")})
    client.notify("workspace/didChangeWatchedFiles", {"changes": [{"uri": other, "type": 2}]})
    while [one["code"] for one in client.diagnostics[uri]] != ["uncommitted-transaction"]:
        client.read()


def test_thirty_keys_in_half_a_million_lines(tmp_path):
    """A key in one of its files, thirty times, each with its own answer. How long that takes is printed; what is done again for a
    key is counted in tests/again.rs."""
    assert workspace(tmp_path, 500) > 500_000
    client = Client([str(PROGRAM), "lsp"], str(tmp_path))
    path = tmp_path / "part250/src/lib.rs"
    text = path.read_text()
    start = time.perf_counter()
    uri = client.open(str(path), text)
    client.wait(uri, 1)
    first = time.perf_counter() - start
    took = []
    for version in range(2, 32):
        typed = text + "pub fn typed() {\n    let " + "x" * version + " = 1;\n}\n"
        if version % 2:
            typed += LEAK[LEAK.index("pub async"):]
        start = time.perf_counter()
        client.change(uri, typed, version)
        assert len(client.wait(uri, version)) == version % 2
        took.append((time.perf_counter() - start) * 1000)
    print(f"first answer {first:.2f} s; a key: median {statistics.median(took):.1f} ms, most {max(took):.1f} ms")
    client.close()
