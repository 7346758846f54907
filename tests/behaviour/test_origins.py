"""Origin options, callbacks and header writes, read by the real parsers and compiled into decisions."""

from __future__ import annotations

from typing import Any

import pytest

from corslint.behaviour.origins import Compiled, Scene, compile_header, compile_value, without_environment
from corslint.behaviour.policy import scene_of
from corslint.model.decisions import (
    Answer,
    Fixed,
    Nothing,
    Own,
    Refuse,
    Star,
    accepts,
    accepts_null,
    answer,
    answers,
    to_stranger,
    witness,
)
from corslint.model.reading import CodeReading
from corslint.model.semantics import OriginSemantics
from corslint.model.tri import Tri
from corslint.model.values import Call, Literal, Member, Name, Value
from corslint.parsers import parse
from corslint.project.link import Assumptions, EnvironmentRead, Linker
from corslint.project.modules import Modules
from corslint.source import SourceFile, Span

ASSUMPTIONS = Assumptions(
    frozenset({"global#process.env"}),
    frozenset({"os#environ"}),
    {"os#getenv": EnvironmentRead(0, 1, "default", False, False)},
    {"NODE_ENV": "production"},
    frozenset(),
)
CORS = OriginSemantics(
    meanings=(("*", "star"), (True, "echo"), (False, "none"), ("", "none")),
    unset="none",
    text="fixed",
    function="callback",
    otherwise="echo",
)
PREDICATE = OriginSemantics(
    meanings=(("*", "echo"),),
    unset="same-origin",
    star_in_list="wildcard-echo",
    empty_list="unchecked",
    function="predicate",
)
RETURNING = OriginSemantics(meanings=(("*", "star"),), function="returning")


class Read:
    """A file, its linker, and what the name `subject` stands for in it."""

    def __init__(self, code: str, path: str = "a.js") -> None:
        self.source = SourceFile(path, code.encode())
        reading = parse(self.source)
        assert isinstance(reading, CodeReading)
        assert not reading.damage
        self.reading: CodeReading = reading
        linker = Linker(self._code, Modules(".", frozenset({path})), ASSUMPTIONS)
        linker.look_for_callers(lambda: [self.reading])
        self.scene: Scene = scene_of(linker, self._code)

    def _code(self, path: str) -> CodeReading | None:
        return self.reading if path == self.source.path else None

    def subject(self) -> Value:
        return self.reading.scopes[0].bindings["subject"][-1].value

    def text(self, span: Span) -> str:
        return self.source.text(span)


def javascript(code: str, semantics: OriginSemantics = CORS, refused: Answer = Nothing()) -> Compiled:  # noqa: B008
    read = Read(code)
    return compile_value(read.subject(), semantics, refused, read.scene)


def python(code: str, semantics: OriginSemantics = PREDICATE) -> Compiled:
    read = Read(code, "a.py")
    return compile_value(read.subject(), semantics, Refuse(400), read.scene)


def given(compiled: Compiled, origin: str | None) -> str:
    return answer(compiled.decision, origin).kind


A, B, EVIL = "https://a.example", "https://b.example", "https://evil.example"


@pytest.mark.parametrize(
    ("expression", "stranger"),
    [
        ("'*'", "star"),
        ("true", "echo"),
        ("false", "nothing"),
        ("''", "nothing"),
        ("null", "nothing"),
        ("undefined", "nothing"),
        ("void 0", "nothing"),
        ("42", "echo"),
        ("0", "nothing"),
        ("({})", "echo"),
        ("new Set(['https://a.example'])", "echo"),
        ("'https://a.example'", "fixed"),
        ("['https://a.example']", "nothing"),
        ("['*']", "nothing"),
        ("[]", "nothing"),
        ("/^https:/", "echo"),
        (r"/^https:\/\/a\.example$/", "nothing"),
        ("new RegExp('^https://a[.]example$')", "nothing"),
        ("process.env.X", "unknown"),
        ("process.env.X || '*'", "unknown"),
        ("process.env.X ?? 'https://a.example'", "unknown"),
        ("process.env.X ? 'https://a.example' : 'https://b.example'", "unknown"),
        ("process.env.X ? ['https://a.example'] : ['https://b.example']", "nothing"),
        ("process.env.X ? true : [/./]", "echo"),
        ("process.env.NODE_ENV === 'production' ? ['https://a.example'] : true", "nothing"),
        ("process.env.LIST.split(',')", "nothing"),
        ("[process.env.X, 'https://a.example']", "nothing"),
        ("[...process.env.LIST.split(','), 'https://a.example']", "nothing"),
        ("[...more, 'https://a.example']", "unknown"),
        ("`https://${process.env.HOST}`", "fixed"),
        ("[`https://${process.env.HOST}`]", "nothing"),
        ("`${process.env.HOST}`", "unknown"),
        ("something", "unknown"),
        ("load()", "unknown"),
    ],
)
def test_option(expression: str, stranger: str) -> None:
    assert to_stranger(javascript(f"const subject = {expression};").decision).kind == stranger


def test_list_members_are_accepted_although_the_rest_is_unknown() -> None:
    compiled = javascript("const subject = ['https://a.example', ...more];")
    assert given(compiled, A) == "echo"
    assert given(compiled, B) == "unknown"


def test_alternatives_that_agree_are_known() -> None:
    compiled = javascript(f"const subject = flag ? ['{A}', '{B}'] : ['{A}'];")
    assert [given(compiled, origin) for origin in (A, B, EVIL)] == ["echo", "unknown", "nothing"]


