"""Mixed content: connections without encryption of pages that are known to come over https.

A browser blocks those before anything is sent, whatever the server would answer (Mixed Content, section 4.4); hosts of
this machine are let through. Pages are known by the settings' `frontends`, by their canonical link, by the `homepage`
of a package whose builder reads it, and by an nginx that serves the project's only pages over TLS alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

from corslint.model.decisions import is_loopback
from corslint.model.facts import Fact, Field
from corslint.model.reading import ManifestReading
from corslint.model.urls import urlsplit
from corslint.records import NamedTuple
from corslint.regexes import regex
from corslint.relations import World
from corslint.source import SourceFile, Span

_SECURE = {"http": "https", "ws": "wss"}
_KINDS = ("http_request", "socket_client", "bare_socket")


class SecurePage(NamedTuple):
    """Pages that come over https: their origin, what says so and where, and the file, or the package, that they are.

    Where `file` and `package` are None, they are all pages of the project. `at` is None for what settings say.
    """

    origin: str
    by: str
    at: Span | None
    file: str | None = None
    package: str | None = None


# --- pages -----------------------------------------------------------------------------------------------------------


def declared(frontends: Iterable[str]) -> Iterator[SecurePage]:
    """The front ends of the settings, where all of them that are not on this machine come over https."""
    outside = [one for one in frontends if not is_loopback(urlsplit(one).hostname or "")]
    if outside and all(one.startswith("https://") for one in outside):
        yield SecurePage(outside[0], "settings", None)


_LINK = regex(rb"<!--.*?(?:-->|\Z)|<link\b(?P<attributes>[^<>]*)>", re.IGNORECASE | re.DOTALL)
_CANONICAL = regex(rb"""\brel\s*=\s*["']?canonical["'\s/]""", re.IGNORECASE)
_HREF = regex(rb"""\bhref\s*=\s*["']?(?P<url>https?://[a-z0-9.-]+(?::\d+)?)(?=[/"'?#\s]|\Z)""", re.IGNORECASE)


def canonical(source: SourceFile, package: str) -> Iterator[SecurePage]:
    """What a page says of its own address (`<link rel="canonical">`), http or https."""
    for tag in _LINK.finditer(source.data):
        attributes = tag["attributes"]
        if attributes is None or not _CANONICAL.search(attributes + b" "):
            continue
        found = _HREF.search(attributes)
        if found is not None:
            start = tag.start("attributes") + found.start("url")
            url = found["url"].decode("ascii")
            yield SecurePage(url, "canonical", Span(source.path, start, start + len(url)), source.path, package)


def homepages(manifests: Iterable[ManifestReading], readers: Collection[str]) -> Iterator[SecurePage]:
    """The addresses for which packages build their pages."""
    for manifest in manifests:
        if any(one.name in readers for one in manifest.requirements):
            for key, text in manifest.texts:
                parts = urlsplit(str(text.value))
                if key == "homepage" and parts.scheme == "https" and parts.hostname:
                    folder = manifest.path.rpartition("/")[0]
                    yield SecurePage(f"https://{parts.netloc}", "homepage", text.span, None, folder)


def served(world: World) -> Iterator[SecurePage]:
    """What nginx serves over TLS alone, where the project has the pages of one package only."""
    homes = {
        world.topology.package_of(fact.span.path)
        for kind in _KINDS
        for fact in world.of_kind(kind)
        if fact.field("browser").value == "yes" and fact.span.path not in world.in_tests
    }
    hosts = [one for one in world.of_kind("tls_host") if one.field("pages").value == "yes"]
    if len(homes) == 1 and hosts and all(one.field("only").value == "yes" for one in hosts):
        yield SecurePage(f"https://{hosts[0].field('name').value}", "proxy", hosts[0].span, None, homes.pop())


# --- connections -----------------------------------------------------------------------------------------------------


def mixed_content(
    world: World, source: Callable[[str], SourceFile], known: Callable[[], Sequence[SecurePage]]
) -> Iterator[Fact]:
    """A fact for each connection without encryption of a page that comes over https. `known` looks for such pages."""
    clients = [client for kind in _KINDS for client in world.of_kind(kind) if _insecure(client)]
    if not clients or _upgraded(world):
        return
    pages = known()
    secured = {one.field("name").value for one in world.of_kind("tls_host")}
    for client in clients:
        page = _page_of(client, pages, world)
        if page is not None:
            yield _mixed(client, page, secured, source)


def _upgraded(world: World) -> bool:
    """Whether some policy of the project may tell browsers to ask with TLS instead (Upgrade Insecure Requests)."""
    for policy in world.of_kind("content_security_policy"):
        text = policy.field("value").value
        if not isinstance(text, str) or "upgrade-insecure-requests" in text.lower():
            return True
    return False


def _address(client: Fact) -> Field:
    return client.field("url" if client.kind == "socket_client" else "address")


def _insecure(client: Fact) -> bool:
    """Whether a page asks an address that browsers refuse to https pages, and certainly that one."""
    field = _address(client)
    sure = field.state == "written" and field.confidence == "high" and client.field("browser").value == "yes"
    if not sure or not isinstance(field.value, str):
        return False
    try:
        parts = urlsplit(field.value)
    except ValueError:
        return False
    host = parts.hostname
    return parts.scheme in _SECURE and host is not None and not is_loopback(host) and not _local(host)


def _local(host: str) -> bool:
    """Whether a host lies in the local network: browsers may ask the user for leave then (Local Network Access)."""
    import ipaddress

    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return "." not in host or host.endswith(".local")


def _page_of(client: Fact, pages: Iterable[SecurePage], world: World) -> SecurePage | None:
    """The page that a client runs in, where that is known to come over https."""
    path = client.span.path
    package = world.topology.package_of(path)
    in_page = path.endswith((".html", ".htm"))
    for page in pages:
        if page.by == "canonical":
            own = [
                one
                for one in pages
                if one.by == "canonical" and (one.file == path if in_page else one.package == package)
            ]
            if own and all(one.origin.lower().startswith("https://") for one in own):
                return own[0]
        elif page.package is None or page.package == package:
            return page
    return None


def _mixed(client: Fact, page: SecurePage, secured: Collection[object], source: Callable[[str], SourceFile]) -> Fact:
    field = _address(client)
    url, at = str(field.value), field.span or client.span
    scheme, _, rest = url.partition("://")
    host = urlsplit(url).hostname
    whole = source(at.path).text(at)[1:-1] == url
    copied = ("framework", "library", "language", "version", "major", "fence")
    fields = {
        **{name: client.fields[name] for name in copied if name in client.fields},
        "url": Field(url, "written", at, field.trail),
        "host": Field(host, "written", at),
        "what": Field(_what(client), "written", client.span),
        "page": Field(page.origin, "written", page.at or at),
        "by": Field(page.by, "written", page.at or at),
        "answers": Field("yes" if host in secured and urlsplit(url).port in (None, 80) else "no", "written", at),
        "instead": Field(f"{_SECURE[scheme]}://{rest}" if whole else None, "written" if whole else "absent", at),
    }
    return Fact("mixed_content", client.span, fields)


def _what(client: Fact) -> str:
    if client.kind == "http_request":
        return "request"
    polls = client.kind == "socket_client" and client.field("websocket_only").value != "yes"
    return "polling" if polls else "websocket"
