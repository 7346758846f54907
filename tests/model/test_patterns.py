"""Regular expressions: the right engine for each dialect, bounded in time, and samples."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from random import Random
from typing import cast

import pytest

from corslint.model import patterns
from corslint.model.patterns import Dialect, Mode, Pattern, matches, samples
from corslint.model.tri import Tri, tri
from tests.lab.installation import require

ES: Dialect = "ecmascript"
PY: Dialect = "python"
PCRE: Dialect = "pcre"


@pytest.mark.parametrize(
    ("source", "flags", "dialect", "mode", "text", "expected"),
    [
        ("example", "", ES, "search", "https://example.com", Tri.YES),
        ("example", "", ES, "match", "https://example.com", Tri.NO),
        ("https|ftp", "", ES, "match", "https://example.com", Tri.YES),
        ("https|https://a", "", ES, "full", "https://a", Tri.YES),
        ("EXAMPLE", "", ES, "search", "https://example.com", Tri.NO),
        ("EXAMPLE", "i", ES, "search", "https://example.com", Tri.YES),
        ("example", "g", ES, "search", "https://example.com", Tri.YES),
        ("example", "y", ES, "search", "https://example.com", Tri.NO),
        ("https", "y", ES, "search", "https://example.com", Tri.YES),
        ("^b$", "m", ES, "search", "a\nb", Tri.YES),
        ("^b$", "", ES, "search", "a\nb", Tri.NO),
        ("a.b", "s", ES, "search", "a\nb", Tri.YES),
        ("a.b", "", ES, "search", "a\nb", Tri.NO),
        (r"\p{Ll}", "u", ES, "search", "a", Tri.YES),
        ("(?<n>a)", "", ES, "search", "a", Tri.YES),
        ("(?<n>a)", "", PY, "search", "a", Tri.UNKNOWN),
        ("[^]", "", ES, "search", "a", Tri.YES),
        ("[^]", "", PY, "search", "a", Tri.UNKNOWN),
        (r"^\d$", "", PY, "search", "٣", Tri.YES),
        (r"^\d$", "", ES, "search", "٣", Tri.NO),
        ("(?i)EXAMPLE", "", PY, "search", "example", Tri.YES),
        ("(?P<n>a)", "", PY, "search", "a", Tri.YES),
        ("EX AMPLE", "ix", PY, "search", "example", Tri.YES),
        ("(?<n>a)", "i", PCRE, "search", "A", Tri.YES),
        ("example", "", PCRE, "full", "example.com", Tri.NO),
        ("(", "", ES, "search", "a", Tri.UNKNOWN),
        ("*.example.com", "", PY, "match", "a.example.com", Tri.UNKNOWN),
        ("[", "", PCRE, "search", "a", Tri.UNKNOWN),
        ("a", "q", ES, "search", "a", Tri.UNKNOWN),
    ],
)  # fmt: skip
def test_matches(source: str, flags: str, dialect: Dialect, mode: Mode, text: str, expected: Tri) -> None:
    assert matches(Pattern(source, flags, dialect, mode), text) is expected


CATASTROPHES = [
    r"^(a+)+$", r"^(a|a)*$", r"^(a|aa)+$", r"^(?:(?:a|b)+)*c$", r"^(.*)*(.*)*x$", r"^(a?b?a?)*$x", r"(\w+\s?)*!$",
    r"^" + "a?" * 30 + "a" * 30 + "$", r"^(([a-z])+.)+[A-Z]([a-z])+$", r"(.*a){20}$",
]  # fmt: skip


@pytest.mark.parametrize("dialect", [ES, PY, PCRE])
@pytest.mark.parametrize("source", CATASTROPHES)
def test_no_pattern_hangs(source: str, dialect: Dialect) -> None:
    started = time.process_time()
    for length in (20, 40, 60, 80):
        assert matches(Pattern(source, "", dialect, "search"), "a" * length + "?") in (Tri.NO, Tri.UNKNOWN)
    assert time.process_time() - started < 2


HOSTILE_SYNTAX: list[tuple[str, str, Dialect]] = [
    # look-behind, names, properties of characters, sets of sets, and flags of ECMAScript
    (r"(?<=a)(a+)+$", "", ES), (r"(?<!b)(?:a+)+$", "", ES), (r"(?<n>a+)+\k<n>$", "", ES), (r"^(?:\p{L}+)+$", "u", ES),
    (r"^(?:[\w&&[a-z]]+)+$", "v", ES), (r"^(?:\u{61}+)+$", "u", ES), (r"(?:a+)+$", "y", ES), (r"^(?:A+)+$", "gi", ES),
    (r"^(?:.+)+x$", "s", ES), (r"^(?:a+)+$", "dgimsuy", ES), (r"(?:(?=(a+))\1)+b", "", ES), (r"(?<=(a+)+)x", "", ES),
    # names, flags, conditionals, atomic groups and possessive repetitions of Python
    (r"(?<=a)(a+)+$", "", PY), (r"(?P<n>a+)+(?P=n)$", "", PY), (r"(?i)^(?:A+)+$", "", PY), (r"(?x)^ (a+)+ $", "", PY),
    (r"^(?i:A+)+$", "", PY), (r"^ (?: a+ )+ $ # end", "x", PY), (r"(a+)+(?(1)b|c)$", "", PY), (r"^(?>a+|a)+$", "", PY),
    (r"^(?:a++|a+)+$", "", PY), (r"\A(?:a+)+\Z", "", PY), (r"^(?:\w+)+$", "a", PY), (r"(?s)^(?:.+)+x$", "", PY),
    # the same and recursion of PCRE
    (r"(?<=a)(a+)+$", "", PCRE), (r"(?<n>a+)+\k<n>$", "", PCRE), (r"^(a|(?1)b)+$", "", PCRE),
    (r"(?i)^(?:A+)+$", "", PCRE),
    (r"^(?>a+|a)+$", "", PCRE), (r"\A(?:\p{L}+)+\z", "u", PCRE), (r"(?|(a+)|(a))+$", "", PCRE),
]  # fmt: skip


@pytest.mark.parametrize(("source", "flags", "dialect"), HOSTILE_SYNTAX)
def test_no_syntax_of_an_engine_hangs(source: str, flags: str, dialect: Dialect) -> None:
    started = time.process_time()
    for mode in ("search", "match", "full"):
        for length in (20, 40, 80, 160):
            found = matches(Pattern(source, flags, dialect, mode), "a" * length + "?")
            # An atomic group does not come back, and so is quick and certain.
            assert found in (Tri.NO, Tri.UNKNOWN), (mode, length)
    assert time.process_time() - started < 2


@pytest.mark.parametrize(
    ("source", "flags", "dialect", "text"),
    [
        (r"^(\u{5}|\u{5})+$", "", ES, "u" * 160 + "!"),
        ("^(?:\u017f+)+$", "iu", ES, "s" * 40 + "!"),
        (r"^(?:\u017f+)+$", "iu", ES, "s" * 40 + "!"),
        ("^(?:\u212a+)+$", "i", PY, "k" * 40 + "!"),
        (r"^(?:\xdf+)+$", "i", PY, "\u1e9e" * 40 + "!"),
        (r"^(?:\w+)+$", "", PY, "\u00fc" * 40 + "!"),
        (r"^(?:[\w--[0-9]]+)+$", "v", ES, "a" * 40 + "!"),
        (r"^(?:[\q{aa|a}]+)+$", "v", ES, "a" * 40 + "!"),
    ],
)
def test_what_only_the_engine_takes_long_for(source: str, flags: str, dialect: Dialect, text: str) -> None:
    started = time.process_time()
    assert matches(Pattern(source, flags, dialect, "search"), text) is Tri.UNKNOWN
    assert time.process_time() - started < 1


ORIGINS = (
    "https://example.com", "https://app.example.com", "https://APP.example.com", "http://example.com:3000", "null", "",
    "https://example.com.attacker.test", "https://attackerexample.com", "https://xn--mnchen-3ya.example", "https://ex\nx",
    "https://m\u00fcnchen.example", "https://app-1.example.com", "https://1.2.3.4", "https://app.app.example.com",
)  # fmt: skip
OF_ECMASCRIPT = [
    (r"(?<=https:\/\/)example", ""), (r"(?<!app\.)example\.com$", ""), (r"^https:\/\/(?<sub>\w+)\.\k<sub>\.", ""),
    (r"^https:\/\/\p{L}+\.", "u"), (r"^https:\/\/\p{Lu}+\.", "u"), (r"^https:\/\/[\p{L}&&[a-m]]", "v"),
    (r"example", "y"), (r"https", "y"), (r"https", "g"), (r"^https:.*x$", "s"), (r"^https:.*x$", ""), (r"^x$", "m"),
    (r"APP\.example", "i"), (r"^https:\/\/(\w)\1p", ""), (r"^https:\/\/\u{61}pp", "u"), (r"^https:\/\/\u{61}pp", ""),
    (r"^https:\/\/app(?!-)", ""), (r"^https:\/\/(?:\d+\.?){4}$", ""), (r"[^]x$", ""), (r"^[\w:/.-]*$", ""), (r"$^", ""),
    (r"\bexample\b", ""), (r"\Bexample", ""), (r"^https:\/\/[^\W_]+\.example", ""), ("m\u00dcnchen", "iu"),
]  # fmt: skip


def test_verdicts_on_ecmascript_equal_those_of_node() -> None:
    node = require("node").path("node")
    script = """
        const [patterns, texts] = JSON.parse(require('fs').readFileSync(0, 'utf8'));
        console.log(JSON.stringify(patterns.map(([source, flags]) =>
          texts.map((text) => new RegExp(source, flags).test(text)))));
    """
    asked = json.dumps([OF_ECMASCRIPT, ORIGINS])
    answered = subprocess.run([node, "-e", script], input=asked, capture_output=True, text=True, timeout=30, check=True)
    known = 0
    for (source, flags), real in zip(OF_ECMASCRIPT, json.loads(answered.stdout), strict=True):
        for text, held in zip(ORIGINS, real, strict=True):
            found = matches(Pattern(source, flags, ES, "search"), text)
            assert found in (Tri.UNKNOWN, tri(held)), (source, flags, text)
            known += found is not Tri.UNKNOWN
    assert known > 0.85 * len(OF_ECMASCRIPT) * len(ORIGINS)


def test_expensive_patterns_are_given_up() -> None:
    pattern = Pattern("^(z+)+$", "", ES, "search")
    started = time.process_time()
    for length in range(100):
        assert matches(pattern, "z" * (100 + length) + "!") is Tri.UNKNOWN
    assert time.process_time() - started < 1


@pytest.mark.parametrize("source", [r"(?:a{1000}){1000}", "a" * 5000, r"(a)\1+\1+\1+b", "((((a{50}){50}){50}){50})"])
@pytest.mark.parametrize("dialect", [ES, PY])
def test_too_large_to_compile_is_unknown(source: str, dialect: Dialect) -> None:
    assert matches(Pattern(source, "", dialect, "search"), "a") is Tri.UNKNOWN


@pytest.mark.parametrize("source", ["(" * 500 + "a" + ")" * 500, "[" * 2000, "(?:" * 1000, "a|" * 1900, "\\"])
def test_hostile_sources_do_not_raise(source: str) -> None:
    for dialect in (ES, PY, PCRE):
        assert matches(Pattern(source, "", dialect, "search"), "b") in (Tri.YES, Tri.NO, Tri.UNKNOWN)
        assert isinstance(samples(Pattern(source, "", dialect, "search")), tuple)


@pytest.mark.parametrize(
    "source",
    [
        r"^https:\/\/([a-z0-9-]+\.)*example\.com$",
        r"^https?:\/\/(?:[a-z0-9-]+\.)*[a-z0-9-]+\.example\.(?:com|org|net)(?::\d+)?$",
        r"^https?://(www\.|app\.|api\.|dev\.|stage\.|a\.|b\.|c\.|d\.|e\.)?example\.com$",
    ],
)
def test_common_nested_patterns_are_decided(source: str) -> None:
    for dialect in (ES, PY):
        pattern = Pattern(source, "", dialect, "search")
        assert matches(pattern, "https://app.example.com") is Tri.YES
        assert matches(pattern, "https://" + "a-b-c." * 10 + "example.com.attacker.test") is Tri.NO


def test_the_step_counter_agrees_with_the_engine() -> None:
    """The machine that counts steps has to explore what the engines explore: its verdicts equal theirs."""
    random = Random(5)

    def make(depth: int = 0) -> str:
        kind = random.random()
        if depth > 3 or kind < 0.4:
            return random.choice(["a", "b", r"\.", "[ab]", "[^a]", ".", r"\d", "1"])
        if kind < 0.6:
            return make(depth + 1) + make(depth + 1)
        if kind < 0.75:
            return f"(?:{make(depth + 1)}|{make(depth + 1)})"
        if kind < 0.95:
            return f"(?:{make(depth + 1)})" + random.choice(["*", "+", "?", "*?", "{1,2}", "{2}"])
        return random.choice(["^", "$", r"\b", "(?!a)", "(?=b)"]) + make(depth + 1)

    engines = {"search": re.search, "match": re.match, "full": re.fullmatch}
    decided = 0
    for _ in range(1500):
        source = make()
        parsed = patterns._parsed(source, "", PY)
        assert parsed is not None, source
        assembler = patterns._Assembler(False)
        assembler.emit(parsed.node)
        assembler.add("end")
        text = "".join(random.choice("ab1.") for _ in range(random.randint(0, 7)))
        for mode, engine in engines.items():
            starts = range(len(text) + 1) if mode == "search" else (0,)
            found = patterns._counted(assembler.steps, text, starts, mode == "full", [100_000])
            if found is not None:
                decided += 1
                assert found is (engine(source, text) is not None), (source, text, mode)
    assert decided > 4000


@pytest.mark.parametrize(
    ("source", "dialect", "expected"),
    [
        (r"^https:\/\/app\.example\.com$", ES, ("https://app.example.com",)),
        (r"^https?:\/\/localhost(:\d+)?$", ES, ("http://localhost", "https://localhost", "http://localhost:3000")),
        ("app.example.com", ES, ("app.example.com",)),
        (r"[a-z0-9-]+\.example\.com", PY, ("a.example.com",)),
        (r"(a|b)\.example\.com", PY, ("a.example.com", "b.example.com")),
        (r"https://[^/]*\.example\.com", PCRE, ("https://.example.com", "https://a.example.com")),
        (r"\d{1,3}\.\d{1,3}", ES, ("1.1",)),
        (r"(?<!x)a", ES, ()),
        (r"(a)\1", ES, ()),
        ("(", ES, ()),
    ],
)
def test_samples(source: str, dialect: Dialect, expected: tuple[str, ...]) -> None:
    assert samples(Pattern(source, "", dialect, "search")) == expected


def test_samples_are_few() -> None:
    pattern = Pattern("(a|b|c|d|e|f|g|h)" * 20, "", ES, "search")
    assert 0 < len(samples(pattern)) <= 48


def test_filler() -> None:
    pattern = Pattern(r"^https:\/\/my-[a-z]+\.example\.com$", "", ES, "search")
    assert samples(pattern, "attacker") == ("https://my-attacker.example.com",)


def test_engines_are_imported_when_needed() -> None:
    code = "import sys, corslint.model.decisions; print(sorted({'regress', 'regex'} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_python_verdicts_equal_re() -> None:
    for source, text in [(r"https?://.*\.example\.com", "https://a.example.com.evil.test"), (r"a$", "a\n")]:
        for mode, engine in (("search", re.search), ("match", re.match), ("full", re.fullmatch)):
            expected = tri(engine(source, text) is not None)
            assert matches(Pattern(source, "", PY, cast(Mode, mode)), text) is expected


TURNS: dict[str, tuple[str, str, bool, str, list[bool]]] = {
    "a global pattern goes on where it ended": ("^https://a$", "g", True, "https://a", [True, False, True, False]),
    "as often as it matches": ("a", "g", True, "aab", [True, True, False, True, True, False]),
    "a sticky one needs the next match at once": ("a", "y", True, "aba", [True, False, True, False]),
    "what is empty holds each time": ("x*", "g", True, "abc", [True, True, True]),
    "what never matches": ("b$", "g", True, "abc", [False, False]),
    "without the flag": ("a", "i", True, "aab", [True, True, True, True]),
    "somebody resets it": ("^https://a$", "g", False, "https://a", [True, True]),
}


@pytest.mark.parametrize("case", TURNS.values(), ids=TURNS)
def test_turns(case: tuple[str, str, bool, str, list[bool]]) -> None:
    source, flags, stateful, text, expected = case
    pattern = Pattern(source, flags, "ecmascript", "search", stateful)
    assert [matches(pattern, text, turn + 1) is Tri.YES for turn in range(len(expected))] == expected
