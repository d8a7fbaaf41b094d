"""Running handlers without a task for each."""

import asyncio
from collections.abc import Coroutine, Generator
from contextvars import Context, copy_context
from typing import Any, Final, Generic, TypeVar

__all__ = ["Turn"]

T = TypeVar("T")

# Made for those who run coroutines by other means than a task of asyncio's.
_enter: Final = asyncio.tasks._enter_task
_leave: Final = asyncio.tasks._leave_task


class Turn(Generic[T]):
    """Coroutines of which one task makes all steps but the first.

    Most handlers never wait, and a task for each would cost more than many of them. So ``begin`` makes the first step
    at once, in the name of the task; only what is not finished then is left to it. The task awaits the turn, again and
    again: each time it gets what the next coroutine returns or raises. It has to run in the turn's ``context``, so that
    what a coroutine sets there in its first step is there in the others.
    """

    __slots__ = ("_coroutine", "_given", "_loop", "_result", "_waits", "_wake", "_yielded", "context")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.context: Context = copy_context()
        self._coroutine: Coroutine[Any, Any, T] | None = None
        self._yielded: Any = None
        self._waits = False
        self._wake: asyncio.Future[None] | None = None
        self._given = False
        self._result: T | None = None

    def begin(self, coroutine: Coroutine[Any, Any, T], task: "asyncio.Task[None]") -> None:
        """Make the first step. Raises ``StopIteration`` with what the coroutine returns if that was the last one."""
        _enter(self._loop, task)
        try:
            self._yielded = self.context.run(coroutine.send, None)
        finally:
            _leave(self._loop, task)
        self._coroutine, self._waits = coroutine, True
        self._rouse()

    def give(self, result: T) -> None:
        """Let the task have what a coroutine has returned, for it to go on with."""
        self._result, self._given = result, True
        self._rouse()

    def _rouse(self) -> None:
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)

    # -- for the task

    def __await__(self) -> Generator[Any, Any, T]:
        return self

    def __iter__(self) -> "Turn[T]":
        return self

    def __next__(self) -> Any:
        """Make a step, or wait for something to be begun."""
        if self._coroutine is not None:
            if self._waits:
                yielded, self._yielded, self._waits = self._yielded, None, False
                return yielded
            return self._step(self._coroutine.send, None)
        if self._given:
            result, self._result, self._given = self._result, None, False
            raise StopIteration(result)
        self._wake = wake = self._loop.create_future()
        wake._asyncio_future_blocking = True
        return wake

    def send(self, value: Any) -> Any:
        """Make a step."""
        return self.__next__()

    def throw(self, *error: Any) -> Any:
        """Raise an error in what has been begun, or in the task if that is nothing."""
        if self._coroutine is None:
            raise error[0] if isinstance(error[0], BaseException) else error[1]
        self._yielded, self._waits = None, False
        return self._step(self._coroutine.throw, *error)

    def close(self) -> None:
        """End what has been begun."""
        if self._coroutine is not None:
            self._coroutine.close()

    def _step(self, step: Any, *what: Any) -> Any:
        try:
            return step(*what)
        except BaseException:
            self._coroutine = None
            raise
