"""A whole run: from lists and folders to reports, summary and page."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import corslint
from corslint import lint, outputs, progress, rulepages
from corslint.cache import digest
from corslint.fleet import checking, executors, page, repositories, run, summary
from corslint.fleet.checking import Failure, Order
from corslint.fleet.repositories import Repository
from corslint.fleet.results import REPORTS, Results
from corslint.fleet.summary import Checked, Summary
from corslint.records import NamedTuple
from corslint.settings import UsageError


class Done(NamedTuple):
    """A run that came to its end.

    `reached`: a finding is as severe as the settings of its file ask for. `unchanged`: how many results were there
    already, and still hold. `page`: where the summary for people lies.
    """

    summary: Summary
    reached: bool
    unchanged: int
    page: str


def carried_out(
    given: Sequence[str],
    output: str,
    options: Mapping[str, Any],
    *,
    executor: str = executors.PROCESSES,
    jobs: int | None = None,
    fresh: bool = False,
) -> Done:
    """Check the repositories that lists and folders stand for, and write all reports below the folder `output`.

    `options` are those of the command line that choose settings and findings. With `fresh`, results that are there
    already do not count. `executor` is one of `executors.FORMS`.

    Raises:
        UsageError: something is wrong with what was given, or nothing could be checked or written.

    """
    cwd = os.getcwd()
    folder = os.path.normpath(os.path.join(cwd, output))
    bar = progress.Progress()

    def say(text: str) -> None:
        bar.erase()
        outputs.write_text([f"corslint: {text}\n"], sys.stderr)

    found = repositories.found(given, cwd, without=folder, say=say)
    _apart(folder, found, [os.path.join(cwd, one) for one in given])
    with Results(folder, [one.name for one in found]) as results, executors.named(executor, jobs) as hire:
        before = summary.last(folder)  # no other run can put another there now
        asked = _for_workers(options, cwd)
        names = {one.path: one.name for one in found}
        orders = [Order(one.path, "" if fresh else results.identity(one.name)) for one in found]
        failed: dict[str, str] = {}
        unchanged = 0
        try:
            answers = run.answers(orders, hire, asked, say)
            for _, (order, outcome) in zip(
                bar.watch(range(len(orders)), "checking", "repositories"), answers, strict=True
            ):
                name = names[order.path]
                if isinstance(outcome, Failure):
                    failed[name] = outcome.reason
                    results.drop(name)
                else:
                    unchanged += outcome.reports is None
                    results.keep(name, outcome)
        finally:
            bar.erase()
        results.finish()
        checked = [_checked(one.name, results, failed) for one in found]
        made = summary.made(checked, digest(repr(sorted(asked.given.items())).encode()), before)
        summary.write(folder, made, page.render(made, _titles(made)))
    reached = any(one.result is not None and one.result.reaches for one in checked)
    return Done(made, reached, unchanged, os.path.join(output, summary.PAGE))


def _titles(made: Summary) -> dict[str, str]:
    """The titles of the built-in rules that have findings."""
    known = lint.knowledge(examples=False).rules.rules
    named = (one["rule"] for one in made["rules"])
    return {rule: rulepages.about(known[rule]).title for rule in named if rule in known}


def _checked(name: str, results: Results, failed: Mapping[str, str]) -> Checked:
    if name in failed:
        return Checked(name, "", None, failed[name])
    kept = results[name]
    return Checked(name, kept.stem, kept)


def _apart(folder: str, found: Sequence[Repository], given: Sequence[str]) -> None:
    """Refuse an output folder in a repository, which the next run would check, or one that has repositories in it."""
    if os.path.lexists(folder) and not os.path.isdir(folder):
        raise UsageError(f"--output: {folder} is no folder")
    real = around = os.path.realpath(folder)
    paths = {one.path: one.name for one in found}
    while True:
        if around in paths:
            raise UsageError(f"--output lies in the repository {paths[around]}: name a folder beside the repositories")
        if around == os.path.dirname(around):
            break
        around = os.path.dirname(around)
    inside = [one for one in found if _lies_in(one.path, real)]
    for name in (REPORTS, summary.HISTORY):
        place = os.path.join(real, name)
        if os.path.lexists(os.path.join(place, ".git")) or any(_lies_in(one.path, place) for one in inside):
            raise UsageError(f"--output: a repository lies in `{name}` there: name a folder for the reports alone")
    # Where folders are looked into, each folder beside a repository is one: the next run would check the reports.
    if inside and any(_lies_in(real, os.path.realpath(one)) for one in given if os.path.isdir(one)):
        words = f"--output lies among the repositories, around {inside[0].name}"
        raise UsageError(f"{words}: name a folder for the reports alone")


def _lies_in(path: str, folder: str) -> bool:
    return path == folder or path.startswith(os.path.join(folder, ""))


_OF_THE_EXIT_STATUS = ("exit_zero", "max_warnings")
"""Options that change no result."""


def _for_workers(options: Mapping[str, Any], cwd: str) -> checking.Options:
    """The options, as they mean the same in any folder."""
    config = tuple(os.path.join(cwd, text) if os.path.isfile(text) else text for text in options["config"])
    given = {name: value for name, value in options.items() if name not in _OF_THE_EXIT_STATUS}
    given |= {"config": config, "no_cache": True}
    return checking.Options(corslint.__version__, checking.run_identity(given), given)
