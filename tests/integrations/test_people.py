"""What people look at: the page of walks in a real browser, the terminal, rules.toml under taplo, `--watch`."""

import html
import json
import os
import re
import subprocess
import time

import pytest
from conftest import CLEAN, LEAK, PROGRAM, ROOT, TOOLS, UNAWAITED, counterpart, package, run, sessionlint

pytestmark = pytest.mark.timeout(120)

CHROMIUM = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--hide-scrollbars",
]


# A look from inside of the browser: where marks, labels and numbers were laid out, and what is readable.
PROBE = """<style>article { content-visibility: visible !important; }</style><script>addEventListener('load', () => {
  const box = e => { const b = e.getBoundingClientRect(); return { left: b.left, right: b.right, top: b.top, bottom: b.bottom, middle: b.top + b.height / 2 }; };
  const all = selector => [...document.querySelectorAll(selector)];
  const light = color => { const [r, g, b] = color.match(/[0-9.]+/g).map(part => { const c = part / 255; return c <= .03928 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4; }); return .2126 * r + .7152 * g + .0722 * b; };
  const ground = e => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor; if (!/, 0\\)|transparent/.test(c)) return c; } return 'rgb(255, 255, 255)'; };
  const contrast = e => { const [a, b] = [light(getComputedStyle(e).color), light(ground(e))].sort((a, b) => b - a); return (a + .05) / (b + .05); };
  const words = document.querySelector('.filter input');
  const shown = () => all('article').filter(e => !e.hidden).length;
  const seen = {
    dots: all('.row .dot').map(e => ({ text: e.textContent, ...box(e) })), labels: all('.step > span').map(e => ({ text: e.textContent, ...box(e) })),
    marks: all('mark').map(e => ({ text: e.textContent, ...box(e) })), width: document.documentElement.scrollWidth, view: innerWidth,
    scrolls: all('.picture').filter(e => e.scrollWidth > e.clientWidth).length, dark: light(ground(document.body)) < .1,
    contrast: Math.min(...all('p, h2, a, i, code, .step > span, .row .dot, .k, .s, .t, .f, .n').filter(e => e.textContent).map(contrast)), steps: [] };
  const type = text => { words.value = text; words.dispatchEvent(new Event('input')); seen.steps.push([text, shown(), document.querySelector('output').textContent]); };
  ['', 'no such words', 'src/a.rs', 'UNAWAITED  a.rs'].forEach(type);
  document.querySelector('nav a[data-words]').click();
  seen.steps.push([words.value, shown()]);
  document.querySelector('nav a:not([data-words])').click();
  seen.steps.push([words.value, shown()]);
  const p = parent.document.createElement('pre'); p.id = 'probe'; p.textContent = JSON.stringify(seen); parent.document.body.append(p); });</script>"""


def in_a_browser(tmp_path, page, width, dark):
    """What the probe sees in a window of a width: a frame, since a browser's own window is never as narrow as a telephone's."""
    browser = counterpart("chromium")
    frame = html.escape(page.replace("</body>", PROBE + "</body>"))
    around = tmp_path / "around.html"
    around.write_text(f'<!doctype html><style>:root {{ color-scheme: light dark }}</style><iframe style="border:0;width:{width}px;height:1500px" srcdoc="{frame}"></iframe>')
    scheme = f"--blink-settings=preferredColorScheme={0 if dark else 1}"
    profile = f"--user-data-dir={tmp_path / 'profile'}"
    _, dom, error = run([browser, *CHROMIUM, profile, scheme, "--window-size=1400,1600", "--dump-dom", f"file://{around}"], tmp_path)
    found = re.search(r'<pre id="probe">(.*?)</pre>', dom, re.S)
    assert found, error
    return json.loads(html.unescape(found.group(1)))


