"""Joins by keys leave out no pair that counts: they find what a look at all pairs finds, with far fewer questions."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from corslint import engine, lint, rulefiles
from corslint.model.facts import Fact
from corslint.model.finding import Finding, Fix
from corslint.model.tri import Tri
from corslint.relations import Related, Relation, World
from corslint.relations import table as relations
from corslint.relations.keyed import NOBODY, Begun, Keyed, Wanted, in_order, unless_both_known
from corslint.relations.nearness import Nearest
from corslint.relations.table import RELATIONS
from corslint.settings import Settings
from tests import random_facts
from tests.examples import context_of

WORLDS = 150


def counts(related: Related, wanted: Wanted) -> bool:
    """Whether an answer makes a difference to whoever wants those."""
    if wanted is Wanted.UNSURE:
        return related.answer is not Tri.NO or related.confidence != "high"
    return related.answer is Tri.YES or (related.answer is Tri.UNKNOWN and wanted is Wanted.OPEN)


def pairs(world: World, relation: Relation) -> Iterator[tuple[Fact, Fact]]:
    """All pairs that a relation may be asked about; of kinds that any may have, a few."""
    few = ("cors_policy", "http_route", "session_cookie")
    for one in world.facts:
        for two in world.facts:
            if relation.takes(one.kind, two.kind) and (len(relation.first) < 9 or {one.kind, two.kind} <= {*few}):
                yield one, two


KEYED = [name for name, relation in RELATIONS.items() if relation.keys is not None]


@pytest.mark.parametrize("name", KEYED)
def test_whatever_has_no_common_key_has_an_answer_that_nobody_wants(name: str) -> None:
    left_out: Counter[Wanted] = Counter()
    met: Counter[Wanted] = Counter()
    for seed in range(WORLDS):
        world = random_facts.world(seed)
        for one, two in pairs(world, RELATIONS[name]):
            related = world.ask(name, one, two)
            for wanted in Wanted:
                there = {id(fact) for fact in world.partners(name, one, two.kind, wanted)}
                back = {id(fact) for fact in world.partners(name, two, one.kind, wanted, reverse=True)}
                assert (id(two) in there) is (id(one) in back)
                if id(two) in there:
                    met[wanted] += counts(related, wanted)
                else:
                    assert not counts(related, wanted), (seed, one, two, related)
                    left_out[wanted] += 1
    assert all(met[wanted] > 0 for wanted in Wanted)
    assert all(left_out[wanted] > 0 for wanted in Wanted)


def test_relations_without_keys_have_everybody_for_a_partner() -> None:
    assert [name for name in RELATIONS if name not in KEYED] == ["runs"]
    world = random_facts.world(3)
    for process in world.of_kind("process"):
        assert world.partners("runs", process, "socket_server") == world.of_kind("socket_server")


# --- rules ------------------------------------------------------------------------------------------------------------

RULE = """\
id: the-rule
effect: broken
severity: {severity}
match:
  - {{name: one, fact: {first}}}
  - {{name: other, fact: {second}, expect: {expect}, {asks}}}
report: {{at: one, related: [{{at: other, message: m}}], message: "m", help: h}}
examples:
  - {{files: {{a.js: ⟦x⟧}}}}
  - {{files: {{a.js: x}}, clean: true}}
"""


CASES = "[{when: {other: present}, is: error}, {unknown: true, is: warning}, {is: note}]"


def rule(first: str, second: str, expect: str, asks: str) -> str:
    severity = CASES if expect == "optional" else "error"
    text = RULE.format(first=first, second=second, expect=expect, asks=asks, severity=severity)
    return text.replace("name: other, ", "").replace("{at: other, message: m}", "") if expect == "none" else text


def no_fix(_spec: Mapping[str, Any], _bindings: Mapping[str, Fact], _render: object) -> Fix | None:
    return None


def found(rules: Any, seed: int) -> list[Finding]:
    return engine.run(rules, random_facts.world(seed, most=6), no_fix)


def found_by_all_pairs(rules: Any, seed: int) -> list[Finding]:
    """What a look at all pairs finds: no relation has keys, and no condition."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(relations, "RELATIONS", {name: one._replace(keys=None) for name, one in RELATIONS.items()})
        patch.setattr(engine, "_by_value", lambda *_: None)
        return found(rules, seed)


