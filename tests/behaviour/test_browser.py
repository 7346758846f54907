"""The browser model, from what was measured. `tests/lab/test_browser_model.py` compares it with Chromium itself."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from corslint.behaviour.addresses import is_url, origin_of, redirected
from corslint.behaviour.browser import (
    PageRequest,
    author_headers,
    fetch,
    is_safelisted,
    normalised_method,
    unsafe_headers,
)
from corslint.behaviour.console import Browser, Reason
from corslint.behaviour.handshake import LOST, Client, connect
from corslint.model.exchange import NO_ANSWER, Header, Missing, Request, Response, response
from corslint.model.tri import Tri

PAGE = "http://localhost:3000"
URL = "http://localhost:4000/data"
ORIGIN = ("Access-Control-Allow-Origin", PAGE)
STAR = ("Access-Control-Allow-Origin", "*")
CREDENTIALS = ("Access-Control-Allow-Credentials", "true")
HEADER = "Access-Control-Allow-Headers"
METHODS = "Access-Control-Allow-Methods"

GET = PageRequest(URL, PAGE)
PUT = GET._replace(method="PUT")
WITH_COOKIES = GET._replace(credentials="include")
FETCH = f"Access to fetch at '{URL}' from origin '{PAGE}' has been blocked by CORS policy: "
XHR = f"Access to XMLHttpRequest at '{URL}' from origin '{PAGE}' has been blocked by CORS policy: "
PREFLIGHT = "Response to preflight request doesn't pass access control check: "


def server(actual: Response, preflight: Response | None = None) -> Callable[[Request], Response]:
    return lambda request: preflight if preflight is not None and request.kind == "preflight" else actual


def verdict(asked: PageRequest, actual: Response, preflight: Response | None = None) -> Tri:
    return fetch(asked, server(actual, preflight)).allowed


def message(asked: PageRequest, actual: Response, preflight: Response | None = None, by: Browser = "chromium") -> str:
    found = fetch(asked, server(actual, preflight)).messages(by)
    assert len(found) == 1, found
    return found[0]


def xhr(asked: PageRequest) -> PageRequest:
    return asked._replace(initiator="xhr")


# --- The twelve messages of Chromium ---------------------------------------------------------------------------------

NONE_PRESENT = "No 'Access-Control-Allow-Origin' header is present on the requested resource."
WILDCARD = (
    "The value of the 'Access-Control-Allow-Origin' header in the response must not be the wildcard '*' when the "
    "request's credentials mode is 'include'."
)
BY_ATTRIBUTE = (
    " The credentials mode of requests initiated by the XMLHttpRequest is controlled by the withCredentials attribute."
)
VALID = " Have the server send the header with a valid value."
NOT_TRUE = (
    "The value of the 'Access-Control-Allow-Credentials' header in the response is '{}' which must be 'true' when the "
    "request's credentials mode is 'include'."
)


@pytest.mark.parametrize(
    ("headers", "asked", "by_fetch", "by_xhr"),
    [
        ([], GET, NONE_PRESENT, NONE_PRESENT),
        ([STAR, CREDENTIALS], WITH_COOKIES, WILDCARD, WILDCARD + BY_ATTRIBUTE),
        (
            [("access-control-allow-origin", "*"), ORIGIN],
            GET,
            f"The 'Access-Control-Allow-Origin' header contains multiple values '*, {PAGE}', but only one is allowed."
            + VALID,
            f"The 'Access-Control-Allow-Origin' header contains multiple values '*, {PAGE}', but only one is allowed.",
        ),
        (
            [("Access-Control-Allow-Origin", "foo bar")],
            GET,
            "The 'Access-Control-Allow-Origin' header contains multiple values 'foo bar', but only one is allowed."
            + VALID,
            "The 'Access-Control-Allow-Origin' header contains multiple values 'foo bar', but only one is allowed.",
        ),
        (
            [("Access-Control-Allow-Origin", f"{PAGE}/")],
            GET,
            f"The 'Access-Control-Allow-Origin' header has a value '{PAGE}/' that is not equal to the supplied origin."
            + VALID,
            f"The 'Access-Control-Allow-Origin' header has a value '{PAGE}/' that is not equal to the supplied origin.",
        ),
        (
            [("Access-Control-Allow-Origin", "undefined")],
            GET,
            "The 'Access-Control-Allow-Origin' header contains the invalid value 'undefined'." + VALID,
            "The 'Access-Control-Allow-Origin' header contains the invalid value 'undefined'.",
        ),
        (
            [("Access-Control-Allow-Origin", "")],
            GET,
            "The 'Access-Control-Allow-Origin' header contains the invalid value ''." + VALID,
            "The 'Access-Control-Allow-Origin' header contains the invalid value ''.",
        ),
        ([ORIGIN], WITH_COOKIES, NOT_TRUE.format(""), NOT_TRUE.format("") + BY_ATTRIBUTE),
        (
            [ORIGIN, CREDENTIALS, CREDENTIALS],
            WITH_COOKIES,
            NOT_TRUE.format("true, true"),
            NOT_TRUE.format("true, true") + BY_ATTRIBUTE,
        ),
    ],
)
def test_messages_of_the_cors_check(
    headers: list[tuple[str, str]], asked: PageRequest, by_fetch: str, by_xhr: str
) -> None:
    assert message(asked, response(200, *headers)) == FETCH + by_fetch
    assert message(xhr(asked), response(200, *headers)) == XHR + by_xhr
    preflighted = asked._replace(method="PUT")
    assert message(preflighted, response(200), response(200, *headers)) == FETCH + PREFLIGHT + by_fetch
    assert message(xhr(preflighted), response(200), response(200, *headers)) == XHR + PREFLIGHT + by_xhr


@pytest.mark.parametrize(
    ("preflight", "asked", "text"),
    [
        (response(404, STAR), PUT, PREFLIGHT + "It does not have HTTP ok status."),
        (response(405), PUT, PREFLIGHT + NONE_PRESENT),
        (response(301, ("Location", "/")), PUT, PREFLIGHT + "Redirect is not allowed for a preflight request."),
        (response(301, STAR), PUT, PREFLIGHT + "It does not have HTTP ok status."),
        (
            response(204, STAR, (METHODS, "GET,HEAD,POST")),
            PUT,
            "Method PUT is not allowed by Access-Control-Allow-Methods in preflight response.",
        ),
        (
            response(204, STAR),
            GET._replace(headers=(("X-Custom", "1"),)),
            "Request header field x-custom is not allowed by Access-Control-Allow-Headers in preflight response.",
        ),
        (
            response(204, STAR, (METHODS, "PUT; GET"), (HEADER, "a b")),
            PUT,
            "Cannot parse Access-Control-Allow-Methods response header field in preflight response.",
        ),
        (
            response(204, STAR, (METHODS, "POST"), (HEADER, "a b")),
            PUT,
            "Cannot parse Access-Control-Allow-Headers response header field in preflight response.",
        ),
    ],
)
def test_messages_of_the_preflight(preflight: Response, asked: PageRequest, text: str) -> None:
    assert message(asked, response(200, STAR), preflight) == FETCH + text
    assert message(xhr(asked), response(200, STAR), preflight) == XHR + text


# --- Verdicts --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "headers", "allowed"),
    [
        (GET, [STAR], Tri.YES),
        (GET, [ORIGIN], Tri.YES),
        (GET, [("Access-Control-Allow-Origin", f" {PAGE}\t")], Tri.YES),
        (GET, [("Access-Control-Allow-Origin", PAGE.upper())], Tri.NO),
        (GET._replace(credentials="omit"), [STAR, CREDENTIALS], Tri.YES),
        (WITH_COOKIES, [ORIGIN, CREDENTIALS], Tri.YES),
        (WITH_COOKIES, [ORIGIN, ("Access-Control-Allow-Credentials", "True")], Tri.NO),
        (WITH_COOKIES._replace(origin="null"), [("Access-Control-Allow-Origin", "null"), CREDENTIALS], Tri.YES),
        (GET._replace(origin="http://localhost:4000"), [], Tri.YES),
        (PUT._replace(origin="http://localhost:4000"), [], Tri.YES),
        (GET._replace(origin="http://127.0.0.1:4000"), [], Tri.NO),
        (GET._replace(origin="https://localhost:4000"), [], Tri.NO),
    ],
)
def test_the_cors_check(asked: PageRequest, headers: list[tuple[str, str]], allowed: Tri) -> None:
    for status in (200, 404, 500):
        assert verdict(asked, response(status, *headers)) is allowed


@pytest.mark.parametrize(
    ("method", "listed", "credentials", "allowed"),
    [
        ("PUT", "PUT", False, Tri.YES),
        ("put", "PUT", False, Tri.YES),
        ("PUT", "put", False, Tri.NO),
        ("PATCH", "patch", False, Tri.NO),
        ("patch", "PATCH", False, Tri.NO),
        ("patch", "patch", False, Tri.YES),
        ("PUT", "*", False, Tri.YES),
        ("PUT", "*", True, Tri.NO),
        ("PUT", ",,POST , PUT,", True, Tri.YES),
        ("PUT", "", False, Tri.NO),
        ("POST", "", False, Tri.YES),
    ],
)
def test_methods(method: str, listed: str, credentials: bool, allowed: Tri) -> None:
    asked = (WITH_COOKIES if credentials else GET)._replace(method=method, headers=(("x-a", "1"),))
    preflight = response(200, ORIGIN, CREDENTIALS, (METHODS, listed), (HEADER, "X-A"))
    assert verdict(asked, response(200, ORIGIN, CREDENTIALS), preflight) is allowed


@pytest.mark.parametrize(
    ("listed", "credentials", "refused"),
    [
        ("authorization, x-a", True, ()),
        ("Authorization,X-A", False, ()),
        ("*", False, ()),
        ("*", True, ("authorization", "x-a")),
        ("*, Authorization", True, ("x-a",)),
        ("x-a", False, ("authorization",)),
    ],
)
def test_request_headers(listed: str, credentials: bool, refused: tuple[str, ...]) -> None:
    asked = (WITH_COOKIES if credentials else GET)._replace(headers=(("X-A", "1"), ("Authorization", "Bearer x")))
    preflight = response(204, ORIGIN, CREDENTIALS, (HEADER, listed))
    outcome = fetch(asked, server(response(200, ORIGIN, CREDENTIALS), preflight))
    assert tuple(fault.value for fault in outcome.faults()) == refused
    assert outcome.allowed is (Tri.NO if refused else Tri.YES)


# --- What is sent ----------------------------------------------------------------------------------------------------


def sent(asked: PageRequest, answers: Callable[[Request], Response] | None = None) -> list[Request]:
    passes = response(200, ORIGIN, CREDENTIALS, (METHODS, "PUT"), (HEADER, "x-b, x-a, content-type"))
    return [request for request, _ in fetch(asked, answers or (lambda request: passes)).exchanges]


def test_a_simple_request_is_not_preflighted() -> None:
    assert sent(GET) == [Request("actual", "GET", "/data", PAGE, server="http://localhost:4000")]
    assert [request.kind for request in sent(GET._replace(method="post"))] == ["actual"]


def test_a_preflight_asks_for_method_and_headers_in_order() -> None:
    asked = WITH_COOKIES._replace(
        url=f"{URL}?q=1",
        method="put",
        headers=(("X-B", "1"), ("Content-Type", "application/json"), ("Accept", "*/*"), ("X-A", "1"), ("Cookie", "x")),
    )
    assert sent(asked) == [
        Request(
            "preflight",
            "OPTIONS",
            "/data?q=1",
            PAGE,
            "PUT",
            ("content-type", "x-a", "x-b"),
            server="http://localhost:4000",
        ),
        Request("actual", "PUT", "/data?q=1", PAGE, cookie=Tri.UNKNOWN, server="http://localhost:4000"),
    ]


def test_an_upload_that_is_watched_is_preflighted() -> None:
    asked = xhr(GET)._replace(method="POST", watches_upload=True)
    assert [request.kind for request in sent(asked)] == ["preflight", "actual"]


def test_within_one_origin_only_writing_requests_name_it() -> None:
    asked = GET._replace(origin="http://localhost:4000")
    assert sent(asked)[0].origin is None
    assert sent(asked._replace(method="PUT"))[0].origin == "http://localhost:4000"
    assert len(sent(asked._replace(method="PUT"))) == 1


@pytest.mark.parametrize(
    ("credentials", "origin", "cookie"),
    [
        ("include", PAGE, Tri.UNKNOWN),
        ("same-origin", PAGE, Tri.NO),
        ("omit", PAGE, Tri.NO),
        ("same-origin", "http://localhost:4000", Tri.UNKNOWN),
        ("omit", "http://localhost:4000", Tri.NO),
    ],
)
def test_cookies(credentials: str, origin: str, cookie: Tri) -> None:
    asked = GET._replace(credentials=credentials, origin=origin)  # type: ignore[arg-type]
    assert sent(asked)[-1].cookie is cookie


@pytest.mark.parametrize(
    ("name", "value", "safe"),
    [
        ("content-type", "text/plain;charset=UTF-8", True),
        ("content-type", "TEXT/PLAIN", True),
        ("content-type", "text/plain ; a=b", True),
        ("content-type", "text/plain x", False),
        ("content-type", "application/json", False),
        ("content-type", 'multipart/form-data; boundary="x"', False),
        ("accept", "*/*", True),
        ("accept", "a(b", False),
        ("accept", "x" * 128, True),
        ("accept", "x" * 129, False),
        ("accept", "é" * 64, True),
        ("accept", "é" * 65, False),
        ("accept-language", "de-DE, en;q=0.9", True),
        ("content-language", "de_DE", False),
        ("range", "bytes=0-", True),
        ("range", "bytes=5-5", True),
        ("range", "bytes=5-4", False),
        ("range", "bytes=-5", False),
        ("save-data", "on", True),
        ("save-data", "off", False),
        ("dpr", "1.5", True),
        ("dpr", "x", False),
        ("authorization", "x", False),
        ("x-requested-with", "XMLHttpRequest", False),
    ],
)
def test_safelisted_headers(name: str, value: str, safe: bool) -> None:
    assert is_safelisted(name, value) is safe
    assert unsafe_headers({name: value}) == (() if safe else (name,))


def test_headers_of_scripts() -> None:
    given = [
        ("X-A", " 1 "),
        ("x-a", "2"),
        ("Cookie", "a"),
        ("Sec-Fetch-Mode", "x"),
        ("X-HTTP-Method-Override", "trace"),
    ]
    assert author_headers(given) == {"x-a": "1, 2"}
    assert author_headers([("X-HTTP-Method", "PUT")]) == {"x-http-method": "PUT"}


def test_methods_of_scripts() -> None:
    assert [normalised_method(name) for name in ("get", "Put", "patch", "PURGE")] == [
        "GET",
        "PUT",
        "patch",
        "PURGE",
    ]
    with pytest.raises(ValueError, match="trace"):
        normalised_method("trace")
    with pytest.raises(ValueError, match="names no host"):
        fetch(GET._replace(url="data:,x"), lambda request: response(200))


# --- Redirects -------------------------------------------------------------------------------------------------------

OTHER = "http://127.0.0.1:5000"


def chain(*answers: Response) -> Callable[[Request], Response]:
    """One answer to each actual request; preflights pass."""
    following = iter(answers)
    passes = response(204, STAR, (METHODS, "*"), (HEADER, "*"))
    return lambda request: passes if request.kind == "preflight" else next(following)


def to(place: str, status: int = 302) -> Response:
    return response(status, STAR, ("Location", place))


def test_a_redirect_between_foreign_origins_hides_the_origin() -> None:
    requests = sent(GET, chain(to(f"{OTHER}/x"), response(200, STAR)))
    assert [request.origin for request in requests] == [PAGE, "null"]
    outcome = fetch(GET, chain(to(f"{OTHER}/x"), response(200, ORIGIN)))
    assert outcome.messages() == (
        (
            f"Access to fetch at '{OTHER}/x' (redirected from '{URL}') from origin '{PAGE}' has been blocked by CORS "
            f"policy: The 'Access-Control-Allow-Origin' header has a value '{PAGE}' that is not equal to the supplied "
            "origin. Have the server send the header with a valid value."
        ),
    )


def test_a_redirect_within_the_foreign_origin_keeps_it() -> None:
    assert fetch(GET, chain(to("/y"), response(200, ORIGIN))).allowed is Tri.YES
    assert sent(GET, chain(to("/y"), response(200, ORIGIN)))[1].path == "/y"


def test_the_first_redirect_away_from_the_page_keeps_the_origin() -> None:
    asked = GET._replace(origin="http://localhost:4000")
    assert [request.origin for request in sent(asked, chain(to(f"{OTHER}/x"), response(200)))][1] == asked.origin
    assert fetch(asked, chain(to(f"{OTHER}/x"), response(200))).allowed is Tri.NO
    assert fetch(asked, chain(response(302, ("Location", "/y")), response(200))).allowed is Tri.YES


@pytest.mark.parametrize(
    ("status", "method", "then"),
    [(302, "POST", "GET"), (307, "POST", "POST"), (303, "PUT", "GET"), (302, "PUT", "PUT"), (303, "HEAD", "HEAD")],
)
def test_redirects_change_methods(status: int, method: str, then: str) -> None:
    requests = sent(GET._replace(method=method), chain(to("/y", status), response(200, STAR)))
    assert [request.method for request in requests if request.kind == "actual"] == [method, then]


def test_authorization_stays_with_its_origin() -> None:
    asked = GET._replace(headers=(("Authorization", "x"), ("x-a", "1")))
    away = sent(asked, chain(to(f"{OTHER}/x"), response(200, STAR)))
    assert [request.asked_headers for request in away if request.kind == "preflight"] == [
        ("authorization", "x-a"),
        ("x-a",),
    ]
    within = sent(asked, chain(to("/y"), response(200, STAR)))
    assert within[2].asked_headers == ("authorization", "x-a")


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        ("http://u:p@localhost:4000/", Reason.REDIRECT_WITH_PASSWORD),
        ("ftp://localhost/", Reason.REDIRECT_SCHEME),
        ("http://[x/", Reason.REDIRECT_REFUSED),
        ("http://localhost:99999/", Reason.REDIRECT_REFUSED),
    ],
)
def test_redirects_that_are_not_followed(place: str, reason: Reason) -> None:
    outcome = fetch(GET, chain(to(place)))
    assert outcome.allowed is Tri.NO
    assert [fault.reason for fault in outcome.faults()] == [reason]


def test_redirects_end() -> None:
    outcome = fetch(GET, lambda request: to("/again"))
    assert (outcome.allowed, len(outcome.exchanges)) == (Tri.NO, 21)
    assert [fault.reason for fault in outcome.faults()] == [Reason.TOO_MANY_REDIRECTS]
    assert outcome.messages() == ()


# --- What is not known -----------------------------------------------------------------------------------------------

PERHAPS_STAR = Header("Access-Control-Allow-Origin", "*", Tri.UNKNOWN)
ANY_ORIGIN = Header("Access-Control-Allow-Origin", None)


def reasons(asked: PageRequest, actual: Response, preflight: Response | None = None) -> set[Reason]:
    return {fault.reason for fault in fetch(asked, server(actual, preflight)).faults()}


def test_an_unknown_header_is_an_unknown_verdict() -> None:
    assert verdict(GET, Response(200, (ANY_ORIGIN,))) is Tri.UNKNOWN
    assert verdict(GET, Response(200, complete=Tri.UNKNOWN)) is Tri.UNKNOWN
    assert verdict(GET, Response(200, (PERHAPS_STAR,))) is Tri.UNKNOWN
    assert reasons(GET, Response(200, (PERHAPS_STAR,))) == {Reason.NO_ALLOW_ORIGIN}
    assert Reason.WILDCARD_WITH_CREDENTIALS not in reasons(GET, Response(200, (ANY_ORIGIN,)))
    assert Reason.WILDCARD_WITH_CREDENTIALS in reasons(WITH_COOKIES, Response(200, (ANY_ORIGIN,)))


def test_what_fails_either_way_is_blocked() -> None:
    assert verdict(WITH_COOKIES, Response(200, (PERHAPS_STAR,))) is Tri.NO
    assert reasons(WITH_COOKIES, Response(200, (PERHAPS_STAR,))) == {
        Reason.NO_ALLOW_ORIGIN,
        Reason.WILDCARD_WITH_CREDENTIALS,
    }
    assert verdict(WITH_COOKIES, Response(200, (ANY_ORIGIN,))) is Tri.NO  # without Allow-Credentials


def test_two_lines_are_two_values_whatever_they_are() -> None:
    outcome = fetch(GET, server(Response(200, (ANY_ORIGIN, ANY_ORIGIN))))
    assert outcome.allowed is Tri.NO
    assert outcome.messages() == (
        FETCH
        + "The 'Access-Control-Allow-Origin' header contains multiple values '…', but only one is allowed."
        + VALID,
    )


def test_a_line_that_may_come_on_top() -> None:
    perhaps_twice = Response(200, (Header("Access-Control-Allow-Origin", "*"), PERHAPS_STAR))
    assert verdict(GET, perhaps_twice) is Tri.UNKNOWN
    assert reasons(GET, perhaps_twice) == {Reason.SEVERAL_ORIGINS}


def test_after_an_unknown_preflight_the_request_itself_may_decide() -> None:
    unknown = Response(None, (ANY_ORIGIN,), complete=Tri.UNKNOWN)
    assert verdict(PUT, response(200, STAR), unknown) is Tri.UNKNOWN
    assert verdict(PUT, response(200), unknown) is Tri.NO
    assert {Reason.PREFLIGHT_STATUS, Reason.NO_ALLOW_ORIGIN} <= reasons(PUT, response(200), unknown)


def test_headers_that_do_not_matter_may_be_unknown() -> None:
    known = Response(200, (Header(*STAR), Header("Vary", None), Header(METHODS, None), Header("X", "1", Tri.UNKNOWN)))
    assert verdict(GET, known) is Tri.YES
    assert verdict(GET._replace(headers=(("x-a", "1"),)), known, response(200, STAR, (HEADER, "*"))) is Tri.YES
    assert verdict(GET._replace(origin="http://localhost:4000"), Response(200, complete=Tri.UNKNOWN)) is Tri.YES


def test_an_unknown_list_of_methods() -> None:
    preflight = Response(200, (Header(*STAR), Header(METHODS, None)))
    assert verdict(PUT, response(200, STAR), preflight) is Tri.UNKNOWN
    assert reasons(PUT, response(200, STAR), preflight) == {Reason.METHODS_UNREADABLE, Reason.METHOD_NOT_ALLOWED}
    simple = GET._replace(headers=(("x-a", "1"),))
    assert reasons(simple, response(200, STAR), preflight) == {Reason.METHODS_UNREADABLE, Reason.HEADER_NOT_ALLOWED}


def test_an_unknown_redirect() -> None:
    place = Header("Location", "/x")
    assert verdict(GET, Response(None, (Header(*STAR), place))) is Tri.UNKNOWN
    assert verdict(GET, Response(None, (Header(*STAR),))) is Tri.YES
    assert verdict(GET, Response(302, (Header(*STAR), place._replace(value=None)))) is Tri.UNKNOWN


def test_texts_of_headers() -> None:
    both = Response(
        200, (Header("A", " 1"), Header("a", "2 ", Tri.YES), Header("B", None), Header("c", "x", Tri.UNKNOWN))
    )
    assert [both.header(name) for name in ("a", "b", "C", "d")] == [
        "1, 2",
        Missing.UNKNOWN,
        Missing.UNKNOWN,
        Missing.ABSENT,
    ]
    assert both._replace(complete=Tri.UNKNOWN).header("a") is Missing.UNKNOWN
    assert Response(200, (Header("a", "1", Tri.NO),)).header("a") is Missing.ABSENT


# --- The other browsers ----------------------------------------------------------------------------------------------

FIREFOX = (
    f"Cross-Origin Request Blocked: The Same Origin Policy disallows reading the remote resource at {URL}. (Reason: "
)


@pytest.mark.parametrize(
    ("asked", "actual", "preflight", "firefox", "safari"),
    [
        (
            GET,
            response(404),
            None,
            "CORS header ‘Access-Control-Allow-Origin’ missing). Status code: 404.",
            f"Origin {PAGE} is not allowed by Access-Control-Allow-Origin. Status code: 404",
        ),
        (
            GET,
            response(200, ("Access-Control-Allow-Origin", "a, b")),
            None,
            "CORS header ‘Access-Control-Allow-Origin’ does not match ‘a, b’).",
            "Access-Control-Allow-Origin cannot contain more than one origin.",
        ),
        (
            GET,
            response(200, STAR, STAR),
            None,
            "Multiple CORS header ‘Access-Control-Allow-Origin’ not allowed).",
            "Access-Control-Allow-Origin cannot contain more than one origin.",
        ),
        (
            GET,
            response(200, ("Access-Control-Allow-Origin", "http://x")),
            None,
            "CORS header ‘Access-Control-Allow-Origin’ does not match ‘http://x’).",
            f"Origin {PAGE} is not allowed by Access-Control-Allow-Origin. Status code: 200",
        ),
        (
            WITH_COOKIES,
            response(200, ORIGIN),
            None,
            "expected ‘true’ in CORS header ‘Access-Control-Allow-Credentials’).",
            'Credentials flag is true, but Access-Control-Allow-Credentials is not "true".',
        ),
        (
            PUT,
            response(200, STAR),
            response(404, STAR),
            "CORS preflight response did not succeed). Status code: 404.",
            "Preflight response is not successful. Status code: 404",
        ),
        (
            PUT,
            response(200, STAR),
            response(302, STAR, ("Location", "/")),
            "CORS request external redirect not allowed).",
            "Preflight response is not successful. Status code: 302",
        ),
        (
            PUT,
            response(200, STAR),
            response(200, STAR, (HEADER, "a b")),
            "Did not find method in CORS header ‘Access-Control-Allow-Methods’).",
            "Header Access-Control-Allow-Headers has an invalid value: a b",
        ),
        (
            PUT,
            response(200, STAR),
            response(200, STAR, (METHODS, "POST, PUT GET")),
            "invalid token ‘PUT GET’ in CORS header ‘Access-Control-Allow-Methods’).",
            "Header Access-Control-Allow-Methods has an invalid value: POST, PUT GET",
        ),
        (
            GET._replace(headers=(("x-a", "1"),)),
            response(200, STAR),
            response(200, STAR),
            (
                "header ‘x-a’ is not allowed according to header ‘Access-Control-Allow-Headers’ from CORS preflight "
                "response)."
            ),
            "Request header field x-a is not allowed by Access-Control-Allow-Headers.",
        ),
    ],
)
def test_the_words_of_firefox_and_safari(
    asked: PageRequest, actual: Response, preflight: Response | None, firefox: str, safari: str
) -> None:
    assert message(asked, actual, preflight, by="firefox") == FIREFOX + firefox
    assert message(asked, actual, preflight, by="safari") == safari


def test_firefox_quotes_the_url_of_a_wildcard() -> None:
    text = message(WITH_COOKIES, response(200, STAR), by="firefox")
    assert text == (
        "Cross-Origin Request Blocked: The Same Origin Policy disallows reading the remote resource at "
        f"‘{URL}’. (Reason: Credential is not supported if the CORS header ‘Access-Control-Allow-Origin’ is ‘*’)."
    )


def test_browsers_check_in_different_order() -> None:
    """A 404 without CORS headers: WebKit looks at the status first."""
    assert "No 'Access-Control-Allow-Origin'" in message(PUT, response(200), response(404))
    assert "missing" in message(PUT, response(200), response(404), by="firefox")
    assert message(PUT, response(200), response(404), by="safari") == (
        "Preflight response is not successful. Status code: 404"
    )


def test_a_preflight_that_is_redirected_and_lacks_headers() -> None:
    elsewhere = response(302, ("Location", "/"))
    assert message(PUT, response(200), elsewhere).endswith("Redirect is not allowed for a preflight request.")
    assert "missing). Status code: 302." in message(PUT, response(200), elsewhere, by="firefox")
    assert message(PUT, response(200), elsewhere, by="safari") == (
        "Preflight response is not successful. Status code: 302"
    )


def test_safari_names_the_origin_that_was_sent() -> None:
    outcome = fetch(GET, chain(to(f"{OTHER}/x"), response(200)))
    assert outcome.messages("safari") == (
        "Origin null is not allowed by Access-Control-Allow-Origin. Status code: 200",
    )
    assert f"from origin '{PAGE}'" in outcome.messages()[0]


# --- Addresses -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "valid"),
    [
        ("http://localhost:3000", Tri.YES),
        ("localhost:3000", Tri.YES),
        ("localhost", Tri.NO),
        ("example.com", Tri.NO),
        ("http:localhost", Tri.YES),
        ("http://", Tri.NO),
        ("http://*.example.com", Tri.YES),
        ("http://localhost:*", Tri.NO),
        ("http://localhost:65535", Tri.YES),
        ("http://localhost:65536", Tri.NO),
        ("http://localhost:" + "0" * 5000 + "80", Tri.YES),
        ("http://localhost:" + "9" * 5000, Tri.NO),
        ("http://" + "9" * 5000, Tri.NO),
        ("http://[::1]:3000", Tri.YES),
        ("http://[::1", Tri.NO),
        ("http://256.1.1.1", Tri.NO),
        ("http://1.2.3.4.", Tri.YES),
        ("http://08", Tri.NO),
        ("http://a%2e", Tri.YES),
        ("http://a%zz", Tri.NO),
        ("http://a<b", Tri.NO),
        ("http://bücher.example", Tri.UNKNOWN),
        ("capacitor://localhost", Tri.YES),
        ("exp://a:b", Tri.NO),
        ("file:", Tri.YES),
        ("a_b:c", Tri.NO),
        ("", Tri.NO),
    ],
)
def test_what_chromium_takes_for_a_url(text: str, valid: Tri) -> None:
    assert is_url(text) is valid


def test_where_two_wordings_are_possible_both_are_given() -> None:
    found = fetch(GET, server(response(200, ("Access-Control-Allow-Origin", "http://bücher.example"))))
    assert found.allowed is Tri.NO
    assert {fault.reason for fault in found.faults()} == {Reason.OTHER_ORIGIN, Reason.NO_ORIGIN_VALUE}
    assert "b\\u00FCcher" in found.messages()[0]


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("http://LOCALHOST:80/x", "http://localhost"),
        ("https://example.com:443", "https://example.com"),
        ("https://example.com:80/", "https://example.com:80"),
        ("http://[::1]:3000/", "http://[::1]:3000"),
        ("wss://example.com:443/", "wss://example.com"),
    ],
)
def test_origins(url: str, origin: str) -> None:
    assert origin_of(url) == origin


@pytest.mark.parametrize(
    ("location", "leads_to"),
    [
        ("/x", "http://h/x"),
        ("x?y", "http://h/a/x?y"),
        ("//other/x", "http://other/x"),
        ("https:other", "https://other"),
        ("https:/other", "https://other"),
        ("#there", "http://h/a/b#there"),
        ("http://[x/", None),
        ("http://h:99999", None),
        ("https://", None),
    ],
)
def test_places(location: str, leads_to: str | None) -> None:
    assert redirected("http://h/a/b", location) == leads_to
    kept = leads_to if leads_to is None or "#" in leads_to else f"{leads_to}#part"
    assert redirected("http://h/a/b#part", location) == kept


# --- The handshake of Socket.IO --------------------------------------------------------------------------------------

CLIENT = Client("http://localhost:4000", PAGE, "/socket.io/")
WEBSOCKET_ONLY = CLIENT._replace(transports=("websocket",))


def sockets(polling: Response, upgrade: int | None = 101, preflight: int = 204) -> Callable[[Request], Response]:
    """A server that answers polling so, and upgrades with this status."""

    def respond(request: Request) -> Response:
        if request.kind == "upgrade":
            return Response(upgrade)
        return polling._replace(status=preflight) if request.kind == "preflight" else polling

    return respond


def test_without_cors_polling_is_blocked_and_websockets_are_open() -> None:
    closed = sockets(response(200))
    blocked = connect(CLIENT, closed)
    assert (blocked.connected, blocked.transport) == (Tri.NO, None)
    assert [(attempt.transport, attempt.event, attempt.description) for attempt in blocked.attempts] == [
        ("polling", "xhr poll error", 0)
    ]
    assert blocked.attempts[0].messages() == (
        (
            "Access to XMLHttpRequest at 'http://localhost:4000/socket.io/?EIO=4&transport=polling' from origin "
            f"'{PAGE}' has been blocked by CORS policy: {NONE_PRESENT}"
        ),
    )
    assert connect(WEBSOCKET_ONLY, closed).connected is Tri.YES
    assert connect(WEBSOCKET_ONLY._replace(with_credentials=True), closed).transport == "websocket"


def test_polling_comes_first_and_is_upgraded() -> None:
    kinds: list[str] = []

    def respond(request: Request) -> Response:
        kinds.append(f"{request.kind} {request.method}")
        return Response(101) if request.kind == "upgrade" else response(200, STAR)

    found = connect(CLIENT, respond)
    assert (found.connected, found.transport) == (Tri.YES, "websocket")
    assert kinds == ["actual GET", "actual POST", "actual GET", "upgrade GET"]


def test_a_failed_upgrade_leaves_polling() -> None:
    found = connect(CLIENT, sockets(response(200, STAR), upgrade=400))
    assert (found.connected, found.transport) == (Tri.YES, "polling")
    assert found.attempts[1].messages() == (
        (
            "WebSocket connection to 'ws://localhost:4000/socket.io/?EIO=4&transport=websocket&sid=sid' failed: Error "
            "during WebSocket handshake: Unexpected response code: 400"
        ),
    )
    alone = connect(WEBSOCKET_ONLY, sockets(response(200, STAR), upgrade=400))
    assert (alone.connected, alone.attempts[0].event) == (Tri.NO, "websocket error")


def test_a_wildcard_and_credentials() -> None:
    assert connect(CLIENT, sockets(response(200, STAR, CREDENTIALS))).connected is Tri.YES
    refused = connect(CLIENT._replace(with_credentials=True), sockets(response(200, STAR, CREDENTIALS)))
    assert refused.connected is Tri.NO
    assert refused.attempts[0].messages()[0].endswith(WILDCARD + BY_ATTRIBUTE)


def test_extra_headers_are_preflighted_for_polling_alone() -> None:
    extra = CLIENT._replace(extra_headers=(("my-custom-header", "x"),))
    refused = connect(extra, sockets(response(200, STAR)))
    assert refused.connected is Tri.NO
    assert "Request header field my-custom-header is not allowed" in refused.attempts[0].messages()[0]
    assert connect(extra._replace(transports=("websocket",)), sockets(response(200))).connected is Tri.YES
    assert connect(extra, sockets(response(200, STAR, (HEADER, "My-Custom-Header")))).connected is Tri.YES


def test_there_is_no_second_transport_unless_asked_for() -> None:
    first = CLIENT._replace(transports=("websocket", "polling"))
    closed = sockets(response(200, STAR), upgrade=400)
    assert connect(first, closed).connected is Tri.NO
    second = connect(first._replace(try_all_transports=True), closed)
    assert (second.connected, [attempt.transport for attempt in second.attempts]) == (Tri.YES, ["websocket", "polling"])
    other = CLIENT._replace(try_all_transports=True)
    assert connect(other, sockets(response(200))).transport == "websocket"


def test_errors_that_the_page_may_read() -> None:
    found = connect(CLIENT, sockets(response(404, STAR)))
    assert (found.connected, found.attempts[0].description, found.attempts[0].messages()) == (Tri.NO, 404, ())


def test_the_second_request_of_polling() -> None:
    def respond(request: Request) -> Response:
        return response(200 if request.method == "GET" else 400, STAR)

    assert connect(CLIENT, respond).attempts[0].event == "xhr post error"
    assert len(connect(CLIENT._replace(try_all_transports=True), respond).attempts) == 1
    assert connect(CLIENT._replace(protocol=3, upgrade=False), respond).transport == "polling"


def test_the_turn_of_polling_that_follows() -> None:
    def respond(request: Request) -> Response:
        return response(400 if request.method == "GET" and "sid=" in request.path else 200, STAR)

    assert connect(CLIENT, respond).attempts[0][2:4] == ("xhr poll error", 400)
    assert connect(CLIENT._replace(protocol=3), respond).attempts[0][2:4] == (LOST, None)


def test_client_2_sends_only_the_headers_of_its_transport() -> None:
    extra = (("my-custom-header", "x"),)
    old = CLIENT._replace(protocol=3)
    assert connect(old._replace(extra_headers=extra), sockets(response(200, STAR))).connected is Tri.YES
    assert connect(old._replace(polling_headers=extra), sockets(response(200, STAR))).connected is Tri.NO
    assert connect(CLIENT._replace(polling_headers=extra), sockets(response(200, STAR))).connected is Tri.NO


def test_a_closed_connection() -> None:
    def respond(request: Request) -> Response:
        return Response(NO_ANSWER)

    found = connect(CLIENT, respond).attempts[0]
    assert (found.event, found.description, found.messages()) == ("xhr poll error", 0, ())
    words = connect(WEBSOCKET_ONLY, respond).attempts[0].messages()
    assert words[0].endswith("failed: Connection closed before receiving a handshake response")


def test_an_unknown_handshake() -> None:
    unknown = Response(200, (ANY_ORIGIN,))
    assert connect(CLIENT, sockets(unknown)).connected is Tri.UNKNOWN
    assert connect(CLIENT, sockets(response(200, STAR), upgrade=None)).connected is Tri.YES
    assert connect(CLIENT, sockets(response(200, STAR), upgrade=None)).transport is None
    assert connect(WEBSOCKET_ONLY, sockets(unknown, upgrade=None)).connected is Tri.UNKNOWN


def test_addresses_of_handshakes() -> None:
    secure = connect(CLIENT._replace(url="https://api.example.com", path="ws"), sockets(response(200, STAR)))
    assert secure.attempts[0].outcomes[0].exchanges[0].request.path == "/ws/?EIO=4&transport=polling"
    assert secure.attempts[1].url == "wss://api.example.com/ws/?EIO=4&transport=websocket&sid=sid"
