"""Every example of every framework descriptor, and the checks of the examples' own shape."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from corslint import lint
from corslint.frameworks import descriptors
from corslint.frameworks.catalog import Descriptor
from corslint.yamlfile import YamlError
from tests.descriptor_examples import trouble

_KNOWN = lint.knowledge()
_DESCRIPTORS = {descriptor.id: descriptor for descriptor in _KNOWN.catalog.descriptors}
_CASES = [
    pytest.param(descriptor, example, id=f"{descriptor.id}-{number}")
    for descriptor in _DESCRIPTORS.values()
    for number, example in enumerate(descriptor.examples)
]


@pytest.mark.parametrize(("descriptor", "example"), _CASES)
def test_example(descriptor: Descriptor, example: Mapping[str, Any]) -> None:
    wrong = trouble(descriptor, example, _KNOWN)
    if wrong is not None:
        pytest.fail(f"{example.get('name')}\n{wrong}\n\n{example.get('code')}", pytrace=False)


@pytest.mark.parametrize("descriptor", _DESCRIPTORS.values(), ids=list(_DESCRIPTORS))
def test_every_descriptor_has_examples_with_names_of_their_own(descriptor: Descriptor) -> None:
    names = [example.get("name") for example in descriptor.examples]
    assert names
    assert all(names)
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    ("example", "wrong"),
    [
        ({"code": "cors();", "facts": []}, "`facts`, `absent`, `answers_of` or `answers`"),
        ({"facts": [{"kind": "cors_policy"}]}, "an example has `code`"),
        ({"code": "cors();", "fact": [], "absent": ["cors_policy"]}, "unknown keys: ['fact']"),
        ({"code": "cors();", "facts": [{"kind": "policy"}]}, "'policy' is not a kind of fact"),
        ({"code": "cors();", "facts": [{"kind": "cors_policy", "orign": "*"}]}, "no field 'orign'"),
        ({"code": "require('cors')();", "absent": ["cors_policy"]}, "1 found, 0 expected"),
        ({"code": "require('cors')();", "facts": [{"kind": "cors_policy"}, {"kind": "cors_policy"}]}, "1 found, 2 exp"),
        (
            {"code": "require('cors')();", "facts": [{"kind": "cors_policy", "layer": "socket"}]},
            "layer is 'http', expected 'socket'",
        ),
        (
            {"code": "require('cors')();", "facts": [{"kind": "cors_policy", "text": "cors()"}]},
            "text is \"require('cors')()\"",
        ),
        (
            {"code": "require('cors')();", "facts": [{"kind": "cors_policy", "credentials.state": "written"}]},
            "credentials.state is 'default'",
        ),
        (
            {"code": "require('cors')();", "facts": [{"kind": "cors_policy", "effect.to_stranger": "unknown"}]},
            "effect.to_stranger is 'star', expected 'unknown'",
        ),
        (
            {"code": "", "files": {"package.json": "{}"}, "version": "1.0.0", "absent": ["cors_policy"]},
            "no manifest of the example's own",
        ),
        ({"code": "cors();", "absent": ["cors_policy"], "answers": [{}]}, "are examples of their own"),
        ({"code": "cors();", "answers_of": "cors", "cases": ["no such case"]}, "`answers_of` names recordings"),
        ({"code": "cors();", "answers_of": "cors", "cases": ["star", "x"]}, "no recorded cases with options: ['x']"),
        (
            {"code": "require('cors')({ origin: false });", "answers_of": "cors", "cases": ["star"]},
            "answered {'status': 200, 'acao': '*'",
        ),
        (
            {
                "code": "require('cors')();",
                "answers": [{"request": {"kind": "get"}, "answer": {"status": 200, "acao": "x"}}],
            },
            "emulated {'status': 200, 'acao': '*'",
        ),
    ],
)
def test_a_wrong_example_is_told(example: Mapping[str, Any], wrong: str) -> None:
    told = trouble(_DESCRIPTORS["cors"], example, _KNOWN)
    assert told is not None
    assert wrong in told


def test_states_can_be_asked_for() -> None:
    code = "require('cors')({ origin: allowed() })"
    example = {"code": code, "facts": [{"kind": "cors_policy", "origin": "unknown", "app": "absent", "text": code}]}
    assert trouble(_DESCRIPTORS["cors"], example, _KNOWN) is None


@pytest.mark.parametrize(
    ("part", "line", "message"),
    [
        ("words: [Flask(]", 4, "'Flask(' is no word to look for: at least 3 ASCII characters, in lower case"),
        ("words:\n  - fine\n  - io", 6, "'io' is no word to look for"),
        ("words: [héllo]", 4, "'héllo' is no word to look for"),
        ("words: flask", 4, "list"),
        ("words: [5]", 4, "text"),
        ("environment:\n  socket_paths: {poling: [a]}", 5, "did you mean 'polling'?"),
        ("environment:\n  socket_paths:\n    polling: [a/b]", 6, "'a/b' is no segment of a path"),
        ("environment:\n  socket_paths:\n    described: [Hub]", 6, "'Hub' is no segment of a path, in lower case"),
        ("environment:\n  socket_paths:\n    websocket: ws", 6, "list"),
        ("classes:\n  - {base: a#B, emit: []}", 5, "did you mean 'emits'?"),
        ("classes:\n  - {base: a#B}", 5, "emits"),
        (
            "calls:\n  - callee: a#b\n    when: {position: 0, is: [c#d], is_not: [e#f]}",
            6,
            "`is` and `is_not` exclude each other",
        ),
        ("calls:\n  - callee: a#b\n    options: [{position: 1, after: text}]", 6, "'text' is not a valid `after`"),
        ("calls:\n  - callee: a#b\n    options: [{position: 1}]", 6, "lacks the key 'after'"),
        ("calls:\n  - callee: a#b\n    options: [{position: a, after: number}]", 6, "positions are numbers"),
    ],
)
def test_words_and_paths_are_checked(part: str, line: int, message: str) -> None:
    with pytest.raises(YamlError) as raised:
        descriptors.read(f"id: x\ntitle: X\nlanguage: python\n{part}\n".encode(), Path("x.yaml"))
    assert str(raised.value).startswith(f"x.yaml:{line}: ")
    assert message in str(raised.value)


def test_words_and_paths_of_all_descriptors_come_together() -> None:
    def read(name: str, language: str, part: str) -> tuple[Descriptor, Mapping[str, Any] | None]:
        return descriptors.read(f"id: {name}\ntitle: X\nlanguage: {language}\n{part}".encode(), Path(f"{name}.yaml"))

    parts = [
        read("a", "python", "words: [one(, two]\nenvironment:\n  socket_paths: {described: [a], websocket: [w]}"),
        read(
            "b",
            "python",
            "words: [two, three]\nenvironment:\n  socket_paths: {described: [b], polling: [p], scripts: [s]}",
        ),
        read("c", "javascript", "words: [four]"),
        read("d", "javascript", ""),
    ]
    known = descriptors.build([one for one, _ in parts], [part for _, part in parts if part is not None])
    assert known.words == {"python": (b"one(", b"two", b"three"), "javascript": (b"four",)}
    assert known.socket_paths == (frozenset({"a", "b"}), frozenset({"p"}), frozenset({"w"}), frozenset({"s"}))
