"""A real editor with a client of its own: Neovim opens a file, types, and makes a fix; docs/editors.md sets it up."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.lab.installation import require

HERE = Path(__file__).parent
SCRIPT = HERE / "neovim.lua"
EDITORS = HERE.parent.parent / "docs" / "editors.md"


def test_neovim_shows_findings_and_makes_fixes(tmp_path: Path) -> None:
    neovim = require("neovim").path("neovim")
    (tmp_path / ".git").mkdir()
    code = "require('express')().use(require('cors')({ origins: 'https://app.example.com' }));"
    (tmp_path / "server.js").write_text(f"{code}\n")
    answer = tmp_path / "answer.txt"
    environment = {
        **os.environ,
        "HOME": str(tmp_path),
        "CORSLINT_TEST_FILE": "server.js",
        "CORSLINT_TEST_PYTHON": sys.executable,
        "CORSLINT_TEST_ANSWER": str(answer),
    }
    command = [str(neovim), "--headless", "-u", "NONE", "-i", "NONE", "-n", "-c", f"luafile {SCRIPT}", "-c", "qa!"]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert answer.exists(), done.stderr
    shown, *text = answer.read_text(encoding="utf-8").splitlines()
    assert shown.startswith(f"1:{code.index('origins')} ")
    assert "`origins`" in shown
    assert text == ["// é, a line that is not saved", code.replace("origins", "origin")]
    assert (tmp_path / "server.js").read_text() == f"{code}\n"  # nothing was saved


FILES = {
    "server.js": ("javascript", "require('express')().use(require('cors')({ origin: '*', credentials: true }));\n"),
    "api.py": (
        "python",
        """from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
app = FastAPI()
app.add_middleware(CORSMiddleware, allow_origins=["*"], allow_credentials=True)
""",
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_the_settings_of_the_page_start_the_server(tmp_path: Path, name: str) -> None:
    """As they stand where Neovim has `vim.lsp.config` (0.11), else with a stand-in for it."""
    neovim = os.environ.get("NVIM_0_11") or str(require("neovim").path("neovim"))
    (settings,) = re.findall(r"^```lua\n(.*?)^```$", EDITORS.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    said = subprocess.run([neovim, "--version"], capture_output=True, text=True, check=True).stdout
    version = re.match(r"NVIM v(\d+)\.(\d+)", said)
    assert version is not None
    lacking = tuple(map(int, version.groups())) < (0, 11)
    before = (HERE / "neovim_0_11.lua").read_text(encoding="utf-8") if lacking else ""
    filetype, text = FILES[name]
    project, programs = tmp_path / "project", tmp_path / "bin"
    (project / ".git").mkdir(parents=True)
    (project / name).write_text(text)
    (tmp_path / "init.lua").write_text(f"vim.cmd('filetype on')\n{before}\n{settings}", encoding="utf-8")
    programs.mkdir()
    (programs / "corslint").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m corslint "$@"\n')
    (programs / "corslint").chmod(0o755)
    answer = tmp_path / "answer.txt"
    environment = {
        **os.environ,
        "HOME": str(tmp_path),
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "CORSLINT_TEST_ANSWER": str(answer),
    }
    command = [neovim, "--headless", "-u", str(tmp_path / "init.lua"), "-i", "NONE", "-n", name]
    command += ["-c", f"luafile {HERE / 'neovim_settings.lua'}"]
    done = subprocess.run(
        command, cwd=project, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert answer.exists(), done.stdout + done.stderr
    shown, source, _, place = answer.read_text(encoding="utf-8").splitlines()
    assert (shown, source) == (filetype, "corslint")
    assert place.split(":")[0] == str(text.count("\n") - 1)
