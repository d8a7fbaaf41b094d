"""Handing connections over to WebSocket, which uvicorn's protocol with our guards speaks."""

import asyncio
from collections.abc import Set as AbstractSet
from typing import Any

import uvicorn
from uvicorn.server import ServerState

from sukkal.transports.http.exchange import Header
from sukkal.transports.http.server import Sockets

__all__ = ["SocketHandover"]


class SocketHandover:
    """The WebSockets of a server: ``config`` is theirs, ``date`` the header that their openings are answered with."""

    def __init__(self, sockets: Sockets, config: uvicorn.Config, date: list[Header]) -> None:
        self._begin: Any = sockets.protocol
        self._at = sockets.at
        self._config = config
        self._state = ServerState()
        self._state.default_headers = date

    def __len__(self) -> int:
        """How many connections there are."""
        return len(self._state.connections)

    def at(self, path: str) -> bool:
        """Tell whether there are any at a path."""
        return self._at(path)

    def begin(self, transport: asyncio.Transport, head: bytes) -> None:
        """Take over a connection whose client sent the head of a request for a WebSocket, and nothing else."""
        protocol = self._begin(config=self._config, server_state=self._state, app_state={})
        protocol.connection_made(transport)
        transport.set_protocol(protocol)
        protocol.data_received(head)

    def stop(self) -> None:
        """Let the connections end."""
        for connection in tuple(self._state.connections):
            connection.shutdown()

    @property
    def tasks(self) -> AbstractSet["asyncio.Task[None]"]:
        """What runs for the connections."""
        return self._state.tasks
