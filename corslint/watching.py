"""`corslint check --watch`: once more after every change, until it is interrupted."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress

from corslint import report
from corslint.cache import FOLDER
from corslint.settings import UsageError

_CLEARED = "\033[2J\033[3J\033[H"
_PAUSE_MS = 50
"""Milliseconds in which several changes count as one: an editor writes, renames and deletes."""

_LOOK_MS = 250


def run(check: Callable[[], int], paths: Sequence[str]) -> int:
    """Check now and after every change of files below these paths. The exit status of the last check.

    Raises:
        UsageError: watchfiles is not installed, or a path does not exist.

    """
    try:
        import watchfiles
    except ImportError:
        raise UsageError("--watch needs watchfiles: pip install 'corslint[watch]'") from None
    for path in paths:
        if not os.path.lexists(path):
            raise UsageError(f"{path}: no such file or folder")
    # Version control, packages, caches, and what editors write beside a file.
    usual = watchfiles.DefaultFilter(ignore_dirs=(*watchfiles.DefaultFilter.ignore_dirs, FOLDER, "bower_components"))
    watched = watchfiles.watch(
        *paths,
        watch_filter=usual,
        step=_PAUSE_MS,
        rust_timeout=_LOOK_MS,
        yield_on_timeout=True,
        raise_interrupt=False,
    )
    next(watched, None)  # from here on no change is missed, also while the first check goes on
    status = 0
    with suppress(KeyboardInterrupt):
        status = _checked(check)
        _wait()
        for changes in watched:
            if changes:
                sys.stdout.write(_CLEARED if sys.stdout.isatty() else "")
                status = _checked(check)
                _wait()
    return status


def _checked(check: Callable[[], int]) -> int:
    """One check. What is wrong with settings or rules is said, and may be mended while this goes on."""
    from corslint.ruleset import UnknownRuleError
    from corslint.yamlfile import YamlError

    try:
        status = check()
    except (UsageError, YamlError, UnknownRuleError) as error:
        sys.stderr.write(f"corslint: error: {report.neutral(str(error))}\n")
        status = 2
    sys.stdout.flush()
    return status


def _wait() -> None:
    """Say that the result is complete. From then on an interruption ends with its status."""
    sys.stderr.write("corslint: waiting for changes (Ctrl-C ends)\n")
    sys.stderr.flush()
