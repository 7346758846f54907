"""Folders that an editor has open, checked with the unsaved contents of its files in place of those on the disk."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from corslint import command_line, fixes, lint
from corslint.cache import Memory
from corslint.discovery import Context
from corslint.editing import ignores
from corslint.model.finding import Finding
from corslint.parsers import kind_by_content
from corslint.paths import relative
from corslint.records import NamedTuple
from corslint.result import Report
from corslint.settings import Settings
from corslint.source import SourceFile


class Checked(NamedTuple):
    """What a check found, by path; a file that was checked and has nothing is there with nothing.

    `sources` are the texts that the places count in: of open files as they were when the check began. `rules` are the
    folders of rules that settings name.
    """

    findings: Mapping[str, tuple[Finding, ...]]
    sources: Mapping[str, SourceFile]
    rules: tuple[str, ...] = ()


class Workspace:
    """The open folders. Paths are relative to the working directory, with `/`."""

    def __init__(
        self, folders: Sequence[str], options: Mapping[str, Any], cwd: str, memory: Memory | None = None
    ) -> None:
        """`folders` are absolute paths; `options` are those of the command line that say which settings count.

        With a `memory` that several checks have in common, only what changed between them is read again.
        """
        self._folders = tuple(dict.fromkeys(folders))
        self._options = options
        self._cwd = cwd
        self._memory = memory

    def path(self, file: str) -> str:
        """The path of a file, of which the absolute one is given."""
        return relative(file, self._cwd)

    def file(self, path: str) -> str:
        """The absolute path."""
        return os.path.normpath(os.path.join(self._cwd, path))

    def check(self, open_files: Mapping[str, bytes]) -> Checked:
        """Check everything. `open_files` are contents by path; also of files that are not on the disk.

        Raises:
            UsageError: a settings file is wrong; the text names it.
            YamlError: a rule of the project's own is wrong.

        """
        found: dict[str, tuple[Finding, ...]] = {}
        sources: dict[str, SourceFile] = {}
        rules: dict[str, None] = {}
        read: set[str] = set()
        for context, settings in self._contexts(open_files):
            report = self._linted(context, settings, open_files)
            read.update(context.files)
            shown: dict[str, list[Finding]] = {path: [] for path in context.lint}
            for finding in report.findings:
                shown.setdefault(finding.primary.path, []).append(finding)
                for path in _paths(finding):
                    sources[path] = report.sources(path)
            found |= {path: tuple(findings) for path, findings in shown.items()}
            sources |= {path: report.sources(path) for path in open_files if path in context.files}
            rules |= dict.fromkeys(settings.rules)
        if self._memory is not None:
            self._memory.forget_others(read)
        return Checked(found, sources, tuple(rules))

    def fixed(self, path: str, open_files: Mapping[str, bytes]) -> dict[str, bytes]:
        """What `--fix` makes of the files that the safe fixes of one file touch: contents by path."""
        for context, settings in self._contexts(open_files):
            if path in context.lint:
                return self._fixed(context, settings, path, open_files)
        return {}

    def ignored(self, finding: Finding, source: SourceFile) -> bytes | None:
        """The file with a comment that takes a finding back; None where no comment can stand."""
        added = ignores.add(source, [finding])
        return added.data if added.taken_back else None

    def _fixed(
        self, context: Context, settings: Settings, path: str, open_files: Mapping[str, bytes]
    ) -> dict[str, bytes]:
        def findings_of(report: Report) -> list[Finding]:
            every = [*report.findings, *(one._replace(fix=None) for one in report.live if one not in report.findings)]
            mine = (one if one.primary.path == path else one._replace(fix=None) for one in every)
            return [*mine, *map(fixes.undecided, report.undecided)]

        def again(changed: Mapping[str, bytes]) -> list[Finding]:
            return findings_of(self._linted(context, settings, {**open_files, **changed}))

        before = self._linted(context, settings, open_files)
        return dict(fixes.fix_to_fixpoint(again, findings_of(before), before.sources, unsafe=False).changed)

    def _linted(self, context: Context, settings: Settings, contents: Mapping[str, bytes]) -> Report:
        return lint.lint(context, settings, contents, with_fixes=True, memory=self._memory)

    def _contexts(self, open_files: Mapping[str, bytes]) -> list[tuple[Context, Settings]]:
        """The folders, or the repositories of the open files where there is no folder; with files that are new."""
        folders = [self.path(folder) for folder in self._folders if os.path.isdir(folder)]
        paths = folders or [path for path in open_files if os.path.lexists(self.file(path))]
        if not paths:
            return []
        return [
            (self._with_new(context, settings, open_files), settings)
            for context, settings in command_line.contexts(paths, self._cwd, self._options)
        ]

    def _with_new(self, context: Context, settings: Settings, open_files: Mapping[str, bytes]) -> Context:
        root = "" if context.root == "." else f"{context.root}/"
        new = {
            path
            for path, data in open_files.items()
            if path not in context.files
            and path.startswith(root)
            and not path.startswith("../")
            and not os.path.isabs(path)
            and not os.path.lexists(self.file(path))
            and not settings.excludes(path)
            and kind_by_content(path, data) is not None
        }
        if not new:
            return context
        return context._replace(lint=context.lint | new, files=tuple(sorted({*context.files, *new})))


def _paths(finding: Finding) -> set[str]:
    edits = finding.fix.edits if finding.fix is not None else ()
    return {finding.primary.path, *(place.span.path for place in finding.related), *(edit.span.path for edit in edits)}
