"""Group commit: everything that waits when a commit ends goes into the next transaction.

The statements of a transaction run on the event loop, where each costs a few microseconds; only the commit, which
waits for the disk, runs in a thread of its own. So a transaction is handed over once, and requests are read and
decoded while the disk works. There is no timer: a lone write is committed at once.

Much work is done in parts, with turns of the event loop for others between them while the transaction stays open.
Nobody sees half of it: readers have connections of their own, and no other step runs before a step is done.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Generator
from types import GeneratorType
from typing import Any, Final, NamedTuple, TypeVar

import apsw

from sukkal import limits
from sukkal.engines.commits import Commits
from sukkal.engines.sqlite.checkpoints import Checkpoints
from sukkal.engines.sqlite.database import our_error
from sukkal.engines.sqlite.worker import Worker
from sukkal.errors import StoreUnavailable, SukkalError
from sukkal.log_fields import on_behalf_of_many

__all__ = ["GroupCommit", "Slices"]

T = TypeVar("T")

_log: Final = logging.getLogger("sukkal.sqlite")

_ROUNDS_MIN: Final = 2
_ROUNDS_MAX: Final = 12
"""Rounds of the event loop between a write's arrival and its transaction.

What other connections have sent already is read in them and joins in; they go on while more comes. An idle loop makes
them in microseconds, and a busy one would have come to those requests anyway.
"""

Slices = Generator[None, None, T]
"""A step in parts: it stops where others may have their turn, and returns its result."""
Step = Callable[[], Any]
Waiting = tuple[Step, "asyncio.Future[Any]"]
Outcome = tuple["asyncio.Future[Any]", Any, SukkalError | None]


class _Open(NamedTuple):
    """A transaction: what its steps came to, and how many changes the connection counted when it began."""

    outcomes: list[Outcome]
    began: int


class GroupCommit:
    """Runs write steps in transactions on one connection, many steps to a commit.

    Of the hooks, ``before_commit`` may still write; ``committed`` and ``rolled_back`` are called on the event loop
    before any of the transaction's callers learns the outcome.
    """

    def __init__(
        self,
        writer: apsw.Connection,
        checkpoints: Checkpoints,
        commits: Commits,
        *,
        before_commit: Callable[[], None],
        committed: Callable[[], None],
        rolled_back: Callable[[], None],
    ) -> None:
        self._connection = writer
        self._checkpoints = checkpoints
        self._commits = commits
        self._before_commit = before_commit
        self._committed = committed
        self._rolled_back = rolled_back
        self._loop = asyncio.get_running_loop()
        self._context = on_behalf_of_many()
        self._worker = Worker("sukkal-commit")
        self._waiting: deque[Waiting] = deque()
        self._running = False
        self._idle = asyncio.Event()
        self._idle.set()
        self._closed = False
        self._progress = 0
        self._seen: tuple[int, int] | None = None

    def run(self, step: Callable[[], T | Slices[T]]) -> "asyncio.Future[T]":
        """Run a step in the next transaction and give its result once that is durable.

        A step that raises one of our errors must not have changed anything: the others of its transaction go on.
        """
        future: asyncio.Future[Any] = self._loop.create_future()
        if self._closed:
            future.set_exception(StoreUnavailable("The store is closed."))
            return future
        self._waiting.append((step, future))
        if not self._running:
            self._running = True
            self._idle.clear()
            self._loop.call_soon(self._defer, 1, len(self._waiting), context=self._context)
        return future

    def stalled_ms(self, now_ms: int) -> int:
        """Return for how long writes have been seen waiting without any having been done."""
        if not self._running:
            self._seen = None
            return 0
        if self._seen is None or self._seen[0] != self._progress:
            self._seen = (self._progress, now_ms)
        return now_ms - self._seen[1]

    async def close(self) -> None:
        """Take no more steps, finish those that were taken, and end the threads."""
        self._closed = True
        await self._idle.wait()
        self._worker.close()
        self._checkpoints.close()

    # -- one transaction

    def _defer(self, rounds: int, seen: int) -> None:
        waiting = len(self._waiting)
        if rounds < _ROUNDS_MIN or (waiting > seen and rounds < _ROUNDS_MAX):
            self._loop.call_soon(self._defer, rounds + 1, waiting)
        else:
            self._turn()

    def _turn(self) -> None:
        transaction = _Open([], self._connection.total_changes())
        try:
            self._connection.execute("BEGIN IMMEDIATE")
        except Exception as error:  # noqa: BLE001 - nobody may hang
            # Nobody is to wait until a transaction can be begun.
            outcomes: list[Outcome] = [(future, None, None) for _, future in self._waiting]
            self._waiting.clear()
            self._abandon(outcomes, error)
            return
        self._part(transaction, None)

    def _part(self, transaction: _Open, slices: Slices[Any] | None) -> None:
        """Do as much as fits into one turn of the loop; then go on in another one, or commit."""
        outcomes, began = transaction
        self._progress += 1
        try:
            slices = self._run_slice(outcomes, slices) if slices else None
            if slices is None:
                slices = self._run_steps(transaction)
            if slices is not None or self._room(transaction):
                self._loop.call_soon(self._part, transaction, slices)
                return
            self._before_commit()
        except Exception as error:  # noqa: BLE001 - the transaction must not stay open, nor anybody hang
            self._abandon(outcomes, error)
            return
        if self._connection.total_changes() == began:
            self._commit_now(outcomes)
        else:
            self._worker.do(lambda: self._commit(outcomes))

    def _room(self, transaction: _Open) -> bool:
        """Tell whether steps wait which belong into this transaction."""
        outcomes, began = transaction
        return (
            bool(self._waiting)
            and len(outcomes) < limits.GROUP_COMMIT_STEPS_MAX
            and self._connection.total_changes() <= began + limits.GROUP_COMMIT_ROWS_MAX
        )

    def _run_steps(self, transaction: _Open) -> Slices[Any] | None:
        """Run steps that wait, as many as one turn has room for; return the last one if it is not done."""
        outcomes, waiting = transaction.outcomes, self._waiting
        most = self._connection.total_changes() + limits.GROUP_COMMIT_ROWS_AT_ONCE
        while waiting and len(outcomes) < limits.GROUP_COMMIT_STEPS_MAX:
            step, future = waiting.popleft()
            try:
                result = step()
            except SukkalError as error:
                outcomes.append((future, None, error))
            except Exception:
                outcomes.append((future, None, None))
                raise
            else:
                outcomes.append((future, result, None))
                if type(result) is GeneratorType and (slices := self._run_slice(outcomes, result)) is not None:
                    return slices
            if self._connection.total_changes() > most:
                return None
        return None

    @staticmethod
    def _run_slice(outcomes: list[Outcome], slices: Slices[Any]) -> Slices[Any] | None:
        """Do one part of the last step, and return what is left of it."""
        future = outcomes[-1][0]
        try:
            next(slices)
        except StopIteration as end:
            outcomes[-1] = (future, end.value, None)
            return None
        except SukkalError as error:
            outcomes[-1] = (future, None, error)
            return None
        return slices

    def _commit_now(self, outcomes: list[Outcome]) -> None:
        # Nothing was written, so there is nothing to wait for.
        try:
            self._connection.execute("COMMIT")
        except apsw.Error as error:
            self._abandon(outcomes, error)
            return
        self._finish(outcomes)

    def _commit(self, outcomes: list[Outcome]) -> None:
        # In the commit thread, which has the connection to itself until the loop hears of the end.
        error: apsw.Error | None = None
        began_s = self._commits.elapsed_s()
        took_s = 0.0
        try:
            self._connection.execute("COMMIT")
            took_s = self._commits.elapsed_s() - began_s
            self._checkpoints.catch_up(self._connection)
        except apsw.Error as caught:
            error = caught
        self._loop.call_soon_threadsafe(self._end, outcomes, error, took_s)

    def _end(self, outcomes: list[Outcome], error: apsw.Error | None, took_s: float) -> None:
        if error is not None:
            self._abandon(outcomes, error)
            return
        self._commits.note(len(outcomes), took_s)
        self._checkpoints.consider()
        self._finish(outcomes)

    def _finish(self, outcomes: list[Outcome]) -> None:
        self._progress += 1
        self._committed()
        for future, result, error in outcomes:
            if future.done():
                continue  # Its caller has gone away; what was asked for has happened all the same.
            if error is None:
                future.set_result(result)
            else:
                future.set_exception(error)
        self._next()

    def _abandon(self, outcomes: list[Outcome], error: Exception) -> None:
        self._commits.fail()
        if isinstance(error, apsw.Error):
            _log.error("a transaction failed: %s", error)
            told = our_error(error)
        else:
            _log.exception("a step failed", exc_info=error)
            told = StoreUnavailable("The store could not do it.")
        try:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        except apsw.Error as again:
            _log.error("rolling back failed: %s", again)
        self._rolled_back()
        for future, _, own in outcomes:
            if not future.done():
                future.set_exception(own or told)
        self._next()

    def _next(self) -> None:
        # At once, before the answers of the last transaction are written: the disk works while they are.
        if self._waiting:
            self._defer(0, 0)
        else:
            self._running = False
            self._idle.set()
