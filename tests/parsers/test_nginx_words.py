"""What corslint says of a broken file is what nginx says of it; and where nginx starts, corslint doesn't deny that."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from corslint.parsers.nginx import read
from corslint.source import SourceFile

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/opt/homebrew/bin")

MAIN = "events {}\nhttp {\n@\n}\n"
SERVER = "events {}\nhttp {\nserver {\nlisten 18080;\n@\n}\n}\n"

WHOLE = r"""
worker_processes 1;
error_log e.log info;
events {
    worker_connections 64;
    multi_accept on;
}
http {
    log_format main '$remote_addr [$time_local] "$request" '
                    '$status';
    access_log a.log main;
    types {
        text/html html htm;
        text/css css;
    }
    default_type text/plain;
    sendfile on;
    tcp_nopush on;
    keepalive_timeout 65;
    gzip on;
    gzip_types text/css text/xml;
    gzip_vary on;
    proxy_cache_path c keys_zone=one:1m;
    limit_req_zone $binary_remote_addr zone=two:1m rate=10r/s;
    map $http_upgrade $connection_upgrade {
        default upgrade;
        '' close;
    }
    map $http_origin $cors {
        hostnames;
        default "";
        ~^https://a\.test$ $http_origin;
    }
    geo $inside {
        default 0;
        10.0.0.0/8 1;
    }
    split_clients $remote_addr $variant {
        50% a;
        * b;
    }
    upstream app {
        ip_hash;
        server 127.0.0.1:3000;
        server 127.0.0.1:3001 weight=2;
        keepalive 8;
    }
    server {
        listen 18081;
        listen 18082;
        server_name a.test b.test;
        root files;
        index index.html;
        charset utf-8;
        client_max_body_size 1m;
        error_page 404 /404.html;
        error_page 500 502 =200 /50x.html;
        add_header X-A b;
        add_header X-B c always;
        expires 1d;
        resolver 127.0.0.1;
        set $x y;
        if ($host = c.test) {
            return 301 https://a.test$request_uri;
        }
        location = /a {
            auth_basic off;
            allow 10.0.0.0/8;
            deny all;
            alias files/;
            autoindex on;
        }
        location / {
            try_files $uri $uri/ @app;
            valid_referers none a.test;
            etag off;
        }
        location ~ \.php$ {
            limit_req zone=two burst=5;
            fastcgi_pass 127.0.0.1:9000;
            fastcgi_param A b;
            include /dev/null;
        }
        location @app {
            proxy_pass http://app;
            proxy_http_version 1.1;
            proxy_set_header Host $host;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection $connection_upgrade;
            proxy_hide_header X-Powered-By;
            proxy_cache one;
            proxy_cache_valid 200 1m;
            proxy_cache_bypass $http_upgrade;
            proxy_next_upstream error timeout;
            proxy_read_timeout 60s;
            proxy_buffering off;
            sub_filter a b;
            rewrite ^/x/(.*)$ /y/$1 break;
            proxy_ssl_protocols TLSv1.2;
            proxy_redirect off;
            proxy_cookie_path / /x;
        }
    }
}
"""

REFUSED = [
    (SERVER, "root /tmp\nindex a.html;"),
    (SERVER, "add_header A b\nadd_header B c;"),
    (SERVER, "proxy_set_header A b\nroot /tmp;"),
    (SERVER, "return 200\nroot /tmp;"),
    (SERVER, "listen 18081\nserver_name b;"),
    (SERVER, "listen 18081\nlocation / { return 200; }"),
    (SERVER, "server_name a.test\nlocation / { return 200; }"),
    (SERVER, "root /tmp\nlocation / { return 200; }"),
    (SERVER, "add_header A b\nif ($host) { return 204; }"),
    (SERVER, "error_page 404 /x.html\nroot /tmp;"),
    (SERVER, "error_page 404 =200 /x.html\nroot /tmp;"),
    (SERVER, "error_page 404 =200\nroot /tmp;"),
    (SERVER, "error_page 404\nroot /tmp;"),
    (SERVER, "access_log off\nroot /tmp;"),
    (SERVER, "access_log /tmp/x.log\nroot /tmp;"),
    (SERVER, "access_log /tmp/x.log combined\nroot /tmp;"),
    (SERVER, "error_log /tmp/x.log info\nroot /tmp;"),
    (SERVER, "limit_req zone=a\nroot /tmp;"),
    (SERVER, "ssl_protocols TLSv1.2\nroot /tmp;"),
    (SERVER, "proxy_next_upstream error\nroot /tmp;"),
    (SERVER, "location / { return 200 }"),
    (SERVER, "location /a;"),
    (SERVER, "if ($host) return 200;"),
    (SERVER, "root /tmp { index a.html; }"),
    (MAIN, "map $host $a;"),
    (MAIN, "upstream a;"),
    (SERVER, "location / { return 200; } }"),
    (SERVER, ";"),
    (SERVER, "{ root /tmp; }"),
    (SERVER, 'add_header A "b"c;'),
    (SERVER, "if $host { return 200; }"),
    (SERVER, "location ~ ^/v[0-9]{1}/ { return 200; }"),
    (SERVER, "location ~ ^/v[0-9]{1,2}$ { return 200; }"),
    (SERVER, "location ~ ^/a{2,}b{3}/ { return 200; }"),
    (SERVER, "location ~ ^/a{2} { return 200; }"),
    (SERVER, r"server_name ~^a{2}\.test$;"),
    (SERVER, "rewrite ^/a{2}/(.*)$ /b/$1 last;"),
    (SERVER, "if ($uri ~ ^/a{2}/) { return 204; }"),
    (MAIN, "map $host $b { default 0\n x 1; }"),
    (MAIN, "map $host $b {\n default 0;\n x 1\n y 2;\n}"),
    (MAIN, "geo $b { default 0\n 10.0.0.1 1; }"),
    (MAIN, r"map $host $b { ~^a{2}\.test$ 1; }"),
    (MAIN, "upstream a {\nserver 10.0.0.1:80\nserver 10.0.0.2:80; }"),
    (MAIN, "upstream a {\nserver 10.0.0.1:80\nip_hash; }"),
    (MAIN, "upstream a { ip_hash\nserver 10.0.0.1:80; }"),
    (MAIN, "server {\nlisten 18080;"),
    ("@", "\ufeffevents {}"),
]

SWALLOWED = [
    (SERVER, "server_name a.test\nroot /tmp;", "server_name", "root"),
    (SERVER, "server_name a.test\nproxy_set_header Host $host;", "server_name", "proxy_set_header"),
    (SERVER, "index a.html\nroot /tmp;", "index", "root"),
    (SERVER, "location / {\ntry_files $uri =404\nroot /tmp;\n}", "try_files", "root"),
    (SERVER, "gzip_types text/css\ngzip on;", "gzip_types", "gzip"),
    (SERVER, "proxy_cache_bypass $host\nroot /tmp;", "proxy_cache_bypass", "root"),
    (SERVER, "valid_referers none\nroot /tmp;", "valid_referers", "root"),
    (MAIN, "log_format x '$host'\nserver_tokens off;", "log_format", "server_tokens"),
    (MAIN, "split_clients $remote_addr $b { 50% x\n * y; }", "50%", "*"),
]


def says(root: Path, text: str) -> tuple[int, str]:
    """Exit status of `nginx -t`, and its words without the place."""
    assert NGINX is not None
    (root / "main.conf").write_text(text)
    log = root / "error.log"
    command = [NGINX, "-t", "-q", "-p", str(root), "-c", "main.conf", "-e", str(log), "-g", f"pid {root}/nginx.pid;"]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    found = re.search(r"\[emerg\] (?:\d+#\d+: )?(.*?)(?: in \S+:\d+)?$", ran.stderr, re.MULTILINE)
    return ran.returncode, found[1] if found else ""


def damage(text: str) -> list[tuple[str, str]]:
    return [(one.kind, one.message) for one in read(SourceFile("nginx.conf", text.encode())).damage]


def words(message: str) -> str:
    """nginx's part of a message."""
    return re.sub(r" \((?:missing|the file|text right|it must|this ).*\)$|: nginx takes the brace .*$", "", message)


