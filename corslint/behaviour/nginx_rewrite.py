"""nginx's rewrite phase: `set`, `if`, `rewrite`, `return` and `break`, run in text order (ngx_http_rewrite_module)."""

from __future__ import annotations

import re

from corslint.behaviour.nginx_levels import Level
from corslint.behaviour.nginx_request import (
    UNKNOWN,
    State,
    Surroundings,
    UnknownError,
    Value,
    known,
    unescape_redirect,
)
from corslint.behaviour.nginx_values import Evaluator
from corslint.model.reading import Directive, Word
from corslint.model.tri import Tri
from corslint.records import NamedTuple
from corslint.regexes import regex

REDIRECTS = frozenset((301, 302, 303, 307, 308))
_ABSOLUTE = ("http://", "https://", "$scheme")
_SETTERS = regex(r"set_\w+|js_set|js_var")


_HANDLERS = frozenset((
    "empty_gif", "fastcgi_pass", "flv", "grpc_pass", "memcached_pass", "mp4", "perl", "proxy_pass", "scgi_pass",
    "stub_status", "uwsgi_pass", "js_content",
))  # fmt: skip


def handles(level: Level) -> bool:
    """Whether the level itself says who produces the content."""
    return not _HANDLERS.isdisjoint(level.by_key)


class Outcome(NamedTuple):
    """What a rewrite phase ends with: a status, and whether the answer is sent as it is (`return 200 text`).

    Status None: the request goes on. A status that is not sent as it is passes through `error_page`.
    """

    status: int | None = None
    sent: bool = False


_GOES_ON = Outcome()


class _Stop(Exception):  # noqa: N818 (not an error)
    """The phase ends here."""

    def __init__(self, outcome: Outcome = _GOES_ON) -> None:
        super().__init__()
        self.outcome = outcome


