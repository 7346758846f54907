"""Values where the environment is known: what a run of the program has and the source alone leaves open."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from corslint.behaviour.origins import Scene
from corslint.extract import Policy
from corslint.model.facts import Fact
from corslint.model.values import (
    Call,
    Choice,
    Concat,
    Entry,
    EnvVar,
    Fallback,
    Literal,
    Member,
    Null,
    Operation,
    Sequence,
    Split,
    Spread,
    Undefined,
    Value,
)
from corslint.model.values import Mapping as MappingValue

_MAX_DEPTH = 30


class Hints(dict[str, str]):
    """Variables that may be set like this, as files of the project say: of others nothing is known."""


_CASE: Mapping[str, Callable[[str], str]] = {
    "lower": lambda text: text.lower(),
    "toLowerCase": lambda text: text.lower(),
    "upper": lambda text: text.upper(),
    "toUpperCase": lambda text: text.upper(),
    "strip": lambda text: text.strip(),
    "trim": lambda text: text.strip(),
}
"""Methods of texts that flags from the environment are commonly read through."""


def with_environment(policy: Policy, scene: Scene, environment: Mapping[str, str]) -> Policy:
    """The policy with these variables set and all others unset; the given one stays as it is."""
    values = {name: settled(value, scene, environment) for name, value in policy.fact.values.items()}
    return policy._replace(fact=Fact(policy.fact.kind, policy.fact.span, dict(policy.fact.fields), values))


def settled(value: Value, scene: Scene, environment: Mapping[str, str], depth: int = 0) -> Value:
    """A value without environment variables, and without the choices that they decided."""
    if depth > _MAX_DEPTH:
        return value
    value = scene.resolve(value)

    def inner(part: Value) -> Value:
        return settled(part, scene, environment, depth + 1)

    if isinstance(value, Sequence):
        return value._replace(items=tuple(_spread_out(value.items, inner)))
    match value:
        case EnvVar(name=name):
            text = environment.get(name)
            if text is None and isinstance(environment, Hints):
                return value
            return Undefined(value.span) if text is None else Literal(text, value.span)
        case Fallback(first=first, then=then, on=on):
            given = inner(first)
            if isinstance(given, (Null, Undefined)) or (
                on == "falsy" and isinstance(given, Literal) and not given.value
            ):
                return inner(then)
            certain = isinstance(given, (Literal, Sequence, MappingValue))
            return given if certain else value._replace(first=given, then=inner(then))
        case Choice(test=test, yes=yes, no=no):
            tested = inner(test)
            if isinstance(tested, (Literal, Null, Undefined)):
                return inner(yes if isinstance(tested, Literal) and tested.value else no)
            return value._replace(yes=inner(yes), no=inner(no))
        case Split(value=whole, separator=separator, trimmed=trimmed):
            cut = inner(whole)
            if isinstance(cut, (Null, Undefined)):
                return Undefined(value.span)  # as `?.` has it; without that the program stops here
            if not isinstance(cut, Literal) or not isinstance(cut.value, str):
                return value._replace(value=cut)
            pieces = cut.value.split(separator)
            return Sequence(
                tuple(Literal(piece.strip() if trimmed else piece, value.span) for piece in pieces), value.span
            )
        case Operation(operator="==", operands=(one, other)):
            left, right = inner(one), inner(other)
            if not isinstance(left, Literal) or not isinstance(right, Literal):
                return value
            return Literal(left.value == right.value, value.span)
        case Call(callee=Member(base=base, key=key), arguments=()) if key in _CASE:
            held = inner(base)
            if not isinstance(held, Literal) or not isinstance(held.value, str):
                return value
            return Literal(_CASE[key](held.value), value.span)
        case Concat(parts=parts):
            known = [inner(part) for part in parts]
            if all(isinstance(part, Literal) for part in known):
                return Literal("".join(str(part.value) for part in known if isinstance(part, Literal)), value.span)
            return value._replace(parts=tuple(known))
        case MappingValue(items=entries):
            return value._replace(items=tuple(part for item in entries for part in _entries(item, inner)))
    return value


def _entries(item: Entry | Spread, inner: Callable[[Value], Value]) -> Iterator[Entry | Spread]:
    """An entry with its key and value settled; several, where one stands for all the keys of a list."""
    if isinstance(item, Spread):
        yield item
        return
    entry = item._replace(value=inner(item.value))
    keys = inner(item.computed.value) if isinstance(item.computed, Spread) else None
    if item.computed is not None and not isinstance(item.computed, Spread):
        keys = Sequence((inner(item.computed),), item.key_span)
    texts = (
        [key.value if isinstance(key, Literal) else None for key in keys.items] if isinstance(keys, Sequence) else []
    )
    if not texts or not all(isinstance(text, str) for text in texts):
        yield entry
        return
    for text in texts:
        yield entry._replace(key=text, computed=None)


def _spread_out(items: Iterable[Value], inner: Callable[[Value], Value]) -> Iterator[Value]:
    for item in items:
        if not isinstance(item, Spread):
            yield inner(item)
            continue
        spread = inner(item.value)
        if isinstance(spread, Sequence):
            yield from spread.items
        else:
            yield item._replace(value=spread)
