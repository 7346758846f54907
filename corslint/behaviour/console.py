"""Why a browser keeps a response from a page, and how its console words that.

Chromium's words are those of version 156, seen; Firefox's those of ESR 153, seen; Safari's are read in WebKit's
sources and were never run. What is not known of a message is written `…`.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import Literal

from corslint.behaviour.addresses import scheme_of
from corslint.records import NamedTuple
from corslint.regexes import regex

Browser = Literal["chromium", "firefox", "safari"]
Initiator = Literal["fetch", "xhr"]

NOT_KNOWN = "…"


class Reason(Enum):
    """What was wrong with the first response that did not pass. The value says it in a few words."""

    NO_ALLOW_ORIGIN = "no Access-Control-Allow-Origin"
    WILDCARD_WITH_CREDENTIALS = "Access-Control-Allow-Origin is * although credentials go along"
    SEVERAL_ORIGINS = "Access-Control-Allow-Origin has several values"
    OTHER_ORIGIN = "Access-Control-Allow-Origin names another origin"
    NO_ORIGIN_VALUE = "Access-Control-Allow-Origin is no origin"
    NO_ALLOW_CREDENTIALS = "Access-Control-Allow-Credentials is not true although credentials go along"
    PREFLIGHT_STATUS = "the preflight's status is not 200 to 299"
    PREFLIGHT_REDIRECTED = "the preflight is redirected"
    METHOD_NOT_ALLOWED = "Access-Control-Allow-Methods lacks the method"
    HEADER_NOT_ALLOWED = "Access-Control-Allow-Headers lacks a header"
    METHODS_UNREADABLE = "Access-Control-Allow-Methods is no list of methods"
    HEADERS_UNREADABLE = "Access-Control-Allow-Headers is no list of names"
    REDIRECT_WITH_PASSWORD = "redirected to a URL with a user name or password"
    REDIRECT_SCHEME = "redirected to a URL that is not http or https"
    REDIRECT_REFUSED = "redirected to a URL that browsers do not ask"
    TOO_MANY_REDIRECTS = "redirected too often"


class Fault(NamedTuple):
    """One response that does not pass one check."""

    reason: Reason
    url: str
    """What was asked; for a redirect's scheme, where it leads."""
    origin: str
    """The page's origin, as its console shows it."""
    sent_origin: str | None = None
    """The origin that the request named, where that is another: `null` after some redirects."""
    initiator: Initiator = "fetch"
    preflight: bool = False
    """The response to the preflight did not pass."""
    redirected_from: str | None = None
    """What the page asked for, where redirects came between."""
    value: str | None = None
    """The header's value, the method, the request header or the word that is no token; None: not known."""
    header: str | None = None
    """The whole header, where the value is one word of it."""
    lines: int = 1
    """How many header lines made the value."""
    status: int | None = None


def wording(fault: Fault, browser: Browser) -> str | None:
    """The line in the console; None where this browser has none, or none that is known.

    After a failed preflight Firefox adds a second line: "(Reason: CORS request did not succeed). Status code: (null)."
    """
    return {"chromium": _chromium, "firefox": _firefox, "safari": _safari}[browser](fault)


# --- Chromium ------------------------------------------------------------------------------------------------------

_INITIATORS = {"fetch": "fetch", "xhr": "XMLHttpRequest"}
_ACCESS = "Response to preflight request doesn't pass access control check: "
_FETCH_TAIL = " Have the server send the header with a valid value."
_XHR_TAIL = (
    " The credentials mode of requests initiated by the XMLHttpRequest is controlled by the withCredentials attribute."
)
_CORS_SCHEMES = (
    "chrome, chrome-experimental-site-token-provider, chrome-extension, chrome-untrusted, data, http, https, "
    "isolated-app"
)

