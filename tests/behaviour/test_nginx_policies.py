# ruff: noqa: E501 - configurations on one line
"""The origin rules on nginx files: which rule speaks, and where. The rules' own examples are mostly about code."""

from __future__ import annotations

import pytest

from corslint import lint
from corslint.settings import Settings
from tests.examples import findings_of, unmarked

_KNOWN = lint.knowledge()

CREDENTIALS = "add_header Access-Control-Allow-Credentials true always;"
VARY = "add_header Vary Origin always;"


def found(text: str, path: str = "nginx.conf") -> list[tuple[str, str, int, int]]:
    """Rule, severity and place of everything found in a text without marks."""
    findings = findings_of({path: text.encode()}, Settings(), _KNOWN)
    return [(one.rule, one.severity, one.primary.start, one.primary.end) for one in findings]


def check(text: str, *expected: tuple[str, str]) -> None:
    """The findings are exactly these, in the order of the `⟦...⟧` in the text."""
    data, spans = unmarked("nginx.conf", text)[:2]
    assert len(spans) == len(expected)
    assert found(data.decode()) == [(*one, span.start, span.end) for one, span in zip(expected, spans, strict=True)]


def adds(value: str, *lines: str) -> str:
    """A location that adds this Access-Control-Allow-Origin, and more lines."""
    return "\n".join(
        ("server {", "location / {", "root /srv;", f"add_header Access-Control-Allow-Origin {value} always;", *lines,
         "}", "}", "")
    )  # fmt: skip


def mapped(*rows: str, default: str = '""', lines: tuple[str, ...] = (CREDENTIALS, VARY), value: str = "$cors") -> str:
    """A location that takes the header's value from a map of `$http_origin`."""
    return "\n".join(("map $http_origin $cors {", f"default {default};", *rows, "}", adds(value, *lines)))


@pytest.mark.parametrize(
    ("value", "lines", "rule", "severity"),
    [
        ("⟦*⟧", (CREDENTIALS,), "wildcard-origin-with-credentials", "error"),
        ('⟦"*"⟧', (CREDENTIALS,), "wildcard-origin-with-credentials", "error"),
        ("⟦*⟧", (), "wildcard-origin", "note"),
        ("⟦*⟧", (CREDENTIALS.replace("true", "false"),), "wildcard-origin", "note"),
        ("⟦$http_origin⟧", (CREDENTIALS, VARY), "reflected-origin-with-credentials", "error"),
        ("⟦$http_origin⟧", (VARY,), "reflected-origin", "note"),
        ("⟦null⟧", (), "null-origin-allowed", "warning"),
        ("⟦null⟧", (CREDENTIALS,), "null-origin-allowed", "error"),
        ("⟦https://app.example.com/⟧", (), "malformed-origin", "error"),
        ("⟦https://app.example.com/chat⟧", (), "malformed-origin", "error"),
        ("⟦app.example.com⟧", (), "malformed-origin", "error"),
        ("⟦https://app.example.com:443⟧", (), "malformed-origin", "error"),
        ("⟦https://App.example.com⟧", (), "malformed-origin", "error"),
        ("⟦https://*.example.com⟧", (), "origin-glob", "error"),
        ('⟦"https://a.example.com https://b.example.com"⟧', (), "origin-list-in-string", "error"),
        ("⟦'https://a.example.com, https://b.example.com'⟧", (), "origin-list-in-string", "error"),
    ],
)
def test_written_into_the_header(value: str, lines: tuple[str, ...], rule: str, severity: str) -> None:
    check(adds(value, *lines), (rule, severity))


@pytest.mark.parametrize(
    "value", ["https://app.example.com", "https://app.example.com:8443", "${CORS_ORIGIN}", "$nobody_knows", '""']
)
def test_fine_or_unknown_values(value: str) -> None:
    assert found(adds(value, CREDENTIALS)) == []


@pytest.mark.parametrize(
    ("row", "rule"),
    [
        (r"⟦~example\.com⟧ $http_origin;", "weak-origin-check"),
        (r"⟦~^https://app\.example\.com⟧ $http_origin;", "weak-origin-check"),
        ("⟦~^https://app.example.com$⟧ $http_origin;", "weak-origin-check"),
        (r"⟦~*example\.com$⟧ $http_origin;", "weak-origin-check"),
        ("⟦null⟧ $http_origin;", "null-origin-allowed"),
        (r"⟦~^(null|https://app\.example\.com)$⟧ $http_origin;", "null-origin-allowed"),
        ("⟦https://app.example.com/⟧ $http_origin;", "malformed-origin"),
        ("⟦app.example.com⟧ $http_origin;", "malformed-origin"),
        ("https://app.example.com ⟦https://app.example.com/⟧;", "malformed-origin"),
        ("⟦'https://a.example.com, https://b.example.com'⟧ $http_origin;", "origin-list-in-string"),
    ],
)
def test_rows_of_a_map(row: str, rule: str) -> None:
    check(mapped(row), (rule, "error"))


