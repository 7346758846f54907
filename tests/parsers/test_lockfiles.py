"""Lock files: which versions they name, for which folders and ranges, and what happens to broken ones."""

from __future__ import annotations

import json
import time

import pytest

from corslint.model.reading import ManifestReading
from corslint.parsers import lockfiles, parse
from corslint.source import SourceFile


def read(path: str, text: str | bytes) -> ManifestReading:
    """Read through the choice of parsers, as a run does."""
    reading = parse(SourceFile(path, text.encode() if isinstance(text, str) else text))
    assert isinstance(reading, ManifestReading)
    return reading


def rows(path: str, text: str) -> list[tuple[str, str, str | None, bool, str]]:
    """Each entry as (name, specifier, version, development, the text at its span)."""
    source = SourceFile(path, text.encode())
    reading = read(path, text)
    assert reading.damage == ()
    return [
        (each.name, each.specifier, each.version, each.development, source.text(each.span))
        for each in reading.requirements
    ]


LOCK = {
    "lockfileVersion": 3,
    "packages": {
        "": {"name": "app", "workspaces": ["packages/*"], "dependencies": {"socket.io": "^4"}},
        "packages/web": {"version": "0.0.0", "dependencies": {"socket.io": "^2"}},
        "node_modules/socket.io": {"version": "4.7.2", "dependencies": {"ws": "~8"}},
        "node_modules/@scope/x": {"version": "1.0.0-rc.1", "dev": True},
        "node_modules/engine.io/node_modules/ws": {"version": "8.0.0"},
        "packages/web/node_modules/socket.io": {"version": "2.5.0"},
        "node_modules/web": {"resolved": "packages/web", "link": True},
        "node_modules/from-git": {"version": "git+ssh://git@host/x.git#abc"},
    },
    "dependencies": {"socket.io": {"version": "9.9.9"}},
}


@pytest.mark.parametrize("indent", [None, 2, "\t"])
@pytest.mark.parametrize("name", ["package-lock.json", "npm-shrinkwrap.json"])
def test_lock_version_2_and_3(name: str, indent: int | None) -> None:
    source = SourceFile(name, json.dumps(LOCK, indent=indent).encode())
    reading = lockfiles.read(source)
    assert reading.kind == "package-lock.json"
    assert reading.workspaces == ("packages/web",)
    assert [(r.name, r.version, r.folder, r.development, source.text(r.span)) for r in reading.requirements] == [
        ("socket.io", "4.7.2", "", False, '"4.7.2"'),
        ("@scope/x", "1.0.0-rc.1", "", True, '"1.0.0-rc.1"'),
        ("socket.io", "2.5.0", "packages/web", False, '"2.5.0"'),
        ("from-git", None, "", False, '"git+ssh://git@host/x.git#abc"'),
    ]


def test_lock_entries_in_an_unusual_order() -> None:
    """The places come from the slower scanner where npm's own order of keys is not found."""
    text = (
        '{"packages": {"": {"dependencies": {"node_modules/a": "x"}, "x": "node_modules/a"},'
        ' "node_modules/\\u0061": {"version": "1.0.0"},'
        ' "node_modules/b": {"name": "socket.io", "version": "2.0.0"},'
        ' "node_modules/c": {"resolved": "node_modules/d", "version": "3.0.0"},'
        ' "node_modules/d": {"version": "4.0.0"}}}'
    )
    assert [(name, place) for name, _, _, _, place in rows("package-lock.json", text)] == [
        ("a", '"1.0.0"'),
        ("b", '"2.0.0"'),
        ("c", '"3.0.0"'),
        ("d", '"4.0.0"'),
    ]


def test_an_aliased_lock_entry() -> None:
    text = '{"packages": {"node_modules/b": {"name": "socket.io", "version": "2.0.0"}}}'
    assert rows("package-lock.json", text) == [("b", "2.0.0", "2.0.0", False, '"2.0.0"')]