@pytest.mark.parametrize("width", [1200, 420])
@pytest.mark.parametrize("dark", [False, True])
def test_the_page_of_walks_in_a_browser(tmp_path, width, dark):
    """Every mark lies where its line is, nothing is loaded from elsewhere, the walk reads from the opening to the exit, and the filter
    leaves what it says."""
    directory = package(tmp_path / "shop", LEAK, **{"src/a.rs": UNAWAITED})
    page = tmp_path / "walks.html"
    assert sessionlint(directory, "--graph", page, "--quiet")[0] == 1
    text = page.read_text()
    assert re.findall(r"""(?:src|href)=["'](?!#)([^"']*)""", text) == []
    seen = in_a_browser(tmp_path, text, width, dark)
    assert seen["view"] == width and seen["dark"] == dark
    assert seen["width"] <= seen["view"], "the page is wider than the window"
    assert width > 700 or seen["scrolls"] == 0, "code is wrapped where there is no room"
    assert seen["contrast"] >= 4.5
    dots, labels, marks = seen["dots"], seen["labels"], seen["marks"]
    assert [mark["text"] for mark in marks][-3:] == ["begin", "execute", "Ok(())"]
    # Of the file a.rs, then of lib.rs.
    numbers = [dot["text"] for dot in dots]
    assert numbers[-3:] == ["1", "2", "3"] and numbers[0] == "1" and len(labels) == len(dots)
    for dot, label in zip(dots, labels, strict=True):
        assert label["top"] - 4 < dot["middle"] < label["bottom"] + 4 and dot["right"] <= label["left"]
        assert label["right"] <= seen["view"] and label["left"] >= 0
    for label, mark in zip(labels[-3:], marks[-3:], strict=True):
        assert 0 < label["top"] - mark["top"] < 60
        assert width < 700 or abs(label["left"] - mark["left"]) < 16, (label, mark)
    assert "begins" in labels[-3]["text"] and "a write" in labels[-2]["text"] and "dropping" in labels[-1]["text"]
    everything, nothing, one_file, two_words, of_rule, of_link = seen["steps"]
    assert everything == ["", 2, ""] and nothing == ["no such words", 0, "0 of 2"]
    assert one_file[1:] == two_words[1:] == [1, "1 of 2"]
    assert of_rule[0] in ("unawaited-release", "uncommitted-transaction") and of_rule[1] == 1 and of_link == ["", 2]
    if os.environ.get("PICTURES"):
        shot = tmp_path / "walks.png"
        picture = [*CHROMIUM, f"--blink-settings=preferredColorScheme={0 if dark else 1}", f"--user-data-dir={tmp_path / 'profile'}"]
        run([counterpart("chromium"), *picture, "--window-size=1200,1000", f"--screenshot={shot}", f"file://{page}"], tmp_path)
        shot.rename(os.path.join(os.environ["PICTURES"], f"walks{'-dark' if dark else ''}.png"))


def test_a_page_of_many_findings(tmp_path):
    """A browser shows it. That 20,000 are written in seconds is a test of the page itself."""
    browser = counterpart("chromium")
    one = LEAK[LEAK.index("pub async"):]
    many = LEAK[:LEAK.index("pub async")] + "".join(one.replace("place", f"place_{number}") for number in range(1000))
    directory = package(tmp_path / "shop", many)
    page = tmp_path / "walks.html"
    assert sessionlint(directory, "--quiet", "--graph", page)[0] == 1
    assert page.read_text().count("<article ") == 1000
    shot = tmp_path / "walks.png"
    run([browser, *CHROMIUM, f"--user-data-dir={tmp_path / 'profile'}", "--window-size=1200,900", f"--screenshot={shot}", f"file://{page}"], tmp_path)
    assert shot.stat().st_size > 10_000


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

    def in_a_terminal(env, *words):
        leader, follower = pty.openpty()
        process = subprocess.Popen(
            [str(PROGRAM), *words], cwd=directory, stdout=follower, stderr=follower, stdin=subprocess.DEVNULL,
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
    assert "\x1b[" in shown and "\x1b]8;;file://" in shown and "uncommitted-transaction" in shown, shown
    counted = in_a_terminal({}, "--statistics")
    assert re.search(r"1.*uncommitted-transaction", counted), counted
    assert "\x1b[3" not in in_a_terminal({"NO_COLOR": "1"})
    assert "\x1b" not in sessionlint(directory)[1]
