"""Runs the examples that framework descriptors carry. Used by the tests and by the mutation run.

An example is a mapping:

    name: what it shows
    code: the text of the file it is about
    file: that file's name (`server.js`, or `app.py` for a Python library, where it is left out)
    files: {path: text} of further files
    version: the version of the library's package that the manifest names
    facts: those that have to be found: [{kind: KIND, FIELD: VALUE, FIELD.text: TEXT, FIELD.state: STATE, text: TEXT}]
    absent: kinds of which there must be none
    answers_of: the name of a recording, or names. `code` has ⟦options⟧ where the options of its cases go: given those,
        the program answers the requests of each case as they were recorded. For a library that hands its options on,
        and for versions that answer as the recorded one does
    cases: those of the recording that `answers_of` means; where it is left out, all that have options
    answers: [{request: {...}, inner: {...}, answer: {...}}]: what it answers, in the words of a recording. `inner` is
        the answer of the application alone (status 200 where it is left out); what `answer` does not name is not sent

A field whose name is taken here (`kind`) is written under `fields: {kind: VALUE}`.

Of every kind that is listed, all facts of this library are meant, in the order of the text. Fields that are not named
may be anything. A value is compared as it is; `unknown` and `absent` stand for these states. `FIELD.text` is the source
text at the field's place (of an instance: of the call that made it), `text` that of the fact (of an origin
with or without its quotes).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from corslint import lint
from corslint.frameworks.catalog import Descriptor
from corslint.model.facts import Fact
from corslint.model.kinds import FACT_KINDS
from corslint.settings import Settings
from corslint.source import Span
from tests import emulation
from tests.examples import context_of

_KEYS = frozenset({"name", "code", "file", "files", "version", "facts", "absent", "answers_of", "cases", "answers"})
_FILES = {"javascript": "server.js", "python": "app.py"}


def trouble(descriptor: Descriptor, example: Mapping[str, Any], known: lint.Knowledge) -> str | None:
    """What is wrong with an example of a descriptor; None where it holds."""
    fault = _fault(descriptor, example)
    if fault is not None:
        return fault
    if "answers_of" in example:
        return next(
            filter(None, (stage(descriptor, *one, known).contradiction() for one in recorded_in(example))), None
        )
    if "answers" in example:
        return asked(descriptor, example, known).contradiction()
    files = files_of(descriptor, example)
    found = facts_of(descriptor, files, known)
    expected: dict[str, list[Mapping[str, Any]]] = {kind: [] for kind in example.get("absent", ())}
    for wanted in example.get("facts", ()):
        expected.setdefault(wanted["kind"], []).append(wanted)
    wrong = [line for kind, wanted in expected.items() for line in _compared(kind, wanted, found, files)]
    return "\n".join(wrong) or None


def files_of(descriptor: Descriptor, example: Mapping[str, Any]) -> dict[str, bytes]:
    """The files of an example, its manifest among them."""
    texts: dict[str, str] = dict(example.get("files", {}))
    texts[example.get("file", _FILES[descriptor.language])] = example["code"]
    if "version" in example:
        if descriptor.ecosystem == "npm":
            texts["package.json"] = json.dumps({"dependencies": {descriptor.package: str(example["version"])}})
        else:
            texts["requirements.txt"] = f"{descriptor.package}=={example['version']}\n"
    return {path: text.encode() for path, text in texts.items()}


def recorded_in(example: Mapping[str, Any]) -> list[tuple[Mapping[str, Any], str, str]]:
    """The recorded cases whose answers an example has to give: the example, the recording's name, the case."""
    names = example.get("answers_of", ())
    return [
        (example, name, case)
        for name in ([names] if isinstance(names, str) else names)
        for case, given in emulation.recordings()[name]["cases"].items()
        if given.get("options") and not case.startswith(emulation.BARE) and (name, case) not in emulation.ELSEWHERE
        if "cases" not in example or case in example["cases"]
    ]


def stage(
    descriptor: Descriptor, example: Mapping[str, Any], name: str, case: str, known: lint.Knowledge
) -> emulation.Staged:
    """The program of an example with the options of a recorded case, and what that case was asked."""
    recording = emulation.recordings()[name]
    given = recording["cases"][case]
    code = example["code"].replace("⟦options⟧", given["options"].rstrip("\n"))
    files = files_of(descriptor, {**example, "code": code})
    found = emulation.layers(files, given.get("env", {}), known)
    return emulation.Staged(found, emulation.questions(recording, case))


