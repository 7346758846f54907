"""`docs/trace-proof.md`: what traces foretold, and what the browser then did.

`python -m tests.lab.trace_proof` takes every step and writes the page, but for `--no-write`. With names of projects it
takes those alone, and writes nothing. A complete run of the lab does it, too.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Sequence
from functools import cache

from tests.lab.chromium import Chromium
from tests.lab.installation import ROOT, tools
from tests.lab.proof import cell
from tests.lab.trace_cases import BEYOND, Case, cases
from tests.lab.trace_run import Compared, compare

PAGE = ROOT / "docs" / "trace-proof.md"
NO_WRITE = "--no-write"
MOST_UNKNOWN = 5
"""Projects of which a step may be unknown."""

_HEAD = """# What traces foretold

Made by `python -m tests.lab.trace_proof`; do not edit. Each row is a project: the servers of an experiment under
`fixtures/projects`, as they are broken and as they are mended, or of a project under `fixtures/traces`. Everything that
its pages do was followed with `corslint trace` first, and then done in a real browser: "as foretold" says that the
verdict was right in each step, and with it the words in the console, the event of the Socket.IO client and its
transport.
"""

Row = tuple[str, str, str, str, str]


def project_of(case: Case) -> str:
    """The project that a case is a side of."""
    return case.experiment.project


def row(project: str, found: Sequence[Compared]) -> Row:
    """A project's row: what takes part, how many steps, how many of them are blocked, and how it came out."""
    one = found[0].case
    parts = ["nginx"] if one.has_nginx else []
    parts += ["Python"] if one.has_python else []
    parts += ["Node.js"] if one.has_node else []
    blocked = sum(compared.foretold.verdict == "blocked" for compared in found)
    differing = [compared for compared in found if compared.difference is not None]
    unknown = sum(compared.foretold.verdict == "unknown" for compared in found)
    came = "as foretold"
    if differing:
        came = f"OTHERWISE in {len(differing)}"
    elif unknown:
        came = f"as foretold, unknown in {unknown}"
    return f"`{project}`", ", ".join(parts), str(len(found)), str(blocked), came


def render(rows: Iterable[Row]) -> str:
    """The page."""
    rows = list(rows)
    columns = ("Project", "Servers", "Requests", "Blocked", "In the browser")
    counted = (
        f"{len(rows)} projects, {sum('nginx' in one[1] for one in rows)} of them with nginx, "
        f"{sum('Python' in one[1] for one in rows)} with a server in Python; in "
        f"{sum(int(one[3]) > 0 for one in rows)} something is blocked. "
        f"In {sum('unknown' in one[4] for one in rows)} a step is unknown.\n"
    )
    lines = [columns, tuple("---" for _ in columns), *(tuple(map(cell, one)) for one in rows)]
    table = "".join(f"| {' | '.join(line)} |\n" for line in lines)
    left = "".join(f"- `{project}`, {cell(step)}: {cell(why)}\n" for (project, step), why in sorted(BEYOND.items()))
    return "\n".join([_HEAD, counted, table, "## What no trace foretells\n", left])


def shown(page: str) -> dict[str, str]:
    """The projects on a page, and how each came out."""
    found = re.findall(r"^\| `([\w-]+)` \| .* \| ([^|]+) \|$", page, re.MULTILINE)
    return {project: came.strip() for project, came in found}


def main(names: Sequence[str]) -> int:
    """Take the steps; exit status 1 where something came otherwise."""
    running: list[Chromium] = []

    @cache
    def browser() -> Chromium:
        running.append(Chromium.start(tools().path("chromium")))
        return running[0]

    try:
        chosen = [name for name in names if name != NO_WRITE]
        return _all(chosen, browser, write=not names)
    finally:
        for one in running:
            one.close()


def _all(names: Sequence[str], browser: Callable[[], Chromium], *, write: bool) -> int:
    found: dict[str, list[Compared]] = {}
    for case in cases():
        if names and project_of(case) not in names:
            continue
        compared = compare(case, tools(), browser)
        found.setdefault(project_of(case), []).extend(compared)
        for one in compared:
            if one.difference is not None:
                sys.stdout.write(f"{case.name}: {one.asked.name}: {one.difference}\n")
    if write:
        PAGE.write_text(render(row(project, steps) for project, steps in sorted(found.items())), encoding="utf-8")
    steps = [one for some in found.values() for one in some]
    differing = sum(one.difference is not None for one in steps)
    sys.stdout.write(f"{len(steps) - differing} of {len(steps)} requests of {len(found)} projects as foretold\n")
    return int(differing > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
