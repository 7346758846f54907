"""The header names of the CORS protocol, and which of them a name that browsers do not know was meant to be."""

from __future__ import annotations

from functools import lru_cache

ALLOW_ORIGIN = "access-control-allow-origin"
ALLOW_CREDENTIALS = "access-control-allow-credentials"
LISTS = {
    "access-control-allow-methods": "methods",
    "access-control-allow-headers": "request-headers",
    "access-control-expose-headers": "response-headers",
}
"""Headers that hold a list, and what it lists."""

RESPONSE = (
    "Access-Control-Allow-Origin",
    "Access-Control-Allow-Credentials",
    "Access-Control-Allow-Methods",
    "Access-Control-Allow-Headers",
    "Access-Control-Expose-Headers",
    "Access-Control-Max-Age",
    "Access-Control-Allow-Private-Network",
    "Access-Control-Allow-Local-Network",
)
"""Fetch standard, section 3.3.3, and the private network access drafts."""
REQUEST = (
    "Access-Control-Request-Method",
    "Access-Control-Request-Headers",
    "Access-Control-Request-Private-Network",
    "Access-Control-Request-Local-Network",
)

_KNOWN = {name.lower(): name for name in (*RESPONSE, *REQUEST)}
_SHAPES = {name.replace("-", "").lower(): name for name in RESPONSE}
_ALIASES = {
    shape.replace("allow", spelled, 1): name
    for shape, name in _SHAPES.items()
    if shape.startswith("accesscontrolallow")
    for spelled in ("", "allowed", "allows")
}
_FARTHEST = 2
_LONGEST = 60


def is_known(name: str) -> bool:
    """Whether the CORS protocol has a header of this name, in any case."""
    return name.strip().lower() in _KNOWN


def answers_cors(name: str) -> bool:
    """Whether this is a header by which a server answers a browser's question."""
    return is_known(name) and _KNOWN[name.strip().lower()] in RESPONSE


@lru_cache(maxsize=1024)
def nearest(name: str) -> str | None:
    """The response header that was meant by a name that is none; None where it is one, or nothing is near.

    A difference of case, hyphens or at most two letters counts as near (a swap of two neighbours is one), and so does
    a missing `Allow`. Names that begin with `X-` are somebody's own.
    """
    plain = name.strip().lower()
    if plain in _KNOWN or len(plain) > _LONGEST or plain.startswith("x-") or "control" not in plain:
        return None
    shape = plain.replace("-", "").replace("_", "")
    found = _SHAPES.get(shape) or _ALIASES.get(shape)
    if found is not None:
        return found
    if any(_distance(shape, known.replace("-", "").lower()) <= _FARTHEST for known in REQUEST):
        return None
    near = sorted((_distance(shape, known), full) for known, full in (_SHAPES | _ALIASES).items())
    return near[0][1] if near[0][0] <= _FARTHEST else None


def _distance(one: str, other: str) -> int:
    """Letters that differ between two texts, a swap of neighbours counted once; more than two is just three."""
    if abs(len(one) - len(other)) > _FARTHEST:
        return _FARTHEST + 1
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        before, last, row = row, before, [i]
        for j, wanted in enumerate(other, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != wanted))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == wanted:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
    return min(row[-1], _FARTHEST + 1)
