"""Clients that post, claim, delete, release and pop on a few queues at once, and log what they were told."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Final

from tests.faults.exchange import Answer, Connection, Died
from tests.faults.history import Event, Kind, Outcome, Seen
from tests.serving import ServerProcess

__all__ = ["QUEUES", "Clients", "Trigger", "view"]

QUEUES: Final = ("orders", "parcels", "bills")

LEASE_S: Final = 300
_TTL_S: Final = 3_600
_POST_MESSAGES_MAX: Final = 8
_PAD_CHARS_MAX: Final = 1_500

Times = dict[str, Any]
Log = Callable[[Answer | None, Times], Event]
Trigger = Callable[[str], None]
"""Told of each step of the load: ``sent`` when a request is out, ``acknowledged`` when its answer was read."""


@dataclass
class Held:
    """A claim and what it holds, as its client knows it."""

    queue: str
    claim: str
    messages: list[Seen]


@dataclass(frozen=True)
class Post:
    """A post; with a key it may be repeated when its answer has got lost."""

    queue: str
    messages: tuple[Seen, ...]
    pads: tuple[int, ...]
    key: str


class Clients:
    """Several clients on connections of their own; what they hold and what they know outlives the service."""

    def __init__(self, seed: int, connections: int) -> None:
        self.history: list[Event] = []
        self.strange: list[str] = []
        self._random = Random(seed)
        self._connections = connections
        self._held: list[Held] = []
        self._ended: list[Held] = []
        self._unanswered: list[Post] = []
        self._posts = 0
        self._trigger: Trigger = lambda step: None

    async def work(self, server: ServerProcess, trigger: Trigger) -> None:
        """Send requests until the service is gone."""
        self._trigger = trigger
        async with asyncio.TaskGroup() as group:
            for _ in range(self._connections):
                group.create_task(self._client(server))

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
        (action,) = self._random.choices(ACTIONS, WEIGHTS)
        await action(self, connection)

    # -- actions

    async def _post(self, connection: Connection) -> None:
        if self._unanswered and self._random.random() < 0.5:
            await self._send_post(connection, self._unanswered.pop())
            return
        self._posts += 1
        count = self._random.choice((1, 1, self._random.randint(2, _POST_MESSAGES_MAX)))
        messages = tuple(Seen(f"p{self._posts}/{number}") for number in range(count))
        pads = tuple(self._random.randrange(_PAD_CHARS_MAX) for _ in messages)
        key = f"p{self._posts}" if self._random.random() < 0.5 else ""
        await self._send_post(connection, Post(self._random.choice(QUEUES), messages, pads, key))

    async def _send_post(self, connection: Connection, post: Post) -> None:
        bodies = [{"token": seen.token, "pad": "x" * pad} for seen, pad in zip(post.messages, post.pads, strict=True)]
        document = {"messages": [{"body": body, "ttl": _TTL_S} for body in bodies]}
        headers = {"Idempotency-Key": post.key} if post.key else {}

        def log(answer: Answer | None, times: Times) -> Event:
            messages, repeated = post.messages, False
            if answer is None:
                if post.key:
                    self._unanswered.append(post)
            elif answer.status == 201:
                ids = [path.rpartition("/")[2] for path in answer.document["resources"]]
                messages = tuple(Seen(seen.token, id_) for seen, id_ in zip(post.messages, ids, strict=True))
                repeated = answer.headers.get("idempotency-replayed") == "true"
            outcome = self._outcome(answer, done=(201,))
            return Event(
                kind=Kind.POST, queue=post.queue, outcome=outcome, messages=messages, repeated=repeated, **times
            )

        await self._ask(connection, log, "POST", f"/v2/queues/{post.queue}/messages", document, **headers)

    async def _claim(self, connection: Connection) -> None:
        queue, limit = self._random.choice(QUEUES), self._random.randint(1, 10)

        def log(answer: Answer | None, times: Times) -> Event:
            outcome = self._outcome(answer, done=(201, 204))
            messages: tuple[Seen, ...] = ()
            claim = ""
            if answer is not None and answer.status == 201:
                claim = answer.headers["location"].rpartition("/")[2]
                messages = _seen(answer)
                self._held.append(Held(queue, claim, list(messages)))
            return Event(
                kind=Kind.CLAIM, queue=queue, outcome=outcome, messages=messages, claim=claim, lease_s=LEASE_S, **times
            )

        await self._ask(
            connection, log, "POST", f"/v2/queues/{queue}/claims?limit={limit}", {"ttl": LEASE_S, "grace": 60}
        )

    async def _settle(self, connection: Connection) -> None:
        """Delete what a claim holds, one by one or together, perhaps not all of it."""
        if not self._held:
            return
        held = self._held.pop(self._random.randrange(len(self._held)))
        try:
            if self._random.random() < 0.3:
                await self._delete(connection, held, held.messages, f"?ids={','.join(s.id for s in held.messages)}")
                held.messages.clear()
            while held.messages and self._random.random() < 0.9:
                seen = held.messages[-1]
                await self._delete(connection, held, [seen], f"/{seen.id}?claim_id={held.claim}")
                held.messages.pop()
        finally:
            if held.messages:
                self._held.append(held)

    async def _release(self, connection: Connection) -> None:
        if not self._held:
            return
        held = self._held.pop(self._random.randrange(len(self._held)))
        await self.release(connection, held.queue, held.claim)
        self._ended.append(held)

    async def _release_one(self, connection: Connection) -> None:
        if not self._held:
            return
        held = self._random.choice(self._held)
        seen = held.messages.pop()
        if not held.messages:
            self._held.remove(held)
        path = f"/v2/queues/{held.queue}/claims/{held.claim}/messages/{seen.id}"
        await self._ask(connection, self._settled(Kind.RELEASE, held.queue, held.claim, [seen]), "PATCH", path, {})

    async def _delete_late(self, connection: Connection) -> None:
        """Try to delete under a claim that has ended."""
        if not self._ended:
            return
        held = self._ended.pop(0)
        seen = held.messages[0]
        await self._delete(connection, held, [seen], f"/{seen.id}?claim_id={held.claim}")

    async def _pop(self, connection: Connection) -> None:
        await self.pop(connection, self._random.choice(QUEUES), self._random.randint(1, 5))

    async def release(self, connection: Connection, queue: str, claim: str) -> None:
        """End a claim."""
        log = self._settled(Kind.RELEASE, queue, claim, ())
        await self._ask(connection, log, "DELETE", f"/v2/queues/{queue}/claims/{claim}")

    async def pop(self, connection: Connection, queue: str, count: int) -> int:
        """Pop messages and return how many came."""

        def log(answer: Answer | None, times: Times) -> Event:
            outcome = self._outcome(answer, done=(200,))
            messages = () if answer is None or outcome is not Outcome.DONE else _seen(answer)
            return Event(kind=Kind.POP, queue=queue, outcome=outcome, messages=messages, count=count, **times)

        event = await self._ask(connection, log, "DELETE", f"/v2/queues/{queue}/messages?pop={count}")
        return len(event.messages)

    # -- what they have in common

    async def _delete(self, connection: Connection, held: Held, messages: Sequence[Seen], rest: str) -> None:
        path = f"/v2/queues/{held.queue}/messages{rest}"
        await self._ask(connection, self._settled(Kind.DELETE, held.queue, held.claim, messages), "DELETE", path)

    def _settled(self, kind: Kind, queue: str, claim: str, messages: Sequence[Seen]) -> Log:
        named = tuple(messages)

        def log(answer: Answer | None, times: Times) -> Event:
            refused = (400, 403) if kind is Kind.DELETE else (404,)
            outcome = self._outcome(answer, done=(204,), refused=refused)
            return Event(kind=kind, queue=queue, outcome=outcome, messages=named, claim=claim, **times)

        return log

    def _outcome(self, answer: Answer | None, *, done: Sequence[int], refused: Sequence[int] = ()) -> Outcome:
        if answer is None:
            return Outcome.UNKNOWN
        if answer.status in done:
            return Outcome.DONE
        if answer.status not in refused:
            self.strange.append(f"{answer.status} {answer.document}")
        return Outcome.REFUSED if answer.status < 500 else Outcome.UNKNOWN

    async def _ask(
        self, connection: Connection, log: Log, method: str, path: str, *document: Any, **headers: str
    ) -> Event:
        start_s = time.monotonic()
        answer: Answer | None = None
        try:
            answer = await connection.ask(method, path, *document, sent=lambda: self._trigger("sent"), **headers)
        finally:
            event = log(answer, {"start_s": start_s, "end_s": time.monotonic()})
            self.history.append(event)
        self._trigger("acknowledged")
        return event


ACTIONS: Final = (
    Clients._post,
    Clients._claim,
    Clients._settle,
    Clients._release,
    Clients._release_one,
    Clients._delete_late,
    Clients._pop,
)
WEIGHTS: Final = (40, 20, 20, 6, 4, 4, 10)


async def view(server: ServerProcess, queue: str) -> Event:
    """List a queue with all that is in it, claimed or not."""
    connection = await Connection.open(server.host, server.port)
    messages: list[Seen] = []
    start_s = time.monotonic()
    path = f"/v2/queues/{queue}/messages?limit=1000&echo=true&include_claimed=true&include_delayed=true"
    while True:
        answer = await connection.ask("GET", path)
        assert answer.status == 200, answer
        if not (page := _seen(answer)):
            break
        messages += page
        (link,) = answer.document["links"]
        path = link["href"]
    await connection.close()
    return Event(kind=Kind.VIEW, queue=queue, messages=tuple(messages), start_s=start_s, end_s=time.monotonic())


def _seen(answer: Answer) -> tuple[Seen, ...]:
    return tuple(
        Seen(message["body"]["token"], message["id"], message.get("href", "").partition("?claim_id=")[2])
        for message in answer.document["messages"]
    )
