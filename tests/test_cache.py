"""The cache: runs with it say what runs without it say, whatever became of it in between."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Collection
from pathlib import Path

import pytest

from corslint import __version__, cache, cli, discovery, lint
from corslint.cache import Cache, Place
from corslint.parsers import hands_on, parse
from corslint.settings import Settings
from corslint.source import SourceFile

ROOT = Path(__file__).parent.parent
PROJECTS = ("wildcard-origin", "weak-origin-check", "missing-vary", "proxy-http-version", "sticky-sessions")
OLD = time.time() - 3600

Run = Callable[..., str]


def make_tree(root: Path) -> None:
    """A tree with findings of several kinds, and files that say nothing. All files are an hour old."""
    names = sorted(path.name for path in (ROOT / "fixtures" / "projects").iterdir() if (path / "bad").is_dir())
    for name in names[:12]:
        shutil.copytree(ROOT / "fixtures" / "projects" / name / "bad", root / name)
    for number in range(60):
        (root / f"plain{number}.js").write_text(f"export const a{number} = {number};\n", encoding="utf-8")
    make_old(root)


def make_old(root: Path) -> None:
    for path in root.rglob("*"):
        if path.is_file() and not path.is_symlink():
            os.utime(path, (OLD, OLD))


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "tree"
    root.mkdir()
    make_tree(root)
    monkeypatch.chdir(root)
    # The times at which the files were made are those of now: no change of them may count as unseen.
    monkeypatch.setattr(cache, "_UNSURE_NS", -(10**12))
    return root


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def checked(*arguments: str) -> str:
        status = cli.run(["check", "--output-format", "json", *(arguments or (".",))])
        out, err = capsys.readouterr()
        return f"{status}\n{err}\n{out}"

    return checked


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths of files that are parsed."""
    found: list[str] = []

    def noted(source: SourceFile) -> object:
        found.append(source.path)
        return parse(source)

    for module in ("corslint.lint", "corslint.sifting"):
        monkeypatch.setattr(f"{module}.parse", noted)
    return found


def kept(root: Path) -> list[Path]:
    folder = root / cache.FOLDER / __version__
    return sorted(folder.iterdir()) if folder.exists() else []


def test_a_second_run_parses_nothing_and_says_the_same(tree: Path, run: Run, parsed: list[str]) -> None:
    without = run(".", "--no-cache")
    assert not (tree / cache.FOLDER).exists()
    assert len(parsed) > 20
    assert run(".", "-j1") == without
    assert len(kept(tree)) == 1
    parsed.clear()
    assert run(".", "-j1") == without
    assert parsed == []


