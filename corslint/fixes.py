"""Fixes: from a rule's fix to text edits, and from text edits to files that lint better than before.

`plan` turns a rule's `fix` into edits, or gives up: a fix is whole or not at all. `apply` and `fix_to_fixpoint` put the
edits of many findings together without touching a disk. `write` is the only function here that does.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from time import process_time
from typing import Any, Protocol

from corslint.editing import Change, Code, Data, Order, apply_changes
from corslint.model.edits import VERBS, edit_fault
from corslint.model.facts import Fact
from corslint.model.finding import Edit, Finding, Fix
from corslint.records import NamedTuple
from corslint.source import SourceFile, Span

ROUNDS = 20
"""How often the fixed files are linted for further fixes."""

_PATIENCE = 5.0
"""Seconds of processor time, after which no further fixes are tried. All are tried together first, so that only those
of huge files, or many that do no good, need as long."""


# --- plan ---


def plan(
    spec: Mapping[str, Any],
    bindings: Mapping[str, Fact],
    source: Callable[[str], SourceFile],
    render: Callable[[str], str],
) -> Fix | None:
    """The fix that a rule's `fix` mapping makes of these facts; None where any of its edits can't be made safely.

    `render` fills `{name.field}` in texts; a LookupError from it means that there is no such text here. A later edit
    sees what an earlier one did. libcst and tree-sitter are loaded for the files to edit: call it only for findings
    whose fix is wanted.
    """
    drafts: dict[str, _Draft] = {}
    try:
        for edit in spec["edits"]:
            order = _order(edit, bindings, render)
            if order is None:
                return None
            path = order.span.path
            if path not in drafts:
                drafts[path] = _Draft(source(path))
            if not drafts[path].carry_out(order):
                return None
        title = render(spec["title"])
    except (LookupError, OSError):
        return None
    edits = tuple(edit for path in sorted(drafts) for edit in drafts[path].edits())
    return Fix(title, spec["applicability"], edits) if edits else None


class _EditRequest(Protocol):
    @property
    def verb(self) -> str: ...
    @property
    def target(self) -> object: ...
    @property
    def arguments(self) -> Mapping[str, Any]: ...


class Request(Protocol):
    """A fix as the engine asks for it: its texts are filled in, and a target's `str()` is `name.field` or `name`."""

    @property
    def title(self) -> str:
        """What the fix does, for people."""

    @property
    def applicability(self) -> str:
        """One of `APPLICABILITY`."""

    @property
    def edits(self) -> Sequence[_EditRequest]:
        """The edits, in order."""


def planner(source: Callable[[str], SourceFile]) -> Callable[[Request, Mapping[str, Fact]], Fix | None]:
    """What the engine calls to have its filled-in fixes planned."""

    def plan_request(request: Request, bindings: Mapping[str, Fact]) -> Fix | None:
        edits = [{edit.verb: str(edit.target), **edit.arguments} for edit in request.edits]
        spec = {"title": request.title, "applicability": request.applicability, "edits": edits}
        return plan(spec, bindings, source, str)

    return plan_request


def _order(edit: Mapping[str, Any], bindings: Mapping[str, Fact], render: Callable[[str], str]) -> Order | None:
    if edit_fault(edit) is not None:
        return None
    verb = next(key for key in edit if key in VERBS)
    name, _, field = edit[verb].partition(".")
    fact = bindings.get(name)
    if fact is None:
        return None
    span, was = fact.span, None
    if field:
        found = fact.field(field)
        if verb in ("delete", "replace", "rename_key") and (found.state in ("absent", "default") or found.span is None):
            return None  # nothing is written there
        span = found.span or fact.span
        was = found.value if isinstance(found.value, str) and found.state == "written" else None
    new: Data | Code = None
    if "code" in edit:
        new = Code(render(edit["code"]))
    elif verb in ("replace", "set_option"):
        new = _rendered(edit["with" if verb == "replace" else "value"], render)
    key = tuple(render(edit["key"]).split(".")) if "key" in edit else ()
    if "key" in edit and not all(key):
        return None
    text = render(edit.get("to") or edit.get("text") or "")
    if verb in ("rename_key", "insert_directive") and not text.strip():
        return None
    other = None
    if "behind" in edit:
        name, _, field = edit["behind"].partition(".")
        if name not in bindings:
            return None
        other = (bindings[name].field(field).span if field else None) or bindings[name].span
        if other.path != span.path:
            return None
    return Order(verb, span, new, text, key, edit.get("argument"), was, other)


