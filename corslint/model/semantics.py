"""What a library makes of its origin options, as a descriptor's `policy:` part says it.

`behaviour/origins.py` compiles an origin value under an `OriginSemantics` into a Decision; `behaviour/policy.py` says
what is then sent. The loader is here so that descriptors are checked in one place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeAlias

from corslint.model.responses import Responds, ResponsesError, read_responds
from corslint.model.tri import Tri
from corslint.model.versions import Release, all_within, fault
from corslint.records import NamedTuple

MEANINGS = (
    "star", "echo", "none", "refuse", "raises", "fails", "same-origin", "loopback", "unchecked", "text", "unknown",
)  # fmt: skip
"""star: literal `*`; echo: any Origin is sent back; none: no header; refuse: the request is refused; raises: the
program stops with an error at start; fails: every request ends in an error; same-origin: only the server's own pages;
loopback: the Origin of a page of the same machine (`localhost` and what is below it, 127.0.0.1, [::1]) is sent back;
unchecked: no header is sent, and no Origin is refused anywhere (also not for WebSockets); text: it is sent to everybody
as the text that it becomes."""

TEXT_MODES = (
    "exact",
    "fixed",
    "substring",
    "regex",
    "prefix-regex-if-special",
    "glob",
    "wide-glob",
    "first-glob",
    "exact-or-host",
    "host-suffix",
    "exact-port",
    "substring-port",
    "site",
    "letters",
    "otherwise",
    "unknown",
)
"""How one text is compared. exact: equals the Origin; fixed: sent to everybody as it is; substring: the Origin is part
of the text; regex: the text is a pattern; prefix-regex-if-special: a pattern when it holds a special character; glob:
`*` stands for any text without a slash; wide-glob: for any text (Litestar); first-glob: where it holds a `*`, a
pattern in which only the first dot and the first star are read so (restify-cors-middleware2); exact-or-host: equals
the Origin, with its scheme or without (@elysiajs/cors); exact-port: equals the Origin with its port spelled out
(Socket.IO 2 lists); substring-port: that is part of the text (Socket.IO 2 texts); site: only scheme and host with
port are compared, so that paths do not matter and a text without a scheme means `null` (django-cors-headers);
letters: a text in place of a list is gone through letter by letter, each an element; otherwise:
a text is read like any other truthy value."""

ITEM_MODES = tuple(mode for mode in TEXT_MODES if mode not in ("fixed", "letters", "otherwise"))
"""How a text in a list may be compared: what speaks of the whole option is none of these."""

Releases: TypeAlias = Callable[[str], tuple[Release, ...]]
"""The possible releases of a package by its name."""

CREDENTIALS = ("true", "boolean", "origins", "truthy", "called")
STAR_IN_LIST = ("literal", "wildcard", "wildcard-echo", "sole-echo", "raises", "unknown")
LIST_OTHERWISE = ("none", "echo", "raises")
LISTS = ("compared", "joined")
REGEXES = ("compared", "otherwise")
PROMISES = ("awaited", "ignored", *MEANINGS)
NO_ERROR = ("falsy", "null")
REFUSED = ("nothing", "refuse", "first", "unknown")
GATES = ("before", "instead")
DECISIONS = ("star", "echo", "several", "fixed", "nothing", "refused", "raises")
ROW_WORDS = {
    "decision": DECISIONS,
    "kind": ("actual", "preflight", "upgrade"),
    "acao": ("*", "origin", "text", "none", "raises", "unknown"),
}
FUNCTIONS = ("none", "callback", "callback-allows", "predicate", "either-allows", "returning")
_ERRORS = ("none", "refuse")


_NO = frozenset({"", "0", "false", "no", "off", "none", "null", "undefined"})


def means_yes(value: object) -> bool:
    """Whether somebody who writes this means to switch something on."""
    return value.strip().lower() not in _NO if isinstance(value, str) else bool(value)


class SemanticsError(Exception):
    """A descriptor's `policy:` part is not valid; `at` is the path inside it."""

    def __init__(self, at: tuple[str | int, ...], message: str) -> None:
        super().__init__(message)
        self.at = at


