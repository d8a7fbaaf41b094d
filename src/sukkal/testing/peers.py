"""Other sides of connections that do not do what they should, for tests of what connects to them."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Final, Self

__all__ = ["Peer", "Talk", "closes_after", "drips", "hangs", "repeats", "says"]

DRIP_S: Final = 0.02

Talk = Callable[[asyncio.StreamWriter], Awaitable[None]]
"""What a peer does with a connection once it may speak."""


class Peer:
    """A TCP server on a free port of 127.0.0.1 that talks as it is told, and knows when everybody has left.

    Unless it ``speaks_first`` it waits until the other side has said something. The connection stays open after it
    has talked until the other side closes it.
    """

    def __init__(self, talk: Talk, *, speaks_first: bool = False) -> None:
        self.port = 0
        self.heard = asyncio.Event()
        self.deserted = asyncio.Event()
        self.connections = 0
        self._talk = talk
        self._speaks_first = speaks_first
        self._open = 0
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open += 1
        self.connections += 1
        self.deserted.clear()
        if self._speaks_first:
            self.heard.set()
        talking = asyncio.create_task(self._speak(writer))
        with contextlib.suppress(ConnectionError):
            while await reader.read(65_536):
                self.heard.set()
        talking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await talking
        writer.close()
        self._open -= 1
        if not self._open:
            self.deserted.set()

    async def _speak(self, writer: asyncio.StreamWriter) -> None:
        await self.heard.wait()
        with contextlib.suppress(ConnectionError):
            await self._talk(writer)


async def hangs(writer: asyncio.StreamWriter) -> None:
    """Say nothing, ever."""


def says(words: bytes) -> Talk:
    """Say something, and then nothing."""

    async def talk(writer: asyncio.StreamWriter) -> None:
        writer.write(words)
        await writer.drain()

    return talk


def drips(words: bytes) -> Talk:
    """Say something over and over, a byte at a time."""

    async def talk(writer: asyncio.StreamWriter) -> None:
        while True:
            for byte in words:
                writer.write(bytes([byte]))
                await writer.drain()
                await asyncio.sleep(DRIP_S)

    return talk


def repeats(first: bytes, words: bytes) -> Talk:
    """Say something, and then something else without end, as fast as it is taken."""

    async def talk(writer: asyncio.StreamWriter) -> None:
        writer.write(first)
        while True:
            writer.write(words)
            await writer.drain()
            await asyncio.sleep(0)

    return talk


def closes_after(words: bytes) -> Talk:
    """Say something and close the connection."""

    async def talk(writer: asyncio.StreamWriter) -> None:
        writer.write(words)
        await writer.drain()
        writer.close()

    return talk
