"""Regular expressions of three dialects: matched in bounded time, and samples of what they accept.

Each pattern is matched by an engine of its own dialect: `regress` (ECMAScript), `re` (Python), `regex` (PCRE).
`regex` takes a time limit; the other two cannot be interrupted. A pattern that could backtrack a lot is therefore tried
first on a small backtracking machine that counts its steps: the machine explores alternatives in the same order as the
real engines, so a pattern and subject that stay within the budget there stay cheap in the real engine too. Past the
budget the answer is unknown. Invalid patterns, and ones too large to compile safely, are unknown as well.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterable
from functools import lru_cache
from itertools import islice
from typing import Any, TypeAlias, Union, cast
from typing import Literal as OneOf

from corslint.model.tri import Tri, tri
from corslint.records import NamedTuple
from corslint.regexes import regex

Dialect = OneOf["ecmascript", "python", "pcre"]
Mode = OneOf["search", "match", "full"]


class Pattern(NamedTuple):
    """A regular expression and how it is applied: `search` anywhere, `match` at the start, `full` to the whole text.

    `stateful`: with the flag `g` or `y` of ECMAScript each test goes on where the last one ended, and nobody resets it.
    """

    source: str
    flags: str
    dialect: Dialect
    mode: Mode
    stateful: bool = False


_SUBJECT_LIMIT = 300
"""Longest text matched; origins are far shorter."""
_SOURCE_LIMIT = 4000
_PROGRAM_LIMIT = 5000
"""Most instructions that counted repetitions may unroll to."""
_STEP_LIMIT = 60_000
_PCRE_SECONDS = 0.1
_STRIKE_LIMIT = 3
"""A pattern that was too expensive this often is not tried again: a file of such patterns must not cost minutes."""
_DEPTH_LIMIT = 40
_SAMPLE_LIMIT = 48


# --- Syntax ------------------------------------------------------------------------------------------------------


class _Set(NamedTuple):
    ranges: tuple[tuple[int, int], ...]
    negated: bool
    wild: bool = False  # written as a bare dot


class _Assert(NamedTuple):
    kind: OneOf["start", "end", "word", "not-word"]


class _Look(NamedTuple):
    item: _Node
    negated: bool


class _Seq(NamedTuple):
    items: tuple[_Node, ...]


class _Alt(NamedTuple):
    branches: tuple[_Node, ...]


class _Repeat(NamedTuple):
    item: _Node
    low: int
    high: int | None
    lazy: bool


_Node: TypeAlias = Union[_Set, _Assert, _Look, _Seq, _Alt, _Repeat]

_DIGIT = ((48, 57),)
_WORD = ((48, 57), (65, 90), (95, 95), (97, 122))
_SPACE = ((9, 13), (32, 32), (160, 160))
_CLASSES = {
    "d": (_DIGIT, False),
    "D": (_DIGIT, True),
    "w": (_WORD, False),
    "W": (_WORD, True),
    "s": (_SPACE, False),
    "S": (_SPACE, True),
}
_CONTROL = {"t": 9, "n": 10, "v": 11, "f": 12, "r": 13, "0": 0}
_TOP = 0x10FFFF
_COUNTED = regex(r"\{(\d*)(,?)(\d*)\}")


class _UnsupportedError(Exception):
    """Syntax that is left to the real engine alone: back references, look-behind, property classes, conditionals.

    What the machine reads otherwise than the engine would be let loose on texts that only the engine takes long for.
    """


def _complement(ranges: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    found = []
    at = 0
    for low, high in sorted(ranges):
        if low > at:
            found.append((at, low - 1))
        at = max(at, high + 1)
    if at <= _TOP:
        found.append((at, _TOP))
    return tuple(found)


class _Parser:
    def __init__(self, source: str, dialect: Dialect, flags: str) -> None:
        self.source = source
        self.dialect = dialect
        self.verbose = "x" in flags and dialect != "ecmascript"
        self.by_code_points = dialect != "ecmascript" or not {"u", "v"}.isdisjoint(flags)
        self.sets = "v" in flags and dialect == "ecmascript"
        self.at = 0
        self.fold = "i" in flags

    def parse(self) -> _Node:
        node = self.alternatives(0)
        if self.at < len(self.source):
            raise _UnsupportedError("unbalanced parenthesis")
        return node

    def alternatives(self, depth: int) -> _Node:
        if depth > _DEPTH_LIMIT:
            raise _UnsupportedError("nested too deeply")
        branches = [self.sequence(depth)]
        while self.source.startswith("|", self.at):
            self.at += 1
            branches.append(self.sequence(depth))
        return branches[0] if len(branches) == 1 else _Alt(tuple(branches))

    def sequence(self, depth: int) -> _Node:
        items: list[_Node] = []
        source = self.source
        while self.at < len(source) and source[self.at] not in "|)":
            if self.verbose and (source[self.at].isspace() or source[self.at] == "#"):
                self.at = source.find("\n", self.at) if source[self.at] == "#" else self.at + 1
                if self.at == -1:
                    self.at = len(source)
                continue
            atom = self.atom(depth)
            if atom is not None:
                items.append(self.quantified(atom))
        return items[0] if len(items) == 1 else _Seq(tuple(items))

    def quantified(self, atom: _Node) -> _Node:
        source = self.source
        mark = source[self.at : self.at + 1]
        if mark in ("*", "+", "?") and mark:
            low, high = {"*": (0, None), "+": (1, None), "?": (0, 1)}[mark]
            self.at += 1
        elif (
            mark == "{"
            and (counted := _COUNTED.match(source, self.at))
            and (counted[1] or (counted[3] and self.dialect == "python"))
        ):
            low = int(counted[1] or 0)
            high = low if not counted[2] else (int(counted[3]) if counted[3] else None)
            self.at = counted.end()
        else:
            return atom
        lazy = source.startswith("?", self.at)
        if lazy or (source.startswith("+", self.at) and self.dialect != "ecmascript"):
            self.at += 1
        return _Repeat(atom, low, high, lazy)

    def atom(self, depth: int) -> _Node | None:
        source = self.source
        char = source[self.at]
        self.at += 1
        if char == "(":
            return self.group(depth)
        if char == "[":
            return self.bracket()
        if char == "\\":
            return self.escape()
        if char == "^":
            return _Assert("start")
        if char == "$":
            return _Assert("end")
        if char == ".":
            return _Set(((10, 10), (13, 13)), True, True)
        return _Set(((ord(char), ord(char)),), False)

    def group(self, depth: int) -> _Node | None:
        source = self.source
        look: bool | None = None
        if source.startswith("?", self.at):
            head = source[self.at : self.at + 3]
            if head.startswith(("?:", "?>")):
                self.at += 2
            elif head[:2] in ("?=", "?!"):
                look = head[1] == "!"
                self.at += 2
            elif named := re.compile(r"\?P?<[A-Za-z_$][\w$]*>|\?'\w+'").match(source, self.at):
                self.at = named.end()
            elif flags := re.compile(r"\?([aimsux]*)(?:-[imsx]+)?([:)])").match(source, self.at):
                if "x" in flags[1]:
                    raise _UnsupportedError("verbose part")
                self.fold = self.fold or "i" in flags[1]
                self.at = flags.end()
                if flags[2] == ")":
                    return None
            else:
                raise _UnsupportedError(head)
        inner = self.alternatives(depth + 1)
        if not source.startswith(")", self.at):
            raise _UnsupportedError("unbalanced parenthesis")
        self.at += 1
        return inner if look is None else _Look(inner, look)

    def escape(self) -> _Node:
        source = self.source
        char = source[self.at : self.at + 1]
        if not char:
            raise _UnsupportedError("lone backslash")
        if char in _CLASSES:
            self.at += 1
            return _Set(*_CLASSES[char])
        if char in "bB":
            self.at += 1
            return _Assert("word" if char == "b" else "not-word")
        if self.dialect != "ecmascript" and char in "AzZ":
            self.at += 1
            return _Assert("start" if char == "A" else "end")
        code = self.character()
        return _Set(((code, code),), False)

    def character(self) -> int:
        """The code point of an escape whose backslash was read."""
        source = self.source
        char = source[self.at]
        self.at += 1
        if char == "u" and not self.by_code_points and source.startswith("{", self.at):
            raise _UnsupportedError("repeated letter")  # `\u{61}` is 61 times `u` without the flag `u`
        if coded := re.compile(r"x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|u\{([0-9A-Fa-f]{1,6})\}").match(
            source, self.at - 1
        ):
            self.at = coded.end()
            return int(coded[1] or coded[2] or coded[3], 16)
        if char in _CONTROL:
            return _CONTROL[char]
        if char.isalnum():
            raise _UnsupportedError("escape " + char)
        return ord(char)

    def bracket(self) -> _Node:
        source = self.source
        negated = source.startswith("^", self.at)
        self.at += negated
        ranges: list[tuple[int, int]] = []
        first = self.dialect != "ecmascript"
        while True:
            char = source[self.at : self.at + 1]
            if not char:
                raise _UnsupportedError("open bracket")
            if char == "]" and not first:
                self.at += 1
                return _Set(tuple(ranges), negated)
            first = False
            if char == "[" and (self.sets or source.startswith("[:", self.at)):
                raise _UnsupportedError("named class, or a set in a set")
            if self.sets and source.startswith(("&&", "--", "\\q"), self.at):
                raise _UnsupportedError("operation on sets")
            low = self.member(ranges)
            if low is None or not (
                source.startswith("-", self.at) and source[self.at + 1 : self.at + 2] not in ("]", "")
            ):
                if low is not None:
                    ranges.append((low, low))
                continue
            self.at += 1
            high = self.member(ranges)
            if high is None:
                ranges += [(low, low), (45, 45)]
            elif high < low:
                raise _UnsupportedError("range out of order")
            else:
                ranges.append((low, high))

    def member(self, ranges: list[tuple[int, int]]) -> int | None:
        """One character inside brackets; a class such as "digit" goes straight into `ranges`."""
        source = self.source
        char = source[self.at]
        self.at += 1
        if char != "\\":
            return ord(char)
        kind = source[self.at : self.at + 1]
        if kind in _CLASSES and kind:
            self.at += 1
            members, negated = _CLASSES[kind]
            ranges.extend(_complement(members) if negated else members)
            return None
        if kind == "b":
            self.at += 1
            return 8
        if not kind:
            raise _UnsupportedError("lone backslash")
        return self.character()


_FOREIGN = regex(r"\\(?:x[89A-Fa-f]|u|U|N)")
"""Escapes of characters beyond ASCII, or that may be."""


class _Parsed(NamedTuple):
    node: _Node
    fold: bool


@lru_cache(maxsize=512)
def _parsed(source: str, flags: str, dialect: Dialect) -> _Parsed | None:
    if len(source) > _SOURCE_LIMIT:
        return None
    parser = _Parser(source, dialect, flags)
    try:
        node = parser.parse()
    except _UnsupportedError:
        return None
    if parser.fold and not (source.isascii() and _FOREIGN.search(source) is None):
        return None  # U+017F is an `s` where case does not count, U+212A a `k`
    return _Parsed(node, parser.fold)


# --- Counting steps ----------------------------------------------------------------------------------------------

_Test = Callable[[str], bool]
_Step: TypeAlias = tuple[str, object, object]


class _TooLargeError(Exception):
    pass


def _member_test(item: _Set, fold: bool) -> _Test:
    ranges, negated = item.ranges, item.negated

    def test(char: str) -> bool:
        points = {ord(char), ord(char.lower()[:1] or char), ord(char.upper()[:1] or char)} if fold else {ord(char)}
        return any(low <= point <= high for low, high in ranges for point in points) is not negated

    return test


class _Assembler:
    """Turns a tree into steps for `_counted`: `set`, `jump`, `split`, `assert`, `look`, `enter`, `progress`, `end`."""

    def __init__(self, fold: bool) -> None:
        self.fold = fold
        self.steps: list[_Step] = []
        self.loops = 0

    def add(self, name: str, first: object = None, second: object = None) -> int:
        if len(self.steps) >= _PROGRAM_LIMIT:
            raise _TooLargeError
        self.steps.append((name, first, second))
        return len(self.steps) - 1

    def emit(self, node: _Node) -> None:
        if isinstance(node, _Set):
            self.add("set", _member_test(node, self.fold))
        elif isinstance(node, _Assert):
            self.add("assert", node.kind)
        elif isinstance(node, _Look):
            inner = _Assembler(self.fold)
            inner.emit(node.item)
            inner.add("end")
            self.add("look", inner.steps, node.negated)
        elif isinstance(node, _Seq):
            for item in node.items:
                self.emit(item)
        elif isinstance(node, _Alt):
            self.branches(node.branches)
        else:
            self.repeat(node)

    def branches(self, branches: tuple[_Node, ...]) -> None:
        leave = []
        for branch in branches[:-1]:
            split = self.add("split")
            self.emit(branch)
            leave.append(self.add("jump"))
            self.steps[split] = ("split", split + 1, len(self.steps))
        self.emit(branches[-1])
        for step in leave:
            self.steps[step] = ("jump", len(self.steps), None)

    def repeat(self, node: _Repeat) -> None:
        for _ in range(node.low):
            self.emit(node.item)
        if node.high is None:
            loop = self.loops
            self.loops += 1
            split = self.add("split")
            self.add("enter", loop)
            self.emit(node.item)
            self.add("progress", loop)
            self.add("jump", split)
            self.fork(split, node.lazy)
            return
        splits = []
        for _ in range(node.high - node.low):
            splits.append(self.add("split"))
            self.emit(node.item)
        for split in splits:
            self.fork(split, node.lazy)

    def fork(self, split: int, lazy: bool) -> None:
        inside, after = split + 1, len(self.steps)
        self.steps[split] = ("split", after, inside) if lazy else ("split", inside, after)


def _is_word(text: str, at: int) -> bool:
    return 0 <= at < len(text) and (text[at].isalnum() or text[at] == "_")


def _asserted(kind: object, text: str, at: int) -> bool:
    if kind == "start":
        return at == 0
    if kind == "end":
        return at == len(text)
    return (_is_word(text, at - 1) is not _is_word(text, at)) is (kind == "word")


def _counted(steps: list[_Step], text: str, starts: Iterable[int], whole: bool, budget: list[int]) -> bool | None:
    """Whether the steps match from one of `starts`; None when the budget of steps is used up."""
    for start in starts:
        stack: list[tuple[int, int, tuple[tuple[int, int], ...]]] = [(0, start, ())]
        while stack:
            at, position, loops = stack.pop()
            while True:
                budget[0] -= 1
                if budget[0] < 0:
                    return None
                name, first, second = steps[at]
                if name == "set":
                    if position >= len(text) or not cast(_Test, first)(text[position]):
                        break
                    position += 1
                elif name == "split":
                    stack.append((cast(int, second), position, loops))
                    at = cast(int, first)
                    continue
                elif name == "jump":
                    at = cast(int, first)
                    continue
                elif name == "assert":
                    if not _asserted(first, text, position):
                        break
                elif name == "enter":
                    loops = (*(entry for entry in loops if entry[0] != first), (cast(int, first), position))
                elif name == "progress":
                    if (first, position) in loops:
                        break
                elif name == "look":
                    found = _counted(cast("list[_Step]", first), text, (position,), False, budget)
                    if found is None:
                        return None
                    if found is second:
                        break
                else:
                    if not whole or position == len(text):
                        return True
                    break
                at += 1
    return False


class _Risk(NamedTuple):
    """How many repetitions without a small bound, how many choices of any kind, whether a choice is itself repeated,
    and the size when counted repetitions are unrolled."""

    loops: int
    choices: int
    nested: bool
    size: int


def _risk(node: _Node) -> _Risk:
    if isinstance(node, (_Set, _Assert)):
        return _Risk(0, 0, False, 1)
    if isinstance(node, _Look):
        return _risk(node.item)
    if isinstance(node, _Repeat):
        inner = _risk(node.item)
        open_ended = node.high is None or node.high - node.low > 1
        again = node.high is None or node.high > 1
        return _Risk(
            inner.loops + open_ended,
            inner.choices + (node.low != node.high),
            inner.nested or (again and inner.choices > 0),
            inner.size * max(node.low + 1 if node.high is None else node.high, 1),
        )
    parts = [_risk(item) for item in (node.items if isinstance(node, _Seq) else node.branches)]
    return _Risk(
        sum(part.loops for part in parts),
        sum(part.choices for part in parts) + (len(parts) - 1 if isinstance(node, _Alt) else 0),
        any(part.nested for part in parts),
        sum(part.size for part in parts) + 1,
    )


def _may_be_empty(node: _Node) -> bool:
    if isinstance(node, _Repeat):
        return node.low == 0 or _may_be_empty(node.item)
    if isinstance(node, _Seq):
        return all(map(_may_be_empty, node.items))
    if isinstance(node, _Alt):
        return any(map(_may_be_empty, node.branches))
    return not isinstance(node, _Set)


def _idle_loops(node: _Node) -> int:
    """How many repetitions of what may be empty are in one another.

    With two of them (`((a*)*)*`) regress goes on for ever and fills the memory, on any text (measured with 2026.9.1):
    it takes each turn that matches nothing for a new one.
    """
    if isinstance(node, (_Look, _Repeat)):
        return _idle_loops(node.item) + (isinstance(node, _Repeat) and _may_be_empty(node.item))
    if isinstance(node, (_Seq, _Alt)):
        return max(map(_idle_loops, node.items if isinstance(node, _Seq) else node.branches), default=0)
    return 0


_UNREAD_RISK = regex(r"\)[*+{]|\\[1-9kg]|\(\?[(R&]")


@lru_cache(maxsize=512)
def _guarded(
    source: str, flags: str, dialect: Dialect
) -> tuple[OneOf["free", "counted", "refused"], list[_Step] | None]:
    """How a pattern may be matched by an engine that cannot be interrupted."""
    parsed = _parsed(source, flags, dialect)
    if parsed is None:
        # Not understood here: only where nothing in it can repeat a repetition, and few things repeat at all.
        calm = len(source) <= _SOURCE_LIMIT and not _UNREAD_RISK.search(source)
        calm = calm and len(re.findall(r"[*+}]", source)) <= 2 and not re.search(r"\{\d{4}|\d{4}\}", source)
        return ("free" if calm else "refused"), None
    risk = _risk(parsed.node)
    if risk.size > _PROGRAM_LIMIT:
        return "refused", None
    if not risk.nested and risk.loops <= 2 and risk.choices <= 8:
        return "free", None
    if dialect == "ecmascript" and _idle_loops(parsed.node) > 1:
        return "refused", None
    assembler = _Assembler(parsed.fold)
    try:
        assembler.emit(parsed.node)
        assembler.add("end")
    except _TooLargeError:
        return "refused", None
    return "counted", assembler.steps


def _affordable(pattern: Pattern, text: str) -> Tri:
    """Whether an engine may be let loose; unknown: the steps were counted, and they were too many."""
    how, steps = _guarded(pattern.source, pattern.flags, pattern.dialect)
    if how != "counted" or steps is None:
        return tri(how == "free")
    if not text.isascii():
        return Tri.NO  # `\w` is more than the machine knows; no browser sends such an origin
    starts = range(len(text) + 1) if pattern.mode == "search" else (0,)
    found = _counted(steps, text, starts, pattern.mode == "full", [_STEP_LIMIT])
    return Tri.UNKNOWN if found is None else Tri.YES


# --- The engines -------------------------------------------------------------------------------------------------


@lru_cache(maxsize=512)
def _engine(pattern: Pattern) -> Callable[[str], bool] | None:
    """A function that matches with the dialect's own engine; None for an invalid pattern."""
    makers = {"ecmascript": _ecmascript, "python": _python, "pcre": _pcre}
    return makers[pattern.dialect](pattern)


