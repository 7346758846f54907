"""A test that lets an attacker in, made narrower: what stands in its place, where that can be proven.

A candidate is kept only if no attacker's origin was found that passes it (`witness`), and if every origin that the test
was there for still passes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from corslint.model.decisions import (
    All,
    Any,
    Atom,
    Decision,
    Not,
    Predicate,
    Witness,
    accepts,
    answer,
    fragments,
    is_loopback,
    possible_origin,
    tests_at,
    witness,
)
from corslint.model.patterns import Pattern, valid
from corslint.model.tri import Tri
from corslint.records import NamedTuple
from corslint.regexes import regex

_SUBDOMAINS = "(?:[a-z0-9-]+[.])*"
_PORT = "(?::[0-9]+)?"
_BARE_DOT = regex(r"(?<=[\w-])\.(?=[\w-])")
_UNESCAPED_SLASH = regex(r"(?<!\\)((?:\\\\)*)/")
_OPEN_SCHEME = regex(r"https[?]:")


class Narrowed(NamedTuple):
    """Source text for the place of a test.

    `around`: what comes before and behind the source of what is tested (`origin`, `url.hostname`), None where the
    test's place is a pattern or a text alone, which `text` then replaces.
    """

    text: str
    around: tuple[str, str] | None = None


def narrowed(decision: Decision, found: Witness, language: str) -> Narrowed | None:
    """What to write in place of the test that the witness passes; None where nothing can be proven."""
    weak = tests_at(decision, found)
    if len(weak) != 1:
        return None
    trusted = [
        origin
        for origin in _trusted(weak[0])
        if accepts(answer(decision, origin), origin) is Tri.YES and possible_origin(origin)
    ]
    if not trusted:
        return None
    for predicate, text in _candidates(weak[0], language):
        after = _replaced(decision, weak[0], predicate)
        kept = all(accepts(answer(after, origin), origin) is Tri.YES for origin in trusted)
        if kept and witness(after) is None:
            return text
    return None


def _trusted(test: Atom) -> Iterator[str]:
    """Origins that the test was written for: what it spells, and names below that where it looks at the end only."""
    open_start = test.op in ("ends", "contains")
    if isinstance(test.operand, Pattern):
        open_start = test.operand.mode == "search" and not test.operand.source.startswith("^")
    for part in fragments(test):
        name = part.host.strip(".-")
        if not name or ("." not in name and not is_loopback(name)):
            continue
        hosts = [f"app{part.host}" if part.host.startswith((".", "-")) else part.host]
        if open_start and not is_loopback(name):
            hosts.append(f"app.{name}")
        schemes = [part.scheme] if part.scheme in ("https", "http") else ["https"]
        ports = [part.port, "3000"] if is_loopback(name) else [part.port]
        for host in hosts:
            for scheme in [*schemes, "http"] if is_loopback(name) else schemes:
                yield from (f"{scheme}://{host}:{port}" if port else f"{scheme}://{host}" for port in ports)


def _candidates(test: Atom, language: str) -> Iterator[tuple[Predicate, Narrowed]]:
    """Narrower tests, the one most like it first."""
    if isinstance(test.operand, Pattern):
        for source in _patterns(test.operand):
            pattern = test.operand._replace(source=source)
            if valid(pattern):
                yield test._replace(operand=pattern), Narrowed(_literal(source, pattern.flags, language))
    elif test.op == "inside" and test.part == "origin":
        yield from _list_of(test, test.operand, language)
    elif test.op in ("starts", "ends", "contains") and test.part in ("origin", "host", "hostname"):
        yield from _texts(test, test.operand, language)


def _list_of(test: Atom, text: str, language: str) -> Iterator[tuple[Predicate, Narrowed]]:
    """The origins that a text holds, as a list."""
    quote = '"' if language == "python" else "'"
    pieces = [piece for piece in re.split(r"[\s,;]+", text) if piece]
    if not any(character in text for character in "\"'\\"):
        same = Any(tuple(test._replace(op="equals", operand=piece) for piece in pieces))
        yield same, Narrowed(f"[{', '.join(f'{quote}{piece}{quote}' for piece in pieces)}]")


def _patterns(pattern: Pattern) -> Iterator[str]:
    """Patterns with their dots escaped, anchored, and with the scheme before the host."""
    slash = r"\/" if pattern.dialect == "ecmascript" and r"\/" in pattern.source else "/"
    body = pattern.source.removeprefix("^")
    body = body[:-1] if body.endswith("$") and not body.endswith("\\$") else body
    for once in dict.fromkeys((body, _OPEN_SCHEME.sub("https:", body))):
        for inner in dict.fromkeys((once, _BARE_DOT.sub(r"\.", once), _BARE_DOT.sub(r"\.", once.removeprefix(".")))):
            whole = f"(?:{inner})" if _has_choice(inner) else inner
            yield f"^{whole}$"
            yield f"^{whole}{_PORT}$"
            if ":" not in inner:
                yield f"^https:{slash}{slash}{whole}$"
                yield f"^https:{slash}{slash}{_SUBDOMAINS}{whole.removeprefix(chr(92) + '.')}$"


def _has_choice(source: str) -> bool:
    """Whether a `|` stands outside of all groups, so that anchors would belong to one side of it alone."""
    outside = re.sub(r"\\.|\[(?:\\.|[^\]])*\]", "", source)
    while (inner := re.sub(r"\([^()]*\)", "", outside)) != outside:
        outside = inner
    return "|" in outside


def _texts(test: Atom, text: str, language: str) -> Iterator[tuple[Predicate, Narrowed]]:
    """Narrower comparisons with a text, as calls on what is tested."""
    quote, equals = ('"', " == ") if language == "python" else ("'", " === ")
    ends = "endswith" if language == "python" else "endsWith"
    if quote in text or "\\" in text:
        return

    def comparison(op: str, operand: str) -> tuple[Atom, str]:
        atom = test._replace(op="equals" if op == "equals" else "ends", operand=operand)
        return atom, f"{equals}{quote}{operand}{quote}" if op == "equals" else f".{ends}({quote}{operand}{quote})"

    if test.op == "starts":
        atom, source = comparison("equals", text)
        yield atom, Narrowed("", ("(", f"{source})"))
    if test.op == "ends" and not text.startswith("."):
        atom, source = comparison("ends", f".{text}")
        yield atom, Narrowed("", ("", source))
    if language == "javascript":
        for pattern in _spelled(test, text):
            if valid(pattern):
                tested = test._replace(op="matches", operand=pattern)
                literal = _literal(pattern.source, pattern.flags, language)
                yield tested, Narrowed("", (f"{literal}.test(", ")"))


def _spelled(test: Atom, text: str) -> Iterator[Pattern]:
    """The text as a pattern of whole origins, or of whole hosts."""
    flags = "i" if test.fold_case else ""
    inner = re.sub(r"[.*+?^${}()|\[\]\\]", r"\\\g<0>", text)
    name = inner.removeprefix(r"\.")
    sources = []
    if test.op == "starts" or "://" in text:
        sources += [f"^{inner}$", f"^{inner}{_PORT}$"]
    elif test.part == "origin":
        sources += [f"^https:[/][/]{_SUBDOMAINS}{name}$", f"^https?:[/][/]{name}{_PORT}$"]
    else:
        sources += [f"^{_SUBDOMAINS}{name}$"]
    for source in sources:
        yield Pattern(source, flags, "ecmascript", "search")


def _literal(source: str, flags: str, language: str) -> str:
    if language != "javascript":
        quote = "'" if '"' in source else '"'
        return f"r{quote}{source}{quote}"
    # A slash needs a backslash between slashes; in a class, as some write it, it would need none.
    plain = source.replace("[/]", "/").replace("[.]", r"\.").replace("[0-9]", r"\d")
    escaped = _UNESCAPED_SLASH.sub(r"\1\/", plain)
    return f"/{escaped}/{flags}"


def _replaced(decision: Decision, old: Atom, new: Predicate) -> Decision:
    known: dict[int, Predicate] = {}

    def put(predicate: Predicate) -> Predicate:
        if isinstance(predicate, Atom):
            return new if predicate == old else predicate
        if not isinstance(predicate, (Not, All, Any)):
            return predicate
        if id(predicate) not in known:
            if isinstance(predicate, Not):
                known[id(predicate)] = Not(put(predicate.part))
            else:
                known[id(predicate)] = predicate._replace(parts=tuple(map(put, predicate.parts)))
        return known[id(predicate)]

    return decision._replace(cases=tuple(case._replace(predicate=put(case.predicate)) for case in decision.cases))
