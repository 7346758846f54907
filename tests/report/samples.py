"""Findings to write: an ordinary one, and what strangers' files may hold that a format must not let through."""

from __future__ import annotations

from typing import Any

from corslint.model.finding import Edit, Finding, Fix, Place
from corslint.report import PLAIN, Merged, Run, format_named
from corslint.source import SourceFile, Span

SOURCE = SourceFile("src/a.js", "// é\nlet x = '日本';\n".encode())
OTHER = SourceFile("b.conf", b"\n\nadd_header A b;\n")
SOURCES = {SOURCE.path: SOURCE, OTHER.path: OTHER}.__getitem__

AT = SOURCE.data.index("日".encode())
FINDING = Finding(
    "a-rule",
    "error",
    "broken",
    "medium",
    "`日本` is\nno origin",
    "write one",
    Span("src/a.js", AT, AT + 6),
    (Place(Span("b.conf", 2, 12), "added here"),),
)


def report(*findings: Finding, **changes: Any) -> Merged:
    return Merged(findings, 3, 0, 0, {}, SOURCES)._replace(**changes)


def written(name: str, whole: Merged, run: Run = PLAIN) -> str:
    """What a format writes."""
    return "".join(format_named(name).render(whole, run))


# What a file may be called, and what may stand in it: each has hurt some tool.
NASTY = (
    "\x1b[2J\x1b]8;;http://x.test\x07",  # drives a terminal
    "\x9b31m\x85\u2028\x00\x7f\ufffe\uffff",  # C1, line separators, what XML cannot say
    "\u202e\u2066evil\u2069\u200b",  # turns the direction of text
    "::error file=src/main.js,line=1::injected",
    "%0A::warning::injected%0D%25",
    "\n::add-mask::x\r\n##[error]injected ##vso[task.complete]",
    '"/><error line="1"/>]]>&amp;<!--',
    "\udcff\udc80",  # bytes that are not UTF-8
    "\ud800 \U0001f600",
    "[a](javascript:alert) <img src=x> `*_",
    "a: error: b [other-rule]",
    "src/main.js:1:1: error: injected [other-rule]",
    "\\..\\C:\\x /",
    "{0} ${x} %s",
    "x" * 5000,
)


def hostile() -> Merged:
    """One finding for each piece of `NASTY`, with it in the path, the source, every text, and the fix."""
    sources: dict[str, SourceFile] = {}
    findings = []
    for number, nasty in enumerate(NASTY):
        for path in (nasty.replace("\x00", ""), f"{number}/{nasty}.js".replace("\x00", "")):
            data = f"{nasty}\n{nasty}: '*'\n".encode("utf-8", "surrogatepass")
            sources[path] = SourceFile(path, data)
            at = data.rindex(b"'*'")
            fix = Fix(nasty, "unsafe", (Edit(Span(path, at, at + 3), nasty),))
            span = Span(path, at, at + 3)
            related = (Place(Span(path, 0, at + 3), nasty),)
            severity = ("error", "warning", "note")[number % 3]
            findings.append(Finding("a-rule", severity, "tool", "high", nasty, nasty, span, related, fix))
    findings.sort(key=lambda finding: finding.primary.path)
    return Merged(tuple(findings), len(sources), 0, 0, {"minified": 1}, sources.__getitem__)