_REPEATED_U = regex(r"(?<!\\)(?:\\\\)*\\u\{")


def _ecmascript(pattern: Pattern) -> Callable[[str], bool] | None:
    import regress

    # `g` and `y` change where a second test starts; `d` what a match reports. The first test is what counts here.
    flags = "".join(flag for flag in "imsuv" if flag in pattern.flags)
    if set(pattern.flags) - set("dgimsuvy"):
        return None
    if _REPEATED_U.search(pattern.source) and not {"u", "v"} & set(pattern.flags):
        return None  # 61 times `u`, which regress takes for the code point
    source = {"search": "{}", "match": "^(?:{})", "full": "^(?:{})$"}[pattern.mode].replace("{}", pattern.source)
    try:
        regress.Regex(pattern.source, flags)
        compiled = regress.Regex(source, flags)
    except (regress.RegressError, ValueError):
        return None
    sticky = "y" in pattern.flags

    def matches(text: str) -> bool:
        found = compiled.find(text)
        return found is not None and not (sticky and found.range().start != 0)

    return matches


def _python(pattern: Pattern) -> Callable[[str], bool] | None:
    flags = 0
    for flag in pattern.flags:
        known = {
            "i": re.IGNORECASE,
            "m": re.MULTILINE,
            "s": re.DOTALL,
            "x": re.VERBOSE,
            "a": re.ASCII,
            "u": re.UNICODE,
        }.get(flag.lower())
        if known is None:
            return None
        flags |= known
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compiled = re.compile(pattern.source, flags)
    except (re.error, OverflowError, RecursionError, ValueError):
        return None
    method = {"search": compiled.search, "match": compiled.match, "full": compiled.fullmatch}[pattern.mode]
    return lambda text: method(text) is not None


