"""One layer's whole answer to one request: status and CORS headers, from a policy and the application behind it.

`policy.py` decides who is let in; this module interprets the descriptor's `responds:` table about the rest. Whatever a
condition leaves open makes the part of the answer that depends on it unknown.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeAlias

from corslint.behaviour.environment import with_environment
from corslint.behaviour.policy import Judge, part_fields, scene_of, several
from corslint.extract import Policy
from corslint.model.decisions import (
    STRANGERS,
    Always,
    Answer,
    Case,
    Decision,
    Echo,
    Fixed,
    Hang,
    Own,
    Star,
    UnknownAnswer,
    answers,
    depends_on_origin,
)
from corslint.model.exchange import NO_ANSWER, Header, Missing, Request, Response
from corslint.model.facts import Fact, Field
from corslint.model.patterns import Pattern, matches
from corslint.model.reading import CodeReading
from corslint.model.responses import OUTPUTS, Listing, Responds, Row, When
from corslint.model.tri import Tri, all_of, any_of, tri
from corslint.model.values import Call, Function, Literal, Null, Regex, Sequence, Undefined, Value
from corslint.model.values import Mapping as MappingValue
from corslint.project.link import Linker
from corslint.records import NamedTuple

_SWITCHED = 101
"""The status that opens a WebSocket."""
NAMES = {
    "acao": "Access-Control-Allow-Origin",
    "acac": "Access-Control-Allow-Credentials",
    "vary": "Vary",
    "acam": "Access-Control-Allow-Methods",
    "acah": "Access-Control-Allow-Headers",
}
"""The headers by the short names that the table has for them."""

_MOST_PARTS = 10_000
"""So many values may lie in one, at any depth; in fifty repositories there were at most seven."""


class _Unknown:
    """What can't be told. One object, compared by identity."""


_UNKNOWN = _Unknown()
Known: TypeAlias = object | None