LET_IN = "cb(null, true)"
REFUSE = "cb(new Error('no'))"
BODIES = [
    # (origin, cb) => ..., accepted, refused
    (f"cb(null, ['{A}'].includes(origin))", [A], [B, EVIL]),
    (f"cb(null, !origin || ['{A}'].includes(origin))", [A, None], [B]),
    (f"{{ if (!origin || LIST.includes(origin)) {LET_IN}; else {REFUSE}; }}", [A, None], [EVIL]),
    (f"{{ if (!origin || SET.has(origin)) {{ {LET_IN} }} else {{ {REFUSE} }} }}", [A, B, None], [EVIL]),
    (f"{{ if (origin && !SET.has(origin)) {REFUSE}; else {LET_IN}; }}", [A, None], [EVIL]),
    (
        f"{{ if (!origin) return {LET_IN}; if (LIST.indexOf(origin) === -1) return {REFUSE}; {LET_IN}; }}",
        [A, None],
        [EVIL],
    ),
    (f"{{ if (LIST.indexOf(origin) !== -1) {{ {LET_IN}; return; }} {REFUSE}; }}", [A], [EVIL]),
    (f"{{ if (LIST.indexOf(origin) > -1) {LET_IN}; else cb(null, false); }}", [A], [EVIL, None]),
    (f"{{ if (LIST.indexOf(origin) >= 0) {LET_IN}; else cb(null, false); }}", [A], [EVIL]),
    (f"{{ if (-1 < LIST.indexOf(origin)) {LET_IN}; else cb(null, false); }}", [A], [EVIL]),
    (f"{{ if (LIST.indexOf(origin) < 0) cb(null, false); else {LET_IN}; }}", [A], [EVIL]),
    # the first entry has position 0
    (f"{{ if (['{A}', '{B}'].indexOf(origin) > 0) {LET_IN}; else cb(null, false); }}", [B], [A]),
    (f"{{ if (origin === '{A}' || origin == '{B}') {LET_IN}; else cb(null, false); }}", [A, B], [EVIL]),
    (f"{{ if (origin !== '{A}') return cb(null, false); cb(null, origin); }}", [A], [B]),
    (f"{{ if (origin === undefined || origin === '{A}') {LET_IN}; else cb(null, false); }}", [A, None], [B]),
    (f"{{ if (typeof origin === 'undefined' || origin === '{A}') {LET_IN}; else cb(null, false) }}", [A, None], [B]),
    ("cb(null, LIST.some(o => o === origin))", [A], [EVIL]),
    ("cb(null, !!LIST.find(o => origin === o))", [A], [EVIL]),
    ("{ for (const o of LIST) { if (o === origin) return cb(null, true); } cb(null, false); }", [A], [B, EVIL]),
    ("{ for (const o of LIST) if (o === origin) { cb(null, true); return; } cb(new Error('no')); }", [A], [B]),
    (
        "{ for (let i = 0; i < LIST.length; i++) if (LIST[i] === origin) return cb(null, true); cb(null, false) }",
        [A],
        [B],
    ),
    ("{ for (const i in LIST) if (LIST[i] === origin) return cb(null, true); cb(null, false) }", [A], [B]),
    (
        "{ let ok = false; for (const o of LIST) if (origin.startsWith(o)) { ok = true; break; } cb(null, ok); }",
        [A, A + ".evil.example"],
        [B],
    ),
    ("{ for (const o of []) if (o === origin) return cb(null, true); cb(null, false); }", [], [A]),
    ("cb(null, inLoop(origin))", [A], [B, EVIL]),
    ("cb(null, LIST.filter(o => o === origin).length > 0)", [A], [B]),
    ("cb(null, LIST.filter(o => o === origin).length !== 0)", [A], [B]),
    ("cb(null, LIST.filter(o => o === origin).length >= 1)", [A], [B]),
    ("cb(null, 0 < LIST.filter(o => o === origin).length)", [A], [B]),
    ("cb(null, LIST.filter(o => o === origin).length)", [A], [B]),
    ("{ if (LIST.filter(o => o === origin).length === 0) return cb(null, false); cb(null, true); }", [A], [B]),
    ("cb(null, LIST.filter(o => o === origin).length >= 0)", [A, B], []),
    ("cb(null, LIST.filter(o => o === origin).length < 1)", [B], [A]),
    ("cb(null, LIST.length > 2)", [], [A, B]),
    ("cb(null, !!LIST.length)", [A, B], []),
    ("cb(null, SET.size === 2)", [A, B, EVIL], []),
    ("cb(null, Object.hasOwn(TABLE, origin))", [A, B], [EVIL]),
    ("cb(null, Reflect.has(TABLE, origin))", [A, B], [EVIL]),
    ("cb(null, Object.prototype.hasOwnProperty.call(TABLE, origin))", [A, B], [EVIL]),
    ("cb(null, {}.hasOwnProperty.call(TABLE, origin))", [A, B], [EVIL]),
    ("cb(null, Object.keys(TABLE).includes(origin))", [A, B], [EVIL]),
    ("cb(null, Object.values(NAMED).includes(origin))", [A], [B]),
    ("cb(null, MAP.has(origin))", [A], [B]),
    (f"cb(null, (origin + '/').startsWith('{A}/'))", [A], [A + ".evil.example", B]),
    (f"cb(null, `${{origin}}/`.startsWith('{A}'))", [A, A + ".evil.example"], [B]),
    ("cb(null, LIST.findIndex(o => o === origin) !== -1)", [A], [EVIL]),
    (
        f"cb(null, [/^https:..a[.]example$/, '{B}'].some(o => typeof o === 'string' ? o === origin : o.test(origin)))",
        [A, B],
        [EVIL],
    ),
    ("cb(null, /^https:\\/\\/[ab]\\.example$/.test(origin))", [A, B], [EVIL]),
    ("{ if (origin.match(/^https:\\/\\/[ab]\\.example$/)) cb(null, true); else cb('no'); }", [A, B], [EVIL]),
    ("cb(null, origin.search(/^https:\\/\\/[ab]\\.example$/) !== -1)", [A, B], [EVIL]),
    ("cb(null, origin.toLowerCase().endsWith('.A.example'))", [], [A]),
    ("cb(null, origin.endsWith('//a.example'))", [A], [B]),
    ("cb(null, origin.startsWith('https://a.'))", [A], [B]),
    ("cb(null, origin.indexOf('https://a.') === 0)", [A], [B]),
    ("cb(null, origin.indexOf('a.') !== -1)", [A], [B]),
    ("cb(null, origin.includes('a.'))", [A], [B]),
    ("cb(null, new URL(origin).hostname === 'a.example')", [A, "http://a.example:99"], [B]),
    (
        "{ const { hostname } = new URL(origin); cb(null, hostname.endsWith('.example')); }",
        [A, B],
        ["https://example.com"],
    ),
    (
        "{ const u = new URL(origin); cb(null, u.protocol === 'https:' && u.host === 'a.example'); }",
        [A],
        [B, "http://a.example"],
    ),
    ("cb(null, origin.replace(/^https?:\\/\\//, '') === 'a.example')", [A, "http://a.example"], [B]),
    ("cb(null, TABLE[origin])", [A], [B, EVIL]),
    ("cb(null, TABLE.hasOwnProperty(origin))", [A, B], [EVIL]),
    ("{ const ok = SET.has(origin); cb(ok ? null : new Error('no'), ok); }", [A, B], [EVIL]),
    ("{ const allowed = !origin || SET.has(origin); cb(null, allowed); }", [A, None], [EVIL]),
    (f"cb(null, SET.has(origin) ? origin : '{B}')", [A], []),
    (f"cb(null, ['{A}'])", [A], [B]),
    ("cb(null, /^https:\\/\\/a\\./)", [A], [B]),
    ("{ if (isAllowed(origin)) cb(null, true); else cb(null, false); }", [A, B, None], [EVIL]),
    ("cb(null, isAllowed(origin))", [A, B, None], [EVIL]),
    (f"{{ if (process.env.NODE_ENV !== 'production') return {LET_IN}; cb(null, SET.has(origin)); }}", [A], [EVIL]),
    (f"{{ if (process.env.NODE_ENV === 'production' && !SET.has(origin)) return {REFUSE}; {LET_IN}; }}", [A], [EVIL]),
    ("cb()", [], [A, EVIL, None]),
    ("cb(null)", [], [A]),
    ("cb('error', true)", [], [A]),
]
PRELUDE = f"""
const LIST = ['{A}', 'https://c.example'];
const SET = new Set(['{A}', '{B}']);
const TABLE = {{ '{A}': true, '{B}': false }};
const NAMED = {{ one: '{A}', two: 'https://c.example' }};
const MAP = new Map([['{A}', 1], ['https://c.example', 2]]);
function isAllowed(o) {{ if (!o) return true; return SET.has(o); }}
function inLoop(o) {{ for (const one of LIST) {{ if (one === o) return true; }} return false; }}
"""