def _pcre(pattern: Pattern) -> Callable[[str], bool] | None:
    import regex

    flags = regex.V0
    for flag in pattern.flags:
        known = {"i": regex.I, "m": regex.M, "s": regex.S, "x": regex.X, "u": regex.U}.get(flag)
        if known is None:
            return None
        flags |= known
    try:
        compiled = regex.compile(pattern.source, flags, cache_pattern=False)
    except (regex.error, OverflowError, RecursionError, ValueError):
        return None
    method = {"search": compiled.search, "match": compiled.match, "full": compiled.fullmatch}[pattern.mode]
    return lambda text: method(text, timeout=_PCRE_SECONDS) is not None


def valid(pattern: Pattern) -> bool:
    """Whether the dialect's own engine takes the pattern."""
    return _engine(pattern) is not None


_strikes: dict[Pattern, int] = {}


@lru_cache(maxsize=8192)
def matches(pattern: Pattern, text: str, turn: int = 1) -> Tri:
    """Whether the pattern accepts the text; unknown for an invalid pattern and where matching could take too long.

    `turn`: the same text is tested for that many times in a row, which makes a difference to a stateful pattern alone.
    """
    first = _matches(pattern, text)
    keeps_place = pattern.stateful and set("gy") & set(pattern.flags)
    return tri(_in_turn(pattern, text, turn)) if turn > 1 and keeps_place and first is Tri.YES else first


