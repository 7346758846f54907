"""How many findings each rule has: for people, or as JSON for those who keep count."""

from __future__ import annotations

import json

from corslint.model.finding import SEVERITIES, Finding
from corslint.report import Reported, counted

VERSION = 1


def render(report: Reported, output_format: str) -> str:
    """One line per rule, the gravest and most frequent first; a document for `json`."""
    by_rule: dict[tuple[str, str], list[Finding]] = {}
    for finding in report.findings:
        by_rule.setdefault((finding.severity, finding.rule), []).append(finding)
    ranked = sorted(by_rule.items(), key=lambda one: (SEVERITIES.index(one[0][0]), -len(one[1]), one[0][1]))
    rows = [
        {
            "rule": rule,
            "severity": severity,
            "count": len(found),
            "files": len({finding.primary.path for finding in found}),
            "fixable": sum(finding.fix is not None for finding in found),
        }
        for (severity, rule), found in ranked
    ]
    if output_format == "json":
        return json.dumps({"version": VERSION, "statistics": rows}, indent=2) + "\n"
    width = max((len(str(row["count"])) for row in rows), default=0)
    lines = []
    for row in rows:
        where = counted(int(str(row["files"])), "file")
        lines.append(f"{row['count']:>{width}}  {row['severity']:<7}  {row['rule']}  (in {where})\n")
    return "".join(lines)