@pytest.mark.parametrize(("body", "accepted", "refused"), BODIES)
def test_callback(body: str, accepted: list[str | None], refused: list[str | None]) -> None:
    compiled = javascript(f"{PRELUDE}\nconst subject = (origin, cb) => {body};")
    for origin in accepted:
        assert given(compiled, origin) == "echo", origin
    for origin in refused:
        assert given(compiled, origin) == "nothing", origin


def test_an_element_that_is_found_is_what_is_sent() -> None:
    for call in ("LIST.find(o => origin === o)", "LIST.find(o => origin === o) ?? false"):
        compiled = javascript(f"{PRELUDE}\nconst subject = (origin, cb) => cb(null, {call});")
        assert answer(compiled.decision, A) == Fixed(A)
        assert given(compiled, EVIL) == "nothing"
    first = javascript(f"{PRELUDE}\nconst subject = (origin, cb) => cb(null, LIST.find(o => origin.startsWith(o)));")
    assert answer(first.decision, A + ".evil.example") == Fixed(A)


@pytest.mark.parametrize(
    "body",
    [
        "{ for (const a of LIST) for (const b of LIST) if (origin === a + b) return cb(null, true); cb(null, false); }",
        "cb(null, LIST.filter(o => o === origin).length > 1)",
        "cb(null, MORE.length > 1)",
        "cb(null, LIST[3 + more] === origin && check())",
    ],
)
def test_what_is_counted_or_looped_over_may_be_unknown(body: str) -> None:
    code = f"{PRELUDE}\nconst MORE = [...load(), '{A}'];\nconst subject = (origin, cb) => {body};"
    assert given(javascript(code), A + A) in ("unknown", "nothing")


def test_callback_in_other_spellings() -> None:
    for head in ("function (origin, callback)", "async (origin, callback) =>"):
        compiled = javascript(f"const subject = {head} {{ callback(null, origin === '{A}'); }};")
        assert [given(compiled, origin) for origin in (A, B)] == ["echo", "nothing"]
    named = f"function subject(o, done) {{ if (o === '{A}') {{ done(null, true); }} else {{ done(new Error('x')); }} }}"
    assert [given(javascript(named), origin) for origin in (A, B)] == ["echo", "nothing"]


@pytest.mark.parametrize(
    "body",
    [
        "{ db.find(origin).then(ok => cb(null, ok)); }",
        "{ check(origin, cb); }",
        "{ const ok = await db.find(origin); cb(null, ok); }",
        "{ return true; }",
        "{ try { cb(null, allowed(origin)); } catch (e) { cb(e); } }",
        "cb(...result)",
        "{ if (Math.random() > 0.5) cb(null, true); else cb(null, SET.has(origin)); }",
    ],
)
def test_callback_not_understood(body: str) -> None:
    compiled = javascript(f"{PRELUDE}\nconst subject = async (origin, cb) => {body};")
    assert given(compiled, EVIL) == "unknown"


