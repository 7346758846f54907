"""Hosts that nginx serves over TLS, and whether their pages come in no other way: facts of the kind `tls_host`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from corslint.behaviour.nginx_answers import WELL
from corslint.behaviour.nginx_levels import Level, choose, nearest
from corslint.behaviour.nginx_lines import written
from corslint.behaviour.nginx_machine import Configuration, answer
from corslint.behaviour.nginx_request import Incoming
from corslint.behaviour.nginx_rewrite import REDIRECTS
from corslint.behaviour.nginx_routing import listens, passes_on
from corslint.model.facts import Fact
from corslint.model.reading import Word
from corslint.model.tri import Tri
from corslint.regexes import regex

_PLAIN_PORT = 80
_NAME = regex(r"[a-z0-9-]+(?:\.[a-z0-9-]+)+\Z")


def tls_hosts(configurations: Iterable[Configuration]) -> Iterator[Fact]:
    """A fact for each name of a server that speaks TLS."""
    for configuration in configurations:
        for server in configuration.servers:
            if _speaks_tls(server):
                pages = "yes" if _serves_files(server) else "no"
                for word in _names(server):
                    only = _redirected(configuration, word.text.lower())
                    fields = {"framework": "nginx", "language": "nginx", "name": word.text.lower(), "pages": pages}
                    shown = {name: written(value, word.span) for name, value in fields.items()}
                    yield Fact("tls_host", word.span, {**shown, "only": written("yes" if only else "no", word.span)})


def _speaks_tls(server: Level) -> bool:
    return any(word.text == "ssl" for line in server.own("listen") for word in line.arguments[1:])


def _names(server: Level) -> Iterator[Word]:
    for line in server.own("server_name"):
        yield from (word for word in line.arguments if _NAME.match(word.text.lower()))


def _serves_files(server: Level) -> bool:
    """Whether what lies at `/` are files: no other server answers, and a folder is named."""
    chosen = choose(server, "/").level or server
    if passes_on(chosen) or passes_on(server) or chosen.own("return") or server.own("return"):
        return False
    return bool(nearest(chosen, "root").directives or chosen.own("alias"))


def _redirected(configuration: Configuration, name: str) -> bool:
    """Whether nobody gets these pages without TLS: plain requests are sent to https, or nothing listens for any."""
    places = [listens(server) for server in configuration.servers]
    if not configuration.complete or any(place is None for place in places):
        return False
    if not any(one.port == _PLAIN_PORT for place in places for one in place or ()):
        return True
    request = Incoming(method="GET", target="/", host=name, port=_PLAIN_PORT, scheme="http", headers=())
    found = answer(configuration, request, WELL)
    to = [line.value for line in found.response.lines("Location")]
    sent = len(to) == 1 and to[0] is not None and to[0].startswith("https://")
    return found.passed is Tri.NO and found.response.status in REDIRECTS and sent
