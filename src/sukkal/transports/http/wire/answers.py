"""Writing answers: what a response is on the wire."""

from collections.abc import Mapping
from email.utils import formatdate
from http import HTTPStatus
from typing import Final

from sukkal.transports.http.exchange import Header, Response

__all__ = ["CONTINUE", "LAST_CHUNK", "Heads", "answer", "beginning", "chunk"]

CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
LAST_CHUNK: Final = b"0\r\n\r\n"

_CLOSE: Final = (b"connection", b"close")
_CHUNKED: Final = (b"transfer-encoding", b"chunked")
_NO_BODY: Final = (204, 304)
_PHRASES: Final[Mapping[int, str]] = {status.value: status.phrase for status in HTTPStatus}
_MILLI: Final = 1_000


class Heads(dict[int, bytes]):
    """The first lines of answers, by status: the status, and the date as of the last time that it was told.

    ``date`` has it as a header; the list stays the same.
    """

    def __init__(self, now_ms: int) -> None:
        super().__init__()
        self.date: list[Header] = []
        self._at_s = -1
        self.tell(now_ms)

    def tell(self, now_ms: int) -> None:
        """Take notice of the time."""
        now_s = now_ms // _MILLI
        if now_s != self._at_s:
            self._at_s = now_s
            self.date[:] = [(b"date", formatdate(now_s, usegmt=True).encode("ascii"))]
            self.clear()

    def __missing__(self, status: int) -> bytes:
        phrase = _PHRASES.get(status, "").encode("ascii")
        head = self[status] = b"HTTP/1.1 %d %b\r\n%b: %b\r\n" % (status, phrase, *self.date[0])
        return head


def answer(heads: Heads, response: Response, *, close: bool, without_body: bool) -> bytes:
    """Return a whole answer. Raises ``ValueError`` for a header that would not stay one line."""
    body, headers, status = response.body, response.headers, response.status
    if close or without_body or status in _NO_BODY or len(headers) >= _FORMS_MAX:
        if status not in _NO_BODY:
            headers += ((b"content-length", b"%d" % len(body)),)
        head = _head(heads[status], headers, close=close)
        return head if without_body else head + body
    # The usual case: one form filled in at once is more than twice as fast as lines put together.
    texts = _texts(headers)
    return _FORMS[len(headers)] % (heads[status], *texts, len(body)) + body


def beginning(heads: Heads, response: Response, *, close: bool, chunked: bool) -> bytes:
    """Return the head of an answer whose body comes in parts. Raises ``ValueError`` as ``answer`` does."""
    return _head(heads[response.status], response.headers, *([_CHUNKED] if chunked else []), close=close)


def chunk(part: bytes) -> bytes:
    """Return a part of a body, framed."""
    return b"%x\r\n%b\r\n" % (len(part), part)


def _head(first: bytes, headers: tuple[Header, ...], *more: Header, close: bool) -> bytes:
    texts = _texts((*headers, *([_CLOSE] if close else []), *more))
    return first + b"%b: %b\r\n" * (len(texts) // 2) % texts + b"\r\n"


def _texts(headers: tuple[Header, ...]) -> tuple[bytes, ...]:
    """Return names and values in turn."""
    texts: tuple[bytes, ...] = sum(headers, ())
    joined = b"".join(texts)
    if _LF in joined or _CR in joined or _NUL in joined:
        raise ValueError("a header of the answer has a line break in it")
    return texts


_LF: Final = 10
_CR: Final = 13
_NUL: Final = 0
_FORMS_MAX: Final = 16
_FORMS: Final = tuple(b"%b" + b"%b: %b\r\n" * count + b"content-length: %d\r\n\r\n" for count in range(_FORMS_MAX))
