"""The command `corslint`, and `python -m corslint`."""

from __future__ import annotations

import gc
from typing import NoReturn

_LARGEST_PASSING = 1 << 20
"""Bytes. More than any of the files has that a run reads at once to load itself."""


def main() -> NoReturn:
    """Run corslint and exit."""
    gc.disable()  # before all that is imported: to look through it for cycles takes a tenth of the time (measured)
    # glibc gives blocks over 128 KiB back at once, and the next one costs its pages again: 300 of 4800 page faults of a
    # run. Once it took back a larger one, it keeps those up to that size. (Nobody touches this one, so it costs nothing.)
    bytes(_LARGEST_PASSING)
    from corslint import cli

    cli.main()


if __name__ == "__main__":
    main()
