"""The whole service without a socket: the HTTP API over a real engine, and a clock that stands still."""

import asyncio
from collections.abc import Awaitable
from contextlib import AsyncExitStack
from typing import Any, Final, TypeVar

import httpx

from sukkal.app import App, running
from sukkal.app.sinks import installed_sinks
from sukkal.settings import Settings
from sukkal.sink import Sink
from sukkal.testing import FakeClock, counting_ids
from sukkal.transports.http.wire.shared import Shared
from tests.wired import WireTransport, shared_of

__all__ = ["CLIENT", "OTHER_CLIENT", "PATCH_TYPE", "Service", "refused"]

T = TypeVar("T")

CLIENT: Final = "6ac2e86e-94a1-4bd9-a5f7-1d0c6e9a1b52"
OTHER_CLIENT: Final = "0d0c6e9a-1b52-4bd9-a5f7-6ac2e86e94a1"
PATCH_TYPE: Final = "application/openstack-messaging-v2.0-json-patch"


def glancing(app: Any) -> Any:
    """Return the application as seen by one who reads the first part of a stream, and goes."""

    async def glanced(scope: Any, receive: Any, send: Any) -> None:
        seen = asyncio.Event()
        streams = asked = False

        async def next_of_client() -> Any:
            nonlocal asked
            if streams and asked:
                await seen.wait()
                return {"type": "http.disconnect"}
            message = await receive()
            asked = not message.get("more_body", False)
            return message

        async def sent(message: Any) -> None:
            nonlocal streams
            if message["type"] == "http.response.start":
                streams = (b"content-type", b"text/event-stream") in message["headers"]
            elif streams:
                seen.set()
            await send(message)

        await app(scope, next_of_client, sent)
        if streams:
            await send({"type": "http.response.body", "body": b""})

    return glanced


class Service:
    """A running service, called without ``await``: each call is one HTTP request, by ASGI or to its ``own`` server."""

    def __init__(
        self, store: str, *, first_id: int = 1, sink: Sink | None = None, own: bool = False, **settings: Any
    ) -> None:
        self.clock = FakeClock()
        self._sinks = (lambda _: [sink]) if sink else installed_sinks
        self._new_id = counting_ids(first_id)
        self._runner = asyncio.Runner()
        self._stack = AsyncExitStack()
        self.app: App = self._runner.run(self._start(Settings(store=store, sweep_interval_s=3_600, **settings)))
        over_asgi = httpx.ASGITransport(app=glancing(self.app.asgi), raise_app_exceptions=True)
        self._client = httpx.AsyncClient(
            transport=WireTransport(self._shared) if own else over_asgi, base_url="http://service"
        )

    async def _shared(self) -> Shared:
        settings = self.app.services.settings
        return shared_of(self.app.front, settings, body_bytes_max=self.app.asgi.body_bytes_max)

    async def _start(self, settings: Settings) -> App:
        app = running(settings, now_ms=self.clock, new_id=self._new_id, sinks=self._sinks, steered=False)
        return await self._stack.enter_async_context(app)

    def close(self) -> None:
        """Stop the service."""
        self._runner.run(self._client.aclose())
        self._runner.run(self._stack.aclose())
        self._runner.close()

    def run(self, work: Awaitable[T]) -> T:
        """Run something on the service's event loop."""

        async def awaited() -> T:
            return await work

        return self._runner.run(awaited())

    async def request(
        self,
        method: str,
        path: str,
        *,
        client: str | None = CLIENT,
        project: str | None = "p",
        headers: dict[str, str] | list[tuple[str, str]] | None = None,
        **more: Any,
    ) -> httpx.Response:
        """Make a request; ``json`` and ``content`` are as in httpx."""
        usual = [
            (name, value) for name, value in (("client-id", client), ("x-project-id", project)) if value is not None
        ]
        given = headers.items() if isinstance(headers, dict) else headers or ()
        return await self._client.request(method, path, headers=[*usual, *given], **more)

    def call(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Make a request and wait for the answer."""
        response = self.run(self.request(method, path, **more))
        assert response.headers["x-openstack-request-id"].startswith("req-")
        assert response.status_code < 500 or response.status_code == 504, response.text
        return response

    def get(self, path: str, **more: Any) -> httpx.Response:
        """GET."""
        return self.call("GET", path, **more)

    def put(self, path: str, **more: Any) -> httpx.Response:
        """PUT."""
        return self.call("PUT", path, **more)

    def post(self, path: str, **more: Any) -> httpx.Response:
        """POST."""
        return self.call("POST", path, **more)

    def patch(self, path: str, **more: Any) -> httpx.Response:
        """PATCH."""
        return self.call("PATCH", path, **more)

    def delete(self, path: str, **more: Any) -> httpx.Response:
        """DELETE."""
        return self.call("DELETE", path, **more)

    # -- what most tests begin with

    def post_bodies(self, *bodies: Any, queue: str = "q", version: str = "v2", **message: Any) -> list[str]:
        """Post a message for each body and return the ids."""
        messages = [{"body": body, **message} for body in bodies]
        response = self.post(f"/{version}/queues/{queue}/messages", json={"messages": messages})
        assert response.status_code == 201, response.text
        return [path.rpartition("/")[2] for path in response.json()["resources"]]

    def claim(self, query: str = "", queue: str = "q", **body: Any) -> tuple[str, list[dict[str, Any]]]:
        """Claim messages; return the claim's path and the messages."""
        response = self.post(f"/v2/queues/{queue}/claims{query}", json=body)
        if response.status_code == 204:
            return "", []
        return response.headers["location"], response.json()["messages"]

    def bodies(self, query: str = "?echo=true", queue: str = "q") -> list[Any]:
        """Follow a listing's links to the end and return the bodies."""
        found: list[Any] = []
        path: str | None = f"/v2/queues/{queue}/messages{query}"
        while path:
            document = self.get(path).json()
            found += [message["body"] for message in document["messages"]]
            path = document["links"][0]["href"] if document["links"] else None
        return found

    def pass_s(self, seconds: float) -> None:
        """Let time pass."""
        self.clock.advance(round(seconds * 1_000))

    def deliver(self) -> None:
        """Make a round of deliveries and wait until it has ended."""

        async def round_to_its_end() -> None:
            await self.app.deliveries.settled()
            await self.app.deliveries.round()
            await self.app.deliveries.settled()

        self.run(round_to_its_end())

    def sweep(self) -> None:
        """Make a round of the sweeper."""
        self.run(self.app.sweeper.sweep())


def refused(response: httpx.Response, status: int, *words: str, title: str | None = None) -> None:
    """Assert that a request was refused in the shape of the API with a description that has the words."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/json"
    document = response.json()
    assert set(document) <= {"title", "description"}
    if title is not None:
        assert document["title"] == title
    for word in words:
        assert word in document["description"]