_CHROMIUM = {
    Reason.NO_ALLOW_ORIGIN: "No 'Access-Control-Allow-Origin' header is present on the requested resource.",
    Reason.WILDCARD_WITH_CREDENTIALS: (
        "The value of the 'Access-Control-Allow-Origin' header in the response must not be the wildcard '*' when the "
        "request's credentials mode is 'include'."
    ),
    Reason.SEVERAL_ORIGINS: (
        "The 'Access-Control-Allow-Origin' header contains multiple values '{value}', but only one is allowed."
    ),
    Reason.OTHER_ORIGIN: (
        "The 'Access-Control-Allow-Origin' header has a value '{value}' that is not equal to the supplied origin."
    ),
    Reason.NO_ORIGIN_VALUE: "The 'Access-Control-Allow-Origin' header contains the invalid value '{value}'.",
    Reason.NO_ALLOW_CREDENTIALS: (
        "The value of the 'Access-Control-Allow-Credentials' header in the response is '{value}' which must be 'true' "
        "when the request's credentials mode is 'include'."
    ),
    Reason.PREFLIGHT_STATUS: "It does not have HTTP ok status.",
    Reason.PREFLIGHT_REDIRECTED: "Redirect is not allowed for a preflight request.",
    Reason.METHOD_NOT_ALLOWED: ("Method {value} is not allowed by Access-Control-Allow-Methods in preflight response."),
    Reason.HEADER_NOT_ALLOWED: (
        "Request header field {value} is not allowed by Access-Control-Allow-Headers in preflight response."
    ),
    Reason.METHODS_UNREADABLE: (
        "Cannot parse Access-Control-Allow-Methods response header field in preflight response."
    ),
    Reason.HEADERS_UNREADABLE: (
        "Cannot parse Access-Control-Allow-Headers response header field in preflight response."
    ),
    # The location between the quotation marks stays empty: seen so.
    Reason.REDIRECT_WITH_PASSWORD: (
        "Redirect location '' contains a username and password, which is disallowed for cross-origin requests."
    ),
    Reason.REDIRECT_SCHEME: f"Cross origin requests are only supported for protocol schemes: {_CORS_SCHEMES}.",
}

_SILENT_SCHEMES = frozenset({
    "about", "blob", "chrome", "chrome-extension", "chrome-untrusted", "data", "devtools", "file", "filesystem",
    "isolated-app", "view-source",
})  # fmt: skip
"""A redirect there is refused by others than the CORS code, who write nothing. (So is one to `ws:` or `wss:` where the
method is GET.)"""

_OF_THE_PREFLIGHTS_ANSWER = frozenset({
    Reason.METHOD_NOT_ALLOWED, Reason.HEADER_NOT_ALLOWED, Reason.METHODS_UNREADABLE, Reason.HEADERS_UNREADABLE,
})  # fmt: skip
"""They can only concern a preflight, and say so themselves."""
_ABOUT_CREDENTIALS = frozenset({Reason.WILDCARD_WITH_CREDENTIALS, Reason.NO_ALLOW_CREDENTIALS})
_ABOUT_A_VALUE = frozenset({Reason.SEVERAL_ORIGINS, Reason.OTHER_ORIGIN, Reason.NO_ORIGIN_VALUE})


def _chromium(fault: Fault) -> str | None:
    text = _CHROMIUM.get(fault.reason)
    if text is None or (fault.reason is Reason.REDIRECT_SCHEME and scheme_of(fault.url) in _SILENT_SCHEMES):
        return None
    after = f" (redirected from '{fault.redirected_from}')" if fault.redirected_from is not None else ""
    check = _ACCESS if fault.preflight and fault.reason not in _OF_THE_PREFLIGHTS_ANSWER else ""
    return (
        f"Access to {_INITIATORS[fault.initiator]} at '{fault.url}'{after} from origin '{fault.origin}' has been "
        f"blocked by CORS policy: {check}{_filled(text, fault)}{_chromium_tail(fault)}"
    )


def _chromium_tail(fault: Fault) -> str:
    if fault.initiator == "xhr":
        return _XHR_TAIL if fault.reason in _ABOUT_CREDENTIALS else ""
    return _FETCH_TAIL if fault.reason in _ABOUT_A_VALUE else ""


_NOT_PRINTED = regex(r"[^ -~]")


def _filled(text: str, fault: Fault) -> str:
    status = NOT_KNOWN if fault.status is None else str(fault.status)
    value = NOT_KNOWN if fault.value is None else _NOT_PRINTED.sub(_escaped, fault.value)
    return text.format(value=value, status=status, url=fault.url, origin=fault.origin)


def _escaped(character: re.Match[str]) -> str:
    """As Chromium writes characters of a header's value that are not printable ASCII."""
    return f"\\u{ord(character[0]):04X}"


# --- Firefox -------------------------------------------------------------------------------------------------------

_OTHER_IN_FIREFOX = "CORS header ‘Access-Control-Allow-Origin’ does not match ‘{value}’)."

