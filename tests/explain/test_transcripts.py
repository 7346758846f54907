"""What `curl -v` printed is judged as a browser would judge it."""

from __future__ import annotations

import pytest

from corslint.explain import transcripts
from corslint.model.tri import Tri

APP = "https://app.example.com"


def transcript(request: str, sent: dict[str, str], status: str, answered: dict[str, str]) -> str:
    lines = ["* Trying 127.0.0.1:4000...", f"> {request} HTTP/1.1", "> Host: localhost:4000"]
    lines += [f"> {name}: {value}" for name, value in sent.items()]
    lines += [">", f"< HTTP/1.1 {status}", *(f"< {name}: {value}" for name, value in answered.items()), "<", "{}"]
    return "\n".join(lines)


def judged(text: str) -> transcripts.Judged:
    (one,) = transcripts.exchanges(text)
    return transcripts.judge(one)


def origin(value: str, **more: str) -> dict[str, str]:
    return {"Access-Control-Allow-Origin": value, **{name.replace("_", "-"): text for name, text in more.items()}}


@pytest.mark.parametrize(
    ("answered", "plain", "cookies", "words"),
    [
        (origin(APP, Access_Control_Allow_Credentials="true"), Tri.YES, None, None),
        (origin("*"), Tri.YES, Tri.NO, "must not be the wildcard '*'"),
        (origin(APP), Tri.YES, Tri.NO, "'Access-Control-Allow-Credentials' header in the response is ''"),
        ({}, Tri.NO, None, "No 'Access-Control-Allow-Origin' header is present"),
        (origin("https://other.example.com"), Tri.NO, None, "has a value 'https://other.example.com'"),
    ],
)
def test_an_answer(answered: dict[str, str], plain: Tri, cookies: Tri | None, words: str | None) -> None:
    found = judged(transcript("GET /x", {"Origin": APP}, "200 OK", answered))
    assert (found.allowed, found.with_cookies) == (plain, cookies)
    said = (*found.says, *found.says_with_cookies)
    assert (words is None and not said) or any(words in line for line in said if words)


def test_two_lines_of_one_header_are_two_values() -> None:
    text = transcript("GET /x", {"Origin": APP}, "200 OK", origin(APP)).replace(
        "<\n{}", f"< access-control-allow-origin: {APP}\n<\n{{}}"
    )
    assert f"contains multiple values '{APP}, {APP}'" in judged(text).says[0]


PREFLIGHT = {"Origin": APP, "Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "x-a, x-b"}
ALLOWED = {**origin(APP), "Access-Control-Allow-Methods": "PUT", "Access-Control-Allow-Headers": "X-A, x-b"}


@pytest.mark.parametrize(
    ("status", "answered", "words"),
    [
        ("204 No Content", ALLOWED, None),
        ("405 Not Allowed", ALLOWED, "It does not have HTTP ok status."),
        ("301 Moved", {**ALLOWED, "Location": "/y"}, "Redirect is not allowed for a preflight request."),
        ("204 No Content", {**ALLOWED, "Access-Control-Allow-Methods": "GET"}, "Method PUT is not allowed"),
        (
            "204 No Content",
            {**ALLOWED, "Access-Control-Allow-Headers": "x-a"},
            "Request header field x-b is not allowed",
        ),
        ("401 Unauthorized", {}, "Response to preflight request doesn't pass access control check: No 'Access-"),
    ],
)
def test_a_preflight(status: str, answered: dict[str, str], words: str | None) -> None:
    found = judged(transcript("OPTIONS /x", PREFLIGHT, status, answered))
    assert found.allowed is (Tri.YES if words is None else Tri.NO)
    assert words is None or words in found.says[0]


@pytest.mark.parametrize(("status", "allowed"), [("101 Switching Protocols", Tri.YES), ("400 Bad Request", Tri.NO)])
def test_a_websocket_handshake_knows_no_cors(status: str, allowed: Tri) -> None:
    found = judged(transcript("GET /socket.io/", {"Upgrade": "websocket", "Origin": APP}, status, {}))
    assert found.allowed is allowed
    assert (found.says == ()) is (allowed is Tri.YES)


def test_without_an_origin_nothing_can_be_said() -> None:
    found = judged(transcript("GET /x", {}, "200 OK", {}))
    assert found.allowed is Tri.UNKNOWN
    assert "-H 'Origin: …'" in found.note


def test_several_requests_are_judged_one_by_one() -> None:
    first = transcript("OPTIONS /x", PREFLIGHT, "204 No Content", ALLOWED)
    second = transcript("PUT /x", {"Origin": APP}, "500 Oops", {})
    found = [transcripts.judge(one) for one in transcripts.exchanges(f"{first}\n{second}")]
    assert [(one.exchanged.method, one.exchanged.status, one.allowed) for one in found] == [
        ("OPTIONS", 204, Tri.YES),
        ("PUT", 500, Tri.NO),
    ]


@pytest.mark.parametrize(
    ("line", "url"),
    [
        ("* SSL connection using TLSv1.3", "https://localhost:4000/x"),
        ("* nothing of it", "http://localhost:4000/x"),
    ],
)
def test_encryption_makes_the_scheme(line: str, url: str) -> None:
    assert transcripts.exchanges(f"{line}\n{transcript('GET /x', {}, '200 OK', {})}")[0].url == url


def test_http_2_is_encrypted() -> None:
    text = transcript("GET /x", {}, "200 OK", {}).replace("HTTP/1.1", "HTTP/2")
    assert transcripts.exchanges(text)[0].url == "https://localhost:4000/x"


@pytest.mark.parametrize(
    "text",
    ["", "> GET /x HTTP/1.1", "< HTTP/1.1 200 OK", "GET /x HTTP/1.1\n200 OK", "> get /x HTTP/1.1\n< HTTP/1.1 200 OK"],
)
def test_what_is_no_transcript(text: str) -> None:
    assert transcripts.exchanges(text) == ()


def test_a_strange_host_is_not_believed() -> None:
    text = transcript("GET /x", {"Origin": APP}, "200 OK", {}).replace("localhost:4000", "a b'$(x)")
    assert judged(text).note == "the request names no host"
    assert judged(text).allowed is Tri.UNKNOWN


def test_a_method_that_no_script_may_use_is_unknown() -> None:
    assert judged(transcript("TRACE /x", {"Origin": APP}, "200 OK", {})).allowed is Tri.UNKNOWN


def test_interim_answers_are_passed_over() -> None:
    text = transcript("POST /x", {"Origin": APP}, "200 OK", origin(APP))
    text = text.replace("< HTTP/1.1 200", "< HTTP/1.1 100 Continue\n< HTTP/1.1 200")
    (one,) = transcripts.exchanges(text)
    assert one.status == 200
