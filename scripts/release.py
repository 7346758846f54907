"""What a release consists of: packages that anyone can build again, their checksums, and what is in them.

    python scripts/release.py agrees TAG      # status 1 unless tag, version and changelog say the same
    python scripts/release.py dist            # builds what is committed, twice, into dist/; status 1 if the two differ
    python scripts/release.py sbom            # writes build/corslint-VERSION.cdx.json of the wheel in dist/

`dist` writes build/SHA256SUMS, too. What the three need is in requirements/development.txt; `sbom` asks PyPI for what
requirements/runtime.txt locks.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
DIST, BUILD = ROOT / "dist", ROOT / "build"


class ReleaseError(Exception):
    """Something cannot be released as it is; the text says why."""


# --- what has to say the same ----------------------------------------------------------------------------------------


def disagreements(tag: str, version: str, changelog: str) -> Iterator[str]:
    """What keeps a tag from being the release of this version with this changelog."""
    if tag != f"v{version}":
        yield f"the tag is {tag}, but corslint/__init__.py says {version}: v{version} is expected"
    sections = re.split(r"^## ", changelog, flags=re.MULTILINE)[1:]
    if sections and sections[0].splitlines()[0] == "Unreleased":
        if sections[0].partition("\n")[2].strip():
            yield f"CHANGELOG.md: what stands under `## Unreleased` belongs under `## {version} - YYYY-MM-DD`"
        sections = sections[1:]
    newest = sections[0].splitlines()[0] if sections else ""
    if not re.fullmatch(rf"{re.escape(version)} - \d{{4}}-\d\d-\d\d", newest):
        yield f"CHANGELOG.md: the newest section is `{newest}`: `{version} - YYYY-MM-DD` is expected"


def version_of(folder: Path) -> str:
    """The version of the source in a folder."""
    found = re.search(
        r'^__version__ = "(.+)"$', (folder / "corslint" / "__init__.py").read_text(encoding="utf-8"), re.MULTILINE
    )
    if found is None:
        raise ReleaseError("corslint/__init__.py names no version")
    return found[1]


# --- packages --------------------------------------------------------------------------------------------------------


class Surroundings(NamedTuple):
    """In what a build is done, none of which may be seen in what it makes."""

    folder: str
    umask: int
    environment: Mapping[str, str]
    reverse: bool
    changed: int
    """When the files were last changed, in seconds since 1970."""


_ONE = Surroundings("one", 0o022, {"PYTHONHASHSEED": "1", "TZ": "UTC", "LC_ALL": "C.UTF-8"}, False, 1_700_000_000)
_OTHER = Surroundings(
    "another/folder further down",
    0o077,
    {"PYTHONHASHSEED": "2", "TZ": "Asia/Tokyo", "LC_ALL": "C"},
    True,
    1_000_000_000,
)


def build_twice(source: Path, target: Path) -> list[Path]:
    """Build sdist and wheel of a source tree in two surroundings that have nothing in common, into `target`.

    Raises:
        ReleaseError: a build failed, or the two differ.

    """
    with tempfile.TemporaryDirectory() as folder:
        first, second = (_built(source, Path(folder, each.folder), each) for each in (_ONE, _OTHER))
        if first.keys() != second.keys():
            raise ReleaseError(f"two builds made other files: {sorted(first)} and {sorted(second)}")
        differing = {name: _difference(first[name], second[name]) for name in first if first[name] != second[name]}
        if differing:
            raise ReleaseError("\n".join(f"two builds of {name} differ: {how}" for name, how in differing.items()))
    target.mkdir(parents=True, exist_ok=True)
    for name, data in first.items():
        (target / name).write_bytes(data)
    return [target / name for name in sorted(first)]


def _built(source: Path, folder: Path, surroundings: Surroundings) -> dict[str, bytes]:
    """The packages by name."""
    copy, out = folder / "source", folder / "out"
    files = sorted((path for path in source.rglob("*") if path.is_file()), reverse=surroundings.reverse)
    for path in files:  # in this order they come to lie on the disk
        there = copy / path.relative_to(source)
        there.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, there)
        there.chmod(0o666 & ~surroundings.umask | path.stat().st_mode & 0o100)
        os.utime(there, (surroundings.changed, surroundings.changed))
    kept = {name: value for name, value in os.environ.items() if name not in ("SOURCE_DATE_EPOCH", "PYTHONPATH")}
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(copy)]
    done = subprocess.run(
        command,
        env={**kept, **surroundings.environment},
        umask=surroundings.umask,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ReleaseError(f"the build failed:\n{done.stdout}{done.stderr}")
    return {path.name: path.read_bytes() for path in sorted(out.iterdir())}


def _difference(one: bytes, other: bytes) -> str:
    """In which files two archives differ, or that only what they say about them does."""
    first, second = _content(one), _content(other)
    names = [name for name in sorted({*first, *second}) if first.get(name) != second.get(name)]
    return ", ".join(names) if names else "order, times or modes of the files"


def _content(data: bytes) -> dict[str, bytes]:
    if zipfile.is_zipfile(BytesIO(data)):
        with zipfile.ZipFile(BytesIO(data)) as archive:
            return {name: archive.read(name) for name in archive.namelist()}
    with tarfile.open(fileobj=BytesIO(data)) as tar:
        return {one.name: stream.read() for one in tar.getmembers() if (stream := tar.extractfile(one)) is not None}


def checksums(packages: Sequence[Path]) -> str:
    """As `sha256sum --check` reads them."""
    return "".join(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in packages)


def dist() -> None:
    """Build what is committed, so that nothing else of the folder comes along."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["git", "archive", "--format=tar", "HEAD"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
        if done.returncode:
            raise ReleaseError(f"{' '.join(command)}: {done.stderr.decode(errors='replace').strip()}")
        with tarfile.open(fileobj=BytesIO(done.stdout)) as archive:
            archive.extractall(folder, filter="data")
        shutil.rmtree(DIST, ignore_errors=True)
        packages = build_twice(Path(folder), DIST)
    BUILD.mkdir(exist_ok=True)
    sums = checksums(packages)
    (BUILD / "SHA256SUMS").write_text(sums, encoding="utf-8")
    print(sums, end="")


