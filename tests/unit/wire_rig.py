"""A connection of the service's own server, with a handler and a clock in the test's hands."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Final

from sukkal.settings import Settings
from sukkal.transports.http.exchange import Request, Response
from sukkal.transports.http.wire.shared import Shared
from tests.wired import Line, shared_of

__all__ = ["CALL", "DATE", "GET", "SETTINGS", "Bench", "answer", "refusal", "run", "turns"]

SETTINGS: Final = Settings(store="memory://", max_connections=2)
GET: Final = b"GET /%b HTTP/1.1\r\nHost: x\r\n"
CALL: Final = b"POST /%b HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n"
DATE: Final = b"date: Thu, 01 Jan 1970 00:00:00 GMT\r\n"


class Bench:
    """A handler in the test's hands, and the time. Requests for ``/held`` are answered when the gate opens."""

    def __init__(self, settings: Settings = SETTINGS) -> None:
        self.asked: list[Request] = []
        self.given_up: list[str] = []
        self.gate = asyncio.Event()
        self.now_s = 0.0
        self.body = b"{}"
        self.shared: Shared = shared_of(self.answer, settings, body_bytes_max=100, elapsed_s=lambda: self.now_s)

    async def answer(self, request: Request) -> Response:
        self.asked.append(request)
        if request.path.startswith("/held"):
            try:
                await self.gate.wait()
            except asyncio.CancelledError:
                self.given_up.append(request.path)
                raise
        if request.path == "/defect":
            raise ZeroDivisionError
        return Response(200, self.body, ((b"path", request.path.encode()),))

    async def pass_s(self, seconds: float) -> None:
        """Let time pass, and the server look at it."""
        self.now_s += seconds
        self.shared.look()
        await turns()

    def line(self) -> Line:
        return Line(self.shared)


async def turns() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


def run(scenario: Callable[[Bench], Awaitable[None]], settings: Settings = SETTINGS) -> None:
    async def main() -> None:
        await scenario(Bench(settings))
        await turns()

    asyncio.run(main())


def answer(path: str, *, close: bool = False, body: bytes = b"{}") -> bytes:
    head = b"HTTP/1.1 200 OK\r\n" + DATE + b"path: %b\r\ncontent-length: %d\r\n" % (path.encode(), len(body))
    return head + (b"connection: close\r\n" if close else b"") + b"\r\n" + body


def refusal(line: Line, status: int) -> None:
    head, _, body = line.received.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status), line.received
    assert b"connection: close" in head
    assert set(json.loads(body)) == {"title", "description"}
    assert line.closed
