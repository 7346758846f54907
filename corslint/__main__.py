"""The command `corslint`, and `python -m corslint`."""

from __future__ import annotations

import gc
import sys
from typing import NoReturn

_LARGEST_PASSING = 1 << 20
"""Bytes. More than any of the files has that a run reads at once to load itself."""


def main() -> NoReturn:
    """Run corslint and exit."""
    gc.disable()  # before anything is imported: looking through that for cycles is a twentieth of a run (measured)
    # glibc gives blocks over 128 KiB back at once, and the next one pays for its pages again: 300 of 4800 page faults
    # of a run. Once it took back a larger one, it keeps blocks up to that size. (This one's pages nobody touches.)
    bytes(_LARGEST_PASSING)
    from corslint import git

    git.begin_ahead(sys.argv[1:])
    from corslint import cli

    cli.main()


if __name__ == "__main__":
    main()