def test_lock_version_1() -> None:
    text = json.dumps(
        {
            "lockfileVersion": 1,
            "dependencies": {
                "socket.io": {
                    "requires": {"ws": "^7"},
                    "dependencies": {"ws": {"version": "7.0.0"}},
                    "version": "2.4.0",
                },
                "ws": {"version": "8.0.0", "dev": True},
                "sio": {"version": "npm:socket.io@3.1.2"},
            },
        },
        indent=1,
    )
    assert rows("package-lock.json", text) == [
        ("socket.io", "2.4.0", "2.4.0", False, '"2.4.0"'),
        ("ws", "8.0.0", "8.0.0", True, '"8.0.0"'),
        ("sio", "npm:socket.io@3.1.2", "3.1.2", False, '"npm:socket.io@3.1.2"'),
    ]


# What pnpm 7, 8 and 9 write for a workspace, with shorter digests.
PNPM_5 = """\
lockfileVersion: 5.4

importers:

  .:
    specifiers:
      cors: ^2.8.5
    dependencies:
      cors: 2.8.6

  packages/api:
    specifiers:
      '@scope/ws': ^8.0.0
      cors: 2.8.5
    dependencies:
      '@scope/ws': 8.23.0_bufferutil@4.0.8
    devDependencies:
      cors: 2.8.5

  packages/web:
    specifiers:
      api: workspace:*
      git: github:example/git
      old-ws: npm:ws@^6
      ws: ^7.0.0-rc.1
    dependencies:
      api: link:../api
      git: github.com/example/git/0123456789abcdef
      old-ws: /ws/6.2.7
      ws: registry.example.com/ws/7.0.0-rc.2

packages:

  /cors/2.8.5:
    resolution: {integrity: sha512-KIHb==}
    engines: {node: '>= 0.10'}
    dependencies:
      object-assign: 4.1.1
      vary: 1.1.2
"""

PNPM_6 = """\
lockfileVersion: '6.0'

settings:
  autoInstallPeers: true
  excludeLinksFromLockfile: false

importers:

  .:
    dependencies:
      cors:
        specifier: ^2.8.5
        version: 2.8.6

  packages/api:
    dependencies:
      '@scope/ws':
        specifier: ^8.0.0
        version: 8.23.0(bufferutil@4.0.8)
    devDependencies:
      cors:
        specifier: 2.8.5
        version: 2.8.5

  packages/web:
    dependencies:
      api:
        specifier: workspace:*
        version: link:../api
      git:
        specifier: github:example/git
        version: github.com/example/git/0123456789abcdef
      old-ws:
        specifier: npm:ws@^6
        version: /ws@6.2.7
      ws:
        specifier: ^7.0.0-rc.1
        version: 7.0.0-rc.2

packages:

  /cors@2.8.5:
    resolution: {integrity: sha512-KIHb==}
    dependencies:
      cors:
        specifier: x
        version: 9.9.9
"""

PNPM_9 = (
    PNPM_6.replace("'6.0'", "'9.0'")
    .replace("/ws@6.2.7", "ws@6.2.7")
    .replace("github.com/example/git/0123456789abcdef", "https://codeload.example.com/git/tar.gz/0123456789abcdef")
    .replace("/cors@2.8.5:", "cors@2.8.5:")
    + """
snapshots:

  cors@2.8.5:
    dependencies:
      object-assign: 4.1.1
"""
)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        (PNPM_5, ["8.23.0_bufferutil@4.0.8", "/ws/6.2.7", "registry.example.com/ws/7.0.0-rc.2"]),
        (PNPM_6, ["8.23.0(bufferutil@4.0.8)", "/ws@6.2.7", "7.0.0-rc.2"]),
        (PNPM_9, ["8.23.0(bufferutil@4.0.8)", "ws@6.2.7", "7.0.0-rc.2"]),
        (PNPM_9.replace("\n", "\r\n"), ["8.23.0(bufferutil@4.0.8)", "ws@6.2.7", "7.0.0-rc.2"]),
        (PNPM_9.replace("  ", "    "), ["8.23.0(bufferutil@4.0.8)", "ws@6.2.7", "7.0.0-rc.2"]),
    ],
    ids=["5", "6", "9", "CRLF", "indented more"],
)
def test_pnpm_workspace(text: str, written: list[str]) -> None:
    source = SourceFile("pnpm-lock.yaml", text.encode())
    reading = read("pnpm-lock.yaml", text)
    workspaces = ("packages/api", "packages/web")
    assert (reading.kind, reading.workspaces, reading.damage) == ("pnpm-lock.yaml", workspaces, ())
    assert [(r.name, r.version, r.folder, r.development, source.text(r.span)) for r in reading.requirements] == [
        ("cors", "2.8.6", "", False, "2.8.6"),
        ("@scope/ws", "8.23.0", "packages/api", False, written[0]),
        ("cors", "2.8.5", "packages/api", True, "2.8.5"),
        ("old-ws", "6.2.7", "packages/web", False, written[1]),
        ("ws", "7.0.0-rc.2", "packages/web", False, written[2]),
    ]