def joined() -> Iterator[tuple[str, str, str]]:
    """Two kinds, and what joins them: each relation both ways, and conditions between fields."""
    for name, relation in RELATIONS.items():
        kinds = [(one, two) for one in random_facts.KINDS for two in random_facts.KINDS if relation.takes(one, two)]
        for first, second in sorted(kinds, key=lambda pair: pair[0] == pair[1])[:6]:
            if (first, second) != ("http_request", "socket_server"):  # which are never related
                yield first, second, f"relation: {{{name}: one}}"
                yield second, first, f"relation: {{{name}: one}}"
    yield "http_server", "listener", "where: {target: {same_as: one.instance}}"
    yield "http_request", "listener", "where: {port: {equals: one.url_port}}"
    yield "socket_client", "http_route", "where: {path: {any: [{equals: one.asks_for}, /api]}}"
    yield "socket_client", "proxy_route", "where: {path: {prefix_of: one.asks_for}}"
    yield "proxy_route", "socket_client", "where: {asks_for: {starts_with: one.path}}"
    yield (
        "cors_policy",
        "middleware",
        "where: {app: {same_as: one.app}, kind: {not: mount}}, relation: {same_process: one}",
    )


@pytest.mark.parametrize("expect", ["some", "none", "optional"])
@pytest.mark.parametrize(("first", "second", "asks"), list(joined()))
def test_rules_find_what_a_look_at_all_pairs_finds(
    tmp_path: Path, first: str, second: str, asks: str, expect: str
) -> None:
    (tmp_path / "the-rule.yaml").write_text(rule(first, second, expect, asks), encoding="utf-8")
    rules = rulefiles.load([tmp_path])
    met = seed = 0
    while seed < WORLDS // 3 or (met == 0 and seed < 40 * WORLDS):
        expected = found_by_all_pairs(rules, seed)
        assert found(rules, seed) == expected
        met += len(expected)
        seed += 1
    assert met > 0


def test_values_are_equal_by_key_where_rules_call_them_equal() -> None:
    values = [True, False, 1, 0, 1.0, "1", "", ("a", 1), ("a",), random_facts.INSTANCES[0]]
    for one in values:
        for two in values:
            if engine._equal(one, two):
                assert engine._value_key(one) == engine._value_key(two)
    assert engine._value_key(True) != engine._value_key(1)


# --- keys -------------------------------------------------------------------------------------------------------------


def test_facts_by_keys() -> None:
    keyed = Keyed([frozenset({"a"}), None, frozenset({"b", "c"}), NOBODY, frozenset({"a", "c"})])
    assert in_order(keyed.having(frozenset({"a"}))) == [0, 1, 4]
    assert in_order(keyed.having(frozenset({"c", "a"}))) == [0, 1, 2, 4]
    assert in_order(keyed.having(NOBODY)) == [1]
    assert in_order(Keyed([NOBODY]).having(frozenset({"a"}))) == []


def test_texts_by_their_beginnings() -> None:
    begun = Begun([frozenset({"/ab"}), None, frozenset({"/b", "/a"}), NOBODY, frozenset({"/a\U0010ffff"})])
    assert in_order(begun.having(frozenset({"/a"}))) == [0, 1, 2, 4]
    assert in_order(begun.having(frozenset({"/ab"}))) == [0, 1]
    assert in_order(begun.having(frozenset({"/ab", "/b"}))) == [0, 1, 2]
    assert in_order(begun.having(frozenset({""}))) == [0, 1, 2, 4]
    assert in_order(begun.having(frozenset({"b"}))) == [1]


def test_only_where_both_are_known_nothing_is_in_common() -> None:
    for one in (True, False):
        for two in (True, False):
            common = unless_both_known(one, "here") & unless_both_known(two, "here", second=True)
            assert bool(common) is not (one and two)
            assert not unless_both_known(one, "here") & unless_both_known(two, "there", second=True)


def test_the_nearest_is_the_only_one_in_the_package_or_below_the_deepest_folder() -> None:
    told = 0
    for seed in range(WORLDS):
        chance = random.Random(seed)
        places = random_facts.Places(chance)
        facts = [
            Fact("x", random_facts.INSTANCES[0]._replace(path=chance.choice(random_facts.PATHS)), {}) for _ in "123"
        ]
        nearest = Nearest(places, facts)
        for path in random_facts.PATHS:
            expected = plainly_nearest(places, path, facts)
            assert nearest.to(path) is expected
            told += expected is not None
    assert told > WORLDS
    assert Nearest(random_facts.Places(random.Random(0)), []).to("main.js") is None


