"""Group commit: everything of a lane that waits when its last commit ends goes into the next ones.

A lane has a connection of its own. It takes all that waits, and does the calls of one kind together, in one statement
that is one transaction. There is no timer: a lone call is sent at once.

As much as can be is in the first lane, since what a call costs is what its batch costs, divided. A node has others for
what gains nothing from company, and for queues that come while a lane is held up, by somebody's lock or a slow commit.
The calls of one queue that are under way are in one lane.

A server that waits for its standby ends no commit. After a while callers are told that the store is not available, and
the lane refuses calls until the commit has ended. Another connection in place of this one would wait just so, and the
next, until the server has no more of them. Nor is the commit cancelled: that would show what no standby has.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Hashable, Sequence
from operator import attrgetter
from typing import Any, Final, NamedTuple, TypeVar

from sukkal import limits
from sukkal.engines.commits import Commits
from sukkal.engines.postgresql.database import Connection, Database
from sukkal.engines.postgresql.failures import FAILURES, PASSING, UNFIT, is_away, moved, our_error
from sukkal.engines.postgresql.reads import Reads
from sukkal.errors import StoreUnavailable, SukkalError
from sukkal.log_fields import on_behalf_of_many
from sukkal.model import QueueKey
from sukkal.postgresql.overdue import Overdue

__all__ = ["Call", "Lanes", "Perform"]

T = TypeVar("T")

_log: Final = logging.getLogger("sukkal.postgresql")

_ROUNDS_MIN: Final = 2
_ROUNDS_MAX: Final = 12
"""Rounds of the event loop between a call's arrival and its statement: others join in that have come meanwhile."""
_TRIES_MAX: Final = 5


class Call(NamedTuple):
    """One call: what it asks for, and its name if another call under that name must not be in the same statement."""

    asked: Any
    name: Hashable = None
    rows: int = 1


Perform = Callable[[Connection, Sequence[Any]], Awaitable[Sequence[Any]]]
"""Does what several calls ask for in one transaction and returns the result of each, or an error of ours."""
Waiting = tuple[QueueKey, Perform, Call, "asyncio.Future[Any]"]
Taken = dict[Perform, list[tuple[Call, "asyncio.Future[Any]"]]]


class Lanes:
    """The connections that write."""

    def __init__(self, database: Database, reads: Reads, commits: Commits, *, count: int) -> None:
        self._lanes = [_Lane(database, reads, commits) for _ in range(count)]
        self._closed = False

    async def run(self, key: QueueKey, perform: Perform, call: Call) -> Any:
        """Make a call of a queue together with others, and return its result once that is committed."""
        return await self._enter(key, self._first_free, perform, call)

    async def run_apart(self, key: QueueKey, perform: Perform) -> Any:
        """Make a call that goes with no other, and return its result once that is committed."""
        return await self._enter(key, self._last_free, perform, Call(None))

    def _enter(
        self, key: QueueKey, choose: Callable[[], "_Lane"], perform: Perform, call: Call
    ) -> "asyncio.Future[Any]":
        if self._closed:
            raise StoreUnavailable("The store is closed.")
        for lane in self._lanes:
            if lane.has(key):
                return lane.add(key, perform, call)
        return choose().add(key, perform, call)

    def _first_free(self) -> "_Lane":
        for lane in self._lanes:
            if not lane.held_up:
                return lane
        return self._least_busy()

    def _last_free(self) -> "_Lane":
        for lane in reversed(self._lanes):
            if lane.idle:
                return lane
        return self._least_busy()

    def _least_busy(self) -> "_Lane":
        return min(self._lanes, key=attrgetter("burden"))

    def stalled_ms(self, now_ms: int) -> int:
        """Return for how long calls have been seen waiting in a lane without any having been done."""
        return max(lane.stalled_ms(now_ms) for lane in self._lanes)

    async def close(self) -> None:
        """Take no more calls, finish those that were taken, and close the connections."""
        self._closed = True
        for lane in self._lanes:
            await lane.close()


