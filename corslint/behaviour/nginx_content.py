"""nginx's access and content phases: who is let in, `try_files`, index files, static files."""

from __future__ import annotations

import ipaddress
from typing import TypeAlias, Union

from corslint.behaviour.nginx_levels import Level, nearest, pattern_of
from corslint.behaviour.nginx_request import FileKind, State, Surroundings, UnknownError
from corslint.behaviour.nginx_values import Evaluator, setting
from corslint.model.reading import Directive
from corslint.model.tri import Tri
from corslint.numbers import whole
from corslint.records import NamedTuple


class Ends(NamedTuple):
    """A status that nginx itself ends the request with; an error goes through `error_page`.

    `location` is where a redirect leads. `found`: a file is sent, whose status is 200 wherever nothing else was set.
    """

    status: int
    location: str = ""
    found: bool = False


class Redirects(NamedTuple):
    """An internal redirect: nginx starts over with another path."""

    path: str
    args: str | None


class GoesTo(NamedTuple):
    """A jump to a named location."""

    name: str


Next: TypeAlias = Union[Ends, Redirects, GoesTo]


# --------------------------------------------------------------------------------------------------------------- access


def denied(conf: Level, state: State, address: str | None) -> Tri:
    """Whether `allow` and `deny` refuse the client: the first rule that fits decides, of the nearest level with any."""
    for level in conf.outwards():
        rules = _rules(level)
        if not level.complete:
            return Tri.UNKNOWN
        if not rules:
            continue
        for rule in rules:
            fits = _fits(rule.arguments[0].text, address)
            if fits is Tri.UNKNOWN:
                return Tri.UNKNOWN if len({one.key for one in rules}) > 1 or rule.key == "deny" else Tri.NO
            if fits is Tri.YES:
                if rule.key == "deny":
                    state.note(rule.span)
                return Tri.YES if rule.key == "deny" else Tri.NO
        return Tri.NO
    return Tri.NO


def allowed(conf: Level, address: str | None) -> Tri:
    """Whether the first rule that fits is an `allow`; without any that fits, nobody has said so."""
    for level in conf.outwards():
        rules = _rules(level)
        for rule in rules:
            fits = _fits(rule.arguments[0].text, address)
            if fits is not Tri.NO:
                return Tri.UNKNOWN if fits is Tri.UNKNOWN else (Tri.YES if rule.key == "allow" else Tri.NO)
        if rules:
            return Tri.NO
    return Tri.NO


def _rules(level: Level) -> list[Directive]:
    if "allow" not in level.by_key and "deny" not in level.by_key:
        return []
    return [one for one in level.statements if one.key in ("allow", "deny") and len(one.arguments) == 1]


def _fits(rule: str, address: str | None) -> Tri:
    if rule == "all":
        return Tri.YES
    if rule == "unix:":
        return Tri.NO if address is not None else Tri.UNKNOWN
    if address is None:
        return Tri.UNKNOWN
    try:
        inside = ipaddress.ip_address(address) in ipaddress.ip_network(rule, strict=False)
    except ValueError:
        return Tri.UNKNOWN
    return Tri.YES if inside else Tri.NO


def asks_password(conf: Level, evaluator: Evaluator) -> Tri:
    """Whether `auth_basic` answers 401. A password that is sent may be right or wrong."""
    realm, users = nearest(conf, "auth_basic"), nearest(conf, "auth_basic_user_file")
    if not realm.sure or not users.sure:
        return Tri.UNKNOWN
    if not realm.directives or not users.directives or not realm.directives[-1].arguments:
        return Tri.NO
    text = evaluator.text(realm.directives[-1].arguments[0].text)
    if text == "off":
        return Tri.NO
    sent = evaluator.header("authorization")
    if text is None or sent.empty is not Tri.YES:
        return Tri.UNKNOWN
    evaluator.state.note(realm.directives[-1].span)
    return Tri.YES


# -------------------------------------------------------------------------------------------------------------- content