def _rendered(value: Data, render: Callable[[str], str]) -> Data:
    if isinstance(value, str):
        return render(value)
    if isinstance(value, Mapping):
        return {key: _rendered(inner, render) for key, inner in value.items()}
    if isinstance(value, Sequence):
        return [_rendered(inner, render) for inner in value]
    return value


def editor(path: str, verb: str = "") -> Callable[[SourceFile, Order], tuple[Change, ...] | None] | None:
    """The edits of the syntax that a file is written in; None for files that can't be edited.

    Comments can be deleted in any.
    """
    from corslint.parsers import kind_of

    if verb == "delete_comment":
        from corslint.editing import comments

        return comments.edit
    kind = kind_of(path)
    if kind == "python":
        from corslint.editing import python

        return python.edit
    if kind in ("javascript", "typescript", "tsx", "html", "component"):
        from corslint.editing import javascript

        return javascript.edit
    if kind == "nginx":
        from corslint.editing import nginx

        return nginx.edit
    return None  # also where a script writes a configuration: how it is quoted there is another language's


class _Draft:
    """A file under several edits, each placed by offsets in the original."""

    def __init__(self, source: SourceFile) -> None:
        self._original = source
        self._current = source
        # Pieces of the current text: (start, end) in the original, or new bytes.
        self._pieces: list[tuple[int, int] | bytes] = [(0, len(source.data))]

    def carry_out(self, order: Order) -> bool:
        """Make an edit; False where it can't be made."""
        change = editor(order.span.path, order.verb)
        start, end = self._now(order.span.start, order.span.end)
        if change is None or start is None or end is None:
            return False
        order = order._replace(span=Span(order.span.path, start, end))
        if order.other is not None:
            start, end = self._now(order.other.start, order.other.end)
            if start is None or end is None:
                return False
            order = order._replace(other=Span(order.span.path, start, end))
        try:
            changes = change(self._current, order)
        except UnicodeError:  # bytes that are not UTF-8 right at the place
            return False
        if changes is None:
            return False
        if changes:
            self._current = SourceFile(order.span.path, apply_changes(self._current.data, changes))
            for one in sorted(changes, reverse=True):
                self._splice(one)
        return True

    def _now(self, start: int, end: int) -> tuple[int | None, int | None]:
        """Where the bytes of the original stand now, None for those that are gone."""
        if start == end:
            return self._moved(start, False), self._moved(end, False)
        return self._moved(start, False), self._moved(end, True)

    def _moved(self, offset: int, is_end: bool) -> int | None:
        at = 0
        for piece in self._pieces:
            if isinstance(piece, bytes):
                at += len(piece)
                continue
            low, high = piece
            if low < offset <= high if is_end else (low <= offset < high or offset == low == high):
                return at + offset - low
            at += high - low
        return at if offset == len(self._original.data) else None

    def _splice(self, change: Change) -> None:
        pieces: list[tuple[int, int] | bytes] = []
        at = 0
        placed = False
        for piece in self._pieces:
            size = len(piece) if isinstance(piece, bytes) else piece[1] - piece[0]
            head, tail = max(0, min(size, change.start - at)), max(0, min(size, change.end - at))
            if head:
                pieces.append(piece[:head] if isinstance(piece, bytes) else (piece[0], piece[0] + head))
            if not placed and change.start <= at + size:
                pieces.append(change.text)
                placed = True
            if tail < size:
                pieces.append(piece[tail:] if isinstance(piece, bytes) else (piece[0] + tail, piece[1]))
            at += size
        self._pieces = [piece for piece in pieces if piece]

    def edits(self) -> list[Edit]:
        """The edits that make the current text out of the original."""
        edits: list[Edit] = []
        at = 0
        new = b""

        def close(until: int) -> None:
            if until > at or new:
                old = self._original.data[at:until]
                if old != new:
                    edits.append(Edit(Span(self._original.path, at, until), new.decode("utf-8", "surrogateescape")))

        for piece in self._pieces:
            if isinstance(piece, bytes):
                new += piece
                continue
            close(piece[0])
            at, new = piece[1], b""
        close(len(self._original.data))
        return edits


# --- apply ---


class FixResult(NamedTuple):
    """What came of fixing: the new bytes by path, how many fixes are in them, and which were not made, and why."""

    changed: Mapping[str, bytes]
    applied: int
    refused: tuple[tuple[Finding, str], ...]


