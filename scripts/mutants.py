"""Breaks each rule and each framework descriptor in one place at a time: some example has to notice.

    python scripts/mutants.py                         # all files; status 1 if anything is wrong
    python scripts/mutants.py --only rules/x.yaml     # these files alone
    python scripts/mutants.py --list                  # which mutants there are, without running them

Examples that pass prove little as long as they would pass with a condition, a default or an option name gone. So every
condition, relation, case, edit, field, default, bound, word and name is dropped, negated or changed to a neighbour
(`rule_changes`, `descriptor_changes`), each for itself; so are the rows and lists of the tables that say what libraries
answer (`table_changes`). Texts for people, and examples, stay as they are.

A mutant of a rule is killed when an example of the rule fails, or one of a rule that yields to it. A mutant of a
descriptor is killed when one of its own examples fails, a prediction about its library or an emulated answer
contradicts the recording (`fixtures/oracle`), or an example of a rule about the same language fails. Nothing but
emulation looks at a table: a mutant of one is judged by the recorded answers alone, of programs that are read once. A
mutant that does not load counts for nothing. What is printed is alive:

    rules/x.yaml:12 match[0].where.origin: "star" -> dropped

To kill it, write the example in which that very thing decides: most often a near miss (`clean: true`) for a condition,
a firing example for a member of `one_of`, and for a name or a default of a descriptor an example with that option. Rule
examples may also assert `severity`, `effect`, `message` and the fix's `applicability`, and mark related places with
`⟪...⟫`. Where no program can tell the mutant from the original, list it in `scripts/mutants.yaml` with the reason. An
entry there whose mutant is killed, or does not exist any more, is an error; so are more than 2 % alive altogether.
"""

from __future__ import annotations

import argparse
import copy
import json
import multiprocessing
import os
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import Enum
from functools import cache, partial
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias, TypeVar, Union
from unittest import mock

import yaml

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from corslint import lint, resources, rulefiles, ruleset  # noqa: E402
from corslint.frameworks import catalog, descriptors  # noqa: E402
from corslint.model import responses  # noqa: E402
from corslint.model.edits import APPLICABILITY, VERBS  # noqa: E402
from corslint.model.finding import EFFECTS, SEVERITIES  # noqa: E402
from corslint.model.kinds import FACT_KINDS  # noqa: E402
from corslint.model.reading import Reading  # noqa: E402
from corslint.model.semantics import (  # noqa: E402
    CREDENTIALS,
    FUNCTIONS,
    GATES,
    HEADER_EXISTS,
    ITEM_MODES,
    LIST_OTHERWISE,
    LISTS,
    MEANINGS,
    NO_ERROR,
    PROMISES,
    REFUSED,
    REGEXES,
    ROW_WORDS,
    STAR_IN_LIST,
    TEXT_MODES,
)
from corslint.parsers import parse as parse_file  # noqa: E402
from corslint.rulefiles import CONDITIONS, EXPECT  # noqa: E402
from corslint.settings import Settings  # noqa: E402
from corslint.source import SourceFile  # noqa: E402
from corslint.yamlfile import Checker, KeyPath, YamlError, line_of, loader, parse  # noqa: E402
from tests import descriptor_examples, emulation, examples, test_predictions  # noqa: E402

ACCEPTED = "scripts/mutants.yaml"
LEAST = 500
"""How many mutants that load there have to be, so that an operator cannot get lost unnoticed."""
MOST_ALIVE = 0.02

Dumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class Dropped(Enum):
    """What stands in place of a value that is taken out."""

    DROPPED = "dropped"


DROPPED = Dropped.DROPPED
Change: TypeAlias = tuple[KeyPath, Any]
"""Where, and what is there instead."""
FieldType: TypeAlias = Union[str, tuple[str, ...]]


class Mutant(NamedTuple):
    """A file with one change. `file` is relative to the repository, `line` is 1-based."""

    file: str
    line: int
    at: KeyPath
    old: Any
    new: Any

    @property
    def path(self) -> str:
        """The key path, as people write it."""
        return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in self.at).lstrip(".")

    @property
    def change(self) -> str:
        """The old value and the new one; of two mappings the keys that differ."""
        old, new = self.old, self.new
        if isinstance(old, dict) and isinstance(new, dict):
            same = {key for key in old if key in new and old[key] == new[key]}
            old, new = ({key: one[key] for key in one if key not in same} for one in (old, new))
        return f"{_spelled(old)} -> {_spelled(new)}"

    def __str__(self) -> str:
        return f"{self.file}:{self.line} {self.path}: {self.change}"


def _spelled(value: object) -> str:
    if value is DROPPED:
        return "dropped"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 90 else text[:88] + "…" + text[-1]


def applied(raw: Any, change: Change) -> Any:
    """The data with the change made; the original stays as it is."""
    at, new = change
    changed = copy.copy(raw)
    if len(at) > 1:
        changed[at[0]] = applied(raw[at[0]], (at[1:], new))
    elif new is DROPPED:
        del changed[at[0]]
    else:
        changed[at[0]] = new
    return changed


def value_at(raw: Any, at: KeyPath) -> Any:
    """What stands at a key path."""
    for step in at:
        raw = raw[step]
    return raw


# --- neighbours -----------------------------------------------------------------------------------------------------


def following(words: Sequence[str], word: str) -> str:
    """The next word of a table; the first one after the last."""
    return words[(words.index(word) + 1) % len(words)]


