"""Layers folded from the inside out: what becomes of a header that two of them write."""

from __future__ import annotations

from unittest import mock

import pytest

from corslint import lint
from corslint.behaviour import policy
from corslint.behaviour.chain import fold, inside_out
from corslint.behaviour.response import Responder
from corslint.extract import Policy
from corslint.model.exchange import Header, Request, Response
from corslint.model.facts import Fact
from corslint.project.link import Linker
from corslint.settings import Settings
from tests.examples import context_of

PAGE = "https://app.example.com"
ORIGIN = "access-control-allow-origin"
PINS = b"flask-cors==6.0.5\nfastapi==0.165.0\nstarlette==1.10.0\npython-socketio==5.18.1\n"


def layers(files: dict[str, str]) -> list[Responder]:
    """The policies of a program, from the inside out."""
    found: list[tuple[Policy, Responder]] = []
    judge = policy.judge

    def spy(given: Policy, linker: Linker, code: policy.ReadCode) -> list[Fact]:
        found.append((given, Responder(given, linker, code)))
        return judge(given, linker, code)

    project = {path: text.encode() for path, text in files.items()} | {"requirements.txt": PINS}
    with mock.patch.object(policy, "judge", spy):
        understood = lint.understand(context_of(project), Settings(), project)
    by_fact = {id(given.fact): one for given, one in found}
    return [by_fact[id(given.fact)] for given in inside_out([given for given, _ in found], understood.facts)]


def lines(program: dict[str, str], *inner: Header) -> list[str | None]:
    answer = fold(layers(program), Request(origin=PAGE, server="https://api.example.com"), Response(200, inner))
    return [line.value for line in answer.lines(ORIGIN)]


EXPRESS = {"server.js": "const app = require('express')();\napp.use(require('cors')());\n"}
STARLETTE = {
    "main.py": (
        "from fastapi import FastAPI\nfrom fastapi.middleware.cors import CORSMiddleware\n"
        f'app = FastAPI()\napp.add_middleware(CORSMiddleware, allow_origins=["{PAGE}"])\n'
    )
}
FLASK = {"app.py": "from flask import Flask\nfrom flask_cors import CORS\napp = Flask(__name__)\nCORS(app)\n"}
DECORATED = {
    "app.py": (
        "from flask import Flask\nfrom flask_cors import cross_origin\napp = Flask(__name__)\n"
        '@app.get("/")\n@cross_origin()\ndef index():\n    return ""\n'
    )
}
OWN = "https://own.example.com"


@pytest.mark.parametrize(
    ("program", "inner", "expected"),
    [
        pytest.param(EXPRESS, Header(ORIGIN, OWN), [OWN], id="what the application sets counts"),
        pytest.param(EXPRESS, Header(ORIGIN, OWN, beside=True), ["*", OWN], id="what it appends stands beside"),
        pytest.param(STARLETTE, Header(ORIGIN, OWN), [PAGE], id="a name in lower case is replaced"),
        pytest.param(STARLETTE, Header(ORIGIN.title(), OWN), [OWN, PAGE], id="another one is not"),
        pytest.param(FLASK, Header(ORIGIN, OWN), [OWN], id="the extension is silent"),
        pytest.param(DECORATED, Header(ORIGIN, OWN), [OWN, PAGE], id="the decorator adds its own"),
    ],
)
def test_a_header_that_is_there(program: dict[str, str], inner: Header, expected: list[str]) -> None:
    assert lines(program, inner) == expected


def test_where_nothing_is_there() -> None:
    assert [lines(program) for program in (EXPRESS, STARLETTE, FLASK, DECORATED)] == [["*"], [PAGE], [PAGE], [PAGE]]


def test_a_decorator_has_the_last_word_under_the_extension() -> None:
    program = {
        "app.py": (
            "from flask import Flask\nfrom flask_cors import CORS, cross_origin\napp = Flask(__name__)\nCORS(app)\n"
            f'@app.get("/")\n@cross_origin(origins=["{OWN}"])\ndef index():\n    return ""\n'
        )
    }
    assert lines(program) == []
