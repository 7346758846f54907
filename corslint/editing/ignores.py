"""Writes ignore comments: above the line of a finding if a comment can stand there, else behind it, else not at all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from corslint.editing import Change, apply_changes, indentation, line_end, line_start, newline
from corslint.editing.comments import is_harmless
from corslint.model.finding import Finding
from corslint.parsers import comments, kind_by_content
from corslint.records import NamedTuple
from corslint.source import SourceFile, Span
from corslint.suppression import Marked

_HASH, _SLASHES, _STARS, _JSX, _MARKUP = ("# ", ""), ("// ", ""), ("/* ", " */"), ("{/* ", " */}"), ("<!-- ", " -->")
_MARKS: Mapping[str | None, tuple[tuple[str, str], ...]] = {
    **dict.fromkeys(("javascript", "typescript", "tsx"), (_SLASHES, _JSX, _STARS)),
    **dict.fromkeys(("html", "component"), (_SLASHES, _MARKUP, _JSX)),
}

_READ_AGAIN = 1_000_000
"""Bytes. Each comment is checked by reading the file again; so much is read, or the findings of a huge file that
somebody wrote to hold up others would take hours."""


class Added(NamedTuple):
    """A file with comments for its findings, how many findings these take back, and the findings left without one."""

    data: bytes
    taken_back: int
    left: tuple[Finding, ...]


def add(source: SourceFile, findings: Iterable[Finding], reason: str = "") -> Added:
    """Take back these findings, which all stand in this file. Code, line ends and indentation stay as they are."""
    here = Marked(source)
    by_lines: dict[tuple[int, int], list[Finding]] = {}
    for finding in findings:
        by_lines.setdefault(here.lines(finding.primary.start), []).append(finding)
    data, count, reading = source.data, 0, 0
    left: list[Finding] = []
    for _, group in sorted(by_lines.items(), reverse=True):  # from the end, so that the places of the others hold
        reading += len(data)
        if reading > max(_READ_AGAIN, len(data)):
            left += group
            continue
        changed = _with_comment(SourceFile(source.path, data), group, reason)
        if changed is None:
            left += group
        else:
            data = changed
            count += len(group)
    return Added(data, count, tuple(sorted(left, key=lambda finding: (finding.primary, finding.rule))))


def _with_comment(source: SourceFile, group: Sequence[Finding], reason: str) -> bytes | None:
    """The file with the findings of one line taken back; None where no comment can do that."""
    if not source.data or all(finding.primary.start == finding.primary.end == 0 for finding in group):
        return None  # about the file as a whole
    remarks = comments.read(source)
    for change in _candidates(source, group, reason):
        if not is_harmless(source, remarks, change):
            continue
        data = apply_changes(source.data, [change])
        marked = Marked(SourceFile(source.path, data))
        if all(marked.suppresses(_moved(finding, change)) for finding in group):
            return data
    return None


def _moved(finding: Finding, change: Change) -> Finding:
    span = finding.primary
    by = len(change.text) if change.start <= span.start else 0
    return finding._replace(primary=Span(span.path, span.start + by, span.end + by))


def _candidates(source: SourceFile, group: Sequence[Finding], reason: str) -> Iterator[Change]:
    """Insertions that may take the findings back, the nicest first."""
    data = source.data
    rules = sorted({finding.rule for finding in group})
    at = min(finding.primary.start for finding in group)
    marked = Marked(source)
    for directive in reversed(marked.directives):
        if directive.verb == "ignore" and directive.named and marked.speaks(directive, at):
            known = {named.rule for named in directive.named}
            more = "".join(f", {rule}" for rule in rules if rule not in known)
            end = directive.named[-1].span.end
            yield Change(end, end, more.encode())
    kind = kind_by_content(source.path, data)
    said = _reason(reason, data, kind)
    text = f"corslint: ignore[{', '.join(rules)}]{f' {said}' if said else ''}"
    first, last = marked.lines(at)
    above = source.line_span(first).start
    behind = line_end(data, source.line_span(last).start)
    for before, after in _MARKS.get(kind, (_HASH,)):
        comment = f"{before}{text}{after}".encode()
        start = line_start(data, above)
        yield Change(start, start, indentation(data, above) + comment + newline(data, above))
    for before, after in _MARKS.get(kind, (_HASH,)):
        yield Change(behind, behind, f"  {before}{text}{after}".encode())


def _reason(reason: str, data: bytes, kind: str | None) -> str:
    """The reason on one line, without what could end the comment or mean something to a shell."""
    text = " ".join(reason.split())
    for ending in ("*/", "-->", *(("$", "`", "\\") if kind in ("shell", "dockerfile") else ())):
        text = text.replace(ending, " ")
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:  # in whatever encoding the file is, it is one that has ASCII
        text = text.encode("ascii", "replace").decode("ascii")
    return " ".join(text.split())
