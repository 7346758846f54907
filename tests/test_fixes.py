from __future__ import annotations

import os
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from corslint import fixes
from corslint.fixes import WriteRefusedError, fix_to_fixpoint, plan, planner
from corslint.model.edits import VERBS, edit_fault
from corslint.model.facts import Fact, Field
from corslint.model.finding import Edit, Finding, Fix
from corslint.source import SourceFile, Span

Sources = Callable[[str], SourceFile]


def sources(files: Mapping[str, str | bytes]) -> Sources:
    held = {path: SourceFile(path, text.encode() if isinstance(text, str) else text) for path, text in files.items()}
    return held.__getitem__


def at(path: str, text: str, piece: str) -> Span:
    """The bytes of a piece that stands once in a text."""
    assert text.count(piece) == 1
    start = len(text[: text.index(piece)].encode())
    return Span(path, start, start + len(piece.encode()))


def done(fix: Fix | None, files: Mapping[str, str]) -> dict[str, str] | None:
    """The changed files after a fix."""
    if fix is None:
        return None
    finding = Finding("r", "error", "broken", "high", "m", "h", Span("x", 0, 0), fix=fix)
    result = fixes.apply([finding], sources(files), unsafe=True)
    assert result.applied == 1
    return {path: data.decode() for path, data in result.changed.items()}


def spec(*edits: dict[str, Any], title: str = "Mend it", applicability: str = "safe") -> dict[str, Any]:
    return {"title": title, "applicability": applicability, "edits": list(edits)}


# --- what a rule may ask for ---

FAULTS: list[tuple[dict[str, Any], str | None]] = [
    ({"delete": "a.b"}, None),
    ({"replace": "a.b", "with": "x"}, None),
    ({"replace": "a.b", "with": False}, None),
    ({"set_option": "a", "key": "x.y", "value": [1]}, None),
    ({"set_option": "a", "key": "x.y", "code": "f()", "argument": 1}, None),
    ({"insert_directive": "a.block", "text": "b;"}, None),
    ({"drop": "a"}, f"an edit needs exactly one of {', '.join(VERBS)}"),
    ({"delete": "a", "replace": "b", "with": "c"}, f"an edit needs exactly one of {', '.join(VERBS)}"),
    ({"delete": ""}, "`delete` needs a place, `name` or `name.field`"),
    ({"delete": "a", "with": 1}, "`delete` takes no `with`"),
    ({"replace": "a"}, "`replace` needs `code` or `with`"),
    ({"replace": "a", "with": 1, "code": "x"}, "`replace` needs `code` or `with`"),
    ({"rename_key": "a"}, "`rename_key` needs `to`"),
    ({"rename_key": "a", "to": 1}, "`to` must be text"),
    ({"set_option": "a", "value": 1}, "`set_option` needs `key`"),
    ({"set_option": "a", "key": "k"}, "`set_option` needs `code` or `value`"),
    ({"set_option": "a", "key": "k", "value": 1, "argument": True}, "`argument` must be a position, counted from 0"),
    ({"insert_directive": "a", "text": ""}, "`text` must be text"),
]


@pytest.mark.parametrize(("edit", "fault"), FAULTS)
def test_edit_fault(edit: dict[str, Any], fault: str | None) -> None:
    assert edit_fault(edit) == fault


