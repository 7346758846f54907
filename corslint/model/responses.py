"""What a library answers in full, as the `responds:` table of a descriptor's `policy:` says it.

`semantics.py` says who is let in; this table says what the whole answer to one request then looks like: its status and
the headers that a browser's CORS check and caches look at. `behaviour/response.py` interprets it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from corslint.model.tri import Tri
from corslint.model.versions import NEWEST, Release, all_within, fault, newest_before
from corslint.records import NamedTuple
from corslint.regexes import regex

DECISIONS = ("star", "echo", "fixed", "nothing", "refused", "raises")
OPTIONS = (
    "star", "echo", "none", "refuse", "raises", "fails", "same-origin", "unchecked", "text", "unknown",
    "literal", "list", "empty-list", "pattern", "function",
)  # fmt: skip
"""How the origin option decided about this request: a meaning (`semantics.MEANINGS`), or what was compared: one
`literal`, a `list` (`empty-list`: one without elements), a `pattern`; `function`: it returned nothing of use."""

WORDS = {
    "kind": ("actual", "preflight", "upgrade"),
    "answer": DECISIONS,
    "sent": DECISIONS,
    "option": OPTIONS,
}
"""Conditions that name one word or several of these."""

FLAGS = (
    "function", "credentials", "cookie", "origin", "asks_method", "asks_headers", "method_listed", "headers_listed",
    "literal_star", "depends", "several", "covered", "granted", "method_served",
    "sends_headers", "switches", "admitted", "own_method_listed",
)  # fmt: skip
"""Conditions that are true or false. function: the origin option is a function; cookie, origin, asks_method,
asks_headers: the request has `Cookie`, `Origin`, `Access-Control-Request-Method`, `-Headers`; method_listed,
headers_listed: what a preflight asks for is in the list; own_method_listed: the request's own method is; depends: the
answer differs between origins; several: more than one exact text can be accepted; covered: the path is one that the
policy is for; granted: an Access-Control-Allow-Origin is sent; method_served: the application serves the method;
sends_headers: an Access-Control-Allow-Headers is sent; switches: the inner answer is 101, to a WebSocket handshake;
admitted: the application's own check of requests (the field `gate`) lets this one in, or there is none."""

NAMES = ("present", "lacks", "truthy", "falsy", "textual", "undefined", "beside", "apart")
"""Conditions on other options by name (fields `given.<name>`): written at all, or not; true or not in its language; a
text other than the empty one and `*`; written, and JavaScript's `undefined`; a path below which the request's does not
lie, and one that the request's does not even begin with."""

OUTPUTS = ("status", "acao", "acac", "vary", "acam", "acah")
CASES = ("keep", "upper", "lower", "title")
TABLE_KEYS = (
    "preflight", "passes", "refuses", "methods", "headers", "scope", "drops_empty", "each", "conditions", *OUTPUTS,
)  # fmt: skip
SCOPES = ("pattern", "pattern-if-special")
TEXTS = ("whole", "one", "split", "words", "letters", "none")


class ResponsesError(Exception):
    """A `responds:` table is not valid; `at` is the path inside it."""

    def __init__(self, at: tuple[str | int, ...], message: str) -> None:
        super().__init__(message)
        self.at = at


class When(NamedTuple):
    """Conditions, all of which have to hold. `given`: other options and the values that count.

    `named`: the table's own conditions (`Responds.conditions`) that have to hold (`holds:`) or not (`fails:`).
    """

    words: tuple[tuple[str, frozenset[str]], ...] = ()
    flags: tuple[tuple[str, bool], ...] = ()
    names: tuple[tuple[str, tuple[str, ...]], ...] = ()
    given: tuple[tuple[str, tuple[object, ...]], ...] = ()
    version: str | None = None
    named: tuple[tuple[str, bool], ...] = ()


class Row(NamedTuple):
    """The first row whose conditions hold decides; `value` depends on the output (see `Responds`)."""

    when: When
    value: object


