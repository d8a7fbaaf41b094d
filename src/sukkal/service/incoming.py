"""What comes in: drafts become messages by the rules of their queue, or are refused."""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Final, TypeVar

import msgspec
from msgspec.structs import replace

from sukkal import limits
from sukkal.errors import InvalidRequest
from sukkal.model import NewMessage, Once, Post, Published, Queue, QueueKey, Usage
from sukkal.service.attributes import QueueRules, Rulebook, stores_nothing
from sukkal.service.conflation import conflation_key
from sukkal.service.encryption import Encryption
from sukkal.service.fan_out import Copies, FanOut, is_copied
from sukkal.service.lenses import posted
from sukkal.service.letters import addressed, on_its_way
from sukkal.service.listening import Listeners
from sukkal.service.names import is_queue_name
from sukkal.service.neighbours import Neighbours
from sukkal.service.normalising import normalised, size_as_posted
from sukkal.service.posting import Posting
from sukkal.service.quotas import Quotas, charge
from sukkal.service.recognising import Recogniser
from sukkal.service.repeats import Repeats, check_key
from sukkal.service.replies import Replies
from sukkal.settings import Settings
from sukkal.store import Store
from sukkal.tracing import Trace, Tracer, current_trace

__all__ = ["Draft", "Incoming", "Posted"]

T = TypeVar("T")

_NO_COPIES: Final = Copies()


class Draft(msgspec.Struct, frozen=True, gc=False):
    """A message as its producer describes it; what is ``None`` is the queue's to decide.

    ``reply_to`` names the queue where a reply is expected, ``correlation_id`` what tells replies apart.
    """

    body: bytes
    ttl_s: int | None = None
    delay_s: int | None = None
    reply_to: str | None = None
    correlation_id: str | None = None


class Posted(msgspec.Struct, frozen=True, gc=False):
    """The ids of the messages of a post, ``repeated`` if an earlier post had stored them.

    Of a queue that stores nothing, ``listeners`` is how many were told on this node.
    """

    ids: tuple[str, ...]
    repeated: bool = False
    listeners: int | None = None


