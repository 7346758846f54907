"""Settings that build on each other, settings of single folders, and what they decide about findings: run for real."""

from __future__ import annotations

import json
import random
import tomllib
from pathlib import Path

import pytest

from corslint import cli, command_line
from corslint.settings import Pattern, Settings, UsageError, any_matches, load, load_tree, sources

Capture = pytest.CaptureFixture[str]

NULL = "require('express')().use(require('cors')({ origin: 'null' }));\n"
"""null-origin-allowed, a warning."""

PLAIN_PROXY = """\
server {
    location /socket.io/ {
        proxy_pass http://127.0.0.1:3000;
        proxy_set_header Upgrade $http_upgrade;
        proxy_set_header Connection "upgrade";
    }
}
"""

PROXY = "location / {\n    proxy_pass http://app;\n    add_header Access-Control-Allow-Origin *;\n}\n"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    for name in ("CORSLINT_OUTPUT_FORMAT", "FORCE_COLOR", "CLICOLOR_FORCE"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def write(files: dict[str, str]) -> None:
    for name, text in files.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text, encoding="utf-8")


def check(capsys: Capture, *arguments: str) -> list[str]:
    """`path severity rule` of every finding."""
    status = cli.run(["check", "--output-format", "json", *arguments])
    out, err = capsys.readouterr()
    assert status in (0, 1), err
    return [f"{one['path']} {one['severity']} {one['rule']}" for one in json.loads(out)["findings"]]


