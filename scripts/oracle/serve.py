"""Runs one Python snippet on a free loopback port and says on stdout, one JSON line each, what happens.

    python serve.py SNIPPET

The snippet is a whole module that leaves its application in a variable `app` (Flask, Falcon, FastAPI, Starlette,
Litestar, Quart, Robyn, Tornado, aiohttp, `socketio.WSGIApp` or `socketio.ASGIApp`). A snippet called `settings.py` is
a Django settings module. It runs in the directory it stands in.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import json
import logging
import os
import socket
import sys
import threading
import time
from typing import Any


def say(**event: object) -> None:
    print(json.dumps(event), flush=True)


def serve_wsgi(app: Any, listener: socket.socket) -> None:
    serving: Any = importlib.import_module("werkzeug.serving")
    serving.make_server("127.0.0.1", 0, app, threaded=True, fd=listener.fileno()).serve_forever()


def serve_asgi(app: Any, listener: socket.socket) -> None:
    uvicorn: Any = importlib.import_module("uvicorn")
    # `lifespan` as uvicorn has it by default: an application that cannot be built then answers 500 to every request.
    sockets = "wsproto" if importlib.util.find_spec("wsproto") else "none"
    uvicorn.Server(uvicorn.Config(app, log_level="critical", ws=sockets)).run([listener])


def serve_aiohttp(app: Any, listener: socket.socket) -> None:
    web: Any = importlib.import_module("aiohttp.web")
    web.run_app(app, sock=listener, print=lambda *_: None)


def serve_tornado(app: Any, listener: socket.socket) -> None:
    ioloop: Any = importlib.import_module("tornado.ioloop")
    listener.setblocking(False)
    importlib.import_module("tornado.httpserver").HTTPServer(app).add_socket(listener)
    ioloop.IOLoop.current().start()


def serve_sanic(app: Any, listener: socket.socket) -> None:
    app.run(sock=listener, single_process=True, motd=False, access_log=False)


def serve_robyn(app: Any, listener: socket.socket) -> None:
    """Robyn opens its port by itself: behind the one that was told, each connection is passed on to it."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    threading.Thread(target=relay, args=(listener, port), daemon=True).start()
    app.start("127.0.0.1", port, _check_port=False)


def relay(listener: socket.socket, port: int) -> None:
    while True:
        near, _ = listener.accept()
        far = reached(port)
        for source, target in ((near, far), (far, near)):
            threading.Thread(target=pump, args=(source, target), daemon=True).start()


def reached(port: int) -> socket.socket:
    """A connection to that port, as soon as somebody listens there."""
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port))
        except ConnectionRefusedError:
            time.sleep(0.05)


def pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


SERVERS = (
    (("aiohttp.",), "aiohttp.web", serve_aiohttp),
    (("robyn.",), "robyn", serve_robyn),
    (("sanic.",), "sanic", serve_sanic),
    (("tornado.",), "tornado.httpserver", serve_tornado),
    (("asgi", "blacksheep.", "falcon.asgi.", "fastapi.", "litestar.", "quart.", "starlette."), "uvicorn", serve_asgi),
    (("",), "werkzeug.serving", serve_wsgi),
)
"""How the type of an application begins, the module of its server, and what runs it."""


def django_app() -> Any:
    os.environ["DJANGO_SETTINGS_MODULE"] = "settings"
    checks: Any = importlib.import_module("django.core.checks")
    app = importlib.import_module("django.core.wsgi").get_wsgi_application()
    # `manage.py runserver` and `migrate` refuse to start when a system check fails; a WSGI server does not run them.
    failed = [message.id for message in checks.run_checks() if message.level >= checks.ERROR]
    if failed:
        say(event="checks", failed=sorted({str(check) for check in failed}))
    return app


def main(snippet: str) -> None:
    logging.disable(logging.CRITICAL)
    folder, name = os.path.split(os.path.abspath(snippet))
    os.chdir(folder)
    sys.path.insert(0, folder)
    try:
        module = name.removesuffix(".py")
        app = django_app() if module == "settings" else importlib.import_module(module).app
    except Exception as error:
        lines = str(error).splitlines()
        say(event="raised", error=f"{type(error).__name__}: {lines[0] if lines else ''}")
        sys.exit(1)
    kind = f"{type(app).__module__}.{type(app).__name__}"
    kind = "asgi" if kind.endswith(".ASGIApp") else kind
    server, serve = next((server, serve) for begins, server, serve in SERVERS if kind.startswith(begins))
    # Loaded before anybody is told: a request must not wait for it.
    importlib.import_module(server)
    # The socket listens before the server is up: a request that comes early waits instead of being refused.
    listener = socket.create_server(("127.0.0.1", 0))
    say(event="listening", port=listener.getsockname()[1])
    serve(app, listener)


if __name__ == "__main__":
    main(sys.argv[1])