def wanted(finding: Finding, *, unsafe: bool) -> bool:
    """Whether a finding has a fix that may be made."""
    return finding.fix is not None and finding.fix.applicability in (("safe", "unsafe") if unsafe else ("safe",))


def apply(findings: Sequence[Finding], sources: Callable[[str], SourceFile], *, unsafe: bool) -> FixResult:
    """Make all allowed fixes that do not touch each other, the earlier finding first, without linting again."""
    chosen, left = _apart([finding for finding in findings if wanted(finding, unsafe=unsafe)])
    return FixResult(_made(chosen, sources), len(chosen), tuple((finding, "overlaps another fix") for finding in left))


def _apart(findings: Sequence[Finding]) -> tuple[list[Finding], list[Finding]]:
    """The findings whose fixes can be made together, and those that have to wait."""
    taken: dict[str, list[Span]] = {}
    chosen: list[Finding] = []
    left: list[Finding] = []
    for finding in findings:
        edits = finding.fix.edits if finding.fix else ()
        if any(_touch(edit.span, other) for edit in edits for other in taken.get(edit.span.path, ())):
            left.append(finding)
            continue
        chosen.append(finding)
        for edit in edits:
            taken.setdefault(edit.span.path, []).append(edit.span)
    return chosen, left


def _touch(one: Span, other: Span) -> bool:
    """Whether two edits share a byte, or a place between two bytes: the order of two insertions would be a guess."""
    return one.start <= other.end and other.start <= one.end


def _made(findings: Sequence[Finding], sources: Callable[[str], SourceFile]) -> dict[str, bytes]:
    changes: dict[str, list[Change]] = {}
    for finding in findings:
        for edit in finding.fix.edits if finding.fix else ():
            text = edit.text.encode("utf-8", "surrogateescape")
            changes.setdefault(edit.span.path, []).append(Change(edit.span.start, edit.span.end, text))
    return {path: apply_changes(sources(path).data, changes[path]) for path in sorted(changes)}


# --- to the fixpoint ---


def fix_to_fixpoint(
    lint_again: Callable[[Mapping[str, bytes]], list[Finding]],
    findings: Sequence[Finding],
    sources: Callable[[str], SourceFile],
    unsafe: bool,
) -> FixResult:
    """Fix, lint the result, and fix what is left, until nothing changes.

    `lint_again` lints the same files with these bytes in place of those on disk. A fix stays only if its finding is
    gone and no other came up: for no rule does a file have more findings than before. Any other is taken back, and
    tried again when all else is mended: another run would try it, too. A note is no fault: it may come up where
    something graver went.
    """
    changed: dict[str, bytes] = {}
    refused: dict[_Key, tuple[Finding, str]] = {}
    until = process_time() + _PATIENCE
    applied = mended_when_refused = 0
    current = list(findings)
    for _ in range(ROUNDS):
        now = _overlaid(changed, sources)
        left = [one for one in current if wanted(one, unsafe=unsafe)]
        candidates, _waiting = _apart([one for one in left if _key(one, now) not in refused])
        if not candidates and applied > mended_when_refused:
            refused, mended_when_refused = {}, applied
            candidates, _waiting = _apart(left)
        if not candidates or process_time() > until:
            break
        kept = _Round(lint_again, current, now, changed, until)
        kept.attempt(candidates)
        for finding, reason in kept.refused:
            refused[_key(finding, now)] = (finding, reason)
        applied += len(kept.accepted)
        changed, current = dict(kept.changed), kept.findings
    else:
        now = _overlaid(changed, sources)
        for finding in current:
            if wanted(finding, unsafe=unsafe):
                refused.setdefault(_key(finding, now), (finding, f"not settled after {ROUNDS} rounds"))
    changed = {path: data for path, data in changed.items() if data != sources(path).data}
    return FixResult(changed, applied, tuple(refused.values()))


def _overlaid(changed: Mapping[str, bytes], sources: Callable[[str], SourceFile]) -> Callable[[str], SourceFile]:
    """The files as they stand after some changes."""

    def now(path: str) -> SourceFile:
        return SourceFile(path, changed[path]) if path in changed else sources(path)

    return now


_Key = tuple[str, str, str, str]


def _key(finding: Finding, sources: Callable[[str], SourceFile]) -> _Key:
    """What a finding is recognised by after other edits moved it."""
    return finding.rule, finding.primary.path, finding.message, sources(finding.primary.path).text(finding.primary)


