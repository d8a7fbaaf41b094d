"""Clients that post to watched queues, take from them and listen to them, and log what they were told."""

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from random import Random
from typing import Any, Final

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from tests.faults.exchange import HEADERS, Answer, Connection, Died
from tests.faults.listening import Listened, Place, Popped, Posted, Session, Watched
from tests.faults.load import Trigger
from tests.serving import ServerProcess

__all__ = ["Crowd", "Told", "stream", "subscription"]

_TTL_S: Final = 3_600
_BYTES_MAX: Final = 1_048_576
_CLOSE_S: Final = 0.2

Told = AsyncGenerator[Mapping[str, Any], None]
"""What a listener is told: first the answer to its coming, then messages. It ends with the connection."""


class Crowd:
    """Clients of watched queues: ``busy`` of them post and pop, and each queue has listeners of both kinds."""

    def __init__(self, logs: list[Watched], *, seed: int, busy: int, each: int) -> None:
        self.strange: list[object] = []
        self.cut_off = 0
        self._logs = self.logs = logs
        self._busy = busy
        self._random = Random(seed)
        self._unanswered: list[tuple[Watched, Posted]] = []
        self._posts = 0
        self._trigger: Trigger = lambda step: None
        for log in logs:
            log.listeners += [Listened(f"{kind} {number}") for kind in _KINDS for number in range(each)]

    async def work(self, server: ServerProcess, trigger: Trigger) -> None:
        """Post, pop, listen, go away and come back, until the service is gone."""
        self._trigger = trigger
        async with asyncio.TaskGroup() as group:
            for _ in range(self._busy):
                group.create_task(self._client(server))
            for log in self._logs:
                for listener in log.listeners:
                    group.create_task(self._come_and_go(server, log, listener))

    async def finish(self, server: ServerProcess) -> None:
        """Repeat all posts that were not answered, post a last message, and listen until all have heard it."""
        connection = await Connection.open(server.host, server.port)
        while self._unanswered:
            await self._send(connection, *self._unanswered.pop())
        async with asyncio.TaskGroup() as group:
            for log in self._logs:
                for listener in log.listeners:
                    group.create_task(self._listen(server, log, listener, until=f"last/{log.queue}"))
                await self._post(connection, log, (f"last/{log.queue}",))
        await connection.close()

    # -- those who post and take

    async def _client(self, server: ServerProcess) -> None:
        try:
            connection = await Connection.open(server.host, server.port)
        except OSError:
            return
        try:
            while True:
                await self._act(connection)
        except Died:
            return
        finally:
            await connection.close()

    async def _act(self, connection: Connection) -> None:
        draw = self._random.random()
        if draw < 0.3:
            await self._pop(connection, self._random.choice(self._logs))
        elif draw < 0.5 and self._unanswered:
            await self._send(connection, *self._unanswered.pop())
        else:
            self._posts += 1
            tokens = tuple(f"{self._posts}/{number}" for number in range(self._random.choice((1, 1, 2, 5))))
            await self._post(connection, self._random.choice(self._logs), tokens)

    async def _post(self, connection: Connection, log: Watched, tokens: tuple[str, ...]) -> None:
        post = Posted(tokens, time.monotonic())
        log.posts.append(post)
        await self._send(connection, log, post)

    async def _send(self, connection: Connection, log: Watched, post: Posted) -> None:
        document = {"messages": [{"body": token, "ttl": _TTL_S} for token in post.tokens]}
        path = f"/v2/queues/{log.queue}/messages"
        try:
            answer = await self._ask(connection, "POST", path, document, Idempotency_Key=post.tokens[0])
        except Died:
            self._unanswered.append((log, post))
            raise
        if answer.status == 201:
            post.end_s = time.monotonic()
        else:
            self.strange.append(answer)

    async def _pop(self, connection: Connection, log: Watched) -> None:
        start_s, count = time.monotonic(), self._random.randint(1, 4)
        try:
            answer = await self._ask(connection, "DELETE", f"/v2/queues/{log.queue}/messages?pop={count}")
        except Died:
            log.pops.append(Popped((), start_s, answered=False))
            raise
        if answer.status == 200:
            log.pops.append(Popped(tuple(each["body"] for each in answer.document["messages"]), start_s))
        else:
            self.strange.append(answer)

    async def _ask(self, connection: Connection, method: str, path: str, *document: Any, **headers: str) -> Answer:
        answer = await connection.ask(method, path, *document, sent=lambda: self._trigger("sent"), **headers)
        self._trigger("acknowledged")
        return answer

    # -- those who listen

    async def _come_and_go(self, server: ServerProcess, log: Watched, listener: Listened) -> None:
        """Listen for a while, take something as others do, and come back."""
        try:
            while True:
                await self._listen(server, log, listener, most=self._random.choice((3, 30, 300)))
                connection = await Connection.open(server.host, server.port)
                try:
                    await self._pop(connection, log)
                finally:
                    await connection.close()
        except (OSError, Died, InvalidHandshake):
            self.cut_off += 1

    async def _listen(
        self, server: ServerProcess, log: Watched, listener: Listened, *, most: int = -1, until: str = ""
    ) -> None:
        """Listen from where the listener was, to so many messages or to a certain one, or until the service is gone."""
        since, start_s, session = listener.last, time.monotonic(), None
        kind = _KINDS[listener.name.partition(" ")[0]]
        async with aclosing(kind(server, log.queue, since)) as told:
            async for each in told:
                if session is None:
                    place = Place.of(each["position"])
                    session = Session(since, place, each.get("recovered"), start_s, time.monotonic())
                    listener.sessions.append(session)
                    continue
                session.heard.append((each["body"], Place.of(each["position"])))
                if len(session.heard) == most or each["body"] == until:
                    return


