"""The threads in which the index works, of which each kind of work has its own."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from sukkal import limits

__all__ = ["Crew", "Threads"]

T = TypeVar("T")


class Crew:
    """Some threads. Who has a ``place`` finds one of them free."""

    def __init__(self, size: int, name: str) -> None:
        self._executor = ThreadPoolExecutor(size, thread_name_prefix=name)
        self._places = asyncio.Semaphore(size)

    @contextlib.asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """Wait for one's turn, in the order of coming."""
        async with self._places:
            yield

    async def do(self, work: Callable[[], T]) -> T:
        """Do something in a thread; who is cancelled waits for its end: nobody else may have its things before."""
        doing = asyncio.get_running_loop().run_in_executor(self._executor, work)
        try:
            return await asyncio.shield(doing)
        except asyncio.CancelledError:
            await asyncio.wait((doing,))
            raise

    def close(self) -> None:
        """End the threads."""
        self._executor.shutdown()


class Threads:
    """Those that read, those that write and those that match: none of them waits for the others."""

    def __init__(self) -> None:
        self.reading = Crew(limits.SEARCH_THREADS, "search-reading")
        self.writing = Crew(limits.SEARCH_WRITING_THREADS, "search-writing")
        self.matching = Crew(limits.SEARCH_MATCHING_THREADS, "search-matching")

    def close(self) -> None:
        """End all threads."""
        for crew in (self.reading, self.writing, self.matching):
            crew.close()