class Script:
    """One run of a level's rewrite directives."""

    def __init__(self, evaluator: Evaluator, state: State, surroundings: Surroundings) -> None:
        self.evaluator = evaluator
        self.state = state
        self.surroundings = surroundings
        self.quote = True
        """Whether captures are encoded: until the first `rewrite` has matched, as it happens."""

    def run(self, level: Level) -> Outcome:
        """Runs the directives of a server or location, those of ifs that hold among them."""
        try:
            self._block(level)
        except _Stop as stop:
            return stop.outcome
        return _GOES_ON

    def _block(self, level: Level) -> None:
        if not level.complete:
            raise UnknownError
        for one in level.script:
            if one.key == "if" and one.block is not None:
                self._if(level, one)
            elif one.key == "set" and len(one.arguments) == 2:
                self._set(one)
            elif one.key == "rewrite" and len(one.arguments) >= 2:
                self._rewrite(one)
            elif one.key == "return" and one.arguments:
                self._return(one)
            elif one.key == "break":
                if self.state.uri_changed:
                    self.state.valid_location = False
                    self.state.uri_changed = False
                raise _Stop
            elif _SETTERS.fullmatch(one.key):
                for word in one.arguments:
                    if word.text.startswith("$"):
                        self.state.variables[word.text[1:].lower()] = UNKNOWN

    def _set(self, line: Directive) -> None:
        name = line.arguments[0].text.removeprefix("$").lower()
        value = self.evaluator.word(line.arguments[1].text, escape=self.quote)
        if name == "args":
            self.state.args = value.text
            self.state.valid_unparsed_uri = False
        else:
            self.state.variables[name] = value

    # -- if

    def _if(self, level: Level, block: Directive) -> None:
        if not self.state.fork.holds(self._condition(block.arguments)):
            return
        inner = level.child_of(block)
        if inner is None:
            raise UnknownError
        state = self.state
        state.note(block.name.span)
        if level.kind != "server":
            state.conf = inner
            if handles(inner):
                state.handler = inner
        self._block(inner)

    def _condition(self, words: tuple[Word, ...]) -> Tri:
        if not words:
            return Tri.UNKNOWN
        first = words[0].text
        if re.fullmatch(r"!?-[fdex]", first):
            return self._file_test(first, words[1].text) if len(words) == 2 else Tri.UNKNOWN
        subject = self.evaluator.word(first)
        if len(words) == 1:
            if subject.text is None:
                return Tri.NO if subject.empty is Tri.YES else Tri.UNKNOWN
            return Tri.NO if subject.text in ("", "0") else Tri.YES
        if len(words) != 3:
            return Tri.UNKNOWN
        operator, operand = words[1].text, words[2].text
        if operator in ("=", "!="):
            same = _same(subject, self.evaluator.word(operand, escape=self.quote))
            return same if operator == "=" else ~same
        if re.fullmatch(r"!?~\*?", operator):
            return self._match(subject, operator, operand)
        return Tri.UNKNOWN

    def _match(self, subject: Value, operator: str, pattern: str) -> Tri:
        if subject.text is None:
            self.state.captures = ()
            return Tri.UNKNOWN
        found = self.evaluator.search(pattern, operator.endswith("*"), subject.text)
        if found is not Tri.YES:
            self.state.captures = ()
        return ~found if operator.startswith("!") else found

    def _file_test(self, operator: str, text: str) -> Tri:
        path = self.evaluator.text(text)
        kind = None if path is None else self.surroundings.files(path)
        if kind is None or operator.endswith("x"):
            return Tri.NO if kind == "none" and operator == "-x" else Tri.UNKNOWN
        wanted = {"f": ("file",), "d": ("directory",), "e": ("file", "directory")}[operator[-1]]
        holds = Tri.YES if kind in wanted else Tri.NO
        return ~holds if operator.startswith("!") else holds

    # -- rewrite and return

    def _rewrite(self, line: Directive) -> None:
        state = self.state
        pattern, replacement = line.arguments[0].text, line.arguments[1].text
        flag = line.arguments[2].text if len(line.arguments) > 2 else ""
        found = self.evaluator.search(pattern, False, state.path())
        if found is Tri.UNKNOWN:
            raise UnknownError
        if found is Tri.NO:
            state.captures = ()
            return
        state.note(line.name.span)
        redirect = flag in ("redirect", "permanent") or replacement.startswith(_ABSOLUTE)
        keeps_query = not replacement.endswith("?")
        replacement = replacement if keeps_query else replacement[:-1]
        state.internal = True
        state.valid_unparsed_uri = False
        if flag == "break":
            state.valid_location = False
        state.uri_changed = flag != "break"
        self.quote = False
        path, query = self.evaluator.replacement(replacement, redirect=redirect)
        if redirect:
            self._redirect(path, "?" in replacement, keeps_query)
            raise _Stop(Outcome(301 if flag == "permanent" else 302))
        self._take(path, query, keeps_query)
        if flag in ("last", "break"):
            raise _Stop

    def _redirect(self, target: Value, has_query: bool, keeps_query: bool) -> None:
        args = self.state.args
        if target.text is None or (keeps_query and args is None):
            self.state.location = ""
            return
        text = unescape_redirect(target.text)
        if keeps_query and args:
            text += ("&" if has_query else "?") + args
        self.state.location = text

    def _take(self, path: Value, query: Value | None, keeps_query: bool) -> None:
        state = self.state
        if query is not None:
            added = state.args if keeps_query else ""
            if query.text is None or added is None:
                state.args = None
            else:
                state.args = f"{query.text}&{added}" if added else query.text
        elif not keeps_query:
            state.args = ""
        if path.text == "":
            raise _Stop(Outcome(500))
        state.uri = path.text

    def _return(self, line: Directive) -> None:
        first = line.arguments[0].text
        text = line.arguments[1].text if len(line.arguments) > 1 else None
        self.state.note(line.name.span)
        if not re.fullmatch(r"\d{1,3}", first):
            if not first.startswith(_ABSOLUTE) or text is not None:
                raise UnknownError
            status, text = 302, first
        else:
            status = int(first)
        if status >= 400 and not text:
            raise _Stop(Outcome(status))
        body = known("") if text is None else self.evaluator.word(text)
        if status in REDIRECTS:
            self.state.location = body.text or ""
            raise _Stop(Outcome(status))
        raise _Stop(Outcome(status, sent=True))


def _same(first: Value, second: Value) -> Tri:
    if first.text is not None and second.text is not None:
        return Tri.YES if first.text == second.text else Tri.NO
    if Tri.UNKNOWN not in (first.empty, second.empty) and first.empty is not second.empty:
        return Tri.NO
    return Tri.YES if first.empty is second.empty is Tri.YES else Tri.UNKNOWN
