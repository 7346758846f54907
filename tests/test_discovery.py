from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import pytest

from corslint import cache, discovery
from corslint.cache import Cache, Place
from corslint.discovery import Context, contexts, is_minified, is_test, read_file
from corslint.git import TRACKED, Answer
from corslint.git import git as ask_git
from corslint.settings import UsageError


class Tree(Protocol):
    def __call__(self, *names: str) -> Path: ...


MINIFIED = "!function(){" + "var a=b(c);" * 2000 + "}();\n"


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """Makes files below a folder: names without content, or name -> content."""

    def make(*names: str) -> Path:
        for name in names:
            put(tmp_path / name)
        return tmp_path

    return make


def put(path: Path, content: str | bytes = "x\n") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)


def git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "init.defaultBranch=main"]
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


def one(cwd: Path, *paths: str) -> Context:
    found = contexts(paths, str(cwd))
    assert len(found) == 1
    return found[0]


def test_what_is_to_be_done_anyway_is_done_while_git_looks(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("corslint.git._FEW", 0)
    root = tree("a.js")
    called: list[str] = []
    contexts(["."], str(root), meanwhile=lambda: called.append("without git"))
    git(root, "init")
    contexts(["."], str(root), meanwhile=lambda: called.append("nothing is kept"))
    git(root, "add", "a.js")
    contexts(["."], str(root), meanwhile=lambda: called.append("a file is kept"))
    assert called == ["a file is kept"]


@pytest.fixture(params=["git", "no git"])
def version_control(request: pytest.FixtureRequest) -> Callable[[Path], None]:
    """Runs a test twice: with git's own listing and with ours."""
    return (lambda folder: git(folder, "init")) if request.param == "git" else (lambda folder: None)


# --- which files -----------------------------------------------------------------------------------------------------


def test_a_folder_is_its_own_context(tree: Tree, version_control: Callable[[Path], None]) -> None:
    root = tree("app/server.js", "app/web/page.html", "app/README.md", "app/types.d.ts", "other/x.js")
    version_control(root)
    assert one(root, "app") == Context(
        root="app",
        lint=frozenset({"app/README.md", "app/server.js", "app/web/page.html"}),
        files=("app/README.md", "app/server.js", "app/web/page.html"),
        in_tests=frozenset(),
        passed_over={},
        unreadable={},
        settings_at="app",
    )


def test_two_folders_are_two_contexts(tree: Tree) -> None:
    root = tree("bad/a.js", "good/a.js")
    assert [(one.root, one.files) for one in contexts(["good", "bad"], str(root))] == [
        ("good", ("good/a.js",)),
        ("bad", ("bad/a.js",)),
    ]


def test_a_folder_inside_a_named_folder_joins_its_context_and_is_never_a_test(tree: Tree) -> None:
    root = tree("tests/e2e/a.js", "tests/b.js", "c.js")
    found = one(root, ".", "tests/e2e", ".")
    assert found.root == "."
    assert found.lint == {"tests/e2e/a.js", "tests/b.js", "c.js"}
    assert found.in_tests == {"tests/b.js"}


def test_a_file_has_its_repository_as_context(tree: Tree) -> None:
    root = tree("repo/src/server.js", "repo/src/client.js", "repo/nginx.conf", "outside.js")
    git(root / "repo", "init")
    found = one(root, "repo/src/server.js")
    assert found.root == "repo"
    assert found.lint == {"repo/src/server.js"}
    assert found.files == ("repo/nginx.conf", "repo/src/client.js", "repo/src/server.js")
    assert found.settings_at == "repo/src"


def test_several_files_of_a_repository_share_a_context(tree: Tree) -> None:
    root = tree("repo/a/x.js", "repo/b/y.js", "repo/z.js")
    git(root / "repo", "init")
    found = one(root, "repo/a/x.js", "repo/b/y.js")
    assert found.lint == {"repo/a/x.js", "repo/b/y.js"}
    assert found.files == ("repo/a/x.js", "repo/b/y.js", "repo/z.js")
    assert found.settings_at == "repo"


@pytest.mark.parametrize("marker", ["corslint.toml", ".corslint.toml", "pyproject.toml"])
def test_without_git_a_project_file_makes_the_context(tree: Tree, marker: str) -> None:
    root = tree("a/project/src/x.js", "a/project/y.js", "a/z.js", f"a/project/{marker}")
    found = one(root, "a/project/src/x.js")
    assert found.root == "a/project"
    assert set(found.files) >= {"a/project/src/x.js", "a/project/y.js"}
    assert "a/z.js" not in found.files


def test_without_any_mark_the_working_directory_is_the_context(tree: Tree) -> None:
    root = tree("w/a/x.js", "w/y.js", "z/q.js", "z/r.js")
    assert one(root / "w", "a/x.js").files == ("a/x.js", "y.js")
    outside = one(root / "w", "../z/q.js")
    assert (outside.root, outside.files) == ("../z", ("../z/q.js", "../z/r.js"))


def test_a_home_is_no_context(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tree("letters/x.js", "music/y.js")
    monkeypatch.setenv("HOME", str(root))
    assert one(root, "letters/x.js").files == ("letters/x.js",)
    assert one(root, ".").files == ("letters/x.js", "music/y.js")


def test_a_file_inside_a_named_folder_belongs_to_it(tree: Tree) -> None:
    root = tree("app/tests/a.test.js", "app/b.js")
    git(root, "init")
    found = one(root, "app", "app/tests/a.test.js")
    assert (found.root, found.in_tests) == ("app", frozenset())


def test_a_path_that_does_not_exist_is_a_usage_error(tree: Tree) -> None:
    with pytest.raises(UsageError, match=r"^no/where: no such file or folder$"):
        contexts([".", "no/where"], str(tree("a.js")))


# --- ignored by git --------------------------------------------------------------------------------------------------


def test_ignored_files_are_not_read(tree: Tree, version_control: Callable[[Path], None]) -> None:
    root = tree("a.js", "build/b.js", "deep/c.js", "deep/keep/d.js", "deep/e.generated.js", "deep/f/g.js")
    put(root / ".gitignore", "/build/\n*.generated.js\n!important.generated.js\n")
    put(root / "deep" / ".gitignore", "c.js\n/f/*\n!f/h.js\n")
    put(root / "deep" / "important.generated.js")
    put(root / "deep" / "f" / "h.js")
    version_control(root)
    assert one(root, ".").files == ("a.js", "deep/f/h.js", "deep/important.generated.js", "deep/keep/d.js")


def test_a_tracked_file_is_read_whatever_the_ignore_rules_say(tree: Tree) -> None:
    root = tree("a.js", "b.js")
    git(root, "init")
    git(root, "add", "a.js")
    put(root / ".gitignore", "*.js\n")
    assert one(root, ".").files == ("a.js",)


def test_the_ignore_rules_above_a_named_folder_count(tree: Tree) -> None:
    root = tree("app/a.js", "app/b.out.js")
    git(root, "init")
    put(root / ".gitignore", "*.out.js\n")
    assert one(root, "app").files == ("app/a.js",)


def test_a_folder_that_only_holds_ignored_files_is_empty(tree: Tree) -> None:
    root = tree("app/b.out.js")
    git(root, "init")
    put(root / ".gitignore", "*.out.js\n")
    assert one(root, "app").files == ()


def test_what_is_named_is_read_although_git_ignores_it(tree: Tree) -> None:
    root = tree("build/b.js", "build/c.js", "d.js")
    git(root, "init")
    put(root / ".gitignore", "build/\n")
    assert one(root, "build").lint == {"build/b.js", "build/c.js"}
    assert one(root, "build/b.js").lint == {"build/b.js"}
    assert one(root, ".", "build").lint == {"build/b.js", "build/c.js", "d.js"}


def test_a_file_deleted_from_the_work_tree_is_no_error(tree: Tree) -> None:
    root = tree("a.js", "b.js")
    git(root, "init")
    git(root, "add", ".")
    (root / "b.js").unlink()
    found = one(root, ".")
    assert (found.files, found.unreadable) == (("a.js",), {})


@pytest.mark.parametrize("few", [0, 1 << 30])
def test_a_folder_in_whose_place_a_link_stands_is_not_read_through_it(
    tree: Tree, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr("corslint.git._FEW", few)
    root = tree("repo/a.js", "repo/away/b.js", "repo/away/deep/c.js", "repo/far/deep/d.js", "repo/far-off/e.js")
    repo = root / "repo"
    git(repo, "init")
    git(repo, "add", ".")
    for folder, target in (("away", "outside"), ("far", "repo/inside")):
        (repo / folder).rename(root / target)
        (repo / folder).symlink_to(root / target)
    found = one(repo, ".")
    assert found.files == ("a.js", "far-off/e.js", "inside/deep/d.js")
    assert (found.unreadable, found.passed_over) == ({}, {})
    assert one(repo, "far/deep/d.js").lint == {"far/deep/d.js"}  # whoever names it means it


def test_submodules_and_nested_repositories_are_read_with_their_own_ignore_rules(tree: Tree) -> None:
    root = tree("a.js", "inner/b.js", "inner/c.js", "untracked/d.js")
    for name in ("inner", "untracked"):
        git(root / name, "init")
    put(root / "inner" / ".gitignore", "c.js\n")
    git(root / "inner", "add", ".")
    git(root / "inner", "commit", "-m", "x")
    git(root, "init")
    git(root, "-c", "advice.addEmbeddedRepo=false", "add", "inner")  # a link to a commit, as for a submodule
    assert one(root, ".").files == ("a.js", "inner/b.js", "untracked/d.js")


def test_git_says_the_same_when_it_is_asked_once(tree: Tree) -> None:
    root = tree(
        "a.js", "tab\there.js", "new\nline.js", "? b.js", "gone.js", "later.js", "out.js", "inner/c.js", "sub/d.js"
    )
    put(root / ".gitignore", "out.js\n")
    git(root / "inner", "init")
    git(root, "init")
    later = root / "later.js"
    content = later.read_bytes()
    later.unlink()
    git(root, "add", ":!inner")
    git(root, "commit", "-m", "x")
    git(root, "update-index", "--skip-worktree", "a.js")
    later.write_bytes(content)
    (root / "gone.js").unlink()
    once, twice = discovery._ask_once(str(root)), discovery._ask_twice(str(root), lambda: None)
    assert once is not None
    assert twice is not None
    assert once.others == twice.others == ["inner/", "later.js"]
    assert once.kept == twice.kept
    assert sorted(once.kept) == [".gitignore", "? b.js", "a.js", "gone.js", "new\nline.js", "sub/d.js", "tab\there.js"]
    assert once.submodules == twice.submodules == frozenset()
    assert once.statuses.keys() == twice.statuses.keys()
    assert discovery._ask_once(str(root / "nowhere")) is None


MANY_SORTS = (
    *("a.js", "b.mdx", "x.png", "nginx.conf", "deploy/site", "deploy/notes", "t.min.js", "src/a.test.ts", "src/a.d.ts"),
    *(".yarn/releases/y.cjs", "vendor/v.js", "web/node_modules/p/index.js", "web/node_modules/p/logo.png", "web/w.ts"),
)


def listed_again(root: Path, monkeypatch: pytest.MonkeyPatch) -> list[Context]:
    """What is found without a cache, by the run that makes one, and by one that finds it."""
    monkeypatch.setattr("corslint.git._FEW", 0)
    place = Place(str(root), (cache.FOLDER, "1"), "x")
    found = contexts(["."], str(root))
    for _ in range(2):
        one = Cache(place)
        again = contexts(["."], str(root), remember=lambda *_, one=one: one)
        found += [each._replace(cache=found[0].cache) for each in again]
        one.save()
        one.close()
    return found


def put_many_sorts(root: Path, untracked: Sequence[str]) -> None:
    put(root / ".gitignore", f"{cache.FOLDER}\n")
    put(root / "deploy" / "site", NGINX)
    put(root / "deploy" / "notes", "nothing\n")
    put(root / "bundle.js", MINIFIED)
    put(root / "large.js", "x" * (discovery.SIZE_LIMIT + 1))
    (root / "to-package.js").symlink_to("vendor/v.js")
    (root / "to-own.js").symlink_to("a.js")
    (root / "out.js").symlink_to("/etc/passwd")
    (root / "dangling.js").symlink_to("nowhere")
    put(root / "gone.js")
    git(root, "init")
    git(root, "add", "-A")
    git(root, "commit", "-m", "x")
    (root / "gone.js").unlink()
    for name in untracked:
        put(root / name)


@pytest.mark.parametrize(
    "untracked",
    [
        (),
        ("new.js", "vendor/new.js", ".yarn/n.js", "web/bower_components/b.js", "new.png"),
        ("vendor/pyvenv.cfg", "src/pyvenv.cfg", "src/lib/l.py"),
        ("inner/.git/HEAD", "inner/i.js"),
    ],
)
def test_what_the_last_run_made_of_a_list_is_what_this_one_makes(
    tree: Tree, monkeypatch: pytest.MonkeyPatch, untracked: Sequence[str]
) -> None:
    root = tree(*MANY_SORTS)
    put_many_sorts(root, untracked)
    if "inner/i.js" in untracked:
        git(root / "inner", "init")
    without, made, known = listed_again(root, monkeypatch)
    assert without == made == known
    assert without.passed_over[".yarn"] == without.passed_over["node_modules"] == 1
    assert "to-package.js" not in without.files
    assert ("new.js" in without.files) == ("new.js" in untracked)


def test_what_the_last_run_made_of_a_list_is_asked_for(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tree(*MANY_SORTS)
    put_many_sorts(root, ())
    first = listed_again(root, monkeypatch)[0]
    monkeypatch.setattr(discovery, "_in_index", lambda _: pytest.fail("the list is looked through again"))
    place = Place(str(root), (cache.FOLDER, "1"), "x")
    (again,) = contexts(["."], str(root), remember=lambda *_: Cache(place))
    assert again.files == first.files
    monkeypatch.undo()
    monkeypatch.setattr("corslint.git._FEW", 0)
    put(root / "later.js")
    git(root, "add", "later.js")
    (later,) = contexts(["."], str(root), remember=lambda *_: Cache(place))
    assert set(later.files) - set(first.files) == {"later.js"}


def test_environments_come_and_go_beside_a_known_list(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tree("a.js", "src/s.js")
    put(root / ".gitignore", f"{cache.FOLDER}\n")
    git(root, "init")
    git(root, "add", "-A")
    mark = root / "src" / "pyvenv.cfg"
    for is_there in (False, True, False, True):
        put(mark) if is_there else mark.unlink(missing_ok=True)
        without, made, known = listed_again(root, monkeypatch)
        assert without == made == known
        assert without.files == (("a.js",) if is_there else ("a.js", "src/s.js"))
    shutil.rmtree(root / cache.FOLDER)
    assert len({one.files for one in listed_again(root, monkeypatch)}) == 1
    mark.unlink()
    assert listed_again(root, monkeypatch)[1].files == ("a.js", "src/s.js")


def test_a_list_is_kept_only_of_what_is_the_same_however_it_is_asked_for(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tree("a.js", "env/pyvenv.cfg", "env/lib/l.py", "vendor/v.js")
    git(root, "init")
    git(root, "add", "-A")
    without, made, known = listed_again(root, monkeypatch)
    assert without == made == known
    assert without.files == ("a.js",)
    (opened,) = contexts(
        [".", "vendor"], str(root), remember=lambda *_: Cache(Place(str(root), (cache.FOLDER, "1"), "x"))
    )
    assert opened.files == ("a.js", "vendor/v.js")


def test_a_list_that_the_repository_brings_is_not_believed(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it would have to hold is what git says of the repository with it in it, so here git says always the same."""
    root = tree("a.js", "b.js")
    git(root, "init")
    git(root, "add", "-A")
    said = ask_git(str(root), *TRACKED)
    assert said is not None
    brought = said._replace(stdout=said.stdout + b"100644 " + b"0" * 40 + f" 0\t{cache.FOLDER}/1/x\0".encode())
    monkeypatch.setattr(discovery, "git", lambda *asked: brought if asked[1:] == TRACKED else ask_git(*asked))
    forged = Cache(Place(str(root), (cache.FOLDER, "1"), "x"))
    forged.note_listing(cache.Listing(cache.digest(brought.stdout), ["a.js"], "a", []))
    monkeypatch.setattr("corslint.git._FEW", 0)
    (found,) = contexts(["."], str(root), remember=lambda *_: forged)
    assert found.files == ("a.js", "b.js")
    forged.note_listing(cache.Listing(cache.digest(said.stdout), ["a.js"], "a", []))
    monkeypatch.setattr(discovery, "git", ask_git)
    (found,) = contexts(["."], str(root), remember=lambda *_: forged)
    assert found.files == ("a.js",)


def test_a_repository_cannot_have_programs_run(tree: Tree) -> None:
    root = tree("a.js")
    git(root, "init")
    put(root / "run.sh", "#!/bin/sh\ntouch ran\n")
    (root / "run.sh").chmod(0o755)
    git(root, "config", "core.fsmonitor", "./run.sh")
    assert one(root, ".").files == ("a.js", "run.sh")
    assert not (root / "ran").exists()


def test_inside_a_git_hook_the_folder_still_decides(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tree("app/a.js", "elsewhere/b.js")
    git(root, "init")
    git(root / "elsewhere", "init")
    monkeypatch.setenv("GIT_DIR", str(root / "elsewhere" / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(root / "elsewhere"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(root / "nowhere"))
    assert one(root, "app").files == ("app/a.js",)


@pytest.mark.parametrize("returncode", [128, None])
def test_where_git_refuses_or_is_missing_we_list_ourselves(
    tree: Tree, monkeypatch: pytest.MonkeyPatch, returncode: int | None
) -> None:
    root = tree("a.js", "b.js")
    git(root, "init")
    put(root / ".gitignore", "b.js\n")

    asked = []

    def answer(*arguments: str) -> Answer | None:
        asked.append(arguments)
        return Answer(returncode, b"", b"fatal: detected dubious ownership") if returncode is not None else None

    monkeypatch.setattr(discovery, "git", answer)
    assert one(root, ".").files == ("a.js",)
    assert asked


def test_names_with_spaces_quotes_and_bytes_that_are_not_utf8(
    tree: Tree, version_control: Callable[[Path], None]
) -> None:
    root = tree("we ird\n\"'.js")
    put(Path(os.fsdecode(os.fsencode(root) + b"/\xff.js")))
    version_control(root)
    assert set(one(root, ".").files) == {"we ird\n\"'.js", "\udcff.js"}


# --- passed over -----------------------------------------------------------------------------------------------------


def test_packages_are_counted_once_per_folder(tree: Tree, version_control: Callable[[Path], None]) -> None:
    root = tree(
        "a.js",
        "node_modules/x/index.js",
        "node_modules/x/node_modules/y/index.js",
        "web/node_modules/z/index.js",
        "bower_components/q/q.js",
        "vendor/jquery.js",
        "service/.venv/lib/site-packages/flask/app.py",
    )
    version_control(root)
    found = one(root, ".")
    assert found.files == ("a.js",)
    assert found.passed_over == {".venv": 1, "bower_components": 1, "node_modules": 2, "vendor": 1}


def test_a_virtual_environment_is_known_by_its_mark(tree: Tree, version_control: Callable[[Path], None]) -> None:
    root = tree("app.py", "env/pyvenv.cfg", "env/lib/x.py", "env2/y.py")
    version_control(root)
    found = one(root, ".")
    assert found.files == ("app.py", "env2/y.py")
    assert found.passed_over == {"virtual environment": 1}


def test_what_is_named_among_packages_is_read(tree: Tree, version_control: Callable[[Path], None]) -> None:
    root = tree("a.js", "node_modules/x/i.js", "node_modules/x/node_modules/y/i.js", "node_modules/z/i.js")
    version_control(root)
    assert one(root, "node_modules/x").files == ("node_modules/x/i.js",)
    assert one(root, "node_modules/z/i.js").lint == {"node_modules/z/i.js"}
    assert one(root, ".", "node_modules/x").lint == {"a.js", "node_modules/x/i.js"}


def test_bundles_and_large_files_are_passed_over_and_counted(
    tree: Tree, version_control: Callable[[Path], None]
) -> None:
    root = tree("a.js", "lib/x.min.js", "lib/y-min.js")
    put(root / "bundle.js", "/* license */\n" + MINIFIED)
    put(root / "large.py", "x = 1\n" * 200_000)
    put(root / "package-lock.json", "{" + " " * (2 << 20) + "}")
    put(root / "page.html", f"<script>{MINIFIED}</script>")
    version_control(root)
    found = one(root, ".")
    assert found.files == ("a.js", "package-lock.json", "page.html")
    assert found.passed_over == {"minified": 3, "too large": 1}


def test_a_named_bundle_or_large_file_is_read_up_to_a_limit(tree: Tree) -> None:
    root = tree("x.min.js", "notes.txt")
    put(root / "large.py", "x = 1\n" * 200_000)
    put(root / "line.js", b"a" * (20 << 20))
    found = one(root, "x.min.js", "large.py", "line.js", "notes.txt")
    assert found.files == ("large.py", "x.min.js")
    assert found.lint == {"x.min.js", "large.py", "line.js"}
    assert found.unreadable == {"line.js": "too large (20.0 MB; the limit is 4 MB)"}
    assert found.passed_over == {"unknown kind": 1}


@pytest.mark.parametrize(
    ("content", "minified"),
    [
        (MINIFIED, True),
        ("/*!\n * license\n */\n" * 30 + MINIFIED, True),
        ("const image = '" + "iVBORw0KGgo" * 3000 + "';\napp();\n", False),
        ("function f() {\n  return cors({ origin: '*' });\n}\n" * 500, False),
        ("", False),
        ("f();" * 100, False),
    ],
)
def test_is_minified(content: str, minified: bool) -> None:
    assert is_minified(content.encode()) is minified


# --- links and errors ------------------------------------------------------------------------------------------------


def test_links(tree: Tree, version_control: Callable[[Path], None]) -> None:
    root = tree("repo/a.js", "repo/sites-available/app", "repo/templates/proxy.tmpl", "secret.js", "away/b.js")
    repo = root / "repo"
    (repo / "again.js").symlink_to("a.js")
    (repo / "sites-enabled").mkdir()
    (repo / "sites-enabled" / "app").symlink_to("../sites-available/app")
    (repo / "proxy.conf").symlink_to("templates/proxy.tmpl")
    (repo / "out.js").symlink_to("../secret.js")
    (repo / "away").symlink_to("../away")
    (repo / "up").symlink_to("..")
    (repo / "dangling.js").symlink_to("gone.js")
    (repo / "dangling").symlink_to("gone")
    (repo / "loop.js").symlink_to("loop.js")
    version_control(repo)
    found = one(root, "repo")
    assert found.files == ("repo/a.js", "repo/proxy.conf", "repo/sites-available/app")
    assert found.passed_over == {"link out of the tree": 1}
    assert found.unreadable == {
        "repo/dangling.js": "link to a file that does not exist",
        "repo/loop.js": "link that leads back to itself",
    }


def test_a_named_link_is_followed_and_a_broken_one_is_reported(tree: Tree) -> None:
    root = tree("elsewhere/a.js", "here/x.js")
    (root / "here" / "link.js").symlink_to("../elsewhere/a.js")
    (root / "here" / "dangling.js").symlink_to("gone.js")
    (root / "here" / "loop.js").symlink_to("loop.js")
    found = one(root / "here", "link.js", "dangling.js", "loop.js")
    assert found.files == ("link.js", "x.js")
    assert found.lint == {"link.js", "dangling.js", "loop.js"}
    assert found.unreadable == {
        "dangling.js": "link to a file that does not exist",
        "loop.js": "link that leads back to itself",
    }


def test_a_pipe_is_never_waited_for(tree: Tree, version_control: Callable[[Path], None]) -> None:
    root = tree("a.js")
    os.mkfifo(root / "pipe.js")
    version_control(root)
    assert one(root, ".").files == ("a.js",)
    assert one(root, "pipe.js").unreadable == {"pipe.js": "not a regular file"}
    with pytest.raises(OSError, match="not a regular file"):
        read_file(str(root / "pipe.js"))


def test_a_folder_that_cannot_be_read(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tree("a.js", "closed/b.js")
    scandir = os.scandir

    def refuse(path: str) -> Any:
        if "closed" in str(path):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    found = one(root, ".")
    assert (found.files, found.unreadable) == (("a.js",), {"closed": "permission denied"})
    assert one(root, "closed").unreadable == {"closed": "permission denied"}


def test_a_folder_that_git_cannot_read(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tree("a.js", "sub/closed/b.js")
    git(root, "init")
    complaint = b"warning: could not open directory 'sub/closed/': Permission denied\n"

    class Complaining:
        def answer(self) -> Answer:
            return Answer(0, b"a.js\0", complaint)

    monkeypatch.setattr("corslint.discovery.begin", lambda *_: Complaining())
    monkeypatch.setattr("corslint.discovery.git", lambda *_: Complaining().answer())
    found = one(root, ".")
    assert (found.files, found.unreadable) == (("a.js",), {"sub/closed": "permission denied"})


def test_a_file_that_cannot_be_looked_at(
    tree: Tree, monkeypatch: pytest.MonkeyPatch, version_control: Callable[[Path], None]
) -> None:
    root = tree("a.js")
    put(root / "large.js", "x();\n" * 2000)
    version_control(root)
    opened = os.open

    def refuse(path: Any, *arguments: Any, **keywords: Any) -> int:
        if str(path).endswith("large.js"):
            raise PermissionError(13, "Permission denied", path)
        return opened(path, *arguments, **keywords)

    monkeypatch.setattr(os, "open", refuse)
    found = one(root, ".")
    assert (found.files, found.unreadable) == (("a.js",), {"large.js": "permission denied"})


def test_reading_is_bounded(tmp_path: Path) -> None:
    put(tmp_path / "a", b"x" * 10)
    put(tmp_path / "empty", b"")
    assert read_file(str(tmp_path / "a"), 10) == b"x" * 10
    assert read_file(str(tmp_path / "empty")) == b""
    with pytest.raises(OSError, match="too large"):
        read_file(str(tmp_path / "a"), 9)


def test_a_file_that_changes_its_size_is_read_to_its_end_or_the_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = bytes(range(256)) * 8192
    put(tmp_path / "a", content)
    for said in (0, 1, 1000, len(content) - 1, len(content), len(content) + 1):
        status = os.stat_result((0o100644, 1, 1, 1, 0, 0, said, 0, 0, 0))
        monkeypatch.setattr(os, "fstat", lambda _, status=status: status)
        assert read_file(str(tmp_path / "a")) == content
        if said <= 1_500_000:
            assert read_file(str(tmp_path / "a"), 1_500_000) == content[:1_500_000]


# --- by content ------------------------------------------------------------------------------------------------------


NGINX = "server {\n  listen 80;\n  location / { proxy_pass http://app; }\n}\n"


def test_files_whose_name_says_nothing(tree: Tree, version_control: Callable[[Path], None]) -> None:
    files = {
        "deploy/site": NGINX,
        "deploy/run": "#!/bin/sh\n",
        "deploy/tool": "#!/usr/bin/env python3\n",
        "deploy/notes": f"Write this:\n\n{NGINX}\nand start.\nThen go on.\nAnd on.\n",
        "deploy/blob": "\0" * 100 + NGINX,
        "deploy/empty": "",
        "site.j2": NGINX,
        "key.j2": "{{ key }}\n",
        "LICENSE": NGINX,
    }
    root = tree()
    for name, content in files.items():
        put(root / name, content)
    version_control(root)
    found = one(root, ".")
    assert found.files == ("deploy/run", "deploy/site", "site.j2")
    assert (found.lint, found.passed_over, found.unreadable) == (frozenset(found.files), {}, {})
    named = one(root, "deploy/notes", "deploy/site")
    assert named.lint == {"deploy/site"}
    assert named.passed_over == {"unknown kind": 1}


def test_links_whose_name_says_nothing(tree: Tree) -> None:
    root = tree("x.js")
    put(root / "outside", NGINX)
    put(root / "app" / "site", NGINX)
    (root / "app" / "again").symlink_to("site")
    (root / "app" / "site.conf").symlink_to("site")
    (root / "app" / "out").symlink_to("../outside")
    (root / "app" / "gone").symlink_to("nowhere")
    (root / "app" / "loop").symlink_to("loop")
    os.mkfifo(root / "app" / "pipe")
    found = one(root, "app")
    assert (found.files, found.passed_over, found.unreadable) == (("app/site",), {}, {})


# --- tests among the files -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "test/a.js",
        "src/tests/a.py",
        "src/__tests__/a.tsx",
        "spec/a.js",
        "e2e/a.ts",
        "cypress/support/a.js",
        "playwright/a.ts",
        "src/a.spec.ts",
        "src/a.test.jsx",
        "src/a.e2e-spec.ts",
        "test_app.py",
        "app_test.py",
        "conftest.py",
    ],
)
def test_is_a_test(path: str) -> None:
    assert is_test(path)


@pytest.mark.parametrize(
    "path",
    ["src/a.js", "contest/a.js", "latest.js", "src/spec.ts", "test.js", "attest_a.py", "speed-test.js", "tested/a.py"],
)
def test_is_no_test(path: str) -> None:
    assert not is_test(path)


def test_only_folders_below_the_root_make_tests(tree: Tree) -> None:
    root = tree("tests/app/a.js", "tests/app/tests/b.js")
    assert one(root, "tests/app").in_tests == {"tests/app/tests/b.js"}
    assert one(root, ".").in_tests == {"tests/app/a.js", "tests/app/tests/b.js"}
    assert one(root, "tests/app/tests/b.js").in_tests == {"tests/app/a.js"}


def test_the_order_of_files_does_not_depend_on_the_system(tree: Tree) -> None:
    root = tree("b/a.js", "a/b.js", "a.js", "B.js")
    assert one(root, ".").files == ("B.js", "a.js", "a/b.js", "b/a.js")


def test_git_is_asked_only_where_there_is_a_repository(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discovery, "git", lambda *_: pytest.fail("git was run"))
    assert one(tree("a.js"), ".").files == ("a.js",)


# --- what a program names --------------------------------------------------------------------------------------------


def test_a_hook_that_names_every_file_asks_for_no_more_than_a_folder_holds(
    tree: Tree, version_control: Callable[[Path], None]
) -> None:
    root = tree(
        "corslint.toml", "a.js", "b.js", "tests/a.js", "README.md", "x.css", "node_modules/a/a.js", "ignored.js"
    )
    put(root / "a.min.js", MINIFIED)
    put(root / ".gitignore", "ignored.js\n")
    version_control(root)
    named = ["a.js", "tests/a.js", "README.md", "x.css", "node_modules/a/a.js", "ignored.js", "a.min.js"]
    (found,) = contexts(named, str(root), as_found=True)
    assert found == Context(
        root=".",
        lint=frozenset({"a.js", "tests/a.js", "README.md"}),
        files=("README.md", "a.js", "b.js", "tests/a.js"),
        in_tests=frozenset({"tests/a.js"}),
        passed_over={"excluded": 2, "minified": 1, "unknown kind": 1},
        unreadable={},
        settings_at=".",
        as_found=True,
    )
    (named_by_a_person,) = contexts(named, str(root))
    assert named_by_a_person.lint == {*found.lint, "node_modules/a/a.js", "ignored.js", "a.min.js"}
    assert named_by_a_person.in_tests == frozenset()


def test_a_folder_named_by_a_program_is_the_same(tree: Tree) -> None:
    root = tree("app/a.js", "app/tests/a.js", "app/x.css")
    (found,) = contexts(["app", "app/a.js", "app/tests/a.js", "app/x.css"], str(root), as_found=True)
    assert found == one(root, "app")._replace(as_found=True)


def test_an_unreadable_file_named_by_a_program_is_still_said(tree: Tree) -> None:
    root = tree("corslint.toml", "a.js")
    (root / "b.js").symlink_to("nowhere.js")
    (root / "c.js").symlink_to("nowhere.js")
    (found,) = contexts(["a.js", "b.js"], str(root), as_found=True)
    assert (found.lint, found.unreadable) == (
        frozenset({"a.js", "b.js"}),
        {"b.js": "link to a file that does not exist"},
    )