def neighbour(value: Any, kind: FieldType = "text") -> Any:
    """Another literal of the same type, as near as possible; `kind` is a field's type in the table of facts."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    if value in ("yes", "no"):
        return "no" if value == "yes" else "yes"
    if not isinstance(kind, str) and value in kind:
        return following(kind, value)
    return f"{value}-x"


def ranges(text: str) -> Iterator[str]:
    """A range of versions with one of its bounds moved by one, down and up."""
    for number in re.finditer(r"\d+", text):
        for bound in int(number.group()) - 1, int(number.group()) + 1:
            if bound >= 0:
                yield text[: number.start()] + str(bound) + text[number.end() :]


def patterns(text: str) -> Iterator[str]:
    """A regular expression without one of its anchors, or without one of the alternatives of a group."""
    if text.startswith("^"):
        yield text[1:]
    if text.endswith("$") and not text.endswith("\\$"):
        yield text[:-1]
    depth = 0
    pieces = re.findall(r"\\.|\[(?:\\.|[^\]\\])+\]|\(\?:|.", text, re.DOTALL)
    opened = [0]
    bars: dict[int, list[int]] = {0: []}
    groups: list[tuple[int, int, list[int]]] = []
    for number, piece in enumerate(pieces):
        if piece in ("(", "(?:"):
            depth += 1
            opened[depth:] = [number + 1]
            bars[depth] = []
        elif piece == ")":
            groups.append((opened[depth], number, bars[depth]))
            depth -= 1
        elif piece == "|":
            bars[depth].append(number)
    groups.append((0, len(pieces), bars[0]))
    for start, end, cuts in sorted(groups):
        starts = list(zip([start, *(cut + 1 for cut in cuts)], [*cuts, end], strict=True))
        for left in range(len(starts)) if cuts else ():
            kept = ["".join(pieces[a:b]) for index, (a, b) in enumerate(starts) if index != left]
            yield "".join(pieces[:start]) + "|".join(kept) + "".join(pieces[end:])


def under(at: KeyPath, changes: Iterable[Change]) -> Iterator[Change]:
    """The same changes, one or more levels deeper."""
    for below, new in changes:
        yield (*at, *below), new


def each_dropped(value: Any) -> Iterator[Change]:
    """Each item of a list, or each key of a mapping, taken out."""
    for key in range(len(value)) if isinstance(value, list) else value:
        yield (key,), DROPPED


# --- rules ----------------------------------------------------------------------------------------------------------

UNTOUCHED_IN_RULES = frozenset({"id", "title", "explanation", "symptoms", "proof", "references", "examples"})
"""Keys of a rule that are for people, or are what the mutants are judged by."""


def rule_changes(raw: Mapping[str, Any]) -> Iterator[Change]:
    """Every change of one rule."""
    kinds = {clause["name"]: clause["fact"] for clause in raw["match"] if "name" in clause}
    sure = [clause["name"] for clause in raw["match"] if clause.get("expect", "some") == "some" and "name" in clause]
    for key, value in raw.items():
        if key == "severity":
            yield from under(("severity",), _severity(value, kinds))
        elif key == "effect":
            yield ("effect",), following(EFFECTS, value)
        elif key == "match":
            for number, clause in enumerate(value):
                yield from under(("match", number), _clause(clause))
        elif key == "report":
            yield from under(("report",), _report(value, sure))
        elif key in ("subjects", "yields_to"):
            yield from under((key,), each_dropped(value))
        elif key == "fix":
            yield from under(("fix",), _fix(value, kinds) if value is not None else ())
        elif key == "also":
            for number, way in enumerate(value):
                yield ("also", number), DROPPED
                yield from under(("also", number), rule_changes(way))
        elif key not in UNTOUCHED_IN_RULES:
            raise LookupError(f"no operator changes the key {key!r} of a rule: add one to scripts/mutants.py")


def _severity(value: Any, kinds: Mapping[str, str]) -> Iterator[Change]:
    if isinstance(value, str):
        yield (), following(SEVERITIES, value)
        return
    for number, case in enumerate(value):
        yield (number,), DROPPED
        yield (number, "is"), following(SEVERITIES, case["is"])
        if "effect" in case:
            yield (number, "effect"), following(EFFECTS, case["effect"])
        if "when" in case:
            if len(case) > 1:
                yield (number, "when"), DROPPED
            yield from under((number, "when"), _when(case["when"], kinds))
        if "fix" in case:
            yield (number, "fix"), DROPPED
            if case["fix"] is not None:
                yield from under((number, "fix"), _fix(case["fix"], kinds))


def _when(value: Mapping[str, Any], kinds: Mapping[str, str]) -> Iterator[Change]:
    for name, where in value.items():
        if len(value) > 1:
            yield (name,), DROPPED
        if isinstance(where, str):
            yield (name,), "absent" if where == "present" else "present"
        else:
            yield from under((name,), _where(where, kinds[name], keep_one=True))


def _where(value: Mapping[str, Any], kind: str, *, keep_one: bool = False) -> Iterator[Change]:
    """Changes of the conditions on a fact. `keep_one`: an empty mapping says no more than the missing one does."""
    for field, condition in value.items():
        if len(value) > 1 or not keep_one:
            yield (field,), DROPPED
        type_ = field_type(kind, field)
        yield (field,), negated(condition)
        yield from under((field,), condition_changes(condition, type_))


def field_type(kind: str, field: str) -> FieldType:
    """The type of a field of a kind of fact, as the table says it."""
    fields = FACT_KINDS[kind].fields
    spec = fields.get(field) or fields.get(field.rpartition(".")[0] + ".*")
    return spec.type if spec is not None else "text"


def negated(condition: Any) -> Any:
    """The condition turned around."""
    swapped = {"present": "absent", "absent": "present", "yes": "no", "no": "yes"}
    if isinstance(condition, bool):
        return not condition
    if isinstance(condition, str) and condition in swapped:
        return swapped[condition]
    if isinstance(condition, dict) and "not" in condition:
        return condition["not"]
    return {"not": condition}


def condition_changes(condition: Any, kind: FieldType) -> Iterator[Change]:
    """Changes inside a condition; turning it around is not among them."""
    if not isinstance(condition, dict):
        if condition not in ("present", "absent"):
            yield (), neighbour(condition, kind)
        return
    ((key, operand),) = condition.items()
    how = CONDITIONS[key].operand
    if how == "condition":
        yield from under((key,), condition_changes(operand, kind))
    elif how == "conditions":
        if len(operand) > 1:
            yield (), {"all" if key == "any" else "any": operand}
        for number, part in enumerate(operand):
            if len(operand) > 1:
                yield (key, number), DROPPED
            yield (key, number), negated(part)
            yield from under((key, number), condition_changes(part, kind))
    elif isinstance(operand, list):
        for number, part in enumerate(operand):
            yield (key, number), DROPPED if len(operand) > 1 else neighbour(part, kind)
    elif how == "regex":
        yield from (((key,), pattern) for pattern in patterns(operand))
    elif isinstance(operand, int | float) and not isinstance(operand, bool):
        yield (key,), operand + 1
        yield (key,), operand - 1
    elif how in ("literal", "text") and not re.match(r"[a-z][a-z0-9_]*\.", str(operand)):
        yield (key,), neighbour(operand)


def _clause(clause: Mapping[str, Any]) -> Iterator[Change]:
    expect = clause.get("expect", "some")
    if expect != "some":
        yield (), DROPPED
        others = {key: part for key, part in clause.items() if key != "expect"}
        yield (), {"name": "the_one_wanted", **others}
        if expect == "optional":
            yield ("expect",), following(EXPECT, following(EXPECT, expect))
    yield from under(("where",), _where(clause.get("where", {}), clause["fact"]))
    yield from under(("relation",), each_dropped(clause.get("relation") or {}))
    if isinstance(clause.get("distinct"), list):
        yield from under(("distinct",), each_dropped(clause["distinct"]))
    elif "distinct" in clause:
        yield ("distinct",), DROPPED


def _report(report: Mapping[str, Any], sure: Sequence[str]) -> Iterator[Change]:
    yield from ((("at",), other) for other in elsewhere(report["at"], sure))
    for number, entry in enumerate(report.get("related", ())):
        yield ("related", number), DROPPED
        yield from ((("related", number, "at"), other) for other in elsewhere(entry["at"], sure))


def elsewhere(place: str, sure: Sequence[str]) -> Iterator[str]:
    """Another place: the fact instead of its field; another clause's fact instead of a fact."""
    name, dot, _ = place.partition(".")
    yield from [name] if dot else [other for other in sure if other != name][:1]


