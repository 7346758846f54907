"""What single levels of nginx say about response headers: for which statuses, in which `if`, with which arguments.

These facts need no request: whatever takes effect of the lines, they do not do what they were written for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from corslint.behaviour.nginx_answers import origins_of
from corslint.behaviour.nginx_levels import Level, Unit, added_headers, nearest
from corslint.behaviour.nginx_lines import HeaderLine, head, header_lines, replaced, title, tri_field, written
from corslint.behaviour.nginx_origins import Scope, compile_condition, variables
from corslint.behaviour.nginx_rewrite import handles
from corslint.behaviour.nginx_variables import is_built_in
from corslint.model.cors_headers import ALLOW_CREDENTIALS, ALLOW_ORIGIN
from corslint.model.decisions import Always, Case, Decision, Nothing, Predicate, UnknownPredicate, holds
from corslint.model.facts import Fact, Field
from corslint.model.patterns import Pattern, matches
from corslint.model.reading import Directive, Word
from corslint.model.tri import Tri, any_of, tri
from corslint.records import NamedTuple
from corslint.source import Span

_COMMON = {"framework": written("nginx"), "language": written("nginx")}

_CARRIES = frozenset((200, 201, 204, 206, 301, 302, 303, 304, 307, 308))
"""The statuses with which nginx sends an `add_header` without `always` (ngx_http_headers_filter_module.c)."""

_BODILESS = frozenset((204, 304, 444))


def level_facts(unit: Unit, level: Level) -> Iterator[Fact]:
    """The facts about the lines that stand on one level itself."""
    lines = header_lines(level.own("add_header"))
    if lines:
        yield from _without_always(level, lines)
        yield from _about_bodies(level, lines)
    for key in ("add_header", "proxy_set_header"):
        for line in level.own(key):
            if len(line.arguments) != 2 or ":" in line.arguments[0].text:  # else there is nothing to refuse
                yield from _arguments(line)
    if level.kind in ("location", "snippet") and level.ifs:
        yield from _lost_in_ifs(unit, level)


# --------------------------------------------------------------------------------------------------------------- always


def _without_always(level: Level, lines: Sequence[HeaderLine]) -> Iterator[Fact]:
    """The CORS lines of a level that nginx leaves out of errors."""
    found = {}
    for name, field in ((ALLOW_ORIGIN, "origin"), (ALLOW_CREDENTIALS, "credentials")):
        mine = [line for line in lines if line.name == name and line.text]
        if len(mine) == 1 and len(mine[0].line.arguments) == 2:
            found[field] = mine[0]
    if not found:
        return
    place = next(iter(found.values())).line.span
    fields = {field: written(line.text, line.value.span) for field, line in found.items()}
    fields["fails"] = tri_field(_in_effect(level, _can_fail), place)
    fields["proxied"] = tri_field(_in_effect(level, _passes_on), place)
    yield Fact("line_without_always", place, {**_COMMON, **fields})


def _can_fail(level: Level) -> Tri:
    """Whether a level's answers can have a status that leaves such lines out."""
    status = _returned(level)
    return Tri.YES if status is None else tri(status not in _CARRIES)


def _passes_on(level: Level) -> Tri:
    if _returned(level) is not None:
        return Tri.NO
    if handles(level):
        return Tri.YES
    if level.kind == "if" and level.parent is not None:
        return _passes_on(level.parent)
    return Tri.NO if level.complete else Tri.UNKNOWN


def _in_effect(level: Level, asked: Callable[[Level], Tri]) -> Tri:
    """Whether something holds of a level, or of one that inherits its lines."""
    if _is_overtaken(level):
        return Tri.NO
    answers: list[Tri] = []
    if level.kind not in ("http", "server") or not level.locations:
        answers.append(asked(level))
    for child in level.children:
        if child.kind in ("server", "location", "if") and not child.own("add_header"):
            if child.kind != "if" or level.kind != "server":
                answers.append(_in_effect(child, asked))
    return any_of(answers)


def _is_overtaken(level: Level) -> bool:
    """Whether a later `if` with the very same test takes every request of an `if` over: its own lines are never sent.

    Measured with nginx 1.22.1, where the first of two `if ($request_method = 'OPTIONS')` adds headers and the second
    returns.
    """
    around, block = level.parent, level.directive
    if level.kind != "if" or around is None or around.kind == "server" or block is None:
        return False
    if not level.by_key.keys().isdisjoint(("return", "break", "rewrite")):
        return False
    test = tuple(word.text for word in block.arguments)
    if around.last_ifs[test] is level:
        return False
    return not any(name in around.sets for text in test for name in variables(text))


def _returned(level: Level) -> int | None:
    """The status of a `return` that every request to this level meets."""
    for line in level.own("return"):
        text = line.arguments[0].text if line.arguments else ""
        return int(text) if re.fullmatch(r"\d{3}", text) else 302
    return None


# --------------------------------------------------------------------------------------------------------------- bodies


