"""A WebSocket client without a socket: frames over ASGI, to the service that the HTTP tests call too."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, Self

import msgspec

from tests.api.calling import CLIENT, Service
from tests.api.described import check_answer, check_push

__all__ = ["Ended", "Reply", "Socket"]

_S_MAX: Final = 30
_TURNS: Final = 100


class Ended(Exception):
    """The service has ended the connection: with a code and a reason, or with a status before it began."""

    def __init__(self, code: int, reason: str = "", document: Any = None) -> None:
        super().__init__(f"{code} {reason}")
        self.code = code
        self.reason = reason
        self.document = document


class Reply:
    """An answer: its status, its body, its other headers, and the request that it repeats."""

    def __init__(self, document: Any) -> None:
        assert list(document) == ["request", "body", "headers"]
        assert list(document["request"]) == ["action", "body", "headers", "api"]
        assert document["request"]["api"] == "v2"
        check_answer(document)
        self.headers = dict(document["headers"])
        self.status: int = self.headers.pop("status")
        self.body: Any = document["body"]
        self.request: Any = document["request"]

    def refused(self, status: int, *words: str) -> None:
        """Assert that it is a refusal whose text has the words."""
        assert self.status == status, self.body
        for word in words:
            assert word in self.body["error"], self.body


class Socket:
    """A connection, used without ``await``. It is open when the constructor returns. Raises ``Ended``."""

    def __init__(
        self,
        service: Service,
        *,
        path: str = "/",
        headers: Mapping[str, str] | None = None,
        client: str | None = CLIENT,
        project: str | None = "p",
        binary: bool = False,
        query: str = "",
        subprotocols: Sequence[str] = (),
    ) -> None:
        self._service = service
        self._usual = {
            name: value for name, value in (("Client-ID", client), ("X-Project-ID", project)) if value is not None
        }
        self.binary = binary
        self._in: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._out: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._readable = asyncio.Event()
        self._readable.set()
        scope = {
            "type": "websocket",
            "path": path,
            "query_string": query.encode("latin-1"),
            "subprotocols": list(subprotocols),
            "headers": [(name.lower().encode(), text.encode("latin-1")) for name, text in (headers or {}).items()],
            "client": ("192.0.2.1", 1),
            "extensions": {"websocket.http.response": {}},
        }
        self._in.put_nowait({"type": "websocket.connect"})
        service.run(self._begin(scope))
        begun = self._next()
        if begun["type"] == "websocket.http.response.start":
            raise Ended(begun["status"], document=json.loads(self._next()["body"] or b"null"))
        assert begun["type"] == "websocket.accept"
        self.subprotocol = begun["subprotocol"]

    async def _begin(self, scope: dict[str, Any]) -> None:
        self._task = asyncio.ensure_future(self._service.app.asgi(scope, self._in.get, self._send))

    async def _send(self, message: Any) -> None:
        await self._readable.wait()
        self._out.put_nowait(message)

    def _next(self) -> dict[str, Any]:
        return self._service.run(asyncio.wait_for(self._out.get(), _S_MAX))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Go away, and wait until the service has noticed."""
        self._in.put_nowait({"type": "websocket.disconnect", "code": 1000})
        self._service.run(asyncio.wait_for(self._task, _S_MAX))

    def deafen(self) -> None:
        """Read nothing more."""
        self._readable.clear()

    def listen(self) -> None:
        """Read again."""
        self._readable.set()

    def send(self, data: str | bytes) -> None:
        """Send a frame as it stands."""
        self._in.put_nowait({"type": "websocket.receive", "bytes" if isinstance(data, bytes) else "text": data})

    def begin(self, action: str, body: Any = None, **headers: Any) -> None:
        """Send a frame. Headers are named with underscores."""
        given = {**self._usual, **{name.replace("_", "-"): value for name, value in headers.items()}}
        frame: dict[str, Any] = {"action": action, "headers": given}
        if body is not None:
            frame["body"] = body
        self.send(msgspec.msgpack.encode(frame) if self.binary else json.dumps(frame))

    def raw(self) -> dict[str, Any]:
        """Return the next frame as it stands. Raises ``Ended``."""
        message = self._next()
        if message["type"] == "websocket.close":
            raise Ended(message["code"], message["reason"])
        return message

    @property
    def unreceived(self) -> int:
        """How many frames the service has not taken yet."""
        return self._in.qsize()

    def receive(self) -> Any:
        """Return what the next frame carries. Raises ``Ended``."""
        message = self.raw()
        document = msgspec.msgpack.decode(message["bytes"]) if "bytes" in message else json.loads(message["text"])
        if isinstance(document, dict) and "Message_Type" in document:
            check_push(document)
        return document

    def ask(self, action: str, body: Any = None, **headers: Any) -> Reply:
        """Send a frame and return the answer."""
        self.begin(action, body, **headers)
        return Reply(self.receive())

    def silent(self) -> bool:
        """Tell whether nothing has come that was not received."""
        for _ in range(_TURNS):
            self._service.run(asyncio.sleep(0))
        return self._out.empty()