def fails(capsys: Capture, *arguments: str) -> str:
    assert cli.run(["check", *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    return err.removeprefix("corslint: error: ").rstrip("\n")


# --- extend ----------------------------------------------------------------------------------------------------------


def test_a_file_builds_on_another_that_builds_on_a_third(here: Path) -> None:
    write(
        {
            "base/first.toml": (
                'select = ["a*"]\nmin-confidence = "high"\nrules = ["own"]\nseverity = {a = "note", b = "note"}'
            ),
            "base/second.toml": 'extend = "first.toml"\nextend-select = ["b"]\nexclude = ["dist"]\nseverity.b="error"',
            "app/pyproject.toml": (
                '[tool.corslint]\nextend = "../base/second.toml"\nextend-exclude = ["/tmp"]\nignore = ["c"]\n'
            ),
            "base/own/r.yaml": "",
        }
    )
    assert load("app", str(here)) == Settings(
        select=("a*",),
        extend_select=("b",),
        ignore=("c",),
        min_confidence="high",
        severity=(("a", "note"), ("b", "error")),
        rules=("base/own",),
        exclude=(Pattern("app", "dist"), Pattern("app", "/tmp")),
        source="app/pyproject.toml",
        extended=("base/second.toml", "base/first.toml"),
    )


@pytest.mark.parametrize(
    ("base", "own", "select", "also", "ignore"),
    [
        ('ignore = ["a"]', 'ignore = ["b"]', (), (), ("b",)),
        ('ignore = ["a"]', 'extend-ignore = ["b"]', (), (), ("a", "b")),
        ('ignore = ["a", "b"]', 'extend-select = ["a"]', (), ("a",), ("b",)),
        ('ignore = ["a"]', 'select = ["a"]', ("a",), (), ()),
        ('select = ["a"]\nextend-select = ["b"]', 'select = ["c"]', ("c",), (), ()),
        ('select = ["a"]', 'extend-select = ["a"]\nignore = ["a"]', ("a",), ("a",), ("a",)),
    ],
)
def test_which_rules_come_of_both(
    here: Path, base: str, own: str, select: tuple[str, ...], also: tuple[str, ...], ignore: tuple[str, ...]
) -> None:
    write({"base.toml": base, "corslint.toml": f'extend = "base.toml"\n{own}\n'})
    found = load(".", str(here))
    assert (found.select, found.extend_select, found.ignore) == (select, also, ignore)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (
            {"corslint.toml": '\nextend = "a.toml"', "a.toml": 'extend = "b.toml"', "b.toml": '# x\nextend = "a.toml"'},
            "b.toml:2: `extend` goes round in a circle: a.toml -> b.toml -> a.toml",
        ),
        (
            {"corslint.toml": 'extend = "corslint.toml"'},
            "corslint.toml:1: `extend` goes round in a circle: corslint.toml -> corslint.toml",
        ),
        (
            {"corslint.toml": '\nextend = "no.toml"'},
            "corslint.toml:2: `extend` names a file that does not exist: no.toml",
        ),
        (
            {"corslint.toml": 'extend = "pyproject.toml"', "pyproject.toml": "[tool.other]\n"},
            "corslint.toml:1: `extend` names a file without `[tool.corslint]`: pyproject.toml",
        ),
        (
            {"corslint.toml": 'extend = "base/a.toml"', "base/a.toml": 'ignore = []\nmin-confidance = "low"'},
            "base/a.toml:2: unknown setting `min-confidance`; did you mean `min-confidence`?",
        ),
        ({"corslint.toml": "extend = 1"}, "corslint.toml:1: `extend` must be a string"),
        (
            {"corslint.toml": 'ignore = []\n[severity]\na = "error"\nb = "off"\n'},
            "corslint.toml:4: `severity` of `b` must be one of error, warning, note; `ignore` leaves a rule out",
        ),
        (
            {"corslint.toml": 'per-file-ignores = ["a"]'},
            'corslint.toml:1: `per-file-ignores` must be a table, like { "legacy/**" = ["wildcard-origin"] }',
        ),
        (
            {"corslint.toml": '[per-file-ignores]\na = "b"'},
            (
                'corslint.toml:1: `per-file-ignores` must give each pattern a list of rules, like { "legacy/**" ='
                ' ["wildcard-origin"] }'
            ),
        ),
        ({"corslint.toml": 'exclude = [" "]'}, "corslint.toml:1: `exclude` holds an empty pattern"),
        (
            {"corslint.toml": '[per-file-ignores]\n"" = []'},
            "corslint.toml:1: `per-file-ignores` holds an empty pattern",
        ),
        (
            {"corslint.toml": 'extend-exclude = ["x", "*a*a*a*a"]'},
            "corslint.toml:1: `extend-exclude` holds a pattern with too many `*`: *a*a*a*a",
        ),
        (
            {"corslint.toml": 'exclude = ["**/a/**/b/**/c/**/d/**"]'},
            "corslint.toml:1: `exclude` holds a pattern with too many `*`: **/a/**/b/**/c/**/d/**",
        ),
    ],
)
def test_mistakes_are_placed_in_the_file_that_makes_them(here: Path, files: dict[str, str], message: str) -> None:
    write(files)
    with pytest.raises(UsageError) as caught:
        load(".", str(here))
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (
            {
                "corslint.toml": 'extend = "base.toml"\nignore = []',
                "base.toml": '\nextend-select = ["null-orgin-allowed"]',
            },
            "base.toml:2: `extend-select`: there is no rule `null-orgin-allowed`; did you mean `null-origin-allowed`?",
        ),
        (
            {"corslint.toml": 'ignore = []\n[severity]\nnull-origin-allowed = "error"\nnull-orgin-allowed = "error"'},
            "corslint.toml:4: `severity`: there is no rule `null-orgin-allowed`; did you mean `null-origin-allowed`?",
        ),
        (
            {"corslint.toml": '[per-file-ignores]\n"*.js" = ["no-x"]'},
            "corslint.toml:1: `per-file-ignores`: there is no rule `no-x`; `corslint rule` lists them",
        ),
        (
            {"web/corslint.toml": 'ignore = ["zz-*"]'},
            "web/corslint.toml:1: `ignore`: no rule's name matches `zz-*`; `corslint rule` lists them",
        ),
    ],
)
def test_unknown_rules_are_placed_where_they_are_named(
    here: Path, capsys: Capture, files: dict[str, str], message: str
) -> None:
    write({**files, "web/a.js": NULL})
    assert fails(capsys) == message


# --- nearest wins ----------------------------------------------------------------------------------------------------