def test_a_function_that_throws() -> None:
    test = "if (!origin.endsWith('example.com')) throw new Error('no');"
    for code in (
        f"(origin, cb) => {{ {test} cb(null, true); }}",
        f"(origin, cb) => {{ {test} return cb(null, true); }}",
    ):
        compiled = javascript(f"const subject = {code};")
        assert to_stranger(compiled.decision).kind == "raises"
        found = witness(compiled.decision)
        assert found is not None
        assert found.origin == "https://attackerexample.com"
    returning = javascript(f"const subject = (origin) => {{ {test} return origin; }};", RETURNING)
    assert [given(returning, origin) for origin in (EVIL, "https://example.com")] == ["raises", "echo"]
    caught = javascript(
        "const subject = (origin) => { try { throw new Error('no'); } catch { return ''; } };", RETURNING
    )
    assert given(caught, EVIL) == "nothing"
    raising = python(
        "def subject(origin, environ):\n    if origin != 'https://a.example':\n        raise E\n    return True\n"
    )
    assert [given(raising, origin) for origin in (A, B)] == ["echo", "raises"]


def test_always_true_callback() -> None:
    assert to_stranger(javascript("const subject = (origin, cb) => cb(null, true);").decision).kind == "echo"
    both = "const subject = (origin, cb) => { if (origin) cb(null, true); else cb(null, true); };"
    assert to_stranger(javascript(both).decision).kind == "echo"
    sure = "const subject = (origin, cb) => { if (!origin || origin) { cb(null, true); } };"
    assert given(javascript(sure), EVIL) == "echo"


def test_error_refuses_where_the_library_says_so() -> None:
    code = f"const subject = (origin, cb) => {{ if (origin === '{A}') cb(null, true); else cb(new Error('no')); }};"
    assert given(javascript(code, CORS._replace(error="refuse")), B) == "refused"
    assert given(javascript(code), B) == "nothing"


WEAK = [
    ("origin.endsWith('example.com')", "https://attackerexample.com", "origin.endsWith('example.com')"),
    ("origin.includes('example.com')", "https://example.com.attacker.test", "origin.includes('example.com')"),
    ("origin.indexOf('example.com') > -1", "https://example.com.attacker.test", "origin.indexOf('example.com')"),
    (
        "origin.startsWith('http://localhost')",
        "http://localhost.attacker.test",
        "origin.startsWith('http://localhost')",
    ),
    ("['https://a.com'].some(o => origin.startsWith(o))", "https://a.com.attacker.test", "origin.startsWith(o)"),
    ("['https://a.com'].some(o => origin.indexOf(o) === 0)", "https://a.com.attacker.test", "origin.indexOf(o)"),
    (
        "new URL(origin).hostname.endsWith('a.com')",
        "https://attackera.com",
        "new URL(origin).hostname.endsWith('a.com')",
    ),
    ("SET.has(origin) || /example\\.com$/.test(origin)", "https://attackerexample.com", "/example\\.com$/"),
    ("[/example\\.com/].some(re => re.test(origin))", "https://example.com.attacker.test", "/example\\.com/"),
    ("check(origin)", "https://attackerexample.com", "o.endsWith('example.com')"),
]


@pytest.mark.parametrize(("test", "origin", "place"), WEAK)
def test_weak_callback(test: str, origin: str, place: str) -> None:
    code = (
        f"{PRELUDE}\nfunction check(o) {{ return o.endsWith('example.com'); }}\n"
        f"const subject = (origin, cb) => {{ if (!origin || {test}) cb(null, true); else cb(new Error('no')); }};"
    )
    read = Read(code)
    found = witness(compile_value(read.subject(), CORS, Nothing(), read.scene).decision)
    assert found is not None
    assert (found.origin, read.text(found.span)) == (origin, place)


def test_safe_callback_has_no_witness() -> None:
    for test in ("origin.endsWith('.example.com')", "SET.has(origin)", "/^https:\\/\\/example\\.com$/.test(origin)"):
        code = f"{PRELUDE}\nconst subject = (origin, cb) => cb(null, {test});"
        assert witness(javascript(code).decision) is None


@pytest.mark.parametrize(
    ("body", "accepted", "refused"),
    [
        ("return True", [A, EVIL], []),
        ("return origin in ALLOWED", [A], [EVIL]),
        ("return origin not in ALLOWED", [EVIL], [A]),
        ("return origin is None or origin == 'https://b.example'", [B, None], [A]),
        ("return origin.endswith('.example')", [A], ["https://example.com"]),
        ("return origin.startswith(('https://a.', 'https://b.'))", [A, B], [EVIL]),
        ("return bool(re.match(r'https://a\\.', origin))", [A], [B]),
        ("return re.fullmatch(r'https://a', origin) is not None", [], [A]),
        ("return PATTERN.search(origin)", [A], [B]),
        ("return any(origin.startswith(o) for o in ALLOWED)", [A], [B]),
        ("for o in ALLOWED:\n        if origin.startswith(o):\n            return True\n    return False", [A], [B]),
        ("ok = False\n    for o in ALLOWED:\n        if o == origin:\n            ok = True\n    return ok", [A], [B]),
        ("return ALLOWED.count(origin) > 0", [A], [B]),
        ("return len(ALLOWED) == 1", [A, B], []),
        ("return not ALLOWED.count(origin)", [B], [A]),
        ("return urlparse(origin).hostname == 'a.example'", [A], [B]),
        ("if origin in ALLOWED:\n        return True\n    return False", [A], [B]),
        ("if origin not in ALLOWED:\n        return False\n    return True", [A], [B]),
        ("if origin in ALLOWED:\n        return True", [A], [B]),
        ("return 'a.example' in origin", [A], [B]),
        ("return origin in 'https://a.example,https://b.example'", [A, B, "https://a"], [EVIL]),
    ],
)
def test_python_predicate(body: str, accepted: list[str | None], refused: list[str | None]) -> None:
    compiled = python(
        "import re\nfrom urllib.parse import urlparse\n"
        "ALLOWED = ['https://a.example']\nPATTERN = re.compile(r'//a\\.')\n"
        f"def subject(origin, environ):\n    {body}\n"
    )
    for origin in accepted:
        assert given(compiled, origin) == "echo", origin
    for origin in refused:
        assert given(compiled, origin) in ("refused", "unknown"), origin
        if "fullmatch" not in body:
            assert given(compiled, origin) == "refused", origin


