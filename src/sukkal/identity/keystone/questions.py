"""Asking Keystone without holding up the event loop: a few threads, and one question at a time about each thing."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Hashable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar

from sukkal import limits
from sukkal.errors import SukkalError
from sukkal.identity.keystone.failures import Stopping

__all__ = ["Questions"]

T = TypeVar("T")

_log: Final = logging.getLogger("sukkal.keystone")


class Questions:
    """The questions that are under way, each a task that many may wait for.

    A question goes on when those who wait for it go away: its answer is remembered for the next one who asks.
    """

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(limits.KEYSTONE_THREADS, "sukkal-keystone")
        self._tasks: dict[Hashable, asyncio.Task[Any]] = {}
        self._closed = False

    def full(self, waiting_max: int) -> bool:
        """Tell whether so many questions already wait for a thread, or none is taken any more."""
        return self._closed or len(self._tasks) >= limits.KEYSTONE_THREADS + waiting_max

    def under_way(self, key: Hashable) -> bool:
        """Tell whether the question is under way."""
        return key in self._tasks

    def join(self, key: Hashable, work: Callable[[], Coroutine[Any, Any, T]]) -> asyncio.Task[T]:
        """Return the question about ``key``, which begins now unless it is under way."""
        if (task := self._tasks.get(key)) is None:
            task = asyncio.get_running_loop().create_task(work())
            self._tasks[key] = task
            task.add_done_callback(lambda done: self._end(key, done))
        return task

    async def call(self, function: Callable[[], T]) -> T:
        """Run a blocking call in a thread. Raises what it raises, and ``Stopping`` once everything is closed."""
        return await asyncio.get_running_loop().run_in_executor(self._executor, self._unless_closed, function)

    async def settled(self) -> None:
        """Wait until no question is under way."""
        while self._tasks:
            await asyncio.wait(list(self._tasks.values()))

    async def close(self) -> None:
        """Take no more questions, answer the waiting ones with ``Stopping``, and end the threads.

        Calls that already run are waited for.
        """
        self._closed = True
        await self.settled()
        self._executor.shutdown()

    def _end(self, key: Hashable, task: asyncio.Task[Any]) -> None:
        del self._tasks[key]
        # Perhaps nobody waits any more to hear of it.
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, SukkalError):
            _log.error("a question to Keystone failed", exc_info=error)

    def _unless_closed(self, function: Callable[[], T]) -> T:
        if self._closed:
            raise Stopping
        return function()
