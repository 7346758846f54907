"""What follows for socket servers and clients from their options: transports, protocol versions, same origin or not."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator

from corslint.model.decisions import is_loopback
from corslint.model.facts import Fact, Field
from corslint.model.urls import urlsplit
from corslint.model.values import Choice, Concat, EnvVar, Fallback, Literal, Mapping, Null, Undefined, Value
from corslint.project.link import Linker
from corslint.project.packages import Packages
from corslint.regexes import regex
from corslint.source import Span

_DEFAULT_PORTS = {"http": 80, "ws": 80, "https": 443, "wss": 443}
_MAX_MOUNTS = 8
_OLD_PROTOCOL = 3
"""Engine.IO protocol version of Socket.IO 1 and 2."""


class Sockets:
    """Completes the `socket_server` and `socket_client` facts of one project."""

    def __init__(
        self,
        linker: Linker,
        packages: Packages,
        pages: Collection[str],
        page_builders: Collection[str],
        own_origin: Collection[str],
    ) -> None:
        """`pages` are paths of pages; `page_builders` packages that serve pages from a server of their own;
        `own_origin` names of expressions that hold a page's own origin."""
        self._linker = linker
        self._packages = packages
        self._pages = pages
        self._page_builders = page_builders
        self._own_origin = own_origin

    def complete(self, facts: Iterable[Fact]) -> None:
        """Fill the derived fields of all servers and clients."""
        facts = list(facts)
        around = _Surroundings(facts, self._packages)
        for fact in facts:
            if fact.kind == "socket_server":
                self._request_path(fact, "answers_under")
                self._transports(fact)
                self._protocols(fact)
                self._pings(fact)
                self._engine(fact, around)
                self._cookies(fact, around)
            elif fact.kind == "socket_client":
                self._request_path(fact, "asks_for")
                self._transports(fact)
                self._browser(fact)
                self._address(fact)
                self._namespace(fact)

    @staticmethod
    def _request_path(fact: Fact, name: str) -> None:
        """The path of a client's requests, or what it has to begin with at a server.

        Both sides take slashes off the end of `path` and add one again, unless they are told not to.
        """
        path, slash = fact.field("path"), fact.field("trailing_slash")
        given = fact.values.get("path")
        # Libraries differ in what an empty path means; where the descriptor says it, the field is not `/`.
        empty = isinstance(given, Literal) and given.value == "" and path.value == "/"
        if not isinstance(path.value, str) or slash.state == "unknown" or empty:
            state = "absent" if path.state == "absent" else "unknown"
            fact.fields[name] = Field(None, state, path.span, path.trail)  # type: ignore[arg-type]
            return
        bare = path.value.rstrip("/")
        fact.fields[name] = path._replace(value=bare if slash.value == "no" else f"{bare}/")

    @staticmethod
    def _transports(fact: Fact) -> None:
        field = fact.field("transports")
        if not isinstance(field.value, tuple):
            unknown = Field(None, "unknown", field.span, field.trail)
            for name in (
                ("polling", "websocket_only", "first_transport")
                if fact.kind == "socket_client"
                else ("polling", "websocket")
            ):
                fact.fields[name] = unknown
            return

        def answer(value: bool) -> Field:
            return Field("yes" if value else "no", "written", field.span, field.trail)

        fact.fields["polling"] = answer("polling" in field.value)
        if fact.kind == "socket_client":
            fact.fields["first_transport"] = (
                field._replace(value=field.value[0]) if field.value else Field(None, "absent", field.span)
            )
            fact.fields["websocket_only"] = answer(bool(field.value) and "polling" not in field.value)
        else:
            fact.fields["websocket"] = answer("websocket" in field.value)

    @staticmethod
    def _protocols(server: Fact) -> None:
        spoken, old = server.field("protocol"), server.field("allow_eio3")
        if not isinstance(spoken.value, tuple) or _OLD_PROTOCOL in spoken.value:
            return
        if old.value == "yes":
            server.fields["protocol"] = spoken._replace(value=(_OLD_PROTOCOL, *spoken.value))
        elif old.state == "unknown":
            server.fields["protocol"] = Field(None, "unknown", spoken.span)

    @staticmethod
    def _pings(server: Fact) -> None:
        """After how much silence a server gives a client up."""
        interval, timeout = server.field("ping_interval_ms"), server.field("ping_timeout_ms")
        if isinstance(interval.value, int) and isinstance(timeout.value, int):
            server.fields["ping_limit_ms"] = interval._replace(value=interval.value + timeout.value)
        elif "unknown" in (interval.state, timeout.state):
            server.fields["ping_limit_ms"] = Field(None, "unknown", interval.span)

    @staticmethod
    def _engine(server: Fact, around: _Surroundings) -> None:
        uses = around.used_by[server.field("instance").value]
        if any(use.field("handler").value in around.policies for use in uses):
            server.fields["engine_cors"] = Field("yes", "written", uses[0].span)
        elif uses:  # something else is run for every request; it may well write headers
            server.fields["engine_cors"] = Field(None, "unknown", uses[0].span)
        elif (covering := around.covering(server)) is not None:
            server.fields["engine_cors"] = Field("yes", "written", covering.span)
        else:
            server.fields["engine_cors"] = Field("no", "written", server.span)

    def _cookies(self, server: Fact, around: _Surroundings) -> None:
        """Whether cookies are taken from handshakes, and whether these are known to stay within one site."""
        instance = server.field("instance").value
        taken = [fact.field("takes_cookies") for fact in around.taking[instance]]
        taken += [
            Field("yes", "written", fact.span)
            for fact in around.used_by[instance]
            if fact.field("handler").value in around.sessions
        ]
        own = server.field("upgrade.trusts_cookies")
        if own.state in ("absent", "unknown") or own.value == "no":
            server.fields["upgrade.trusts_cookies"] = taken[0] if taken else Field("no", "written", server.span)
        beside = around.cookies[server.field("language").value, self._packages.root_of(server.span.path)]
        # Whoever sets no cookie here gets it from elsewhere.
        stay = bool(beside) and all(beside)
        server.fields["upgrade.cookies_stay"] = Field("yes" if stay else "no", "written", server.span)

    def _browser(self, client: Fact) -> None:
        path = client.span.path
        known = path in self._pages or path.endswith((".jsx", ".tsx", ".vue", ".svelte")) or self._built_page(path)
        known = known or client.field("browser").value == "yes"
        if client.field("browser").value != "yes":
            client.fields["browser"] = (
                Field("yes", "written", client.span) if known else Field(None, "unknown", client.span)
            )
        credentials = client.field("credentials")
        if credentials.state == "default" and credentials.value == "yes" and not known:
            client.fields["credentials"] = Field(None, "unknown", credentials.span)

    def _built_page(self, path: str) -> bool:
        """Whether the file's package is served by a development server of its own."""
        return any(self._packages.version("npm", name, path) is not None for name in self._page_builders)

    def _address(self, client: Fact) -> None:
        value, field = client.values.get("url"), client.field("url")

        def same(answer: str | None) -> None:
            state = "unknown" if answer is None else "written"
            client.fields["same_origin"] = Field(answer, state, field.span, field.trail)  # type: ignore[arg-type]
            client.fields["addressed"] = Field("no" if answer == "yes" else "yes", "written", field.span, field.trail)

        if value is None or isinstance(value, (Mapping, Null, Undefined)):
            client.fields["url"] = Field(None, "absent", client.span)
            same("yes")
            return
        if self._is_own_origin(value):
            client.fields["url"] = Field(None, "absent", field.span)
            same("yes")
            return
        if not isinstance(value, Literal) or not isinstance(value.value, str):
            foreign = self._foreign(value)
            if foreign is not None:
                client.fields["host"] = Field(foreign, "written", field.span, field.trail, "medium")
            same(None)
            return
        text = value.value
        if not text or (text.startswith("/") and not text.startswith("//")):
            same("yes")
            return
        self._absolute(client, text, field)
        same("no" if self._built_page(client.span.path) else None)

    def _namespace(self, client: Fact) -> None:
        """The namespace that a client joins is the path of its address, as far as that is written."""
        value, field = client.values.get("url"), client.field("url")
        if client.field("joins").value != "yes":
            joined, bare = None, None
        elif value is None or isinstance(value, (Mapping, Null, Undefined)):
            joined, bare = "/", None
        else:
            joined, bare = self._path_of(value)
        at = field.span or client.span
        path = joined and joined.rstrip("/") + "/"
        for name, text in (("namespace", joined), ("namespace_path", path), ("bare_url", "/" if bare == "" else bare)):
            found = Field(None, "unknown", at, field.trail) if text is None else Field(text, "written", at, field.trail)
            client.fields[name] = found

    def _path_of(self, value: Value) -> tuple[str | None, str | None]:
        """The path of an address, and what stands before it; a text for the former where the page's own origin does."""
        if self._is_own_origin(value):
            rest = value.parts[1:] if isinstance(value, Concat) else ()
            texts = [part.value for part in map(self._linker.resolve, rest) if isinstance(part, Literal)]
            if len(texts) != len(rest) or not all(isinstance(text, str) for text in texts):
                return None, None
            return _split_path("".join(map(str, texts)))[0], None
        if isinstance(value, Literal) and isinstance(value.value, str):
            return _split_path(value.value)
        return None, None

    def _foreign(self, value: Value) -> str | None:
        """A host that is not this machine, where every address that is known for this value names one."""
        if isinstance(value, Fallback):
            alternatives = [value.then]
        elif isinstance(value, Choice):
            alternatives = [value.yes, value.no]
        else:
            return None
        hosts = []
        for alternative in alternatives:
            found = self._linker.resolve(alternative)
            if not isinstance(found, Literal) or not isinstance(found.value, str):
                return None
            host = _host(found.value)
            if host is None or is_loopback(host):
                return None
            hosts.append(host)
        return hosts[0]

    @staticmethod
    def _absolute(client: Fact, text: str, field: Field) -> None:
        try:
            parts = urlsplit(text if "://" in text else f"//{text.lstrip('/')}")
            port = parts.port
        except ValueError:
            return
        if parts.hostname:
            client.fields["host"] = Field(parts.hostname, "written", field.span, field.trail)
        if port is None:
            port = _DEFAULT_PORTS.get(parts.scheme)
        if port is not None:
            client.fields["url_port"] = Field(port, "written", field.span, field.trail)

    def _is_own_origin(self, value: Value) -> bool:
        if isinstance(value, Concat) and value.parts:
            return self._is_own_origin(value.parts[0])
        if isinstance(value, (Literal, EnvVar, Fallback)):
            return False
        return self._linker.canonical_of_resolved(value) in self._own_origin


