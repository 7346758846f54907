"""SARIF 2.1.0, for code scanning and for whatever else reads the standard.

Lines and columns as everywhere: from 1, columns count code points, ends are exclusive. Places have byte offsets too.
Paths are relative to `%SRCROOT%`, the top of the repository, whose place on this machine is nobody's business.

What GitHub makes of it: https://docs.github.com/en/code-security/reference/code-scanning/sarif-files
"""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Iterator, Sequence
from functools import lru_cache
from operator import mul
from urllib.parse import quote

import corslint
from corslint.model.finding import Finding, Fix
from corslint.model.fingerprint import VERSION, fingerprints
from corslint.report import PLAIN, Reported, RuleAbout, Run, neutral, passed_over_words, shown_path
from corslint.report._json import Written, dumps, written
from corslint.source import SourceFile, Span

WANTS_FIXES = True

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_ROOT = "%SRCROOT%"
_PROBLEM = {"error": "error", "warning": "warning", "note": "recommendation"}

_SECURITY = {"error": "8.0", "warning": "5.0", "note": "2.0"}
"""What GitHub calls high, medium and low."""


def render(report: Reported, run: Run = PLAIN) -> Iterator[str]:
    """The whole report as one document."""
    rules = sorted({finding.rule for finding in report.findings})
    yield dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [_run(report, run, rules)]}) + "\n"


def _run(report: Reported, run: Run, rules: Sequence[str]) -> dict[str, object]:
    writer = _Writer(report, run)
    names = fingerprints(report.findings, report.sources, run.name)
    driver = {
        "name": "corslint",
        "semanticVersion": corslint.__version__,
        "rules": [_written_rule(run.about(rule)) for rule in rules],
    }
    return {
        "tool": {"driver": driver},
        "invocations": [{"executionSuccessful": True, "toolExecutionNotifications": list(writer.notifications())}],
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {
            _ROOT: {"description": {"text": "The top of the repository, or else the folder where corslint ran."}}
        },
        "results": [
            writer.result(finding, rules.index(finding.rule), name)
            for finding, name in zip(report.findings, names, strict=True)
        ],
    }


# --- rules -----------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=256)
def _written_rule(about: RuleAbout) -> Written:
    """A rule, which is the same in every report of a process."""
    return written(_rule(about))


def _rule(about: RuleAbout) -> dict[str, object]:
    return {
        "id": about.id,
        "name": "".join(part.capitalize() for part in about.id.split("-")),
        "shortDescription": {"text": about.title},
        "fullDescription": {"text": _first_paragraph(about)},
        "help": {"text": about.text, "markdown": about.markdown},
        **({"helpUri": about.references[0]} if about.references else {}),
        "defaultConfiguration": {"level": about.severity},
        "properties": _properties(about),
    }


def _first_paragraph(about: RuleAbout) -> str:
    return " ".join(about.text.partition("\n\n")[0].split()) or about.title


def _properties(about: RuleAbout) -> dict[str, object]:
    exploitable = "exploitable" in about.effects
    made: dict[str, object] = {
        "tags": ["cors", "security" if exploitable else "correctness"],
        "precision": "high",  # what could not be determined makes no finding
        "problem.severity": _PROBLEM[about.severity],
    }
    if exploitable:
        made["security-severity"] = _SECURITY[about.severity]
    return made


# --- results ---------------------------------------------------------------------------------------------------------


