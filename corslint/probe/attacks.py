"""Origins that an attacker can have, made from one that is trusted: each gets past some wrong way of comparing."""

from __future__ import annotations

from urllib.parse import urlsplit

from corslint.model.decisions import possible_origin
from corslint.records import NamedTuple

STRANGER = "https://attacker.test"
"""`.test` belongs to nobody (RFC 6761)."""


class Attack(NamedTuple):
    """An origin, and who has it, or what it looks like."""

    origin: str
    about: str


def attacks(trusted: str) -> list[Attack]:
    """What to try where `trusted` may read: the stranger first, then what looks like the trusted origin."""
    parts = urlsplit(trusted)
    host = parts.hostname or ""
    port = f":{parts.port}" if parts.port is not None else ""
    labels = host.split(".")
    registered = ".".join(labels[-2:]) if len(labels) > 1 else host
    made = [
        Attack(STRANGER, "a stranger"),
        Attack("null", "sandboxed frames and files"),
        Attack(f"{parts.scheme}://{host}.attacker.test{port}", "begins like the trusted origin"),
        Attack(f"{parts.scheme}://attacker{registered}{port}", "ends like the trusted host, without a dot before it"),
        Attack(f"{parts.scheme}://attacker.test.{host}{port}", "a subdomain of the trusted host"),
    ]
    if len(labels) > 2:
        dotless = "x".join((".".join(labels[:-2]), registered))
        made.append(Attack(f"{parts.scheme}://{dotless}{port}", "another character in place of a dot"))
    if parts.scheme == "https":
        made.append(Attack(f"http://{host}{port}", "the trusted host over http"))
    known = {trusted}
    return [
        one
        for one in made
        if one.origin not in known
        and (one.origin == "null" or possible_origin(one.origin))
        and not known.add(one.origin)  # type: ignore[func-returns-value]
    ]