class Responder:
    """Answers requests for one policy.

    `environment` are the variables that are set; None where nobody knows them (the linter never does).
    """

    def __init__(
        self,
        policy: Policy,
        linker: Linker,
        code: Callable[[str], CodeReading | None],
        environment: Mapping[str, str] | None = None,
    ) -> None:
        scene = scene_of(linker, code)
        if environment is not None:
            policy = with_environment(policy, scene, environment)
        self._judge = Judge.of(policy, scene, code)
        self._fact = self._judge.fact
        self._scene = scene
        self._linker = linker
        self._asker: str | None = None
        self._values = self._fact.values
        self._responds = policy.semantics.responds or Responds()
        self._decision, self._same_origin = self._judge.decision()
        self._python = policy.fact.field("language").value == "python"
        self._exists = (policy.semantics.decorating if self.on_route else None) or policy.semantics.exists
        self._lower = policy.header or self._exists == "replaces-lower-case"
        self._library = str(policy.fact.field("library").value)

    def respond(self, request: Request, inner: Response) -> Response:
        """The answer; `inner` is what the application behind this layer answers to the same request."""
        if not self._responds.certain and request.method == "OPTIONS":
            return _unknown(inner)  # which lists count is open, and only preflights are answered by them
        self._asker = request.origin
        outcomes = [self._answered(case, request, inner) for case in self._cases(request)]
        first = outcomes[0]
        found = first if all(other == first for other in outcomes[1:]) else _merged(outcomes)
        return found._replace(judged_by=inner.judged_by | {self._library})

    def admits(self, origin: str | None) -> Tri:
        """Whether the application's own check of requests lets this origin in; yes where it has none."""
        return self._judge.admits(origin)

    def lets_in(self, origin: str, path: str) -> Tri:
        """Whether the WebSocket handshake of a page of that origin opens a socket."""
        admitted = self.admits(origin)
        if admitted is not Tri.YES:
            return admitted
        status = self.respond(Request(kind="upgrade", path=path, origin=origin), Response(_SWITCHED)).status
        return Tri.UNKNOWN if status is None else tri(status == _SWITCHED)

    # -- which case ---------------------------------------------------------------------------------------------------

    def _cases(self, request: Request) -> tuple[Case, ...]:
        if self._same_origin and request.origin is not None and request.origin == request.server:
            return (Case(Always(), Echo(), self._fact.span, "same-origin"),)
        return answers(self._decision, request.origin, request.turn, request.path)

    def _answered(self, case: Case, request: Request, inner: Response) -> Response:
        if isinstance(case.answer, UnknownAnswer):
            return _unknown(inner)
        if isinstance(case.answer, Hang):
            return Response(NO_ANSWER)
        sent = self._judge.sent(case, request)
        situation = _Situation(self, case, sent, request, inner)
        if self._exists == "skips":
            there = inner.header(NAMES["acao"])
            if self._library in inner.judged_by:
                return inner
            if there is not Missing.ABSENT:
                return inner if isinstance(there, str) else _unknown(inner)
        passed = [situation.holds(when) for when in self._responds.passes]
        if Tri.YES in passed:
            return inner
        if Tri.UNKNOWN in passed:
            return _unknown(inner)
        refused, held = self._refusal(situation)
        if held is Tri.YES:
            return Response(refused if isinstance(refused, int) else None)
        if held is Tri.UNKNOWN:
            return _unknown(inner)
        found = {output: self.output(output, situation) for output in OUTPUTS}
        if self._responds.drops_empty:
            found = {output: None if value == "" else value for output, value in found.items()}
        return _put_together(found, inner, self._exists, self._lower)

    def _refusal(self, situation: _Situation) -> tuple[Known, Tri]:
        """The status under which the library ends this request by itself, and whether it does."""
        statuses: set[Known] = set()
        for row in self._responds.refuses or ():
            held = situation.holds(row.when)
            if held is not Tri.NO:
                statuses.add(self._value("status", row, situation))
            if held is Tri.YES:
                return (statuses.pop(), held) if len(statuses) == 1 else (None, Tri.UNKNOWN)
        by_itself = situation.sent == "raises" and self._responds.refuses is None
        return (500, Tri.YES) if by_itself else (None, Tri.UNKNOWN if statuses else Tri.NO)

    def output(self, output: str, situation: _Situation) -> Known:
        """What one part of the answer is: the first row that holds; `_UNKNOWN` where that can't be told."""
        found: list[Known] = []
        for row in self._responds.tables.get(output, ()):
            held = situation.holds(row.when)
            if held is not Tri.NO:
                found.append(self._value(output, row, situation))
            if held is Tri.YES:
                break
        else:
            found.append(self._by_default(output, situation))
        return found[0] if all(value == found[0] for value in found) else _UNKNOWN

    def _value(self, output: str, row: Row, situation: _Situation) -> Known:
        value = row.value
        if output == "status" and value == "none":
            return NO_ANSWER
        if isinstance(value, str) and value.startswith("given."):
            given = self.given(value.removeprefix("given."))
            return str(given).lower() if output == "acac" and not isinstance(given, _Unknown) else given
        if output == "acao":
            return self._origin_header(value, situation)
        if output in ("acam", "acah") and isinstance(value, str):
            return self._list_header(output, value, situation)
        return value

    def _origin_header(self, value: object, situation: _Situation) -> Known:
        if value == "sent":
            return situation.sent_header()
        if value == "first":
            return next(iter(sorted(self._judge.exact_texts())), None)
        if value == "head":
            first = self._judge.first_text()
            return _UNKNOWN if first is None else first
        if value == "last":
            return next(iter(sorted(self._judge.exact_texts(), reverse=True)), None)
        return situation.request.origin if value == "origin" else value

    def _list_header(self, output: str, value: str, situation: _Situation) -> Known:
        if value == "allow":
            allowed = situation.inner.header("allow")
            return allowed if isinstance(allowed, str) else None if allowed is Missing.ABSENT else _UNKNOWN
        asked = situation.asked(output)
        if value == "listed":
            return self.listed(output, asked)
        if value == "raw":
            return self._raw(self._listing(output))
        if value == "matching":
            return self._matching(output, situation.request)
        if value == "served":
            return self._served(output, situation.inner)
        if value == "method":
            return situation.request.method
        if value == "carried":
            names = situation.request.names
            return _UNKNOWN if names is None else ", ".join(sorted(names))
        if "{asked}" in value:
            return value.replace("{asked}", asked or "")
        return asked if value == "asked" else value

    def _raw(self, listing: Listing | None) -> Known:
        """The option as it is given, joined."""
        if listing is None:
            return _UNKNOWN
        elements = self.elements(listing._replace(star="text", always=(), empty="text"))
        return listing.join.join(elements) if isinstance(elements, tuple) else elements

    def _matching(self, output: str, request: Request) -> Known:
        """Which of the things asked for are in the list; with a star that is sent back, all of them as they are."""
        listing = self._listing(output)
        elements = self.elements(listing) if listing is not None else None
        names = request.asked_headers if output == "acah" else tuple(filter(None, (request.asked_method,)))
        held = [(name.strip(), self.allows(output, (name,))) for name in names]
        if listing is None or isinstance(elements, _Unknown) or any(one is Tri.UNKNOWN for _, one in held):
            return _UNKNOWN
        star = elements is not None and "*" in elements
        if star and listing.star == "any":
            return "*"
        change = str if star and listing.star == "asked" else _CHANGES[listing.case]
        found = [change(name) for name, one in held if one is Tri.YES]
        text = listing.join.join(sorted(found) if listing.sort else found)
        return text if text or listing.empty == "text" else None

    def _served(self, output: str, inner: Response) -> Known:
        """The methods that the application serves, as far as they are listed."""
        listing = self._listing(output)
        allowed = inner.header("allow")
        elements = self.elements(listing) if listing is not None else None
        if listing is None or not isinstance(allowed, str) or isinstance(elements, _Unknown):
            return _UNKNOWN
        if elements and "*" in elements:
            return "*"
        served = [method.strip() for method in allowed.split(",")]
        return listing.join.join(method for method in served if not elements or method in elements) or None

    def serves(self, method: str | None, inner: Response) -> Tri:
        """Whether the application serves this method, by the Allow header of its own answer."""
        allowed = inner.header("allow")
        if not isinstance(allowed, str) or method is None:
            return Tri.UNKNOWN if allowed is Missing.UNKNOWN else Tri.NO
        return tri(method in [each.strip() for each in allowed.split(",")])

    def _listing(self, output: str) -> Listing | None:
        listings = self._responds.methods if output == "acam" else self._responds.headers
        return listings[0] if listings else None

    def _by_default(self, output: str, situation: _Situation) -> Known:
        if output == "status":
            return "inner"
        if output == "acao":
            return situation.sent_header()
        if output == "acac":
            allowed = all_of((situation.granted(), self.credentials(situation.request)))
            return _UNKNOWN if allowed is Tri.UNKNOWN else "true" if allowed is Tri.YES else None
        granted = situation.sent in ("star", "echo", "fixed")
        if output == "vary" and granted and situation.sent in self._judge.semantics.vary:
            return ("Origin",)
        return None

    # -- lists of methods and headers ---------------------------------------------------------------------------------

    def listed(self, output: str, asked: str | None) -> Known:
        """The list as it is sent: a text, None for no header, `_UNKNOWN`."""
        listing = self._listing(output)
        if listing is None:
            return None
        elements = self.elements(listing)
        if isinstance(elements, _Unknown):
            return _UNKNOWN
        if elements == "asked" or (listing.star == "asked" and "*" in (elements or ())):
            trimmed = listing.trim and asked is not None
            return ",".join(name.strip() for name in asked.split(",")) if trimmed and asked is not None else asked
        if elements is None or isinstance(elements, str):
            return elements
        if listing.star == "added" and "*" in elements:
            names = {*(name.strip() for name in asked.split(",")), *listing.always} if asked is not None else ()
            return listing.join.join(sorted(names)) or None
        return listing.join.join(elements)

    def elements(self, listing: Listing) -> tuple[str, ...] | str | _Unknown | None:
        """The elements of a list; `asked`; a text that is sent as it is; None for no header."""
        found = self._own_elements(listing)
        if listing.further is None or not isinstance(found, tuple):
            return found
        more = self._own_elements(Listing(listing.further, (), case=listing.case))
        return (*found, *more) if isinstance(more, tuple) else _UNKNOWN

    def _own_elements(self, listing: Listing) -> tuple[str, ...] | str | _Unknown | None:
        given = self.given(listing.field)
        if given is _OBJECT:
            given = self._called(listing.field) if listing.called else _UNKNOWN
        if isinstance(given, _Unknown):
            return _UNKNOWN
        given = None if given is _UNDEFINED else given
        if given is _ABSENT or (given is None and listing.unset == "default"):
            return self._complete(listing.default, listing)
        words = {None: listing.unset, "": listing.blank, (): listing.empty}
        word = words.get(given, "text") if given is None or isinstance(given, (str, tuple)) else "text"
        if word != "text":
            return self._complete(listing.default, listing) if word == "default" else _word(word)
        if isinstance(given, str):
            if listing.text == "whole":
                alone = given == "*" and listing.star != "text"
                return self._complete((given,), listing) if alone else _CHANGES[listing.case](given)
            if listing.text == "none":
                return None
            if listing.text in ("split", "words"):
                parts = given.split(",") if listing.text == "split" else re.split(r"[\s,;]", given)
                given = tuple(part.strip() for part in parts if part.strip())
            else:
                given = tuple(given) if listing.text == "letters" else (given,)
        if not isinstance(given, tuple) or not all(isinstance(part, str) for part in given):
            return _UNKNOWN
        return self._complete(given, listing)

    def _complete(self, elements: tuple[object, ...] | str | None, listing: Listing) -> tuple[str, ...] | str | None:
        if elements is None or isinstance(elements, str):
            return elements
        if isinstance(listing.star, tuple) and "*" in elements:
            elements = listing.star
        change = _CHANGES[listing.case]
        texts = [change(str(part)) for part in elements]
        texts += [name for name in listing.always if name not in texts]
        return tuple(sorted(set(texts)) if listing.sort else texts)

    def given(self, name: str) -> Known:
        """Another option as it is given: text, number, boolean, tuple, None; `_ABSENT`, `_UNDEFINED`, `_OBJECT`,
        `_UNKNOWN`."""
        if name in self._responds.each:
            return self._given_to_asker(self._responds.each[name])
        value = self._values.get(f"given.{name}")
        if value is not None:
            return self._plain(value)
        field = self._fact.field(f"given.{name}")
        if field.state == "unknown":
            return _UNKNOWN
        return _ABSENT if field.state == "absent" else field.value

    def _called(self, name: str) -> Known:
        """What an option that is a function gives to the origin that asks."""
        value = self._values.get(f"given.{name}")
        function = self._scene.resolve(value) if value is not None else None
        found = self._judge.called(function, self._asker) if isinstance(function, Function) else None
        return self._plain(found) if found is not None else _UNKNOWN

    def _given_to_asker(self, name: str) -> Known:
        """An option of the origin that asks, else of `*`."""
        for origin in (self._asker or "*", "*"):
            for field in ("given.each", "given.inherited"):
                held = self._values.get(field)
                options = self._linker.lookup(held, origin) if held is not None else None
                if options is not None:
                    found = self._linker.lookup(options, name)
                    return _ABSENT if found is None else self._plain(found)
        return _ABSENT

    def credentials(self, request: Request) -> Tri:
        """Whether credentials are allowed to who asks."""
        if "credentials" not in self._responds.each:
            return self._judge.credentials_for(request.origin)
        given = self._given_to_asker(self._responds.each["credentials"])
        return Tri.UNKNOWN if isinstance(given, _Unknown) else tri(given is True)

    def _plain(self, value: Value) -> Known:
        return self._with_room(value, [_MOST_PARTS])

    def _with_room(self, value: Value, room: list[int]) -> Known:
        """The value, if it has no more parts than there is room for: lists of lists may double at every line."""
        room[0] -= 1
        if room[0] < 0:
            return _UNKNOWN
        value = self._scene.resolve(value)
        if isinstance(value, Literal):
            return value.value
        if isinstance(value, Null):
            return None
        if isinstance(value, Undefined):
            return None if self._python else _UNDEFINED
        if isinstance(value, Sequence):
            parts = tuple(self._with_room(item, room) for item in value.items)
            return _UNKNOWN if any(isinstance(part, _Unknown) for part in parts) else parts
        made = isinstance(value, Call) and value.construct
        return _OBJECT if made or isinstance(value, (Function, Regex, MappingValue)) else _UNKNOWN

    # -- what conditions ask ------------------------------------------------------------------------------------------

    def named(self, condition: str, name: str, request: Request) -> Tri:
        """What a table asks of another option (`model/responses.py`, NAMES)."""
        given = self.given(name)
        if isinstance(given, _Unknown):
            return Tri.UNKNOWN
        if condition in ("beside", "apart"):
            beginning = str(given).removesuffix("/") + ("/" if condition == "beside" else "")
            return tri(not request.path.startswith(beginning))
        if condition == "textual":
            return tri(isinstance(given, str) and given not in ("", "*"))
        if condition == "undefined":
            return tri(given is _UNDEFINED)
        if condition in ("present", "lacks"):
            return tri((given is not _ABSENT) is (condition == "present"))
        # In JavaScript an empty array is true.
        true = given not in (_ABSENT, _UNDEFINED) and (bool(given) or (given == () and not self._python))
        return tri(true is (condition == "truthy"))

    def allows(self, output: str, asked: Iterable[str]) -> Tri:
        """Whether all that is asked for is in the list of methods or headers."""
        listing = self._listing(output)
        if listing is None:
            return Tri.UNKNOWN
        elements = self.elements(listing)
        if isinstance(elements, _Unknown):
            return Tri.UNKNOWN
        if elements == "asked" or (listing.star in ("asked", "any", "all", "added") and "*" in (elements or ())):
            return Tri.YES
        if listing.open and self._has_star(listing):
            return Tri.YES
        known = elements or ()
        if output == "acam":
            given = self.given(listing.field)
            if isinstance(given, str) and listing.text == "letters" and "*" not in given:
                known = given  # the text is searched for the method, though its letters are what is sent
            change = _CHANGES["lower" if listing.fold else listing.case]
            if listing.fold and not isinstance(known, str):
                known = tuple(change(method) for method in known)
            return tri(all(change(method) in known for method in asked))
        folded = {name.lower() for name in (*known, *listing.tolerated)}
        texts = {name for name in folded if not listing.patterns or not self._judge.special(name)}
        patterns = [Pattern(name, "i", "python", "match") for name in folded - texts]
        return all_of(
            any_of((tri(name.strip().lower() in texts), *(matches(pattern, name.strip()) for pattern in patterns)))
            for name in asked
        )

    def _has_star(self, listing: Listing) -> bool:
        elements = self.elements(listing._replace(star="text"))
        return isinstance(elements, tuple) and "*" in elements

    @property
    def on_route(self) -> bool:
        """Whether the policy was put on one route, as a decorator."""
        return self._fact.field("scope").state == "unknown"

    def condition(self, name: str) -> tuple[When, ...]:
        """The alternatives of one of the table's own conditions."""
        return self._responds.conditions[name]

    @property
    def preflight(self) -> When:
        """Which OPTIONS requests the library takes for preflights."""
        return self._responds.preflight

    @property
    def judge(self) -> Judge:
        """What decides about origins."""
        return self._judge

    @property
    def decision(self) -> Decision:
        """What the origin options decide."""
        return self._decision


