"""Programs that check origins the wrong way, one for each form of attack and library, and the same ones mended.

The forms are those of section h of the project's measurements, and the classes that dynamic scanners look for. Each
library's template takes the check as an expression of its own language, on `origin`. `tests/lab/test_attacks.py` asks
the linter for an origin that passes, and the real library whether it does.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Language = Literal["javascript", "python"]
STRANGER = "https://attacker.test"
OWN = "https://app.example.com"
MENDED: dict[Language, str] = {"javascript": f"['{OWN}'].includes(origin)", "python": f'origin in ["{OWN}"]'}


@dataclass(frozen=True)
class Form:
    """One wrong check, in both languages; `rule` finds it. An empty text: that language has no such check."""

    name: str
    rule: str
    javascript: str
    python: str
    witness: str
    """The origin that the finding names; the stranger where everybody passes."""

    def check(self, language: Language) -> str:
        """The check in a language."""
        return self.javascript if language == "javascript" else self.python


_WEAK = "weak-origin-check"
FORMS = (
    Form("reflection", "reflected-origin-with-credentials", "origin.length > 0 || true", "origin or True", STRANGER),
    Form(
        "negation",
        "reflected-origin-with-credentials",
        f"!['{OWN}'].includes(origin)",
        f'origin not in ["{OWN}"]',
        STRANGER,
    ),
    Form(
        "endswith",
        _WEAK,
        "origin.endsWith('example.com')",
        'origin.endswith("example.com")',
        "https://attackerexample.com",
    ),
    Form(
        "startswith",
        _WEAK,
        "origin.startsWith('https://example.com')",
        'origin.startswith("https://example.com")',
        "https://example.com.attacker.test",
    ),
    Form(
        "localhost",
        _WEAK,
        "origin.startsWith('http://localhost')",
        'origin.startswith("http://localhost")',
        "http://localhost.attacker.test",
    ),
    Form(
        "substring",
        _WEAK,
        "origin.includes('example.com')",
        '"example.com" in origin',
        "https://example.com.attacker.test",
    ),
    Form(
        "position",
        _WEAK,
        "origin.indexOf('example.com') !== -1",
        'origin.find("example.com") != -1',
        "https://example.com.attacker.test",
    ),
    Form(
        "inside-a-text",
        _WEAK,
        "'https://app.example.com, https://www.example.com'.includes(origin)",
        'origin in "https://app.example.com,https://www.example.com"',
        "https://app.example.co",
    ),
    Form(
        "unanchored",
        _WEAK,
        r"/example\.com/.test(origin)",
        r're.search(r"example\.com", origin)',
        "https://example.com.attacker.test",
    ),
    Form(
        "open-end",
        _WEAK,
        r"/^https:\/\/app\.example\.com/.test(origin)",
        r're.match(r"https://app\.example\.com", origin)',
        "https://app.example.com.attacker.test",
    ),
    Form(
        "open-localhost",
        _WEAK,
        r"/^https?:\/\/localhost/.test(origin)",
        r're.match(r"https?://localhost", origin)',
        "http://localhost.attacker.test",
    ),
    Form(
        "open-start",
        _WEAK,
        r"/example\.com$/.test(origin)",
        r're.search(r"example\.com$", origin)',
        "https://attackerexample.com",
    ),
    Form(
        "dot",
        _WEAK,
        r"/^https:\/\/app.example\.com$/.test(origin)",
        r're.fullmatch(r"https://app.example\.com", origin)',
        "https://appxexample.com",
    ),
    Form(
        "leading-dot",
        _WEAK,
        "/.example.com$/.test(origin)",
        're.search(r".example.com$", origin)',
        "https://attackerexample.com",
    ),
    Form(
        "any-of-a-list",
        _WEAK,
        "['https://example.com'].some((one) => origin.startsWith(one))",
        'any(origin.startswith(one) for one in ["https://example.com"])',
        "https://example.com.attacker.test",
    ),
    Form(
        "hostname",
        _WEAK,
        "origin !== 'null' && new URL(origin).hostname.endsWith('example.com')",
        'urlparse(origin).netloc.endswith("example.com")',
        "https://attackerexample.com",
    ),
    Form(
        "shared-host",
        _WEAK,
        "origin.endsWith('.github.io')",
        'origin.endswith(".github.io")',
        "https://attacker.github.io",
    ),
    Form(
        "shared-pattern",
        _WEAK,
        r"/^https:\/\/[a-z-]+\.vercel\.app$/.test(origin)",
        r're.fullmatch(r"https://[a-z-]+\.vercel\.app", origin)',
        "https://attackera.vercel.app",
    ),
    Form(
        "any-subdomain",
        "any-subdomain-allowed",
        "origin.startsWith('https://') && origin.endsWith('.example.com')",
        'origin.startswith("https://") and origin.endswith(".example.com")',
        "https://attacker.example.com",
    ),
    Form(
        "underscore",
        _WEAK,
        r"/^https:\/\/example\.com(?![a-z0-9.-])/.test(origin)",
        r're.match(r"https://example\.com(?![a-z0-9.-])", origin)',
        "https://example.com_.attacker.test",
    ),
    Form(
        "exclamation-mark",
        _WEAK,
        r"/^https:\/\/example\.com(?![\w.-])/.test(origin)",
        r're.match(r"https://example\.com(?![\w.-])", origin)',
        "https://example.com!.attacker.test",
    ),
    Form(
        "null",
        "null-origin-allowed",
        f"origin === 'null' || origin === '{OWN}'",
        f'origin == "null" or origin == "{OWN}"',
        "null",
    ),
    Form(
        "http",
        "insecure-origin-allowed",
        f"['{OWN}', 'http://app.example.com'].includes(origin)",
        f'origin in ["{OWN}", "http://app.example.com"]',
        "http://app.example.com",
    ),
    Form(
        "http-pattern",
        "insecure-origin-allowed",
        r"/^https?:\/\/app\.example\.com$/.test(origin)",
        r're.fullmatch(r"https?://app\.example\.com", origin)',
        "http://app.example.com",
    ),
)


@dataclass(frozen=True)
class Library:
    """How a program of a library looks, and how all its programs are served by one process.

    `template` is a program that is linted by itself: `CHECK` is the check, `PORT` where it listens. `main` starts them:
    `MODULES` stands for their names. `path` is what is asked for.
    """

    name: str
    language: Language
    dependencies: dict[str, str]
    template: str
    main: str = ""
    path: str = "/"
    ending: str = ""
    without: dict[str, str] = field(default_factory=dict)
    """Forms that the library's programs cannot have, and why."""
    own: tuple[Form, ...] = ()
    """Where the library compares by itself, with what `CHECK` then is: its own forms in place of all others."""
    mended: str = ""