@pytest.mark.parametrize(
    "text",
    [
        # pnpm 6 and 7
        (
            "lockfileVersion: 5.4\n\nspecifiers:\n  cors: ^2.8.5\n\ndependencies:\n  cors: 2.8.6\n\npackages:\n\n"
            "  /cors/2.8.5:\n    dev: false\n"
        ),
        # pnpm 8
        "lockfileVersion: '6.0'\n\ndependencies:\n  cors:\n    specifier: ^2.8.5\n    version: 2.8.6\n",
        # of old, keys stood in order of the alphabet
        (
            "dependencies:\n  cors: 2.8.6\nlockfileVersion: 5.1\npackages:\n  /cors/2.8.5:\n    dev: false\n"
            "specifiers:\n  cors: ^2.8.5\n"
        ),
        # with comments, quotes, and a list that is none of ours
        (
            "lockfileVersion: 5.4 # x\noverrides:\n- dependencies\n  # dependencies:\ndependencies: # x\n"
            "    'cors': '2.8.6' # x\n"
        ),
        # pnpm 11 writes what it runs with itself into a document of its own
        (
            "---\nlockfileVersion: '9.0'\nimporters:\n  .:\n    packageManagerDependencies:\n      pnpm:\n"
            "        specifier: 11.0.0\n        version: 11.0.0\npackages:\n  pnpm@11.0.0:\n    dev: true\n---\n"
            "lockfileVersion: '9.0'\nimporters:\n  .:\n    dependencies:\n      cors:\n        specifier: ^2.8.5\n"
            "        version: 2.8.6\n"
        ),
    ],
)
def test_pnpm_without_a_workspace(text: str) -> None:
    [(name, _, version, development, place)] = rows("pnpm-lock.yaml", text)
    assert (name, version, development, place.strip("'")) == ("cors", "2.8.6", False, "2.8.6")


@pytest.mark.parametrize(
    "text",
    [
        "importers:\n  .: {dependencies: {cors: {specifier: ^2, version: 2.8.6}}}\n",
        "importers: &all\n  .: *all\n",
        "dependencies:\n  cors: &version 2.8.6\n",
        "dependencies:\n  cors: |\n    version: 2.8.6\n",
        "dependencies:\n  cors:\n    version:\n    - 2.8.6\n",
        "dependencies: 2.8.6\n",
        "dependencies: [cors]\n",
        "importers:\n",
        "importers: 1\n",
        "catalogs:\n  default:\n    cors:\n      specifier: ^2\n      version: 2.8.6\n",
        "overrides:\n  cors: 2.8.6\n",
        "a:\n  dependencies:\n    cors: 2.8.6\n",
    ],
)
def test_pnpm_in_another_manner(text: str) -> None:
    """What pnpm does not write, and what is nobody's installed version, is passed over."""
    assert rows("pnpm-lock.yaml", "lockfileVersion: '9.0'\n" + text) == []


# What Yarn 1 and 4 write for a workspace.
YARN_1 = """\
# THIS IS AN AUTOGENERATED FILE. DO NOT EDIT THIS FILE DIRECTLY.
# yarn lockfile v1


"@scope/ws@^8.0.0", "@scope/ws@>=8 <9":
  version "8.23.0"
  resolved "https://registry.example.com/@scope/ws/-/ws-8.23.0.tgz#c0ffee"
  integrity sha512-KIHb==
  dependencies:
    version "^3"

cors@2.8.5:
  version "2.8.5"

cors@^2.8.5, "cors@^2.8.5 || ^3":
  version "2.8.6"
  dependencies:
    object-assign "^4"

git@example/git:
  version "1.0.0"
  resolved "https://codeload.example.com/git/tar.gz/0123456789abcdef"

"old-ws@npm:ws@^6":
  version "6.2.7"
"""