def test_each_file_has_its_nearest_settings(here: Path, capsys: Capture) -> None:
    write(
        {
            "corslint.toml": 'ignore = ["null-origin-allowed"]\n',
            "a.js": NULL,
            "web/a.js": NULL,
            "web/corslint.toml": 'severity = {null-origin-allowed = "error"}\n',
            "web/deep/a.js": NULL,
            "web/deep/er/a.js": NULL,
            "web/deep/pyproject.toml": '[tool.corslint]\nseverity = {null-origin-allowed = "note"}\npedantic = true\n',
        }
    )
    found = [
        "web/a.js error null-origin-allowed",
        "web/deep/a.js note null-origin-allowed",
        "web/deep/er/a.js note null-origin-allowed",
    ]
    assert check(capsys) == found
    assert check(capsys, "web/a.js") == found[:1]
    assert check(capsys, "web/a.js", "a.js") == found[:1]
    assert check(capsys, "web/deep/a.js", "a.js", "web/a.js") == found[:2]
    assert check(capsys, "web/deep") == found[1:]
    assert (
        check(capsys, "--isolated")
        == check(capsys, "--no-config")
        == [f"{path} warning null-origin-allowed" for path in ("a.js", "web/a.js", "web/deep/a.js", "web/deep/er/a.js")]
    )


@pytest.mark.parametrize("seed", range(60))
def test_folders_have_their_own_settings_in_whatever_order_they_are_seen(here: Path, seed: int) -> None:
    """What counts for a folder is found by going up from it alone, whatever was found for others before."""
    chance = random.Random(seed)
    folders = [""]
    for _ in range(25):
        folders.append(f"{chance.choice(folders)}/{chance.choice(('a', 'b', 'c-d', '.e'))}".strip("/"))
    for folder in folders:
        (here / folder).mkdir(parents=True, exist_ok=True)
        if folder and chance.random() < 0.3:
            (here / folder / ".git").mkdir(exist_ok=True)
        if chance.random() < 0.25:
            write({f"{folder or '.'}/corslint.toml": ""})
    paths = [f"{folder}/x.js".strip("/") for folder in folders if chance.random() < 0.2]
    root = chance.choice(("", *folders)) or "."
    within = [path for path in paths if root == "." or path.startswith(f"{root}/")]

    expected = {}
    for path in within:
        at = (here / path).parent
        while not (at / "corslint.toml").exists():
            if at == here / root or (at / ".git").exists():
                break
            at = at.parent
        else:
            expected[at.relative_to(here).as_posix()] = True
    found = load_tree(root, root, within, str(here))
    nested = {folder for folder, own in found.nested}
    assert nested | {str(Path(found.source).parent)} >= expected.keys() >= nested - {root}


def test_the_threshold_is_that_of_the_file(here: Path) -> None:
    write({"a/a.js": NULL, "a/corslint.toml": 'fail-on = "error"'})
    assert cli.run(["check"]) == 0
    write({"b.js": NULL})
    assert cli.run(["check"]) == 1
    assert cli.run(["check", "--exit-zero"]) == 0
    assert cli.run(["check", "--max-warnings", "2"]) == 0
    assert cli.run(["check", "--max-warnings", "1"]) == 1
    assert cli.run(["check", "--max-warnings", "5", "--severity", "null-origin-allowed=error"]) == 1


def test_settings_above_a_file_that_is_named_count(here: Path, capsys: Capture) -> None:
    write({"web/corslint.toml": 'ignore = ["null-origin-allowed"]', "web/src/a.js": NULL, "a.js": NULL})
    assert check(capsys, "web/src/a.js") == []
    assert check(capsys, "web/src/a.js", "a.js") == ["a.js warning null-origin-allowed"]


def test_what_a_whole_project_has_is_gathered(here: Path) -> None:
    write(
        {
            "corslint.toml": 'frontends = ["https://a.example.com"]',
            "proxy/corslint.toml": 'nginx-version = "1.28"\nfrontends = ["https://b.example.com"]',
            "proxy/nginx.conf": PROXY,
            "web/corslint.toml": 'nginx-version = "1.28.0"\nrules = ["own"]',
            "web/own/x.yaml": "",
        }
    )
    found = load_tree(".", ".", ["proxy/nginx.conf", "web/a.js"], str(here))
    assert found.frontends == ("https://a.example.com", "https://b.example.com")
    assert found.nginx_version == (1, 28, 0)
    assert found.rules == ("web/own",)
    assert [folder for folder, _ in found.nested] == ["proxy", "web"]
    write({"web/corslint.toml": '\nnginx-version = "1.29"'})
    message = "^web/corslint.toml:2: `nginx-version` says otherwise than proxy/corslint.toml:1, but counts for a"
    with pytest.raises(UsageError, match=message):
        load_tree(".", ".", ["proxy/nginx.conf", "web/a.js"], str(here))