@pytest.mark.parametrize(
    ("expression", "stranger", "same_origin"),
    [
        ("'*'", "echo", False),
        ("['*']", "echo", False),
        ("[]", "nothing", False),
        ("None", "refused", True),
        ("''", "refused", False),
        ("['https://a.example']", "refused", False),
        ("lambda o, e: True", "echo", False),
        ("os.environ['X'].split(',')", "unknown", False),
        ("os.getenv('X', '*').split(',')", "unknown", False),
    ],
)
def test_library_with_its_own_check(expression: str, stranger: str, same_origin: bool) -> None:
    compiled = python(f"import os\nsubject = {expression}\n")
    assert to_stranger(compiled.decision).kind == stranger
    assert compiled.same_origin is same_origin


@pytest.mark.parametrize(
    ("body", "accepted", "fixed"),
    [
        (f"SET.has(origin) ? origin : '{B}'", [A], [EVIL]),
        ("SET.has(origin) ? origin : null", [A], []),
        ("origin", [A, EVIL], []),
        (f"{{ if (SET.has(origin)) return origin; return '{B}'; }}", [A], [EVIL]),
    ],
)
def test_function_that_returns_the_origin(body: str, accepted: list[str], fixed: list[str]) -> None:
    compiled = javascript(f"{PRELUDE}\nconst subject = (origin) => {body};", RETURNING)
    for origin in accepted:
        assert given(compiled, origin) == "echo"
    for origin in fixed:
        assert answer(compiled.decision, origin) == Fixed(B)


# --- comparisons of libraries ----------------------------------------------------------------------------------------


def semantics(**fields: Any) -> OriginSemantics:
    return OriginSemantics(**{"meanings": (("*", "star"),), "otherwise": "unknown", **fields})


@pytest.mark.parametrize(
    ("options", "expression", "accepted", "refused"),
    [
        # Starlette: a text is searched (`origin in self.allow_origins`)
        ({"text": "substring"}, "'http://localhost:3000'", ["http://localhost:3000", "http://localhost:300"], [A]),
        ({"text": "regex", "regex_mode": "full"}, "r'https://.*\\.example'", [A], ["https://a.example.evil"]),
        # Django: re.match
        ({"items": "regex", "regex_mode": "match"}, "[r'^https://a\\.example']", ["https://a.example.evil"], [B]),
        # flask-cors: a text with a special character is a pattern, matched from the start
        ({"text": "prefix-regex-if-special", "fold_case": True}, "'https://A.example'", [A], ["https://axexample"]),
        ({"text": "prefix-regex-if-special"}, "r'https?://.*\\.example'", [A, "https://a.example.evil"], ["ftp://a"]),
        ({"text": "prefix-regex-if-special"}, "'https://*.example'", [], [A, "https://x.a.example"]),
        ({"items": "prefix-regex-if-special"}, "['https://b.example', re.compile('https://a')]", [A, B], [EVIL]),
        # Socket.IO 2: the port is spelled out; a text is searched, a list compared
        (
            {"text": "substring-port"},
            "'https://app.example.com:443'",
            ["https://e.com", "https://app.example.com"],
            ["http://e.com"],
        ),
        ({"text": "substring-port"}, "'http://localhost:*'", ["http://localhost:99", "http://localhost"], [A]),
        ({"text": "substring-port"}, "'localhost:*'", ["http://localhost:99"], [A]),
        ({"text": "substring-port"}, "'https://app.example.com'", [], ["https://app.example.com"]),
        ({"items": "exact-port"}, "['https://app.example.com']", [], ["https://app.example.com"]),
        ({"items": "exact-port"}, "['https://app.example.com:443']", ["https://app.example.com"], ["https://e.com"]),
        (
            {"items": "exact-port"},
            "['app.example.com:443', 'b.example:*']",
            ["https://app.example.com", "http://b.example:9"],
            [A],
        ),
        ({"items": "exact-port"}, "['*:*']", [A, EVIL], []),
        ({"items": "glob"}, "['https://*.example']", [A], ["https://a.example.evil", "https://x/.example"]),
        # Litestar: `*` stands for anything
        ({"items": "wide-glob"}, "['*a.example']", [A, "https://evila.example"], [B]),
        ({"items": "wide-glob"}, "['https://*.example']", [A, "https://x/.example"], ["https://a.example.evil"]),
        ({"text": "letters", "star_in_list": "wildcard"}, "'https://*.example'", [A, EVIL], []),
        ({"text": "letters", "star_in_list": "wildcard"}, "'https://a.example'", [], [A, "null"]),
        ({"text": "host-suffix"}, "'.example'", [A, "http://example"], ["https://example.com"]),
        ({"text": "host-suffix"}, "'https://a.example:443'", [A], ["http://a.example"]),
        ({"separator": ","}, "'https://a.example, https://b.example'", [A, B], [EVIL]),
        ({"star_in_list": "wildcard-echo"}, "['https://a.example', '*']", [A, EVIL], []),
        # django-cors-headers: only scheme and host count, so what lacks both is the origin `null`
        ({"items": "site"}, "['https://a.example/chat/?x']", [A], ["http://a.example", "null"]),
        ({"items": "site"}, "['a.example', '*']", ["null"], [A]),
        ({"items": "site"}, "['https://A.example', '//a.example', 'localhost:3000']", [], [A, "null"]),
        ({"text": "letters", "items": "site"}, "'https://a.example'", ["null"], [A]),
        ({"text": "letters", "items": "regex", "regex_mode": "match"}, "'https:'", [A, EVIL], ["null"]),
        ({"text": "otherwise", "otherwise": "echo"}, "'False'", [A, EVIL], []),
        # flask-cors: upper and lower case are the same in texts, and what they are in compiled patterns
        ({"fold_case": True}, "re.compile('https://A')", [], [A]),
        ({"fold_case": True}, "[re.compile('https://A')]", [], [A]),
        ({"text": "substring"}, "''", [], [A, "null"]),
    ],
)
def test_comparison(options: dict[str, Any], expression: str, accepted: list[str], refused: list[str]) -> None:
    compiled = python(f"import re\nsubject = {expression}\n", semantics(**options))
    for origin in accepted:
        assert accepts(answer(compiled.decision, origin), origin) is Tri.YES, origin
    for origin in refused:
        assert accepts(answer(compiled.decision, origin), origin) is Tri.NO, origin


