"""Facts: the common model that every parser's findings are turned into, and that rules ask about.

A fact is a kind, a place, and named fields. Field names may be dotted (`effect.to_stranger`); `FACT_KINDS`
(`corslint/model/kinds.py`) lists every field a rule may ask for.
"""

from __future__ import annotations

from typing import Literal as OneOf

from corslint.model.values import Value
from corslint.records import NamedTuple
from corslint.source import Span

State = OneOf["written", "default", "absent", "unknown"]


class Field(NamedTuple):
    """One field of a fact.

    `value` is a plain Python object: text, number, boolean, a tuple of those, or a `Span` for an instance.
    `state`: `written` in the source (also derived from written values), `default` (the library's default or what an
    absent option means), `absent` (certainly not there), `unknown` (could not be determined; `value` is then None).
    `span` is where the value stands, or the call for a default. `trail` are the places it came through on the way
    from its use to `span`, nearest to the use first. `confidence` is `high`, `medium` or `low`.
    """

    value: object
    state: State = "written"
    span: Span | None = None
    trail: tuple[Span, ...] = ()
    confidence: str = "high"


ABSENT = Field(None, "absent")
UNKNOWN = Field(None, "unknown")


class Fact:
    """One fact. `id` is unique in a run; `parts` names other facts by role (`policy`, `owner`, ...)."""

    __slots__ = ("fields", "id", "kind", "parts", "span", "values")

    def __init__(self, kind: str, span: Span, fields: dict[str, Field], values: dict[str, Value] | None = None) -> None:
        self.kind = kind
        self.span = span
        self.fields = fields
        self.values = values or {}
        self.parts: dict[str, Fact] = {}
        self.id = -1

    def field(self, name: str) -> Field:
        """The field, or an absent one (its span is then the fact's own)."""
        found = self.fields.get(name)
        return found if found is not None else Field(None, "absent", self.span)

    def __repr__(self) -> str:
        shown = {name: field.value if field.state != "unknown" else "?" for name, field in self.fields.items()}
        return f"Fact({self.kind}, {self.span.path}:{self.span.start}, {shown})"