_ALL_IN_ONE = "for (const name of MODULES) require(`./${name}`);\n"
_UVICORN = """
import asyncio
from importlib import import_module
import uvicorn
async def main():
    configs = [uvicorn.Config(import_module(name).app, port=port, log_level="warning") for name, port in MODULES]
    servers = [uvicorn.Server(config) for config in configs]
    await asyncio.gather(*(server.serve() for server in servers))
asyncio.run(main())
"""
_WERKZEUG = """
import threading
from importlib import import_module
from werkzeug.serving import make_server
servers = [make_server("127.0.0.1", port, import_module(name).app) for name, port in MODULES]
for server in servers[1:]:
    threading.Thread(target=server.serve_forever, daemon=True).start()
servers[0].serve_forever()
"""
_ALL_IN_ONE_ESM = "for (const name of MODULES) await import(`./${name}.mjs`);\n"


def _patterns(*patterns: tuple[str, str]) -> tuple[Form, ...]:
    """Forms of what a library compares with by itself: what is written, and who passes."""
    return tuple(Form(f"own-{number}", _WEAK, text, text, origin) for number, (text, origin) in enumerate(patterns))


LIBRARIES = (
    Library("cors-patterns", "javascript", {"express": "^4.0.0", "cors": "^2.8.0"}, """
const app = require('express')();
app.use(require('cors')({ origin: CHECK, credentials: true }));
app.get('/', (req, res) => res.json([]));
app.listen(PORT);
""", _ALL_IN_ONE, own=_patterns(
        (r"/example\.com$/", "https://attackerexample.com"),
        (r"/.example.com$/", "https://attackerexample.com"),
        (r"[/^https:\/\/app\.example\.com/, 'https://www.example.com']", "https://app.example.com.attacker.test"),
        (r"new RegExp('^https://app.example\\.com$', 'i')", "https://appxexample.com"),
        (r"['https://www.example.com', /\.github\.io$/]", "https://attacker.github.io"),
    ), mended=f"['{OWN}']"),
    Library("socket.io-patterns", "javascript", {"socket.io": "^4.0.0"}, """
const { Server } = require('socket.io');
new Server(PORT, { cors: { origin: CHECK, credentials: true } });
""", _ALL_IN_ONE, "/socket.io/?EIO=4&transport=polling", own=_patterns(
        (r"/^http:\/\/localhost/", "http://localhost.attacker.test"),
        (r"[/^https:\/\/(?:.*\.)?example\.com/]", "https://example.com.attacker.test"),
        (r"/^https:\/\/.*example\.com$/", "https://attackerexample.com"),
    ), mended=f"['{OWN}']"),
    Library("socket.io-2-texts", "javascript", {"socket.io": "^2.0.0"}, """
require('socket.io')(PORT, { origins: CHECK });
""", _ALL_IN_ONE, "/socket.io/?EIO=3&transport=polling", own=_patterns(
        ("'https://app.example.com:443'", "https://e.com"),
        ("'https://app.example.com:443 https://www.example.com:443'", "https://e.com"),
    ), mended=f"['{OWN}:443']"),
    Library("fastify-patterns", "javascript", {"fastify": "^5.0.0", "@fastify/cors": "^11.0.0"}, """
const app = require('fastify')();
app.register(require('@fastify/cors'), { origin: CHECK, credentials: true });
app.get('/', async () => []);
app.listen({ port: PORT });
""", _ALL_IN_ONE, own=_patterns(
        (r"/example\.com/", "https://example.com.attacker.test"),
        (r"['https://www.example.com', /^https:\/\/app.example\.com$/]", "https://appxexample.com"),
    ), mended=f"['{OWN}']"),
    Library("starlette", "python", {"starlette": ">=0.40", "uvicorn": ">=0.20"}, """
from starlette.applications import Starlette
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import JSONResponse
from starlette.routing import Route
app = Starlette(routes=[Route("/", lambda request: JSONResponse([]))])
app.add_middleware(CORSMiddleware, CHECK, allow_credentials=True)
""", _UVICORN, own=_patterns(
        ('allow_origins="https://app.example.com"', "https://app.example.co"),
        ('allow_origins="https://app.example.com,https://www.example.com"', "https://app.example.co"),
        (r'allow_origin_regex=r"https://.*example\.com"', "https://attackerexample.com"),
        (r'allow_origin_regex=r"https://app.example\.com"', "https://appxexample.com"),
        (r'allow_origin_regex=r"https://.*\.vercel\.app"', "https://attacker.vercel.app"),
    ), mended=f'allow_origins=["{OWN}"]'),
    Library("flask-cors", "python", {"flask": ">=3", "flask-cors": ">=5"}, """
from flask import Flask
from flask_cors import CORS
app = Flask(__name__)
CORS(app, origins=CHECK, supports_credentials=True)
@app.get("/")
def notes():
    return []
""", _WERKZEUG, own=_patterns(
        (r'r"https://\w+\.example\.com"', "https://a.example.com.attacker.test"),
        (r'[r"https://app\.example\.com", "https://www.example.com"]', "https://app.example.com.attacker.test"),
        (r'r".*example\.com$"', "https://attackerexample.com"),
    ), mended=f'["{OWN}"]'),
    Library("cors", "javascript", {"express": "^4.0.0", "cors": "^2.8.0"}, """
const app = require('express')();
const cors = require('cors');
app.use(cors({ origin: (origin, done) => done(null, CHECK), credentials: true }));
app.get('/', (req, res) => res.json([]));
app.listen(PORT);
""", _ALL_IN_ONE),
    Library("cors-options-by-request", "javascript", {"express": "^4.0.0", "cors": "^2.8.0"}, """
const app = require('express')();
const cors = require('cors');
const options = (req, done) => {
  const origin = req.header('Origin');
  done(null, { origin: CHECK, credentials: true });
};
app.use(cors(options));
app.get('/', (req, res) => res.json([]));
app.listen(PORT);
""", _ALL_IN_ONE),
    Library("socket.io", "javascript", {"socket.io": "^4.0.0"}, """
const { Server } = require('socket.io');
new Server(PORT, { cors: { origin: (origin, done) => done(null, CHECK), credentials: true } });
""", _ALL_IN_ONE, "/socket.io/?EIO=4&transport=polling"),
    Library("socket.io-2", "javascript", {"socket.io": "^2.0.0"}, """
require('socket.io')(PORT, { origins: (origin, done) => done(null, CHECK) });
""", _ALL_IN_ONE, "/socket.io/?EIO=3&transport=polling", without={"null": "asks about `*` in its place"}),
    Library("fastify-cors", "javascript", {"fastify": "^5.0.0", "@fastify/cors": "^11.0.0"}, """
const app = require('fastify')();
app.register(require('@fastify/cors'), { origin: (origin, done) => done(null, CHECK), credentials: true });
app.get('/', async () => []);
app.listen({ port: PORT });
""", _ALL_IN_ONE),
    Library("koa-cors", "javascript", {"koa": "^3.0.0", "@koa/cors": "^5.0.0"}, """
const Koa = require('koa');
const cors = require('@koa/cors');
const app = new Koa();
app.use(
  cors({
    credentials: true,
    origin(ctx) {
      const origin = ctx.get('Origin');
      return CHECK ? origin : '';
    },
  }),
);
app.use((ctx) => { ctx.body = []; });
app.listen(PORT);
""", _ALL_IN_ONE),
    Library("hono-cors", "javascript", {"hono": "^4.0.0", "@hono/node-server": "^2.0.0"}, """
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { cors } from 'hono/cors';
const app = new Hono();
app.use('*', cors({ origin: (origin) => (CHECK ? origin : null), credentials: true }));
app.get('/', (c) => c.json([]));
serve({ fetch: app.fetch, port: PORT });
""", _ALL_IN_ONE_ESM, ending=".mjs"),
    Library("h3", "javascript", {"h3": "^1.0.0"}, """
const { createServer } = require('node:http');
const { createApp, eventHandler, handleCors, toNodeListener } = require('h3');
const app = createApp();
app.use(
  eventHandler((event) => {
    if (handleCors(event, { origin: (origin) => CHECK, credentials: true })) return;
    return [];
  }),
);
createServer(toNodeListener(app)).listen(PORT);
""", _ALL_IN_ONE),
    Library("node-http", "javascript", {}, """
const { createServer } = require('node:http');
createServer((req, res) => {
  const origin = req.headers.origin;
  res.setHeader('Vary', 'Origin');
  if (CHECK) {
    res.setHeader('Access-Control-Allow-Origin', origin);
    res.setHeader('Access-Control-Allow-Credentials', 'true');
  }
  res.end('[]');
}).listen(PORT);
""", _ALL_IN_ONE),
    Library("express", "javascript", {"express": "^5.0.0"}, """
const app = require('express')();
app.use((req, res, next) => {
  const origin = req.get('Origin');
  if (!(CHECK)) return next();
  res.set({ 'Access-Control-Allow-Origin': origin, 'Access-Control-Allow-Credentials': 'true', Vary: 'Origin' });
  next();
});
app.get('/', (req, res) => res.json([]));
app.listen(PORT);
""", _ALL_IN_ONE),
    Library("koa", "javascript", {"koa": "^3.0.0"}, """
const Koa = require('koa');
const app = new Koa();
const isAllowed = (origin) => CHECK;
app.use((ctx) => {
  const origin = ctx.get('Origin');
  ctx.vary('Origin');
  if (isAllowed(origin)) {
    ctx.set('Access-Control-Allow-Origin', origin);
    ctx.set('Access-Control-Allow-Credentials', 'true');
  }
  ctx.body = [];
});
app.listen(PORT);
""", _ALL_IN_ONE),
    Library("flask", "python", {"flask": ">=3"}, """
import re
from urllib.parse import urlparse
from flask import Flask, request
app = Flask(__name__)
@app.after_request
def allow(response):
    origin = request.headers.get("Origin", "")
    if CHECK:
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Allow-Credentials"] = "true"
        response.headers["Vary"] = "Origin"
    return response
@app.get("/")
def notes():
    return []
""", _WERKZEUG),
    Library("fastapi", "python", {"fastapi": ">=0.100", "uvicorn": ">=0.20"}, """
import re
from urllib.parse import urlparse
from fastapi import FastAPI, Request
app = FastAPI()
def is_allowed(origin: str) -> bool:
    return CHECK
@app.middleware("http")
async def allow(request: Request, call_next):
    response = await call_next(request)
    origin = request.headers.get("origin", "")
    if is_allowed(origin):
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Allow-Credentials"] = "true"
        response.headers["Vary"] = "Origin"
    return response
@app.get("/")
async def notes():
    return []
""", _UVICORN),
    Library("python-socketio", "python", {"python-socketio": ">=5.11", "uvicorn": ">=0.20"}, """
import re
from urllib.parse import urlparse
import socketio
def known(origin):
    return CHECK
sio = socketio.AsyncServer(async_mode="asgi", cors_allowed_origins=known)
app = socketio.ASGIApp(sio)
""", _UVICORN, "/socket.io/?EIO=4&transport=polling"),
    Library("aiohttp", "python", {"aiohttp": ">=3"}, """
import re
from urllib.parse import urlparse
from aiohttp import web
@web.middleware
async def allow(request, handler):
    response = await handler(request)
    origin = request.headers.get("Origin", "")
    if not (CHECK):
        return response
    response.headers["Access-Control-Allow-Origin"] = origin
    response.headers["Access-Control-Allow-Credentials"] = "true"
    response.headers["Vary"] = "Origin"
    return response
async def notes(request):
    return web.json_response([])
app = web.Application(middlewares=[allow])
app.router.add_get("/", notes)
""", """
import asyncio
from importlib import import_module
from aiohttp import web
async def main():
    for name, port in MODULES:
        runner = web.AppRunner(import_module(name).app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
    await asyncio.Event().wait()
asyncio.run(main())
"""),
    Library("tornado", "python", {"tornado": ">=6"}, """
import re
from urllib.parse import urlparse
import tornado.web
class Notes(tornado.web.RequestHandler):
    def set_default_headers(self):
        origin = self.request.headers.get("Origin", "")
        if CHECK:
            self.set_header("Access-Control-Allow-Origin", origin)
            self.set_header("Access-Control-Allow-Credentials", "true")
            self.set_header("Vary", "Origin")
    def get(self):
        self.write({})
app = tornado.web.Application([(r"/", Notes)])
""", """
from importlib import import_module
import tornado.ioloop
for name, port in MODULES:
    import_module(name).app.listen(port, "127.0.0.1")
tornado.ioloop.IOLoop.current().start()
"""),
    Library("falcon", "python", {"falcon": ">=4"}, """
import re
from urllib.parse import urlparse
import falcon
class Allow:
    def process_response(self, req, resp, resource, req_succeeded):
        origin = req.get_header("Origin") or ""
        if CHECK:
            resp.set_header("Access-Control-Allow-Origin", origin)
            resp.set_header("Access-Control-Allow-Credentials", "true")
            resp.append_header("Vary", "Origin")
class Notes:
    def on_get(self, req, resp):
        resp.media = []
app = falcon.App(middleware=[Allow()])
app.add_route("/", Notes())
""", """
import threading
from importlib import import_module
from wsgiref.simple_server import make_server
servers = [make_server("127.0.0.1", port, import_module(name).app) for name, port in MODULES]
for server in servers[1:]:
    threading.Thread(target=server.serve_forever, daemon=True).start()
servers[0].serve_forever()
"""),
)  # fmt: skip


