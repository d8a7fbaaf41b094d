"""The ASGI side: takes connections in, and moves frames between them and the function that answers."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from functools import partial
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlsplit

from sukkal import limits
from sukkal.errors import Forbidden, RouteNotFound, ShuttingDown, SukkalError, Unavailable
from sukkal.settings import Settings
from sukkal.transports.http.errors import error_response
from sukkal.transports.http.exchange import Header, Response, unambiguous
from sukkal.transports.websocket.answering import Answering
from sukkal.transports.websocket.connection import DEFECT, POLICY, Close, Connection, Connections
from sukkal.transports.websocket.conversations import PATHS, Conversation, Framed, is_socket_path
from sukkal.transports.websocket.events import Front, Refusal, begin
from sukkal.transports.websocket.frames import Data
from sukkal.transports.websocket.senders import Senders
from sukkal.transports.websocket.server import WRITE

__all__ = ["WebSocketAdapter"]

_log: Final = logging.getLogger("sukkal.websocket")

_REJECTABLE: Final = "websocket.http.response"

_Message = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[_Message]]
_Send = Callable[[_Message], Awaitable[None]]
_Frames = asyncio.Queue[Data | None]
"""Frames that wait to be answered; ``None`` says that no more come."""


class WebSocketAdapter:
    """An ASGI application for scopes of the type ``websocket``."""

    def __init__(
        self,
        answering: Answering,
        senders: Senders,
        connections: Connections,
        front: Front,
        settings: Settings,
        now_ms: Callable[[], int],
    ) -> None:
        self.connections = connections
        self._front = front
        self._answering = answering
        self._senders = senders
        self._origins = frozenset(
            origin.strip().rstrip("/") for origin in settings.cors_origins.split(",") if origin.strip()
        )
        self._authenticate_s = settings.websocket_authenticate_timeout_s
        self._read_s = settings.client_read_timeout_s
        self._now_ms = now_ms

    async def __call__(self, scope: _Message, receive: _Receive, send: _Send) -> None:
        """Serve one connection."""
        await receive()
        peer = scope.get("client")
        connection = Connection(peer[0] if peer else "")
        try:
            await self._admit_and_serve(connection, scope, receive, send)
        finally:
            self._senders.leave(connection)

    async def _admit_and_serve(self, connection: Connection, scope: _Message, receive: _Receive, send: _Send) -> None:
        try:
            conversation = await self._admit(connection, scope)
            # Others may have come while it was found out who this is.
            self._check_room()
        except (SukkalError, Refusal) as error:
            response = error.response if isinstance(error, Refusal) else error_response(error)
            connection.end()
            await _reject(response, scope, send)
            return
        self.connections.add(connection)
        try:
            # Whoever goes away meanwhile is noticed below.
            with contextlib.suppress(OSError):
                await send({"type": "websocket.accept", "subprotocol": conversation.subprotocol})
                connection.write = scope.get("extensions", {}).get(WRITE, {}).get("write", connection.write)
                await self._serve(connection, conversation, receive, send)
        finally:
            self.connections.remove(connection)

    def _check_room(self) -> None:
        if self.connections.stopping:
            raise ShuttingDown("The service is stopping. Try again in a few seconds.")
        if self.connections.full:
            raise Unavailable("There are too many WebSocket connections. Try again later.")

    async def _admit(self, connection: Connection, scope: _Message) -> Conversation:
        self._check_room()
        path = scope["path"]
        if not is_socket_path(path):
            raise RouteNotFound
        headers = unambiguous(scope["headers"])
        self._check_origin(headers)
        if path not in PATHS:
            return await begin(self._front, connection, scope, headers, partial(self._senders.enter, connection))
        await self._senders.greet(connection, headers)
        stranger = not (connection.known.is_set() or self._senders.believes)
        if stranger and self.connections.full_of_strangers:
            raise Unavailable(
                "There are too many WebSocket connections that have not been authenticated. Bring the token in the "
                "request for the connection, or try again later."
            )
        return Framed(connection, self._answering, self._senders, self._now_ms, authenticate_s=self._authenticate_s)

    def _check_origin(self, headers: dict[bytes, bytes]) -> None:
        # A browser lets any page open a connection to any service. Who has to bring a token cannot be abused that
        # way; who is taken at its word could.
        origin = headers.get(b"origin", b"").decode("latin-1")
        if not origin or "*" in self._origins or origin in self._origins or not self._senders.believes:
            return
        if _host_of(origin) != headers.get(b"host", b"").decode("latin-1").lower():
            raise Forbidden("Pages of this origin may not connect. The setting is `cors_origins`.")

    async def _serve(self, connection: Connection, conversation: Conversation, receive: _Receive, send: _Send) -> None:
        async def send_data(data: Data) -> None:
            kind = "bytes" if isinstance(data, bytes) else "text"
            async with asyncio.timeout(self._read_s):
                await send({"type": "websocket.send", kind: data})

        frames: _Frames = asyncio.Queue(limits.WEBSOCKET_FRAMES_WAITING_MAX)
        sending = asyncio.create_task(connection.send_to(send_data))
        reading = asyncio.create_task(_read(receive, frames))
        working = asyncio.create_task(_work(connection, conversation, frames))
        watching = asyncio.create_task(conversation.watch())
        tasks: tuple[asyncio.Task[Any], ...] = (sending, reading, working, watching)
        for task in (working, watching):
            task.add_done_callback(partial(_report, connection))
        try:
            await asyncio.wait((sending, reading), return_when=asyncio.FIRST_COMPLETED)
            if sending.done():
                await self._end(sending, send)
            elif conversation.unanswered:
                await _finish(frames, working)
        finally:
            connection.end()
            for task in tasks:
                # What was begun is brought to its end, unless it only waits for messages.
                if task is not working or connection.waiting or not connection.busy:
                    task.cancel()
            await asyncio.wait(tasks)

    async def _end(self, sending: "asyncio.Task[Close]", send: _Send) -> None:
        code, reason = POLICY, f"What was sent was not read within {self._read_s} seconds."
        with contextlib.suppress(TimeoutError):
            code, reason = sending.result()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(limits.WEBSOCKET_CLOSE_S):
                await send({"type": "websocket.close", "code": code, "reason": reason})


async def _work(connection: Connection, conversation: Conversation, frames: _Frames) -> None:
    """Answer frames, one after the other."""
    while (data := await frames.get()) is not None and not connection.closing:
        connection.busy = True
        try:
            answer, then = await conversation.answer(data)
            connection.answer(answer)
            if then is not None:
                then()
        finally:
            connection.busy = connection.waiting = False
            connection.wake()
        await connection.drained()
        if connection.closed.is_set():
            return


async def _finish(frames: _Frames, working: "asyncio.Task[None]") -> None:
    """Work off what came before the client went away, which cannot ask whether that was done."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(limits.WEBSOCKET_CLOSE_S):
            await frames.put(None)
            await asyncio.wait((working,))


def _host_of(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return None


async def _read(receive: _Receive, frames: _Frames) -> None:
    """Take frames in until the client goes away. When many wait, nothing more is received."""
    while (message := await receive())["type"] != "websocket.disconnect":
        data = message.get("bytes")
        await frames.put(message["text"] if data is None else data)


def _report(connection: Connection, task: "asyncio.Task[None]") -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        _log.error("a connection failed", exc_info=error)
        connection.close(DEFECT, "The service failed. Its log says why.")


async def _reject(response: Response, scope: _Message, send: _Send) -> None:
    if _REJECTABLE not in scope.get("extensions", {}):
        await send({"type": "websocket.close", "code": POLICY, "reason": HTTPStatus(response.status).phrase})
        return
    headers: list[Header] = [*response.headers, (b"content-length", str(len(response.body)).encode("ascii"))]
    await send({"type": "websocket.http.response.start", "status": response.status, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": response.body})
