"""What people look at: the page of walks in a real browser, the terminal, rules.toml under taplo, `--watch`."""

import html
import json
import os
import re
import subprocess
import time

import pytest
from conftest import CLEAN, LEAK, PROGRAM, ROOT, TOOLS, counterpart, package, run, sessionlint

pytestmark = pytest.mark.timeout(120)

CHROMIUM = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--hide-scrollbars",
]


def test_the_page_of_walks_in_a_browser(tmp_path):
    """Every mark lies where its line is, nothing is loaded from elsewhere, and the walk reads from the opening to the exit."""
    browser = counterpart("chromium")
    directory = package(tmp_path / "shop", LEAK)
    page = tmp_path / "walks.html"
    assert sessionlint(directory, "--graph", page, "--quiet")[0] == 1
    text = page.read_text()
    assert re.findall(r"""(?:src|href)=["'](?!#)([^"']*)""", text) == []
    profile = f"--user-data-dir={tmp_path / 'profile'}"
    # A look from inside of the browser: where marks, labels and circles were laid out.
    probe = """<script>addEventListener('load', () => {
      const box = e => { const b = e.getBoundingClientRect(); return { left: b.left, right: b.right, top: b.top, middle: b.top + b.height / 2 }; };
      const all = selector => [...document.querySelectorAll(selector)];
      const p = document.createElement('pre'); p.id = 'probe';
      p.textContent = JSON.stringify({
        circles: all('svg.life circle').map(box), labels: all('.step span').map(e => ({ text: e.innerText, ...box(e) })),
        marks: all('mark').map(e => ({ text: e.innerText, ...box(e) })), width: document.documentElement.scrollWidth, view: innerWidth });
      document.body.append(p); });</script>"""
    probed = tmp_path / "probed.html"
    probed.write_text(text + probe)
    _, dom, error = run([browser, *CHROMIUM, profile, "--window-size=1200,1400", "--dump-dom", f"file://{probed}"], tmp_path)
    seen = json.loads(html.unescape(re.search(r'<pre id="probe">(.*?)</pre>', dom, re.S).group(1)))
    assert seen["width"] <= seen["view"], "the page is wider than the window"
    circles, labels, marks = seen["circles"], seen["labels"], seen["marks"]
    assert [mark["text"] for mark in marks] == ["begin", "execute", "Ok(())"]
    assert [label["text"].split()[0] for label in labels] == ["1", "2", "3"]
    for circle, label, mark in zip(circles, labels, marks, strict=True):
        assert abs(circle["middle"] - label["middle"]) < 4, (circle, label)
        assert 0 < label["top"] - mark["top"] < 40 and abs(label["left"] - mark["left"]) < 16, (label, mark)
        assert label["right"] <= seen["view"]
    assert "begins" in labels[0]["text"] and "written" in labels[1]["text"] and "dropped" in labels[2]["text"]
    shot = tmp_path / "walks.png"
    run([browser, *CHROMIUM, profile, "--window-size=1200,900", f"--screenshot={shot}", f"file://{page}"], tmp_path)
    assert shot.stat().st_size > 10_000
    if os.environ.get("PICTURES"):
        shot.rename(os.path.join(os.environ["PICTURES"], "walks.png"))


def test_rules_toml_under_taplo(tmp_path):
    """What `init` proposes passes, with the schema that `sessionlint schema rules` prints; a mistake does not."""
    taplo = counterpart("taplo", TOOLS / "node_modules/.bin/taplo")
    directory = package(tmp_path, CLEAN)
    (directory / "schema.json").write_text(sessionlint(directory, "schema", "rules")[1])
    assert sessionlint(directory, "init")[0] == 0
    proposed = (directory / "rules.toml").read_text()
    (directory / "rules.toml").write_text("#:schema ./schema.json\n" + proposed)
    status, out, error = run([taplo, "lint", "rules.toml"], directory)
    assert status == 0, out + error
    (directory / "rules.toml").write_text('#:schema ./schema.json\nprofil = "strict"\n')
    status, out, error = run([taplo, "lint", "rules.toml"], directory)
    assert status != 0 and "profil" in out + error


def test_watch_checks_again_when_a_file_changes(tmp_path):
    directory = package(tmp_path, CLEAN)
    process = subprocess.Popen(
        [str(PROGRAM), "--watch", "--format", "concise", "--color", "never"], cwd=directory, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )
    os.set_blocking(process.stdout.fileno(), False)
    seen = ""

    def until(word):
        nonlocal seen
        for _ in range(400):
            seen += (process.stdout.read() or b"").decode()
            if word in seen:
                seen = seen[seen.index(word) + len(word):]
                return
            time.sleep(0.05)
        raise AssertionError(f"no {word!r} in {seen!r}")

    try:
        until("nothing found")
        (directory / "src/lib.rs").write_text(LEAK)
        until("uncommitted-transaction")
        until("1 error in 1 file")
        # As editors write: another file, renamed.
        (directory / "src/.lib.rs.new").write_text(CLEAN)
        (directory / "src/.lib.rs.new").rename(directory / "src/lib.rs")
        until("nothing found")
        (directory / "rules.toml").write_text('[rules]\nuncommitted-transaction = "nonsense"\n')
        until("rules.toml")
    finally:
        process.terminate()
        process.wait(timeout=10)


def test_colours_links_and_statistics_of_a_terminal(tmp_path):
    """In a pseudo terminal: colours and links by themselves; none with NO_COLOR, or in a pipe."""
    import pty

    directory = package(tmp_path, LEAK)

    def in_a_terminal(env):
        leader, follower = pty.openpty()
        process = subprocess.Popen(
            [str(PROGRAM), "--statistics"], cwd=directory, stdout=follower, stderr=follower, stdin=subprocess.DEVNULL,
            env={**{k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "CI")}, "TERM": "xterm-256color", **env},
        )
        os.close(follower)
        out = b""
        try:
            while chunk := os.read(leader, 65536):
                out += chunk
        except OSError:
            pass
        process.wait()
        return out.decode()

    shown = in_a_terminal({"FORCE_HYPERLINK": "1"})
    assert "\x1b[" in shown and "\x1b]8;;file://" in shown and re.search(r"1.*uncommitted-transaction", shown), shown
    assert "\x1b[3" not in in_a_terminal({"NO_COLOR": "1"})
    assert "\x1b" not in sessionlint(directory)[1]