_CHANGES: Mapping[str, Callable[[str], str]] = {
    "keep": str,
    "upper": lambda text: text.upper(),
    "lower": lambda text: text.lower(),
    "title": lambda text: text.title(),
}


class _Special:
    """What an option is that has no plain value. Compared by identity."""


_ABSENT = _Special()
"""It is not written."""
_UNDEFINED = _Special()
"""It is written, and JavaScript's `undefined`."""
_OBJECT = _Special()
"""A function, a pattern or an object."""


def _word(word: str) -> str | None:
    return {"none": None, "asked": "asked"}[word]


class _Situation(NamedTuple):
    """One request at one policy, of which one case decides."""

    responder: Responder
    case: Case
    sent_answer: Answer
    request: Request
    inner: Response

    @property
    def answer(self) -> str:
        return self.case.answer.kind

    @property
    def sent(self) -> str:
        return self.sent_answer.kind

    def sent_header(self) -> Known:
        match self.sent_answer:
            case Star():
                return "*"
            case Echo():
                return self.request.origin
            case Fixed(text=text):
                return text
            case Own():
                return _UNKNOWN if self.request.server is None else self.request.server
            case UnknownAnswer():
                return _UNKNOWN
        return None

    def granted(self) -> Tri:
        """Whether an Access-Control-Allow-Origin is sent."""
        header = self.responder.output("acao", self)
        return Tri.UNKNOWN if isinstance(header, _Unknown) else tri(header is not None)

    def asked(self, output: str) -> str | None:
        if output == "acam":
            return self.request.asked_method
        return ",".join(self.request.asked_headers) or None

    def holds(self, when: When) -> Tri:
        return all_of(self._held(when))

    def _held(self, when: When) -> Iterator[Tri]:
        if when.version is not None:
            yield Tri.UNKNOWN
        for name, words in when.words:
            yield self._word(name, words)
        for name, wanted in when.flags:
            held = self._flag(name)
            yield held if wanted else ~held
        for condition, names in when.names:
            for name in names:
                yield self.responder.named(condition, name, self.request)
        for name, wanted in when.named:
            held = any_of(self.holds(one) for one in self.responder.condition(name))
            yield held if wanted else ~held
        for name, values in when.given:
            given = self.responder.given(name)
            yield (
                Tri.UNKNOWN
                if isinstance(given, _Unknown)
                else tri(any(given == value and type(given) is type(value) for value in values))
            )

    def _word(self, name: str, words: frozenset[str]) -> Tri:
        if name == "kind":
            return self._kind(words)
        found = {
            "answer": self.answer,
            "sent": self.sent,
            "option": self.case.option,
        }[name]
        return Tri.UNKNOWN if found in ("unknown", "") else tri(found in words)

    def _kind(self, words: frozenset[str]) -> Tri:
        """Whether the request is of one of these kinds to a library: it may not take each OPTIONS for a preflight."""
        if self.request.kind != "preflight":
            return tri(self.request.kind in words)
        preflight = self.holds(self.responder.preflight)
        if preflight is Tri.UNKNOWN and ("preflight" in words) != ("actual" in words):
            return Tri.UNKNOWN
        return tri(("actual" if preflight is Tri.NO else "preflight") in words)

    def _flag(self, name: str) -> Tri:
        request, responder = self.request, self.responder
        match name:
            case "function":
                return responder.judge.is_function()
            case "credentials":
                return responder.credentials(request)
            case "literal_star":
                return responder.judge.literal_star
            case "cookie":
                return request.cookie
            case "origin":
                return tri(request.origin is not None)
            case "asks_method":
                return tri(request.asked_method is not None)
            case "asks_headers":
                return tri(bool(request.asked_headers))
            case "method_listed":
                return responder.allows("acam", [request.asked_method] if request.asked_method is not None else [])
            case "own_method_listed":
                return responder.allows("acam", [request.method])
            case "headers_listed":
                return responder.allows("acah", request.asked_headers)
            case "depends":
                return depends_on_origin(responder.decision)
            case "several":
                return several(responder.decision)
            case "covered":
                return responder.judge.covers(request.path)
            case "method_served":
                return responder.serves(request.asked_method, self.inner)
            case "granted":
                return self.granted()
            case "admitted":
                return responder.judge.admits(request.origin)
            case "switches":
                return Tri.UNKNOWN if self.inner.status is None else tri(self.inner.status == 101)
            case "sends_headers":
                names = responder.output("acah", self)
                return Tri.UNKNOWN if isinstance(names, _Unknown) else tri(names is not None)
        raise AssertionError(name)


