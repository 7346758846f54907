"""The picture of a project: its nodes, what they add, and what runs between them."""

from __future__ import annotations

from pathlib import Path

import pytest

from corslint import discovery, lint
from corslint.model.diagram import Diagram, Node
from corslint.settings import Settings

ROOT = Path(__file__).parent.parent


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def drawn(path: str, settings: Settings = Settings()) -> Diagram:  # noqa: B008 (immutable)
    (context,) = discovery.contexts([path], str(Path.cwd()))
    known = lint.knowledge((), examples=False).catalog
    return lint.diagram(lint.understand(context, settings, None, known), settings, known)


def put(folder: Path, **files: str) -> None:
    for name, text in files.items():
        (folder / name.replace("__", "/").replace("_", ".")).parent.mkdir(parents=True, exist_ok=True)
        (folder / name.replace("__", "/").replace("_", ".")).write_text(text, encoding="utf-8")


def nodes(diagram: Diagram) -> list[tuple[str, str, str]]:
    return [(node.kind, node.title, node.subtitle.replace("\u00a0", " ")) for node in diagram.nodes]


def ways(diagram: Diagram) -> list[tuple[str, str, str, tuple[str, ...]]]:
    titles = {node.id: node.title for node in diagram.nodes}
    return [(titles[one.source], titles[one.target], one.exists.value, one.carries) for one in diagram.connections]


def said(node: Node) -> list[tuple[str, str, str, str]]:
    return [(line.kind, line.text, line.note, line.scope) for line in node.lines]


