"""A real nginx with real upstreams: started, asked over sockets, and what every upstream saw is on record.

The binary is `NGINX=PATH` from the environment, by default the one that is installed. `NGINX_MODULES=FOLDER` says where
dynamic modules lie if that is not nginx's own folder.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import NamedTuple

from tests.lab.installation import require

Lines = list[tuple[str, str]]


@cache
def nginx() -> str | None:
    """The nginx to compare with; None where there is none."""
    wanted = os.environ.get("NGINX")
    if wanted:
        return wanted
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/local/bin")


def require_nginx() -> str:
    """The binary; in a test: skips it, with the reason, where there is none (`tests.lab.installation.require`)."""
    found = nginx()
    return found if found is not None else str(require("nginx").path("nginx"))


@cache
def version() -> tuple[int, ...]:
    """The binary's version."""
    found = nginx()
    assert found is not None
    said = subprocess.run([found, "-v"], capture_output=True, text=True, check=True).stderr
    match = re.search(r"nginx/(\d+)\.(\d+)\.(\d+)", said)
    assert match is not None, said
    return tuple(int(part) for part in match.groups())


@cache
def headers_more() -> str | None:
    """The file of the headers-more module, where the binary can load it."""
    found = nginx()
    assert found is not None
    for folder in (os.environ.get("NGINX_MODULES"), "/usr/lib/nginx/modules"):
        path = Path(folder or "/nonexistent") / "ngx_http_headers_more_filter_module.so"
        if path.exists():
            lines = f"load_module {path};\nevents {{}}\nhttp {{ more_set_headers 'A: b'; }}\npid /dev/null;\n"
            test = Path(os.environ.get("TMPDIR", "/tmp")) / f"corslint-module-{os.getpid()}.conf"
            test.write_text(lines, encoding="utf-8")
            tried = subprocess.run([found, "-t", "-c", str(test), "-e", "stderr"], capture_output=True, check=False)
            test.unlink()
            if tried.returncode == 0:
                return str(path)
    return None


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on at the moment."""
    probes = [socket.socket() for _ in range(count)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [int(probe.getsockname()[1]) for probe in probes]
    for probe in probes:
        probe.close()
    return ports


class PortTakenError(Exception):
    """Somebody else was faster; another port has to be taken."""


@contextmanager
def running(folder: Path, text: str, port: int) -> Iterator[None]:
    """An nginx with this configuration, ready on `port`."""
    found = require_nginx()
    (folder / "nginx.conf").write_text(text, encoding="utf-8")
    (folder / "nginx.pid").unlink(missing_ok=True)
    command = [found, "-p", str(folder), "-c", "nginx.conf", "-e", "error.log"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        _wait(process, folder, port)
        yield
    finally:
        process.terminate()
        process.wait(timeout=10)
        if process.stdout:
            process.stdout.close()


def _wait(process: subprocess.Popen[bytes], folder: Path, port: int) -> None:
    """Until nginx has all its ports (then it writes `nginx.pid`) and takes connections."""
    for _ in range(400):
        if process.poll() is not None:
            output = process.stdout.read().decode() if process.stdout else ""
            if "Address already in use" in output:
                raise PortTakenError(output)
            raise AssertionError(f"nginx refused a configuration that was meant to be valid: {output}")
        try:
            if (folder / "nginx.pid").exists():
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                return
        except OSError:
            pass
        time.sleep(0.01)
    raise AssertionError("nginx did not start to listen")


# ------------------------------------------------------------------------------------------------------------ upstreams


class Seen(NamedTuple):
    """One request as an upstream saw it."""

    port: int
    method: str
    path: str
    version: str
    headers: Lines

    def values(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name]


Reply = Callable[[Seen], tuple[int, Lines]]


class Upstreams:
    """Small HTTP servers on ports of their own. `seen` has what came in, by the request's `X-Id`."""

    def __init__(self, reply: Reply, count: int) -> None:
        self.reply = reply
        self.seen: dict[str, list[Seen]] = {}
        self.ports: list[int] = []
        self._count = count
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Upstreams:
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def _serve(self) -> None:
        async def start() -> list[asyncio.Server]:
            return [await asyncio.start_server(self._handle, "127.0.0.1", 0) for _ in range(self._count)]

        servers = self._loop.run_until_complete(start())
        self.ports = [int(server.sockets[0].getsockname()[1]) for server in servers]
        self._ready.set()
        self._loop.run_forever()
        for server in servers:
            server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    async def _handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            port = int(writer.get_extra_info("sockname")[1])
            first, *rest = head.split("\r\n")[:-2]
            method, path, protocol = first.split(" ", 1)[0], first.split(" ", 1)[1].rsplit(" ", 1)[0], first[-3:]
            headers = [(name, value) for name, _, value in (line.partition(": ") for line in rest)]
            seen = Seen(port, method, path, protocol, headers)
            for key in seen.values("x-id"):
                self.seen.setdefault(key, []).append(seen)
            status, lines = self.reply(seen)
            if status not in (101, 204, 304):
                lines = [*lines, ("Content-Length", "0")]
            if status != 101:
                lines = [*lines, ("Connection", "close")]
            text = "".join(f"{name}: {value}\r\n" for name, value in lines)
            writer.write(f"HTTP/1.1 {status} Status\r\n{text}\r\n".encode("latin-1"))
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


# --------------------------------------------------------------------------------------------------------------- client


class Got(NamedTuple):
    """A response's head. Status 0: the connection was closed without an answer; -1: nginx is gone."""

    status: int
    headers: Lines


def listens(port: int) -> bool:
    """Whether somebody takes connections there."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except ConnectionRefusedError:
        return False
    return True


def ask(port: int, method: str, target: str, headers: Sequence[tuple[str, str]]) -> Got:
    """Sends one request, and reads the head of the response."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
    try:
        connection = socket.create_connection(("127.0.0.1", port), timeout=10)
    except ConnectionRefusedError:
        return Got(-1, [])
    with connection:
        connection.sendall(f"{method} {target} HTTP/1.1\r\n{lines}\r\n".encode("latin-1"))
        data = b""
        while b"\r\n\r\n" not in data:
            try:
                piece = connection.recv(65536)
            except ConnectionResetError:
                break
            if not piece:
                break
            data += piece
    if not data:
        return Got(0 if listens(port) else -1, [])
    head = data.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
    pairs = [(name, value) for name, _, value in (line.partition(": ") for line in head[1:])]
    return Got(int(head[0].split(" ")[1]), pairs)
