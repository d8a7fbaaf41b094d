"""What goes in and out of the functions that answer HTTP requests."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Final

import msgspec

from sukkal.model import QueueKey
from sukkal.service.hearing import Place
from sukkal.service.lenses import Lens
from sukkal.service.listening import Listeners
from sukkal.transports.rechecking import Recheck

__all__ = [
    "JSON",
    "Header",
    "LastingResponse",
    "Page",
    "Request",
    "Response",
    "SocketResponse",
    "StreamResponse",
    "json_response",
    "no_content",
    "unambiguous",
    "waits",
]

Header = tuple[bytes, bytes]

JSON: Final[Header] = (b"content-type", b"application/json")
_ONCE: Final = (
    *(b"client-id", b"x-project-id", b"x-roles", b"x-auth-token", b"authorization"),
    *(b"url-signature", b"url-paths", b"url-methods", b"url-expires"),
)
_encode: Final = msgspec.json.Encoder().encode


class Request(msgspec.Struct, gc=False):
    """A whole request.

    ``path`` is percent-decoded, ``query`` is not; ``headers`` have lower-case names. ``body`` is ``None`` when it was
    larger than the server reads. ``peer`` is the address that it came from. It ``upgrades`` if it asks for a WebSocket.
    ``sent`` has the headers as they came, where any may be there twice.
    """

    method: str
    path: str
    query: str
    headers: Mapping[bytes, bytes]
    body: bytes | None = b""
    peer: str = ""
    upgrades: bool = False
    sent: Sequence[Header] = ()

    def header(self, name: bytes) -> str | None:
        """Return a header's value, or ``None``."""
        value = self.headers.get(name)
        return None if value is None else value.decode("latin-1")


class Response(msgspec.Struct, gc=False):
    """A whole answer."""

    status: int
    body: bytes = b""
    headers: tuple[Header, ...] = ()


class LastingResponse(Response, gc=True):
    """An answer that goes on. ``recheck`` asks again who is listening; it raises as for a new request."""

    recheck: Recheck | None = None


Page = Callable[[Request], Awaitable[Response]]
"""Something served at a path of its own, without headers to check."""


class StreamResponse(LastingResponse):
    """An answer whose ``parts`` are sent as they come. ``end`` is called when it is over, however that came about."""

    parts: AsyncGenerator[bytes] | None = None
    end: Callable[[], None] = lambda: None


class SocketResponse(LastingResponse, kw_only=True):
    """A WebSocket on which to listen to a queue; ``positioned`` if each message is to say where it stands."""

    listeners: Listeners
    key: QueueKey
    since: Place | None
    lens: Lens
    positioned: bool


def waits(request: Request) -> bool:
    """Tell whether a request does nothing but wait for others: it is given up when its client goes away."""
    return "wait=" in request.query or (request.method == "POST" and request.path.endswith("/call"))


def json_response(status: int, document: object, *headers: Header) -> Response:
    """Return an answer with a JSON document."""
    return Response(status, _encode(document), (JSON, *headers))


def no_content(*headers: Header) -> Response:
    """Return the answer of an operation that has nothing to show."""
    return Response(204, b"", headers)


def unambiguous(given: Iterable[Header]) -> dict[bytes, bytes]:
    """Return the headers by name; what says twice who is asking says nothing."""
    pairs = list(given)
    headers = dict(pairs)
    if len(headers) < len(pairs):
        names = [name for name, _ in pairs]
        for name in _ONCE:
            if names.count(name) > 1:
                headers[name] = b""
    return headers
