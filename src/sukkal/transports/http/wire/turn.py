"""Running handlers without a task for each."""

import asyncio
from collections.abc import Callable, Coroutine, Generator
from contextvars import Context, copy_context
from typing import Any, Final, Generic, TypeVar

__all__ = ["Turn"]

T = TypeVar("T")

# Made for those who run coroutines by other means than a task of asyncio's.
_enter: Final = asyncio.tasks._enter_task
_leave: Final = asyncio.tasks._leave_task


class Turn(Generic[T]):
    """Coroutines that run in the name of one task, most of them without its doing anything.

    Most handlers never wait, or wait once for one thing; to make or to wake a task would cost more than many of them.
    So ``begin`` makes the first step at once, and a future that a coroutine waits for makes the next one when it is
    done. Everything else is left to the task: other waits, errors, and what is still to be done when it is cancelled.
    It awaits the turn, again and again: each time it gets what the next such coroutine returns or raises. It has to run
    in the turn's ``context``, so that what a coroutine sets there in its first step is there in the others.
    """

    __slots__ = (
        *("_awaited", "_coroutine", "_ended", "_error", "_given", "_loop", "_result", "_task", "_waits", "_wake"),
        *("_yielded", "context"),
    )

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.context: Context = copy_context()
        self._task: asyncio.Task[None] = None  # type: ignore[assignment]
        self._coroutine: Coroutine[Any, Any, T] | None = None
        self._ended: Callable[[T], None] | None = None
        # What makes the next step, unless that is left to the task.
        self._awaited: asyncio.Future[Any] | None = None
        self._yielded: Any = None
        self._waits = False
        self._wake: asyncio.Future[None] | None = None
        self._given = False
        self._result: T | None = None
        self._error: BaseException | None = None

    def begin(self, coroutine: Coroutine[Any, Any, T], task: "asyncio.Task[None]", ended: Callable[[T], None]) -> None:
        """Make the first step. Raises ``StopIteration`` with what the coroutine returns if that was the last one.

        ``ended`` is called by the loop with what it returns later, unless the task gets that.
        """
        _enter(self._loop, task)
        try:
            yielded = self.context.run(coroutine.send, None)
        finally:
            _leave(self._loop, task)
        self._task, self._coroutine, self._ended = task, coroutine, ended
        self._wait_for(yielded)

    def give(self, result: T) -> None:
        """Let the task have what a coroutine has returned, for it to go on with."""
        self._result, self._given = result, True
        self._rouse()

    def _rouse(self) -> None:
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)

    # -- without the task

    def _wait_for(self, yielded: Any) -> None:
        """Have the next step made in time: by what is waited for only while the task can be told of a cancellation."""
        idle = self._wake is not None and not self._wake.done()
        if idle and getattr(yielded, "_asyncio_future_blocking", False):
            yielded._asyncio_future_blocking = False
            yielded.add_done_callback(self._go_on, context=self.context)
            self._awaited = yielded
        else:
            self._yielded, self._waits = yielded, True
            self._rouse()

    def _go_on(self, awaited: "asyncio.Future[Any]") -> None:
        if awaited is not self._awaited or self._coroutine is None or self._wake is None or self._wake.done():
            return  # The task has been cancelled; it comes by itself.
        self._awaited = None
        _enter(self._loop, self._task)
        try:
            yielded = self._coroutine.send(None)
        except StopIteration as last:
            result, ended = last.value, self._ended
            self._coroutine = self._ended = None
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - the task gets it
            self._coroutine = self._ended = None
            self._error = error
            self._rouse()
            return
        else:
            self._wait_for(yielded)
            return
        finally:
            _leave(self._loop, self._task)
        if ended is not None:
            ended(result)

    # -- for the task

    def __await__(self) -> Generator[Any, Any, T]:
        return self

    def __iter__(self) -> "Turn[T]":
        return self

    def __next__(self) -> Any:
        """Make a step, or wait for something to be begun."""
        if self._coroutine is not None and self._awaited is None:
            if self._waits:
                yielded, self._yielded, self._waits = self._yielded, None, False
                return yielded
            return self._step(self._coroutine.send, None)
        if self._given:
            result, self._result, self._given = self._result, None, False
            raise StopIteration(result)
        if self._error is not None:
            error, self._error = self._error, None
            raise error
        return self._idle()

    def send(self, value: Any) -> Any:
        """Make a step."""
        return self.__next__()

    def throw(self, *error: Any) -> Any:
        """Raise an error in what has been begun, or in the task if that is nothing."""
        if self._coroutine is None:
            raise error[0] if isinstance(error[0], BaseException) else error[1]
        if self._awaited is not None:
            # As a task does it: what is waited for is cancelled, and brings the error when it has ended.
            if self._awaited.cancel():
                return self._idle()
            self._awaited = None
        self._yielded, self._waits = None, False
        return self._step(self._coroutine.throw, *error)

    def close(self) -> None:
        """End what has been begun."""
        if self._coroutine is not None:
            self._coroutine.close()

    def _idle(self) -> "asyncio.Future[None]":
        self._wake = wake = self._loop.create_future()
        wake._asyncio_future_blocking = True
        return wake

    def _step(self, step: Any, *what: Any) -> Any:
        try:
            return step(*what)
        except BaseException:
            self._coroutine = self._ended = None
            raise
