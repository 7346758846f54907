"""The libraries of a project: those of the lab, in the versions that the project's manifests allow."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from semantic_version import NpmSpec, Version

from tests.lab.processes import LabError

_ALIAS = re.compile(r"-\d+$")


def manifests(folder: Path) -> Iterator[Path]:
    """The package.json files of a project."""
    return (path for path in sorted(folder.rglob("package.json")) if "node_modules" not in path.parts)


def link_node_modules(project: Path, installed: Path, started: Path | None = None) -> dict[str, str]:
    """Put a `node_modules` beside each package.json, of links to the lab's libraries.

    `started` is a folder of the project in which a program runs: what its package.json depends on must be there.
    Elsewhere (front ends with frameworks that the lab has not) only what is there is linked.

    Returns:
        name and version of what was linked, such as `{"npm:express": "4.22.3"}`.

    Raises:
        LabError: a needed dependency is missing, or no installed version is within the range of the project.
    """
    needed = nearest(started, project, "package.json") if started else None
    versions: dict[str, str] = {}
    for manifest in manifests(project):
        content = json.loads(manifest.read_text(encoding="utf-8"))
        dependencies = {**content.get("devDependencies", {}), **content.get("dependencies", {})}
        for name, wanted in dependencies.items():
            found = _fitting(name, wanted, installed)
            if found is not None:
                _link(manifest.parent / "node_modules" / name, found[0])
                versions[f"npm:{name}"] = found[1]
            elif manifest == needed and name in content.get("dependencies", {}):
                raise LabError(f"{manifest.relative_to(project)} needs {name} {wanted}: the lab has no such package")
    return versions


def socketio_client_major(project: Path, client: Path, default: int = 4) -> int:
    """The major of socket.io-client that a client file of the project gets by its nearest package.json."""
    folder: Path | None = client.parent
    while folder is not None:
        manifest = nearest(folder, project, "package.json")
        if manifest is None:
            return default
        wanted = json.loads(manifest.read_text(encoding="utf-8")).get("dependencies", {}).get("socket.io-client")
        if wanted is not None:
            return int(re.search(r"\d+", wanted)[0])  # type: ignore[index]
        folder = manifest.parent.parent if manifest.parent != project else None
    return default


def check_requirements(project: Path, started: Path, venv: Path) -> dict[str, str]:
    """Whether the environment holds what the nearest requirements.txt asks for.

    Returns:
        name and version of each, such as `{"pip:flask": "3.1.3"}`.

    Raises:
        LabError: something is missing or has another version.
    """
    requirements = nearest(started, project, "requirements.txt")
    if requirements is None:
        return {}
    installed = _distributions(venv)
    versions: dict[str, str] = {}
    for line in requirements.read_text(encoding="utf-8").splitlines():
        text = line.partition("#")[0].strip()
        if not text or text.startswith("-"):
            continue
        wanted = Requirement(text)
        name = canonicalize_name(wanted.name)
        version = installed.get(name)
        if version is None or not wanted.specifier.contains(version, prereleases=True):
            raise LabError(f"{requirements.relative_to(project)} needs {text}: {venv.name} has {version or 'none'}")
        versions[f"pip:{name}"] = version
    return versions


def nearest(folder: Path, project: Path, name: str) -> Path | None:
    """The file of that name in a folder of the project or above it."""
    for above in (folder, *folder.parents):
        if (above / name).is_file():
            return above / name
        if above == project:
            return None
    return None


def _distributions(venv: Path) -> dict[str, str]:
    folders = [str(folder) for folder in venv.glob("lib/python*/site-packages")]
    found = metadata.distributions(path=folders)
    return {canonicalize_name(distribution.metadata["Name"]): distribution.version for distribution in found}


def _fitting(name: str, wanted: str, installed: Path) -> tuple[Path, str] | None:
    """The installed alias of a package whose version is within a range; None where the lab has none of the package."""
    scope = installed / name.rpartition("/")[0] if "/" in name else installed
    short = name.rpartition("/")[2]
    majors = [path for path in scope.glob(f"{short}-*") if _ALIAS.fullmatch(path.name.removeprefix(short))]
    found = {path: _version(path) for path in majors}
    for path, version in found.items():
        if Version(version) in NpmSpec(wanted):
            return path.resolve(), version
    if found:
        raise LabError(f"{name} {wanted}: the lab has {', '.join(sorted(found.values()))}")
    return None


def _version(package: Path) -> str:
    content: dict[str, Any] = json.loads((package / "package.json").read_text(encoding="utf-8"))
    return str(content["version"])


def _link(link: Path, target: Path) -> None:
    link.parent.mkdir(parents=True, exist_ok=True)
    if not link.is_symlink():
        link.symlink_to(target, target_is_directory=True)
