"""nginx's tables of host names (ngx_hash_find_combined): whole names, `*.example.com`, `.example.com`, `www.example.*`.

Servers are chosen with them, and so are the values of a `map` with `hostnames`.
"""

from __future__ import annotations

from typing import Generic, TypeVar

T = TypeVar("T")


class Hostnames(Generic[T]):
    """Values by host name. A name that is there already is ignored, `.example.com` also where `example.com` is.

    nginx warns of it in its log ("conflicting server name, ignored").
    """

    def __init__(self) -> None:
        self._exact: dict[str, T] = {}
        self._bare: dict[str, T] = {}
        self._head: dict[str, T] = {}
        self._tail: dict[str, T] = {}
        self._whole: set[str] = set()

    def add(self, name: str, value: T) -> None:
        """Adds a name, which may have a wildcard at one end."""
        name = name.lower()
        if name.startswith("*."):
            self._head.setdefault(name[2:], value)
        elif name.startswith(".") and len(name) > 1:
            self._add_with_all_below(name[1:], value)
        elif name.endswith(".*"):
            self._tail.setdefault(name[:-2], value)
        elif name not in self._whole:
            self._whole.add(name)
            self._exact[name] = value

    def _add_with_all_below(self, name: str, value: T) -> None:
        if name in self._whole:
            return
        self._whole.add(name)
        if name not in self._head:
            self._bare[name] = self._head[name] = value

    def find(self, name: str) -> T | None:
        """The value for a host: the whole name's, else the longest wildcard's in front, else the longest's behind."""
        name = name.lower()
        if name in self._exact:
            return self._exact[name]
        labels = name.split(".")
        if name in self._bare:
            return self._bare[name]
        for start in range(1, len(labels)):
            suffix = ".".join(labels[start:])
            if suffix in self._head:
                return self._head[suffix]
        for end in range(len(labels) - 1, 0, -1):
            prefix = ".".join(labels[:end])
            if prefix in self._tail:
                return self._tail[prefix]
        return None