# --- libraries that send what they are given -----------------------------------------------------------------------

SENDS = semantics(text="fixed", otherwise="text", lists="joined", regex="otherwise", unset="star")
CONTEXT = semantics(function="returning", of_request=True, promise="awaited", unset="star", otherwise="text")


@pytest.mark.parametrize(
    ("expression", "sent"),
    [
        ("true", Fixed("true")),
        ("42", Fixed("42")),
        ("/a/i", Fixed("/a/i")),
        ("['https://a.example']", Fixed(A)),
        ("['https://a.example', 'https://b.example']", Fixed(f"{A}, {B}")),
        ("[]", Nothing()),
        ("null", Star()),
        ("false", Star()),
        ("['*']", Fixed("*")),
        ("['*', 'https://a.example']", Fixed(f"*, {A}")),
        ("{ a: 1 }", Fixed("[object Object]")),
        ("new Set(['https://a.example'])", Fixed("[object Set]")),
    ],
)
def test_what_is_sent_as_it_is(expression: str, sent: object) -> None:
    assert answer(javascript(f"const subject = {expression};", SENDS).decision, EVIL) == sent


@pytest.mark.parametrize("expression", ["[given]", "given", "new Origins()"])
def test_what_it_becomes_is_not_known(expression: str) -> None:
    assert given(javascript(f"const subject = {expression};", SENDS), EVIL) == "unknown"


@pytest.mark.parametrize(
    "read",
    [
        "ctx.get('Origin')",
        "ctx.header.origin",
        "ctx.headers['origin']",
        "ctx.request.headers.origin",
        "ctx.req.header('origin')",
    ],
)
def test_origin_among_the_headers_of_a_request(read: str) -> None:
    assert given(javascript(f"const subject = (ctx) => {read};", CONTEXT), EVIL) == "echo"
    compiled = javascript(f"{PRELUDE}\nconst subject = (ctx) => (SET.has({read}) ? {read} : null);", CONTEXT)
    assert given(compiled, A) == "echo"
    assert given(compiled, EVIL) == "nothing"


@pytest.mark.parametrize(
    "read", ["ctx.origin", "ctx.query.origin", "ctx.get('Referer')", "cache.get('origin')", "other.headers.origin"]
)
def test_what_is_not_the_origin_of_the_request(read: str) -> None:
    assert given(javascript(f"const subject = (ctx, other) => {read};", CONTEXT), EVIL) == "unknown"


def test_what_a_function_returns_is_not_read_as_an_option() -> None:
    returning = semantics(function="returning", unset="fails", otherwise="fails", list_otherwise="echo")
    for expression, sent in (
        ("true", Fixed("true")),
        ("null", Nothing()),
        ("''", Nothing()),
        ("['https://a.example']", Fixed(A)),
        ("/a/", Fixed("/a/")),
    ):
        compiled = javascript(f"const subject = (origin) => {expression};", returning)
        assert answer(compiled.decision, EVIL) == sent, expression


@pytest.mark.parametrize(
    ("promise", "stranger"), [("awaited", "echo"), ("echo", "echo"), ("none", "refused"), ("unknown", "unknown")]
)
def test_promises(promise: str, stranger: str) -> None:
    code = "const subject = async (origin) => origin;"
    assert given(javascript(code, semantics(function="returning", promise=promise), Refuse(400)), EVIL) == stranger
    awaited = javascript(code.replace("async ", ""), semantics(function="returning", promise=promise), Refuse(400))
    assert given(awaited, EVIL) == "echo"


def test_a_promise_instead_of_the_callback() -> None:
    code = f"{PRELUDE}\nconst subject = async (origin) => SET.has(origin);"
    compiled = javascript(code, CORS._replace(promise="awaited"))
    assert given(compiled, A) == "echo"
    assert given(compiled, EVIL) == "nothing"
    assert given(javascript(code), A) == "unknown"
    assert given(javascript(code, CORS._replace(promise="ignored")), A) == "hangs"


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("(origin) => origin === 'https://a.example'", ("hangs", "hangs", "hangs")),
        ("() => {}", ("hangs", "hangs", "hangs")),
        ("(origin) => check(origin)", ("hangs", "unknown", "unknown")),
        ("async (origin) => true", ("hangs", "echo", "unknown")),
        ("function (...given) { given[1](null, true); }", ("unknown", "unknown", "unknown")),
        ("(origin, done) => { later(done); }", ("unknown", "unknown", "unknown")),
    ],
)
def test_a_callback_that_is_never_called(code: str, expected: tuple[str, str, str]) -> None:
    promises = ("ignored", "awaited", "unknown")
    compiled = [javascript(f"const subject = {code};", CORS._replace(promise=promise)) for promise in promises]
    assert tuple(given(each, A) for each in compiled) == expected


