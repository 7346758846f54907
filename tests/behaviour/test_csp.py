"""Source expressions of a Content-Security-Policy, as Chromium 156 compares them: each row was asked of it."""

from __future__ import annotations

import pytest

from corslint.behaviour.csp import allows, connections, metas, widened
from corslint.model.tri import Tri
from corslint.source import SourceFile

OWN = "localhost:3000"
MEASURED = [
    ("'self'", "http://localhost:3000/ ws://localhost:3000/ wss://localhost:3000/", ""),
    ("'self'", "", "http://localhost:4000/ ws://localhost:4000/ http://127.0.0.1:3000/"),
    ("http://localhost:4000", "http://localhost:4000/", "https://localhost:4000/ ws://localhost:4000/"),
    ("https://localhost:4000", "https://localhost:4000/", "http://localhost:4000/ wss://localhost:4000/"),
    ("ws://localhost:4000", "ws://localhost:4000/", "http://localhost:4000/ wss://localhost:4000/"),
    ("wss://localhost:4000", "wss://localhost:4000/", "https://localhost:4000/ ws://localhost:4000/"),
    ("localhost:4000", "http://localhost:4000/", "https://localhost:4000/ ws://localhost:4000/"),
    ("*", "http://localhost:4000/ ws://localhost:4000/ wss://localhost:4000/", ""),
    ("http:", "http://localhost:4000/ https://localhost:4000/", "ws://localhost:4000/ wss://localhost:4000/"),
    ("https:", "https://localhost:4000/", "http://localhost:4000/ wss://localhost:4000/"),
    ("ws:", "ws://localhost:4000/ wss://localhost:4000/", "http://localhost:4000/"),
    ("wss:", "wss://localhost:4000/", "http://localhost:4000/ ws://localhost:4000/"),
    ("localhost", "http://localhost/", "http://localhost:4000/"),
    ("localhost:*", "http://localhost:4000/", "ws://localhost:4000/"),
    ("http://*:*", "http://localhost:4000/", "ws://localhost:4000/"),
    ("*.example.com", "http://a.example.com/ https://a.b.example.com/", "http://example.com/ wss://a.example.com/"),
    ("*.example.com", "", "http://a.example.com:8080/ ws://a.example.com/"),
    ("http://api.example.com", "http://api.example.com/ https://api.example.com/", "https://api.example.com:8443/"),
    ("http://api.example.com", "", "http://api.example.com:443/ https://api.example.com:80/"),
    ("http://localhost:4000/api", "http://localhost:4000/api", "http://localhost:4000/api/x http://localhost:4000/"),
    ("http://localhost:4000/api/", "http://localhost:4000/api/x", "http://localhost:4000/api http://localhost:4000/"),
    ("'none'", "", "http://localhost:3000/"),
    ("", "", "http://localhost:3000/"),
    ("HTTP://LOCALHOST:4000", "http://localhost:4000/", ""),
]


@pytest.mark.parametrize(("sources", "allowed", "blocked"), MEASURED)
def test_as_chromium_compares(sources: str, allowed: str, blocked: str) -> None:
    """The page stands at `http://localhost:3000`."""
    for url in allowed.split():
        own = Tri.YES if f"//{OWN}/" in url else Tri.NO
        assert allows(sources.split(), url, own, "http") is Tri.YES, url
    for url in blocked.split():
        own = Tri.YES if f"//{OWN}/" in url else Tri.NO
        assert allows(sources.split(), url, own, "http") is Tri.NO, url


def test_what_is_not_known() -> None:
    assert allows(["'self'"], "https://api.example.com/", Tri.UNKNOWN, None) is Tri.UNKNOWN
    assert allows(["{{api}}"], "https://api.example.com/", Tri.NO, None) is Tri.UNKNOWN
    assert allows(["$api"], "https://api.example.com/", Tri.NO, None) is Tri.UNKNOWN
    assert allows(["api.example.com"], "https://api.example.com/", Tri.NO, None) is Tri.UNKNOWN
    assert allows(["api.example.com"], "wss://api.example.com/", Tri.NO, None) is Tri.NO
    assert allows(["$api", "https:"], "https://api.example.com/", Tri.NO, None) is Tri.YES
    assert allows(["http://a:b:c"], "https://api.example.com/", Tri.NO, None) is Tri.UNKNOWN
    assert allows(["https://x"], "https://api.example.com:port/", Tri.NO, None) is Tri.UNKNOWN


def test_which_directive_decides() -> None:
    assert connections("default-src 'none'; connect-src *") == ("connect-src", ("*",))
    assert connections("Default-Src 'self' https:;") == ("default-src", ("'self'", "https:"))
    assert connections("connect-src 'self'; connect-src *") == ("connect-src", ("'self'",))
    assert connections("connect-src") == ("connect-src", ())
    assert connections("script-src 'self'") is None


def test_a_further_origin() -> None:
    origin = "https://api.example.com"
    assert widened("default-src 'self'", origin) == f"default-src 'self'; connect-src 'self' {origin}"
    assert widened("connect-src 'none'; img-src *", origin) == f"connect-src {origin}; img-src *"
    assert widened("img-src *;connect-src 'self'", origin) == f"img-src *;connect-src 'self' {origin}"
    assert widened("img-src *", origin) is None


def test_policies_of_pages() -> None:
    page = SourceFile(
        "a.html",
        b"<!-- <meta http-equiv='Content-Security-Policy' content='a'> -->"
        b"<meta charset=utf-8><META content=\"connect-src 'self'\" HTTP-EQUIV=content-security-policy>"
        b"<meta http-equiv='Content-Security-Policy' content='default-src &#39;none&#39;'>"
        b"<meta http-equiv='Content-Security-Policy-Report-Only' content='b'><meta http-equiv=content-security-policy>",
    )
    found = list(metas(page))
    assert [text for text, _ in found] == ["connect-src 'self'", "default-src 'none'"]
    assert page.text(found[0][1]) == "connect-src 'self'"