class _Round:
    """Fixes that are tried together on the same text; where they fail, halves of them, down to the one at fault."""

    def __init__(
        self,
        lint_again: Callable[[Mapping[str, bytes]], list[Finding]],
        findings: list[Finding],
        sources: Callable[[str], SourceFile],
        changed: Mapping[str, bytes],
        until: float,
    ) -> None:
        self._lint_again = lint_again
        self._until = until
        self._sources = sources
        self._base = changed
        self.findings = findings
        self.changed = changed
        self.accepted: list[Finding] = []
        self.refused: list[tuple[Finding, str]] = []

    def attempt(self, candidates: Sequence[Finding]) -> None:
        """Accept the fixes that do good, refuse the others."""
        if process_time() > self._until:
            self.refused += [(one, "not tried, as it would take too long: run it again") for one in candidates]
            return
        trial = [*self.accepted, *candidates]
        changed = {**self._base, **_made(trial, self._sources)}
        after = self._lint_again(changed)
        fault = _fault(candidates, self.findings, after)
        if fault is None:
            self.accepted, self.changed, self.findings = trial, changed, after
        elif len(candidates) == 1:
            self.refused.append((candidates[0], fault))
        else:
            half = len(candidates) // 2
            self.attempt(candidates[:half])
            self.attempt(candidates[half:])


def undecided(at: Span) -> Finding:
    """What stands among the findings for a policy of which cannot be told whom it lets in."""
    return Finding("a policy that cannot be told", "warning", "tool", "high", "cannot be told", "", at)


def _fault(fixed: Sequence[Finding], before: Sequence[Finding], after: Sequence[Finding]) -> str | None:
    """Why these fixes may not stay, None where they may. Another fix may have silenced a finding before its own did."""
    was, now = Counter(map(_place, before)), Counter(map(_place, after))
    notes_count = any(finding.severity == "note" for finding in fixed)
    grave = {_place(one) for one in after if notes_count or one.severity != "note" or one.effect == "tool"}
    for (rule, path), times in now.items():
        if times > was[rule, path] and (rule, path) in grave:
            return f"the fix brings up {rule} in {path}"
    said, says = Counter(map(_said, before)), Counter(map(_said, after))
    for what, times in Counter(map(_said, fixed)).items():
        if says[what] > max(0, said[what] - times):
            return "the finding is still there after the fix"
    for (rule, path), times in Counter(map(_place, fixed)).items():
        if now[rule, path] > max(0, was[rule, path] - times):
            return f"the fix trades one {rule} for another in {path}"
    return None


def _place(finding: Finding) -> tuple[str, str]:
    return finding.rule, finding.primary.path


def _said(finding: Finding) -> tuple[str, str, str]:
    return finding.rule, finding.primary.path, finding.message


# --- files ---