class Files:
    """The files that a request means."""

    def __init__(self, evaluator: Evaluator, state: State, surroundings: Surroundings) -> None:
        self.evaluator = evaluator
        self.state = state
        self.surroundings = surroundings
        self._alias, self._location = self._find_alias()

    def _find_alias(self) -> tuple[str | None, str]:
        """The `alias` in force and the prefix that it stands for; None with a `root`."""
        for level in self.state.conf.outwards():
            if level.own("root"):
                return None, ""
            own = level.own("alias")
            if own and own[0].arguments:
                owner = level
                while owner.kind in ("if", "limit_except") and owner.parent is not None:
                    owner = owner.parent
                modifier, text, _ = pattern_of(owner)
                return own[0].arguments[0].text, "" if modifier in ("~", "~*") else text
            if not level.complete:
                raise UnknownError
        return None, ""

    def _root(self) -> str:
        found = nearest(self.state.conf, "root")
        if not found.directives:
            return "html"
        text = self.evaluator.text(found.directives[-1].arguments[0].text) if found.directives[-1].arguments else None
        if text is None:
            raise UnknownError
        return text.removesuffix("/")

    def kind(self, name: str) -> FileKind:
        """What is at a path below the root. Raises `UnknownError` where that is not known."""
        return self._look(self._path(name))

    def _path(self, name: str) -> str:
        """The file that a path means (ngx_http_map_uri_to_path)."""
        if self._alias is None:
            return self._root() + name
        head = self.evaluator.text(self._alias)
        if head is None:
            raise UnknownError
        return head + name.removeprefix(self._location) if self._location else head

    def _look(self, path: str) -> FileKind:
        kind = self.surroundings.files(path)
        if kind is not None:
            return kind
        # `try_files /dev/null @app`: nobody has such a file below a root.
        if path.endswith("/dev/null") and path != "/dev/null":
            return "none"
        choice = self.state.fork
        if not choice.holds(Tri.UNKNOWN):
            return "none"
        return "file" if choice.holds(Tri.UNKNOWN) else "directory"

    # -- try_files

    def try_files(self) -> Next | None:
        """`try_files` of this very level: a file that exists becomes the path, the last argument is where to go."""
        lines = self.state.conf.own("try_files")
        if not lines or len(lines[0].arguments) < 2:
            return None
        words = [word.text for word in lines[0].arguments]
        self.state.note(lines[0].span)
        for word in words[:-1]:
            wants_directory = word.endswith("/")
            name = self._name(word.removesuffix("/"))
            if name is None:
                raise UnknownError
            if self._alias is not None and not self.state.valid_location:
                return Ends(500)
            kind = self.kind(self._location + name if self._alias is not None else name)
            if kind == ("directory" if wants_directory else "file"):
                self.state.uri = (self._location if self._alias is not None else "") + name
                return None
        if words[-1].startswith("="):
            return Ends(whole(words[-1][1:])) if words[-1][1:].isdecimal() else None
        last = self._name(words[-1])
        if last is None:
            raise UnknownError
        if last.startswith("@"):
            return GoesTo(last)
        path, _, query = last.partition("?")
        return Redirects(path, query)

    def _name(self, word: str) -> str | None:
        name = self.evaluator.text(word)
        if name is not None and self._alias is not None and self._location and "$" in word:
            return name.removeprefix(self._location)
        return name

    # -- index and static

    def content(self) -> Next:
        """What nginx's own content handlers make of the path."""
        state = self.state
        path = state.path()
        readable = state.method in ("GET", "HEAD", "POST")
        if path.endswith("/"):
            if not readable:
                return Ends(405)
            return self._index(path)
        if not readable:
            return Ends(405)
        if self._alias is not None and not state.valid_location:
            return Ends(500)
        kind = self.kind(path)
        if kind == "none":
            return Ends(404)
        if kind == "directory":
            return Ends(301, path + "/" + (f"?{state.args}" if state.args else ""))
        return Ends(405) if state.method == "POST" else Ends(200, found=True)

    def _index(self, path: str) -> Next:
        found = nearest(self.state.conf, "index")
        names = [word.text for line in found.directives for word in line.arguments] or ["index.html"]
        if self._alias is not None and not self.state.valid_location:
            return Ends(500)
        tested = False
        for name in names:
            text = self.evaluator.text(name)
            if text is None:
                raise UnknownError
            if text.startswith("/"):
                return Redirects(text, self.state.args)
            if self.kind(path + text) == "file":
                return Redirects(path + text, self.state.args)
            if not tested:
                tested = True
                if self._look(self._path(path).removesuffix("/") or "/") == "none":
                    return Ends(404)
        lists = setting(self.state.conf, "autoindex", "off") == "on" and self.state.method != "POST"
        return Ends(200, found=True) if lists else Ends(403)
