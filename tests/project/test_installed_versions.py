"""The same lines under each lock file: the version that it names decides what they mean."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from corslint import lint
from corslint.settings import Settings
from tests.examples import findings_of

NODE = "const io = require('socket.io')(3000, { origins: 'https://app.example.com:443' });\n"
PYTHON = """\
from blacksheep import Application

app = Application()
app.use_cors(allow_origins="*", allow_credentials=True)
"""


def rules(files: dict[str, str], path: str) -> set[str]:
    """The rules that speak of a file."""
    data = {name: text.encode() for name, text in files.items()}
    return {found.rule for found in findings_of(data, Settings(), lint.knowledge()) if found.primary.path == path}


def npm(version: str) -> str:
    return f'{{"packages": {{"node_modules/socket.io": {{"version": "{version}"}}}}}}'


def pnpm_5(version: str) -> str:
    return f"lockfileVersion: 5.4\nspecifiers:\n  socket.io: '>=2'\ndependencies:\n  socket.io: {version}\n"


def pnpm_9(version: str) -> str:
    return (
        "lockfileVersion: '9.0'\nimporters:\n  .:\n    dependencies:\n      socket.io:\n"
        f"        specifier: '>=2'\n        version: {version}(bufferutil@4.0.8)\n"
    )


def yarn_1(version: str) -> str:
    return f'# yarn lockfile v1\n\nsocket.io@>=2:\n  version "{version}"\n'


def yarn_4(version: str) -> str:
    return f'__metadata:\n  version: 8\n\n"socket.io@npm:>=2":\n  version: {version}\n'


@pytest.mark.parametrize(
    ("name", "lock"),
    [
        ("package-lock.json", npm),
        ("pnpm-lock.yaml", pnpm_5),
        ("pnpm-lock.yaml", pnpm_9),
        ("yarn.lock", yarn_1),
        ("yarn.lock", yarn_4),
    ],
)
def test_npm(name: str, lock: Callable[[str], str]) -> None:
    """`origins` is an option of Socket.IO 2; later ones ignore it."""
    manifest = '{"dependencies": {"socket.io": ">=2"}}'
    old = rules({"package.json": manifest, name: lock("2.5.1"), "server.js": NODE}, "server.js")
    new = rules({"package.json": manifest, name: lock("4.8.1"), "server.js": NODE}, "server.js")
    assert "socketio-legacy-origins" not in old
    assert "socketio-legacy-origins" in new
    assert "socketio-legacy-origins" not in rules({"package.json": manifest, "server.js": NODE}, "server.js")


def poetry(version: str) -> str:
    return f'[[package]]\nname = "blacksheep"\nversion = "{version}"\n\n[metadata]\nlock-version = "2.1"\n'


def uv(version: str) -> str:
    return f'version = 1\n\n[[package]]\nname = "blacksheep"\nversion = "{version}"\n'


def pipfile(version: str) -> str:
    return f'{{"default": {{"blacksheep": {{"version": "=={version}"}}}}}}'


@pytest.mark.parametrize(("name", "lock"), [("poetry.lock", poetry), ("uv.lock", uv), ("Pipfile.lock", pipfile)])
def test_python(name: str, lock: Callable[[str], str]) -> None:
    """`*` with credentials goes out as it is before BlackSheep 2.6.4, and is an echo since."""
    files = {"pyproject.toml": '[project]\nname = "x"\ndependencies = ["blacksheep>=2"]\n', "app.py": PYTHON}
    old = rules({**files, name: lock("2.6.3")}, "app.py")
    new = rules({**files, name: lock("2.6.4")}, "app.py")
    assert {"wildcard-origin-with-credentials", "reflected-origin-with-credentials"} & old == {
        "wildcard-origin-with-credentials"
    }
    assert {"wildcard-origin-with-credentials", "reflected-origin-with-credentials"} & new == {
        "reflected-origin-with-credentials"
    }
