"""What speaks with the editor: documents come in, diagnostics and code actions go out.

A check looks at whole folders and runs in a thread; while one runs, further changes wait for the next one, which sees
all of them.
"""

from __future__ import annotations

import asyncio
import gc
import os
import time
from collections.abc import Iterable, Mapping
from typing import Any

from lsprotocol import types
from pygls import uris
from pygls.lsp.server import LanguageServer

import corslint
from corslint import lint, rulepages
from corslint.cache import Memory
from corslint.language_server.positions import ENCODINGS, Places, Point
from corslint.language_server.workspace import Checked, Workspace
from corslint.model.finding import Edit, Finding
from corslint.settings import FILES, UsageError
from corslint.source import SourceFile, Span
from corslint.yamlfile import YamlError

_PAUSE = 0.05
"""Seconds that a check waits at most for the next key."""
_PART = 0.25
"""It waits no longer than this part of what the last check took: to look once more costs less than to wait."""
_FIX_ALL = "source.fixAll.corslint"
_SEVERITIES = {
    "error": types.DiagnosticSeverity.Error,
    "warning": types.DiagnosticSeverity.Warning,
    "note": types.DiagnosticSeverity.Information,
}
_WATCHED = (
    "**/*.{js,jsx,mjs,cjs,ts,mts,cts,tsx,vue,svelte,html,py,conf,json,yaml,yml,toml,lock}",
    "**/{Dockerfile,Procfile,.env*}",
    *(f"**/{name}" for name in FILES),
)
_CHANGES = (
    types.TEXT_DOCUMENT_DID_OPEN,
    types.TEXT_DOCUMENT_DID_CHANGE,
    types.TEXT_DOCUMENT_DID_SAVE,
    types.TEXT_DOCUMENT_DID_CLOSE,
    types.WORKSPACE_DID_CHANGE_WATCHED_FILES,
    types.WORKSPACE_DID_CHANGE_CONFIGURATION,
)
"""After each of them findings may be others."""
_NOTHING = Checked({}, {})


