"""Reading requests: bytes in, requests out, without a socket and without a clock."""

from collections import deque
from collections.abc import Callable
from typing import Any, Final, Literal
from urllib.parse import unquote

import httptools
import msgspec

from sukkal import limits
from sukkal.transports.http.exchange import Header, Request, unambiguous
from sukkal.transports.http.wire.refusals import HEAD_TOO_LARGE, NOT_HTTP, TOO_EARLY, Refusal

__all__ = ["BETWEEN", "BODY", "ENDED", "HEAD", "OFFER", "Arrival", "Phase", "Reader"]

Phase = Literal["between", "head", "body", "offer", "ended"]
BETWEEN: Final = "between"
HEAD: Final = "head"
BODY: Final = "body"
OFFER: Final = "offer"
ENDED: Final = "ended"
_OPEN: Final = (BETWEEN, HEAD, BODY)
_STOPS: Final = (httptools.HttpParserError, httptools.HttpParserUpgrade)

_BLOCK_BYTES: Final = 16_384
_BLOCKS_MAX: Final = limits.REQUEST_HEADER_BYTES_MAX // _BLOCK_BYTES
_WAITING_MAX: Final = 16
_MANY_DIGITS: Final = len(str(limits.BODY_DRAIN_BYTES_MAX))
_METHODS: Final = {name.encode(): name for name in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")}


class Arrival(msgspec.Struct, gc=False):
    """A request that is to be answered.

    The connection is kept after that only if it says ``keep``. The client ``expects`` to be told to go on if it has
    not been told yet. An ``old`` one knows of no chunks.
    """

    request: Request
    keep: bool = True
    expects: bool = False
    old: bool = False


class Reader:
    """Takes what one client sends, in pieces of any size, and puts the requests into ``arrived``.

    How the pieces were cut makes no difference. ``phase`` says where in a request it is. It has ended when there is a
    ``refusal``, or once a request has come after which the connection is closed, and takes nothing more.
    ``expects`` says that the client waits to be told to send the body.

    A request for a WebSocket stops it, until the offer is taken or declined. So do many requests that wait in
    ``arrived``; ``rest`` is what it has not read then, until it is told to go on.
    """

    __slots__ = (
        *("_arriving", "_blocks", "_body_bytes_max", "_drained_bytes_max", "_has_sockets", "_headers", "_parser"),
        *("_parts", "_peer", "_room", "_size", "_url", "arrived", "expects", "phase", "refusal", "rest"),
    )

    def __init__(self, peer: str, *, body_bytes_max: int, has_sockets: Callable[[str], bool]) -> None:
        self.arrived: deque[Arrival] = deque()
        self.phase: Phase = BETWEEN
        self.expects = False
        self.refusal: Refusal | None = None
        self._peer = peer
        self._body_bytes_max = body_bytes_max
        # A little too much is read and dropped, so that the client gets to see the answer.
        self._drained_bytes_max = body_bytes_max + limits.BODY_DRAIN_BYTES_MAX
        self._has_sockets = has_sockets
        self._parser: Any = _parser(self)
        self._url = b""
        self._headers: list[Header] = []
        self._arriving: Arrival = None  # type: ignore[assignment]
        self._parts: list[bytes] = []
        self._size = 0
        self.rest = b""
        # Between two steps of a request there is never more than its headers may have: a head without an end, trailers,
        # the extensions of a chunk, blank lines. It is counted in blocks of the stream, not in pieces.
        self._room = _BLOCK_BYTES
        self._blocks = 0

    def feed(self, data: bytes) -> None:
        """Take bytes of the client."""
        size = len(data)
        if size < self._room and not self.rest and self.phase in _OPEN:
            self._room -= size
            try:
                self._parser.feed_data(data)
            except _STOPS as stop:
                self._stopped(data, stop)
        elif self.phase is not ENDED:
            self.rest += data
            self.go_on()

    def go_on(self) -> None:
        """Read what waits, as far as there is room."""
        while self.rest and self.phase in _OPEN and len(self.arrived) < _WAITING_MAX:
            block, self.rest = self.rest[: self._room], self.rest[self._room :]
            self._room -= len(block)
            self._parse(block)
            if self._room == 0:
                self._room = _BLOCK_BYTES
                self._blocks += 1
                if self._blocks > _BLOCKS_MAX + 1:
                    self._refuse(HEAD_TOO_LARGE)

    def take(self) -> bytes | None:
        """Return the request for a WebSocket, for whoever speaks that from now on, or ``None`` if it is refused."""
        head = self._head()
        self.phase = ENDED
        if len(head) > limits.REQUEST_HEADER_BYTES_MAX:
            self._refuse(HEAD_TOO_LARGE)
        elif self.rest:
            self._refuse(TOO_EARLY)
        return None if self.refusal else head

    def decline(self) -> None:
        """Read the request as one that makes no offer."""
        # The parser takes what follows an offer for the other protocol's bytes, even a body.
        head = self._head(without=b"upgrade")
        self.phase = BETWEEN
        self._url, self._headers = b"", []
        self._parser = _parser(self)
        self._parse(head)
        self.go_on()

    def finish(self) -> None:
        """Take nothing more than the request whose body is on its way."""
        if self.phase is BODY:
            self._arriving.keep = False
        else:
            self.close()

    def close(self) -> None:
        """Take nothing more."""
        self.phase = ENDED
        self.rest = b""
        # It knows this reader, and would live with it until the collector comes by.
        self._parser = None

    # -- called by the parser

    def on_url(self, part: bytes) -> None:
        """Take a part of the target, with which a request begins."""
        self._url += part
        if self.phase is BETWEEN:
            self.phase = HEAD

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header."""
        self._headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """Begin the body of a request, if there is one."""
        parser = self._parser
        if self.phase is ENDED or parser.should_upgrade():
            return
        sent, url = self._headers, self._url
        self._headers, self._url = [], b""
        blocks, self._blocks = self._blocks, 0
        if blocks >= _BLOCKS_MAX and _size(sent) + len(url) > limits.REQUEST_HEADER_BYTES_MAX:
            self._refuse(HEAD_TOO_LARGE)
            return
        headers = dict(sent)
        if len(headers) < len(sent):
            headers = unambiguous(sent)
        path, query = _target(url)
        name = parser.get_method()
        method = _METHODS.get(name) or name.decode("ascii")
        self._arriving = arriving = Arrival(Request(method, path, query, headers, b"", self._peer, sent=sent))
        self.phase = BODY
        if not parser.should_keep_alive() or (b"connection" in headers and parser.get_http_version() == "1.0"):
            arriving.keep, arriving.old = False, parser.get_http_version() == "1.0"
        declared = headers.get(b"content-length", b"")
        if len(declared) >= _MANY_DIGITS and int(declared) > self._drained_bytes_max:
            self._arrive_without_body()
        elif b"expect" in headers and headers[b"expect"].lower() == b"100-continue" and not arriving.old:
            self.expects = True

    def on_body(self, part: bytes) -> None:
        """Take a part of a body."""
        self._blocks = 0
        if self.phase is not BODY:
            return
        self._size += len(part)
        if self._size <= self._body_bytes_max:
            self._parts.append(part)
        elif self._size > self._drained_bytes_max:
            self._arrive_without_body()

    def on_message_complete(self) -> None:
        """End a request."""
        if self.phase is not BODY:
            return
        arriving = self._arriving
        if self._size:
            arriving.request.body = b"".join(self._parts) if self._size <= self._body_bytes_max else None
            self._parts, self._size = [], 0
        if self.expects:
            arriving.expects, self.expects = True, False
        if self._headers:
            # What comes behind a body would pass for headers that the next request began with: it goes nowhere.
            self._headers = []
        self.phase = BETWEEN if arriving.keep else ENDED
        self.arrived.append(arriving)

    def _parse(self, piece: bytes) -> None:
        try:
            self._parser.feed_data(piece)
        except _STOPS as stop:
            self._stopped(piece, stop)

    def _stopped(self, piece: bytes, stop: Exception) -> None:
        if isinstance(stop, httptools.HttpParserUpgrade):
            self.rest = piece[stop.args[0] :] + self.rest
            self._room += len(piece) - stop.args[0]
            self._consider()
        elif self.phase is not ENDED:
            self._refuse(NOT_HTTP)

    def _consider(self) -> None:
        if self.phase is ENDED:
            return
        if self._parser.get_method() == b"CONNECT":
            self._refuse(NOT_HTTP)
            return
        headers = dict(self._headers)
        self.phase = OFFER
        if not (
            headers.get(b"upgrade", b"").lower() == b"websocket"
            and b"upgrade" in [token.strip() for token in headers.get(b"connection", b"").lower().split(b",")]
            and self._has_sockets(self._url.partition(b"?")[0].decode("latin-1"))
            and self._parser.get_method() == b"GET"
            and self._parser.get_http_version() == "1.1"
        ):
            self.decline()

    def _head(self, without: bytes = b"") -> bytes:
        parser = self._parser
        first = b"%b %b HTTP/%b" % (parser.get_method(), self._url, parser.get_http_version().encode("ascii"))
        headers = [b"%b: %b" % header for header in self._headers if header[0] != without]
        return b"\r\n".join([first, *headers, b"", b""])

    def _arrive_without_body(self) -> None:
        self.phase = ENDED
        self._arriving.request.body = None
        self._arriving.keep = False
        self.arrived.append(self._arriving)

    def _refuse(self, refusal: Refusal) -> None:
        self.phase = ENDED
        self.refusal = refusal


def _parser(reader: Reader) -> httptools.HttpRequestParser:
    parser = httptools.HttpRequestParser(reader)
    # What follows the last request of a connection is none of ours, and no reason to refuse that.
    parser.set_dangerous_leniencies(lenient_data_after_close=True)
    return parser


def _size(headers: list[Header]) -> int:
    return sum(len(name) + len(value) for name, value in headers)


def _target(url: bytes) -> tuple[str, str]:
    """Return the path, decoded, and the query of a request's target."""
    text = url.decode("ascii")
    if text[0] == "/" and "#" not in text:
        path, _, query = text.partition("?")
    else:
        parts = httptools.parse_url(url)
        path, query = parts.path.decode("ascii"), (parts.query or b"").decode("ascii")
    return (unquote(path) if "%" in path else path), query