def _fix(fix: Mapping[str, Any], kinds: Mapping[str, str]) -> Iterator[Change]:
    yield ("applicability",), following(APPLICABILITY, fix["applicability"])
    if "only_when" in fix:
        yield ("only_when",), DROPPED
        yield from under(("only_when",), _when(fix["only_when"], kinds))
    for number, edit in enumerate(fix["edits"]):
        yield ("edits", number), DROPPED
        for key, argument in edit.items():
            if key not in VERBS and key != "behind":
                yield from under(("edits", number, key), _literals(argument))
    if "otherwise" in fix:
        yield ("otherwise",), DROPPED
        yield from under(("otherwise",), _fix(fix["otherwise"], kinds))


def _literals(value: Any) -> Iterator[Change]:
    if isinstance(value, dict | list):
        yield from each_dropped(value)
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from under((key,), _literals(value[key]))
    elif value is not None:
        yield (), neighbour(value)


# --- descriptors ----------------------------------------------------------------------------------------------------

UNTOUCHED_IN_DESCRIPTORS = frozenset(
    {"id", "title", "fact", "language", "notes", "references", "examples", "consequence", "unchecked"}
)
"""Keys of a descriptor that are for people, that other keys hang on, or that the mutants are judged by."""

WORDS: Mapping[str, Sequence[str]] = {
    "unset": MEANINGS,
    "otherwise": MEANINGS,
    "empty_list": MEANINGS,
    "string": TEXT_MODES,
    "list": ITEM_MODES,
    "star_in_list": STAR_IN_LIST,
    "regex_mode": ("search", "match", "full"),
    "error": ("none", "refuse"),
    "list_otherwise": LIST_OTHERWISE,
    "lists": LISTS,
    "regex": REGEXES,
    "list_regex": REGEXES,
    "promise": PROMISES,
    "no_error": NO_ERROR,
    "group_otherwise": MEANINGS,
    "lays": ("over", "under", "apart"),
    "credentials": CREDENTIALS,
    "refused": REFUSED,
    "gate": GATES,
    **ROW_WORDS,
    "function": FUNCTIONS,
    "form": ("any", "construct", "call"),
    "as": descriptors.READ_AS,
    "order": catalog.ORDERS,
    "when_header_exists": HEADER_EXISTS,
    "when_decorating": HEADER_EXISTS,
}
"""Keys that take one word of a few."""

_PAIRS = frozenset({"meanings", "group", "map", "error", "star_in_list"})
_NAME_MAPS = frozenset({"meant", "legacy", "misplaced", "production"})
_NUMBERS = frozenset({"origin_parameter", "callback_parameter"})
"""Numbers that stand for themselves where they are left out: they are changed, not dropped, like `WORDS`."""


