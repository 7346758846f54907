"""Asks OSV, with pip-audit, which locked packages have known vulnerabilities.

    python scripts/audit.py [--service URL]      # another service with OSV's interface, such as a mirror

Status 0: none has. 1: some have, and each is named. 2: it is not known, since the service did not answer for all.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent))

import lock

PATIENCE = 600
"""Seconds for all packages; each is a request."""

ACCEPTED: Mapping[str, str] = {}
"""Advisories that do not concern this project, and why not."""


class AuditError(Exception):
    """The service could not be asked, or left something out."""


class Advisory(NamedTuple):
    """A known vulnerability of a locked package."""

    package: str
    version: str
    id: str
    mended_in: tuple[str, ...]
    summary: str

    def __str__(self) -> str:
        mended = f"mended in {', '.join(self.mended_in)}" if self.mended_in else "mended in no version"
        return f"{self.package} {self.version}: {self.id}, {mended}: {self.summary}"


def advisories(packages: Sequence[lock.Package], service: str | None = None) -> list[Advisory]:
    """The advisories for these packages, whatever system or Python they are locked for.

    Raises:
        AuditError: the service gave no answer for at least one of them.

    """
    found: list[Advisory] = []
    for some in _without_two_versions(packages):
        found += _asked(some, service)
    return sorted(set(found))


def _without_two_versions(packages: Sequence[lock.Package]) -> list[list[lock.Package]]:
    """Groups in which each package stands once: pip-audit takes no second version."""
    groups: list[list[lock.Package]] = []
    for package in packages:
        for group in groups:
            if all(other.name != package.name for other in group):
                group.append(package)
                break
        else:
            groups.append([package])
    return groups


def _asked(packages: Sequence[lock.Package], service: str | None) -> list[Advisory]:
    with tempfile.TemporaryDirectory() as folder:
        # Without their markers: what only another system needs counts, too.
        file = Path(folder, "requirements.txt")
        file.write_text("".join(f"{one.name}=={one.version}\n" for one in packages), encoding="utf-8")
        command = [sys.executable, "-m", "pip_audit", "--requirement", str(file), "--no-deps", "--disable-pip"]
        command += ["--vulnerability-service", "osv", "--format", "json", "--progress-spinner", "off"]
        command += ["--osv-url", service] if service else []
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
        except subprocess.TimeoutExpired:
            raise AuditError(f"no answer within {PATIENCE} s") from None
    try:
        answered: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    except (ValueError, LookupError, TypeError):
        said = done.stderr.strip().splitlines() or [f"pip-audit ended with status {done.returncode}"]
        raise AuditError(said[-1]) from None
    known = {one["name"]: one["vulns"] for one in answered if "vulns" in one}
    left_out = sorted({one.name for one in packages} - known.keys())
    if left_out:
        raise AuditError(f"no answer for {', '.join(left_out)}")
    return [
        Advisory(one.name, one.version, each["id"], tuple(each["fix_versions"]), each["description"])
        for one in packages
        for each in known[one.name]
    ]


def main(arguments: Sequence[str]) -> int:
    """Ask, and say what was found."""
    if arguments and (arguments[0] != "--service" or len(arguments) != 2):
        print(__doc__, file=sys.stderr)
        return 2
    texts = {name: (lock.FOLDER / f"{name}.txt").read_text(encoding="utf-8") for name in ("development", "runtime")}
    packages, runtime = (tuple(lock.packages(texts[name])) for name in ("development", "runtime"))
    try:
        found = advisories(packages, arguments[1] if arguments else None)
    except AuditError as error:
        print(f"audit: not known, since OSV could not be asked: {error}", file=sys.stderr)
        return 2
    open_ones = [one for one in found if one.id not in ACCEPTED]
    for one in open_ones:
        whose = "runtime" if one.package in {each.name for each in runtime} else "development"
        print(f"audit: {whose}: {one}")
    unused = sorted(ACCEPTED.keys() - {one.id for one in found})
    for name in unused:
        print(f"audit: {name} is accepted in scripts/audit.py, but nothing has it any more")
    if open_ones or unused:
        return 1
    verdict = f"{len(found)} accepted" if found else "no known vulnerability"
    print(f"audit: {len(packages)} packages, {len(runtime)} of them needed at run time: {verdict}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
