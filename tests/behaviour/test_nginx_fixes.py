"""Fixes of the nginx rules about CORS keep the text around them: line endings, quotes, comments, indentation."""

from __future__ import annotations

import pytest

from corslint import lint
from corslint.fixes import fix_to_fixpoint
from corslint.model.finding import Finding
from corslint.settings import Settings
from corslint.source import SourceFile
from tests.examples import findings_of

_KNOWN = lint.knowledge()


def fixed(rule: str, text: str, path: str = "nginx.conf") -> str:
    """The text after all fixes of one rule, unsafe ones among them."""
    files = {path: text.encode()}

    def found(changed: object) -> list[Finding]:
        now = {**files, **dict(changed)} if isinstance(changed, dict) else files
        return [one for one in findings_of(now, Settings(), _KNOWN, with_fixes=True) if one.rule == rule]

    result = fix_to_fixpoint(found, found({}), lambda name: SourceFile(name, files[name]), True)
    assert not result.refused
    return result.changed[path].decode()


CASES = {
    "always behind quotes, CRLF, a comment": (
        "cors-header-not-always",
        (
            "server {\r\n\tlocation / {\r\n\t\tproxy_pass http://a;\r\n"
            "\t\tadd_header 'Access-Control-Allow-Origin' 'https://a.example.com'; # why\r\n\t}\r\n}\r\n"
        ),
        (
            "server {\r\n\tlocation / {\r\n\t\tproxy_pass http://a;\r\n"
            "\t\tadd_header 'Access-Control-Allow-Origin' 'https://a.example.com' always; # why\r\n\t}\r\n}\r\n"
        ),
    ),
    "always on one line, with a comment between the arguments": (
        "cors-header-not-always",
        "server { location / { proxy_pass http://a; add_header Access-Control-Allow-Origin\n # whom\n * ; } }\n",
        "server { location / { proxy_pass http://a; add_header Access-Control-Allow-Origin\n # whom\n * always ; } }\n",
    ),
    "lines of the preflight with tabs and CRLF": (
        "preflight-without-headers",
        (
            'server {\r\n\tlocation / {\r\n\t\tadd_header Access-Control-Allow-Origin "*" always;\r\n'
            "\t\tadd_header Access-Control-Allow-Headers 'Range' always;\r\n"
            "\t\tif ($request_method = OPTIONS) {\r\n\t\t\tadd_header Access-Control-Max-Age 60; # a minute\r\n"
            "\t\t\treturn 204;\r\n\t\t}\r\n\t\tproxy_pass http://a;\r\n\t}\r\n}\r\n"
        ),
        (
            'server {\r\n\tlocation / {\r\n\t\tadd_header Access-Control-Allow-Origin "*" always;\r\n'
            "\t\tadd_header Access-Control-Allow-Headers 'Range' always;\r\n"
            "\t\tif ($request_method = OPTIONS) {\r\n\t\t\tadd_header Access-Control-Max-Age 60; # a minute\r\n"
            '\t\t\tadd_header Access-Control-Allow-Origin "*" always;\r\n'
            "\t\t\tadd_header Access-Control-Allow-Headers 'Range' always;\r\n"
            "\t\t\treturn 204;\r\n\t\t}\r\n\t\tproxy_pass http://a;\r\n\t}\r\n}\r\n"
        ),
    ),
    "an if with the siblings' indentation": (
        "preflight-not-handled",
        (
            "server {\n  location /a/ {\n    root /srv;\n    add_header Access-Control-Allow-Origin * always;\n"
            "    add_header Access-Control-Allow-Headers X-A always;\n  }\n}\n"
        ),
        (
            "server {\n  location /a/ {\n    root /srv;\n    add_header Access-Control-Allow-Origin * always;\n"
            "    add_header Access-Control-Allow-Headers X-A always;\n"
            "    if ($request_method = OPTIONS) {\n      return 204;\n    }\n  }\n}\n"
        ),
    ),
    "an if on one line": (
        "preflight-not-handled",
        (
            "server { location /a/ { root /srv; add_header Access-Control-Allow-Origin * always;"
            " add_header Access-Control-Allow-Headers X-A always; } }\n"
        ),
        (
            "server { location /a/ { root /srv; add_header Access-Control-Allow-Origin * always;"
            " add_header Access-Control-Allow-Headers X-A always; if ($request_method = OPTIONS) { return 204; } } }\n"
        ),
    ),
    "a method more, behind a comment": (
        "preflight-needs-auth",
        (
            "server {\n    location / {\n        proxy_pass http://a;\n"
            "        add_header Access-Control-Allow-Origin * always;\n"
            "        limit_except GET  POST { # who may write\n"
            "            auth_basic a;\n            auth_basic_user_file b;\n        }\n    }\n}\n"
        ),
        (
            "server {\n    location / {\n        proxy_pass http://a;\n"
            "        add_header Access-Control-Allow-Origin * always;\n"
            "        limit_except GET  POST OPTIONS { # who may write\n"
            "            auth_basic a;\n            auth_basic_user_file b;\n        }\n    }\n}\n"
        ),
    ),
    "quotes for a list over two lines": (
        "invalid-header-argument",
        "server {\n    add_header Access-Control-Allow-Methods GET,\n        PUT always;  # both\n    root /srv;\n}\n",
        'server {\n    add_header Access-Control-Allow-Methods "GET, PUT" always;  # both\n    root /srv;\n}\n',
    ),
    "a name without its colon, in its own quotes no more": (
        "invalid-header-argument",
        "server {\n    add_header 'X-A:' \"it's\" always;\n    root /srv;\n}\n",
        'server {\n    add_header X-A "it\'s" always;\n    root /srv;\n}\n',
    ),
    "a type said otherwise, with its comment": (
        "content-header-added",
        (
            "server {\n    location = /a {\n        add_header Content-Type 'application/json' always; # for the app\n"
            "        return 200 '{}';\n    }\n}\n"
        ),
        (
            "server {\n    location = /a {\n        default_type 'application/json'; # for the app\n"
            "        return 200 '{}';\n    }\n}\n"
        ),
    ),
}


@pytest.mark.parametrize(("rule", "before", "after"), CASES.values(), ids=CASES)
def test_what_stands_around_stays(rule: str, before: str, after: str) -> None:
    assert fixed(rule, before) == after
