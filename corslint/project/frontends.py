"""Where the pages come from that talk to a project: what its settings declare, or its only server for development says.

A fix may need an origin. It is never made up: where nothing says it, there is none.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from corslint.model.facts import Fact, Field

_DEFAULT_PORTS = {"http": 80, "https": 443}


def note_frontends(facts: Iterable[Fact], declared: Sequence[str]) -> None:
    """Fill `frontend.*` of all policies; `declared` are the origins in the settings."""
    facts = list(facts)
    known = tuple(declared) or _served(facts)
    if not known:
        return
    for fact in facts:
        if fact.kind == "cors_policy":
            spelled = [_with_port(one) for one in known] if fact.field("origin.with_port").value == "yes" else known
            _put(fact, "frontend.origins", known)
            _put(fact, "frontend.origin", spelled[0] if len(spelled) == 1 else None)
            _put(fact, "frontend.source", _source(fact, spelled))


def _put(fact: Fact, name: str, value: object) -> None:
    fact.fields[name] = Field(value, "absent" if value is None else "written", fact.span)


def _served(facts: Iterable[Fact]) -> tuple[str, ...]:
    """The origin of the pages that the only server for development serves, as its user opens them."""
    servers = [fact for fact in facts if fact.kind == "dev_server"]
    port = servers[0].field("port").value if len(servers) == 1 else None
    if not isinstance(port, int) or servers[0].field("https").value != "no":
        return ()
    host = servers[0].field("host").value
    name = host if host in ("127.0.0.1", "::1") else "localhost"
    return (f"http://{f'[{name}]' if ':' in name else name}" + (f":{port}" if port != _DEFAULT_PORTS["http"] else ""),)


def _source(policy: Fact, origins: Sequence[str]) -> str | None:
    """The origins as source text that the policy takes; None where it can't be given so many."""
    takes, language = policy.field("origin.takes").value, policy.field("language").value
    if takes is None or (takes == "text" and len(origins) > 1):
        return None
    if language == "nginx":
        return origins[0]
    quote = '"' if language == "python" else "'"
    texts = [f"{quote}{origin}{quote}" for origin in origins]
    # In Python some libraries search a text that is no list.
    bare = takes == "text" or (takes == "either" and len(texts) == 1 and language != "python")
    return texts[0] if bare else f"[{', '.join(texts)}]"


def _with_port(origin: str) -> str:
    scheme, _, authority = origin.partition("://")
    ported = ":" in authority.rpartition("]")[2]
    return origin if ported or scheme not in _DEFAULT_PORTS else f"{origin}:{_DEFAULT_PORTS[scheme]}"