class Server(LanguageServer):
    """The server of one editor."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        super().__init__(
            "corslint", corslint.__version__, text_document_sync_kind=types.TextDocumentSyncKind.Incremental
        )
        self._options = options
        self._folders: list[str] = []
        self._found = _NOTHING
        self._published: set[str] = set()
        self._stale = False
        self._checking: asyncio.Task[None] | None = None
        self._trouble = ""
        self._memory = Memory()
        self._pause = _PAUSE

    # --- what is open ---

    def begin(self, params: types.InitializeParams) -> None:
        """Take in the folders that the editor has open."""
        named = [folder.uri for folder in params.workspace_folders or ()]
        if not named and params.root_uri:
            named = [params.root_uri]
        self._folders = [path for uri in named if (path := uris.to_fs_path(uri)) is not None]
        if self._folders:
            os.chdir(self._folders[0])  # paths count from there

    def change_folders(self, added: Iterable[types.WorkspaceFolder], removed: Iterable[types.WorkspaceFolder]) -> None:
        """Folders were opened or closed."""
        gone = {uris.to_fs_path(folder.uri) for folder in removed}
        new = [path for folder in added if (path := uris.to_fs_path(folder.uri)) is not None]
        self._folders = [*(path for path in self._folders if path not in gone), *new]
        self.look_again()

    def _workspace(self) -> Workspace:
        return Workspace(self._folders, self._options, os.getcwd(), self._memory)

    def _open_files(self, workspace: Workspace) -> dict[str, bytes]:
        found = {}
        for document in self.workspace.text_documents.values():
            file = uris.to_fs_path(document.uri)
            if file is not None:
                found[workspace.path(file)] = document.source.encode("utf-8", "replace")
        return found

    # --- checking ---

    def look_again(self) -> None:
        """Something changed: check, now or after the check that is running."""
        self._stale = True
        if self._checking is None or self._checking.done():
            self._checking = asyncio.get_running_loop().create_task(self._check())

    async def settled(self) -> Checked:
        """The result for the documents as they are now."""
        while self._checking is not None and not self._checking.done():
            await self._checking
        return self._found

    async def _check(self) -> None:
        while self._stale:
            await asyncio.sleep(self._pause)
            self._stale = False
            workspace = self._workspace()
            open_files = self._open_files(workspace)
            begun = time.monotonic()
            try:
                found = await asyncio.to_thread(workspace.check, open_files)
            except (UsageError, YamlError) as error:
                self._say(str(error))
                continue
            self._pause = min(_PAUSE, _PART * (time.monotonic() - begun))
            self._trouble = ""
            if not self._stale:
                self._found = found
                self._publish(workspace, found)

    def _say(self, trouble: str) -> None:
        """Show an error of settings or rules, but not again with every key."""
        if trouble != self._trouble:
            self._trouble = trouble
            message = types.ShowMessageParams(types.MessageType.Error, f"corslint: {trouble}")
            self.window_show_message(message)

    def _publish(self, workspace: Workspace, found: Checked) -> None:
        documents = {document.uri: document.version for document in self.workspace.text_documents.values()}
        by_file = self._by_file(documents)
        shown = {path for path, findings in found.findings.items() if findings}
        for path in sorted(shown | self._published):
            file = workspace.file(path)
            uri = by_file.get(os.path.normcase(file)) or uris.from_fs_path(file) or ""
            diagnostics = [self.diagnostic(workspace, finding, found) for finding in found.findings.get(path, ())]
            self.text_document_publish_diagnostics(
                types.PublishDiagnosticsParams(uri=uri, version=documents.get(uri), diagnostics=diagnostics)
            )
        self._published = shown

    @staticmethod
    def _by_file(documents: Iterable[str]) -> dict[str, str]:
        """The URIs of documents by their files; on Windows editors write the drive in another case than the system."""
        return {os.path.normcase(file): uri for uri in documents if (file := uris.to_fs_path(uri)) is not None}

    # --- what is shown ---

    def range_of(self, source: SourceFile, span: Span) -> types.Range:
        """The range of a span, in the units that the editor counts in."""
        begin, end = Places(source, self.encoding).span(span)
        return types.Range(types.Position(*begin), types.Position(*end))

    @property
    def encoding(self) -> str:
        """What characters are counted in."""
        chosen = self.server_capabilities.position_encoding
        name = chosen.value if isinstance(chosen, types.PositionEncodingKind) else str(chosen)
        return name if name in ENCODINGS else "utf-16"

    def diagnostic(self, workspace: Workspace, finding: Finding, found: Checked) -> types.Diagnostic:
        """A finding, as editors show it."""
        related = [
            types.DiagnosticRelatedInformation(
                types.Location(
                    uris.from_fs_path(workspace.file(place.span.path)) or "",
                    self.range_of(found.sources[place.span.path], place.span),
                ),
                place.message,
            )
            for place in finding.related
        ]
        return types.Diagnostic(
            range=self.range_of(found.sources[finding.primary.path], finding.primary),
            message=f"{finding.message}\n{finding.help}" if finding.help else finding.message,
            severity=_SEVERITIES[finding.severity],
            code=finding.rule,
            source="corslint",
            related_information=related or None,
        )

    # --- what can be done ---

    async def actions(self, params: types.CodeActionParams) -> list[types.CodeAction]:
        """The fixes of findings at a place, comments that take them back, and all safe fixes of the file."""
        found = await self.settled()
        workspace = self._workspace()
        path = self._path_of(workspace, params.text_document.uri)
        only = params.context.only
        actions: list[types.CodeAction] = []
        if path is None or path not in found.sources:
            return actions
        if _asked("quickfix", only):
            for finding in self._at(found, path, params.range):
                actions += self._quick_fixes(workspace, found, finding)
        fixable = any(one.fix is not None and one.fix.applicability == "safe" for one in found.findings.get(path, ()))
        if fixable and _asked(_FIX_ALL, only):
            changed = await asyncio.to_thread(workspace.fixed, path, self._open_files(workspace))
            if changed:
                title = "corslint: make all safe fixes of this file"
                edit = self._contents(workspace, found, changed)
                actions.append(types.CodeAction(title, kind=_FIX_ALL, edit=edit))
        return actions

    def _at(self, found: Checked, path: str, place: types.Range) -> list[Finding]:
        places = Places(found.sources[path], self.encoding)
        start = places.offset(Point(place.start.line, place.start.character))
        end = places.offset(Point(place.end.line, place.end.character))
        return [one for one in found.findings.get(path, ()) if one.primary.start <= end and start <= one.primary.end]

    def _quick_fixes(self, workspace: Workspace, found: Checked, finding: Finding) -> Iterable[types.CodeAction]:
        diagnostics = [self.diagnostic(workspace, finding, found)]
        quick = types.CodeActionKind.QuickFix
        fix = finding.fix
        if fix is not None and fix.applicability in ("safe", "unsafe"):
            warned = "" if fix.applicability == "safe" else " (changes who may read data)"
            yield types.CodeAction(
                f"{fix.title}{warned}",
                kind=quick,
                diagnostics=diagnostics,
                is_preferred=fix.applicability == "safe",
                edit=self._edits(workspace, found, fix.edits),
            )
        source = found.sources[finding.primary.path]
        ignored = workspace.ignored(finding, source)
        if ignored is not None:
            yield types.CodeAction(
                f"Ignore {finding.rule} here",
                kind=quick,
                diagnostics=diagnostics,
                edit=self._contents(workspace, found, {source.path: ignored}),
            )

    def _contents(self, workspace: Workspace, found: Checked, changed: Mapping[str, bytes]) -> types.WorkspaceEdit:
        """The edits that make these contents of the files."""
        edits = []
        for path, data in changed.items():
            source = found.sources.get(path) or SourceFile(path, b"")
            edits.append(_difference(source, data))
        return self._edits(workspace, found, edits)

    def _edits(self, workspace: Workspace, found: Checked, edits: Iterable[Edit]) -> types.WorkspaceEdit:
        versions = {document.uri: document.version for document in self.workspace.text_documents.values()}
        by_file = self._by_file(versions)
        by_path: dict[str, list[types.TextEdit | types.AnnotatedTextEdit | types.SnippetTextEdit]] = {}
        for edit in edits:
            place = self.range_of(found.sources[edit.span.path], edit.span)
            by_path.setdefault(edit.span.path, []).append(types.TextEdit(place, edit.text))
        changes = []
        for path, each in by_path.items():
            file = workspace.file(path)
            uri = by_file.get(os.path.normcase(file)) or uris.from_fs_path(file) or ""
            document = types.OptionalVersionedTextDocumentIdentifier(uri=uri, version=versions.get(uri))
            changes.append(types.TextDocumentEdit(document, each))
        return types.WorkspaceEdit(document_changes=changes)

    async def hover(self, params: types.HoverParams) -> types.Hover | None:
        """The page of the rule whose finding stands at a place."""
        found = await self.settled()
        path = self._path_of(self._workspace(), params.text_document.uri)
        if path is None or path not in found.sources:
            return None
        here = self._at(found, path, types.Range(params.position, params.position))
        if not here:
            return None
        pages = []
        for rule in dict.fromkeys(finding.rule for finding in here):
            known = lint.knowledge(found.rules).rules.rules.get(rule)
            if known is not None:
                pages.append(rulepages.about(known).markdown)
        text = types.MarkupContent(types.MarkupKind.Markdown, "\n---\n".join(pages))
        return types.Hover(text, self.range_of(found.sources[path], here[0].primary)) if pages else None

    @staticmethod
    def _path_of(workspace: Workspace, uri: str) -> str | None:
        file = uris.to_fs_path(uri)
        return workspace.path(file) if file is not None else None


def _asked(kind: str, only: Iterable[types.CodeActionKind | str] | None) -> bool:
    """Whether an editor wants actions of a kind: it names it, or a kind that it is one of."""
    if only is None:
        return kind == "quickfix"
    names = [one.value if isinstance(one, types.CodeActionKind) else one for one in only]
    return any(kind == name or kind.startswith(f"{name}.") for name in names)


def _difference(source: SourceFile, data: bytes) -> Edit:
    """The shortest single edit from one content to another, between whole characters."""
    old = source.data
    start = _shared(old, data)
    while start and (_is_inside(old, start) or _is_inside(data, start)):
        start -= 1
    same = _shared(old[start:][::-1], data[start:][::-1])
    while same and _is_inside(old, len(old) - same):
        same -= 1
    text = data[start : len(data) - same].decode("utf-8", "replace")
    return Edit(Span(source.path, start, len(old) - same), text)


def _shared(one: bytes, other: bytes) -> int:
    """How many bytes both begin with."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _is_inside(data: bytes, at: int) -> bool:
    """Whether a character of more than one byte goes on there."""
    return at < len(data) and data[at] & 0xC0 == 0x80


