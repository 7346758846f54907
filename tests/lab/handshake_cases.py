"""Generated Socket.IO clients and servers: the material of `test_handshake_model.py`.

Everything is drawn from one seed. A case is a client with its options and what the server answers to each kind of
request. It starts from a server that lets the client through on every transport; its plan says which answers are then
replaced, so that each way of failing occurs for each client.
"""

from __future__ import annotations

from random import Random
from typing import NamedTuple

from corslint.behaviour.handshake import Client, Transport
from corslint.model.exchange import NO_ANSWER
from tests.lab.browser_cases import Answer, Lines

MAJORS = (2, 3, 4)
PAGE_HOSTS = ("localhost", None)
"""Where a page stands; None: in a sandboxed frame, whose origin is `null`."""


class Answers(NamedTuple):
    """What the server says. A status of `NO_ANSWER`: it closes the connection without a word."""

    get: Answer
    """To the GET that opens a connection by polling."""
    poll: Answer
    """To every later GET."""
    post: Answer
    preflight: Answer
    """To the preflight of any GET."""
    preflight_of_post: Answer
    upgrade: Answer


class Case(NamedTuple):
    """One client of one page, and its server, which listens under a name and path of its own."""

    number: int
    major: int
    page_host: str | None
    client: Client
    answers: Answers


Part = str
"""A field of `Answers`, or `both`: every answer that falls under CORS."""

_PLANS: tuple[tuple[Part, ...], ...] = (
    (), ("get",), ("upgrade",), ("post",), ("both",), ("upgrade", "get"), ("preflight",), ("poll",), ("upgrade",),
    ("preflight_of_post",), ("both", "upgrade"), ("upgrade",), (),
)  # fmt: skip
_UPGRADED: tuple[Transport, ...] = ("polling", "websocket")
_WEBSOCKET_FIRST: tuple[tuple[Transport, ...], ...] = (("websocket", "polling"), ("websocket",))
_ANY: tuple[tuple[Transport, ...], ...] = (_UPGRADED, *_WEBSOCKET_FIRST, ("polling",))
_HEADERS: tuple[Lines, ...] = (
    (),
    (("my-custom-header", "abcd"),),
    (("Authorization", "Bearer x"), ("X-Trace", "1")),
    (("Accept-Language", "de"),),
    (("Content-Type", "application/json"),),
)

_A = "Access-Control-Allow-"
_STATUSES = (400, 401, 403, 404, 405, 500, 502, 201, 204, NO_ANSWER)
_UPGRADES = (400, 404, 403, 401, 302, 502, 200, NO_ANSWER)
_PREFLIGHTS = (400, 401, 404, 405, 307, NO_ANSWER)
_ORIGINS = ("https://app.example.com", "http://localhost", "null", "", "*, *")
_NAMES = ("", "X-Other", "my_custom_header")


def generate(seed: int, count: int, port: int) -> list[Case]:
    """That many cases, as many of each client, for a server on this port."""
    return [_Maker(Random(f"{seed}/{number}"), number, port).case() for number in range(count)]


