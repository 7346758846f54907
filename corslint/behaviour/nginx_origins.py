"""What an nginx value makes of a request's Origin: `map`, `set` in `if`, and plain words, compiled to a Decision.

Variables are followed to the words they come from. nginx compares the plain keys of a map without regard to case, tries
regular expressions in text order after them, and evaluates `set` and `if` in text order, so that the last assignment
whose condition holds wins (knowledge: nginx.md 2, measured).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from corslint.behaviour.nginx_levels import Assignment, Level, Unit
from corslint.model.decisions import (
    All,
    Always,
    Answer,
    Any,
    Atom,
    Case,
    Decision,
    Echo,
    Fixed,
    Not,
    Nothing,
    Predicate,
    Star,
    UnknownAnswer,
    UnknownPredicate,
)
from corslint.model.patterns import Pattern
from corslint.model.reading import Directive, Word
from corslint.records import NamedTuple
from corslint.regexes import regex
from corslint.source import Span

_DEPTH = 8
_CASES = 400
_STEPS = 10_000

_VARIABLE = regex(r"\$(?:\{(\w+)\}|(\w+))")
_PLACEHOLDER = regex(r"\{\{|<%|%\{")
_MATCHES = {"~": False, "~*": False, "!~": True, "!~*": True}


class Text(NamedTuple):
    """One thing that a value can be: a text, the request's own Origin (`echo`), or unknown (`text` None, no echo).

    Of several, the first whose predicate holds counts.
    """

    predicate: Predicate
    text: str | None
    echo: bool
    span: Span


class Scope(NamedTuple):
    """Where a value is evaluated: its level, and the configuration whose maps are in force."""

    unit: Unit
    level: Level


class _TooMuchError(Exception):
    """Variables that refer to each other over and over."""


class _Walk:
    """How far variables have been followed: how deep, and in how many steps altogether."""

    __slots__ = ("_spent", "depth")

    def __init__(self, depth: int = _DEPTH, spent: list[int] | None = None) -> None:
        self.depth = depth
        self._spent = spent if spent is not None else [0]

    def step(self) -> None:
        self._spent[0] += 1
        if self._spent[0] > _STEPS:
            raise _TooMuchError

    def deeper(self) -> _Walk:
        self.step()
        return _Walk(self.depth - 1, self._spent)


def variables(text: str) -> list[str]:
    """The names of nginx variables in a word, without regex captures (`$1`)."""
    if "$" not in text:
        return []
    return [found[1] or found[2] for found in _VARIABLE.finditer(text) if not (found[1] or found[2]).isdigit()]


def compile_value(word: Word, scope: Scope, text: str | None = None) -> Decision:
    """The decision that a header value stands for. `text` replaces the word's own text (a part of it)."""
    return _decision(_followed(word.text if text is None else text, word.span, scope))


def compile_condition(words: Sequence[Word], scope: Scope) -> Predicate:
    """The condition of an `if` as a test on the Origin; unknown where it asks for anything else."""
    try:
        return _condition(words, scope, _Walk())
    except _TooMuchError:
        return UnknownPredicate("variables that refer to each other over and over", words[0].span)


def guarded(decision: Decision, condition: Predicate, span: Span) -> Decision:
    """The decision, for requests on which the condition holds; the others get nothing from here."""
    cases = [case._replace(predicate=_both(condition, case.predicate)) for case in decision.cases]
    return Decision((*cases, Case(Always(), Nothing(), span)))


def possible_texts(word: Word, scope: Scope) -> tuple[Text, ...]:
    """Everything a value can be, in order of precedence."""
    return tuple(_followed(word.text, word.span, scope))


def _followed(text: str, span: Span, scope: Scope) -> list[Text]:
    try:
        return _texts(text, span, scope, _Walk())
    except _TooMuchError:
        return _unknown(span)


def _decision(texts: Sequence[Text]) -> Decision:
    return Decision(tuple(Case(one.predicate, _answer(one), one.span) for one in texts))


def _answer(one: Text) -> Answer:
    if one.echo:
        return Echo()
    if one.text is None:
        return UnknownAnswer("a value that could not be followed")
    if one.text == "":
        return Nothing()  # nginx sends no header with an empty value
    return Star() if one.text == "*" else Fixed(one.text)


def _unknown(span: Span) -> list[Text]:
    return [Text(Always(), None, False, span)]


def _both(first: Predicate, second: Predicate) -> Predicate:
    if isinstance(first, Always):
        return second
    return first if isinstance(second, Always) else All((first, second))


# --------------------------------------------------------------------------------------------------------------- values


