"""Requests as bytes, answers as bytes: no more HTTP than the bench needs."""

from typing import Final

import msgspec

__all__ = [
    "CLIENT",
    "PROJECT",
    "BenchError",
    "QueueRanDry",
    "UnexpectedAnswer",
    "frame",
    "message_ids",
    "request",
    "require",
    "status_line",
]

CLIENT: Final = "8f1e3a52-0c6b-4c8e-9d4e-51c1b6a3a1d7"
PROJECT: Final = "bench"

_HEADERS: Final = f"Host: bench\r\nAccept: application/json\r\nClient-ID: {CLIENT}\r\nX-Project-Id: {PROJECT}\r\n"
_LENGTH: Final = b"content-length:"
_SHOWN_BYTES_MAX: Final = 2_000


class BenchError(Exception):
    """The measurement cannot go on, and what was measured is worth nothing."""


class QueueRanDry(BenchError):
    """A claim found fewer messages than it asked for."""


class UnexpectedAnswer(BenchError):
    """An answer is not the one that the case is made of."""

    def __init__(self, answer: bytes, wanted: str) -> None:
        super().__init__(f"wanted {wanted}, got:\n{answer[:_SHOWN_BYTES_MAX].decode('utf-8', 'replace')}")


class _Id(msgspec.Struct):
    id: str


class _Messages(msgspec.Struct):
    messages: list[_Id]


_messages: Final = msgspec.json.Decoder(_Messages)


def request(method: str, target: str, document: object = None, *, token: str = "") -> bytes:
    """Return the bytes of a request, with a JSON body if there is a document."""
    head = f"{method} {target} HTTP/1.1\r\n{_HEADERS}"
    if token:
        head += f"X-Auth-Token: {token}\r\n"
    if document is None:
        return f"{head}\r\n".encode("ascii")
    body = msgspec.json.encode(document)
    return f"{head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode("ascii") + body


def frame(answer: bytes) -> tuple[int, int]:
    """Return where the body of an answer begins and where it ends; (-1, -1) while the headers are incomplete."""
    head_end = answer.find(b"\r\n\r\n")
    if head_end < 0:
        return -1, -1
    body_at = head_end + 4
    length_at = answer.find(_LENGTH, 0, head_end)
    if length_at < 0:
        head = answer[:head_end].lower()
        length_at = head.find(_LENGTH)
        if length_at < 0:
            if answer.startswith(b"HTTP/1.1 204") and b"transfer-encoding:" not in head:
                return body_at, body_at
            raise UnexpectedAnswer(answer, "an answer with a Content-Length")
    length_at += len(_LENGTH)
    return body_at, body_at + int(answer[length_at : answer.index(b"\r\n", length_at)])


def status_line(status: int) -> bytes:
    """Return how an answer with this status begins."""
    return b"HTTP/1.1 %d " % status


def require(answer: bytes, beginning: bytes) -> None:
    """Raise ``UnexpectedAnswer`` unless the answer has the status."""
    if not answer.startswith(beginning):
        raise UnexpectedAnswer(answer, beginning.decode("ascii"))


def message_ids(answer: bytes, body_at: int) -> list[str]:
    """Return the ids of the messages in an answer, in order."""
    return [message.id for message in _messages.decode(answer[body_at:]).messages]