def _in_turn(pattern: Pattern, text: str, turn: int) -> bool:
    """Whether the test of that number holds: each begins where the one before ended, after one that fails at 0."""
    import regress

    compiled = regress.Regex(pattern.source, "".join(flag for flag in "imsuv" if flag in pattern.flags))
    held = at = 0
    for found in compiled.find_iter(text) or ():
        begin, end = found.range().start, found.range().stop
        if "y" in pattern.flags and begin != at:
            break
        held, at = held + 1, end
        if begin == end:
            return True  # nothing is consumed: it holds each time
    return (turn - 1) % (held + 1) < held


def _matches(pattern: Pattern, text: str) -> Tri:
    if len(text) > _SUBJECT_LIMIT or _strikes.get(pattern, 0) >= _STRIKE_LIMIT:
        return Tri.UNKNOWN
    engine = _engine(pattern)
    if engine is None:
        return Tri.UNKNOWN
    try:
        affordable = _affordable(pattern, text)
        if affordable is Tri.YES:
            return tri(engine(text))
    except TimeoutError:
        affordable = Tri.UNKNOWN
    if affordable is Tri.UNKNOWN:
        if len(_strikes) > 1000:
            _strikes.clear()
        _strikes[pattern] = _strikes.get(pattern, 0) + 1
    return Tri.UNKNOWN


