from __future__ import annotations

from pathlib import Path

import pytest

from corslint.settings import KEYS, Settings, UsageError, from_table, load


def write(path: Path, text: str | bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)


ALL = """\
select = ["a-rule"]
ignore = ["b-rule"]
rules = ["./our-rules"]
nginx-version = "1.28.1"
frontends = ["https://app.example.com", "http://localhost:5173"]
include-tests = true
fail-on = "error"
"""


@pytest.mark.parametrize("name", ["corslint.toml", ".corslint.toml", "pyproject.toml"])
def test_every_key_in_every_file(tmp_path: Path, name: str) -> None:
    write(tmp_path / "app" / name, ("[tool.corslint]\n" if name == "pyproject.toml" else "") + ALL)
    (tmp_path / "app" / "our-rules").mkdir()
    assert load("app", str(tmp_path)) == Settings(
        select=("a-rule",),
        ignore=("b-rule",),
        rules=("app/our-rules",),
        nginx_version=(1, 28, 1),
        frontends=("https://app.example.com", "http://localhost:5173"),
        include_tests=True,
        fail_on="error",
        source=f"app/{name}",
    )


def test_no_file_means_the_defaults(tmp_path: Path) -> None:
    write(tmp_path / ".git" / "HEAD", "")
    assert load(".", str(tmp_path)) == Settings()


def test_the_nearest_file_counts_and_files_are_not_put_together(tmp_path: Path) -> None:
    write(tmp_path / "corslint.toml", 'ignore = ["outer"]\nfail-on = "never"\n')
    write(tmp_path / "a" / "b" / "pyproject.toml", '[tool.corslint]\nignore = ["inner"]\n')
    assert load("a/b/c", str(tmp_path)).ignore == ("inner",)
    assert load("a/b", str(tmp_path)).fail_on == "warning"
    assert load("a", str(tmp_path)).ignore == ("outer",)


def test_within_a_folder_corslint_toml_comes_first(tmp_path: Path) -> None:
    write(tmp_path / "corslint.toml", 'ignore = ["own"]')
    write(tmp_path / "pyproject.toml", '[tool.corslint]\nignore = ["shared"]\n')
    assert load(".", str(tmp_path)).ignore == ("own",)


@pytest.mark.parametrize(
    "text",
    [
        "[tool.ruff]\nline-length = 120\n",
        '[project]\ndependencies = ["corslint"]\n',
        'broken = "corslint\n',
        b"\xff\xfe",
    ],
)
def test_a_pyproject_without_our_table_is_passed_by(tmp_path: Path, text: str | bytes) -> None:
    write(tmp_path / "corslint.toml", 'ignore = ["outer"]')
    write(tmp_path / "app" / "pyproject.toml", text)
    assert load("app", str(tmp_path)).ignore == ("outer",)