def _stays_in_its_site(cookie: Fact) -> bool:
    """Whether pages of other sites do not bring a cookie along.

    One with the attribute Partitioned is kept for each site that a tab may show (CHIPS): what was set on the project's
    own pages goes along with no request of another site's page (measured in Chromium 156, third-party cookies allowed).
    """
    return cookie.field("same_site").value in ("strict", "lax") or cookie.field("partitioned").value == "yes"


class _Surroundings:
    """What stands around the socket servers of a project, by what joins it to them.

    `used_by`: layers, by whom they are registered with; `taking`: handlers of handshakes that take cookies, by server;
    `cookies`: whether each cookie stays in its site, by language and package; `policies` and `sessions`: instances.
    """

    def __init__(self, facts: Iterable[Fact], packages: Packages) -> None:
        self.used_by: dict[object, list[Fact]] = defaultdict(list)
        self.taking: dict[object, list[Fact]] = defaultdict(list)
        self.cookies: dict[tuple[object, str], list[bool]] = defaultdict(list)
        self.policies: set[object] = set()
        self.sessions: set[object] = set()
        self._handled_by: dict[object, list[Fact]] = defaultdict(list)
        self._http: dict[object, list[Fact]] = defaultdict(list)
        self._covered: dict[object, tuple[int, Fact]] = {}
        for number, fact in enumerate(facts):
            instance, app = fact.field("instance").value, fact.field("app").value
            match fact.kind:
                case "middleware":
                    self.used_by[app].append(fact)
                    self._handled_by[fact.field("handler").value].append(fact)
                case "cors_policy":
                    self.policies.add(instance)
                    if fact.field("layer").value == "http":
                        self._covered.setdefault(app, (number, fact))
                case "http_server":
                    self._http[instance].append(fact)
                case "handshake_handler" if fact.field("takes_cookies").value == "yes":
                    self.taking[fact.field("server").value].append(fact)
                case "session_cookie":
                    place = fact.field("language").value, packages.root_of(fact.span.path)
                    self.cookies[place].append(_stays_in_its_site(fact))
                    if fact.field("session").value == "yes":
                        self.sessions.add(instance)

    def covering(self, server: Fact) -> Fact | None:
        """The policy of an application that the server's own http application is mounted in, or of one around it."""
        http = server.field("http_server").value
        own = self._http[http]
        # Where the application is its own server, Socket.IO answers before it does.
        if not own or any(fact.field("handler").value == http for fact in own):
            return None
        around = {http}
        for _ in range(_MAX_MOUNTS):
            mounts = (fact for handler in around for fact in self._handled_by[handler])
            outer = {app for fact in mounts if (app := fact.field("app").value)}
            if outer <= around:
                break
            around |= outer
        found = [self._covered[app] for app in around if app in self._covered]
        return min(found)[1] if found else None


