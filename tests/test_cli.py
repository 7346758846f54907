"""Options, settings, exit status and streams, with a stand-in for `lint`: what it finds is told by each test."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import types
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

import corslint
from corslint import cli
from corslint.discovery import Context
from corslint.model.facts import Fact, Field
from corslint.model.finding import Edit, Finding, Fix
from corslint.report import Merged
from corslint.settings import Settings
from corslint.source import SourceFile, Span


class Found(Merged):
    """A report as `lint` gives it: nothing is hidden, and every policy is known."""

    live: tuple[Finding, ...] = ()
    undecided: tuple[Span, ...] = ()


class Lint:
    """In place of `corslint.lint`: finds `severities` in every `bad` of the files, and remembers how it was called."""

    def __init__(self) -> None:
        self.calls: list[tuple[Context, Settings]] = []
        self.with_fixes: list[bool] = []
        self.severity = "warning"
        self.fix: str | None = None
        self.error: Exception | None = None

    def lint(
        self,
        context: Context,
        settings: Settings,
        overlay: Mapping[str, bytes] | None = None,
        *,
        with_fixes: bool = False,
        with_diagram: bool = False,
        watch: object = None,
        jobs: int | None = None,
    ) -> Merged:
        self.calls.append((context, settings))
        self.with_fixes.append(with_fixes)
        if self.error is not None:
            raise self.error

        def source(path: str) -> SourceFile:
            return SourceFile(path, (overlay or {}).get(path) or Path(path).read_bytes())

        found = []
        for path in sorted(context.lint):
            at = source(path).data.find(b"bad")
            if at != -1:
                span = Span(path, at, at + 3)
                fix = Fix("Mend it", self.fix, (Edit(span, "good"),)) if self.fix else None
                found.append(Finding("a-rule", self.severity, "broken", "high", "it is bad", "mend it", span, fix=fix))
        return Found(tuple(found), len(context.lint), 0, 0, context.passed_over, source)

    def facts(self, context: Context, settings: Settings) -> tuple[list[Fact], Callable[[str], SourceFile]]:
        facts = [Fact("http_app", Span(path, 0, 1), {"framework": Field("X")}) for path in context.files]
        return facts, lambda path: SourceFile(path, Path(path).read_bytes())


@pytest.fixture
def lint(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Lint:
    stand_in = Lint()
    module = types.ModuleType("corslint.lint")
    module.__dict__.update(lint=stand_in.lint, facts=stand_in.facts)
    monkeypatch.setitem(sys.modules, "corslint.lint", module)
    monkeypatch.setattr(corslint, "lint", module, raising=False)
    for name in ("NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE", "CORSLINT_OUTPUT_FORMAT", "CORSLINT_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.js").write_text("x(bad)\n")
    return stand_in


Capture = pytest.CaptureFixture[str]
ONE_LINE = "a.js:1:3: warning: it is bad [a-rule]\n"


# --- exit status -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("severity", "threshold", "status"),
    [
        ("error", None, 1),
        ("warning", None, 1),
        ("note", None, 0),
        ("error", "error", 1),
        ("warning", "error", 0),
        ("note", "note", 1),
        ("warning", "note", 1),
        ("error", "never", 0),
    ],
)
def test_exit_status(lint: Lint, severity: str, threshold: str | None, status: int) -> None:
    lint.severity = severity
    assert cli.run(["check", *(["--fail-on", threshold] if threshold else [])]) == status


def test_no_findings(lint: Lint, tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "a.js").write_text("x()\n")
    assert cli.run(["check"]) == 0
    assert capsys.readouterr() == ("corslint: no findings in 1 file\n", "")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["check", "no/where"], "corslint: error: no/where: no such file or folder\n"),
        (["check", "--fail-on", "info"], "Invalid value for '--fail-on'"),
        (["check", "--output-format", "xml"], "Invalid value for '--output-format'"),
        (["check", "--unsafe-fixes"], "corslint: error: --unsafe-fixes goes with --fix or --diff\n"),
        (["chekc"], "No such command 'chekc'"),
        (["check", "--slect", "x"], "No such option"),
        (["facts", "nowhere"], "corslint: error: nowhere: no such file or folder\n"),
    ],
)
def test_usage_errors(lint: Lint, capsys: Capture, arguments: list[str], message: str) -> None:
    assert cli.run(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err
    assert "corslint: error: " in err
    assert lint.calls == []


def test_a_mistake_in_the_settings(lint: Lint, tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "corslint.toml").write_text("\nslect = []\n")
    assert cli.run(["check"]) == 2
    expected = "corslint: error: corslint.toml:2: unknown setting `slect`; did you mean `select`?\n"
    assert capsys.readouterr() == ("", expected)


def test_an_internal_error_is_one_line_and_status_2(lint: Lint, capsys: Capture) -> None:
    lint.error = RuntimeError("lost\x1b[2J")
    assert cli.run(["check"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("corslint: error: internal error: RuntimeError: lost\\x1b[2J (CORSLINT_DEBUG=1 shows where")
    assert err.count("\n") == 1


def test_an_internal_error_can_be_seen(lint: Lint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORSLINT_DEBUG", "1")
    lint.error = RuntimeError("lost")
    with pytest.raises(RuntimeError, match="lost"):
        cli.run(["check"])


def test_an_unknown_rule_is_a_usage_error(lint: Lint, capsys: Capture) -> None:
    from corslint.ruleset import UnknownRuleError
    from corslint.triage import NamedRuleError

    for option in ("select", "ignore"):
        lint.error = NamedRuleError(UnknownRuleError("x", "there is no rule `x`"), Settings(), option)
        assert cli.run(["check", f"--{option}", "y,x"]) == 2
        assert capsys.readouterr().err == f"corslint: error: --{option}: there is no rule `x`\n"


@pytest.mark.parametrize(
    ("name", "text", "options", "message"),
    [
        ("corslint.toml", 'select = ["wildcard-orgin"]', [], "corslint.toml:1: `select`: "),
        ("corslint.toml", '\nignore = [\n  "wildcard-orgin",\n]', ["--pedantic"], "corslint.toml:2: `ignore`: "),
        ("pyproject.toml", '[tool.corslint]\nignore = ["wildcard-orgin"]', [], "pyproject.toml:2: `ignore`: "),
        ("corslint.toml", 'ignore = ["syntax-error"]', ["--ignore", "wildcard-orgin"], "--ignore: "),
        ("corslint.toml", 'select = ["wildcard-orgin"]', ["--select", "wildcard-orgin"], "--select: "),
    ],
)
def test_an_unknown_rule_is_reported_where_it_is_named(
    tmp_path: Path,
    capsys: Capture,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    text: str,
    options: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).write_text(f"{text}\n")
    assert cli.run(["check", *options]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"corslint: error: {message}there is no rule `wildcard-orgin`; did you mean `")
    assert err.count("\n") == 1


@pytest.mark.parametrize("arguments", [[], ["--"]])
def test_without_a_command_there_is_help(capsys: Capture, arguments: list[str]) -> None:
    assert cli.run(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("Usage: corslint [OPTIONS] COMMAND [ARGS]...\n\n  Find faults in CORS")
    assert "\\x0a" not in err
    assert "error" not in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["check", ""], "a path is empty"),
        (["check", "a.js", ""], "a path is empty"),
        (["facts", ""], "a path is empty"),
        (["check", "--select", ""], "--select names no rule: its value is empty"),
        (["check", "--select", "syntax-error", "--select", " , "], "--select names no rule: its value is empty"),
        (["check", "--ignore="], "--ignore names no rule: its value is empty"),
    ],
)
def test_a_variable_that_is_not_set(lint: Lint, capsys: Capture, arguments: list[str], message: str) -> None:
    assert cli.run(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.endswith(f"corslint: error: {message}\n")
    assert lint.calls == []


# --- output ----------------------------------------------------------------------------------------------------------


def test_text(lint: Lint, capsys: Capture) -> None:
    cli.run(["check"])
    out, err = capsys.readouterr()
    assert out == (
        "warning[a-rule]: it is bad\n --> a.js:1:3\n  |\n1 | x(bad)\n  |   ^^^\n  |\n  = help: mend it\n\n"
        "corslint: found 1 warning in 1 file\n"
    )
    assert err == ""


def test_concise_and_its_closing_line(lint: Lint, capsys: Capture) -> None:
    cli.run(["check", "--output-format", "concise"])
    assert capsys.readouterr() == (ONE_LINE, "corslint: found 1 warning in 1 file\n")


def test_json_and_its_closing_line(lint: Lint, capsys: Capture) -> None:
    cli.run(["check", "--output-format", "json"])
    out, err = capsys.readouterr()
    assert [one["rule"] for one in json.loads(out)["findings"]] == ["a-rule"]
    assert err == "corslint: found 1 warning in 1 file\n"


def test_the_format_from_the_environment(lint: Lint, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORSLINT_OUTPUT_FORMAT", "concise")
    cli.run(["check"])
    assert capsys.readouterr().out == ONE_LINE
    cli.run(["check", "--output-format", "json"])
    assert capsys.readouterr().out.startswith("{")


@pytest.mark.parametrize(
    ("arguments", "environment", "terminal", "coloured"),
    [
        ([], {}, False, False),
        ([], {}, True, True),
        ([], {"TERM": "dumb"}, True, False),
        ([], {"NO_COLOR": "1"}, True, False),
        ([], {"NO_COLOR": ""}, True, True),
        ([], {"FORCE_COLOR": "1"}, False, True),
        ([], {"CLICOLOR_FORCE": "1"}, False, True),
        ([], {"FORCE_COLOR": "0"}, False, False),
        ([], {"NO_COLOR": "1", "FORCE_COLOR": "1"}, False, False),
        (["--color", "always"], {"NO_COLOR": "1"}, False, True),
        (["--color", "never"], {"FORCE_COLOR": "1"}, True, False),
        (["--color", "auto"], {}, True, True),
    ],
)
def test_colour(
    lint: Lint,
    capsys: Capture,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    environment: dict[str, str],
    terminal: bool,
    coloured: bool,
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: terminal)
    cli.run(["check", *arguments])
    assert ("\033[" in capsys.readouterr().out) is coloured


def test_concise_and_json_are_never_coloured(lint: Lint, capsys: Capture) -> None:
    for name in ("concise", "json"):
        cli.run(["check", "--output-format", name, "--color", "always"])
        assert "\033" not in "".join(capsys.readouterr())


# --- settings --------------------------------------------------------------------------------------------------------


def settings_of(lint: Lint, *arguments: str) -> Settings:
    lint.calls.clear()
    cli.run(["check", *arguments])
    return lint.calls[-1][1]


def test_options_become_settings(lint: Lint) -> None:
    assert settings_of(lint) == Settings()
    chosen = settings_of(lint, "--select", "a,b", "--select", " c ,", "--ignore", "d,e", "--include-tests")
    assert chosen == Settings(select=("a", "b", "c"), ignore=("d", "e"), include_tests=True, pedantic=True)
    assert settings_of(lint, "--pedantic") == Settings(pedantic=True)
    assert settings_of(lint, "--fail-on", "note") == Settings(fail_on="note", pedantic=True)
    assert settings_of(lint, "--ignore", "a") == Settings(ignore=("a",))


def test_the_command_line_beats_the_settings_file(lint: Lint, tmp_path: Path) -> None:
    (tmp_path / "corslint.toml").write_text(
        'select = ["a"]\nignore = ["b"]\nfail-on = "error"\nnginx-version = "1.28"\n'
    )
    from_file = Settings(
        select=("a",), ignore=("b",), fail_on="error", nginx_version=(1, 28, 0), pedantic=True, source="corslint.toml"
    )
    assert settings_of(lint) == from_file
    assert settings_of(lint, "--ignore", "c") == from_file._replace(ignore=("b", "c"))
    assert settings_of(lint, "--select", "b") == from_file._replace(select=("b",), ignore=())
    assert settings_of(lint, "--fail-on", "never") == from_file._replace(fail_on="never")


def test_each_context_has_its_own_settings(lint: Lint, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.js").write_text("bad\n")
    (tmp_path / "two" / "corslint.toml").write_text('fail-on = "never"\n')
    assert cli.run(["check", "two"]) == 0
    assert cli.run(["check", "one", "two"]) == 1
    assert [(context.root, settings.fail_on) for context, settings in lint.calls[-2:]] == [
        ("one", "warning"),
        ("two", "never"),
    ]


def test_the_working_directory_is_the_default(lint: Lint) -> None:
    cli.run(["check"])
    assert lint.calls[0][0].root == "."


# --- fixes -----------------------------------------------------------------------------------------------------------

DIFFERENCE = "--- a/a.js\n+++ b/a.js\n@@ -1 +1 @@\n-x(bad)\n+x(good)\n"


def test_fix_mends_the_file_and_reports_what_is_left(lint: Lint, tmp_path: Path, capsys: Capture) -> None:
    lint.fix = "safe"
    assert cli.run(["check", "--fix"]) == 0
    assert (tmp_path / "a.js").read_text() == "x(good)\n"
    out, err = capsys.readouterr()
    assert out == "corslint: no findings in 1 file\n"
    assert err == "corslint: fixed 1 finding in 1 file\n"


def test_an_unsafe_fix_has_to_be_asked_for(lint: Lint, tmp_path: Path, capsys: Capture) -> None:
    lint.fix = "unsafe"
    assert cli.run(["check", "--fix"]) == 1
    assert (tmp_path / "a.js").read_text() == "x(bad)\n"
    assert "1 can be fixed with --unsafe-fixes" in capsys.readouterr().out
    assert [asked for asked in lint.with_fixes if not asked] == []
    assert cli.run(["check", "--fix", "--unsafe-fixes"]) == 0
    assert (tmp_path / "a.js").read_text() == "x(good)\n"


@pytest.mark.parametrize(
    ("fix", "options"),
    [("safe", ["--fix"]), ("unsafe", ["--fix", "--unsafe-fixes"]), ("safe", ["--fix", "--unsafe-fixes"])],
)
def test_a_fix_that_failed_is_not_offered_again(
    lint: Lint, monkeypatch: pytest.MonkeyPatch, capsys: Capture, fix: str, options: list[str]
) -> None:
    lint.fix = fix
    monkeypatch.setattr(cli, "_fixed", lambda *_, **__: "")
    assert cli.run(["check", *options]) == 1
    assert capsys.readouterr().out.endswith("corslint: found 1 warning in 1 file\n")


@pytest.mark.parametrize("more", [[], ["--fix"]])
def test_diff_changes_nothing(lint: Lint, tmp_path: Path, capfd: pytest.CaptureFixture[str], more: list[str]) -> None:
    lint.fix = "safe"
    assert cli.run(["check", "--diff", *more]) == 1
    assert (tmp_path / "a.js").read_text() == "x(bad)\n"
    assert capfd.readouterr() == (DIFFERENCE, "corslint: found 1 warning in 1 file; 1 can be fixed with --fix\n")


def test_a_diff_is_a_patch_byte_for_byte(lint: Lint, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    (tmp_path / "a.js").write_bytes(b"bad // \xff\x1b\r\n")
    lint.fix = "safe"
    cli.run(["check", "--diff"])
    assert capfdbinary.readouterr().out.endswith(b"-bad // \xff\x1b\r\n+good // \xff\x1b\r\n")


def test_a_diff_on_a_terminal_is_harmless(lint: Lint, tmp_path: Path, capsys: Capture, monkeypatch: Any) -> None:
    (tmp_path / "a.js").write_bytes(b"bad // \xff\x1b[2J\n")
    lint.fix = "safe"
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    cli.run(["check", "--diff"])
    assert capsys.readouterr().out.endswith("+good // \\xff\\x1b[2J\n")


def test_a_file_that_may_not_be_written(lint: Lint, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    lint.fix = "safe"
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert cli.run(["check", "--fix"]) == 2
    assert capsys.readouterr().err == "corslint: error: nothing was fixed: a.js: it is read-only\n"


# --- the other commands ----------------------------------------------------------------------------------------------


def test_facts(lint: Lint, tmp_path: Path, capsys: Capture) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "b.js").write_text("x\n")
    assert cli.run(["facts", "one", "two"]) == 0
    facts = json.loads(capsys.readouterr().out)["facts"]
    assert [(one["kind"], one["path"], one["line"]) for one in facts] == [
        ("http_app", "one/b.js", 1),
        ("http_app", "two/b.js", 1),
    ]


def test_version(capsys: Capture) -> None:
    assert cli.run(["--version"]) == 0
    assert capsys.readouterr().out == f"corslint {corslint.__version__}\n"


def test_rules_are_listed(capsys: Capture) -> None:
    assert cli.run(["rule"]) == 0
    lines = capsys.readouterr().out.splitlines()
    names = [line.split()[0] for line in lines]
    assert names == sorted(path.stem for path in (Path(corslint.__file__).parent.parent / "rules").glob("*.yaml"))
    assert all(line.split()[1].split("/")[0] in ("error", "warning", "note") for line in lines)


def test_a_rule_is_explained(capsys: Capture) -> None:
    assert cli.run(["rule", "syntax-error"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("syntax-error (")
    assert "  help: " in out
    assert "⟦" in out


def test_an_unknown_rule_has_a_nearest_one(capsys: Capture) -> None:
    assert cli.run(["rule", "sintax-error"]) == 2
    assert capsys.readouterr() == (
        "",
        "corslint: error: there is no rule `sintax-error`; did you mean `syntax-error`?\n",
    )


# --- as a process ----------------------------------------------------------------------------------------------------


def process(*arguments: str, cwd: Path, **more: Any) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(Path(corslint.__file__).parent.parent)}
    command = [sys.executable, "-m", "corslint", *arguments]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False, **more)


def test_a_reader_that_goes_away_is_no_error(tmp_path: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    environment = {**os.environ, "PYTHONPATH": str(Path(corslint.__file__).parent.parent)}
    try:
        done = subprocess.run(
            [sys.executable, "-m", "corslint", "rule"],
            cwd=tmp_path,
            env=environment,
            stdout=write,
            stderr=subprocess.PIPE,
            check=False,
        )
    finally:
        os.close(write)
    assert (done.returncode, done.stderr) == (0, b"")


def test_facts_are_valid_against_the_shipped_schema(tmp_path: Path) -> None:
    import jsonschema

    from corslint import resources

    files = {
        "server.js": "const app = require('express')();\nconst io = require('socket.io')(app.listen(3000));\n"
        "app.use(require('cors')({ origin: process.env.ORIGIN || '*', credentials: true, origins: [] }));\n"
        "app.get('/', (q, r) => r.setHeader('Access-Control-Allow-Origin', q.headers.origin));\n",
        "client.js": "import { io } from 'socket.io-client';\nio('http://localhost:3000', { path: '/x' });\n",
        "app.py": "import flask_cors\nflask_cors.CORS(app, origins=['https://a.example/', r'^https://.*'])\n",
        "nginx.conf": "http { upstream a { server a1; server a2; }\nserver { location / { proxy_pass http://a; } } }\n",
        "package.json": '{"dependencies": {"cors": "2.8.5", "express": "^4"}}',
        "broken.py": "import flask_cors\ndef (",
    }
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    done = process("facts", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    output = json.loads(done.stdout)
    schema = json.loads(resources.schema_file("facts").read_text(encoding="utf-8"))
    jsonschema.validate(output, schema, cls=jsonschema.Draft202012Validator)
    assert {"cors_policy", "socket_server", "socket_client", "upstream", "proxy_route", "damage"} <= {
        fact["kind"] for fact in output["facts"]
    }
    output["facts"][0]["fields"]["misspelled"] = {"value": 1, "state": "written"}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(output, schema, cls=jsonschema.Draft202012Validator)


def test_what_a_check_made_outlives_it_until_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.js").write_text("require('express')().use(require('cors')())\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    for _ in range(3):
        cli.run(["check", "."])
        checked, reports = cli._outlived
        assert isinstance(checked, list)
        assert isinstance(reports, list)
        assert len(checked) == len(reports) == 1


# What a check of one file can do without: editing, other languages, schemas, and what is slow to load.
NEEDLESS = (
    *("asyncio", "crossplane", "jsonschema", "libcst", "packaging", "pathspec", "regex", "regress", "rich"),
    *("semantic_version", "stringzilla", "tree_sitter_typescript"),
    *("difflib", "email", "hashlib", "http", "json", "tomllib", "unicodedata", "yaml"),
    *("corslint.commands", "corslint.crossings", "corslint.frameworks.descriptors", "corslint.model.encoding"),
    *("corslint.model.kinds", "corslint.rulefiles", "corslint.workers", "corslint.yamlfile"),
)


@pytest.mark.parametrize(
    ("name", "content", "rule", "other"),
    [
        (
            "server.js",
            "require('express')().use(require('cors')({ origin: '*', credentials: true }));\n",
            "wildcard-origin-with-credentials",
            "tree_sitter_python",
        ),
        (
            "app.py",
            "import flask, flask_cors\nflask_cors.CORS(flask.Flask('x'), supports_credentials=True)\n",
            "reflected-origin-with-credentials",
            "tree_sitter_javascript",
        ),
    ],
)
def test_checking_one_file_loads_nothing_needless(
    tmp_path: Path, name: str, content: str, rule: str, other: str
) -> None:
    (tmp_path / name).write_text(content)
    (tmp_path / ".git").mkdir()
    program = (
        f"import sys; from corslint import cli; status = cli.run(['check', {name!r}, '--output-format', 'concise']);"
        f"print(status, sorted(set({[*NEEDLESS, other]}) & set(sys.modules)), file=sys.stderr)"
    )
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPATH"] = str(Path(corslint.__file__).parent.parent)
    environment["PYTHONPYCACHEPREFIX"] = str(tmp_path.with_name(f"{tmp_path.name}-cache"))
    for _ in range(2):  # the first run compiles the rules
        done = subprocess.run(
            [sys.executable, "-c", program],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
    assert f"[{rule}]" in done.stdout
    assert done.stderr.splitlines()[-1] == "1 []"
