"""The probes of plain HTTP: one request, and its answer as it comes. Redirects are not followed, nothing is retried."""

from __future__ import annotations

import base64
import http.client
import json
from urllib.parse import urlsplit

from tests.lab.addresses import Addresses, address_of
from tests.lab.experiment import Get, PlainProbe, Preflight, Silence
from tests.lab.observation import Observation
from tests.lab.processes import LabError

LIMIT = 15.0
"""Seconds for one answer."""


def send(probe: PlainProbe, addresses: Addresses) -> Observation:
    """Ask the part that stands at the probe's address.

    Raises:
        LabError: nothing stands there.
    """
    if isinstance(probe, Get):
        return _request(addresses, probe.url, probe.method, _plain_headers(probe))
    if isinstance(probe, Preflight):
        headers = {"Origin": probe.origin, "Access-Control-Request-Method": probe.method}
        if probe.headers:
            headers["Access-Control-Request-Headers"] = probe.headers
        return _request(addresses, probe.url, "OPTIONS", headers)
    if isinstance(probe, Silence):
        return _next_packet(addresses, probe)
    headers = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": base64.b64encode(b"corslint lab key").decode(),
        **probe.headers,
    }
    if probe.origin is not None:
        headers["Origin"] = probe.origin
    return _request(addresses, probe.url, "GET", headers)


def _next_packet(addresses: Addresses, probe: Silence) -> Observation:
    """The answer to the second request of a polling session."""
    url, headers = f"{probe.url}?EIO=4&transport=polling", {"Origin": probe.origin}
    opened = _request(addresses, url, "GET", headers)
    if opened.status != 200 or not opened.body.startswith("0"):
        return opened
    session = json.loads(opened.body.partition("\x1e")[0][1:])["sid"]
    return _request(addresses, f"{url}&sid={session}", "GET", headers)


def _plain_headers(probe: Get) -> dict[str, str]:
    headers = dict(probe.headers)
    if probe.origin is not None:
        headers["Origin"] = probe.origin
    if probe.cookie is not None:
        headers["Cookie"] = probe.cookie
    return headers


def _request(addresses: Addresses, url: str, method: str, headers: dict[str, str]) -> Observation:
    at = address_of(url)
    real = addresses.part(at)
    if real is None:
        raise LabError(f"nothing of the experiment stands at {at} ({url})")
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    connection = http.client.HTTPConnection("127.0.0.1", real, timeout=LIMIT)
    try:
        connection.request(method, target, headers={"Host": parts.netloc, "Accept": "*/*", **headers})
        answer = connection.getresponse()
        body = b"" if answer.status == 101 else answer.read()
    except (OSError, http.client.HTTPException) as error:
        return Observation(summary=f"no answer: {type(error).__name__}: {error}")
    finally:
        connection.close()
    found = tuple((name.lower(), value) for name, value in answer.getheaders())
    return Observation(
        summary=_summary(answer.status, found),
        status=answer.status,
        headers=found,
        body=body.decode("utf-8", "replace"),
    )


def _summary(status: int, headers: tuple[tuple[str, str], ...]) -> str:
    """Status, and the two headers that decide who may read."""
    shown = {"access-control-allow-origin": "Allow-Origin", "access-control-allow-credentials": "Allow-Credentials"}
    return f"{status}, " + (
        "; ".join(f"{shown[name]}: {value}" for name, value in headers if name in shown) or "no CORS headers"
    )
