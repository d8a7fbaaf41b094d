"""Messages: posting, reading and deleting them."""

import contextlib
import hashlib
import re
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from sukkal import limits
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
    NewMessage,
    Once,
    Position,
    Post,
    Published,
    QueueKey,
    Settled,
    Usage,
    View,
)
from sukkal.service.attributes import DeadLetters, QueueRules, encrypts, is_ephemeral
from sukkal.service.encryption import Encryption
from sukkal.service.fan_out import FanOut
from sukkal.service.listening import Listeners
from sukkal.service.pages import check_limit, marker_of, position_of
from sukkal.service.posting import Posting
from sukkal.service.quotas import Quotas
from sukkal.service.waiting import Waiting
from sukkal.settings import Settings
from sukkal.store import Store

__all__ = ["Draft", "MessagePage", "Messages", "Posted"]

_IDEMPOTENCY_KEY: Final = re.compile(rf"[!-~]{{1,{limits.IDEMPOTENCY_KEY_CHARS_MAX}}}")
_CLAIMED = "This message is claimed; it cannot be deleted without a valid claim ID."
_NOT_CLAIMED = "A claim was specified, but the message is not currently claimed."
_NO_CLAIM = "The specified claim does not exist or has expired."


class Draft(msgspec.Struct, frozen=True, gc=False):
    """A message as its producer describes it; what is ``None`` is the queue's to decide."""

    body: bytes
    ttl_s: int | None = None
    delay_s: int | None = None


