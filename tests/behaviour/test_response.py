"""Whole answers where something is not known: the part that depends on it is unknown, all the rest is not."""

from __future__ import annotations

import json

import pytest

from corslint import lint
from corslint.behaviour.response import NAMES
from corslint.model.exchange import Header, Missing, Request, Response, response
from corslint.model.tri import Tri
from tests import emulation

ORIGIN = "https://app.example.com"
PREFLIGHT = Request("preflight", "OPTIONS", "/api", ORIGIN, "PUT", ("x-token",))
INNER = response(200, ("Vary", "Accept-Encoding"))
UNKNOWN = "?"


def answered(options: str, request: Request, inner: Response = INNER) -> dict[str, object]:
    """What npm cors with these options answers: status and the headers by their short names."""
    code = "const cors = require('cors');\nconst { unread } = require('./unread');\n"
    manifest = json.dumps({"dependencies": {"cors": "2.8.6"}})
    files = {"app.js": f"{code}module.exports = cors({options});\n".encode(), "package.json": manifest.encode()}
    (layer,) = emulation.layers(files, None, lint.knowledge())
    given = layer.responder().respond(request, inner)
    shown: dict[str, object] = {"status": UNKNOWN if given.status is None else given.status}
    for short, name in NAMES.items():
        value = given.header(name)
        shown[short] = UNKNOWN if value is Missing.UNKNOWN else None if value is Missing.ABSENT else value
    return shown


KNOWN = {
    "status": 204,
    "acao": ORIGIN,
    "acac": "true",
    "vary": "Origin, Access-Control-Request-Headers",
    "acam": "GET,HEAD,PUT,PATCH,POST,DELETE",
    "acah": "x-token",
}


@pytest.mark.parametrize(
    ("options", "unknown"),
    [
        (f"{{ origin: '{ORIGIN}', credentials: true }}", set()),
        (f"{{ origin: '{ORIGIN}', credentials: unread }}", {"acac"}),
        # `methods: null` makes every preflight fail.
        (f"{{ origin: '{ORIGIN}', credentials: true, methods: unread }}", set(KNOWN)),
        (f"{{ origin: '{ORIGIN}', credentials: true, allowedHeaders: unread }}", {"acah", "vary"}),
        (f"{{ origin: '{ORIGIN}', credentials: true, optionsSuccessStatus: unread }}", {"status"}),
        ("{ origin: unread, credentials: true }", set(KNOWN)),
        (f"{{ origin: '{ORIGIN}', ...unread }}", set(KNOWN)),
    ],
)
def test_what_is_not_known_of_an_option(options: str, unknown: set[str]) -> None:
    assert answered(options, PREFLIGHT) == {key: UNKNOWN if key in unknown else value for key, value in KNOWN.items()}


def test_an_environment_variable_that_may_be_missing() -> None:
    """`origin: undefined` switches the library off, so even the status depends on it."""
    given = answered("{ origin: process.env.CLIENT_URL }", PREFLIGHT)
    assert given == dict.fromkeys(KNOWN, UNKNOWN)
    given = answered("{ origin: process.env.CLIENT_URL ? true : '*' }", PREFLIGHT)
    assert given["status"] == 204  # both ways
    assert given["acao"] == UNKNOWN
    assert given["vary"] == UNKNOWN
    assert given["acam"] == KNOWN["acam"]


def test_a_callback_that_asks_what_nobody_knows() -> None:
    given = answered(
        "{ origin: (origin, done) => (unread(origin) ? done(null, true) : done(new Error('no'))) }",
        PREFLIGHT,
    )
    assert given == {**dict.fromkeys(KNOWN, UNKNOWN), "acac": None}


def test_what_is_not_known_of_the_application() -> None:
    actual = Request("actual", "GET", "/api", ORIGIN)
    options = f"{{ origin: '{ORIGIN}' }}"
    assert answered(options, actual) == {
        **dict.fromkeys(KNOWN),
        "status": 200,
        "acao": ORIGIN,
        "vary": "Origin, Accept-Encoding",
    }
    assert answered(options, actual, Response(None))["status"] == UNKNOWN
    doubtful = Response(200, (Header("Vary", "Accept", Tri.UNKNOWN),))
    assert answered(options, actual, doubtful)["vary"] == UNKNOWN
    # A preflight is answered by the library alone.
    assert answered(options, PREFLIGHT, Response(None)) == {**KNOWN, "acac": None}


def test_where_it_is_off_the_application_answers() -> None:
    assert answered("{ origin: false }", PREFLIGHT) == {
        **dict.fromkeys(KNOWN),
        "status": 200,
        "vary": "Accept-Encoding",
    }
    assert answered("{ origin: false }", PREFLIGHT, Response(None))["status"] == UNKNOWN
