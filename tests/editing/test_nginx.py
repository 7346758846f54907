from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from corslint.editing import Code
from corslint.editing.nginx import quoted
from corslint.parsers.nginx import read
from corslint.source import SourceFile

Edited = Callable[..., "str | None"]

DELETE = {
    "its line": (
        "location / {\n    a 1;\n    ⟦add_header X 1;⟧\n    b 2;\n}\n",
        "location / {\n    a 1;\n    b 2;\n}\n",
    ),
    "its line and comment": (
        "location / {\n    # above\n    ⟦add_header X 1;⟧ # behind\n    # below\n}\n",
        "location / {\n    # above\n    # below\n}\n",
    ),
    "by its argument": ("location / {\n    a 1;\n    add_header X ⟦1⟧;\n}\n", "location / {\n    a 1;\n}\n"),
    "by its name": ("location / {\n    a 1;\n    ⟦add_header⟧ X 1;\n}\n", "location / {\n    a 1;\n}\n"),
    "over lines": ("a 1;\n⟦add_header X\n    1\n    always;⟧\nb 2;\n", "a 1;\nb 2;\n"),
    "first of a line": ("location / { ⟦a 1;⟧ b 2; }\n", "location / { b 2; }\n"),
    "last of a line": ("location / { a 1; ⟦b 2;⟧ }\n", "location / { a 1; }\n"),
    "last of a line, comment": ("a 1; ⟦b 2;⟧ # why\nc 3;\n", "a 1; # why\nc 3;\n"),
    "a block": ("a 1;\n⟦if ($x) {\n    b 2;\n}⟧\nc 3;\n", "a 1;\nc 3;\n"),
    "the only one": ("location / {\n    ⟦a 1;⟧\n}\n", "location / {\n}\n"),
    "CRLF and tabs": ("location / {\r\n\ta 1;\r\n\t⟦b 2;⟧\r\n}\r\n", "location / {\r\n\ta 1;\r\n}\r\n"),
    "non-ASCII before": ("# ключ 🔑\na é;\n⟦b 2;⟧\nc 3;\n", "# ключ 🔑\na é;\nc 3;\n"),
    "in a template": ("{% if x %}\na ${A};\n⟦b 2;⟧\n{% endif %}\n", "{% if x %}\na ${A};\n{% endif %}\n"),
    "without a final line ending": ("a 1;\n⟦b 2;⟧", "a 1;\n"),
}


@pytest.mark.parametrize(("before", "after"), DELETE.values(), ids=DELETE)
def test_delete(edited: Edited, before: str, after: str) -> None:
    assert edited("nginx.conf", before, "delete") == after


def test_delete_refused(edited: Edited) -> None:
    assert edited("nginx.conf", "location / {⟦\n    a 1;\n⟧}\n", "delete") is None
    assert edited("nginx.conf", "a 1;\n⟦# comment⟧\n", "delete") is None
    assert edited("nginx.conf", "if ($a = ⟦b⟧) {\n    c 1;\n}\n", "delete") is None


REPLACE: dict[str, tuple[str, Any, str]] = {
    "plain": ("proxy_http_version ⟦1.0⟧;", "1.1", "proxy_http_version 1.1;"),
    "a number": ("proxy_http_version ⟦1.0⟧;", 1.1, "proxy_http_version 1.1;"),
    "a flag": ("ssl ⟦on⟧;", False, "ssl off;"),
    "double quotes stay": ('add_header X ⟦"a"⟧ always;', "b", 'add_header X "b" always;'),
    "single quotes stay": ("add_header X ⟦'a'⟧;", "b", "add_header X 'b';"),
    "quotes where needed": ("add_header X ⟦a⟧;", "b c; d", 'add_header X "b c; d";'),
    "an empty word": ("add_header X ⟦a⟧;", "", 'add_header X "";'),
    "was empty": ('proxy_set_header Connection ⟦""⟧;', "upgrade", 'proxy_set_header Connection "upgrade";'),
    "a quote inside": ("add_header X ⟦'a'⟧;", "it's", "add_header X 'it\\'s';"),
    "a variable": ("proxy_set_header Upgrade ⟦x⟧;", "$http_upgrade", "proxy_set_header Upgrade $http_upgrade;"),
    "a part": ("add_header X ⟦https://a⟧/;", "https://b", "add_header X https://b/;"),
    "a part within quotes": ('add_header X "é https://a⟦/⟧";', "", 'add_header X "é https://a";'),
    "the name": ("⟦add_headers⟧ X a;", "add_header", "add_header X a;"),
    "code": ("a ⟦1;⟧", Code("2 3;"), "a 2 3;"),
    "nothing to do": ('add_header X ⟦"a"⟧;', "a", 'add_header X "a";'),
    "non-ASCII before": ("# ключ 🔑\nadd_header é ⟦ü⟧;", "ö", "# ключ 🔑\nadd_header é ö;"),
}