class _Writer:
    """Makes the parts of a run that speak of places."""

    def __init__(self, report: Reported, run: Run) -> None:
        self._report = report
        self._run = run
        self._hashes: dict[str, _LineHashes] = {}

    def result(self, finding: Finding, rule_index: int, fingerprint: str) -> dict[str, object]:
        """One finding."""
        related = [
            {"id": number, **self._location(place.span), "message": {"text": _plain(place.message)}}
            for number, place in enumerate(finding.related, 1)
        ]
        fix = finding.fix and finding.fix.applicability != "placeholder" and self._fix(finding.fix)
        return {
            "ruleId": finding.rule,
            "ruleIndex": rule_index,
            "level": finding.severity,
            "message": {"text": self._message(finding)},
            "locations": [self._location(finding.primary)],
            **({"relatedLocations": related} if related else {}),
            "partialFingerprints": {
                f"corslint/v{VERSION}": fingerprint,
                "primaryLocationLineHash": self._line_hash(finding.primary),
            },
            **({"fixes": [fix]} if fix else {}),
            "properties": {"effect": finding.effect, "confidence": finding.confidence},
        }

    def notifications(self) -> Iterator[dict[str, object]]:
        """What could not be checked: files that were passed over, and those of findings about reading them."""
        for finding in self._report.findings:
            if finding.effect == "tool":
                yield {
                    "level": finding.severity,
                    "message": {"text": _plain(finding.message)},
                    "locations": [self._location(finding.primary)],
                    "descriptor": {"id": finding.rule},
                }
        for reason, count in self._report.passed_over.items():
            words = passed_over_words(reason, count)
            yield {
                "level": "note",
                "message": {"text": f"passed over {words}"},
                "descriptor": {"id": "passed-over"},
            }

    def _message(self, finding: Finding) -> str:
        """What is wrong, what to do, and links to the other places: GitHub shows no related place without one."""
        paragraphs = [_plain(finding.message)]
        if finding.help:
            paragraphs.append(_plain(finding.help))
        links = []
        for number, place in enumerate(finding.related, 1):
            line = self._report.sources(place.span.path).position(place.span.start).line
            where = f"{shown_path(self._run.name(place.span.path))}:{line}"
            links.append(f"[{_in_link(where)}]({number}): {_plain(place.message)}")
        return "\n\n".join([*paragraphs, *(["\n".join(links)] if links else [])])

    def _location(self, span: Span) -> dict[str, object]:
        source = self._report.sources(span.path)
        return {
            "physicalLocation": {
                "artifactLocation": artifact(self._run.name(span.path)),
                "region": _region(source, span),
            }
        }

    def _fix(self, fix: Fix) -> dict[str, object] | None:
        """A fix with its edits file by file; None where JSON cannot hold the bytes."""
        changes: dict[str, list[dict[str, object]]] = {}
        for edit in fix.edits:
            if not _is_unicode(edit.text):
                return None
            replacement: dict[str, object] = {"deletedRegion": _region(self._report.sources(edit.span.path), edit.span)}
            if edit.text:
                replacement["insertedContent"] = {"text": edit.text}
            changes.setdefault(edit.span.path, []).append(replacement)
        if not changes:
            return None
        return {
            "description": {"text": _plain(fix.title)},
            "artifactChanges": [
                {"artifactLocation": artifact(self._run.name(path)), "replacements": replacements}
                for path, replacements in changes.items()
            ],
            "properties": {"applicability": fix.applicability},
        }

    def _line_hash(self, span: Span) -> str:
        source = self._report.sources(span.path)
        if span.path not in self._hashes:
            self._hashes[span.path] = _LineHashes(source)
        return self._hashes[span.path].of(source.position(span.start).line)


def _plain(text: str) -> str:
    """Text of a message. `](` would make what stands before it a link; there is no way to escape that."""
    return neutral(text).replace("](", "] (")


def _in_link(text: str) -> str:
    return re.sub(r"([\\\[\]])", r"\\\1", text)


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def artifact(path: str, *, windows: bool = os.name == "nt") -> dict[str, object]:
    """Where a file is: relative to the root, or else (on another drive, outside every root) a `file:` URI."""
    if windows and re.match(r"[A-Za-z]:/", path):
        return {"uri": f"file:///{path[:2]}{_quoted(path[2:])}"}
    if windows and path.startswith("//"):
        return {"uri": f"file:{_quoted(path)}"}
    if path.startswith("/"):
        return {"uri": f"file://{_quoted(path)}"}
    return {"uri": _quoted(path), "uriBaseId": _ROOT}


def _quoted(path: str) -> str:
    try:
        name = path.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # Windows: any 16-bit units make a name
        name = path.encode("utf-8", "surrogatepass")
    # A colon in the first part of a relative reference would end a scheme: all are escaped.
    return quote(name, safe="/~")


def _region(source: SourceFile, span: Span) -> dict[str, int]:
    start = min(span.start, len(source.data))
    end = max(start, min(span.end, len(source.data)))
    first, last = source.position(start), source.position(end)
    return {
        "startLine": first.line,
        "startColumn": first.column,
        "endLine": last.line,
        "endColumn": last.column,
        "byteOffset": start,
        "byteLength": end - start,
    }


# --- GitHub's own fingerprint ----------------------------------------------------------------------------------------


class _LineHashes:
    """`primaryLocationLineHash`, as GitHub's upload action works it out where it is missing.

    A line's hash is a polynomial over its first 100 UTF-16 units that are no space and no tab, and those of the lines
    after it; equal ones are numbered. Another value than the action's own makes it warn, and uploads without the action
    have no other (`src/fingerprints.ts` in https://github.com/github/codeql-action).
    """

    _SIZE = 100
    _POWERS = tuple(pow(37, place, 1 << 64) for place in reversed(range(_SIZE)))

    def __init__(self, source: SourceFile) -> None:
        text = source.data.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")
        text = text.replace(" ", "").replace("\t", "")
        self._units = (text + "\uffff" + "\0" * self._SIZE).encode("utf-16-le", "surrogatepass")
        self._starts = [0]
        at = 0
        plain = text.isascii()
        for line in text.split("\n")[:-1]:
            at += 2 * len(line) + 2 if plain else len(line.encode("utf-16-le", "surrogatepass")) + 2
            self._starts.append(at)
        self._numbered: list[tuple[bytes, int]] | None = None

    def of(self, line: int) -> str:
        """The hash of a 1-based line, and its number among equal ones."""
        if self._numbered is None:
            seen: dict[bytes, int] = {}
            self._numbered = []
            for start in self._starts:
                window = self._units[start : start + 2 * self._SIZE]
                seen[window] = seen.get(window, 0) + 1
                self._numbered.append((window, seen[window]))
        window, number = self._numbered[line - 1]
        value = sum(map(mul, struct.unpack(f"<{self._SIZE}H", window), self._POWERS)) % (1 << 64)
        return f"{value:x}:{number}"
