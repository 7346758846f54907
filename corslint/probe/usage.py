"""What the command line asks a server, checked: a mistake there is no answer of the server."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from corslint.behaviour.addresses import has_password, is_url
from corslint.behaviour.browser import normalised_method
from corslint.model.decisions import possible_origin
from corslint.model.tri import Tri
from corslint.probe import Question
from corslint.settings import UsageError

_HTTP = {"http": "http", "https": "https", "ws": "http", "wss": "https"}


def question(url: str, origin: str, given: Mapping[str, Any]) -> Question:
    """The question that the options of `corslint probe` make. Raises `UsageError`."""
    if origin != "null" and not possible_origin(origin):
        raise UsageError(
            f"--origin: no browser sends {origin!r}: scheme and host in lower case, a port only where it is not the"
            " scheme's own, and nothing behind it, like https://app.example.com"
        )
    if given["cookie"] is not None and not given["credentials"]:
        raise UsageError("--cookie goes with --credentials: without them a browser sends none")
    if given["handshake"] and given["method"] != "GET":
        raise UsageError("--method does not go with --socketio: its client says what is asked")
    if given["ws"] and (given["method"] != "GET" or given["headers"]):
        raise UsageError("--method and --header do not go with --ws: a page cannot set them for a WebSocket")
    try:
        method = normalised_method(given["method"])
    except ValueError as error:
        raise UsageError(f"--method: {error}") from None
    if not method.isascii() or not method.replace("-", "").replace("_", "").isalnum():
        raise UsageError(f"--method: {method!r} is no method")
    return Question(
        _address(url),
        origin,
        given["credentials"],
        method,
        tuple(_header(text) for text in given["headers"]),
        None if given["cookie"] is None else _on_one_line("--cookie", given["cookie"]),
        int(given["eio"]),
    )


def _address(url: str) -> str:
    """The URL that is asked, without a fragment; a WebSocket's is asked over http."""
    try:
        parts = urlsplit(url)
        scheme, port = _HTTP.get(parts.scheme), parts.port
    except ValueError:
        scheme = port = None
    if (
        scheme is None
        or port == 0
        or is_url(url) is Tri.NO
        or not parts.hostname
        or not url.isprintable()
        or " " in url
    ):
        raise UsageError(f"{url!r} is no URL of a server, like https://api.example.com/messages")
    if has_password(url):
        raise UsageError("a URL with a name or a password in it: no page may ask for that")
    return urlunsplit((scheme, parts.netloc, parts.path or "/", parts.query, ""))


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or not name.isascii() or not name.replace("-", "").replace("_", "").isalnum():
        raise UsageError(f"--header takes a name and a value, like 'X-Token: a', not {text!r}")
    return name, _on_one_line("--header", value.strip())


def _on_one_line(option: str, text: str) -> str:
    if not text.isprintable() or not text.isascii():
        raise UsageError(f"{option}: {text!r} holds what no header can")
    return text
