"""Neovim with the language server; Vim with ALE, and what nvim-lint reads."""

import json
import os

import pytest
from conftest import CLEAN, LEAK, PROGRAM, UNAWAITED, counterpart, documented, is_captured, package, run, sessionlint

pytestmark = pytest.mark.timeout(120)


def neovim(directory, script):
    """What a script in Lua writes to out.json. Nothing of the user's is read or written: a swap file that a killed editor left
    behind would stop this one with a question. A mistake in the script ends the editor, which would wait for a user."""
    program = counterpart("nvim")
    (directory / "t.lua").write_text("local ok, why = xpcall(function()\n" + script + "\nend, debug.traceback)\n"
                                     "if not ok then io.stderr:write(why) vim.cmd('cquit') end\nvim.cmd('qall!')\n")
    own = {name: str(directory / "own") for name in ["HOME", "XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"]}
    status, out, error = run([program, "--headless", "-n", "-i", "NONE", "-u", "NONE", "-c", "luafile t.lua"], directory, env=own)
    assert status == 0 and (directory / "out.json").exists(), (status, out, error)
    return json.loads((directory / "out.json").read_text())


# What docs/integrations.md tells for Neovim, for a version that has no `vim.lsp.config` yet, and what is looked at afterwards.
NEOVIM = """
vim.cmd('edit src/lib.rs')
local id = vim.lsp.start_client({ name = 'sessionlint', cmd = { PROGRAM, 'lsp' }, root_dir = vim.fn.getcwd() })
vim.lsp.buf_attach_client(0, id)
local function wait(count)
  local seen = vim.wait(20000, function() return #vim.diagnostic.get(0) == count end, 20)
  local out = { seen = seen, found = {} }
  for _, one in ipairs(vim.diagnostic.get(0)) do
    table.insert(out.found, { one.lnum, one.col, one.severity, one.source, one.code or one.user_data.lsp.code })
  end
  return out
end
local steps = { opened = wait(1) }
-- Typed, and not saved: the finding is another one, on the same line.
vim.api.nvim_buf_set_lines(0, 5, 5, false, { '    tx.commit();' })
local before = steps.opened.found[1][5]
vim.wait(20000, function()
  local one = vim.diagnostic.get(0)[1]
  return one and (one.code or one.user_data.lsp.code) ~= before
end, 20)
steps.typed = wait(1)
local params = vim.lsp.util.make_given_range_params({ 6, 0 }, { 6, 20 })
params.context = { diagnostics = { vim.diagnostic.get(0)[1].user_data.lsp } }
params.context.diagnostics[1].range = { start = { line = 5, character = 7 }, ['end'] = { line = 5, character = 13 } }
params.context.diagnostics[1].message = vim.diagnostic.get(0)[1].message
local answer = vim.lsp.buf_request_sync(0, 'textDocument/codeAction', params, 20000)
local titles = {}
for _, action in ipairs(answer[id].result) do
  table.insert(titles, action.title)
  if action.isPreferred then vim.lsp.util.apply_workspace_edit(action.edit, 'utf-16') end
end
steps.titles = titles
steps.fixed = wait(0)
steps.text = vim.api.nvim_buf_get_lines(0, 0, -1, false)
local hover = vim.lsp.buf_request_sync(0, 'textDocument/hover', { textDocument = vim.lsp.util.make_text_document_params(), position = { line = 3, character = 13 } }, 20000)
steps.hover = hover[id].result.contents.value
vim.fn.writefile({ vim.fn.json_encode(steps) }, 'out.json')
"""


def test_neovim_shows_findings_of_a_buffer_and_fixes_them(tmp_path):
    directory = package(tmp_path, LEAK)
    steps = neovim(directory, NEOVIM.replace("PROGRAM", json.dumps(str(PROGRAM))))
    assert steps["opened"]["seen"] and steps["opened"]["found"] == [[5, 4, 1, "sessionlint", "uncommitted-transaction"]], steps
    assert steps["typed"]["seen"], steps
    assert any("await" in title for title in steps["titles"]) and len(steps["titles"]) >= 2, steps
    assert steps["fixed"]["seen"] and "    tx.commit().await?;" in steps["text"], steps
    assert "commit" in steps["hover"]