@pytest.mark.parametrize(("files", "below"), [(3, "."), (700, "."), (700, "wide")])
def test_a_second_run_in_a_repository_writes_nothing(tree: Path, run: Run, files: int, below: str) -> None:
    (tree / "wide").mkdir()
    for number in range(files):
        (tree / "wide" / f"{number:03}-{'x' * 60}.js").write_text("x = 1;\n", encoding="utf-8")
    for arguments in (("init", "-q"), ("add", ".")):
        subprocess.run(["git", *arguments], cwd=tree, check=True)
    os.chdir(tree / below)
    run()
    (written,) = kept(tree / below)
    before = written.stat()
    run()
    assert (written.stat().st_ino, written.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_what_was_asked_about_contents_is_not_asked_again(
    tree: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tree / "app.js").write_text(
        "const { answer } = require('./plain3');\nrequire('express')().use(require('cors')());\nanswer();\n",
        encoding="utf-8",
    )
    make_old(tree)
    asked: list[str] = []
    read: list[str] = []

    def asking(path: str, data: bytes, packages: Collection[str]) -> bool:
        asked.append(path)
        return hands_on(path, data, packages)

    def reading(path: str) -> bytes:
        read.append(path)
        return discovery.read_file(path)

    monkeypatch.setattr("corslint.lint.hands_on", asking)
    monkeypatch.setattr("corslint.lint.read_file", reading)
    first = run()
    assert asked.count("plain3.js") == 1
    before = list(asked)
    assert run() == first
    assert asked == before
    assert read.count("plain3.js") == 2  # for its words, and for the question
    (tree / "plain3.js").write_text("module.exports.answer = require('express')();\n", encoding="utf-8")
    assert run() == run(".", "--no-cache")
    assert asked.count("plain3.js") == 3


def test_answers_to_questions_are_kept_one_by_one(tmp_path: Path) -> None:
    path = tmp_path / "a.js"
    path.write_text("x", encoding="utf-8")
    os.utime(path, (OLD, OLD))

    def opened(clock: int) -> Cache:
        found = Cache(Place(str(tmp_path), ("cache", "1"), "tree"), lambda: clock)
        found.look("a.js", path.stat())
        return found

    later = time.time_ns() + 10**10
    first = opened(later)
    first.note_answer("a.js", cache.HANDS_ON, True)  # nothing is known of it
    first.note("a.js", cache.PLAIN)
    first.note_answer("a.js", cache.HANDS_ON, True)
    first.note_answer("a.js", cache.HAS_MARK, False)
    first.save()
    second = opened(later)
    answers = [second.answer("a.js", one) for one in (cache.HANDS_ON, cache.SPELLS_HEADER, cache.HAS_MARK)]
    assert answers == [True, None, False]
    second.note("a.js", cache.PLAIN, "digest", b"a reading")  # of the same content
    second.note_answer("a.js", cache.HANDS_ON, False)
    second.save()
    third = opened(later)
    answers = [third.answer("a.js", one) for one in (cache.HANDS_ON, cache.SPELLS_HEADER, cache.HAS_MARK)]
    assert answers == [False, None, False]
    path.write_text("y", encoding="utf-8")
    assert opened(later).answer("a.js", cache.HANDS_ON) is None


def test_what_stands_in_for_a_file_is_not_kept(tree: Path) -> None:
    place = Place(str(tree), ("cache", "1"), "tree")
    path = "app.js"
    (tree / path).write_text("require('express')().use(require('cors')());\n", encoding="utf-8")
    make_old(tree)
    remembered = Cache(place)
    (context,) = discovery.contexts((".",), str(tree), remember=lambda *_: remembered)
    lint.lint(context, Settings(), {path: b"export const nothing = 1;\n"}, jobs=1)
    assert Cache(place).look(path, (tree / path).stat()) is None


def test_a_cache_says_what_it_is(tree: Path, run: Run) -> None:
    subprocess.run(["git", "init", "-q"], check=True)
    subprocess.run(["git", "add", "."], check=True)
    before = subprocess.run(["git", "status", "--short"], check=True, capture_output=True).stdout
    run()
    assert kept(tree)
    assert subprocess.run(["git", "status", "--short"], check=True, capture_output=True).stdout == before
    tag = (tree / cache.FOLDER / "CACHEDIR.TAG").read_text(encoding="utf-8")
    assert tag.startswith("Signature: 8a477f597d28d172789f06886806bc55\n")
    files = run(".", "--show-files")
    assert cache.FOLDER not in files


def test_what_changed_is_read_again(tree: Path, run: Run, parsed: list[str]) -> None:
    run()
    path = next(path for path in sorted(tree.rglob("*.js")) if "cors" in path.read_text(encoding="utf-8"))
    plain = tree / "plain7.js"
    path.write_text("// nothing\n", encoding="utf-8")
    plain.write_text("require('express')().use(require('cors')());\n", encoding="utf-8")
    parsed.clear()
    changed = run()
    assert sorted(parsed) == ["plain7.js"]
    assert changed == run(".", "--no-cache")


@pytest.mark.parametrize("keep_times", [False, True])
def test_a_change_of_the_same_size_right_after_a_run_is_seen(
    tree: Path, run: Run, monkeypatch: pytest.MonkeyPatch, keep_times: bool
) -> None:
    monkeypatch.setattr(cache, "_UNSURE_NS", 2_000_000_000)
    path = tree / "app.js"
    texts = [f"require('express')().use(require('cors')({{ origin: {text} }}));\n" for text in ("'*' ", "true")]
    for text in texts:
        path.write_text(text, encoding="utf-8")
        if keep_times:
            os.utime(path, (OLD, OLD))
        found = run()
        assert found == run(".", "--no-cache")
    assert len(texts[0]) == len(texts[1])


def test_times_say_nothing_of_files_that_are_new(tree: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even where a change leaves no trace: the same size, times and inode."""
    monkeypatch.setattr(cache, "_UNSURE_NS", 2_000_000_000)
    path = tree / "app.js"
    path.write_text("require('express')().use(require('cors')({ origin: '*' }));\n", encoding="utf-8")
    same = os.stat(path)
    known = Cache(Place(str(tree), (cache.FOLDER, "1"), "x"))
    found = parse(SourceFile("app.js", path.read_bytes()))
    assert found is not None
    assert known.look("app.js", same) is None
    known.note_reading("app.js", cache.READ, path.read_bytes(), found)
    known.save()
    again = Cache(Place(str(tree), (cache.FOLDER, "1"), "x"))
    assert again.look("app.js", same) is None
    assert again.reading("app.js", lambda: b"something else") is None
    assert again.reading("app.js", path.read_bytes) == found


def test_content_counts_where_times_do_not(tree: Path, run: Run, parsed: list[str]) -> None:
    """As after a fresh clone."""
    run()
    for path in tree.rglob("*.js"):
        os.utime(path, (OLD + 60, OLD + 60))
    parsed.clear()
    run()
    assert [path for path in parsed if path.endswith(".js")] == []


@pytest.mark.parametrize("seed", range(40))
def test_whatever_the_cache_holds_is_no_matter(tree: Path, run: Run, seed: int) -> None:
    without = run(".", "--no-cache")
    run()
    chance = random.Random(seed)
    (path,) = kept(tree)
    data = bytearray(path.read_bytes())
    match seed % 4:
        case 0:
            for _ in range(chance.randint(1, 300)):
                data[chance.randrange(len(data))] = chance.randrange(256)
        case 1:
            del data[chance.randrange(len(data)) :]
        case 2:
            data[chance.randrange(len(data)) :] = chance.randbytes(chance.randint(0, 9999))
        case _:
            data = bytearray(chance.randbytes(chance.randint(0, 9999)))
    path.write_bytes(data)
    assert run() == without
    assert run() == without


def test_a_cache_in_which_something_else_lies(tree: Path, run: Run) -> None:
    without = run(".", "--no-cache")
    run()
    (path,) = kept(tree)
    path.unlink()
    path.mkdir()
    assert run() == without
    path.rmdir()
    os.mkfifo(path)
    assert run() == without


def test_a_folder_that_cannot_be_written_means_no_cache(tree: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    without = run(".", "--no-cache")

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "mkdir", refuse)
    assert run() == without
    assert not (tree / cache.FOLDER).exists()


@pytest.mark.parametrize("at", [cache.FOLDER, f"{cache.FOLDER}/{__version__}"])
def test_no_link_is_followed(tree: Path, run: Run, tmp_path: Path, at: str) -> None:
    without = run(".", "--no-cache")
    outside = tmp_path / "outside"
    outside.mkdir()
    (tree / at).parent.mkdir(exist_ok=True)
    (tree / at).symlink_to(outside)
    assert run() == without
    assert list(outside.iterdir()) == []


def test_a_cache_that_is_a_link_is_replaced_not_followed(tree: Path, run: Run, tmp_path: Path) -> None:
    without = run()
    (path,) = kept(tree)
    path.unlink()
    outside = tmp_path / "outside"
    outside.write_text("precious", encoding="utf-8")
    path.symlink_to(outside)
    assert run() == without
    assert outside.read_text(encoding="utf-8") == "precious"
    assert path.is_file()
    assert not path.is_symlink()


def test_a_cache_that_the_repository_brings_is_not_believed(tree: Path, run: Run, parsed: list[str]) -> None:
    subprocess.run(["git", "init", "-q"], check=True)
    run()
    subprocess.run(["git", "add", "-f", "."], check=True)
    before = [path.read_bytes() for path in kept(tree)]
    parsed.clear()
    run(".", "-j1")
    assert len(parsed) > 20
    assert [path.read_bytes() for path in kept(tree)] == before


def test_small_folders_have_none(tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "app.js").write_text("require('express')().use(require('cors')());\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    run()
    assert [path.name for path in tmp_path.iterdir()] == ["app.js"]


def test_another_folder_may_be_named(
    tree: Path, run: Run, tmp_path: Path, parsed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "elsewhere"
    without = run(".", "--cache-dir", str(elsewhere))
    assert sorted(path.name for path in elsewhere.iterdir()) == [".gitignore", __version__, "CACHEDIR.TAG"]
    assert not (tree / cache.FOLDER).exists()
    parsed.clear()
    monkeypatch.setenv("CORSLINT_CACHE_DIR", str(elsewhere))
    assert run() == without
    assert parsed == []
    monkeypatch.setenv("CORSLINT_NO_CACHE", "1")
    assert run(".", "-j1") == without
    assert len(parsed) > 20


def test_the_settings_may_name_a_folder(tree: Path, run: Run) -> None:
    (tree / "corslint.toml").write_text('cache-dir = "tmp/cors"\n', encoding="utf-8")
    run()
    assert sorted(path.name for path in (tree / "tmp" / "cors").iterdir()) == [
        ".gitignore", __version__, "CACHEDIR.TAG",
    ]  # fmt: skip
    assert [path.name for path in (tree / "tmp").iterdir()] == ["cors"]


@pytest.mark.parametrize("folder", ["../elsewhere", "/tmp/elsewhere", ".", "a/../.."])
def test_the_settings_may_name_no_folder_elsewhere(tree: Path, run: Run, folder: str) -> None:
    (tree / "corslint.toml").write_text(f'pedantic = true\ncache-dir = "{folder}"\n', encoding="utf-8")
    said = run()
    assert said.startswith("2\n")
    assert "corslint.toml:2: `cache-dir` has to lie in the folder of the settings file" in said


def test_folders_see_only_their_own(tree: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Paths are shown relative to the working directory, and readings hold some."""
    run()
    monkeypatch.chdir(tree.parent)
    assert run("tree", "--no-cache") == run("tree")
    assert len(kept(tree)) == 2


def test_the_oldest_are_dropped(tree: Path, run: Run) -> None:
    run()
    folder = tree / cache.FOLDER / __version__
    for number in range(40):
        (folder / f"old{number}").write_bytes(b"x")
        os.utime(folder / f"old{number}", (OLD - number, OLD - number))
    (folder / "left.1.1.new").write_bytes(b"x")
    os.utime(folder / "left.1.1.new", (OLD - 4000, OLD - 4000))
    (tree / "plain1.js").write_text("// cors\n", encoding="utf-8")
    run()
    names = [path.name for path in kept(tree)]
    assert len(names) == 16
    assert "left.1.1.new" not in names
    assert "old0" in names


def test_what_is_gone_is_dropped(tree: Path, run: Run) -> None:
    run()
    (path,) = kept(tree)
    before = path.stat().st_size
    for one in tree.iterdir():
        if one.is_dir() and one.name != cache.FOLDER:
            shutil.rmtree(one)
    (tree / "plain1.js").write_text("// another\n", encoding="utf-8")
    run()
    assert path.stat().st_size < before / 2


def test_fixing_sees_the_files_that_it_changed(tree: Path, run: Run) -> None:
    other = tree.parent / "other"
    shutil.copytree(tree, other)
    run()
    fixed = run(".", "--fix", "--unsafe-fixes")
    os.chdir(other)
    assert run(".", "--fix", "--unsafe-fixes", "--no-cache") == fixed
    for path in tree.rglob("*"):
        if path.is_file() and cache.FOLDER not in path.parts:
            assert (other / path.relative_to(tree)).read_bytes() == path.read_bytes()


def test_another_version_of_a_parser_reads_again(
    tree: Path, run: Run, parsed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run()
    monkeypatch.setattr("corslint.compiled.identity", lambda: "another")
    parsed.clear()
    run(".", "-j1")
    assert len(parsed) > 20


def _command(root: Path) -> list[str]:
    return [sys.executable, "-m", "corslint", "check", "--output-format", "json", str(root)]


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT)}


def test_runs_at_the_same_time_do_not_disturb_each_other(tree: Path) -> None:
    def out() -> bytes:
        return subprocess.run(_command(tree), env=_environment(), capture_output=True, check=False).stdout

    expected = subprocess.run(
        [*_command(tree), "--no-cache"], env=_environment(), capture_output=True, check=False
    ).stdout
    assert b'"findings"' in expected
    said: list[bytes] = []
    runs = [threading.Thread(target=lambda: said.append(out())) for _ in range(4)]
    for one in runs:
        one.start()
    for number in range(8):
        (tree / "plain2.js").write_text(f"// {number}\n", encoding="utf-8")
    for one in runs:
        one.join()
    assert said == [expected] * 4
    assert len([path for path in kept(tree) if not path.name.endswith(".new")]) == 1
    assert out() == expected


def kill_while_writing(root: Path, rounds: int) -> int:
    """Kill runs at random moments. Whatever file is there is whole, and the next run says the same. How many died."""
    expected = subprocess.run(
        [*_command(root), "--no-cache"], env=_environment(), capture_output=True, check=False
    ).stdout
    chance = random.Random(7)
    begun = time.monotonic()
    subprocess.run(_command(root), env=_environment(), capture_output=True, check=False)
    whole = time.monotonic() - begun
    killed = 0
    for number in range(rounds):
        # What is new makes the cache be written again; the later half of a run is where that happens.
        (root / "plain3.js").write_text(f"// {number}\n", encoding="utf-8")
        process = subprocess.Popen(
            _command(root), env=_environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        time.sleep(chance.uniform(0.4, 1.1) * whole)
        process.send_signal(signal.SIGKILL)
        killed += process.wait() == -signal.SIGKILL
        for path in kept(root):
            if not path.name.endswith(".new"):
                name = path.name
                assert Cache(Place(str(root), (cache.FOLDER, __version__), name))._known, "a file is not whole"
        if number % 10 == 9:
            said = subprocess.run(_command(root), env=_environment(), capture_output=True, check=False).stdout
            assert said == expected
    return killed


def test_a_run_that_is_killed_leaves_the_cache_whole(tree: Path) -> None:
    assert kill_while_writing(tree, 10) > 0


def kill_the_writer(folder: Path, rounds: int) -> int:
    """Kill a process that does nothing but write a large cache, at random moments. How many rounds saw a new one."""
    place = Place(str(folder), (cache.FOLDER, "1"), "x")
    status = folder.stat()
    chance = random.Random(11)
    seen: set[str] = set()
    for number in range(rounds):
        pid = os.fork()
        if pid == 0:
            for turn in range(10_000):
                one = Cache(place)
                one.look(f"{number}.{turn}", status)
                one.note(f"{number}.{turn}", cache.READ, "0" * 32, b"x" * 3_000_000)
                one.save()
                one.close()
            os._exit(0)
        time.sleep(chance.uniform(0.01, 0.1))
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        if (folder / cache.FOLDER / "1" / "x").exists():
            one = Cache(place)
            (path,) = one._known.rows
            entry = one._known.get(path)
            assert entry is not None
            assert one._encoded(entry) == b"x" * 3_000_000
            seen.add(path)
            one.close()
    return len(seen)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform cannot fork")
def test_a_writer_that_is_killed_leaves_the_old_file_or_the_new_one(tmp_path: Path) -> None:
    assert kill_the_writer(tmp_path, 40) > 1


def test_a_cache_without_a_place_keeps_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.js"
    path.write_text("x", encoding="utf-8")
    none = Cache()
    assert none.look("a.js", path.stat()) is None
    none.note("a.js", cache.PLAIN)
    none.save()
    assert none.what("a.js") is None
    assert none.folder is None


def status(mtime: int = 1, ctime: int = 2, size: int = 3, inode: int = 4) -> os.stat_result:
    times = {"st_atime_ns": 0, "st_mtime_ns": mtime, "st_ctime_ns": ctime}
    return os.stat_result((0o100644, inode, 0, 1, 0, 0, size, 0, 0, 0), times)


def test_what_is_written_down_is_what_is_read(tmp_path: Path) -> None:
    place = Place(str(tmp_path), (cache.FOLDER, "1"), "x")
    names = ["a.js", "new\nline.js", "\udcff.js", "ä/ö.js", "nothing.js", "large.js", "old.js", "far.js", "last.js"]
    statuses = {name: status(mtime=number + 10, inode=number) for number, name in enumerate(names)}
    statuses["large.js"] = status(inode=1 << 63)
    statuses["old.js"] = status(mtime=-(1 << 60))
    statuses["far.js"] = status(size=(1 << 63) - 1)
    written = Cache(place)
    for number, name in enumerate(names):
        assert written.look(name, statuses[name]) is None
        if name == "nothing.js":
            written.note(name, cache.NOTHING)
        else:
            written.note(name, cache.READ, f"{number:032x}", f"the reading of {name!r}".encode())
        written.note_answer(name, number % 3, number % 2 == 0)
    written.save()
    read = Cache(place)
    for number, name in enumerate(names):
        what = read.look(name, statuses[name])
        is_known = name != "large.js"  # its number has more bits than are kept
        assert (
            what == read.what(name) == ((cache.NOTHING if name == "nothing.js" else cache.READ) if is_known else None)
        )
        assert read.answer(name, number % 3) is (number % 2 == 0 if is_known else None)
        entry = read._known.get(name)
        assert entry is not None
        assert entry.digest == ("" if name == "nothing.js" else f"{number:032x}")
        if name != "nothing.js":
            assert read._encoded(entry) == f"the reading of {name!r}".encode()
    for changed in (status(mtime=11), status(ctime=3), status(size=4), status(inode=5)):
        assert read.look("a.js", changed) is None


@pytest.mark.parametrize("part", range(7))
def test_a_cache_of_which_a_part_is_too_short_knows_nothing(part: int) -> None:
    entries = {
        "a.js": cache._Entry((1, 2, 3, 4), cache.READ, "0" * 32, 0, 5, "1" * 32, 3),
        "b.js": cache._Entry((5, 6, 7, 8), cache.PLAIN),
    }
    parts = cache._parts(cache._head(entries))
    assert {path: cache._Known(cache._head(entries)).get(path) for path in entries} == entries
    parts[part] = parts[part][: len(parts[part]) // 2]
    head = b"".join(piece for each in parts for piece in (len(each).to_bytes(4, "little"), each))
    with pytest.raises(ValueError):  # noqa: PT011 - what it says is no matter
        cache._Known(head)


def test_words_of_the_cache_are_distinct() -> None:
    words = (cache.PLAIN, cache.INERT, cache.READ, cache.NOTHING, cache.MINIFIED)
    assert len(set(words)) == len(words)


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        make_tree(Path(folder))
        rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 300
        print(f"{kill_the_writer(Path(folder), rounds)} of {rounds} kills saw a new file; every one was whole")
        print(f"{kill_while_writing(Path(folder), rounds)} of {rounds} runs were killed; every cache was whole")
