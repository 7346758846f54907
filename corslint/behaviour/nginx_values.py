"""The values of nginx's variables for one request: its own, `map`, `set`, captures; and words made of them.

A value that is not known stays unknown (`Value.text` None), and so does every word that it is a part of.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from functools import lru_cache

from corslint.behaviour.nginx_hostnames import Hostnames
from corslint.behaviour.nginx_levels import Level, Unit, nearest
from corslint.behaviour.nginx_request import EMPTY, UNKNOWN, State, Value, escape_arguments, known
from corslint.model.exchange import Header, Missing, Response
from corslint.model.patterns import Groups, pcre_groups
from corslint.model.reading import Directive, Word
from corslint.model.tri import Tri, all_of
from corslint.numbers import whole
from corslint.records import NamedTuple
from corslint.regexes import regex

_DEPTH = 12
_PIECE = regex(r"\$(?:\{(\w+)\}|([1-9])|(\w+))")
_PLACEHOLDER = regex(r"\{\{|<%|%\{")
_NAMED_GROUP = regex(r"\(\?P?<(\w+)>|\(\?'(\w+)'")


class MapTable:
    """A `map` block. Plain keys are compared without regard to case, then patterns in text order (nginx.md D1-D6)."""

    def __init__(self, block: Directive) -> None:
        self.source = block.arguments[0]
        self.complete = True
        self.volatile = False
        self.hostnames = False
        self.default: Word | None = None
        self.plain: Hostnames[Word] = Hostnames()
        self.exact: dict[str, Word] = {}
        self.patterns: list[tuple[str, bool, Word]] = []
        for entry in block.block or ():
            self._add(entry)

    def _add(self, entry: Directive) -> None:
        key = entry.key
        if not entry.arguments and key in ("volatile", "hostnames"):
            self.volatile = self.volatile or key == "volatile"
            self.hostnames = self.hostnames or key == "hostnames"
        elif len(entry.arguments) != 1 or key == "include" or _PLACEHOLDER.search(key) or entry.block is not None:
            self.complete = False
        elif key == "default":
            self.default = entry.arguments[0]
        elif key.startswith("~"):
            fold_case = key.startswith("~*")
            self.patterns.append((key[2:] if fold_case else key[1:], fold_case, entry.arguments[0]))
        elif "$" in key:
            self.complete = False  # a placeholder that a template fills in
        else:
            name = key.removeprefix("\\")
            if self.hostnames:
                self.plain.add(name, entry.arguments[0])
            self.exact.setdefault(name.lower(), entry.arguments[0])

    @property
    def words(self) -> list[Word]:
        """Everything that the map can give."""
        words = [*self.exact.values(), *(word for _, _, word in self.patterns)]
        return [*words, self.default] if self.default is not None else words


class Definitions(NamedTuple):
    """The variables that a configuration defines: by maps, by `set` and captures, and in ways that are not followed."""

    maps: Mapping[str, MapTable]
    assigned: frozenset[str]
    opaque: frozenset[str]


def definitions(unit: Unit) -> Definitions:
    """The variables of a configuration."""
    maps = {name.lower(): MapTable(block) for name, block in unit.maps.items() if len(block.arguments) == 2}
    assigned: set[str] = set()
    opaque: set[str] = set()
    for one in unit.statements:
        if one.key in ("set", "auth_request_set") and one.arguments:
            assigned.add(one.arguments[0].text.lstrip("$").lower())
        elif one.key in ("geo", "split_clients") and one.arguments:
            opaque.add(one.arguments[-1].text.lstrip("$").lower())
        elif _sets_unseen(one.key):
            opaque.update(word.text.lstrip("$").lower() for word in one.arguments if word.text.startswith("$"))
        for word in (one.name, *one.arguments):
            if "(?" in word.text:
                for first, second in _NAMED_GROUP.findall(word.text):
                    assigned.add((first or second).lower())
    return Definitions(maps, frozenset(assigned), frozenset(opaque))


@lru_cache(maxsize=1024)
def _sets_unseen(key: str) -> bool:
    """Whether a directive sets variables in a way that is not followed."""
    return re.match(r"js_|perl_set|set_|\w+_by_lua|geoip2|auth_jwt|userid|secure_link|keyval", key) is not None


# ---------------------------------------------------------------------------------------------------------------- words


@lru_cache(maxsize=4096)
def _pieces(text: str) -> tuple[tuple[str, str], ...]:
    """Kind and text: `text`, `variable` or `capture`."""
    found: list[tuple[str, str]] = []
    at = 0
    for piece in _PIECE.finditer(text):
        if piece.start() > at:
            found.append(("text", text[at : piece.start()]))
        name = piece[1] or piece[3]
        found.append(("variable", name) if name else ("capture", piece[2]))
        at = piece.end()
    if at < len(text):
        found.append(("text", text[at:]))
    return tuple(found)


def uses_variables(text: str) -> bool:
    """Whether a word is more than plain text."""
    return any(kind != "text" for kind, _ in _pieces(text))


class Evaluator:
    """Evaluates words for one request. `escape`: captures are encoded as they are in a query (nginx's `e->quote`)."""

    def __init__(self, defined: Definitions, unit: Unit, state: State) -> None:
        self.defined = defined
        self.unit = unit
        self.state = state
        self._depth = 0

    def word(self, text: str, *, escape: bool = False) -> Value:
        """The value of a word."""
        if _PLACEHOLDER.search(text):
            return UNKNOWN
        parts = []
        for kind, piece in _pieces(text):
            if kind == "text":
                parts.append(known(piece))
            elif kind == "variable":
                parts.append(self.variable(piece))
            else:
                parts.append(known(self._capture(whole(piece), escape)))
        texts = [part.text for part in parts if part.text is not None]
        if len(texts) < len(parts):
            return Value(None, all_of(part.empty for part in parts))
        return known("".join(texts))

    def text(self, text: str) -> str | None:
        """The value of a word, None where it is not known."""
        return self.word(text).text

    def _capture(self, number: int, escape: bool) -> str:
        state = self.state
        text = state.captures[number - 1] if number <= len(state.captures) else ""
        return escape_arguments(text) if escape and (state.quoted_uri or state.plus_in_uri) else text

    def replacement(self, text: str, *, redirect: bool) -> tuple[Value, Value | None]:
        """A `rewrite`'s replacement: the path and, behind the first `?`, the query; a redirect's is one piece."""
        head, mark, tail = text.partition("?")
        if redirect or not mark:
            return self.word(text, escape=redirect), None
        return self.word(head), self.word(tail, escape=True)

    def search(self, pattern: str, fold_case: bool, subject: str) -> Tri:
        """Tries a pattern as nginx does: its groups are `$1`... afterwards, named ones variables."""
        found = pcre_groups(pattern, fold_case, subject)
        if isinstance(found, Groups):
            self.state.captures = found.numbered
            self.state.variables.update((name.lower(), known(text)) for name, text in found.named)
            return Tri.YES
        return found

    # -- variables

    def variable(self, name: str) -> Value:
        """The value of a variable. nginx does not distinguish case in their names."""
        state, name = self.state, name.lower()
        if name in state.variables:
            return state.variables[name]
        table = self.defined.maps.get(name)
        if table is not None:
            if self._depth >= _DEPTH:
                return UNKNOWN
            self._depth += 1
            value = self._mapped(table)
            self._depth -= 1
            if not table.volatile:
                state.variables[name] = value
            return value
        if name in self.defined.opaque:
            return UNKNOWN
        if name in self.defined.assigned and name != "args" and not _is_family(name):
            return EMPTY
        return self._built_in(name)

    def _mapped(self, table: MapTable) -> Value:
        subject = self.word(table.source.text)
        if subject.text is None or not table.complete:
            return self._one_of(table)
        text = subject.text
        word: Word | None
        if table.hostnames:
            text = text.removesuffix(".")
            word = table.plain.find(text)
        else:
            word = table.exact.get(text.lower())
        if word is None and text:
            for pattern, fold_case, value in table.patterns:
                answer = self.search(pattern, fold_case, text)
                if answer is Tri.UNKNOWN:
                    return self._one_of(table)
                if answer is Tri.YES:
                    word = value
                    break
        word = word or table.default
        return EMPTY if word is None else self.word(word.text)

    def _one_of(self, table: MapTable) -> Value:
        if not table.complete:
            return UNKNOWN
        values = {UNKNOWN if "$" in word.text else known(word.text) for word in table.words}
        if table.default is None:
            values.add(EMPTY)
        if len(values) == 1:
            return values.pop()
        empties = {value.empty for value in values}
        return Value(None, empties.pop() if len(empties) == 1 else Tri.UNKNOWN)

    def _built_in(self, name: str) -> Value:
        state, request = self.state, self.state.request
        if name.startswith("http_"):
            return self.header(name[5:].replace("_", "-"))
        if name.startswith("arg_"):
            return UNKNOWN if state.args is None else known(_argument(state.args, name[4:]))
        if name.startswith("cookie_"):
            cookies = self.header("cookie")
            return cookies if cookies.text is None else known(_cookie(cookies.text, name[7:]))
        if name.startswith("upstream_http_"):
            if state.upstream_request is None:
                return EMPTY
            return _of_response(state.upstream_response, name[14:].replace("_", "-"))
        texts: dict[str, str | None] = {
            "uri": state.uri,
            "document_uri": state.uri,
            "args": state.args,
            "query_string": state.args,
            "is_args": None if state.args is None else ("?" if state.args else ""),
            "request_uri": request.target,
            "request_method": state.outer.method,
            "scheme": request.scheme,
            "https": None if request.scheme is None else ("on" if request.scheme == "https" else ""),
            "host": None if request.host is None else bare_host(request.host),
            "http_host": request.host,
            "server_name": first_name(state.server),
            "server_port": None if request.port is None else str(request.port),
            "remote_addr": request.address,
            "server_protocol": "HTTP/1.1",
            "request": f"{request.method} {request.target} HTTP/1.1",
        }
        if name == "proxy_host":
            return state.proxy_host
        if name == "proxy_add_x_forwarded_for":
            return self._forwarded_for()
        if name == "content_type":
            return self.header("content-type")
        text = texts.get(name)
        if text is None:
            return Value(None, Tri.NO) if name in _NEVER_EMPTY else UNKNOWN
        return known(text)

    def _forwarded_for(self) -> Value:
        before, address = self.header("x-forwarded-for"), self.state.request.address
        if address is None or before.text is None:
            return Value(None, Tri.NO)
        return known(f"{before.text}, {address}" if before.text else address)

    def header(self, name: str) -> Value:
        """The request's header, empty where it is not sent."""
        request = self.state.request
        if name.lower() == "host":
            return known(request.host) if request.host is not None else Value(None, Tri.NO)
        for one in request.headers:
            if one.name.lower() == name.lower():
                if one.sent is Tri.NO:
                    return EMPTY
                if one.sent is Tri.UNKNOWN or one.value is None:
                    return Value(None, ~one.sent if one.sent is Tri.UNKNOWN else Tri.NO)
                return known(one.value)
        if request.complete is Tri.YES or name.lower() in _ALWAYS_LISTED:
            return EMPTY
        return UNKNOWN


_ALWAYS_LISTED = frozenset((
    "origin", "upgrade", "access-control-request-method", "access-control-request-headers", "cookie",
))  # fmt: skip
"""Headers that a request's description lists if they are sent, complete or not."""


_NEVER_EMPTY = frozenset((
    "host", "http_host", "remote_addr", "request", "request_method", "request_uri", "scheme", "server_port", "uri",
))  # fmt: skip


def _is_family(name: str) -> bool:
    return name.startswith(("http_", "arg_", "cookie_", "upstream_http_", "sent_http_"))


def _argument(query: str, name: str) -> str:
    for part in query.split("&"):
        key, equals, value = part.partition("=")
        if equals and key.lower() == name.lower():
            return value
    return ""


def _cookie(line: str, name: str) -> str:
    for part in line.split(";"):
        key, equals, value = part.strip(" ").partition("=")
        if equals and key.lower() == name.lower():
            return value
    return ""


def _of_response(response: Response | None, name: str) -> Value:
    if response is None:
        return UNKNOWN
    text = response.header(name)
    if text is Missing.ABSENT:
        return EMPTY
    return UNKNOWN if isinstance(text, Missing) else known(text)


def bare_host(host: str) -> str:
    """The `Host` header without its port and a trailing dot, in lower case: what servers are chosen by."""
    if host.startswith("["):
        return host.partition("]")[0].lower() + "]"
    return host.partition(":")[0].removesuffix(".").lower()


def first_name(server: Level) -> str | None:
    """`$server_name`: the first name of the server, None where a level's includes may have named it."""
    names = [word.text for line in server.own("server_name") for word in line.arguments]
    if not names:
        return "" if server.complete else None
    if names[0].startswith("~"):
        return names[0]
    return names[0].removeprefix(".").lower() if "$" not in names[0] else None


def is_address(text: str) -> bool:
    """Whether a host is an IP address, with or without brackets."""
    try:
        ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        return False
    return True


def setting(level: Level, key: str, default: str) -> str | None:
    """The first argument of a simple directive that is inherited; None where it is not known."""
    found = nearest(level, key)
    if found.directives and found.directives[-1].arguments:
        return found.directives[-1].arguments[0].text
    return default if found.sure else None


def lines(headers: tuple[Header, ...], name: str) -> list[Header]:
    """The lines of a name that are or may be there."""
    return [one for one in headers if one.name.lower() == name.lower() and one.sent is not Tri.NO]