def test_the_chat_application(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    found = drawn("fixtures/projects/chat/bad")
    assert found.title == "fixtures/projects/chat/bad"
    assert nodes(found) == [
        ("browser", "client", "origin not known"),
        ("browser", "notifications/templates/monitor.html", "origin not known"),
        ("browser", "Pages elsewhere", "no page of this project is seen to ask"),
        ("proxy", "chat.example.com", "nginx · port 80"),
        ("proxy", "notify.example.com", "nginx · port 80"),
        ("server", "notifications", "CORSMiddleware, python-socketio · port 8000"),
        ("server", "server", "Express, Socket.IO, Node.js http · port 3001"),
    ]
    assert ways(found) == [
        ("client", "server", "yes", ("Socket.IO /socket.io/",)),
        ("notifications/templates/monitor.html", "notify.example.com", "yes", ("Socket.IO /notifications/socket.io/",)),
        ("Pages elsewhere", "chat.example.com", "unknown", ()),
        ("chat.example.com", "server", "yes", ("/realtime/", "/api/")),
        ("notify.example.com", "notifications", "yes", ("/notifications/",)),
    ]
    own = "https://chat.example.com"
    assert said(found.nodes[3]) == [
        ("adds", "Access-Control-Allow-Origin", own, "/api/"),
        ("adds", "Access-Control-Allow-Origin", own, "/media/"),
        ("drops", "Access-Control-Allow-Origin", "lost here", "/media/avatars/"),
        ("adds", "Access-Control-Allow-Origin", own, "/fonts/"),
        ("adds", "Access-Control-Allow-Origin", "*", "/fonts/"),
        ("adds", "Access-Control-Max-Age", "86400", "/fonts/"),
        ("takes", "/realtime/", "→ http://chat_server", ""),
        ("takes", "/api/", "→ http://chat_server", ""),
    ]
    assert said(found.nodes[5])[:3] == [
        ("adds", "Access-Control-Allow-Origin", "every origin, sent back", "CORSMiddleware"),
        ("adds", "Access-Control-Allow-Credentials", "true", "CORSMiddleware"),
        ("takes", "/notifications/socket.io/", "python-socketio", ""),
    ]


def test_it_is_the_same_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert drawn("fixtures/projects/chat/bad") == drawn("fixtures/projects/chat/bad")


def test_nothing_at_all(folder: Path) -> None:
    put(folder, a_py="x = 1\n")
    assert drawn(".") == Diagram(".", (), ())


NGINX = """server {
    listen 80;
    server_name a.example.com;
    location /api/ { proxy_pass http://10.0.0.7:3000; proxy_hide_header Access-Control-Allow-Origin; }
}
server { listen 81; server_name a.example.com; return 301 https://a.example.com$request_uri; }
"""


def test_only_nginx(folder: Path) -> None:
    put(folder, site_conf=NGINX)
    found = drawn(".")
    assert nodes(found) == [
        ("browser", "Pages elsewhere", "no page of this project is seen to ask"),
        ("proxy", "a.example.com", "nginx · port 80"),  # the one that only redirects is left out
        ("elsewhere", "Other hosts", "hosts that are not in this project"),
    ]
    assert [node.known for node in found.nodes] == [False, True, False]
    assert said(found.nodes[1]) == [
        ("drops", "Access-Control-Allow-Origin", "of what is behind", "/api/"),
        ("takes", "/api/", "→ http://10.0.0.7:3000", ""),
    ]
    assert [line.text for line in found.nodes[2].lines] == ["10.0.0.7:3000"]
    assert ways(found) == [
        ("Pages elsewhere", "a.example.com", "unknown", ()),
        ("a.example.com", "Other hosts", "unknown", ("/api/",)),
    ]


CLIENT = """import { io } from 'socket.io-client';
io('https://chat.example.com', { path: '/live' });
"""


def test_only_a_client(folder: Path) -> None:
    put(folder, package_json='{"dependencies": {"socket.io-client": "4.7.0"}}', main_js=CLIENT)
    found = drawn(".", Settings(frontends=("https://app.example.com",)))
    assert nodes(found) == [
        ("browser", "pages", "https://app.example.com"),
        ("elsewhere", "Other hosts", "hosts that are not in this project"),
    ]
    assert ways(found) == [("pages", "Other hosts", "unknown", ("Socket.IO /live/",))]


SERVER = """const express = require('express');
const cors = require('cors');
const app = express();
app.use(cors({ origin: ['https://a.example', 'https://b.example', 'https://c.example'] }));
app.get('/items', (req, res) => res.json([]));
app.listen(3000);
"""


def test_a_server_and_the_origins_that_it_lists(folder: Path) -> None:
    put(folder, package_json='{"dependencies": {"cors": "2.8.5", "express": "4.19.2"}}', server_js=SERVER)
    found = drawn(".")
    assert nodes(found)[-1] == ("server", "server.js", "Express · port 3000")
    assert said(found.nodes[-1]) == [
        ("adds", "Access-Control-Allow-Origin", "https://a.example and 2 more", "Express cors"),
        ("takes", "/items", "GET", ""),
    ]


def test_what_tests_start_is_not_drawn(folder: Path) -> None:
    put(folder, tests__server_js=SERVER, package_json='{"dependencies": {"cors": "2.8.5", "express": "4.19.2"}}')
    assert nodes(drawn(".")) == []


VITE = """import { defineConfig } from 'vite';
export default defineConfig({ server: { port: 5173, proxy: { '/items': 'http://localhost:3000' } } });
"""


def test_a_server_for_development_passes_on(folder: Path) -> None:
    put(
        folder,
        api__package_json='{"dependencies": {"cors": "2.8.5", "express": "4.19.2"}}',
        api__server_js=SERVER,
        web__package_json='{"devDependencies": {"vite": "5.4.0"}}',
        web__main_js="fetch('/items');\nfetch('/items');\n",
    )
    (folder / "web" / "vite.config.js").write_text(VITE, encoding="utf-8")
    found = drawn(".")
    assert ways(found) == [("web", "Vite", "yes", ("GET /items",)), ("Vite", "api", "yes", ("/items",))]
    (page,) = (node for node in found.nodes if node.kind == "browser")
    assert page.subtitle == "http://localhost:5173"
    assert [(line.text, len(line.spans)) for line in page.lines] == [("GET /items", 2)]


def test_two_that_answer_at_one_address_are_both_only_possible(folder: Path) -> None:
    for name in ("one", "two"):
        put(
            folder, **{f"{name}__site_conf": "server { listen 80; server_name localhost; location / { root /srv; } }\n"}
        )
    put(folder, web__main_js="fetch('http://localhost/items');\n", web__package_json='{"name": "web"}')
    assert [way[2] for way in ways(drawn(".")) if way[0] == "web"] == ["unknown", "unknown"]
    (folder / "one" / "web").mkdir()
    (folder / "web" / "main.js").rename(folder / "one" / "web" / "main.js")
    assert [way[2] for way in ways(drawn(".")) if "GET /items" in way[3]] == ["yes"]


def test_a_server_for_development_that_lets_everybody_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    found = drawn("fixtures/projects/open-dev-server/bad")
    assert ways(found) == [("Pages elsewhere", "Vite", "unknown", ())]
    assert said(found.nodes[1]) == [("adds", "Access-Control-Allow-Origin", "*", "")]


@pytest.mark.parametrize("folder", sorted(path.name for path in (ROOT / "fixtures" / "traces").iterdir()))
def test_connections_join_nodes_and_are_drawn_once(folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    found = drawn(f"fixtures/traces/{folder}")
    ids = [node.id for node in found.nodes]
    assert ids == [f"n{number}" for number in range(1, len(ids) + 1)]
    ends = [(one.source, one.target) for one in found.connections]
    assert len(ends) == len(set(ends))
    assert {end for pair in ends for end in pair} <= set(ids)
    assert all(node.known or node.kind in ("browser", "elsewhere") for node in found.nodes)