def test_the_verbs_are_known_without_loading_a_parser() -> None:
    script = (
        "import sys, corslint.fixes\n"
        "heavy = {'libcst', 'tree_sitter', 'crossplane', 'corslint.engine'} & set(sys.modules)\n"
        "sys.exit(repr(heavy) if heavy else 0)"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


# --- plan ---

SERVER = "const é = 1;\nio(http, { cors: { origin: '*' }, origins: 'a' });\n"
NGINX = "location / {\n    add_header X 1;\n    proxy_pass http://a;\n}\n"
FILES = {"s.js": SERVER, "nginx.conf": NGINX}


def bindings() -> dict[str, Fact]:
    server = Fact(
        "cors_policy",
        at("s.js", SERVER, "io(http, { cors: { origin: '*' }, origins: 'a' })"),
        {
            "origin": Field("*", span=at("s.js", SERVER, "'*'")),
            "options": Field(None, "unknown", at("s.js", SERVER, "{ cors: { origin: '*' }, origins: 'a' }")),
            "credentials": Field(
                True, "default", at("s.js", SERVER, "io(http, { cors: { origin: '*' }, origins: 'a' })")
            ),
        },
    )
    option = Fact(
        "policy_option",
        at("s.js", SERVER, "origins: 'a'"),
        {"name": Field("origins", span=at("s.js", SERVER, "origins"))},
    )
    route = Fact(
        "proxy_route",
        at("nginx.conf", NGINX, "location /"),
        {
            "adds.x": Field("1", span=at("nginx.conf", NGINX, "add_header X 1;")),
            "block": Field("", span=at("nginx.conf", NGINX, "\n    add_header X 1;\n    proxy_pass http://a;\n")),
        },
    )
    return {"server": server, "option": option, "route": route}


def rendered(text: str) -> str:
    """Placeholders as the engine fills them."""

    def value(match: re.Match[str]) -> str:
        name, field = match.group(1).split(".", 1)
        return str(bindings()[name].fields[field].value)

    return re.sub(r"\{(\w+\.[\w.]+)\}", value, text)


PLANS: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "one edit": (spec({"delete": "route.adds.x"}), {"nginx.conf": NGINX.replace("    add_header X 1;\n", "")}),
    "the fact itself": (spec({"delete": "option"}), {"s.js": SERVER.replace(", origins: 'a'", "")}),
    "a text with a placeholder": (
        spec({"replace": "server.origin", "with": "https://{option.name}"}),
        {"s.js": SERVER.replace("'*'", "'https://origins'")},
    ),
    "placeholders within data": (
        spec({"replace": "server.origin", "with": ["{option.name}", 1]}),
        {"s.js": SERVER.replace("'*'", "['origins', 1]")},
    ),
    "two files": (
        spec({"delete": "route.adds.x"}, {"rename_key": "option.name", "to": "path"}),
        {"nginx.conf": NGINX.replace("    add_header X 1;\n", ""), "s.js": SERVER.replace("origins", "path")},
    ),
    "two options in one new object": (
        spec(
            {"set_option": "server.options", "key": "a.b", "value": 1},
            {"set_option": "server.options", "key": "a.c", "value": "{server.origin}"},
        ),
        {"s.js": SERVER.replace("origins: 'a' }", "origins: 'a', a: { b: 1, c: '*' } }")},
    ),
    "an option of the call, where no options are known": (
        spec({"set_option": "server.credentials", "key": "cors.credentials", "value": True}),
        {"s.js": SERVER.replace("origin: '*'", "origin: '*', credentials: true")},
    ),
    "edits that move each other's places": (
        spec(
            {"replace": "server.origin", "with": "https://a.example"},
            {"delete": "option.name"},
            {"set_option": "server.options", "key": "cors.credentials", "value": True},
        ),
        {"s.js": SERVER.replace("'*'", "'https://a.example', credentials: true").replace(", origins: 'a'", "")},
    ),
    "directives": (
        spec({"insert_directive": "route.block", "text": "add_header Y {server.origin};"}),
        {"nginx.conf": NGINX.replace("X 1;\n", "X 1;\n    add_header Y *;\n")},
    ),
}


@pytest.mark.parametrize(("fix", "after"), PLANS.values(), ids=PLANS)
def test_plan(fix: dict[str, Any], after: dict[str, str]) -> None:
    planned = plan(fix, bindings(), sources(FILES), rendered)
    assert done(planned, FILES) == after


NO_PLANS = {
    "one of several edits can't be made": spec(
        {"delete": "route.adds.x"}, {"delete": "server"}, {"replace": "server.origin", "with": {}, "code": "x"}
    ),
    "the place isn't there": spec({"delete": "server.nothing"}),
    "the place is a default": spec({"replace": "server.credentials", "with": False}),
    "no such fact": spec({"delete": "nobody.origin"}),
    "no such text": spec({"replace": "server.origin", "with": "{server.nothing}"}),
    "nothing to do": spec({"replace": "server.origin", "with": "*"}),
    "a place that an earlier edit removed": spec({"delete": "option"}, {"rename_key": "option.name", "to": "x"}),
    "an empty piece of a key": spec({"set_option": "server.options", "key": "cors.", "value": 1}),
}


@pytest.mark.parametrize("fix", NO_PLANS.values(), ids=NO_PLANS)
def test_no_plan(fix: dict[str, Any]) -> None:
    assert plan(fix, bindings(), sources(FILES), rendered) is None