class Groups(NamedTuple):
    """What a pattern's groups matched, from the first on; a group that took no part is empty."""

    numbered: tuple[str, ...]
    named: tuple[tuple[str, str], ...]


@lru_cache(maxsize=512)
def _grouped(source: str, fold_case: bool) -> Any:
    import regex

    try:
        return regex.compile(source, regex.V0 | (regex.I if fold_case else 0), cache_pattern=False)
    except (regex.error, OverflowError, RecursionError, ValueError):
        return None


@lru_cache(maxsize=8192)
def pcre_groups(source: str, fold_case: bool, text: str) -> Groups | Tri:
    """A search for a PCRE pattern: its groups, `Tri.NO` without a match, unknown where `matches` would be."""
    answer = matches(Pattern(source, "i" if fold_case else "", "pcre", "search"), text)
    if answer is not Tri.YES:
        return answer
    try:
        found = _grouped(source, fold_case).search(text, timeout=_PCRE_SECONDS)
    except TimeoutError:
        return Tri.UNKNOWN
    if found is None:  # the two searches are the same one
        return Tri.UNKNOWN
    numbered = tuple(group or "" for group in found.groups())
    return Groups(numbered, tuple((name, text or "") for name, text in found.groupdict().items()))


# --- Samples -----------------------------------------------------------------------------------------------------