class Incoming:
    """Takes posts."""

    def __init__(
        self,
        store: Store,
        settings: Settings,
        quotas: Quotas,
        encryption: Encryption,
        fan_out: FanOut,
        posting: Posting,
        listeners: Listeners,
        recogniser: Recogniser,
        repeats: Repeats,
        replies: Replies,
        neighbours: Neighbours,
        tracer: Tracer | None,
        now_ms: Callable[[], int],
        new_id: Callable[[], str],
    ) -> None:
        self._store = store
        self._settings = settings
        self._rulebook = Rulebook(settings)
        self._quotas = quotas
        self._encryption = encryption
        self._fan_out = fan_out
        self._posting = posting
        self._listeners = listeners
        self._recogniser = recogniser
        self._repeats = repeats
        self._replies = replies
        self._neighbours = neighbours
        self._tracer = tracer
        self._now_ms = now_ms
        self._new_id = new_id

    async def post(
        self,
        key: QueueKey,
        client: str,
        drafts: Sequence[Draft],
        *,
        size: int,
        own_rules: bool = True,
        idempotency_key: str | None = None,
        name: str | None = None,
        passed: tuple[str, ...] = (),
    ) -> Posted:
        """Store messages, all or none, and return their ids once they are durable.

        ``size`` is that of the whole post in bytes. ``own_rules`` lets the queue's attributes decide defaults and
        sizes. A post repeated with the same key is stored once, as is one of the service's own under the same
        ``name``. A queue that stores nothing only tells those who listen. What is forwarded has ``passed`` other queues
        before; if it became an event there, what it was counts.
        """
        queue = await self._store.get_queue(key)
        rules = self._rulebook.of(queue)
        asked = rules if own_rules else self._rulebook.default
        if passed and size > asked.post_bytes_max:
            size = sum([size_as_posted(self._recogniser, draft.body) for draft in drafts])
        messages = self._messages(key, rules, client, drafts, asked, size)
        if stores_nothing(key, queue):
            return await self._tell(key, queue, drafts, messages)
        if passed:
            messages = tuple([on_its_way(message, passed) for message in messages])
        sealed = self._sealed(queue, rules, messages)
        if idempotency_key is not None:
            check_key(idempotency_key)
            name = idempotency_key
        act = None if name is None else self._repeats.act(name, drafts)
        if queue is None or not is_copied(queue):
            publish = self._publish(key, queue, sealed, _NO_COPIES, act)
            published = await self._within_limits(publish, key.project, sealed, queue)
            return Posted(published.ids[0], repeated=published.repeated)
        async with self._known(key, queue, () if act is None else (act,)) as earlier:
            if act is not None and act.key in earlier:
                return Posted(earlier[act.key], repeated=True)
            copies = await self._copies(queue, messages, sealed, passed)
            publish = self._publish(key, queue, sealed, copies, act)
            published = await self._within_limits(publish, key.project, sealed, queue)
        return Posted(published.ids[0], repeated=published.repeated)

    async def post_each(
        self, key: QueueKey, client: str, drafts: Sequence[Draft], names: Sequence[str], *, size: int
    ) -> Posted:
        """Store messages, each once for its name, in their order, and return their ids once all are durable.

        They are checked together. If storing fails some may be there: repeating the post stores the others.
        """
        queue = await self._store.get_queue(key)
        rules = self._rulebook.of(queue)
        messages = self._messages(key, rules, client, drafts, rules, size)
        if stores_nothing(key, queue):
            return await self._tell(key, queue, drafts, messages)
        acts = [self._repeats.act(name) for name in dict.fromkeys(names)]
        async with self._known(key, queue, acts) as earlier:
            ids = {name: known[0] for name, known in earlier.items()}
            # Of several with one name the first is stored.
            firsts = dict(zip(reversed(names), reversed(messages), strict=True))
            new = tuple([firsts[act.key] for act in acts if act.key not in ids])
            acts = [act for act in acts if act.key not in ids]
            sealed = self._sealed(queue, rules, new)
            copies = await self._copies(queue, new, sealed, ()) if new else _NO_COPIES
            publish = self._publish_each(key, queue, sealed, copies, acts)
            published = await self._within_limits(publish, key.project, sealed, queue)
        ids |= {act.key: each.ids[0][0] for act, each in zip(acts, published, strict=True)}
        return Posted(tuple([ids[name] for name in names]), repeated=all(each.repeated for each in published))

    async def earlier(self, key: QueueKey, names: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
        """Return the ids of what was posted by ``post_each``, by those of the names under which anything was."""
        return await self._repeats.earlier(key, [self._repeats.act(name) for name in names])

    def _known(
        self, key: QueueKey, queue: Queue | None, acts: Sequence[Once]
    ) -> AbstractAsyncContextManager[Mapping[str, tuple[str, ...]]]:
        """Look up what was posted before, where that has to be known before the store says it.

        Copies take room, for which others may have to go.
        """
        if not acts or queue is None or not is_copied(queue):
            return contextlib.nullcontext({})
        return self._repeats.known(key, acts)

    async def _publish(
        self, key: QueueKey, queue: Queue | None, messages: Sequence[NewMessage], copies: Copies, act: Once | None
    ) -> Published:
        if copies.wanted:
            await self._fan_out.come(copies)
        return await self._posting.publish(key, queue, messages, copies=copies.posts, now_ms=self._now_ms(), once=act)

    async def _publish_each(
        self,
        key: QueueKey,
        queue: Queue | None,
        messages: Sequence[NewMessage],
        copies: Copies,
        acts: Sequence[Once],
    ) -> list[Published]:
        await self._fan_out.come(copies)
        now_ms = self._now_ms()
        published: list[Published] = []
        begun: list[Coroutine[Any, Any, Published]] = []
        rows = 0
        for message, more, act in zip(messages, _by_message(copies.posts, messages), acts, strict=True):
            begun.append(self._posting.publish(key, queue, (message,), copies=more, now_ms=now_ms, once=act))
            rows += 1 + len(more)
            if rows >= limits.POSTED_AT_ONCE_ROWS:
                published += await _all_of(begun)
                begun, rows = [], 0
        return published + await _all_of(begun)

    def _messages(
        self,
        key: QueueKey,
        rules: QueueRules,
        client: str,
        drafts: Sequence[Draft],
        asked: QueueRules,
        size: int,
    ) -> tuple[NewMessage, ...]:
        """Return what the drafts become by the queue's rules; those that are ``asked`` say what goes without saying."""
        self.check_size(size, asked)
        if not drafts:
            raise InvalidRequest("No messages to enqueu.")
        if len(drafts) > limits.MESSAGES_PER_POST_MAX:
            raise InvalidRequest(
                f"A post may have at most {limits.MESSAGES_PER_POST_MAX} messages; this one has {len(drafts)}. "
                "Send them in several posts."
            )
        trace = None if self._tracer is None else current_trace()
        messages = tuple([self._message(draft, client, asked, trace) for draft in drafts])
        if not rules.normalises:
            return messages
        return tuple([self._normalised(key, message, place) for place, message in enumerate(messages)])

    def _message(self, draft: Draft, client: str, rules: QueueRules, trace: Trace | None) -> NewMessage:
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
        return NewMessage(
            id=self._new_id(),
            body=draft.body,
            ttl_s=ttl_s,
            delay_s=delay_s,
            client=client,
            attributes=_attributes(draft, trace),
        )

    def _normalised(self, key: QueueKey, message: NewMessage, place: int) -> NewMessage:
        what = posted(key, message.id, at_ms=self._now_ms(), ttl_s=message.ttl_s)
        return normalised(self._recogniser, message, what, place)

    def _sealed(
        self, queue: Queue | None, rules: QueueRules, messages: tuple[NewMessage, ...]
    ) -> tuple[NewMessage, ...]:
        if queue is None:
            return messages
        if rules.conflates:
            messages = self._keyed(queue, messages)
        if not rules.encrypts:
            return messages
        seal, project = self._encryption.seal, queue.key.project
        return tuple([replace(message, body=seal(project, message.id, message.body)) for message in messages])

    def _keyed(self, queue: Queue, messages: tuple[NewMessage, ...]) -> tuple[NewMessage, ...]:
        return tuple([replace(message, key=conflation_key(queue, message, self._encryption)) for message in messages])

    async def _copies(
        self,
        queue: Queue | None,
        messages: tuple[NewMessage, ...],
        sealed: tuple[NewMessage, ...],
        passed: tuple[str, ...],
    ) -> Copies:
        if queue is None or not is_copied(queue):
            return _NO_COPIES
        if self._tracer is None:
            return await self._fan_out.copies(queue, messages, sealed, passed)
        span = self._tracer.begin(
            "fan out", "internal", current_trace(), {"messaging.destination.name": queue.key.name}
        )
        try:
            copies = await self._fan_out.copies(queue, messages, sealed, passed)
        except BaseException as error:
            span.end(type(error).__name__)
            raise
        span.note("sukkal.subscriptions", len(copies.wanted))
        span.end()
        return copies

    def _within_limits(
        self, publish: Coroutine[Any, Any, T], project: str, messages: Sequence[NewMessage], queue: Queue | None
    ) -> Coroutine[Any, Any, T]:
        """Return how to publish: as far as the project may keep so much."""
        return self._charged(publish, project, charge(messages, queue)) if self._quotas.limited(project) else publish

    async def _charged(self, publish: Coroutine[Any, Any, T], project: str, wanted: Usage) -> T:
        with contextlib.closing(publish):
            await self._quotas.take(project, wanted)
            try:
                return await publish
            finally:
                self._quotas.settle(project, wanted)

    async def _tell(
        self, key: QueueKey, queue: Queue | None, drafts: Sequence[Draft], messages: tuple[NewMessage, ...]
    ) -> Posted:
        """Post to a queue that stores nothing."""
        if any(message.delay_s for message in messages):
            raise InvalidRequest("The queue stores nothing, so it takes no delays.")
        # Others first: if they cannot be told now, repeating the post tells nobody twice.
        if not self._replied(key, drafts):
            sealed = self._sealed(queue, self._rulebook.of(queue), messages)
            await self._neighbours.tell(key, sealed, [draft.correlation_id for draft in drafts])
        told = self._listeners.announce(key, messages, (None,) * len(messages))
        await self._listeners.eased(key)
        return Posted(tuple([message.id for message in messages]), listeners=told)

    def _replied(self, key: QueueKey, drafts: Sequence[Draft]) -> bool:
        """Hand replies to those who expect them here, and tell whether that was all."""
        here = [
            draft.correlation_id is not None and self._replies.expects(key, draft.correlation_id) for draft in drafts
        ]
        for draft, expected in zip(drafts, here, strict=True):
            if expected and draft.correlation_id is not None:
                self._replies.arrived(key, draft.correlation_id, draft.body)
        return all(here)

    def check_size(self, size: int, rules: QueueRules | None = None) -> None:
        """Refuse a post that is too large for the service, or for the queue whose rules are given."""
        most = rules.post_bytes_max if rules else self._settings.max_messages_post_size
        if size > most:
            raise InvalidRequest(f"Message collection size is too large. Max size {most}")


def _attributes(draft: Draft, trace: Trace | None) -> bytes | None:
    if draft.reply_to is not None and not is_queue_name(draft.reply_to):
        raise InvalidRequest("reply_to must be the name of a queue.")
    if draft.correlation_id is not None and not 0 < len(draft.correlation_id) <= limits.CORRELATION_ID_CHARS_MAX:
        raise InvalidRequest(f"correlation_id must have 1 to {limits.CORRELATION_ID_CHARS_MAX} characters.")
    return addressed(draft.reply_to, draft.correlation_id, trace)


def _by_message(copies: Sequence[Post], messages: Sequence[NewMessage]) -> Iterator[list[Post]]:
    """Give the copies of one message after the other; each post has its copies in the order of the messages."""
    left = [(post.queue, list(reversed(post.messages))) for post in copies]
    for message in messages:
        yield [Post(key, (some.pop(),)) for key, some in left if some and some[-1].id == message.id]


async def _all_of(works: Sequence[Coroutine[Any, Any, Published]]) -> list[Published]:
    """Do works together and return their results. Begun in their order they are stored in it, in few commits."""
    ends = await asyncio.gather(*works, return_exceptions=True)
    published: list[Published] = []
    for end in ends:
        if isinstance(end, BaseException):
            raise end
        published.append(end)
    return published
