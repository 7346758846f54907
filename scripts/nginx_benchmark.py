"""Compares corslint with `crossplane.parse` and gixy-ng on a generated configuration of 10,000 locations.

    python scripts/nginx_benchmark.py [--runs 5] [--locations 10000] [--gixy PATH]

Every tool is started anew and in turn (corslint, crossplane, gixy, corslint, ...). Times are those that the processor
spent on them, which a busy machine changes least; the medians and the largest resident sizes are printed.
`crossplane.parse` is timed alone, without the start of Python; the other two as they are used, from the start of their
command to its end. gixy-ng installs another package under crossplane's name and therefore needs an environment of its
own, which is made where `--gixy` does not name one. Exits with 1 where a bound does not hold.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import venv
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

MOST_TIME = 2.0
"""corslint may take this many times as long as `crossplane.parse`."""
MOST_MEMORY = 160
"""MiB that corslint may use."""
_LOCATIONS_PER_SERVER = 20
_CROSSPLANE = """
import sys, time, crossplane
begun = time.process_time()
crossplane.parse(sys.argv[1])
print(time.process_time() - begun)
"""


class Run(NamedTuple):
    """One run of one tool: seconds, and MiB."""

    seconds: float
    memory: float


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


_ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
"""Installed programs are compiled once, and not at each start."""


def measured(command: Sequence[str]) -> tuple[Run, str]:
    """Runs a command to its end: what it took, and what it printed.

    Raises:
        RuntimeError: it failed. Findings are no failure.
    """
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.DEVNULL, env=_ENVIRONMENT)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        printed = output.read().decode("utf-8", "replace")
    if process.returncode not in (0, 1):
        raise RuntimeError(f"{command[0]} ended with {process.returncode}")
    per_mebibyte = 1 << 20 if sys.platform == "darwin" else 1 << 10
    return Run(usage.ru_utime + usage.ru_stime, usage.ru_maxrss / per_mebibyte), printed


def compare(config: Path, gixy: Path, runs: int) -> dict[str, list[Run]]:
    """Several runs of each tool, in turn."""
    corslint = Path(sysconfig.get_path("scripts")) / "corslint"
    measured([str(corslint), "--version"])
    found: dict[str, list[Run]] = {"corslint check": [], "crossplane.parse": [], "gixy-ng": []}
    for _ in range(runs):
        run, _ = measured([str(corslint), "check", "--output-format", "concise", str(config)])
        found["corslint check"].append(run)
        run, printed = measured([sys.executable, "-c", _CROSSPLANE, str(config)])
        found["crossplane.parse"].append(run._replace(seconds=float(printed)))
        found["gixy-ng"].append(measured([str(gixy), str(config)])[0])
    return found


def _installed_gixy(folder: Path) -> Path:
    venv.create(folder, with_pip=True)
    scripts = folder / ("Scripts" if os.name == "nt" else "bin")
    subprocess.run([str(scripts / "python"), "-m", "pip", "install", "--quiet", "gixy-ng"], check=True)
    return scripts / "gixy"


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--locations", type=int, default=10_000)
    parser.add_argument("--gixy", type=Path, help="the command of gixy-ng, from an environment of its own")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "nginx.conf"
        config.write_text(configuration(options.locations), encoding="utf-8")
        gixy = options.gixy or _installed_gixy(Path(folder) / "gixy")
        found = compare(config, gixy, options.runs)
    medians = {name: statistics.median(run.seconds for run in runs) for name, runs in found.items()}
    memory = max(run.memory for run in found["corslint check"])
    for name, runs in found.items():
        print(f"{name:17} {medians[name]:7.2f} s  {max(run.memory for run in runs):5.0f} MiB  ({len(runs)} runs)")
    ratio = medians["corslint check"] / medians["crossplane.parse"]
    bounds = {
        f"{ratio:.2f} times crossplane.parse, at most {MOST_TIME:g}": ratio <= MOST_TIME,
        "faster than gixy-ng": medians["corslint check"] < medians["gixy-ng"],
        f"{memory:.0f} MiB, under {MOST_MEMORY}": memory < MOST_MEMORY,
    }
    for bound, holds in bounds.items():
        print(f"{'holds' if holds else 'FAILS'}: {bound}")
    return 0 if all(bounds.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
