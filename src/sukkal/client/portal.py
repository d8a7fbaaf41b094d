"""A way for programs with threads into what is asynchronous: an event loop in a thread of its own."""

import asyncio
import functools
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from typing import Any, Concatenate, Final, Generic, ParamSpec, TypeVar

__all__ = ["Face", "Portal", "each", "steps", "waits"]

_ENDING_S: Final = 10.0
_Inner = TypeVar("_Inner")
_Told = TypeVar("_Told")
_Given = ParamSpec("_Given")


class Portal:
    """An event loop in a thread of its own. Every thread may use it."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="sukkal-client", daemon=True)
        self._thread.start()

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        return self._loop.is_closed()

    def run(self, work: Coroutine[Any, Any, _Told]) -> _Told:
        """Return what comes of a coroutine. What interrupts the wait, such as Ctrl-C, ends the coroutine first."""
        ended = threading.Event()

        async def watched() -> _Told:
            try:
                return await work
            finally:
                ended.set()

        future = asyncio.run_coroutine_threadsafe(watched(), self._loop)
        try:
            return future.result()
        except BaseException:
            if future.cancel():
                ended.wait(_ENDING_S)
            raise

    def close(self) -> None:
        """End the loop, and what still runs in it. Closing twice is harmless."""
        if self._loop.is_closed():
            return
        asyncio.run_coroutine_threadsafe(_end_all(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


async def _end_all() -> None:
    ending = asyncio.all_tasks() - {asyncio.current_task()}
    for task in ending:
        task.cancel()
    await asyncio.gather(*ending, return_exceptions=True)
    await asyncio.get_running_loop().shutdown_asyncgens()


class Face(Generic[_Inner]):
    """Something asynchronous, as threads see it."""

    def __init__(self, portal: Portal, inner: _Inner) -> None:
        self._portal = portal
        self._inner = inner


def waits(
    method: Callable[Concatenate[_Inner, _Given], Coroutine[Any, Any, _Told]],
) -> Callable[Concatenate[Face[_Inner], _Given], _Told]:
    """Return the method as threads call it: it waits for what comes of it."""

    @functools.wraps(method)
    def wait(face: Face[_Inner], /, *args: _Given.args, **kwargs: _Given.kwargs) -> _Told:
        return face._portal.run(method(face._inner, *args, **kwargs))

    return wait


def each(
    method: Callable[Concatenate[_Inner, _Given], AsyncIterator[_Told]],
) -> Callable[Concatenate[Face[_Inner], _Given], Iterator[_Told]]:
    """Return the method as threads call it: it yields one after another."""

    @functools.wraps(method)
    def yielding(face: Face[_Inner], /, *args: _Given.args, **kwargs: _Given.kwargs) -> Iterator[_Told]:
        yield from steps(face._portal, method(face._inner, *args, **kwargs))

    return yielding


_END = object()


def steps(portal: Portal, iterator: AsyncIterator[_Told]) -> Iterator[_Told]:
    """Yield what an asynchronous iterator does, and close it in the end."""
    stepping: asyncio.Task[Any] | None = None

    async def step() -> Any:
        nonlocal stepping
        stepping = asyncio.current_task()
        return await anext(iterator, _END)

    async def close() -> None:
        # An interruption may have come before anybody waited for the step.
        if stepping is not None and not stepping.done():
            stepping.cancel()
            await asyncio.wait((stepping,))
        if (aclose := getattr(iterator, "aclose", None)) is not None:
            await aclose()

    try:
        while (told := portal.run(step())) is not _END:
            yield told
    finally:
        portal.run(close())
