"""Paths as they are shown: seen from a folder, with `/` on every system."""

from __future__ import annotations

import os


def relative(path: str, folder: str) -> str:
    """An absolute path seen from an absolute folder; on another drive of Windows, from which no way leads, itself."""
    try:
        seen = os.path.relpath(path, folder)
    except ValueError:
        seen = path
    return seen.replace(os.sep, "/")


def native(path: str) -> str:
    """A path with `/`, such as git gives, as the system writes it."""
    return path.replace("/", os.sep)


def spelled(path: str) -> str:
    """An absolute path in its normal form, with the case that its names have on the disk where any case leads there."""
    if os.path.normcase("A") == "A":
        return path
    drive, rest = os.path.splitdrive(path)
    at = (drive.upper() if drive.endswith(":") else drive) + os.sep
    for name in filter(None, rest.split(os.sep)):
        try:
            names = os.listdir(at)
        except OSError:
            names = []
        same = [one for one in names if os.path.normcase(one) == os.path.normcase(name)]
        at = os.path.join(at, name if name in same or not same else same[0])
    return at
