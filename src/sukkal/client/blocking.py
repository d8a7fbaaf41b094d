"""Requests of programs with threads: each waits for its answer in the thread that asks."""

import http.client
import socket
import ssl
import threading
from collections.abc import Callable, Generator, Mapping
from contextlib import suppress
from typing import Any, Final, TypeVar, cast
from urllib.parse import urlsplit

from sukkal.client.credentials import BlockingCredentials
from sukkal.client.errors import Refused, Unreachable
from sukkal.client.exchange import Answer, Outgoing, outgoing, read_answer, without_password
from sukkal.client.streams import Event, EventReader

__all__ = ["BlockingConnection"]

_UNAUTHORIZED: Final = 401
_OK: Final = 200
_PIECE_BYTES: Final = 65_536

_Given = TypeVar("_Given")


class BlockingConnection:
    """One connection to a service, for one thread at a time. It is opened by the first request, and again as needed.

    ``url`` is the root of the service, ``client_id`` a UUID that stays the same for this program, ``tls`` what an
    ``https`` URL needs beyond the system's own certificates. A request takes at most ``timeout_s`` seconds of silence.
    """

    def __init__(
        self,
        url: str,
        credentials: BlockingCredentials,
        *,
        client_id: str,
        timeout_s: float = 30.0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        parts = urlsplit(url.rstrip("/"))
        self._root = url.rstrip("/")
        self._prefix = parts.path
        self._timeout_s = timeout_s
        self._credentials = credentials
        self._client_id = client_id
        self._http = (
            http.client.HTTPSConnection(parts.hostname or "", parts.port, timeout=timeout_s, context=tls)
            if parts.scheme == "https"
            else http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=timeout_s)
        )
        self._changing = threading.Lock()
        self._socket: socket.socket | None = None
        self._ended = False

    @property
    def url(self) -> str:
        """The root of the service."""
        return self._root

    def request(
        self,
        method: str,
        path: str,
        document: Any = None,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout_s: float | None = None,
        repeatable: bool = False,
    ) -> Answer:
        """Return the answer to a request. Raises ``Refused`` for any that says no, ``Unreachable`` if there is none.

        ``path`` begins with a slash and is percent-encoded; ``document`` is sent as JSON, but ``bytes`` as they are.
        Nothing is repeated, but for a token that has ended, which is renewed once, and for a ``repeatable`` request on
        a connection that the service turns out to have closed while it was idle.
        """

        def once() -> Answer:
            identity = self._credentials.headers_now()
            request = outgoing(
                method, path, document, client_id=self._client_id, query=query, headers={**identity, **(headers or {})}
            )
            return self._read(self._sent(request, timeout_s or self._timeout_s, repeatable=repeatable))

        return self._with_a_token(once)

    def events(self, path: str, *, since: str | None = None, silence_s: float = 45.0) -> Generator[Event, None, None]:
        """Tell what a stream of server-sent events brings, until it ends, from a position on if one is given.

        A token that has ended is renewed once. Raises ``Refused``, and ``Unreachable`` when the connection breaks or is
        silent for ``silence_s`` seconds.
        """

        def once() -> http.client.HTTPResponse:
            sent = {**self._credentials.headers_now(), "Accept": "text/event-stream"}
            if since is not None:
                sent["Last-Event-ID"] = since
            request = outgoing("GET", path, client_id=self._client_id, headers=sent)
            answer = self._sent(request, silence_s, repeatable=True)
            if answer.status != _OK:
                raise self._read(answer).unexpected()
            return answer

        try:
            with self._with_a_token(once) as answer:
                reader = EventReader()
                while piece := answer.read1(_PIECE_BYTES):
                    yield from reader.feed(piece)
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise self._lost(error) from error
        finally:
            self._http.close()

    def end(self) -> None:
        """Say from another thread that no more is wanted: what is on its way is still read, and nothing is sent again.

        A claim that waits is so ended without anything claimed being lost.
        """
        with self._changing:
            self._ended = True
            if self._socket is not None:
                with suppress(OSError, ValueError):
                    _finish_sending(self._socket)

    def close(self) -> None:
        """Close the connection. A request opens another one."""
        self._http.close()

    def _with_a_token(self, once: Callable[[], _Given]) -> _Given:
        """Return what that gives, asking with a new token if the first has ended."""
        try:
            return once()
        except Refused as refused:
            if refused.status != _UNAUTHORIZED or not self._credentials.renew_now():
                raise
            return once()

    def _read(self, answer: http.client.HTTPResponse) -> Answer:
        try:
            text = answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise self._lost(error) from error
        if answer.will_close:
            self._http.close()
        return read_answer(answer.status, _mapping(answer.headers), text)

    def _sent(self, request: Outgoing, timeout_s: float, *, repeatable: bool) -> http.client.HTTPResponse:
        """Send a request and return its answer, of which the headers have come."""
        used = self._http.sock is not None
        try:
            return self._try(request, timeout_s)
        except (ConnectionError, http.client.BadStatusLine) as error:
            if not (used and repeatable):
                raise self._lost(error) from error
        except (OSError, http.client.HTTPException) as error:
            raise self._lost(error) from error
        self._http.close()
        try:
            return self._try(request, timeout_s)
        except (OSError, http.client.HTTPException) as error:
            raise self._lost(error) from error

    def _try(self, request: Outgoing, timeout_s: float) -> http.client.HTTPResponse:
        self._http.timeout = timeout_s
        if self._http.sock is None:
            self._http.connect()
        with self._changing:
            if self._ended or self._http.sock is None:
                raise ConnectionAbortedError("the connection was ended")
            self._http.sock.settimeout(timeout_s)
            # The response takes it over from there when it is the last one.
            self._socket = self._http.sock
        # What is refused because it is too large may be refused before all of it is sent.
        with suppress(BrokenPipeError, ConnectionResetError):
            self._http.request(
                request.method, self._prefix + request.target, body=request.body, headers=dict(request.headers)
            )
        return self._http.getresponse()

    def _lost(self, error: Exception) -> Unreachable:
        self._http.close()
        authority = urlsplit(self._root).netloc
        told = without_password(str(error), authority) or type(error).__name__
        return Unreachable(f"No answer from {without_password(self._root, authority)}: {told}")


def _mapping(headers: http.client.HTTPMessage) -> Mapping[str, str]:
    # It is one in all but its type: names are found in upper and lower case.
    return cast("Mapping[str, str]", headers)


def _finish_sending(connection: socket.socket) -> None:
    # By another handle: the method of a TLS socket would also forget how to read what still comes.
    with socket.fromfd(connection.fileno(), connection.family, connection.type) as handle:
        handle.shutdown(socket.SHUT_WR)
