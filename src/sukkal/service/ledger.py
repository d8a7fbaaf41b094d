"""The ledger of deliveries: what was delivered lately, what waits, what is tried again, and what was given up."""

from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Literal

import msgspec

from sukkal import limits
from sukkal.model import Message, Subscription, View
from sukkal.service.backlogs import Backlogs
from sukkal.service.breakers import Breakers, endpoint_of
from sukkal.service.fan_out import Origin, origin_of
from sukkal.sink import Outcome
from sukkal.store import Store

__all__ = ["Ledger", "LedgerEntry", "LedgerPage"]

State = Literal["waiting", "retrying", "delivered", "dead"]


class LedgerEntry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One delivery: its message, its state, how many attempts were made, and how the last one ended.

    ``next_ms`` is when it is tried again, ``at_ms`` when the last attempt began.
    """

    id: str
    state: State
    attempts: int
    status: int | None = None
    error: str = ""
    next_ms: int | None = None
    at_ms: int | None = None


class LedgerPage(msgspec.Struct, frozen=True, omit_defaults=True):
    """Part of a ledger, and how many deliveries were ``dropped`` for want of room since the process began.

    ``paused_until_ms`` is there while the subscriber's endpoint is left alone because it failed again and again.
    """

    deliveries: list[LedgerEntry]
    dropped: int
    paused_until_ms: int | None = None


class Ledger:
    """What is known of the deliveries of each subscription. What was delivered is remembered by this process alone."""

    def __init__(self, store: Store, backlogs: Backlogs, breakers: Breakers, now_ms: Callable[[], int]) -> None:
        self.breakers = breakers
        self._store = store
        self._backlogs = backlogs
        self._now_ms = now_ms
        self._delivered: OrderedDict[str, deque[LedgerEntry]] = OrderedDict()

    @property
    def dropped(self) -> int:
        """How many deliveries were dropped for want of room, whoever's they were."""
        return self._backlogs.all_dropped

    def note(self, subscription_id: str, message_id: str, origin: Origin, at_ms: int, outcome: Outcome) -> None:
        """Note an attempt."""
        if not outcome.delivered:
            return
        entries = self._delivered.get(subscription_id)
        if entries is None:
            if len(self._delivered) >= limits.LEDGERS_REMEMBERED_MAX:
                self._delivered.popitem(last=False)
            entries = self._delivered[subscription_id] = deque(maxlen=limits.DELIVERED_REMEMBERED)
        self._delivered.move_to_end(subscription_id)
        entries.append(
            LedgerEntry(id=message_id, state="delivered", attempts=origin.attempts, status=outcome.status, at_ms=at_ms)
        )

    async def of(self, subscription: Subscription, limit: int) -> LedgerPage:
        """Return the oldest of what is not delivered, given up or not, and the last of what was delivered."""
        now_ms = self._now_ms()
        everything = View(claimed=True, delayed=True)
        page = await self._store.browse(subscription.backlog, after=None, limit=limit, view=everything, now_ms=now_ms)
        delivered = list(self._delivered.get(subscription.id, ()))
        # What was delivered a moment ago may still be in the backlog.
        known = {entry.id for entry in delivered}
        waiting = [(message, origin_of(message.attributes)) for message in page.messages if message.id not in known]
        # The deadline of a heartbeat is in the backlog too, and is no delivery.
        entries = [
            _entry(each, origin, now_ms) for each, origin in waiting if origin is None or origin.heard_ms is None
        ]
        paused_until_ms = self.breakers.open_until_ms(endpoint_of(subscription)) or None
        return LedgerPage(entries + delivered, self._backlogs.dropped(subscription.backlog), paused_until_ms)


def _entry(message: Message, origin: Origin | None, now_ms: int) -> LedgerEntry:
    attempts = origin.attempts if origin else 0
    state: State = (
        "dead" if origin and origin.dead else "retrying" if origin and (attempts or origin.error) else "waiting"
    )
    return LedgerEntry(
        id=message.id,
        state=state,
        attempts=attempts,
        status=origin.status if origin else None,
        error=origin.error if origin else "",
        next_ms=message.visible_ms if state == "retrying" and message.visible_ms > now_ms else None,
    )