@pytest.mark.skipif(NGINX is None, reason="nginx is not installed")
@pytest.mark.parametrize(("around", "text"), REFUSED, ids=[text[:40] for _, text in REFUSED])
def test_in_the_words_of_nginx(around: str, text: str, tmp_path: Path) -> None:
    whole = around.replace("@", text)
    status, said = says(tmp_path, whole)
    (kind, message), *_ = damage(whole)
    assert status == 1
    assert kind == "syntax"
    # Of a character that can't be shown, nginx shows the byte.
    assert words(message) == said.replace("\ufeff", "\\ufeff")


@pytest.mark.parametrize(("around", "text", "name", "lost"), SWALLOWED, ids=[text[:40] for _, text, *_ in SWALLOWED])
def test_swallowed(around: str, text: str, name: str, lost: str, tmp_path: Path) -> None:
    whole = around.replace("@", text)
    shown = f'nginx takes the next line as arguments of "{name}", so that "{lost}" has no effect (missing ";")'
    assert damage(whole) == [("swallowed", shown)]
    if NGINX is not None:
        assert says(tmp_path, whole) == (0, "")


@pytest.mark.skipif(NGINX is None, reason="nginx is not installed")
def test_every_semicolon_in_turn(tmp_path: Path) -> None:
    """Whichever is missing: one complaint, in nginx's words where it refuses, and none of them where it starts."""
    assert says(tmp_path, WHOLE) == (0, "")
    assert damage(WHOLE) == []
    ends = [found.start() for found in re.finditer(r";$", WHOLE, re.MULTILINE)]
    assert len(ends) > 70
    for end in ends:
        text = WHOLE[:end] + WHOLE[end + 1 :]
        ((kind, message),) = damage(text)
        status, said = says(tmp_path, text)
        line = WHOLE[WHOLE.rfind("\n", 0, end) + 1 : end].strip()
        assert (line, kind) == (line, "syntax" if status else "swallowed")
        if status:
            assert (line, words(message)) == (line, said)