class OriginSemantics(NamedTuple):
    """How one origin option is read.

    `meanings` are pairs of a literal and what it means, first match wins (type and value have to agree). `unset`: null,
    undefined, None, and an environment variable that is not set; null alone may be one of the `meanings`. `text`,
    `items`: how a text, and a text in a list, is compared (`TEXT_MODES`). `star_in_list`: `literal`, `wildcard` (as `*`
    alone), `wildcard-echo`, `raises`, `sole-echo` (as `wildcard-echo` where it is the only element, else `raises`).
    `list_otherwise`: what an element that is truthy and neither a text nor a pattern does: `none` (it accepts nobody),
    `echo` (it accepts everybody, and a list in the list is searched) or `raises` (the program stops, also at null).
    `regex_mode`: search, match (anchored at the start only) or full. `function`: `callback` (origin, callback; what it
    hands back is an origin option in turn), `callback-allows` (the same, but what it hands back only says whether),
    `predicate` (returns whether), `either-allows` (the same, or with a parameter for a callback, the first argument of
    that says whether), `returning` (returns the origin). `error`: what calling back with an error does: `none`,
    `refuse`, or `unknown`; `errors` gives it per range of versions, as `stars` does for `star_in_list` and `promises`
    for `promise`. `otherwise`: any other truthy value. `separator`: a text is cut at this first, or at any of these.
    `lists`: `compared` (each element with the Origin) or `joined` (a list is sent to everybody as the one text that its
    elements make). `regex`, `list_regex`: whether a regular expression alone, or in a list, is `compared`, or is read
    like any other truthy value (`otherwise`). `of_request`: the parameter at `origin_parameter` is not the Origin but a
    request or its context, whose headers hold it. `promise`: what a promise means that an asynchronous function
    returns; `awaited`: what it comes to; `ignored`: nobody looks at it, so that a callback has to be called.
    `no_error`: which first argument of a callback is no error: whatever is falsy, or null alone (then no header is sent
    after anything else that is falsy). `stateful_regex`: a regular expression with the flag `g` or `y` goes on where
    its last test ended. `stand_in`: what is looked at in place of an Origin that is `null` or missing. `members`:
    members of the request that a function is given, each with the package whose version says what it holds: the
    server's `own` origin or the one of the `request`, which are then `own_origin` and `request_origin`. `list_unset`:
    what null, None and what else is neither text nor pattern does in a list: `none` (it accepts nobody) or `fails` (who
    is not accepted before ends in an error). `variants`: how the same option is read in ranges of versions.
    `configured`: how the same option is read where it comes from a configuration key, if that differs. `special`: the
    characters that make a text a pattern in the modes that go by them.
    """

    meanings: tuple[tuple[object, str], ...] = ()
    unset: str = "none"
    text: str = "exact"
    fold_case: bool = False
    items: str = "exact"
    star_in_list: str = "literal"
    list_otherwise: str = "none"
    empty_list: str = "none"
    regex_mode: str = "search"
    function: str = "none"
    origin_parameter: int = 0
    callback_parameter: int = 1
    error: str = "none"
    errors: tuple[tuple[str, str], ...] = ()
    otherwise: str = "unknown"
    separator: tuple[str, ...] | None = None
    configured: OriginSemantics | None = None
    stars: tuple[tuple[str, str], ...] = ()
    lists: str = "compared"
    regex: str = "compared"
    list_regex: str = "compared"
    of_request: bool = False
    promise: str = "unknown"
    no_error: str = "falsy"
    stateful_regex: bool = False
    stand_in: str | None = None
    promises: tuple[tuple[str, str], ...] = ()
    list_unset: str = "none"
    variants: tuple[tuple[str, OriginSemantics], ...] = ()
    members: tuple[tuple[str, str, tuple[tuple[str, str], ...]], ...] = ()
    own_origin: tuple[str, ...] = ()
    request_origin: tuple[str, ...] = ()
    special: str = "*\\]?$^[]()"


class Row(NamedTuple):
    """One row of the `sends` table; None matches anything. `several`: an echo where more than one text is accepted.

    `decision` is one of `DECISIONS` (an error only where a row names it); `kind` is `actual`, `preflight` or `upgrade`.
    `acao` is `*`, `origin` (the request's), `text` (the configured one), `none`, `raises` or `unknown`; `acac` whether
    Allow-Credentials: true goes along. `literal_star` asks for the policy's field of that name. `version` is a range.
    """

    decision: str | None = None
    credentials: bool | None = None
    kind: str | None = None
    cookie: bool | None = None
    literal_star: bool | None = None
    acao: str | None = None
    acac: bool | None = None
    vary: bool | None = None
    version: str | None = None


HEADER_EXISTS = ("replaces", "replaces-lower-case", "appends", "skips", "yields")
"""What a layer does with a header that the application inside has written: it replaces it, or only one whose name is in
lower case (any other then stands beside its own); adds its own; does nothing at all where Allow-Origin is there; or it
writes first, so that what the application sets counts, and what that appends is added."""


