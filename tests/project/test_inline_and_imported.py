"""The same configuration written inline and imported from another file gives the same facts."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import dedent

import pytest

from corslint import lint
from corslint.model.facts import Fact
from corslint.settings import Settings
from corslint.source import Span
from tests.examples import context_of, findings_of

_MANIFEST = (
    '{"dependencies": {"express": "4.19.2", "cors": "2.8.5", "socket.io": "4.8.1", "socket.io-client": "4.8.1"}}'
)

JAVASCRIPT: dict[str, tuple[str, dict[str, str]]] = {
    "options object": (
        """
        const cors = require('cors');
        const app = require('express')();
        app.use(cors({ origin: ['https://a.example.com'], credentials: true }));
        """,
        {
            "server.js": """
                const cors = require('cors');
                const { corsOptions } = require('./config');
                const app = require('express')();
                app.use(cors(corsOptions));
            """,
            "config.js": """
                module.exports = { corsOptions: { origin: ['https://a.example.com'], credentials: true } };
            """,
        },
    ),
    "origin list": (
        """
        import cors from 'cors';
        import express from 'express';
        express().use(cors({ origin: ['https://a.example.com', 'https://b.example.com/'] }));
        """,
        {
            "server.js": """
                import cors from 'cors';
                import express from 'express';
                import { ORIGINS } from './config.js';
                express().use(cors({ origin: ORIGINS }));
            """,
            "config.js": "export const ORIGINS = ['https://a.example.com', 'https://b.example.com/'];",
        },
    ),
    "default export": (
        """
        import cors from 'cors';
        import express from 'express';
        express().use(cors({ origin: true, credentials: true }));
        """,
        {
            "server.js": """
                import cors from 'cors';
                import express from 'express';
                import options from './config';
                express().use(cors(options));
            """,
            "config.js": "export default { origin: true, credentials: true };",
        },
    ),
    "whole module as options": (
        """
        const cors = require('cors');
        require('express')().use(cors({ origin: '*', credentials: true }));
        """,
        {
            "server.js": """
                const cors = require('cors');
                require('express')().use(cors(require('./config')));
            """,
            "config.js": "module.exports = { origin: '*', credentials: true };",
        },
    ),
    "callback": (
        """
        const cors = require('cors');
        require('express')().use(cors({ credentials: true, origin: (origin, callback) => {
          if (!origin || origin.endsWith('example.com')) callback(null, true);
          else callback(new Error('no'));
        } }));
        """,
        {
            "server.js": """
                const cors = require('cors');
                const { checkOrigin } = require('./config');
                require('express')().use(cors({ credentials: true, origin: checkOrigin }));
            """,
            "config.js": """
                function checkOrigin(origin, callback) {
                  if (!origin || origin.endsWith('example.com')) callback(null, true);
                  else callback(new Error('no'));
                }
                module.exports = { checkOrigin };
            """,
        },
    ),
    "list inside a callback": (
        """
        const cors = require('cors');
        const ALLOWED = new Set(['https://a.example.com', 'null']);
        require('express')().use(cors({ origin: (origin, callback) => callback(null, ALLOWED.has(origin)) }));
        """,
        {
            "server.js": """
                const cors = require('cors');
                const { ALLOWED } = require('./config');
                require('express')().use(cors({ origin: (origin, callback) => callback(null, ALLOWED.has(origin)) }));
            """,
            "config.js": "exports.ALLOWED = new Set(['https://a.example.com', 'null']);",
        },
    ),
    "application": (
        """
        const express = require('express');
        const cors = require('cors');
        const http = require('http');
        const { Server } = require('socket.io');
        const app = express();
        app.use(cors({ origin: 'https://a.example.com' }));
        const server = http.createServer(app);
        new Server(server);
        server.listen(3000);
        """,
        {
            "server.js": """
                const http = require('http');
                const { Server } = require('socket.io');
                const app = require('./app');
                const server = http.createServer(app);
                new Server(server);
                server.listen(3000);
            """,
            "app.js": """
                const express = require('express');
                const cors = require('cors');
                const app = express();
                app.use(cors({ origin: 'https://a.example.com' }));
                module.exports = app;
            """,
        },
    ),
    "http server": (
        """
        import http from 'http';
        import express from 'express';
        import { Server } from 'socket.io';
        const app = express();
        const server = http.createServer(app);
        server.listen(4000);
        const io = new Server(server, { cors: { origin: '*' } });
        """,
        {
            "server.js": """
                import { server } from './http.js';
                import { Server } from 'socket.io';
                const io = new Server(server, { cors: { origin: '*' } });
            """,
            "http.js": """
                import http from 'http';
                import express from 'express';
                const app = express();
                export const server = http.createServer(app);
                server.listen(4000);
            """,
        },
    ),
    "http server passed to a function": (
        """
        const http = require('http');
        const { Server } = require('socket.io');
        const server = http.createServer();
        new Server(server, { cors: { origin: ['https://a.example.com'] } });
        server.listen(3000);
        """,
        {
            "server.js": """
                const http = require('http');
                const setup = require('./sockets');
                const server = http.createServer();
                setup(server);
                server.listen(3000);
            """,
            "sockets.js": """
                const { Server } = require('socket.io');
                module.exports = (server) => {
                  new Server(server, { cors: { origin: ['https://a.example.com'] } });
                };
            """,
        },
    ),
    "http server passed to an exported function": (
        """
        import { createServer } from 'node:http';
        import { Server } from 'socket.io';
        const server = createServer();
        new Server(server, { cors: { origin: ['https://a.example.com'] } });
        server.listen(3000);
        """,
        {
            "server.js": """
                import { createServer } from 'node:http';
                import { attachSockets } from './sockets.js';
                const server = createServer();
                attachSockets(server);
                server.listen(3000);
            """,
            "sockets.js": """
                import { Server } from 'socket.io';
                export function attachSockets(server) {
                  new Server(server, { cors: { origin: ['https://a.example.com'] } });
                }
            """,
        },
    ),
    "environment read": (
        """
        const cors = require('cors');
        require('express')().use(cors({ origin: process.env.CLIENT_URL || '*' }));
        """,
        {
            "server.js": """
                const cors = require('cors');
                const config = require('./config');
                require('express')().use(cors({ origin: config.clientUrl }));
            """,
            "config.js": "module.exports = { clientUrl: process.env.CLIENT_URL || '*' };",
        },
    ),
    "re-exported": (
        """
        import cors from 'cors';
        import express from 'express';
        express().use(cors({ origin: /example\\.com$/ }));
        """,
        {
            "server.ts": """
                import cors from 'cors';
                import express from 'express';
                import { pattern } from './settings';
                express().use(cors({ origin: pattern }));
            """,
            "settings/index.ts": "export * from './origins';",
            "settings/origins.ts": "export const pattern: RegExp = /example\\.com$/;",
        },
    ),
    "client address": (
        """
        import { io } from 'socket.io-client';
        export const socket = io('http://localhost:4000', { withCredentials: true, path: '/ws' });
        """,
        {
            "server.js": """
                import { io } from 'socket.io-client';
                import { URL, options } from './config';
                export const socket = io(URL, options);
            """,
            "config.js": """
                export const URL = 'http://localhost:4000';
                export const options = { withCredentials: true, path: '/ws' };
            """,
        },
    ),
}

PYTHON: dict[str, tuple[str, dict[str, str]]] = {
    "origin list": (
        """
        from fastapi import FastAPI
        from fastapi.middleware.cors import CORSMiddleware
        app = FastAPI()
        app.add_middleware(CORSMiddleware, allow_origins=["https://a.example.com/"], allow_credentials=True)
        """,
        {
            "main.py": """
                from fastapi import FastAPI
                from fastapi.middleware.cors import CORSMiddleware
                from config import ORIGINS
                app = FastAPI()
                app.add_middleware(CORSMiddleware, allow_origins=ORIGINS, allow_credentials=True)
            """,
            "config.py": 'ORIGINS = ["https://a.example.com/"]',
        },
    ),
    "module attribute": (
        """
        from fastapi import FastAPI
        from fastapi.middleware.cors import CORSMiddleware
        app = FastAPI()
        app.add_middleware(CORSMiddleware, allow_origins=["*"], allow_credentials=True)
        """,
        {
            "pkg/main.py": """
                from fastapi import FastAPI
                from fastapi.middleware.cors import CORSMiddleware
                from . import config
                app = FastAPI()
                app.add_middleware(CORSMiddleware, allow_origins=config.ORIGINS, allow_credentials=True)
            """,
            "pkg/config.py": 'ORIGINS = ["*"]',
            "pkg/__init__.py": "",
        },
    ),
    "keyword arguments": (
        """
        import socketio
        sio = socketio.AsyncServer(async_mode="asgi", cors_allowed_origins="*")
        """,
        {
            "main.py": """
                import socketio
                from options import OPTIONS
                sio = socketio.AsyncServer(**OPTIONS)
            """,
            "options.py": 'OPTIONS = {"async_mode": "asgi", "cors_allowed_origins": "*"}',
        },
    ),
    "application": (
        """
        from flask import Flask
        from flask_cors import CORS
        app = Flask(__name__)
        CORS(app, origins=["https://a.example.com"], supports_credentials=True)
        """,
        {
            "main.py": """
                from flask_cors import CORS
                from app import app
                CORS(app, origins=["https://a.example.com"], supports_credentials=True)
            """,
            "app.py": """
                from flask import Flask
                app = Flask(__name__)
            """,
        },
    ),
    "environment read": (
        """
        import os
        import socketio
        sio = socketio.Server(cors_allowed_origins=os.environ.get("ORIGIN", "*"))
        """,
        {
            "main.py": """
                import socketio
                import config
                sio = socketio.Server(cors_allowed_origins=config.ORIGIN)
            """,
            "config.py": """
                from os import environ
                ORIGIN = environ.get("ORIGIN", "*")
            """,
        },
    ),
    "settings": (
        """
        CORS_ALLOW_ALL_ORIGINS = True
        CORS_ALLOW_CREDENTIALS = True
        """,
        {
            "settings/production.py": """
                from .base import *
                CORS_ALLOW_ALL_ORIGINS = True
            """,
            "settings/base.py": "CORS_ALLOW_CREDENTIALS = True",
            "settings/__init__.py": "",
        },
    ),
    "regular expression": (
        """
        from fastapi import FastAPI
        from fastapi.middleware.cors import CORSMiddleware
        app = FastAPI()
        app.add_middleware(CORSMiddleware, allow_origin_regex=r"https://.*example.com", allow_credentials=True)
        """,
        {
            "main.py": """
                from fastapi import FastAPI
                from fastapi.middleware.cors import CORSMiddleware
                from config import settings
                app = FastAPI()
                app.add_middleware(CORSMiddleware, allow_origin_regex=settings["pattern"], allow_credentials=True)
            """,
            "config.py": 'settings = {"pattern": r"https://.*example.com"}',
        },
    ),
    "list grown later": (
        """
        import socketio
        sio = socketio.Server(cors_allowed_origins=["https://a.example.com", "null"])
        """,
        {
            "main.py": """
                import socketio
                from config import allowed
                sio = socketio.Server(cors_allowed_origins=allowed)
            """,
            "config.py": """
                allowed = ["https://a.example.com"]
                allowed.append("null")
            """,
        },
    ),
}


def _facts(files: Mapping[str, str]) -> list[str]:
    contents = {path: dedent(text).strip().encode() + b"\n" for path, text in files.items()}
    contents["package.json"] = _MANIFEST.encode()
    understood = lint.understand(context_of(contents), Settings(), contents)
    return sorted(_shape(fact) for fact in understood.facts)


def _shape(fact: Fact) -> str:
    fields = {
        name: ("instance" if isinstance(field.value, Span) else field.value, field.state)
        for name, field in sorted(fact.fields.items())
        # Where and how the options are written is for fixes; the place in an order is known in the application's file.
        if not name.startswith("options") and name != "outer_index"
    }
    return f"{fact.kind} {fields}"


_PAIRS = [
    *(
        pytest.param("server.js", inline, files, id=f"javascript: {name}")
        for name, (inline, files) in JAVASCRIPT.items()
    ),
    *(pytest.param("main.py", inline, files, id=f"python: {name}") for name, (inline, files) in PYTHON.items()),
]


@pytest.mark.parametrize(("path", "inline", "files"), _PAIRS)
def test_same_facts(path: str, inline: str, files: dict[str, str]) -> None:
    inlined = _facts({path: inline})
    assert any(fact.startswith(("cors_policy", "socket_client")) for fact in inlined)
    assert _facts(files) == inlined


def test_there_are_twenty_pairs() -> None:
    assert len(_PAIRS) >= 20


def test_settings_over_a_common_base() -> None:
    files = {
        "requirements.txt": b"django-cors-headers==4.9.0\n",
        "project/__init__.py": b"",
        "project/base.py": b"""INSTALLED_APPS = ["corsheaders"]
