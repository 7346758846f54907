"""A real editor with a client of its own: Neovim opens a file, types, and makes a fix."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.lab.installation import require

SCRIPT = Path(__file__).parent / "neovim.lua"


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