def test_settings_above_the_repository_do_not_count(tmp_path: Path) -> None:
    write(tmp_path / "corslint.toml", 'ignore = ["outer"]')
    write(tmp_path / "repository" / ".git" / "HEAD", "")
    assert load("repository/src", str(tmp_path)) == Settings()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('ignore = []\n\nselct = ["a"]\n', ":3: unknown setting `selct`; did you mean `select`?"),
        ('nginx_version = "1.28"\n', ":1: unknown setting `nginx_version`; did you mean `nginx-version`?"),
        (
            "zzz = 1\n",
            f":1: unknown setting `zzz`; known settings: {', '.join(KEYS)}",
        ),
        ('# a\n[fail-on]\nx = "error"\n', ":2: `fail-on` must be one of error, warning, note, never"),
        ('fail-on = "info"\n', ":1: `fail-on` must be one of error, warning, note, never"),
        ('ignore = [\n  "a",\n]\nselect = [\n  "a",\n  1,\n]\n', ":4: `select` must be a list of strings"),
        ('select = "a"\n', ":1: `select` must be a list of strings"),
        ("include-tests = 1\n", ":1: `include-tests` must be true or false"),
        ("nginx-version = 1.28\n", ':1: `nginx-version` must be a version in quotes, like "1.28.0"'),
        ('nginx-version = "new"\n', ':1: `nginx-version` must be a version in quotes, like "1.28.0"'),
        (
            'frontends = ["https://a.example/path"]\n',
            ":1: `frontends` must list origins, like `https://app.example.com`; this is none: https://a.example/path",
        ),
        (
            '[nginx-paths]\n"etc/nginx" = "deploy"\n',
            ":1: `nginx-paths` must map absolute paths to folders of the project; this does not: etc/nginx = deploy",
        ),
        (
            'nginx-paths = "deploy"\n',
            ':1: `nginx-paths` must be a table, like { "/etc/nginx/" = "deploy/nginx" }',
        ),
        ('\nrules = ["nowhere"]\n', ":2: `rules` names a folder that does not exist: nowhere"),
        ("a = = 1\n", ":1:5: not valid TOML: Invalid value"),
        (b'ignore = []\nselect = ["\xff"]\n', ":2: not UTF-8"),
    ],
)
def test_a_mistake_names_file_line_and_the_nearest_key(tmp_path: Path, text: str | bytes, message: str) -> None:
    write(tmp_path / "app" / "corslint.toml", text)
    with pytest.raises(UsageError) as caught:
        load("app", str(tmp_path))
    assert str(caught.value) == f"app/corslint.toml{message}"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[project]\nname = 'x'\n\n[tool.corslint]\nignore = []\nselct = []\n", 6),
        ("[project]\nselct = 1\n\n[tool]\ncorslint.selct = []\n", 5),
        ("x = '''\n[tool.corslint]\nselct = []\n'''\n[tool.corslint]\nselct = []\n", 6),
        ("[tool]\ncorslint = {selct = []}\n", 2),
    ],
)
def test_the_line_of_a_mistake_in_pyproject(tmp_path: Path, text: str, line: int) -> None:
    write(tmp_path / "pyproject.toml", text)
    with pytest.raises(UsageError, match=rf"^pyproject\.toml:{line}: unknown setting `selct`"):
        load(".", str(tmp_path))


def test_our_table_must_be_one(tmp_path: Path) -> None:
    write(tmp_path / "pyproject.toml", "[tool]\n\ncorslint = 1\n")
    with pytest.raises(UsageError, match=r"^pyproject\.toml:3: `tool\.corslint` must be a table$"):
        load(".", str(tmp_path))


def test_a_settings_file_that_cannot_be_read_stops_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "corslint.toml", "")

    def refuse(path: str, mode: str) -> None:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr("builtins.open", refuse)
    with pytest.raises(UsageError, match=r"^corslint\.toml: cannot be read: Permission denied$"):
        load(".", str(tmp_path))


def test_a_settings_file_of_megabytes_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "corslint.toml", "#" * (2 << 20))
    with pytest.raises(UsageError, match=r"^corslint\.toml: larger than 1 MB$"):
        load(".", str(tmp_path))


@pytest.mark.parametrize(
    ("settings", "pedantic"),
    [
        (Settings(), False),
        (Settings(ignore=("a",)), False),
        (Settings(fail_on="error"), False),
        (Settings(fail_on="note"), True),
        (Settings(select=("a",)), True),
        (Settings(pedantic=True), True),
    ],
)
def test_what_shows_notes(settings: Settings, pedantic: bool) -> None:
    assert settings.implied() == settings._replace(pedantic=pedantic)


def test_from_table() -> None:
    assert from_table({"nginx-version": "1.29", "include-tests": False}) == Settings(nginx_version=(1, 29, 0))
    with pytest.raises(UsageError, match=r"^unknown setting `ignores`; did you mean `ignore`\?$"):
        from_table({"ignores": []})
