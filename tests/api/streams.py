"""A client of an event stream, used without ``await``."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any, Final, Self

from tests.api.calling import Service

_S_MAX: Final = 30

Event = dict[str, Any]


class Refused(Exception):
    """The service did not begin the stream."""

    def __init__(self, status: int, document: Any) -> None:
        super().__init__(f"{status} {document}")
        self.status = status
        self.document = document


class Stream:
    """A stream that has begun when the constructor returns; ``ready`` is its first event. Raises ``Refused``."""

    def __init__(
        self, service: Service, path: str = "/v2/queues/q/stream", *, query: str = "", headers: Mapping[str, str] = {}
    ) -> None:
        self._service = service
        self._out: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._gone = asyncio.Event()
        self._readable = asyncio.Event()
        self._readable.set()
        self._text = ""
        given = {"x-project-id": "p", **{name.lower(): text for name, text in headers.items()}}
        scope = {
            "type": "http",
            "method": "GET",
            "path": path,
            "query_string": query.encode("ascii"),
            "headers": [(name.encode(), text.encode("latin-1")) for name, text in given.items() if text],
            "client": ("192.0.2.1", 1),
        }
        self._asked = False
        service.run(self._begin(scope))
        start = self._next()
        self.status: int = start["status"]
        self.headers = {name.decode(): text.decode() for name, text in start["headers"]}
        if self.status != 200:
            raise Refused(self.status, json.loads(self._next()["body"]))
        self.ready = self.event()

    async def _begin(self, scope: dict[str, Any]) -> None:
        self._task = asyncio.ensure_future(self._service.app.asgi(scope, self._receive, self._send))

    async def _receive(self) -> dict[str, Any]:
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": b""}
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:
        await self._readable.wait()
        self._out.put_nowait(message)

    def _next(self) -> dict[str, Any]:
        return self._service.run(asyncio.wait_for(self._out.get(), _S_MAX))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._gone.set()
        self._readable.set()
        self._service.run(asyncio.wait_for(self._task, _S_MAX))

    def deafen(self) -> None:
        """Read nothing more."""
        self._readable.clear()

    def listen(self) -> None:
        """Read again."""
        self._readable.set()

    def event(self) -> Event:
        """Return the next event: its fields, the data decoded."""
        while "\n\n" not in self._text:
            message = self._next()
            if not message.get("more_body"):
                raise EOFError
            self._text += message["body"].decode()
        text, _, self._text = self._text.partition("\n\n")
        fields = dict(line.split(": ", 1) for line in text.split("\n") if not line.startswith(":"))
        if "data" in fields:
            fields["data"] = json.loads(fields["data"])
        return fields

    def bodies(self, count: int) -> list[Any]:
        """Return the bodies of the next messages."""
        return [self.event()["data"]["body"] for _ in range(count)]

    @property
    def silent(self) -> bool:
        """Whether nothing more has come."""
        return not self._text and self._out.empty()
