"""A generated nginx configuration of thousands of locations, beside `crossplane.parse` and gixy-ng.

`crossplane.parse` is timed with the start of Python and the import of crossplane, as corslint is with its own. gixy-ng
installs another package under crossplane's name and therefore needs an environment of its own.
"""

from __future__ import annotations

import shutil
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path

from benchmark.measure import Tool, interleaved, ratio
from benchmark.page import Line, Memory, Part

MOST_TIME = 2.0
"""corslint may take this many times as long as `crossplane.parse`."""
MOST_MEMORY = 160
"""MiB that corslint may use."""
GIXY: str | None = None
"""The command of gixy-ng, where it is not on the PATH."""
_LOCATIONS_PER_SERVER = 20
_CROSSPLANE = "import sys, crossplane; crossplane.parse(sys.argv[1])"


def configuration(locations: int) -> str:
    """A configuration of so many locations in servers of twenty, as front ends of many small services have them."""
    lines = ["events {}", "http {", "    map $http_upgrade $connection_upgrade {"]
    lines += ["        default upgrade;", "        '' close;", "    }"]
    lines += ["    map $http_origin $allowed_origin {", "        default '';"]
    lines += [
        "        https://www.example.com $http_origin;",
        "        https://admin.example.com $http_origin;",
        "    }",
    ]
    for number in range(0, locations, _LOCATIONS_PER_SERVER):
        lines += _server(number // _LOCATIONS_PER_SERVER, min(_LOCATIONS_PER_SERVER, locations - number))
    return "\n".join([*lines, "}", ""])


def _server(number: int, locations: int) -> list[str]:
    name = f"service{number}"
    lines = [f"    upstream {name} {{", "        ip_hash;"]
    lines += [f"        server 10.{number // 250}.{number % 250}.{host}:3000;" for host in (1, 2)]
    lines += ["    }", "    server {", "        listen 443 ssl;", f"        server_name {name}.example.com;"]
    lines += [f"        ssl_certificate /etc/ssl/{name}.pem;", f"        ssl_certificate_key /etc/ssl/{name}.key;"]
    kinds: tuple[Callable[[str, int], list[str]], ...] = (
        _api, _files, _api, _socket, _assets, _api, _files, _api, _shared_api, _assets,
    )  # fmt: skip
    for place in range(locations):
        lines.append(f"        # {name}, part {place}")
        lines += [f"        {line}" for line in kinds[place % len(kinds)](name, place)]
    return [*lines, "    }"]


_FORWARDED = (
    "    proxy_set_header Host $http_host;",
    "    proxy_set_header X-Real-IP $remote_addr;",
    "    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;",
    "    proxy_set_header X-Forwarded-Proto $scheme;",
)


def _api(name: str, place: int) -> list[str]:
    lines = [f"location /api{place}/ {{", f"    proxy_pass http://{name};", "    proxy_http_version 1.1;", *_FORWARDED]
    return [*lines, "    proxy_connect_timeout 5s;", "    proxy_read_timeout 90s;", "}"]


def _files(_: str, place: int) -> list[str]:
    lines = [f"location /app{place}/ {{", "    root /srv/www;", "    index index.html;"]
    return [
        *lines,
        f"    try_files $uri $uri/ /app{place}/index.html;",
        '    add_header Cache-Control "no-cache";',
        "}",
    ]


def _shared_api(name: str, place: int) -> list[str]:
    lines = [
        f"location /shared{place}/ {{",
        f"    proxy_pass http://{name};",
        "    proxy_http_version 1.1;",
        *_FORWARDED,
    ]
    lines += ["    proxy_hide_header Access-Control-Allow-Origin;"]
    lines += [
        "    add_header Access-Control-Allow-Origin $allowed_origin always;",
        "    add_header Vary Origin always;",
    ]
    return [*lines, "}"]


def _socket(name: str, place: int) -> list[str]:
    lines = [f"location /chat{place}/socket.io/ {{", f"    proxy_pass http://{name}/socket.io/;", *_FORWARDED]
    lines += ["    proxy_http_version 1.1;", "    proxy_set_header Upgrade $http_upgrade;"]
    return [*lines, "    proxy_set_header Connection $connection_upgrade;", "    proxy_read_timeout 3600s;", "}"]


def _assets(_: str, place: int) -> list[str]:
    lines = [rf"location ~* ^/assets{place}/.*\.(?:css|js|png|svg|woff2)$ {{", "    root /srv/www;", "    expires 30d;"]
    return [*lines, '    add_header Cache-Control "public, immutable";', "    access_log off;", "}"]


def part(folder: Path, locations: int, runs: int) -> Part:
    """The section of the page."""
    config = folder / "nginx.conf"
    config.write_text(configuration(locations), encoding="utf-8")
    corslint = str(Path(sysconfig.get_path("scripts")) / "corslint")
    mine = Tool("corslint", (corslint, "check", "--no-cache", "--output-format", "concise", str(config)), folder)
    tools = [mine, Tool("crossplane.parse", (sys.executable, "-c", _CROSSPLANE, str(config)), folder)]
    gixy = GIXY or shutil.which("gixy")
    if gixy is not None:
        tools.append(Tool("gixy-ng", (gixy, str(config)), folder))
    found = interleaved(tools, runs)
    bounds = {"crossplane.parse": MOST_TIME, "gixy-ng": 1.0}
    lines = [
        Line("check", other.name, ratio(found, mine.name, other.name, "cpu"), "cpu", bounds[other.name])
        for other in tools[1:]
    ]
    memory = [Memory(tool.name, found[tool.name].memory, MOST_MEMORY if tool is mine else None) for tool in tools]
    return Part("nginx", f"One configuration of {locations:,} locations.", lines, memory)
