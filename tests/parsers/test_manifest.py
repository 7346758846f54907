"""Manifests: what they name, where, and what happens to broken ones."""

from __future__ import annotations

import time

import pytest

from corslint.model.reading import ManifestReading
from corslint.parsers import manifest
from corslint.source import SourceFile


def read(path: str, text: str | bytes) -> ManifestReading:
    return manifest.read(SourceFile(path, text.encode() if isinstance(text, str) else text))


def rows(path: str, text: str) -> list[tuple[str, str, str | None, bool, str]]:
    """Each requirement as (name, specifier, version, development, the text at its span)."""
    source = SourceFile(path, text.encode())
    reading = manifest.read(source)
    assert reading.damage == ()
    return [
        (each.name, each.specifier, each.version, each.development, source.text(each.span))
        for each in reading.requirements
    ]


PACKAGE_JSON = """\
{
  "name": "é-app",
  "version": "1.0.0",
  "dependencies": { "socket.io": "^4.7.2", "cors" : "2.8.5", "\\u0061b": "v1.2.3" },
  "devDependencies": {"socket.io-client": "~4.7", "dup": "1.0.0", "dup": "2.0.0"},
  "peerDependencies": {"express": ">=4 <6"},
  "optionalDependencies": {"ws": "npm:@other/ws@8.1.0", "odd": 3, "git": "github:a/b#semver:^4"},
  "overrides": {"dependencies": {"socket.io": "2.0.0"}},
  "list": [{"dependencies": "x"}, "dependencies"],
  "workspaces": ["packages/*", "apps/web", 3]
}
"""


def test_package_json() -> None:
    assert rows("web/package.json", PACKAGE_JSON) == [
        ("socket.io", "^4.7.2", None, False, '"^4.7.2"'),
        ("cors", "2.8.5", "2.8.5", False, '"2.8.5"'),
        ("ab", "v1.2.3", "1.2.3", False, '"v1.2.3"'),
        ("ws", "npm:@other/ws@8.1.0", "8.1.0", False, '"npm:@other/ws@8.1.0"'),
        ("git", "github:a/b#semver:^4", None, False, '"github:a/b#semver:^4"'),
        ("socket.io-client", "~4.7", None, True, '"~4.7"'),
        ("dup", "2.0.0", "2.0.0", True, '"2.0.0"'),
        ("express", ">=4 <6", None, False, '">=4 <6"'),
    ]
    reading = read("web/package.json", PACKAGE_JSON)
    assert (reading.kind, reading.workspaces) == ("package.json", ("packages/*", "apps/web"))
    assert {each.ecosystem for each in reading.requirements} == {"npm"}


def test_yarn_workspaces() -> None:
    assert read("package.json", '{"workspaces": {"packages": ["a/*"], "nohoist": ["**"]}}').workspaces == ("a/*",)


@pytest.mark.parametrize("text", ["{}", '{"dependencies": []}', '{"dependencies": null, "workspaces": "x"}'])
def test_package_json_without_packages(text: str) -> None:
    assert read("package.json", text)._replace(texts=()) == ManifestReading("package.json", "package.json", (), (), ())


def test_texts_of_package_json() -> None:
    text = (
        '{"name": "é", "proxy": "http://localhost:4000", "private": true, "scripts": {"start": "x"}, "workspaces": "y"}'
    )
    source = SourceFile("package.json", text.encode())
    texts = {key: (literal.value, source.text(literal.span)) for key, literal in manifest.read(source).texts}
    assert texts == {
        "name": ("é", '"é"'),
        "proxy": ("http://localhost:4000", '"http://localhost:4000"'),
        "workspaces": ("y", '"y"'),
    }


def test_byte_order_mark() -> None:
    text = '\ufeff{"dependencies": {"cors": "^2.8.5"}}'
    assert rows("package.json", text) == [("cors", "^2.8.5", None, False, '"^2.8.5"')]