# --- What becomes of WebSocket handshakes ----------------------------------------------------------------------------

_HANDSHAKE = "/?EIO=4&transport=websocket"


def tell_of_strangers(policy: Policy, server: Fact, linker: Linker, code: Callable[[str], CodeReading | None]) -> None:
    """Fill a socket server's `upgrade.to_stranger` from its policy: a handshake that is not refused is accepted.

    Of a stranger's choices of scheme and port the most generous counts. Nothing is said where the descriptor does not
    say what becomes of handshakes.
    """
    if policy.semantics.responds is None or "upgrade.to_stranger" in server.fields:
        return
    responder = Responder(policy, linker, code)
    path = policy.fact.field("given.path").value
    asked = (path.rstrip("/") if isinstance(path, str) else "") + _HANDSHAKE
    found = [responder.lets_in(origin, asked) for origin in STRANGERS]
    answer = Tri.YES if Tri.YES in found else Tri.UNKNOWN if Tri.UNKNOWN in found else Tri.NO
    at = policy.fact.field("gate").span or policy.fact.span
    words = {Tri.YES: "accepted", Tri.NO: "refused"}
    field = Field(None, "unknown", at) if answer is Tri.UNKNOWN else Field(words[answer], "written", at)
    server.fields["upgrade.to_stranger"] = field._replace(confidence=policy.fact.field("major").confidence)