def test_without_credentials_a_weak_check_is_a_warning() -> None:
    check(mapped(r"⟦~example\.com⟧ $http_origin;", lines=(VARY,)), ("weak-origin-check", "warning"))


@pytest.mark.parametrize(
    "row",
    [
        "https://app.example.com $http_origin;",
        "https://App.Example.com $http_origin;",  # nginx compares plain keys without regard to case
        r"'~^https://[a-z]{2}\.example\.com$' $http_origin;",
    ],
)
def test_good_rows_of_a_map(row: str) -> None:
    assert found(mapped(row)) == []


def test_any_subdomain_is_worth_knowing() -> None:
    check(mapped(r"⟦~^https://([a-z0-9-]+\.)?example\.com$⟧ $http_origin;"), ("any-subdomain-allowed", "note"))


@pytest.mark.parametrize(
    ("default", "rule"),
    [("$http_origin", "reflected-origin-with-credentials"), ('"*"', "wildcard-origin-with-credentials")],
)
def test_the_default_of_a_map_lets_everybody_in(default: str, rule: str) -> None:
    text = mapped("https://app.example.com $http_origin;", default=default, value="⟦$cors⟧")
    check(text, (rule, "error"))


@pytest.mark.parametrize(
    ("condition", "rule"),
    [
        ("~* ⟦example.com⟧", "weak-origin-check"),
        (r'~ ⟦"https://app\.example\.com"⟧', "weak-origin-check"),
        ('= ⟦"https://app.example.com/"⟧', "malformed-origin"),
    ],
)
def test_conditions(condition: str, rule: str) -> None:
    inside = (f"if ($http_origin {condition}) {{", "set $cors $http_origin;", "}", CREDENTIALS, VARY)
    check("server {\nlocation / {\n" + "\n".join(inside) + "\nadd_header Access-Control-Allow-Origin $cors always;\n}\n}\n", (rule, "error"))  # fmt: skip


def test_an_if_that_adds_the_header_itself() -> None:
    inside = "add_header Access-Control-Allow-Origin $http_origin always;\nadd_header Access-Control-Allow-Credentials true always;"
    weak = f"server {{\nlocation / {{\nif ($http_origin ~ ⟦example⟧) {{\n{inside}\n}}\n}}\n}}\n"
    check(weak, ("weak-origin-check", "error"))
    good = weak.replace("⟦example⟧", r'"^https://app\.example\.com$"')
    assert found(good) == []


def test_credentials_of_an_outer_level() -> None:
    check(
        f"server {{\n{CREDENTIALS}\nadd_header Access-Control-Allow-Origin ⟦$http_origin⟧ always;\nlocation / {{ root /srv; }}\n}}\n",
        ("reflected-origin-with-credentials", "error"),
    )
    # A location with an `add_header` of its own does not inherit them.
    check(
        f"server {{\n{CREDENTIALS}\nlocation / {{ root /srv; add_header Access-Control-Allow-Origin ⟦$http_origin⟧ always; {VARY} }}\n}}\n",
        ("reflected-origin", "note"),
    )


def test_headers_more() -> None:
    lines = "more_set_headers 'Access-Control-Allow-Origin: ⟦*⟧' 'Access-Control-Allow-Credentials: true';"
    check(f"server {{\nlocation / {{\n{lines}\n}}\n}}\n", ("wildcard-origin-with-credentials", "error"))


def test_the_map_stands_in_another_file() -> None:
    row = r"~example\.com"
    files = {
        "nginx.conf": b"events {}\nhttp {\ninclude maps.conf;\ninclude site.conf;\n}\n",
        "maps.conf": f'map $http_origin $cors {{\ndefault "";\n{row} $http_origin;\n}}\n'.encode(),
        "site.conf": adds("$cors", CREDENTIALS, VARY).encode(),
    }
    (one,) = findings_of(files, Settings(), _KNOWN)
    assert (one.rule, one.primary.path) == ("weak-origin-check", "maps.conf")
    assert files["maps.conf"][one.primary.start : one.primary.end] == row.encode()
    assert "site.conf" in {place.span.path for place in one.related}


def test_a_file_that_is_passed_over_is_not_said_to_stop_nginx() -> None:
    text = "server { listen 80; }\n"
    findings = findings_of({"nginx.conf": text.encode("utf-16")}, Settings(), _KNOWN)
    assert [(one.rule, one.severity) for one in findings] == [("syntax-error", "warning")]


