"""`corslint probe` against servers of a few lines on loopback; `tests/lab/test_probe.py` asks the real ones."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

import corslint
from corslint import cli
from corslint.model.decisions import possible_origin
from corslint.model.exchange import response
from corslint.probe import MOST_REQUESTS, Answer, Question, Sent, run, session_of
from corslint.probe.attacks import STRANGER, attacks

Capture = pytest.CaptureFixture[str]

APP = "https://app.example.com"
Lines = list[tuple[str, str]]
Said = tuple[int, Lines] | tuple[int, Lines, bytes]


class Server:
    """A server on loopback that answers as `says` does, and remembers what it was asked."""

    def __init__(self) -> None:
        self.says: Callable[[BaseHTTPRequestHandler], Said | None] = lambda _: (200, [])
        self.asked: list[tuple[str, str, dict[str, str]]] = []
        self.bodies: list[bytes] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def _answer(self) -> None:
                outer.asked.append((self.command, self.path, {k.lower(): v for k, v in self.headers.items()}))
                outer.bodies.append(self.rfile.read(int(self.headers.get("Content-Length", "0"))))
                said = outer.says(self)
                if said is None:
                    self.close_connection = True
                    return
                self.send_response(said[0])
                body = said[2] if len(said) > 2 else b""
                for name, value in said[1]:
                    self.send_header(name, value)
                if said[0] != 101:
                    self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_OPTIONS = _answer  # noqa: N815

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.close()


def probe(capsys: Capture, *arguments: str) -> tuple[int, Any]:
    status = cli.run(["probe", "--output-format", "json", *arguments])
    out, err = capsys.readouterr()
    assert err == ""
    return status, json.loads(out)


def listed(*origins: str, credentials: bool = False) -> Callable[[BaseHTTPRequestHandler], Said]:
    """A server that names the origins of a list, and lets them send JSON."""

    def says(asked: BaseHTTPRequestHandler) -> Said:
        origin = asked.headers.get("Origin", "")
        if origin not in origins:
            return 200, [("Vary", "Origin")]
        lines = [("Vary", "Origin"), ("Access-Control-Allow-Origin", origin)]
        lines += [("Access-Control-Allow-Credentials", "true")] if credentials else []
        return 200, [*lines, ("Access-Control-Allow-Headers", "content-type")]

    return says


def accepted(asked: BaseHTTPRequestHandler) -> Lines:
    key = asked.headers["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
    accept = base64.b64encode(hashlib.sha1(key.encode()).digest()).decode()
    return [("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Accept", accept)]


# --- fetch -----------------------------------------------------------------------------------------------------------


def test_a_page_that_may_read(server: Server, capsys: Capture) -> None:
    server.says = listed(APP)
    status, found = probe(capsys, f"{server.url}/api?x=1", "--origin", APP)
    assert status == 0
    assert [(one["kind"], one["verdict"]) for one in found["questions"]] == [
        ("request", "allowed"),
        ("preflight", "allowed"),
    ]
    (get, _, first), (options, _, second) = server.asked
    assert (get, first["origin"]) == ("GET", APP)
    assert "cookie" not in first
    assert (options, second["access-control-request-method"], second["access-control-request-headers"]) == (
        "OPTIONS",
        "POST",
        "content-type",
    )
    assert first["user-agent"] == f"corslint/{corslint.__version__}"


def test_a_page_that_may_not_is_told_what_the_browser_says(server: Server, capsys: Capture) -> None:
    server.says = listed("https://other.example.com")
    assert cli.run(["probe", f"{server.url}/api", "--origin", APP]) == 1
    assert capsys.readouterr().out == (
        "a script's request: blocked\n"
        f"  > GET {server.url}/api  Origin: {APP}\n"
        "  < 200\n"
        "  < Vary: Origin\n"
        f"  Access to fetch at '{server.url}/api' from origin '{APP}' has been blocked by CORS policy: No"
        " 'Access-Control-Allow-Origin' header is present on the requested resource.\n"
        "\n"
        "the preflight of a script that sends JSON: blocked\n"
        f"  > OPTIONS {server.url}/api  Origin: {APP}\n"
        "    asks for POST with content-type\n"
        "  < 200\n"
        "  < Vary: Origin\n"
        f"  Access to fetch at '{server.url}/api' from origin '{APP}' has been blocked by CORS policy: Response to"
        " preflight request doesn't pass access control check: No 'Access-Control-Allow-Origin' header is present on"
        " the requested resource.\n"
        "\n"
        f"corslint: a browser blocks what {APP} asks of {server.url}/api\n"
    )


def test_credentials_change_the_verdict(server: Server, capsys: Capture) -> None:
    server.says = lambda _: (200, [("Access-Control-Allow-Origin", "*"), ("Access-Control-Allow-Headers", "*")])
    assert probe(capsys, server.url, "--origin", APP)[0] == 0
    status, found = probe(capsys, server.url, "--origin", APP, "--credentials", "--cookie", "session=a")
    assert status == 1
    assert "must not be the wildcard '*'" in found["questions"][0]["messages"][0]
    cookies = [asked.get("cookie") for _, _, asked in server.asked]
    assert cookies == [None, None, "session=a", None], "and none with the preflight"


@pytest.mark.parametrize("method", ["DELETE", "put", "POST"])
def test_what_could_change_something_is_never_sent(server: Server, capsys: Capture, method: str) -> None:
    lines = [("Access-Control-Allow-Origin", APP), ("Access-Control-Allow-Methods", "PUT, DELETE")]
    server.says = lambda _: (204, [*lines, ("Access-Control-Allow-Headers", "x-token")])
    status, found = probe(capsys, server.url, "--origin", APP, "--method", method, "--header", "X-Token: a")
    assert status == 0
    (question,) = found["questions"]
    assert question["verdict"] == "unknown"
    assert question["note"] == f"{method.upper()} itself was not sent: it could change something"
    assert [command for command, _, _ in server.asked] == ["OPTIONS"]
    assert server.asked[0][2]["access-control-request-headers"] == "x-token"


def test_a_header_of_the_script_is_asked_for_and_sent(server: Server, capsys: Capture) -> None:
    lines = [("Access-Control-Allow-Origin", APP), ("Access-Control-Allow-Headers", "x-token")]
    server.says = lambda _: (200, lines)
    assert probe(capsys, server.url, "--origin", APP, "--header", "X-Token: a b")[0] == 0
    assert [(command, asked.get("x-token")) for command, _, asked in server.asked] == [
        ("OPTIONS", None),
        ("GET", "a b"),
    ]


def test_two_lines_of_one_header_are_seen_as_two(server: Server, capsys: Capture) -> None:
    server.says = lambda _: (200, [("Access-Control-Allow-Origin", APP), ("Access-Control-Allow-Origin", APP)])
    status, found = probe(capsys, server.url, "--origin", APP)
    assert status == 1
    assert "contains multiple values" in found["questions"][0]["messages"][0]
    assert found["questions"][0]["exchanges"][0]["headers"]["access-control-allow-origin"] == [APP, APP]


def test_redirects_are_followed_as_a_browser_does(server: Server, capsys: Capture) -> None:
    def says(asked: BaseHTTPRequestHandler) -> Said:
        lines = [("Access-Control-Allow-Origin", "*"), ("Access-Control-Allow-Headers", "*")]
        return (200, lines) if asked.path == "/to" else (302, [*lines, ("Location", "/to")])

    server.says = says
    status, found = probe(capsys, f"{server.url}/from", "--origin", APP)
    assert [one["verdict"] for one in found["questions"]] == ["allowed", "blocked"], (
        "a preflight must not be redirected"
    )
    assert [path for _, path, _ in server.asked] == ["/from", "/to", "/from"]
    assert status == 1


def test_a_circle_of_redirects_ends(server: Server, capsys: Capture) -> None:
    server.says = lambda _: (302, [("Access-Control-Allow-Origin", "*"), ("Location", "/")])
    _, found = probe(capsys, server.url, "--origin", APP)
    assert len(found["questions"][0]["exchanges"]) == MOST_REQUESTS
    assert found["questions"][0]["note"] == f"not followed further than {MOST_REQUESTS} requests"


@pytest.mark.parametrize(
    ("url", "origin", "allowed"),
    [
        ("http://api.example.com/", APP, False),
        ("http://api.example.com/", "http://app.example.com", True),
        ("https://api.example.com/", APP, True),
        ("http://localhost:3000/", APP, True),
        ("http://127.0.0.1:3000/", APP, True),
    ],
)
@pytest.mark.parametrize("ws", [False, True])
def test_a_page_of_https_may_not_ask_http(url: str, origin: str, allowed: bool, ws: bool) -> None:
    lines = [("Access-Control-Allow-Origin", "*"), ("Access-Control-Allow-Headers", "*")]

    def ask(sent: Sent) -> Answer:
        key = dict(sent.headers).get("Sec-WebSocket-Key", "") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        accept = base64.b64encode(hashlib.sha1(key.encode()).digest()).decode()
        return Answer(response(101 if ws else 200, *lines, ("Sec-WebSocket-Accept", accept)))

    found = run.probe(Question(url, origin), ask, socket=False, ws=ws, attack=False)
    verdicts = {one.verdict for one in found.findings}
    notes = {one.note for one in found.findings if one.note.startswith("mixed content")}
    assert verdicts == {"allowed" if allowed else "blocked"}
    assert bool(notes) is not allowed


# --- sockets ---------------------------------------------------------------------------------------------------------


def test_a_websocket_opens_for_any_origin(server: Server, capsys: Capture) -> None:
    server.says = lambda asked: (101, accepted(asked))
    status, found = probe(capsys, server.url.replace("http", "ws") + "/feed", "--origin", APP, "--ws")
    assert (status, found["questions"][0]["verdict"]) == (0, "allowed")
    assert (server.asked[0][1], server.asked[0][2]["upgrade"]) == ("/feed", "websocket")


def test_a_websocket_that_is_refused(server: Server, capsys: Capture) -> None:
    server.says = lambda _: (403, [])
    status, found = probe(capsys, f"{server.url}/feed", "--origin", APP, "--ws")
    assert status == 1
    (message,) = found["questions"][0]["messages"]
    assert message.startswith(f"WebSocket connection to '{server.url.replace('http', 'ws')}/feed' failed: ")
    assert message.endswith("Error during WebSocket handshake: Unexpected response code: 403")


def test_an_answer_to_another_key_is_none(server: Server, capsys: Capture) -> None:
    server.says = lambda _: (101, [("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Accept", "x")])
    status, found = probe(capsys, server.url, "--origin", APP, "--ws")
    assert (status, found["questions"][0]["verdict"]) == (1, "blocked")
    assert "Sec-WebSocket-Accept does not fit" in found["questions"][0]["note"]


def engine(asked: BaseHTTPRequestHandler) -> Said:
    lines = [("Access-Control-Allow-Origin", asked.headers["Origin"])]
    if "transport=websocket" in asked.path:
        return 101, accepted(asked)
    if "sid=abc_-1" in asked.path:
        return 200, lines, b"ok" if asked.command == "POST" else b'40{"sid":"x"}'
    if "sid" in asked.path:
        return 400, lines, b'{"code":1,"message":"Session ID unknown"}'
    return 200, lines, b'0{"sid":"abc_-1","upgrades":["websocket"]}'


def test_a_socketio_client_goes_all_the_way(server: Server, capsys: Capture) -> None:
    server.says = engine
    status, found = probe(capsys, server.url, "--origin", APP, "--socketio")
    assert (status, found["questions"][0]["note"]) == (0, "connected by websocket")
    assert [(command, path) for command, path, _ in server.asked] == [
        ("GET", "/socket.io/?EIO=4&transport=polling"),
        ("POST", "/socket.io/?EIO=4&transport=polling&sid=abc_-1"),
        ("GET", "/socket.io/?EIO=4&transport=polling&sid=abc_-1"),
        ("GET", "/socket.io/?EIO=4&transport=websocket&sid=abc_-1"),
    ]
    assert server.bodies == [b"", b"40", b"", b""]


def test_a_socketio_client_is_blocked_at_polling(server: Server, capsys: Capture) -> None:
    server.says = lambda _: (200, [], b'0{"sid":"a"}')
    status, found = probe(capsys, f"{server.url}/realtime/", "--origin", APP, "--socketio")
    assert (status, found["questions"][0]["note"]) == (1, "the client is told: xhr poll error")
    assert [path for _, path, _ in server.asked] == ["/realtime/?EIO=4&transport=polling"]


def test_an_attacker_does_not_begin_with_what_is_guarded(server: Server, capsys: Capture) -> None:
    """CORS holds back polling alone: a page that begins with the WebSocket is asked nothing."""

    def says(asked: BaseHTTPRequestHandler) -> Said:
        if asked.headers["Origin"] == APP:
            return engine(asked)
        return (101, accepted(asked)) if "transport=websocket" in asked.path else (200, [], b'0{"sid":"a"}')

    server.says = says
    status, found = probe(capsys, server.url, "--origin", APP, "--socketio", "--attack-origins")
    assert status == 1
    assert {one["reads"] for one in found["attacks"]} == {"a socket, with the user's cookies"}
    assert len(server.asked) == 4 + len(found["attacks"])


def test_an_older_socketio_client(server: Server, capsys: Capture) -> None:
    server.says = engine
    assert probe(capsys, server.url, "--origin", APP, "--socketio", "--eio", "3")[0] == 0
    assert [(command, path) for command, path, _ in server.asked] == [
        ("GET", "/socket.io/?EIO=3&transport=polling"),
        ("GET", "/socket.io/?EIO=3&transport=polling&sid=abc_-1"),
        ("GET", "/socket.io/?EIO=3&transport=websocket&sid=abc_-1"),
    ]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'0{"sid":"a-b_1","upgrades":[]}', "a-b_1"),
        (b'96:0{"sid":"x","upgrades":[],"pingInterval":1}2:40', "x"),
        (b'\x00\x09\x06\xff0{"sid":"y"}', "y"),
        (b'0{"sid":"a&b=c"}', ""),
        (b'0{"sid":"a\\r\\nHost: b"}', ""),
        (b'0{"sid":1}', ""),
        (b"0{}", ""),
        (b"0{", ""),
        (b"<html>", ""),
        (b"", ""),
        (b"\xff0{\xff}", ""),
    ],
)
def test_the_session_in_the_first_packet(body: bytes, expected: str) -> None:
    assert session_of(body) == expected


# --- attackers -------------------------------------------------------------------------------------------------------


def test_origins_that_look_like_the_trusted_one() -> None:
    assert [one.origin for one in attacks(APP)] == [
        "https://attacker.test",
        "null",
        "https://app.example.com.attacker.test",
        "https://attackerexample.com",
        "https://attacker.test.app.example.com",
        "https://appxexample.com",
        "http://app.example.com",
    ]


@pytest.mark.parametrize("origin", [APP, "http://localhost:5173", "http://127.0.0.1:3000", "http://[::1]:3000", "null"])
def test_a_browser_can_send_every_one_of_them(origin: str) -> None:
    found = [one.origin for one in attacks(origin)]
    assert found[0] == STRANGER
    assert len(found) == len(set(found)) >= 1
    assert all(one == "null" or possible_origin(one) for one in found)
    assert origin not in found


@pytest.mark.parametrize(
    ("lets_in", "entered"),
    [
        (lambda origin: origin == APP, []),
        (lambda origin: origin.endswith("example.com"), attacks(APP)[3:7]),
        (lambda origin: origin.startswith(APP), [attacks(APP)[2]]),
        (lambda origin: origin == "null", [attacks(APP)[1]]),
        (lambda origin: True, attacks(APP)),
    ],
)
def test_who_gets_in(server: Server, capsys: Capture, lets_in: Callable[[str], bool], entered: list[Any]) -> None:
    def says(asked: BaseHTTPRequestHandler) -> Said:
        origin = asked.headers["Origin"]
        good = [("Access-Control-Allow-Origin", origin), ("Access-Control-Allow-Credentials", "true")]
        return 200, [*good, ("Access-Control-Allow-Headers", "content-type")] if lets_in(
            origin
        ) or origin == APP else []

    server.says = says
    status, found = probe(capsys, server.url, "--origin", APP, "--credentials", "--attack-origins")
    assert [one["origin"] for one in found["attacks"] if one["gets_in"]] == [one.origin for one in entered]
    assert status == (1 if entered else 0)
    assert len(server.asked) == 2 + len(attacks(APP)), "one request for each"


def test_what_is_public_is_no_way_in(server: Server, capsys: Capture) -> None:
    server.says = lambda _: (200, [("Access-Control-Allow-Origin", "*"), ("Access-Control-Allow-Headers", "*")])
    status, found = probe(capsys, server.url, "--origin", APP, "--attack-origins")
    assert status == 0
    assert {one["reads"] for one in found["attacks"]} == {"what needs no cookies"}


def test_no_attacker_is_tried_unless_asked_for(server: Server, capsys: Capture) -> None:
    server.says = listed(APP)
    _, found = probe(capsys, server.url, "--origin", APP, "--credentials")
    assert found["attacks"] == []
    assert {asked["origin"] for _, _, asked in server.asked} == {APP}


def test_a_socket_that_takes_everyone_lets_attackers_in(server: Server, capsys: Capture) -> None:
    server.says = lambda asked: (101, accepted(asked))
    assert cli.run(["probe", server.url, "--origin", APP, "--ws", "--attack-origins"]) == 1
    out = capsys.readouterr().out
    assert "https://attacker.test (a stranger): gets a socket, with the user's cookies\n" in out
    assert out.endswith(f"corslint: a browser allows what {APP} asks of {server.url}/; 7 of 7 attackers get in\n")


# --- what is no answer -----------------------------------------------------------------------------------------------


def test_no_server(capsys: Capture) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/"
        assert cli.run(["probe", url, "--origin", APP]) == 2
    assert capsys.readouterr().err == f"corslint: error: {url}: connection refused\n"


def test_a_name_that_nobody_has(capsys: Capture) -> None:
    assert cli.run(["probe", "http://nowhere.invalid/", "--origin", APP]) == 2
    assert capsys.readouterr().err.startswith("corslint: error: http://nowhere.invalid/: ")


def test_a_server_that_says_nothing_takes_no_longer_than_it_may(capsys: Capture) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        began = time.monotonic()
        status, found = probe(capsys, url, "--origin", APP, "--timeout", "0.2")
        assert time.monotonic() - began < 5
    assert (status, found["questions"][0]["verdict"]) == (1, "blocked")
    assert found["questions"][0]["note"].startswith("no answer: ")


def test_a_server_that_hangs_up(server: Server, capsys: Capture) -> None:
    server.says = lambda _: None
    status, found = probe(capsys, server.url, "--origin", APP)
    assert (status, found["questions"][0]["exchanges"][0]["status"]) == (1, None)


def test_a_body_without_end_is_not_waited_for(capsys: Capture) -> None:
    def endless(listener: socket.socket, ended: threading.Event) -> None:
        with contextlib.ExitStack() as open_still, contextlib.suppress(OSError):
            for _ in range(2):
                connection = open_still.enter_context(listener.accept()[0])
                connection.recv(4096)
                connection.sendall(b"HTTP/1.1 200 OK\r\nAccess-Control-Allow-Origin: *\r\n\r\ndata: 1\n")
            ended.wait(10)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        ended = threading.Event()
        thread = threading.Thread(target=endless, args=(listener, ended))
        thread.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        began = time.monotonic()
        _, found = probe(capsys, url, "--origin", APP, "--timeout", "0.3")
        assert time.monotonic() - began < 5
        assert found["questions"][0]["verdict"] == "allowed"
        ended.set()
        thread.join()


def test_a_server_cannot_drive_the_terminal(server: Server, capsys: Capture) -> None:
    server.says = lambda _: (200, [("Vary", "\x1b]0;x\x07 ::error::x ##[error]y")])
    cli.run(["probe", server.url, "--origin", APP])
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "##[" not in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["http://a.example"], "Missing option '--origin'."),
        (["a.example", "--origin", APP], "'a.example' is no URL of a server, like https://api.example.com/messages"),
        (["ftp://a.example/", "--origin", APP], "'ftp://a.example/' is no URL of a server"),
        (["http://a.example:99999/", "--origin", APP], "is no URL of a server"),
        (["http://a.example/ b", "--origin", APP], "is no URL of a server"),
        (["http://a:b@a.example/", "--origin", APP], "a URL with a name or a password in it"),
        (["http://a.example", "--origin", f"{APP}/"], "--origin: no browser sends 'https://app.example.com/'"),
        (["http://a.example", "--origin", "*"], "--origin: no browser sends '*'"),
        (["http://a.example", "--origin", APP, "--method", "TRACE"], "--method: browsers refuse the method TRACE"),
        (["http://a.example", "--origin", APP, "--method", "A B"], "--method: 'A B' is no method"),
        (["http://a.example", "--origin", APP, "--header", "a"], "--header takes a name and a value"),
        (
            ["http://a.example", "--origin", APP, "--header", "a: b\r\nc: d"],
            "--header: 'b\\r\\nc: d' holds what no header can",
        ),
        (["http://a.example", "--origin", APP, "--cookie", "a=b"], "--cookie goes with --credentials"),
        (
            ["http://a.example", "--origin", APP, "--ws", "--header", "a: b"],
            "--method and --header do not go with --ws",
        ),
        (
            ["http://a.example", "--origin", APP, "--socketio", "--method", "PUT"],
            "--method does not go with --socketio",
        ),
    ],
)
def test_wrong_use(arguments: list[str], message: str, capsys: Capture) -> None:
    assert cli.run(["probe", *arguments]) == 2
    assert message in capsys.readouterr().err


def test_without_its_client(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.setitem(sys.modules, "urllib3", None)
    assert cli.run(["probe", "http://127.0.0.1:9/", "--origin", APP]) == 2
    assert capsys.readouterr().err == "corslint: error: probe needs urllib3: install corslint[probe]\n"


def test_a_check_loads_none_of_it(tmp_path: Path) -> None:
    (tmp_path / "a.js").write_text("require('cors');\n")
    program = (
        "import sys; from corslint import cli; cli.run(['check', '.']);"
        "print(sorted(name for name in sys.modules if name.startswith(('urllib3', 'corslint.probe', 'ssl'))))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={"PYTHONPATH": str(Path(corslint.__file__).parent.parent)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "[]"