@dataclass(frozen=True)
class Level:
    """One way in which nginx looks at the Origin; `test` and `key` write a form's pattern down in it.

    `server` is a whole server: `PORT` is where it listens, `TEST` stands for the test and `NUMBER` keeps names apart;
    `http` stands beside it.
    """

    name: str
    keyed: bool
    server: str
    http: str = ""


@dataclass(frozen=True)
class NginxForm:
    """One wrong test of nginx's: the words of an `if` behind `$http_origin`, and the keys of a `map`."""

    name: str
    rule: str
    test: str
    keys: str
    witness: str


_HEADERS = """add_header Access-Control-Allow-Credentials true always;
            add_header Vary Origin always;"""
LEVELS = (
    Level("header-in-if", False, f"""
    server {{
        listen PORT;
        location / {{
            if ($http_origin TEST) {{
                add_header Access-Control-Allow-Origin $http_origin always;
                {_HEADERS}
            }}
            return 200 '[]';
        }}
    }}
"""),
    Level("set-in-if", False, f"""
    server {{
        listen PORT;
        set $allowed "";
        if ($http_origin TEST) {{
            set $allowed $http_origin;
        }}
        location / {{
            add_header Access-Control-Allow-Origin $allowed always;
            {_HEADERS}
            return 200 '[]';
        }}
    }}
"""),
    Level("map", True, f"""
    server {{
        listen PORT;
        location / {{
            add_header Access-Control-Allow-Origin $allowed_NUMBER always;
            {_HEADERS}
            return 200 '[]';
        }}
    }}
""", """
    map $http_origin $allowed_NUMBER {
        default "";
        TEST
    }
"""),
    Level("map-of-flags", True, f"""
    server {{
        listen PORT;
        location / {{
            add_header Access-Control-Allow-Origin $allowed_NUMBER always;
            {_HEADERS}
            return 200 '[]';
        }}
    }}
""", """
    map $http_origin $known_NUMBER {
        default 0;
        TEST
    }
    map $known_NUMBER $allowed_NUMBER {
        1 $http_origin;
    }
"""),
)  # fmt: skip
NGINX_MENDED = {False: f"= {OWN}", True: f"{OWN} VALUE;"}
_ECHO = "reflected-origin-with-credentials"
NGINX_FORMS = (
    NginxForm("reflection", _ECHO, '!= ""', "default VALUE;", STRANGER),
    NginxForm("negation", _ECHO, f"!= {OWN}", f'{OWN} ""; default VALUE;', STRANGER),
    NginxForm("endswith", _WEAK, r"~* example\.com$", r"~*example\.com$ VALUE;", "https://attackerexample.com"),
    NginxForm("group", _WEAK, r"~* (example\.com)", r"~*(example\.com) VALUE;", "https://example.com.attacker.test"),
    NginxForm("substring", _WEAK, r"~ example\.com", r"~example\.com VALUE;", "https://example.com.attacker.test"),
    NginxForm(
        "open-end",
        _WEAK,
        r"~ ^https://app\.example\.com",
        r"~^https://app\.example\.com VALUE;",
        "https://app.example.com.attacker.test",
    ),
    NginxForm(
        "open-alternative",
        _WEAK,
        r'~ "^https://(a\.example\.com$|b\.example\.com)"',
        r'"~^https://(a\.example\.com$|b\.example\.com)" VALUE;',
        "https://b.example.com.attacker.test",
    ),
    NginxForm(
        "localhost", _WEAK, "~ ^https?://localhost", "~^https?://localhost VALUE;", "http://localhost.attacker.test"
    ),
    NginxForm(
        "dot", _WEAK, r"~ ^https://app.example\.com$", r"~^https://app.example\.com$ VALUE;", "https://appxexample.com"
    ),
    NginxForm("leading-dot", _WEAK, "~ .example.com$", "~.example.com$ VALUE;", "https://attackerexample.com"),
    NginxForm("shared-host", _WEAK, r"~ \.github\.io$", r"~\.github\.io$ VALUE;", "https://attacker.github.io"),
    NginxForm(
        "shared-pattern",
        _WEAK,
        r'~ "^https://[a-z-]+\.vercel\.app$"',
        r'"~^https://[a-z-]+\.vercel\.app$" VALUE;',
        "https://attackera.vercel.app",
    ),
    NginxForm(
        "any-subdomain",
        "any-subdomain-allowed",
        r'~ "^https://[a-z0-9-]+\.example\.com$"',
        r'"~^https://[a-z0-9-]+\.example\.com$" VALUE;',
        "https://attacker.example.com",
    ),
    NginxForm(
        "underscore",
        _WEAK,
        r'~ "^https://example\.com(?![a-z0-9.-])"',
        r'"~^https://example\.com(?![a-z0-9.-])" VALUE;',
        "https://example.com_.attacker.test",
    ),
    NginxForm(
        "exclamation-mark",
        _WEAK,
        r'~ "^https://example\.com(?![\w.-])"',
        r'"~^https://example\.com(?![\w.-])" VALUE;',
        "https://example.com!.attacker.test",
    ),
    NginxForm(
        "null",
        "null-origin-allowed",
        r'~ "^(null|https://app\.example\.com)$"',
        f"null VALUE; {OWN} VALUE;",
        "null",
    ),
    NginxForm(
        "http",
        "insecure-origin-allowed",
        r'~ "^https?://app\.example\.com$"',
        f"{OWN} VALUE; http://app.example.com VALUE;",
        "http://app.example.com",
    ),
)


def nginx_parts(level: Level, test: str, number: int, port: int) -> tuple[str, str]:
    """What stands in `http` for one form: the maps, and the server."""
    if level.keyed:
        test = test.replace("VALUE", "1" if "$known" in level.http else "$http_origin")
    whole = level.http
    if "default" in test:
        # The form has a default of its own.
        whole = whole.replace('        default "";\n', "").replace("        default 0;\n", "")
    http, server = (
        text.replace("TEST", test).replace("NUMBER", str(number)).replace("PORT", str(port)).lstrip("\n")
        for text in (whole, level.server)
    )
    return http, server


def nginx_file(parts: list[tuple[str, str]]) -> str:
    """A whole configuration."""
    return f"events {{}}\nhttp {{\n{''.join(http + server for http, server in parts)}}}\n"
