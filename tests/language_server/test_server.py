"""The server as editors use it: a real client starts it, opens, types, asks for fixes, and closes."""

from __future__ import annotations

import asyncio
import shutil
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types
from pygls.lsp.client import LanguageClient

from corslint import cli, rulepages
from corslint.lint import knowledge

DEMO = Path(__file__).parent.parent.parent / "fixtures" / "projects" / "chat" / "bad"
PATIENCE = 30
"""Seconds after which a test gives up."""
LIMIT = 0.3
"""Seconds after which an edit has to show, in the median."""

BROKEN = "require('express')().use(require('cors')({ origin: '*', credentials: true }));\n"
MENDED = "require('express')().use(require('cors')({ origin: 'https://app.example.com', credentials: true }));\n"
RULE = "wildcard-origin-with-credentials"


class Editor:
    """A client with some open files. `shown` is what it shows for each file, by path below the folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.client = LanguageClient("editor", "1")
        self.shown: dict[str, list[types.Diagnostic]] = {}
        self.said: list[str] = []
        self.watched: list[str] = []
        self._news = asyncio.Event()
        self._versions: dict[str, int] = {}

        @self.client.feature(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)  # type: ignore[untyped-decorator]
        def published(params: types.PublishDiagnosticsParams) -> None:
            self.shown[self.name(params.uri)] = list(params.diagnostics)
            self._news.set()

        @self.client.feature(types.WINDOW_SHOW_MESSAGE)  # type: ignore[untyped-decorator]
        def message(params: types.ShowMessageParams) -> None:
            self.said.append(params.message)
            self._news.set()

        @self.client.feature(types.CLIENT_REGISTER_CAPABILITY)  # type: ignore[untyped-decorator]
        def register(params: types.RegistrationParams) -> None:
            self.watched += [one.method for one in params.registrations]

    def uri(self, name: str) -> str:
        return (self.folder / name).as_uri()

    def name(self, uri: str) -> str:
        return uri.removeprefix(f"{self.folder.as_uri()}/")

    async def start(self, *, watches: bool = False, folders: bool = True) -> None:
        await self.client.start_io(sys.executable, "-m", "corslint", "server")
        known = types.DidChangeWatchedFilesClientCapabilities(dynamic_registration=watches)
        capabilities = types.ClientCapabilities(
            workspace=types.WorkspaceClientCapabilities(did_change_watched_files=known)
        )
        opened = [types.WorkspaceFolder(self.folder.as_uri(), "project")] if folders else None
        await self.client.initialize_async(types.InitializeParams(capabilities=capabilities, workspace_folders=opened))
        self.client.initialized(types.InitializedParams())

    async def stop(self) -> None:
        await self.client.shutdown_async(None)
        self.client.exit(None)
        await self.client.stop()  # type: ignore[no-untyped-call]

    def open(self, name: str, text: str) -> None:
        self._versions[name] = 1
        item = types.TextDocumentItem(uri=self.uri(name), language_id="javascript", version=1, text=text)
        self.client.text_document_did_open(types.DidOpenTextDocumentParams(item))

    def type(self, name: str, text: str) -> None:
        self._versions[name] += 1
        document = types.VersionedTextDocumentIdentifier(uri=self.uri(name), version=self._versions[name])
        whole = types.TextDocumentContentChangeWholeDocument(text)
        self.client.text_document_did_change(types.DidChangeTextDocumentParams(document, [whole]))

    def close(self, name: str) -> None:
        document = types.TextDocumentIdentifier(self.uri(name))
        self.client.text_document_did_close(types.DidCloseTextDocumentParams(document))

    def saw(self, name: str) -> None:
        change = types.FileEvent(self.uri(name), types.FileChangeType.Changed)
        self.client.workspace_did_change_watched_files(types.DidChangeWatchedFilesParams([change]))

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds that what the server sends decides."""

        async def wait() -> None:
            while not holds():
                self._news.clear()
                await self._news.wait()

        await asyncio.wait_for(wait(), PATIENCE)

    def rules(self, name: str) -> list[Any]:
        return sorted(str(one.code) for one in self.shown.get(name, ()))

    async def actions(self, name: str, kind: str | None = None) -> list[types.CodeAction]:
        only: list[types.CodeActionKind | str] | None = [kind] if kind else None
        context = types.CodeActionContext(self.shown[name], only=only)
        document = types.TextDocumentIdentifier(self.uri(name))
        whole = types.Range(types.Position(0, 0), types.Position(10_000, 0))
        found = await self.client.text_document_code_action_async(types.CodeActionParams(document, whole, context))
        return [one for one in found or () if isinstance(one, types.CodeAction)]


