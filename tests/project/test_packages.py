"""The version in force: ranges to major versions, and the search from a file upward."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from corslint.model.reading import ManifestReading
from corslint.parsers import parse
from corslint.project.packages import Packages, VersionInForce, npm_majors, pip_majors
from corslint.source import SourceFile


def project(**files: object) -> tuple[Packages, dict[str, SourceFile]]:
    """Packages of files given by path; objects are written as JSON."""
    sources = {
        path: SourceFile(path, (text if isinstance(text, str) else json.dumps(text)).encode())
        for path, text in files.items()
    }
    readings = [parse(source) for source in sources.values()]
    return Packages(reading for reading in readings if isinstance(reading, ManifestReading)), sources


def shown(sources: dict[str, SourceFile], found: VersionInForce | None) -> tuple[object, ...] | None:
    """(exact, specifier, majors, file and text of the place, confidence)."""
    if found is None:
        return None
    place = f"{found.span.path}: {sources[found.span.path].text(found.span)}"
    return (found.exact, found.specifier, sorted(found.majors), place, found.confidence)


@pytest.mark.parametrize(
    ("specifier", "majors"),
    [
        ("^4.7.2", {4}),
        ("~4.7.2", {4}),
        ("~4.1", {4}),
        ("~>4.1", {4}),
        ("4.x", {4}),
        ("4", {4}),
        ("4.1", {4}),
        ("=4.1.2", {4}),
        ("v4.1.2", {4}),
        ("4.1.2-beta.1", {4}),
        ("^4.0.0-rc.1", {4}),
        (">=4.1.2 <5", {4}),
        (">= 4.1.2 < 5", {4}),
        (">= 4.1.2 < 5.0.0", {4}),
        (">=4.1.2 <=4.1.2", {4}),
        (">4.1.2 <4.1.4", {4}),
        ("<4.0.1", {0, 1, 2, 3, 4}),
        ("2 || 4", {2, 4}),
        ("^2||^4.1.0", {2, 4}),
        ("1.2.3 - 2.3.4", {1, 2}),
        ("^0.5.0", {0}),
        ("<2", {0, 1}),
        (">=2", set()),
        (">2 || 1", set()),
        ("*", set()),
        ("x", set()),
        ("", set()),
        ("latest", set()),
        ("next", set()),
        ("x.x", set()),
        ("workspace:*", set()),
        ("workspace:^", set()),
        ("workspace:^4.1.0", {4}),
        ("npm:socket.io@^2.4.0", {2}),
        ("npm:@scope/socket.io@~3.1", {3}),
        ("npm:socket.io", set()),
        ("catalog:", set()),
        ("file:../x", set()),
        ("link:../x", set()),
        ("user/repo", set()),
        ("github:user/repo#v4.1.2", set()),
        ("github:user/repo#semver:^4.1", {4}),
        ("git+ssh://git@host.test/x.git#1.2.3", set()),
        ("https://host.test/x-4.1.2.tgz", set()),
        ("^31.0.0", set()),
        ("^", set()),
        ("9" * 100_000, set()),
        ("1 || " * 30 + "1", {1}),
    ],
)
def test_npm_ranges(specifier: str, majors: set[int]) -> None:
    assert npm_majors(specifier) == majors


@pytest.mark.parametrize("sign", ["", "^", "~"])
@pytest.mark.parametrize(
    "version", ["0", "0.0.0", "0.4", "1.2.3", "2.0", "17", "30.1.2", "31", "01.2", "1.02", "9999.1.1", "1.2.3.4"]
)
def test_usual_npm_ranges_mean_what_the_library_says(sign: str, version: str) -> None:
    # An alternative is none of the spellings that are known without the library.
    assert npm_majors(f"{sign}{version}") == npm_majors(f"{sign}{version} || {sign}{version}")


@pytest.mark.parametrize(
    ("specifier", "majors"),
    [
        ("~=5.3", {5}),
        ("~=5.3.1", {5}),
        ("==5.*", {5}),
        ("==5.3.1", {5}),
        (">=5,<6", {5}),
        (">=5.1,<7,!=6.0", {5, 6}),
        ("<=4", {0, 1, 2, 3, 4}),
        ("<4", {0, 1, 2, 3}),
        (">4.5.1,<4.5.3", {4}),
        (">=5", set()),
        ("!=5", set()),
        ("", set()),
        ("*", set()),
        ("^5.3", {5}),
        ("^0.5", {0}),
        ("^0", {0}),
        ("~5", {5}),
        ("~5.3", {5}),
        ("5.*", {5}),
        ("5.3.1", {5}),
        ("^2 || ^4", {2, 4}),
        ("^2 || >=4", set()),
        (">=2,<3 || ^4", {2, 4}),
        ("@ https://host.test/x.whl", set()),
        ("not a range", set()),
        ("1" * 100_000, set()),
    ],
)
def test_python_ranges(specifier: str, majors: set[int]) -> None:
    assert pip_majors(specifier) == majors


SOCKET = {"dependencies": {"socket.io": "^4.7.2"}}


def lock(version: str) -> object:
    return {"packages": {"node_modules/socket.io": {"version": version}}}


def pyproject(requirement: str) -> str:
    return f'[project]\ndependencies = ["{requirement}"]\n'


@pytest.mark.parametrize(
    ("files", "path", "expected"),
    [
        (
            {"package.json": SOCKET},
            "src/a.js",
            (None, "^4.7.2", [4], 'package.json: "^4.7.2"', "medium"),
        ),
        (
            {"package.json": {"dependencies": {"socket.io": "4.7.2"}}},
            "a.js",
            ("4.7.2", "4.7.2", [4], 'package.json: "4.7.2"', "high"),
        ),
        # the nearest manifest that names it
        (
            {"package.json": SOCKET, "web/package.json": {"dependencies": {"socket.io": "^2.0.0"}}},
            "web/src/a.js",
            (None, "^2.0.0", [2], 'web/package.json: "^2.0.0"', "medium"),
        ),
        (
            {"package.json": SOCKET, "web/package.json": {"name": "web"}},
            "web/a.js",
            (None, "^4.7.2", [4], 'package.json: "^4.7.2"', "medium"),
        ),
        ({"web/package.json": SOCKET}, "api/a.js", None),
        ({"web/package.json": SOCKET}, "website/a.js", None),
        ({}, "a.js", None),
        # lock files
        (
            {"package.json": SOCKET, "package-lock.json": lock("4.8.1")},
            "src/a.js",
            ("4.8.1", "^4.7.2", [4], 'package-lock.json: "4.8.1"', "high"),
        ),
        (
            {"package.json": SOCKET, "package-lock.json": {"dependencies": {"socket.io": {"version": "4.8.1"}}}},
            "src/a.js",
            ("4.8.1", "^4.7.2", [4], 'package-lock.json: "4.8.1"', "high"),
        ),
        (
            {"package.json": {}, "package-lock.json": lock("4.8.1")},
            "a.js",
            ("4.8.1", None, [4], 'package-lock.json: "4.8.1"', "high"),
        ),
        # a stale lock file: either may be installed
        (
            {"package.json": SOCKET, "package-lock.json": lock("2.5.0")},
            "a.js",
            (None, "^4.7.2", [2, 4], 'package.json: "^4.7.2"', "medium"),
        ),
        (
            {
                "package.json": {"dependencies": {"socket.io": "latest"}},
                "package-lock.json": lock("2.5.0"),
            },
            "a.js",
            ("2.5.0", "latest", [2], 'package-lock.json: "2.5.0"', "high"),
        ),
        # a lock entry that names no version leaves the range
        (
            {"package.json": SOCKET, "package-lock.json": lock("git+x")},
            "a.js",
            (None, "^4.7.2", [4], 'package.json: "^4.7.2"', "medium"),
        ),
        # shrinkwrap before lock
        (
            {
                "package.json": SOCKET,
                "package-lock.json": lock("4.1.0"),
                "npm-shrinkwrap.json": lock("4.2.0"),
            },
            "a.js",
            ("4.2.0", "^4.7.2", [4], 'npm-shrinkwrap.json: "4.2.0"', "high"),
        ),
        # sections, unreadable ranges
        (
            {"package.json": {"devDependencies": {"socket.io": "^2"}, "dependencies": {"socket.io": "^3"}}},
            "a.js",
            (None, "^3", [3], 'package.json: "^3"', "medium"),
        ),
        (
            {"package.json": {"dependencies": {"socket.io": "workspace:*"}}},
            "a.js",
            (None, "workspace:*", [], 'package.json: "workspace:*"', "medium"),
        ),
        (
            {"package.json": {"dependencies": {"socket.io": "npm:socket.io@2.5.0"}}},
            "a.js",
            ("2.5.0", "npm:socket.io@2.5.0", [2], 'package.json: "npm:socket.io@2.5.0"', "high"),
        ),
        # paths above the working directory
        (
            {"../x/package.json": SOCKET},
            "../x/src/a.js",
            (None, "^4.7.2", [4], '../x/package.json: "^4.7.2"', "medium"),
        ),
        ({"/x/package.json": SOCKET}, "/x/a.js", (None, "^4.7.2", [4], '/x/package.json: "^4.7.2"', "medium")),
    ],
)
def test_npm_version(files: dict[str, object], path: str, expected: tuple[object, ...] | None) -> None:
    packages, sources = project(**files)
    assert shown(sources, packages.version("npm", "socket.io", path)) == expected


def pnpm(*entries: tuple[str, str, str]) -> str:
    """A lock file of pnpm 9 with these folders, packages and versions."""
    text = "lockfileVersion: '9.0'\n\nimporters:\n"
    for folder, name, version in entries:
        text += f"  {folder}:\n    dependencies:\n      {name}:\n        specifier: '*'\n        version: {version}\n"
    return text


def yarn(*entries: tuple[str, str]) -> str:
    """A lock file of Yarn 1 with these keys and versions."""
    return "# yarn lockfile v1\n" + "".join(f'\n{key}:\n  version "{version}"\n' for key, version in entries)


def uv(*entries: tuple[str, str], folders: tuple[str, ...] = ()) -> str:
    """A lock file of uv with these packages and versions, and these members."""
    text = "version = 1\n"
    for folder in folders:
        text += f'\n[[package]]\nname = "m"\nversion = "0"\nsource = {{ editable = "{folder}" }}\n'
    return text + "".join(f'\n[[package]]\nname = "{name}"\nversion = "{version}"\n' for name, version in entries)


def poetry(*entries: tuple[str, str, str]) -> str:
    """A lock file of Poetry with these packages, versions and groups."""
    text = "".join(
        f'[[package]]\nname = "{name}"\nversion = "{version}"\ngroups = ["{group}"]\n\n'
        for name, version, group in entries
    )
    return text + "[metadata]\n"


@pytest.mark.parametrize(
    ("files", "path", "expected"),
    [
        # pnpm: what the folder has
        (
            {"package.json": SOCKET, "pnpm-lock.yaml": pnpm((".", "socket.io", "4.8.1"))},
            "src/a.js",
            ("4.8.1", "^4.7.2", [4], "pnpm-lock.yaml: 4.8.1", "high"),
        ),
        (
            {
                "package.json": {"dependencies": {"socket.io": "catalog:"}},
                "pnpm-lock.yaml": pnpm((".", "socket.io", "2.5.0")),
            },
            "a.js",
            ("2.5.0", "catalog:", [2], "pnpm-lock.yaml: 2.5.0", "high"),
        ),
        (
            {
                "package.json": SOCKET,
                "packages/web/package.json": {"dependencies": {"socket.io": "^2"}},
                "pnpm-lock.yaml": pnpm((".", "socket.io", "4.8.1"), ("packages/web", "socket.io", "2.5.0")),
            },
            "packages/web/a.js",
            ("2.5.0", "^2", [2], "pnpm-lock.yaml: 2.5.0", "high"),
        ),
        (
            {
                "package.json": SOCKET,
                "packages/web/package.json": {"name": "web"},
                "pnpm-lock.yaml": pnpm((".", "socket.io", "4.8.1"), ("packages/web", "cors", "2.8.5")),
            },
            "packages/web/a.js",
            ("4.8.1", None, [4], "pnpm-lock.yaml: 4.8.1", "high"),
        ),
        # a folder that is none of its workspace
        (
            {
                "package.json": SOCKET,
                "examples/web/package.json": {"dependencies": {"socket.io": "^2"}},
                "pnpm-lock.yaml": pnpm((".", "socket.io", "4.8.1"), ("packages/web", "socket.io", "2.5.0")),
            },
            "examples/web/a.js",
            (None, "^2", [2], 'examples/web/package.json: "^2"', "medium"),
        ),
        # older than the range
        (
            {"package.json": SOCKET, "pnpm-lock.yaml": pnpm((".", "socket.io", "2.5.0"))},
            "a.js",
            (None, "^4.7.2", [2, 4], 'package.json: "^4.7.2"', "medium"),
        ),
        # Yarn: what the range of the nearest manifest means
        (
            {
                "package.json": {"workspaces": ["packages/*"], **SOCKET},
                "packages/web/package.json": {"dependencies": {"socket.io": "^2"}},
                "yarn.lock": yarn(("socket.io@^2", "2.5.0"), ('"socket.io@^4.7.2", socket.io@^4', "4.8.1")),
            },
            "packages/web/a.js",
            ("2.5.0", "^2", [2], 'yarn.lock: "2.5.0"', "high"),
        ),
        (
            {"package.json": SOCKET, "yarn.lock": yarn(("socket.io@^2", "2.5.0"), ("socket.io@^4.7.2", "4.8.1"))},
            "a.js",
            ("4.8.1", "^4.7.2", [4], 'yarn.lock: "4.8.1"', "high"),
        ),
        # a range that stands there in another way: only one version can be told
        (
            {
                "package.json": {"dependencies": {"socket.io": "catalog:"}},
                "yarn.lock": yarn(("socket.io@^4", "4.8.1"), ("socket.io@^4.7.2", "4.8.1")),
            },
            "a.js",
            ("4.8.1", "catalog:", [4], 'yarn.lock: "4.8.1"', "high"),
        ),
        (
            {"package.json": SOCKET, "yarn.lock": yarn(("socket.io@^2", "2.5.0"), ("socket.io@^4", "4.8.1"))},
            "a.js",
            (None, "^4.7.2", [4], 'package.json: "^4.7.2"', "medium"),
        ),
        # no manifest asks for it: it came with something else
        (
            {"package.json": {}, "yarn.lock": yarn(("socket.io@^4", "4.8.1"))},
            "a.js",
            ("4.8.1", None, [4], 'yarn.lock: "4.8.1"', "high"),
        ),
        ({"package.json": {}, "yarn.lock": yarn(("socket.io@^2", "2.5.0"), ("socket.io@^4", "4.8.1"))}, "a.js", None),
        # two package managers: the one that package.json names, else either
        (
            {
                "package.json": {"packageManager": "pnpm@9.1.0", **SOCKET},
                "package-lock.json": lock("4.1.0"),
                "pnpm-lock.yaml": pnpm((".", "socket.io", "4.8.1")),
            },
            "a.js",
            ("4.8.1", "^4.7.2", [4], "pnpm-lock.yaml: 4.8.1", "high"),
        ),
        (
            {
                "package.json": {"packageManager": "bun@1.1.0", **SOCKET},
                "package-lock.json": lock("4.8.1"),
                "yarn.lock": yarn(("socket.io@^4.7.2", "4.8.1")),
            },
            "a.js",
            ("4.8.1", "^4.7.2", [4], 'yarn.lock: "4.8.1"', "high"),
        ),
        (
            {
                "package.json": {"dependencies": {"socket.io": ">=2"}},
                "package-lock.json": lock("2.5.0"),
                "yarn.lock": yarn(("socket.io@>=2", "4.8.1")),
            },
            "a.js",
            (None, ">=2", [2, 4], 'package-lock.json: "2.5.0"', "medium"),
        ),
        # a broken lock file leaves the range
        (
            {"package.json": SOCKET, "pnpm-lock.yaml": "<<<<<<< HEAD\n"},
            "a.js",
            (None, "^4.7.2", [4], 'package.json: "^4.7.2"', "medium"),
        ),
    ],
)
def test_npm_version_by_other_lock_files(
    files: dict[str, object], path: str, expected: tuple[object, ...] | None
) -> None:
    packages, sources = project(**files)
    assert shown(sources, packages.version("npm", "socket.io", path)) == expected


WORKSPACE_LOCK = {
    "packages": {
        "": {},
        "packages/web": {},
        "node_modules/socket.io": {"version": "4.8.1"},
        "packages/web/node_modules/socket.io": {"version": "2.5.0"},
    }
}


@pytest.mark.parametrize(
    ("path", "exact"),
    [
        ("server.js", "4.8.1"),
        ("packages/web/src/a.js", "2.5.0"),
        ("packages/api/src/a.js", "4.8.1"),
        ("packages/other/a.js", None),
        ("elsewhere/app/a.js", None),
    ],
)
def test_workspaces(path: str, exact: str | None) -> None:
    """A lock file covers its own folder and the workspaces; a project of its own below it is not covered."""
    packages, _ = project(
        **{
            "package.json": {"workspaces": ["./packages/a*/"], "dependencies": {"socket.io": "^4"}},
            "package-lock.json": WORKSPACE_LOCK,
            "packages/web/package.json": {"dependencies": {"socket.io": "^2"}},
            "packages/api/package.json": {"dependencies": {"socket.io": "^4"}},
            "packages/other/package.json": {"dependencies": {"socket.io": "^4"}},
            "elsewhere/app/package.json": {"dependencies": {"socket.io": "^4"}},
        }
    )
    found = packages.version("npm", "socket.io", path)
    assert found is not None
    assert found.exact == exact


@pytest.mark.parametrize(
    ("pattern", "covered"),
    [
        ("packages/*", True),
        ("packages/**", True),
        ("**", True),
        ("**/web", True),
        ("packages/web", True),
        ("packages", False),
        ("*", False),
        ("!packages/web", False),
        ("packages/*/x", False),
    ],
)
def test_workspace_patterns(pattern: str, covered: bool) -> None:
    packages, _ = project(
        **{
            "package.json": {"workspaces": [pattern]},
            "package-lock.json": {"dependencies": {"socket.io": {"version": "4.8.1"}}},
            "packages/web/package.json": {"dependencies": {"socket.io": "^4"}},
        }
    )
    found = packages.version("npm", "socket.io", "packages/web/a.js")
    assert found is not None
    assert (found.exact == "4.8.1") is covered


@pytest.mark.parametrize(
    ("files", "path", "expected"),
    [
        (
            {"requirements.txt": "Flask_Cors==3.0.10\n"},
            "app/a.py",
            ("3.0.10", "==3.0.10", [3], "requirements.txt: Flask_Cors==3.0.10", "high"),
        ),
        (
            {"requirements.txt": "flask.cors~=4.0\n"},
            "a.py",
            (None, "~=4.0", [4], "requirements.txt: flask.cors~=4.0", "medium"),
        ),
        (
            {"requirements.txt": "flask-cors\n"},
            "a.py",
            (None, None, [], "requirements.txt: flask-cors", "medium"),
        ),
        # several files of one folder: a pin before ranges, production before development
        (
            {"pyproject.toml": pyproject("flask-cors>=3"), "requirements.txt": "flask-cors==4.0.1\n"},
            "a.py",
            ("4.0.1", "==4.0.1", [4], "requirements.txt: flask-cors==4.0.1", "high"),
        ),
        (
            {"requirements-dev.txt": "flask-cors==3.0\n", "requirements.txt": "flask-cors>=4,<5\n"},
            "a.py",
            (None, "<5,>=4", [4], "requirements.txt: flask-cors>=4,<5", "medium"),
        ),
        (
            {"requirements-dev.txt": "flask-cors==3.0\n"},
            "a.py",
            ("3.0", "==3.0", [3], "requirements-dev.txt: flask-cors==3.0", "high"),
        ),
        (
            {"requirements/base.txt": "flask-cors==4.0.1\n", "requirements/prod.txt": "flask-cors==3.0.1\n"},
            "src/a.py",
            (None, "==4.0.1", [3, 4], "requirements/base.txt: flask-cors==4.0.1", "medium"),
        ),
        (
            {"pyproject.toml": pyproject("flask-cors>=3,<5"), "requirements.txt": "flask-cors~=4.0\n"},
            "a.py",
            (None, "~=4.0", [4], "requirements.txt: flask-cors~=4.0", "medium"),
        ),
        (
            {"pyproject.toml": pyproject("flask-cors~=3.0"), "requirements.txt": "flask-cors~=4.0\n"},
            "a.py",
            (None, "~=3.0", [], 'pyproject.toml: "flask-cors~=3.0"', "medium"),
        ),
        (
            {"pyproject.toml": '[tool.poetry.dependencies]\nflask-cors = "^4.0"\n'},
            "a.py",
            (None, "^4.0", [4], 'pyproject.toml: "^4.0"', "medium"),
        ),
        # upward
        (
            {"requirements.txt": "flask-cors==3.0\n", "api/requirements.txt": "flask\n"},
            "api/a.py",
            ("3.0", "==3.0", [3], "requirements.txt: flask-cors==3.0", "high"),
        ),
        ({"requirements.txt": "flask-cors-extra==3.0\n"}, "a.py", None),
        ({"package.json": {"dependencies": {"flask-cors": "1.0.0"}}}, "a.py", None),
    ],
)
def test_python_version(files: dict[str, object], path: str, expected: tuple[object, ...] | None) -> None:
    packages, sources = project(**files)
    assert shown(sources, packages.version("pypi", "Flask-Cors", path)) == expected


@pytest.mark.parametrize(
    ("files", "path", "expected"),
    [
        (
            {"pyproject.toml": pyproject("flask-cors>=3,<6"), "poetry.lock": poetry(("Flask-Cors", "5.0.1", "main"))},
            "src/a.py",
            ("5.0.1", "<6,>=3", [5], 'poetry.lock: "5.0.1"', "high"),
        ),
        (
            {"pyproject.toml": pyproject("flask-cors"), "uv.lock": uv(("flask-cors", "5.0.1"))},
            "a.py",
            ("5.0.1", None, [5], 'uv.lock: "5.0.1"', "high"),
        ),
        (
            {"Pipfile.lock": {"default": {"flask-cors": {"version": "==5.0.1"}}}},
            "app/a.py",
            ("5.0.1", None, [5], 'Pipfile.lock: "==5.0.1"', "high"),
        ),
        # what came with something else
        (
            {"pyproject.toml": pyproject("flask"), "uv.lock": uv(("flask-cors", "5.0.1"))},
            "a.py",
            ("5.0.1", None, [5], 'uv.lock: "5.0.1"', "high"),
        ),
        ({"pyproject.toml": pyproject("flask"), "uv.lock": uv(("flask", "3.0.0"))}, "a.py", None),
        # members of a workspace, and other folders
        (
            {
                "pyproject.toml": pyproject("flask"),
                "packages/api/pyproject.toml": pyproject("flask-cors>=3"),
                "uv.lock": uv(("flask-cors", "5.0.1"), folders=("packages/api",)),
            },
            "packages/api/a.py",
            ("5.0.1", ">=3", [5], 'uv.lock: "5.0.1"', "high"),
        ),
        (
            {
                "pyproject.toml": pyproject("flask"),
                "packages/api/pyproject.toml": pyproject("flask-cors~=3.0"),
                "uv.lock": uv(("flask-cors", "5.0.1"), folders=("packages/web",)),
            },
            "packages/api/a.py",
            (None, "~=3.0", [3], 'packages/api/pyproject.toml: "flask-cors~=3.0"', "medium"),
        ),
        # the workspace of another package manager is none of uv's
        (
            {
                "package.json": {"workspaces": ["packages/*"]},
                "packages/api/pyproject.toml": pyproject("flask-cors~=3.0"),
                "uv.lock": uv(("flask-cors", "3.0.1")),
            },
            "packages/api/a.py",
            (None, "~=3.0", [3], 'packages/api/pyproject.toml: "flask-cors~=3.0"', "medium"),
        ),
        # several versions: which is installed depends on the machine
        (
            {
                "pyproject.toml": pyproject("flask-cors>=3"),
                "uv.lock": uv(("flask-cors", "4.0.1"), ("flask-cors", "5.0.1")),
            },
            "a.py",
            (None, ">=3", [4, 5], 'uv.lock: "4.0.1"', "medium"),
        ),
        (
            {
                "pyproject.toml": pyproject("flask-cors>=3"),
                "poetry.lock": poetry(("flask-cors", "4.0.1", "dev"), ("flask-cors", "5.0.1", "main")),
            },
            "a.py",
            ("5.0.1", ">=3", [5], 'poetry.lock: "5.0.1"', "high"),
        ),
        # older than the range, or beside another pin
        (
            {"pyproject.toml": pyproject("flask-cors~=5.0"), "poetry.lock": poetry(("flask-cors", "3.0.1", "main"))},
            "a.py",
            (None, "~=5.0", [3, 5], 'pyproject.toml: "flask-cors~=5.0"', "medium"),
        ),
        (
            {"requirements.txt": "flask-cors==3.0.1\n", "poetry.lock": poetry(("flask-cors", "5.0.1", "main"))},
            "a.py",
            (None, "==3.0.1", [3, 5], 'poetry.lock: "5.0.1"', "medium"),
        ),
        (
            {"requirements.txt": "flask-cors==5.0.1\n", "poetry.lock": poetry(("flask-cors", "5.0.1", "main"))},
            "a.py",
            ("5.0.1", "==5.0.1", [5], "requirements.txt: flask-cors==5.0.1", "high"),
        ),
    ],
)
def test_python_version_by_lock_files(files: dict[str, object], path: str, expected: tuple[object, ...] | None) -> None:
    packages, sources = project(**files)
    assert shown(sources, packages.version("pypi", "flask_cors", path)) == expected


@pytest.mark.parametrize(
    ("path", "root"),
    [
        ("a.js", ""),
        ("web/src/deep/a.js", "web"),
        ("api/a.py", "api"),
        ("api/requirements/base.txt", "api"),
        ("webapp/a.js", ""),
    ],
)
def test_root_of(path: str, root: str) -> None:
    packages, _ = project(**{"web/package.json": {}, "api/requirements/base.txt": "flask\n"})
    assert packages.root_of(path) == root


def test_broken_manifests_name_nothing() -> None:
    packages, _ = project(**{"package.json": "{", "web/package.json": "{"})
    assert packages.version("npm", "socket.io", "web/a.js") is None
    assert packages.root_of("web/a.js") == "web"


def test_libraries_load_only_for_a_range() -> None:
    code = (
        "import sys\n"
        "from corslint.parsers import manifest\n"
        "from corslint.project.packages import Packages\n"
        "from corslint.source import SourceFile\n"
        'read = manifest.read(SourceFile(\'package.json\', b\'{"dependencies": {"a": "1.0.0", "b": "^1"}}\'))\n'
        "packages = Packages([read])\n"
        "assert packages.version('npm', 'a', 'x.js').exact == '1.0.0'\n"
        "print(sorted({'semantic_version', 'packaging', 'tomllib'} & set(sys.modules)))\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
