"""Many repositories in one go: which ones, the same reports as `check`, and nothing lost whatever dies."""

from __future__ import annotations

import concurrent.futures
import contextlib
import gc
import json
import os
import re
import signal
import subprocess
import sys
import time
import types
import weakref
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import jsonschema
import pytest

import corslint
from corslint import cli, resources
from corslint.fleet import checking, executors, page, repositories, run, summary
from corslint.fleet.checking import Failure, Order
from corslint.fleet.results import Kept, Results
from corslint.settings import UsageError

ROOT = Path(__file__).parent.parent
OPEN = "require('express')().use(require('cors')({ origin: true, credentials: true })).listen(3000);\n"
CLEAN = "require('express')().use(require('cors')({ origin: 'https://app.example.com' })).listen(3000);\n"
NOTHING_ASKED: Mapping[str, Any] = {"config": (), "isolated": False, "no_cache": True}
OLD = 1_000_000_000


def repository(folder: Path, content: str = OPEN) -> Path:
    """A small repository of its own."""
    folder.mkdir(parents=True)
    (folder / "package.json").write_text('{"dependencies": {"express": "4", "cors": "2"}}\n')
    (folder / "server.js").write_text(content)
    return folder


@pytest.fixture
def some(tmp_path: Path) -> Path:
    """A folder of three repositories, of which one is clean."""
    for name, content in (("one", OPEN), ("two", CLEAN), ("three", OPEN * 2)):
        repository(tmp_path / "all" / name, content)
    return tmp_path / "all"


