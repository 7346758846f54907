"""What a user pasted: the messages in it, each with what it tells of the request."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from urllib.parse import SplitResult, parse_qs, urlsplit

from corslint.explain.messages import Message, Messages, Way
from corslint.explain.wordings import Found, Text
from corslint.records import NamedTuple

_MOST = 50
"""Different messages of one text that are looked at."""
_DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}
_OF_THE_URL = ("url", "scheme", "host", "port", "path", "loopback", "transport", "protocol", "session")
_OF_THE_PAGE = ("origin", "origin_scheme", "origin_loopback")


class Complaint(NamedTuple):
    """One message, and where it stands in the text made even."""

    message: Message
    clues: Mapping[str, str]
    start: int
    end: int
    text: str


class _Match(NamedTuple):
    message: Message | None
    way: Way
    found: Found


def complaints(text: Text, known: Messages) -> tuple[Complaint, ...]:
    """The messages in a text, in their order; what is said twice counts once.

    A companion of other messages is left out where it stands beside one that says more, and so is what only follows
    from another message of the text.
    """
    frames = [_Match(None, way, found) for way in known.frames for found in way.wording.find(text)]
    said = [
        _Match(message, way, found)
        for message in known.messages
        for way in message.ways
        for found in way.wording.find(text)
    ]
    found = _framed(said, _Frames(frames), text)
    telling = [one for one in found if not one.message.companion] or found
    following = _following({one.message.id for one in telling}, known)
    return tuple(_completed(_distinct(one for one in telling if one.message.id not in following)))


def _following(said: set[str], known: Messages) -> set[str]:
    """Those of these messages that follow from others of them, over however many steps."""
    follows = {message.id: set(message.follows) for message in known.messages}
    found = set()
    for name in said:
        reached: set[str] = set()
        waiting = [name]
        while waiting:
            new = follows[waiting.pop()] - reached
            reached |= new
            waiting += new
        if reached & (said - {name}):
            found.add(name)
    return found


class _Frames:
    """Beginnings of messages, by where they end and by where they lie."""

    def __init__(self, frames: Iterable[_Match]) -> None:
        self._by_end: dict[int, _Match] = {}
        # Of those that end at one place the longest says most, and then the one that tells most.
        for one in sorted(frames, key=lambda one: (one.found.end - one.found.start, len(_clues(one)))):
            self._by_end[one.found.end] = one
        self._ends = sorted(self._by_end)

    def before(self, start: int) -> _Match | None:
        """The one that ends right before this place."""
        return self._by_end.get(start) or self._by_end.get(start - 1)

    def around(self, start: int) -> _Match | None:
        """The one in which this place lies."""
        at = bisect_right(self._ends, start)
        found = self._by_end[self._ends[at]] if at < len(self._ends) else None
        return found if found is not None and found.found.start <= start else None


def _framed(said: Iterable[_Match], frames: _Frames, text: Text) -> list[Complaint]:
    """Messages with their beginnings. Of those that overlap the one counts that says more."""
    taken: list[tuple[int, int]] = []
    found: list[Complaint] = []

    def order(one: _Match) -> tuple[bool, int, int]:
        companion = one.message is not None and one.message.companion
        return companion, one.found.start - one.found.end, one.found.start

    for one in sorted(said, key=order):
        start, end = one.found.start, one.found.end
        if one.message is None or _overlaps(taken, start, end):
            continue
        clues = _clues(one)
        inside = frames.around(start)
        if inside is not None:
            clues = {**_clues(inside), **clues}
            start, end = inside.found.start, max(end, inside.found.end)
        while (frame := frames.before(start)) is not None:
            clues = {**_clues(frame), **clues}
            start = frame.found.start
        insort(taken, (start, end))
        found.append(Complaint(one.message, MappingProxyType(clues), start, end, text.around(start, end)))
    return sorted(found, key=lambda one: one.start)


def _overlaps(taken: Sequence[tuple[int, int]], start: int, end: int) -> bool:
    at = bisect_left(taken, (start, end))
    return (at < len(taken) and taken[at][0] < end) or (at > 0 and taken[at - 1][1] > start)


def _clues(one: _Match) -> dict[str, str]:
    """What a wording tells: what it says of itself, and what stands in its gaps."""
    told = dict(one.message.tells) if one.message is not None else {}
    return {**told, **one.way.tells, **one.found.gaps}


def _distinct(found: Iterable[Complaint]) -> list[Complaint]:
    seen: dict[tuple[str, tuple[tuple[str, str], ...]], Complaint] = {}
    for one in found:
        clues = MappingProxyType(derived(one.clues))
        key = one.message.id, tuple(sorted((name, text) for name, text in clues.items() if name != "url"))
        seen.setdefault(key, one._replace(clues=clues))
        if len(seen) >= _MOST:
            break
    return list(seen.values())


def _completed(found: Sequence[Complaint]) -> list[Complaint]:
    """With the address that the whole text speaks of, for those that name none. (Two addresses: nobody knows which.)"""
    shared: dict[str, str] = {}
    for names in (_OF_THE_URL, _OF_THE_PAGE):
        told = {one.clues[names[0]]: one for one in found if names[0] in one.clues}
        if len(told) == 1:
            (only,) = told.values()
            shared |= {name: only.clues[name] for name in names if name in only.clues}
    return [one._replace(clues=MappingProxyType(derived({**shared, **one.clues}))) for one in found]


def derived(told: Mapping[str, str]) -> dict[str, str]:
    """Clues, with those that follow from others."""
    clues = dict(told)
    url, page = _split(clues.get("url")), _split(clues.get("origin"))
    if url is not None:
        clues |= {"scheme": url.scheme, "host": url.hostname or "", "path": url.path or "/"}
        clues |= _of_engine_io(url)
        clues["loopback"] = _yes(is_loopback(url.hostname))
        port = _port(url)
        if port is not None:
            clues["port"] = str(port)
    if page is not None:
        clues["origin"] = f"{page.scheme}://{page.netloc}"
        clues |= {"origin_scheme": page.scheme, "origin_loopback": _yes(is_loopback(page.hostname))}
        if url is not None:
            clues["same_host"] = _yes(url.hostname == page.hostname)
    if "header" in clues:
        clues["header"] = clues["header"].lower()
    values = clues.get("value", "").replace(",", " ").split()
    if len(values) > 1:
        clues["values"] = "same" if len(set(values)) == 1 else "different"
    return clues


def _of_engine_io(url: SplitResult) -> dict[str, str]:
    try:
        query = parse_qs(url.query, max_num_fields=50)
    except ValueError:
        return {}
    if "transport" not in query:
        return {"transport": "none"}
    found = {"transport": query["transport"][0], "session": _yes("sid" in query)}
    return {**found, "protocol": query["EIO"][0]} if "EIO" in query else found


def _split(text: str | None) -> SplitResult | None:
    """An address; None where it is none."""
    try:
        parts = urlsplit(text or "")
        return parts if parts.scheme and (parts.hostname or parts.scheme == "file") else None
    except ValueError:
        return None


def _port(url: SplitResult) -> int | None:
    try:
        return url.port or _DEFAULT_PORTS.get(url.scheme)
    except ValueError:
        return None


def is_loopback(host: str | None) -> bool:
    """Whether a host is this machine by its name."""
    name = (host or "").lower()
    return name in ("localhost", "::1") or name.endswith(".localhost") or name.startswith("127.")


def _yes(value: bool) -> str:
    return "yes" if value else "no"