def test_requirements() -> None:
    text = (
        "# flask-cors==1.0\n"
        "-r base.txt\n"
        "--index-url https://pypi.test/simple\n"
        "Flask_Cors==3.0.10  # pinned\n"
        "  python-socketio[client,asyncio]>=5,<6 ; python_version < '3.12'\r\n"
        "starlette ~= 0.27\n"
        "fastapi==0.110.0 --hash=sha256:aa --hash=sha256:bb\n"
        "uvicorn==0.29.0 \\\n"
        "    --hash=sha256:cc \\\n"
        "    --hash=sha256:dd\n"
        "django==5.*\n"
        "quart===0.19\n"
        "-e git+https://host.test/x.git@main#egg=Falcon\n"
        "--editable=./local\n"
        "litestar @ https://host.test/litestar-2.0.whl\n"
        "./wheels/some.whl\n"
        "{{ template }}\n"
        "sanic"
    )
    assert rows("requirements.txt", text) == [
        ("Flask_Cors", "==3.0.10", "3.0.10", False, "Flask_Cors==3.0.10"),
        (
            "python-socketio",
            "<6,>=5",
            None,
            False,
            "python-socketio[client,asyncio]>=5,<6 ; python_version < '3.12'",
        ),
        ("starlette", "~=0.27", None, False, "starlette ~= 0.27"),
        ("fastapi", "==0.110.0", "0.110.0", False, "fastapi==0.110.0"),
        ("uvicorn", "==0.29.0", "0.29.0", False, "uvicorn==0.29.0"),
        ("django", "==5.*", None, False, "django==5.*"),
        ("quart", "===0.19", "0.19", False, "quart===0.19"),
        (
            "Falcon",
            "@ git+https://host.test/x.git@main#egg=Falcon",
            None,
            False,
            "git+https://host.test/x.git@main#egg=Falcon",
        ),
        (
            "litestar",
            "@ https://host.test/litestar-2.0.whl",
            None,
            False,
            "litestar @ https://host.test/litestar-2.0.whl",
        ),
        ("sanic", "", None, False, "sanic"),
    ]


@pytest.mark.parametrize(
    ("path", "development"),
    [
        ("requirements.txt", False),
        ("requirements-dev.txt", True),
        ("requirements_test.txt", True),
        ("requirements/docs.txt", True),
        ("requirements/base.txt", False),
        ("dev/requirements.txt", False),
        ("requirements-devices.txt", False),
    ],
)
def test_requirements_for_development(path: str, development: bool) -> None:
    [requirement] = read(path, "flask-cors\n").requirements
    assert requirement.development is development


def test_requirements_that_are_not_utf8() -> None:
    source = SourceFile("requirements.txt", b"# caf\xe9 \xe9\nflask-cors==3.0.10 # \xe9\n")
    [requirement] = manifest.read(source).requirements
    assert source.text(requirement.span) == "flask-cors==3.0.10"


PYPROJECT = """\
[build-system]
requires = ["hatchling"]

[project]
name = "é"
dependencies = [
  "flask-cors>=3.0,<4",  # why "not"
  'python-socketio==5.11.0',
  "not a requirement !",
  \"\"\"starlette~=0.27\"\"\",
]
[project.optional-dependencies]
web = ["fastapi==0.110.0"]
dev = ["httpx"]

[dependency-groups]
lint = [{include-group = "web"}, "ruff==0.5.0"]

[tool.uv]
dev-dependencies = ["anyio>=4"]

[tool.poetry.dependencies]
python = "^3.11"
django-cors-headers = "^4.3"
Flask-SocketIO = {version = "5.3.6", extras = ["x", "y"], optional = true}
local = {path = "../x"}
empty = {}
"quart.x" = "*"
many = [{version = "1.2.3", python = "<3.9"}, {version = "^2", python = ">=3.9"}]

[tool.poetry.group.test.dependencies]
pytest = "8.0.0"

[[tool.other]]
dependencies = ["x"]
[tool.poetry]
dev-dependencies.httpx = "==0.27.0"
"""


