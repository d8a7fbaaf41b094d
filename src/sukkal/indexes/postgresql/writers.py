"""The connections that write. Each does one transaction at a time, to its end.

A server that waits for its standby ends no commit. The caller is told after a while, and the connection stays with its
commit: another one in place of it would wait just so, and the next, until the server has no more of them. Nor is the
commit cancelled: that would show what no standby has.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

from sukkal.errors import Unavailable
from sukkal.indexes.postgresql.connections import Tables
from sukkal.postgresql import FAILURES, PASSING, UNFIT, Connection
from sukkal.postgresql.overdue import Asking, Overdue

__all__ = ["Step", "Writers"]

T = TypeVar("T")
Step = Callable[[Connection], Awaitable[T]]

_log: Final = logging.getLogger("sukkal.search")

_TRIES_MAX: Final = 3


class Writers:
    """So many connections that write, and those that tell whether what they wait for is still done."""

    def __init__(self, tables: Tables, asking: Asking, count: int, **settings: str) -> None:
        self._tables = tables
        self._writers = [_Writer(tables, asking, **settings) for _ in range(count)]
        self._idle = list(self._writers)
        self._free = asyncio.Semaphore(count)
        self._closed = False

    async def run(self, step: Step[T]) -> T:
        """Do a step in a transaction of its own; one whose caller goes away before its commit leaves nothing.

        Raises ``Unavailable`` or what connections raise. What was raised because it takes too long may happen yet.
        """
        if all(each.overdue for each in self._writers):
            raise _does_not_end()
        async with asyncio.timeout(self._tables.answer_s):
            await self._free.acquire()
        if self._closed:
            self._free.release()
            raise Unavailable("The index is closed.")
        writer = self._idle.pop()
        return await writer.run(step, lambda: self._take_back(writer))

    async def close(self) -> None:
        """Wait until what was begun has ended, but for what is overdue, and close all connections."""
        self._closed = True
        for writer in self._writers:
            await writer.close()

    def _take_back(self, writer: "_Writer") -> None:
        self._idle.append(writer)
        self._free.release()


class _Writer:
    def __init__(self, tables: Tables, asking: Asking, **settings: str) -> None:
        self.overdue = Overdue(tables, asking, self._give_up, **settings)
        self._connection: Connection | None = None
        self._told: asyncio.Future[Any] | None = None
        self._task: asyncio.Task[None] | None = None
        self._committing = False

    async def run(self, step: Step[T], done: Callable[[], None]) -> T:
        """Do a step and return what it gives. ``done`` is called when the connection is free again."""
        told: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._told = told
        self._committing = False
        task = asyncio.get_running_loop().create_task(self._work(step, told))
        self._task = task
        task.add_done_callback(lambda _: done())
        try:
            return await told
        except asyncio.CancelledError:
            if not self._committing:
                task.cancel()
            raise

    async def close(self) -> None:
        """Wait until what was begun has ended, but not if it is overdue, and close the connection."""
        self.overdue.close()
        if self._task is not None:
            await asyncio.wait((self._task,))
        if self._connection is not None:
            try:
                await self._connection.close(timeout=5)
            except FAILURES:
                self._connection.terminate()

    async def _work(self, step: Step[T], told: "asyncio.Future[T]") -> None:
        try:
            result = await self._try(step)
            if not told.done():
                told.set_result(result)
        except Exception as error:  # noqa: BLE001 - nobody may hang
            if not told.done():
                told.set_exception(error)
        finally:
            told.cancel()

    async def _try(self, step: Step[T]) -> T:
        if self._connection is None or self._connection.is_closed():
            self._connection = await self.overdue.connect()
        try:
            with self.overdue.watching():
                for _ in range(_TRIES_MAX - 1):
                    try:
                        return await self._once(self._connection, step)
                    except PASSING:
                        continue
                return await self._once(self._connection, step)
        except UNFIT:
            raise
        except BaseException:
            self._connection.terminate()
            raise

    async def _once(self, connection: Connection, step: Step[T]) -> T:
        self._committing = False
        transaction = connection.transaction()
        await transaction.start()
        try:
            result = await step(connection)
        except BaseException:
            await transaction.rollback()
            raise
        self._committing = True
        await transaction.commit()
        return result

    def _give_up(self) -> None:
        _log.error("a transaction of the index does not end; until it does, its connection takes no other")
        if self._told is not None and not self._told.done():
            self._told.set_exception(_does_not_end())


def _does_not_end() -> Unavailable:
    return Unavailable("The index cannot be written to now. Please try again in a few seconds.")
