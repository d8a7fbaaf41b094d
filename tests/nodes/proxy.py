"""A network between a node and its database, which can be stopped without a word."""

import asyncio
from typing import Self

__all__ = ["Network"]

_READ_BYTES = 65_536


class Network:
    """Hands on all bytes to a port while it is up; while it is down it takes them and keeps them."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._up = asyncio.Event()
        self._up.set()
        self._forgotten: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        self.cut()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def port(self) -> int:
        """Where it is entered."""
        return int(self._server.sockets[0].getsockname()[1])

    def stall(self) -> None:
        """Hand on nothing any more."""
        self._up.clear()

    def go_on(self) -> None:
        """Hand on everything again, also what has come meanwhile."""
        self._up.set()

    def forget(self) -> None:
        """Hand on nothing any more on the connections that there are. New ones are made."""
        self._forgotten |= self._writers

    def cut(self) -> None:
        """Break all connections."""
        for writer in self._writers:
            writer.transport.abort()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self._target)
        for source, sink in ((reader, there_writer), (there_reader, writer)):
            self._writers.add(sink)
            task = asyncio.ensure_future(self._hand_on(source, sink))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _hand_on(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(_READ_BYTES):
                await self._up.wait()
                if sink not in self._forgotten:
                    sink.write(data)
                    await sink.drain()
        except ConnectionError:
            return
        finally:
            self._writers.discard(sink)
            sink.close()