# --- --config --------------------------------------------------------------------------------------------------------


def test_a_file_named_on_the_command_line_stands_in_for_all_others(here: Path, capsys: Capture) -> None:
    write(
        {
            "a.js": NULL,
            "web/a.js": NULL,
            "corslint.toml": 'ignore = ["null-origin-allowed"]',
            "web/corslint.toml": "zzz = 1",
        }
    )
    write({"ci/strict.toml": 'per-file-ignores = {"web/**" = ["null-origin-allowed"]}\n'})
    assert check(capsys, "--config", "ci/strict.toml") == ["a.js warning null-origin-allowed"]


def test_single_settings_on_the_command_line(here: Path, capsys: Capture) -> None:
    write({"a.js": NULL, "corslint.toml": 'severity = {null-origin-allowed = "error"}'})
    assert check(capsys, "--config", 'severity = {null-origin-allowed = "note"}', "--pedantic") == [
        "a.js note null-origin-allowed"
    ]
    assert check(capsys, "--config", 'ignore = ["null-*"]') == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--config", "no.toml"],
            "--config: there is no file 'no.toml', and it is no setting like `fail-on = \"error\"`",
        ),
        (
            ["--config", "a.toml", "--config", "b.toml"],
            "--config names two files, a.toml and b.toml: let one `extend` the other",
        ),
        (["--config", "a.toml", "--isolated"], "--isolated and --config with a file exclude each other"),
        (["--config", "fail-on = x"], "--config 'fail-on = x': not valid TOML: Invalid value (at line 1, column 11)"),
        (["--config", "failon = 1"], "--config 'failon = 1': unknown setting `failon`; did you mean `fail-on`?"),
        (["--config", 'extend = "a.toml"'], "--config 'extend = \"a.toml\"': name the file itself: --config FILE"),
        (["--config", 'rules = ["no"]'], "--config 'rules = [\"no\"]': `rules` names a folder that does not exist: no"),
        (["--config", 'ignore = ["x"]'], "--config: `ignore`: there is no rule `x`; `corslint rule` lists them"),
        (["--severity", "x=error"], "--severity: there is no rule `x`; `corslint rule` lists them"),
        (["--per-file-ignores", "a:x"], "--per-file-ignores: there is no rule `x`; `corslint rule` lists them"),
        (["--extend-select", "x"], "--extend-select: there is no rule `x`; `corslint rule` lists them"),
    ],
)
def test_mistakes_on_the_command_line(here: Path, capsys: Capture, arguments: list[str], message: str) -> None:
    write({"a.toml": "", "b.toml": "", "a.js": NULL})
    assert fails(capsys, *arguments) == message


@pytest.mark.parametrize("arguments", [["--severity", "a"], ["--severity", "a=off"], ["--per-file-ignores", "a"]])
def test_options_of_the_wrong_shape_show_the_right_one(here: Path, capsys: Capture, arguments: list[str]) -> None:
    assert cli.run(["check", *arguments]) == 2
    assert "like '" in capsys.readouterr().err


def test_sources() -> None:
    write({"odd=name.toml": ""})
    assert sources(["odd=name.toml"], False).file == "odd=name.toml"


# --- what findings become --------------------------------------------------------------------------------------------


def test_rules_are_chosen_by_patterns(here: Path, capsys: Capture) -> None:
    write({"a.js": NULL, "nginx.conf": "server {\n    listen 80\n}\n"})
    assert check(capsys) == ["a.js warning null-origin-allowed", "nginx.conf error nginx-syntax"]
    assert check(capsys, "--select", "null-*") == ["a.js warning null-origin-allowed"]
    assert check(capsys, "--ignore", "*-allowed") == ["nginx.conf error nginx-syntax"]


