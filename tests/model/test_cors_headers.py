"""Header names that are nearly those of the CORS protocol."""

from __future__ import annotations

import pytest

from corslint.model.cors_headers import RESPONSE, answers_cors, is_known, nearest


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("Access-Control-Allow-Header", "Access-Control-Allow-Headers"),
        ("Access-Control-AllowMethods", "Access-Control-Allow-Methods"),
        ("access_control_allow_origin", "Access-Control-Allow-Origin"),
        ("Access-Control-Allow-Orgiin", "Access-Control-Allow-Origin"),
        ("Acces-Control-Allow-Origin", "Access-Control-Allow-Origin"),
        ("Access-Control-Origin", "Access-Control-Allow-Origin"),
        ("Access-Control-Allowed-Headers", "Access-Control-Allow-Headers"),
        ("Access-Control-Expose-Header", "Access-Control-Expose-Headers"),
        ("Access-Control-Allow-Credential", "Access-Control-Allow-Credentials"),
        ("Access-Control-Maxage", "Access-Control-Max-Age"),
        ("Access-Control-Request-Methods", None),
        ("Access-Control-List", None),
        ("Access-Control-Policy", None),
        ("X-Access-Control-Allow-Origin", None),
        ("Cache-Control", None),
        ("Cross-Origin-Resource-Policy", None),
        ("Access-Control-Allow-Origin" * 3, None),
    ],
)
def test_nearest(name: str, meant: str | None) -> None:
    assert nearest(name) == meant


def test_known_names_are_near_to_nothing() -> None:
    for name in RESPONSE:
        for spelled in (name, name.lower(), name.upper()):
            assert (is_known(spelled), answers_cors(spelled), nearest(spelled)) == (True, True, None)


def test_what_a_browser_asks_with_answers_nothing() -> None:
    assert is_known("access-control-request-method")
    assert not answers_cors("access-control-request-method")