def descriptor_changes(raw: Mapping[str, Any]) -> Iterator[Change]:
    """Every change of one descriptor. A key that has no operator of its own gets the general ones.

    What holds several things is not dropped as a whole: each of them is, for itself.
    """
    yield from _mapping(raw, ())


def _part(value: Any, key: str, meanings: FieldType) -> Iterator[Change]:
    """Changes of what stands under a key. `meanings`: what a default may be in place of a literal."""
    if key in ("versions", "development"):
        yield from (((), text) for text in (ranges(value) if key == "versions" else patterns(value)))
    elif key == "by_version":
        for number, (versions, default) in enumerate(value):
            yield (number,), DROPPED
            yield from (((number, 0), text) for text in ranges(versions))
            yield from under((number, 1), _values(default, meanings))
    elif key in _PAIRS and isinstance(value, list):
        for number, (given, meant) in enumerate(value):
            yield (number,), DROPPED
            if key in ("error", "star_in_list"):
                yield from (((number, 0), text) for text in ranges(given))
            words = WORDS.get(key, MEANINGS)
            yield (number, 1), following(words, meant) if meant in words else neighbour(meant)
    elif key in _NAME_MAPS:
        for name, target in value.items():
            yield (name,), DROPPED
            yield (name,), neighbour(target)
    elif isinstance(value, dict):
        yield from _mapping(value, meanings)
    elif isinstance(value, list):
        yield from each_dropped(value)
        for number, part in enumerate(value):
            if isinstance(part, dict):
                yield from under((number,), _mapping(part, meanings))
            elif isinstance(part, int):
                yield (number,), neighbour(part)
    elif key in WORDS and value in WORDS[key]:
        yield (), following(WORDS[key], value)
    elif key in WORDS and isinstance(value, str):
        raise LookupError(f"{value!r} is not among the words for `{key}` in scripts/mutants.py")
    else:
        yield from _values(value, meanings)


def _values(value: Any, meanings: FieldType) -> Iterator[Change]:
    """Changes of a default or a constant."""
    if isinstance(value, list):
        yield from each_dropped(value)
        yield from (((number,), neighbour(part)) for number, part in enumerate(value) if not isinstance(part, dict))
    elif value is not None:
        yield (), neighbour(value, meanings)


def _mapping(value: Mapping[str, Any], meanings: FieldType) -> Iterator[Change]:
    policy = value.get("policy")
    sources = policy.get("sources", ["origin"]) if isinstance(policy, dict) else []
    for key, part in value.items():
        if key in UNTOUCHED_IN_DESCRIPTORS:
            continue
        if key in ("kind", "preflight") and "is" in value:
            yield (key,), following(catalog.LAYER_KINDS if key == "kind" else ("yes", "no", "unknown"), part)
            continue
        if key == "sources":
            yield from _without_source(value)
            continue
        if key == "responds":
            if isinstance(part, dict):  # else it names one of the descriptor's `tables`
                yield from under((key,), table_changes(part))
            continue
        if key == "tables":
            for name, table in part.items():
                yield from under((key, name), table_changes(table))
            continue
        if not isinstance(part, dict | list | bool) and key not in WORDS and key not in _NUMBERS and key != "callee":
            yield (key,), DROPPED
        if key == "package":
            yield (key, "name"), neighbour(part.get("name", ""))
        elif key == "sends":
            for number, row in enumerate(part):
                yield (key, number), DROPPED
                yield from under((key, number), each_dropped(row))
                yield from under((key, number), _mapping(row, meanings))
        elif key in ("fields", "fills"):
            for field, source in part.items():
                kind = field_type(value["fact"], field) if "fact" in value else "text"
                yield (key, field), DROPPED
                yield from under((key, field), _source(source, MEANINGS if field in sources else kind))
        else:
            yield from under((key,), _part(part, key, meanings))


def _without_source(policy: Mapping[str, Any]) -> Iterator[Change]:
    """A policy without one of its sources: both the name and what is said under it are gone."""
    for left_out in policy["sources"] if len(policy["sources"]) > 1 else ():
        rest = {key: part for key, part in policy.items() if key != left_out}
        yield (), {**rest, "sources": [name for name in policy["sources"] if name != left_out]}


def _source(source: Any, kind: FieldType) -> Iterator[Change]:
    if not isinstance(source, dict):
        yield from _values(source, kind)
        return
    for key, part in source.items():
        # A source with nothing left gives nothing, as no source at all does.
        if len(source.keys() - {"as"}) > 1 or key == "as":
            yield (key,), DROPPED
        if key in ("default", "constant", "absent"):
            yield from under((key,), _values(part, MEANINGS if part in MEANINGS else kind) if part is not None else ())
        elif isinstance(part, bool) or (key == "key" and isinstance(part, str)) or key in ("keyword", "setting"):
            pass  # gone is the one way to change these: no option has the changed name
        else:
            yield from under((key,), _part(part, key, kind))


# --- tables of answers ----------------------------------------------------------------------------------------------

_LISTING_WORDS: Mapping[str, Sequence[str]] = {
    "join": (",", ", "),
    "text": responses.TEXTS,
    "case": responses.CASES,
    "star": ("text", "any", "all", "asked", "added"),
    "empty": ("text", "none", "asked"),
    "blank": ("text", "none", "asked"),
    "unset": ("none", "asked"),
}
_OPPOSITE = {"present": "lacks", "truthy": "falsy", "holds": "fails"}
_OPPOSITE |= {turned: key for key, turned in _OPPOSITE.items()}
_INSTEAD: Mapping[str, Mapping[Any, Any]] = {
    "status": {"inner": 299, "none": 299},
    "acao": {"sent": None, None: "*", "origin": "sent", "first": "sent", "last": "sent", "head": "sent", "*": "sent"},
    "acac": {"true": None, None: "true"},
    "acam": {
        "listed": "asked",
        "asked": "listed",
        "raw": "listed",
        "served": "listed",
        "allow": "listed",
        "method": "listed",
        None: "asked",
    },
    "acah": {
        "listed": "asked",
        "asked": "listed",
        "raw": "listed",
        "matching": "listed",
        "carried": "listed",
        None: "asked",
    },
}
"""What stands in a row in place of what is sent."""