def test_notes_of_rules_that_are_asked_for(here: Path, capsys: Capture) -> None:
    write(
        {"a.js": NULL, "corslint.toml": 'severity = {null-origin-allowed = "note"}\nignore = ["null-origin-allowed"]'}
    )
    assert check(capsys) == []
    assert check(capsys, "--extend-select", "null-origin-allowed") == ["a.js note null-origin-allowed"]


def test_rules_that_are_silent_in_some_files(here: Path, capsys: Capture) -> None:
    write({"a.js": NULL, "old/a.js": NULL, "old/new/a.js": NULL, "b.js": NULL})
    write({"corslint.toml": 'per-file-ignores = {"old" = ["*"], "b.js" = ["null-origin-allowed"]}'})
    assert check(capsys) == ["a.js warning null-origin-allowed"]
    assert check(capsys, "--per-file-ignores", "/a.js:null-*") == []


def test_a_severity_does_not_lift_what_is_reachable_in_development_only(here: Path, capsys: Capture) -> None:
    fenced = "if (process.env.NODE_ENV === 'development') {\n  " + NULL + "}\n"
    write({"a.js": fenced, "b.js": NULL})
    assert check(capsys, "--pedantic", "--severity", "null-origin-allowed=error") == [
        "a.js note null-origin-allowed",
        "b.js error null-origin-allowed",
    ]


def test_findings_that_are_not_sure_enough_are_counted(here: Path, capsys: Capture) -> None:
    write({"site.conf": PLAIN_PROXY})  # the version of nginx is not known
    assert check(capsys) == ["site.conf warning proxy-http-version"]
    assert check(capsys, "--min-confidence", "medium") == ["site.conf warning proxy-http-version"]
    assert check(capsys, "--min-confidence", "high") == []
    cli.run(["check", "--min-confidence", "high", "--output-format", "concise"])
    assert "; 1 not shown as less sure than min-confidence" in capsys.readouterr().err


# --- exclude ---------------------------------------------------------------------------------------------------------


def test_what_is_excluded_is_not_read(here: Path, capsys: Capture) -> None:
    write({"a.js": NULL, "dist/a.js": NULL, "web/dist/a.js": NULL, "web/b.js": NULL, "web/b.gen.js": NULL})
    write({"corslint.toml": 'exclude = ["/dist", "*.gen.js"]'})
    assert check(capsys) == [f"{path} warning null-origin-allowed" for path in ("a.js", "web/b.js", "web/dist/a.js")]
    assert check(capsys, "--exclude", "web") == ["a.js warning null-origin-allowed"]
    assert check(capsys, "dist/a.js") == ["dist/a.js warning null-origin-allowed"]
    assert check(capsys, "dist") == ["dist/a.js warning null-origin-allowed"]
    assert check(capsys, "dist/a.js", "--force-exclude") == []
    assert check(capsys, "dist", "--force-exclude") == []
    cli.run(["check", "--output-format", "concise"])
    assert capsys.readouterr().err.endswith("; passed over 2 excluded\n")


def test_what_is_excluded_takes_part_in_nothing(here: Path, capsys: Capture) -> None:
    write({"a.js": "import { options } from './old/options';\nimport cors from 'cors';\ncors(options);\n"})
    write({"old/options.js": "export const options = { origin: '*', credentials: true };\n"})
    assert check(capsys) == ["old/options.js error wildcard-origin-with-credentials"]
    assert check(capsys, "--exclude", "old") == []


