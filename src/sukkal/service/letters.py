"""Dead letters on their way: they are posted to their queue as any message is, for its subscribers as well.

A letter remembers which queues it has passed. One that comes to a queue again, because the subscriptions and the
dead-letter queues go round in a circle, is kept there and goes no further.
"""

import logging
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from sukkal import limits
from sukkal.errors import KeyUnavailable
from sukkal.model import Message, NewMessage, Queue, QueueKey, Subscription
from sukkal.service.attributes import normalises
from sukkal.service.conflation import conflation_key
from sukkal.service.encryption import Encryption, is_sealed
from sukkal.service.fan_out import Copies, FanOut, Origin, is_copied, passing
from sukkal.service.lenses import posted
from sukkal.service.posting import Posting
from sukkal.service.recognising import Recogniser
from sukkal.store import Store
from sukkal.tracing import Trace

__all__ = ["DeadLetter", "Letters", "addressed", "further", "letter", "on_its_way", "passed_by", "undeliverable"]

_log: Final = logging.getLogger("sukkal.dead_letters")


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where a dead letter comes from and why; kept as the message's attribute ``dead_letter``.

    One that could not be delivered names its subscription and subscriber, and how the last attempt ended.
    """

    reason: str
    queue: str
    claim_count: int
    subscription: str | None = None
    subscriber: str | None = None
    status: int | None = None
    error: str = ""


class _Way(msgspec.Struct, frozen=True, omit_defaults=True):
    """Attributes of a message: where it comes from, where a reply to it goes, and which trace it belongs to."""

    dead_letter: DeadLetter | None = None
    passed: tuple[str, ...] = ()
    reply_to: str | None = None
    correlation_id: str | None = None
    traceparent: str | None = None
    tracestate: str = ""


_decoder: Final = msgspec.json.Decoder(_Way)
_NO_WAY: Final = _Way()


def passed_by(message: Message) -> tuple[str, ...]:
    """Return the queues that a message of a queue was in before."""
    return _way(message).passed


def further(passed: tuple[str, ...], origin: QueueKey) -> tuple[str, ...]:
    """Return the queues that a message has passed when it leaves one; there are no more than matter."""
    here = passing(origin)
    return passed if here in passed or len(passed) > limits.QUEUE_HOPS_MAX else (*passed, here)


def letter(message: Message, why: DeadLetter, *, ttl_s: int, passed: tuple[str, ...]) -> NewMessage:
    """Return what becomes of a message: under its own id, so that to post it twice changes nothing."""
    was = _way(message)
    attributes = msgspec.json.encode(msgspec.structs.replace(was, dead_letter=why, passed=passed))
    return NewMessage(id=message.id, body=message.body, ttl_s=ttl_s, client=message.client, attributes=attributes)


def undeliverable(subscription: Subscription, origin: Origin, reason: str) -> DeadLetter:
    """Return why a delivery becomes a dead letter."""
    return DeadLetter(
        reason=f"undeliverable: {reason}",
        queue=subscription.queue.name,
        claim_count=origin.attempts,
        subscription=subscription.id,
        subscriber=subscription.subscriber,
        status=origin.status,
        error=origin.error,
    )


def on_its_way(message: NewMessage, passed: tuple[str, ...]) -> NewMessage:
    """Return a message that is forwarded, so that it remembers the queues that it was in."""
    way = msgspec.structs.replace(_way(message), passed=passed)
    return msgspec.structs.replace(message, attributes=msgspec.json.encode(way))


def addressed(reply_to: str | None, correlation_id: str | None, trace: Trace | None = None) -> bytes | None:
    """Return the attributes of a message: where a reply goes, what it is the reply to, and what trace it belongs to."""
    if reply_to is None and correlation_id is None and trace is None:
        return None
    way = _Way(reply_to=reply_to, correlation_id=correlation_id)
    if trace is not None:
        way = msgspec.structs.replace(way, traceparent=trace.parent, tracestate=trace.state)
    return msgspec.json.encode(way)


def _way(message: Message | NewMessage) -> _Way:
    return _NO_WAY if message.attributes is None else _decoder.decode(message.attributes)


class Letters:
    """Posts dead letters."""

    def __init__(
        self,
        store: Store,
        encryption: Encryption,
        recogniser: Recogniser,
        posting: Posting,
        fan_out: FanOut,
        now_ms: Callable[[], int],
    ) -> None:
        self._store = store
        self._recogniser = recogniser
        self._encryption = encryption
        self._posting = posting
        self._fan_out = fan_out
        self._now_ms = now_ms

    async def post(self, target: QueueKey, letters: Sequence[NewMessage], passed: tuple[str, ...]) -> None:
        """Post letters to a queue, and copies to its subscribers unless it is one of those that they have passed."""
        queue = await self._store.get_queue(target)
        if queue is not None and normalises(queue.metadata):
            letters = [self._as_event(target, each) for each in letters]
        if queue is not None:
            keyed = [(each, conflation_key(queue, each, self._encryption)) for each in letters]
            letters = [msgspec.structs.replace(each, key=key) for each, key in keyed]
        copies = await self._copies(queue, letters, passed) if queue is not None and is_copied(queue) else Copies()
        await self._fan_out.come(copies)
        await self._posting.publish(target, queue, letters, copies=copies.posts, now_ms=self._now_ms())

    def _as_event(self, target: QueueKey, given: NewMessage) -> NewMessage:
        """Return a letter as the event that it is; one that was encrypted stays so. None is refused: it is kept."""
        project, id_ = target.project, given.id
        try:
            body = self._encryption.open_body(project, id_, given.body)
            what = posted(target, id_, at_ms=self._now_ms(), ttl_s=given.ttl_s)
            event = self._recogniser.recognised(body, what).body("cloudevents")
            sealed = self._encryption.seal(project, id_, event) if is_sealed(given.body) else event
        except KeyUnavailable as error:
            _log.warning("a dead letter of queue %s of project %s stays what it was: %s", target.name, project, error)
            return given
        return msgspec.structs.replace(given, body=sealed)

    async def _copies(self, queue: Queue, letters: Sequence[NewMessage], passed: tuple[str, ...]) -> Copies:
        if passing(queue.key) in passed or len(passed) > limits.QUEUE_HOPS_MAX:
            return Copies()
        # One that is there already has come with its copies: by another subscription, or before the process died.
        ids = [each.id for each in letters]
        present = {each.id for each in await self._store.get_messages(queue.key, ids, now_ms=self._now_ms())}
        new = [each for each in letters if each.id not in present]
        clear, sealed = self._readable(queue.key, new)
        return await self._fan_out.copies(queue, clear, sealed, passed) if sealed else Copies()

    def _readable(
        self, key: QueueKey, letters: Sequence[NewMessage]
    ) -> tuple[Sequence[NewMessage], Sequence[NewMessage]]:
        """Return the letters that filters can look at, in the clear, and as they are."""
        clear, sealed = [], []
        for each in letters:
            try:
                body = self._encryption.open_body(key.project, each.id, each.body)
            except KeyUnavailable as error:
                _log.warning(
                    "a dead letter of queue %s of project %s goes to no subscriber: %s", key.name, key.project, error
                )
                continue
            clear.append(msgspec.structs.replace(each, body=body))
            sealed.append(each)
        return clear, sealed
