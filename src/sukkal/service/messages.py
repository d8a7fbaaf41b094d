"""Messages: posting, reading and deleting them."""

from collections.abc import Callable, Mapping, Sequence

import msgspec

from sukkal.errors import (
    BadClaim,
    ClaimNotFound,
    InvalidParameter,
    InvalidRequest,
    MessageClaimed,
    MessageNotFound,
    QueueNotFound,
)
from sukkal.model import (
    Ack,
    Deleted,
    Message,
    NewClaim,
    Position,
    QueueKey,
    Settled,
    View,
)
from sukkal.service.attributes import DeadLetters
from sukkal.service.incoming import Incoming
from sukkal.service.lenses import CLEAR, Lens, Lenses
from sukkal.service.looking import browse, position_at
from sukkal.service.pages import check_limit, marker_of, position_of
from sukkal.service.waiting import Waiting
from sukkal.settings import Settings
from sukkal.store import Store

__all__ = ["MessagePage", "Messages"]

_CLAIMED = "This message is claimed; it cannot be deleted without a valid claim ID."
_NOT_CLAIMED = "A claim was specified, but the message is not currently claimed."
_NO_CLAIM = "The specified claim does not exist or has expired."


class MessagePage(msgspec.Struct, frozen=True):
    """Part of a listing, as of ``now_ms``; ``marker`` continues it, ``None`` when nothing was found after the last."""

    messages: tuple[Message, ...]
    marker: str | None
    now_ms: int