class Listing(NamedTuple):
    """How a list of methods or header names is kept and sent.

    `field`: the option (`given.<field>`). `default`: the list where it is not written; `asked`: what the preflight asks
    for is sent back; None: nothing is sent. `join`: what is put between the elements. `text`: a text in place of the
    list is sent as it is (`whole`), is its only element (`one`), is cut at commas (`split`), or at white space and
    semicolons, too (`words`), or gone through letter by letter (`letters`), or nothing is sent (`none`). `trim`: what
    is asked for is sent back without the spaces around names. `called`: a function is called as the origin option's
    is, and gives the list. `case`: what happens to each element. `sort`: the elements become a sorted set.
    `always`: further elements. `star`: what `*` among the elements means: `text` (itself), `any` (itself, and
    everything is in the list), `all` (everything is in the list), `asked` (what is asked for is sent back), `added`
    (the same, beside `always`), or a list in its place. `empty`: what an empty list means: `text` (an empty
    header), `none`, `asked`, `default`; `blank` the same for an empty text, `unset` for null and None. `patterns`:
    an element with a special character is a regular expression that a name has to begin with. `fold`: methods are
    compared without regard to case. `open`: with a star everything is in the list, also what is not sent.
    `version`: the versions of the library in which it is so. `further`: another option (`given.<further>`) whose
    elements follow. `tolerated`: what is in the list, too, but is not sent.
    """

    field: str
    default: tuple[str, ...] | str | None = None
    join: str = ","
    text: str = "whole"
    case: str = "keep"
    sort: bool = False
    always: tuple[str, ...] = ()
    star: tuple[str, ...] | str = "text"
    empty: str = "text"
    blank: str = "text"
    unset: str = "default"
    patterns: bool = False
    fold: bool = False
    open: bool = False
    version: str | None = None
    trim: bool = False
    called: bool = False
    further: str | None = None
    tolerated: tuple[str, ...] = ()


class Responds(NamedTuple):
    """A library's answer to one request.

    `conditions`: names for what several rows ask: each holds where one of its alternatives does. `preflight`: which
    OPTIONS requests are preflights to it (by default all); any other is like an actual request. `passes`: where one of
    these holds the library does nothing: the answer is the inner application's. `refuses`: it answers by itself, with
    this status and no header of its own (not written: 500 where the origin option raises). `status`: a number, `inner`
    (the request goes on to the application, whose status it is), `none` (no answer comes, or the connection breaks), or
    `given.<name>`: the value of another option. `acao`: `sent` (what the origin option's decision and the `sends`
    table come to), `origin`, `first` or `last` (of all texts that are listed, sorted), `head` (the one that is
    listed first) or a text; `acac`: a text, or `given.<name>`; `vary`: a list of names to add, or a text to send as it
    is; `acam` and `acah`: `listed`, `raw` (the option, with nothing added or put in place of a star), `asked`,
    `matching` (what is asked for and is in the list), `served` (the inner answer's Allow, as far as it is listed; all
    of it where nothing is), `allow` (the inner answer's Allow header), `method` (the request's own), `carried` (the
    names of all headers of the request) or a text, in which `{asked}` stands for what the preflight asks for. Null: not
    sent. `scope`: how a path is compared with the one that the policy is limited to: as a `pattern` for its beginning,
    or as that where it has a special character and as a whole elsewhere (`pattern-if-special`). `each`: other options
    that are given per origin, by the names that they have there (`credentials` among them): the field `given.each`
    holds an object whose keys are origins, and `*` for all others; where that has none, `given.inherited` does.
    `drops_empty`: a header with an empty text is not sent.
    """

    preflight: When = When()
    passes: tuple[When, ...] = ()
    refuses: tuple[Row, ...] | None = None
    methods: tuple[Listing, ...] = ()
    headers: tuple[Listing, ...] = ()
    tables: Mapping[str, tuple[Row, ...]] = {}
    scope: str = "pattern"
    drops_empty: bool = False
    each: Mapping[str, str] = {}
    conditions: Mapping[str, tuple[When, ...]] = {}
    certain: bool = True
    possible: Mapping[str, tuple[Listing, ...]] = {}
    whole: Responds | None = None
    """Where the version leaves something open: the table with the rows of all versions."""
    releases: tuple[Release, ...] = ()
    """The possible ones, for that."""

    def newest(self) -> Responds:
        """The table as it is in the newest version that is possible."""
        if self.whole is None:
            return self
        ends = [release.end for release in self.releases]
        return self.whole.under((newest_before(max(ends)) if ends else NEWEST,))

    def under(self, releases: tuple[Release, ...]) -> Responds:
        """The table when the library's version is one of these (none: any).

        A row of which the version leaves it open whether it counts stays, with its range. `certain` is false where it
        is open which list counts; `possible` then holds those that may count, by what they list.
        """
        doubts: list[Listing] = []

        def left(when: When) -> tuple[When, ...]:
            held = Tri.YES if when.version is None else all_within(releases, when.version)
            return {Tri.NO: (), Tri.YES: (when._replace(version=None),), Tri.UNKNOWN: (when,)}[held]

        def rows_of(rows: Iterable[Row]) -> tuple[Row, ...]:
            return tuple(row._replace(when=when) for row in rows for when in left(row.when))

        def holds(listing: Listing) -> Tri:
            return Tri.YES if listing.version is None else all_within(releases, listing.version)

        def fits(listing: Listing) -> bool:
            held = holds(listing)
            if held is Tri.UNKNOWN:
                doubts.append(listing)
            return held is Tri.YES

        def may_count(listings: Iterable[Listing]) -> tuple[Listing, ...]:
            found = []
            for listing in listings:
                held = holds(listing)
                if held is not Tri.NO:
                    found.append(listing)
                if held is Tri.YES:
                    break
            return tuple(found)

        found = self._replace(
            conditions={
                name: tuple(when for one in each for when in left(one)) for name, each in self.conditions.items()
            },
            passes=tuple(when for one in self.passes for when in left(one)),
            refuses=rows_of(self.refuses) if self.refuses is not None else None,
            methods=tuple(listing for listing in self.methods if fits(listing)),
            headers=tuple(listing for listing in self.headers if fits(listing)),
            tables={name: rows_of(rows) for name, rows in self.tables.items()},
            certain=not doubts,
            possible={"methods": may_count(self.methods), "headers": may_count(self.headers)},
        )
        return found._replace(whole=self, releases=releases) if doubts or found.depends_on_version() else found

    def depends_on_version(self) -> bool:
        """Whether it is left open for some row whether it counts."""
        tables = (self.refuses or (), *self.tables.values())
        named = [when for alternatives in self.conditions.values() for when in alternatives]
        return any(when.version for when in (*self.passes, *named, *(row.when for rows in tables for row in rows)))