YARN_4 = """\
# This file is generated by running "yarn install" inside your project.
# Manual changes might be lost - proceed with caution!

__metadata:
  version: 8
  cacheKey: 10c0

"@scope/ws@npm:>=8 <9, @scope/ws@npm:^8.0.0":
  version: 8.23.0
  resolution: "@scope/ws@npm:8.23.0"
  dependencies:
    version: "npm:^3"
  peerDependenciesMeta:
    bufferutil:
      optional: true
  languageName: node
  linkType: hard

"api@workspace:*, api@workspace:packages/api":
  version: 0.0.0-use.local
  resolution: "api@workspace:packages/api"
  dependencies:
    "@scope/ws": "npm:^8.0.0"
    cors: "npm:2.8.5"
  languageName: unknown
  linkType: soft

"cors@npm:2.8.5":
  version: 2.8.5
  resolution: "cors@npm:2.8.5"

? "cors@npm:^2.8.5, cors@npm:^2.8.5 || ^3"
:
  version: 2.8.6
  resolution: "cors@npm:2.8.6"

"git@example/git":
  version: 1.0.0
  resolution: "git@https://example.com/git.git#commit=0123456789abcdef"

"old-ws@npm:ws@^6":
  version: 6.2.7
  resolution: "ws@npm:6.2.7"

"root@workspace:.":
  version: 0.0.0-use.local
  resolution: "root@workspace:."
"""


@pytest.mark.parametrize(
    ("text", "quote", "workspaces"),
    [
        (YARN_1, '"', ()),
        (YARN_1.replace("\n", "\r\n"), '"', ()),
        (YARN_4, "", ("packages/api",)),
        (YARN_4.replace("\n", "\r\n"), "", ("packages/api",)),
    ],
    ids=["1", "1 CRLF", "4", "4 CRLF"],
)
def test_yarn(text: str, quote: str, workspaces: tuple[str, ...]) -> None:
    source = SourceFile("yarn.lock", text.encode())
    reading = read("yarn.lock", text)
    assert (reading.kind, reading.workspaces, reading.damage) == ("yarn.lock", workspaces, ())
    assert [(r.name, r.version, set(r.ranges), source.text(r.span)) for r in reading.requirements] == [
        ("@scope/ws", "8.23.0", {"^8.0.0", ">=8 <9"}, f"{quote}8.23.0{quote}"),
        ("cors", "2.8.5", {"2.8.5"}, f"{quote}2.8.5{quote}"),
        ("cors", "2.8.6", {"^2.8.5", "^2.8.5 || ^3"}, f"{quote}2.8.6{quote}"),
        ("git", "1.0.0", {"example/git"}, f"{quote}1.0.0{quote}"),
        ("old-ws", "6.2.7", {"npm:ws@^6"}, f"{quote}6.2.7{quote}"),
    ]


def test_yarn_entries_that_are_not_whole() -> None:
    text = YARN_1 + (
        '\nno-version@^1:\n  resolved x\n\nnested@^1:\n  dependencies:\n    version "1.0.0"\n'
        '\nno-range:\n  version "1.0.0"\n\nodd@^1:\n  version "latest"\n\ncut@^1:\n  version'
    )
    assert rows("yarn.lock", text) == rows("yarn.lock", YARN_1)


POETRY = '''\
# This file is automatically @generated by Poetry 2.1.1 and should not be changed by hand.

[[package]]
name = "Flask-Cors"
version = "5.0.1"
description = "A Flask extension; [[package]]"
optional = false
python-versions = "<4.0,>=3.9"
groups = ["main", "dev"]
files = [
    {file = "flask_cors-5.0.1-py3-none-any.whl", hash = "sha256:fa5c"},
]

[package.dependencies]
flask = ">=0.9"
version = "9.9.9"

[[package]]
name = "pytest"
version = '8.0.0'
description = """
[[package]]
name = "starlette"
version = "0.1.0"
"""
groups = ["dev"]

[[package]]
name = "tox"
version = "4.0.0"
category = "dev"

[[package]]
name = "starlette"
version = "0.41.0"
category = "main"

[package.source]
type = "legacy"
url = "https://packages.example.com"

[metadata]
lock-version = "2.1"
python-versions = ">=3.11"
content-hash = "c0ffee"
'''