def test_plan_keeps_title_and_applicability() -> None:
    fix = plan(
        spec({"delete": "option"}, title="Drop {option.name}", applicability="unsafe"),
        bindings(),
        sources(FILES),
        rendered,
    )
    assert fix is not None
    assert (fix.title, fix.applicability) == ("Drop origins", "unsafe")
    assert fix.edits == (Edit(at("s.js", SERVER, ", origins: 'a'"), ""),)


def test_plan_in_a_file_that_is_gone_or_has_no_editor() -> None:
    fact = Fact("package", Span("package.json", 0, 1), {})
    assert plan(spec({"delete": "p"}), {"p": fact}, sources({"package.json": "{}"}), str) is None
    assert plan(spec({"delete": "option"}), bindings(), sources({}), str) is None


def test_planner_takes_the_engines_request() -> None:
    class Target(NamedTuple):
        name: str
        field: str

        def __str__(self) -> str:
            return f"{self.name}.{self.field}"

    class Asked(NamedTuple):
        verb: str
        target: Target
        arguments: Mapping[str, Any]

    class Request(NamedTuple):
        title: str
        applicability: str
        edits: tuple[Asked, ...]

    request = Request("Mend {it}", "safe", (Asked("rename_key", Target("option", "name"), {"to": "path"}),))
    fix = planner(sources(FILES))(request, bindings())
    assert fix == Fix("Mend {it}", "safe", (Edit(at("s.js", SERVER, "origins"), "path"),))


# --- a toy linter: each `bad` word is a finding; what the fix turns it into decides what happens ---


def lint(files: Mapping[str, bytes]) -> list[Finding]:
    found = []
    for path in sorted(files):
        data = files[path]
        for match in re.finditer(rb"(bad|worse|stuck|chain)(\d*)", data):
            word, number = match.group(1).decode(), match.group(2).decode()
            text = {"bad": "good", "worse": "bad1 bad2", "stuck": f"stuck{number}0"}.get(word)
            if word == "chain":
                text = f"chain{int(number) - 1}" if int(number) else "good"
            assert text is not None
            span = Span(path, match.start(), match.end())
            fix = Fix("x", "unsafe" if number == "9" else "safe", (Edit(span, text),))
            message = f"{word}{number}" if word == "chain" else word
            found.append(Finding(word, "error", "broken", "high", message, "", span, fix=fix))
    return found


def settle(files: dict[str, bytes], unsafe: bool = False) -> tuple[dict[str, bytes], int, list[tuple[str, str]], int]:
    runs = 0

    def again(changed: Mapping[str, bytes]) -> list[Finding]:
        nonlocal runs
        runs += 1
        return lint({**files, **changed})

    result = fix_to_fixpoint(again, lint(files), lambda path: SourceFile(path, files[path]), unsafe)
    refused = [(finding.message, reason) for finding, reason in result.refused]
    return dict(result.changed), result.applied, refused, runs


def test_fixpoint_makes_all_good_fixes_in_one_run() -> None:
    changed, applied, refused, runs = settle({"a": b"bad x bad y", "b": b"bad", "c": b"fine"})
    assert (changed, applied, refused, runs) == ({"a": b"good x good y", "b": b"good"}, 3, [], 1)


def test_fixpoint_takes_back_a_fix_that_adds_findings_and_keeps_the_others() -> None:
    changed, applied, refused, _ = settle({"a": b"bad x bad y worse z bad", "b": b"bad"})
    assert changed == {"a": b"good x good y worse z good", "b": b"good"}
    assert applied == 4
    assert refused == [("worse", "the fix brings up bad in a")]


def test_fixpoint_takes_back_a_fix_that_silences_nothing() -> None:
    changed, applied, refused, _ = settle({"a": b"stuck bad"})
    assert (changed, applied) == ({"a": b"stuck good"}, 1)
    assert refused == [("stuck", "the finding is still there after the fix")]


def test_fixpoint_takes_back_a_fix_that_trades_one_finding_for_another_of_its_rule() -> None:
    changed, applied, refused, _ = settle({"a": b"chain3 bad"})
    assert (changed, applied) == ({"a": b"chain3 good"}, 1)
    assert refused == [("chain3", "the fix trades one chain for another in a")]


def test_fixpoint_leaves_unsafe_fixes_alone_unless_asked() -> None:
    assert settle({"a": b"bad9 bad"})[:3] == ({"a": b"bad9 good"}, 1, [])
    assert settle({"a": b"bad9 bad"}, unsafe=True)[:3] == ({"a": b"good good"}, 2, [])