def table_changes(table: Mapping[str, Any]) -> Iterator[Change]:
    """Every change of a `responds:` table."""
    for key, part in table.items():
        if key == "preflight":
            yield from under((key,), _conditions(part))
        elif key == "conditions":
            for name, alternatives in part.items():
                yield from under((key, name), _alternatives(alternatives))
        elif key == "passes":
            yield from under((key,), _alternatives(part))
        elif key in ("methods", "headers"):
            yield (key,), DROPPED
            yield from under((key,), _listings(part))
        elif key == "each":
            yield from under((key,), each_dropped(part))
            yield from (((key, name), neighbour(option)) for name, option in part.items())
        elif key in ("scope", "drops_empty"):
            yield (key,), DROPPED
        elif key == "refuses" or key in responses.OUTPUTS:
            if not part:
                yield (key,), DROPPED
            yield from under((key,), _rows("status" if key == "refuses" else key, part))
        else:
            raise LookupError(f"no operator changes the key {key!r} of a table: add one to scripts/mutants.py")


def _alternatives(whens: Sequence[Mapping[str, Any]]) -> Iterator[Change]:
    for number, when in enumerate(whens):
        yield (number,), DROPPED
        yield from under((number,), _conditions(when))


def _rows(output: str, rows: Sequence[Mapping[str, Any]]) -> Iterator[Change]:
    for number, row in enumerate(rows):
        yield (number,), DROPPED
        yield from under((number,), _conditions({key: part for key, part in row.items() if key != "is"}, row))
        yield from under((number, "is"), _sent_instead(output, row["is"]))


def _sent_instead(output: str, value: Any) -> Iterator[Change]:
    if output == "vary":
        if value is None:
            yield (), ["Origin"]
        elif isinstance(value, str) or len(value) == 1:
            yield (), None
        else:
            yield from each_dropped(value)
    elif str(value).startswith("given."):
        yield (), 299 if output == "status" else None
    else:
        known = _INSTEAD[output]
        yield (), known[value] if value in known else neighbour(value)


def _conditions(when: Mapping[str, Any], row: Mapping[str, Any] | None = None) -> Iterator[Change]:
    """Changes of conditions; `row` is what they stand in, with what is not a condition."""
    row = when if row is None else row
    for key, part in when.items():
        if key != "given" or len(part) == 1:
            yield (key,), DROPPED
        if key in _OPPOSITE:
            yield (), {_OPPOSITE[key] if name == key else name: value for name, value in row.items()}
        if key in responses.WORDS:
            yield from under((key,), _words(responses.WORDS[key], part))
        elif isinstance(part, bool):
            yield (key,), not part
        elif key == "version":
            yield from (((key,), text) for text in ranges(part))
        elif key == "given":
            for name, value in part.items():
                if len(part) > 1:
                    yield (key, name), DROPPED
                yield from under((key, name), _given(value))
        elif isinstance(part, list):
            yield from under((key,), each_dropped(part))
        elif key not in ("holds", "fails"):
            yield (key,), neighbour(part)


def _words(words: Sequence[str], part: Any) -> Iterator[Change]:
    if isinstance(part, list):
        yield from under((), each_dropped(part))
        yield (), [word for word in words if word not in part]
    else:
        yield (), following(words, part)
        yield (), [word for word in words if word != part]


def _given(value: Any) -> Iterator[Change]:
    if value is None:
        yield (), False
    elif isinstance(value, list):
        yield from each_dropped(value) if len(value) > 1 else ()
        for number, part in enumerate(value):
            yield from under((number,), _given(part))
    else:
        yield (), neighbour(value)


def _listings(part: Any) -> Iterator[Change]:
    if isinstance(part, list):
        for number, listing in enumerate(part):
            yield (number,), DROPPED
            yield from under((number,), _listing(listing))
    else:
        yield from _listing(part)


def _listing(listing: Mapping[str, Any]) -> Iterator[Change]:
    for key, part in listing.items():
        if key == "field":
            yield (key,), neighbour(part)
            continue
        yield (key,), DROPPED
        if isinstance(part, list):
            yield from under((key,), each_dropped(part)) if len(part) > 1 else ()
        elif key == "version":
            yield from (((key,), text) for text in ranges(part))
        elif key in _LISTING_WORDS:
            # What asks for the default is often the default itself: `default` is changed, and nothing is to it.
            words = _LISTING_WORDS[key]
            yield (key,), following(words if part in words else ("default", *words), part)


# --- mutants --------------------------------------------------------------------------------------------------------


def files() -> list[str]:
    """The files to break, rules first; relative to the repository."""
    rules, frameworks = resources.rules_folder(), resources.frameworks_folder()
    return [
        path.relative_to(ROOT).as_posix() for folder in (rules, frameworks) for path in sorted(folder.glob("*.yaml"))
    ]


def is_rule(file: str) -> bool:
    """Whether the file is a rule; else it is a descriptor."""
    return file.startswith("rules/")