class _Maker:
    """Draws one case. Each case has a random generator of its own: it stays the same when others are added."""

    def __init__(self, random: Random, number: int, port: int) -> None:
        self.random = random
        self.number = number
        self.port = port

    @property
    def turned(self) -> int:
        """One of three, another for each client, changing with the turn: what must occur is not left to chance."""
        return (self.number // len(MAJORS) + self.number) % 3

    def case(self) -> Case:
        random = self.random
        major = MAJORS[self.number % len(MAJORS)]
        turn = self.number // len(MAJORS)
        plan = _PLANS[turn % len(_PLANS)]
        page_host = random.choice((*PAGE_HOSTS, "localhost"))
        transports, upgrade = self.transports(plan, turn)
        headers = self.headers(plan)
        # Most of those that use client 2 write it as for the others, where it has no effect.
        by_transport = random.random() < (0.7 if major == 2 else 0.3)
        client = Client(
            # Names of their own: Chromium opens at most six connections to each.
            f"http://c{self.number}.localhost:{self.port}",
            "null" if page_host is None else f"http://{page_host}:{self.port}",
            f"/{self.number}/",
            transports=transports,
            upgrade=upgrade,
            try_all_transports=major == 4 and turn % 4 in (2, 3),
            with_credentials=turn % 2 == 0,
            extra_headers=() if by_transport else headers,
            polling_headers=headers if by_transport else (),
            protocol=3 if major == 2 else 4,
        )
        return Case(self.number, major, page_host, client, self.answers(client, plan))

    def transports(self, plan: tuple[Part, ...], turn: int) -> tuple[tuple[Transport, ...], bool]:
        """Such that the plan comes to bear; and whether the client may upgrade."""
        random = self.random
        if plan == ():
            if turn % 2 == 0:
                return random.choice(_ANY[:-1]), True
            return (_UPGRADED, False) if self.number % 2 else (_ANY[-1], True)
        if plan == ("upgrade",):
            return (_WEBSOCKET_FIRST[turn // 4 % 2] if turn % 2 else _UPGRADED), True
        if plan == ("both",):
            return (random.choice(_WEBSOCKET_FIRST) if turn % 2 else _UPGRADED), True
        if len(plan) == 1:
            return _UPGRADED, random.random() < 0.8
        return random.choice((_UPGRADED, *_ANY)), random.random() < 0.8

    def headers(self, plan: tuple[Part, ...]) -> Lines:
        preflighted = any("preflight" in part for part in plan)
        return self.random.choice(_HEADERS[1:3] if preflighted else (*_HEADERS, (), ()))

    # -- answers --

    def answers(self, client: Client, plan: tuple[Part, ...]) -> Answers:
        """One that passes everywhere, with the parts of the plan spoiled."""
        sent = (*client.extra_headers, *client.polling_headers)
        names = ", ".join(dict.fromkeys((*(name for name, _ in sent), "Content-Type")))
        stars = not client.with_credentials and self.random.random() < 0.5
        good: Lines = (
            (f"{_A}Origin", "*" if stars else client.origin),
            (f"{_A}Credentials", "true"),
            (f"{_A}Headers", "*" if stars and self.random.random() < 0.5 else names),
        )
        polling, preflight = Answer(200, good), Answer(204, good)
        upgrade = Answer(101, self.random.choice(((), good)))
        found = Answers(polling, polling, polling, preflight, preflight, upgrade)
        for part in plan:
            if part == "both":
                found = self.without_cors(client, found)
            else:
                found = found._replace(**{part: self.other(client, part, getattr(found, part))})
        return found

    def without_cors(self, client: Client, answers: Answers) -> Answers:
        """As of a server that has no CORS, or a wrong one: the header lines of all its answers are like that."""
        name = ("Origin", "Credentials", "Headers")[self.turned]
        headers = self.spoiled(client, answers.get.headers, name)
        return Answers(*(answer._replace(headers=headers) for answer in answers))

    def other(self, client: Client, part: Part, good: Answer) -> Answer:
        """One that does not pass."""
        if part == "upgrade":
            status = _UPGRADES[self.number % len(_UPGRADES)]
            return _redirecting(good._replace(status=status))
        preflight = part.startswith("preflight")
        status = self.random.choice(_PREFLIGHTS if preflight else _STATUSES)
        name = self.random.choice(("Origin", "Headers", "Headers") if preflight else ("Origin",))
        refused = _redirecting(good._replace(status=status))
        blocked = self.spoiled(client, good.headers, name)
        return (refused, refused._replace(headers=blocked), good._replace(headers=blocked))[self.turned]

    def spoiled(self, client: Client, good: Lines, name: str) -> Lines:
        """The lines with that one gone, replaced, or twice. `*` is wrong only where credentials go along."""
        star = ("*",) if client.with_credentials else ()
        wrong = {
            "Origin": tuple(origin for origin in (*star, *_ORIGINS) if origin != client.origin),
            "Credentials": ("false", "True"),
            "Headers": (*star, *_NAMES),
        }[name]
        draw = self.random.random()
        if draw < 0.1 and name == "Origin":
            return (*good, good[0])
        others = tuple(line for line in good if line[0] != _A + name)
        return others if draw < 0.4 else (*others, (_A + name, self.random.choice(wrong)))


def _redirecting(answer: Answer) -> Answer:
    more: Lines = (("Location", "/elsewhere"),) if answer.status in (302, 307) else ()
    return answer._replace(headers=(*answer.headers, *more))
