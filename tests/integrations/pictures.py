"""Makes docs/pictures/terminal.png and neovim.png anew: `pictures.py SESSIONLINT DIRECTORY`, with Chromium, Neovim and the Python
package pyte. `walks.png` comes from test_people.py (`PICTURES=DIRECTORY`). Look at each before it is committed."""

import fcntl
import html
import os
import pty
import select
import struct
import subprocess
import sys
import tempfile
import termios
import time
from pathlib import Path

import pyte
from conftest import LEAK, package

COLORS = {"default": "#dddddd", "black": "#16181d", "red": "#ff5f5f", "green": "#5fd787", "brown": "#d7af5f", "blue": "#6f9cf0",
          "magenta": "#d787ff", "cyan": "#7fd7d7", "white": "#ffffff", "brightblack": "#808080", "brightred": "#ff5f5f",
          "brightgreen": "#5fd787", "brightbrown": "#d7af5f", "brightyellow": "#d7af5f", "brightblue": "#6f9cf0",
          "brightmagenta": "#d787ff", "brightcyan": "#7fd7d7", "brightwhite": "#ffffff"}


def seen(command, directory, columns, lines, keys=(), wait=1.0):
    """What a terminal of a size shows in the end."""
    screen = pyte.Screen(columns, lines)
    stream = pyte.ByteStream(screen)
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    environment = {**{k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "CI")}, "TERM": "xterm-256color"}
    process = subprocess.Popen(command, cwd=directory, stdin=follower, stdout=follower, stderr=follower, env=environment, start_new_session=True)
    os.close(follower)
    pending, until = list(keys), time.time() + 30
    quiet = time.time()
    while time.time() < until:
        ready, _, _ = select.select([leader], [], [], 0.2)
        if ready:
            try:
                chunk = os.read(leader, 65536)
            except OSError:
                break
            if not chunk:
                break
            stream.feed(chunk)
            quiet = time.time()
        elif time.time() - quiet > wait:
            if not pending:
                break
            os.write(leader, pending.pop(0).encode())
            quiet = time.time()
    process.kill()
    process.wait()
    return screen


def color(name, other):
    return COLORS.get(name) or (f"#{name}" if len(name) == 6 else other)


def page(screen, last):
    """The screen as a page."""
    rows = []
    for row in range(last):
        spans = []
        for column in range(screen.columns):
            cell = screen.buffer[row][column]
            front, back = color(cell.fg, "#dddddd"), "transparent" if cell.bg == "default" else color(cell.bg, "transparent")
            if cell.reverse:
                front, back = "#16181d", front
            style = f"color:{front};background:{back};" + ("font-weight:bold;" if cell.bold else "") + ("text-decoration:underline;" if cell.underscore else "")
            spans.append(f'<span style="{style}">{html.escape(cell.data or " ")}</span>')
        rows.append("".join(spans))
    body = "\n".join(rows)
    return f'<!doctype html><meta charset="utf-8"><body style="margin:0;background:#16181d"><pre style="margin:16px;font:14px/18px \'DejaVu Sans Mono\',monospace">{body}</pre>'


def picture(screen, out, work):
    last = max((row for row in range(screen.lines) if any(screen.buffer[row][c].data.strip() for c in range(screen.columns))), default=0) + 1
    (work / "screen.html").write_text(page(screen, last))
    size = f"--window-size={screen.columns * 843 // 100 + 34},{last * 18 + 32}"
    options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", f"--user-data-dir={work / 'profile'}", size]
    subprocess.run(["chromium", *options, f"--screenshot={out}", f"file://{work / 'screen.html'}"], check=True, capture_output=True, timeout=60)


def main():
    program, out = os.path.abspath(sys.argv[1]), Path(sys.argv[2]).resolve()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        directory = package(work / "shop", LEAK)
        picture(seen([program, "--no-cache", "--hyperlinks", "never", "--no-progress"], directory, 100, 40), out / "terminal.png", work)
        (directory / "t.lua").write_text(
            "vim.o.number = true vim.o.laststatus = 0 vim.o.signcolumn = 'yes' vim.cmd('syntax on') vim.cmd('hi SignColumn ctermbg=none') vim.cmd('hi NormalFloat ctermbg=none') vim.cmd('edit src/lib.rs')\n"
            f"local id = vim.lsp.start_client({{ name = 'sessionlint', cmd = {{ '{program}', 'lsp' }}, root_dir = vim.fn.getcwd() }})\n"
            "vim.lsp.buf_attach_client(0, id)\n"
            "vim.wait(20000, function() return #vim.diagnostic.get(0) > 0 end, 20)\n")
        editor = ["nvim", "-n", "-i", "NONE", "-u", "NONE", "-c", "luafile t.lua"]
        # The pointer on the transaction, and what the server says about it.
        keys = [":4\r", "/tx\r", ":silent lua vim.lsp.buf.hover()\r", ""]
        picture(seen(editor, directory, 118, 16, keys, wait=3.0), out / "neovim.png", work)


if __name__ == "__main__":
    main()