def mutants_of(file: str, data: bytes) -> list[Mutant]:
    """The mutants of one file, in its order, without repetitions and without any that is the same as the file."""
    raw = parse(data, file)
    tree = yaml.compose(data.decode("utf-8-sig"), Loader=loader())
    lines = _lines(tree, ()) if tree is not None else {}
    seen = {json.dumps(raw)}
    found = []
    for at, new in rule_changes(raw) if is_rule(file) else descriptor_changes(raw):
        result = json.dumps(applied(raw, (at, new)))
        if result not in seen:
            seen.add(result)
            found.append(Mutant(file, lines.get(tuple(map(str, at)), 1), at, value_at(raw, at), new))
    return found


def _lines(node: yaml.Node, at: tuple[str, ...]) -> dict[tuple[str, ...], int]:
    lines: dict[tuple[str, ...], int] = {}
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            lines[*at, str(key.value)] = key.start_mark.line + 1
            lines |= _lines(value, (*at, str(key.value)))
    elif isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            lines[*at, str(number)] = value.start_mark.line + 1
            lines |= _lines(value, (*at, str(number)))
    return lines


# --- judging --------------------------------------------------------------------------------------------------------

Check: TypeAlias = Callable[[lint.Knowledge], "str | None"]
"""Something that the tests look at: what is wrong with it under this knowledge, None where nothing is."""


class Verdict(Enum):
    """What became of a mutant."""

    KILLED = "killed"
    ALIVE = "alive"
    UNLOADABLE = "does not load"


class Bench:
    """All rules and descriptors as they are, the checks that hold for them, and what to judge a mutant with."""

    def __init__(self, data: Mapping[str, bytes] | None = None) -> None:
        """`data` is what is in the files, if they are not to be read: all processes look at the same."""
        self.data = {file: (ROOT / file).read_bytes() for file in files()} if data is None else data
        self._raw = {file: parse(data, file) for file, data in self.data.items()}
        rules = [rulefiles.read(data, ROOT / file) for file, data in self.data.items() if is_rule(file)]
        self._rules = {rule.id: rule for rule in rules}
        self._read = {
            file: descriptors.read(data, ROOT / file) for file, data in self.data.items() if not is_rule(file)
        }
        self.broken: list[str] = []
        """Checks that fail although nothing was changed: they are of no use here."""
        known = self._known()
        of_rule: dict[str, list[Check]] = {}
        touching: list[tuple[frozenset[str], Check]] = []
        for rule in rules:
            of_rule[rule.id] = []
            for number, example in enumerate(rule.examples):
                check = partial(_rule_trouble, rule, example)
                if self._works(f"{rule.id}, example {number + 1}", check, known):
                    of_rule[rule.id].append(check)
                    touching.append((_touched(example, known), check))
        self._checks: dict[str, list[Check]] = {}
        """By file. Those that noticed something last stand first: they often notice the next change, too."""
        for file, rule in zip(filter(is_rule, self.data), rules, strict=True):
            yielding = [other.id for other in rules if rule.id in other.yields_to]
            self._checks[file] = [check for one in (rule.id, *yielding) for check in of_rule[one]]
        for file, (descriptor, _) in self._read.items():
            own: list[tuple[str, Check]] = [
                (f"example {number + 1}", partial(descriptor_examples.trouble, descriptor, example))
                for number, example in enumerate(descriptor.examples)
                if not {"answers_of", "answers"} & set(example)
            ]
            own += [
                (f"{recording} {case['id']}", partial(test_predictions.contradiction, recording, case))
                for recording, case in test_predictions.recorded_for(descriptor.id)
            ]
            own += [
                (f"{name}, all answers", partial(_answered_otherwise, stage)) for name, stage in _programs(descriptor)
            ]
            near = [check for touched, check in touching if descriptor.id in touched]
            near += [
                check for touched, check in touching if descriptor.language in touched and descriptor.id not in touched
            ]
            self._checks[file] = [
                *(check for name, check in own if self._works(f"{descriptor.id}, {name}", check, known)),
                *near,
            ]
        self._staged: dict[str, list[emulation.Staged]] = {}

    def mutants(self, files: Iterable[str]) -> list[Mutant]:
        """The mutants of these files."""
        return [mutant for file in files for mutant in mutants_of(file, self.data[file])]

    def judge(self, mutant: Mutant) -> Verdict:
        """Whether anything notices the mutant."""
        if mutant.at[0] == "tables" or ("responds" in mutant.at and mutant.at[-1] != "scope"):
            return self._judge_table(mutant)
        changed = applied(self._raw[mutant.file], (mutant.at, mutant.new))
        if not is_rule(mutant.file):
            changed.pop("examples", None)  # the checks have them, and they are most of the file
        data = yaml.dump(changed, Dumper=Dumper, allow_unicode=True, sort_keys=False, width=1 << 20).encode()
        path = ROOT / mutant.file
        try:
            if is_rule(mutant.file):
                rule = rulefiles.read(data, path)
                known = self._known(rule)
            else:
                known = self._known(descriptor=(mutant.file, *descriptors.read(data, path)))
        except YamlError:
            return Verdict.UNLOADABLE
        return _verdict(self._checks[mutant.file], lambda check: _trouble(check, known))

    def _judge_table(self, mutant: Mutant) -> Verdict:
        """Whether a recorded answer notices a change of a table. Nothing else looks at one, but for its `scope`."""
        start = 2 if mutant.at[0] == "tables" else mutant.at.index("responds") + 1
        raw = applied(value_at(self._raw[mutant.file], mutant.at[:start]), (mutant.at[start:], mutant.new))
        try:
            new = responses.read_responds(raw)
        except responses.ResponsesError:
            return Verdict.UNLOADABLE
        descriptor, _ = self._read[mutant.file]
        at = mutant.at[:start]
        old = _table(descriptor, _use_of(at[-1], self._raw[mutant.file]) if at[0] == "tables" else at)
        known = self._known()
        if mutant.file not in self._staged:
            self._staged[mutant.file] = [stage(known) for _, stage in _programs(descriptor)]

        def trouble(stage: emulation.Staged) -> str | None:
            if all(layer.table is not old for layer in stage.layers):
                return None
            return _trouble(lambda _: stage.contradiction(old, new), known)

        return _verdict(self._staged[mutant.file], trouble)

    def _known(
        self,
        rule: ruleset.Rule | None = None,
        descriptor: tuple[str, catalog.Descriptor, Mapping[str, Any] | None] | None = None,
    ) -> lint.Knowledge:
        """What corslint knows, with this rule or this descriptor in place of the one in the file."""
        rules = {**self._rules, rule.id: rule} if rule else self._rules
        read = {**self._read, descriptor[0]: descriptor[1:]} if descriptor else self._read
        return lint.Knowledge(
            ruleset.RuleSet(rules),
            descriptors.build(
                [part for part, _ in read.values()], [part for _, part in read.values() if part is not None]
            ),
        )

    def _works(self, name: str, check: Check, known: lint.Knowledge) -> bool:
        trouble = _trouble(check, known)
        if trouble is not None:
            self.broken.append(f"{name}: {trouble.strip()}")
        return trouble is None