@pytest.mark.parametrize(
    "text",
    [
        "server_name a.test\n    root;",
        "server_name a.test\n            internal;",
        "index index.html\n      index.htm\n      root;",
        "gzip_types\n  text/css\n  text/xml;",
        "log_format x '$host'\n    'root' 'listen';",
    ],
)
def test_arguments_on_lines_of_their_own(text: str, tmp_path: Path) -> None:
    around = SERVER if "log_format" not in text else MAIN
    assert damage(around.replace("@", text)) == []
    if NGINX is not None:
        assert says(tmp_path, around.replace("@", text)) == (0, "")


@pytest.mark.skipif(NGINX is None, reason="nginx is not installed")
@pytest.mark.parametrize("text", ["set $a b};", "add_header A} b;", "set $a b}c;", "set $a '}';"])
def test_a_closing_brace_in_a_word_closes_nothing(text: str, tmp_path: Path) -> None:
    assert damage(SERVER.replace("@", text)) == []
    assert says(tmp_path, SERVER.replace("@", text)) == (0, "")


@pytest.mark.skipif(NGINX is None, reason="nginx is not installed")
@pytest.mark.parametrize("text", ["location ~ '^/a{2}/' { return 200; }", 'if ($uri ~ "^/a{2}/") { return 204; }'])
def test_quoted_braces(text: str, tmp_path: Path) -> None:
    assert damage(SERVER.replace("@", text)) == []
    assert says(tmp_path, SERVER.replace("@", text)) == (0, "")


def test_a_group_cut_in_two_is_left_to_pcre() -> None:
    """What nginx passes on is the library's to word, and that differs by its version."""
    assert damage("if ($uri ~* (ab){2,3}) { return 204; }") == [
        ("syntax", "the condition ends early: nginx takes the brace of an unquoted {2,3} for the start of a block")
    ]