class PolicySemantics(NamedTuple):
    """How a library answers.

    `sources`: the fact's fields that hold origins, in deciding order, each with its semantics; the first that grants
    wins. `group`: what a literal in place of the whole options object means (`cors: true`); `group_otherwise`: any
    other truthy one, and a list. `credentials`: `true` (only
    the boolean true counts), `boolean` (anything but a boolean is refused with an error), `origins` (`*`, or the
    origins that get them; a boolean is refused with an error), `truthy`, or `called` (a function is called, and counts
    where it returns true; anything else as for `truthy`). `sends` overrides the plain reading, first
    row wins. `vary`: decisions
    under which `Vary: Origin` is sent (`several`: an echo where more than one exact text can be accepted).
    `refused`: what a foreign origin gets: `nothing` (no header), `refuse`, `first` (the text that is listed first) or
    `unknown` (`refusals`: per range of versions). `responds`: the whole answer. `gate`: a check of the application's
    own decides `before` the origin option does, or `instead` of it. `exists`: what becomes of a header
    that both this layer and one inside it write (`HEADER_EXISTS`); `decorating`: the same where it decorates one route.
    """

    sources: Mapping[str, OriginSemantics]
    group: tuple[tuple[object, str], ...] = ()
    group_otherwise: str = "unknown"
    credentials: str = "truthy"
    sends: tuple[Row, ...] = ()
    vary: frozenset[str] = frozenset()
    refused: str = "nothing"
    responds: Responds | None = None
    refusals: tuple[tuple[str, str], ...] = ()
    gate: str = "before"
    exists: str = "replaces"
    decorating: str | None = None

    def under(self, releases: tuple[Release, ...], of_package: Releases) -> PolicySemantics:
        """How the library answers when its version is one of these (none: any).

        `of_package` tells the same of another package by its name.
        """
        return self._replace(
            sources={name: _under(source, releases, of_package) for name, source in self.sources.items()},
            responds=self.responds.under(releases) if self.responds is not None else None,
            sends=tuple(_sends(self.sends, releases)),
            refused=_word_under(self.refusals, releases) if self.refusals else self.refused,
        )


def _word_under(pairs: tuple[tuple[str, str], ...], releases: tuple[Release, ...]) -> str:
    """The word that counts in all of these releases."""
    return next((word for versions, word in pairs if all_within(releases, versions) is Tri.YES), "unknown")


def _sends(rows: Iterable[Row], releases: tuple[Release, ...]) -> Iterator[Row]:
    """The rows that count; where a version leaves that open, what is sent is not known."""
    for row in rows:
        held = Tri.YES if row.version is None else all_within(releases, row.version)
        if held is not Tri.NO:
            yield row._replace(version=None, acao=row.acao if held is Tri.YES else "unknown")


def _under(source: OriginSemantics, releases: tuple[Release, ...], of_package: Releases) -> OriginSemantics:
    def word(pairs: tuple[tuple[str, str], ...], possible: tuple[Release, ...] = releases) -> str:
        return _word_under(pairs, possible)

    if source.members:
        known = {name: word(pairs, of_package(package)) for name, package, pairs in source.members}
        source = source._replace(
            own_origin=tuple(name for name, means in known.items() if means == "own"),
            request_origin=tuple(name for name, means in known.items() if means == "request"),
        )

    for versions, variant in source.variants:
        if all_within(releases, versions) is Tri.YES:
            source = variant
    if source.promises:
        source = source._replace(promise=word(source.promises))
    if source.errors:
        source = source._replace(error=word(source.errors))
    return source._replace(star_in_list=word(source.stars)) if source.stars else source


_ORIGIN_KEYS = {
    "meanings", "unset", "string", "fold_case", "list", "star_in_list", "list_otherwise", "empty_list", "regex_mode",
    "function", "list_unset", "in_versions",
    "origin_parameter", "callback_parameter", "error", "otherwise", "separator", "in_configuration", "lists", "regex",
    "list_regex", "of_request", "promise", "no_error", "stateful_regex", "members",
    "stand_in", "special",
}  # fmt: skip
_POLICY_KEYS = {
    "sources",
    "group",
    "group_otherwise",
    "credentials",
    "sends",
    "vary",
    "refused",
    "when_header_exists",
    "when_decorating",
    "responds",
    "gate",
}


