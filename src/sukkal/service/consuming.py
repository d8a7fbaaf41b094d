"""Consumers to whom messages come by themselves, claimed for them, a number of them ahead of their work."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

from sukkal import limits
from sukkal.errors import ClaimNotFound, SukkalError
from sukkal.model import Message, QueueKey
from sukkal.service.claims import Claims, Taken

__all__ = ["Consumer"]

_RENEWALS: Final = 3
"""How often a claim is renewed in its time, so that one renewal may come late."""


class Consumer:
    """One consumer at one queue: it holds as many messages as its ``prefetch`` says, under claims that are renewed.

    ``hand`` gives it a message, and waits until it can take the next one. What it has done with, it says by ``settled``
    and ``ended``. It takes turns as the ``client`` that it belongs to.
    """

    def __init__(
        self, claims: Claims, key: QueueKey, hand: Callable[[Message], Awaitable[None]], *, client: str
    ) -> None:
        self._claims = claims
        self._key = key
        self._hand = hand
        self._client = client
        self._prefetch = self._ttl_s = self._grace_s = 0
        self._held: dict[str, str] = {}
        self._changed = asyncio.Event()
        self._taking: asyncio.Future[Taken | None] | None = None
        self._renewing: asyncio.Future[None] | None = None

    def change(self, *, prefetch: int, ttl_s: int, grace_s: int) -> None:
        """Hold so many messages at most from now on, each claimed for so long at a time; 0 takes no more."""
        self._prefetch, self._ttl_s, self._grace_s = prefetch, ttl_s, grace_s
        self._changed.set()
        if self._taking is not None:
            self._taking.cancel()
        self.look_again()

    def look_again(self) -> None:
        """Renew the claims now, which tells what is held, and from now on as often as their time asks for."""
        if self._renewing is not None:
            self._renewing.cancel()
            self._renewing = asyncio.ensure_future(self._keep_renewing())

    def settled(self, ids: Iterable[str]) -> None:
        """Take note that messages are not held any more."""
        for id_ in ids:
            self._held.pop(id_, None)
        self._changed.set()

    def ended(self, claim_id: str) -> None:
        """Take note that nothing is held under a claim any more."""
        self.settled([id_ for id_, claim in self._held.items() if claim == claim_id])

    async def consume(self) -> None:
        """Take messages as there is room for them, and at the end let go of what is held.

        It ends when cancelled or stopping, or when it is to take no more and is done with what it had.
        """
        self._renewing = asyncio.ensure_future(self._keep_renewing())
        try:
            while not self._claims.stopping and (self._prefetch or self._held):
                self._changed.clear()
                room = self._prefetch - len(self._held)
                if room > 0:
                    await self._take(room)
                else:
                    await self._changed.wait()
        finally:
            self._renewing.cancel()
            self._renewing = None
            self._claims.let_go(self._key, set(self._held.values()))

    async def renew(self) -> None:
        """Begin the time of all claims anew, and notice what is not held any more."""
        for claim_id in set(self._held.values()):
            with contextlib.suppress(SukkalError):  # There is time for another renewal, and others have to be renewed.
                await self._renew(claim_id)

    async def _renew(self, claim_id: str) -> None:
        try:
            await self._claims.extend(self._key, claim_id, ttl_s=self._ttl_s, grace_s=self._grace_s)
            still = await self._claims.held_ids(self._key, claim_id)
        except ClaimNotFound:
            self.ended(claim_id)
            return
        self.settled([id_ for id_, claim in self._held.items() if claim == claim_id and id_ not in still])

    async def _take(self, room: int) -> None:
        ttl_s = self._ttl_s
        taking = self._taking = asyncio.ensure_future(
            self._claims.create(
                self._key,
                ttl_s=ttl_s,
                grace_s=self._grace_s,
                limit=min(room, self._claims.most),
                wait_s=limits.WAIT_S_MAX,
                client=self._client,
            )
        )
        try:
            await asyncio.wait((taking,))
        except asyncio.CancelledError:
            if not taking.cancel() and (late := taking.result()) is not None:
                self._claims.let_go(self._key, (late[0],))
            raise
        finally:
            self._taking = None
        taken = None if taking.cancelled() else taking.result()
        if taken is None:
            return
        claim_id, messages, _ = taken
        self._held |= {message.id: claim_id for message in messages}
        if ttl_s != self._ttl_s:
            self.look_again()  # They were claimed before the numbers changed.
        for message in messages:
            await self._hand(message)

    async def _keep_renewing(self) -> None:
        while True:
            await self.renew()
            await asyncio.sleep(self._ttl_s / _RENEWALS)
