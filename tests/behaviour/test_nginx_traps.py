# ruff: noqa: E501 - configurations on one line
"""Configurations that look like faults and are none: nothing may be found in them, by any rule, at warning and above.

Each trap has a twin in which the fault is real, so that its silence says something.
"""

from __future__ import annotations

from typing import NamedTuple

import pytest

from corslint import lint
from corslint.settings import Settings
from tests.examples import findings_of

_KNOWN = lint.knowledge()


class Trap(NamedTuple):
    """What looks like a fault, and the rule that finds its twin."""

    name: str
    files: dict[str, str]
    twin: dict[str, str]
    rule: str


def conf(inside: str, before: str = "") -> str:
    return f"{before}server {{\n    listen 80;\n{inside}}}\n"


ORIGIN = "add_header Access-Control-Allow-Origin https://app.example.com always;"
HSTS = "add_header Strict-Transport-Security max-age=31536000 always;"
METHODS = 'add_header Access-Control-Allow-Methods "GET, PUT" always;'
UPGRADE = (
    "proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade;"
    " proxy_pass http://127.0.0.1:3000;"
)
EXPRESS = "const app = require('express')();\napp.use(require('cors')());\napp.listen(3000);\n"

TRAPS = (
    Trap(
        "an include in the child brings the headers again",
        {"site.conf": conf(f"{ORIGIN} location /a/ {{ root /srv; {HSTS} include cors.conf; }}"), "cors.conf": ORIGIN},
        {"site.conf": conf(f"{ORIGIN} location /a/ {{ root /srv; {HSTS} include cors.conf; }}"), "cors.conf": HSTS},
        "lost-cors-headers",
    ),
    Trap(
        "an include in an if brings them again",
        {
            "site.conf": conf(f"location /a/ {{ root /srv; {ORIGIN} if ($arg_x) {{ {HSTS} include cors.conf; }} }}"),
            "cors.conf": ORIGIN,
        },
        {
            "site.conf": conf(f"location /a/ {{ root /srv; {ORIGIN} if ($arg_x) {{ {HSTS} include cors.conf; }} }}"),
            "cors.conf": HSTS,
        },
        "if-replaces-headers",
    ),
    Trap(
        "lines are merged",
        {"site.conf": conf(f"add_header_inherit merge; {ORIGIN} location /a/ {{ root /srv; {HSTS} }}")},
        {"site.conf": conf(f"{ORIGIN} location /a/ {{ root /srv; {HSTS} }}")},
        "lost-cors-headers",
    ),
    Trap(
        "the answer to preflights is merged with the location's headers",
        {
            "site.conf": conf(
                f"location /a/ {{ add_header_inherit merge; root /srv; {ORIGIN} {METHODS}"
                f" if ($request_method = OPTIONS) {{ add_header Access-Control-Max-Age 600; return 204; }} }}"
            )
        },
        {
            "site.conf": conf(
                f"location /a/ {{ root /srv; {ORIGIN} {METHODS}"
                f" if ($request_method = OPTIONS) {{ add_header Access-Control-Max-Age 600; return 204; }} }}"
            )
        },
        "preflight-without-headers",
    ),
    Trap(
        "a child sends another origin on purpose",
        {
            "site.conf": conf(
                f"{ORIGIN} location /fonts/ {{ root /srv; add_header Access-Control-Allow-Origin * always; {HSTS} }}"
            )
        },
        {"site.conf": conf(f"{ORIGIN} location /fonts/ {{ root /srv; {HSTS} }}")},
        "lost-cors-headers",
    ),
    Trap(
        "an if sends another origin on purpose",
        {
            "site.conf": conf(
                f"location /a/ {{ root /srv; {ORIGIN}"
                f" if ($arg_public) {{ add_header Access-Control-Allow-Origin * always; {HSTS} }} }}"
            )
        },
        {"site.conf": conf(f"location /a/ {{ root /srv; {ORIGIN} if ($arg_public) {{ {HSTS} }} }}")},
        "if-replaces-headers",
    ),
    Trap(
        "an include by an absolute path that is not in the project",
        {"site.conf": conf(f"{ORIGIN} location /a/ {{ root /srv; {HSTS} include /etc/nginx/snippets/cors.conf; }}")},
        {"site.conf": conf(f"{ORIGIN} location /a/ {{ root /srv; {HSTS} include mime.types; }}")},
        "lost-cors-headers",
    ),
    Trap(
        "the application's headers are hidden, and such an include may send others",
        {
            "site.conf": conf(
                "location / { proxy_pass http://127.0.0.1:3000; proxy_hide_header Access-Control-Allow-Origin;"
                " include /etc/nginx/snippets/cors.conf; }"
            ),
            "server.js": EXPRESS,
        },
        {
            "site.conf": conf(
                "location / { proxy_pass http://127.0.0.1:3000; proxy_hide_header Access-Control-Allow-Origin; }"
            ),
            "server.js": EXPRESS,
        },
        "stripped-cors-headers",
    ),
    Trap(
        "preflights for a password may be answered by such an include",
        {
            "site.conf": conf(
                f"location / {{ include /etc/nginx/snippets/preflight.conf; auth_basic staff;"
                f" auth_basic_user_file users; proxy_pass http://127.0.0.1:3000; {ORIGIN} }}"
            )
        },
        {
            "site.conf": conf(
                f"location / {{ auth_basic staff; auth_basic_user_file users; proxy_pass http://127.0.0.1:3000; {ORIGIN} }}"
            )
        },
        "preflight-needs-auth",
    ),
    Trap(
        "try_files sends everything to the location of the socket",
        {"site.conf": conf(f"location /socket.io/ {{ try_files /dev/null @ws; }} location @ws {{ {UPGRADE} }}")},
        {"site.conf": conf("location /socket.io/ { proxy_http_version 1.1; proxy_pass http://127.0.0.1:3000; }")},
        "missing-upgrade-headers",
    ),
    Trap(
        "try_files sends everything to the location with the headers",
        {
            "site.conf": conf(
                f"location /a/ {{ {METHODS} {ORIGIN} try_files /dev/null @app; }}"
                f" location @app {{ proxy_pass http://127.0.0.1:3000; {METHODS} {ORIGIN} }}"
            )
        },
        {"site.conf": conf(f"location /a/ {{ {METHODS} {ORIGIN} root /srv; }}")},
        "preflight-not-handled",
    ),
    Trap(
        "an if that returns takes nothing from the others",
        {
            "site.conf": conf(
                f"location /a/ {{ root /srv; {ORIGIN} if ($http_user_agent ~ bot) {{ {HSTS} return 403; }} }}"
            )
        },
        {"site.conf": conf(f"location /a/ {{ root /srv; {ORIGIN} if ($http_user_agent ~ bot) {{ {HSTS} }} }}")},
        "if-replaces-headers",
    ),
    Trap(
        "an if that answers preflights inherits the headers, and needs no always",
        {
            "site.conf": conf(
                f"location /a/ {{ proxy_pass http://127.0.0.1:3000; {METHODS} {ORIGIN}"
                " if ($request_method = OPTIONS) { return 204; } }"
                " location /b/ { proxy_pass http://127.0.0.1:3000; add_header Access-Control-Allow-Origin * always;"
                " if ($request_method = OPTIONS) { add_header Access-Control-Allow-Origin *;"
                " add_header Access-Control-Allow-Headers *; return 204; } }"
            )
        },
        {
            "site.conf": conf(
                "location /b/ { proxy_pass http://127.0.0.1:3000; add_header Access-Control-Allow-Origin * always;"
                " if ($request_method = POST) { add_header Access-Control-Allow-Origin *; } }"
            )
        },
        "cors-header-not-always",
    ),
    Trap(
        "the server's line and the location's are not added up",
        {"site.conf": conf(f"{ORIGIN} location / {{ root /srv; {ORIGIN} }}")},
        {"site.conf": conf(f"location / {{ root /srv; {ORIGIN} {ORIGIN} }}")},
        "duplicate-add-header",
    ),
    Trap(
        "the application behind the child sends its own, and the loss is the cure",
        {
            "site.conf": conf(f"{ORIGIN} location / {{ proxy_pass http://127.0.0.1:3000; {HSTS} }}"),
            "server.js": EXPRESS,
        },
        {"site.conf": conf(f"{ORIGIN} location / {{ root /srv; {HSTS} }}")},
        "lost-cors-headers",
    ),
    Trap(
        "one of two cases of the upgrade header, from a map",
        {
            "site.conf": conf(
                "location /socket.io/ { proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade;"
                " proxy_set_header Connection $upgrade_or_not; proxy_pass http://127.0.0.1:3000; }",
                "map $http_upgrade $upgrade_or_not { default upgrade; '' close; }\n",
            )
        },
        {
            "site.conf": conf(
                "location /socket.io/ { proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade;"
                " proxy_pass http://127.0.0.1:3000; }"
            )
        },
        "missing-upgrade-headers",
    ),
)


def rules(files: dict[str, str]) -> list[str]:
    """The rules that speak at warning and above."""
    findings = findings_of({path: text.encode() for path, text in files.items()}, Settings(), _KNOWN)
    return [one.rule for one in findings if one.severity != "note"]


@pytest.mark.parametrize("trap", TRAPS, ids=lambda trap: trap.name)
def test_it_is_no_fault(trap: Trap) -> None:
    assert rules(trap.files) == []


@pytest.mark.parametrize("trap", TRAPS, ids=lambda trap: trap.name)
def test_its_twin_is_one(trap: Trap) -> None:
    assert rules(trap.twin) == [trap.rule]
