"""Pasted texts: messages in any company, wrapped, quoted otherwise, repeated."""

from __future__ import annotations

import pytest

from corslint.explain import messages
from corslint.explain.pasted import Complaint, complaints, derived
from corslint.explain.wordings import Wording, even

MISSING = "No 'Access-Control-Allow-Origin' header is present on the requested resource."
POLLED = "https://api.example.com/socket.io/?EIO=4&transport=polling&t=x1"
ITEMS = (
    "Access to fetch at 'https://api.example.com/items' from origin 'https://app.example.com' has been blocked by CORS "
    "policy: "
)
BLOCKED = (
    f"Access to XMLHttpRequest at '{POLLED}' from origin 'https://app.example.com' has been blocked by CORS policy: "
)


def said(text: str) -> tuple[Complaint, ...]:
    return complaints(even(text), messages.known())


def ids(text: str) -> list[str]:
    return [one.message.id for one in said(text)]


def test_a_whole_console_is_read_as_one() -> None:
    """What only follows from another message, and what stands beside one, is left out; a status is not."""
    text = f"""
    socket.js:12 {BLOCKED}{MISSING}
    polling.js:298     GET {POLLED} net::ERR_FAILED 404 (Not Found)
    Failed to load resource: net::ERR_FAILED
    socket.js:15 connect_error Error: xhr poll error
        at XHR.onError (polling.js:1:2)
    """
    assert ids(text) == ["allow-origin-missing", "status"]
    assert {one.clues["url"] for one in said(text)} == {POLLED}


def test_lines_may_be_wrapped() -> None:
    assert ids(f"{BLOCKED}{MISSING}".replace(" header", "\n   header")) == ["allow-origin-missing"]


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_newlines_of_all_systems(newline: str) -> None:
    assert ids(newline.join(["connect_error: server error", "connect_error: timeout"])) == ["server-error", "timeout"]


def test_quotation_marks_of_all_shapes() -> None:
    typographic = MISSING.replace("'Access", "‘Access").replace("Origin'", "Origin’")
    assert ids(typographic) == ids(MISSING) == ["allow-origin-missing"]


def test_terminal_sequences_and_odd_blanks_are_no_part_of_words() -> None:
    assert ids(
        "\x1b[31mNo\x1b[0m 'Access-Control-Allow-Origin'\u00a0header \u200b is present on the requested resource"
    ) == ["allow-origin-missing"]


def test_what_is_said_twice_counts_once() -> None:
    again = f"{BLOCKED}{MISSING}".replace("t=x1", "t=x2")
    assert ids(f"{BLOCKED}{MISSING}\n{again}") == ["allow-origin-missing"]


def test_different_requests_are_different_messages() -> None:
    found = said(f"{BLOCKED}{MISSING}\n{ITEMS}{MISSING}")
    assert [one.clues["path"] for one in found] == ["/socket.io/", "/items"]


def test_with_two_addresses_nobody_knows_which_a_line_means() -> None:
    found = said(f"{BLOCKED}{MISSING}\n{ITEMS}{MISSING}\nthe server responded with a status of 500 (X)")
    assert "url" not in found[-1].clues
    assert found[-1].clues["origin"] == "https://app.example.com"


def test_a_preflight_is_told_from_the_request() -> None:
    preflight = "Response to preflight request doesn't pass access control check: "
    assert [one.clues["preflight"] for one in said(f"{BLOCKED}{preflight}{MISSING}")] == ["yes"]
    assert [one.clues["preflight"] for one in said(f"{BLOCKED}{MISSING}")] == ["no"]
    assert "preflight" not in said(MISSING)[0].clues


def test_redirects_are_read() -> None:
    text = (
        "Access to fetch at 'https://a.example.com/2' (redirected from 'https://a.example.com/1') from origin "
        f"'https://app.example.com' has been blocked by CORS policy: {MISSING}"
    )
    clues = said(text)[0].clues
    assert (clues["url"], clues["redirected_from"]) == ("https://a.example.com/2", "https://a.example.com/1")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("timeout", ["timeout"]),
        ("socket.js:7 connect_error: timeout", ["timeout"]),
        ("Error: timeout\n    at Timer", ["timeout"]),
        ("the timeout of 20 s", []),
        ("Internal Server Error", []),
        ("connect_error Error: server error at Socket", ["server-error"]),
        ("a server error", []),
        ("{ code: 1 }", ["session-unknown"]),
        ("{ code: 12 }", []),
        ('{"code": 5, "message": "Unsupported protocol version"}', ["unsupported-protocol"]),
        ("400 Bad Request", []),
        ("403 Forbidden", []),
        ("hello", []),
        ("", []),
    ],
)
def test_short_words_count_only_where_they_stand_alone(text: str, found: list[str]) -> None:
    assert ids(text) == found


@pytest.mark.parametrize(
    ("told", "clues"),
    [
        (
            {"url": "ws://localhost/socket.io/?EIO=3&transport=websocket&sid=a", "origin": "http://127.0.0.1:5173"},
            {"port": "80", "transport": "websocket", "protocol": "3", "session": "yes", "same_host": "no"},
        ),
        ({"url": "http://[::1]:4000/x"}, {"host": "::1", "loopback": "yes", "port": "4000", "transport": "none"}),
        ({"url": "https://a.localhost/"}, {"loopback": "yes", "port": "443"}),
        ({"url": "https://localhost.example.com"}, {"loopback": "no", "path": "/"}),
        (
            {"origin": "https://app.example.com/chat?x#y"},
            {"origin": "https://app.example.com", "origin_loopback": "no"},
        ),
        ({"origin": "null"}, {"origin": "null"}),
        ({"value": "https://a.example, https://a.example"}, {"values": "same"}),
        ({"value": "https://a.example *"}, {"values": "different"}),
        ({"header": "X-Token"}, {"header": "x-token"}),
    ],
)
def test_clues_that_follow_from_others(told: dict[str, str], clues: dict[str, str]) -> None:
    found = derived(told)
    assert {name: found.get(name) for name in clues} == clues


@pytest.mark.parametrize("url", ["http://[", "http://a:99999/", "http://a:b/", "//", "x", "http://"])
def test_addresses_that_are_none_tell_nothing(url: str) -> None:
    assert "port" not in derived({"url": url})


@pytest.mark.parametrize(
    ("wording", "text", "gaps"),
    [
        ("a {value} b", "a x y b", {"value": "x y"}),
        ("at {url} b", "at x y b", None),
        ("{origin} is refused", "the https://a.example is refused", {"origin": "https://a.example"}),
        ("code: {status}", "code: 404)", {"status": "404"}),
        ("code: {status}", "code: 40x", None),
        ("code: {status}", "code: 4040", None),
        ("value: {value}", "value: GET PUT.\nnext", {"value": "GET PUT"}),
        ("is '{value}' now", "is '' now", {"value": ""}),
        ("is '{url}' now", "is '' now", None),
        ("a {_} b", "a x b", {}),
    ],
)
def test_gaps(wording: str, text: str, gaps: dict[str, str] | None) -> None:
    found = next(Wording(wording).find(even(text)), None)
    assert (None if found is None else dict(found.gaps)) == gaps