@lru_cache(maxsize=512)
def samples(pattern: Pattern, filler: str = "a") -> tuple[str, ...]:
    """Short texts built from the pattern's own parts, most direct first; empty when they cannot be derived.

    Assertions add nothing, so for an unanchored pattern a sample is a fragment. A lone dot becomes `.`, which is nearly
    always what was meant; what repeats and can be letters becomes `filler`, digits become `3000` where that fits.
    """
    parsed = _parsed(pattern.source, pattern.flags, pattern.dialect)
    if parsed is None or _risk(parsed.node).size > 400:
        return ()
    found = dict.fromkeys(_expand(parsed.node, filler))
    return tuple(islice(found, _SAMPLE_LIMIT))


def _contains(item: _Set, char: str) -> bool:
    return any(low <= ord(char) <= high for low, high in item.ranges) is not item.negated


def _representative(item: _Set) -> list[str]:
    if item.wild:
        return ["."]
    if not item.negated and len(item.ranges) == 1 and item.ranges[0][0] == item.ranges[0][1]:
        return [chr(item.ranges[0][0])]
    if not item.negated and _contains(item, "."):
        return ["."]
    for char in "a1-_.:/A":
        if _contains(item, char):
            return [char]
    return [chr(item.ranges[0][0])] if item.ranges and not item.negated else []