_FIREFOX = {
    Reason.NO_ALLOW_ORIGIN: "CORS header ‘Access-Control-Allow-Origin’ missing). Status code: {status}.",
    Reason.WILDCARD_WITH_CREDENTIALS: (
        "Credential is not supported if the CORS header ‘Access-Control-Allow-Origin’ is ‘*’)."
    ),
    Reason.SEVERAL_ORIGINS: "Multiple CORS header ‘Access-Control-Allow-Origin’ not allowed).",
    Reason.OTHER_ORIGIN: _OTHER_IN_FIREFOX,
    Reason.NO_ORIGIN_VALUE: _OTHER_IN_FIREFOX,
    Reason.NO_ALLOW_CREDENTIALS: "expected ‘true’ in CORS header ‘Access-Control-Allow-Credentials’).",
    Reason.PREFLIGHT_STATUS: "CORS preflight response did not succeed). Status code: {status}.",
    Reason.PREFLIGHT_REDIRECTED: "CORS request external redirect not allowed).",
    Reason.METHOD_NOT_ALLOWED: "Did not find method in CORS header ‘Access-Control-Allow-Methods’).",
    Reason.HEADER_NOT_ALLOWED: (
        "header ‘{value}’ is not allowed according to header ‘Access-Control-Allow-Headers’ from CORS preflight "
        "response)."
    ),
    Reason.METHODS_UNREADABLE: "invalid token ‘{value}’ in CORS header ‘Access-Control-Allow-Methods’).",
    Reason.HEADERS_UNREADABLE: "invalid token ‘{value}’ in CORS header ‘Access-Control-Allow-Headers’).",
}


def _firefox(fault: Fault) -> str | None:
    text = _FIREFOX.get(fault.reason)
    if text is None:
        return None
    if fault.reason is Reason.SEVERAL_ORIGINS and fault.lines == 1:
        text = _OTHER_IN_FIREFOX  # Firefox counts header lines, and compares a comma list as one text
    at = f"‘{fault.url}’" if fault.reason is Reason.WILDCARD_WITH_CREDENTIALS else fault.url
    return (
        "Cross-Origin Request Blocked: The Same Origin Policy disallows reading the remote resource at "
        f"{at}. (Reason: {_filled(text, fault)}"
    )


# --- Safari --------------------------------------------------------------------------------------------------------

_OTHER_IN_SAFARI = "Origin {origin} is not allowed by Access-Control-Allow-Origin. Status code: {status}"
_STATUS_IN_SAFARI = "Preflight response is not successful. Status code: {status}"

_SAFARI = {
    Reason.NO_ALLOW_ORIGIN: _OTHER_IN_SAFARI,
    Reason.WILDCARD_WITH_CREDENTIALS: (
        "Cannot use wildcard in Access-Control-Allow-Origin when credentials flag is true."
    ),
    Reason.SEVERAL_ORIGINS: "Access-Control-Allow-Origin cannot contain more than one origin.",
    Reason.OTHER_ORIGIN: _OTHER_IN_SAFARI,
    Reason.NO_ORIGIN_VALUE: _OTHER_IN_SAFARI,
    Reason.NO_ALLOW_CREDENTIALS: 'Credentials flag is true, but Access-Control-Allow-Credentials is not "true".',
    Reason.PREFLIGHT_STATUS: _STATUS_IN_SAFARI,
    Reason.PREFLIGHT_REDIRECTED: _STATUS_IN_SAFARI,
    Reason.METHOD_NOT_ALLOWED: "Method {value} is not allowed by Access-Control-Allow-Methods.",
    Reason.HEADER_NOT_ALLOWED: "Request header field {value} is not allowed by Access-Control-Allow-Headers.",
    Reason.METHODS_UNREADABLE: "Header Access-Control-Allow-Methods has an invalid value: {value}",
    Reason.HEADERS_UNREADABLE: "Header Access-Control-Allow-Headers has an invalid value: {value}",
    Reason.REDIRECT_WITH_PASSWORD: "redirection URL {url} has credentials",
    Reason.REDIRECT_SCHEME: "not allowed to follow a cross-origin CORS redirection with non CORS scheme",
}


def _safari(fault: Fault) -> str | None:
    text = _SAFARI.get(fault.reason)
    if text is None:
        return None
    if fault.reason is Reason.SEVERAL_ORIGINS and fault.value is not None and "," not in fault.value:
        text = _OTHER_IN_SAFARI  # WebKit looks for a comma only, Chromium for a space too
    origin, value = fault.sent_origin or fault.origin, fault.header or fault.value
    return _filled(text, fault._replace(origin=origin, value=value))
