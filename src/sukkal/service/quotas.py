"""How much a project may keep, checked before something is stored.

What a project keeps ends by time as well as by deletion, so it is counted, not added up: a count costs as much as there
is, and a limited project has no more than its limit. What was let in since the count is added to it, which can only be
too much; only when that reaches the limit is it counted again, at most once in a while.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from sukkal import limits
from sukkal.accounts import Accounts
from sukkal.errors import QuotaExceeded
from sukkal.model import NewMessage, Queue, Usage
from sukkal.service.attributes import history_s
from sukkal.service.project_limits import LimitsTable, ProjectLimits

__all__ = ["Quotas", "charge"]

_RESOURCES: Final = ("queues", "messages", "bytes", "subscriptions")

_HISTORIES: Final = " What a queue keeps for `_history` counts too; it goes with time, or when the queue is purged."
_HISTORY: Final = {"messages": _HISTORIES, "bytes": _HISTORIES}

_Amounts = tuple[int, int, int, int]


class _Account:
    """What is known of a project: a count, what has been stored since, and what is being stored, by resource."""

    __slots__ = ("added", "counted", "counted_ms", "counting", "pending")

    def __init__(self) -> None:
        self.counted = self.added = self.pending = (0, 0, 0, 0)
        self.counted_ms: int | None = None
        self.counting = asyncio.Lock()

    @property
    def in_use(self) -> bool:
        """Whether somebody still counts on it."""
        return any(self.pending) or self.counting.locked()

    @property
    def most(self) -> _Amounts:
        """The most that there can be now."""
        return _sum(_sum(self.counted, self.added), self.pending)


class Quotas:
    """Lets projects store as much as their limits allow.

    Where other nodes store as well, a count is ``good_for_ms``.
    """

    def __init__(
        self, accounts: Accounts, table: LimitsTable, now_ms: Callable[[], int], *, good_for_ms: int | None = None
    ) -> None:
        self._good_for_ms = good_for_ms
        self._accounts = accounts
        self._table = table
        self._now_ms = now_ms
        self._known: dict[str, _Account] = {}

    def limited(self, project: str) -> bool:
        """Tell whether a project has limits of this kind; only then are the next two to be called."""
        return self._table.of(project).storage

    async def take(self, project: str, wanted: Usage) -> None:
        """Set so much aside for something that is about to be stored. Raises ``QuotaExceeded``."""
        account = self._account(project)
        if self._is_old(account) or self._excess(project, account, wanted):
            await self._count(project, account)
            if resource := self._excess(project, account, wanted):
                raise QuotaExceeded(
                    f"The project may keep {getattr(self._table.of(project), resource)} {resource}; this would be "
                    f"more. Delete some first, or ask an operator for a higher limit.{_HISTORY.get(resource, '')}",
                    retry_after_s=limits.QUOTA_RETRY_S,
                )
        account.pending = _sum(account.pending, _amounts(wanted))

    def settle(self, project: str, wanted: Usage) -> None:
        """Count what was taken as stored, also if that failed: it may be there all the same, the next count tells."""
        account = self._account(project)
        account.pending = _less(account.pending, _amounts(wanted))
        account.added = _sum(account.added, _amounts(wanted))

    async def usage(self, project: str) -> Usage:
        """Return what a project keeps: counted a second ago at most, with what a limited one has stored since."""
        account = self._account(project)
        await self._count(project, account)
        return _usage(account.most)

    def known(self) -> Iterator[tuple[str, Usage, ProjectLimits]]:
        """Yield each project that has limits and stored something, with the most it can have and its limits."""
        for project, account in self._known.items():
            if self.limited(project) and account.counted_ms is not None:
                yield project, _usage(account.most), self._table.of(project)

    def _account(self, project: str) -> _Account:
        account = self._known.get(project)
        if account is None:
            if len(self._known) >= limits.PROJECTS_REMEMBERED_MAX:
                self._known = {name: each for name, each in self._known.items() if each.in_use}
            account = self._known[project] = _Account()
        return account

    def _is_old(self, account: _Account) -> bool:
        if account.counted_ms is None or self._good_for_ms is None:
            return account.counted_ms is None
        return self._now_ms() - account.counted_ms >= self._good_for_ms

    def _excess(self, project: str, account: _Account, wanted: Usage) -> str | None:
        """Return a resource of which there would be too much."""
        allowed = self._table.of(project)
        for resource, more, most in zip(_RESOURCES, _amounts(wanted), account.most, strict=True):
            limit: int | None = getattr(allowed, resource)
            if more and limit is not None and most + more > limit:
                return resource
        return None

    async def _count(self, project: str, account: _Account) -> None:
        async with account.counting:
            now_ms = self._now_ms()
            if account.counted_ms is not None and now_ms - account.counted_ms < limits.QUOTA_COUNT_PAUSE_MS:
                return
            before = account.added
            account.counted = _amounts(await self._accounts.usage(project, now_ms=now_ms))
            account.counted_ms = now_ms
            account.added = _less(account.added, before)


def charge(messages: Sequence[NewMessage], queue: Queue | None) -> Usage:
    """Return what a post adds to what is kept: twice its messages where the queue has a history.

    Copies for subscribers do not count: whoever posts does not know how many there are.
    """
    times = 2 if queue is not None and history_s(queue.metadata) else 1
    size = sum([len(message.body) for message in messages])
    return Usage(queues=int(queue is None), messages=times * len(messages), bytes=times * size)


def _amounts(usage: Usage) -> _Amounts:
    return usage.queues, usage.messages, usage.bytes, usage.subscriptions


def _usage(amounts: _Amounts) -> Usage:
    return Usage(**dict(zip(_RESOURCES, amounts, strict=True)))


def _sum(one: _Amounts, other: _Amounts) -> _Amounts:
    return one[0] + other[0], one[1] + other[1], one[2] + other[2], one[3] + other[3]


def _less(one: _Amounts, other: _Amounts) -> _Amounts:
    return one[0] - other[0], one[1] - other[1], one[2] - other[2], one[3] - other[3]
