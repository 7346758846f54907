"""Splits URLs. Their parser is loaded when the first one is split: many runs see none, and it takes as long as json."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from urllib.parse import SplitResult


def urlsplit(url: str) -> SplitResult:
    """The same as `urllib.parse.urlsplit`.

    Raises:
        ValueError: what stands in brackets is no IPv6 address.

    """
    from urllib.parse import urlsplit as split

    return split(url)