class _Lane:
    def __init__(self, database: Database, reads: Reads, commits: Commits) -> None:
        self._database = database
        self._commits = commits
        self._connection: Connection | None = None
        self._overdue = Overdue(database, reads, self._give_up)
        self._waiting: deque[Waiting] = deque()
        self._waiting_for: set[QueueKey] = set()
        self._doing_for: set[QueueKey] = set()
        self._taken: Taken = {}
        self._doing: list[tuple[Call, asyncio.Future[Any]]] = []
        self._task: asyncio.Task[None] | None = None
        self._progress = 0
        self._away = False
        self._gave_up = False
        self._seen: tuple[int, int] | None = None

    @property
    def idle(self) -> bool:
        """Whether a call would be done at once."""
        return self._task is None

    @property
    def held_up(self) -> bool:
        """Whether calls of other queues had better be elsewhere."""
        return self._overdue.slow or len(self._waiting) >= limits.GROUP_COMMIT_STEPS_MAX

    @property
    def burden(self) -> tuple[bool, int]:
        """What a call would have before it: by this lanes are compared."""
        return bool(self._overdue), len(self._waiting)

    def has(self, key: QueueKey) -> bool:
        """Tell whether calls of the queue are under way here."""
        return self._task is not None and (key in self._doing_for or key in self._waiting_for)

    def add(self, key: QueueKey, perform: Perform, call: Call) -> "asyncio.Future[Any]":
        """Let a call wait for its turn."""
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        if self._overdue:
            future.set_exception(our_error(ConnectionError()))
            return future
        self._waiting.append((key, perform, call, future))
        self._waiting_for.add(key)
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._work(), context=on_behalf_of_many())
        return future

    def stalled_ms(self, now_ms: int) -> int:
        if self._task is None or self._overdue:
            self._seen = None
            return 0
        if self._seen is None or self._seen[0] != self._progress:
            self._seen = (self._progress, now_ms)
        return now_ms - self._seen[1]

    async def close(self) -> None:
        self._overdue.close()
        if self._task is not None:
            await asyncio.wait((self._task,))
        if self._connection is not None:
            await _end(self._connection)
            self._connection = None

    async def _work(self) -> None:
        try:
            while self._waiting:
                await self._gather()
                self._away = False
                self._taken = self._next()
                while self._taken:
                    perform = next(iter(self._taken))
                    self._doing = self._taken.pop(perform)
                    await self._do(perform, self._doing)
                    self._progress += 1
                if self._away:
                    # Nobody waits twice for a server that does not answer.
                    self._refuse_waiting()
        finally:
            self._task = None

    async def _gather(self) -> None:
        seen = 0
        for rounds in range(_ROUNDS_MAX):
            if rounds >= _ROUNDS_MIN and len(self._waiting) <= seen:
                return
            seen = len(self._waiting)
            await asyncio.sleep(0)

    def _next(self) -> "Taken":
        """Take what waits, as much as one commit has room for, by kind. Of a name the first one goes."""
        taken: Taken = {}
        names: set[Hashable] = set()
        put_off: list[Waiting] = []
        rows = 0
        for _ in range(min(len(self._waiting), limits.GROUP_COMMIT_STEPS_MAX)):
            if rows >= limits.GROUP_COMMIT_ROWS_MAX:
                break
            key, perform, call, future = self._waiting.popleft()
            if call.name is not None:
                if call.name in names:
                    put_off.append((key, perform, call, future))
                    continue
                names.add(call.name)
            rows += call.rows
            taken.setdefault(perform, []).append((call, future))
        self._waiting.extendleft(reversed(put_off))
        # Some that are only waiting may be among them; they are where their queue's calls are.
        self._doing_for = self._waiting_for
        self._waiting_for = {key for key, _, _, _ in self._waiting}
        return taken

    async def _do(self, perform: Perform, calls: list[tuple[Call, "asyncio.Future[Any]"]]) -> None:
        self._gave_up = False
        results = await self._results(perform, [call.asked for call, _ in calls])
        for (_, future), result in zip(calls, results, strict=True):
            if future.done():
                continue  # Its caller has gone away; what was asked for has happened all the same.
            if isinstance(result, SukkalError):
                future.set_exception(result)
            else:
                future.set_result(result)

    async def _results(self, perform: Perform, asked: list[Any]) -> Sequence[Any]:
        """Return the result of each call, or an error of ours. Nobody may hang, whatever happens."""
        if self._away or self._gave_up:
            return [our_error(ConnectionError())] * len(asked)
        try:
            return await self._try(perform, asked)
        except UNFIT as error:
            if len(asked) > 1:
                # One of them asks for what the database cannot hold; the others have nothing to do with it.
                return [result for each in asked for result in await self._results(perform, [each])]
            _log.error("a call could not be done: %s", error)
            return [our_error(error)]
        except FAILURES as error:
            refused = moved(error)
            if refused is not None:
                if len(asked) == 1:
                    return [refused]
                # Some of them are for queues that move; the others have nothing to do with it.
                half = len(asked) // 2
                return [*await self._results(perform, asked[:half]), *await self._results(perform, asked[half:])]
            _log.error("a transaction failed: %s", str(error) or type(error).__name__)
            self._commits.fail()
            self._let_go()
            self._away = is_away(error)
            return [our_error(error)] * len(asked)
        except Exception as error:  # noqa: BLE001 - nobody may hang
            _log.exception("a step failed", exc_info=error)
            self._commits.fail()
            self._let_go()
            return [our_error(error)] * len(asked)

    async def _try(self, perform: Perform, asked: list[Any]) -> Sequence[Any]:
        for _ in range(_TRIES_MAX - 1):
            try:
                return await self._once(perform, asked)
            except PASSING as error:
                if self._gave_up:
                    raise
                _log.info("a transaction is tried again: %s", error)
        return await self._once(perform, asked)

    async def _once(self, perform: Perform, asked: list[Any]) -> Sequence[Any]:
        if self._connection is None or self._connection.is_closed():
            self._connection = await self._overdue.connect()
        began_s = self._commits.elapsed_s()
        with self._overdue.watching():
            results = await perform(self._connection, asked)
        self._commits.note(len(asked), self._commits.elapsed_s() - began_s)
        return results

    def _give_up(self) -> None:
        """Tell all callers that the store is not available. What was sent to it may happen yet, and nothing else."""
        _log.error("a transaction does not end; until it does, other calls of its lane are refused")
        self._gave_up = True
        for calls in (self._doing, *self._taken.values()):
            for _, future in calls:
                _refuse(future)
        self._taken.clear()
        self._refuse_waiting()

    def _refuse_waiting(self) -> None:
        for _, _, _, future in self._waiting:
            _refuse(future)
        self._waiting.clear()
        self._waiting_for.clear()

    def _let_go(self) -> None:
        """Give up a connection that may be of no use any more; the next call makes another one."""
        if self._connection is not None:
            self._connection.terminate()


def _refuse(future: "asyncio.Future[Any]") -> None:
    if not future.done():
        future.set_exception(our_error(ConnectionError()))


async def _end(connection: Connection) -> None:
    try:
        await connection.close(timeout=5)
    except FAILURES:
        connection.terminate()
