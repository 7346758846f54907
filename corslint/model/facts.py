"""Facts: the common model that every parser's findings are turned into, and that rules ask about.

A fact is a kind, a place, and named fields. Field names may be dotted (`effect.to_stranger`); `FACT_KINDS` lists every
field a rule may ask for. The JSON Schemas for rules, descriptors and `corslint facts` are generated from that table.
"""

from __future__ import annotations

from typing import Literal as OneOf

from corslint.model.values import Value
from corslint.records import NamedTuple
from corslint.source import Span

State = OneOf["written", "default", "absent", "unknown"]


class Field(NamedTuple):
    """One field of a fact.

    `value` is a plain Python object: text, number, boolean, a tuple of those, or a `Span` for an instance.
    `state`: `written` in the source (also derived from written values), `default` (the library's default or what an
    absent option means), `absent` (certainly not there), `unknown` (could not be determined; `value` is then None).
    `span` is where the value stands, or the call for a default. `trail` are the places it came through on the way
    from its use to `span`, nearest to the use first. `confidence` is `high`, `medium` or `low`.
    """

    value: object
    state: State = "written"
    span: Span | None = None
    trail: tuple[Span, ...] = ()
    confidence: str = "high"


ABSENT = Field(None, "absent")
UNKNOWN = Field(None, "unknown")


class Fact:
    """One fact. `id` is unique in a run; `parts` names other facts by role (`policy`, `owner`, ...)."""

    __slots__ = ("fields", "id", "kind", "parts", "span", "values")

    def __init__(self, kind: str, span: Span, fields: dict[str, Field], values: dict[str, Value] | None = None) -> None:
        self.kind = kind
        self.span = span
        self.fields = fields
        self.values = values or {}
        self.parts: dict[str, Fact] = {}
        self.id = -1

    def field(self, name: str) -> Field:
        """The field, or an absent one (its span is then the fact's own)."""
        found = self.fields.get(name)
        return found if found is not None else Field(None, "absent", self.span)

    def __repr__(self) -> str:
        shown = {name: field.value if field.state != "unknown" else "?" for name, field in self.fields.items()}
        return f"Fact({self.kind}, {self.span.path}:{self.span.start}, {shown})"


class FieldSpec(NamedTuple):
    """What a field holds: `text`, `number`, `boolean`, `tri` (yes/no), `list`, `instance`, or a tuple of the possible texts."""

    type: str | tuple[str, ...]
    doc: str


class KindSpec(NamedTuple):
    """A kind of fact: what it is, and its fields. A field whose name ends in `.*` stands for any name in its place."""

    doc: str
    fields: dict[str, FieldSpec]


_STRANGER = ("star", "echo", "fixed", "refused", "nothing", "raises", "hangs")

_COMMON = {
    "framework": FieldSpec(
        "text", "title of the library or server it belongs to (`Express cors`, `Socket.IO`, `nginx`)"
    ),
    "library": FieldSpec("text", "id of the descriptor that found it"),
    "language": FieldSpec("text", "`javascript`, `python` or `nginx`"),
    "version": FieldSpec("text", "version of the library in force here, where it is known exactly"),
    "major": FieldSpec("number", "major version of the library in force here"),
    "fence": FieldSpec(("development", "none"), "whether it is reachable only in development"),
    "app": FieldSpec("instance", "the application it belongs to"),
}

_PLAIN = {name: _COMMON[name] for name in ("framework", "library", "language", "version", "major", "fence")}