# --- What a policy allows, whoever asks ------------------------------------------------------------------------------

_LIST_FIELDS = (
    "effect.methods", "effect.any_method", "effect.request_headers", "effect.any_request_header", "effect.exposed",
)  # fmt: skip
_USUAL_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"}
_ASKED_METHOD = "X-ASKED-FOR"
_ASKED_HEADER = "x-asked-for"


def note_lists(policy: Policy, linker: Linker, code: Callable[[str], CodeReading | None]) -> list[Fact]:
    """Fill `effect.methods` and its like in a policy's fact that is not judged yet; returns a fact for each list."""
    responds = policy.semantics.responds
    for name in _LIST_FIELDS:
        policy.fact.fields[name] = Field(None, "unknown", policy.fact.span)
    if policy.header or not (responds is not None or policy.fact.field("given.exposed").state == "written"):
        return []
    return list(_Lists(policy, linker, code).facts())


class _Lists:
    """The lists that a policy sends to an origin that it lets in."""

    def __init__(self, policy: Policy, linker: Linker, code: Callable[[str], CodeReading | None]) -> None:
        self._fact = policy.fact
        self._responder = Responder(policy, linker, code)
        responds = policy.semantics.responds
        self._certain = responds is not None and responds.certain
        self._tables = responds is not None and not responds.each
        self._possible = responds.possible if responds is not None else {}

    def facts(self) -> Iterator[Fact]:
        if self._tables:
            yield from self._of("acam", "effect.methods", "effect.any_method", "methods")
            yield from self._of("acah", "effect.request_headers", "effect.any_request_header", "request-headers")
        yield from self._exposed()

    def _of(self, output: str, name: str, anything: str, what: str) -> Iterator[Fact]:
        part = "methods" if output == "acam" else "headers"
        possible = self._possible.get(part) or tuple(filter(None, (self._responder._listing(output),)))
        if not possible:
            return
        at = self._place(possible[0].field)
        told = [self._told(listing) for listing in possible]
        # Where the version leaves it open which list counts, they may still say the same.
        same_names = all(names == told[0][0] for names, _ in told)
        same_answer = all(answer is told[0][1] for _, answer in told)
        names, every = told[0][0] if same_names else None, told[0][1] if same_answer else Tri.UNKNOWN
        fields = self._fact.fields
        if every is Tri.UNKNOWN:
            fields[anything] = at._replace(value=None, state="unknown")
        else:
            fields[anything] = at._replace(value=every.value)
        fields[name] = at._replace(value=None, state="unknown") if names is None else at._replace(value=names)
        if not self._certain:
            return
        sent = self._sent(output)
        if isinstance(sent, str) and names is not None and at.state == "written":
            made = self._list(what, NAMES[output], at, names, "*" in (_names(sent) or ()))
            usual = possible[0].default == "asked" or set(_names(possible[0].default) or ()) >= _USUAL_METHODS
            made.fields["default_allows"] = Field("yes" if usual else "no", "written", made.span)
            yield made

    def _told(self, listing: Listing) -> tuple[tuple[str, ...] | None, Tri]:
        """The names in a list, and whether it allows everything that is asked for."""
        elements = self._responder.elements(listing)
        names = _names(elements)
        star = names is not None and "*" in names
        if elements == "asked" or (star and (listing.open or listing.star in ("asked", "added", "all", "any"))):
            every = Tri.YES
        else:
            every = Tri.UNKNOWN if isinstance(elements, _Unknown) or elements is None else Tri.NO
        return (None if elements == "asked" else names), every

    def _exposed(self) -> Iterator[Fact]:
        given = self._responder.given("exposed")
        if given is _ABSENT:
            if "given.exposed" in self._fact.fields:  # an option that is not given; elsewhere nobody has looked
                self._fact.fields["effect.exposed"] = Field((), "default", self._fact.span)
            return
        at = self._place("exposed")
        names = _names(given) if isinstance(given, (str, tuple)) else None
        self._fact.fields["effect.exposed"] = at._replace(value=names, state="unknown" if names is None else at.state)
        if names is not None and at.state == "written":
            yield self._list("response-headers", "Access-Control-Expose-Headers", at, names, "*" in names)

    def _place(self, name: str) -> Field:
        field = self._fact.field(f"given.{name}")
        return field._replace(state="default") if field.state == "absent" else field._replace(state="written")

    def _sent(self, output: str) -> Known:
        """What is sent to an origin that is let in and asks for what nobody lists."""
        request = Request(
            "preflight", "OPTIONS", origin="https://app.invalid", asked_method=_ASKED_METHOD,
            asked_headers=(_ASKED_HEADER,),
        )  # fmt: skip
        case = Case(Always(), Echo(), self._fact.span, "list")
        return self._responder.output(output, _Situation(self._responder, case, Echo(), request, Response()))

    def _list(self, what: str, header: str, at: Field, names: tuple[str, ...], star: bool) -> Fact:
        span = at.span or self._fact.span
        fields = {
            "header": Field(header, "written", span),
            "names": Field(names, "written", span, at.trail, at.confidence),
            "what": Field(what, "written", span),
            "star": Field("yes" if star else "no", "written", span),
            "by": Field("option", "written", span),
        }
        return Fact("sent_list", span, {**part_fields(self._fact), **fields})