def make(options: Mapping[str, Any]) -> Server:
    """A server that is ready to be started."""
    server = Server(options)

    @server.feature(types.INITIALIZE)
    def initialize(params: types.InitializeParams) -> None:
        server.begin(params)

    @server.feature(types.INITIALIZED)
    async def initialized(_params: types.InitializedParams) -> None:
        known = server.client_capabilities.workspace
        watching = known.did_change_watched_files if known is not None else None
        if watching is not None and watching.dynamic_registration:
            watchers = [types.FileSystemWatcher(glob) for glob in _WATCHED]
            wanted = types.DidChangeWatchedFilesRegistrationOptions(watchers)
            registration = types.Registration("watch", types.WORKSPACE_DID_CHANGE_WATCHED_FILES, wanted)
            await server.client_register_capability_async(types.RegistrationParams([registration]))
        server.look_again()

    async def changed(_params: Any) -> None:
        server.look_again()

    for event in _CHANGES:
        server.feature(event)(changed)

    @server.feature(types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS)
    async def folders(params: types.DidChangeWorkspaceFoldersParams) -> None:
        server.change_folders(params.event.added, params.event.removed)

    kinds = types.CodeActionOptions([types.CodeActionKind.QuickFix, _FIX_ALL])

    @server.feature(types.TEXT_DOCUMENT_CODE_ACTION, kinds)
    async def actions(params: types.CodeActionParams) -> list[types.CodeAction]:
        return await server.actions(params)

    @server.feature(types.TEXT_DOCUMENT_HOVER)
    async def hover(params: types.HoverParams) -> types.Hover | None:
        return await server.hover(params)

    return server


def run(options: Mapping[str, Any], port: int | None = None) -> None:
    """Serve on standard input and output, or to one client at a port of loopback, until the editor ends it."""
    gc.enable()  # a command switches it off, and ends before that matters
    server = make(options)
    if port is None:
        server.start_io()
    else:
        server.start_tcp("127.0.0.1", port)
