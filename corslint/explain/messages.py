"""What browsers, clients and servers say: `messages.yaml`, loaded and checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

from corslint import resources
from corslint.explain.wordings import Wording
from corslint.model.symptom import CLUES
from corslint.records import NamedTuple
from corslint.yamlfile import Checker, KeyPath, parse

SPEAKERS = ("browser", "client", "server", "proxy")
BROWSERS = ("chromium", "firefox", "safari")

_BASES = ("seen", "source", "reports")
"""How a wording is known."""
_MESSAGE_KEYS = ("id", "from", "means", "next", "says", "alone", "tells", "follows", "companion", "examples")
_WORDING_KEYS = ("text", "browser", "tells", "basis")


class Way(NamedTuple):
    """One way to say something, and what this very wording tells."""

    wording: Wording
    tells: Mapping[str, str]


class Example(NamedTuple):
    """A text in which the message has to be found, with these clues."""

    text: str
    clues: Mapping[str, str]


class Message(NamedTuple):
    """One thing that is said, in all its wordings."""

    id: str
    speaker: str
    means: str
    next: str
    ways: tuple[Way, ...]
    tells: Mapping[str, str]
    follows: tuple[str, ...]
    """Ids of the messages that it is a consequence of."""
    companion: bool
    """It stands beside messages that say more."""
    examples: tuple[Example, ...]


class Messages(NamedTuple):
    """All that is known to be said."""

    frames: tuple[Way, ...]
    """Beginnings of messages."""
    messages: tuple[Message, ...]


@lru_cache(maxsize=1)
def known() -> Messages:
    """The messages that corslint brings along."""
    path = resources.messages_file()
    return read(path.read_bytes(), path)


def read(data: bytes, path: Path) -> Messages:
    """Check and compile a file of messages.

    Raises:
        YamlError: it is not valid.

    """
    return _Compiler(str(path), data).messages()


class _Compiler:
    def __init__(self, shown: str, data: bytes) -> None:
        self._check = Checker(shown, data)
        self._raw = parse(data, shown)

    def messages(self) -> Messages:
        check, raw = self._check, self._raw
        check.keys(raw, (), ("frames", "messages"), ("frames", "messages"))
        frames = [self._way(one, ("frames", n)) for n, one in enumerate(check.items(raw["frames"], ("frames",)))]
        found: dict[str, Message] = {}
        for number, one in enumerate(check.items(raw["messages"], ("messages",))):
            message = self._message(one, ("messages", number))
            if message.id in found:
                raise check.fail(("messages", number, "id"), f"there is already a message {message.id!r}")
            found[message.id] = message
        for number, message in enumerate(found.values()):
            for other in message.follows:
                check.one_of(other, ("messages", number, "follows"), tuple(found))
        return Messages(tuple(frames), tuple(found.values()))

    def _message(self, value: object, at: KeyPath) -> Message:
        check = self._check
        raw = check.keys(value, at, _MESSAGE_KEYS, ("id", "from", "means", "next", "examples"))
        says = [self._way(one, (*at, "says", n)) for n, one in enumerate(self._list(raw.get("says"), (*at, "says")))]
        alone = [
            Way(self._wording(one, (*at, "alone", n), alone=True), MappingProxyType({}))
            for n, one in enumerate(self._list(raw.get("alone"), (*at, "alone")))
        ]
        if not says and not alone:
            raise check.fail(at, "a message needs wordings: `says` or `alone`")
        examples = tuple(
            self._example(one, (*at, "examples", n))
            for n, one in enumerate(check.items(raw["examples"], (*at, "examples")))
        )
        if not examples:
            raise check.fail((*at, "examples"), "a message needs an example")
        companion = check.one_of(raw.get("companion", "no"), (*at, "companion"), ("yes", "no")) == "yes"
        return Message(
            check.text(raw["id"], (*at, "id")),
            check.one_of(raw["from"], (*at, "from"), SPEAKERS),
            check.text(raw["means"], (*at, "means")),
            check.text(raw["next"], (*at, "next")),
            (*says, *alone),
            self._clues(raw.get("tells", {}), (*at, "tells")),
            tuple(
                check.text(one, (*at, "follows", n))
                for n, one in enumerate(self._list(raw.get("follows"), (*at, "follows")))
            ),
            companion,
            examples,
        )

    def _way(self, value: object, at: KeyPath) -> Way:
        check = self._check
        if not isinstance(value, dict):
            return Way(self._wording(value, at), MappingProxyType({}))
        raw = check.keys(value, at, _WORDING_KEYS, ("text",))
        check.one_of(raw.get("basis", _BASES[0]), (*at, "basis"), _BASES)
        tells = dict(self._clues(raw.get("tells", {}), (*at, "tells")))
        if "browser" in raw:
            tells["browser"] = check.one_of(raw["browser"], (*at, "browser"), BROWSERS)
        return Way(self._wording(raw["text"], (*at, "text")), MappingProxyType(tells))

    def _wording(self, value: object, at: KeyPath, *, alone: bool = False) -> Wording:
        try:
            return Wording(self._check.text(value, at), alone=alone)
        except ValueError as error:
            raise self._check.fail(at, str(error)) from None

    def _example(self, value: object, at: KeyPath) -> Example:
        raw = self._check.keys(value, at, ("text", "clues"), ("text", "clues"))
        return Example(self._check.text(raw["text"], (*at, "text")), self._clues(raw["clues"], (*at, "clues")))

    def _clues(self, value: object, at: KeyPath) -> Mapping[str, str]:
        raw = self._check.keys(value, at, CLUES)
        return MappingProxyType({name: self._check.text(text, (*at, name)) for name, text in raw.items()})

    def _list(self, value: object, at: KeyPath) -> Sequence[object]:
        return () if value is None else self._check.items(value, at)