class Messages:
    """The operations on messages."""

    def __init__(
        self,
        store: Store,
        settings: Settings,
        waiting: Waiting,
        incoming: Incoming,
        lenses: Lenses,
        now_ms: Callable[[], int],
        new_id: Callable[[], str],
    ) -> None:
        self._store = store
        self._settings = settings
        self._waiting = waiting
        self._lenses = lenses
        self.post = incoming.post
        self.post_each = incoming.post_each
        self.earlier = incoming.earlier
        self.check_size = incoming.check_size
        self._now_ms = now_ms
        self._new_id = new_id

    # -- looking

    async def list(
        self,
        key: QueueKey,
        *,
        marker: str | None,
        limit: int | None,
        view: View,
        wait_s: int = 0,
        lens: Lens = CLEAR,
    ) -> MessagePage:
        """Return messages of a view of the queue, as the lens shows them, waiting for the first ones if asked to.

        A page that is thinned by filters may be short, even empty, and still have a marker.
        """
        limit = check_limit(
            limit,
            self._settings.max_messages_per_page,
            "Limit must be at least 1 and may not be greater than {}.",
        )
        after = await self._after(key, marker, view) if marker else None

        page = MessagePage((), None, 0)

        async def look() -> MessagePage | None:
            nonlocal after, page
            now_ms = self._now_ms()
            found = await browse(
                self._store, self._lenses, lens, key, after=after, limit=limit, view=view, now_ms=now_ms
            )
            # What was passed by need not be looked at again.
            after = found.next or after
            page = MessagePage(found.messages, marker_of(found.next) if found.next else None, now_ms)
            return page if found.messages or (found.next and lens.passes) else None

        await self._waiting.until(key, look, wait_s=wait_s, takes=False)
        return page

    async def _after(self, key: QueueKey, marker: str, view: View) -> Position:
        if (position := position_of(marker)) is not None:
            return position
        # Callers of Zaqar name the last message that they saw.
        for message in await self._store.get_messages(key, (marker,), now_ms=self._now_ms()):
            return position_at(message)
        raise InvalidParameter(
            'The "marker" parameter is invalid. It must be taken from the next link of a page, or be the id of a '
            "message that is still there."
        )

    async def get(self, key: QueueKey, message_id: str) -> tuple[Message, int]:
        """Return one message, claimed or not, and the time. Raises ``MessageNotFound``, ``QueueNotFound``."""
        now_ms = self._now_ms()
        for message in await self._store.get_messages(key, (message_id,), now_ms=now_ms):
            return message, now_ms
        if await self._store.get_queue(key) is None:
            raise QueueNotFound(f"Queue {key.name} does not exist for project {key.project}")
        raise MessageNotFound(f"Message {message_id} does not exist in queue {key.name} for project {key.project}")

    async def get_many(self, key: QueueKey, ids: Sequence[str]) -> tuple[tuple[Message, ...], int]:
        """Return those of the messages that exist, and the time. Raises ``MessageNotFound`` if none does."""
        self._check_ids(ids)
        now_ms = self._now_ms()
        messages = await self._store.get_messages(key, ids, now_ms=now_ms)
        if not messages:
            raise MessageNotFound(
                f"No messages with IDs: {list(ids)} found in the queue {key.name} for project {key.project}."
            )
        return messages, now_ms

    # -- out

    async def delete(self, key: QueueKey, message_id: str, claim_id: str | None) -> None:
        """Delete one message: a claimed one only with its claim. One that does not exist is no error.

        Raises ``MessageClaimed``, ``BadClaim``.
        """
        now_ms = self._now_ms()
        if claim_id is None:
            deleted = await self._store.delete_messages(key, (message_id,), now_ms=now_ms, claimed=False)
            if deleted[message_id] is Deleted.CLAIMED:
                raise MessageClaimed(_CLAIMED)
            return
        try:
            settled = await self._store.settle(key, claim_id, {message_id: Ack()}, now_ms=now_ms)
        except ClaimNotFound:
            if not await self._store.get_messages(key, (message_id,), now_ms=now_ms):
                return
            raise BadClaim(_NO_CLAIM) from None
        if settled[message_id] is Settled.NOT_CLAIMED:
            raise BadClaim(_NOT_CLAIMED)
        if settled[message_id] is Settled.OTHER_CLAIM:
            raise MessageClaimed(_CLAIMED)

    async def delete_many(self, key: QueueKey, ids: Sequence[str], claim_ids: Sequence[str] | None) -> None:
        """Delete messages by id, claimed or not; where the service demands claims, only those that they hold."""
        self._check_ids(ids)
        now_ms = self._now_ms()
        if not self._settings.message_delete_with_claim_id:
            await self._store.delete_messages(key, ids, now_ms=now_ms, claimed=True)
            return
        if not claim_ids:
            raise InvalidRequest(
                'The request should have both "ids" and "claim_ids" parameter in the request when '
                "message_delete_with_claim_id is True."
            )
        left = await self._settle_under(key, ids, claim_ids, now_ms)
        if any(outcome is not Settled.MISSING for outcome in left.values()):
            raise MessageClaimed(
                f"These messages are not held by the claims given and were not deleted: {', '.join(left)}."
            )

    async def _settle_under(
        self, key: QueueKey, ids: Sequence[str], claim_ids: Sequence[str], now_ms: int
    ) -> Mapping[str, Settled]:
        left = dict.fromkeys(ids, Settled.NOT_CLAIMED)
        for claim_id in dict.fromkeys(claim_ids):
            try:
                settled = await self._store.settle(key, claim_id, dict.fromkeys(left, Ack()), now_ms=now_ms)
            except ClaimNotFound:
                continue
            left = {id_: outcome for id_, outcome in settled.items() if outcome is not Settled.DONE}
        return left

    async def pop(self, key: QueueKey, count: int) -> tuple[tuple[Message, ...], int]:
        """Take messages and delete them in one step; return them and the time."""
        most = self._settings.max_messages_per_claim_or_pop
        if not 1 <= count <= most:
            raise InvalidRequest(f"Pop value must be at least 1 and may not be greater than {most}.")
        now_ms = self._now_ms()
        queue = await self._store.get_queue(key)
        dead_letters = DeadLetters(queue.metadata if queue else {})
        claim = NewClaim(id=self._new_id(), ttl_s=0, grace_s=0)
        messages = await self._store.claim(
            key, claim, limit=count, now_ms=now_ms, max_attempts=dead_letters.max_attempts, settle=True
        )
        return messages, now_ms

    def _check_ids(self, ids: Sequence[str]) -> None:
        check_limit(
            len(ids),
            self._settings.max_messages_per_page,
            "Limit must be at least 1 and may not be greater than {}. It counts the ids given.",
        )