@pytest.fixture(autouse=True)
def everything_is_old(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of tests are new, and of new ones nobody could tell whether they change again."""
    monkeypatch.setattr(checking, "_UNSURE_NS", 0)


def fleet(*arguments: object) -> int:
    return cli.run(["fleet", *map(str, arguments), "-j", "2"])


def read(out: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    return found


def tree(out: Path) -> dict[str, bytes]:
    """All files that are for users."""
    paths = (path for path in out.rglob("*") if path.is_file() and path.name not in ("results.jsonl", ".lock"))
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in sorted(paths)}


# --- which repositories ----------------------------------------------------------------------------------------------


def names(*given: object, cwd: Path, without: Path | None = None) -> list[str]:
    return [one.name for one in repositories.found([str(one) for one in given], str(cwd), str(without or ""))]


@pytest.mark.parametrize("sign", [".git", "package.json", "pyproject.toml", "corslint.toml", "compose.yaml", "uv.lock"])
def test_a_folder_that_says_so_is_one_repository(tmp_path: Path, sign: str) -> None:
    repository(tmp_path / "app" / "packages" / "api")
    (tmp_path / "app" / sign).touch()
    assert names("app", cwd=tmp_path) == ["app"]


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (["server.js", "src/a.js"], ["all"]),
        (["one/package.json", "two/server.js"], ["one", "two"]),
        (["one/.git/HEAD", "notes/deep/text.md", ".tools/package.json"], ["notes", "one"]),
        (["team/one/.git/HEAD", "team/two/.git/HEAD", "three/package.json"], ["team/one", "team/two", "three"]),
        (["team/one/.git/HEAD", "team/drafts/a.js"], ["team/drafts", "team/one"]),
        # Without clones in it, a folder of a group is one repository: its parts belong together.
        (["shop/backend/package.json", "shop/nginx/nginx.conf", "blog/.git/HEAD"], ["blog", "shop"]),
        (["node_modules/cors/package.json", "server.js"], ["all"]),
        (["a/b/c/d/e/.git/HEAD"], ["all"]),
        (["a/b/c/d/.git/HEAD"], ["a/b/c/d"]),
    ],
)
def test_a_folder_is_looked_into(tmp_path: Path, files: list[str], expected: list[str]) -> None:
    for name in files:
        (tmp_path / "all" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "all" / name).touch()
    assert names("all", cwd=tmp_path) == expected


def test_links_are_not_followed_and_the_output_is_no_repository(tmp_path: Path) -> None:
    repository(tmp_path / "elsewhere")
    repository(tmp_path / "all" / "one")
    (tmp_path / "all" / "out").mkdir()
    (tmp_path / "all" / "link").symlink_to(tmp_path / "elsewhere")
    assert names("all", cwd=tmp_path, without=tmp_path / "all" / "out") == ["one"]


@pytest.mark.parametrize(
    ("files", "count", "is_said"),
    [
        (["one/bad/server.js", "two/good/package.json"], 1, True),  # nothing in the folders themselves
        (["one/server.js", "two/server.js"], 1, True),
        (["server.js", "lib/more.js"], 1, True),
        (["server.js"], 1, False),
        (["package.json", "lib/more.js"], 1, False),
        (["one/package.json", "two/server.js"], 2, False),
        (["one/.git/HEAD", "two/server.js"], 2, False),
    ],
)
def test_a_folder_that_nothing_speaks_of_is_one_repository_with_a_hint(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], files: list[str], count: int, is_said: bool
) -> None:
    for name in files:
        (tmp_path / "all" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "all" / name).touch()
    with contextlib.chdir(tmp_path):
        assert fleet("all", "--output", "out", "--exit-zero") == 0
    hint = (
        "corslint: all counts as one repository: nothing in it or its folders tells of any; to check folders each"
        " alone, give each, or a file with one path a line\n"
    )
    assert capsys.readouterr().err.startswith(hint) == is_said
    assert read(tmp_path / "out")["totals"]["repositories"] == count


def test_folders_that_are_given_each_are_repositories_each(tmp_path: Path) -> None:
    """As the hint says."""
    for name in ("one", "two"):
        (tmp_path / "all" / name / "deep").mkdir(parents=True)
    (tmp_path / "list.txt").write_text("all/one\nall/two\n")
    assert names("all/one", "all/two", cwd=tmp_path) == ["one", "two"]
    assert names("list.txt", cwd=tmp_path) == ["all/one", "all/two"]


def test_a_list_names_repositories_from_where_it_lies(tmp_path: Path) -> None:
    for name in ("one", "two words", "h#sh"):
        repository(tmp_path / "lists" / name)
    repository(tmp_path / "other")
    lines = ["\ufeff# all of ours", "", "one/", "  two words  ", "h#sh", "../other", str(tmp_path / "other"), "./one"]
    (tmp_path / "lists" / "fleet.txt").write_text("\r\n".join(lines))
    found = repositories.found(["lists/fleet.txt"], str(tmp_path))
    assert [one.name for one in found] == ["../other", "h#sh", "one", "two words"]
    assert found[1].path == str(tmp_path / "lists" / "h#sh")


def test_two_of_one_name_are_named_by_their_paths(tmp_path: Path) -> None:
    for name in ("a/api", "b/api", "b/web"):
        repository(tmp_path / name)
    assert names("a", "b", cwd=tmp_path) == [str(tmp_path / "a" / "api"), str(tmp_path / "b" / "api"), "web"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("one\n\nnowhere\n", "fleet.txt:3: nowhere: no such folder"),
        ("one\nfleet.txt\n", "fleet.txt:2: fleet.txt: no such folder"),
        ("a\0b\n", "fleet.txt:1: a\\x00b: no such folder"),
        ("# none\n", "fleet.txt: the list names no repository: write one path a line"),
        ("x\n" * 12, "fleet.txt:10: x: no such folder; and 2 more lines"),
    ],
)
def test_a_wrong_list_is_refused_with_its_lines(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str, said: str
) -> None:
    repository(tmp_path / "one")
    (tmp_path / "fleet.txt").write_text(content)
    with contextlib.chdir(tmp_path):
        assert fleet("fleet.txt", "--output", "out") == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere", "--output", "out"], "nowhere: no such file or folder"),
        (["", "--output", "out"], "a path is empty"),
        (["all"], "Missing option '--output'"),
        (["--output", "out"], "Missing argument 'REPOSITORIES...'"),
        (["all", "--output", ""], "--output: its value is empty"),
        (["all", "--output", "all/one/out"], "--output lies in the repository one"),
        (["all", "--output", "all/one/server.js"], "is no folder"),
        (["all", "--output", "all"], "--output lies among the repositories, around one: name a folder for the reports"),
        (["all", ".", "--output", "."], "--output lies among the repositories, around one: name a folder for the"),
        (["all", "--output", "out", "--select", "wildcard-orign"], "--select: there is no rule `wildcard-orign`"),
        (["all", "--output", "out", "--config", "nowhere.toml"], "--config: there is no file"),
        (["all", "--output", "out", "--executor", "threads"], "--executor takes processes|dask:ADDRESS|mpi|"),
        (["all", "--output", "out", "--executor", "no.such:thing"], "--executor no.such:thing: No module named 'no'"),
        (["all", "--output", "out", "--executor", "os:nothing"], "has no attribute 'nothing'"),
        (["all", "--output", "out", "--executor", "builtins:dict"], "makes a dict, which is no concurrent.futures"),
    ],
)
def test_wrong_use_is_said_before_anything_is_done(
    some: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    with contextlib.chdir(some.parent):
        assert cli.run(["fleet", *arguments]) == 2
    err = capsys.readouterr().err
    assert said in err
    assert "Traceback" not in err


def test_the_output_does_not_lie_among_clones_nor_they_where_reports_go(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("team/one", "repositories", "history/two"):
        (repository(tmp_path / "all" / name) / ".git").mkdir()
    with contextlib.chdir(tmp_path / "all"):
        for output, said in (
            (".", "--output: a repository lies in `repositories` there: name a folder for the reports alone"),
            ("team", "--output lies among the repositories, around team/one: name a folder for the reports alone"),
        ):
            assert fleet(".", "--output", output) == 2
            assert said in capsys.readouterr().err
        # Beside them there is room: of a list, because it names what is checked, and in a folder of its own.
        (tmp_path / "all" / "list.txt").write_text("team/one\n")
        assert fleet("list.txt", "--output", "reports") == 1
        assert fleet(".", "--output", "reports") == 1
        assert [one["name"] for one in read(tmp_path / "all" / "reports")["repositories"]] == [
            *("history/two", "repositories", "team/one")
        ]
        assert fleet("team", "--output", ".") == 2
        assert "--output: a repository lies in `repositories` there" in capsys.readouterr().err
        (tmp_path / "all" / "repositories").rename(tmp_path / "elsewhere")
        (tmp_path / "all" / "list.txt").write_text("history/two\n")
        assert fleet("list.txt", "--output", ".") == 2
        assert "--output: a repository lies in `history` there" in capsys.readouterr().err


# --- what is written -------------------------------------------------------------------------------------------------


def test_each_repository_gets_the_reports_that_check_writes_there(
    some: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = some.parent / "out"
    assert fleet(some, "--output", out) == 1
    assert capsys.readouterr() == (
        "",
        f"corslint: found 3 errors in 2 of 3 repositories\ncorslint: wrote {out / 'summary.html'}\n",
    )
    for name in ("one", "two", "three"):
        with contextlib.chdir(some / name):
            for format_ in ("json", "sarif"):
                cli.run(["check", "--no-cache", "--output-format", format_, "-o", str(some.parent / "expected")])
                written = (out / "repositories" / f"{name}.{format_}").read_bytes()
                assert written == (some.parent / "expected").read_bytes()
    assert [str(path.relative_to(some)) for path in sorted(some.rglob("*")) if path.is_file()] == [
        f"{name}/{file}" for name in ("one", "three", "two") for file in ("package.json", "server.js")
    ]


def test_the_summary_counts(some: Path) -> None:
    out = some.parent / "out"
    assert fleet(some, "--output", out) == 1
    found = read(out)
    assert found["totals"] == {
        "repositories": 3,
        "with_findings": 2,
        "clean": 1,
        "failed": 0,
        "files": 6,
        "errors": 3,
        "warnings": 0,
        "notes": 0,
        "effects": {"exploitable": 3},
    }
    assert [(one["rule"], one["findings"], one["repositories"], one["errors"]) for one in found["rules"]] == [
        ("reflected-origin-with-credentials", 3, 2, 3)
    ]
    assert [(one["name"], one["status"], one["errors"]) for one in found["repositories"]] == [
        ("one", "findings", 1),
        ("three", "findings", 2),
        ("two", "clean", 0),
    ]
    assert found["since"] is None
    assert [one["errors"] for one in found["trend"]] == [3]
    assert (out / found["repositories"][0]["json"]).is_file()
    assert (out / found["repositories"][0]["sarif"]).is_file()


@pytest.mark.parametrize(
    ("options", "status", "errors"),
    [
        ([], 1, 3),
        (["--exit-zero"], 0, 3),
        (["--fail-on", "never"], 0, 3),
        (["--ignore", "reflected-origin-with-credentials"], 0, 0),
        (["--severity", "reflected-origin-with-credentials=warning", "--max-warnings", "3"], 0, 0),
        (["--severity", "reflected-origin-with-credentials=warning", "--max-warnings", "2"], 1, 0),
        (["--exclude", "server.js"], 0, 0),
        (["--config", "ignore = ['reflected-origin-*']"], 0, 0),
        (["--config", "strict.toml"], 0, 0),
    ],
)
def test_options_count_in_every_repository(some: Path, options: list[str], status: int, errors: int) -> None:
    (some.parent / "strict.toml").write_text("ignore = ['reflected-origin-with-credentials']\n")
    with contextlib.chdir(some.parent):
        assert fleet("all", "--output", "out", *options) == status
    assert read(some.parent / "out")["totals"]["errors"] == errors


def test_settings_of_a_repository_count_there(some: Path) -> None:
    (some / "one" / "corslint.toml").write_text("ignore = ['reflected-origin-with-credentials']\n")
    (some / "three" / "corslint.toml").write_text("fail-on = 'never'\n")
    assert fleet(some, "--output", some.parent / "out") == 0
    found = {one["name"]: one["errors"] for one in read(some.parent / "out")["repositories"]}
    assert found == {"one": 0, "two": 0, "three": 2}


def test_a_repository_that_cannot_be_checked_is_named_and_costs_no_other(
    some: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (some / "two" / "corslint.toml").write_text("selekt = []\n")
    out = some.parent / "out"
    assert fleet(some, "--output", out, "--exit-zero") == 2
    said = "corslint.toml:1: unknown setting `selekt`; did you mean `select`?"
    assert f"corslint: two: could not be checked: {said}\n" in capsys.readouterr().err
    found = read(out)
    assert [one for one in found["repositories"] if one["status"] == "failed"] == [
        {"name": "two", "status": "failed", "failure": said}
    ]
    assert (found["totals"]["failed"], found["totals"]["errors"]) == (1, 3)
    assert sorted(path.name for path in (out / "repositories").iterdir()) == [
        *("one.json", "one.sarif", "three.json", "three.sarif")
    ]
    assert "selekt" in (out / "summary.html").read_text(encoding="utf-8")


def test_summaries_are_valid_against_the_shipped_schema(some: Path) -> None:
    schema = json.loads(resources.schema_file("fleet").read_text(encoding="utf-8"))
    out = some.parent / "out"
    fleet(some, "--output", out)
    jsonschema.validate(read(out), schema, cls=jsonschema.Draft202012Validator)
    (some / "one" / "corslint.toml").write_text("selekt = []\n")
    (some / "two" / "server.js").write_text(OPEN)
    fleet(some, "--output", out)
    jsonschema.validate(read(out), schema, cls=jsonschema.Draft202012Validator)
    wrong = read(out)
    wrong["repositories"][0]["stauts"] = "clean"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(wrong, schema, cls=jsonschema.Draft202012Validator)


NASTY = ("a b", "Ünïcode", "UPPER", "upper", "-rf", "x" * 200, "</script><script>1</script>", "new\nline", "::error::")


def test_names_of_any_kind_become_files(tmp_path: Path) -> None:
    for name in NASTY:
        repository(tmp_path / "all" / name.replace("/", "_"))
    raw = os.fsencode(tmp_path / "all") + b"/\xff\xfe"
    os.mkdir(raw)
    Path(os.fsdecode(raw), "server.js").write_text(OPEN)
    out = tmp_path / "out"
    assert fleet(tmp_path / "all", "--output", out) == 1
    found = read(out)
    assert found["totals"]["errors"] == len(NASTY) + 1 == found["totals"]["with_findings"]
    files = [path.name for path in (out / "repositories").iterdir()]
    assert len({name.lower() for name in files}) == 2 * len(found["repositories"])
    assert all(name.isascii() and len(name) < 130 and not name.startswith(("-", ".")) for name in files)
    assert all((out / one[key]).is_file() for one in found["repositories"] for key in ("json", "sarif"))
    shown = (out / "summary.html").read_text(encoding="utf-8")
    assert shown.count("<script>") == 1
    assert "::error" not in (out / "summary.json").read_text(encoding="utf-8").split("\n")


# --- better or worse -------------------------------------------------------------------------------------------------


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    return lambda day: monkeypatch.setenv("SOURCE_DATE_EPOCH", str(OLD + day * 86_400))


def test_runs_are_compared_and_kept(some: Path, clock: Callable[[int], None]) -> None:
    out = some.parent / "out"
    clock(0)
    fleet(some, "--output", out)
    first = (out / "summary.json").read_bytes()
    clock(1)
    (some / "two" / "server.js").write_text(OPEN)  # one more
    (some / "three" / "server.js").write_text(CLEAN)  # two fewer
    repository(some / "four")
    fleet(some, "--output", out)
    found = read(out)
    assert found["since"] == {
        "date": "2001-09-09T01:46:40Z",
        "corslint": corslint.__version__,
        "same_options": True,
        "repositories": 3,
        "added": 1,
        "removed": 0,
        "new": 1,
        "gone": 2,
    }
    assert {one["name"]: one.get("since") for one in found["repositories"]} == {
        "one": {"new": 0, "gone": 0},
        "two": {"new": 1, "gone": 0},
        "three": {"new": 0, "gone": 2},
        "four": None,
    }
    assert [one["since"] for one in found["rules"]] == [{"new": 1, "gone": 2}]
    assert [path.name for path in (out / "history").iterdir()] == ["20010909T014640Z.json"]
    assert (out / "history" / "20010909T014640Z.json").read_bytes() == first
    shown = (out / "summary.html").read_text(encoding="utf-8")
    assert "Better than last time" in shown
    assert "1 finding new and 2 findings gone" in shown
    clock(2)
    fleet(some / "one", some / "two", "--output", out, "--pedantic")
    assert read(out)["since"] == {
        **found["since"],
        "date": "2001-09-10T01:46:40Z",
        "same_options": False,
        "repositories": 2,
        "added": 0,
        "removed": 2,
        "new": 0,
        "gone": 0,
    }
    assert [(one["date"][8:10], one["errors"]) for one in read(out)["trend"]] == [("09", 3), ("10", 3), ("11", 2)]
    # What is not of this run any more has no reports.
    assert sorted(path.stem for path in (out / "repositories").glob("*.json")) == ["one", "two"]


def test_a_rule_that_is_gone_is_still_told_of(some: Path) -> None:
    out = some.parent / "out"
    fleet(some, "--output", out)
    for name in ("one", "three"):
        (some / name / "server.js").write_text(CLEAN)
    assert fleet(some, "--output", out) == 0
    assert [(one["findings"], one["repositories"], one["since"]) for one in read(out)["rules"]] == [
        (0, 0, {"new": 0, "gone": 3})
    ]
    assert "Nothing is broken or open to attackers." in (out / "summary.html").read_text(encoding="utf-8")


def test_the_page_names_the_gravest_rules_of_a_repository_first() -> None:
    noted = tuple(checking.Count(f"a-note-{number}", "note", "degraded", 9) for number in range(8))
    counts = (
        *noted,
        checking.Count("z-warning", "warning", "broken", 1),
        checking.Count("an-error", "error", "broken", 1),
    )
    kept = Kept("one", "", (), 1, counts, reaches=True)
    made = summary.made([summary.Checked("one", "one", kept)], "", None)
    row = "".join(page.render(made, {})).rpartition('<tr id="r1"')[2].partition("</tr>")[0]
    assert re.findall("<code>([^<]*)</code>", row) == [
        "an-error",
        "z-warning",
        *(f"a-note-{number}" for number in range(4)),
    ]
    assert "and 4 more rules" in row


def test_two_runs_of_one_second_are_both_kept(some: Path, clock: Callable[[int], None]) -> None:
    out = some.parent / "out"
    clock(0)
    for content in (CLEAN, OPEN, OPEN * 2, OPEN * 3):
        (some / "one" / "server.js").write_text(content)
        fleet(some, "--output", out)
    assert sorted(path.name for path in (out / "history").iterdir()) == [
        "20010909T014640Z.json",
        "20010909T014640Z_002.json",
        "20010909T014640Z_003.json",
    ]
    assert [one["errors"] for one in read(out)["trend"]] == [2, 3, 4, 5]


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"version": 1}', '{"version": 2}', "[" * 100_000, "\ud800"])
def test_a_summary_that_is_none_is_refused_before_the_work(
    some: Path, capsys: pytest.CaptureFixture[str], content: str
) -> None:
    out = some.parent / "out"
    out.mkdir()
    (out / "summary.json").write_bytes(content.encode("utf-8", "surrogatepass"))
    assert fleet(some, "--output", out) == 2
    assert "summary.json" in capsys.readouterr().err
    assert list((out / "repositories").iterdir()) == []


def test_the_last_summary_is_read_when_no_other_run_can_write_one(
    some: Path, clock: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    out = some.parent / "out"
    read_last = summary.last

    def last(folder: str) -> summary.Summary | None:
        with pytest.raises(UsageError, match="another run is writing"):
            locked_by_another()
        return read_last(folder)

    def locked_by_another() -> None:
        program = "import sys; from corslint.fleet.results import Results; Results(sys.argv[1], [])"
        done = subprocess.run(
            [sys.executable, "-c", program, str(out)], env=environment(), capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise UsageError(done.stderr)

    clock(0)
    fleet(some, "--output", out)
    clock(1)
    monkeypatch.setattr(summary, "last", last)
    assert fleet(some, "--output", out) == 1
    assert [one["date"][8:10] for one in read(out)["trend"]] == ["09", "10"]


def test_the_trend_has_the_last_runs_and_no_more(some: Path, clock: Callable[[int], None]) -> None:
    out = some.parent / "out"
    for day in range(summary.SHOWN + 2):
        clock(day)
        fleet(some / "two", "--output", out)
    days = [one["date"][:10] for one in read(out)["trend"]]
    assert (days[0], days[-1], len(days)) == ("2001-09-11", "2001-10-10", summary.SHOWN)
    assert len(list((out / "history").iterdir())) == summary.SHOWN + 1


def test_where_the_last_summary_is_gone_the_one_before_it_is_compared_with(
    some: Path, clock: Callable[[int], None]
) -> None:
    out = some.parent / "out"
    for day in range(3):
        clock(day)
        fleet(some, "--output", out)
    (out / "summary.json").unlink()
    clock(3)
    fleet(some, "--output", out)
    assert [one["date"][8:10] for one in read(out)["trend"]] == ["09", "10", "12"]
    assert read(out)["since"]["date"] == "2001-09-10T01:46:40Z"


@pytest.mark.parametrize("trend", [None, [{}], [{"date": "2001"}], [7], {"date": 1}])
def test_a_trend_that_is_none_is_refused(some: Path, capsys: pytest.CaptureFixture[str], trend: object) -> None:
    out = some.parent / "out"
    fleet(some, "--output", out)
    (out / "summary.json").write_text(json.dumps({**read(out), "trend": trend}))
    capsys.readouterr()
    assert fleet(some, "--output", out) == 2
    assert "summary.json: is no summary of `corslint fleet`: remove it" in capsys.readouterr().err


# --- what is taken from a run before ---------------------------------------------------------------------------------


def unchanged(some: Path, capsys: pytest.CaptureFixture[str], *options: str) -> int:
    """How many results another run takes as they are."""
    capsys.readouterr()
    fleet(some, "--output", some.parent / "out", *options)
    said = capsys.readouterr().err.partition(" had not changed")
    return int(said[0].rpartition(" ")[2]) if said[1] else 0


def test_what_has_not_changed_is_not_checked_again(some: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = some.parent / "out"
    assert unchanged(some, capsys) == 0
    before = tree(out / "repositories")
    assert unchanged(some, capsys) == 3
    assert tree(out / "repositories") == before
    assert unchanged(some, capsys, "--exit-zero", "--max-warnings", "3") == 3
    assert unchanged(some, capsys, "--fresh") == 0


@pytest.mark.parametrize(
    "change",
    [
        lambda one: (one / "server.js").write_text(CLEAN),
        lambda one: (one / "server.js").write_text(OPEN.replace("3000", "3001")),  # of the same size
        lambda one: (one / "more.js").write_text(OPEN),
        lambda one: (one / "corslint.toml").write_text("pedantic = true\n"),
        lambda one: (one / "server.js").rename(one / "server.test.js"),
        lambda one: (one / "server.js").unlink(),
        lambda one: (one.parent.parent / "out" / "repositories" / "one.sarif").unlink(),
        lambda one: (one.parent.parent / "out" / "repositories" / "one.json").write_text("{}"),
    ],
)
def test_a_result_that_is_stale_is_not_taken(
    some: Path, capsys: pytest.CaptureFixture[str], change: Callable[[Path], object]
) -> None:
    unchanged(some, capsys)
    change(some / "one")
    assert unchanged(some, capsys) == 2
    after = tree(some.parent / "out" / "repositories")
    assert unchanged(some, capsys, "--fresh") == 0
    assert tree(some.parent / "out" / "repositories") == after


def test_other_options_and_another_version_take_nothing(
    some: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    unchanged(some, capsys)
    assert unchanged(some, capsys, "--pedantic") == 0
    assert unchanged(some, capsys, "--pedantic") == 3
    monkeypatch.setattr("corslint.compiled.identity", lambda: "another")
    assert unchanged(some, capsys, "--pedantic") == 0


def test_of_what_was_changed_just_now_nobody_knows(
    some: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "_UNSURE_NS", 3_600_000_000_000)
    unchanged(some, capsys)
    assert unchanged(some, capsys) == 0


@pytest.mark.parametrize(
    "damage", [b"", b"\xff\n", b"[]\n", b'[1, "one"]\n', b'[1,"one","../../x","",[],0,[],false]\n']
)
def test_a_damaged_journal_costs_time_and_no_more(
    some: Path, capsys: pytest.CaptureFixture[str], damage: bytes
) -> None:
    unchanged(some, capsys)
    before = tree(some.parent / "out" / "repositories")
    journal = some.parent / "out" / "results.jsonl"
    whole = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(damage + whole[1] + whole[2][:-20])  # the last line is cut off
    assert unchanged(some, capsys) == 1
    assert tree(some.parent / "out" / "repositories") == before


def test_two_runs_do_not_write_to_one_folder(some: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = some.parent / "out"
    program = (
        "import sys; from corslint.fleet.results import Results; kept = Results(sys.argv[1], []);"
        "print('begun', flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(out)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment()
    ) as other:
        assert other.stdout is not None
        other.stdout.readline()
        assert fleet(some, "--output", out) == 2
        assert f"--output: another run is writing to {out}" in capsys.readouterr().err
        other.communicate(b"\n")
    assert fleet(some, "--output", out) == 1


def test_an_output_that_cannot_be_written_is_said(some: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = some.parent / "out"
    out.mkdir()
    (out / "repositories").write_text("in the way")
    assert fleet(some, "--output", out) == 2
    assert "corslint: error: --output: " in capsys.readouterr().err


# --- whatever dies ---------------------------------------------------------------------------------------------------


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT), os.environ.get("PYTHONPATH", "")))}


def many(folder: Path, count: int) -> Path:
    for number in range(count):
        repository(folder / "all" / f"r{number:03}", OPEN if number % 2 else CLEAN)
    return folder / "all"


KILLER = """
import os, signal, sys
from corslint.fleet import checking

whole = checking._checked


def checked(cwd, known, options):
    marks = os.environ["MARKS"]
    if os.path.basename(cwd) in os.environ["KILLS"].split(","):
        with open(os.path.join(marks, os.path.basename(cwd)), "a") as log:
            log.write("x")
        if os.environ.get("ONCE") is None or os.path.getsize(log.name) == 1:
            os.kill(os.getpid(), signal.SIGKILL)
    return whole(cwd, known, options)


checking._checked = checked
from corslint import cli

if __name__ == "__main__":
    cli.main(sys.argv[1:])
"""
"""corslint, whose workers are killed by the system when they come to certain repositories."""


def killed(tmp_path: Path, all_of_them: Path, kills: str, **more: str) -> subprocess.CompletedProcess[str]:
    (tmp_path / "killer.py").write_text(KILLER)
    (tmp_path / "marks").mkdir()
    command = [sys.executable, str(tmp_path / "killer.py"), "fleet", str(all_of_them), "--output", "out", "-j", "2"]
    around = {**environment(), "MARKS": str(tmp_path / "marks"), "KILLS": kills, **more}
    return subprocess.run(command, cwd=tmp_path, env=around, capture_output=True, text=True, check=False, timeout=300)


needs_fork = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="workers are forked on Linux only")


@needs_fork
def test_a_worker_that_is_killed_costs_no_result(tmp_path: Path) -> None:
    all_of_them = many(tmp_path, 40)
    done = killed(tmp_path, all_of_them, "r007,r021", ONCE="1")
    assert done.stderr.splitlines()[-2] == "corslint: found 20 errors in 20 of 40 repositories"
    assert done.returncode == 1
    assert {path.name: path.read_text() for path in (tmp_path / "marks").iterdir()} == {"r007": "xx", "r021": "xx"}
    with contextlib.chdir(tmp_path):
        fleet(all_of_them, "--output", "calm")
    assert tree(tmp_path / "out" / "repositories") == tree(tmp_path / "calm" / "repositories")


@needs_fork
def test_a_repository_that_kills_its_workers_is_tried_again_alone_and_named(tmp_path: Path) -> None:
    done = killed(tmp_path, many(tmp_path, 40), "r007,r021")
    reason = "could not be checked: the worker that checked it ended (out of memory, or killed)"
    lines = done.stderr.splitlines()
    assert [line for line in lines if "could not be checked: " in line] == [
        f"corslint: r007: {reason}",
        f"corslint: r021: {reason}",
    ]
    assert lines[-2] == "corslint: found 18 errors in 18 of 40 repositories; 2 could not be checked"
    assert done.returncode == 2
    found = read(tmp_path / "out")
    assert [one["name"] for one in found["repositories"] if one["status"] == "failed"] == ["r007", "r021"]
    assert found["totals"]["clean"] == 20
    # With others at the same time (or not, where another one was killed first), and twice alone.
    assert {path.read_text() for path in (tmp_path / "marks").iterdir()} <= {"xx", "xxx"}


@needs_fork
def test_workers_that_always_end_end_the_run(tmp_path: Path) -> None:
    all_of_them = many(tmp_path, 40)
    done = killed(tmp_path, all_of_them, ",".join(path.name for path in all_of_them.iterdir()))
    assert done.stderr.startswith("corslint: error: workers end or fail whatever they are given, 10 times on end: ")
    assert done.returncode == 2


def processes_of(group: int) -> list[int]:
    """The processes of a group that are still there."""
    found = []
    for name in filter(str.isdecimal, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            fields = Path("/proc", name, "stat").read_text().rpartition(")")[2].split()
            if int(fields[2]) == group and fields[0] != "Z":
                found.append(int(name))
    return found


def waited(condition: Callable[[], bool], seconds: float = 60) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return False


@needs_fork
def test_a_run_that_is_killed_goes_on_and_leaves_nothing_running(tmp_path: Path) -> None:
    all_of_them = many(tmp_path, 300)
    command = [sys.executable, "-m", "corslint", "fleet", str(all_of_them), "--output", "out", "-j", "2"]
    time.sleep(2.1)  # else nobody could tell whether a file changes again
    started = subprocess.Popen(
        command, cwd=tmp_path, env=environment(), start_new_session=True, stderr=subprocess.DEVNULL
    )
    journal = tmp_path / "out" / "results.jsonl"
    assert waited(lambda: journal.exists() and journal.read_bytes().count(b"\n") >= 30)
    started.kill()
    started.wait()
    done = journal.read_bytes().count(b"\n")
    assert 30 <= done < 300
    assert not (tmp_path / "out" / "summary.json").exists()
    assert waited(lambda: processes_of(started.pid) == [])
    again = subprocess.run(command, cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False)
    said = again.stderr.splitlines()[-2]
    assert said == f"corslint: found 150 errors in 150 of 300 repositories; {done} had not changed"
    assert again.returncode == 1
    with contextlib.chdir(tmp_path):
        fleet(all_of_them, "--output", "calm")
    assert tree(tmp_path / "out" / "repositories") == tree(tmp_path / "calm" / "repositories")
    assert not list((tmp_path / "out").rglob("*.tmp"))


@needs_fork
def test_an_interrupt_ends_all_at_once(tmp_path: Path) -> None:
    all_of_them = many(tmp_path, 300)
    command = [sys.executable, "-m", "corslint", "fleet", str(all_of_them), "--output", "out", "-j", "2"]
    started = subprocess.Popen(
        command, cwd=tmp_path, env=environment(), start_new_session=True, stderr=subprocess.PIPE, text=True
    )
    journal = tmp_path / "out" / "results.jsonl"
    assert waited(lambda: journal.exists() and journal.read_bytes().count(b"\n") >= 30)
    os.killpg(started.pid, signal.SIGINT)
    _, said = started.communicate(timeout=60)
    assert said.strip() == "corslint: error: interrupted"
    assert started.returncode == 2
    assert waited(lambda: processes_of(started.pid) == [])


def test_reports_that_get_another_name_do_not_stay_under_the_old_one(tmp_path: Path) -> None:
    repository(tmp_path / "all" / "App")
    out = tmp_path / "out"
    fleet(tmp_path / "all", "--output", out)
    assert (out / "repositories" / "App.json").is_file()
    repository(tmp_path / "all" / "APP")  # whose files would be the same where no case counts
    fleet(tmp_path / "all", "--output", out)
    named = {Path(one[kind]).name for one in read(out)["repositories"] for kind in ("json", "sarif")}
    assert {path.name for path in (out / "repositories").iterdir()} == named
    assert len(named) == 4


def test_reports_of_another_case_are_gone_before_new_ones_are_written(tmp_path: Path) -> None:
    """Where no case counts, they would be removed with the old ones."""
    repository(tmp_path / "all" / "App")
    out = tmp_path / "out"
    fleet(tmp_path / "all", "--output", out)
    (tmp_path / "all" / "App").rename(tmp_path / "all" / "app")
    with Results(str(out), ["app"]):
        assert list((out / "repositories").iterdir()) == []
    fleet(tmp_path / "all", "--output", out)
    assert sorted(path.name for path in (out / "repositories").iterdir()) == ["app.json", "app.sarif"]


def test_what_a_killed_run_left_half_written_is_removed(tmp_path: Path) -> None:
    (tmp_path / "repositories").mkdir()
    (tmp_path / "repositories" / "one.json.12.tmp").touch()
    (tmp_path / "summary.json.12.tmp").touch()
    Results(str(tmp_path), ["one"]).close()
    assert not list(tmp_path.rglob("*.tmp"))


# --- any executor ----------------------------------------------------------------------------------------------------


class Inline(concurrent.futures.Executor):
    """An executor that does everything at once, and breaks or fails when it is told to."""

    made = 0
    breaks_at: tuple[int, ...] = ()
    fails_at: tuple[int, ...] = ()
    tasks = 0

    def __init__(self) -> None:
        type(self).made += 1
        self._broken = False

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> concurrent.futures.Future[Any]:
        kind = type(self)
        if self._broken:
            raise concurrent.futures.BrokenExecutor("broken")
        kind.tasks += 1
        future: concurrent.futures.Future[Any] = concurrent.futures.Future()
        if kind.tasks in kind.breaks_at:
            self._broken = True
            future.set_exception(concurrent.futures.BrokenExecutor("broken"))
        elif kind.tasks in kind.fails_at:
            future.set_exception(MemoryError("no room"))
        else:
            future.set_result(fn(*args, **kwargs))
        return future


@pytest.fixture
def inline(monkeypatch: pytest.MonkeyPatch) -> type[Inline]:
    for name, value in (("made", 0), ("tasks", 0), ("breaks_at", ()), ("fails_at", ())):
        monkeypatch.setattr(Inline, name, value)
    return Inline


def test_any_executor_will_do(
    some: Path, inline: type[Inline], clock: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in = type(sys)("of_the_test")
    monkeypatch.setattr(stand_in, "Inline", inline, raising=False)
    monkeypatch.setitem(sys.modules, "of_the_test", stand_in)
    clock(0)
    fleet(some, "--output", some.parent / "expected")
    for executor in ("of_the_test:Inline", "concurrent.futures:ThreadPoolExecutor"):
        assert fleet(some, "--output", some.parent / executor, "--executor", executor) == 1
        assert tree(some.parent / executor) == tree(some.parent / "expected")
    assert inline.made == 1


def test_mpi_is_an_executor_of_mpi4py(some: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The interface alone: no MPI runtime is here."""

    class MPIPoolExecutor(concurrent.futures.ThreadPoolExecutor):
        num_workers = 3

    stand_in = type(sys)("mpi4py.futures")
    monkeypatch.setattr(stand_in, "MPIPoolExecutor", MPIPoolExecutor, raising=False)
    monkeypatch.setitem(sys.modules, "mpi4py", type(sys)("mpi4py"))
    monkeypatch.setitem(sys.modules, "mpi4py.futures", stand_in)
    with executors.named("mpi", None) as hire:
        crew = hire()
        assert isinstance(crew.executor, MPIPoolExecutor)
        assert crew.width == 6
        crew.executor.shutdown()
    assert cli.run(["fleet", str(some), "--output", str(some.parent / "out"), "--executor", "mpi"]) == 1
    assert read(some.parent / "out")["totals"]["errors"] == 3


def asked() -> checking.Options:
    return checking.Options(corslint.__version__, "run", NOTHING_ASKED)


def hire(inline: type[Inline], width: int = 2) -> executors.Hire:
    return lambda: executors.Crew(inline(), width)


def answered(inline: type[Inline], paths: list[Path]) -> dict[str, str]:
    orders = [Order(str(path)) for path in paths]
    return {
        Path(order.path).name: outcome.reason if isinstance(outcome, Failure) else "done"
        for order, outcome in run.answers(orders, hire(inline), asked())
    }


def test_a_broken_executor_is_replaced_and_what_was_in_doubt_done_alone(some: Path, inline: type[Inline]) -> None:
    inline.breaks_at = (2,)
    paths = sorted(some.iterdir())
    assert answered(inline, paths) == dict.fromkeys(("one", "two", "three"), "done")
    assert (inline.made, inline.tasks) == (2, 4)


def test_a_task_that_fails_is_tried_once_more(some: Path, inline: type[Inline]) -> None:
    inline.fails_at = (1,)
    assert answered(inline, sorted(some.iterdir())) == dict.fromkeys(("one", "two", "three"), "done")
    inline.tasks = 0
    inline.fails_at = (1, 4)
    words = "the worker that checked it failed: MemoryError: no room"
    assert answered(inline, sorted(some.iterdir())) == {"one": words, "two": "done", "three": "done"}


def test_workers_that_fail_whatever_they_are_given_end_the_run(tmp_path: Path, inline: type[Inline]) -> None:
    """As where a scheduler's workers lack this package."""
    inline.fails_at = tuple(range(1, 1000))
    with pytest.raises(UsageError, match=r"10 times on end: .* failed: MemoryError: no room$"):
        answered(inline, sorted(many(tmp_path, 20).iterdir()))


class Shut(concurrent.futures.Executor):
    """An executor that takes nothing."""

    error: type[Exception] = RuntimeError
    asked = 0

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> concurrent.futures.Future[Any]:
        type(self).asked += 1
        raise self.error("closed")


class Silent(concurrent.futures.Executor):
    """An executor that takes everything and never answers."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> concurrent.futures.Future[Any]:
        return concurrent.futures.Future()


def test_an_executor_that_is_always_broken_ends_the_run(some: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Shut, "error", concurrent.futures.BrokenExecutor)
    monkeypatch.setattr(Shut, "asked", 0)
    with pytest.raises(UsageError, match="10 times on end"):
        list(run.answers([Order(str(some / "one"))], lambda: executors.Crew(Shut(), 2), asked()))
    assert Shut.asked == 10


def test_an_executor_that_takes_no_work_is_said(some: Path) -> None:
    with pytest.raises(UsageError, match="--executor takes no work: RuntimeError: closed"):
        list(run.answers([Order(str(some / "one"))], lambda: executors.Crew(Shut(), 2), asked()))


def test_workers_that_are_gone_without_a_word_end_the_run(some: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "_LOOK", 0.01)
    looks = iter((False, False, True, True))
    with pytest.raises(UsageError, match="nobody does the work any more"):
        list(run.answers([Order(str(some / "one"))], lambda: executors.Crew(Silent(), 2, lambda: next(looks)), asked()))
    assert next(looks, None) is None


def test_workers_that_are_missed_are_told_of_once_each_time(some: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0

    def clock() -> float:
        nonlocal now
        now += 1
        return now

    monkeypatch.setattr(run, "_LOOK", 0.001)
    monkeypatch.setattr(run, "monotonic", clock)
    monkeypatch.setattr(run, "_MOST_MISSED", 60.0)
    there = [*[False] * 30, True, *[False] * 5, True, *[False] * 100]
    looks = iter(there)
    said: list[str] = []
    crew = executors.Crew(Silent(), 2, has_workers=lambda: next(looks))
    with pytest.raises(UsageError, match=r"--executor: no workers for 1 minute; a new run goes on where this one was"):
        list(run.answers([Order(str(some / "one"))], lambda: crew, asked(), said.append))
    words = "no workers are left: the run waits 1 minute for others; if it ends, a new run goes on where this one was"
    assert said == [words, words]  # five seconds are too short to say anything
    assert len(list(looks)) == 100 - 61


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("of_the_test:refuse", "--executor of_the_test:refuse: ValueError: no room"),
        ("of_the_test:takes", "--executor of_the_test:takes: TypeError: "),
        ("of_the_test:nothing", "--executor of_the_test:nothing: module 'of_the_test' has no attribute 'nothing'"),
        ("os:getcwd", "--executor os:getcwd: makes a str, which is no concurrent.futures.Executor"),
        ("of_the_test_too:any", "--executor of_the_test_too:any: ZeroDivisionError: division by zero"),
    ],
)
def test_an_executor_that_cannot_be_made_is_a_mistake_of_who_named_it(
    some: Path, name: str, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse() -> None:
        raise ValueError("no room")

    stand_in = type(sys)("of_the_test")
    stand_in.__dict__.update(refuse=refuse, takes=lambda one: one)
    monkeypatch.setitem(sys.modules, "of_the_test", stand_in)
    (some.parent / "of_the_test_too.py").write_text("1 / 0\n")
    monkeypatch.syspath_prepend(some.parent)
    assert fleet(some, "--output", some.parent / "out", "--executor", name) == 2
    assert said in capsys.readouterr().err


def test_a_worker_of_another_version_is_refused(some: Path) -> None:
    found = checking.check([Order(str(some / "one"))], asked()._replace(version="0.0.0"))
    assert found == [Failure(f"a worker has corslint {corslint.__version__}, not 0.0.0: install the same there")]


def test_a_worker_comes_back_to_where_it_was(some: Path) -> None:
    before = os.getcwd()
    found = checking.check([Order(str(some / name)) for name in ("one", "nowhere", "two")], asked())
    assert os.getcwd() == before
    assert [isinstance(one, Failure) for one in found] == [False, True, False]


def test_a_fault_of_ours_costs_one_repository(some: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def lint(*_: object, **__: object) -> None:
        raise RecursionError("too deep")

    monkeypatch.setattr("corslint.lint.lint", lint)
    assert checking.check([Order(str(some / "one"))], asked()) == [
        Failure("internal error: RecursionError: too deep; please report it")
    ]


class Ring:
    """What nothing but itself holds."""

    def __init__(self) -> None:
        self.itself = [self]


def test_what_holds_only_itself_is_let_go_before_it_is_much(some: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where that is not done all the time, as in processes of the command line."""
    alive: weakref.WeakSet[Ring] = weakref.WeakSet()
    most = 0
    whole = checking._checked

    def checked(cwd: str, known: str, options: checking.Options) -> checking.Outcome:
        nonlocal most
        for _ in range(100):
            alive.add(Ring())
        most = max(most, len(alive))
        return whole(cwd, known, options)

    monkeypatch.setattr(checking, "_checked", checked)
    monkeypatch.setattr(checking, "_MOST_LEFT", 3_000)
    gc.collect()
    gc.disable()
    try:
        for _ in range(60):
            checking.check([Order(str(some / "one"))], asked())
    finally:
        gc.enable()
    assert 200 < most < 2_000


def test_where_nothing_is_left_nothing_is_looked_for(some: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checking.check([Order(str(some / "one"))], asked())
    asks: list[int] = []
    monkeypatch.setattr(checking, "gc", types.SimpleNamespace(**{**vars(gc), "collect": lambda: asks.append(1)}))
    gc.collect()
    gc.disable()
    try:
        for _ in range(30):
            checking.check([Order(str(some / name)) for name in ("one", "two")], asked())
        assert asks == []
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_batches_are_small_enough_for_all() -> None:
    orders = [Order(str(number)) for number in range(100)]
    assert [len(batch) for batch in run._batches(orders, 4)] == [6] * 16 + [4]
    assert {len(batch) for batch in run._batches(orders[:10], 4)} == {1}


# --- Dask ------------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def started(*command: str, says: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A process, once it has said something; and the line in which it did."""
    process = subprocess.Popen(
        [sys.executable, "-m", *command],
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    try:
        yield process, next(line for line in process.stderr if says in line)
    finally:
        process.kill()
        process.communicate()


class Cluster(NamedTuple):
    """A Dask scheduler with two workers, and what starts another one."""

    address: str
    workers: list[subprocess.Popen[str]]
    start: Callable[[], None]

    def kill(self, count: int) -> None:
        """Let so many workers be killed by the system."""
        for _ in range(count):
            worker = self.workers.pop()
            worker.kill()
            worker.wait()


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    pytest.importorskip("distributed", reason="distributed is not installed (extra `fleet`)")
    local = ("--host", "127.0.0.1", "--no-dashboard")
    with contextlib.ExitStack() as processes:
        scheduler = started("distributed.cli.dask_scheduler", *local, "--port", "0", says="Scheduler at:")
        address = processes.enter_context(scheduler)[1].split()[-1]
        workers: list[subprocess.Popen[str]] = []

        def start() -> None:
            command = ("distributed.cli.dask_worker", address, *local, "--no-nanny", "--nthreads", "1")
            workers.append(processes.enter_context(started(*command, says="Starting established connection"))[0])

        start()
        start()
        yield Cluster(address, workers, start)


@pytest.fixture
def dask(cluster: Cluster) -> str:
    """The address of a scheduler with two workers."""
    return cluster.address


def test_dask_gives_the_same_byte_for_byte(tmp_path: Path, dask: str, clock: Callable[[int], None]) -> None:
    all_of_them = many(tmp_path, 60)
    (all_of_them / "r003" / "corslint.toml").write_text("selekt = []\n")
    clock(0)
    with contextlib.chdir(tmp_path):
        assert fleet(all_of_them, "--output", "expected") == 2
        assert cli.run(["fleet", str(all_of_them), "--output", "out", "--executor", f"dask:{dask}"]) == 2
    assert tree(tmp_path / "out") == tree(tmp_path / "expected")
    assert len(tree(tmp_path / "out")) == 2 * 59 + 2


def test_a_dask_worker_that_is_killed_costs_no_result(
    tmp_path: Path, cluster: Cluster, clock: Callable[[int], None]
) -> None:
    all_of_them = many(tmp_path, 300)
    clock(0)
    with contextlib.chdir(tmp_path):
        assert fleet(all_of_them, "--output", "expected") == 1
    command = [sys.executable, "-m", "corslint", "fleet", str(all_of_them), "--output", "out"]
    with subprocess.Popen(
        [*command, "--executor", f"dask:{cluster.address}"],
        cwd=tmp_path,
        env=environment(),
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        journal = tmp_path / "out" / "results.jsonl"
        assert waited(lambda: journal.exists() and journal.read_bytes().count(b"\n") >= 30)
        cluster.kill(1)
        done = journal.read_bytes().count(b"\n")
        _, said = running.communicate(timeout=300)
    assert 30 <= done < 280  # it worked, and there was work left
    assert running.returncode == 1
    assert "found 150 errors in 150 of 300 repositories\n" in said
    assert tree(tmp_path / "out") == tree(tmp_path / "expected")


def test_without_any_dask_worker_the_run_waits_says_so_and_goes_on(
    tmp_path: Path, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "_LOOK", 0.05)
    monkeypatch.setattr(run, "_MISSED", 0.1)
    said: list[str] = []

    def say(text: str) -> None:
        said.append(text)
        cluster.start()

    orders = [Order(str(path)) for path in many(tmp_path, 60).iterdir()]
    with executors.named(f"dask:{cluster.address}", None) as hire:
        found = run.answers(orders, hire, asked(), say)
        done = [next(found)]
        cluster.kill(2)
        done += found
    assert said == [
        "no workers are left: the run waits 10 minutes for others; if it ends, a new run goes on where this one was"
    ]
    assert sorted(order.path for order, _ in done) == sorted(order.path for order in orders)
    assert not [outcome for _, outcome in done if isinstance(outcome, Failure)]


def test_without_any_dask_worker_the_run_ends_in_the_end(
    some: Path, cluster: Cluster, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in (("_LOOK", 0.05), ("_MISSED", 0.1), ("_MOST_MISSED", 0.3)):
        monkeypatch.setattr(run, name, value)
    cluster.kill(2)
    arguments = ["fleet", str(some), "--output", str(some.parent / "out"), "--executor", f"dask:{cluster.address}"]
    assert cli.run([*arguments, "--jobs", "2"]) == 2
    goes_on = "a new run goes on where this one was\n"
    assert capsys.readouterr().err == (
        f"corslint: no workers are left: the run waits 0 minutes for others; if it ends, {goes_on}"
        f"corslint: error: --executor: no workers for 0 minutes; {goes_on}"
    )
    cluster.start()
    assert cli.run(arguments) == 1


def test_a_scheduler_that_goes_away_ends_the_run(tmp_path: Path, dask: str) -> None:
    orders = [Order(str(path)) for path in many(tmp_path, 60).iterdir()]
    with executors.named(f"dask:{dask}", None) as hire:
        found = run.answers(orders, hire, asked())
        next(found)
        gone = hire()
        gone.executor._client.close()  # type: ignore[attr-defined]  # as it does itself when nobody answers it
        assert gone.is_gone()
        with pytest.raises(UsageError, match=r"nobody does the work any more|takes no work"):
            list(found)


def test_a_scheduler_that_is_not_there_is_said(
    some: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("distributed", reason="distributed is not installed (extra `fleet`)")
    monkeypatch.setattr(executors, "_PATIENCE", "1s")
    assert fleet(some, "--output", some.parent / "out", "--executor", "dask:tcp://127.0.0.1:9") == 2
    assert "--executor: no Dask scheduler answers at tcp://127.0.0.1:9" in capsys.readouterr().err


def test_without_distributed_dask_says_what_to_install(
    some: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    assert fleet(some, "--output", some.parent / "out", "--executor", "dask:tcp://127.0.0.1:9") == 2
    assert "--executor dask needs distributed: pip install 'corslint[fleet]'" in capsys.readouterr().err


# --- start-up --------------------------------------------------------------------------------------------------------


def test_other_commands_load_nothing_of_it(tmp_path: Path) -> None:
    (tmp_path / "server.js").write_text(CLEAN)
    program = (
        "import sys; from corslint import cli; cli.run(['check', 'server.js']);"
        "print([name for name in sys.modules if name.startswith(('corslint.fleet', 'concurrent', 'multiprocessing'))])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env=environment(), capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_the_time_of_a_run_is_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")
    assert summary.now() == "1970-01-01T00:00:00Z"
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "soon")
    assert summary.now().startswith("20")


def test_an_empty_folder_is_a_repository_without_files(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert fleet(tmp_path / "empty", "--output", tmp_path / "out") == 0
    assert read(tmp_path / "out")["totals"]["files"] == 0


def test_only_a_repository_is_given_that_is_the_output(tmp_path: Path) -> None:
    repository(tmp_path / "one")
    with pytest.raises(UsageError, match="there is no repository"):
        repositories.found(["one"], str(tmp_path), str(tmp_path / "one"))