def _about_bodies(level: Level, lines: Sequence[HeaderLine]) -> Iterator[Fact]:
    """`Content-Type` and `Content-Length` beside those that belong to the body."""
    for line in lines:
        if line.name not in ("content-type", "content-length") or not line.text:
            continue
        body = _in_effect(level, _has_body)
        if body is not Tri.YES:
            continue
        returns = _in_effect(level, lambda one: tri(_returned(one) is not None))
        fields = {
            "name": written(line.line.arguments[0].text, line.line.arguments[0].span),
            "what": written("type" if line.name == "content-type" else "length", line.line.span),
            "value": written(line.text, line.value.span),
            "returned": tri_field(returns, line.line.span),
            "proxied": tri_field(_in_effect(level, _passes_on), line.line.span),
        }
        yield Fact("content_header", line.line.span, {**_COMMON, **fields})


def _has_body(level: Level) -> Tri:
    status = _returned(level)
    if status is not None:
        return tri(status not in _BODILESS)
    hidden = nearest(level, "proxy_hide_header")
    if not hidden.sure or any(
        word.text.lower() == "content-type" for one in hidden.directives for word in one.arguments
    ):
        return Tri.UNKNOWN
    opaque = any(re.search(r"_by_lua|^js_|^perl$|^empty_gif$", key) for key in level.by_key)
    return Tri.UNKNOWN if opaque or not level.complete else Tri.YES


# ------------------------------------------------------------------------------------------------------------ arguments


def _arguments(line: Directive) -> Iterator[Fact]:
    """A line whose arguments nginx refuses, or takes otherwise than they are meant."""
    words = line.arguments
    if not words:
        return
    whole = Span(line.span.path, words[0].span.start, words[-1].span.end)
    fields: dict[str, Field] = {
        "directive": written(line.key, line.name.span),
        "name": written(words[0].text, words[0].span),
    }
    name, colon, rest = words[0].text.partition(":")
    if colon and re.fullmatch(r"[\w-]+", name):
        fields |= {"defect": written("colon", words[0].span), "arguments": written(words[0].text, whole)}
        fields |= _apart(name, rest.strip(), words)
    elif line.key == "add_header" and len(words) > 2 and not (len(words) == 3 and words[2].text == "always"):
        kept = words[1:-1] if words[-1].text == "always" else words[1:]
        one = kept[-1] if len(kept) == 2 and kept[1].text.lower() == "always" else None
        tail = " always" if words[-1].text == "always" else ""
        text = " ".join(word.text for word in kept)
        fields["defect"] = written("parameter" if one is not None else "list", kept[1].span if len(kept) > 1 else whole)
        fields["arguments"] = written(text, whole)
        if one is not None:
            fields["corrected"] = written(f"{words[0].text} {_spelled(words[1])} always", whole)
        elif not any(mark in text for mark in '"\\') and not any(word.quote for word in kept):
            fields["corrected"] = written(f'{words[0].text} "{text}"{tail}', whole)
    else:
        return
    yield Fact("header_argument", line.span, {**_COMMON, **fields})


def _apart(name: str, inside: str, words: Sequence[Word]) -> dict[str, Field]:
    """The arguments as they are meant: the name without its colon, and the value from the same word or the next."""
    whole = Span(words[0].span.path, words[0].span.start, words[-1].span.end)
    tail = [word for word in words[1:] if word.text == "always"]
    values = [word for word in words[1:] if word.text != "always"]
    if len(tail) > 1 or len(values) + bool(inside) != 1 or re.search(r"[\"\\]", inside):
        return {}
    value = f'"{inside}"' if re.search(r"[\s;{}'#]", inside) else inside or _spelled(values[0])
    return {"corrected": written(" ".join([name, value, *("always" for _ in tail)]), whole)}


def _spelled(word: Word) -> str:
    """A word as it can be written again."""
    if not word.quote:
        return word.text
    return word.quote + word.text.replace("\\", "\\\\").replace(word.quote, "\\" + word.quote) + word.quote


# ------------------------------------------------------------------------------------------------------------------ ifs


_MOST_EARLIER = 100
"""So many of the `if`s before one that add the same header are asked whether both can hold."""


class _Branch(NamedTuple):
    level: Level
    condition: Directive


def _lost_in_ifs(unit: Unit, location: Level) -> Iterator[Fact]:
    """What requests lose because the last `if` that holds takes over, with its own lines or with none.

    An `if` is a level of its own: of several that hold the last one counts, and what earlier ones add is gone
    (knowledge: nginx.md 2, B1 and B2, measured). Preflights are asked about elsewhere.
    """
    branches = [_Branch(child, child.directive) for child in location.ifs if child.directive is not None]
    adding: dict[str, list[tuple[_Branch, HeaderLine]]] = {ALLOW_ORIGIN: [], ALLOW_CREDENTIALS: []}
    for branch in branches:
        earlier = {name: every[-_MOST_EARLIER:] for name, every in adding.items()}
        _note_lines(branch, adding)
        if not _goes_on(branch.level) or not branch.level.complete or not _for_requests(branch):
            continue
        mine = _sent_names(branch.level)
        own = header_lines(branch.level.own("add_header"))
        for name in (ALLOW_ORIGIN, ALLOW_CREDENTIALS):
            lost = None if name in mine else _lost(unit, location, earlier[name], branch, name)
            if lost is None or (name == ALLOW_CREDENTIALS and ALLOW_ORIGIN not in mine):
                continue
            by = own[0].line.span if own else head(branch.level)
            fields = {
                "name": written(lost.line.arguments[0].text.partition(":")[0], lost.line.span),
                "by": written(own[0].line.arguments[0].text if own else "", by),
                "condition": written(title(branch.level), head(branch.level)),
                "replaces": tri_field(tri(bool(own)), by),
            }
            yield Fact("lost_in_if", by, {**_COMMON, **fields})
            break


