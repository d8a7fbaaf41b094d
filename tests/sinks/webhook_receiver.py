"""A web server that takes webhooks and keeps what came."""

import ssl
from collections.abc import Mapping
from types import TracebackType
from typing import NamedTuple, Self

from aiohttp import web

from sukkal.testing.sink_contract import Received

__all__ = ["Taken", "WebhookReceiver"]


class Taken(NamedTuple):
    """A request that came."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


class WebhookReceiver:
    """Answers each request with ``status``, ``headers`` and ``text``, on a free port of 127.0.0.1."""

    def __init__(self, *, tls: ssl.SSLContext | None = None) -> None:
        self.port = 0
        self.taken: list[Taken] = []
        self.connections: set[object] = set()
        self.status = 200
        self.headers: dict[str, str] = {}
        self.text = "thanks"
        self.echo = False
        self._tls = tls
        application = web.Application(client_max_size=2**24)
        application.router.add_route("*", "/{path:.*}", self._take)
        self._runner = web.AppRunner(application, access_log=None)

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=self._tls).start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._runner.cleanup()

    async def received(self) -> list[Received]:
        """Return what has come so far."""
        return [Received(taken.headers["webhook-id"], taken.body) for taken in self.taken]

    async def refuse(self) -> None:
        """Refuse what comes from now on."""
        self.status = 500

    async def _take(self, request: web.Request) -> web.Response:
        self.taken.append(Taken(request.method, request.raw_path, request.headers, await request.read()))
        self.connections.add(request.transport)
        text = "\n".join(f"{name}: {value}" for name, value in request.headers.items()) if self.echo else self.text
        return web.Response(status=self.status, headers=self.headers, text=text)