# --- the bill of materials -------------------------------------------------------------------------------------------


def sbom(python: Path, version: str) -> dict[str, Any]:
    """The CycloneDX document of an environment in which the wheel of that version is installed, and nothing besides.

    Raises:
        ReleaseError: the environment cannot be read, or the document is not valid.

    """
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    program = str(Path(sys.executable).with_name("cyclonedx-py"))
    command = [
        program,
        "environment",
        "--pyproject",
        str(ROOT / "pyproject.toml"),
        "--output-reproducible",
        str(python),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ReleaseError(done.stderr.strip())
    document: dict[str, Any] = json.loads(done.stdout)
    # The version stands in the package alone, where the tool does not look.
    document["metadata"]["component"] |= {"version": version, "purl": f"pkg:pypi/corslint@{version}"}
    wrong = JsonStrictValidator(SchemaVersion.from_version(document["specVersion"])).validate_str(json.dumps(document))
    if wrong is not None:
        raise ReleaseError(f"the bill of materials is not valid: {wrong}")
    return document


def environment_of(wheel: Path, folder: Path) -> Path:
    """The Python of a new environment in `folder` with the wheel and the locked packages that it needs."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    pip = [sys.executable, "-m", "pip", "--python", str(python), "--disable-pip-version-check", "install", "--quiet"]
    for what in (["--require-hashes", "-r", str(ROOT / "requirements" / "runtime.txt")], ["--no-deps", str(wheel)]):
        done = subprocess.run([*pip, *what], capture_output=True, text=True, check=False)
        if done.returncode:
            raise ReleaseError(f"pip install {' '.join(what)}:\n{done.stderr}")
    return python


def write_sbom() -> None:
    """Of the wheel in dist/."""
    version = version_of(ROOT)
    wheel = DIST / f"corslint-{version}-py3-none-any.whl"
    if not wheel.exists():
        raise ReleaseError(f"dist/{wheel.name} is missing: python scripts/release.py dist")
    with tempfile.TemporaryDirectory() as folder:
        document = sbom(environment_of(wheel, Path(folder, "venv")), version)
    BUILD.mkdir(exist_ok=True)
    file = BUILD / f"corslint-{version}.cdx.json"
    file.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    print(f"build/{file.name}: {len(document['components'])} packages")


def main(arguments: Sequence[str]) -> int:
    """Do one of the three. The exit status is 1 where it cannot be released so."""
    try:
        if arguments == ["dist"]:
            dist()
        elif arguments == ["sbom"]:
            write_sbom()
        elif len(arguments) == 2 and arguments[0] == "agrees":
            changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
            wrong = list(disagreements(arguments[1], version_of(ROOT), changelog))
            if wrong:
                raise ReleaseError("\n".join(wrong))
        else:
            print(__doc__, file=sys.stderr)
            return 2
    except ReleaseError as error:
        print(f"release: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