@pytest.mark.parametrize(("before", "new", "after"), REPLACE.values(), ids=REPLACE)
def test_replace(edited: Edited, before: str, new: Any, after: str) -> None:
    assert edited("nginx.conf", before, "replace", new) == after


def test_replace_refused(edited: Edited) -> None:
    assert edited("nginx.conf", "⟦add_header X a;⟧", "replace", "b") is None
    assert edited("nginx.conf", "add_header ⟦X a⟧;", "replace", "b") is None
    assert edited("nginx.conf", "add_header X ⟦a⟧;", "replace", ["b"]) is None
    assert edited("nginx.conf", "add_header X ⟦a⟧;", "replace", Code('"b')) is None
    assert edited("nginx.conf", 'add_header X ⟦"a b"⟧;', "replace", "c", was="d") is None


def test_rename(edited: Edited) -> None:
    before = "add_header ⟦Access-Control-Allow-Header⟧ x;"
    after = "add_header Access-Control-Allow-Headers x;"
    assert edited("nginx.conf", before, "rename_key", name="Access-Control-Allow-Headers") == after


UPGRADE = 'proxy_set_header Upgrade $http_upgrade;\nproxy_set_header Connection "upgrade";'

INSERT: dict[str, tuple[str, str, str]] = {
    "after the last of its kind": (
        "location / {⟦\n    proxy_set_header Host $host; # why\n    proxy_pass http://a;\n⟧}\n",
        UPGRADE,
        f"location / {{\n    proxy_set_header Host $host; # why\n    {UPGRADE}\n    proxy_pass http://a;\n}}\n".replace(
            "\nproxy_set", "\n    proxy_set"
        ),
    ),
    "after the last simple one": (
        "server {⟦\n  listen 80;\n  location / {\n    a 1;\n  }\n⟧}\n",
        "add_header X 1;",
        "server {\n  listen 80;\n  add_header X 1;\n  location / {\n    a 1;\n  }\n}\n",
    ),
    "the whole block is named": (
        "⟦location / {\n    a 1;\n}⟧\n",
        "proxy_http_version 1.1;",
        "location / {\n    a 1;\n    proxy_http_version 1.1;\n}\n",
    ),
    "only what is missing": (
        'location / {⟦\n    proxy_set_header connection "upgrade";\n⟧}\n'.replace("connection", "Connection"),
        UPGRADE,
        'location / {\n    proxy_set_header Connection "upgrade";\n    proxy_set_header Upgrade $http_upgrade;\n}\n',
    ),
    "all there": (
        "location / {⟦\n    proxy_http_version 1.1;\n⟧}\n",
        "proxy_http_version 1.1;",
        "location / {\n    proxy_http_version 1.1;\n}\n",
    ),
    "on the line": ("location / {⟦ a 1; ⟧}\n", UPGRADE, f"location / {{ a 1; {UPGRADE} }}\n".replace("\n", " ", 1)),
    "after a shared line": ("location / {⟦\n    a 1; b 2;\n⟧}\n", "c 3;", "location / {\n    a 1; b 2;\n    c 3;\n}\n"),
    "on a shared line": (
        "location / {⟦\n    add_header A 1; b 2;\n⟧}\n",
        "add_header B 1;",
        "location / {\n    add_header A 1; add_header B 1; b 2;\n}\n",
    ),
    "into an empty block": (
        "    location / {⟦⟧}\n",
        "a 1;\nb 2;",
        "    location / {\n        a 1;\n        b 2;\n    }\n",
    ),
    "into a blank block": ("location / {⟦\n⟧}\n", "a 1;", "location / {\n    a 1;\n}\n"),
    "under a comment": ("location / {⟦\n    # none\n⟧}\n", "a 1;", "location / {\n    # none\n    a 1;\n}\n"),
    "before blocks": (
        "http {⟦\n    server {\n        a 1;\n    }\n⟧}\n",
        "b 2;",
        "http {\n    b 2;\n    server {\n        a 1;\n    }\n}\n",
    ),
    "a block": (
        "http {⟦\n\tlisten 80;\n⟧}\n",
        "map $a $b {\n    default 1;\n    '' 2;\n}",
        "http {\n\tlisten 80;\n\tmap $a $b {\n\t\tdefault 1;\n\t\t'' 2;\n\t}\n}\n",
    ),
    "CRLF and tabs": (
        "location / {⟦\r\n\ta 1;\r\n⟧}\r\n",
        "b 2;\nc 3;",
        "location / {\r\n\ta 1;\r\n\tb 2;\r\n\tc 3;\r\n}\r\n",
    ),
    "non-ASCII before": (
        "# ключ 🔑\nlocation /é {⟦\n  a ü;\n⟧}\n",
        "b 2;",
        "# ключ 🔑\nlocation /é {\n  a ü;\n  b 2;\n}\n",
    ),
    "a second server": (
        "upstream a {⟦\n    server b;\n⟧}\n",
        "server c;",
        "upstream a {\n    server b;\n    server c;\n}\n",
    ),
    "a balancing method": (
        "upstream a {⟦\n    # two\n    server b;\n    keepalive 8;\n⟧}\n",
        "ip_hash;",
        "upstream a {\n    # two\n    ip_hash;\n    server b;\n    keepalive 8;\n}\n",
    ),
    "a balancing method, CRLF and tabs": (
        "upstream a {⟦\r\n\tserver b;\r\n⟧}\r\n",
        "ip_hash;",
        "upstream a {\r\n\tip_hash;\r\n\tserver b;\r\n}\r\n",
    ),
    "a balancing method on the line": (
        "upstream a {⟦ server b; ⟧}\n",
        "ip_hash;",
        "upstream a { ip_hash; server b; }\n",
    ),
    "a balancing method, nothing else": ("upstream a {⟦⟧}\n", "ip_hash;", "upstream a {\n    ip_hash;\n}\n"),
    "another header": (
        "location / {⟦\n    add_header A 1;\n⟧}\n",
        "add_header B 1;",
        "location / {\n    add_header A 1;\n    add_header B 1;\n}\n",
    ),
    "file": ("⟦a 1;\n⟧", "b 2;", "a 1;\nb 2;\n"),
}


