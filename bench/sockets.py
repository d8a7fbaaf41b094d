"""WebSockets as plain sockets: no more of the protocol than the bench needs."""

import resource
import socket
from collections.abc import Sequence
from typing import Final, Self

import msgspec

from bench.load import Address
from bench.wire import CLIENT, PROJECT, BenchError, UnexpectedAnswer

__all__ = ["Crowd", "frame_end", "need_descriptors"]

_PATIENCE_S: Final = 30.0
_ANSWER_BYTES: Final = 1 << 16
_SPARE_DESCRIPTORS: Final = 200
_TEXT: Final = 0x81
_MASKED: Final = 0x80
_LONG: Final = 126
# The key and the mask protect from proxies that there are none of here.
_HANDSHAKE: Final = (
    b"GET / HTTP/1.1\r\nHost: bench\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)


def need_descriptors(count: int) -> None:
    """Let this process, and those that it starts, open so many files. Raises ``BenchError``."""
    wanted = count + _SPARE_DESCRIPTORS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < wanted:
        raise BenchError(f"The bench needs {wanted:,} open files and may have {hard:,}: see `ulimit -Hn`.")
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def frame_end(data: bytes) -> int:
    """Return where the text frame ends that data begins with; -1 while too little is there."""
    if len(data) < 2:
        return -1
    if data[0] != _TEXT:
        raise UnexpectedAnswer(data, "a text frame")
    if data[1] < _LONG:
        return 2 + data[1]
    if data[1] > _LONG:
        raise UnexpectedAnswer(data, "a frame of less than 64 KiB")
    return 4 + int.from_bytes(data[2:4], "big") if len(data) >= 4 else -1


class Crowd:
    """Open WebSockets. Leaving the context closes them.

    They answer no pings: a crowd is to last less than the half minute after which the first one comes.
    """

    def __init__(self, address: Address) -> None:
        self._address = address
        self.members: list[socket.socket] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for member in self.members:
            member.close()

    def grow(self, count: int) -> None:
        """Open more, until there are so many."""
        while len(self.members) < count:
            member = socket.create_connection(self._address, timeout=_PATIENCE_S)
            self.members.append(member)
            member.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            member.sendall(_HANDSHAKE)
            answer = b""
            while not answer.endswith(b"\r\n\r\n"):
                part = member.recv(_ANSWER_BYTES)
                answer += part
                if not part or not answer.startswith(b"HTTP/1.1 101 "[: len(answer)]):
                    raise UnexpectedAnswer(answer, "101 Switching Protocols")

    def subscribe(self, queue: str, count: int) -> Sequence[socket.socket]:
        """Subscribe the first ones to a queue and return them."""
        document = {
            "action": "subscription_create",
            "headers": {"Client-ID": CLIENT, "X-Project-ID": PROJECT},
            "body": {"queue_name": queue, "ttl": 3_600},
        }
        asked = _text_frame(msgspec.json.encode(document))
        for member in self.members[:count]:
            member.sendall(asked)
            answer = b""
            while (end := frame_end(answer)) < 0 or len(answer) < end:
                part = member.recv(_ANSWER_BYTES)
                answer += part
                if not part:
                    raise UnexpectedAnswer(answer, "an answer to the subscription")
            if b'"status":201' not in answer.replace(b" ", b""):
                raise UnexpectedAnswer(answer, "the status 201")
        return self.members[:count]


def _text_frame(text: bytes) -> bytes:
    """Return a client's frame. Its mask is nought, which leaves the text as it is."""
    size = bytes([_MASKED | len(text)]) if len(text) < _LONG else bytes([_MASKED | _LONG]) + len(text).to_bytes(2)
    return bytes([_TEXT]) + size + bytes(4) + text
