"""A page to look at: the project as a picture with the findings on it, and each finding with its source.

The script only filters, sorts and remembers the colours that were chosen. The same run writes the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from corslint.model.diagram import Connection, Diagram, Node
from corslint.model.finding import EFFECTS, SEVERITIES, Finding
from corslint.model.tri import Tri
from corslint.records import NamedTuple
from corslint.report import (
    LEFT_OUT,
    PLAIN,
    Reported,
    RuleAbout,
    Run,
    counted,
    listed,
    passed_over_words,
    severities,
    shown_path,
)
from corslint.report._drawing import KINDS, SIGNS, Flag, Flags, narrow, wide
from corslint.report._excerpt import difference, excerpt, place
from corslint.report._markup import Markup, breaking, element, joined, prose
from corslint.report._page import document
from corslint.report._placing import Placed, cut, placed

WANTS_FIXES = True
WANTS_DIAGRAM = True

_WITH_SOURCE = 300
"""Findings that are shown with their source and fix; the most severe, where there are more."""
_OPEN = 40
"""Up to so many findings, the source of each is open from the beginning."""
_MOST = 5000
"""Findings that are listed at all."""
_DRAWN = 120
"""Nodes that a picture has: nobody follows the lines between more."""
_MOST_FILES = 6
"""Files that the summary names."""

_EFFECTS = {
    "exploitable": "an attacker can use it",
    "broken": "browsers refuse it, or it never connects",
    "degraded": "it works, but not as well as it should",
    "policy": "it works, and is worth a thought",
    "tool": "could not be read, or is about corslint itself",
}
_HOW = {
    "safe": ("corslint check --fix", "makes this change."),
    "unsafe": ("corslint check --fix --unsafe-fixes", "makes this change: read it first, it may change who gets in."),
    "placeholder": ("", "By hand: fill in what stands in <>."),
}


class _Numbered(NamedTuple):
    """A finding with its number on the page."""

    number: int
    finding: Finding
    with_source: bool


def render(report: Reported, run: Run = PLAIN) -> Iterator[str]:
    """The page, in pieces."""
    groups = _groups(report)
    found = any(members for _, members in groups)
    skip = element("a", "Skip to the findings", href="#findings", class_="skip") if found else None
    note = "What it cannot determine makes no finding."
    return document(_title(report), "report", _main(report, groups, run), note, skip)


def _main(report: Reported, groups: Sequence[tuple[str, Sequence[_Numbered]]], run: Run) -> Iterator[str]:
    ordered = [one for _, members in groups for one in members]
    rules = {rule: run.about(rule) for rule in sorted({one.finding.rule for one in ordered})}
    yield _summary(report, ordered, groups) + "\n"
    yield from _pictures(report.diagrams, ordered)
    if ordered:
        yield '<section id="findings" class="findings" aria-labelledby="findings-title">\n'
        yield element("h2", "Findings", id="findings-title") + "\n"
        yield _cut(report, ordered)
        yield '<div class="with-filters">\n'
        yield _filters(ordered, rules) + "\n"
        crowd = ' class="many"' if len(ordered) > _OPEN else ""
        yield f'<div id="list"{crowd}>\n'
        for path, members in groups:
            yield from _group(path, members, report, rules)
        yield "</div>\n</div>\n</section>\n"
        yield _rules(ordered, rules) + "\n"


def _title(report: Reported) -> str:
    """What was checked, in a word."""
    roots = [diagram.title for diagram in report.diagrams]
    named = ["/".join(shown_path(root).rstrip("/").split("/")[-2:]) for root in roots if root not in ("", ".")]
    return listed(named) if 0 < len(named) < 4 else "This project"


# --- order -----------------------------------------------------------------------------------------------------------


def _gravity(finding: Finding) -> tuple[int, int]:
    return SEVERITIES.index(finding.severity), _order_of_effect(finding.effect)


def _order_of_effect(effect: str) -> int:
    return list(_EFFECTS).index(effect) if effect in _EFFECTS else len(EFFECTS)


def _groups(report: Reported) -> list[tuple[str, list[_Numbered]]]:
    """The findings by file, the file with the gravest first, numbered in the order in which they are shown."""
    chosen = set(range(len(report.findings)))
    if len(report.findings) > _WITH_SOURCE:
        gravest = sorted(chosen, key=lambda at: (_gravity(report.findings[at]), at))
        shown, chosen = set(gravest[:_WITH_SOURCE]), set(gravest[:_MOST])
    else:
        shown = chosen
    by_path: dict[str, list[tuple[Finding, bool]]] = {}
    for at, finding in enumerate(report.findings):
        if at in chosen:
            by_path.setdefault(finding.primary.path, []).append((finding, at in shown))
    for members_of in by_path.values():
        members_of.sort(key=lambda one: _gravity(one[0]))
    paths = sorted(by_path, key=lambda path: (min(_gravity(one) for one, _ in by_path[path]), path))
    found: list[tuple[str, list[_Numbered]]] = []
    number = 0
    for path in paths:
        members = []
        for finding, with_source in by_path[path]:
            number += 1
            members.append(_Numbered(number, finding, with_source))
        found.append((path, members))
    return found


# --- summary ---------------------------------------------------------------------------------------------------------


def _summary(
    report: Reported, ordered: Sequence[_Numbered], groups: Sequence[tuple[str, Sequence[_Numbered]]]
) -> Markup:
    counts = severities(report.findings)
    effects = {effect: sum(one.effect == effect for one in report.findings) for effect in _EFFECTS}
    parts: list[Markup | None] = [element("h2", _headline(effects, len(report.findings)), id="summary-title")]
    found = [counted(count, severity) for severity, count in counts.items() if count]
    where = f"in {len({one.primary.path for one in report.findings})} of {counted(report.files, 'file')}"
    parts.append(
        element(
            "p", f"{listed(found)} {where}." if found else f"{counted(report.files, 'file')} checked.", class_="lead"
        )
    )
    if ordered:
        parts.append(element("div", _tally(effects), _places(groups), class_="glance"))
    parts.append(_left_out(report))
    return element("section", parts, class_="summary", aria_labelledby="summary-title")


def _headline(effects: Mapping[str, int], count: int) -> str:
    """What it comes to, for whoever reads one line."""
    if not count:
        return "Nothing found."
    exploitable, broken = effects["exploitable"], effects["broken"]
    said = []
    if exploitable:
        said.append(f"{_number(exploitable)} {'fault' if exploitable == 1 else 'faults'} that an attacker can use")
    if broken:
        noun = "" if said else (" fault" if broken == 1 else " faults")
        said.append(f"{_number(broken)}{noun} that {'breaks' if broken == 1 else 'break'} connections")
    if said:
        text = listed(said)
        return f"{text[0].upper()}{text[1:]}."
    if effects["degraded"]:
        return "Nothing is broken or open to attackers, but some of it could work better."
    if effects["tool"]:
        return "What could be read is not broken or open to attackers."
    return "Nothing is broken or open to attackers."


_WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")


def _number(count: int) -> str:
    return _WORDS[count] if count < len(_WORDS) else str(count)


def _tally(effects: Mapping[str, int]) -> Markup:
    rows = [
        element(
            "div",
            element("dt", effect),
            element("dd", element("strong", str(effects[effect])), " ", element("span", meaning)),
            class_=f"tally {effect}",
        )
        for effect, meaning in _EFFECTS.items()
        if effects[effect]
    ]
    return element("dl", rows, class_="tallies")


def _places(groups: Sequence[tuple[str, Sequence[_Numbered]]]) -> Markup:
    """The files with the most findings, as bars."""
    counted_ = sorted(groups, key=lambda group: (-len(group[1]), group[0]))
    most = len(counted_[0][1])
    rows = [
        element(
            "li",
            element("a", element("code", breaking(shown_path(path))), href=f"#f{members[0].number}"),
            element("span", str(len(members)), class_="count"),
            element(
                "svg",
                element("rect", width=round(100 * len(members) / most, 1), height=4),
                viewBox="0 0 100 4",
                preserveAspectRatio="none",
                aria_hidden="true",
                class_="bar",
            ),
        )
        for path, members in counted_[:_MOST_FILES]
    ]
    left = len(groups) - len(rows)
    more = element("p", f"and {left} more {'file' if left == 1 else 'files'}", class_="quiet") if left else None
    return element("div", element("h3", "Where"), element("ol", rows, class_="bars"), more, class_="where")


def _left_out(report: Reported) -> Markup | None:
    """What the reader does not see, and why."""
    parts = [f"{count} {LEFT_OUT[reason]}" for reason, count in report.left_out.items()]
    if report.hidden_notes:
        parts.append(f"{counted(report.hidden_notes, 'note')} hidden (`--pedantic` shows them)")
    if report.in_tests:
        parts.append(f"{counted(report.in_tests, 'finding')} in tests (`--include-tests` shows them)")
    if report.passed_over:
        parts.append("passed over " + ", ".join(passed_over_words(*one) for one in report.passed_over.items()))
    if not parts:
        return None
    return element("p", element("strong", "Not shown: "), prose("; ".join(parts) + "."), class_="quiet left-out")


def _cut(report: Reported, ordered: Sequence[_Numbered]) -> str:
    """Says what a page of this size leaves out."""
    count = len(report.findings)
    if count <= _WITH_SOURCE:
        return ""
    text = f"Source and fixes are shown for the {_WITH_SOURCE} gravest of {count} findings."
    if len(ordered) < count:
        text += f" Of the others, {count - len(ordered)} are not on this page: the format `json` has all."
    return element("p", prose(text), class_="cut") + "\n"


# --- picture ---------------------------------------------------------------------------------------------------------


def _pictures(diagrams: Iterable[Diagram], ordered: Sequence[_Numbered]) -> Iterator[str]:
    diagrams = list(diagrams)
    if not diagrams:
        return
    yield '<section class="pictures" aria-labelledby="picture-title">\n'
    yield element("h2", "Who talks to whom", id="picture-title") + "\n"
    flags = {
        one.number: Flag(one.number, one.finding.severity, one.finding.message.replace("`", "")) for one in ordered
    }
    drawn = False
    for number, diagram in enumerate(diagrams):
        if not any(node.known for node in diagram.nodes):
            continue
        drawn = True
        own = [(one.number, one.finding) for one in ordered if _belongs(one.finding, diagram, diagrams)]
        where = placed(diagram, own)
        shown = cut(diagram, where, _DRAWN)
        if len(diagrams) > 1:
            yield element("h3", shown_path(diagram.title)) + "\n"
        if len(shown.nodes) < len(diagram.nodes):
            text = f"Of {len(diagram.nodes)} pages, proxies and programs {_DRAWN} are drawn, those of findings first."
            yield element("p", text, class_="cut") + "\n"
        yield (
            element(
                "div",
                wide(shown, where, flags, f"w{number}"),
                narrow(shown, where, flags, f"n{number}"),
                class_="board",
            )
            + "\n"
        )
        yield _in_words(shown, where, flags, number) + "\n"
    if drawn:
        yield _legend(diagrams, flags) + "\n"
    else:
        yield element("p", "No page, proxy or program was found that could be drawn.", class_="quiet") + "\n"
    yield "</section>\n"


def _belongs(finding: Finding, diagram: Diagram, diagrams: Sequence[Diagram]) -> bool:
    """Whether a finding is in the folder of a diagram: of several folders the deepest one around it."""
    if len(diagrams) == 1:
        return True
    path = finding.primary.path
    around = [one.title for one in diagrams if one.title in ("", ".") or path.startswith(f"{one.title.rstrip('/')}/")]
    return bool(around) and max(around, key=len) == diagram.title


def _legend(diagrams: Sequence[Diagram], flags: Flags) -> Markup:
    """What the signs of the pictures mean, those that occur."""
    ways = {connection.exists is Tri.YES for diagram in diagrams for connection in diagram.connections}
    found = {flag.severity for flag in flags.values()}
    items = [
        *([element("li", _key("sure"), " requests go this way")] if True in ways else []),
        *([element("li", _key("maybe"), " perhaps: the files do not say so for certain")] if False in ways else []),
        *(
            element("li", element("span", SIGNS[name], class_=f"sign {name}", aria_hidden="true"), f" {name}")
            for name in SEVERITIES
            if name in found
        ),
    ]
    return element("ul", items, class_="legend", aria_label="Legend")


def _key(kind: str) -> Markup:
    shape = element("line", x1=1, y1=5, x2=33, y2=5, class_=f"edge {kind}")
    return element("svg", shape, viewBox="0 0 34 10", width=34, height=10, class_="map key", aria_hidden="true")


def _in_words(diagram: Diagram, where: Placed, flags: Flags, number: int) -> Markup:
    """The picture for those who do not see it, and for whatever was too long."""
    titles = {node.id: node.title for node in diagram.nodes}
    nodes = [_node_in_words(node, diagram, where, flags, titles) for node in diagram.nodes]
    lost = element("p", "Not in the picture: ", _numbers(where.nowhere, flags), ".") if where.nowhere else None
    return element(
        "details",
        element("summary", "The picture in words"),
        element("ul", nodes),
        lost,
        class_="words",
        id=f"words-{number}",
    )


def _node_in_words(node: Node, diagram: Diagram, where: Placed, flags: Flags, titles: Mapping[str, str]) -> Markup:
    lines = []
    for at, line in enumerate(node.lines):
        verb = {"asks": "asks ", "takes": "takes ", "adds": "adds ", "drops": "drops "}[line.kind]
        scope = f" ({line.scope})" if line.scope else ""
        joint = ": " if line.kind in ("adds", "drops") else ", "
        text = element("code", line.text), f"{joint}{line.note}{scope}" if line.note else scope
        lines.append(element("li", verb, text, _numbers(where.on_lines.get((node.id, at), ()), flags, " ")))
    lines += [
        element("li", _way_in_words(one, titles), _numbers(_on(one, where), flags, " "))
        for one in diagram.connections
        if one.source == node.id
    ]
    own = _numbers(where.on_nodes.get(node.id, ()), flags, " ")
    inner = element("ul", lines) if lines else None
    head = element("strong", node.title)
    return element("li", f"{KINDS[node.kind]} ", head, f", {node.subtitle}" if node.subtitle else None, own, inner)


def _on(connection: Connection, where: Placed) -> Sequence[int]:
    return where.between.get((connection.source, connection.target), ())


def _way_in_words(connection: Connection, titles: Mapping[str, str]) -> Markup:
    sure = "sends" if connection.exists is Tri.YES else "perhaps sends"
    carried = f" {', '.join(connection.carries)}" if connection.carries else " requests"
    return joined([f"{sure}{carried} to ", element("strong", titles[connection.target]), f": {connection.reason}"])


def _numbers(numbers: Sequence[int], flags: Flags, before: str = "") -> Markup | None:
    """Links to findings."""
    if not numbers:
        return None
    links = [element("a", f"{flags[one].severity} {one}", href=f"#f{one}") for one in numbers]
    return joined([before, *(piece for link in links for piece in (link, " "))])


# --- findings --------------------------------------------------------------------------------------------------------


def _filters(ordered: Sequence[_Numbered], rules: Mapping[str, RuleAbout]) -> Markup:
    """Boxes that the style sheet alone obeys; what needs the script is shown by it."""

    def boxes(kind: str, legend: str, names: Iterable[str]) -> Markup | None:
        counts = {name: sum(getattr(one.finding, kind) == name for one in ordered) for name in names}
        shown = {name: count for name, count in counts.items() if count}
        if len(shown) < 2:
            return None
        rows = [
            element(
                "label",
                element("input", type="checkbox", id=f"show-{name}", checked=True),
                element("span", name),
                element("span", str(count), class_="count"),
            )
            for name, count in shown.items()
        ]
        return element("fieldset", element("legend", legend), rows)

    by_rule = {rule: sum(one.finding.rule == rule for one in ordered) for rule in rules}
    options = [element("option", f"{rule} ({count})", value=rule) for rule, count in by_rule.items()]
    chosen = element("select", element("option", "all rules", value=""), options, id="rule")
    grouping = element(
        "select", element("option", "file", value="file"), element("option", "rule", value="rule"), id="by"
    )
    words = element("input", type="search", id="words", placeholder="in message, path or rule")
    return element(
        "div",
        boxes("severity", "Severity", SEVERITIES),
        boxes("effect", "Effect", _EFFECTS),
        element(
            "div",
            element("label", element("span", "Rule"), chosen),
            element("label", element("span", "Group by"), grouping),
            element("label", element("span", "Search"), words),
            element("p", id="shown", role="status"),
            element("button", "Close all sources", type="button", id="fold"),
            class_="scripted more",
        ),
        class_="filters",
        role="group",
        aria_label="Filters",
    )


def _group(path: str, members: Sequence[_Numbered], report: Reported, rules: Mapping[str, RuleAbout]) -> Iterator[str]:
    yield '<section class="group">\n'
    many = counted(len(members), "finding")
    yield element("h3", element("code", breaking(shown_path(path))), " ", element("span", many, class_="count")) + "\n"
    is_open = len(report.findings) <= _OPEN
    for one in members:
        yield _finding(one, report, rules[one.finding.rule], is_open=is_open) + "\n"
    yield "</section>\n"


def _finding(one: _Numbered, report: Reported, about: RuleAbout, *, is_open: bool) -> Markup:
    finding = one.finding
    sign = SIGNS[finding.severity]
    head = element(
        "p",
        element(
            "span",
            element("span", f"{sign} ", aria_hidden="true"),
            finding.severity,
            class_=f"badge {finding.severity}",
        ),
        element("span", finding.effect, class_="effect") if finding.effect != "tool" else None,
        element("a", finding.rule, href=f"#rule-{finding.rule}", class_="rule"),
        element("span", f"#{one.number}", class_="number"),
        class_="tags",
    )
    at = place(report.sources(finding.primary.path), finding.primary)
    body: list[Markup | None] = [
        head,
        element("h4", prose(finding.message), id=f"t{one.number}"),
        element("p", element("code", breaking(at)), class_="at"),
        element("p", element("strong", "What to do: "), prose(finding.help), class_="help") if finding.help else None,
    ]
    if one.with_source:
        inner = [excerpt(finding, report.sources), _fix(finding, report), _why(finding, about)]
        words = "Source, fix and why" if finding.fix is not None else "Source and why"
        body.append(element("details", element("summary", words), inner, open=is_open))
    elif finding.related:
        places = [
            element("li", element("code", place(report.sources(one.span.path), one.span)), f" {one.message}")
            for one in finding.related[:10]
        ]
        body.append(element("ul", places, class_="places"))
    return element(
        "article",
        body,
        id=f"f{one.number}",
        class_=f"finding {finding.severity}",
        data_severity=finding.severity,
        data_effect=finding.effect,
        data_rule=finding.rule,
        aria_labelledby=f"t{one.number}",
        tabindex="-1",
    )


def _fix(finding: Finding, report: Reported) -> Markup | None:
    fix = finding.fix
    if fix is None:
        return None
    command, words = _HOW[fix.applicability]
    how = element("p", element("code", command) if command else None, f" {words}", class_="quiet")
    return element(
        "div", element("h5", "Fix: ", prose(fix.title)), difference(fix.edits, report.sources), how, class_="fix"
    )


def _why(finding: Finding, about: RuleAbout) -> Markup | None:
    if not about.explanation:
        return None
    more = element("a", "more about this rule", href=f"#rule-{finding.rule}")
    return element("div", element("h5", "Why"), element("p", prose(about.explanation), " ", more), class_="reason")


def _rules(ordered: Sequence[_Numbered], rules: Mapping[str, RuleAbout]) -> Markup:
    """What is behind the findings, rule by rule."""
    parts = []
    for rule, about in rules.items():
        found = [one for one in ordered if one.finding.rule == rule]
        links = [element("a", f"#{one.number}", href=f"#f{one.number}") for one in found[:40]]
        more = f" and {len(found) - 40} more" if len(found) > 40 else ""
        references = [
            element("li", element("a", breaking(one), href=one, rel="noopener noreferrer"))
            for one in about.references
            if one.startswith(("https://", "http://"))
        ]
        parts.append(
            element(
                "article",
                element("h3", element("code", rule)),
                element("p", prose(about.title), class_="title"),
                element("p", prose(about.explanation)) if about.explanation else None,
                element("p", "Findings: ", [piece for link in links for piece in (link, " ")], more, class_="quiet"),
                element("ul", references, class_="references") if references else None,
                element("p", "On the command line: ", element("code", f"corslint rule {rule}"), class_="quiet"),
                id=f"rule-{rule}",
                tabindex="-1",
            )
        )
    heading = element("h2", "Rules", id="rules-title")
    return element("section", heading, parts, class_="rules", aria_labelledby="rules-title")