T = TypeVar("T")


def _verdict(checks: list[T], trouble: Callable[[T], str | None]) -> Verdict:
    """Killed if one of the checks has trouble; that one then comes first."""
    for number, check in enumerate(checks):
        if trouble(check) is not None:
            checks.insert(0, checks.pop(number))
            return Verdict.KILLED
    return Verdict.ALIVE


def _use_of(table: object, raw: Any, at: KeyPath = ()) -> KeyPath:
    """Where the table of a name is used first: the descriptor has it there. Empty where it is used nowhere."""
    if isinstance(raw, dict) and raw.get("responds") == table:
        return (*at, "responds")
    parts = raw.items() if isinstance(raw, dict) else enumerate(raw) if isinstance(raw, list) else ()
    return next(filter(None, (_use_of(table, part, (*at, key)) for key, part in parts)), ())


def _table(descriptor: catalog.Descriptor, at: KeyPath) -> responses.Responds:
    """The table at a key path."""
    found: Any = descriptor
    for step in at:
        if isinstance(found, catalog.FileSpec):
            found = found.call
        found = getattr(found, step) if isinstance(step, str) and hasattr(found, step) else found[step]
    assert isinstance(found, responses.Responds)
    return found


def _programs(descriptor: catalog.Descriptor) -> list[tuple[str, Callable[[lint.Knowledge], emulation.Staged]]]:
    """The programs whose answers are recorded: those of the library, and those that an example puts beside them."""
    recorded = [
        (f"{name} {case}", partial(emulation.stage, emulation.recordings()[name], case))
        for name, case in emulation.recorded_for(descriptor.id)
    ]
    recorded += [
        (f"{example['name']}", partial(descriptor_examples.asked, descriptor, example))
        for example in descriptor.examples
        if "answers" in example
    ]
    return recorded + [
        (f"{example['name']}: {name} {case}", partial(descriptor_examples.stage, descriptor, example, name, case))
        for example in descriptor.examples
        for _, name, case in descriptor_examples.recorded_in(example)
    ]


def _answered_otherwise(stage: Callable[[lint.Knowledge], emulation.Staged], known: lint.Knowledge) -> str | None:
    return stage(known).contradiction()


def _rule_trouble(rule: ruleset.Rule, example: ruleset.Example, known: lint.Knowledge) -> str | None:
    """What is wrong with an example. The rules that cannot make a difference to it are left out: that saves time."""
    named = [*example.settings.get("select", ()), *example.settings.get("ignore", ())]
    wanted = {rule.id, *known.rules[rule.id].yields_to, *named}
    if rule.id in lint.about_comments(known.rules):  # it speaks about what all others find
        wanted = set(known.rules.rules)
    # What another rule yields to makes no difference: a rule silences others even where it is silent itself.
    rules = ruleset.RuleSet(
        {one.id: one if one.id == rule.id else one._replace(yields_to=()) for one in known.rules if one.id in wanted}
    )
    return examples.trouble(rule.id, example, known._replace(rules=rules))


def _touched(example: ruleset.Example, known: lint.Knowledge) -> frozenset[str]:
    """The languages of an example's code, and the descriptors that find facts in it."""
    files = {path: examples.unmarked(path, text)[0] for path, text in example.files.items()}
    understood = lint.understand(examples.context_of(files), Settings(), files, known.catalog)
    libraries = {fact.field("library").value for fact in understood.facts}
    languages = {reading.language for reading in understood.project.code_readings().values()}
    return frozenset(str(name) for name in libraries | languages if name is not None)


def _trouble(check: Check, known: lint.Knowledge) -> str | None:
    try:
        with mock.patch.object(lint, "parse", _parsed):
            return check(known)
    except Exception as error:  # a test would fail, too; and what every file may rely on may be gone in a mutant
        return f"{type(error).__name__}: {error}"


def _parsed(source: SourceFile) -> Reading | None:
    return _parsed_once(source.path, source.data)


@cache
def _parsed_once(path: str, data: bytes) -> Reading | None:
    """The reading of a file: the same programs are read for every mutant."""
    return parse_file(SourceFile(path, data))


# --- the run --------------------------------------------------------------------------------------------------------