def test_fixpoint_makes_fixes_that_touch_in_later_rounds() -> None:
    changed, applied, refused, runs = settle({"a": b"bad" * 5})
    assert (changed, applied, refused) == ({"a": b"good" * 5}, 5, [])
    assert runs == 2


def test_fixpoint_ends_after_so_many_rounds() -> None:
    """A fix per round, each revealing the next finding only by being made, in another rule's name."""
    files = {"a": b"0"}

    def again(changed: Mapping[str, bytes]) -> list[Finding]:
        number = int(changed.get("a", files["a"]))
        span = Span("a", 0, len(str(number)))
        fix = Fix("x", "safe", (Edit(span, str(number + 1)),))
        return [Finding("r", "error", "broken", "high", str(left), "", span, fix=fix) for left in range(number, 100)]

    result = fix_to_fixpoint(again, again({}), lambda path: SourceFile(path, files[path]), False)
    assert result.applied == fixes.ROUNDS
    assert result.changed == {"a": b"20"}
    assert {reason for _, reason in result.refused} == {"not settled after 20 rounds"}


def test_fixpoint_refuses_each_bad_fix_with_few_runs() -> None:
    words = ["bad"] * 60
    words[17] = words[43] = "worse"
    changed, applied, refused, runs = settle({"a": " ".join(words).encode()})
    assert changed["a"].decode().split() == ["worse" if word == "worse" else "good" for word in words]
    assert (applied, len(refused)) == (58, 1)  # the two say the same: one refusal stands for both
    assert runs < 30


def test_fixpoint_tries_a_refused_fix_again_when_all_else_is_mended() -> None:
    """`late` turns into what is a finding as long as there is a `bad`: another run would make it good."""
    files = {"a": b"late bad"}

    def words(changed: Mapping[str, bytes]) -> list[Finding]:
        data = changed.get("a", files["a"])
        found = []
        for match in re.finditer(rb"late|bad|mended", data):
            word = match.group().decode()
            text = {"late": "mended", "bad": "good"}.get(word)
            if word == "mended" and b"bad" not in data:
                continue
            span = Span("a", match.start(), match.end())
            fix = None if text is None else Fix("x", "safe", (Edit(span, text),))
            found.append(Finding(word, "error", "broken", "high", word, "", span, fix=fix))
        return sorted(found, key=lambda one: one.rule, reverse=True)

    def one_by_one(changed: Mapping[str, bytes]) -> list[Finding]:
        found = words(changed)
        return [
            one._replace(fix=None) if one.rule == "bad" and b"late" in changed.get("a", b"late") else one
            for one in found
        ]

    sources_ = lambda path: SourceFile(path, files[path])  # noqa: E731
    result = fix_to_fixpoint(words, words({}), sources_, False)
    assert dict(result.changed) == {"a": b"mended good"}
    assert result.refused == ()
    alone = fix_to_fixpoint(one_by_one, one_by_one({}), sources_, False)
    assert [(one.rule, why) for one, why in alone.refused] == [("late", "the fix brings up mended in a")]


def grade(word: str, severity: str, effect: str = "broken", fix: Fix | None = None) -> Finding:
    return Finding(word, severity, effect, "high", word, "", Span("a", 0, 1), fix=fix)


MENDS = Fix("x", "safe", (Edit(Span("a", 0, 1), "b"),))


@pytest.mark.parametrize(
    ("severity", "brings", "reason"),
    [
        ("error", grade("new", "note", "policy"), None),
        ("warning", grade("new", "note", "policy"), None),
        ("note", grade("new", "note", "policy"), "the fix brings up new in a"),
        ("error", grade("new", "warning"), "the fix brings up new in a"),
        ("error", grade("syntax", "note", "tool"), "the fix brings up syntax in a"),
        ("error", fixes.undecided(Span("a", 0, 1)), "the fix brings up a policy that cannot be told in a"),
    ],
)
def test_fixpoint_lets_only_a_note_come_up_for_something_graver(
    severity: str, brings: Finding, reason: str | None
) -> None:
    before = [grade("old", severity, fix=MENDS)]
    result = fix_to_fixpoint(
        lambda changed: [brings] if changed else before, before, lambda path: SourceFile(path, b"a"), False
    )
    assert [why for _, why in result.refused] == ([] if reason is None else [reason])
    assert result.applied == (reason is None)