@pytest.mark.parametrize(("before", "text", "after"), INSERT.values(), ids=INSERT)
def test_insert_directive(edited: Edited, before: str, text: str, after: str) -> None:
    assert edited("nginx.conf", before, "insert_directive", name=text) == after


INSERT_REFUSED = {
    "another value of the same": ("location / {⟦\n    proxy_http_version 1.0;\n⟧}\n", "proxy_http_version 1.1;"),
    "another value of the same header": ("location / {⟦\n    add_header a 1;\n⟧}\n", "add_header A 2;"),
    "not a block": ("location / {\n    ⟦a 1;⟧\n}\n", "b 2;"),
    "never closed": ("location / {⟦\n    a 1;\n⟧", "b 2;"),
    "broken text": ("location / {⟦\n    a 1;\n⟧}\n", "b 2"),
    "no text": ("location / {⟦\n    a 1;\n⟧}\n", "# only a comment"),
}


@pytest.mark.parametrize(("before", "text"), INSERT_REFUSED.values(), ids=INSERT_REFUSED)
def test_insert_directive_refused(edited: Edited, before: str, text: str) -> None:
    assert edited("nginx.conf", before, "insert_directive", name=text) is None


def test_set_option_is_not_for_nginx(edited: Edited) -> None:
    assert edited("nginx.conf", "⟦a 1;⟧", "set_option", 1, key=("a",)) is None


@pytest.mark.parametrize("quote", ["", "'", '"'])
@pytest.mark.parametrize(
    "text",
    [
        "a",
        "",
        "a b",
        "it's",
        '"',
        "\\",
        "a\\",
        "\\.x$",
        "\\n",
        "a;b{c}",
        "#a",
        "a\nb\r",
        "a#b",
        "$x",
        "${x}y",
        "~^/a\\.(b|c)$",
        "é",
    ],
)
def test_quoted_words_read_back(text: str, quote: str) -> None:
    reading = read(SourceFile("nginx.conf", f"a {quoted(text, quote)};\n".encode()))
    assert [word.text for word in reading.directives[0].arguments] == [text]
