"""YAML files of our own making: read without surprises, and refused with file, line and the nearest valid name."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

KeyPath = tuple[str | int, ...]


class YamlError(Exception):
    """A YAML file that can't be used. `line` is 1-based."""

    def __init__(self, path: str, line: int, message: str) -> None:
        super().__init__(f"{path}:{line}: {message}")
        self.path = path
        self.line = line
        self.message = message


def loader() -> Any:
    """The loader for all YAML of our own: safe, and in C where the library has it."""
    import yaml  # here and below only where a file is read: its import takes as long as a whole small file

    return getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def load(path: Path, shown: str | None = None) -> dict[str, Any]:
    """Read one YAML mapping. Aliases are refused: a few of them can stand for gigabytes."""
    return parse(path.read_bytes(), shown or str(path))


def parse(data: bytes, shown: str) -> dict[str, Any]:
    """Like `load`, for bytes; `shown` is the path that errors name."""
    import yaml

    text = data.decode("utf-8-sig", "replace")
    try:
        if "*" in text or "&" in text:
            for event in yaml.parse(text, Loader=loader()):
                if isinstance(event, yaml.AliasEvent):
                    line = event.start_mark.line + 1 if event.start_mark is not None else 1
                    raise YamlError(shown, line, "aliases are not allowed here; write the value out")
        loaded = yaml.load(text, Loader=loader())  # noqa: S506  (CSafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise YamlError(shown, line, f"not valid YAML: {error.problem}") from None
    except (yaml.YAMLError, RecursionError, ValueError) as error:  # a date that is none, a number that is too long
        raise YamlError(shown, 1, f"not valid YAML: {type(error).__name__}") from None
    if not isinstance(loaded, dict):
        raise YamlError(shown, 1, "a mapping is expected at the top")
    return loaded


def without_examples(data: bytes) -> bytes:
    """A file without its examples, which stand at its end: most of it, and of no use where nothing is explained."""
    cut = data.rfind(b"\nexamples:\n")
    return data if cut == -1 else data[: cut + 1] + b"examples: []\n"


def line_of(data: bytes, at: KeyPath) -> int:
    """The 1-based line of a key path, or of its nearest parent where the path is not there. For errors only: slow."""
    import yaml

    node = yaml.compose(data.decode("utf-8-sig", "replace"), Loader=loader())
    line = 1
    for step in at:
        found = None
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                if key.value == str(step):
                    line, found = key.start_mark.line + 1, value
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            found = node.value[step]
            line = found.start_mark.line + 1
        if found is None:
            return line
        node = found
    return line


def nearest(name: str, allowed: Collection[str]) -> str:
    """` (did you mean 'x'?)`, or nothing where no allowed name is near."""
    import difflib  # wanted for mistakes alone

    close = difflib.get_close_matches(name, list(allowed), 1, 0.6)
    return f" (did you mean {close[0]!r}?)" if close else ""


class Checker:
    """Checks the parts of one loaded file; every complaint names the file and the line."""

    def __init__(self, shown: str, data: bytes) -> None:
        self.shown = shown
        self._data = data

    def fail(self, at: KeyPath, message: str) -> YamlError:
        """The error to raise for the place `at`."""
        return YamlError(self.shown, line_of(self._data, at), message)

    def keys(
        self, value: object, at: KeyPath, allowed: Collection[str], required: Collection[str] = ()
    ) -> Mapping[str, Any]:
        """`value` as a mapping with these keys only."""
        if not isinstance(value, dict):
            raise self.fail(at, f"{_name(at)} has to be a mapping")
        for key in value:
            if key not in allowed:
                raise self.fail((*at, str(key)), f"unknown key {key!r} in {_name(at)}{nearest(str(key), allowed)}")
        for key in required:
            if key not in value:
                raise self.fail(at, f"{_name(at)} lacks the key {key!r}")
        return value

    def items(self, value: object, at: KeyPath) -> Sequence[Any]:
        """`value` as a list."""
        if not isinstance(value, list):
            raise self.fail(at, f"{_name(at)} has to be a list")
        return value

    def text(self, value: object, at: KeyPath) -> str:
        """`value` as a text. YAML's bare yes, no, on and off are booleans: say so."""
        if isinstance(value, bool):
            raise self.fail(at, f"{_name(at)} has to be a text; YAML reads this word as a boolean, so put it in quotes")
        if not isinstance(value, str):
            raise self.fail(at, f"{_name(at)} has to be a text")
        return value

    def one_of(self, value: object, at: KeyPath, allowed: Collection[str]) -> str:
        """`value` as one of the allowed texts."""
        text = self.text(value, at)
        if text not in allowed:
            raise self.fail(
                at, f"{text!r} is not a valid {_name(at)}{nearest(text, allowed)}; valid: {', '.join(allowed)}"
            )
        return text


def _name(at: KeyPath) -> str:
    names = [str(step) for step in at if not isinstance(step, int)]
    return f"`{names[-1]}`" if names else "the file"