class WriteRefusedError(Exception):
    """Nothing was written; `path` is the file that stood in the way, and `reason` why."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


def write(changed: Mapping[str, bytes], originals: Callable[[str], SourceFile], *, root: str = ".") -> None:
    """Write the new contents, all of them or none.

    Each file is replaced in one step by a finished copy from the same folder, with its mode kept. A symbolic link stays
    one: its target is written, if that lies below `root`. Raises WriteRefusedError, with every file as it was, where a
    file is no longer what was read, leads out of `root`, or can't be written.
    """
    targets = {path: _target(path, originals(path), root) for path in sorted(changed)}
    names: dict[str, str] = {}
    for path, target in targets.items():
        # Under two names a file would get two contents, one over the other.
        if changed[names.setdefault(target, path)] != changed[path]:
            raise WriteRefusedError(path, f"it is the same file as {names[target]}, which is fixed otherwise")
    staged: list[tuple[str, str, str]] = []
    done: list[tuple[str, str]] = []
    path = ""
    try:
        for path, target in targets.items():
            staged.append((path, target, _staged(target, changed[path])))
        for path, target, _ in staged:
            if _target(path, originals(path), root) != target:
                raise WriteRefusedError(path, "it was replaced meanwhile")
        while staged:
            path, target, copy = staged[0]
            os.replace(copy, target)
            staged.pop(0)
            done.append((path, target))
    except (OSError, WriteRefusedError) as error:
        for written, target in done:
            os.replace(_staged(target, originals(written).data), target)
        if isinstance(error, WriteRefusedError):
            raise
        raise WriteRefusedError(path, error.strerror or str(error)) from error
    finally:
        for _, _, copy in staged:
            os.unlink(copy)


def _target(path: str, original: SourceFile, root: str) -> str:
    """The file behind a path, if it may be written and still has the bytes that were read."""
    target = os.path.realpath(path)
    bound = os.path.realpath(root)
    if target != bound and not target.startswith(os.path.join(bound, "")):
        raise WriteRefusedError(path, "it leads out of the project")
    try:
        mode = os.stat(target).st_mode
        if not stat.S_ISREG(mode):
            raise WriteRefusedError(path, "it is not a regular file")
        # Whoever may write everything has said of this file, too, that it is not to be written.
        if not mode & 0o222 or not os.access(target, os.W_OK):
            raise WriteRefusedError(path, "it is read-only")
        if not os.access(os.path.dirname(target), os.W_OK):
            raise WriteRefusedError(path, "its folder is read-only, and a file is replaced as a whole")
        with open(target, "rb") as file:
            same = SourceFile(path, file.read()).digest == original.digest
    except OSError as error:
        raise WriteRefusedError(path, error.strerror or str(error)) from error
    if not same:
        raise WriteRefusedError(path, "it changed since it was read")
    return target


def _staged(target: str, data: bytes) -> str:
    """A finished copy beside the target, with its mode and, where that is allowed, its owner."""
    import tempfile

    status = os.stat(target)
    handle, copy = tempfile.mkstemp(prefix=".corslint-", suffix=".tmp", dir=os.path.dirname(target))
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if hasattr(os, "chown") and (os.stat(copy).st_uid, os.stat(copy).st_gid) != (status.st_uid, status.st_gid):
            with contextlib.suppress(PermissionError):
                os.chown(copy, status.st_uid, status.st_gid)
        os.chmod(copy, stat.S_IMODE(status.st_mode))
    except BaseException:
        os.unlink(copy)
        raise
    return copy


# --- diff ---

_CONTEXT = 3


def diff(changed: Mapping[str, bytes], originals: Callable[[str], SourceFile]) -> str:
    """The changes as one unified diff, as `git apply` and `patch -p1` take it.

    Lines end at line feeds only; bytes that are not UTF-8 are kept as surrogate escapes.
    """
    return "".join(_file_diff(path, originals(path).data, changed[path]) for path in sorted(changed))


def _lines(data: bytes) -> list[str]:
    return [line.decode("utf-8", "surrogateescape") for line in data.split(b"\n")]


def _file_diff(path: str, old: bytes, new: bytes) -> str:
    if old == new:
        return ""
    import difflib

    before, after = _ended(_lines(old)), _ended(_lines(new))
    # What both have in common at either end is left out of the comparison: it is quadratic at worst.
    head = 0
    while head < min(len(before), len(after)) and before[head] == after[head]:
        head += 1
    tail = 0
    while tail < min(len(before), len(after)) - head and before[-1 - tail] == after[-1 - tail]:
        tail += 1
    skip, drop = max(0, head - _CONTEXT), max(0, tail - _CONTEXT)
    before, after = before[skip : len(before) - drop], after[skip : len(after) - drop]
    name = path + "\t" if any(character.isspace() for character in path) else path
    pieces = [f"--- a/{name}\n+++ b/{name}\n"]
    for group in difflib.SequenceMatcher(None, before, after, autojunk=False).get_grouped_opcodes(_CONTEXT):
        first, last = group[0], group[-1]
        pieces.append(f"@@ -{_range(first[1], last[2], skip)} +{_range(first[3], last[4], skip)} @@\n")
        for tag, low, high, new_low, new_high in group:
            if tag == "equal":
                pieces += [_shown(" ", line) for line in before[low:high]]
                continue
            pieces += [_shown("-", line) for line in before[low:high]]
            pieces += [_shown("+", line) for line in after[new_low:new_high]]
    return "".join(pieces)


def _ended(lines: list[str]) -> list[str]:
    """Lines with their line feeds; the last one has none where the file doesn't end in one."""
    ended = [line + "\n" for line in lines[:-1]]
    return [*ended, lines[-1]] if lines[-1] else ended


def _shown(mark: str, line: str) -> str:
    return mark + line if line.endswith("\n") else f"{mark}{line}\n\\ No newline at end of file\n"


def _range(low: int, high: int, skip: int) -> str:
    """A hunk's lines, 1-based; an empty range is named by the line before it."""
    length = high - low
    start = low + skip + (1 if length else 0)
    return str(start) if length == 1 else f"{start},{length}"