def read_responds(raw: object) -> Responds:
    """Read a descriptor's `responds:` part.

    Raises:
        ResponsesError: a key or a value is not valid.

    """
    part = _mapping(raw, (), TABLE_KEYS)
    conditions = {
        name: tuple(_when(each, ("conditions", name, i)) for i, each in enumerate(_items(value, ("conditions", name))))
        for name, value in _mapping(part.get("conditions", {}), ("conditions",), None).items()
    }
    scope = part.get("scope", "pattern")
    if scope not in SCOPES:
        raise ResponsesError(("scope",), f"{scope!r} is not one of {', '.join(SCOPES)}")
    found = Responds(
        _when(part.get("preflight", {}), ("preflight",)),
        tuple(_when(each, ("passes", index)) for index, each in enumerate(_items(part.get("passes", []), ("passes",)))),
        _rows(part["refuses"], ("refuses",), _VALUES["status"]) if "refuses" in part else None,
        _listings(part.get("methods", []), ("methods",)),
        _listings(part.get("headers", []), ("headers",)),
        {name: _rows(part[name], (name,), _VALUES[name]) for name in OUTPUTS if name in part},
        scope,
        bool(part.get("drops_empty", False)),
        _mapping(part.get("each", {}), ("each",), None),
        conditions,
    )
    rows = [row for table in (found.refuses or (), *found.tables.values()) for row in table]
    named = [when for alternatives in conditions.values() for when in alternatives]
    for when in (found.preflight, *found.passes, *named, *(row.when for row in rows)):
        for name, _ in when.named:
            if name not in conditions:
                raise ResponsesError(("conditions",), f"{name!r} is not one of the table's `conditions`")
    return found


def _rows(raw: object, at: tuple[str | int, ...], valid: Callable[[object], bool]) -> tuple[Row, ...]:
    found = []
    for index, each in enumerate(_items(raw, at)):
        here = (*at, index)
        if not isinstance(each, dict) or "is" not in each:
            raise ResponsesError(here, "a row is a mapping of conditions and `is`")
        value = each["is"]
        if not valid(value):
            raise ResponsesError((*here, "is"), f"{value!r} is not a value of `{at[0]}`")
        when = {key: part for key, part in each.items() if key != "is"}
        found.append(Row(_when(when, here), tuple(value) if isinstance(value, list) else value))
    return tuple(found)


