"""Messages that are ours to work on."""

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, Self

from sukkal.client.asking import Asking, segment
from sukkal.client.errors import ClientError, LeaseLost
from sukkal.client.leases import Lease
from sukkal.client.nouns import Message
from sukkal.client.refusals import BadClaim, MessageClaimed, NotFound

__all__ = ["HeldMessage"]


class HeldMessage:
    """A message that is claimed for us, until it is acknowledged, released or lost.

    As a context, it is acknowledged at the end, and released when an exception leaves it. The claim is renewed in the
    background meanwhile.
    """

    def __init__(
        self, asking: Asking, queue: str, message: Message, lease: Lease, on_end: Callable[["HeldMessage"], None]
    ) -> None:
        self.message = message
        self.lease = lease
        self.settled = False
        self.settling = False
        self._asking = asking
        self._queue = queue
        self._on_end = on_end
        self._gone = asyncio.Event()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.settled:
            return
        if kind is None:
            await self.ack()
        elif not self.lost:
            await self.release()

    @property
    def id(self) -> str:
        """The id of the message."""
        return self.message.id

    @property
    def body(self) -> Any:
        """What was posted."""
        return self.message.body

    @property
    def claim_count(self) -> int:
        """How often the message was claimed, this time included."""
        return self.message.claim_count

    @property
    def lost(self) -> bool:
        """Whether the message is not ours any more although we have not settled it."""
        return self._gone.is_set() and not self.settled

    async def until_lost(self) -> None:
        """Wait until the message is not ours any more."""
        await self._gone.wait()

    async def ack(self) -> None:
        """Delete the message: its work is done. Raises ``LeaseLost`` if it was not ours any more, ``ClientError``."""
        self._check()
        try:
            with self._at_it():
                await self._asking.do("DELETE", self._path, query={"claim_id": self.lease.id})
        except (BadClaim, MessageClaimed) as refused:
            self.lose()
            raise self._lease_lost() from refused
        self._settle()

    async def release(self, delay: int = 0) -> None:
        """Give the message back, for others to have at once or after ``delay`` seconds. Raises ``ClientError``."""
        self._check()
        try:
            with self._at_it():
                await self._asking.do("PATCH", f"{self.lease.path}/messages/{segment(self.id)}", {"delay": delay})
        except NotFound:
            # Either an attempt whose answer was lost has done it, or it was not ours any more: it is free.
            self.lose()
            return
        self._settle()

    async def extend(self, lease: int | None = None) -> None:
        """Begin the time of the claim anew; ``lease`` is its length in seconds from now on.

        The other messages of the same claim share it. Raises ``LeaseLost``, ``ClientError``.
        """
        self._check()
        try:
            await self.lease.extend(lease)
        except NotFound as refused:
            raise self._lease_lost() from refused

    async def reply(self, body: Any, *, ttl: int = 60) -> None:
        """Post a reply to whoever called. Raises ``ClientError`` if nobody expects one."""
        if self.message.reply_to is None:
            raise ClientError(f"Message {self.id} does not say where a reply is expected.")
        reply = {"body": body, "ttl": ttl}
        if self.message.correlation_id is not None:
            reply["correlation_id"] = self.message.correlation_id
        # A second one is ignored: the first reply counts.
        path = f"/v2/queues/{segment(self.message.reply_to)}/messages"
        await self._asking.ask("POST", path, {"messages": [reply]}, headers={"Idempotency-Key": f"reply-{self.id}"})

    def lose(self) -> None:
        """Take note that the message is not ours any more."""
        if not self._gone.is_set():
            self._gone.set()
            self._on_end(self)

    @property
    def _path(self) -> str:
        return f"{self._queue}/messages/{segment(self.id)}"

    def _check(self) -> None:
        if self.settled:
            raise ClientError(f"Message {self.id} is settled already.")
        if self._gone.is_set():
            raise self._lease_lost()

    @contextlib.contextmanager
    def _at_it(self) -> Iterator[None]:
        self.settling = True
        try:
            yield
        finally:
            self.settling = False

    def _settle(self) -> None:
        self.settled = True
        self._gone.set()
        self._on_end(self)

    def _lease_lost(self) -> LeaseLost:
        return LeaseLost(f"Message {self.id} is not ours any more: its claim has ended. Another consumer may have it.")