def test_what_stands_in_for_an_origin_that_is_not_there() -> None:
    decision = javascript("const subject = (origin, done) => done(null, origin === '*');").decision
    assert [answer(decision, origin).kind for origin in (None, "null", "*")] == ["nothing", "nothing", "echo"]
    decision = decision._replace(stand_in="*")
    assert [answer(decision, origin).kind for origin in (None, "null", A)] == ["echo", "echo", "nothing"]


def test_members_of_the_request() -> None:
    code = "const subject = (ctx) => ctx.origin;"
    assert given(javascript(code, CONTEXT._replace(request_origin=("origin",))), EVIL) == "echo"
    assert answer(javascript(code, CONTEXT._replace(own_origin=("origin",))).decision, EVIL) == Own()
    for other in ("ctx.query.origin", "other.origin"):
        code = f"const subject = (ctx, other) => {other};"
        assert given(javascript(code, CONTEXT._replace(own_origin=("origin",))), EVIL) == "unknown", other


def test_a_test_of_the_path() -> None:
    code = "const subject = (ctx) => (ctx.path === '/test' ? 'https://a.example' : '*');"
    decision = javascript(code, CONTEXT).decision
    assert answer(decision, EVIL).kind == "unknown"
    assert [answers(decision, EVIL, path=path)[0].answer for path in ("/test?a=1", "/other")] == [Fixed(A), Star()]


def test_only_null_is_no_error() -> None:
    strict = CORS._replace(no_error="null")
    assert given(javascript("const subject = (origin, done) => done(null, true);", strict), EVIL) == "echo"
    assert given(javascript("const subject = (origin, done) => done(undefined, true);", strict), EVIL) == "nothing"
    assert given(javascript("const subject = (origin, done) => done(undefined, true);"), EVIL) == "echo"


def test_regular_expressions_that_are_not_compared() -> None:
    code = "const subject = [/a/, 'https://b.example'];"
    assert given(javascript(code, semantics(list_regex="otherwise")), A) == "nothing"
    assert given(javascript(code, semantics(list_regex="otherwise", list_otherwise="echo")), EVIL) == "echo"
    assert given(javascript("const subject = /a/;", semantics(regex="otherwise", otherwise="fails")), A) == "raises"


def test_letters_that_are_no_pattern_raise() -> None:
    compiled = python("subject = 'h*'", semantics(text="letters", items="regex", regex_mode="match"))
    assert given(compiled, A) == "echo"
    assert given(compiled, "null") == "raises"


def test_a_star_in_a_list_may_raise() -> None:
    assert given(python("subject = ['https://a.example', '*']", semantics(star_in_list="raises")), A) == "raises"
    assert given(python("subject = ['https://a.example']", semantics(star_in_list="raises")), A) == "echo"


def test_only_an_empty_list_switches_the_check_off() -> None:
    assert given(python("subject = []", semantics(empty_list="unchecked")), A) == "nothing"
    assert given(python("subject = ()", semantics(empty_list="unchecked")), A) == "refused"


def test_regex_flags() -> None:
    assert given(python("import re\nsubject = re.compile('HTTPS://A', re.I | re.X)\n"), A) == "echo"
    assert given(python("import re\nsubject = re.compile('HTTPS://A')\n"), A) == "refused"
    assert given(javascript("const subject = new RegExp('HTTPS://A', 'i');"), A) == "echo"
    assert given(javascript("const subject = new RegExp(pattern);"), A) == "unknown"


# --- entries ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("const subject = 'https://a.example';", [("https://a.example", "'https://a.example'", False)]),
        ("const subject = ['x', y, 'z'];", [("x", "'x'", True), ("z", "'z'", True)]),
        ("const o = ['x']; const subject = [...o, 'z'];", [("x", "'x'", True), ("z", "'z'", True)]),
        ("const subject = 'a, bc'.split(',');", [("a", "a", True), (" bc", " bc", True)]),
        ("const subject = 'a, bc'.split(',').map(o => o.trim());", [("a", "a", True), ("bc", " bc", True)]),
        ("const subject = (process.env.X || 'a,bc').split(',');", [("a", "a", True), ("bc", "bc", True)]),
        ("const subject = process.env.X || 'a';", [("a", "'a'", False)]),
        (
            "const subject = (o, cb) => cb(null, ['x'].includes(o) || o === 'y');",
            [("x", "'x'", True), ("y", "'y'", False)],
        ),
        ("const subject = (o, cb) => cb(null, ['x'].some(e => o.startsWith(e)));", []),
        ("const subject = (o, cb) => cb(null, { 'x': 1 }[o]);", [("x", "'x'", True)]),
        ("const subject = /x/;", []),
    ],
)
def test_entries(code: str, expected: list[tuple[str, str, bool]]) -> None:
    read = Read(code)
    compiled = compile_value(read.subject(), CORS, Nothing(), read.scene)
    assert [(entry.text, read.text(entry.span), entry.in_list) for entry in compiled.entries] == expected


def test_incomplete_entry() -> None:
    (entry,) = javascript("const subject = `https://${process.env.HOST}/`;").entries
    assert (entry.text, entry.complete) == ("https://…/", False)


# --- environment -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expression", "name", "instead"),
    [
        ("process.env.X", "X", None),
        ("process.env.X || '*'", "X", "*"),
        ("process.env.X ?? process.env.Y ?? '*'", "X", "*"),
        ("process.env.X || process.env.Y", "X", None),
        ("process.env.X ? process.env.X : '*'", "X", "*"),
        ("flag ? process.env.X : '*'", None, None),
        ("'https://a.example'", None, None),
    ],
)
def test_environment(expression: str, name: str | None, instead: str | None) -> None:
    read = Read(f"const subject = {expression};")
    env, then = without_environment(read.subject(), read.scene)
    assert (env.name if env else None) == name
    assert (then.value if isinstance(then, Literal) else None) == instead


