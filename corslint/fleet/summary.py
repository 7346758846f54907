"""The summary of a fleet: findings by rule, by repository and by severity, failures, and what changed since last time.

Earlier summaries lie in `history/` of the output folder, under their dates. Two runs are compared by how many findings
a rule has in a repository: more of one rule are new, fewer are gone. Repositories that are only in one of the two runs,
or could not be checked in one, are counted apart.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import corslint
from corslint import outputs
from corslint.fleet.checking import Count
from corslint.fleet.results import REPORTS, Kept
from corslint.model.finding import SEVERITIES
from corslint.records import NamedTuple
from corslint.report._json import dumps
from corslint.settings import UsageError

VERSION = 1
NAME = "summary.json"
PAGE = "summary.html"
HISTORY = "history"
SHOWN = 30
"""So many runs the trend shows."""

_COUNTED = ("repositories", "with_findings", "failed", *(f"{name}s" for name in SEVERITIES))
"""What the trend has of each run."""

Summary = dict[str, Any]
"""As docs/fleet.md describes it, and `corslint schema fleet`."""


class Checked(NamedTuple):
    """A repository with its result, or with the reason why there is none."""

    name: str
    stem: str
    result: Kept | None
    failure: str = ""


def made(checked: Sequence[Checked], options: str, before: Summary | None) -> Summary:
    """The summary of a run. `options` identifies what was asked for; `before` is that of the last run."""
    old = {one["name"]: one for one in before["repositories"]} if before is not None else {}
    repositories = [_repository(one, old.get(one.name)) for one in checked]
    runs = before["trend"][-(SHOWN - 1) :] if before is not None else []
    whole: Summary = {
        "version": VERSION,
        "corslint": corslint.__version__,
        "date": now(),
        "options": options,
        "totals": _totals(repositories),
        "since": _since(repositories, old, before, options),
        "rules": _rules(checked, repositories, old),
        "repositories": repositories,
    }
    whole["trend"] = [*runs, _run(whole)]
    return whole


def now() -> str:
    """The time as text, in UTC. SOURCE_DATE_EPOCH stands in for it (https://reproducible-builds.org)."""
    given = os.environ.get("SOURCE_DATE_EPOCH", "")
    seconds = int(given) if given.isdecimal() and len(given) < 12 else time.time()
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def _repository(one: Checked, old: Mapping[str, Any] | None) -> dict[str, Any]:
    if one.result is None:
        return {"name": one.name, "status": "failed", "failure": one.failure}
    counts = one.result.counts
    rules = _summed((count.rule, count.findings) for count in counts)
    found: dict[str, Any] = {
        "name": one.name,
        "status": "findings" if counts else "clean",
        "files": one.result.files,
        **_severities((count.severity, count.findings) for count in counts),
        "effects": _summed((count.effect, count.findings) for count in counts),
        "rules": rules,
        "json": f"{REPORTS}/{one.stem}.json",
        "sarif": f"{REPORTS}/{one.stem}.sarif",
    }
    if old is not None and old["status"] != "failed":
        found["since"] = _difference(rules, old["rules"])
    return found


def _difference(rules: Mapping[str, int], before: Mapping[str, int]) -> dict[str, int]:
    """How many findings are new, and how many are gone."""
    changes = [rules.get(rule, 0) - before.get(rule, 0) for rule in {*rules, *before}]
    return {"new": sum(one for one in changes if one > 0), "gone": -sum(one for one in changes if one < 0)}


def _totals(repositories: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    status = _summed((one["status"], 1) for one in repositories)
    checked = [one for one in repositories if one["status"] != "failed"]
    return {
        "repositories": len(repositories),
        "with_findings": status.get("findings", 0),
        "clean": status.get("clean", 0),
        "failed": status.get("failed", 0),
        "files": sum(one["files"] for one in checked),
        **{f"{name}s": sum(one[f"{name}s"] for one in checked) for name in SEVERITIES},
        "effects": _summed((effect, count) for one in checked for effect, count in one["effects"].items()),
    }


def _since(
    repositories: Sequence[Mapping[str, Any]],
    old: Mapping[str, Mapping[str, Any]],
    before: Summary | None,
    options: str,
) -> dict[str, Any] | None:
    """What is different from the run before; None for the first one."""
    if before is None:
        return None
    names = {one["name"] for one in repositories}
    both = [one for one in repositories if "since" in one]
    return {
        "date": before["date"],
        "corslint": before["corslint"],
        "same_options": before["options"] == options,
        "repositories": len(both),
        "added": sum(one["name"] not in old for one in repositories),
        "removed": sum(name not in names for name in old),
        "new": sum(one["since"]["new"] for one in both),
        "gone": sum(one["since"]["gone"] for one in both),
    }


def _rules(
    checked: Sequence[Checked], repositories: Sequence[Mapping[str, Any]], old: Mapping[str, Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """The rules that have findings, or had some last time; those in most repositories first."""
    by_rule: dict[str, list[Count]] = {}
    for one in checked:
        for count in one.result.counts if one.result is not None else ():
            by_rule.setdefault(count.rule, []).append(count)
    differences: dict[str, dict[str, int]] = {}
    for repository in repositories:
        if "since" in repository:
            now, before = repository["rules"], old[repository["name"]]["rules"]
            for rule in {*now, *before}:
                sums = differences.setdefault(rule, {"new": 0, "gone": 0})
                change = now.get(rule, 0) - before.get(rule, 0)
                sums["new" if change > 0 else "gone"] += abs(change)
    places = _summed((rule, 1) for one in repositories for rule in one.get("rules", ()))
    found = [
        {
            "rule": rule,
            "findings": sum(one.findings for one in by_rule.get(rule, ())),
            "repositories": places.get(rule, 0),
            **_severities((one.severity, one.findings) for one in by_rule.get(rule, ())),
            "effects": _summed((one.effect, one.findings) for one in by_rule.get(rule, ())),
            **({"since": differences.get(rule, {"new": 0, "gone": 0})} if old else {}),
        }
        for rule in {*by_rule, *(rule for rule, sums in differences.items() if sums["gone"])}
    ]
    return sorted(found, key=lambda one: (-one["repositories"], -one["findings"], one["rule"]))


def _severities(counts: Iterable[tuple[str, int]]) -> dict[str, int]:
    summed = _summed(counts)
    return {f"{name}s": summed.get(name, 0) for name in SEVERITIES}


def _summed(counts: Iterable[tuple[str, int]]) -> dict[str, int]:
    """The sum for each key, by key."""
    sums: dict[str, int] = {}
    for key, count in counts:
        sums[key] = sums.get(key, 0) + count
    return dict(sorted(sums.items()))


def _run(summary: Summary) -> dict[str, Any]:
    """What the trend shows of a run."""
    totals = summary["totals"]
    return {"date": summary["date"], **{name: totals[name] for name in _COUNTED}}


# --- on the disk -----------------------------------------------------------------------------------------------------


def last(folder: str) -> Summary | None:
    """The summary of the last run in an output folder; None before the first.

    Raises:
        UsageError: it cannot be read.

    """
    path = os.path.join(folder, NAME)
    if os.path.lexists(path):
        return _read(path)
    history = os.path.join(folder, HISTORY)
    names = sorted(name for name in os.listdir(history) if name.endswith(".json")) if os.path.isdir(history) else []
    return _read(os.path.join(history, names[-1])) if names else None


def _read(path: str) -> Summary:
    try:
        with open(path, encoding="utf-8") as stream:
            found: Summary = json.load(stream)
        if found["version"] != VERSION:
            raise UsageError(f"{path}: version {found['version']}, which this corslint does not know: remove it")
        for run in found["trend"]:
            if not isinstance(run["date"], str) or not all(type(run[name]) is int for name in _COUNTED):
                raise TypeError
        if not all(isinstance(found[name], str) for name in ("date", "options", "corslint")):
            raise TypeError
        for one in found["repositories"]:
            if not isinstance(one["name"], str) or (one["status"] != "failed" and not isinstance(one["rules"], dict)):
                raise TypeError
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}") from None
    except (ValueError, LookupError, TypeError, RecursionError):
        raise UsageError(f"{path}: is no summary of `corslint fleet`: remove it") from None
    return found


def write(folder: str, summary: Summary, page: Iterable[str]) -> None:
    """Put a summary and its page in place of the last ones, which go into the history. Raises `UsageError`."""
    last = os.path.join(folder, NAME)
    try:
        if os.path.lexists(last):
            _remember(folder, last)
        outputs.replace(last, [f"{dumps(summary)}\n".encode()])
        outputs.replace(os.path.join(folder, PAGE), (piece.encode("utf-8", "backslashreplace") for piece in page))
    except OSError as error:
        raise UsageError(f"--output: {folder} cannot be written: {error.strerror or error}") from None


def _remember(folder: str, last: str) -> None:
    """Copy the last summary into the history, unless it is there already."""
    with open(last, "rb") as stream:
        data = stream.read()
    history = os.path.join(folder, HISTORY)
    os.makedirs(history, exist_ok=True)
    stem = "".join(letter for letter in json.loads(data)["date"] if letter.isalnum())[:20]
    number = 1
    while True:
        target = os.path.join(history, f"{stem}_{number:03}.json" if number > 1 else f"{stem}.json")
        if not os.path.lexists(target):
            outputs.replace(target, [data])
            return
        with open(target, "rb") as stream:
            if stream.read() == data:
                return
        number += 1