def _texts(text: str, span: Span, scope: Scope, walk: _Walk) -> list[Text]:
    if _PLACEHOLDER.search(text):
        return _unknown(span)
    used = _VARIABLE.search(text)
    if used is None:
        return [Text(Always(), text, False, span)]
    name = used[1] or used[2]
    if walk.depth <= 0 or used.group() != text or name.isdigit():
        return _unknown(span)
    if name == "http_origin":
        return [Text(Always(), None, True, span)]
    definition = scope.unit.maps.get(name)
    if definition is not None:
        return _map_texts(definition, scope, walk.deeper())
    return _set_texts(name, span, scope, walk.deeper())


def _map_texts(definition: Directive, scope: Scope, walk: _Walk) -> list[Text]:
    if definition.arguments[0].text not in ("$http_origin", "${http_origin}"):
        return _map_of_text(definition, scope, walk)
    exact: list[tuple[Predicate, Word]] = []
    wildcards: list[tuple[str, Predicate, Word]] = []
    patterns: list[tuple[Predicate, Word]] = []
    default: Word | None = None
    hostnames = False
    for number, entry in enumerate(definition.block or ()):
        walk.step()
        if entry.key == "volatile" and not entry.arguments:
            continue
        if entry.key == "hostnames" and not entry.arguments and number == 0:  # it counts for what follows
            hostnames = True
            continue
        if len(entry.arguments) != 1 or entry.key == "include":
            return _unknown(definition.arguments[1].span)  # an include, or damage
        key, value = entry.name, entry.arguments[0]
        if key.text == "default":
            default = value
        elif _PLACEHOLDER.search(key.text) or ("$" in key.text.rstrip("$") and not key.text.startswith("~")):
            exact.append((UnknownPredicate("a template's placeholder", key.span), value))
        elif key.text.startswith("~"):
            patterns.append((_pattern(key.text[1:], key.span), value))
        else:
            text = key.text.removeprefix("\\")
            if hostnames and (wildcard := _wildcard(text, key.span)) is not None:
                wildcards.append((text, wildcard, value))
                continue
            absent = Not(Atom("origin", "present", "", False, key.span))  # the key "" is a request without an Origin
            exact.append((Atom("origin", "equals", text, True, key.span) if text else absent, value))
    exact += [(predicate, value) for _, predicate, value in sorted(wildcards, key=lambda one: _rank(one[0]))]
    if len(exact) + len(patterns) > _CASES:
        return _unknown(definition.arguments[1].span)
    texts = [
        inner._replace(predicate=_both(predicate, inner.predicate))
        for predicate, value in (*exact, *patterns)
        for inner in _texts(value.text, value.span, scope, walk)
    ]
    if default is None:
        return [*texts, Text(Always(), "", False, definition.arguments[1].span)]
    return [*texts, *_texts(default.text, default.span, scope, walk)]


def _wildcard(name: str, span: Span) -> Predicate | None:
    """What a name with a wildcard asks of an Origin, whose scheme is a part of the first label (measured).

    `.example.com` is `*.example.com` here: the name alone, without a scheme, is no Origin.
    """
    if name.startswith(("*.", ".")):
        return Atom("origin", "ends", name.removeprefix("*").lower(), True, span)
    return Atom("origin", "starts", name.removesuffix("*").lower(), True, span) if name.endswith(".*") else None


def _rank(name: str) -> tuple[bool, int]:
    """Wildcards in the order in which nginx looks: those in front first, of each kind the longest first."""
    return name.endswith(".*"), -name.strip("*.").count(".")


def _map_of_text(definition: Directive, scope: Scope, walk: _Walk) -> list[Text]:
    """A map of another variable: a mapping of that one's possible texts."""
    source = definition.arguments[0]
    place = definition.arguments[1].span
    entries: dict[str, Word] = {}
    for entry in definition.block or ():
        walk.step()
        if len(entry.arguments) != 1 or entry.key == "include" or entry.key.startswith("~"):
            return _unknown(place)
        entries.setdefault(entry.key.removeprefix("\\").lower(), entry.arguments[0])
    texts: list[Text] = []
    for one in _texts(source.text, source.span, scope, walk):
        if one.text is None:
            return _unknown(place)
        value = entries.get(one.text.lower()) or entries.get("default")
        if value is None:
            texts.append(one._replace(text=""))
            continue
        texts.extend(
            inner._replace(predicate=_both(one.predicate, inner.predicate))
            for inner in _texts(value.text, value.span, scope, walk)
        )
    return texts if len(texts) <= _CASES else _unknown(place)