def test_settings_of_a_folder_do_not_bring_back_what_is_excluded_above(here: Path, capsys: Capture) -> None:
    write({"old/a.js": NULL, "old/corslint.toml": "", "web/a.js": NULL, "web/out/a.js": NULL})
    write({"web/corslint.toml": 'exclude = ["out"]', "corslint.toml": 'exclude = ["old", "*.js", "!a.js"]'})
    assert check(capsys) == ["web/a.js warning null-origin-allowed"]


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        (Pattern(".", "a"), "a/b.js", True),
        (Pattern(".", "a/b"), "x/a/b", False),
        (Pattern("x", "a/b"), "x/a/b", True),
        (Pattern("x", "/a"), "x/a", True),
        (Pattern("x", "/a"), "a", False),
        (Pattern("x", "*.js"), "y/a.js", False),
        (Pattern(".", "*.js"), "../a.js", False),
        (Pattern("..", "*.js"), "../b/a.js", True),
        (Pattern("..", "*.js"), "a.js", True),
    ],
)
def test_patterns(pattern: Pattern, path: str, matches: bool) -> None:
    assert any_matches([pattern], path) is matches


# --- what would be done ----------------------------------------------------------------------------------------------


def test_show_files(here: Path, capsys: Capture) -> None:
    write(
        {"a.js": NULL, "b.conf": PROXY, "README.md": "# x\n", "dist/a.js": NULL, "corslint.toml": 'exclude = ["dist"]'}
    )
    assert cli.run(["check", "--show-files"]) == 0
    assert capsys.readouterr().out == "a.js\nb.conf\n"
    cli.run(["check", "--show-files", "--markdown", "a.js", "README.md"])
    assert capsys.readouterr().out == "README.md\na.js\n"


def test_shown_settings_are_settings(here: Path, capsys: Capture) -> None:
    write(
        {
            "web/a.js": NULL,
            "web/corslint.toml": (
                'extend = "../base.toml"\nignore = ["proxy-*"]\nexclude = ["/out", "*.gen.js", "!a/b.js"]\n'
                'min-confidence = "medium"\nnginx-version = "1.28"\n'
                '[per-file-ignores]\n"old/**" = ["null-origin-allowed"]\n'
            ),
            "base.toml": 'severity = {null-origin-allowed = "error"}\n',
        }
    )
    assert cli.run(["check", "web", "--show-settings", "--per-file-ignores", "x:nginx-syntax"]) == 0
    text = capsys.readouterr().out
    assert text.startswith("# web: settings from web/corslint.toml\n# which extends base.toml\n# select = []\n")
    assert tomllib.loads(text) == {
        "ignore": ["proxy-*"],
        "exclude": ["web/out", "web/**/*.gen.js", "!web/a/b.js"],
        "min-confidence": "medium",
        "nginx-version": "1.28.0",
        "severity": {"null-origin-allowed": "error"},
        "per-file-ignores": {"web/old/**": ["null-origin-allowed"], "x": ["nginx-syntax"]},
    }
    assert load("web", str(here)) != Settings()


def test_shown_settings_name_folders_with_their_own(here: Path, capsys: Capture) -> None:
    write({"a.js": NULL, "web/a.js": NULL, "web/corslint.toml": "pedantic = true\n"})
    cli.run(["check", "--show-settings"])
    assert [line for line in capsys.readouterr().out.splitlines() if "settings" in line] == [
        "# .: settings from no file",
        "# .: web: settings from web/corslint.toml",
    ]


def test_statistics(here: Path, capsys: Capture) -> None:
    write({"a.js": NULL, "b.js": NULL, "nginx.conf": "server {\n    listen 80\n}\n"})
    assert cli.run(["check", "--statistics"]) == 1
    out, err = capsys.readouterr()
    assert out == "1  error    nginx-syntax  (in 1 file)\n2  warning  null-origin-allowed  (in 2 files)\n"
    assert err.startswith("corslint: found 1 error and 2 warnings in 3 files")
    cli.run(["check", "--statistics", "--output-format", "json"])
    assert json.loads(capsys.readouterr().out)["statistics"][1] == {
        "rule": "null-origin-allowed",
        "severity": "warning",
        "count": 2,
        "files": 2,
        "fixable": 0,
    }


def test_every_option_of_the_settings_has_a_place_in_them(here: Path) -> None:
    named = {option.name for option in cli.command.commands["check"].params}
    assert {"select", "ignore", "exclude", "severity", "min_confidence"} <= named
    assert set(command_line._values(Settings(nginx_version=(1, 2, 3), cache_dir=".kept"))) == {
        name.replace("_", "-") for name in Settings._fields if name not in ("source", "extended", "nested")
    }
