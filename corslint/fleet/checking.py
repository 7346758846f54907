"""What is done with one repository, wherever that is: a worker needs no more than its path and the options.

A worker writes nothing: reports go back as bytes, and whoever asked puts them where they belong. What is the same for
all repositories (rules, descriptors, what is known of a rule) is loaded once for each process.
"""

from __future__ import annotations

import gc
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import corslint
from corslint import command_line, compiled, lint, outputs, report, result, rulepages
from corslint.cache import digest
from corslint.discovery import Context, is_part
from corslint.model.finding import Finding
from corslint.records import NamedTuple
from corslint.settings import Settings, UsageError

FORMATS = ("json", "sarif")
"""The reports that each repository gets."""

_UNSURE_NS = 2_000_000_000
"""A file that was changed less than so long before it is looked at may be changed again unseen: some file systems tell
times in steps of two seconds."""

_MOST_LEFT = 20_000
"""Objects that are left of what was checked, before those are looked for that hold nothing but each other, where that
is not done all the time (as on the command line). Usually there are none: to look costs 1 ms, and 20,000 take 3 MB."""


class Order(NamedTuple):
    """A repository to check: its folder (absolute), and the identity that a kept result has; empty for none."""

    path: str
    known: str = ""


class Options(NamedTuple):
    """What all orders share. `run` identifies version and options; `given` are the options of the command line."""

    version: str
    run: str
    given: Mapping[str, Any]


class Count(NamedTuple):
    """How many findings of a rule there are with this severity and effect."""

    rule: str
    severity: str
    effect: str
    findings: int


class Outcome(NamedTuple):
    """What came of a repository.

    `identity` says of which content this is the result; empty where nobody could tell a change. `reaches`: a finding is
    as severe as the settings of its file ask for. `reports` by format; None where the kept result still holds.
    """

    identity: str
    files: int = 0
    counts: tuple[Count, ...] = ()
    reaches: bool = False
    reports: Mapping[str, bytes] | None = None


class Failure(NamedTuple):
    """A repository that could not be checked, and why."""

    reason: str


def check(orders: Sequence[Order], options: Options) -> list[Outcome | Failure]:
    """What comes of each of these repositories, in their order. One that fails costs no other."""
    if corslint.__version__ != options.version:
        words = f"a worker has corslint {corslint.__version__}, not {options.version}: install the same there"
        return [Failure(words)] * len(orders)
    done = [_tried(order, options) for order in orders]
    if not gc.isenabled() and gc.get_count()[0] > _MOST_LEFT:
        gc.collect()
    return done


def _tried(order: Order, options: Options) -> Outcome | Failure:
    try:
        with _inside(order.path) as cwd:
            return _checked(cwd, order.known, options)
    except UsageError as error:  # in its settings or rules
        return Failure(str(error))
    except OSError as error:
        return Failure(error.strerror or str(error))
    except Exception as error:
        if command_line.is_about_rules(error):
            return Failure(str(error))
        return Failure(f"internal error: {type(error).__name__}: {error}; please report it")


_ONE_AT_A_TIME = threading.Lock()
"""The working directory belongs to the process, and workers may be threads."""


@contextmanager
def _inside(folder: str) -> Iterator[str]:
    """Work in a folder: paths of its reports count from there, as where `corslint check` is run in it."""
    with _ONE_AT_A_TIME:
        home = os.getcwd()
        os.chdir(folder)
        try:
            yield folder
        finally:
            os.chdir(home)


def _checked(cwd: str, known: str, options: Options) -> Outcome:
    ((context, settings),) = command_line.contexts((".",), cwd, options.given)
    identity = _identity(context, settings, options.run)
    if identity and identity == known:
        return Outcome(identity)
    if result.is_idle(context, settings):
        found = result.nothing(context)
    else:
        found = lint.lint(context, settings, with_fixes=load(), jobs=1)
    return Outcome(
        identity,
        found.files,
        _counts(found.findings),
        any(result.reaches(one, settings.of(one.primary.path).fail_on) for one in found.findings),
        outputs.rendered(report.merged([found]), FORMATS, _about(settings)),
    )


@lru_cache(maxsize=1)
def load() -> bool:
    """Load the formats. Whether one of them shows what fixes would change."""
    made = [report.format_named(name) for name in FORMATS]
    return any(one.wants_fixes for one in made)


def _counts(findings: Sequence[Finding]) -> tuple[Count, ...]:
    counts: dict[tuple[str, str, str], int] = {}
    for finding in findings:
        key = finding.rule, finding.severity, finding.effect
        counts[key] = counts.get(key, 0) + 1
    return tuple(Count(*key, count) for key, count in sorted(counts.items()))


def _about(settings: Settings) -> Callable[[str], report.RuleAbout]:
    if not settings.rules:
        return _about_built_in
    known = lint.knowledge(settings.rules, examples=False).rules.rules
    return lambda rule: rulepages.about(known[rule])


@lru_cache(maxsize=1024)
def _about_built_in(rule: str) -> report.RuleAbout:
    return rulepages.about(lint.knowledge(examples=False).rules.rules[rule])


# --- identity --------------------------------------------------------------------------------------------------------


def run_identity(given: Mapping[str, Any]) -> str:
    """Identifies what decides about results beside the repositories: this corslint, and the options."""
    return digest(repr((compiled.identity(), sorted(given.items()))).encode("utf-8", "surrogateescape"))


def _identity(context: Context, settings: Settings, run: str) -> str:
    """Identifies what a result says: which corslint, settings, rules, and files as they are now; empty: nobody knows.

    A file is the same where its size, times and inode are, as for the cache of readings. What was changed just now may
    be changed again within what the system's clock can tell.
    """
    every = (settings, *(nested for _, nested in settings.nested))
    sources = {path for one in every for path in (one.source, *one.extended) if path}
    now = time.time_ns()
    stamps = []
    for path in (*context.files, *sorted(sources)):
        try:
            status = os.stat(path)
        except OSError:
            return ""
        if max(status.st_mtime_ns, status.st_ctime_ns) + _UNSURE_NS > now:
            return ""
        stamps.append((path, status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino))
    own = [compiled.own_key(one.rules) for one in every if one.rules]
    shape = (
        *(sorted(context.lint), sorted(context.in_tests), is_part(context.root)),
        *(sorted(context.passed_over.items()), sorted(context.unreadable.items())),
    )
    return digest(repr((run, settings, own, shape, stamps)).encode("utf-8", "surrogateescape"))
