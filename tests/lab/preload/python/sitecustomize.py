"""Loaded into every Python program of the lab (it lies on PYTHONPATH; the interpreter imports it at start).

A port that the program writes is only a name here: what listens gets a free port of loopback and tells it to the lab,
and what connects is led to the port that was told. Environment: see `listen.cjs`.

The C type is replaced, before `socket` is built upon it: eventlet and gevent have socket classes of their own.
"""

import _socket
import json
import os
import sys
from typing import Any

_FOLDER = os.environ.get("CORSLINT_LAB_PORTS", "")
_HOSTS: dict[str, int] = json.loads(os.environ.get("CORSLINT_LAB_HOSTS", "{}"))
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "0.0.0.0", "::1", "::", ""})
_INTERNET = frozenset({_socket.AF_INET, _socket.AF_INET6})

# A name of the experiment's hosts resolves to a loopback address of its own, by which connect() knows it again.
_NAMES = sorted({host.rpartition(":")[0] for host in _HOSTS})
_ADDRESSES = {name: f"127.77.0.{number}" for number, name in enumerate(_NAMES, 1)}
_NAMED = {address: name for name, address in _ADDRESSES.items()}


def _tell(written: int, real: int) -> None:
    file = os.path.join(_FOLDER, str(written))
    draft = f"{file}.{os.getpid()}"
    with open(draft, "w", encoding="ascii") as out:
        out.write(str(real))
    os.replace(draft, file)


def _told(host: str, port: int) -> int | None:
    host = _NAMED.get(host, host)
    written = _HOSTS.get(f"{host}:{port}", port if host in _LOOPBACK else None)
    if written is None:
        return None
    try:
        with open(os.path.join(_FOLDER, str(written)), encoding="ascii") as file:
            return int(file.read())
    except OSError:
        return None


def _loopback(family: int) -> str:
    return "::1" if family == _socket.AF_INET6 else "127.0.0.1"


def _bound(real: int) -> str:
    """The file that keeps the written port of what is bound: a server's parent may bind, and its child listen."""
    return os.path.join(_FOLDER, f"bound-{real}")


def _written(real: int) -> int | None:
    try:
        with open(_bound(real), encoding="ascii") as file:
            return int(file.read())
    except OSError:
        return None


class _Mapped(_socket.socket):
    __slots__ = ()  # `socket` adds its own

    def bind(self, address: Any, /) -> None:
        if self.family not in _INTERNET or not address[1]:
            return super().bind(address)
        super().bind((_loopback(self.family), 0))
        with open(_bound(self.getsockname()[1]), "w", encoding="ascii") as file:
            file.write(str(address[1]))
        return None

    def listen(self, *backlog: int) -> None:
        super().listen(*backlog)
        if self.family in _INTERNET:
            real = self.getsockname()[1]
            written = _written(real)
            # Of a name that is bound in both families the lab reaches the older one.
            if written is not None and self.family == _socket.AF_INET:
                _tell(written, real)

    def _mapped(self, address: Any) -> Any:
        if self.family not in _INTERNET or not isinstance(address, tuple):
            return address
        real = _told(str(address[0]), int(address[1]))
        return address if real is None else (_loopback(self.family), real)

    def connect(self, address: Any, /) -> None:
        super().connect(self._mapped(address))

    def connect_ex(self, address: Any, /) -> int:
        return super().connect_ex(self._mapped(address))


_getaddrinfo = _socket.getaddrinfo


def _resolve(host: Any, *rest: Any, **options: Any) -> Any:
    return _getaddrinfo(_ADDRESSES.get(host, host) if isinstance(host, str) else host, *rest, **options)


if _FOLDER:
    _socket.socket = _Mapped  # type: ignore[misc]
    _socket.getaddrinfo = _resolve
    # uvloop binds in C, past all of this; uvicorn falls back to asyncio without it.
    sys.modules["uvloop"] = None  # type: ignore[assignment]
    if "socket" in sys.modules:
        raise RuntimeError("socket was imported before the lab could replace its base")