def _set_texts(name: str, span: Span, scope: Scope, walk: _Walk) -> list[Text]:
    assignments = _assignments(name, scope.level)
    if not assignments:
        return _unknown(span)
    texts: list[Text] = []
    for one in reversed(assignments):
        walk.step()
        if name in variables(one.value.text):
            return _unknown(span)  # `set $x "${x}y"`
        condition = Always() if one.test is None else _condition(one.test.arguments, scope, walk)
        inner = _texts(one.value.text, one.value.span, scope, walk)
        texts.extend(text._replace(predicate=_both(condition, text.predicate)) for text in inner)
        if len(texts) > _CASES:
            return _unknown(span)
        if isinstance(condition, Always):
            return texts
    return [*texts, Text(Always(), "", False, span)]  # never set: empty, with a warning in nginx's log


def _assignments(name: str, level: Level) -> list[Assignment] | None:
    """The `set`s of a variable that are run for requests of this level, in the order in which they run.

    One in the `if` that is the level itself is run without a test.

    nginx runs the server's and then those of the one location that takes the request, not those of locations around it.
    None where a level further in sets the variable as well, so that it depends on the request.
    """
    owner = level.parent if level.kind == "if" and level.parent is not None else level
    server = next((one for one in owner.outwards() if one.kind == "server"), None)
    frames = [server, owner] if server is not None and server is not owner else [owner]
    every = [one for frame in frames for one in frame.sets.get(name, ())]
    found = [one._replace(test=None) if one.test is level.directive else one for one in every]
    return None if name in level.sets_inside else found


# ----------------------------------------------------------------------------------------------------------- conditions


def _pattern(text: str, span: Span) -> Atom:
    """What stands behind the first `~` of a map key."""
    flags = "i" if text.startswith("*") else ""
    source = text.removeprefix("*")
    return Atom("origin", "matches", Pattern(source, flags, "pcre", "search"), False, span)


def _condition(words: Sequence[Word], scope: Scope, walk: _Walk) -> Predicate:
    if not words:
        return UnknownPredicate("an empty condition", Span("", 0, 0))
    subject = words[0]
    unknown = UnknownPredicate("a condition that could not be followed", subject.span)
    if walk.depth <= 0 or len(words) == 2 or len(words) > 3:
        return unknown
    test, negated, place = _test(words)
    if test is None:
        return unknown
    if subject.text in ("$http_origin", "${http_origin}"):
        predicate = _origin_test(words)
    else:
        predicate = _choice_of(_texts(subject.text, subject.span, scope, walk.deeper()), test, words, place)
    if isinstance(predicate, UnknownPredicate):
        return predicate
    return Not(predicate) if negated else predicate


def _test(words: Sequence[Word]) -> tuple[Callable[[str], bool] | None, bool, Span]:
    """The test on a known text, whether it is negated, and where it stands."""
    if len(words) == 1:
        return (lambda text: text not in ("", "0")), False, words[0].span
    operator, operand = words[1].text, words[2]
    if operator in ("=", "!=") and not variables(operand.text):
        return (lambda text: text == operand.text), operator == "!=", operand.span
    if operator in _MATCHES:
        flags = re.IGNORECASE if operator.endswith("*") else 0
        literal = re.fullmatch(r"\^?[\w ]*\$?", operand.text)
        if literal is None:  # only a test on the Origin itself is followed then
            return (lambda _: False), _MATCHES[operator], operand.span
        expression = re.compile(operand.text, flags)
        return (lambda text: expression.search(text) is not None), _MATCHES[operator], operand.span
    return None, False, words[0].span


def _origin_test(words: Sequence[Word]) -> Predicate:
    if len(words) == 1:
        return Atom("origin", "present", "", False, words[0].span)
    operator, operand = words[1].text, words[2]
    if operator in _MATCHES:
        flags = "i" if operator.endswith("*") else ""
        return Atom("origin", "matches", Pattern(operand.text, flags, "pcre", "search"), False, operand.span)
    if operand.text == "":
        return Not(Atom("origin", "present", "", False, operand.span))
    return Atom("origin", "equals", operand.text, False, operand.span)


def _choice_of(texts: Sequence[Text], test: Callable[[str], bool], words: Sequence[Word], place: Span) -> Predicate:
    """Holds where one of the texts is chosen that pass the test."""
    simple = len(words) == 1 or words[1].text in ("=", "!=") or re.fullmatch(r"\^?[\w ]*\$?", words[2].text)
    before: list[Predicate] = []
    chosen: list[Predicate] = []
    for one in texts:
        if one.text is None or not simple:
            return UnknownPredicate("a condition that could not be followed", place)
        if test(one.text):
            chosen.append(All((*(Not(earlier) for earlier in before), one.predicate)))
        before.append(one.predicate)
    return Any(tuple(chosen))
