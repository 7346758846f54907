"""Facts as JSON, version 1 (`corslint facts`): fields may be added, never changed. The shipped schema describes it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from corslint.model.facts import Fact, Field
from corslint.report._json import dumps
from corslint.source import SourceFile, Span

VERSION = 1

_Sources = Callable[[str], SourceFile]


def render(facts: Sequence[Fact], sources: _Sources) -> str:
    """All facts, sorted by path and place. `parts` name other facts by their `id`, which holds within one output."""
    ordered = sorted(facts, key=lambda fact: (fact.span.path, fact.span.start, fact.kind, fact.span.end))
    numbers = {id(fact): number for number, fact in enumerate(ordered)}
    document = {"version": VERSION, "facts": [_fact(fact, numbers, sources) for fact in ordered]}
    return dumps(document) + "\n"


def _fact(fact: Fact, numbers: dict[int, int], sources: _Sources) -> dict[str, object]:
    end = sources(fact.span.path).position(fact.span.end)
    return {
        "id": numbers[id(fact)],
        "kind": fact.kind,
        **_place(fact.span, sources),
        "end_line": end.line,
        "end_column": end.column,
        "fields": {name: _field(field, sources) for name, field in sorted(fact.fields.items())},
        "parts": {role: numbers[id(part)] for role, part in sorted(fact.parts.items()) if id(part) in numbers},
    }


def _field(field: Field, sources: _Sources) -> dict[str, object]:
    shown: dict[str, object] = {
        "value": _value(field.value, sources),
        "state": field.state,
        "confidence": field.confidence,
    }
    if field.span is not None:
        shown.update(_place(field.span, sources))
    return shown


def _value(value: object, sources: _Sources) -> object:
    if isinstance(value, Span):
        return _place(value, sources)
    if isinstance(value, tuple | list | frozenset | set):
        items = [_value(item, sources) for item in value]
        return sorted(items, key=str) if isinstance(value, frozenset | set) else items
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)


def _place(span: Span, sources: _Sources) -> dict[str, object]:
    at = sources(span.path).position(span.start)
    return {"path": span.path, "line": at.line, "column": at.column}