class Posted(msgspec.Struct, frozen=True):
    """The ids of the messages of a post, ``repeated`` if an earlier post had stored them.

    Of a queue that stores nothing, ``listeners`` is how many were told on this node.
    """

    ids: tuple[str, ...]
    repeated: bool = False
    listeners: int | None = None


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
        quotas: Quotas,
        encryption: Encryption,
        fan_out: FanOut,
        posting: Posting,
        listeners: Listeners,
        now_ms: Callable[[], int],
        new_id: Callable[[], str],
    ) -> None:
        self._store = store
        self._settings = settings
        self._waiting = waiting
        self._quotas = quotas
        self._encryption = encryption
        self._fan_out = fan_out
        self._posting = posting
        self._listeners = listeners
        self._now_ms = now_ms
        self._new_id = new_id

    # -- in

    async def post(
        self,
        key: QueueKey,
        client: str,
        drafts: Sequence[Draft],
        *,
        size: int,
        own_rules: bool = True,
        idempotency_key: str | None = None,
        passed: tuple[str, ...] = (),
    ) -> "Posted":
        """Store messages, all or none, and return their ids once they are durable.

        ``size`` is that of the whole post in bytes. ``own_rules`` lets the queue's attributes decide defaults and
        sizes. A post repeated with the same key is stored once. A queue that stores nothing only tells those who
        listen. What is forwarded has ``passed`` other queues before.
        """
        queue = await self._store.get_queue(key)
        rules = QueueRules(queue.metadata if queue and own_rules else {}, self._settings)
        self.check_size(size, rules)
        if not drafts:
            raise InvalidRequest("No messages to enqueu.")
        if len(drafts) > limits.MESSAGES_PER_POST_MAX:
            raise InvalidRequest(
                f"A post may have at most {limits.MESSAGES_PER_POST_MAX} messages; this one has {len(drafts)}. "
                "Send them in several posts."
            )
        messages = tuple([self._message(draft, client, rules) for draft in drafts])
        if queue is not None and is_ephemeral(queue.metadata):
            return self._tell(key, messages)
        if queue is not None and encrypts(queue.metadata):
            messages = tuple([self._sealed(key.project, message) for message in messages])
        now_ms = self._now_ms()
        once = None if idempotency_key is None else self._once(idempotency_key, drafts, now_ms)
        copies: Sequence[Post] = ()
        if queue is not None and queue.subscriptions:
            copies = await self._fan_out.copies(queue, messages, passed)
        publish = self._posting.publish(key, queue, messages, copies=copies, now_ms=now_ms, once=once)
        if self._quotas.limited(key.project):
            published = await self._within_limits(publish, key.project, messages, new=queue is None)
        else:
            published = await publish
        return Posted(published.ids[0], repeated=published.repeated)

    async def _within_limits(
        self, publish: Coroutine[Any, Any, Published], project: str, messages: Sequence[NewMessage], *, new: bool
    ) -> Published:
        # Copies for subscribers do not count: whoever posts does not know how many there are.
        size = sum([len(message.body) for message in messages])
        wanted = Usage(queues=int(new), messages=len(messages), bytes=size)
        with contextlib.closing(publish):
            await self._quotas.take(project, wanted)
            try:
                return await publish
            finally:
                self._quotas.settle(project, wanted)

    def _tell(self, key: QueueKey, messages: Sequence[NewMessage]) -> "Posted":
        """Post to a queue that stores nothing."""
        if any(message.delay_s for message in messages):
            raise InvalidRequest("The queue stores nothing (_persistence), so it takes no delays.")
        told = self._listeners.announce(key, messages, (None,) * len(messages))
        return Posted(tuple([message.id for message in messages]), listeners=told)

    def _sealed(self, project: str, message: NewMessage) -> NewMessage:
        return replace(message, body=self._encryption.seal(project, message.id, message.body))

    def check_size(self, size: int, rules: QueueRules | None = None) -> None:
        """Refuse a post that is too large for the service, or for the queue whose rules are given."""
        most = rules.post_bytes_max if rules else self._settings.max_messages_post_size
        if size > most:
            raise InvalidRequest(f"Message collection size is too large. Max size {most}")

    def _message(self, draft: Draft, client: str, rules: QueueRules) -> NewMessage:
        ttl_s = rules.message_ttl_s if draft.ttl_s is None else draft.ttl_s
        delay_s = rules.message_delay_s if draft.delay_s is None else draft.delay_s
        if not limits.MESSAGE_TTL_S_MIN <= ttl_s <= self._settings.max_message_ttl:
            raise InvalidRequest(
                f"The TTL for a message may not exceed {self._settings.max_message_ttl} seconds, and must be at least "
                f"{limits.MESSAGE_TTL_S_MIN} seconds long."
            )
        if not 0 <= delay_s <= self._settings.max_message_delay:
            raise InvalidRequest(
                f"The Delay TTL for a message may not exceed {self._settings.max_message_delay} seconds,and must be "
                "at least 0 seconds long."
            )
        return NewMessage(id=self._new_id(), body=draft.body, ttl_s=ttl_s, delay_s=delay_s, client=client)

    def _once(self, idempotency_key: str, drafts: Sequence[Draft], now_ms: int) -> Once:
        if not _IDEMPOTENCY_KEY.fullmatch(idempotency_key):
            raise InvalidRequest(
                f"The header Idempotency-Key must have 1 to {limits.IDEMPOTENCY_KEY_CHARS_MAX} printable ASCII "
                "characters without spaces."
            )
        return Once(
            key=idempotency_key,
            fingerprint=hashlib.sha256(msgspec.json.encode(drafts)).digest(),
            expires_ms=now_ms + self._settings.idempotency_window_s * limits.SECOND_MS,
        )

    # -- looking

    async def list(
        self, key: QueueKey, *, marker: str | None, limit: int | None, view: View, wait_s: int = 0
    ) -> MessagePage:
        """Return messages of a view of the queue, waiting for the first ones if asked to."""
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
            found = await self._store.browse(key, after=after, limit=limit, view=view, now_ms=now_ms)
            # What was passed by need not be looked at again.
            after = found.next or after
            page = MessagePage(found.messages, marker_of(found.next) if found.next else None, now_ms)
            return page if found.messages else None

        await self._waiting.until(key, look, wait_s=wait_s, takes=False)
        return page

    async def _after(self, key: QueueKey, marker: str, view: View) -> Position:
        if (position := position_of(marker)) is not None:
            return position
        # Callers of Zaqar name the last message that they saw.
        for message in await self._store.get_messages(key, (marker,), now_ms=self._now_ms()):
            at_ms = message.visible_ms if message.claim_id is None else message.created_ms
            return Position(at_ms, message.sequence)
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