@pytest.mark.parametrize("lines", ["", "proxy_set_header X-Real-IP $remote_addr;"])
def test_no_fix_where_it_would_cancel_inherited_lines(lines: str) -> None:
    text = f"server {{\n{lines}\nlocation /socket.io/ {{\nproxy_pass http://127.0.0.1:3000;\n}}\n}}\n"
    (one,) = findings_of({"nginx.conf": text.encode()}, Settings(), _KNOWN, with_fixes=True)
    assert (one.rule, one.fix is not None) == ("missing-upgrade-headers", not lines)


@pytest.mark.parametrize(
    ("line", "fixed"), [("", True), ("keepalive 8;", True), ("least_conn;", False), ("server c backup;", False)]
)
def test_no_balancing_fix_beside_another_method_or_a_backup(line: str, fixed: bool) -> None:
    upgrade = 'proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade";'
    text = f"upstream chat {{ server a; server b; {line} }}\nserver {{ location /socket.io/ {{ proxy_pass http://chat; {upgrade} }} }}\n"
    (one,) = findings_of({"nginx.conf": text.encode()}, Settings(), _KNOWN, with_fixes=True)
    assert (one.rule, one.fix is not None) == ("no-sticky-sessions", fixed)


def test_equal_lines_of_two_snippets_are_nobodys_to_delete() -> None:
    line = b"add_header Access-Control-Allow-Origin * always;\n"
    files = {
        "nginx/site.conf": b"server {\nlocation / {\ninclude a.conf;\ninclude b.conf;\n}\n}\n",
        "nginx/a.conf": line,
        "nginx/b.conf": line,
    }
    found_here = findings_of(files, Settings(), _KNOWN, with_fixes=True)
    (one,) = [finding for finding in found_here if finding.rule == "duplicate-add-header"]
    assert (one.primary.path, one.fix) == ("nginx/b.conf", None)


def test_clients_in_tests_go_through_no_proxy() -> None:
    from tests.examples import context_of

    files = {
        "server.js": b"const { Server } = require('socket.io');\nnew Server(3000);\n",
        "tests/socket.test.js": b"import { io } from 'socket.io-client';\nio('http://localhost:3000', { transports: ['websocket'] });\n",
        "nginx.conf": b"server {\nlocation /socket.io/ {\nproxy_pass http://127.0.0.1:3000;\n}\n}\n",
    }
    context = context_of(files)._replace(in_tests=frozenset({"tests/socket.test.js"}))
    report = lint.lint(context, Settings(), files, _KNOWN)
    assert [(one.rule, one.severity) for one in report.findings] == [("missing-upgrade-headers", "warning")]


def two_maps(origins: str, credentials: str) -> str:
    """A location that takes both headers from maps of `$http_origin`."""
    return "\n".join((
        "map $http_origin $cors {", origins, "}", "map $http_origin $with {", credentials, "}",
        adds("$cors", "add_header Access-Control-Allow-Credentials $with always;", VARY),
    ))  # fmt: skip


@pytest.mark.parametrize(
    ("origins", "credentials", "expected"),
    [
        (r"⟦~example\.com⟧ $http_origin;", r"~example\.com true;", [("weak-origin-check", "error")]),
        (r"⟦~example\.com⟧ $http_origin;", "https://example.com true;", [("weak-origin-check", "warning")]),
        ("default ⟦$http_origin⟧;", "default true;", []),
        ("⟦null⟧ $http_origin;", "null true;", [("null-origin-allowed", "error")]),
        ("⟦null⟧ $http_origin; https://example.com $http_origin;", "https://example.com true;", [("null-origin-allowed", "warning")]),
        ("⟦null⟧ $http_origin; https://example.com $http_origin;", "default $unread;", [("null-origin-allowed", "warning")]),
    ],
)  # fmt: skip
def test_credentials_for_some_origins(origins: str, credentials: str, expected: list[tuple[str, str]]) -> None:
    text = two_maps(origins, credentials)
    if expected:
        check(text, *expected)
    else:  # the place is where the header is added
        found_here = found(text.replace("⟦", "").replace("⟧", ""))
        assert [one[:2] for one in found_here] == [("reflected-origin-with-credentials", "error")]


def test_a_star_for_strangers_and_credentials_for_others_are_no_pair() -> None:
    text = two_maps("default *; https://app.example.com $http_origin;", 'default ""; https://app.example.com true;')
    assert [one[:2] for one in found(text)] == [("wildcard-origin", "note")]
