"""`corslint trace --output-format html`: who is on the way of a request, what each adds or drops, and how it ends."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from corslint import cli
from corslint.model.exchange import Header, Request, Response
from corslint.model.traces import Hop, Leg, Question, Step, Trace
from corslint.model.tri import Tri
from corslint.report import trace as report
from corslint.source import SourceFile, Span
from tests.report.samples import NASTY
from tests.report.test_html import Document

SHOP, API = "https://shop.example.com", "https://api.example.com"
PACKAGE = '{"dependencies": {"express": "5.1.0", "cors": "2.8.5"}}'
SERVER = f"""const express = require('express');
const cors = require('cors');

const app = express();
app.use(cors({{ origin: '{SHOP}' }}));

app.get('/items', (req, res) => res.json([]));

app.listen(5000);
"""
NGINX = """server {
    listen 443 ssl;
    server_name api.example.com;
    location / {
        proxy_pass http://127.0.0.1:5000;
        LINES
    }
}
"""
ORIGIN = f"Access-Control-Allow-Origin: {SHOP}"

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def lay_down(folder: Path, lines: str) -> None:
    for name, text in {"package.json": PACKAGE, "server.js": SERVER, "api.conf": NGINX.replace("LINES", lines)}.items():
        (folder / name).write_text(text, encoding="utf-8")


def traced(capsys: Capture, *arguments: str, status: int) -> Document:
    capsys.readouterr()
    assert cli.run(["trace", "--output-format", "html", *arguments]) == status
    return Document(capsys.readouterr().out)


def asked(capsys: Capture, *options: str, status: int) -> Document:
    return traced(capsys, "--from", SHOP, "--to", f"{API}/items", *options, status=status)


def in_words(page: Document) -> list[str]:
    """What is said in place of each picture."""
    return re.findall(r"The picture in words (.*?) It comes back", page.text)


def test_each_party_says_what_it_adds(here: Path, capsys: Capture) -> None:
    lay_down(here, f"add_header Access-Control-Allow-Origin {SHOP} always;")
    page = asked(capsys, status=1)
    (words,) = in_words(page)
    assert words == (
        f"{SHOP} gets status 200 Allow-Origin: {SHOP} Vary: Origin Allow-Origin: {SHOP} sends GET /items to nginx"
        f" nginx, api.conf:1:1 adds {ORIGIN} sends GET /items to Application"
        f" Application, server.js:9:1 adds {ORIGIN} adds Vary: Origin answers with status 200"
    )
    assert "The browser blocks it." in page.text
    assert "contains multiple values" in page.text
    row = re.search("Written at ?Access-Control-Allow-Origin(.*?)Vary", page.text)
    assert row is not None
    assert row[1].replace(" ", "") == f"{SHOP}{SHOP}api.conf:6:9server.js:5:24"


def test_each_party_says_what_it_drops(here: Path, capsys: Capture) -> None:
    lay_down(here, "proxy_hide_header Access-Control-Allow-Origin;")
    (words,) = in_words(asked(capsys, status=1))
    assert f"{SHOP} gets status 200 Vary: Origin sends" in words
    assert "nginx, api.conf:1:1 drops Access-Control-Allow-Origin: of what comes back sends" in words


def test_what_a_proxy_leaves_out_of_the_request_is_said(here: Path, capsys: Capture) -> None:
    lay_down(here, 'proxy_set_header Origin "";')
    page = asked(capsys, status=0)
    assert "sends GET /items, without Origin to Application" in in_words(page)[0]


def test_a_preflight_has_a_picture_of_its_own(here: Path, capsys: Capture) -> None:
    lay_down(here, "")
    page = asked(capsys, "--method", "PUT", status=0)
    first, second = in_words(page)
    assert "sends OPTIONS /items to nginx" in first
    assert "adds Access-Control-Allow-Methods" in first
    assert "sends PUT /items to nginx" in second
    assert "The browser lets it through." in page.text
    assert len(page.all("svg")) == 4  # each once for a wide page and once for a narrow one


def test_where_nobody_answers_nobody_is_drawn(capsys: Capture) -> None:
    page = traced(capsys, "--from", SHOP, "--to", "https://elsewhere.example.com/x", status=3)
    assert "perhaps sends it to Not known Not known, what answers here" in page.text
    assert "How it ends is not known." in page.text


def test_all_that_clients_ask(here: Path, capsys: Capture) -> None:
    lay_down(here, "")
    (here / "web.js").write_text(f"fetch('{API}/items');\nfetch('{API}/other');\n", encoding="utf-8")
    (here / "corslint.toml").write_text(f'frontends = ["{SHOP}"]\n', encoding="utf-8")
    page = traced(capsys, status=0)
    assert "Of 2 requests 2 are allowed." in page.text
    assert [one["href"] for one in page.all("a")] == ["#t1", "#t2"]
    assert [one["id"] for one in page.all("section", class_="trace")] == ["t1", "t2"]
    assert "Asked at web.js:1:1." in page.text


def test_no_client(capsys: Capture) -> None:
    assert "Nothing is asked." in traced(capsys, status=3).text


def test_ids_are_unique_and_the_page_asks_for_nothing(here: Path, capsys: Capture) -> None:
    lay_down(here, "")
    page = asked(capsys, "--method", "PUT", status=0)
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert not [one for tag, one in page.elements if tag in ("img", "link", "iframe") or "src" in one]
    assert len(page.all("style")) == len(page.all("script")) == 1


@pytest.mark.parametrize("nasty", NASTY)
def test_it_is_inert_whatever_it_holds(nasty: str) -> None:
    evil = f"{nasty}</script><script>x()</script><img src=x onerror=x()>"
    span = Span(nasty.replace("\x00", "") or "a", 0, 3)
    source = SourceFile(span.path, f"{evil}\n".encode("utf-8", "surrogatepass"))
    request = Request("actual", evil, f"/{evil}", evil, server=evil)
    response = Response(200, (Header(f"Access-Control-{evil}", evil), Header("Vary", evil, Tri.UNKNOWN)), Tri.UNKNOWN)
    hops = (Hop("proxy", evil, span, request, response), Hop("server", evil, span, request, Response(None)))
    step = Step(span, evil)
    leg = Leg(request, response, (step,), ((f"Access-Control-{evil}", span),), (step,), hops=hops)
    hint = Trace(Question(evil, evil), Tri.NO, messages=(evil,))
    question = Question(evil, evil, headers=((evil, evil),), client=span)
    trace = Trace(question, Tri.UNKNOWN, (leg, leg), (evil,), evil, None, evil, (step,), hint)
    for traces in ([trace], [trace, trace]):
        text = "".join(report.render_html([(one, lambda _: source) for one in traces]))
        page = Document(text)
        assert len(page.all("script")) == 1
        assert page.all("img") == []
        assert re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u2028]", text) is None
        assert text.encode()
