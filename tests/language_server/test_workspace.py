"""What a check of open folders costs and finds, from one edit to the next."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from corslint import lint, workers
from corslint.cache import Memory
from corslint.language_server.workspace import Workspace
from corslint.model import kept
from corslint.model.reading import CodeReading, Reading
from corslint.parsers import parse
from corslint.source import SourceFile

DEMO = Path(__file__).parent.parent.parent / "fixtures" / "projects" / "chat" / "bad"
OPTIONS = {"config": (), "isolated": False, "exclude": (), "force_exclude": False, "cache_dir": None, "no_cache": True}
EDITED = "server/src/config.js"


@pytest.fixture
def demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the demo project, in which the process stands."""
    folder = tmp_path / "project"
    shutil.copytree(DEMO, folder)
    (folder / ".git").mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that were parsed, as they are."""
    seen: list[str] = []

    def watched(source: SourceFile) -> Reading | None:
        seen.append(source.path)
        return parse(source)

    monkeypatch.setattr(lint, "parse", watched)
    return seen


def test_only_what_changed_is_read_again(demo: Path, parsed: list[str]) -> None:
    workspace = Workspace([str(demo)], OPTIONS, str(demo), Memory())
    text = (demo / EDITED).read_bytes()
    workspace.check({EDITED: text})
    assert len(parsed) > 10
    parsed.clear()
    workspace.check({EDITED: text})
    assert parsed == []
    workspace.check({EDITED: text + b"// more\n"})
    assert parsed == [EDITED]
    other = demo / "client" / "src" / "socket.js"
    other.write_bytes(other.read_bytes() + b"// also on the disk\n")
    workspace.check({EDITED: text + b"// more\n"})
    assert parsed == [EDITED, "client/src/socket.js"]


@pytest.mark.skipif(not workers.can_fork(), reason="this platform cannot fork")
def test_a_large_file_that_another_process_reads_is_read_once_too(demo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = "server/src/large.js"
    (demo / server).write_text(
        "const app = require('express')(); app.use(require('cors')({ origin: '*', credentials: true }));\n"
        + "f(1, 2);\n" * 25_000
    )
    apart: list[str] = []

    def watched(path: str, data: bytes) -> Reading | workers.Failure | None:
        apart.append(path)
        return read_apart(path, data)

    read_apart = workers.read_apart
    monkeypatch.setattr(workers, "read_apart", watched)
    workspace = Workspace([str(demo)], OPTIONS, str(demo), Memory())
    text = (demo / EDITED).read_bytes()
    found = [workspace.check({EDITED: text + edit}).findings[server] for edit in (b"", b"// more\n", b"// again\n")]
    assert found[0] == found[1] == found[2] != ()
    assert apart == [server]


def test_what_is_kept_changes_nothing(demo: Path) -> None:
    """Along a chain of edits, each check says what one without a memory says."""
    memory = Memory()
    text = (demo / EDITED).read_text()
    nginx = "nginx/conf.d/chat.conf"
    edits: list[dict[str, str]] = [
        {},
        {EDITED: text},
        {EDITED: text.replace("/realtime", "/socket.io")},
        {EDITED: "", nginx: (demo / nginx).read_text()},
        {EDITED: text, nginx: "server {"},
        {"new.js": "require('express')().use(require('cors')({ origin: '*', credentials: true }));\n"},
        {EDITED: text},
    ]
    found = []
    for contents in edits:
        data = {path: one.encode() for path, one in contents.items()}
        with_memory = Workspace([str(demo)], OPTIONS, str(demo), memory).check(data)
        alone = Workspace([str(demo)], OPTIONS, str(demo)).check(data)
        assert with_memory.findings == alone.findings
        found.append(with_memory.findings)
    assert found[0] == found[1] == found[-1]
    assert all(one != found[0] for one in found[2:-1])


def test_files_that_are_gone_are_forgotten() -> None:
    memory, source = Memory(), SourceFile("a.js", b"f()")
    reads = []

    def read() -> Reading | None:
        reads.append(source.path)
        return parse(source)

    first = memory.reading("a.js", source.data, read)
    assert memory.reading("a.js", source.data, read) is first
    memory.forget_others({"b.js"})
    assert memory.reading("a.js", source.data, read) is not first
    assert len(reads) == 2


@pytest.mark.skipif(not workers.can_fork(), reason="large files are read by this process here")
def test_nothing_is_left_to_be_made_of_what_checks_have_in_common(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fix is worked out beside a check, in another thread: neither may come upon what the other one has half made."""
    monkeypatch.chdir(tmp_path)
    text = "const cors = require('cors');\nrequire('express')().use(cors());\n"
    unused = "".join(f"const unused{number} = ['a', {number}];\n" for number in range(8_000))
    (tmp_path / "large.js").write_text(text + unused, encoding="utf-8")
    memory = Memory()
    assert Workspace([str(tmp_path)], OPTIONS, str(tmp_path), memory).check({}).findings
    data = (tmp_path / "large.js").read_bytes()
    found = memory.reading("large.js", data, lambda: pytest.fail("it was not kept"))
    assert isinstance(found, CodeReading)
    monkeypatch.setattr(kept._Values, "make", lambda *_: pytest.fail("it was not whole"))
    assert [str(name) for name, (one,) in found.scopes[0].bindings.items() if one.span.path][-1] == "unused7999"