@pytest.mark.parametrize("unsafe", [False, True])
def test_a_placeholder_is_never_made(unsafe: bool) -> None:
    finding = grade("old", "error", fix=MENDS._replace(applicability="placeholder"))
    assert not fixes.wanted(finding, unsafe=unsafe)
    assert fixes.apply([finding], sources({"a": "a"}), unsafe=unsafe).changed == {}


def test_apply_makes_the_first_of_two_that_overlap() -> None:
    span = Span("a", 0, 3)
    one, two, three = (
        Finding("r", "error", "broken", "high", text, "", span, fix=Fix("x", "safe", (Edit(place, text),)))
        for text, place in (("1", span), ("2", Span("a", 2, 4)), ("3", Span("a", 5, 6)))
    )
    result = fixes.apply([one, two, three], sources({"a": "abcdefg"}), unsafe=False)
    assert result.changed == {"a": b"1de3g"}
    assert result.applied == 2
    assert result.refused == ((two, "overlaps another fix"),)


def test_apply_leaves_a_fix_out_wholly_where_one_of_its_files_overlaps() -> None:
    one = Finding("r", "e", "b", "h", "1", "", Span("a", 0, 1), fix=Fix("x", "safe", (Edit(Span("a", 0, 1), "1"),)))
    both = Fix("x", "safe", (Edit(Span("b", 0, 1), "2"), Edit(Span("a", 0, 1), "2")))
    two = Finding("r", "e", "b", "h", "2", "", Span("a", 0, 1), fix=both)
    assert fixes.apply([one, two], sources({"a": "a", "b": "b"}), unsafe=False).changed == {"a": b"1"}


# --- write ---


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "project"
    root.mkdir()
    monkeypatch.chdir(root)
    return root


def read(path: str) -> SourceFile:
    return SourceFile(path, Path(path).read_bytes())


def test_write_keeps_the_mode_and_leaves_nothing_behind(project: Path) -> None:
    (project / "a.js").write_bytes(b"a\r\n")
    (project / "a.js").chmod(0o750)
    (project / "sub").mkdir()
    (project / "sub/b.js").write_bytes(b"b")
    originals = {path: read(path) for path in ("a.js", "sub/b.js")}
    fixes.write({"a.js": b"A\r\n", "sub/b.js": b"B"}, originals.__getitem__)
    assert (project / "a.js").read_bytes() == b"A\r\n"
    assert (project / "a.js").stat().st_mode & 0o777 == 0o750
    assert (project / "sub/b.js").read_bytes() == b"B"
    assert sorted(path.name for path in project.rglob("*")) == ["a.js", "b.js", "sub"]


def test_write_refuses_all_where_one_file_changed(project: Path) -> None:
    for name in ("a.js", "b.js"):
        (project / name).write_bytes(b"old")
    originals = {path: read(path) for path in ("a.js", "b.js")}
    (project / "b.js").write_bytes(b"new")
    with pytest.raises(WriteRefusedError, match=r"b\.js: it changed since it was read"):
        fixes.write({"a.js": b"A", "b.js": b"B"}, originals.__getitem__)
    assert (project / "a.js").read_bytes() == b"old"
    assert (project / "b.js").read_bytes() == b"new"


def test_write_goes_through_a_link_that_stays_inside(project: Path) -> None:
    (project / "real.js").write_bytes(b"old")
    (project / "link.js").symlink_to("real.js")
    originals = {"link.js": read("link.js")}
    fixes.write({"link.js": b"new"}, originals.__getitem__)
    assert (project / "link.js").is_symlink()
    assert (project / "real.js").read_bytes() == b"new"


@pytest.mark.parametrize("linked", ["out.js", "folder/out.js"])
def test_write_refuses_a_link_that_leads_out(project: Path, linked: str) -> None:
    outside = project.parent / "outside"
    outside.mkdir()
    (outside / "out.js").write_bytes(b"old")
    (project / "out.js").symlink_to(outside / "out.js")
    (project / "folder").symlink_to(outside)
    originals = {linked: read(linked)}
    with pytest.raises(WriteRefusedError, match="it leads out of the project"):
        fixes.write({linked: b"new"}, originals.__getitem__)
    assert (outside / "out.js").read_bytes() == b"old"


def test_write_refuses_what_is_gone(project: Path) -> None:
    with pytest.raises(WriteRefusedError, match=r"a\.js: No such file"):
        fixes.write({"a.js": b""}, lambda path: SourceFile(path, b""))


