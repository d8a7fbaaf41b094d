"""The demo's own web server: the page that shows everything live, and the webhook that a workflow calls."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from importlib.resources import files
from typing import Any, Final

from aiohttp import web

from sukkal.cli.demo.story import Story

__all__ = ["Web"]

_PAGE: Final = "page.html"


class Web:
    """It serves at ``url``. ``calls`` has the bodies with which the webhook was called.

    ``streams`` are the URLs of the service that the page listens to, by the names of the queues.
    """

    def __init__(self, story: Story) -> None:
        self._story = story
        self.url = ""
        self.streams: Mapping[str, str] = {}
        self.calls: asyncio.Queue[Any] = asyncio.Queue()

    @property
    def hook(self) -> str:
        """The URL of the webhook."""
        return f"{self.url}/hook"

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Serve on a free port for as long as the context lasts."""
        application = web.Application()
        application.add_routes(
            [
                web.get("/", self._page),
                web.get("/streams", self._streams),
                web.get("/story", self._tell),
                web.post("/hook", self._called),
            ]
        )
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=1)
        await runner.setup()
        try:
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
            yield
        finally:
            await runner.cleanup()

    async def _page(self, request: web.Request) -> web.Response:
        return web.Response(text=files(__package__).joinpath(_PAGE).read_text("utf-8"), content_type="text/html")

    async def _streams(self, request: web.Request) -> web.Response:
        return web.json_response(dict(self.streams))

    async def _tell(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
        await response.prepare(request)
        async for each in self._story.follow():
            await response.write(f"data: {json.dumps(each)}\n\n".encode())
        await response.write(b"event: end\ndata: {}\n\n")
        return response

    async def _called(self, request: web.Request) -> web.Response:
        self.calls.put_nowait(await request.json())
        return web.Response(status=204)
