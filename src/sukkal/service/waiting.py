"""Waking those who wait for messages.

A wake-up is a hint and saves polling; nothing relies on it. Who waits registers first and then looks, so nothing that
comes between looking and waiting is missed.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import TypeVar

from sukkal import limits
from sukkal.model import QueueKey
from sukkal.store import Store

__all__ = ["Waiting"]

T = TypeVar("T")


class _Place:
    """The waiters at one queue, and the alarm for its next delay or claim that ends."""

    __slots__ = ("alarm", "alarm_ms", "takers", "watchers")

    def __init__(self) -> None:
        self.takers: deque[asyncio.Future[None]] = deque()
        self.watchers: deque[asyncio.Future[None]] = deque()
        self.alarm: asyncio.TimerHandle | None = None
        self.alarm_ms = 0


class Waiting:
    """Those who wait, by queue.

    *Takers* each take what they find, so as many are woken as there are new messages, the longest waiting first.
    *Watchers* take nothing: all are woken.
    """

    def __init__(self, store: Store, now_ms: Callable[[], int]) -> None:
        self._store = store
        self._now_ms = now_ms
        self._places: dict[QueueKey, _Place] = {}
        self._closing = False

    def wake(self, key: QueueKey, messages: int) -> None:
        """Tell those who wait at the queue that so many messages came or became free there."""
        if (place := self._places.get(key)) is None:
            return
        while place.takers and messages > 0:
            messages -= _tell(place.takers.popleft())
        while place.watchers:
            _tell(place.watchers.popleft())

    def close(self) -> None:
        """Send everybody away, now and from now on: who waits gets what there is."""
        self._closing = True
        for key in list(self._places):
            self._wake_all(key)

    async def until(self, key: QueueKey, look: Callable[[], Awaitable[T]], *, wait_s: int, takes: bool) -> T:
        """Return the first result of ``look`` that is true, or the last one when the time is over."""
        result = await look()
        ends_ms = self._now_ms() + wait_s * limits.SECOND_MS
        while not (result or self._closing):
            left_ms = ends_ms - self._now_ms()
            if left_ms <= 0:
                break
            place = self._places.setdefault(key, _Place())
            waiter = asyncio.get_running_loop().create_future()
            waiters = place.takers if takes else place.watchers
            waiters.append(waiter)
            try:
                if not (result := await look()):
                    await self._arm(key, place)
                    await asyncio.wait((waiter,), timeout=left_ms / limits.SECOND_MS)
                    if not waiter.done():
                        return await look()
                elif waiter.done():
                    # Woken for something else than what was found: another one must look for that.
                    self.wake(key, 1)
            except asyncio.CancelledError:
                self.wake(key, 1)
                raise
            finally:
                self._leave(key, place, waiters, waiter)
        return result

    async def _arm(self, key: QueueKey, place: _Place) -> None:
        now_ms = self._now_ms()
        due_ms = await self._store.next_due(key, now_ms=now_ms)
        if due_ms is None or (place.alarm is not None and place.alarm_ms <= due_ms):
            return
        if place.alarm is not None:
            place.alarm.cancel()
        delay_s = (due_ms - now_ms) / limits.SECOND_MS
        place.alarm, place.alarm_ms = asyncio.get_running_loop().call_later(delay_s, self._ring, key, place), due_ms

    def _ring(self, key: QueueKey, place: _Place) -> None:
        place.alarm = None
        self._wake_all(key)

    def _wake_all(self, key: QueueKey) -> None:
        self.wake(key, len(self._places[key].takers) if key in self._places else 0)

    def _leave(
        self,
        key: QueueKey,
        place: _Place,
        waiters: "deque[asyncio.Future[None]]",
        waiter: "asyncio.Future[None]",
    ) -> None:
        if not waiter.done():
            waiters.remove(waiter)
        if not (place.takers or place.watchers) and self._places.get(key) is place:
            if place.alarm is not None:
                place.alarm.cancel()
            del self._places[key]


def _tell(waiter: "asyncio.Future[None]") -> bool:
    if waiter.done():
        return False
    waiter.set_result(None)
    return True
