"""Connections to brokers: one for each endpoint, shared, bounded in number, and closed when nobody needs it.

A project may have a share of them. One that several projects use counts for the first.
"""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Sequence
from typing import Final

import aiormq
from aiormq.abc import AbstractChannel

from sukkal import limits
from sukkal.sinks.amqp.endpoint import Endpoint
from sukkal.sinks.amqp.transport import GuardedTransport
from sukkal.sinks.guard import Guard

__all__ = ["Busy", "Connections"]

_TLS_SCHEME: Final = "amqps"


class Busy(Exception):
    """All connections that there may be, or that the project may have, are in use."""


class _Link:
    """A connection, and its channels that nobody uses at the moment."""

    def __init__(self, endpoint: Endpoint, project: str) -> None:
        self.endpoint = endpoint
        self.project = project
        self.users = 0
        self.spoilt = False
        self.idle: asyncio.TimerHandle | None = None
        self._opening = asyncio.Lock()
        self._connection: aiormq.Connection | None = None
        self._transport: GuardedTransport | None = None
        self._free: list[AbstractChannel] = []

    @property
    def is_usable(self) -> bool:
        return not self.spoilt and (self._connection is None or not self._connection.is_closed)

    async def take(self, guard: Guard, tls: ssl.SSLContext) -> AbstractChannel:
        """Return a channel for one user alone, so that what the broker says there is about that user's message."""
        async with self._opening:
            if self._connection is None:
                await self._open(guard, tls)
        assert self._connection is not None  # noqa: S101 - narrows the type
        if self._transport is not None:
            self._transport.renew()
        while self._free:
            channel = self._free.pop()
            if not channel.is_closed:
                return channel
        return await self._connection.channel(publisher_confirms=True)

    def give_back(self, channel: AbstractChannel) -> None:
        if not channel.is_closed and len(self._free) < limits.AMQP_CHANNELS_KEPT_MAX:
            self._free.append(channel)

    async def close(self) -> None:
        """Say goodbye if that is still possible, and end the connection in any case."""
        if self.spoilt and self._transport is not None:
            self._transport.abort()
        if self._connection is not None:
            closing = asyncio.ensure_future(self._connection.close())
            _, late = await asyncio.wait({closing}, timeout=limits.AMQP_CLOSE_TIMEOUT_S)
            if late and self._transport is not None:
                self._transport.abort()
            await asyncio.wait({closing}, timeout=limits.AMQP_CLOSE_TIMEOUT_S)

    async def _open(self, guard: Guard, tls: ssl.SSLContext) -> None:
        endpoint = self.endpoint
        addresses = await guard.addresses(endpoint.host, endpoint.port)
        transport = GuardedTransport(addresses, tls if endpoint.scheme == _TLS_SCHEME else None)
        connection = aiormq.Connection(endpoint.url, transport_factory=transport)
        try:
            await connection.connect()
        except BaseException:
            transport.abort()
            raise
        self._connection, self._transport = connection, transport


class Connections:
    """Lends channels."""

    def __init__(self, guard: Guard, tls: ssl.SSLContext) -> None:
        self._guard = guard
        self._tls = tls
        self._links: dict[Endpoint, _Link] = {}
        self._closing: set[asyncio.Task[None]] = set()

    @contextlib.asynccontextmanager
    async def channel(self, endpoint: Endpoint, *, project: str) -> AsyncIterator[AbstractChannel]:
        """Lend a channel to an endpoint. If the user fails with it, its connection is used by nobody any more.

        Raises ``Denied``, ``Busy``, and what the library raises.
        """
        link = self._link(endpoint, project)
        link.users += 1
        if link.idle is not None:
            link.idle.cancel()
        try:
            channel = await link.take(self._guard, self._tls)
            yield channel
            link.give_back(channel)
        except BaseException:
            # Nobody knows what the broker still has to say to this one.
            link.spoilt = True
            raise
        finally:
            link.users -= 1
            self._left(link)

    async def close(self) -> None:
        """Close all connections."""
        for link in list(self._links.values()):
            self._retire(link)
        while self._closing:
            await asyncio.wait(self._closing)

    def _link(self, endpoint: Endpoint, project: str) -> _Link:
        link = self._links.get(endpoint)
        if link is not None and link.is_usable:
            return link
        if link is not None:
            self._retire(link)
        own = [each for each in self._links.values() if each.project == project]
        self._make_room(own, limits.AMQP_CONNECTIONS_PER_PROJECT_MAX)
        self._make_room(list(self._links.values()), limits.AMQP_CONNECTIONS_MAX)
        link = self._links[endpoint] = _Link(endpoint, project)
        return link

    def _make_room(self, links: Sequence[_Link], most: int) -> None:
        """Let one of them go if there are as many as there may be. Raises ``Busy``."""
        if len(links) < most:
            return
        # The first that nobody uses is the one that was opened first.
        idle = next((each for each in links if not each.users), None)
        if idle is None:
            raise Busy
        self._retire(idle)

    def _left(self, link: _Link) -> None:
        if link.users:
            return
        if link.spoilt or self._links.get(link.endpoint) is not link:
            self._retire(link)
        else:
            link.idle = asyncio.get_running_loop().call_later(limits.AMQP_IDLE_S, self._retire, link)

    def _retire(self, link: _Link) -> None:
        """Let nobody use a connection any more, and close it when its last user has left."""
        if self._links.get(link.endpoint) is link:
            del self._links[link.endpoint]
        if link.idle is not None:
            link.idle.cancel()
        if not link.users:
            closing = asyncio.get_running_loop().create_task(link.close())
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)
