"""Requests to a running server, one connection each. The HTTP client is loaded here and nowhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corslint import __version__
from corslint.model.exchange import NO_ANSWER, Header, Response
from corslint.model.tri import Tri
from corslint.probe import Answer, Sent
from corslint.settings import UsageError

if TYPE_CHECKING:
    import urllib3

_BODY_LIMIT = 1 << 16
"""Bytes. No more of an answer is read: Engine.IO's first packet is all that is needed of one."""


class UnreachableError(Exception):
    """No connection comes about. The text says with what, and why."""


class HttpClient:
    """Asks servers; `timeout` is in seconds, for the connection and again for the answer.

    Nothing is retried, no redirect is followed, no proxy of the environment is used, and certificates are checked.
    """

    def __init__(self, timeout: float) -> None:
        try:
            import urllib3
        except ImportError:
            raise UsageError("probe needs urllib3: install corslint[probe]") from None
        self._timeout = timeout
        self._pool = urllib3.PoolManager(timeout=urllib3.Timeout(connect=timeout, read=timeout), retries=False)

    def __call__(self, sent: Sent) -> Answer:
        """The answer; one without status where the server breaks off or is silent.

        Raises:
            UnreachableError: there is no server, or its certificate does not hold.

        """
        from urllib3.exceptions import (
            ConnectTimeoutError,
            HTTPError,
            NameResolutionError,
            NewConnectionError,
            SSLError,
        )

        headers = {"Accept": "*/*", "User-Agent": f"corslint/{__version__}", **dict(sent.headers)}
        # A connection of its own for each: some servers answer the second request of one otherwise.
        headers.setdefault("Connection", "close")
        try:
            answer = self._pool.request(
                sent.method, sent.url, headers=headers, body=sent.body or None, redirect=False, preload_content=False
            )
        except (ConnectTimeoutError, NameResolutionError, NewConnectionError, SSLError) as error:
            raise UnreachableError(f"{sent.url}: {_reason(error)}") from None
        except (HTTPError, OSError) as error:
            return Answer(Response(NO_ANSWER), trouble=f"no answer: {_reason(error)}")
        return _read(answer)


def _read(answer: urllib3.BaseHTTPResponse) -> Answer:
    from urllib3.exceptions import HTTPError

    lines = tuple(Header(name, value) for name, value in answer.headers.iteritems())
    body = b""
    try:
        if answer.status != 101:
            body = answer.read(_BODY_LIMIT) or b""
    except (HTTPError, OSError):
        pass  # it broke off or is packed wrongly: the headers, which count, are there
    finally:
        answer.close()
    return Answer(Response(answer.status, lines, Tri.YES), body)


def _reason(error: BaseException) -> str:
    """What went wrong, in a few words: the innermost cause."""
    while True:
        inner = error.__cause__ or error.__context__
        if inner is None:
            break
        error = inner
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return text[:1].lower() + text[1:]
