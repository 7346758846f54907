"""What the browser and the plain probes reach: names and ports as the project writes them, on loopback alone.

The gateway is a SOCKS5 proxy. It never dials a name: a connection to `host:port` goes to the part of the experiment
that stands for it, on 127.0.0.1, or to the harness's own pages; TLS ends here. Where nothing stands it is closed.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import NamedTuple
from urllib.parse import urlsplit

import trustme

from tests.lab.processes import LabError, Ports

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
OWN = "/__lab__/"
"""Paths of the harness's pages: they stand at any origin, also at those of a part."""
_TLS_HANDSHAKE = 0x16
_SOCKS5, _CONNECT, _NO_AUTHENTICATION = 5, 1, 0
_IPV4, _NAME, _IPV6 = 1, 3, 4
_HEAD_LIMIT = 1 << 20


class Address(NamedTuple):
    """Where a URL leads, as it is written."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def address_of(url: str) -> Address:
    """Host and port of a URL.

    Raises:
        LabError: it has none.
    """
    parts = urlsplit(url)
    if not parts.hostname:
        raise LabError(f"{url} names no host")
    return Address(parts.hostname, parts.port or (443 if parts.scheme in ("https", "wss") else 80))


@dataclass(frozen=True)
class Addresses:
    """The names of one experiment."""

    ports: Ports

    def names(self, at: Address) -> bool:
        """Whether an address belongs to the experiment, listened on or not."""
        return str(at) in self.ports.hosts or at.host in LOOPBACK or self._redirected(at)

    def part(self, at: Address) -> int | None:
        """The real port of the part that listens at an address; None where none does."""
        if not self.names(at):
            return None
        real = self.ports.real(self.ports.hosts.get(str(at), at.port))
        # A redirect of nginx names the port that it really listens on.
        return at.port if real is None and at.port in self.ports.known().values() else real

    def _redirected(self, at: Address) -> bool:
        hosts = {name.rpartition(":")[0] for name in self.ports.hosts}
        return at.host in hosts and at.port in self.ports.known().values()


class Reply(NamedTuple):
    """An answer of the harness's own pages."""

    content_type: str
    body: bytes


Pages = Callable[[Address, str], Reply | None]
"""The harness's page at an address and path, if there is one."""


@cache
def _authority() -> trustme.CA:
    return trustme.CA()


@cache
def _tls(host: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _authority().issue_cert(host).configure_cert(context)
    return context


@dataclass
class Gateway:
    """The SOCKS5 proxy of one side of an experiment, in a thread of its own. A context manager."""

    addresses: Addresses
    pages: Pages
    port: int = 0
    nowhere: list[str] = field(default_factory=list)
    """The addresses that were asked for and that nothing stands at."""
    dialled: set[tuple[str, int]] = field(default_factory=set)
    """Every address that it opened a connection to."""

    def __enter__(self) -> Gateway:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=100)
        self._listener.setblocking(False)
        self.port = self._listener.getsockname()[1]
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="lab gateway", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._accepting.cancel)
        self._thread.join()

    def _run(self) -> None:
        # The task exists before the loop runs, so that it can be cancelled at any time.
        self._accepting = self._loop.create_task(self._accept())
        with contextlib.suppress(asyncio.CancelledError):
            self._loop.run_until_complete(self._accepting)
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()
        self._listener.close()

    async def _accept(self) -> None:
        connections: set[asyncio.Task[None]] = set()
        try:
            while True:
                client, _ = await self._loop.sock_accept(self._listener)
                client.setblocking(False)
                task = self._loop.create_task(self._serve(client))
                connections.add(task)
                task.add_done_callback(connections.discard)
        finally:
            for task in connections:
                task.cancel()
            await asyncio.gather(*connections, return_exceptions=True)

    async def _serve(self, client: socket.socket) -> None:
        try:
            at = await self._asked(client)
            secure = await self._first_byte(client) == _TLS_HANDSHAKE
            reader = asyncio.StreamReader(limit=_HEAD_LIMIT)
            protocol = asyncio.StreamReaderProtocol(reader)
            context = _tls(at.host) if secure else None
            transport, _ = await self._loop.connect_accepted_socket(lambda: protocol, client, ssl=context)
        except (OSError, EOFError, asyncio.IncompleteReadError):
            client.close()
            return
        except asyncio.CancelledError:
            client.close()
            raise
        writer = asyncio.StreamWriter(transport, protocol, reader, self._loop)
        try:
            await self._answer(at, reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # either end went away
        finally:
            transport.abort()

    async def _read(self, client: socket.socket, count: int) -> bytes:
        data = b""
        while len(data) < count:
            more = await self._loop.sock_recv(client, count - len(data))
            if not more:
                raise EOFError
            data += more
        return data

    async def _asked(self, client: socket.socket) -> Address:
        """The greeting of SOCKS 5 (RFC 1928): where the client wants to go. It is told that it is there."""
        _, methods = await self._read(client, 2)
        await self._read(client, methods)
        await self._loop.sock_sendall(client, bytes([_SOCKS5, _NO_AUTHENTICATION]))
        version, command, _, kind = await self._read(client, 4)
        if (version, command) != (_SOCKS5, _CONNECT):
            raise EOFError
        if kind == _NAME:
            (length,) = await self._read(client, 1)
            host = (await self._read(client, length)).decode("ascii")
        else:
            host = str(ipaddress.ip_address(await self._read(client, {_IPV4: 4, _IPV6: 16}[kind])))
        (port,) = struct.unpack("!H", await self._read(client, 2))
        await self._loop.sock_sendall(client, bytes([_SOCKS5, 0, 0, _IPV4, 127, 0, 0, 1, 0, 0]))
        return Address(host, port)

    async def _first_byte(self, client: socket.socket) -> int:
        """The first byte, which stays to be read."""
        readable: asyncio.Future[None] = self._loop.create_future()
        self._loop.add_reader(client, lambda: None if readable.done() else readable.set_result(None))
        try:
            await readable
        finally:
            self._loop.remove_reader(client)
        seen = client.recv(1, socket.MSG_PEEK)
        if not seen:
            raise EOFError
        return seen[0]

    async def _answer(self, at: Address, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        path = head.split(b" ", 2)[1].decode("latin-1")
        part = None if path.startswith(OWN) else self.addresses.part(at)
        if part is None:
            await self._own(at, path, writer)
            return
        self.dialled.add(("127.0.0.1", part))
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", part)
        try:
            inner_writer.write(head)
            await self._join((reader, inner_writer), (inner_reader, writer))
        finally:
            inner_writer.transport.abort()

    async def _own(self, at: Address, path: str, writer: asyncio.StreamWriter) -> None:
        reply = self.pages(at, path)
        if reply is None:
            self.nowhere.append(f"{at}{path}")
            return
        # The next request of this connection may be for a part.
        head = (
            "HTTP/1.1 200 OK",
            f"Content-Type: {reply.content_type}",
            f"Content-Length: {len(reply.body)}",
            "Access-Control-Allow-Origin: *",  # module scripts and frames without an origin load from here
            "Connection: close",
        )
        writer.write("".join(f"{line}\r\n" for line in (*head, "")).encode("ascii") + reply.body)
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    async def _join(self, *ways: tuple[asyncio.StreamReader, asyncio.StreamWriter]) -> None:
        """Carry bytes both ways until one side is at its end."""
        tasks = [self._loop.create_task(_carry(*way)) for way in ways]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        _, to_client = ways[1]
        to_client.close()
        with contextlib.suppress(OSError):
            await asyncio.wait_for(to_client.wait_closed(), 5)


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(1 << 16):
        writer.write(data)
        await writer.drain()