@pytest.mark.parametrize(
    ("expression", "stranger"),
    [
        ("(process.env.X || '*').split(',')", "nothing"),
        ("(process.env.X || 'https://a.example').split(',')", "nothing"),
        ("[process.env.X || 'https://a.example']", "nothing"),
    ],
)
def test_environment_inside_a_list(expression: str, stranger: str) -> None:
    read = Read(f"const subject = {expression};")
    env, then = without_environment(read.subject(), read.scene)
    assert env is not None
    assert then is not None
    assert to_stranger(compile_value(then, CORS, Nothing(), read.scene).decision).kind == stranger


# --- headers ---------------------------------------------------------------------------------------------------------

RAW = OriginSemantics(meanings=(("*", "star"), ("", "none")), text="fixed")


HELPERS = """
function asked(r) { return r.headers.origin; }
function listed(r) { const o = r.headers.origin; return LIST.includes(o) ? o : null; }
"""


def header(body: str, prelude: str = PRELUDE + HELPERS) -> Compiled:
    """The decision of `set(value)` inside a handler."""
    read = Read(f"{prelude}\nfunction handler(req, set) {{ const origin = req.headers.origin; {body} }}")
    site = next(
        site for site in read.reading.calls if isinstance(site.call.callee, Name) and site.call.callee.name == "set"
    )

    def is_request_origin(value: Value) -> bool:
        if isinstance(value, Call):
            return isinstance(value.callee, Member) and value.callee.key == "get" and len(value.arguments) == 1
        return isinstance(value, Member) and value.key == "origin"

    return compile_header(site.call.arguments[0].value, site.guards, RAW, read.scene, is_request_origin)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("set('*');", {A: "star", None: "star"}),
        (f"set('{A}');", {A: "fixed", EVIL: "fixed"}),
        ("set('');", {A: "nothing"}),
        ("set(req.headers.origin);", {A: "echo", None: "nothing", "null": "echo"}),
        ("set(origin);", {A: "echo", None: "nothing"}),
        ("set(origin || '*');", {A: "echo", None: "star"}),
        ("set(req.get('Origin'));", {A: "echo"}),
        ("set(req.get('Origin', '*'));", {A: "echo", None: "star"}),
        ("set(`${origin}`);", {A: "echo"}),
        ("if (origin) set(origin);", {A: "echo", None: "nothing"}),
        ("if (LIST.includes(origin)) set(origin);", {A: "echo", EVIL: "nothing"}),
        ("if (LIST.includes(origin)) { set(origin); }", {A: "echo", EVIL: "nothing"}),
        ("if (!LIST.includes(origin)) return; set(origin);", {A: "echo", EVIL: "nothing"}),
        ("if (LIST.includes(origin)) set('*');", {A: "star", EVIL: "nothing"}),
        (f"set(LIST.includes(origin) ? origin : '{B}');", {A: "echo", EVIL: "fixed"}),
        ("if (isAllowed(origin)) set(origin);", {A: "echo", EVIL: "nothing"}),
        ("if (checked(req)) set(origin);", {A: "unknown"}),
        ("for (const o of LIST) if (o === origin) set(o);", {A: "fixed", B: "nothing"}),
        ("for (const o of LIST) { if (origin.startsWith(o)) set(origin); }", {A + ".evil": "echo", B: "nothing"}),
        ("for (const o of LIST) set(o);", {A: "unknown", B: "unknown"}),
        ("set(asked(req));", {A: "echo", None: "nothing"}),
        ("set(listed(req));", {A: "echo", B: "nothing"}),
        ("const given = listed(req); if (given) set(given);", {A: "echo", B: "nothing"}),
        ("set(LIST.find(o => o === origin));", {A: "fixed", B: "nothing"}),
        ("if (req.method === 'OPTIONS') set(origin);", {A: "echo"}),
        ("if (req.method === 'OPTIONS' && LIST.includes(origin)) set(origin);", {A: "echo", EVIL: "nothing"}),
        # only reachable in development: the fact's `fence` says so, the decision speaks of the requests that get there
        ("if (process.env.NODE_ENV !== 'production') set('*');", {A: "star"}),
        ("set(process.env.X);", {A: "unknown"}),
    ],
)
def test_header(body: str, expected: dict[str | None, str]) -> None:
    compiled = header(body)
    for origin, kind in expected.items():
        assert given(compiled, origin) == kind, origin


def test_null_in_a_list() -> None:
    assert accepts_null(javascript("const subject = ['null'];").decision) is Tri.YES
    assert accepts_null(javascript("const subject = [null];").decision) is Tri.NO


def test_choices_of_unknowns_are_one_unknown() -> None:
    names = ["load()", *(f"v{number}" for number in range(12))]
    # Each is a choice of two choices that hold the one before twice: 4,096 ways in all.
    steps = "".join(f"const v{n} = t{n} ? {names[n]} : (u{n} || {names[n]});\n" for n in range(12))
    assert len(javascript(f"{steps}const subject = v11;").decision.cases) == 1
    compiled = javascript(f"const subject = flag ? load() : '{A}';")
    assert [case.answer.kind for case in compiled.decision.cases] == ["unknown", "fixed"]


def test_hostile_nesting_ends() -> None:
    deep = "(o, cb) => cb(null, " + "!(" * 150 + "o" + ")" * 150 + ")"
    assert given(javascript(f"const subject = {deep};"), A) in ("echo", "nothing", "unknown")
    code = "function f(o) { return g(o); }\nfunction g(o) { return f(o); }\nconst subject = (o, cb) => cb(null, f(o));"
    assert given(javascript(code), A) == "unknown"
    tests = " || ".join(f"o === 'https://{number}.example'" for number in range(150))
    assert given(javascript(f"const subject = (o, cb) => cb(null, {tests});"), EVIL) in ("nothing", "unknown")
