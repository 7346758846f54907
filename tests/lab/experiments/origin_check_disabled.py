"""`cors_allowed_origins=[]` in python-socketio (aiohttp, uvicorn, gunicorn) and Flask-SocketIO (Werkzeug)."""

from __future__ import annotations

from tests.lab.experiment import (
    Answered,
    Blocked,
    Connected,
    Experiment,
    Get,
    NotConnected,
    Page,
    Process,
    Refused,
    Socket,
    Step,
    Upgrade,
)

STRANGER = "http://attackerexample.com"
WEBSOCKET = "/socket.io/?EIO=4&transport=websocket"
POLLING = "/socket.io/?EIO=4&transport=polling"
WEBSOCKET_ONLY: dict[str, object] = {"transports": ["websocket"]}

EXPERIMENT = Experiment(
    rule="origin-check-disabled",
    project="origin-check-disabled",
    claim="An empty list of origins lets a WebSocket of any website in; left out, only the server's own pages get in",
    parts=(
        Process(("python", "app.py"), listens=8080, folder="chat"),
        Process(("python", "app.py"), listens=5000, folder="notifications"),
        Process(
            ("gunicorn", "--workers", "1", "--threads", "8", "--bind", "127.0.0.1:8001", "app:app"),
            listens=8001,
            folder="reports",
        ),
        Process(("python", "app.py"), listens=8002, folder="presence"),
    ),
    steps=(
        Step(
            "aiohttp: a stranger's handshake",
            Upgrade(f"ws://localhost:8080{WEBSOCKET}", STRANGER),
            bad=Answered(status=101, absent=("access-control-allow-origin",)),
            good=Refused(400),
        ),
        Step(
            "Flask-SocketIO: a stranger's handshake",
            Upgrade(f"ws://localhost:5000{WEBSOCKET}", STRANGER),
            bad=Answered(status=101, absent=("access-control-allow-origin",)),
            good=Refused(400),
        ),
        Step(
            "WSGI: a stranger's handshake",
            Upgrade(f"ws://localhost:8001{WEBSOCKET}", STRANGER),
            bad=Answered(status=101, absent=("access-control-allow-origin",)),
            good=Refused(400),
        ),
        Step(
            "ASGI: a stranger's handshake",
            Upgrade(f"ws://localhost:8002{WEBSOCKET}", STRANGER),
            bad=Answered(status=101, absent=("access-control-allow-origin",)),
            good=Refused(403),
        ),
        Step(
            "a stranger's long polling is served, without CORS headers",
            Get(f"http://localhost:8080{POLLING}", origin=STRANGER),
            bad=Answered(status=200, absent=("access-control-allow-origin",)),
            good=Answered(status=400, body=f"{STRANGER} is not an accepted origin."),
        ),
        Step(
            "aiohttp: any website connects over WebSocket",
            Socket(STRANGER, "http://localhost:8080", options=WEBSOCKET_ONLY),
            bad=Connected("websocket"),
            good=NotConnected(console="Unexpected response code: 400"),
        ),
        Step(
            "Flask-SocketIO: any website connects over WebSocket",
            Socket(STRANGER, "http://localhost:5000", options=WEBSOCKET_ONLY),
            bad=Connected("websocket"),
            good=NotConnected(console="Unexpected response code: 400"),
        ),
        Step(
            "WSGI: any website connects over WebSocket",
            Socket(STRANGER, "http://localhost:8001", options=WEBSOCKET_ONLY),
            bad=Connected("websocket"),
            good=NotConnected(console="Unexpected response code: 400"),
        ),
        Step(
            "ASGI: any website connects over WebSocket",
            Socket(STRANGER, "http://localhost:8002", options=WEBSOCKET_ONLY),
            bad=Connected("websocket"),
            good=NotConnected(console="Unexpected response code: 403"),
        ),
        Step(
            "the browser blocks the stranger's long polling all the same",
            Socket(STRANGER, "http://localhost:8080"),
            bad=Blocked("No 'Access-Control-Allow-Origin' header is present on the requested resource."),
            good=Blocked("No 'Access-Control-Allow-Origin' header is present on the requested resource."),
        ),
        Step(
            "the server's own page connects",
            Page("http://localhost:8080/"),
            bad=Connected("websocket"),
            good=Connected("websocket"),
        ),
    ),
)
