"""A small HTTP client that knows what it cannot know: whether a request without an answer took effect."""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self

__all__ = ["HEADERS", "PROJECT", "Answer", "Connection", "Died"]

CLIENT_ID: Final = "6ac2e86e-94a1-4bd9-a5f7-1d0c6e9a1b52"
PROJECT: Final = "faults"
HEADERS: Final = {"Client-ID": CLIENT_ID, "X-Project-Id": PROJECT}

_ANSWER_BYTES_MAX: Final = 16 * 1_048_576


class Died(Exception):
    """The connection ended before the answer was whole."""


@dataclass(frozen=True)
class Answer:
    """A whole answer; ``document`` is its JSON, ``None`` if it has no body."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    document: Any = None


class Connection:
    """One connection that is kept open, for one request after the other."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, host: str, port: int) -> Self:
        """Connect. Raises ``OSError``."""
        return cls(*await asyncio.open_connection(host, port, limit=_ANSWER_BYTES_MAX))

    async def close(self) -> None:
        """Close the connection, whatever became of its other end."""
        self._writer.close()
        try:
            await self._writer.wait_closed()
        except ConnectionError:
            return

    async def send(self, method: str, path: str, document: Any = None, **headers: str) -> None:
        """Send a request. Underscores in the names of headers stand for dashes."""
        body = b"" if document is None else json.dumps(document).encode()
        lines = [f"{method} {path} HTTP/1.1", "Host: test", f"Content-Length: {len(body)}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in {**HEADERS, **headers}.items()]
        await self.send_bytes("\r\n".join([*lines, "", ""]).encode("ascii") + body)

    async def send_bytes(self, data: bytes) -> None:
        """Send anything. Raises ``Died``."""
        try:
            self._writer.write(data)
            await self._writer.drain()
        except ConnectionError as error:
            raise Died from error

    async def receive(self) -> Answer:
        """Read one answer to its end. Raises ``Died``."""
        try:
            head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            pairs = (line.partition(":") for line in head[1:] if line)
            headers = {name.lower(): value.strip() for name, _, value in pairs}
            body = await self._reader.readexactly(int(headers.get("content-length", "0")))
        except (ConnectionError, asyncio.IncompleteReadError) as error:
            raise Died from error
        return Answer(int(head[0].split(" ")[1]), headers, json.loads(body) if body else None)

    async def ask(
        self,
        method: str,
        path: str,
        document: Any = None,
        *,
        sent: Callable[[], None] | None = None,
        **headers: str,
    ) -> Answer:
        """Send a request, call ``sent``, and read the answer. Raises ``Died``."""
        await self.send(method, path, document, **headers)
        if sent is not None:
            sent()
        return await self.receive()