def _names(given: Known) -> tuple[str, ...] | None:
    """The names in a list, or in the text of a header."""
    texts = (given,) if isinstance(given, str) else given
    if not isinstance(texts, tuple) or not all(isinstance(text, str) for text in texts):
        return None
    return tuple(name for text in texts for part in text.split(",") if (name := part.strip()))


# --- Putting an answer together --------------------------------------------------------------------------------------


def _put_together(found: Mapping[str, Known], inner: Response, exists: str, lower: bool) -> Response:
    """The answer of a layer around another one. `exists`: what happens where both write a header
    (`semantics.HEADER_EXISTS`); `lower`: this one writes names in lower case, as frameworks do for applications."""
    status = found["status"]
    goes_on = status == "inner"
    ours: list[Header] = []
    beside = exists == "appends"
    for output, full in NAMES.items():
        name, value = full.lower() if lower else full, found[output]
        if isinstance(value, _Unknown):
            ours.append(Header(name, None, Tri.UNKNOWN, beside))
        elif output == "vary":
            text = ", ".join(value) if isinstance(value, tuple) else value
            ours += [Header(name, text, Tri.YES, beside)] if isinstance(text, str) and text else []
        elif isinstance(value, str):
            ours.append(Header(name, value, Tri.YES, beside))
    known = inner.status if goes_on else status if isinstance(status, int) else None
    theirs = inner.headers if goes_on else ()
    return Response(known, _merged_lines(theirs, ours, exists), inner.complete if goes_on else Tri.YES)


