"""Content-Security-Policy as far as it decides about connections: `fetch`, XMLHttpRequest, EventSource and WebSockets.

Source expressions are compared as Chromium does it (measured with 156; `tests/behaviour/test_csp.py` holds the table).
It is stricter than many expect: `https://api.example.com` does not allow `wss://api.example.com`, a port that is
written is kept even where the scheme is upgraded, and an expression without a scheme stands for that of the page.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from corslint.model.reading import Directive
from corslint.model.tri import Tri, any_of, tri
from corslint.model.urls import urlsplit
from corslint.numbers import whole
from corslint.records import NamedTuple
from corslint.regexes import regex
from corslint.source import SourceFile, Span

_DEFAULT_PORTS = {"http": 80, "ws": 80, "https": 443, "wss": 443}
_UPGRADED = {"http": "https", "ws": "wss"}
_HOST = regex(
    r"(?:(?P<scheme>[a-z][a-z0-9+.-]*)://)?(?P<host>\*|(?:\*\.)?[a-z0-9_-]+(?:\.[a-z0-9_-]+)*)"
    r"(?::(?P<port>\d+|\*))?(?P<path>/[^?#]*)?\Z",
    re.IGNORECASE,
)
_SCHEME = regex(r"(?P<scheme>[a-z][a-z0-9+.-]*):\Z", re.IGNORECASE)
_FILLED = regex(r"[${}<%]")
"""What a template or a server fills in."""


HEADER = "content-security-policy"


class Connections(NamedTuple):
    """What a policy says about connections: the directive that decides, and its source expressions."""

    directive: str
    sources: tuple[str, ...]


def connections(policy: str) -> Connections | None:
    """What the text of one policy says about connections; None where it says nothing."""
    found: dict[str, tuple[str, ...]] = {}
    for directive in policy.split(";"):
        words = directive.split()
        if words:
            found.setdefault(words[0].lower(), tuple(words[1:]))  # the first of a name counts
    for name in ("connect-src", "default-src"):
        if name in found:
            return Connections(name, found[name])
    return None


def allows(sources: Sequence[str], url: str, own: Tri, page_scheme: str | None) -> Tri:
    """Whether one of these source expressions allows a connection to that address.

    `own`: whether host and port are the page's own; `page_scheme`: `http` or `https`, None where it is not known.
    """
    return any_of(_matches(source, url, own, page_scheme) for source in sources)


def _matches(source: str, url: str, own: Tri, page_scheme: str | None) -> Tri:
    if _FILLED.search(source):
        return Tri.UNKNOWN
    if source == "*":
        return tri(urlsplit(url).scheme.lower() in _DEFAULT_PORTS)
    if source.startswith("'"):
        return own if source.lower() == "'self'" else Tri.NO
    scheme = urlsplit(url).scheme.lower()
    whole = _SCHEME.match(source)
    if whole is not None:
        return tri(scheme in (whole["scheme"].lower(), _UPGRADED.get(whole["scheme"].lower())))
    return _matches_host(source, url, page_scheme)


def _matches_host(source: str, url: str, page_scheme: str | None) -> Tri:
    wanted = _HOST.match(source)
    try:
        parts = urlsplit(url)
        port = parts.port or _DEFAULT_PORTS.get(parts.scheme.lower())
    except ValueError:
        return Tri.UNKNOWN
    if wanted is None or not parts.hostname:
        return Tri.UNKNOWN
    host, named = parts.hostname.lower(), wanted["host"].lower()
    if not (named == "*" or host == named or (named.startswith("*.") and host.endswith(named[1:]))):
        return Tri.NO
    scheme = parts.scheme.lower()
    expected = (wanted["scheme"] or page_scheme or "").lower()
    if not expected:
        # One of two schemes of HTTP: a WebSocket is none of them.
        if scheme in ("ws", "wss"):
            return Tri.NO
        return Tri.UNKNOWN if _has_port(wanted["port"], port, scheme, scheme) else Tri.NO
    if scheme not in (expected, _UPGRADED.get(expected)) or not _has_port(wanted["port"], port, expected, scheme):
        return Tri.NO
    return _below(wanted["path"], parts.path)


def _has_port(wanted: str | None, port: int | None, expected: str, scheme: str) -> bool:
    if wanted == "*":
        return True
    if wanted is None:
        return port == _DEFAULT_PORTS.get(scheme)
    return whole(wanted) == port and (expected == scheme)


def _below(wanted: str | None, path: str) -> Tri:
    if wanted in (None, "", "/"):
        return Tri.YES
    assert wanted is not None
    return tri(path.startswith(wanted) if wanted.endswith("/") else path == wanted)


def widened(policy: str, origin: str) -> str | None:
    """The text of a policy that allows connections to a further origin; None where it says nothing about them."""
    said = connections(policy)
    if said is None:
        return None
    kept = " ".join(source for source in said.sources if source.lower() != "'none'")
    sources = f"{kept} {origin}".strip()
    if said.directive == "default-src":
        return f"{policy.rstrip().rstrip(';')}; connect-src {sources}"
    found = re.search(r"(?i)(?:^|;)\s*connect-src(?P<sources>[^;]*)", policy)
    if found is None:
        return None
    return f"{policy[: found.start('sources')]} {sources}{policy[found.end('sources') :]}"


# --- in pages --------------------------------------------------------------------------------------------------------

_META = regex(rb"<!--.*?(?:-->|\Z)|<meta\b(?P<attributes>[^<>]*)>", re.IGNORECASE | re.DOTALL)
_EQUIV = regex(rb"""http-equiv\s*=\s*["']?content-security-policy["'\s>/]""", re.IGNORECASE)
_CONTENT = regex(rb"""\bcontent\s*=\s*(?:"([^"]*)"|'([^']*)')""", re.IGNORECASE)


def metas(source: SourceFile) -> Iterator[tuple[str, Span]]:
    """The policies of a page's `<meta http-equiv>` tags, each with the place of its text."""
    for tag in _META.finditer(source.data):
        attributes = tag["attributes"]
        if attributes is None or not _EQUIV.search(attributes + b" "):
            continue
        content = _CONTENT.search(attributes)
        if content is not None:
            group = 1 if content[1] is not None else 2
            start = tag.start("attributes") + content.start(group)
            end = tag.start("attributes") + content.end(group)
            text = source.data[start:end].decode("utf-8", "replace")
            yield text.replace("&#39;", "'").replace("&apos;", "'"), Span(source.path, start, end)


# --- in nginx --------------------------------------------------------------------------------------------------------


def lines(directives: Iterable[Directive]) -> Iterator[tuple[str, Span]]:
    """The policies that `add_header` lines send, each with the place of its value."""
    for directive in directives:
        words = directive.arguments
        if directive.key == "add_header" and len(words) > 1 and words[0].text.lower() == HEADER:
            yield words[1].text, words[1].span
        yield from lines(directive.block or ())