FACT_KINDS: dict[str, KindSpec] = {
    "cors_policy": KindSpec(
        "Who may read responses: one place that decides about Access-Control-Allow-Origin.",
        {
            **_COMMON,
            "layer": FieldSpec(("http", "socket", "proxy", "dev-server"), "plain HTTP, a socket server's own, a proxy in front, or a server for development"),
            "instance": FieldSpec("instance", "the call that made it"),
            "socket": FieldSpec("instance", "the socket server it belongs to, for layer `socket`"),
            "scope": FieldSpec("text", "path or route it is limited to"),
            "block": FieldSpec("text", "the nginx level that adds the header; its place is the body, for fixes"),
            "origin": FieldSpec("text", "the origin option as far as it is one literal; its place is where the origin is written"),
            "origin.form": FieldSpec(("literal", "list", "regex", "function", "env", "boolean", "default", "missing", "other"), "how the origin is given"),
            "origin.env": FieldSpec("text", "environment variable that the origin comes from"),
            "origin.env_fallback": FieldSpec(_STRANGER, "what the policy answers a stranger when that variable is not set and its fallback counts"),
            "origin.fallback": FieldSpec("text", "that fallback, where it is one text; its place is that text"),
            "origin.env_unset": FieldSpec(_STRANGER, "what the policy answers a stranger when that variable is not set and there is no fallback; its place is the variable"),
            "origin.fails_fast": FieldSpec("tri", "whether a missing variable stops the program"),
            "origin.unchecked": FieldSpec("tri", "whether this value switches the check of origins off altogether"),
            "origin.plain_env": FieldSpec("tri", "whether the origin is the environment variable and nothing else"),
            "origin.entries": FieldSpec("number", "how many texts it lists"),
            "origin.exact": FieldSpec("text", "source text of a list of the origins, where each of them is written and exact"),
            "origin.takes": FieldSpec(("text", "list", "either"), "how exact origins can be given: one as a text, only as a list, or either way"),
            "origin.with_port": FieldSpec("tri", "whether origins are looked up with their port spelled out, so that they have to be given with it"),
            "origin.portable": FieldSpec("tri", "whether the origin is written with literals alone, so that its text can be repeated elsewhere"),
            "frontend.origins": FieldSpec("list", "origins of the pages that talk to this project: those that the settings declare (`frontends`), else that of its only server for development"),
            "frontend.origin": FieldSpec("text", "the only one of them, as the policy would compare it"),
            "frontend.source": FieldSpec("text", "source text of them as this policy takes origins: a text, or a list"),
            "credentials": FieldSpec("boolean", "the credentials option as given"),
            "covers_errors": FieldSpec("tri", "whether answers to errors that nobody caught go through it, too"),
            "literal_star": FieldSpec("boolean", "whether the library was told to send `*` itself instead of echoing"),
            "configured": FieldSpec("tri", "whether any CORS option was given at all"),
            "effect.to_stranger": FieldSpec(_STRANGER, "what any origin that nobody listed gets"),
            "effect.credentials": FieldSpec("tri", "whether Access-Control-Allow-Credentials: true is sent"),
            "effect.accepts_null": FieldSpec("tri", "whether the origin `null` is accepted"),
            "effect.same_origin": FieldSpec("tri", "whether pages are let in whose origin is that of the request: its scheme and its `Host`"),
            "effect.depends_on_origin": FieldSpec("tri", "whether the answer depends on the request's Origin"),
            "effect.vary_origin": FieldSpec("tri", "whether Vary: Origin is sent where it depends"),
            "effect.sends_several": FieldSpec("tri", "whether more than one origin can be sent"),
            "effect.methods": FieldSpec("list", "methods that it allows in an answer to a preflight"),
            "effect.any_method": FieldSpec("tri", "whether it allows every method that a preflight asks for"),
            "effect.request_headers": FieldSpec("list", "request headers that it allows"),
            "effect.any_request_header": FieldSpec("tri", "whether it allows every request header that a preflight asks for"),
            "effect.exposed": FieldSpec("list", "response headers that it lets a page read"),
            "effect.if_unset": FieldSpec((*_STRANGER, "fails"), "what a stranger gets when the environment variable is not set; `fails`: every request ends in an error"),
            "effect.wildcard_pair": FieldSpec(("sent", "raises"), "how `*` together with credentials comes out where both were asked for: sent as it is, or refused by the library with an error"),
            "effect.raises": FieldSpec("tri", "whether the library refuses this combination by raising"),
            "effect.sends_origin_header": FieldSpec("tri", "whether any request can get an Access-Control-Allow-Origin from here"),
            "witness.origin": FieldSpec("text", "an attacker's origin that passes"),
            "witness.technique": FieldSpec(("suffix", "prefix", "dot", "substring", "scheme", "subdomain", "other"), "how it was made from a trusted one"),
            "witness.test": FieldSpec("text", "the test that lets it pass; its place is that test"),
            "witness.narrower": FieldSpec("text", "source text for the place of that test, if it is a pattern or a text: proven to let in whom it was written for, and no attacker"),
            "witness.tested": FieldSpec("text", "the same where the test is a call; its place is what is tested"),
            "witness.before": FieldSpec("text", "source text to put before what is tested"),
            "witness.behind": FieldSpec("text", "source text to put behind it"),
            "subdomain.origin": FieldSpec("text", "an origin below a trusted domain that passes though nobody wrote it down"),
            "subdomain.domain": FieldSpec("text", "the domain that it is below; its place is the test that lets it pass"),
            "null_entry": FieldSpec("text", "the entry that accepts `null`; its place is that entry"),
            "null_entry.schemeless": FieldSpec("tri", "whether that entry is another text, without a scheme, that the library takes for `null`"),
            "options": FieldSpec("text", "the options object; its place is that object, for fixes"),
            "options.source": FieldSpec("text", "JavaScript for that object, with what its names stand for, where all of it is known"),
            "options.portable": FieldSpec("tri", "whether that object is written with literals alone, so that its text can be repeated elsewhere"),
            "options.methods": FieldSpec("text", "name of the option that lists the methods"),
            "options.request_headers": FieldSpec("text", "name of the option that lists the request headers"),
            "options.exposed": FieldSpec("text", "name of the option that lists the response headers that pages may read"),
        },
    ),
    "origin_entry": KindSpec(
        "One origin that a policy lists.",
        {
            **_PLAIN,
            "policy": FieldSpec("instance", "the policy that lists it"),
            "layer": FieldSpec(("http", "socket", "proxy", "dev-server"), "the policy's layer"),
            "text": FieldSpec("text", "the entry as written; its place is the entry"),
            "defect": FieldSpec(
                ("trailing-slash", "path", "no-scheme", "whitespace", "untrimmed", "default-port", "missing-port", "upper-case", "port-glob", "glob", "list", "star", "quoted-regex", "none"),
                "why no browser can ever send exactly this",
            ),
            "corrected": FieldSpec("text", "the entry as a browser would send it, where that is certain"),
            "in_list": FieldSpec("tri", "whether it stands in a list"),
            "siblings": FieldSpec("number", "how many other entries the policy lists"),
            "as_list": FieldSpec("text", "source text of a list of the origins in this text, where each of them is exact"),
            "as_regex": FieldSpec("text", "source text of the regular expression that a text was meant to be, where the library takes one and nobody else passes it"),
            "null": FieldSpec("tri", "whether it is the origin `null`"),
        },
    ),
    "origin_pattern": KindSpec(
        "A regular expression that a policy compares origins with.",
        {
            **_PLAIN,
            "policy": FieldSpec("instance", "the policy that it belongs to"),
            "text": FieldSpec("text", "the pattern between slashes, with its flags; its place is the pattern"),
            "flags": FieldSpec("text", "its flags"),
            "stateful": FieldSpec("tri", "whether a test goes on where the last one ended, so that the same origin is not always accepted"),
            "stateless": FieldSpec("text", "the same pattern without the flags that make it go on"),
        },
    ),
    "insecure_origin": KindSpec(
        "An `http://` origin of another machine that a policy accepts although strangers are not.",
        {
            **_PLAIN,
            "policy": FieldSpec("instance", "the policy that accepts it"),
            "origin": FieldSpec("text", "the origin; its place is what lets it in"),
            "how": FieldSpec(("listed", "pattern", "host"), "named as such, by a pattern that names the scheme, or by a test of the host that never looks at the scheme"),
            "private": FieldSpec("tri", "whether the host stands in a private network"),
            "beside_https": FieldSpec("tri", "whether the policy accepts an `https://` origin as well"),
            "twin": FieldSpec("tri", "whether it accepts the same origin with `https://`"),
            "secure": FieldSpec("text", "the same origin with `https://`, where no port is written"),
        },
    ),
    "unlisted": KindSpec(
        "What pages ask of a server and what its answer to their preflight, or to the request, does not list.",
        {
            **_PLAIN,
            "what": FieldSpec(("method", "request-header", "response-header"), "whether methods, request headers or response headers are missing"),
            "names": FieldSpec("list", "what is missing in the list"),
            "missing": FieldSpec("text", "what this use of it is about; its place is the route, the request or the line that needs it"),
            "by": FieldSpec(("route", "request", "socket"), "who needs it: a route that answers to it, a request of a page, a client of a socket server"),
            "listed": FieldSpec("list", "what the list holds; its place is the list, or the policy where that is the library's default"),
            "written": FieldSpec("tri", "whether the list is written, and not the library's default"),
            "read_only": FieldSpec("tri", "whether the list holds methods alone that only read (GET, HEAD, OPTIONS)"),
            "other_case": FieldSpec("text", "the same name in the list, in other letters"),
            "option": FieldSpec("text", "name of the option that takes the list; absent where it is written by hand"),
            "options": FieldSpec("text", "the policy's options; its place is that object, for fixes"),
            "instead": FieldSpec("text", "source text of the list with what is missing"),
        },
    ),
    "turned_away": KindSpec(
        "A front end that is known and that a policy which it talks to does not let in.",
        {
            **_PLAIN,
            "layer": FieldSpec(("http", "socket"), "the policy's layer"),
            "origin": FieldSpec("text", "the front end's origin; its place is where its port is written"),
            "by": FieldSpec(("settings", "dev-server"), "what says so: `frontends` in the settings, or a server for development whose pages ask this server"),
            "slip": FieldSpec(("port", "machine", "scheme", "none"), "what alone is different from an origin that is listed: the port, the name of the same machine, http and https"),
            "nearest": FieldSpec("text", "that origin; its place is the entry, or the policy's origin where there is none"),
            "client": FieldSpec("text", "the client that asks; its place is the call"),
            "loopback": FieldSpec("tri", "whether the policy lists any origin of this machine"),
            "siblings": FieldSpec("number", "how many origins the policy lists"),
        },
    ),
    "content_security_policy": KindSpec(
        "A Content-Security-Policy, as far as it decides what pages may connect to.",
        {
            **_COMMON,
            "instance": FieldSpec("instance", "the call that made it"),
            "by": FieldSpec(("option", "header", "page", "proxy"), "who sends it: a library by its options, a header that is written by hand, a `<meta>` tag of a page, nginx"),
            "enabled": FieldSpec("tri", "whether it is sent at all"),
            "report_only": FieldSpec("tri", "whether it only reports"),
            "value": FieldSpec("text", "the whole policy, where it is one text; its place is that text"),
            "connect": FieldSpec("list", "source expressions of its `connect-src`"),
            "default": FieldSpec("list", "source expressions of its `default-src`"),
            "options": FieldSpec("text", "the options; its place is that object, for fixes"),
        },
    ),
    "blocked_connection": KindSpec(
        "A connection of a page that the page's own Content-Security-Policy blocks.",
        {
            **_PLAIN,
            "by": FieldSpec(("option", "header", "page", "proxy"), "who sends the policy"),
            "url": FieldSpec("text", "the address; its place is the client"),
            "origin": FieldSpec("text", "its scheme, host and port"),
            "directive": FieldSpec("text", "`connect-src`, or `default-src` where there is none"),
            "sources": FieldSpec("list", "its source expressions; its place is the list, or what sends the policy"),
            "written": FieldSpec("tri", "whether that list is written, and not the library's default"),
            "what": FieldSpec(("request", "socket", "upgrade"), "a request; a socket that cannot connect; a socket whose WebSocket cannot open, so that it goes on polling"),
            "instead": FieldSpec("text", "source text of what decides with that origin"),
            "options": FieldSpec("text", "the options; its place is that object, for fixes"),
        },
    ),
    "credentials_value": KindSpec(
        "A value that is meant to allow credentials and doesn't: only `true` does.",
        {
            **_PLAIN,
            "text": FieldSpec("text", "the value; its place is the value"),
            "raw_type": FieldSpec(("text", "number", "boolean", "env"), "what it is: `env` is an environment variable, which is always a text"),
            "by": FieldSpec(("option", "header"), "an option of a library, or the response header itself"),
            "does": FieldSpec(("ignored", "raises", "sent"), "what becomes of it: the library passes over it, fails, or it is sent as it is"),
        },
    ),
    "sent_list": KindSpec(
        "A list of methods or headers that a policy sends.",
        {
            **_PLAIN,
            "policy": FieldSpec("instance", "the policy that sends it"),
            "header": FieldSpec("text", "name of the response header"),
            "names": FieldSpec("list", "what it holds; its place is where the list is written"),
            "what": FieldSpec(("methods", "request-headers", "response-headers"), "what it lists"),
            "star": FieldSpec("tri", "whether `*` is sent in it"),
            "default_allows": FieldSpec("tri", "whether the library allows everything that is in use where the option is left out"),
            "by": FieldSpec(("option", "header"), "an option of a library, or the response header itself"),
        },
    ),
    "policy_option": KindSpec(
        "One option given to a policy or a socket server by name.",
        {
            **_PLAIN,
            "policy": FieldSpec("instance", "the call that takes the options"),
            "name": FieldSpec("text", "the name as written; its place is the name"),
            "known": FieldSpec("tri", "whether the library reads this option"),
            "suggestion": FieldSpec("text", "the known option that was probably meant"),
            "consequence": FieldSpec("text", "what the library does instead; absent where the option has nothing to do with the origin, or something else sets it"),
            "meant_given": FieldSpec("tri", "whether the option that was meant is written, too"),
            "status": FieldSpec(("known", "unknown", "misplaced", "legacy"), "why it is not read"),
            "target": FieldSpec("text", "dotted path the option belongs at, for `misplaced` and `legacy`"),
            "exact_origins": FieldSpec("tri", "whether its value is a list of exact origins"),
            "decides_origin": FieldSpec("instance", "the policy whose origin it was meant to set; absent for options that have nothing to do with the origin, and where the option that was meant is written, too"),
            "options": FieldSpec("text", "the whole options; its place is the outermost options object, for fixes"),
            "value": FieldSpec("text", "the value given to it; its place is that value"),
            "carried": FieldSpec("text", "source text of the value as the right option takes it, where it lists exact origins"),
        },
    ),
    "http_app": KindSpec(
        "A web application object.",
        {
            **_PLAIN,
            "instance": FieldSpec("instance", "the call that made it"),
            "trust_proxy": FieldSpec("tri", "whether it believes what a proxy in front says of the request (`X-Forwarded-Proto`)"),
            "options_status": FieldSpec("number", "the status with which it answers OPTIONS by itself, where a path has routes for other methods alone"),
        },
    ),
    "http_server": KindSpec(
        "A server that a web application or a socket server is attached to.",
        {**_PLAIN, "instance": FieldSpec("instance", "the call that made it"), "handler": FieldSpec("instance", "the application it was built from"), "tls": FieldSpec("tri", "whether it speaks TLS by itself")},
    ),
    "listener": KindSpec(
        "A place that starts to listen.",
        {**_PLAIN, "target": FieldSpec("instance", "what listens"), "port": FieldSpec("number", "the port, where it is written"), "socket": FieldSpec("text", "path of the Unix socket that it listens on instead"), "app": FieldSpec("instance", "the application that was told to listen by itself"), "call": FieldSpec("text", "the call; its place is the object that the method is called on"), "instead": FieldSpec("text", "the name, where it is called, of the http server that was built from that application and carries a socket server")},
    ),
    "middleware": KindSpec(
        "A layer of an application: something that runs for every request, or for those of a path.",
        {
            **_PLAIN,
            "app": FieldSpec("instance", "the application"),
            "handler": FieldSpec("instance", "the middleware"),
            "path": FieldSpec("text", "path it is limited to"),
            "kind": FieldSpec(
                ("cors", "auth", "static", "redirect", "error-handler", "mount", "neutral", "unknown"),
                "what it is; `neutral`: it neither answers requests nor writes CORS headers",
            ),
            "order": FieldSpec(("outermost", "last-is-outermost", "list", "first-is-outermost", "innermost"), "where it stands among the layers of its application, from the outside in"),
            "outer_index": FieldSpec("number", "its place among them; 0 sees the request first"),
            "methods": FieldSpec("list", "request methods it is limited to, in upper case"),
            "answers_preflight": FieldSpec("tri", "whether a preflight ends here, and no further layer sees it"),
            "writes_cors": FieldSpec("tri", "whether it writes CORS headers"),
            "registered": FieldSpec("instance", "the call or decorator that applies it; its place is that"),
            "setting": FieldSpec("text", "the setting that makes it answer"),
            "folder": FieldSpec("text", "the folder whose files it serves, seen from the project"),
        },
    ),
    "http_route": KindSpec(
        "A path that an application answers under.",
        {
            **_PLAIN,
            "app": FieldSpec("instance", "the application or router"),
            "handler": FieldSpec("instance", "the function that answers"),
            "path": FieldSpec("text", "its path, as far as that application sees it"),
            "methods": FieldSpec("list", "request methods it is limited to, in upper case"),
            "order": FieldSpec(("outermost", "last-is-outermost", "list", "first-is-outermost", "innermost"), "where it stands among the layers of its application, from the outside in"),
            "outer_index": FieldSpec("number", "its place among them; 0 sees the request first"),
            "answers": FieldSpec("tri", "whether the request ends here"),
            "writes_cors": FieldSpec("tri", "whether it writes CORS headers by hand"),
            "registered": FieldSpec("instance", "the call or decorator that makes it; its place is that"),
        },
    ),
    "doubled_header": KindSpec(
        "Two places in one application that both write Access-Control-Allow-Origin to the same responses.",
        {
            **_PLAIN,
            "first": FieldSpec("text", "title of the library of the one; its place is that"),
            "second": FieldSpec("text", "title of what the other belongs to; its place is that"),
            "second_is": FieldSpec(("written-by-hand", "socket"), "what the other is: a header written by hand, or the policy of a socket server that is mounted"),
            "origin": FieldSpec("text", "an origin whose requests get the header twice"),
        },
    ),
    "error_handler": KindSpec(
        "What an application does with an error that nobody caught.",
        {**_PLAIN, "app": FieldSpec("instance", "the application")},
    ),
    "header_write": KindSpec(
        "A CORS header written by hand, or a name that is nearly one.",
        {
            **_PLAIN,
            "name": FieldSpec("text", "header name in lower case; its place is the name"),
            "value": FieldSpec("text", "its value"),
            "operation": FieldSpec(("set", "append"), "replaces or adds"),
            "target": FieldSpec(("response", "request"), "what it is written to"),
            "known": FieldSpec("tri", "whether the name is what it was meant to be, as far as anybody can tell"),
            "nearest_cors_name": FieldSpec("text", "the CORS header that was probably meant"),
            "key": FieldSpec("tri", "whether the name is the key of an object"),
            "meant_given": FieldSpec("tri", "whether the header that was meant is written nearby, too"),
        },
    ),
    "socket_server": KindSpec(
        "A Socket.IO, Engine.IO or WebSocket server.",
        {
            **_COMMON,
            "instance": FieldSpec("instance", "the call that made it"),
            "http_server": FieldSpec("instance", "the http server, application or port it is attached to"),
            "class": FieldSpec("instance", "the class that it is declared on"),
            "adapter": FieldSpec("tri", "whether something carries its broadcasts to other instances"),
            "twin": FieldSpec("instance", "another server of the same kind that is attached to the same http server, under the same path, before it"),
            "attached_to_app": FieldSpec("tri", "whether that is a web application function instead of a server"),
            "path": FieldSpec("text", "request path, without a trailing slash"),
            "trailing_slash": FieldSpec("tri", "whether a slash is added to the end of the path"),
            "answers_under": FieldSpec("text", "what the path of a request has to begin with to be answered"),
            "transports": FieldSpec("list", "transports it accepts"),
            "polling": FieldSpec("tri", "whether HTTP long polling is accepted"),
            "websocket": FieldSpec("tri", "whether WebSocket is accepted"),
            "allow_eio3": FieldSpec("tri", "whether clients of Socket.IO 2 are accepted"),
            "protocol": FieldSpec("list", "Engine.IO protocol versions it speaks"),
            "engine_cors": FieldSpec("tri", "whether CORS headers are added through the engine (`io.engine.use(cors())`)"),
            "port": FieldSpec("number", "port it listens on, where it is written"),
            "ping_interval_ms": FieldSpec("number", "how often it sends a ping, in milliseconds"),
            "ping_timeout_ms": FieldSpec("number", "how long it waits for the answer, in milliseconds"),
            "ping_limit_ms": FieldSpec("number", "after how many milliseconds of silence it gives a client up: both together"),
            "async_mode": FieldSpec("text", "the framework or concurrency model that it was told to run on"),
            "runner": FieldSpec("text", "id of the descriptor of the call that listens for it, where that is certain"),
            "kind": FieldSpec(("socket.io", "engine.io", "websocket"), "what it speaks"),
            "reads_referer": FieldSpec("tri", "whether it takes `Referer` for the origin of a request that has no `Origin`"),
            "same_origin_check": FieldSpec("tri", "whether it refuses WebSocket handshakes of pages of other origins, but for those that are listed"),
            "upgrade.to_stranger": FieldSpec(("accepted", "refused"), "what a WebSocket handshake from any origin that nobody listed gets; its place is what decides"),
            "upgrade.checked_by": FieldSpec("text", "how the library is told to refuse handshakes of other origins: the end of a sentence"),
            "upgrade.trusts_cookies": FieldSpec("tri", "whether the application is seen to take cookies, or the session that they name, from its handshakes; its place is where"),
            "upgrade.cookies_stay": FieldSpec("tri", "whether all its cookies are known to have SameSite `strict` or `lax`, or Partitioned, so that pages of the same site alone bring them"),
            "upgrade.witness.origin": FieldSpec("text", "an attacker's origin whose handshake is accepted although strangers' are not"),
            "upgrade.witness.technique": FieldSpec(("suffix", "prefix", "dot", "substring", "scheme", "subdomain", "other"), "how it was made from a trusted one"),
            "upgrade.witness.test": FieldSpec("text", "the test that lets it pass; its place is that test"),
        },
    ),
    "registration": KindSpec(
        "A class that a module of an application hands to its container, in the order in which they are written.",
        {
            **_PLAIN,
            "module": FieldSpec("instance", "the call that takes the list"),
            "what": FieldSpec("instance", "the class"),
        },
    ),
    "ignored_cors": KindSpec(
        "CORS options of a socket server that nobody reads.",
        {
            **_PLAIN,
            "cors": FieldSpec("text", "the options; its place is them"),
            "why": FieldSpec(("shared", "argument", "adapter"), "another server has its port and path, and was there before; they stand in the wrong argument; the adapter in use reads none"),
            "port": FieldSpec("number", "the port in the first argument, where it is one"),
            "instead": FieldSpec("instance", "the server whose options are in force"),
        },
    ),
    "socket_namespace": KindSpec(
        "A namespace that a socket server has.",
        {
            **_PLAIN,
            "server": FieldSpec("instance", "the socket server"),
            "name": FieldSpec("text", "its name, with its leading slash"),
        },
    ),
    "upgrade_listener": KindSpec(
        "A place where an application listens for upgrades itself.",
        {**_PLAIN, "handler": FieldSpec("instance", "the function that is called")},
    ),
    "cluster_adapter": KindSpec(
        "What carries broadcasts of socket servers from one instance to the others.",
        {**_PLAIN, "instance": FieldSpec("instance", "the call that made it")},
    ),
    "socket_broadcast": KindSpec(
        "A call that sends to all sockets of a server, or to a room.",
        {**_PLAIN, "server": FieldSpec("instance", "the socket server")},
    ),
    "handshake_handler": KindSpec(
        "Code of an application that sees the handshakes of a socket server.",
        {
            **_PLAIN,
            "server": FieldSpec("instance", "the socket server"),
            "uses_rooms": FieldSpec("tri", "whether it puts sockets into rooms, or sends to those of others; its place is where"),
            "takes_cookies": FieldSpec("tri", "whether it is seen to take cookies, or the session that they name, from a handshake; its place is where"),
        },
    ),
    "socket_client": KindSpec(
        "A Socket.IO client.",
        {
            **_PLAIN,
            "instance": FieldSpec("instance", "the call that made it"),
            "url": FieldSpec("text", "address it connects to"),
            "host": FieldSpec("text", "host name of that address"),
            "url_port": FieldSpec("number", "port of that address"),
            "same_origin": FieldSpec("tri", "whether it connects to the page's own origin"),
            "addressed": FieldSpec("tri", "whether an address is given that is not just the page's own origin"),
            "browser": FieldSpec("tri", "whether it runs in a browser"),
            "path": FieldSpec("text", "request path, without a trailing slash"),
            "trailing_slash": FieldSpec("tri", "whether a slash is added to the end of the path"),
            "asks_for": FieldSpec("text", "path of its requests"),
            "credentials": FieldSpec("tri", "whether cookies are sent on cross-origin polling requests"),
            "transports": FieldSpec("list", "transports it tries"),
            "polling": FieldSpec("tri", "whether it may use HTTP long polling"),
            "websocket_only": FieldSpec("tri", "whether it uses WebSocket alone"),
            "first_transport": FieldSpec("text", "the transport that it begins with"),
            "tries_all": FieldSpec("tri", "whether it goes on with its next transport where one fails"),
            "joins": FieldSpec("tri", "whether the call joins a namespace by itself"),
            "namespace": FieldSpec("text", "the namespace that it joins: the path of its address"),
            "namespace_path": FieldSpec("text", "that path with a slash at its end"),
            "bare_url": FieldSpec("text", "the address without that path; its place is the address"),
            "protocol": FieldSpec("number", "Engine.IO protocol version it speaks"),
            "headers": FieldSpec("list", "names of the further headers that it sends along"),
            "polling_headers": FieldSpec("list", "the same, for long polling alone"),
            "sends": FieldSpec("list", "names, in lower case, of headers that certainly go along and that browsers ask leave for"),
            "sends_at.*": FieldSpec("text", "the name of such a header as written; its place is the name"),
        },
    ),
    "http_request": KindSpec(
        "A request that code of a page or a program sends.",
        {
            **_PLAIN,
            "instance": FieldSpec("instance", "the call that made the client it is sent with"),
            "url": FieldSpec("text", "address it is sent to, or the base of such addresses"),
            "base": FieldSpec("tri", "whether that is the base of the addresses of several requests"),
            "below": FieldSpec("text", "the base of its address, where that is given apart from it"),
            "method": FieldSpec("text", "its method, in upper case"),
            "credentials": FieldSpec("tri", "whether cookies go along to another origin"),
            "headers": FieldSpec("list", "names of the headers that it sets"),
            "sends": FieldSpec("list", "names, in lower case, of headers that certainly go along and that browsers ask leave for, also those of the client that it is sent with"),
            "sends_at.*": FieldSpec("text", "the name of such a header as written; its place is the name"),
            "address": FieldSpec("text", "the whole address as far as it is written; absent for one below the page's own origin"),
            "path": FieldSpec("text", "the whole path of one below the page's own origin, with its base"),
            "host": FieldSpec("text", "host name of that address"),
            "url_port": FieldSpec("number", "port of that address"),
            "same_origin": FieldSpec("tri", "whether it goes to the page's own origin"),
            "browser": FieldSpec("tri", "whether a page sends it"),
            "reads": FieldSpec("list", "names, in lower case, of the response headers that the code reads and that browsers hide unless they are exposed"),
            "reads_at.*": FieldSpec("text", "the name of such a header; its place is where it is read"),
            "redirect": FieldSpec("text", "what it does with redirects"),
            "mode": FieldSpec("text", "its mode (`cors`, `no-cors`, `same-origin`)"),
        },
    ),
    "session_cookie": KindSpec(
        "A cookie that a server sets.",
        {
            **_COMMON,
            "instance": FieldSpec("instance", "the call that made it"),
            "session": FieldSpec("tri", "whether a library for sessions sets it"),
            "name": FieldSpec("text", "its name"),
            "same_site": FieldSpec(("strict", "lax", "none", "unset", "auto"), "its attribute SameSite; `unset`: it has none, which browsers take for `lax`; `auto`: `none` on secure requests, else `lax`"),
            "secure": FieldSpec(("yes", "no", "auto"), "whether it has the attribute Secure; `auto`: on secure requests alone"),
            "http_only": FieldSpec("tri", "whether it has the attribute HttpOnly"),
            "partitioned": FieldSpec("tri", "whether it has the attribute Partitioned"),
            "domain": FieldSpec("text", "its attribute Domain"),
            "path": FieldSpec("text", "its attribute Path"),
            "needs_https": FieldSpec(("dropped", "raises", "no"), "what the library does with a cookie that is Secure where the request did not come over TLS as far as it knows: leaves it out, fails, or sends it"),
            "attributes": FieldSpec("text", "the object that holds its attributes; its place is that object, for fixes"),
            "trust_proxy": FieldSpec("tri", "whether the library believes what a proxy in front says of the request (`X-Forwarded-Proto`)"),
        },
    ),
    "dev_server": KindSpec(
        "A server for development, as its configuration says it.",
        {
            **_PLAIN,
            "instance": FieldSpec("instance", "the configuration it stands in"),
            "port": FieldSpec("number", "port it listens on"),
            "host": FieldSpec("text", "address it listens on"),
            "https": FieldSpec("tri", "whether it speaks TLS"),
            "variables": FieldSpec("list", "environment variables that change where it is reached"),
            "all_hosts": FieldSpec("tri", "whether requests are answered whatever their `Host`"),
            "cors.to_stranger": FieldSpec(_STRANGER, "what any origin that nobody listed gets from it; its place is where that is written"),
            "cors.credentials": FieldSpec("tri", "whether it sends Access-Control-Allow-Credentials: true"),
        },
    ),
    "dev_proxy": KindSpec(
        "A path that a server for development, or a program, passes on to another server.",
        {
            **_PLAIN,
            "instance": FieldSpec("instance", "the call or configuration that made it"),
            "app": FieldSpec("instance", "the application it is put into"),
            "path": FieldSpec("text", "path that it is for"),
            "pattern": FieldSpec("text", "the same as it is written, be it a path or a pattern"),
            "paths": FieldSpec("list", "all of these, where there are several"),
            "target": FieldSpec("text", "address that requests are passed on to"),
            "ws": FieldSpec("tri", "whether WebSockets are passed on, too"),
            "change_origin": FieldSpec("tri", "whether `Host` is that of the target"),
            "rewrites": FieldSpec("tri", "whether the path is changed"),
            "ws_by_target": FieldSpec("tri", "whether a target with the scheme `ws` has WebSockets passed on, too"),
            "carries_socket": FieldSpec("tri", "whether a socket's requests come this way, by the path"),
            "socket_evidence": FieldSpec(("server", "library", "path"), "what says so: a server of the project at the target, a path of Socket.IO, Engine.IO or SockJS, another path that is usual for WebSockets"),
            "options": FieldSpec("text", "the options; its place is that object, for fixes"),
        },
    ),
    "package": KindSpec(
        "A package that a manifest names.",
        {"ecosystem": FieldSpec("text", "`npm` or `pypi`"), "name": FieldSpec("text", "its name"), "specifier": FieldSpec("text", "range as written"), "version": FieldSpec("text", "exact version"), "major": FieldSpec("number", "major version")},
    ),
    "proxy_route": KindSpec(
        "An nginx location (or a server's own level) as it takes effect after inheritance and includes.",
        {
            **_PLAIN,
            "path": FieldSpec("text", "the path or pattern of the location"),
            "modifier": FieldSpec("text", "`=`, `^~`, `~`, `~*`, `@` or empty"),
            "level": FieldSpec("text", "the level's name; its place is the name and its arguments"),
            "block": FieldSpec("text", "the level's body; its place is the text between the braces"),
            "proxied": FieldSpec("tri", "whether it passes requests on"),
            "pass": FieldSpec("text", "the `proxy_pass` target; its place is that argument"),
            "pass_bare": FieldSpec("text", "that target without its URI part, where it has one and no variable"),
            "upstream": FieldSpec("text", "name or host of the upstream"),
            "upstream_port": FieldSpec("number", "port of the upstream, where it is written"),
            "upstream_path": FieldSpec("text", "URI part of `proxy_pass`"),
            "complete": FieldSpec("tri", "whether everything in scope could be read (no unresolved include, no template logic)"),
            "plain": FieldSpec("tri", "whether nothing on the way (`if`, `rewrite`, `try_files`, `error_page`, `return`) changes the route"),
            "carries_socket": FieldSpec("tri", "whether the socket path of a server in this project, or a socket-like path, is routed here"),
            "socket_evidence": FieldSpec(("server", "library", "path", "header"), "what says that it carries a socket: a server of the project, a path of Socket.IO, Engine.IO or SockJS, another socket-like path, an `Upgrade` header"),
            "request_headers.*": FieldSpec("text", "request header sent upstream, effective; of routes that pass something on"),
            "dropped_request_headers.*": FieldSpec("text", "request header set on an outer level and lost here; its place is the lost line"),
            "drops_by": FieldSpec("text", "the own `proxy_set_header` that cancels the outer ones; its place is that line, or the `include` that brings it"),
            "drops_from": FieldSpec("text", "the same where an `include` brings it; its place is the line in the other file"),
            "request_block": FieldSpec("text", "the level whose own `proxy_set_header` lines are in force (this one where there are none); its place is the body, for fixes"),
            "request_block_own": FieldSpec("tri", "whether that is this level itself"),
            "adds.*": FieldSpec("text", "response header added, effective; its place is the directive"),
            "adds_always.*": FieldSpec("tri", "whether it is added whatever the status (`always`)"),
            "adds_count.*": FieldSpec("number", "how often one response gets the header from here"),
            "adds_second.*": FieldSpec("text", "the second line that adds it"),
            "adds_equal.*": FieldSpec("tri", "whether all lines that add it have the same value"),
            "dropped_headers.*": FieldSpec("text", "response header added on an outer level and lost here; its place is the lost line"),
            "headers_drop_by": FieldSpec("text", "the own `add_header` that cancels the outer ones; its place is that line, or the `include` that brings it"),
            "headers_drop_from": FieldSpec("text", "the same where an `include` brings it; its place is the line in the other file"),
            "response_block": FieldSpec("text", "the level whose own `add_header` lines are in force; its place is the body, for fixes"),
            "status": FieldSpec("number", "the status that a `return` gives every request"),
            "hides.*": FieldSpec("text", "upstream response header hidden"),
            "passes_upgrade": FieldSpec("tri", "whether `Upgrade` and `Connection` reach the upstream so that a WebSocket can open"),
            "upgrade_lacks": FieldSpec("list", "which of `Upgrade` and `Connection` do not reach the upstream"),
            "upgrade_version": FieldSpec("text", "the line that upgrades need besides, where nginx does not speak HTTP/1.1 to the upstream yet"),
            "loses_upgrade": FieldSpec("tri", "whether they would, but for the own lines of this level or one around it"),
            "nginx_version": FieldSpec("text", "version of nginx, from the settings or the tag of its image"),
            "inherits_by_mode": FieldSpec("tri", "whether this nginx has `add_header_inherit`"),
            "http_version": FieldSpec("text", "HTTP version spoken upstream"),
            "http_version_source": FieldSpec(("written", "default"), "whether `proxy_http_version` is written in scope"),
            "answers_itself": FieldSpec("tri", "whether it never passes requests on"),
            "announces": FieldSpec("list", "methods and headers that its lines announce and that browsers ask for with a preflight; its place is the first such line"),
            "actual.allows": FieldSpec("tri", "whether nginx gives an Access-Control-Allow-Origin to any request that is no preflight, for an origin that it lets in"),
            "preflight.allows": FieldSpec("tri", "whether nginx gives one to preflights of that origin"),
            "preflight.itself": FieldSpec("tri", "whether nginx answers preflights itself"),
            "preflight.status": FieldSpec("number", "the status of its answer to a preflight"),
            "preflight.by": FieldSpec("text", "the level whose `return` answers preflights; its place is the name and its arguments"),
            "preflight.block": FieldSpec("text", "the same where it is an `if` of a location; its place is the body, for fixes"),
            "preflight.lacks": FieldSpec("list", "headers that nginx's own answer to a preflight lacks, so that browsers refuse it"),
            "preflight.repeat.*": FieldSpec("text", "a CORS header that the requests after it get, or that other lines give, and the preflight does not; its place is the line"),
            "preflight.gives.*": FieldSpec("text", "a CORS header that its answer has; its place is the line"),
            "preflight.mendable": FieldSpec("tri", "whether the answer would be complete with what can be repeated"),
            "preflight.excepted": FieldSpec("text", "the last method of the `limit_except` that preflights fall under; its place is that word"),
            "preflight.stopped_by": FieldSpec("text", "the directive that asks preflights for a password or cookie, which they never carry; its place is that line"),
            "forgotten": FieldSpec("list", "methods that preflights are told of, whose requests get no Access-Control-Allow-Origin; its place is the line that names them"),
            "given_by": FieldSpec("text", "the `if` that gives it to requests with other methods"),
            "caches": FieldSpec("text", "the cache that answers are kept in; its place is the `proxy_cache` line"),
            "cache_by_origin": FieldSpec("tri", "whether answers are kept apart by the request's Origin, or not kept where there is one"),
            "cache_ignores_vary": FieldSpec("tri", "whether the cache passes over `Vary`"),
            "connection_fault": FieldSpec(("idle", "always", "escaped", "undefined"), "what is wrong with the `Upgrade` or `Connection` that a socket's route sends although it sends both: a `Connection` that never says `upgrade`, an `Upgrade: websocket` that goes along with plain requests, a variable behind a backslash, one that nothing defines; its place is the value"),
            "connection_value": FieldSpec("text", "that value"),
            "connection_instead": FieldSpec("text", "what to write instead"),
            "read_timeout_ms": FieldSpec("number", "how long the upstream of a socket's route may be silent, in milliseconds; its place is the time, or the level for nginx's default"),
            "read_timeout": FieldSpec("text", "the same as written"),
            "read_timeout_own": FieldSpec("tri", "whether it is written on this level"),
            "host_value": FieldSpec("text", "what a socket's route sends as `Host`; its place is the value"),
            "names": FieldSpec("list", "the names of its server; its place is the line with them"),
            "ports": FieldSpec("list", "the ports that its server listens on"),
            "host_block": FieldSpec("instance", "the nginx server that the route stands in"),
            "tls": FieldSpec(("yes", "no", "some"), "whether that server speaks TLS; `some`: on some of its ports alone"),
            "usual_ports": FieldSpec("tri", "whether that server listens on ports 80 and 443 alone"),
            "socket_path": FieldSpec("text", "path of a socket's requests that the route takes"),
            "socket_arrives_as": FieldSpec("text", "what the upstream gets for it; its place is what changes the path"),
            "socket_lost": FieldSpec("tri", "whether the last part of the socket's path is not in that"),
            "script_path": FieldSpec("text", "path of the client's script below it, where a location with a pattern takes that and has no such file"),
            "script_taker": FieldSpec("text", "that location's pattern; its place is the pattern"),
            "made_for_it": FieldSpec("tri", "whether the route is a prefix location of its own, and not the one for everything"),
        },
    ),
    "line_without_always": KindSpec(
        "CORS lines of an nginx level that errors do not get, because they do not say `always`.",
        {
            **_PLAIN,
            "origin": FieldSpec("text", "what Access-Control-Allow-Origin is set to; its place is the value"),
            "credentials": FieldSpec("text", "what Access-Control-Allow-Credentials is set to; its place is the value"),
            "fails": FieldSpec("tri", "whether answers that get these lines can have a status that leaves them out"),
            "proxied": FieldSpec("tri", "whether such answers can come from an application"),
        },
    ),
    "lost_in_if": KindSpec(
        "A CORS header that requests lose because an `if` of nginx takes over.",
        {
            **_PLAIN,
            "name": FieldSpec("text", "the header; its place is the line that is lost"),
            "by": FieldSpec("text", "the first `add_header` of that `if`, empty where it has none; its place is that line, or the `if` and its condition"),
            "condition": FieldSpec("text", "the `if` and its condition"),
            "replaces": FieldSpec("tri", "whether the `if` has `add_header` lines of its own"),
        },
    ),
    "header_argument": KindSpec(
        "An nginx line about a header with arguments that nginx refuses, or takes otherwise than they are meant.",
        {
            **_PLAIN,
            "directive": FieldSpec("text", "`add_header` or `proxy_set_header`"),
            "name": FieldSpec("text", "its first argument"),
            "defect": FieldSpec(("colon", "list", "parameter"), "a colon in the name, a value of several words without quotes, a last argument that is nearly `always`; its place is that argument"),
            "arguments": FieldSpec("text", "the arguments; its place is all of them"),
            "corrected": FieldSpec("text", "the arguments as they were meant, where that is certain"),
        },
    ),
    "content_header": KindSpec(
        "An `add_header` for a header that the body of a response has already.",
        {
            **_PLAIN,
            "name": FieldSpec("text", "the header; its place is the name"),
            "what": FieldSpec(("type", "length"), "`Content-Type` or `Content-Length`"),
            "value": FieldSpec("text", "what it is set to"),
            "returned": FieldSpec("tri", "whether the body is that of a `return`"),
            "proxied": FieldSpec("tri", "whether the body can come from an application"),
        },
    ),
    "process": KindSpec(
        "Something that starts a program of the project: a line of a Procfile, a container's command, a deployment.",
        {
            **_PLAIN,
            "name": FieldSpec("text", "its name there"),
            "command": FieldSpec("text", "the command; its place is that"),
            "entry": FieldSpec("text", "the script, or `module:object`, that it starts"),
            "folder": FieldSpec("text", "the folder of the file that says so"),
            "workers": FieldSpec("number", "how many of it share the requests, as far as it is written; its place is what says it"),
            "port": FieldSpec("number", "the port that it is told to listen on"),
            "by": FieldSpec(("procfile", "dockerfile", "compose", "kubernetes", "heroku", "pm2", "cluster", "code"), "what says so"),
            "file": FieldSpec("text", "the file of the project that it starts"),
            "several": FieldSpec("tri", "whether more than one of it shares the requests; its place is what says so"),
            "sticky": FieldSpec("tri", "whether something keeps a client on one of them"),
            "shares": FieldSpec("tri", "whether several of it listen at one port"),
            "per_call": FieldSpec("tri", "whether each call starts one more of it"),
            "replicated": FieldSpec("tri", "whether their number is that of containers, which something spreads requests over"),
            "scales": FieldSpec("tri", "whether only the number of a process is given that another file describes"),
            "labels": FieldSpec("list", "labels by which services select it (`app=chat`)"),
        },
    ),
    "env_value": KindSpec(
        "A value of an environment variable in a file of the project: a hint at what it is where the program runs.",
        {
            "name": FieldSpec("text", "the variable"),
            "value": FieldSpec("text", "its value; its place is that"),
        },
    ),
    "cluster_service": KindSpec(
        "A service of a cluster, which spreads requests over what it selects (Kubernetes' Service).",
        {
            "name": FieldSpec("text", "its name"),
            "selector": FieldSpec("list", "the labels that it selects by"),
            "outside": FieldSpec("tri", "whether it is reached from outside of the cluster"),
            "affinity": FieldSpec("tri", "whether it keeps a client on one of several"),
        },
    ),
    "exposed_path": KindSpec(
        "A host and path that a cluster lets in (Kubernetes' Ingress).",
        {
            "host": FieldSpec("text", "the host name"),
            "path": FieldSpec("text", "what paths begin with"),
            "service": FieldSpec("text", "the service that takes it"),
            "affinity": FieldSpec("tri", "whether it keeps a client on one of several"),
            "port": FieldSpec("number", "the service's port"),
        },
    ),
    "service": KindSpec(
        "A container of a compose file.",
        {
            "name": FieldSpec("text", "its name, which is its host name, too"),
            "folder": FieldSpec("text", "the folder that it is built from; absent where it runs an image of somebody else's"),
            "published": FieldSpec("list", "its ports that the machine has, too, as `8080:3000`: the machine's, its own"),
        },
    ),
    "redirect": KindSpec(
        "A client's first request for an address, which nginx redirects where browsers follow no redirect.",
        {
            **_PLAIN,
            "url": FieldSpec("text", "the address; its place is where the client names it"),
            "asks": FieldSpec(("preflight", "handshake", "polling"), "what it is: the question before a request, a WebSocket's handshake, a socket's polling over plain HTTP"),
            "status": FieldSpec("number", "status of nginx's answer"),
            "by": FieldSpec("text", "what redirects it: a directive, or a location whose path has a slash more; its place is that"),
            "to": FieldSpec(("https", "slash", "elsewhere"), "where it leads: to TLS, to the same path with a slash at its end, to another place"),
            "instead": FieldSpec("text", "the address to ask for at once, where that is certain"),
        },
    ),
    "own_page": KindSpec(
        "A page of a socket server's own origin, where the server lets others in by a list, and not this one.",
        {
            **_PLAIN,
            "origin": FieldSpec("text", "the server's own origin, as browsers see it; its place is the list"),
            "by": FieldSpec(("listener", "proxy"), "what says so: the port that it listens on, or nginx"),
            "at": FieldSpec("text", "that origin; its place is what says it"),
            "page": FieldSpec("text", "the client; its place is that"),
            "listed": FieldSpec("list", "the origins that are let in"),
            "instead": FieldSpec("text", "source text of the list with that origin"),
        },
    ),
    "tls_host": KindSpec(
        "A name of an nginx server that speaks TLS; its place is that name.",
        {
            **_PLAIN,
            "name": FieldSpec("text", "the name, in lower case"),
            "pages": FieldSpec("tri", "whether it serves files from a folder at `/`"),
            "only": FieldSpec("tri", "whether nobody gets them without TLS: plain requests are redirected, or none arrive"),
        },
    ),
    "bare_socket": KindSpec(
        "A WebSocket that code opens by itself.",
        {
            **_PLAIN,
            "url": FieldSpec("text", "the address as given"),
            "address": FieldSpec("text", "the whole address as far as it is written"),
            "host": FieldSpec("text", "host name of that address"),
            "browser": FieldSpec("tri", "whether a page opens it"),
        },
    ),
    "mixed_content": KindSpec(
        "A connection without encryption that a page makes which is known to come over https.",
        {
            **_PLAIN,
            "url": FieldSpec("text", "the address; its place is that"),
            "host": FieldSpec("text", "its host name"),
            "what": FieldSpec(("request", "polling", "websocket"), "a request; a Socket.IO client that polls first; a WebSocket"),
            "page": FieldSpec("text", "the origin of the page; its place is what says so"),
            "by": FieldSpec(("settings", "canonical", "homepage", "proxy"), "what says that it comes over https"),
            "answers": FieldSpec("tri", "whether nginx is known to serve that host over TLS"),
            "instead": FieldSpec("text", "the address with TLS, where the address stands there whole"),
        },
    ),
    "socket_gap": KindSpec(
        "An nginx server that passes requests on, but not those for a socket's path.",
        {
            **_PLAIN,
            "host_block": FieldSpec("instance", "the server"),
            "path": FieldSpec("text", "path of the socket's requests"),
            "taker": FieldSpec("text", "the location that takes them; absent where none does"),
            "redirected_by": FieldSpec("text", "the location whose path has a slash more, and that redirects them there"),
            "names": FieldSpec("list", "the server's names"),
            "ports": FieldSpec("list", "the ports it listens on"),
        },
    ),
    "duplicate_header": KindSpec(
        "A response header that may stand only once and that one level of a proxy adds more often.",
        {
            **_PLAIN,
            "name": FieldSpec("text", "header name as written; its place is the second line"),
            "first": FieldSpec("text", "value of the line to keep; its place is that line"),
            "second": FieldSpec("text", "value of the line that is one too many; its place is that line"),
            "equal": FieldSpec("tri", "whether all lines have the same value"),
            "own": FieldSpec("tri", "whether that line stands in the level itself, so that no other level changes with it"),
        },
    ),
    "upstream": KindSpec(
        "An nginx upstream block.",
        {
            **_PLAIN,
            "name": FieldSpec("text", "its name; its place is the name"),
            "instances": FieldSpec("number", "how many servers take requests (no backup, no down)"),
            "hosts": FieldSpec("list", "the hosts of its servers"),
            "backups": FieldSpec("number", "how many servers stand by (`backup`)"),
            "sticky": FieldSpec("tri", "whether a client always reaches the same server"),
            "nginx_version": FieldSpec("text", "version of nginx, from the settings or the tag of its image"),
            "has_sticky": FieldSpec("tri", "whether this nginx has `sticky`"),
            "method": FieldSpec("text", "balancing method; its place is that directive"),
            "block": FieldSpec("text", "the block's body, for fixes"),
            "complete": FieldSpec("tri", "whether everything in the block could be read"),
        },
    ),
    "expectation": KindSpec(
        "What the settings say that a browser has to make of a request (`[[expect]]`).",
        {
            "from": FieldSpec("text", "the origin of the page"),
            "to": FieldSpec("text", "the address that it asks"),
            "method": FieldSpec("text", "with which method"),
            "credentials": FieldSpec("tri", "whether cookies go along"),
            "verdict": FieldSpec(("allow", "block"), "what is expected"),
            "foretold": FieldSpec(("allow", "block"), "what the project's files come to"),
            "holds": FieldSpec("tri", "whether both are the same"),
            "words": FieldSpec("text", "what the browser says about it"),
            "answered": FieldSpec("text", "the verdict; its place is what answers"),
            "header": FieldSpec("text", "the header that decides; its place is where it is written"),
            "second_header": FieldSpec("text", "the same, where it is written twice"),
        },
    ),
    "ignore_comment": KindSpec(
        "Something in a comment to corslint (`corslint: ignore[...]`) that has no effect.",
        {
            "problem": FieldSpec(
                ("unused", "unknown-rule", "no-rules", "not-closed", "unknown-verb", "unopened"),
                "the rule says nothing there, there is no such rule, no rule is named, its bracket is not closed, what"
                " follows `corslint:` is unknown, nothing was disabled that could be enabled",
            ),
            "verb": FieldSpec("text", "`ignore`, `ignore-file`, `disable`, `enable`, or what stands in its place"),
            "rule": FieldSpec("text", "the rule that it is about; several with commas between"),
            "suggestion": FieldSpec("text", "what was most likely meant by an unknown rule or verb"),
            "covers": FieldSpec("text", "where it would have an effect, such as `on line 3` or `in this file`"),
        },
    ),
    "damage": KindSpec(
        "Something that could not be read.",
        {
            "language": FieldSpec("text", "`javascript`, `python`, `nginx`, `manifest`, `unknown`"),
            "what": FieldSpec(
                ("syntax", "unreadable", "nginx", "swallowed", "template"),
                "source that does not parse, a file that cannot be read, nginx that nginx refuses, or that it reads"
                " otherwise than it is written (a missing `;`), a template that cannot be read",
            ),
            "detail": FieldSpec("text", "what is wrong"),
            "whole": FieldSpec("tri", "whether nothing of the file could be read"),
        },
    ),
}  # fmt: skip