@pytest.mark.parametrize("failing", [1, 2])
def test_write_puts_back_what_it_wrote_when_a_later_file_fails(
    project: Path, monkeypatch: pytest.MonkeyPatch, failing: int
) -> None:
    for name in ("a.js", "b.js"):
        (project / name).write_bytes(b"old")
    originals = {path: read(path) for path in ("a.js", "b.js")}
    real, calls = os.replace, 0

    def replace(source: str, target: str) -> None:
        nonlocal calls
        calls += 1
        if calls == failing:
            raise OSError(28, "No space left on device")
        real(source, target)

    monkeypatch.setattr(os, "replace", replace)
    with pytest.raises(WriteRefusedError, match="No space left on device"):
        fixes.write({"a.js": b"A", "b.js": b"B"}, originals.__getitem__)
    assert [(project / name).read_bytes() for name in ("a.js", "b.js")] == [b"old", b"old"]
    assert sorted(path.name for path in project.iterdir()) == ["a.js", "b.js"]


# --- diff ---


def test_diff() -> None:
    old = "".join(f"line {number}\n" for number in range(1, 21))
    new = old.replace("line 2\n", "").replace("line 15\n", "line 15!\nmore\n")
    assert fixes.diff({"s/a.js": new.encode()}, sources({"s/a.js": old})) == (
        "--- a/s/a.js\n+++ b/s/a.js\n"
        "@@ -1,5 +1,4 @@\n line 1\n-line 2\n line 3\n line 4\n line 5\n"
        "@@ -12,7 +11,8 @@\n line 12\n line 13\n line 14\n-line 15\n+line 15!\n+more\n line 16\n line 17\n line 18\n"
    )


def test_diff_of_a_file_without_a_final_line_feed_and_with_crlf() -> None:
    text = fixes.diff({"a": b"x\r\nz"}, sources({"a": b"x\r\ny"}))
    assert text == (
        "--- a/a\n+++ b/a\n@@ -1,2 +1,2 @@\n x\r\n-y\n\\ No newline at end of file\n+z\n\\ No newline at end of file\n"
    )


DIFFS = [
    (b"", b"a\n"),
    (b"a\n", b""),
    (b"a", b"a\n"),
    (b"a\n", b"a"),
    (b"a\r\nb\r\n", b"a\r\nc\r\n"),
    (b"a\rb\x0cc\x1cd\n\n", b"a\rb\x0cc\x1ce\n\n"),
    ("\u2028é\n".encode(), "\u2028ü\n".encode()),
    (b"\xff\xfe\na\n", b"\xff\xfe\nb\n"),
    (b"\xef\xbb\xbfa\nb\n", b"\xef\xbb\xbfa\nc\n"),
]


def git_applied(folder: Path, name: str, old: bytes, new: bytes) -> bytes:
    (folder / name).write_bytes(old)
    text = fixes.diff({name: new}, sources({name: old}))
    subprocess.run(
        ["git", "apply", "--whitespace=nowarn", "-"],
        input=text.encode("utf-8", "surrogateescape"),
        cwd=folder,
        check=True,
        env={**os.environ, "GIT_DIR": "/nonexistent", "GIT_CEILING_DIRECTORIES": str(folder.parent)},
    )
    return (folder / name).read_bytes() if (folder / name).exists() else b""


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
@pytest.mark.parametrize(("old", "new"), DIFFS)
def test_git_applies_the_diff(tmp_path: Path, old: bytes, new: bytes) -> None:
    assert git_applied(tmp_path, "a file.js", old, new) == new


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_git_applies_random_diffs(tmp_path: Path) -> None:
    chance = random.Random(1)
    for _ in range(20):
        lines = [chance.choice([b"a", b"b", b"c", b"", b"d\r"]) for _ in range(chance.randrange(1, 60))]
        changed = list(lines)
        for _ in range(chance.randrange(1, 6)):
            where = chance.randrange(len(changed) + 1)
            changed[where : where + chance.randrange(3)] = [b"new"] * chance.randrange(3)
        old, new = b"\n".join(lines), b"\n".join(changed)
        if old != new and old and new:
            assert git_applied(tmp_path, "a.js", old, new) == new


def test_diff_of_nothing_is_empty() -> None:
    assert fixes.diff({"a": b"x"}, sources({"a": b"x"})) == ""