def plainly_nearest(places: random_facts.Places, path: str, facts: list[Fact]) -> Fact | None:
    package = places.package_of(path)
    own = [fact for fact in facts if package and places.package_of(fact.span.path) == package]
    if len(own) == 1:
        return own[0]
    folders = path.split("/")[:-1]
    for depth in range(len(folders), -1, -1):
        start = "".join(f"{folder}/" for folder in folders[:depth])
        below = [fact for fact in own or facts if fact.span.path.startswith(start)]
        if below:
            return below[0] if len(below) == 1 else None
    return None


# --- how much is asked ------------------------------------------------------------------------------------------------


def asked(monkeypatch: pytest.MonkeyPatch, files: Mapping[str, str]) -> int:
    """How often a check of a project asks whether two facts are related, or looks at a fact for a clause of a rule."""
    number = 0
    ask, judged = World.ask, engine._Candidates._judged

    def counted(self: World, relation: str, first: Fact, second: Fact) -> Related:
        nonlocal number
        number += 1
        return ask(self, relation, first, second)

    def looked_at(self: engine._Candidates, *arguments: Any) -> Iterator[Any]:
        nonlocal number
        for each in judged(self, *arguments):
            number += 1
            yield each

    monkeypatch.setattr(World, "ask", counted)
    monkeypatch.setattr(engine._Candidates, "_judged", looked_at)
    project = {path: text.encode() for path, text in files.items()}
    report = lint.lint(context_of(project), Settings(), project)
    monkeypatch.undo()
    assert report.findings
    return number


EXPRESS = """\
import cors from 'cors';
import express from 'express';
const app = express();
app.use(cors({{ origin: true, credentials: true }}));
app.listen({port});
"""
SOCKETS = """\
import {{ Server }} from 'socket.io';
const io = new Server({port}, {{ cors: {{ origin: '*', credentials: true }} }});
"""
CLIENT = """\
import {{ io }} from 'socket.io-client';
export const socket = io('http://localhost:{port}');
"""


def servers(count: int) -> dict[str, str]:
    """Files of one package that are each a server, a socket server, or a client of two of them, or of none."""
    files = {}
    for number in range(count):
        kind = (EXPRESS, SOCKETS, CLIENT)[number % 3]
        files[f"src/part{number // 40}/file{number}.ts"] = kind.format(port=3000 + number * 2 // 7)
    return files


APPLICATION = """\
const express = require('express');
const cors = require('cors');
const {{ Server }} = require('socket.io');
const app = express();
app.use(auth);
app.use(cors({{ origin: 'https://app.example.com', methods: ['GET'] }}));
app.put('/items', save);
const server = require('http').createServer(app);
const io = new Server(server);
io.on('connection', (socket) => socket.join('all'));
server.listen({port});
"""
PAGE = """\
const socket = require('socket.io-client').io('http://localhost:{port}/chat', {{ transports: ['polling'] }});
fetch('http://localhost:{port}/items', {{ method: 'PUT', credentials: 'include' }});
"""


def applications(count: int) -> dict[str, str]:
    """Applications with a socket server each, and a page for each."""
    manifest = (
        '{"dependencies": {"express": "4.21.2", "cors": "2.8.5", "socket.io": "4.8.1", "socket.io-client": "4.8.1"}}'
    )
    files = {}
    for number in range(count):
        files[f"app{number}/package.json"] = manifest
        files[f"app{number}/server.js"] = APPLICATION.format(port=3000 + number)
        files[f"app{number}/web/page.js"] = PAGE.format(port=3000 + number)
    return files


LOCATION = """\
  location /app{number}/ {{
    proxy_pass http://127.0.0.1:{port}/;
  }}
"""


def proxied(count: int) -> dict[str, str]:
    """The same applications behind one nginx, which has a location for each."""
    locations = "".join(LOCATION.format(number=number, port=3000 + number) for number in range(count))
    server = f"server {{\n  listen 80;\n  server_name app.example.com;\n{locations}}}\n"
    return {**applications(count), "nginx.conf": f"events {{}}\nhttp {{\n{server}}}\n"}


@pytest.mark.parametrize("project", [servers, applications, proxied])
def test_twice_the_servers_are_twice_the_questions(monkeypatch: pytest.MonkeyPatch, project: Any) -> None:
    few, many = (asked(monkeypatch, project(count)) for count in (40, 80))
    assert many < 2.4 * few