UV = """\
version = 1
revision = 2
requires-python = ">=3.11"

[manifest]
members = [
    "api",
    "root",
]

[[package]]
name = "api"
version = "0.1"
source = { virtual = "packages/api" }
dependencies = [
    { name = "starlette" },
]

[package.metadata]
requires-dist = [{ name = "starlette", specifier = ">=0.30" }]

[[package]]
name = "flask-cors"
version = "5.0.1"
source = { registry = "https://pypi.org/simple" }
dependencies = [
    { name = "flask", version = "3.0.0", source = { registry = "https://pypi.org/simple" } },
]
sdist = { url = "https://packages.example.com/flask_cors-5.0.1.tar.gz", hash = "sha256:6ccb", size = 30867 }

[[package]]
name = "lib"
version = "0.2"
source = { editable = "packages/lib" }

[[package]]
name = "root"
version = "0.1"
source = { editable = "." }

[[package]]
name = "no-version"
source = { git = "https://example.com/x.git" }
"""


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_poetry(end: str) -> None:
    assert rows("poetry.lock", POETRY.replace("\n", end)) == [
        ("Flask-Cors", "5.0.1", "5.0.1", False, '"5.0.1"'),
        ("pytest", "8.0.0", "8.0.0", True, "'8.0.0'"),
        ("tox", "4.0.0", "4.0.0", True, '"4.0.0"'),
        ("starlette", "0.41.0", "0.41.0", False, '"0.41.0"'),
    ]


def test_uv() -> None:
    assert rows("uv.lock", UV) == [("flask-cors", "5.0.1", "5.0.1", False, '"5.0.1"')]
    reading = read("uv.lock", UV)
    assert (reading.kind, reading.workspaces) == ("uv.lock", ("packages/api", "packages/lib"))


def test_pipfile_lock() -> None:
    text = json.dumps(
        {
            "_meta": {"hash": {"sha256": "d022"}, "pipfile-spec": 6, "version": "==9"},
            "default": {
                "flask-cors": {"hashes": ["sha256:6ccb"], "markers": "python_version >= '3.9'", "version": "==5.0.1"},
                "from-git": {"git": "https://example.com/x.git", "ref": "0123"},
                "odd": 3,
                "older": {"version": "~=1.0"},
                "wrong": {"version": ["==1.0"]},
            },
            "develop": {"pytest": {"version": "==8.0.0"}},
        },
        indent=4,
    )
    assert rows("Pipfile.lock", text) == [
        ("flask-cors", "==5.0.1", "5.0.1", False, '"==5.0.1"'),
        ("pytest", "==8.0.0", "8.0.0", True, '"==8.0.0"'),
    ]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("package-lock.json", "{}"),
        ("package-lock.json", '{"packages": 1, "dependencies": [2]}'),
        ("package-lock.json", '{"packages": {"node_modules/a": {"version": 1}, "node_modules/b": []}}'),
        ("pnpm-lock.yaml", ""),
        ("yarn.lock", ""),
        ("yarn.lock", "\n"),
        ("poetry.lock", ""),
        ("uv.lock", ""),
        ("uv.lock", "version = 1\n[[package]]\nname = 1\nversion = 2\n[[package]]\nname = ['x']\nversion = {}\n"),
        ("poetry.lock", "package = []\n\n[metadata]\n[[package]]\nversion = '1'\n[[package]]\n[[package]]"),
        ("Pipfile.lock", '{"default": [], "develop": {"x": null}}'),
        ("pnpm-lock.yaml", "lockfileVersion: '9.0'"),
        ("yarn.lock", "# yarn lockfile v1"),
    ],
)
def test_files_that_lock_nothing(path: str, text: str) -> None:
    assert rows(path, text) == []


CONFLICT = PNPM_9.replace("  packages/api:", "<<<<<<< HEAD\n  packages/api:")