def _when(raw: object, at: tuple[str | int, ...]) -> When:
    part = _mapping(raw, at, (*WORDS, *FLAGS, *NAMES, "given", "holds", "fails", "version"))
    named: list[tuple[str, bool]] = []
    words: list[tuple[str, frozenset[str]]] = []
    flags: list[tuple[str, bool]] = []
    names: list[tuple[str, tuple[str, ...]]] = []
    given: list[tuple[str, tuple[object, ...]]] = []
    for key, value in part.items():
        here = (*at, key)
        if key in WORDS:
            wanted = value if isinstance(value, list) else [value]
            for word in wanted:
                if word not in WORDS[key]:
                    raise ResponsesError(here, f"{word!r} is not one of {', '.join(WORDS[key])}")
            words.append((key, frozenset(wanted)))
        elif key in FLAGS:
            if not isinstance(value, bool):
                raise ResponsesError(here, f"`{key}` is true or false")
            flags.append((key, value))
        elif key in NAMES:
            wanted = value if isinstance(value, list) else [value]
            if not all(isinstance(name, str) for name in wanted):
                raise ResponsesError(here, f"`{key}` names other options")
            names.append((key, tuple(wanted)))
        elif key in ("holds", "fails"):
            named += [(str(name), key == "holds") for name in (value if isinstance(value, list) else [value])]
        elif key == "given":
            for name, values in _mapping(value, here, None).items():
                listed = values if isinstance(values, list) else [values]
                given.append((name, tuple(tuple(each) if isinstance(each, list) else each for each in listed)))
        elif not isinstance(value, str) or fault(value) is not None:
            raise ResponsesError(here, f"{value!r} is not a range of versions (>=N, <N or ==N)")
    return When(tuple(words), tuple(flags), tuple(names), tuple(given), part.get("version"), tuple(named))


def _listings(raw: object, at: tuple[str | int, ...]) -> tuple[Listing, ...]:
    """One list, or one per range of versions."""
    listed = raw if isinstance(raw, list) else [raw]
    return tuple(_listing(each, (*at, index)) for index, each in enumerate(listed))


def _listing(raw: object, at: tuple[str | int, ...]) -> Listing:
    part = _mapping(raw, at, Listing._fields)
    for key, allowed in (("case", CASES), ("text", TEXTS)):
        if key in part and part[key] not in allowed:
            raise ResponsesError((*at, key), f"{part[key]!r} is not one of {', '.join(allowed)}")
    if "version" in part and (not isinstance(part["version"], str) or fault(part["version"]) is not None):
        raise ResponsesError((*at, "version"), f"{part['version']!r} is not a range of versions (>=N, <N or ==N)")
    if not isinstance(part.get("field"), str):
        raise ResponsesError(at, "`field` has to name the option")
    fields: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in part.items()}
    return Listing(**fields)


_NAME = regex(r"[A-Za-z][A-Za-z-]*|\*")


def _is_text(value: object) -> bool:
    return value is None or isinstance(value, str)


_VALUES: dict[str, Callable[[object], bool]] = {
    "status": lambda value: (
        value in ("inner", "none")
        or (isinstance(value, int) and 100 <= value < 600)
        or (isinstance(value, str) and value.startswith("given."))
    ),
    "acao": _is_text,
    "acac": _is_text,
    "vary": lambda value: (
        value is None
        or isinstance(value, str)
        or (isinstance(value, list) and all(isinstance(name, str) and _NAME.fullmatch(name) for name in value))
    ),
    "acam": _is_text,
    "acah": _is_text,
}


def _items(raw: object, at: tuple[str | int, ...]) -> list[Any]:
    if not isinstance(raw, list):
        raise ResponsesError(at, f"`{at[-1]}` has to be a list")
    return raw


def _mapping(raw: object, at: tuple[str | int, ...], allowed: tuple[str, ...] | None) -> dict[str, Any]:
    if not isinstance(raw, dict):
        raise ResponsesError(at, f"`{at[-1] if at else 'responds'}` has to be a mapping")
    for key in raw:
        if allowed is not None and key not in allowed:
            import difflib  # wanted for mistakes alone

            close = difflib.get_close_matches(str(key), allowed, 1, 0.6)
            hint = f" (did you mean {close[0]!r}?)" if close else ""
            raise ResponsesError((*at, key), f"unknown key {key!r}{hint}")
    return raw
