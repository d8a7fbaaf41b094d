"""Explanations: why subscriptions get a message or not, and what a filter would have passed."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec

from sukkal import limits
from sukkal.errors import InvalidRequest, MessageNotFound
from sukkal.filters.explaining import Explanation, explain
from sukkal.filters.reading import read_filters
from sukkal.filters.values import Attributes
from sukkal.model import Message, Position, QueueKey, Subscription, View
from sukkal.service.attributes import QueueRules
from sukkal.service.fan_out import FanOut
from sukkal.service.lenses import Lenses, filters_of, posted, received
from sukkal.service.pages import check_limit
from sukkal.settings import Settings
from sukkal.store import Store

__all__ = ["DryRun", "Explained", "Explanations", "Tried", "Verdict"]

_ALL: Final = View(claimed=True, delayed=True)
_NEW: Final = "new"


class Verdict(msgspec.Struct, frozen=True):
    """Whether a subscription gets a message, and why; the explanation is that of its filters."""

    id: str
    subscriber: str
    delivers: bool
    reason: str
    explanation: Explanation | None


class Explained(msgspec.Struct, frozen=True):
    """The event that a message is, and the verdicts of part of the subscriptions; ``marker`` continues them."""

    event: Attributes
    subscriptions: list[Verdict]
    marker: str | None


class Tried(msgspec.Struct, frozen=True):
    """What a filter says of one stored message."""

    id: str
    passes: bool
    event: Attributes
    explanation: Explanation


class DryRun(msgspec.Struct, frozen=True):
    """What a filter says of the last messages of a queue, the oldest first."""

    passed: int
    messages: list[Tried]


class Explanations:
    """Answers why."""

    def __init__(
        self, store: Store, settings: Settings, lenses: Lenses, fan_out: FanOut, now_ms: Callable[[], int]
    ) -> None:
        self._store = store
        self._settings = settings
        self._lenses = lenses
        self._fan_out = fan_out
        self._now_ms = now_ms

    async def of_body(self, key: QueueKey, body: bytes, *, marker: str, limit: int | None) -> Explained:
        """Explain what would become of a message if it were posted now."""
        queue = await self._store.get_queue(key)
        rules = QueueRules(queue.metadata if queue else {}, self._settings)
        what = posted(key, _NEW, at_ms=self._now_ms(), ttl_s=rules.message_ttl_s)
        return await self._explained(key, self._lenses.attributes(body, what), marker, limit)

    async def of_message(self, key: QueueKey, message_id: str, *, marker: str, limit: int | None) -> Explained:
        """Explain what would become of a stored message if it were posted now. Raises ``MessageNotFound``."""
        for message in await self._store.get_messages(key, (message_id,), now_ms=self._now_ms()):
            attributes = self._lenses.attributes(message.body, received(key, message))
            return await self._explained(key, attributes, marker, limit)
        raise MessageNotFound(f"Message {message_id} does not exist in queue {key.name} for project {key.project}")

    async def dry_run(self, key: QueueKey, filters: Any, count: int) -> DryRun:
        """Try filters on the last messages of the queue. Raises ``InvalidFilter``."""
        wanted = read_filters(filters)
        if not 1 <= count <= limits.DRY_RUN_MESSAGES_MAX:
            raise InvalidRequest(f"dry_run must be 1 to {limits.DRY_RUN_MESSAGES_MAX} messages.")
        tried = []
        parts = 0
        for message in await self._last(key, count):
            async with self._lenses.turns.of(key.project):
                await asyncio.sleep(0)
                attributes = self._lenses.attributes(message.body, received(key, message))
                await asyncio.sleep(0)
                explanation = explain(wanted, attributes)
            parts += _size(explanation)
            if parts > limits.EXPLAINED_PARTS_MAX:
                explanation = msgspec.structs.replace(explanation, parts=())
            tried.append(Tried(message.id, explanation.result is True, attributes, explanation))
        return DryRun(sum(each.passes for each in tried), tried)

    async def _explained(self, key: QueueKey, attributes: Attributes, marker: str, limit: int | None) -> Explained:
        most = self._settings.max_subscriptions_per_page
        limit = check_limit(limit, most, "Limit must be at least 1 and may not be greater than {}.")
        found = await self._store.list_subscriptions(key, after=marker, limit=limit, now_ms=self._now_ms())
        verdicts: list[Verdict] = []
        parts = 0
        for subscription in found:
            async with self._lenses.turns.of(key.project):
                verdicts.append(await self._verdict(subscription, attributes))
            parts += _size(verdicts[-1].explanation)
            if parts > limits.EXPLAINED_PARTS_MAX:
                break
        return Explained(attributes, verdicts, verdicts[-1].id if verdicts else None)

    async def _verdict(self, subscription: Subscription, attributes: Attributes) -> Verdict:
        explanation = None
        await asyncio.sleep(0)  # Long explanations are not to keep others waiting.
        # Those that mean nothing, as they are older than filters, pass everything.
        if self._lenses.of(subscription).passes is not None:
            await asyncio.sleep(0)
            filters = read_filters(filters_of(subscription.options))
            await asyncio.sleep(0)
            explanation = explain(filters, attributes)
        obstacle = self._fan_out.obstacle(subscription)
        if explanation is None:
            passes, reason = True, "it has no filters"
        else:
            passes = explanation.result is True
            reason = f"its filters: {explanation.reason}"
        delivers = passes and obstacle is None
        return Verdict(subscription.id, subscription.subscriber, delivers, obstacle or reason, explanation)

    async def _last(self, key: QueueKey, count: int) -> Sequence[Message]:
        """Return the last messages of the queue."""
        # Sequences are shared with other queues, so how far back to go is found by doubling and halving.
        page = await self._store.browse(key, after=None, limit=1, view=_ALL, now_ms=self._now_ms())
        most, few = 0, page.last
        step = count
        found: Sequence[Message] = ()
        while few - most > 0:
            middle = max(few - step, most) if step else (most + few) // 2
            after = Position(0, middle)
            page = await self._store.browse(key, after=after, limit=count + 1, view=_ALL, now_ms=self._now_ms())
            if len(page.messages) > count:
                most, step = middle + 1, 0
            else:
                found, few = page.messages, middle
                step *= 2
                if len(found) == count:
                    break
        return found


def _size(explanation: Explanation | None) -> int:
    return 0 if explanation is None else 1 + sum([_size(part) for part in explanation.parts])