class Accepted(NamedTuple):
    """A mutant that nothing can notice, and why. `line` is where it is listed."""

    file: str
    path: str
    change: str
    reason: str
    line: int

    def covers(self, mutant: Mutant) -> bool:
        """Whether this is the entry for a mutant."""
        return (self.file, self.path, self.change) == (mutant.file, mutant.path, mutant.change)


def accepted(data: bytes, shown: str = ACCEPTED) -> list[Accepted]:
    """The entries of the list of accepted survivors. Raises `YamlError`."""
    check = Checker(shown, data)
    raw = check.keys(parse(data, shown), (), ("survivors",), ("survivors",))
    keys = ("file", "path", "change", "reason")
    found = []
    for number, entry in enumerate(check.items(raw["survivors"], ("survivors",))):
        at = ("survivors", number)
        texts = check.keys(entry, at, keys, keys)
        words = {key: check.text(texts[key], (*at, key)).strip() for key in keys}
        if not all(words.values()):
            raise check.fail(at, "every part of an entry has to say something")
        found.append(Accepted(words["file"], words["path"], words["change"], words["reason"], line_of(data, at)))
    return found


def judge_all(mutants: Sequence[Mutant], bench: Bench, jobs: int) -> Iterator[Verdict]:
    """The verdict on each mutant, in order, worked out by so many processes."""
    global _bench
    if jobs == 1:
        yield from map(bench.judge, mutants)
        return
    _bench = bench  # a forked process has it, any other makes its own
    with multiprocessing.Pool(jobs, _start, (bench.data,)) as pool:
        yield from pool.imap(_judge, mutants, chunksize=8)


_bench: Bench | None = None
"""The bench of a process that judges."""


def _start(data: Mapping[str, bytes]) -> None:
    global _bench
    _bench = _bench or Bench(data)


def _judge(mutant: Mutant) -> Verdict:
    assert _bench is not None
    return _bench.judge(mutant)


class Outcome(NamedTuple):
    """The result of a run: what to print, and whether everything is as it should be."""

    lines: tuple[str, ...]
    good: bool


def outcome(
    mutants: Sequence[Mutant],
    verdicts: Sequence[Verdict],
    listed: Sequence[Accepted],
    broken: Sequence[str] = (),
    least: int = LEAST,
) -> Outcome:
    """What a run comes to. `listed` are the accepted survivors in these files; `broken` checks failed without a mutant.

    `least` is how many mutants have to load.
    """
    counts = Counter(verdicts)
    judged = counts[Verdict.KILLED] + counts[Verdict.ALIVE]
    alive = [mutant for mutant, verdict in zip(mutants, verdicts, strict=True) if verdict is Verdict.ALIVE]
    lines = [f"fails without any mutant: {name}" for name in broken]
    lines += [str(mutant) for mutant in alive if not any(entry.covers(mutant) for entry in listed)]
    lines += [
        f"{ACCEPTED}:{entry.line}: {entry.file} {entry.path}: {entry.change}: no such mutant is alive; take it out"
        for entry in listed
        if not any(entry.covers(mutant) for mutant in alive)
    ]
    if judged < least:
        lines.append(f"{judged} mutants load, at least {least} are expected: an operator or a file is missing")
    if len(alive) > MOST_ALIVE * judged:
        lines.append(f"more than {MOST_ALIVE:.0%} are alive")
    good = not lines
    lines.append(
        f"{judged} mutants: {counts[Verdict.KILLED]} killed, {len(alive)} alive"
        f" ({100 * len(alive) / max(judged, 1):.1f} %), {len(listed)} of them accepted;"
        f" {counts[Verdict.UNLOADABLE]} more do not load"
    )
    return Outcome(tuple(lines), good)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run; 0 if every mutant is killed or accepted, 1 if not, 2 for a file that is not there."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--only", nargs="+", metavar="FILE", help="break these files alone")
    parser.add_argument("--list", action="store_true", help="show the mutants, run nothing")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="processes to use")
    chosen = parser.parse_args(arguments)
    chosen_files = files()
    if chosen.only:
        wanted = [Path(os.path.relpath(name, ROOT)).as_posix() for name in chosen.only]
        strange = [name for name in wanted if name not in chosen_files]
        if strange:
            print(f"{strange[0]} is neither a rule nor a descriptor", file=sys.stderr)
            return 2
        chosen_files = [file for file in chosen_files if file in wanted]
    if chosen.list:
        for file in chosen_files:
            print(*mutants_of(file, (ROOT / file).read_bytes()), sep="\n")
        return 0
    began = time.monotonic()
    bench = Bench()
    if bench.broken and not chosen.only:
        print(*(f"fails without any mutant: {name}" for name in bench.broken), sep="\n")
        print(f"{len(bench.broken)} checks fail already; mend them first, or look at some files with --only")
        return 1
    mutants = bench.mutants(chosen_files)
    verdicts: list[Verdict] = []
    for verdict in judge_all(mutants, bench, max(chosen.jobs, 1)):
        verdicts.append(verdict)
        if sys.stderr.isatty():
            print(f"\r{len(verdicts)} of {len(mutants)} mutants", end="", file=sys.stderr)
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr)
    path = ROOT / ACCEPTED
    listed = [entry for entry in accepted(path.read_bytes()) if not chosen.only or entry.file in chosen_files]
    result = outcome(mutants, verdicts, listed, bench.broken, 0 if chosen.only else LEAST)
    print(*result.lines, sep="\n")
    print(f"{time.monotonic() - began:.0f} s", file=sys.stderr)
    return 0 if result.good else 1


if __name__ == "__main__":
    sys.exit(main())
