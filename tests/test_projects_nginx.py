"""A real nginx accepts every configuration under fixtures/projects: what is wrong with them is not their syntax."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.lab.installation import require

PROJECTS = Path(__file__).resolve().parent.parent / "fixtures" / "projects"
FOLDERS = sorted(folder for folder in PROJECTS.glob("*/*/nginx") if folder.is_dir())


def accepted(root: Path, main: str) -> str:
    """What `nginx -t` says against it; empty if it accepts."""
    log = root / "error.log"
    nginx = str(require("nginx").path("nginx"))
    command = [nginx, "-t", "-q", "-p", str(root), "-c", main, "-e", str(log), "-g", f"pid {root}/nginx.pid;"]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    return "" if ran.returncode == 0 else ran.stderr


def test_there_are_configurations_to_look_at() -> None:
    assert {folder.parent.name for folder in FOLDERS} == {"bad", "good"}
    assert len(FOLDERS) >= 16


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: "-".join(folder.parts[-3:-1]))
def test_nginx_accepts_it(folder: Path, tmp_path: Path) -> None:
    root = tmp_path / "nginx"
    shutil.copytree(folder, root)
    if (root / "nginx.conf").exists():
        assert accepted(root, "nginx.conf") == ""
        return
    # Files for `conf.d` and `sites-enabled`: they stand in an `http` block of somebody else's.
    servers = [
        path.name for path in sorted(root.glob("*.conf")) if re.search(r"^server \{", path.read_text(), re.MULTILINE)
    ]
    assert servers != []
    (root / "main.conf").write_text("events {}\nhttp {\n" + "".join(f"include {name};\n" for name in servers) + "}\n")
    assert accepted(root, "main.conf") == ""


def test_the_test_can_fail(tmp_path: Path) -> None:
    (tmp_path / "main.conf").write_text("events {}\nhttp { server { add_header Access-Control-Allow-Origin; } }\n")
    assert "invalid number of arguments" in accepted(tmp_path, "main.conf")
