"""Ignore comments: what they take back, in every language, and what looks like one and takes back nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from corslint import cli, lint
from corslint.editing import ignores
from corslint.model.finding import Finding
from corslint.parsers import comments, kind_of
from corslint.settings import Settings
from corslint.source import SourceFile
from tests.examples import findings_of, settings_of, unmarked

KNOWN = lint.knowledge()
ABOUT_COMMENTS = lint.about_comments()
QUICK = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)

STAR = "wildcard-origin-with-credentials"
ECHO = "reflected-origin-with-credentials"


def found(files: Mapping[str, str | bytes], chosen: Settings | None = None) -> list[str]:
    """`path:line rule` of every finding."""
    data = {path: text if isinstance(text, bytes) else text.encode() for path, text in files.items()}
    lines = []
    for one in findings_of(data, chosen or Settings(), KNOWN):
        line = data[one.primary.path].count(b"\n", 0, one.primary.start) + 1
        lines.append(f"{one.primary.path}:{line} {one.rule}")
    return lines


# --- where a comment counts ------------------------------------------------------------------------------------------

CALL = "require('express')().use(require('cors')({ origin: '*', credentials: true }));"
FLASK = "from flask import Flask\nfrom flask_cors import CORS\n"
CORS = 'CORS(Flask("x"), supports_credentials=True)'
MARKUP = f"<!-- corslint: ignore-file[{STAR}] -->"
NGINX = "server {\n    listen 80\n}\n"
HEREDOC = "cat > /etc/nginx/conf.d/a.conf <<'EOF'\nserver {\n    listen 80;\n    @\n    listen 81\n}\nEOF\n"


def rule_in(text: str) -> str:
    """The rule that speaks about a text made of the above."""
    return STAR if CALL[:-1] in text else ECHO if CORS in text else "nginx-syntax"


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.js", f"{CALL} // corslint: ignore[{STAR}] demo"),
        ("a.js", f"{CALL} /* corslint:ignore[ {STAR} ] */"),
        ("a.js", f"/* corslint: ignore[{STAR}] */ {CALL}"),
        ("a.js", f"// corslint: ignore[{STAR}]\n{CALL}"),
        ("a.js", f"\ufeff// corslint: ignore[{STAR}]\r\n{CALL}\r\n"),
        (
            "a.js",
            f"// corslint: ignore[ {STAR}] why\n// and more\n{CALL}",
        ),
        ("a.js", f"/*\n * corslint: ignore[{STAR}]\n */\n{CALL}"),
        ("a.js", f"// eslint-disable-next-line x -- corslint: ignore[{STAR}]\n{CALL}"),
        ("a.js", f"start();\n{CALL}\n// corslint: ignore-file[{STAR}] demo\n"),
        ("a.js", f"// corslint: disable[{STAR}] demo\n\nstart();\n{CALL}\n// corslint: enable\n"),
        ("a.js", f"// corslint: disable[{STAR}]\n{CALL}\n// corslint: enable[{STAR}]\n"),
        ("a.js", f"// corslint: disable[{STAR}]\n{CALL}\n"),
        ("a.ts", f"// corslint: ignore[{STAR}]\n{CALL}"),
        ("a.tsx", f"const a = <A>\n  {{/* corslint: ignore[{STAR}] */}}\n  {{{CALL[:-1]}}}\n</A>;"),
        ("a.jsx", f"const a = <A\n  // corslint: ignore[{STAR}]\n  b={{{CALL[:-1]}}}\n/>;"),
        ("a.js", f"const t = `\n  text ${{{CALL[:-1]}}}\n`; // corslint: ignore[{STAR}]"),
        ("a.js", f"// corslint: ignore[{STAR}]\nconst t = `\n  text ${{{CALL[:-1]}}}\n`;"),
        ("a.vue", f"<script>\n// corslint: ignore[{STAR}]\n{CALL}\n</script>"),
        ("a.vue", f"<!-- corslint: ignore-file[{STAR}] -->\n<script>\n{CALL}\n</script>"),
        ("a.svelte", f"<script>\n// corslint: ignore[{STAR}]\n{CALL}\n</script>\n<p>text</p>\n"),
        ("a.py", f"{FLASK}{CORS}  # noqa: X1 # corslint: ignore[{ECHO}] demo"),
        ("a.py", f"{FLASK}# corslint: ignore[{ECHO}]\n{CORS}"),
        ("a.py", f"{FLASK}if True:\n    # corslint: ignore[{ECHO}]\n    {CORS}"),
        ("a.py", f"{FLASK}# corslint: ignore[{ECHO}]\nx = 1 + \\\n    {CORS}"),
        ("nginx.conf", "server {\n    listen @80 # corslint: ignore[nginx-syntax]\n}\n".replace("@", "")),
        ("nginx.conf", "server {\n    # corslint: ignore[nginx-syntax] old\n    listen 80\n}\n"),
        ("nginx.conf", f"# corslint: ignore-file[nginx-syntax]\n{NGINX}"),
        ("a.sh", HEREDOC.replace("@", "# corslint: ignore[nginx-syntax]")),
        ("a.sh", "#!/bin/sh\n# corslint: ignore-file[nginx-syntax] old\n" + HEREDOC.replace("@", "")),
        ("Dockerfile", "# corslint: ignore-file[nginx-syntax]\nFROM nginx\nRUN " + HEREDOC.replace("@", "")),
    ],
)
def test_it_takes_a_finding_back(path: str, text: str) -> None:
    rule = rule_in(text)
    bare = text.replace("corslint", "another")
    assert any(one.endswith(f" {rule}") for one in found({path: bare})), "there is nothing to take back"
    assert [one for one in found({path: text}) if one.endswith((f" {rule}", " unused-ignore"))] == []


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.js", f"{CALL} start('// corslint: ignore[{STAR}]');"),
        ("a.js", f"{CALL} start(`\n// corslint: ignore[{STAR}]\n`);"),
        ("a.js", f"start(`// corslint: ignore[{STAR}]`);\n{CALL}"),
        ("a.js", f"{CALL} start(/[/][/] corslint: ignore[{STAR}]/);"),
        ("a.jsx", f"const a = <A>\n // corslint: ignore[{STAR}]\n {{{CALL[:-1]}}}\n</A>;"),
        ("a.js", f"// corslint: ignore[{STAR}]\n\n{CALL}"),
        ("a.js", f"start(); // corslint: ignore[{STAR}]\n{CALL}"),
        ("a.js", f"{CALL}\n// corslint: ignore[{STAR}]\n"),
        ("a.js", f"// corslint: disable[{STAR}]\n// corslint: enable\n{CALL}"),
        ("a.js", f"// please write corslint: ignore[{STAR}] here\n{CALL}"),
        ("a.js", f"// corslint: ignore\n{CALL}"),
        ("a.js", f"// corslint: ignore[*]\n{CALL}"),
        ("a.js", f"// Corslint: ignore[{STAR}]\n{CALL}"),
        (
            "a.html",
            f"<p title='# corslint: ignore-file[{STAR}] '></p><script>\n{CALL}\n</script>",
        ),
        ("a.vue", f"<script>\n'<!-- corslint: ignore-file[{STAR}] -->';\n{CALL}\n</script>"),
        ("a.vue", f"<template><p title='{MARKUP}'>text</p></template>\n<script>\n{CALL}\n</script>"),
        ("a.vue", f'<template>{{{{ "{MARKUP}" }}}}</template>\n<script>\n{CALL}\n</script>'),
        ("a.py", f"{FLASK}{CORS}; x = '# corslint: ignore[{ECHO}]'"),
        ("a.py", f"{FLASK}'''\n# corslint: ignore-file[{ECHO}]\n'''\n{CORS}"),
        ("nginx.conf", f"{NGINX}server {{\n    add_header X '# corslint: ignore-file[nginx-syntax]';\n}}\n"),
        ("nginx.conf", f"{NGINX}server {{\n    add_header X a#corslint:ignore-file[nginx-syntax];\n}}\n"),
        ("a.sh", HEREDOC.replace("@", "") + "echo '\n# corslint: ignore-file[nginx-syntax]\n'\n"),
    ],
)
def test_it_takes_nothing_back(path: str, text: str) -> None:
    rule = rule_in(text)
    assert any(one.endswith(f" {rule}") for one in found({path: text}))


def test_of_several_the_nearest_counts_and_the_others_have_no_effect() -> None:
    text = f"// corslint: ignore-file[{STAR}]\n// corslint: disable[{STAR}]\n// corslint: ignore[{STAR}]\n{CALL}\n"
    assert found({"a.js": text}) == ["a.js:1 unused-ignore", "a.js:2 unused-ignore"]
    assert found({"a.js": text + CALL}) == ["a.js:1 unused-ignore"]
    assert found({"a.js": text + "// corslint: enable\n" + CALL}) == ["a.js:2 unused-ignore"]


def test_each_stretch_ends_where_its_rule_is_enabled() -> None:
    text = f"// corslint: disable[{STAR}, null-origin-allowed]\n{CALL}\n// corslint: enable[{STAR}]\n{CALL}\n"
    text += CALL.replace("'*'", "'null'")
    assert found({"a.js": text}) == [f"a.js:4 {STAR}"]


def test_what_was_taken_back_stays_taken_back_whatever_is_selected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.js").write_text(f"// corslint: ignore[{STAR}]\n{CALL}\n")
    for arguments in (
        [],
        ["--select", "unused-ignore"],
        ["--ignore", STAR],
        ["--min-confidence", "high"],
        ["--isolated"],
    ):
        assert cli.run(["check", *arguments]) == 0


def test_a_rule_that_joins_files_is_not_called_unused_in_a_part_of_a_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "web").mkdir()
    monkeypatch.chdir(tmp_path)
    text = "import { io } from 'socket.io-client';\n// corslint: ignore[socketio-path-mismatch]\nio({ path: '/a' });\n"
    Path("web/client.js").write_text(text)
    Path("server.js").write_text("const { Server } = require('socket.io');\nnew Server(80, { path: '/b' });\n")
    assert cli.run(["check", "web"]) == 0
    assert cli.run(["check"]) == 0
    Path("server.js").write_text("const { Server } = require('socket.io');\nnew Server(80, { path: '/a' });\n")
    assert cli.run(["check", "web"]) == 0
    assert cli.run(["check", "--output-format", "concise"]) == 1
    assert "[unused-ignore]" in capsys.readouterr().out


def test_many_comments_take_no_time() -> None:
    line = f"start(); // corslint: ignore[{STAR}, {'x' * 20}]\n"
    files = {
        "a.js": (line * 5000).encode(),
        "b.js": (b"//" + b"#" * 200_000 + b" corslint: ignore[a]\n" + CALL.encode()),
    }
    assert len(findings_of(files, Settings(), KNOWN)) == 10_002


# --- --add-ignores ---------------------------------------------------------------------------------------------------


def added(path: str, text: str, reason: str = "") -> str:
    files = {path: text.encode()}
    here = [one for one in findings_of(files, Settings(), KNOWN) if one.rule not in ABOUT_COMMENTS]
    return ignores.add(SourceFile(path, files[path]), here, reason).data.decode()


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        ("a.js", f"start();\n\t{CALL}\n", f"start();\n\t// corslint: ignore[{STAR}] why\n\t{CALL}\n"),
        ("a.js", f"\ufeff{CALL}\r\n", f"\ufeff// corslint: ignore[{STAR}] why\r\n{CALL}\r\n"),
        (
            "a.js",
            f"// corslint: ignore[null-origin-allowed] old\n{CALL}",
            f"// corslint: ignore[null-origin-allowed, {STAR}] old\n{CALL}",
        ),
        (
            "a.jsx",
            f"const a = <A>\n  {{{CALL[:-1]}}}\n</A>;",
            f"const a = <A>\n  {{/* corslint: ignore[{STAR}] why */}}\n  {{{CALL[:-1]}}}\n</A>;",
        ),
        (
            "a.js",
            f"const t = `\n ${{{CALL[:-1]}}}\n`;",
            f"// corslint: ignore[{STAR}] why\nconst t = `\n ${{{CALL[:-1]}}}\n`;",
        ),
        (
            "a.py",
            f"{FLASK}x = 1 + \\\n  {CORS}\n",
            f"{FLASK}# corslint: ignore[{ECHO}] why\nx = 1 + \\\n  {CORS}\n",
        ),
        ("nginx.conf", NGINX, "server {\n    # corslint: ignore[nginx-syntax] why\n    listen 80\n}\n"),
        ("a.sh", HEREDOC.replace("    @\n", ""), HEREDOC.replace("@", "# corslint: ignore[nginx-syntax] why")),
    ],
)
def test_comments_are_written_where_they_can_stand(path: str, before: str, after: str) -> None:
    made = added(path, before, "why")
    assert made == after
    assert added(path, made, "why") == made


def test_a_reason_cannot_end_the_comment_or_run() -> None:
    assert added("a.js", f"const a = <A>{{1}}\n  {{{CALL[:-1]}}}\n</A>;", "a */ b\nc").splitlines()[1] == (
        f"  {{/* corslint: ignore[{STAR}] a b c */}}"
    )
    script = HEREDOC.replace("    @\n", "").replace("'EOF'", "EOF")
    assert "# corslint: ignore[nginx-syntax] (rm) x\n" in added("a.sh", script, "$(rm) `x`")


def test_what_no_comment_can_take_back_is_left() -> None:
    files = {"package.json": b"{"}
    here = findings_of(files, Settings(), KNOWN)
    assert [one.rule for one in here] == ["syntax-error"]
    assert ignores.add(SourceFile("package.json", b"{"), here) == (b"{", 0, tuple(here))


def test_from_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.js").write_text(f"{CALL}\nstart(); // corslint: ignore[zz]\n")
    Path("package.json").write_text("{")
    Path("a.js").chmod(0o640)
    assert cli.run(["check", "--add-ignores", "--reason", "known", "--output-format", "concise"]) == 1
    out, err = capsys.readouterr()
    assert Path("a.js").read_text() == f"// corslint: ignore[{STAR}] known\n{CALL}\nstart(); // corslint: ignore[zz]\n"
    assert Path("a.js").stat().st_mode & 0o777 == 0o640
    assert [line.rpartition(" ")[2] for line in out.splitlines()] == ["[unused-ignore]", "[syntax-error]"]
    assert err.splitlines()[:2] == [
        "corslint: package.json:1: no comment can stand here for syntax-error: use `per-file-ignores` or a baseline",
        "corslint: took back 1 finding in 1 file",
    ]
    assert "1 suppressed by comments" in err


@pytest.mark.parametrize("arguments", [["--add-ignores", "--fix"], ["--add-ignores", "--diff"], ["--reason", "x"]])
def test_options_that_do_not_go_together(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["check", *arguments]) == 2
    assert "--add-ignores" in capsys.readouterr().err


# --- for any finding -------------------------------------------------------------------------------------------------


@cache
def cases() -> list[tuple[str, int]]:
    """Every example of every rule that fires."""
    return [
        (rule.id, number)
        for rule in KNOWN.rules
        if rule.id not in ABOUT_COMMENTS
        for number, example in enumerate(rule.examples)
        if not example.clean and not example.unreadable
    ]


def example_files(rule: str, number: int) -> tuple[dict[str, bytes], Settings]:
    example = KNOWN.rules[rule].examples[number]
    return {path: unmarked(path, text)[0] for path, text in example.files.items()}, settings_of(example)


def identity(finding: Finding, files: Mapping[str, bytes]) -> tuple[str, str, bytes, str]:
    """What a finding is, whatever stands above it and whatever comments stand in it."""
    at = finding.primary
    text = _COMMENT.sub(b"", files[at.path][at.start : at.end])
    return finding.rule, at.path, text, finding.message


_WORDS = rb"(?:#|//|/\*|\{/\*|<!--) corslint: ignore\[[^\]]*\] a reason(?: \*/\}?| -->)?"
_COMMENT = re.compile(rb"(?m)^[ \t]*" + _WORDS + rb"\r?\n|[ \t]*" + _WORDS)
"""An ignore comment as it is written here, on a line of its own or behind another one."""


@QUICK
@given(st.data())
def test_a_finding_that_is_taken_back_vanishes_and_nothing_else_changes(data: st.DataObject) -> None:
    files, chosen = example_files(*data.draw(st.sampled_from(cases())))
    newline = data.draw(st.sampled_from([b"\n", b"\r\n"]))
    files = {path: text.replace(b"\n", newline) for path, text in files.items()}
    before = findings_of(files, chosen, KNOWN)
    assume(before)
    taken = data.draw(st.lists(st.sampled_from(before), min_size=1, unique=True))
    after = dict(files)
    left: list[Finding] = []
    for path in {finding.primary.path for finding in taken}:
        source = SourceFile(path, files[path])
        made = ignores.add(source, [one for one in taken if one.primary.path == path], "a reason")
        after[path] = made.data
        left += made.left
        assert comments.read(SourceFile(path, made.data)).code == comments.read(source).code
        assert made.data.count(b"\r") == (made.data.count(b"\n") if newline == b"\r\n" else 0)
    # Nothing takes back what is said of a manifest, of a settings file, or of a whole file.
    assert [one for one in left if kind_of(one.primary.path) not in ("manifest", None) and one.primary.end] == []
    expected = sorted(identity(one, files) for one in before if one not in taken or one in left)
    assert sorted(identity(one, after) for one in findings_of(after, chosen, KNOWN)) == expected


@QUICK
@given(st.data())
def test_text_that_looks_like_a_comment_takes_nothing_back(data: st.DataObject) -> None:
    rule, number = data.draw(st.sampled_from(cases()))
    files, chosen = example_files(rule, number)
    before = findings_of(files, chosen, KNOWN)
    path = data.draw(st.sampled_from(sorted(files)))
    verb = data.draw(st.sampled_from(["ignore", "ignore-file", "disable"]))
    said = f"corslint: {verb}[{', '.join(sorted({one.rule for one in before} or {rule}))}]"
    texts = {
        "javascript": [f"'// {said}';", f"`\n// {said}\n/* {said} */`;", f'"/* {said} */";'],
        "python": [f"'# {said}'", f"'''\n# {said}\n'''", f'r"""# {said}"""'],
        "nginx": [f"add_header X-Text '# {said}';", f'add_header X-Text "\n# {said}\n";'],
    }
    kind = {"typescript": "javascript", "tsx": "javascript"}.get(str(kind_of(path)), str(kind_of(path)))
    assume(kind in texts and not any(one.effect == "tool" for one in before))
    text = data.draw(st.sampled_from(texts[kind]))
    assume(kind != "nginx" or not files[path].lstrip().startswith((b"events", b"user", b"worker")))
    changed = {**files, path: files[path].rstrip(b"\n") + b"\n" + text.encode() + b"\n"}
    after = findings_of(changed, chosen, KNOWN)
    assert {identity(one, changed) for one in after} >= {identity(one, files) for one in before if one.rule == rule}
    assert not any(one.rule in ABOUT_COMMENTS for one in after)