def test_pyproject() -> None:
    assert rows("pyproject.toml", PYPROJECT) == [
        ("flask-cors", "<4,>=3.0", None, False, '"flask-cors>=3.0,<4"'),
        ("python-socketio", "==5.11.0", "5.11.0", False, "'python-socketio==5.11.0'"),
        ("starlette", "~=0.27", None, False, '"""starlette~=0.27"""'),
        ("fastapi", "==0.110.0", "0.110.0", False, '"fastapi==0.110.0"'),
        ("httpx", "", None, True, '"httpx"'),
        ("ruff", "==0.5.0", "0.5.0", True, '"ruff==0.5.0"'),
        ("anyio", ">=4", None, True, '"anyio>=4"'),
        ("django-cors-headers", "^4.3", None, False, '"^4.3"'),
        ("Flask-SocketIO", "5.3.6", "5.3.6", False, '"5.3.6"'),
        ("local", "", None, False, '"../x"'),
        ("quart.x", "*", None, False, '"*"'),
        ("many", "1.2.3", "1.2.3", False, '"1.2.3"'),
        ("many", "^2", None, False, '"^2"'),
        ("httpx", "==0.27.0", "0.27.0", True, '"==0.27.0"'),
        ("pytest", "8.0.0", "8.0.0", True, '"8.0.0"'),
    ]


@pytest.mark.parametrize(
    ("path", "text", "offset", "message"),
    [
        ("package.json", '{"é": 1,}', 9, "not valid JSON"),
        ("package.json", "", 0, "not valid JSON: Expecting value"),
        ("package.json", "[1]", 0, "the file does not hold a JSON object"),
        ("package.json", '{"a": "b"', 9, "not valid JSON"),
        ("package.json", "[" * 100_000, 0, "nested too deeply"),
        ("pyproject.toml", 'é = 1\nx = "a\n', None, "not valid TOML"),
        ("pyproject.toml", '"é" = 1 2\n', 9, "not valid TOML"),
        ("pyproject.toml", "x = " + "[" * 100_000, 0, "nested too deeply"),
    ],
)
def test_broken(path: str, text: str, offset: int | None, message: str) -> None:
    reading = read(path, text)
    [damage] = reading.damage
    assert damage.whole
    assert message in damage.message
    assert "(at line" not in damage.message
    if offset is not None:
        assert damage.span.start == offset
    assert (reading.requirements, reading.path, reading.kind) == ((), path, path)


@pytest.mark.parametrize(
    ("path", "data", "offset"),
    [("package.json", b'{"a": "\xe9"}', 7), ("pyproject.toml", b'a = "\xe9"', 5)],
)
def test_not_utf8(path: str, data: bytes, offset: int) -> None:
    [damage] = read(path, data).damage
    assert (damage.message, damage.span.start, damage.whole) == ("the file is not UTF-8", offset, True)


@pytest.mark.parametrize(
    ("path", "data"),
    [
        ("package.json", b'{"dependencies": {"a": "' + b"1" * 5_000_000 + b'"}}'),
        ("package.json", b'{"a": ' * 100_000),
        ("package.json", b'{"dependencies": {"a": ' + b"9" * 1_000_000 + b"}}"),
        ("requirements.txt", b" " * 2_000_000),
        ("requirements.txt", b"a" * 2_000_000),
        ("requirements.txt", b"a[" + b"," * 3000 + b"\n" + b"((((" * 900),
        ("requirements.txt", b"\x00" * 100_000),
        ("requirements.txt", b"a\\\n" * 100_000),
        ("pyproject.toml", b'a = "' + b"x" * 2_000_000 + b'"'),
        ("pyproject.toml", b"a = [" + b"'x'," * 100_000 + b"]"),
        ("pyproject.toml", b"a = {}\nb = [[], [{}]]\n" + b"#" * 1_000_000),
    ],
)
def test_hostile(path: str, data: bytes) -> None:
    started = time.process_time()
    read(path, data)
    assert time.process_time() - started < 5