def policy_semantics(raw: object) -> PolicySemantics:
    """Read a descriptor's `policy:` part.

    Raises:
        SemanticsError: a key or a value is not valid.

    """
    if not isinstance(raw, dict):
        raise SemanticsError((), "`policy` has to be a mapping")
    sources = raw.get("sources", ["origin"])
    if not isinstance(sources, list) or not all(isinstance(name, str) for name in sources):
        raise SemanticsError(("sources",), "`sources` has to be a list of field names")
    for key in raw:
        if key not in _POLICY_KEYS and key not in sources:
            raise SemanticsError((key,), f"unknown key {key!r} in `policy`{_nearest(key, _POLICY_KEYS | set(sources))}")
    for name in sources:
        if name not in raw:
            raise SemanticsError(("sources",), f"`policy` lacks the semantics of its source {name!r}")
    refused = raw.get("refused", "nothing")
    return PolicySemantics(
        {name: _origin(raw[name], (name,)) for name in sources},
        _pairs(raw.get("group", []), ("group",)),
        _word(raw.get("group_otherwise", "unknown"), ("group_otherwise",), MEANINGS),
        _word(raw.get("credentials", "truthy"), ("credentials",), CREDENTIALS),
        tuple(_row(row, ("sends", index)) for index, row in enumerate(raw.get("sends", []))),
        frozenset(_word(word, ("vary",), DECISIONS) for word in raw.get("vary", [])),
        "unknown" if isinstance(refused, list) else _word(refused, ("refused",), REFUSED),
        _responds(raw["responds"]) if "responds" in raw else None,
        _versioned(refused, ("refused",), REFUSED) if isinstance(refused, list) else (),
        _word(raw.get("gate", "before"), ("gate",), GATES),
        _word(raw.get("when_header_exists", "replaces"), ("when_header_exists",), HEADER_EXISTS),
        _word(raw["when_decorating"], ("when_decorating",), HEADER_EXISTS) if "when_decorating" in raw else None,
    )


def _responds(raw: object) -> Responds:
    if isinstance(raw, Responds):  # one of the descriptor's `tables`, which was read already
        return raw
    try:
        return read_responds(raw)
    except ResponsesError as error:
        raise SemanticsError(("responds", *error.at), str(error)) from None


def _origin(raw: object, at: tuple[str | int, ...]) -> OriginSemantics:
    part = _mapping(raw, at, _ORIGIN_KEYS)
    error = part.get("error", "none")
    star = part.get("star_in_list", "literal")
    promise = part.get("promise", "unknown")
    configured = None
    if "in_configuration" in part:
        own = _mapping(part["in_configuration"], (*at, "in_configuration"), _ORIGIN_KEYS - {"in_configuration"})
        shared = {key: value for key, value in part.items() if key != "in_configuration"}
        configured = _origin({**shared, **own}, (*at, "in_configuration"))
    own_versions = part.get("in_versions", [])
    if not isinstance(own_versions, list):
        raise SemanticsError((*at, "in_versions"), "`in_versions` has to be a list of pairs [range, what differs]")
    return OriginSemantics(
        variants=tuple(_variant(part, pair, (*at, "in_versions", index)) for index, pair in enumerate(own_versions)),
        list_unset=_word(part.get("list_unset", "none"), (*at, "list_unset"), ("none", "fails")),
        meanings=_pairs(part.get("meanings", []), (*at, "meanings")),
        unset=_word(part.get("unset", "none"), (*at, "unset"), MEANINGS),
        text=_word(part.get("string", "exact"), (*at, "string"), TEXT_MODES),
        fold_case=bool(part.get("fold_case", False)),
        items=_word(part.get("list", "exact"), (*at, "list"), ITEM_MODES),
        star_in_list="unknown" if isinstance(star, list) else _word(star, (*at, "star_in_list"), STAR_IN_LIST),
        stars=_versioned(star, (*at, "star_in_list"), STAR_IN_LIST) if isinstance(star, list) else (),
        list_otherwise=_word(part.get("list_otherwise", "none"), (*at, "list_otherwise"), LIST_OTHERWISE),
        empty_list=_word(part.get("empty_list", "none"), (*at, "empty_list"), MEANINGS),
        regex_mode=_word(part.get("regex_mode", "search"), (*at, "regex_mode"), ("search", "match", "full")),
        function=_word(part.get("function", "none"), (*at, "function"), FUNCTIONS),
        origin_parameter=int(part.get("origin_parameter", 0)),
        callback_parameter=int(part.get("callback_parameter", 1)),
        error="unknown" if isinstance(error, list) else _word(error, (*at, "error"), _ERRORS),
        errors=_versioned(error, (*at, "error"), _ERRORS) if isinstance(error, list) else (),
        otherwise=_word(part.get("otherwise", "unknown"), (*at, "otherwise"), MEANINGS),
        separator=_separators(part.get("separator"), (*at, "separator")),
        configured=configured,
        lists=_word(part.get("lists", "compared"), (*at, "lists"), LISTS),
        regex=_word(part.get("regex", "compared"), (*at, "regex"), REGEXES),
        list_regex=_word(part.get("list_regex", "compared"), (*at, "list_regex"), REGEXES),
        of_request=bool(part.get("of_request", False)),
        promise="unknown" if isinstance(promise, list) else _word(promise, (*at, "promise"), PROMISES),
        promises=_versioned(promise, (*at, "promise"), PROMISES) if isinstance(promise, list) else (),
        no_error=_word(part.get("no_error", "falsy"), (*at, "no_error"), NO_ERROR),
        stand_in=part.get("stand_in"),
        special=str(part.get("special", OriginSemantics().special)),
        stateful_regex=bool(part.get("stateful_regex", False)),
        members=_members(part.get("members", {}), (*at, "members")),
    )


