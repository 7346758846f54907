"""The summary as a page: better or worse than last time, which rules, and which repositories.

Like the report of a project it is one file that asks for nothing else, and whole without its script.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from corslint.fleet.summary import NAME, Summary
from corslint.model.finding import SEVERITIES
from corslint.records import NamedTuple
from corslint.report import counted, listed
from corslint.report._drawing import SIGNS
from corslint.report._markup import Markup, breaking, element, joined, prose
from corslint.report._page import document

_MOST = 1000
"""Repositories that are listed; the gravest, where there are more."""
_MOST_FAILURES = 200
_MOST_RULES = 6
"""Rules that are named at a repository."""
_AT_A_GLANCE = 6
"""Rules and repositories that the summary names."""

Part = Mapping[str, Any]
"""A part of the summary."""


def render(summary: Summary, titles: Mapping[str, str]) -> Iterator[str]:
    """The page, in pieces. `titles` are those of rules, where they are known."""
    found = _gravest(summary["repositories"])
    return document(
        _repositories_in_words(summary["totals"]["repositories"]),
        "fleet",
        _main(summary, titles, found),
        "What it cannot determine makes no finding.",
        element("a", "Skip to the repositories", href="#repositories", class_="skip") if found else None,
        styles=("style.css", "fleet.css"),
        scripts=("colours.js", "fleet.js"),
    )


def _main(summary: Summary, titles: Mapping[str, str], found: Sequence[Part]) -> Iterator[str]:
    yield _summary(summary, found) + "\n"
    if summary["totals"]["failed"]:
        yield _failures(summary) + "\n"
    if summary["rules"]:
        yield _rules(summary, titles) + "\n"
    if found:
        rank = {one["rule"]: SEVERITIES.index(_gravest_severity(one)) for one in summary["rules"]}
        yield from _repositories(found, rank, compared=summary["since"] is not None)


# --- words -----------------------------------------------------------------------------------------------------------


def _repositories_in_words(count: int) -> str:
    return "1 repository" if count == 1 else f"{count:,} repositories"


def _many(count: int, noun: str) -> str:
    """`1 error`, `1,200 errors`."""
    return counted(count, noun) if count == 1 else f"{count:,} {noun}s"


def _date(text: str) -> str:
    """`2026-11-27 03:13` for `2026-11-27T03:13:15Z`."""
    return text[:16].replace("T", " ")


def _severities(part: Part) -> list[str]:
    return [_many(part[f"{name}s"], name) for name in SEVERITIES if part[f"{name}s"]]


# --- summary ---------------------------------------------------------------------------------------------------------


def _summary(summary: Summary, found: Sequence[Part]) -> Markup:
    totals = summary["totals"]
    counts = _severities(totals)
    every = _repositories_in_words(totals["repositories"])
    lead = f"{listed(counts)} in {totals['with_findings']:,} of {every}." if counts else f"{every} checked."
    verb = "was" if totals["files"] == 1 else "were"
    read = f"{_many(totals['files'], 'file')} {verb} read, on {_date(summary['date'])} UTC."
    return element(
        "section",
        element("h2", _headline(summary), id="summary-title"),
        element("p", f"{lead} {read}", class_="lead"),
        _verdict(summary),
        element("div", _numbers(summary), _trend(summary["trend"]), class_="glance"),
        element("div", _top_rules(summary["rules"]), _top_repositories(found), class_="glance") if counts else None,
        class_="summary",
        aria_labelledby="summary-title",
    )


def _headline(summary: Summary) -> str:
    """What it comes to, for whoever reads one line."""
    counts = {
        effect: sum(effect in one.get("effects", ()) for one in summary["repositories"])
        for effect in ("exploitable", "broken", "degraded")
    }
    said = []
    if counts["exploitable"]:
        verb = "has" if counts["exploitable"] == 1 else "have"
        said.append(f"{_repositories_in_words(counts['exploitable'])} {verb} faults that an attacker can use")
    if counts["broken"]:
        noun = f"{counts['broken']:,}" if said else _repositories_in_words(counts["broken"])
        verb = "has" if counts["broken"] == 1 else "have"
        said.append(f"{noun} {verb} faults that break connections")
    if said:
        return f"{listed(said)}."
    if summary["totals"]["failed"] == summary["totals"]["repositories"]:
        return "No repository could be checked."
    if counts["degraded"]:
        return "Nothing is broken or open to attackers, but some of it could work better."
    return "Nothing is broken or open to attackers."


class _Verdict(NamedTuple):
    name: str
    sign: str
    words: str


def _judged(since: Part | None) -> _Verdict:
    """Better or worse than last time."""
    if since is None:
        return _Verdict("first", "•", "The first run")
    if since["gone"] > since["new"]:
        return _Verdict("better", "▼", "Better than last time")
    if since["new"] > since["gone"]:
        return _Verdict("worse", "▲", "Worse than last time")
    return _Verdict("same", "=", "As many as last time" if since["new"] else "As it was last time")


def _verdict(summary: Summary) -> Markup:
    since = summary["since"]
    verdict = _judged(since)
    sign = element("span", f"{verdict.sign} ", aria_hidden="true")
    badge = element("strong", sign, verdict.words, class_=f"verdict {verdict.name}")
    if since is None:
        return element("p", badge, " The next one will be compared with it.", class_="since")
    changes = [
        text
        for count, text in (
            (since["new"], f"{_many(since['new'], 'finding')} new"),
            (since["gone"], f"{_many(since['gone'], 'finding')} gone"),
        )
        if count
    ]
    both = _repositories_in_words(since["repositories"])
    words = f"{listed(changes) or 'nothing changed'} in {both} checked both times, since {_date(since['date'])} UTC"
    aside = []
    if since["added"] or since["removed"]:
        moved = [f"{since[name]:,} {name}" for name in ("added", "removed") if since[name]]
        aside.append(f"Repositories: {listed(moved)}.")
    if since["corslint"] != summary["corslint"]:
        aside.append(f"It was corslint {since['corslint']} then, whose rules may differ.")
    if not since["same_options"]:
        aside.append("The options were others then.")
    return element("p", badge, f" {words}. ", element("span", " ".join(aside), class_="quiet"), class_="since")


def _numbers(summary: Summary) -> Markup:
    """Repositories by what became of them, and findings by severity."""
    totals = summary["totals"]
    meaning = {
        "error": "it is broken, or an attacker can use it",
        "warning": "likely a fault",
        "note": "worth a thought",
    }
    rows = [
        element(
            "div",
            element("dt", element("span", SIGNS[name], class_=f"sign {name}", aria_hidden="true"), f" {name}s"),
            element("dd", element("strong", f"{totals[f'{name}s']:,}"), " ", element("span", meaning[name])),
            class_=f"tally {name}",
        )
        for name in SEVERITIES
        if totals[f"{name}s"] or name == "error"
    ]
    states = [
        ("with findings", totals["with_findings"]),
        ("clean", totals["clean"]),
        ("could not be checked", totals["failed"]),
    ]
    shares = listed([f"{count:,} {words}" for words, count in states if count])
    tallies = element("dl", rows, class_="tallies")
    return element("div", tallies, element("p", f"Repositories: {shares}.", class_="quiet"))


def _top_rules(rules: Sequence[Part]) -> Markup:
    most = max(one["repositories"] for one in rules)
    return _top(
        "Rules in most repositories",
        [
            (
                element("a", element("code", one["rule"]), href="#repositories", data_rule=one["rule"]),
                one["repositories"],
                _bar([(_gravest_severity(one), one["repositories"])], most),
            )
            for one in rules[:_AT_A_GLANCE]
            if one["findings"]
        ],
        ("#rules", "All rules with findings"),
    )


def _top_repositories(found: Sequence[Part]) -> Markup:
    most = max(_all(one) for one in found)
    return _top(
        "Repositories with the gravest findings",
        [
            (
                element("a", breaking(one["name"]), href=f"#r{number}"),
                _all(one),
                _bar([(name, one[f"{name}s"]) for name in SEVERITIES], most),
            )
            for number, one in enumerate(found[:_AT_A_GLANCE], 1)
            if one["status"] == "findings"
        ],
        ("#repositories", "All repositories with findings"),
    )


def _top(title: str, rows: Sequence[tuple[Markup, int, Markup]], more: tuple[str, str]) -> Markup:
    items = [element("li", name, element("span", f"{count:,}", class_="count"), bar) for name, count, bar in rows]
    rest = element("p", element("a", more[1], href=more[0]), class_="quiet")
    return element("div", element("h3", title), element("ol", items, class_="bars"), rest, class_="where")


def _trend(runs: Sequence[Part]) -> Markup:
    """The findings of the last runs, as columns and as a table."""
    most = max((_all(run) for run in runs), default=0)
    title = element("h3", "Findings, run by run")
    if len(runs) < 2:
        words = element("p", "From the second run on, this shows the trend.", class_="quiet")
        return element("div", title, words, class_="where")
    height = 60
    bars: list[Markup] = []
    for at, run in enumerate(runs):
        top = float(height)
        for name in reversed(SEVERITIES):
            size = height * run[f"{name}s"] / most if most else 0
            if size:
                top -= size
                bars.append(
                    element("rect", x=at * 10 + 1, y=round(top, 2), width=8, height=round(size, 2), class_=name)
                )
    drawn = element(
        "svg",
        bars,
        viewBox=f"0 0 {len(runs) * 10} {height}",
        preserveAspectRatio="none",
        role="img",
        aria_label=f"{_many(_all(runs[0]), 'finding')} on {_date(runs[0]['date'])}, {_all(runs[-1]):,} now",
        class_="trend",
    )
    ends = element(
        "p",
        element("span", f"{_date(runs[0]['date'])[:10]}: {_all(runs[0]):,}"),
        element("span", f"now: {_all(runs[-1]):,}"),
        class_="ends",
    )
    return element("div", title, drawn, ends, _table_of_runs(runs), class_="where")


def _all(run: Part) -> int:
    return sum(run[f"{name}s"] for name in SEVERITIES)


def _table_of_runs(runs: Sequence[Part]) -> Markup:
    heads = ("Run", "Repositories", *(f"{name.capitalize()}s" for name in SEVERITIES), "Not checked")
    rows = [
        element(
            "tr",
            element("th", _date(run["date"]), scope="row"),
            [
                element("td", f"{run[key]:,}")
                for key in ("repositories", *(f"{name}s" for name in SEVERITIES), "failed")
            ],
        )
        for run in reversed(runs)
    ]
    head = element("thead", element("tr", [element("th", text, scope="col") for text in heads]))
    table = element("table", head, element("tbody", rows), class_="runs")
    return element("details", element("summary", "All numbers"), element("div", table, class_="board", tabindex="0"))


def _failures(summary: Summary) -> Markup:
    failed = [one for one in summary["repositories"] if one["status"] == "failed"]
    rows = [
        element("li", element("strong", one["name"]), ": ", prose(one["failure"])) for one in failed[:_MOST_FAILURES]
    ]
    left = len(failed) - len(rows)
    more = element("p", prose(f"and {left:,} more: `{NAME}` has all"), class_="quiet") if left else None
    verb, them = ("was", "it") if len(failed) == 1 else ("were", "them")
    return element(
        "section",
        element("h2", "Not checked", id="failures-title"),
        element("p", f"{_repositories_in_words(len(failed))} {verb} tried again; the numbers are without {them}."),
        element("ul", rows),
        more,
        class_="failures",
        aria_labelledby="failures-title",
    )


# --- rules -----------------------------------------------------------------------------------------------------------


def _rules(summary: Summary, titles: Mapping[str, str]) -> Markup:
    most = max(max(one["repositories"] for one in summary["rules"]), 1)
    compared = summary["since"] is not None
    rows = [_rule(one, most, titles.get(one["rule"], ""), compared=compared) for one in summary["rules"]]
    heads = ["Repositories", "Findings", *([_SINCE] if compared else [])]
    table = _table("Rule", heads, rows, "rules-title")
    return element(
        "section", element("h2", "Which rules", id="rules-title"), table, id="rules", aria_labelledby="rules-title"
    )


def _table(first: str, heads: Sequence[str], rows: Sequence[Markup], title: str, **attributes: object) -> Markup:
    cells = [element("th", text, scope="col", class_="amount") for text in heads]
    head = element("thead", element("tr", element("th", first, scope="col"), cells))
    return element("table", head, element("tbody", rows), class_="fleet", aria_labelledby=title, **attributes)


def _cell(head: str, content: str, *classes: str) -> Markup:
    """A number, which says itself what it counts where there is no room for columns."""
    return element("td", content, class_=" ".join(("amount", *classes)), data_head=head)


def _rule(one: Part, most: int, title: str, *, compared: bool) -> Markup:
    gravest = _gravest_severity(one)
    sign = element("span", SIGNS[gravest], class_=f"sign {gravest}", title=gravest)
    about = element("p", prose(title), class_="title") if title else None
    name = element("a", element("code", one["rule"]), href="#repositories", data_rule=one["rule"])
    return element(
        "tr",
        element("th", sign, " ", name, about, _bar([(gravest, one["repositories"])], most), scope="row"),
        _cell("Repositories", f"{one['repositories']:,}"),
        _cell("Findings", f"{one['findings']:,}"),
        _cell(_SINCE, _change(one["since"])) if compared else None,
    )


def _gravest_severity(one: Part) -> str:
    return next((name for name in SEVERITIES if one[f"{name}s"]), "note")


def _bar(parts: Sequence[tuple[str, int]], most: int) -> Markup:
    at = 0.0
    rects = []
    for name, count in parts:
        width = 100 * count / most
        if count:
            rects.append(element("rect", x=round(at, 2), width=round(width, 2), height=4, class_=name))
        at += width
    return element(
        "svg", rects, viewBox="0 0 100 4", preserveAspectRatio="none", aria_hidden="true", class_="bar stacked"
    )


_SINCE = "Since last time"


def _change(since: Part | None) -> Markup:
    """`+3 −1`: what is new, what is gone."""
    if since is None:
        return element("span", "not compared", class_="quiet")
    if not since["new"] and not since["gone"]:
        return element("span", "no change", class_="quiet")
    new = element("span", f"+{since['new']:,}", element("span", " new", class_="aside"), class_="worse")
    gone = element("span", f"−{since['gone']:,}", element("span", " gone", class_="aside"), class_="better")
    both = ([new] if since["new"] else []) + ([gone] if since["gone"] else [])
    return joined(piece for one in both for piece in (one, " "))


# --- repositories ----------------------------------------------------------------------------------------------------


def _gravest(repositories: Sequence[Part]) -> list[Part]:
    """Those that have findings, or had some last time; the gravest first."""
    shown = [one for one in repositories if one["status"] == "findings" or one.get("since", {}).get("gone")]
    return sorted(shown, key=lambda one: (*(-one[f"{name}s"] for name in SEVERITIES), one["name"]))


def _repositories(found: Sequence[Part], rank: Mapping[str, int], *, compared: bool) -> Iterator[str]:
    """`rank`: how grave the findings of a rule are, 0 for the gravest."""
    listed_ = found[:_MOST]
    most = max(max(_all(one) for one in listed_), 1)
    yield '<section id="repositories" aria-labelledby="repositories-title" tabindex="-1">\n'
    yield element("h2", "Which repositories", id="repositories-title") + "\n"
    if len(found) > len(listed_):
        text = f"The {len(listed_):,} gravest of {len(found):,} with findings are listed: `{NAME}` has all."
        yield element("p", prose(text), class_="cut") + "\n"
    yield _choice(listed_) + "\n"
    heads = [*(f"{name.capitalize()}s" for name in SEVERITIES), *([_SINCE] if compared else [])]
    rows = [_row(number, one, most, rank, compared=compared) for number, one in enumerate(listed_, 1)]
    yield _table("Repository", heads, rows, "repositories-title", id="list") + "\n"
    yield "</section>\n"


def _choice(found: Sequence[Part]) -> Markup:
    """What the script offers."""
    rules = sorted({rule for one in found for rule in one["rules"]})
    offered = [element("option", rule, value=rule) for rule in rules]
    chosen = element("select", element("option", "all rules", value=""), offered, id="rule")
    changes = {"": "all", "worse": "with new findings", "better": "with findings gone"}
    change = element("select", [element("option", text, value=value) for value, text in changes.items()], id="change")
    order = {"grave": "gravest first", "new": "most new first", "name": "by name"}
    by = element("select", [element("option", text, value=value) for value, text in order.items()], id="by")
    words = element("input", type="search", id="words", placeholder="part of a name")
    return element(
        "div",
        element("label", element("span", "Rule"), chosen),
        element("label", element("span", "Show"), change),
        element("label", element("span", "Order"), by),
        element("label", element("span", "Search"), words),
        element("p", id="shown", role="status"),
        class_="scripted choice",
        role="group",
        aria_label="Filters",
    )


def _row(number: int, one: Part, most: int, rank: Mapping[str, int], *, compared: bool) -> Markup:
    # Those that are left out are of the least weight: many notes say less than one error.
    rules = sorted(one["rules"].items(), key=lambda pair: (rank[pair[0]], -pair[1], pair[0]))
    named = [
        joined([element("code", rule), f" ×{count:,}" if count > 1 else None]) for rule, count in rules[:_MOST_RULES]
    ]
    left = len(rules) - len(named)
    words = joined(piece for at, text in enumerate(named) for piece in ((", ", text) if at else (text,)))
    files = element(
        "span",
        *(
            piece
            for key, text in (("json", "JSON"), ("sarif", "SARIF"))
            for piece in (element("a", text, element("span", f" of {one['name']}", class_="aside"), href=one[key]), " ")
        ),
        class_="reports",
    )
    since = one.get("since")
    return element(
        "tr",
        element(
            "th",
            element("span", breaking(one["name"]), class_="name"),
            " ",
            files,
            element("p", words, f" and {counted(left, 'more rule')}" if left > 0 else None, class_="title"),
            _bar([(severity, one[f"{severity}s"]) for severity in SEVERITIES], most),
            scope="row",
        ),
        [
            _cell(f"{name.capitalize()}s", f"{one[f'{name}s']:,}", name if one[f"{name}s"] else "none")
            for name in SEVERITIES
        ],
        _cell(_SINCE, _change(since)) if compared else None,
        id=f"r{number}",
        data_rules=" ".join(one["rules"]),
        data_new=since["new"] if since else 0,
        data_gone=since["gone"] if since else 0,
    )
