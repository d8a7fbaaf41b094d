"""Waking those who wait for messages.

A wake-up is a hint and saves polling; nothing relies on it. Who waits registers first and then looks, so nothing that
comes between looking and waiting is missed.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from itertools import count, islice
from typing import Final, TypeVar

from sukkal import limits
from sukkal.model import QueueKey
from sukkal.store import Store

__all__ = ["Waiting"]

T = TypeVar("T")

_LOOKED_AT_MAX: Final = 16


class _Waiter:
    """One who waits, and the client that does; ``ticket`` grows with the time of coming.

    It is ``called`` from when it is woken until it has looked. One that ``passes`` and finds something wakes the next
    one, since there may be more. ``looks_for`` so many who had come without looking when it began to look.
    """

    __slots__ = ("called", "client", "looks_for", "passes", "ticket", "woken")

    def __init__(self, ticket: int, client: str) -> None:
        self.ticket = ticket
        self.client = client
        self.called = self.passes = False
        self.looks_for = 0
        self.renew()

    def renew(self) -> None:
        """Wait anew."""
        self.woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()


class _Place:
    """The waiters at one queue, and the alarm for its next delay or claim that ends.

    ``present`` are so many who wait or are looking, ``on_their_way`` so many takers that were woken and have not looked
    yet; ``turns`` tells in which order clients were called last. So many ``unseeing`` have come who have not looked
    while all others in the line were called, or nobody was in it: they may have been called for fewer messages than
    there are. For so many of these others have ``looked_for`` something, and found nothing.
    """

    __slots__ = (
        "alarm",
        "alarm_ms",
        "looked_for",
        "on_their_way",
        "present",
        "takers",
        "turns",
        "unseeing",
        "watchers",
    )

    def __init__(self) -> None:
        self.takers: deque[_Waiter] = deque()
        self.watchers: deque[_Waiter] = deque()
        self.present = self.on_their_way = 0
        self.turns: dict[str, None] = {}
        self.unseeing = self.looked_for = 0
        self.alarm: asyncio.TimerHandle | None = None
        self.alarm_ms = 0

    @property
    def taken(self) -> bool:
        """Whether there are takers, who have looked or will: whoever would wait as well stands behind them."""
        return bool(self.takers) or self.on_their_way > 0

    def comes_unseeing(self, waiter: _Waiter) -> None:
        """Take note that one has come who has not looked."""
        self.unseeing += all(each.called for each in self.takers if each is not waiter)

    @property
    def unseen(self) -> bool:
        """Whether there may be something for one who has come without looking."""
        return self.unseeing > self.looked_for

    def call(self, *, passes: bool = False) -> None:
        """Wake a taker: clients in turn, of one client who has waited longest."""
        waiter = self._next()
        waiter.passes = waiter.passes or passes
        self.on_their_way += not waiter.called
        waiter.called = True
        waiter.woken.set_result(None)

    def _next(self) -> _Waiter:
        """Take out of the line, of which only the beginning is looked at, who is next."""
        order = {client: number for number, client in enumerate(self.turns, 1)}
        line = islice(self.takers, _LOOKED_AT_MAX)
        index, waiter = min(enumerate(line), key=lambda each: order.get(each[1].client, 0))
        del self.takers[index]
        self.turns.pop(waiter.client, None)
        self.turns[waiter.client] = None
        if len(self.turns) > _LOOKED_AT_MAX:
            del self.turns[next(iter(self.turns))]
        return waiter

    def looks(self, waiter: _Waiter) -> None:
        """Take note that one looks: unless it was woken for one message, there may be more than it finds."""
        waiter.looks_for = self.unseeing
        if not waiter.called:
            self.on_their_way += 1
            waiter.called = waiter.passes = True

    def found_nothing(self, waiter: _Waiter) -> None:
        """Take note that there was nothing for one, nor for those who had come when it began to look."""
        self.looked_for = max(self.looked_for, waiter.looks_for)

    def looked(self, waiter: _Waiter) -> None:
        """Take note that one who was woken has looked, or does not look any more."""
        self.on_their_way -= waiter.called
        waiter.called = waiter.passes = False


class Waiting:
    """Those who wait, by queue.

    *Takers* each take what they find, so as many are woken as there are new messages, clients in turn, of one client
    the longest waiting first; who comes while others wait joins them without looking. *Watchers* take nothing: all are
    woken.
    """

    def __init__(self, store: Store, now_ms: Callable[[], int]) -> None:
        self._store = store
        self._now_ms = now_ms
        self._places: dict[QueueKey, _Place] = {}
        self._tickets = count()
        self._closing = False

    @property
    def present(self) -> int:
        """How many wait."""
        return sum(place.present for place in self._places.values())

    @property
    def closing(self) -> bool:
        """Whether nobody waits any more."""
        return self._closing

    def at(self, key: QueueKey) -> bool:
        """Tell whether somebody waits at a queue."""
        return key in self._places

    def wake(self, key: QueueKey, messages: int) -> None:
        """Tell those who wait at the queue that so many messages came or became free there."""
        if (place := self._places.get(key)) is None:
            return
        for _ in range(min(messages, len(place.takers))):
            place.call(passes=False)
        while place.watchers:
            place.watchers.popleft().woken.set_result(None)

    def places(self) -> list[QueueKey]:
        """Return the queues at which somebody waits."""
        return list(self._places)

    def look(self, key: QueueKey) -> None:
        """Have those look who wait at the queue: something may have come there, nobody knows how much."""
        if (place := self._places.get(key)) is None:
            return
        self.wake(key, 0)
        if place.takers:
            place.call(passes=True)

    def expect(self, key: QueueKey, due_ms: int) -> None:
        """Tell those who wait at the queue that something becomes free at a time, which may be before they thought."""
        if (place := self._places.get(key)) is not None:
            self._set_alarm(key, place, due_ms)

    def close(self) -> None:
        """Send everybody away, now and from now on: who waits gets what there is."""
        self._closing = True
        for key, place in list(self._places.items()):
            self.wake(key, len(place.takers))

    async def until(
        self, key: QueueKey, look: Callable[[], Awaitable[T]], *, wait_s: int, takes: bool, client: str = ""
    ) -> T:
        """Return the first result of ``look`` that is true, or the last one when the time is over."""
        ends_ms = self._now_ms() + wait_s * limits.SECOND_MS
        behind = takes and wait_s > 0 and key in self._places and self._places[key].taken
        if not behind and ((result := await look()) or wait_s <= 0 or self._closing):
            return result
        place = self._places.setdefault(key, _Place())
        waiters, waiter = place.takers if takes else place.watchers, _Waiter(next(self._tickets), client)
        found: bool | None = None
        place.present += 1
        try:
            while not self._closing and self._now_ms() < ends_ms:
                waiter.renew()
                begun_ms = self._now_ms()
                _enter(waiters, waiter)
                if behind:
                    place.comes_unseeing(waiter)
                else:
                    place.looks(waiter)
                    found = bool(result := await look())
                    if found:
                        return result
                    place.found_nothing(waiter)
                    if not waiter.woken.done():
                        place.looked(waiter)
                found, behind = None, False
                await self._arm(key, place, begun_ms)
                await asyncio.wait((waiter.woken,), timeout=(ends_ms - self._now_ms()) / limits.SECOND_MS)
                if not waiter.woken.done():
                    waiters.remove(waiter)
                    break
            waiter.renew()
            place.looks(waiter)
            if not (found := bool(result := await look())):
                place.found_nothing(waiter)
            return result
        finally:
            self._leave(key, place, waiters, waiter, found=found)

    async def _arm(self, key: QueueKey, place: _Place, looked_ms: int) -> None:
        # What has become free since the look has to ring, too, and at once.
        due_ms = await self._store.next_due(key, now_ms=looked_ms)
        if due_ms is not None:
            self._set_alarm(key, place, due_ms)

    def _set_alarm(self, key: QueueKey, place: _Place, due_ms: int) -> None:
        if place.alarm is not None and place.alarm_ms <= due_ms:
            return
        if place.alarm is not None:
            place.alarm.cancel()
        delay_s = max(0, due_ms - self._now_ms()) / limits.SECOND_MS
        place.alarm, place.alarm_ms = asyncio.get_running_loop().call_later(delay_s, self._ring, key, place), due_ms

    def _ring(self, key: QueueKey, place: _Place) -> None:
        place.alarm = None
        self.look(key)

    def _leave(
        self, key: QueueKey, place: _Place, waiters: deque[_Waiter], waiter: _Waiter, *, found: bool | None
    ) -> None:
        """Let one go, and wake the next one if there may be something that this one has not taken."""
        if waiter in waiters:
            waiters.remove(waiter)
        passes, called, again = waiter.passes, waiter.called, waiter.woken.done()
        place.looked(waiter)
        # It has not looked at what it was woken for, or there may be more than it found, or than it saw.
        if place.takers and (called if found is None else place.unseen or (found and (passes or again))):
            place.call(passes=passes)
        place.present -= 1
        if not place.present:
            if place.alarm is not None:
                place.alarm.cancel()
            del self._places[key]


def _enter(waiters: deque[_Waiter], waiter: _Waiter) -> None:
    """Let one wait behind those who came before it: one that was woken in vain has kept its place."""
    at = next((number for number, each in enumerate(waiters) if each.ticket > waiter.ticket), len(waiters))
    waiters.insert(at, waiter)