def asked(descriptor: Descriptor, example: Mapping[str, Any], known: lint.Knowledge) -> emulation.Staged:
    """The program of an example that says its answers, and what it is asked."""
    found = emulation.layers(files_of(descriptor, example), {}, known)
    return emulation.Staged(found, [_question(one) for one in example["answers"]])


def _question(given: Mapping[str, Any]) -> emulation.Question:
    row = {"request": {"path": "/", "origin": None, **given["request"]}}
    nothing = dict.fromkeys(emulation.FIELDS)
    inner = emulation.response_of({**nothing, "status": 200, **given.get("inner", {})})
    return emulation.Question(row, emulation.request_of(row, {"path": "/"}), inner, {**nothing, **given["answer"]})


def facts_of(descriptor: Descriptor, files: Mapping[str, bytes], known: lint.Knowledge) -> list[Fact]:
    """The facts about this library, in the order of the text; all of them for a descriptor that makes none itself."""
    facts = lint.understand(context_of(files), Settings(), files, known.catalog).facts
    if descriptor.calls or descriptor.files or descriptor.settings or descriptor.headers:
        facts = [fact for fact in facts if fact.field("library").value in (descriptor.id, None)]
    return sorted(facts, key=lambda fact: (fact.span.path, fact.span.start, fact.span.end))


def _fault(descriptor: Descriptor, example: Mapping[str, Any]) -> str | None:
    """What is wrong with the example's own shape."""
    if not set(example) <= _KEYS:
        return f"unknown keys: {sorted(set(example) - _KEYS)}"
    if "code" not in example or not any(example.get(key) for key in ("facts", "absent", "answers_of", "answers")):
        return "an example has `code`, and `facts`, `absent`, `answers_of` or `answers`"
    if {"answers_of", "answers"} & set(example) and {"facts", "absent"} & set(example):
        return "what is answered, and which facts there are, are examples of their own"
    if "answers_of" in example and not recorded_in(example):
        return "`answers_of` names recordings with options"
    unknown = set(example.get("cases", ())) - {case for _, _, case in recorded_in(example)}
    if unknown:
        return f"no recorded cases with options: {sorted(unknown)}"
    if "version" in example and (
        descriptor.package is None or {"package.json", "requirements.txt"} & set(example.get("files", {}))
    ):
        return "`version` needs a package, and no manifest of the example's own"
    for kind in (*example.get("absent", ()), *(wanted.get("kind") for wanted in example.get("facts", ()))):
        if kind not in FACT_KINDS:
            return f"{kind!r} is not a kind of fact"
    for wanted in example.get("facts", ()):
        for name in {*wanted, *wanted.get("fields", {})} - {"kind", "text", "fields"}:
            field = name.removesuffix(".text").removesuffix(".state")
            if field not in FACT_KINDS[wanted["kind"]].fields:
                return f"{wanted['kind']} has no field {field!r}"
    return None


def _compared(
    kind: str, expected: list[Mapping[str, Any]], facts: list[Fact], files: Mapping[str, bytes]
) -> Iterator[str]:
    found = [fact for fact in facts if fact.kind == kind]
    if len(found) != len(expected):
        yield f"{kind}: {len(found)} found, {len(expected)} expected: {[_text(fact.span, files) for fact in found]}"
        return
    for fact, wanted in zip(found, expected, strict=True):
        for name, value in (*wanted.items(), *wanted.get("fields", {}).items()):
            if name in ("kind", "fields") and name in wanted and value is wanted[name]:
                continue
            got = _got(fact, name, files)
            if name == "text" and value == fact.field("text").value:
                continue
            if got != _plain(value) and not (value in ("unknown", "absent") and got == f"<{value}>"):
                yield f"{kind} {_text(fact.span, files)!r}: {name} is {got!r}, expected {value!r}"


def _got(fact: Fact, name: str, files: Mapping[str, bytes]) -> object:
    if name == "text":
        return _text(fact.span, files)
    if name.endswith(".text"):
        name = name.removesuffix(".text")
        field = fact.field(name)
        if FACT_KINDS[fact.kind].fields[name].type == "instance" and not isinstance(field.value, Span):
            return f"<{field.state}>"
        at = field.value if isinstance(field.value, Span) else field.span
        return _text(at, files) if at is not None else None
    if name.endswith(".state"):
        return fact.field(name.removesuffix(".state")).state
    field = fact.field(name)
    return f"<{field.state}>" if field.state in ("unknown", "absent") else _plain(field.value)


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


def _text(span: Span, files: Mapping[str, bytes]) -> str:
    return files.get(span.path, b"")[span.start : span.end].decode("utf-8", "replace")
