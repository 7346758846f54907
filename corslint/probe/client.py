"""Requests to a running server, one connection each. The HTTP client is loaded here and nowhere else."""

from __future__ import annotations

from collections.abc import Callable
from threading import Thread
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
    """Asks servers; `timeout` is in seconds, for the connection and again for the answer, however it drips in.

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

        asked = _Asked(lambda: self._request(sent))
        # urllib3 knows no limit for all of an answer: each byte may take the whole timeout.
        asked.wait(2 * self._timeout)
        if asked.headers is None and asked.error is None:
            return Answer(Response(NO_ANSWER), trouble=f"no answer: not complete after {2 * self._timeout:g} s")
        error = asked.error
        if isinstance(error, ConnectTimeoutError | NameResolutionError | NewConnectionError | SSLError):
            raise UnreachableError(f"{sent.url}: {_reason(error)}")
        if isinstance(error, HTTPError | OSError):
            return Answer(Response(NO_ANSWER), trouble=f"no answer: {_reason(error)}")
        if error is not None:
            raise error
        assert asked.headers is not None
        return asked.headers._replace(body=asked.body)

    def _request(self, sent: Sent) -> urllib3.BaseHTTPResponse:
        headers = {"Accept": "*/*", "User-Agent": f"corslint/{__version__}", **dict(sent.headers)}
        # A connection of its own for each: some servers answer the second request of one otherwise.
        headers.setdefault("Connection", "close")
        return self._pool.request(
            sent.method, sent.url, headers=headers, body=sent.body or None, redirect=False, preload_content=False
        )


class _Asked:
    """A request under way, in a thread of its own that nobody has to wait for."""

    def __init__(self, request: Callable[[], urllib3.BaseHTTPResponse]) -> None:
        self.headers: Answer | None = None
        self.body = b""
        self.error: Exception | None = None
        self._thread = Thread(target=self._run, args=(request,), daemon=True)
        self._thread.start()

    def wait(self, seconds: float) -> None:
        """Wait until all is there, but no longer. What is there then counts, and nothing that still comes."""
        self._thread.join(seconds)

    def _run(self, request: Callable[[], urllib3.BaseHTTPResponse]) -> None:
        from urllib3.exceptions import HTTPError

        try:
            answer = request()
        except Exception as error:  # the thread that waits raises it
            self.error = error
            return
        lines = tuple(Header(name, value) for name, value in answer.headers.iteritems())
        self.headers = Answer(Response(answer.status, lines, Tri.YES))
        try:
            if answer.status != 101:
                self.body = answer.read(_BODY_LIMIT) or b""
        except (HTTPError, OSError):
            pass  # it broke off or is packed wrongly: the headers, which count, are there
        finally:
            answer.close()


def _reason(error: BaseException) -> str:
    """What went wrong, in a few words: the innermost cause."""
    while True:
        inner = error.__cause__ or error.__context__
        if inner is None:
            break
        error = inner
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return text[:1].lower() + text[1:]