def _merged_lines(theirs: tuple[Header, ...], ours: list[Header], exists: str) -> tuple[Header, ...]:
    """The lines of two layers. `Vary` is a list that everybody adds to."""
    vary = NAMES["vary"].lower()
    mine = {line.name.lower() for line in ours} - {vary}
    if exists == "yields":
        set_inside = {line.name.lower() for line in theirs if not line.beside} - {vary}
        return (*(line for line in ours if line.name.lower() not in set_inside), *theirs)
    if exists == "replaces":
        theirs = tuple(line for line in theirs if line.name.lower() not in mine)
    elif exists == "replaces-lower-case":
        theirs = tuple(line for line in theirs if line.name not in mine)
    return (*theirs, *ours)


def _unknown(inner: Response) -> Response:
    return Response(None, (*inner.headers, *(Header(name, None, Tri.UNKNOWN) for name in NAMES.values())))


def _merged(outcomes: list[Response]) -> Response:
    """What all of the possible answers agree on."""
    first = outcomes[0]
    status = first.status if all(other.status == first.status for other in outcomes) else None
    headers: list[Header] = []
    for name in dict.fromkeys(line.name for one in outcomes for line in one.headers):
        lines = {one.lines(name) for one in outcomes}
        headers += lines.pop() if len(lines) == 1 else [Header(name, None, Tri.UNKNOWN)]
    return Response(status, tuple(headers))