def _note_lines(branch: _Branch, adding: Mapping[str, list[tuple[_Branch, HeaderLine]]]) -> None:
    """Add the first line of each of these headers that a branch sends unless a later one takes over."""
    if not _goes_on(branch.level) or "break" in branch.level.by_key:
        return
    for line in reversed(header_lines(branch.level.own("add_header"))):
        every = adding.get(line.name)
        if every is not None and line.text:
            if every and every[-1][0] is branch:
                every.pop()
            every.append((branch, line))


def _lost(
    unit: Unit, location: Level, earlier: Sequence[tuple[_Branch, HeaderLine]], branch: _Branch, name: str
) -> HeaderLine | None:
    """The line that the requests of a branch would get without it: an earlier branch's, or the location's own."""
    scope = Scope(unit, location)
    for one, line in reversed(earlier):
        if _together(one.condition, branch.condition, scope) is Tri.YES:
            return line
    if branch.level.own("add_header"):
        around = added_headers(location)
        found = [line for line in header_lines(around.directives) if line.name == name and line.text]
        return found[0] if found and around.sure else None
    return None


def _sent_names(level: Level) -> set[str]:
    lines = [*header_lines(added_headers(level).directives), *replaced(level)]
    return {line.name for line in lines if line.text}


def _goes_on(level: Level) -> bool:
    """Whether requests that an `if` takes are answered by the location's own content, under the `if`'s settings."""
    leaves = any(len(line.arguments) < 3 or line.arguments[2].text != "break" for line in level.own("rewrite"))
    return "return" not in level.by_key and not leaves


def _for_requests(branch: _Branch) -> bool:
    """Whether other requests than preflights meet the condition."""
    methods = _methods(branch.condition.arguments)
    return methods is None or bool(methods)


_ASKED = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")


def _methods(words: Sequence[Word]) -> frozenset[str] | None:
    """The methods, without OPTIONS, for which a condition holds; None where it asks for something else."""
    if len(words) != 3 or words[0].text not in ("$request_method", "${request_method}"):
        return None
    operator, operand = words[1].text, words[2].text
    if operator in ("=", "!=") and not variables(operand):
        return frozenset(one for one in _ASKED if (one == operand) is (operator == "="))
    if operator.lstrip("!") in ("~", "~*"):
        pattern = Pattern(operand, "i" if operator.endswith("*") else "", "pcre", "search")
        answers = {one: matches(pattern, one) for one in _ASKED}
        if Tri.UNKNOWN not in answers.values():
            wanted = Tri.NO if operator.startswith("!") else Tri.YES
            return frozenset(one for one, answer in answers.items() if answer is wanted)
    return None


def _together(first: Directive, second: Directive, scope: Scope) -> Tri:
    """Whether two conditions can hold for one request that is no preflight."""
    methods = [_methods(one.arguments) for one in (first, second)]
    if methods[0] is not None and methods[1] is not None:
        return tri(bool(methods[0] & methods[1]))
    if any(one is not None and not one for one in methods):
        return Tri.NO
    origins = [compile_condition(one.arguments, scope) for one in (first, second)]
    if not any(isinstance(one, UnknownPredicate) for one in origins):
        return Tri.YES if _some_origin(origins[0], origins[1], first.name.span) else Tri.UNKNOWN
    subjects = [_subject(one) for one in (first, second)]
    known = [
        methods[number] is not None or not isinstance(origins[number], UnknownPredicate) or subjects[number] is not None
        for number in (0, 1)
    ]
    return Tri.YES if all(known) and subjects[0] != subjects[1] else Tri.UNKNOWN


def _subject(condition: Directive) -> str | None:
    """The variable of nginx's own that a condition asks for; None where it is another, or a test of files."""
    words = condition.arguments
    names = variables(words[0].text) if words else []
    if len(names) != 1 or not is_built_in(names[0]):
        return None
    return names[0].lower()


def _some_origin(first: Predicate, second: Predicate, place: Span) -> bool:
    cases = (Case(first, Nothing(), place), Case(second, Nothing(), place), Case(Always(), Nothing(), place))
    origins = origins_of([Decision(cases)])
    return any(holds(first, one) is Tri.YES and holds(second, one) is Tri.YES for one in origins if one is not None)