@pytest.mark.parametrize(
    ("path", "text", "offset", "message"),
    [
        ("package-lock.json", "{\n<<<<<<< HEAD\n", 2, "not valid JSON"),
        ("Pipfile.lock", '{"default": ', 12, "not valid JSON"),
        ("Pipfile.lock", "[" * 100_000, 0, "nested too deeply"),
        ("pnpm-lock.yaml", CONFLICT, CONFLICT.index("<<<"), "the file holds a merge conflict"),
        ("pnpm-lock.yaml", "importers:\n  .:\n    dependencies:\n", 0, "it has no `lockfileVersion`"),
        ("yarn.lock", "lock: 1\n", 0, "not a yarn.lock, or cut off: it has no head"),
        ("yarn.lock", YARN_1 + "<<<<<<< HEAD\n", len(YARN_1), "the file holds a merge conflict"),
        ("poetry.lock", POETRY[: POETRY.index("[metadata]")], 0, "it has no `[metadata]`"),
        ("uv.lock", '[[package]]\nname = "x"\nversion = "1"\n', 0, "it has no `version`"),
        ("uv.lock", b"version = 1\n# \xe9\n", 14, "the file is not UTF-8"),
        ("pnpm-lock.yaml", b"lockfileVersion: '9.0'\n\xff", 23, "the file is not UTF-8"),
    ],
)
def test_broken(path: str, text: str | bytes, offset: int, message: str) -> None:
    reading = read(path, text)
    [damage] = reading.damage
    assert damage.whole
    assert message in damage.message
    assert damage.span.start == offset
    assert (reading.requirements, reading.workspaces) == ((), ())


def test_a_file_of_too_many_entries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lockfiles, "_MOST_ENTRIES", 2)
    reading = read("yarn.lock", YARN_1)
    assert [each.version for each in reading.requirements] == ["8.23.0", "2.8.5"]
    [damage] = reading.damage
    assert (damage.message, damage.whole) == ("more than 2 packages; those from here on were not read", False)
    assert YARN_1[damage.span.start : damage.span.end] == '"2.8.6"'


HEAD = b"lockfileVersion: '9.0'\n"


@pytest.mark.parametrize(
    ("path", "data"),
    [
        ("pnpm-lock.yaml", HEAD + b"dependencies:\n" + b"  a: 1.0.0\n" * 300_000),
        ("pnpm-lock.yaml", HEAD + b"importers:\n" + b"".join(b" " * n + b"a:\n" for n in range(2000))),
        ("pnpm-lock.yaml", HEAD + b"a: " + b" " * 3_000_000 + b"x"),
        ("pnpm-lock.yaml", HEAD + b"a:" * 1_500_000),
        ("pnpm-lock.yaml", HEAD + b"'" * 3_000_000),
        ("pnpm-lock.yaml", HEAD + b"a: &a [x]\n" + b"b: [*a, *a]\n" * 200_000),
        ("pnpm-lock.yaml", HEAD + b"---\n" * 500_000),
        ("pnpm-lock.yaml", HEAD + b"[" * 3_000_000),
        ("pnpm-lock.yaml", HEAD + b" " * 3_000_000),
        ("yarn.lock", b"__metadata:\n" + b"a@1:\n" * 500_000),
        ("yarn.lock", b"__metadata:\n" + b"a:" * 1_500_000),
        ("yarn.lock", b"__metadata:\na@1:\n" + b"  x\n" * 700_000),
        ("yarn.lock", b"__metadata:\n" + b"a@1:\n  x\n" * 300_000),
        ("yarn.lock", b"__metadata:\na@1:" + b" " * 3_000_000),
        ("yarn.lock", b"__metadata:\n" + b"a@1, " * 600_000 + b":\n  version 1.0.0\n"),
        ("poetry.lock", b"[metadata]\n" + b"[[package]]\n" * 250_000),
        ("poetry.lock", b"[metadata]\n[[package]]\n" + b"name = 'x'\n" * 250_000),
        ("poetry.lock", b"[metadata]\n" + b'"""' * 1_000_001),
        ("poetry.lock", b"[metadata]\n" + b"'''\\" * 700_000),
        ("uv.lock", b"version = 1\n[[package]]\nsource = " + b"editable " * 300_000),
        ("uv.lock", b"version = 1\n" + b" " * 3_000_000),
        ("Pipfile.lock", b'{"default": {' + b'"a": {"version": "==1"},' * 120_000 + b'"b": 1}}'),
        ("Pipfile.lock", b'{"default": ' * 100_000),
    ],
)
def test_hostile(path: str, data: bytes) -> None:
    started = time.process_time()
    read(path, data)
    assert time.process_time() - started < 5