def test_ale_shows_findings_of_a_buffer(tmp_path):
    """With the linter as docs/integrations.md has it."""
    program = counterpart("vim")
    directory = package(tmp_path, CLEAN, **{
        "linter.vim": documented("vim", "ale#linter#Define"),
        "t.vim": """
set nocompatible runtimepath^=/usr/share/vim-ale
let g:ale_linters = {'rust': ['sessionlint']}
let g:ale_rust_sessionlint_executable = $SESSIONLINT_PROGRAM
filetype plugin on
runtime! plugin/ale.vim
source linter.vim
edit src/lib.rs
" Changed, and not saved.
6delete _
ALELint
let tries = 0
while empty(getloclist(0)) && tries < 200
  sleep 50m
  let tries += 1
endwhile
call writefile([json_encode(map(getloclist(0), {_, one -> [one.lnum, one.col, one.type, one.text]}))], 'out.json')
qall!
""",
    })
    run([program, "-N", "-n", "-u", "NONE", "-i", "NONE", "-es", "-S", "t.vim"], directory, env={"SESSIONLINT_PROGRAM": str(PROGRAM), "TERM": "xterm"})
    [[line, column, kind, text]] = json.loads((directory / "out.json").read_text())
    assert (line, column, kind) == (6, 5, "E")
    assert "uncommitted-transaction" in text and "reaches a successful return" in text
    is_captured("ale", f"src/lib.rs|{line} col {column} error| {text}")


def test_vim_makes_a_quickfix_list(tmp_path):
    program = counterpart("vim")
    directory = package(tmp_path, UNAWAITED, **{
        "make.vim": documented("vim", "makeprg"),
        "t.vim": """
source make.vim
silent make
call writefile([json_encode(map(getqflist(), {_, one -> [one.valid, bufname(one.bufnr), one.lnum, one.col, one.type, one.text]}))], 'out.json')
qall!
""",
    })
    path = f"{PROGRAM.parent}:{os.environ['PATH']}"
    run([program, "-N", "-n", "-u", "NONE", "-i", "NONE", "-es", "-S", "t.vim"], directory, env={"TERM": "xterm", "PATH": path})
    [[valid, name, line, column, kind, text]] = json.loads((directory / "out.json").read_text())
    assert (valid, name, line, column, kind) == (1, "src/lib.rs", 6, 16, "d") and text.startswith("unawaited-release] the future")


def test_what_nvim_lint_is_told(tmp_path):
    """The linter of docs/integrations.md, registered with a stand-in for nvim-lint that does what its documentation says: runs the
    command with the buffer on standard input, and gives the output to the parser."""
    directory = package(tmp_path, CLEAN, **{"linter.lua": documented("lua", "ignore_exitcode")})
    [found] = neovim(directory, """
local linters = {}
package.loaded.lint = { linters = linters }
dofile('linter.lua')
vim.cmd('edit src/lib.rs')
vim.api.nvim_buf_set_lines(0, 5, 6, false, {})
local one = linters.sessionlint
local command = { PROGRAM }
for _, word in ipairs(one.args) do table.insert(command, type(word) == 'function' and word() or word) end
local output = vim.fn.system(command, vim.api.nvim_buf_get_lines(0, 0, -1, false))
vim.json = vim.json or { decode = vim.fn.json_decode }
vim.fn.writefile({ vim.fn.json_encode(one.parser(output, 0)) }, 'out.json')
""".replace("PROGRAM", json.dumps(str(PROGRAM))))
    assert (found["lnum"], found["col"], found["severity"], found["code"]) == (5, 4, 1, "uncommitted-transaction")