def _host(address: str) -> str | None:
    """The host name in an address, with or without a scheme; None where there is none."""
    if not address or (address.startswith("/") and not address.startswith("//")):
        return None
    try:
        return urlsplit(address if "://" in address else f"//{address.lstrip('/')}").hostname
    except ValueError:
        return None


_ADDRESS = regex(r"(?P<before>(?:(?:[A-Za-z][A-Za-z0-9+.-]*:)?//)?[^/?#]*)(?P<path>[^?#]*)")


def _split_path(address: str) -> tuple[str, str]:
    """The path of an address (`/` where there is none), and what stands before it."""
    found = _ADDRESS.match(address)
    return (found["path"] or "/", found["before"]) if found is not None else ("/", address)


def ignored_cors(facts: Iterable[Fact]) -> Iterator[Fact]:
    """CORS options of servers that share a port and a path with one that is registered before them.

    Only where all servers of that port and path are registered by one module, each once: its order is then theirs.
    """
    facts = list(facts)
    registered = [fact for fact in facts if fact.kind == "registration"]
    policies = {fact.field("socket").value: fact for fact in facts if fact.kind == "cors_policy"}
    together: dict[object, list[Fact]] = defaultdict(list)
    for fact in facts:
        if fact.kind == "socket_server" and "class" in fact.fields:
            port, path = fact.field("port"), fact.field("path")
            if "unknown" not in (port.state, path.state):
                together[port.value, path.value].append(fact)
    for servers in together.values():
        found = [_registering(server, registered) for server in servers]
        if any(len(one) != 1 for one in found) or len({one[0].field("module").value for one in found}) != 1:
            continue
        order = sorted(range(len(servers)), key=lambda index: found[index][0].span)
        first = servers[order[0]]
        told = policies.get(first.field("instance").value)
        for server in (servers[index] for index in order[1:]):
            policy = policies.get(server.field("instance").value)
            if told is None or policy is None or not _differ(policy, told):
                continue
            given = policy.values.get("group")
            if given is not None:
                names = ("framework", "library", "language")
                fields: dict[str, Field] = {name: server.fields[name] for name in names if name in server.fields}
                fields["cors"] = Field("given", "written", given.span)
                fields["why"] = Field("shared", "written", given.span)
                fields["instead"] = first.field("instance")
                yield Fact("ignored_cors", given.span, fields)