def _expand(node: _Node, filler: str) -> list[str]:
    if isinstance(node, _Set):
        return _representative(node)
    if isinstance(node, (_Assert, _Look)):
        return [""]
    if isinstance(node, _Seq):
        return _expand_sequence([_expand(item, filler) for item in node.items])
    if isinstance(node, _Alt):
        return [text for branch in node.branches for text in _expand(branch, filler)][:_SAMPLE_LIMIT]
    return _expand_repeat(node, filler)


def _expand_sequence(parts: list[list[str]]) -> list[str]:
    """The first choice everywhere, then every other choice of one part at a time."""
    if not all(parts):
        return []
    first = [part[0] for part in parts]
    found = ["".join(first)]
    for position, part in enumerate(parts):
        found += ["".join((*first[:position], other, *first[position + 1 :])) for other in part[1:]]
    return found[:_SAMPLE_LIMIT]


def _expand_repeat(node: _Repeat, filler: str) -> list[str]:
    found = [""] if node.low == 0 else []
    if node.high == 0:
        return [""]
    varies = node.high is None or node.high - node.low > 1
    if isinstance(node.item, _Set) and varies:
        room = node.high is None or node.high >= 4
        if room and node.low <= 4 and _contains(node.item, "3") and not _contains(node.item, "a"):
            return [*found, "3000"]
        fits = node.high is None or node.high >= len(filler)
        if fits and node.low <= len(filler) and all(_contains(node.item, char) for char in filler):
            return [*found, filler]
        if node.item.wild:
            return [*found, "a" * max(node.low, 1)]
    once = _expand(node.item, filler)
    return [*found, *(text * max(node.low, 1) for text in once)][:_SAMPLE_LIMIT]
