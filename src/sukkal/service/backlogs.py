"""Room in backlogs: what waits for a subscriber may take so much, so that one that is down does not fill the disk.

How much a backlog holds is counted, and what is copied to it since is added to that, which can only be too much. When
the sum reaches the limit it is counted again, if much was added or some time has passed: so a busy backlog loses
nothing to an old count, and a full one is not counted at each post.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from sukkal import limits
from sukkal.accounts import Accounts
from sukkal.model import Message, NewClaim, NewMessage, Post, QueueKey
from sukkal.store import Store

__all__ = ["Backlogs"]

_log: Final = logging.getLogger("sukkal.backlogs")
_MUCH: Final = 8
"""Which part of a backlog must have come since a count for another one."""


class _Counted(Store, Accounts, Protocol):
    """A store that counts what it holds."""


class _Account:
    """What is known of a backlog: a count, the most that it can hold now, and how much found no room in it."""

    __slots__ = ("counted", "counted_ms", "counting", "dropped", "full", "most")

    def __init__(self) -> None:
        self.most = self.counted = 0
        self.counted_ms: int | None = None
        self.counting = asyncio.Lock()
        self.dropped = 0
        self.full = False


class Backlogs:
    """Finds out which backlogs have room, and makes room where deliveries were given up.

    Where other nodes fill them as well, a count is ``good_for_ms``. ``all_dropped`` counts what found no room anywhere.
    """

    def __init__(
        self,
        store: _Counted,
        now_ms: Callable[[], int],
        new_id: Callable[[], str],
        *,
        bytes_max: int,
        good_for_ms: int | None = None,
    ) -> None:
        self._good_for_ms = good_for_ms
        self._store = store
        self._now_ms = now_ms
        self._new_id = new_id
        self._bytes_max = bytes_max
        self._known: dict[QueueKey, _Account] = {}
        self.all_dropped = 0

    async def with_room(self, copies: Sequence[tuple[QueueKey, tuple[NewMessage, ...]]]) -> list[Post]:
        """Return the posts of copies for those backlogs that have room, which is taken; count the others."""
        found: list[Post] = []
        last, size = None, 0
        for backlog, messages in copies:
            if messages is not last:  # Most get the same.
                last, size = messages, _size(messages)
            if self._take(backlog, size) or await self._make_room(backlog, messages):
                found.append(Post(backlog, messages))
        return found

    def dropped(self, backlog: QueueKey) -> int:
        """Return how many deliveries were dropped for want of room, as far as this process remembers."""
        account = self._known.get(backlog)
        return account.dropped if account else 0

    def _take(self, backlog: QueueKey, size: int) -> bool:
        account = self._known.get(backlog)
        if account is None or not self._fits(account, size):
            return False
        account.most += size
        account.full = False
        return True

    async def _make_room(self, backlog: QueueKey, messages: Sequence[NewMessage]) -> bool:
        """Look again whether there is room, and take it."""
        account, size = self._account(backlog), _size(messages)
        async with account.counting:
            if not self._fits(account, size) and self._may_differ(account):
                await self._count(backlog, account)
                if not self._fits(account, size):
                    await self._drop_dead(backlog, account, size)
        if self._take(backlog, size):
            return True
        account.dropped += len(messages)
        self.all_dropped += len(messages)
        if not account.full:
            account.full = True
            _log.warning(
                "the backlog %s of project %s is full: it gets no more until something is delivered",
                backlog.name,
                backlog.project,
            )
        return False

    def _fits(self, account: _Account, size: int) -> bool:
        if account.counted_ms is None or self._is_old(account.counted_ms):
            return False
        return account.most + size <= self._bytes_max

    def _is_old(self, counted_ms: int) -> bool:
        return self._good_for_ms is not None and self._now_ms() - counted_ms >= self._good_for_ms

    def _may_differ(self, account: _Account) -> bool:
        """Tell whether to count a backlog again."""
        if account.counted_ms is None or self._is_old(account.counted_ms):
            return True
        if account.most - account.counted >= self._bytes_max // _MUCH:
            return True
        return self._now_ms() - account.counted_ms >= limits.BACKLOG_COUNT_PAUSE_S * limits.SECOND_MS

    async def _count(self, backlog: QueueKey, account: _Account) -> None:
        before, now_ms = account.most, self._now_ms()
        held = await self._store.usage_of(backlog, now_ms=now_ms)
        # What was let in meanwhile may or may not be in the count.
        account.counted_ms = now_ms
        account.counted = held.bytes + held.messages * limits.DELIVERY_EXTRA_BYTES
        account.most += account.counted - before

    async def _drop_dead(self, backlog: QueueKey, account: _Account, size: int) -> None:
        """Make room by dropping the oldest deliveries of those that were given up and are tried by nobody."""
        for _ in range(limits.BACKLOG_DROP_ROUNDS_MAX):
            claim = NewClaim(id=self._new_id(), ttl_s=0, grace_s=0)
            dead = await self._store.claim(
                backlog,
                claim,
                limit=limits.BURY_MESSAGES_MAX,
                now_ms=self._now_ms(),
                set_aside=True,
                settle=True,
            )
            account.most -= _size(dead)
            account.counted -= _size(dead)
            account.dropped += len(dead)
            self.all_dropped += len(dead)
            if not dead or self._fits(account, size):
                return

    def _account(self, backlog: QueueKey) -> _Account:
        account = self._known.get(backlog)
        if account is None:
            if len(self._known) >= limits.BACKLOGS_REMEMBERED_MAX:
                del self._known[next(iter(self._known))]
            account = self._known[backlog] = _Account()
        return account


def _size(messages: Sequence[NewMessage] | Sequence[Message]) -> int:
    """Return about how many bytes deliveries take in the store."""
    return sum([len(message.body) for message in messages]) + len(messages) * limits.DELIVERY_EXTRA_BYTES
