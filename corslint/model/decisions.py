"""Decisions: what a server answers to a request's Origin, and which attacker's origin would get through.

Every origin option, list, regular expression, callback, nginx `map` and `if` compiles to a `Decision`: ordered cases
of a predicate on the origin and an answer. Three-valued: a predicate that cannot be decided makes the answer unknown,
unless every way out gives the same one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache, wraps
from typing import Literal as OneOf
from typing import TypeAlias, TypeVar, Union

from corslint.model.patterns import Pattern, matches, samples
from corslint.model.tri import Tri, all_of, any_of, tri
from corslint.records import NamedTuple
from corslint.regexes import regex
from corslint.source import Span

T = TypeVar("T")

__all__ = [
    "All", "Always", "Answer", "Any", "Atom", "Case", "Decision", "Echo", "Fixed", "Hang", "Insecure", "Not",
    "Nothing", "Operator", "Own", "Part", "PathTest", "Pattern", "Predicate", "Raise", "Refuse", "Star",
    "UnknownAnswer", "UnknownPredicate", "Witness", "accepts", "accepts_null", "answer", "answers",
    "any_subdomain", "depends_on_origin", "holds", "insecure", "origin_parts", "patterns_of", "possible_origin",
    "sends_several", "to_stranger", "witness",
]  # fmt: skip

Part = OneOf["origin", "scheme", "host", "hostname", "port", "address", "endpoint", "any_port", "any_host"]
"""What of the origin is looked at. For `https://a.example:8443`: `origin` is all of it, `host` `a.example:8443`,
`hostname` `a.example`, `port` `8443` (empty where it is the scheme's own). With the port always spelled out: `address`
is `https://a.example:8443`, `endpoint` `a.example:8443`; and for lists with wildcards `any_port` is `a.example:*`,
`any_host` `*:8443`: the four forms that libraries look up which ask for a port."""

Operator = OneOf["equals", "starts", "ends", "contains", "inside", "matches", "present"]
"""`inside`: the part is a substring of the operand. `present`: there is such a part, and it is not empty."""


class Atom(NamedTuple):
    """One test. `operand` is a Pattern for `matches`, and ignored for `present`."""

    part: Part
    op: Operator
    operand: str | Pattern
    fold_case: bool
    span: Span


class All(NamedTuple):
    """Every part holds."""

    parts: tuple[Predicate, ...]
    kind: OneOf["all"] = "all"


class Any(NamedTuple):
    """At least one part holds."""

    parts: tuple[Predicate, ...]
    kind: OneOf["any"] = "any"


class Not(NamedTuple):
    """The part does not hold."""

    part: Predicate


class UnknownPredicate(NamedTuple):
    """A test that could not be understood; `reason` is for people.

    `listed`: it compares whole origins with something that could not be read (a list from the environment), so an
    origin that nobody listed fails it for certain.
    """

    reason: str
    span: Span
    listed: bool = False


class PathTest(NamedTuple):
    """Whether the request asks for this: its `path`, or its `url`, which is the path with the query.

    Unknown where nobody says what is asked for: a decision speaks of all requests.
    """

    word: OneOf["path", "url"]
    text: str
    span: Span


class Always(NamedTuple):
    """Holds for every request, with and without an Origin."""

    kind: OneOf["always"] = "always"


Predicate: TypeAlias = Union[Atom, All, Any, Not, PathTest, UnknownPredicate, Always]


class Star(NamedTuple):
    """`Access-Control-Allow-Origin: *`."""

    kind: OneOf["star"] = "star"


class Echo(NamedTuple):
    """The request's own Origin is sent back."""

    kind: OneOf["echo"] = "echo"


class Fixed(NamedTuple):
    """The same text for everybody."""

    text: str
    kind: OneOf["fixed"] = "fixed"


class Own(NamedTuple):
    """The server's own origin for everybody, as it is asked: a text like any other to whoever comes from elsewhere."""

    kind: OneOf["fixed"] = "fixed"


class Nothing(NamedTuple):
    """The request is served without the header."""

    kind: OneOf["nothing"] = "nothing"


class Refuse(NamedTuple):
    """The request is refused; `status` is the HTTP status, 0 where it is not known."""

    status: int
    kind: OneOf["refused"] = "refused"


class Raise(NamedTuple):
    """The library fails: at start-up or on every request."""

    kind: OneOf["raises"] = "raises"


class Hang(NamedTuple):
    """The request is never answered."""

    kind: OneOf["hangs"] = "hangs"


class UnknownAnswer(NamedTuple):
    """Cannot be told; `reason` is for people."""

    reason: str
    kind: OneOf["unknown"] = "unknown"


Answer: TypeAlias = Union[Star, Echo, Fixed, Own, Nothing, Refuse, Raise, Hang, UnknownAnswer]


class Case(NamedTuple):
    """Where the predicate holds and no earlier case's did, this is the answer. `span` is where it is written.

    `option` is how the option came to it (`model/responses.py`, OPTIONS): libraries answer an origin that is not in a
    list otherwise than everybody where they are switched off, though neither gets the header. Empty: not known.
    """

    predicate: Predicate
    answer: Answer
    span: Span
    option: str = ""


class Decision(NamedTuple):
    """Ordered cases; the last one's predicate is `Always`.

    `stand_in`: what is looked at in place of the Origin where it is `null` or missing.
    """

    cases: tuple[Case, ...]
    stand_in: str | None = None


class Witness(NamedTuple):
    """An origin that an attacker can have and that gets through.

    `technique` says how it was made from `trusted`; `span` is the test that lets it pass,
    `test` what that compares with.
    """

    origin: str
    technique: OneOf["suffix", "prefix", "dot", "substring", "subdomain", "other"]
    trusted: str
    span: Span
    test: str = ""


# --- Origins -----------------------------------------------------------------------------------------------------

_ORIGIN = regex(r"(?P<scheme>[a-z][a-z0-9+.-]*)://(?P<hostname>\[[0-9a-f:.]+\]|[^/:?#@\[\]\s]+)(?::(?P<port>\d{1,5}))?")
_SPECIAL = "_!$&'()+,;=~`{}\""
"""What else browsers take in a host name: all that the URL standard allows but `*`, which Chromium writes as `%2A`."""
_LABEL = regex(rf"(?!-)[a-z0-9{re.escape(_SPECIAL)}-]{{1,63}}(?<!-)")
_IPV4 = regex(r"(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.|$)){4}(?<!\.)")
_NUMERIC = regex(r"\d+|0x[0-9a-f]*")
_HOSTS_KNOWN = 8192
"""Hosts of which is remembered what they are: looking for an attacker's origin tries some hundred, and asks again."""
_DEFAULT_PORTS = {"http": "80", "https": "443", "ws": "80", "wss": "443", "ftp": "21"}


class _Parts(NamedTuple):
    scheme: str
    hostname: str
    port: str


def origin_parts(origin: str) -> _Parts | None:
    """Scheme, host name and port (empty where none is written) of an origin; None for `null` and other text."""
    found = _ORIGIN.fullmatch(origin.lower())
    return _Parts(found["scheme"], found["hostname"], found["port"] or "") if found else None


@lru_cache(maxsize=_HOSTS_KNOWN)
def possible_origin(origin: str) -> bool:
    """Whether a browser can send exactly this as the Origin of a page on the web (scheme `http` or `https`).

    By the URL standard's host parser: lower case, no forbidden character, a name whose last label is numeric must be an
    IPv4 address, a port only where it is not the scheme's own.
    """
    found = _ORIGIN.fullmatch(origin)
    if found is None or found["scheme"] not in ("http", "https"):
        return False
    port = found["port"]
    if port is not None and (port.startswith("0") or int(port) > 65535 or port == _DEFAULT_PORTS[found["scheme"]]):
        return False
    return _possible_host(found["hostname"])


def _possible_host(host: str) -> bool:
    if host.startswith("["):
        return True
    labels = host.split(".")
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        return False
    return not _NUMERIC.fullmatch(labels[-1]) or _IPV4.fullmatch(host) is not None


_SHARED_SUFFIXES = frozenset({
    "amazonaws.com", "app.github.dev", "appspot.com", "azurestaticapps.net", "azurewebsites.net", "blogspot.com",
    "cloudfront.net", "codesandbox.io", "csb.app", "deno.dev", "elasticbeanstalk.com", "firebaseapp.com", "fly.dev",
    "github.dev", "github.io", "githubusercontent.com", "gitlab.io", "gitpod.io", "glitch.me", "herokuapp.com",
    "loca.lt", "lovable.app", "lovableproject.com", "netlify.app", "netlify.com", "ngrok-free.app", "ngrok.app",
    "ngrok.io", "now.sh", "onrender.com", "pages.dev", "railway.app", "repl.co", "replit.app", "replit.dev",
    "run.app", "s3.amazonaws.com", "stackblitz.io", "surge.sh", "trycloudflare.com", "up.railway.app", "vercel.app",
    "web.app", "webcontainer.io", "wordpress.com", "workers.dev",
})  # fmt: skip
"""Domains under which anybody can get a name of their own, so that each name below is another site.

The hosting services met most in CORS lists, out of the Public Suffix List.
"""
_SECOND_LEVEL = frozenset({
    "ac", "co", "com", "edu", "go", "gob", "gov", "gv", "ne", "net", "nom", "or", "org",
})  # fmt: skip
_PRIVATE_TLDS = frozenset({
    "localhost", "local", "internal", "lan", "home", "corp", "intranet", "private", "localdomain", "arpa",
})  # fmt: skip
_REGISTERED = regex(r"(?!-)[a-z0-9-]{1,63}(?<!-)")
"""The label that registries sell; below it, names are their owner's to choose."""
_ALPHABETIC_TLD = regex(r"[a-z]{2,63}|xn--[a-z0-9-]+")


def _public_suffix(labels: list[str]) -> int:
    """How many labels at the end belong to everybody."""
    for count in (3, 2):
        if ".".join(labels[-count:]) in _SHARED_SUFFIXES and len(labels) >= count:
            return count
    if len(labels) >= 2 and len(labels[-1]) == 2 and labels[-2] in _SECOND_LEVEL:
        return 2
    return 1


@lru_cache(maxsize=_HOSTS_KNOWN)
def site(host: str) -> str:
    """The registrable domain of a host name: the part that somebody owns."""
    if host.startswith("[") or _IPV4.fullmatch(host):
        return host
    labels = host.strip(".").split(".")
    return ".".join(labels[-(_public_suffix(labels) + 1) :])


def is_loopback(host: str) -> bool:
    """Whether a host name means the machine itself."""
    name = host.lower().strip("[]").rstrip(".")
    return name in ("localhost", "::1", "0.0.0.0") or name.startswith("127.") or name.endswith(".localhost")


@lru_cache(maxsize=_HOSTS_KNOWN)
def _registrable(host: str) -> bool:
    """Whether anybody on the internet could own this host name."""
    labels = host.split(".")
    suffix = _public_suffix(labels)
    if len(labels) <= suffix or labels[-1] in _PRIVATE_TLDS or not _REGISTERED.fullmatch(labels[-suffix - 1]):
        return False
    return _ALPHABETIC_TLD.fullmatch(labels[-1]) is not None


# --- Evaluation --------------------------------------------------------------------------------------------------


def _part(part: Part, origin: str) -> str | None:
    if part == "origin":
        return origin
    found = origin_parts(origin)
    if found is None:
        return None
    scheme, hostname, port = found
    if part == "scheme":
        return scheme
    if part == "hostname":
        return hostname
    default = _DEFAULT_PORTS.get(scheme, "")
    shown = "" if port == default else port
    if part == "port":
        return shown
    if part == "host":
        return f"{hostname}:{shown}" if shown else hostname
    full = port or default or "80"
    spelled = {"address": f"{scheme}://{hostname}:{full}", "endpoint": f"{hostname}:{full}"}
    return spelled.get(part) or (f"{hostname}:*" if part == "any_port" else f"*:{full}")


def _atom_holds(atom: Atom, origin: str, turn: int = 1) -> Tri:
    text = _part(atom.part, origin)
    if text is None:
        # `new URL("null")` throws where `url.parse("null")` gives empty parts.
        return Tri.UNKNOWN if atom.part in ("scheme", "host", "hostname", "port") else Tri.NO
    if atom.op == "present":
        return tri(bool(text))
    operand = atom.operand
    if isinstance(operand, Pattern):
        if atom.op != "matches":
            return Tri.UNKNOWN
        return matches(
            operand._replace(flags=operand.flags + "i") if atom.fold_case and "i" not in operand.flags else operand,
            text,
            turn,
        )
    if atom.op == "matches":
        return Tri.UNKNOWN
    if atom.fold_case:
        text, operand = text.lower(), operand.lower()
    if atom.op == "equals":
        return tri(text == operand)
    if atom.op == "starts":
        return tri(text.startswith(operand))
    if atom.op == "ends":
        return tri(text.endswith(operand))
    return tri(operand in text if atom.op == "contains" else text in operand)


def holds(predicate: Predicate, origin: str | None, turn: int = 1, path: str | None = None) -> Tri:
    """Whether a predicate holds for a request with this Origin; None is a request without the header.

    `turn`: the request comes for that many times in a row. `path`: what it asks for, with the query.
    """
    return _holds(predicate, origin, turn, path, {})


def _holds(predicate: Predicate, origin: str | None, turn: int, path: str | None, known: dict[int, Tri]) -> Tri:
    """`known`: answers by the identity of predicates, which share their parts: what excludes an earlier case is in all
    later ones."""
    if isinstance(predicate, Atom):
        return Tri.NO if origin is None else _atom_holds(predicate, origin, turn)
    if isinstance(predicate, (Not, All, Any)):
        answer = known.get(id(predicate))
        if answer is None:
            if isinstance(predicate, Not):
                answer = ~_holds(predicate.part, origin, turn, path, known)
            else:
                join = all_of if isinstance(predicate, All) else any_of
                answer = join(_holds(part, origin, turn, path, known) for part in predicate.parts)
            known[id(predicate)] = answer
        return answer
    if isinstance(predicate, PathTest):
        asked = path.partition("?")[0] if path is not None and predicate.word == "path" else path
        return Tri.UNKNOWN if asked is None else tri(asked == predicate.text)
    if isinstance(predicate, UnknownPredicate):
        return Tri.NO if predicate.listed and (origin is None or origin in STRANGERS) else Tri.UNKNOWN
    return Tri.YES


def answers(decision: Decision, origin: str | None, turn: int = 1, path: str | None = None) -> tuple[Case, ...]:
    """The cases that may decide about this origin, in order: exactly one where everything is known."""
    if decision.stand_in is not None and origin in (None, "null"):
        origin = decision.stand_in
    found = []
    known: dict[int, Tri] = {}
    for case in decision.cases:
        held = _holds(case.predicate, origin, turn, path, known)
        if held is Tri.NO:
            continue
        found.append(case)
        if held is Tri.YES:
            break
    return tuple(found)


def answer(decision: Decision, origin: str | None, path: str | None = None) -> Answer:
    """What this origin gets; unknown where an undecidable test comes first and the outcomes differ."""
    outcomes = [case.answer for case in answers(decision, origin, path=path)]
    if not outcomes:
        return UnknownAnswer("no case applies")
    if all(outcome == outcomes[0] for outcome in outcomes):
        return outcomes[0]
    unknown = next((outcome for outcome in outcomes if isinstance(outcome, UnknownAnswer)), None)
    return unknown or UnknownAnswer("depends on a test that could not be evaluated")


def accepts(given: Answer, origin: str) -> Tri:
    """Whether this answer lets a page of that origin read the response (credentials aside)."""
    if isinstance(given, UnknownAnswer):
        return Tri.UNKNOWN
    return tri(isinstance(given, (Star, Echo)) or (isinstance(given, Fixed) and given.text in (origin, "*")))


STRANGERS = (
    "https://an-unlisted-stranger.invalid",
    "http://an-unlisted-stranger.invalid",
    "https://an-unlisted-stranger.invalid:8443",
    "http://an-unlisted-stranger.invalid:3000",
)
"""The reserved top level domain keeps them apart from anything that a list could name (RFC 2606)."""


ELSEWHERE = "/…"
"""A path that no test names: who asks chooses what for, and all paths but those are like this one."""


_KNOWN_LIMIT = 100


def _once(work_out: Callable[[Decision], T]) -> Callable[[Decision], T]:
    """Answers about one and the same decision are worked out once: many levels of a proxy share one.

    They are told apart by identity. Comparing them could take for ever, since predicates share their parts.
    """
    known: dict[int, tuple[Decision, T]] = {}

    @wraps(work_out)
    def answered(decision: Decision) -> T:
        found = known.get(id(decision))
        if found is not None and found[0] is decision:
            return found[1]
        if len(known) >= _KNOWN_LIMIT:
            known.clear()
        known[id(decision)] = decision, work_out(decision)
        return known[id(decision)][1]

    return answered


@_once
def to_stranger(decision: Decision) -> Answer:
    """What an origin that nobody listed gets; of a stranger's choices of scheme and port the most generous counts."""
    given = [answer(decision, origin, ELSEWHERE) for origin in STRANGERS]
    for origin, outcome in zip(STRANGERS, given, strict=True):
        if accepts(outcome, origin) is Tri.YES:
            return outcome
    return next((outcome for outcome in given if isinstance(outcome, UnknownAnswer)), given[0])


@_once
def accepts_null(decision: Decision) -> Tri:
    """Whether the origin `null` (sandboxed frames, `data:` pages) may read responses."""
    return accepts(answer(decision, "null", ELSEWHERE), "null")


@_once
def depends_on_origin(decision: Decision) -> Tri:
    """Whether the answer differs between origins: it echoes, or its cases answer differently."""
    reachable: list[Answer] = []
    for case in decision.cases:
        if not isinstance(case.predicate, Any) or case.predicate.parts:
            reachable.append(case.answer)
        if isinstance(case.predicate, Always):
            break
    if any(isinstance(given, Echo) for given in reachable):
        return Tri.YES
    if len({given for given in reachable if not isinstance(given, UnknownAnswer)}) > 1:
        return Tri.YES
    return Tri.UNKNOWN if any(isinstance(given, UnknownAnswer) for given in reachable) else Tri.NO


# --- Witnesses ---------------------------------------------------------------------------------------------------

_Technique = OneOf["suffix", "prefix", "dot", "substring", "subdomain", "other"]
_FRAGMENT_LIMIT = 200
_CANDIDATE_LIMIT = 3000
_ATTACKER = "attacker"
_FRAGMENT = regex(
    r"(?:(?P<scheme>[a-z][a-z0-9+.-]*):/{0,2}|(?P<tail>:?//))?(?P<host>\[[^\]]*\]|[^:/?#]*)(?::(?P<port>\d*))?.*",
    re.DOTALL,
)


class _Fragment(NamedTuple):
    """Something a test trusts: a scheme (empty where it says nothing), a host name or a piece of one, and a port."""

    scheme: str
    host: str
    port: str
    atom: Atom


class _Candidate(NamedTuple):
    origin: str
    host: str
    technique: _Technique
    trusted: str
    atom: Atom


@_once
def witness(decision: Decision) -> Witness | None:
    """An attacker's origin that gets through although strangers do not; None where none was found.

    Origins are made from what the tests trust. One counts only where a browser can send it and where it belongs to
    another registrable domain than everything trusted: `endsWith(".example.com")` lets through subdomains alone.
    """
    if accepts(to_stranger(decision), STRANGERS[0]) is not Tri.NO:
        return None
    atoms = [atom for case in decision.cases for atom in _atoms(case.predicate)]
    if all(atom.op in ("equals", "present") for atom in atoms):
        return None
    fragments = list(_fragments(atoms))
    trusted = {site(_named(fragment.host)) for fragment in fragments if _named(fragment.host)}
    tried: set[str] = set()
    last_resort: Witness | None = None
    for candidate in _candidates(fragments):
        if candidate.origin in tried or not possible_origin(candidate.origin):
            continue
        if len(tried) >= _CANDIDATE_LIMIT:
            break
        tried.add(candidate.origin)
        foreign = _registrable(candidate.host) and site(candidate.host) not in trusted
        if not foreign and (last_resort is not None or not _last_resort(candidate)):
            continue
        if accepts(answer(decision, candidate.origin, ELSEWHERE), candidate.origin) is not Tri.YES:
            continue
        span, test = _passing(decision, candidate)
        found = Witness(candidate.origin, candidate.technique, candidate.trusted, span, test)
        if foreign:
            return found
        last_resort = found
    return last_resort


def any_subdomain(decision: Decision) -> Witness | None:
    """A name below a trusted domain that nobody wrote down and that gets through although strangers do not.

    None where only some names do: what passes has the attacker's word as its first label.
    """
    if accepts(to_stranger(decision), STRANGERS[0]) is not Tri.NO:
        return None
    fragments = list(_fragments(atom for case in decision.cases for atom in _atoms(case.predicate)))
    trusted = {site(_named(fragment.host)) for fragment in fragments if _named(fragment.host)}
    tried: set[str] = set()
    for candidate in _candidates(fragments, (_stretched_before, _filled_in)):
        below = candidate.host.startswith(f"{_ATTACKER}.") and _registrable(candidate.host)
        if not below or candidate.origin in tried or site(candidate.host) not in trusted:
            continue
        if len(tried) >= _CANDIDATE_LIMIT:
            break
        tried.add(candidate.origin)
        if possible_origin(candidate.origin) and _passes(decision, candidate.origin):
            span, test = _passing(decision, candidate)
            return Witness(candidate.origin, "subdomain", site(candidate.host), span, test)
    return None


def _last_resort(candidate: _Candidate) -> bool:
    """A cut off origin counts even where nobody could own it: a list was meant where the text is searched."""
    return candidate.technique == "substring" and candidate.atom.part == "origin"


def _atoms(predicate: Predicate) -> Iterator[Atom]:
    return (part for part in _nodes(predicate) if isinstance(part, Atom))


def _nodes(predicate: Predicate) -> Iterator[Predicate]:
    """The predicate and its parts, from left to right; what several parts share comes once, for it can double."""
    seen: set[int] = set()
    pending = [predicate]
    while pending:
        part = pending.pop()
        if id(part) in seen:
            continue
        seen.add(id(part))
        yield part
        if isinstance(part, Not):
            pending.append(part.part)
        elif isinstance(part, (All, Any)):
            pending.extend(reversed(part.parts))


def _fragments(atoms: Iterable[Atom]) -> Iterator[_Fragment]:
    count = 0
    # Loose tests first: what only equals something cannot let an attacker in, but tells whom else the policy trusts.
    for atom in sorted(atoms, key=lambda atom: atom.op == "equals"):
        if atom.op == "present":
            continue
        for text in _trusted_texts(atom):
            if count >= _FRAGMENT_LIMIT:
                return
            count += 1
            yield _fragment(text.lower(), atom)


def _trusted_texts(atom: Atom) -> Iterable[str]:
    operand = atom.operand
    if isinstance(operand, Pattern):
        return samples(operand)
    if atom.op == "inside":
        # One text may list several origins; each is then a substring of it.
        return [text for text in re.split(r"[\s,]+", operand) if text]
    return (operand,)


def _fragment(text: str, atom: Atom) -> _Fragment:
    if atom.part == "scheme":
        return _Fragment(text, "", "", atom)
    if atom.part == "port":
        return _Fragment("", "", text, atom)
    found = _FRAGMENT.fullmatch(text)
    assert found is not None  # every part of the expression may be empty, and the rest takes anything
    return _Fragment(found["scheme"] or "", found["host"], found["port"] or "", atom)


def _named(host: str) -> str:
    """A piece of a host name without the dots and hyphens it was cut at."""
    return host.strip(".-")


def _candidates(fragments: list[_Fragment], makers: Iterable[_Maker] | None = None) -> Iterator[_Candidate]:
    loose = [fragment for fragment in fragments if fragment.atom.op != "equals"]
    schemes = [scheme for scheme in ("https", "http") if any(fragment.scheme == scheme for fragment in fragments)]
    ports = list(dict.fromkeys(["", *(fragment.port for fragment in fragments if fragment.port)]))[:6]
    every = (_stretched_after, _stretched_before, _swapped_dots, _cut_out, _other_suffix, _filled_in, _odd_character)
    for make in every if makers is None else makers:
        for fragment in loose:
            if not _named(fragment.host):
                continue
            own = [fragment.scheme] if fragment.scheme in ("http", "https") else (schemes or ["https", "http"])
            own_ports = list(dict.fromkeys([fragment.port, *ports]))
            shown = _shown(fragment)
            for host, technique, scheme_found in make(fragment):
                for scheme in (
                    [scheme_found] if scheme_found else [*own, *(s for s in ("https", "http") if s not in own)]
                ):
                    for port in own_ports:
                        origin = f"{scheme}://{host}:{port}" if port else f"{scheme}://{host}"
                        yield _Candidate(origin, host, technique, shown, fragment.atom)


def _shown(fragment: _Fragment) -> str:
    """What was trusted, as far as the test spells it."""
    host = _named(fragment.host)
    port = f":{fragment.port}" if fragment.port else ""
    return f"{fragment.scheme}://{host}{port}" if fragment.scheme else host + port


_Made = Iterator[tuple[str, _Technique, str]]
_Maker = Callable[[_Fragment], _Made]


def _stretched_after(fragment: _Fragment) -> _Made:
    host = fragment.host
    if host.startswith((".", "-")):
        host = "app" + host
    if host.endswith((".", "-")):
        yield f"{host}{_ATTACKER}.test", "suffix", ""
        return
    yield f"{host}.{_ATTACKER}.test", "suffix", ""
    yield f"{host}{_ATTACKER}.test", "suffix", ""


def _stretched_before(fragment: _Fragment) -> _Made:
    host = fragment.host
    if host.startswith("."):
        yield f"{_ATTACKER}{host}", "subdomain", ""
        if isinstance(fragment.atom.operand, Pattern):
            # A dot that matches any character is none: `/.example.com$/`.
            yield f"{_ATTACKER}{host[1:]}", "prefix", ""
        return
    yield f"{_ATTACKER}{host}", "prefix", ""
    if not host.startswith("-"):
        yield f"{_ATTACKER}-{host}", "prefix", ""
        yield f"{_ATTACKER}.{host}", "subdomain", ""


def _swapped_dots(fragment: _Fragment) -> _Made:
    host = fragment.host.strip(".")
    dots = [position for position, char in enumerate(host) if char == "."]
    for position in dots[:-1]:
        yield f"{host[:position]}x{host[position + 1 :]}", "dot", ""


def _cut_out(fragment: _Fragment) -> _Made:
    """Origins that are a piece of the trusted text: shorter host names, and as a last resort shorter ports."""
    if fragment.atom.op != "inside":
        return
    host = fragment.host
    for end in range(len(fragment.port) - 1, 0, -1):
        yield f"{host}:{fragment.port[:end]}", "substring", fragment.scheme
    tails = [host[start:] for start in range(len(host) - 1, 0, -1)]
    heads = [host[:end] for end in range(len(host) - 1, 0, -1)]
    for piece in [*(piece for piece in tails if "." in piece), *heads]:
        yield piece, "substring", fragment.scheme


def _filled_in(fragment: _Fragment) -> _Made:
    """The pattern's own wildcards filled with an attacker's name."""
    operand = fragment.atom.operand
    if isinstance(operand, Pattern):
        for text in samples(operand, _ATTACKER):
            filled = _fragment(text.lower(), fragment.atom)
            yield _named(filled.host), "subdomain", ""
        for text in samples(operand, "attacker.test"):
            filled = _fragment(text.lower(), fragment.atom)
            yield _named(filled.host), "other", ""


def _odd_character(fragment: _Fragment) -> _Made:
    """A name that goes on behind a character which the test does not know from host names."""
    if isinstance(fragment.atom.operand, Pattern):
        host = f"app{fragment.host}" if fragment.host.startswith((".", "-")) else fragment.host
        for character in _SPECIAL:
            yield f"{host.rstrip('.-')}{character}.{_ATTACKER}.test", "suffix", ""


def _other_suffix(fragment: _Fragment) -> _Made:
    labels = _named(fragment.host).split(".")
    if len(labels) > 1:
        yield ".".join([*labels[:-1], "test"]), "other", ""


def _passing(decision: Decision, candidate: _Candidate) -> tuple[Span, str]:
    """Where the test stands that lets the origin through, and what it compares with."""
    if _atom_holds(candidate.atom, candidate.origin) is Tri.YES:
        return candidate.atom.span, _compared(candidate.atom)
    cases = answers(decision, candidate.origin, path=ELSEWHERE)
    for case in cases:
        for atom in _atoms(case.predicate):
            if atom.op != "present" and _atom_holds(atom, candidate.origin) is Tri.YES:
                return atom.span, _compared(atom)
    return cases[-1].span, ""


def tests_at(decision: Decision, found: Witness) -> list[Atom]:
    """The tests at a witness' place: one, where it is clear which of them lets it pass."""
    atoms = (atom for case in decision.cases for atom in _atoms(case.predicate))
    return list(dict.fromkeys(one for one in atoms if one.span == found.span and _compared(one) == found.test))


def fragments(test: Atom) -> Iterator[_Fragment]:
    """What a test trusts."""
    return _fragments((test,))


def _compared(atom: Atom) -> str:
    return f"/{atom.operand.source}/{atom.operand.flags}" if isinstance(atom.operand, Pattern) else atom.operand


# --- Origins without TLS -----------------------------------------------------------------------------------------


class Insecure(NamedTuple):
    """An `http://` origin of another machine that gets through although strangers do not.

    `how`: it is `listed`, a `pattern` that names the scheme lets it in, or a test of the `host` alone. `twin`: the same
    origin with `https://` gets through, too; `beside_https`: some `https://` origin does.
    """

    origin: str
    how: OneOf["listed", "pattern", "host"]
    private: bool
    twin: bool
    beside_https: bool
    span: Span


_INSECURE_LIMIT = 50
_PRIVATE_ADDRESS = regex(r"10\..*|192\.168\..*|172\.(?:1[6-9]|2\d|3[01])\..*|169\.254\..*|\[f[cde].*")


@_once
def insecure(decision: Decision) -> tuple[Insecure, ...]:
    """The `http://` origins that a decision lets in, one for each test that does; none where strangers get through."""
    if accepts(to_stranger(decision), STRANGERS[0]) is not Tri.NO:
        return ()
    found: dict[Span, Insecure] = {}
    secure = False
    seen: set[Atom] = set()
    for atom in (atom for case in decision.cases for atom in _atoms(case.predicate)):
        if atom.op == "present" or atom in seen:
            continue
        seen.add(atom)
        for text in _trusted_texts(atom):
            fragment = _fragment(text.lower(), atom)
            https, http = (_filled(scheme, fragment) for scheme in ("https", "http"))
            twin = _passes(decision, https)
            named = fragment.scheme == "https" or fragment.atom.op != "equals"
            secure = secure or (twin and named)
            how = _names_scheme(atom, fragment)
            host = origin_parts(http)
            if how is None or host is None or is_loopback(host.hostname) or atom.span in found:
                continue
            if len(found) < _INSECURE_LIMIT and _passes(decision, http):
                private = _is_private(host.hostname)
                found[atom.span] = Insecure(http, how, private, twin, False, atom.span)
    return tuple(one._replace(beside_https=secure) for one in found.values())


def _filled(scheme: str, fragment: _Fragment) -> str:
    host = f"app{fragment.host}" if fragment.host.startswith((".", "-")) else fragment.host
    default = fragment.port in ("", _DEFAULT_PORTS[scheme])
    return f"{scheme}://{host}" if default else f"{scheme}://{host}:{fragment.port}"


def _passes(decision: Decision, origin: str) -> bool:
    return possible_origin(origin) and accepts(answer(decision, origin, ELSEWHERE), origin) is Tri.YES


def _names_scheme(atom: Atom, fragment: _Fragment) -> OneOf["listed", "pattern", "host"] | None:
    """How a test comes to let `http://` in; None where it asks for another scheme."""
    if atom.op in ("equals", "inside"):
        return "listed" if fragment.scheme == "http" else None
    if isinstance(atom.operand, Pattern):
        if "http" not in atom.operand.source:
            return "host"
        return "pattern" if fragment.scheme == "http" else None
    if fragment.scheme == "http":
        return "listed"
    return "host" if fragment.scheme == "" and atom.part not in ("scheme", "port") else None


def _is_private(host: str) -> bool:
    """Whether a host is one of a private network: an address, a name of one label, or one under a reserved domain."""
    last = host.rpartition(".")[2]
    return "." not in host or last in _PRIVATE_TLDS or last == "test" or _PRIVATE_ADDRESS.fullmatch(host) is not None


def patterns_of(decision: Decision) -> Iterator[tuple[Pattern, Span]]:
    """The regular expressions that origins are compared with, each where it stands."""
    seen: set[Span] = set()
    for case in decision.cases:
        for atom in _atoms(case.predicate):
            if isinstance(atom.operand, Pattern) and atom.span not in seen:
                seen.add(atom.span)
                yield atom.operand, atom.span


@_once
def sends_several(decision: Decision) -> Tri:
    """Whether more than one origin can be sent: unknown where all that says so is a test that was not understood."""
    texts: set[str] = set()
    unsure = False
    for case in decision.cases:
        given = case.answer
        if isinstance(given, Fixed):
            texts.add(given.text)
        elif isinstance(given, Echo):
            named = _only_texts(case.predicate)
            if named is None and _compares(case.predicate):
                return Tri.YES
            unsure = unsure or named is None
            texts |= named or frozenset()
        elif isinstance(given, (Star, Own)):
            texts.add(given.kind)
        elif isinstance(given, UnknownAnswer):
            unsure = True
    return Tri.YES if len(texts) > 1 else Tri.UNKNOWN if unsure else Tri.NO


def _compares(predicate: Predicate) -> bool:
    """Whether a test of the origin is understood, or it is compared with a list; no test at all is passed by many."""
    return any(
        part.listed
        if isinstance(part, UnknownPredicate)
        else isinstance(part, Always) or (isinstance(part, Atom) and part.op != "present")
        for part in _nodes(predicate)
    )


def _only_texts(predicate: Predicate, known: dict[int, frozenset[str] | None] | None = None) -> frozenset[str] | None:
    """The texts that alone can satisfy a test; None where others may, too. `known`: by the parts' identities."""
    known = {} if known is None else known
    if id(predicate) not in known:
        known[id(predicate)] = _texts_of(predicate, known)
    return known[id(predicate)]


def _texts_of(predicate: Predicate, known: dict[int, frozenset[str] | None]) -> frozenset[str] | None:
    if isinstance(predicate, Atom):
        if predicate.op != "equals" or predicate.part != "origin" or not isinstance(predicate.operand, str):
            return None
        return frozenset({predicate.operand})
    if isinstance(predicate, Any):
        parts = [_only_texts(part, known) for part in predicate.parts]
        return None if any(part is None for part in parts) else frozenset(text for part in parts for text in part or ())
    if isinstance(predicate, All):
        return next((found for part in predicate.parts if (found := _only_texts(part, known)) is not None), None)
    return None