def _separators(raw: object, at: tuple[str | int, ...]) -> tuple[str, ...] | None:
    if raw is None:
        return None
    given = raw if isinstance(raw, list) else [raw]
    found = tuple(text for text in given if isinstance(text, str) and text)
    if not found or len(found) < len(given):
        raise SemanticsError(at, "`separator` has to be a text or a list of texts")
    return found


def _variant(part: Mapping[str, Any], pair: object, at: tuple[str | int, ...]) -> tuple[str, OriginSemantics]:
    if not isinstance(pair, list) or len(pair) != 2 or not isinstance(pair[0], str) or fault(pair[0]) is not None:
        raise SemanticsError(at, "a pair [range of versions, what differs] is expected")
    own = _mapping(pair[1], (*at, 1), _ORIGIN_KEYS - {"in_versions", "in_configuration"})
    shared = {key: value for key, value in part.items() if key not in ("in_versions", "in_configuration")}
    return pair[0], _origin({**shared, **own}, at)


def _members(raw: object, at: tuple[str | int, ...]) -> tuple[tuple[str, str, tuple[tuple[str, str], ...]], ...]:
    found = []
    for name, part in _mapping(raw, at, None).items():
        part = _mapping(part, (*at, name), {"version_of", "holds"})
        pairs = _versioned(part.get("holds", []), (*at, name, "holds"), ("own", "request"))
        found.append((str(name), str(part.get("version_of", "")), pairs))
    return tuple(found)


def _row(raw: object, at: tuple[str | int, ...]) -> Row:
    part = _mapping(raw, at, set(Row._fields))
    for key, words in ROW_WORDS.items():
        if key in part:
            _word(part[key], (*at, key), words)
    if "version" in part and (not isinstance(part["version"], str) or fault(part["version"]) is not None):
        raise SemanticsError((*at, "version"), f"{part['version']!r} is not a range of versions (>=N, <N or ==N)")
    return Row(**part)


def _pairs(raw: object, at: tuple[str | int, ...]) -> tuple[tuple[object, str], ...]:
    if not isinstance(raw, list) or not all(isinstance(pair, list) and len(pair) == 2 for pair in raw):
        raise SemanticsError(
            at, "a list of pairs [literal, meaning] is expected (a YAML mapping would merge `true` and `1`)"
        )
    return tuple((pair[0], _word(pair[1], (*at, index), MEANINGS)) for index, pair in enumerate(raw))


def _versioned(raw: list[Any], at: tuple[str | int, ...], allowed: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    for index, pair in enumerate(raw):
        if not isinstance(pair, list) or len(pair) != 2 or not isinstance(pair[0], str) or fault(pair[0]) is not None:
            raise SemanticsError((*at, index), "a pair [range of major versions, word] is expected")
    return tuple((pair[0], _word(pair[1], (*at, index), allowed)) for index, pair in enumerate(raw))


def _mapping(raw: object, at: tuple[str | int, ...], allowed: set[str] | None) -> dict[str, Any]:
    if not isinstance(raw, dict):
        raise SemanticsError(at, f"`{at[-1]}` has to be a mapping")
    for key in raw:
        if allowed is not None and key not in allowed:
            raise SemanticsError((*at, key), f"unknown key {key!r} in `{at[-1]}`{_nearest(key, allowed)}")
    return raw


def _word(value: object, at: tuple[str | int, ...], allowed: tuple[str, ...]) -> str:
    if not isinstance(value, str) or value not in allowed:
        raise SemanticsError(
            at, f"{value!r} is not a valid `{at[-1]}`{_nearest(str(value), set(allowed))}; valid: {', '.join(allowed)}"
        )
    return value


def _nearest(name: str, allowed: set[str]) -> str:
    import difflib  # wanted for mistakes alone

    close = difflib.get_close_matches(name, sorted(allowed), 1, 0.6)
    return f" (did you mean {close[0]!r}?)" if close else ""