def applied(text: str, edit: types.WorkspaceEdit, uri: str) -> str:
    """A text after an edit; lines of these texts end with a newline, and all characters are single units."""
    starts = [0]
    for line in text.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    edits = [
        one
        for change in edit.document_changes or ()
        if isinstance(change, types.TextDocumentEdit) and change.text_document.uri == uri
        for one in change.edits
        if isinstance(one, types.TextEdit)
    ]
    for one in sorted(edits, key=lambda one: (one.range.start.line, one.range.start.character), reverse=True):
        start = starts[one.range.start.line] + one.range.start.character
        end = starts[one.range.end.line] + one.range.end.character
        text = text[:start] + one.new_text + text[end:]
    return text


def drive(folder: Path, script: Callable[[Editor], Awaitable[None]], **start: bool) -> None:
    """Run a client's script against a server of its own."""

    async def run() -> None:
        editor = Editor(folder)
        await editor.start(**start)
        try:
            await asyncio.wait_for(script(editor), 4 * PATIENCE)
        finally:
            await editor.stop()

    asyncio.run(run())


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A repository with a faulty server."""
    (tmp_path / ".git").mkdir()
    (tmp_path / "server.js").write_text(BROKEN)
    return tmp_path


def test_what_is_typed_counts_and_not_what_is_on_the_disk(project: Path) -> None:
    async def script(editor: Editor) -> None:
        await editor.until(lambda: editor.rules("server.js") == [RULE])  # before anything is opened
        editor.open("server.js", BROKEN)
        editor.type("server.js", MENDED)
        await editor.until(lambda: editor.rules("server.js") == [])
        editor.type("server.js", "// é\U0001f600\n" + BROKEN)
        await editor.until(lambda: editor.rules("server.js") == [RULE])
        (shown,) = editor.shown["server.js"]
        assert (shown.range.start.line, shown.source) == (1, "corslint")
        assert BROKEN[shown.range.start.character : shown.range.end.character] == "'*'"
        editor.type("server.js", MENDED)
        await editor.until(lambda: editor.rules("server.js") == [])
        editor.close("server.js")  # what is on the disk counts again
        await editor.until(lambda: editor.rules("server.js") == [RULE])

    drive(project, script)
    assert (project / "server.js").read_text() == BROKEN


def test_a_change_in_one_file_shows_in_the_others(tmp_path: Path) -> None:
    project = tmp_path / "project"
    shutil.copytree(DEMO, project)
    path = "server/src/config.js"
    text = (project / path).read_text()

    async def script(editor: Editor) -> None:
        other = "client/src/socket.js"
        await editor.until(lambda: "socketio-path-mismatch" in editor.rules(other))
        related = next(one for one in editor.shown[other] if one.code == "socketio-path-mismatch").related_information
        assert related
        server = editor.name(related[0].location.uri)
        was = (project / server).read_text()
        editor.open(server, was)
        editor.type(server, was.replace("/realtime", "/socket.io"))
        await editor.until(lambda: "socketio-path-mismatch" not in editor.rules(other))

    assert text
    drive(project, script)


def test_a_new_file_that_is_nowhere_on_the_disk_is_checked(project: Path) -> None:
    async def script(editor: Editor) -> None:
        editor.open("src/new.js", BROKEN)
        await editor.until(lambda: editor.rules("src/new.js") == [RULE])
        editor.close("src/new.js")
        await editor.until(lambda: editor.rules("src/new.js") == [])

    drive(project, script)


def test_a_single_file_without_a_folder_is_checked_with_its_repository(project: Path) -> None:
    async def script(editor: Editor) -> None:
        editor.open("server.js", BROKEN)
        await editor.until(lambda: editor.rules("server.js") == [RULE])

    drive(project, script, folders=False)


def _fixed_by_command(folder: Path, name: str, *options: str) -> str:
    assert cli.run(["check", str(folder), "--fix", *options]) in (0, 1)
    return (folder / name).read_text()


@pytest.mark.parametrize(("source", "options"), [("safe.js", ()), ("unsafe.js", ("--unsafe-fixes",))])
def test_a_code_action_makes_what_fix_makes(
    tmp_path: Path, source: str, options: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    text = {
        "safe.js": "require('express')().use(require('cors')({ origins: 'https://app.example.com' }));\n",
        "unsafe.js": "require('express')().use(require('cors')({ origin: [/./, 'https://a.example.com/'] }));\n",
    }[source]
    editing, fixing = tmp_path / "editing", tmp_path / "fixing"
    for folder in (editing, fixing):
        folder.mkdir()
        (folder / "server.js").write_text(text)
    wanted = _fixed_by_command(fixing, "server.js", *options)
    assert wanted != text

    async def script(editor: Editor) -> None:
        editor.open("server.js", text)
        await editor.until(lambda: bool(editor.rules("server.js")))
        now = text
        for _ in range(5):  # one fix after the other, until none is left
            actions = [one for one in await editor.actions("server.js") if not one.title.startswith("Ignore ")]
            if not actions:
                break
            edit = actions[0].edit
            assert edit is not None
            before = editor.shown["server.js"]
            now = applied(now, edit, editor.uri("server.js"))
            editor.type("server.js", now)
            await editor.until(lambda before=before: editor.shown["server.js"] is not before)  # type: ignore[misc]
        assert now == wanted

    drive(editing, script)
    capsys.readouterr()


def test_all_safe_fixes_of_a_file_are_one_action(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (
        "const express = require('express');\nconst cors = require('cors');\nconst app = express();\n"
        "app.use('/a', cors({ origins: 'https://app.example.com' }));\n"
        "app.use('/b', cors({ origins: 'https://app.example.com' }));\n"
    )
    editing, fixing = tmp_path / "editing", tmp_path / "fixing"
    for folder in (editing, fixing):
        folder.mkdir()
        (folder / "server.js").write_text(text)
    wanted = _fixed_by_command(fixing, "server.js")

    async def script(editor: Editor) -> None:
        editor.open("server.js", text)
        await editor.until(lambda: bool(editor.rules("server.js")))
        (action,) = await editor.actions("server.js", "source.fixAll")
        assert action.edit is not None
        assert applied(text, action.edit, editor.uri("server.js")) == wanted != text

    drive(editing, script)
    capsys.readouterr()


def test_a_finding_can_be_taken_back_by_a_comment(project: Path) -> None:
    async def script(editor: Editor) -> None:
        editor.open("server.js", BROKEN)
        await editor.until(lambda: editor.rules("server.js") == [RULE])
        (action,) = [one for one in await editor.actions("server.js") if one.title.startswith("Ignore ")]
        assert action.edit is not None
        editor.type("server.js", applied(BROKEN, action.edit, editor.uri("server.js")))
        await editor.until(lambda: editor.rules("server.js") == [])

    drive(project, script)


def test_hovering_shows_the_page_of_the_rule(project: Path) -> None:
    async def script(editor: Editor) -> None:
        await editor.until(lambda: editor.rules("server.js") == [RULE])
        document = types.TextDocumentIdentifier(editor.uri("server.js"))
        (shown,) = editor.shown["server.js"]
        hover = await editor.client.text_document_hover_async(types.HoverParams(document, shown.range.start))
        assert hover is not None
        assert isinstance(hover.contents, types.MarkupContent)
        assert hover.contents.value == rulepages.about(knowledge().rules[RULE]).markdown
        beside = await editor.client.text_document_hover_async(types.HoverParams(document, types.Position(0, 0)))
        assert beside is None

    drive(project, script)


def test_settings_are_read_again_and_wrong_ones_are_said_once(project: Path) -> None:
    async def script(editor: Editor) -> None:
        await editor.until(lambda: editor.rules("server.js") == [RULE])
        assert editor.watched == ["workspace/didChangeWatchedFiles"]
        settings = project / "corslint.toml"
        settings.write_text(f'ignore = ["{RULE}"]\n')
        editor.saw("corslint.toml")
        await editor.until(lambda: editor.rules("server.js") == [])
        settings.write_text("ignore = 3\n")
        editor.saw("corslint.toml")
        await editor.until(lambda: bool(editor.said))
        editor.open("server.js", BROKEN)
        settings.write_text("")
        editor.saw("corslint.toml")
        await editor.until(lambda: editor.rules("server.js") == [RULE])
        assert len(editor.said) == 1
        assert "corslint.toml" in editor.said[0]

    drive(project, script, watches=True)


def test_typing_is_answered_quickly(tmp_path: Path) -> None:
    """The medians are printed. A check of the demo project takes a tenth of what is allowed for, and no pause."""
    project = tmp_path / "project"
    shutil.copytree(DEMO, project)
    path, other = "server/src/config.js", "client/src/socket.js"
    text = (project / path).read_text()
    own: list[float] = []
    elsewhere: list[float] = []

    async def script(editor: Editor) -> None:
        editor.open(path, text)
        await editor.until(lambda: bool(editor.rules(path)) and "socketio-path-mismatch" in editor.rules(other))
        for number in range(10):
            before = editor.shown[path]
            begun = time.perf_counter()
            editor.type(path, f"{text}\n// {number}\n")
            await editor.until(lambda before=before: editor.shown[path] is not before)  # type: ignore[misc]
            own.append(time.perf_counter() - begun)
        for number in range(10):
            is_there = bool(number % 2)
            begun = time.perf_counter()
            editor.type(path, text if is_there else text.replace("/realtime", "/socket.io"))
            await editor.until(lambda want=is_there: ("socketio-path-mismatch" in editor.rules(other)) is want)  # type: ignore[misc]
            elsewhere.append(time.perf_counter() - begun)

    drive(project, script)
    for took, where in ((own, "in the file"), (elsewhere, "in another file")):
        assert len(took) == 10
        assert statistics.median(took) < LIMIT
        print(f"diagnostics {where} follow an edit in {statistics.median(took) * 1000:.0f} ms (median of {len(took)})")