async def subscription(server: ServerProcess, queue: str, since: Place | None) -> Told:
    """Listen over a WebSocket. Raises ``OSError``, ``InvalidHandshake`` and ``Died`` if the service is not there."""
    resume = True if since is None else f"{since.epoch}.{since.sequence}"
    body = {"queue_name": queue, "resume": resume}
    frame = {"action": "subscription_create", "headers": HEADERS, "body": body}
    url = server.url.replace("http", "ws") + "/"
    connection = await connect(url, max_size=_BYTES_MAX, compression=None, close_timeout=_CLOSE_S)
    try:
        async with connection:
            await connection.send(json.dumps(frame))
            answer = json.loads(await connection.recv())
            if answer["headers"]["status"] == 503:
                raise Died
            assert answer["headers"]["status"] == 201, answer
            yield answer["body"]
            while True:
                yield json.loads(await connection.recv())
    except ConnectionClosed:
        return
    finally:
        # Who is cancelled while saying goodbye has closed nothing.
        connection.transport.abort()


async def stream(server: ServerProcess, queue: str, since: Place | None) -> Told:
    """Listen to an event stream. Raises ``OSError`` and ``Died`` if the service is not there."""
    reader, writer = await asyncio.open_connection(server.host, server.port, limit=_BYTES_MAX)
    lines = [f"GET /v2/queues/{queue}/stream HTTP/1.1", "Host: x", *(f"{key}: {HEADERS[key]}" for key in HEADERS)]
    if since is not None:
        lines.append(f"Last-Event-ID: {since.epoch}.{since.sequence}")
    try:
        writer.write("\r\n".join([*lines, "", ""]).encode("ascii"))
        head = await reader.readuntil(b"\r\n\r\n")
        if head.startswith(b"HTTP/1.1 503 "):
            raise Died
        assert head.startswith(b"HTTP/1.1 200 "), head
        text = ""
        while size := int((await reader.readuntil(b"\r\n")), 16):
            text += (await reader.readexactly(size + 2))[:-2].decode()
            *events, text = text.split("\n\n")
            for event in events:
                fields = dict(line.split(": ", 1) for line in event.split("\n") if not line.startswith(":"))
                if fields.get("event") != "end" and "data" in fields:
                    yield json.loads(fields["data"])
    except (ConnectionError, asyncio.IncompleteReadError):
        return
    finally:
        writer.close()


_KINDS: Final[Mapping[str, Callable[[ServerProcess, str, Place | None], Told]]] = {
    "socket": subscription,
    "stream": stream,
}
