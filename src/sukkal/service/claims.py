"""Claims: taking messages for a while, and giving them back."""

import asyncio
from collections.abc import Callable, Iterable, Sequence

from sukkal import limits
from sukkal.errors import ClaimNotFound, InvalidRequest, MessageNotFound
from sukkal.model import Claim, HeldClaim, Message, NewClaim, QueueKey, Release, Settled
from sukkal.service.attributes import DeadLetters
from sukkal.service.background import Background
from sukkal.service.clear_store import ClearStore
from sukkal.service.dead_letters import Burials
from sukkal.service.pages import check_limit
from sukkal.service.waiting import Waiting
from sukkal.settings import Settings

__all__ = ["Claims", "Taken"]

Taken = tuple[str, tuple[Message, ...], int]
"""The claim's id, the messages it holds, and the time."""


class Claims:
    """The operations on claims; ``claimed`` counts messages."""

    def __init__(
        self,
        store: ClearStore,
        settings: Settings,
        waiting: Waiting,
        burials: Burials,
        background: Background,
        now_ms: Callable[[], int],
        new_id: Callable[[], str],
    ) -> None:
        self._store = store
        self._settings = settings
        self._waiting = waiting
        self._burials = burials
        self._background = background
        self._now_ms = now_ms
        self._new_id = new_id
        self.claimed = 0

    async def create(
        self,
        key: QueueKey,
        *,
        ttl_s: int | None,
        grace_s: int | None,
        limit: int | None,
        wait_s: int = 0,
        client: str = "",
    ) -> Taken | None:
        """Claim the first free messages, waiting for some if asked to; ``None`` if there were none.

        Of several clients that wait each has its turn.
        """
        settings = self._settings
        limit = check_limit(
            limit, settings.max_messages_per_claim_or_pop, "Limit must be at least 1 and may not be greater than {}."
        )
        ttl_s, grace_s = self.check(ttl_s=ttl_s, grace_s=grace_s)

        async def take() -> Taken | None:
            return await self._take(key, NewClaim(id=self._new_id(), ttl_s=ttl_s, grace_s=grace_s), limit)

        return await self._waiting.until(key, take, wait_s=wait_s, takes=True, client=client)

    async def get(self, key: QueueKey, claim_id: str) -> tuple[HeldClaim, int]:
        """Return a live claim and the time. Raises ``ClaimNotFound``."""
        now_ms = self._now_ms()
        held = await self._store.get_claim(key, claim_id, now_ms=now_ms)
        if held is None:
            raise _not_found(key, claim_id)
        return held, now_ms

    async def held_ids(self, key: QueueKey, claim_id: str) -> frozenset[str]:
        """Return the ids of what a live claim holds, also of what cannot be read. Raises ``ClaimNotFound``."""
        ids = await self._store.held_ids(key, claim_id, now_ms=self._now_ms())
        if ids is None:
            raise _not_found(key, claim_id)
        return ids

    async def list(self, key: QueueKey, *, marker: str, limit: int | None) -> tuple[Sequence[Claim], int]:
        """Return live claims by id, and the time."""
        limit = check_limit(
            limit,
            self._settings.max_messages_per_page,
            "Limit must be at least 1 and may not be greater than {}.",
        )
        now_ms = self._now_ms()
        return await self._store.list_claims(key, after=marker, limit=limit, now_ms=now_ms), now_ms

    async def extend(self, key: QueueKey, claim_id: str, *, ttl_s: int | None, grace_s: int | None) -> None:
        """Begin a live claim's time anew. Raises ``ClaimNotFound``."""
        ttl_s = self._ttl(ttl_s)
        grace_s = self._settings.default_claim_grace if grace_s is None else grace_s
        if not 0 <= grace_s <= self._settings.max_claim_grace:
            raise InvalidRequest(
                f"The grace for a claim may not exceed {self._settings.max_claim_grace} seconds, and must not be "
                "negative."
            )
        now_ms = self._now_ms()
        await self._store.extend(key, claim_id, ttl_s=ttl_s, grace_s=grace_s, now_ms=now_ms)
        # Who waits may have reckoned with a later end.
        self._waiting.expect(key, now_ms + ttl_s * limits.SECOND_MS)

    async def release(self, key: QueueKey, claim_id: str) -> None:
        """End a claim and free what it holds at once; a claim that has ended is no error."""
        try:
            await self._store.settle(key, claim_id, {}, now_ms=self._now_ms(), rest=Release())
        except ClaimNotFound:
            return
        self._waiting.wake(key, self._settings.max_messages_per_claim_or_pop)

    @property
    def stopping(self) -> bool:
        """Whether nobody waits for messages any more."""
        return self._waiting.closing

    @property
    def most(self) -> int:
        """How many messages one claim may hold."""
        return self._settings.max_messages_per_claim_or_pop

    def let_go(self, key: QueueKey, claim_ids: Iterable[str]) -> None:
        """Release claims whose holder has gone, without waiting for it."""
        for claim_id in claim_ids:
            self._background.start(self.release(key, claim_id))

    def check(self, *, ttl_s: int | None, grace_s: int | None) -> tuple[int, int]:
        """Return how long a claim and its grace last. Raises ``InvalidRequest``."""
        ttl_s = self._ttl(ttl_s)
        grace_s = self._settings.default_claim_grace if grace_s is None else grace_s
        if not limits.CLAIM_GRACE_S_MIN <= grace_s <= self._settings.max_claim_grace:
            raise InvalidRequest(
                f"The grace for a claim may not exceed {self._settings.max_claim_grace} seconds, and must be at least "
                f"{limits.CLAIM_GRACE_S_MIN} seconds long."
            )
        return ttl_s, grace_s

    async def release_one(self, key: QueueKey, claim_id: str, message_id: str, *, delay_s: int) -> None:
        """Free one message of a live claim alone, at once or after a delay.

        Raises ``ClaimNotFound``, ``MessageNotFound`` if the claim does not hold it.
        """
        if not 0 <= delay_s <= limits.RELEASE_DELAY_S_MAX:
            raise InvalidRequest(f"The delay must be 0 to {limits.RELEASE_DELAY_S_MAX} seconds.")
        settled = await self._store.settle(key, claim_id, {message_id: Release(delay_s=delay_s)}, now_ms=self._now_ms())
        if settled[message_id] is not Settled.DONE:
            raise MessageNotFound(f"Claim {claim_id} does not hold message {message_id} of queue {key.name}")
        self._waiting.wake(key, 1)

    def _ttl(self, ttl_s: int | None) -> int:
        ttl_s = self._settings.default_claim_ttl if ttl_s is None else ttl_s
        if not limits.CLAIM_TTL_S_MIN <= ttl_s <= self._settings.max_claim_ttl:
            raise InvalidRequest(
                f"The TTL for a claim may not exceed {self._settings.max_claim_ttl} seconds, and must be at least "
                f"{limits.CLAIM_TTL_S_MIN} seconds long."
            )
        return ttl_s

    async def _take(self, key: QueueKey, claim: NewClaim, limit: int) -> Taken | None:
        queue = await self._store.get_queue(key)
        if queue is None:
            return None
        dead_letters = DeadLetters(queue.metadata)
        if dead_letters.max_attempts is not None:
            # So that a message that nobody may have any more is in its new place when this call returns.
            await self._burials.bury(key)
        now_ms = self._now_ms()
        taking = asyncio.ensure_future(
            self._store.claim(key, claim, limit=limit, now_ms=now_ms, max_attempts=dead_letters.max_attempts)
        )
        try:
            messages = await asyncio.shield(taking)
        except asyncio.CancelledError:
            # The caller has gone; what is taken for nobody goes back at once.
            taking.add_done_callback(lambda taken: self._give_back(key, claim, taken))
            raise
        self.claimed += len(messages)
        return (claim.id, messages, now_ms) if messages else None

    def _give_back(self, key: QueueKey, claim: NewClaim, taken: "asyncio.Future[tuple[Message, ...]]") -> None:
        if not taken.cancelled() and taken.exception() is None and taken.result():
            self._background.start(self.release(key, claim.id))


def _not_found(key: QueueKey, claim_id: str) -> ClaimNotFound:
    return ClaimNotFound(f"Claim {claim_id} does not exist in queue {key.name} for project {key.project}")
