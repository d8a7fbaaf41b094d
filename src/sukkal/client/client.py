"""The client: a service, as a program sees it."""

import os
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Any, Final, Self

from sukkal.client.asking import Asking, Retries
from sukkal.client.chance import Chance, SystemChance
from sukkal.client.connection import Connection
from sukkal.client.consuming import Open
from sukkal.client.credentials import ApiToken, Credentials, ProjectName
from sukkal.client.environment import credentials_from, url_from
from sukkal.client.exchange import Answer
from sukkal.client.finding import Finding
from sukkal.client.frames import Frames
from sukkal.client.listeners import Listeners
from sukkal.client.nouns import QueueEntry, Usage
from sukkal.client.queue import Queue

__all__ = ["Client"]

_TIMEOUT_S: Final = 30.0
_RETRIES: Final = Retries()


class Client:
    """A service, and who we are there: ``async with Client(url, project="p") as client``.

    Without a ``url`` and without credentials, the environment says them (``SUKKAL_*``, ``OS_*``). ``project`` is for a
    service that asks for no more, or beside a ``token`` for those that may choose; other ``credentials`` are objects of
    ``sukkal.client``. A request takes at most ``timeout`` seconds with all its attempts, and ``connections`` are open
    at once. ``client_id`` is a UUID that stays the same for this program; by default it is a new one.

    When the context ends, what is consumed is given back.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        project: str | None = None,
        token: str | None = None,
        credentials: Credentials | None = None,
        client_id: str | None = None,
        timeout: float = _TIMEOUT_S,
        retries: Retries = _RETRIES,
        connections: int = 100,
        tls: ssl.SSLContext | None = None,
        chance: Chance | None = None,
    ) -> None:
        chance = chance or SystemChance()
        self._connection = Connection(
            url or url_from(os.environ),
            credentials or _credentials(project, token),
            client_id=client_id or chance.name(),
            timeout_s=timeout,
            tls=tls,
            connections=connections,
        )
        self._asking = Asking(self._connection, chance, retries, timeout)
        self._open = Open()
        self.find: Final = Finding(self._asking)
        self.listeners: Final = Listeners(self._asking)

    async def __aenter__(self) -> Self:
        await self._connection.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Give back what is consumed and close the connections."""
        try:
            await self._open.close()
        finally:
            await self._connection.__aexit__(None, None, None)

    def queue(self, name: str, *, timeout: float | None = None) -> Queue:
        """Return a queue, without asking whether it is there. ``timeout`` is for its requests."""
        return Queue(self._asking.within(timeout), name, self._open)

    def queues(self, *, detailed: bool = False, name: str | None = None) -> AsyncIterator[QueueEntry]:
        """Yield the queues of the project by name, with their metadata if ``detailed``.

        ``name`` is a regular expression that their names begin with.
        """
        query = {"detailed": str(detailed).lower()} | ({} if name is None else {"name": name})
        return self._asking.pages(QueueEntry, "queues", "/v2/queues", query)

    async def ping(self) -> None:
        """Return if the service answers."""
        await self._asking.ask("GET", "/v2/ping")

    async def usage(self) -> Usage:
        """Return what the project keeps and may keep."""
        return await self._asking.noun(Usage, "/v2/usage")

    def frames(self) -> AbstractAsyncContextManager[Frames]:
        """Connect over WebSocket for a while, for actions that have no method of their own."""
        return self._connection.frames()

    async def request(
        self,
        method: str,
        path: str,
        document: Any = None,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        repeatable: bool = False,
        wait: float = 0,
    ) -> Answer:
        """Make a request that has no method of its own; ``repeatable`` ones are sent again when an answer is lost.

        ``wait`` is how many seconds the service is asked to wait before it answers.
        """
        return await self._asking.ask(
            method, path, document, query=query, headers=headers, repeatable=repeatable, wait_s=wait
        )


def _credentials(project: str | None, token: str | None) -> Credentials:
    if token is not None:
        return ApiToken(token, project)
    return credentials_from(os.environ) if project is None else ProjectName(project)