MIDDLEWARE = ["corsheaders.middleware.CorsMiddleware", "django.middleware.common.CommonMiddleware"]
CORS_ALLOW_CREDENTIALS = True
CORS_ALLOWED_ORIGINS = ["http://localhost:3000"]
""",
        "project/production.py": b"from .base import *\nCORS_ALLOW_ALL_ORIGINS = True\n",
    }
    found = findings_of(files, Settings(), lint.knowledge())
    assert [(finding.rule, finding.primary) for finding in found] == [
        ("reflected-origin-with-credentials", Span("project/production.py", 45, 49))
    ]


def test_editing_only_the_imported_file_changes_the_finding() -> None:
    server = b"""const cors = require('cors');
const { origin } = require('./config');
module.exports = cors({ origin, credentials: true });
"""
    known = lint.knowledge()

    def rules_with_a_place_in_the_server(config: bytes) -> set[str]:
        files = {"server.js": server, "config.js": config, "package.json": _MANIFEST.encode()}
        return {
            finding.rule
            for finding in findings_of(files, Settings(), known)
            if "server.js" in {finding.primary.path, *(place.span.path for place in finding.related)}
        }

    assert rules_with_a_place_in_the_server(b"exports.origin = true;\n") == {"reflected-origin-with-credentials"}
    assert rules_with_a_place_in_the_server(b"exports.origin = '*';\n") == {"wildcard-origin-with-credentials"}
    assert rules_with_a_place_in_the_server(b"exports.origin = 'https://a.example.com/';\n") == {"malformed-origin"}
    assert rules_with_a_place_in_the_server(b"exports.origin = 'https://a.example.com';\n") == set()
