"""What `curl -v` printed: requests and answers, judged as a browser would judge them."""

from __future__ import annotations

from corslint.behaviour.browser import Credentials, PageRequest, fetch
from corslint.model.exchange import Header, Request, Response
from corslint.model.tri import Tri
from corslint.records import NamedTuple
from corslint.regexes import regex

_MOST_LINES = 20_000
_LONGEST_LINE = 8_192
_MOST_EXCHANGES = 10
_ASKED = regex(r"> ([A-Z]{1,20}) (\S{1,4096}) HTTP/([\d.]{1,4})\s*$")
_ANSWERED = regex(r"< HTTP/[\d.]{1,4} (\d{3})\b")
_LINE = regex(r"([<>]) ([!#$%&'*+\-.^_`|~0-9A-Za-z]{1,100}):[ \t]*(.*)$")
_HOST = regex(r"[A-Za-z0-9._\[\]:-]{1,260}")
_ENCRYPTED = ("* SSL connection using", "* TLSv1", "* ALPN")


class Exchanged(NamedTuple):
    """One request that curl made, and the answer."""

    method: str
    url: str
    sent: tuple[tuple[str, str], ...]
    response: Response

    def request_header(self, name: str) -> str | None:
        """The value of a header that curl sent."""
        return next((value for other, value in self.sent if other.lower() == name), None)

    @property
    def status(self) -> int:
        """Of the answer."""
        return self.response.status or 0


class Judged(NamedTuple):
    """What a browser makes of an answer. `says`: its words where it keeps the answer from the page."""

    exchanged: Exchanged
    allowed: Tri
    says: tuple[str, ...]
    with_cookies: Tri | None
    """The same where cookies go along; None where nothing depends on it."""
    says_with_cookies: tuple[str, ...]
    wants_cookies: bool = False
    """Whether somebody seems to want them: the answer allows credentials, or curl sent a cookie."""
    note: str = ""
    """Why nothing can be said, or what the transcript leaves open."""


def exchanges(text: str) -> tuple[Exchanged, ...]:
    """The requests in a text that have an answer; empty where it is no output of `curl -v`."""
    found: list[Exchanged] = []
    asked: tuple[str, str] | None = None
    sent: list[tuple[str, str]] = []
    status, answered = 0, list[Header]()
    encrypted = False

    def close() -> None:
        nonlocal status
        if asked is not None and status:
            found.append(_exchanged(asked, tuple(sent), Response(status, tuple(answered)), encrypted=encrypted))
        status = 0

    for line in text.splitlines()[:_MOST_LINES]:
        line = line[:_LONGEST_LINE].strip()
        encrypted = encrypted or line.startswith(_ENCRYPTED)
        if request := _ASKED.match(line):
            close()
            asked, sent, answered = (request[1], request[2]), [], []
            encrypted = encrypted or request[3].startswith(("2", "3"))  # which nobody speaks without
        elif answer := _ANSWERED.match(line):
            if status and int(answer[1]) != 101 and status != 100:
                close()
            status, answered = int(answer[1]), []
        elif header := _LINE.match(line):
            if header[1] == ">":
                sent.append((header[2], header[3].strip()))
            elif status:
                answered.append(Header(header[2], header[3].strip()))
        if len(found) >= _MOST_EXCHANGES:
            break
    close()
    return tuple(found)


def _exchanged(
    asked: tuple[str, str], sent: tuple[tuple[str, str], ...], response: Response, *, encrypted: bool
) -> Exchanged:
    method, path = asked
    host = next((value for name, value in sent if name.lower() == "host"), "")
    scheme = "https" if encrypted else "http"
    known = _HOST.fullmatch(host) is not None and path.startswith("/")
    return Exchanged(method, f"{scheme}://{host}{path}" if known else "", sent, response)


def judge(one: Exchanged) -> Judged:
    """What Chromium would make of an answer, for a page of the origin that curl named."""
    origin = one.request_header("origin")
    if "websocket" in (one.request_header("upgrade") or "").lower():
        return _upgrade(one)
    if not one.url:
        return Judged(one, Tri.UNKNOWN, (), None, (), note="the request names no host")
    if origin is None:
        note = "curl named no origin, and many servers send CORS headers only where one is named: add -H 'Origin: …'"
        return Judged(one, Tri.UNKNOWN, (), None, (), note=note)
    plain, says = _played(one, origin, "same-origin")
    cookies, says_with = _played(one, origin, "include")
    wanted = one.request_header("cookie") is not None or isinstance(
        one.response.header("Access-Control-Allow-Credentials"), str
    )
    note = "" if one.method == "OPTIONS" or one.status < 400 else "a page that may read it still gets this status"
    if cookies is plain and says_with == says:
        return Judged(one, plain, says, None, (), note=note)
    return Judged(one, plain, says, cookies, says_with, wanted, note)


def _upgrade(one: Exchanged) -> Judged:
    """A WebSocket handshake: 101 opens it, whatever the CORS headers are."""
    if one.status == 101:
        return Judged(one, Tri.YES, (), None, ())
    says = f"Error during WebSocket handshake: Unexpected response code: {one.status}"
    said = f"WebSocket connection to '{'ws' + one.url.removeprefix('http')}' failed: {says}" if one.url else says
    return Judged(one, Tri.NO, (said,), None, ())


def _played(one: Exchanged, origin: str, credentials: Credentials) -> tuple[Tri, tuple[str, ...]]:
    """The browser's verdict, and its words: about the preflight where curl asked as one, else about the answer."""
    asked_method = one.request_header("access-control-request-method")
    preflight = one.method == "OPTIONS" and asked_method is not None
    names = one.request_header("access-control-request-headers") or ""
    headers = tuple((name.strip(), "x" * 129) for name in names.split(",") if name.strip()) if preflight else ()
    method = asked_method if preflight and asked_method else one.method

    def respond(request: Request) -> Response:
        if (request.kind == "preflight") is preflight:
            return one.response
        # The answer that was not asked for is taken to pass: this is about the other one.
        return Response(200 if request.kind == "actual" else 204, _passing(request, origin))

    watches = preflight and not headers
    try:
        page = PageRequest(one.url, origin, credentials, method, headers, watches_upload=watches)
        outcome = fetch(page, respond)
    except ValueError:
        return Tri.UNKNOWN, ()
    return outcome.allowed, outcome.messages("chromium")


def _passing(request: Request, origin: str) -> tuple[Header, ...]:
    return (
        Header("Access-Control-Allow-Origin", origin),
        Header("Access-Control-Allow-Credentials", "true"),
        Header("Access-Control-Allow-Methods", request.asked_method or request.method),
        Header("Access-Control-Allow-Headers", ", ".join(request.asked_headers)),
    )
