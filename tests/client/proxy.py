"""A TCP proxy that a test cuts: after so many bytes in one direction, or now."""

import asyncio
from contextlib import suppress
from typing import Final, Literal, Self
from urllib.parse import urlsplit

__all__ = ["Direction", "Proxy"]

Direction = Literal["to the service", "to the client"]

_PIECE_BYTES: Final = 65_536


class Proxy:
    """Passes bytes on to the service at ``url`` from its own ``url``, as a context of the test's event loop.

    ``passed`` counts the bytes of all connections in each direction. The first connection that would exceed ``cut`` in
    its direction is aborted with all others, and from then on everything passes. ``cut_done`` tells that it happened.
    """

    def __init__(self, url: str, cut: tuple[Direction, int] | None = None, *, port: int = 0) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "", parts.port or 0
        self._cut = cut
        self._listens_at = port
        self.passed: dict[Direction, int] = {"to the service": 0, "to the client": 0}
        self.cut_done = asyncio.Event()
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self._listens_at)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        self.cut_now()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    def cut_now(self) -> None:
        """Abort all connections."""
        for writer in list(self._writers):
            writer.transport.abort()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ends = [writer]
        try:
            there_reader, there_writer = await asyncio.open_connection(self._host, self._port)
            ends.append(there_writer)
            self._writers.add(there_writer)
            await asyncio.gather(
                self._pass(reader, there_writer, "to the service"), self._pass(there_reader, writer, "to the client")
            )
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            for end in ends:
                end.transport.abort()
                self._writers.discard(end)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, way: Direction) -> None:
        with suppress(OSError):
            while piece := await reader.read(_PIECE_BYTES):
                if self._cut is not None and self._cut[0] == way and self.passed[way] + len(piece) > self._cut[1]:
                    writer.write(piece[: self._cut[1] - self.passed[way]])
                    await writer.drain()
                    await asyncio.sleep(0)
                    self._cut = None
                    self.cut_done.set()
                    self.cut_now()
                    return
                self.passed[way] += len(piece)
                writer.write(piece)
                await writer.drain()
            if writer.can_write_eof():
                writer.write_eof()