def _registering(server: Fact, registered: Iterable[Fact]) -> list[Fact]:
    """What registers the class of a server: where its name is written, or where all of it is."""
    declared = server.field("class").value
    if not isinstance(declared, Span):
        return []
    return [fact for fact in registered if (at := fact.field("what").span) is not None and declared.covers(at)]


def _differ(one: Fact, other: Fact) -> bool:
    """Whether two policies are known to answer differently."""
    first, second = (fact.field("effect.to_stranger") for fact in (one, other))
    if "unknown" in (first.state, second.state):
        return False
    return first.value != second.value or (
        first.value == "fixed" and one.field("origin").value != other.field("origin").value
    )


def note_proxies(
    facts: Iterable[Fact],
    ports: Callable[[Fact], frozenset[int] | None],
    libraries: Collection[str],
    usual: Collection[str],
) -> None:
    """Say of each proxy for development whether a socket's requests come its way.

    `ports` gives the ports of a socket server; `libraries` are segments of paths under which libraries answer, `usual`
    others that are common for WebSockets: they count only where the project has no socket server.
    """
    facts = list(facts)
    servers = [fact for fact in facts if fact.kind == "socket_server"]
    for proxy in facts:
        if proxy.kind != "dev_proxy":
            continue
        target, ws = proxy.field("target"), proxy.field("ws")
        if ws.value == "no" and proxy.field("ws_by_target").value == "yes":
            scheme = str(target.value).partition(":")[0] if isinstance(target.value, str) else None
            if scheme in (None, "ws", "wss"):
                proxy.fields["ws"] = ws._replace(value=scheme and "yes", state="written" if scheme else "unknown")
        several, single = proxy.field("paths"), proxy.field("pattern")
        known = several.value if isinstance(several.value, tuple) else (single.value or "/",)
        evidence = _evidence([str(path) for path in known], target.value, servers, ports, libraries, usual)
        at = single.span or several.span or proxy.span
        if evidence is not None:
            proxy.fields["socket_evidence"] = Field(evidence, "written", at)
            proxy.fields["carries_socket"] = Field("yes", "written", at)
        else:
            open_ = single.state == "unknown" and not isinstance(several.value, tuple)
            proxy.fields["carries_socket"] = Field(None, "unknown", at) if open_ else Field("no", "written", at)


def _evidence(
    paths: Iterable[str],
    target: object,
    servers: Collection[Fact],
    ports: Callable[[Fact], frozenset[int] | None],
    libraries: Collection[str],
    usual: Collection[str],
) -> str | None:
    """What says that requests of a socket go to one of these paths of a proxy; None where nothing does."""
    port = _port(target) if isinstance(target, str) else None
    segments = {segment.lower() for path in paths for segment in re.split(r"[/^*()$]+", path.replace("\\", ""))}
    if segments & set(libraries):
        return "library"
    for server in servers:
        under = server.field("answers_under").value
        below = isinstance(under, str) and any(under.startswith(path.rstrip("*").rstrip("/") + "/") for path in paths)
        if below and port is not None and port in (ports(server) or ()):
            return "server"
    return "path" if segments & set(usual) and not servers else None


def _port(address: str) -> int | None:
    """The port in an address, or that of its scheme."""
    try:
        parts = urlsplit(address if "://" in address else f"//{address.lstrip('/')}")
        return parts.port or _DEFAULT_PORTS.get(parts.scheme)
    except ValueError:
        return None
